//! Edits made in the EHR: shown, and never overwritten.

use ipt_fhir::sandbox::Fault;
use ipt_fhir::sync::{Conflict, Done, ItemState, Outcome, Progress};

use super::clinic::{CARE_PLAN, Clinic, GOAL, TASK, item, resources, uuid};

fn paths(state: &ItemState) -> Vec<&str> {
    match state {
        ItemState::RemoteChanged(changes) => changes.iter().map(|one| one.path.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_edit_in_the_ehr_alone_is_shown() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    clinic.edit(GOAL, "lifecycleStatus", r#""on-hold""#);
    let before = clinic.writing_requests();
    for report in [clinic.plan("Grieve").await, clinic.apply("Grieve").await] {
        assert_eq!(paths(&item(&report, GOAL).state), ["Goal.lifecycleStatus"]);
        assert_eq!(report.outcome(), Outcome::Done);
    }
    assert_eq!(clinic.writing_requests(), before);
}

#[tokio::test]
async fn an_edit_of_the_narrative_alone_is_shown() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    clinic.edit(
        CARE_PLAN,
        "text",
        r#"{"status":"generated","div":"<div>Call the ward first</div>"}"#,
    );
    let report = clinic.apply("Grieve").await;
    assert_eq!(paths(&item(&report, CARE_PLAN).state), ["CarePlan.text"]);
}

#[tokio::test]
async fn edits_on_both_sides_are_a_conflict_and_nothing_is_written_to_it() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    clinic.edit(GOAL, "lifecycleStatus", r#""on-hold""#);
    let report = clinic.apply("Mourn").await;
    let ItemState::Conflict(Conflict::BothChanged { ours, theirs }) = &item(&report, GOAL).state
    else {
        panic!("{report:?}")
    };
    assert_eq!((ours[0].path.as_str(), ours.len()), ("Goal.description.text", 1));
    assert_eq!((theirs[0].path.as_str(), theirs.len()), ("Goal.lifecycleStatus", 1));
    assert_eq!(report.outcome(), Outcome::Conflicts);
    assert_eq!(report.outcome().exit_code(), 5);
    assert_eq!(clinic.one(GOAL).text("lifecycleStatus"), Some("on-hold"));
    assert_eq!(item(&report, CARE_PLAN).done, Some(Done::Updated), "the rest is written");
    let again = clinic.apply("Mourn").await;
    assert!(matches!(item(&again, GOAL).state, ItemState::Conflict(_)), "it stays");
}

#[tokio::test]
async fn a_version_that_moved_without_words_is_no_edit() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    clinic.edit(TASK, "meta", r#"{"source":"urn:x:nightly-job"}"#);
    assert_eq!(clinic.one(TASK).version_id(), Some("2"));
    clinic.assert_quiet("Grieve").await;
    let report = clinic.apply("Mourn").await;
    assert_eq!(report.outcome(), Outcome::Done);
}

/// Edits the goal in the EHR after the n-th write and before it is read back.
async fn apply_with_edit_behind(clinic: &Clinic, goal: &str) -> ipt_fhir::sync::Report {
    let mut has_written = false;
    let mut has_edited = false;
    clinic
        .apply_watched(resources(goal), &mut |progress| match progress {
            Progress::Writing { .. } => has_written = true,
            Progress::LookingUp { .. } if has_written && !has_edited => {
                has_edited = true;
                clinic.edit(GOAL, "lifecycleStatus", r#""on-hold""#);
            }
            _ => {}
        })
        .await
}

#[tokio::test]
async fn an_edit_between_our_create_and_our_reading_back_is_shown() {
    for loses_answer in [false, true] {
        let clinic = Clinic::open().await;
        if loses_answer {
            clinic.ehr.faults().next("POST", Fault::LoseAnswerAfterApply);
        }
        let report = apply_with_edit_behind(&clinic, "Grieve").await;
        assert_eq!(paths(&item(&report, GOAL).state), ["Goal.lifecycleStatus"], "{loses_answer}");
        assert_eq!(item(&report, GOAL).done, Some(Done::Created));
        let later = clinic.apply("Mourn").await;
        assert!(matches!(item(&later, GOAL).state, ItemState::Conflict(_)), "{later:?}");
        assert_eq!(clinic.one(GOAL).text("lifecycleStatus"), Some("on-hold"));
    }
}

#[tokio::test]
async fn an_edit_between_our_update_and_our_reading_back_is_shown() {
    for loses_answer in [false, true] {
        let clinic = Clinic::open().await;
        clinic.apply("Grieve").await;
        if loses_answer {
            // The plan is updated first, then the goal.
            clinic.ehr.faults().next("PUT", Fault::LoseAnswerAfterApply);
            clinic.ehr.faults().next("PUT", Fault::LoseAnswerAfterApply);
        }
        let report = apply_with_edit_behind(&clinic, "Mourn").await;
        assert_eq!(paths(&item(&report, GOAL).state), ["Goal.lifecycleStatus"], "{loses_answer}");
        assert_eq!(item(&report, GOAL).done, Some(Done::Updated));
        let goal = clinic.one(GOAL);
        assert_eq!(goal.text("lifecycleStatus"), Some("on-hold"));
        assert_eq!(goal.get("description").unwrap().text("text"), Some("Mourn"));
    }
}

#[tokio::test]
async fn an_edit_between_our_look_and_our_update_is_a_conflict() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let mut looked = false;
    let report = clinic
        .apply_watched(resources("Mourn"), &mut |progress| match progress {
            Progress::LookingUp { resource_type } if resource_type == "Task" && !looked => {
                looked = true;
                clinic.edit(GOAL, "lifecycleStatus", r#""on-hold""#);
            }
            _ => {}
        })
        .await;
    assert!(matches!(item(&report, GOAL).state, ItemState::Conflict(_)), "{report:?}");
    assert_eq!(clinic.one(GOAL).text("lifecycleStatus"), Some("on-hold"));
}

#[tokio::test]
async fn a_lost_ledger_is_made_anew_from_the_ehr() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    clinic.apply("Mourn").await;
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    let before = clinic.writing_requests();
    let report = clinic.apply("Mourn").await;
    assert!(report.items().all(|item| item.done == Some(Done::Adopted)), "{report:?}");
    assert!(report.items().all(|item| item.state == ItemState::InSync), "{report:?}");
    assert_eq!(clinic.writing_requests(), before);
    clinic.assert_quiet("Mourn").await;
}

#[tokio::test]
async fn an_edit_made_while_the_ledger_was_lost_is_shown_and_not_overwritten() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    clinic.edit(GOAL, "lifecycleStatus", r#""on-hold""#);
    let report = clinic.apply("Grieve").await;
    assert_eq!(paths(&item(&report, GOAL).state), ["Goal.lifecycleStatus"]);
    assert_eq!(item(&report, GOAL).done, Some(Done::Adopted));
    // And the same if the record changed meanwhile, too: then it is a conflict.
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    let report = clinic.apply("Mourn").await;
    assert!(matches!(item(&report, GOAL).state, ItemState::Conflict(_)), "{report:?}");
    assert_eq!(clinic.one(GOAL).text("lifecycleStatus"), Some("on-hold"));
}

#[tokio::test]
async fn a_record_that_changed_while_the_ledger_was_lost_is_an_update() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    let report = clinic.apply("Mourn").await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    clinic.assert_complete("Mourn");
    clinic.assert_quiet("Mourn").await;
}

#[tokio::test]
async fn gone_from_the_ehr_is_a_conflict_and_not_made_again() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    assert!(clinic.ehr.delete(&clinic.id(TASK)));
    for goal in ["Grieve", "Mourn"] {
        let report = clinic.apply(goal).await;
        assert_eq!(item(&report, TASK).state, ItemState::Conflict(Conflict::Gone));
        assert_eq!(report.outcome(), Outcome::Conflicts);
        assert_eq!(clinic.copies(TASK).len(), 0);
    }
    assert_eq!(item(&clinic.apply("Mourn").await, GOAL).state, ItemState::InSync);
    assert_eq!(uuid(TASK), item(&clinic.plan("Mourn").await, TASK).item);
}
