//! Writing a [`Tree`] as FHIR JSON or FHIR XML: `convert`.
//!
//! The tree has to be annotated ([`Validator::annotate`](crate::validate::Validator::annotate)): only the definitions say
//! which element is an array in JSON, which value is a number there, and in which order XML has the elements.
//! Nothing is lost on the way but comments and the white space between elements of XML: numbers keep their digits,
//! `_name` its place, a narrative its markup.
//!
//! It refuses what can't be carried over whole, with its place: elements that no definition knows, and what was read with
//! a fault. Within one format elements that nobody knows are written as they were read.

use std::collections::BTreeMap;
use std::fmt;

use super::xml::{FHIR, is_character, is_markup};
use super::{Format, Kind, NodeId, Tree};
use crate::json::{Limits, is_number, write_string};
use crate::validate::types::{TypeId, TypeKind, Types};

/// How the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without white space between elements.
    Compact,
    /// One element a line, indented by two spaces, with a line feed at the end.
    Pretty,
}

/// Why a document can't be written in a format without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What stands in the way.
    pub kind: ErrorKind,
    /// The element.
    pub node: NodeId,
    /// Where it is in the source, in bytes.
    pub offset: usize,
}

/// What stands in the way of writing a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No definition of the release has the element, so nobody knows how the other format writes it.
    Unknown,
    /// The source is not in FHIR's form there ([`Tree::faults`]).
    Form,
    /// `[]`, an array in an array, one of an element that may not repeat, or none of one that may.
    Array,
    /// A string where JSON has a number or boolean, or one of those where it has a string.
    Value,
    /// XML has the element as an attribute, but it has children.
    Attribute,
    /// A character that XML does not have.
    Character,
    /// The narrative is not well-formed markup, so it can't stand in XML.
    Narrative,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            ErrorKind::Unknown => "an element that no definition of the release has",
            ErrorKind::Form => "something that is not FHIR's form; validate tells what",
            ErrorKind::Array => {
                "an array that is empty or in an array, or that FHIR has not, or has, there"
            }
            ErrorKind::Value => "a value of another JSON type than its element has",
            ErrorKind::Attribute => "children of an element that is an attribute in XML",
            ErrorKind::Character => "a character that XML does not have",
            ErrorKind::Narrative => "a narrative that is not well-formed XHTML",
        })
    }
}

impl std::error::Error for Error {}

/// The document as FHIR JSON.
///
/// # Errors
/// The first element that JSON can't carry.
pub fn json(tree: &Tree<'_>, types: &Types, style: Style) -> Result<String, Error> {
    let mut writer = Writer::new(tree, types, style, Format::Json)?;
    writer.object(NodeId::ROOT, 0)?;
    Ok(writer.end())
}

/// The document as FHIR XML.
///
/// # Errors
/// The first element that XML can't carry.
pub fn xml(tree: &Tree<'_>, types: &Types, style: Style) -> Result<String, Error> {
    let mut writer = Writer::new(tree, types, style, Format::Xml)?;
    writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let Some(resource_type) = tree.resource_type(NodeId::ROOT).filter(|name| is_name(name)) else {
        return Err(writer.error(ErrorKind::Unknown, NodeId::ROOT));
    };
    writer.line(0);
    for piece in ["<", resource_type, " xmlns=\"", FHIR, "\""] {
        writer.out.push_str(piece);
    }
    writer.content(NodeId::ROOT, resource_type, 0)?;
    Ok(writer.end())
}

struct Writer<'t, 's> {
    tree: &'t Tree<'s>,
    types: &'t Types,
    style: Style,
    /// The source has the other format.
    crosses: bool,
    boolean: Option<TypeId>,
    numbers: [Option<TypeId>; 4],
    xhtml: Option<TypeId>,
    out: String,
}

impl<'t, 's> Writer<'t, 's> {
    fn new(
        tree: &'t Tree<'s>,
        types: &'t Types,
        style: Style,
        format: Format,
    ) -> Result<Self, Error> {
        let writer = Self {
            tree,
            types,
            style,
            crosses: tree.format() != format,
            boolean: types.id("boolean"),
            numbers: ["decimal", "integer", "positiveInt", "unsignedInt"]
                .map(|name| types.id(name)),
            xhtml: types.id("xhtml"),
            out: String::with_capacity(tree.source().len() * 2),
        };
        match tree.faults().first() {
            Some(fault) => {
                Err(Error { kind: ErrorKind::Form, node: fault.node, offset: fault.offset })
            }
            None => Ok(writer),
        }
    }

    fn end(mut self) -> String {
        if self.style == Style::Pretty {
            self.out.push('\n');
        }
        self.out
    }

    fn error(&self, kind: ErrorKind, node: NodeId) -> Error {
        Error { kind, node, offset: self.tree.start(node) }
    }

