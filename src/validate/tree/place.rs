//! Where an element is, in the words of reports: FHIRPath, JSON Pointer, line and column. Worked out for a finding only.

use std::fmt::Write;

use super::{Format, Kind, NodeId, Tree};
use crate::fhir::resource::is_id;
use crate::json::{Pointer, Position};
use crate::validate::types::{TypeKind, Types};

/// How an expression names the resources on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By what the document says.
    AsWritten,
    /// For those who may not see what only the document says: no types that FHIR has not, and no ids but UUIDs, for people
    /// make ids of names and record numbers.
    Masked,
}

impl Naming {
    fn resource_type<'n>(self, written: &'n str, types: &'n Types) -> &'n str {
        match self {
            Self::AsWritten => written,
            Self::Masked => types.id(written).map_or("Resource", |known| types.name(known)),
        }
    }

    /// An id is the server's own number; one that is none is not shown.
    fn id(self, written: Option<&str>) -> &str {
        match written.filter(|id| is_id(id)) {
            None => "null",
            Some(id) if self == Self::AsWritten || uuid::Uuid::try_parse(id).is_ok() => id,
            Some(_) => "…",
        }
    }
}

impl Tree<'_> {
    /// The elements from below the root down to this one.
    fn way(&self, id: NodeId) -> Vec<NodeId> {
        let mut way = Vec::new();
        let mut at = id;
        while let Some(parent) = self.parent(at) {
            way.push(at);
            at = parent;
        }
        way.reverse();
        way
    }

    /// The FHIRPath of an element, as the HL7 engine writes it: `Patient.contact[0].name`,
    /// `Observation.value.ofType(Quantity).code`, `Bundle.entry[2].resource/*Patient/p1*/.gender`.
    pub fn expression(&self, id: NodeId, types: &Types, naming: Naming) -> String {
        let mut text = self.root_name(types, naming).to_owned();
        for at in self.way(id) {
            let _ = write!(text, ".{}", self.element_name(at));
            if self.stem(at) > 0 {
                let _ = write!(text, ".ofType({})", types.name(self.type_of(at)));
            }
            if self.is_list(at) {
                let _ = write!(text, "[{}]", self.index(at));
            }
            self.name_resource(at, types, naming, &mut text);
        }
        text
    }

    /// The same as the HL7 engine writes it of what it can't read: in JSON the choice as `value[x]`, and an index where there is an
    /// array; of XML the path of the elements, `/f:Patient/f:name`.
    pub fn expression_as_read(&self, id: NodeId, types: &Types, naming: Naming) -> String {
        let root = self.root_name(types, naming);
        if !self.is_json() {
            let mut text = format!("/f:{root}");
            for at in self.way(id) {
                let _ = write!(text, "/f:{}", self.name(at));
                if let Some(resource_type) = self.resource_type(at) {
                    let _ = write!(text, "/f:{}", naming.resource_type(resource_type, types));
                }
            }
            return text;
        }
        let mut text = root.to_owned();
        for at in self.way(id) {
            let choice = if self.stem(at) > 0 { "[x]" } else { "" };
            let _ = write!(text, ".{}{choice}", self.element_name(at));
            // Of primitives it tells no index, as it reads two arrays side by side.
            let is_primitive = types.kind(self.type_of(at)) == Some(TypeKind::Primitive);
            let is_item = self.in_array(at) && self.kind(at) != Kind::EmptyArray;
            if is_item && self.is_list(at) && !is_primitive {
                let _ = write!(text, "[{}]", self.index(at));
            }
            self.name_resource(at, types, naming, &mut text);
        }
        text
    }

    fn root_name<'n>(&'n self, types: &'n Types, naming: Naming) -> &'n str {
        let root = self.resource_type(NodeId::ROOT);
        root.map_or("Resource", |root| naming.resource_type(root, types))
    }

    /// `/*Patient/p1*/`, if an element is a resource.
    fn name_resource(&self, at: NodeId, types: &Types, naming: Naming, text: &mut String) {
        if let Some(written) = self.resource_type(at) {
            let resource_type = naming.resource_type(written, types);
            let _ = write!(text, "/*{resource_type}/{}*/", naming.id(self.child_text(at, "id")));
        }
    }

    /// The JSON Pointer of an element's value; of one that only `_name` has, that of its object. Of XML, the pointer that
    /// the same document has as JSON.
    pub fn pointer(&self, id: NodeId) -> Pointer {
        let mut pointer = Pointer::root();
        let way = self.way(id);
        for (place, at) in way.iter().enumerate() {
            // Children of a primitive stand in the object of its `_name`.
            let goes_on = place + 1 < way.len();
            let beside = self.is_underscore(*at) || goes_on && self.kind(*at) != Kind::Object;
            let name = self.name(*at);
            pointer =
                if beside { pointer.member(&format!("_{name}")) } else { pointer.member(name) };
            if self.in_array(*at) || self.is_list(*at) && !self.is_json() {
                pointer = pointer.item(self.index(*at));
            }
        }
        pointer
    }

    /// The line and column of a byte of the source.
    pub fn position(&self, offset: usize) -> Position {
        position(self.source(), offset)
    }

    /// Whether the document is JSON.
    pub fn is_json(&self) -> bool {
        self.format() == Format::Json
    }
}

/// The line and column of a byte of a text.
pub(super) fn position(source: &str, offset: usize) -> Position {
    let mut end = offset.min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let before = source.get(..end).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    Position { line, column: last.trim_start_matches('\u{feff}').chars().count() + 1 }
}
