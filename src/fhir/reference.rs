//! References between resources: relative, absolute, `urn:uuid:`, contained; and walking all of them.

use std::fmt;
use std::str::FromStr;

use crate::json::Value;

use super::resource::{is_id, is_resource_type};

/// Type and id of a resource on a server: `Patient/123`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    resource_type: String,
    id: String,
}

/// A text is not of the form `Type/id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a resource type and an id, such as Patient/123")]
pub struct NotAResourceId;

impl ResourceId {
    /// Type and id, checked, so that neither can carry anything else into a URL.
    ///
    /// The ids `.` and `..`, which FHIR's form allows, are refused: no URL can name them.
    ///
    /// # Errors
    /// [`NotAResourceId`] if either has another form.
    pub fn new(resource_type: &str, id: &str) -> Result<Self, NotAResourceId> {
        if is_resource_type(resource_type) && is_id(id) && id != "." && id != ".." {
            Ok(Self { resource_type: resource_type.to_owned(), id: id.to_owned() })
        } else {
            Err(NotAResourceId)
        }
    }

    /// The type.
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl FromStr for ResourceId {
    type Err = NotAResourceId;

    fn from_str(text: &str) -> Result<Self, NotAResourceId> {
        let (resource_type, id) = text.split_once('/').ok_or(NotAResourceId)?;
        Self::new(resource_type, id)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.resource_type, self.id)
    }
}

/// What the text of a `Reference.reference` means (R4 2.3.0.1, 3.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `Patient/123`, with or without a version.
    Relative(ResourceId),
    /// `https://…/Patient/123`.
    Absolute(String),
    /// `urn:uuid:…` or `urn:oid:…`: an entry of the same Bundle.
    Urn(String),
    /// `#name`: a resource contained in this one.
    Contained(String),
    /// `Patient?identifier=…`: a search that the server resolves in a transaction.
    Conditional(String),
}

impl Reference {
    /// Reads the text of a reference; `None` if it has none of the forms.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix('#') {
            return Some(Self::Contained(name.to_owned()));
        }
        if text.starts_with("urn:") {
            return Some(Self::Urn(text.to_owned()));
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Some(Self::Absolute(text.to_owned()));
        }
        if text.contains('?') {
            return Some(Self::Conditional(text.to_owned()));
        }
        let unversioned = text.split_once("/_history/").map_or(text, |(before, _)| before);
        unversioned.parse().ok().map(Self::Relative)
    }
}

/// Calls a function for the text of every `Reference.reference` in a tree, deepest last.
pub fn for_each_reference<'a>(value: &'a Value, visit: &mut impl FnMut(&'a str)) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter() {
                match value {
                    Value::String(text) if name == "reference" => visit(text),
                    other => for_each_reference(other, visit),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                for_each_reference(item, visit);
            }
        }
        _ => {}
    }
}

/// Replaces the text of every `Reference.reference` in a tree for which the function has another.
pub fn rewrite_references(value: &mut Value, replace: &mut impl FnMut(&str) -> Option<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match value {
                    Value::String(text) if name == "reference" => {
                        if let Some(other) = replace(text) {
                            *text = other;
                        }
                    }
                    other => rewrite_references(other, replace),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                rewrite_references(item, replace);
            }
        }
        _ => {}
    }
}
