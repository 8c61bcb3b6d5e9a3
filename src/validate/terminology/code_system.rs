//! A CodeSystem as an index: what a code means, what it is called, what it stands under.
//!
//! One arena of text and one table of concepts; a code is found by binary search, without allocating. A code that
//! stands in it twice counts once, with the words of its first place and the parents of both (HL7's own v3 systems
//! have such). Where the hierarchy is given by properties (`subsumedBy`, `parent`, `child`) and not by nesting, it is
//! the same to whoever asks. Supplements only add designations.
//!
//! It refuses nothing: what is no CodeSystem has no concepts, and nesting beyond [`DEPTH`] is not followed.

use std::cmp::Ordering;

use crate::json::Value;

/// How deep concepts may nest; FHIR's deepest (v3 ActCode) has 9.
const DEPTH: usize = 64;

/// How much of a code system is at hand (`CodeSystem.content`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// None of its codes.
    NotPresent,
    /// A few, to show what they look like: they decide nothing.
    Example,
    /// Some.
    Fragment,
    /// All.
    Complete,
    /// More about the codes of another code system: it has none of its own.
    Supplement,
}

/// The status of a CodeSystem as a publication, as far as a user of its codes should hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In use, or not said.
    Active,
    /// Not yet for use.
    Draft,
    /// No longer for use.
    Retired,
}

/// A concept of a [`CodeSystem`]; it means nothing to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConceptId(u32);

impl ConceptId {
    /// Its number: below [`CodeSystem::len`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    start: u32,
    length: u32,
}

#[derive(Debug, Clone, Copy)]
struct Concept {
    code: Piece,
    display: Piece,
    flags: u8,
}

const INACTIVE: u8 = 1;
const DEPRECATED: u8 = 2;
const ABSTRACT: u8 = 4;

#[derive(Debug, Clone, Copy)]
struct Property {
    concept: u32,
    name: u16,
    value: Piece,
}

/// A code system.
#[derive(Debug)]
pub struct CodeSystem {
    url: Box<str>,
    version: Option<Box<str>>,
    content: Content,
    standing: Standing,
    case_sensitive: bool,
    text: String,
    concepts: Vec<Concept>,
    /// The concepts in order of their codes.
    by_code: Vec<u32>,
    /// (concept, another name of it), in order of the concepts.
    designations: Vec<(u32, Piece)>,
    /// (parent, child), sorted.
    edges: Vec<(u32, u32)>,
    /// In order of the concepts.
    properties: Vec<Property>,
    names: Vec<Box<str>>,
}

/// What a property says about a concept, by its code or by what its definition points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Parent,
    Child,
    Status,
    Inactive,
    NotSelectable,
    Other,
}

impl Meaning {
    fn of(code: &str, uri: Option<&str>) -> Self {
        let by_uri =
            uri.and_then(|uri| uri.strip_prefix("http://hl7.org/fhir/concept-properties#"));
        match by_uri.unwrap_or(code) {
            "parent" | "subsumedBy" => Self::Parent,
            "child" => Self::Child,
            "status" => Self::Status,
            "inactive" => Self::Inactive,
            "notSelectable" | "abstract" => Self::NotSelectable,
            _ => Self::Other,
        }
    }
}

