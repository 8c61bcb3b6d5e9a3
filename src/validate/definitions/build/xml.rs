//! The specification's own definition bundles: FHIR XML into FHIR JSON, for resources that define something.
//!
//! XML does not say which element may repeat and which value is a number; the definitions do, and those of R5, which
//! come as JSON, know nearly all elements of R4's and R4B's definitions. Elements that R5 has no more are left out and
//! told ([`Reading::unknown`]): a test knows the list. So are narratives and all resources that define nothing.
//!
//! The reader is that of users' XML, and refuses what that refuses.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::{Limits, Number, Object, Value};
use crate::validate::definitions::ResourceType;
use crate::validate::tree::{NodeId, Tree, xml};

/// The largest of HL7's files has 40 MiB.
const LIMITS: Limits = Limits { bytes: 256 << 20, depth: 64, nodes: 16_000_000 };

/// What an element is: how often, and of which type.
#[derive(Debug, Clone)]
struct Element {
    repeats: bool,
    /// Where the children of it are found: a type's name or the path of a backbone element.
    context: String,
}

/// The elements of a release, by the type or path that they belong to.
#[derive(Debug, Default)]
pub struct Elements {
    contexts: BTreeMap<String, BTreeMap<String, Element>>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The definitions.
    pub resources: Vec<Value>,
    /// The elements that were left out because the release at hand does not know them, as `context.name`.
    pub unknown: BTreeSet<String>,
}

impl Elements {
    /// The elements of all types among these resources.
    pub fn new(resources: &[Value]) -> Self {
        let mut elements = Self::default();
        for structure in resources.iter().filter(|resource| is_type(resource)) {
            let Some(snapshot) = structure.get("snapshot") else { continue };
            for element in snapshot.items("element") {
                elements.add(element);
            }
        }
        elements
    }

    fn add(&mut self, element: &Value) {
        let Some((parent, name)) = element.text("path").and_then(|path| path.rsplit_once('.'))
        else {
            return;
        };
        let repeats = element.text("max").is_some_and(|max| max != "0" && max != "1");
        let path = || [parent, ".", name].concat();
        let context = match element.text("contentReference") {
            Some(reference) => reference.rsplit('#').next().unwrap_or(reference).to_owned(),
            None => match element.items("type").next().and_then(|of| of.text("code")) {
                // Their children stand right below.
                None | Some("BackboneElement" | "Element" | "BackboneType") => path(),
                Some("http://hl7.org/fhirpath/System.String") => "string".to_owned(),
                Some(code) => code.to_owned(),
            },
        };
        let siblings = self.contexts.entry(parent.to_owned()).or_default();
        if let Some(stem) = name.strip_suffix("[x]") {
            for of in element.items("type").filter_map(|of| of.text("code")) {
                let mut name = stem.to_owned();
                let mut letters = of.chars();
                name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                name.push_str(letters.as_str());
                siblings.insert(name, Element { repeats, context: of.to_owned() });
            }
        } else {
            siblings.insert(name.to_owned(), Element { repeats, context });
        }
    }

    /// Reads a Bundle of definitions.
    ///
    /// # Errors
    /// What the reader of XML refuses.
    pub fn read(&self, text: &str) -> Result<Reading, xml::Error> {
        let tree = xml::read(text, LIMITS)?;
        let mut bundle = Bundle { elements: self, tree: &tree, reading: Reading::default() };
        for entry in tree.children_named(NodeId::ROOT, "entry") {
            for resource in tree.children_named(entry, "resource") {
                bundle.resource(resource);
            }
        }
        Ok(bundle.reading)
    }
}

fn is_type(resource: &Value) -> bool {
    ResourceType::of(resource) == Some(ResourceType::StructureDefinition)
        && resource.text("derivation") != Some("constraint")
}

struct Bundle<'e, 't> {
    elements: &'e Elements,
    tree: &'t Tree<'t>,
    reading: Reading,
}

impl Bundle<'_, '_> {
    /// Keeps a resource if it defines something.
    fn resource(&mut self, node: NodeId) {
        let name = self.tree.resource_type(node).unwrap_or_default();
        if let Some(of) = ResourceType::named(name) {
            let mut resource = self.element(node, of.name()).value;
            if let Some(object) = resource.as_object_mut() {
                object.insert("resourceType", Value::String(of.name().to_owned()));
            }
            self.reading.resources.push(resource);
        }
    }

    fn element(&mut self, node: NodeId, context: &str) -> Read {
        let (elements, tree) = (self.elements, self.tree);
        let known = elements.contexts.get(context);
        let mut object = Object::new();
        let mut children: Vec<(&str, bool, Vec<Read>)> = Vec::new();
        for child in tree.children(node) {
            let name = tree.name(child);
            if is_for_people(name) {
                continue;
            }
            let Some((name, element)) = known.and_then(|known| known.get_key_value(name)) else {
                self.reading.unknown.insert([context, ".", name].concat());
                continue;
            };
            if element.context == "Narrative" {
                continue;
            }
            let read = self.element(child, &element.context);
            match children.iter_mut().find(|(its, ..)| its == name) {
                Some((.., reads)) => reads.push(read),
                None => children.push((name, element.repeats, vec![read])),
            }
        }
        for (name, repeats, reads) in children {
            member(&mut object, name, repeats, reads);
        }
        match tree.text(node) {
            Some(text) => Read {
                value: primitive(context, text.to_owned()),
                half: (!object.is_empty()).then_some(Value::Object(object)),
                is_primitive: true,
            },
            None => Read {
                is_primitive: context.starts_with(|first: char| first.is_ascii_lowercase()),
                value: Value::Object(object),
                half: None,
            },
        }
    }
}

/// An element: its value, and for a primitive the other half with `id` and `extension`.
struct Read {
    value: Value,
    half: Option<Value>,
    is_primitive: bool,
}

fn member(object: &mut Object, name: &str, repeats: bool, reads: Vec<Read>) {
    let (mut values, mut halves) = (Vec::new(), Vec::new());
    for read in reads {
        // A primitive that has only extensions.
        let (value, half) = match read.value {
            Value::Object(half) if read.is_primitive => (Value::Null, Some(Value::Object(half))),
            value => (value, read.half),
        };
        values.push(value);
        halves.push(half.unwrap_or(Value::Null));
    }
    let other = ["_", name].concat();
    for (name, mut values) in [(name.to_owned(), values), (other, halves)] {
        if values.iter().all(|value| *value == Value::Null) {
            continue;
        }
        let value = if repeats { Some(Value::Array(values)) } else { values.pop() };
        if let Some(value) = value {
            object.insert(name, value);
        }
    }
}

fn primitive(of: &str, text: String) -> Value {
    match of {
        "boolean" if text == "true" => Value::Bool(true),
        "boolean" if text == "false" => Value::Bool(false),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => {
            Number::from_text(&text).map_or(Value::String(text), Value::Number)
        }
        _ => Value::String(text),
    }
}

/// Elements that no lean definition has, which are half of all.
fn is_for_people(name: &str) -> bool {
    matches!(name, "mapping" | "differential" | "contact" | "contained")
}