    fn line(&mut self, depth: usize) {
        if self.style == Style::Pretty {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str("  ");
            }
        }
    }

    /// The children by name, in the order of the first of each.
    fn groups(&self, id: NodeId) -> Vec<Vec<NodeId>> {
        let mut groups: Vec<Vec<NodeId>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for child in self.tree.children(id) {
            let place = *places.entry(self.tree.name(child)).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(child),
                None => groups.push(vec![child]),
            }
        }
        groups
    }

    /// Refuses what the other format can't carry for lack of knowledge.
    fn check(&self, node: NodeId) -> Result<(), Error> {
        let known = self.tree.place(node) > 0
            || self.tree.type_of(node) != TypeId::UNKNOWN
            || self.tree.resource_type(node).is_some();
        if self.crosses && !known {
            return Err(self.error(ErrorKind::Unknown, node));
        }
        match self.tree.kind(node) {
            Kind::NestedArray => Err(self.error(ErrorKind::Array, node)),
            Kind::EmptyArray if self.crosses => Err(self.error(ErrorKind::Array, node)),
            // XML does not show an array, so coming back there would be one, or none.
            _ if self.crosses && self.tree.is_json() && !self.tree.fits_array(node) => {
                Err(self.error(ErrorKind::Array, node))
            }
            _ => Ok(()),
        }
    }

    /// Whether JSON has a value without quotes, going by its type.
    fn is_bare(&self, node: NodeId, text: &str) -> bool {
        let of = Some(self.tree.type_of(node)).filter(|of| *of != TypeId::UNKNOWN);
        if of.is_none() {
            return false;
        }
        if of == self.boolean {
            return matches!(text, "true" | "false");
        }
        self.numbers.contains(&of) && is_number(text)
    }

    /// Whether JSON has it as a value, perhaps with an object beside.
    fn is_primitive(&self, node: NodeId) -> bool {
        self.tree.kind(node) != Kind::Object
            || self.tree.is_underscore(node)
            || self.types.kind(self.tree.type_of(node)) == Some(TypeKind::Primitive)
    }
}

// ---- JSON ----

impl Writer<'_, '_> {
    fn name(&mut self, first: &mut bool, depth: usize, underscore: bool, name: &str) {
        if !std::mem::take(first) {
            self.out.push(',');
        }
        self.line(depth);
        if underscore {
            write_string(&["_", name].concat(), &mut self.out);
        } else {
            write_string(name, &mut self.out);
        }
        self.out.push_str(if self.style == Style::Pretty { ": " } else { ":" });
    }

    /// The children of an element (and the type of a resource) as an object.
    fn object(&mut self, id: NodeId, depth: usize) -> Result<(), Error> {
        self.out.push('{');
        let mut first = true;
        if let Some(resource_type) = self.tree.resource_type(id) {
            self.name(&mut first, depth + 1, false, "resourceType");
            write_string(resource_type, &mut self.out);
        }
        for group in self.groups(id) {
            self.member(&group, depth + 1, &mut first)?;
        }
        if !first {
            self.line(depth);
        }
        self.out.push('}');
        Ok(())
    }

    /// All elements of one name: a value or an array, and what their `_name` has.
    fn member(&mut self, group: &[NodeId], depth: usize, first: &mut bool) -> Result<(), Error> {
        let tree = self.tree;
        let Some(one) = group.first() else { return Ok(()) };
        for node in group {
            self.check(*node)?;
        }
        let name = tree.name(*one);
        if tree.kind(*one) == Kind::EmptyArray {
            self.name(first, depth, false, name);
            self.out.push_str("[]");
            return Ok(());
        }
        let list = group.len() > 1 || tree.is_list(*one);
        let has_children = |node: &NodeId| tree.children(*node).next().is_some();
        let beside = |node: &NodeId| self.is_primitive(*node) && has_children(node);
        let underscores = group.iter().any(beside);
        let values = !underscores
            || group.iter().any(|node| tree.has_value(*node) || !self.is_primitive(*node));
        if values {
            self.name(first, depth, false, name);
            self.items(group, depth, list, Self::value)?;
        }
        if underscores {
            self.name(first, depth, true, name);
            self.items(group, depth, list, |writer, node, depth| {
                if writer.is_primitive(node) && writer.tree.children(node).next().is_some() {
                    return writer.object(node, depth);
                }
                writer.out.push_str("null");
                Ok(())
            })?;
        }
        Ok(())
    }