struct Builder<'v> {
    system: CodeSystem,
    meanings: Vec<(&'v str, Meaning)>,
    /// Codes as they come: which concept they belong to is known only once all are there.
    found: Vec<(u32, &'v Value)>,
    /// (child, parent) by nesting.
    nested: Vec<(u32, u32)>,
}

impl CodeSystem {
    /// The index of a CodeSystem resource and of the supplements to it.
    pub fn compile<'v>(resource: &'v Value, supplements: &[&'v Value]) -> Self {
        let content = match resource.text("content") {
            // What it says it supplements counts more than what it says of its content.
            _ if resource.text("supplements").is_some() => Content::Supplement,
            Some("complete") => Content::Complete,
            Some("fragment") => Content::Fragment,
            Some("example") => Content::Example,
            Some("supplement") => Content::Supplement,
            _ => Content::NotPresent,
        };
        let standing = match resource.text("status") {
            Some("draft") => Standing::Draft,
            Some("retired") => Standing::Retired,
            _ => Standing::Active,
        };
        let system = Self {
            url: resource.text("url").unwrap_or_default().into(),
            version: resource.text("version").map(Into::into),
            content,
            standing,
            case_sensitive: resource.get("caseSensitive").and_then(Value::as_bool) == Some(true),
            text: String::new(),
            concepts: Vec::new(),
            by_code: Vec::new(),
            designations: Vec::new(),
            edges: Vec::new(),
            properties: Vec::new(),
            names: Vec::new(),
        };
        let meanings = resource
            .items("property")
            .filter_map(|property| {
                let code = property.text("code")?;
                Some((code, Meaning::of(code, property.text("uri"))))
            })
            .collect();
        let mut builder = Builder { system, meanings, found: Vec::new(), nested: Vec::new() };
        for concept in resource.items("concept") {
            builder.add(concept, None, 0);
        }
        builder.index();
        builder.relate();
        for supplement in supplements {
            builder.supplement(supplement.items("concept"), 0);
        }
        let mut system = builder.system;
        system.designations.sort_by_key(|(concept, _)| *concept);
        system.properties.sort_by_key(|property| property.concept);
        system.edges.sort_unstable();
        system.edges.dedup();
        system
    }

    /// The canonical URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The business version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// How much of it is at hand.
    pub fn content(&self) -> Content {
        self.content
    }

    /// What the publication says of itself.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether `A` and `a` are two codes. Where the CodeSystem does not say so they are not, as the reference has it.
    pub fn is_case_sensitive(&self) -> bool {
        self.case_sensitive
    }

    /// How many concepts there are.
    pub fn len(&self) -> usize {
        self.concepts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.concepts.is_empty()
    }

    /// All concepts.
    pub fn concepts(&self) -> impl Iterator<Item = ConceptId> + '_ {
        self.by_code.iter().map(|number| ConceptId(*number))
    }

    /// The concept of a code.
    pub fn find(&self, code: &str) -> Option<ConceptId> {
        let order =
            |number: &u32| compare(self.code(ConceptId(*number)), code, self.case_sensitive);
        let at = self.by_code.binary_search_by(order).ok()?;
        self.by_code.get(at).map(|number| ConceptId(*number))
    }

    /// The code of a concept.
    pub fn code(&self, id: ConceptId) -> &str {
        self.concepts.get(id.index()).map_or("", |concept| self.piece(concept.code))
    }

    /// The first name of a concept.
    pub fn display(&self, id: ConceptId) -> Option<&str> {
        let piece = self.concepts.get(id.index())?.display;
        (piece.length > 0).then(|| self.piece(piece))
    }

    /// The other names of a concept, in any language.
    pub fn designations(&self, id: ConceptId) -> impl Iterator<Item = &str> {
        let start = self.designations.partition_point(|(concept, _)| *concept < id.0);
        let of = self.designations.get(start..).unwrap_or_default().iter();
        of.take_while(move |(concept, _)| *concept == id.0).map(|(_, piece)| self.piece(*piece))
    }

    /// Whether the concept is no longer in use.
    pub fn is_inactive(&self, id: ConceptId) -> bool {
        self.has(id, INACTIVE)
    }

    /// Whether the concept's use is discouraged.
    pub fn is_deprecated(&self, id: ConceptId) -> bool {
        self.has(id, DEPRECATED)
    }

    /// Whether the concept only groups others.
    pub fn is_abstract(&self, id: ConceptId) -> bool {
        self.has(id, ABSTRACT)
    }

    fn has(&self, id: ConceptId, flag: u8) -> bool {
        self.concepts.get(id.index()).is_some_and(|concept| concept.flags & flag != 0)
    }

    /// The values of a property of a concept.
    pub fn property<'s>(&'s self, id: ConceptId, name: &str) -> impl Iterator<Item = &'s str> {
        let number = self.names.iter().position(|known| &**known == name);
        let start = self.properties.partition_point(|property| property.concept < id.0);
        let of = self.properties.get(start..).unwrap_or_default().iter();
        of.take_while(move |property| property.concept == id.0)
            .filter(move |property| Some(usize::from(property.name)) == number)
            .map(|property| self.piece(property.value))
    }

    /// The concepts directly below one.
    pub fn children(&self, id: ConceptId) -> impl Iterator<Item = ConceptId> + '_ {
        let start = self.edges.partition_point(|(parent, _)| *parent < id.0);
        let below = self.edges.get(start..).unwrap_or_default().iter();
        below.take_while(move |(parent, _)| *parent == id.0).map(|(_, child)| ConceptId(*child))
    }

    /// The concepts directly above one.
    pub fn parents(&self, id: ConceptId) -> impl Iterator<Item = ConceptId> + '_ {
        self.edges
            .iter()
            .filter(move |(_, child)| *child == id.0)
            .map(|(parent, _)| ConceptId(*parent))
    }

    /// Whether anything stands above or below anything.
    pub fn has_hierarchy(&self) -> bool {
        !self.edges.is_empty()
    }

    fn piece(&self, piece: Piece) -> &str {
        let start = piece.start as usize;
        self.text.get(start..start + piece.length as usize).unwrap_or_default()
    }

    fn keep(&mut self, text: &str) -> Piece {
        let narrow = |size: usize| u32::try_from(size).ok();
        let (Some(start), Some(length)) = (narrow(self.text.len()), narrow(text.len())) else {
            return Piece::default();
        };
        self.text.push_str(text);
        Piece { start, length }
    }
}

