//! Reading JSON (RFC 8259), strictly, with positions for whoever has to mend the document.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Key, Number, Object, Value, pointer};

/// How large and deep a document may be; a document beyond them is refused, not cut.
///
/// A single text has no limit of its own beside that of the whole: an attachment of many megabytes is legal (FHIR's base64Binary
/// has no end), a text is borrowed from the source rather than copied, and that a FHIR string ends at 1 MiB is a rule of the
/// validator, which tells the place. From the network a line of NDJSON has 4 MiB at most, and so has any text in it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole document.
    pub bytes: usize,
    /// Levels of nested arrays and objects.
    pub depth: usize,
    /// Values in the whole document.
    pub nodes: usize,
}

impl Limits {
    /// For one resource or record: 16 MiB, 64 levels, 100,000 values (reliability-and-security.md C1).
    pub const RESOURCE: Self = Self { bytes: 16 << 20, depth: 64, nodes: 100_000 };
    /// For a Bundle that is held in memory as a whole: the same depth, more values.
    pub const BUNDLE: Self = Self { bytes: 64 << 20, depth: 64, nodes: 4_000_000 };
}

/// Why a document is not JSON that we take. Neither its text nor its fields hold any of the document: the name of a
/// member, too, may be a person's.
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
    /// There is nothing in it.
    Empty,
    /// It is not UTF-8.
    NotUtf8,
    /// It ends in the middle of a value.
    Truncated,
    /// Something else stands where JSON wants a value, a comma, a colon or an end.
    Unexpected,
    /// A string holds a raw control character.
    ControlCharacter,
    /// A string holds an escape that JSON does not know, or half a surrogate pair.
    Escape,
    /// A number is not written as JSON writes numbers.
    Number,
    /// An object has two members of one name.
    DuplicateMember,
    /// More text follows after the value.
    TrailingText,
    /// It nests deeper than the limit.
    TooDeep,
    /// It is longer, or holds more values, than the limit.
    TooLarge,
}

/// A place in a text: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in Unicode characters.
    pub column: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            ErrorKind::Empty => "the document is empty",
            ErrorKind::NotUtf8 => "the document is not UTF-8 text",
            ErrorKind::Truncated => "the document ends in the middle of a value",
            ErrorKind::Unexpected => "a character that JSON does not allow here",
            ErrorKind::ControlCharacter => "a raw control character in a string",
            ErrorKind::Escape => "an invalid escape in a string",
            ErrorKind::Number => "a number that is not written as JSON writes numbers",
            ErrorKind::DuplicateMember => "a member that the object already has",
            ErrorKind::TrailingText => "text after the end of the document",
            ErrorKind::TooDeep => "arrays and objects nested too deeply",
            ErrorKind::TooLarge => "the document is too large",
        })
    }
}

impl std::error::Error for Error {}

/// Parses one resource or record ([`Limits::RESOURCE`]). One leading byte order mark is accepted.
///
/// # Errors
/// The first thing that is not JSON, with its place.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    parse_with(bytes, Limits::RESOURCE)
}

/// Parses a document under limits of the caller's choice.
///
/// # Errors
/// The first thing that is not JSON, or the limit that it breaks, with its place.
pub fn parse_with(bytes: &[u8], limits: Limits) -> Result<Value, Error> {
    let fail = |kind, offset| Error::at(kind, bytes, offset);
    if bytes.len() > limits.bytes {
        return Err(fail(ErrorKind::TooLarge, limits.bytes));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| fail(ErrorKind::NotUtf8, error.valid_up_to()))?;
    let mut parser = Parser::new(text, limits);
    parser.document().map_err(|(kind, offset)| fail(kind, offset))
}

/// The line and column of every value of a document, by its pointer; of a member, those of its name.
///
/// Only for reports: it reads the text again. Of a text that is not JSON it tells what comes before the fault.
///
/// ```
/// let places = ipt_fhir::json::positions("{\n  \"goals\": []\n}");
/// assert_eq!((places["/goals"].line, places["/goals"].column), (2, 3));
/// ```
pub fn positions(text: &str) -> BTreeMap<String, Position> {
    let mut parser = Parser::new(text, Limits::BUNDLE);
    parser.places = Some(Places { path: String::new(), found: vec![(String::new(), parser.at)] });
    // A document that does not parse has its own error.
    let _ = parser.document();
    let mut positions = BTreeMap::new();
    let (mut line, mut start, mut seen) = (1, 0, 0);
    for (pointer, offset) in parser.places.map(|places| places.found).unwrap_or_default() {
        // They come in the order of the text, so each line is counted once.
        let between = text.get(seen..offset).unwrap_or_default();
        line += between.bytes().filter(|byte| *byte == b'\n').count();
        start = between.rfind('\n').map_or(start, |place| seen + place + 1);
        seen = offset;
        let before = text.get(start..offset).unwrap_or_default();
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        positions.insert(pointer, Position { line, column });
    }
    positions
}

