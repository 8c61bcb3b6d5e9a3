//! A server that takes a write in (202) and lets a person decide: what waits there is never sent a second time.

use std::sync::{Arc, Mutex};

use ipt_fhir::sandbox::Behaviour;
use ipt_fhir::sync::{ItemState, Outcome};

use super::clinic::{Clinic, GOAL, OBJECTIVE, SESSION, item, resources, uuid};
use super::proxy::{Before, proxy};

#[tokio::test]
async fn what_waits_for_a_person_at_the_other_end_is_sent_once() {
    let task = r#"{"resourceType":"Task","id":"7","status":"requested","intent":"order"}"#;
    for (conditional_create, body) in
        [(true, ""), (false, ""), (true, task), (true, "<html>queued"), (false, "{\"queued\":1}")]
    {
        let behaviour =
            Behaviour { transactions: false, conditional_create, ..Behaviour::default() };
        let clinic = Clinic::with(behaviour).await;
        let taken = Arc::new(Mutex::new(0));
        let count = Arc::clone(&taken);
        let take_in = move |method: &str, path: &str| match (method, path) {
            ("POST", "Goal") => {
                *count.lock().unwrap() += 1;
                Before::Answer(202, body.to_owned())
            }
            _ => Before::Pass,
        };
        let way = proxy(clinic.ehr.base_url(), take_in, |_| {}).await;
        let first = clinic.apply_by(&way, resources("Grieve")).await;
        assert_eq!(first.outcome(), Outcome::Partial, "{first:?}");
        assert_eq!(item(&first, OBJECTIVE).state, ItemState::Mediated, "{first:?}");
        // What refers to it waits.
        assert!(matches!(item(&first, GOAL).state, ItemState::BlockedBy(_)), "{first:?}");
        let writes = clinic.writing_requests();
        for _ in 0..2 {
            let again = clinic.apply_by(&way, resources("Grieve")).await;
            assert_eq!(item(&again, OBJECTIVE).state, ItemState::Mediated);
            assert_eq!(clinic.plan("Grieve").await.outcome(), Outcome::Partial);
        }
        assert_eq!((*taken.lock().unwrap(), clinic.writing_requests()), (1, writes));
        // The person decides for it.
        let all = resources("Grieve");
        let (_, mut objective) = all.into_iter().find(|(it, _)| *it == uuid(OBJECTIVE)).unwrap();
        let patient = ipt_fhir::json::parse(br#"{"reference":"Patient/first"}"#).unwrap();
        objective.object_mut().insert("subject", patient);
        clinic.ehr.put(objective).unwrap();
        assert_eq!(clinic.apply("Grieve").await.outcome(), Outcome::Done);
        clinic.assert_complete("Grieve");
        clinic.assert_quiet("Grieve").await;
    }
}

#[tokio::test]
async fn an_update_that_waits_is_sent_once() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let taken = Arc::new(Mutex::new(0));
    let count = Arc::clone(&taken);
    let take_in = move |method: &str, path: &str| match method {
        "PUT" if path.starts_with("Goal/") => {
            *count.lock().unwrap() += 1;
            Before::Answer(202, String::new())
        }
        _ => Before::Pass,
    };
    let way = proxy(clinic.ehr.base_url(), take_in, |_| {}).await;
    for _ in 0..3 {
        let report = clinic.apply_by(&way, resources("Mourn")).await;
        assert_eq!(item(&report, GOAL).state, ItemState::Mediated, "{report:?}");
    }
    assert_eq!(*taken.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_transaction_that_is_taken_in_as_a_whole_is_sent_once() {
    let entries = r#"{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"202 Accepted"}}]}"#;
    for body in ["", "queued", entries] {
        let clinic = Clinic::open().await;
        let taken = Arc::new(Mutex::new(0));
        let count = Arc::clone(&taken);
        let take_in = move |method: &str, path: &str| match (method, path) {
            ("POST", _) => {
                *count.lock().unwrap() += 1;
                Before::Answer(202, body.to_owned())
            }
            _ => Before::Pass,
        };
        let way = proxy(clinic.ehr.base_url(), take_in, |_| {}).await;
        for _ in 0..3 {
            let report = clinic.apply_by(&way, resources("Grieve")).await;
            assert!(report.items().all(|one| one.state == ItemState::Mediated), "{report:?}");
        }
        assert_eq!(*taken.lock().unwrap(), 1, "{body}");
    }
}

#[tokio::test]
async fn what_a_server_stores_without_our_identifier_is_sent_once() {
    let behaviour = Behaviour { transactions: false, ..Behaviour::default() };
    let clinic = Clinic::with(behaviour).await;
    let made = Arc::new(Mutex::new(0));
    let count = Arc::clone(&made);
    let drop_identifier = move |method: &str, path: &str| match (method, path) {
        ("POST", "Encounter") => {
            *count.lock().unwrap() += 1;
            Before::Answer(201, r#"{"resourceType":"Encounter","id":"e1"}"#.to_owned())
        }
        _ => Before::Pass,
    };
    let way = proxy(clinic.ehr.base_url(), drop_identifier, |_| {}).await;
    for _ in 0..3 {
        let report = clinic.apply_by(&way, resources("Grieve")).await;
        assert_eq!(item(&report, SESSION).state, ItemState::Mediated, "{report:?}");
    }
    assert_eq!(*made.lock().unwrap(), 1);
}
