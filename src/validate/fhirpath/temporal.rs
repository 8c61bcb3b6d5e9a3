//! Dates, moments and times as FHIRPath knows them: with a precision, and with or without a time zone.
//!
//! A comparison of two of different precision may have no answer (FHIRPath 6.1.1, 6.2): `2018-03 < 2018-03-01` is
//! neither true nor false. Moments with an offset are compared in UTC; a moment without one is anywhere within the
//! fourteen hours that offsets span, so it compares with one that has an offset only if they are further apart. A
//! day beside a moment is compared with the moment's day in UTC, as the reference engine does.

use std::cmp::Ordering;
use std::fmt;

use super::decimal::Decimal;

/// Which of the three types it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    /// `@2014-01`
    Date,
    /// `@2014-01-05T10:30`
    DateTime,
    /// `@T10:30`
    Time,
}

/// The last part that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// The year only.
    Year,
    /// Year and month.
    Month,
    /// A day.
    Day,
    /// The hour.
    Hour,
    /// The minute.
    Minute,
    /// The second, or a fraction of it: they are one precision (FHIRPath 6.1.1).
    Second,
}

/// A date, moment or time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporal {
    kind: TemporalKind,
    precision: Precision,
    year: i16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// How many digits of the fraction are given, at most nine.
    digits: u8,
    nanosecond: u32,
    /// Minutes east of UTC.
    offset: Option<i16>,
}

const NANOS: i128 = 1_000_000_000;
const DAY_NANOS: i128 = 86_400 * NANOS;

