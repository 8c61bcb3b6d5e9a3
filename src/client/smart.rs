//! SMART Backend Services: a login without a person (SMART App Launch 2.2; RFC 7523; ehrs-and-sync.md 1.4).
//!
//! We sign an assertion with our private key, send it to the token URL, and get a token for some minutes. The token URL
//! is pinned in the configuration ([`Pinned`]): what a server offers at `.well-known/smart-configuration` is shown to a
//! person once, and never followed. The access token goes to the FHIR base alone, the assertion to the token URL alone.
//!
//! It refuses symmetric secrets and every algorithm but RS384 and ES384, and it takes no word of a token server for
//! more than a code: no text of it gets into an error or a log.

mod assertion;
mod der;
mod discovery;
mod key;
mod key_file;
mod token;

use std::fmt;

use jiff::SignedDuration;
use secrecy::SecretString;
use std::time::Duration;

use super::authorization::Source;
use super::pinned::Pinned;
use crate::date::Clock;
use crate::fhir::Scopes;

pub use discovery::{SmartConfiguration, discover};
pub use key::{Algorithm, Key, KeyFault, Keys};
pub use key_file::{KeyFile, Rotation};
pub use token::{NoToken, OAuthCode};

pub(super) use token::Session;

/// How we log in at one EHR.
#[derive(Clone)]
pub struct Smart {
    client_id: String,
    token_url: Pinned,
    key: Source,
    clock: Clock,
    scope: Option<String>,
    algorithm: Option<Algorithm>,
}

impl Smart {
    /// A client id, the pinned token URL, where the key file's text is to be had, and the clock.
    ///
    /// The key is fetched anew for each login, so that a running program follows a rotation.
    pub fn new(client_id: impl Into<String>, token_url: Pinned, key: Source, clock: Clock) -> Self {
        Self { client_id: client_id.into(), token_url, key, clock, scope: None, algorithm: None }
    }

    /// The same with the scopes to ask for. Without them none are sent, and the server gives what it has registered
    /// (Epic wants it so).
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// The same with the algorithm, for a key file that holds keys of both kinds.
    #[must_use]
    pub const fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// The keys that sign, read now: to see in time whether they can be.
    ///
    /// # Errors
    /// [`NoToken::KeySource`] and [`NoToken::Key`].
    pub fn keys(&self) -> Result<Keys, NoToken> {
        let text: SecretString = self.key.fetch().map_err(|_| NoToken::KeySource)?;
        Ok(Keys::parse(&text)?)
    }

    /// The token URL.
    pub const fn token_url(&self) -> &Pinned {
        &self.token_url
    }
}

impl fmt::Debug for Smart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Smart")
            .field("client_id", &self.client_id)
            .field("token_url", &self.token_url)
            .field("scope", &self.scope)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// What a login came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The scopes of the token.
    pub granted: Granted,
    /// How long the token is valid, if the server says.
    pub lifetime: Option<Duration>,
    /// How far the token server's clock is ahead of ours, to the second; `None` if it never told its time.
    pub skew: Option<SignedDuration>,
    /// The key that signed.
    pub kid: String,
}

impl Login {
    /// The scopes that the server says it granted; nothing where it does not say.
    pub fn scopes(&self) -> Option<Scopes> {
        match &self.granted {
            Granted::Said(scopes) => Some(Scopes::parse(&scopes.join(" "))),
            Granted::Unsaid { .. } => None,
        }
    }
}

/// The scopes of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// What the server said, one scope each. Words that can be no scope are left out.
    Said(Vec<String>),
    /// The server said nothing. By RFC 6749 5.1 that means what was asked for; some servers mean "none" by it, so only
    /// a request shows (ehr-servers.md 5).
    Unsaid {
        /// What was asked for; `None` if nothing was.
        asked: Option<String>,
    },
}
