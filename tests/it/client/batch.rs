//! Batches, patches, deletes and histories: what is sent, and how the answers are read.

use ipt_fhir::client::{Cause, Class, Client, Codes, Config, Error, Flaw, Unsent};
use ipt_fhir::fhir::bundle::Request;
use ipt_fhir::fhir::{Bundle, Entry, Resource, ResourceId};
use ipt_fhir::json::{self, Value};

use super::client;
use super::server::{Server, answer};

fn goal() -> ResourceId {
    "Goal/8".parse().unwrap()
}

fn batch(requests: &[(&str, &str)]) -> Bundle {
    let entry = |(method, url): &(&str, &str)| Entry {
        request: Some(Request {
            method: (*method).to_owned(),
            url: (*url).to_owned(),
            ..Request::default()
        }),
        ..Entry::default()
    };
    Bundle::new("batch", requests.iter().map(entry).collect())
}

fn response(entries: &str) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"batch-response","entry":[{entries}]}}"#)
}

#[tokio::test]
async fn a_batch_of_gets_brings_what_each_asked_for_in_any_order() {
    let body = response(
        r#"{"resource":{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Goal","id":"9"}}]},"response":{"status":"200"}},
        {"response":{"status":"404","outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found"}]}}},
        {"resource":{"resourceType":"Goal","id":"8","meta":{"versionId":"3"}},"response":{"status":"200 OK","etag":"3"}},
        {"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden"}]},"response":{"status":"403"}}"#,
    );
    let server = Server::start(vec![answer(200, &[], &body)]);
    let asked = batch(&[("GET", "Goal/8"), ("GET", "Goal?identifier=x"), ("GET", "Goal/7")]);
    let answers = client(&server).batch(&asked).await.unwrap();
    let told: Vec<_> = answers
        .iter()
        .map(|answer| {
            let kind = answer.resource.as_ref().map(|resource| resource.resource_type().to_owned());
            let id = answer.id.as_ref().map(ToString::to_string);
            (kind, id, answer.version.clone(), answer.class)
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            (text("Bundle"), None, None, None),
            (None, None, None, Some(Class::Gone)),
            (text("Goal"), text("Goal/8"), text("3"), None),
            (None, None, None, Some(Class::Denied)),
        ]
    );
    let sent = &server.requests()[0];
    assert_eq!((&*sent.method, &*sent.target), ("POST", "/fhir"));
    assert!(sent.body.contains(r#""type":"batch""#), "{}", sent.body);
}

#[tokio::test]
async fn a_batch_of_gets_is_a_read_and_any_other_is_a_write() {
    let reads = batch(&[("GET", "Goal/8"), ("GET", "Goal/9")]);
    let writes = batch(&[("GET", "Goal/8"), ("DELETE", "Goal/9")]);
    for body in [
        "",
        "<html>",
        r#"{"resourceType":"Goal","id":"8"}"#,
        r#"{"resourceType":"Bundle","type":"searchset"}"#,
    ] {
        let server = Server::start(vec![answer(200, &[], body), answer(200, &[], body)]);
        let read = client(&server).batch(&reads).await.unwrap_err();
        assert!(matches!(read, Error::Incorrect(_)), "{body}: {read}");
        let write = client(&server).batch(&writes).await.unwrap_err();
        assert!(matches!(write, Error::Ambiguous(Cause::Flaw(_))), "{body}: {write}");
    }
    let server = Server::start(vec![]);
    let transaction = Bundle::new("transaction", Vec::new());
    let error = client(&server).batch(&transaction).await.unwrap_err();
    assert_eq!((error, server.connections()), (Error::NotSent(Unsent::Request), 0));
}

#[tokio::test]
async fn entries_are_classed_one_by_one() {
    let outcome = |issue: &str| {
        format!(r#","outcome":{{"resourceType":"OperationOutcome","issue":[{issue}]}}"#)
    };
    for (status, told, class) in [
        ("201", String::new(), None),
        ("200 OK", String::new(), None),
        ("202 Accepted", String::new(), Some(Class::Mediated)),
        ("401", String::new(), Some(Class::Auth)),
        ("403", String::new(), Some(Class::Denied)),
        ("410", String::new(), Some(Class::Gone)),
        ("409", String::new(), Some(Class::VersionConflict)),
        ("412", outcome(r#"{"code":"multiple-matches"}"#), Some(Class::Duplicates)),
        ("413", String::new(), Some(Class::TooBig)),
        ("424", String::new(), Some(Class::Transient)),
        ("429", String::new(), Some(Class::NotProcessed)),
        ("422", outcome(r#"{"code":"invariant"}"#), Some(Class::Permanent)),
        ("422", outcome(r#"{"code":"duplicate"}"#), Some(Class::AlreadyThere)),
        (
            "400",
            outcome(r#"{"code":"x","details":{"text":"4130 break the glass"}}"#),
            Some(Class::Denied),
        ),
        ("500", String::new(), Some(Class::Ambiguous)),
        ("302", String::new(), Some(Class::Ambiguous)),
        ("", String::new(), None),
        ("accepted", String::new(), None),
    ] {
        let entry = format!(r#"{{"response":{{"status":"{status}"{told}}}}}"#);
        let server = Server::start(vec![answer(200, &[], &response(&entry))]);
        let codes = Codes::new([("4130".to_owned(), Class::Denied)]);
        let config = Config::local(server.base().parse().unwrap()).unwrap().with_codes(codes);
        let client = Client::new(&config).unwrap();
        let answers = client.batch(&batch(&[("PUT", "Goal/8")])).await.unwrap();
        assert_eq!(answers[0].class, class, "{status} {told}");
    }
}

#[tokio::test]
async fn an_entry_that_contradicts_itself_tells_no_place() {
    let entry = r#"{"resource":{"resourceType":"Goal","id":"8","meta":{"versionId":"2"}},"response":{"status":"201","location":"Goal/9/_history/1","etag":"1"}}"#;
    let server = Server::start(vec![answer(200, &[], &response(entry))]);
    let answers = client(&server).batch(&batch(&[("POST", "Goal")])).await.unwrap();
    assert_eq!((&answers[0].id, &answers[0].version), (&None, &None));
}

fn patch(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_patch_names_its_version_and_its_kind() {
    let body = r#"{"resourceType":"Goal","id":"8","meta":{"versionId":"3"}}"#;
    let server = Server::start(vec![answer(200, &[], body), answer(412, &[], "")]);
    let steps = r#"[{"op":"test","path":"/meta/versionId","value":"2"},{"op":"replace","path":"/note","value":1.50}]"#;
    let client = client(&server);
    let written = client.patch(&goal(), &patch(steps), "2").await.unwrap();
    assert_eq!((written.status, written.version.as_deref()), (200, Some("3")));
    let sent = &server.requests()[0];
    assert_eq!((&*sent.method, &*sent.target), ("PATCH", "/fhir/Goal/8"));
    assert_eq!(sent.header("content-type"), Some("application/json-patch+json"));
    assert_eq!(sent.header("if-match"), Some("W/\"2\""));
    assert_eq!(sent.body, steps);
    let stale = client.patch(&goal(), &patch(steps), "2").await.unwrap_err();
    assert_eq!(stale.class(), Class::VersionConflict);
    for wrong in [
        "[]",
        "{}",
        "[1]",
        r#"[{"op":"test"}]"#,
        r#"[{"op":"eat","path":"/a"}]"#,
        r#"[{"op":"add","path":"a"}]"#,
    ] {
        let error = client.patch(&goal(), &patch(wrong), "2").await.unwrap_err();
        assert_eq!(error, Error::NotSent(Unsent::Request), "{wrong}");
    }
    assert!(client.patch(&goal(), &patch(steps), "*").await.is_err());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_delete_is_answered_in_many_ways() {
    let warning = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}"#;
    let error =
        r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"conflict"}]}"#;
    let server = Server::start(vec![
        answer(204, &[("ETag", "W/\"3\"")], ""),
        answer(200, &[], warning),
        answer(202, &[], ""),
        answer(404, &[], ""),
        answer(410, &[], ""),
        answer(409, &[], error),
        answer(200, &[], error),
        answer(200, &[], "<html>"),
        answer(500, &[], ""),
    ]);
    let client = client(&server);
    let deleted = client.delete(&goal(), Some("2")).await.unwrap();
    assert_eq!((deleted.status, deleted.version.as_deref()), (204, Some("3")));
    assert_eq!(client.delete(&goal(), None).await.unwrap().status, 200);
    assert_eq!(client.delete(&goal(), None).await.unwrap().status, 202);
    let flaw = |flaw| Error::Ambiguous(Cause::Flaw(flaw));
    for expected in [
        Error::NotFound { gone: false },
        Error::NotFound { gone: true },
        Error::Conflict { status: 409, class: Class::VersionConflict },
        flaw(Flaw::ErrorInside),
        flaw(Flaw::WebPage),
        Error::Ambiguous(Cause::Status(500)),
    ] {
        assert_eq!(client.delete(&goal(), None).await.unwrap_err(), expected);
    }
    let sent = server.requests();
    assert_eq!((&*sent[0].method, &*sent[0].target), ("DELETE", "/fhir/Goal/8"));
    assert_eq!(sent[0].header("if-match"), Some("W/\"2\""));
    assert_eq!(sent[1].header("if-match"), None);
    assert!(client.delete(&goal(), Some("a b")).await.is_err());
    assert_eq!(server.requests().len(), 9);
}

#[tokio::test]
async fn the_history_of_many_tells_whose_each_version_is() {
    let page = |next: &str, entries: &str| {
        let link = format!(r#"{{"relation":"next","url":"{next}"}}"#);
        let link = if next.is_empty() { String::new() } else { link };
        format!(
            r#"{{"resourceType":"Bundle","type":"history","link":[{link}],"entry":[{entries}]}}"#
        )
    };
    let first = page(
        "?_getpages=2",
        r#"{"request":{"method":"PUT","url":"Goal/8"},"resource":{"resourceType":"Goal","id":"8","meta":{"versionId":"4"}}},
        {"request":{"method":"DELETE","url":"Goal/9/_history/3"}}"#,
    );
    let second = page(
        "",
        r#"{"fullUrl":"http://other/fhir/Goal/7","request":{"method":"DELETE","url":"Goal?identifier=x"},"response":{"status":"204","etag":"2"}}"#,
    );
    let server = Server::start(vec![answer(200, &[], &first), answer(200, &[], &second)]);
    let since = "2026-01-01T10:00:00+02:00";
    let changes = client(&server).history_of_type("Goal", Some(since)).await.unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|(id, entry)| (id.to_string(), &*entry.method, entry.version.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("Goal/8".to_owned(), "PUT", Some("4")),
            ("Goal/9".to_owned(), "DELETE", Some("3")),
            ("Goal/7".to_owned(), "DELETE", Some("2")),
        ]
    );
    let target = &server.requests()[0].target;
    assert_eq!(target, "/fhir/Goal/_history?_since=2026-01-01T10%3A00%3A00%2B02%3A00");
    for (entry, flaw) in [
        (r#"{"request":{"method":"DELETE","url":"Goal"}}"#, Flaw::NoId),
        (r#"{"resource":{"resourceType":"Goal"}}"#, Flaw::NoId),
        (r#"{"resource":{"resourceType":"Patient","id":"1"}}"#, Flaw::OtherType),
    ] {
        let server = Server::start(vec![answer(200, &[], &page("", entry))]);
        let error = client(&server).history_of_type("Goal", None).await.unwrap_err();
        assert_eq!(error, Error::Incorrect(flaw));
    }
    let all = r#"{"resource":{"resourceType":"Patient","id":"1"}},{"resource":{"resourceType":"Goal","id":"1"}}"#;
    let server = Server::start(vec![answer(200, &[], &page("", all))]);
    assert_eq!(client(&server).history_of_all(None).await.unwrap().len(), 2);
    assert_eq!(server.requests()[0].target, "/fhir/_history");
    assert!(client(&server).history_of_type("../x", None).await.is_err());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_a_transaction_hides_in_its_text_is_read_and_not_kept() {
    let refusal = |text: &str| {
        format!(
            r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"invalid","details":{{"text":"{text}"}}}}]}}"#
        )
    };
    let transaction = Bundle::new("transaction", Vec::new());
    for (text, class) in [
        ("Entry 3 failed with status 412: Ann Lee", Class::VersionConflict),
        (
            "Transaction contains more than 8 conditional operations: too many entries",
            Class::TooBig,
        ),
        ("The number of entries (501) exceeds 500", Class::TooBig),
        ("Ann Lee", Class::Permanent),
    ] {
        let server = Server::start(vec![answer(400, &[], &refusal(text))]);
        let error = client(&server).transaction(&transaction).await.unwrap_err();
        assert_eq!(error.class(), class, "{text}");
        assert!(!format!("{error} {error:?}").contains("Lee"));
    }
    let server = Server::start(vec![answer(400, &[], &refusal("status 412"))]);
    let error = client(&server).create(&Resource::new("Goal"), None).await.unwrap_err();
    assert_eq!(error.class(), Class::Permanent, "only a transaction has entries");
}
