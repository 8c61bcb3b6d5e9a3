//! Rules of the values of primitive types, and of text in them (R4 2.24.0.1, R5 2.1.28.0.1).

use super::{IssueType, Rule};

/// All of this file.
pub const ALL: &[&Rule] = &[
    &NO_VALUE,
    &EMPTY,
    &WHITESPACE,
    &JSON_BOOLEAN,
    &JSON_NUMBER,
    &JSON_STRING,
    &BOOLEAN,
    &INTEGER,
    &INTEGER_64,
    &UNSIGNED_INT,
    &POSITIVE_INT,
    &DECIMAL,
    &DECIMAL_RANGE,
    &STRING_BLANK,
    &STRING_SPACE,
    &STRING_LENGTH,
    &CONTROL_CHARACTER,
    &DIRECTION,
    &CODE,
    &ID,
    &RESOURCE_ID,
    &RESOURCE_ID_LENGTH,
    &OID_PREFIX,
    &OID,
    &UUID_PREFIX,
    &UUID,
    &URI_SPACE,
    &URI_OID,
    &URI_UUID,
    &CANONICAL,
    &URL_ABSOLUTE,
    &FRAGMENT,
    &EXAMPLE_URL,
    &BASE64,
    &BASE64_SPACE,
    &BASE64_SPACE_R5,
    &DATE,
    &DATE_TIME,
    &ZONE,
    &INSTANT,
    &TIME,
    &YEAR,
    &HTML,
    &HTML_IN_MARKDOWN,
    &IDENTIFIER_SYSTEM,
    &IDENTIFIER_URI,
    &IDENTIFIER_UUID,
];

/// A primitive element has neither a value nor an extension.
pub static NO_VALUE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-primitive-no-value",
        "a primitive element has neither a value nor an extension",
        "An element that says nothing must not be there. Leave it out, give it a value, or say by an \
         extension (data-absent-reason) why there is none.",
        "https://hl7.org/fhir/R4/datatypes.html#primitive",
    ],
);

/// A value is empty.
pub static EMPTY: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-primitive-empty",
        "a value is empty",
        "An empty string is no value in FHIR: whoever reads it can not tell unknown from not asked. \
         Leave the element out.",
        "https://hl7.org/fhir/R4/datatypes.html#primitive",
    ],
);

/// A value is white space only.
pub static WHITESPACE: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-primitive-blank",
        "a value is white space only",
        "It says nothing. Leave the element out.",
        "https://hl7.org/fhir/R4/datatypes.html#primitive",
    ],
);

/// A boolean is not written as true or false.
pub static JSON_BOOLEAN: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-json-boolean",
        "a boolean is not written as true or false",
        "JSON has booleans of its own: write true, not \"true\" and not 1.",
        "https://hl7.org/fhir/R4/json.html#primitive",
    ],
);

/// A number is not written as a JSON number.
pub static JSON_NUMBER: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-json-number",
        "a number is not written as a JSON number",
        "Numbers of FHIR (but integer64) are JSON numbers: write 5, not \"5\".",
        "https://hl7.org/fhir/R4/json.html#primitive",
    ],
);

/// A value is not written as a JSON string.
pub static JSON_STRING: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-json-string",
        "a value is not written as a JSON string",
        "Every type but boolean and the numbers is a JSON string: write \"2026\", not 2026.",
        "https://hl7.org/fhir/R4/json.html#primitive",
    ],
);

/// A boolean is neither true nor false.
pub static BOOLEAN: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-boolean",
        "a boolean is neither true nor false",
        "Only true and false are booleans; 1, yes and TRUE are not.",
        "https://hl7.org/fhir/R4/datatypes.html#boolean",
    ],
);

/// A value is no integer.
pub static INTEGER: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-integer",
        "a value is no integer",
        "An integer has digits and perhaps a minus, no leading 0, no fraction and no exponent, and \
         lies between -2147483648 and 2147483647.",
        "https://hl7.org/fhir/R4/datatypes.html#integer",
    ],
);

