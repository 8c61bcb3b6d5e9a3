//! Answers of a wrong shape under a right status: forty of them, each a typed error and nothing taken in (C3).

use ipt_fhir::client::{Cause, Client, Error, Flaw};
use ipt_fhir::fhir::{Bundle, Resource, ResourceId};

use super::client;
use super::server::{Server, answer};

fn goal() -> ResourceId {
    "Goal/8".parse().unwrap()
}

#[derive(Clone, Copy)]
enum Ask {
    Read,
    Vread,
    Search,
    History,
    Capabilities,
    Create,
    Update,
    Transaction,
}

async fn ask(client: &Client, ask: Ask) -> Result<(), Error> {
    let body = Resource::new("Goal").with(ipt_fhir::object! { "id" => "8" });
    match ask {
        Ask::Read => client.read(&goal()).await.map(drop),
        Ask::Vread => client.vread(&goal(), "1").await.map(drop),
        Ask::Search => client.search("Goal", &[("identifier", "x")]).await.map(drop),
        Ask::History => client.history(&goal()).await.map(drop),
        Ask::Capabilities => client.capabilities().await.map(drop),
        Ask::Create => client.create(&body, None).await.map(drop),
        Ask::Update => client.update(&goal(), &body, "1").await.map(drop),
        Ask::Transaction => {
            client.transaction(&Bundle::new("transaction", Vec::new())).await.map(drop)
        }
    }
}

const ERROR: &str =
    r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}"#;
const OTHER: &str = r#"{"resourceType":"Goal","id":"9"}"#;

