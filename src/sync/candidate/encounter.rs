//! How a session compares with an Encounter.

use jiff::civil::Date;
use jiff::tz::Offset;

use super::Compared;
use crate::date::{Instant, PartialDate};
use crate::fhir::patient::Agreement;
use crate::fhir::{Resource, ResourceId};
use crate::ipt::session::Session;
use crate::ipt::{Delivery, Plan, SessionStatus};

/// How a session compares with an Encounter: time, day, status, class, type, practitioner.
///
/// Times are compared as moments; the day is that on the wall where the session was held.
pub fn compare_encounter(
    plan: &Plan,
    session: &Session,
    encounter: &Resource,
    practitioner: Option<&ResourceId>,
) -> Compared {
    vec![
        ("time", time(session, encounter)),
        ("day", day(session, encounter)),
        ("status", status(session.status, encounter)),
        ("class", class(session.delivery.or(plan.structure.delivery), encounter)),
        ("type", psychotherapy(encounter)),
        ("practitioner", seen_by(practitioner, encounter)),
    ]
}

/// A boundary of a period: a moment, or only a date.
enum Boundary {
    Moment(jiff::Timestamp),
    Days(Date, Date),
}

fn boundary(encounter: &Resource, name: &str) -> Option<Boundary> {
    let text = encounter.get("period")?.text(name)?;
    if let Some(moment) = Instant::parse(text).ok().and_then(|instant| instant.timestamp()) {
        return Some(Boundary::Moment(moment));
    }
    let date = PartialDate::parse(text).ok()?;
    Some(Boundary::Days(date.first_day()?, date.last_day()?))
}

/// Whether an Encounter still goes on.
fn is_open(encounter: &Resource) -> bool {
    matches!(encounter.text("status"), Some("arrived" | "triaged" | "in-progress" | "onleave"))
}

/// From when to when a session was, as moments: a minute at least.
fn span(session: &Session) -> Option<(jiff::Timestamp, jiff::Timestamp)> {
    let start = session.start.as_ref()?.timestamp()?;
    let told = session.end.as_ref().and_then(Instant::timestamp);
    let minutes = i64::from(session.length_minutes.unwrap_or(1).max(1));
    let end = told.or_else(|| start.checked_add(jiff::SignedDuration::from_mins(minutes)).ok());
    Some((start, end.filter(|end| *end > start).unwrap_or(start)))
}

/// Whether both share a moment.
fn time(session: &Session, encounter: &Resource) -> Agreement {
    let there = match boundary(encounter, "start") {
        Some(Boundary::Moment(start)) => Some(start),
        _ => None,
    };
    let (from, to, start) = match (span(session), there) {
        (None, None) => return Agreement::MissingInBoth,
        (None, Some(_)) => return Agreement::MissingHere,
        (Some(_), None) => return Agreement::MissingThere,
        (Some((from, to)), Some(start)) => (from, to, start),
    };
    let is_before_end = match boundary(encounter, "end") {
        Some(Boundary::Moment(end)) => from < end.max(start) || from == start,
        // It ended on a day, or has not ended: that it began before is all that is known.
        Some(Boundary::Days(..)) => start >= from,
        None => is_open(encounter) || start >= from,
    };
    if start < to.max(from) && is_before_end || start == from {
        Agreement::Agrees
    } else {
        Agreement::Differs
    }
}

/// Whether the day of the session, where it was held, is one of the Encounter.
fn day(session: &Session, encounter: &Resource) -> Agreement {
    let here = session.start.as_ref();
    let offset = here.and_then(offset).unwrap_or(Offset::UTC);
    let there = |name: &str| match boundary(encounter, name)? {
        Boundary::Moment(moment) => {
            let day = offset.to_datetime(moment).date();
            Some((day, day))
        }
        Boundary::Days(first, last) => Some((first, last)),
    };
    let day = here.and_then(Instant::day).and_then(|day| day.first_day());
    match (day, there("start")) {
        (None, None) => Agreement::MissingInBoth,
        (None, Some(_)) => Agreement::MissingHere,
        (Some(_), None) => Agreement::MissingThere,
        (Some(day), Some((first, last))) => {
            let end = match there("end") {
                Some((_, end)) => Some(end.max(last)),
                None if is_open(encounter) => None,
                None => Some(last),
            };
            if first <= day && end.is_none_or(|end| day <= end) {
                Agreement::Agrees
            } else {
                Agreement::Differs
            }
        }
    }
}

