//! The official suites of FHIRPath for FHIR R4 and R5. What misses stands in `fixtures/fhirpath/` with its reason, exactly.

use std::collections::BTreeMap;
use std::io::Read;

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Value};
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::fhirpath::{Collection, Context, Expression, Host, Item};
use ipt_fhir::validate::tree::{NodeId, Tree};
use quick_xml::events::{BytesStart, Event};

use super::typed::{model, read};
use crate::support::{fixture, shared};

/// What the suite wants to know beyond the document.
struct Surroundings(Release);

impl Host for Surroundings {
    fn has_member(&self, tree: &Tree<'_>, at: NodeId, name: &str) -> Option<bool> {
        let types = model(self.0).types();
        let type_name = types.name(tree.type_of(at));
        let definitions = Definitions::core(self.0);
        let structure = definitions.structure_of_type(type_name)?;
        if matches!(type_name, "BackboneElement" | "Element") {
            return None;
        }
        let plain = format!("{type_name}.{name}");
        let choice = format!("{plain}[x]");
        Some(structure.snapshot().iter().any(|element| {
            let path = element.get("path").and_then(Value::as_str).unwrap_or_default();
            path == plain || path == choice
        }))
    }

    fn html_checks(&self, markup: &str) -> Option<bool> {
        // The suite also asks of what stands in a `div`.
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{markup}</div>");
        let whole = if markup.trim_start().starts_with("<div") { markup } else { &div };
        Some(ipt_fhir::validate::xhtml::html_checks(whole).is_ok())
    }
}

#[derive(Debug, Default)]
struct Case {
    group: String,
    name: String,
    input: String,
    mode: String,
    expression: String,
    invalid: String,
    outputs: Vec<String>,
    predicate: bool,
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start.attributes().flatten().find(|found| found.key.as_ref() == name);
    found.map(|found| found.value.into_owned()).unwrap_or_default()
}

fn cases(xml: &str) -> Vec<Case> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut all, mut group, mut text) = (Vec::<Case>::new(), String::new(), String::new());
    loop {
        let event = reader.read_event().unwrap();
        let is_empty = matches!(event, Event::Empty(_));
        match &event {
            Event::Eof => return all,
            Event::Start(start) | Event::Empty(start) => match start.local_name().as_ref() {
                "group" => group = attribute(start, "name"),
                "test" => all.push(Case {
                    group: group.clone(),
                    name: attribute(start, "name"),
                    input: attribute(start, "inputfile"),
                    mode: attribute(start, "mode"),
                    predicate: attribute(start, "predicate") == "true",
                    invalid: attribute(start, "invalid"),
                    ..Case::default()
                }),
                "expression" => {
                    text.clear();
                    let invalid = attribute(start, "invalid");
                    if !invalid.is_empty() {
                        all.last_mut().unwrap().invalid = invalid;
                    }
                }
                "output" => {
                    text.clear();
                    if is_empty {
                        all.last_mut().unwrap().outputs.push(String::new());
                    }
                }
                _ => {}
            },
            Event::Text(part) => {
                text.push_str(&part.xml_content(quick_xml::XmlVersion::Implicit1_0));
            }
            Event::GeneralRef(part) => {
                let name: &str = part;
                match part.resolve_char_ref().unwrap() {
                    Some(character) => text.push(character),
                    None => {
                        text.push_str(quick_xml::escape::resolve_predefined_entity(name).unwrap());
                    }
                }
            }
            Event::End(end) => match end.local_name().as_ref() {
                "expression" => all.last_mut().unwrap().expression = std::mem::take(&mut text),
                "output" => all.last_mut().unwrap().outputs.push(std::mem::take(&mut text)),
                _ => {}
            },
            _ => {}
        }
    }
}

/// An item as the suite writes it.
fn written(tree: &Tree<'_>, item: &Item<'_>) -> String {
    match item {
        Item::Node(id) => tree.text(*id).unwrap_or_default().to_owned(),
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::Decimal(value) => value.to_string(),
        Item::Text(text) => text.to_string(),
        Item::Temporal(value) => value.to_string(),
        Item::Quantity(quantity) => quantity.to_string(),
        Item::Type(namespace, name) => format!("{namespace}.{name}"),
        Item::Elsewhere(_) => String::new(),
    }
}

