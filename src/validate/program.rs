//! Programs: what a StructureDefinition demands, in the form in which it is walked beside a document.
//!
//! A program is a flat list of elements, the definition's own root first. Each element knows its children by name, with
//! choices spelled out (`valueQuantity`), so that a name in a document is looked up once. Where an element has no children of its own in
//! the definition, those of its type are meant: [`Programs::of`] gives that type's program by number, without a search.
//!
//! Programs are compiled on first use and kept as long as their [`Programs`]; references to them are all that a walk holds,
//! and nothing is counted or locked while one goes on. A definition without snapshot has no program but a reason ([`Refusal`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::compile;
use super::definitions::{Definitions, Derivation};
use super::invariant::Compiled;
use super::types::{TypeId, TypeKind, Types};
use crate::fhir::Release;
use crate::json::Value;

/// A definition by its number in [`Programs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramId(u32);

impl ProgramId {
    pub(in crate::validate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A number that whoever evaluates a binding or an invariant keeps beside it, so that it is looked up once.
#[derive(Debug, Default)]
pub struct Handle(OnceLock<u32>);

impl Handle {
    /// The number; the first time, whatever `find` says.
    pub fn get_or_find(&self, find: impl FnOnce() -> u32) -> u32 {
        *self.0.get_or_init(find)
    }
}

/// A compiled StructureDefinition.
#[derive(Debug)]
pub struct Program {
    /// Its number.
    pub id: ProgramId,
    /// The canonical URL, without version.
    pub url: Box<str>,
    /// The business version; empty for none.
    pub version: Box<str>,
    /// The type that it defines or constrains.
    pub type_id: TypeId,
    /// What kind of type that is.
    pub kind: TypeKind,
    /// Whether it constrains a type (a profile or an extension) and does not define one.
    pub is_constraint: bool,
    /// Whether it is an extension without snapshot, of which only the place is known: its elements are those of any extension.
    pub is_partial: bool,
    /// The whole: the resource, the datatype. It has number 0.
    pub root: Element,
    /// The elements below it in the order of the snapshot, from number 1.
    pub elements: Box<[Element]>,
    /// Of an extension, where it may stand; empty for others.
    pub context: Box<[Context]>,
    /// Of an extension, FHIRPath that must hold for the element that has it.
    pub context_invariants: Box<[Constraint]>,
    /// The paths of slicings that are not checked.
    pub unchecked: Box<[Box<str>]>,
}

impl Program {
    /// The element of a number; of one that is none, the whole.
    pub fn element(&self, number: u32) -> &Element {
        let place = (number as usize).checked_sub(1);
        place.and_then(|place| self.elements.get(place)).unwrap_or(&self.root)
    }

    /// All elements, the whole first.
    pub fn all(&self) -> impl Iterator<Item = &Element> {
        std::iter::once(&self.root).chain(&self.elements)
    }
}

/// Where an extension may stand (`StructureDefinition.context`).
#[derive(Debug)]
pub struct Context {
    /// In which words the place is given.
    pub kind: ContextKind,
    /// The place: `Patient.name`, an extension's URL, or FHIRPath.
    pub expression: Box<str>,
    /// For FHIRPath: the expression, read once by whoever evaluates it; nothing if it can't be read.
    pub(in crate::validate) compiled: OnceLock<Option<Arc<Compiled>>>,
}

/// The ways to give an extension's place (`extension-context-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextKind {
    /// A path of elements, or a type.
    Element,
    /// In another extension.
    Extension,
    /// Where FHIRPath leads to.
    FhirPath,
}

/// An element of a program.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are what the definition says, each by itself"
)]
pub struct Element {
    /// `ElementDefinition.id`: `Patient.name`, with slices `Patient.extension:race`.
    pub id: Box<str>,
    /// `ElementDefinition.path`
    pub path: Box<str>,
    /// The name by which FHIRPath knows it: `name`, and `value` for `value[x]`.
    pub name: Box<str>,
    /// The slice that it defines; empty if it is none.
    pub slice: Box<str>,
    /// Whether it is a choice of types (`value[x]`).
    pub is_choice: bool,
    /// How often it must be there at least.
    pub min: u32,
    /// How often it may be there; `u32::MAX` for `*`.
    pub max: u32,
    /// Whether it may repeat by the definition that first had it, so that JSON has an array.
    pub is_list: bool,
    /// Whether XML has it as an attribute.
    pub is_attribute: bool,
    /// `ElementDefinition.isModifier`
    pub is_modifier: bool,
    /// R5's `mustHaveValue`: an extension alone is not enough.
    pub must_have_value: bool,
    /// The types that it may have; none for the whole of a definition, and where the content is another element's.
    pub types: Box<[ElementType]>,
    /// The children by name; empty if those of the type are meant.
    pub children: Children,
    /// Of an element whose content is defined elsewhere in the same definition: that element's number.
    pub content: Option<u32>,
    /// `fixed[x]`: the value has to be exactly this.
    pub fixed: Option<Value>,
    /// `pattern[x]`: the value has to have at least this.
    pub pattern: Option<Value>,
    /// The value set that it is bound to.
    pub binding: Option<Binding>,
    /// `maxLength`, in characters.
    pub max_length: Option<u64>,
    /// `minValue[x]`
    pub min_value: Option<Value>,
    /// `maxValue[x]`
    pub max_value: Option<Value>,
    /// The invariants, as the snapshot has them (those of the type's own definition stand there).
    pub constraints: Box<[Constraint]>,
    /// Whether a value must be compared with something: fixed, pattern, length or bounds.
    pub checks_value: bool,
    /// The slices of it, by the numbers of their elements, if it is sliced by `url` (extensions).
    pub slices: Box<[Slice]>,
    /// Whether only what its slices define may be there (`slicing.rules` = `closed`).
    pub is_closed: bool,
}

