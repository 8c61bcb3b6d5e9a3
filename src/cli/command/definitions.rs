//! `definitions build`, for whoever works on this program: the packs of `profiles/core`, from the pinned jars.
//!
//! What the jars are, and how their files become packs, is the core's to know; here they are opened. Nothing is fetched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use zip::ZipArchive;

use super::super::exit::Exit;
use super::super::failure::{Failure, cannot_read, cannot_write};
use super::super::output::Done;
use super::super::package::archive;
use crate::json::Value;
use crate::object;
use crate::validate::definitions::build::source::{
    self, Contents, Files, Jar, R4, R4_FILES, R4B, R4B_FILES, R5, R5_PACKAGES,
};
use crate::validate::definitions::build::{Packs, packs};

/// No file of the jars that we read is larger.
const MOST: u64 = 64 << 20;

/// Builds the packs from the jars in one directory, and writes them to another.
pub(crate) fn build(from: &Path, to: &Path) -> Result<Done, Failure> {
    let packs = of_jars(from)?;
    let mut human = String::new();
    let mut result = Vec::new();
    for (name, bytes) in packs.files() {
        let write = fs::write(to.join(name), bytes);
        write.map_err(|error| {
            cannot_write("definitions-unwritable", "the pack", &error).in_file(&to.join(name))
        })?;
        let _ = writeln!(human, "{name}: {} bytes", bytes.len());
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        result.push(Value::Object(object! { "file" => name, "bytes" => length }));
    }
    Ok(Done::new(human, Value::Array(result)))
}

/// The packs of the jars in a directory.
fn of_jars(from: &Path) -> Result<Packs, Failure> {
    let mut r5 = files(&R5, from, &R5_PACKAGES)?;
    let mut package = |name: &str| -> Result<Files, Failure> {
        let bytes = r5.remove(name).unwrap_or_default();
        archive::read(&bytes[..], archive::is_definition).map_err(|refused| broken(&R5, refused))
    };
    let [core, terminology, extensions] = R5_PACKAGES;
    let contents = Contents {
        r5: [package(core)?, package(terminology)?, package(extensions)?],
        r4: files(&R4, from, R4_FILES)?.into_iter().collect(),
        r4b: files(&R4B, from, R4B_FILES)?.into_iter().collect(),
    };
    let sources = source::read(contents).map_err(|error| {
        Failure::new(Exit::Unreadable, "definitions-unreadable", error.to_string())
    })?;
    packs(sources)
        .map_err(|error| Failure::new(Exit::Failed, "definitions-unreadable", error.to_string()))
}

fn broken(jar: &Jar, why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Unreadable, "definitions-unreadable", why.to_string())
        .in_file(Path::new(jar.file))
}

/// The files of a jar that are read, by their paths.
fn files(jar: &Jar, from: &Path, names: &[&str]) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let flat = from.join(jar.file);
    let path = if flat.is_file() { flat } else { from.join(jar.folder).join(jar.file) };
    let bytes = fs::read(&path).map_err(|error| {
        let command = "mvn dependency:copy -Dartifact=ca.uhn.hapi.fhir:hapi-fhir-validation-resources-{r4,r4b,r5}:8.8.0";
        cannot_read(&error).in_file(&path).help(format!("it comes from Maven Central: {command}"))
    })?;
    jar.check(&bytes).map_err(|error| {
        Failure::new(Exit::Refused, "definitions-other-jar", error.to_string()).in_file(&path)
    })?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(jar, error))?;
    let mut files = BTreeMap::new();
    for name in names {
        let file = archive.by_name(name).map_err(|error| broken(jar, error))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes).map_err(|error| broken(jar, error))?;
        files.insert((*name).to_owned(), bytes);
    }
    Ok(files)
}
