//! The interactions of R4's REST API (3.1.0), each in a file of its own, apart from HTTP.
//!
//! A [`Request`] is what a client asks, be it by HTTP or as the entry of a Bundle: so a transaction uses the very
//! code that a single request uses. Whatever is refused has changed nothing: [`Ehr::perform`] takes every version
//! back that a refused interaction wrote.

mod capabilities;
mod create;
mod delete;
mod history;
mod integrity;
mod page;
mod patch;
mod read;
mod search;
mod transaction;
mod update;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::fhir::{Resource, ResourceId};
use crate::json::Value;

use super::Error;
use super::answer::{Answer, Refusal, success};
use super::behaviour::Behaviour;
use super::chart::Charts;
use super::definition;
use super::quirk::Unknown;
use super::rules::{self, Ruling};
use super::search::{Handling, Query};
use super::store::{Store, Written};
pub(super) use create::criteria;
use page::Pages;

/// An HTTP method that FHIR uses; HEAD is a GET whose body is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method by its name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "GET" | "HEAD" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }
}

/// What a client wants back after a write (R4 3.1.0.1.6, `Prefer: return=`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Returning {
    /// It did not say: the resource for a single write, none in the answer to a transaction.
    #[default]
    Unsaid,
    Minimal,
    Representation,
    OperationOutcome,
}

/// What a client asks.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The method.
    pub(super) method: Method,
    /// The path below the base, without a slash at either end.
    pub(super) path: String,
    /// The parameters of the URL and of a `_search` form, decoded.
    pub(super) query: Vec<(String, String)>,
    /// `If-Match`.
    pub(super) if_match: Option<String>,
    /// `If-None-Match`.
    pub(super) if_none_match: Option<String>,
    /// `If-None-Exist`.
    pub(super) if_none_exist: Option<String>,
    /// `Prefer: return=`.
    pub(super) returning: Returning,
    /// `Prefer: handling=strict`.
    pub(super) strict: bool,
    /// `Prefer: handling=lenient`.
    pub(super) lenient: bool,
    /// The header by which a server that has one knows a request again.
    pub(super) idempotency_key: Option<String>,
    /// `Cache-Control: no-cache`.
    pub(super) no_cache: bool,
    /// The resource that was sent.
    pub(super) body: Option<Resource>,
    /// The JSON Patch that was sent.
    pub(super) patch: Option<Value>,
}

impl Request {
    fn handling(&self, behaviour: &Behaviour) -> Handling {
        match behaviour.quirks.unknown_parameters {
            Unknown::Empty => Handling::Empty,
            Unknown::Refused if !self.lenient => Handling::Strict,
            _ if self.strict && !behaviour.quirks.ignores_strict => Handling::Strict,
            _ => Handling::Lenient,
        }
    }

    /// The resource that a write needs.
    fn resource(&self, resource_type: &str) -> Result<&Resource, Refusal> {
        let body =
            self.body.as_ref().ok_or(Refusal::invalid("a resource is needed as the body"))?;
        if body.resource_type() == resource_type {
            Ok(body)
        } else {
            Err(Refusal::invalid("the resourceType is not the type of the URL"))
        }
    }
}

/// The server without its sockets: what it holds and how it behaves.
#[derive(Debug)]
pub(super) struct Ehr {
    /// The base URL, without a slash at its end.
    pub(super) base: String,
    /// How it behaves.
    pub(super) behaviour: Behaviour,
    /// What it holds.
    pub(super) store: Store,
    /// The last number that `Ids::Counting` gave.
    pub(super) counter: u64,
    /// What people did to charts.
    pub(super) charts: Charts,
    /// What was made by requests with an idempotency key.
    pub(super) keys: BTreeMap<String, ResourceId>,
    /// The searches that were answered not long ago, for servers that answer them again.
    cached: BTreeMap<String, (Timestamp, Answer)>,
    /// Whether clients have to log in.
    pub(super) login: bool,
    started: Timestamp,
    pages: Pages,
}

