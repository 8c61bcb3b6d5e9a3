//! What `map` writes is valid by our own validator, with `profiles/` loaded: every record, little and all of it granted.

use ipt_fhir::fhir::Release;
use ipt_fhir::issue::Severity;
use ipt_fhir::json::Limits;
use ipt_fhir::mapping::{self, Options, Policy};
use ipt_fhir::validate::definitions::Package;
use ipt_fhir::validate::options;
use ipt_fhir::validate::shared::Shared;
use ipt_fhir::validate::tree::{Naming, json};

use crate::support::{record, record_names};

/// The definitions of R4 and the files of `profiles/`.
fn shared() -> Shared {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let named = files.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(&path).unwrap())
    });
    Shared::core(Release::R4).with_packages(vec![Package::from_files(named)])
}

#[test]
fn every_record_becomes_a_valid_bundle() {
    let validator = shared().validator(options::Options::default());
    for name in record_names() {
        for policy in [Policy::minimum(), Policy::full()] {
            let options = Options { policy, ..Options::default() };
            let bundle = mapping::to_fhir(&record(&name).plan, &options).into_collection();
            let text = bundle.to_value().to_pretty();
            let outcome = validator.validate(json::read(&text, Limits::BUNDLE).unwrap());
            let types = validator.programs().types();
            let errors = outcome.findings.iter().filter(|found| found.severity >= Severity::Error);
            let errors: Vec<String> = errors
                .map(|found| {
                    format!(
                        "{} {}",
                        found.rule.code,
                        outcome.tree.expression(found.node, types, Naming::AsWritten)
                    )
                })
                .collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
            // Our own extensions are known, so none is told as unknown.
            assert!(
                outcome.findings.iter().all(|found| found.rule.code != "fhir-extension-unknown"),
                "{name}"
            );
        }
    }
}

#[test]
fn what_breaks_a_bundle_of_ours_is_seen() {
    let validator = shared().validator(options::Options::default());
    let bundle = mapping::to_fhir(&record(&record_names()[0]).plan, &Options::default());
    let text = bundle.into_collection().to_value().to_text();
    let broken = text.replacen(r#""intent":"plan""#, r#""intent":"plans""#, 1);
    assert_ne!(text, broken);
    let outcome = validator.validate(json::read(&broken, Limits::BUNDLE).unwrap());
    assert!(outcome.findings.iter().any(|found| found.severity >= Severity::Error));
}
