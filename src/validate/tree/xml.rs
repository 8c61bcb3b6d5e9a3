//! Reading FHIR XML (R4 2.5) into the [`Tree`].
//!
//! The same logical tree as of JSON: `value` is the value, the attributes `id` and `url` are children, the element of a
//! resource inside `contained` or `resource` only gives its type, and a narrative's `div` is one text, the markup as it is
//! written. What is XML but not FHIR's is read on and told as a [`Fault`](super::Fault).
//!
//! It refuses document type definitions, and with them every entity but XML's five: so none can be expanded, and no file
//! or address can be fetched. It refuses encodings other than UTF-8, and what is beyond the limits. This and the builder of
//! the definitions are the only readers of XML; neither resolves anything.

use std::fmt;

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};

use super::{FaultKind, Format, HOLDERS, Kind, NodeId, RESOURCE, Slice, Tree};
use crate::json::{Limits, Position};

/// FHIR's namespace.
pub const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of narratives.
pub const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// The namespace of `xsi:schemaLocation`, which may stand anywhere.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// More attributes than any element of FHIR or XHTML has; looking for a second one of a name is quadratic.
const ATTRIBUTES: usize = 256;

/// Why a document is not XML that we take. Neither its text nor its fields hold any of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, counted in bytes from the start.
    pub offset: usize,
    /// Where, as line and column.
    pub position: Position,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no element in it.
    Empty,
    /// It ends in the middle of an element, a comment or an attribute.
    Truncated,
    /// A tag, an attribute or a comment is not written as XML writes them, or tags do not match.
    NotWellFormed,
    /// A character that XML 1.0 does not allow, as such or as a reference.
    Character,
    /// The declaration names another encoding than UTF-8.
    Encoding,
    /// The declaration names another version than 1.0.
    Version,
    /// A document type definition.
    DocumentType,
    /// An entity that is not one of XML's five.
    Entity,
    /// The outermost element is not in FHIR's namespace.
    Root,
    /// More follows after the outermost element.
    TrailingText,
    /// It nests deeper than the limit.
    TooDeep,
    /// It is longer, or holds more elements or attributes, than the limit.
    TooLarge,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "the document has no element",
            Self::Truncated => "the document ends in the middle of an element",
            Self::NotWellFormed => "the document is not well-formed XML",
            Self::Character => "a character that XML does not allow",
            Self::Encoding => "the declaration names another encoding than UTF-8",
            Self::Version => "the declaration names another version of XML than 1.0",
            Self::DocumentType => "a document type definition, which FHIR does not allow",
            Self::Entity => "an entity that is not one of XML's five",
            Self::Root => "the outermost element is not in FHIR's namespace",
            Self::TrailingText => "text after the end of the document",
            Self::TooDeep => "elements nested too deeply",
            Self::TooLarge => "the document is too large",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl std::error::Error for Error {}

type Step<T> = Result<T, (ErrorKind, usize)>;

/// Reads a document.
///
/// # Errors
/// The first thing that is not XML, or that is refused, with its place.
pub fn read(source: &str, limits: Limits) -> Result<Tree<'_>, Error> {
    parse(source, limits).map_err(|(kind, offset)| Error {
        kind,
        offset,
        position: super::place::position(source, offset),
    })
}

fn parse(source: &str, limits: Limits) -> Step<Tree<'_>> {
    if source.len() > limits.bytes.min(u32::MAX as usize / 2) {
        return Err((ErrorKind::TooLarge, limits.bytes.min(source.len())));
    }
    let mut document = Document::new(source, limits)?;
    while document.step()? {}
    Ok(document.tree.finish())
}

/// Whether a text is one well-formed XHTML `div` that can stand in a document as it is.
pub(in crate::validate) fn is_markup(text: &str, limits: Limits) -> bool {
    let read = || -> Step<bool> {
        let mut document = Document::new(text, limits)?;
        let Event::Start(tag) = document.event()? else { return Ok(false) };
        let is_div = tag.local_name().as_ref() == "div";
        document.markup(&tag)?;
        Ok(is_div && document.event()? == Event::Eof)
    };
    read().unwrap_or(false)
}

/// What a prefix stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    None,
    Fhir,
    Xhtml,
    Instance,
    Other,
}

impl Space {
    fn of(uri: &str) -> Self {
        match uri {
            "" => Self::None,
            FHIR => Self::Fhir,
            XHTML => Self::Xhtml,
            INSTANCE => Self::Instance,
            _ => Self::Other,
        }
    }
}

