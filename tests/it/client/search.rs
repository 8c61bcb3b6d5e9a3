//! Searches, pages, histories, and the headers of reads.

use ipt_fhir::client::{Class, Client, Codes, Config, Error, Flaw};
use ipt_fhir::phi::Phi;

use super::client;
use super::server::{Server, Step, answer};

/// A searchset with links and the ids of Goals.
fn page(links: &[(&str, &str)], ids: &[&str]) -> Step {
    let links: Vec<String> = links
        .iter()
        .map(|(relation, url)| format!(r#"{{"relation":"{relation}","url":"{url}"}}"#))
        .collect();
    let entries: Vec<String> = ids
        .iter()
        .map(|id| {
            format!(
                r#"{{"resource":{{"resourceType":"Goal","id":"{id}"}},"search":{{"mode":"match"}}}}"#
            )
        })
        .collect();
    let (links, entries) = (links.join(","), entries.join(","));
    answer(
        200,
        &[],
        &format!(
            r#"{{"resourceType":"Bundle","type":"searchset","link":[{links}],"entry":[{entries}]}}"#
        ),
    )
}

async fn search(server: &Server) -> Result<Vec<String>, Error> {
    let parameters = [("identifier", "urn:x|1"), ("_count", "2")];
    let found = client(server).search("Goal", &parameters).await?;
    Ok(found.into_iter().map(|found| found.id.id().to_owned()).collect())
}

#[tokio::test]
async fn all_pages_are_read_and_a_resource_on_two_pages_counts_once() {
    let server = Server::start_with(|base| {
        let next = format!("{base}?_getpages=7&_offset=2");
        vec![
            page(&[("self", "Goal?identifier=urn:x%7C1"), ("next", &next)], &["1", "2"]),
            page(&[], &["2", "3"]),
        ]
    });
    assert_eq!(search(&server).await.unwrap(), ["1", "2", "3"]);
    let sent = server.requests();
    assert_eq!(sent[0].target, "/fhir/Goal?identifier=urn%3Ax%7C1&_count=2");
    assert_eq!(sent[1].target, "/fhir?_getpages=7&_offset=2");
    for request in &sent {
        assert_eq!(request.header("accept"), Some("application/fhir+json"));
        assert_eq!(request.header("cache-control"), Some("no-cache"));
        assert_eq!(request.header("referer"), None);
        let agent = request.header("user-agent").unwrap();
        assert!(agent.starts_with("ipt-fhir/"), "{agent}");
    }
    assert_eq!(sent[0].header("prefer"), Some("handling=strict"));
    assert_ne!(sent[0].header("x-request-id").unwrap(), sent[1].header("x-request-id").unwrap());
}

#[tokio::test]
async fn a_self_link_without_our_parameter_is_refused() {
    for link in ["http://elsewhere/fhir/Goal?_count=2", "Goal", "http://h/Goal?Identifier=1"] {
        let server = Server::start(vec![page(&[("self", link)], &["1"])]);
        let ignored = Error::IgnoredParameter { parameter: "identifier".to_owned() };
        assert_eq!(search(&server).await.unwrap_err(), ignored, "{link}");
    }
    let silent = Server::start(vec![page(&[], &["1"])]);
    assert_eq!(search(&silent).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn a_next_link_elsewhere_is_not_followed() {
    let other = Server::start(vec![]);
    let elsewhere = format!("{}/Goal?page=2", other.base());
    let server = Server::start_with(|base| {
        let sibling = format!("{base}2/Goal?page=2");
        let up = format!("{base}/../admin");
        vec![
            page(&[("next", &elsewhere)], &["1"]),
            page(&[("next", &sibling)], &["1"]),
            page(&[("next", &up)], &["1"]),
        ]
    });
    for _ in 0..3 {
        assert_eq!(search(&server).await.unwrap_err(), Error::Incorrect(Flaw::ForeignLink));
    }
    assert_eq!(other.requests().len(), 0);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn next_links_in_a_circle_end() {
    let to_itself = Server::start_with(|base| {
        let link = format!("{base}/Goal?identifier=urn%3Ax%7C1&_count=2");
        vec![page(&[("next", &link)], &["1"])]
    });
    assert_eq!(search(&to_itself).await.unwrap_err(), Error::Incorrect(Flaw::LinkCircle));
    assert_eq!(to_itself.requests().len(), 1);
    let round = Server::start(vec![
        page(&[("next", "?page=a")], &["1"]),
        page(&[("next", "?page=b")], &["2"]),
        page(&[("next", "?page=a")], &["3"]),
    ]);
    assert_eq!(search(&round).await.unwrap_err(), Error::Incorrect(Flaw::LinkCircle));
}

#[tokio::test]
async fn endless_fresh_pages_end() {
    let server = Server::start(
        (0..2_000).map(|number| page(&[("next", &format!("?page={number}"))], &["1"])).collect(),
    );
    assert_eq!(search(&server).await.unwrap_err(), Error::TooLarge);
    assert_eq!(server.requests().len(), 1_000);
}

#[tokio::test]
async fn a_page_that_fails_makes_the_search_fail() {
    let server = Server::start(vec![page(&[("next", "?page=2")], &["1"]), answer(410, &[], "")]);
    assert_eq!(search(&server).await.unwrap_err(), Error::NotFound { gone: true });
}

#[tokio::test]
async fn a_search_that_calls_itself_incomplete_is_no_answer() {
    for (severity, code, flaw) in [
        ("error", "processing", Some(Flaw::ErrorInside)),
        ("warning", "incomplete", Some(Flaw::Incomplete)),
        ("warning", "informational", None),
    ] {
        let body = format!(
            r#"{{"resourceType":"Bundle","type":"searchset","entry":[{{"search":{{"mode":"outcome"}},
            "resource":{{"resourceType":"OperationOutcome","issue":[{{"severity":"{severity}","code":"{code}"}}]}}}}]}}"#
        );
        let server = Server::start(vec![answer(200, &[], &body)]);
        let error = search(&server).await.err();
        assert_eq!(error, flaw.map(Error::Incorrect));
    }
}

