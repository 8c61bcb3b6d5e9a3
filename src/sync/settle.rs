//! What became of a write, judged by what the EHR holds now: pure, no request is made here.
//!
//! The rule behind all of it (ehrs-and-sync.md 3.2, 3.3): the base is the version that our own write made, never
//! simply the newest. A prototype that took the newest overwrote 12 of 12 edits that were made between its write and
//! its reading back. Where an answer told the version, that version is read; where no answer came, the history is
//! searched for what was sent; where neither helps, a person decides.

use crate::client::{HistoryEntry, Versioned};
use crate::fhir::Resource;
use crate::merge::same_content;

/// What is known of a resource beyond its current version, as far as it was asked for.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The version id that an answer to our write named.
    pub(super) acknowledged: Option<String>,
    /// That version, read; inner nothing if the server does not give it.
    pub(super) version: Option<Option<Versioned>>,
    /// The history, newest first; inner nothing if the server has none.
    pub(super) history: Option<Option<Vec<HistoryEntry>>>,
}

/// What became of a write, or what is missing to tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Read this version, then ask again.
    NeedVersion(String),
    /// Read the history, then ask again.
    NeedHistory,
    /// It arrived, or the resource was there before: this is the base.
    Agreed {
        /// The base.
        base: Box<Versioned>,
        /// Whether the base is what was sent; else the record's present words are new against it.
        is_what_was_sent: bool,
    },
    /// It did not arrive: send it again, if it is still wanted.
    NotArrived,
    /// It can't be told.
    Unexplained,
}

/// What became of a create, or whence comes a resource that the ledger does not know.
pub(super) fn created(sent: &Resource, current: &Versioned, evidence: &Evidence) -> Verdict {
    if let Some(verdict) = acknowledged(current, evidence) {
        return verdict;
    }
    if same_content(sent, &current.resource) {
        return agreed(current, true);
    }
    let history = match &evidence.history {
        None => return Verdict::NeedHistory,
        Some(None) => return Verdict::Unexplained,
        Some(Some(history)) => history,
    };
    // Deleted and made anew: then nobody can say which version is ours.
    let Some(versions) =
        history.iter().map(|entry| entry.versioned.as_ref()).collect::<Option<Vec<_>>>()
    else {
        return Verdict::Unexplained;
    };
    if let Some(ours) = versions.iter().find(|version| same_content(sent, &version.resource)) {
        return agreed(ours, true);
    }
    match versions.last() {
        Some(oldest) if is_first(oldest) => agreed(oldest, false),
        _ => Verdict::Unexplained,
    }
}

/// What became of an update of `base` (at `base_version`) to `sent`.
pub(super) fn updated(
    sent: &Resource,
    base: &Resource,
    base_version: &str,
    current: &Versioned,
    evidence: &Evidence,
) -> Verdict {
    if let Some(verdict) = acknowledged(current, evidence) {
        return verdict;
    }
    if current.version.as_deref() == Some(base_version) {
        return Verdict::NotArrived;
    }
    let is_sent = |version: &Versioned| same_content(sent, &version.resource);
    let history = match &evidence.history {
        None => return Verdict::NeedHistory,
        Some(None) if is_sent(current) => return agreed(current, true),
        Some(None) if same_content(base, &current.resource) => return Verdict::NotArrived,
        Some(None) => return Verdict::Unexplained,
        Some(Some(history)) => history,
    };
    let is_base = |entry: &HistoryEntry| entry.version.as_deref() == Some(base_version);
    let Some(since) = history.iter().position(is_base).and_then(|place| history.get(..place))
    else {
        return Verdict::Unexplained;
    };
    if is_sent(current) {
        let was_deleted = since.iter().any(|entry| entry.versioned.is_none());
        return if was_deleted { Verdict::Unexplained } else { agreed(current, true) };
    }
    if same_content(base, &current.resource) {
        return Verdict::NotArrived;
    }
    match since.iter().filter_map(|entry| entry.versioned.as_ref()).find(|version| is_sent(version))
    {
        Some(ours) => agreed(ours, true),
        None => Verdict::Unexplained,
    }
}

/// The verdict where an answer named the version that our write made; nothing if there was none, or it can't be read.
fn acknowledged(current: &Versioned, evidence: &Evidence) -> Option<Verdict> {
    let version = evidence.acknowledged.as_ref()?;
    if current.version.as_ref() == Some(version) {
        return Some(agreed(current, true));
    }
    match &evidence.version {
        None => Some(Verdict::NeedVersion(version.clone())),
        Some(Some(ours)) => Some(agreed(ours, true)),
        Some(None) => None,
    }
}

fn agreed(base: &Versioned, is_what_was_sent: bool) -> Verdict {
    Verdict::Agreed { base: Box::new(base.clone()), is_what_was_sent }
}

/// Whether a version may be the first one: where versions are counted, the history must reach back to the start.
fn is_first(version: &Versioned) -> bool {
    version
        .version
        .as_deref()
        .and_then(|version| version.parse::<u64>().ok())
        .is_none_or(|number| number <= 1)
}
