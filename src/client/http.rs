//! The one place that builds an HTTP client and sends requests with it.
//!
//! - A write is never redirected: it would be lost, or go where nobody asked it to. A GET follows at most three
//!   redirects, each through the gate of [`Base`]: same origin, below the base; so the credentials stay where they
//!   belong, and nothing but a GET is ever made of it.
//! - No request is repeated here, not even by the library: whether a repeat is safe only the caller knows.
//! - No proxy is taken from the environment: where a record goes is the configuration's word alone.
//! - No host is connected to whose address was not looked at ([`resolve`](super::resolve)), and none faster than it
//!   wants ([`rate`](super::rate)).
//! - The time limit covers the whole exchange, and the size limit counts while the body streams in, after
//!   decompression, so that neither a drip nor a bomb can hold us.
//!
//! Log events name the interaction, the resource type, the status and the time taken: never an id, never a URL.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, RequestBuilder, Response, redirect, retry};
use tracing::Instrument;

use super::address::{Base, OutboundUrl};
use super::answer::Answer;
use super::authorization::{Authorizer, Credentials};
use super::error::{self, Cause, Error, Unsent};
use super::rate::Pacer;
use super::resolve::Resolver;
use super::smart::NoToken;
use super::tls::TlsFault;
use super::{Codes, Config, smart};
use crate::json::Limits;

const FHIR_JSON: HeaderValue = HeaderValue::from_static("application/fhir+json");
pub(super) const JSON_PATCH: HeaderValue = HeaderValue::from_static("application/json-patch+json");
pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How many redirects a GET follows.
const REDIRECTS: usize = 3;

/// FHIR's interactions, as far as we use them (R4 3.1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interaction {
    Capabilities,
    Read,
    Vread,
    HistoryInstance,
    HistoryType,
    HistorySystem,
    SearchType,
    Create,
    Update,
    Patch,
    Delete,
    Transaction,
    Batch,
    /// A batch of GETs alone.
    BatchOfReads,
    /// An operation that may change something: a POST.
    Operation,
    /// An operation that must not: a GET.
    OperationByGet,
    /// The bytes behind an `Attachment.url`.
    Attachment,
}

