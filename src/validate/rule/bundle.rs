//! Rules of Bundles (R4 2.35), of documents and messages, and of profiles that apply by themselves.

use super::{IssueType, Rule};

/// All of this file.
pub const ALL: &[&Rule] = &[
    &NO_FIRST_ENTRY,
    &NO_FIRST_RESOURCE,
    &NOT_A_COMPOSITION,
    &NOT_A_MESSAGE_HEADER,
    &NO_FULL_URL,
    &FULL_URL_RELATIVE,
    &FULL_URL_NO_ID,
    &FULL_URL_OTHER,
    &CANONICAL_AS_FULL_URL,
    &REQUEST_WITHOUT_RESOURCE,
    &REQUEST_WITH_RESOURCE,
    &LINK_TWICE,
    &LINK_PAGING,
    &STYLESHEET_OUTSIDE,
    &STYLESHEET_MISSING,
    &NOT_INSIDE,
    &URN_NOT_INSIDE,
    &LOOKALIKE,
    &SEVERAL_TARGETS,
    &NO_SUCH_PLACE,
    &SEVERAL_PLACES,
    &LINKED_BACKWARDS,
    &UNREACHABLE,
    &NO_SELF_LINK,
    &SELF_LINK_UNCLEAR,
    &NO_SEARCH_MODE,
    &SEARCH_NO_RESOURCE,
    &SEARCH_NO_ID,
    &SEARCH_OTHER_TYPE,
    &SEARCH_NO_OUTCOME,
    &VITAL_SIGN_CODE,
    &VITAL_SIGN_CATEGORY,
    &VITAL_SIGN_MEMBER,
    &VITAL_SIGN_COMPONENT,
    &VITAL_SIGN_VALUE,
    &VITAL_SIGN_UNIT,
];

/// A document or message has no entry.
pub static NO_FIRST_ENTRY: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-empty",
        "a document or message has no entry",
        "The first entry of a document is its Composition, that of a message its MessageHeader.",
        "https://hl7.org/fhir/R4/documents.html",
    ],
);

/// The first entry of a document or message has no resource.
pub static NO_FIRST_RESOURCE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-no-first-resource",
        "the first entry of a document or message has no resource",
        "The first entry of a document is its Composition, that of a message its MessageHeader.",
        "https://hl7.org/fhir/R4/documents.html",
    ],
);

/// The first entry of a document is no Composition.
pub static NOT_A_COMPOSITION: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-document-composition",
        "the first entry of a document is no Composition",
        "The Composition says what the document is and what belongs to it; readers take the first \
         entry for it.",
        "https://hl7.org/fhir/R4/documents.html",
    ],
);

/// The first entry of a message is no MessageHeader.
pub static NOT_A_MESSAGE_HEADER: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-message-header",
        "the first entry of a message is no MessageHeader",
        "Receivers take the first entry for the MessageHeader, which says what is to be done.",
        "https://hl7.org/fhir/R4/messaging.html",
    ],
);

/// An entry has no fullUrl.
pub static NO_FULL_URL: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-no-full-url",
        "an entry has no fullUrl",
        "But in transactions, batches and the answers to them, each entry needs a fullUrl: references \
         are resolved by it. Use the URL of the resource on its server, or urn:uuid:.",
        "https://hl7.org/fhir/R4/bundle.html#bundle-unique",
    ],
);

/// The fullUrl of an entry is not absolute.
pub static FULL_URL_RELATIVE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-full-url-relative",
        "the fullUrl of an entry is not absolute",
        "A fullUrl is an identity: http://server/fhir/Patient/1 or urn:uuid:..., never Patient/1.",
        "https://hl7.org/fhir/R4/bundle.html#bundle-unique",
    ],
);

/// The fullUrl of an entry is that of a server, and the resource has no id.
pub static FULL_URL_NO_ID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-full-url-no-id",
        "the fullUrl of an entry is that of a server, and the resource has no id",
        "A resource that comes from there has the id that ends the URL. Give it the id, or a \
         urn:uuid: as fullUrl.",
        "https://hl7.org/fhir/R4/bundle.html#bundle-unique",
    ],
);

/// The fullUrl of an entry is that of another resource.
pub static FULL_URL_OTHER: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-full-url-other",
        "the fullUrl of an entry is that of another resource",
        "The URL of a server ends with the type and the id of the resource, without a version. \
         Otherwise references lead to the wrong one.",
        "https://hl7.org/fhir/R4/bundle.html#bundle-unique",
    ],
);

