//! history: what became of one resource, of all of a type, or of all there are, version by version.

use super::super::answer::{any_place, place, version, versioned};
use super::super::error::Flaw;
use super::super::http::{Interaction, Request};
use super::super::{Client, Error, HistoryEntry, Unsent};
use crate::fhir::resource::is_resource_type;
use crate::fhir::{Entry, ResourceId};

impl Client {
    /// All versions of a resource that the server still has, newest first as FHIR orders them (R4 3.1.0.14).
    ///
    /// # Errors
    /// Those of a search; [`Error::Incorrect`] if a version belongs to another resource.
    pub async fn history(&self, id: &ResourceId) -> Result<Vec<HistoryEntry>, Error> {
        let interaction = Interaction::HistoryInstance;
        let url = self.base.resource(id, &["_history"]);
        let request = Request::get(interaction, id.resource_type(), url);
        let mut history = Vec::new();
        self.pages(request, &[], |page| {
            for entry in page.entries {
                history.push(history_entry(entry, id)?);
            }
            Ok(())
        })
        .await?;
        Ok(history)
    }

    /// What changed among the resources of a type, newest first, each with whose version it is; since a moment of the
    /// server's clock (R4 `instant`), or since ever.
    ///
    /// # Errors
    /// Those of [`Client::history`]; [`Flaw::NoId`] if an entry does not tell whose it is, [`Flaw::OtherType`] if it is
    /// another type's; [`Error::NotSent`] if the type is none.
    pub async fn history_of_type(
        &self,
        resource_type: &str,
        since: Option<&str>,
    ) -> Result<Vec<(ResourceId, HistoryEntry)>, Error> {
        if !is_resource_type(resource_type) {
            return Err(Error::NotSent(Unsent::Request));
        }
        let url = self.base.below(&[resource_type, "_history"]);
        let parameters: Vec<_> = since.map(|since| ("_since", since)).into_iter().collect();
        let url = url.with_query(&parameters);
        self.changes(Request::get(Interaction::HistoryType, resource_type, url)).await
    }

    /// What changed among all resources of the server; the same as [`Client::history_of_type`].
    ///
    /// # Errors
    /// Those of [`Client::history_of_type`].
    pub async fn history_of_all(
        &self,
        since: Option<&str>,
    ) -> Result<Vec<(ResourceId, HistoryEntry)>, Error> {
        let parameters: Vec<_> = since.map(|since| ("_since", since)).into_iter().collect();
        let url = self.base.below(&["_history"]).with_query(&parameters);
        self.changes(Request::get(Interaction::HistorySystem, ANY_TYPE, url)).await
    }

    async fn changes(
        &self,
        request: Request<'_>,
    ) -> Result<Vec<(ResourceId, HistoryEntry)>, Error> {
        let wanted = request.resource_type.to_owned();
        let mut changes = Vec::new();
        self.pages(request, &[], |page| {
            for entry in page.entries {
                let id = whose(&entry).ok_or(Error::Incorrect(Flaw::NoId))?;
                if wanted != ANY_TYPE && wanted != id.resource_type() {
                    return Err(Error::Incorrect(Flaw::OtherType));
                }
                let version = history_entry(entry, &id)?;
                changes.push((id, version));
            }
            Ok(())
        })
        .await?;
        Ok(changes)
    }
}

/// What stands for a resource type where all are asked for.
const ANY_TYPE: &str = "-";

/// Whose version an entry is: the resource tells, or for a deletion one of its URLs. They are read, never fetched.
fn whose(entry: &Entry) -> Option<ResourceId> {
    if let Some(resource) = &entry.resource {
        return ResourceId::new(resource.resource_type(), resource.id()?).ok();
    }
    let in_response = entry.response.as_ref().and_then(|response| response.location.as_deref());
    let in_request = entry.request.as_ref().map(|request| request.url.as_str());
    let urls = [in_request, in_response, entry.full_url.as_deref()];
    urls.into_iter().flatten().find_map(|url| any_place(url).map(|(id, _)| id))
}

fn history_entry(entry: Entry, id: &ResourceId) -> Result<HistoryEntry, Error> {
    let Entry { resource, request, response, .. } = entry;
    let versioned = match resource {
        Some(resource) => Some(versioned(resource).ok_or(Error::Incorrect(Flaw::NoId))?),
        None => None,
    };
    if versioned.as_ref().is_some_and(|found| found.id != *id) {
        return Err(Error::Incorrect(Flaw::OtherResource));
    }
    let (method, url) = request.map(|request| (request.method, request.url)).unwrap_or_default();
    let (etag, location) =
        response.map(|response| (response.etag, response.location)).unwrap_or_default();
    let in_url = |text: &str| place(text, id.resource_type()).and_then(|(_, version)| version);
    let version = versioned
        .as_ref()
        .and_then(|found| found.version.clone())
        .or_else(|| etag.as_deref().and_then(version))
        .or_else(|| location.as_deref().and_then(in_url))
        .or_else(|| in_url(&url));
    Ok(HistoryEntry { method, version, versioned })
}