/// A type that an element may have.
#[derive(Debug)]
pub struct ElementType {
    /// The type; [`TypeId::UNKNOWN`] if no definition at hand has it.
    pub type_id: TypeId,
    /// The definition of that type.
    pub program: Option<ProgramId>,
    /// How its values are written.
    pub form: Form,
    /// Whether the element is a plain attribute (`http://hl7.org/fhirpath/System.String`): a value and nothing else.
    pub is_system: bool,
    /// The profiles of which it has to meet one; none if the type is enough.
    pub profiles: Box<[Box<str>]>,
    /// What it may refer to: the canonical URLs of types and profiles; none if anything.
    pub targets: Box<[Box<str>]>,
    /// For whoever follows references: the types of those, once they were asked for; none if one of them is not known.
    pub(in crate::validate) target_types: OnceLock<Box<[TypeId]>>,
    /// How it may refer: contained, referenced, bundled; none if in any way.
    pub aggregation: Box<[Aggregation]>,
}

/// How the values of a type are written in JSON (R4 2.6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object.
    Complex,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A string that holds markup; in XML, the markup itself.
    Xhtml,
    /// A resource: an object with a `resourceType`.
    Resource,
    /// Not known, as no definition at hand has the type.
    Unknown,
}

/// How a reference may lead to its target (`resource-aggregation-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// It is contained in the same resource.
    Contained,
    /// It stands elsewhere.
    Referenced,
    /// It stands in the same Bundle.
    Bundled,
}

/// A slice of a repeating element that is told by its `url`.
#[derive(Debug)]
pub struct Slice {
    /// The extension's URL.
    pub url: Box<str>,
    /// The number of the slice's element.
    pub element: u32,
}

/// A value set to which an element is bound.
#[derive(Debug)]
pub struct Binding {
    /// How much it binds.
    pub strength: Strength,
    /// The canonical URL of the value set, perhaps with `|version`.
    pub value_set: Box<str>,
    /// The value set that binds where `value_set` only recommends (extension `elementdefinition-maxValueSet`).
    pub maximum: Option<Box<str>>,
    /// For whoever evaluates `value_set`.
    pub handle: Handle,
    /// For whoever evaluates `maximum`.
    pub maximum_handle: Handle,
}

