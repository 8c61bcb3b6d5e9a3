//! `profiles/`: the code systems stand there as the code tables have them, and all that we write is defined there.
//!
//! `IPT_FHIR_UPDATE=1 cargo test profiles` writes the code systems anew after a table has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ipt_fhir::json::{self, Object, Value};
use ipt_fhir::mapping::code::{Concept, code_systems};
use ipt_fhir::mapping::identity::BASE;
use ipt_fhir::mapping::{self, Options, Policy};
use ipt_fhir::object;

use crate::support::{record, record_names};

const COPYRIGHT: &str = "CC0-1.0: to the extent possible under law, the ipt-fhir project waives all copyright in this work.";

fn profiles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles")
}

/// The JSON files of `profiles/` whose names begin so, by name.
fn files(prefix: &str) -> BTreeMap<String, Value> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(profiles()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with(prefix) && path.extension().is_some_and(|end| end == "json") {
            files.insert(name, json::parse(&std::fs::read(&path).unwrap()).unwrap());
        }
    }
    files
}

// ---- The code systems ----

/// A code system's name for programs: `IptFocusArea` of `ipt-focus-area`.
fn computable_name(id: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    id.split('-').map(word).collect()
}

fn description(id: &str) -> &'static str {
    match id {
        "ipt-focus-area" => "The four interpersonal problem areas of IPT.",
        "ipt-phase" => "The phases of IPT and of dynamic interpersonal therapy.",
        "ipt-technique" => "The techniques of IPT and of dynamic interpersonal therapy.",
        "ipt-concept" => {
            "Variants, formats, observations, note types, goal measures and other concepts of IPT records."
        }
        other => panic!("{other}: describe it here and in its ValueSet"),
    }
}

fn concept(concept: &Concept) -> Object {
    let kind = (!concept.kind.is_empty())
        .then(|| vec![object! { "code" => "kind", "valueCode" => concept.kind }]);
    object! {
        "code" => concept.code,
        "display" => concept.display,
        "definition" => concept.definition.trim(),
        "property" => kind,
    }
}

fn code_system(id: &str, title: &str, concepts: &[Concept]) -> Value {
    let has_kinds = concepts.iter().any(|concept| !concept.kind.is_empty());
    let kind = object! {
        "code" => "kind",
        "description" => "The group of concepts that a code belongs to.",
        "type" => "code",
    };
    Value::Object(object! {
        "resourceType" => "CodeSystem",
        "id" => id,
        "url" => format!("{BASE}/CodeSystem/{id}"),
        "version" => env!("CARGO_PKG_VERSION"),
        "name" => computable_name(id),
        "title" => title,
        "status" => "draft",
        "experimental" => false,
        "date" => "2026-11-25",
        "publisher" => "ipt-fhir project",
        "description" => description(id),
        "copyright" => COPYRIGHT,
        "caseSensitive" => true,
        "valueSet" => format!("{BASE}/ValueSet/{id}"),
        "content" => "complete",
        "count" => concepts.len() as u64,
        "property" => has_kinds.then(|| vec![kind]),
        "concept" => concepts.iter().map(concept).collect::<Vec<_>>(),
    })
}

#[test]
fn the_code_systems_are_those_of_the_code_tables() {
    let update = std::env::var_os("IPT_FHIR_UPDATE").is_some();
    let mut expected = BTreeSet::new();
    for (id, title, concepts) in code_systems() {
        let name = format!("CodeSystem-{id}.json");
        let text = code_system(id, title, &concepts).to_pretty();
        let path = profiles().join(&name);
        if update {
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "profiles/{name} differs from the code tables: IPT_FHIR_UPDATE=1");
        expected.insert(name);
    }
    let there: BTreeSet<String> = files("CodeSystem-").into_keys().collect();
    assert_eq!(there, expected);
}

// ---- The package ----

#[test]
fn every_file_of_the_package_is_what_its_name_says() {
    let package = files("package.json").remove("package.json").unwrap();
    let readme = std::fs::read_to_string(profiles().join("README.md")).unwrap();
    assert_eq!(package.text("canonical"), Some(BASE));
    assert_eq!(package.text("version"), Some(env!("CARGO_PKG_VERSION")));
    let mut all = files("");
    all.remove("package.json");
    all.remove("ipt-plan.schema.json");
    for (name, resource) in all {
        let (kind, id) = (resource.text("resourceType").unwrap(), resource.text("id").unwrap());
        assert_eq!(name, format!("{kind}-{id}.json"));
        assert_eq!(resource.text("url"), Some(format!("{BASE}/{kind}/{id}").as_str()), "{name}");
        assert_eq!(resource.text("version"), package.text("version"), "{name}");
        assert_eq!(resource.text("copyright").unwrap_or(COPYRIGHT), COPYRIGHT, "{name}");
        let listed = readme.contains(&name) || readme.contains(&format!("{kind}-*.json"));
        assert!(listed, "{name} is not listed in profiles/README.md");
        if kind == "ValueSet" {
            let include = resource.pointer("/compose/include/0/system").and_then(Value::as_str);
            assert_eq!(include, Some(format!("{BASE}/CodeSystem/{id}").as_str()), "{name}");
        }
        if kind == "CodeSystem" {
            assert!(files("ValueSet-").contains_key(&format!("ValueSet-{id}.json")), "{name}");
        }
    }
}

// ---- What the mapping writes ----

/// What `profiles/` defines.
struct Defined {
    /// The display of each code, by `system|code`.
    codes: BTreeMap<String, String>,
    /// The value types of each extension, by URL; of a part of an extension, by `URL#part`. None: it holds parts.
    values: BTreeMap<String, Vec<String>>,
}

