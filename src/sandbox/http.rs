//! HTTP around the interactions: reading a request, negotiating JSON, writing the answer, and the faults.
//!
//! It speaks JSON in UTF-8 only. It answers to loopback names only, so that a web page that rebinds its own name
//! to 127.0.0.1 reads nothing here (421). Requests are done one after another under one lock.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::fhir::Resource;
use crate::fhir::resource::is_id;
use crate::json::{self, ErrorKind, Limits};

use super::answer::{Answer, Refusal, Stamp};
use super::behaviour::Fault;
use super::connection::Cut;
use super::interaction::{Method, Request, Returning};
use super::quirk::Quirks;
use super::running::{Logged, Shared};
use super::smart;

/// The path of the base URL.
pub(super) const BASE_PATH: &str = "/fhir";

/// Answers one HTTP request; what was asked for as a fault goes wrong on the way.
pub(super) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(tokens) = shared.tokens.as_ref().filter(|_| smart::is_own(parts.uri.path())) {
        return match check_host(&shared, &parts.headers) {
            Ok(()) => smart::answer(tokens, &parts, body, shared.now()).await,
            Err(refusal) => write_refusal(&refusal, false),
        };
    }
    let method = parts.method.as_str().to_owned();
    let (number, fault) = shared.faults.count(&method);
    let path = below_base(&parts.uri).unwrap_or_default().to_owned();
    let log = |status: Option<StatusCode>| {
        let status = status.map(|status| status.as_u16());
        shared.log(Logged::new(number, &method, &path, status));
    };
    if fault == Some(Fault::DropBefore) {
        cut.after(0);
        log(None);
        return Response::default();
    }
    let done = match fault {
        Some(Fault::RefuseBefore(status)) => {
            Err(Refusal::new(status, "transient", "refused on purpose"))
        }
        _ => authorized(&shared, &parts.uri, &parts.method, &parts.headers, body).await,
    };
    let pretty = query_of(&parts.uri).any(|(name, value)| name == "_pretty" && value == "true");
    let mut response = match done {
        Ok(answer) => write_answer(&shared, &answer, pretty),
        Err(refusal) => write_refusal(&refusal, pretty),
    };
    if response.headers().contains_key(header::CONTENT_TYPE) {
        set(&mut response, header::CONTENT_TYPE, shared.media_type());
    }
    if let Some(id) = parts.headers.get("x-request-id").filter(|id| id.to_str().is_ok_and(is_id)) {
        response.headers_mut().insert("x-request-id", id.clone());
    }
    log(Some(response.status()));
    match fault {
        Some(Fault::LoseAnswerAfterApply) => cut.after(0),
        Some(Fault::TruncateAnswer) => return truncated(response, &cut).await,
        Some(Fault::DelayAnswer(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    response
}

/// Does what is asked, as far as the login allows; without a login, all of it.
async fn authorized(
    shared: &Arc<Shared>,
    uri: &Uri,
    method: &axum::http::Method,
    headers: &HeaderMap,
    body: Body,
) -> Result<Answer, Refusal> {
    let granted = match &shared.tokens {
        Some(tokens) if below_base(uri) != Some("metadata") => {
            let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            Some(tokens.authorized(header, shared.now())?)
        }
        _ => None,
    };
    let request = read(shared, uri, method, headers, body).await?;
    if let Some(granted) = &granted {
        granted.check(&request)?;
    }
    let reads = request.method == Method::Get || request.path.ends_with("_search");
    let answer = perform(shared, request).await?;
    if let Some(granted) = granted.filter(|_| reads) {
        granted.check_answer(&answer)?;
    }
    Ok(answer)
}

/// Does the interaction on a thread that may wait for the lock and the disk.
async fn perform(shared: &Arc<Shared>, request: Request) -> Result<Answer, Refusal> {
    let shared = Arc::clone(shared);
    let done = tokio::task::spawn_blocking(move || shared.perform(&request)).await;
    done.unwrap_or(Err(Refusal::new(500, "exception", "the server failed")))
}

/// Sets the connection to break in the middle of the body.
async fn truncated(response: Response, cut: &Cut) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    // Status line, the headers here, and those that are added when it is sent: Content-Length and Date.
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let headers = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let length = format!("content-length: {}\r\n", body.len()).len();
    let date = "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n".len();
    let head =
        "HTTP/1.1 200 \r\n\r\n".len() + reason.len() + headers.sum::<usize>() + length + date;
    cut.after((head + body.len() / 2) as u64);
    Response::from_parts(parts, Body::from(body))
}

/// The path below the base, without slashes at its ends.
fn below_base(uri: &Uri) -> Option<&str> {
    let rest = uri.path().strip_prefix(BASE_PATH)?;
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

async fn read(
    shared: &Shared,
    uri: &Uri,
    method: &axum::http::Method,
    headers: &HeaderMap,
    body: Body,
) -> Result<Request, Refusal> {
    check_host(shared, headers)?;
    let no_such = Refusal::new(404, "not-found", "the path is not below the base of this server");
    let path = below_base(uri).ok_or(no_such)?.to_owned();
    let method = Method::parse(method.as_str()).ok_or(Refusal::new(
        405,
        "not-supported",
        "the method is not one of FHIR's",
    ))?;
    let mut query: Vec<(String, String)> = query_of(uri).collect();
    check_acceptable(&query, all(headers, header::ACCEPT)?)?;

    let bytes = to_bytes(body, Limits::BUNDLE.bytes).await.map_err(|_| {
        Refusal::new(413, "too-long", "the body is too large, or did not come whole")
    })?;
    let content_type = all(headers, header::CONTENT_TYPE)?.unwrap_or_default();
    let mut resource = None;
    if method == Method::Post && path.ends_with("/_search") {
        query.extend(form(&bytes, &content_type)?);
    } else if matches!(method, Method::Post | Method::Put) {
        resource = Some(parse(&bytes, &content_type, path.is_empty())?);
    }
    let if_none_exist = HeaderName::from_static("if-none-exist");
    if headers.get_all(&if_none_exist).iter().count() > 1 {
        return Err(Refusal::invalid("If-None-Exist can be sent only once"));
    }
    let prefer = all(headers, HeaderName::from_static("prefer"))?.unwrap_or_default();
    let prefers = |wanted: &str| {
        prefer.split([',', ';']).any(|one| one.trim().replace('"', "").eq_ignore_ascii_case(wanted))
    };
    let returning = match () {
        () if prefers("return=minimal") => Returning::Minimal,
        () if prefers("return=representation") => Returning::Representation,
        () if prefers("return=OperationOutcome") => Returning::OperationOutcome,
        () => Returning::Unsaid,
    };
    Ok(Request {
        method,
        path,
        query,
        if_match: all(headers, header::IF_MATCH)?,
        if_none_match: all(headers, header::IF_NONE_MATCH)?,
        if_none_exist: all(headers, if_none_exist)?,
        returning,
        strict: prefers("handling=strict"),
        body: resource,
    })
}

/// All values of a header, joined by commas. A condition that can't be read must never count as absent.
fn all(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, Refusal> {
    let values = headers.get_all(name).iter().map(|value| value.to_str());
    let values = values
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Refusal::invalid("a header that is not ASCII text"))?;
    Ok((!values.is_empty()).then(|| values.join(", ")))
}

/// Refuses a client that does not take JSON (R4 2.6, 3.1.0.1.10); `_format` goes before `Accept`.
fn check_acceptable(query: &[(String, String)], accept: Option<String>) -> Result<(), Refusal> {
    let format = query.iter().find(|(name, _)| name == "_format");
    // A `+` that a client did not escape came as a space.
    let format = format.map(|(_, value)| value.replace(' ', "+"));
    let takes_json = match format.or(accept) {
        None => true,
        Some(wanted) => wanted.split(',').any(|one| {
            let (media_type, parameters) = media_type(one);
            let is_json = matches!(
                media_type.as_str(),
                "*/*"
                    | "application/*"
                    | "application/fhir+json"
                    | "application/json"
                    | "text/json"
                    | "json"
            );
            is_json
                && parameters.iter().all(|(name, value)| match name.as_str() {
                    "q" => value.chars().any(|digit| digit.is_ascii_digit() && digit != '0'),
                    "fhirversion" => value.starts_with("4.0"),
                    _ => true,
                })
        }),
    };
    if takes_json {
        Ok(())
    } else {
        Err(Refusal::new(406, "not-supported", "this server writes FHIR R4 as JSON only"))
    }
}

/// A media type in lower case, with its parameters.
fn media_type(text: &str) -> (String, Vec<(String, String)>) {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    let parameters = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
    });
    (name, parameters.collect())
}

