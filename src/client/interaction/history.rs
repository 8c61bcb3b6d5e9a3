//! history-instance: what became of one resource, version by version.

use super::super::answer::{place, version, versioned};
use super::super::error::Flaw;
use super::super::http::{Interaction, Request};
use super::super::{Client, Error, HistoryEntry};
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
