//! Quantities: a number with a unit, compared as the unit allows.
//!
//! Words of a calendar (`1 month`) and codes of UCUM (`1 'mo'`) differ: UCUM's month is an average, so the two can't
//! be equal or compared above a week (FHIRPath 5.5.7). A unit that UCUM does not know compares with itself only.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::decimal::Decimal;
use super::temporal::CalendarUnit;
use super::ucum;

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit<'a> {
    /// A word: `days`.
    Calendar(CalendarUnit),
    /// A code of UCUM: `'mg'`.
    Ucum(Cow<'a, str>),
    /// The code or text of some other system.
    Other(Cow<'a, str>),
}

/// A number with a unit.
#[derive(Debug, Clone)]
pub struct Quantity<'a> {
    /// The number.
    pub value: Decimal,
    /// Its unit; `'1'` if it has none.
    pub unit: Unit<'a>,
}

impl<'a> Quantity<'a> {
    /// A quantity.
    pub const fn new(value: Decimal, unit: Unit<'a>) -> Self {
        Self { value, unit }
    }

    /// A number without a unit.
    pub const fn number(value: Decimal) -> Self {
        Self { value, unit: Unit::Ucum(Cow::Borrowed("1")) }
    }

    /// Reads `1`, `1 day`, `1 'wk'`.
    pub fn parse(text: &str) -> Option<Quantity<'static>> {
        let (number, unit) = match text.split_once(char::is_whitespace) {
            Some((number, unit)) => (number, unit.trim()),
            None => (text, ""),
        };
        let value = Decimal::parse(number).filter(|_| !number.contains(['e', 'E']))?;
        if unit.is_empty() {
            return Some(Quantity::number(value));
        }
        let unit = match unit.strip_prefix('\'').and_then(|unit| unit.strip_suffix('\'')) {
            Some(code) if !code.is_empty() => Unit::Ucum(Cow::Owned(code.to_owned())),
            Some(_) => return None,
            None => Unit::Calendar(CalendarUnit::of_word(unit)?),
        };
        Some(Quantity { value, unit })
    }

    /// The other's value in this one's unit; `None` if the units do not measure the same.
    pub fn value_of(&self, other: &Quantity<'_>) -> Option<Decimal> {
        let above_week = |unit: &CalendarUnit| *unit > CalendarUnit::Week;
        match (&self.unit, &other.unit) {
            (Unit::Calendar(one), Unit::Calendar(two)) if one == two => Some(other.value),
            (Unit::Calendar(one), Unit::Calendar(two)) => {
                let twelve = Decimal::from(12);
                match (one, two) {
                    (CalendarUnit::Month, CalendarUnit::Year) => other.value.times(twelve),
                    (CalendarUnit::Year, CalendarUnit::Month) => other.value.divided(twelve),
                    _ if above_week(one) || above_week(two) => None,
                    _ => ucum::convert(other.value, two.ucum(), one.ucum()),
                }
            }
            (Unit::Calendar(unit), Unit::Ucum(code)) => {
                if above_week(unit) {
                    None
                } else {
                    ucum::convert(other.value, code, unit.ucum())
                }
            }
            (Unit::Ucum(code), Unit::Calendar(unit)) => {
                if above_week(unit) {
                    None
                } else {
                    ucum::convert(other.value, unit.ucum(), code)
                }
            }
            (Unit::Ucum(one), Unit::Ucum(two)) => ucum::convert(other.value, two, one),
            (one, two) => (one.text() == two.text()).then_some(other.value),
        }
    }

    /// Which is larger; `None` if the units do not measure the same.
    pub fn order(&self, other: &Quantity<'_>) -> Option<Ordering> {
        Some(self.value.order(self.value_of(other)?))
    }

    /// Whether they are the same at the precision of the less precise (FHIRPath 6.1.2).
    pub fn is_equivalent(&self, other: &Quantity<'_>) -> bool {
        let same_word = match (&self.unit, &other.unit) {
            (Unit::Calendar(word), Unit::Ucum(code)) | (Unit::Ucum(code), Unit::Calendar(word)) => {
                word.ucum() == code
            }
            _ => false,
        };
        let converted = if same_word { Some(other.value) } else { self.value_of(other) };
        let Some(converted) = converted else { return false };
        let digits = self.value.scale().min(other.value.scale());
        match (self.value.rounded(digits), converted.rounded(digits)) {
            (Some(one), Some(two)) => one == two,
            _ => false,
        }
    }

    /// The product or quotient, its unit made of both.
    pub fn combined(&self, other: &Quantity<'_>, divides: bool) -> Option<Quantity<'static>> {
        let value = if divides {
            self.value.divided(other.value)?
        } else {
            self.value.times(other.value)?
        };
        let (one, two) = (self.unit.ucum()?, other.unit.ucum()?);
        let unit = match (one.as_ref(), two.as_ref()) {
            (one, "1") => one.to_owned(),
            ("1", two) if !divides => two.to_owned(),
            (one, two) if divides && one == two => "1".to_owned(),
            (one, two) if divides => format!("{one}/({two})"),
            (one, two) => format!("{one}.{two}"),
        };
        Some(Quantity { value, unit: Unit::Ucum(Cow::Owned(unit)) })
    }

    /// The same with what it borrows taken along.
    pub fn into_owned(self) -> Quantity<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let unit = match self.unit {
            Unit::Calendar(unit) => Unit::Calendar(unit),
            Unit::Ucum(code) => Unit::Ucum(own(code)),
            Unit::Other(text) => Unit::Other(own(text)),
        };
        Quantity { value: self.value, unit }
    }
}

impl Unit<'_> {
    /// The code or word.
    pub fn text(&self) -> &str {
        match self {
            Self::Calendar(unit) => unit.ucum(),
            Self::Ucum(text) | Self::Other(text) => text,
        }
    }

    fn ucum(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Calendar(unit) if *unit > CalendarUnit::Week => None,
            Self::Calendar(unit) => Some(Cow::Borrowed(unit.ucum())),
            Self::Ucum(code) => Some(Cow::Borrowed(code)),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Quantity<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Unit::Calendar(unit) => {
                let word = match unit {
                    CalendarUnit::Millisecond => "millisecond",
                    CalendarUnit::Second => "second",
                    CalendarUnit::Minute => "minute",
                    CalendarUnit::Hour => "hour",
                    CalendarUnit::Day => "day",
                    CalendarUnit::Week => "week",
                    CalendarUnit::Month => "month",
                    CalendarUnit::Year => "year",
                };
                let plural = if self.value == Decimal::ONE { "" } else { "s" };
                write!(formatter, "{} {word}{plural}", self.value)
            }
            Unit::Ucum(code) | Unit::Other(code) => write!(formatter, "{} '{code}'", self.value),
        }
    }
}
