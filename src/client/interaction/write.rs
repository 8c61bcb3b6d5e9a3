//! create, update, patch, delete, transaction and batch.
//!
//! An update names the version that it replaces, always: a PUT without If-Match overwrites whatever came between.
//! That a server honours it is not taken for granted (ehr-servers.md 7); the caller reads before and looks at the
//! status after.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, IF_MATCH};

use super::super::answer::{any_place, flawed, id_of, version};
use super::super::class::{self, Class, Codes};
use super::super::error::Flaw;
use super::super::http::{Interaction, JSON_PATCH, PREFER, Request};
use super::super::{Client, Created, Deleted, EntryAnswer, Error, Unsent};
use crate::fhir::{Bundle, Entry, Resource, ResourceId};
use crate::json::Value;

const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
const REPRESENTATION: HeaderValue = HeaderValue::from_static("return=representation");

impl Client {
    /// Creates a resource; with a condition, only where the server finds no match.
    ///
    /// The condition is a search without `?`, its values encoded: `identifier=urn%3Ax%7C1`. It stands in a header and
    /// in the server's log, so it may hold our opaque identifier only. A conditional create is not atomic on any
    /// server that was tried: two at once may both create.
    ///
    /// # Errors
    /// [`Error::Conflict`] with 412 if there is more than one match.
    pub async fn create(
        &self,
        resource: &Resource,
        if_none_exist: Option<&str>,
    ) -> Result<Created, Error> {
        let (interaction, resource_type) = (Interaction::Create, resource.resource_type());
        let url = self.base.below(&[resource_type]);
        let mut request =
            Request::with_body(interaction, Method::POST, resource_type, url, resource.to_text())
                .header(PREFER, REPRESENTATION);
        if let Some(condition) = if_none_exist {
            request = request.header(IF_NONE_EXIST, header(condition)?);
        }
        self.http.send(request).await?.into_created(interaction, resource_type, None)
    }

    /// Replaces a resource, if it is still at a version: `version` is its version id, without quotes.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is at another version; [`Error::NotSent`] if the body has another id or type, or the
    /// version is none that FHIR allows.
    pub async fn update(
        &self,
        id: &ResourceId,
        resource: &Resource,
        if_match: &str,
    ) -> Result<Created, Error> {
        let (interaction, resource_type) = (Interaction::Update, id.resource_type());
        if resource.resource_type() != resource_type || resource.id() != Some(id.id()) {
            return Err(Error::NotSent(Unsent::Request));
        }
        let url = self.base.resource(id, &[]);
        let request =
            Request::with_body(interaction, Method::PUT, resource_type, url, resource.to_text())
                .header(PREFER, REPRESENTATION)
                .header(IF_MATCH, entity_tag(if_match)?);
        self.http.send(request).await?.into_created(interaction, resource_type, Some(id))
    }

    /// Changes elements of a resource by a JSON Patch (RFC 6902), if it is still at a version.
    ///
    /// # Errors
    /// Those of [`Client::update`]; [`Error::NotSent`] also if the patch is no array of operations, or an empty one.
    pub async fn patch(
        &self,
        id: &ResourceId,
        patch: &Value,
        if_match: &str,
    ) -> Result<Created, Error> {
        let (interaction, resource_type) = (Interaction::Patch, id.resource_type());
        let steps = patch.as_array().unwrap_or_default();
        if steps.is_empty() || !steps.iter().all(is_patch_step) {
            return Err(Error::NotSent(Unsent::Request));
        }
        let url = self.base.resource(id, &[]);
        let request =
            Request::with_body(interaction, Method::PATCH, resource_type, url, patch.to_text())
                .header(CONTENT_TYPE, JSON_PATCH)
                .header(PREFER, REPRESENTATION)
                .header(IF_MATCH, entity_tag(if_match)?);
        self.http.send(request).await?.into_created(interaction, resource_type, Some(id))
    }

    /// Deletes a resource; with a version, only if it is still at that, as far as the server minds it: HAPI and sekmet
    /// delete all the same (ehr-servers.md 7), so the caller reads before.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the server says that it was gone already (most answer success again);
    /// [`Error::Conflict`] if it is at another version, or something refers to it.
    pub async fn delete(&self, id: &ResourceId, if_match: Option<&str>) -> Result<Deleted, Error> {
        let mut request = Request::delete(id.resource_type(), self.base.resource(id, &[]));
        if let Some(version) = if_match {
            request = request.header(IF_MATCH, entity_tag(version)?);
        }
        let answer = self.http.send(request).await?;
        let status = answer.status;
        Ok(Deleted { status, version: answer.into_acknowledgement(Interaction::Delete)? })
    }

