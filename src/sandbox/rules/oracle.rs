//! Oracle Health (Cerner Millennium): documents and conditions, as its field tables have them (ehrs-and-sync.md 1.3-1.5).
//!
//! What a type does not have is passed over in silence, so that a client learns of it only by reading back; a modifier
//! extension is refused. A document is updated in place, with If-Match; its patient and encounter stay what they are.
//! Whether its batch takes writes is not known: here it does not.

use crate::fhir::{Bundle, Resource};
use crate::json::Value;
use crate::sandbox::answer::Refusal;
use crate::sandbox::chart::patient_of;
use crate::sandbox::interaction::{Ehr, Method, Request};
use crate::sandbox::personality::Personality;
use crate::sandbox::search::reference::text_of;

use super::{
    Ruling, creates, decoded, encounter, file_attachments, first_code, has_parameter, is_listed,
    is_of_same_patient, is_search, is_write, keep, media_type, target, type_of,
};

/// The elements that a document keeps: `identifier`, `relatesTo` and `description` are not among them.
const OF_A_DOCUMENT: &[&str] = &[
    "status",
    "docStatus",
    "type",
    "category",
    "subject",
    "date",
    "author",
    "authenticator",
    "custodian",
    "content",
    "context",
];

/// The elements that a condition keeps.
const OF_A_CONDITION: &[&str] = &[
    "clinicalStatus",
    "verificationStatus",
    "category",
    "severity",
    "code",
    "subject",
    "encounter",
    "onsetDateTime",
    "onsetPeriod",
    "abatementDateTime",
    "recordedDate",
    "recorder",
    "asserter",
    "note",
];

fn missing(element: &'static str) -> Refusal {
    Refusal::new(422, "required", "a required field is missing").at(element)
}

fn wrong(element: &'static str) -> Refusal {
    Refusal::new(422, "value", "a field has a value that is not taken").at(element)
}

fn not_here(element: &'static str) -> Refusal {
    Refusal::new(422, "not-found", "what the field refers to was not found").at(element)
}

fn against_rule(text: &'static str, element: &'static str) -> Refusal {
    Refusal::new(422, "business-rule", text).at(element)
}

pub(super) fn before(ehr: &mut Ehr, request: &Request) -> Result<Ruling, Refusal> {
    if is_search(request) {
        check_dates(request)?;
    }
    if request.path.is_empty() && request.method == Method::Post {
        check_batch(request)?;
    }
    if request.method == Method::Patch && request.if_match.is_none() {
        return Err(Refusal::precondition("a patch needs If-Match"));
    }
    let Some(sent) = request.body.as_ref().filter(|_| is_write(request)) else {
        return Ok(Ruling::AsAsked);
    };
    if sent.get("modifierExtension").is_some() {
        let text = "a modifier extension is not supported";
        return Err(Refusal::new(422, "extension", text).at("modifierExtension"));
    }
    if sent.resource_type() != type_of(request) {
        return Ok(Ruling::AsAsked);
    }
    let is_create = creates(request).is_some();
    if !is_create {
        check_update(ehr, request, sent)?;
    }
    let kept = match sent.resource_type() {
        "DocumentReference" => {
            if is_create || sent.text("status") != Some("entered-in-error") {
                check_document(ehr, sent, is_create)?;
            }
            file_attachments(ehr, keep(sent.clone(), OF_A_DOCUMENT))
        }
        "Condition" => {
            check_condition(ehr, sent)?;
            keep(sent.clone(), OF_A_CONDITION)
        }
        "Observation" => {
            check_subject(ehr, sent)?;
            let is_taken = |category: &Value| {
                matches!(first_code(Some(category)), Some("vital-signs" | "laboratory"))
            };
            if !sent.items("category").any(is_taken) {
                let text = "only vital signs and laboratory results are taken";
                return Err(against_rule(text, "category"));
            }
            sent.clone()
        }
        "Procedure" => {
            check_subject(ehr, sent)?;
            if sent.text("status") != Some("completed") {
                return Err(wrong("status"));
            }
            sent.clone()
        }
        "Encounter" => {
            check_subject(ehr, sent)?;
            check_encounter(sent)?;
            sent.clone()
        }
        _ => sent.clone(),
    };
    Ok(Ruling::Instead(Request { body: Some(kept), ..request.clone() }))
}

