//! Rules of codes: code systems, displays, and the value sets that elements are bound to (R4 4.1).

use super::{IssueType, Rule};
use crate::issue::Severity;

/// All of this file.
pub const ALL: &[&Rule] = &[
    &CODE_REQUIRED,
    &SYSTEM_UNTOLD,
    &REQUIRED,
    &EXTENSIBLE,
    &PREFERRED,
    &MAXIMUM,
    &CODE_MISSING,
    &SET_UNKNOWN,
    &UNKNOWN,
    &UNKNOWN_IN_FRAGMENT,
    &CASE,
    &DISPLAY,
    &DISPLAY_SPACE,
    &CONCEPT_WITHOUT_SYSTEM,
    &CODING_WITHOUT_SYSTEM,
    &WITHOUT_CODE,
    &SYSTEM_RELATIVE,
    &CODING_SYSTEM_RELATIVE,
    &SYSTEM_VALUE_SET,
    &CODING_SYSTEM_VALUE_SET,
    &SYSTEM_UNKNOWN,
    &SYSTEM_DOUBTFUL,
    &SYSTEM_MISSPELT,
    &INCLUDE_SYSTEM,
    &SYSTEM_SUPPLEMENT,
    &SYSTEM_VERSION,
    &INACTIVE,
    &DEPRECATED,
    &SYSTEM_DRAFT,
    &SYSTEM_RETIRED,
    &UNIT,
    &MEDIA_TYPE,
    &NOT_CHECKED,
];

/// A code is not in the value set that is required for it.
pub static CODE_REQUIRED: Rule = Rule {
    code: "fhir-binding-code",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "a code is not in the value set that is required for it",
    explanation: "The element takes codes of one value set and no others, so a reader can rely on \
                  knowing them all. Use one of its codes; a local word belongs in an extension or a \
                  text.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#required",
};

/// No code system of the value set has the code.
pub static SYSTEM_UNTOLD: Rule = Rule {
    code: "fhir-binding-code-system",
    severity: Severity::Error,
    kind: IssueType::NotFound,
    title: "no code system of the value set has the code",
    explanation: "An element of type code names no code system: the value set implies it. As none of \
                  the set's systems has this code, nobody can tell what it means. It comes with \
                  fhir-binding-code and goes with it.",
    specification: "https://hl7.org/fhir/R4/datatypes.html#code",
};

/// None of the codes is in the value set that is required.
pub static REQUIRED: Rule = Rule {
    code: "fhir-binding-required",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "none of the codes is in the value set that is required",
    explanation: "At least one coding has to come from the required value set; others may stand \
                  beside it. Check the code, and that its system is written exactly as the value set \
                  has it.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#required",
};

/// None of the codes is in the value set that is to be used where it fits.
pub static EXTENSIBLE: Rule = Rule {
    code: "fhir-binding-extensible",
    severity: Severity::Warning,
    kind: IssueType::CodeInvalid,
    title: "none of the codes is in the value set that is to be used where it fits",
    explanation: "If the value set has a code for what is meant, that code must be among the \
                  codings. Only a person can tell whether it has, so this is a warning.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#extensible",
};

/// None of the codes is in the value set that is recommended.
pub static PREFERRED: Rule = Rule {
    code: "fhir-binding-preferred",
    severity: Severity::Information,
    kind: IssueType::CodeInvalid,
    title: "none of the codes is in the value set that is recommended",
    explanation: "Other systems understand the codes of this value set best. Nothing forbids others.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#preferred",
};

/// None of the codes is in the widest value set that is allowed.
pub static MAXIMUM: Rule = Rule {
    code: "fhir-binding-maximum",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "none of the codes is in the widest value set that is allowed",
    explanation: "The binding names a set that is recommended and a wider one beyond which no code \
                  may go (extension elementdefinition-maxValueSet).",
    specification: "https://hl7.org/fhir/R4/terminologies.html#binding",
};

/// There is no code where one of a value set is wanted.
pub static CODE_MISSING: Rule = Rule {
    code: "fhir-binding-no-code",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "there is no code where one of a value set is wanted",
    explanation: "A text alone can't be processed, nor can an extension that says why there is no \
                  code. Where the binding is required, give a code of the value set; where it is \
                  extensible, give one if any fits.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#required",
};

/// The value set of a binding is not at hand.
pub static SET_UNKNOWN: Rule = Rule {
    code: "fhir-value-set-unknown",
    severity: Severity::Warning,
    kind: IssueType::NotFound,
    title: "the value set of a binding is not at hand",
    explanation: "Codes are not checked against it, and that is no fault of the document. Load the \
                  package that defines it with --package.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#valuesets",
};

/// The code system has no such code.
pub static UNKNOWN: Rule = Rule {
    code: "fhir-code-unknown",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "the code system has no such code",
    explanation: "The code system is known with all its codes, and this one is not among them. Check \
                  the spelling and the case, and whether the system is the right one.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#system",
};

