//! A hundred records in one EHR by one store: each resource once, then silence, then only what changed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ipt_fhir::json::Value;
use ipt_fhir::sandbox::{Config, Sandbox};
use ipt_fhir::sync::{Done, ItemState, Outcome, Report};

use super::archive::{Archive, records};
use super::{hapis, tell};

const RECORDS: usize = 100;

/// The records of which a run did something with a resource; every resource must be in sync.
fn touched(report: &Report, done: Done) -> BTreeSet<usize> {
    for (number, record) in report.records.iter().enumerate() {
        for item in &record.items {
            assert_eq!(item.state, ItemState::InSync, "{number} {item:?}");
            assert!(item.done.is_none_or(|one| one == done), "{number} {item:?}");
        }
    }
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    let is_touched =
        |number: &usize| report.records[*number].items.iter().any(|item| item.done.is_some());
    (0..report.records.len()).filter(is_touched).collect()
}

async fn each_once_then_silence_then_what_changed(base_url: &str, settle: Duration) {
    let mut records = records(RECORDS);
    let archive = Archive::open(base_url, settle, &records).await;
    let started = Instant::now();
    let first = archive.apply(&records).await;
    tell(&format!("{} resources in {:?}", first.items().count(), started.elapsed()));
    assert_eq!(touched(&first, Done::Created).len(), RECORDS);
    assert!(first.items().all(|item| item.done == Some(Done::Created)));
    let created = archive.seen().await;

    let second = archive.apply(&records).await;
    assert_eq!(touched(&second, Done::Updated), BTreeSet::new());
    assert_eq!(archive.seen().await, created, "a second run writes nothing");

    let has_goal = |number: &usize| records[*number].pointer("/goals/0/text").is_some();
    let changed: BTreeSet<usize> = (0..RECORDS).filter(has_goal).step_by(5).take(10).collect();
    assert_eq!(changed.len(), 10);
    for number in &changed {
        let text = records[*number].pointer_mut("/goals/0/text").unwrap();
        *text = Value::String("Meet an old friend".to_owned());
    }
    let third = archive.apply(&records).await;
    assert_eq!(touched(&third, Done::Updated), changed);
    let updated = archive.seen().await;
    let differs = |number: &usize| updated[*number] != created[*number];
    assert_eq!((0..RECORDS).filter(differs).collect::<BTreeSet<_>>(), changed);
    for number in changed {
        assert!(updated[number].words.iter().any(|words| words.contains("Meet an old friend")));
    }
    tell(&format!("all in {:?}", started.elapsed()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_records_are_each_there_once() {
    let ehr = Sandbox::start(Config::default()).await.unwrap();
    each_once_then_silence_then_what_changed(ehr.base_url(), Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_records_are_each_there_once_in_hapi() {
    for (name, base) in hapis() {
        tell(name);
        each_once_then_silence_then_what_changed(&base, Duration::from_secs(2)).await;
    }
}
