//! What the written form of a document shows before any definition is asked: the readers' faults as findings.

use super::finding::Findings;
use super::rule::{Rule, form};
use super::tree::{FaultKind, Tree};

/// Tells all that the reader met.
pub fn check(tree: &Tree<'_>, findings: &mut Findings) {
    for fault in tree.faults() {
        let (rule, text) = words(fault.kind);
        findings.add(rule, fault.node, text).offset(fault.offset);
    }
}

const fn words(kind: FaultKind) -> (&'static Rule, &'static str) {
    match kind {
        FaultKind::DuplicateMember => {
            (&form::DUPLICATE_MEMBER, "the object has a second member of this name")
        }
        FaultKind::UnequalArrays => (
            &form::UNEQUAL_ARRAYS,
            "the array and the array of the same name with an underscore do not fit each other",
        ),
        FaultKind::NotAnElement => (
            &form::NOT_AN_ELEMENT,
            "a member with an underscore holds something else than an element's id and extensions",
        ),
        FaultKind::Text => (&form::TEXT, "text between the elements"),
        FaultKind::Attribute => (&form::ATTRIBUTE, "an attribute that FHIR does not have here"),
        FaultKind::Namespace => (&form::NAMESPACE, "the element is in another namespace"),
        FaultKind::Instruction => (&form::INSTRUCTION, "a processing instruction in a resource"),
        FaultKind::Resource => (&form::RESOURCE, "a second resource where one belongs"),
    }
}
