//! A vendor pack, typed. `profiles/vendors/README.md` describes the format; the two say the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::declared::Statement;
use super::fact::{SourceEntry, Told};
use super::ladder::{Kind, LadderStep};

/// What is known of one vendor's servers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The version of the format: 1.
    pub format: u32,
    /// Its name in the configuration: `epic`.
    pub name: String,
    /// Whose servers: `Epic`.
    pub title: String,
    /// The version of its content: year and month, and a number.
    pub version: String,
    /// Where its facts come from, by key.
    pub sources: BTreeMap<String, SourceEntry>,
    /// By what a server of this vendor can be known.
    #[serde(default, rename = "match")]
    pub matches: Vec<Match>,
    /// How to log in.
    #[serde(default)]
    pub login: Login,
    /// What a server of this vendor says of itself.
    pub statement: Option<Statement>,
    /// What the servers can do otherwise than their statements say.
    #[serde(default, rename = "resource")]
    pub rules: Vec<Rule>,
    /// How to search.
    #[serde(default)]
    pub search: Search,
    /// How much is too much.
    #[serde(default)]
    pub limits: Limits,
    /// How often is too often; all of them hold.
    #[serde(default)]
    pub rate: Vec<Rate>,
    /// Error codes of the vendor's own.
    #[serde(default)]
    pub codes: Codes,
    /// Values that a write must have.
    #[serde(default, rename = "fixed")]
    pub fixed: Vec<FixedCode>,
    /// References that a write needs.
    #[serde(default, rename = "reference")]
    pub references: Vec<RequiredReference>,
    /// The shape of a document.
    #[serde(default)]
    pub document: Document,
    /// How far up each kind gets.
    #[serde(default)]
    pub ladder: Vec<LadderStep>,
    /// How writes behave.
    #[serde(default)]
    pub writes: Writes,
    /// How long things take.
    #[serde(default)]
    pub timing: Timing,
    /// What a person should know, and no program acts on.
    #[serde(default, rename = "note")]
    pub notes: Vec<Note>,
}

/// By what a server is known. All members that are there must hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The end of the host's name; `*` is any one label: `healthlake.*.amazonaws.com`.
    pub host: Option<String>,
    /// `CapabilityStatement.publisher`, whole.
    pub publisher: Option<String>,
    /// `CapabilityStatement.software.name`, whole: never enough by itself.
    pub software: Option<String>,
    /// What the path of `implementation.url` contains, in any case of letters.
    pub path: Option<String>,
    /// A system interaction that the statement lists.
    pub declares: Option<String>,
    /// The key of its source.
    pub source: String,
}

/// How to log in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// In which way.
    pub method: Option<Told<LoginMethod>>,
    /// With which signatures of the assertion, the best first.
    pub signing: Option<Told<Vec<Signing>>>,
    /// Whether the token request says `scope`.
    pub send_scope: Option<Told<bool>>,
    /// Whether a scope may be `system/*.…`.
    pub scope_wildcards: Option<Told<bool>>,
    /// The longest life of an assertion, in seconds.
    pub assertion_seconds: Option<Told<u32>>,
    /// The longest `jti`, in characters.
    pub jti_characters: Option<Told<u32>>,
    /// Whether keys are registered by the URL of a JWKS and no longer one by one.
    pub jwks_url_required: Option<Told<bool>>,
    /// How long the server may keep a JWKS that it fetched, in seconds.
    pub jwks_cache_seconds: Option<Told<u32>>,
    /// How long a token lives, in seconds; `expires_in` of the answer counts more.
    pub token_seconds: Option<Told<u32>>,
    /// Whether token requests count against the rate.
    pub token_counts_as_request: Option<Told<bool>>,
}

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginMethod {
    /// SMART Backend Services.
    SmartBackend,
    /// A bearer token that a command of the platform prints.
    BearerCommand,
    /// Whatever whoever runs the server has set up.
    Configured,
}

/// A signature algorithm (RFC 7518).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Signing {
    /// RSA with SHA-384.
    RS384,
    /// ECDSA on P-384.
    ES384,
}

