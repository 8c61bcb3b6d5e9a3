//! The Epic-like server: notes, problems, protected and merged patients.

use ipt_fhir::fhir::ResourceId;
use ipt_fhir::sandbox::Personality;

use super::Ehr;

/// A note as that server takes it; `change` puts one text in the place of another.
fn note(change: (&str, &str)) -> String {
    let text = r#"{"resourceType":"DocumentReference","status":"current","docStatus":"final",
        "identifier":[{"system":"urn:test","value":"note"}],
        "type":{"coding":[{"system":"http://loinc.org","code":"34904-3"}]},
        "subject":{"reference":"Patient/lee"},"author":[{"reference":"Practitioner/p"}],
        "content":[{"attachment":{"contentType":"text/plain","data":"YSBub3Rl"}}],
        "context":{"encounter":[{"reference":"Encounter/visit"}]}}"#;
    let changed = text.replace(change.0, change.1);
    assert!(change.0.is_empty() || changed != text, "{}", change.0);
    changed
}

fn problem(status: &str, note: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/lee"}},"code":{{"text":"depression"}},
        "verificationStatus":{{"coding":[{{"code":"{status}"}}]}},"note":[{{"text":"{note}"}}]}}"#
    )
}

async fn epic() -> Ehr {
    Ehr::playing(Personality::Epic).await
}

#[tokio::test]
async fn a_note_is_filed_and_given_back_as_a_link() {
    let ehr = epic().await;
    assert!(ehr.running.base_url().ends_with("/api/FHIR/R4"));
    let made = ehr.post("DocumentReference", &note(("", ""))).await;
    assert_eq!((made.status, made.text.as_str(), made.header("etag")), (201, "", ""));
    let place = made.header("location").to_owned();
    assert!(place.starts_with("DocumentReference/") && !place.contains("_history"), "{place}");
    let read = ehr.get(&place).await;
    assert_eq!((read.status, read.header("etag")), (200, ""));
    for gone in ["versionId", "identifier", "author", "\"data\""] {
        assert!(!read.text.contains(gone), "{gone}");
    }
    let link = read.text_at("/content/0/attachment/url");
    assert!(link.starts_with("Binary/"));
    let binary = ehr.get(&link).await;
    assert_eq!(
        (binary.text_at("/data").as_str(), binary.text_at("/contentType").as_str()),
        ("YSBub3Rl", "text/plain")
    );
    let notes = ehr.running.of_type("DocumentReference");
    assert_eq!(ehr.running.attachment(&notes[0]).unwrap(), b"a note");
    // A replay files a second copy, whatever the condition.
    let again = ehr
        .ask(
            "POST DocumentReference",
            &["If-None-Exist: identifier=urn:test|note"],
            &note(("", "")),
        )
        .await;
    assert_eq!(again.status, 201);
    assert_eq!(ehr.found("DocumentReference?patient=lee").await.len(), 2);
    assert_eq!(ehr.found("DocumentReference?patient=Patient/lee&type=34904-3").await.len(), 2);
    assert_eq!(ehr.found("DocumentReference?patient=lee&identifier=urn:test|note").await.len(), 0);
    let changed = note(("{\"resourceType\"", "{\"id\":\"x\",\"resourceType\""));
    let update = ehr.ask(&format!("PUT {place}"), &[], &changed).await;
    assert_eq!(update.coded(), (422, "59159".to_owned()));
}

