//! Records, right and broken: what is said of them quotes none of them.

use ipt_fhir::json::{Pointer, Value};
use ipt_fhir::object;

use super::token::{STEM, canary, leak, with, yaml};
use super::{loud_home, quiet, telling};
use crate::cli::Home;
use crate::support::tree::for_each;

/// The commands that take a record, and whether they show it where it is right.
const COMMANDS: [(&str, bool); 7] = [
    ("record check", false),
    ("record check --format json", false),
    ("record check --format ndjson", false),
    ("record show", true),
    ("record render --policy full", true),
    ("map --policy full", true),
    ("map --explain", false),
];

fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

/// Values that do not belong where they stand, each with a token in it, and the exit code.
fn faults() -> Vec<(&'static str, Value, u8)> {
    let own_system = format!("https://ipt-fhir.org/fhir/sid/{STEM}0000");
    let deep = (0..70).fold(text(STEM), |value, _| Value::Array(vec![value]));
    let diagnosis = canary("all-fields.json").pointer("/diagnoses/0/id").unwrap().clone();
    let plan = canary("all-fields.json").get("id").unwrap().clone();
    vec![
        ("/client/nickname", text(format!("{STEM}0000")), 3),
        // A name where the name of a member should be.
        ("/client/qzcanary0000 or Zo", text("x"), 3),
        ("/client/name/qzcanary0000\u{301}", Value::Object(object! { "text" => STEM }), 3),
        ("/sessions/0/processNotes", text(format!("She said {STEM}0000")), 3),
        ("/sessions/0/qzcanary0000’s process notes", text(STEM), 3),
        ("/date", text(format!("2026-02-30 {STEM}0000")), 3),
        ("/review/next", text(format!("{STEM}0000")), 3),
        ("/sessions/0/start", text(format!("2026-02-10T09:00:00{STEM}")), 3),
        ("/activities/0/goalIds/0", text(format!("{STEM}9999")), 3),
        ("/sessions/0/attendees/0", text(format!("{STEM}9999")), 3),
        ("/goals/0/addresses/0", text(format!("{STEM}9999")), 3),
        ("/goals/0/id", diagnosis, 3),
        ("/revision", text(format!("{STEM}0000")), 3),
        ("/client", Value::Array(vec![text(format!("{STEM}0000"))]), 3),
        ("/client/name", text(format!("{STEM}0000")), 3),
        ("/goals/0/text", Value::Object(object! { "x" => format!("{STEM}0000") }), 3),
        ("/goals/0/status", text(format!("{STEM}0000")), 3),
        ("/activities/0/techniques/0", text(format!("{STEM}0000")), 3),
        ("/inventory/0/relationship", text(format!("{STEM}0000 ")), 3),
        ("/phases/1/id", text(format!("{STEM}/0000")), 3),
        ("/id", text(format!("{STEM} 0000")), 3),
        ("/language", text(format!("{STEM}_0000")), 3),
        ("/title", text(format!(" {STEM}0000")), 3),
        ("/presentingProblem/text", text(format!("{STEM}\u{7}0000")), 3),
        ("/client/identifiers/0/system", text(own_system), 3),
        ("/diagnoses/0/codings/0/system", text(format!("{STEM}0000")), 3),
        ("/passthrough/0/resource", text(format!("{STEM}0000")), 3),
        ("/formatVersion", text(format!("{STEM}0000")), 4),
        ("/format", text(format!("{STEM}0000")), 4),
        ("/x-deep", deep, 4),
        // Right, with a warning: an id that tells who it is about.
        ("/client/name/family", plan, 0),
        ("/activities/0/sessions", Value::Object(object! { "first" => 1_u32, "last" => 9_u32 }), 0),
    ]
}

/// Runs every command on a record that is right.
#[track_caller]
fn is_silent(home: &Home, file: &str) {
    for (command, shows) in COMMANDS {
        let line = format!("{command} {file}");
        if shows {
            telling(home, &line, 0)
        } else {
            quiet(home, &line, 0)
        };
    }
}

#[test]
fn a_right_record_is_shown_by_who_is_asked_to_and_by_nobody_else() {
    let home = loud_home();
    let record = canary("all-fields.json");
    home.write("record.json", record.to_pretty());
    home.write("record.yaml", yaml(&record));
    for file in ["record.json", "record.yaml"] {
        is_silent(&home, file);
        telling(&home, &format!("map {file} --to transaction --format ndjson"), 0);
    }
    let bundle = home.run("map record.json --policy full").ends(0).stdout;
    home.write("bundle.json", &bundle);
    telling(&home, "map --reverse bundle.json", 0);
    // What `map` attaches in base64 is found, too.
    let attached = bundle.lines().filter(|line| line.contains("\"data\": \"")).collect::<Vec<_>>();
    assert!(!attached.is_empty() && attached.iter().all(|line| leak(line).is_some()));
}

#[test]
fn what_is_wrong_with_a_record_is_said_without_its_words() {
    let home = loud_home();
    let record = canary("all-fields.json");
    for (pointer, value, code) in faults() {
        let broken = with(&record, pointer, value);
        home.write("record.json", broken.to_pretty());
        home.write("record.yaml", yaml(&broken));
        if code == 0 {
            is_silent(&home, "record.json");
        } else {
            quiet(&home, "record check record.json", code.into());
            quiet(&home, "map record.json --format ndjson", code.into());
        }
        let run = quiet(&home, "record check record.yaml --format json", code.into());
        let has_place =
            |error: &Value| error.get("line").is_some() && error.get("column").is_some();
        assert!(run.envelope().items("errors").all(has_place), "{pointer}: {}", run.stdout);
        assert!(run.envelope().items("errors").next().is_some(), "{pointer} is seen");
    }
}