/// What a server does otherwise than its statement says of a type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The type, or `system`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// What it does although it is not said; needs `beyond_statement = true`.
    #[serde(default)]
    pub allow: Vec<String>,
    /// What is not to be tried although it is said.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Whether it goes beyond the statement.
    #[serde(default)]
    pub beyond_statement: bool,
    /// The key of its source.
    pub source: String,
    /// Why, or with what limits.
    pub note: Option<String>,
}

/// How to search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// What `Prefer: handling=strict` is worth.
    pub strict: Option<Told<StrictLookUp>>,
    /// How changes since a moment are asked for.
    pub last_updated: Option<Told<LastUpdated>>,
    /// Whether a POST to `_search` minds the query string of its URL.
    pub post_minds_query_string: Option<Told<bool>>,
    /// Whether an answer can come out of a cache unless `Cache-Control: no-cache` is sent.
    pub cached: Option<Told<bool>>,
    /// Searches that need a value, asked one value at a time and laid together.
    #[serde(default, rename = "query")]
    pub queries: Vec<QueryOneByOne>,
    /// Parameters that are passed over in silence.
    #[serde(default)]
    pub ignored: Vec<Ignored>,
}

/// What strict handling of a search is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrictLookUp {
    /// An unknown parameter is refused.
    Refused,
    /// An unknown parameter finds nothing, which looks like absence.
    Empty,
    /// An unknown parameter is passed over, and everything is found.
    Ignored,
}

/// How changes since a moment are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastUpdated {
    /// The parameter's name; nothing where there is none.
    pub parameter: Option<String>,
    /// Whether it must be a closed pair of `ge` and `le`.
    #[serde(default)]
    pub closed: bool,
    /// Whether it tells of every change; if not, a sweep must look as well.
    #[serde(default)]
    pub complete: bool,
}

/// A search that needs a value, asked one value at a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryOneByOne {
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The parameter.
    pub parameter: String,
    /// Its values, each a search of its own.
    pub values: Vec<String>,
    /// The key of its source.
    pub source: String,
    /// What else there is to know.
    pub note: Option<String>,
}

/// Parameters that are passed over in silence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ignored {
    /// The type, or `*`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The parameters.
    pub parameters: Vec<String>,
    /// The key of its source.
    pub source: String,
    /// When.
    pub note: Option<String>,
}

/// How much is too much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Entries of a Bundle.
    pub max_entries: Option<Told<usize>>,
    /// Entries of a Bundle in which any entry is conditional.
    pub max_conditional_entries: Option<Told<usize>>,
    /// Updates in a Bundle.
    pub max_update_entries: Option<Told<usize>>,
    /// Bytes of a Bundle.
    pub bundle_bytes: Option<Told<u64>>,
    /// Seconds that a Bundle may take.
    pub bundle_seconds: Option<Told<u32>>,
    /// Entries of a page.
    pub page_size: Option<Told<u32>>,
    /// Characters of an element.
    #[serde(default)]
    pub text: Vec<TextLimit>,
}

/// How long a text may be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLimit {
    /// The element: `Condition.note`.
    pub element: String,
    /// How many characters.
    pub characters: u32,
    /// The key of its source.
    pub source: String,
    /// What else there is to know.
    pub note: Option<String>,
}

/// How often is too often.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many requests.
    pub requests: u32,
    /// In how many seconds.
    pub seconds: u32,
    /// Whether the count begins anew when the clock's minute does, and not with the first request.
    #[serde(default)]
    pub aligned: bool,
    /// What is counted together.
    pub per: String,
    /// The key of its source.
    pub source: String,
    /// What else there is to know.
    pub note: Option<String>,
}

/// Error codes of the vendor's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// Where they stand in an answer.
    pub place: Option<Told<CodePlace>>,
    /// What a code means that is not listed.
    pub other: Option<Told<CodeClass>>,
    /// The codes.
    #[serde(default, rename = "code")]
    pub list: Vec<Code>,
}

/// Where a code stands in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodePlace {
    /// `OperationOutcome.issue.details.coding.code`.
    Coding,
    /// The number `status` of a body that is no OperationOutcome. It is never an HTTP status.
    BodyStatus,
}

