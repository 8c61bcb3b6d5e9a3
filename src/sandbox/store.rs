//! What the server holds: every version of every resource, in the order in which they were written.
//!
//! A write only ever adds a version at the end. So a refused transaction is undone by taking the last versions
//! off again ([`Store::roll_back`]), and a later page of a search sees the state of the first one ([`View`]).
//! Times enter from outside ([`Store::set_time`]). It decides nothing: what may be written is `interaction`'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::fhir::{Resource, ResourceId};
use crate::json::{Object, Value};
use crate::object;

/// The interaction that made a version, as `Bundle.entry.request.method` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// `POST`: a create; the server chose the id.
    Post,
    /// `PUT`: an update, or a create under the client's id.
    Put,
    /// `DELETE`: the version has no content.
    Delete,
}

impl Written {
    /// The HTTP verb.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One version of a resource.
#[derive(Debug, Clone)]
pub struct Version {
    /// `meta.versionId`: 1, 2, 3, …
    pub number: u64,
    /// `meta.lastUpdated`: later than that of every version written before, of any resource.
    pub last_updated: Timestamp,
    /// How it came to be.
    pub written: Written,
    /// The content with its `id` and `meta`; nothing if this version is a deletion.
    pub resource: Option<Arc<Resource>>,
    /// Whether there was no current content before it: a create, or a deleted resource brought back.
    pub created: bool,
    /// The number of the request that made it; none for the seed and for edits behind the clients' backs.
    pub request: Option<u64>,
    /// The place in the order of all writes, from 1.
    pub(super) revision: usize,
}

impl Version {
    /// The version's entity tag: `W/"1"`.
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.number)
    }
}

/// All versions of all resources.
#[derive(Debug, Default)]
pub(super) struct Store {
    chains: BTreeMap<ResourceId, Vec<Version>>,
    log: Vec<ResourceId>,
    now: Timestamp,
    last: Timestamp,
    request: Option<u64>,
}

impl Store {
    /// Sets the time of the writes that follow; they are nobody's until [`Store::set_request`] says whose.
    pub(super) const fn set_time(&mut self, now: Timestamp) {
        (self.now, self.request) = (now, None);
    }

    /// Sets the number of the request that makes the writes that follow.
    pub(super) const fn set_request(&mut self, number: u64) {
        self.request = Some(number);
    }

    /// The time of the writes that follow.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// How many versions have been written: the name of the present state.
    pub(super) const fn revision(&self) -> usize {
        self.log.len()
    }

    /// The versions of a resource, oldest first; none if there never was one.
    pub(super) fn chain(&self, id: &ResourceId) -> &[Version] {
        self.chains.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The newest version, be it content or a deletion.
    pub(super) fn newest(&self, id: &ResourceId) -> Option<&Version> {
        self.chain(id).last()
    }

    /// The newest version, if it has content.
    pub(super) fn current(&self, id: &ResourceId) -> Option<&Version> {
        self.newest(id).filter(|version| version.resource.is_some())
    }

    /// Every resource that has content, with its newest version.
    pub(super) fn all_current(&self) -> impl Iterator<Item = (&ResourceId, &Arc<Resource>)> {
        self.chains.iter().filter_map(|(id, chain)| Some((id, chain.last()?.resource.as_ref()?)))
    }

    /// The versions written after a revision, oldest first.
    pub(super) fn since(&self, revision: usize) -> impl Iterator<Item = (&ResourceId, &Version)> {
        let ids = self.log.get(revision..).unwrap_or_default();
        ids.iter().enumerate().filter_map(move |(index, id)| {
            let wanted = revision + index + 1;
            Some((id, self.chain(id).iter().rev().find(|version| version.revision == wanted)?))
        })
    }

    /// The state after a number of writes.
    pub(super) const fn view(&self, revision: usize) -> View<'_> {
        View { store: self, revision }
    }

    /// Adds a version; content gets its `id`, `meta.versionId` and `meta.lastUpdated`.
    pub(super) fn write(&mut self, id: &ResourceId, written: Written, content: Option<Resource>) {
        let tick = SignedDuration::from_micros(1);
        let next = self.last.checked_add(tick).unwrap_or(self.last);
        let now = Timestamp::from_microsecond(self.now.as_microsecond()).unwrap_or(self.now);
        self.restore(id, written, now.max(next), content);
    }

    /// Adds a version that was written at a known time (a snapshot's).
    pub(super) fn restore(
        &mut self,
        id: &ResourceId,
        written: Written,
        last_updated: Timestamp,
        content: Option<Resource>,
    ) {
        let chain = self.chains.entry(id.clone()).or_default();
        let number = chain.last().map_or(1, |version| version.number + 1);
        let created =
            content.is_some() && chain.last().is_none_or(|version| version.resource.is_none());
        let resource = content.map(|content| Arc::new(stamp(content, id, number, last_updated)));
        self.log.push(id.clone());
        let revision = self.log.len();
        let request = self.request;
        chain.push(Version { number, last_updated, written, resource, created, request, revision });
        self.last = last_updated;
    }

    /// Puts other content in the newest version of a resource: the end of a transaction resolves references.
    pub(super) fn amend(&mut self, id: &ResourceId, content: Resource) {
        if let Some(version) = self.chains.get_mut(id).and_then(|chain| chain.last_mut()) {
            let content = stamp(content, id, version.number, version.last_updated);
            version.resource = Some(Arc::new(content));
        }
    }

