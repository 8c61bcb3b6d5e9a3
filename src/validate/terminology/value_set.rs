//! A ValueSet, compiled: whether a code is in it, is not, or can't be told.
//!
//! Three-valued throughout. Each include answers for itself: a code of another system is out of it, even if its own
//! system is not at hand; a system or an imported set that is not at hand leaves it open. Any include that has the code
//! decides; else any that is open keeps the whole open; else the code is out. Exclusions the same, turned round.
//!
//! Codes that are listed stand sorted in one arena; codes that filters choose are bits over the concepts of their
//! CodeSystem. So a test is a binary search and allocates nothing.
//!
//! It refuses nothing: what [`compose`](super::compose) can't compile is open.

use std::sync::Arc;

use super::code_system::{CodeSystem, ConceptId, compare};
use super::grammar::{Grammar, LanguageTag};
use super::{Membership, Reason, UnitTest};

/// A value set.
#[derive(Debug)]
pub struct ValueSet {
    pub(super) url: Box<str>,
    pub(super) version: Option<Box<str>>,
    pub(super) includes: Vec<Part>,
    pub(super) excludes: Vec<Part>,
    /// Whether inactive codes are out of it (`compose.inactive` is false).
    pub(super) active_only: bool,
    pub(super) expansion: Option<Expansion>,
    pub(super) is_unit: UnitTest,
    /// How many parts it has with those of all that it imports, as often as they are imported.
    pub(super) weight: usize,
}

/// An include or exclude of `compose`: what its system says and what the imported sets say, all of them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) system: Option<Own>,
    pub(super) imports: Vec<Import>,
}

/// The codes of a system that an include names.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) system: Box<str>,
    pub(super) codes: Codes,
}

/// Which codes of a system.
#[derive(Debug)]
pub(super) enum Codes {
    /// All of a CodeSystem.
    Whole(Arc<CodeSystem>),
    /// Those of a CodeSystem whose bit is set.
    Chosen(Arc<CodeSystem>, Vec<u64>),
    /// Those that are listed.
    Listed(Listed),
    /// All that have the form, and what of a language tag must or must not be there.
    Form(Grammar, Vec<(Box<str>, bool)>),
    /// All that match a pattern, of a system that is not at hand: those that don't are out.
    Pattern(Box<regex::Regex>),
    /// It can't be told.
    Open(Reason),
}

/// A set that an include imports.
#[derive(Debug)]
pub(super) enum Import {
    Set(Arc<ValueSet>),
    Open(Reason),
}

/// Codes in their order, in one arena.
#[derive(Debug, Default)]
pub(super) struct Listed {
    text: String,
    /// (start, end, end of the display), sorted by the code.
    at: Vec<(u32, u32, u32)>,
    /// More names: number in `at`, start, end.
    names: Vec<(u32, u32, u32)>,
    case_sensitive: bool,
    /// The concepts, to know which are inactive.
    of: Option<Arc<CodeSystem>>,
}

/// The ready expansion of a set, where its `compose` can't decide.
#[derive(Debug)]
pub(super) struct Expansion {
    pub(super) systems: Vec<(Box<str>, Listed)>,
    /// Whether it has all codes, so that others are out.
    pub(super) is_closed: bool,
}

