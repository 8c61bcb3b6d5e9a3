//! Histories: of a resource, of a type, of the server.

use ipt_fhir::fhir::Bundle;

use super::{Ehr, patient};

fn steps(bundle: &Bundle) -> Vec<String> {
    let step = |entry: &ipt_fhir::fhir::Entry| {
        let (request, response) =
            (entry.request.as_ref().unwrap(), entry.response.as_ref().unwrap());
        format!(
            "{} {} {} {}",
            request.method,
            request.url,
            response.code().unwrap(),
            response.etag.as_deref().unwrap()
        )
    };
    bundle.entries.iter().map(step).collect()
}

async fn filled() -> Ehr {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let group = r#"{"resourceType":"Group","id":"g","type":"person","actual":true}"#;
    ehr.ask("PUT Group/g", &[], group).await;
    let changed = patient("b").replacen('{', r#"{"id":"1","#, 1);
    ehr.ask("PUT Patient/1", &[], &changed).await;
    ehr.ask("DELETE Patient/1", &[], "").await;
    ehr
}

#[tokio::test]
async fn histories_go_back_from_the_newest() {
    let ehr = filled().await;
    let patient =
        ["DELETE Patient/1 204 W/\"3\"", "PUT Patient/1 200 W/\"2\"", "POST Patient 201 W/\"1\""];
    let answer = ehr.get("Patient/1/_history").await;
    let bundle = answer.bundle();
    assert_eq!((bundle.kind.as_str(), bundle.total), ("history", Some(3)));
    assert_eq!(steps(&bundle), patient);
    let contents: Vec<bool> = bundle.entries.iter().map(|entry| entry.resource.is_some()).collect();
    assert_eq!(contents, [false, true, true]);
    let full_url = format!("{}/Patient/1", ehr.running.base_url());
    assert!(bundle.entries.iter().all(|entry| entry.full_url.as_ref() == Some(&full_url)));
    assert_eq!(steps(&ehr.get("Patient/_history").await.bundle()), patient);
    let all = ehr.get("_history").await.bundle();
    assert_eq!(steps(&all)[2], "PUT Group/g 201 W/\"1\"");
    assert_eq!(all.entries.len(), 4);
    assert_eq!(ehr.get("Patient/2/_history").await.status, 404);
    assert_eq!(ehr.get("Group/_history?_since=x").await.status, 400);
}

#[tokio::test]
async fn histories_have_pages_and_a_beginning() {
    let ehr = filled().await;
    let mut url = "Patient/_history?_count=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let bundle = ehr.get(&url).await.bundle();
        assert_eq!(bundle.entries.len(), 1);
        seen.extend(steps(&bundle));
        // What is written meanwhile shows on no later page.
        ehr.post("Patient", &patient("later")).await;
        match bundle.link("next") {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 3);
    assert!(seen[0].starts_with("DELETE") && seen[2].starts_with("POST"), "{seen:?}");

    let deletion = ehr.running.versions(&"Patient/1".parse().unwrap())[2].last_updated;
    let since = ehr.get(&format!("Patient/1/_history?_since={deletion}&colour=red")).await.bundle();
    assert_eq!(since.entries.len(), 1);
    let self_link = since.link("self").unwrap();
    assert!(self_link.contains("_since=") && !self_link.contains("colour"));
    let strict = ehr.ask("GET Patient/_history?colour=red", &["Prefer: handling=strict"], "").await;
    assert_eq!(strict.status, 400);
}
