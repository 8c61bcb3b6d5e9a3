//! A fact of a pack, and where it comes from.

use serde::Deserialize;

/// A value that somebody told us, or that we saw.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told<T> {
    /// The value.
    pub value: T,
    /// The key of its [`SourceEntry`] in the pack.
    pub source: String,
    /// What else there is to know.
    pub note: Option<String>,
}

/// Where facts come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// What it is: a document and when it was read, or a server and when it was asked.
    pub text: String,
    /// Where it is, if it is public.
    pub url: Option<String>,
    /// How far it can be relied on.
    pub evidence: Evidence,
}

/// How far a source can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Seen at a server, or computed from what it sent.
    Measured,
    /// Read in documentation or in source code, and not tried.
    Documented,
    /// Remembered or judged, and not looked up.
    Memory,
}

impl Evidence {
    /// The word in a pack.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Documented => "documented",
            Self::Memory => "memory",
        }
    }

    /// The words for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Documented => "documented, not measured",
            Self::Memory => "from memory, not looked up",
        }
    }
}
