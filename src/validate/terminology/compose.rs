//! From a ValueSet resource to what can be asked: `compose` first, `expansion` where that can't decide.
//!
//! Each filter is worked out once over the concepts of its CodeSystem. What can't be worked out (a system that is not
//! at hand, an operator that is not FHIR's, a property that no concept has) leaves its include open, with the reason;
//! so does an import that leads back to a set that is being compiled, deeper than [`DEPTH`], or to more than [`HEAVIEST`]
//! parts in all: ten imports of ten imports, sixteen times over, would never be through.
//!
//! It refuses nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::code_system::{CodeSystem, Content};
use super::filter::{self, Filter};
use super::grammar::Grammar;
use super::value_set::{Codes, Expansion, Import, Listed, Own, Part, ValueSet};
use super::{Reason, Terminology};
use crate::json::Value;

/// How deep value sets may import each other; FHIR's deepest chain has 4.
pub(super) const DEPTH: usize = 16;

/// How many parts a set may have with all that it imports; each may be asked for each code.
const HEAVIEST: usize = 20_000;

/// The sets that are being compiled and import this one, and what imports may still weigh.
struct Above<'a> {
    urls: &'a mut Vec<Box<str>>,
    left: usize,
}

/// Compiles a ValueSet; `above` are the sets that are being compiled and import it.
pub(super) fn compile(
    terminology: &Terminology,
    resource: &Value,
    above: &mut Vec<Box<str>>,
) -> ValueSet {
    let url: Box<str> = resource.text("url").unwrap_or_default().into();
    above.push(url.clone());
    let mut above = Above { urls: above, left: HEAVIEST };
    let compose = resource.get("compose");
    let mut parts = |member: &str| {
        let given = compose.map(|compose| compose.items(member)).into_iter().flatten();
        given.map(|given| part(terminology, given, &mut above)).collect::<Vec<_>>()
    };
    let mut includes = parts("include");
    let excludes = parts("exclude");
    above.urls.pop();
    let weight = HEAVIEST - above.left + includes.len() + excludes.len();
    if includes.is_empty() {
        // A set that says nothing of its content is open, whatever the code.
        includes.push(Part { system: None, imports: Vec::new() });
    }
    let inactive = compose.and_then(|compose| compose.get("inactive")).and_then(Value::as_bool);
    ValueSet {
        url,
        version: resource.text("version").map(Into::into),
        includes,
        excludes,
        active_only: inactive == Some(false),
        expansion: resource.get("expansion").and_then(expansion),
        is_unit: terminology.is_unit(),
        weight,
    }
}

/// The set of all codes of a system, for value sets that FHIR knows by their URL alone.
pub(super) fn whole(terminology: &Terminology, url: &str, system: &str, is_all: bool) -> ValueSet {
    let codes =
        if is_all { whole_codes(terminology, system, None) } else { Codes::Open(Reason::System) };
    ValueSet {
        url: url.into(),
        version: None,
        includes: vec![Part {
            system: Some(Own { system: system.into(), codes }),
            imports: Vec::new(),
        }],
        excludes: Vec::new(),
        active_only: false,
        expansion: None,
        is_unit: terminology.is_unit(),
        weight: 1,
    }
}

fn part(terminology: &Terminology, given: &Value, above: &mut Above<'_>) -> Part {
    let imports = given
        .items("valueSet")
        .filter_map(Value::as_str)
        .map(|url| import(terminology, url, above))
        .collect();
    let system = given.text("system").map(|system| {
        let version = given.text("version");
        let listed =
            given.get("concept").and_then(Value::as_array).filter(|listed| !listed.is_empty());
        let filters =
            given.get("filter").and_then(Value::as_array).filter(|filters| !filters.is_empty());
        let codes = match (listed, filters) {
            (Some(listed), _) => list(terminology, system, version, listed),
            (None, Some(filters)) => filtered(terminology, system, version, filters),
            (None, None) => whole_codes(terminology, system, version),
        };
        Own { system: system.into(), codes }
    });
    Part { system, imports }
}

