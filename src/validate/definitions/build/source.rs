//! Where the definitions come from: three jars of Maven Central, pinned by version and hash.
//!
//! HAPI's `hapi-fhir-validation-resources-{r4,r4b,r5}` 8.8.0 hold the specification's own files: R4's and R4B's definition
//! bundles as XML (R4's search parameters as JSON), and for R5 the official packages themselves, with THO and the
//! extensions pack. Whoever opens jars and packages hands in their files; here they are told from one another and read.
//! It refuses a jar of another hash, and a file that is missing or can't be read, by name.

use sha2::{Digest, Sha512};

use super::Sources;
use super::xml::Elements;
use crate::json::{self, Limits, Value};
use crate::validate::definitions::ResourceType;
use crate::validate::detect::is_named;

/// A jar of Maven Central.
#[derive(Debug, Clone, Copy)]
pub struct Jar {
    /// The name of the file, which is `ca.uhn.hapi.fhir:ARTIFACT:VERSION` as Maven names files.
    pub file: &'static str,
    /// The folder of the file in a Maven repository.
    pub folder: &'static str,
    /// The SHA-512 of it, as hexadecimal digits.
    sha512: &'static str,
}

/// The jar of R4.
pub const R4: Jar = Jar {
    file: "hapi-fhir-validation-resources-r4-8.8.0.jar",
    folder: "ca/uhn/hapi/fhir/hapi-fhir-validation-resources-r4/8.8.0",
    sha512: "1bf591f6f60e82f1a0b042fb38b43a9f241faaef41039bdeaef3bb5c2b3562ab\
             6a3e0c81480f69f0bc952eb43c7b37f6a69ce1ae0ec7b8deb308d2013432f500",
};
/// The jar of R4B.
pub const R4B: Jar = Jar {
    file: "hapi-fhir-validation-resources-r4b-8.8.0.jar",
    folder: "ca/uhn/hapi/fhir/hapi-fhir-validation-resources-r4b/8.8.0",
    sha512: "358ee611b8e06328e5363d074b569d05e1f26359b58e95cbb62443193fbc0e4b\
             3dc38b165e1c400a2b8f14de18cecfc0adc89f58f56281d852154e98ea5b1f6f",
};
/// The jar of R5, THO and the extensions pack.
pub const R5: Jar = Jar {
    file: "hapi-fhir-validation-resources-r5-8.8.0.jar",
    folder: "ca/uhn/hapi/fhir/hapi-fhir-validation-resources-r5/8.8.0",
    sha512: "d626e607f061813b34f5960b4c9d4c6147a7f26075c16a83d7947d7f2fcfcffb\
             aafb28f044d20ee12270f809287b68272894895ab329d9c42dae167f34e63e9d",
};

/// The files of R4's jar that are read.
pub const R4_FILES: &[&str] = &[
    "org/hl7/fhir/r4/model/profile/profiles-types.xml",
    "org/hl7/fhir/r4/model/profile/profiles-resources.xml",
    "org/hl7/fhir/r4/model/profile/profiles-others.xml",
    "org/hl7/fhir/r4/model/extension/extension-definitions.xml",
    "org/hl7/fhir/r4/model/valueset/valuesets.xml",
    "org/hl7/fhir/r4/model/valueset/v2-tables.xml",
    "org/hl7/fhir/r4/model/valueset/v3-codesystems.xml",
    "org/hl7/fhir/r4/model/sp/search-parameters.json",
];
/// The files of R4B's jar that are read.
pub const R4B_FILES: &[&str] = &[
    "org/hl7/fhir/r4b/model/profile/profiles-types.xml",
    "org/hl7/fhir/r4b/model/profile/profiles-resources.xml",
    "org/hl7/fhir/r4b/model/profile/profiles-others.xml",
    "org/hl7/fhir/r4b/model/extension/extension-definitions.xml",
    "org/hl7/fhir/r4b/model/valueset/valuesets.xml",
    "org/hl7/fhir/r4b/model/sp/search-parameters.xml",
];
/// The packages in R5's jar: FHIR, THO, the extensions pack.
pub const R5_PACKAGES: [&str; 3] = [
    "org/hl7/fhir/r5/packages/hl7.fhir.r5.core-5.0.0.tgz",
    "org/hl7/fhir/r5/packages/hl7.terminology-5.1.0.tgz",
    "org/hl7/fhir/r5/packages/hl7.fhir.uv.extensions.r5-1.0.0.tgz",
];

