//! The token request: an assertion goes to the pinned URL, and a token or a code comes back (RFC 6749 4.4, 5).
//!
//! Of an answer only this is taken: the token, its type and life time, the granted scopes, the codes of RFC 6749, and
//! the time in `Date`. The last matters: an assertion from a clock that is off by minutes is refused as expired or as
//! not yet valid, with no reason given. So a refusal that comes with another time than ours is tried once more by the
//! server's time. Beyond an hour we do not follow: whoever tells us such a time could collect assertions for later.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::super::answer::Answer;
use super::super::error::{Cause, Error, Unsent};
use super::super::http::receive;
use super::super::tls::TlsFault;
use super::assertion::assertion;
use super::discovery::is_word;
use super::key::{KeyFault, Keys};
use super::{Granted, Login, Smart};
use crate::json::{self, Limits, Value};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Larger than any token with its scopes.
const LIMITS: Limits = Limits { bytes: 256 << 10, depth: 16, nodes: 10_000 };
/// Clocks that differ less are not worth a second try.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(20);
/// Clocks that differ more are not followed.
const BELIEVABLE: SignedDuration = SignedDuration::from_hours(1);

/// Why there is no token. The request that needed it was not processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// The token, or the command that prints it, can't be had from where the configuration says.
    #[error("the token can't be had from where the configuration says")]
    Source,
    /// The key can't be had from where the configuration says.
    #[error("the key can't be had from where the configuration says")]
    KeySource,
    /// The key can't be used.
    #[error("the key source holds {0}")]
    Key(#[from] KeyFault),
    /// No connection to the token server.
    #[error("no connection to the token server")]
    Unreachable,
    /// No TLS connection to the token server.
    #[error("no TLS connection to the token server: {0}")]
    Tls(TlsFault),
    /// The token server gave no complete answer in time.
    #[error("no complete answer of the token server")]
    NoAnswer,
    /// The token server answered with a status and no code; a redirect is one, too, for none is followed.
    #[error("the token server answered with status {0}")]
    Status(u16),
    /// The token server refused, with a code of RFC 6749.
    #[error("the token server refused: {}", .0.code())]
    Refused(OAuthCode),
    /// The token server refused, and its clock is further from ours than we follow.
    #[error("the token server refused, and its clock and ours differ by more than an hour")]
    Clock,
    /// The answer of the token server is no bearer token.
    #[error("the answer of the token server is no bearer token")]
    NotAToken,
}

/// The codes of RFC 6749 5.2 and 4.1.2.1, which RFC 7523 uses, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as RFC 6749 names it")]
pub enum OAuthCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    AccessDenied,
    ServerError,
    TemporarilyUnavailable,
}

impl OAuthCode {
    const ALL: [Self; 9] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::AccessDenied,
        Self::ServerError,
        Self::TemporarilyUnavailable,
    ];

    /// The code, as the RFC writes it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

impl NoToken {
    /// Whether the same request may get a token a little later.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Unreachable | Self::NoAnswer => true,
            Self::Status(status) => status >= 500,
            Self::Refused(code) => {
                matches!(code, OAuthCode::ServerError | OAuthCode::TemporarilyUnavailable)
            }
            Self::Source
            | Self::KeySource
            | Self::Key(_)
            | Self::Tls(_)
            | Self::Clock
            | Self::NotAToken => false,
        }
    }

    /// Whether the server knows us and says no, or does not know us.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Refused(_) | Self::Clock | Self::Status(400..=499)) && !self.may_pass()
    }
}

impl From<NoToken> for Error {
    fn from(why: NoToken) -> Self {
        Self::NotSent(Unsent::NoToken(why))
    }
}

/// The login at one EHR, as it goes on.
#[derive(Debug)]
pub(in crate::client) struct Session {
    smart: Smart,
    http: reqwest::Client,
    /// How far the server's clock was ahead when it last told its time.
    skew: Mutex<Option<SignedDuration>>,
}

/// A token.
pub(in crate::client) struct Token {
    pub(in crate::client) secret: SecretString,
    /// When it ends by our clock, if the server says.
    pub(in crate::client) until: Option<Timestamp>,
    pub(in crate::client) login: Login,
}

impl Session {
    pub(in crate::client) const fn new(smart: Smart, http: reqwest::Client) -> Self {
        Self { smart, http, skew: Mutex::new(None) }
    }

    /// Our clock.
    pub(in crate::client) fn now(&self) -> Timestamp {
        self.smart.clock.now()
    }