fn import(terminology: &Terminology, url: &str, above: &mut Above<'_>) -> Import {
    let plain = url.split('|').next().unwrap_or(url);
    let urls = &mut *above.urls;
    if urls.len() >= DEPTH || urls.iter().any(|compiling| **compiling == *plain) {
        return Import::Open(Reason::Cycle);
    }
    let Some(set) = terminology.value_set_below(url, urls) else {
        return Import::Open(Reason::ValueSet);
    };
    match above.left.checked_sub(set.weight) {
        Some(left) => {
            above.left = left;
            Import::Set(set)
        }
        None => Import::Open(Reason::Cycle),
    }
}

/// The CodeSystem of an include, if it has all its codes.
fn complete(
    terminology: &Terminology,
    system: &str,
    version: Option<&str>,
) -> Option<Arc<CodeSystem>> {
    terminology
        .code_system_of(system, version)
        .filter(|system| system.content() == Content::Complete)
}

fn list(terminology: &Terminology, system: &str, version: Option<&str>, listed: &[Value]) -> Codes {
    let rows = listed.iter().filter_map(|concept| {
        let names = concept.items("designation").filter_map(|name| name.text("value")).collect();
        Some((concept.text("code")?, concept.text("display"), names))
    });
    Codes::Listed(Listed::new(rows, complete(terminology, system, version)))
}

fn whole_codes(terminology: &Terminology, system: &str, version: Option<&str>) -> Codes {
    if let Some(grammar) = Grammar::of(system) {
        return Codes::Form(grammar, Vec::new());
    }
    match terminology.code_system_of(system, version) {
        Some(system) if system.content() == Content::Complete => Codes::Whole(system),
        _ => Codes::Open(Reason::System),
    }
}

fn filtered(
    terminology: &Terminology,
    system: &str,
    version: Option<&str>,
    filters: &[Value],
) -> Codes {
    let read: Option<Vec<Filter<'_>>> = filters.iter().map(Filter::read).collect();
    let Some(read) = read else { return Codes::Open(Reason::Filter) };
    if let Some(grammar) = Grammar::of(system) {
        return form(grammar, &read);
    }
    let Some(system) = complete(terminology, system, version) else {
        // The form of a code may be all that a filter asks for: `[A-Z]{2}` of ISO 3166.
        let [only] = read.as_slice() else { return Codes::Open(Reason::System) };
        return only
            .pattern_of_code()
            .map_or(Codes::Open(Reason::System), |pattern| Codes::Pattern(Box::new(pattern)));
    };
    match filter::choose(&system, &read) {
        Some(bits) => Codes::Chosen(system, bits),
        None => Codes::Open(Reason::Filter),
    }
}

fn form(grammar: Grammar, filters: &[Filter<'_>]) -> Codes {
    let parts = filters.iter().map(|filter| match (grammar, filter.exists()) {
        (Grammar::Language, Some((part, wanted))) => Some((part.into(), wanted)),
        _ => None,
    });
    match parts.collect::<Option<Vec<_>>>() {
        Some(parts) => Codes::Form(grammar, parts),
        None => Codes::Open(Reason::Filter),
    }
}

/// A code, its display, its other names.
type Row<'v> = (&'v str, Option<&'v str>, Vec<&'v str>);

fn expansion(expansion: &Value) -> Option<Expansion> {
    let mut by_system: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    let mut count = 0;
    let mut stack: Vec<&Value> = expansion.items("contains").collect();
    while let Some(entry) = stack.pop() {
        stack.extend(entry.items("contains"));
        let is_abstract = entry.get("abstract").and_then(Value::as_bool) == Some(true);
        if let (Some(system), Some(code), false) =
            (entry.text("system"), entry.text("code"), is_abstract)
        {
            let names = entry.items("designation").filter_map(|name| name.text("value")).collect();
            by_system.entry(system).or_default().push((code, entry.text("display"), names));
        }
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let is_short =
        expansion.get("total").and_then(Value::as_u64).is_some_and(|total| total > count);
    let is_open = expansion.items("extension").any(|extension| {
        let url = extension.text("url").unwrap_or_default();
        (url.ends_with("/valueset-unclosed") || url.ends_with("/valueset-toocostly"))
            && extension.get("valueBoolean").and_then(Value::as_bool) == Some(true)
    });
    let has_filter =
        expansion.items("parameter").any(|parameter| parameter.text("name") == Some("filter"));
    let systems = by_system
        .into_iter()
        .map(|(system, rows)| (system.into(), Listed::new(rows.into_iter(), None)))
        .collect();
    Some(Expansion { systems, is_closed: !is_short && !is_open && !has_filter })
}
