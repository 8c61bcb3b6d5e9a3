//! Which edition of a note stands in the chart, and which one is to.
//!
//! A note has a place of its own (its slot) and editions, numbered from 1. Whether a new one is due is told by what the
//! notes say, and by nothing else: a revision that changes no word sends nothing. How it takes the place of the one
//! before is the server's affair ([`Succession`]); where nothing can be replaced, the new one says so in its first line
//! and the old one stays. An edition whose outcome is open is never given another text: a newer one waits behind it.
//!
//! Everything is read from the ledger and from the record; the one thing that comes from the clock, the date of a new
//! edition, is kept with it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::fhir::Resource;
use crate::json::{Object, Value};
use crate::mapping::note::{
    Edition, FooterReference, Note, Predecessor, edition_item, footer_reference,
};
use crate::store::{Operation, Shadow};

/// How a changed note takes the place of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Succession {
    /// The one resource is updated.
    Update,
    /// A new resource refers to the old one by `relatesTo`.
    Replaces,
    /// A new resource says in its first line what it replaces.
    Announced,
}

/// An edition that was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Its item.
    pub(super) item: Uuid,
    /// What was said.
    pub(super) local: Resource,
    /// Its number.
    pub(super) number: u32,
    /// Whether its outcome is open.
    pub(super) is_open: bool,
    /// Whether the EHR told a version of it.
    pub(super) has_version: bool,
}

/// The editions of a note that were sent, the oldest first.
pub(super) fn sent(
    slot: Uuid,
    shadows: &BTreeMap<Uuid, Shadow>,
    operations: &BTreeMap<Uuid, Operation>,
) -> Vec<Sent> {
    let edition = |number| {
        let item = edition_item(slot, number);
        let (shadow, operation) = (shadows.get(&item), operations.get(&item));
        let agreed = shadow.map(|shadow| shadow.local.as_ref().unwrap_or(&shadow.base));
        let local = operation.map(|operation| &operation.local).or(agreed)?.clone();
        let has_version = shadow.is_some_and(|shadow| shadow.base_version.is_some());
        let number = footer_of(&local).map_or(number, |footer| footer.number.max(number));
        Some(Sent { item, local, number, is_open: operation.is_some(), has_version })
    };
    // The place of an edition is its number; one that was written over others took theirs.
    let first = edition(1);
    std::iter::successors(first, |last| edition(last.number.saturating_add(1))).collect()
}

/// What is to become of a note.
#[derive(Debug)]
pub(super) enum Due {
    /// The last edition says what the record says, or is on its way: this is its item, and what was said.
    Stands(Uuid, Resource),
    /// This edition is to be written.
    Write(Edition),
    /// Nothing was sent, and nothing is to be.
    Nothing,
}

/// How a note would be written now, beside what it says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// How an edition takes the place of the one before.
    pub(super) succession: Succession,
    /// Whether what was filed can be updated at all.
    pub(super) updates: bool,
    /// The visits that a person has linked now: a note in another one is in the wrong one.
    pub(super) visits: &'a BTreeSet<String>,
    /// When the run began.
    pub(super) now: jiff::Timestamp,
}

/// Which edition is due.
pub(super) fn due(note: &Note, sent: &[Sent], terms: Terms<'_>) -> Due {
    let now = terms.now;
    let Some(last) = sent.last() else {
        let first = Edition::first(note.slot, now);
        return if note.is_in_error { Due::Nothing } else { Due::Write(first) };
    };
    let same = Edition {
        item: last.item,
        number: last.number,
        date: date(&last.local).unwrap_or(now),
        // The digest is of what the record says, not of what the note replaces.
        replaces: None,
    };
    let told = footer_of(&last.local);
    let is_current = last.local.text("status").is_none_or(|status| status == "current");
    let says_the_same = told.is_some_and(|footer| footer.digest == note.digest(&same))
        && is_current != note.is_in_error
        && (terms.succession == Succession::Announced || has_labels(&last.local, note));
    let is_misfiled = visits(&last.local).any(|visit| !terms.visits.contains(visit));
    if (says_the_same && !is_misfiled) || last.is_open {
        return Due::Stands(last.item, last.local.clone());
    }
    let number = last.number.saturating_add(1);
    // What was recorded by mistake is taken back where it stands, if that can be; a visit can't be changed there.
    let in_place = (terms.succession == Succession::Update || (note.is_in_error && terms.updates))
        && last.has_version
        && !is_misfiled;
    if in_place {
        return Due::Write(Edition { item: last.item, number, date: now, replaces: None });
    }
    let item = edition_item(note.slot, number);
    let before = Predecessor { item: last.item, date: date(&last.local).unwrap_or(now) };
    Due::Write(Edition { item, number, date: now, replaces: Some(before) })
}

/// The visits of the EHR in which an edition stands.
fn visits(local: &Resource) -> impl Iterator<Item = &str> {
    let encounters =
        local.get("context").into_iter().flat_map(|context| context.items("encounter"));
    let references = encounters.filter_map(|encounter| encounter.text("reference"));
    references.filter(|reference| reference.starts_with("Encounter/"))
}

/// Whether an edition bears the labels that the note has now.
fn has_labels(local: &Resource, note: &Note) -> bool {
    let borne = local.get("meta").into_iter().flat_map(|meta| meta.items("security"));
    let borne: Vec<&Object> = borne.filter_map(Value::as_object).collect();
    note.labels().iter().all(|label| borne.contains(&label))
}

/// When an edition was written, as it says.
fn date(local: &Resource) -> Option<jiff::Timestamp> {
    local.text("date")?.parse().ok()
}

/// Our reference in the footer of what is attached inline.
pub(super) fn footer_of(resource: &Resource) -> Option<FooterReference> {
    let mut contents = resource.items("content").filter_map(|content| content.get("attachment"));
    contents
        .find_map(|attachment| footer_reference(&STANDARD.decode(attachment.text("data")?).ok()?))
}
