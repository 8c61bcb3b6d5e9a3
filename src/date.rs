//! Dates and times that keep their text and their precision.
//!
//! A year is a year and a month a month: nothing is filled up to a day, no time zone is guessed, and what is
//! written again is what was read (R4 2.24.0.1 `date`, `dateTime`, `instant`). Leap seconds are taken as FHIR
//! writes them (`:60`), 24:00 is not.

mod clock;

use std::fmt;

use jiff::civil::Date;

pub use clock::Clock;

/// A date of a year, a month or a day: `2026`, `2026-03`, `2026-03-02`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct PartialDate(String);

/// A moment with seconds and an offset: `2026-03-02T10:00:00-05:00`.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Instant(String);

/// A partial date or a moment: FHIR's `dateTime` as records use it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(untagged)]
pub enum DateTime {
    /// A partial date.
    Date(PartialDate),
    /// A moment.
    Instant(Instant),
}

/// A text is not a date or moment, or the calendar has no such day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a date such as 2026, 2026-03 or 2026-03-02, or a moment such as 2026-03-02T10:00:00-05:00"
)]
pub struct NotADate;

impl PartialDate {
    /// Reads a year, month or day.
    ///
    /// # Errors
    /// [`NotADate`] for any other form and for days that the calendar does not have.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        let bytes = text.as_bytes();
        let form_is_right = matches!(bytes.len(), 4 | 7 | 10)
            && bytes.iter().enumerate().all(|(index, byte)| match index {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = Self(text.to_owned());
        if form_is_right && !text.starts_with("0000") && date.first_day().is_some() {
            Ok(date)
        } else {
            Err(NotADate)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first day that the date covers.
    pub fn first_day(&self) -> Option<Date> {
        let mut parts = self.0.split('-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next().map_or(Some(1), |text| text.parse().ok())?;
        let day = parts.next().map_or(Some(1), |text| text.parse().ok())?;
        Date::new(year, month, day).ok()
    }

    /// The last day that the date covers.
    pub fn last_day(&self) -> Option<Date> {
        let first = self.first_day()?;
        Some(match self.0.len() {
            4 => first.last_of_year(),
            7 => first.last_of_month(),
            _ => first,
        })
    }
}

impl Instant {
    /// Reads a moment with seconds and an offset.
    ///
    /// # Errors
    /// [`NotADate`] for any other form, missing seconds or offset, and days or hours that do not exist.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        let (date, time) = text.split_once('T').ok_or(NotADate)?;
        if date.len() != 10 {
            return Err(NotADate);
        }
        PartialDate::parse(date)?;
        let split = time.find(['Z', '+', '-']).ok_or(NotADate)?;
        let (clock, offset) = time.split_at(split);
        if is_clock(clock) && is_offset(offset) {
            let moment = Self(text.to_owned());
            return moment.timestamp().map(|_| moment).ok_or(NotADate);
        }
        Err(NotADate)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The point in time.
    pub fn timestamp(&self) -> Option<jiff::Timestamp> {
        self.0.parse().ok()
    }

    /// The day on the wall where it was written.
    pub fn day(&self) -> Option<PartialDate> {
        self.0.split_once('T').and_then(|(day, _)| PartialDate::parse(day).ok())
    }

    /// Whole minutes from this moment to a later one; `None` if it is not later.
    pub fn minutes_until(&self, later: &Self) -> Option<u32> {
        let span = later.timestamp()?.as_second().checked_sub(self.timestamp()?.as_second())?;
        if span > 0 { u32::try_from(span / 60).ok() } else { None }
    }
}

/// `hh:mm:ss` with an optional fraction; seconds up to 60.
fn is_clock(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = whole.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else { return false };
    let in_range = |text: &str, last: u8| {
        text.len() == 2 && digits(text) && text.parse::<u8>().is_ok_and(|value| value <= last)
    };
    in_range(hour, 23)
        && in_range(minute, 59)
        && in_range(second, 60)
        && fraction.is_none_or(|text| digits(text) && text.len() <= 9)
}

/// `Z` or `±hh:mm` up to fourteen hours.
fn is_offset(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some(rest) = text.strip_prefix(['+', '-']) else { return false };
    match rest.split_once(':') {
        Some((hour, minute)) if hour.len() == 2 && minute.len() == 2 => {
            let minutes = hour.parse::<u16>().ok().zip(minute.parse::<u16>().ok());
            minutes.is_some_and(|(hour, minute)| minute < 60 && hour * 60 + minute <= 14 * 60)
        }
        _ => false,
    }
}

impl DateTime {
    /// Reads a partial date or a moment.
    ///
    /// # Errors
    /// [`NotADate`] if it is neither.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        PartialDate::parse(text)
            .map(Self::Date)
            .or_else(|_| Instant::parse(text).map(Self::Instant))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Date(date) => date.as_str(),
            Self::Instant(instant) => instant.as_str(),
        }
    }
}

macro_rules! from_text {
    ($($type:ident),*) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

from_text!(PartialDate, Instant, DateTime);

impl fmt::Debug for PartialDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a date")
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a moment")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_keep_their_precision() {
        for text in ["2026", "2026-03", "2024-02-29", "9999-12-31"] {
            assert_eq!(PartialDate::parse(text).unwrap().as_str(), text);
        }
        for text in
            ["", "26", "2026-13", "2026-02-30", "2025-02-29", "2026-3-2", "0000", "2026-03-02T"]
        {
            assert!(PartialDate::parse(text).is_err(), "{text}");
        }
        let month = PartialDate::parse("2024-02").unwrap();
        assert_eq!(month.last_day().unwrap().to_string(), "2024-02-29");
    }

    #[test]
    fn moments_need_seconds_and_offset() {
        for text in
            ["2026-03-02T10:00:00-05:00", "2026-03-02T10:00:00.250Z", "2016-12-31T23:59:60Z"]
        {
            assert_eq!(Instant::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "2026-03-02T10:00:00",
            "2026-03-02T10:00Z",
            "2026-03-02T24:00:00Z",
            "2026-02-30T10:00:00Z",
            "2026-03T10:00:00Z",
            "2026-03-02T10:00:00+15:00",
            "2026-03-02 10:00:00Z",
        ] {
            assert!(Instant::parse(text).is_err(), "{text}");
        }
        let start = Instant::parse("2026-03-02T10:00:00-05:00").unwrap();
        let end = Instant::parse("2026-03-02T15:50:00Z").unwrap();
        assert_eq!(start.minutes_until(&end), Some(50));
        assert_eq!(end.minutes_until(&start), None);
    }
}
