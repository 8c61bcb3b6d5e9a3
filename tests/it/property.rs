//! What holds for every record: records made by chance go to FHIR and come back, under every policy, from our own
//! Bundle and from what a server would answer.

use std::collections::BTreeSet;

use ipt_fhir::fhir::{Bundle, Resource};
use ipt_fhir::ipt::document::{self, plan_value, without_local};
use ipt_fhir::ipt::{Document, schema};
use ipt_fhir::json::{self, Value};
use ipt_fhir::mapping::identity::ITEM_SYSTEM;
use ipt_fhir::mapping::{self, Mapped, Policy, Section, Withheld};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::mapping::{difference, options};
use crate::support::any_record::{any_choices, any_record, record_of};
use crate::support::server::as_a_server_answers;
use crate::support::shape;

const CASES: u32 = 1_000;

/// Holds a property against records made by chance; what fails is shown as the smallest record that still fails.
pub(crate) fn for_any_record(cases: u32, property: impl Fn(&Document) -> Result<(), String>) {
    for_any(cases, Just(u16::MAX), |document, _| property(document));
}

/// Holds a property against records made by chance, half of the time under `minimum`, else under any grants.
pub(crate) fn for_any_record_and_policy(
    cases: u32,
    property: impl Fn(&Document, &Policy) -> Result<(), String>,
) {
    for_any(cases, prop_oneof![Just(0_u16), any::<u16>()], property);
}

fn for_any(
    cases: u32,
    grants: impl Strategy<Value = u16>,
    property: impl Fn(&Document, &Policy) -> Result<(), String>,
) {
    let base = Config { cases, failure_persistence: None, ..Config::default() };
    let config = Config { max_shrink_time: 20_000, ..base };
    let strategy = (any_record().prop_map(Shown), grants);
    let tried = TestRunner::new(config).run(&strategy, |(Shown(value), grants)| {
        let document = parse(&value).map_err(TestCaseError::fail)?;
        property(&document, &policy_of(grants)).map_err(TestCaseError::fail)
    });
    if let Err(failed) = tried {
        panic!("{failed}");
    }
}

/// A value that a failure shows: records made by chance are nobody's.
struct Shown(Value);

impl std::fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.to_text())
    }
}

fn parse(value: &Value) -> Result<Document, String> {
    document::parse(value.to_text().as_bytes()).map_err(|error| format!("{:#?}", error.issues()))
}

/// The Bundle of a mapping, through its text.
fn bundle_of(mapped: Mapped) -> Result<Bundle, String> {
    let text = mapped.into_collection().to_text();
    let resource = Resource::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    Bundle::from_resource(resource).map_err(|error| error.to_string())
}

fn same(expected: &Value, found: &Value) -> Result<(), String> {
    difference(expected, found, "").map_or(Ok(()), Err)
}

/// A record's value less the parts that were withheld.
pub(crate) fn less(mut record: Value, withheld: &[Withheld]) -> Value {
    let mut pointers: Vec<(&str, &str)> =
        withheld.iter().filter_map(|part| part.pointer.as_str().rsplit_once('/')).collect();
    // The last items of a list first, so that the places of the others stay.
    pointers.sort_by_key(|(_, step)| std::cmp::Reverse(step.parse::<usize>().ok()));
    for (parent, step) in pointers {
        match record.pointer_mut(parent) {
            Some(Value::Object(object)) => {
                assert!(object.remove(step).is_some(), "{parent}/{step}");
            }
            Some(Value::Array(items)) => drop(items.remove(step.parse().unwrap())),
            _ => panic!("{parent} is neither list nor object"),
        }
    }
    record
}

/// A policy that grants the sections whose bits are set.
fn policy_of(bits: u16) -> Policy {
    let granted = Section::ALL.into_iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
    granted.fold(Policy::minimum(), |policy, (_, section)| policy.grant(section))
}

#[test]
fn any_record_reaches_every_property_and_every_code_of_the_schema() {
    let schema = json::parse(schema::TEXT.as_bytes()).unwrap();
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..1_500 {
        let given = any_choices().new_tree(&mut runner).unwrap().current();
        shape::reach(&schema, &schema, &record_of(&given), &mut reached);
    }
    let missing: Vec<_> = shape::reachable(&schema).difference(&reached).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn a_full_mapping_of_any_record_leads_back_to_it() {
    for_any_record(CASES, |document| {
        let bundle = bundle_of(mapping::to_fhir(&document.plan, &options(Policy::full())))?;
        let back = mapping::from_fhir(&bundle, None).map_err(|error| error.to_string())?;
        same(&without_local(&document.source), &plan_value(&back.plan))
    });
}

#[test]
fn any_record_comes_back_from_what_a_server_answers() {
    for_any_record(CASES, |document| {
        let mapped = mapping::to_fhir(&document.plan, &options(Policy::full()));
        let seed = document.source.to_text().len();
        let answer = as_a_server_answers(mapped, seed);
        let people = Some((&document.plan.client, &document.plan.therapist));
        let back = mapping::from_fhir(&answer, people).map_err(|error| error.to_string())?;
        // The age is an Observation of ours, but belongs to the client, whom the record gives.
        same(&without_local(&document.source), &plan_value(&back.plan))
    });
}

#[test]
fn under_any_policy_a_record_comes_back_less_what_is_withheld() {
    for_any_record_and_policy(CASES, |document, policy| {
        let mapped = mapping::to_fhir(&document.plan, &options(policy.clone()));
        let expected = less(without_local(&document.source), &mapped.withheld);
        let back = mapping::from_fhir(&bundle_of(mapped)?, None);
        same(&expected, &plan_value(&back.map_err(|error| error.to_string())?.plan))
    });
}

#[test]
fn any_mapping_is_the_same_twice_and_holds_together() {
    for_any_record(CASES, |document| {
        let map = || mapping::to_fhir(&document.plan, &options(Policy::full())).into_collection();
        let bundle = map().into_value();
        let text = bundle.to_text();
        if text != map().to_text() {
            return Err("mapped twice, the bytes differ".to_owned());
        }
        shape::check_bundle(&bundle, ITEM_SYSTEM)?;
        shape::check_lexical_forms(&bundle)
    });
}