/// The offset from UTC in which a moment is written.
fn offset(instant: &Instant) -> Option<Offset> {
    let (_, clock) = instant.as_str().split_once('T')?;
    if clock.ends_with('Z') {
        return Some(Offset::UTC);
    }
    let at = clock.rfind(['+', '-'])?;
    let (sign, rest) = clock.split_at_checked(at)?.1.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// How many seconds lie between the two beginnings; the most where that can't be told.
pub(super) fn apart(session: &Session, encounter: &Resource) -> u64 {
    match (span(session), boundary(encounter, "start")) {
        (Some((from, _)), Some(Boundary::Moment(start))) => {
            from.as_second().abs_diff(start.as_second())
        }
        _ => u64::MAX,
    }
}

fn status(session: SessionStatus, encounter: &Resource) -> Agreement {
    let there = encounter.text("status").filter(|status| *status != "unknown");
    let Some(there) = there else { return Agreement::MissingThere };
    let agrees = match session {
        SessionStatus::Completed => there == "finished",
        SessionStatus::InProgress => is_open(encounter),
        SessionStatus::Planned | SessionStatus::Booked => there == "planned",
        SessionStatus::Cancelled | SessionStatus::NoShow => there == "cancelled",
        SessionStatus::EnteredInError => there == "entered-in-error",
    };
    if agrees { Agreement::Agrees } else { Agreement::Differs }
}

fn class(delivery: Option<Delivery>, encounter: &Resource) -> Agreement {
    let there = encounter.get("class").and_then(|class| class.text("code"));
    match (delivery, there) {
        (None, None) => Agreement::MissingInBoth,
        (None, Some(_)) => Agreement::MissingHere,
        (Some(_), None) => Agreement::MissingThere,
        (Some(delivery), Some(code)) if (delivery == Delivery::InPerson) == (code != "VR") => {
            Agreement::Agrees
        }
        _ => Agreement::Differs,
    }
}

/// Whether a SNOMED CT code of the type says psychotherapy. Types of an EHR's own say nothing either way.
fn psychotherapy(encounter: &Resource) -> Agreement {
    let codes: Vec<&str> = encounter
        .items("type")
        .flat_map(|kind| kind.items("coding"))
        .filter(|coding| coding.text("system") == Some("http://snomed.info/sct"))
        .filter_map(|coding| coding.text("code"))
        .collect();
    match codes.as_slice() {
        [] => Agreement::MissingThere,
        codes if codes.iter().any(|code| ["75516001", "443730003"].contains(code)) => {
            Agreement::Agrees
        }
        _ => Agreement::Differs,
    }
}

/// Whether the linked Practitioner took part.
fn seen_by(practitioner: Option<&ResourceId>, encounter: &Resource) -> Agreement {
    let individuals: Vec<&str> = encounter
        .items("participant")
        .filter_map(|participant| participant.get("individual")?.text("reference"))
        .filter_map(|text| text.rsplit_once("Practitioner/").map(|(_, id)| id))
        .collect();
    match (practitioner, individuals.as_slice()) {
        (None, []) => Agreement::MissingInBoth,
        (None, _) => Agreement::MissingHere,
        (Some(_), []) => Agreement::MissingThere,
        (Some(practitioner), individuals) if individuals.contains(&practitioner.id()) => {
            Agreement::Agrees
        }
        _ => Agreement::Differs,
    }
}
