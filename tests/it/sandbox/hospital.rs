//! The other hospitals' servers: forms, pages, rates, and nothing at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ipt_fhir::sandbox::{Behaviour, Clock, Config, Personality};

use super::Ehr;

fn form(patient: &str) -> String {
    format!(
        r#"{{"resourceType":"QuestionnaireResponse","status":"completed","subject":{{"reference":"Patient/{patient}"}}}}"#
    )
}

#[tokio::test]
async fn forms_are_taken_where_they_are() {
    for (personality, creates, updates) in [
        (Personality::Athena, 201, 405),
        (Personality::Meditech, 201, 200),
        (Personality::Veradigm, 201, 200),
        (Personality::Oracle, 405, 0),
        (Personality::Nextgen, 405, 0),
        (Personality::NextgenOffice, 404, 0),
    ] {
        let ehr = Ehr::playing(personality).await;
        let made = ehr.post("QuestionnaireResponse", &form("lee")).await;
        assert_eq!(made.status, creates, "{personality:?}");
        if creates != 201 {
            assert_eq!(made.issue(), "not-supported");
            continue;
        }
        assert!(!made.header("location").is_empty() && made.header("etag").is_empty());
        let stranger = ehr.post("QuestionnaireResponse", &form("nobody")).await;
        assert_eq!((stranger.status, stranger.issue().as_str()), (422, "not-found"));
        let id = made.text_at("/id");
        let changed = form("lee").replace("completed", "amended").replacen(
            '{',
            &format!(r#"{{"id":"{id}","#),
            1,
        );
        let update = ehr.ask(&format!("PUT QuestionnaireResponse/{id}"), &[], &changed).await;
        assert_eq!(update.status, updates, "{personality:?}");
    }
}

#[tokio::test]
async fn veradigm_updates_documents_in_place_without_versions() {
    let ehr = Ehr::playing(Personality::Veradigm).await;
    let document = r#"{"resourceType":"DocumentReference","status":"current","subject":{"reference":"Patient/lee"},
        "content":[{"attachment":{"contentType":"text/plain","data":"YQ=="}}]}"#;
    let made = ehr.post("DocumentReference", document).await;
    let id = made.text_at("/id");
    let changed = document.replacen('{', &format!(r#"{{"id":"{id}","#), 1).replace("YQ==", "Yg==");
    let update =
        ehr.ask(&format!("PUT DocumentReference/{id}"), &["If-Match: W/\"7\""], &changed).await;
    assert_eq!((made.status, update.status, update.header("etag")), (201, 200, ""));
    let unknown = changed.replace(&id, "unknown");
    assert_eq!(ehr.ask("PUT DocumentReference/unknown", &[], &unknown).await.status, 404);
}

#[tokio::test]
async fn ecw_answers_with_a_number_and_200() {
    let ehr = Ehr::playing(Personality::Ecw).await;
    let answer = ehr.post("QuestionnaireResponse", &form("lee")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"status":2}"#));
    assert_eq!(ehr.running.writes(), 0);
    let pack = Personality::Ecw.pack().unwrap();
    assert!(pack.code("2", None).is_some());
}

#[tokio::test]
async fn ecw_counts_by_the_minute_of_the_clock() {
    let now = Arc::new(AtomicI64::new(1_770_000_040));
    let clock = Arc::clone(&now);
    let clock =
        Clock::new(move || jiff::Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap());
    let behaviour = Behaviour::of(Personality::Ecw);
    let ehr = Ehr::start(Config { behaviour, clock, ..Config::default() }).await;
    for _ in 0..250 {
        assert_eq!(ehr.get("Patient?_id=lee").await.status, 200);
    }
    let refused = ehr.get("Patient?_id=lee").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, ""));
    assert_eq!(refused.issue(), "throttled");
    now.fetch_add(20, Ordering::SeqCst);
    assert_eq!(ehr.get("Patient?_id=lee").await.status, 200);
}

#[tokio::test]
async fn pages_are_asked_for_as_the_vendor_does() {
    for (personality, parameter) in
        [(Personality::Athena, "cursor"), (Personality::Meditech, "continue")]
    {
        let ehr = Ehr::playing(personality).await;
        for _ in 0..25 {
            assert_eq!(ehr.post("QuestionnaireResponse", &form("lee")).await.status, 201);
        }
        let (mut url, mut found) = ("QuestionnaireResponse?patient=lee".to_owned(), Vec::new());
        loop {
            let page = ehr.get(&url).await.bundle();
            found.extend(super::ids(&page));
            let Some(next) = page.link("next") else { break };
            assert!(next.contains(&format!("/QuestionnaireResponse?{parameter}=")), "{next}");
            url = next.to_owned();
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 25, "{personality:?}");
        let stale = format!("QuestionnaireResponse?{parameter}=x.1");
        assert_eq!(ehr.get(&stale).await.status, 410);
        assert_eq!(ehr.get(&format!("QuestionnaireResponse?{parameter}=x")).await.status, 400);
    }
}
