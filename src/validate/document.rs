//! What the rules after the walk are given: a document, its definitions element by element, and the options.

use super::finding::Findings;
use super::options::Options;
use super::program::{Element, ElementType, Program, Programs};
use super::reference::References;
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

/// What one walk noted: of each element below where it began, what the definitions say about it.
#[derive(Debug)]
pub struct Visits<'p> {
    /// Where the walk began.
    from: NodeId,
    /// By [`NodeId::index`], counted from there; nothing where no definition has the element.
    noted: Vec<Option<Visit<'p>>>,
}

impl<'p> Visits<'p> {
    /// Nothing yet of an element and all that lies in it: room for that, however large the document around it is.
    pub(super) fn below(tree: &Tree<'_>, from: NodeId) -> Self {
        Self { from, noted: vec![None; tree.end(from).saturating_sub(from.index())] }
    }

    /// Where the walk began.
    pub const fn from(&self) -> NodeId {
        self.from
    }

    /// What was noted of an element.
    pub fn get(&self, node: NodeId) -> Option<&Visit<'p>> {
        self.noted.get(node.index().checked_sub(self.from.index())?)?.as_ref()
    }

    pub(super) fn put(&mut self, node: NodeId, visit: Visit<'p>) {
        let place = node.index().checked_sub(self.from.index());
        if let Some(place) = place.and_then(|place| self.noted.get_mut(place)) {
            *place = Some(visit);
        }
    }
}

/// A document that has been walked.
#[derive(Debug, Clone, Copy)]
pub struct Document<'d, 'p> {
    /// The document.
    pub tree: &'d Tree<'d>,
    /// What the definitions say about the elements of this round.
    pub visits: &'d Visits<'p>,
    /// What references within the document lead to.
    pub references: &'d References<'d>,
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
        self.visits.get(node)
    }

    /// The elements of this round in the order of the source: all, or those of the resource that has to meet the profile.
    pub fn elements(&self) -> impl Iterator<Item = NodeId> + 'd {
        self.tree.within(self.visits.from())
    }
}

/// Rules that look at a document after the walk: primitives, bindings, invariants, references, Bundles.
///
/// The base definition's round comes first, then one round for each further profile ([`Document::profile`]); a pass for which a
/// profile adds nothing returns at once then.
pub trait Pass: std::fmt::Debug + Send + Sync {
    /// Looks at the elements of one round, in the order of the source.
    fn round(&self, document: &Document<'_, '_>, findings: &mut Findings);

    /// Names a profile that a resource has to meet by what it is (vital signs), whatever it claims.
    fn profile(&self, document: &Document<'_, '_>, resource: NodeId) -> Option<&'static str> {
        let _ = (document, resource);
        None
    }
}
