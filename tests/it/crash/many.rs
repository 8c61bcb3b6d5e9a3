//! A hundred records in one EHR by one store: each resource once, then silence, then only what changed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ipt_fhir::client::{Base, Client, Config as ClientConfig};
use ipt_fhir::fhir::Resource;
use ipt_fhir::ipt::document;
use ipt_fhir::json::{Number, Value};
use ipt_fhir::mapping::{Options, Policy, to_fhir};
use ipt_fhir::phi::Phi;
use ipt_fhir::sandbox::{Config, Sandbox};
use ipt_fhir::store::{Link, Store, digest};
use ipt_fhir::sync::{
    Done, Ehr, ItemState, Outcome, Record, Report, apply, client_digest, patient_marks,
};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use super::eyes::{Expected, Eyes};
use super::{hapis, tell};
use crate::store::moment;
use crate::support::any_record::{any_choices, record_of};

const RECORDS: usize = 100;

/// Records by chance, the same ones in each run, each with a plan id of its own.
fn records() -> Vec<Value> {
    let mut runner = TestRunner::deterministic();
    let record = |number| {
        let choices = any_choices().new_tree(&mut runner).unwrap().current();
        let mut record = record_of(&choices);
        let id = Value::String(format!("plan-{number}"));
        record.as_object_mut().unwrap().insert("id", id);
        restrict(&mut record);
        record
    };
    (0..RECORDS).map(record).collect()
}

/// Leaves out what a valid record may say and a validating server refuses.
fn restrict(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(restrict),
        // R4 allows an exponent to any decimal; HAPI 8.8's validator knows none after a zero.
        Value::Number(_) if value.to_text() == "0E0" => {
            *value = Value::Number(Number::from_text("0").unwrap());
        }
        Value::Object(object) => {
            // A Range that ends before it begins breaks rng-2. No rule of the record forbids such weeks.
            let weeks = |name: &str| {
                let number = object.get(name).filter(|value| matches!(value, Value::Number(_)));
                number.map(|number| number.to_text().parse::<f64>().unwrap())
            };
            if let (Some(least), Some(most)) = (weeks("min"), weeks("max"))
                && most < least
            {
                object.remove("max");
            }
            // An Organization has no `home` telecom (org-3). No rule forbids it to a member of the team.
            if object.get("organization").is_some()
                && let Some(Value::Array(telecom)) = object.get_mut("telecom")
            {
                for one in telecom.iter_mut().filter_map(Value::as_object_mut) {
                    one.remove("use");
                }
            }
            object.iter_mut().for_each(|(_, value)| restrict(value));
        }
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

struct Archive {
    base_url: String,
    client: Client,
    eyes: Eyes,
    store: Store,
    namespace: Uuid,
    expected: Vec<Expected>,
    bystander: String,
    settle: Duration,
    _directory: tempfile::TempDir,
}

impl Archive {
    async fn open(base_url: &str, settle: Duration, records: &[Value]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let base: Base = base_url.parse().unwrap();
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
            client: Client::new(&ClientConfig::local(base).unwrap()).unwrap(),
            bystander: eyes.new_patient().await,
            eyes,
            store: Store::open(&directory.path().join("store")).await.unwrap(),
            namespace,
            expected,
            settle,
            _directory: directory,
        }
    }

    async fn apply(&self, records: &[Value]) -> Report {
        let mut linked = Vec::new();
        for (record, expected) in records.iter().zip(&self.expected) {
            let resources = mapped(record, self.namespace);
            let id = expected.patient.parse().unwrap();
            let patient = self.client.read(&id).await.unwrap();
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
            linked.push(Record { plan: link.plan.clone(), link, resources });
        }
        let started = Instant::now();
        let now = move || moment() + started.elapsed();
        let ehr = Ehr {
            name: "ehr",
            base_url: &self.base_url,
            client: &self.client,
            store: &self.store,
            settle: self.settle,
            max_entries: None,
            max_conditional_entries: None,
            now: &now,
        };
        apply(&ehr, &linked, &mut |_| {}).await.unwrap()
    }

    /// What the EHR holds of each record; everything but the words is checked.
    async fn seen(&self) -> Vec<super::eyes::Seen> {
        let mut seen = Vec::new();
        for some in self.expected.chunks(20) {
            seen.extend(self.eyes.look(some, &self.bystander).await);
        }
        seen
    }
}

/// The records of which a run did something with a resource; every resource must be in sync.
fn touched(report: &Report, done: Done) -> BTreeSet<usize> {
    for (number, record) in report.records.iter().enumerate() {
        for item in &record.items {
            assert_eq!(item.state, ItemState::InSync, "{number} {item:?}");
            assert!(item.done.is_none_or(|one| one == done), "{number} {item:?}");
        }
    }
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    let is_touched =
        |number: &usize| report.records[*number].items.iter().any(|item| item.done.is_some());
    (0..report.records.len()).filter(is_touched).collect()
}

async fn each_once_then_silence_then_what_changed(base_url: &str, settle: Duration) {
    let mut records = records();
    let archive = Archive::open(base_url, settle, &records).await;
    let started = Instant::now();
    let first = archive.apply(&records).await;
    tell(&format!("{} resources in {:?}", first.items().count(), started.elapsed()));
    assert_eq!(touched(&first, Done::Created).len(), RECORDS);
    assert!(first.items().all(|item| item.done == Some(Done::Created)));
    let created = archive.seen().await;

    let second = archive.apply(&records).await;
    assert_eq!(touched(&second, Done::Updated), BTreeSet::new());
    assert_eq!(archive.seen().await, created, "a second run writes nothing");

    let has_goal = |number: &usize| records[*number].pointer("/goals/0/text").is_some();
    let changed: BTreeSet<usize> = (0..RECORDS).filter(has_goal).step_by(5).take(10).collect();
    assert_eq!(changed.len(), 10);
    for number in &changed {
        let text = records[*number].pointer_mut("/goals/0/text").unwrap();
        *text = Value::String("Meet an old friend".to_owned());
    }
    let third = archive.apply(&records).await;
    assert_eq!(touched(&third, Done::Updated), changed);
    let updated = archive.seen().await;
    let differs = |number: &usize| updated[*number] != created[*number];
    assert_eq!((0..RECORDS).filter(differs).collect::<BTreeSet<_>>(), changed);
    for number in changed {
        assert!(updated[number].words.iter().any(|words| words.contains("Meet an old friend")));
    }
    tell(&format!("all in {:?}", started.elapsed()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_records_are_each_there_once() {
    let ehr = Sandbox::start(Config::default()).await.unwrap();
    each_once_then_silence_then_what_changed(ehr.base_url(), Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_records_are_each_there_once_in_hapi() {
    for (name, base) in hapis() {
        tell(name);
        each_once_then_silence_then_what_changed(&base, Duration::from_secs(2)).await;
    }
}
