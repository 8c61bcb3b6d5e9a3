//! What the EHR holds of a record: one search per type by our identifiers, and a read by id where a search finds
//! nothing that should be there.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::client::{Error, Versioned};
use crate::fhir::ResourceId;

use super::identity::{is_about, item_of, token};
use super::reading::repeated;
use super::report::{Progress, Stop};
use super::run::Run;

/// Identifiers in one search: each takes about 110 characters of the URL, and servers take 2,000 without complaint.
const IDENTIFIERS: usize = 16;

impl Run<'_, '_> {
    /// Looks up every item that was touched since it was looked up last.
    pub(super) async fn look_up(&mut self) -> Result<(), Stop> {
        let mut by_type: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
        for item in std::mem::take(&mut self.stale) {
            self.found.insert(item, Vec::new());
            by_type.entry(self.type_of(item)).or_default().push(item);
        }
        for (resource_type, items) in by_type {
            if self.capability.searches(&resource_type, "identifier") {
                (self.progress)(Progress::LookingUp { resource_type: resource_type.clone() });
                for chunk in items.chunks(IDENTIFIERS) {
                    self.search(&resource_type, chunk).await?;
                }
            }
            for item in items {
                self.read_if_not_found(item).await?;
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
        if item_of(&versioned.resource) == Some(item) {
            self.check_subject(&versioned)?;
            self.found.entry(item).or_default().push(versioned);
        } else if known.is_some() {
            return Err(Stop::Restored(id));
        }
        Ok(())
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
