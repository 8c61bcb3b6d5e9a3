//! Expressions that ask which children are there: `code.empty() or system.exists()`.
//!
//! Most of FHIR's invariants are of this kind. `exists()` and `empty()` are never empty themselves, so plain logic is
//! enough, and one look over the children answers all: some ten nanoseconds instead of a microsecond. Others are so in
//! part: `abatement.empty() or clinicalStatus.coding.where(...).exists()` is decided for whoever has no abatement; only
//! of the others the engine is asked. Whether an expression is of this kind is seen from what it says, so a profile's
//! invariants gain, too.

use super::Expression;
use super::function::Function;
use super::syntax::{Call, Link, Node, Operator, Step};
use crate::validate::tree::{NodeId, Tree};

/// The children that one expression may ask for.
const MOST: usize = 32;

#[derive(Debug)]
enum Test {
    /// Whether a child is there, by its bit.
    Exists(u32),
    /// Decided where a child is not there: a path from it leads to nothing. Else that is for the engine.
    Absent(u32, bool),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Same(Box<Self>, Box<Self>),
    /// For the engine.
    Open,
}

/// An expression of this kind.
#[derive(Debug)]
pub struct Presence {
    names: Vec<Box<str>>,
    test: Test,
}

impl Presence {
    /// The expression, if the children's names can decide it at all.
    pub fn of(expression: &Expression) -> Option<Self> {
        let mut names = Vec::new();
        match read(&expression.syntax().root, &mut names) {
            Test::Open => None,
            test => Some(Self { names, test }),
        }
    }

    /// Whether it holds at an element; nothing where the engine has to be asked.
    pub fn holds(&self, tree: &Tree<'_>, node: NodeId) -> Option<bool> {
        let mut there = 0_u32;
        for child in tree.children(node) {
            let name = tree.element_name(child);
            let whole = if tree.stem(child) > 0 { tree.name(child) } else { name };
            for (place, wanted) in self.names.iter().enumerate() {
                if **wanted == *name || **wanted == *whole {
                    there |= 1 << place;
                }
            }
        }
        decide(&self.test, there)
    }
}

/// As the engine does, from left to right: what stands on the right is looked at only if the left does not decide.
fn decide(test: &Test, there: u32) -> Option<bool> {
    match test {
        Test::Exists(bit) => Some(there & bit != 0),
        Test::Absent(bit, decided) => (there & bit == 0).then_some(*decided),
        Test::Not(inner) => Some(!decide(inner, there)?),
        Test::And(one, two) => Some(decide(one, there)? && decide(two, there)?),
        Test::Or(one, two) => Some(decide(one, there)? || decide(two, there)?),
        Test::Same(one, two) => Some(decide(one, there)? == decide(two, there)?),
        Test::Open => None,
    }
}

impl Test {
    fn not(self) -> Self {
        if matches!(self, Self::Open) { self } else { Self::Not(Box::new(self)) }
    }

    /// What the left leaves open is open, whatever the right says.
    fn join(self, operator: Operator, other: Self) -> Self {
        if matches!(self, Self::Open) {
            return Self::Open;
        }
        let is_open = matches!(other, Self::Open);
        let (one, two) = (Box::new(self), Box::new(other));
        match operator {
            Operator::And => Self::And(one, two),
            Operator::Or => Self::Or(one, two),
            Operator::Implies => Self::Or(Box::new(one.not()), two),
            Operator::Equal if !is_open => Self::Same(one, two),
            Operator::Xor | Operator::NotEqual if !is_open => Self::Same(one, two).not(),
            _ => Self::Open,
        }
    }
}

fn read(node: &Node, names: &mut Vec<Box<str>>) -> Test {
    match node {
        Node::Row { first, links } => {
            let first = read(first, names);
            links.iter().fold(first, |one, link| match link {
                Link::Operator(operator, operand) => one.join(*operator, read(operand, names)),
                Link::Is(_) | Link::As(_) => Test::Open,
            })
        }
        Node::Path { start, steps } => {
            let (test, rest) = match (&**start, steps.as_slice()) {
                (Node::This, [Step::First(name), rest @ ..])
                    if !name.starts_with(|first: char| first.is_ascii_uppercase()) =>
                {
                    question(name, rest, names)
                }
                (Node::This, _) => return Test::Open,
                (other, rest) => (read(other, names), rest),
            };
            rest.iter().fold(test, |test, step| match step {
                Step::Call(Call { function: Function::Not, .. }) => test.not(),
                _ => Test::Open,
            })
        }
        _ => Test::Open,
    }
}

/// What is asked of a child, and the steps after that.
fn question<'s>(name: &str, steps: &'s [Step], names: &mut Vec<Box<str>>) -> (Test, &'s [Step]) {
    // Of nothing these make nothing, whatever stands in their parentheses.
    let is_passing = |step: &Step| match step {
        Step::Member(_) | Step::As(_) | Step::OfType(_) => true,
        Step::Call(call) => {
            matches!(call.function, Function::Where | Function::Select | Function::First)
        }
        _ => false,
    };
    let passing = steps.iter().take_while(|step| is_passing(step)).count();
    let Some((Step::Call(call), rest)) = steps.get(passing..).and_then(<[Step]>::split_first)
    else {
        return (Test::Open, &[]);
    };
    let of_nothing = match call.function {
        Function::Empty | Function::All => true,
        Function::Exists => false,
        _ => return (Test::Open, &[]),
    };
    let place = match names.iter().position(|known| **known == *name) {
        Some(place) => place,
        None if names.len() < MOST => {
            names.push(name.into());
            names.len() - 1
        }
        None => return (Test::Open, &[]),
    };
    let bit = 1 << place;
    let is_plain = passing == 0 && call.arguments.is_empty() && call.function != Function::All;
    let test = match of_nothing {
        true if is_plain => Test::Exists(bit).not(),
        false if is_plain => Test::Exists(bit),
        _ => Test::Absent(bit, of_nothing),
    };
    (test, rest)
}
