//! Parts of a record in words.

use crate::date::Instant;
use crate::ipt::goal::{Comparator, Target};
use crate::ipt::phase::{Frequency, TimeUnit, Weeks};
use crate::ipt::plan::{ClinicalStatus, Coding, Diagnosis};
use crate::ipt::{GoalMeasure, Instrument};
use crate::json::Number;
use crate::mapping::code::total_measure;

/// A diagnosis with how sure it is, and how it stands unless it is active: one that was ruled out must not read like
/// one that the client has.
pub(in crate::mapping) fn judged(diagnosis: &Diagnosis) -> String {
    let clinical = diagnosis.clinical_status.filter(|status| *status != ClinicalStatus::Active);
    let clinical = clinical.map(|status| format!(", {}", status.display().to_lowercase()));
    let sure = diagnosis.verification_status.display().to_lowercase();
    format!("{}: {sure}{}", diagnosis.text, clinical.unwrap_or_default())
}

/// A number of units in words: `1 year`, `33 years`.
pub(in crate::mapping) fn amount(value: &Number, unit: TimeUnit) -> String {
    let (value, unit) = (value.as_text(), unit.display());
    if value == "1" { format!("1 {unit}") } else { format!("{value} {unit}s") }
}

/// How often: `once a week`, `2 times in 3 weeks`.
pub(super) fn often(frequency: &Frequency) -> String {
    let unit = frequency.unit.display();
    match (frequency.count, frequency.period.as_text()) {
        (1, "1") => format!("once a {unit}"),
        (count, "1") => format!("{count} times a {unit}"),
        (1, period) => format!("once in {period} {unit}s"),
        (count, period) => format!("{count} times in {period} {unit}s"),
    }
}

/// How many weeks: `16`, `16–20`.
pub(super) fn weeks(weeks: &Weeks) -> String {
    let sides: Vec<&str> =
        [&weeks.min, &weeks.max].into_iter().flatten().map(Number::as_text).collect();
    sides.join("–")
}

/// A code with its words.
pub(super) fn coding(coding: &Coding) -> String {
    match &coding.display {
        Some(display) => format!("{} {display}", coding.code),
        None => coding.code.clone(),
    }
}

/// A target in words: `PHQ-9 total at most 4`.
pub(super) fn target(target: &Target) -> String {
    let measure = target.measure.as_deref().map(|measure| {
        let total = |of: &&Instrument| total_measure(**of).as_deref() == Some(measure);
        match (Instrument::ALL.iter().find(total), GoalMeasure::from_code(measure)) {
            (Some(of), _) => format!("{} total", of.display()),
            (None, Some(known)) => known.display().to_owned(),
            (None, None) => measure.to_owned(),
        }
    });
    let words: Vec<&str> = [
        measure.as_deref(),
        target.comparator.map(Comparator::display),
        target.value.as_ref().map(Number::as_text),
        target.unit.as_deref(),
        target.text.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let due = target.due.as_ref().map(|due| format!(" by {}", due.as_str()));
    format!("target: {}{}", words.join(" "), due.unwrap_or_default())
}

/// A moment as its wall showed it: day, hour and minute, and how far that wall is from UTC. Seconds are told only
/// where there are any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wall<'a> {
    pub(super) day: &'a str,
    pub(super) clock: &'a str,
    pub(super) offset: &'a str,
}

impl<'a> Wall<'a> {
    pub(super) fn of(instant: &'a Instant) -> Self {
        let (day, time) = instant.as_str().split_once('T').unwrap_or((instant.as_str(), ""));
        let (clock, offset) = time.split_at(time.find(['Z', '+', '-']).unwrap_or(time.len()));
        let whole = clock.split('.').next().unwrap_or(clock);
        Self { day, clock: whole.strip_suffix(":00").unwrap_or(clock), offset }
    }

    /// The offset in words: `UTC`, `UTC-05:00`.
    pub(super) fn zone(self) -> String {
        if matches!(self.offset, "Z" | "+00:00" | "-00:00") {
            return "UTC".to_owned();
        }
        format!("UTC{}", self.offset)
    }
}

/// A moment on one line: `2026-03-02 10:00`.
pub(super) fn moment(instant: &Instant) -> String {
    let wall = Wall::of(instant);
    format!("{} {}", wall.day, wall.clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_wall() {
        for (text, words, zone) in [
            ("2026-03-02T10:00:00-05:00", "2026-03-02 10:00", "UTC-05:00"),
            ("2026-03-02T10:00:30Z", "2026-03-02 10:00:30", "UTC"),
            ("2026-03-02T10:00:00.250+01:00", "2026-03-02 10:00", "UTC+01:00"),
        ] {
            let instant = Instant::parse(text).unwrap();
            assert_eq!(moment(&instant), words);
            assert_eq!(Wall::of(&instant).zone(), zone);
        }
    }
}
