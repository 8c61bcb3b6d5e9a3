//! When two trees say the same: members in any order, numbers by value.

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
    use super::{canonical_number, same_number};

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
}
