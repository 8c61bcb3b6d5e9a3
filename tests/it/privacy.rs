//! What the policy withholds leaves in no form: not as an element, not in a narrative, not inside a document.

use std::collections::BTreeSet;

use ipt_fhir::ipt::document::{self, without_local};
use ipt_fhir::ipt::{Document, schema};
use ipt_fhir::json::{Pointer, Value};
use ipt_fhir::mapping::{self, Mapped, Options, Policy, Section, Withheld};

use crate::mapping::options;
use crate::property::{for_any_record_and_policy, less};
use crate::support::base64::decoded;
use crate::support::tree::{for_each, strings};
use crate::support::{record, record_names};

/// All texts of a mapping, those of attachments decoded.
fn told(mapped: Mapped) -> Vec<String> {
    let bundle = mapped.into_collection().into_value();
    let mut told: Vec<String> = Vec::new();
    for (pointer, text) in strings(&bundle) {
        if pointer.ends_with("/attachment/data") {
            told.push(String::from_utf8(decoded(text)).unwrap());
        } else {
            told.push(text.to_owned());
        }
    }
    told
}

/// The texts of withheld parts that stand nowhere else in the record, and are no word of the schema.
///
/// Of those who take part, a grant of related persons tells who they are.
pub(crate) fn secrets(document: &Document, withheld: &[Withheld], policy: &Policy) -> Vec<String> {
    let source = without_local(&document.source);
    let kept = less(source.clone(), withheld);
    let kept: Vec<&str> = strings(&kept).into_iter().map(|(_, text)| text).collect();
    let takes_part = |pointer: &str| {
        let (person, member) = pointer.rsplit_once('/').unwrap_or_default();
        let person = source.pointer(person);
        policy.allows(Section::RelatedPersons)
            && matches!(member, "id" | "label" | "relationshipText")
            && person.and_then(|person| person.get("participates")) == Some(&Value::Bool(true))
    };
    let mut secrets = Vec::new();
    for part in withheld {
        let start = part.pointer.clone();
        for_each(source.pointer(start.as_str()).unwrap(), &start, &mut |pointer, value| {
            let Some(text) = value.as_str() else { return };
            let is_elsewhere = kept.iter().any(|kept| kept.contains(text));
            let is_word = text.chars().count() < 6 || schema::TEXT.contains(text);
            if !is_elsewhere && !is_word && !takes_part(pointer.as_str()) {
                secrets.push(text.to_owned());
            }
        });
    }
    secrets
}

/// As it stands in a text of JSON, and in one of XHTML.
pub(crate) fn spellings(text: &str) -> [String; 3] {
    let json = Value::String(text.to_owned()).to_text();
    let json = json.trim_matches('"').to_owned();
    let xhtml = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    [text.to_owned(), json, xhtml.replace('"', "&quot;")]
}

fn leak(document: &Document, policy: &Policy, is_secret: fn(&str) -> bool) -> Option<String> {
    let mapped = mapping::to_fhir(&document.plan, &options(policy.clone()));
    let secrets = secrets(document, &mapped.withheld, policy);
    let told = told(mapped);
    secrets.into_iter().filter(|secret| is_secret(secret)).find(|secret| {
        let spellings = spellings(secret);
        told.iter().any(|text| spellings.iter().any(|secret| text.contains(secret.as_str())))
    })
}

#[test]
fn nothing_that_is_withheld_stands_anywhere_in_the_output() {
    for name in record_names() {
        let document = record(&name);
        for policy in std::iter::once(Policy::minimum())
            .chain(Section::ALL.map(|section| Policy::minimum().grant(section)))
            .chain(Section::ALL.map(|section| {
                let others = Section::ALL.into_iter().filter(|other| *other != section);
                others.fold(Policy::minimum(), Policy::grant)
            }))
        {
            assert_eq!(leak(&document, &policy, |_| true), None, "{name}: {policy:?}");
        }
    }
    let document = record("all-fields.json");
    let mapped = mapping::to_fhir(&document.plan, &options(Policy::minimum()));
    let secrets = secrets(&document, &mapped.withheld, &Policy::minimum());
    assert!(secrets.len() > 60, "there is something to keep: {}", secrets.len());
}

