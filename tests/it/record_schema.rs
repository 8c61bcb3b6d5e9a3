//! The schema and the types say the same: every property and every code of one is in the other.

use std::collections::{BTreeMap, BTreeSet};

use ipt_fhir::ipt::document::{plan_value, without_local};
use ipt_fhir::ipt::{
    Achievement, Comparator, ConsentKind, ConsentStatus, Delivery, FocusCode, Format, Gender,
    GoalStatus, Instrument, PhaseCode, PlanStatus, Priority, Rank, RelationStatus, RoleCode,
    SessionStatus, Technique, Variant,
    goal::ExpressedBy,
    person::{TelecomSystem, TelecomUse},
    phase::TimeUnit,
    plan::{ClinicalStatus, PrognosisCode, ScreeningResult, VerificationStatus},
    schema,
    session::{HomeworkStatus, RiskLevel},
};
use ipt_fhir::json::{self, Pointer, Value};

use crate::support::shape::{reach, reachable};
use crate::support::tree::for_each;
use crate::support::{record, record_names};

fn the_schema() -> Value {
    json::parse(schema::TEXT.as_bytes()).unwrap()
}

#[test]
fn every_property_of_the_schema_stands_in_a_fixture_and_survives_the_types() {
    let schema = the_schema();
    let mut in_fixtures = BTreeSet::new();
    let mut in_types = BTreeSet::new();
    for name in record_names() {
        let document = record(&name);
        reach(&schema, &schema, &document.source, &mut in_fixtures);
        reach(&schema, &schema, &plan_value(&document.plan), &mut in_types);
        assert!(
            json::equivalent(&plan_value(&document.plan), &without_local(&document.source)),
            "{name}: the types lose something"
        );
    }
    let named: BTreeSet<String> =
        reachable(&schema).into_iter().filter(|place| !place.contains('=')).collect();
    assert!(named.len() > 200, "the schema was walked");
    assert_eq!(named.difference(&in_fixtures).collect::<Vec<_>>(), Vec::<&String>::new());
    // `passthrough` stays in the document, and the types hold all the rest.
    let local = |place: &&String| place.contains("passthrough");
    let lost: Vec<_> = named.difference(&in_types).filter(|place| !local(place)).collect();
    assert_eq!(lost, Vec::<&String>::new());
}

/// The codes of every enumeration of the types, by the place of the schema that lists them.
fn enumerations() -> BTreeMap<&'static str, Vec<&'static str>> {
    macro_rules! codes {
        ($($place:literal => $type:ty),+ $(,)?) => {
            BTreeMap::from([$((
                $place, <$type>::ALL.iter().map(|code| code.code()).collect::<Vec<_>>(),
            )),+])
        };
    }
    codes! {
        "/properties/status" => PlanStatus,
        "/properties/variant" => Variant,
        "/$defs/timeUnit" => TimeUnit,
        "/$defs/technique" => Technique,
        "/$defs/instrument" => Instrument,
        "/$defs/achievement" => Achievement,
        "/$defs/sessionFormat" => Format,
        "/$defs/delivery" => Delivery,
        "/$defs/telecom/properties/system" => TelecomSystem,
        "/$defs/telecom/properties/use" => TelecomUse,
        "/$defs/target/properties/comparator" => Comparator,
        "/$defs/objective/properties/status" => GoalStatus,
        "/$defs/objective/properties/priority" => Priority,
        "/$defs/objective/properties/expressedBy" => ExpressedBy,
        "/$defs/goal/properties/status" => GoalStatus,
        "/$defs/goal/properties/priority" => Priority,
        "/$defs/goal/properties/expressedBy" => ExpressedBy,
        "/$defs/client/properties/gender" => Gender,
        "/$defs/diagnosis/properties/clinicalStatus" => ClinicalStatus,
        "/$defs/diagnosis/properties/verificationStatus" => VerificationStatus,
        "/$defs/screening/properties/result" => ScreeningResult,
        "/$defs/focusArea/properties/code" => FocusCode,
        "/$defs/focusArea/properties/rank" => Rank,
        "/$defs/relationship/properties/relationship" => RoleCode,
        "/$defs/relationship/properties/status" => RelationStatus,
        "/$defs/phase/properties/code" => PhaseCode,
        "/$defs/prognosis/properties/code" => PrognosisCode,
        "/$defs/homework/properties/status" => HomeworkStatus,
        "/$defs/session/properties/status" => SessionStatus,
        "/$defs/session/properties/risk/properties/level" => RiskLevel,
        "/$defs/consent/properties/kind" => ConsentKind,
        "/$defs/consent/properties/status" => ConsentStatus,
    }
}

#[test]
fn every_enumeration_of_the_schema_is_one_of_the_types_code_by_code() {
    let schema = the_schema();
    let mut listed = BTreeMap::new();
    for_each(&schema, &Pointer::root(), &mut |pointer, value| {
        let codes: Vec<&str> = value.items("enum").filter_map(Value::as_str).collect();
        if !codes.is_empty() {
            listed.insert(pointer.as_str().to_owned(), codes);
        }
    });
    let known = enumerations();
    let known: BTreeMap<String, _> =
        known.into_iter().map(|(place, codes)| (place.to_owned(), codes)).collect();
    assert_eq!(listed, known);
}
