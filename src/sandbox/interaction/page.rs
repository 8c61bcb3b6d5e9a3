//! Pages of searches and histories: all pages of one listing show the state at the time of the first.
//!
//! The `next` link holds a token and nothing of the search: a search by POST keeps what it asks for out of URLs,
//! and so must its next page. The server keeps the last listings; an older token answers 410.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::fhir::bundle::Entry;
use crate::fhir::{Bundle, Resource, ResourceId};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::behaviour;
use crate::sandbox::personality::Personality;
use crate::sandbox::rules::epic;
use crate::sandbox::search::Query;

use super::{Ehr, Request, history};

/// How many entries a page has if the client does not say.
pub(super) const PAGE: usize = 100;
/// The parameter that asks for a further page.
pub(super) const TOKEN: &str = "_page";
const OFFSET: &str = "_offset";

/// The listings that have a next page, by the token in its link.
#[derive(Debug, Default)]
pub(super) struct Pages {
    by_token: BTreeMap<String, Listing>,
    order: VecDeque<String>,
}

/// What pages are of, and the state that they show.
#[derive(Debug, Clone)]
struct Listing {
    revision: usize,
    of: Selection,
}

/// A search or a history.
#[derive(Debug, Clone)]
pub(super) enum Selection {
    Search(Query),
    History(history::Chosen),
}

impl Pages {
    const KEPT: usize = 256;

    fn keep(&mut self, listing: Listing) -> String {
        let token = behaviour::random();
        self.by_token.insert(token.clone(), listing);
        self.order.push_back(token.clone());
        if self.order.len() > Self::KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_token.remove(&oldest);
        }
        token
    }
}

/// The first page of a listing.
pub(super) fn first(ehr: &mut Ehr, of: Selection, self_url: String) -> Answer {
    let listing = Listing { revision: ehr.store.revision(), of };
    show(ehr, listing, 0, self_url, None)
}

/// Whether a request to a type's own URL asks for a further page, as some servers have it.
pub(super) fn is_further(ehr: &Ehr, request: &Request) -> bool {
    let parameter = ehr.behaviour.quirks.page_parameter;
    parameter.is_some_and(|name| request.query.iter().any(|(known, _)| known == name))
}

/// A further page, by the token in the link to it.
pub(super) fn next(ehr: &mut Ehr, request: &Request) -> Result<Answer, Refusal> {
    let value =
        |name: &str| request.query.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let (token, offset) = match ehr.behaviour.quirks.page_parameter.and_then(value) {
        Some(both) => both.split_once('.').unwrap_or_default(),
        None => (
            value(TOKEN).map(String::as_str).unwrap_or_default(),
            value(OFFSET).map(String::as_str).unwrap_or_default(),
        ),
    };
    let offset = offset.parse().ok();
    let offset = offset.ok_or(Refusal::invalid("the link to the page is not one of ours"))?;
    let token = token.to_owned();
    let kept = ehr.pages.by_token.get(&token).cloned();
    let is_epic = ehr.behaviour.personality == Some(Personality::Epic);
    let expired = || {
        let refusal = Refusal::new(410, "expired", "the page is not kept any more");
        if is_epic { epic::coded(refusal, "4113") } else { refusal }
    };
    let listing = kept.ok_or_else(expired)?;
    let self_url = page_url(ehr, &listing.of, &token, offset);
    Ok(show(ehr, listing, offset, self_url, Some(token)))
}

fn show(
    ehr: &mut Ehr,
    listing: Listing,
    offset: usize,
    self_url: String,
    token: Option<String>,
) -> Answer {
    let view = ehr.store.view(listing.revision);
    let most = ehr.behaviour.quirks.longest_page.unwrap_or(usize::MAX);
    let (mut bundle, count, total) = match &listing.of {
        Selection::Search(query) => {
            let mut found = query.matches(view);
            found.retain(|(id, _)| !ehr.charts.held.contains(*id));
            let count = query.count.min(most);
            let shown: Vec<_> = found.iter().copied().skip(offset).take(count).collect();
            let included = query.included(view, &shown);
            let matches = shown.into_iter().map(|one| entry(&ehr.base, one, "match"));
            let included = included.into_iter().map(|one| entry(&ehr.base, one, "include"));
            let mut bundle = Bundle::new("searchset", matches.chain(included).collect());
            bundle.total = query.total.then_some(found.len() as u64);
            (bundle, count, found.len())
        }
        Selection::History(chosen) => {
            let versions = chosen.versions(view);
            let count = chosen.count.min(most);
            let shown = versions.iter().skip(offset).take(count);
            let entries = shown.map(|(id, version)| history::entry(&ehr.base, id, version));
            let mut bundle = Bundle::new("history", entries.collect());
            bundle.total = Some(versions.len() as u64);
            (bundle, count, versions.len())
        }
    };
    bundle.links.push(("self".to_owned(), self_url));
    let after = offset.saturating_add(count);
    if count > 0 && after < total {
        let of = listing.of.clone();
        let token = token.unwrap_or_else(|| ehr.pages.keep(listing));
        bundle.links.push(("next".to_owned(), page_url(ehr, &of, &token, after)));
    }
    Answer::of(bundle.into_resource())
}

fn entry(base: &str, (id, resource): (&ResourceId, &Arc<Resource>), mode: &str) -> Entry {
    Entry {
        full_url: Some(format!("{base}/{id}")),
        resource: Some(Resource::clone(resource)),
        search_mode: Some(mode.to_owned()),
        ..Entry::default()
    }
}

/// The URL of a path with parameters.
pub(super) fn url(base: &str, path: &str, parameters: &[(String, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    match query.finish() {
        query if query.is_empty() => format!("{base}/{path}"),
        query => format!("{base}/{path}?{query}"),
    }
}

fn page_url(ehr: &Ehr, of: &Selection, token: &str, offset: usize) -> String {
    let base = &ehr.base;
    match (ehr.behaviour.quirks.page_parameter, of) {
        (Some(parameter), Selection::Search(query)) => {
            format!("{base}/{}?{parameter}={token}.{offset}", query.resource_type)
        }
        _ => format!("{base}?{TOKEN}={token}&{OFFSET}={offset}"),
    }
}
