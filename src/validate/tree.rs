//! A FHIR document as one arena of elements: the tree that validation walks and that FHIRPath navigates.
//!
//! It is the *logical* tree of FHIR (R5 2.1.0.2 "Resource Formats"): JSON and XML of one resource give the same one.
//! A JSON array is so many siblings of one name; `birthDate` and `_birthDate` are one element with a value and
//! children; `resourceType` is no element but a property of its object; XML's `value`, `id` and `url` attributes are
//! a value and children. Numbers keep their text, and every element knows where it begins in the source, so a
//! report can show the line, which costs nothing while all is well.
//!
//! Why not [`json::Value`](crate::json::Value): that tree owns every text and has no places. This one borrows the
//! source, is one allocation, and is walked several times in a row. Both follow the same rules of reading.
//!
//! It refuses documents of 4 GiB and more; whoever reads larger exports reads them resource by resource.

pub mod json;
mod place;
pub mod write;
pub mod xml;

pub use place::Naming;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use super::types::TypeId;

/// An element of a [`Tree`]: a handle that costs nothing to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The resource itself.
    pub const ROOT: Self = Self(0);

    /// The place in the arena: elements are numbered in the order in which the source has them.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// FHIR JSON (R4 2.6).
    Json,
    /// FHIR XML (R4 2.5).
    Xml,
}

/// What stands for an element in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`, beside which `_name` may have children; without them it is a fault.
    Null,
    /// `true` or `false`
    Bool,
    /// A JSON number.
    Number,
    /// A JSON string, or any value of XML.
    String,
    /// An object: children and no value.
    Object,
    /// `[]`, which FHIR does not know.
    EmptyArray,
    /// An array inside an array, which FHIR does not know; it has no children here.
    NestedArray,
}

/// Something that only the source's own form shows, and that does not keep the document from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub kind: FaultKind,
    /// The element at or in which it is.
    pub node: NodeId,
    /// Where, counted in bytes from the start of the source.
    pub offset: usize,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// An object has two members of one name; both are in the tree.
    DuplicateMember,
    /// `name` and `_name` are arrays of different lengths, or only one of them is an array.
    UnequalArrays,
    /// `_name` is neither an object, nor an array of objects and nulls.
    NotAnElement,
    /// XML has text where FHIR has elements only.
    Text,
    /// XML has an attribute that FHIR does not know there.
    Attribute,
    /// An XML element is in a namespace that is not FHIR's (or, in a narrative, not XHTML's).
    Namespace,
    /// XML has a processing instruction, or another thing that FHIR does not use.
    Instruction,
    /// An XML element holds several resources, or none, where one belongs.
    Resource,
}

/// A piece of text: in the source, or among the unescaped texts.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::validate) struct Slice {
    start: u32,
    /// The length; the highest bit says that it lies among the unescaped texts.
    length: u32,
}

impl Slice {
    const DECODED: u32 = 1 << 31;

    /// A piece of the source.
    pub(in crate::validate) fn of_source(start: usize, end: usize) -> Self {
        Self { start: narrow(start), length: narrow(end.saturating_sub(start)) & !Self::DECODED }
    }

    /// A piece of the unescaped texts.
    pub(in crate::validate) fn of_decoded(start: usize, end: usize) -> Self {
        let plain = Self::of_source(start, end);
        Self { length: plain.length | Self::DECODED, ..plain }
    }

    const fn without_first(self) -> Self {
        Self { start: self.start + 1, length: self.length - 1 }
    }
}

/// Sources are refused before an offset could be too large.
pub(in crate::validate) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[derive(Debug, Clone, Copy)]
struct Node {
    name: Slice,
    /// The value; of a resource its type.
    text: Slice,
    start: u32,
    parent: u32,
    /// One past the last of all that lie below in the source.
    end: u32,
    /// The `_name` object whose members are this element's children; 0 if there is none.
    companion: u32,
    type_id: TypeId,
    kind: Kind,
    flags: u8,
    stem: u8,
    place: u16,
}

const IN_ARRAY: u8 = 1;
const HIDDEN: u8 = 2;
const UNDERSCORE: u8 = 4;
const RESOURCE: u8 = 8;
const LIST: u8 = 16;

