//! Building the packs: whole resources of their sources become lean definitions, put together as they are used together.
//!
//! The same resources give the same bytes, in whatever order they come. Where they come from (jars, packages, JSON or
//! XML) is decided outside. What is no definition is left out, and so are logical models, of which FHIR has ten for its
//! own patterns, and definitions without a snapshot, which are two examples.

pub mod source;
pub mod xml;

use std::collections::{BTreeMap, BTreeSet};

use super::lean::{Keep, lean};
use super::pack::write;
pub use super::pack::write::TooLarge;
use super::{ResourceType, without_version};
use crate::json::Value;

/// The resources that the packs are made of.
#[derive(Debug, Default)]
pub struct Sources {
    /// FHIR R4 4.0.1.
    pub r4: Vec<Value>,
    /// FHIR R4B 4.3.0.
    pub r4b: Vec<Value>,
    /// FHIR R5 5.0.0.
    pub r5: Vec<Value>,
    /// HL7 Terminology 5.1.0.
    pub terminology: Vec<Value>,
    /// The extensions pack 1.0.0.
    pub extensions: Vec<Value>,
}

/// The packs, as the contents of the files `profiles/core/NAME`.
#[derive(Debug, PartialEq, Eq)]
pub struct Packs {
    /// `r4.pack`
    pub r4: Vec<u8>,
    /// `r4b.pack`
    pub r4b: Vec<u8>,
    /// `r5.pack`
    pub r5: Vec<u8>,
    /// `tho.pack`
    pub terminology: Vec<u8>,
    /// `extensions.pack`
    pub extensions: Vec<u8>,
}

impl Packs {
    /// The packs with the names of their files.
    pub fn files(&self) -> [(&'static str, &[u8]); 5] {
        [
            ("r4.pack", &self.r4),
            ("r4b.pack", &self.r4b),
            ("r5.pack", &self.r5),
            ("tho.pack", &self.terminology),
            ("extensions.pack", &self.extensions),
        ]
    }
}

/// The block in which the datatypes stand: they are wanted together, and by everybody.
const DATATYPES: usize = 160 << 10;
/// Blocks of resource types: few are wanted at once.
const RESOURCES: usize = 80 << 10;
/// All other blocks.
const OTHERS: usize = 96 << 10;
/// Terminology larger than this stands apart, so that it is not inflated on the way to something small.
const LARGE: usize = 24 << 10;

/// What a therapist's export holds, and so what stands together.
const USUAL: &[&str] = &[
    "Resource",
    "DomainResource",
    "Bundle",
    "OperationOutcome",
    "Patient",
    "CarePlan",
    "Goal",
    "Encounter",
    "Condition",
    "Observation",
    "Procedure",
    "ServiceRequest",
    "DocumentReference",
    "QuestionnaireResponse",
    "Questionnaire",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "CareTeam",
    "RelatedPerson",
    "Consent",
    "Composition",
    "MedicationRequest",
    "Medication",
    "DiagnosticReport",
    "Immunization",
    "AllergyIntolerance",
    "Claim",
    "ExplanationOfBenefit",
    "Device",
    "Location",
    "Provenance",
];

/// Builds all packs.
pub fn packs(sources: Sources) -> Result<Packs, TooLarge> {
    let r4 = Set::new(sources.r4);
    let r4b = Set::new(sources.r4b);
    let r5 = Set::new(sources.r5);
    let terminology = Set::new(sources.terminology);
    let extensions = Set::new(sources.extensions);
    let mut wanted = Vec::new();
    for release in [&r4, &r4b, &r5, &extensions] {
        wanted.extend(release.wanted(&[&terminology]));
    }
    Ok(Packs {
        terminology: write::pack(&terminology.into_blocks(&wanted))?,
        extensions: write::pack(&extensions.into_blocks(&[]))?,
        r4: write::pack(&r4.into_blocks(&[]))?,
        r4b: write::pack(&r4b.into_blocks(&[]))?,
        r5: write::pack(&r5.into_blocks(&[]))?,
    })
}

/// The lean definitions of one source, by resource type, URL and version.
struct Set {
    definitions: BTreeMap<(ResourceType, String, String), Value>,
}

impl Set {
    fn new(resources: Vec<Value>) -> Self {
        let mut definitions = BTreeMap::new();
        for resource in resources {
            let Some(of) = ResourceType::of(&resource).filter(|of| is_shipped(*of, &resource))
            else {
                continue;
            };
            let text = |member| resource.text(member).unwrap_or_default().to_owned();
            let key = (of, text("url"), text("version"));
            if let Some(lean) = lean(resource, Keep::Snapshot) {
                definitions.insert(key, lean);
            }
        }
        Self { definitions }
    }

    fn of(&self, of: ResourceType) -> impl Iterator<Item = &Value> {
        let start = (of, String::new(), String::new());
        self.definitions
            .range(start..)
            .take_while(move |((its, ..), _)| *its == of)
            .map(|(_, value)| value)
    }

    /// The highest version of a definition.
    fn get(
        &self,
        of: ResourceType,
        url: &str,
    ) -> Option<(&(ResourceType, String, String), &Value)> {
        let start = (of, url.to_owned(), String::new());
        let same = self
            .definitions
            .range(start..)
            .take_while(|((its, its_url, _), _)| *its == of && its_url == url);
        same.last()
    }

