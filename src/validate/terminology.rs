//! Terminology: what codes mean, which value sets they are in, and what can't be told without a server.
//!
//! Everything is three-valued ([`Membership`]): a code is in a set, is not, or can't be told because a code system is
//! not at hand. What can't be told is never an error; it is said once, and it is data ([`CodeQuestion`]) that a server
//! may answer ([`Answers`], [`batch`]).
//!
//! CodeSystems and ValueSets are compiled when they are first asked for and kept; asking again costs a look-up, and
//! a test allocates nothing. Definitions come from a [`Library`], so that tests bring their own.
//!
//! It refuses nothing. No SNOMED CT, LOINC, RxNorm or ICD content is here: their codes are known only where a value set
//! lists them.

mod ask;
pub mod batch;
mod check;
mod code_system;
mod compose;
mod display;
mod filter;
pub mod grammar;
mod question;
mod value_set;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

pub use check::CodeRules;
pub use code_system::{CodeSystem, ConceptId, Content, Standing};
pub use question::{About, Answer, Answers, CodeQuestion, Names};
pub use value_set::ValueSet;

use crate::fhir::Release;
use crate::json::Value;
use crate::validate::definitions::Content::Supplement;
use crate::validate::definitions::{Definition, Definitions, ResourceType};
use crate::validate::program::Handle;

/// Whether a code is in a value set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is.
    In,
    /// It is not.
    Out,
    /// It can't be told here.
    Unknown(Reason),
}

/// Why something can't be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The code system is not at hand, or not with its codes.
    System,
    /// An imported value set is not at hand.
    ValueSet,
    /// The value set does not say what is in it.
    Content,
    /// A filter can't be worked out.
    Filter,
    /// Value sets import each other in a circle, too deeply, or too often.
    Cycle,
}

impl Membership {
    /// Both must hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Out, _) | (_, Self::Out) => Self::Out,
            (open @ Self::Unknown(_), _) | (_, open @ Self::Unknown(_)) => open,
            (Self::In, Self::In) => Self::In,
        }
    }
}

/// A definition as FHIR's JSON.
pub trait Resource: Send + Sync {
    /// The resource.
    fn value(&self) -> &Value;
}

impl Resource for Value {
    fn value(&self) -> &Value {
        self
    }
}

/// Where ValueSets and CodeSystems come from. A canonical URL may end in `|version`.
pub trait Library: Send + Sync {
    /// The ValueSet of a canonical URL.
    fn value_set(&self, canonical: &str) -> Option<Arc<dyn Resource>>;

    /// The CodeSystem of a canonical URL.
    fn code_system(&self, canonical: &str) -> Option<Arc<dyn Resource>>;

    /// All CodeSystems that are supplements.
    fn supplements(&self) -> Vec<Arc<dyn Resource>> {
        Vec::new()
    }
}

impl Resource for Definition {
    fn value(&self) -> &Value {
        Self::value(self)
    }
}

impl Library for Definitions {
    fn value_set(&self, canonical: &str) -> Option<Arc<dyn Resource>> {
        Some(Self::value_set(self, canonical)?)
    }

    fn code_system(&self, canonical: &str) -> Option<Arc<dyn Resource>> {
        Some(Self::code_system(self, canonical)?)
    }

    fn supplements(&self) -> Vec<Arc<dyn Resource>> {
        let rows = self.rows(ResourceType::CodeSystem);
        rows.filter(|row| row.content == Some(Supplement))
            .filter_map(|row| Library::code_system(self, row.url))
            .collect()
    }
}

/// Whether a text is a UCUM unit; nothing where that can't be told.
pub type UnitTest = fn(&str) -> Option<bool>;

/// The set of a binding, if there is one, with the binding's URL.
type Bound = (Box<str>, Option<Arc<ValueSet>>);

/// How many canonical URLs are kept at least, found or not, before those that were not found are no longer.
const MOST_KEPT: usize = 10_000;

type Kept<T> = RwLock<BTreeMap<Box<str>, Option<Arc<T>>>>;

/// The terminology of a release, from any thread.
pub struct Terminology {
    release: Release,
    library: Arc<dyn Library>,
    is_unit: UnitTest,
    code_systems: Kept<CodeSystem>,
    value_sets: Kept<ValueSet>,
    /// Systems of documents that turned out to be value sets, or not.
    is_value_set: Kept<()>,
    /// The sets of bindings by their numbers, each with its URL.
    bound: RwLock<Vec<Bound>>,
    supplements: OnceLock<Vec<Arc<dyn Resource>>>,
}

impl fmt::Debug for Terminology {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "terminology of {}", self.release)
    }
}

impl Terminology {
    /// The terminology of a release out of a library.
    pub fn new(release: Release, library: Arc<dyn Library>, is_unit: UnitTest) -> Self {
        Self {
            release,
            library,
            is_unit,
            code_systems: Kept::default(),
            value_sets: Kept::default(),
            is_value_set: Kept::default(),
            bound: RwLock::default(),
            supplements: OnceLock::new(),
        }
    }

