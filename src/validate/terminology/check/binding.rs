//! Codes against the value set that the element is bound to.

use std::sync::Arc;

use super::coding::Parts;
use super::{CodeRules, Look, set_not_checked, system_not_checked};
use crate::issue::Severity;
use crate::validate::finding::Findings;
use crate::validate::program::{Binding, Strength};
use crate::validate::rule::terminology as rule;
use crate::validate::terminology::grammar::{self, Grammar};
use crate::validate::terminology::{About, Answer, CodeQuestion, Membership, Reason, ValueSet};
use crate::validate::tree::{NodeId, Tree};

/// How many codes of a set a finding lists.
const LISTED: usize = 20;

/// What a set says about an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    In,
    Out,
    Open,
}

impl CodeRules {
    /// A `code`, `string`, `uri`: the set implies the system.
    pub(super) fn text(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: &Binding,
        findings: &mut Findings,
    ) {
        let tree = look.tree;
        let Some(code) = tree.text(node).filter(|code| !code.is_empty()) else {
            let is_code = tree.type_of(node) == self.kinds.code;
            if is_code && binding.strength == Strength::Required && is_left_open(tree, node) {
                missing(binding, node, findings);
            }
            return;
        };
        if binding.strength == Strength::Example && binding.maximum.is_none() {
            return;
        }
        // FHIRPath's own types stand beside those of FHIR in a StructureDefinition, and in no set.
        if code.starts_with("http://hl7.org/fhirpath/") {
            return;
        }
        let Some(set) = self.set_of(binding, node, findings) else { return };
        let standing = self.text_in(&set, node, code, binding.strength, findings);
        if standing == Standing::Out {
            match binding.strength {
                Strength::Required => {
                    let finding = findings
                        .add(
                            &rule::CODE_REQUIRED,
                            node,
                            "the code is not in the value set that is required here",
                        )
                        .with_value()
                        .key(binding.value_set.to_string());
                    if let Some(codes) = set.known_codes(LISTED) {
                        finding.allowed(codes.join(", "));
                    }
                    findings
                        .add(
                            &rule::SYSTEM_UNTOLD,
                            node,
                            "no code system of the value set has such a code",
                        )
                        .key(binding.value_set.to_string());
                }
                Strength::Extensible | Strength::Preferred => {
                    not_in(binding, node, findings);
                }
                Strength::Example => {}
            }
        }
        if standing != Standing::In
            && let Some(maximum) = self.maximum_set(binding)
            && self.text_in(&maximum, node, code, Strength::Required, findings) == Standing::Out
        {
            beyond_maximum(binding, node, true, findings);
        }
    }

    fn text_in(
        &self,
        set: &ValueSet,
        node: NodeId,
        code: &str,
        strength: Strength,
        findings: &mut Findings,
    ) -> Standing {
        match set.holds_code(code) {
            Membership::In => Standing::In,
            Membership::Out => Standing::Out,
            Membership::Unknown(_) => {
                if set.form() == Some(Grammar::MediaType) && !grammar::is_media_type(code) {
                    let text = "the code has not the form type/subtype";
                    findings.add(&rule::MEDIA_TYPE, node, text).with_value();
                    return Standing::Open;
                }
                let answer = self.ask(findings, || CodeQuestion {
                    about: About::ValueSet(set.url().into()),
                    system: None,
                    version: None,
                    code: code.into(),
                });
                answered(&answer, set, node, strength, findings)
            }
        }
    }

