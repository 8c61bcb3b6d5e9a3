//! One EHR's FHIR endpoint: every interaction that we need of it.
//!
//! The client says what happened, not what it means for a plan: it never repeats a request, never lets a write be
//! redirected, and tells a request that was not sent from one whose outcome is unknown ([`Error`]), because on that
//! difference hangs whether a patient's chart gets a second copy. Retry, settling and probing are `sync`'s;
//! [`Error::class`] says which of them can help.
//!
//! It refuses to send a record anywhere but below the configured [`Base`], and without credentials to any machine
//! but this one. Ids get into a URL only as [`ResourceId`], which can't carry anything else; parameters that may
//! identify a person go by [`Client::search_by_post`]. There is no trait behind it: tests speak HTTP to a real
//! socket, because what goes wrong in a client goes wrong there.

mod address;
mod answer;
mod authorization;
mod class;
mod error;
mod http;
mod interaction;
mod pinned;
mod rate;
mod resolve;
pub mod smart;
mod terminology;
mod tls;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::fhir::{Resource, ResourceId};

pub use address::{Base, NotABase};
pub use authorization::{Authorization, Renewable, Source, Unavailable};
pub use class::{Class, Codes};
pub use error::{Cause, Error, Flaw, Unsent};
pub use interaction::attachment::Attachment;
pub use interaction::operation::Level;
pub use pinned::{NotPinned, Pinned};
pub use rate::Rate;
pub use terminology::{Stopped, Tally, Terminology};
pub use tls::{NotPem, Tls, TlsFault};

/// How one EHR is reached.
#[derive(Debug, Clone)]
pub struct Config {
    base: Base,
    timeout: Duration,
    authorization: Authorization,
    tls: Tls,
    rate: Option<Rate>,
    codes: Codes,
    lookup: resolve::Lookup,
    private_network: bool,
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
    pub fn anonymous(base: Base, timeout: Duration) -> Self {
        Self {
            base,
            timeout,
            authorization: Authorization::None,
            tls: Tls::new(),
            rate: None,
            codes: Codes::default(),
            lookup: resolve::Lookup::default(),
            private_network: false,
        }
    }

    /// Trusts more authorities, or comes with a certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Asks no faster than this. Without it requests go as they come, and only a server's Retry-After holds them.
    #[must_use]
    pub const fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Knows the vendor's own codes.
    #[must_use]
    pub fn with_codes(mut self, codes: Codes) -> Self {
        self.codes = codes;
        self
    }

    /// Whether the server may be in a private network. Unless this is said, a name that leads to an address there is
    /// not followed (DNS rebinding); an address in the base itself always is.
    #[must_use]
    pub const fn with_private_network(mut self, private_network: bool) -> Self {
        self.private_network = private_network;
        self
    }

    /// Asks a function for the addresses of names, not the system. What it answers is judged all the same.
    #[must_use]
    pub fn with_lookup(
        mut self,
        lookup: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.lookup = resolve::Lookup::Function(Arc::new(lookup));
        self
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

    /// The longest time from a call that writes to the last byte of its answer: how long it may be held back
    /// ([`Rate::longest_wait`], and a login of its own), and the time limit of the request.
    pub fn timeout(&self) -> Duration {
        self.timeout.saturating_add(self.http.held_back())
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

/// What a server answers to one entry of a transaction or a batch; nothing of it is certain to be there.
///
/// Which entry it answers is not said by its place: servers leave entries out and put them in another order. `id` and
/// `resource` tell, where they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryAnswer {
    /// The HTTP status that the entry would have had alone.
    pub status: Option<u16>,
    /// Where the server says that the resource is.
    pub id: Option<ResourceId>,
    /// Its version id, without quotes.
    pub version: Option<String>,
    /// The resource: what a GET in a batch asked for, or what a write left where the server returns it. An
    /// OperationOutcome is none.
    pub resource: Option<Resource>,
    /// What can be done, where the entry did not succeed, or was only accepted (202). Nothing where it succeeded, or
    /// where there is no status.
    pub class: Option<Class>,
}

/// What came of a create, an update or a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The HTTP status. A conditional create answers 200 if there is a match already; an update that answers 201
    /// made a resource which was not there, whatever If-Match said; 202 means that somebody still has to decide.
    pub status: u16,
    /// The id, where the answer tells it.
    pub id: Option<ResourceId>,
    /// The version id that the write made, or found; without quotes.
    pub version: Option<String>,
    /// The resource as the server holds it, where the answer holds it.
    pub resource: Option<Resource>,
}

impl Created {
    /// Whether the server only took it in (202): a person or a queue at the other end decides, and no reading proves
    /// anything before.
    pub const fn is_mediated(&self) -> bool {
        self.status == 202
    }
}

/// What came of a delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The HTTP status: 200, 202 or 204.
    pub status: u16,
    /// The version id of the deletion, where the server tells it.
    pub version: Option<String>,
}
