//! W3: whatever is mixed into a record, nothing that refers to somebody else is sent.

use ipt_fhir::fhir::Resource;
use ipt_fhir::json::{self, Value};
use ipt_fhir::mapping::identity::{ITEM_SYSTEM, PLAN_ITEM_SYSTEM};
use ipt_fhir::mapping::{Options, note};
use ipt_fhir::sandbox::Behaviour;
use ipt_fhir::store::{ReferenceLink, digest};
use ipt_fhir::sync::{Record, ReferenceFault, Stop, apply, reference_marks};
use proptest::prelude::*;

use super::super::clinic::{Clinic, quiet, resources, uuid};
use super::super::practice::Practice;
use super::{id, of_second, stop};
use crate::store::moment;

/// Ways of naming somebody else, or something of theirs: the members of a Reference.
fn foreign(base_url: &str) -> Vec<String> {
    let plain = |reference: &str| format!(r#""reference":"{reference}""#);
    let logical = |system: &str, value: &str, more: &str| {
        format!(r#"{more}"identifier":{{"system":"{system}","value":"{value}"}}"#)
    };
    let theirs = uuid(1 << 70 | 5);
    let of_type = r#""type":"Patient","#;
    let ours = r#""reference":"Patient/first","#;
    vec![
        plain("Patient/second"),
        plain("Patient/second/_history/1"),
        plain("Encounter/of-second"),
        plain("Goal/of-second"),
        plain("Condition/of-second"),
        plain(&format!("{base_url}/Patient/second")),
        plain(&format!("{base_url}/Encounter/of-second")),
        plain("https://elsewhere.invalid/fhir/Patient/first"),
        plain("//elsewhere.invalid/Patient/first"),
        plain(&format!("urn:uuid:{theirs}")),
        plain("urn:oid:1.2.3"),
        plain("urn:uuid:Patient/second"),
        plain("#second"),
        plain("#nobody"),
        plain("Patient?identifier=urn:x:mrn|4712"),
        plain("Patient/first/../second"),
        plain(" Patient/second"),
        plain("patient/second"),
        plain("Patient/second#x"),
        logical("urn:x:mrn", "4712", ""),
        logical("urn:x:mrn", "4712", of_type),
        logical("urn:x:mrn", "4712", ours),
        logical(ITEM_SYSTEM, &theirs.to_string(), ""),
        logical(PLAN_ITEM_SYSTEM, "other-plan/client", of_type),
        r#""identifier":{"value":"4712"}"#.to_owned(),
    ]
}

/// Places of a resource where R4 has references.
const ELEMENTS: [&str; 16] = [
    "subject",
    "for",
    "encounter",
    "author",
    "recorder",
    "asserter",
    "performer",
    "basedOn",
    "partOf",
    "replaces",
    "supportingInfo",
    "focus",
    "managingOrganization",
    "custodian",
    "reasonReference",
    "supportingInformation",
];

/// Where a foreign reference goes.
#[derive(Debug, Clone)]
enum Place {
    /// In the place of one that is there: the n-th.
    There(usize),
    /// As an element of the resource, alone or in a list.
    Element(usize, bool),
    /// Deep in an extension.
    Extension,
    /// In a contained resource.
    Contained,
    /// In a backbone element.
    Backbone,
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        4 => (0_usize..8).prop_map(Place::There),
        4 => (0..ELEMENTS.len(), any::<bool>()).prop_map(|(at, list)| Place::Element(at, list)),
        1 => Just(Place::Extension),
        1 => Just(Place::Contained),
        1 => Just(Place::Backbone),
    ]
}

/// Puts a reference into the place of the n-th one, counted round.
fn replace(tree: &mut Value, reference: &Value, left: &mut usize) -> bool {
    match tree {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, reference, left)),
        Value::Object(object) => {
            if object.get("reference").is_some() {
                if *left == 0 {
                    *tree = reference.clone();
                    return true;
                }
                *left -= 1;
            }
            match tree {
                Value::Object(object) => {
                    object.iter_mut().any(|(_, value)| replace(value, reference, left))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn count(tree: &Value) -> usize {
    let mut count = 0;
    ipt_fhir::fhir::reference::for_each_reference(tree, &mut |_| count += 1);
    count
}

/// The resource with the reference in its place.
fn mixed(resource: &Resource, place: &Place, members: &str) -> Resource {
    let reference = json::parse(format!("{{{members}}}").as_bytes()).unwrap();
    let mut resource = resource.clone();
    if members.contains("#second") {
        let patient = r#"[{"resourceType":"Patient","id":"second","identifier":[{"system":"urn:x:mrn","value":"4712"}]}]"#;
        resource.object_mut().insert("contained", json::parse(patient.as_bytes()).unwrap());
    }
    let wrapped = |before: &str, after: &str| {
        json::parse(format!("{before}{{{members}}}{after}").as_bytes()).unwrap()
    };
    match place {
        Place::There(at) => {
            let mut tree = resource.to_value();
            let mut left = at % count(&tree).max(1);
            assert!(replace(&mut tree, &reference, &mut left), "there is one");
            resource = Resource::from_value(tree).unwrap();
        }
        Place::Element(at, is_list) => {
            let value = if *is_list { Value::Array(vec![reference]) } else { reference };
            resource.object_mut().insert(ELEMENTS[*at], value);
        }
        Place::Extension => {
            let value = wrapped(r#"[{"url":"a","extension":[{"url":"b","valueReference":"#, "}]}]");
            resource.object_mut().insert("extension", value);
        }
        Place::Contained => {
            let value = wrapped(
                r#"[{"resourceType":"Practitioner","id":"p","extension":[{"url":"a","valueReference":"#,
                "}]}]",
            );
            resource.object_mut().insert("contained", value);
        }
        Place::Backbone => {
            let value = wrapped(r#"[{"actor":"#, r#","status":"accepted"}]"#);
            resource.object_mut().insert("participant", value);
        }
    }
    resource
}

/// Every way in every kind of place of every resource, drawn: 0 sends.
#[test]
fn w3_a_second_patients_ids_in_any_reference_are_never_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clinic = runtime.block_on(Clinic::open());
    for kind in ["Encounter", "Goal", "Condition"] {
        clinic.ehr.put(of_second(kind, "of-second")).unwrap();
    }
    let ways = foreign(&clinic.base_url);
    let drawn = (0..10_usize, place(), 0..ways.len());
    let config = ProptestConfig { cases: 192, failure_persistence: None, ..Default::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&drawn, |(number, place, way)| {
        let mut record = resources("Grieve");
        // After the two persons.
        let (_, resource) = &mut record[number + 2];
        *resource = mixed(resource, &place, &ways[way]);
        let report = runtime.block_on(clinic.apply_watched(record, &mut quiet()));
        let is_refused = matches!(stop(&report), Stop::ForeignReference { .. });
        prop_assert!(is_refused, "{:?} {}: {report:?}", place, ways[way]);
        prop_assert_eq!(clinic.writing_requests(), 0);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert_eq!(runtime.block_on(clinic.apply("Grieve")).outcome().exit_code(), 0, "unmixed");
}

/// The notes of a twin's plan, whose words are the same, in this client's record.
#[tokio::test]
async fn w3_a_note_of_somebody_elses_plan_is_never_sent() {
    let without = vec!["CarePlan", "Goal", "Encounter"];
    let practice = Practice::open(Behaviour { without, ..Behaviour::default() }).await;
    let mut twin = practice.plan.clone();
    twin.id.push_str("-twin");
    for written in [0, 1] {
        let before = practice.writing_requests();
        assert_eq!(before > 0, written > 0);
        for number in 0..3 {
            let report = practice
                .apply_changed(|record| {
                    let mut theirs = note::notes(&twin, &Options::default());
                    record.notes = vec![theirs.remove(number)];
                })
                .await;
            let stopped = &report.records[0].stopped;
            let is_refused =
                matches!(stopped, Some(Stop::ForeignReference { .. } | Stop::IdentityChanged));
            assert!(is_refused, "{number}: {stopped:?}");
        }
        assert_eq!(practice.writing_requests(), before);
        assert_eq!(practice.apply().await.records[0].stopped, None);
    }
}

/// A person's link that leads to somebody else, however it came about.
#[tokio::test]
async fn w3_a_reference_link_to_somebody_else_is_never_used() {
    let clinic = Clinic::open().await;
    let mut visit = of_second("Encounter", "of-second");
    let period = json::parse(br#"{"start":"2026-02-23T15:00:00Z"}"#).unwrap();
    visit.object_mut().insert("period", period);
    clinic.ehr.put(visit).unwrap();
    let (store, client) = (clinic.store().await, clinic.client());
    let record = clinic.record(&store, "Grieve").await;
    let link = |item: u128, target: &str| {
        let target = id(target);
        let marks = reference_marks(&clinic.ehr.get(&target).unwrap());
        ReferenceLink {
            ehr: "clinic".into(),
            plan: digest("the plan"),
            item: uuid(item),
            target,
            marks,
            linked_at: moment(),
        }
    };
    let of_second = || id("Encounter/of-second");
    let fault = |target: &str, fault| Stop::Reference(id(target), fault);
    let other_ehr = ReferenceLink { ehr: "other".into(), ..link(5, "Encounter/of-second") };
    let other_plan = ReferenceLink { plan: digest("other"), ..link(5, "Encounter/of-second") };
    for (reference, is_kept, expected) in [
        // The session's visit is another Patient's.
        (
            link(5, "Encounter/of-second"),
            true,
            Stop::Reference(of_second(), ReferenceFault::OtherSubject),
        ),
        // The therapist is a Patient, or a visit.
        (link(101, "Patient/second"), true, fault("Patient/second", ReferenceFault::Misplaced)),
        (link(101, "Patient/first"), true, fault("Patient/first", ReferenceFault::Misplaced)),
        (
            link(101, "Encounter/of-second"),
            true,
            fault("Encounter/of-second", ReferenceFault::Misplaced),
        ),
        // It is another record's, another EHR's, or was taken back.
        (other_ehr, false, Stop::OtherRecord),
        (other_plan, false, Stop::OtherRecord),
        (link(5, "Encounter/of-second"), false, Stop::LinkChanged),
    ] {
        if is_kept {
            store.link_reference(&record.link, &reference).await.unwrap();
        }
        let item = reference.item;
        let mixed = Record { references: vec![reference], ..record.clone() };
        let report =
            apply(&clinic.way(&store, &client, &moment), &[mixed], &mut quiet()).await.unwrap();
        assert_eq!(*stop(&report), expected);
        store.unlink_reference("clinic", &digest("the plan"), item).await.unwrap();
        assert_eq!(clinic.writing_requests(), 0);
    }
    // The Practitioner of the Patient's own link.
    let mut mixed = record.clone();
    mixed.link.practitioner = Some(id("Patient/second"));
    store.link(&mixed.link).await.unwrap();
    let report =
        apply(&clinic.way(&store, &client, &moment), &[mixed], &mut quiet()).await.unwrap();
    assert_eq!(*stop(&report), fault("Patient/second", ReferenceFault::Misplaced));
    assert_eq!(clinic.writing_requests(), 0);
}
