//! Asking a terminology server while documents are validated: where it is, what came of it, what to say about that.
//!
//! The server is named by its base URL, and asked as anybody would; or it is a configured EHR, with its login, its
//! certificates and its pace. Its own words are never shown.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::super::super::clock;
use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, Problem};
use super::super::super::progress::Beside;
use super::super::super::runtime;
use super::super::super::settings::{self, Settings};
use crate::client::{
    Base, Cause, Client, Config, Error, NotABase, Stopped, Tally, Terminology, Unsent,
};
use crate::date::Clock;
use crate::issue::Severity;
use crate::json::Object;
use crate::object;
use crate::validate::terminology::{Answers, CodeQuestion};

/// A terminology server, and where it is.
pub(super) struct Server {
    server: Terminology,
    base: Base,
}

/// The server that `--tx` names.
///
/// A name that leads into a private network is followed: the hospital's own terminology server is there, and whoever
/// types its name means it. No login is sent to it.
pub(super) fn server(to: &str, settings: &Settings) -> Result<Server, Failure> {
    let config = if settings.config.ehrs.contains_key(to) {
        let ehr = settings.config.ehr(to)?;
        ehr.client(settings::environment, &Clock::new(clock::now))?
    } else {
        let base = to.strip_suffix('/').unwrap_or(to).parse().map_err(|error: NotABase| {
            let text = format!("--tx: {error}");
            let help = "give the base URL of the server, or the name of a configured EHR";
            Failure::new(Exit::Usage, "tx-url", text).help(help)
        })?;
        let timeout = settings.timeout().unwrap_or(Config::TIMEOUT);
        Config::anonymous(base, timeout).with_private_network(true)
    };
    let base = config.base().clone();
    let client = Client::new(&config).map_err(|error| {
        let help = "look at the certificates of this machine, or of the EHR's configuration";
        Failure::new(Exit::Failed, "tx-unreachable", error.to_string()).help(help)
    })?;
    Ok(Server { server: Terminology::new(client), base })
}

/// What asks it.
pub(super) struct Asking {
    server: Server,
    runtime: Runtime,
    beside: Beside,
}

/// What came of it.
pub(super) struct Ended {
    /// What went wrong, and how that ends the command if nothing worse does.
    pub(super) problem: Option<(Exit, Problem)>,
    /// How much was asked and answered.
    pub(super) sums: Object,
}

impl Asking {
    pub(super) fn new(server: Server, beside: Beside) -> Result<Self, Failure> {
        Ok(Self { server, runtime: runtime::start()?, beside })
    }

    /// What it has said so far.
    pub(super) fn answers(&self) -> Arc<Answers> {
        Arc::clone(self.server.server.answers())
    }

    /// Asks, on the thread that wants to know. Tells whether there is an answer to any of the questions.
    pub(super) fn ask(&self, questions: &[CodeQuestion]) -> bool {
        if questions.is_empty() {
            return false;
        }
        let asked = || self.server.server.tally().asked;
        let before = asked();
        self.beside.say("asking the terminology server", before, before + questions.len());
        let is_answered = self.runtime.block_on(self.server.server.ask(questions));
        self.beside.over();
        is_answered
    }

    /// Ends it.
    pub(super) fn end(self) -> Ended {
        let tally = self.server.server.tally();
        self.runtime.shutdown_background();
        let number = |number| u64::try_from(number).unwrap_or(u64::MAX);
        let sums = object! {
            "server" => self.server.base.to_string(),
            "asked" => number(tally.asked),
            "answered" => number(tally.answered),
        };
        Ended { problem: problem(&tally, &self.server.base), sums }
    }
}

/// What went wrong. If the server could not be asked to the end, or says nothing at all, that is an error, for it was asked
/// for; single answers that failed are a warning. Either way nothing in a document is called wrong because of it.
fn problem(tally: &Tally, base: &Base) -> Option<(Exit, Problem)> {
    let open = "codes that only it can tell are not checked";
    let told = |severity, code: &str, why: String, help: &str| {
        let text = format!("the terminology server {base} {why}: {open}");
        let exit = if severity == Severity::Error { Exit::Failed } else { Exit::Done };
        (exit, Problem::new(severity, code, text).with_help(help))
    };
    match &tally.stopped {
        Some(Stopped::Failed(error)) => {
            let (code, help) = said(error);
            let why = match (tally.asked, tally.answered) {
                (_, 0) => format!("could not be asked ({error})"),
                (..) => format!("could not be asked to the end ({error})"),
            };
            return Some(told(Severity::Error, code, why, help));
        }
        Some(Stopped::TooMany) => {
            let why = "was asked about so many codes that no more are".to_owned();
            let help = "validate the files in several runs; so many different codes are rare, so look what they are";
            return Some(told(Severity::Warning, "tx-too-many", why, help));
        }
        None => {}
    }
    let severity = if tally.heard() == 0 { Severity::Error } else { Severity::Warning };
    if let Some((failed, error)) = &tally.failed {
        let (code, help) = said(error);
        let why = format!("gave no answer to {failed} of {} questions ({error})", tally.asked);
        return Some(told(severity, code, why, help));
    }
    let (_, error) = tally.refused.as_ref().filter(|_| severity == Severity::Error)?;
    let why = format!("does not answer questions about codes ({error})");
    let help = "is this the base URL of its FHIR service, and does it have $validate-code?";
    Some(told(severity, "tx-refused", why, help))
}

/// The code of a failure, and what to do about it.
const fn said(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::NotSent(Unsent::NoToken(_)) | Error::Unauthorized | Error::Forbidden => (
            "tx-denied",
            "a server that wants a login is configured like an EHR (`ehr add NAME URL …`): then give --tx NAME",
        ),
        Error::NotSent(_) => (
            "tx-unreachable",
            "is the URL right, and can this machine reach it? Without --tx all else is checked offline",
        ),
        Error::Busy { .. } => ("tx-busy", "wait, then run the same command again"),
        Error::Ambiguous(Cause::Timeout | Cause::Connection | Cause::Status(_)) => (
            "tx-no-answer",
            "run the same command again, with a longer --timeout if it is slow, or without --tx",
        ),
        _ => ("tx-incorrect", "check that the URL is the base of a FHIR terminology server"),
    }
}
