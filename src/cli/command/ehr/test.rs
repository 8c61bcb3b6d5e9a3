//! `ehr test [EHR]`: step by step, whether an EHR can be synced with, and the cure where it can't.
//!
//! It reads only. Its one search asks for an identifier that was made up just now, so it can match nothing and tells
//! nothing about anybody.

use std::fmt::Write;
use std::io::ErrorKind;

use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, no_token_cure};
use super::super::super::output::Done;
use super::super::super::settings::{Settings, client};
use crate::client::smart::Granted;
use crate::client::{Client, Error, Unsent};
use crate::config::{Auth, Ehr};
use crate::fhir::{Capability, Release};
use crate::json::Value;
use crate::mapping::identity::ITEM_SYSTEM;
use crate::object;

/// The types that sync writes; without the first two there is no plan to sync.
const TYPES: [&str; 15] = [
    "CarePlan",
    "Goal",
    "Appointment",
    "CareTeam",
    "ClinicalImpression",
    "Condition",
    "Consent",
    "DocumentReference",
    "Encounter",
    "Flag",
    "Observation",
    "Procedure",
    "QuestionnaireResponse",
    "RelatedPerson",
    "Task",
];

/// A clock that is off by so many seconds is worth a word.
const NOTICEABLE_SKEW: i64 = 20;

/// One step.
struct Check {
    name: &'static str,
    state: State,
    found: String,
    cure: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passed,
    Warning,
    Failed,
    Skipped,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Check {
    fn passed(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Passed, found: found.into(), cure: None }
    }

    fn failed(name: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, state: State::Failed, found: found.into(), cure: Some(cure.into()) }
    }

    fn skipped(name: &'static str) -> Self {
        let found = "an earlier step failed".to_owned();
        Self { name, state: State::Skipped, found, cure: None }
    }
}

pub(crate) async fn run(named: Option<&str>, settings: &Settings) -> Result<Done, Failure> {
    let (name, ehr) = settings.ehr(named)?;
    let mut exit = Exit::Done;
    let checks = checks(ehr, &mut exit).await;
    let mut human = format!("{name}: {}\n", ehr.url.value);
    let mut items = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        let number = u64::try_from(index + 1).unwrap_or_default();
        let _ = writeln!(
            human,
            "{number:>2}. {:<14}{:<9}{}",
            check.name,
            check.state.word(),
            check.found
        );
        if let Some(cure) = &check.cure {
            let _ = writeln!(human, "      cure: {cure}");
        }
        items.push(Value::Object(object! {
            "number" => number,
            "name" => check.name,
            "state" => check.state.word(),
            "found" => &check.found,
            "cure" => check.cure.as_deref(),
        }));
    }
    Ok(Done::new(human, Value::Array(items)).but(exit, Vec::new()))
}

async fn checks(ehr: &Ehr, exit: &mut Exit) -> Vec<Check> {
    let client = client(ehr);
    let mut checks = vec![match &client {
        Ok(_) => Check::passed("configuration", "URL and credentials can be used"),
        Err(failure) => {
            let problem = failure.problems.first();
            let text = problem.map(|problem| problem.message.clone()).unwrap_or_default();
            let cure = problem.and_then(|problem| problem.help.clone());
            Check::failed("configuration", text, cure.unwrap_or_default())
        }
    }];
    checks.push(connection(ehr).await);
    let mut failed = checks.iter().any(|check| check.state == State::Failed);
    let mut denied = false;
    let mut capability = None;
    if let Auth::Smart(_) = &ehr.auth {
        match client.as_ref().ok().filter(|_| !failed) {
            None => checks.push(Check::skipped("login")),
            Some(client) => {
                let (check, refused) = login(client).await;
                denied |= refused;
                failed |= check.state == State::Failed;
                checks.push(check);
            }
        }
    }
    match client.as_ref().ok().filter(|_| !failed) {
        None => checks.push(Check::skipped("metadata")),
        Some(client) => match client.capabilities().await {
            Ok((found, _)) => {
                checks.push(Check::passed("metadata", "a CapabilityStatement"));
                capability = Some(found);
            }
            Err(error) => {
                denied |= matches!(error, Error::Unauthorized | Error::Forbidden);
                checks.push(Check::failed("metadata", error.to_string(), cure(&error)));
            }
        },
    }
    match (&client, &capability) {
        (Ok(client), Some(capability)) => {
            checks.push(release(capability));
            let (check, refused) = search(client).await;
            denied |= refused;
            checks.push(check);
            checks.push(capabilities(capability));
        }
        _ => checks.extend(["release", "search", "capabilities"].map(Check::skipped)),
    }
    failed = checks.iter().any(|check| check.state == State::Failed);
    *exit = match (denied, failed, client) {
        (true, ..) => Exit::Denied,
        (_, true, Err(failure)) => failure.exit,
        (_, true, _) => Exit::Failed,
        _ => Exit::Done,
    };
    checks
}

