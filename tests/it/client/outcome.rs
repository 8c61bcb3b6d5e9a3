//! What is NotSent, what is Ambiguous, and what else an answer can mean.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use ipt_fhir::client::{
    Authorization, Cause, Class, Client, Config, Error, Flaw, TlsFault, Unsent,
};
use ipt_fhir::fhir::{Resource, ResourceId};
use secrecy::SecretString;

use super::client;
use super::server::{Server, Step, answer};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","meta":{"versionId":"3"}}"#;

fn patient() -> ResourceId {
    "Patient/1".parse().unwrap()
}

fn goal() -> Resource {
    Resource::new("Goal")
}

/// What a read and a create come to when the server takes this step.
async fn outcomes(step: impl Fn() -> Step) -> (Error, Error) {
    let server = Server::start(vec![step(), step()]);
    let client = client(&server);
    let read = client.read(&patient()).await.unwrap_err();
    let create = client.create(&goal(), None).await.unwrap_err();
    (read, create)
}

fn both(error: Error) -> (Error, Error) {
    (error.clone(), error)
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(&Config::local(base.parse().unwrap()).unwrap()).unwrap();
    let refused = Error::NotSent(Unsent::ConnectionRefused);
    assert_eq!(client.create(&goal(), None).await.unwrap_err(), refused);
    assert_eq!(client.read(&patient()).await.unwrap_err(), refused);
}

#[tokio::test]
async fn a_failed_tls_handshake_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}/fhir", listener.local_addr().unwrap()).parse().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 this is no TLS\r\n\r\n");
        std::thread::sleep(Duration::from_secs(1));
    });
    let client = Client::new(&Config::local(base).unwrap()).unwrap();
    let error = client.create(&goal(), None).await.unwrap_err();
    assert_eq!(error, Error::NotSent(Unsent::Tls(TlsFault::NotTls)));
}

#[tokio::test]
async fn a_token_that_no_header_can_hold_was_not_sent() {
    let server = Server::start(vec![]);
    let token = SecretString::from("line\nfeed");
    let base = server.base().parse().unwrap();
    let authorization = Authorization::Bearer(token);
    let config = Config::new(base, Duration::from_secs(1), authorization).unwrap();
    let error = Client::new(&config).unwrap().create(&goal(), None).await.unwrap_err();
    assert_eq!(error, Error::NotSent(Unsent::Request));
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn silence_and_broken_connections_leave_the_outcome_unknown() {
    let connection = Error::Ambiguous(Cause::Connection);
    let timeout = Error::Ambiguous(Cause::Timeout);
    assert_eq!(outcomes(|| Step::Close).await, both(connection.clone()));
    assert_eq!(outcomes(|| Step::Reset).await, both(connection.clone()));
    assert_eq!(outcomes(|| Step::Hang).await, both(timeout.clone()));
    assert_eq!(outcomes(|| Step::Drip).await, both(timeout));
    let half_head = || Step::Send(b"HTTP/1.1 201 Crea".to_vec());
    assert_eq!(outcomes(half_head).await, both(connection.clone()));
    let short_body = format!("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{PATIENT}");
    assert_eq!(outcomes(|| Step::Send(short_body.clone().into_bytes())).await, both(connection));
}

#[tokio::test]
async fn a_request_is_sent_once_whatever_happens() {
    for step in [Step::Close, Step::Hang, answer(503, &[], ""), answer(500, &[], "")] {
        let server = Server::start(vec![step]);
        let _ = client(&server).create(&goal(), None).await;
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn statuses_mean_what_the_caller_can_do() {
    for status in [408, 500, 502, 503, 504, 520, 599] {
        let unknown = Error::Ambiguous(Cause::Status(status));
        assert_eq!(outcomes(|| answer(status, &[], "")).await, both(unknown));
    }
    for (status, error) in [
        (401, Error::Unauthorized),
        (403, Error::Forbidden),
        (410, Error::NotFound { gone: true }),
        (405, refused(405, Class::Capability)),
        (501, refused(501, Class::Capability)),
        (308, refused(308, Class::Permanent)),
        (429, Error::Busy { retry_after: None }),
    ] {
        assert_eq!(outcomes(|| answer(status, &[], "")).await, both(error));
    }
    // What is meant depends on what was asked.
    let conflict = |status, class| Error::Conflict { status, class };
    let gone = Error::NotFound { gone: false };
    for (status, read, create) in [
        (404, gone, refused(404, Class::Capability)),
        (409, conflict(409, Class::VersionConflict), conflict(409, Class::Ambiguous)),
        (412, conflict(412, Class::VersionConflict), conflict(412, Class::Duplicates)),
    ] {
        assert_eq!(outcomes(|| answer(status, &[], "")).await, (read, create));
    }
}

fn refused(status: u16, class: Class) -> Error {
    Error::Refused { status, codes: vec![], class }
}

#[tokio::test]
async fn busy_is_what_says_so() {
    let wait = |headers: &'static [(&str, &str)]| async move {
        let step = || answer(503, headers, "<html>maintenance</html>");
        outcomes(step).await.0
    };
    let busy = |seconds| Error::Busy { retry_after: Some(Duration::from_secs(seconds)) };
    assert_eq!(wait(&[("Retry-After", "7")]).await, busy(7));
    assert_eq!(wait(&[("Retry-After", "9999999")]).await, busy(3600));
    assert_eq!(wait(&[("Retry-After", "soon")]).await, Error::Busy { retry_after: None });
    let dated = &[
        ("Date", "Wed, 04 Nov 2026 10:00:00 GMT"),
        ("Retry-After", "Wed, 04 Nov 2026 10:01:00 GMT"),
    ];
    assert_eq!(wait(dated).await, busy(60));
    assert_eq!(wait(&[]).await, Error::Ambiguous(Cause::Status(503)));
}

#[tokio::test]
async fn success_that_is_no_success() {
    let outcome = |severity: &str| {
        format!(
            r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"{severity}","code":"exception","diagnostics":"Ann Lee"}}]}}"#
        )
    };
    let flaw = |flaw| (Error::Incorrect(flaw), Error::Ambiguous(Cause::Flaw(flaw)));
    let html = "<!doctype html><p>Please log in, Ann Lee";
    assert_eq!(outcomes(|| answer(200, &[], html)).await, flaw(Flaw::WebPage));
    assert_eq!(outcomes(|| answer(200, &[], "{\"a\":1}")).await, flaw(Flaw::NotFhir));
    assert_eq!(outcomes(|| answer(200, &[], PATIENT.split_at(30).0)).await, flaw(Flaw::NotFhir));
    let error = outcome("error");
    assert_eq!(outcomes(|| answer(200, &[], &error)).await, flaw(Flaw::ErrorInside));
    let other = r#"{"resourceType":"Observation","id":"1"}"#;
    assert_eq!(outcomes(|| answer(200, &[], other)).await, flaw(Flaw::OtherType));
}

