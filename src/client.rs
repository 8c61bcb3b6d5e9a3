//! One EHR's FHIR endpoint: capabilities, read, search, history, create, update and transaction.
//!
//! The client says what happened, not what it means for a plan: it never repeats a request, never follows a
//! redirect, and tells a request that was not sent from one whose outcome is unknown ([`Error`]), because on that
//! difference hangs whether a patient's chart gets a second copy. Retry, settling and probing are `sync`'s.
//!
//! It refuses to send a record anywhere but below the configured [`Base`], and without credentials to any machine
//! but this one. Ids get into a URL only as [`ResourceId`], which can't carry anything else; parameters that may
//! identify a person go by [`Client::search_by_post`]. There is no trait behind it: tests speak HTTP to a real
//! socket, because what goes wrong in a client goes wrong there.

mod address;
mod answer;
mod authorization;
mod error;
mod http;
mod interaction;
mod pinned;
pub mod smart;

use std::sync::Arc;
use std::time::Duration;

use crate::fhir::{Resource, ResourceId};

pub use address::{Base, NotABase};
pub use authorization::{Authorization, Renewable, Source, Unavailable};
pub use error::{Cause, Error, Flaw, Unsent};
pub use pinned::{NotPinned, Pinned};

/// How one EHR is reached.
#[derive(Debug, Clone)]
pub struct Config {
    base: Base,
    timeout: Duration,
    authorization: Authorization,
}

/// A server on another machine would be asked without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a server on another machine needs credentials: a token, user and password, or a SMART client"
)]
pub struct NeedsAuthorization;

impl Config {
    /// The time limit of one request where none is configured.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// A server without credentials, which must be on this machine; with the default time limit.
    ///
    /// # Errors
    /// [`NeedsAuthorization`] for a server on another machine.
    pub fn local(base: Base) -> Result<Self, NeedsAuthorization> {
        Self::new(base, Self::TIMEOUT, Authorization::None)
    }

    /// A server, the time limit of one request (its answer included), and the credentials.
    ///
    /// # Errors
    /// [`NeedsAuthorization`] if a server on another machine would be asked without any.
    pub fn new(
        base: Base,
        timeout: Duration,
        authorization: Authorization,
    ) -> Result<Self, NeedsAuthorization> {
        if matches!(authorization, Authorization::None) && !base.is_loopback() {
            return Err(NeedsAuthorization);
        }
        Ok(Self { authorization, ..Self::anonymous(base, timeout) })
    }

    /// Any server, without credentials: for what servers tell everybody.
    const fn anonymous(base: Base, timeout: Duration) -> Self {
        Self { base, timeout, authorization: Authorization::None }
    }

    /// The base URL.
    pub const fn base(&self) -> &Base {
        &self.base
    }

    /// The time limit of one request.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// One EHR. Cheap to clone; the clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    base: Base,
    timeout: Duration,
    http: Arc<http::Http>,
}

impl Client {
    /// A client for one server. No request is sent.
    ///
    /// # Errors
    /// [`Error::NotSent`] if TLS can't be set up on this machine.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let http = Arc::new(http::Http::new(config)?);
        Ok(Self { base: config.base.clone(), timeout: config.timeout, http })
    }

    /// The time limit of one request, to the last byte of its answer.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What our login came to, which is made now if there is no valid token; `None` where there is none of our own.
    ///
    /// # Errors
    /// [`Unsent::NoToken`] and [`Error::Busy`].
    pub async fn login(&self) -> Result<Option<smart::Login>, Error> {
        self.http.login().await
    }
}

/// A resource as a server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// Its type and id.
    pub id: ResourceId,
    /// Its version id, without quotes: from `meta.versionId`, or else from the ETag.
    pub version: Option<String>,
    /// `meta.lastUpdated`, as the server wrote it.
    pub last_updated: Option<String>,
    /// The resource.
    pub resource: Resource,
}

/// One version in the history of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The method that made it: POST, PUT, PATCH, DELETE; empty where the server does not say.
    pub method: String,
    /// The version id.
    pub version: Option<String>,
    /// The resource, unless this version is a deletion.
    pub versioned: Option<Versioned>,
}

/// What a server answers to one entry of a transaction; nothing of it is certain to be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryAnswer {
    /// The HTTP status that the entry would have had alone.
    pub status: Option<u16>,
    /// Where the server says that the resource is.
    pub id: Option<ResourceId>,
    /// Its version id, without quotes.
    pub version: Option<String>,
}

/// What came of a create or an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The HTTP status. A conditional create answers 200 if there is a match already; an update that answers 201
    /// made a resource which was not there, whatever If-Match said.
    pub status: u16,
    /// The id, where the answer tells it.
    pub id: Option<ResourceId>,
    /// The version id that the write made, or found; without quotes.
    pub version: Option<String>,
    /// The resource as the server holds it, where the answer holds it.
    pub resource: Option<Resource>,
}
