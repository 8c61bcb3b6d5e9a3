//! Every invariant of every package compiles; the corrected ones are those that are published; verdicts are as said.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::LazyLock;

use ipt_fhir::fhir::Release;
use ipt_fhir::issue::Severity;
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::fhirpath::{Context, Expression, Open, Stop};
use ipt_fhir::validate::invariant::{CORRECTIONS, Invariant, Verdict, corrected};
use ipt_fhir::validate::tree::NodeId;

use super::typed::{model, read};
use crate::support::shared;

const US_CORE: &[&str] = &["us_core_311", "us_core_610", "us_core_700", "us_core_800"];

/// Adds key and expression of all invariants of a StructureDefinition.
fn collect(structure: &Value, all: &mut BTreeSet<(String, String)>) {
    for view in ["snapshot", "differential"] {
        let elements = structure.get(view).and_then(|view| view.get("element"));
        for element in elements.and_then(Value::as_array).unwrap_or_default() {
            let constraints = element.get("constraint").and_then(Value::as_array);
            for constraint in constraints.unwrap_or_default() {
                let text = |name| constraint.get(name).and_then(Value::as_str).map(str::to_owned);
                if let (Some(key), Some(expression)) = (text("key"), text("expression")) {
                    all.insert((key, expression));
                }
            }
        }
    }
    for context in structure.get("contextInvariant").and_then(Value::as_array).unwrap_or_default() {
        all.insert(("context".into(), context.as_str().unwrap().to_owned()));
    }
}

/// Those of a release, with the extensions that belong to it.
fn of_core(release: Release) -> BTreeSet<(String, String)> {
    let definitions = Definitions::core(release);
    let urls: Vec<&str> = definitions.structures().map(|row| row.url).collect();
    let mut all = BTreeSet::new();
    for url in urls {
        collect(definitions.structure(url).unwrap().value(), &mut all);
    }
    all
}

/// Key and expression of all invariants in a package.
fn published(package: &str) -> BTreeSet<(String, String)> {
    let Some(bytes) = shared(&format!("fhir/packages/{package}.tgz")) else {
        return BTreeSet::new();
    };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    let mut all = BTreeSet::new();
    for file in archive.entries().unwrap() {
        let mut file = file.unwrap();
        let path = file.path().unwrap().to_string_lossy().into_owned();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        if !name.starts_with("StructureDefinition")
            || !name.ends_with(".json")
            || path.contains("example")
        {
            continue;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let Ok(value) =
            json::parse_with(&bytes, Limits { bytes: 64 << 20, depth: 64, nodes: 4_000_000 })
        else {
            continue;
        };
        if value.get("resourceType").and_then(Value::as_str) != Some("StructureDefinition") {
            continue;
        }
        collect(&value, &mut all);
    }
    all
}

/// All distinct invariants of a release.
pub(super) fn all(release: Release) -> &'static BTreeSet<(String, String)> {
    static ALL: [LazyLock<BTreeSet<(String, String)>>; 3] = [
        LazyLock::new(|| of_core(Release::R4)),
        LazyLock::new(|| of_core(Release::R4B)),
        LazyLock::new(|| of_core(Release::R5)),
    ];
    &ALL[release as usize]
}

pub(super) fn invariant(release: Release, key: &str, text: &str) -> Invariant {
    Invariant::new(release, key, Severity::Error, "", text, "").unwrap()
}

