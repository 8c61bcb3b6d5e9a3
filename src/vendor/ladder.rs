//! How far up each kind of content gets into an EHR: the capability ladder (ehrs-and-sync.md 1.6).
//!
//! Here are kinds, rungs and what each needs; [`place()`] puts the kinds of one server on their rungs.

mod allow;
mod place;

use serde::Deserialize;

pub use allow::{Allow, Encounters, NotAllowable};
pub use place::{Narrowing, Placement, place};

/// A kind of content that climbs the ladder as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The plan and its goals.
    Plan,
    /// A session.
    Session,
    /// The diagnosis.
    Diagnosis,
    /// Scores of measures.
    Scores,
}

/// A rung of the ladder; a higher one loses less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Nothing is sent.
    Withheld,
    /// A package for a person to take over.
    HandOff,
    /// A readable note in the chart.
    Document,
    /// Answers to a published Questionnaire.
    Form,
    /// The resource itself.
    Structure,
}

/// The rung of a kind at a vendor's servers, unless their statement allows less.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderStep {
    /// The kind.
    pub kind: Kind,
    /// Its rung.
    pub rung: Rung,
    /// Whether this rung is taken only if the operator asks for it; otherwise the kind goes into the document.
    #[serde(default)]
    pub opt_in: bool,
    /// Whether it is higher than what the statement allows.
    #[serde(default)]
    pub beyond_statement: bool,
    /// The key of its source.
    pub source: String,
    /// What else there is to know.
    pub note: Option<String>,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Session, Self::Diagnosis, Self::Scores];

    /// The word in a pack.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Session => "session",
            Self::Diagnosis => "diagnosis",
            Self::Scores => "scores",
        }
    }

    /// The kind of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == word)
    }

    /// The rungs that this kind can stand on, from the top, without [`Rung::Withheld`]. A form needs a published
    /// Questionnaire: scores have theirs, a plan, a session and a diagnosis have none.
    pub const fn rungs(self) -> &'static [Rung] {
        match self {
            Self::Scores => &[Rung::Structure, Rung::Form, Rung::Document, Rung::HandOff],
            Self::Plan | Self::Session | Self::Diagnosis => {
                &[Rung::Structure, Rung::Document, Rung::HandOff]
            }
        }
    }

    /// The types that a server must create for this kind to stand on a rung: all of them, for goals without their plan
    /// mean nothing.
    pub const fn needs(self, rung: Rung) -> &'static [&'static str] {
        match (rung, self) {
            (Rung::Structure, Self::Plan) => &["CarePlan", "Goal"],
            (Rung::Structure, Self::Session) => &["Encounter"],
            (Rung::Structure, Self::Diagnosis) => &["Condition"],
            (Rung::Structure, Self::Scores) => &["Observation", "QuestionnaireResponse"],
            (Rung::Form, _) => &["QuestionnaireResponse"],
            (Rung::Document, _) => &["DocumentReference"],
            (Rung::HandOff | Rung::Withheld, _) => &[],
        }
    }
}

impl Rung {
    /// All of them, the highest first.
    pub const ALL: [Self; 5] =
        [Self::Structure, Self::Form, Self::Document, Self::HandOff, Self::Withheld];

    /// Those that an operator must allow.
    pub const BELOW_STRUCTURE: [Self; 3] = [Self::Form, Self::Document, Self::HandOff];

    /// The word in a pack.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Withheld => "withheld",
            Self::HandOff => "hand-off",
            Self::Document => "document",
            Self::Form => "form",
            Self::Structure => "structure",
        }
    }

    /// The rung of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.code() == word)
    }
}

/// The highest rung of a kind whose preconditions hold: `allows(type, interaction)` says what the server does.
pub fn declared_rung(kind: Kind, allows: impl Fn(&str, &str) -> bool) -> Rung {
    let holds = |rung: &&Rung| kind.needs(**rung).iter().all(|of| allows(of, "create"));
    kind.rungs().iter().find(holds).copied().unwrap_or(Rung::HandOff)
}
