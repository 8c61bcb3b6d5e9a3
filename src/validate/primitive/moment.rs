//! Dates and times as FHIR writes them: `date`, `dateTime`, `instant`, `time`.
//!
//! A day must be in the calendar, a time needs its seconds, and in a `dateTime` or `instant` a zone: without one
//! nobody knows when it was. A second 60 passes, as FHIR says; an hour 24 and the year 0000 do not.

use super::super::rule::{Rule, primitive as rule};

/// The first year that is no slip of the pen: nobody in a record was born before it.
const REASONABLE: u32 = 1800;

fn number(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |sum: u32, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

const fn days(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// The year of a date: a year, a month, or a day that is in the calendar.
fn year_of(date: &[u8]) -> Option<u32> {
    let (year, rest) = date.split_at_checked(4)?;
    let year = number(year).filter(|year| *year > 0)?;
    let (month, rest) = match rest.split_first() {
        None => return Some(year),
        Some((b'-', rest)) => rest.split_at_checked(2)?,
        Some(_) => return None,
    };
    let month = number(month).filter(|month| (1..=12).contains(month))?;
    match rest.split_first() {
        None => Some(year),
        Some((b'-', day)) if day.len() == 2 => {
            number(day).filter(|day| (1..=days(year, month)).contains(day)).map(|_| year)
        }
        Some(_) => None,
    }
}

/// Whether a text is a `date`: `2026`, `2026-03`, `2026-03-02`.
pub fn is_date(text: &str) -> bool {
    year_of(text.as_bytes()).is_some()
}

/// Whether a text is a `time`: `10:00:00`, `10:00:00.25`, without a zone.
pub fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((clock, fraction)) = bytes.split_at_checked(8) else { return false };
    let [h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return false };
    let in_range = |tens: &u8, ones: &u8, most: u32| {
        number(&[*tens, *ones]).is_some_and(|number| number <= most)
    };
    let fraction_is_right = match fraction.split_first() {
        None => true,
        Some((b'.', digits)) => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    fraction_is_right && in_range(h1, h2, 23) && in_range(m1, m2, 59) && in_range(s1, s2, 60)
}

/// Whether a text is a zone: `Z`, `+01:00`, at most 14 hours.
fn is_zone(zone: &str) -> bool {
    match zone.as_bytes() {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => matches!(
            (number(&[*h1, *h2]), number(&[*m1, *m2])),
            (Some(0..=13), Some(0..=59)) | (Some(14), Some(0))
        ),
        _ => false,
    }
}

fn reasonable(year: u32, broken: &mut impl FnMut(&'static Rule)) {
    if year < REASONABLE {
        broken(&rule::YEAR);
    }
}

pub(super) fn date(text: &str, broken: &mut impl FnMut(&'static Rule)) {
    match year_of(text.as_bytes()) {
        Some(year) => reasonable(year, broken),
        None => broken(&rule::DATE),
    }
}

pub(super) fn date_time(text: &str, broken: &mut impl FnMut(&'static Rule)) {
    let Some((day, time)) = text.split_once('T') else {
        return match year_of(text.as_bytes()) {
            Some(year) => reasonable(year, broken),
            None => broken(&rule::DATE_TIME),
        };
    };
    moment(day, time, &rule::DATE_TIME, broken);
}

pub(super) fn instant(text: &str, broken: &mut impl FnMut(&'static Rule)) {
    match text.split_once('T') {
        Some((day, time)) => moment(day, time, &rule::INSTANT, broken),
        None => broken(&rule::INSTANT),
    }
}

fn moment(day: &str, time: &str, form: &'static Rule, broken: &mut impl FnMut(&'static Rule)) {
    let year = year_of(day.as_bytes()).filter(|_| day.len() == 10);
    let zone_at = time.find(['Z', '+', '-']);
    let (clock, zone) = time.split_at_checked(zone_at.unwrap_or(time.len())).unwrap_or((time, ""));
    match year {
        Some(year) if is_time(clock) && is_zone(zone) => reasonable(year, broken),
        Some(_) if is_time(clock) && zone_at.is_none() && form.code != rule::INSTANT.code => {
            broken(&rule::ZONE);
        }
        _ => broken(form),
    }
}
