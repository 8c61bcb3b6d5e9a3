//! One renewal for all: tokens that end, are revoked or narrowed while many requests are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ipt_fhir::client::smart::{Algorithm, NoToken};
use ipt_fhir::client::{Authorization, Client, Config, Error, Renewable, Source, Unavailable};
use secrecy::SecretString;

use super::{Hands, Practice, client_at, patient, why};
use crate::client::server::{Server, answer};

/// Sixty-four requests at once.
async fn at_once(client: &Client) -> Vec<Result<(), Error>> {
    let workers: Vec<_> = (0..64)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.search("Patient", &[]).await.map(drop) })
        })
        .collect();
    let mut results = Vec::new();
    for worker in workers {
        results.push(worker.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_workers_cause_one_token_request() {
    let practice = Practice::open(Algorithm::Es384).await;
    let client = practice.client();
    let all_right = |results: Vec<Result<(), Error>>| {
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    };
    // None yet.
    all_right(at_once(&client).await);
    assert_eq!(practice.tokens().requests(), 1);
    // Ended by both clocks.
    practice.hands.forward(301);
    all_right(at_once(&client).await);
    assert_eq!(practice.tokens().requests(), 2);
    // About to end.
    practice.hands.forward(275);
    all_right(at_once(&client).await);
    assert_eq!(practice.tokens().requests(), 3);
    // Revoked: each of them may find out by a 401.
    practice.tokens().revoke_all();
    all_right(at_once(&client).await);
    assert_eq!(practice.tokens().requests(), 4);
    assert_eq!(practice.fetched.load(Ordering::SeqCst), 4, "the key is read for a login only");
    // Still valid.
    practice.hands.forward(200);
    all_right(at_once(&client).await);
    assert_eq!(practice.tokens().requests(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_server_that_is_down_is_not_stormed() {
    let practice = Practice::open(Algorithm::Es384).await;
    let client = practice.client();
    client.search("Patient", &[]).await.unwrap();
    practice.tokens().set_down(true);
    // A token that is valid needs nobody.
    at_once(&client).await.into_iter().for_each(Result::unwrap);
    practice.tokens().revoke_all();
    let before = (practice.tokens().requests(), practice.running.log().len());
    for result in at_once(&client).await {
        assert!(why(result).may_pass());
    }
    // Those who wait take what the first one got; who comes after may ask once more.
    let asked = practice.tokens().requests() - before.0;
    assert!((1..=8).contains(&asked), "{asked} token requests");
    let sent = practice.running.log().len() - before.1;
    assert!(sent <= 64, "no request is sent twice without another token: {sent}");
    practice.tokens().set_down(false);
    at_once(&client).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test]
async fn a_write_that_meets_a_revoked_token_is_written_once() {
    let practice = Practice::open(Algorithm::Es384).await;
    let client = practice.client();
    client.create(&patient(), None).await.unwrap();
    practice.tokens().revoke_all();
    client.create(&patient(), None).await.unwrap();
    let statuses: Vec<_> = practice.running.log().iter().map(|logged| logged.status).collect();
    assert_eq!(statuses, [Some(201), Some(401), Some(201)]);
    assert_eq!(practice.running.resources().len(), 2);
}

#[tokio::test]
async fn narrowed_scopes_are_a_refusal_and_no_reason_to_log_in_again() {
    let practice = Practice::open(Algorithm::Es384).await;
    let client = practice.client();
    client.create(&patient(), None).await.unwrap();
    practice.tokens().narrow("system/Patient.rs");
    practice.tokens().revoke_all();
    assert_eq!(client.create(&patient(), None).await.unwrap_err(), Error::Forbidden);
    client.search("Patient", &[]).await.unwrap();
    assert_eq!(client.create(&patient(), None).await.unwrap_err(), Error::Forbidden);
    assert_eq!(practice.tokens().requests(), 2);
    practice.tokens().narrow("system/Goal.rs");
    practice.tokens().revoke_all();
    assert_eq!(client.search("Patient", &[]).await.unwrap_err(), Error::Forbidden);
    assert_eq!(practice.tokens().requests(), 3);
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let practice = Practice::open(Algorithm::Es384).await;
    let server = Server::start((0..20).map(|_| answer(401, &[], "")).collect());
    let client = client_at(&server.base(), practice.login(0));
    assert_eq!(client.create(&patient(), None).await.unwrap_err(), Error::Unauthorized);
    assert_eq!((server.requests().len(), practice.tokens().requests()), (2, 2));
    let shown = |index: usize| server.requests()[index].header("authorization").unwrap().to_owned();
    assert_ne!(shown(0), shown(1), "the second time with another token");
    // And without a new token there is no second time.
    practice.tokens().set_down(true);
    assert!(why(client.create(&patient(), None).await).may_pass());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_key_that_is_gone_or_broken_is_told_before_anything_is_sent() {
    let practice = Practice::open(Algorithm::Es384).await;
    std::fs::write(practice.key_path(), "{\"keys\":[]}").unwrap();
    let fault = ipt_fhir::client::smart::KeyFault::Empty;
    assert_eq!(why(practice.client().read(&id()).await), NoToken::Key(fault));
    let gone = ipt_fhir::client::smart::Smart::new(
        "ipt",
        practice.tokens().url().parse().unwrap(),
        Source::new(|| Err(Unavailable)),
        practice.hands.clock(0),
    );
    assert_eq!(why(practice.client_with(gone).read(&id()).await), NoToken::KeySource);
    assert_eq!((practice.tokens().requests(), practice.running.log().len()), (0, 0));
}

fn id() -> ipt_fhir::fhir::ResourceId {
    "Patient/p".parse().unwrap()
}

/// A client whose token a command gives: `token-1`, `token-2`, … as often as it is asked.
fn with_command(base: &str, ttl: Option<Duration>, hands: &Hands) -> (Client, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let source = Source::new(move || {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(SecretString::from(format!("token-{number}")))
    });
    let renewable = Renewable { source, ttl, clock: hands.clock(0) };
    let authorization = Authorization::Renewable(renewable);
    let base = base.parse().unwrap();
    let config = Config::new(base, Duration::from_secs(5), authorization).unwrap();
    (Client::new(&config).unwrap(), asked)
}

#[tokio::test]
async fn a_command_is_run_again_when_its_token_ends_or_is_refused() {
    let hands = Hands::at("2026-03-02T10:00:00Z");
    let empty = r#"{"resourceType":"Bundle","type":"searchset"}"#;
    let statuses = [200, 200, 200, 401, 200, 401, 401];
    let server = Server::start(statuses.map(|status| answer(status, &[], empty)).into());
    let (client, asked) = with_command(&server.base(), Some(Duration::from_mins(50)), &hands);
    let search = async || client.search("Patient", &[]).await.map(drop);
    search().await.unwrap();
    hands.forward(49 * 60);
    search().await.unwrap();
    hands.forward(60);
    search().await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    search().await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(search().await.unwrap_err(), Error::Unauthorized);
    let shown: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.header("authorization").unwrap().replace("Bearer token-", ""))
        .collect();
    assert_eq!(shown, ["1", "1", "2", "2", "3", "3", "4"]);
}

#[tokio::test]
async fn a_file_that_still_holds_the_refused_token_is_no_reason_to_ask_again() {
    let hands = Hands::at("2026-03-02T10:00:00Z");
    let server = Server::start((0..4).map(|_| answer(401, &[], "")).collect());
    let renewable = Renewable {
        source: Source::new(|| Ok(SecretString::from("the same"))),
        ttl: None,
        clock: hands.clock(0),
    };
    let base = server.base().parse().unwrap();
    let authorization = Authorization::Renewable(renewable);
    let config = Config::new(base, Duration::from_secs(5), authorization).unwrap();
    let client = Client::new(&config).unwrap();
    assert_eq!(client.search("Patient", &[]).await.unwrap_err(), Error::Unauthorized);
    assert_eq!(server.requests().len(), 1);
}
