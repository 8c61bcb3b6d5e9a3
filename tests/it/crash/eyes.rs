//! What a server holds and what a store's file holds, seen without the library: plain HTTP, plain SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use uuid::Uuid;

const ITEM: &str = "https://ipt-fhir.org/fhir/sid/item";

/// What must be there of a record: its Patient, and its items with their types, in an order that never changes.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) patient: String,
    pub(crate) items: Vec<(Uuid, String)>,
}

/// What was there of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The words of each resource; ids are written as the place of the item, so that two servers can be compared.
    pub(crate) words: Vec<String>,
    /// Type and id of each resource, with its version.
    pub(crate) versions: BTreeMap<String, String>,
}

/// A reader of a FHIR server.
#[derive(Clone)]
pub(crate) struct Eyes {
    http: reqwest::Client,
    base: String,
}

impl Eyes {
    pub(crate) fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, base: base.to_owned() }
    }

    /// Makes a Patient; `Patient/ID`.
    pub(crate) async fn new_patient(&self) -> String {
        let number = Uuid::new_v4();
        let identifier = json!([{"system": "urn:x:mrn", "value": number.to_string()}]);
        let patient = json!({"resourceType": "Patient", "identifier": identifier});
        let url = format!("{}/Patient", self.base);
        let request = self.http.post(url).header("content-type", "application/fhir+json");
        let answer = request.body(patient.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        format!("Patient/{}", made["id"].as_str().unwrap())
    }

    /// Deletes a resource: `Type/ID`.
    pub(crate) async fn delete(&self, place: &str) {
        let answer = self.http.delete(format!("{}/{place}", self.base)).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    pub(crate) async fn get(&self, url: &str) -> Value {
        let request = self.http.get(url).header("cache-control", "no-cache");
        let answer = request.header("accept", "application/fhir+json").send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{url} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// All matches of a search, on all its pages.
    async fn search(&self, query: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut next = Some(format!("{}/{query}&_count=200", self.base));
        let mut total = None;
        while let Some(url) = next {
            let mut page = self.get(&url).await;
            total = total.or(page["total"].as_u64());
            if let Some(entries) = page["entry"].as_array_mut() {
                found.extend(entries.iter_mut().map(|entry| entry["resource"].take()));
            }
            let links = page["link"].as_array().cloned().unwrap_or_default();
            let link = links.into_iter().find(|link| link["relation"] == "next");
            next = link.map(|link| link["url"].as_str().unwrap().to_owned());
        }
        // Medplum gives no next links.
        assert!(total.is_none_or(|total| total <= found.len() as u64), "{query}: a part of them");
        found
    }

    /// The version of each resource that is there about the Patients of some records.
    pub(crate) async fn versions(&self, expected: &[Expected]) -> BTreeMap<String, String> {
        let types: BTreeSet<&str> = expected.iter().flat_map(Expected::types).collect();
        let patients: Vec<&str> = expected.iter().map(|one| one.patient.as_str()).collect();
        let found = self.about(&patients, &types).await;
        found.iter().map(|one| (place_of(one), version_of(one))).collect()
    }

    /// All that is there about some Patients, of the types that records become.
    async fn about(&self, patients: &[&str], types: &BTreeSet<&str>) -> Vec<Value> {
        let mut found = Vec::new();
        for resource_type in types {
            for some in patients.chunks(8) {
                let query = format!("{resource_type}?patient={}", some.join(","));
                found.extend(self.search(&query).await);
            }
        }
        found
    }

    /// Looks at records in the EHR, and says all that is not as it must be: each item once and of its type, nothing
    /// else about these Patients nor about one who has no record, none of it about anybody else, and no reference
    /// that leads out of its record.
    pub(crate) async fn look(&self, expected: &[Expected], bystander: &str) -> Vec<Seen> {
        let types: BTreeSet<&str> = expected.iter().flat_map(Expected::types).collect();
        let mut patients: Vec<&str> = expected.iter().map(|one| one.patient.as_str()).collect();
        patients.push(bystander);
        let mut by_item: BTreeMap<Uuid, Value> = BTreeMap::new();
        for resource in self.about(&patients, &types).await {
            let item = item_of(&resource);
            let item = item.unwrap_or_else(|| panic!("nobody's: {resource}"));
            assert!(by_item.insert(item, resource).is_none(), "{item} is there twice");
        }
        let items = || expected.iter().flat_map(|record| &record.items);
        let wanted: BTreeSet<Uuid> = items().map(|(item, _)| *item).collect();
        assert_eq!(
            by_item.keys().copied().collect::<BTreeSet<_>>(),
            wanted,
            "items of the records"
        );
        for resource_type in types {
            let of_type = items().filter(|(_, other)| other == resource_type);
            let tokens: Vec<String> = of_type.map(|(item, _)| format!("{ITEM}%7C{item}")).collect();
            for chunk in tokens.chunks(20) {
                let query = format!("{resource_type}?identifier={}", chunk.join(","));
                let found = self.search(&query).await;
                assert_eq!(found.len(), chunk.len(), "{resource_type}, whoever it is about");
            }
        }
        expected.iter().map(|record| record.seen(&by_item)).collect()
    }
}

impl Expected {
    fn types(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|(_, resource_type)| resource_type.as_str())
    }

    /// This record's part of what was found.
    fn seen(&self, by_item: &BTreeMap<Uuid, Value>) -> Seen {
        let mut names = BTreeMap::from([(self.patient.clone(), "the Patient".to_owned())]);
        let mut versions = BTreeMap::new();
        for (place, (item, resource_type)) in self.items.iter().enumerate() {
            let resource = &by_item[item];
            assert_eq!(resource["resourceType"], resource_type.as_str());
            names.insert(place_of(resource), format!("{resource_type} {place}"));
            versions.insert(place_of(resource), version_of(resource));
        }
        let words = self.items.iter().map(|(item, _)| {
            let mut resource = by_item[item].clone();
            let mut subjects = 0;
            rename(&mut resource, &names, &mut subjects);
            assert!(subjects > 0, "{item} is about nobody");
            words(resource, &self.items)
        });
        Seen { words: words.collect(), versions }
    }
}

fn place_of(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap().to_owned();
    format!("{}/{}", text("resourceType"), text("id"))
}

fn version_of(resource: &Value) -> String {
    resource["meta"]["versionId"].as_str().unwrap().to_owned()
}

fn item_of(resource: &Value) -> Option<Uuid> {
    let identifiers = match &resource["identifier"] {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let ours = identifiers.iter().find(|identifier| identifier["system"] == ITEM)?;
    ours["value"].as_str()?.parse().ok()
}

/// Names what references lead to; one that leads to nothing of the record is wrong.
fn rename(value: &mut Value, names: &BTreeMap<String, String>, subjects: &mut u32) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| rename(one, names, subjects)),
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("reference")
                && !reference.starts_with('#')
            {
                *subjects += u32::from(reference.starts_with("Patient/"));
                let name = names.get(reference);
                *reference = name.unwrap_or_else(|| panic!("{reference} leads nowhere")).clone();
            }
            object.values_mut().for_each(|one| rename(one, names, subjects));
        }
        _ => {}
    }
}

