//! The definitions to validate against: StructureDefinitions, ValueSets, CodeSystems and SearchParameters of a release.
//!
//! All of FHIR R4, R4B and R5, HL7's terminology (THO 5.1.0) and the extensions pack (1.0.0) are part of the program, in
//! lean form ([`lean`]) and deflated (`pack`): nothing is read or inflated before it is asked for, and what was asked
//! for once is kept. Users' packages ([`Package`]) stand beside them.
//!
//! Where several sources define one URL, the release has the first word about structures and search parameters, and
//! THO about terminology, except where THO only names a code system (`not-present`) that the release has whole. A user's
//! package replaces nothing of these; of two packages the later one counts. A canonical with `|version` is that version
//! from whichever source has it, and nothing where none has it; one without is as just said.
//!
//! It refuses nothing: what is not defined is `None`, and what that means is the caller's to say.

pub mod build;
pub mod lean;
mod pack;
mod package;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock, OnceLock};

use pack::Pack;
pub use package::Package;

use crate::fhir::Release;
use crate::json::Value;
use crate::validate::types::TypeKind;

/// The resources that define something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceType {
    /// Types, profiles and extensions.
    StructureDefinition,
    /// Sets of codes.
    ValueSet,
    /// Codes.
    CodeSystem,
    /// What servers can be searched by.
    SearchParameter,
}

/// How a structure was derived from its base (`StructureDefinition.derivation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivation {
    /// A new type.
    Specialization,
    /// A profile or an extension.
    Constraint,
}

/// How much of a code system its CodeSystem holds (`CodeSystem.content`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Content {
    /// None of its codes.
    NotPresent = 1,
    /// A few, to show what they look like.
    Example = 2,
    /// Some.
    Fragment = 3,
    /// All.
    Complete = 4,
    /// More about the codes of another one.
    Supplement = 5,
}

/// What the index tells of a definition without inflating it. Absent texts are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'d> {
    /// The canonical URL, without version.
    pub url: &'d str,
    /// The business version.
    pub version: &'d str,
    /// The name for programs.
    pub name: &'d str,
    /// `StructureDefinition.type`, `SearchParameter.type`.
    pub type_name: &'d str,
    /// `StructureDefinition.baseDefinition`, `CodeSystem.supplements`.
    pub base: &'d str,
    /// `StructureDefinition.kind`
    pub kind: Option<TypeKind>,
    /// `StructureDefinition.abstract`
    pub is_abstract: bool,
    /// `StructureDefinition.derivation`
    pub derivation: Option<Derivation>,
    /// `CodeSystem.content`
    pub content: Option<Content>,
}

/// A definition in its lean form.
#[derive(Debug)]
pub struct Definition {
    of: ResourceType,
    value: Value,
}

/// A StructureDefinition.
pub type Structure = Definition;

/// The definitions of a release and of packages beside it. Cheap to ask, from any thread.
#[derive(Debug, Clone)]
pub struct Definitions {
    release: Release,
    packages: Vec<Arc<Package>>,
}

/// One of the sources that are part of the program.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The package of HL7 that has the same definitions: `hl7.fhir.r4.core`.
    pub name: &'static str,
    /// The version of it.
    pub version: &'static str,
    pack: &'static Pack,
}

static R4: LazyLock<Pack> = LazyLock::new(|| open(include_bytes!("../../profiles/core/r4.pack")));
static R4B: LazyLock<Pack> = LazyLock::new(|| open(include_bytes!("../../profiles/core/r4b.pack")));
static R5: LazyLock<Pack> = LazyLock::new(|| open(include_bytes!("../../profiles/core/r5.pack")));
static TERMINOLOGY: LazyLock<Pack> =
    LazyLock::new(|| open(include_bytes!("../../profiles/core/tho.pack")));
static EXTENSIONS: LazyLock<Pack> =
    LazyLock::new(|| open(include_bytes!("../../profiles/core/extensions.pack")));

