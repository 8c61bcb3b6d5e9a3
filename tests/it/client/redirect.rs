//! Redirects: a GET follows a few that stay where it was, and a write follows none (U3).

use ipt_fhir::client::{Cause, Client, Error};
use ipt_fhir::fhir::{Bundle, Resource, ResourceId};
use ipt_fhir::json::Value;
use ipt_fhir::object;
use ipt_fhir::phi::Phi;

use super::client_with_token;
use super::server::{Server, Step, answer};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
const PATIENT: &str = r#"{"resourceType":"Patient","id":"1"}"#;

fn patient() -> ResourceId {
    "Patient/1".parse().unwrap()
}

fn redirect(status: u16, to: &str) -> Step {
    answer(status, &[("Location", to)], "")
}

fn is_refused(error: &Error, status: u16) -> bool {
    matches!(error, Error::Refused { status: found, .. } if *found == status)
}

#[tokio::test]
async fn a_get_follows_below_the_base_with_its_token() {
    for status in STATUSES {
        for to in ["/fhir/moved/Patient/1", "2", "./2?a=b", "../moved"] {
            let server = Server::start(vec![redirect(status, to), answer(200, &[], PATIENT)]);
            let read = client_with_token(&server.base()).read(&patient()).await.unwrap();
            assert_eq!(read.id, patient());
            let sent = server.requests();
            assert_eq!(sent.len(), 2, "{to}");
            for request in sent {
                assert_eq!(request.method, "GET");
                assert_eq!(request.header("authorization"), Some("Bearer canary-token"));
            }
        }
        let server = Server::start_with(|base| {
            vec![redirect(status, &format!("{base}/other")), answer(200, &[], PATIENT)]
        });
        client_with_token(&server.base()).read(&patient()).await.unwrap();
        assert_eq!(server.requests()[1].target, "/fhir/other");
    }
}

#[tokio::test]
async fn a_get_goes_nowhere_else() {
    for status in STATUSES {
        let second = Server::start(vec![]);
        let elsewhere = |base: &str| {
            let port = base.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
            vec![
                format!("{}/Patient/1", second.base()),
                format!("{}/Patient/1", second.base_of("localhost")),
                second.base_of("127.0.0.1").replace("http:", ""),
                format!("https://127.0.0.1:{port}/fhir/Patient/1"),
                format!("http://localhost:{port}/fhir/Patient/1"),
                "/admin".to_owned(),
                "/fhir2/Patient/1".to_owned(),
                "/fhir/../admin".to_owned(),
                "../../admin".to_owned(),
                "https://ehr.example.org/fhir/Patient/1".to_owned(),
            ]
        };
        let mut places = Vec::new();
        let server = Server::start_with(|base| {
            places = elsewhere(base);
            places.iter().map(|place| redirect(status, place)).collect()
        });
        let client = client_with_token(&server.base());
        for place in &places {
            let error = client.read(&patient()).await.unwrap_err();
            assert!(is_refused(&error, status), "{place}: {error}");
        }
        assert_eq!(server.requests().len(), places.len());
        assert_eq!(second.connections(), 0);
    }
}

#[tokio::test]
async fn circles_and_chains_end() {
    for status in STATUSES {
        let circle = Server::start((0..9).map(|_| redirect(status, "/fhir/Patient/1")).collect());
        let error = client_with_token(&circle.base()).read(&patient()).await.unwrap_err();
        assert!(is_refused(&error, status), "{error}");
        assert_eq!(circle.requests().len(), 4);
        let chain = |length: usize| {
            let steps = (0..length).map(|number| redirect(status, &format!("/fhir/{number}")));
            Server::start(steps.chain([answer(200, &[], PATIENT)]).collect())
        };
        assert!(client_with_token(&chain(3).base()).read(&patient()).await.is_ok());
        assert!(client_with_token(&chain(4).base()).read(&patient()).await.is_err());
    }
}

#[tokio::test]
async fn a_redirect_without_a_place_and_other_3xx_are_refused() {
    for (status, headers) in [(302, vec![]), (300, vec![("Location", "/fhir/x")]), (304, vec![])] {
        let server = Server::start(vec![answer(status, &headers, "")]);
        let error = client_with_token(&server.base()).read(&patient()).await.unwrap_err();
        assert!(is_refused(&error, status), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

/// Sends a write of each kind, and tells its error.
async fn write(client: &Client, kind: usize) -> Error {
    let goal = Resource::new("Goal").with(object! { "id" => "8" });
    let id = "Goal/8".parse().unwrap();
    let patch = Value::Array(vec![Value::Object(object! { "op" => "remove", "path" => "/note" })]);
    let batch = Bundle::new("batch", Vec::new());
    let phi = [("family", Phi::new("Lee"))];
    match kind {
        0 => client.create(&goal, None).await.unwrap_err(),
        1 => client.update(&id, &goal, "1").await.unwrap_err(),
        2 => client.patch(&id, &patch, "1").await.unwrap_err(),
        3 => client.delete(&id, Some("1")).await.unwrap_err(),
        4 => client.transaction(&Bundle::new("transaction", Vec::new())).await.unwrap_err(),
        5 => {
            let level = ipt_fhir::client::Level::System;
            client.operation(level, "$x", &Resource::new("Parameters")).await.unwrap_err()
        }
        6 => client.search_by_post("Patient", &phi).await.unwrap_err(),
        _ => client.batch(&batch).await.unwrap_err(),
    }
}

#[tokio::test]
async fn a_write_and_a_post_follow_none_not_even_at_home() {
    for kind in 0..8 {
        for status in STATUSES {
            let second = Server::start(vec![]);
            let elsewhere = format!("{}/Goal", second.base());
            let server =
                Server::start(vec![redirect(status, "/fhir/Goal/9"), redirect(status, &elsewhere)]);
            let client = client_with_token(&server.base());
            let is_read = kind >= 6;
            for number in 1..=2 {
                let error = write(&client, kind).await;
                // 301 to 303 may follow a write that happened.
                if is_read || status >= 307 {
                    assert!(is_refused(&error, status), "{kind}: {error}");
                } else {
                    assert_eq!(error, Error::Ambiguous(Cause::Status(status)), "{kind}");
                }
                assert_eq!(server.requests().len(), number);
            }
            assert!(server.requests().iter().all(|request| request.method != "GET"));
            assert_eq!(second.connections(), 0);
        }
    }
}
