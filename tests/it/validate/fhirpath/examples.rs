//! Over the specification's own examples: each fast path says what the engine says.

use std::io::Read;

use ipt_fhir::fhir::Release;
use ipt_fhir::validate::fhirpath::Context;
use ipt_fhir::validate::invariant::Invariant;

use super::invariants::{all, invariant};
use super::typed::{model, read};
use crate::support::shared;

fn compare(release: Release, archive: &str, every: usize) {
    let Some(bytes) = shared(&format!("fhir/examples/{archive}.tgz")) else { return };
    let native: Vec<Invariant> = all(release)
        .iter()
        .map(|(key, text)| invariant(release, key, text))
        .filter(|invariant| invariant.expression.is_native())
        .collect();
    assert!(native.len() > 60, "{}", native.len());
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    let mut compared = 0;
    for (number, file) in archive.entries().unwrap().enumerate() {
        let mut file = file.unwrap();
        if number % every != 0 || !file.header().entry_type().is_file() || file.size() > 60_000 {
            continue;
        }
        let mut source = String::new();
        file.read_to_string(&mut source).unwrap();
        if !source.trim_start().starts_with('{') {
            continue;
        }
        let tree = read(release, &source);
        let context = Context::new(&tree, model(release));
        for (at, node) in tree.all().enumerate() {
            for (row, invariant) in native.iter().enumerate() {
                // All at the start of each document, then each at some.
                if at > 3 && (at + row) % 7 != 0 {
                    continue;
                }
                // What is contained needs no narrative, which no expression says.
                if &*invariant.key == "dom-6" && tree.name(node) == "contained" {
                    continue;
                }
                compared += 1;
                assert_eq!(
                    invariant.evaluate(&context, node),
                    invariant.interpret(&context, node),
                    "{} at element {} ({})",
                    invariant.key,
                    node.index(),
                    tree.name(node)
                );
            }
        }
    }
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn fast_paths_agree_with_the_engine_in_r4() {
    compare(Release::R4, "r4", 12);
}

#[test]
fn fast_paths_agree_with_the_engine_in_r4b() {
    compare(Release::R4B, "r4b", 24);
}

#[test]
fn fast_paths_agree_with_the_engine_in_r5() {
    compare(Release::R5, "r5", 24);
}
