//! What can go wrong with a request, by what the caller can do about it.
//!
//! The line that matters most runs between [`Error::NotSent`] and [`Error::Ambiguous`]: after the first a write may
//! be sent again, after the second it may already be in the chart, and only reading tells (ehrs-and-sync.md 3.2,
//! 3.7). `NotSent` is therefore said only where the connection itself was not made, or the request could not be
//! formed; everything else that yields no readable answer is `Ambiguous`, also when a proxy answers in the server's
//! name (500, 502, 504).
//!
//! No error holds a URL, a body, or a text of the server: of an OperationOutcome only the codes that FHIR itself
//! defines are kept. `reqwest` and `hyper` errors are taken apart here and dropped, not carried as a source.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use super::class::Class;
use super::resolve::PrivateAddress;
use super::smart::NoToken;
use super::tls::TlsFault;
use crate::fhir::{Resource, outcome};

/// What came of a request that did not come to what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No byte of the request left: it may be sent again.
    #[error("the request was not sent: {0}")]
    NotSent(Unsent),
    /// The request was sent, or may have been, and its outcome is unknown. A read may be repeated; a write must be
    /// looked up before it is sent again.
    #[error("the request was sent, but its outcome is unknown: {0}")]
    Ambiguous(Cause),
    /// The server refused to process it now (429, or 503 with Retry-After), or our own pace did not let it go yet; it
    /// may be sent again later.
    #[error("the server is busy{}", retry_after.map_or_else(String::new, |wait| format!(" and asks to wait {} s", wait.as_secs())))]
    Busy {
        /// How long the server asks to wait, at most an hour.
        retry_after: Option<Duration>,
    },
    /// The server does not know who asks (401).
    #[error("the server did not accept the credentials (401)")]
    Unauthorized,
    /// The server knows who asks and refuses (403).
    #[error("the server does not allow this to these credentials (403)")]
    Forbidden,
    /// There is no such resource (404), or no more (410). A type or an operation that is not there is
    /// [`Error::Refused`].
    #[error("{}", if *gone { "the resource is gone (410)" } else { "there is no such resource (404)" })]
    NotFound {
        /// Whether the server says that it was deleted (410). Not all servers tell.
        gone: bool,
    },
    /// The version or the condition did not hold (409, 412).
    #[error("the server has another version, or the condition did not hold ({status})")]
    Conflict {
        /// 409 or 412; servers use either for either. 412 also where a transaction failed with 400 and only its text
        /// tells of the 412 in it.
        status: u16,
        /// What it means after what was asked: a conditional create has no version to conflict with.
        class: Class,
    },
    /// The server refused the request as it is: any other 4xx, 501, and any redirect, for none is followed.
    #[error("the server refused the request ({status}{})", list(codes))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The FHIR `issue-type` codes of the answer, each once.
        codes: Vec<String>,
        /// What can be done about it.
        class: Class,
    },
    /// The server refused the request with a code of its own that stands in our table of them
    /// ([`Codes`](super::Codes)).
    #[error("the server refused the request ({status}: its code {code})")]
    Explained {
        /// The HTTP status.
        status: u16,
        /// The code, as the table has it.
        code: String,
        /// What the table says of it.
        class: Class,
    },
    /// The answer to a read is not what FHIR says.
    #[error("the answer is not what FHIR says: {0}")]
    Incorrect(Flaw),
    /// The server searched without one of our parameters, so its matches are not what was asked for.
    #[error("the server ignored the search parameter {parameter}")]
    IgnoredParameter {
        /// The name of the parameter, as we sent it.
        parameter: String,
    },
    /// The answer to a read is larger than we take.
    #[error("the answer is larger than the limit")]
    TooLarge,
}

/// Why a request was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// Something in it can't stand in a request; no server was asked.
    #[error("it can't be written as a request")]
    Request,
    /// The name of the host has no address.
    #[error("the name of the host was not found")]
    Resolve,
    /// Nothing listens at the port.
    #[error("connection refused")]
    ConnectionRefused,
    /// No connection within the time limit.
    #[error("no connection within the time limit")]
    Timeout,
    /// The name of the host leads to an address that is not of the public network.
    #[error(
        "the name of the host leads to an address of a private network; if this EHR is there, set private_network = true"
    )]
    PrivateAddress,
    /// No TLS connection.
    #[error("no TLS connection: {0}")]
    Tls(TlsFault),
    /// No connection, for another reason.
    #[error("no connection")]
    Connect,
    /// There was no token to send it with, or no new one in the place of one that the server refused (401), which says
    /// as much: it was not processed.
    #[error("no token: {0}")]
    NoToken(NoToken),
}

