//! FHIR's invariants: what an expression's result means, which are corrected, and which have a fast path.
//!
//! What counts is what the reference engine (HL7's validator 6.9.4) makes of them: an empty result fails, a single
//! item that is no truth value holds, several items hold, a mistake while evaluating fails. Only what can't be told
//! here (a value set, a reference that leads outside, a limit) is neither: it is "not checked", with its reason.
//!
//! Each distinct expression is compiled once per process. The commonest are recognised by what they say and answered
//! without the engine; [`Invariant::interpret`] takes no such way, so that tests hold the one against the other.

mod correction;
mod entries;
mod native;
mod pass;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

pub use correction::{CORRECTIONS, Correction, corrected};
pub use pass::InvariantRules;

use self::native::Native;
use super::fhirpath::{Collection, Context, Expression, Item, Stop, SyntaxError};
use super::tree::NodeId;
use crate::fhir::Release;
use crate::issue::Severity;

/// What an invariant says about an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It is broken.
    Fails,
    /// It can't be told here.
    NotChecked(Stop),
}

/// An expression and its fast path, shared by all invariants of the same text.
#[derive(Debug)]
pub struct Compiled {
    /// The expression.
    pub expression: Expression,
    native: Option<Native>,
}

impl Compiled {
    /// Whether the engine is not needed for it.
    pub const fn is_native(&self) -> bool {
        self.native.is_some()
    }
}

/// A rule on an element that a definition sets.
#[derive(Debug, Clone)]
pub struct Invariant {
    /// Its key: `dom-6`.
    pub key: Box<str>,
    /// How bad it is to break it.
    pub severity: Severity,
    /// In words.
    pub human: Box<str>,
    /// In FHIRPath, corrected where what is published is wrong.
    pub expression: Arc<Compiled>,
    /// The canonical URL of the definition that first had it; empty if it is not said.
    pub source: Box<str>,
}

/// The compiled expression of a text. Compiled once, however often it is asked for.
///
/// # Errors
/// [`SyntaxError`], if it can't be read.
pub fn compile(text: &str) -> Result<Arc<Compiled>, SyntaxError> {
    static TABLE: LazyLock<Mutex<BTreeMap<Box<str>, Arc<Compiled>>>> =
        LazyLock::new(Mutex::default);
    // A profile from outside must not fill the memory: beyond this, expressions are not kept.
    const MOST: usize = 20_000;
    let known = TABLE.lock().ok().and_then(|table| table.get(text).cloned());
    if let Some(known) = known {
        return Ok(known);
    }
    let expression = Expression::parse(text)?;
    let native = Native::of(&expression);
    let compiled = Arc::new(Compiled { expression, native });
    if let Ok(mut table) = TABLE.lock()
        && table.len() < MOST
    {
        return Ok(Arc::clone(table.entry(text.into()).or_insert(compiled)));
    }
    Ok(compiled)
}

impl Invariant {
    /// An invariant of a release's definitions, or of a profile for it.
    ///
    /// # Errors
    /// [`SyntaxError`], if the expression can't be read.
    pub fn new(
        release: Release,
        key: &str,
        severity: Severity,
        human: &str,
        expression: &str,
        source: &str,
    ) -> Result<Self, SyntaxError> {
        Ok(Self {
            key: key.into(),
            severity,
            human: human.into(),
            expression: compile(corrected(release, key, expression))?,
            source: source.into(),
        })
    }

    /// Whether it holds at an element.
    pub fn evaluate(&self, context: &Context<'_>, node: NodeId) -> Verdict {
        self.expression.evaluate(context, node)
    }

    /// The same without the fast path.
    pub fn interpret(&self, context: &Context<'_>, node: NodeId) -> Verdict {
        self.expression.interpret(context, node)
    }
}

impl Compiled {
    /// Whether it holds as an invariant of an element.
    pub fn evaluate(&self, context: &Context<'_>, node: NodeId) -> Verdict {
        match self.native.as_ref().and_then(|native| native.holds(context, node)) {
            Some(true) => Verdict::Holds,
            Some(false) => Verdict::Fails,
            None => self.interpret(context, node),
        }
    }

    /// The same without the fast path.
    pub fn interpret(&self, context: &Context<'_>, node: NodeId) -> Verdict {
        let holds = match context.evaluate(&self.expression, node) {
            Ok(Collection::Empty) => false,
            Ok(Collection::Many(_)) => true,
            Ok(Collection::One(Item::Boolean(value))) => value,
            Ok(Collection::One(Item::Node(id))) => {
                // An element that is a truth value is one; any other is there, and so it holds.
                let type_name = context.type_name(id);
                type_name != "boolean" || context.tree().text(id) == Some("true")
            }
            Ok(Collection::One(_)) => true,
            Err(Stop::Mistake(_)) => false,
            Err(stop) => return Verdict::NotChecked(stop),
        };
        if holds { Verdict::Holds } else { Verdict::Fails }
    }
}
