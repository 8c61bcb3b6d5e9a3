//! Rules of invariants: what a definition demands in FHIRPath (R4 2.1.0.23, `ElementDefinition.constraint`).

use super::{IssueType, Rule};

/// All of this file.
pub const ALL: &[&Rule] = &[&BROKEN, &NOT_CHECKED, &UNREADABLE];

/// An invariant that does not hold.
pub static BROKEN: Rule = Rule::error(
    IssueType::Invariant,
    [
        "fhir-invariant",
        "an invariant of a definition does not hold",
        "The definition of the element, of its type or of a profile has a rule in FHIRPath that the content breaks. The key \
         (dom-2, per-1) names it; the finding says it in the definition's own words. It is as bad as the definition says.",
        "https://hl7.org/fhir/R4/conformance-rules.html#constraints",
    ],
);

/// An invariant that can't be evaluated here.
pub static NOT_CHECKED: Rule = Rule::information(
    IssueType::NotSupported,
    [
        "fhir-invariant-not-checked",
        "an invariant can't be evaluated here",
        "Its expression asks for something that is not at hand: a reference that leads outside of the document, a value set \
         that only a terminology server knows, or more steps than are allowed. It is told once for each invariant.",
        "https://hl7.org/fhir/R4/fhirpath.html",
    ],
);

/// An invariant whose expression is no FHIRPath.
pub static UNREADABLE: Rule = Rule::error(
    IssueType::Processing,
    [
        "fhir-invariant-unreadable",
        "the expression of an invariant can't be read",
        "The definition has an expression that is no FHIRPath, or uses a function that nobody knows. The definition has to be \
         mended; the document may be right.",
        "https://hl7.org/fhir/R4/fhirpath.html",
    ],
);
