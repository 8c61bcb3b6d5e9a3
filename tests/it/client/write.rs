//! Creates, updates and transactions: what is sent, and how the answers are read.

use ipt_fhir::client::{Cause, Class, Created, EntryAnswer, Error, Flaw, Unsent};
use ipt_fhir::fhir::{Bundle, Entry, Resource};
use ipt_fhir::object;

use super::client;
use super::server::{Server, Step, answer};

fn goal() -> Resource {
    Resource::new("Goal").with(object! { "lifecycleStatus" => "active" })
}

async fn created(step: Step) -> Result<Created, Error> {
    client(&Server::start(vec![step])).create(&goal(), None).await
}

async fn updated(step: Step) -> Result<Created, Error> {
    let goal = goal().with(object! { "id" => "8" });
    client(&Server::start(vec![step])).update(&"Goal/8".parse().unwrap(), &goal, "2").await
}

fn told(created: &Created) -> (u16, Option<String>, Option<&str>) {
    let id = created.id.as_ref().map(ToString::to_string);
    (created.status, id, created.version.as_deref())
}

#[tokio::test]
async fn a_create_sends_fhir_json_and_its_condition() {
    let server = Server::start(vec![answer(201, &[("Location", "Goal/8/_history/1")], "")]);
    let condition = "identifier=urn%3Ax%7C1";
    client(&server).create(&goal(), Some(condition)).await.unwrap();
    let sent = server.requests();
    assert_eq!((&*sent[0].method, &*sent[0].target), ("POST", "/fhir/Goal"));
    assert_eq!(sent[0].header("content-type"), Some("application/fhir+json"));
    assert_eq!(sent[0].header("if-none-exist"), Some(condition));
    assert_eq!(sent[0].body, r#"{"resourceType":"Goal","lifecycleStatus":"active"}"#);
    let broken = client(&server).create(&goal(), Some("a\r\nX-Evil: 1")).await.unwrap_err();
    assert_eq!(broken, Error::NotSent(Unsent::Request));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn id_and_version_are_found_wherever_the_server_puts_them() {
    let body = r#"{"resourceType":"Goal","id":"8","meta":{"versionId":"2"}}"#;
    let warning =
        r#"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"value"}]}"#;
    let foreign = "http://localhost:1/other/Goal/8/_history/2";
    let id = || Some("Goal/8".to_owned());
    for (step, expected) in [
        (answer(201, &[], body), (201, id(), Some("2"))),
        (answer(201, &[("Location", foreign)], ""), (201, id(), Some("2"))),
        (answer(201, &[("Content-Location", "Goal/8/_history/2")], ""), (201, id(), Some("2"))),
        (answer(201, &[("Location", "Goal/8"), ("ETag", "2")], ""), (201, id(), Some("2"))),
        (answer(201, &[("Location", foreign)], warning), (201, id(), Some("2"))),
        (answer(200, &[("Location", "Goal/8")], ""), (200, id(), None)),
        (answer(202, &[], ""), (202, None, None)),
    ] {
        assert_eq!(told(&created(step).await.unwrap()), expected);
    }
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_leaves_the_outcome_unknown() {
    let body = r#"{"resourceType":"Goal","id":"8"}"#;
    let other = Error::Ambiguous(Cause::Flaw(Flaw::OtherResource));
    let step = || answer(201, &[("Location", "Goal/9/_history/1")], body);
    assert_eq!(created(step()).await.unwrap_err(), other);
    assert_eq!(updated(step()).await.unwrap_err(), other);
    let nine = r#"{"resourceType":"Goal","id":"9"}"#;
    assert_eq!(updated(answer(200, &[], nine)).await.unwrap_err(), other);
    let html = Error::Ambiguous(Cause::Flaw(Flaw::WebPage));
    let portal = answer(201, &[("Location", "Goal/8")], "<html>");
    assert_eq!(created(portal).await.unwrap_err(), html);
}

#[tokio::test]
async fn an_update_names_the_version_that_it_replaces() {
    let server = Server::start(vec![answer(200, &[("ETag", "W/\"3\"")], "")]);
    let id = "Goal/8".parse().unwrap();
    let body = goal().with(object! { "id" => "8" });
    let written = client(&server).update(&id, &body, "2").await.unwrap();
    assert_eq!(told(&written), (200, Some("Goal/8".to_owned()), Some("3")));
    let sent = server.requests();
    assert_eq!((&*sent[0].method, &*sent[0].target), ("PUT", "/fhir/Goal/8"));
    assert_eq!(sent[0].header("if-match"), Some("W/\"2\""));
    for (body, version) in [(goal(), "2"), (body.clone(), "*"), (body, "1\", \"2")] {
        let error = client(&server).update(&id, &body, version).await.unwrap_err();
        assert_eq!(error, Error::NotSent(Unsent::Request));
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_update_that_created_says_so() {
    let written = updated(answer(201, &[("ETag", "W/\"1\"")], "")).await.unwrap();
    assert_eq!(told(&written), (201, Some("Goal/8".to_owned()), Some("1")));
}

#[tokio::test]
async fn a_transaction_goes_to_the_base_and_its_answers_are_read_with_care() {
    let entry = Entry { resource: Some(goal()), ..Entry::default() };
    let bundle = Bundle::new("transaction", vec![entry]);
    let response = r#"{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"201 Created","location":"Goal/8/_history/1","etag":"1"}},
        {"response":{"status":"201","location":"https://other.example/fhir/Goal/9/?x=1","etag":"W/\"2\""}},
        {"response":{"status":"201","location":"Goal/10","etag":"\"..\""}},{"response":{"status":"422 Refused"}},{}]}"#;
    let server = Server::start(vec![answer(200, &[], response)]);
    let answered = client(&server).transaction(&bundle).await.unwrap();
    let expected = |status: Option<u16>, id: Option<&str>, version: Option<&str>| EntryAnswer {
        status,
        id: id.map(|id| id.parse().unwrap()),
        version: version.map(str::to_owned),
        resource: None,
        class: status.filter(|status| *status >= 400).map(|_| Class::Permanent),
    };
    let all = [
        expected(Some(201), Some("Goal/8"), Some("1")),
        expected(Some(201), Some("Goal/9"), Some("2")),
        expected(Some(201), Some("Goal/10"), None),
        expected(Some(422), None, None),
        expected(None, None, None),
    ];
    assert_eq!(answered, all);
    let sent = server.requests();
    assert_eq!((&*sent[0].method, &*sent[0].target), ("POST", "/fhir"));
    for body in ["", "<html>", r#"{"resourceType":"Goal","id":"8"}"#, response.split_at(80).0] {
        let server = Server::start(vec![answer(200, &[], body)]);
        let error = client(&server).transaction(&bundle).await.unwrap_err();
        assert!(matches!(error, Error::Ambiguous(Cause::Flaw(_))), "{error}");
    }
}
