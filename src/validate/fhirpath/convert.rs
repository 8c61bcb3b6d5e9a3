//! Conversions between the types of FHIRPath (5.5).

use std::borrow::Cow;

use super::Decimal;
use super::evaluate::{Evaluation, Given, Outcome};
use super::function::Function;
use super::item::{Collection, Item};
use super::limit::{Mistake, Stop};
use super::quantity::{Quantity, Unit};
use super::temporal::{CalendarUnit, Temporal, TemporalKind};

/// A value as text; `None` for what has no text.
pub(super) fn to_text<'e>(value: &Item<'e>) -> Option<Cow<'e, str>> {
    Some(match value {
        Item::Text(text) => text.clone(),
        Item::Boolean(true) => Cow::Borrowed("true"),
        Item::Boolean(false) => Cow::Borrowed("false"),
        Item::Integer(value) => Cow::Owned(value.to_string()),
        Item::Decimal(value) => Cow::Owned(value.to_string()),
        Item::Temporal(value) => Cow::Owned(value.to_string()),
        Item::Quantity(quantity) => Cow::Owned(quantity.to_string()),
        Item::Node(_) | Item::Type(..) | Item::Elsewhere(_) => return None,
    })
}

fn to_boolean(value: &Item<'_>) -> Option<bool> {
    match value {
        Item::Boolean(value) => Some(*value),
        Item::Integer(1) => Some(true),
        Item::Integer(0) => Some(false),
        Item::Decimal(value) if *value == Decimal::ONE => Some(true),
        Item::Decimal(value) if value.is_zero() => Some(false),
        Item::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn to_integer(value: &Item<'_>) -> Option<i64> {
    match value {
        Item::Integer(value) => Some(*value),
        Item::Boolean(value) => Some(i64::from(*value)),
        Item::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn to_decimal(value: &Item<'_>) -> Option<Decimal> {
    match value {
        Item::Decimal(value) => Some(*value),
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Boolean(value) => Some(Decimal::from(i64::from(*value))),
        Item::Text(text) if !text.contains(['e', 'E']) => Decimal::parse(text),
        _ => None,
    }
}

fn to_quantity<'e>(value: &Item<'e>) -> Option<Quantity<'e>> {
    match value {
        Item::Quantity(quantity) => Some(quantity.as_ref().clone()),
        Item::Text(text) => Quantity::parse(text),
        other => to_decimal(other).map(Quantity::number),
    }
}

fn to_temporal(value: &Item<'_>, kind: TemporalKind) -> Option<Temporal> {
    match value {
        Item::Temporal(value) => {
            let is_time = (value.kind() == TemporalKind::Time, kind == TemporalKind::Time);
            (is_time.0 == is_time.1).then(|| value.into_kind(kind))
        }
        Item::Text(text) => match kind {
            TemporalKind::Time => Temporal::time(text.strip_prefix('T').unwrap_or(text)),
            TemporalKind::DateTime => Temporal::date_time(text),
            TemporalKind::Date => Temporal::date_time(text).map(|value| value.into_kind(kind)),
        },
        _ => None,
    }
}

impl<'e> Evaluation<'e> {
    pub(super) fn convert(&mut self, current: &Collection<'e>, given: &Given<'e>) -> Outcome<'e> {
        let item = match current {
            Collection::Empty => return Ok(Collection::Empty),
            Collection::One(item) => item,
            Collection::Many(_) => return Err(Mistake::NotSingle.into()),
        };
        let function = given.call.function;
        let value = self.context.value(item);
        let converted = value.as_ref().and_then(|value| match function {
            Function::ToBoolean | Function::ConvertsToBoolean => {
                to_boolean(value).map(Item::Boolean)
            }
            Function::ToInteger
            | Function::ConvertsToInteger
            | Function::ToLong
            | Function::ConvertsToLong => to_integer(value).map(Item::Integer),
            Function::ToDecimal | Function::ConvertsToDecimal => {
                to_decimal(value).map(Item::Decimal)
            }
            Function::ToText | Function::ConvertsToText => {
                self.written(item, value).map(Item::Text)
            }
            Function::ToDate | Function::ConvertsToDate => {
                to_temporal(value, TemporalKind::Date).map(Item::Temporal)
            }
            Function::ToDateTime | Function::ConvertsToDateTime => {
                to_temporal(value, TemporalKind::DateTime).map(Item::Temporal)
            }
            Function::ToTime | Function::ConvertsToTime => {
                to_temporal(value, TemporalKind::Time).map(Item::Temporal)
            }
            _ => to_quantity(value).map(|quantity| Item::Quantity(Box::new(quantity))),
        });
        let converted = match (converted, self.text(given.first())?) {
            (Some(Item::Quantity(quantity)), Some(unit)) => {
                in_unit(&quantity, unit).map(|quantity| Item::Quantity(Box::new(quantity)))
            }
            (converted, _) => converted,
        };
        Ok(match function {
            Function::ConvertsToBoolean
            | Function::ConvertsToInteger
            | Function::ConvertsToLong
            | Function::ConvertsToDecimal
            | Function::ConvertsToText
            | Function::ConvertsToDate
            | Function::ConvertsToDateTime
            | Function::ConvertsToTime
            | Function::ConvertsToQuantity => Collection::boolean(converted.is_some()),
            _ => Collection::one(converted),
        })
    }

    /// An element's value as it is written; of another value its text.
    fn written(&self, item: &Item<'e>, value: &Item<'e>) -> Option<Cow<'e, str>> {
        match item {
            Item::Node(id) => self.tree().text(*id).map(Cow::Borrowed).or_else(|| to_text(value)),
            _ => to_text(value),
        }
    }

    /// The one text of a collection. Elements of any primitive type have their value as it is written; other values
    /// are no texts. Without strictness several items yield nothing, and numbers are texts, too.
    pub(super) fn text(&self, items: &Collection<'e>) -> Result<Option<Cow<'e, str>>, Stop> {
        let item = match items {
            Collection::Empty => return Ok(None),
            Collection::One(item) => item,
            Collection::Many(_) if self.context.strict => return Err(Mistake::NotSingle.into()),
            Collection::Many(_) => return Ok(None),
        };
        match item {
            Item::Text(text) => Ok(Some(text.clone())),
            Item::Node(id) => match self.tree().text(*id) {
                Some(text) => Ok(Some(Cow::Borrowed(text))),
                // A primitive element without value has no text; an object is of the wrong type.
                None if self.is_primitive(*id) => Ok(None),
                None => Err(Mistake::WrongType.into()),
            },
            _ if self.context.strict => Err(Mistake::WrongType.into()),
            other => to_text(other).map(Some).ok_or(Stop::Mistake(Mistake::WrongType)),
        }
    }

    fn is_primitive(&self, id: crate::validate::tree::NodeId) -> bool {
        use super::model::Class;
        let class = self.context.model.class(self.tree().type_of(id));
        !matches!(class, Class::Other | Class::Quantity | Class::Unknown)
            || self.tree().is_underscore(id)
    }
}

fn in_unit<'e>(quantity: &Quantity<'e>, unit: Cow<'e, str>) -> Option<Quantity<'e>> {
    let unit = CalendarUnit::of_word(&unit).map_or(Unit::Ucum(unit), Unit::Calendar);
    let wanted = Quantity { value: Decimal::ONE, unit };
    let value = wanted.value_of(quantity)?;
    Some(Quantity { value, unit: wanted.unit })
}
