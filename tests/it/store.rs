//! The store: what survives, who may look, and who may write.

mod capability;
mod hand_off;
mod reference;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ipt_fhir::fhir::Resource;
use ipt_fhir::phi::Phi;
use ipt_fhir::store::{Error, Hold, Link, Operation, Shadow, State, Store, Verb, digest};
use uuid::Uuid;

pub(crate) fn moment() -> jiff::Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn link() -> Link {
    Link {
        ehr: "clinic".into(),
        base_url: "http://127.0.0.1/fhir".into(),
        plan: digest("plan"),
        record: Phi::new(PathBuf::from("records/ann.json")),
        client: digest("Ann"),
        patient: "Patient/1".parse().unwrap(),
        practitioner: Some("Practitioner/2".parse().unwrap()),
        patient_marks: vec![digest("a"), digest("b")],
        linked_at: moment(),
    }
}

fn body(text: &str) -> Resource {
    Resource::new("Goal").with(ipt_fhir::object! { "note" => text })
}

fn operation(item: u128) -> Operation {
    Operation {
        item: Uuid::from_u128(item),
        verb: Verb::Create,
        body: body("SECRETWORD"),
        local: body("SECRETWORD"),
        state: State::InFlight,
        attempt: 1,
        waited_until: moment(),
        seen: Some(["7".to_owned(), "8".to_owned()].into()),
        searched: false,
    }
}

fn shadow(item: u128) -> Shadow {
    Shadow {
        item: Uuid::from_u128(item),
        id: format!("Goal/{item}").parse().unwrap(),
        base_version: Some("3".into()),
        base: body("base"),
        local: Some(body("local")),
        held: Some(Hold::CreatedByUpdate),
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b");
    let link = link();
    let update = Operation {
        verb: Verb::Update { id: "Goal/9".parse().unwrap(), base_version: "4".into() },
        searched: true,
        ..operation(2)
    };
    {
        let store = Store::open(&path).await.unwrap();
        store.link(&link).await.unwrap();
        let writer = store.writer("clinic").await.unwrap();
        writer.begin(&link.plan, &[operation(1), update.clone()]).await.unwrap();
        writer.begin(&link.plan, &[operation(3)]).await.unwrap();
        writer.acknowledge(&link.plan, &[shadow(3)]).await.unwrap();
        // No farewell: as after a kill.
    }
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.links(Some("clinic")).await.unwrap(), std::slice::from_ref(&link));
    assert_eq!(store.links(Some("other")).await.unwrap(), []);
    assert_eq!(store.link_of("clinic", &link.plan).await.unwrap().as_ref(), Some(&link));
    assert_eq!(store.link_of("other", &link.plan).await.unwrap(), None);
    assert_eq!(store.link_of("clinic", "another").await.unwrap(), None);
    let before = store.ledger("clinic", &link.plan).await.unwrap();
    assert_eq!(before.operations, [operation(1), update.clone()]);
    assert_eq!(before.shadows, [shadow(3)]);
    let writer = store.writer("clinic").await.unwrap();
    let after = store.ledger("clinic", &link.plan).await.unwrap();
    let ambiguous = |operation: Operation| Operation { state: State::Ambiguous, ..operation };
    assert_eq!(after.operations, [ambiguous(operation(1)), ambiguous(update)]);
    writer.withdraw(&[Uuid::from_u128(1)]).await.unwrap();
    assert_eq!(store.ledger("clinic", &link.plan).await.unwrap().operations.len(), 1);
    assert_eq!(
        store.ledger("other", &link.plan).await.unwrap(),
        ipt_fhir::store::Ledger::default()
    );
}

#[tokio::test]
async fn nobody_else_can_open_any_of_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).await.unwrap();
    store.link(&link()).await.unwrap();
    let writer = store.writer("clinic").await.unwrap();
    writer.begin(&link().plan, &[operation(1)]).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files: Vec<_> = path.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "database, log, shared memory and lock: {files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{file:?}");
    }
    drop(writer);
    drop(store);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o750)).unwrap();
    assert_eq!(Store::open(&path).await.unwrap_err(), Error::Exposed("directory"));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::set_permissions(path.join("ipt-fhir.sqlite"), PermissionsExt::from_mode(0o640))
        .unwrap();
    assert_eq!(Store::open(&path).await.unwrap_err(), Error::Exposed("files"));
}

