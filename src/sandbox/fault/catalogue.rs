//! The catalogue: every fault that is drawn from a seed, with its name, what it is, how often it comes and where it fits.

use std::time::Duration;

use super::{Fault, Until};

/// A fault that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Catalogued {
    /// Its name: `answer-lost`.
    pub name: &'static str,
    /// Its row in the design's catalogue: `F7`.
    pub row: &'static str,
    /// What it is, for a person.
    pub what: &'static str,
    /// The fault.
    pub fault: Fault,
    /// How often it comes, beside the others.
    pub share: u64,
    /// Which requests it can befall.
    pub fits: Fits,
    /// Whether a client waits long for it.
    pub is_slow: bool,
}

/// Which requests a fault can befall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    /// All.
    Any,
    /// Those that write.
    Write,
    /// Those to the URL of one resource.
    Instance,
    /// Updates of one resource.
    Update,
    /// Reads of one resource.
    Read,
}

impl Fits {
    pub(super) fn holds(self, method: &str, path: &str) -> bool {
        let steps = path.split('/').filter(|step| !step.is_empty() && !step.starts_with('_'));
        let is_instance = steps.count() == 2 && !path.contains('_');
        match self {
            Self::Any => true,
            Self::Write => method != "GET" && !path.ends_with("_search"),
            Self::Instance => is_instance,
            Self::Update => is_instance && method == "PUT",
            Self::Read => is_instance && method == "GET",
        }
    }
}

const fn any(
    row: &'static str,
    name: &'static str,
    share: u64,
    fault: Fault,
    what: &'static str,
) -> Catalogued {
    Catalogued { name, row, what, fault, share, fits: Fits::Any, is_slow: false }
}

impl Catalogued {
    const fn fitting(self, fits: Fits) -> Self {
        Self { fits, ..self }
    }

    const fn slow(self) -> Self {
        Self { is_slow: true, ..self }
    }
}

