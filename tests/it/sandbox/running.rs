//! The server as a whole: faults, snapshots, behaviours, and what happens behind the clients' backs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::sandbox::{Behaviour, Clock, Config, Error, Fault, Ids, Sandbox};

use super::{Ehr, patient};

#[tokio::test]
async fn an_answer_is_lost_only_after_the_write() {
    let ehr = Ehr::counting().await;
    let faults = ehr.running.faults();
    faults.next("POST", Fault::LoseAnswerAfterApply);
    assert!(ehr.try_ask("POST Patient", &[], &patient("a")).await.is_err());
    assert_eq!(ehr.running.resources().len(), 1);

    faults.next("POST", Fault::DropBefore);
    assert!(ehr.try_ask("POST Patient", &[], &patient("b")).await.is_err());
    faults.next("POST", Fault::RefuseBefore(503));
    let refused = ehr.post("Patient", &patient("b")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert_eq!(ehr.running.resources().len(), 1);

    let number = faults.seen() + 2;
    faults.at(number, Fault::TruncateAnswer);
    assert_eq!(ehr.get("Patient/1").await.status, 200);
    // The head of the answer comes whole; its body does not.
    let error = ehr.try_ask("POST Patient", &[], &patient("c")).await.unwrap_err();
    assert!(error.is_body() || error.is_decode() || error.is_request(), "{error:?}");
    assert_eq!(ehr.running.resources().len(), 2);

    faults.next("GET", Fault::DelayAnswer(Duration::from_millis(300)));
    let asked = Instant::now();
    assert_eq!(ehr.get("Patient/1").await.status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(300));

    let log: Vec<_> =
        ehr.running.log().into_iter().map(|one| (one.method, one.path, one.status)).collect();
    let post = |status| ("POST".to_owned(), "Patient".to_owned(), status);
    let get = ("GET".to_owned(), "Patient/1".to_owned(), Some(200));
    assert_eq!(
        log,
        [post(Some(201)), post(None), post(Some(503)), get.clone(), post(Some(201)), get]
    );
    assert_eq!(ehr.running.log()[0].resource_type.as_deref(), Some("Patient"));
}

#[tokio::test]
async fn a_truncated_answer_breaks_in_its_body() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    ehr.running.faults().next("GET", Fault::TruncateAnswer);
    let address =
        ehr.running.base_url().trim_start_matches("http://").trim_end_matches("/fhir").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!("GET /fhir/Patient/1 HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"));
    let whole = ehr.get("Patient/1").await.text;
    assert_eq!(Some(body), whole.get(..whole.len() / 2));
}