#[tokio::test]
async fn forty_wrong_shapes_are_told_apart() {
    use Ask::{Capabilities, Create, History, Read, Search, Transaction, Update, Vread};
    let set = |inside: &str| format!(r#"{{"resourceType":"Bundle","type":"searchset",{inside}}}"#);
    let history =
        |inside: &str| format!(r#"{{"resourceType":"Bundle","type":"history",{inside}}}"#);
    let own = String::from;
    let shapes: Vec<(Ask, String, Flaw)> = vec![
        (Read, own(""), Flaw::NotFhir),
        (Read, own("<!doctype html><form>log in</form>"), Flaw::WebPage),
        (Read, own("<Goal xmlns=\"http://hl7.org/fhir\"/>"), Flaw::NotFhir),
        (Read, own("null"), Flaw::NotFhir),
        (Read, own("\"Goal\""), Flaw::NotFhir),
        (Read, own("[]"), Flaw::NotFhir),
        (Read, own(r#"[{"resourceType":"Goal","id":"8"}]"#), Flaw::NotFhir),
        (Read, own(r#"{"id":"8"}"#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":null,"id":"8"}"#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":["Goal"],"id":"8"}"#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":"goal","id":"8"}"#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":"../Goal","id":"8"}"#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":"Goal","resourceType":"Patient","id":"8"}"#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":"Goal","id":"8"}{}"#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":"Goal","id":"8""#), Flaw::NotFhir),
        (Read, own(r#"{"resourceType":"Goal","id":8}"#), Flaw::NoId),
        (Read, own(r#"{"resourceType":"Goal","id":["8"]}"#), Flaw::NoId),
        (Read, own(r#"{"resourceType":"Goal","id":"../8"}"#), Flaw::NoId),
        (Read, own(r#"{"resourceType":"Goal","id":"Goal/8"}"#), Flaw::NoId),
        (Read, own(r#"{"resourceType":"Patient","id":"8"}"#), Flaw::OtherType),
        (Read, own(OTHER), Flaw::OtherResource),
        (Read, own(ERROR), Flaw::ErrorInside),
        (Read, set(r#""entry":[{"resource":{"resourceType":"Goal","id":"8"}}]"#), Flaw::OtherType),
        (Vread, own(OTHER), Flaw::OtherResource),
        (Capabilities, own(r#"{"fhirVersion":"4.0.1"}"#), Flaw::NotFhir),
        (Capabilities, own(r#"{"resourceType":"Conformance"}"#), Flaw::OtherType),
        (Search, own(r#"{"resourceType":"Goal","id":"8"}"#), Flaw::OtherType),
        (Search, own(ERROR), Flaw::ErrorInside),
        (Search, set(r#""entry":{"resource":{"resourceType":"Goal","id":"8"}}"#), Flaw::NotFhir),
        (Search, set(r#""entry":["Goal/8"]"#), Flaw::NotFhir),
        (Search, set(r#""entry":[{"resource":[]}]"#), Flaw::NotFhir),
        (Search, set(r#""entry":[{"resource":{"id":"8"}}]"#), Flaw::NotFhir),
        (Search, set(r#""entry":[{"resource":{"resourceType":"Goal"}}]"#), Flaw::NoId),
        (Search, set(r#""link":{"relation":"next","url":"?page=2"}"#), Flaw::NotFhir),
        (Search, set(r#""link":[{"relation":"next","url":["?page=2"]}]"#), Flaw::NotFhir),
        (Search, set(r#""link":[{"url":"?page=2"}]"#), Flaw::NotFhir),
        (Search, history(r#""entry":[]"#), Flaw::OtherType),
        (
            Search,
            own(r#"{"resourceType":"Bundle","type":"collection","entry":[]}"#),
            Flaw::OtherType,
        ),
        (
            History,
            history(r#""entry":[{"resource":{"resourceType":"Goal","id":"9"}}]"#),
            Flaw::OtherResource,
        ),
        (History, history(r#""entry":[{"resource":{"resourceType":"Goal"}}]"#), Flaw::NoId),
        (History, own(r#"{"resourceType":"Bundle","type":"document"}"#), Flaw::OtherType),
        (Create, own("<html>"), Flaw::WebPage),
        (Create, own(r#"[{"resourceType":"Goal","id":"8"}]"#), Flaw::NotFhir),
        (Create, own(r#"{"resourceType":"Patient","id":"8"}"#), Flaw::OtherType),
        (Create, own(ERROR), Flaw::ErrorInside),
        (Update, own(OTHER), Flaw::OtherResource),
        (Update, set(r#""entry":[]"#), Flaw::OtherType),
        (Transaction, own(""), Flaw::NotFhir),
        (Transaction, own(ERROR), Flaw::ErrorInside),
        (Transaction, own(r#"{"resourceType":"Goal","id":"8"}"#), Flaw::OtherType),
        (Transaction, set(r#""entry":[]"#), Flaw::OtherType),
        (
            Transaction,
            own(r#"{"resourceType":"Bundle","type":"transaction-response","entry":{}}"#),
            Flaw::NotFhir,
        ),
        (
            Transaction,
            own(r#"{"resourceType":"Bundle","type":"transaction-response","entry":[[]]}"#),
            Flaw::NotFhir,
        ),
    ];
    assert!(shapes.len() >= 40);
    for (kind, body, flaw) in shapes {
        let server = Server::start(vec![answer(200, &[], &body)]);
        let error = ask(&client(&server), kind).await.unwrap_err();
        let expected = match kind {
            Create | Update | Transaction => Error::Ambiguous(Cause::Flaw(flaw)),
            _ => Error::Incorrect(flaw),
        };
        assert_eq!(error, expected, "{body}");
        assert_eq!(server.requests().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn odd_content_types_are_no_matter() {
    let goal = r#"{"resourceType":"Goal","id":"8"}"#;
    for kind in [
        "application/fhir+json; fhirVersion=4.0",
        "application/json",
        "application/json+fhir",
        "text/json; charset=UTF-8",
        "text/plain",
        "text/html",
        "",
        "x",
    ] {
        let server = Server::start(vec![answer(200, &[("Content-Type", kind)], goal)]);
        assert_eq!(ask(&client(&server), Ask::Read).await, Ok(()), "{kind}");
    }
    let marked = format!("\u{feff}{goal}");
    let server = Server::start(vec![answer(200, &[], goal), answer(200, &[], &marked)]);
    let client = client(&server);
    assert_eq!(ask(&client, Ask::Read).await, Ok(()));
    assert_eq!(ask(&client, Ask::Read).await, Ok(()));
}

#[tokio::test]
async fn entries_come_fewer_more_in_another_order_and_without_words() {
    let response = |entries: &str| {
        format!(r#"{{"resourceType":"Bundle","type":"transaction-response","entry":[{entries}]}}"#)
    };
    let entry = Resource::new("Goal");
    let entry = ipt_fhir::fhir::Entry { resource: Some(entry), ..Default::default() };
    let two = Bundle::new("transaction", vec![entry.clone(), entry]);
    for (entries, expected) in [
        ("", vec![]),
        (
            r#"{"response":{"status":"201","location":"Goal/8/_history/1"}}"#,
            vec![(Some(201), true)],
        ),
        (
            r#"{},{"response":{}},{"response":{"status":201}},{"response":{"status":"201","etag":"1","location":"x"}}"#,
            vec![(None, false), (None, false), (None, false), (Some(201), false)],
        ),
        (
            r#"{"resource":{"resourceType":"Goal","id":"2"},"response":{"status":"200"}},{"resource":{"resourceType":"CarePlan","id":"1"}}"#,
            vec![(Some(200), true), (None, true)],
        ),
    ] {
        let server = Server::start(vec![answer(200, &[], &response(entries))]);
        let answers = client(&server).transaction(&two).await.unwrap();
        let told: Vec<_> =
            answers.iter().map(|answer| (answer.status, answer.id.is_some())).collect();
        assert_eq!(told, expected, "{entries}");
    }
}