    fn items(
        &mut self,
        group: &[NodeId],
        depth: usize,
        list: bool,
        write: impl Fn(&mut Self, NodeId, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !list {
            return group.first().map_or(Ok(()), |node| write(self, *node, depth));
        }
        self.out.push('[');
        for (place, node) in group.iter().enumerate() {
            if place > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            write(self, *node, depth + 1)?;
        }
        self.line(depth);
        self.out.push(']');
        Ok(())
    }

    fn value(&mut self, node: NodeId, depth: usize) -> Result<(), Error> {
        if !self.is_primitive(node) {
            return self.object(node, depth);
        }
        match self.tree.text(node) {
            None => self.out.push_str("null"),
            Some(text) => {
                let bare = if self.crosses {
                    self.is_bare(node, text)
                } else {
                    self.tree.kind(node) != Kind::String
                };
                if bare {
                    self.out.push_str(text);
                } else {
                    write_string(text, &mut self.out);
                }
            }
        }
        Ok(())
    }
}

// ---- XML ----

impl Writer<'_, '_> {
    /// An element from its tag on.
    fn element(&mut self, node: NodeId, depth: usize) -> Result<(), Error> {
        self.check(node)?;
        let name = self.tree.name(node);
        if !is_name(name) {
            return Err(self.error(ErrorKind::Unknown, node));
        }
        self.line(depth);
        if self.is_narrative(node) {
            return self.narrative(node);
        }
        self.out.push('<');
        self.out.push_str(name);
        let Some(resource_type) = self.tree.resource_type(node) else {
            return self.content(node, name, depth);
        };
        if !is_name(resource_type) {
            return Err(self.error(ErrorKind::Unknown, node));
        }
        self.out.push('>');
        self.line(depth + 1);
        self.out.push('<');
        self.out.push_str(resource_type);
        self.content(node, resource_type, depth + 1)?;
        self.line(depth);
        self.close(name);
        Ok(())
    }

    fn close(&mut self, name: &str) {
        for piece in ["</", name, ">"] {
            self.out.push_str(piece);
        }
    }

    /// The attributes and children of an element whose tag is open.
    fn content(&mut self, node: NodeId, name: &str, depth: usize) -> Result<(), Error> {
        let tree = self.tree;
        let mut children: Vec<NodeId> = Vec::new();
        for child in tree.children(node) {
            if !self.is_attribute(node, child) {
                children.push(child);
                continue;
            }
            self.check(child)?;
            if tree.in_array(child) || tree.children(child).next().is_some() {
                return Err(self.error(ErrorKind::Attribute, child));
            }
            self.attribute(tree.name(child), child)?;
        }
        if tree.has_value(node) {
            self.attribute("value", node)?;
        }
        if children.is_empty() {
            self.out.push_str("/>");
            return Ok(());
        }
        self.out.push('>');
        if self.crosses {
            // JSON has members in any order.
            children.sort_by_key(|child| tree.place(*child));
        }
        for child in children {
            self.element(child, depth + 1)?;
        }
        self.line(depth);
        self.close(name);
        Ok(())
    }

    /// Whether XML has an element as an attribute: the `id` of what is no resource, the `url` of an extension.
    fn is_attribute(&self, parent: NodeId, child: NodeId) -> bool {
        match self.tree.name(child) {
            "id" => self.tree.resource_type(parent).is_none(),
            "url" => matches!(self.tree.name(parent), "extension" | "modifierExtension"),
            _ => false,
        }
    }

    fn attribute(&mut self, name: &str, node: NodeId) -> Result<(), Error> {
        let Some(text) = self.tree.text(node) else {
            return Err(self.error(ErrorKind::Value, node));
        };
        if self.crosses && self.is_bare(node, text) == (self.tree.kind(node) == Kind::String) {
            return Err(self.error(ErrorKind::Value, node));
        }
        for piece in [" ", name, "=\""] {
            self.out.push_str(piece);
        }
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '"' => self.out.push_str("&quot;"),
                // As they are they would be read as spaces.
                '\t' => self.out.push_str("&#9;"),
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                character if is_character(character) => self.out.push(character),
                _ => return Err(self.error(ErrorKind::Character, node)),
            }
        }
        self.out.push('"');
        Ok(())
    }

    fn is_narrative(&self, node: NodeId) -> bool {
        let of = self.tree.type_of(node);
        if of != TypeId::UNKNOWN {
            return Some(of) == self.xhtml;
        }
        self.tree.format() == Format::Xml
            && self.tree.name(node) == "div"
            && self.tree.text(node).is_some_and(|text| text.starts_with('<'))
    }

    fn narrative(&mut self, node: NodeId) -> Result<(), Error> {
        let text = self.tree.text(node).unwrap_or_default();
        if self.tree.children(node).next().is_some() || !is_markup(text, Limits::BUNDLE) {
            return Err(self.error(ErrorKind::Narrative, node));
        }
        self.out.push_str(text);
        Ok(())
    }
}

/// Whether a text can be the name of an XML element of FHIR.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|each| each.is_alphanumeric() || matches!(each, '_' | '-' | '.'))
}