/// The names below which a resource stands (Bundle.entry.resource and .response.outcome, DomainResource.contained,
/// Parameters.parameter.resource, R5 Bundle.issues). ExampleScenario.instance has an element `resourceType` of its own.
const HOLDERS: [&str; 4] = ["contained", "resource", "outcome", "issues"];

const NOTHING: Node = Node {
    name: Slice { start: 0, length: 0 },
    text: Slice { start: 0, length: 0 },
    start: 0,
    parent: 0,
    end: 0,
    companion: 0,
    type_id: TypeId::UNKNOWN,
    kind: Kind::Null,
    flags: HIDDEN,
    stem: 0,
    place: 0,
};

/// A document. `Debug` prints its size only.
pub struct Tree<'s> {
    source: &'s str,
    format: Format,
    nodes: Vec<Node>,
    decoded: String,
    /// The types of the resources in it, in order of their elements.
    resources: Vec<(NodeId, Slice)>,
    faults: Vec<Fault>,
    /// Each element's place among the siblings of its name; counted when somebody asks.
    indices: OnceLock<Box<[u32]>>,
}

impl fmt::Debug for Tree<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "tree({} elements)", self.nodes.len())
    }
}

// ---- Reading ----

impl<'s> Tree<'s> {
    fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.index()).unwrap_or(&NOTHING)
    }

    fn slice(&self, slice: Slice) -> &str {
        let length = (slice.length & !Slice::DECODED) as usize;
        let start = slice.start as usize;
        let whole = if slice.length & Slice::DECODED == 0 { self.source } else { &self.decoded };
        whole.get(start..start + length).unwrap_or_default()
    }

    /// The text that was read.
    pub const fn source(&self) -> &'s str {
        self.source
    }

    /// How it was written.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// How many elements there are at most: every [`NodeId::index`] is below it.
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was read.
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All elements in the order of the source, without looking at their nesting.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.within(NodeId::ROOT)
    }

    /// An element and all that lies in it, in the order of the source.
    pub fn within(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let nodes = self.nodes.get(id.index()..self.end(id)).unwrap_or_default();
        (id.0..)
            .zip(nodes)
            .filter(|(_, node)| node.flags & HIDDEN == 0)
            .map(|(index, _)| NodeId(index))
    }

    /// What the source's own form shows.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The name as it is written, without a leading `_`: `valueQuantity`. Empty for the root.
    pub fn name(&self, id: NodeId) -> &str {
        self.slice(self.node(id).name)
    }

    /// The name by which the definition and FHIRPath know it: `value` for `valueQuantity` once that is known.
    pub fn element_name(&self, id: NodeId) -> &str {
        let name = self.name(id);
        match self.node(id).stem {
            0 => name,
            stem => name.get(..usize::from(stem)).unwrap_or(name),
        }
    }

    /// What stands for it in the source.
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    /// Whether there is a value (a string, number or boolean), not only children.
    pub fn has_value(&self, id: NodeId) -> bool {
        matches!(self.kind(id), Kind::Bool | Kind::Number | Kind::String)
    }

    /// The value: a string without its escapes, a number or boolean as it is written.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        self.has_value(id).then(|| self.slice(self.node(id).text))
    }

    /// Where its value (or, of one without, its children) begins, in bytes from the start of the source.
    pub fn start(&self, id: NodeId) -> usize {
        self.node(id).start as usize
    }

    /// Where its name begins, in bytes; of the root and of what has no name in the source, where it begins.
    pub fn name_start(&self, id: NodeId) -> usize {
        let node = self.node(id);
        if node.name.length == 0 || node.name.length & Slice::DECODED != 0 {
            return node.start as usize;
        }
        node.name.start as usize
    }

    /// Whether it stands in a JSON array.
    pub fn in_array(&self, id: NodeId) -> bool {
        self.node(id).flags & IN_ARRAY != 0
    }

    /// Whether it stands in the source as `_name` alone: a primitive element without a value.
    pub fn is_underscore(&self, id: NodeId) -> bool {
        self.node(id).flags & UNDERSCORE != 0
    }

    /// The element whose child it is; of the root nothing.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        (id != NodeId::ROOT).then(|| NodeId(self.node(id).parent))
    }

    /// The type of the resource that it is: `Patient`. Of what is no resource, nothing.
    pub fn resource_type(&self, id: NodeId) -> Option<&str> {
        if self.node(id).flags & RESOURCE == 0 {
            return None;
        }
        if !self.has_value(id) {
            return Some(self.slice(self.node(id).text));
        }
        let at = self.resources.binary_search_by_key(&id, |(node, _)| *node).ok()?;
        self.resources.get(at).map(|(_, slice)| self.slice(*slice))
    }

    /// All resources in it in the order of the source, the root first.
    pub fn resources(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.resources.iter().map(|(id, _)| *id)
    }

    /// Its children in order, siblings of one name beside each other.
    pub fn children(&self, id: NodeId) -> Children<'_> {
        let node = self.node(id);
        let (holder, node) = match node.companion {
            0 => (id.0, node),
            companion => (companion, self.node(NodeId(companion))),
        };
        let next = if node.end > holder { holder + 1 } else { node.end };
        Children { nodes: &self.nodes, next, end: node.end }
    }

    /// Whether it has any.
    pub fn has_children(&self, id: NodeId) -> bool {
        self.children(id).next().is_some()
    }

    /// The first child of a name, as it is written.
    pub fn child(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.children(id).find(|child| self.name(*child) == name)
    }

    /// The children of a name, as it is written.
    pub fn children_named<'t>(
        &'t self,
        id: NodeId,
        name: &'t str,
    ) -> impl Iterator<Item = NodeId> + 't {
        self.children(id).filter(move |child| self.name(*child) == name)
    }

    /// The value of the first child of a name.
    pub fn child_text(&self, id: NodeId, name: &str) -> Option<&str> {
        self.text(self.child(id, name)?)
    }

    /// Its place among the siblings of its name, from 0.
    ///
    /// Only what is told of an element asks for it; who asks first has those of all elements counted.
    pub fn index(&self, id: NodeId) -> usize {
        let indices = self.indices.get_or_init(|| self.count_indices());
        indices.get(id.index()).map_or(0, |index| *index as usize)
    }

    fn count_indices(&self) -> Box<[u32]> {
        let mut indices = vec![0; self.nodes.len()].into_boxed_slice();
        for parent in self.all() {
            // Siblings of one name stand beside each other, but for slips.
            let mut names: BTreeMap<&str, u32> = BTreeMap::new();
            let (mut run, mut count) = ("", 0);
            for child in self.children(parent) {
                let name = self.name(child);
                if name != run {
                    if count > 0 {
                        names.insert(run, count);
                    }
                    (run, count) = (name, names.get(name).copied().unwrap_or_default());
                }
                if let Some(index) = indices.get_mut(child.index()) {
                    *index = count;
                }
                count += 1;
            }
        }
        indices
    }

    /// One past the index of the last element that lies in it: what lies in an element is a range of numbers.
    ///
    /// Children that JSON writes as `_name` lie outside of a primitive element, and in the one that holds both.
    pub fn end(&self, id: NodeId) -> usize {
        self.node(id).end as usize
    }

    /// The nearest resource that it is or belongs to: the contained one, the entry's, or the root.
    pub fn resource_of(&self, id: NodeId) -> NodeId {
        let mut at = id;
        while self.node(at).flags & RESOURCE == 0 {
            match self.parent(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }
}

/// The children of an element.
#[derive(Clone)]
pub struct Children<'t> {
    nodes: &'t [Node],
    next: u32,
    end: u32,
}