    /// The StructureDefinitions in the order in which they stand.
    fn structures(&self) -> Vec<&Value> {
        let mut all: Vec<&Value> = self.of(ResourceType::StructureDefinition).collect();
        all.sort_by_key(|structure| (class(structure), usual(structure)));
        all
    }

    /// The ValueSets and CodeSystems in the order in which they are wanted: a ValueSet, then what it includes.
    fn wanted(&self, beside: &[&Self]) -> Vec<(ResourceType, String)> {
        let mut wanted = Wanted {
            sets: [self].into_iter().chain(beside.iter().copied()).collect(),
            ..Wanted::default()
        };
        for structure in self.structures() {
            let elements = structure
                .get("snapshot")
                .into_iter()
                .flat_map(|snapshot| snapshot.items("element"));
            for binding in elements.filter_map(|element| element.get("binding")) {
                let extensions = binding.items("extension").filter_map(|extension| {
                    extension.text("valueCanonical").or_else(|| extension.text("valueUri"))
                });
                for url in binding.text("valueSet").into_iter().chain(extensions) {
                    wanted.value_set(without_version(url), 0);
                }
            }
        }
        for value_set in self.of(ResourceType::ValueSet) {
            wanted.value_set(value_set.text("url").unwrap_or_default(), 0);
        }
        wanted.list
    }

    fn into_blocks(mut self, wanted: &[(ResourceType, String)]) -> Vec<Vec<Value>> {
        let mut keys: Vec<(usize, (ResourceType, String, String))> = Vec::new();
        let key_of = |of: ResourceType, value: &Value| {
            let text = |member| value.text(member).unwrap_or_default().to_owned();
            (of, text("url"), text("version"))
        };
        for structure in self.structures() {
            keys.push((class(structure), key_of(ResourceType::StructureDefinition, structure)));
        }
        let own = self.wanted(&[]);
        let mut seen = BTreeSet::new();
        let mut large = Vec::new();
        let mut place = |key: &(ResourceType, String, String), value: &Value| {
            if seen.insert(key.clone()) {
                let is_large = value.to_text().len() > LARGE;
                let (list, class) = if is_large { (&mut large, 6) } else { (&mut keys, 5) };
                list.push((class, key.clone()));
            }
        };
        for (of, url) in wanted.iter().chain(&own) {
            if let Some((key, value)) = self.get(*of, url) {
                place(key, value);
            }
        }
        for (key, value) in &self.definitions {
            if matches!(key.0, ResourceType::ValueSet | ResourceType::CodeSystem) {
                place(key, value);
            }
        }
        keys.append(&mut large);
        let parameters =
            self.definitions.keys().filter(|(of, ..)| *of == ResourceType::SearchParameter);
        keys.extend(parameters.map(|key| (7, key.clone())));
        let mut blocks: Vec<Vec<Value>> = Vec::new();
        let (mut filled, mut last_class) = (0, usize::MAX);
        for (class, key) in keys {
            let Some(value) = self.definitions.remove(&key) else { continue };
            let length = value.to_text().len();
            let target = match class {
                0 => DATATYPES,
                1 | 2 => RESOURCES,
                _ => OTHERS,
            };
            match blocks.last_mut() {
                Some(block) if class == last_class && filled + length <= target => {
                    block.push(value);
                }
                _ => {
                    blocks.push(vec![value]);
                    filled = 0;
                }
            }
            filled += length;
            last_class = class;
        }
        blocks
    }
}

fn is_shipped(of: ResourceType, resource: &Value) -> bool {
    resource.text("url").is_some()
        && (of != ResourceType::StructureDefinition
            || (resource.text("kind") != Some("logical") && resource.get("snapshot").is_some()))
}

/// Which part of a pack a StructureDefinition belongs to.
fn class(structure: &Value) -> usize {
    let is_constraint = structure.text("derivation") == Some("constraint");
    let is_resource = structure.text("kind") == Some("resource");
    match (is_constraint, is_resource) {
        (false, false) => 0,
        (false, true) if usual(structure) < USUAL.len() => 1,
        (false, true) => 2,
        (true, true) => 3,
        (true, false) => 4,
    }
}

fn usual(structure: &Value) -> usize {
    let name = structure.text("type").unwrap_or_default();
    USUAL.iter().position(|usual| *usual == name).unwrap_or(USUAL.len())
}

/// ValueSets and CodeSystems, each once, in the order in which they are met.
#[derive(Default)]
struct Wanted<'s> {
    sets: Vec<&'s Set>,
    list: Vec<(ResourceType, String)>,
    seen: BTreeSet<(ResourceType, String)>,
}

impl Wanted<'_> {
    fn value_set(&mut self, url: &str, depth: usize) {
        let key = (ResourceType::ValueSet, url.to_owned());
        // Sets include sets; none is four deep, and a circle ends here.
        if depth > 8 || !self.seen.insert(key.clone()) {
            return;
        }
        self.list.push(key);
        let found = self.sets.iter().find_map(|set| set.get(ResourceType::ValueSet, url));
        let Some(compose) = found.and_then(|(_, value)| value.get("compose")) else { return };
        for include in compose.items("include").chain(compose.items("exclude")) {
            for inner in include.items("valueSet").filter_map(Value::as_str) {
                self.value_set(without_version(inner), depth + 1);
            }
            if let Some(system) = include.text("system") {
                let key = (ResourceType::CodeSystem, system.to_owned());
                if self.seen.insert(key.clone()) {
                    self.list.push(key);
                }
            }
        }
    }
}
