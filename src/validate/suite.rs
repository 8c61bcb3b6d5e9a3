//! Scoring against what the reference engine said: HL7's validator suite, and examples with a recorded verdict.
//!
//! The verdict is compared first: any error, or none. Then the issues, by severity, code and expression, with the
//! comments and the type and slice marks taken off the expressions of both sides (validation.md 2); wording is free.
//! Nothing here reads a file: whoever scores brings the texts, and says what came of each.

mod cases;
mod examples;
pub mod known;
pub mod run;

use std::collections::BTreeMap;

use super::report::Reported;
use crate::issue::Severity;
use crate::json::Value;

pub use cases::{Case, CaseOptions, cases, usual};
pub use examples::{Example, examples};
pub use run::{Files, Suite};

/// An issue, as both sides are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issue {
    /// `error` or `fatal`.
    pub severity: String,
    /// FHIR's issue type.
    pub code: String,
    /// Where it is, normalised.
    pub expression: String,
    /// What it says; not compared.
    pub text: String,
}

impl Issue {
    fn of_json(value: &Value) -> Self {
        let text = |name| value.text(name).unwrap_or_default().to_owned();
        let severity = value.text("severity").unwrap_or("error").to_owned();
        let expression = normalised(value.text("expression").unwrap_or_default());
        Self { severity, code: text("code"), expression, text: text("text") }
    }

    /// The errors of a report; it must have been made with values shown, else expressions may be cut.
    pub fn errors(reported: &[Reported]) -> Vec<Self> {
        let errors = reported.iter().filter(|item| item.severity >= Severity::Error);
        errors
            .map(|item| Self {
                severity: item.severity.code().to_owned(),
                code: item.rule.kind.code().to_owned(),
                expression: normalised(&item.expression),
                text: format!("[{}] {}", item.rule.code, item.text),
            })
            .collect()
    }

    fn same(&self, other: &Self) -> bool {
        (&self.severity, &self.code, &self.expression)
            == (&other.severity, &other.code, &other.expression)
    }
}

impl std::fmt::Display for Issue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {} {}: {}", self.severity, self.code, self.expression, self.text)
    }
}

/// An expression without `/*...*/`, `.ofType(X)` and `[url='...']`.
pub fn normalised(expression: &str) -> String {
    let mut text = expression.trim().to_owned();
    for (open, close) in [("/*", "*/"), (".ofType(", ")"), ("[url='", "']")] {
        while let Some((before, rest)) = text.split_once(open) {
            let after = rest.split_once(close).map_or("", |(_, after)| after);
            text = format!("{before}{after}");
        }
    }
    text
}

/// What one run came to on both sides.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was run: `NAME|RUN|RELEASE` of the suite, `RELEASE/FILE` of examples.
    pub name: String,
    /// What it is counted under: release, format, module, ...
    pub groups: Vec<(&'static str, String)>,
    /// What the reference reports.
    pub expected: Vec<Issue>,
    /// What we report; an error if we could not even begin.
    pub ours: Result<Vec<Issue>, String>,
    /// What the reference does without a terminology server: `agrees`, `differs`, `throws`; empty if not told.
    pub offline: String,
}

impl Outcome {
    /// Whether both sides say the same of the document: valid, or not.
    pub fn verdict_is_equal(&self) -> bool {
        self.ours.as_ref().is_ok_and(|ours| ours.is_empty() == self.expected.is_empty())
    }

    fn ours(&self) -> &[Issue] {
        self.ours.as_deref().unwrap_or_default()
    }

    /// How many of the expected issues are among ours, each of ours standing for one.
    pub fn matched(&self) -> usize {
        self.pairs().0
    }

    /// The expected issues that we lack, and ours that are not expected.
    pub fn differences(&self) -> (Vec<&Issue>, Vec<&Issue>) {
        let (_, missing, extra) = self.pairs();
        (missing, extra)
    }

    fn pairs(&self) -> (usize, Vec<&Issue>, Vec<&Issue>) {
        let mut left: Vec<&Issue> = self.ours().iter().collect();
        let mut missing = Vec::new();
        let mut matched = 0;
        for expected in &self.expected {
            match left.iter().position(|ours| ours.same(expected)) {
                Some(at) => {
                    left.swap_remove(at);
                    matched += 1;
                }
                None => missing.push(expected),
            }
        }
        left.sort();
        (matched, missing, left)
    }
}

/// The sums of some runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub runs: usize,
    /// How many have the same verdict on both sides.
    pub verdicts: usize,
    /// How many the reference finds errors in.
    pub with_errors: usize,
    /// Of those, in how many we find some, too.
    pub caught: usize,
    /// How many we find errors in and the reference none.
    pub false_alarms: usize,
    /// How many we could not run.
    pub failed: usize,
    /// The reference's issues.
    pub expected: usize,
    /// Ours.
    pub ours: usize,
    /// Those on both sides.
    pub matched: usize,
    /// The sum over the runs with expected issues of matched of expected, in ten thousandths.
    shares: usize,
}

impl Total {
    /// Counts a run.
    pub fn add(&mut self, outcome: &Outcome) {
        let matched = outcome.matched();
        let expects = !outcome.expected.is_empty();
        self.runs += 1;
        self.verdicts += usize::from(outcome.verdict_is_equal());
        self.with_errors += usize::from(expects);
        self.caught += usize::from(expects && !outcome.ours().is_empty());
        self.false_alarms += usize::from(!expects && !outcome.ours().is_empty());
        self.failed += usize::from(outcome.ours.is_err());
        self.expected += outcome.expected.len();
        self.ours += outcome.ours().len();
        self.matched += matched;
        self.shares += (matched * 10_000).checked_div(outcome.expected.len()).unwrap_or(0);
    }

    /// Equal verdicts of 10,000 runs.
    pub fn verdict_share(&self) -> usize {
        share(self.verdicts, self.runs)
    }

    /// The mean over the runs with expected issues of matched of expected, of 10,000.
    pub fn issue_share(&self) -> usize {
        self.shares.checked_div(self.with_errors).unwrap_or(10_000)
    }

    /// False alarms of 10,000 runs.
    pub fn alarm_share(&self) -> usize {
        share(self.false_alarms, self.runs)
    }
}

fn share(part: usize, whole: usize) -> usize {
    (part * 10_000).checked_div(whole).unwrap_or(10_000)
}

/// All runs, their sums by group, and what differs.
#[derive(Debug, Clone, Default)]
pub struct Score {
    /// All runs together.
    pub all: Total,
    /// The sums of each group: of (`module`, `xhtml`), ...
    pub groups: BTreeMap<(&'static str, String), Total>,
    /// The runs with another verdict.
    pub misses: Vec<Outcome>,
    /// The runs with the same verdict and other issues.
    pub partial: Vec<Outcome>,
}

impl Score {
    /// Counts a run, and keeps it if it differs.
    pub fn add(&mut self, outcome: Outcome) {
        self.all.add(&outcome);
        for group in &outcome.groups {
            self.groups.entry(group.clone()).or_default().add(&outcome);
        }
        if !outcome.verdict_is_equal() {
            self.misses.push(outcome);
        } else if outcome.matched() < outcome.expected.len().max(outcome.ours().len()) {
            self.partial.push(outcome);
        }
    }

    /// The names of the runs with another verdict.
    pub fn missed(&self) -> Vec<&str> {
        self.misses.iter().map(|outcome| outcome.name.as_str()).collect()
    }

    /// The sums of a group.
    pub fn group(&self, kind: &'static str, name: &str) -> Total {
        self.groups.get(&(kind, name.to_owned())).copied().unwrap_or_default()
    }
}