impl Error {
    /// An error at a byte of a document.
    pub(crate) fn at(kind: ErrorKind, bytes: &[u8], offset: usize) -> Self {
        let before = bytes.get(..offset).unwrap_or(bytes);
        Self { kind, offset, position: position_of_end(&String::from_utf8_lossy(before)) }
    }
}

/// The character for which an escape stands, and the bytes that the escape takes.
pub(crate) fn unescape(text: &str, offset: usize) -> Result<(char, usize), (ErrorKind, usize)> {
    let mut parser = Parser::new(text, Limits::RESOURCE);
    parser.at = offset;
    let character = parser.escape()?;
    Ok((character, parser.at - offset))
}

/// Whether the text is a JSON number and nothing else.
pub(crate) fn is_number(text: &str) -> bool {
    number_end(text.as_bytes(), 0) == Ok(text.len())
}

/// Where the number that begins at a byte ends (RFC 8259 section 6), or what is wrong with it, and where.
pub(crate) fn number_end(bytes: &[u8], start: usize) -> Result<usize, (ErrorKind, usize)> {
    let peek = |at: usize| bytes.get(at).copied();
    let digits = |from: usize| {
        let mut at = from;
        while matches!(peek(at), Some(b'0'..=b'9')) {
            at += 1;
        }
        if at == from { Err((ErrorKind::Number, from)) } else { Ok(at) }
    };
    let mut at = if peek(start) == Some(b'-') { start + 1 } else { start };
    at = match peek(at) {
        Some(b'0') => at + 1,
        Some(b'1'..=b'9') => digits(at)?,
        _ => return Err((ErrorKind::Number, start)),
    };
    if peek(at) == Some(b'.') {
        at = digits(at + 1)?;
    }
    if matches!(peek(at), Some(b'e' | b'E')) {
        let signed = matches!(peek(at + 1), Some(b'+' | b'-'));
        at = digits(at + 1 + usize::from(signed))?;
    }
    if matches!(peek(at), Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'a'..=b'z' | b'A'..=b'Z')) {
        return Err((ErrorKind::Number, start));
    }
    Ok(at)
}

fn position_of_end(before: &str) -> Position {
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    Position { line, column: last.trim_start_matches('\u{feff}').chars().count() + 1 }
}

/// Where values begin, as they are met.
struct Places {
    path: String,
    found: Vec<(String, usize)>,
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    nodes: usize,
    limits: Limits,
    places: Option<Places>,
}

