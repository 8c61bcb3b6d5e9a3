//! Units by the rules of UCUM: which codes are units at all, and how many of one unit another one is.
//!
//! A code is read by UCUM's own grammar (§ 2.2, production rules), with its table of atoms and prefixes, annotations
//! in braces and all. Factors are fractions of whole numbers, so that `4000 'mg'` is `4 'g'` exactly. Units on scales
//! of their own (`Cel`, `[pH]`, `[IU]`) equal only themselves: nothing is converted that needs more than a factor.

mod atoms;

use std::collections::BTreeMap;
use std::sync::RwLock;

use atoms::{ATOMS, BINARY_PREFIXES, PREFIXES};

use super::decimal::Decimal;

/// How deep parentheses may stand in each other, and definitions in definitions.
const DEEPEST: u8 = 16;
/// No code of use is longer.
const LONGEST: usize = 512;

/// A fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ratio {
    numerator: i128,
    denominator: i128,
}

fn common_divisor(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl Ratio {
    const ONE: Self = Self { numerator: 1, denominator: 1 };

    fn new(numerator: i128, denominator: i128) -> Self {
        let divisor = common_divisor(numerator.max(1), denominator.max(1));
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    fn times(self, other: Self) -> Option<Self> {
        let one = Self::new(self.numerator, other.denominator);
        let two = Self::new(other.numerator, self.denominator);
        Some(Self {
            numerator: one.numerator.checked_mul(two.numerator)?,
            denominator: one.denominator.checked_mul(two.denominator)?,
        })
    }

    const fn inverse(self) -> Self {
        Self { numerator: self.denominator, denominator: self.numerator }
    }

    fn power(self, exponent: i8) -> Option<Self> {
        let base = if exponent < 0 { self.inverse() } else { self };
        let mut result = Self::ONE;
        for _ in 0..exponent.unsigned_abs() {
            result = result.times(base)?;
        }
        Some(result)
    }
}

/// What a code measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Measure {
    /// How many of the base units it is; `None` if that needs more than 38 digits or more than a factor.
    factor: Option<Ratio>,
    /// The powers of metre, second, gram, radian, kelvin, coulomb and candela.
    dimensions: [i8; 7],
}

impl Measure {
    const NUMBER: Self = Self { factor: Some(Ratio::ONE), dimensions: [0; 7] };

    fn times(self, other: Self) -> Self {
        let factor = match (self.factor, other.factor) {
            (Some(one), Some(two)) => one.times(two),
            _ => None,
        };
        let mut dimensions = self.dimensions;
        for (sum, power) in dimensions.iter_mut().zip(other.dimensions) {
            *sum = sum.saturating_add(power);
        }
        Self { factor, dimensions }
    }

    fn power(self, exponent: i8) -> Self {
        Self {
            factor: self.factor.and_then(|factor| factor.power(exponent)),
            dimensions: self.dimensions.map(|power| power.saturating_mul(exponent)),
        }
    }
}

/// Whether this is a unit of UCUM. An export has few units and has them often, so what was found is kept.
pub fn is_valid(code: &str) -> bool {
    static KNOWN: RwLock<BTreeMap<Box<str>, bool>> = RwLock::new(BTreeMap::new());
    // Documents may have any number of codes that are none: they must not fill the memory.
    const MOST: usize = 4096;
    let known = KNOWN.read().ok().and_then(|known| known.get(code).copied());
    known.unwrap_or_else(|| {
        let is_valid = measure(code).is_some();
        if let Ok(mut known) = KNOWN.write()
            && known.len() < MOST
        {
            known.insert(code.into(), is_valid);
        }
        is_valid
    })
}

/// Whether quantities of these units can be compared (FHIRPath 6.6 `comparable`).
pub fn are_comparable(one: &str, two: &str) -> bool {
    factor(one, two).is_some()
}

/// What one unit is in another: 1/1000 for `mg` in `g`; `None` if they measure different things.
fn factor(from: &str, to: &str) -> Option<Ratio> {
    let (one, two) = (measure(from)?, measure(to)?);
    if from == to {
        return Some(Ratio::ONE);
    }
    if one.dimensions != two.dimensions {
        return None;
    }
    one.factor?.times(two.factor?.inverse())
}

/// A value of one unit in another; `None` if they measure different things.
pub fn convert(value: Decimal, from: &str, to: &str) -> Option<Decimal> {
    if from == to {
        return Some(value);
    }
    let ratio = factor(from, to)?;
    let product = value.times(Decimal::new(ratio.numerator, 0)?)?;
    product.divided(Decimal::new(ratio.denominator, 0)?)
}

fn measure(code: &str) -> Option<Measure> {
    if code.is_empty() || code.len() > LONGEST {
        return None;
    }
    measure_at(code, DEEPEST)
}

fn measure_at(code: &str, depth: u8) -> Option<Measure> {
    let mut reader = Reader { rest: code, depth };
    let read = reader.main_term()?;
    reader.rest.is_empty().then_some(read)
}

struct Reader<'c> {
    rest: &'c str,
    depth: u8,
}