impl<'v> Builder<'v> {
    fn add(&mut self, concept: &'v Value, parent: Option<u32>, depth: usize) {
        let Some(code) = concept.text("code") else { return };
        let Ok(number) = u32::try_from(self.system.concepts.len()) else { return };
        let code = self.system.keep(code);
        let display = self.system.keep(concept.text("display").unwrap_or_default());
        self.system.concepts.push(Concept { code, display, flags: 0 });
        self.found.push((number, concept));
        if let Some(parent) = parent {
            self.nested.push((parent, number));
        }
        if depth < DEPTH {
            for below in concept.items("concept") {
                self.add(below, Some(number), depth + 1);
            }
        }
    }

    /// Sorts the codes; of equal ones the first stays.
    fn index(&mut self) {
        let mut order: Vec<u32> = self.found.iter().map(|(number, _)| *number).collect();
        let system = &self.system;
        let by_code = |a: &u32, b: &u32| {
            compare(system.code(ConceptId(*a)), system.code(ConceptId(*b)), system.case_sensitive)
        };
        order.sort_by(by_code);
        order.dedup_by(|b, a| by_code(a, b) == Ordering::Equal);
        self.system.by_code = order;
    }

    /// The concept that counts for one that may be a repetition.
    fn first(&self, number: u32) -> u32 {
        self.system.find(self.system.code(ConceptId(number))).map_or(number, |id| id.0)
    }

    fn relate(&mut self) {
        for (parent, child) in std::mem::take(&mut self.nested) {
            let edge = (self.first(parent), self.first(child));
            self.system.edges.push(edge);
        }
        for (number, concept) in std::mem::take(&mut self.found) {
            let number = self.first(number);
            for designation in concept.items("designation") {
                self.designate(number, designation);
            }
            for property in concept.items("property") {
                self.describe(number, property);
            }
            for extension in concept.items("extension") {
                let url = extension.text("url").unwrap_or_default();
                if url.ends_with("/codesystem-deprecated")
                    || (url.ends_with("/structuredefinition-standards-status")
                        && extension.text("valueCode") == Some("deprecated"))
                {
                    self.flag(number, DEPRECATED);
                }
            }
        }
    }

    fn designate(&mut self, number: u32, designation: &Value) {
        if let Some(value) = designation.text("value") {
            let piece = self.system.keep(value);
            self.system.designations.push((number, piece));
        }
    }

    fn flag(&mut self, number: u32, flag: u8) {
        if let Some(concept) = self.system.concepts.get_mut(number as usize) {
            concept.flags |= flag;
        }
    }

    fn describe(&mut self, number: u32, property: &Value) {
        let Some(code) = property.text("code") else { return };
        let Some(value) = value_of(property) else { return };
        let meaning = self
            .meanings
            .iter()
            .find(|(known, _)| *known == code)
            .map_or_else(|| Meaning::of(code, None), |(_, meaning)| *meaning);
        match meaning {
            Meaning::Parent => {
                if let Some(parent) = self.system.find(value) {
                    self.system.edges.push((parent.0, number));
                }
            }
            Meaning::Child => {
                if let Some(child) = self.system.find(value) {
                    self.system.edges.push((number, child.0));
                }
            }
            Meaning::Status => match value {
                "retired" | "inactive" => self.flag(number, INACTIVE),
                "deprecated" => self.flag(number, DEPRECATED),
                _ => {}
            },
            Meaning::Inactive if value == "true" => self.flag(number, INACTIVE),
            Meaning::NotSelectable if value == "true" => self.flag(number, ABSTRACT),
            _ => {}
        }
        let known = self.system.names.iter().position(|name| &**name == code);
        let name = known.unwrap_or_else(|| {
            self.system.names.push(code.into());
            self.system.names.len() - 1
        });
        let Ok(name) = u16::try_from(name) else { return };
        let value = self.system.keep(value);
        self.system.properties.push(Property { concept: number, name, value });
    }

    fn supplement(&mut self, concepts: std::slice::Iter<'v, Value>, depth: usize) {
        for concept in concepts {
            let found = concept.text("code").and_then(|code| self.system.find(code));
            if let Some(id) = found {
                for designation in concept.items("designation") {
                    self.designate(id.0, designation);
                }
                if let Some(display) = concept.text("display") {
                    let piece = self.system.keep(display);
                    self.system.designations.push((id.0, piece));
                }
            }
            if depth < DEPTH {
                self.supplement(concept.items("concept"), depth + 1);
            }
        }
    }
}

/// The value of a concept's property as text: of a Coding its code.
fn value_of(property: &Value) -> Option<&str> {
    let object = property.as_object()?;
    let (_, value) = object.iter().find(|(name, _)| name.starts_with("value"))?;
    match value {
        Value::String(text) => Some(text),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::Number(number) => Some(number.as_text()),
        Value::Object(_) => value.text("code"),
        _ => None,
    }
}

/// The order of codes; without case it is that of their ASCII letters in lower case.
pub(super) fn compare(a: &str, b: &str, case_sensitive: bool) -> Ordering {
    if case_sensitive {
        return a.cmp(b);
    }
    let lower = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(lower).cmp(b.bytes().map(lower))
}