/// A test opens what is shipped; so a pack that can't be opened is one that a change of the format has left behind.
fn open(bytes: &'static [u8]) -> Pack {
    Pack::open(bytes).unwrap_or_else(Pack::empty)
}

/// Where a definition was found.
enum Place<'d> {
    Pack(&'static Pack, usize),
    Package(&'d Package, usize),
}

impl Definitions {
    /// What FHIR itself defines, in a release.
    pub fn core(release: Release) -> Arc<Self> {
        static CORE: [OnceLock<Arc<Definitions>>; 3] = [const { OnceLock::new() }; 3];
        let new = || Arc::new(Self { release, packages: Vec::new() });
        CORE.get(release as usize).map_or_else(new, |cell| Arc::clone(cell.get_or_init(new)))
    }

    /// The same packages beside what FHIR defines in another release.
    #[must_use]
    pub fn of_release(&self, release: Release) -> Self {
        Self { release, packages: self.packages.clone() }
    }

    /// The same, and these packages beside it. Of two that define one URL, the later one counts.
    #[must_use]
    pub fn with_packages(&self, packages: Vec<Package>) -> Self {
        let mut all = self.packages.clone();
        all.extend(packages.into_iter().map(Arc::new));
        Self { release: self.release, packages: all }
    }

    /// The release that they are of.
    pub fn release(&self) -> Release {
        self.release
    }

    /// The packages beside the core, in the order in which they came.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().map(AsRef::as_ref)
    }

    /// The sources that are part of the program, with all that they define, also where another one has the first word.
    pub fn sources(&self) -> [Source; 3] {
        let core = match self.release {
            Release::R4 => "hl7.fhir.r4.core",
            Release::R4B => "hl7.fhir.r4b.core",
            Release::R5 => "hl7.fhir.r5.core",
        };
        [
            Source { name: core, version: self.release.fhir_version(), pack: self.core_pack() },
            Source { name: "hl7.terminology", version: "5.1.0", pack: &TERMINOLOGY },
            Source { name: "hl7.fhir.uv.extensions.r5", version: "1.0.0", pack: &EXTENSIONS },
        ]
    }

    /// The StructureDefinition of a canonical URL, which may end in `|version`.
    pub fn structure(&self, canonical: &str) -> Option<Arc<Structure>> {
        self.get(ResourceType::StructureDefinition, canonical)
    }

    /// The StructureDefinition that defines a type of FHIR: `Patient`, `HumanName`, `code`, `Element`.
    pub fn structure_of_type(&self, name: &str) -> Option<Arc<Structure>> {
        // The names of types are letters and digits; anything else must not find a profile's URL.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let url = ["http://hl7.org/fhir/StructureDefinition/", name].concat();
        let place = self.find(ResourceType::StructureDefinition, &url)?;
        let row = place.row(ResourceType::StructureDefinition)?;
        let is_type = row.derivation != Some(Derivation::Constraint) && row.type_name == name;
        is_type.then(|| place.load(ResourceType::StructureDefinition)).flatten()
    }

    /// The ValueSet of a canonical URL, which may end in `|version`.
    pub fn value_set(&self, canonical: &str) -> Option<Arc<Definition>> {
        self.get(ResourceType::ValueSet, canonical)
    }

    /// The CodeSystem of a canonical URL, which may end in `|version`.
    pub fn code_system(&self, canonical: &str) -> Option<Arc<Definition>> {
        self.get(ResourceType::CodeSystem, canonical)
    }

    /// The SearchParameter of a canonical URL, which may end in `|version`.
    pub fn search_parameter(&self, canonical: &str) -> Option<Arc<Definition>> {
        self.get(ResourceType::SearchParameter, canonical)
    }

    /// All SearchParameters.
    pub fn search_parameters(&self) -> impl Iterator<Item = Arc<Definition>> {
        self.places(ResourceType::SearchParameter)
            .filter_map(|place| place.load(ResourceType::SearchParameter))
    }

    /// What the index tells of all StructureDefinitions, each URL once: types, profiles and extensions.
    pub fn structures(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows(ResourceType::StructureDefinition)
    }

    /// What the index tells of all definitions of a resource type, each URL once.
    pub fn rows(&self, of: ResourceType) -> impl Iterator<Item = Row<'_>> {
        self.places(of).filter_map(move |place| place.row(of))
    }

    /// What the index tells of one definition; the URL may end in `|version`.
    pub fn row(&self, of: ResourceType, canonical: &str) -> Option<Row<'_>> {
        self.find(of, canonical)?.row(of)
    }

    /// A definition of any kind; the URL may end in `|version`.
    pub fn get(&self, of: ResourceType, canonical: &str) -> Option<Arc<Definition>> {
        self.find(of, canonical)?.load(of)
    }

    fn core_pack(&self) -> &'static Pack {
        match self.release {
            Release::R4 => &R4,
            Release::R4B => &R4B,
            Release::R5 => &R5,
        }
    }

    /// The packs in the order in which they are asked.
    fn packs(&self, of: ResourceType) -> [&'static Pack; 3] {
        let core = self.core_pack();
        match of {
            ResourceType::ValueSet | ResourceType::CodeSystem => [&TERMINOLOGY, core, &EXTENSIONS],
            ResourceType::StructureDefinition | ResourceType::SearchParameter => {
                [core, &EXTENSIONS, &TERMINOLOGY]
            }
        }
    }

    fn find(&self, of: ResourceType, canonical: &str) -> Option<Place<'_>> {
        let (url, version) = split(canonical);
        let mut found = None;
        for pack in self.packs(of) {
            let Some(number) = pack.find(of, url, version) else { continue };
            let content = pack.row(of, number).and_then(|row| row.content);
            match found {
                // THO only names it: perhaps the release has it whole.
                None if content == Some(Content::NotPresent) => {
                    found = Some(Place::Pack(pack, number));
                }
                None => return Some(Place::Pack(pack, number)),
                Some(_) if content == Some(Content::Complete) => {
                    return Some(Place::Pack(pack, number));
                }
                Some(_) => {}
            }
        }
        found.or_else(|| {
            self.packages.iter().rev().find_map(|package| {
                package.find(of, url, version).map(|number| Place::Package(package, number))
            })
        })
    }

    /// All that is found by its URL, each URL once.
    fn places(&self, of: ResourceType) -> impl Iterator<Item = Place<'_>> {
        let packs = self.packs(of).into_iter();
        let core = packs
            .flat_map(move |pack| (0..pack.len(of)).map(move |number| Place::Pack(pack, number)));
        let packages = self.packages.iter().flat_map(move |package| {
            (0..package.len(of)).map(move |number| Place::Package(package, number))
        });
        core.chain(packages).filter(move |place| {
            let row = place.row(of);
            row.and_then(|row| self.find(of, row.url)).is_some_and(|found| found.is(place))
        })
    }
}

