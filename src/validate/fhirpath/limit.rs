//! What an evaluation may take, and why one can end without a result.

use std::fmt;

use crate::validate::tree::Tree;

/// What one evaluation may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps: an operator, a function, an item looked at.
    pub steps: u64,
    /// Items of one collection.
    pub items: usize,
    /// Bytes of a text that is made.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 1_000_000, items: 1_000_000, text: 1 << 20 }
    }
}

impl Limits {
    /// The default, and more for a large document, so that what is linear in it stays within.
    pub fn of(tree: &Tree<'_>) -> Self {
        let limits = Self::default();
        let elements = tree.len();
        Self {
            steps: limits.steps + 64 * elements as u64,
            items: limits.items + elements,
            ..limits
        }
    }
}

/// Which limit ended an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::steps`]
    Steps,
    /// [`Limits::items`]
    Items,
    /// [`Limits::text`]
    Text,
    /// The caller's time was over.
    Time,
}

/// Why an expression is an error where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Several items stand where one belongs.
    NotSingle,
    /// An operator or function is applied to what it is not made for.
    WrongType,
    /// A date and a quantity that can't be added.
    WrongUnit,
    /// A variable is not defined there.
    UnknownVariable,
    /// A variable is defined twice, or is one of FHIR's own.
    VariableTaken,
    /// A type that neither FHIR nor FHIRPath has.
    UnknownType,
    /// A member that the type does not have.
    UnknownMember,
    /// A regular expression that can't be read, or is too large.
    BadPattern,
    /// A function that needs an order is applied to what has none.
    NoOrder,
}

/// What can't be told here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// What a reference leads to.
    Reference,
    /// Whether a code is in a value set, or below another one.
    Terminology,
    /// Whether a profile is met.
    Profile,
    /// Whether markup is allowed.
    Markup,
    /// What time it is.
    Clock,
}

/// Why an evaluation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The expression is wrong for what it is applied to.
    Mistake(Mistake),
    /// It would take more than is allowed.
    Limit(Limit),
    /// It depends on what is not known here.
    Open(Open),
}

impl Stop {
    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mistake(Mistake::NotSingle) => "several items where one belongs",
            Self::Mistake(Mistake::WrongType) => "a value of the wrong type",
            Self::Mistake(Mistake::WrongUnit) => "a unit that can't be added to a date",
            Self::Mistake(Mistake::UnknownVariable) => "an unknown variable",
            Self::Mistake(Mistake::VariableTaken) => "a variable that is defined already",
            Self::Mistake(Mistake::UnknownType) => "an unknown type",
            Self::Mistake(Mistake::UnknownMember) => "an unknown element",
            Self::Mistake(Mistake::BadPattern) => "a regular expression that can't be used",
            Self::Mistake(Mistake::NoOrder) => "an order where there is none",
            Self::Limit(Limit::Steps) => "too many steps",
            Self::Limit(Limit::Items) => "too many items",
            Self::Limit(Limit::Text) => "too long a text",
            Self::Limit(Limit::Time) => "too much time",
            Self::Open(Open::Reference) => "a reference that is not resolved here",
            Self::Open(Open::Terminology) => "a question to a terminology server",
            Self::Open(Open::Profile) => "a profile that is not at hand",
            Self::Open(Open::Markup) => "markup that is not looked at here",
            Self::Open(Open::Clock) => "the time of day",
        }
    }
}

impl From<Mistake> for Stop {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

impl From<Limit> for Stop {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl std::error::Error for Stop {}