impl Listed {
    /// The codes with their displays and other names.
    pub(super) fn new<'v>(
        rows: impl Iterator<Item = (&'v str, Option<&'v str>, Vec<&'v str>)>,
        of: Option<Arc<CodeSystem>>,
    ) -> Self {
        let case_sensitive = of.as_ref().is_none_or(|system| system.is_case_sensitive());
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|a, b| compare(a.0, b.0, case_sensitive));
        rows.dedup_by(|b, a| {
            let same = compare(a.0, b.0, case_sensitive).is_eq();
            if same {
                a.2.extend(b.1);
                a.2.append(&mut b.2);
            }
            same
        });
        let mut listed = Self { case_sensitive, of, ..Self::default() };
        for (number, (code, display, names)) in (0..).zip(&rows) {
            let (start, end) = listed.keep(code);
            let (_, end_of_display) = listed.keep(display.unwrap_or_default());
            listed.at.push((start, end, end_of_display));
            for name in names {
                let (start, end) = listed.keep(name);
                listed.names.push((number, start, end));
            }
        }
        listed
    }

    fn keep(&mut self, text: &str) -> (u32, u32) {
        let narrow = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        let start = narrow(self.text.len());
        self.text.push_str(text);
        (start, narrow(self.text.len()))
    }

    fn piece(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn place(&self, code: &str) -> Option<usize> {
        let order =
            |row: &(u32, u32, u32)| compare(self.piece(row.0, row.1), code, self.case_sensitive);
        self.at.binary_search_by(order).ok()
    }

    fn holds(&self, code: &str, active_only: bool) -> bool {
        let is_inactive = || {
            let system = self.of.as_ref()?;
            system.find(code).map(|id| system.is_inactive(id))
        };
        self.place(code).is_some() && !(active_only && is_inactive() == Some(true))
    }

    fn names<'l>(&'l self, code: &str, mut take: impl FnMut(&'l str) -> bool) -> bool {
        let Some(place) = self.place(code) else { return false };
        let display =
            self.at.get(place).map(|row| self.piece(row.1, row.2)).filter(|name| !name.is_empty());
        display.is_some_and(&mut take)
            || self
                .names
                .iter()
                .filter(|(number, ..)| *number as usize == place)
                .any(|(_, start, end)| take(self.piece(*start, *end)))
    }

    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.at.iter().map(|(start, end, _)| self.piece(*start, *end))
    }
}

impl ValueSet {
    /// The canonical URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The business version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Whether a code of a system is in the set. A code without system is in no set: it has no meaning.
    pub fn holds(&self, system: &str, code: &str) -> Membership {
        self.decide(Some(system), code, 0)
    }

    /// Whether any code of the set is written so: for elements of type `code`, whose set implies the system.
    pub fn holds_code(&self, code: &str) -> Membership {
        self.decide(None, code, 0)
    }

    fn decide(&self, system: Option<&str>, code: &str, depth: usize) -> Membership {
        let composed = self.composed(system, code, depth);
        match (composed, &self.expansion) {
            (Membership::Unknown(_), Some(expansion)) => {
                expansion.holds(system, code).unwrap_or(composed)
            }
            _ => composed,
        }
    }

    fn composed(&self, system: Option<&str>, code: &str, depth: usize) -> Membership {
        let any = |parts: &[Part]| {
            let mut found = Membership::Out;
            for part in parts {
                match self.part(part, system, code, depth) {
                    Membership::In => return Membership::In,
                    Membership::Unknown(reason) => found = Membership::Unknown(reason),
                    Membership::Out => {}
                }
            }
            found
        };
        let included = any(&self.includes);
        if included == Membership::Out || self.excludes.is_empty() {
            return included;
        }
        match any(&self.excludes) {
            Membership::In => Membership::Out,
            Membership::Out => included,
            open @ Membership::Unknown(_) => open,
        }
    }

    fn part(&self, part: &Part, system: Option<&str>, code: &str, depth: usize) -> Membership {
        let mut found = match &part.system {
            Some(own) if system.is_none_or(|system| *own.system == *system) => {
                own.codes.hold(code, self.active_only, self.is_unit)
            }
            Some(_) => return Membership::Out,
            None if part.imports.is_empty() => return Membership::Unknown(Reason::Content),
            None => Membership::In,
        };
        for import in &part.imports {
            let imported = match import {
                Import::Set(set) if depth < super::compose::DEPTH => {
                    set.decide(system, code, depth + 1)
                }
                Import::Set(_) => Membership::Unknown(Reason::Cycle),
                Import::Open(reason) => Membership::Unknown(*reason),
            };
            match imported {
                Membership::Out => return Membership::Out,
                Membership::Unknown(reason) => found = found.and(Membership::Unknown(reason)),
                Membership::In => {}
            }
        }
        found
    }