/// A value is no integer of 64 bits.
pub static INTEGER_64: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-integer64",
        "a value is no integer of 64 bits",
        "An integer64 has digits and perhaps a minus, and no leading 0; in JSON it is a string, for \
         many programs read JSON numbers with 53 bits.",
        "https://hl7.org/fhir/R5/datatypes.html#integer64",
    ],
);

/// A value is no integer from 0 on.
pub static UNSIGNED_INT: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-unsigned-int",
        "a value is no integer from 0 on",
        "0 to 2147483647, without a sign and without leading 0.",
        "https://hl7.org/fhir/R4/datatypes.html#unsignedInt",
    ],
);

/// A value is no integer from 1 on.
pub static POSITIVE_INT: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-positive-int",
        "a value is no integer from 1 on",
        "1 to 2147483647, without a sign and without leading 0.",
        "https://hl7.org/fhir/R4/datatypes.html#positiveInt",
    ],
);

/// A value is no decimal.
pub static DECIMAL: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-decimal",
        "a value is no decimal",
        "Digits, perhaps with a minus, a fraction and an exponent, as JSON writes numbers; no leading \
         0, and a digit on either side of the point. From R5 on at most 18 digits before the point, \
         17 behind it.",
        "https://hl7.org/fhir/R4/datatypes.html#decimal",
    ],
);

/// A decimal has more digits than most programs can keep.
pub static DECIMAL_RANGE: Rule = Rule::warning(
    IssueType::Value,
    [
        "fhir-decimal-range",
        "a decimal has more digits than most programs can keep",
        "Programs keep 15 to 18 digits, and round the rest away without a word. Write no more digits \
         than were measured.",
        "https://hl7.org/fhir/R4/datatypes.html#decimal",
    ],
);

/// A string is white space only.
pub static STRING_BLANK: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-string-blank",
        "a string is white space only",
        "It says nothing. Leave the element out.",
        "https://hl7.org/fhir/R4/datatypes.html#string",
    ],
);

/// A string begins or ends with white space.
pub static STRING_SPACE: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-string-space",
        "a string begins or ends with white space",
        "Two texts that look the same are then different: searches and comparisons fail. Trim it.",
        "https://hl7.org/fhir/R4/datatypes.html#string",
    ],
);

/// A string is longer than 1 MB.
pub static STRING_LENGTH: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-string-length",
        "a string is longer than 1 MB",
        "FHIR allows 1,048,576 characters. Put longer text into an Attachment or a Binary.",
        "https://hl7.org/fhir/R4/datatypes.html#string",
    ],
);

/// A value holds a control character.
pub static CONTROL_CHARACTER: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-control-character",
        "a value holds a control character",
        "XML can not carry it, so the value is lost or refused when the resource is written as XML.",
        "https://hl7.org/fhir/R4/datatypes.html#string",
    ],
);

/// A value turns the writing direction and does not turn it back.
pub static DIRECTION: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-writing-direction",
        "a value turns the writing direction and does not turn it back",
        "What follows is shown in another order than it is stored, so that people read something else \
         than programs do.",
        "https://hl7.org/fhir/R4/datatypes.html#string",
    ],
);

/// A code has white space at an end, or more than a space within.
pub static CODE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-code-space",
        "a code has white space at an end, or more than a space within",
        "A code is compared letter by letter: one with a stray space is another code, and found \
         nowhere.",
        "https://hl7.org/fhir/R4/datatypes.html#code",
    ],
);

/// A value is no id.
pub static ID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-id",
        "a value is no id",
        "1 to 64 letters, digits, - and ., nothing else: ids are parts of URLs.",
        "https://hl7.org/fhir/R4/datatypes.html#id",
    ],
);

/// The id of a resource has characters that an id can not have.
pub static RESOURCE_ID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-resource-id",
        "the id of a resource has characters that an id can not have",
        "An id is a part of the URL of the resource: letters, digits, - and . only.",
        "https://hl7.org/fhir/R4/resource.html#id",
    ],
);

