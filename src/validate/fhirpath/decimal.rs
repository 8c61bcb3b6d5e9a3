//! Decimals that are what is written: a whole number and how many of its digits stand behind the point.
//!
//! FHIR says that `1.0` and `1.00` differ in precision and must not be read as binary fractions (R4 2.24.0.1
//! `decimal`); FHIRPath compares and rounds by digits (5.7, 6.6). So there is no float here: sums and products are
//! exact, quotients have sixteen digits more than their operands, roots and logarithms are series of whole numbers.
//!
//! What needs more than 38 digits has no value here, and the caller makes that empty, as FHIRPath does with overflow.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number with its precision.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

/// The digits behind the point that are kept at most.
const MOST_DIGITS: u8 = 28;
/// The digits behind the point that a series works with.
const SERIES_DIGITS: u8 = 18;
const SERIES_ONE: i128 = 1_000_000_000_000_000_000;
/// The natural logarithm of two, with [`SERIES_DIGITS`] digits.
const LN_2: i128 = 693_147_180_559_945_309;
/// The digits of a series' result that are sure.
const SURE_DIGITS: u8 = 14;

fn power_of_ten(digits: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(digits))
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// `mantissa` divided by ten `scale` times; `None` for more than 28 digits behind the point.
    pub fn new(mantissa: i128, scale: u8) -> Option<Self> {
        (scale <= MOST_DIGITS).then_some(Self { mantissa, scale })
    }

    /// Reads `-1.50`, and with an exponent `1.5e3`; `None` for any other form or for more than 38 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i16>().ok()?),
            None => (text, 0),
        };
        let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !all_digits(whole)
            || !all_digits(fraction)
            || (digits.contains('.') && fraction.is_empty())
        {
            return None;
        }
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        if number.starts_with('-') {
            mantissa = -mantissa;
        }
        let scale = i16::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if scale < 0 {
            let factor = power_of_ten(u8::try_from(-scale).ok()?)?;
            return Some(Self { mantissa: mantissa.checked_mul(factor)?, scale: 0 });
        }
        let mut read = Self { mantissa, scale: u8::try_from(scale).ok()? };
        while read.scale > MOST_DIGITS && read.mantissa % 10 == 0 {
            read = Self { mantissa: read.mantissa / 10, scale: read.scale - 1 };
        }
        (read.scale <= MOST_DIGITS).then_some(read)
    }

    /// How many digits stand behind the point.
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether nothing but zeros stands behind the point.
    pub fn is_whole(self) -> bool {
        power_of_ten(self.scale).is_some_and(|power| self.mantissa % power == 0)
    }

    /// The whole number, without what stands behind the point; `None` if it is too large.
    pub fn whole(self) -> Option<i64> {
        i64::try_from(self.mantissa / power_of_ten(self.scale)?).ok()
    }

    /// The numerator and denominator.
    pub fn fraction(self) -> Option<(i128, i128)> {
        Some((self.mantissa, power_of_ten(self.scale)?))
    }

    /// The same value with more digits behind the point.
    fn widened(self, scale: u8) -> Option<Self> {
        let power = power_of_ten(scale.checked_sub(self.scale)?)?;
        Some(Self { mantissa: self.mantissa.checked_mul(power)?, scale })
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u8)> {
        let scale = self.scale.max(other.scale);
        Some((self.widened(scale)?.mantissa, other.widened(scale)?.mantissa, scale))
    }

    /// The same value without zeros at its end.
    #[must_use]
    pub fn stripped(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self = Self { mantissa: self.mantissa / 10, scale: self.scale - 1 };
        }
        self
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { mantissa: left.checked_add(right)?, scale })
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated()?)
    }

    /// The opposite.
    pub fn negated(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_neg()?, scale: self.scale })
    }

    /// The distance from zero.
    pub fn magnitude(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_abs()?, scale: self.scale })
    }

    /// The product.
    pub fn times(self, other: Self) -> Option<Self> {
        let product = Self {
            mantissa: self.mantissa.checked_mul(other.mantissa)?,
            scale: self.scale.checked_add(other.scale)?,
        };
        if product.scale <= MOST_DIGITS {
            return Some(product);
        }
        let shorter = product.stripped();
        (shorter.scale <= MOST_DIGITS).then_some(shorter)
    }

    /// The quotient, with up to sixteen digits behind those of the operands; `None` by zero.
    pub fn divided(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return None;
        }
        for extra in [16_u8, 12, 8, 4] {
            let wanted = self.scale.max(other.scale).saturating_add(extra).min(MOST_DIGITS);
            // left / 10^a divided by right / 10^b, with `wanted` digits: left * 10^(wanted - a + b) / right.
            let Some(shift) = (wanted + other.scale).checked_sub(self.scale) else { continue };
            let Some(numerator) =
                power_of_ten(shift).and_then(|power| self.mantissa.checked_mul(power))
            else {
                continue;
            };
            let quotient = divide_rounded(numerator, other.mantissa)?;
            return Some(Self { mantissa: quotient, scale: wanted }.stripped());
        }
        None
    }

    /// How often the other fits in, as a whole number towards zero; `None` by zero.
    pub fn quotient(self, other: Self) -> Option<i64> {
        let (left, right, _) = self.aligned(other)?;
        i64::try_from(left.checked_div(right)?).ok()
    }

    /// What remains of it after [`quotient`](Self::quotient); `None` by zero.
    pub fn remainder(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { mantissa: left.checked_rem(right)?, scale })
    }

    /// Cut to so many digits behind the point.
    pub fn truncated(self, digits: u8) -> Option<Self> {
        if digits >= self.scale {
            return if digits <= MOST_DIGITS { self.widened(digits) } else { None };
        }
        let power = power_of_ten(self.scale - digits)?;
        Some(Self { mantissa: self.mantissa / power, scale: digits })
    }

    /// Rounded to so many digits behind the point, halves away from zero.
    pub fn rounded(self, digits: u8) -> Option<Self> {
        if digits >= self.scale {
            return Some(self);
        }
        let power = power_of_ten(self.scale - digits)?;
        Some(Self { mantissa: divide_rounded(self.mantissa, power)?, scale: digits })
    }

    /// The largest whole number that is not above it.
    pub fn floor(self) -> Option<i64> {
        i64::try_from(self.mantissa.div_euclid(power_of_ten(self.scale)?)).ok()
    }

    /// The smallest whole number that is not below it.
    pub fn ceiling(self) -> Option<i64> {
        self.negated()?.floor()?.checked_neg()
    }

    /// Half of the last digit's step: `0.0005` for `1.587`.
    pub fn half_step(self) -> Option<Self> {
        Self::new(5, self.scale.checked_add(1)?)
    }
}

