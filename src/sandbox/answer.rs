//! What an interaction answers: an [`Answer`], or a [`Refusal`] that becomes an OperationOutcome.
//!
//! A refusal's text is one of ours and quotes nothing that the client sent: bodies and searches may name a
//! person. The words of the request that are safe (a parameter's name, an entry's place) go into `expression`.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::fhir::outcome::operation_outcome;
use crate::fhir::{Resource, ResourceId};
use crate::object;

use super::store::Version;

/// The system of Epic's error codes (from memory: the OID that its examples show).
const EPIC_CODES: &str = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369";

/// What goes back to the client when the interaction was done.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: Option<Arc<Resource>>,
    /// A JSON body that is no resource.
    pub(super) other: Option<String>,
    /// The version that the answer is about.
    pub(super) version: Option<Stamp>,
    /// Whether `Location` is sent: the version was made, or found in the place of making it.
    pub(super) located: bool,
}

/// Which version of which resource, and when it was written.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// The resource.
    pub(super) id: ResourceId,
    /// The version's number.
    pub(super) number: u64,
    /// The version as this server names it; nothing if it names none.
    pub(super) tag: Option<String>,
    /// When it was written.
    pub(super) last_updated: Timestamp,
}

impl Stamp {
    /// The stamp of a version.
    pub(super) fn of(id: &ResourceId, version: &Version) -> Self {
        let (number, last_updated) = (version.number, version.last_updated);
        Self { id: id.clone(), number, tag: Some(number.to_string()), last_updated }
    }

    /// The entity tag, where versions are told.
    pub(super) fn etag(&self) -> Option<String> {
        self.tag.as_ref().map(|tag| format!("W/\"{tag}\""))
    }

    /// The version's place, relative to the base.
    pub(super) fn location(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{}/_history/{tag}", self.id),
            None => self.id.to_string(),
        }
    }
}

impl Answer {
    /// A body that is no stored version: a Bundle, the CapabilityStatement.
    pub(super) fn of(resource: Resource) -> Self {
        Self { body: Some(Arc::new(resource)), ..Self::empty(200) }
    }

    /// A status and no body.
    pub(super) const fn empty(status: u16) -> Self {
        Self { status, body: None, other: None, version: None, located: false }
    }

    /// A stored version with its content.
    pub(super) fn version(status: u16, id: &ResourceId, version: &Version) -> Self {
        let body = version.resource.clone();
        Self { body, version: Some(Stamp::of(id, version)), ..Self::empty(status) }
    }
}

/// Why an interaction was not done. Nothing was changed.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// FHIR's `issue-type` code.
    pub(super) code: &'static str,
    /// What is wrong, in words of ours.
    pub(super) text: Cow<'static, str>,
    /// Where it is wrong: `Bundle.entry[2]`, `http.name`.
    pub(super) expression: Option<String>,
    /// The version of the deletion that a 410 tells of.
    pub(super) version: Option<Box<Stamp>>,
    /// The methods that a 405 allows instead.
    pub(super) allow: &'static str,
    /// A number of Epic's, for `issue.details.coding`.
    pub(super) number: Option<&'static str>,
    /// Which resource there is instead.
    pub(super) moved: Option<Box<ResourceId>>,
}

impl Refusal {
    /// A refusal by status, issue type and text.
    pub(super) const fn new(status: u16, code: &'static str, text: &'static str) -> Self {
        let text = Cow::Borrowed(text);
        let (expression, version, number, moved) = (None, None, None, None);
        Self { status, code, text, expression, version, allow: "", number, moved }
    }

    /// 400: the request itself is wrong.
    pub(super) const fn invalid(text: &'static str) -> Self {
        Self::new(400, "invalid", text)
    }

    /// 412: a condition that the client set does not hold.
    pub(super) const fn precondition(text: &'static str) -> Self {
        Self::new(412, "conflict", text)
    }

    /// 404: there is no such resource.
    pub(super) const fn not_found() -> Self {
        Self::new(404, "not-found", "there is no such resource")
    }

    /// 410: the resource was deleted.
    pub(super) fn gone(id: &ResourceId, deletion: &Version) -> Self {
        let version = Some(Box::new(Stamp::of(id, deletion)));
        Self { version, ..Self::new(410, "deleted", "the resource was deleted") }
    }

    /// The same refusal with the place that it is about.
    pub(super) fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// The same refusal about a search parameter; its name is told only if it is a plain word.
    pub(super) fn at_parameter(self, name: &str) -> Self {
        let plain = name.len() <= 40
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_:".contains(&byte));
        if plain { self.at(format!("http.{name}")) } else { self }
    }

    /// The refusal as an OperationOutcome.
    pub(super) fn outcome(&self) -> Resource {
        let severity = if self.status >= 500 { "fatal" } else { "error" };
        let coding = self.number.map(|code| {
            object! { "coding" => vec![object! { "system" => EPIC_CODES, "code" => code }] }
        });
        let issue = object! {
            "severity" => severity,
            "code" => self.code,
            "details" => coding,
            "diagnostics" => self.text.as_ref(),
            "expression" => self.expression.as_deref().map(|place| vec![place]),
        };
        Resource::new("OperationOutcome").with(object! { "issue" => vec![issue] })
    }
}

/// The OperationOutcome of an interaction that went well (`Prefer: return=OperationOutcome`).
pub(super) fn success() -> Resource {
    operation_outcome("information", "informational", "the interaction was done")
}
