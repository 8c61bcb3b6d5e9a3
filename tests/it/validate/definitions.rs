//! Definitions: what is shipped, how it is found, and how it is made.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::validate::definitions::build::{Sources, packs};
use ipt_fhir::validate::definitions::{Definitions, ResourceType};

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

#[test]
#[ignore = "writes profiles/core"]
fn write_packs_of_the_official_packages() {
    let package = |name: &str| resources(&shared(&format!("fhir/packages/{name}.tgz")));
    let packs = packs(Sources {
        r4: package("hl7.fhir.r4.core-4.0.1"),
        r4b: package("hl7.fhir.r4b.core-4.3.0"),
        r5: package("hl7.fhir.r5.core-5.0.0"),
        terminology: package("hl7.terminology-5.1.0"),
        extensions: package("hl7.fhir.uv.extensions.r5-1.0.0"),
    })
    .unwrap();
    for (name, bytes) in packs.files() {
        println!("{name} {}", bytes.len());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/core").join(name);
        std::fs::write(path, bytes).unwrap();
    }
}

const RELEASES: [Release; 3] = [Release::R4, Release::R4B, Release::R5];

// ---- What is shipped ----

#[test]
fn all_of_fhir_is_shipped() {
    let counts = |release| {
        let core = Definitions::core(release);
        ResourceType::ALL.map(|of| core.sources(of).map(|(.., count)| count))
    };
    // Core, THO, extensions. The specification's packages have two StructureDefinitions more: examples without snapshot.
    assert_eq!(counts(Release::R4)[0], [648, 9, 512]);
    assert_eq!(counts(Release::R4)[1], [1316, 2424, 60]);
    assert_eq!(counts(Release::R4)[2], [1062, 1135, 37]);
    assert_eq!(counts(Release::R4)[3], [1400, 0, 19]);
    assert_eq!(counts(Release::R4B).map(|[core, ..]| core), [645, 721, 540, 1439]);
    assert_eq!(counts(Release::R5).map(|[core, ..]| core), [295, 788, 448, 1244]);
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
