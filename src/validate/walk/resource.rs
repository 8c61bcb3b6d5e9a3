//! Resources within resources: of which type they are, contained ones, and what a Bundle or Parameters hold.

use super::{Visit, Walk, is_concrete};
use crate::validate::program::ElementType;
use crate::validate::rule::structure;
use crate::validate::tree::NodeId;
use crate::validate::types::TypeId;

impl<'p> Walk<'_, 'p, '_> {
    /// A resource, by the definition of its type. `of_type` is what may stand here: mostly any resource.
    pub(super) fn resource(&mut self, node: NodeId, of_type: Option<&'p ElementType>) {
        let Some(name) = self.tree.resource_type(node) else {
            let text = "the object has no resourceType, so it can't be read as a resource";
            self.findings.add(&structure::RESOURCE_TYPE_MISSING, node, text);
            return;
        };
        let programs = self.programs;
        let program = programs.of_type(name).filter(|program| is_concrete(programs, program));
        let Some(program) = program else {
            let text = format!("FHIR {} has no resource of this type", programs.release());
            self.findings.add(&structure::RESOURCE_TYPE_UNKNOWN, node, text);
            return;
        };
        let wanted = of_type.map_or(TypeId::UNKNOWN, |row| row.type_id);
        if wanted != TypeId::UNKNOWN && !programs.types().is_a(program.type_id, wanted) {
            let text = format!(
                "a {} stands where the definition has a {}",
                programs.types().name(program.type_id),
                programs.types().name(wanted)
            );
            self.findings.add(&structure::PROFILE_TYPE, node, text);
        }
        let contained = self.tree.name(node) == "contained";
        let list = self.tree.is_list(node);
        self.tree.assign(node, program.type_id, 0, list);
        if contained && self.tree.child(node, "id").is_none() {
            let text = "the contained resource has no id, so nothing can refer to it";
            self.findings.add(&structure::CONTAINED_ID, node, text).member("id");
        }
        if contained && self.options.ignore_contained {
            return;
        }
        self.note(
            node,
            Visit { program, element: &program.root, of_type: None, type_program: None },
        );
        self.children(node, program, &program.root);
    }

    /// A resource within a profile's element: whether it is of the profile's type, and what a profile on that type demands.
    pub(super) fn profiled(&mut self, node: NodeId, of_type: Option<&'p ElementType>) {
        let Some(row) = of_type else { return };
        let (types, type_id) = (self.programs.types(), self.tree.type_of(node));
        if type_id == TypeId::UNKNOWN || row.type_id == TypeId::UNKNOWN {
            return;
        }
        if !types.is_a(type_id, row.type_id) {
            let text = format!(
                "a {} stands where the profile has a {}",
                types.name(type_id),
                types.name(row.type_id)
            );
            self.findings.add(&structure::PROFILE_TYPE, node, text);
        } else if let [profile] = &*row.profiles
            && let Some(program) = self.programs.of_url(profile)
            && types.is_a(type_id, program.type_id)
        {
            self.note(
                node,
                Visit { program, element: &program.root, of_type: None, type_program: None },
            );
            self.children(node, program, &program.root);
        }
    }
}