#[tokio::test]
async fn a_vendors_code_may_say_that_a_search_is_incomplete() {
    let body = r#"{"resourceType":"Bundle","type":"searchset","entry":[{"search":{"mode":"outcome"},
        "resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"suppressed",
        "details":{"coding":[{"code":"4119"}]}}]}}]}"#;
    let server = Server::start(vec![answer(200, &[], body), answer(200, &[], body)]);
    let codes = Codes::new([("4119".to_owned(), Class::Incomplete)]);
    let config = Config::local(server.base().parse().unwrap()).unwrap();
    let parameters = [("patient", "1")];
    let plain = Client::new(&config).unwrap().search("Goal", &parameters).await;
    assert!(plain.unwrap().is_empty());
    let knowing = Client::new(&config.with_codes(codes)).unwrap();
    let error = knowing.search("Goal", &parameters).await.unwrap_err();
    assert_eq!(error, Error::Incorrect(Flaw::Incomplete));
}

#[tokio::test]
async fn matches_are_of_the_type_and_have_ids() {
    for (resource, flaw) in [
        (r#"{"resourceType":"Patient","id":"1"}"#, Flaw::OtherType),
        (r#"{"resourceType":"Goal"}"#, Flaw::NoId),
        (r#"{"resourceType":"Goal","id":"../Patient"}"#, Flaw::NoId),
    ] {
        let body = format!(
            r#"{{"resourceType":"Bundle","type":"searchset","entry":[{{"search":{{"mode":"match"}},"resource":{resource}}}]}}"#
        );
        let server = Server::start(vec![answer(200, &[], &body)]);
        assert_eq!(search(&server).await.unwrap_err(), Error::Incorrect(flaw));
    }
}

#[tokio::test]
async fn what_may_identify_a_person_stays_out_of_urls() {
    let parameters = [("family", Phi::new("Lee")), ("birthdate", Phi::new("1990-01-01"))];
    let server = Server::start(vec![
        page(&[("self", "Patient"), ("next", "Patient?_getpages=1")], &[]),
        page(&[], &[]),
    ]);
    client(&server).search_by_post("Patient", &parameters).await.unwrap();
    let sent = server.requests();
    assert_eq!((&*sent[0].method, &*sent[0].target), ("POST", "/fhir/Patient/_search"));
    assert_eq!(sent[0].body, "family=Lee&birthdate=1990-01-01");
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(sent[0].header("content-type"), form);
    assert_eq!((&*sent[1].method, &*sent[1].target), ("GET", "/fhir/Patient?_getpages=1"));

    let telling = Server::start(vec![page(&[("next", "Patient?family=Lee&page=2")], &[])]);
    let error = client(&telling).search_by_post("Patient", &parameters).await.unwrap_err();
    assert_eq!(error, Error::Incorrect(Flaw::RevealingLink));
    assert_eq!(telling.requests().len(), 1);
}

#[tokio::test]
async fn versions_come_from_meta_or_from_an_etag_of_any_form() {
    let goal = "Goal/8".parse().unwrap();
    let bare = r#"{"resourceType":"Goal","id":"8"}"#;
    let with_meta = r#"{"resourceType":"Goal","id":"8","meta":{"versionId":"5"}}"#;
    for (etag, body, version) in [
        (Some("W/\"4\""), bare, Some("4")),
        (Some("\"4\""), bare, Some("4")),
        (Some("4"), bare, Some("4")),
        (Some("W/\"4\""), with_meta, Some("5")),
        (None, with_meta, Some("5")),
        (None, bare, None),
    ] {
        let headers: Vec<_> = etag.map(|etag| ("ETag", etag)).into_iter().collect();
        let server = Server::start(vec![answer(200, &headers, body)]);
        let read = client(&server).read(&goal).await.unwrap();
        assert_eq!(read.version.as_deref(), version);
    }
    let server = Server::start(vec![answer(200, &[], bare)]);
    let vread = client(&server).vread(&goal, "4").await.unwrap();
    assert_eq!(vread.version.as_deref(), Some("4"));
    assert_eq!(server.requests()[0].target, "/fhir/Goal/8/_history/4");
    assert!(client(&server).vread(&goal, "../../Patient/1").await.is_err());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_history_tells_deletions_and_versions_in_each_servers_way() {
    let body = r#"{"resourceType":"Bundle","type":"history","entry":[
        {"request":{"method":"PUT","url":"Goal/8"},"resource":{"resourceType":"Goal","id":"8","meta":{"versionId":"4"}}},
        {"request":{"method":"DELETE","url":"Goal/8/_history/3"}},
        {"request":{"method":"DELETE","url":"Goal/8"},"response":{"status":"204","etag":"2"}},
        {"request":{"method":"POST","url":"Goal"},"response":{"status":"201","location":"Goal/8/_history/1"},"resource":{"resourceType":"Goal","id":"8"}}]}"#;
    let server = Server::start(vec![answer(200, &[], body)]);
    let history = client(&server).history(&"Goal/8".parse().unwrap()).await.unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|entry| (&*entry.method, entry.version.as_deref(), entry.versioned.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            ("PUT", Some("4"), true),
            ("DELETE", Some("3"), false),
            ("DELETE", Some("2"), false),
            ("POST", Some("1"), true)
        ]
    );
    let other = body.replace(r#""id":"8""#, r#""id":"9""#);
    let server = Server::start(vec![answer(200, &[], &other)]);
    let error = client(&server).history(&"Goal/8".parse().unwrap()).await.unwrap_err();
    assert_eq!(error, Error::Incorrect(Flaw::OtherResource));
}

#[tokio::test]
async fn capabilities_are_read_from_the_statement() {
    let body = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"mode":"server",
        "interaction":[{"code":"transaction"}],"resource":[{"type":"Goal","interaction":[{"code":"create"}]}]}]}"#;
    let server = Server::start(vec![answer(200, &[], body)]);
    let (capability, statement) = client(&server).capabilities().await.unwrap();
    assert!(capability.allows_system("transaction") && capability.allows("Goal", "create"));
    assert_eq!(statement.text("fhirVersion"), Some("4.0.1"));
    assert_eq!(server.requests()[0].target, "/fhir/metadata");
}
