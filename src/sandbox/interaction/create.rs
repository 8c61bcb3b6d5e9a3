//! create and conditional create (R4 3.1.0.8, 3.1.0.8.1).

use crate::fhir::{Resource, ResourceId};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::store::Written;

use super::{Ehr, Request};

/// What a create comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A new resource under this id.
    New(ResourceId),
    /// The condition found this one: nothing is written.
    Existing(ResourceId),
}

impl Outcome {
    /// The resource that the request stands for afterwards.
    pub(super) const fn id(&self) -> &ResourceId {
        match self {
            Self::New(id) | Self::Existing(id) => id,
        }
    }
}

/// Stores a new resource under an id of the server's choice, unless `If-None-Exist` finds one.
pub(super) fn create(
    ehr: &mut Ehr,
    request: &Request,
    resource_type: &str,
) -> Result<Answer, Refusal> {
    let resource = request.resource(resource_type)?.clone();
    let outcome = decide(ehr, request, resource_type)?;
    store(ehr, request, &outcome, resource)
}

/// Whether the resource is to be made, and under which id.
pub(super) fn decide(
    ehr: &mut Ehr,
    request: &Request,
    resource_type: &str,
) -> Result<Outcome, Refusal> {
    // A hospital's server does not know the header, and passes it over.
    let knows_conditions = ehr.behaviour.surface.is_none();
    if let Some(condition) = request.if_none_exist.as_ref().filter(|_| knows_conditions) {
        if !ehr.behaviour.conditional_create {
            let text = "this server has no conditional create";
            return Err(Refusal::new(400, "not-supported", text));
        }
        let found = ehr.find_one(resource_type, &criteria(condition))?;
        if let Some(existing) = found {
            return Ok(Outcome::Existing(existing));
        }
    }
    Ok(Outcome::New(ehr.assign(resource_type)?))
}

/// Writes what was decided.
pub(super) fn store(
    ehr: &mut Ehr,
    request: &Request,
    outcome: &Outcome,
    resource: Resource,
) -> Result<Answer, Refusal> {
    match outcome {
        Outcome::New(id) => {
            ehr.store.write(id, Written::Post, Some(resource));
            ehr.written(request, id, 201)
        }
        Outcome::Existing(id) => {
            let mut answer = ehr.written(request, id, 200)?;
            answer.located = true;
            Ok(answer)
        }
    }
}

/// The search parameters of a condition, as they would stand after the `?` of a search.
pub(in crate::sandbox) fn criteria(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}
