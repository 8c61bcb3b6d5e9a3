//! The grammars of FHIR's primitive types (R4 2.24.0.1, R5 2.1.28.0.1): pure functions on the text, read once, bytewise.
//!
//! The packages give most of these grammars as regular expressions. They are written out here instead: one pass
//! without a machine for each value is what keeps bulk validation fast, and a calendar knows no 30th of February,
//! which no expression says. Where the releases differ (whitespace in base64, the digits of a decimal) the release
//! decides.
//!
//! It refuses what the specification refuses, and not more: leap seconds pass, 24:00 and the year 0000 do not. What is
//! allowed and yet likely a slip (a string that begins with a space, a year before 1800) is a warning.

mod moment;
mod text;

use super::finding::Findings;
use super::rule::{Rule, primitive as rule};
use super::tree::{Format, Kind, NodeId, Tree};
use crate::fhir::Release;
use crate::fhir::base64::{self, Form};

pub use moment::{is_date, is_time};
pub use text::{is_absolute_url, is_id, is_oid, is_uuid, scheme};

/// A primitive type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "they are the specification's names")]
pub enum Primitive {
    Boolean,
    Integer,
    Integer64,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Markdown,
    Code,
    Id,
    Oid,
    Uuid,
    Uri,
    Url,
    Canonical,
    Base64Binary,
    Date,
    DateTime,
    Instant,
    Time,
    Xhtml,
}

impl Primitive {
    /// The primitive type of a name: `dateTime`.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "integer64" => Self::Integer64,
            "unsignedInt" => Self::UnsignedInt,
            "positiveInt" => Self::PositiveInt,
            "decimal" => Self::Decimal,
            "string" => Self::String,
            "markdown" => Self::Markdown,
            "code" => Self::Code,
            "id" => Self::Id,
            "oid" => Self::Oid,
            "uuid" => Self::Uuid,
            "uri" => Self::Uri,
            "url" => Self::Url,
            "canonical" => Self::Canonical,
            "base64Binary" => Self::Base64Binary,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "instant" => Self::Instant,
            "time" => Self::Time,
            "xhtml" => Self::Xhtml,
            _ => return None,
        })
    }

    /// What a value of it is in JSON: a number, a boolean, or a string (R4 2.6.2.3).
    pub const fn json_kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Bool,
            Self::Integer | Self::UnsignedInt | Self::PositiveInt | Self::Decimal => Kind::Number,
            _ => Kind::String,
        }
    }

    /// Whether it is `uri` or derived from it.
    pub const fn is_uri(self) -> bool {
        matches!(self, Self::Uri | Self::Url | Self::Canonical | Self::Oid | Self::Uuid)
    }
}