#[tokio::test]
async fn a_read_answers_for_the_resource_that_was_asked_for() {
    for (body, flaw) in [
        (r#"{"resourceType":"Patient","id":"2"}"#, Flaw::OtherResource),
        (r#"{"resourceType":"Patient"}"#, Flaw::NoId),
        (r#"{"resourceType":"Patient","id":"a b"}"#, Flaw::NoId),
        ("", Flaw::NotFhir),
    ] {
        let server = Server::start(vec![answer(200, &[], body)]);
        let error = client(&server).read(&patient()).await.unwrap_err();
        assert_eq!(error, Error::Incorrect(flaw), "{body}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_server_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = Server::start(vec![]);
        let target = format!("{}/Patient/1", other.base());
        let step = || answer(status, &[("Location", &target)], "");
        let (read, create) = outcomes(step).await;
        assert_eq!(read, refused(status, Class::Permanent));
        match status {
            307 | 308 => assert_eq!(create, refused(status, Class::Permanent)),
            _ => assert_eq!(create, Error::Ambiguous(Cause::Status(status))),
        }
        assert_eq!(other.requests().len(), 0);
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_refused_while_it_streams() {
    let huge = || {
        let mut bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        bytes.resize((17 << 20) + 100, b' ');
        Step::Send(bytes)
    };
    let server = Server::start(vec![huge(), huge()]);
    let base = server.base().parse().unwrap();
    let client = Client::new(&Config::local(base).unwrap()).unwrap();
    assert_eq!(client.read(&patient()).await.unwrap_err(), Error::TooLarge);
    let error = client.create(&goal(), None).await.unwrap_err();
    assert_eq!(error, Error::Ambiguous(Cause::TooLarge));
}

#[tokio::test]
async fn errors_keep_codes_that_fhir_defines_and_no_text() {
    let body = r#"{"resourceType":"OperationOutcome","issue":[
        {"severity":"error","code":"invariant","diagnostics":"Ann Lee, born 1990-01-01"},
        {"severity":"error","code":"Ann Lee","details":{"text":"Ann Lee"}},
        {"severity":"error","code":"invariant"}]}"#;
    let server = Server::start(vec![answer(422, &[], body)]);
    let error = client(&server).create(&goal(), None).await.unwrap_err();
    let codes = vec!["invariant".to_owned()];
    assert_eq!(error, Error::Refused { status: 422, codes, class: Class::Permanent });
    let text = format!("{error} {error:?}");
    assert!(!text.contains("Lee") && !text.contains("1990"), "{text}");
    assert_eq!(error.to_string(), "the server refused the request (422: invariant)");
}

#[tokio::test]
async fn no_error_and_no_debug_holds_a_url_or_a_secret() {
    let server = Server::start(vec![Step::Close]);
    let authorization =
        Authorization::Basic { user: "clinic".to_owned(), password: SecretString::from("sesame") };
    let base = server.base().parse().unwrap();
    let config = Config::new(base, Duration::from_secs(1), authorization).unwrap();
    let client = Client::new(&config).unwrap();
    let error = client.search("Patient", &[("identifier", "canary")]).await.unwrap_err();
    let text = format!("{error} {error:?} {client:?} {config:?}");
    assert!(!text.contains("canary") && !text.contains("sesame"), "{text}");
    let sent = server.requests();
    assert_eq!(sent[0].header("authorization"), Some("Basic Y2xpbmljOnNlc2FtZQ=="));
}

#[test]
fn a_server_elsewhere_is_not_asked_without_credentials() {
    let base = "https://ehr.example.org/fhir".parse().unwrap();
    assert!(Config::local(base).is_err());
}