/// Rounds halves away from zero.
fn divide_rounded(numerator: i128, denominator: i128) -> Option<i128> {
    let quotient = numerator.checked_div(denominator)?;
    let rest = numerator.checked_rem(denominator)?;
    let away = rest.unsigned_abs() >= denominator.unsigned_abs().div_ceil(2);
    let step = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
    if rest != 0 && away { quotient.checked_add(step) } else { Some(quotient) }
}

// ---- Roots, powers and logarithms ----

impl Decimal {
    fn series(self) -> Option<i128> {
        let mut value = self;
        if value.scale > SERIES_DIGITS {
            value = value.rounded(SERIES_DIGITS)?;
        }
        Some(value.widened(SERIES_DIGITS)?.mantissa)
    }

    fn of_series(mantissa: i128) -> Option<Self> {
        Some(Self { mantissa, scale: SERIES_DIGITS }.rounded(SURE_DIGITS)?.stripped())
    }

    /// The square root; `None` below zero.
    pub fn square_root(self) -> Option<Self> {
        let mantissa = u128::try_from(self.mantissa).ok()?;
        // The root of m / 10^s is that of m * 10^(2d - s), divided by 10^d.
        for digits in [16_u8, 12, 8, 4, 0] {
            let Some(shift) = (2 * digits).checked_sub(self.scale) else { continue };
            let scaled =
                10_u128.checked_pow(u32::from(shift)).and_then(|power| mantissa.checked_mul(power));
            if let Some(scaled) = scaled {
                let root = i128::try_from(scaled.isqrt()).ok()?;
                return Some(Self { mantissa: root, scale: digits }.stripped());
            }
        }
        None
    }

