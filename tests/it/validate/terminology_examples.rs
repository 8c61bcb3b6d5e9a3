//! The codes of FHIR's own examples: our errors about them are those of the reference engine, file by file.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use ipt_fhir::fhir::Release;
use ipt_fhir::issue::Severity;
use ipt_fhir::json::{self, Limits};
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::rule::terminology as rule;
use ipt_fhir::validate::shared::Shared;
use ipt_fhir::validate::suite::normalised;
use ipt_fhir::validate::tree::{self, Naming};

use crate::support;

/// What the reference calls its messages about codes.
const MESSAGES: [&str; 6] = [
    "Unknown_Code_in_Version",
    "Display_Name_for__should_be_one_of__instead_of",
    "Display_Name_WS_for__should_be_one_of__instead_of",
    "Terminology_TX_NoValid_1_CC",
    "Terminology_TX_NoValid_16",
    "UNABLE_TO_INFER_CODESYSTEM",
];

/// The differences: `+` is ours alone, `-` the reference's.
fn differences(release: Release, name: &str) -> Option<(usize, Vec<String>)> {
    let reference = json::parse(&support::shared("fhir/examples/reference.json")?).unwrap();
    let reference = reference.get(name).unwrap();
    let bytes = support::shared(&format!("fhir/examples/{name}.tgz"))?;
    let shared = Shared::core(release);
    let codes = Arc::new(shared.codes(None));
    let validator =
        Validator::of(Arc::clone(shared.programs()), Options::default()).with(Box::new(codes));
    let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
    let (mut same, mut all) = (0, Vec::new());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let file = path.rsplit('/').next().unwrap();
        let Some(theirs) = reference.get(file) else { continue };
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let Ok(tree) = tree::json::read(&text, Limits::BUNDLE) else { continue };
        let outcome = validator.validate(tree);
        let errors = outcome.findings.iter().filter(|finding| {
            finding.severity >= Severity::Error
                && rule::ALL.iter().any(|rule| rule.code == finding.rule.code)
        });
        let ours: BTreeSet<String> = errors
            .map(|finding| {
                let place = outcome.tree.expression(
                    finding.node,
                    validator.programs().types(),
                    Naming::AsWritten,
                );
                format!("{file} {} {}", finding.rule.kind.code(), normalised(&place))
            })
            .collect();
        let theirs: BTreeSet<String> = theirs
            .as_array()
            .unwrap()
            .iter()
            .filter(|issue| MESSAGES.contains(&issue.text("id").unwrap_or_default()))
            .map(|issue| {
                let place = normalised(issue.text("expression").unwrap());
                format!("{file} {} {place}", issue.text("code").unwrap())
            })
            .collect();
        same += ours.intersection(&theirs).count();
        all.extend(ours.difference(&theirs).map(|line| format!("+ {line}")));
        all.extend(theirs.difference(&ours).map(|line| format!("- {line}")));
    }
    Some((same, all))
}

#[test]
fn errors_about_codes_are_those_of_the_reference() {
    for (release, name, at_least) in
        [(Release::R4, "r4", 9), (Release::R4B, "r4b", 18), (Release::R5, "r5", 28)]
    {
        let Some((same, differences)) = differences(release, name) else { return };
        assert!(differences.is_empty(), "{name}: {}", differences.join("\n"));
        assert!(same >= at_least, "{name}: all {same} were found");
    }
}
