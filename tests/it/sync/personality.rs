//! The ladder at the vendors' servers, as the sandbox plays them: plan, apply, apply again, change, apply, and what the
//! chart holds in the end.

use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::mapping::note::footer_reference;
use ipt_fhir::sandbox::{Behaviour, Personality};
use ipt_fhir::store::HandOffState;
use ipt_fhir::sync::{ItemState, Outcome, Package, Report};
use ipt_fhir::vendor::{Allow, Encounters, Kind, Rung};

use super::clinic::parse;
use super::practice::{Practice, all_rungs, rungs};

/// A practice at a vendor's server, its visits there and linked.
async fn at(personality: Personality) -> Practice {
    let mut practice = Practice::open(Behaviour::of(personality)).await;
    practice.pack = personality.pack();
    with_visits(&mut practice);
    practice
}

/// The visits of the plan's sessions, there and linked.
pub(crate) fn with_visits(practice: &mut Practice) {
    for session in practice.plan.sessions.clone() {
        let Some(start) = &session.start else { continue };
        let visit = format!("visit-{}", session.number);
        let start = start.as_str();
        let encounter = parse(&format!(
            r#"{{"resourceType":"Encounter","id":"{visit}","status":"finished",
            "class":{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}},
            "subject":{{"reference":"Patient/john"}},"period":{{"start":"{start}","end":"{start}"}}}}"#
        ));
        practice.ehr.put(encounter).unwrap();
        practice.refer(&session.id, &format!("Encounter/{visit}"));
    }
}

