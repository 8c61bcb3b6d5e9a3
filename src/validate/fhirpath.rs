//! FHIRPath: expressions over a FHIR document, read once and evaluated often.
//!
//! The language is FHIRPath N1 with what FHIR adds (R4 2.9.1, R5 2.1.9) and the parts of the 3.0 ballot that R5's
//! invariants and the official suite use. An [`Expression`] is read once; a [`Context`] holds a document, its types
//! and its surroundings; an evaluation goes over the document's own tree and copies nothing of it.
//!
//! What it refuses: expressions that are too deep or too long, evaluations that take too many steps, items or bytes
//! ([`Limits`]). What it can't tell (a reference that leads outside, a value set) is neither true nor false
//! ([`Stop::Open`]).

mod arithmetic;
mod compare;
mod context;
mod convert;
mod decimal;
mod evaluate;
mod function;
mod hoist;
mod host;
mod item;
mod limit;
mod model;
mod navigate;
mod parse;
mod pattern;
mod presence;
mod quantity;
mod syntax;
mod temporal;
mod text;
mod token;
pub mod ucum;

use std::fmt;

pub use context::Context;
pub use decimal::Decimal;
pub use host::{Alone, Host, Resolved};
pub use item::{Collection, Item};
pub use limit::{Limit, Limits, Mistake, Open, Stop};
pub use model::Model;
pub use pattern::Pattern;
pub use presence::Presence;
pub use quantity::{Quantity, Unit};
pub use temporal::{CalendarUnit, Precision, Temporal, TemporalKind};

/// What is wrong with the text of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxFault {
    /// It ends where more must come.
    #[error("the expression ends too early")]
    Ends,
    /// Something stands where it does not belong.
    #[error("this does not belong here")]
    Unexpected,
    /// A character that the language does not use.
    #[error("FHIRPath has no such character")]
    Character,
    /// A comment without its end.
    #[error("the comment does not end")]
    OpenComment,
    /// A text or name without its closing mark.
    #[error("the text does not end")]
    OpenText,
    /// An escape that the language does not have.
    #[error("FHIRPath has no such escape")]
    Escape,
    /// A number with more digits than can be kept.
    #[error("the number has too many digits")]
    Number,
    /// A date or time that there is not.
    #[error("there is no such date or time")]
    Date,
    /// A function that neither FHIRPath nor FHIR has.
    #[error("there is no such function")]
    UnknownFunction,
    /// Too few or too many arguments.
    #[error("the function takes another number of arguments")]
    Arguments,
    /// It is nested too deep.
    #[error("the expression is nested too deep")]
    TooDeep,
    /// It is too long.
    #[error("the expression is too long")]
    TooLong,
}

/// The text of an expression can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (byte {offset})")]
pub struct SyntaxError {
    /// What is wrong.
    pub fault: SyntaxFault,
    /// Where, in bytes from the start.
    pub offset: usize,
}

/// An expression, ready to be evaluated.
pub struct Expression {
    text: Box<str>,
    syntax: syntax::Syntax,
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`SyntaxError`], with its place.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut root = parse::parse(text)?;
        let kept = hoist::mark(&mut root);
        Ok(Self { text: text.into(), syntax: syntax::Syntax { root, kept } })
    }

    /// The text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    const fn syntax(&self) -> &syntax::Syntax {
        &self.syntax
    }
}