    /// Sends a transaction, or a batch, and returns the server's answer to each entry.
    ///
    /// Nothing is said here about how answers and entries belong together: servers leave entries out, put them in
    /// another order, and call what is no transaction one.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] also for an answer that is no Bundle; [`Error::Conflict`] also where only the text of a
    /// refusal tells of one.
    pub async fn transaction(&self, bundle: &Bundle) -> Result<Vec<EntryAnswer>, Error> {
        match bundle.kind.as_str() {
            "batch" => self.bundle(Interaction::Batch, bundle).await,
            _ => self.bundle(Interaction::Transaction, bundle).await,
        }
    }

    /// Sends a batch, each entry of which succeeds or fails for itself. One of GETs alone is a read: whatever becomes of
    /// it, it may be repeated. What each GET asked for is in its answer's `resource`; a search answers with a Bundle.
    ///
    /// # Errors
    /// [`Error::NotSent`] if it is no batch; else those of a transaction, and for GETs alone those of a read.
    pub async fn batch(&self, bundle: &Bundle) -> Result<Vec<EntryAnswer>, Error> {
        let is_read =
            |entry: &Entry| entry.request.as_ref().is_some_and(|request| request.method == "GET");
        if bundle.kind != "batch" {
            return Err(Error::NotSent(Unsent::Request));
        }
        let reads = bundle.entries.iter().all(is_read);
        self.bundle(if reads { Interaction::BatchOfReads } else { Interaction::Batch }, bundle)
            .await
    }

    async fn bundle(
        &self,
        interaction: Interaction,
        bundle: &Bundle,
    ) -> Result<Vec<EntryAnswer>, Error> {
        let body = bundle.clone().into_resource().to_text();
        let request =
            Request::with_body(interaction, Method::POST, "Bundle", self.base.root(), body);
        let answer = self.http.send(request).await?;
        let is_taken_in = answer.status == 202;
        let answer = match answer.into_resource(interaction, "Bundle") {
            // Taken in as a whole, to be decided on later.
            Err(_) if is_taken_in => {
                let class = Some(Class::Mediated);
                return Ok(vec![EntryAnswer {
                    status: Some(202),
                    class,
                    ..EntryAnswer::default()
                }]);
            }
            answer => answer?,
        };
        let answer =
            Bundle::from_resource(answer).map_err(|_| flawed(interaction, Flaw::NotFhir))?;
        if !matches!(answer.kind.as_str(), "" | "transaction-response" | "batch-response") {
            return Err(flawed(interaction, Flaw::OtherType));
        }
        let codes = self.http.codes();
        Ok(answer.entries.into_iter().map(|entry| entry_answer(entry, codes)).collect())
    }
}

fn entry_answer(entry: Entry, codes: &Codes) -> EntryAnswer {
    let Entry { resource, response, .. } = entry;
    let (told, resource) = match resource {
        Some(found) if found.resource_type() == "OperationOutcome" => (Some(found), None),
        other => (None, other),
    };
    let Some(response) = response else {
        return EntryAnswer {
            id: resource.as_ref().and_then(id_of),
            resource,
            ..EntryAnswer::default()
        };
    };
    let status = response.code();
    let (place, in_place) = response.location.as_deref().and_then(any_place).unzip();
    let etag = || response.etag.as_deref().and_then(version);
    let in_body = || resource.as_ref().and_then(Resource::version_id).and_then(version);
    // Where both tell and differ, nobody knows what the answer is about.
    let body_id = resource.as_ref().and_then(id_of);
    let agrees = place.is_none() || body_id.is_none() || place == body_id;
    let class = class::of_entry(status, response.outcome.as_ref().or(told.as_ref()), codes);
    EntryAnswer {
        status,
        version: in_place.flatten().or_else(etag).or_else(in_body).filter(|_| agrees),
        id: place.or(body_id).filter(|_| agrees),
        resource,
        class,
    }
}

/// Whether a value has the form of a step of a JSON Patch.
fn is_patch_step(step: &Value) -> bool {
    let op = step.text("op").unwrap_or_default();
    let is_pointer = |path: &str| path.is_empty() || path.starts_with('/');
    matches!(op, "add" | "remove" | "replace" | "move" | "copy" | "test")
        && step.text("path").is_some_and(is_pointer)
}

/// A version id as If-Match wants it.
fn entity_tag(version_id: &str) -> Result<HeaderValue, Error> {
    let version = version(version_id).ok_or(Error::NotSent(Unsent::Request))?;
    header(&format!("W/\"{version}\""))
}

fn header(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|_| Error::NotSent(Unsent::Request))
}
