//! Reference searches (R4 3.1.1.4.13): `Patient/1`, `1`, and absolute URLs of this server and of others.

use crate::fhir::resource::is_id;
use crate::fhir::{Reference, ResourceId};
use crate::json::Value;

/// What a reference search asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A resource of this server, by type and id.
    Local(ResourceId),
    /// A resource of this server, by id alone.
    AnyType(String),
    /// Any other text: a foreign URL, a canonical, a `urn:`.
    Text(String),
}

impl Wanted {
    /// Reads a value; `target` is the only type that the parameter or its modifier allows.
    pub(super) fn parse(text: &str, base: &str, target: Option<&str>) -> Option<Self> {
        if let Some(local) = local(text, base) {
            return Some(Self::Local(local));
        }
        if is_id(text) {
            return Some(match target {
                Some(target) => Self::Local(ResourceId::new(target, text).ok()?),
                None => Self::AnyType(text.to_owned()),
            });
        }
        match Reference::parse(text)? {
            Reference::Absolute(_) | Reference::Urn(_) => Some(Self::Text(text.to_owned())),
            _ => None,
        }
    }

    /// Whether an element refers to it.
    pub(super) fn matches(&self, element: &Value, base: &str, target: Option<&str>) -> bool {
        let Some(text) = text_of(element) else { return false };
        let found = local(text, base);
        if target.is_some_and(|target| {
            found.as_ref().is_none_or(|found| found.resource_type() != target)
        }) {
            return false;
        }
        match self {
            Self::Local(wanted) => found.as_ref() == Some(wanted),
            Self::AnyType(wanted) => found.is_some_and(|found| found.id() == wanted),
            Self::Text(wanted) => {
                text == wanted || text.split_once('|').is_some_and(|(url, _)| url == wanted)
            }
        }
    }
}

/// The resource of this server that a reference's text means: relative, or absolute with our own base.
pub(in crate::sandbox) fn local(text: &str, base: &str) -> Option<ResourceId> {
    let relative = text.strip_prefix(base).and_then(|rest| rest.strip_prefix('/'));
    match Reference::parse(relative.unwrap_or(text))? {
        Reference::Relative(id) => Some(id),
        _ => None,
    }
}

/// The text of a Reference, or of a canonical, which is a string.
pub(in crate::sandbox) fn text_of(element: &Value) -> Option<&str> {
    element.text("reference").or_else(|| element.as_str())
}
