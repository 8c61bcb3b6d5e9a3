//! Structure: which elements there may be, how often and of which type.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use ipt_fhir::fhir::Release;
use ipt_fhir::issue::Severity;
use ipt_fhir::json::Limits;
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::options::{Options, UnknownExtensions};
use ipt_fhir::validate::tree::json;
use ipt_fhir::validate::{Outcome, Validator};

use crate::support::shared;

/// A validator with the structure's rules only, that takes unknown extensions for errors.
pub(super) fn strict(release: Release) -> Validator {
    let options = Options { unknown_extensions: UnknownExtensions::Error, ..Options::default() };
    Validator::new(Definitions::core(release), options)
}

/// What is found in a document: severity, code and expression of each, those that only inform left out.
pub(super) fn found(validator: &Validator, source: &str) -> Vec<String> {
    let outcome = validator.validate(json::read(source, Limits::RESOURCE).unwrap());
    told(validator, &outcome)
}

pub(super) fn told(validator: &Validator, outcome: &Outcome<'_>) -> Vec<String> {
    let types = validator.programs().types();
    outcome
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning)
        .map(|finding| {
            let place = finding.expression(&outcome.tree, types);
            let member =
                finding.member.as_deref().map(|member| format!(" ({member})")).unwrap_or_default();
            format!("{} {place}{member}", finding.rule.code)
        })
        .collect()
}

/// The files of a folder of specification examples.
fn examples(release: &str) -> Option<Vec<(String, String)>> {
    let bytes = shared(&format!("fhir/examples/{release}.tgz"))?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*bytes));
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.header().entry_type().is_file() && entry.read_to_string(&mut text).is_ok() {
            files.push((name, text));
        }
    }
    Some(files)
}

/// The reference engine's kinds of error that the structure is to find.
const OURS: [&str; 6] = [
    "Extension_EXT_Unknown_NotHere",
    "Extension_EXT_SubExtension_Invalid",
    "Validation_VAL_Profile_Minimum",
    "Validation_VAL_Profile_Maximum",
    "Extension_EXT_Type",
    "Unrecognized property",
];

/// An expression without what tells nothing about the place.
fn plain(expression: &str) -> String {
    let mut text = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once("/*") {
        text.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(".ofType(") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain.split("[url=").next().unwrap().to_owned()
}

fn compare(release: Release, name: &str) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
    let reference =
        ipt_fhir::json::parse_with(&shared("fhir/examples/reference.json")?, Limits::BUNDLE)
            .unwrap();
    let validator = strict(release);
    let (mut extra, mut missed) = (BTreeSet::new(), BTreeSet::new());
    for (file, text) in examples(name)? {
        let Some(expected) = reference.get(name).and_then(|files| files.get(&file)) else {
            continue;
        };
        let Ok(tree) = json::read(text.trim_start(), Limits::BUNDLE) else {
            extra.insert(format!("{file}: can't be read"));
            continue;
        };
        let outcome = validator.validate(tree);
        let types = validator.programs().types();
        let mut ours: BTreeMap<String, usize> = BTreeMap::new();
        let mut codes: BTreeMap<String, String> = BTreeMap::new();
        for finding in outcome.findings.iter().filter(|finding| finding.severity >= Severity::Error)
        {
            let place = plain(&finding.expression(&outcome.tree, types));
            codes.insert(place.clone(), format!("{} {}", finding.rule.code, finding.text));
            *ours.entry(place).or_default() += 1;
        }
        for issue in expected.as_array().unwrap() {
            let id = issue.text("id").unwrap_or_default();
            let text = issue.text("text").unwrap_or_default();
            let place = plain(issue.text("expression").unwrap_or_default());
            let known = ours.remove(&place).is_some() || codes.contains_key(&place);
            if !known && OURS.iter().any(|of| id.contains(of) || text.contains(of)) {
                missed.insert(format!("{file}: {place}: {id} {text}"));
            }
        }
        for (place, _) in ours {
            extra.insert(format!("{file}: {place}: {}", codes[&place]));
        }
    }
    Some((extra, missed))
}

#[test]
fn no_example_has_a_fault_that_the_reference_does_not_see_and_none_of_its_faults_is_missed() {
    // bodytemp is a profile that the vital signs' rules name, not the structure.
    let missing = ["observation-example-f202-temperature.json"];
    for (release, name) in [(Release::R4, "r4"), (Release::R4B, "r4b"), (Release::R5, "r5")] {
        let Some((extra, missed)) = compare(release, name) else { return };
        assert!(extra.is_empty(), "{name}: {extra:#?}");
        let missed: Vec<_> = missed
            .iter()
            .filter(|line| !missing.iter().any(|known| line.starts_with(known)))
            .collect();
        assert!(missed.is_empty(), "{name}: {missed:#?}");
    }
}

/// What the reference reports for the JSON cases of the suite, as far as it is the structure's to find.
#[test]
fn suite() {
    let Some(cases) = shared("fhir/test-cases/cases.json") else { return };
    let cases = ipt_fhir::json::parse_with(&cases, Limits::BUNDLE).unwrap();
    let bytes = shared("fhir/test-cases/cases.tgz").unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*bytes));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.header().entry_type().is_file() && entry.read_to_string(&mut text).is_ok() {
            files.insert(name, text);
        }
    }
    println!("{:?}", files.keys().take(5).collect::<Vec<_>>());
    let validators = [Release::R4, Release::R4B, Release::R5].map(strict);
    for case in cases.as_array().unwrap() {
        let (name, file) = (case.text("name").unwrap(), case.text("file").unwrap());
        let release = match case.text("release").unwrap() {
            "R4" => Release::R4,
            "R4B" => Release::R4B,
            _ => Release::R5,
        };
        if case.text("run") != Some("base")
            || !file.ends_with(".json")
            || case.items("supporting").next().is_some()
        {
            continue;
        }
        let Some(text) = files
            .get(file)
            .or_else(|| files.iter().find(|(name, _)| name.ends_with(file)).map(|(_, text)| text))
        else {
            println!("no {file}");
            continue;
        };
        let validator = &validators[release as usize];
        let Ok(tree) = json::read(text.trim_start_matches('\u{feff}'), Limits::BUNDLE) else {
            println!("unread {file}");
            continue;
        };
        let outcome = validator.validate(tree);
        let types = validator.programs().types();
        let mut ours: Vec<String> = outcome
            .findings
            .iter()
            .filter(|f| f.severity >= Severity::Error)
            .map(|f| {
                format!("{} {}", f.rule.kind.code(), plain(&f.expression(&outcome.tree, types)))
            })
            .collect();
        let mut missed = Vec::new();
        for issue in case.items("errors") {
            let key = format!(
                "{} {}",
                issue.text("code").unwrap(),
                plain(issue.text("expression").unwrap_or_default())
            );
            if let Some(at) = ours.iter().position(|our| *our == key) {
                ours.remove(at);
            } else if matches!(
                issue.text("code"),
                Some("structure" | "required" | "value" | "extension")
            ) {
                missed.push(format!("{key} {}", issue.text("text").unwrap_or_default()));
            }
        }
        if !ours.is_empty() || !missed.is_empty() {
            println!("== {name} {file}: extra {ours:#?}\n missed {missed:#?}");
        }
    }
}
