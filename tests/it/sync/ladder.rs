//! The ladder at servers that take less, and that learn more.

use ipt_fhir::json::Value;
use ipt_fhir::mapping::note::footer_reference;
use ipt_fhir::sandbox::Behaviour;
use ipt_fhir::sync::Outcome;
use ipt_fhir::vendor::{Allow, Encounters, Rung};

use super::practice::{Practice, all_rungs, rungs};
use crate::support::base64;

/// Encounters are made, as at a platform.
fn platform() -> Allow {
    Allow { encounters: Some(Encounters::Create), ..all_rungs() }
}

fn without(kinds: &[&'static str]) -> Behaviour {
    Behaviour { without: kinds.to_vec(), ..Behaviour::default() }
}

/// The number in a note's footer, and its status.
fn notes(practice: &Practice) -> Vec<(u32, String)> {
    let mut notes: Vec<(u32, String)> = practice
        .of_type("DocumentReference")
        .iter()
        .filter_map(|document| {
            let data = document.items("content").next()?.get("attachment")?.text("data")?;
            let footer = footer_reference(&base64::decoded(data))?;
            Some((footer.number, document.text("status")?.to_owned()))
        })
        .collect();
    notes.sort();
    notes
}

#[tokio::test]
async fn below_structure_nothing_is_sent_unless_it_is_allowed() {
    let mut practice = Practice::open(without(&["CarePlan", "Goal"])).await;
    practice.allow = Allow { encounters: Some(Encounters::Create), ..Allow::default() };
    let report = practice.apply().await;
    assert_eq!(rungs(&report)[0], Rung::Withheld);
    assert_eq!(report.outcome(), Outcome::Partial);
    assert_eq!(notes(&practice), []);
    assert!(report.records[0].placements[0].possible == Rung::Document);
}

#[tokio::test]
async fn a_plan_that_is_not_taken_is_a_note_and_becomes_structure_when_it_is() {
    let mut practice = Practice::open(without(&["CarePlan", "Goal"])).await;
    practice.allow = Allow { rungs: [Rung::Document].into(), ..platform() };
    let planned = practice.preview().await;
    assert_eq!(rungs(&planned)[0], Rung::Document);
    assert_eq!(practice.writing_requests(), 0);
    let report = practice.apply().await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    assert_eq!(notes(&practice), [(1, "current".to_owned())]);
    practice.assert_quiet().await;
    // A word more is another edition in the place of the first.
    practice.plan.title.push_str(" (reviewed)");
    let report = practice.apply().await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    assert_eq!(notes(&practice), [(1, "superseded".to_owned()), (2, "current".to_owned())]);
    let documents = practice.of_type("DocumentReference");
    let newest = documents
        .iter()
        .find(|one| one.text("status") == Some("current") && one.get("relatesTo").is_some());
    assert_eq!(newest.unwrap().items("relatesTo").next().unwrap().text("code"), Some("replaces"));
    practice.assert_quiet().await;
    // A revision that changes no word sends nothing.
    practice.plan.revision = Some(7);
    let before = notes(&practice);
    practice.apply().await;
    assert_eq!(notes(&practice).len(), before.len());
    // The server learns to take plans.
    practice.ehr.behave(Behaviour::default());
    let report = practice.apply().await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    assert_eq!(rungs(&report)[0], Rung::Structure);
    assert!(notes(&practice).iter().all(|(_, status)| status == "superseded"));
    assert_eq!(practice.of_type("CarePlan").len(), 1);
    let goals: usize = practice.plan.goals.iter().map(|goal| 1 + goal.objectives.len()).sum();
    assert_eq!(practice.of_type("Goal").len(), goals);
    let plans: Vec<Value> = practice
        .of_type("DocumentReference")
        .iter()
        .filter(|one| one.text("status") == Some("current"))
        .filter_map(|one| one.items("relatesTo").next()?.get("target").cloned())
        .collect();
    assert_eq!(plans.len(), 1, "the readable document takes the note's place");
    practice.assert_quiet().await;
    // It forgets it again: what is there stays, and no note comes beside it.
    practice.ehr.behave(without(&["CarePlan", "Goal"]));
    let before = practice.writing_requests();
    practice.apply().await;
    assert_eq!(practice.writing_requests(), before);
}
