//! W2: what was true when a person linked it, and is not any more. The server lets everything through.

use std::sync::atomic::{AtomicUsize, Ordering};

use ipt_fhir::fhir::Resource;
use ipt_fhir::json;
use ipt_fhir::sandbox::{Behaviour, Running};
use ipt_fhir::sync::{Outcome, PatientFault, Progress, ReferenceFault, Stop};
use ipt_fhir::vendor::{Allow, Encounters, Rung};

use super::super::clinic::{Clinic, patients, resources};
use super::super::practice::Practice;
use super::{id, stop};

/// What people at the EHR do to a Patient, and what comes of it.
const CHANGES: [(&str, &str, PatientFault); 8] = [
    ("active", "false", PatientFault::Inactive),
    (
        "link",
        r#"[{"other":{"reference":"Patient/second"},"type":"replaced-by"}]"#,
        PatientFault::Replaced,
    ),
    ("deceasedBoolean", "true", PatientFault::Deceased),
    ("deceasedDateTime", r#""2026-01-01""#, PatientFault::Deceased),
    ("birthDate", r#""1991-01-01""#, PatientFault::Different),
    ("identifier", r#"[{"system":"urn:x:mrn","value":"4712"}]"#, PatientFault::Different),
    ("identifier", r#"[{"system":"urn:x:other","value":"4711"}]"#, PatientFault::Different),
    ("identifier", "[]", PatientFault::Different),
];

/// The first Patient, changed so.
fn changed(name: &'static str, value: &str) -> Resource {
    let [mut patient, _] = patients();
    patient.object_mut().insert(name, json::parse(value.as_bytes()).unwrap());
    patient
}

#[tokio::test]
async fn w2_a_patient_who_changed_since_the_link_gets_nothing() {
    for has_been_written in [false, true] {
        let clinic = Clinic::open().await;
        if has_been_written {
            assert_eq!(clinic.apply("Grieve").await.outcome(), Outcome::Done);
        }
        let before = clinic.writing_requests();
        for (name, value, fault) in CHANGES {
            clinic.ehr.put(changed(name, value)).unwrap();
            assert_eq!(*stop(&clinic.apply("Mourn").await), Stop::Patient(fault), "{name}");
        }
        clinic.ehr.put(patients()[0].clone()).unwrap();
        assert!(clinic.ehr.merge(&id("Patient/first"), &id("Patient/second")));
        let merged = clinic.apply("Mourn").await;
        assert_eq!(*stop(&merged), Stop::Patient(PatientFault::Inactive));
        clinic.ehr.delete(&id("Patient/first"));
        assert_eq!(*stop(&clinic.apply("Mourn").await), Stop::Patient(PatientFault::Gone));
        assert_eq!(clinic.writing_requests(), before);
    }
}

/// Something that happens at the EHR.
type Event = fn(&Running);

fn merge(ehr: &Running) {
    assert!(ehr.merge(&id("Patient/first"), &id("Patient/second")));
}

fn die(ehr: &Running) {
    ehr.put(changed("deceasedBoolean", "true")).unwrap();
}

fn become_another(ehr: &Running) {
    ehr.put(changed("identifier", r#"[{"system":"urn:x:mrn","value":"4712"}]"#)).unwrap();
}

/// Runs with an event at the n-th moment of one kind; how many writing requests came after it, if it came at all.
async fn with_event(
    clinic: &Clinic,
    event: Event,
    (is_writing, moment): (bool, usize),
) -> Option<(usize, Option<Stop>)> {
    let (seen, at) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let report = clinic
        .apply_watched(resources("Grieve"), &mut |progress| {
            let is_it = match progress {
                Progress::Writing { .. } => is_writing,
                Progress::LookingUp { .. } => !is_writing,
                _ => false,
            };
            if is_it && seen.fetch_add(1, Ordering::Relaxed) + 1 == moment {
                at.store(clinic.writing_requests(), Ordering::Relaxed);
                event(&clinic.ehr);
            }
        })
        .await;
    let at = at.into_inner();
    (at != usize::MAX).then(|| (clinic.writing_requests() - at, report.records[0].stopped.clone()))
}

/// Whatever the moment of a run, no request is sent that the Patient was not asked for; one that is on its way already
/// can't be called back, and the run ends with it.
#[tokio::test]
async fn w2_a_patient_who_changes_in_the_middle_of_a_run_gets_nothing_more() {
    let none = Behaviour::default();
    let transports = [
        none.clone(),
        Behaviour { transactions: false, ..none.clone() },
        Behaviour { transactions: false, batches: false, ..none },
    ];
    let mut stopped = 0;
    for (transport, behaviour) in transports.into_iter().enumerate() {
        for is_writing in [false, true] {
            for moment in 1.. {
                let event = [merge as Event, die, become_another][moment % 3];
                let clinic = Clinic::with(behaviour.clone()).await;
                let happened = with_event(&clinic, event, (is_writing, moment)).await;
                let Some((after, stop)) = happened else { break };
                assert!(after <= usize::from(is_writing), "{transport} {moment}: {after} {stop:?}");
                // The very last look may have had its Patient before.
                let is_seen = matches!(stop, Some(Stop::Patient(_) | Stop::WrongSubject(_)));
                assert!(
                    is_seen || (after == 0 && stop.is_none()),
                    "{transport} {moment}: {stop:?}"
                );
                stopped += usize::from(is_seen);
                let before = clinic.writing_requests();
                let next = clinic.apply("Mourn").await;
                assert!(matches!(super::stop(&next), Stop::Patient(_)), "{next:?}");
                assert_eq!(clinic.writing_requests(), before);
            }
        }
    }
    assert!(stopped > 40, "{stopped}");
}

/// A practice whose notes stand in visits that people linked, and the visits.
async fn practice() -> Practice {
    let behaviour = Behaviour { without: vec!["CarePlan", "Goal"], ..Behaviour::default() };
    let mut practice = Practice::open(behaviour).await;
    practice.allow = Allow {
        rungs: [Rung::Document].into(),
        encounters: Some(Encounters::Link),
        ..Allow::default()
    };
    for (name, start) in [("four", "2026-02-23T15:00:00Z"), ("five", "2026-03-02T15:00:00Z")] {
        practice.ehr.put(visit(name, "john", "finished", start)).unwrap();
    }
    practice.refer("session-4", "Encounter/four");
    practice.refer("session-5", "Encounter/five");
    practice
}

fn visit(id: &str, patient: &str, status: &str, start: &str) -> Resource {
    super::parse(&format!(
        r#"{{"resourceType":"Encounter","id":"{id}","status":"{status}","class":{{"code":"AMB"}},
        "subject":{{"reference":"Patient/{patient}"}},"period":{{"start":"{start}"}}}}"#
    ))
}

const START: &str = "2026-02-23T15:00:00Z";

fn reassign(ehr: &Running) {
    assert!(ehr.reassign(&id("Encounter/four"), &id("Patient/other")));
}

fn cancel(ehr: &Running) {
    ehr.put(visit("four", "john", "cancelled", START)).unwrap();
}

fn mistake(ehr: &Running) {
    ehr.put(visit("four", "john", "entered-in-error", START)).unwrap();
}

fn shift(ehr: &Running) {
    ehr.put(visit("four", "john", "finished", "2026-02-24T15:00:00Z")).unwrap();
}

fn remove(ehr: &Running) {
    ehr.delete(&id("Encounter/four"));
}

const VISITS: [(Event, ReferenceFault); 5] = [
    (reassign, ReferenceFault::OtherSubject),
    (cancel, ReferenceFault::Void),
    (mistake, ReferenceFault::Void),
    (shift, ReferenceFault::Different),
    (remove, ReferenceFault::Gone),
];

#[tokio::test]
async fn w2_a_visit_that_is_not_the_linked_one_any_more_gets_no_note() {
    for has_been_written in [false, true] {
        for (event, fault) in VISITS {
            let mut practice = practice().await;
            if has_been_written {
                let report = practice.apply().await;
                let notes = practice.of_type("DocumentReference");
                assert!(notes.iter().any(|note| note.to_text().contains("Encounter/four")));
                assert_eq!(stop_of(&report), None);
                practice.plan.title.push_str(" (reviewed)");
                for session in &mut practice.plan.sessions {
                    session.start = session.end.clone();
                }
            }
            // What refers to an Encounter can't be deleted over HTTP; people at the EHR can.
            event(&practice.ehr);
            let before = practice.writing_requests();
            let report = practice.apply().await;
            let expected = Some(Stop::Reference(id("Encounter/four"), fault));
            assert_eq!(stop_of(&report), expected, "{has_been_written}");
            assert_eq!(practice.writing_requests(), before);
        }
    }
}

fn stop_of(report: &ipt_fhir::sync::Report) -> Option<Stop> {
    report.records[0].stopped.clone()
}

/// At each moment of a run: before a note goes its visit is read, and one that was on its way is the last.
#[tokio::test]
async fn w2_a_visit_that_changes_in_the_middle_of_a_run_gets_no_further_note() {
    let mut stopped = 0;
    for moment in 1.. {
        let (event, fault) = VISITS[moment % VISITS.len()];
        let practice = practice().await;
        // One after another, so that there is a middle.
        practice.ehr.behave(Behaviour {
            transactions: false,
            batches: false,
            ..practice.ehr.behaviour()
        });
        let seen = AtomicUsize::new(0);
        let at = AtomicUsize::new(usize::MAX);
        let ehr = &practice.ehr;
        let writing = || ehr.log().iter().filter(|logged| logged.method != "GET").count();
        let report = practice
            .apply_watched(&mut |progress| {
                let is_it =
                    matches!(progress, Progress::Writing { .. } | Progress::LookingUp { .. });
                if is_it && seen.fetch_add(1, Ordering::Relaxed) + 1 == moment {
                    at.store(writing(), Ordering::Relaxed);
                    event(ehr);
                }
            })
            .await;
        let at = at.into_inner();
        if at == usize::MAX {
            break;
        }
        let names_it = |note: &Resource| note.to_text().contains("Encounter/four");
        let later: Vec<u64> = ehr
            .resources()
            .iter()
            .filter(|one| names_it(one) && one.resource_type() != "Encounter")
            .flat_map(|one| ehr.versions(&super::super::clinic::id_of(one)))
            .filter_map(|version| version.request)
            .filter(|request| writes_before(ehr, *request) > at)
            .collect();
        assert!(later.is_empty(), "{moment}: written after the visit changed: {later:?}");
        if let Some(stop) = stop_of(&report) {
            assert_eq!(stop, Stop::Reference(id("Encounter/four"), fault));
            stopped += 1;
        }
    }
    assert!(stopped > 2, "{stopped}");
}

/// How many writing requests came before the one of this number.
fn writes_before(ehr: &Running, number: u64) -> usize {
    let log = ehr.log();
    log.iter().filter(|logged| logged.method != "GET" && logged.number < number).count()
}
