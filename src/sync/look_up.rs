//! What the EHR holds of a record: one search per type by our identifiers, and a read by id where a search finds
//! nothing that should be there.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::client::{Error, Flaw, Versioned};
use crate::fhir::ResourceId;

use super::identity::{is_about, item_of, names_another, token};
use super::offer::LookUp;
use super::reading::repeated;
use super::report::{Progress, Stop};
use super::run::Run;

/// Identifiers in one search: each takes about 110 characters of the URL, and servers take 2,000 without complaint.
pub(super) const IDENTIFIERS: usize = 16;

impl Run<'_, '_> {
    /// Looks up every item that was touched since it was looked up last.
    pub(super) async fn look_up(&mut self) -> Result<(), Stop> {
        let mut by_type: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
        for item in std::mem::take(&mut self.stale) {
            self.found.insert(item, Vec::new());
            by_type.entry(self.type_of(item)).or_default().push(item);
        }
        for (resource_type, items) in by_type {
            let way = self.offer.look_up(&resource_type);
            if way != LookUp::Impossible {
                (self.progress)(Progress::LookingUp { resource_type: resource_type.clone() });
            }
            match way {
                LookUp::ByIdentifier => self.search_all(&resource_type, &items).await?,
                LookUp::ByPatient => self.list(&resource_type, &items).await?,
                LookUp::Impossible => {}
            }
            for item in &items {
                self.read_if_not_found(*item).await?;
            }
            self.read_acknowledged(&resource_type, &items).await?;
        }
        Ok(())
    }

    async fn search_all(&mut self, resource_type: &str, items: &[Uuid]) -> Result<(), Stop> {
        let mut chunks: Vec<&[Uuid]> = items.chunks(IDENTIFIERS).collect();
        while let Some(chunk) = chunks.pop() {
            match self.search(resource_type, chunk).await {
                // A server with short pages and without links to the next: less at once fits into one.
                Err(Stop::Server(Error::Incorrect(Flaw::Incomplete))) if chunk.len() > 1 => {
                    let (first, second) = chunk.split_at(chunk.len() / 2);
                    chunks.extend([second, first]);
                }
                searched => searched?,
            }
        }
        Ok(())
    }

    async fn search(&mut self, resource_type: &str, items: &[Uuid]) -> Result<(), Stop> {
        let list: Vec<String> = items.iter().copied().map(token).collect();
        let list = list.join(",");
        // Room for a second copy of each.
        let count = (2 * items.len()).max(20).to_string();
        let client = self.ehr.client;
        let parameters = [("identifier", list.as_str()), ("_count", count.as_str())];
        let matches = repeated(|| client.search(resource_type, &parameters)).await?;
        for versioned in matches {
            // What does not bear one of our identifiers was not asked for, whatever the server thinks.
            let item = item_of(&versioned.resource).filter(|item| items.contains(item));
            if let Some(item) = item {
                self.check_subject(&versioned)?;
                self.found.entry(item).or_default().push(versioned);
            } else if names_another(&versioned.resource, &self.link.patient, self.ehr.base_url) {
                // A server that passes over `identifier`, or a cache with somebody else's answer (W4, W6).
                return Err(Stop::ForeignMatch(versioned.id));
            }
        }
        Ok(())
    }

    /// Reads an item by its id, where one is known and the search did not find it.
    async fn read_if_not_found(&mut self, item: Uuid) -> Result<(), Stop> {
        let is_found = self.found.get(&item).is_some_and(|found| !found.is_empty());
        if is_found || !(self.is_in_record(item) || self.operations.contains_key(&item)) {
            return Ok(());
        }
        let known = self.shadows.get(&item).map(|shadow| shadow.id.clone());
        let Some(id) = known.as_ref().or_else(|| self.located.get(&item)).cloned() else {
            return Ok(());
        };
        let Some(versioned) = self.read(&id).await? else { return Ok(()) };
        if self.is_item(&versioned, item) {
            self.check_subject(&versioned)?;
            self.found.entry(item).or_default().push(versioned);
        } else if known.is_some() {
            return Err(Stop::Restored(id));
        }
        Ok(())
    }

    /// Reads what a transaction's answer said was made and the search did not find: it may not be in the index yet.
    /// Whose it is, it says itself; if it is another Patient's, the answer was another's, too (W4).
    async fn read_acknowledged(&mut self, resource_type: &str, items: &[Uuid]) -> Result<(), Stop> {
        let is_missing = |run: &Self, item: &Uuid| run.found.get(item).is_none_or(Vec::is_empty);
        let missing: Vec<Uuid> = items
            .iter()
            .copied()
            .filter(|item| is_missing(self, item) && self.operations.contains_key(item))
            .collect();
        let (mut vanished, mut is_nameless) = (Vec::new(), false);
        for id in self.unclaimed(resource_type) {
            match self.read(&id).await? {
                Some(versioned) => {
                    if names_another(&versioned.resource, &self.link.patient, self.ehr.base_url) {
                        return Err(Stop::WrongAnswer(versioned.id));
                    }
                    let item = item_of(&versioned.resource);
                    is_nameless |= item.is_none();
                    if let Some(item) = item.filter(|item| missing.contains(item)) {
                        self.check_subject(&versioned)?;
                        self.found.entry(item).or_default().push(versioned);
                    }
                }
                None => vanished.push(id),
            }
        }
        let missing: Vec<Uuid> =
            missing.into_iter().filter(|item| is_missing(self, item)).collect();
        if is_nameless && self.writer.is_some() {
            // Made, and our identifier dropped: sending it again would make another. Which it is nobody can say.
            for item in missing {
                self.taken_in(item).await?;
            }
        } else if missing.len() == vanished.len()
            && self.offer.look_up(resource_type) == LookUp::ByIdentifier
        {
            // All that is still missing was made and is gone: which stood where makes no difference any more.
            self.located.extend(missing.into_iter().zip(vanished));
        }
        Ok(())
    }

    /// Ids of a type that answers named as created, and of which nobody knows yet whose they are.
    fn unclaimed(&self, resource_type: &str) -> Vec<ResourceId> {
        let claimed: BTreeSet<&ResourceId> = self
            .found
            .values()
            .flatten()
            .map(|versioned| &versioned.id)
            .chain(self.shadows.values().map(|shadow| &shadow.id))
            .chain(self.located.values())
            .collect();
        let of_type = self.made.iter().filter(|id| id.resource_type() == resource_type);
        of_type.filter(|id| !claimed.contains(id)).cloned().collect()
    }

    /// The resource at an id now; nothing if there is none.
    pub(super) async fn read(&self, id: &ResourceId) -> Result<Option<Versioned>, Stop> {
        let client = self.ehr.client;
        match repeated(|| client.read(id)).await {
            Ok(versioned) => Ok(Some(versioned)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Stops at a resource with our identifier that is about somebody else (W6).
    pub(super) fn check_subject(&self, versioned: &Versioned) -> Result<(), Stop> {
        if is_about(&versioned.resource, &self.link.patient, self.ehr.base_url) {
            Ok(())
        } else {
            Err(Stop::WrongSubject(versioned.id.clone()))
        }
    }
}
