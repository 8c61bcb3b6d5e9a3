//! Transactions that came to something else than all or nothing, and refusals that do not mean that nothing happened.

use ipt_fhir::fhir::Resource;
use ipt_fhir::sandbox::Fault;
use ipt_fhir::sync::{ItemState, Outcome, Progress};

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
