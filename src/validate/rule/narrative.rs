//! Rules of the narrative's XHTML (R4 2.4.2, R5 2.1.15.2).

use super::{IssueType, Rule};

/// All of this file.
pub const ALL: &[&Rule] = &[
    &MALFORMED,
    &DOCUMENT_TYPE,
    &ENTITY,
    &INSTRUCTION,
    &TOO_DEEP,
    &NAMESPACE,
    &NAME,
    &ELEMENT,
    &ATTRIBUTE,
    &ATTRIBUTE_FORM,
    &XML_SPACE,
    &BLOCK_IN_PARAGRAPH,
    &CHILDREN,
    &NO_CHILDREN,
    &OUT_OF_PLACE,
    &BLOCK_IN_TEXT,
    &IN_ITSELF,
    &URL,
    &LINK_EMPTY,
    &LINK_ACTIVE,
    &LINK_SCHEME,
    &LINK_UNUSUAL,
    &LINK_UNRESOLVED,
    &LINK_AMBIGUOUS,
    &IMAGE_UNRESOLVED,
    &IMAGE_AMBIGUOUS,
];

/// The narrative is not well formed.
pub static MALFORMED: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-malformed",
        "the narrative is not well formed",
        "Each tag must be closed in order, quotes and brackets must match, and nothing may stand \
         outside of the div. Readers of XML refuse all else.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative has a document type.
pub static DOCUMENT_TYPE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-doctype",
        "the narrative has a document type",
        "A document type can define entities that read files or blow up to gigabytes; FHIR forbids \
         it. Take it out.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative has an entity that XML does not know.
pub static ENTITY: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-entity",
        "the narrative has an entity that XML does not know",
        "Without a document type only &amp; &lt; &gt; &quot; &apos; and numbers are known. Write \
         &#160; for &nbsp;.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative has a processing instruction.
pub static INSTRUCTION: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-instruction",
        "the narrative has a processing instruction",
        "FHIR does not use them: a narrative is a div and what is in it.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative is nested too deeply.
pub static TOO_DEEP: Rule = Rule::error(
    IssueType::TooCostly,
    [
        "fhir-xhtml-depth",
        "the narrative is nested too deeply",
        "No report needs more than 128 levels; programs that show it run out of room.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative is not in the namespace of XHTML.
pub static NAMESPACE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-namespace",
        "the narrative is not in the namespace of XHTML",
        "Write <div xmlns=\"http://www.w3.org/1999/xhtml\">; without it no reader of XML takes it for \
         HTML.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative is no div.
pub static NAME: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-div",
        "the narrative is no div",
        "The one outer element of a narrative is a div.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative has an element that is not allowed.
pub static ELEMENT: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-element",
        "the narrative has an element that is not allowed",
        "Only basic formatting, tables, lists, links and images are allowed. script, style, iframe, \
         forms and objects can run code or load from elsewhere.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative has an attribute that is not allowed.
pub static ATTRIBUTE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-attribute",
        "the narrative has an attribute that is not allowed",
        "Event handlers (onclick, onload, ...) run code; others have no meaning in a narrative. Take \
         it out.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// An attribute of the narrative has no value in quotes.
pub static ATTRIBUTE_FORM: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-xhtml-attribute-form",
        "an attribute of the narrative has no value in quotes",
        "HTML allows that, XML does not: write border=\"1\", not border=1.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// The narrative uses xml:space.
pub static XML_SPACE: Rule = Rule::information(
    IssueType::Invalid,
    [
        "fhir-xhtml-xml-space",
        "the narrative uses xml:space",
        "It is legal, has only one value (preserve), and is discouraged.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A paragraph of the narrative holds a block.
pub static BLOCK_IN_PARAGRAPH: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-paragraph",
        "a paragraph of the narrative holds a block",
        "A p holds text: browsers close it where a div, table, list or paragraph begins, and show \
         something else than was meant.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// An element of the narrative holds what it can not hold.
pub static CHILDREN: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-xhtml-children",
        "an element of the narrative holds what it can not hold",
        "A table holds rows, a row cells, a list items.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// An element of the narrative that is always empty holds something.
pub static NO_CHILDREN: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-xhtml-no-children",
        "an element of the narrative that is always empty holds something",
        "br, hr, img and area hold nothing.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// An element of the narrative stands where it can not stand.
pub static OUT_OF_PLACE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-xhtml-out-of-place",
        "an element of the narrative stands where it can not stand",
        "Rows stand in tables, cells in rows, items in lists.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// Text of the narrative holds a block.
pub static BLOCK_IN_TEXT: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-xhtml-block",
        "text of the narrative holds a block",
        "A div, pre, table or list can not stand in a paragraph, heading or span.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// An element of the narrative stands within itself.
pub static IN_ITSELF: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-xhtml-in-itself",
        "an element of the narrative stands within itself",
        "A link in a link, or bold in bold, has no meaning.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A URL in the narrative is malformed.
pub static URL: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-url",
        "a URL in the narrative is malformed",
        "It is empty, has characters that no URL has, or is a data: URL whose content does not fit.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A link of the narrative is empty.
pub static LINK_EMPTY: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-link-empty",
        "a link of the narrative is empty",
        "An a with an href of nothing leads nowhere. Take it out.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A link of the narrative would run code.
pub static LINK_ACTIVE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-link-active",
        "a link of the narrative would run code",
        "javascript: and vbscript: are a way into the program that shows it, and not allowed.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A link of the narrative can not be followed.
pub static LINK_SCHEME: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-link-scheme",
        "a link of the narrative can not be followed",
        "urn: and cid: name things and lead nowhere. Use http:, https:, mailto:, tel: or a place in \
         the document.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A link of the narrative has an unusual scheme.
pub static LINK_UNUSUAL: Rule = Rule::information(
    IssueType::Invalid,
    [
        "fhir-xhtml-link-unusual",
        "a link of the narrative has an unusual scheme",
        "Many programs can not follow it; look whether it is meant.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A link of the narrative leads to a place that is not there.
pub static LINK_UNRESOLVED: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-link-unresolved",
        "a link of the narrative leads to a place that is not there",
        "#x leads to the element or resource whose id is x. Put it in or take the link out.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// A link of the narrative leads to several places.
pub static LINK_AMBIGUOUS: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-xhtml-link-ambiguous",
        "a link of the narrative leads to several places",
        "Several elements have this id; a reader goes to whichever comes first.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// An image of the narrative is not there.
pub static IMAGE_UNRESOLVED: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-image-unresolved",
        "an image of the narrative is not there",
        "#x is the contained Binary, or the element, whose id is x. Put it in or take the image out.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);

/// Several things have the id of an image of the narrative.
pub static IMAGE_AMBIGUOUS: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-xhtml-image-ambiguous",
        "several things have the id of an image of the narrative",
        "Nobody can tell which is the image. Give each its own id.",
        "https://hl7.org/fhir/R4/narrative.html#xhtml",
    ],
);
