//! Documents with the types that the definitions give their elements, for expressions to look at.

use std::sync::{Arc, LazyLock};

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{Limits, Value};
use ipt_fhir::validate::definitions::{Definitions, Derivation};
use ipt_fhir::validate::fhirpath::Model;
use ipt_fhir::validate::tree::{NodeId, Tree, json};
use ipt_fhir::validate::types::{TypeId, TypeKind, Types};

/// The types of a release, ready for evaluations.
pub(super) fn model(release: Release) -> &'static Model {
    static MODELS: LazyLock<[Model; 3]> =
        LazyLock::new(|| [Release::R4, Release::R4B, Release::R5].map(new_model));
    &MODELS[release as usize]
}

fn new_model(release: Release) -> Model {
    let definitions = Definitions::core(release);
    let rows: Vec<_> = definitions
        .structures()
        .filter(|row| row.derivation != Some(Derivation::Constraint))
        .map(|row| {
            let base = row.base.rsplit('/').next().unwrap_or_default();
            (row.type_name, base, row.kind.unwrap_or(TypeKind::Complex), row.is_abstract)
        })
        .collect();
    Model::new(Arc::new(Types::new(rows)))
}

/// A document of a release, with types.
pub(super) fn read(release: Release, source: &str) -> Tree<'_> {
    let mut tree = json::read(source, Limits { depth: 200, ..Limits::RESOURCE }).unwrap();
    let mut found = Vec::new();
    let walk = Walk { definitions: Definitions::core(release), types: model(release).types() };
    if let Some(name) = tree.resource_type(NodeId::ROOT).map(str::to_owned) {
        found.push((NodeId::ROOT, walk.types.id(&name).unwrap_or(TypeId::UNKNOWN), 0, false));
        walk.children(&tree, NodeId::ROOT, &name, &name, &mut found);
    }
    for (id, type_id, stem, list) in found {
        tree.assign(id, type_id, stem, list);
    }
    tree
}

struct Walk<'t> {
    definitions: Arc<Definitions>,
    types: &'t Types,
}

impl Walk<'_> {
    /// The types of what lies below an element whose children stand at a path of a type's definition.
    fn children(
        &self,
        tree: &Tree<'_>,
        node: NodeId,
        type_name: &str,
        path: &str,
        found: &mut Vec<(NodeId, TypeId, usize, bool)>,
    ) {
        let Some(structure) = self.definitions.structure_of_type(type_name) else { return };
        for child in tree.children(node) {
            let name = tree.name(child);
            let Some((element, code, stem)) = element(structure.snapshot(), path, name) else {
                continue;
            };
            let text = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
            let list = text("max") != "1";
            let mut id = |name: &str| {
                let type_id = self.types.id(name).unwrap_or(TypeId::UNKNOWN);
                found.push((child, type_id, stem, list));
            };
            if let Some((_, at)) = text("contentReference").split_once('#') {
                id("BackboneElement");
                self.children(tree, child, type_name, at, found);
            } else if matches!(code, "BackboneElement" | "Element") {
                id(code);
                self.children(tree, child, type_name, text("path"), found);
            } else if let Some(resource) = tree.resource_type(child) {
                id(resource);
                self.children(tree, child, resource, resource, found);
            } else {
                id(code);
                self.children(tree, child, code, code, found);
            }
        }
    }
}

/// The element of a name, its type by that name, and the length of a choice's own name.
fn element<'v>(
    elements: &'v [Value],
    path: &str,
    name: &str,
) -> Option<(&'v Value, &'v str, usize)> {
    for element in elements {
        let here = element.get("path").and_then(Value::as_str)?;
        let Some(own) = here.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let types = element.get("type").and_then(Value::as_array).unwrap_or_default();
        let codes = || types.iter().filter_map(|of| of.get("code").and_then(Value::as_str));
        if own == name {
            let code = codes().next().unwrap_or_default();
            // `id` is a string of FHIRPath's own; Resource.id is an id to those who ask.
            return Some((element, if code.contains('/') { "string" } else { code }, 0));
        }
        if let Some(stem) = own.strip_suffix("[x]")
            && let Some(rest) = name.strip_prefix(stem)
            && let Some(code) = codes().find(|code| code.eq_ignore_ascii_case(rest))
        {
            return Some((element, code, stem.len()));
        }
    }
    None
}
