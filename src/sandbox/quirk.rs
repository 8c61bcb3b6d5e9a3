//! Where real servers leave the specification, each as it was measured or reported (ehr-servers.md).
//!
//! The default is a server that does not. With a quirk the answer is bent after it was made, or a check is left out
//! where it would be made; the interactions themselves stay right, so that two quirks together are no third one.

use std::sync::Arc;

use uuid::Uuid;

use crate::fhir::{Bundle, Resource, ResourceId};
use crate::json::Value;

use super::answer::{Answer, Refusal};
use super::interaction::{Method, Request};

/// What a server does otherwise than R4 says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a server")]
pub struct Quirks {
    /// `If-Match` is not looked at: an update replaces whatever is there (OpenEMR).
    pub ignores_if_match: bool,
    /// `Prefer: handling=strict` is not looked at: unknown parameters are dropped (sekmet on some types).
    pub ignores_strict: bool,
    /// A create is answered without `Location`, `ETag` and body.
    pub tells_no_place: bool,
    /// Searches and histories have no `total` (helios-hfs).
    pub tells_no_total: bool,
    /// Pages have no links, neither to themselves nor to the next one (Medplum).
    pub gives_no_links: bool,
    /// No page has more entries than this, whatever the client asks for.
    pub longest_page: Option<usize>,
    /// A read of what was deleted is a 404 (Medplum).
    pub forgets_deletions: bool,
    /// The entries of an answer to a transaction or batch stand in another order than those that were sent.
    pub reverses_answers: bool,
    /// The versions in such an answer stand bare in `etag`, `1` for `W/"1"`, and not in `location` (HAPI, Medplum).
    pub bare_entry_tags: bool,
    /// The media type of answers.
    pub media_type: &'static str,
    /// What a transaction is.
    pub transactions: Transactions,
    /// A Bundle with a conditional create and more entries than this is refused with 400 (Medplum: 8).
    pub max_conditional_entries: Option<usize>,
    /// What versions look like.
    pub versions: Versions,
    /// `Location` is relative to the base (Epic).
    pub relative_place: bool,
    /// Creates and updates are answered without a body (Epic, Oracle).
    pub writes_answer_empty: bool,
    /// A client that does not take JSON gets 406 without a body (Oracle).
    pub refuses_accept_empty: bool,
    /// The status of an update whose `If-Match` is stale: 412, or 409 (HAPI).
    pub conflict: u16,
    /// `If-Match` is not looked at by conditional updates and deletes (HAPI).
    pub ignores_if_match_without_id: bool,
    /// An update that creates has no `Location` (HAPI).
    pub update_tells_no_place: bool,
    /// An update that creates answers 200 (Medplum).
    pub update_creates_with_200: bool,
    /// What a search parameter does that the type does not have.
    pub unknown_parameters: Unknown,
    /// Searches pass over `patient` and `subject`, and their self link says nothing of it (a server by Firely did).
    pub ignores_patient: bool,
    /// The parameter that asks for a further page, below the type's own URL (athena: `cursor`, MEDITECH: `continue`).
    pub page_parameter: Option<&'static str>,
    /// A search by GET is answered again as it was for a minute, whatever was written since, but under
    /// `Cache-Control: no-cache` (HAPI).
    pub caches_searches: bool,
    /// How a client is told when to come back.
    pub retry_after: RetryAfter,
}

/// What versions look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1, 2, 3, …
    #[default]
    Numbers,
    /// UUIDs in no order (Medplum).
    Uuids,
    /// They are not told: neither `ETag` nor `meta.versionId` nor `meta.lastUpdated` (Epic).
    Untold,
}

/// What a search parameter does that the type does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unknown {
    /// It is passed over, and refused under `Prefer: handling=strict`.
    #[default]
    AsPreferred,
    /// It is refused, but under `Prefer: handling=lenient` (HAPI).
    Refused,
    /// Nothing is found, which looks like absence (Medplum).
    Empty,
}

/// How a client is told when to come back after 429 or 503.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RetryAfter {
    /// `Retry-After: 1`.
    #[default]
    Seconds,
    /// `x-ms-retry-after-ms: 1000`, and no `Retry-After` (Azure).
    Milliseconds,
    /// Not at all (eClinicalWorks).
    Nothing,
}

