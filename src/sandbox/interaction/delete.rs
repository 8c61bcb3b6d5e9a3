//! delete and conditional delete of one resource (R4 3.1.0.7, 3.1.0.7.1).

use crate::fhir::ResourceId;
use crate::sandbox::answer::{Answer, Refusal, Stamp, success};
use crate::sandbox::store::Written;

use super::{Ehr, Request, Returning, check_if_match};

/// Ends a resource with a version that has no content. What is not here, or not any more, is not refused.
pub(super) fn delete(ehr: &mut Ehr, request: &Request, id: &ResourceId) -> Result<Answer, Refusal> {
    if !ehr.behaviour.quirks.ignores_if_match_without_id {
        check_if_match(ehr, request, id)?;
    }
    if ehr.store.current(id).is_some() {
        ehr.store.write(id, Written::Delete, None);
    }
    let version = ehr.store.newest(id).map(|version| Stamp::of(id, version));
    Ok(done(request, version))
}

/// Deletes the one resource that meets the condition; several are refused (`conditionalDelete` is `single`).
pub(super) fn conditional(
    ehr: &mut Ehr,
    request: &Request,
    resource_type: &str,
) -> Result<Answer, Refusal> {
    match ehr.find_one(resource_type, &request.query)? {
        Some(id) => delete(ehr, request, &id),
        None if request.if_match.is_some() => {
            Err(Refusal::precondition("If-Match: no resource meets the condition"))
        }
        None => Ok(done(request, None)),
    }
}

fn done(request: &Request, version: Option<Stamp>) -> Answer {
    let told = request.returning == Returning::OperationOutcome;
    let (status, body) = if told { (200, Some(success().into())) } else { (204, None) };
    Answer { body, version, ..Answer::empty(status) }
}
