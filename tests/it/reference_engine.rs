//! The HL7 reference engine finds no error in what we map, and no warning that is not listed with its reason.
//!
//! It runs where `IPT_FHIR_TEST_VALIDATOR` names the command (`.ci/run` sees to it); elsewhere one line says that
//! it was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use ipt_fhir::fhir::{Bundle, Entry, Resource};
use ipt_fhir::json::{self, Value};
use ipt_fhir::mapping::hand_off::{Contents, Made};
use ipt_fhir::mapping::note::{Edition, MediaType, Predecessor, Shape, edition_item, notes};
use ipt_fhir::mapping::{self, Options, Policy};

use crate::support::{fixture, record, record_names};

/// Packs `profiles/` as a FHIR package.
fn package(folder: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/profiles-package");
    let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let out = folder.join("profiles.tgz");
    let status = Command::new("bash").arg(script).arg(profiles).arg(&out).status().unwrap();
    assert!(status.success(), "the package is packed");
    out.into_os_string().into_string().unwrap()
}

/// A message without what differs from record to record: numbers, quoted values and UUIDs.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    let mut quoted = false;
    let mut before = ' ';
    for character in text.chars() {
        // An apostrophe inside a word quotes nothing.
        let opens = !before.is_alphanumeric() && matches!(character, '\'' | '"' | '`');
        before = character;
        match character {
            '\'' | '"' | '`' if quoted || opens => quoted = !quoted,
            _ if quoted => {}
            digit if digit.is_ascii_digit() => {
                if !shape.ends_with('#') {
                    shape.push('#');
                }
            }
            other => shape.push(other),
        }
    }
    shape
}

/// A record as a Bundle, with two editions of each of its notes, as US Core and as a PDF for Oracle.
fn with_notes(name: &str) -> Resource {
    let (plan, options) = (record(name).plan, Options::default());
    let at: jiff::Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
    let bundle = Bundle::from_resource(mapping::to_fhir(&plan, &options).into_collection());
    let mut bundle = bundle.unwrap();
    for note in notes(&plan, &options) {
        let first = Edition::first(note.slot, at);
        let before = Predecessor { item: note.slot, date: at };
        let second = Edition {
            item: edition_item(note.slot, 2),
            number: 2,
            date: at,
            replaces: Some(before),
        };
        let pdf = Shape { media_type: MediaType::Pdf, period_end: true, ..Shape::default() };
        for (edition, shape) in [(first, pdf), (second, Shape::default())] {
            let full_url = Some(format!("urn:uuid:{}", edition.item));
            // The category is US Core's own, which is not at hand here.
            let shape = Shape { category: false, ..shape };
            let mut note = note.resource(&edition, &shape).unwrap();
            // The visit of a session that was missed is the EHR's alone; who sends the note points it there.
            if let Some(Value::Object(context)) = note.object_mut().get_mut("context") {
                context.remove("encounter");
                if context.is_empty() {
                    note.object_mut().remove("context");
                }
            }
            let resource = Some(note);
            bundle.entries.push(Entry { full_url, resource, ..Entry::default() });
        }
    }
    bundle.into_resource()
}

#[test]
fn the_reference_engine_finds_no_error_in_any_mapped_fixture() {
    let Some(validator) = std::env::var_os("IPT_FHIR_TEST_VALIDATOR") else {
        println!("left out: the HL7 reference engine (IPT_FHIR_TEST_VALIDATOR names its command)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let package = package(folder.path());
    let mut files = Vec::new();
    for name in record_names() {
        for (word, policy) in [("minimum", Policy::minimum()), ("full", Policy::full())] {
            let options = Options { policy, ..Options::default() };
            let bundle = mapping::to_fhir(&record(&name).plan, &options).into_collection();
            let path = folder.path().join(format!("{word}-{name}"));
            std::fs::write(&path, bundle.to_value().to_pretty()).unwrap();
            files.push(path);
        }
        let contents = Contents::of(&record(&name).plan, &Options::default(), &["plan"], |_| true);
        let made = Made { number: 2, at: "2026-03-02T10:00:00Z".parse().unwrap() };
        let path = folder.path().join(format!("document-{name}"));
        std::fs::write(&path, contents.document(&made).to_value().to_pretty()).unwrap();
        files.push(path);
        let path = folder.path().join(format!("notes-{name}"));
        std::fs::write(&path, with_notes(&name).to_value().to_pretty()).unwrap();
        files.push(path);
    }
    let output = Command::new(validator)
        .args(["r4", "files", "--package", &package])
        .args(&files)
        .output()
        .unwrap();
    let listed = json::parse(&fixture("reference-engine/warnings.json")).unwrap();
    let known: BTreeSet<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{}: {}", entry.text("id").unwrap(), entry.text("shape").unwrap()))
        .collect();
    let mut unlisted: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    let mut judged = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let verdict = json::parse(line.as_bytes()).unwrap();
        judged += 1;
        let file = verdict.text("id").unwrap().rsplit('/').next().unwrap().to_owned();
        assert_eq!(verdict.get("throw").filter(|thrown| **thrown != Value::Null), None, "{file}");
        for issue in verdict.items("issues") {
            let severity = issue.text("severity").unwrap();
            let text = issue.text("text").unwrap();
            let place = issue.text("expression").unwrap_or_default();
            if severity == "error" || severity == "fatal" {
                errors.push(format!("{file} {place}: {text}"));
            } else if severity == "warning" {
                let key = format!("{}: {}", issue.text("id").unwrap_or("-"), shape(text));
                if !known.contains(&key) {
                    unlisted
                        .entry(key.clone())
                        .or_insert_with(|| format!("{file} {place}: {text}"));
                }
                seen.insert(key);
            }
        }
    }
    assert_eq!(judged, files.len(), "every file was judged");
    assert!(errors.is_empty(), "errors: {errors:#?}");
    assert!(unlisted.is_empty(), "warnings without a listed reason: {unlisted:#?}");
    let gone: Vec<&String> = known.difference(&seen).collect();
    assert!(gone.is_empty(), "listed warnings that no longer come: {gone:#?}");
}