/// The code is not among those of its system that are at hand.
pub static UNKNOWN_IN_FRAGMENT: Rule = Rule {
    code: "fhir-code-unknown-in-fragment",
    severity: Severity::Warning,
    kind: IssueType::CodeInvalid,
    title: "the code is not among those of its system that are at hand",
    explanation: "Only a part of the code system is at hand, so the code may be right.",
    specification: "https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.content",
};

/// The code is written in another case than its system has it.
pub static CASE: Rule = Rule {
    code: "fhir-code-case",
    severity: Severity::Information,
    kind: IssueType::BusinessRule,
    title: "the code is written in another case than its system has it",
    explanation: "The code system takes both. Other programs may not: write it as the system does.",
    specification: "https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.caseSensitive",
};

/// The display is not that of the code.
pub static DISPLAY: Rule = Rule {
    code: "fhir-display-wrong",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "the display is not that of the code",
    explanation: "A reader sees the display, a program sees the code: if they differ, one of them is \
                  wrong, and it can't be told which. Use a name that the code system gives the code; \
                  the user's own words belong in CodeableConcept.text.",
    specification: "https://hl7.org/fhir/R4/datatypes-definitions.html#Coding.display",
};

/// The display differs from the code's by white space.
pub static DISPLAY_SPACE: Rule = Rule {
    code: "fhir-display-white-space",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "the display differs from the code's by white space",
    explanation: "The words are right; take the white space out.",
    specification: "https://hl7.org/fhir/R4/datatypes-definitions.html#Coding.display",
};

/// A coding of a CodeableConcept has no system.
pub static CONCEPT_WITHOUT_SYSTEM: Rule = Rule {
    code: "fhir-concept-coding-no-system",
    severity: Severity::Warning,
    kind: IssueType::Invalid,
    title: "a coding of a CodeableConcept has no system",
    explanation: "A code means something only in its code system. Without one it can't be checked, \
                  and a required binding is not met by it.",
    specification: "https://hl7.org/fhir/R4/datatypes.html#Coding",
};

/// A Coding has a code and no system.
pub static CODING_WITHOUT_SYSTEM: Rule = Rule {
    code: "fhir-coding-no-system",
    severity: Severity::Warning,
    kind: IssueType::CodeInvalid,
    title: "a Coding has a code and no system",
    explanation: "A code means something only in its code system. Without one it can't be checked.",
    specification: "https://hl7.org/fhir/R4/datatypes.html#Coding",
};

/// A coding has a system and no code.
pub static WITHOUT_CODE: Rule = Rule {
    code: "fhir-coding-no-code",
    severity: Severity::Warning,
    kind: IssueType::Value,
    title: "a coding has a system and no code",
    explanation: "The system says where the meaning of the code is defined; without a code nothing \
                  is said.",
    specification: "https://hl7.org/fhir/R4/datatypes.html#Coding",
};

/// The system of a coding is no absolute URI.
pub static SYSTEM_RELATIVE: Rule = Rule {
    code: "fhir-system-relative",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "the system of a coding is no absolute URI",
    explanation: "A code system is known by its absolute URI, never by a relative one or by the name \
                  of a resource.",
    specification: "https://hl7.org/fhir/R4/datatypes-definitions.html#Coding.system",
};

/// The system of a Coding or Quantity is no absolute URI.
pub static CODING_SYSTEM_RELATIVE: Rule = Rule {
    code: "fhir-coding-system-relative",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "the system of a Coding or Quantity is no absolute URI",
    explanation: "A code system is known by its absolute URI, never by a relative one or by the name \
                  of a resource.",
    specification: "https://hl7.org/fhir/R4/datatypes-definitions.html#Coding.system",
};

/// The system of a coding is the URL of a value set.
pub static SYSTEM_VALUE_SET: Rule = Rule {
    code: "fhir-system-value-set",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "the system of a coding is the URL of a value set",
    explanation: "A value set chooses codes from code systems and defines none. Name the code system \
                  that defines the code.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#system",
};

/// The system of a Coding or Quantity is the URL of a value set.
pub static CODING_SYSTEM_VALUE_SET: Rule = Rule {
    code: "fhir-coding-system-value-set",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "the system of a Coding or Quantity is the URL of a value set",
    explanation: "A value set chooses codes from code systems and defines none. Name the code system \
                  that defines the code.",
    specification: "https://hl7.org/fhir/R4/terminologies.html#system",
};

/// HL7 has no such code system.
pub static SYSTEM_UNKNOWN: Rule = Rule {
    code: "fhir-system-unknown",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "HL7 has no such code system",
    explanation: "URLs under hl7.org/fhir are HL7's to give, and this one is not among its code \
                  systems. Often the code system has moved to \
                  http://terminology.hl7.org/CodeSystem/.",
    specification: "https://hl7.org/fhir/R4/terminologies-systems.html",
};

/// HL7 has no such code system.
pub static SYSTEM_DOUBTFUL: Rule = Rule {
    code: "fhir-system-doubtful",
    severity: Severity::Warning,
    kind: IssueType::NotFound,
    title: "HL7 has no such code system",
    explanation: "URLs under hl7.org/fhir are HL7's to give, and this one is not among its code \
                  systems, so the code is not checked. Often the code system has moved to \
                  http://terminology.hl7.org/CodeSystem/.",
    specification: "https://hl7.org/fhir/R4/terminologies-systems.html",
};

