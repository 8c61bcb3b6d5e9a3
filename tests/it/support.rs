//! What several test modules need: fixtures, and data that only some machines have.

pub(crate) mod any_record;
pub(crate) mod base64;
pub(crate) mod hostile;
#[cfg(feature = "app")]
pub(crate) mod pack;
pub(crate) mod reading;
pub(crate) mod server;
pub(crate) mod shape;
#[cfg(feature = "app")]
pub(crate) mod terminology;
#[cfg(feature = "app")]
pub(crate) mod tls;
pub(crate) mod tree;
pub(crate) mod xhtml;

use std::path::{Path, PathBuf};

use ipt_fhir::ipt::Document;
use ipt_fhir::ipt::document;
pub(crate) use ipt_fhir::validate::detect::is_named as is_of_kind;

/// A file of `fixtures/`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = fixtures().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folder of the fixtures.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A file of the data that is no part of the package, and so may be missing.
pub(crate) fn shared(name: &str) -> Option<Vec<u8>> {
    let folder = option_env!("IPT_FHIR_TEST_DATA").unwrap_or("../shared");
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)).ok()
}

/// The place of data that is no part of the package; nothing where it is missing, which one line says.
#[expect(clippy::print_stdout, reason = "what a test leaves out is said")]
pub(crate) fn shared_folder(name: &str) -> Option<PathBuf> {
    let folder = option_env!("IPT_FHIR_TEST_DATA").unwrap_or("../shared");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    if !folder.is_dir() {
        println!("left out: {name} is not at hand");
        return None;
    }
    Some(folder)
}

/// The names of all JSON records under `fixtures/ipt`.
pub(crate) fn record_names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(fixtures().join("ipt"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| is_of_kind(name, "json"))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "the fixtures are there");
    names
}

/// A record of `fixtures/ipt`, parsed.
pub(crate) fn record(name: &str) -> Document {
    let parsed = document::parse(&fixture(&format!("ipt/{name}")));
    parsed.unwrap_or_else(|error| panic!("{name}: {:#?}", error.issues()))
}