type Step<T> = Result<T, (ErrorKind, usize)>;

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: Limits) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, bytes: text.as_bytes(), at, depth: 0, nodes: 0, limits, places: None }
    }

    fn document(&mut self) -> Step<Value> {
        self.space();
        if self.at == self.bytes.len() {
            return Err((ErrorKind::Empty, self.at));
        }
        let value = self.value()?;
        self.space();
        if self.at < self.bytes.len() { Err((ErrorKind::TrailingText, self.at)) } else { Ok(value) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn unexpected<T>(&self) -> Step<T> {
        let kind =
            if self.at >= self.bytes.len() { ErrorKind::Truncated } else { ErrorKind::Unexpected };
        Err((kind, self.at))
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Step<Value> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err((ErrorKind::TooLarge, self.at));
        }
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(self.string()?.into_owned())),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.unexpected(),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Step<Value> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return self.unexpected();
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Step<Value>) -> Step<Value> {
        if self.depth == self.limits.depth {
            return Err((ErrorKind::TooDeep, self.at));
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Step<Value> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            // Only who asks for places pays for the number's text.
            let mark = match self.places {
                Some(_) => self.step_into(&items.len().to_string(), self.at),
                None => 0,
            };
            items.push(self.value()?);
            self.step_out(mark);
            if !self.more(b']')? {
                return Ok(Value::Array(items));
            }
        }
    }

    fn object(&mut self) -> Step<Value> {
        let mut object = Object::new();
        let mut names = BTreeSet::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(object));
        }
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.unexpected();
            }
            let name: Key = Cow::Owned(self.string()?.into_owned());
            // Small objects are searched, large ones looked up: no document makes this quadratic.
            let double = if object.len() < 16 {
                object.get(&name).is_some()
            } else {
                if names.is_empty() {
                    names.extend(object.iter().map(|(name, _)| name.to_owned()));
                }
                !names.insert(name.clone().into_owned())
            };
            if double {
                return Err((ErrorKind::DuplicateMember, start));
            }
            self.space();
            if self.peek() != Some(b':') {
                return self.unexpected();
            }
            self.at += 1;
            self.space();
            let mark = self.step_into(&name, start);
            let value = self.value()?;
            self.step_out(mark);
            object.members.push((name, value));
            if !self.more(b'}')? {
                return Ok(Value::Object(object));
            }
        }
    }

    /// After an item: whether another follows; takes the comma or the closing bracket.
    fn more(&mut self, close: u8) -> Step<bool> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.space();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.unexpected(),
        }
    }

    fn step_into(&mut self, step: &str, start: usize) -> usize {
        let Some(places) = &mut self.places else { return 0 };
        let mark = places.path.len();
        pointer::push_member(&mut places.path, step);
        places.found.push((places.path.clone(), start));
        mark
    }

    fn step_out(&mut self, mark: usize) {
        if let Some(places) = &mut self.places {
            places.path.truncate(mark);
        }
    }

    fn number(&mut self) -> Step<Number> {
        let start = self.at;
        self.at = number_end(self.bytes, start)?;
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(Number(Cow::Owned(text.to_owned())))
    }

    /// A string; borrowed from the document if nothing in it is escaped.
    fn string(&mut self) -> Step<Cow<'a, str>> {
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            let run = self.text.get(start..self.at).unwrap_or_default();
            if text.is_empty() {
                text = Cow::Borrowed(run);
            } else {
                text.to_mut().push_str(run);
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    let character = self.escape()?;
                    text.to_mut().push(character);
                }
                Some(_) => return Err((ErrorKind::ControlCharacter, self.at)),
                None => return Err((ErrorKind::Truncated, self.at)),
            }
        }
    }

    fn escape(&mut self) -> Step<char> {
        let start = self.at;
        self.at += 1;
        let Some(letter) = self.peek() else { return Err((ErrorKind::Truncated, self.at)) };
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode(start)?,
            _ => return Err((ErrorKind::Escape, start)),
        })
    }

    fn unicode(&mut self, start: usize) -> Step<char> {
        let invalid = (ErrorKind::Escape, start);
        let first = self.hexadecimal().ok_or(invalid)?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if self.bytes.get(self.at..self.at + 2) != Some(b"\\u".as_slice()) {
                return Err(invalid);
            }
            self.at += 2;
            let second = self.hexadecimal().ok_or(invalid)?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(invalid);
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or(invalid)
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> ErrorKind {
        parse(text.as_bytes()).unwrap_err().kind
    }

    #[test]
    fn texts_come_back_as_they_were() {
        for text in [
            r#"{"b":1.50,"a":[12345678901234567890,1e400,-0.0,true,false,null,{}],"c":"\"\\/\n"}"#,
            r#"["\u0001","é","𝄞"]"#,
        ] {
            let value = parse(text.as_bytes()).unwrap();
            assert_eq!(value.to_text(), text);
            assert_eq!(parse(value.to_pretty().as_bytes()).unwrap(), value);
        }
        assert_eq!(parse(br#""\ud834\udd1e\u00e9""#).unwrap().as_str(), Some("𝄞é"));
    }

    #[test]
    fn what_is_not_json_is_refused_by_name() {
        assert_eq!(kind(""), ErrorKind::Empty);
        assert_eq!(kind(" \u{feff}"), ErrorKind::Unexpected);
        assert_eq!(kind(r#"{"a":1"#), ErrorKind::Truncated);
        assert_eq!(kind(r#"{"a" 1}"#), ErrorKind::Unexpected);
        assert_eq!(kind(r#"["\ud834"]"#), ErrorKind::Escape);
        assert_eq!(kind("[01]"), ErrorKind::Number);
        assert_eq!(kind("[1] x"), ErrorKind::TrailingText);
        assert_eq!(kind("[\"a\nb\"]"), ErrorKind::ControlCharacter);
        assert_eq!(kind(&"[".repeat(65)), ErrorKind::TooDeep);
        assert_eq!(parse(b"\"\xff\"").unwrap_err().kind, ErrorKind::NotUtf8);
    }

    #[test]
    fn a_duplicate_member_is_refused_with_its_place() {
        let error = parse(b"{\"a\":1,\n \"a\":2}").unwrap_err();
        assert_eq!(error.kind, ErrorKind::DuplicateMember);
        assert_eq!(error.position, Position { line: 2, column: 2 });
        let many: Vec<String> = (0..40).map(|index| format!("\"k{}\":0", index % 39)).collect();
        assert_eq!(kind(&format!("{{{}}}", many.join(","))), ErrorKind::DuplicateMember);
    }

    #[test]
    fn a_pointer_has_a_place() {
        let text = "{\n \"a\": [1,\n  {\"b/c\": 2}]}";
        let places = positions(text);
        assert_eq!(places["/a/1/b~1c"], Position { line: 3, column: 4 });
        assert_eq!(places["/a/1"], Position { line: 3, column: 3 });
        assert_eq!(places["/a"], Position { line: 2, column: 2 });
        assert_eq!(places[""], Position { line: 1, column: 1 });
        assert_eq!(positions("{\"a\": [1, x").len(), 4);
    }
}
