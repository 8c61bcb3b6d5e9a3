//! The filters of an include, worked out over the concepts of a CodeSystem (R4 ValueSet.compose.include.filter).
//!
//! Several filters all have to hold. A filter on a property that the CodeSystem does not use finds nothing only if
//! `exists` asks; else it can't be worked out, for the property may come from a part that is not at hand. A pattern
//! matches the whole value, and may not be larger than [`PATTERN_BYTES`] when compiled.
//!
//! It refuses operators that FHIR does not have.

use regex::{Regex, RegexBuilder};

use super::code_system::{CodeSystem, ConceptId};
use super::value_set::{is_set, set};
use crate::json::Value;

/// How large a compiled pattern may be.
const PATTERN_BYTES: usize = 1 << 20;

/// A filter as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter<'v> {
    property: &'v str,
    operator: Operator,
    value: &'v str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    IsA,
    DescendentOf,
    IsNotA,
    Generalizes,
    ChildOf,
    DescendentLeaf,
    In,
    NotIn,
    Regex,
    Exists,
}

impl<'v> Filter<'v> {
    /// A filter; nothing if its operator is none of FHIR's.
    pub(super) fn read(filter: &'v Value) -> Option<Self> {
        let operator = match filter.text("op")? {
            "=" => Operator::Equal,
            "is-a" => Operator::IsA,
            "descendent-of" => Operator::DescendentOf,
            "is-not-a" => Operator::IsNotA,
            "generalizes" => Operator::Generalizes,
            "child-of" => Operator::ChildOf,
            "descendent-leaf" => Operator::DescendentLeaf,
            "in" => Operator::In,
            "not-in" => Operator::NotIn,
            "regex" => Operator::Regex,
            "exists" => Operator::Exists,
            _ => return None,
        };
        Some(Self { property: filter.text("property")?, operator, value: filter.text("value")? })
    }

    fn is_about_code(&self) -> bool {
        matches!(self.property, "concept" | "code")
    }

    /// The pattern that codes must have, if that is what it asks for.
    pub(super) fn pattern_of_code(&self) -> Option<Regex> {
        (self.is_about_code() && self.operator == Operator::Regex).then(|| pattern(self.value))?
    }

    /// The property that must exist, or must not.
    pub(super) fn exists(&self) -> Option<(&'v str, bool)> {
        let wanted = match self.value {
            "true" => true,
            "false" => false,
            _ => return None,
        };
        (self.operator == Operator::Exists).then_some((self.property, wanted))
    }
}

fn pattern(text: &str) -> Option<Regex> {
    let anchored = format!("^(?:{text})$");
    RegexBuilder::new(&anchored)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
        .ok()
}