/// Why an outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No complete answer within the time limit.
    #[error("no complete answer within the time limit")]
    Timeout,
    /// The connection ended before a complete answer.
    #[error("the connection ended before a complete answer")]
    Connection,
    /// The server, or something before it, answered with a status that does not tell.
    #[error("status {0}")]
    Status(u16),
    /// The answer is larger than the limit.
    #[error("the answer is larger than the limit")]
    TooLarge,
    /// The answer is not what FHIR says.
    #[error("{0}")]
    Flaw(Flaw),
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is not a resource in FHIR's JSON: half a document, XML, nothing at all.
    #[error("no FHIR resource in JSON")]
    NotFhir,
    /// It is a web page: a portal, a login, the error page of a proxy.
    #[error("a web page, not FHIR")]
    WebPage,
    /// It is a resource of another type.
    #[error("a resource of another type")]
    OtherType,
    /// It is another resource than the one that was asked for.
    #[error("another resource than the one asked for")]
    OtherResource,
    /// A resource in it has no id, or none that FHIR allows.
    #[error("a resource without a valid id")]
    NoId,
    /// An OperationOutcome in a successful answer reports an error.
    #[error("success and an error at once")]
    ErrorInside,
    /// An OperationOutcome in a search says that the answer may not be complete.
    #[error("the server says that the answer may be incomplete")]
    Incomplete,
    /// A next link points to another server, or out of the base.
    #[error("a link to another server")]
    ForeignLink,
    /// A next link points to a page that was read already.
    #[error("next links in a circle")]
    LinkCircle,
    /// A next link repeats a parameter that was kept out of URLs.
    #[error("a link that would put a parameter into a URL that belongs into the body")]
    RevealingLink,
}

impl Error {
    /// What can be done about it (ehrs-and-sync.md 3.7).
    pub const fn class(&self) -> Class {
        match self {
            Self::NotSent(_) => Class::NotSent,
            Self::Ambiguous(_) => Class::Ambiguous,
            Self::Busy { .. } => Class::NotProcessed,
            Self::Unauthorized => Class::Auth,
            Self::Forbidden => Class::Denied,
            Self::NotFound { .. } => Class::Gone,
            Self::Conflict { class, .. }
            | Self::Refused { class, .. }
            | Self::Explained { class, .. } => *class,
            Self::Incorrect(Flaw::Incomplete) => Class::Incomplete,
            Self::Incorrect(_) | Self::TooLarge => Class::Answer,
            Self::IgnoredParameter { .. } => Class::Capability,
        }
    }
}

/// `: codes` or nothing.
fn list(codes: &[String]) -> String {
    if codes.is_empty() { String::new() } else { format!(": {}", codes.join(", ")) }
}

/// The codes of FHIR's `issue-type` in R4, R4B and R5. Anything else in that place is the server's own text.
const ISSUE_TYPES: [&str; 33] = [
    "business-rule",
    "code-invalid",
    "conflict",
    "deleted",
    "duplicate",
    "exception",
    "expired",
    "extension",
    "forbidden",
    "incomplete",
    "informational",
    "invalid",
    "invariant",
    "limited-filter",
    "lock-error",
    "login",
    "multiple-matches",
    "no-store",
    "not-found",
    "not-supported",
    "processing",
    "required",
    "security",
    "structure",
    "success",
    "suppressed",
    "throttled",
    "timeout",
    "too-costly",
    "too-long",
    "transient",
    "unknown",
    "value",
];

/// The FHIR `issue-type` codes in an OperationOutcome, each once; none in anything else.
pub(super) fn issue_types(resource: Option<&Resource>) -> Vec<String> {
    let mut found = Vec::new();
    let outcome = resource.filter(|resource| resource.resource_type() == "OperationOutcome");
    for (_, code) in outcome.map(outcome::codes).unwrap_or_default() {
        if ISSUE_TYPES.contains(&code.as_str()) && !found.contains(&code) {
            found.push(code);
        }
    }
    found
}

/// What a failed transport means. The error is taken apart and dropped: it may hold the URL.
pub(super) fn transport(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if error.is_builder() {
        return Error::NotSent(Unsent::Request);
    }
    let tls = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    if error.is_connect() {
        return Error::NotSent(unsent(&error, tls));
    }
    // With TLS 1.3 the refusal of our certificate comes after our side has begun to write; the other side has read
    // nothing of it.
    if let Some(fault) = tls.and_then(TlsFault::of_our_certificate) {
        return Error::NotSent(Unsent::Tls(fault));
    }
    Error::Ambiguous(if error.is_timeout() { Cause::Timeout } else { Cause::Connection })
}

/// Why no connection was made.
fn unsent(error: &reqwest::Error, tls: Option<&rustls::Error>) -> Unsent {
    if causes(error).any(<dyn StdError>::is::<PrivateAddress>) {
        return Unsent::PrivateAddress;
    }
    if error.is_dns() {
        return Unsent::Resolve;
    }
    if let Some(error) = tls {
        return Unsent::Tls(TlsFault::of(error));
    }
    let is_refusal = |cause: &(dyn StdError + 'static)| {
        let error = cause.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    match causes(error).any(is_refusal) {
        true => Unsent::ConnectionRefused,
        false if error.is_timeout() => Unsent::Timeout,
        false => Unsent::Connect,
    }
}

/// The causes of an error, from the nearest to the first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |error| cause(*error))
}

fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>() {
        // What an `io::Error` wraps is not its source: its source is that of what it wraps.
        Some(error) => error.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
        None => error.source(),
    }
}
