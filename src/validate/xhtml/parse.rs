//! XHTML read into a flat list of parts: elements, texts and comments in the order of the text.
//!
//! It borrows the text and expands nothing: entities stay as they are written. As the reference engine does, it lets
//! pass what HTML allows and XML does not (an attribute without quotes or value), and says so: such markup breaks
//! every reader of XML.

use super::super::rule::{Rule, narrative as rule};

/// How deep elements may be nested.
pub const DEEPEST: usize = 128;

/// What a part of a narrative is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// `<p>`
    Element,
    /// Text, with its entities as written.
    Text,
    /// `<![CDATA[x]]>`
    CData,
    /// `<!-- x -->`
    Comment,
}

/// A part of a narrative.
#[derive(Debug, Clone, Copy)]
pub struct Part<'t> {
    /// What it is.
    pub kind: PartKind,
    /// The name of an element as written, or the text.
    pub text: &'t str,
    /// The element in which it is; of the root itself.
    pub parent: usize,
    /// One past the last part that lies in it.
    pub end: usize,
    /// Where it begins, in bytes from the start of the text.
    pub offset: usize,
    attributes: (usize, usize),
}

impl<'t> Part<'t> {
    /// The name without a prefix.
    pub fn local_name(&self) -> &'t str {
        self.text.split_once(':').map_or(self.text, |(_, local)| local)
    }

    /// The prefix of the name.
    pub fn prefix(&self) -> Option<&'t str> {
        self.text.split_once(':').map(|(prefix, _)| prefix)
    }
}

/// An attribute of an element.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'t> {
    /// The name as written: `xml:lang`.
    pub name: &'t str,
    /// The value with its entities as written.
    pub value: &'t str,
    /// Where the name begins, in bytes from the start of the text.
    pub offset: usize,
    /// Whether it is written as XML demands: a value, in quotes.
    pub well_formed: bool,
}

/// A narrative's markup.
#[derive(Debug)]
pub struct Markup<'t> {
    parts: Vec<Part<'t>>,
    attributes: Vec<Attribute<'t>>,
    entities: Vec<usize>,
}

impl<'t> Markup<'t> {
    /// Where entities stand that XML does not know by itself (`&nbsp;`), in bytes from the start of the text.
    pub fn unknown_entities(&self) -> &[usize] {
        &self.entities
    }

    /// All parts; the first is the root element.
    pub fn parts(&self) -> &[Part<'t>] {
        &self.parts
    }

    /// The attributes of an element.
    pub fn attributes(&self, part: &Part<'_>) -> &[Attribute<'t>] {
        self.attributes.get(part.attributes.0..part.attributes.1).unwrap_or_default()
    }

    /// The value of an attribute.
    pub fn attribute(&self, part: &Part<'_>, name: &str) -> Option<&'t str> {
        self.attributes(part)
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|found| found.value)
    }

    /// The element in which a part is; of the root nothing.
    pub fn parent(&self, part: &Part<'_>) -> Option<&Part<'t>> {
        self.parts.get(part.parent).filter(|parent| parent.offset != part.offset)
    }

    /// Whether there is text that is not white space, or an image.
    pub fn has_content(&self) -> bool {
        self.parts.iter().any(|part| match part.kind {
            PartKind::Element => part.local_name() == "img",
            PartKind::Text | PartKind::CData => !is_blank(part.text),
            PartKind::Comment => false,
        })
    }
}

/// Whether a text shows nothing: white space of XML, also as character references.
pub(super) fn is_blank(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|character: char| character <= ' ');
        if rest.is_empty() {
            return true;
        }
        let blank = [
            "&#32;", "&#9;", "&#10;", "&#13;", "&#x20;", "&#x9;", "&#xA;", "&#xa;", "&#xD;",
            "&#xd;",
        ];
        match blank.iter().find_map(|reference| rest.strip_prefix(reference)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
}

/// What keeps markup from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It ends early, or a tag is not as a tag must be.
    Malformed,
    /// A document type.
    DocumentType,
    /// `&` alone, or a number that is no character.
    Entity,
    /// A processing instruction.
    Instruction,
    /// Deeper than [`DEEPEST`].
    TooDeep,
}

/// Where markup can't be read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub kind: FaultKind,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
}

impl Fault {
    /// The rule that is broken.
    pub fn rule(self) -> &'static Rule {
        match self.kind {
            FaultKind::Malformed => &rule::MALFORMED,
            FaultKind::DocumentType => &rule::DOCUMENT_TYPE,
            FaultKind::Entity => &rule::ENTITY,
            FaultKind::Instruction => &rule::INSTRUCTION,
            FaultKind::TooDeep => &rule::TOO_DEEP,
        }
    }
}

