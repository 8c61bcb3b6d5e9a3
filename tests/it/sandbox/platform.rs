//! The platform servers: their limits, and where they leave the specification.

use ipt_fhir::sandbox::Personality;

use super::{Ehr, patient};

fn bundle(kind: &str, entries: &[String]) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{}]}}"#, entries.join(","))
}

fn create(number: usize, condition: bool) -> String {
    let value = format!("n{number}");
    let condition = if condition {
        format!(r#","ifNoneExist":"identifier=urn:test|{value}""#)
    } else {
        String::new()
    };
    format!(
        r#"{{"resource":{},"request":{{"method":"POST","url":"Patient"{condition}}}}}"#,
        patient(&value)
    )
}

fn creates(count: usize, condition: bool) -> Vec<String> {
    (0..count).map(|number| create(number, condition)).collect()
}

#[tokio::test]
async fn bundles_have_limits() {
    for (personality, most, status) in
        [(Personality::Azure, 500, 413), (Personality::Healthlake, 160, 400)]
    {
        let ehr = Ehr::playing(personality).await;
        let over = ehr.post("", &bundle("transaction", &creates(most + 1, false))).await;
        assert_eq!((over.status, over.issue().as_str()), (status, "too-costly"), "{personality:?}");
        assert_eq!(ehr.running.writes(), 0);
        assert_eq!(ehr.post("", &bundle("transaction", &creates(most, false))).await.status, 200);
    }
    let ehr = Ehr::playing(Personality::Medplum).await;
    assert_eq!(ehr.post("", &bundle("transaction", &creates(9, true))).await.status, 400);
    assert_eq!(ehr.post("", &bundle("transaction", &creates(8, true))).await.status, 200);
    let update = |number: usize| {
        format!(
            r#"{{"resource":{},"request":{{"method":"PUT","url":"Patient/u{number}"}}}}"#,
            patient("u").replacen('{', &format!(r#"{{"id":"u{number}","#), 1)
        )
    };
    let updates: Vec<String> = (0..51).map(update).collect();
    assert_eq!(ehr.post("", &bundle("transaction", &updates)).await.status, 400);
}

#[tokio::test]
async fn hapi_minds_if_match_where_it_does() {
    let ehr = Ehr::playing(Personality::Hapi).await;
    let own = |id: &str| patient("a").replacen('{', &format!(r#"{{"id":"{id}","#), 1);
    let made = ehr.ask("PUT Patient/a", &[], &own("a")).await;
    assert_eq!((made.status, made.header("location"), made.header("etag")), (201, "", "W/\"1\""));
    let changed = own("a").replace("true", "false");
    let stale = ["If-Match: W/\"7\""];
    assert_eq!(ehr.ask("PUT Patient/a", &stale, &changed).await.status, 409);
    // Overwrites, and deletes.
    assert_eq!(ehr.ask("PUT Patient?identifier=urn:test|a", &stale, &changed).await.status, 200);
    assert_eq!(ehr.get("Patient?unknown=1").await.status, 400);
    let lenient = ["Prefer: handling=lenient"];
    assert_eq!(ehr.ask("GET Patient?unknown=1", &lenient, "").await.status, 200);
    assert_eq!(ehr.ask("DELETE Patient/a", &stale, "").await.status, 204);
    let answer = ehr.post("", &bundle("transaction", &creates(1, true))).await.bundle();
    assert_eq!(answer.entries[0].response.as_ref().unwrap().etag.as_deref(), Some("1"));
    let statement = ehr.get("metadata").await;
    assert!(
        !statement.text.contains("\"batch\"") && !statement.text.contains("\"updateCreate\":true")
    );
    assert_eq!(ehr.post("", &bundle("batch", &creates(1, true))).await.status, 200);
}

#[tokio::test]
async fn hapi_answers_a_search_again_as_it_was() {
    let ehr = Ehr::playing(Personality::Hapi).await;
    let total = async |caching: &str| {
        let header = format!("Cache-Control: {caching}");
        ehr.ask("GET Patient?active=true", &[&header], "").await.bundle().total
    };
    assert_eq!(total("max-age=600").await, Some(2));
    ehr.post("Patient", &patient("a")).await;
    assert_eq!(total("max-age=600").await, Some(2), "stale");
    assert_eq!(total("no-cache").await, Some(3));
    assert_eq!(total("max-age=600").await, Some(2), "stale again");
}

#[tokio::test]
async fn azure_tells_milliseconds_and_refuses_the_future() {
    let ehr = Ehr::playing(Personality::Azure).await;
    ehr.running.faults().next("GET", ipt_fhir::sandbox::Fault::RefuseBefore(429));
    let refused = ehr.get("Patient/lee").await;
    assert_eq!(
        (refused.status, refused.header("x-ms-retry-after-ms"), refused.header("retry-after")),
        (429, "1000", "")
    );
    let future =
        patient("a").replacen('{', r#"{"meta":{"lastUpdated":"2999-01-01T00:00:00Z"},"#, 1);
    assert_eq!(ehr.post("Patient", &future).await.status, 400);
    assert_eq!(ehr.post("Patient", &future.replace("2999", "2001")).await.status, 201);
}

#[tokio::test]
async fn google_creates_by_identifier_only() {
    let ehr = Ehr::playing(Personality::Google).await;
    let by = |condition: &str| format!("If-None-Exist: {condition}");
    let refused = ehr.ask("POST Patient", &[&by("family=Lee")], &patient("a")).await;
    assert_eq!((refused.status, refused.issue().as_str()), (400, "not-supported"));
    for status in [201, 200] {
        let answer = ehr.ask("POST Patient", &[&by("identifier=urn:test|a")], &patient("a")).await;
        assert_eq!(answer.status, status);
    }
    let inside = create(1, true).replace("identifier=", "family=");
    assert_eq!(ehr.post("", &bundle("transaction", &[inside])).await.status, 400);
    let own = patient("a").replacen('{', r#"{"id":"mine","#, 1);
    assert_eq!(ehr.ask("PUT Patient/mine", &[], &own).await.status, 404);
    assert!(ehr.get("metadata").await.text.contains("\"updateCreate\":false"));
}

#[tokio::test]
async fn healthlake_knows_a_request_again() {
    let ehr = Ehr::playing(Personality::Healthlake).await;
    let key = ["x-amz-fhir-idempotency-key: 0189a9d0-0000-4000-8000-000000000000"];
    let made = ehr.ask("POST Patient", &key, &patient("a")).await;
    let again = ehr.ask("POST Patient", &key, &patient("a")).await;
    assert_eq!((made.status, again.status), (201, 409));
    assert_eq!(made.text_at("/id"), again.text_at("/id"));
    let document = |count: usize| {
        use base64::Engine;
        let data = base64::engine::general_purpose::STANDARD.encode("x".repeat(count));
        format!(
            r#"{{"resourceType":"DocumentReference","status":"current","subject":{{"reference":"Patient/lee"}},
            "content":[{{"attachment":{{"contentType":"text/plain","data":"{data}"}}}}]}}"#
        )
    };
    let long = ehr.post("DocumentReference", &document(10_001)).await;
    assert_eq!((long.status, long.issue().as_str()), (400, "too-long"));
    let inside = format!(
        r#"{{"resource":{},"request":{{"method":"POST","url":"DocumentReference"}}}}"#,
        document(10_001)
    );
    assert_eq!(ehr.post("", &bundle("transaction", &[inside])).await.status, 400);
    assert_eq!(ehr.post("DocumentReference", &document(10_000)).await.status, 201);
}

#[tokio::test]
async fn medplum_has_ways_of_its_own() {
    let ehr = Ehr::playing(Personality::Medplum).await;
    let own = patient("a").replacen('{', r#"{"id":"mine","#, 1);
    let made = ehr.ask("PUT Patient/mine", &[], &own).await;
    assert_eq!(made.status, 200, "an update that creates");
    let tag = made.header("etag").to_owned();
    let version = made.text_at("/meta/versionId");
    assert!(uuid::Uuid::parse_str(&version).is_ok() && tag == format!("W/\"{version}\""));
    let changed = own.replace("true", "false");
    let numbered = ehr.ask("PUT Patient/mine", &["If-Match: W/\"1\""], &changed).await;
    assert_eq!(numbered.status, 412);
    let named = ehr.ask("PUT Patient/mine", &[&format!("If-Match: {tag}")], &changed).await;
    assert_eq!(named.status, 200);
    assert_ne!(named.header("etag"), tag);
    let old = ehr.get(&format!("Patient/mine/_history/{version}")).await;
    assert_eq!((old.status, old.text_at("/meta/versionId")), (200, version));
    // An unknown parameter looks like absence, and a conditional update by one creates.
    assert!(ehr.found("Patient?unknown=1").await.is_empty());
    let before = ehr.running.resources().len();
    assert!(ehr.ask("PUT Patient?unknown=1", &[], &patient("b")).await.status < 300);
    assert_eq!(ehr.running.resources().len(), before + 1);
    assert!(ehr.get("Patient?_count=1").await.bundle().links.is_empty());
    assert_eq!(ehr.ask("DELETE Patient/mine", &[], "").await.status, 204);
    assert_eq!(ehr.get("Patient/mine").await.status, 404);
    let answer = ehr.post("", &bundle("batch", &creates(1, false))).await.bundle();
    let response = answer.entries[0].response.as_ref().unwrap();
    assert!(response.etag.is_none() && !response.location.as_ref().unwrap().contains("_history"));
}