#[test]
fn every_published_invariant_compiles() {
    let mut every: Vec<(Release, &str, &str)> = Vec::new();
    for release in [Release::R4, Release::R4B, Release::R5] {
        let of_release = all(release);
        assert!(of_release.len() > 240, "{}", of_release.len());
        every.extend(of_release.iter().map(|(key, text)| (release, key.as_str(), text.as_str())));
    }
    let us_core: Vec<_> = US_CORE.iter().map(|package| published(package)).collect();
    let has_us_core = us_core.iter().all(|all| all.len() > 30);
    for package in &us_core {
        every.extend(package.iter().map(|(key, text)| (Release::R4, key.as_str(), text.as_str())));
    }
    let mut faults = Vec::new();
    for (release, key, text) in &every {
        if let Err(error) = Invariant::new(*release, key, Severity::Error, "", text, "") {
            faults.push(format!("{key}: {error}: {text}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    for row in CORRECTIONS.iter().filter(|row| has_us_core || row.key != "pd-1") {
        let is_published = every.iter().any(|(release, key, text)| {
            row.releases.contains(release) && corrected(*release, key, text) == row.corrected
        });
        assert!(is_published, "{} corrects nothing that is published", row.key);
    }
}

fn verdict(release: Release, key: &str, text: &str, source: &str, name: &str) -> Verdict {
    let tree = read(release, source);
    let context = Context::new(&tree, model(release));
    let mut node = NodeId::ROOT;
    for name in name.split('.').filter(|name| !name.is_empty()) {
        node = tree.child(node, name).unwrap();
    }
    let invariant = invariant(release, key, text);
    let verdict = invariant.evaluate(&context, node);
    assert_eq!(
        verdict,
        invariant.interpret(&context, node),
        "{key}: the fast path says something else"
    );
    verdict
}

#[test]
fn results_mean_what_the_reference_engine_makes_of_them() {
    let patient =
        r#"{"resourceType":"Patient","id":"a","active":false,"name":[{"given":["A","B"]}]}"#;
    let says = |text: &str| verdict(Release::R4, "x", text, patient, "");
    assert_eq!(says("true"), Verdict::Holds);
    assert_eq!(says("false"), Verdict::Fails);
    assert_eq!(says("{}"), Verdict::Fails);
    assert_eq!(says("name"), Verdict::Holds);
    assert_eq!(says("name.given"), Verdict::Holds);
    assert_eq!(says("active"), Verdict::Fails);
    assert_eq!(says("'text'"), Verdict::Holds);
    assert_eq!(says("name.given = 'A' and name.given.single() = 'A'"), Verdict::Fails);
    assert_eq!(says("name.given.toInteger() = 1"), Verdict::Fails);
    assert_eq!(says("name.given.as(string).exists()"), Verdict::Holds);
    assert_eq!(
        says("id.memberOf('http://example.org/x')"),
        Verdict::NotChecked(Stop::Open(Open::Terminology))
    );
}

const REF_1: &str = "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))";

#[test]
fn corrected_invariants_hold_where_the_published_ones_did_not() {
    let observation = |subject: &str| {
        format!(
            r##"{{"resourceType":"Observation","contained":[{{"resourceType":"Patient","id":"p"}}],"subject":{subject}}}"##
        )
    };
    let reference =
        |subject: &str| verdict(Release::R4, "ref-1", REF_1, &observation(subject), "subject");
    assert_eq!(reference(r#"{"display":"x"}"#), Verdict::Holds);
    assert_eq!(reference(r##"{"reference":"#p"}"##), Verdict::Holds);
    assert_eq!(reference(r##"{"reference":"#"}"##), Verdict::Holds);
    assert_eq!(reference(r##"{"reference":"#q"}"##), Verdict::Fails);
    assert_eq!(reference(r#"{"reference":"Patient/1"}"#), Verdict::Holds);
    let name = "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')";
    let value_set = |name_of: &str| format!(r#"{{"resourceType":"ValueSet"{name_of}}}"#);
    assert_eq!(verdict(Release::R4, "vsd-0", name, &value_set(""), ""), Verdict::Holds);
    assert_eq!(
        verdict(Release::R4, "vsd-0", name, &value_set(r#","name":"Good1""#), ""),
        Verdict::Holds
    );
    assert_eq!(
        verdict(Release::R4, "vsd-0", name, &value_set(r#","name":"not Good""#), ""),
        Verdict::Fails
    );
    let period = |start: &str, end: &str| {
        let source = format!(
            r#"{{"resourceType":"Encounter","period":{{"start":"{start}","end":"{end}"}}}}"#
        );
        verdict(
            Release::R4,
            "per-1",
            "start.hasValue().not() or end.hasValue().not() or (start <= end)",
            &source,
            "period",
        )
    };
    assert_eq!(period("2020-01-01", "2020-01-02"), Verdict::Holds);
    assert_eq!(period("2020-01-02", "2020-01-01"), Verdict::Fails);
    assert_eq!(period("2020-01", "2020-02-01"), Verdict::Holds);
    assert_eq!(period("2020-01-01T10:00:00Z", "2020-01-01T10:00:00+01:00"), Verdict::Fails);
}

#[test]
fn what_is_contained_is_referred_to() {
    let (text, _) = CONTAINED;
    let says = |source: &str| verdict(Release::R4, "dom-3", text, source, "");
    let inside = r#""contained":[{"resourceType":"Patient","id":"p"}]"#;
    assert_eq!(
        says(&format!(
            r##"{{"resourceType":"Observation",{inside},"subject":{{"reference":"#p"}}}}"##
        )),
        Verdict::Holds
    );
    assert_eq!(
        says(&format!(
            r##"{{"resourceType":"Observation",{inside},"subject":{{"reference":"#q"}}}}"##
        )),
        Verdict::Fails
    );
    assert_eq!(says(r#"{"resourceType":"Observation"}"#), Verdict::Holds);
    let outward = r##"{"resourceType":"Observation","contained":[{"resourceType":"Provenance","id":"p","target":[{"reference":"#"}]}]}"##;
    assert_eq!(says(outward), Verdict::Holds);
    assert!(Expression::parse(text).is_ok());
}

pub(super) const CONTAINED: (&str, Release) = (
    "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()",
    Release::R4,
);
