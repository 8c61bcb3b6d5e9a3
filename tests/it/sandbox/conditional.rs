//! Conditional create, update and delete.

use super::{Ehr, patient};

#[tokio::test]
async fn a_conditional_create_stores_one() {
    let ehr = Ehr::counting().await;
    let create = async |condition: &str| {
        let header = format!("If-None-Exist: {condition}");
        ehr.ask("POST Patient", &[&header], &patient("a")).await
    };
    let first = create("identifier=urn:test|a").await;
    assert_eq!((first.status, first.header("etag")), (201, "W/\"1\""));
    for same in ["identifier=urn:test%7Ca", "identifier=a&active=true", "_id=1"] {
        let found = create(same).await;
        assert_eq!((found.status, found.header("etag")), (200, "W/\"1\""), "{same}");
        assert_eq!(found.header("location"), first.header("location"));
        assert_eq!(found.text, first.text);
    }
    ehr.post("Patient", &patient("a")).await;
    let several = create("identifier=urn:test|a").await;
    assert_eq!((several.status, several.issue().as_str()), (412, "multiple-matches"));
    for unusable in [
        "",
        "identifier=",
        "name",
        "colour=red",
        "identifier=x&colour=red",
        "_sort=_id",
        "identifier=|",
    ] {
        assert_eq!(create(unusable).await.status, 400, "{unusable}");
    }
    let twice = ["If-None-Exist: identifier=x", "If-None-Exist: identifier=y"];
    assert_eq!(ehr.ask("POST Patient", &twice, &patient("x")).await.status, 400);
    assert_eq!(ehr.running.writes(), 2);
}

#[tokio::test]
async fn parallel_conditional_creates_store_one() {
    let ehr = std::sync::Arc::new(Ehr::counting().await);
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let ehr = std::sync::Arc::clone(&ehr);
        asked.spawn(async move {
            let condition = ["If-None-Exist: identifier=urn:test|a"];
            ehr.ask("POST Patient", &condition, &patient("a")).await.status
        });
    }
    let mut statuses = asked.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses.pop(), Some(201));
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(ehr.running.resources().len(), 1);
}

#[tokio::test]
async fn a_conditional_update_finds_its_resource() {
    let ehr = Ehr::counting().await;
    let put = async |body: &str, headers: &[&str]| {
        ehr.ask("PUT Patient?identifier=urn:test|a", headers, body).await
    };
    let made = put(&patient("a"), &[]).await;
    assert_eq!((made.status, made.text_at("/id").as_str()), (201, "1"));
    let changed = patient("a").replace("true", "false");
    let found = put(&changed, &[]).await;
    assert_eq!((found.status, found.header("etag")), (200, "W/\"2\""));
    let with_id = |id: &str| changed.replacen('{', &format!(r#"{{"id":"{id}","#), 1);
    assert_eq!(put(&with_id("1"), &[]).await.header("etag"), "W/\"2\"");
    assert_eq!(put(&with_id("7"), &[]).await.status, 400);
    assert_eq!(put(&patient("a"), &["If-Match: W/\"1\""]).await.status, 412);
    let own = ehr.ask("PUT Patient?identifier=urn:test|b", &[], &with_id("mine")).await;
    assert_eq!((own.status, own.text_at("/id").as_str()), (201, "mine"));
    assert_eq!(put(&changed, &[]).await.status, 412, "two have the identifier now");
    assert_eq!(ehr.ask("PUT Patient", &[], &changed).await.status, 400);
}

#[tokio::test]
async fn a_conditional_delete_ends_one_at_most() {
    let ehr = Ehr::counting().await;
    for value in ["a", "b", "b"] {
        ehr.post("Patient", &patient(value)).await;
    }
    let delete = async |search: &str| ehr.ask(&format!("DELETE {search}"), &[], "").await.status;
    assert_eq!(delete("Patient?identifier=urn:test|a").await, 204);
    assert_eq!(ehr.get("Patient/1").await.status, 410);
    assert_eq!(delete("Patient?identifier=urn:test|a").await, 204);
    assert_eq!(delete("Patient?identifier=urn:test|b").await, 412);
    assert_eq!(delete("Patient").await, 400);
    assert_eq!(delete("Patient?colour=red").await, 400);
    assert_eq!(ehr.running.resources().len(), 2);
}
