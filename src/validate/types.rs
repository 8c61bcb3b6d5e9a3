//! The types of a FHIR release: their names, what each is derived from, and what kind it is.
//!
//! One table per release, filled from the definitions' index before anything is validated, so that a type is a
//! number everywhere: in the tree, in programs, in FHIRPath. It refuses nothing: an unknown name has no number.

use std::collections::BTreeMap;

/// A type of the release at hand: `Patient`, `HumanName`, `code`, `BackboneElement`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(u16);

impl TypeId {
    /// No type, or one that is not known.
    pub const UNKNOWN: Self = Self(0);

    /// The number: 0 for none, and then 1, 2, ... in the order of the table.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What kind of type it is (`StructureDefinition.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// `string`, `date`, ...: a value and extensions.
    Primitive,
    /// `HumanName`, `Extension`, `BackboneElement`, `Element`, ...
    Complex,
    /// `Patient`, and the abstract `Resource` and `DomainResource`.
    Resource,
    /// A logical model.
    Logical,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    base: TypeId,
    kind: TypeKind,
    is_abstract: bool,
}

/// The types of a release.
#[derive(Debug, Default)]
pub struct Types {
    entries: Vec<Entry>,
    by_name: BTreeMap<Box<str>, TypeId>,
}

impl Types {
    /// The table of these types: name, name of the base type (empty for none), kind, and whether it is abstract.
    ///
    /// The order is free; a base that is not among them is none.
    pub fn new<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str, TypeKind, bool)>) -> Self {
        let rows: Vec<_> = rows.into_iter().collect();
        let mut types = Self::default();
        for (name, _, kind, is_abstract) in &rows {
            let Ok(number) = u16::try_from(types.entries.len() + 1) else { break };
            if types.by_name.contains_key(*name) {
                continue;
            }
            types.by_name.insert((*name).into(), TypeId(number));
            types.entries.push(Entry {
                name: (*name).into(),
                base: TypeId::UNKNOWN,
                kind: *kind,
                is_abstract: *is_abstract,
            });
        }
        for (name, base, ..) in rows {
            let base = types.id(base).unwrap_or(TypeId::UNKNOWN);
            if let Some(TypeId(number)) = types.id(name)
                && let Some(entry) = types.entries.get_mut(usize::from(number) - 1)
            {
                entry.base = base;
            }
        }
        types
    }

    fn entry(&self, id: TypeId) -> Option<&Entry> {
        self.entries.get(usize::from(id.0).checked_sub(1)?)
    }

    /// All types, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = TypeId> {
        (1_u16..).take(self.entries.len()).map(TypeId)
    }

    /// The type of a name.
    pub fn id(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// The name; empty for [`TypeId::UNKNOWN`].
    pub fn name(&self, id: TypeId) -> &str {
        self.entry(id).map_or("", |entry| &entry.name)
    }

    /// What it is derived from; [`TypeId::UNKNOWN`] for `Element`, `Resource` (in R5, `Base`).
    pub fn base(&self, id: TypeId) -> TypeId {
        self.entry(id).map_or(TypeId::UNKNOWN, |entry| entry.base)
    }

    /// What kind it is.
    pub fn kind(&self, id: TypeId) -> Option<TypeKind> {
        self.entry(id).map(|entry| entry.kind)
    }

    /// Whether nothing can be of this type itself.
    pub fn is_abstract(&self, id: TypeId) -> bool {
        self.entry(id).is_some_and(|entry| entry.is_abstract)
    }

    /// Whether a type is another one, or derived from it.
    pub fn is_a(&self, id: TypeId, ancestor: TypeId) -> bool {
        let mut at = id;
        // No chain of FHIR is longer; a cycle of a hostile package ends here.
        for _ in 0..32 {
            if at == ancestor {
                return true;
            }
            if at == TypeId::UNKNOWN {
                return false;
            }
            at = self.base(at);
        }
        false
    }
}
