//! The validator quotes nothing of a document: a canary in each value, each name and each piece of markup in turn, and
//! the reports in every form.
//!
//! Values and names that only the document has are shown if somebody asks for them (`--show-values`), and these tests
//! ask, too, so that they see that there was something to hide. What the user typed comes back: names of files, profiles.

mod commands;
mod seeds;

use std::collections::BTreeSet;

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Limits, Pointer, Value};
use ipt_fhir::mapping::{self, Policy};
use ipt_fhir::validate::check::{Checks, View};
use ipt_fhir::validate::definitions::Package;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::report::text::Paint;
use ipt_fhir::validate::report::{json as as_json, outcome, text};

use super::token::{STEM, canary, leak, with};
use crate::support::record_names;
use crate::support::tree::{for_each, strings};

/// Reports of documents: the same ones with hidden and with shown values.
struct Reports {
    hidden: Checks,
    shown: Checks,
    /// The rules that found something.
    rules: BTreeSet<&'static str>,
    /// How many reports would have told, had they been asked to.
    telling: usize,
    all: usize,
}

impl Reports {
    fn new(release: Release) -> Self {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<(String, Vec<u8>)> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
            .collect();
        let checks = |show_values| {
            let packages = vec![Package::from_files(files.clone())];
            let view = View { show_values, excerpts: true };
            Checks::new(Some(release), packages, Options::default(), view)
        };
        let (rules, telling, all) = (BTreeSet::new(), 0, 0);
        Self { hidden: checks(false), shown: checks(true), rules, telling, all }
    }

    /// All forms of the report of a document.
    fn forms(checks: &Checks, document: &[u8]) -> (String, Vec<&'static str>) {
        let checked = checks.check(document, 1);
        let rules = checked.reported.iter().map(|item| item.rule.code).collect();
        let mut all = String::new();
        text::write(&mut all, "a file", &checked.reported, &Paint::default());
        let name = checked.resource_type.as_deref();
        let object = as_json::resource("a file", 1, name, checked.is_readable, &checked.reported);
        all.push_str(&Value::Object(object).to_text());
        all.push_str(&outcome::of("a file", &checked.reported).into_value().to_text());
        (all, rules)
    }

    /// Checks a document that holds the canary; of what is told of it, nothing may have it.
    #[track_caller]
    fn watch(&mut self, document: &[u8], what: &str) {
        let (report, rules) = Self::forms(&self.hidden, document);
        if let Some(leak) = leak(&report) {
            panic!("{what}: {leak}\nin {}", String::from_utf8_lossy(document));
        }
        // Only each eighth: that the same report would tell otherwise need not be seen of all.
        self.all += 1;
        if self.all.is_multiple_of(8) {
            self.telling += usize::from(leak(&Self::forms(&self.shown, document).0).is_some());
        }
        self.rules.extend(rules);
    }

    /// That there was something to hide, and much that found something.
    fn end(&self, rules: usize) {
        assert!(self.telling > self.all / 8 / 3, "{} of {}", self.telling, self.all / 8);
        assert!(self.rules.len() >= rules, "{}: {:#?}", self.rules.len(), self.rules);
    }
}

/// What may stand in the place of a text.
fn in_place_of(text: &str) -> Vec<String> {
    let mut texts = vec![STEM.to_owned(), format!("{text}{STEM}")];
    if text.contains("://") {
        texts.push(format!("{text}|{STEM}"));
        texts.push(format!("http://{STEM}.example/fhir/Patient/{STEM}"));
        texts.push(format!("../{STEM}"));
    } else if text.contains('/') || text.starts_with('#') {
        texts.push(format!("#{STEM}"));
        texts.push(format!("Device/{STEM}"));
        texts.push(format!("urn:uuid:{STEM}"));
    } else if text.starts_with('<') {
        texts.extend(seeds::MARKUP.map(|markup| markup.replace("CANARY", STEM)));
    } else if text.contains('-') && text.starts_with(|first: char| first.is_ascii_digit()) {
        texts.push(format!("1990-02-31 {STEM}"));
    } else {
        texts.push(format!(" {STEM}\t\u{202e}\n"));
    }
    texts
}

/// The pointers to all values below the root, and whether each is a member of an object.
fn places(value: &Value) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for_each(value, &Pointer::root(), &mut |pointer, _| {
        if let Some((_, last)) = pointer.as_str().rsplit_once('/') {
            let is_item = last.bytes().all(|byte| byte.is_ascii_digit());
            found.push((pointer.as_str().to_owned(), !is_item));
        }
    });
    found
}

/// The document with a member by another name.
fn renamed(document: &Value, pointer: &str, name: &str) -> Value {
    let mut document = document.clone();
    let (parent, old) = pointer.rsplit_once('/').unwrap();
    let object = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    let value = object.get(old).unwrap().clone();
    object.remove(old);
    object.insert(name.to_owned(), value);
    document
}

fn seed(text: &str) -> Value {
    json::parse_with(text.as_bytes(), Limits::BUNDLE).unwrap()
}

