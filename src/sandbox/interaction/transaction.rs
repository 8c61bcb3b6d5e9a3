//! batch and transaction (R4 3.1.0.11).
//!
//! A transaction is done as a whole or not at all ([`Ehr::perform`] takes a refused one back), in the order of
//! 3.1.0.11.2: deletes, creates, updates, reads, and then conditional references. Before anything is created every
//! entry's id is decided, so a `urn:uuid:` finds its target wherever that stands in the Bundle. "The outcome of
//! processing the transaction SHALL NOT depend on the order of the resources in the transaction": two entries that
//! come to the same resource are refused, and so are creates that break each other's condition.

use std::collections::{BTreeMap, BTreeSet};

use crate::fhir::bundle::{Entry, Response};
use crate::fhir::reference::rewrite_references;
use crate::fhir::resource::is_resource_type;
use crate::fhir::{Bundle, Reference, Resource, ResourceId};
use crate::json::Value;
use crate::sandbox::answer::{Answer, Refusal, Stamp};
use crate::sandbox::definition;
use crate::sandbox::quirk::Transactions;
use crate::sandbox::store::instant;

use super::create::{self, Outcome};
use super::{Ehr, Method, Request, Returning, unknown_type, update};

/// An entry as a request, and where it stands in the Bundle.
#[derive(Debug)]
struct Item {
    index: usize,
    full_url: Option<String>,
    request: Request,
    /// What a create or update comes to; nothing for other entries.
    outcome: Option<Outcome>,
}

/// Processes the Bundle that was sent to the base.
pub(super) fn process(ehr: &mut Ehr, request: &Request) -> Result<Answer, Refusal> {
    let body = request.body.clone().ok_or(Refusal::invalid("a Bundle is needed as the body"))?;
    let bundle = Bundle::from_resource(body)
        .map_err(|_| Refusal::invalid("the body is not a Bundle whose entries hold resources"))?;
    let quirks = &ehr.behaviour.quirks;
    let is_conditional = |entry: &Entry| {
        entry.request.as_ref().is_some_and(|request| request.if_none_exist.is_some())
    };
    if quirks.max_conditional_entries.is_some_and(|most| bundle.entries.len() > most)
        && bundle.entries.iter().any(is_conditional)
    {
        return Err(Refusal::invalid("the Bundle has too many entries"));
    }
    match bundle.kind.as_str() {
        "transaction" if quirks.transactions == Transactions::Batch => {
            Ok(batch(ehr, request, bundle.entries))
        }
        "transaction" if quirks.transactions == Transactions::Partial => {
            Ok(partial(ehr, request, bundle.entries))
        }
        "batch" if ehr.behaviour.batches => Ok(batch(ehr, request, bundle.entries)),
        "transaction" if ehr.behaviour.transactions => transaction(ehr, request, bundle.entries),
        "transaction" | "batch" => {
            Err(Refusal::new(501, "not-supported", "this server takes no such Bundle"))
        }
        _ => Err(Refusal::invalid("the Bundle is neither a batch nor a transaction")),
    }
}

fn batch(ehr: &mut Ehr, outer: &Request, entries: Vec<Entry>) -> Answer {
    let items =
        entries.into_iter().enumerate().map(|(index, entry)| Item::read(outer, index, entry));
    let mut items: Vec<_> = items.enumerate().collect();
    items.sort_by_key(|(_, item)| item.as_ref().map_or(0, |item| place(item.request.method)));
    let mut answers: BTreeMap<usize, Entry> = BTreeMap::new();
    for (index, item) in items {
        let answer = match item.and_then(|item| Ok((ehr.perform(&item.request)?, item.request))) {
            Ok((answer, request)) => entry_of_answer(answer, &request),
            Err(refusal) => entry_of_refusal(&refusal),
        };
        answers.insert(index, answer);
    }
    Answer::of(Bundle::new("batch-response", answers.into_values().collect()).into_resource())
}