/// How much a binding binds (`binding-strength`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// It shows what is meant.
    Example,
    /// It recommends.
    Preferred,
    /// Other codes only where none of it fits.
    Extensible,
    /// Nothing else.
    Required,
}

/// An invariant.
#[derive(Debug)]
pub struct Constraint {
    /// Its key: `dom-6`.
    pub key: Box<str>,
    /// Whether breaking it is an error (else a warning).
    pub is_error: bool,
    /// Whether it tells good practice only (extension `elementdefinition-bestpractice`).
    pub is_best_practice: bool,
    /// In words.
    pub human: Box<str>,
    /// FHIRPath; empty if the definition has none.
    pub expression: Box<str>,
    /// The canonical URL of the definition that first had it; empty if it is not said.
    pub source: Box<str>,
    /// The expression, read once by whoever evaluates it; nothing if it can't be read.
    pub(in crate::validate) compiled: OnceLock<Option<Arc<Compiled>>>,
}

/// What a child's name in a document means.
#[derive(Debug, Clone)]
pub struct Child {
    /// The name as a document has it: `valueQuantity`.
    pub name: Box<str>,
    /// The number of the element.
    pub element: u32,
    /// Its place among the siblings of the definition, from 0.
    pub place: u16,
    /// Which of the element's types it has, by this name.
    pub of_type: u16,
    /// The length of the element's own name in it if it is a choice (5 for `valueQuantity`), else 0.
    pub stem: u8,
}

/// The children of an element by name.
#[derive(Debug, Default)]
pub struct Children {
    all: Box<[Child]>,
    /// Places in `all` plus 1, by [`Children::hash`], the next free place after it; a power of two, at most half full.
    table: Box<[u16]>,
    /// Which of the first 128 elements (by their place) must be there.
    required: u128,
    /// The elements whose slices have to be counted.
    sliced: Box<[u32]>,
}

impl Children {
    /// The table of these.
    pub(in crate::validate) fn new(
        children: Vec<Child>,
        is_required: impl Fn(&Child) -> bool,
    ) -> Self {
        if children.is_empty() {
            return Self::default();
        }
        let size = (children.len() * 2).next_power_of_two();
        let mut table = vec![0; size].into_boxed_slice();
        let mut required = 0;
        for (number, child) in children.iter().enumerate() {
            if child.place < 128 && is_required(child) {
                required |= 1 << child.place;
            }
            let mut at = Self::hash(child.name.as_bytes()) & (size - 1);
            // Half of the table is free, so a free place comes.
            while table.get(at).is_some_and(|taken| *taken != 0) {
                at = (at + 1) & (size - 1);
            }
            if let (Some(free), Ok(number)) = (table.get_mut(at), u16::try_from(number + 1)) {
                *free = number;
            }
        }
        Self { all: children.into(), table, required, sliced: Box::default() }
    }

    /// Length and three bytes tell the names of one FHIR type well apart.
    fn hash(name: &[u8]) -> usize {
        let byte = |at: usize| usize::from(name.get(at).copied().unwrap_or_default());
        let length = name.len();
        let last = length.saturating_sub(1);
        length.wrapping_mul(0x9e5)
            ^ byte(0).wrapping_mul(0x1f)
            ^ byte(last).wrapping_mul(0x2bd)
            ^ byte(last / 2).wrapping_mul(0x65)
    }

    /// What a name means here.
    pub fn find(&self, name: &str) -> Option<&Child> {
        let mask = self.table.len().checked_sub(1)?;
        let mut at = Self::hash(name.as_bytes()) & mask;
        loop {
            let number = usize::from(*self.table.get(at)?);
            let child = self.all.get(number.checked_sub(1)?)?;
            if *child.name == *name {
                return Some(child);
            }
            at = (at + 1) & mask;
        }
    }

    /// All in the order of the definition; a choice has one for each of its types.
    pub fn all(&self) -> &[Child] {
        &self.all
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Which of them have slices that must be there, or may be only so often.
    pub(in crate::validate) fn sliced(&self) -> &[u32] {
        &self.sliced
    }

    /// Which of the first 128 elements (by their place) must be there, as bits.
    pub(in crate::validate) fn required(&self) -> u128 {
        self.required
    }

    /// Says which of them have slices to count.
    pub(in crate::validate) fn set_sliced(&mut self, sliced: Vec<u32>) {
        self.sliced = sliced.into();
    }
}

/// Why a definition has no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has no snapshot; one would have to be generated from its differential first.
    NoSnapshot,
    /// It is no StructureDefinition that makes sense: no elements, no type, or it can't be read.
    Malformed,
}

