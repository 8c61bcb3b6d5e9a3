//! update and conditional update (R4 3.1.0.4), with `If-Match` (3.1.0.5).
//!
//! An update to an id that is not here creates it (`updateCreate`), unless `If-Match` says that it must be here, or the
//! server is one that does not.
//! An update that changes nothing makes no version: R4 leaves it open, and HAPI does so too.

use crate::fhir::{Resource, ResourceId};
use crate::json::{Object, Value};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::store::Written;

use super::create::Outcome;
use super::{Ehr, Request, check_if_match};

/// Stores a new version of the resource that the URL names.
pub(super) fn update(ehr: &mut Ehr, request: &Request, id: &ResourceId) -> Result<Answer, Refusal> {
    let resource = request.resource(id.resource_type())?.clone();
    match resource.id() {
        Some(own) if own == id.id() => store(ehr, request, id, resource),
        Some(_) => Err(Refusal::invalid("the resource's id is not the id of the URL")),
        None => Err(Refusal::invalid("the resource has no id; it must have the id of the URL")),
    }
}

/// Stores a new version of the one resource that meets the condition, or creates it.
pub(super) fn conditional(
    ehr: &mut Ehr,
    request: &Request,
    resource_type: &str,
) -> Result<Answer, Refusal> {
    let resource = request.resource(resource_type)?.clone();
    let outcome = decide(ehr, request, resource_type)?;
    store(ehr, request, outcome.id(), resource)
}

/// Which resource a conditional update is of.
pub(super) fn decide(
    ehr: &mut Ehr,
    request: &Request,
    resource_type: &str,
) -> Result<Outcome, Refusal> {
    let own = request.resource(resource_type)?.id();
    let own = own.map(|own| ResourceId::new(resource_type, own)).transpose();
    let own = own.map_err(|_| Refusal::invalid("the id is not one that FHIR allows"))?;
    match (ehr.find_one(resource_type, &request.query)?, own) {
        (Some(found), own) if own.as_ref().is_none_or(|own| *own == found) => {
            Ok(Outcome::Existing(found))
        }
        (Some(_), _) => Err(Refusal::invalid("the resource's id is not that of the one found")),
        (None, Some(own)) => Ok(Outcome::New(own)),
        (None, None) => Ok(Outcome::New(ehr.assign(resource_type)?)),
    }
}

/// Writes the version, if the preconditions hold and it changes anything.
pub(super) fn store(
    ehr: &mut Ehr,
    request: &Request,
    id: &ResourceId,
    resource: Resource,
) -> Result<Answer, Refusal> {
    let is_conditional = !request.path.contains('/');
    if !(is_conditional && ehr.behaviour.quirks.ignores_if_match_without_id) {
        check_if_match(ehr, request, id)?;
    }
    let current = ehr.store.current(id).and_then(|version| version.resource.clone());
    if current.is_some() && request.if_none_match.as_deref().map(str::trim) == Some("*") {
        return Err(Refusal::precondition("If-None-Match: the resource is here already"));
    }
    if current.is_none() && !ehr.behaviour.update_create {
        return Err(Refusal::not_found());
    }
    let status = if current.is_some() { 200 } else { 201 };
    if !current.is_some_and(|current| says_the_same(&current, &resource)) {
        ehr.store.write(id, Written::Put, Some(resource));
    }
    ehr.written(request, id, status)
}

/// Whether both have the same content, but for what the server itself writes.
fn says_the_same(stored: &Resource, sent: &Resource) -> bool {
    let content = |resource: &Resource| {
        let mut object = resource.object().clone();
        object.remove("id");
        let meta = object.get_mut("meta").and_then(Value::as_object_mut);
        if let Some(meta) = meta {
            meta.remove("versionId");
            meta.remove("lastUpdated");
            if meta.is_empty() {
                object.remove("meta");
            }
        }
        Value::Object(object)
    };
    identical(&content(stored), &content(sent))
}

/// Whether both trees are the same to the last digit: the order of members does not count, `1.0` is not `1.00`.
fn identical(left: &Value, right: &Value) -> bool {
    let same_members = |left: &Object, right: &Object| {
        left.len() == right.len()
            && left
                .iter()
                .all(|(name, value)| right.get(name).is_some_and(|other| identical(value, other)))
    };
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => same_members(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| identical(left, right))
        }
        (left, right) => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_writes_and_the_order_of_members_are_no_change() {
        let parse = |text: &str| Resource::parse(text.as_bytes()).unwrap();
        let stored = parse(
            r#"{"resourceType":"Flag","id":"1","meta":{"versionId":"3","lastUpdated":"x"},"a":{"b":1,"c":2.0}}"#,
        );
        assert!(says_the_same(&stored, &parse(r#"{"resourceType":"Flag","a":{"c":2.0,"b":1}}"#)));
        for other in [
            r#"{"resourceType":"Flag","a":{"c":2.00,"b":1}}"#,
            r#"{"resourceType":"Flag","a":{"c":2.0,"b":1},"meta":{"tag":[{"code":"x"}]}}"#,
            r#"{"resourceType":"Flag","a":{"c":2.0}}"#,
        ] {
            assert!(!says_the_same(&stored, &parse(other)), "{other}");
        }
    }
}
