//! What vendors' servers can do: statements as they were captured, packs, and what follows from both.

pub(crate) mod declared;
mod effective;
mod ladder;
pub(crate) mod pack;
mod scope;
mod statement;

use ipt_fhir::fhir::capability::{Capability, LIMITS};
use ipt_fhir::fhir::{Resource, Scopes};
use ipt_fhir::json;

use crate::support::shared;

/// The captured statements: the file, and the pack of its vendor.
pub(crate) const CAPTURED: [(&str, &str); 8] = [
    ("epic", "epic"),
    ("cerner", "oracle-health"),
    ("athena", "athenahealth"),
    ("ecw", "eclinicalworks"),
    ("nextgen-ent", "nextgen-enterprise"),
    ("nextgen-office", "nextgen-office"),
    ("veradigm", "veradigm"),
    ("meditech", "meditech"),
];

/// A captured statement; they are no part of the package, so it may be missing.
pub(crate) fn captured(name: &str) -> Option<Resource> {
    let bytes = shared(&format!("data/ehr-capabilities/{name}.json"))?;
    Some(Resource::from_value(json::parse_with(&bytes, LIMITS).unwrap()).unwrap())
}

/// All captured statements with the names of their packs, or none where they are not at hand.
fn all_captured() -> Vec<(&'static str, &'static str, Capability)> {
    let found = CAPTURED.into_iter().filter_map(|(name, pack)| {
        Some((name, pack, Capability::parse(&captured(name)?).unwrap()))
    });
    found.collect()
}

#[test]
fn captured_statements_are_all_here_or_said_to_be_missing() {
    let count = all_captured().len();
    println!("{count} captured statements");
    assert!(count == 0 || count == CAPTURED.len());
}

/// A statement that lists these interactions of types: `Goal=create,search:identifier`, `system=batch`.
fn listing(words: &[&str]) -> Capability {
    let mut capability = Capability::default();
    for part in words {
        let (resource_type, words) = part.split_once('=').unwrap();
        for word in words.split(',') {
            if resource_type == "system" {
                capability.interactions.insert(word.to_owned());
                continue;
            }
            let known = capability.resources.entry(resource_type.to_owned()).or_default();
            match word.strip_prefix("search:") {
                Some(parameter) => known.search_parameters.insert(parameter.to_owned()),
                None if word == "conditional-create" => {
                    known.conditional_create = true;
                    true
                }
                None => known.interactions.insert(word.to_owned()),
            };
        }
    }
    capability
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text)
}
