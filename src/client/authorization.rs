//! How we show who we are, and one renewal of it for all who ask.
//!
//! A token ends, is revoked, or is narrowed while sixty requests are under way. Each of them finds out for itself, and
//! if each asked for a new token, the token server would be asked sixty times (some count that against us:
//! ehrs-and-sync.md 1.4). So callers queue at one door: the first asks, the others take what it got, be it a token or a
//! refusal.
//!
//! A 401 says that nothing was processed, so the request that met it is sent once more with a new token, writes too.
//! It is never sent a third time: a second 401 is the answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::error::{Error, Unsent};
use super::smart::{Login, NoToken, Session, Smart};
use crate::date::Clock;

/// A token is renewed this long before it ends, or a tenth of its life time before, whichever is less.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// How the client shows who it is.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// Not at all: only for a server on this machine.
    None,
    /// A token that was given out elsewhere (RFC 6750), and that stays what it is.
    Bearer(SecretString),
    /// A token that is given out elsewhere and can be fetched again.
    Renewable(Renewable),
    /// User name and password (RFC 7617).
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A login of our own (SMART Backend Services).
    Smart(Box<Smart>),
}

impl Authorization {
    /// Whether a login goes over TLS, whatever the server itself does.
    pub(super) fn needs_tls(&self) -> bool {
        matches!(self, Self::Smart(smart) if smart.token_url().url().scheme() == "https")
    }
}

/// Where a secret is to be had, again and again: a file, a command. It may take its time; it is never asked on a thread
/// that others wait for.
#[derive(Clone)]
pub struct Source(Arc<dyn Fn() -> Result<SecretString, Unavailable> + Send + Sync>);

/// A secret can't be had. Why, whoever provides the [`Source`] has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret can't be had")]
pub struct Unavailable;

impl Source {
    /// A source by its function.
    pub fn new(
        fetch: impl Fn() -> Result<SecretString, Unavailable> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(fetch))
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn fetch(&self) -> Result<SecretString, Unavailable> {
        (self.0)()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Source")
    }
}

/// A bearer token that a command prints, or that somebody keeps fresh in a file.
#[derive(Debug, Clone)]
pub struct Renewable {
    /// Where it is to be had.
    pub source: Source,
    /// How long it is valid from when it was fetched; without it until the server does not accept it.
    pub ttl: Option<Duration>,
    /// The clock that the life time is measured by.
    pub clock: Clock,
}

/// What goes into the Authorization header of one request.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) header: Option<HeaderValue>,
    /// Which token it is, counted from 1.
    number: u64,
    until: Option<Timestamp>,
    login: Option<Login>,
}

/// The credentials of one EHR, kept valid.
#[derive(Debug)]
pub(super) struct Authorizer {
    way: Way,
    /// How often a token was asked for, whatever came of it.
    asked: AtomicU64,
    door: Mutex<Door>,
}

#[derive(Debug)]
enum Way {
    Fixed(Authorization),
    Renewable(Renewable),
    Smart(Box<Session>),
}

/// What the last one who asked got.
#[derive(Debug, Default)]
struct Door {
    credentials: Option<Credentials>,
    refused: Option<Error>,
}

impl Authorizer {
    /// `http` is what token requests are sent with: the same TLS, time limit and rule about redirects as all others.
    pub(super) fn new(authorization: &Authorization, http: &reqwest::Client) -> Self {
        let way = match authorization.clone() {
            Authorization::Renewable(renewable) => Way::Renewable(renewable),
            Authorization::Smart(smart) => Way::Smart(Box::new(Session::new(*smart, http.clone()))),
            fixed => Way::Fixed(fixed),
        };
        Self { way, asked: AtomicU64::new(0), door: Mutex::default() }
    }

    /// Whether there may be something to wait for before a request: a login, a command.
    pub(super) const fn asks(&self) -> bool {
        !matches!(self.way, Way::Fixed(_))
    }

