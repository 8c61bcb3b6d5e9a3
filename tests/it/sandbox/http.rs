//! HTTP itself: content negotiation, bodies, methods, and the CapabilityStatement.

use ipt_fhir::fhir::Capability;

use super::{Ehr, patient};

#[tokio::test]
async fn it_speaks_json_only() {
    let ehr = Ehr::counting().await;
    for accept in [
        "application/fhir+json",
        "application/json;q=0.5, text/html",
        "*/*",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+xml, application/fhir+json;q=0.1",
    ] {
        let header = format!("Accept: {accept}");
        assert_eq!(ehr.ask("GET Patient", &[&header], "").await.status, 200, "{accept}");
    }
    for accept in [
        "application/fhir+xml",
        "text/html",
        "application/fhir+json;q=0",
        "application/fhir+json; fhirVersion=5.0",
    ] {
        let header = format!("Accept: {accept}");
        let answer = ehr.ask("GET Patient", &[&header], "").await;
        assert_eq!((answer.status, answer.issue().as_str()), (406, "not-supported"), "{accept}");
    }
    for (format, status) in [
        ("json", 200),
        ("application/fhir%2Bjson", 200),
        ("application/fhir+json", 200),
        ("xml", 406),
    ] {
        let answer =
            ehr.ask(&format!("GET Patient?_format={format}"), &["Accept: text/html"], "").await;
        assert_eq!(answer.status, status, "{format}");
    }
    assert!(ehr.get("Patient?_pretty=true").await.text.contains("\n  \"type\""));
}

#[tokio::test]
async fn bodies_are_json_in_utf8() {
    let ehr = Ehr::counting().await;
    for (content_type, status) in [
        ("application/fhir+json; charset=UTF-8", 201),
        ("application/json", 201),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("application/fhir+json; charset=iso-8859-1", 415),
        ("application/fhir+json; fhirVersion=5.0", 415),
    ] {
        let header = format!("Content-Type: {content_type}");
        assert_eq!(
            ehr.ask("POST Patient", &[&header], &patient("a")).await.status,
            status,
            "{content_type}"
        );
    }
    for body in
        ["{", "[]", "null", r#"{"a":1}"#, r#"{"resourceType":"Patient","a":1,"a":2}"#, "John Lee"]
    {
        let answer = ehr.post("Patient", body).await;
        assert_eq!((answer.status, answer.issue().as_str()), (400, "structure"), "{body}");
        assert!(!answer.text.contains("John"));
    }
    let empty = ehr.ask("POST Patient", &["Content-Type: application/fhir+json"], "").await;
    assert_eq!(empty.status, 400);
    let large = format!(r#"{{"resourceType":"Patient","x":"{}"}}"#, "x".repeat(17 << 20));
    let answer = ehr.post("Patient", &large).await;
    assert_eq!((answer.status, answer.issue().as_str()), (413, "too-long"));
    assert_eq!(ehr.running.writes(), 2);
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let ehr = Ehr::counting().await;
    for (request, status) in [
        ("GET Substance/1", 404),
        ("GET Substance", 404),
        ("GET patient/1", 404),
        ("GET Patient/1/$everything", 404),
        ("GET Patient/1/Observation", 404),
        ("PATCH Patient/1", 405),
        ("POST Patient/1", 405),
        ("DELETE metadata", 405),
        ("PUT Patient/1/_history", 405),
        ("DELETE Patient/1/_history/1", 405),
        ("PUT ", 405),
        ("GET ", 405),
        ("GET Patient/_search", 405),
        ("OPTIONS Patient", 405),
    ] {
        let answer =
            ehr.ask(request, &["Content-Type: application/fhir+json"], &patient("a")).await;
        assert_eq!(answer.status, status, "{request}: {}", answer.text);
        assert_eq!(answer.resource().resource_type(), "OperationOutcome");
        assert_eq!(
            answer.header("allow").is_empty(),
            status == 404 || request.starts_with("OPTIONS"),
            "{request}"
        );
    }
    let base = ehr.running.base_url().to_owned();
    let outside = base.replace("/fhir", "/fhirs/Patient");
    assert_eq!(ehr.get(&outside).await.status, 404);
    let rebound = ehr.ask("GET Patient", &["Host: example.org:80"], "").await;
    assert_eq!((rebound.status, rebound.issue().as_str()), (421, "security"));
    let named = ehr.ask("GET Patient", &["X-Request-Id: a-1", "Host: localhost"], "").await;
    assert_eq!((named.status, named.header("x-request-id")), (421, "a-1"), "another port");
}

#[tokio::test]
async fn the_statement_says_what_it_does() {
    let ehr = Ehr::counting().await;
    let answer = ehr.get("metadata").await;
    let capability = Capability::from_statement(&answer.resource());
    assert_eq!(answer.text_at("/fhirVersion"), "4.0.1");
    assert!(
        ["transaction", "batch", "history-system"]
            .iter()
            .all(|code| capability.allows_system(code))
    );
    assert!(!capability.allows_system("search-system"));
    // Each type: what is listed works, what is not listed is refused.
    for (name, listed) in &capability.resources {
        assert!(listed.conditional_create && listed.update_create);
        let strict = ["Prefer: handling=strict"];
        for parameter in &listed.search_parameters {
            let ask = format!("GET {name}?{parameter}:missing=true&_count=0");
            assert_eq!(ehr.ask(&ask, &strict, "").await.status, 200, "{ask}");
        }
        assert_eq!(ehr.get(&format!("{name}/_history")).await.status, 200);
        assert_eq!(ehr.get(&format!("{name}/1")).await.status, 404);
    }
    let includes = answer.at("/rest/0/resource/2/searchInclude");
    for include in includes.as_array().unwrap() {
        let ask = format!("GET CarePlan?_include={}", include.as_str().unwrap());
        assert_eq!(ehr.ask(&ask, &["Prefer: handling=strict"], "").await.status, 200, "{ask}");
    }
}