/// The id of a resource is longer than 64 characters.
pub static RESOURCE_ID_LENGTH: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-resource-id-length",
        "the id of a resource is longer than 64 characters",
        "Servers refuse it, or cut it off so that references lead elsewhere.",
        "https://hl7.org/fhir/R4/resource.html#id",
    ],
);

/// An OID does not begin with urn:oid:.
pub static OID_PREFIX: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-oid-prefix",
        "an OID does not begin with urn:oid:",
        "An oid is a URI: write urn:oid:2.16.840.1, not 2.16.840.1.",
        "https://hl7.org/fhir/R4/datatypes.html#oid",
    ],
);

/// An OID is malformed.
pub static OID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-oid",
        "an OID is malformed",
        "Numbers without leading 0 with points between, the first of them 0, 1 or 2, and long enough \
         to be the name of something.",
        "https://hl7.org/fhir/R4/datatypes.html#oid",
    ],
);

/// A UUID does not begin with urn:uuid:.
pub static UUID_PREFIX: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-uuid-prefix",
        "a UUID does not begin with urn:uuid:",
        "A uuid is a URI: write urn:uuid: before it.",
        "https://hl7.org/fhir/R4/datatypes.html#uuid",
    ],
);

/// A UUID is malformed or not in lower case.
pub static UUID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-uuid",
        "a UUID is malformed or not in lower case",
        "8-4-4-4-12 hexadecimal digits in lower case: URIs are compared letter by letter, so one in \
         upper case is another one.",
        "https://hl7.org/fhir/R4/datatypes.html#uuid",
    ],
);

/// A URI holds white space.
pub static URI_SPACE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-uri-space",
        "a URI holds white space",
        "No URI has white space; written as %20 it may.",
        "https://hl7.org/fhir/R4/datatypes.html#uri",
    ],
);

/// A URI begins with oid:.
pub static URI_OID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-uri-oid",
        "a URI begins with oid:",
        "There is no such scheme: write urn:oid:.",
        "https://hl7.org/fhir/R4/datatypes.html#uri",
    ],
);

/// A URI begins with uuid:.
pub static URI_UUID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-uri-uuid",
        "a URI begins with uuid:",
        "There is no such scheme: write urn:uuid:.",
        "https://hl7.org/fhir/R4/datatypes.html#uri",
    ],
);

/// A canonical URL is neither absolute nor a fragment.
pub static CANONICAL: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-canonical-absolute",
        "a canonical URL is neither absolute nor a fragment",
        "A canonical URL names a definition wherever it is stored, so it can not be relative to a \
         server: write http://.../Questionnaire/x, or #x for a contained one.",
        "https://hl7.org/fhir/R4/datatypes.html#canonical",
    ],
);

/// The canonical URL of a resource is not absolute.
pub static URL_ABSOLUTE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-url-absolute",
        "the canonical URL of a resource is not absolute",
        "Others refer to the resource by this URL, from anywhere. Give it a full one.",
        "https://hl7.org/fhir/R4/references.html#canonical",
    ],
);

/// A URL leads to a place of the document that is not there.
pub static FRAGMENT: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-fragment",
        "a URL leads to a place of the document that is not there",
        "#x is the contained resource, or the element, whose id is x. Put it in, or correct the name.",
        "https://hl7.org/fhir/R4/references.html#canonical-fragments",
    ],
);

/// A URL of an example stands where examples are not allowed.
pub static EXAMPLE_URL: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-example-url",
        "a URL of an example stands where examples are not allowed",
        "example.org and its like lead nowhere. Use the URL that is meant.",
        "https://hl7.org/fhir/R4/datatypes.html#uri",
    ],
);

/// A value is no base64.
pub static BASE64: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-base64",
        "a value is no base64",
        "Letters, digits, + and / in groups of four, the last filled up with =. What does not fit can \
         not be decoded, so the content is lost.",
        "https://hl7.org/fhir/R4/datatypes.html#base64Binary",
    ],
);

/// Base64 has white space in it.
pub static BASE64_SPACE: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-base64-space",
        "base64 has white space in it",
        "RFC 4648 allows none; many decoders refuse it.",
        "https://hl7.org/fhir/R4/datatypes.html#base64Binary",
    ],
);

