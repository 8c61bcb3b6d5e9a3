//! What people do to charts behind the clients' backs, and servers that mix patients up.

use ipt_fhir::fhir::ResourceId;
use ipt_fhir::sandbox::{Behaviour, Fault, Personality, Quirks};

use super::Ehr;

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_merge_is_told_by_links_and_moves_the_chart() {
    let ehr = Ehr::playing(Personality::Hapi).await;
    assert!(!ehr.running.merge(&id("Patient/lee"), &id("Patient/nobody")));
    assert!(ehr.running.merge(&id("Patient/lee"), &id("Patient/other")));
    let old = ehr.get("Patient/lee").await;
    assert_eq!(old.text_at("/link/0/type"), "replaced-by");
    assert_eq!(old.text_at("/link/0/other/reference"), "Patient/other");
    assert_eq!(old.at("/active").as_bool(), Some(false));
    assert_eq!(ehr.get("Patient/other").await.text_at("/link/0/type"), "replaces");
    assert_eq!(ehr.found("Encounter?patient=other").await.len(), 2);
    assert!(ehr.found("Encounter?patient=lee").await.is_empty());
    assert_eq!(ehr.running.versions(&id("Encounter/visit")).last().unwrap().request, None);
}

#[tokio::test]
async fn a_resource_can_become_anothers() {
    let ehr = Ehr::playing(Personality::Hapi).await;
    assert!(ehr.running.reassign(&id("Encounter/visit"), &id("Patient/other")));
    assert_eq!(ehr.get("Encounter/visit").await.text_at("/subject/reference"), "Patient/other");
    assert!(!ehr.running.reassign(&id("Encounter/none"), &id("Patient/other")));
}

#[tokio::test]
async fn a_protected_patient_is_forbidden_elsewhere_too() {
    let ehr = Ehr::playing(Personality::Oracle).await;
    ehr.running.set_protected(&id("Patient/lee"), true);
    let answer = ehr.get("Encounter/visit").await;
    assert_eq!((answer.status, answer.issue().as_str()), (403, "suppressed"));
}

#[tokio::test]
async fn a_server_may_pass_over_the_patient_and_say_that_it_did_not() {
    let ehr = Ehr::playing(Personality::Hapi).await;
    let quirks = Quirks { ignores_patient: true, ..Quirks::default() };
    ehr.running.behave(Behaviour { quirks, ..Behaviour::default() });
    let answer =
        ehr.ask("GET Encounter?patient=lee", &["Prefer: handling=strict"], "").await.bundle();
    assert_eq!(super::ids(&answer).len(), 2);
    assert!(answer.link("self").unwrap().contains("patient=lee"));
}

#[tokio::test]
async fn answers_can_be_swapped_and_bodies_anothers() {
    let ehr = Ehr::playing(Personality::Hapi).await;
    let faults = ehr.running.faults();
    faults.next("GET", Fault::SwapAnswer);
    faults.next("GET", Fault::SwapAnswer);
    let (lee, other) = tokio::join!(ehr.get("Patient/lee"), ehr.get("Patient/other"));
    assert_eq!((lee.text_at("/id").as_str(), other.text_at("/id").as_str()), ("other", "lee"));
    faults.next("GET", Fault::OtherBody);
    let cached = ehr.get("Patient/lee").await;
    assert_eq!((cached.status, cached.text_at("/id").as_str()), (200, "other"));
    assert_eq!(ehr.running.log().last().unwrap().fault, Some("other-body"));
}