    /// Takes the last versions off again, at most so many, and none that is older than the last edit without a request.
    pub(super) fn lose(&mut self, most: usize) {
        let revision = self.revision();
        let view = self.view(revision);
        let lost =
            view.versions().take(most).take_while(|(_, version)| version.request.is_some()).count();
        self.roll_back(revision - lost);
    }

    /// Takes every version written after a revision off again.
    pub(super) fn roll_back(&mut self, revision: usize) {
        for id in self.log.drain(revision.min(self.log.len())..).rev() {
            if let Some(chain) = self.chains.get_mut(&id) {
                chain.pop();
                if chain.is_empty() {
                    self.chains.remove(&id);
                }
            }
        }
    }
}

/// The state as it was after a number of writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    store: &'a Store,
    /// The number of writes that it sees.
    pub(super) revision: usize,
}

impl<'a> View<'a> {
    /// The content of a resource, with its id as the store holds it.
    pub(super) fn find(&self, id: &ResourceId) -> Option<(&'a ResourceId, &'a Arc<Resource>)> {
        let (id, chain) = self.store.chains.get_key_value(id)?;
        Some((id, self.of_chain(chain)?))
    }

    /// The resources of a type that pass a test, in the order in which they were first written.
    pub(super) fn of_type(
        &self,
        resource_type: &str,
        test: impl Fn(&Resource) -> bool,
    ) -> Vec<(&'a ResourceId, &'a Arc<Resource>)> {
        // `-` is the least of the characters that an id may have.
        let Ok(first) = ResourceId::new(resource_type, "-") else { return Vec::new() };
        let mut found: Vec<_> = self
            .store
            .chains
            .range(first..)
            .take_while(|(id, _)| id.resource_type() == resource_type)
            .filter_map(|(id, chain)| Some((chain.first()?.revision, id, self.of_chain(chain)?)))
            .filter(|(_, _, resource)| test(resource))
            .collect();
        found.sort_by_key(|(revision, _, _)| *revision);
        found.into_iter().map(|(_, id, resource)| (id, resource)).collect()
    }

    /// Every version that it sees, newest first.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&'a ResourceId, &'a Version)> {
        let ids = self.store.log.get(..self.revision).unwrap_or_default();
        let store = self.store;
        ids.iter().enumerate().rev().filter_map(move |(index, id)| {
            let chain = store.chain(id);
            Some((id, chain.iter().rev().find(|version| version.revision == index + 1)?))
        })
    }

    fn of_chain(&self, chain: &'a [Version]) -> Option<&'a Arc<Resource>> {
        let seen = chain.iter().rev().find(|version| version.revision <= self.revision)?;
        seen.resource.as_ref()
    }
}

/// Content with `resourceType`, `id` and `meta` first, as servers write them.
///
/// The rest of `meta` (profile, security, tag) is the client's and stays.
fn stamp(content: Resource, id: &ResourceId, number: u64, last_updated: Timestamp) -> Resource {
    let mut meta = object! {
        "versionId" => number.to_string(),
        "lastUpdated" => instant(last_updated),
    };
    let mut elements = Object::new();
    let Value::Object(given) = content.into_value() else {
        return Resource::new(id.resource_type());
    };
    for (name, value) in given.into_members() {
        match (&*name, value) {
            ("resourceType" | "id", _) => {}
            ("meta", Value::Object(given)) => {
                for (name, value) in given.into_members() {
                    if meta.get(&name).is_none() {
                        meta.insert(name, value);
                    }
                }
            }
            (_, value) => elements.insert(name, value),
        }
    }
    Resource::new(id.resource_type())
        .with(object! { "id" => id.id(), "meta" => meta })
        .with(elements)
}

/// A time as FHIR's `instant`, in UTC with microseconds.
pub(super) fn instant(time: Timestamp) -> String {
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Resource {
        Resource::new("Flag").with(object! { "code" => object! { "text" => text } })
    }

    #[test]
    fn versions_count_up_and_times_never_stand_still() {
        let mut store = Store::default();
        let id: ResourceId = "Flag/a".parse().unwrap();
        for text in ["one", "two"] {
            store.write(&id, Written::Put, Some(note(text)));
        }
        store.write(&id, Written::Delete, None);
        store.write(&id, Written::Put, Some(note("three")));
        let chain = store.chain(&id);
        assert_eq!(chain.iter().map(|version| version.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(chain.windows(2).all(|pair| pair[0].last_updated < pair[1].last_updated));
        let created: Vec<bool> = chain.iter().map(|version| version.created).collect();
        assert_eq!(created, [true, false, false, true]);
        assert_eq!(store.current(&id).unwrap().resource.as_ref().unwrap().version_id(), Some("4"));
    }

    #[test]
    fn a_view_sees_what_was_and_a_roll_back_leaves_nothing() {
        let mut store = Store::default();
        let (a, b) = ("Flag/a".parse().unwrap(), "Flag/b".parse().unwrap());
        store.write(&b, Written::Put, Some(note("first")));
        let before = store.revision();
        store.write(&a, Written::Put, Some(note("second")));
        store.write(&b, Written::Delete, None);
        assert_eq!(store.view(before).of_type("Flag", |_| true).len(), 1);
        assert!(store.view(before).find(&b).is_some());
        assert!(store.current(&b).is_none());
        store.roll_back(before);
        assert!(store.newest(&a).is_none());
        assert_eq!(store.current(&b).unwrap().number, 1);
        assert_eq!(store.revision(), before);
    }
}
