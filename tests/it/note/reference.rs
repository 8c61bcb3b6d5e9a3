//! Notes as DocumentReferences.

use ipt_fhir::fhir::Resource;
use ipt_fhir::ipt::SessionStatus;
use ipt_fhir::ipt::plan::PlanStatus;
use ipt_fhir::json::Value;
use ipt_fhir::mapping::note::{
    DocStatus, Edition, MediaType, Note, Predecessor, Shape, Subject, edition_item,
    footer_reference, notes,
};
use ipt_fhir::mapping::{self, Part, Policy};

use super::{first, in_treatment, options};
use crate::support::base64::decoded;
use crate::support::record;

fn john_lee() -> Vec<Note> {
    notes(&in_treatment(), &options(Policy::minimum()))
}

fn second_of(note: &Note) -> Edition {
    Edition {
        item: edition_item(note.slot, 2),
        number: 2,
        date: "2026-05-02T08:30:00.5Z".parse().unwrap(),
        replaces: Some(Predecessor { item: note.slot, date: first().date }),
    }
}

fn at(resource: &Resource, pointer: &str) -> Option<String> {
    resource.to_value().pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn attached(resource: &Resource) -> Vec<u8> {
    decoded(&at(resource, "/content/0/attachment/data").unwrap())
}

#[test]
fn the_default_is_us_cores_clinical_note() {
    for note in john_lee() {
        let resource = note.resource(&second_of(&note), &Shape::default()).unwrap();
        let is = |pointer: &str, expected: &str| {
            assert_eq!(at(&resource, pointer).as_deref(), Some(expected), "{pointer}");
        };
        let item = edition_item(note.slot, 2);
        is("/status", "current");
        is("/docStatus", "final");
        is("/category/0/coding/0/code", "clinical-note");
        is("/content/0/attachment/contentType", "text/plain; charset=utf-8");
        is("/identifier/0/value", &item.to_string());
        is("/relatesTo/0/code", "replaces");
        is("/relatesTo/0/target/reference", &format!("urn:uuid:{}", note.slot));
        is("/date", "2026-05-02T08:30:00Z");
        is("/meta/security/0/code", "R");
        is("/securityLabel/0/coding/0/code", "R");
        is("/author/0/display", "Chris Smith, Ph.D.");
        let encounter = format!("urn:uuid:{}", note.encounter().unwrap());
        is("/context/encounter/0/reference", &encounter);
        match note.subject {
            Subject::Plan => is("/type/coding/0/code", "56447-6"),
            Subject::Session { encounter } => {
                assert_eq!(note.encounter(), Some(encounter));
                is("/type/coding/0/code", "34904-3");
                is("/context/period/start", "2026-03-02T10:00:00-05:00");
                is("/context/period/end", "2026-03-02T10:50:00-05:00");
            }
        }
        let bytes = attached(&resource);
        assert_eq!(footer_reference(&bytes).unwrap().slot, note.slot);
        assert!(!bytes.starts_with(b"Replaces"), "relatesTo says so");
        assert_eq!(resource.items("content").count(), 1);
    }
}

#[test]
fn references_are_those_of_the_mapping() {
    let plan = in_treatment();
    let mapped = mapping::to_fhir(&plan, &options(Policy::minimum()));
    let urn = |resource_type: &str| {
        let found =
            mapped.resources.iter().find(|one| one.resource.resource_type() == resource_type);
        format!("urn:uuid:{}", found.unwrap().item)
    };
    for note in john_lee() {
        let resource = note.resource(&first(), &Shape::default()).unwrap();
        assert_eq!(at(&resource, "/subject/reference"), Some(urn("Patient")));
        assert_eq!(at(&resource, "/author/0/reference"), Some(urn("Practitioner")));
        assert_eq!(at(&resource, "/context/encounter/0/reference"), Some(urn("Encounter")));
    }
}

#[test]
fn for_epic_a_note_names_its_predecessor_in_its_text() {
    let shape = Shape {
        names_charset: false,
        doc_status: Some(DocStatus::Preliminary),
        identifier: false,
        relates_to: false,
        category: false,
        session_type: "11506-3".to_owned(),
        announces_predecessor: true,
        ..Shape::default()
    };
    let note = john_lee().remove(1);
    let resource = note.resource(&second_of(&note), &shape).unwrap();
    assert_eq!(at(&resource, "/content/0/attachment/contentType").as_deref(), Some("text/plain"));
    assert_eq!(at(&resource, "/docStatus").as_deref(), Some("preliminary"));
    assert_eq!(at(&resource, "/type/coding/0/code").as_deref(), Some("11506-3"));
    for absent in ["/identifier", "/relatesTo", "/category"] {
        assert!(resource.to_value().pointer(absent).is_none(), "{absent}");
    }
    let text = String::from_utf8(attached(&resource)).unwrap();
    assert!(text.starts_with("Replaces the note of 2026-04-01.\n\nIPT session 5\n"), "{text}");
    let first = note.resource(&first(), &shape).unwrap();
    assert!(String::from_utf8(attached(&first)).unwrap().starts_with("IPT session 5\n"));
}

#[cfg(feature = "pdf")]
#[test]
fn for_oracle_a_note_is_a_pdf_with_an_end() {
    let shape = Shape {
        media_type: MediaType::Pdf,
        identifier: false,
        relates_to: false,
        period_end: true,
        ..Shape::default()
    };
    let mut plan = in_treatment();
    for without_end in [false, true] {
        if without_end {
            plan.sessions[0].end = None;
        }
        for note in notes(&plan, &options(Policy::minimum())) {
            let resource = note.resource(&second_of(&note), &shape).unwrap();
            let content_type = at(&resource, "/content/0/attachment/contentType");
            assert_eq!(content_type.as_deref(), Some("application/pdf"));
            let end = at(&resource, "/context/period/end").unwrap();
            assert!(ipt_fhir::date::Instant::parse(&end).is_ok(), "{end}");
            assert!(attached(&resource).starts_with(b"%PDF-"));
            let found = footer_reference(&attached(&resource)).unwrap();
            assert_eq!((found.slot, found.number), (note.slot, 2));
        }
    }
}

#[test]
fn a_note_that_is_too_long_is_another_form_or_an_error() {
    let note = john_lee().remove(0);
    let tight = Shape { characters: Some(2_000), ..Shape::default() };
    let error = note.resource(&first(), &tight).unwrap_err();
    assert_eq!(error.code(), "ipt-note-too-long");
    assert!(error.to_string().contains("takes 2000"), "{error}");
    let wide = Shape { characters: Some(20_000), ..Shape::default() };
    assert!(note.resource(&first(), &wide).is_ok());
    let bytes = Shape { bytes: Some(2_000), ..Shape::default() };
    assert_eq!(note.resource(&first(), &bytes).unwrap_err().code(), "ipt-note-too-long");
    if cfg!(feature = "pdf") {
        let either = Shape { fallback: Some(MediaType::Pdf), ..tight };
        let resource = note.resource(&first(), &either).unwrap();
        assert!(attached(&resource).starts_with(b"%PDF-"));
        let neither = Shape { bytes: Some(2_000), ..either };
        assert_eq!(note.resource(&first(), &neither).unwrap_err().code(), "ipt-note-too-long");
    }
}

#[test]
fn what_a_pdf_cannot_show_falls_back_to_text() {
    let mut plan = in_treatment();
    plan.client.name.text = "王小明".to_owned();
    let note = notes(&plan, &options(Policy::minimum())).remove(0);
    let shape = Shape { media_type: MediaType::Pdf, ..Shape::default() };
    let error = note.resource(&first(), &shape).unwrap_err();
    assert!(matches!(error.code(), "ipt-note-character" | "ipt-note-no-pdf"));
    assert!(!error.to_string().contains('王'));
    let shape = Shape { fallback: Some(MediaType::Text), ..shape };
    let resource = note.resource(&first(), &shape).unwrap();
    assert!(String::from_utf8(attached(&resource)).unwrap().contains("王小明"));
}

#[test]
fn a_digest_follows_what_is_said_and_nothing_else() {
    let note = john_lee().remove(0);
    let digest = note.digest(&second_of(&note));
    assert_eq!(digest.len(), 12);
    assert_eq!(digest, note.digest(&Edition { replaces: None, ..second_of(&note) }));
    assert_ne!(digest, note.digest(&first()), "the version is printed");
    let mut plan = in_treatment();
    plan.goals[0].text.push('!');
    let changed = notes(&plan, &options(Policy::minimum()));
    assert_ne!(digest, changed[0].digest(&second_of(&note)));
    assert_eq!(john_lee()[1].digest(&second_of(&note)), changed[1].digest(&second_of(&note)));
    let full = notes(&plan, &options(Policy::full()));
    assert_eq!(full[0].slot, changed[0].slot);
    assert_ne!(full[0].digest(&second_of(&note)), changed[0].digest(&second_of(&note)));
}

#[test]
fn what_was_recorded_by_mistake_is_taken_back_and_a_draft_is_not_signed() {
    let mut plan = in_treatment();
    plan.sessions[0].status = SessionStatus::EnteredInError;
    let [of_plan, session] = notes(&plan, &options(Policy::minimum())).try_into().unwrap();
    assert!(!of_plan.is_in_error && session.is_in_error);
    let resource = session.resource(&first(), &Shape::default()).unwrap();
    assert_eq!(at(&resource, "/status").as_deref(), Some("entered-in-error"));
    assert_eq!(at(&resource, "/docStatus").as_deref(), Some("entered-in-error"));
    plan.status = PlanStatus::Draft;
    plan.sessions[0].status = SessionStatus::Planned;
    let [of_plan] = notes(&plan, &options(Policy::minimum())).try_into().unwrap();
    let resource = of_plan.resource(&first(), &Shape::default()).unwrap();
    assert_eq!(at(&resource, "/docStatus").as_deref(), Some("preliminary"));
    plan.status = PlanStatus::EnteredInError;
    assert!(notes(&plan, &options(Policy::minimum()))[0].is_in_error);
}

#[test]
fn a_note_with_the_inventory_is_labelled_for_it() {
    let plan = in_treatment();
    let labels = |policy| -> Vec<String> {
        let note = notes(&plan, &options(policy)).remove(0);
        let resource = note.resource(&first(), &Shape::default()).unwrap();
        let security: Vec<_> = resource.get("meta").unwrap().items("security").collect();
        security.iter().map(|label| label.text("code").unwrap().to_owned()).collect()
    };
    assert_eq!(labels(Policy::minimum()), ["R", "MH"]);
    assert_eq!(labels(Policy::full()), ["R", "MH", "PDS"]);
}

#[test]
fn every_resource_is_of_its_part() {
    let mapped = mapping::to_fhir(&record("all-fields.json").plan, &options(Policy::full()));
    let mut seen = std::collections::BTreeSet::new();
    for mapped in &mapped.resources {
        let resource = &mapped.resource;
        let is_answers = resource.resource_type() == "QuestionnaireResponse";
        let has_encounter = resource.get("encounter").is_some();
        let code = at(resource, "/code/coding/0/code");
        let expected = match resource.resource_type() {
            "Patient" | "Practitioner" => Part::Person,
            "Condition" => Part::Diagnosis,
            "Encounter" | "Appointment" | "Procedure" | "Task" | "Flag" => Part::Session,
            "DocumentReference"
                if at(resource, "/type/coding/0/code").as_deref() != Some("56447-6") =>
            {
                Part::Session
            }
            "Observation" if code.as_deref() == Some("goal-progress") => Part::Session,
            "Observation"
                if at(resource, "/category/0/coding/0/code").as_deref() == Some("survey")
                    && has_encounter =>
            {
                Part::Score
            }
            "QuestionnaireResponse" if has_encounter && is_answers => Part::Score,
            _ => Part::Plan,
        };
        assert_eq!(mapped.part, expected, "{}", resource.resource_type());
        seen.insert(mapped.part);
    }
    assert_eq!(seen.len(), 5);
}