    /// The natural logarithm; `None` unless above zero.
    pub fn natural_logarithm(self) -> Option<Self> {
        Self::of_series(natural_logarithm(self)?)
    }

    /// The logarithm to a base; `None` unless both are above zero and the base is not one.
    pub fn logarithm(self, base: Self) -> Option<Self> {
        let (value, base) = (natural_logarithm(self)?, natural_logarithm(base)?);
        let quotient = value.checked_mul(SERIES_ONE)?.checked_div(base)?;
        Self::of_series(quotient)
    }

    /// *e* to this power; `None` if it is too large.
    pub fn exponential(self) -> Option<Self> {
        exponential(self.series()?)
    }

    /// This to a power; `None` if there is none or if it is too large.
    pub fn power(self, exponent: Self) -> Option<Self> {
        if exponent.is_whole() {
            let times = exponent.whole()?;
            let count = u32::try_from(times.unsigned_abs()).ok()?;
            let power = self.whole_power(count)?;
            return if times < 0 { Self::ONE.divided(power) } else { Some(power) };
        }
        if self.is_zero() {
            return (!exponent.is_negative()).then_some(Self::ZERO);
        }
        let logarithm = Self { mantissa: natural_logarithm(self)?, scale: SERIES_DIGITS };
        let product = logarithm.rounded(14)?.times(exponent.rounded(10)?)?;
        exponential(product.series()?)
    }

    fn whole_power(self, count: u32) -> Option<Self> {
        let (mut result, mut square, mut left) = (Self::ONE, self, count);
        while left > 0 {
            if left & 1 == 1 {
                result = result.times(square)?;
            }
            left >>= 1;
            if left > 0 {
                square = square.times(square)?;
            }
        }
        Some(result)
    }
}

/// ln(m * 2^k) = k ln 2 + 2 artanh((m - 1) / (m + 1)), with m between 3/4 and 3/2.
fn natural_logarithm(value: Decimal) -> Option<i128> {
    if value.mantissa <= 0 {
        return None;
    }
    let (mut reduced, mut twos) = (value, 0_i128);
    let two = Decimal { mantissa: 2, scale: 0 };
    let three_halves = Decimal { mantissa: 15, scale: 1 };
    let three_quarters = Decimal { mantissa: 75, scale: 2 };
    while reduced.order(three_halves) == Ordering::Greater {
        reduced = reduced.divided(two)?;
        twos += 1;
    }
    while reduced.order(three_quarters) == Ordering::Less {
        reduced = reduced.times(two)?;
        twos -= 1;
    }
    let m = reduced.series()?;
    let z = (m - SERIES_ONE).checked_mul(SERIES_ONE)?.checked_div(m + SERIES_ONE)?;
    let square = z * z / SERIES_ONE;
    let (mut term, mut sum, mut divisor) = (z, 0_i128, 1_i128);
    while term != 0 {
        sum += term / divisor;
        term = term * square / SERIES_ONE;
        divisor += 2;
    }
    Some(2 * sum + twos * LN_2)
}

/// exp(k ln 2 + r) = 2^k exp(r).
fn exponential(x: i128) -> Option<Decimal> {
    let twos = x.div_euclid(LN_2);
    let rest = x.rem_euclid(LN_2);
    let (mut term, mut sum, mut divisor) = (SERIES_ONE, 0_i128, 1_i128);
    while term != 0 {
        sum += term;
        term = term * rest / SERIES_ONE / divisor;
        divisor += 1;
    }
    if twos >= 0 {
        let factor = 2_i128.checked_pow(u32::try_from(twos).ok()?)?;
        return Decimal::of_series(sum.checked_mul(factor)?);
    }
    let Some(divisor) = 2_i128.checked_pow(u32::try_from(-twos).ok()?) else {
        return Some(Decimal::ZERO);
    };
    Decimal::of_series(sum / divisor)
}