impl Interaction {
    /// FHIR's code for it.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::Read | Self::Attachment => "read",
            Self::Vread => "vread",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::HistorySystem => "history-system",
            Self::SearchType => "search-type",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Transaction => "transaction",
            Self::Batch | Self::BatchOfReads => "batch",
            Self::Operation | Self::OperationByGet => "operation",
        }
    }

    /// Whether it changes the server: then an answer that tells nothing leaves the outcome unknown.
    pub(super) const fn writes(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Update
                | Self::Patch
                | Self::Delete
                | Self::Transaction
                | Self::Batch
                | Self::Operation
        )
    }

    /// Whether it is about one resource: then 404 says that this one is not there, else that the type or the
    /// interaction is not.
    pub(super) const fn is_on_instance(self) -> bool {
        matches!(
            self,
            Self::Read
                | Self::Vread
                | Self::HistoryInstance
                | Self::Update
                | Self::Patch
                | Self::Delete
                | Self::Attachment
        )
    }

    /// How large its answer may be.
    pub(super) const fn limits(self) -> Limits {
        match self {
            Self::Capabilities => Limits { bytes: Limits::RESOURCE.bytes, ..Limits::BUNDLE },
            Self::SearchType
            | Self::HistoryInstance
            | Self::HistoryType
            | Self::HistorySystem
            | Self::Transaction
            | Self::Batch
            | Self::BatchOfReads
            | Self::Operation
            | Self::OperationByGet => Limits::BUNDLE,
            Self::Read
            | Self::Vread
            | Self::Create
            | Self::Update
            | Self::Patch
            | Self::Delete
            | Self::Attachment => Limits::RESOURCE,
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
    /// Whether it is asked as anybody would, without credentials.
    is_open: bool,
}

impl<'a> Request<'a> {
    /// A GET that asks past every cache (ehr-servers.md 7: HAPI answers from a minute ago otherwise).
    pub(super) fn get(interaction: Interaction, resource_type: &'a str, url: OutboundUrl) -> Self {
        let headers = HeaderMap::new();
        Self {
            interaction,
            resource_type,
            method: Method::GET,
            url,
            headers,
            body: None,
            is_open: false,
        }
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
        Self { interaction, resource_type, method, url, headers, body: Some(body), is_open: false }
            .header(CONTENT_TYPE, FHIR_JSON)
    }

    /// A DELETE.
    pub(super) fn delete(resource_type: &'a str, url: OutboundUrl) -> Self {
        let (interaction, headers) = (Interaction::Delete, HeaderMap::new());
        Self {
            interaction,
            resource_type,
            method: Method::DELETE,
            url,
            headers,
            body: None,
            is_open: false,
        }
    }

    /// The same request without credentials: for what a server shows to everybody.
    pub(super) const fn openly(mut self) -> Self {
        self.is_open = true;
        self
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
    base: Base,
    timeout: Duration,
    pacer: Pacer,
    codes: Codes,
}

impl Http {
    /// Builds the client.
    ///
    /// # Errors
    /// [`Unsent::Tls`] if our certificates or our key can't be used; [`Unsent::Request`] if TLS can't be set up on this
    /// machine.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let resolver =
            Resolver { lookup: config.lookup.clone(), private_network: config.private_network };
        let builder = reqwest::Client::builder()
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
            .dns_resolver(Arc::new(resolver));
        let builder = if config.base.is_https() || config.authorization.needs_tls() {
            config.tls.apply(builder)
        } else {
            // Nothing is encrypted there, so the machine's authorities need not be read.
            builder.tls_certs_only([])
        };
        let client = builder.build().map_err(|error| {
            if config.tls.is_plain() {
                error::transport(error)
            } else {
                Error::NotSent(Unsent::Tls(TlsFault::OurFiles))
            }
        })?;
        let authorizer = Authorizer::new(&config.authorization, &client);
        Ok(Self {
            client,
            authorizer,
            base: config.base.clone(),
            timeout: config.timeout,
            pacer: Pacer::new(config.rate),
            codes: config.codes.clone(),
        })
    }

    /// The vendor's own codes.
    pub(super) const fn codes(&self) -> &Codes {
        &self.codes
    }

    /// How long a request may be held back before it is sent: by the pace, and by a login.
    pub(super) fn held_back(&self) -> Duration {
        let login = if self.authorizer.asks() { self.timeout } else { Duration::ZERO };
        self.pacer.longest_wait().saturating_add(login)
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
            result?.accept(interaction, &self.codes)
        }
        .instrument(span)
        .await
    }

    /// Sends a request, after a redirect that may be followed the next one, and once more with other credentials if the
    /// server does not accept the first: a 401 says that nothing was processed, so this holds for writes, too.
    ///
    /// A login may take the time limit, the pace its longest wait, and then the request its time limit, with all that
    /// follows from its answer: whoever sent a write reckons with their sum ([`Self::held_back`]).
    async fn exchange(
        &self,
        mut request: Request<'_>,
        request_id: &uuid::Uuid,
    ) -> Result<Answer, Error> {
        let mut credentials = if request.is_open {
            Credentials::none()
        } else {
            in_time(Instant::now() + self.timeout, self.authorizer.credentials()).await?
        };
        self.pacer.turn(Instant::now() + self.pacer.longest_wait() + self.timeout).await?;
        let deadline = Instant::now() + self.timeout;
        let (mut followed, mut is_renewed) = (0, false);
        loop {
            let answer = self.once(&request, request_id, &credentials, deadline).await?;
            if let Some(second) = answer.second_of_minute() {
                self.pacer.dated(second);
            }
            if answer.is_busy() {
                self.pacer.turned_away(answer.wait());
            }
            if answer.status == 401 && !is_renewed && !request.is_open {
                is_renewed = true;
                let renewed = in_time(deadline, self.authorizer.renewed(&credentials)).await?;
                let Some(renewed) = renewed else { return Ok(answer) };
                credentials = renewed;
            } else {
                let next = answer.redirect().filter(|_| followed < REDIRECTS);
                let next = next.filter(|_| request.method == Method::GET);
                let next = next.and_then(|place| self.base.link_from(&request.url, place));
                let Some(next) = next else { return Ok(answer) };
                followed += 1;
                request.url = next;
            }
            self.pacer.turn(deadline).await?;
        }
    }

    /// Sends one request and reads its answer.
    async fn once(
        &self,
        request: &Request<'_>,
        request_id: &uuid::Uuid,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::NotSent(Unsent::Timeout));
        }
        let mut headers = request.headers.clone();
        headers.entry(ACCEPT).or_insert(FHIR_JSON);
        if let Ok(id) = HeaderValue::try_from(request_id.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(header) = &credentials.header {
            headers.insert(AUTHORIZATION, header.clone());
        }
        let mut outgoing = self
            .client
            .request(request.method.clone(), request.url.url().clone())
            .timeout(left)
            .headers(headers);
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
}

/// Waits for credentials no longer than the request itself may take. Without them it was not sent.
async fn in_time<T>(
    latest: Instant,
    credentials: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = || Error::NotSent(Unsent::NoToken(NoToken::NoAnswer));
    let limit = latest.saturating_duration_since(Instant::now());
    tokio::time::timeout(limit, credentials).await.unwrap_or_else(|_| Err(late()))
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

/// What broke off an answer: the server has had the request, whatever the connection ended with.
fn after_the_head(error: reqwest::Error) -> Error {
    match error::transport(error) {
        Error::NotSent(_) => Error::Ambiguous(Cause::Connection),
        other => other,
    }
}

/// Reads a body up to a limit.
async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, Error> {
    let declared = response.content_length().and_then(|length| usize::try_from(length).ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Error::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(after_the_head)? {
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