fn is_expected(case: &Case, tree: &Tree<'_>, result: &Collection<'_>) -> bool {
    let plain = |text: &str| {
        let text = text.strip_prefix('@').unwrap_or(text);
        text.strip_prefix('T').unwrap_or(text).to_owned()
    };
    if case.predicate {
        return case.outputs == [(!result.is_empty()).to_string()];
    }
    let mut got: Vec<String> = result.as_slice().iter().map(|item| written(tree, item)).collect();
    let mut wanted: Vec<String> = case.outputs.iter().map(|text| plain(text)).collect();
    if case.name == "testExpressions" {
        got.sort();
        wanted.sort();
    }
    let number = |text: &str| ipt_fhir::validate::fhirpath::Decimal::parse(text);
    got.len() == wanted.len()
        && got.iter().zip(&wanted).all(|(got, wanted)| {
            plain(got) == *wanted || (number(got).is_some() && number(got) == number(wanted))
        })
}

/// What is wrong with a case; nothing if it passes.
fn fault(release: Release, folder: &str, case: &Case) -> Option<String> {
    let parsed = match Expression::parse(&case.expression) {
        Ok(parsed) => parsed,
        Err(error) if case.invalid.is_empty() => return Some(format!("not read: {error}")),
        Err(_) => return None,
    };
    let name = case.input.trim_end_matches(".xml").trim_end_matches(".json");
    let source = match name {
        "" => r#"{"resourceType":"Patient"}"#.to_owned(),
        name => match input(folder, name) {
            Some(source) => source,
            None => return Some(format!("there is no input {name}")),
        },
    };
    let tree = read(release, &source);
    let host = Surroundings(release);
    let context = Context::new(&tree, model(release))
        .strict()
        .with_choice_names(
            case.mode.contains("polymorphics") || (case.mode == "strict" && folder == "r5"),
        )
        .with_host(&host)
        .at_time("2026-11-26T20:00:00.000+01:00");
    match context.evaluate(&parsed, NodeId::ROOT) {
        Err(_) if !case.invalid.is_empty() => None,
        Err(stop) => Some(format!("{stop}, wanted {:?}", case.outputs)),
        Ok(result) if !case.invalid.is_empty() => {
            let passes = result.is_empty()
                || (!case.outputs.is_empty() && is_expected(case, &tree, &result));
            (!passes).then(|| format!("{result:?}, wanted an error"))
        }
        Ok(result) if is_expected(case, &tree, &result) => None,
        Ok(result) => {
            let got: Vec<String> =
                result.as_slice().iter().map(|item| written(&tree, item)).collect();
            Some(format!("{got:?}, wanted {:?}", case.outputs))
        }
    }
}

/// An input of the suite, which has some as JSON and some as XML, and one of R4's among those of R5.
fn input(folder: &str, name: &str) -> Option<String> {
    let mut found = [folder, "r5"].into_iter().flat_map(|folder| {
        ["json", "xml"].map(|kind| shared(&format!("data/fhirpath-suite/{folder}/{name}.{kind}")))
    });
    String::from_utf8(found.find_map(|bytes| bytes)?).ok()
}

fn run(release: Release, folder: &str, least: usize) {
    let Some(packed) = shared(&format!("data/fhirpath-suite/tests-fhir-{folder}.xml.gz")) else {
        return;
    };
    let mut xml = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut xml).unwrap();
    let listed = fixture(&format!("fhirpath/misses-{folder}.json"));
    let listed = json::parse(&listed).unwrap();
    let reasons: BTreeMap<String, String> = listed
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, reason)| (name.to_string(), reason.as_str().unwrap().to_owned()))
        .collect();
    let (mut count, mut misses) = (0, BTreeMap::new());
    for case in cases(&xml) {
        if matches!(case.mode.as_str(), "cda" | "tx") {
            continue;
        }
        count += 1;
        if let Some(fault) = fault(release, folder, &case) {
            misses.insert(
                format!("{}/{}", case.group, case.name),
                format!("{} -> {fault}", case.expression),
            );
        }
    }
    let per_mille = (count - misses.len()) * 1000 / count;
    let new: Vec<_> = misses.iter().filter(|(name, _)| !reasons.contains_key(*name)).collect();
    let gone: Vec<_> = reasons.keys().filter(|name| !misses.contains_key(*name)).collect();
    assert!(new.is_empty(), "{} cases miss that are not listed: {new:#?}", new.len());
    assert!(gone.is_empty(), "these pass now: take them off the list: {gone:#?}");
    assert!(per_mille >= least, "{per_mille}");
}

#[test]
fn the_official_suite_of_r4_passes() {
    run(Release::R4, "r4", 980);
}

#[test]
fn the_official_suite_of_r5_passes() {
    run(Release::R5, "r5", 950);
}
