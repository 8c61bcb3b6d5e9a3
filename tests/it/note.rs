//! Notes: every sentence of what is granted, no byte of what is not, the same in each form and at each time; and as
//! DocumentReferences in each shape.

mod content;
mod reference;

use ipt_fhir::ipt::{Document, Plan, document};
use ipt_fhir::mapping::note::{Edition, MediaType, Note, notes};
use ipt_fhir::mapping::{Options, Policy};

use uuid::Uuid;

use crate::support::{record, record_names, shared};

/// The first edition of any note: only what is resolved against a chart minds whose it is.
pub(crate) fn first() -> Edition {
    Edition::first(Uuid::nil(), "2026-04-01T12:00:00Z".parse().unwrap())
}

fn options(policy: Policy) -> Options {
    Options { policy, ..Options::default() }
}

/// A plan with one held session.
fn in_treatment() -> Plan {
    let mut plan = record("john-lee-in-treatment.json").plan;
    plan.sessions.retain(|session| session.id == "session-5");
    plan
}

fn text(note: &Note) -> String {
    String::from_utf8(note.render(&first(), MediaType::Text).unwrap()).unwrap()
}

fn html(note: &Note) -> String {
    String::from_utf8(note.render(&first(), MediaType::Html).unwrap()).unwrap()
}

/// The records of the fixtures, and the canonical samples where they are.
fn records() -> Vec<(String, Document)> {
    let mut records: Vec<_> =
        record_names().into_iter().map(|name| (name.clone(), record(&name))).collect();
    for name in ["john-lee-ipt", "john-lee-in-treatment", "sara-dit"] {
        if let Some(bytes) = shared(&format!("examples/{name}.ipt.json")) {
            records.push((name.to_owned(), document::parse(&bytes).unwrap()));
        }
    }
    records
}

#[test]
fn a_plan_has_a_note_and_so_has_each_session_that_was_held_or_missed() {
    let notes = notes(&in_treatment(), &options(Policy::minimum()));
    assert_eq!(notes.len(), 2, "the plan and its one held session");
    let slots: std::collections::BTreeSet<_> = notes.iter().map(|note| note.slot).collect();
    assert_eq!(slots.len(), 2);
    // Whoever changes this value orphans every note that was ever written.
    assert_eq!(notes[0].slot.to_string(), "d7a244f6-c0d8-5eb7-8758-98590802ec65");
}
