//! The report: it has a line for each value of a record, and says the truth about where the value went.

use std::collections::BTreeMap;

use ipt_fhir::ipt::document;
use ipt_fhir::json::{Pointer, Value};
use ipt_fhir::mapping::report::{Fate, row};
use ipt_fhir::mapping::{self, Policy, Section};

use crate::mapping::options;
use crate::support::tree::for_each;
use crate::support::{record, record_names};

/// The pattern of a pointer: any place in a list is `*`.
fn pattern(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| match step.parse::<usize>() {
        Ok(_) => "/*".to_owned(),
        Err(_) => format!("/{step}"),
    });
    steps.collect()
}

/// The leaves of a record that may leave: no `x-*`, no `passthrough`, no unknown date.
fn leaves(source: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for_each(&document::without_local(source), &Pointer::root(), &mut |pointer, value| {
        if !matches!(value, Value::Object(_) | Value::Array(_) | Value::Null) {
            found.push((pointer.as_str().to_owned(), value.clone()));
        }
    });
    found
}

/// Whether a value stands at a path below an element: lists are entered, and `code` finds a code.
fn stands(element: &Value, path: &[&str], wanted: &Value) -> bool {
    match (element, path) {
        (Value::Array(items), _) => items.iter().any(|item| stands(item, path, wanted)),
        (found, []) => same(found, wanted),
        (found, [step, rest @ ..]) => {
            found.get(step).is_some_and(|below| stands(below, rest, wanted))
        }
    }
}

fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        // To the letter: a number with its spelling.
        (Value::Number(found), Value::Number(wanted)) => found.as_text() == wanted.as_text(),
        (found, wanted) => found == wanted,
    }
}

/// Whether a value stands where the report says: `A|B.x.y|C.z` names alternatives of types and of paths.
fn stands_at(element: &str, resources: &BTreeMap<String, Vec<Value>>, wanted: &Value) -> bool {
    let mut types: Vec<&str> = Vec::new();
    for alternative in element.split('|') {
        let (resource_type, path) = alternative.split_once('.').unwrap_or((alternative, ""));
        types.push(resource_type);
        if path.is_empty() {
            continue;
        }
        let path: Vec<&str> = path.split('.').collect();
        let found = std::mem::take(&mut types).into_iter().any(|resource_type| {
            let all = resources.get(resource_type).map(Vec::as_slice).unwrap_or_default();
            all.iter().any(|resource| stands(resource, &path, wanted))
        });
        if found {
            return true;
        }
    }
    false
}

fn resources_of(name: &str) -> BTreeMap<String, Vec<Value>> {
    let mut found = BTreeMap::<String, Vec<Value>>::new();
    for mapped in mapping::to_fhir(&record(name).plan, &options(Policy::full())).resources {
        let resource_type = mapped.resource.resource_type().to_owned();
        found.entry(resource_type).or_default().push(mapped.resource.into_value());
    }
    found
}

#[test]
fn every_value_of_every_record_has_a_row_and_none_is_dropped() {
    for name in record_names() {
        for (pointer, _) in leaves(&record(&name).source) {
            let row = row(&pattern(&pointer));
            let (fate, element) = row.unwrap_or_else(|| panic!("{name}: no row for {pointer}"));
            assert_ne!(fate, Fate::Dropped, "{name}: {pointer}");
            assert!(element.contains('.'), "{name}: {pointer} goes to `{element}`");
        }
    }
}

#[test]
fn what_is_told_plainly_or_in_an_extension_stands_where_the_report_says() {
    let mut untrue = Vec::new();
    let mut held = 0;
    for name in record_names() {
        let resources = resources_of(&name);
        for (pointer, value) in leaves(&record(&name).source) {
            let Some((fate @ (Fate::Plain | Fate::Extension), element)) = row(&pattern(&pointer))
            else {
                continue;
            };
            if stands_at(element, &resources, &value) {
                held += 1;
            } else {
                untrue.push(format!("{name} {pointer}: {} at {element}", fate.code()));
            }
        }
    }
    assert_eq!(untrue, Vec::<String>::new());
    assert!(held > 1_500, "{held} values were looked up");
}

#[test]
fn every_resource_type_and_extension_that_a_row_names_is_written() {
    let resources = resources_of("all-fields.json");
    for (pointer, _) in leaves(&record("all-fields.json").source) {
        let (_, element) = row(&pattern(&pointer)).unwrap();
        let written = element.split('|').any(|alternative| {
            resources.contains_key(alternative.split('.').next().unwrap_or_default())
        });
        assert!(written, "{pointer}: {element}");
    }
}

#[test]
fn a_report_has_one_line_for_each_value_and_one_for_each_part_that_stays() {
    for name in record_names() {
        let document = record(&name);
        for policy in [Policy::full(), Policy::minimum(), Policy::minimum().grant(Section::Ipaf)] {
            let mapped = mapping::to_fhir(&document.plan, &options(policy));
            let report = mapped.report(&document.source);
            let at = |fate| -> Vec<&str> {
                let lines = report.lines.iter().filter(|line| line.fate == fate);
                lines.map(|line| line.pointer.as_str()).collect()
            };
            let mut withheld: Vec<&str> =
                mapped.withheld.iter().map(|part| part.pointer.as_str()).collect();
            let mut told = at(Fate::Withheld);
            told.sort_unstable();
            withheld.sort_unstable();
            assert_eq!(told, withheld, "{name}: withheld parts, each once");
            let below = |pointer: &str, parts: &[&str]| {
                parts.iter().any(|part| pointer.strip_prefix(part).is_some_and(is_step))
            };
            let mut local = Vec::new();
            for_each(&document.source, &Pointer::root(), &mut |pointer, _| {
                let pointer = pointer.as_str();
                let is_own = pointer.rsplit('/').next().unwrap_or_default().starts_with("x-");
                let above = pointer.rsplit_once('/').map_or("", |(above, _)| above);
                if (is_own || pointer == "/passthrough")
                    && !above.contains("/x-")
                    && !above.starts_with("/passthrough")
                    && !below(pointer, &withheld)
                {
                    local.push(pointer.to_owned());
                }
            });
            assert_eq!(at(Fate::Local), local, "{name}: what is the owner's, each once");
            let leaves = leaves(&document.source);
            let told = leaves.iter().filter(|(pointer, _)| !below(pointer, &withheld)).count();
            let lines = report.lines.len();
            assert_eq!(lines, told + withheld.len() + local.len(), "{name}: lines");
            assert!(at(Fate::Dropped).is_empty(), "{name}");
        }
    }
}

/// Whether what is left of a pointer is nothing or further steps.
fn is_step(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}
