//! The records of `fixtures/ipt`, mapped in full, against the sandbox and against HAPI.
//!
//! `IPT_FHIR_TEST_HAPI` names the base URL of a HAPI server (R4); without it the sandbox alone is used.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ipt_fhir::client::{Base, Client, Config};
use ipt_fhir::fhir::ResourceId;
use ipt_fhir::mapping::{Options, Policy, to_fhir};
use ipt_fhir::phi::Phi;
use ipt_fhir::sandbox::Sandbox;
use ipt_fhir::store::{Link, Store, digest};
use ipt_fhir::sync::{
    Done, Ehr, ItemState, Outcome, Progress, Record, Report, apply, patient_marks,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::clinic::parse;
use crate::store::moment;
use crate::support::{record, record_names};

/// One record in one EHR.
struct Course {
    base_url: String,
    client: Client,
    directory: TempDir,
    patient: ResourceId,
    marks: Vec<String>,
    /// Keeps the identifiers apart from those of an earlier run against the same server.
    namespace: Uuid,
    name: String,
}

impl Course {
    async fn open(base_url: &str, name: &str) -> Self {
        let namespace = Uuid::new_v4();
        let base: Base = base_url.parse().unwrap();
        let client = Client::new(&Config::local(base).unwrap()).unwrap();
        let patient = parse(&format!(
            r#"{{"resourceType":"Patient","identifier":[{{"system":"urn:x:mrn","value":"{namespace}"}}]}}"#
        ));
        let id = client.create(&patient, None).await.unwrap().id.unwrap();
        let marks = patient_marks(&patient);
        let directory = tempfile::tempdir().unwrap();
        let base_url = base_url.to_owned();
        Self { base_url, client, directory, patient: id, marks, namespace, name: name.to_owned() }
    }

    /// Applies the record and counts the requests that write.
    async fn apply(&self) -> (Report, usize) {
        let store = Store::open(&self.directory.path().join("store")).await.unwrap();
        let document = record(&self.name);
        let options = Options {
            policy: Policy::full(),
            namespace: Some(self.namespace),
            ..Options::default()
        };
        let mapped = to_fhir(&document.plan, &options);
        let link = Link {
            ehr: "ehr".into(),
            base_url: self.base_url.clone(),
            plan: digest("plan"),
            record: Phi::new("record.json".into()),
            patient: self.patient.clone(),
            practitioner: None,
            patient_marks: self.marks.clone(),
            linked_at: moment(),
        };
        store.link(&link).await.unwrap();
        let resources =
            mapped.resources.into_iter().map(|mapped| (mapped.item, mapped.resource)).collect();
        let record = Record { plan: link.plan.clone(), link, resources };
        let started = Instant::now();
        let now = move || moment() + started.elapsed();
        let ehr = Ehr {
            name: "ehr",
            base_url: &self.base_url,
            client: &self.client,
            store: &store,
            settle: Duration::from_secs(2),
            now: &now,
        };
        let writes = AtomicUsize::new(0);
        let report = apply(&ehr, &[record], &mut |progress| {
            if matches!(progress, Progress::Writing { .. }) {
                writes.fetch_add(1, Ordering::Relaxed);
            }
        })
        .await
        .unwrap();
        (report, writes.into_inner())
    }
}

fn all(report: &Report, done: Option<Done>) -> bool {
    report.items().all(|item| item.done == done && item.state == ItemState::InSync)
}

async fn created_once_quiet_after_and_found_again(base_url: &str) {
    for name in record_names() {
        let course = Course::open(base_url, &name).await;
        let (first, writes) = course.apply().await;
        assert_eq!(first.outcome(), Outcome::Done, "{name} {first:?}");
        assert!(all(&first, Some(Done::Created)) && writes == 1, "{name} {first:?}");
        assert!(first.items().count() > 3);
        for item in first.items() {
            assert_eq!(item.stored_otherwise, [], "{name} {}", item.resource_type);
        }
        let (second, writes) = course.apply().await;
        assert!(all(&second, None) && writes == 0, "{name} {second:?}");
        std::fs::remove_dir_all(course.directory.path().join("store")).unwrap();
        let goal = first.items().find(|item| item.resource_type == "Goal").unwrap();
        let mut edited = course.client.read(goal.id.as_ref().unwrap()).await.unwrap();
        edited.resource.object_mut().put("lifecycleStatus", "on-hold");
        let version = edited.version.unwrap();
        course.client.update(&edited.id, &edited.resource, &version).await.unwrap();
        let (third, writes) = course.apply().await;
        assert_eq!(writes, 0);
        for item in third.items() {
            assert_eq!(item.done, Some(Done::Adopted), "{name}");
            if item.item == goal.item {
                assert!(matches!(item.state, ItemState::RemoteChanged(_)), "{name} {item:?}");
            } else {
                assert_eq!(item.state, ItemState::InSync, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn every_record_is_created_once_in_the_sandbox() {
    let sandbox = Sandbox::start(ipt_fhir::sandbox::Config::default()).await.unwrap();
    created_once_quiet_after_and_found_again(sandbox.base_url()).await;
}

#[tokio::test]
async fn every_record_is_created_once_in_hapi() {
    match hapi() {
        Some(base_url) => created_once_quiet_after_and_found_again(&base_url).await,
        None => {
            println!("left out: sync of every record with HAPI (IPT_FHIR_TEST_HAPI is not set)")
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "where a test's peer is, only the environment knows")]
fn hapi() -> Option<String> {
    std::env::var("IPT_FHIR_TEST_HAPI").ok().filter(|base| !base.is_empty())
}