/// The fullUrl of an entry is its canonical URL, and its id another.
pub static CANONICAL_AS_FULL_URL: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-canonical",
        "the fullUrl of an entry is its canonical URL, and its id another",
        "A canonical URL can be the fullUrl only where the resource is at home, and there the URL \
         ends with its id.",
        "https://hl7.org/fhir/R4/bundle.html#bundle-unique",
    ],
);

/// An entry is to be created or updated, and has no resource.
pub static REQUEST_WITHOUT_RESOURCE: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-transaction-no-resource",
        "an entry is to be created or updated, and has no resource",
        "POST and PUT send a resource. A server will refuse the whole transaction.",
        "https://hl7.org/fhir/R4/http.html#transaction",
    ],
);

/// An entry reads or deletes, and has a resource.
pub static REQUEST_WITH_RESOURCE: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-transaction-resource",
        "an entry reads or deletes, and has a resource",
        "GET, HEAD and DELETE have none; a server ignores it.",
        "https://hl7.org/fhir/R4/http.html#transaction",
    ],
);

/// A link of a Bundle is there twice.
pub static LINK_TWICE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-link-twice",
        "a link of a Bundle is there twice",
        "Nobody can tell which of the two is meant.",
        "https://hl7.org/fhir/R4/bundle.html#links",
    ],
);

/// A Bundle that has no pages has a link to one.
pub static LINK_PAGING: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-link-paging",
        "a Bundle that has no pages has a link to one",
        "first, previous, next and last belong to search results and histories.",
        "https://hl7.org/fhir/R4/bundle.html#links",
    ],
);

/// A document takes its style sheet from elsewhere.
pub static STYLESHEET_OUTSIDE: Rule = Rule::warning(
    IssueType::BusinessRule,
    [
        "fhir-document-stylesheet",
        "a document takes its style sheet from elsewhere",
        "What a clinician sees then depends on something that may change. Put it into the Bundle as a \
         Binary.",
        "https://hl7.org/fhir/R4/documents.html",
    ],
);

/// The style sheet of a document is not in the Bundle.
pub static STYLESHEET_MISSING: Rule = Rule::error(
    IssueType::NotFound,
    [
        "fhir-document-stylesheet-missing",
        "the style sheet of a document is not in the Bundle",
        "The link is Binary/id of an entry, or absolute.",
        "https://hl7.org/fhir/R4/documents.html",
    ],
);

/// A reference leads to nothing in the Bundle.
pub static NOT_INSIDE: Rule = Rule::error(
    IssueType::NotFound,
    [
        "fhir-bundle-not-inside",
        "a reference leads to nothing in the Bundle",
        "What a Composition or MessageHeader refers to must come along: a receiver may have no way to \
         fetch it.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A urn: leads to nothing in the Bundle.
pub static URN_NOT_INSIDE: Rule = Rule::error(
    IssueType::NotFound,
    [
        "fhir-bundle-urn-not-inside",
        "a urn: leads to nothing in the Bundle",
        "A urn:uuid: can not be fetched from anywhere: if it is not in the Bundle, it is lost.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A reference leads to nothing, though an entry has the type and id.
pub static LOOKALIKE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-lookalike",
        "a reference leads to nothing, though an entry has the type and id",
        "References in a Bundle go by fullUrl, not by id: a relative one is taken from the server of \
         the entry in which it stands. Make the fullUrls of one server, or refer by the fullUrl \
         itself.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// Several entries have the URL of a reference.
pub static SEVERAL_TARGETS: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-several-targets",
        "several entries have the URL of a reference",
        "Nobody can tell which is meant. Each entry has its own fullUrl.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A link leads to a place that the resource does not have.
pub static NO_SUCH_PLACE: Rule = Rule::error(
    IssueType::NotFound,
    [
        "fhir-bundle-no-place",
        "a link leads to a place that the resource does not have",
        "What follows # is the id of an element, or of a place in the narrative, of the resource.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// A link leads to several places of a resource.
pub static SEVERAL_PLACES: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-bundle-several-places",
        "a link leads to several places of a resource",
        "Several elements have the id. Give each its own.",
        "https://hl7.org/fhir/R4/bundle.html#references",
    ],
);

/// An entry is not referred to, it only refers to others.
pub static LINKED_BACKWARDS: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-bundle-backwards",
        "an entry is not referred to, it only refers to others",
        "Before R5 only Provenance may be in a document that way. Refer to it from the Composition or \
         from what that refers to.",
        "https://hl7.org/fhir/R4/documents.html#content",
    ],
);

/// An entry has no link with the first one.
pub static UNREACHABLE: Rule = Rule::error(
    IssueType::Informational,
    [
        "fhir-bundle-unreachable",
        "an entry has no link with the first one",
        "All in a document belongs to its Composition, directly or not. What nobody refers to is not \
         shown, and yet sent.",
        "https://hl7.org/fhir/R4/documents.html#content",
    ],
);

/// A search result does not say what was searched for.
pub static NO_SELF_LINK: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-search-no-self",
        "a search result does not say what was searched for",
        "A server tells in the self link which parameters it understood; without it nobody can tell \
         whether one was ignored.",
        "https://hl7.org/fhir/R4/search.html#conformance",
    ],
);

