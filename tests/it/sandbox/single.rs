//! Single interactions: create, read, update, delete and their preconditions.

use super::{Ehr, patient};

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
    for missing in ["Patient/2", "Patient/1/_history/2", "Patient/1/_history/x", "Patient/%41"] {
        let answer = ehr.get(missing).await;
        assert_eq!((answer.status, answer.issue().as_str()), (404, "not-found"), "{missing}");
    }
}