/// The URL of a code system is misspelt.
pub static SYSTEM_MISSPELT: Rule = Rule {
    code: "fhir-system-misspelt",
    severity: Severity::Error,
    kind: IssueType::CodeInvalid,
    title: "the URL of a code system is misspelt",
    explanation: "The URL is compared letter by letter: http: is not https:, and nothing may follow \
                  its end.",
    specification: "https://hl7.org/fhir/R4/terminologies-systems.html",
};

/// The system of a value set's part is relative.
pub static INCLUDE_SYSTEM: Rule = Rule {
    code: "fhir-include-system",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "the system of a value set's part is not absolute",
    explanation: "compose.include.system is the URL of a code system, never a fragment or a relative \
                  path. A contained code system is named by its URL too.",
    specification: "https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.include.system",
};

/// The system of a coding is a supplement.
pub static SYSTEM_SUPPLEMENT: Rule = Rule {
    code: "fhir-system-supplement",
    severity: Severity::Error,
    kind: IssueType::NotFound,
    title: "the system of a coding is a supplement",
    explanation: "A supplement adds names and properties to the codes of another code system and has \
                  no codes of its own. Name that code system.",
    specification: "https://hl7.org/fhir/R4/codesystem.html#supplements",
};

/// The code system is not at hand in the version that a coding names.
pub static SYSTEM_VERSION: Rule = Rule {
    code: "fhir-system-version",
    severity: Severity::Warning,
    kind: IssueType::NotFound,
    title: "the code system is not at hand in the version that a coding names",
    explanation: "The code can't be checked in that version. Where the binding is required this is \
                  an error, as in the HL7 validator: the version is mostly a mistake for the version \
                  of FHIR.",
    specification: "https://hl7.org/fhir/R4/datatypes-definitions.html#Coding.version",
};

/// The code is no longer in use in its system.
pub static INACTIVE: Rule = Rule {
    code: "fhir-code-inactive",
    severity: Severity::Warning,
    kind: IssueType::BusinessRule,
    title: "the code is no longer in use in its system",
    explanation: "The code system keeps it for old records. For new ones take the code that replaced \
                  it.",
    specification: "https://hl7.org/fhir/R4/codesystem-concept-properties.html",
};

/// The code's use is discouraged by its system.
pub static DEPRECATED: Rule = Rule {
    code: "fhir-code-deprecated",
    severity: Severity::Warning,
    kind: IssueType::BusinessRule,
    title: "the code's use is discouraged by its system",
    explanation: "The code still means what it meant and will go. Take the code that replaces it.",
    specification: "https://hl7.org/fhir/R4/codesystem-concept-properties.html",
};

/// The code system is a draft.
pub static SYSTEM_DRAFT: Rule = Rule {
    code: "fhir-system-draft",
    severity: Severity::Information,
    kind: IssueType::BusinessRule,
    title: "the code system is a draft",
    explanation: "Its codes may still change. Said once for each code system.",
    specification: "https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.status",
};

/// The code system is retired.
pub static SYSTEM_RETIRED: Rule = Rule {
    code: "fhir-system-retired",
    severity: Severity::Information,
    kind: IssueType::BusinessRule,
    title: "the code system is retired",
    explanation: "Its publisher has withdrawn it. Said once for each code system.",
    specification: "https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.status",
};

/// The code is no UCUM unit.
pub static UNIT: Rule = Rule {
    code: "fhir-unit-unknown",
    severity: Severity::Warning,
    kind: IssueType::CodeInvalid,
    title: "the code is no UCUM unit",
    explanation: "UCUM builds units by a grammar from known atoms, and this is none of them: mmHg is \
                  mm[Hg], a count of something is {something}, and case matters.",
    specification: "https://hl7.org/fhir/R4/datatypes.html#Quantity",
};

/// The code has not the form of a media type.
pub static MEDIA_TYPE: Rule = Rule {
    code: "fhir-media-type",
    severity: Severity::Warning,
    kind: IssueType::CodeInvalid,
    title: "the code has not the form of a media type",
    explanation: "A media type is written type/subtype, such as text/plain or image/png (BCP 13).",
    specification: "https://hl7.org/fhir/R4/valueset-mimetypes.html",
};

/// Codes are not checked, for their code system or value set is not at hand.
pub static NOT_CHECKED: Rule = Rule {
    code: "fhir-not-checked",
    severity: Severity::Information,
    kind: IssueType::NotSupported,
    title: "codes are not checked, for their code system or value set is not at hand",
    explanation: "SNOMED CT, LOINC and other systems are not shipped, and some sets can only be \
                  decided by a server. It is no fault of the document, and is said once for each \
                  system. Ask a terminology server with --tx URL, or load a package with --package.",
    specification: "https://hl7.org/fhir/R4/terminologies.html",
};