#[test]
fn a_canary_in_each_value_is_in_no_report() {
    let mut reports = Reports::new(Release::R4);
    for text in seeds::JSON {
        let document = seed(text);
        assert_eq!(leak(text), None);
        for (pointer, text) in strings(&document) {
            for other in in_place_of(text) {
                let changed = with(&document, &pointer, Value::String(other.clone()));
                reports.watch(changed.to_pretty().as_bytes(), &pointer);
            }
        }
        for (pointer, _) in places(&document) {
            // A value of another kind than the one that belongs there.
            let object = seed(&format!("{{\"{STEM}\":\"{STEM}\"}}"));
            let items = seed(&format!("[\"{STEM}\",[\"{STEM}\"],null]"));
            for value in [object, items] {
                let changed = with(&document, &pointer, value);
                reports.watch(changed.to_text().as_bytes(), &pointer);
            }
        }
    }
    reports.end(70);
}

#[test]
fn a_canary_as_each_name_is_in_no_report() {
    let mut reports = Reports::new(Release::R4);
    for text in seeds::JSON {
        let document = seed(text);
        for (pointer, is_member) in places(&document) {
            let Some((_, old)) = pointer.rsplit_once('/').filter(|_| is_member) else { continue };
            for name in [STEM.to_owned(), format!("{old}{STEM}"), format!("_{STEM}")] {
                let changed = renamed(&document, &pointer, &name);
                reports.watch(changed.to_pretty().as_bytes(), &pointer);
            }
        }
    }
    reports.end(20);
}

#[test]
fn canaries_in_all_values_at_once_are_in_no_report() {
    for release in [Release::R4, Release::R5] {
        let mut reports = Reports::new(release);
        for text in seeds::JSON {
            let original = seed(text);
            let mut document = original.clone();
            for (pointer, _) in strings(&original) {
                if !pointer.ends_with("/resourceType") {
                    document = with(&document, &pointer, Value::String(STEM.to_owned()));
                }
            }
            for text in [document.to_pretty(), document.to_text()] {
                reports.watch(text.as_bytes(), "all at once");
            }
        }
    }
    // What our own mapping makes of records whose every text is a canary.
    let mut reports = Reports::new(Release::R4);
    for name in record_names() {
        let record = canary(&name);
        let document = ipt_fhir::ipt::document::parse(record.to_text().as_bytes());
        let plan = document.unwrap_or_else(|error| panic!("{name}: {:#?}", error.issues())).plan;
        let options = mapping::Options { policy: Policy::full(), ..mapping::Options::default() };
        let bundle = mapping::to_fhir(&plan, &options).into_collection().into_value();
        assert!(leak(&bundle.to_text()).is_some());
        reports.watch(bundle.to_pretty().as_bytes(), &name);
    }
}

#[test]
fn canaries_in_xml_are_in_no_report() {
    let mut reports = Reports::new(Release::R4);
    for document in seeds::XML {
        for (at, quote) in document.match_indices("=\"") {
            let (before, rest) = document.split_at(at + quote.len());
            let (value, after) = rest.split_at(rest.find('"').unwrap());
            for other in in_place_of(value) {
                let other = other.replace('"', "'").replace('<', "&lt;");
                reports.watch([before, &other, after].concat().as_bytes(), "a value");
            }
        }
        for (at, _) in document.match_indices('<') {
            let (before, tag) = document.split_at(at);
            let name = tag.split([' ', '/', '>']).next().unwrap().trim_start_matches('<');
            if name.is_empty() || name.starts_with(['?', '!']) {
                continue;
            }
            for other in [STEM.to_owned(), format!("{name}{STEM}"), format!("{STEM}:{name}")] {
                let mut changed = document.to_owned();
                for (before, after) in [("<", " "), ("<", "/>"), ("<", ">"), ("</", ">")] {
                    let (old, new) =
                        ([before, name, after].concat(), [before, &other, after].concat());
                    changed = changed.replace(&old, &new);
                }
                reports.watch(changed.as_bytes(), name);
            }
            for piece in seeds::PIECES {
                let piece = piece.replace("CANARY", STEM);
                reports.watch([before, &piece, tag].concat().as_bytes(), "a piece");
            }
            let attribute = format!("<{name} {STEM}=\"{STEM}\"");
            let after = tag.split_at(1 + name.len()).1;
            reports.watch([before, &attribute, after].concat().as_bytes(), "an attribute");
        }
    }
    reports.end(20);
}

#[test]
fn documents_that_break_off_at_any_byte_tell_nothing() {
    let mut reports = Reports::new(Release::R4);
    for document in seeds::JSON.into_iter().chain(seeds::XML) {
        let quote = document.rfind(['"', '\'']).unwrap();
        for at in (1..quote).step_by(29) {
            if !document.is_char_boundary(at) {
                continue;
            }
            let (before, after) = document.split_at(at);
            let cut = [before, STEM].concat();
            let put = [before, STEM, after].concat();
            let mut broken = put.clone().into_bytes();
            broken.insert(at, 0xff);
            for document in [cut.as_bytes(), put.as_bytes(), &broken] {
                reports.watch(document, "a cut");
            }
        }
    }
    assert!(reports.rules.contains("fhir-not-utf8") && reports.rules.contains("fhir-json-syntax"));
    assert!(reports.rules.contains("fhir-xml-syntax"), "{:?}", reports.rules);
}