impl<'d> Place<'d> {
    fn row(&self, of: ResourceType) -> Option<Row<'d>> {
        match self {
            Self::Pack(pack, number) => pack.row(of, *number),
            Self::Package(package, number) => package.row(of, *number),
        }
    }

    fn load(&self, of: ResourceType) -> Option<Arc<Definition>> {
        match self {
            Self::Pack(pack, number) => pack.load(of, *number),
            Self::Package(package, number) => package.load(of, *number),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pack(pack, number), Self::Pack(other, its)) => {
                std::ptr::eq(*pack, *other) && number == its
            }
            (Self::Package(package, number), Self::Package(other, its)) => {
                std::ptr::eq(*package, *other) && number == its
            }
            _ => false,
        }
    }
}

impl Source {
    /// How many definitions of a resource type it has.
    pub fn len(&self, of: ResourceType) -> usize {
        self.pack.len(of)
    }

    /// Whether it has none at all.
    pub fn is_empty(&self) -> bool {
        ResourceType::ALL.into_iter().all(|of| self.len(of) == 0)
    }

    /// Its definitions of a resource type, by URL and version, each with its row of the index.
    pub fn definitions(
        self,
        of: ResourceType,
    ) -> impl Iterator<Item = (Row<'static>, Arc<Definition>)> {
        let pack = self.pack;
        (0..pack.len(of))
            .filter_map(move |number| Some((pack.row(of, number)?, pack.load(of, number)?)))
    }
}

