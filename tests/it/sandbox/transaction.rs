//! Batches and transactions.

use ipt_fhir::fhir::Bundle;

use super::ask::Asked;
use super::{Ehr, patient};

fn bundle(kind: &str, entries: &[&str]) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{}]}}"#, entries.join(","))
}

fn entry(request: &str, resource: &str) -> String {
    let (method, url) = request.split_once(' ').unwrap();
    let resource =
        if resource.is_empty() { String::new() } else { format!(r#""resource":{resource},"#) };
    format!(r#"{{{resource}"request":{{"method":"{method}","url":"{url}"}}}}"#)
}

fn flag(subject: &str) -> String {
    format!(r#"{{"resourceType":"Flag","status":"active","subject":{{"reference":"{subject}"}}}}"#)
}

fn codes(bundle: &Bundle) -> Vec<u16> {
    bundle.entries.iter().map(|entry| entry.response.as_ref().unwrap().code().unwrap()).collect()
}

async fn transaction(ehr: &Ehr, entries: &[&str]) -> Asked {
    ehr.post("", &bundle("transaction", entries)).await
}

const ANN: &str = "urn:uuid:11111111-1111-4111-8111-111111111111";

#[tokio::test]
async fn links_find_their_target_wherever_it_stands() {
    let ehr = Ehr::counting().await;
    let elements = r#""text":{"div":"<div><a href=\"@\">a</a></div>"},
        "link":[{"other":{"reference":"@"},"type":"seealso"}],"contact":[{"identifier":{"value":"@"}}]"#;
    let ann = patient("a").replace(r#""active":true"#, &elements.replace('@', ANN));
    let own = format!(
        r#"{{"fullUrl":"{ANN}","resource":{ann},"request":{{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:test|a"}}}}"#
    );
    let entries = [
        entry("POST Flag", &flag(ANN)),
        own,
        entry("PUT Flag/mine", &flag(ANN).replacen('{', r#"{"id":"mine","#, 1)),
    ];
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let answer = transaction(&ehr, &entries).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let done = answer.bundle();
    assert_eq!((done.kind.as_str(), codes(&done)), ("transaction-response", vec![201, 201, 201]));
    let patient_id = done.entries[1].response.as_ref().unwrap().location.clone().unwrap();
    assert_eq!(patient_id, "Patient/2/_history/1");
    assert!(done.entries.iter().all(|entry| entry.resource.is_none()));
    assert!(done.entries.iter().all(|entry| {
        let response = entry.response.as_ref().unwrap();
        response.etag.as_deref() == Some("W/\"1\"") && response.last_modified.is_some()
    }));
    for flag in ["Flag/1", "Flag/mine"] {
        assert_eq!(ehr.get(flag).await.text_at("/subject/reference"), "Patient/2");
    }
    let stored = ehr.get("Patient/2").await;
    assert_eq!(stored.text_at("/link/0/other/reference"), "Patient/2");
    assert_eq!(stored.text_at("/text/div"), r#"<div><a href="Patient/2">a</a></div>"#);
    assert_eq!(stored.text_at("/contact/0/identifier/value"), ANN, "an identifier is no link");

    let answer = transaction(&ehr, &entries).await;
    let again = answer.bundle();
    assert_eq!(codes(&again), [201, 200, 200], "{}", answer.text);
    let response = again.entries[1].response.as_ref().unwrap();
    assert_eq!(response.location.as_deref(), Some("Patient/2/_history/1"));
    assert_eq!(ehr.get("Flag/3").await.text_at("/subject/reference"), "Patient/2");
}

#[tokio::test]
async fn a_refused_transaction_changes_nothing() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    ehr.post("Flag", &flag("Patient/1")).await;
    let before = ehr.running.resources();
    let create = entry("POST Patient", &patient("b"));
    let stale = format!(
        r#"{{"resource":{},"request":{{"method":"PUT","url":"Patient/1","ifMatch":"W/\"7\""}}}}"#,
        patient("c").replacen('{', r#"{"id":"1","#, 1)
    );
    for (status, failing) in [
        (412, stale),
        (400, entry("POST Flag", &flag("urn:uuid:unknown"))),
        (400, entry("POST Flag", &flag("Patient/9"))),
        (400, entry("POST Flag", &flag("Patient?identifier=urn:test|nobody"))),
        (409, entry("DELETE Patient/1", "")),
        (404, entry("POST Substance", r#"{"resourceType":"Substance"}"#)),
        (404, entry("GET Patient/9", "")),
        (405, entry("PATCH Patient/1", "")),
        (400, entry("POST Patient", "")),
        (400, entry("POST Patient", &flag("Patient/1"))),
        (400, entry("BREW Patient", "")),
        (400, entry("GET http://example.org/Patient/1", "")),
        (400, r#"{"fullUrl":"urn:uuid:1"}"#.to_owned()),
    ] {
        let answer = transaction(&ehr, &[&create, &failing]).await;
        assert_eq!(answer.status, status, "{failing}: {}", answer.text);
        assert_eq!(answer.resource().resource_type(), "OperationOutcome");
        assert_eq!(ehr.running.resources(), before, "{failing}");
    }
    let answer = transaction(&ehr, &[&create, r#"{"fullUrl":"urn:uuid:1"}"#]).await;
    assert_eq!(answer.text_at("/issue/0/expression/0"), "Bundle.entry[1].request");
    assert_eq!(ehr.running.writes(), 2);
    assert_eq!(ehr.get("_history").await.bundle().entries.len(), 2);
}

#[tokio::test]
async fn a_resource_appears_once_in_a_transaction() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let put = entry("PUT Patient/1", &patient("b").replacen('{', r#"{"id":"1","#, 1));
    let conditional =
        entry("PUT Patient?identifier=urn:test|a", &patient("a").replace("true", "false"));
    let create = |url: &str| {
        format!(
            r#"{{"fullUrl":"{url}","resource":{},"request":{{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:test|new"}}}}"#,
            patient("new")
        )
    };
    let plain = entry("POST Patient", &patient("new"));
    let meets = entry("PUT Patient?identifier=urn:test|new", &patient("new"));
    let twice: [&[&str]; 7] = [
        &[&put, &put],
        &[&put, &entry("DELETE Patient/1", "")],
        &[&put, &conditional],
        &[&conditional, &entry("DELETE Patient?identifier=urn:test|a", "")],
        &[&create("urn:uuid:1"), &create("urn:uuid:1")],
        &[&plain, &meets],
        &[&meets, &plain],
    ];
    for entries in twice {
        let answer = transaction(&ehr, entries).await;
        assert!((400..500).contains(&answer.status), "{entries:?}: {}", answer.text);
    }
    let answer = transaction(&ehr, &[&create("urn:uuid:1"), &create("urn:uuid:2")]).await;
    assert_eq!((answer.status, answer.issue().as_str()), (412, "multiple-matches"));
    assert_eq!(ehr.running.writes(), 1);
}

#[tokio::test]
async fn entries_are_done_in_the_order_of_the_specification() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    ehr.post("Flag", &flag("Patient/1")).await;
    let answer = transaction(
        &ehr,
        &[
            &entry("GET Patient?identifier=urn:test|b", ""),
            &entry(
                "PUT Flag/2",
                &flag("Patient?identifier=urn:test|b").replacen('{', r#"{"id":"2","#, 1),
            ),
            &entry("POST Patient", &patient("b")),
            &entry("DELETE Patient/1", ""),
            &entry("GET Flag/2", ""),
        ],
    )
    .await;
    let done = answer.bundle();
    assert_eq!(codes(&done), [200, 200, 201, 204, 200], "{}", answer.text);
    let found = Bundle::from_resource(done.entries[0].resource.clone().unwrap()).unwrap();
    assert_eq!(found.entries.len(), 1, "reads come last");
    let subject = format!("Patient/{}", found.entries[0].resource.as_ref().unwrap().id().unwrap());
    let seen = done.entries[4].resource.as_ref().unwrap();
    assert_eq!(seen.get("subject").unwrap().text("reference"), Some(subject.as_str()));
    let flag = ehr.get("Flag/2").await;
    assert_eq!(flag.text_at("/subject/reference"), subject);
    assert_eq!(flag.header("etag"), "W/\"2\"");
    assert_eq!(ehr.get("Patient/1").await.status, 410);
}

#[tokio::test]
async fn a_transaction_answers_as_preferred() {
    let ehr = Ehr::counting().await;
    let body = bundle("transaction", &[&entry("POST Patient", &patient("a"))]);
    let full = ehr.ask("POST ", &["Prefer: return=representation"], &body).await.bundle();
    assert_eq!(full.entries[0].resource.as_ref().unwrap().version_id(), Some("1"));
    let told = ehr.ask("POST ", &["Prefer: return=OperationOutcome"], &body).await.bundle();
    assert!(told.entries[0].response.as_ref().unwrap().outcome.is_some());
    let empty = transaction(&ehr, &[]).await;
    assert_eq!((empty.status, empty.bundle().entries.len()), (200, 0));
    for kind in ["collection", ""] {
        assert_eq!(ehr.post("", &bundle(kind, &[])).await.status, 400);
    }
    assert_eq!(ehr.post("", &patient("a")).await.status, 400);
}

#[tokio::test]
async fn the_entries_of_a_batch_stand_alone() {
    let ehr = Ehr::counting().await;
    let create = entry("POST Patient", &patient("a"));
    let dangling = entry("POST Flag", &flag("Patient/9"));
    let entries = [
        &entry("GET Patient/2", ""),
        &dangling,
        &create,
        r#"{"fullUrl":"x"}"#,
        &entry("GET Patient/9", ""),
    ];
    let entries: Vec<&str> = entries.iter().map(AsRef::as_ref).collect();
    let answer = ehr.post("", &bundle("batch", &entries)).await;
    let done = answer.bundle();
    assert_eq!(
        (done.kind.as_str(), codes(&done)),
        ("batch-response", vec![200, 400, 201, 400, 404])
    );
    for index in [1, 3, 4] {
        assert!(done.entries[index].response.as_ref().unwrap().outcome.is_some());
    }
    assert_eq!(ehr.running.writes(), 1);
}
