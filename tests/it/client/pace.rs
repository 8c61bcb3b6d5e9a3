//! The pace of requests: a rate, the server's own wish, and the minutes of its clock; for all clones together.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use ipt_fhir::client::{Authorization, Client, Config, Error, Rate};
use ipt_fhir::fhir::Resource;

use super::server::{Server, Step, answer};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1"}"#;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn client(server: &Server, rate: Option<Rate>) -> Client {
    let base = server.base().parse().unwrap();
    let config = Config::new(base, Duration::from_secs(5), Authorization::None).unwrap();
    Client::new(&match rate {
        Some(rate) => config.with_rate(rate),
        None => config,
    })
    .unwrap()
}

async fn read(client: &Client) -> Result<(), Error> {
    client.read(&"Patient/1".parse().unwrap()).await.map(drop)
}

fn patients(count: usize) -> Vec<Step> {
    (0..count).map(|_| answer(200, &[], PATIENT)).collect()
}

#[tokio::test]
async fn clones_share_the_pace() {
    let server = Server::start(patients(12));
    let client = client(&server, Some(Rate::per_second(number(20)).with_burst(number(2))));
    let started = Instant::now();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..3 {
                    read(&client).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // Two at once, ten more 50 ms apart.
    assert!(started.elapsed() >= Duration::from_millis(500), "{:?}", started.elapsed());
    assert_eq!(server.requests().len(), 12);
}

#[tokio::test]
async fn what_would_wait_too_long_is_not_sent() {
    let server = Server::start(patients(3));
    let rate = Rate::per_minute(number(1)).with_longest_wait(Duration::from_secs(2));
    let client = client(&server, Some(rate));
    assert_eq!(client.timeout(), Duration::from_secs(7));
    assert_eq!(read(&client).await, Ok(()));
    let error = read(&client.clone()).await.unwrap_err();
    let Error::Busy { retry_after: Some(wait) } = error else { panic!("{error}") };
    assert!((50..=60).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn before_the_moment_that_a_server_names_no_clone_sends_anything() {
    for status in [429, 503] {
        let mut steps = vec![answer(status, &[("Retry-After", "3000")], "")];
        steps.extend(patients(3));
        let server = Server::start(steps);
        let client = client(&server, None);
        let busy = Error::Busy { retry_after: Some(Duration::from_mins(50)) };
        let create = client.create(&Resource::new("Goal"), None).await;
        assert_eq!(create.unwrap_err(), busy);
        for client in [&client, &client.clone()] {
            let Err(Error::Busy { retry_after: Some(wait) }) = read(client).await else { panic!() };
            assert!((2_990..=3_000).contains(&wait.as_secs()), "{wait:?}");
        }
        assert_eq!(server.requests().len(), 1);
    }
    // Without a time to wait the caller decides.
    let server = Server::start(vec![answer(429, &[], ""), answer(200, &[], PATIENT)]);
    let client = client(&server, None);
    assert_eq!(read(&client).await, Err(Error::Busy { retry_after: None }));
    assert_eq!(read(&client).await, Ok(()));
}

#[tokio::test]
async fn a_short_wait_is_slept() {
    let server =
        Server::start(vec![answer(429, &[("Retry-After", "1")], ""), answer(200, &[], PATIENT)]);
    let client = client(&server, Some(Rate::per_second(number(100))));
    let started = Instant::now();
    assert!(read(&client).await.is_err());
    assert_eq!(read(&client).await, Ok(()));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_minute_is_the_servers_and_a_429_without_a_word_spends_it() {
    let date = |second: u32| format!("Sun, 06 Nov 1994 08:49:{second:02} GMT");
    let patient = |second| answer(200, &[("Date", &date(second))], PATIENT);
    let busy = |second| answer(429, &[("Date", &date(second))], "");
    let rate = Rate::per_minute(number(250)).aligned_to_minute();
    let server = Server::start(vec![patient(20), busy(30), patient(0)]);
    let rate_client = client(&server, Some(rate.with_longest_wait(Duration::from_secs(1))));
    assert_eq!(read(&rate_client).await, Ok(()));
    assert_eq!(read(&rate_client).await, Err(Error::Busy { retry_after: None }));
    let Err(Error::Busy { retry_after: Some(wait) }) = read(&rate_client).await else { panic!() };
    assert!((25..=30).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(server.requests().len(), 2);
    // A second before the minute ends it is slept.
    let server = Server::start(vec![busy(59), patient(0)]);
    let client = client(&server, Some(rate));
    let started = Instant::now();
    assert!(read(&client).await.is_err());
    assert_eq!(read(&client).await, Ok(()));
    assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_requests_of_a_minute_are_counted() {
    let server = Server::start(patients(9));
    let rate = Rate::per_minute(number(3)).aligned_to_minute().with_longest_wait(Duration::ZERO);
    let client = client(&server, Some(rate));
    for _ in 0..3 {
        assert_eq!(read(&client).await, Ok(()));
    }
    assert!(matches!(read(&client).await, Err(Error::Busy { .. })));
    assert_eq!(server.requests().len(), 3);
}
