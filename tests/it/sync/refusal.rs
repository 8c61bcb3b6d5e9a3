//! What stops a record, or the whole run, before anything is written.

use ipt_fhir::json::{Value, parse};
use ipt_fhir::sandbox::{Behaviour, Fault, Ids};
use ipt_fhir::store::Error;
use ipt_fhir::sync::{Conflict, Failure, ItemState, Outcome, PatientFault, Stop, apply};

use super::clinic::{
    CARE_PLAN, CONDITION, Clinic, GOAL, OBJECTIVE, TASK, item, patients, quiet, resources, uuid,
};
use crate::store::moment;

fn stop(report: &ipt_fhir::sync::Report) -> &Stop {
    report.records[0].stopped.as_ref().unwrap_or_else(|| panic!("{report:?}"))
}

#[tokio::test]
async fn a_patient_who_is_not_the_one_linked_any_more_gets_nothing() {
    let clinic = Clinic::open().await;
    for (name, value, fault) in [
        ("active", "false", PatientFault::Inactive),
        (
            "link",
            r#"[{"other":{"reference":"Patient/second"},"type":"replaced-by"}]"#,
            PatientFault::Replaced,
        ),
        ("deceasedDateTime", r#""2026-01-01""#, PatientFault::Deceased),
        ("birthDate", r#""1991-01-01""#, PatientFault::Different),
        ("identifier", r#"[{"system":"urn:x:mrn","value":"4712"}]"#, PatientFault::Different),
    ] {
        let [mut patient, _] = patients();
        patient.object_mut().insert(name, parse(value.as_bytes()).unwrap());
        clinic.ehr.put(patient).unwrap();
        let report = clinic.apply("Grieve").await;
        assert_eq!(*stop(&report), Stop::Patient(fault));
        assert_eq!(report.outcome().exit_code(), 8);
    }
    clinic.ehr.delete(&"Patient/first".parse().unwrap());
    assert_eq!(*stop(&clinic.apply("Grieve").await), Stop::Patient(PatientFault::Gone));
    assert_eq!(clinic.writing_requests(), 0);
}

#[tokio::test]
async fn a_patient_with_one_more_identifier_is_the_same() {
    let clinic = Clinic::open().await;
    let [mut patient, _] = patients();
    let more = r#"[{"system":"urn:x:other","value":"1"},{"system":"urn:x:mrn","value":"4711"}]"#;
    patient.object_mut().insert("identifier", parse(more.as_bytes()).unwrap());
    clinic.ehr.put(patient).unwrap();
    assert_eq!(clinic.apply("Grieve").await.outcome(), Outcome::Done);
}

#[tokio::test]
async fn a_resource_about_somebody_else_is_never_sent() {
    for (number, pointer, value) in [
        (GOAL, "/subject/reference", "Patient/second"),
        (CARE_PLAN, "/goal/0/reference", "Goal/17"),
        (CARE_PLAN, "/goal/0/reference", "urn:uuid:00000000-0000-0000-0000-000000000001"),
        (CARE_PLAN, "/goal/0/reference", "https://elsewhere.invalid/Goal/17"),
        (TASK, "/for/reference", "Patient/second"),
        (TASK, "/basedOn/0/reference", "CarePlan?identifier=x"),
    ] {
        let clinic = Clinic::open().await;
        let mut wrong = resources("Grieve");
        let (_, resource) = wrong.iter_mut().find(|(item, _)| *item == uuid(number)).unwrap();
        let mut tree = resource.to_value();
        *tree.pointer_mut(pointer).unwrap() = Value::String(value.to_owned());
        *resource = ipt_fhir::fhir::Resource::from_value(tree).unwrap();
        let report = clinic.apply_watched(wrong, &mut quiet()).await;
        assert!(matches!(stop(&report), Stop::ForeignReference { .. }), "{value}: {report:?}");
        assert_eq!(clinic.writing_requests(), 0);
    }
}

#[tokio::test]
async fn a_resource_of_ours_that_came_to_be_about_somebody_else_ends_the_run() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    clinic.edit(GOAL, "subject", r#"{"reference":"Patient/second"}"#);
    let before = clinic.writing_requests();
    let report = clinic.apply("Mourn").await;
    assert_eq!(*stop(&report), Stop::WrongSubject(clinic.id(GOAL)));
    assert_eq!(clinic.writing_requests(), before);
}

#[tokio::test]
async fn another_record_in_the_file_or_another_server_behind_the_name_is_refused() {
    let clinic = Clinic::open().await;
    let (store, client) = (clinic.store().await, clinic.client());
    let record = clinic.record(&store, "Grieve").await;
    let mut other = record.clone();
    other.plan = "another".into();
    let mut moved = record.clone();
    moved.link.base_url = "http://127.0.0.1:1/fhir".into();
    let mut nameless = record.clone();
    for (_, resource) in &mut nameless.resources {
        resource.object_mut().remove("identifier");
    }
    let records = [other, moved, nameless];
    let way = clinic.way(&store, &client, &moment);
    let report = apply(&way, &records, &mut quiet()).await.unwrap();
    let stops: Vec<_> =
        report.records.iter().map(|record| record.stopped.clone().unwrap()).collect();
    assert_eq!(stops[..2], [Stop::OtherRecord, Stop::OtherServer]);
    assert!(matches!(stops[2], Stop::NoIdentifier { .. }), "{stops:?}");
    assert_eq!(clinic.writing_requests(), 0);
}

#[tokio::test]
async fn a_record_that_became_another_clients_is_refused() {
    let clinic = Clinic::open().await;
    let (store, client) = (clinic.store().await, clinic.client());
    let record = clinic.record(&store, "Grieve").await;
    let way = clinic.way(&store, &client, &moment);
    for (name, value) in [
        ("name", r#"[{"text":"Sara Dit"}]"#),
        ("birthDate", r#""1991-01-01""#),
        ("identifier", r#"[{"system":"urn:x:mrn","value":"4712"}]"#),
    ] {
        let mut made_over = record.clone();
        let (_, patient) = &mut made_over.resources[0];
        patient.object_mut().insert(name, parse(value.as_bytes()).unwrap());
        let report = apply(&way, &[made_over], &mut quiet()).await.unwrap();
        assert_eq!(*stop(&report), Stop::OtherClient, "{name}");
        assert_eq!(report.outcome().exit_code(), 8);
    }
    assert_eq!(clinic.writing_requests(), 0);
}

#[tokio::test]
async fn a_link_that_was_corrected_meanwhile_stops_the_record() {
    let clinic = Clinic::open().await;
    let (store, client) = (clinic.store().await, clinic.client());
    let record = clinic.record(&store, "Grieve").await;
    let mut corrected = record.link.clone();
    corrected.patient = "Patient/second".parse().unwrap();
    store.link(&corrected).await.unwrap();
    let report =
        apply(&clinic.way(&store, &client, &moment), &[record], &mut quiet()).await.unwrap();
    assert_eq!(*stop(&report), Stop::LinkChanged);
    assert_eq!(report.outcome().exit_code(), 8);
    assert_eq!(clinic.writing_requests(), 0);
}

#[tokio::test]
async fn a_changed_namespace_does_not_double_a_plan() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let renamed: Vec<_> = resources("Grieve")
        .into_iter()
        .map(|(item, resource)| {
            let text = resource.to_text().replace("-8000-", "-9000-");
            let item = item.to_string().replace("-8000-", "-9000-").parse().unwrap();
            (item, super::clinic::parse(&text))
        })
        .collect();
    let report = clinic.apply_watched(renamed, &mut quiet()).await;
    assert_eq!(*stop(&report), Stop::IdentityChanged);
    clinic.assert_complete("Grieve");
}

#[tokio::test]
async fn a_second_copy_stops_the_plan_with_both_ids() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let mut copy = clinic.one(GOAL);
    copy.object_mut().remove("id");
    let second = clinic.ehr.put(copy).unwrap();
    let before = clinic.writing_requests();
    let report = clinic.apply("Mourn").await;
    let ItemState::Conflict(Conflict::Duplicates(ids)) = &item(&report, GOAL).state else {
        panic!("{report:?}")
    };
    assert!(ids.len() == 2 && ids.contains(&second), "{ids:?}");
    assert_eq!(report.outcome(), Outcome::Conflicts);
    assert_eq!(clinic.writing_requests(), before, "nothing of the plan is written");
}

#[tokio::test]
async fn what_waits_for_a_person_is_said_to_wait_and_not_to_be_done() {
    let clinic = Clinic::open().await;
    let (_, mut objective) = resources("Grieve").swap_remove(4);
    objective.object_mut().insert("subject", parse(br#"{"reference":"Patient/first"}"#).unwrap());
    let copies = [clinic.ehr.put(objective.clone()).unwrap(), clinic.ehr.put(objective).unwrap()];
    let report = clinic.apply("Grieve").await;
    let ItemState::Conflict(Conflict::Duplicates(ids)) = &item(&report, OBJECTIVE).state else {
        panic!("{report:?}")
    };
    assert!(copies.iter().all(|copy| ids.contains(copy)));
    // The goal refers to it; the condition does not, and waits all the same.
    for number in [GOAL, CONDITION] {
        let state = &item(&report, number).state;
        assert_eq!(*state, ItemState::BlockedBy(uuid(OBJECTIVE)), "{number}");
    }
    assert_eq!(report.outcome(), Outcome::Conflicts, "{report:?}");
    assert_eq!(clinic.writing_requests(), 0);
}

#[tokio::test]
async fn what_a_run_did_not_come_to_is_not_said_to_be_done() {
    let clinic = Clinic::open().await;
    clinic.ehr.faults().next("POST", Fault::RefuseBefore(401));
    let report = clinic.apply("Grieve").await;
    let not_tried = ItemState::Failed(Failure::NotTried);
    assert!(report.items().all(|item| item.state == not_tried), "{report:?}");
}

#[tokio::test]
async fn a_server_restored_empty_that_hands_out_the_same_ids_is_refused() {
    for with_others in [false, true] {
        let behaviour = Behaviour { ids: Ids::Counting, ..Behaviour::default() };
        let clinic = Clinic::with(behaviour).await;
        clinic.apply("Grieve").await;
        clinic.ehr.wipe();
        for patient in patients() {
            clinic.ehr.put(patient).unwrap();
        }
        if with_others {
            // Another clinic's plan got the ids that ours had.
            let other: Vec<_> = resources("Stranger")
                .into_iter()
                .map(|(item, resource)| {
                    let text = resource.to_text().replace("-8000-", "-9000-");
                    let item = item.to_string().replace("-8000-", "-9000-").parse().unwrap();
                    (item, super::clinic::parse(&text))
                })
                .collect();
            let elsewhere = tempfile::tempdir().unwrap();
            let store = ipt_fhir::store::Store::open(&elsewhere.path().join("s")).await.unwrap();
            let client = clinic.client();
            let record = clinic.record_of(&store, other).await;
            let way = clinic.way(&store, &client, &moment);
            let report = apply(&way, &[record], &mut quiet()).await.unwrap();
            assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
        }
        let (before, held) = (clinic.writing_requests(), clinic.ehr.resources());
        let report = clinic.apply("Mourn").await;
        match stop(&report) {
            Stop::AllGone => assert!(!with_others),
            Stop::Restored(_) => assert!(with_others),
            other => panic!("{other:?}"),
        }
        assert_eq!(report.outcome().exit_code(), 8);
        assert_eq!(clinic.writing_requests(), before);
        assert_eq!(clinic.ehr.resources(), held);
    }
}

#[tokio::test]
async fn a_second_process_is_turned_away() {
    let clinic = Clinic::open().await;
    let (store, client) = (clinic.store().await, clinic.client());
    let record = clinic.record(&store, "Grieve").await;
    let other = clinic.store().await;
    let _writer = other.writer("clinic").await.unwrap();
    let way = clinic.way(&store, &client, &moment);
    let records = [record];
    assert_eq!(apply(&way, &records, &mut quiet()).await.unwrap_err(), Error::Locked);
    assert_eq!(clinic.writing_requests(), 0);
}

#[tokio::test]
async fn a_server_that_is_away_ends_the_run_and_costs_nothing() {
    let clinic = Clinic::open().await;
    let (store, client) = (clinic.store().await, clinic.client());
    let record = clinic.record(&store, "Grieve").await;
    for number in 1..100 {
        clinic.ehr.faults().at(number, Fault::DropBefore);
    }
    let records = [record.clone(), record];
    let report =
        apply(&clinic.way(&store, &client, &moment), &records, &mut quiet()).await.unwrap();
    assert!(matches!(stop(&report), Stop::Server(_)), "{report:?}");
    assert_eq!(report.records[1].stopped, Some(Stop::NotTried));
    assert_eq!(report.outcome(), Outcome::Failed);
}

#[tokio::test]
async fn an_entry_that_the_server_refuses_does_not_hold_up_the_others() {
    let clinic = Clinic::open().await;
    let mut wrong = resources("Grieve");
    let (_, task) = wrong.iter_mut().find(|(item, _)| *item == uuid(TASK)).unwrap();
    // An id of a Practitioner that is not there: refused by referential integrity.
    task.object_mut().insert("owner", parse(br#"{"reference":"Practitioner/none"}"#).unwrap());
    let (store, client) = (clinic.store().await, clinic.client());
    let mut record = clinic.record_of(&store, wrong).await;
    record.link.practitioner = Some("Practitioner/none".parse().unwrap());
    store.link(&record.link).await.unwrap();
    let way = clinic.way(&store, &client, &moment);
    let report = apply(&way, &[record], &mut quiet()).await.unwrap();
    // The plan's author is the same Practitioner; the task is part of the plan.
    assert!(matches!(item(&report, CARE_PLAN).state, ItemState::Failed(_)), "{report:?}");
    assert_eq!(item(&report, TASK).state, ItemState::BlockedBy(uuid(CARE_PLAN)));
    assert_eq!(item(&report, GOAL).state, ItemState::InSync);
    assert_eq!(report.outcome(), Outcome::Partial);
}