/// Looks at a value that is not empty, and tells every rule that it breaks; of `xhtml` nothing, that is
/// [`xhtml`](super::xhtml)'s.
pub fn check(
    primitive: Primitive,
    value: &str,
    release: Release,
    mut broken: impl FnMut(&'static Rule),
) {
    let r5 = release >= Release::R5;
    match primitive {
        Primitive::Boolean => {
            if value != "true" && value != "false" {
                broken(&rule::BOOLEAN);
            }
        }
        Primitive::Integer => {
            if !text::is_integer(value) || value.parse::<i32>().is_err() {
                broken(&rule::INTEGER);
            }
        }
        Primitive::Integer64 => {
            if !text::is_integer(value) || value.parse::<i64>().is_err() {
                broken(&rule::INTEGER_64);
            }
        }
        Primitive::UnsignedInt => {
            if !text::is_integer(value) || value.parse::<i32>().map_or(true, i32::is_negative) {
                broken(&rule::UNSIGNED_INT);
            }
        }
        Primitive::PositiveInt => {
            if !text::is_integer(value) || !value.parse::<i32>().is_ok_and(i32::is_positive) {
                broken(&rule::POSITIVE_INT);
            }
        }
        Primitive::Decimal => match text::decimal(value, r5) {
            text::Decimal::Good => {}
            text::Decimal::Long => broken(&rule::DECIMAL_RANGE),
            text::Decimal::Bad => broken(&rule::DECIMAL),
        },
        Primitive::String => text::string(value, &mut broken),
        Primitive::Markdown => {
            if value.len() > text::LONGEST {
                broken(&rule::STRING_LENGTH);
            }
        }
        Primitive::Code => {
            if !text::is_code(value) {
                broken(&rule::CODE);
            }
        }
        Primitive::Id => {
            if !is_id(value) {
                broken(&rule::ID);
            }
        }
        Primitive::Oid
        | Primitive::Uuid
        | Primitive::Uri
        | Primitive::Url
        | Primitive::Canonical => {
            text::uri(primitive, value, &mut broken);
        }
        Primitive::Base64Binary => match base64::form(value) {
            Form::Good { .. } => {}
            Form::Spaced { .. } if r5 => broken(&rule::BASE64_SPACE_R5),
            Form::Spaced { .. } => broken(&rule::BASE64_SPACE),
            Form::Bad => broken(&rule::BASE64),
        },
        Primitive::Date => moment::date(value, &mut broken),
        Primitive::DateTime => moment::date_time(value, &mut broken),
        Primitive::Instant => moment::instant(value, &mut broken),
        Primitive::Time => {
            if !is_time(value) {
                broken(&rule::TIME);
            }
        }
        Primitive::Xhtml => {}
    }
}

/// Looks at an element of a primitive type: that it has a value or children, that JSON writes it as it must, and the
/// grammar.
///
/// An array, an object or a number of values that does not fit is the walker's.
pub fn element(
    tree: &Tree<'_>,
    node: NodeId,
    primitive: Primitive,
    release: Release,
    findings: &mut Findings,
) {
    let Some(value) = tree.text(node) else {
        if matches!(tree.kind(node), Kind::Null | Kind::Object)
            && tree.children(node).next().is_none()
        {
            findings.add(&rule::NO_VALUE, node, "there is neither a value nor an extension");
        }
        return;
    };
    if tree.format() == Format::Json && tree.kind(node) != primitive.json_kind() {
        let rule = match primitive.json_kind() {
            Kind::Bool => &rule::JSON_BOOLEAN,
            Kind::Number => &rule::JSON_NUMBER,
            _ => &rule::JSON_STRING,
        };
        findings.add(rule, node, rule.title).with_value();
        // What is written as the wrong kind is wrong once; its text may be right.
        if primitive.json_kind() == Kind::Bool {
            return;
        }
    }
    if value.is_empty() {
        if tree.children(node).next().is_none() {
            findings.add(&rule::EMPTY, node, rule::EMPTY.title);
        }
        return;
    }
    if primitive == Primitive::Xhtml {
        return;
    }
    let sieved = Sieved::of(value);
    characters(node, value, sieved, findings);
    // The id of a resource is told apart: R4 calls it a string, and its length and its characters are two rules.
    if tree.name(node) == "id" && is_resource(tree, node) {
        resource_id(node, value, findings);
        return;
    }
    if primitive == Primitive::Id && exempt_id(tree, node) {
        return;
    }
    if sieved.may_be_blank() && value.trim().is_empty() && primitive != Primitive::String {
        findings.add(&rule::WHITESPACE, node, rule::WHITESPACE.title).with_value();
        return;
    }
    check(primitive, value, release, |rule| {
        findings.add(rule, node, rule.title).with_value();
    });
}

/// What one look over the bytes of a text tells: whether there is reason to look closer.
#[derive(Debug, Clone, Copy)]
struct Sieved(u8);

impl Sieved {
    const CONTROL: u8 = 1;
    const SPACE: u8 = 2;
    const WIDE: u8 = 4;

    /// No byte is looked at twice, and none ends the look, so that the machine takes many at once.
    fn of(value: &str) -> Self {
        Self(value.bytes().fold(0, |so_far, byte| {
            so_far
                | (u8::from(byte < 0x20) * Self::CONTROL)
                | (u8::from(byte <= 0x20) * Self::SPACE)
                | (u8::from(byte >= 0x80) * Self::WIDE)
        }))
    }

    /// Whether there is a byte below the space: a control character, a tab, a line feed.
    const fn has_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Whether there is something beyond ASCII.
    const fn is_wide(self) -> bool {
        self.0 & Self::WIDE != 0
    }

    /// Whether there may be nothing but white space in it.
    const fn may_be_blank(self) -> bool {
        self.0 & (Self::SPACE | Self::WIDE) != 0
    }
}

fn is_resource(tree: &Tree<'_>, node: NodeId) -> bool {
    tree.parent(node).is_some_and(|parent| tree.resource_type(parent).is_some())
}

/// R4B gives `Element.id` the type `id`; those of an ElementDefinition are paths (`Patient.name:official`), and stay so.
fn exempt_id(tree: &Tree<'_>, node: NodeId) -> bool {
    tree.name(node) == "id"
        && tree.parent(node).is_some_and(|parent| tree.name(parent) == "element")
}

fn resource_id(node: NodeId, value: &str, findings: &mut Findings) {
    let rule = if value.chars().count() > 64 {
        &rule::RESOURCE_ID_LENGTH
    } else if is_id(value) {
        return;
    } else {
        &rule::RESOURCE_ID
    };
    findings.add(rule, node, rule.title).with_value();
}

/// Characters that no text should have: controls, and controls of the writing direction that are left open.
fn characters(node: NodeId, value: &str, sieved: Sieved, findings: &mut Findings) {
    let is_control = |byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    if sieved.has_control() && value.bytes().any(is_control) {
        findings.add(&rule::CONTROL_CHARACTER, node, rule::CONTROL_CHARACTER.title);
    }
    if sieved.is_wide() && text::leaves_direction_open(value) {
        findings.add(&rule::DIRECTION, node, rule::DIRECTION.title);
    }
}
