//! What notes say.

use ipt_fhir::ipt::document::{parse, without_local};
use ipt_fhir::json::{Pointer, Value};
use ipt_fhir::mapping::note::{MediaType, footer_reference, notes};
use ipt_fhir::mapping::{self, Policy, Section};

use super::{first, html, options, records, text};
use crate::privacy::{secrets, spellings};
use crate::property::{for_any_record, for_any_record_and_policy, less};
use crate::support::reading::{Tables, letters, of_html, of_text};
use crate::support::tree::for_each;
use crate::support::{fixture, record};

/// Members whose values are no sentences: ids, references to them, codes, units. Numbers of people and ways to reach
/// the client belong to the chart that a note is filed in.
const NOT_SAID: [&str; 41] = [
    "id",
    "format",
    "formatVersion",
    "status",
    "variant",
    "language",
    "phaseId",
    "goalId",
    "goalIds",
    "activityIds",
    "focusAreaIds",
    "relationshipIds",
    "addresses",
    "attendees",
    "system",
    "use",
    "unit",
    "comparator",
    "instrument",
    "rank",
    "clinicalStatus",
    "verificationStatus",
    "achievement",
    "priority",
    "expressedBy",
    "result",
    "delivery",
    "techniques",
    "level",
    "kind",
    "gender",
    "relationship",
    "identifiers",
    "family",
    "given",
    "prefix",
    "suffix",
    "start",
    "end",
    "measure",
    "revision",
];

/// What is said in a record, with its place.
fn sentences(record: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for_each(record, &Pointer::root(), &mut |pointer, value| {
        let Some(text) = value.as_str() else { return };
        let steps: Vec<&str> =
            pointer.as_str().split('/').filter(|step| step.parse::<u8>().is_err()).collect();
        let is_code = steps.last() == Some(&"code") && !steps.contains(&"exclusions");
        let of_client = steps.contains(&"client") && steps.contains(&"telecom");
        // Moments of sessions are said as day and clock.
        let of_consent = steps.contains(&"consents")
            && !steps.iter().any(|step| *step == "id" || *step == "kind" || *step == "status");
        let is_sentence = of_consent || !steps.iter().any(|step| NOT_SAID.contains(step));
        if is_sentence && !is_code && !of_client {
            found.push((pointer.as_str().to_owned(), letters(text)));
        }
    });
    found
}

/// The first sentence that no note says.
fn unsaid(record: &Value, said: &[String]) -> Option<String> {
    let sentences = sentences(record);
    let lost = sentences
        .iter()
        .find(|(_, sentence)| !said.iter().any(|said| said.contains(sentence.as_str())));
    lost.map(|(pointer, _)| format!("{pointer} is in no note"))
}

#[test]
fn every_sentence_of_what_is_granted_is_in_a_note() {
    if records().iter().all(|(name, _)| name != "sara-dit") {
        println!("left out: the canonical samples (there is no ../shared)");
    }
    for (name, document) in records() {
        let grants = Section::ALL.map(|section| Policy::minimum().grant(section));
        for policy in [Policy::full(), Policy::minimum()].into_iter().chain(grants) {
            let mapped = mapping::to_fhir(&document.plan, &options(policy.clone()));
            let kept = less(without_local(&document.source), &mapped.withheld);
            let said: Vec<String> = notes(&document.plan, &options(policy.clone()))
                .iter()
                .map(|note| letters(&text(note)))
                .collect();
            assert!(!sentences(&kept).is_empty(), "{name}");
            assert_eq!(unsaid(&kept, &said), None, "{name}: {policy:?}");
        }
    }
    let document = record("all-fields.json");
    assert!(unsaid(&without_local(&document.source), &[]).is_some(), "the check can fail");
}

#[test]
fn every_sentence_of_any_record_is_in_a_note_and_text_and_page_say_the_same() {
    for_any_record(120, |document| {
        let notes = notes(&document.plan, &options(Policy::full()));
        for note in &notes {
            if of_text(&text(note)) != of_html(&html(note), Tables::Fields) {
                return Err("text and page differ".to_owned());
            }
        }
        let said: Vec<String> = notes.iter().map(|note| letters(&text(note))).collect();
        unsaid(&without_local(&document.source), &said).map_or(Ok(()), Err)
    });
}