/// The concepts for which all filters hold, as bits; nothing if that can't be worked out.
pub(super) fn choose(system: &CodeSystem, filters: &[Filter<'_>]) -> Option<Vec<u64>> {
    let mut chosen: Option<Vec<u64>> = None;
    for filter in filters {
        let bits = one(system, filter)?;
        chosen = Some(match chosen {
            None => bits,
            Some(before) => before.iter().zip(&bits).map(|(a, b)| a & b).collect(),
        });
    }
    chosen
}

fn one(system: &CodeSystem, filter: &Filter<'_>) -> Option<Vec<u64>> {
    let mut bits = vec![0u64; system.len().div_ceil(64)];
    let listed = |code: &str| filter.value.split(',').any(|one| one.trim() == code);
    match filter.operator {
        Operator::IsA | Operator::DescendentOf | Operator::IsNotA | Operator::DescendentLeaf
            if filter.is_about_code() =>
        {
            let Some(root) = system.find(filter.value) else {
                // Nothing stands below a code that is not there; the reference finds nothing, too.
                return match filter.operator {
                    Operator::IsNotA => choose_by(system, bits, |_| true),
                    _ => Some(bits),
                };
            };
            below(system, root, &mut bits);
            match filter.operator {
                Operator::DescendentOf => clear(&mut bits, root),
                Operator::DescendentLeaf => {
                    let all = std::mem::replace(&mut bits, vec![0; system.len().div_ceil(64)]);
                    let is_leaf =
                        |id| is_set(&all, id) && id != root && system.children(id).next().is_none();
                    return choose_by(system, bits, is_leaf);
                }
                Operator::IsNotA => {
                    let all = std::mem::replace(&mut bits, vec![0; system.len().div_ceil(64)]);
                    return choose_by(system, bits, |id| !is_set(&all, id));
                }
                _ => {}
            }
            Some(bits)
        }
        Operator::Generalizes if filter.is_about_code() => {
            if let Some(leaf) = system.find(filter.value) {
                let mut stack = vec![leaf];
                while let Some(id) = stack.pop() {
                    if !is_set(&bits, id) {
                        set(&mut bits, id);
                        stack.extend(system.parents(id));
                    }
                }
            }
            Some(bits)
        }
        Operator::ChildOf if filter.is_about_code() => {
            for child in
                system.find(filter.value).into_iter().flat_map(|root| system.children(root))
            {
                set(&mut bits, child);
            }
            Some(bits)
        }
        Operator::Equal if filter.property == "parent" => {
            for child in
                system.find(filter.value).into_iter().flat_map(|root| system.children(root))
            {
                set(&mut bits, child);
            }
            Some(bits)
        }
        Operator::Equal if filter.property == "child" => {
            for parent in
                system.find(filter.value).into_iter().flat_map(|leaf| system.parents(leaf))
            {
                set(&mut bits, parent);
            }
            Some(bits)
        }
        Operator::Equal => by_value(system, bits, filter, |value| value == filter.value),
        Operator::In => by_value(system, bits, filter, listed),
        Operator::NotIn => by_value(system, bits, filter, |value| !listed(value)),
        Operator::Regex => {
            let pattern = pattern(filter.value)?;
            by_value(system, bits, filter, |value| pattern.is_match(value))
        }
        Operator::Exists => {
            let (property, wanted) = filter.exists()?;
            choose_by(system, bits, |id| {
                let exists = match property {
                    "concept" | "code" => true,
                    "display" => system.display(id).is_some(),
                    "parent" => system.parents(id).next().is_some(),
                    "child" => system.children(id).next().is_some(),
                    other => system.property(id, other).next().is_some(),
                };
                exists == wanted
            })
        }
        _ => None,
    }
}

/// By a value of each concept: its code, its display, a flag or a property. Nothing if no concept has such.
fn by_value(
    system: &CodeSystem,
    bits: Vec<u64>,
    filter: &Filter<'_>,
    test: impl Fn(&str) -> bool,
) -> Option<Vec<u64>> {
    let word = |flag: bool| if flag { "true" } else { "false" };
    match filter.property {
        "concept" | "code" => choose_by(system, bits, |id| test(system.code(id))),
        "display" => choose_by(system, bits, |id| system.display(id).is_some_and(&test)),
        "notSelectable" | "abstract" => {
            choose_by(system, bits, |id| test(word(system.is_abstract(id))))
        }
        "inactive" => choose_by(system, bits, |id| test(word(system.is_inactive(id)))),
        other => {
            let is_used = system.concepts().any(|id| system.property(id, other).next().is_some());
            if !is_used {
                return None;
            }
            choose_by(system, bits, |id| system.property(id, other).any(&test))
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "its callers answer with an option")]
fn choose_by(
    system: &CodeSystem,
    mut bits: Vec<u64>,
    test: impl Fn(ConceptId) -> bool,
) -> Option<Vec<u64>> {
    for id in system.concepts() {
        if test(id) {
            set(&mut bits, id);
        }
    }
    Some(bits)
}

fn below(system: &CodeSystem, root: ConceptId, bits: &mut [u64]) {
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        if !is_set(bits, id) {
            set(bits, id);
            stack.extend(system.children(id));
        }
    }
}

fn clear(bits: &mut [u64], id: ConceptId) {
    if let Some(word) = bits.get_mut(id.index() / 64) {
        *word &= !(1 << (id.index() % 64));
    }
}
