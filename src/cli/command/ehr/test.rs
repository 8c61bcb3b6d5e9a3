//! `ehr test [EHR]`: step by step, whether an EHR can be synced with, and the cure where it can't.
//!
//! The steps follow the way of a request: the name, the connection, TLS, what the server says of itself, the login, its
//! scopes, a search, and what may be written. Each step names what it found; the first one that fails is the cause, and
//! what depends on it is left out, so that nobody mends a symptom.
//!
//! What may be written is judged by the ladder, as a sync does: an EHR that takes no plan and takes notes passes where
//! notes are allowed. It fails where a kind of content would not be sent at all.
//!
//! It reads only. Its one search asks for an identifier that was made up just now, so it can match nothing and tells
//! nothing about anybody. What the server has refused lately is not counted against it here: this is how it is asked
//! whether it still does.

mod check;
mod login;
mod network;
mod server;

use std::fmt::Write;

use super::super::super::exit::Exit;
use super::super::super::failure::Failure;
use super::super::super::output::Done;
use super::super::super::settings::{Settings, client};
use crate::client::{Client, Error, Unsent};
use crate::config::Ehr;
use crate::json::Value;
use crate::object;
use crate::vendor::{Kind, Rung};

use check::{Check, State};

pub(crate) async fn run(named: Option<&str>, settings: &Settings) -> Result<Done, Failure> {
    let (name, ehr) = settings.ehr(named)?;
    let (checks, exit) = Test::of(ehr, &settings.place_of(name)).await;
    let mut human = format!("{name}: {}\n", ehr.url.value);
    let mut items = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        let number = u64::try_from(index + 1).unwrap_or_default();
        let (step, state, found) = (check.step, check.state.word(), &check.found);
        let _ = writeln!(human, "{number:>2}. {step:<14}{state:<9}{found}");
        if let Some(cure) = &check.cure {
            let _ = writeln!(human, "      cure: {cure}");
        }
        items.push(Value::Object(object! {
            "number" => number,
            "name" => step,
            "state" => state,
            "found" => found,
            "cure" => check.cure.as_deref(),
        }));
    }
    Ok(Done::new(human, Value::Array(items)).but(exit, Vec::new()))
}

/// The steps, in the order in which they are shown.
const STEPS: [&str; 12] = [
    "configuration",
    "name",
    "connection",
    "tls",
    "metadata",
    "release",
    "smart",
    "token",
    "clock",
    "scopes",
    "search",
    "writes",
];

/// A test under way: what was found, and whether the server refused who asks.
struct Test<'a> {
    ehr: &'a Ehr,
    /// Where it is configured.
    place: &'a str,
    checks: Vec<Check>,
    denied: bool,
}

impl<'a> Test<'a> {
    /// All steps, and how the command ends.
    async fn of(ehr: &'a Ehr, place: &'a str) -> (Vec<Check>, Exit) {
        let mut test = Self { ehr, place, checks: Vec::new(), denied: false };
        let exit = match client(ehr) {
            Ok(client) => {
                test.add(Check::passed("configuration", "URL and credentials can be used"));
                test.all(&client).await;
                if test.has_failed() { Exit::Failed } else { Exit::Done }
            }
            Err(failure) => {
                test.add(Check::of_failure("configuration", &failure));
                failure.exit
            }
        };
        for step in STEPS.into_iter().skip(test.checks.len()) {
            test.add(Check::skipped(step, "an earlier step failed"));
        }
        (test.checks, if test.denied { Exit::Denied } else { exit })
    }

    /// The steps after the first, as far as each lets the next be asked.
    async fn all(&mut self, client: &Client) {
        if !(self.add(network::name(self.ehr).await)
            && self.add(network::connection(self.ehr).await))
        {
            return;
        }
        let statement = server::statement(client).await;
        self.denied = matches!(statement, Err(Error::Unauthorized | Error::Forbidden));
        if !self.add(network::tls(self.ehr, statement.as_ref().err())) {
            return;
        }
        if !self.add_all(server::metadata(&statement)) {
            return;
        }
        let login = login::Login::of(self.ehr, client).await;
        self.denied |= login.is_denied();
        let vital = match &statement {
            Ok(capability) => server::Ways::of(self.ehr, capability, None).of_plan(),
            Err(_) => Kind::Plan.needs(Rung::Structure),
        };
        if !self.add_all(login.checks(&statement, vital)) {
            return;
        }
        // A statement that is shown to known clients only, and now we are known.
        let statement = match statement {
            Err(Error::NotSent(Unsent::NoToken(_))) => server::statement(client).await,
            other => other,
        };
        let capability = match statement {
            Ok(capability) => capability,
            Err(error) => {
                self.add(Check::failed("search", error.to_string(), server::cure(&error)));
                return;
            }
        };
        let ways = server::Ways::of(self.ehr, &capability, login.scopes());
        let (search, is_denied) = ways.search(client).await;
        self.denied |= is_denied;
        self.add(search);
        self.add(ways.writes(self.ehr, &capability, self.place));
    }

    /// Notes a step; whether the next can be asked.
    fn add(&mut self, check: Check) -> bool {
        let goes_on = check.state != State::Failed;
        self.checks.push(check);
        goes_on
    }

    /// Notes several steps, all of them.
    fn add_all(&mut self, checks: Vec<Check>) -> bool {
        self.checks.extend(checks);
        !self.has_failed()
    }

    fn has_failed(&self) -> bool {
        self.checks.iter().any(|check| check.state == State::Failed)
    }
}
