//! Building trees: [`object!`](crate::object) leaves out what is absent or empty, as FHIR demands.
//!
//! FHIR knows no empty arrays, objects or strings (R4 2.6.2): "properties are never empty". A builder that can't
//! write them spares every writer a check.

use super::{Key, Number, Object, Value};

/// What can become the value of a member; absent and empty things become no member at all.
pub trait IntoMember {
    /// The value, or nothing if the member is to be left out.
    fn into_member(self) -> Option<Value>;
}

impl IntoMember for Value {
    fn into_member(self) -> Option<Value> {
        match &self {
            Self::Array(items) if items.is_empty() => None,
            Self::Object(object) if object.is_empty() => None,
            Self::String(text) if text.is_empty() => None,
            _ => Some(self),
        }
    }
}

impl IntoMember for Object {
    fn into_member(self) -> Option<Value> {
        (!self.is_empty()).then_some(Value::Object(self))
    }
}

impl IntoMember for &str {
    fn into_member(self) -> Option<Value> {
        (!self.is_empty()).then(|| Value::String(self.to_owned()))
    }
}

impl IntoMember for &String {
    fn into_member(self) -> Option<Value> {
        self.as_str().into_member()
    }
}

impl IntoMember for String {
    fn into_member(self) -> Option<Value> {
        (!self.is_empty()).then_some(Value::String(self))
    }
}

impl IntoMember for bool {
    fn into_member(self) -> Option<Value> {
        Some(Value::Bool(self))
    }
}

impl IntoMember for u32 {
    fn into_member(self) -> Option<Value> {
        u64::from(self).into_member()
    }
}

impl IntoMember for u64 {
    fn into_member(self) -> Option<Value> {
        Some(Value::Number(self.into()))
    }
}

impl IntoMember for Number {
    fn into_member(self) -> Option<Value> {
        Some(Value::Number(self))
    }
}

impl IntoMember for &Number {
    fn into_member(self) -> Option<Value> {
        self.clone().into_member()
    }
}

impl<T: IntoMember> IntoMember for Option<T> {
    fn into_member(self) -> Option<Value> {
        self.and_then(IntoMember::into_member)
    }
}

impl<T: IntoMember> IntoMember for Vec<T> {
    fn into_member(self) -> Option<Value> {
        self.into_iter().collect::<Value>().into_member()
    }
}

impl<T: IntoMember> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(items.into_iter().filter_map(IntoMember::into_member).collect())
    }
}

impl Object {
    /// Adds a member at the end, unless the value is absent or empty; replaces one of the same name.
    pub fn put(&mut self, name: impl Into<Key>, value: impl IntoMember) {
        if let Some(value) = value.into_member() {
            self.insert(name, value);
        }
    }

    /// Adds an item to an array member, making the array if it is not there yet.
    pub fn push(&mut self, name: impl Into<Key>, item: impl IntoMember) {
        let Some(item) = item.into_member() else { return };
        let name = name.into();
        match self.get_mut(&name) {
            Some(Value::Array(items)) => items.push(item),
            _ => self.insert(name, Value::Array(vec![item])),
        }
    }
}

/// An object from names and values; absent and empty values leave no member.
///
/// ```
/// use ipt_fhir::{json::Value, object};
/// let period = object! { "start" => "2026-03-02", "end" => None::<&str> };
/// assert_eq!(Value::Object(period).to_string(), r#"{"start":"2026-03-02"}"#);
/// ```
#[macro_export]
macro_rules! object {
    ($($name:expr => $value:expr),+ $(,)?) => {{
        let mut object = $crate::json::Object::new();
        $( object.put($name, $value); )+
        object
    }};
}
