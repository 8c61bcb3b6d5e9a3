//! A resource: a lossless tree that has a `resourceType`.

use std::fmt;

use crate::json::{self, Object, Value};

/// A FHIR resource. `Debug` prints its type and id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    object: Object,
}

/// A tree is not a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not JSON that we take.
    #[error("the resource is not valid JSON: {0}")]
    Json(#[from] json::Error),
    /// It is JSON, but no object with a `resourceType` of FHIR's form.
    #[error("not a FHIR resource: no object with a resourceType")]
    NotAResource,
}

impl Resource {
    /// A resource of a type, with nothing in it yet.
    pub fn new(resource_type: &str) -> Self {
        let mut object = Object::new();
        object.put("resourceType", resource_type);
        Self { object }
    }

    /// Takes a tree as a resource.
    ///
    /// # Errors
    /// [`Error::NotAResource`] unless it is an object whose `resourceType` is an upper-case word.
    pub fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Object(object)
                if object
                    .get("resourceType")
                    .and_then(Value::as_str)
                    .is_some_and(is_resource_type) =>
            {
                Ok(Self { object })
            }
            _ => Err(Error::NotAResource),
        }
    }

    /// Parses a resource.
    ///
    /// # Errors
    /// [`Error::Json`] and [`Error::NotAResource`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_value(json::parse(bytes)?)
    }

    /// The type: `CarePlan`.
    pub fn resource_type(&self) -> &str {
        self.text("resourceType").unwrap_or_default()
    }

    /// The logical id, if the resource has one.
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// `meta.versionId`.
    pub fn version_id(&self) -> Option<&str> {
        self.get("meta")?.text("versionId")
    }

    /// An element by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.object.get(name)
    }

    /// The text of a string element.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The items of a repeating element; none where it is absent.
    pub fn items(&self, name: &str) -> std::slice::Iter<'_, Value> {
        self.get(name).and_then(Value::as_array).unwrap_or_default().iter()
    }

    /// The value of the identifier of a system; `identifier` may repeat or, as in QuestionnaireResponse, not.
    pub fn identifier(&self, system: &str) -> Option<&str> {
        let one = match self.get("identifier")? {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        one.iter()
            .find(|identifier| identifier.text("system") == Some(system))
            .and_then(|identifier| identifier.text("value"))
    }

    /// The elements.
    pub const fn object(&self) -> &Object {
        &self.object
    }

    /// The elements, to change them.
    pub const fn object_mut(&mut self) -> &mut Object {
        &mut self.object
    }

    /// The resource as a tree.
    pub fn into_value(self) -> Value {
        Value::Object(self.object)
    }

    /// A copy of the tree.
    pub fn to_value(&self) -> Value {
        Value::Object(self.object.clone())
    }

    /// The resource as compact JSON text.
    pub fn to_text(&self) -> String {
        self.to_value().to_text()
    }

    /// The same resource with these elements added, in order; absent and empty ones are left out.
    #[must_use]
    pub fn with(mut self, elements: Object) -> Self {
        for (name, value) in elements.into_members() {
            self.object.insert(name, value);
        }
        self
    }
}

/// Whether a text has the form of a resource type's name.
pub fn is_resource_type(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.chars().all(|character| character.is_ascii_alphabetic())
}

/// Whether a text is a logical id (R4 2.24.0.1 `id`): `[A-Za-z0-9\-.]{1,64}`.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

impl fmt::Debug for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.resource_type(), self.id().unwrap_or("-"))
    }
}