/// A transaction that is called refused if an entry fails, and keeps the others. If none does it is one like any other:
/// its entries may refer to each other.
fn partial(ehr: &mut Ehr, outer: &Request, entries: Vec<Entry>) -> Answer {
    let before = ehr.store.revision();
    if let Ok(answer) = transaction(ehr, outer, entries.clone()) {
        return answer;
    }
    ehr.store.roll_back(before);
    batch(ehr, outer, entries);
    let refusal = Refusal::new(400, "processing", "the transaction failed at an entry");
    Answer { status: 400, ..Answer::of(refusal.outcome()) }
}

fn transaction(ehr: &mut Ehr, outer: &Request, entries: Vec<Entry>) -> Result<Answer, Refusal> {
    let before = ehr.store.revision();
    let items =
        entries.into_iter().enumerate().map(|(index, entry)| Item::read(outer, index, entry));
    let mut items = items.collect::<Result<Vec<_>, _>>()?;
    let mut answers: BTreeMap<usize, Answer> = BTreeMap::new();
    let mut written = BTreeSet::new();

    // The conditions of updates are those of the state before: an update of what is deleted here overlaps with it.
    decide(ehr, &mut items, Method::Put)?;
    for item in items.iter().filter(|item| item.request.method == Method::Delete) {
        let answer = ehr.route(&item.request).map_err(|refusal| item.located(refusal))?;
        if let Some(version) = &answer.version {
            item.claim(&version.id, &mut written)?;
        }
        answers.insert(item.index, answer);
    }
    decide(ehr, &mut items, Method::Post)?;
    substitute_full_urls(&mut items)?;

    for method in [Method::Post, Method::Put, Method::Patch, Method::Get] {
        if method == Method::Get {
            // Last in the specification's list; a read before it would show what nobody is to see.
            resolve_conditional_references(ehr, before)?;
        }
        for item in items.iter().filter(|item| item.request.method == method) {
            let answer =
                item.perform(ehr, &mut written).map_err(|refusal| item.located(refusal))?;
            answers.insert(item.index, answer);
        }
    }
    for item in &items {
        item.check_condition(ehr).map_err(|refusal| item.located(refusal))?;
    }

    let entries = items.iter().zip(answers.into_values()).map(|(item, mut answer)| {
        // A conditional reference may have been resolved since the version was written.
        if let (Some(outcome), Returning::Representation) = (&item.outcome, outer.returning) {
            answer.body =
                ehr.store.current(outcome.id()).and_then(|version| version.resource.clone());
        }
        entry_of_answer(answer, &item.request)
    });
    let bundle = Bundle::new("transaction-response", entries.collect());
    Ok(Answer::of(bundle.into_resource()))
}

/// Decides which resources the entries with a method are of.
fn decide(ehr: &mut Ehr, items: &mut [Item], method: Method) -> Result<(), Refusal> {
    for item in items.iter_mut().filter(|item| item.request.method == method) {
        item.outcome = item.decide(ehr).map_err(|refusal| item.located(refusal))?;
    }
    Ok(())
}

/// The place of a method in the order in which entries are processed (3.1.0.11.2).
const fn place(method: Method) -> u8 {
    match method {
        Method::Delete => 0,
        Method::Post => 1,
        Method::Put | Method::Patch => 2,
        Method::Get => 3,
    }
}

impl Item {
    /// Reads an entry; what it asks is relative to the base.
    fn read(outer: &Request, index: usize, entry: Entry) -> Result<Self, Refusal> {
        let refuse = |text| Refusal::invalid(text).at(format!("Bundle.entry[{index}].request"));
        let Some(asked) = entry.request else {
            return Err(refuse("the entry has no request"));
        };
        let method =
            Method::parse(&asked.method).ok_or(refuse("the method is not one of FHIR's"))?;
        let (path, query) = asked.url.split_once('?').unwrap_or((&asked.url, ""));
        let path = path.trim_matches('/');
        if path.is_empty() || path.contains(':') {
            return Err(refuse("the url is not relative to the base"));
        }
        let request = Request {
            method,
            path: path.to_owned(),
            query: create::criteria(query),
            if_match: asked.if_match,
            if_none_match: None,
            if_none_exist: asked.if_none_exist,
            returning: outer.returning,
            strict: outer.strict,
            lenient: outer.lenient,
            idempotency_key: None,
            no_cache: outer.no_cache,
            patch: None,
            body: entry.resource,
        };
        Ok(Self { index, full_url: entry.full_url, request, outcome: None })
    }

