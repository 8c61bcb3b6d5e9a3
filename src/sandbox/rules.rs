//! What personalities demand of content, beside what they declare: checked before an interaction is done, and bent after it.
//!
//! Codes, limits and MIME types are those of the vendor's pack. What neither pack nor pages say is not demanded: a rule
//! that was made up would teach clients to cope with a server that is nowhere.

pub(super) mod epic;
mod oracle;
mod platform;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::fhir::{Resource, ResourceId};
use crate::json::{Object, Value};
use crate::object;
use crate::vendor::Pack;

use super::answer::{Answer, Refusal};
use super::chart::{self, patient_of};
use super::interaction::{Ehr, Method, Request};
use super::personality::Personality;
use super::search::reference::{local, text_of};
use super::store::Written;

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Ruling {
    /// It is done as it was asked.
    AsAsked,
    /// It is done otherwise: what the server passes over is gone, attachments are filed.
    Instead(Request),
    /// It is answered, and nothing is done.
    Answered(Answer),
}

/// Decides what becomes of a request.
pub(super) fn before(ehr: &mut Ehr, request: &Request) -> Result<Ruling, Refusal> {
    if let Some(surface) = &ehr.behaviour.surface {
        surface.check(request)?;
    }
    chart::check(ehr, request)?;
    match ehr.behaviour.personality {
        Some(Personality::Epic) => epic::before(ehr, request),
        Some(Personality::Oracle) => oracle::before(ehr, request),
        Some(Personality::Ecw) if creates(request) == Some("QuestionnaireResponse") => {
            // Its payload is an HL7 v2 message; what is none gets a number, and 200.
            let other = Some(r#"{"status":2}"#.to_owned());
            Ok(Ruling::Answered(Answer { other, ..Answer::empty(200) }))
        }
        Some(personality) if ehr.behaviour.surface.is_none() => {
            platform::before(ehr, personality, request)
        }
        Some(_) => hospital(ehr, request),
        None => Ok(Ruling::AsAsked),
    }
}

/// What is noted when a request was done.
pub(super) fn after(ehr: &mut Ehr, request: &Request, answer: &Answer) {
    let Some(made) = answer.version.as_ref().filter(|_| answer.status == 201) else { return };
    if ehr.behaviour.personality == Some(Personality::Epic) && creates(request) == Some("Condition")
    {
        ehr.charts.held.insert(made.id.clone());
    }
    if let Some(key) = &request.idempotency_key {
        ehr.keys.insert(key.clone(), made.id.clone());
    }
}

/// What every hospital's server demands of a write: that its patient is here. Documents are filed.
fn hospital(ehr: &mut Ehr, request: &Request) -> Result<Ruling, Refusal> {
    let Some(body) = request.body.as_ref().filter(|_| is_write(request)) else {
        return Ok(Ruling::AsAsked);
    };
    let is_here = patient_of(body, &ehr.base).is_some_and(|id| ehr.store.current(&id).is_some());
    if !is_here && body.resource_type() != "Patient" {
        let text = "the patient is not one that is here";
        return Err(Refusal::new(422, "not-found", text).at(body.resource_type()));
    }
    let filed = file_attachments(ehr, body.clone());
    Ok(Ruling::Instead(Request { body: Some(filed), ..request.clone() }))
}

/// The type that a request creates, if it does.
fn creates(request: &Request) -> Option<&str> {
    let is_create =
        request.method == Method::Post && crate::fhir::resource::is_resource_type(&request.path);
    is_create.then_some(request.path.as_str())
}

fn is_write(request: &Request) -> bool {
    request.method == Method::Put || creates(request).is_some()
}

/// The first step of the path.
fn type_of(request: &Request) -> &str {
    request.path.split('/').next().unwrap_or_default()
}

fn is_search(request: &Request) -> bool {
    let has_type_alone = !request.path.is_empty() && !request.path.contains('/');
    request.method == Method::Get && has_type_alone || request.path.ends_with("/_search")
}

/// Whether a search has one of these parameters.
fn has_parameter(request: &Request, names: &[&str]) -> bool {
    request.query.iter().any(|(name, value)| {
        !value.is_empty() && names.contains(&name.split(':').next().unwrap_or_default())
    })
}

/// The resource that a Reference leads to, if it is here.
fn target(ehr: &Ehr, reference: Option<&Value>) -> Option<ResourceId> {
    let id = local(text_of(reference?)?, &ehr.base)?;
    ehr.store.current(&id).map(|_| id)
}

/// The encounter that a resource is of: `encounter`, or `context.encounter` of a document.
fn encounter(resource: &Resource) -> Option<&Value> {
    let in_context = resource.get("context").and_then(|context| context.get("encounter"));
    in_context.and_then(|encounters| encounters.item(0)).or_else(|| resource.get("encounter"))
}

/// Whether an encounter is of the patient of a resource.
fn is_of_same_patient(ehr: &Ehr, encounter: &ResourceId, resource: &Resource) -> bool {
    let of = ehr.content(encounter).and_then(|encounter| patient_of(&encounter, &ehr.base));
    of.is_some() && of == patient_of(resource, &ehr.base)
}

/// A resource with no other elements than these.
fn keep(mut resource: Resource, names: &[&str]) -> Resource {
    let always = ["resourceType", "id", "meta", "extension"];
    resource.object_mut().retain(|name, _| always.contains(&name) || names.contains(&name));
    resource
}

/// Puts the data of attachments into a Binary each, and a link in its place, as hospitals' servers give them back.
fn file_attachments(ehr: &mut Ehr, mut resource: Resource) -> Resource {
    if resource.resource_type() != "DocumentReference" {
        return resource;
    }
    let Some(Value::Array(contents)) = resource.object_mut().get_mut("content") else {
        return resource;
    };
    for content in contents {
        let attachment = content.as_object_mut().and_then(|content| content.get_mut("attachment"));
        let Some(attachment) = attachment.and_then(Value::as_object_mut) else { continue };
        let Some(data) = attachment.remove("data") else { continue };
        let content_type = attachment.get("contentType").and_then(Value::as_str);
        let binary: Object = object! { "contentType" => content_type, "data" => data };
        if let Ok(id) = ehr.assign("Binary") {
            let binary = Resource::new("Binary").with(binary);
            ehr.store.write(&id, Written::Post, Some(binary));
            attachment.put("url", id.to_string());
        }
    }
    resource
}

/// What is in an attachment or a Binary, decoded; nothing if that is empty or no base64.
pub(super) fn decoded(attachment: &Value) -> Option<Vec<u8>> {
    BASE64.decode(attachment.text("data")?).ok().filter(|data| !data.is_empty())
}

/// The media type of an attachment without its parameters, in lower case.
fn media_type(attachment: &Value) -> String {
    let text = attachment.text("contentType").unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The most characters that an element may have, as the pack says.
fn most_characters(pack: Option<&Pack>, element: &str) -> Option<usize> {
    let limit = pack?.limits.text.iter().find(|limit| limit.element == element)?;
    usize::try_from(limit.characters).ok()
}

/// Whether a value is one that the pack lists; what it does not list it leaves open.
fn is_listed(listed: Option<&crate::vendor::Told<Vec<String>>>, value: &str) -> bool {
    listed.is_none_or(|listed| listed.value.iter().any(|known| known == value))
}

/// Whether a CodeableConcept has a code of a system.
fn has_code(concept: &Value, system: &str) -> bool {
    concept.items("coding").any(|coding| {
        coding.text("system") == Some(system)
            && coding.text("code").is_some_and(|code| !code.is_empty())
    })
}

/// The code of a CodeableConcept's first coding.
fn first_code(concept: Option<&Value>) -> Option<&str> {
    concept?.items("coding").next()?.text("code")
}