    pub(super) fn bound_concept(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: &Binding,
        findings: &mut Findings,
    ) {
        if binding.strength == Strength::Example && binding.maximum.is_none() {
            return;
        }
        let Some(set) = self.set_of(binding, node, findings) else { return };
        if look.tree.child(node, "coding").is_none() {
            missing(binding, node, findings);
            return;
        }
        let standing = self.codings_in(look, node, &set, binding.strength, findings);
        if standing == Standing::Out {
            not_in(binding, node, findings);
        }
        if standing != Standing::In
            && let Some(maximum) = self.maximum_set(binding)
            && self.codings_in(look, node, &maximum, Strength::Required, findings) == Standing::Out
        {
            let uses_system = look.tree.children_named(node, "coding").any(|coding| {
                look.tree.child_text(coding, "system").is_some_and(|system| maximum.uses(system))
            });
            beyond_maximum(binding, node, uses_system, findings);
        }
    }

    /// One coding that is in the set is enough.
    fn codings_in(
        &self,
        look: Look<'_>,
        node: NodeId,
        set: &ValueSet,
        strength: Strength,
        findings: &mut Findings,
    ) -> Standing {
        // First without asking anybody: mostly that decides.
        let is_in = |coding| {
            let parts = Parts::of(look.tree, coding);
            plain(set, &parts) == Some(Membership::In)
        };
        if look.tree.children_named(node, "coding").any(is_in) {
            return Standing::In;
        }
        let mut standing = Standing::Out;
        for coding in look.tree.children_named(node, "coding") {
            match self.parts_in(coding, set, &Parts::of(look.tree, coding), strength, findings) {
                Standing::In => return Standing::In,
                Standing::Open => standing = Standing::Open,
                Standing::Out => {}
            }
        }
        standing
    }

    pub(super) fn bound_coding(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: &Binding,
        findings: &mut Findings,
    ) {
        self.bound_parts(look, node, binding, findings);
    }

    pub(super) fn bound_quantity(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: &Binding,
        findings: &mut Findings,
    ) {
        let parts = Parts::of(look.tree, node);
        if parts.code.is_none() && parts.system.is_none() {
            return;
        }
        self.bound_parts(look, node, binding, findings);
    }

    fn bound_parts(
        &self,
        look: Look<'_>,
        node: NodeId,
        binding: &Binding,
        findings: &mut Findings,
    ) {
        if binding.strength == Strength::Example && binding.maximum.is_none() {
            return;
        }
        let Some(set) = self.set_of(binding, node, findings) else { return };
        let parts = Parts::of(look.tree, node);
        if parts.system.is_none() && parts.code.is_none() {
            // The reference says nothing of a Coding that has only a display, unless a code is required.
            if binding.strength == Strength::Required {
                missing(binding, node, findings);
            }
            return;
        }
        if parts.system.is_none() && binding.strength != Strength::Required {
            return;
        }
        let standing = self.parts_in(node, &set, &parts, binding.strength, findings);
        if standing == Standing::Out {
            not_in(binding, node, findings);
        }
        if standing != Standing::In
            && let Some(maximum) = self.maximum_set(binding)
            && self.parts_in(node, &maximum, &parts, Strength::Required, findings) == Standing::Out
        {
            let uses_system = parts.system.is_some_and(|(_, system)| maximum.uses(system));
            beyond_maximum(binding, node, uses_system, findings);
        }
    }

    fn parts_in(
        &self,
        node: NodeId,
        set: &ValueSet,
        parts: &Parts<'_>,
        strength: Strength,
        findings: &mut Findings,
    ) -> Standing {
        let (Some(membership), Some((system_node, system)), Some((_, code))) =
            (plain(set, parts), parts.system, parts.code)
        else {
            return Standing::Out;
        };
        match membership {
            Membership::In => Standing::In,
            Membership::Out => Standing::Out,
            Membership::Unknown(reason) => {
                let answer = self.ask(findings, || CodeQuestion {
                    about: About::ValueSet(set.url().into()),
                    system: Some(system.into()),
                    version: parts.version.map(|(_, version)| version.into()),
                    code: code.into(),
                });
                let is_system = reason == Reason::System;
                if answer == Answer::Open && is_system && Grammar::of(system).is_none() {
                    // The same words as for the code itself, and so once for both.
                    let known = self.terminology.code_system(system);
                    system_not_checked(known.as_deref(), system, system_node, findings);
                    return Standing::Open;
                }
                answered(&answer, set, node, strength, findings)
            }
        }
    }

