//! Reading FHIR JSON (R4 2.6) into the [`Tree`].
//!
//! The rules are those of [`json::parse`](crate::json::parse): RFC 8259 to the letter, one leading byte order mark,
//! limits. What is JSON but not FHIR's (a second member of one name, `_name` that does not fit `name`) is read on and told as a
//! [`Fault`](super::Fault), so that one report holds all of it; `null`, `[]` and arrays in arrays are kinds of element.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FaultKind, Format, HIDDEN, HOLDERS, IN_ARRAY, Kind, NodeId, Slice, Tree, UNDERSCORE, narrow,
};
use crate::json::{Error, ErrorKind, Limits, number_end, unescape};

/// From so many members on an object's names are looked up and not compared one by one.
const MANY: usize = 32;

/// Reads a document.
///
/// # Errors
/// The first thing that is not JSON, or the limit that it breaks, with its place.
pub fn read(source: &str, limits: Limits) -> Result<Tree<'_>, Error> {
    let fail = |(kind, offset)| Error::at(kind, source.as_bytes(), offset);
    if source.len() > limits.bytes.min(u32::MAX as usize / 2) {
        return Err(fail((ErrorKind::TooLarge, limits.bytes.min(source.len()))));
    }
    let at = if source.starts_with('\u{feff}') { 3 } else { 0 };
    let tree = Tree::begin(source, Format::Json);
    let mut reader =
        Reader { bytes: source.as_bytes(), at, depth: 0, limits, tree, names: Vec::new() };
    reader.document().map_err(fail)?;
    Ok(reader.tree.finish())
}

struct Reader<'s> {
    bytes: &'s [u8],
    at: usize,
    depth: usize,
    limits: Limits,
    tree: Tree<'s>,
    /// The names of the members of all open objects, innermost last.
    names: Vec<(Slice, NodeId)>,
}

type Step<T> = Result<T, (ErrorKind, usize)>;

