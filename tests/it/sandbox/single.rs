//! Single interactions: create, read, update, delete and their preconditions.

use super::{Ehr, patient};

fn with_id(id: &str, value: &str) -> String {
    patient(value).replacen('{', &format!(r#"{{"id":"{id}","#), 1)
}

#[tokio::test]
async fn a_created_resource_is_read_with_its_version() {
    let ehr = Ehr::counting().await;
    let created = ehr.post("Patient", &patient("a")).await;
    assert_eq!(created.status, 201);
    let base = ehr.running.base_url();
    assert_eq!(created.header("location"), format!("{base}/Patient/1/_history/1"));
    assert_eq!(created.header("etag"), "W/\"1\"");
    assert!(created.header("last-modified").ends_with(" GMT"));
    assert_eq!(created.header("content-type"), "application/fhir+json;charset=utf-8");
    assert_eq!(created.text_at("/meta/versionId"), "1");

    let read = ehr.get("Patient/1").await;
    assert_eq!((read.status, read.header("etag")), (200, "W/\"1\""));
    assert_eq!(read.text, created.text);
    assert_eq!(ehr.get("Patient/1/_history/1").await.text, created.text);
    let head = ehr.ask("HEAD Patient/1", &[], "").await;
    assert_eq!((head.status, head.header("etag"), head.text.as_str()), (200, "W/\"1\"", ""));
    for missing in ["Patient/2", "Patient/1/_history/2", "Patient/1/_history/x", "Patient/%41"] {
        let answer = ehr.get(missing).await;
        assert_eq!((answer.status, answer.issue().as_str()), (404, "not-found"), "{missing}");
    }
}

#[tokio::test]
async fn a_create_takes_neither_id_nor_version_from_the_client_and_keeps_the_rest() {
    let ehr = Ehr::counting().await;
    let body = r#"{"resourceType":"Observation","id":"mine","meta":{"versionId":"9","lastUpdated":"2001-01-01T00:00:00Z",
        "tag":[{"code":"t"}]},"status":"final","code":{"text":"Größe – 身長"},"valueQuantity":{"value":1.50},"unknown":{"x":1e2}}"#;
    let created = ehr.post("Observation", body).await;
    assert_eq!((created.status, created.text_at("/id").as_str()), (201, "1"));
    assert_eq!(created.text_at("/meta/versionId"), "1");
    assert!(created.text_at("/meta/lastUpdated").as_str() > "2026");
    assert_eq!(created.text_at("/meta/tag/0/code"), "t");
    assert!(created.text.contains("\"value\":1.50}") && created.text.contains("\"x\":1e2"));
    assert_eq!(created.text_at("/code/text"), "Größe – 身長");
}

#[tokio::test]
async fn an_update_makes_a_version_only_if_it_changes_anything() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let changed = ehr.ask("PUT Patient/1", &[], &with_id("1", "b")).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "W/\"2\""));
    assert_eq!(changed.header("location"), "");
    let again = ehr.ask("PUT Patient/1", &[], &with_id("1", "b")).await;
    assert_eq!((again.status, again.header("etag")), (200, "W/\"2\""));
    assert_eq!(again.text, changed.text);
    assert_eq!(ehr.running.writes(), 2);

    let base = ehr.running.base_url();
    let created = ehr.ask("PUT Patient/own.id", &[], &with_id("own.id", "c")).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("location"), format!("{base}/Patient/own.id/_history/1"));
}

#[tokio::test]
async fn an_update_must_name_the_resource_of_its_url() {
    let ehr = Ehr::counting().await;
    for (path, body) in [
        ("Patient/1", with_id("2", "a")),
        ("Patient/1", patient("a")),
        ("Patient/1", with_id("1", "a").replace("Patient", "Group")),
        ("Patient/a_b", with_id("a_b", "a")),
    ] {
        let answer = ehr.ask(&format!("PUT {path}"), &[], &body).await;
        assert_eq!((answer.status, answer.issue().as_str()), (400, "invalid"), "{path} {body}");
    }
    assert_eq!(ehr.post("Patient", &patient("a").replace("Patient", "Group")).await.status, 400);
    assert_eq!(ehr.running.writes(), 0);
}

#[tokio::test]
async fn if_match_must_name_the_version_that_is_here() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let put = async |tag: &str, value: &str| {
        let header = format!("If-Match: {tag}");
        ehr.ask("PUT Patient/1", &[&header], &with_id("1", value)).await.status
    };
    let tags = ["W/\"1\"", "\"2\"", "3", "W/\"9\", W/\"4\"", "*"];
    for (value, tag) in ["b", "c", "d", "e", "f"].into_iter().zip(tags) {
        assert_eq!(put(tag, value).await, 200, "{tag}");
    }
    for tag in ["W/\"1\"", "W/\"7\"", "W/\"abc\"", "W/\"\""] {
        assert_eq!(put(tag, "g").await, 412, "{tag}");
    }
    // Stale even if the body is what is stored already.
    assert_eq!(put("W/\"1\"", "f").await, 412);
    for tag in ["W/\"1\"", "*"] {
        let header = format!("If-Match: {tag}");
        let answer = ehr.ask("PUT Patient/x", &[&header], &with_id("x", "x")).await;
        assert_eq!((answer.status, answer.issue().as_str()), (412, "conflict"), "{tag}");
    }
    let delete = ehr.ask("DELETE Patient/1", &["If-Match: W/\"1\""], "").await;
    assert_eq!(delete.status, 412);
    let delete = ehr.ask("DELETE Patient/x", &["If-Match: W/\"1\""], "").await;
    assert_eq!(delete.status, 412);
    let once = ehr.ask("PUT Patient/1", &["If-None-Match: *"], &with_id("1", "h")).await;
    assert_eq!(once.status, 412);
    assert_eq!(ehr.running.writes(), 6);
}