/// Files by their paths.
pub type Files = Vec<(String, Vec<u8>)>;

/// What the jars hold.
#[derive(Debug, Default)]
pub struct Contents {
    /// [`R4_FILES`]
    pub r4: Files,
    /// [`R4B_FILES`]
    pub r4b: Files,
    /// The files of the [`R5_PACKAGES`].
    pub r5: [Files; 3],
}

/// Why there are no definitions in what was handed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is another jar than the pinned one.
    #[error("{0} is not the file that is pinned: its SHA-512 is another")]
    Hash(&'static str),
    /// A file that can't be read.
    #[error("{file}: {what}")]
    File {
        /// Its path in the jar or package.
        file: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Jar {
    /// Whether these are the bytes of the jar that is pinned.
    pub fn check(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut digits = String::with_capacity(128);
        for byte in Sha512::digest(bytes) {
            digits.extend(char::from_digit(u32::from(byte >> 4), 16));
            digits.extend(char::from_digit(u32::from(byte & 15), 16));
        }
        if digits == self.sha512 { Ok(()) } else { Err(Error::Hash(self.file)) }
    }
}

/// The definitions in the jars.
pub fn read(contents: Contents) -> Result<Sources, Error> {
    let [r5, terminology, extensions] = contents.r5;
    let r5 = package(r5)?;
    let elements = Elements::new(&r5);
    Ok(Sources {
        r4: bundles(&contents.r4, R4_FILES, &elements)?,
        r4b: bundles(&contents.r4b, R4B_FILES, &elements)?,
        r5,
        terminology: package(terminology)?,
        extensions: package(extensions)?,
    })
}

fn fault(file: &str, what: &impl ToString) -> Error {
    Error::File { file: file.to_owned(), what: what.to_string() }
}

/// The definitions right in `package/`.
fn package(files: Files) -> Result<Vec<Value>, Error> {
    let mut resources = Vec::new();
    for (path, bytes) in files {
        let name = path.strip_prefix("package/").unwrap_or_default();
        if name.is_empty() || name.contains('/') || name.starts_with('.') || !is_named(name, "json")
        {
            continue;
        }
        let resource =
            json::parse_with(&bytes, Limits::BUNDLE).map_err(|error| fault(&path, &error))?;
        if ResourceType::of(&resource).is_some() {
            resources.push(resource);
        }
    }
    if resources.is_empty() { Err(fault("package", &"no definitions")) } else { Ok(resources) }
}

/// The definitions in Bundles of these names, as XML or JSON.
fn bundles(files: &Files, names: &[&str], elements: &Elements) -> Result<Vec<Value>, Error> {
    let mut resources = Vec::new();
    for name in names {
        let Some((_, bytes)) = files.iter().find(|(path, _)| path == name) else {
            return Err(fault(name, &"missing"));
        };
        if is_named(name, "json") {
            let bundle =
                json::parse_with(bytes, Limits::BUNDLE).map_err(|error| fault(name, &error))?;
            resources
                .extend(bundle.items("entry").filter_map(|entry| entry.get("resource")).cloned());
        } else {
            let text = std::str::from_utf8(bytes).map_err(|_| fault(name, &"not UTF-8"))?;
            let reading = elements.read(text).map_err(|error| fault(name, &error))?;
            resources.extend(reading.resources);
        }
    }
    // HAPI adds a type of its own to R4.
    resources.retain(|resource| {
        resource.text("name") != Some("MetadataResource")
            || resource.text("type") != Some("MetadataResource")
    });
    Ok(resources)
}
