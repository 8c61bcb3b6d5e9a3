//! The login of the sandbox: a SMART Backend Services token server (SMART App Launch 2.2; RFC 7523), so that a login can
//! be tried without a hospital.
//!
//! It is stricter than most: where real servers let a wrong assertion pass (a replayed `jti`, no `kid`, an `exp` ten
//! minutes ahead: ehr-servers.md 5), this one refuses it, so that what gets in here gets in everywhere. Clients are
//! registered by a JWKS file, which is kept for a while as real servers keep what they fetched; tokens are random words
//! that mean nothing elsewhere. Tests break it on purpose: revoke, narrow, shorten, take down ([`TokenServer`]).

mod assertion;
mod endpoint;
mod scope;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;

use super::Error;
use super::answer::{Answer, Refusal};
use super::interaction::Request;
use crate::json::{self, Value};

pub(super) use endpoint::{answer, is_own};
use scope::Scope;

/// Who may log in, and how.
#[derive(Debug, Clone)]
pub struct Smart {
    /// The clients that are registered.
    pub clients: Vec<SmartClient>,
    /// How long a token is valid.
    pub token_lifetime: Duration,
    /// How long a client's JWKS is kept before its file is read again.
    pub jwks_cache: Duration,
}

/// A registered client.
#[derive(Debug, Clone)]
pub struct SmartClient {
    /// Its client id.
    pub id: String,
    /// The file with its public keys.
    pub jwks: PathBuf,
    /// What it may be granted at most: SMART scopes with spaces between them.
    pub scope: String,
}

/// The token server of a running sandbox, as tests take hold of it.
#[derive(Debug)]
pub struct TokenServer {
    url: String,
    base: String,
    clients: BTreeMap<String, Registered>,
    jwks_cache: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Registered {
    jwks: PathBuf,
    scopes: Vec<Scope>,
}

#[derive(Debug, Default)]
struct State {
    lifetime: Duration,
    is_down: bool,
    says_scope: bool,
    grants_registered: bool,
    narrowed: Option<Vec<Scope>>,
    requests: u64,
    tokens: BTreeMap<String, Granted>,
    /// Client and `jti` of the assertions that came, until when they would be valid.
    seen: BTreeMap<(String, String), i64>,
    /// When a client's file was read, and what it held.
    kept: BTreeMap<String, (Timestamp, JwkSet)>,
}

/// What a token lets a client do.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    scopes: Vec<Scope>,
    until: Timestamp,
}

impl TokenServer {
    /// Registers the clients; their files are read once, to see that they can be.
    pub(super) fn new(smart: Smart, origin: &str, base: String) -> Result<Self, Error> {
        let mut clients = BTreeMap::new();
        for client in smart.clients {
            read_jwks(&client.jwks).ok_or(Error::Jwks)?;
            let scopes: Option<Vec<Scope>> =
                client.scope.split_ascii_whitespace().map(Scope::parse).collect();
            let scopes = scopes.filter(|scopes| !scopes.is_empty()).ok_or(Error::Scope)?;
            clients.insert(client.id, Registered { jwks: client.jwks, scopes });
        }
        let state = State { lifetime: smart.token_lifetime, says_scope: true, ..State::default() };
        Ok(Self {
            url: format!("{origin}/token"),
            base,
            clients,
            jwks_cache: smart.jwks_cache,
            state: Mutex::new(state),
        })
    }

    /// The token URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many token requests came, be they granted or not.
    pub fn requests(&self) -> u64 {
        self.state().requests
    }

    /// Ends all tokens now.
    pub fn revoke_all(&self) {
        self.state().tokens.clear();
    }

    /// Grants no more than these scopes from now on; tokens that are out stay as they are. Nothing that is no scope
    /// here counts.
    pub fn narrow(&self, scope: &str) {
        self.state().narrowed =
            Some(scope.split_ascii_whitespace().filter_map(Scope::parse).collect());
    }

    /// Takes the token URL down (503), or up again.
    pub fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// Makes tokens valid for this long from now on.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state().lifetime = lifetime;
    }

    /// Whether answers tell the granted scope; some servers leave it out.
    pub fn set_says_scope(&self, says_scope: bool) {
        self.state().says_scope = says_scope;
    }

    /// Whether a token has all that the client is registered for, whatever scope was asked for, and says so in the
    /// spelling of SMART 1 (Epic).
    pub fn set_grants_registered(&self, grants_registered: bool) {
        self.state().grants_registered = grants_registered;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A holder that panicked left a whole state: each change is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The public keys of a client, as old as the cache lets them be.
    fn jwks(&self, client: &str, now: Timestamp) -> Option<JwkSet> {
        let registered = self.clients.get(client)?;
        let mut state = self.state();
        if let Some((read, kept)) = state.kept.get(client)
            && read.checked_add(self.jwks_cache).is_ok_and(|until| now < until)
        {
            return Some(kept.clone());
        }
        let fresh = read_jwks(&registered.jwks)?;
        state.kept.insert(client.to_owned(), (now, fresh.clone()));
        Some(fresh)
    }

    /// What the token of an `Authorization` header grants.
    ///
    /// # Errors
    /// 401 without a token, and for one that is not valid (any more).
    pub(super) fn authorized(
        &self,
        header: Option<&str>,
        now: Timestamp,
    ) -> Result<Granted, Refusal> {
        let token = header.and_then(|header| {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        let token = token.ok_or(Refusal::new(401, "login", "a bearer token is needed"))?;
        let state = self.state();
        let granted = state.tokens.get(token);
        let granted = granted.ok_or(Refusal::new(401, "login", "the token is not one of ours"))?;
        if granted.until <= now {
            return Err(Refusal::new(401, "expired", "the token has expired"));
        }
        Ok(granted.clone())
    }
}

impl Granted {
    /// Refuses a request that the scopes do not cover.
    ///
    /// # Errors
    /// 403.
    pub(super) fn check(&self, request: &Request) -> Result<(), Refusal> {
        let covered = scope::needs(request).into_iter().all(|(resource_type, letter)| {
            self.scopes.iter().any(|scope| scope.covers(resource_type.as_deref(), letter))
        });
        if covered { Ok(()) } else { Err(forbidden()) }
    }

    /// Refuses the answer to a search or a history that holds what the scopes do not let be read: what `_include` brought
    /// along.
    ///
    /// # Errors
    /// 403.
    pub(super) fn check_answer(&self, answer: &Answer) -> Result<(), Refusal> {
        let may_see = |name: &str| {
            self.scopes
                .iter()
                .any(|scope| scope.covers(Some(name), 'r') || scope.covers(Some(name), 's'))
        };
        let bundle = answer.body.as_ref().filter(|body| body.resource_type() == "Bundle");
        let entries = bundle.and_then(|bundle| bundle.get("entry"));
        if scope::read_types(entries).into_iter().all(may_see) { Ok(()) } else { Err(forbidden()) }
    }
}

const fn forbidden() -> Refusal {
    Refusal::new(403, "forbidden", "the token's scopes do not cover this")
}

/// The public keys in a file: a JWKS with at least one key and no private one.
fn read_jwks(path: &Path) -> Option<JwkSet> {
    let bytes = fs::read(path).ok()?;
    let value = json::parse(&bytes).ok()?;
    let is_public = |key: &Value| ["d", "k", "p"].iter().all(|private| key.get(private).is_none());
    if !value.items("keys").all(is_public) {
        return None;
    }
    serde_json::from_slice(&bytes).ok().filter(|set: &JwkSet| !set.keys.is_empty())
}
