//! Our value sets against the ready expansions that HL7 publishes: each code of an expansion is in the set, each other
//! code of its systems is not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::terminology::{
    Content, Library, Membership, Reason, Resource, Terminology,
};

use crate::support;

/// Definitions as the expansions were made from: a release's own CodeSystems, not those of THO.
struct OwnFirst(Arc<Definitions>, &'static [&'static str]);

impl Library for OwnFirst {
    fn value_set(&self, canonical: &str) -> Option<Arc<dyn Resource>> {
        Library::value_set(&*self.0, canonical)
    }

    fn code_system(&self, canonical: &str) -> Option<Arc<dyn Resource>> {
        let own = self
            .1
            .iter()
            .find_map(|version| Library::code_system(&*self.0, &format!("{canonical}|{version}")));
        own.or_else(|| Library::code_system(&*self.0, canonical))
    }
}

fn expansions(name: &str) -> Option<Vec<Value>> {
    let bytes = support::shared(&format!("fhir/packages/{name}.tgz"))?;
    let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
    let mut all = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        if path.starts_with("package/ValueSet-") && crate::support::is_of_kind(&path, "json") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            all.push(json::parse_with(&bytes, Limits::BUNDLE).unwrap());
        }
    }
    Some(all)
}

struct Found {
    /// Sets that were compared.
    sets: usize,
    /// Codes of an expansion that are in.
    within: usize,
    /// Codes that were looked for beside those of an expansion.
    outside: usize,
    /// Codes that can't be told: their system is not at hand.
    faults: Vec<String>,
}

fn listed<'v>(
    entries: std::slice::Iter<'v, Value>,
    into: &mut BTreeMap<&'v str, BTreeSet<&'v str>>,
) {
    for entry in entries {
        if let (Some(system), Some(code)) = (entry.text("system"), entry.text("code")) {
            into.entry(system).or_default().insert(code);
        }
        listed(entry.items("contains"), into);
    }
}

fn compare(release: Release, package: &str, own: &'static [&'static str]) -> Option<Found> {
    let library = Arc::new(OwnFirst(Definitions::core(release), own));
    let terminology = Terminology::new(release, library, |_| None);
    let (mut sets, mut within, mut outside, mut faults) = (0, 0, 0, Vec::new());
    for expanded in expansions(package)? {
        let url = expanded.text("url").unwrap();
        let Some(set) = terminology.value_set(url) else { continue };
        if set.version() != expanded.text("version") {
            continue;
        }
        if REVIEWED.contains(&url) {
            continue;
        }
        sets += 1;
        let mut codes = BTreeMap::new();
        let expansion = expanded.get("expansion").unwrap();
        listed(expansion.items("contains"), &mut codes);
        let is_part = expansion.items("extension").next().is_some();
        // The versions of the code systems that the expansion was made from; with others it can't be compared.
        let versions: Vec<&str> = expansion
            .items("parameter")
            .filter(|parameter| parameter.text("name") == Some("version"))
            .filter_map(|parameter| parameter.text("valueUri"))
            .collect();
        for (system, codes) in &codes {
            let known = terminology.code_system(system);
            let version = known.as_ref().and_then(|known| known.version()).unwrap_or_default();
            let is_other =
                known.is_some() && !versions.contains(&format!("{system}|{version}").as_str());
            let is_complete =
                known.as_ref().is_some_and(|known| known.content() == Content::Complete);
            for code in codes {
                match set.holds(system, code) {
                    Membership::In => within += 1,
                    Membership::Unknown(Reason::System | Reason::Filter) if is_complete => {
                        faults.push(format!("{url} leaves open {system}#{code}"));
                    }
                    Membership::Unknown(_) => {}
                    Membership::Out if is_other => {}
                    Membership::Out => faults.push(format!("{url} lacks {system}#{code}")),
                }
            }
            let Some(all) = known.filter(|_| !is_part && !is_other) else { continue };
            for id in all.concepts() {
                let code = all.code(id);
                // Expansions leave out what nobody should use any more, and what only groups other codes.
                let is_left_out =
                    all.is_inactive(id) || all.is_abstract(id) || all.is_deprecated(id);
                if !is_left_out
                    && !codes.contains(code)
                    && set.holds(system, code) == Membership::In
                {
                    faults.push(format!("{url} has {system}#{code}"));
                }
                outside += 1;
            }
        }
    }
    Some(Found { sets, within, outside, faults })
}

/// Where we are right: the set has codes that stand below its root by the property `child` (v3 concepts have several
/// parents, R4 4.8.8 `concept-properties#child`), which the expansion follows by nesting only; and the imports of
/// `security-labels` are THO's, which are younger than the expansion.
const REVIEWED: [&str; 2] = [
    "http://hl7.org/fhir/ValueSet/detectedissue-category",
    "http://hl7.org/fhir/ValueSet/security-labels",
];

fn assert_agrees(found: &Found, sets: usize, within: usize, outside: usize) {
    assert!(found.faults.is_empty(), "{:#?}", &found.faults);
    assert!(
        found.sets >= sets && found.within >= within && found.outside >= outside,
        "all was compared"
    );
}

#[test]
fn r4_value_sets_are_those_that_hl7_expanded() {
    let own = &["4.0.1", "2018-08-12", "2.9"];
    let Some(found) = compare(Release::R4, "hl7.fhir.r4.expansions-4.0.1", own) else { return };
    assert_agrees(&found, 500, 6500, 7000);
}

#[test]
fn r4b_value_sets_are_those_that_hl7_expanded() {
    let Some(found) = compare(Release::R4B, "hl7.fhir.r4b.expansions-4.3.0", &["4.3.0"]) else {
        return;
    };
    assert_agrees(&found, 600, 10_000, 7000);
}