    fn located(&self, refusal: Refusal) -> Refusal {
        refusal.at(format!("Bundle.entry[{}]", self.index))
    }

    /// The type of a create or a conditional update.
    fn type_alone(&self) -> Option<&str> {
        Some(self.request.path.as_str()).filter(|path| is_resource_type(path))
    }

    /// Which resource a create or update is of.
    fn decide(&self, ehr: &mut Ehr) -> Result<Option<Outcome>, Refusal> {
        Ok(match (self.request.method, self.type_alone()) {
            (Method::Post | Method::Put, Some(name))
                if !definition::is_known(name, &ehr.behaviour) =>
            {
                return Err(unknown_type());
            }
            (Method::Post, Some(name)) => Some(create::decide(ehr, &self.request, name)?),
            (Method::Put, Some(name)) => Some(update::decide(ehr, &self.request, name)?),
            (Method::Put, None) => {
                let id = self.request.path.parse();
                let id = id.map_err(|_| Refusal::invalid("the url is not of the form Type/id"))?;
                Some(Outcome::New(id))
            }
            _ => None,
        })
    }

    /// Does what was decided; everything else is answered as a request of its own.
    fn perform(
        &self,
        ehr: &mut Ehr,
        written: &mut BTreeSet<ResourceId>,
    ) -> Result<Answer, Refusal> {
        let request = &self.request;
        match (&self.outcome, self.type_alone()) {
            (None, _) => ehr.route(request),
            (Some(outcome), None) => {
                self.claim(outcome.id(), written)?;
                ehr.route(request)
            }
            (Some(outcome), Some(name)) if request.method == Method::Post => {
                if let Outcome::New(id) = outcome {
                    self.claim(id, written)?;
                }
                create::store(ehr, request, outcome, request.resource(name)?.clone())
            }
            (Some(outcome), Some(name)) => {
                // A create of this Bundle may meet the condition by now: then both would be of one resource.
                if let Outcome::Existing(found) = update::decide(ehr, request, name)?
                    && found != *outcome.id()
                {
                    return Err(overlap());
                }
                self.claim(outcome.id(), written)?;
                update::store(ehr, request, outcome.id(), request.resource(name)?.clone())
            }
        }
    }

    /// Notes that this entry writes a resource; a second entry for it is refused.
    fn claim(&self, id: &ResourceId, written: &mut BTreeSet<ResourceId>) -> Result<(), Refusal> {
        if written.insert(id.clone()) { Ok(()) } else { Err(self.located(overlap())) }
    }

    /// Refuses a create whose condition is met by another resource of the same Bundle as well.
    fn check_condition(&self, ehr: &Ehr) -> Result<(), Refusal> {
        match (&self.outcome, &self.request.if_none_exist, self.type_alone()) {
            (Some(Outcome::New(_)), Some(condition), Some(name)) => {
                ehr.find_one(name, &create::criteria(condition)).map(|_| ())
            }
            _ => Ok(()),
        }
    }
}

const fn overlap() -> Refusal {
    Refusal::invalid("a resource can appear only once in a transaction")
}

/// Replaces every `fullUrl` in the resources by the place where the entry's resource will stand.
fn substitute_full_urls(items: &mut [Item]) -> Result<(), Refusal> {
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    for item in items.iter() {
        let (Some(full_url), Some(outcome)) = (&item.full_url, &item.outcome) else { continue };
        if places.insert(full_url.clone(), outcome.id().to_string()).is_some() {
            return Err(item.located(Refusal::invalid("the fullUrl is that of another entry")));
        }
    }
    for item in items {
        let Some(resource) = item.request.body.take() else { continue };
        let mut value = resource.into_value();
        substitute(&mut value, &places);
        item.request.body = Resource::from_value(value).ok();
    }
    Ok(())
}