#[test]
fn nothing_that_any_policy_withholds_of_any_record_stands_in_the_output() {
    for_any_record_and_policy(150, |document, policy| {
        // Words by chance may be those that the mapping itself writes; numbered ones are nobody else's.
        let is_secret = |text: &str| text.contains("some words No. ");
        leak(document, policy, is_secret)
            .map_or(Ok(()), |secret| Err(format!("`{secret}` has leaked")))
    });
}

#[test]
fn a_grant_reveals_its_section_and_no_other() {
    let document = record("all-fields.json");
    let withheld_by = |policy: Policy| -> BTreeSet<(Section, String)> {
        let mapped = mapping::to_fhir(&document.plan, &options(policy));
        let parts = mapped.withheld.into_iter();
        parts.map(|part| (part.section, part.pointer.as_str().to_owned())).collect()
    };
    let minimum = withheld_by(Policy::minimum());
    let mapped = mapping::to_fhir(&document.plan, &options(Policy::minimum()));
    let kept_here = secrets(&document, &mapped.withheld, &Policy::minimum());
    for section in Section::ALL {
        let of_it = minimum.iter().filter(|(of, _)| *of == section).count();
        assert!(of_it > 0 || section == Section::RecordJson, "{section:?} has something to keep");
        let policy = Policy::minimum().grant(section);
        let still: BTreeSet<_> = minimum.iter().filter(|(of, _)| *of != section).cloned().collect();
        assert_eq!(withheld_by(policy.clone()), still, "{section:?}");
        let told = told(mapping::to_fhir(&document.plan, &options(policy)));
        let mut revealed = kept_here.clone();
        revealed.retain(|secret| told.iter().any(|text| text.contains(secret.as_str())));
        assert_eq!(revealed.is_empty(), section == Section::RecordJson, "{section:?}");
    }
    assert!(withheld_by(Policy::full()).is_empty());
}

#[test]
fn the_record_beside_the_plan_is_the_record_less_what_is_withheld() {
    let document = record("all-fields.json");
    let attached = |policy: Policy| {
        let mapped = mapping::to_fhir(&document.plan, &options(policy));
        let expected = less(without_local(&document.source), &mapped.withheld);
        let last = mapped.resources.last().unwrap().resource.to_value();
        let data = last.pointer("/content/1/attachment/data").and_then(Value::as_str);
        (data.map(|data| ipt_fhir::json::parse(&decoded(data)).unwrap()), expected)
    };
    let (found, _) = attached(Policy::minimum());
    assert_eq!(found, None, "the record itself goes by grant only");
    for policy in [Policy::full(), Policy::minimum().grant(Section::RecordJson)] {
        let (found, expected) = attached(policy);
        assert_eq!(crate::mapping::difference(&expected, &found.unwrap(), ""), None);
    }
    // Of those who take part it tells who they are, and nothing else of the inventory.
    let both = Policy::minimum().grant(Section::RecordJson).grant(Section::RelatedPersons);
    let (found, _) = attached(both);
    let found = found.unwrap();
    let people: Vec<&Value> = found.items("inventory").collect();
    assert_eq!(people.len(), 2);
    for person in people {
        let known = ["id", "label", "relationship", "relationshipText", "participates"];
        assert!(person.as_object().unwrap().iter().all(|(name, _)| known.contains(&name)));
    }
}

fn labels(resource: &Value) -> BTreeSet<String> {
    let labels = resource.get("meta").into_iter().flat_map(|meta| meta.items("security"));
    labels.filter_map(|label| label.text("code")).map(str::to_owned).collect()
}

/// John Lee with one more diagnosis of this code.
fn with_diagnosis(code: &str) -> Document {
    let mut value = record("all-fields.json").source;
    let coding = value.pointer_mut("/diagnoses/1/codings/0/code").unwrap();
    *coding = Value::String(code.to_owned());
    document::parse(value.to_text().as_bytes()).unwrap()
}

