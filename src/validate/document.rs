//! What the rules after the walk are given: a document, its definitions element by element, and the options.

use super::finding::Findings;
use super::options::Options;
use super::program::{Element, ElementType, Program, Programs};
use super::tree::{NodeId, Tree};
use super::types::{TypeId, Types};

/// What the definitions say about an element of a document.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'p> {
    /// The definition in which its element stands; of a resource and of what a profile demands, that one.
    pub program: &'p Program,
    /// Its element there.
    pub element: &'p Element,
    /// Which of the element's types it has; nothing for resources and for what has its children in `program` itself.
    pub of_type: Option<&'p ElementType>,
    /// The definition of that type (`HumanName`, `string`), whose root's invariants hold for it too.
    pub type_program: Option<&'p Program>,
}

impl Visit<'_> {
    /// The type that it has.
    pub fn type_id(&self) -> TypeId {
        self.of_type.map_or(self.program.type_id, |of_type| of_type.type_id)
    }
}

/// A document that has been walked.
#[derive(Debug, Clone, Copy)]
pub struct Document<'d, 'p> {
    /// The document.
    pub tree: &'d Tree<'d>,
    /// What the definitions say about each element, by [`NodeId::index`]; nothing where no definition has it.
    pub visits: &'d [Option<Visit<'p>>],
    /// All definitions.
    pub programs: &'p Programs,
    /// How to validate.
    pub options: &'d Options,
    /// The profile whose demands `visits` are, beyond those of the base definition; nothing for the first round.
    pub profile: Option<&'p Program>,
}

impl<'d, 'p> Document<'d, 'p> {
    /// The types of the release.
    pub fn types(&self) -> &'p Types {
        self.programs.types()
    }

    /// What the definitions say about an element.
    pub fn visit(&self, node: NodeId) -> Option<&'d Visit<'p>> {
        self.visits.get(node.index())?.as_ref()
    }
}

/// Rules that look at a document after the walk: primitives, bindings, invariants, references, Bundles.
///
/// The base definition's round comes first, then one round for each further profile ([`Document::profile`]); a pass for which a
/// profile adds nothing returns at once then.
pub trait Pass: std::fmt::Debug + Send + Sync {
    /// Looks at one element, in the order of the source.
    fn element(
        &self,
        document: &Document<'_, '_>,
        node: NodeId,
        visit: &Visit<'_>,
        findings: &mut Findings,
    );

    /// Names a profile that a resource has to meet by what it is (vital signs), whatever it claims.
    fn profile(&self, document: &Document<'_, '_>, resource: NodeId) -> Option<&'static str> {
        let _ = (document, resource);
        None
    }

    /// Looks at the document as a whole, before its elements one by one; once in each round.
    fn document(&self, document: &Document<'_, '_>, findings: &mut Findings) {
        let _ = (document, findings);
    }

    /// Looks at one resource as a whole, after all elements: the root, an entry's, a contained one.
    fn resource(&self, document: &Document<'_, '_>, resource: NodeId, findings: &mut Findings) {
        let _ = (document, resource, findings);
    }
}
