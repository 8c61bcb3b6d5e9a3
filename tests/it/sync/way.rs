//! The way without faults: created once, quiet after, updated singly, on servers of several abilities.

use ipt_fhir::sandbox::Behaviour;
use ipt_fhir::sync::{Done, ItemState, Outcome};

use super::clinic::{CARE_PLAN, Clinic, GOAL, OBJECTIVE, PROCEDURE, TASK, item, resources, uuid};

#[tokio::test]
async fn a_new_record_is_created_in_one_transaction_and_never_again() {
    let clinic = Clinic::open().await;
    let planned = clinic.plan("Grieve").await;
    assert!(planned.items().all(|item| item.state == ItemState::ToCreate), "{planned:?}");
    assert_eq!(clinic.writing_requests(), 0, "a plan writes nothing");
    let before = clinic.ehr.log().len();
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    assert!(report.items().all(|item| item.done == Some(Done::Created)), "{report:?}");
    assert!(report.items().all(|item| item.state == ItemState::InSync), "{report:?}");
    assert_eq!(clinic.writing_requests(), 1, "one transaction");
    // Statement, then twice the Patient and a search for each of nine types, and once more the Patient before the transaction.
    assert_eq!(clinic.ehr.log().len() - before, 1 + 2 * (1 + 9) + 1 + 1);
    clinic.assert_complete("Grieve");
    clinic.assert_quiet("Grieve").await;
}

#[tokio::test]
async fn a_changed_record_is_one_update() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let mut changed = resources("Grieve");
    let (_, task) = changed.iter_mut().find(|(item, _)| *item == uuid(TASK)).unwrap();
    task.object_mut().put("status", "completed");
    let writes = clinic.ehr.writes();
    let report = clinic.apply_watched(changed, &mut super::clinic::quiet()).await;
    assert_eq!(clinic.ehr.writes() - writes, 1);
    assert_eq!(item(&report, TASK).done, Some(Done::Updated));
    assert_eq!(item(&report, TASK).state, ItemState::InSync);
    assert_eq!(clinic.one(TASK).text("status"), Some("completed"));
    assert!(report.items().filter(|item| item.done.is_some()).count() == 1);
}

#[tokio::test]
async fn what_the_ehr_added_before_our_first_look_survives_our_update() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    // A plan that says what would change, by place and not by word.
    let planned = clinic.plan("Mourn").await;
    let ItemState::ToUpdate(changes) = &item(&planned, GOAL).state else { panic!("{planned:?}") };
    assert_eq!(
        changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(),
        ["Goal.description.text"]
    );
    let ItemState::ToUpdate(changes) = &item(&planned, CARE_PLAN).state else {
        panic!("{planned:?}")
    };
    assert_eq!(changes[0].path, "CarePlan.text");
    clinic.apply("Mourn").await;
    clinic.assert_complete("Mourn");
    clinic.assert_quiet("Mourn").await;
}

#[tokio::test]
async fn servers_of_less_ability_come_to_the_same() {
    let all = Behaviour::default();
    for behaviour in [
        Behaviour { transactions: false, ..all.clone() },
        Behaviour { conditional_create: false, ..all.clone() },
        Behaviour { transactions: false, conditional_create: false, ..all.clone() },
    ] {
        let clinic = Clinic::with(behaviour.clone()).await;
        let report = clinic.apply("Grieve").await;
        assert_eq!(report.outcome(), Outcome::Done, "{behaviour:?} {report:?}");
        assert!(report.items().all(|item| item.done == Some(Done::Created)), "{report:?}");
        clinic.assert_complete("Grieve");
        clinic.assert_quiet("Grieve").await;
    }
}

#[tokio::test]
async fn a_server_that_knows_only_batches_gets_waves_of_them() {
    for conditional_create in [true, false] {
        let behaviour =
            Behaviour { transactions: false, conditional_create, ..Behaviour::default() };
        let clinic = Clinic::of(behaviour, true).await;
        let report = clinic.apply("Grieve").await;
        assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
        let log = clinic.ehr.log();
        let batches = log.iter().filter(|one| one.method == "POST" && one.path.is_empty());
        assert!((2..8).contains(&batches.count()), "fewer than one by one");
        clinic.assert_complete("Grieve");
        clinic.assert_quiet("Grieve").await;
    }
}

#[tokio::test]
async fn what_no_identifier_finds_is_found_among_what_the_patient_has() {
    let behaviour = Behaviour { search_by_identifier: false, ..Behaviour::default() };
    let clinic = Clinic::with(behaviour).await;
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    clinic.assert_complete("Grieve");
    clinic.assert_quiet("Grieve").await;
    // Neither a lost ledger nor an edit makes a second copy.
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    clinic.edit(PROCEDURE, "status", r#""on-hold""#);
    let before = clinic.writing_requests();
    let again = clinic.apply("Grieve").await;
    assert_eq!(clinic.writing_requests(), before, "{again:?}");
}

#[tokio::test]
async fn what_cannot_be_found_again_is_not_sent() {
    let behaviour = Behaviour { search_by_identifier: false, ..Behaviour::default() };
    let mut clinic = Clinic::with(behaviour).await;
    for (_, resource) in resources("Grieve").iter().skip(2) {
        // The second Goal says it again.
        let _ = clinic.overrides.add(resource.resource_type(), "-search:patient");
    }
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome(), Outcome::Partial);
    assert!(report.items().all(|item| matches!(item.state, ItemState::Failed(_))), "{report:?}");
    assert_eq!(clinic.writing_requests(), 0);
}

#[tokio::test]
async fn an_item_that_left_the_record_stays_in_the_ehr_and_is_shown() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let mut fewer = resources("Grieve");
    fewer.retain(|(item, _)| *item != uuid(TASK));
    let report = clinic.apply_watched(fewer, &mut super::clinic::quiet()).await;
    assert_eq!(item(&report, TASK).state, ItemState::NotInRecord);
    assert_eq!(item(&report, OBJECTIVE).state, ItemState::InSync);
    assert_eq!(report.outcome(), Outcome::Done);
    clinic.assert_complete("Grieve");
}

#[tokio::test]
async fn an_item_added_later_is_created_and_then_referred_to() {
    let clinic = Clinic::open().await;
    let mut fewer = resources("Grieve");
    fewer.retain(|(item, _)| *item != uuid(OBJECTIVE));
    for (_, resource) in &mut fewer {
        if resource.resource_type() == "CarePlan" {
            let goals = resource.object_mut().get_mut("goal").unwrap();
            let first = goals.item(0).unwrap().clone();
            *goals = ipt_fhir::json::Value::Array(vec![first]);
        }
        if resource.resource_type() == "Goal" {
            resource.object_mut().remove("extension");
        }
    }
    let first = clinic.apply_watched(fewer, &mut super::clinic::quiet()).await;
    assert_eq!(first.outcome(), Outcome::Done, "{first:?}");
    let second = clinic.apply("Grieve").await;
    assert_eq!(item(&second, OBJECTIVE).done, Some(Done::Created));
    assert_eq!(item(&second, CARE_PLAN).done, Some(Done::Updated));
    clinic.assert_complete("Grieve");
    clinic.assert_quiet("Grieve").await;
}