    /// Asks for a token; once more by the server's time if it refuses and its clock differs from what we thought.
    pub(in crate::client) async fn token(&self) -> Result<Token, Error> {
        let before = self.believed();
        let first = self.ask().await;
        let Err(Error::NotSent(Unsent::NoToken(why))) = &first else { return first };
        if !why.is_refusal() {
            return first;
        }
        if self.believed().saturating_sub(before).abs() >= NOTICEABLE {
            tracing::debug!("the token server's clock differs: trying by its time");
            return self.ask().await;
        }
        match self.skew() {
            Some(skew) if skew.abs() > BELIEVABLE => Err(NoToken::Clock.into()),
            _ => first,
        }
    }

    async fn ask(&self) -> Result<Token, Error> {
        let smart = self.smart.clone();
        // A command may take its time, and RSA takes some.
        let now = self.now();
        let dated = now.checked_add(self.believed()).unwrap_or(now);
        let signed = tokio::task::spawn_blocking(move || sign(&smart, now, dated)).await;
        let (body, kid) = signed.unwrap_or(Err(NoToken::KeySource))?;
        let request = (self.http.post(self.smart.token_url.url().clone()))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(body.expose_secret().to_owned());
        let sent = self.now();
        let answer = receive(request, LIMITS.bytes).await.map_err(|error| transport(&error))?;
        self.learn(&answer);
        tracing::debug!(http.status = answer.status, "the token server answered");
        let mut token = self.read(&answer, sent)?;
        token.login.kid = kid;
        token.login.skew = self.skew();
        Ok(token)
    }

    fn read(&self, answer: &Answer, sent: Timestamp) -> Result<Token, Error> {
        let value = json::parse_with(&answer.body, LIMITS).ok();
        if !answer.is_success() {
            let status = answer.status;
            if answer.is_busy() {
                return Err(Error::Busy { retry_after: answer.wait() });
            }
            let text = value.as_ref().and_then(|value| value.text("error"));
            let code = OAuthCode::ALL.into_iter().find(|code| Some(code.code()) == text);
            return Err(code.map_or(NoToken::Status(status), NoToken::Refused).into());
        }
        let value = value.ok_or(NoToken::NotAToken)?;
        let is_bearer =
            value.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        let secret = value.text("access_token").filter(|_| is_bearer).filter(|text| is_token(text));
        let secret = SecretString::from(secret.ok_or(NoToken::NotAToken)?);
        // A token that ends at once would never be used: then the server's 401 decides.
        let lifetime = value.get("expires_in").and_then(seconds).filter(|seconds| *seconds > 0);
        let lifetime = lifetime.map(Duration::from_secs);
        let granted = match value.text("scope") {
            Some(scope) => {
                let words = scope.split_ascii_whitespace().filter(|word| is_word(word));
                Granted::Said(words.map(str::to_owned).collect())
            }
            None => Granted::Unsaid { asked: self.smart.scope.clone() },
        };
        let until = lifetime.and_then(|lifetime| sent.checked_add(lifetime).ok());
        let login = Login { granted, lifetime, skew: None, kid: String::new() };
        Ok(Token { secret, until, login })
    }

    /// Takes the server's time from an answer.
    fn learn(&self, answer: &Answer) {
        let date = answer.date.as_deref().and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        if let Some(date) = date {
            let ahead = date.timestamp().as_second() - self.now().as_second();
            let skew = SignedDuration::from_secs(ahead);
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
    }

    fn skew(&self) -> Option<SignedDuration> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how much we correct our clock.
    fn believed(&self) -> SignedDuration {
        self.skew().filter(|skew| skew.abs() <= BELIEVABLE).unwrap_or_default()
    }
}

/// The body of a token request, dated by the server's clock, and which key signed it. When a new key may sign is a span
/// of time since it was published, and so for our own clock to tell.
fn sign(
    smart: &Smart,
    now: Timestamp,
    dated: Timestamp,
) -> Result<(SecretString, String), NoToken> {
    let keys: Keys = smart.keys()?;
    let key = keys.signing(now, smart.algorithm)?;
    let assertion = assertion(key, &smart.client_id, &smart.token_url, dated)?;
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = &smart.scope {
        form.append_pair("scope", scope);
    }
    form.append_pair("client_assertion_type", ASSERTION_TYPE);
    form.append_pair("client_assertion", assertion.expose_secret());
    Ok((SecretString::from(form.finish()), key.kid().to_owned()))
}

/// What a failed exchange with the token server means: never that the FHIR server may have been reached.
fn transport(error: &Error) -> Error {
    match error {
        Error::NotSent(Unsent::Tls(fault)) => NoToken::Tls(*fault),
        Error::NotSent(_) => NoToken::Unreachable,
        Error::TooLarge | Error::Ambiguous(Cause::TooLarge) => NoToken::NotAToken,
        _ => NoToken::NoAnswer,
    }
    .into()
}

/// Seconds, as a number or as a text; servers write both.
fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Whether a text can stand in an Authorization header (RFC 6750 2.1, a little wider).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
