//! The login: what the server says of it, the token, the clocks, and the scopes that were granted.
//!
//! A token server refuses with one word, `invalid_client`, for a wrong key, a wrong audience, an unknown client and a
//! wrong clock alike. So what can be known from here is compared before: the pinned token URL with the one that the
//! server names, our clock with the server's.

use jiff::SignedDuration;

use super::super::super::super::failure::no_token_cure;
use super::check::Check;
use super::server::TYPES;
use crate::client::smart::{Login as Token, NoToken, OAuthCode, SmartConfiguration};
use crate::client::{Client, Error, Unsent};
use crate::config::{Auth, Ehr};
use crate::fhir::scope::Granted as Scoped;
use crate::fhir::{Capability, Scopes};

const STEPS: [&str; 4] = ["smart", "token", "clock", "scopes"];
/// Clocks that differ by less are taken as equal.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(60);

/// What a login came to.
pub(super) enum Login {
    /// This EHR is asked in another way.
    Other(&'static str),
    /// SMART Backend Services.
    Smart(Box<Tried>),
}

/// A SMART login that was tried.
pub(super) struct Tried {
    /// What the server says of its login.
    offered: Result<SmartConfiguration, Error>,
    /// Whether its token URL is the pinned one.
    is_pinned: bool,
    token: Result<Option<Token>, Error>,
    /// The scopes that the server says it granted.
    scopes: Option<Scopes>,
}

impl Login {
    /// Logs in, as the configuration says.
    pub(super) async fn of(ehr: &Ehr, client: &Client) -> Self {
        let smart = match &ehr.auth {
            Auth::Smart(smart) => smart,
            Auth::Basic { .. } => return Self::Other("user name and password are sent instead"),
            Auth::Bearer(_) => return Self::Other("a bearer token is sent instead"),
            Auth::None => return Self::Other("no login: the server is on this machine"),
        };
        let offered = client.smart_configuration().await;
        let named = offered.as_ref().ok().and_then(|offered| offered.token_endpoint.as_ref());
        let is_pinned = named.is_none_or(|named| named.as_ref() == Ok(&smart.token_url));
        let token = client.login().await;
        let scopes = token.as_ref().ok().and_then(Option::as_ref).and_then(Token::scopes);
        Self::Smart(Box::new(Tried { offered, is_pinned, token, scopes }))
    }

    /// The scopes that the server says it granted.
    pub(super) const fn scopes(&self) -> Option<&Scopes> {
        match self {
            Self::Smart(tried) => tried.scopes.as_ref(),
            Self::Other(_) => None,
        }
    }

    /// Whether the server refused who asks.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            Self::Smart(tried) => matches!(
                tried.token,
                Err(Error::NotSent(Unsent::NoToken(why))) if why.is_refusal()
            ),
            Self::Other(_) => false,
        }
    }

    /// The four steps of it. Without scopes for the `vital` types no plan gets in.
    pub(super) fn checks(
        &self,
        statement: &Result<Capability, Error>,
        vital: &[&str],
    ) -> Vec<Check> {
        match self {
            Self::Other(instead) => STEPS.map(|step| Check::skipped(step, *instead)).into(),
            Self::Smart(tried) => tried.checks(statement.as_ref().ok(), vital),
        }
    }
}

impl Tried {
    fn checks(&self, capability: Option<&Capability>, vital: &[&str]) -> Vec<Check> {
        let mut checks = vec![configuration(&self.offered, self.is_pinned)];
        match &self.token {
            Ok(token) => {
                checks.push(Check::passed(STEPS[1], lifetime(token.as_ref())));
                checks.push(clock(token.as_ref().and_then(|token| token.skew)));
                checks.push(granted(self.scopes.as_ref(), capability, vital));
            }
            Err(error) => {
                let (found, cure) = refusal(error, self.is_pinned);
                checks.push(Check::failed(STEPS[1], found, cure));
            }
        }
        checks
    }
}