/// The self link of a search result names no type.
pub static SELF_LINK_UNCLEAR: Rule = Rule::information(
    IssueType::Invalid,
    [
        "fhir-search-self-unclear",
        "the self link of a search result names no type",
        "So it is not checked whether the entries fit.",
        "https://hl7.org/fhir/R4/search.html#conformance",
    ],
);

/// An entry of a search result does not say why it is there.
pub static NO_SEARCH_MODE: Rule = Rule::warning(
    IssueType::Invalid,
    [
        "fhir-search-mode",
        "an entry of a search result does not say why it is there",
        "search.mode tells matches from what was included; without it included resources are counted \
         as found.",
        "https://hl7.org/fhir/R4/bundle.html#search",
    ],
);

/// An entry of a search result has no resource.
pub static SEARCH_NO_RESOURCE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-search-no-resource",
        "an entry of a search result has no resource",
        "There is nothing that could have been found.",
        "https://hl7.org/fhir/R4/bundle.html#search",
    ],
);

/// A resource of a search result has no id.
pub static SEARCH_NO_ID: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-search-no-id",
        "a resource of a search result has no id",
        "What was found is on a server, and so has an id.",
        "https://hl7.org/fhir/R4/bundle.html#search",
    ],
);

/// A resource of a search result is not of the type that was searched for.
pub static SEARCH_OTHER_TYPE: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-search-other-type",
        "a resource of a search result is not of the type that was searched for",
        "A match has the type of the search; others are includes or outcomes.",
        "https://hl7.org/fhir/R4/bundle.html#search",
    ],
);

/// An outcome in a search result is no OperationOutcome.
pub static SEARCH_NO_OUTCOME: Rule = Rule::error(
    IssueType::Invalid,
    [
        "fhir-search-no-outcome",
        "an outcome in a search result is no OperationOutcome",
        "Entries with the mode outcome tell how the search went, and are OperationOutcomes.",
        "https://hl7.org/fhir/R4/bundle.html#search",
    ],
);

/// A vital sign lacks the LOINC code that its profile demands.
pub static VITAL_SIGN_CODE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-vital-sign-code",
        "a vital sign lacks the LOINC code that its profile demands",
        "All systems find a vital sign by one LOINC code. Add it as a further coding; others may \
         stand beside it.",
        "https://hl7.org/fhir/R4/observation-vitalsigns.html",
    ],
);

/// A vital sign is not in the category vital-signs.
pub static VITAL_SIGN_CATEGORY: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-vital-sign-category",
        "a vital sign is not in the category vital-signs",
        "Searches for vital signs go by the category.",
        "https://hl7.org/fhir/R4/observation-vitalsigns.html",
    ],
);

/// A vital sign lacks something that its profile demands.
pub static VITAL_SIGN_MEMBER: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-vital-sign-required",
        "a vital sign lacks something that its profile demands",
        "A vital sign says whose it is, when it was taken, and its value with unit, system and code.",
        "https://hl7.org/fhir/R4/observation-vitalsigns.html",
    ],
);

/// A blood pressure does not have one systolic and one diastolic component.
pub static VITAL_SIGN_COMPONENT: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-vital-sign-component",
        "a blood pressure does not have one systolic and one diastolic component",
        "Both are there, by their LOINC codes 8480-6 and 8462-4; one that was not taken has a \
         dataAbsentReason.",
        "https://hl7.org/fhir/R4/observation-vitalsigns.html",
    ],
);

/// A blood pressure has a value of its own.
pub static VITAL_SIGN_VALUE: Rule = Rule::error(
    IssueType::Structure,
    [
        "fhir-vital-sign-value",
        "a blood pressure has a value of its own",
        "The values stand in its components.",
        "https://hl7.org/fhir/R4/observation-vitalsigns.html",
    ],
);

/// The unit of a vital sign is not one of its profile.
pub static VITAL_SIGN_UNIT: Rule = Rule::error(
    IssueType::Value,
    [
        "fhir-vital-sign-unit",
        "the unit of a vital sign is not one of its profile",
        "Units are UCUM codes of a short list, so that values can be compared without converting.",
        "https://hl7.org/fhir/R4/observation-vitalsigns.html",
    ],
);
