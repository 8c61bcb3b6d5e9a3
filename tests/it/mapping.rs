//! The mapping: what goes to FHIR comes back, the same bytes each time, and nothing that is withheld.

use ipt_fhir::fhir::Bundle;
use ipt_fhir::ipt::Plan;
use ipt_fhir::ipt::document::{plan_value, without_local};
use ipt_fhir::json::{self, Value};
use ipt_fhir::mapping::{self, Options, Policy};

use crate::support::{record, record_names};

pub(crate) fn options(policy: Policy) -> Options {
    Options { policy, ..Options::default() }
}

/// A plan to FHIR, through text, and back.
pub(crate) fn round_trip(plan: &Plan, policy: Policy) -> Value {
    let text = mapping::to_fhir(plan, &options(policy)).into_collection().to_text();
    let bundle = ipt_fhir::fhir::Resource::parse(text.as_bytes()).unwrap();
    let bundle = Bundle::from_resource(bundle).unwrap();
    plan_value(&mapping::from_fhir(&bundle, None).unwrap().plan)
}

/// The first place where two values differ.
pub(crate) fn difference(left: &Value, right: &Value, path: &str) -> Option<String> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => left
            .iter()
            .find_map(|(name, value)| match right.get(name) {
                Some(other) => difference(value, other, &format!("{path}/{name}")),
                None => Some(format!("{path}/{name} is missing on the right")),
            })
            .or_else(|| {
                let more = right.iter().find(|(name, _)| left.get(name).is_none())?;
                Some(format!("{path}/{} is missing on the left", more.0))
            }),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            left.iter().zip(right).enumerate().find_map(|(index, (left, right))| {
                difference(left, right, &format!("{path}/{index}"))
            })
        }
        (left, right) if json::equivalent(left, right) => None,
        (left, right) => Some(format!("{path}: {} and {}", left.to_text(), right.to_text())),
    }
}

#[test]
fn a_full_mapping_leads_back_to_the_record() {
    for name in record_names() {
        let document = record(&name);
        let back = round_trip(&document.plan, Policy::full());
        let difference = difference(&without_local(&document.source), &back, "");
        assert_eq!(difference, None, "{name}");
    }
}

#[test]
fn what_cannot_be_read_back_is_named() {
    let document = record("john-lee.json");
    let mut bundle = mapping::to_fhir(&document.plan, &options(Policy::full())).into_collection();
    let goal = bundle.items("entry").position(|entry| {
        entry.get("resource").and_then(|resource| resource.text("resourceType")) == Some("Goal")
    });
    let place = format!("/entry/{}/resource", goal.unwrap());
    let mut value = bundle.to_value();
    let status = value.pointer_mut(&format!("{place}/lifecycleStatus")).unwrap();
    *status = Value::String("unheard-of".into());
    bundle = ipt_fhir::fhir::Resource::from_value(value).unwrap();
    let read = mapping::from_fhir(&Bundle::from_resource(bundle).unwrap(), None).unwrap();
    let named: Vec<_> = read.issues.iter().map(|issue| issue.location.pointer.as_str()).collect();
    assert_eq!(named, [place]);
    assert_eq!(read.plan.goals.len() + 1, document.plan.goals.len() + 2, "its objectives remain");
}

#[test]
fn everything_of_a_fixture_is_read_back() {
    for name in record_names() {
        for policy in [Policy::minimum(), Policy::full()] {
            let bundle = mapping::to_fhir(&record(&name).plan, &options(policy)).into_collection();
            let read = mapping::from_fhir(&Bundle::from_resource(bundle).unwrap(), None).unwrap();
            assert_eq!(read.issues, [], "{name}");
        }
    }
}