impl Reader<'_> {
    fn document(&mut self) -> Step<()> {
        self.space();
        if self.peek().is_none() {
            return Err((ErrorKind::Empty, self.at));
        }
        self.value(Slice::default(), NodeId::ROOT, 0)?;
        self.space();
        if self.at < self.bytes.len() { Err((ErrorKind::TrailingText, self.at)) } else { Ok(()) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected<T>(&self) -> Step<T> {
        let kind =
            if self.at >= self.bytes.len() { ErrorKind::Truncated } else { ErrorKind::Unexpected };
        Err((kind, self.at))
    }

    fn deeper(&mut self) -> Step<()> {
        self.depth += 1;
        if self.depth > self.limits.depth { Err((ErrorKind::TooDeep, self.at)) } else { Ok(()) }
    }

    fn open(&mut self, name: Slice, parent: NodeId, kind: Kind, flags: u8) -> Step<NodeId> {
        if self.tree.len() >= self.limits.nodes {
            return Err((ErrorKind::TooLarge, self.at));
        }
        let id = self.tree.open(name, parent, kind, self.at);
        self.tree.flag(id, flags);
        Ok(id)
    }

    fn value(&mut self, name: Slice, parent: NodeId, flags: u8) -> Step<()> {
        match self.peek() {
            Some(b'{') => {
                let id = self.open(name, parent, Kind::Object, flags)?;
                self.object(id)?;
                self.tree.close(id);
            }
            Some(b'[') => self.array(name, parent, flags)?,
            Some(b'"') => {
                let id = self.open(name, parent, Kind::String, flags)?;
                let text = self.string()?;
                self.tree.put_text(id, Kind::String, text);
            }
            Some(b'-' | b'0'..=b'9') => {
                let id = self.open(name, parent, Kind::Number, flags)?;
                let text = self.number()?;
                self.tree.put_text(id, Kind::Number, text);
            }
            Some(b't') => self.word(b"true", Kind::Bool, name, parent, flags)?,
            Some(b'f') => self.word(b"false", Kind::Bool, name, parent, flags)?,
            Some(b'n') => self.word(b"null", Kind::Null, name, parent, flags)?,
            _ => self.unexpected()?,
        }
        Ok(())
    }

    fn word(
        &mut self,
        word: &[u8],
        kind: Kind,
        name: Slice,
        parent: NodeId,
        flags: u8,
    ) -> Step<()> {
        let id = self.open(name, parent, kind, flags)?;
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word) {
            return self.unexpected();
        }
        self.tree.put_text(id, kind, Slice::of_source(self.at, end));
        self.at = end;
        Ok(())
    }

    /// The items of an array are siblings of its name; what stands in a second array is read and not kept.
    fn array(&mut self, name: Slice, parent: NodeId, flags: u8) -> Step<()> {
        let start = self.at;
        self.deeper()?;
        if flags & IN_ARRAY != 0 || self.tree.is_empty() {
            let id = self.open(name, parent, Kind::NestedArray, flags)?;
            let kept = (self.tree.len(), self.tree.resources.len(), self.tree.faults.len());
            self.items(name, id, IN_ARRAY)?;
            self.tree.cut(kept);
        } else {
            let before = self.tree.len();
            self.items(name, parent, flags | IN_ARRAY)?;
            if self.tree.len() == before {
                let end = self.at;
                self.at = start;
                self.open(name, parent, Kind::EmptyArray, flags)?;
                self.at = end;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn items(&mut self, name: Slice, parent: NodeId, flags: u8) -> Step<()> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            self.value(name, parent, flags)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.unexpected(),
            }
        }
    }

    fn object(&mut self, id: NodeId) -> Step<()> {
        self.deeper()?;
        self.at += 1;
        let outer = self.names.len();
        let mut many = None;
        let mut underscores = false;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return self.unexpected();
                }
                let begin = self.at;
                let name = self.string()?;
                let written = self.tree.bytes(name);
                let hidden = written.len() > 1 && written.starts_with(b"_");
                underscores |= hidden;
                self.space();
                if self.peek() != Some(b':') {
                    return self.unexpected();
                }
                self.at += 1;
                self.space();
                let member = NodeId(narrow(self.tree.len()));
                if self.is_known(outer, name, &mut many) {
                    self.tree.fault(FaultKind::DuplicateMember, member, begin);
                }
                self.names.push((name, member));
                self.value(name, id, if hidden { HIDDEN | UNDERSCORE } else { 0 })?;
                if !hidden && self.tree.bytes(name) == b"resourceType" {
                    self.resource_type(id, member);
                }
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => {
                        self.at += 1;
                        break;
                    }
                    _ => return self.unexpected(),
                }
            }
        }
        if underscores {
            self.marry(id, outer);
        }
        self.names.truncate(outer);
        self.depth -= 1;
        Ok(())
    }

    /// Whether the object has a member of this name already. Objects of FHIR have few members; those of a hostile
    /// document are many, and are looked up in a set.
    fn is_known(&self, outer: usize, name: Slice, many: &mut Option<BTreeSet<Box<str>>>) -> bool {
        let earlier = self.names.get(outer..).unwrap_or_default();
        if earlier.len() < MANY {
            let length = name.length & !Slice::DECODED;
            let text = self.tree.bytes(name);
            return earlier.iter().any(|(other, _)| {
                other.length & !Slice::DECODED == length && self.tree.bytes(*other) == text
            });
        }
        let text = self.tree.slice(name);
        let known = many.get_or_insert_with(|| {
            earlier.iter().map(|(other, _)| self.tree.slice(*other).into()).collect()
        });
        !known.insert(text.into())
    }

    /// `resourceType` is no element where a resource may stand.
    fn resource_type(&mut self, id: NodeId, member: NodeId) {
        let holds = id == NodeId::ROOT || HOLDERS.contains(&self.tree.name(id));
        let node = *self.tree.node(member);
        if holds && node.kind == Kind::String {
            self.tree.flag(member, HIDDEN);
            if self.tree.resource_type(id).is_none()
                && !self.tree.resources.iter().rev().take(1).any(|(known, _)| *known == id)
            {
                self.tree.put_resource(id, node.text);
            }
        }
    }

    /// Joins each `_name` with its `name`.
    fn marry(&mut self, id: NodeId, outer: usize) {
        let members: Vec<(Slice, NodeId)> = self.names.get(outer..).unwrap_or_default().to_vec();
        let mut by_name: BTreeMap<Box<str>, NodeId> = BTreeMap::new();
        if members.len() >= MANY {
            for (name, first) in members.iter().rev() {
                by_name.insert(self.tree.slice(*name).into(), *first);
            }
        }
        let find = |tree: &Tree<'_>, plain: &str| -> Option<NodeId> {
            if members.len() >= MANY {
                return by_name.get(plain).copied();
            }
            members.iter().find(|(other, _)| tree.slice(*other) == plain).map(|(_, first)| *first)
        };
        let end = narrow(self.tree.len());
        let items = |tree: &Tree<'_>, first: NodeId| -> Vec<u32> {
            let name = tree.node(first).name.start;
            let mut found = Vec::new();
            let mut next = first.0;
            while next < end {
                let node = tree.node(NodeId(next));
                if node.name.start != name || node.parent != id.0 {
                    break;
                }
                found.push(next);
                next = node.end;
            }
            found
        };
        for (name, first) in &members {
            if self.tree.node(*first).flags & UNDERSCORE == 0 {
                continue;
            }
            let plain = name.without_first();
            let values = find(&self.tree, self.tree.slice(plain))
                .map(|first| items(&self.tree, first))
                .unwrap_or_default();
            let companions = items(&self.tree, *first);
            let both = values.first().zip(companions.first());
            let unequal = both.is_some_and(|(value, companion)| {
                let in_array = |id: u32| self.tree.in_array(NodeId(id));
                in_array(*value) != in_array(*companion) || values.len() != companions.len()
            });
            if unequal {
                let at = self.tree.start(*first);
                self.tree.fault(FaultKind::UnequalArrays, *first, at);
            }
            for (place, companion) in companions.into_iter().enumerate() {
                self.join(values.get(place).copied(), companion, plain);
            }
        }
    }

    fn join(&mut self, value: Option<u32>, companion: u32, plain: Slice) {
        let kind = self.tree.kind(NodeId(companion));
        if !matches!(kind, Kind::Object | Kind::Null) {
            let at = self.tree.start(NodeId(companion));
            self.tree.fault(FaultKind::NotAnElement, NodeId(companion), at);
            return;
        }
        match value {
            Some(value) if kind == Kind::Object => self.tree.adopt(value, companion),
            Some(_) => {}
            None => self.tree.show(companion, plain),
        }
    }

    fn number(&mut self) -> Step<Slice> {
        let start = self.at;
        self.at = number_end(self.bytes, start)?;
        Ok(Slice::of_source(start, self.at))
    }

    /// A string: a piece of the source unless something in it is escaped.
    fn string(&mut self) -> Step<Slice> {
        self.at += 1;
        let start = self.at;
        self.run();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Slice::of_source(start, self.at - 1));
        }
        let kept = self.tree.decoded.len();
        let mut from = start;
        loop {
            let run = self.tree.source.get(from..self.at).unwrap_or_default();
            self.tree.decoded.push_str(run);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Slice::of_decoded(kept, self.tree.decoded.len()));
                }
                Some(b'\\') => {
                    let (character, length) = unescape(self.tree.source, self.at)?;
                    self.tree.decoded.push(character);
                    self.at += length;
                }
                Some(_) => return Err((ErrorKind::ControlCharacter, self.at)),
                None => return Err((ErrorKind::Truncated, self.at)),
            }
            from = self.at;
            self.run();
        }
    }

    /// Goes on to the next character that means something in a string: eight bytes at a time.
    fn run(&mut self) {
        const ONES: u64 = u64::MAX / 255;
        const HIGH: u64 = ONES << 7;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (words, _) = rest.as_chunks::<8>();
        let mut at = 0;
        for word in words {
            let word = u64::from_le_bytes(*word);
            // The highest bit of each byte that is zero after the exclusive or, or below 0x20; the lowest one found is true.
            let each = |byte: u8| ONES * u64::from(byte);
            let (quote, escape) = (word ^ each(b'"'), word ^ each(b'\\'));
            let found = (quote.wrapping_sub(ONES) & !quote)
                | (escape.wrapping_sub(ONES) & !escape)
                | (word.wrapping_sub(ONES * 0x20) & !word);
            let found = found & HIGH;
            if found != 0 {
                self.at += at + (found.trailing_zeros() / 8) as usize;
                return;
            }
            at += 8;
        }
        let rest = rest.get(at..).unwrap_or_default();
        let tail = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at += at + tail.unwrap_or(rest.len());
    }
}

