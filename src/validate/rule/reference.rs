//! Rules of references and contained resources (R4 2.3).

use super::{IssueType, Rule};

/// All of this file.
pub const ALL: &[&Rule] = &[
    &NOTHING_SAID,
    &WHITESPACE,
    &QUERY,
    &OTHER_TYPE,
    &SEVERAL,
    &NO_FULL_URL,
    &NO_BASE,
    &LOOKALIKE,
    &NOT_CONTAINED,
    &NOT_FOUND,
    &URN_OUTSIDE,
    &RELATIVE_FORM,
    &SUSPICIOUS,
    &TARGET_TYPE,
    &TARGET_TYPE_BY_URL,
    &STATED_TYPE,
    &STATED_OTHER_TYPE,
    &AGGREGATION,
    &CONTAINED_UNUSED,
];

/// A reference says nothing.
pub static NOTHING_SAID: Rule = Rule::warning(
    IssueType::Structure,
    [
        "fhir-reference-empty",
        "a reference says nothing",
        "It has neither a reference nor an identifier, and so should have a display.",
        "https://hl7.org/fhir/R4/references.html",
    ],
);

/// A reference holds white space.
pub static WHITESPACE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-reference-space",
        "a reference holds white space",
        "No URL has white space.",
        "https://hl7.org/fhir/R4/references.html#literal",
    ],
);

/// The search in a conditional reference is malformed.
pub static QUERY: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-reference-query",
        "the search in a conditional reference is malformed",
        "After ? stand names and values: Patient?identifier=a|b.",
        "https://hl7.org/fhir/R4/http.html#trules",
    ],
);

/// A reference names another type than the resource that it leads to has.
pub static OTHER_TYPE: Rule = Rule::error(
    IssueType::Required,
    [
        "fhir-reference-other-type",
        "a reference names another type than the resource that it leads to has",
        "Type and target disagree; one of them is wrong.",
        "https://hl7.org/fhir/R4/references.html#literal",
    ],
);

/// Several entries have the URL of a reference.
pub static SEVERAL: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-reference-several",
        "several entries have the URL of a reference",
        "Nobody can tell which is meant. Each entry has its own fullUrl.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A relative reference stands in an entry without a fullUrl.
pub static NO_FULL_URL: Rule = Rule::error(
    IssueType::Required,
    [
        "fhir-reference-no-full-url",
        "a relative reference stands in an entry without a fullUrl",
        "It is relative to the fullUrl of the entry, so without one it leads nowhere.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A relative reference stands in an entry whose fullUrl is no URL of a server.
pub static NO_BASE: Rule = Rule::information(
    IssueType::Informational,
    [
        "fhir-reference-no-base",
        "a relative reference stands in an entry whose fullUrl is no URL of a server",
        "It can not be resolved within the Bundle. Refer by the fullUrl of the target.",
        "https://hl7.org/fhir/R5/bundle.html#references",
    ],
);

/// A reference leads to nothing, though an entry has the type and id.
pub static LOOKALIKE: Rule = Rule::warning(
    IssueType::Required,
    [
        "fhir-reference-lookalike",
        "a reference leads to nothing, though an entry has the type and id",
        "References in a Bundle go by fullUrl, not by id. Make the fullUrls of one server, or refer \
         by the fullUrl itself.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A reference leads to a contained resource that is not there.
pub static NOT_CONTAINED: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-reference-not-contained",
        "a reference leads to a contained resource that is not there",
        "#x is the contained resource whose id is x (ref-1). It can not be fetched from anywhere.",
        "https://hl7.org/fhir/R4/references.html#contained",
    ],
);

/// What a reference leads to is not at hand.
pub static NOT_FOUND: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-reference-not-found",
        "what a reference leads to is not at hand",
        "It was asked that all targets be there, by the policy for references.",
        "https://hl7.org/fhir/R4/references.html#literal",
    ],
);

/// A urn: leads to nothing in the Bundle.
pub static URN_OUTSIDE: Rule = Rule::warning(
    IssueType::Required,
    [
        "fhir-reference-urn-outside",
        "a urn: leads to nothing in the Bundle",
        "A urn: can not be fetched from anywhere: if it is not in the Bundle, it is lost.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A relative reference is not of the form Type/id.
pub static RELATIVE_FORM: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-reference-form",
        "a relative reference is not of the form Type/id",
        "In a Bundle only Type/id can be resolved, perhaps with /_history/version.",
        "https://hl7.org/fhir/R4/references.html#literal",
    ],
);

/// A reference does not look like one.
pub static SUSPICIOUS: Rule = Rule::warning(
    IssueType::Structure,
    [
        "fhir-reference-suspicious",
        "a reference does not look like one",
        "A relative reference is Type/id with a type of the release; all else should be absolute.",
        "https://hl7.org/fhir/R4/references.html#literal",
    ],
);

/// A reference leads to a resource of a type that is not allowed here.
pub static TARGET_TYPE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-reference-target",
        "a reference leads to a resource of a type that is not allowed here",
        "The element can not refer to this kind of resource: a reader would look for something else \
         and fail, or take it for what it is not.",
        "https://hl7.org/fhir/R4/references.html#literal",
    ],
);

/// A reference names a type that is not allowed here.
pub static TARGET_TYPE_BY_URL: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-reference-target-url",
        "a reference names a type that is not allowed here",
        "By its URL it leads to a kind of resource that the element can not refer to.",
        "https://hl7.org/fhir/R4/references.html#literal",
    ],
);

/// The type of a reference is not allowed here.
pub static STATED_TYPE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-reference-stated-type",
        "the type of a reference is not allowed here",
        "Reference.type is one of the types that the element may refer to.",
        "https://hl7.org/fhir/R4/references.html#Reference",
    ],
);

/// The type of a reference is not that of what it leads to.
pub static STATED_OTHER_TYPE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-reference-stated-other",
        "the type of a reference is not that of what it leads to",
        "Reference.type and the target disagree; one of them is wrong.",
        "https://hl7.org/fhir/R4/references.html#Reference",
    ],
);

/// A reference does not lead where the definition wants its target to be.
pub static AGGREGATION: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-reference-aggregation",
        "a reference does not lead where the definition wants its target to be",
        "The definition says that the target is contained, in the same Bundle, or elsewhere.",
        "https://hl7.org/fhir/R4/references.html#Reference",
    ],
);

/// A contained resource is not referred to, and refers to nothing outside of it.
pub static CONTAINED_UNUSED: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-contained-unused",
        "a contained resource is not referred to, and refers to nothing outside of it",
        "A contained resource exists only through who refers to it (dom-3); alone it is lost by every \
         server. Refer to it, or take it out.",
        "https://hl7.org/fhir/R4/references.html#contained",
    ],
);