/// The labels beyond R and MH of each type that the code of a diagnosis brings.
/// The labels of every resource beside R and MH, as (type, local name, labels).
fn labelled(code: &str, part_2_program: bool) -> Vec<(String, String, BTreeSet<String>)> {
    let options = Options { part_2_program, ..options(Policy::full()) };
    let mapped = mapping::to_fhir(&with_diagnosis(code).plan, &options);
    let resources = mapped.resources.iter().map(|mapped| {
        let mut labels = labels(&mapped.resource.to_value());
        labels.retain(|label| !["R", "MH"].contains(&label.as_str()));
        let item = mapped.resource.identifier(mapping::identity::PLAN_ITEM_SYSTEM);
        let local = item.and_then(|item| item.split_once('/')).map_or("", |(_, local)| local);
        (mapped.resource.resource_type().to_owned(), local.to_owned(), labels)
    });
    resources.collect()
}

#[test]
fn every_clinical_resource_says_that_it_is_restricted_and_about_mental_health() {
    for name in record_names() {
        let mapped = mapping::to_fhir(&record(&name).plan, &options(Policy::full()));
        let mut union = BTreeSet::new();
        for mapped in &mapped.resources {
            let resource = mapped.resource.to_value();
            let labels = labels(&resource);
            if matches!(mapped.resource.resource_type(), "Patient" | "Practitioner") {
                assert!(labels.is_empty(), "{name}");
            } else {
                assert!(labels.contains("R") && labels.contains("MH"), "{name}: {mapped:?}");
            }
            let systems = resource.get("meta").into_iter().flat_map(|meta| meta.items("security"));
            assert!(systems.clone().all(|label| label.text("system").is_some()), "{name}");
            union.extend(labels);
        }
        let bundle = mapped.into_collection().into_value();
        assert_eq!(self::labels(&bundle), union, "{name}: the Bundle is labelled as its content");
    }
}

#[test]
fn a_diagnosis_labels_the_whole_course_and_no_other_condition() {
    for (code, part_2_program, expected) in [
        ("F32.A", true, &[][..]),
        ("F10.20", false, &["SUD"][..]),
        ("F19.9", true, &["SUD", "42CFRPart2", "NORDSCLCD"][..]),
        ("Z69.11", true, &["SDV"][..]),
        ("T74.11XA", false, &["SDV"][..]),
    ] {
        let expected: BTreeSet<String> = expected.iter().map(|label| (*label).to_owned()).collect();
        let mut conditions = 0;
        for (resource_type, local, mut labels) in labelled(code, part_2_program) {
            let is_pds = labels.remove("PDS");
            match resource_type.as_str() {
                "Patient" | "Practitioner" => assert!(labels.is_empty()),
                "Condition" => conditions += usize::from(!labels.is_empty()),
                _ => assert_eq!(labels, expected, "{code}: {resource_type} {local}"),
            }
            // About others by nature: the inventory, those of it who take part, and the record beside the plan.
            let is_about_others = resource_type == "RelatedPerson"
                || resource_type == "DocumentReference" && local == "@document"
                || resource_type == "QuestionnaireResponse" && is_pds;
            assert_eq!(is_pds, is_about_others, "{code}: {resource_type} {local}");
        }
        assert_eq!(conditions, usize::from(!expected.is_empty()), "{code}: its own Condition");
    }
}

#[test]
fn pointers_of_what_is_withheld_lead_into_the_record() {
    for name in record_names() {
        let document = record(&name);
        let mapped = mapping::to_fhir(&document.plan, &options(Policy::minimum()));
        let mut seen = BTreeSet::new();
        for part in &mapped.withheld {
            let pointer: &Pointer = &part.pointer;
            assert!(document.source.pointer(pointer.as_str()).is_some(), "{name}: {pointer}");
            assert!(seen.insert(pointer.as_str().to_owned()), "{name}: {pointer} twice");
        }
    }
}
