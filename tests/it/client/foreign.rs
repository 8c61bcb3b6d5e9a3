//! URLs that a server names, each hostile one from each place where it can stand: none is followed (U1).

use ipt_fhir::client::{Client, Error, Flaw};
use ipt_fhir::fhir::{Resource, ResourceId};

use super::client_with_token;
use super::server::{Server, Step, answer};
use crate::support::hostile::{fits_header, in_json, urls};

fn goal() -> ResourceId {
    "Goal/8".parse().unwrap()
}

/// A Bundle whose next link is this.
fn page(kind: &str, url: &str) -> Step {
    let entry = r#"{"resource":{"resourceType":"Goal","id":"8"},"request":{"method":"PUT","url":"Goal/8"}}"#;
    let link = format!(r#"{{"relation":"next","url":"{}"}}"#, in_json(url));
    let bundle =
        format!(r#"{{"resourceType":"Bundle","type":"{kind}","link":[{link}],"entry":[{entry}]}}"#);
    answer(200, &[], &bundle)
}

/// Asks a server once for each hostile URL that a place can hold, and checks that nobody else was asked.
async fn each(
    can_hold: fn(&str) -> bool,
    step: fn(&str) -> Step,
    ask: impl AsyncFn(&Client, &str) -> Result<(), Error>,
    expected: Result<(), Error>,
) {
    let second = Server::start(vec![]);
    let mut hostile = Vec::new();
    let server = Server::start_with(|base| {
        hostile = urls(base, &second.base());
        hostile.retain(|url| can_hold(url));
        hostile.iter().map(|url| step(url)).collect()
    });
    assert!(hostile.len() >= 60);
    let client = client_with_token(&server.base());
    for url in &hostile {
        assert_eq!(ask(&client, url).await, expected, "{url:?}");
    }
    assert_eq!(second.connections(), 0);
    for request in server.requests() {
        assert!(request.target.starts_with("/fhir"), "{}", request.target);
        assert_eq!(request.header("authorization"), Some("Bearer canary-token"));
    }
    // Each question was one request, and no answer led to another.
    assert!(server.requests().len() <= hostile.len());
}

const FOREIGN: Result<(), Error> = Err(Error::Incorrect(Flaw::ForeignLink));

#[tokio::test]
async fn next_in_a_search() {
    let ask = async |client: &Client, _: &str| client.search("Goal", &[]).await.map(drop);
    each(|_| true, |url| page("searchset", url), ask, FOREIGN).await;
}

#[tokio::test]
async fn next_in_histories() {
    let step = |url: &str| page("history", url);
    let ask = async |client: &Client, _: &str| client.history(&goal()).await.map(drop);
    each(|_| true, step, ask, FOREIGN).await;
    let ask = async |client: &Client, _: &str| client.history_of_type("Goal", None).await.map(drop);
    each(|_| true, step, ask, FOREIGN).await;
    let ask = async |client: &Client, _: &str| client.history_of_all(None).await.map(drop);
    each(|_| true, step, ask, FOREIGN).await;
}

#[tokio::test]
async fn the_url_of_an_attachment() {
    let ask = async |client: &Client, url: &str| client.fetch_attachment(url).await.map(drop);
    each(|_| true, |_| answer(200, &[], "bytes"), ask, FOREIGN).await;
}

#[tokio::test]
async fn where_a_create_says_that_the_resource_is() {
    // It is read, never fetched: what is no place of a Goal tells nothing.
    let ask = async |client: &Client, _: &str| {
        let created = client.create(&Resource::new("Goal"), None).await?;
        assert_eq!(created.id, None);
        Ok(())
    };
    each(fits_header, |url| answer(201, &[("Location", url)], ""), ask, Ok(())).await;
    each(fits_header, |url| answer(201, &[("Content-Location", url)], ""), ask, Ok(())).await;
}

#[tokio::test]
async fn where_a_redirect_leads() {
    let ask = async |client: &Client, _: &str| {
        let error = client.read(&goal()).await.unwrap_err();
        assert!(matches!(error, Error::Refused { status: 307, .. }), "{error}");
        Ok(())
    };
    // A relative one counts from what was asked for: from there a step up is still below the base.
    let can_hold = |url: &str| fits_header(url) && !url.starts_with('.');
    each(can_hold, |url| answer(307, &[("Location", url)], ""), ask, Ok(())).await;
}

#[tokio::test]
async fn places_in_a_bundle_are_read_and_not_fetched() {
    let step = |url: &str| {
        let url = in_json(url);
        answer(
            200,
            &[],
            &format!(
                r#"{{"resourceType":"Bundle","type":"batch-response","entry":[{{"fullUrl":"{url}","response":{{"status":"201","location":"{url}"}}}}]}}"#
            ),
        )
    };
    let ask = async |client: &Client, _: &str| {
        let bundle = ipt_fhir::fhir::Bundle::new("batch", Vec::new());
        let answers = client.batch(&bundle).await?;
        assert_eq!((answers.len(), &answers[0].id), (1, &None));
        Ok(())
    };
    each(|_| true, step, ask, Ok(())).await;
}

#[tokio::test]
async fn an_attachment_below_the_base_is_fetched() {
    let bytes = || answer(200, &[("Content-Type", "text/plain; charset=utf-8")], "a note");
    let server = Server::start(vec![bytes(), bytes(), bytes(), answer(404, &[], "")]);
    let client = client_with_token(&server.base());
    let absolute = format!("{}/Binary/7", server.base());
    for url in ["Binary/7", absolute.as_str()] {
        let found = client.fetch_attachment(url).await.unwrap();
        assert_eq!(found.bytes, b"a note");
        assert_eq!(found.content_type.as_deref(), Some("text/plain; charset=utf-8"));
        assert!(!format!("{found:?}").contains("note"));
    }
    let id = "Binary/7".parse().unwrap();
    assert_eq!(client.read_binary(&id).await.unwrap().bytes, b"a note");
    let gone = client.read_binary(&id).await.unwrap_err();
    assert_eq!(gone, Error::NotFound { gone: false });
    for request in server.requests() {
        assert_eq!((&*request.target, request.header("accept")), ("/fhir/Binary/7", Some("*/*")));
    }
}