#[tokio::test]
async fn one_writer_for_each_ehr() {
    let directory = tempfile::tempdir().unwrap();
    let first = Store::open(&directory.path().join("store")).await.unwrap();
    let second = Store::open(&directory.path().join("store")).await.unwrap();
    let writer = first.writer("clinic").await.unwrap();
    assert_eq!(second.writer("clinic").await.unwrap_err(), Error::Locked);
    assert_eq!(first.writer("clinic").await.unwrap_err(), Error::Locked);
    assert_eq!(second.link(&link()).await.unwrap_err(), Error::Locked);
    second.writer("other/../clinic").await.unwrap();
    drop(writer);
    second.writer("clinic").await.unwrap();
}

#[tokio::test]
async fn a_link_does_not_move_to_another_patient_once_something_was_sent() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    let other = Link { patient: "Patient/2".parse().unwrap(), ..link() };
    store.link(&link()).await.unwrap();
    store.link(&other).await.unwrap();
    store.writer("clinic").await.unwrap().begin(&other.plan, &[operation(1)]).await.unwrap();
    assert_eq!(store.link(&link()).await.unwrap_err(), Error::LinkedOtherwise);
    store.link(&Link { practitioner: None, ..other }).await.unwrap();
    assert_eq!(store.links(None).await.unwrap()[0].practitioner, None);
}

#[tokio::test]
async fn a_copy_with_the_same_plan_id_takes_nobodys_link() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    store.link(&link()).await.unwrap();
    let copy = Link { record: Phi::new(PathBuf::from("records/sara.json")), ..link() };
    let of_sara = Link { client: digest("Sara"), ..copy.clone() };
    let to_sara = Link { patient: "Patient/2".parse().unwrap(), ..copy.clone() };
    for other in [of_sara, to_sara] {
        assert_eq!(store.link(&other).await.unwrap_err(), Error::PlanOfAnother);
        assert_eq!(store.links(None).await.unwrap(), [link()]);
    }
    // Moved, or corrected in its place.
    store.link(&copy).await.unwrap();
    store.link(&Link { client: digest("Anne"), ..copy }).await.unwrap();
    assert_eq!(store.links(None).await.unwrap()[0].client, digest("Anne"));
}

#[tokio::test]
async fn a_newer_schema_and_a_damaged_base_are_refused() {
    use sqlx::{Connection as _, SqliteConnection};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let url = format!("sqlite:{}", path.join("ipt-fhir.sqlite").display());
    let plan = link().plan;
    {
        let store = Store::open(&path).await.unwrap();
        store.link(&link()).await.unwrap();
        store.writer("clinic").await.unwrap().acknowledge(&plan, &[shadow(1)]).await.unwrap();
    }
    let mut behind = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("UPDATE shadow SET base = replace(base, 'base', 'bare')")
        .execute(&mut behind)
        .await
        .unwrap();
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.ledger("clinic", &plan).await.unwrap_err(), Error::Damaged("shadow"));
    drop(store);
    sqlx::raw_sql("PRAGMA user_version = 4").execute(&mut behind).await.unwrap();
    behind.close().await.unwrap();
    assert_eq!(Store::open(&path).await.unwrap_err(), Error::Newer { found: 4, known: 3 });
}

#[tokio::test]
async fn what_is_taken_out_leaves_no_trace_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    {
        let store = Store::open(&path).await.unwrap();
        store.link(&link()).await.unwrap();
        let writer = store.writer("clinic").await.unwrap();
        writer.begin(&link().plan, &[operation(1)]).await.unwrap();
        writer.withdraw(&[Uuid::from_u128(1)]).await.unwrap();
        drop(writer);
        store.close().await.unwrap();
    }
    for entry in path.read_dir().unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|window| window == b"SECRETWORD"));
    }
}

#[tokio::test]
async fn two_resources_of_a_record_are_never_one_in_the_ehr() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    store.link(&link()).await.unwrap();
    let writer = store.writer("clinic").await.unwrap();
    let twin = Shadow { item: Uuid::from_u128(2), ..shadow(1) };
    writer.acknowledge(&link().plan, &[shadow(1)]).await.unwrap();
    let error = writer.acknowledge(&link().plan, &[twin]).await.unwrap_err();
    assert!(matches!(error, Error::Database(_)), "{error}");
    assert_eq!(store.ledger("clinic", &link().plan).await.unwrap().shadows, [shadow(1)]);
}

#[test]
fn digests_are_sha_256() {
    assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[tokio::test]
async fn a_lock_that_is_given_up_just_now_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let (first, second) = (Store::open(&path).await.unwrap(), Store::open(&path).await.unwrap());
    let writer = first.writer("clinic").await.unwrap();
    let leave = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(writer);
    };
    let (taken, ()) = tokio::join!(second.writer("clinic"), leave);
    assert!(taken.is_ok());
    assert!(matches!(first.writer("clinic").await, Err(Error::Locked)));
}