#[tokio::test]
async fn an_edit_behind_the_back_is_a_version_like_any_other() {
    let ehr = Ehr::counting().await;
    ehr.post("Patient", &patient("a")).await;
    let id: ResourceId = "Patient/1".parse().unwrap();
    let mut edited = ehr.running.get(&id).unwrap();
    edited.object_mut().put("gender", "other");
    assert_eq!(ehr.running.put(edited).unwrap(), id);
    let read = ehr.get("Patient/1").await;
    assert_eq!((read.header("etag"), read.text_at("/gender").as_str()), ("W/\"2\"", "other"));
    assert!(ehr.running.delete(&id) && !ehr.running.delete(&id));
    assert_eq!(ehr.get("Patient/1").await.status, 410);
    assert_eq!((ehr.running.versions(&id).len(), ehr.running.writes()), (3, 1));
    assert!(matches!(
        ehr.running.put(Resource::parse(br#"{"resourceType":"Patient","id":"a b"}"#).unwrap()),
        Err(Error::NotAnId)
    ));
}

#[tokio::test]
async fn a_server_restored_empty_gives_its_ids_again_only_if_it_counts() {
    for (ids, again) in [(Ids::Counting, true), (Ids::Random, false)] {
        let behaviour = Behaviour { ids, ..Behaviour::default() };
        let ehr = Ehr::start(Config { behaviour, ..Config::default() }).await;
        let base = ehr.running.base_url().to_owned();
        let first = ehr.post("Patient", &patient("a")).await.text_at("/id");
        ehr.running.wipe();
        assert_eq!(ehr.get(&format!("Patient/{first}")).await.status, 404);
        assert_eq!(ehr.get("_history").await.bundle().total, Some(0));
        let second = ehr.post("Patient", &patient("b")).await.text_at("/id");
        assert_eq!(first == second, again);
        assert_eq!(ehr.running.base_url(), base);
    }
}

#[tokio::test]
async fn a_snapshot_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ehr.ndjson");
    let config = || {
        let behaviour = Behaviour { ids: Ids::Counting, ..Behaviour::default() };
        let seed = vec![Resource::parse(patient("seed").as_bytes()).unwrap()];
        Config { snapshot: Some(path.clone()), seed, behaviour, ..Config::default() }
    };
    let ehr = Ehr::start(config()).await;
    ehr.post("Patient", &patient("a")).await;
    let changed = patient("b").replacen('{', r#"{"id":"2","#, 1);
    ehr.ask("PUT Patient/2", &[], &changed).await;
    ehr.ask("DELETE Patient/1", &[], "").await;
    let before = ehr.get("_history").await.bundle();
    assert_eq!(mode(&path), 0o600);
    // Each answered write is in the file already: the server may end as it likes.
    drop(ehr);

    let ehr = Ehr::start(config()).await;
    assert_eq!(entries(ehr.get("_history").await.bundle()), entries(before));
    assert_eq!(ehr.post("Patient", &patient("c")).await.text_at("/id"), "3");
    ehr.running.wipe();
    ehr.running.stop().await.unwrap();
    let ehr = Ehr::start(config()).await;
    assert_eq!(ehr.found("Patient").await, ["Patient/1"], "empty, so seeded again");
    ehr.running.stop().await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

    std::fs::write(&path, "{\"format\":\"ipt-fhir-sandbox-1\"}\nnonsense\n").unwrap();
    assert!(matches!(Sandbox::start(config()).await, Err(Error::NotASnapshot { line: 2 })));
    std::fs::write(&path, "nonsense").unwrap();
    assert!(matches!(Sandbox::start(config()).await, Err(Error::NotASnapshot { line: 1 })));
}

#[tokio::test]
async fn a_write_that_the_snapshot_can_not_hold_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let config = Config { snapshot: Some(inner.join("ehr.ndjson")), ..Config::default() };
    let ehr = Ehr::start(config).await;
    std::fs::remove_dir_all(&inner).unwrap();
    let answer = ehr.post("Patient", &patient("a")).await;
    assert_eq!((answer.status, answer.issue().as_str()), (500, "no-store"));
    assert!(ehr.running.resources().is_empty());
}

fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A history without what depends on the port.
fn entries(bundle: ipt_fhir::fhir::Bundle) -> Vec<ipt_fhir::fhir::Entry> {
    let without_url = |mut entry: ipt_fhir::fhir::Entry| {
        entry.full_url = None;
        entry
    };
    bundle.entries.into_iter().map(without_url).collect()
}

#[tokio::test]
async fn it_can_do_less() {
    let behaviour = Behaviour {
        transactions: false,
        conditional_create: false,
        search_by_identifier: false,
        referential_integrity: false,
        ids: Ids::Counting,
        ..Behaviour::default()
    };
    let ehr = Ehr::start(Config { behaviour, ..Config::default() }).await;
    let statement = ehr.get("metadata").await;
    assert!(
        !statement.text.contains("\"transaction\"") && !statement.text.contains("\"identifier\"")
    );
    assert!(statement.text.contains("\"conditionalCreate\":false"));
    let transaction = r#"{"resourceType":"Bundle","type":"transaction"}"#;
    assert_eq!(ehr.post("", transaction).await.status, 501);
    let condition = ["If-None-Exist: identifier=urn:test|a"];
    assert_eq!(ehr.ask("POST Patient", &condition, &patient("a")).await.status, 400);
    for _ in 0..2 {
        assert_eq!(ehr.post("Patient", &patient("a")).await.status, 201);
    }
    assert_eq!(ehr.found("Patient?identifier=nothing").await.len(), 2, "ignored");
    let dangling = r#"{"resourceType":"Flag","subject":{"reference":"Patient/9"}}"#;
    assert_eq!(ehr.post("Flag", dangling).await.status, 201);
}

#[tokio::test]
async fn time_never_stands_still() {
    let now = Arc::new(AtomicI64::new(1_770_000_000));
    let clock = Arc::clone(&now);
    let clock =
        Clock::new(move || jiff::Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap());
    let ehr = Ehr::start(Config { clock, ..Config::default() }).await;
    let mut times = Vec::new();
    for step in [0, 0, -500, 60] {
        now.fetch_add(step, Ordering::SeqCst);
        times.push(ehr.post("Patient", &patient("a")).await.text_at("/meta/lastUpdated"));
    }
    assert_eq!(times[0], "2026-02-02T02:40:00.000000Z");
    assert!(times.is_sorted_by(|left, right| left < right), "{times:?}");
}

#[tokio::test]
async fn only_this_machine_is_served_and_a_stopped_server_is_gone() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let refused = Sandbox::start(Config { listen, ..Config::default() }).await;
    assert!(matches!(refused, Err(Error::NotLoopback)));
    let ehr = Ehr::counting().await;
    assert_eq!(ehr.get("Patient").await.status, 200);
    let base = ehr.running.base_url().to_owned();
    let asked = Instant::now();
    ehr.running.stop().await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2), "idle connections do not hold it");
    let http = super::ask::http();
    let answer = super::ask::ask(&http, &base, "GET Patient", &[], "").await;
    assert!(answer.unwrap_err().is_connect());
}
