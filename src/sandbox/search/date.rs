//! Dates in searches: every date is a span of time, and the prefixes compare spans (R4 3.1.1.4.6).
//!
//! `2026-03` is the whole of March in UTC (R4 lets the server choose the zone of a date without one). A Period
//! without a start or end reaches without bound on that side.

use jiff::civil::Date;
use jiff::tz::Offset;

use crate::date::{Instant, PartialDate};
use crate::json::Value;

/// A span of time in microseconds since 1970, the end not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: i64,
    end: i64,
}

/// How a search compares: `ge2026-03-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    StartsAfter,
    EndsBefore,
    Approximately,
}

impl Prefix {
    /// Takes the prefix off a value; none means `eq`.
    pub(super) fn take(text: &str) -> (Self, &str) {
        const PREFIXES: [(&str, Prefix); 9] = [
            ("eq", Prefix::Equal),
            ("ne", Prefix::NotEqual),
            ("gt", Prefix::Greater),
            ("lt", Prefix::Less),
            ("ge", Prefix::GreaterOrEqual),
            ("le", Prefix::LessOrEqual),
            ("sa", Prefix::StartsAfter),
            ("eb", Prefix::EndsBefore),
            ("ap", Prefix::Approximately),
        ];
        let found = PREFIXES
            .iter()
            .find_map(|(prefix, meaning)| Some((*meaning, text.strip_prefix(prefix)?)));
        found.unwrap_or((Self::Equal, text))
    }

    /// Whether a resource's span passes, as R4 3.1.1.4.5 words it.
    pub(super) const fn holds(self, wanted: Span, found: Span) -> bool {
        let contains = wanted.start <= found.start && found.end <= wanted.end;
        match self {
            Self::Equal => contains,
            Self::NotEqual => !contains,
            Self::Greater => found.end > wanted.end,
            Self::Less => found.start < wanted.start,
            Self::GreaterOrEqual => found.end > wanted.end || contains,
            Self::LessOrEqual => found.start < wanted.start || contains,
            Self::StartsAfter => found.start >= wanted.end,
            Self::EndsBefore => found.end <= wanted.start,
            Self::Approximately => found.start < wanted.end && wanted.start < found.end,
        }
    }
}

impl Span {
    /// Where it starts, to sort by.
    pub(super) const fn start(self) -> i64 {
        self.start
    }

    /// The span that a date or moment covers; a moment may lack seconds and zone, as in searches.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(date) = PartialDate::parse(text) {
            let start = midnight(date.first_day()?)?;
            let end = match date.last_day()?.tomorrow() {
                Ok(next) => midnight(next)?,
                Err(_) => i64::MAX,
            };
            return Some(Self { start, end });
        }
        let (whole, width) = complete(text)?;
        let start = Instant::parse(&whole).ok()?.timestamp()?.as_microsecond();
        Some(Self { start, end: start.saturating_add(width) })
    }

    /// The span of a date element: a `date`, `dateTime`, `instant` or Period.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Object(period) => {
                let bound = |name| period.get(name).and_then(Value::as_str);
                let (start, end) = (bound("start"), bound("end"));
                if start.is_none() && end.is_none() {
                    return None;
                }
                let start = start.map_or(Some(i64::MIN), |text| Some(Self::parse(text)?.start))?;
                let end = end.map_or(Some(i64::MAX), |text| Some(Self::parse(text)?.end))?;
                Some(Self { start, end })
            }
            _ => None,
        }
    }
}

fn midnight(day: Date) -> Option<i64> {
    let moment = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(moment.as_microsecond())
}

/// A moment with seconds and offset filled in, and how long what was written lasts, in microseconds.
fn complete(text: &str) -> Option<(String, i64)> {
    let (day, time) = text.split_once('T')?;
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(place) => time.split_at(place),
        None => (time, "Z"),
    };
    if clock.len() == 5 {
        return Some((format!("{day}T{clock}:00{offset}"), 60_000_000));
    }
    let digits = clock.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let width = 10_i64.pow(6_u32.saturating_sub(u32::try_from(digits).ok()?));
    Some((format!("{day}T{clock}{offset}"), width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    fn holds(search: &str, found: &str) -> bool {
        let (prefix, text) = Prefix::take(search);
        prefix.holds(Span::parse(text).unwrap(), Span::parse(found).unwrap())
    }

    #[test]
    fn prefixes_compare_spans() {
        for (search, found, expected) in [
            ("2026-03", "2026-03-02", true),
            ("2026-03-02", "2026-03", false),
            ("ne2026-03", "2026-03-02", false),
            ("gt2026-03-02", "2026-03-02", false),
            ("gt2026-03-02", "2026-03", true),
            ("ge2026-03-02", "2026-03-02T10:00:00Z", true),
            ("ge2026-03-02T10:00:00.5Z", "2026-03-02T10:00:00.499999Z", false),
            ("le2026-03-02", "2026-03-03", false),
            ("lt2026-03-02T12:00", "2026-03-02", true),
            ("sa2026-03-01", "2026-03-02", true),
            ("sa2026-03-02", "2026-03-02", false),
            ("eb2026-03-03", "2026-03-02", true),
            ("ap2026", "2026-03-02", true),
            ("2026-03-02T10:00:00-05:00", "2026-03-02T15:00:00Z", true),
        ] {
            assert_eq!(holds(search, found), expected, "{search} {found}");
        }
        for text in ["", "2026-3", "2026-03-02T", "2026-03-02T10", "2026-03-02T10:00:00 05:00"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_without_an_end_goes_on() {
        let open = Value::Object(object! { "start" => "2026-03-02" });
        let open = Span::of(&open).unwrap();
        assert!(Prefix::GreaterOrEqual.holds(Span::parse("2050").unwrap(), open));
        assert!(!Prefix::EndsBefore.holds(Span::parse("2050").unwrap(), open));
        assert_eq!(Span::of(&Value::Object(object! { "extension" => "x" })), None);
    }
}