/// Reads markup.
///
/// # Errors
/// The first [`Fault`].
pub fn parse(text: &str) -> Result<Markup<'_>, Fault> {
    let markup = Markup { parts: Vec::new(), attributes: Vec::new(), entities: Vec::new() };
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, markup, open: Vec::new() };
    reader.document()?;
    Ok(reader.markup)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    markup: Markup<'t>,
    /// The elements that are open, the innermost last.
    open: Vec<usize>,
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.') || byte >= 0x80
}

impl<'t> Reader<'t> {
    fn fail<T>(&self, kind: FaultKind) -> Result<T, Fault> {
        Err(Fault { kind, offset: self.at.min(self.bytes.len()) })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn starts(&self, with: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(with.as_bytes()))
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn piece(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn find(&self, from: usize, what: &[u8]) -> Option<usize> {
        memchr::memmem::find(self.bytes.get(from..)?, what).map(|at| from + at)
    }

    fn document(&mut self) -> Result<(), Fault> {
        if self.starts("\u{feff}") {
            self.at += 3;
        }
        self.prologue()?;
        if self.peek() != Some(b'<') {
            return self.fail(FaultKind::Malformed);
        }
        self.start_tag()?;
        while !self.open.is_empty() {
            match self.peek() {
                None => return self.fail(FaultKind::Malformed),
                Some(b'<') => self.markup()?,
                Some(_) => self.characters()?,
            }
        }
        self.prologue()?;
        if self.peek().is_some() { self.fail(FaultKind::Malformed) } else { Ok(()) }
    }

    /// What may stand around the root: white space and comments.
    fn prologue(&mut self) -> Result<(), Fault> {
        loop {
            self.space();
            if self.starts("<!--") {
                self.at = self.comment_end()?;
            } else if self.starts("<!") {
                return self.fail(FaultKind::DocumentType);
            } else if self.starts("<?") {
                return self.fail(FaultKind::Instruction);
            } else {
                return Ok(());
            }
        }
    }

    fn comment_end(&self) -> Result<usize, Fault> {
        match self.find(self.at + 4, b"-->") {
            Some(end) => Ok(end + 3),
            None => self.fail(FaultKind::Malformed),
        }
    }

    fn push(&mut self, kind: PartKind, text: &'t str, offset: usize) -> usize {
        let index = self.markup.parts.len();
        let attributes = self.markup.attributes.len();
        self.markup.parts.push(Part {
            kind,
            text,
            parent: self.open.last().copied().unwrap_or(0),
            end: index + 1,
            offset,
            attributes: (attributes, attributes),
        });
        index
    }

    fn markup(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.starts("</") {
            return self.end_tag();
        }
        if self.starts("<!--") {
            let end = self.comment_end()?;
            self.push(PartKind::Comment, self.piece(start + 4, end - 3), start);
            self.at = end;
            return Ok(());
        }
        if self.starts("<![CDATA[") {
            let Some(end) = self.find(start + 9, b"]]>") else {
                return self.fail(FaultKind::Malformed);
            };
            self.push(PartKind::CData, self.piece(start + 9, end), start);
            self.at = end + 3;
            return Ok(());
        }
        if self.starts("<!") {
            return self.fail(FaultKind::DocumentType);
        }
        if self.starts("<?") {
            return self.fail(FaultKind::Instruction);
        }
        self.start_tag()
    }

    fn name(&mut self) -> Result<&'t str, Fault> {
        let start = self.at;
        while self.peek().is_some_and(is_name_byte) {
            self.at += 1;
        }
        let starts_right =
            self.bytes.get(start).is_some_and(|byte| !matches!(byte, b'-' | b'.' | b'0'..=b'9'));
        if self.at == start || !starts_right {
            self.at = start;
            return self.fail(FaultKind::Malformed);
        }
        Ok(self.piece(start, self.at))
    }

    fn start_tag(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.open.len() >= DEEPEST {
            return self.fail(FaultKind::TooDeep);
        }
        self.at += 1;
        let name = self.name()?;
        let index = self.push(PartKind::Element, name, start);
        let first = self.markup.attributes.len();
        let empty = loop {
            self.space();
            match self.peek() {
                Some(b'>') => break false,
                Some(b'/') if self.starts("/>") => {
                    self.at += 1;
                    break true;
                }
                Some(_) => self.attribute()?,
                None => return self.fail(FaultKind::Malformed),
            }
        };
        self.at += 1;
        let attributes = (first, self.markup.attributes.len());
        if has_twins(self.markup.attributes.get(first..).unwrap_or_default()) {
            self.at = start;
            return self.fail(FaultKind::Malformed);
        }
        if let Some(part) = self.markup.parts.get_mut(index) {
            part.attributes = attributes;
        }
        if !empty {
            self.open.push(index);
            // HTML takes what is in a script as it stands; so nothing in it is read as markup.
            if name == "script"
                && let Some(end) = self.find(self.at, b"</script>")
            {
                self.push(PartKind::Text, self.piece(self.at, end), self.at);
                self.at = end;
            }
        }
        Ok(())
    }

    fn attribute(&mut self) -> Result<(), Fault> {
        let offset = self.at;
        let name = self.name()?;
        self.space();
        let (value, well_formed) = if self.peek() == Some(b'=') {
            self.at += 1;
            self.space();
            if let Some(quote @ (b'"' | b'\'')) = self.peek() {
                (self.quoted(quote)?, true)
            } else {
                let start = self.at;
                while self.peek().is_some_and(|byte| {
                    !byte.is_ascii_whitespace()
                        && !matches!(byte, b'>' | b'<' | b'"' | b'\'' | b'/')
                }) {
                    self.at += 1;
                }
                if start == self.at {
                    return self.fail(FaultKind::Malformed);
                }
                (self.piece(start, self.at), false)
            }
        } else {
            ("", false)
        };
        self.markup.attributes.push(Attribute { name, value, offset, well_formed });
        Ok(())
    }

    /// A value up to the quote with which it began.
    fn quoted(&mut self, quote: u8) -> Result<&'t str, Fault> {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek().filter(|byte| *byte != quote) {
            match byte {
                b'<' => return self.fail(FaultKind::Malformed),
                b'&' => self.reference()?,
                _ => self.at += 1,
            }
        }
        let value = self.piece(start, self.at);
        self.at += 1;
        Ok(value)
    }

    fn end_tag(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 2;
        let name = self.name()?;
        self.space();
        let closes = self
            .open
            .last()
            .and_then(|index| self.markup.parts.get(*index))
            .is_some_and(|part| part.text == name);
        if self.peek() != Some(b'>') || !closes {
            self.at = start;
            return self.fail(FaultKind::Malformed);
        }
        self.at += 1;
        let end = self.markup.parts.len();
        if let Some(part) = self.open.pop().and_then(|index| self.markup.parts.get_mut(index)) {
            part.end = end;
        }
        Ok(())
    }

    fn characters(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'<' => break,
                b'&' => self.reference()?,
                _ => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    self.at += memchr::memchr2(b'<', b'&', rest).unwrap_or(rest.len());
                }
            }
        }
        self.push(PartKind::Text, self.piece(start, self.at), start);
        Ok(())
    }

    /// `&amp;` and its like, or a number of a character that XML knows.
    fn reference(&mut self) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let length = rest.iter().take(32).position(|byte| *byte == b';');
        let Some(name) = length.and_then(|length| rest.get(..length)) else {
            return self.fail(FaultKind::Entity);
        };
        let known = match name {
            b"amp" | b"lt" | b"gt" | b"quot" | b"apos" => true,
            [b'#', b'x' | b'X', digits @ ..] => is_character(digits, 16),
            [b'#', digits @ ..] => is_character(digits, 10),
            [b'a'..=b'z' | b'A'..=b'Z', rest @ ..] => {
                self.markup.entities.push(self.at);
                rest.iter().all(u8::is_ascii_alphanumeric)
            }
            _ => false,
        };
        if !known {
            return self.fail(FaultKind::Entity);
        }
        self.at += name.len() + 2;
        Ok(())
    }
}

/// Whether two attributes have one name; sorted where there are many, so that nobody can make it slow.
fn has_twins(attributes: &[Attribute<'_>]) -> bool {
    if attributes.len() > 8 {
        let mut names: Vec<&str> = attributes.iter().map(|attribute| attribute.name).collect();
        names.sort_unstable();
        return names.windows(2).any(|pair| matches!(pair, [one, two] if one == two));
    }
    attributes
        .iter()
        .enumerate()
        .any(|(at, one)| attributes.iter().take(at).any(|two| one.name == two.name))
}

fn is_character(digits: &[u8], radix: u32) -> bool {
    let number = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| !digits.starts_with('+'))
        .and_then(|digits| u32::from_str_radix(digits, radix).ok());
    number.is_some_and(|number| {
        char::from_u32(number).is_some()
            && (number >= 0x20 || matches!(number, 0x9 | 0xa | 0xd))
            && !matches!(number, 0xfffe | 0xffff)
    })
}
