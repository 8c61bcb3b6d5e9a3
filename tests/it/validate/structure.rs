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
            let place = outcome.tree.expression(finding.node, types);
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
            let place = plain(&outcome.tree.expression(finding.node, types));
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
fn no_example_of_r4_has_a_fault_that_the_reference_does_not_see() {
    for (release, name) in [(Release::R4, "r4"), (Release::R4B, "r4b"), (Release::R5, "r5")] {
        let Some((extra, missed)) = compare(release, name) else { return };
        let shown =
            |set: &BTreeSet<String>| set.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
        println!(
            "{name}: {} extra\n{}\n{} missed\n{}",
            extra.len(),
            shown(&extra),
            missed.len(),
            shown(&missed)
        );
    }
}