/// Base64 has white space in it, which R5 forbids.
pub static BASE64_SPACE_R5: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-base64-space-r5",
        "base64 has white space in it, which R5 forbids",
        "RFC 4648 allows none, and since R5 neither does FHIR. Write it in one line.",
        "https://hl7.org/fhir/R5/datatypes.html#base64Binary",
    ],
);

/// A value is no date.
pub static DATE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-date",
        "a value is no date",
        "YYYY, YYYY-MM or YYYY-MM-DD, of a day that the calendar has.",
        "https://hl7.org/fhir/R4/datatypes.html#date",
    ],
);

/// A value is no date or time.
pub static DATE_TIME: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-date-time",
        "a value is no date or time",
        "A date, or YYYY-MM-DDThh:mm:ss with a time zone: seconds must be there, 24:00 is not \
         allowed, and the calendar must have the day.",
        "https://hl7.org/fhir/R4/datatypes.html#dateTime",
    ],
);

/// A time has no time zone.
pub static ZONE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-date-time-zone",
        "a time has no time zone",
        "Without a zone nobody else knows when it was. Add Z or an offset such as +01:00.",
        "https://hl7.org/fhir/R4/datatypes.html#dateTime",
    ],
);

/// A value is no instant.
pub static INSTANT: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-instant",
        "a value is no instant",
        "YYYY-MM-DDThh:mm:ss with a time zone, perhaps with fractions of a second.",
        "https://hl7.org/fhir/R4/datatypes.html#instant",
    ],
);

/// A value is no time of day.
pub static TIME: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-time",
        "a value is no time of day",
        "hh:mm:ss, perhaps with fractions of a second, without a zone; 24:00 is not allowed.",
        "https://hl7.org/fhir/R4/datatypes.html#time",
    ],
);

/// A year lies before 1800.
pub static YEAR: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-year",
        "a year lies before 1800",
        "That is most often a slip: 0026 for 2026.",
        "https://hl7.org/fhir/R4/datatypes.html#date",
    ],
);

/// A value holds what looks like HTML.
pub static HTML: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-html-in-text",
        "a value holds what looks like HTML",
        "Text is no markup. A program that shows it as HTML would run what is in it; one that does \
         not shows the tags.",
        "https://hl7.org/fhir/R4/security.html#narrative",
    ],
);

/// Markdown holds HTML.
pub static HTML_IN_MARKDOWN: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-html-in-markdown",
        "markdown holds HTML",
        "FHIR markdown has no HTML: it is shown with its tags, or dropped. Write markdown, or put a \
         backslash before <.",
        "https://hl7.org/fhir/R4/datatypes.html#markdown",
    ],
);

/// The system of an identifier is no absolute URI.
pub static IDENTIFIER_SYSTEM: Rule = Rule::error(
    IssueType::CodeInvalid,
    [
        "fhir-identifier-system",
        "the system of an identifier is no absolute URI",
        "A system says who gave the identifier, to everybody. Use an http:, https: or urn: URI.",
        "https://hl7.org/fhir/R4/datatypes.html#Identifier",
    ],
);

/// An identifier says that its value is a URI, and it is none.
pub static IDENTIFIER_URI: Rule = Rule::error(
    IssueType::CodeInvalid,
    [
        "fhir-identifier-uri",
        "an identifier says that its value is a URI, and it is none",
        "With the system urn:ietf:rfc:3986 the value must be a whole URI: urn:oid:2.16.840.1, not \
         2.16.840.1.",
        "https://hl7.org/fhir/R4/datatypes.html#Identifier",
    ],
);

/// An identifier has the URL of RFC 4122 as its system.
pub static IDENTIFIER_UUID: Rule = Rule::error(
    IssueType::CodeInvalid,
    [
        "fhir-identifier-uuid",
        "an identifier has the URL of RFC 4122 as its system",
        "A UUID as an identifier has the system urn:ietf:rfc:3986 and the value urn:uuid:....",
        "https://hl7.org/fhir/R4/datatypes.html#Identifier",
    ],
);
