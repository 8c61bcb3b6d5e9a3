//! Definitions: what is shipped, how it is found, and how it is made.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::validate::definitions::{Content, Definitions, ResourceType, Source};

fn shared(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path)
}

/// The resources right in `package/` of an official package.
fn resources(path: &Path) -> Vec<Value> {
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(path).unwrap()));
    let mut all = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let Some(name) = path.strip_prefix("package/") else { continue };
        if name.contains('/') || name.starts_with('.') || !name.ends_with(".json") {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        all.push(json::parse_with(&bytes, Limits::BUNDLE).unwrap());
    }
    all
}

const RELEASES: [Release; 3] = [Release::R4, Release::R4B, Release::R5];

// ---- What is shipped ----

#[test]
fn all_of_fhir_is_shipped() {
    let counts = |release, source: usize| {
        let source = Definitions::core(release).sources()[source];
        assert!(!source.is_empty());
        ResourceType::ALL.map(|of| source.len(of))
    };
    // The specification's packages have two StructureDefinitions more, examples without snapshot.
    assert_eq!(counts(Release::R4, 0), [648, 1316, 1062, 1400]);
    assert_eq!(counts(Release::R4B, 0), [645, 721, 540, 1439]);
    assert_eq!(counts(Release::R5, 0), [295, 788, 448, 1244]);
    for release in RELEASES {
        assert_eq!(counts(release, 1), [9, 2424, 1135, 0]);
        assert_eq!(counts(release, 2), [512, 60, 37, 19]);
    }
}

/// How many CodeSystems are complete, how many concepts these have, and how many all have.
fn code_systems(source: Source) -> [usize; 3] {
    fn concepts(value: &Value) -> usize {
        value.items("concept").map(|concept| 1 + concepts(concept)).sum()
    }
    let mut sums = [0; 3];
    for (row, system) in source.definitions(ResourceType::CodeSystem) {
        let count = concepts(system.value());
        if row.content == Some(Content::Complete) {
            sums = [sums[0] + 1, sums[1] + count, sums[2]];
        }
        sums[2] += count;
    }
    sums
}

#[test]
fn code_systems_are_whole() {
    let [r4, terminology, extensions] = Definitions::core(Release::R4).sources();
    assert_eq!(code_systems(r4), [1054, 20_007, 20_731]);
    assert_eq!(code_systems(terminology)[0], 829);
    assert_eq!(code_systems(extensions)[0], 37);
    assert_eq!(code_systems(Definitions::core(Release::R4B).sources()[0])[0], 532);
    assert_eq!(code_systems(Definitions::core(Release::R5).sources()[0])[0], 443);
}

/// The distinct pairs of key and expression.
#[test]
fn invariants_are_whole() {
    for (release, expected) in [(Release::R4, 245), (Release::R4B, 250), (Release::R5, 323)] {
        let source = Definitions::core(release).sources()[0];
        let mut pairs = BTreeSet::new();
        for (_, structure) in source.definitions(ResourceType::StructureDefinition) {
            for constraint in
                structure.snapshot().iter().flat_map(|element| element.items("constraint"))
            {
                let text = |member| constraint.text(member).unwrap_or_default().to_owned();
                pairs.insert((text("key"), text("expression")));
            }
        }
        assert_eq!(pairs.len(), expected, "{release}");
    }
}

#[test]
fn every_row_of_the_index_leads_to_its_definition() {
    for release in RELEASES {
        let core = Definitions::core(release);
        for of in ResourceType::ALL {
            let mut before = 0;
            for row in core.rows(of) {
                let definition = core.get(of, row.url).unwrap();
                assert_eq!(definition.url(), row.url);
                assert_eq!(definition.version().unwrap_or_default(), row.version);
                assert_eq!(definition.value().text("name").unwrap_or_default(), row.name);
                assert_eq!(definition.resource_type(), of);
                if !row.version.is_empty() {
                    let canonical = format!("{}|{}", row.url, row.version);
                    assert_eq!(core.get(of, &canonical).unwrap().url(), row.url);
                }
                before += 1;
            }
            assert!(
                before > 1000 || of == ResourceType::StructureDefinition,
                "{release} {of:?}: {before}"
            );
        }
    }
}

#[test]
fn a_type_is_found_by_its_name_and_a_profile_is_not() {
    for release in RELEASES {
        let core = Definitions::core(release);
        for name in [
            "CarePlan",
            "HumanName",
            "code",
            "Element",
            "BackboneElement",
            "Resource",
            "Extension",
            "xhtml",
        ] {
            let structure = core.structure_of_type(name).unwrap();
            assert_eq!(structure.value().text("type"), Some(name));
            assert_eq!(structure.snapshot()[0].text("path"), Some(name));
            assert!(structure.differential().is_empty());
        }
        for name in
            ["bodyweight", "patient-birthPlace", "../Patient", "Patient|4.0.1", "", "Careplan"]
        {
            assert!(core.structure_of_type(name).is_none(), "{name}");
        }
        assert!(
            core.structure("http://hl7.org/fhir/StructureDefinition/patient-birthPlace").is_some()
        );
    }
}
