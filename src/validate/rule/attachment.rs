//! Rules of attachments (R4 2.24.0.13).

use super::{IssueType, Rule};

/// All of this file.
pub const ALL: &[&Rule] = &[&SIZE_FORM, &SIZE, &HASH_FORM, &HASH, &DATA_SPACE, &NOTHING];

/// The stated size of an attachment is no size.
pub static SIZE_FORM: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-attachment-size-form",
        "the stated size of an attachment is no size",
        "The size is a number of bytes.",
        "https://hl7.org/fhir/R4/datatypes.html#Attachment",
    ],
);

/// The stated size of an attachment is not that of its data.
pub static SIZE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-attachment-size",
        "the stated size of an attachment is not that of its data",
        "The size is that of the data before base64. Where it does not fit, the data were changed or \
         cut off.",
        "https://hl7.org/fhir/R4/datatypes.html#Attachment",
    ],
);

/// The stated hash of an attachment is no base64.
pub static HASH_FORM: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-attachment-hash-form",
        "the stated hash of an attachment is no base64",
        "The hash is the 20 bytes of the SHA-1, in base64 (28 characters).",
        "https://hl7.org/fhir/R4/datatypes.html#Attachment",
    ],
);

/// The stated hash of an attachment is not that of its data.
pub static HASH: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-attachment-hash",
        "the stated hash of an attachment is not that of its data",
        "The hash is the SHA-1 of the data before base64, in base64 and not in hexadecimal digits. \
         Where it does not fit, the data were changed.",
        "https://hl7.org/fhir/R4/datatypes.html#Attachment",
    ],
);

/// The data of an attachment have white space.
pub static DATA_SPACE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-attachment-data-space",
        "the data of an attachment have white space",
        "RFC 4648 allows none within base64, and decoders refuse it. Write the data in one line.",
        "https://hl7.org/fhir/R4/datatypes.html#Attachment",
    ],
);

/// An attachment has neither data nor a URL.
pub static NOTHING: Rule = Rule::warning(
    IssueType::Structure,
    [
        "fhir-attachment-nothing",
        "an attachment has neither data nor a URL",
        "At least its contentType or language should say what it would be.",
        "https://hl7.org/fhir/R4/datatypes.html#Attachment",
    ],
);