/// All programs of a release and of the packages beside it.
pub struct Programs {
    definitions: Arc<Definitions>,
    types: Arc<Types>,
    places: Vec<Place>,
    /// By canonical: `url`, and `url|version`.
    by_url: BTreeMap<Box<str>, ProgramId>,
    /// By the number of a type: what defines it.
    of_types: BTreeMap<TypeId, ProgramId>,
}

/// A definition and, once it was asked for, its program.
struct Place {
    canonical: Box<str>,
    compiled: OnceLock<Result<Box<Program>, Refusal>>,
}

impl fmt::Debug for Programs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "programs({})", self.places.len())
    }
}

impl Programs {
    /// The programs of all structures that are defined; none is compiled yet.
    pub fn new(definitions: Arc<Definitions>) -> Self {
        let mut places = Vec::new();
        let mut by_url = BTreeMap::new();
        let mut rows = Vec::new();
        let mut defining = Vec::new();
        for row in definitions.structures() {
            let Ok(number) = u32::try_from(places.len()) else { break };
            let id = ProgramId(number);
            let canonical: Box<str> = match row.version {
                "" => row.url.into(),
                version => [row.url, "|", version].concat().into(),
            };
            if row.derivation != Some(Derivation::Constraint) {
                let base = row.base.rsplit('/').next().unwrap_or_default();
                let kind = row.kind.unwrap_or(TypeKind::Logical);
                rows.push((row.type_name, base, kind, row.is_abstract));
                defining.push((row.type_name, id));
            }
            by_url.entry(canonical.clone()).or_insert(id);
            by_url.entry(row.url.into()).or_insert(id);
            places.push(Place { canonical, compiled: OnceLock::new() });
        }
        let types = Arc::new(Types::new(rows));
        let mut of_types = BTreeMap::new();
        for (name, id) in defining {
            if let Some(type_id) = types.id(name) {
                of_types.entry(type_id).or_insert(id);
            }
        }
        Self { definitions, types, places, by_url, of_types }
    }

    /// The definitions that they are compiled from.
    pub const fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }

    /// The types of the release.
    pub fn types(&self) -> &Arc<Types> {
        &self.types
    }

    /// The release.
    pub fn release(&self) -> Release {
        self.definitions.release()
    }

    /// The number of a definition by its canonical URL, with or without `|version`.
    pub fn find(&self, canonical: &str) -> Option<ProgramId> {
        self.by_url.get(canonical).copied()
    }

    /// The number of what defines a type.
    pub fn find_type(&self, type_id: TypeId) -> Option<ProgramId> {
        self.of_types.get(&type_id).copied()
    }

    /// The program of a number, compiled if it is asked for the first time; nothing if it can't be compiled.
    pub fn of(&self, id: ProgramId) -> Option<&Program> {
        self.try_of(id).ok()
    }

    /// The program of a number, or why there is none.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn try_of(&self, id: ProgramId) -> Result<&Program, Refusal> {
        let place = self.places.get(id.index()).ok_or(Refusal::Malformed)?;
        let compiled = place.compiled.get_or_init(|| {
            let structure =
                self.definitions.structure(&place.canonical).ok_or(Refusal::Malformed)?;
            compile::program(structure.value(), id, self).map(Box::new)
        });
        match compiled {
            Ok(program) => Ok(program),
            Err(refusal) => Err(*refusal),
        }
    }

    /// The program of a type by its name.
    pub fn of_type(&self, name: &str) -> Option<&Program> {
        self.of(self.find_type(self.types.id(name)?)?)
    }

    /// The program of a canonical URL.
    pub fn of_url(&self, canonical: &str) -> Option<&Program> {
        self.of(self.find(canonical)?)
    }
}
