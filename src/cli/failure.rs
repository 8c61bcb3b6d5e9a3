//! Why a command did not do what was asked: one form for a person, for JSON, and for the exit code.
//!
//! A [`Problem`] says what failed, where, why and what to do next, under a stable code. It quotes nothing of a
//! record and nothing that a server said.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::exit::Exit;
use crate::client::smart::{NoToken, OAuthCode};
use crate::issue::{Issue, Severity};
use crate::json::Object;
use crate::{client, config, object, store};

/// A command's failure: an exit code and at least one problem.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The file, as it was named.
    pub(crate) path: Option<String>,
    /// The place in the document, as a JSON pointer.
    pub(crate) pointer: Option<String>,
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    /// What may be shown of the line, and how many characters at its end are meant.
    pub(crate) excerpt: Option<(String, usize)>,
    pub(crate) help: Option<String>,
}

impl Failure {
    /// A failure with one problem.
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self { exit, problems: vec![Problem::new(Severity::Error, code, message)] }
    }

    /// The same failure, its problems placed in a file.
    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        for problem in &mut self.problems {
            problem.path.get_or_insert_with(|| path.display().to_string());
        }
        self
    }

    /// The same failure with what to do next.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.help = Some(help.into());
        }
        self
    }
}

impl Problem {
    /// A problem without a place.
    pub(crate) fn new(severity: Severity, code: &str, message: impl Into<String>) -> Self {
        Self {
            severity,
            code: code.to_owned(),
            message: message.into(),
            path: None,
            pointer: None,
            line: None,
            column: None,
            excerpt: None,
            help: None,
        }
    }

    /// The same problem with what to do next.
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The problem as an element of the envelope's `errors`.
    pub(crate) fn to_object(&self) -> Object {
        let number = |number: Option<usize>| number.and_then(|number| u64::try_from(number).ok());
        object! {
            "severity" => self.severity.code(),
            "code" => &self.code,
            "message" => &self.message,
            "path" => self.path.as_deref(),
            "pointer" => self.pointer.as_deref(),
            "line" => number(self.line),
            "column" => number(self.column),
            "help" => self.help.as_deref(),
        }
    }
}

impl From<&Issue> for Problem {
    fn from(issue: &Issue) -> Self {
        let position = issue.location.position;
        Self {
            pointer: Some(issue.location.pointer.as_str().to_owned()),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            help: issue.help.as_deref().map(str::to_owned),
            ..Self::new(issue.severity, issue.code, issue.text.as_ref())
        }
    }
}

impl From<config::Error> for Problem {
    fn from(error: config::Error) -> Self {
        let mut problem = Self::new(Severity::Error, error.code, error.message);
        problem.help = error.help;
        if let Some(place) = error.place {
            problem.path = Some(place.file.display().to_string());
            problem.line = Some(place.line);
            problem.column = Some(place.column);
            problem.excerpt = Some((place.excerpt, place.width));
        }
        problem
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self { exit: Exit::Usage, problems: vec![error.into()] }
    }
}

/// Why a file could not be read, and what to look at: one text for every command that reads one.
pub(crate) fn cannot_read(error: &io::Error) -> Failure {
    let (why, help) = match error.kind() {
        ErrorKind::NotFound => (
            "there is no such file".to_owned(),
            "look at the path; it counts from the directory of this command",
        ),
        ErrorKind::PermissionDenied => (
            "the file may not be read".to_owned(),
            "give the user of this program the right to read it",
        ),
        ErrorKind::NotADirectory => (
            "there is no such file: a part of its path is no directory".to_owned(),
            "look at the path; it counts from the directory of this command",
        ),
        kind => {
            (format!("the file can't be read: {kind}"), "look whether another program can read it")
        }
    };
    Failure::new(Exit::Unreadable, "input-unreadable", why).help(help)
}

/// Why a file could not be written, and what to look at.
pub(crate) fn cannot_write(code: &str, what: &str, error: &io::Error) -> Failure {
    let (why, help) = match error.kind() {
        ErrorKind::NotFound => (
            "there is no such directory".to_owned(),
            "make the directory first; the path counts from the directory of this command",
        ),
        ErrorKind::PermissionDenied => (
            "nothing may be written there".to_owned(),
            "name another place, or give the user of this program the right to write there",
        ),
        ErrorKind::IsADirectory => ("it is a directory".to_owned(), "name a file in it"),
        ErrorKind::StorageFull => {
            ("the disk is full".to_owned(), "make room, then run the same command again")
        }
        kind => (kind.to_string(), "name another place"),
    };
    Failure::new(Exit::Failed, code, format!("{what} can't be written: {why}")).help(help)
}

