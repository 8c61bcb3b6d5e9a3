//! The work queue of packages: one waits at most, what was decided stays, and a record with one does not change its Patient.

use ipt_fhir::store::{Error, HandOff, HandOffState, Link, RejectReason, Store, digest};
use uuid::Uuid;

use super::{link, moment};
use HandOffState::{Done, Rejected, Superseded, Waiting};

fn made(number: u32, minutes: i64) -> HandOff {
    HandOff {
        ehr: "clinic".into(),
        plan: digest("plan"),
        slot: Uuid::from_u128(5),
        number,
        name: format!("package-v{number}"),
        digest: digest(&number.to_string()),
        state: HandOffState::Waiting,
        made_at: later(minutes),
        decided_at: None,
        reason: None,
    }
}

fn later(minutes: i64) -> jiff::Timestamp {
    moment().checked_add(jiff::Span::new().minutes(minutes)).unwrap()
}

#[tokio::test]
async fn a_newer_edition_supersedes_what_waits_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).await.unwrap();
    store.link(&link()).await.unwrap();
    let record = async |hand_off: &HandOff| {
        store.writer("clinic").await.unwrap().record_hand_off(hand_off).await
    };
    let states = async || -> Vec<HandOffState> {
        store.hand_offs(Some("clinic")).await.unwrap().iter().map(|one| one.state).collect()
    };
    record(&made(1, 0)).await.unwrap();
    assert!(store.decide_hand_off("clinic", "package-v1", None, later(1)).await.unwrap());
    record(&made(2, 2)).await.unwrap();
    let reason = Some(RejectReason::Incorrect);
    assert!(store.decide_hand_off("clinic", "package-v2", reason, later(3)).await.unwrap());
    record(&made(3, 4)).await.unwrap();
    let other_slot = HandOff { slot: Uuid::from_u128(6), name: "other".into(), ..made(1, 5) };
    record(&other_slot).await.unwrap();
    record(&made(4, 6)).await.unwrap();
    assert_eq!(states().await, [Done, Rejected, Superseded, Waiting, Waiting]);
    let all = store.hand_offs(None).await.unwrap();
    assert_eq!((all[1].reason, all[1].decided_at), (reason, Some(later(3))));
    assert_eq!(all[2].decided_at, Some(later(6)));
    // The same edition twice, and a decision on what waits no more.
    assert!(matches!(record(&made(4, 7)).await, Err(Error::Database(_))));
    assert_eq!(states().await, [Done, Rejected, Superseded, Waiting, Waiting]);
    for name in ["package-v1", "package-v2", "package-v3", "nothing"] {
        assert!(!store.decide_hand_off("clinic", name, None, later(9)).await.unwrap(), "{name}");
    }
    assert!(!store.decide_hand_off("else", "package-v4", None, later(9)).await.unwrap());
    drop(store);
    assert_eq!(Store::open(&path).await.unwrap().hand_offs(None).await.unwrap(), all);
}

#[tokio::test]
async fn a_record_with_a_package_does_not_move_to_another_patient() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    store.link(&link()).await.unwrap();
    let other = Link { patient: "Patient/2".parse().unwrap(), ..link() };
    store.writer("clinic").await.unwrap().record_hand_off(&made(1, 0)).await.unwrap();
    assert_eq!(store.link(&other).await.unwrap_err(), Error::LinkedOtherwise);
    // Whoever rejects it says that it is in no chart.
    let reason = Some(RejectReason::WrongPatient);
    store.decide_hand_off("clinic", "package-v1", reason, later(1)).await.unwrap();
    store.link(&other).await.unwrap();
    let writer = store.writer("clinic").await.unwrap();
    let locked = store.decide_hand_off("clinic", "package-v1", None, later(1)).await;
    assert_eq!(locked.unwrap_err(), Error::Locked);
    drop(writer);
}

#[test]
fn codes_are_an_interface() {
    let reasons = RejectReason::ALL.map(RejectReason::code).join(" ");
    assert_eq!(reasons, "wrong-patient incorrect duplicate not-accepted not-consented lost other");
    for reason in RejectReason::ALL {
        assert_eq!(RejectReason::from_code(reason.code()), Some(reason));
    }
    assert_eq!(RejectReason::from_code("because of Ann"), None);
}
