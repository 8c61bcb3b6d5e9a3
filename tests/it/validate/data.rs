//! The verdicts of the HL7 reference engine on the patient data at hand, and ours beside them.
//!
//! The data is not ours, so it lies outside (`IPT_FHIR_TEST_DATA`). What the engine said of it stands in
//! `fixtures/suite/data.json`: of each document with errors, how many there are at which element (an expression without
//! indexes, so that a Bundle of thousands stays small); of the others, their number. `data-known.json` names what
//! differs, with its reason: documents with another verdict (`SET DOCUMENT`), and elements at which a set has more or fewer
//! errors (`SET at ELEMENT`). It may only become shorter: `IPT_FHIR_UPDATE=1` writes it.
//!
//! Where the engine itself is at hand (`IPT_FHIR_TEST_VALIDATOR`), a sample shows that the record is still what it says; with
//! `IPT_FHIR_UPDATE=1` it is asked about all and the record written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::read::MultiGzDecoder;
use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Limits, Object, Value};
use ipt_fhir::validate::definitions::Package;
use ipt_fhir::validate::shared::Shared;
use ipt_fhir::validate::suite::run::errors as errors_of;
use ipt_fhir::validate::suite::{Files, known::Known, normalised, usual};

use super::suite::{hold, unpack, updates};
use crate::support::{fixtures, is_of_kind, shared_folder};

/// The sets: where each lies, and the package with which it is judged beside the base.
const SETS: [(&str, &str, Option<&str>); 6] = [
    ("synthea-1000", "data/synthea-1000.ndjson.gz", None),
    ("carebundle", "data/carebundle-bulk-ndjson", None),
    ("pysynthea", "data/pysynthea-uscore-bundles", None),
    ("synthea-bundles", "data/synthea-r4-transaction-bundles", None),
    ("us-core", "data/us-core-examples", None),
    ("us-core-8.0.0", "data/us-core-examples", Some("fhir/packages/us_core_800.tgz")),
];

/// Of each document with errors: how many are at which element.
type Places = BTreeMap<String, u64>;

/// What is recorded of a set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Record {
    /// How many documents it has.
    documents: u64,
    /// Those with errors, by their key.
    errors: BTreeMap<String, Places>,
}

/// An expression without marks and indexes.
fn element(expression: &str) -> String {
    let mut is_inside = false;
    let mut text = normalised(expression);
    text.retain(|character| {
        is_inside = is_inside && character != ']' || character == '[';
        !is_inside && character != ']'
    });
    text
}

fn places<'a>(expressions: impl IntoIterator<Item = &'a str>) -> Places {
    let mut places = Places::new();
    for expression in expressions {
        *places.entry(element(expression)).or_default() += 1;
    }
    places
}

#[test]
fn elements_have_neither_marks_nor_indexes() {
    for (expression, plain) in [
        (
            "Bundle.entry[12].resource/*Patient/p1*/.name[0].given[1]",
            "Bundle.entry.resource.name.given",
        ),
        ("Observation.value.ofType(Quantity).code", "Observation.value.code"),
        ("Patient.extension[0][url='a(b)c'].value[x]", "Patient.extension.value"),
        ("Patient", "Patient"),
    ] {
        assert_eq!(element(expression), plain);
    }
}

// ---- The documents ----

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// The documents of a file by their keys. A file of NDJSON has one a line, named by its number; a Bundle is named by the end of the name
/// of its file, which begins with that of a person.
fn documents_of(path: &Path, is_alone: bool, documents: &mut Files) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let bytes = if is_of_kind(name, "gz") { gunzip(&bytes) } else { bytes };
    let stem = name.trim_end_matches(".gz").trim_end_matches(".json");
    if let Some(stem) = stem.strip_suffix(".ndjson") {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).zip(1..);
        for (line, number) in lines {
            let key = if is_alone { format!("{number:04}") } else { format!("{stem}-{number:04}") };
            documents.insert(key, line.to_vec());
        }
    } else {
        documents.insert(stem.rsplit('_').next().unwrap().to_owned(), bytes);
    }
}

/// The documents of a set by their keys, if it is at hand.
fn documents(place: &str) -> Option<Files> {
    let (folder, file) = match place.rsplit_once('/') {
        Some((folder, file)) if is_of_kind(file, "gz") => (folder, Some(file)),
        _ => (place, None),
    };
    let folder = shared_folder(folder)?;
    let mut documents = Files::new();
    if let Some(file) = file {
        documents_of(&folder.join(file), true, &mut documents);
        return Some(documents);
    }
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    // What an export logs of itself is no resource.
    let is_data = |path: &&PathBuf| !path.to_string_lossy().ends_with("-log.ndjson");
    for path in paths.iter().filter(is_data) {
        documents_of(path, false, &mut documents);
    }
    Some(documents)
}

