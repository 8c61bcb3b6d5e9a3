//! search of a type, by GET and by POST (R4 3.1.0.9).

use jiff::{SignedDuration, Timestamp};

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::search::Query;

use super::page::{self, Selection};
use super::{Ehr, Method, Request};

/// For how long a search is answered from the cache.
const CACHED: SignedDuration = SignedDuration::from_secs(60);

/// The first page of what matches; its self link holds exactly the parameters that had an effect.
pub(super) fn search(
    ehr: &mut Ehr,
    request: &Request,
    resource_type: &str,
) -> Result<Answer, Refusal> {
    let (base, behaviour) = (&ehr.base, &ehr.behaviour);
    let handling = request.handling(behaviour);
    let query = Query::parse(resource_type, &request.query, handling, base, behaviour)?;
    let self_url = page::url(base, resource_type, &query.used);
    if !behaviour.quirks.caches_searches || request.method == Method::Post {
        return Ok(page::first(ehr, Selection::Search(query), self_url));
    }
    // A fresh answer does not take the place of a stale one (HAPI).
    let (key, now) = (page::url(base, resource_type, &request.query), ehr.store.now());
    let is_young = |(at, _): &&(Timestamp, Answer)| now.duration_since(*at) < CACHED;
    if let Some((_, answer)) = ehr.cached.get(&key).filter(|one| !request.no_cache && is_young(one))
    {
        return Ok(answer.clone());
    }
    let answer = page::first(ehr, Selection::Search(query), self_url);
    if !request.no_cache {
        ehr.cached.insert(key, (now, answer.clone()));
    }
    Ok(answer)
}