impl Ehr {
    /// An empty server.
    pub(super) fn new(base: String, behaviour: Behaviour, started: Timestamp) -> Self {
        let (store, pages) = (Store::default(), Pages::default());
        let (charts, keys) = (Charts::default(), BTreeMap::new());
        let cached = BTreeMap::new();
        Self {
            base,
            behaviour,
            store,
            counter: 0,
            charts,
            keys,
            cached,
            login: false,
            started,
            pages,
        }
    }

    /// Forgets everything: a server restored empty, at the same address.
    pub(super) fn wipe(&mut self) {
        (self.store, self.pages, self.counter) = (Store::default(), Pages::default(), 0);
        (self.charts, self.keys) = (Charts::default(), BTreeMap::new());
        self.cached.clear();
    }

    /// Stores a resource without a request: the seed, or an edit that a person made in the EHR.
    pub(super) fn put(&mut self, resource: Resource) -> Result<ResourceId, Error> {
        let resource_type = resource.resource_type().to_owned();
        let id = match resource.id() {
            Some(id) => ResourceId::new(&resource_type, id).map_err(|_| Error::NotAnId)?,
            None => self.assign(&resource_type).map_err(|_| Error::NotAnId)?,
        };
        self.store.write(&id, Written::Put, Some(resource));
        Ok(id)
    }

    /// Answers a request, or refuses it and has changed nothing.
    pub(super) fn perform(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let before = self.store.revision();
        let done = self.ruled(request).and_then(|answer| {
            integrity::check(self, before)?;
            Ok(answer)
        });
        if done.is_err() {
            self.store.roll_back(before);
        }
        done
    }

    /// Does a request as far as the rules of the personality let it, and as they bend it.
    fn ruled(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let answer = match rules::before(self, request)? {
            Ruling::AsAsked => self.route(request)?,
            Ruling::Instead(other) => self.route(&other)?,
            Ruling::Answered(answer) => return Ok(answer),
        };
        rules::after(self, request, &answer);
        Ok(answer)
    }

    fn route(&mut self, request: &Request) -> Result<Answer, Refusal> {
        use Method::{Delete, Get, Post, Put};
        let segments: Vec<&str> = request.path.split('/').filter(|step| !step.is_empty()).collect();
        let not_allowed = |allow| {
            let text = "the method is not allowed here";
            Err(Refusal { allow, ..Refusal::new(405, "not-supported", text) })
        };
        match (request.method, segments.as_slice()) {
            (Post, []) => transaction::process(self, request),
            (Get, []) if request.query.iter().any(|(name, _)| name == page::TOKEN) => {
                page::next(self, request)
            }
            (Get, [_]) if page::is_further(self, request) => page::next(self, request),
            (_, []) => not_allowed("POST"),
            (Get, ["metadata"]) => Ok(capabilities::statement(self)),
            (Get, ["_history"]) => history::history(self, request, history::Scope::System),
            (_, ["metadata" | "_history"]) => not_allowed("GET"),
            (_, [resource_type, ..]) if !definition::is_known(resource_type, &self.behaviour) => {
                Err(unknown_type())
            }
            (Get, [resource_type]) => search::search(self, request, resource_type),
            (Post, [resource_type]) => create::create(self, request, resource_type),
            (Put, [resource_type]) => update::conditional(self, request, resource_type),
            (Delete, [resource_type]) => delete::conditional(self, request, resource_type),
            (_, [_]) => not_allowed("GET, POST, PUT, DELETE"),
            (Post, [resource_type, "_search"]) => search::search(self, request, resource_type),
            (_, [_, "_search"]) => not_allowed("POST"),
            (Get, [resource_type, "_history"]) => {
                let scope = history::Scope::Type((*resource_type).to_owned());
                history::history(self, request, scope)
            }
            (_, [_, "_history"]) => not_allowed("GET"),
            (method, [resource_type, id, rest @ ..]) => {
                let id = ResourceId::new(resource_type, id).map_err(|_| match method {
                    Put => Refusal::invalid("the id is not one that FHIR allows"),
                    _ => Refusal::not_found(),
                })?;
                match (method, rest) {
                    (Get, []) => read::read(self, request, &id),
                    (Put, []) => update::update(self, request, &id),
                    (Delete, []) => delete::delete(self, request, &id),
                    (Method::Patch, []) if self.behaviour.surface.is_some() => {
                        patch::patch(self, request, &id)
                    }
                    (_, []) => not_allowed("GET, PUT, DELETE"),
                    (Get, ["_history"]) => {
                        history::history(self, request, history::Scope::Instance(id))
                    }
                    (Get, ["_history", version]) => read::vread(self, &id, version),
                    (_, ["_history"] | ["_history", _]) => not_allowed("GET"),
                    _ => Err(Refusal::new(404, "not-supported", "there is no such interaction")),
                }
            }
        }
    }