/// An element that is not closed yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    node: NodeId,
    /// It is the element of a resource, and has no node of its own but its holder's.
    unwrapped: bool,
    /// How many prefixes were known outside it.
    spaces: usize,
}

struct Document<'s> {
    source: &'s str,
    reader: Reader<&'s [u8]>,
    /// Bytes before what the reader was given: a byte order mark.
    base: usize,
    limits: Limits,
    tree: Tree<'s>,
    open: Vec<Open>,
    /// The prefixes (in the source) and what they stand for, innermost last.
    spaces: Vec<(Slice, Space)>,
}

impl<'s> Document<'s> {
    fn new(source: &'s str, limits: Limits) -> Step<Self> {
        let forbidden = |byte: &u8| matches!(byte, 0..=8 | 0xb | 0xc | 0xe..=0x1f);
        let bytes = source.as_bytes();
        let control = bytes.iter().position(forbidden);
        // U+FFFE and U+FFFF.
        let other =
            || memmem::find(bytes, b"\xef\xbf\xbe").or(memmem::find(bytes, b"\xef\xbf\xbf"));
        if let Some(at) = control.or_else(other) {
            return Err((ErrorKind::Character, at));
        }
        let base = if source.starts_with('\u{feff}') { 3 } else { 0 };
        let mut reader = Reader::from_str(source.get(base..).unwrap_or_default());
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        let tree = Tree::begin(source, Format::Xml);
        Ok(Self { source, reader, base, limits, tree, open: Vec::new(), spaces: Vec::new() })
    }

