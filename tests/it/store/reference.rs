//! Links besides the one to the Patient: they live and end with it, and a store of version 2 comes to have them.

use std::os::unix::fs::PermissionsExt;

use ipt_fhir::store::{Error, HandOff, HandOffState, Link, ReferenceLink, Store, digest};
use sqlx::{Connection as _, Row as _, SqliteConnection};
use uuid::Uuid;

use super::{link, moment, operation, shadow};

fn reference(item: u128, target: &str) -> ReferenceLink {
    ReferenceLink {
        ehr: "clinic".into(),
        plan: digest("plan"),
        item: Uuid::from_u128(item),
        target: target.parse().unwrap(),
        marks: vec![digest(target), digest("subject")],
        linked_at: moment(),
    }
}

async fn linked(store: &Store) -> Vec<ReferenceLink> {
    store.reference_links("clinic", &digest("plan")).await.unwrap()
}

#[tokio::test]
async fn references_are_kept_replaced_and_ended_one_by_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).await.unwrap();
    store.link(&link()).await.unwrap();
    let both = [reference(1, "Encounter/7"), reference(2, "Organization/3")];
    store.link_references(&link(), &both).await.unwrap();
    drop(store);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(linked(&store).await, both);
    assert_eq!(store.reference_links("other", &digest("plan")).await.unwrap(), []);
    assert_eq!(store.reference_links("clinic", &digest("other")).await.unwrap(), []);
    let moved = reference(1, "Encounter/8");
    store.link_reference(&link(), &moved).await.unwrap();
    // Two sessions of one hospital stay.
    let same_stay = reference(3, "Encounter/8");
    store.link_reference(&link(), &same_stay).await.unwrap();
    assert_eq!(linked(&store).await, [moved, both[1].clone(), same_stay.clone()]);
    let end = async |item| {
        let item = Uuid::from_u128(item);
        store.unlink_reference("clinic", &digest("plan"), item).await.unwrap()
    };
    assert!(end(1).await && end(2).await);
    assert!(!end(1).await && !end(9).await);
    assert_eq!(linked(&store).await, [same_stay]);
}

#[tokio::test]
async fn the_practitioner_of_both_links_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    let practitioner = async || store.links(None).await.unwrap()[0].practitioner.clone();
    let bare = Link { practitioner: None, ..link() };
    store.link(&bare).await.unwrap();
    let therapist = reference(1, "Practitioner/2");
    store.link_reference(&bare, &therapist).await.unwrap();
    assert_eq!(practitioner().await, Some(therapist.target.clone()));
    // The same word again keeps it; another Practitioner or none ends it.
    store.link(&link()).await.unwrap();
    assert_eq!(linked(&store).await, std::slice::from_ref(&therapist));
    store
        .link(&Link { practitioner: Some("Practitioner/9".parse().unwrap()), ..link() })
        .await
        .unwrap();
    assert_eq!(linked(&store).await, []);
    store.link_reference(&bare, &therapist).await.unwrap();
    assert!(store.unlink_reference("clinic", &digest("plan"), therapist.item).await.unwrap());
    assert_eq!(practitioner().await, None);
    // An Encounter that ends takes no Practitioner with it.
    store.link_references(&bare, &[therapist.clone(), reference(2, "Encounter/2")]).await.unwrap();
    store.unlink_reference("clinic", &digest("plan"), Uuid::from_u128(2)).await.unwrap();
    assert_eq!(practitioner().await, Some(therapist.target));
}

#[tokio::test]
async fn references_end_with_the_patient_they_were_made_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    let encounter = reference(1, "Encounter/7");
    let none = store.link_reference(&link(), &encounter).await;
    assert_eq!(none.unwrap_err(), Error::LinkedOtherwise, "no Patient is linked");
    let other_patient = Link { patient: "Patient/2".parse().unwrap(), ..link() };
    let other_server = Link { base_url: "http://127.0.0.1/other".into(), ..link() };
    for other in [other_patient, other_server] {
        store.link(&link()).await.unwrap();
        store.link_reference(&link(), &encounter).await.unwrap();
        let stale = store.link_reference(&other, &encounter).await;
        assert_eq!(stale.unwrap_err(), Error::LinkedOtherwise);
        store.link(&other).await.unwrap();
        assert_eq!(linked(&store).await, [], "nothing is carried over");
        let stale = store.link_reference(&link(), &encounter).await;
        assert_eq!(stale.unwrap_err(), Error::LinkedOtherwise, "compared with whom it was");
    }
    store.link(&link()).await.unwrap();
    // All or none, and of this record and EHR only.
    let foreign = ReferenceLink { ehr: "other".into(), ..reference(2, "Encounter/8") };
    let mixed = store.link_references(&link(), &[encounter.clone(), foreign]).await;
    assert_eq!(mixed.unwrap_err(), Error::LinkedOtherwise);
    assert_eq!(linked(&store).await, []);
    let _writer = store.writer("clinic").await.unwrap();
    assert_eq!(store.link_reference(&link(), &encounter).await.unwrap_err(), Error::Locked);
    let ended = store.unlink_reference("clinic", &digest("plan"), encounter.item).await;
    assert_eq!(ended.unwrap_err(), Error::Locked);
}

