//! One diagnostic type for records, mapping and FHIR: data that every renderer shows its own way.
//!
//! An [`Issue`] says what (code), where (pointer, line and column, FHIRPath), how bad (severity), and what to do.
//! Its texts are ours and never quote the document: what a document says may identify a person.

use std::borrow::Cow;
use std::fmt;

use crate::json::{Pointer, Position};

/// How bad an issue is, as FHIR's `issue-severity` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Likely a mistake; the work goes on.
    Warning,
    /// The content can't be used as it is.
    Error,
    /// The content can't be read at all.
    Fatal,
}

impl Severity {
    /// FHIR's code for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// Where in a document an issue is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// RFC 6901 pointer to the value, `""` for the whole.
    pub pointer: Pointer,
    /// Line and column, where the text was at hand.
    pub position: Option<Position>,
}

/// One thing that somebody should know about a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for this kind of issue: `ipt-plan-unknown-key`.
    pub code: &'static str,
    /// Where it is.
    pub location: Location,
    /// What is wrong, in one sentence that quotes nothing of the document.
    pub text: Cow<'static, str>,
    /// What to do about it.
    pub help: Option<Cow<'static, str>>,
}

impl Issue {
    /// An issue without help and position.
    pub fn new(
        severity: Severity,
        code: &'static str,
        pointer: Pointer,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        let location = Location { pointer, position: None };
        Self { severity, code, location, text: text.into(), help: None }
    }

    /// An error.
    pub fn error(code: &'static str, pointer: Pointer, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Severity::Error, code, pointer, text)
    }

    /// A warning.
    pub fn warning(
        code: &'static str,
        pointer: Pointer,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Severity::Warning, code, pointer, text)
    }

    /// The same issue with a sentence that says what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the content can't be used as it is.
    pub fn is_error(&self) -> bool {
        self.severity >= Severity::Error
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]: {}", self.severity.code(), self.code, self.text)
    }
}
