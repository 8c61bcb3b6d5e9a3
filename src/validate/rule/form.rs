//! Rules of the written form, before any definition is asked: JSON (R4 2.6) and XML (R4 2.5).

use super::{IssueType, Rule};
use crate::issue::Severity;

/// All of this file.
pub const ALL: &[&Rule] = &[&DUPLICATE_MEMBER];

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
