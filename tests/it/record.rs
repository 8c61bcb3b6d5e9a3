//! The record: every fixture is read, every fault is named with its place, and no value is repeated.

use ipt_fhir::ipt::document::{plan_value, without_local};
use ipt_fhir::json;

use crate::support::{record, record_names};

#[test]
fn every_fixture_is_a_record_and_types_hold_all_of_it() {
    for name in record_names() {
        let document = record(&name);
        let value = plan_value(&document.plan);
        assert!(
            json::equivalent(&value, &without_local(&document.source)),
            "{name}: the types lose something"
        );
        for warning in &document.warnings {
            println!("{name}: {warning} at {}", warning.location.pointer);
        }
    }
}

#[test]
fn debug_tells_nothing_of_a_person() {
    let plan = record("all-fields.json").plan;
    let shown = format!("{plan:?} {:?} {:?} {:?}", plan.client, plan.sessions, plan.inventory);
    assert!(shown.starts_with("Plan [phi] Client [phi] [Session [phi]"), "{shown}");
    for word in plan.client.name.text.split(' ').chain([plan.id.as_str(), "session"]) {
        assert!(!shown.contains(word));
    }
}

#[test]
fn our_own_identifier_systems_are_not_for_records() {
    let text = String::from_utf8(crate::support::fixture("ipt/john-lee.json")).unwrap();
    let identifiers =
        r#""identifiers": [{"system": "https://ipt-fhir.org/fhir/sid/item", "value": "x"}],"#;
    let text = text.replacen(r#""gender""#, &format!(r#"{identifiers} "gender""#), 1);
    let error = ipt_fhir::ipt::document::parse(text.as_bytes()).unwrap_err();
    let issue = &error.issues()[0];
    assert_eq!(issue.code, "ipt-plan-own-identifier");
    assert_eq!(issue.location.pointer.as_str(), "/client/identifiers/0/system");
}

#[test]
fn yaml_may_quote_its_first_key() {
    let yaml = String::from_utf8(crate::support::fixture("ipt/john-lee.yaml")).unwrap();
    let (_, rest) = yaml.split_once("format:").unwrap();
    let quoted = format!("\"format\":{rest}");
    let parsed = ipt_fhir::ipt::document::parse(quoted.as_bytes()).unwrap();
    assert_eq!(parsed.plan, record("john-lee.json").plan);
}
