//! Rules of reading: what is no document at all, so that nothing else can be said of it.

use super::{IssueType, Rule};
use crate::issue::Severity;

/// All of this file.
pub const ALL: &[&Rule] = &[&JSON_SYNTAX, &NOT_UTF8, &TOO_LARGE, &XML_ROOT, &XML_SYNTAX];

/// Not JSON.
pub static JSON_SYNTAX: Rule = Rule {
    code: "fhir-json-syntax",
    severity: Severity::Fatal,
    kind: IssueType::Invalid,
    title: "the document is not JSON",
    explanation: "FHIR's JSON is that of RFC 8259 to the letter: no comments, no comma after the last item, no single \
                  quotes, no text after the end. Mend the place that is shown; nothing else of the document was looked \
                  at.",
    specification: "https://hl7.org/fhir/R4/json.html",
};

/// Not UTF-8.
pub static NOT_UTF8: Rule = Rule {
    code: "fhir-not-utf8",
    severity: Severity::Fatal,
    kind: IssueType::Invalid,
    title: "the document is not UTF-8",
    explanation: "FHIR allows no other encoding. Most often the file was written by a program that uses the encoding of \
                  its operating system: save it as UTF-8.",
    specification: "https://hl7.org/fhir/R4/http.html#mime-type",
};

/// More than we take.
pub static TOO_LARGE: Rule = Rule {
    code: "fhir-too-large",
    severity: Severity::Fatal,
    kind: IssueType::TooCostly,
    title: "the document is larger or nested deeper than is taken",
    explanation: "A document may have 64 MiB, 4,000,000 values and 64 levels. Larger exports are read as NDJSON, resource \
                  by resource, without any limit on the whole.",
    specification: "https://hl7.org/fhir/R4/nd-json.html",
};

/// Not well-formed XML, or XML that FHIR does not allow.
pub static XML_SYNTAX: Rule = Rule {
    code: "fhir-xml-syntax",
    severity: Severity::Fatal,
    kind: IssueType::Invalid,
    title: "the document is not well-formed XML, or has what FHIR's XML may not have",
    explanation: "FHIR's XML is version 1.0 in UTF-8, without document type definitions and without entities but the five \
                  of XML itself: they are a way to read files of the receiver or to fill its memory. Mend the place that \
                  is shown; nothing else of the document was looked at.",
    specification: "https://hl7.org/fhir/R4/xml.html",
};

/// XML of something else.
pub static XML_ROOT: Rule = Rule {
    code: "fhir-xml-root",
    severity: Severity::Fatal,
    kind: IssueType::Structure,
    title: "the outermost element is not in FHIR's namespace",
    explanation: "A resource in XML is an element with the name of its type in the namespace http://hl7.org/fhir.",
    specification: "https://hl7.org/fhir/R4/xml.html",
};