/// Name, port and TCP; TLS shows itself in the next step.
async fn connection(ehr: &Ehr) -> Check {
    let (host, port) = ehr.url.value.host_and_port();
    let place = format!("{host}:{port}");
    let failed = |found: &str, cure: String| Check::failed("connection", found, cure);
    match timeout(ehr.timeout.value, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => Check::passed("connection", place),
        Err(_) => failed(
            "no connection within the time limit",
            format!("is {place} behind a firewall or a VPN?"),
        ),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            failed("connection refused", format!("is the server running, and is {port} its port?"))
        }
        Ok(Err(_)) => failed("no connection", format!("check the name in the URL: {host}")),
    }
}

/// Whether we get a token, for what, and by which clock; and whether it was denied.
async fn login(client: &Client) -> (Check, bool) {
    let login = match client.login().await {
        Ok(Some(login)) => login,
        Ok(None) => return (Check::passed("login", "none"), false),
        Err(error) => {
            let denied = matches!(&error, Error::NotSent(Unsent::NoToken(why)) if why.is_refusal());
            return (Check::failed("login", error.to_string(), cure(&error)), denied);
        }
    };
    let granted = match &login.granted {
        Granted::Said(scopes) => format!("a token for {}", scopes.join(" ")),
        Granted::Unsaid { .. } => "a token; the server does not say for which scopes".to_owned(),
    };
    let skew = login.skew.map(|skew| skew.as_secs()).unwrap_or_default();
    if skew.abs() < NOTICEABLE_SKEW {
        return (Check::passed("login", granted), false);
    }
    let (by, direction) = (skew.abs(), if skew > 0 { "behind" } else { "ahead of" });
    let found = format!("{granted}; this machine's clock is {by} s {direction} the token server's");
    let cure = "set this machine's clock: other servers do not tell their time".to_owned();
    (Check { name: "login", state: State::Warning, found, cure: Some(cure) }, false)
}

/// The first thing to look at for an error of the first request.
fn cure(error: &Error) -> &'static str {
    match error {
        Error::NotSent(Unsent::NoToken(why)) => no_token_cure(*why),
        Error::NotSent(Unsent::Tls) => {
            "the certificate must be valid for this name, of an authority that this machine trusts, with TLS 1.2 or newer"
        }
        Error::NotSent(_) | Error::Busy { .. } => {
            "try again; if it stays so, ask the EHR's administrator"
        }
        Error::Unauthorized => {
            "the token or password is wrong or has expired: look at auth in the configuration"
        }
        Error::Forbidden => {
            "the credentials are known, but may not do this: ask the EHR's administrator"
        }
        Error::NotFound { .. } | Error::Refused { .. } | Error::Incorrect(_) => {
            "the URL must be the base of a FHIR server: the one before /metadata"
        }
        _ => "give the server more time with timeout_seconds, or look at its log",
    }
}

