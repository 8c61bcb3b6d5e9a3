//! history of a resource, of a type and of the server (R4 3.1.0.12), newest first.

use jiff::Timestamp;

use crate::date::Instant;
use crate::fhir::ResourceId;
use crate::fhir::bundle::{Entry, Request as EntryRequest, Response};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::store::{Version, View, Written, instant};

use super::page::{self, PAGE, Selection};
use super::{Ehr, Request};

/// Whose history.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    /// Of everything.
    System,
    /// Of a type.
    Type(String),
    /// Of one resource.
    Instance(ResourceId),
}

/// A history, read and ready.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    scope: Scope,
    since: Option<Timestamp>,
    /// How many versions a page has.
    pub(super) count: usize,
}

/// The versions in a scope, at most from `_since` on; 404 for a resource that never was here.
pub(super) fn history(ehr: &mut Ehr, request: &Request, scope: Scope) -> Result<Answer, Refusal> {
    if let Scope::Instance(id) = &scope {
        ehr.store.newest(id).ok_or(Refusal::not_found())?;
    }
    let mut chosen = Chosen { scope, since: None, count: PAGE };
    let mut used = Vec::new();
    for (name, value) in &request.query {
        let unreadable = || Refusal::invalid("a value of the wrong form").at_parameter(name);
        match name.as_str() {
            "_count" => chosen.count = value.parse().map_err(|_| unreadable())?,
            "_since" => {
                let time = Instant::parse(value).ok().and_then(|time| time.timestamp());
                chosen.since = Some(time.ok_or_else(unreadable)?);
            }
            "_format" | "_pretty" => continue,
            _ if request.strict => {
                let text = "a parameter that this server does not have for a history";
                return Err(Refusal::new(400, "not-supported", text).at_parameter(name));
            }
            _ => continue,
        }
        used.push((name.clone(), value.clone()));
    }
    let url = page::url(&ehr.base, &request.path, &used);
    Ok(page::first(ehr, Selection::History(chosen), url))
}

impl Chosen {
    /// The versions that it chooses, newest first.
    pub(super) fn versions<'a>(&self, view: View<'a>) -> Vec<(&'a ResourceId, &'a Version)> {
        let covers = |id: &ResourceId| match &self.scope {
            Scope::System => true,
            Scope::Type(resource_type) => id.resource_type() == resource_type,
            Scope::Instance(only) => id == only,
        };
        let since = self.since.unwrap_or(Timestamp::MIN);
        view.versions()
            .filter(|(id, version)| covers(id) && version.last_updated >= since)
            .collect()
    }
}

/// A version as an entry of a history Bundle.
pub(super) fn entry(base: &str, id: &ResourceId, version: &Version) -> Entry {
    let url = match version.written {
        Written::Post => id.resource_type().to_owned(),
        Written::Put | Written::Delete => id.to_string(),
    };
    let status = match (version.written, version.created) {
        (Written::Delete, _) => "204 No Content",
        (_, true) => "201 Created",
        (_, false) => "200 OK",
    };
    Entry {
        full_url: Some(format!("{base}/{id}")),
        resource: version.resource.as_deref().cloned(),
        request: Some(EntryRequest {
            method: version.written.verb().to_owned(),
            url,
            ..EntryRequest::default()
        }),
        response: Some(Response {
            status: status.to_owned(),
            etag: Some(version.etag()),
            last_modified: Some(instant(version.last_updated)),
            ..Response::default()
        }),
        search_mode: None,
    }
}
