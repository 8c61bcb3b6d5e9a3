//! Operations, and the codes and classes of what servers refuse.

use ipt_fhir::client::{Cause, Class, Client, Codes, Config, Error, Flaw, Level, Unsent};
use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::object;

use super::client;
use super::server::{Server, answer};

fn patient() -> ResourceId {
    "Patient/1".parse().unwrap()
}

#[tokio::test]
async fn an_operation_is_asked_of_the_server_a_type_or_a_resource() {
    let bundle = r#"{"resourceType":"Bundle","type":"searchset"}"#;
    let server = Server::start((0..6).map(|_| answer(200, &[], bundle)).collect());
    let client = client(&server);
    let parameters = Resource::new("Parameters").with(object! { "id" => "p" });
    let id = patient();
    for level in [Level::System, Level::Type("Patient"), Level::Instance(&id)] {
        client.operation(level, "$everything", &parameters).await.unwrap();
        let found = client.operation_by_get(level, "everything", &[("_count", "5")]).await.unwrap();
        assert_eq!(found.resource_type(), "Bundle");
    }
    let sent = server.requests();
    let told: Vec<_> = sent.iter().map(|request| (&*request.method, &*request.target)).collect();
    assert_eq!(
        told,
        [
            ("POST", "/fhir/$everything"),
            ("GET", "/fhir/$everything?_count=5"),
            ("POST", "/fhir/Patient/$everything"),
            ("GET", "/fhir/Patient/$everything?_count=5"),
            ("POST", "/fhir/Patient/1/$everything"),
            ("GET", "/fhir/Patient/1/$everything?_count=5"),
        ]
    );
    assert_eq!(sent[0].body, r#"{"resourceType":"Parameters","id":"p"}"#);
}

#[tokio::test]
async fn a_name_that_is_none_reaches_no_url() {
    let server = Server::start(vec![]);
    let client = client(&server);
    let parameters = Resource::new("Parameters");
    for name in
        ["", "$", "$$x", "../x", "x/y", "x?y", "X", "x%2f", "$é", "x\n", "7", &"x".repeat(65)]
    {
        let error = client.operation(Level::System, name, &parameters).await.unwrap_err();
        assert_eq!(error, Error::NotSent(Unsent::Request), "{name}");
        assert!(client.operation_by_get(Level::System, name, &[]).await.is_err());
    }
    assert!(client.operation(Level::Type("../x"), "x", &parameters).await.is_err());
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_outcome_is_an_operations_answer_and_html_is_none() {
    let outcome =
        r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invariant"}]}"#;
    let server = Server::start(vec![
        answer(200, &[], outcome),
        answer(200, &[], "<html>"),
        answer(200, &[], "<html>"),
        answer(500, &[], ""),
        answer(404, &[], ""),
    ]);
    let client = client(&server);
    let parameters = Resource::new("Parameters");
    let ask = || client.operation(Level::Type("Goal"), "validate", &parameters);
    assert_eq!(ask().await.unwrap().resource_type(), "OperationOutcome");
    assert_eq!(ask().await.unwrap_err(), Error::Ambiguous(Cause::Flaw(Flaw::WebPage)));
    let get = client.operation_by_get(Level::Type("Goal"), "validate", &[]).await;
    assert_eq!(get.unwrap_err(), Error::Incorrect(Flaw::WebPage));
    assert_eq!(ask().await.unwrap_err(), Error::Ambiguous(Cause::Status(500)));
    assert_eq!(ask().await.unwrap_err().class(), Class::Capability);
}

/// What a create comes to with this answer and Epic's codes.
async fn created(status: u16, issue: &str) -> Error {
    let body = format!(r#"{{"resourceType":"OperationOutcome","issue":[{issue}]}}"#);
    let server = Server::start(vec![answer(status, &[], &body)]);
    let codes = Codes::new(
        [
            ("4130", Class::Denied),
            ("59141", Class::AlreadyThere),
            ("59109", Class::Permanent),
            ("4100", Class::Auth),
            ("9", Class::Ambiguous),
            ("8", Class::NotProcessed),
        ]
        .map(|(code, class)| (code.to_owned(), class)),
    );
    let config = Config::local(server.base().parse().unwrap()).unwrap().with_codes(codes);
    Client::new(&config).unwrap().create(&Resource::new("Goal"), None).await.unwrap_err()
}

#[tokio::test]
async fn a_vendors_code_decides_where_the_table_knows_it() {
    let coded = |code: &str| {
        format!(
            r#"{{"severity":"fatal","code":"processing","details":{{"coding":[{{"code":"{code}"}}],"text":"Ann Lee"}}}}"#
        )
    };
    for status in [400, 403, 404, 409, 422] {
        let error = created(status, &coded("4130")).await;
        let explained = Error::Explained { status, code: "4130".to_owned(), class: Class::Denied };
        assert_eq!(error, explained);
        assert_eq!(
            error.to_string(),
            format!("the server refused the request ({status}: its code 4130)")
        );
    }
    assert_eq!(created(400, &coded("59141")).await.class(), Class::AlreadyThere);
    let text = r#"{"code":"processing","details":{"text":"59109: no such Ann Lee"}}"#;
    assert_eq!(created(400, text).await.class(), Class::Permanent);
    // Classes that are errors of their own become these.
    assert_eq!(created(400, &coded("4100")).await, Error::Unauthorized);
    assert_eq!(created(400, &coded("9")).await, Error::Ambiguous(Cause::Status(400)));
    assert_eq!(created(400, &coded("8")).await, Error::Busy { retry_after: None });
    // A code that is not in the table is the server's own text.
    let unknown = created(400, &coded("Ann Lee")).await;
    assert!(!format!("{unknown} {unknown:?}").contains("Lee"), "{unknown:?}");
    // What leaves the outcome open is not explained away.
    assert_eq!(created(500, &coded("4130")).await, Error::Ambiguous(Cause::Status(500)));
    assert_eq!(created(401, &coded("4130")).await, Error::Unauthorized);
}

#[tokio::test]
async fn a_class_says_what_can_be_done() {
    let issue = |code: &str, more: &str| format!(r#"{{"severity":"error","code":"{code}"{more}}}"#);
    let inside = r#","expression":["Goal.target[0].due"]"#;
    for (status, issue, class) in [
        (400, issue("not-supported", ""), Class::Capability),
        (400, issue("not-supported", inside), Class::Permanent),
        (404, issue("not-found", inside), Class::Dependency),
        (404, issue("not-found", ""), Class::Capability),
        (422, issue("too-costly", ""), Class::TooBig),
        (413, String::new(), Class::TooBig),
        (423, String::new(), Class::Transient),
        (424, String::new(), Class::Transient),
        (400, issue("throttled", ""), Class::Transient),
        (422, issue("business-rule", ""), Class::Permanent),
        (403, issue("suppressed", ""), Class::Denied),
        (422, issue("suppressed", ""), Class::Denied),
        (401, issue("expired", ""), Class::Auth),
        (409, issue("duplicate", ""), Class::AlreadyThere),
        (409, issue("conflict", ""), Class::Ambiguous),
        (412, issue("multiple-matches", ""), Class::Duplicates),
        (429, String::new(), Class::NotProcessed),
        (500, issue("exception", ""), Class::Ambiguous),
        (410, String::new(), Class::Gone),
    ] {
        assert_eq!(created(status, &issue).await.class(), class, "{status} {issue}");
    }
    assert_eq!(Error::NotSent(Unsent::Resolve).class(), Class::NotSent);
    assert_eq!(Error::Incorrect(Flaw::Incomplete).class(), Class::Incomplete);
    assert_eq!(Error::TooLarge.class(), Class::Answer);
}

#[tokio::test]
async fn what_was_only_taken_in_says_so() {
    let server =
        Server::start(vec![answer(202, &[], ""), answer(201, &[("Location", "Goal/8")], "")]);
    let client = client(&server);
    assert!(client.create(&Resource::new("Goal"), None).await.unwrap().is_mediated());
    assert!(!client.create(&Resource::new("Goal"), None).await.unwrap().is_mediated());
}