/// `_lastUpdated` is a closed pair, as the pack says, and does not go with `date`.
fn check_dates(request: &Request) -> Result<(), Refusal> {
    let values = |wanted: &str| {
        request
            .query
            .iter()
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    let times = values("_lastUpdated");
    let has = |prefix: &str| times.iter().any(|time| time.starts_with(prefix));
    let pack = Personality::Oracle.pack();
    let last_updated = pack.and_then(|pack| pack.search.last_updated.as_ref());
    let is_closed = last_updated.is_none_or(|told| !told.value.closed) || has("ge") && has("le");
    if times.is_empty() || is_closed && !has_parameter(request, &["date"]) {
        return Ok(());
    }
    let text = "_lastUpdated is a pair of ge and le, and does not go with date";
    Err(Refusal::invalid(text).at("http._lastUpdated"))
}

fn check_batch(request: &Request) -> Result<(), Refusal> {
    let bundle = request.body.clone().and_then(|body| Bundle::from_resource(body).ok());
    let mut requests =
        bundle.iter().flat_map(|bundle| &bundle.entries).filter_map(|entry| entry.request.as_ref());
    if requests.any(|request| request.method != "GET") {
        return Err(against_rule("a batch takes reads only", "Bundle.entry.request.method"));
    }
    Ok(())
}

fn check_update(ehr: &Ehr, request: &Request, sent: &Resource) -> Result<(), Refusal> {
    let id = request.path.parse().ok();
    let current = id.and_then(|id| ehr.content(&id)).ok_or(Refusal::not_found())?;
    if request.if_match.is_none() {
        return Err(Refusal::precondition("an update needs If-Match"));
    }
    if patient_of(sent, &ehr.base) != patient_of(&current, &ehr.base) {
        return Err(against_rule("the patient can't change", "subject"));
    }
    let visit = |resource: &Resource| encounter(resource).and_then(text_of).map(str::to_owned);
    if visit(sent) != visit(&current) {
        return Err(against_rule("the encounter can't change", "context.encounter"));
    }
    Ok(())
}

fn check_document(ehr: &Ehr, sent: &Resource, is_create: bool) -> Result<(), Refusal> {
    let document = Personality::Oracle.pack().map(|pack| &pack.document);
    match sent.text("status").ok_or(missing("status"))? {
        "current" => {}
        _ => return Err(wrong("status")),
    }
    let doc_status = sent.text("docStatus").ok_or(missing("docStatus"))?;
    if !is_listed(document.and_then(|document| document.doc_status.as_ref()), doc_status) {
        return Err(wrong("docStatus"));
    }
    if first_code(sent.get("type")).is_none() {
        return Err(missing("type"));
    }
    let mut contents = sent.items("content");
    let content = contents.next().ok_or(missing("content"))?;
    if contents.next().is_some() {
        return Err(against_rule("a document has exactly one content", "content"));
    }
    let attachment = content.get("attachment").ok_or(missing("content.attachment"))?;
    let kind = media_type(attachment);
    if !is_listed(document.and_then(|document| document.mime_types.as_ref()), &kind) {
        return Err(wrong("content.attachment.contentType"));
    }
    let said = attachment.text("contentType").unwrap_or_default().to_ascii_lowercase();
    // XML carries its own; pdf and rtf have none.
    if (kind.starts_with("text/") || kind.ends_with("xml")) && !said.contains("charset=") {
        return Err(missing("content.attachment.contentType"));
    }
    let is_kept = !is_create && attachment.text("url").is_some();
    if decoded(attachment).is_none() && !is_kept {
        return Err(missing("content.attachment.data"));
    }
    check_subject(ehr, sent)?;
    let end = sent.get("context").and_then(|context| context.get("period")?.text("end"));
    if !end.ok_or(missing("context.period.end"))?.contains('T') {
        return Err(wrong("context.period.end"));
    }
    check_visit(ehr, sent, "context.encounter")
}

fn check_condition(ehr: &Ehr, sent: &Resource) -> Result<(), Refusal> {
    for element in ["clinicalStatus", "verificationStatus", "code", "category"] {
        if sent.get(element).is_none() && !(element == "clinicalStatus" && is_retracted(sent)) {
            return Err(missing(element));
        }
    }
    check_subject(ehr, sent)?;
    let is_of_visit = |category: &Value| first_code(Some(category)) == Some("encounter-diagnosis");
    if sent.items("category").any(is_of_visit) || sent.get("encounter").is_some() {
        check_visit(ehr, sent, "encounter")?;
    }
    Ok(())
}

fn is_retracted(sent: &Resource) -> bool {
    first_code(sent.get("verificationStatus")) == Some("entered-in-error")
}

/// An Encounter says where it is, by exactly one of two elements, and is no mistake from the start.
fn check_encounter(sent: &Resource) -> Result<(), Refusal> {
    if matches!(sent.text("status"), Some("cancelled" | "entered-in-error") | None) {
        return Err(wrong("status"));
    }
    if sent.get("location").is_some() == sent.get("serviceProvider").is_some() {
        return Err(against_rule("exactly one of location and serviceProvider", "location"));
    }
    Ok(())
}

fn check_subject(ehr: &Ehr, sent: &Resource) -> Result<(), Refusal> {
    let subject = sent.get("subject").ok_or(missing("subject"))?;
    let id = target(ehr, Some(subject)).ok_or(not_here("subject"))?;
    if id.resource_type() == "Patient" { Ok(()) } else { Err(wrong("subject")) }
}

fn check_visit(ehr: &Ehr, sent: &Resource, element: &'static str) -> Result<(), Refusal> {
    let visit = encounter(sent).ok_or(missing(element))?;
    let visit = target(ehr, Some(visit)).ok_or(not_here(element))?;
    if is_of_same_patient(ehr, &visit, sent) {
        Ok(())
    } else {
        Err(against_rule("the encounter is another patient's", element))
    }
}
