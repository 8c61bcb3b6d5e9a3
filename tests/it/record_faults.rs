//! Faults of records: each is named with its place and with what to do, and no value of the record is repeated.

use std::collections::BTreeMap;

use ipt_fhir::ipt::document::{self, Error, Spelling, plan_value, without_local};
use ipt_fhir::ipt::{Document, schema};
use ipt_fhir::issue::{Issue, Severity};
use ipt_fhir::json::{self, Number, Pointer, Value};

use crate::support::tree::{for_each, object_pointers};
use crate::support::{fixture, record};

/// A line of `fixtures/invalid/ipt/index.json`.
struct Fault {
    file: String,
    class: String,
    pointer: String,
}

/// The faults of each broken record. An unknown key is shown itself, a missing member at its parent; where a text
/// is no JSON, the pointer is for people only.
fn faults() -> BTreeMap<String, Vec<Fault>> {
    let index = json::parse(&fixture("invalid/ipt/index.json")).unwrap();
    let mut faults = BTreeMap::<String, Vec<Fault>>::new();
    for line in index.as_array().unwrap() {
        let text = |name| line.text(name).unwrap().to_owned();
        let fault = Fault { file: text("file"), class: text("class"), pointer: text("pointer") };
        faults.entry(fault.file.clone()).or_default().push(fault);
    }
    assert!(faults.len() >= 50, "the broken records are there");
    faults
}

fn broken(file: &str) -> Vec<u8> {
    fixture(&format!("invalid/ipt/{file}"))
}

/// A record of the fixtures, changed.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Result<Document, Error> {
    let mut value = record(name).source;
    change(&mut value);
    document::parse(value.to_text().as_bytes())
}

fn set(value: &mut Value, pointer: &str, member: &str, to: Value) {
    let object = value.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.unwrap_or_else(|| panic!("{pointer} is no object")).insert(member.to_owned(), to);
}

fn number(text: &str) -> Value {
    Value::Number(Number::from_text(text).unwrap())
}

fn pointers(error: &Error) -> Vec<&str> {
    error.issues().iter().map(|issue| issue.location.pointer.as_str()).collect()
}