    /// What to send a request with.
    pub(super) async fn credentials(&self) -> Result<Credentials, Error> {
        match &self.way {
            Way::Fixed(Authorization::Bearer(token)) => Credentials::fixed(bearer(token)?),
            Way::Fixed(Authorization::Basic { user, password }) => {
                Credentials::fixed(basic(user, password)?)
            }
            Way::Fixed(_) => Ok(Credentials::none()),
            Way::Renewable(_) | Way::Smart(_) => self.at_the_door(0).await,
        }
    }

    /// Other credentials in the place of those that a server did not accept; none if there are no others.
    pub(super) async fn renewed(
        &self,
        refused: &Credentials,
    ) -> Result<Option<Credentials>, Error> {
        if let Way::Fixed(_) = self.way {
            return Ok(None);
        }
        let renewed = self.at_the_door(refused.number).await?;
        // A file that still holds the old token.
        Ok((renewed.header != refused.header).then_some(renewed))
    }

    /// The login behind the present token; none where there is no login of our own.
    pub(super) async fn login(&self) -> Result<Option<Login>, Error> {
        Ok(self.credentials().await?.login)
    }

    /// The present token, if it is valid and another one than the refused; else a new one, asked for once for all who
    /// wait.
    async fn at_the_door(&self, refused: u64) -> Result<Credentials, Error> {
        let asked = self.asked.load(Ordering::SeqCst);
        let mut door = self.door.lock().await;
        if let Some(present) = &door.credentials
            && present.number != refused
            && present.until.is_none_or(|until| self.now() < until)
        {
            return Ok(present.clone());
        }
        if let Some(error) = &door.refused
            && self.asked.load(Ordering::SeqCst) != asked
        {
            return Err(error.clone());
        }
        let number = door.credentials.as_ref().map_or(0, |present| present.number) + 1;
        let fetched = self.fetch(number).await;
        self.asked.fetch_add(1, Ordering::SeqCst);
        door.refused = fetched.as_ref().err().cloned();
        if let Ok(credentials) = &fetched {
            door.credentials = Some(credentials.clone());
        }
        fetched
    }

    async fn fetch(&self, number: u64) -> Result<Credentials, Error> {
        let (secret, lifetime, until, login) = match &self.way {
            Way::Smart(session) => {
                let token = session.token().await?;
                (token.secret, token.login.lifetime, token.until, Some(token.login))
            }
            Way::Renewable(Renewable { source, ttl, clock }) => {
                let source = source.clone();
                let fetched_at = clock.now();
                let fetched = tokio::task::spawn_blocking(move || source.fetch()).await;
                let secret = fetched.unwrap_or(Err(Unavailable)).map_err(|_| NoToken::Source)?;
                let until = ttl.and_then(|ttl| fetched_at.checked_add(ttl).ok());
                (secret, *ttl, until, None)
            }
            Way::Fixed(_) => return Err(NoToken::Source.into()),
        };
        let tenth = lifetime.and_then(|lifetime| SignedDuration::try_from(lifetime / 10).ok());
        let margin = tenth.unwrap_or_default().min(MARGIN);
        let until = until.map(|until| until.checked_sub(margin).unwrap_or(until));
        Ok(Credentials { header: Some(bearer(&secret)?), number, until, login })
    }

    fn now(&self) -> Timestamp {
        match &self.way {
            Way::Renewable(renewable) => renewable.clock.now(),
            Way::Smart(session) => session.now(),
            Way::Fixed(_) => Timestamp::MAX,
        }
    }
}

impl Credentials {
    /// None: as anybody asks.
    pub(super) const fn none() -> Self {
        Self { header: None, number: 0, until: None, login: None }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it ends arms that can fail")]
    const fn fixed(header: HeaderValue) -> Result<Self, Error> {
        Ok(Self { header: Some(header), number: 0, until: None, login: None })
    }
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    sensitive(&format!("Bearer {}", token.expose_secret()))
}

fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, Error> {
    let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
    sensitive(&format!("Basic {pair}"))
}

/// A header value that no log of the libraries prints.
fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::NotSent(Unsent::Request))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("number", &self.number)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
