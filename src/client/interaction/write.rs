//! create, update and transaction.
//!
//! An update names the version that it replaces, always: a PUT without If-Match overwrites whatever came between.
//! That a server honours it is not taken for granted (ehr-servers.md 7); the caller reads before and looks at the
//! status after.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue, IF_MATCH};

use super::super::answer::{any_place, flawed, version};
use super::super::error::Flaw;
use super::super::http::{Interaction, PREFER, Request};
use super::super::{Client, Created, EntryAnswer, Error, Unsent};
use crate::fhir::{Bundle, Entry, Resource, ResourceId};

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
        let version = version(if_match).ok_or(Error::NotSent(Unsent::Request))?;
        let url = self.base.resource(id, &[]);
        let request =
            Request::with_body(interaction, Method::PUT, resource_type, url, resource.to_text())
                .header(PREFER, REPRESENTATION)
                .header(IF_MATCH, header(&format!("W/\"{version}\""))?);
        self.http.send(request).await?.into_created(interaction, resource_type, Some(id))
    }

    /// Sends a transaction, or a batch, and returns the server's answer to each entry.
    ///
    /// Nothing is said here about how answers and entries belong together: servers leave entries out, put them in
    /// another order, and call what is no transaction one.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] also for an answer that is no Bundle.
    pub async fn transaction(&self, bundle: &Bundle) -> Result<Vec<EntryAnswer>, Error> {
        let interaction = Interaction::Transaction;
        let body = bundle.clone().into_resource().to_text();
        let request =
            Request::with_body(interaction, Method::POST, "Bundle", self.base.root(), body);
        let answer = self.http.send(request).await?.into_resource(interaction, "Bundle")?;
        let answer =
            Bundle::from_resource(answer).map_err(|_| flawed(interaction, Flaw::NotFhir))?;
        Ok(answer.entries.into_iter().map(entry_answer).collect())
    }
}

fn entry_answer(entry: Entry) -> EntryAnswer {
    let Some(response) = entry.response else { return EntryAnswer::default() };
    let (id, in_place) = response.location.as_deref().and_then(any_place).unzip();
    let etag = || response.etag.as_deref().and_then(version);
    EntryAnswer { status: response.code(), id, version: in_place.flatten().or_else(etag) }
}

fn header(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|_| Error::NotSent(Unsent::Request))
}
