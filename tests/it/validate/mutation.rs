//! Mutation: each rule of a base definition is broken one at a time, on examples of the specification that are valid.
//!
//! What to break comes from the StructureDefinition itself, element by element, so that no rule is forgotten. A mutant
//! must have an error at the place that was broken (or, where something is missing or too much, at its parent), and the
//! example as it is must have none. The examples are data that is not everywhere at hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::validate::check::{Checks, View};
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::suite::{self, Issue};

use super::suite::archive;
use crate::support::shared_folder;

const TYPES: [&str; 9] = [
    "CarePlan",
    "Goal",
    "Encounter",
    "Patient",
    "Condition",
    "Observation",
    "Procedure",
    "DocumentReference",
    "QuestionnaireResponse",
];

/// A document with one thing broken.
struct Mutant {
    rule: &'static str,
    /// The path of the definition.
    path: String,
    /// Where an error must be, without indexes: one of these.
    places: Vec<String>,
    document: Value,
}

/// An element of a definition, as far as it can be broken.
struct Rule<'d> {
    path: &'d str,
    name: &'d str,
    min: u64,
    is_list: bool,
    types: Vec<&'d str>,
    targets: Vec<&'d str>,
    is_required_code: bool,
}

fn rules(structure: &Value) -> Vec<Rule<'_>> {
    let elements = structure.pointer("/snapshot/element").and_then(Value::as_array).unwrap();
    elements
        .iter()
        .filter_map(|element| {
            let path = element.text("path")?;
            let name = path.rsplit('.').next()?;
            let types: Vec<&str> =
                element.items("type").filter_map(|of_type| of_type.text("code")).collect();
            let targets = element
                .items("type")
                .flat_map(|of_type| of_type.items("targetProfile"))
                .filter_map(|url| url.as_str()?.rsplit('/').next())
                .collect();
            let strength = element.pointer("/binding/strength").and_then(Value::as_str);
            Some(Rule {
                path,
                name,
                min: element.get("min").and_then(Value::as_u64).unwrap_or(0),
                is_list: element.text("max") != Some("1"),
                is_required_code: strength == Some("required") && types == ["code"],
                types,
                targets,
            })
        })
        .filter(|rule| rule.path.contains('.') && rule.path.rsplit('.').next() != Some("id"))
        .collect()
}

/// The pointers of all objects that a path leads to: `CarePlan.activity` to `/activity/0`, ...
fn objects(document: &Value, path: &str) -> Vec<String> {
    let mut pointers = vec![String::new()];
    for name in path.split('.').skip(1) {
        let mut next = Vec::new();
        for pointer in pointers {
            let pointer = format!("{pointer}/{name}");
            match document.pointer(&pointer) {
                Some(Value::Array(items)) => {
                    next.extend((0..items.len()).map(|item| format!("{pointer}/{item}")));
                }
                Some(_) => next.push(pointer),
                None => {}
            }
        }
        pointers = next;
    }
    pointers
}

/// What is no value of a primitive type.
fn bad(of_type: &str) -> Option<Value> {
    let text = |text: &str| Some(Value::String(text.to_owned()));
    match of_type {
        "date" => text("2020-13-01"),
        "dateTime" => text("2020-02-30"),
        "instant" => text("2020-01-01"),
        "time" => text("25:00:00"),
        "boolean" => text("true"),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => text("1"),
        "code" => text(" a"),
        "id" => text("a b"),
        "uri" | "url" | "canonical" => text("http://a b"),
        "base64Binary" => text("@@@@"),
        "string" | "markdown" => Some(json::parse(b"[5]").unwrap().item(0).unwrap().clone()),
        _ => None,
    }
}

