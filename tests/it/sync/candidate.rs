//! How sessions compare with Encounters: across midnight, time zones and half-known times.

use ipt_fhir::fhir::Resource;
use ipt_fhir::fhir::patient::Agreement::{self, Agrees, Differs, MissingHere, MissingThere};
use ipt_fhir::ipt::{Document, document};
use ipt_fhir::sync::candidate::compare_encounter;

use crate::support::fixture;

/// The record with other times of its session 4.
fn record(start: &str, end: &str) -> Document {
    let text = String::from_utf8(fixture("ipt/john-lee-in-treatment.json")).unwrap();
    let there =
        ["\"start\": \"2026-02-23T10:00:00-05:00\",", "\"end\": \"2026-02-23T10:50:00-05:00\","];
    let now = [("start", start), ("end", end)].map(|(name, time)| match time {
        "" => String::new(),
        time => format!("\"{name}\": \"{time}\","),
    });
    assert!(there.iter().all(|line| text.contains(line)));
    let text = text.replace(there[0], &now[0]).replace(there[1], &now[1]);
    document::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{:#?}", error.issues()))
}

/// How time and day compare with an Encounter of this status and period.
fn compared(record: &Document, status: &str, period: &str) -> (Agreement, Agreement) {
    let text =
        format!(r#"{{"resourceType":"Encounter","status":"{status}","period":{{{period}}}}}"#);
    let encounter = Resource::parse(text.as_bytes()).unwrap();
    let session = &record.plan.sessions[0];
    let compared = compare_encounter(&record.plan, session, &encounter, None);
    let of = |name: &str| compared.iter().find(|(one, _)| *one == name).unwrap().1;
    (of("time"), of("day"))
}

#[test]
fn moments_are_compared_and_days_are_those_of_the_session() {
    // Late in the evening in New York: the next day in UTC.
    let late = record("2026-03-02T23:30:00-05:00", "2026-03-03T00:20:00-05:00");
    for (status, period, expected) in [
        (
            "finished",
            r#""start":"2026-03-03T04:30:00Z","end":"2026-03-03T05:20:00Z""#,
            (Agrees, Agrees),
        ),
        (
            "finished",
            r#""start":"2026-03-03T13:30:00+09:00","end":"2026-03-03T14:20:00+09:00""#,
            (Agrees, Agrees),
        ),
        // The same digits in another zone are another time, and here another day.
        (
            "finished",
            r#""start":"2026-03-02T23:30:00Z","end":"2026-03-03T00:20:00Z""#,
            (Differs, Agrees),
        ),
        (
            "finished",
            r#""start":"2026-03-03T23:30:00Z","end":"2026-03-04T00:20:00Z""#,
            (Differs, Differs),
        ),
        // It begins when the other ends.
        (
            "finished",
            r#""start":"2026-03-03T05:20:00Z","end":"2026-03-03T06:00:00Z""#,
            (Differs, Differs),
        ),
        (
            "finished",
            r#""start":"2026-03-03T05:19:59Z","end":"2026-03-03T06:00:00Z""#,
            (Agrees, Differs),
        ),
        (
            "finished",
            r#""start":"2026-03-03T03:00:00Z","end":"2026-03-03T04:30:00Z""#,
            (Differs, Agrees),
        ),
        (
            "finished",
            r#""start":"2026-03-03T03:00:00Z","end":"2026-03-03T04:30:01Z""#,
            (Agrees, Agrees),
        ),
        // Days without a time, and a stay.
        ("finished", r#""start":"2026-03-02""#, (MissingThere, Agrees)),
        ("finished", r#""start":"2026-03-03""#, (MissingThere, Differs)),
        ("finished", r#""start":"2026-03""#, (MissingThere, Agrees)),
        ("finished", r#""start":"2026-03-01","end":"2026-03-09""#, (MissingThere, Agrees)),
        ("in-progress", r#""start":"2026-02-01T10:00:00Z""#, (Agrees, Agrees)),
        ("in-progress", r#""start":"2026-03-09T10:00:00Z""#, (Differs, Differs)),
        // Finished, and nobody wrote down when.
        ("finished", r#""start":"2026-02-01T10:00:00Z""#, (Differs, Differs)),
        ("finished", r#""start":"2026-03-03T04:30:00Z""#, (Agrees, Agrees)),
        // Backwards, empty, nonsense.
        (
            "finished",
            r#""start":"2026-03-03T04:30:00Z","end":"2026-03-01T00:00:00Z""#,
            (Agrees, Agrees),
        ),
        ("finished", r#""end":"2026-03-03T05:20:00Z""#, (MissingThere, MissingThere)),
        ("finished", r#""start":"yesterday""#, (MissingThere, MissingThere)),
        ("finished", r#""start":"9999-12-01T00:00:00Z""#, (Differs, Differs)),
    ] {
        assert_eq!(compared(&late, status, period), expected, "{status} {period}");
    }
}

#[test]
fn a_session_of_which_less_is_known_compares_as_far_as_it_goes() {
    let there = r#""start":"2026-03-02T10:20:00Z","end":"2026-03-02T11:00:00Z""#;
    let open_end = record("2026-03-02T10:30:00Z", "");
    assert_eq!(compared(&open_end, "finished", there), (Agrees, Agrees));
    let point = record("2026-03-02T11:00:00Z", "");
    assert_eq!(compared(&point, "finished", there), (Differs, Agrees));
    // The clocks of two offsets in one week: the day is that on the session's own wall.
    let east = record("2026-03-03T00:10:00+14:00", "2026-03-03T01:00:00+14:00");
    let same = r#""start":"2026-03-02T10:10:00Z","end":"2026-03-02T11:00:00Z""#;
    assert_eq!(compared(&east, "finished", same), (Agrees, Agrees));
    let text = String::from_utf8(fixture("ipt/john-lee-in-treatment.json")).unwrap();
    let mut undated = document::parse(text.as_bytes()).unwrap();
    undated.plan.sessions[0].start = None;
    undated.plan.sessions[0].end = None;
    assert_eq!(compared(&undated, "finished", there), (MissingHere, MissingHere));
}