/// How a command ends that got no token.
const fn no_token_exit(why: NoToken) -> Exit {
    match why {
        NoToken::Source | NoToken::KeySource | NoToken::Key(_) => Exit::Usage,
        _ if why.is_refusal() => Exit::Denied,
        _ => Exit::Failed,
    }
}

/// What to look at where there is no token.
pub(crate) const fn no_token_cure(why: NoToken) -> &'static str {
    match why {
        NoToken::Source => {
            "look at auth.token in the configuration: the file, or what the command prints"
        }
        NoToken::KeySource | NoToken::Key(_) => "look at auth.key in the configuration",
        NoToken::Unreachable | NoToken::NoAnswer => {
            "is auth.token_url right, and can this machine reach it? A firewall may let the FHIR base through only"
        }
        NoToken::Tls(_) => {
            "the token server's certificate must be valid for its name, of an authority that this machine trusts"
        }
        NoToken::Status(_) | NoToken::NotAToken => {
            "auth.token_url must be the token endpoint itself: compare it with the EHR's documentation"
        }
        NoToken::Clock => "set this machine's clock: it must agree with the EHR's to a minute",
        NoToken::Refused(OAuthCode::InvalidClient | OAuthCode::InvalidGrant) => {
            "are client_id and token_url right, is the public key registered (`ehr keys jwks`), and is the clock right?"
        }
        NoToken::Refused(OAuthCode::InvalidScope) => {
            "none of the scopes in auth.scope is registered for this client; without auth.scope none are named"
        }
        NoToken::Refused(
            OAuthCode::UnauthorizedClient
            | OAuthCode::UnsupportedGrantType
            | OAuthCode::AccessDenied,
        ) => {
            "the EHR's administrator must allow client_credentials (Backend Services) for this client"
        }
        NoToken::Refused(OAuthCode::ServerError | OAuthCode::TemporarilyUnavailable) => {
            "try again; if it stays so, ask the EHR's administrator"
        }
        NoToken::Refused(OAuthCode::InvalidRequest) => {
            "some servers demand auth.scope; else compare auth.token_url with the EHR's documentation"
        }
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        use client::Error;
        let (exit, code, help) = match &error {
            Error::NotSent(client::Unsent::NoToken(why)) => {
                return Self::new(no_token_exit(*why), "ehr-no-token", error.to_string())
                    .help(no_token_cure(*why));
            }
            Error::NotSent(_) => {
                (Exit::Failed, "ehr-unreachable", "`ehr test` says how far the connection comes")
            }
            Error::Ambiguous(_) => (
                Exit::Failed,
                "ehr-no-answer",
                "run the same command again: it looks before it writes",
            ),
            Error::Busy { .. } => {
                (Exit::Failed, "ehr-busy", "wait, then run the same command again")
            }
            Error::Unauthorized => {
                (Exit::Denied, "ehr-unauthorized", "look at auth of this EHR in the configuration")
            }
            Error::Forbidden => {
                (Exit::Denied, "ehr-forbidden", "ask the EHR's administrator for this permission")
            }
            Error::NotFound { .. } => (Exit::Failed, "ehr-not-found", "check the type and the id"),
            Error::Conflict { .. } => {
                (Exit::Conflicts, "ehr-conflict", "run the same command again to see what changed")
            }
            Error::Explained { class: client::Class::Denied, .. } => {
                (Exit::Denied, "ehr-forbidden", "the EHR's own policy: its administrator can tell")
            }
            Error::Refused { .. } | Error::Explained { .. } => {
                (Exit::Failed, "ehr-refused", "`ehr test` says what the server can do")
            }
            Error::Incorrect(_) => (
                Exit::Failed,
                "ehr-incorrect",
                "check that the URL is the base of a FHIR server: `ehr test`",
            ),
            Error::IgnoredParameter { .. } => {
                (Exit::Failed, "ehr-ignored-parameter", "this server can't be searched safely")
            }
            Error::TooLarge => {
                (Exit::Failed, "ehr-too-large", "check that the URL is the base of a FHIR server")
            }
        };
        Self::new(exit, code, error.to_string()).help(help)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        use store::Error;
        let (exit, code) = match &error {
            Error::Exposed(_) => (Exit::Refused, "store-exposed"),
            Error::Newer { .. } => (Exit::Failed, "store-newer"),
            Error::Locked => (Exit::Failed, "store-locked"),
            Error::LinkedOtherwise => (Exit::Refused, "store-linked-otherwise"),
            Error::PlanOfAnother => {
                let help =
                    "a record that was begun as a copy needs a plan id of its own: change its `id`";
                return Self::new(Exit::Refused, "store-plan-of-another", error.to_string())
                    .help(help);
            }
            Error::Open(_) => (Exit::Failed, "store-open"),
            _ => (Exit::Failed, "store"),
        };
        Self::new(exit, code, error.to_string())
    }
}
