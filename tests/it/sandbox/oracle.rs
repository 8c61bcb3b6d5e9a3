//! The Oracle-like server: documents that are updated in place, and what is passed over in silence.

use ipt_fhir::sandbox::Personality;

use super::Ehr;

fn document(changes: &[(&str, &str)]) -> String {
    let mut text = r#"{"resourceType":"DocumentReference","status":"current","docStatus":"final",
        "identifier":[{"system":"urn:test","value":"a"}],
        "relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}}],
        "type":{"coding":[{"system":"http://loinc.org","code":"34904-3"}]},
        "subject":{"reference":"Patient/lee"},
        "content":[{"attachment":{"contentType":"application/pdf","data":"JVBERg=="}}],
        "context":{"encounter":[{"reference":"Encounter/visit"}],
          "period":{"start":"2026-02-02T10:00:00Z","end":"2026-02-02T10:50:00Z"}}}"#
        .to_owned();
    for (from, to) in changes {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        text = changed;
    }
    text
}

fn issue(answer: &super::ask::Asked) -> (u16, String) {
    (answer.status, answer.issue())
}

async fn oracle() -> Ehr {
    Ehr::playing(Personality::Oracle).await
}

#[tokio::test]
async fn a_document_is_updated_in_place() {
    let ehr = oracle().await;
    let made = ehr.post("DocumentReference", &document(&[])).await;
    assert_eq!((made.status, made.text.as_str(), made.header("etag")), (201, "", "W/\"1\""));
    let place = made.header("location").split("/_history").next().unwrap().to_owned();
    let read = ehr.get(&place).await;
    assert!(!read.text.contains("identifier") && !read.text.contains("relatesTo"));
    let link = read.text_at("/content/0/attachment/url");
    assert_eq!(ehr.get(&link).await.text_at("/data"), "JVBERg==");
    let id = read.text_at("/id");
    let put = format!("PUT DocumentReference/{id}");
    let own = format!(r#"{{"id":"{id}","resourceType""#);
    let with_id = ("{\"resourceType\"", own.as_str());
    let amended = document(&[with_id, ("\"final\"", "\"amended\""), ("JVBERg==", "JVBERi0=")]);
    for (headers, status) in
        [(vec![], 412), (vec!["If-Match: W/\"9\""], 412), (vec!["If-Match: W/\"1\""], 200)]
    {
        assert_eq!(ehr.ask(&put, &headers, &amended).await.status, status, "{headers:?}");
    }
    let stale = ehr.ask(&put, &["If-Match: W/\"1\""], &document(&[with_id])).await;
    assert_eq!(stale.status, 412);
    let current = ["If-Match: W/\"2\""];
    for change in [("Patient/lee", "Patient/other"), ("Encounter/visit", "Encounter/foreign")] {
        let moved = ehr.ask(&put, &current, &document(&[with_id, change])).await;
        assert_eq!(issue(&moved), (422, "business-rule".to_owned()), "{change:?}");
    }
    let retracted = document(&[with_id, ("\"current\"", "\"entered-in-error\"")]);
    assert_eq!(ehr.ask(&put, &current, &retracted).await.status, 200);
    assert_eq!(ehr.found("DocumentReference?patient=lee").await.len(), 1);
    assert_eq!(ehr.get(&place).await.text_at("/status"), "entered-in-error");
}

#[tokio::test]
async fn what_is_no_document_is_refused() {
    let ehr = oracle().await;
    for (change, status, code) in [
        (("application/pdf", "text/plain; charset=utf-8"), 422, "value"),
        (("application/pdf", "text/html"), 422, "required"),
        (("application/pdf", "application/xhtml+xml"), 422, "required"),
        (("\"docStatus\":\"final\",", ""), 422, "required"),
        (("\"docStatus\":\"final\"", "\"docStatus\":\"preliminary\""), 422, "value"),
        (("\"content\":[{", "\"content\":[{\"attachment\":{}},{"), 422, "business-rule"),
        ((",\"end\":\"2026-02-02T10:50:00Z\"", ""), 422, "required"),
        (("2026-02-02T10:50:00Z", "2026-02-02"), 422, "value"),
        (("Encounter/visit", "Encounter/none"), 422, "not-found"),
        (("Encounter/visit", "Encounter/foreign"), 422, "business-rule"),
        (("Patient/lee", "Patient/nobody"), 422, "not-found"),
        (
            (
                "\"status\":\"current\"",
                "\"modifierExtension\":[{\"url\":\"urn:x\"}],\"status\":\"current\"",
            ),
            422,
            "extension",
        ),
    ] {
        let answer = ehr.post("DocumentReference", &document(&[change])).await;
        assert_eq!(issue(&answer), (status, code.to_owned()), "{change:?}");
    }
    assert_eq!(ehr.running.writes(), 0, "no Binary is left of what was refused");
    for kind in
        ["text/html;charset=utf-8", "application/xhtml+xml; charset=UTF-8", "application/rtf"]
    {
        let taken = ehr.post("DocumentReference", &document(&[("application/pdf", kind)])).await;
        assert_eq!(taken.status, 201, "{kind}");
    }
}

#[tokio::test]
async fn a_condition_can_be_created_and_updated() {
    let ehr = oracle().await;
    let condition = |category: &str, encounter: &str, status: &str| {
        format!(
            r#"{{"resourceType":"Condition","identifier":[{{"value":"a"}}],"subject":{{"reference":"Patient/lee"}},
            "clinicalStatus":{{"coding":[{{"code":"{status}"}}]}},"code":{{"text":"depression"}},
            "verificationStatus":{{"coding":[{{"code":"confirmed"}}]}},
            "category":[{{"coding":[{{"code":"{category}"}}]}}]{encounter}}}"#
        )
    };
    let made = ehr.post("Condition", &condition("problem-list-item", "", "active")).await;
    assert_eq!((made.status, made.header("etag")), (201, "W/\"1\""));
    let place = made.header("location").split("/_history").next().unwrap().to_owned();
    assert!(!ehr.get(&place).await.text.contains("identifier"));
    let of_visit = ehr.post("Condition", &condition("encounter-diagnosis", "", "active")).await;
    assert_eq!(issue(&of_visit), (422, "required".to_owned()));
    let foreign = r#","encounter":{"reference":"Encounter/foreign"}"#;
    let foreign = ehr.post("Condition", &condition("encounter-diagnosis", foreign, "active")).await;
    assert_eq!(issue(&foreign), (422, "business-rule".to_owned()));
    let id = place.rsplit('/').next().unwrap();
    let resolved = condition("problem-list-item", "", "resolved").replacen(
        '{',
        &format!(r#"{{"id":"{id}","#),
        1,
    );
    assert_eq!(
        ehr.ask(&format!("PUT {place}"), &["If-Match: W/\"1\""], &resolved).await.status,
        200
    );
}

