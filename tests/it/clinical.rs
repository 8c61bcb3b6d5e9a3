//! What a clinician would be misled by: each of these was found by a reader of the output, not by a validator.

use ipt_fhir::fhir::{Bundle, Entry, Resource};
use ipt_fhir::ipt::Plan;
use ipt_fhir::ipt::document;
use ipt_fhir::json::{self, Value};
use ipt_fhir::mapping::{self, Policy, Section};

use crate::mapping::options;
use crate::support::record;

/// The resources of a type in the full mapping of a plan.
fn resources(plan: &Plan, resource_type: &str) -> Vec<Resource> {
    let mapped = mapping::to_fhir(plan, &options(Policy::full()));
    let resources = mapped.resources.into_iter().map(|mapped| mapped.resource);
    resources.filter(|resource| resource.resource_type() == resource_type).collect()
}

/// A fixture with the values at some pointers replaced.
fn changed(name: &str, changes: &[(&str, &str)]) -> Plan {
    let mut source = record(name).source;
    for (pointer, value) in changes {
        *source.pointer_mut(pointer).unwrap() = json::parse(value.as_bytes()).unwrap();
    }
    document::parse(source.to_text().as_bytes()).unwrap().plan
}

#[test]
fn dynamic_interpersonal_therapy_does_not_pass_for_ipt() {
    let mapped = mapping::to_fhir(&record("sara-dit.json").plan, &options(Policy::full()));
    let text = mapped.into_collection().to_text();
    assert!(text.contains("314034001") && !text.contains("443730003"));
    assert!(!text.contains("IPT session") && !text.contains("\"Interpersonal psychotherapy\""));
}

#[test]
fn a_diagnosis_that_was_ruled_out_is_no_reason_and_reads_so() {
    let plan = changed(
        "john-lee-in-treatment.json",
        &[("/diagnoses/0/verificationStatus", "\"refuted\"")],
    );
    for encounter in resources(&plan, "Encounter") {
        assert!(encounter.get("diagnosis").is_none());
        let condition = &resources(&plan, "Condition")[0];
        let urn = condition.identifier(mapping::identity::ITEM_SYSTEM).unwrap();
        let reasons = encounter.get("reasonReference").map(Value::to_text).unwrap_or_default();
        assert!(!reasons.contains(urn));
    }
    assert!(resources(&plan, "ClinicalImpression")[0].get("problem").is_none());
    for resource_type in ["CarePlan", "Condition"] {
        let narrative = resources(&plan, resource_type)[0].get("text").unwrap().to_text();
        assert!(narrative.contains(": refuted"), "{resource_type}");
    }
}

#[test]
fn what_nobody_noted_as_done_is_not_completed() {
    let statuses = |plan: &Plan| -> Vec<String> {
        let care_plan = resources(plan, "CarePlan").remove(0);
        let of = |activity: &Value| activity.get("detail")?.text("status").map(str::to_owned);
        care_plan.items("activity").filter_map(of).collect()
    };
    let name = "john-lee-in-treatment.json";
    let done = record(name).plan.activities.iter().position(|activity| activity.id == "act-6");
    // The first entry is the course.
    let done = done.unwrap() + 1;
    for (status, of_done, of_later) in [
        ("completed", "completed", "unknown"),
        ("on-hold", "completed", "not-started"),
        ("revoked", "completed", "cancelled"),
        ("active", "in-progress", "not-started"),
        ("entered-in-error", "entered-in-error", "entered-in-error"),
    ] {
        let plan = changed(name, &[("/status", &format!("\"{status}\""))]);
        let statuses = statuses(&plan);
        assert_eq!(
            (statuses[done].as_str(), statuses[12].as_str()),
            (of_done, of_later),
            "{status}"
        );
    }
}

