//! The walk: a document and its definitions side by side, once, from the root down.
//!
//! It checks what the structure demands (which elements there may be, how often, of which type) and notes for every element
//! what the definitions say about it: in the tree its type, in the list of [`Visit`]s its definition. All other rules look
//! there and never search.
//!
//! It allocates nothing per element while all is well. It refuses nothing: what no definition knows is told and not gone into.

use super::document::Visit;
use super::finding::Findings;
use super::options::Options;
use super::program::{Element, ElementType, Program, Programs};
use super::tree::{NodeId, Tree};
use super::types::TypeKind;

/// How deep elements may lie; readers refuse earlier (reliability-and-security.md C1).
const DEPTH: usize = 256;

/// Walks a document by the base definitions of its resources.
pub(super) fn base<'p>(
    programs: &'p Programs,
    options: &Options,
    tree: &mut Tree<'_>,
    findings: &mut Findings,
) -> Vec<Option<Visit<'p>>> {
    let visits = vec![None; tree.len()];
    let mut walk = Walk { programs, options, tree, findings, visits, depth: 0 };
    walk.resource(NodeId::ROOT);
    walk.visits
}

struct Walk<'w, 'p, 's> {
    programs: &'p Programs,
    options: &'w Options,
    tree: &'w mut Tree<'s>,
    findings: &'w mut Findings,
    visits: Vec<Option<Visit<'p>>>,
    depth: usize,
}

impl<'p> Walk<'_, 'p, '_> {
    fn note(&mut self, node: NodeId, visit: Visit<'p>) {
        if let Some(place) = self.visits.get_mut(node.index()) {
            *place = Some(visit);
        }
    }

    /// A resource, by the definition of its type.
    fn resource(&mut self, node: NodeId) {
        let program = self.tree.resource_type(node).and_then(|name| self.programs.of_type(name));
        let Some(program) = program.filter(|program| program.kind == TypeKind::Resource) else {
            return;
        };
        let list = self.tree.is_list(node);
        self.tree.assign(node, program.type_id, 0, list);
        self.note(
            node,
            Visit { program, element: &program.root, of_type: None, type_program: None },
        );
        self.children(node, program, &program.root);
    }

    /// The children of an element, by the definition in which they stand.
    fn children(&mut self, node: NodeId, program: &'p Program, element: &'p Element) {
        self.depth += 1;
        let mut cursor = self.tree.cursor(node);
        while self.depth < DEPTH
            && let Some(child) = self.tree.step(&mut cursor)
        {
            let Some(found) = element.children.find(self.tree.name(child)) else { continue };
            let definition = program.element(found.element);
            let of_type = definition.types.get(usize::from(found.of_type));
            self.element(child, program, definition, of_type, usize::from(found.stem));
        }
        self.depth -= 1;
    }

    fn element(
        &mut self,
        node: NodeId,
        program: &'p Program,
        element: &'p Element,
        of_type: Option<&'p ElementType>,
        stem: usize,
    ) {
        let type_program = of_type.and_then(|row| self.programs.of(row.program?));
        if type_program.is_some_and(|program| program.kind == TypeKind::Resource) {
            self.resource(node);
            return;
        }
        let visit = Visit { program, element, of_type, type_program };
        self.tree.assign(node, visit.type_id(), stem, element.is_list);
        self.note(node, visit);
        if !element.children.is_empty() {
            self.children(node, program, element);
        } else if let Some(content) = element.content {
            self.children(node, program, program.element(content));
        } else if let Some(type_program) = type_program {
            self.children(node, type_program, &type_program.root);
        }
    }
}
