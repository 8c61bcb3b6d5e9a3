//! One step of a test: what was found, and the cure.

use super::super::super::super::failure::Failure;

/// One step.
pub(super) struct Check {
    pub(super) step: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    pub(super) cure: Option<String>,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Passed,
    /// It can be synced with, and something should be known.
    Warning,
    Failed,
    /// Not asked, because it could not be or because this EHR does without it.
    Skipped,
}

impl State {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Check {
    const fn new(step: &'static str, state: State, found: String, cure: Option<String>) -> Self {
        Self { step, state, found, cure }
    }

    pub(super) fn passed(step: &'static str, found: impl Into<String>) -> Self {
        Self::new(step, State::Passed, found.into(), None)
    }

    pub(super) fn skipped(step: &'static str, why: impl Into<String>) -> Self {
        Self::new(step, State::Skipped, why.into(), None)
    }

    pub(super) fn warning(
        step: &'static str,
        found: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self::new(step, State::Warning, found.into(), Some(cure.into()))
    }

    pub(super) fn failed(
        step: &'static str,
        found: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self::new(step, State::Failed, found.into(), Some(cure.into()))
    }

    /// A failure of another command's kind, as a step.
    pub(super) fn of_failure(step: &'static str, failure: &Failure) -> Self {
        let problem = failure.problems.first();
        let found = problem.map(|problem| problem.message.clone()).unwrap_or_default();
        let cure = problem.and_then(|problem| problem.help.clone());
        Self::failed(step, found, cure.unwrap_or_else(|| "look at its configuration".to_owned()))
    }
}
