//! A FHIR R4 server in memory: an EHR for people to try against, and the one that the tests sync with.
//!
//! It is right rather than rich: what it does it does as the specification words it, what it can't do it refuses
//! and leaves out of its CapabilityStatement, and where servers differ (ids, referential integrity, what they
//! support) it does what its [`Behaviour`] says. It answers on loopback addresses only, with a login if it is told who may
//! ([`Smart`]), checks no profiles, and speaks JSON only. It can play a vendor's server ([`Personality`]). For tests it
//! breaks requests on purpose ([`Faults`]) and can be looked into and edited behind the clients' backs ([`Running`]).
//!
//! The layers, each apart from the next: `store` (versions), `search` (queries over them), `interaction` (what
//! R4's REST API says), `rules` and `chart` (what a personality and people demand before it), `http` and `connection`
//! (sockets, and what goes wrong there).
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use ipt_fhir::sandbox::{Config, Sandbox};
//! let running = Sandbox::start(Config::default()).await?;
//! assert!(running.base_url().starts_with("http://127.0.0.1:"));
//! running.stop().await
//! # }).unwrap();
//! ```

mod answer;
mod behaviour;
mod chart;
mod connection;
mod definition;
mod fault;
mod http;
mod interaction;
mod personality;
mod quirk;
mod rate;
mod rules;
mod running;
mod search;
mod smart;
mod snapshot;
mod store;
mod surface;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::fhir::Resource;

pub use crate::date::Clock;
pub use behaviour::{Behaviour, Ids};
pub use fault::{CATALOGUE, Catalogued, Fault, Faults, Fits, Seeded, Until};
pub use personality::Personality;
pub use quirk::{Quirks, RetryAfter, Transactions, Unknown, Versions};
pub use running::{Logged, Running};
pub use smart::{Smart, SmartClient, TokenServer};
pub use store::{Version, Written};
pub use surface::Surface;

use connection::{Cut, Listening};
use interaction::Ehr;
use running::Shared;
use snapshot::Snapshot;

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file that keeps what it holds over a restart; none keeps nothing.
    pub snapshot: Option<PathBuf>,
    /// What it holds at first, unless the snapshot holds something. Ids are kept, references are not checked.
    pub seed: Vec<Resource>,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// What goes wrong on purpose, from the first request on.
    pub faults: Faults,
    /// Where it gets the time from.
    pub clock: Clock,
    /// Who may log in; without it nobody has to.
    pub smart: Option<Smart>,
}

impl Default for Config {
    /// A free port on 127.0.0.1, empty, without a snapshot, by the system's clock, open to all on this machine.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            snapshot: None,
            seed: Vec::new(),
            behaviour: Behaviour::default(),
            faults: Faults::default(),
            clock: system_clock(),
            smart: None,
        }
    }
}

/// The system's clock. `lastUpdated` never stands still or goes back, whatever it does.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox is a server of its own: here its time enters"
)]
fn system_clock() -> Clock {
    Clock::new(Timestamp::now)
}

/// Why a server does not start or stop as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not of this machine alone.
    #[error(
        "the sandbox is for trying things and listens on loopback addresses only, such as 127.0.0.1:0"
    )]
    NotLoopback,
    /// The address can't be listened on.
    #[error("cannot listen on this address")]
    Listen(#[source] io::Error),
    /// The snapshot file can't be read or written.
    #[error("cannot read or write the snapshot file")]
    Snapshot(#[source] io::Error),
    /// The snapshot file is something else.
    #[error("the snapshot file is not one of this version (line {line})")]
    NotASnapshot {
        /// The first line that is not as it should be.
        line: usize,
    },
    /// The JWKS file of a client can't be used.
    #[error("a client's JWKS file can't be read, holds no key, or holds a private key")]
    Jwks,
    /// What a client may be granted is not made of SMART scopes.
    #[error(
        "the scopes of a client are not system scopes such as system/*.cruds or system/Goal.read"
    )]
    Scope,
    /// A resource to be put in has an id that FHIR does not allow.
    #[error("a resource's id is not one that FHIR allows")]
    NotAnId,
}

/// The sandbox EHR.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts a server on the present tokio runtime.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] and [`Error::Listen`] for the address; [`Error::Snapshot`] and
    /// [`Error::NotASnapshot`] for the file; [`Error::NotAnId`] for the seed; [`Error::Jwks`] and
    /// [`Error::Scope`] for a client.
    pub async fn start(config: Config) -> Result<Running, Error> {
        if !config.listen.ip().is_loopback() {
            return Err(Error::NotLoopback);
        }
        let listener = TcpListener::bind(config.listen).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let path = config.behaviour.personality.and_then(Personality::path);
        let base = format!("http://{address}{}", path.unwrap_or(http::BASE_PATH));
        let now = config.clock.now();
        let origin = format!("http://{address}");
        let tokens = config.smart.map(|smart| TokenServer::new(smart, &origin, base.clone()));
        let tokens = tokens.transpose()?;
        if let Some(tokens) = &tokens {
            let is_epic = config.behaviour.personality == Some(Personality::Epic);
            tokens.set_grants_registered(is_epic);
        }
        let mut ehr = Ehr::new(base, config.behaviour, now);
        ehr.login = tokens.is_some();
        let snapshot = config.snapshot.map(Snapshot::new);
        if let Some(snapshot) = &snapshot {
            snapshot.read(&mut ehr)?;
        }
        if ehr.store.revision() == 0 {
            ehr.store.set_time(now);
            for resource in config.seed {
                ehr.put(resource)?;
            }
        }
        let shared =
            Arc::new(Shared::new((address, config.clock), config.faults, ehr, snapshot, tokens));
        let router = Router::new().fallback(http::handle).with_state(Arc::clone(&shared));
        let (stopping, stopped) = oneshot::channel::<()>();
        let service = router.into_make_service_with_connect_info::<Cut>();
        let serving = tokio::spawn(async move {
            let until = async { stopped.await.unwrap_or_default() };
            let served = axum::serve(Listening(listener), service).with_graceful_shutdown(until);
            // Its errors are those of single connections, which their clients see.
            served.await.unwrap_or_default();
        });
        Ok(Running::new(shared, stopping, serving))
    }
}