/// The resource in a body.
fn parse(bytes: &Bytes, content_type: &str, is_bundle: bool) -> Result<Resource, Refusal> {
    let (name, parameters) = media_type(content_type);
    let is_json =
        matches!(name.as_str(), "application/fhir+json" | "application/json" | "text/json");
    let in_utf8 = |(name, value): &(String, String)| match name.as_str() {
        "charset" => value == "utf-8",
        "fhirversion" => value.starts_with("4.0"),
        _ => true,
    };
    if !is_json || !parameters.iter().all(in_utf8) {
        return Err(Refusal::new(
            415,
            "not-supported",
            "this server reads FHIR R4 as JSON in UTF-8 only",
        ));
    }
    let limits = if is_bundle { Limits::BUNDLE } else { Limits::RESOURCE };
    let value = json::parse_with(bytes, limits).map_err(|error| match error.kind {
        ErrorKind::TooLarge => Refusal::new(413, "too-long", "the body is too large"),
        _ => Refusal {
            text: format!(
                "the body is not JSON that can be read: {error}, at line {} and column {}",
                error.position.line, error.position.column
            )
            .into(),
            ..Refusal::new(400, "structure", "")
        },
    })?;
    Resource::from_value(value)
        .map_err(|_| Refusal::new(400, "structure", "the body is no object with a resourceType"))
}