    /// The bound set; that there is none is said once, and is no error.
    fn set_of(
        &self,
        binding: &Binding,
        node: NodeId,
        findings: &mut Findings,
    ) -> Option<Arc<ValueSet>> {
        let set = self.set(binding);
        let is_local = binding.value_set.starts_with('#');
        if set.is_none()
            && !is_local
            && binding.strength > Strength::Example
            && findings.is_first(&rule::SET_UNKNOWN, &binding.value_set)
        {
            let text = "the value set is not at hand, so codes are not checked against it";
            findings.add(&rule::SET_UNKNOWN, node, text).key(binding.value_set.to_string());
        }
        set
    }
}

/// Whether an element has no value and children that are no value either: a required set leaves no room for an extension that
/// says why there is no code. Only the code of another release may stand in its extension.
fn is_left_open(tree: &Tree<'_>, node: NodeId) -> bool {
    let is_of_release = |extension| {
        let url = tree.child_text(extension, "url").unwrap_or_default();
        let release = url.strip_prefix("http://hl7.org/fhir/").unwrap_or_default();
        release.starts_with(|first: char| first.is_ascii_digit())
    };
    !tree.has_value(node)
        && (tree.child(node, "extension").is_some() || tree.child(node, "id").is_some())
        && !tree.children_named(node, "extension").any(is_of_release)
}

/// What the set says without asking a server; nothing of a coding without system or code.
fn plain(set: &ValueSet, parts: &Parts<'_>) -> Option<Membership> {
    let ((_, system), (_, code)) = (parts.system?, parts.code?);
    Some(set.holds(system, code))
}

fn missing(binding: &Binding, node: NodeId, findings: &mut Findings) {
    let severity = match (binding.strength, binding.maximum.is_some()) {
        (Strength::Required, _) => Severity::Error,
        (Strength::Extensible, _) => Severity::Warning,
        _ => return,
    };
    findings
        .add(&rule::CODE_MISSING, node, "there is no code, and one of the value set is wanted")
        .severity(severity)
        .key(binding.value_set.to_string());
}

/// A code of a system that the set does not even use may come from a map that nobody has here: the reference does not
/// call it an error, and so it is a warning.
fn beyond_maximum(binding: &Binding, node: NodeId, uses_system: bool, findings: &mut Findings) {
    let Some(maximum) = binding.maximum.as_deref() else { return };
    let severity = if uses_system { Severity::Error } else { Severity::Warning };
    findings
        .add(&rule::MAXIMUM, node, "no code here is in the widest value set that is allowed")
        .severity(severity)
        .key(maximum.to_owned());
}

fn answered(
    answer: &Answer,
    set: &ValueSet,
    node: NodeId,
    strength: Strength,
    findings: &mut Findings,
) -> Standing {
    match answer {
        Answer::Valid(_) => Standing::In,
        Answer::Invalid => Standing::Out,
        Answer::Open | Answer::Called(_) => {
            // What is only recommended is not worth a word where it can't be told.
            if strength > Strength::Preferred {
                set_not_checked(set.url(), node, findings);
            }
            Standing::Open
        }
    }
}

fn not_in(binding: &Binding, node: NodeId, findings: &mut Findings) {
    let (rule, text) = match binding.strength {
        Strength::Required => {
            (&rule::REQUIRED, "no code here is in the value set that is required")
        }
        Strength::Extensible => (
            &rule::EXTENSIBLE,
            "no code here is in the value set, which is to be used unless nothing in it fits",
        ),
        Strength::Preferred => {
            (&rule::PREFERRED, "no code here is in the value set that is recommended")
        }
        Strength::Example => return,
    };
    findings.add(rule, node, text).key(binding.value_set.to_string());
}
