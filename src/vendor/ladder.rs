//! How far up each kind of content gets into an EHR: the capability ladder (ehrs-and-sync.md 1.6).

use serde::Deserialize;

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
}

impl Rung {
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
}

/// The highest rung of a kind whose preconditions hold: `allows(type, interaction)` says what the server does.
///
/// A kind of several types stands on a rung only with all of them: goals without their plan mean nothing.
pub fn declared_rung(kind: Kind, allows: impl Fn(&str, &str) -> bool) -> Rung {
    let creates = |resource_type: &str| allows(resource_type, "create");
    let (structure, form): (&[&str], bool) = match kind {
        Kind::Plan => (&["CarePlan", "Goal"], true),
        Kind::Session => (&["Encounter"], false),
        Kind::Diagnosis => (&["Condition"], false),
        Kind::Scores => (&["Observation", "QuestionnaireResponse"], true),
    };
    if structure.iter().all(|resource_type| creates(resource_type)) {
        Rung::Structure
    } else if form && creates("QuestionnaireResponse") {
        Rung::Form
    } else if creates("DocumentReference") {
        Rung::Document
    } else {
        Rung::HandOff
    }
}
