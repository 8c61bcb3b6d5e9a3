//! Transactions that came to something else than all or nothing, and refusals that do not mean that nothing happened.

use std::time::Duration;

use ipt_fhir::client::{Class, Error};
use ipt_fhir::fhir::Resource;
use ipt_fhir::sandbox::{Behaviour, Fault};
use ipt_fhir::sync::{Failure, ItemState, Outcome, Progress};

use super::clinic::{
    CARE_PLAN, Clinic, GOAL, OBJECTIVE, PROGRESS, TASK, item, parse, resources, uuid,
};
use super::proxy::{Before, proxy};

/// An item as a server keeps it that ran a transaction like a batch: references to the others are as they were sent.
fn as_sent(number: u128) -> Resource {
    let (_, resource) =
        resources("Grieve").into_iter().find(|(item, _)| *item == uuid(number)).unwrap();
    let text = resource
        .to_text()
        .replace(&format!("urn:uuid:{}", uuid(100)), "Patient/first")
        .replace(&format!(r#""reference":"urn:uuid:{}""#, uuid(101)), r#""display":"Ellen Frank""#);
    parse(&text)
}

/// Applies, and at the first sign of this kind the EHR has these items.
async fn apply_and_keep(
    clinic: &Clinic,
    sign: fn(&Progress) -> bool,
    kept: &[u128],
) -> ipt_fhir::sync::Report {
    let mut left = kept.to_vec();
    let mut keep = |progress: Progress| {
        if sign(&progress) {
            for number in left.drain(..) {
                clinic.ehr.put(as_sent(number)).unwrap();
            }
        }
    };
    let report = clinic.apply_watched(resources("Grieve"), &mut keep).await;
    assert_eq!(left, [], "the sign came");
    report
}

const fn writes(progress: &Progress) -> bool {
    matches!(progress, Progress::Writing { .. })
}

const fn settles(progress: &Progress) -> bool {
    matches!(progress, Progress::Settling(_))
}

#[tokio::test]
async fn references_that_a_partly_kept_transaction_left_open_are_repaired() {
    for kept in [&[GOAL][..], &[CARE_PLAN], &[GOAL, CARE_PLAN, OBJECTIVE, TASK]] {
        let clinic = Clinic::open().await;
        clinic.ehr.faults().next("POST", Fault::RefuseBefore(404));
        let report = apply_and_keep(&clinic, writes, kept).await;
        assert_eq!(report.outcome(), Outcome::Done, "{kept:?} {report:?}");
        clinic.assert_complete("Grieve");
        clinic.assert_quiet("Grieve").await;
        assert_eq!(clinic.apply("Mourn").await.outcome(), Outcome::Done);
        clinic.assert_complete("Mourn");
    }
}

#[tokio::test]
async fn a_reference_left_open_is_not_in_sync_while_its_target_is_missing() {
    let clinic = Clinic::open().await;
    clinic.ehr.put(as_sent(GOAL)).unwrap();
    // The Observation to which the goal refers is refused, alone and with the others.
    let refused = |method: &str, path: &str| match (method, path) {
        ("POST", "" | "Observation") => Before::Answer(422, "{}".into()),
        _ => Before::Pass,
    };
    let way = proxy(clinic.ehr.base_url(), refused, |_| {}).await;
    let report = clinic.apply_by(&way, resources("Grieve")).await;
    assert!(matches!(item(&report, PROGRESS).state, ItemState::Failed(_)));
    let state = &item(&report, GOAL).state;
    assert_eq!(*state, ItemState::BlockedBy(uuid(PROGRESS)), "{report:?}");
    assert_eq!(report.outcome(), Outcome::Partial);
    assert_eq!(clinic.apply("Grieve").await.outcome(), Outcome::Done);
    clinic.assert_complete("Grieve");
}

/// What a refused transaction may still be doing shows only after the settling time.
async fn with_late_effect(status: u16, conditional_create: bool) {
    let behaviour = Behaviour { conditional_create, ..Behaviour::default() };
    let mut clinic = Clinic::with(behaviour).await;
    clinic.settle = Duration::from_millis(300);
    clinic.ehr.faults().next("POST", Fault::RefuseBefore(status));
    let report = apply_and_keep(&clinic, settles, &[OBJECTIVE, GOAL]).await;
    assert_eq!(report.outcome(), Outcome::Done, "{status} {report:?}");
    clinic.assert_complete("Grieve");
}

#[tokio::test]
async fn a_transaction_that_met_its_twin_is_sent_again_only_when_the_twin_is_done() {
    with_late_effect(409, true).await;
    with_late_effect(409, false).await;
}

#[tokio::test]
async fn without_conditions_no_refusal_proves_that_nothing_will_appear() {
    with_late_effect(404, false).await;
}

#[tokio::test]
async fn a_type_that_is_forbidden_is_named_and_the_others_are_created() {
    let clinic = Clinic::open().await;
    let forbidden = |method: &str, path: &str| match (method, path) {
        ("POST", "" | "Task") => Before::Answer(403, "{}".into()),
        _ => Before::Pass,
    };
    let way = proxy(clinic.ehr.base_url(), forbidden, |_| {}).await;
    let report = clinic.apply_by(&way, resources("Grieve")).await;
    let task = &item(&report, TASK).state;
    assert_eq!(*task, ItemState::Failed(Failure::Server(Error::Forbidden)), "{report:?}");
    let others = report.items().filter(|item| item.resource_type != "Task");
    assert!(others.into_iter().all(|item| item.state == ItemState::InSync), "{report:?}");
    assert_eq!(report.outcome(), Outcome::Unauthorized);
}

#[tokio::test]
async fn an_entry_refused_inside_of_a_successful_answer_is_reported_by_its_own_refusal() {
    let clinic = Clinic::open().await;
    let refused = |method: &str, path: &str| match (method, path) {
        ("POST", "") => {
            let entry = r#"{"response":{"status":"422 Unprocessable Entity"}}"#;
            let entries = [entry; 10].join(",");
            let bundle = r#"{"resourceType":"Bundle","type":"transaction-response","entry":["#;
            Before::Answer(200, format!("{bundle}{entries}]}}"))
        }
        ("POST", "Task") => Before::Answer(422, "{}".into()),
        _ => Before::Pass,
    };
    let way = proxy(clinic.ehr.base_url(), refused, |_| {}).await;
    let report = clinic.apply_by(&way, resources("Grieve")).await;
    let task = &item(&report, TASK).state;
    let refusal = Error::Refused { status: 422, codes: Vec::new(), class: Class::Permanent };
    assert_eq!(*task, ItemState::Failed(Failure::Server(refusal)), "{report:?}");
    let others = report.items().filter(|item| item.resource_type != "Task");
    assert!(others.into_iter().all(|item| item.state == ItemState::InSync), "{report:?}");
}