/// Replaces links wherever they stand: in references, in elements of type uri and url, and in the narrative's
/// `href` and `src`. Not in a `value`, for an Identifier's may be a `urn:uuid:` of its own, nor in canonicals.
fn substitute(value: &mut Value, places: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(place) = places.get(text) {
                text.clone_from(place);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| substitute(item, places)),
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match (name, value) {
                    ("value", Value::String(_)) => {}
                    ("div", Value::String(narrative)) if narrative.contains("urn:") => {
                        for (full_url, place) in places {
                            let link = |to: &str| format!("=\"{to}\"");
                            *narrative = narrative.replace(&link(full_url), &link(place));
                        }
                    }
                    (name, _) if name.ends_with("anonical") => {}
                    (_, value) => substitute(value, places),
                }
            }
        }
        _ => {}
    }
}

/// Replaces each conditional reference (`Patient?identifier=…`) by the one resource that it finds.
///
/// An update that holds one always makes a version: what it changes is known only now.
fn resolve_conditional_references(ehr: &mut Ehr, before: usize) -> Result<(), Refusal> {
    let written: Vec<_> = ehr
        .store
        .since(before)
        .filter_map(|(id, version)| Some((id.clone(), version.resource.clone()?)))
        .collect();
    for (id, resource) in written {
        let mut value = resource.to_value();
        let mut problem = None;
        let mut changed = false;
        rewrite_references(&mut value, &mut |text| {
            let Some(Reference::Conditional(_)) = Reference::parse(text) else { return None };
            let (name, condition) = text.split_once('?')?;
            match ehr.find_one(name, &create::criteria(condition)) {
                Ok(Some(found)) => {
                    changed = true;
                    return Some(found.to_string());
                }
                Ok(None) => {
                    let text = "a conditional reference finds no resource";
                    problem = Some(Refusal::new(400, "not-found", text));
                }
                Err(refusal) => problem = Some(refusal),
            }
            None
        });
        if let Some(problem) = problem {
            return Err(problem);
        }
        if changed && let Ok(resource) = Resource::from_value(value) {
            ehr.store.amend(&id, resource);
        }
    }
    Ok(())
}

fn entry_of_answer(answer: Answer, request: &Request) -> Entry {
    let (is_read, body) = (request.method == Method::Get, answer.body);
    let is_outcome = body.as_ref().is_some_and(|body| body.resource_type() == "OperationOutcome");
    let body = body.map(|body| Resource::clone(&body));
    let wanted = is_read || request.returning == Returning::Representation;
    let (resource, outcome) =
        if is_outcome { (None, body) } else { (body.filter(|_| wanted), None) };
    let version = answer.version;
    Entry {
        resource,
        response: Some(Response {
            status: status(answer.status).to_owned(),
            location: version.as_ref().filter(|_| !is_read).map(Stamp::location),
            etag: version.as_ref().and_then(Stamp::etag),
            last_modified: version.map(|version| instant(version.last_updated)),
            outcome,
        }),
        ..Entry::default()
    }
}

fn entry_of_refusal(refusal: &Refusal) -> Entry {
    let response = Response {
        status: status(refusal.status).to_owned(),
        outcome: Some(refusal.outcome()),
        ..Response::default()
    };
    Entry { response: Some(response), ..Entry::default() }
}

const fn status(status: u16) -> &'static str {
    match status {
        200 => "200 OK",
        201 => "201 Created",
        204 => "204 No Content",
        304 => "304 Not Modified",
        400 => "400 Bad Request",
        404 => "404 Not Found",
        405 => "405 Method Not Allowed",
        409 => "409 Conflict",
        410 => "410 Gone",
        412 => "412 Precondition Failed",
        422 => "422 Unprocessable Entity",
        501 => "501 Not Implemented",
        _ => "500 Internal Server Error",
    }
}
