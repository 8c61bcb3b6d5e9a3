//! Token, string and uri searches (R4 3.1.1.4.10, 3.1.1.4.8, 3.1.1.4.12).
//!
//! A `code` element has its system implied by the specification; the system that a search gives for one is not
//! checked here, its code is.

use crate::json::Value;

/// One token of a search: `system|code`, `code`, `|code` or `system|`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The system; empty means "without a system", absent any.
    system: Option<String>,
    /// The code or value; absent means any.
    code: Option<String>,
}

impl Token {
    /// Reads a token as it was written, with its escapes; a lone `|` is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = split(text, '|').into_iter().map(|part| unescape(&part));
        let (system, code) = match (parts.next(), parts.next()) {
            (system, Some(code)) => (system, Some(code).filter(|code| !code.is_empty())),
            (code, None) => (None, code),
        };
        let says_something = code.is_some() || system.as_ref().is_some_and(|text| !text.is_empty());
        (parts.next().is_none() && says_something).then_some(Self { system, code })
    }

    /// Whether an element is this token: a code, boolean, `Coding`, `CodeableConcept` or `Identifier`.
    pub(super) fn matches(&self, element: &Value) -> bool {
        match element {
            Value::String(code) => self.code_is(code),
            Value::Bool(value) => self.code_is(if *value { "true" } else { "false" }),
            Value::Object(object) => {
                if let Some(Value::Array(codings)) = object.get("coding") {
                    return codings.iter().any(|coding| self.matches(coding));
                }
                let text = |name| object.get(name).and_then(Value::as_str);
                let found = text("system").unwrap_or_default();
                let code = text("code").or_else(|| text("value"));
                self.system.as_deref().is_none_or(|wanted| wanted == found)
                    && code.map_or(self.code.is_none(), |code| self.code_is(code))
            }
            _ => false,
        }
    }

    fn code_is(&self, code: &str) -> bool {
        self.code.as_deref().is_none_or(|wanted| wanted == code)
    }
}

/// How a string search compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The element starts with the text, in any case of letters.
    Starts,
    /// The element holds the text anywhere, in any case of letters (`:contains`).
    Contains,
    /// The element is the text (`:exact`).
    Exact,
}

impl Comparison {
    /// Whether an element passes.
    pub(super) fn holds(self, element: &Value, wanted: &str) -> bool {
        let Some(found) = element.as_str() else { return false };
        match self {
            Self::Starts => found.to_lowercase().starts_with(&wanted.to_lowercase()),
            Self::Contains => found.to_lowercase().contains(&wanted.to_lowercase()),
            Self::Exact => found == wanted,
        }
    }
}

/// Splits a value at a separator that no `\` stands before; the escapes stay (R4 3.1.1.4.0.1).
pub(super) fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == separator && !escaped {
            parts.push(String::new());
            continue;
        }
        escaped = character == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

/// A value without its escapes: `\,` `\|` `\$` `\\`.
pub(super) fn unescape(text: &str) -> String {
    let mut characters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn tokens_by_system_and_code() {
        let with = Value::Object(object! { "system" => "urn:s", "value" => "a|b" });
        let bare = Value::Object(object! { "code" => "a|b" });
        for (token, in_with, in_bare) in [
            ("a\\|b", true, true),
            ("urn:s|a\\|b", true, false),
            ("|a\\|b", false, true),
            ("urn:s|", true, false),
            ("urn:other|a\\|b", false, false),
            ("a", false, false),
        ] {
            assert_eq!(Token::parse(token).unwrap().matches(&with), in_with, "{token}");
            assert_eq!(Token::parse(token).unwrap().matches(&bare), in_bare, "{token}");
        }
        assert_eq!(Token::parse("|"), None);
        assert_eq!(split("a\\,b,c", ','), ["a\\,b", "c"]);
        assert_eq!(unescape("a\\,b\\\\"), "a,b\\");
    }
}