    /// The release.
    pub fn release(&self) -> Release {
        self.release
    }

    /// What tells UCUM units.
    pub fn is_unit(&self) -> UnitTest {
        self.is_unit
    }

    /// The CodeSystem of a URL, which may end in `|version`; nothing if it is not at hand at all.
    pub fn code_system(&self, canonical: &str) -> Option<Arc<CodeSystem>> {
        kept(&self.code_systems, canonical, || {
            let resource = self.library.code_system(canonical)?;
            let supplements = self.supplements.get_or_init(|| self.library.supplements());
            let url = resource.value().text("url").unwrap_or_default();
            let own: Vec<&Value> = supplements
                .iter()
                .map(|supplement| supplement.value())
                .filter(|supplement| {
                    let of = supplement.text("supplements").unwrap_or_default();
                    of.split('|').next() == Some(url)
                })
                .collect();
            Some(Arc::new(CodeSystem::compile(resource.value(), &own)))
        })
    }

    /// The CodeSystem of an include: in its version if that is at hand, else in any.
    fn code_system_of(&self, system: &str, version: Option<&str>) -> Option<Arc<CodeSystem>> {
        let exact = version.and_then(|version| self.code_system(&format!("{system}|{version}")));
        exact.or_else(|| self.code_system(system))
    }

    /// The ValueSet of a canonical URL: in its version if that is at hand, else in any.
    pub fn value_set(&self, canonical: &str) -> Option<Arc<ValueSet>> {
        self.value_set_below(canonical, &mut Vec::new())
    }

    /// The ValueSet of a binding, by the number that is kept beside it. Programs may be shared by several terminologies,
    /// so the number counts only where its set has the binding's URL.
    fn bound(&self, canonical: &str, handle: &Handle) -> Option<Arc<ValueSet>> {
        let number = handle.get_or_find(|| {
            let set = self.value_set(canonical);
            let mut bound = self.bound.write().unwrap_or_else(PoisonError::into_inner);
            bound.push((canonical.into(), set));
            u32::try_from(bound.len() - 1).unwrap_or(u32::MAX)
        });
        let bound = self.bound.read().unwrap_or_else(PoisonError::into_inner);
        match bound.get(number as usize) {
            Some((url, set)) if **url == *canonical => set.clone(),
            _ => {
                drop(bound);
                self.value_set(canonical)
            }
        }
    }

    fn value_set_below(&self, canonical: &str, above: &mut Vec<Box<str>>) -> Option<Arc<ValueSet>> {
        kept(&self.value_sets, canonical, || {
            let plain = canonical.split_once('|').map_or(canonical, |(url, _)| url);
            let found = self.library.value_set(canonical).or_else(|| {
                (plain.len() < canonical.len()).then(|| self.library.value_set(plain))?
            });
            match found {
                Some(resource) => Some(Arc::new(compose::compile(self, resource.value(), above))),
                None => self.known_by_url(plain),
            }
        })
    }

    /// The sets that terminologies define by a form of URL alone (R4 4.3.0 "Implicit Value Sets").
    fn known_by_url(&self, url: &str) -> Option<Arc<ValueSet>> {
        const BCP_13: &str = "http://www.rfc-editor.org/bcp/bcp13.txt";
        let (system, is_all) = match url {
            BCP_13 => ("urn:ietf:bcp:13", true),
            "http://unitsofmeasure.org/vs" => ("http://unitsofmeasure.org", true),
            _ if url.starts_with("http://snomed.info/sct?fhir_vs") => {
                ("http://snomed.info/sct", false)
            }
            _ if url == "http://loinc.org/vs" || url.starts_with("http://loinc.org/vs/LL") => {
                ("http://loinc.org", false)
            }
            _ => return None,
        };
        Some(Arc::new(compose::whole(self, url, system, is_all)))
    }

    /// Whether a URL is that of a ValueSet at hand.
    fn is_value_set(&self, url: &str) -> bool {
        let found = || self.library.value_set(url).map(|_| Arc::new(()));
        kept(&self.is_value_set, url, found).is_some()
    }
}

/// What is kept under a key, made on the first look-up. Two threads may make it twice; the first one stays.
fn kept<T>(all: &Kept<T>, key: &str, make: impl FnOnce() -> Option<Arc<T>>) -> Option<Arc<T>> {
    // What a panicking thread left behind is whole: values are made outside of the lock.
    if let Some(found) = all.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return found.clone();
    }
    let made = make();
    let mut all = all.write().unwrap_or_else(PoisonError::into_inner);
    // Documents may name any number of systems that nobody knows: they must not fill the memory.
    if made.is_none() && all.len() >= MOST_KEPT {
        return None;
    }
    all.entry(key.into()).or_insert(made).clone()
}