// ---- The record ----

impl Record {
    fn of_json(value: &Value) -> Self {
        let of_places = |value: &Value| {
            let count =
                |(place, count): (&str, &Value)| (place.to_owned(), count.as_u64().unwrap());
            value.as_object().unwrap().iter().map(count).collect()
        };
        let errors = value.get("errors").and_then(Value::as_object).unwrap();
        Self {
            documents: value.get("documents").and_then(Value::as_u64).unwrap(),
            errors: errors.iter().map(|(key, value)| (key.to_owned(), of_places(value))).collect(),
        }
    }

    fn to_json(&self) -> Value {
        let mut errors = Object::new();
        for (key, places) in &self.errors {
            let mut object = Object::new();
            for (place, count) in places {
                object.put(place.clone(), *count);
            }
            errors.insert(key.clone(), Value::Object(object));
        }
        let mut object = Object::new();
        object.put("documents", self.documents);
        object.insert("errors", Value::Object(errors));
        Value::Object(object)
    }

    /// How many errors the set has at each element.
    fn places(&self) -> Places {
        let mut all = Places::new();
        for (place, count) in self.errors.values().flatten() {
            *all.entry(place.clone()).or_default() += count;
        }
        all
    }

    /// What differs of another, by the names under which it is known.
    fn differences(&self, other: &Self, set: &str) -> BTreeSet<String> {
        let keys = self.errors.keys().chain(other.errors.keys());
        let verdicts = keys
            .filter(|key| self.errors.contains_key(*key) != other.errors.contains_key(*key))
            .map(|key| format!("{set} {key}"));
        let (here, there) = (self.places(), other.places());
        let elements = here
            .keys()
            .chain(there.keys())
            .filter(|place| here.get(*place) != there.get(*place))
            .map(|place| format!("{set} at {place}"));
        verdicts.chain(elements).collect()
    }
}

fn recorded() -> BTreeMap<String, Record> {
    let bytes = std::fs::read(fixtures().join("suite/data.json")).unwrap();
    let value = json::parse_with(&bytes, Limits::BUNDLE).unwrap();
    let sets = value.as_object().unwrap().iter();
    sets.map(|(set, value)| (set.to_owned(), Record::of_json(value))).collect()
}

#[test]
fn what_differs_is_named_by_document_and_by_element() {
    let record = |errors: &[(&str, &[&str])]| Record {
        documents: 3,
        errors: errors
            .iter()
            .map(|(key, expressions)| ((*key).to_owned(), places(expressions.iter().copied())))
            .collect(),
    };
    let theirs = record(&[("1", &["A.b[0]", "A.b[1]"]), ("2", &["A"])]);
    let ours = record(&[("1", &["A.b[0]"]), ("3", &["A"])]);
    let differences = theirs.differences(&ours, "set");
    assert_eq!(differences.into_iter().collect::<Vec<_>>(), ["set 2", "set 3", "set at A.b"]);
    assert_eq!(Record::of_json(&theirs.to_json()), theirs);
}

// ---- Ours ----

/// Our verdicts on a set, judged as the engine judges it: references are not followed, unknown extensions are errors.
fn ours(documents: &Files, package: Option<&str>) -> Record {
    let core = Shared::core(Release::R4);
    let shared = match package {
        None => core,
        Some(package) => {
            let (folder, file) = package.rsplit_once('/').unwrap();
            let archive = std::fs::read(shared_folder(folder).unwrap().join(file)).unwrap();
            core.with_packages(vec![Package::from_files(unpack(&archive).unwrap())])
        }
    };
    let validator = shared.validator(usual());
    let keys: Vec<&String> = documents.keys().collect();
    let next = AtomicUsize::new(0);
    let errors = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = errors_of(&validator, &documents[*key]);
                    if !found.is_empty() {
                        let found = places(found.iter().map(|issue| issue.expression.as_str()));
                        errors.lock().unwrap().insert((*key).clone(), found);
                    }
                }
            });
        }
    });
    Record { documents: count(documents), errors: errors.into_inner().unwrap() }
}

fn count(documents: &Files) -> u64 {
    u64::try_from(documents.len()).unwrap()
}

/// The largest document that an unoptimised build looks at, in bytes: the Bundles of a megabyte and more would take minutes.
const LARGEST: usize = if cfg!(debug_assertions) { 700_000 } else { usize::MAX };