/// An error code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code.
    pub code: String,
    /// The element that the answer names with it, where the meaning depends on that: `code/instant`.
    pub at: Option<String>,
    /// What to do about it.
    pub class: CodeClass,
    /// What it means, for a person, in our words.
    pub meaning: String,
    /// The key of its source.
    pub source: String,
}

/// What to do about an error code (ehrs-and-sync.md 3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeClass {
    /// Done.
    Success,
    /// It is there: verify, then take it as acknowledged.
    AlreadyThere,
    /// Done, and the answer may be incomplete: a pull is partial.
    Incomplete,
    /// Try again with growing pauses.
    Transient,
    /// Try again once.
    RetryOnce,
    /// Begin the search anew.
    RestartSearch,
    /// Pause until tomorrow.
    NextDay,
    /// Who asks may not: learn the refusal.
    Denied,
    /// A policy protects this patient or visit: never try again by itself.
    Policy,
    /// The patient was merged into another: freeze until a person has confirmed.
    Merged,
    /// It is not there.
    Gone,
    /// What it refers to is not there.
    Dependency,
    /// The content can't be taken as it is.
    Permanent,
}

impl CodeClass {
    /// The word in a pack.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::AlreadyThere => "already-there",
            Self::Incomplete => "incomplete",
            Self::Transient => "transient",
            Self::RetryOnce => "retry-once",
            Self::RestartSearch => "restart-search",
            Self::NextDay => "next-day",
            Self::Denied => "denied",
            Self::Policy => "policy",
            Self::Merged => "merged",
            Self::Gone => "gone",
            Self::Dependency => "dependency",
            Self::Permanent => "permanent",
        }
    }
}

/// The one code that an element of a type may have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedCode {
    /// In which type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// In which element, a CodeableConcept: `verificationStatus`.
    pub element: String,
    /// The code system.
    pub system: String,
    /// The code.
    pub code: String,
    /// The key of its source.
    pub source: String,
    /// What else there is to know.
    pub note: Option<String>,
}

/// A reference that a write needs. One that is missing waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredReference {
    /// Of which kind of content.
    pub kind: Kind,
    /// In which type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// In which element: `context.encounter`.
    pub element: String,
    /// To which types; one of them.
    pub targets: Vec<String>,
    /// The key of its source.
    pub source: String,
    /// What else there is to know.
    pub note: Option<String>,
}

/// The shape of a document that is filed as a DocumentReference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// MIME types that are taken, the one to use first.
    pub mime_types: Option<Told<Vec<String>>>,
    /// `docStatus` that are taken, the one to use first.
    pub doc_status: Option<Told<Vec<String>>>,
    /// How many `content` there must be.
    pub contents: Option<Told<u32>>,
    /// Whether `identifier` may be there.
    pub identifier: Option<Told<bool>>,
    /// Whether `relatesTo` may be there.
    pub relates_to: Option<Told<bool>>,
    /// Whether `context.period.end` with a time must be there.
    pub period_end: Option<Told<bool>>,
    /// Whether FHIR may be attached as a file.
    pub embedded_fhir: Option<Told<bool>>,
    /// Bytes of an attachment.
    pub bytes: Option<Told<u64>>,
    /// Whether what is attached is given back as the address of a Binary.
    pub as_binary: Option<Told<bool>>,
    /// LOINC codes for the plan, the one to use first.
    pub plan_types: Option<Told<Vec<String>>>,
    /// LOINC codes for a session, the one to use first.
    pub session_types: Option<Told<Vec<String>>>,
    /// How a newer note takes the place of an older one.
    pub supersede: Option<Told<Supersede>>,
    /// Whether a note is taken back by `status` = `entered-in-error`.
    pub retract: Option<Told<bool>>,
}

/// How a newer note takes the place of an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supersede {
    /// A new one with `relatesTo` = `replaces`.
    RelatesTo,
    /// An update of the old one.
    Update,
    /// Not at all: the new one says so in its first line, and the old one stays.
    None,
}

