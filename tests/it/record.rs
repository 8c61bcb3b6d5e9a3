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
