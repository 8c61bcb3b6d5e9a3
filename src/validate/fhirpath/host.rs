//! What an evaluation asks its surroundings: references, terminology, profiles, markup, and what a type has.
//!
//! Every answer may be "can't tell", and that is the default: an expression that depends on it has then no result,
//! which is neither true nor false.

use crate::validate::tree::{NodeId, Tree};
use crate::validate::types::TypeId;

/// What a reference leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// An element of the same document.
    Node(NodeId),
    /// A resource elsewhere, of which only the type is known.
    Elsewhere(TypeId),
    /// Surely nothing.
    Nothing,
    /// Can't tell.
    Unknown,
}

/// The surroundings of an evaluation.
pub trait Host {
    /// What the reference at an element leads to, if it is neither in the same resource nor in the same Bundle.
    fn resolve(&self, _tree: &Tree<'_>, _at: NodeId, _reference: &str) -> Resolved {
        Resolved::Unknown
    }

    /// Whether the code, Coding or CodeableConcept at an element is in a value set.
    fn member_of(&self, _tree: &Tree<'_>, _at: NodeId, _value_set: &str) -> Option<bool> {
        None
    }

    /// Whether a bare code is in a value set.
    fn code_member_of(&self, _code: &str, _value_set: &str) -> Option<bool> {
        None
    }

    /// Whether the first Coding is the same as the second, or above it.
    fn subsumes(&self, _tree: &Tree<'_>, _upper: NodeId, _lower: NodeId) -> Option<bool> {
        None
    }

    /// Whether the element conforms to a profile that is no type of the release.
    fn conforms_to(&self, _tree: &Tree<'_>, _at: NodeId, _profile: &str) -> Option<bool> {
        None
    }

    /// Whether markup has only what FHIR allows in a narrative.
    fn html_checks(&self, _markup: &str) -> Option<bool> {
        None
    }

    /// Whether markup has text that is not white space, or an image: what `txt-2` asks.
    fn html_has_content(&self, _markup: &str) -> Option<bool> {
        None
    }

    /// Whether elements of a type have such a child; asked in strict evaluation only.
    fn has_member(&self, _tree: &Tree<'_>, _at: NodeId, _name: &str) -> Option<bool> {
        None
    }

    /// Whether the time that the caller allows is over; asked every thousand steps or so.
    fn is_over(&self) -> bool {
        false
    }
}

/// A host that can't tell anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Host for Alone {}