impl fmt::Debug for Children<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("children")
    }
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        while self.next < self.end {
            let id = self.next;
            let node = self.nodes.get(id as usize)?;
            self.next = node.end;
            if node.flags & HIDDEN == 0 {
                return Some(NodeId(id));
            }
        }
        None
    }
}

/// A place among the children of an element that borrows nothing, so that the tree can be written to on the way.
#[derive(Debug, Clone, Copy)]
pub(in crate::validate) struct Cursor {
    next: u32,
    end: u32,
}

impl Tree<'_> {
    /// Before the first child of an element.
    pub(in crate::validate) fn cursor(&self, id: NodeId) -> Cursor {
        let Children { next, end, .. } = self.children(id);
        Cursor { next, end }
    }

    /// The next child.
    pub(in crate::validate) fn step(&self, cursor: &mut Cursor) -> Option<NodeId> {
        let mut children = Children { nodes: &self.nodes, next: cursor.next, end: cursor.end };
        let found = children.next();
        cursor.next = children.next;
        found
    }
}

// ---- What the definitions say about it ----

impl Tree<'_> {
    /// The type that the definitions give it; [`TypeId::UNKNOWN`] until a walk has met it.
    pub fn type_of(&self, id: NodeId) -> TypeId {
        self.node(id).type_id
    }

    /// How many bytes of the name are the element's in the definition: 5 for `valueQuantity`; 0 if it is no choice.
    pub fn stem(&self, id: NodeId) -> usize {
        usize::from(self.node(id).stem)
    }

    /// Whether the element may repeat by its definition (in JSON, then, it stands in an array).
    pub fn is_list(&self, id: NodeId) -> bool {
        let node = self.node(id);
        match node.type_id {
            TypeId::UNKNOWN => node.flags & (LIST | IN_ARRAY) != 0,
            _ => node.flags & LIST != 0,
        }
    }

    /// Its place among the elements of its definition, from 1; 0 until that is known. XML has siblings in this order.
    pub fn place(&self, id: NodeId) -> u16 {
        self.node(id).place
    }

    /// Notes where an element stands in its definition, and whether it may repeat.
    pub fn put_place(&mut self, id: NodeId, place: u16, list: bool) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.place = place;
            if list {
                node.flags |= LIST;
            }
        }
    }

    /// Whether it stands in a JSON array just if its definition lets it repeat.
    pub(in crate::validate) fn fits_array(&self, id: NodeId) -> bool {
        let flags = self.node(id).flags;
        (flags & LIST != 0) == (flags & IN_ARRAY != 0)
    }

    /// Notes what the definition says of an element: its type, the stem of a choice (else 0), whether it may repeat.
    pub fn assign(&mut self, id: NodeId, type_id: TypeId, stem: usize, list: bool) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.type_id = type_id;
            node.stem = u8::try_from(stem).unwrap_or(0);
            if list {
                node.flags |= LIST;
            }
        }
    }
}

