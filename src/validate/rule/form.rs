//! Rules of the written form, before any definition is asked: JSON (R4 2.6) and XML (R4 2.5).

use super::{IssueType, Rule};
use crate::issue::Severity;

/// All of this file.
pub const ALL: &[&Rule] = &[
    &DUPLICATE_MEMBER,
    &UNEQUAL_ARRAYS,
    &NOT_AN_ELEMENT,
    &TEXT,
    &ATTRIBUTE,
    &NAMESPACE,
    &INSTRUCTION,
    &RESOURCE,
];

/// A second member of one name.
pub static DUPLICATE_MEMBER: Rule = Rule {
    code: "fhir-json-duplicate-member",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "an object has two members of one name",
    explanation: "Programs disagree on which of the two counts, so one of them is lost somewhere. Keep one, or write a \
                  repeating element as an array.",
    specification: "https://hl7.org/fhir/R4/json.html",
};

/// `name` and `_name` of different lengths.
pub static UNEQUAL_ARRAYS: Rule = Rule {
    code: "fhir-json-unequal-arrays",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "an array and its `_` array do not fit",
    explanation: "In JSON the ids and extensions of a repeating primitive stand in a second array, item by item. Give both the same \
                  length, with null where one has nothing.",
    specification: "https://hl7.org/fhir/R4/json.html#primitive",
};

/// `_name` that is no object.
pub static NOT_AN_ELEMENT: Rule = Rule {
    code: "fhir-json-underscore",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "a member with an underscore is no element",
    explanation: "`_name` holds the id and the extensions of `name`: it is an object, or an array of objects and nulls. A value \
                  belongs into `name`.",
    specification: "https://hl7.org/fhir/R4/json.html#primitive",
};

/// Text between elements.
pub static TEXT: Rule = Rule {
    code: "fhir-xml-text",
    severity: Severity::Error,
    kind: IssueType::Structure,
    title: "text between the elements",
    explanation: "FHIR's XML has values in the attribute `value` and text in narratives only; programs drop other text without a \
                  word. Move it into an attribute, or into a comment.",
    specification: "https://hl7.org/fhir/R4/xml.html",
};

/// An attribute that FHIR does not have.
pub static ATTRIBUTE: Rule = Rule {
    code: "fhir-xml-attribute",
    severity: Severity::Error,
    kind: IssueType::Structure,
    title: "an attribute that FHIR does not have",
    explanation: "Elements have the attributes `value` and `id`, extensions `url`; only `xsi:schemaLocation` may stand beside. The \
                  id of a resource is an element.",
    specification: "https://hl7.org/fhir/R4/xml.html",
};

/// An element of another namespace.
pub static NAMESPACE: Rule = Rule {
    code: "fhir-xml-namespace",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "an element in another namespace",
    explanation: "All elements are in `http://hl7.org/fhir`, those of narratives in `http://www.w3.org/1999/xhtml`. An element in \
                  another namespace is another element, and programs pass it over.",
    specification: "https://hl7.org/fhir/R4/xml.html",
};

/// A processing instruction within the resource.
pub static INSTRUCTION: Rule = Rule {
    code: "fhir-xml-instruction",
    severity: Severity::Error,
    kind: IssueType::Invalid,
    title: "a processing instruction in a resource",
    explanation: "A processing instruction may stand before the resource (a style sheet), not in it. Take it out.",
    specification: "https://hl7.org/fhir/R4/xml.html",
};

/// Two resources in one place.
pub static RESOURCE: Rule = Rule {
    code: "fhir-xml-resource",
    severity: Severity::Error,
    kind: IssueType::Structure,
    title: "a second resource where one belongs",
    explanation: "`contained` and `resource` hold one resource each. Repeat `contained` (or the entry) for the second one.",
    specification: "https://hl7.org/fhir/R4/xml.html",
};
