//! Epic: notes and problems, as its specifications have them (ehrs-and-sync.md 1.1-1.5).
//!
//! A note is one text with its Encounter; a second create files a second note. Of what is sent it keeps only what a note
//! there has: `identifier`, `relatesTo` and `author` are gone, so that a search by identifier, which the statement lists,
//! finds none of ours: on that server it filters what the required `patient` found, and nothing is left. A problem is
//! filed as provisional and waits for a clinician where no search finds it; it can be read by its id.

use crate::fhir::Resource;
use crate::sandbox::answer::Refusal;
use crate::sandbox::interaction::{Ehr, Method, Request};
use crate::sandbox::personality::Personality;

use super::{
    Ruling, creates, decoded, encounter, file_attachments, first_code, has_code, has_parameter,
    is_listed, is_of_same_patient, is_search, keep, media_type, most_characters, target, type_of,
};

const LOINC: &str = "http://loinc.org";

/// The elements that a note keeps.
const OF_A_NOTE: &[&str] =
    &["status", "docStatus", "type", "category", "subject", "date", "content", "context"];

/// The elements that a problem keeps.
const OF_A_PROBLEM: &[&str] = &[
    "clinicalStatus",
    "verificationStatus",
    "category",
    "code",
    "subject",
    "encounter",
    "onsetDateTime",
    "onsetPeriod",
    "recordedDate",
    "note",
];

/// A refusal with a number of Epic's.
pub(in crate::sandbox) const fn coded(mut refusal: Refusal, code: &'static str) -> Refusal {
    refusal.number = Some(code);
    refusal
}

/// A required element is missing.
fn missing(element: &'static str) -> Refusal {
    coded(Refusal::new(400, "required", "a required element is missing").at(element), "59108")
}

/// An element has a value that is not taken.
fn wrong(element: &'static str) -> Refusal {
    coded(Refusal::new(400, "value", "a value is not one that is taken").at(element), "59102")
}

/// What an element leads to is not here.
fn not_here(element: &'static str) -> Refusal {
    let text = "what the element refers to was not found";
    coded(Refusal::new(422, "not-found", text).at(element), "59144")
}

/// A rule refuses the content.
fn against_rule(text: &'static str, element: &'static str) -> Refusal {
    coded(Refusal::new(422, "business-rule", text).at(element), "59159")
}

pub(super) fn before(ehr: &mut Ehr, request: &Request) -> Result<Ruling, Refusal> {
    if is_search(request) {
        check_search(ehr, request)?;
        return Ok(Ruling::AsAsked);
    }
    let body = || request.body.as_ref().ok_or(missing("body"));
    let kept = match creates(request) {
        Some("DocumentReference") => note(ehr, body()?)?,
        Some("Condition") => problem(ehr, body()?)?,
        Some(_) => {
            let text = "the interface takes other content than this: see its specification";
            return Err(against_rule(text, "resourceType"));
        }
        None if request.method == Method::Put => {
            let text = "the interface does not update what was filed";
            return Err(against_rule(text, "resourceType"));
        }
        None => return Ok(Ruling::AsAsked),
    };
    Ok(Ruling::Instead(Request { body: Some(kept), ..request.clone() }))
}

/// A search of a chart names its patient, one of care plans their category, too.
fn check_search(ehr: &Ehr, request: &Request) -> Result<(), Refusal> {
    let resource_type = type_of(request);
    let surface = ehr.behaviour.surface.as_ref().and_then(|surface| surface.of(resource_type));
    let is_of_chart = surface.is_some_and(|taken| taken.parameters.contains("patient"));
    if has_parameter(request, &["_id"]) || !is_of_chart {
        return Ok(());
    }
    if request.query.is_empty() {
        let text = "the search has no parameter";
        return Err(coded(Refusal::new(400, "required", text), "4110"));
    }
    let lacks = |names: &[&str]| !has_parameter(request, names);
    if lacks(&["patient", "subject"]) || resource_type == "CarePlan" && lacks(&["category"]) {
        let text = "the search lacks a parameter that is required";
        return Err(coded(Refusal::new(400, "required", text), "4111"));
    }
    Ok(())
}

fn note(ehr: &mut Ehr, sent: &Resource) -> Result<Resource, Refusal> {
    let pack = Personality::Epic.pack();
    let document = pack.map(|pack| &pack.document);
    match sent.text("status").ok_or(missing("status"))? {
        "current" => {}
        _ => return Err(wrong("status")),
    }
    let doc_status = sent.text("docStatus").ok_or(missing("docStatus"))?;
    if !is_listed(document.and_then(|document| document.doc_status.as_ref()), doc_status) {
        return Err(wrong("docStatus"));
    }
    if !has_code(sent.get("type").ok_or(missing("type"))?, LOINC) {
        return Err(wrong("type"));
    }
    let mut contents = sent.items("content");
    let content = contents.next().ok_or(missing("content"))?;
    if contents.next().is_some() {
        return Err(against_rule("a note has exactly one attachment", "content"));
    }
    let attachment = content.get("attachment").ok_or(missing("content/attachment"))?;
    let is_taken = |media_type: &str| {
        is_listed(document.and_then(|document| document.mime_types.as_ref()), media_type)
    };
    if !is_taken(&media_type(attachment)) {
        return Err(wrong("content/attachment/contentType"));
    }
    if attachment.text("data").is_none() {
        return Err(missing("content/attachment/data"));
    }
    if decoded(attachment).is_none_or(|data| String::from_utf8(data).is_err()) {
        return Err(wrong("content/attachment/data"));
    }
    check_subject(ehr, sent)?;
    let visit = encounter(sent).ok_or(missing("context/encounter"))?;
    let visit = target(ehr, Some(visit)).ok_or(not_here("context/encounter"))?;
    if !is_of_same_patient(ehr, &visit, sent) {
        return Err(against_rule("the encounter is another patient's", "context/encounter"));
    }
    Ok(file_attachments(ehr, keep(sent.clone(), OF_A_NOTE)))
}

fn problem(ehr: &Ehr, sent: &Resource) -> Result<Resource, Refusal> {
    if first_code(sent.get("verificationStatus")) != Some("provisional") {
        let text = "a problem is filed as provisional";
        let refusal = Refusal::new(422, "business-rule", text).at("verificationStatus");
        return Err(coded(refusal, "59012"));
    }
    if sent.get("code").is_none() {
        return Err(missing("code"));
    }
    let notes: usize = sent
        .items("note")
        .filter_map(|note| note.text("text"))
        .map(|text| text.chars().count())
        .sum();
    let most = most_characters(Personality::Epic.pack(), "Condition.note");
    if most.is_some_and(|most| notes > most) {
        return Err(against_rule("the note is too long", "note"));
    }
    check_subject(ehr, sent)?;
    Ok(keep(sent.clone(), OF_A_PROBLEM))
}

fn check_subject(ehr: &Ehr, sent: &Resource) -> Result<(), Refusal> {
    let subject = sent.get("subject").ok_or(missing("subject"))?;
    match target(ehr, Some(subject)) {
        Some(id) if id.resource_type() == "Patient" => Ok(()),
        Some(_) => Err(wrong("subject")),
        None => Err(not_here("subject")),
    }
}
