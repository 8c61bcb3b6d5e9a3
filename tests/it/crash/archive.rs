//! Records by chance, or chosen, linked to new Patients of an EHR, and synced with it by the library.

use std::time::{Duration, Instant};

use ipt_fhir::client::{Authorization, Base, Client, Config as ClientConfig};
use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::ipt::document;
use ipt_fhir::json::{Number, Value};
use ipt_fhir::mapping::{Options, Policy, to_fhir};
use ipt_fhir::phi::Phi;
use ipt_fhir::store::{Link, Store, digest};
use ipt_fhir::sync::{Ehr, Record, Report, apply, client_digest, patient_marks};
use ipt_fhir::vendor::{Allow, Overrides, Pack};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use super::eyes::{Expected, Eyes, Seen};
use crate::store::moment;
use crate::support::any_record::{any_choices, record_of};

/// Records by chance, the same ones in each run, each with a plan id of its own.
pub(crate) fn records(count: usize) -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    let record = |number| {
        let choices = any_choices().new_tree(&mut runner).unwrap().current();
        let mut record = record_of(&choices);
        let id = Value::String(format!("plan-{number}"));
        record.as_object_mut().unwrap().insert("id", id);
        restrict(&mut record);
        record
    };
    (0..count).map(record).collect()
}

/// Leaves out what a valid record may say and a validating server refuses.
fn restrict(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(restrict),
        // R4 allows an exponent to any decimal; HAPI 8.8's validator knows none after a zero.
        Value::Number(_) if value.to_text() == "0E0" => {
            *value = Value::Number(Number::from_text("0").unwrap());
        }
        Value::Object(object) => object.iter_mut().for_each(|(_, value)| restrict(value)),
        _ => {}
    }
}

/// What a record becomes, less the persons, whom a person linked.
fn mapped(record: &Value, namespace: Uuid) -> Vec<(Uuid, Resource)> {
    let document = document::parse(record.to_text().as_bytes());
    let document = document.unwrap_or_else(|error| panic!("{:#?}", error.issues()));
    let options =
        Options { policy: Policy::full(), namespace: Some(namespace), ..Options::default() };
    let mapped = to_fhir(&document.plan, &options).resources.into_iter();
    mapped.map(|mapped| (mapped.item, mapped.resource)).collect()
}

/// Records and the EHR that they go to.
pub(crate) struct Archive {
    base_url: String,
    client: Client,
    direct: Client,
    pub(crate) eyes: Eyes,
    store: Store,
    namespace: Uuid,
    pub(crate) expected: Vec<Expected>,
    bystander: String,
    settle: Duration,
    pack: Option<&'static Pack>,
    overrides: Overrides,
    allow: Allow,
    _directory: tempfile::TempDir,
}

fn client(base_url: &str) -> Client {
    let base: Base = base_url.parse().unwrap();
    // A peer on a busy machine may be slow, and what is counted here is not how often it was.
    let config = ClientConfig::new(base, Duration::from_mins(3), Authorization::None).unwrap();
    Client::new(&config).unwrap()
}

impl Archive {
    pub(crate) async fn open(base_url: &str, settle: Duration, records: &[Value]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (eyes, namespace) = (Eyes::new(base_url), Uuid::new_v4());
        let mut expected = Vec::new();
        for record in records {
            let patient = eyes.new_patient().await;
            let items = mapped(record, namespace)
                .into_iter()
                .map(|(item, resource)| (item, resource.resource_type().to_owned()))
                .filter(|(_, one)| !matches!(one.as_str(), "Patient" | "Practitioner"));
            expected.push(Expected { patient, items: items.collect() });
        }
        Self {
            base_url: base_url.to_owned(),
            client: client(base_url),
            direct: client(base_url),
            bystander: eyes.new_patient().await,
            eyes,
            store: Store::open(&directory.path().join("store")).await.unwrap(),
            namespace,
            expected,
            settle,
            pack: None,
            overrides: Overrides::default(),
            allow: crate::sync::clinic::encounters(),
            _directory: directory,
        }
    }

    /// The same records by another way to the same EHR, of which this may be known.
    pub(crate) fn by(self, way: &str, pack: Option<&'static Pack>) -> Self {
        Self { base_url: way.to_owned(), client: client(way), pack, ..self }
    }

    /// Leaves out of what is expected what an EHR does not take.
    pub(crate) fn without(mut self, types: &[String]) -> Self {
        for expected in &mut self.expected {
            expected.items.retain(|(_, resource_type)| !types.contains(resource_type));
        }
        self
    }

    pub(crate) async fn apply(&self, records: &[Value]) -> Report {
        let mut linked = Vec::new();
        for (record, expected) in records.iter().zip(&self.expected) {
            let resources = mapped(record, self.namespace);
            let id = expected.patient.parse().unwrap();
            let patient = self.direct.read(&id).await.unwrap();
            let link = Link {
                client: client_digest(&resources),
                ehr: "ehr".into(),
                base_url: self.base_url.clone(),
                plan: digest(record.text("id").unwrap()),
                record: Phi::new("record.json".into()),
                patient: id,
                practitioner: None,
                patient_marks: patient_marks(&patient.resource),
                linked_at: moment(),
            };
            self.store.link(&link).await.unwrap();
            linked.push(Record::of_resources(link.clone(), link.plan.clone(), resources));
        }
        let started = Instant::now();
        let now = move || moment() + started.elapsed();
        let ehr = Ehr {
            name: "ehr",
            base_url: &self.base_url,
            client: &self.client,
            store: &self.store,
            settle: self.settle,
            pack: self.pack,
            overrides: &self.overrides,
            allow: &self.allow,
            hand_off: std::path::Path::new("/nonexistent"),
            now: &now,
        };
        apply(&ehr, &linked, &mut |_| {}).await.unwrap()
    }

    /// Somebody at the EHR sets an element of a resource.
    pub(crate) async fn edit(&self, id: &ResourceId, name: &'static str, value: &str) {
        let mut found = self.direct.read(id).await.unwrap();
        let value = ipt_fhir::json::parse(value.as_bytes()).unwrap();
        found.resource.object_mut().insert(name, value);
        let version = found.version.unwrap();
        self.direct.update(id, &found.resource, &version).await.unwrap();
    }

    /// What the EHR holds of each record; everything but the words is checked.
    pub(crate) async fn seen(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for some in self.expected.chunks(20) {
            seen.extend(self.eyes.look(some, &self.bystander).await);
        }
        seen
    }
}