/// The parameters in the body of a search by POST.
fn form(bytes: &Bytes, content_type: &str) -> Result<Vec<(String, String)>, Refusal> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    if media_type(content_type).0 != "application/x-www-form-urlencoded" {
        return Err(Refusal::new(415, "not-supported", "a search by POST is a form"));
    }
    Ok(url::form_urlencoded::parse(bytes).into_owned().collect())
}

fn write_answer(shared: &Shared, answer: &Answer, pretty: bool) -> Response {
    let mut response = response(answer.status, answer.body.as_deref(), pretty);
    if let Some(version) = &answer.version {
        write_version(&mut response, version);
        if answer.located {
            let location = format!("{}/{}", shared.base, version.location());
            set(&mut response, header::LOCATION, &location);
        }
    }
    response
}

fn write_refusal(refusal: &Refusal, pretty: bool) -> Response {
    let mut response = response(refusal.status, Some(&refusal.outcome()), pretty);
    if let Some(version) = &refusal.version {
        write_version(&mut response, version);
    }
    if !refusal.allow.is_empty() {
        set(&mut response, header::ALLOW, refusal.allow);
    }
    if refusal.status == 401 {
        set(&mut response, header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
    }
    if matches!(refusal.status, 429 | 503) {
        set(&mut response, header::RETRY_AFTER, "1");
    }
    response
}

fn response(status: u16, body: Option<&Resource>, pretty: bool) -> Response {
    let mut response = Response::default();
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(body) = body {
        let text = if pretty { body.to_value().to_pretty() } else { body.to_text() };
        *response.body_mut() = Body::from(text);
        set(&mut response, header::CONTENT_TYPE, Quirks::FHIR_JSON);
    }
    response
}

fn write_version(response: &mut Response, version: &Stamp) {
    set(response, header::ETAG, &version.etag());
    let modified = DateTimePrinter::new().timestamp_to_rfc9110_string(&version.last_updated);
    if let Ok(modified) = modified {
        set(response, header::LAST_MODIFIED, &modified);
    }
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
