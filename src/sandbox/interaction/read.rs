//! read and vread (R4 3.1.0.2, 3.1.0.3).

use crate::fhir::ResourceId;
use crate::sandbox::answer::{Answer, Refusal};

use super::{Ehr, Request};

/// The current content: 404 if there never was any, 410 if it was deleted, 304 if the client has it already.
pub(super) fn read(ehr: &Ehr, request: &Request, id: &ResourceId) -> Result<Answer, Refusal> {
    let version = ehr.store.newest(id).ok_or(Refusal::not_found())?;
    if version.resource.is_none() {
        if ehr.behaviour.quirks.forgets_deletions {
            return Err(Refusal::not_found());
        }
        return Err(Refusal::gone(id, version));
    }
    let mut answer = Answer::version(200, id, version);
    if request
        .if_none_match
        .as_ref()
        .is_some_and(|tags| ehr.names_version(tags, id, version.number))
    {
        (answer.status, answer.body) = (304, None);
    }
    Ok(answer)
}

/// The content of one version: 404 if there is no such version, 410 if that version is the deletion.
pub(super) fn vread(ehr: &Ehr, id: &ResourceId, number: &str) -> Result<Answer, Refusal> {
    let chain = ehr.store.chain(id);
    let version = chain.iter().find(|version| {
        ehr.behaviour.quirks.version(id, version.number).as_deref() == Some(number)
    });
    let version = version.ok_or(Refusal::not_found())?;
    if version.resource.is_none() {
        return Err(Refusal::gone(id, version));
    }
    Ok(Answer::version(200, id, version))
}