impl Reader<'_> {
    fn take(&mut self, mark: char) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn main_term(&mut self) -> Option<Measure> {
        if self.take('/') {
            let first = self.component()?.power(-1);
            return self.further(first);
        }
        let first = self.component()?;
        self.further(first)
    }

    fn further(&mut self, mut product: Measure) -> Option<Measure> {
        loop {
            if self.take('.') {
                product = product.times(self.component()?);
            } else if self.take('/') {
                product = product.times(self.component()?.power(-1));
            } else {
                return Some(product);
            }
        }
    }

    fn component(&mut self) -> Option<Measure> {
        if self.take('(') {
            self.depth = self.depth.checked_sub(1)?;
            let inner = self.main_term()?;
            self.depth += 1;
            return self.take(')').then_some(inner).and_then(|inner| self.annotated(inner));
        }
        if self.rest.starts_with('{') {
            return self.annotated(Measure::NUMBER);
        }
        let end = self.symbol_end();
        let symbol = self.rest.get(..end)?;
        self.rest = self.rest.get(end..)?;
        let read = self.simple(symbol)?;
        self.annotated(read)
    }

    fn annotated(&mut self, measure: Measure) -> Option<Measure> {
        let Some(rest) = self.rest.strip_prefix('{') else { return Some(measure) };
        let (text, rest) = rest.split_once('}')?;
        let is_printable = text.bytes().all(|byte| (33..=126).contains(&byte) && byte != b'{');
        self.rest = rest;
        is_printable.then_some(measure)
    }

    /// Where a symbol ends: at an operator, parenthesis or annotation outside brackets.
    fn symbol_end(&self) -> usize {
        let mut in_brackets = false;
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'[' => in_brackets = true,
                b']' => in_brackets = false,
                b'.' | b'/' | b'(' | b')' | b'{' | b'}' if !in_brackets => return at,
                _ => {}
            }
        }
        self.rest.len()
    }

    fn simple(&self, symbol: &str) -> Option<Measure> {
        if !symbol.is_empty() && symbol.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = Decimal::parse(symbol).and_then(Decimal::fraction);
            let factor =
                number.filter(|(value, _)| *value > 0).map(|(value, _)| Ratio::new(value, 1));
            return Some(Measure { factor, ..Measure::NUMBER });
        }
        if let Some(found) = self.atom(symbol) {
            return Some(found);
        }
        let digits = symbol.bytes().rev().take_while(u8::is_ascii_digit).count();
        let mut split = symbol.len() - digits;
        if digits == 0 {
            return None;
        }
        if symbol.get(..split)?.ends_with(['+', '-']) {
            split -= 1;
        }
        let exponent: i8 = symbol.get(split..)?.parse().ok()?;
        Some(self.atom(symbol.get(..split)?)?.power(exponent))
    }

    fn atom(&self, symbol: &str) -> Option<Measure> {
        if let Some(found) = self.defined(symbol, false) {
            return Some(found);
        }
        for (prefix, exponent) in PREFIXES {
            let Some(rest) = symbol.strip_prefix(prefix) else { continue };
            if let Some(found) = self.defined(rest, true) {
                let ten = Measure {
                    factor: Some(Ratio { numerator: 10, denominator: 1 }),
                    ..Measure::NUMBER
                };
                return Some(ten.power(*exponent).times(found));
            }
        }
        for (prefix, exponent) in BINARY_PREFIXES {
            let Some(rest) = symbol.strip_prefix(prefix) else { continue };
            if let Some(found) = self.defined(rest, true) {
                let factor = Some(Ratio { numerator: 1 << exponent, denominator: 1 });
                return Some(Measure { factor, ..Measure::NUMBER }.times(found));
            }
        }
        None
    }

    fn defined(&self, code: &str, with_prefix: bool) -> Option<Measure> {
        let atom = ATOMS.iter().find(|atom| atom.code == code)?;
        if with_prefix && !atom.is_metric {
            return None;
        }
        if atom.unit == "*" {
            return Some(Measure { factor: None, ..Measure::NUMBER });
        }
        if atom.value.is_empty() {
            let mut dimensions = [0; 7];
            *dimensions.get_mut(atom.unit.parse::<usize>().ok()?)? = 1;
            return Some(Measure { factor: Some(Ratio::ONE), dimensions });
        }
        let (numerator, denominator) =
            Decimal::parse(atom.value).and_then(Decimal::fraction).unwrap_or((0, 1));
        let factor = (numerator > 0).then(|| Ratio::new(numerator, denominator));
        let unit = match atom.unit {
            "1" => Measure::NUMBER,
            unit => measure_at(unit, self.depth.checked_sub(1)?)?,
        };
        Some(Measure { factor, ..Measure::NUMBER }.times(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_atom_is_defined_by_units_that_are() {
        for atom in ATOMS {
            assert!(is_valid(atom.code), "{}", atom.code);
        }
        for (at, pair) in ATOMS.windows(2).enumerate() {
            assert!(pair[0].code != pair[1].code, "{at}");
        }
    }

    #[test]
    fn codes_of_ucum_are_told_from_others() {
        for code in [
            "mg",
            "kg/m2",
            "mm[Hg]",
            "10*3/uL",
            "/min",
            "{score}",
            "mL/min/{1.73_m2}",
            "1",
            "%",
            "Cel",
            "[degF]",
            "ug/(24.h)",
            "10*-6.mol",
            "m2",
            "kg.m/s2",
            "g/dL",
            "[IU]/L",
            "k[IU]/L",
            "mmol/L",
            "{beats}/min",
            "cm[H2O]",
            "L/s",
            "umol/mol{creat}",
            "a",
            "wk",
            "MiBy",
            "U/L{x}",
        ] {
            let expected = code != "U/L{x}" || is_valid("U/L");
            assert_eq!(is_valid(code), expected, "{code}");
        }
        for code in [
            "",
            "lbs",
            "kgm",
            "mg/",
            "mg//dL",
            "(mg",
            "mg)",
            "{open",
            "m-",
            "foo",
            "kmin",
            "beats/min",
            "[s]",
            "mm Hg",
        ] {
            assert!(!is_valid(code), "{code}");
        }
        assert!(!is_valid(&"(".repeat(400)));
    }

    #[test]
    fn what_measures_the_same_is_converted_exactly() {
        let convert = |value: &str, from: &str, to: &str| {
            convert(Decimal::parse(value).unwrap(), from, to).map(|value| value.to_string())
        };
        assert_eq!(convert("4000.0", "mg", "g").as_deref(), Some("4"));
        assert_eq!(convert("1", "[lb_av]", "g").as_deref(), Some("453.59237"));
        assert_eq!(convert("1", "wk", "d").as_deref(), Some("7"));
        assert_eq!(convert("0.04", "m2", "cm.m").as_deref(), Some("4"));
        assert_eq!(convert("1", "m/m", "1").as_deref(), Some("1"));
        assert_eq!(convert("1", "cm", "s"), None);
        assert_eq!(convert("1", "Cel", "K"), None);
        assert_eq!(convert("37", "Cel", "Cel").as_deref(), Some("37"));
    }
}
