//! What expressions yield: elements of the document, and small values.

use std::borrow::Cow;

use super::decimal::Decimal;
use super::quantity::Quantity;
use super::temporal::Temporal;
use crate::validate::tree::NodeId;
use crate::validate::types::TypeId;

/// One item of a collection.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// An element of the document.
    Node(NodeId),
    /// A `System.Boolean`.
    Boolean(bool),
    /// A `System.Integer` (or `System.Long`).
    Integer(i64),
    /// A `System.Decimal`.
    Decimal(Decimal),
    /// A `System.String`.
    Text(Cow<'a, str>),
    /// A `System.Date`, `System.DateTime` or `System.Time`.
    Temporal(Temporal),
    /// A `System.Quantity`.
    Quantity(Box<Quantity<'a>>),
    /// What `type()` yields: namespace and name.
    Type(&'static str, Cow<'a, str>),
    /// A resource outside the document of which only the type is known.
    Elsewhere(TypeId),
}

impl<'a> Item<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }
}

/// Items in order. None and one need no allocation.
#[derive(Debug, Clone, Default)]
pub enum Collection<'a> {
    /// No item.
    #[default]
    Empty,
    /// One item.
    One(Item<'a>),
    /// Two items or more.
    Many(Vec<Item<'a>>),
}

impl<'a> Collection<'a> {
    /// A single truth value.
    pub const fn boolean(value: bool) -> Self {
        Self::One(Item::Boolean(value))
    }

    /// A single truth value, or nothing.
    pub const fn maybe(value: Option<bool>) -> Self {
        match value {
            Some(value) => Self::boolean(value),
            None => Self::Empty,
        }
    }

    /// One item, or nothing.
    pub fn one(item: Option<Item<'a>>) -> Self {
        item.map_or(Self::Empty, Self::One)
    }

    /// How many items there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(_) => 1,
            Self::Many(items) => items.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items.
    pub fn as_slice(&self) -> &[Item<'a>] {
        match self {
            Self::Empty => &[],
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: Item<'a>) {
        match std::mem::take(self) {
            Self::Empty => *self = Self::One(item),
            Self::One(first) => *self = Self::Many(vec![first, item]),
            Self::Many(mut items) => {
                items.push(item);
                *self = Self::Many(items);
            }
        }
    }

    /// Adds all items of another one at the end.
    pub fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        match other {
            Self::Empty => {}
            Self::One(item) => self.push(item),
            Self::Many(items) => {
                let mut all = match std::mem::take(self) {
                    Self::Empty => Vec::new(),
                    Self::One(item) => vec![item],
                    Self::Many(items) => items,
                };
                all.extend(items);
                *self = Self::Many(all);
            }
        }
    }

    /// The items by value.
    pub fn into_vec(self) -> Vec<Item<'a>> {
        match self {
            Self::Empty => Vec::new(),
            Self::One(item) => vec![item],
            Self::Many(items) => items,
        }
    }
}

impl<'a> From<Vec<Item<'a>>> for Collection<'a> {
    fn from(mut items: Vec<Item<'a>>) -> Self {
        match items.len() {
            0 => Self::Empty,
            1 => Self::one(items.pop()),
            _ => Self::Many(items),
        }
    }
}

impl<'a> FromIterator<Item<'a>> for Collection<'a> {
    fn from_iter<I: IntoIterator<Item = Item<'a>>>(items: I) -> Self {
        let mut collection = Self::Empty;
        for item in items {
            collection.push(item);
        }
        collection
    }
}