    fn position(&self) -> usize {
        self.base + usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// The next event; what no document may have ends the reading.
    fn event(&mut self) -> Step<Event<'s>> {
        let before = self.position();
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err((ErrorKind::DocumentType, before)),
            Ok(Event::GeneralRef(reference)) => {
                resolve(&reference).map_err(|kind| (kind, before))?;
                Ok(Event::GeneralRef(reference))
            }
            Ok(event) => Ok(event),
            Err(error) => Err((self.kind(&error, before), before)),
        }
    }

    fn kind(&self, error: &quick_xml::Error, before: usize) -> ErrorKind {
        use quick_xml::errors::{IllFormedError, SyntaxError};
        match error {
            // An unclosed definition is one all the same.
            quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype) => ErrorKind::DocumentType,
            quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                let rest = self.source.get(before..).unwrap_or_default();
                if rest.len() < 9 { ErrorKind::Truncated } else { ErrorKind::NotWellFormed }
            }
            quick_xml::Error::Syntax(_)
            | quick_xml::Error::IllFormed(IllFormedError::MissingEndTag(_)) => ErrorKind::Truncated,
            _ => ErrorKind::NotWellFormed,
        }
    }

    /// Where a piece of the source lies in it.
    fn slice(&self, piece: &str) -> Slice {
        let start = piece.as_ptr().addr().wrapping_sub(self.source.as_ptr().addr());
        Slice::of_source(start, start.wrapping_add(piece.len()))
    }

    /// Reads one event; whether more may follow.
    fn step(&mut self) -> Step<bool> {
        let start = self.position();
        match self.event()? {
            Event::Start(tag) => self.start(&tag, start)?,
            Event::End(_) => self.end(),
            Event::Text(text) => {
                if !text.bytes().all(|byte| byte.is_ascii_whitespace()) {
                    self.text(start)?;
                }
            }
            Event::CData(_) | Event::GeneralRef(_) => self.text(start)?,
            Event::Decl(declaration) => {
                if start != self.base {
                    return Err((ErrorKind::NotWellFormed, start));
                }
                if !matches!(declaration.version(), Ok(version) if version == "1.0") {
                    return Err((ErrorKind::Version, start));
                }
                match declaration.encoding() {
                    None => {}
                    Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => {}
                    Some(_) => return Err((ErrorKind::Encoding, start)),
                }
            }
            Event::PI(_) => {
                if let Some(open) = self.open.last() {
                    self.tree.fault(FaultKind::Instruction, open.node, start);
                }
            }
            Event::Comment(_) => {}
            Event::Eof if self.tree.is_empty() => return Err((ErrorKind::Empty, start)),
            Event::Eof if !self.open.is_empty() => return Err((ErrorKind::Truncated, start)),
            Event::Eof => return Ok(false),
            Event::Empty(_) | Event::DocType(_) => return Err((ErrorKind::NotWellFormed, start)),
        }
        Ok(true)
    }

    /// Text where FHIR has elements only.
    fn text(&mut self, start: usize) -> Step<()> {
        match self.open.last() {
            Some(open) => {
                // Text in pieces is one fault.
                let node = open.node;
                let last = self.tree.faults.last();
                if last.is_none_or(|last| last.kind != FaultKind::Text || last.node != node) {
                    self.tree.fault(FaultKind::Text, node, start);
                }
                Ok(())
            }
            None if self.tree.is_empty() => Err((ErrorKind::NotWellFormed, start)),
            None => Err((ErrorKind::TrailingText, start)),
        }
    }

    fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            self.spaces.truncate(open.spaces);
            if !open.unwrapped {
                self.tree.close(open.node);
            }
        }
    }

    /// What the prefix of a name stands for.
    fn space(&self, prefix: &str) -> Space {
        let known = |(known, _): &&(Slice, Space)| self.tree.slice(*known) == prefix;
        self.spaces
            .iter()
            .rev()
            .find(known)
            .map_or(if prefix.is_empty() { Space::None } else { Space::Other }, |(_, space)| *space)
    }

    /// The attributes of an element, checked; namespaces are noted.
    fn attributes<'a>(&mut self, tag: &'a BytesStart<'s>) -> Step<Vec<Attribute<'a>>> {
        let mut found = Vec::new();
        for attribute in tag.attributes() {
            let start = self.position();
            let attribute = attribute.map_err(|_| (ErrorKind::NotWellFormed, start))?;
            if found.len() >= ATTRIBUTES {
                return Err((ErrorKind::TooLarge, start));
            }
            if attribute.value.contains('<') {
                return Err((ErrorKind::NotWellFormed, start));
            }
            let name = attribute.key.into_inner();
            if name == "xmlns" || name.starts_with("xmlns:") {
                let uri = unescape(&attribute.value).map_err(|kind| (kind, start))?;
                let prefix = name.strip_prefix("xmlns:").unwrap_or_default();
                let prefix = if prefix.is_empty() { Slice::default() } else { self.slice(prefix) };
                if self.spaces.len() >= self.limits.nodes {
                    return Err((ErrorKind::TooLarge, start));
                }
                self.spaces.push((prefix, Space::of(uri.as_deref().unwrap_or(&attribute.value))));
            }
            found.push(attribute);
        }
        Ok(found)
    }

    fn start(&mut self, tag: &BytesStart<'s>, start: usize) -> Step<()> {
        if self.open.is_empty() && !self.tree.is_empty() {
            return Err((ErrorKind::TrailingText, start));
        }
        if self.open.len() >= self.limits.depth {
            return Err((ErrorKind::TooDeep, start));
        }
        let spaces = self.spaces.len();
        let attributes = self.attributes(tag)?;
        let name = tag.name().into_inner();
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let space = self.space(prefix);
        let Some(parent) = self.open.last().copied() else {
            if space != Space::Fhir {
                return Err((ErrorKind::Root, start));
            }
            let node = self.node(Slice::default(), NodeId::ROOT, start)?;
            self.tree.put_resource(node, self.slice(local));
            self.open.push(Open { node, unwrapped: false, spaces });
            return self.values(node, &attributes, true);
        };
        if local == "div" && (space == Space::Xhtml || self.tree.name(parent.node) == "text") {
            self.narrative(tag, start, parent.node, (space, spaces))?;
            self.spaces.truncate(spaces);
            return Ok(());
        }
        let unwrapped = local.starts_with(|first: char| first.is_ascii_uppercase())
            && HOLDERS.contains(&self.tree.name(parent.node))
            && !parent.unwrapped;
        let again = unwrapped && self.tree.node(parent.node).flags & RESOURCE != 0;
        let unwrapped = unwrapped && !again;
        let node = if unwrapped {
            self.tree.put_resource(parent.node, self.slice(local));
            parent.node
        } else {
            self.node(self.slice(local), parent.node, start)?
        };
        if again {
            self.tree.fault(FaultKind::Resource, node, start);
        }
        if space != Space::Fhir {
            self.tree.fault(FaultKind::Namespace, node, start);
        }
        self.open.push(Open { node, unwrapped, spaces });
        self.values(node, &attributes, unwrapped)
    }

    fn node(&mut self, name: Slice, parent: NodeId, start: usize) -> Step<NodeId> {
        if self.tree.len() >= self.limits.nodes {
            return Err((ErrorKind::TooLarge, start));
        }
        Ok(self.tree.open(name, parent, Kind::Object, start))
    }

    /// The value of an element and the children that XML writes as attributes; a resource has neither.
    fn values(&mut self, node: NodeId, attributes: &[Attribute<'_>], resource: bool) -> Step<()> {
        for attribute in attributes {
            let name = attribute.key.into_inner();
            let key = self.slice(name);
            let at = key.start as usize;
            let text = match unescape(&attribute.value).map_err(|kind| (kind, at))? {
                Some(text) => self.tree.keep(&text),
                None => self.slice(&attribute.value),
            };
            let extension = matches!(self.tree.name(node), "extension" | "modifierExtension");
            match name {
                "value" if !resource => self.tree.put_text(node, Kind::String, text),
                "id" | "url" if !resource && (name == "id" || extension) => {
                    let child = self.node(key, node, at)?;
                    self.tree.put_text(child, Kind::String, text);
                }
                "xmlns" => {}
                _ => {
                    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
                    let schema = local == "schemaLocation" && self.space(prefix) == Space::Instance;
                    if prefix != "xmlns" && !schema {
                        self.tree.fault(FaultKind::Attribute, node, at);
                    }
                }
            }
        }
        Ok(())
    }

    /// A narrative is one text: the markup as it is written.
    fn narrative(
        &mut self,
        tag: &BytesStart<'s>,
        start: usize,
        parent: NodeId,
        (space, outer): (Space, usize),
    ) -> Step<()> {
        let name = tag.name().into_inner();
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let node = self.node(self.slice(local), parent, start)?;
        if space != Space::Xhtml {
            self.tree.fault(FaultKind::Namespace, node, start);
        }
        let declared = self.spaces.get(outer..).unwrap_or_default();
        let own = declared.iter().any(|(known, _)| self.tree.slice(*known) == prefix);
        let end = self.markup(tag)?;
        let text = if own || space != Space::Xhtml {
            Slice::of_source(start, end)
        } else {
            // It stands for itself in JSON, so it has to say its namespace itself.
            let after = start + 1 + name.len();
            let rest = self.source.get(after..end).unwrap_or_default();
            let colon = if prefix.is_empty() { "" } else { ":" };
            self.tree.keep(&format!("<{name} xmlns{colon}{prefix}=\"{XHTML}\"{rest}"))
        };
        self.tree.put_text(node, Kind::String, text);
        self.tree.close(node);
        Ok(())
    }

    /// Goes on behind the end of an element of markup that has begun, and checks it; gives where it ends.
    fn markup(&mut self, tag: &BytesStart<'s>) -> Step<usize> {
        let mut depth = 1_usize;
        self.check(tag)?;
        while depth > 0 {
            let start = self.position();
            match self.event()? {
                Event::Start(tag) => {
                    depth += 1;
                    if depth > self.limits.depth {
                        return Err((ErrorKind::TooDeep, start));
                    }
                    self.check(&tag)?;
                }
                Event::End(_) => depth -= 1,
                Event::Eof => return Err((ErrorKind::Truncated, start)),
                _ => {}
            }
        }
        Ok(self.position())
    }

    fn check(&self, tag: &BytesStart<'_>) -> Step<()> {
        let start = self.position();
        for (place, attribute) in tag.attributes().enumerate() {
            if place >= ATTRIBUTES {
                return Err((ErrorKind::TooLarge, start));
            }
            let attribute = attribute.map_err(|_| (ErrorKind::NotWellFormed, start))?;
            if attribute.value.contains('<') {
                return Err((ErrorKind::NotWellFormed, start));
            }
            unescape(&attribute.value).map_err(|kind| (kind, start))?;
        }
        Ok(())
    }
}

/// An attribute's value without references and with its white space as XML wants it (XML 1.0 3.3.3); nothing if that
/// is how it is written.
fn unescape(raw: &str) -> Result<Option<String>, ErrorKind> {
    if !raw.bytes().any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')) {
        return Ok(None);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        let (before, found) = rest.split_at(at);
        text.push_str(before);
        if let Some(reference) = found.strip_prefix('&') {
            let (name, after) = reference.split_once(';').ok_or(ErrorKind::NotWellFormed)?;
            text.push(resolve(name)?);
            rest = after;
        } else {
            text.push(' ');
            let after = found.strip_prefix("\r\n");
            rest = after.or_else(|| found.get(1..)).unwrap_or_default();
        }
    }
    text.push_str(rest);
    Ok(Some(text))
}

/// The character of a reference, given without `&` and `;`.
fn resolve(name: &str) -> Result<char, ErrorKind> {
    let number = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => name.strip_prefix('#').ok_or(ErrorKind::Entity)?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return Err(ErrorKind::NotWellFormed);
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|character| is_character(*character))
        .ok_or(ErrorKind::Character)
}

/// Whether XML 1.0 has the character (production 2).
pub(in crate::validate) const fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
