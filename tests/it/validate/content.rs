//! All rules beyond structure together, on whole documents: the specification's examples against what the reference
//! engine says of them, Bundles, references, contained resources, and what `obs-temp-bad` and its like are about.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, LazyLock};

use flate2::read::GzDecoder;
use ipt_fhir::fhir::Release;
use ipt_fhir::issue::Severity;
use ipt_fhir::json::Limits;
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::content::ContentRules;
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::options::{Options, ReferencePolicy};
use ipt_fhir::validate::program::Programs;
use ipt_fhir::validate::reference::Nowhere;
use ipt_fhir::validate::rule::{attachment, bundle, invariant, narrative, primitive, reference};
use ipt_fhir::validate::tree::{Naming, json};

use crate::support::shared;

static PROGRAMS: LazyLock<[Arc<Programs>; 3]> = LazyLock::new(|| {
    [Release::R4, Release::R4B, Release::R5]
        .map(|release| Arc::new(Programs::new(Definitions::core(release))))
});

/// What the rules of this room find: code, expression and severity.
pub(super) fn found(
    source: &str,
    release: Release,
    options: Options,
) -> Vec<(&'static str, String, Severity)> {
    let programs = PROGRAMS.iter().find(|programs| programs.release() == release).unwrap();
    let validator = Validator::of(programs.clone(), options)
        .with(Box::new(ContentRules::new(programs.types(), Nowhere)));
    let tree = json::read(source, Limits::BUNDLE).unwrap();
    let outcome = validator.validate(tree);
    let ours: Vec<&str> = [
        attachment::ALL,
        bundle::ALL,
        invariant::ALL,
        narrative::ALL,
        primitive::ALL,
        reference::ALL,
    ]
    .concat()
    .iter()
    .map(|rule| rule.code)
    .collect();
    outcome
        .findings
        .iter()
        .filter(|finding| ours.contains(&finding.rule.code))
        .map(|finding| {
            (
                finding.rule.code,
                outcome.tree.expression(finding.node, programs.types(), Naming::AsWritten),
                finding.severity,
            )
        })
        .collect()
}

/// The errors among them.
pub(super) fn errors(source: &str, options: Options) -> Vec<(&'static str, String)> {
    found(source, Release::R4, options)
        .into_iter()
        .filter(|(_, _, severity)| *severity >= Severity::Error)
        .map(|(code, expression, _)| (code, expression))
        .collect()
}

pub(super) fn offline() -> Options {
    Options { references: ReferencePolicy::Ignore, ..Options::default() }
}

/// The files of a folder of examples.
fn examples(name: &str) -> Option<BTreeMap<String, String>> {
    let bytes = shared(&format!("fhir/examples/{name}.tgz"))?;
    let mut archive = tar::Archive::new(GzDecoder::new(&bytes[..]));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let name = path.rsplit('/').next().unwrap().to_owned();
        if crate::support::is_of_kind(&name, "json") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            files.insert(name, text);
        }
    }
    Some(files)
}

/// Ids of the reference engine's messages that are about what these rules are about.
fn is_ours(id: &str) -> bool {
    let id = id.to_ascii_uppercase();
    [
        "TYPE_SPECIFIC_CHECKS",
        "BUNDLE_",
        "REFERENCE_",
        "XHTML_",
        "CONTAINED_ORPHAN",
        "RESOURCE_RES_ID",
    ]
    .iter()
    .any(|start| id.starts_with(start))
}

/// Where the specification's own sentence is against the reference engine, or the file is beyond these rules.
const REVIEWED: &[(&str, &str)] = &[];

#[test]
fn the_specifications_examples_are_as_the_reference_engine_says() {
    let Some(reference) = shared("fhir/examples/reference.json") else {
        return println!("not run: no examples at hand");
    };
    let reference: serde_json::Value = serde_json::from_slice(&reference).unwrap();
    let mut wrong = Vec::new();
    for (name, release) in [("r4", Release::R4), ("r4b", Release::R4B), ("r5", Release::R5)] {
        for (file, text) in examples(name).unwrap() {
            let Some(expected) = reference[name].get(&file) else { continue };
            let expected = expected.as_array().unwrap();
            if REVIEWED.contains(&(name, &file)) {
                continue;
            }
            // Profiles that apply by themselves are the reference engine's ordinary structure errors.
            let errors: Vec<_> = found(&text, release, offline())
                .into_iter()
                .filter(|(code, _, severity)| {
                    let is_ours = expected.is_empty() || !code.starts_with("fhir-vital-sign");
                    is_ours && *severity >= Severity::Error
                })
                .collect();
            let theirs: Vec<&str> = expected
                .iter()
                .filter_map(|issue| issue["id"].as_str())
                .filter(|id| is_ours(id))
                .collect();
            if errors.is_empty() != theirs.is_empty() {
                let all: Vec<&str> =
                    expected.iter().filter_map(|issue| issue["text"].as_str()).collect();
                wrong.push(format!("{name}/{file}: ours {errors:?}, theirs {theirs:?} of {all:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}
