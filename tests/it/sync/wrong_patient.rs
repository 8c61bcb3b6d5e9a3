//! The wrong patient (W2 to W6, reliability-and-security.md 3), each on a server that does its worst. W1 is where links
//! are made: `cli/wrong_patient.rs`.

mod answer;
mod reference;
mod since;
mod two;

use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::store::{Ledger, Link, Store, digest};
use ipt_fhir::sync::{Record, Report, Stop, patient_marks};
use uuid::Uuid;

use super::clinic::{Clinic, parse, patients, resources};

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

/// Why the only record of a report was stopped.
fn stop(report: &Report) -> &Stop {
    report.records[0].stopped.as_ref().unwrap_or_else(|| panic!("{report:?}"))
}

/// A resource of the other Patient, under this id.
pub(crate) fn of_second(resource_type: &str, id: &str) -> Resource {
    parse(&format!(
        r#"{{"resourceType":"{resource_type}","id":"{id}","subject":{{"reference":"Patient/second"}}}}"#
    ))
}

async fn ledger(clinic: &Clinic) -> Ledger {
    clinic.store().await.ledger("clinic", &digest("the plan")).await.unwrap()
}

/// The made-up record as that of another client: other items, the same words.
pub(crate) fn resources_of_second(goal: &str) -> Vec<(Uuid, Resource)> {
    let theirs = |text: &str| text.replace("00000000-0000-8000-", "00000000-0000-8001-");
    let resources = resources(goal).into_iter();
    let of_second = resources.map(|(uuid, resource)| {
        (theirs(&uuid.to_string()).parse().unwrap(), parse(&theirs(&resource.to_text())))
    });
    of_second.collect()
}

/// The second client's record, linked to the second Patient.
pub(crate) async fn second_record(clinic: &Clinic, store: &Store, goal: &str) -> Record {
    let resources = resources_of_second(goal);
    let first = clinic.record(store, goal).await.link;
    let link = Link {
        plan: digest("the second plan"),
        patient: id("Patient/second"),
        patient_marks: patient_marks(&patients()[1]),
        ..first
    };
    store.link(&link).await.unwrap();
    Record::of_resources(link.clone(), link.plan.clone(), resources)
}
