//! When two trees say the same: members in any order, numbers by value.

use std::cmp::Ordering;

use super::Value;

/// Whether both are the same JSON value: the order of members does not count, the order of items does, and
/// numbers are compared by value (`1.0` equals `1`).
pub fn equivalent(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.same_value(right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equivalent(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| {
                    right.get(name).is_some_and(|other| equivalent(value, other))
                })
        }
        (left, right) => left == right,
    }
}

/// Whether two JSON numbers have the same value, exactly.
pub(super) fn same_number(left: &str, right: &str) -> bool {
    left == right
        || matches!((scientific(left), scientific(right)), (Some(left), Some(right)) if left == right)
}

/// The one spelling of a number's value; `None` for absurd exponents.
pub(super) fn canonical_number(text: &str) -> Option<String> {
    let (negative, digits, power) = scientific(text)?;
    let sign = if negative { "-" } else { "" };
    Some(match (digits.is_empty(), power) {
        (true, _) => "0".to_owned(),
        (false, 0) => format!("{sign}{digits}"),
        (false, _) => format!("{sign}{digits}e{power}"),
    })
}

/// Which of two JSON numbers is the greater, exactly; `None` for absurd exponents.
pub(super) fn order_of_numbers(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (scientific(left)?, scientific(right)?);
    Some(match (left.0, right.0) {
        (false, false) => order_of_magnitudes(&left, &right),
        (true, true) => order_of_magnitudes(&right, &left),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

/// Which of two numbers is farther from zero: the one whose first digit has the greater place, then by digits.
fn order_of_magnitudes(
    (_, left, left_power): &(bool, String, i64),
    (_, right, right_power): &(bool, String, i64),
) -> Ordering {
    let place = |digits: &str, power: i64| {
        i64::try_from(digits.len()).ok().filter(|length| *length > 0).map(|length| length + power)
    };
    place(left, *left_power).cmp(&place(right, *right_power)).then_with(|| left.cmp(right))
}

/// A number as sign, significant digits and the power of ten of its last digit; `None` for absurd exponents.
fn scientific(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    if exponent.abs() > 9_999 {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let mut power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    while digits.ends_with('0') {
        digits.pop();
        power += 1;
    }
    let digits = digits.trim_start_matches('0').to_owned();
    if digits.is_empty() { Some((false, digits, 0)) } else { Some((negative, digits, power)) }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{canonical_number, order_of_numbers, same_number};

    #[test]
    fn a_value_has_one_spelling() {
        for (text, canonical) in
            [("1.50", "15e-1"), ("-0.0", "0"), ("11.0", "11"), ("1.10E1", "11"), ("-200", "-2e2")]
        {
            assert_eq!(canonical_number(text).as_deref(), Some(canonical));
        }
        assert_eq!(canonical_number("1e99999"), None);
    }

    #[test]
    fn numbers_are_compared_by_value() {
        for (left, right) in
            [("1.0", "1"), ("100", "1e2"), ("0.10", "1E-1"), ("-0", "0.00"), ("12.50", "12.5")]
        {
            assert!(same_number(left, right), "{left} = {right}");
        }
        for (left, right) in [("1", "-1"), ("10", "1"), ("0.1", "0.01"), ("1e99999", "1e99998")] {
            assert!(!same_number(left, right), "{left} != {right}");
        }
    }

    #[test]
    fn numbers_are_ordered_exactly() {
        let rising = [
            "-1e3",
            "-20",
            "-3.50",
            "-3.5e-1",
            "0",
            "1E-9999",
            "0.1",
            "0.10000000000000000001",
            "2",
            "10",
            "1e2",
        ];
        for (place, left) in rising.iter().enumerate() {
            for (other, right) in rising.iter().enumerate() {
                assert_eq!(
                    order_of_numbers(left, right),
                    Some(place.cmp(&other)),
                    "{left} {right}"
                );
            }
        }
        assert_eq!(order_of_numbers("1.50", "15e-1"), Some(Ordering::Equal));
        assert_eq!(order_of_numbers("-0.0", "0"), Some(Ordering::Equal));
        assert_eq!(order_of_numbers("1", "1e99999"), None);
    }
}
