//! Writing an answer or a refusal: status, headers, JSON.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::fhir::Resource;
use crate::sandbox::answer::{Answer, Refusal, Stamp};
use crate::sandbox::quirk::{Quirks, RetryAfter};
use crate::sandbox::running::Shared;

/// Writes an answer as this server does.
pub(super) fn answer(shared: &Shared, answer: &Answer, pretty: bool) -> Response {
    let mut response = response(answer.status, answer.body.as_deref(), pretty);
    if let Some(other) = &answer.other {
        *response.body_mut() = Body::from(other.clone());
        set(&mut response, header::CONTENT_TYPE, "application/json");
    }
    if let Some(version) = &answer.version {
        write_version(&mut response, version);
        if answer.located {
            let is_relative = shared.behaviour().quirks.relative_place;
            let location = match version.location() {
                location if is_relative => location,
                location => format!("{}/{location}", shared.base),
            };
            set(&mut response, header::LOCATION, &location);
        }
    }
    response
}

/// Writes a refusal as this server does.
pub(super) fn refusal(shared: &Shared, refusal: &Refusal, pretty: bool) -> Response {
    let quirks = shared.behaviour().quirks;
    let is_empty = refusal.status == 406 && quirks.refuses_accept_empty;
    let outcome = refusal.outcome();
    let mut response = response(refusal.status, Some(&outcome).filter(|_| !is_empty), pretty);
    if let Some(version) = &refusal.version {
        write_version(&mut response, version);
    }
    if let Some(moved) = &refusal.moved {
        set(&mut response, header::LOCATION, &format!("{}/{moved}", shared.base));
    }
    if !refusal.allow.is_empty() {
        set(&mut response, header::ALLOW, refusal.allow);
    }
    if refusal.status == 401 {
        set(&mut response, header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
    }
    if matches!(refusal.status, 429 | 503) {
        match quirks.retry_after {
            RetryAfter::Seconds => set(&mut response, header::RETRY_AFTER, "1"),
            RetryAfter::Milliseconds => {
                set(&mut response, HeaderName::from_static("x-ms-retry-after-ms"), "1000");
            }
            RetryAfter::Nothing => {}
        }
    }
    response
}

/// An answer of this status, with a body or without.
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
    // Where versions are not told, neither is their time.
    let Some(tag) = version.etag() else { return };
    set(response, header::ETAG, &tag);
    let modified = DateTimePrinter::new().timestamp_to_rfc9110_string(&version.last_updated);
    if let Ok(modified) = modified {
        set(response, header::LAST_MODIFIED, &modified);
    }
}

/// Sets a header, if the value can be one.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
