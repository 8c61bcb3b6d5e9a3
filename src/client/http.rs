//! The one place that builds an HTTP client and sends requests with it.
//!
//! - No redirect is followed: a redirected write is either lost or goes where nobody asked it to.
//! - No request is repeated here, not even by the library: whether a repeat is safe only the caller knows.
//! - No proxy is taken from the environment: where a record goes is the configuration's word alone.
//! - The time limit covers the whole exchange, and the size limit counts while the body streams in, after
//!   decompression, so that neither a drip nor a bomb can hold us.
//!
//! Log events name the interaction, the resource type, the status and the time taken: never an id, never a URL.

use std::time::{Duration, Instant};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, RequestBuilder, Response, redirect, retry};
use tracing::Instrument;

use super::address::OutboundUrl;
use super::answer::Answer;
use super::authorization::{Authorizer, Credentials};
use super::error::{self, Cause, Error};
use super::{Config, smart};
use crate::json::Limits;

const FHIR_JSON: HeaderValue = HeaderValue::from_static("application/fhir+json");
pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// FHIR's interactions, as far as we use them (R4 3.1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interaction {
    Capabilities,
    Read,
    Vread,
    HistoryInstance,
    SearchType,
    Create,
    Update,
    Transaction,
}

impl Interaction {
    /// FHIR's code for it.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::Read => "read",
            Self::Vread => "vread",
            Self::HistoryInstance => "history-instance",
            Self::SearchType => "search-type",
            Self::Create => "create",
            Self::Update => "update",
            Self::Transaction => "transaction",
        }
    }

    /// Whether it changes the server: then an answer that tells nothing leaves the outcome unknown.
    pub(super) const fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Transaction)
    }

    /// How large its answer may be.
    pub(super) const fn limits(self) -> Limits {
        match self {
            Self::Capabilities => Limits { bytes: Limits::RESOURCE.bytes, ..Limits::BUNDLE },
            Self::SearchType | Self::HistoryInstance | Self::Transaction => Limits::BUNDLE,
            Self::Read | Self::Vread | Self::Create | Self::Update => Limits::RESOURCE,
        }
    }
}

/// One request, before it is sent.
pub(super) struct Request<'a> {
    pub(super) interaction: Interaction,
    pub(super) resource_type: &'a str,
    method: Method,
    pub(super) url: OutboundUrl,
    headers: HeaderMap,
    body: Option<String>,
}

impl<'a> Request<'a> {
    /// A GET that asks past every cache (ehr-servers.md 7: HAPI answers from a minute ago otherwise).
    pub(super) fn get(interaction: Interaction, resource_type: &'a str, url: OutboundUrl) -> Self {
        let headers = HeaderMap::new();
        Self { interaction, resource_type, method: Method::GET, url, headers, body: None }
            .header(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
    }

    /// A POST of a form: a search whose parameters stay out of the URL.
    pub(super) fn post_form(resource_type: &'a str, url: OutboundUrl, form: String) -> Self {
        let mut request = Self::get(Interaction::SearchType, resource_type, url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        request.method = Method::POST;
        request.body = Some(form);
        request
    }

    /// A request with a FHIR body.
    pub(super) fn with_body(
        interaction: Interaction,
        method: Method,
        resource_type: &'a str,
        url: OutboundUrl,
        body: String,
    ) -> Self {
        let headers = HeaderMap::new();
        Self { interaction, resource_type, method, url, headers, body: Some(body) }
            .header(CONTENT_TYPE, FHIR_JSON)
    }

    /// The same request with a header.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// The HTTP client of one EHR.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    authorizer: Authorizer,
}

impl Http {
    /// Builds the client.
    ///
    /// # Errors
    /// [`Unsent::Request`](super::Unsent::Request) if TLS can't be set up on this machine.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .https_only(config.base.is_https())
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("ipt-fhir/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.timeout.min(CONNECT_LIMIT))
            .timeout(config.timeout)
            // Shorter than the keep-alive of common servers, so that few requests meet a connection that just ended.
            .pool_idle_timeout(Duration::from_secs(4))
            .build()
            .map_err(error::transport)?;
        let authorizer = Authorizer::new(&config.authorization, &client);
        Ok(Self { client, authorizer })
    }

    /// Sends a request once and reads its answer; a status other than 2xx becomes its [`Error`].
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, Error> {
        let interaction = request.interaction;
        let request_id = uuid::Uuid::new_v4();
        let span = tracing::debug_span!(
            "interaction",
            fhir.interaction = interaction.code(),
            fhir.resource_type = request.resource_type,
            request_id = %request_id,
        );
        async {
            let started = Instant::now();
            let result = self.exchange(request, &request_id).await;
            let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            match &result {
                Ok(answer) => {
                    tracing::debug!(http.status = answer.status, duration_ms, "answered");
                }
                Err(error) => tracing::debug!(duration_ms, "no answer: {error}"),
            }
            result?.accept(interaction)
        }
        .instrument(span)
        .await
    }

    /// Sends a request, and once more with other credentials if the server does not accept them: a 401 says that nothing
    /// was processed, so this holds for writes, too.
    async fn exchange(
        &self,
        request: Request<'_>,
        request_id: &uuid::Uuid,
    ) -> Result<Answer, Error> {
        let credentials = self.authorizer.credentials().await?;
        let answer = self.exchange_once(&request, request_id, &credentials).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        match self.authorizer.renewed(&credentials).await? {
            Some(renewed) => self.exchange_once(&request, request_id, &renewed).await,
            None => Ok(answer),
        }
    }

    async fn exchange_once(
        &self,
        request: &Request<'_>,
        request_id: &uuid::Uuid,
        credentials: &Credentials,
    ) -> Result<Answer, Error> {
        let mut headers = request.headers.clone();
        headers.insert(ACCEPT, FHIR_JSON);
        if let Ok(id) = HeaderValue::try_from(request_id.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(header) = &credentials.header {
            headers.insert(AUTHORIZATION, header.clone());
        }
        let url = request.url.url().clone();
        let mut outgoing = self.client.request(request.method.clone(), url).headers(headers);
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        match receive(outgoing, request.interaction.limits().bytes).await {
            Err(Error::TooLarge) if request.interaction.writes() => {
                Err(Error::Ambiguous(Cause::TooLarge))
            }
            answer => answer,
        }
    }

    /// What our login came to, where there is one.
    pub(super) async fn login(&self) -> Result<Option<smart::Login>, Error> {
        self.authorizer.login().await
    }

    /// Reads a JSON document that the server shows to everybody: without credentials.
    pub(super) async fn get_openly(
        &self,
        url: &OutboundUrl,
        limit: usize,
    ) -> Result<Answer, Error> {
        let outgoing = self.client.get(url.url().clone()).header(ACCEPT, "application/json");
        receive(outgoing, limit).await?.accept(Interaction::Capabilities)
    }
}

/// Sends what was built, once, and reads the answer up to a limit; a refusal counts even without its body.
pub(super) async fn receive(outgoing: RequestBuilder, limit: usize) -> Result<Answer, Error> {
    let response = outgoing.send().await.map_err(error::transport)?;
    let mut answer = Answer::from_head(response.status().as_u16(), response.headers());
    match body(response, limit).await {
        Ok(body) => answer.body = body,
        // The status alone tells what a refusal means.
        Err(_) if !answer.is_success() => {}
        Err(error) => return Err(error),
    }
    Ok(answer)
}

/// Reads a body up to a limit.
async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, Error> {
    let declared = response.content_length().and_then(|length| usize::try_from(length).ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Error::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(error::transport)? {
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
