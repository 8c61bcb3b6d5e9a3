//! What the store keeps of EHRs' capabilities and refusals, and how an older store comes to have the tables.

use ipt_fhir::fhir::{Refusal, Resource};
use ipt_fhir::store::{Error, Shadow, StatementChange, Store};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{link, moment, shadow};

const BASE: &str = "https://ehr.example.org/fhir";

fn statement(date: &str, interaction: &str) -> Resource {
    let text = format!(
        r#"{{"resourceType":"CapabilityStatement","date":"{date}","rest":[{{"mode":"server","resource":[
            {{"type":"Goal","interaction":[{{"code":"{interaction}"}}]}}]}}]}}"#
    );
    Resource::parse(text.as_bytes()).unwrap()
}

fn later(hours: i64) -> jiff::Timestamp {
    moment().checked_add(jiff::Span::new().hours(hours)).unwrap()
}

#[tokio::test]
async fn a_statement_is_kept_and_a_change_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.capability("clinic", BASE).await.unwrap(), None);
    let first = statement("2026-01-01", "read");
    let keep = async |store: &Store, statement: &Resource, hours| {
        store.keep_capability("clinic", BASE, statement, later(hours)).await.unwrap()
    };
    assert_eq!(keep(&store, &first, 0).await, StatementChange::First);
    let again = statement("2026-02-02", "read");
    assert_eq!(keep(&store, &again, 1).await, StatementChange::Same);
    drop(store);
    let store = Store::open(&path).await.unwrap();
    let kept = store.capability("clinic", BASE).await.unwrap().unwrap();
    assert_eq!((kept.statement, kept.fetched_at), (again, later(1)));
    assert_eq!(kept.digest.len(), 64);
    // Another server under the same name, and another name at the same server.
    assert_eq!(store.capability("clinic", "https://other.example.org").await.unwrap(), None);
    assert_eq!(store.capability("other", BASE).await.unwrap(), None);
    assert_eq!(keep(&store, &statement("2026-02-02", "create"), 2).await, StatementChange::Changed);
    let moved =
        store.keep_capability("clinic", "https://b.example", &first, later(3)).await.unwrap();
    assert_eq!(moved, StatementChange::First);
    assert_eq!(store.capability("clinic", BASE).await.unwrap(), None);
}

#[tokio::test]
async fn a_refusal_is_believed_for_a_day_and_no_longer_than_the_statement() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    store.keep_capability("clinic", BASE, &statement("x", "read"), moment()).await.unwrap();
    let writer = store.writer("clinic").await.unwrap();
    let goal = Refusal::new("Goal", "create", 403, moment());
    let all = Refusal::new(Refusal::SYSTEM, "transaction", 501, later(2));
    writer.learn_refusal(BASE, &goal).await.unwrap();
    writer.learn_refusal(BASE, &all).await.unwrap();
    let believed =
        async |base: &str, hours| store.refusals("clinic", base, later(hours)).await.unwrap();
    assert_eq!(believed(BASE, 3).await, [goal.clone(), all.clone()]);
    assert_eq!(believed(BASE, 23).await.len(), 2);
    assert_eq!(believed(BASE, 24).await, std::slice::from_ref(&all));
    assert_eq!(believed(BASE, 26).await, []);
    assert_eq!(believed(BASE, -1).await, [], "before it was learned");
    assert_eq!(believed("https://other.example.org", 3).await, []);
    assert_eq!(store.refusals("other", BASE, later(3)).await.unwrap(), []);
    // Learned again, it lasts anew.
    let anew = Refusal::new("Goal", "create", 405, later(20));
    writer.learn_refusal(BASE, &anew).await.unwrap();
    assert_eq!(believed(BASE, 25).await, [anew, all]);
    // The same statement keeps what was learned, another one does not.
    store.keep_capability("clinic", BASE, &statement("y", "read"), later(21)).await.unwrap();
    assert_eq!(believed(BASE, 22).await.len(), 2);
    store.keep_capability("clinic", BASE, &statement("y", "create"), later(21)).await.unwrap();
    assert_eq!(believed(BASE, 22).await, []);
    writer.learn_refusal(BASE, &goal).await.unwrap();
    store.forget_refusals("other").await.unwrap();
    assert_eq!(believed(BASE, 1).await.len(), 1);
    store.forget_refusals("clinic").await.unwrap();
    assert_eq!(believed(BASE, 1).await, []);
}

#[tokio::test]
async fn a_damaged_statement_is_no_statement() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).await.unwrap();
    store.keep_capability("clinic", BASE, &statement("x", "read"), moment()).await.unwrap();
    let url = format!("sqlite:{}", path.join("ipt-fhir.sqlite").display());
    let mut behind = SqliteConnection::connect(&url).await.unwrap();
    for change in ["replace(statement, 'read', 'create')", "'{}'", "'nothing'"] {
        let sql = format!("UPDATE capability SET statement = {change}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut behind).await.unwrap();
        let error = store.capability("clinic", BASE).await.unwrap_err();
        assert_eq!(error, Error::Damaged("capability"), "{change}");
    }
    behind.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_version_1_gets_the_tables_and_keeps_what_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    {
        let store = Store::open(&path).await.unwrap();
        store.link(&link()).await.unwrap();
        let writer = store.writer("clinic").await.unwrap();
        writer.acknowledge(&link().plan, &[shadow(1)]).await.unwrap();
        drop(writer);
        store.close().await.unwrap();
    }
    // As the first program left it.
    let url = format!("sqlite:{}", path.join("ipt-fhir.sqlite").display());
    let mut behind = SqliteConnection::connect(&url).await.unwrap();
    let tables =
        "DROP TABLE capability; DROP TABLE refusal; DROP TABLE reference_link; DROP TABLE hand_off;
         ALTER TABLE operation DROP COLUMN seen";
    for statement in [tables, "PRAGMA user_version = 1"] {
        sqlx::raw_sql(statement).execute(&mut behind).await.unwrap();
    }
    let version = async |behind: &mut SqliteConnection| -> i64 {
        sqlx::query("PRAGMA user_version").fetch_one(behind).await.unwrap().try_get(0).unwrap()
    };
    assert_eq!(version(&mut behind).await, 1);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(version(&mut behind).await, 3);
    behind.close().await.unwrap();
    let there: Vec<Shadow> = store.ledger("clinic", &link().plan).await.unwrap().shadows;
    assert_eq!(there, [shadow(1)]);
    assert_eq!(store.links(None).await.unwrap(), [link()]);
    store.keep_capability("clinic", BASE, &statement("x", "read"), moment()).await.unwrap();
    let refusal = Refusal::new("Goal", "create", 403, moment());
    store.writer("clinic").await.unwrap().learn_refusal(BASE, &refusal).await.unwrap();
    assert_eq!(store.refusals("clinic", BASE, moment()).await.unwrap(), [refusal]);
}