impl Tree<'_> {
    /// A piece of text as bytes, for which no character's boundary is looked for.
    fn bytes(&self, slice: Slice) -> &[u8] {
        let length = (slice.length & !Slice::DECODED) as usize;
        let start = slice.start as usize;
        let whole = if slice.length & Slice::DECODED == 0 { self.source } else { &self.decoded };
        whole.as_bytes().get(start..start + length).unwrap_or_default()
    }

    /// Forgets what was read since there were so many elements, resources and faults.
    fn cut(&mut self, (nodes, resources, faults): (usize, usize, usize)) {
        self.nodes.truncate(nodes);
        self.resources.truncate(resources);
        self.faults.truncate(faults);
    }

    /// Gives an element the members of its `_name` object as children.
    fn adopt(&mut self, value: u32, companion: u32) {
        let children: Vec<NodeId> = self.children(NodeId(companion)).collect();
        for child in children {
            if let Some(node) = self.nodes.get_mut(child.index()) {
                node.parent = value;
            }
        }
        if let Some(node) = self.nodes.get_mut(value as usize) {
            node.companion = companion;
        }
    }

    /// Makes an item of `_name` without a value an element of its own.
    fn show(&mut self, companion: u32, plain: Slice) {
        if let Some(node) = self.nodes.get_mut(companion as usize) {
            node.flags &= !HIDDEN;
            node.name = plain;
        }
    }
}