impl Definition {
    fn new(of: ResourceType, value: Value) -> Self {
        Self { of, value }
    }

    /// Which resource it is.
    pub fn resource_type(&self) -> ResourceType {
        self.of
    }

    /// The resource, in FHIR's JSON shape.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The canonical URL, without version.
    pub fn url(&self) -> &str {
        self.value.text("url").unwrap_or_default()
    }

    /// The business version, if it has one.
    pub fn version(&self) -> Option<&str> {
        self.value.text("version")
    }

    /// The elements of the snapshot of a StructureDefinition; none for others.
    pub fn snapshot(&self) -> &[Value] {
        self.elements("snapshot")
    }

    /// The elements of the differential; none in what is shipped, only in users' packages.
    pub fn differential(&self) -> &[Value] {
        self.elements("differential")
    }

    fn elements(&self, list: &str) -> &[Value] {
        let elements = self.value.get(list).and_then(|list| list.get("element"));
        elements.and_then(Value::as_array).unwrap_or_default()
    }
}

impl ResourceType {
    /// All of them, in the order in which a pack has them.
    pub const ALL: [Self; 4] =
        [Self::StructureDefinition, Self::ValueSet, Self::CodeSystem, Self::SearchParameter];

    /// FHIR's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StructureDefinition => "StructureDefinition",
            Self::ValueSet => "ValueSet",
            Self::CodeSystem => "CodeSystem",
            Self::SearchParameter => "SearchParameter",
        }
    }

    /// Which one a resource is; nothing for all that define nothing.
    pub fn of(resource: &Value) -> Option<Self> {
        Self::named(resource.text("resourceType")?)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.name() == name)
    }
}

impl Content {
    const ALL: [(Self, &'static str); 5] = [
        (Self::NotPresent, "not-present"),
        (Self::Example, "example"),
        (Self::Fragment, "fragment"),
        (Self::Complete, "complete"),
        (Self::Supplement, "supplement"),
    ];

    fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, its)| *its == code).map(|(content, _)| content)
    }

    fn of_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(content, _)| *content as u8 == number)
            .map(|(content, _)| content)
    }
}

impl Derivation {
    fn of_code(code: &str) -> Option<Self> {
        match code {
            "specialization" => Some(Self::Specialization),
            "constraint" => Some(Self::Constraint),
            _ => None,
        }
    }
}

fn kind_of_code(code: &str) -> Option<TypeKind> {
    match code {
        "primitive-type" => Some(TypeKind::Primitive),
        "complex-type" => Some(TypeKind::Complex),
        "resource" => Some(TypeKind::Resource),
        "logical" => Some(TypeKind::Logical),
        _ => None,
    }
}

impl<'d> Row<'d> {
    /// The row of a definition.
    fn of(definition: &'d Value) -> Self {
        let text = |member| definition.text(member).unwrap_or_default();
        let base = definition.text("baseDefinition").or_else(|| definition.text("supplements"));
        Self {
            url: text("url"),
            version: text("version"),
            name: text("name"),
            type_name: text("type"),
            base: base.unwrap_or_default(),
            kind: kind_of_code(text("kind")),
            is_abstract: definition.get("abstract").and_then(Value::as_bool) == Some(true),
            derivation: Derivation::of_code(text("derivation")),
            content: Content::of_code(text("content")),
        }
    }
}

/// The URL of a canonical, and its version if it has one. An empty version is none.
fn split(canonical: &str) -> (&str, Option<&str>) {
    match canonical.split_once('|') {
        Some((url, version)) => (url, Some(version).filter(|version| !version.is_empty())),
        None => (canonical, None),
    }
}

/// The URL of a canonical.
fn without_version(canonical: &str) -> &str {
    split(canonical).0
}