#[tokio::test]
async fn other_ways_of_its_own() {
    let ehr = oracle().await;
    let xml = ehr.ask("GET Patient/lee", &["Accept: application/fhir+xml"], "").await;
    assert_eq!((xml.status, xml.text.as_str()), (406, ""));
    let since = "_lastUpdated=ge2026-01-01";
    assert_eq!(ehr.get(&format!("Encounter?patient=lee&{since}")).await.status, 400);
    let closed = format!("Encounter?patient=lee&{since}&_lastUpdated=le2099-01-01");
    assert_eq!(ehr.found(&closed).await, ["Encounter/visit"]);
    let score = r#"{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/lee"},
        "category":[{"coding":[{"code":"survey"}]}],"code":{"text":"PHQ-9"}}"#;
    assert_eq!(issue(&ehr.post("Observation", score).await), (422, "business-rule".to_owned()));
    let encounter =
        r#"{"resourceType":"Encounter","status":"finished","subject":{"reference":"Patient/lee"}}"#;
    assert_eq!(issue(&ehr.post("Encounter", encounter).await), (422, "business-rule".to_owned()));
    let rename = r#"[{"op":"test","path":"/status","value":"finished"},{"op":"replace","path":"/status","value":"cancelled"}]"#;
    let json_patch = "Content-Type: application/json-patch+json";
    for (tag, status) in [
        ("", 412),
        ("If-Match: W/\"7\"", 412),
        ("If-Match: W/\"1\"", 200),
        ("If-Match: W/\"2\"", 422),
    ] {
        let headers: Vec<&str> =
            [json_patch, tag].into_iter().filter(|one| !one.is_empty()).collect();
        assert_eq!(
            ehr.ask("PATCH Encounter/visit", &headers, rename).await.status,
            status,
            "{tag}"
        );
    }
    assert_eq!(ehr.get("Encounter/visit").await.text_at("/status"), "cancelled");
    assert_eq!(ehr.ask("PATCH Condition/1", &[json_patch], "[]").await.status, 405);
    let batch = |method: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"batch","entry":[{{"request":{{"method":"{method}","url":"Patient/lee"}}}}]}}"#
        )
    };
    assert_eq!(ehr.post("", &batch("GET")).await.status, 200);
    assert_eq!(ehr.post("", &batch("DELETE")).await.status, 422);
}