#[test]
fn a_text_that_is_no_document_is_not_quoted() {
    let home = loud_home();
    let record = canary("all-fields.json");
    let (json, block) = (record.to_pretty(), yaml(&record));
    let cut = |text: &str, after: usize| {
        let place = text.match_indices(STEM).nth(20).unwrap().0 + after;
        let (before, after) = text.as_bytes().split_at(place);
        (before.to_vec(), after.to_vec())
    };
    let broken = |text: &str, bytes: &[u8]| {
        let (mut before, after) = cut(text, STEM.len() + 4);
        before.extend_from_slice(bytes);
        [before, after].concat()
    };
    for (bytes, what) in [
        (cut(&json, 3).0, "truncated in a token"),
        (cut(&json, STEM.len() + 4).0, "truncated after a token"),
        (broken(&json, b"\xfc"), "not UTF-8 after a token"),
        (broken(&json, b"\x07"), "a control character"),
        (broken(&json, b"\\q"), "an escape that is none"),
        (broken(&json, b"\\ud800"), "half a surrogate pair"),
        (broken(&json, b"\""), "a text that goes on after its end"),
        (broken(&json, b"\", \"qzcanary 1\": 1, \"qzcanary 1\": 2, \"x\": \""), "a member twice"),
        (format!("{json} {STEM}0000").into_bytes(), "text after the end"),
        (format!("\"{STEM}0000\"").into_bytes(), "a text alone"),
        (format!("{STEM}0000").into_bytes(), "a word alone"),
        (cut(&block, 3).0, "YAML truncated in a token"),
        (broken(&block, b"\xfc"), "YAML that is not UTF-8"),
        (broken(&block, b"\"\n  x: \""), "YAML in the wrong column"),
        (format!("{block}x-a: *{STEM}0000\n").into_bytes(), "an unknown alias"),
        (format!("{block}x-a: &{STEM} 1\nx-b: *{STEM}\n").into_bytes(), "an alias"),
        (format!("{block}x-a: !{STEM}0000 1\n").into_bytes(), "a tag of one's own"),
        (format!("{block}x-a: !!int {STEM}0000\n").into_bytes(), "a number that is none"),
        (format!("{block}title: {STEM}0000\n").into_bytes(), "a member twice in YAML"),
        (format!("{block}x-a: {{<<: {{{STEM}: 1}}}}\n").into_bytes(), "a merge key"),
        (format!("{block}---\n{STEM}: 1\n").into_bytes(), "two documents"),
        (format!("{block}\t{STEM}: 1\n").into_bytes(), "a tab"),
        (format!("%{STEM} 1\n{block}").into_bytes(), "a directive"),
        (format!("? [{STEM}]\n: 1\n{block}").into_bytes(), "a list as a key"),
    ] {
        home.write("record.json", bytes);
        let check = quiet(&home, "record check record.json --format json", 4);
        assert!(!check.codes().is_empty(), "{what}");
        quiet(&home, "map record.json", 4);
        quiet(&home, "record show record.json", 4);
    }
}

#[test]
fn a_bundle_that_is_no_plan_is_not_quoted() {
    let home = loud_home();
    home.write("record.json", canary("john-lee-in-treatment.json").to_pretty());
    let bundle = home.run("map record.json --policy full").ends(0).stdout;
    let middle = bundle.match_indices(STEM).nth(9).unwrap().0 + 3;
    for (text, code) in [
        (bundle.split_at(middle).0.to_owned(), 4),
        (bundle.replace("\"CarePlan\"", "\"Basic\""), 3),
        (bundle.replace("\"Patient\"", "\"Basic\""), 3),
        (bundle.replace("\"resourceType\": \"Goal\"", "\"resourceType\": \"qzcanary0000\""), 4),
        (format!("[\"{STEM}0000\"]"), 4),
        (format!("{{\"resourceType\":\"{STEM}0000\"}}"), 4),
        (format!("{{\"resourceType\":\"Patient\",\"id\":\"{STEM} 0000\"}}"), 4),
        (format!("{{\"resourceType\":\"Bundle\",\"entry\":[\"{STEM}0000\"]}}"), 4),
        (format!("{{\"resourceType\":\"Bundle\",\"type\":\"{STEM}0000\"}}"), 3),
    ] {
        home.write("bundle.json", &text);
        quiet(&home, "map --reverse bundle.json", code);
        quiet(&home, "map --reverse bundle.json --format json", code);
    }
}

#[test]
fn what_a_bundle_holds_in_the_wrong_place_is_not_quoted() {
    let home = loud_home();
    home.write("record.json", canary("john-lee-in-treatment.json").to_pretty());
    let bundle = home.run("map record.json --policy full").ends(0).stdout;
    let bundle = ipt_fhir::json::parse(bundle.as_bytes()).unwrap();
    let mut places = Vec::new();
    for_each(&bundle, &Pointer::root(), &mut |pointer, _| places.push(pointer.as_str().to_owned()));
    let mut told = 0;
    for place in places.iter().filter(|place| place.starts_with("/entry/")).step_by(29) {
        for value in [text(format!("{STEM}0000")), Value::Array(vec![text(STEM)])] {
            let bundle = with(&bundle, place, value);
            let Ok(resource) = ipt_fhir::fhir::Resource::from_value(bundle) else { continue };
            let Ok(bundle) = ipt_fhir::fhir::Bundle::from_resource(resource) else { continue };
            let said = match ipt_fhir::mapping::from_fhir(&bundle, None) {
                Ok(read) => format!("{:?} {:?}", read, read.issues),
                Err(error) => format!("{error} {error:?}"),
            };
            assert_eq!(leak(&said), None, "{place}");
            told += 1;
        }
    }
    assert!(told > 50, "{told}");
}
