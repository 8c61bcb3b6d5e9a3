//! Finds what is the same in every round of a loop, so that it is evaluated once.
//!
//! `contained.where('#' + id in %resource.descendants().reference)` would look through the whole resource for every
//! contained one. An expression that starts from a variable of the surroundings and asks nothing of `$this` is kept.

use super::function::Arguments;
use super::syntax::{Link, Node, Step, Variable};

/// Marks what is kept; the count of the marks.
pub(super) fn mark(root: &mut Node) -> usize {
    let mut count = 0;
    visit(root, false, &mut count);
    count
}

fn visit(node: &mut Node, in_loop: bool, count: &mut usize) {
    if in_loop && is_worth_keeping(node) && is_closed(node, false) {
        let inner = std::mem::replace(node, Node::Empty);
        *node = Node::Kept(*count, Box::new(inner));
        *count += 1;
        return;
    }
    match node {
        Node::Path { start, steps } => {
            visit(start, in_loop, count);
            for step in steps {
                match step {
                    Step::Item(item) => visit(item, in_loop, count),
                    Step::Call(call) => {
                        let inner = call.function.arguments() == Arguments::Inner;
                        for argument in &mut call.arguments {
                            visit(argument, in_loop || inner, count);
                        }
                    }
                    _ => {}
                }
            }
        }
        Node::Negative(inner) | Node::Positive(inner) => visit(inner, in_loop, count),
        Node::Row { first, links } => {
            visit(first, in_loop, count);
            for link in links {
                if let Link::Operator(_, operand) = link {
                    visit(operand, in_loop, count);
                }
            }
        }
        _ => {}
    }
}

/// Whether it looks into the document by a variable of the surroundings.
fn is_worth_keeping(node: &Node) -> bool {
    match node {
        Node::Path { start, .. } => match &**start {
            Node::Variable(variable) => is_fixed(variable),
            other => is_worth_keeping(other),
        },
        Node::Row { first, links } => {
            is_worth_keeping(first)
                || links.iter().any(|link| match link {
                    Link::Operator(_, operand) => is_worth_keeping(operand),
                    _ => false,
                })
        }
        _ => false,
    }
}

const fn is_fixed(variable: &Variable) -> bool {
    !matches!(variable, Variable::Named(_))
}

/// Whether it means the same wherever the loop is: `$this` and the like belong to loops of its own.
fn is_closed(node: &Node, this_is_own: bool) -> bool {
    match node {
        Node::Literal(_) | Node::Empty => true,
        Node::This | Node::Index | Node::Total => this_is_own,
        Node::Variable(variable) => is_fixed(variable),
        Node::Negative(inner) | Node::Positive(inner) => is_closed(inner, this_is_own),
        Node::Row { first, links } => {
            is_closed(first, this_is_own)
                && links.iter().all(|link| match link {
                    Link::Operator(_, operand) => is_closed(operand, this_is_own),
                    _ => true,
                })
        }
        Node::Path { start, steps } => {
            is_closed(start, this_is_own)
                && steps.iter().all(|step| match step {
                    Step::Item(item) => is_closed(item, this_is_own),
                    Step::Call(call) => {
                        let inner = call.function.arguments() == Arguments::Inner;
                        call.arguments
                            .iter()
                            .all(|argument| is_closed(argument, this_is_own || inner))
                    }
                    _ => true,
                })
        }
        Node::Kept(..) => true,
    }
}
