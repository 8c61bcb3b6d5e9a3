//! JSON as one lossless tree: numbers keep their text, members keep their order, duplicate members are refused.
//!
//! FHIR gives a decimal's written precision a meaning (R4 2.24.0.1) and a resource may hold elements that we do
//! not know; a parser that rounds `1.50`, sorts members or takes the last of two equal keys changes a patient's
//! record without anybody having said so. Both the record (`ipt`) and FHIR (`fhir`) stand on this tree.
//!
//! It refuses: invalid UTF-8, lone surrogates, duplicate members, trailing text, comments, and anything deeper or
//! larger than its [`Limits`]. Positions (line, column) are computed only for a report, by [`positions`], so that
//! they cost nothing while all is well.

mod build;
mod compare;
mod parse;
mod pointer;
mod write;
pub mod yaml;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

pub use build::IntoMember;
pub use compare::equivalent;
pub use parse::{Error, ErrorKind, Limits, Position, parse, parse_with, positions};
pub(crate) use parse::{is_number, number_end, unescape};
pub use pointer::Pointer;
pub(crate) use write::write_string;

/// A JSON value. `Debug` prints its kind and size only: values may identify a person.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was written.
    Number(Number),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object with its members in the order in which they were written.
    Object(Object),
}

/// A number that keeps its text: `1.50` stays `1.50`, 20 digits stay 20 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(Cow<'static, str>);

/// The name of a member: borrowed where the program wrote it, owned where a document did.
pub type Key = Cow<'static, str>;

/// An object: members in order, each name once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Object {
    members: Vec<(Key, Value)>,
}

impl Value {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, with its text.
    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The number as an unsigned integer, if it is written as one.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().and_then(Number::as_u64)
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The members of an object, to change them.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The member of an object by its name; nothing for any other value.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The item of an array by its place; nothing for any other value.
    pub fn item(&self, index: usize) -> Option<&Self> {
        self.as_array()?.get(index)
    }

    /// The items of an array member, and none where the member is absent or no array.
    ///
    /// ```
    /// let value = ipt_fhir::json::parse(br#"{"given":["Ann","Lee"]}"#).unwrap();
    /// assert_eq!(value.items("given").count(), 2);
    /// assert_eq!(value.items("prefix").count(), 0);
    /// ```
    pub fn items(&self, name: &str) -> std::slice::Iter<'_, Self> {
        self.get(name).and_then(Self::as_array).unwrap_or_default().iter()
    }

    /// The text of a string member.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The value at an RFC 6901 pointer (`""` is the whole).
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        pointer::resolve(self, pointer)
    }

    /// The value at an RFC 6901 pointer, to change it.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Self> {
        pointer::resolve_mut(self, pointer)
    }

    /// The word for this kind of value in messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(items) => write!(formatter, "array({})", items.len()),
            Self::Object(object) => write!(formatter, "object({})", object.len()),
            other => formatter.write_str(other.kind()),
        }
    }
}

impl Number {
    /// A number from its JSON text.
    ///
    /// # Errors
    /// `None` if the text is not a JSON number (RFC 8259 section 6).
    pub fn from_text(text: &str) -> Option<Self> {
        parse::is_number(text).then(|| Self(Cow::Owned(text.to_owned())))
    }

    /// The number as it was written.
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The number as an unsigned integer, if it is written as one.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// Whether both are the same number, however they are written (`1.0` and `1`).
    ///
    /// Exact for any count of digits; an exponent beyond ±9,999 is compared by its text.
    pub fn same_value(&self, other: &Self) -> bool {
        compare::same_number(&self.0, &other.0)
    }

    /// Which of both is the greater, exactly; `None` where an exponent is beyond ±9,999.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        compare::order_of_numbers(&self.0, &other.0)
    }

    /// The one spelling that all numbers of this value share: `1.50` and `15e-1` both become `15e-1`.
    ///
    /// An exponent beyond ±9,999 keeps its text.
    #[must_use]
    pub fn canonical(&self) -> Self {
        compare::canonical_number(&self.0).map_or_else(|| self.clone(), |text| Self(text.into()))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(Cow::Owned(value.to_string()))
    }
}

impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(self.0.clone().into_owned());
        raw.map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        Self::from_text(raw.get()).ok_or_else(|| serde::de::Error::custom("expected a number"))
    }
}

impl Object {
    /// An object without members.
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The value of a member, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.members.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Sets a member: in its place if there is one of that name, else at the end.
    pub fn insert(&mut self, name: impl Into<Key>, value: Value) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(place) => *place = value,
            None => self.members.push((name, value)),
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.members.iter().position(|(key, _)| key == name)?;
        Some(self.members.remove(index).1)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// The members in order, to change their values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.members.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// Keeps the members for which the test holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.members.retain_mut(|(key, value)| keep(key, value));
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "object({})", self.len())
    }
}

impl Object {
    /// The members, taken out in order.
    pub fn into_members(self) -> impl Iterator<Item = (Key, Value)> {
        self.members.into_iter()
    }
}
