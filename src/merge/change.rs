//! What changed between two bodies, and the same change made to a third.
//!
//! An update sends base plus our change, not our mapping: the server may have added a coding, a label or a whole
//! element to what we wrote, and a bare mapping would wipe it (ehrs-and-sync.md 3.3).

use std::fmt;

use crate::fhir::Resource;
use crate::json::{Object, Value};

use super::list;
use super::normalise::{OWNED_BY_SERVER, normalise, tidy};

/// One place at which two bodies differ: where, and how long the value was and is. Never the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The place, as FHIRPath writes it: `Goal.target[0].dueDate`. Items are counted in the newer body.
    pub path: String,
    /// Characters of the value before; nothing if there was none.
    pub before: Option<usize>,
    /// Characters of the value after; nothing if there is none any more.
    pub after: Option<usize>,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.before, self.after) {
            (None, Some(after)) => write!(formatter, "{} added ({after} characters)", self.path),
            (Some(before), None) => {
                write!(formatter, "{} removed ({before} characters)", self.path)
            }
            (before, after) => write!(
                formatter,
                "{} changed ({} to {} characters)",
                self.path,
                before.unwrap_or_default(),
                after.unwrap_or_default()
            ),
        }
    }
}

/// The places at which what two resources say differs, in the order of their names.
pub fn changes(before: &Resource, after: &Resource) -> Vec<Change> {
    let mut found = Vec::new();
    compare(before.resource_type().to_owned(), &normalise(before), &normalise(after), &mut found);
    found
}

/// Compares two tidy values.
fn compare(path: String, before: &Value, after: &Value, found: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            let absent = after.iter().filter(|(name, _)| before.get(name).is_none());
            for (name, _) in before.iter().chain(absent) {
                let path = format!("{path}.{}", shown(name));
                one(path, before.get(name), after.get(name), found);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let (old_keys, new_keys) = (list::keys(before), list::keys(after));
            let at = |keys: &[list::Key], key: &list::Key| keys.iter().position(|one| one == key);
            for (index, (item, key)) in before.iter().zip(&old_keys).enumerate() {
                let place = at(&new_keys, key);
                let path = format!("{path}[{}]", place.unwrap_or(index));
                one(path, Some(item), place.and_then(|place| after.get(place)), found);
            }
            for (index, (item, key)) in after.iter().zip(&new_keys).enumerate() {
                if at(&old_keys, key).is_none() {
                    one(format!("{path}[{index}]"), None, Some(item), found);
                }
            }
            let order = |keys: &[list::Key], other: &[list::Key]| -> Vec<list::Key> {
                keys.iter().filter(|key| other.contains(key)).cloned().collect()
            };
            if order(&old_keys, &new_keys) != order(&new_keys, &old_keys) {
                found.push(Change { path: format!("{path}.order()"), before: None, after: None });
            }
        }
        (before, after) => {
            found.push(Change { path, before: Some(length(before)), after: Some(length(after)) });
        }
    }
}

fn one(path: String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before, after, found),
        (before, after) => {
            found.push(Change { path, before: before.map(length), after: after.map(length) });
        }
    }
}

/// The name of an element, if it has the form of one: a foreign document may hold anything in that place.
fn shown(name: &str) -> &str {
    let is_name = name.len() <= 64
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if is_name { name } else { "?" }
}

fn length(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_text().chars().count(), |text| text.chars().count())
}

/// The base with our change made to it: what was added, changed or removed from `old` to `new`, and nothing else.
///
/// Where nobody knows what our record said before, the new body stands as it is, with the labels of the base.
/// The id is that of the base; what the server owns in `meta` is left to the server.
#[must_use]
pub fn with_change(base: &Resource, old: Option<&Resource>, new: &Resource) -> Resource {
    let mut result = match old {
        Some(old) => object_with_change(base.object(), old.object(), new.object()),
        None => labelled(base.object(), new.object()),
    };
    if let Some(id) = base.get("id") {
        result.insert("id", id.clone());
    }
    if let Some(meta) = result.get_mut("meta").and_then(Value::as_object_mut) {
        meta.retain(|name, _| !OWNED_BY_SERVER.contains(&name));
        if meta.is_empty() {
            result.remove("meta");
        }
    }
    result.remove("resourceType");
    Resource::new(base.resource_type()).with(result)
}

/// The new body with every label, tag and profile that the base bears: a security label is never dropped by mistake.
fn labelled(base: &Object, new: &Object) -> Object {
    let mut result = new.clone();
    let Some(Value::Object(labels)) = base.get("meta") else { return result };
    let mut meta = new.get("meta").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in labels.iter() {
        match (meta.get_mut(name), value) {
            (Some(Value::Array(items)), Value::Array(others)) => {
                let added: Vec<Value> =
                    others.iter().filter(|other| !items.contains(other)).cloned().collect();
                items.extend(added);
            }
            (Some(_), _) => {}
            (None, value) => meta.insert(name.to_owned(), value.clone()),
        }
    }
    result.insert("meta", Value::Object(meta));
    result
}

fn object_with_change(base: &Object, old: &Object, new: &Object) -> Object {
    let mut result = Object::new();
    let added = new.iter().filter(|(name, _)| base.get(name).is_none());
    for (name, _) in base.iter().chain(added) {
        if let Some(value) = value_with_change(base.get(name), old.get(name), new.get(name)) {
            result.insert(name.to_owned(), value);
        }
    }
    result
}

/// One value of the base with our change made to it; nothing if it is to be left out.
pub(super) fn value_with_change(
    base: Option<&Value>,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<Value> {
    if old.map(tidy) == new.map(tidy) {
        return base.cloned();
    }
    match (base, old, new) {
        (Some(Value::Object(base)), Some(Value::Object(old)), Some(Value::Object(new))) => {
            Some(Value::Object(object_with_change(base, old, new)))
        }
        (Some(Value::Array(base)), Some(Value::Array(old)), Some(Value::Array(new))) => {
            let items = list::with_change(base, old, new);
            (!items.is_empty()).then_some(Value::Array(items))
        }
        (_, _, new) => new.cloned(),
    }
}
