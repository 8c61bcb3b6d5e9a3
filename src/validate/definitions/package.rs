//! Packages of definitions that users bring: what an npm-style package or a folder holds, as files already read.
//!
//! Only the heads of the files are read at first: a package has hundreds of files, of which one resource needs a few.
//! Whatever is no definition (examples, CapabilityStatements, the guide itself) is left aside without a word. A file
//! that is no JSON, or says its head in another form than FHIR's, is an [`Issue`] and costs nothing but itself.
//!
//! Unpacking archives and finding packages is the shell's; here there are only bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

use super::lean::{self, Keep, lean};
use super::{Content, Definition, Derivation, ResourceType, Row, kind_of_code};
use crate::issue::Issue;
use crate::json::{self, Pointer, Value};
use crate::validate::detect::is_named;

/// The definitions of one package.
#[derive(Debug, Default)]
pub struct Package {
    manifest: Manifest,
    entries: [Vec<Entry>; 4],
    issues: Vec<Issue>,
}

/// `package/package.json`, as far as we use it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Manifest {
    name: String,
    version: String,
    #[serde(rename = "fhirVersions", alias = "fhir-version-list")]
    fhir_versions: Vec<String>,
    dependencies: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Entry {
    head: Head,
    source: Source,
    loaded: OnceLock<Option<Arc<Definition>>>,
}

/// What a definition is read from when it is first asked for.
#[derive(Debug)]
enum Source {
    Bytes(Vec<u8>),
    Value(Box<Value>),
}

/// The members that say what a resource is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: Scalar,
    url: Scalar,
    version: Scalar,
    name: Scalar,
    #[serde(rename = "type")]
    type_name: Scalar,
    #[serde(rename = "baseDefinition")]
    base_definition: Scalar,
    supplements: Scalar,
    kind: Scalar,
    #[serde(rename = "abstract")]
    is_abstract: Scalar,
    derivation: Scalar,
    content: Scalar,
}

/// A text or a boolean; empty where a resource has something else of that name (`Patient.name`, `Observation.version`).
#[derive(Debug, Default)]
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, items: A) -> Result<Scalar, A::Error> {
        IgnoredAny.visit_seq(items).map(|_| Scalar::default())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, members: A) -> Result<Scalar, A::Error> {
        IgnoredAny.visit_map(members).map(|_| Scalar::default())
    }
}

impl Package {
    /// The package that these files make up: their paths, with `/`, and their contents.
    ///
    /// Where some stand in `package/`, it is an npm-style package, and only its definitions count: those right in
    /// `package/`, not those of its folders, which are examples. Else it is a plain folder, and all `.json` files count.
    pub fn from_files<P: AsRef<str>>(files: impl IntoIterator<Item = (P, Vec<u8>)>) -> Self {
        let files: Vec<(P, Vec<u8>)> = files.into_iter().collect();
        let is_npm = files.iter().any(|(path, _)| path.as_ref().starts_with("package/"));
        let mut package = Self::default();
        for (path, bytes) in files {
            let path = path.as_ref();
            let name = if is_npm { path.strip_prefix("package/") } else { Some(path) };
            let Some(name) = name.filter(|name| !(is_npm && name.contains('/'))) else { continue };
            let file = name.rsplit('/').next().unwrap_or(name);
            if file.starts_with('.') || !is_named(file, "json") {
                continue;
            }
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            if name == "package.json" {
                match serde_json::from_slice(text) {
                    Ok(manifest) => package.manifest = manifest,
                    Err(_) => package.issues.push(unreadable(path)),
                }
                continue;
            }
            // What derives the reading of a head would take a list for one, too.
            let is_object = text.trim_ascii_start().starts_with(b"{");
            match serde_json::from_slice::<Head>(text) {
                Ok(head) if is_object => package.add(head, Source::Bytes(bytes)),
                _ => package.issues.push(unreadable(path)),
            }
        }
        package.sort();
        package
    }

