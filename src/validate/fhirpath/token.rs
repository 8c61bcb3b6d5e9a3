//! The tokens of an expression (FHIRPath N1, appendix A "lexical grammar").

use super::syntax::Parsed;
use super::temporal::Temporal;
use super::{Decimal, SyntaxError, SyntaxFault};

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'e> {
    /// A name without marks, which may be a key word.
    Name(&'e str),
    /// A name in backticks (or, as old expressions have it, in double quotes).
    Quoted(String),
    Text(String),
    Integer(i64),
    Decimal(Decimal),
    Temporal(Temporal),
    /// `$this`, `$index`, `$total`, without the sign.
    Dollar(&'e str),
    /// `%`, before a name.
    Percent,
    /// An operator or a bracket.
    Mark(&'static str),
}

const MARKS: &[&str] = &[
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "|", "&",
    "<", ">", "=", "~",
];

/// The tokens of an expression with where each starts.
pub(super) fn read(text: &str) -> Parsed<Vec<(usize, Token<'_>)>> {
    let mut tokens = Vec::new();
    let mut reader = Reader { text, at: 0 };
    while let Some(token) = reader.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Reader<'e> {
    text: &'e str,
    at: usize,
}

impl<'e> Reader<'e> {
    fn rest(&self) -> &'e str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fault(&self, fault: SyntaxFault) -> SyntaxError {
        SyntaxError { fault, offset: self.at }
    }

    /// Takes the bytes that a test accepts.
    fn take_while(&mut self, test: impl Fn(u8) -> bool) -> &'e str {
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| test(*byte)).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Parsed<()> {
        loop {
            self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
            let rest = self.rest();
            if rest.starts_with('\u{a0}') {
                self.at += 2;
            } else if rest.starts_with("//") {
                self.take_while(|byte| byte != b'\n');
            } else if rest.starts_with("/*") {
                let Some(end) = rest.get(2..).and_then(|rest| rest.find("*/")) else {
                    return Err(self.fault(SyntaxFault::OpenComment));
                };
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn next_token(&mut self) -> Parsed<Option<(usize, Token<'e>)>> {
        self.skip_blanks()?;
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.bytes().next() else { return Ok(None) };
        let token = match first {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => Token::Name(self.take_while(is_name)),
            b'0'..=b'9' => self.number()?,
            b'\'' => Token::Text(self.quoted('\'')?),
            b'`' => Token::Quoted(self.quoted('`')?),
            b'"' => Token::Quoted(self.quoted('"')?),
            b'@' => self.temporal()?,
            b'$' => {
                self.at += 1;
                Token::Dollar(self.take_while(is_name))
            }
            b'%' => {
                self.at += 1;
                Token::Percent
            }
            _ => {
                let mark = MARKS.iter().find(|mark| rest.starts_with(**mark));
                let Some(mark) = mark else { return Err(self.fault(SyntaxFault::Character)) };
                self.at += mark.len();
                Token::Mark(mark)
            }
        };
        Ok(Some((start, token)))
    }

    fn number(&mut self) -> Parsed<Token<'e>> {
        let start = self.at;
        let whole = self.take_while(|byte| byte.is_ascii_digit());
        let mut after = self.rest().bytes();
        if after.next() == Some(b'.') && after.next().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|byte| byte.is_ascii_digit());
            let text = self.text.get(start..self.at).unwrap_or_default();
            let decimal = Decimal::parse(text);
            return decimal.map(Token::Decimal).ok_or_else(|| self.fault(SyntaxFault::Number));
        }
        // `5L` of FHIRPath 3 is the same number here.
        let long = self.rest().starts_with('L')
            && !self.rest().as_bytes().get(1).copied().is_some_and(is_name);
        if long {
            self.at += 1;
        }
        match whole.parse() {
            Ok(integer) => Ok(Token::Integer(integer)),
            Err(_) => Decimal::parse(whole)
                .map(Token::Decimal)
                .ok_or_else(|| self.fault(SyntaxFault::Number)),
        }
    }

    fn quoted(&mut self, mark: char) -> Parsed<String> {
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            if character == mark {
                self.at += at + 1;
                return Ok(text);
            }
            if character != '\\' {
                text.push(character);
                continue;
            }
            let Some((_, escaped)) = characters.next() else { break };
            text.push(match escaped {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'f' => '\u{c}',
                '\\' | '/' | '\'' | '"' | '`' => escaped,
                'u' => {
                    let mut code = 0;
                    for _ in 0..4 {
                        let digit = characters.next().and_then(|(_, digit)| digit.to_digit(16));
                        let Some(digit) = digit else {
                            return Err(self.fault(SyntaxFault::Escape));
                        };
                        code = code * 16 + digit;
                    }
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
                _ => return Err(self.fault(SyntaxFault::Escape)),
            });
        }
        Err(self.fault(SyntaxFault::OpenText))
    }

    fn temporal(&mut self) -> Parsed<Token<'e>> {
        let start = self.at + 1;
        self.at = start;
        let read = if self.rest().starts_with('T') {
            self.at += 1;
            let clock = self.clock();
            Temporal::time(clock)
        } else {
            let date = self.take_while(|byte| byte.is_ascii_digit() || byte == b'-');
            if self.rest().starts_with('T') {
                self.at += 1;
                if !self.clock().is_empty() {
                    self.offset();
                }
                Temporal::date_time(self.text.get(start..self.at).unwrap_or_default())
            } else {
                Temporal::date(date)
            }
        };
        read.map(Token::Temporal).ok_or_else(|| self.fault(SyntaxFault::Date))
    }

    /// Digits and colons, and a point only if digits follow it.
    fn clock(&mut self) -> &'e str {
        let start = self.at;
        self.take_while(|byte| byte.is_ascii_digit() || byte == b':');
        let mut after = self.rest().bytes();
        if after.next() == Some(b'.') && after.next().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|byte| byte.is_ascii_digit());
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn offset(&mut self) {
        let rest = self.rest();
        if rest.starts_with('Z') {
            self.at += 1;
        } else if rest.starts_with(['+', '-']) {
            let is_offset = rest.bytes().skip(1).take(5).enumerate().all(|(at, byte)| match at {
                2 => byte == b':',
                _ => byte.is_ascii_digit(),
            });
            if is_offset && rest.len() >= 6 {
                self.at += 6;
            }
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