#[tokio::test]
async fn a_store_of_version_2_gets_the_tables_and_keeps_what_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    std::fs::create_dir(&path).unwrap();
    let file = path.join("ipt-fhir.sqlite");
    std::fs::File::create(&file).unwrap();
    for (place, mode) in [(&path, 0o700), (&file, 0o600)] {
        std::fs::set_permissions(place, PermissionsExt::from_mode(mode)).unwrap();
    }
    // As the second program made it.
    let url = format!("sqlite:{}", file.display());
    let mut behind = SqliteConnection::connect(&url).await.unwrap();
    for migration in [
        include_str!("../../../src/store/migration/1.sql"),
        include_str!("../../../src/store/migration/2.sql"),
    ] {
        sqlx::raw_sql(migration).execute(&mut behind).await.unwrap();
    }
    let row =
        "INSERT INTO link VALUES ('clinic', $1, 'http://127.0.0.1/fhir', 'records/ann.json', $2,
               'Patient/1', 'Practitioner/2', $3, '2026-03-02T10:00:00Z')";
    sqlx::query(row)
        .bind(digest("plan"))
        .bind(digest("Ann"))
        .bind(format!("{} {}", digest("a"), digest("b")))
        .execute(&mut behind)
        .await
        .unwrap();
    // A migration that is killed halfway leaves version 2: all of it is one transaction.
    let mut halfway = behind.begin().await.unwrap();
    sqlx::raw_sql(include_str!("../../../src/store/migration/3.sql"))
        .execute(&mut *halfway)
        .await
        .unwrap();
    drop(halfway);
    let version = async |behind: &mut SqliteConnection| -> i64 {
        sqlx::query("PRAGMA user_version").fetch_one(behind).await.unwrap().try_get(0).unwrap()
    };
    assert_eq!(version(&mut behind).await, 2);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(version(&mut behind).await, 3);
    behind.close().await.unwrap();
    assert_eq!(store.links(None).await.unwrap(), [link()]);
    store.link_reference(&link(), &reference(1, "Encounter/7")).await.unwrap();
    let writer = store.writer("clinic").await.unwrap();
    writer.begin(&link().plan, &[operation(1)]).await.unwrap();
    writer.acknowledge(&link().plan, &[shadow(1)]).await.unwrap();
    let made = HandOff {
        ehr: "clinic".into(),
        plan: link().plan,
        slot: Uuid::from_u128(5),
        number: 1,
        name: "package".into(),
        digest: digest("content"),
        state: HandOffState::Waiting,
        made_at: moment(),
        decided_at: None,
        reason: None,
    };
    writer.record_hand_off(&made).await.unwrap();
    assert_eq!(store.hand_offs(None).await.unwrap(), [made]);
    assert_eq!(linked(&store).await.len(), 1);
}

#[tokio::test]
async fn a_damaged_reference_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).await.unwrap();
    store.link(&link()).await.unwrap();
    let url = format!("sqlite:{}", path.join("ipt-fhir.sqlite").display());
    let mut behind = SqliteConnection::connect(&url).await.unwrap();
    for change in ["item = 'x'", "id = '../7'", "resource_type = ''", "linked_at = 'today'"] {
        store.link_reference(&link(), &reference(1, "Encounter/7")).await.unwrap();
        let sql = format!("UPDATE reference_link SET {change}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut behind).await.unwrap();
        let error = store.reference_links("clinic", &digest("plan")).await.unwrap_err();
        assert_eq!(error, Error::Damaged("reference_link"), "{change}");
        sqlx::raw_sql("DELETE FROM reference_link").execute(&mut behind).await.unwrap();
    }
    behind.close().await.unwrap();
}
