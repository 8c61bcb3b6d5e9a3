//! Which profiles a document has to meet: those that are asked for, those that it claims, those that it must meet by what it is.
//!
//! Each is walked in a round of its own. It refuses a profile for another type; one that is not at hand, has no snapshot,
//! or slices what is not checked here is told, so that nobody takes silence for approval.

use super::Validator;
use super::document::Document;
use super::finding::Findings;
use super::program::{Program, Refusal};
use super::rule::structure;
use super::tree::{NodeId, Tree};
use super::types::TypeId;
use crate::issue::Severity;

/// A resource and a profile that it has to meet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand<'p> {
    pub(super) resource: NodeId,
    pub(super) program: &'p Program,
}

/// All demands on a document, each once, and what stands in the way of checking them.
pub(super) fn demands<'p>(
    validator: &'p Validator,
    document: &Document<'_, 'p>,
    findings: &mut Findings,
) -> Vec<Demand<'p>> {
    let tree = document.tree;
    let mut collector = Collector { validator, tree, found: Vec::new(), findings };
    for canonical in &validator.options.profiles {
        collector.asked(canonical);
    }
    for resource in tree.resources() {
        let claims = tree
            .child(resource, "meta")
            .into_iter()
            .flat_map(|meta| tree.children_named(meta, "profile"));
        for claim in claims {
            if let Some(canonical) = tree.text(claim) {
                collector.claimed(resource, claim, canonical);
            }
        }
        let by_nature = validator.passes.iter().filter_map(|pass| pass.profile(document, resource));
        for canonical in by_nature {
            collector.add(resource, resource, canonical);
        }
    }
    collector.found
}

struct Collector<'c, 'p> {
    validator: &'p Validator,
    tree: &'c Tree<'c>,
    found: Vec<Demand<'p>>,
    findings: &'c mut Findings,
}

impl Collector<'_, '_> {
    fn asked(&mut self, canonical: &str) {
        if !self.add(NodeId::ROOT, NodeId::ROOT, canonical) {
            self.findings
                .add(
                    &structure::PROFILE_UNKNOWN,
                    NodeId::ROOT,
                    "the profile that was asked for is not at hand",
                )
                .severity(Severity::Error)
                .profile(canonical.to_owned());
        }
    }

    fn claimed(&mut self, resource: NodeId, claim: NodeId, canonical: &str) {
        if !self.add(resource, claim, canonical) {
            let text = "the profile is not at hand, so it was not checked";
            self.findings.add(&structure::PROFILE_UNKNOWN, claim, text).with_value();
        }
    }

    /// Adds a profile; says whether it is known.
    fn add(&mut self, resource: NodeId, at: NodeId, canonical: &str) -> bool {
        let programs = &self.validator.programs;
        let Some(id) = programs.find(canonical) else { return false };
        let program = match programs.try_of(id) {
            Ok(program) => program,
            Err(refusal) => {
                let text = match refusal {
                    Refusal::NoSnapshot => "the profile has no snapshot, so it was not checked",
                    Refusal::Malformed => {
                        "the definition of the profile can't be read, so it was not checked"
                    }
                };
                self.findings
                    .add(&structure::PROFILE_UNCHECKED, at, text)
                    .profile(canonical.to_owned());
                return true;
            }
        };
        let type_id = self.tree.type_of(resource);
        if type_id == TypeId::UNKNOWN {
            return true;
        }
        let types = programs.types();
        if !types.is_a(type_id, program.type_id) {
            let text = format!(
                "the profile is for {}, this is a {}",
                types.name(program.type_id),
                types.name(type_id)
            );
            self.findings.add(&structure::PROFILE_TYPE, at, text).profile(program.url.to_string());
            return true;
        }
        let known = |demand: &Demand<'_>| {
            demand.resource == resource && std::ptr::eq(demand.program, program)
        };
        // What a type itself demands has been checked.
        if !program.is_constraint || self.found.iter().any(known) {
            return true;
        }
        if !program.unchecked.is_empty() {
            let text = format!("slices of {} were not checked", program.unchecked.join(", "));
            self.findings
                .add(&structure::SLICING_UNCHECKED, at, text)
                .profile(program.url.to_string());
        }
        self.found.push(Demand { resource, program });
        true
    }
}