#[test]
fn nothing_that_is_withheld_is_in_a_note() {
    for (name, document) in records() {
        let grants = Section::ALL.map(|section| Policy::minimum().grant(section));
        for policy in std::iter::once(Policy::minimum()).chain(grants) {
            let withheld = mapping::to_fhir(&document.plan, &options(policy.clone())).withheld;
            let secrets = secrets(&document, &withheld, &policy);
            for note in notes(&document.plan, &options(policy.clone())) {
                let mut told = vec![text(&note), html(&note), format!("{note:?}")];
                let resource = note.resource(&first(), &mapping::note::Shape::default()).unwrap();
                told.push(resource.to_text());
                let told: Vec<String> = told.iter().map(|text| letters(text)).collect();
                let leak = secrets.iter().find(|secret| {
                    let spellings = spellings(secret).map(|spelling| letters(&spelling));
                    told.iter().any(|text| spellings.iter().any(|one| text.contains(one.as_str())))
                });
                assert_eq!(leak, None, "{name}: {policy:?}");
            }
        }
    }
}

#[test]
fn nothing_that_any_policy_withholds_of_any_record_is_in_a_note() {
    for_any_record_and_policy(80, |document, policy| {
        let withheld = mapping::to_fhir(&document.plan, &options(policy.clone())).withheld;
        let secrets = secrets(document, &withheld, policy);
        // Words by chance may be those of the page itself; numbered ones are nobody else's.
        let numbered = |secret: &&String| {
            secret.bytes().filter(u8::is_ascii_digit).count() > 2 && secret.len() > 8
        };
        for note in notes(&document.plan, &options(policy.clone())) {
            let said = text(&note);
            if let Some(secret) =
                secrets.iter().filter(numbered).find(|secret| said.contains(*secret))
            {
                return Err(format!("{secret:?} is in a note"));
            }
        }
        Ok(())
    });
}

#[test]
fn text_page_and_pdf_say_the_same_with_the_same_footer() {
    let mut left_out = 0;
    for (name, document) in records() {
        for note in notes(&document.plan, &options(Policy::full())) {
            let (said, footer) = of_text(&text(&note));
            let page = html(&note);
            assert_eq!((said, footer.clone()), of_html(&page, Tables::Fields), "{name}");
            let reference = footer_reference(text(&note).as_bytes()).unwrap();
            assert_eq!(reference.to_string(), footer);
            assert_eq!((reference.slot, reference.number), (note.slot, 1));
            assert_eq!(reference.digest, note.digest(&first()));
            assert_eq!(footer_reference(page.as_bytes()).as_ref(), Some(&reference), "{name}");
            if !cfg!(feature = "pdf") {
                continue;
            }
            let pdf = match note.render(&first(), MediaType::Pdf) {
                Ok(pdf) => pdf,
                // A record may hold what the fonts do not.
                Err(error) => {
                    assert_eq!(error.code(), "ipt-note-character", "{name}: {error}");
                    println!("{name}: {error}");
                    continue;
                }
            };
            assert_eq!(footer_reference(&pdf).as_ref(), Some(&reference), "{name}");
            assert_eq!(pdf, note.render(&first(), MediaType::Pdf).unwrap(), "{name}");
            match crate::support::reading::of_pdf(&pdf) {
                Some((read, footers)) => {
                    assert_eq!(read, of_html(&page, Tables::Grid).0, "{name}");
                    assert!(footers.iter().all(|found| *found == footer), "{footers:?}");
                }
                None => left_out += 1,
            }
        }
    }
    if left_out > 0 {
        println!("left out: the text of {left_out} PDFs (there is no pdftotext)");
    }
}

/// The same value with the members of every object in reverse.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut turned = ipt_fhir::json::Object::new();
            let members: Vec<_> = object.iter().collect();
            for (name, value) in members.into_iter().rev() {
                turned.insert(name.to_owned(), reversed(value));
            }
            Value::Object(turned)
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_order_of_members_changes_nothing() {
    let document = record("all-fields.json");
    let turned = parse(reversed(&document.source).to_text().as_bytes()).unwrap();
    let bytes = |plan| -> Vec<Vec<u8>> {
        let notes = notes(plan, &options(Policy::full()));
        notes.iter().map(|note| note.render(&first(), MediaType::Html).unwrap()).collect()
    };
    assert_eq!(bytes(&document.plan), bytes(&turned.plan));
    assert!(fixture("ipt/all-fields.json").len() > 100);
}