/// What a transaction is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transactions {
    /// All or nothing.
    #[default]
    Whole,
    /// One failing entry refuses it, with 400 and not with its own status (helios-hfs); the others are kept all the
    /// same (Medplum).
    Partial,
    /// It is a batch: answered with 200, failed entries inside, references between entries left as they were sent.
    Batch,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            ignores_if_match: false,
            ignores_strict: false,
            tells_no_place: false,
            tells_no_total: false,
            gives_no_links: false,
            longest_page: None,
            forgets_deletions: false,
            reverses_answers: false,
            bare_entry_tags: false,
            media_type: Self::FHIR_JSON,
            transactions: Transactions::Whole,
            max_conditional_entries: None,
            versions: Versions::Numbers,
            relative_place: false,
            writes_answer_empty: false,
            refuses_accept_empty: false,
            conflict: 412,
            ignores_if_match_without_id: false,
            update_tells_no_place: false,
            update_creates_with_200: false,
            unknown_parameters: Unknown::AsPreferred,
            ignores_patient: false,
            page_parameter: None,
            caches_searches: false,
            retry_after: RetryAfter::Seconds,
        }
    }
}

impl Quirks {
    /// The media type that R4 wants (2.6.1).
    pub const FHIR_JSON: &str = "application/fhir+json;charset=utf-8";

    /// A version as this server names it; nothing if it names none.
    pub(super) fn version(&self, id: &ResourceId, number: u64) -> Option<String> {
        match self.versions {
            Versions::Numbers => Some(number.to_string()),
            Versions::Uuids => {
                let name = format!("{id}/{number}");
                Some(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string())
            }
            Versions::Untold => None,
        }
    }

    /// The answer as this server gives it to a request.
    pub(super) fn bend(&self, request: &Request, mut answer: Answer) -> Answer {
        let is_write = matches!(request.method, Method::Post | Method::Put)
            && !request.path.is_empty()
            && !request.path.ends_with("_search");
        if self.tells_no_place && answer.status == 201 {
            (answer.located, answer.version, answer.body) = (false, None, None);
        }
        if self.writes_answer_empty && is_write && answer.status < 300 {
            answer.body = None;
        }
        answer.located &= !(self.update_tells_no_place && request.method == Method::Put);
        if self.update_creates_with_200 && request.method == Method::Put && answer.status == 201 {
            answer.status = 200;
        }
        if let Some(stamp) = &mut answer.version {
            stamp.tag = self.version(&stamp.id, stamp.number);
        }
        let bends_bundles = self.tells_no_total
            || self.gives_no_links
            || self.reverses_answers
            || self.bare_entry_tags
            || self.versions != Versions::Numbers;
        if let Some(body) = answer.body.as_deref().filter(|_| bends_bundles) {
            answer.body = match Bundle::from_resource(body.clone()) {
                Ok(bundle) => Some(Arc::new(self.bent(bundle).into_resource())),
                Err(_) => Some(Arc::new(self.named(body.clone()))),
            };
        }
        answer
    }

    /// The refusal as this server gives it.
    pub(super) fn bend_refusal(&self, mut refusal: Refusal) -> Refusal {
        if let Some(stamp) = &mut refusal.version {
            stamp.tag = self.version(&stamp.id, stamp.number);
        }
        refusal
    }

    /// A resource with its version as this server names it.
    fn named(&self, mut resource: Resource) -> Resource {
        let id = resource.id().and_then(|id| ResourceId::new(resource.resource_type(), id).ok());
        let number = resource.version_id().and_then(|version| version.parse().ok());
        let (Some(id), Some(number)) = (id, number) else { return resource };
        let name = self.version(&id, number);
        if let Some(meta) = resource.object_mut().get_mut("meta").and_then(Value::as_object_mut) {
            match name {
                Some(name) => meta.insert("versionId", Value::String(name)),
                None => meta.retain(|member, _| !matches!(member, "versionId" | "lastUpdated")),
            }
            if meta.is_empty() {
                resource.object_mut().remove("meta");
            }
        }
        resource
    }

    fn bent(&self, mut bundle: Bundle) -> Bundle {
        if self.tells_no_total {
            bundle.total = None;
        }
        if self.gives_no_links {
            bundle.links.clear();
        }
        let names_others = self.versions != Versions::Numbers;
        for entry in bundle.entries.iter_mut().filter(|_| names_others) {
            entry.resource = entry.resource.take().map(|resource| self.named(resource));
        }
        if bundle.kind.ends_with("-response") {
            if self.reverses_answers {
                bundle.entries.reverse();
            }
            let responses = bundle.entries.iter_mut().filter_map(|entry| entry.response.as_mut());
            for response in responses.filter(|_| self.bare_entry_tags || names_others) {
                response.etag = response.etag.take().filter(|_| !names_others);
                if let Some(etag) = &mut response.etag {
                    *etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
                }
                if let Some(location) = &mut response.location
                    && let Some((place, _)) = location.split_once("/_history")
                {
                    *location = place.to_owned();
                }
            }
        }
        bundle
    }
}
