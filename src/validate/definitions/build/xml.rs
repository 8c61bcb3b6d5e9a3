//! The specification's own definition bundles: FHIR XML into FHIR JSON, for resources that define something.
//!
//! XML does not say which element may repeat and which value is a number; the definitions do, and those of R5, which
//! come as JSON, know nearly all elements of R4's and R4B's definitions. Elements that R5 has no more are left out and
//! told ([`Reading::unknown`]): a test knows the list. So are narratives and all resources that define nothing.
//!
//! This reads the pinned files of HL7 and no others; the validator's reader of users' XML is another one. It refuses
//! what is not well-formed, document type definitions, and depth beyond what definitions have.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::json::{Number, Object, Value};
use crate::validate::definitions::ResourceType;

/// No definition nests deeper.
const DEPTH: usize = 48;

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

/// Why a bundle can't be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct Error {
    /// What is wrong.
    pub what: &'static str,
    /// Bytes from the start.
    pub offset: u64,
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
    pub fn read(&self, text: &str) -> Result<Reading, Error> {
        let mut reader = Reader::from_str(text);
        // `<url value="..."/>` and `<url value="..."></url>` are one thing.
        reader.config_mut().expand_empty_elements = true;
        let mut bundle = Bundle { elements: self, reader, reading: Reading::default() };
        bundle.read()?;
        Ok(bundle.reading)
    }
}

fn is_type(resource: &Value) -> bool {
    ResourceType::of(resource) == Some(ResourceType::StructureDefinition)
        && resource.text("derivation") != Some("constraint")
}

struct Bundle<'e, 't> {
    elements: &'e Elements,
    reader: Reader<&'t [u8]>,
    reading: Reading,
}

impl<'t> Bundle<'_, 't> {
    fn fail(&self, what: &'static str) -> Error {
        Error { what, offset: self.reader.buffer_position() }
    }

    fn next(&mut self) -> Result<Event<'t>, Error> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(self.fail("a document type definition")),
            Ok(event) => Ok(event),
            Err(_) => Err(self.fail("something that is not well-formed XML")),
        }
    }

    fn skip(&mut self, start: &BytesStart<'t>) -> Result<(), Error> {
        self.reader
            .read_to_end(start.name())
            .map(|_| ())
            .map_err(|_| self.fail("an element without end"))
    }

    /// Finds the definitions, which stand in `Bundle.entry.resource`.
    fn read(&mut self) -> Result<(), Error> {
        loop {
            match self.next()? {
                Event::Start(start) => match ResourceType::named(name_of(&start)) {
                    Some(of) => {
                        let mut resource = self.object(&start, of.name(), 0)?.value;
                        if let Some(object) = resource.as_object_mut() {
                            object.insert("resourceType", Value::String(of.name().to_owned()));
                        }
                        self.reading.resources.push(resource);
                    }
                    None if matches!(name_of(&start), "Bundle" | "entry" | "resource") => {}
                    None => self.skip(&start)?,
                },
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    /// Reads an element whose start was read, to its end.
    fn object(
        &mut self,
        start: &BytesStart<'t>,
        context: &str,
        depth: usize,
    ) -> Result<Read, Error> {
        if depth > DEPTH {
            return Err(self.fail("an element nested too deeply"));
        }
        let elements = self.elements;
        let known = elements.contexts.get(context);
        let mut object = Object::new();
        let mut value = None;
        for attribute in start.attributes() {
            let attribute =
                attribute.map_err(|_| self.fail("an attribute that is not well-formed"))?;
            let text = attribute.normalized_value(XmlVersion::Implicit1_0);
            let text =
                text.map_err(|_| self.fail("an entity that XML does not know"))?.into_owned();
            match attribute.key.as_ref() {
                "value" => value = Some(text),
                name @ ("id" | "url") => object.insert(name.to_owned(), Value::String(text)),
                _ => {}
            }
        }
        let mut children: Vec<(&str, bool, Vec<Read>)> = Vec::new();
        loop {
            match self.next()? {
                Event::Start(start) => {
                    let name = name_of(&start);
                    if is_for_people(name) {
                        self.skip(&start)?;
                        continue;
                    }
                    let Some((name, element)) = known.and_then(|known| known.get_key_value(name))
                    else {
                        self.reading.unknown.insert([context, ".", name].concat());
                        self.skip(&start)?;
                        continue;
                    };
                    if element.context == "Narrative" {
                        self.skip(&start)?;
                        continue;
                    }
                    let read = self.object(&start, &element.context, depth + 1)?;
                    match children.iter_mut().find(|(its, ..)| its == name) {
                        Some((.., reads)) => reads.push(read),
                        None => children.push((name, element.repeats, vec![read])),
                    }
                }
                Event::End(_) => break,
                Event::Eof => return Err(self.fail("an element without end")),
                _ => {}
            }
        }
        for (name, repeats, reads) in children {
            member(&mut object, name, repeats, reads);
        }
        Ok(match value {
            Some(text) => Read {
                value: primitive(context, text),
                half: (!object.is_empty()).then_some(Value::Object(object)),
                is_primitive: true,
            },
            None => Read {
                is_primitive: context.starts_with(|first: char| first.is_ascii_lowercase()),
                value: Value::Object(object),
                half: None,
            },
        })
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

/// The name of an element, as the text has it: FHIR's XML has no prefixes but in narratives.
fn name_of<'a>(start: &'a BytesStart<'_>) -> &'a str {
    start.name().into_inner()
}

/// Elements that no lean definition has, which are half of all.
fn is_for_people(name: &str) -> bool {
    matches!(name, "mapping" | "differential" | "contact" | "contained")
}
