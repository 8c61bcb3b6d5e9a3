//! HTTP around the interactions: reading a request, negotiating JSON, writing the answer, and the faults.
//!
//! It speaks JSON in UTF-8 only. It answers to loopback names only, so that a web page that rebinds its own name
//! to 127.0.0.1 reads nothing here (421). Requests are done one after another under one lock.

mod broken;
mod read;
mod write;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;

use crate::fhir::resource::is_id;

use super::answer::{Answer, Refusal};
use super::connection::Cut;
use super::fault::Fault;
use super::interaction::{Method, Request};
use super::running::{Logged, Shared};
use super::smart::{self, Granted};

pub(super) use broken::Swap;

/// The path of the base URL, but for vendors that are known by theirs.
pub(super) const BASE_PATH: &str = "/fhir";

/// Answers one HTTP request; what was asked for as a fault goes wrong on the way.
pub(super) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let own = |tokens: &&smart::TokenServer| smart::is_own(tokens, parts.uri.path());
    if let Some(tokens) = shared.tokens.as_ref().filter(own) {
        // Token requests count, too (eCW).
        let counted = if shared.is_too_many(false) { Err(too_many()) } else { Ok(()) };
        return match check_host(&shared, &parts.headers).and(counted) {
            Ok(()) => smart::answer(tokens, &parts, body, shared.now()).await,
            Err(refusal) => write::refusal(&shared, &refusal, false),
        };
    }
    let method = parts.method.as_str().to_owned();
    let path = below_base(&shared, &parts.uri).unwrap_or_default().to_owned();
    let (number, fault) = shared.faults.count(&method, &path);
    if let Some(fault) = fault {
        tracing::info!(fault = fault.name(), number, "goes wrong on purpose");
    }
    let (status, response) = answer(&shared, parts, body, (number, &path), fault, &cut).await;
    shared.log(Logged::new(number, &method, &path, status, fault));
    let waiting = Arc::clone(&shared);
    // What was delivered late comes after the request that followed it.
    tokio::task::spawn_blocking(move || waiting.deliver(number)).await.unwrap_or_default();
    match fault {
        Some(Fault::SwapAnswer) => shared.swap.exchange(response).await,
        Some(fault) => broken::send(response, fault, &cut).await,
        None => response,
    }
}

/// The answer, and the status that the log names: none for a request that was dropped.
async fn answer(
    shared: &Arc<Shared>,
    parts: Parts,
    body: Body,
    (number, path): (u64, &str),
    fault: Option<Fault>,
    cut: &Cut,
) -> (Option<u16>, Response) {
    if fault == Some(Fault::DropBefore) {
        cut.after(0);
        return (None, Response::default());
    }
    let pretty = query_of(&parts.uri).any(|(name, value)| name == "_pretty" && value == "true");
    let refused = fault.and_then(|fault| broken::instead(shared, fault, path, pretty));
    let mut response = match refused {
        Some(response) => response,
        None => match authorized(shared, &parts, body, number, fault).await {
            Ok(Some(answer)) => write::answer(shared, &answer, pretty),
            Ok(None) => {
                cut.after(0);
                return (None, Response::default());
            }
            Err(refusal) => write::refusal(shared, &refusal, pretty),
        },
    };
    let is_fhir = response.headers().get(header::CONTENT_TYPE);
    if is_fhir.is_some_and(|said| said == super::quirk::Quirks::FHIR_JSON) {
        write::set(&mut response, header::CONTENT_TYPE, shared.behaviour().quirks.media_type);
    }
    if let Some(id) = parts.headers.get("x-request-id").filter(|id| id.to_str().is_ok_and(is_id)) {
        response.headers_mut().insert("x-request-id", id.clone());
    }
    (Some(response.status().as_u16()), response)
}

/// Does what is asked, as far as the login allows; without a login, all of it. No answer if it is kept for later.
async fn authorized(
    shared: &Arc<Shared>,
    parts: &Parts,
    body: Body,
    number: u64,
    fault: Option<Fault>,
) -> Result<Option<Answer>, Refusal> {
    let (uri, headers) = (&parts.uri, &parts.headers);
    if shared.is_too_many(below_base(shared, uri) == Some("")) {
        return Err(too_many());
    }
    let granted: Option<Granted> = match &shared.tokens {
        Some(tokens) if below_base(shared, uri) != Some("metadata") => {
            let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            Some(tokens.authorized(header, shared.now())?)
        }
        _ => None,
    };
    let request = read::read(shared, uri, &parts.method, headers, body).await?;
    if let Some(granted) = &granted {
        granted.check(&request)?;
    }
    let reads = request.method == Method::Get || request.path.ends_with("_search");
    match fault {
        Some(Fault::DeliverLate) => {
            shared.keep(request, number);
            return Ok(None);
        }
        Some(Fault::LoseCommits(commits)) => shared.lose(commits),
        Some(Fault::DeliverTwice) => {
            perform(shared, request.clone(), number).await.ok();
        }
        _ => {}
    }
    let answer = perform(shared, request, number).await?;
    if let Some(granted) = granted.filter(|_| reads) {
        granted.check_answer(&answer)?;
    }
    Ok(Some(answer))
}

/// Does the interaction on a thread that may wait for the lock and the disk.
async fn perform(shared: &Arc<Shared>, request: Request, number: u64) -> Result<Answer, Refusal> {
    let shared = Arc::clone(shared);
    let done = tokio::task::spawn_blocking(move || shared.perform(&request, number)).await;
    done.unwrap_or(Err(Refusal::new(500, "exception", "the server failed")))
}

const fn too_many() -> Refusal {
    Refusal::new(429, "throttled", "more requests than this server takes")
}

/// The path below the base, without slashes at its ends.
fn below_base<'a>(shared: &Shared, uri: &'a Uri) -> Option<&'a str> {
    let rest = uri.path().strip_prefix(shared.base_path())?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
}

fn query_of(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
}

fn check_host(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if shared.answers_to(host) {
        return Ok(());
    }
    Err(Refusal::new(421, "security", "this server answers to loopback names only"))
}
