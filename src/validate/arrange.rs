//! Where the elements of a walked document stand among their siblings by definition, and which of them may repeat.
//!
//! Only writing XML asks for the order, so it is worked out here and not on every walk. It refuses nothing: what no
//! definition has keeps the place 0.

use super::document::Visits;
use super::tree::{NodeId, Tree};

/// Notes every element's place in the definition of its parent.
pub(super) fn arrange(tree: &mut Tree<'_>, visits: &Visits<'_>) {
    let nodes: Vec<NodeId> = tree.all().collect();
    for node in nodes {
        let Some(parent) = tree.parent(node) else { continue };
        let Some(visit) = visits.get(parent) else { continue };
        // The walk looks for an element's children in the same three places.
        let holder = match (visit.element.content, visit.type_program) {
            _ if !visit.element.children.is_empty() => visit.element,
            (Some(content), _) => visit.program.element(content),
            (None, Some(program)) => &program.root,
            (None, None) => continue,
        };
        let definition = holder.children.find(tree.name(node)).map(|child| child.element);
        let Some(number) = definition else { continue };
        let program = match visit.type_program {
            Some(program) if std::ptr::eq(holder, &raw const program.root) => program,
            _ => visit.program,
        };
        let place = u16::try_from(number).unwrap_or(u16::MAX);
        tree.put_place(node, place, program.element(number).is_list);
    }
}