/// The words of a resource, less what a server says of its own version.
fn words(mut resource: Value, items: &[(Uuid, String)]) -> String {
    let object = resource.as_object_mut().unwrap();
    object.remove("id");
    if let Some(meta) = object.get_mut("meta").and_then(Value::as_object_mut) {
        for name in ["versionId", "lastUpdated", "source"] {
            meta.remove(name);
        }
        for labels in ["tag", "security", "profile"] {
            if let Some(Value::Array(list)) = meta.get_mut(labels) {
                list.sort_by_key(Value::to_string);
            }
        }
        if meta.is_empty() {
            object.remove("meta");
        }
    }
    resource.sort_all_objects();
    let mut text = resource.to_string();
    for (place, (item, _)) in items.iter().enumerate() {
        text = text.replace(&item.to_string(), &format!("item {place}"));
    }
    text
}

/// What a copy of the store says, as its process left it: that it is whole, and how many operations are open.
pub(crate) async fn open_operations(store: &Path) -> i64 {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(store).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let file = copy.path().join("ipt-fhir.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    let ask = async |connection: &mut sqlx::SqliteConnection, sql: &'static str| {
        sqlx::query(sql).fetch_all(connection).await.unwrap()
    };
    let whole = ask(&mut connection, "PRAGMA integrity_check").await;
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].get::<String, _>(0), "ok");
    assert!(ask(&mut connection, "PRAGMA foreign_key_check").await.is_empty());
    let open = ask(&mut connection, "SELECT count(*) FROM operation").await;
    let open = open[0].get(0);
    connection.close().await.unwrap();
    open
}
