//! Asking a FHIR server by HTTP, and looking at what it answered.

use ipt_fhir::fhir::{Bundle, Resource};
use ipt_fhir::json::Value;
use ipt_fhir::sandbox::{Behaviour, Config, Ids, Personality, Running, Sandbox};

/// A sandbox of a test's own, and a client for it.
pub(super) struct Ehr {
    pub(super) running: Running,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Ehr {
    /// A server that counts its ids, so that answers can be written down.
    pub(super) async fn counting() -> Self {
        let mut config = Config::default();
        config.behaviour.ids = Ids::Counting;
        Self::start(config).await
    }

    /// A server that plays another, with a patient, an encounter of theirs, and somebody else with one, too.
    pub(super) async fn playing(personality: Personality) -> Self {
        let behaviour = Behaviour::of(personality);
        let ehr = Self::start(Config { behaviour, ..Config::default() }).await;
        for text in [
            r#"{"resourceType":"Patient","id":"lee","active":true,"name":[{"family":"Lee"}]}"#,
            r#"{"resourceType":"Patient","id":"other","active":true,"name":[{"family":"Roe"}]}"#,
            r#"{"resourceType":"Encounter","id":"visit","status":"finished","subject":{"reference":"Patient/lee"}}"#,
            r#"{"resourceType":"Encounter","id":"foreign","status":"finished","subject":{"reference":"Patient/other"}}"#,
        ] {
            ehr.running.put(Resource::parse(text.as_bytes()).unwrap()).unwrap();
        }
        ehr
    }

    pub(super) async fn start(config: Config) -> Self {
        Self { running: Sandbox::start(config).await.unwrap(), http: http() }
    }

    /// Asks `METHOD path`, with `Name: value` headers; a body is sent as FHIR JSON unless a header says otherwise.
    pub(super) async fn ask(&self, request: &str, headers: &[&str], body: &str) -> Asked {
        self.try_ask(request, headers, body).await.unwrap()
    }

    pub(super) async fn try_ask(
        &self,
        request: &str,
        headers: &[&str],
        body: &str,
    ) -> Result<Asked, reqwest::Error> {
        ask(&self.http, self.running.base_url(), request, headers, body).await
    }

    pub(super) async fn get(&self, path: &str) -> Asked {
        self.ask(&format!("GET {path}"), &[], "").await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Asked {
        self.ask(&format!("POST {path}"), &[], body).await
    }

    /// The resources that a search finds, as `Type/id` in order.
    pub(super) async fn found(&self, search: &str) -> Vec<String> {
        let answer = self.get(search).await;
        assert_eq!(answer.status, 200, "{search}: {}", answer.text);
        ids(&answer.bundle())
    }
}

/// The resources in a Bundle, as `Type/id` in order.
pub(super) fn ids(bundle: &Bundle) -> Vec<String> {
    let resources = bundle.entries.iter().filter_map(|entry| entry.resource.as_ref());
    resources
        .map(|resource| format!("{}/{}", resource.resource_type(), resource.id().unwrap()))
        .collect()
}

pub(super) fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub(super) async fn ask(
    http: &reqwest::Client,
    base: &str,
    request: &str,
    headers: &[&str],
    body: &str,
) -> Result<Asked, reqwest::Error> {
    let (method, path) = request.split_once(' ').unwrap();
    let url = match path {
        _ if path.starts_with("http://") => path.to_owned(),
        "" | "/" => base.to_owned(),
        path => format!("{base}/{path}"),
    };
    let mut asking = http.request(method.parse().unwrap(), url).body(body.to_owned());
    let sent = |name: &str| headers.iter().any(|header| header.starts_with(name));
    if !body.is_empty() && !sent("Content-Type") {
        asking = asking.header("Content-Type", "application/fhir+json");
    }
    if !sent("Cache-Control") {
        asking = asking.header("Cache-Control", "no-cache");
    }
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        asking = asking.header(name, value);
    }
    let answer = asking.send().await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Ok(Asked { status, headers, text: answer.text().await? })
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(super) fn resource(&self) -> Resource {
        Resource::parse(self.text.as_bytes())
            .unwrap_or_else(|_| panic!("no resource: {}", self.text))
    }

    pub(super) fn bundle(&self) -> Bundle {
        Bundle::from_resource(self.resource()).unwrap()
    }

    /// The code of the first issue of an OperationOutcome.
    pub(super) fn issue(&self) -> String {
        let outcome = self.resource();
        assert_eq!(outcome.resource_type(), "OperationOutcome", "{}", self.text);
        outcome
            .get("issue")
            .and_then(|issues| issues.item(0))
            .unwrap()
            .text("code")
            .unwrap()
            .to_owned()
    }

    /// The vendor's code of the first issue of an OperationOutcome, with the status.
    pub(super) fn coded(&self) -> (u16, String) {
        (self.status, self.text_at("/issue/0/details/coding/0/code"))
    }

    /// The value at a pointer of the body.
    pub(super) fn at(&self, pointer: &str) -> Value {
        self.resource().to_value().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    /// The text at a pointer of the body.
    pub(super) fn text_at(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap_or_default().to_owned()
    }
}

/// A Patient with an identifier in `urn:test`.
pub(super) fn patient(value: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","identifier":[{{"system":"urn:test","value":"{value}"}}],"active":true}}"#
    )
}
