//! Sums, products and the mathematical functions (FHIRPath 5.7, 5.8, 6.6).

use std::borrow::Cow;

use super::Decimal;
use super::evaluate::{Evaluation, Given, Outcome};
use super::function::Function;
use super::item::{Collection, Item};
use super::limit::{Mistake, Stop};
use super::quantity::{Quantity, Unit};
use super::syntax::Operator;
use super::temporal::{CalendarUnit, Temporal};
use super::ucum;

/// The digits of a boundary if none are asked for.
const BOUNDARY_DIGITS: u8 = 8;

fn decimal_of(value: Option<Decimal>) -> Collection<'static> {
    Collection::one(value.map(Item::Decimal))
}

fn integer_of(value: Option<i64>) -> Collection<'static> {
    Collection::one(value.map(Item::Integer))
}

impl<'e> Evaluation<'e> {
    /// The one value of a collection.
    fn single(&self, items: &Collection<'e>) -> Result<Option<Item<'e>>, Stop> {
        match items {
            Collection::Empty => Ok(None),
            Collection::One(item) => Ok(Some(self.context.value(item).ok_or(Mistake::WrongType)?)),
            Collection::Many(_) => Err(Mistake::NotSingle.into()),
        }
    }

    pub(super) fn integer(&self, items: &Collection<'e>) -> Result<Option<i64>, Stop> {
        match self.single(items)? {
            None => Ok(None),
            Some(Item::Integer(value)) => Ok(Some(value)),
            Some(Item::Decimal(value)) if value.is_whole() => Ok(value.whole()),
            Some(_) => Err(Mistake::WrongType.into()),
        }
    }

    pub(super) fn negative(&self, items: &Collection<'e>) -> Outcome<'e> {
        Ok(match self.single(items)? {
            None => Collection::Empty,
            Some(Item::Integer(value)) => integer_of(value.checked_neg()),
            Some(Item::Decimal(value)) => decimal_of(value.negated()),
            Some(Item::Quantity(quantity)) => {
                let Quantity { value, unit } = *quantity;
                let negated = value.negated().map(|value| Quantity { value, unit });
                Collection::one(negated.map(|quantity| Item::Quantity(Box::new(quantity))))
            }
            Some(_) => return Err(Mistake::WrongType.into()),
        })
    }

    pub(super) fn positive(&self, items: Collection<'e>) -> Outcome<'e> {
        match self.single(&items)? {
            None | Some(Item::Integer(_) | Item::Decimal(_) | Item::Quantity(_)) => Ok(items),
            Some(_) => Err(Mistake::WrongType.into()),
        }
    }

    pub(super) fn concatenate(&self, one: &Collection<'e>, two: &Collection<'e>) -> Outcome<'e> {
        let text = |items: &Collection<'e>| match self.single(items)? {
            None => Ok(Cow::Borrowed("")),
            Some(Item::Text(text)) => Ok(text),
            Some(other) => super::convert::to_text(&other).ok_or(Stop::Mistake(Mistake::WrongType)),
        };
        let joined = text(one)?.into_owned() + &text(two)?;
        self.short(&joined)?;
        Ok(Collection::One(Item::text(joined)))
    }

    pub(super) fn calculate(
        &self,
        operator: Operator,
        one: &Collection<'e>,
        two: &Collection<'e>,
    ) -> Outcome<'e> {
        let (Some(one), Some(two)) = (self.single(one)?, self.single(two)?) else {
            return Ok(Collection::Empty);
        };
        match (one, two) {
            (Item::Integer(one), Item::Integer(two)) => Ok(match operator {
                Operator::Plus => integer_of(one.checked_add(two)),
                Operator::Minus => integer_of(one.checked_sub(two)),
                Operator::Times => integer_of(one.checked_mul(two)),
                Operator::Div => integer_of(one.checked_div(two)),
                Operator::Mod => integer_of(one.checked_rem(two)),
                _ => decimal_of(Decimal::from(one).divided(Decimal::from(two))),
            }),
            (Item::Text(one), Item::Text(two)) if operator == Operator::Plus => {
                let sum = one.into_owned() + &two;
                self.short(&sum)?;
                Ok(Collection::One(Item::text(sum)))
            }
            (Item::Temporal(date), Item::Quantity(amount)) => {
                let amount = match operator {
                    Operator::Plus => Some(amount.value),
                    Operator::Minus => amount.value.negated(),
                    _ => return Err(Mistake::WrongType.into()),
                }
                .map(|value| Quantity { value, unit: amount.unit });
                amount.map_or(Ok(Collection::Empty), |amount| later(date, &amount))
            }
            (Item::Text(text), Item::Quantity(amount)) => {
                let date = Temporal::date_time(&text).ok_or(Mistake::WrongType)?;
                self.calculate(
                    operator,
                    &Collection::One(Item::Temporal(date)),
                    &Collection::One(Item::Quantity(amount)),
                )
            }
            (one, two) => self.calculate_decimals(operator, &one, &two),
        }
    }