/// How structure travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// One Bundle, all or nothing.
    Transaction,
    /// Bundles of independent entries.
    Batch,
    /// One by one.
    Single,
}

impl Transport {
    /// The word in a pack.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Batch => "batch",
            Self::Single => "single",
        }
    }
}

/// How writes behave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writes {
    /// How structure travels, the best first.
    pub transports: Option<Told<Vec<Transport>>>,
    /// Whether a transaction that fails leaves nothing behind.
    pub rollback: Option<Told<bool>>,
    /// The header that makes a request safe to repeat.
    pub idempotency_header: Option<Told<String>>,
    /// Whether two conditional creates at once can make two resources.
    pub conditional_create_races: Option<Told<bool>>,
    /// Whether If-Match is minded by an update.
    pub if_match_update: Option<Told<bool>>,
    /// Whether If-Match is minded by a conditional update.
    pub if_match_conditional_update: Option<Told<bool>>,
    /// Whether If-Match is minded by a delete.
    pub if_match_delete: Option<Told<bool>>,
    /// HTTP statuses that a version conflict may have.
    pub conflict_statuses: Option<Told<Vec<u16>>>,
    /// Types of which what was written may wait where no search finds it; `*` for all.
    pub holding_tank: Option<Told<Vec<String>>>,
}

/// How long things take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// The longest that a transaction may run after its stamp, in seconds.
    pub tx_timeout_seconds: Option<Told<u32>>,
    /// How far a pull looks back before its cursor, in seconds.
    pub overlap_seconds: Option<Told<u32>>,
}

/// What a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// It.
    pub text: String,
    /// The key of its source.
    pub source: String,
}

impl Pack {
    /// The rule on a word of a type (or of the system), and whether it allows.
    pub fn rule(&self, resource_type: &str, word: &str) -> Option<(bool, &Rule)> {
        let is_named = |words: &[String]| words.iter().any(|named| named == word);
        self.rules.iter().filter(|rule| rule.resource_type == resource_type).find_map(|rule| {
            let allows = is_named(&rule.allow);
            (allows || is_named(&rule.deny)).then_some((allows, rule))
        })
    }

    /// A source by its key.
    pub fn source(&self, key: &str) -> Option<&SourceEntry> {
        self.sources.get(key)
    }

    /// The rung of a kind.
    pub fn rung(&self, kind: Kind) -> Option<&LadderStep> {
        self.ladder.iter().find(|step| step.kind == kind)
    }

    /// What an error code means; the element that the answer names may decide.
    pub fn code(&self, code: &str, at: Option<&str>) -> Option<&Code> {
        let mut same = self.codes.list.iter().filter(|known| known.code == code);
        let exact = same.clone().find(|known| known.at.is_some() && known.at.as_deref() == at);
        exact.or_else(|| same.find(|known| known.at.is_none()))
    }

    /// What to do about an error code, also of one that is not listed; nothing where the pack does not say.
    pub fn code_class(&self, code: &str, at: Option<&str>) -> Option<CodeClass> {
        let listed = self.code(code, at).map(|code| code.class);
        listed.or_else(|| self.codes.other.as_ref().map(|other| other.value))
    }

    /// The references that a write of a type needs for a kind of content.
    pub fn references(
        &self,
        kind: Kind,
        resource_type: &str,
    ) -> impl Iterator<Item = &RequiredReference> {
        self.references.iter().filter(move |reference| {
            reference.kind == kind && reference.resource_type == resource_type
        })
    }

    /// The searches of a type that are asked value by value.
    pub fn queries(&self, resource_type: &str) -> impl Iterator<Item = &QueryOneByOne> {
        self.search.queries.iter().filter(move |query| query.resource_type == resource_type)
    }

    /// Whether a parameter of a type is passed over in silence.
    pub fn ignores(&self, resource_type: &str, parameter: &str) -> Option<&Ignored> {
        self.search.ignored.iter().find(|ignored| {
            (ignored.resource_type == "*" || ignored.resource_type == resource_type)
                && ignored.parameters.iter().any(|name| name == parameter)
        })
    }
}
