//! The decision for one resource.

use crate::fhir::Resource;

use super::change::{Change, changes, with_change};
use super::normalise::{canonical, same_content};

/// What is known of a resource that record and EHR share.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The body on which both agreed last: the version that our own write made.
    pub base: &'a Resource,
    /// Its version id, where the server has versions.
    pub base_version: Option<&'a str>,
    /// What the record said then. Nothing if the base was found, not written: then whatever the record says is new.
    pub last_local: Option<&'a Resource>,
    /// What the EHR holds now; nothing if it is gone there.
    pub remote: Option<&'a Resource>,
    /// The version id of that.
    pub remote_version: Option<&'a str>,
}

/// What to do with one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The EHR does not have it: create it.
    Create,
    /// Nothing changed on either side.
    Unchanged,
    /// Nothing to write, but what the EHR holds now is the new base: only its version moved, or both sides came to
    /// say the same.
    Agree,
    /// Only the record changed: replace the base by this body.
    Update(Resource),
    /// Only the EHR changed: show it, write nothing.
    RemoteChanged(Vec<Change>),
    /// Both changed: a person decides.
    Conflict {
        /// What the record changed.
        ours: Vec<Change>,
        /// What the EHR changed.
        theirs: Vec<Change>,
    },
    /// It was there and is gone: a person decides; it is never created again by itself.
    Gone,
    /// The record does not hold it any more. It stays in the EHR until a person removes it.
    NotInRecord,
}

/// What to do with a resource, given what the record says now and what is known of the EHR's.
///
/// `local` and `last_local` must name other resources as the EHR names them, else each looks changed.
pub fn decide(local: Option<&Resource>, known: Option<&Known<'_>>) -> Step {
    match (local, known) {
        (Some(_), None) => Step::Create,
        (None, _) => Step::NotInRecord,
        (Some(local), Some(known)) => match known.remote {
            None => Step::Gone,
            Some(remote) => reconcile(local, known, remote),
        },
    }
}

fn reconcile(local: &Resource, known: &Known<'_>, remote: &Resource) -> Step {
    let local_changed = known.last_local.is_none_or(|last| canonical(last) != canonical(local));
    // By content also where the version is the same: a server restored from a backup counts from there again.
    let remote_changed = !same_content(known.base, remote);
    let wanted = local_changed.then(|| with_change(known.base, known.last_local, local));
    match (wanted, remote_changed) {
        (None, false) if known.base_version == known.remote_version => Step::Unchanged,
        (None, false) => Step::Agree,
        (None, true) => Step::RemoteChanged(changes(known.base, remote)),
        (Some(wanted), false) if canonical(&wanted) == canonical(known.base) => Step::Agree,
        (Some(wanted), false) => Step::Update(wanted),
        (Some(wanted), true) if same_content(&wanted, remote) => Step::Agree,
        (Some(wanted), true) => Step::Conflict {
            ours: changes(known.base, &wanted),
            theirs: changes(known.base, remote),
        },
    }
}