    fn calculate_decimals(
        &self,
        operator: Operator,
        one: &Item<'e>,
        two: &Item<'e>,
    ) -> Outcome<'e> {
        let decimal = |item: &Item<'e>| match item {
            Item::Integer(value) => Some(Decimal::from(*value)),
            Item::Decimal(value) => Some(*value),
            _ => None,
        };
        if let (Some(one), Some(two)) = (decimal(one), decimal(two)) {
            return Ok(match operator {
                Operator::Plus => decimal_of(one.plus(two)),
                Operator::Minus => decimal_of(one.minus(two)),
                Operator::Times => decimal_of(one.times(two)),
                Operator::Divide => decimal_of(one.divided(two)),
                Operator::Div => integer_of(one.quotient(two)),
                Operator::Mod => decimal_of(one.remainder(two)),
                _ => return Err(Mistake::WrongType.into()),
            });
        }
        let quantity = |item: &Item<'e>| match item {
            Item::Quantity(quantity) => Some(quantity.as_ref().clone()),
            other => decimal(other).map(Quantity::number),
        };
        let (Some(one), Some(two)) = (quantity(one), quantity(two)) else {
            return Err(Mistake::WrongType.into());
        };
        let result = match operator {
            Operator::Plus | Operator::Minus => one.value_of(&two).and_then(|other| {
                let sum = if operator == Operator::Plus {
                    one.value.plus(other)
                } else {
                    one.value.minus(other)
                };
                sum.map(|value| Quantity { value, unit: one.unit })
            }),
            Operator::Times => one.combined(&two, false),
            Operator::Divide => one.combined(&two, true),
            _ => return Err(Mistake::WrongType.into()),
        };
        if let Some(quantity) = &result {
            self.short(quantity.unit.text())?;
        }
        Ok(Collection::one(result.map(|quantity| Item::Quantity(Box::new(quantity)))))
    }

    // ---- Functions ----

    pub(super) fn number(&mut self, current: &Collection<'e>, given: &Given<'e>) -> Outcome<'e> {
        let function = given.call.function;
        let Some(value) = self.single(current)? else { return Ok(Collection::Empty) };
        match function {
            Function::Comparable => {
                let other = self.single(given.first())?;
                let (Item::Quantity(one), Some(Item::Quantity(two))) = (&value, &other) else {
                    return Err(Mistake::WrongType.into());
                };
                let comparable = match (&one.unit, &two.unit) {
                    (Unit::Ucum(one), Unit::Ucum(two)) => ucum::are_comparable(one, two),
                    _ => one.value_of(two).is_some(),
                };
                return Ok(Collection::boolean(comparable));
            }
            Function::Precision => {
                return Ok(integer_of(match value {
                    Item::Decimal(value) => Some(i64::from(value.scale())),
                    Item::Integer(_) => Some(0),
                    Item::Temporal(value) => Some(value.digits()),
                    _ => return Err(Mistake::WrongType.into()),
                }));
            }
            Function::LowBoundary | Function::HighBoundary => {
                let digits = self.integer(given.first())?;
                return boundary(value, digits, function == Function::HighBoundary);
            }
            _ => {}
        }
        if let Item::Quantity(quantity) = &value {
            if function != Function::Abs {
                return Err(Mistake::WrongType.into());
            }
            let unit = quantity.unit.clone();
            let value = quantity.value.magnitude().map(|value| Quantity { value, unit });
            return Ok(Collection::one(value.map(|quantity| Item::Quantity(Box::new(quantity)))));
        }
        let argument = match function {
            Function::Log | Function::Power => match self.single(given.first())? {
                None => return Ok(Collection::Empty),
                Some(Item::Integer(value)) => Decimal::from(value),
                Some(Item::Decimal(value)) => value,
                Some(_) => return Err(Mistake::WrongType.into()),
            },
            _ => Decimal::ZERO,
        };
        let (number, whole) = match value {
            Item::Integer(value) => (Decimal::from(value), Some(value)),
            Item::Decimal(value) => (value, None),
            _ => return Err(Mistake::WrongType.into()),
        };
        Ok(match function {
            Function::Abs => match whole {
                Some(value) => integer_of(value.checked_abs()),
                None => decimal_of(number.magnitude()),
            },
            Function::Ceiling => integer_of(number.ceiling()),
            Function::Floor => integer_of(number.floor()),
            Function::Truncate => integer_of(number.whole()),
            Function::Exp => decimal_of(number.exponential()),
            Function::Ln => decimal_of(number.natural_logarithm()),
            Function::Log => decimal_of(number.logarithm(argument)),
            Function::Sqrt => decimal_of(number.square_root()),
            Function::Power => {
                let power = number.power(argument);
                match (whole, power) {
                    (Some(_), Some(power)) if power.is_whole() && argument.is_whole() => {
                        integer_of(power.whole())
                    }
                    (_, power) => decimal_of(power),
                }
            }
            _ => {
                let digits = self.integer(given.first())?.unwrap_or(0);
                let digits = u8::try_from(digits).map_err(|_| Mistake::WrongType)?;
                decimal_of(number.rounded(digits))
            }
        })
    }
}