    /// Whether one of the names that the set itself gives a code passes a test.
    pub fn any_name(&self, system: &str, code: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.includes.iter().any(|part| {
            let own = part.system.as_ref().filter(|own| *own.system == *system);
            let by_list = match own.map(|own| &own.codes) {
                Some(Codes::Listed(listed)) => listed.names(code, &mut *test),
                _ => false,
            };
            by_list
                || part.imports.iter().any(|import| match import {
                    Import::Set(set) => set.any_name(system, code, &mut *test),
                    Import::Open(_) => false,
                })
        })
    }

    /// Whether any of its codes could be of this system.
    pub(super) fn uses(&self, system: &str) -> bool {
        self.includes.iter().any(|part| {
            part.system.as_ref().is_some_and(|own| *own.system == *system)
                || part.imports.iter().any(|import| match import {
                    Import::Set(set) => set.uses(system),
                    Import::Open(_) => true,
                })
        })
    }

    /// The grammar that is all of the set, if one is.
    pub(super) fn form(&self) -> Option<Grammar> {
        let [only] = self.includes.as_slice() else { return None };
        match only.system.as_ref().map(|own| &own.codes) {
            Some(Codes::Form(grammar, _)) => Some(*grammar),
            _ => None,
        }
    }

    /// Up to `limit` codes of the set, for a message; nothing unless all of them are known.
    pub fn known_codes(&self, limit: usize) -> Option<Vec<&str>> {
        let mut codes = Vec::new();
        if !self.excludes.is_empty() {
            return None;
        }
        for part in &self.includes {
            if !part.imports.is_empty() {
                return None;
            }
            match &part.system.as_ref()?.codes {
                Codes::Listed(listed) => codes.extend(listed.codes()),
                Codes::Whole(system) => codes.extend(system.concepts().map(|id| system.code(id))),
                Codes::Chosen(system, bits) => {
                    codes.extend(
                        system.concepts().filter(|id| is_set(bits, *id)).map(|id| system.code(id)),
                    );
                }
                _ => return None,
            }
            if codes.len() > limit {
                return None;
            }
        }
        Some(codes)
    }
}

pub(super) fn is_set(bits: &[u64], id: ConceptId) -> bool {
    bits.get(id.index() / 64).is_some_and(|word| word & (1 << (id.index() % 64)) != 0)
}

pub(super) fn set(bits: &mut [u64], id: ConceptId) {
    if let Some(word) = bits.get_mut(id.index() / 64) {
        *word |= 1 << (id.index() % 64);
    }
}

impl Codes {
    fn hold(&self, code: &str, active_only: bool, is_unit: UnitTest) -> Membership {
        let is_in = |found: bool| if found { Membership::In } else { Membership::Out };
        match self {
            Self::Whole(system) => {
                let found =
                    system.find(code).filter(|id| !(active_only && system.is_inactive(*id)));
                is_in(found.is_some())
            }
            Self::Chosen(system, bits) => {
                let found =
                    system.find(code).filter(|id| !(active_only && system.is_inactive(*id)));
                is_in(found.is_some_and(|id| is_set(bits, id)))
            }
            Self::Listed(listed) => is_in(listed.holds(code, active_only)),
            Self::Form(grammar, parts) => {
                let is_ruled_out = || {
                    let tag = LanguageTag::parse(code)?;
                    Some(parts.iter().any(|(part, wanted)| tag.has(part) == Some(!wanted)))
                };
                match grammar.holds(code, is_unit) {
                    Membership::Out => Membership::Out,
                    _ if !parts.is_empty() && is_ruled_out() == Some(true) => Membership::Out,
                    found => found,
                }
            }
            Self::Pattern(pattern) if !pattern.is_match(code) => Membership::Out,
            Self::Pattern(_) => Membership::Unknown(Reason::System),
            Self::Open(reason) => Membership::Unknown(*reason),
        }
    }
}

impl Expansion {
    fn holds(&self, system: Option<&str>, code: &str) -> Option<Membership> {
        let mut known =
            self.systems.iter().filter(|(known, _)| system.is_none_or(|system| **known == *system));
        if known.any(|(_, listed)| listed.holds(code, false)) {
            return Some(Membership::In);
        }
        self.is_closed.then_some(Membership::Out)
    }
}