#[tokio::test]
async fn a_deleted_resource_is_gone_but_not_forgotten() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let deleted = ehr.ask("DELETE Patient/1", &["If-Match: W/\"1\""], "").await;
    assert_eq!(
        (deleted.status, deleted.header("etag"), deleted.text.as_str()),
        (204, "W/\"2\"", "")
    );
    let gone = ehr.get("Patient/1").await;
    assert_eq!(
        (gone.status, gone.header("etag"), gone.issue().as_str()),
        (410, "W/\"2\"", "deleted")
    );
    assert_eq!(ehr.get("Patient/1/_history/2").await.status, 410);
    assert_eq!(ehr.get("Patient/1/_history/1").await.status, 200);
    assert_eq!(ehr.found("Patient").await, [""; 0]);
    for again in ["Patient/1", "Patient/never"] {
        assert_eq!(ehr.ask(&format!("DELETE {again}"), &[], "").await.status, 204);
    }
    assert_eq!(ehr.running.versions(&"Patient/1".parse().unwrap()).len(), 2);

    let stale = ehr.ask("PUT Patient/1", &["If-Match: W/\"1\""], &with_id("1", "a")).await;
    assert_eq!(stale.status, 412);
    let any = ehr.ask("PUT Patient/1", &["If-Match: *"], &with_id("1", "a")).await;
    assert_eq!(any.status, 412);
    let back = ehr.ask("PUT Patient/1", &["If-Match: W/\"2\""], &with_id("1", "a")).await;
    assert_eq!((back.status, back.header("etag")), (201, "W/\"3\""));
}

#[tokio::test]
async fn a_read_is_not_repeated_for_a_client_that_has_it() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let same = ehr.ask("GET Patient/1", &["If-None-Match: W/\"1\""], "").await;
    assert_eq!((same.status, same.header("etag"), same.text.as_str()), (304, "W/\"1\"", ""));
    let other = ehr.ask("GET Patient/1", &["If-None-Match: W/\"7\""], "").await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn the_client_chooses_what_a_write_answers() {
    let ehr = Ehr::counting().await;
    for (prefer, body) in [
        ("return=minimal", ""),
        ("return=representation", "Patient"),
        ("return=OperationOutcome; handling=strict", "OperationOutcome"),
        ("handling=lenient, return=minimal", ""),
    ] {
        let header = format!("Prefer: {prefer}");
        let answer = ehr.ask("POST Patient", &[&header], &patient("a")).await;
        assert_eq!((answer.status, answer.header("etag")), (201, "W/\"1\""), "{prefer}");
        assert_ne!(answer.header("location"), "");
        match body {
            "" => assert_eq!(answer.text, "", "{prefer}"),
            name => assert_eq!(answer.resource().resource_type(), name, "{prefer}"),
        }
    }
    let deleted = ehr.ask("DELETE Patient/1", &["Prefer: return=OperationOutcome"], "").await;
    assert_eq!((deleted.status, deleted.issue().as_str()), (200, "informational"));
}

#[tokio::test]
async fn references_must_lead_somewhere() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let flag = |reference: &str| {
        format!(
            r#"{{"resourceType":"Flag","status":"active","subject":{{"reference":"{reference}"}}}}"#
        )
    };
    let own = format!("{}/Patient/1", ehr.running.base_url());
    for fine in
        ["Patient/1", "Patient/1/_history/1", "#p", "https://example.org/fhir/Patient/9", &own]
    {
        assert_eq!(ehr.post("Flag", &flag(fine)).await.status, 201, "{fine}");
    }
    let other = own.replace("Patient/1", "Patient/9");
    for dangling in
        ["Patient/9", "Substance/1", "urn:uuid:x", "Patient?identifier=urn:test|a", &other]
    {
        let answer = ehr.post("Flag", &flag(dangling)).await;
        assert_eq!((answer.status, answer.issue().as_str()), (400, "not-found"), "{dangling}");
    }
    let delete = ehr.ask("DELETE Patient/1", &[], "").await;
    assert_eq!((delete.status, delete.issue().as_str()), (409, "conflict"));
    for id in 2..=6 {
        assert_eq!(ehr.ask(&format!("DELETE Flag/{id}"), &[], "").await.status, 204);
    }
    assert_eq!(ehr.ask("DELETE Patient/1", &[], "").await.status, 204);
}