/// All of them.
pub const CATALOGUE: &[Catalogued] = &[
    any("F7", "answer-lost", 10, Fault::LoseAnswerAfterApply, "done, and no answer comes"),
    any("F7", "cut-head", 4, Fault::CutHead, "done, and the answer ends in its head"),
    any("F7", "cut-body", 4, Fault::TruncateAnswer, "done, and the answer ends in its body"),
    any("F7", "half-body", 4, Fault::HalfBody, "done, and half of the JSON comes as all of it"),
    any("F8", "delivered-twice", 6, Fault::DeliverTwice, "a proxy sends the request on twice")
        .fitting(Fits::Write),
    any(
        "F8",
        "delivered-late",
        2,
        Fault::DeliverLate,
        "no answer, and done after the next request",
    )
    .fitting(Fits::Write)
    .slow(),
    any("F9", "too-many-requests", 4, Fault::RefuseBefore(429), "429 with Retry-After: 1").slow(),
    any("F9", "too-many-requests-date", 2, Fault::RefuseUntil(429, Until::Date), "429 with a date")
        .slow(),
    any(
        "F9",
        "too-many-requests-negative",
        2,
        Fault::RefuseUntil(429, Until::Negative),
        "429 with Retry-After: -5",
    ),
    any(
        "F9",
        "too-many-requests-decade",
        1,
        Fault::RefuseUntil(429, Until::TenYears),
        "429 with Retry-After of ten years",
    )
    .slow(),
    any(
        "F9",
        "too-many-requests-unsaid",
        3,
        Fault::RefuseUntil(429, Until::Unsaid),
        "429 without Retry-After",
    ),
    any("F9", "unavailable", 3, Fault::RefuseBefore(503), "503 with Retry-After: 1").slow(),
    any("F9", "unavailable-date", 1, Fault::RefuseUntil(503, Until::Date), "503 with a date")
        .slow(),
    any(
        "F9",
        "unavailable-negative",
        1,
        Fault::RefuseUntil(503, Until::Negative),
        "503 with Retry-After: -5",
    ),
    any(
        "F9",
        "unavailable-decade",
        1,
        Fault::RefuseUntil(503, Until::TenYears),
        "503 with Retry-After of ten years",
    )
    .slow(),
    any(
        "F9",
        "unavailable-unsaid",
        3,
        Fault::RefuseUntil(503, Until::Unsaid),
        "503 without Retry-After",
    ),
    any("F9", "bad-gateway", 5, Fault::FailAfterApply(502), "done, and a proxy answers 502"),
    any("F9", "gateway-timeout", 5, Fault::FailAfterApply(504), "done, and a proxy answers 504"),
    any("F10", "unauthorized", 3, Fault::RefuseBefore(401), "the token does not count any more"),
    any("F11", "conflict", 2, Fault::RefuseBefore(409), "409, and nothing done")
        .fitting(Fits::Write),
    any("F11", "precondition", 2, Fault::RefuseBefore(412), "412, and nothing done")
        .fitting(Fits::Update),
    any(
        "F11",
        "not-found",
        2,
        Fault::RefuseBefore(404),
        "404 of what is there: a replica that lags",
    )
    .fitting(Fits::Read),
    any("F11", "gone", 1, Fault::RefuseBefore(410), "410 of what is there").fitting(Fits::Read),
    any("F12", "html-page", 4, Fault::HtmlPage, "200 with a login page"),
    any("F12", "outcome-in-ok", 3, Fault::OutcomeInOk, "200 with an OperationOutcome of an error"),
    any("F12", "no-place", 4, Fault::TellNoPlace, "done, without Location and ETag")
        .fitting(Fits::Write),
    any("F12", "other-id", 2, Fault::OtherId, "done, and the answer names another id"),
    any("F12", "other-type", 2, Fault::OtherType, "done, and the answer is called another type"),
    any("F12", "odd-etag", 3, Fault::OddEtag, "done, and ETag has no quotes"),
    any(
        "F12",
        "older-version",
        2,
        Fault::OlderVersion,
        "done, and the answer tells of an older version",
    )
    .fitting(Fits::Instance),
    any("F13", "slow-body", 1, Fault::SlowBody, "the answer comes a few bytes at a time").slow(),
    any(
        "F13",
        "late-answer",
        1,
        Fault::DelayAnswer(Duration::from_millis(1_500)),
        "the answer comes late",
    )
    .slow(),
    any("F13", "closed-unread", 5, Fault::DropBefore, "the connection is closed, and nothing done"),
    any(
        "F14",
        "commit-lost",
        1,
        Fault::LoseCommits(1),
        "the last commit is gone: a replica took over",
    ),
    any("F14", "commits-lost", 1, Fault::LoseCommits(3), "the last three commits are gone"),
    any("W4", "answers-swapped", 1, Fault::SwapAnswer, "two requests get each other's answer")
        .slow(),
    any(
        "W4",
        "other-body",
        1,
        Fault::OtherBody,
        "a cache answers with another resource of the type",
    )
    .fitting(Fits::Read),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_of_a_kind_and_every_row_is_there() {
        let names: std::collections::BTreeSet<_> =
            CATALOGUE.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for row in ["F7", "F8", "F9", "F10", "F11", "F12", "F13", "F14"] {
            assert!(CATALOGUE.iter().any(|known| known.row == row), "{row}");
        }
        for known in CATALOGUE {
            assert_eq!(known.fault.name(), known.name);
            assert!(known.share > 0 && !known.what.is_empty());
        }
    }

    #[test]
    fn a_fault_befalls_only_what_it_fits() {
        assert!(Fits::Instance.holds("PUT", "Goal/1") && !Fits::Instance.holds("PUT", "Goal"));
        assert!(
            !Fits::Instance.holds("GET", "Goal/_history") && !Fits::Read.holds("PUT", "Goal/1")
        );
        assert!(Fits::Write.holds("POST", "Goal") && !Fits::Write.holds("POST", "Goal/_search"));
        assert!(Fits::Any.holds("GET", "metadata"));
    }
}