/// A date and an amount of time.
fn later<'e>(date: Temporal, amount: &Quantity<'_>) -> Outcome<'e> {
    let unit = match &amount.unit {
        Unit::Calendar(unit) => Some(*unit),
        Unit::Ucum(code) => CalendarUnit::of_ucum(code),
        Unit::Other(_) => None,
    };
    let unit = unit.ok_or(Mistake::WrongUnit)?;
    Ok(Collection::one(date.plus(amount.value, unit).map(Item::Temporal)))
}

fn boundary(value: Item<'_>, digits: Option<i64>, high: bool) -> Outcome<'_> {
    let of_decimal = |value: Decimal| {
        let digits = match digits {
            None => BOUNDARY_DIGITS,
            Some(digits) => u8::try_from(digits).ok().filter(|digits| *digits <= 28)?,
        };
        decimal_boundary(value, digits, high)
    };
    Ok(match value {
        Item::Integer(value) => decimal_of(of_decimal(Decimal::from(value))),
        Item::Decimal(value) => decimal_of(of_decimal(value)),
        Item::Quantity(quantity) => {
            let Quantity { value, unit } = *quantity;
            let edge = of_decimal(value).map(|value| Quantity { value, unit });
            Collection::one(edge.map(|quantity| Item::Quantity(Box::new(quantity))))
        }
        Item::Temporal(value) => Collection::one(value.boundary(digits, high).map(Item::Temporal)),
        _ => return Err(Mistake::WrongType.into()),
    })
}

/// Half a step below or above, cut towards zero on the inner side and rounded on the outer one, as the official
/// suite has it.
fn decimal_boundary(value: Decimal, digits: u8, high: bool) -> Option<Decimal> {
    let half = value.half_step()?;
    let edge = if high { value.plus(half)? } else { value.minus(half)? };
    let is_outer = value.is_negative() != high;
    let cut = if is_outer && edge.scale() > digits { edge.rounded(digits)? } else { edge };
    cut.truncated(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_those_of_the_suite() {
        let edge = |text: &str, digits, high| {
            decimal_boundary(Decimal::parse(text).unwrap(), digits, high).unwrap().to_string()
        };
        assert_eq!(edge("1.587", 8, false), "1.58650000");
        assert_eq!(edge("1.587", 2, false), "1.58");
        assert_eq!(edge("1.587", 2, true), "1.59");
        assert_eq!(edge("-1.587", 2, false), "-1.59");
        assert_eq!(edge("-1.587", 0, false), "-2");
        assert_eq!(edge("-1.587", 2, true), "-1.58");
        assert_eq!(edge("1", 0, true), "2");
        assert_eq!(edge("1", 0, false), "0");
        assert_eq!(edge("0.0034", 1, true), "0.0");
        assert_eq!(edge("120", 2, false), "119.50");
    }
}
