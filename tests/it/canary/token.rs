//! The canary: a token for each text of a record, and the search for it.

use std::collections::BTreeMap;

use ipt_fhir::date::DateTime;
use ipt_fhir::ipt::schema;
use ipt_fhir::json::{self, Value};

use crate::support::{fixture, record_names};

/// What every token begins with. No id that the sandbox gives holds a `z`, and no UUID does.
pub(super) const STEM: &str = "qzcanary";

/// The stem in base64: the whole groups of it, for each of the three ways in which it can lie across them.
const IN_BASE64: [&str; 3] = ["cXpjYW5h", "Y2FuYXJ5", "emNhbmFy"];

/// The first token in a text with what stands around it, if there is one, in any letter case or in base64.
pub(super) fn leak(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let found = lower.find(STEM).or_else(|| IN_BASE64.iter().find_map(|part| text.find(part)))?;
    let before: String = text.get(..found)?.chars().rev().take(120).collect();
    let after: String = text.get(found..)?.chars().take(60).collect();
    Some(before.chars().rev().chain(after.chars()).collect())
}

/// A record of `fixtures/ipt` in which every text that may identify a person is a token of its own.
pub(super) fn canary(name: &str) -> Value {
    let mut record = json::parse(&fixture(&format!("ipt/{name}"))).unwrap();
    // No two records share a token: they are not the same plan.
    let number = record_names().iter().position(|other| other == name).unwrap();
    let mut tokens = Tokens { record: number + 1, given: BTreeMap::new() };
    tokens.put(&mut record, "");
    record
}

/// The tokens that were given, by the text that each stands for: ids stay the same wherever they are named.
struct Tokens {
    record: usize,
    given: BTreeMap<String, String>,
}

impl Tokens {
    fn put(&mut self, value: &mut Value, member: &str) {
        match value {
            Value::String(text) if !stays(text, member) => {
                let (record, number) = (self.record, self.given.len() + 1);
                let given = self.given.entry(text.clone()).or_insert_with(|| {
                    let token = format!("{STEM}{record}x{number:04}");
                    // A text stays one: of several words, and not of ASCII alone.
                    if text.contains(' ') {
                        format!("{token} – “{token}” said")
                    } else {
                        token
                    }
                });
                text.clone_from(given);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.put(item, member)),
            Value::Object(object) => {
                // Not only what is ours can be a code: the code of a Coding is known to everybody.
                let is_coding = object.get("system").is_some() && object.get("code").is_some();
                for (name, value) in object.iter_mut() {
                    if !(is_coding && matches!(name, "system" | "code")) {
                        self.put(value, name);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a text is the schema's or everybody's: a code, a date, the URI of a system.
fn stays(text: &str, member: &str) -> bool {
    let names_an_item = matches!(member, "id" | "attendees" | "addresses")
        || ["Id", "Ids"].iter().any(|end| member.ends_with(end));
    // Words that are the schema's by chance.
    let is_words = matches!(member, "label" | "title" | "text" | "display" | "role");
    let is_free = names_an_item || is_words || member.starts_with("x-");
    !is_free
        && (matches!(member, "system" | "formatVersion" | "fhirVersion" | "path" | "hash")
            || matches!(member, "language" | "resourceType")
            || DateTime::parse(text).is_ok()
            || schema::TEXT.contains(&format!("\"{text}\"")))
}

/// A tree as block YAML.
pub(super) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    write_yaml(value, 0, &mut text);
    text
}

fn write_yaml(value: &Value, depth: usize, text: &mut String) {
    let mut line = |start: String, value: &Value| {
        text.push_str(&"  ".repeat(depth));
        text.push_str(&start);
        let is_block = value.as_object().is_some_and(|object| !object.is_empty())
            || value.as_array().is_some_and(|items| !items.is_empty());
        if is_block {
            text.push('\n');
            write_yaml(value, depth + 1, text);
        } else {
            // A scalar of JSON is one of YAML.
            text.push_str(&[" ", &value.to_text(), "\n"].concat());
        }
    };
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| {
                let is_plain =
                    name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
                let quoted = Value::String(name.to_owned()).to_text();
                line(format!("{}:", if is_plain { name } else { &quoted }), value);
            });
        }
        Value::Array(items) => items.iter().for_each(|item| line("-".to_owned(), item)),
        other => text.push_str(&other.to_text()),
    }
}

/// Sets the value at a pointer whose last step is a member or an item that is there.
pub(super) fn with(record: &Value, pointer: &str, value: impl Into<Value>) -> Value {
    let mut record = record.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match record.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
        Value::Object(object) => object.insert(name.to_owned(), value.into()),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.into(),
        other => panic!("{pointer}: {other:?}"),
    }
    record
}

#[test]
fn every_text_that_may_identify_is_a_token_and_the_record_is_still_one() {
    for name in record_names() {
        let record = canary(&name);
        let mut left = Vec::new();
        for (pointer, text) in crate::support::tree::strings(&record) {
            if leak(text).is_none() {
                left.push((pointer, text));
            }
        }
        for (pointer, text) in &left {
            assert!(
                !text.contains(' ') || pointer.contains("exclusions"),
                "{name}{pointer}: {text}"
            );
        }
        for text in [record.to_pretty(), yaml(&record)] {
            let parsed = ipt_fhir::ipt::document::parse(text.as_bytes());
            parsed.unwrap_or_else(|error| panic!("{name}: {:#?}", error.issues()));
        }
    }
    let tokens = canary("all-fields.json").to_text().matches(STEM).count();
    assert!(tokens > 400, "{tokens}");
}

#[test]
fn a_planted_token_is_found_in_every_spelling() {
    for text in ["qzcanary0001", "…/fhir/Patient?name=QzCanary0001&x=1", "\u{1b}[1m“qzcanary” said"]
    {
        assert!(leak(text).is_some(), "{text}");
    }
    assert_eq!(leak("Patient/123 /goals/0/text 12 characters"), None);
    // In base64 at each of the three places: shown by attachments, which begin with words of any length.
    for text in ["cXpjYW5hcnkwMDAx", "LXF6Y2FuYXJ5MDAwMQ==", "LS1xemNhbmFyeTAwMDE="] {
        let decoded = String::from_utf8(crate::support::base64::decoded(text)).unwrap();
        assert!(decoded.ends_with("qzcanary0001"), "{decoded}");
        assert!(leak(text).is_some(), "{text}");
    }
}