/// The notes of the chart: what they are about, their number and status, and their text as far as it can be read.
fn notes(practice: &Practice) -> Vec<Note> {
    let read = |document: &Resource| {
        let bytes = practice.ehr.attachment(document)?;
        let footer = footer_reference(&bytes)?;
        Some(Note {
            slot: footer.slot.to_string(),
            number: footer.number,
            status: document.text("status").unwrap_or_default().to_owned(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    };
    let mut notes: Vec<Note> =
        practice.of_type("DocumentReference").iter().filter_map(read).collect();
    notes.sort();
    notes
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    slot: String,
    number: u32,
    status: String,
    text: String,
}

/// The notes of the plan.
fn of_plan(practice: &Practice) -> Vec<Note> {
    let slot =
        ipt_fhir::mapping::note::notes(&practice.plan, &practice.options)[0].slot.to_string();
    notes(practice).into_iter().filter(|note| note.slot == slot).collect()
}

fn assert_done(report: &Report) {
    assert_eq!(report.outcome(), Outcome::Done, "{report:#?}");
}

#[tokio::test]
async fn epic_gets_one_note_for_each_version_and_each_names_the_one_before() {
    let mut practice = at(Personality::Epic).await;
    let planned = practice.preview().await;
    assert_eq!(rungs(&planned), [Rung::Document; 4]);
    assert!(planned.items().all(|item| item.state == ItemState::ToCreate), "{planned:?}");
    assert_eq!(practice.writing_requests(), 0);
    assert_done(&practice.apply().await);
    let all = ipt_fhir::mapping::note::notes(&practice.plan, &practice.options).len();
    let first = notes(&practice);
    assert_eq!(first.len(), all, "{first:?}");
    practice.assert_quiet().await;
    // What changes in the plan changes its note alone.
    for version in 2..=3 {
        practice.plan.title.push_str(" (reviewed)");
        assert_done(&practice.apply().await);
        practice.assert_quiet().await;
        let versions = of_plan(&practice);
        let numbers: Vec<u32> = versions.iter().map(|note| note.number).collect();
        assert_eq!(numbers, (1..=version).collect::<Vec<_>>());
        let newest = versions.last().unwrap();
        assert!(newest.text.starts_with("Replaces the note of "), "{}", newest.text);
    }
    assert_eq!(notes(&practice).len(), all + 2);
    assert!(practice.of_type("CarePlan").is_empty());
    // A lost ledger doubles nothing: the notes are known by their footers.
    std::fs::remove_dir_all(practice.directory.path().join("store")).unwrap();
    let before = practice.writing_requests();
    let report = practice.apply().await;
    assert_done(&report);
    assert_eq!(practice.writing_requests(), before, "{report:?}");
    practice.assert_quiet().await;
}

#[tokio::test]
async fn epic_takes_a_diagnosis_only_if_it_is_asked_for_and_holds_it_back() {
    let mut practice = at(Personality::Epic).await;
    practice.allow = Allow { opt_in: [Kind::Diagnosis].into(), ..all_rungs() };
    let report = practice.apply().await;
    assert_eq!(rungs(&report)[2], Rung::Structure);
    assert_eq!(practice.ehr.held().len(), practice.plan.diagnoses.len(), "{report:#?}");
    let again = practice.assert_quiet().await;
    assert_eq!(practice.ehr.held().len(), practice.plan.diagnoses.len(), "{again:#?}");
}

#[tokio::test]
async fn a_note_without_its_visit_waits_for_a_person() {
    let mut practice = at(Personality::Epic).await;
    practice.references.clear();
    let report = practice.apply().await;
    assert_eq!(report.outcome(), Outcome::Conflicts);
    assert!(report.items().all(|item| matches!(item.state, ItemState::Needs(_))), "{report:?}");
    assert_eq!(practice.writing_requests(), 0);
}

#[tokio::test]
async fn oracle_gets_one_document_that_is_updated_in_place() {
    let mut practice = at(Personality::Oracle).await;
    let report = practice.apply().await;
    assert_done(&report);
    assert_eq!(rungs(&report), [Rung::Document, Rung::Document, Rung::Structure, Rung::Document]);
    assert_eq!(practice.of_type("Condition").len(), practice.plan.diagnoses.len());
    let first = notes(&practice);
    practice.assert_quiet().await;
    practice.plan.title.push_str(" (reviewed)");
    assert_done(&practice.apply().await);
    let second = notes(&practice);
    assert_eq!(second.len(), first.len());
    assert_eq!(of_plan(&practice).iter().map(|note| note.number).collect::<Vec<_>>(), [2]);
    assert!(second.iter().all(|note| note.text.starts_with("%PDF-")));
    practice.assert_quiet().await;
    // A diagnosis changes in place, too.
    practice.plan.diagnoses[0].text.push_str(", in part remitted");
    assert_done(&practice.apply().await);
    assert_eq!(practice.of_type("Condition").len(), practice.plan.diagnoses.len());
    practice.assert_quiet().await;
    // A lost ledger doubles no note.
    std::fs::remove_dir_all(practice.directory.path().join("store")).unwrap();
    practice.apply().await;
    assert_eq!(notes(&practice).len(), first.len());
}

#[tokio::test]
async fn every_personality_comes_to_rest_with_nothing_twice() {
    for personality in Personality::ALL {
        let mut practice = at(personality).await;
        let name = personality.name();
        let planned = practice.preview().await;
        assert_eq!(practice.writing_requests(), 0, "{name}");
        let report = practice.apply().await;
        assert_eq!(report.outcome(), Outcome::Done, "{name} {report:#?}");
        assert_eq!(rungs(&planned), rungs(&report), "{name}");
        let mut first = practice.counts();
        first.remove("Binary");
        practice.assert_quiet().await;
        practice.plan.title.push_str(" (reviewed)");
        let changed = practice.apply().await;
        assert_eq!(changed.outcome(), Outcome::Done, "{name} {changed:#?}");
        practice.assert_quiet().await;
        let mut second = practice.counts();
        // A note more where none can be replaced.
        let more = second.get("DocumentReference").copied().unwrap_or_default()
            - first.get("DocumentReference").copied().unwrap_or_default();
        assert!(more <= 1, "{name} {first:?} {second:?}");
        if more == 1 {
            *second.get_mut("DocumentReference").unwrap() -= 1;
        }
        second.remove("Binary");
        assert_eq!(first, second, "{name}");
        let is_handed_off = rungs(&report).contains(&Rung::HandOff);
        let made = matches!(report.records[0].package, Some(Package::Made(_)));
        assert_eq!(made, is_handed_off, "{name}");
    }
}

#[tokio::test]
async fn a_note_in_a_visit_that_was_the_wrong_one_is_written_anew_in_the_right_one() {
    let mut practice = at(Personality::Epic).await;
    assert_done(&practice.apply().await);
    let before = notes(&practice).len();
    let wrong: ResourceId = "Encounter/visit-5".parse().unwrap();
    let mut right = practice.ehr.get(&wrong).unwrap();
    right.object_mut().put("id", "visit-right");
    practice.ehr.put(right).unwrap();
    practice.references.retain(|one| one.target != wrong);
    practice.refer("session-5", "Encounter/visit-right");
    assert_done(&practice.apply().await);
    assert_eq!(notes(&practice).len(), before + 1);
    let documents = practice.of_type("DocumentReference");
    let in_right = |one: &&Resource| one.to_text().contains("Encounter/visit-right");
    let moved: Vec<&Resource> = documents.iter().filter(in_right).collect();
    assert_eq!(moved.len(), 1);
    let words = practice.ehr.attachment(moved[0]).unwrap();
    assert!(words.starts_with(b"Replaces the note of "));
    practice.assert_quiet().await;
}

#[tokio::test]
async fn a_package_that_waits_is_called_back_when_the_ehr_takes_the_record_itself() {
    let mut practice = at(Personality::Ecw).await;
    let report = practice.apply().await;
    assert!(matches!(report.records[0].package, Some(Package::Made(_))), "{report:?}");
    practice.pack = None;
    practice.allow.encounters = Some(Encounters::Create);
    practice.ehr.behave(Behaviour::default());
    assert_done(&practice.apply().await);
    let packages = practice.store().await.hand_offs(None).await.unwrap();
    let states: Vec<HandOffState> = packages.iter().map(|package| package.state).collect();
    assert_eq!(states, [HandOffState::Superseded]);
}