#[test]
fn verdicts_on_the_patient_data_are_those_that_are_known() {
    let recorded = recorded();
    let mut differences = BTreeSet::new();
    let (mut judged, mut left_out) = (0, 0);
    for (set, place, package) in SETS {
        let record = &recorded[set];
        let Some(mut documents) = documents(place) else {
            left_out += record.documents;
            continue;
        };
        assert_eq!(record.documents, count(&documents), "{set}: documents");
        documents.retain(|_, bytes| bytes.len() <= LARGEST);
        judged += count(&documents);
        left_out += record.documents - count(&documents);
        let errors = record.errors.clone().into_iter();
        let theirs = Record {
            documents: count(&documents),
            errors: errors.filter(|(key, _)| documents.contains_key(key)).collect(),
        };
        differences.extend(theirs.differences(&ours(&documents, package), set));
    }
    println!(
        "patient data: {judged} documents judged as the reference judges them, {left_out} left out"
    );
    // What was left out may be what is known to differ.
    if left_out > 0 {
        let path = fixtures().join("suite/data-known.json");
        let known = Known::read(&std::fs::read(path).unwrap()).unwrap();
        differences.extend(known.names().map(str::to_owned));
    }
    hold("data-known.json", &differences.iter().map(String::as_str).collect::<Vec<_>>());
}

// ---- The engine itself ----

/// What the engine says of these documents of a set.
fn engine(validator: &Path, documents: &Files, package: Option<&str>) -> Record {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(validator);
    command.args(["r4", "files"]);
    if let Some((folder, file)) = package.and_then(|package| package.rsplit_once('/')) {
        command.arg("--package").arg(shared_folder(folder).unwrap().join(file));
    }
    for (key, bytes) in documents {
        let path = folder.path().join(format!("{key}.json"));
        std::fs::write(&path, bytes).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    let mut errors = BTreeMap::new();
    let mut judged = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let verdict = json::parse_with(line.as_bytes(), Limits::BUNDLE).unwrap();
        let key = Path::new(verdict.text("id").unwrap()).file_stem().unwrap().to_str().unwrap();
        assert_eq!(verdict.text("throw"), None, "{key}");
        let found = verdict
            .items("issues")
            .filter(|issue| matches!(issue.text("severity"), Some("error" | "fatal")));
        let found = places(found.map(|issue| issue.text("expression").unwrap_or_default()));
        if !found.is_empty() {
            errors.insert(key.to_owned(), found);
        }
        judged += 1;
    }
    assert_eq!(judged, documents.len(), "every document was judged");
    Record { documents: count(documents), errors }
}

/// Some of the small documents with errors and some without; where all are large, the smallest.
fn sample(documents: Files, record: &Record) -> Files {
    let smallest = documents.iter().min_by_key(|(_, bytes)| bytes.len());
    let smallest = smallest.map(|(key, bytes)| (key.clone(), bytes.clone()));
    let (bad, good): (Files, Files) = documents
        .into_iter()
        .filter(|(_, bytes)| bytes.len() < 50_000)
        .partition(|(key, _)| record.errors.contains_key(key));
    let small: Files = bad.into_iter().take(4).chain(good.into_iter().take(2)).collect();
    if small.is_empty() { smallest.into_iter().collect() } else { small }
}

#[test]
fn the_record_is_what_the_engine_says() {
    let Some(validator) = std::env::var_os("IPT_FHIR_TEST_VALIDATOR") else {
        println!("left out: the HL7 reference engine (IPT_FHIR_TEST_VALIDATOR names its command)");
        return;
    };
    let validator = Path::new(&validator);
    if updates() {
        let mut object = Object::new();
        for (set, place, package) in SETS {
            let documents = documents(place).unwrap();
            object.insert(set, engine(validator, &documents, package).to_json());
        }
        let path = fixtures().join("suite/data.json");
        std::fs::write(path, Value::Object(object).to_pretty()).unwrap();
        return;
    }
    // One run for all sets without a package: the engine's start is what takes time.
    let recorded = recorded();
    let mut all = Files::new();
    let mut expected = BTreeMap::new();
    for (set, place, _) in SETS.iter().filter(|(.., package)| package.is_none()) {
        let Some(documents) = documents(place) else { continue };
        let record = &recorded[*set];
        for (key, bytes) in sample(documents, record) {
            let name = format!("{set}-{key}");
            expected.extend(record.errors.get(&key).map(|places| (name.clone(), places.clone())));
            all.insert(name, bytes);
        }
    }
    if !all.is_empty() {
        assert_eq!(engine(validator, &all, None).errors, expected);
    }
}
