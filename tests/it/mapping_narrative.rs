//! Narrative: XHTML that any receiver takes, whatever a record says, with every sentence of the plan in it.

use ipt_fhir::ipt::document::without_local;
use ipt_fhir::json::{Pointer, Value};
use ipt_fhir::mapping::{self, Mapped, Policy};

use crate::mapping::options;
use crate::property::{for_any_record, less};
use crate::support::base64::decoded;
use crate::support::tree::for_each;
use crate::support::{record, record_names, xhtml};

/// The sections whose every sentence the readable plan tells, as far as they are granted.
const TOLD: [&str; 11] = [
    "title",
    "goals",
    "activities",
    "phases",
    "interventions",
    "monitoring",
    "presentingProblem",
    "assessment",
    "relapsePrevention",
    "prognosis",
    "outcome",
];

/// The sentences of a record: what is written for people, not ids, codes and dates.
fn sentences(record: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let members = record.as_object().unwrap().iter();
    for (section, value) in members.filter(|(name, _)| TOLD.contains(name)) {
        let start = Pointer::root().member(section);
        for_each(value, &start, &mut |pointer, value| {
            let mut names = pointer.as_str().rsplit('/').filter(|step| step.parse::<u8>().is_err());
            let is_sentence = matches!(
                names.next(),
                Some(
                    "text"
                        | "title"
                        | "description"
                        | "goal"
                        | "label"
                        | "note"
                        | "conditional"
                        | "frequency"
                        | "symptoms"
                        | "monitoring"
                        | "warningSigns"
                        | "supportNetwork"
                        | "strategies"
                        | "skills"
                )
            );
            if let Some(text) = value.as_str().filter(|_| is_sentence) {
                found.push((pointer.as_str().to_owned(), as_read(text)));
            }
        });
    }
    found
}

/// A text as a reader of XML gets it: one kind of line break, and no characters that XML can't hold.
fn as_read(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// The narrative of a resource, read strictly.
fn narrative(resource: &Value) -> Result<String, String> {
    let div = resource.pointer("/text/div").and_then(Value::as_str).ok_or("no narrative")?;
    let text = xhtml::read(div)?;
    if text.trim().is_empty() { Err("an empty narrative".to_owned()) } else { Ok(text) }
}

/// Checks all narratives of a mapping, and that plan and document tell each of the sentences.
fn check(mapped: &Mapped, sentences: &[(String, String)]) -> Result<(), String> {
    let mut bodies = Vec::new();
    for mapped in &mapped.resources {
        let resource = mapped.resource.to_value();
        let resource_type = mapped.resource.resource_type();
        let text = narrative(&resource).map_err(|error| format!("{resource_type}: {error}"))?;
        if resource_type == "CarePlan" {
            let lost = sentences.iter().find(|(_, sentence)| !text.contains(sentence.as_str()));
            if let Some((pointer, _)) = lost {
                return Err(format!("{pointer} is not in the plan's narrative"));
            }
            bodies.push(text);
        }
    }
    // The document is the same text, as a page.
    let document = mapped.resources.last().ok_or("no resources")?.resource.to_value();
    let data = document.pointer("/content/0/attachment/data").and_then(Value::as_str);
    let page = String::from_utf8(decoded(data.ok_or("no document")?)).map_err(|_| "not UTF-8")?;
    let body = page.split_once("<body>").and_then(|(_, rest)| rest.split_once("</body>"));
    let (body, _) = body.ok_or("no body")?;
    let body = xhtml::read(&format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{body}</div>"))?;
    if bodies.first() != Some(&body) {
        return Err("the document's body is not the plan's narrative".to_owned());
    }
    let title = page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    match title {
        Some((title, _)) if !title.contains('<') => Ok(()),
        _ => Err("the document's title holds markup".to_owned()),
    }
}

#[test]
fn the_readable_plan_tells_every_sentence_of_what_is_granted() {
    for name in record_names() {
        let document = record(&name);
        for policy in [Policy::full(), Policy::minimum()] {
            let mapped = mapping::to_fhir(&document.plan, &options(policy));
            let kept = less(without_local(&document.source), &mapped.withheld);
            let sentences = sentences(&kept);
            assert!(!sentences.is_empty(), "{name}");
            assert_eq!(check(&mapped, &sentences), Ok(()), "{name}");
        }
    }
}

#[test]
fn any_record_has_narratives_that_any_receiver_takes() {
    for_any_record(200, |document| {
        let mapped = mapping::to_fhir(&document.plan, &options(Policy::full()));
        check(&mapped, &sentences(&without_local(&document.source)))
    });
}
