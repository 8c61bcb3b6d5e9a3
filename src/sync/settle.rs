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
    /// That version.
    pub(super) version: Asked<Versioned>,
    /// The history, newest first.
    pub(super) history: Asked<Vec<HistoryEntry>>,
    /// Whether what is there is certainly what was sent, whatever the server made of it. It counts where there is no
    /// history: then nobody can tell the server's rewording from an edit made in the same moment.
    pub(super) is_ours: bool,
}

/// What the server was asked for, if it was.
#[derive(Debug, Default)]
pub(super) enum Asked<T> {
    /// Not yet.
    #[default]
    NotYet,
    /// It does not give it.
    Unavailable,
    /// This is it.
    Given(T),
}

impl<T> From<Option<T>> for Asked<T> {
    fn from(given: Option<T>) -> Self {
        given.map_or(Self::Unavailable, Self::Given)
    }
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
        Asked::NotYet => return Verdict::NeedHistory,
        Asked::Unavailable if evidence.is_ours => return agreed(current, true),
        Asked::Unavailable => return Verdict::Unexplained,
        Asked::Given(history) => history,
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
    let begins_now = versions.first().is_some_and(|newest| newest.version == current.version);
    match history.last().zip(versions.last()) {
        Some((entry, oldest)) if begins_now && is_first(entry) => agreed(oldest, false),
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
        Asked::NotYet => return Verdict::NeedHistory,
        Asked::Unavailable if is_sent(current) || evidence.is_ours => return agreed(current, true),
        Asked::Unavailable if same_content(base, &current.resource) => return Verdict::NotArrived,
        Asked::Unavailable => return Verdict::Unexplained,
        Asked::Given(history) => history,
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
        Asked::NotYet => Some(Verdict::NeedVersion(version.clone())),
        Asked::Given(ours) => Some(agreed(ours, true)),
        Asked::Unavailable => None,
    }
}

fn agreed(base: &Versioned, is_what_was_sent: bool) -> Verdict {
    Verdict::Agreed { base: Box::new(base.clone()), is_what_was_sent }
}

/// Whether a version is the first one: by its number, or because the history says that it was created.
///
/// A history may be cut, and most version ids tell nothing: the last entry alone proves no beginning.
fn is_first(entry: &HistoryEntry) -> bool {
    let number = entry.version.as_deref().and_then(|version| version.parse::<u64>().ok());
    number.is_some_and(|number| number <= 1) || entry.method == "POST"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(status: &str) -> Resource {
        Resource::new("Goal").with(crate::object! { "id" => "7", "lifecycleStatus" => status })
    }

    fn at(version: &str, status: &str) -> Versioned {
        Versioned {
            id: "Goal/7".parse().unwrap(),
            version: Some(version.to_owned()),
            last_updated: None,
            resource: body(status),
        }
    }

    /// A history from its newest version to its oldest; a version without words is a deletion.
    fn history(versions: &[(&str, &str)]) -> Evidence {
        let entry = |(version, status): &(&str, &str)| HistoryEntry {
            method: if status.is_empty() { "DELETE" } else { "PUT" }.to_owned(),
            version: Some((*version).to_owned()),
            versioned: (!status.is_empty()).then(|| at(version, status)),
        };
        let entries = versions.iter().map(entry).collect();
        Evidence { history: Asked::Given(entries), ..Evidence::default() }
    }

    fn base(version: &str, status: &str, is_what_was_sent: bool) -> Verdict {
        Verdict::Agreed { base: Box::new(at(version, status)), is_what_was_sent }
    }

    /// The verdict on an update of "old" (at version 3) to "new", where the newest of the history is current.
    fn updated_given(versions: &[(&str, &str)]) -> Verdict {
        let (version, status) = versions[0];
        updated(&body("new"), &body("old"), "3", &at(version, status), &history(versions))
    }

    #[test]
    fn an_update_is_found_where_it_arrived() {
        assert_eq!(updated_given(&[("3", "old"), ("2", "x")]), Verdict::NotArrived);
        assert_eq!(updated_given(&[("4", "new"), ("3", "old")]), base("4", "new", true));
        let edited_after = [("5", "edited"), ("4", "new"), ("3", "old"), ("2", "x")];
        assert_eq!(updated_given(&edited_after), base("4", "new", true));
        assert_eq!(updated_given(&[("4", "old"), ("3", "old")]), Verdict::NotArrived);
    }

    #[test]
    fn an_update_that_somebody_else_may_have_made_is_not_ours() {
        assert_eq!(updated_given(&[("4", "edited"), ("3", "old")]), Verdict::Unexplained);
        let deleted_between = [("5", "new"), ("4", ""), ("3", "old")];
        assert_eq!(updated_given(&deleted_between), Verdict::Unexplained);
        assert_eq!(updated_given(&[("1", "new")]), Verdict::Unexplained, "begins after the base");
    }

    #[test]
    fn what_an_answer_named_is_the_base_whatever_came_after() {
        let mut evidence = Evidence { acknowledged: Some("4".to_owned()), ..Evidence::default() };
        let current = at("5", "edited");
        let ask =
            |evidence: &Evidence| updated(&body("new"), &body("old"), "3", &current, evidence);
        assert_eq!(ask(&evidence), Verdict::NeedVersion("4".to_owned()));
        evidence.version = Asked::Given(at("4", "newer words of the server"));
        assert_eq!(ask(&evidence), base("4", "newer words of the server", true));
        evidence.version = Asked::Unavailable;
        assert_eq!(ask(&evidence), Verdict::NeedHistory);
    }

    #[test]
    fn a_found_resource_has_as_base_what_we_sent_or_its_first_version() {
        let sent = body("new");
        assert_eq!(created(&sent, &at("9", "new"), &Evidence::default()), base("9", "new", true));
        let current = at("3", "edited");
        assert_eq!(created(&sent, &current, &Evidence::default()), Verdict::NeedHistory);
        let given = |versions: &[(&str, &str)]| created(&sent, &current, &history(versions));
        assert_eq!(given(&[("3", "edited"), ("2", "new"), ("1", "x")]), base("2", "new", true));
        assert_eq!(given(&[("3", "edited"), ("1", "x")]), base("1", "x", false));
        assert_eq!(given(&[("3", "edited"), ("2", "x")]), Verdict::Unexplained, "begins later");
        assert_eq!(given(&[("3", "edited"), ("2", ""), ("1", "x")]), Verdict::Unexplained);
        let aside = [("2", "x"), ("1", "x")];
        assert_eq!(given(&aside), Verdict::Unexplained, "does not begin with what is current");
        let none = Evidence { history: Asked::Unavailable, ..Evidence::default() };
        assert_eq!(created(&sent, &current, &none), Verdict::Unexplained);
    }

    #[test]
    fn a_version_without_number_is_the_first_only_if_it_was_created() {
        let current = at("c", "edited");
        let given = |method: &str| {
            let mut evidence = history(&[("c", "edited"), ("a", "x")]);
            if let Asked::Given(history) = &mut evidence.history {
                history[1].method = method.to_owned();
            }
            created(&body("new"), &current, &evidence)
        };
        assert_eq!(given("POST"), base("a", "x", false));
        assert_eq!(given("PUT"), Verdict::Unexplained);
        assert_eq!(given(""), Verdict::Unexplained, "the server does not say");
    }
}