impl Defined {
    fn read() -> Self {
        let mut codes = BTreeMap::new();
        for system in files("CodeSystem-").values() {
            let url = system.text("url").unwrap();
            for concept in system.items("concept") {
                let display = concept.text("display").unwrap().to_owned();
                codes.insert(format!("{url}|{}", concept.text("code").unwrap()), display);
            }
        }
        let mut values = BTreeMap::new();
        for definition in files("StructureDefinition-").values() {
            let url = definition.text("url").unwrap();
            for element in definition.get("snapshot").unwrap().items("element") {
                let Some(parent) = element.text("id").unwrap().strip_suffix(".value[x]") else {
                    continue;
                };
                let name = match parent.strip_prefix("Extension.extension:") {
                    Some(part) => format!("{url}#{part}"),
                    None => url.to_owned(),
                };
                let is_absent = element.text("max") == Some("0");
                let types = element.items("type").filter(|_| !is_absent);
                let types =
                    types.map(|kind| format!("value{}", capital(kind.text("code").unwrap())));
                values.insert(name, types.collect());
            }
        }
        Self { codes, values }
    }

    /// What a value uses of ours that is not defined so.
    fn faults(&self, value: &Value, path: &str, faults: &mut Vec<String>) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.faults(item, &format!("{path}/{index}"), faults);
                }
            }
            Value::Object(object) => {
                self.coding_fault(value, path, faults);
                for (name, member) in object.iter() {
                    let path = format!("{path}/{name}");
                    if matches!(name, "extension" | "modifierExtension") {
                        for extension in member.as_array().unwrap_or_default() {
                            self.extension_faults(extension, &path, faults);
                        }
                    }
                    self.faults(member, &path, faults);
                }
            }
            _ => {}
        }
    }

    fn coding_fault(&self, value: &Value, path: &str, faults: &mut Vec<String>) {
        let Some(system) = value.text("system").filter(|system| is_ours(system)) else { return };
        let (Some(code), true) = (value.text("code"), system.contains("/CodeSystem/")) else {
            return;
        };
        match self.codes.get(&format!("{system}|{code}")) {
            None => faults.push(format!("{path}: no code {code} in {system}")),
            Some(display) if value.text("display").is_some_and(|other| other != display) => {
                faults.push(format!("{path}: {code} is called {display}"));
            }
            Some(_) => {}
        }
    }

    fn extension_faults(&self, extension: &Value, path: &str, faults: &mut Vec<String>) {
        let Some(url) = extension.text("url").filter(|url| is_ours(url)) else { return };
        self.value_fault(url, extension, path, faults);
        for part in extension.items("extension") {
            let name = part.text("url").unwrap_or_default();
            self.value_fault(&format!("{url}#{name}"), part, path, faults);
        }
    }

    /// An extension or a part of one: defined, and with a value of a defined type or with parts.
    fn value_fault(&self, name: &str, extension: &Value, path: &str, faults: &mut Vec<String>) {
        let Some(types) = self.values.get(name) else {
            return faults.push(format!("{path}: {name} is not defined"));
        };
        let members = extension.as_object().unwrap().iter();
        let written = members.map(|(member, _)| member).find(|member| member.starts_with("value"));
        match written {
            Some(written) if !types.iter().any(|one| one == written) => {
                faults.push(format!("{path}: {name} has no {written} but {types:?}"));
            }
            None if !types.is_empty() => faults.push(format!("{path}: {name} has no value")),
            _ => {}
        }
    }
}

fn is_ours(url: &str) -> bool {
    url.starts_with(BASE)
}

fn capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

#[test]
fn what_is_mapped_is_defined() {
    let defined = Defined::read();
    let options = Options { policy: Policy::full(), ..Options::default() };
    let mut seen = String::new();
    for name in record_names() {
        let bundle = mapping::to_fhir(&record(&name).plan, &options).into_collection().to_value();
        let mut faults = Vec::new();
        defined.faults(&bundle, "", &mut faults);
        assert!(faults.is_empty(), "{name}: {faults:#?}");
        seen.push_str(&bundle.to_text());
    }
    for name in defined.values.keys() {
        let url = name.rsplit('#').next().unwrap();
        assert!(seen.contains(&format!("\"{url}\"")), "{name} is defined, and nothing uses it");
    }
}

#[test]
fn what_is_not_defined_is_seen() {
    let defined = Defined::read();
    let faults = |text: &str| {
        let mut faults = Vec::new();
        let text = text.replace("BASE", BASE);
        defined.faults(&json::parse(text.as_bytes()).unwrap(), "", &mut faults);
        faults.len()
    };
    let phase = "BASE/StructureDefinition/ipt-phase";
    assert_eq!(
        faults(r#"{"extension":[{"url":"BASE/StructureDefinition/x","valueCode":"x"}]}"#),
        1
    );
    assert_eq!(faults(&format!(r#"{{"extension":[{{"url":"{phase}","valueCode":"x"}}]}}"#)), 1);
    let part =
        |part: &str| format!(r#"{{"extension":[{{"url":"{phase}","extension":[{part}]}}]}}"#);
    assert_eq!(faults(&part(r#"{"url":"x","valueCode":"x"}"#)), 1);
    assert_eq!(faults(&part(r#"{"url":"key"}"#)), 1);
    assert_eq!(faults(&part(r#"{"url":"key","valueBoolean":true}"#)), 1);
    assert_eq!(faults(&part(r#"{"url":"key","valueId":"x"}"#)), 0);
    assert_eq!(faults(r#"{"a":[{"system":"BASE/CodeSystem/ipt-phase","code":"x"}]}"#), 1);
    let initial = r#"{"system":"BASE/CodeSystem/ipt-phase","code":"initial","display":"x"}"#;
    assert_eq!(faults(initial), 1);
}