// ---- Comparing and writing ----

impl Decimal {
    /// Which is larger, by value: `1.0` and `1` are equal.
    pub fn order(self, other: Self) -> Ordering {
        match self.aligned(other) {
            Some((left, right, _)) => left.cmp(&right),
            // Only a number that is very much larger than the other can't be brought to the other's digits.
            None if self.is_negative() != other.is_negative() => {
                other.is_negative().cmp(&self.is_negative())
            }
            None => {
                let one = power_of_ten(self.scale).map_or(0, |power| self.mantissa / power);
                let two = power_of_ten(other.scale).map_or(0, |power| other.mantissa / power);
                one.cmp(&two)
            }
        }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.order(*other) == Ordering::Equal
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { mantissa: i128::from(value), scale: 0 }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        let Some(power) = 10_u128.checked_pow(u32::from(self.scale)).filter(|_| self.scale > 0)
        else {
            return write!(formatter, "{sign}{digits}");
        };
        let width = usize::from(self.scale);
        write!(formatter, "{sign}{}.{:0width$}", digits / power, digits % power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn digits_are_kept_and_sums_are_exact() {
        for text in ["0.0", "1.58700", "-12.5", "1234567890987654321.0", "0.00000001"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("1.5e3").to_string(), "1500");
        assert_eq!(decimal("1.5e-3").to_string(), "0.0015");
        for text in ["", ".5", "5.", "1.a", "--1", "1e", "1e99999", "+"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
        assert_eq!(decimal("0.1").plus(decimal("0.2")), Some(decimal("0.3")));
        assert_eq!(decimal("1.8").minus(decimal("1.2")), Some(decimal("0.6")));
        assert_eq!(decimal("1.2").times(decimal("1.8")), Some(decimal("2.16")));
    }

    #[test]
    fn quotients_and_roots_are_as_near_as_said() {
        let third = decimal("1.2").divided(decimal("1.8")).unwrap();
        assert_eq!(third.rounded(2), Some(decimal("0.67")));
        assert_eq!(decimal("1").divided(decimal("0")), None);
        assert_eq!(decimal("-5.5").quotient(decimal("2")), Some(-2));
        assert_eq!(decimal("-5.5").remainder(decimal("2")), Some(decimal("-1.5")));
        assert_eq!(decimal("81").square_root(), Some(decimal("9")));
        assert_eq!(decimal("-1").square_root(), None);
        assert_eq!(decimal("16").logarithm(decimal("2")), Some(decimal("4")));
        assert_eq!(decimal("100.0").logarithm(decimal("10.0")), Some(decimal("2")));
        assert_eq!(decimal("1").natural_logarithm(), Some(decimal("0")));
        assert_eq!(decimal("1").exponential().unwrap().rounded(8), Some(decimal("2.71828183")));
        assert_eq!(
            decimal("2").power(decimal("0.5")).unwrap().rounded(6),
            Some(decimal("1.414214"))
        );
        assert_eq!(decimal("2").power(decimal("-1")), Some(decimal("0.5")));
        assert_eq!(decimal("-1").power(decimal("0.5")), None);
        assert_eq!(decimal("10").power(decimal("400")), None);
    }

    #[test]
    fn rounding_goes_away_from_zero_at_halves() {
        assert_eq!(decimal("2.5").rounded(0), Some(decimal("3")));
        assert_eq!(decimal("-2.5").rounded(0), Some(decimal("-3")));
        assert_eq!(decimal("-1.1").ceiling(), Some(-1));
        assert_eq!(decimal("-2.1").floor(), Some(-3));
        assert_eq!(
            decimal("99999999999999999999999999999999999999").order(decimal("0.1")),
            Ordering::Greater
        );
    }
}
