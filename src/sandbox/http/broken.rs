//! What goes wrong between the server and its client: answers in the place of the server's, answers that are changed on
//! the way, and answers that do not come whole.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;
use tokio::sync::oneshot;

use crate::fhir::outcome::operation_outcome;
use crate::json::{self, Value};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::connection::Cut;
use crate::sandbox::fault::{Fault, Until};
use crate::sandbox::running::Shared;

use super::write;

/// A login page, as proxies and portals send it with 200.
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method=\"post\">\
    <input name=\"user\"><input name=\"password\" type=\"password\"></form></body></html>";

/// The answer that comes before anything is done, if the fault is one of those.
pub(super) fn instead(shared: &Shared, fault: Fault, path: &str, pretty: bool) -> Option<Response> {
    let refuse = |status| {
        let refusal = Refusal::new(status, "transient", "refused on purpose");
        write::refusal(shared, &refusal, pretty)
    };
    Some(match fault {
        Fault::RefuseBefore(status) => refuse(status),
        Fault::RefuseUntil(status, until) => {
            let mut response = refuse(status);
            response.headers_mut().remove(header::RETRY_AFTER);
            if let Some(text) = retry_after(shared, until) {
                write::set(&mut response, header::RETRY_AFTER, &text);
            }
            response
        }
        Fault::HtmlPage => {
            let mut response = Response::new(Body::from(PAGE));
            write::set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
            response
        }
        Fault::OutcomeInOk => {
            let outcome = operation_outcome("error", "exception", "something failed on purpose");
            write::answer(shared, &Answer::of(outcome), pretty)
        }
        Fault::OtherBody => write::answer(shared, &Answer::of(shared.other(path)?), pretty),
        _ => return None,
    })
}

fn retry_after(shared: &Shared, until: Until) -> Option<String> {
    let date = || {
        let then = shared.now().checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
        DateTimePrinter::new().timestamp_to_rfc9110_string(&then).ok()
    };
    match until {
        Until::Negative => Some("-5".to_owned()),
        Until::Date => date(),
        Until::TenYears => Some("315360000".to_owned()),
        Until::Unsaid => None,
    }
}

/// Sends an answer as the fault lets it through.
pub(super) async fn send(response: Response, fault: Fault, cut: &Cut) -> Response {
    match fault {
        Fault::LoseAnswerAfterApply => cut.after(0),
        Fault::CutHead => cut.after(30),
        Fault::TruncateAnswer => return truncated(response, cut).await,
        Fault::HalfBody => {
            return changed(response, |body| {
                body.get(..body.len() / 2).unwrap_or_default().to_vec()
            })
            .await;
        }
        Fault::DelayAnswer(time) => tokio::time::sleep(time).await,
        Fault::SlowBody => cut.slow(),
        Fault::FailAfterApply(status) => {
            let text = "<html><body>upstream</body></html>";
            let mut failed = Response::new(Body::from(text));
            *failed.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            write::set(&mut failed, header::CONTENT_TYPE, "text/html");
            return failed;
        }
        Fault::TellNoPlace => return without(response, &[header::LOCATION, header::ETAG]),
        Fault::OddEtag => {
            return retagged(response, |tag| tag.trim_start_matches("W/").replace('"', ""));
        }
        Fault::OlderVersion => {
            let response = retagged(response, |_| "W/\"0\"".to_owned());
            return rewritten(response, |body| put(body, "/meta/versionId", "0")).await;
        }
        Fault::OtherId => {
            let mut response = response;
            let location =
                response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            if let Some(other) =
                location.map(|location| location.replacen("/_history", "0/_history", 1))
            {
                write::set(&mut response, header::LOCATION, &other);
            }
            return rewritten(response, |body| put(body, "/id", "another")).await;
        }
        Fault::OtherType => {
            return rewritten(response, |body| put(body, "/resourceType", "Basic")).await;
        }
        _ => {}
    }
    response
}

fn without(mut response: Response, names: &[HeaderName]) -> Response {
    for name in names {
        response.headers_mut().remove(name);
    }
    response
}

/// The answer with another `ETag`, if it has one.
fn retagged(mut response: Response, change: impl Fn(&str) -> String) -> Response {
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(change);
    if let Some(tag) = tag {
        write::set(&mut response, header::ETAG, &tag);
    }
    response
}

/// Puts a text in the place of another; what is not there stays away.
fn put(body: &mut Value, place: &str, text: &str) {
    if let Some(value) = body.pointer_mut(place) {
        *value = Value::String(text.to_owned());
    }
}

/// The answer with its JSON changed; what is no JSON stays as it is.
async fn rewritten(response: Response, change: impl FnOnce(&mut Value)) -> Response {
    changed(response, |body| match json::parse(&body) {
        Ok(mut value) => {
            change(&mut value);
            value.to_text().into_bytes()
        }
        Err(_) => body.to_vec(),
    })
    .await
}

async fn changed(response: Response, change: impl FnOnce(Bytes) -> Vec<u8>) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    Response::from_parts(parts, Body::from(change(body)))
}

/// Where one answer waits for another, to be swapped with it.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Swap(Mutex<Option<(Response, oneshot::Sender<Response>)>>);

impl Swap {
    /// Gives this answer to the request that waits, and gets its own; or waits for one itself, for a second.
    pub(super) async fn exchange(&self, mine: Response) -> Response {
        let waiting = {
            let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(waiting) = slot.take() {
                Ok((waiting, mine))
            } else {
                let (give, get) = oneshot::channel();
                *slot = Some((mine, give));
                Err(get)
            }
        };
        match waiting {
            Ok(((theirs, give), mine)) => match give.send(mine) {
                Ok(()) => theirs,
                // It gave up waiting meanwhile: each keeps its own.
                Err(mine) => mine,
            },
            Err(get) => {
                if let Ok(Ok(theirs)) = tokio::time::timeout(Duration::from_secs(1), get).await {
                    return theirs;
                }
                let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                slot.take().map(|(mine, _)| mine).unwrap_or_default()
            }
        }
    }
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
