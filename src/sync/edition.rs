//! Which edition of a note stands in the chart, and which one is to.
//!
//! A note has a place of its own (its slot) and editions, numbered from 1. Whether a new one is due is told by what the
//! notes say, and by nothing else: a revision that changes no word sends nothing. How it takes the place of the one
//! before is the server's affair ([`Succession`]); where nothing can be replaced, the new one says so in its first line
//! and the old one stays. An edition whose outcome is open is never given another text: a newer one waits behind it.
//!
//! Everything is read from the ledger and from the record; the one thing that comes from the clock, the date of a new
//! edition, is kept with it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::fhir::Resource;
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
        Some(Sent { item, local, is_open: operation.is_some(), has_version })
    };
    (1..=u32::MAX).map_while(edition).collect()
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

/// Which edition is due.
pub(super) fn due(note: &Note, sent: &[Sent], succession: Succession, now: jiff::Timestamp) -> Due {
    let Some(last) = sent.last() else {
        let first = Edition::first(note.slot, now);
        return if note.is_in_error { Due::Nothing } else { Due::Write(first) };
    };
    let told = footer_of(&last.local);
    let number = told.as_ref().map_or(1, |footer| footer.number);
    let same = Edition {
        item: last.item,
        number,
        date: date(&last.local).unwrap_or(now),
        // The digest is of what the record says, not of what the note replaces.
        replaces: None,
    };
    let says_the_same = told.is_some_and(|footer| footer.digest == note.digest(&same))
        && last.local.text("status").is_none_or(|status| status != "current") == note.is_in_error;
    if says_the_same || last.is_open {
        return Due::Stands(last.item, last.local.clone());
    }
    let in_place = succession == Succession::Update && last.has_version;
    let number = number.saturating_add(1);
    Due::Write(match in_place {
        true => Edition { item: last.item, number, date: now, replaces: None },
        false => {
            let place = u32::try_from(sent.len()).unwrap_or(u32::MAX).saturating_add(1);
            let item = edition_item(note.slot, place);
            let before = Predecessor { item: last.item, date: date(&last.local).unwrap_or(now) };
            Edition { item, number, date: now, replaces: Some(before) }
        }
    })
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