// ---- Building, for the readers ----

impl<'s> Tree<'s> {
    /// A tree in which nothing is yet.
    pub(in crate::validate) fn begin(source: &'s str, format: Format) -> Self {
        let nodes = Vec::with_capacity(source.len() / 24 + 8);
        Self {
            source,
            format,
            nodes,
            decoded: String::new(),
            resources: Vec::new(),
            faults: Vec::new(),
            indices: OnceLock::new(),
        }
    }

    /// Opens an element below `parent` (the root below itself); what is opened before its `close` lies in it.
    pub(in crate::validate) fn open(
        &mut self,
        name: Slice,
        parent: NodeId,
        kind: Kind,
        start: usize,
    ) -> NodeId {
        let id = narrow(self.nodes.len());
        self.nodes.push(Node {
            name,
            parent: parent.0,
            start: narrow(start),
            end: id + 1,
            kind,
            flags: 0,
            ..NOTHING
        });
        NodeId(id)
    }

    /// Closes an element: all that was opened since lies in it.
    pub(in crate::validate) fn close(&mut self, id: NodeId) {
        let end = narrow(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.end = end;
        }
    }

    /// Gives an element its value.
    pub(in crate::validate) fn put_text(&mut self, id: NodeId, kind: Kind, text: Slice) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.kind = kind;
            node.text = text;
        }
    }

    /// Keeps an unescaped text that the source does not have as such.
    pub(in crate::validate) fn keep(&mut self, text: &str) -> Slice {
        let start = self.decoded.len();
        self.decoded.push_str(text);
        Slice::of_decoded(start, self.decoded.len())
    }

    /// Says that an element is a resource of this type.
    pub(in crate::validate) fn put_resource(&mut self, id: NodeId, resource_type: Slice) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.flags |= RESOURCE;
            // Resources have no value of their own; where somebody wrote one nevertheless, it stays.
            if !matches!(node.kind, Kind::Bool | Kind::Number | Kind::String) {
                node.text = resource_type;
            }
        }
        self.resources.push((id, resource_type));
    }

    /// Notes a fault of the source's form.
    pub(in crate::validate) fn fault(&mut self, kind: FaultKind, node: NodeId, offset: usize) {
        self.faults.push(Fault { kind, node, offset });
    }

    /// Ends the reading.
    pub(in crate::validate) fn finish(mut self) -> Self {
        self.resources.sort_unstable_by_key(|(id, _)| *id);
        self
    }

    fn flag(&mut self, id: NodeId, flag: u8) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.flags |= flag;
        }
    }
}
