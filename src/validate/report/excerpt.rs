//! The line of the source at which something is, with what it may show.
//!
//! A line is cut into tokens. Punctuation and the names of elements stay; all values become `…` of equal width, so
//! that the caret stands where it stands in the file. Of a long line a window around the caret is kept.

use super::Reporter;
use crate::validate::tree::{Format, Tree};

/// A line of the source, and which part of it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, or the part of it around the place. Values in it are hidden unless they may be shown.
    pub line: String,
    /// How many characters stand before the meant part.
    pub before: usize,
    /// How many characters are meant; at least one.
    pub width: usize,
}

/// The most characters of a line that are shown.
const MOST: usize = 100;

/// How many of them stand before the caret, of a longer line.
const BEFORE: usize = 40;

/// What stands for a hidden character.
const HIDDEN: char = '…';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Shown as it is.
    Plain,
    /// A name: shown if a definition has it.
    Name,
    /// A value.
    Value,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    class: Class,
    start: usize,
    end: usize,
}

impl Excerpt {
    /// The excerpt for a byte of the source that lies on this line: where the line begins, and its text.
    pub(super) fn of(
        reporter: &Reporter<'_>,
        tree: &Tree<'_>,
        (line_start, line): (usize, &str),
        at: usize,
        scan: &mut Scan,
    ) -> Self {
        let at = at.saturating_sub(line_start).min(line.len());
        // A line of many megabytes is shown around its place only.
        let (from, to) = window(line, at);
        let tokens = scan.tokens(tree, (line_start, line), (from, to));
        let meant = tokens
            .iter()
            .find(|token| token.start <= at && at < token.end)
            .map_or((at, at), |token| (token.start.max(from), token.end.min(to)));
        let mut shown = String::new();
        let mut before = 0;
        let mut width = 0;
        for token in tokens {
            let text = line.get(token.start.max(from)..token.end.min(to)).unwrap_or_default();
            let whole = line.get(token.start..token.end).unwrap_or_default();
            let hidden = !reporter.show_values
                && match token.class {
                    Class::Plain => false,
                    // The space between the elements of XML, which is how far they are indented.
                    Class::Value => !whole.trim_ascii().is_empty(),
                    Class::Name => !name_may_be_shown(reporter, whole),
                };
            let mut offset = token.start.max(from);
            for character in text.chars() {
                before += usize::from(offset < meant.0);
                width += usize::from(offset >= meant.0 && offset < meant.1);
                offset += character.len_utf8();
                let structural = matches!(character, '"' | '\'' | '<' | '>' | '/');
                shown.push(match character {
                    '\t' => ' ',
                    character if character.is_control() => HIDDEN,
                    character if hidden && !structural && character != ' ' => HIDDEN,
                    ' ' if hidden && token.class == Class::Value => HIDDEN,
                    character => character,
                });
            }
        }
        let (head, tail) = (from > 0, to < line.len());
        if head {
            shown.insert_str(0, "… ");
            before += 2;
        }
        if tail {
            shown.push_str(" …");
        }
        Self { line: shown.trim_end().to_owned(), before, width: width.max(1) }
    }
}

/// Whether a name as it stands in the source, with its quotes or brackets, is one that definitions have.
fn name_may_be_shown(reporter: &Reporter<'_>, name: &str) -> bool {
    let name = name.trim_matches(|character| matches!(character, '"' | '<' | '>' | '/' | ' '));
    let name = name.strip_prefix('_').unwrap_or(name);
    name == "resourceType" || (reporter.is_name)(name) || reporter.types.id(name).is_some()
}

/// The part of a line that is shown, in bytes.
fn window(line: &str, at: usize) -> (usize, usize) {
    // A line of few bytes has few characters; of others the characters around the place are counted.
    if line.len() <= MOST {
        return (0, line.len());
    }
    let (before, after) = line.split_at_checked(at).unwrap_or((line, ""));
    let step = |count: usize, text: &str, backwards: bool| -> usize {
        let mut lengths: Box<dyn Iterator<Item = char>> =
            if backwards { Box::new(text.chars().rev()) } else { Box::new(text.chars()) };
        lengths.by_ref().take(count).map(char::len_utf8).sum()
    };
    let back = step(BEFORE, before, true);
    let rest = step(MOST - BEFORE, after, false);
    let back = if rest == after.len() {
        // The end of the line is near: more may stand before.
        step(MOST - after.chars().count().min(MOST), before, true).max(back)
    } else {
        back
    };
    (at - back, at + rest)
}

/// The tokens of a line, found as far as they are wanted: who asks for windows that move on pays for the line once.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where the line begins.
    line: Option<usize>,
    /// How far it was read, and how far what was read is forgotten.
    at: usize,
    forgotten: usize,
    state: State,
    tokens: Vec<Token>,
}