fn number<T: std::str::FromStr>(text: &str, width: usize) -> Option<T> {
    let digits = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// How many days a month has.
pub(super) fn days_in_month(year: i16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 (proleptic Gregorian).
fn day_number(year: i16, month: u8, day: u8) -> i64 {
    let (y, m) = (i64::from(year) - i64::from(month <= 2), i64::from(month));
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((m + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn from_day_number(days: i64) -> Option<(i16, u8, u8)> {
    let z = days.checked_add(719_468)?;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = u8::try_from(of_year - (153 * shifted + 2) / 5 + 1).ok()?;
    let month = u8::try_from(if shifted < 10 { shifted + 3 } else { shifted - 9 }).ok()?;
    let year = i16::try_from(year_of_era + era * 400 + i64::from(month <= 2)).ok()?;
    (1..=9999).contains(&year).then_some((year, month, day))
}

impl Temporal {
    const NOTHING: Self = Self {
        kind: TemporalKind::Date,
        precision: Precision::Year,
        year: 1,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        digits: 0,
        nanosecond: 0,
        offset: None,
    };

    /// Reads `2014`, `2014-01` or `2014-01-05`.
    pub fn date(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut date = Self { year: number(parts.next()?, 4)?, ..Self::NOTHING };
        if date.year == 0 {
            return None;
        }
        if let Some(month) = parts.next() {
            date.month = number(month, 2).filter(|month| (1..=12).contains(month))?;
            date.precision = Precision::Month;
        }
        if let Some(day) = parts.next() {
            let last = days_in_month(date.year, date.month);
            date.day = number(day, 2).filter(|day| (1..=last).contains(day))?;
            date.precision = Precision::Day;
        }
        parts.next().is_none().then_some(date)
    }

    /// Reads `10`, `10:30`, `10:30:00` or `10:30:00.000`.
    pub fn time(text: &str) -> Option<Self> {
        let mut time =
            Self { kind: TemporalKind::Time, precision: Precision::Hour, ..Self::NOTHING };
        time.read_clock(text)?;
        Some(time)
    }

    /// Reads a date, or a date, `T` and as much of a time as is known, with an offset or without: FHIR's `dateTime`.
    pub fn date_time(text: &str) -> Option<Self> {
        let Some((date, clock)) = text.split_once('T') else {
            return Some(Self { kind: TemporalKind::DateTime, ..Self::date(text)? });
        };
        let mut moment = Self { kind: TemporalKind::DateTime, ..Self::date(date)? };
        let (clock, offset) = match clock.find(['Z', '+', '-']) {
            Some(at) => (clock.get(..at)?, clock.get(at..)),
            None => (clock, None),
        };
        if clock.is_empty() {
            return offset.is_none().then_some(moment);
        }
        if moment.precision < Precision::Day {
            return None;
        }
        moment.read_clock(clock)?;
        if let Some(offset) = offset {
            moment.offset = Some(read_offset(offset)?);
        }
        Some(moment)
    }

    fn read_clock(&mut self, text: &str) -> Option<()> {
        let mut parts = text.split(':');
        self.hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
        self.precision = Precision::Hour;
        if let Some(minute) = parts.next() {
            self.minute = number(minute, 2).filter(|minute| *minute < 60)?;
            self.precision = Precision::Minute;
        }
        if let Some(second) = parts.next() {
            let (second, fraction) =
                second.split_once('.').map_or((second, None), |(a, b)| (a, Some(b)));
            self.second = number(second, 2).filter(|second| *second <= 60)?;
            self.precision = Precision::Second;
            if let Some(fraction) = fraction {
                let kept = fraction.get(..9).unwrap_or(fraction);
                if kept.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                self.digits = u8::try_from(kept.len()).ok()?;
                self.nanosecond =
                    kept.parse::<u32>().ok()? * 10_u32.pow(9 - u32::from(self.digits));
            }
        }
        parts.next().is_none().then_some(())
    }

    /// Which type it is.
    pub const fn kind(self) -> TemporalKind {
        self.kind
    }

    /// The last part that is given.
    pub const fn precision(self) -> Precision {
        self.precision
    }

    /// The same as another type: a date as moment, a moment's day.
    #[must_use]
    pub fn into_kind(self, kind: TemporalKind) -> Self {
        let mut other = Self { kind, ..self };
        if kind == TemporalKind::Date && self.precision > Precision::Day {
            other.precision = Precision::Day;
            other.offset = None;
        }
        other
    }

    /// The time of day of a moment.
    pub fn time_of_day(self) -> Option<Self> {
        (self.precision > Precision::Day).then_some(Self {
            kind: TemporalKind::Time,
            offset: None,
            ..self
        })
    }

    /// The digits that are given: 4 for a year, 17 for a moment with milliseconds (FHIRPath 5.6 `precision`).
    pub fn digits(self) -> i64 {
        let before = match (self.kind, self.precision) {
            (TemporalKind::Time, Precision::Hour) => 2,
            (TemporalKind::Time, Precision::Minute) => 4,
            (TemporalKind::Time, _) => 6,
            (_, Precision::Year) => 4,
            (_, Precision::Month) => 6,
            (_, Precision::Day) => 8,
            (_, Precision::Hour) => 10,
            (_, Precision::Minute) => 12,
            (_, Precision::Second) => 14,
        };
        before + i64::from(self.digits)
    }

    /// Nanoseconds since 1970 in UTC (of a time: since midnight), as if all that is not given were its first.
    fn instant(self) -> i128 {
        let days = match self.kind {
            TemporalKind::Time => 0,
            _ => day_number(self.year, self.month, self.day),
        };
        let offset = i128::from(self.offset.unwrap_or(0)) * 60 * NANOS;
        i128::from(days) * DAY_NANOS + self.clock_nanos() - offset
    }

    fn clock_nanos(self) -> i128 {
        let seconds =
            i128::from(self.hour) * 3600 + i128::from(self.minute) * 60 + i128::from(self.second);
        seconds * NANOS + i128::from(self.nanosecond)
    }

    fn put_clock(&mut self, nanos: i128) -> Option<()> {
        let seconds = nanos / NANOS;
        self.hour = u8::try_from(seconds / 3600).ok()?;
        self.minute = u8::try_from(seconds / 60 % 60).ok()?;
        self.second = u8::try_from(seconds % 60).ok()?;
        self.nanosecond = u32::try_from(nanos % NANOS).ok()?;
        Some(())
    }

    /// The same moment with the offset zero.
    fn in_utc(self) -> Option<Self> {
        let Some(offset) = self.offset.filter(|offset| *offset != 0) else { return Some(self) };
        let mut utc = Self { offset: Some(0), ..self };
        utc.shift(-i128::from(offset) * 60 * NANOS)?;
        Some(utc)
    }

    /// Moves the clock, and the day with it.
    fn shift(&mut self, nanos: i128) -> Option<()> {
        let sum = self.clock_nanos().checked_add(nanos)?;
        self.put_clock(sum.rem_euclid(DAY_NANOS))?;
        if self.kind != TemporalKind::Time {
            let days = i64::try_from(sum.div_euclid(DAY_NANOS)).ok()?;
            let day = day_number(self.year, self.month, self.day).checked_add(days)?;
            (self.year, self.month, self.day) = from_day_number(day)?;
        }
        Some(())
    }

    /// Which is earlier; `None` if the precision or a missing time zone leaves that open.
    pub fn order(self, other: Self) -> Option<Ordering> {
        if (self.kind == TemporalKind::Time) != (other.kind == TemporalKind::Time) {
            return None;
        }
        let both_have_clocks = self.precision > Precision::Day && other.precision > Precision::Day;
        if both_have_clocks
            && self.kind != TemporalKind::Time
            && self.offset.is_some() != other.offset.is_some()
        {
            let distance = self.instant() - other.instant();
            return (distance.abs() > 14 * 3600 * NANOS).then(|| distance.cmp(&0));
        }
        let (left, right) = (self.in_utc()?, other.in_utc()?);
        let parts = |value: Self| {
            [
                (Precision::Year, i64::from(value.year)),
                (Precision::Month, i64::from(value.month)),
                (Precision::Day, i64::from(value.day)),
                (Precision::Hour, i64::from(value.hour)),
                (Precision::Minute, i64::from(value.minute)),
                (
                    Precision::Second,
                    i64::from(value.second) * 1_000_000_000 + i64::from(value.nanosecond),
                ),
            ]
        };
        for ((precision, one), (_, two)) in parts(left).into_iter().zip(parts(right)) {
            let is_date_part = precision <= Precision::Day;
            if is_date_part && self.kind == TemporalKind::Time {
                continue;
            }
            match (left.precision >= precision, right.precision >= precision) {
                (true, true) if one != two => return Some(one.cmp(&two)),
                (true, true) => {}
                (false, false) => break,
                _ => return None,
            }
        }
        Some(Ordering::Equal)
    }

    /// Whether they are the same, also in precision (FHIRPath 6.1.2).
    pub fn is_equivalent(self, other: Self) -> bool {
        self.precision == other.precision && self.order(other) == Some(Ordering::Equal)
    }

    /// Adds calendar or clock units; `None` outside the years 1 to 9999.
    ///
    /// What is finer than the precision is brought to whole steps of it: 30 days are a month of a year and month.
    pub fn plus(self, amount: Decimal, unit: CalendarUnit) -> Option<Self> {
        let mut sum = self;
        if self.kind == TemporalKind::Time {
            let nanos = unit.nanos().filter(|_| unit < CalendarUnit::Day)?;
            sum.shift(product(amount, nanos, unit)?)?;
            return Some(sum);
        }
        match unit {
            CalendarUnit::Year => sum.add_months(amount.whole()?.checked_mul(12)?)?,
            CalendarUnit::Month if self.precision == Precision::Year => {
                sum.add_months(amount.whole()? / 12 * 12)?;
            }
            CalendarUnit::Month => sum.add_months(amount.whole()?)?,
            _ => {
                let nanos = product(amount, unit.nanos()?, unit)?;
                match self.precision {
                    Precision::Year => {
                        sum.add_months(
                            i64::try_from(nanos / (365 * DAY_NANOS)).ok()?.checked_mul(12)?,
                        )?;
                    }
                    Precision::Month => {
                        sum.add_months(i64::try_from(nanos / (30 * DAY_NANOS)).ok()?)?;
                    }
                    Precision::Day => sum.shift(nanos / DAY_NANOS * DAY_NANOS)?,
                    Precision::Hour => sum.shift(nanos / (3600 * NANOS) * 3600 * NANOS)?,
                    Precision::Minute => sum.shift(nanos / (60 * NANOS) * 60 * NANOS)?,
                    Precision::Second => sum.shift(nanos)?,
                }
            }
        }
        if sum.nanosecond != 0 && sum.digits < 3 {
            sum.digits = 3;
        }
        Some(sum)
    }

    fn add_months(&mut self, months: i64) -> Option<()> {
        let all = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        self.year =
            i16::try_from(all.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
        self.month = u8::try_from(all.rem_euclid(12) + 1).ok()?;
        self.day = self.day.min(days_in_month(self.year, self.month));
        Some(())
    }

    /// The earliest (or latest) that it may be, with so many digits; `None` if there is no such precision.
    pub fn boundary(self, digits: Option<i64>, high: bool) -> Option<Self> {
        let wanted = digits.unwrap_or(match self.kind {
            TemporalKind::Date => 8,
            TemporalKind::DateTime => 17,
            TemporalKind::Time => 9,
        });
        let mut edge = self;
        edge.fill(high);
        let (precision, fraction) = match (self.kind, wanted) {
            (TemporalKind::Time, 2) => (Precision::Hour, 0),
            (TemporalKind::Time, 4) => (Precision::Minute, 0),
            (TemporalKind::Time, 6) => (Precision::Second, 0),
            (TemporalKind::Time, 9) => (Precision::Second, 3),
            (TemporalKind::Time, _) => return None,
            (_, 4) => (Precision::Year, 0),
            (_, 6) => (Precision::Month, 0),
            (_, 8) => (Precision::Day, 0),
            (TemporalKind::Date, _) => return None,
            (_, 10) => (Precision::Hour, 0),
            (_, 12) => (Precision::Minute, 0),
            (_, 14) => (Precision::Second, 0),
            (_, 17) => (Precision::Second, 3),
            _ => return None,
        };
        edge.precision = precision;
        edge.digits = fraction;
        if self.kind == TemporalKind::DateTime
            && precision > Precision::Day
            && edge.offset.is_none()
        {
            edge.offset = Some(if high { -12 * 60 } else { 14 * 60 });
        }
        Some(edge)
    }

    /// Sets what is not given to its first or last. An hour alone is taken as that hour's first minute, as the
    /// official suite has it.
    fn fill(&mut self, high: bool) {
        if !high {
            return;
        }
        if self.kind != TemporalKind::Time {
            if self.precision < Precision::Month {
                self.month = 12;
            }
            if self.precision < Precision::Day {
                self.day = days_in_month(self.year, self.month);
            }
            if self.precision < Precision::Hour {
                self.hour = 23;
                self.minute = 59;
            }
        }
        if self.precision < Precision::Second {
            self.second = 59;
        }
        if self.digits < 3 {
            let given = 10_u32.pow(u32::from(9 - self.digits));
            self.nanosecond = self.nanosecond / given * given + (given - 1);
            self.nanosecond = self.nanosecond / 1_000_000 * 1_000_000;
        }
    }
}

fn product(amount: Decimal, nanos: i128, unit: CalendarUnit) -> Option<i128> {
    // Parts of what is longer than a second do not count (FHIRPath 6.7).
    let amount = if unit > CalendarUnit::Second { Decimal::from(amount.whole()?) } else { amount };
    let (numerator, denominator) = amount.fraction()?;
    Some(numerator.checked_mul(nanos)? / denominator)
}

fn read_offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let hours: i16 = number(hours, 2)?;
    let minutes: i16 = number::<i16>(minutes, 2).filter(|minutes| *minutes < 60)?;
    let offset = hours * 60 + minutes;
    (offset <= 14 * 60).then_some(sign * offset)
}

/// The units of a calendar, from the shortest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CalendarUnit {
    /// A thousandth of a second.
    Millisecond,
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// Seven days.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

impl CalendarUnit {
    /// The unit of a word: `day`, `days`.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "millisecond" | "milliseconds" => Self::Millisecond,
            "second" | "seconds" => Self::Second,
            "minute" | "minutes" => Self::Minute,
            "hour" | "hours" => Self::Hour,
            "day" | "days" => Self::Day,
            "week" | "weeks" => Self::Week,
            "month" | "months" => Self::Month,
            "year" | "years" => Self::Year,
            _ => return None,
        })
    }

    /// The unit of a UCUM code that may be added to a date: all but years and months, which UCUM has as averages.
    pub fn of_ucum(code: &str) -> Option<Self> {
        Some(match code {
            "ms" => Self::Millisecond,
            "s" => Self::Second,
            "min" => Self::Minute,
            "h" => Self::Hour,
            "d" => Self::Day,
            "wk" => Self::Week,
            _ => return None,
        })
    }

    /// The UCUM code of it; a month and a year have none that means the same.
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "wk",
            Self::Month => "mo",
            Self::Year => "a",
        }
    }

    fn nanos(self) -> Option<i128> {
        Some(match self {
            Self::Millisecond => NANOS / 1000,
            Self::Second => NANOS,
            Self::Minute => 60 * NANOS,
            Self::Hour => 3600 * NANOS,
            Self::Day => DAY_NANOS,
            Self::Week => 7 * DAY_NANOS,
            Self::Month | Self::Year => return None,
        })
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != TemporalKind::Time {
            write!(formatter, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(formatter, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(formatter, "-{:02}", self.day)?;
            }
            if self.precision <= Precision::Day {
                return Ok(());
            }
            formatter.write_str("T")?;
        }
        write!(formatter, "{:02}", self.hour)?;
        if self.precision >= Precision::Minute {
            write!(formatter, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(formatter, ":{:02}", self.second)?;
        }
        if self.digits > 0 {
            let fraction = self.nanosecond / 10_u32.pow(9 - u32::from(self.digits.min(9)));
            write!(formatter, ".{fraction:0width$}", width = usize::from(self.digits))?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => formatter.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                write!(formatter, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Temporal {
        Temporal::date_time(text).unwrap()
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in [
            "2014",
            "2014-01",
            "2014-02-28",
            "2014-01-05T08",
            "2014-01-05T08:05+08:00",
            "2014-01-05T10:30:00.000Z",
        ] {
            assert_eq!(moment(text).to_string(), text);
        }
        for text in [
            "",
            "0000",
            "2014-13",
            "2014-02-30",
            "2014-1",
            "2014-01T10",
            "2014-01-05T24",
            "2014-01-05T10:60",
            "2014-01-05TZ",
            "2014-01-05T10+15:00",
        ] {
            assert!(Temporal::date_time(text).is_none(), "{text}");
        }
        for days in [-719_162, -1, 0, 59, 60, 11_016, 19_782, 2_932_896] {
            let (year, month, day) = from_day_number(days).unwrap();
            assert_eq!(day_number(year, month, day), days);
        }
    }

    #[test]
    fn comparisons_say_when_they_can_not_tell() {
        let order = |one: &str, two: &str| moment(one).order(moment(two));
        assert_eq!(order("2018-03", "2018-03-01"), None);
        assert_eq!(order("2018-02", "2018-03-01"), Some(Ordering::Less));
        assert_eq!(order("2018-03-01T10:30", "2018-03-01T10:30:00"), None);
        assert_eq!(order("2018-03-01T10:30:00", "2018-03-01T10:30:00.0"), Some(Ordering::Equal));
        assert_eq!(
            order("2017-11-05T01:30:00.0-04:00", "2017-11-05T00:30:00.0-05:00"),
            Some(Ordering::Equal)
        );
        assert_eq!(order("2012-04-15T15:00:00Z", "2012-04-15T10:00:00"), None);
        assert_eq!(order("2012-04-15T15:00:00Z", "2012-04-17T10:00:00"), Some(Ordering::Less));
    }

    #[test]
    fn calendars_are_added_as_calendars_are() {
        let plus = |text: &str, amount: &str, unit| {
            moment(text).plus(Decimal::parse(amount).unwrap(), unit).map(|sum| sum.to_string())
        };
        assert_eq!(plus("2024-02-29", "1", CalendarUnit::Year).as_deref(), Some("2025-02-28"));
        assert_eq!(plus("2024-01-31", "1", CalendarUnit::Month).as_deref(), Some("2024-02-29"));
        assert_eq!(plus("1973-12-25", "7.7", CalendarUnit::Day).as_deref(), Some("1974-01-01"));
        assert_eq!(plus("2024", "24", CalendarUnit::Month).as_deref(), Some("2026"));
        assert_eq!(
            plus("1973-12-25T00:00:00.000+10:00", "0.1", CalendarUnit::Second).as_deref(),
            Some("1973-12-25T00:00:00.100+10:00")
        );
        assert_eq!(plus("9999-12-31", "1", CalendarUnit::Day), None);
    }
}