    /// The package that these resources make up.
    pub fn from_resources(resources: impl IntoIterator<Item = Value>) -> Self {
        let mut package = Self::default();
        for resource in resources {
            let text = |member| {
                let value = resource.get(member);
                let boolean = || Some(value?.as_bool()?.to_string());
                Scalar(
                    value
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                        .or_else(boolean)
                        .unwrap_or_default(),
                )
            };
            let head = Head {
                resource_type: text("resourceType"),
                url: text("url"),
                version: text("version"),
                name: text("name"),
                type_name: text("type"),
                base_definition: text("baseDefinition"),
                supplements: text("supplements"),
                kind: text("kind"),
                is_abstract: text("abstract"),
                derivation: text("derivation"),
                content: text("content"),
            };
            package.add(head, Source::Value(Box::new(resource)));
        }
        package.sort();
        package
    }

    fn add(&mut self, head: Head, source: Source) {
        let Some(of) = ResourceType::named(&head.resource_type.0) else { return };
        if head.url.0.is_empty() {
            return;
        }
        if let Some(entries) = self.entries.get_mut(of as usize) {
            entries.push(Entry { head, source, loaded: OnceLock::new() });
        }
    }

    fn sort(&mut self) {
        for entries in &mut self.entries {
            // Stable: of two files with one URL and version the later one counts.
            entries.sort_by(|a, b| a.head.key().cmp(&b.head.key()));
        }
    }

    /// Its name: `hl7.fhir.us.core`; empty where there is no `package.json`.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Its version; empty where there is no `package.json`.
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    /// The FHIR versions that it says it is for.
    pub fn fhir_versions(&self) -> impl Iterator<Item = &str> {
        self.manifest.fhir_versions.iter().map(String::as_str)
    }

    /// The packages that it builds upon: names and versions.
    pub fn dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.manifest.dependencies.iter().map(|(name, version)| (name.as_str(), version.as_str()))
    }

    /// What could not be read of it.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// How many definitions of a resource type it has.
    pub fn len(&self, of: ResourceType) -> usize {
        self.entries(of).len()
    }

    /// Whether it defines nothing at all.
    pub fn is_empty(&self) -> bool {
        self.entries.iter().all(Vec::is_empty)
    }

    fn entries(&self, of: ResourceType) -> &[Entry] {
        self.entries.get(of as usize).map_or(&[], Vec::as_slice)
    }

    /// What its head tells of a definition, by its number.
    pub(super) fn row(&self, of: ResourceType, number: usize) -> Option<Row<'_>> {
        Some(self.entries(of).get(number)?.head.row())
    }

    /// The number of the definition with this URL: of this version, or of the highest.
    pub(super) fn find(&self, of: ResourceType, url: &str, version: Option<&str>) -> Option<usize> {
        let entries = self.entries(of);
        let end = entries.partition_point(|entry| entry.head.url.0.as_str() <= url);
        let before = entries.get(..end)?.iter().enumerate().rev();
        let mut same = before.take_while(|(_, entry)| entry.head.url.0 == url);
        same.find(|(_, entry)| version.is_none_or(|version| version == entry.head.version.0))
            .map(|(number, _)| number)
    }

    /// A definition by its number; nothing where the file turns out to be one that we refuse (a member twice).
    pub(super) fn load(&self, of: ResourceType, number: usize) -> Option<Arc<Definition>> {
        let entry = self.entries(of).get(number)?;
        let read = || {
            let value = match &entry.source {
                Source::Bytes(bytes) => json::parse_with(bytes, lean::LIMITS).ok()?,
                Source::Value(value) => value.as_ref().clone(),
            };
            Some(Arc::new(Definition::new(of, lean(value, Keep::Differential)?)))
        };
        entry.loaded.get_or_init(read).clone()
    }
}

impl Head {
    fn key(&self) -> (&str, &str) {
        (&self.url.0, &self.version.0)
    }

    fn row(&self) -> Row<'_> {
        let base = if self.base_definition.0.is_empty() {
            &self.supplements
        } else {
            &self.base_definition
        };
        Row {
            url: &self.url.0,
            version: &self.version.0,
            name: &self.name.0,
            type_name: &self.type_name.0,
            base: &base.0,
            kind: kind_of_code(&self.kind.0),
            is_abstract: self.is_abstract.0 == "true",
            derivation: Derivation::of_code(&self.derivation.0),
            content: Content::of_code(&self.content.0),
        }
    }
}

fn unreadable(path: &str) -> Issue {
    let text = format!("`{path}` of a package is no JSON object as FHIR has it, and is left out");
    Issue::warning("fhir-package-file", Pointer::default(), text)
}
