//! Numbers, texts, codes, identifiers and addresses: the grammars that are no dates.

use super::super::rule::{Rule, primitive as rule};
use super::Primitive;

/// The longest string, in bytes (R4 2.24.0.1: "SHALL NOT exceed 1,048,576").
pub(super) const LONGEST: usize = 1 << 20;

/// Unicode's white space as the reference engine has it; `char::is_whitespace` is the same set.
fn is_space(character: char) -> bool {
    character.is_whitespace()
}

/// `0`, `-12`: no sign on 0, no leading 0, no plus.
pub(super) fn is_integer(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value).as_bytes();
    match digits {
        [b'0'] => value.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decimal {
    Good,
    /// Well formed, and longer than most programs can hold.
    Long,
    Bad,
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// `-1.50e3`. R5 bounds the digits (18, 17 and 10); before that, more than 18 digits, or an exponent of more than 4,
/// is told as a warning.
pub(super) fn decimal(value: &str, r5: bool) -> Decimal {
    let mut rest = value.strip_prefix('-').unwrap_or(value).as_bytes();
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.first() == Some(&b'0')) {
        return Decimal::Bad;
    }
    rest = rest.get(whole..).unwrap_or_default();
    let mut fraction = 0;
    if let Some((b'.', after)) = rest.split_first() {
        fraction = digits(after);
        if fraction == 0 {
            return Decimal::Bad;
        }
        rest = after.get(fraction..).unwrap_or_default();
    }
    let mut exponent = 0;
    if let Some((b'e' | b'E', after)) = rest.split_first() {
        let after = match after.split_first() {
            Some((b'+' | b'-', unsigned)) => unsigned,
            _ => after,
        };
        exponent = digits(after);
        if exponent == 0 {
            return Decimal::Bad;
        }
        rest = after.get(exponent..).unwrap_or_default();
    }
    if !rest.is_empty() || (r5 && (whole > 18 || fraction > 17 || exponent > 10)) {
        Decimal::Bad
    } else if whole + fraction > 18 || exponent > 4 {
        Decimal::Long
    } else {
        Decimal::Good
    }
}

pub(super) fn string(value: &str, broken: &mut impl FnMut(&'static Rule)) {
    let trimmed = value.trim_matches(is_space);
    if trimmed.is_empty() {
        broken(&rule::STRING_BLANK);
    } else if trimmed.len() != value.len() {
        broken(&rule::STRING_SPACE);
    }
    // FHIR counts characters; bytes can only be more, so most values are not counted.
    if value.len() > LONGEST && value.chars().count() > LONGEST {
        broken(&rule::STRING_LENGTH);
    }
}

/// No space at the ends, no two in a row, and no other white space.
pub(super) fn is_code(value: &str) -> bool {
    let mut after_space = true;
    for character in value.chars() {
        if character == ' ' {
            if after_space {
                return false;
            }
            after_space = true;
        } else if is_space(character) {
            return false;
        } else {
            after_space = false;
        }
    }
    !after_space
}

/// Whether a text is an `id`: 1 to 64 letters, digits, `-` and `.`.
pub fn is_id(value: &str) -> bool {
    (1..=64).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// Whether a text is an OID without `urn:oid:`: `2.16.840.1`.
pub fn is_oid(value: &str) -> bool {
    let mut arcs = value.split('.');
    let root = matches!(arcs.next(), Some("0" | "1" | "2"));
    let mut count = 0;
    root && arcs.all(|arc| {
        count += 1;
        arc == "0"
            || (!arc.starts_with('0')
                && !arc.is_empty()
                && arc.bytes().all(|byte| byte.is_ascii_digit()))
    }) && count > 0
}

/// Whether a text is a UUID in lower case, without `urn:uuid:`.
pub fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// The scheme of a URI and what follows its colon (RFC 3986 section 3.1); nothing of a text that has none.
pub fn scheme(uri: &str) -> Option<(&str, &str)> {
    uri.split_once(':').filter(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Whether a text has a scheme in lower case, and something after it: `http://x`, `urn:oid:1.2`.
pub fn is_absolute_url(value: &str) -> bool {
    let Some((scheme, details)) = value.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && letters.all(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'_' | b'[' | b']' | b'-' | b'+' | b'.')
        })
        && !details.is_empty()
        && !details.contains(' ')
}

pub(super) fn uri(primitive: Primitive, value: &str, broken: &mut impl FnMut(&'static Rule)) {
    if value.starts_with("oid:") {
        broken(&rule::URI_OID);
    }
    if value.starts_with("uuid:") {
        broken(&rule::URI_UUID);
    }
    let edge = |character: Option<char>| character.is_some_and(is_space);
    if edge(value.chars().next())
        || edge(value.chars().next_back())
        || value.bytes().any(|byte| byte.is_ascii_whitespace() || byte == 0x0b)
    {
        broken(&rule::URI_SPACE);
    }
    match primitive {
        Primitive::Oid if !value.starts_with("urn:oid:") => broken(&rule::OID_PREFIX),
        Primitive::Uuid if !value.starts_with("urn:uuid:") => broken(&rule::UUID_PREFIX),
        Primitive::Canonical if !value.starts_with('#') && !is_absolute_url(value) => {
            broken(&rule::CANONICAL);
        }
        _ => {}
    }
    if let Some(uuid) = value.strip_prefix("urn:uuid:") {
        let mut uuid = uuid.split('#').next().unwrap_or_default();
        if primitive == Primitive::Canonical {
            uuid = uuid.rsplit_once('|').map_or(uuid, |(before, _)| before);
        }
        if !is_uuid(uuid) {
            broken(&rule::UUID);
        }
    }
    if let Some(oid) = value.strip_prefix("urn:oid:") {
        // A root of few digits is nobody's namespace, but for those below 1.3.
        let long = oid.rfind('.').is_some_and(|at| at >= 4) || oid.starts_with("1.3");
        if !is_oid(oid) || !long {
            broken(&rule::OID);
        }
    }
}

/// Whether a text turns the writing direction and does not turn it back: what follows is then read the wrong way round.
pub(super) fn leaves_direction_open(value: &str) -> bool {
    if !value.bytes().any(|byte| byte == 0xe2) {
        return false;
    }
    let (mut embedded, mut isolated) = (0_i64, 0_i64);
    for character in value.chars() {
        match character {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => embedded += 1,
            '\u{202c}' => embedded -= 1,
            '\u{2066}'..='\u{2068}' => isolated += 1,
            '\u{2069}' => isolated -= 1,
            _ => {}
        }
    }
    embedded != 0 || isolated != 0
}