fn mutants(document: &Value, rules: &[Rule<'_>]) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for rule in rules {
        let parent = rule.path.rsplit_once('.').unwrap().0;
        for holder in objects(document, parent) {
            let Some(members) = document.pointer(&holder).and_then(Value::as_object) else {
                continue;
            };
            let stem = rule.name.strip_suffix("[x]");
            let member = match stem {
                None => members.get(rule.name).map(|_| rule.name.to_owned()),
                Some(stem) => members
                    .iter()
                    .map(|(name, _)| name)
                    .find(|name| {
                        name.strip_prefix(stem)
                            .is_some_and(|rest| rest.starts_with(char::is_uppercase))
                    })
                    .map(str::to_owned),
            };
            let Some(member) = member else { continue };
            let value = members.get(&member).unwrap().clone();
            let plain = format!("{parent}.{}", stem.unwrap_or(rule.name));
            let mut put = |what: &'static str,
                           places: &[&str],
                           change: &dyn Fn(&mut json::Object)| {
                let mut changed = document.clone();
                let object = changed.pointer_mut(&holder).and_then(Value::as_object_mut).unwrap();
                change(object);
                mutants.push(Mutant {
                    rule: what,
                    path: rule.path.to_owned(),
                    places: places.iter().map(|place| (*place).to_owned()).collect(),
                    document: changed,
                });
            };
            let set = |name: &str, value: Value| {
                let name = name.to_owned();
                move |object: &mut json::Object| object.insert(name.clone(), value.clone())
            };
            if rule.min > 0 {
                put("missing", &[parent, &plain], &|object| {
                    object.remove(&member);
                    object.remove(&format!("_{member}"));
                });
            }
            if rule.is_list {
                let one = value.item(0).cloned().unwrap_or(Value::Null);
                put("no array", &[&plain, parent], &set(&member, one));
            } else {
                let two = Value::Array(vec![value.clone(), value.clone()]);
                put("array", &[&plain, parent], &set(&member, two));
            }
            put("empty array", &[&plain, parent], &set(&member, Value::Array(Vec::new())));
            let of_type = match stem {
                Some(stem) => {
                    let of_type = member.strip_prefix(stem).unwrap();
                    *rule
                        .types
                        .iter()
                        .find(|known| known.eq_ignore_ascii_case(of_type))
                        .unwrap_or(&"")
                }
                None => rule.types.first().copied().unwrap_or(""),
            };
            let wrap = |bad: Value| if rule.is_list { Value::Array(vec![bad]) } else { bad };
            if let Some(bad) = bad(of_type) {
                put("primitive", &[&plain], &set(&member, wrap(bad)));
                let object = json::parse(br#"{"a":1}"#).unwrap();
                put("object", &[&plain, parent], &set(&member, wrap(object)));
            } else if !of_type.is_empty() && of_type != "Resource" {
                put("text", &[&plain, parent], &set(&member, wrap(Value::String("a".to_owned()))));
            }
            if rule.is_required_code {
                let code = Value::String("zz-no-code".to_owned());
                put("code", &[&plain], &set(&member, wrap(code)));
            }
            if let Some(stem) = stem {
                let other = format!("{stem}Narrative");
                let value = value.clone();
                put("choice", &[parent, &plain], &|object| {
                    object.remove(&member);
                    object.insert(other.clone(), value.clone());
                });
            }
            if of_type == "Reference"
                && !rule.targets.is_empty()
                && !rule.targets.contains(&"Resource")
            {
                let wrong = if rule.targets.contains(&"Slot") { "Substance/1" } else { "Slot/1" };
                let reference =
                    json::parse(format!(r#"{{"reference":"{wrong}"}}"#).as_bytes()).unwrap();
                let inside = format!("{plain}.reference");
                put("target", &[&plain, &inside], &set(&member, wrap(reference)));
            }
        }
    }
    for path in std::iter::once("")
        .chain(rules.iter().filter(|rule| rule.types == ["BackboneElement"]).map(|rule| rule.path))
    {
        let root = rules[0].path.split('.').next().unwrap();
        let path = if path.is_empty() { root } else { path };
        for holder in objects(document, path) {
            let mut changed = document.clone();
            let Some(object) = changed.pointer_mut(&holder).and_then(Value::as_object_mut) else {
                continue;
            };
            object.insert("zzUnknown", Value::String("a".to_owned()));
            let places = vec![path.to_owned(), format!("{path}.zzUnknown")];
            mutants.push(Mutant {
                rule: "unknown",
                path: path.to_owned(),
                places,
                document: changed,
            });
        }
    }
    mutants
}

/// An expression without indexes.
fn plain(expression: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in expression.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            letter if !inside => text.push(letter),
            _ => {}
        }
    }
    text
}

fn errors(checks: &Checks, document: &Value) -> Vec<Issue> {
    Issue::errors(&checks.check(document.to_text().as_bytes(), 1).reported)
}

#[test]
fn each_broken_rule_is_caught_at_its_place() {
    let Some(folder) = shared_folder("fhir/examples") else { return };
    let files = archive(&folder.join("r4.tgz"));
    let reference = std::fs::read(folder.join("reference.json")).unwrap();
    let view = View { show_values: true, excerpts: false };
    let checks = Checks::new(Some(Release::R4), Vec::new(), Options::default(), view);
    // The reference judged the examples without following references; by themselves they must be valid in that way.
    let as_judged = Checks::new(Some(Release::R4), Vec::new(), suite::usual(), view);
    let definitions = Definitions::core(Release::R4);
    let structures: BTreeMap<&str, Arc<_>> =
        TYPES.iter().map(|name| (*name, definitions.structure_of_type(name).unwrap())).collect();
    let mut missed = Vec::new();
    let mut alarms = Vec::new();
    let mut caught: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for example in suite::examples(&reference).unwrap() {
        if example.set != "r4"
            || !example.expected.is_empty()
            || !crate::support::is_of_kind(&example.file, "json")
        {
            continue;
        }
        let Ok(document) = json::parse_with(&files[&example.file], Limits::BUNDLE) else {
            continue;
        };
        let name = document.text("resourceType").unwrap_or_default();
        let Some((name, structure)) = structures.get_key_value(name) else { continue };
        if let Some(found) = errors(&as_judged, &document).first() {
            alarms.push(format!("{}: {found}", example.file));
        }
        if !errors(&checks, &document).is_empty() {
            // It names a type that is not allowed; what else is broken in it would hide behind that.
            continue;
        }
        let rules = rules(structure.value());
        for mutant in mutants(&document, &rules) {
            let found = errors(&checks, &mutant.document);
            let at = |issue: &Issue| mutant.places.contains(&plain(&issue.expression));
            if found.iter().any(at) {
                *caught.entry((*name, mutant.rule)).or_default() += 1;
            } else {
                let found: Vec<String> =
                    found.iter().map(|issue| plain(&issue.expression)).collect();
                missed.push(format!(
                    "{}: {} at {}: {found:?}",
                    example.file, mutant.rule, mutant.path
                ));
            }
        }
    }
    println!("caught: {caught:#?}");
    assert!(caught.values().sum::<usize>() > 1_000, "too few rules were broken");
    missed.sort();
    assert!(
        missed.is_empty() && alarms.is_empty(),
        "{} missed: {:#?}\n{} false alarms: {alarms:#?}",
        missed.len(),
        missed.iter().take(60).collect::<Vec<_>>(),
        alarms.len()
    );
}

/// Invariants of these types, each broken by hand: the smallest document that breaks it and no other rule.
const BROKEN: [(&str, &str, &str); 12] = [
    (
        "cpl-3",
        "CarePlan.activity",
        r#"{"resourceType":"CarePlan","status":"active","intent":"plan","subject":{"reference":"Patient/p"},"activity":[{"reference":{"reference":"Task/t"},"detail":{"status":"completed"}}]}"#,
    ),
    (
        "gol-1",
        "Goal.target",
        r#"{"resourceType":"Goal","lifecycleStatus":"active","description":{"text":"a"},"subject":{"reference":"Patient/p"},"target":[{"detailString":"a"}]}"#,
    ),
    ("pat-1", "Patient.contact", r#"{"resourceType":"Patient","contact":[{"gender":"male"}]}"#),
    (
        "con-4",
        "Condition",
        r#"{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/p"},"abatementString":"a"}"#,
    ),
    (
        "con-5",
        "Condition",
        r#"{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}]},"subject":{"reference":"Patient/p"}}"#,
    ),
    (
        "obs-6",
        "Observation",
        r#"{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueString":"a","dataAbsentReason":{"text":"a"}}"#,
    ),
    (
        "obs-3",
        "Observation.referenceRange",
        r#"{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueString":"a","referenceRange":[{"appliesTo":[{"text":"a"}]}]}"#,
    ),
    (
        "obs-7",
        "Observation",
        r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://a.org/codes","code":"a"}]},"valueString":"a","component":[{"code":{"coding":[{"system":"http://a.org/codes","code":"a"}]},"valueString":"a"}]}"#,
    ),
    (
        "qrs-1",
        "QuestionnaireResponse.item",
        r#"{"resourceType":"QuestionnaireResponse","status":"completed","item":[{"linkId":"1","item":[{"linkId":"2"}],"answer":[{"valueString":"a","item":[{"linkId":"3"}]}]}]}"#,
    ),
    (
        "per-1",
        "Encounter.period",
        r#"{"resourceType":"Encounter","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"period":{"start":"2020-02-02","end":"2020-01-01"}}"#,
    ),
    (
        "con-1",
        "Condition.stage",
        r#"{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/p"},"stage":[{"type":{"text":"a"}}]}"#,
    ),
    (
        "dom-4",
        "Patient",
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","meta":{"versionId":"1"},"name":"a"}],"managingOrganization":{"reference":"#o"}}"##,
    ),
];

#[test]
fn each_broken_invariant_is_caught_at_its_place() {
    let view = View { show_values: true, excerpts: false };
    let checks = Checks::new(Some(Release::R4), Vec::new(), Options::default(), view);
    let mut wrong = Vec::new();
    for (key, place, document) in BROKEN {
        let found: Vec<(String, String)> = checks
            .check(document.as_bytes(), 1)
            .reported
            .iter()
            .filter(|item| item.severity >= ipt_fhir::issue::Severity::Error)
            .map(|item| {
                (item.key.as_deref().unwrap_or_default().to_owned(), plain(&item.expression))
            })
            .collect();
        if found != [(key.to_owned(), place.to_owned())] {
            wrong.push(format!("{key} at {place}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