fn release(capability: &Capability) -> Check {
    match capability.release {
        Some(Release::R4) => Check::passed("release", "FHIR R4"),
        Some(other) => Check::failed(
            "release",
            format!("FHIR {other}"),
            "this program writes R4: use the server's R4 base",
        ),
        None => Check::failed(
            "release",
            "no release that is known here",
            "this program writes R4: use the server's R4 base",
        ),
    }
}

/// Whether a look-up by our identifier is answered; and whether it was denied.
async fn search(client: &Client) -> (Check, bool) {
    let identifier = format!("{ITEM_SYSTEM}|{}", Uuid::new_v4());
    match client.search("CarePlan", &[("identifier", &identifier)]).await {
        Ok(found) if found.is_empty() => {
            (Check::passed("search", "a CarePlan can be looked up by identifier"), false)
        }
        Ok(_) => {
            let found = "an identifier that nobody has was found";
            (
                Check::failed(
                    "search",
                    found,
                    "this server ignores the identifier of a search and can't be synced with",
                ),
                false,
            )
        }
        Err(error) => {
            let denied = matches!(error, Error::Unauthorized | Error::Forbidden);
            let cure = match error {
                Error::IgnoredParameter { .. } | Error::Refused { .. } => {
                    "this server can't look up a CarePlan by identifier, which sync needs to write each one once"
                }
                ref error => cure(error),
            };
            (Check::failed("search", error.to_string(), cure), denied)
        }
    }
}

/// Whether the server says that it can do what sync needs, for each type that we write.
fn capabilities(capability: &Capability) -> Check {
    const NAME: &str = "capabilities";
    let lacking = |interactions: &[&str]| -> Vec<String> {
        TYPES
            .iter()
            .filter_map(|name| {
                let missing: Vec<&str> = interactions
                    .iter()
                    .copied()
                    .filter(|interaction| !capability.allows(name, interaction))
                    .collect();
                (!missing.is_empty()).then(|| format!("{name} ({})", missing.join(", ")))
            })
            .collect()
    };
    let needed = lacking(&["create", "read", "update", "search-type"]);
    let is_vital = |lack: &String| lack.starts_with("CarePlan ") || lack.starts_with("Goal ");
    if needed.iter().any(is_vital) {
        let found = format!("the server does not offer: {}", needed.join("; "));
        let cure = "ask the EHR's administrator to switch these on for this client";
        return Check::failed(NAME, found, cure);
    }
    let mut wanting = Vec::new();
    if !needed.is_empty() {
        wanting.push(format!("can't be written there: {}", needed.join("; ")));
    }
    if !capability.allows_system("transaction") {
        wanting.push("no transactions: resources are created one by one".to_owned());
    }
    if TYPES.iter().any(|name| !capability.searches(name, "identifier")) {
        wanting.push(
            "not every type is searched by identifier: an unanswered create needs a person"
                .to_owned(),
        );
    }
    if !lacking(&["history-instance"]).is_empty() {
        wanting.push("no history: an edit made right after ours needs a person".to_owned());
    }
    if wanting.is_empty() {
        return Check::passed(NAME, "transaction, history, and create, read, update, search");
    }
    let state = State::Warning;
    Check { name: NAME, state, found: wanting.join("; "), cure: None }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TYPES;
    use crate::ipt::document;
    use crate::mapping::{Options, Policy, to_fhir};

    #[test]
    fn the_types_are_those_that_records_map_to() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ipt");
        let mut seen = std::collections::BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let plan = document::parse(&bytes).unwrap().plan;
            let options = Options { policy: Policy::full(), ..Options::default() };
            let types = to_fhir(&plan, &options).resources.into_iter();
            seen.extend(types.map(|mapped| mapped.resource.resource_type().to_owned()));
        }
        // People are the EHR's own.
        seen.remove("Patient");
        seen.remove("Practitioner");
        let mut types = TYPES.map(str::to_owned);
        types.sort();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), types);
    }
}
