//! The functions on texts (FHIRPath 5.6).

use std::borrow::Cow;

use super::evaluate::{Evaluation, Given, Outcome};
use super::function::Function;
use super::item::{Collection, Item};
use super::limit::{Mistake, Stop};
use crate::fhir::base64::{self, Alphabet};

impl<'e> Evaluation<'e> {
    pub(super) fn text_function(
        &mut self,
        current: &Collection<'e>,
        given: &Given<'e>,
    ) -> Outcome<'e> {
        let function = given.call.function;
        if function == Function::Join {
            return self.join(current, given);
        }
        let Some(text) = self.text(current)? else { return Ok(Collection::Empty) };
        self.step(text.len() / 64)?;
        let whole = |number: usize| {
            Collection::One(Item::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
        };
        match function {
            Function::Length => return Ok(whole(text.chars().count())),
            Function::Upper => return self.made(text.to_uppercase()),
            Function::Lower => return self.made(text.to_lowercase()),
            Function::Trim => return Ok(Collection::One(Item::Text(trimmed(text)))),
            Function::ToChars => {
                return Ok(text
                    .chars()
                    .map(|character| Item::text(character.to_string()))
                    .collect());
            }
            Function::Substring => return self.substring(&text, given),
            _ => {}
        }
        let Some(argument) = self.text(given.first())? else { return Ok(Collection::Empty) };
        match function {
            Function::StartsWith => Ok(Collection::boolean(text.starts_with(&*argument))),
            Function::EndsWith => Ok(Collection::boolean(text.ends_with(&*argument))),
            Function::Contains => Ok(Collection::boolean(text.contains(&*argument))),
            Function::IndexOf | Function::LastIndexOf => {
                let found = if function == Function::IndexOf {
                    text.find(&*argument)
                } else {
                    text.rfind(&*argument)
                };
                Ok(match found.and_then(|at| text.get(..at)) {
                    Some(before) => whole(before.chars().count()),
                    None => Collection::One(Item::Integer(-1)),
                })
            }
            Function::Matches | Function::MatchesFull => {
                let is_whole = function == Function::MatchesFull;
                let pattern = self.pattern(given.call, &argument, is_whole)?;
                Ok(Collection::boolean(pattern.finds(&text)))
            }
            Function::Replace => {
                let Some(new) = self.text(given.second())? else { return Ok(Collection::Empty) };
                self.bounded(&text, &new)?;
                self.made(text.replace(&*argument, &new))
            }
            Function::ReplaceMatches => {
                let Some(new) = self.text(given.second())? else { return Ok(Collection::Empty) };
                if argument.is_empty() {
                    return Ok(Collection::One(Item::Text(text)));
                }
                self.bounded(&text, &new)?;
                let pattern = self.pattern(given.call, &argument, false)?;
                self.made(pattern.replace(&text, &new))
            }
            Function::Split => {
                if argument.is_empty() {
                    return Ok(text
                        .chars()
                        .map(|character| Item::text(character.to_string()))
                        .collect());
                }
                Ok(match &text {
                    Cow::Borrowed(text) => text.split(&*argument).map(Item::text).collect(),
                    Cow::Owned(text) => {
                        text.split(&*argument).map(|part| Item::text(part.to_owned())).collect()
                    }
                })
            }
            Function::Encode => match &*argument {
                "hex" => self.made(text.bytes().flat_map(hex).collect()),
                "base64" => self.made(base64::encode(text.as_bytes(), Alphabet::Standard)),
                "urlbase64" => self.made(base64::encode(text.as_bytes(), Alphabet::Url)),
                _ => Ok(Collection::Empty),
            },
            Function::Decode => {
                let bytes = match &*argument {
                    "hex" => from_hex(&text),
                    "base64" => base64::decode(&text, Alphabet::Standard),
                    "urlbase64" => base64::decode(&text, Alphabet::Url),
                    _ => None,
                };
                match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    Some(text) => self.made(text),
                    None => Ok(Collection::Empty),
                }
            }
            Function::Escape => match &*argument {
                "html" => self.made(escape(&text, HTML)),
                "json" => self.made(escape(&text, JSON)),
                _ => Ok(Collection::Empty),
            },
            Function::Unescape => match &*argument {
                "html" => self.made(unescape(&text, HTML)),
                "json" => self.made(unescape(&text, JSON)),
                _ => Ok(Collection::Empty),
            },
            _ => Err(Mistake::WrongType.into()),
        }
    }

    fn made(&self, text: String) -> Outcome<'e> {
        self.short(&text)?;
        Ok(Collection::One(Item::text(text)))
    }

    /// Refuses a replacement that could grow too long before it is made.
    fn bounded(&self, text: &str, new: &str) -> Result<(), Stop> {
        let longest = (text.len() + 1).saturating_mul(new.len() + 1);
        if longest > self.context.limits.text.saturating_mul(64) {
            return Err(super::Limit::Text.into());
        }
        Ok(())
    }

    fn substring(&self, text: &str, given: &Given<'e>) -> Outcome<'e> {
        let Some(start) = self.integer(given.first())? else { return Ok(Collection::Empty) };
        let length = match &given.second {
            None => None,
            Some(length) => self.integer(length)?,
        };
        let Ok(start) = usize::try_from(start) else { return Ok(Collection::Empty) };
        let mut rest = text.chars().skip(start).peekable();
        if rest.peek().is_none() {
            return Ok(Collection::Empty);
        }
        let length = length.map_or(usize::MAX, |length| usize::try_from(length).unwrap_or(0));
        Ok(Collection::One(Item::text(rest.take(length).collect::<String>())))
    }

    fn join(&self, current: &Collection<'e>, given: &Given<'e>) -> Outcome<'e> {
        if current.is_empty() {
            return Ok(Collection::Empty);
        }
        let separator = self.text(given.first())?.unwrap_or_default();
        let mut joined = String::new();
        for (at, item) in current.as_slice().iter().enumerate() {
            if at > 0 {
                joined.push_str(&separator);
            }
            if let Some(text) = self.text(&Collection::One(item.clone()))? {
                joined.push_str(&text);
            }
            self.short(&joined)?;
        }
        Ok(Collection::One(Item::text(joined)))
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

// ---- Encodings ----

fn hex(byte: u8) -> [char; 2] {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    [digit(byte >> 4), digit(byte & 15)]
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
}

/// What is written for a character, the ampersand (the backslash) first.
const HTML: &[(char, &str)] =
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
const JSON: &[(char, &str)] = &[
    ('\\', "\\\\"),
    ('"', "\\\""),
    ('\n', "\\n"),
    ('\r', "\\r"),
    ('\t', "\\t"),
    ('\u{8}', "\\b"),
    ('\u{c}', "\\f"),
];

fn escape(text: &str, table: &[(char, &str)]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match table.iter().find(|(known, _)| *known == character) {
            Some((_, written)) => escaped.push_str(written),
            None => escaped.push(character),
        }
    }
    escaped
}

fn unescape(text: &str, table: &[(char, &str)]) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = table.iter().find_map(|(character, written)| {
            rest.strip_prefix(written).map(|after| (*character, after))
        });
        let (character, after) =
            found.unwrap_or_else(|| (first, rest.get(first.len_utf8()..).unwrap_or_default()));
        plain.push(character);
        rest = after;
    }
    plain
}
