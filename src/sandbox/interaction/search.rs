//! search of a type, by GET and by POST (R4 3.1.0.9).

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::search::Query;

use super::page::{self, Selection};
use super::{Ehr, Request};

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
    Ok(page::first(ehr, Selection::Search(query), self_url))
}
