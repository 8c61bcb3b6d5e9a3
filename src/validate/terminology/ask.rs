//! What FHIRPath asks of terminology: `memberOf` and `subsumes`, answered where it can be told, else not at all.
//!
//! It refuses nothing; what can't be told is `None`, and the caller does not hold it against the document.

use super::{Content, Membership, Terminology};
use crate::validate::tree::{NodeId, Tree};

impl Membership {
    fn told(self) -> Option<bool> {
        match self {
            Self::In => Some(true),
            Self::Out => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

impl Terminology {
    /// Whether a bare code is in a value set.
    pub fn code_member_of(&self, code: &str, value_set: &str) -> Option<bool> {
        self.value_set(value_set)?.holds_code(code).told()
    }

    /// Whether the code, Coding or CodeableConcept at an element is in a value set; of a CodeableConcept, any coding.
    pub fn member_of(&self, tree: &Tree<'_>, at: NodeId, value_set: &str) -> Option<bool> {
        if let Some(code) = tree.text(at) {
            return self.code_member_of(code, value_set);
        }
        let set = self.value_set(value_set)?;
        let holds = |coding: NodeId| match (
            tree.child_text(coding, "system"),
            tree.child_text(coding, "code"),
        ) {
            (Some(system), Some(code)) => set.holds(system, code).told(),
            _ => Some(false),
        };
        if tree.child(at, "coding").is_none() {
            return holds(at);
        }
        let mut all = Some(false);
        for coding in tree.children_named(at, "coding") {
            match holds(coding) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => all = None,
            }
        }
        all
    }

    /// Whether the first Coding is the same as the second, or stands above it in their code system.
    pub fn subsumes(&self, tree: &Tree<'_>, upper: NodeId, lower: NodeId) -> Option<bool> {
        let parts = |at| Some((tree.child_text(at, "system")?, tree.child_text(at, "code")?));
        let ((system, upper), (other, lower)) = (parts(upper)?, parts(lower)?);
        if system != other {
            return Some(false);
        }
        if upper == lower {
            return Some(true);
        }
        let system =
            self.code_system(system).filter(|system| system.content() == Content::Complete)?;
        let (upper, lower) = (system.find(upper)?, system.find(lower)?);
        let mut met = vec![lower];
        let mut at = 0;
        while let Some(id) = met.get(at).copied() {
            if id == upper {
                return Some(true);
            }
            for parent in system.parents(id) {
                if !met.contains(&parent) {
                    met.push(parent);
                }
            }
            at += 1;
        }
        Some(false)
    }
}