#[test]
fn every_broken_record_of_the_folder_is_in_the_index() {
    let mut files: Vec<String> = std::fs::read_dir(crate::support::fixtures().join("invalid/ipt"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "index.json")
        .collect();
    files.sort();
    assert_eq!(files, faults().into_keys().collect::<Vec<_>>());
}

#[test]
fn every_fault_is_found_in_its_class_and_at_its_place() {
    for (file, faults) in faults() {
        let parsed = document::parse(&broken(&file));
        let classes: Vec<&str> = faults.iter().map(|fault| fault.class.as_str()).collect();
        let wanted: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        match (classes[0], parsed) {
            ("syntax", Err(Error::Unreadable(issue))) => {
                assert_eq!(issue.severity, Severity::Fatal, "{file}");
            }
            ("unknown", Err(Error::Unreadable(issue))) => {
                assert_eq!([issue.location.pointer.as_str()], wanted[..], "{file}");
            }
            ("schema" | "rule", Err(error @ Error::Invalid(_))) => {
                assert_eq!(pointers(&error), wanted, "{file}: one fault each, and no other");
                assert!(error.issues().iter().all(Issue::is_error), "{file}");
            }
            ("warning", Ok(document)) => {
                let found = document.warnings.iter().map(|issue| issue.location.pointer.as_str());
                assert!(found.clone().any(|pointer| pointer == wanted[0]), "{file}");
                assert!(document.warnings.iter().all(|issue| issue.severity == Severity::Warning));
            }
            (class, Ok(_)) => panic!("{file} of class {class} is taken"),
            (class, Err(error)) => panic!("{file} of class {class}: {:#?}", error.issues()),
        }
    }
}

#[test]
fn three_faults_are_told_at_once_each_with_a_code_of_its_own() {
    let Err(error) = document::parse(&broken("three-faults.json")) else { panic!("it is taken") };
    let mut codes: Vec<&str> = error.issues().iter().map(|issue| issue.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["ipt-plan-code", "ipt-plan-range", "ipt-plan-unknown-key"]);
}

/// The strings of a document that could tell of a person: those that are no words of the schema.
fn told_by(text: &[u8]) -> Vec<String> {
    let mut strings = Vec::new();
    match json::parse(text) {
        Ok(value) => for_each(&value, &Pointer::root(), &mut |_, value| {
            strings.extend(value.as_str().map(str::to_owned));
        }),
        // What is no JSON still has its quoted parts.
        Err(_) => strings
            .extend(String::from_utf8_lossy(text).split('"').skip(1).step_by(2).map(str::to_owned)),
    }
    strings.retain(|text| text.chars().count() >= 4 && !schema::TEXT.contains(text.as_str()));
    strings
}

#[test]
fn every_issue_has_a_place_and_a_help_and_repeats_nothing_of_the_record() {
    for file in faults().keys() {
        let text = broken(file);
        let issues = match document::parse(&text) {
            Ok(document) => document.warnings,
            Err(error) => error.issues().to_vec(),
        };
        assert!(!issues.is_empty(), "{file}");
        let told = told_by(&text);
        assert!(file == "empty.json" || !told.is_empty(), "{file}");
        for issue in issues {
            let position = issue.location.position;
            assert!(position.is_some_and(|place| place.line > 0 && place.column > 0), "{file}");
            let help = issue.help.as_deref().unwrap_or_default();
            assert!(!help.is_empty(), "{file}: {issue} has no help");
            for said in [&issue.text, help, issue.location.pointer.as_str(), issue.code] {
                let repeated = told.iter().find(|value| said.contains(value.as_str()));
                assert_eq!(repeated, None, "{file}: {said}");
            }
            let debug = format!("{issue:?}");
            assert_eq!(told.iter().find(|value| debug.contains(value.as_str())), None, "{file}");
        }
    }
}

#[test]
fn an_unknown_key_that_is_no_plain_word_is_shown_by_its_place_only() {
    let Err(error) = changed("john-lee.json", |value| {
        set(value, "/client", "his friend Tom Ash", Value::Null);
        set(value, "/client", "söhne", Value::Null);
    }) else {
        panic!("unknown keys are taken");
    };
    assert_eq!(pointers(&error), ["/client", "/client"]);
    let shown = format!("{error:?}");
    assert!(!shown.contains("Tom") && !shown.contains("söhne"));
}

#[test]
fn keys_for_process_notes_are_refused_in_every_object_and_none_is_read() {
    let keys = [
        "processNotes",
        "process_notes",
        "sessionTranscript",
        "x-counter-transference",
        "psychotherapyNote",
        "PRIVATE-NOTES",
        "verbatim",
        "x-therapist_notes",
        "sessionNotes",
    ];
    let whole = record("all-fields.json").source;
    let places = object_pointers(&whole);
    assert!(places.len() > 150 && places.iter().any(|place| place.contains("/x-")));
    for (index, place) in places.iter().enumerate() {
        let key = keys[index % keys.len()];
        let mut value = whole.clone();
        set(&mut value, place, key, Value::String("he said to her".to_owned()));
        let Err(error) = document::parse(value.to_text().as_bytes()) else {
            panic!("{key} is taken at {place}");
        };
        let [issue] = error.issues() else { panic!("{place}: {:#?}", error.issues()) };
        assert_eq!(issue.code, "ipt-plan-process-notes");
        assert_eq!(issue.location.pointer.as_str(), format!("{place}/{key}"));
        assert!(!format!("{issue:?}").contains("he said"));
    }
}

#[test]
fn members_of_ones_own_are_allowed_in_every_object_and_change_nothing() {
    let mut value = record("all-fields.json").source;
    for place in object_pointers(&value) {
        set(&mut value, &place, "x-mine", json::parse(br#"{"any":[1e5,{"":null}]}"#).unwrap());
    }
    let document = document::parse(value.to_text().as_bytes()).unwrap();
    let plain = without_local(&record("all-fields.json").source);
    assert!(json::equivalent(&plan_value(&document.plan), &plain));
    assert!(json::equivalent(&without_local(&document.source), &plain));
}

#[test]
fn an_object_that_says_nothing_but_ones_own_is_as_good_as_empty() {
    let places = ["/prognosis", "/screening", "/referral", "/relapsePrevention"];
    for place in places.into_iter().chain(["/consents/0/period", "/structure/weeks"]) {
        for text in ["{}", r#"{"x-mine":1}"#] {
            let Err(error) = changed("all-fields.json", |value| {
                *value.pointer_mut(place).unwrap() = json::parse(text.as_bytes()).unwrap();
            }) else {
                panic!("{place} {text} is taken");
            };
            let [issue] = error.issues() else { panic!("{place}: {:#?}", error.issues()) };
            assert_eq!((issue.code, issue.location.pointer.as_str()), ("ipt-plan-empty", place));
        }
    }
    let empty = changed("john-lee.json", |value| {
        *value.pointer_mut("/structure").unwrap() = json::parse(br#"{"x-mine":1}"#).unwrap();
    });
    assert!(empty.is_ok(), "the structure alone may be empty");
}

#[test]
fn numbers_keep_their_text() {
    let document = changed("all-fields.json", |value| {
        set(value, "/structure/sessionLength", "value", number("50.00"));
        set(value, "/structure/frequency", "period", number("1.0e0"));
        set(value, "/goals/0/targets/0", "value", number("-0.0"));
    })
    .unwrap();
    let value = plan_value(&document.plan);
    for (pointer, text) in [
        ("/structure/sessionLength/value", "50.00"),
        ("/structure/frequency/period", "1.0e0"),
        ("/goals/0/targets/0/value", "-0.0"),
    ] {
        assert_eq!(value.pointer(pointer).unwrap().to_text(), text);
    }
}

#[test]
fn a_count_is_written_with_digits_only() {
    for (place, member) in [
        ("", "revision"),
        ("/structure/frequency", "count"),
        ("/structure/sessions", "max"),
        ("/phases/0/sessions", "last"),
        ("/diagnoses/0", "rank"),
        ("/sessions/0", "number"),
        ("/sessions/0", "lengthMinutes"),
    ] {
        for text in ["30.0", "3e1"] {
            let Err(error) =
                changed("all-fields.json", |value| set(value, place, member, number(text)))
            else {
                panic!("{place}/{member} takes {text}");
            };
            let [issue] = error.issues() else { panic!("{place}: {:#?}", error.issues()) };
            assert_eq!(issue.code, "ipt-plan-count", "{place}/{member}");
            assert_eq!(issue.location.pointer.as_str(), format!("{place}/{member}"));
        }
        let huge = changed("all-fields.json", |value| set(value, place, member, number("5e9")));
        assert_eq!(pointers(&huge.unwrap_err()), [format!("{place}/{member}")]);
    }
    let items = changed("all-fields.json", |value| {
        *value.pointer_mut("/sessions/0/scores/0/items/8").unwrap() = number("1.0");
    });
    assert_eq!(pointers(&items.unwrap_err()), ["/sessions/0/scores/0/items/8"]);
    let own = changed("all-fields.json", |value| {
        set(value, "", "x-mine", json::parse(br#"{"rank":1.5}"#).unwrap());
    });
    assert!(own.is_ok(), "what is one's own is not looked at");
}

#[test]
fn a_number_beyond_all_numbers_is_shown_where_it_stands() {
    let error = changed("all-fields.json", |value| {
        set(value, "/structure/frequency", "period", number("1e400"));
    });
    assert_eq!(pointers(&error.unwrap_err()), ["/structure/frequency/period"]);
}

#[test]
fn yaml_is_another_spelling_of_the_same_value() {
    for name in ["john-lee", "yaml-traps"] {
        let yaml = document::parse(&fixture(&format!("ipt/{name}.yaml"))).unwrap();
        let json = record(&format!("{name}.json"));
        assert!(json::equivalent(&yaml.source, &json.source), "{name}");
        assert_eq!(plan_value(&yaml.plan).to_text(), plan_value(&json.plan).to_text(), "{name}");
        assert_eq!(yaml.warnings.len(), json.warnings.len(), "{name}");
    }
}

#[test]
fn faults_in_yaml_have_their_line() {
    let text = String::from_utf8(fixture("ipt/john-lee.yaml")).unwrap();
    let line_of = |part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
    for (old, new, code) in [
        ("status: active", "status: actve", "ipt-plan-code"),
        ("date: null", "date: 2026-02-30", "ipt-plan-date"),
        ("revision: 1", "revision: one", "ipt-plan-type"),
        ("date: null", "processNotes: he said to her", "ipt-plan-process-notes"),
        ("revision: 1", "revision: 1.0", "ipt-plan-count"),
        ("variant: ipt", "variant: *ipt", "ipt-plan-not-yaml"),
        ("variant: ipt", "variant: !own ipt", "ipt-plan-not-yaml"),
        ("variant: ipt", "status: ipt", "ipt-plan-not-yaml"),
    ] {
        let broken = text.replacen(old, new, 1);
        let Err(error) = document::parse_as(broken.as_bytes(), Spelling::Yaml) else {
            panic!("`{new}` is taken");
        };
        let issue = error.issues().iter().find(|issue| issue.code == code);
        let issue = issue.unwrap_or_else(|| panic!("`{new}`: {:#?}", error.issues()));
        let line = issue.location.position.map(|position| position.line);
        assert_eq!(line, Some(line_of(old)), "`{new}`");
        assert!(!format!("{issue:?}").contains("he said"));
    }
}