    /// An id for a new resource, one that nothing here ever had.
    pub(super) fn assign(&mut self, resource_type: &str) -> Result<ResourceId, Refusal> {
        loop {
            let id = self.behaviour.ids.next(&mut self.counter);
            let id = ResourceId::new(resource_type, &id).map_err(|_| Refusal::not_found())?;
            if self.store.newest(&id).is_none() {
                return Ok(id);
            }
        }
    }

    /// Whether one of the entity tags of an `If-Match` or `If-None-Match` names a version; `*` names any.
    ///
    /// A tag counts weak or strong, quoted or bare: FHIR's are weak, and clients write all of these.
    fn names_version(&self, tags: &str, id: &ResourceId, number: u64) -> bool {
        let name = self.behaviour.quirks.version(id, number);
        tags.split(',').map(str::trim).any(|tag| {
            let bare = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            tag == "*" || Some(bare) == name.as_deref()
        })
    }

    /// The one resource that meets a condition, or none.
    ///
    /// # Errors
    /// 412 if several do; 400 if the condition can't be searched by.
    fn find_one(
        &self,
        resource_type: &str,
        criteria: &[(String, String)],
    ) -> Result<Option<ResourceId>, Refusal> {
        let (base, behaviour) = (&self.base, &self.behaviour);
        let handling = match behaviour.quirks.unknown_parameters {
            Unknown::Empty => Handling::Empty,
            _ => Handling::Criteria,
        };
        let query = Query::parse(resource_type, criteria, handling, base, behaviour)?;
        match query.matches(self.store.view(self.store.revision())).as_slice() {
            [] => Ok(None),
            [(id, _)] => Ok(Some((*id).clone())),
            _ => Err(Refusal::new(412, "multiple-matches", "several resources meet the condition")),
        }
    }

    /// The answer to a write, with the body that the client prefers.
    fn written(&self, request: &Request, id: &ResourceId, status: u16) -> Result<Answer, Refusal> {
        let version = self.store.newest(id).ok_or(Refusal::not_found())?;
        let mut answer = Answer::version(status, id, version);
        answer.located = status == 201;
        match request.returning {
            Returning::Unsaid | Returning::Representation => {}
            Returning::Minimal => answer.body = None,
            Returning::OperationOutcome => answer.body = Some(success().into()),
        }
        Ok(answer)
    }
}

const fn unknown_type() -> Refusal {
    Refusal::new(404, "not-supported", "the resource type is not one that this server knows")
}

/// Refuses a write whose `If-Match` does not name the newest version; there must be one.
fn check_if_match(ehr: &Ehr, request: &Request, id: &ResourceId) -> Result<(), Refusal> {
    let Some(tags) = &request.if_match else { return Ok(()) };
    if ehr.behaviour.quirks.ignores_if_match {
        return Ok(());
    }
    let newest = ehr.store.newest(id);
    let exists = newest.is_some_and(|version| tags.trim() != "*" || version.resource.is_some());
    if exists && newest.is_some_and(|version| ehr.names_version(tags, id, version.number)) {
        Ok(())
    } else {
        let text = "If-Match does not name the version that is here";
        Err(Refusal::new(ehr.behaviour.quirks.conflict, "conflict", text))
    }
}