/// What the server says of its login.
fn configuration(offered: &Result<SmartConfiguration, Error>, is_pinned: bool) -> Check {
    let step = STEPS[0];
    let offered = match offered {
        Ok(offered) => offered,
        Err(Error::NotFound { .. }) => {
            return Check::warning(
                step,
                "the server publishes no smart-configuration",
                "the token URL of the configuration is used; ask the EHR's administrator whether it is right",
            );
        }
        Err(error) => {
            return Check::warning(
                step,
                error.to_string(),
                "the token URL of the configuration is used all the same",
            );
        }
    };
    if !is_pinned {
        return Check::warning(
            step,
            "the server names another token URL than the one that is pinned in the configuration",
            "if the EHR's administrator confirms the new one, pin it with token_url under auth; the server alone is not believed",
        );
    }
    let takes_ours = offered.algorithms.is_empty()
        || offered
            .algorithms
            .iter()
            .any(|algorithm| matches!(algorithm.as_str(), "RS384" | "ES384"));
    if !takes_ours {
        return Check::warning(
            step,
            "the server lists neither RS384 nor ES384 for assertions",
            "SMART Backend Services needs one of them: ask the EHR's administrator",
        );
    }
    Check::passed(step, "the token URL is the one that is pinned")
}

fn lifetime(token: Option<&Token>) -> String {
    match token.and_then(|token| token.lifetime) {
        Some(lifetime) => format!("a token for {} s", lifetime.as_secs()),
        None => "a token; the server does not say for how long".to_owned(),
    }
}

/// Why there is no token, and what to do. Where the token URL and the clocks were compared and agree, fewer causes are
/// left than the server's one word names.
fn refusal(error: &Error, is_pinned: bool) -> (String, &'static str) {
    let Error::NotSent(Unsent::NoToken(why)) = error else {
        return (error.to_string(), "try again, then ask the EHR's administrator");
    };
    let knows_us_not = matches!(
        why,
        NoToken::Refused(
            OAuthCode::InvalidClient | OAuthCode::InvalidGrant | OAuthCode::UnauthorizedClient
        )
    );
    let cure = match (knows_us_not, is_pinned) {
        (true, false) => {
            "the assertion is made out to the pinned token URL, and the server goes by another: pin the right one with token_url under auth"
        }
        (true, true) => {
            "the server knows no such client with this key: register what `ehr keys jwks` prints under the client_id of the configuration, and wait until the server has read it"
        }
        (false, _) => no_token_cure(*why),
    };
    (why.to_string(), cure)
}

/// Whether the clocks agree. An assertion is dated by the server's clock, so that it holds even where they do not.
fn clock(skew: Option<SignedDuration>) -> Check {
    let step = STEPS[2];
    let Some(skew) = skew else {
        return Check::skipped(step, "the token server does not tell its time");
    };
    if skew.abs() < NOTICEABLE {
        return Check::passed(step, "the server's clock and ours agree");
    }
    let (seconds, way) =
        (skew.as_secs().unsigned_abs(), if skew.is_positive() { "ahead of" } else { "behind" });
    Check::warning(
        step,
        format!("the server's clock is {seconds} s {way} ours; logins are dated by its time"),
        "set the clock of this machine by NTP; if it is right, tell the EHR's administrator",
    )
}

/// Whether the scopes suffice for what the server itself would take.
fn granted(scopes: Option<&Scopes>, capability: Option<&Capability>, vital: &[&str]) -> Check {
    let step = STEPS[3];
    let Some(scopes) = scopes else {
        return Check::warning(
            step,
            "the server does not say which scopes it granted",
            "by RFC 6749 that means those that were asked for; some servers mean none, and the next steps show it",
        );
    };
    let lacks = |resource_type: &str, interactions: &[&str]| {
        interactions.iter().any(|interaction| {
            capability.is_none_or(|capability| capability.allows(resource_type, interaction))
                && scopes.allows(resource_type, interaction) == Scoped::No
        })
    };
    let read: [&str; 2] = ["read", "search-type"];
    if lacks("Patient", &["read"]) {
        return Check::failed(
            step,
            "the scopes do not let this client read a Patient",
            "ask for system/Patient.r (v1: system/Patient.read), and let the EHR's administrator grant it",
        );
    }
    let lacking: Vec<&str> = TYPES
        .into_iter()
        .filter(|resource_type| {
            lacks(resource_type, &read) || lacks(resource_type, &["create", "update"])
        })
        .collect();
    if lacking.is_empty() {
        return Check::passed(step, format!("they suffice: {scopes}"));
    }
    let found = format!("narrower than what the server takes: {}", lacking.join(", "));
    let cure = "ask for system/TYPE.crus (v1: system/TYPE.read and .write) of these, and let the EHR's administrator grant it";
    if vital.iter().any(|vital| lacking.contains(vital)) {
        Check::failed(step, found, cure)
    } else {
        Check::warning(step, found, cure)
    }
}