#[test]
fn a_flag_ends_with_the_next_judgement_and_begins_with_its_level() {
    let flags = resources(&record("all-fields.json").plan, "Flag");
    let active = flags.iter().filter(|flag| flag.text("status") == Some("active")).count();
    assert!(flags.len() > 2 && active <= 1, "{active} of {} are active", flags.len());
    for flag in &flags {
        let words = flag.get("code").unwrap().text("text").unwrap();
        assert!(
            ["No risk", "Low risk", "Moderate risk", "High risk"]
                .iter()
                .any(|level| words.starts_with(level))
        );
        if flag.text("status") == Some("active") {
            assert!(flag.get("period").unwrap().get("end").is_none());
        }
    }
}

#[test]
fn a_session_that_was_booked_and_then_held_is_read_once() {
    let booked = record("john-lee-in-treatment.json").plan;
    let index =
        booked.sessions.iter().position(|session| session.status.code() == "booked").unwrap();
    let held = changed(
        "john-lee-in-treatment.json",
        &[(&format!("/sessions/{index}/status"), "\"completed\"")],
    );
    let both = [&held, &booked]
        .into_iter()
        .flat_map(|plan| mapping::to_fhir(plan, &options(Policy::full())).resources);
    let mut entries: Vec<Entry> = Vec::new();
    for mapped in both {
        let url = mapping::identity::urn(mapped.item);
        if !entries.iter().any(|entry| entry.full_url.as_ref() == Some(&url)) {
            entries.push(Entry {
                full_url: Some(url),
                resource: Some(mapped.resource),
                ..Entry::default()
            });
        }
    }
    let read = mapping::from_fhir(&Bundle::new("collection", entries), None).unwrap();
    assert_eq!(read.plan.sessions.len(), held.sessions.len());
    assert_eq!(read.plan.sessions[index].status.code(), "completed");
    assert_eq!(read.issues.len(), 1, "the Appointment is named");
}

#[test]
fn a_plan_entered_in_error_asserts_nothing() {
    let plan = changed("john-lee-in-treatment.json", &[("/status", "\"entered-in-error\"")]);
    for resource_type in ["CarePlan", "CareTeam", "ClinicalImpression"] {
        let status = resources(&plan, resource_type)[0].text("status").map(str::to_owned);
        assert_eq!(status.as_deref(), Some("entered-in-error"), "{resource_type}");
    }
    let focus = &resources(&plan, "Observation")[1];
    assert_eq!(focus.text("status"), Some("entered-in-error"));
}

#[test]
fn related_persons_alone_tell_nothing_of_those_who_do_not_take_part() {
    let document = record("all-fields.json");
    let policy = Policy::minimum().grant(Section::RelatedPersons);
    let mapped = mapping::to_fhir(&document.plan, &options(policy));
    let text = mapped.into_collection().to_text();
    let mut others = 0;
    for person in document.plan.inventory.iter().filter(|person| person.participates != Some(true))
    {
        others += 1;
        assert!(!text.contains(&format!("\"{}\"", person.id)));
    }
    assert!(others > 0);
}

#[test]
fn a_consent_tells_no_purpose_that_nobody_gave() {
    for consent in resources(&record("all-fields.json").plan, "Consent") {
        let provision = consent.get("provision");
        let is_treatment = consent.get("category").unwrap().to_text().contains("\"treatment\"");
        assert_eq!(provision.is_some_and(|rule| rule.get("purpose").is_some()), is_treatment);
    }
}

#[test]
fn a_flood_of_faults_is_cut_and_counted() {
    let bad: Vec<String> = (0..3_000).map(|_| "\" \"".to_owned()).collect();
    let mut source = record("john-lee.json").source;
    let monitoring = format!("[{}]", bad.join(","));
    *source.pointer_mut("/monitoring").unwrap() = json::parse(monitoring.as_bytes()).unwrap();
    let error = document::parse(source.to_text().as_bytes()).unwrap_err();
    assert_eq!(error.issues().len(), 201);
    assert_eq!(error.issues()[200].code, "ipt-plan-more-issues");
    assert!(error.issues()[200].is_error());
}