#[tokio::test]
async fn what_is_no_note_is_refused_with_a_number() {
    let ehr = epic().await;
    let data = r#""data":"YSBub3Rl""#;
    for (change, status, code) in [
        (("text/plain", "application/pdf"), 400, "59102"),
        (("\"current\"", "\"superseded\""), 400, "59102"),
        (("\"final\"", "\"amended\""), 400, "59102"),
        (("\"docStatus\":\"final\",", ""), 400, "59108"),
        (("http://loinc.org", "urn:other"), 400, "59102"),
        ((data, "\"url\":\"Binary/1\""), 400, "59108"),
        ((data, "\"data\":\"\""), 400, "59102"),
        ((data, "\"data\":\"not base64\""), 400, "59102"),
        (("\"content\":[{", "\"content\":[{\"attachment\":{}},{"), 422, "59159"),
        (("Patient/lee", "Patient/nobody"), 422, "59144"),
        (("\"subject\":{\"reference\":\"Patient/lee\"},", ""), 400, "59108"),
        (("Encounter/visit", "Encounter/none"), 422, "59144"),
        (("Encounter/visit", "urn:uuid:0189a9d0-0000-4000-8000-000000000000"), 422, "59144"),
        (("Encounter/visit", "Encounter/foreign"), 422, "59159"),
        (("\"encounter\"", "\"related\""), 400, "59108"),
    ] {
        let answer = ehr.post("DocumentReference", &note(change)).await;
        assert_eq!(answer.coded(), (status, code.to_owned()), "{change:?}");
        assert_eq!(answer.resource().resource_type(), "OperationOutcome");
    }
    for other in
        ["Observation", "QuestionnaireResponse", "Procedure", "ServiceRequest", "Communication"]
    {
        let body =
            format!(r#"{{"resourceType":"{other}","subject":{{"reference":"Patient/lee"}}}}"#);
        assert_eq!(ehr.post(other, &body).await.coded(), (422, "59159".to_owned()), "{other}");
    }
    assert_eq!(ehr.running.writes(), 0);
}

#[tokio::test]
async fn a_search_of_a_chart_names_its_patient() {
    let ehr = epic().await;
    for (search, code) in [
        ("DocumentReference", "4110"),
        ("DocumentReference?identifier=urn:test|note", "4111"),
        ("Condition?category=problem-list-item", "4111"),
        ("CarePlan?patient=lee", "4111"),
        ("CarePlan?category=assess-plan", "4111"),
    ] {
        assert_eq!(ehr.get(search).await.coded(), (400, code.to_owned()), "{search}");
    }
    assert_eq!(ehr.get("?_page=gone&_offset=1").await.coded(), (410, "4113".to_owned()));
    for search in
        ["CarePlan?patient=lee&category=assess-plan", "Condition?_id=1", "Patient?family=Lee"]
    {
        assert_eq!(ehr.get(search).await.status, 200, "{search}");
    }
}

#[tokio::test]
async fn a_problem_waits_where_no_search_finds_it() {
    let ehr = epic().await;
    let confirmed = ehr.post("Condition", &problem("confirmed", "")).await;
    assert_eq!(confirmed.coded(), (422, "59012".to_owned()));
    let long = ehr.post("Condition", &problem("provisional", &"x".repeat(451))).await;
    assert_eq!(long.coded(), (422, "59159".to_owned()));
    let made = ehr.post("Condition", &problem("provisional", &"x".repeat(450))).await;
    assert_eq!((made.status, made.text.as_str()), (201, ""));
    let id: ResourceId = made.header("location").parse().unwrap();
    assert_eq!(ehr.running.held(), std::slice::from_ref(&id));
    assert!(ehr.found("Condition?patient=lee").await.is_empty());
    assert_eq!(ehr.get(made.header("location")).await.status, 200);
    assert!(ehr.running.approve(&id) && !ehr.running.approve(&id));
    assert_eq!(ehr.found("Condition?patient=lee").await, [id.to_string()]);
}

#[tokio::test]
async fn a_protected_patient_is_a_matter_of_policy() {
    let ehr = epic().await;
    let lee: ResourceId = "Patient/lee".parse().unwrap();
    ehr.running.set_protected(&lee, true);
    for request in [
        "GET Patient/lee",
        "GET Encounter/visit",
        "GET DocumentReference?patient=lee",
        "GET DocumentReference?patient=Patient/lee",
        "GET Patient?_id=lee",
    ] {
        assert_eq!(ehr.ask(request, &[], "").await.coded(), (403, "4130".to_owned()), "{request}");
    }
    assert_eq!(
        ehr.post("DocumentReference", &note(("", ""))).await.coded(),
        (403, "4130".to_owned())
    );
    assert_eq!(ehr.get("Patient/other").await.status, 200);
    ehr.running.set_protected(&lee, false);
    assert_eq!(ehr.get("Patient/lee").await.status, 200);
}

#[tokio::test]
async fn a_merged_patient_redirects_and_takes_nothing() {
    let ehr = epic().await;
    let (lee, other) = ("Patient/lee".parse().unwrap(), "Patient/other".parse().unwrap());
    assert!(ehr.running.merge(&lee, &other));
    let read = ehr.get("Patient/lee").await;
    assert_eq!(read.coded(), (301, "4107".to_owned()));
    assert!(read.header("location").ends_with("/Patient/other"));
    assert_eq!(
        ehr.post("DocumentReference", &note(("", ""))).await.coded(),
        (422, "4107".to_owned())
    );
    assert_eq!(ehr.get("DocumentReference?patient=lee").await.coded(), (422, "4107".to_owned()));
    assert_eq!(ehr.get("Encounter/visit").await.text_at("/subject/reference"), "Patient/other");
}
