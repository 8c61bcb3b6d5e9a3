//! What an expression is once it is read: nothing that the evaluation would have to look at twice.
//!
//! Paths are flat (`a.b.where(c)[0]` is one start and four steps), so a long path costs no depth; every other nesting
//! is counted while it is read and limited.

use std::sync::OnceLock;

use super::function::Function;
use super::pattern::Pattern;
use super::quantity::Quantity;
use super::temporal::Temporal;
use super::{Decimal, SyntaxError};

/// A value that stands in the expression.
#[derive(Debug)]
pub(super) enum Literal {
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    Text(Box<str>),
    Temporal(Temporal),
    Quantity(Quantity<'static>),
}

/// What `%` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Resource,
    RootResource,
    Context,
    /// A fixed text: `%ucum`, `%vs-…`, `%ext-…`.
    Text(Box<str>),
    /// Given by the caller or by `defineVariable`.
    Named(Box<str>),
}

/// The name of a type: `FHIR.Patient`, `System.String`, `Patient`.
#[derive(Debug)]
pub(super) struct TypeName {
    pub(super) namespace: Option<Box<str>>,
    pub(super) name: Box<str>,
}

/// What two operands are joined by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Implies,
    Or,
    Xor,
    And,
    In,
    Contains,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Union,
    Plus,
    Minus,
    Concatenate,
    Times,
    Divide,
    Div,
    Mod,
}

/// An expression.
#[derive(Debug)]
pub(super) enum Node {
    Literal(Literal),
    /// `{}`
    Empty,
    This,
    Index,
    Total,
    Variable(Variable),
    Path {
        start: Box<Self>,
        steps: Vec<Step>,
    },
    Negative(Box<Self>),
    Positive(Box<Self>),
    /// Operands of one precedence, from left to right: flat, as paths are.
    Row {
        first: Box<Self>,
        links: Vec<Link>,
    },
    /// The same whatever the loop is at: evaluated once per evaluation and kept under this number.
    Kept(usize, Box<Self>),
}

/// What follows in a row of operands.
#[derive(Debug)]
pub(super) enum Link {
    Operator(Operator, Node),
    Is(TypeName),
    As(TypeName),
}

/// A step of a path.
#[derive(Debug)]
pub(super) enum Step {
    /// Children of this name.
    Member(Box<str>),
    /// The first name of a path: children of this name, or what the path starts from if that is its type.
    First(Box<str>),
    Item(Node),
    Is(TypeName),
    As(TypeName),
    OfType(TypeName),
    Call(Call),
}

/// A function and what is in its parentheses.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) arguments: Vec<Node>,
    /// The pattern of a literal, once it is compiled.
    pub(super) pattern: OnceLock<Option<Pattern>>,
}

impl Call {
    pub(super) const fn new(function: Function, arguments: Vec<Node>) -> Self {
        Self { function, arguments, pattern: OnceLock::new() }
    }
}

/// A whole expression.
#[derive(Debug)]
pub(super) struct Syntax {
    pub(super) root: Node,
    /// How many sub-expressions are kept.
    pub(super) kept: usize,
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;
