//! YAML as another spelling of a JSON document.
//!
//! YAML 1.2 rules hold: `y`, `no` and `on` are strings, dates are strings. Aliases and merge keys are refused (a
//! record repeats itself where it must), and so are several documents, duplicate keys and tags of one's own; the
//! tags of YAML itself (`!!str`) are taken for what they say.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Spanned};

use super::{Limits, Number, Object, Pointer, Position, Value};

/// A document read from YAML, with the place of each value.
#[derive(Debug)]
pub struct Yaml {
    /// The document.
    pub value: Value,
    /// Where each pointer's value stands.
    pub positions: BTreeMap<String, Position>,
}

/// The text is not YAML that we take. The reason is not kept: the library's texts quote the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a YAML document of plain mappings, lists and scalars")]
pub struct Error {
    /// Where reading stopped, if that is known.
    pub position: Option<Position>,
}

/// Reads a YAML document.
///
/// # Errors
/// The place at which it stops being YAML that we take.
pub fn read(text: &str) -> Result<Yaml, Error> {
    let limits = Limits::RESOURCE;
    if text.len() > limits.bytes {
        return Err(Error { position: None });
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! { max_alias_expansions_per_anchor: 0 },
        reject_unsupported_tags: true,
        ignore_binary_tag_for_string: true,
        with_snippet: false,
    };
    let node: Spanned<Node> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| Error { position: error.location().and_then(place) })?;
    let mut positions = BTreeMap::new();
    let value = settle(node, &Pointer::root(), text, limits.depth, &mut positions)?;
    Ok(Yaml { value, positions })
}

/// A node as the library sees it, before its number's text is looked up.
enum Node {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Spanned<Self>>),
    Object(Vec<(Spanned<String>, Spanned<Self>)>),
}

fn place(location: serde_saphyr::Location) -> Option<Position> {
    let line = usize::try_from(location.line()).ok().filter(|line| *line > 0)?;
    Some(Position { line, column: usize::try_from(location.column()).ok()?.max(1) })
}

/// Turns nodes into values, takes numbers from the text as they are written, and notes places.
fn settle(
    node: Spanned<Node>,
    pointer: &Pointer,
    text: &str,
    depth: usize,
    positions: &mut BTreeMap<String, Position>,
) -> Result<Value, Error> {
    let position = place(node.referenced);
    if depth == 0 {
        return Err(Error { position });
    }
    if let Some(position) = position {
        positions.entry(pointer.as_str().to_owned()).or_insert(position);
    }
    Ok(match node.value {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(value),
        Node::String(value) => Value::String(value),
        Node::Number(read) => {
            let span = node.referenced.span();
            let written = span.byte_offset().zip(span.byte_len()).and_then(|(start, length)| {
                let start = usize::try_from(start).ok()?;
                text.get(start..start + usize::try_from(length).ok()?)
            });
            let number = written.and_then(|text| Number::from_text(text.trim()));
            let number = number.or_else(|| Number::from_text(&read)).ok_or(Error { position })?;
            Value::Number(number)
        }
        Node::Array(items) => {
            let mut values = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                values.push(settle(item, &pointer.item(index), text, depth - 1, positions)?);
            }
            Value::Array(values)
        }
        Node::Object(members) => {
            let mut object = Object::new();
            for (name, member) in members {
                let below = pointer.member(&name.value);
                if let Some(position) = place(name.referenced) {
                    positions.insert(below.as_str().to_owned(), position);
                }
                let value = settle(member, &below, text, depth - 1, positions)?;
                object.insert(Cow::Owned(name.value), value);
            }
            Value::Object(object)
        }
    })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a plain YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_read_with_places_and_numbers_as_written() {
        let yaml =
            read("# a record\nname: y\nlist:\n  - 1.50\n  - no\n  - 2026-03-02\nnone:\n").unwrap();
        assert_eq!(
            yaml.value.to_text(),
            r#"{"name":"y","list":[1.50,"no","2026-03-02"],"none":null}"#
        );
        assert_eq!(yaml.positions["/list/0"], Position { line: 4, column: 5 });
        assert_eq!(yaml.positions["/name"], Position { line: 2, column: 1 });
    }

    #[test]
    fn what_is_no_plain_document_is_refused() {
        for text in [
            "a: 1\na: 2\n",
            "a: [1, 2\n",
            "a: &x 1\nb: *y\n",
            "a: &x 1\nb: *x\n",
            "a: {<<: {b: 1}}\n",
            "a: !own 1\n",
            "a: 1\n---\na: 2\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