impl Scan {
    /// The tokens of a line that lie between two of its bytes, if only in part.
    fn tokens(
        &mut self,
        tree: &Tree<'_>,
        (line_start, line): (usize, &str),
        (from, to): (usize, usize),
    ) -> &[Token] {
        if self.line != Some(line_start) || from < self.forgotten {
            let before = tree.source().get(..line_start).unwrap_or_default();
            let state = if tree.is_json() { State::Text } else { state_before(before) };
            *self = Self { line: Some(line_start), state, ..Self::default() };
        }
        if let Some(last) = self.tokens.iter().rev().find(|token| token.end <= from) {
            self.forgotten = last.end;
        }
        self.tokens.retain(|token| token.end > from);
        while self.at < to.min(line.len()) {
            let start = self.at;
            let class = match tree.format() {
                Format::Json => json(line, &mut self.at),
                Format::Xml => xml(line, &mut self.at, &mut self.state),
            };
            if self.at > from {
                self.tokens.push(Token { class, start, end: self.at });
            } else {
                self.forgotten = self.at;
            }
        }
        &self.tokens
    }
}

/// The class of the token of JSON that begins at a byte, which moves to its end. No text of JSON goes over a line's end.
fn json(line: &str, at: &mut usize) -> Class {
    let bytes = line.as_bytes();
    let start = *at;
    match bytes.get(start) {
        Some(b'"') => {
            *at += 1;
            while let Some(&next) = bytes.get(*at) {
                *at += 1;
                match next {
                    b'\\' => *at += 1,
                    b'"' => break,
                    _ => {}
                }
            }
            *at = (*at).min(bytes.len());
            let rest = bytes.get(*at..).unwrap_or_default();
            let next = rest.iter().find(|byte| !byte.is_ascii_whitespace());
            if next == Some(&b':') { Class::Name } else { Class::Value }
        }
        Some(b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ' | b'\t') | None => {
            *at += 1;
            Class::Plain
        }
        Some(_) => {
            while bytes.get(*at).is_some_and(|byte| !b"{}[]:,\" \t".contains(byte)) {
                *at += 1;
            }
            match bytes.get(start..*at) {
                Some(b"true" | b"false" | b"null") => Class::Plain,
                _ => Class::Value,
            }
        }
    }
}

/// Where in XML a line begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// Inside a tag, after its name.
    Tag,
    /// Inside the value of an attribute.
    Quoted(u8),
    /// Inside a comment or the like, of which nothing is shown.
    Other,
}

/// In what state XML is at the end of a text: decided from its last `<` on, for none stands in a value.
fn state_before(text: &str) -> State {
    let bytes = text.as_bytes();
    let Some(open) = memchr::memrchr(b'<', bytes) else { return State::Text };
    let tag = bytes.get(open..).unwrap_or_default();
    if tag.starts_with(b"<!") || tag.starts_with(b"<?") {
        return if tag.contains(&b'>') { State::Text } else { State::Other };
    }
    let mut state = State::Tag;
    for byte in tag {
        state = match (state, byte) {
            (State::Tag, b'>') => return State::Text,
            (State::Tag, b'"' | b'\'') => State::Quoted(*byte),
            (State::Quoted(quote), byte) if quote == *byte => State::Tag,
            (state, _) => state,
        };
    }
    state
}

/// The class of the token of XML that begins at a byte, which moves to its end.
fn xml(line: &str, at: &mut usize, state: &mut State) -> Class {
    let bytes = line.as_bytes();
    let start = *at;
    let until = |from: usize, stop: &dyn Fn(u8) -> bool| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| stop(*byte)).unwrap_or(rest.len())
    };
    let byte = bytes.get(start).copied().unwrap_or_default();
    match (*state, byte) {
        (State::Text, b'<') if bytes.get(start + 1).is_some_and(|next| b"!?".contains(next)) => {
            *state = State::Other;
            *at += 1;
            Class::Value
        }
        (State::Text, b'<') => {
            *at = until(start + 1, &|byte| b" \t/>".contains(&byte));
            if bytes.get(start + 1) == Some(&b'/') {
                *at = until(start + 2, &|byte| b" \t>".contains(&byte));
            }
            *state = State::Tag;
            Class::Name
        }
        (State::Text, _) => {
            *at = until(start, &|byte| byte == b'<');
            Class::Value
        }
        (State::Tag, b'>') => {
            *at += 1;
            *state = State::Text;
            Class::Plain
        }
        (State::Tag, b'"' | b'\'') => {
            *at += 1;
            *state = State::Quoted(byte);
            Class::Plain
        }
        (State::Tag, b' ' | b'\t' | b'/' | b'=') => {
            *at += 1;
            Class::Plain
        }
        (State::Tag, _) => {
            *at = until(start, &|byte| b" \t/>=\"'".contains(&byte));
            match bytes.get(start..*at) {
                Some(b"value" | b"xmlns" | b"id" | b"url") => Class::Plain,
                _ => Class::Name,
            }
        }
        (State::Quoted(quote), byte) if quote == byte => {
            *at += 1;
            *state = State::Tag;
            Class::Plain
        }
        (State::Quoted(quote), _) => {
            *at = until(start, &|byte| byte == quote);
            Class::Value
        }
        (State::Other, _) => {
            *at = until(start, &|byte| byte == b'>');
            if *at < bytes.len() {
                *at += 1;
                *state = State::Text;
            }
            Class::Value
        }
    }
}
