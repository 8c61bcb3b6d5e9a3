//! What evaluations need to know of a release's types, looked up once.

use std::sync::Arc;

use crate::validate::types::{TypeId, TypeKind, Types};

/// What kind of value a primitive type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Boolean,
    Integer,
    Decimal,
    Date,
    DateTime,
    Time,
    Text,
    Quantity,
    /// No value of its own.
    Other,
    Unknown,
}

/// The types of a release, ready for evaluations. Made once, shared by all.
#[derive(Debug, Clone)]
pub struct Model {
    types: Arc<Types>,
    boolean: TypeId,
    integers: [TypeId; 4],
    decimal: TypeId,
    date: TypeId,
    date_times: [TypeId; 2],
    time: TypeId,
    quantity: TypeId,
}

impl Model {
    /// A model of these types.
    pub fn new(types: Arc<Types>) -> Self {
        let id = |name| types.id(name).unwrap_or(TypeId::UNKNOWN);
        Self {
            boolean: id("boolean"),
            integers: [id("integer"), id("positiveInt"), id("unsignedInt"), id("integer64")],
            decimal: id("decimal"),
            date: id("date"),
            date_times: [id("dateTime"), id("instant")],
            time: id("time"),
            quantity: id("Quantity"),
            types,
        }
    }

    /// The types.
    pub fn types(&self) -> &Types {
        &self.types
    }

    pub(super) fn class(&self, id: TypeId) -> Class {
        if id == TypeId::UNKNOWN {
            return Class::Unknown;
        }
        match id {
            _ if id == self.boolean => Class::Boolean,
            _ if self.integers.contains(&id) => Class::Integer,
            _ if id == self.decimal => Class::Decimal,
            _ if id == self.date => Class::Date,
            _ if self.date_times.contains(&id) => Class::DateTime,
            _ if id == self.time => Class::Time,
            _ => match self.types.kind(id) {
                Some(TypeKind::Primitive) => Class::Text,
                Some(TypeKind::Complex) if self.types.is_a(id, self.quantity) => Class::Quantity,
                Some(_) => Class::Other,
                None => Class::Unknown,
            },
        }
    }
}
