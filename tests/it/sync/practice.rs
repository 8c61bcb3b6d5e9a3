//! A practice for tests of the ladder: John Lee's record and a sandbox EHR that takes more or less of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipt_fhir::client::{Base, Client, Config as ClientConfig};
use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::ipt::{Plan, document};
use ipt_fhir::mapping::identity::Identity;
use ipt_fhir::mapping::{Options, to_fhir};
use ipt_fhir::phi::Phi;
use ipt_fhir::sandbox::{Behaviour, Config, Running, Sandbox};
use ipt_fhir::store::{Link, ReferenceLink, Store, digest};
use ipt_fhir::sync::{Ehr, Progress, Record, Report, apply, client_digest, patient_marks, plan};
use ipt_fhir::vendor::{Allow, Overrides, Pack, Rung};
use tempfile::TempDir;
use uuid::Uuid;

use super::clinic::{parse, quiet};
use crate::store::moment;

pub(crate) const RECORD: &str = include_str!("../../../fixtures/ipt/john-lee-in-treatment.json");

pub(crate) struct Practice {
    pub(crate) ehr: Running,
    pub(crate) directory: TempDir,
    pub(crate) pack: Option<&'static Pack>,
    pub(crate) allow: Allow,
    pub(crate) plan: Plan,
    pub(crate) options: Options,
    /// Where requests go, if not straight to the EHR.
    pub(crate) way: Option<String>,
    pub(crate) references: Vec<ReferenceLink>,
}

/// The Patient of the record, and another one.
pub(crate) fn patients() -> Vec<Resource> {
    let patient = |id: &str, number: &str, family: &str| {
        parse(&format!(
            r#"{{"resourceType":"Patient","id":"{id}","active":true,"identifier":[{{"system":"urn:x:mrn","value":"{number}"}}],
            "name":[{{"family":"{family}","given":["John"]}}],"birthDate":"1990-01-01"}}"#
        ))
    };
    vec![patient("john", "4711", "Lee"), patient("other", "4712", "Li")]
}

/// Everything below structure that may be allowed.
pub(crate) fn all_rungs() -> Allow {
    Allow::every_rung()
}

impl Practice {
    pub(crate) async fn open(behaviour: Behaviour) -> Self {
        let seed = patients();
        let ehr = Sandbox::start(Config { seed, behaviour, ..Config::default() }).await.unwrap();
        Self {
            ehr,
            directory: tempfile::tempdir().unwrap(),
            pack: None,
            allow: all_rungs(),
            plan: document::parse(RECORD.as_bytes()).unwrap().plan,
            options: Options::default(),
            way: None,
            references: Vec::new(),
        }
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.directory.path().join("store")).await.unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        let base: Base = self.way.as_deref().unwrap_or(self.ehr.base_url()).parse().unwrap();
        Client::new(&ClientConfig::local(base).unwrap()).unwrap()
    }

    fn link(&self) -> Link {
        let mapped = to_fhir(&self.plan, &self.options).resources;
        let resources: Vec<(Uuid, Resource)> =
            mapped.into_iter().map(|one| (one.item, one.resource)).collect();
        Link {
            ehr: "practice".into(),
            base_url: self.ehr.base_url().to_owned(),
            plan: digest(&self.plan.id),
            record: Phi::new("record.json".into()),
            client: client_digest(&resources),
            patient: "Patient/john".parse().unwrap(),
            practitioner: None,
            patient_marks: patient_marks(&patients()[0]),
            linked_at: moment(),
        }
    }

    /// Links a session's visit, or another item, with a resource of the EHR.
    pub(crate) fn refer(&mut self, local: &str, target: &str) {
        let target: ResourceId = target.parse().unwrap();
        let resource = self.ehr.get(&target).unwrap();
        let link = self.link();
        self.references.push(ReferenceLink {
            ehr: link.ehr.clone(),
            plan: link.plan.clone(),
            item: Identity::new(&self.plan.id, None).item(local),
            marks: ipt_fhir::sync::reference_marks(&resource),
            target,
            linked_at: moment(),
        });
    }

    pub(crate) async fn apply(&self) -> Report {
        Box::pin(self.run(true, &mut quiet(), |_| {})).await
    }

    pub(crate) async fn preview(&self) -> Report {
        Box::pin(self.run(false, &mut quiet(), |_| {})).await
    }

    /// Applies the record while somebody watches who may interfere.
    pub(crate) async fn apply_watched(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send + Sync),
    ) -> Report {
        Box::pin(self.run(true, progress, |_| {})).await
    }

    /// Applies the record after somebody changed what was made of it.
    pub(crate) async fn apply_changed(&self, change: impl FnOnce(&mut Record)) -> Report {
        Box::pin(self.run(true, &mut quiet(), change)).await
    }

    async fn run(
        &self,
        writes: bool,
        progress: &mut (dyn FnMut(Progress) + Send + Sync),
        change: impl FnOnce(&mut Record),
    ) -> Report {
        let store = self.store().await;
        let mut link = self.link();
        let mut therapists = self.references.iter().map(|one| &one.target);
        link.practitioner = therapists.rfind(|id| id.resource_type() == "Practitioner").cloned();
        store.link(&link).await.unwrap();
        store.link_references(&link, &self.references).await.unwrap();
        let mut record = Record::new(link, &self.plan, &self.options, self.references.clone());
        change(&mut record);
        let client = self.client();
        let started = Instant::now();
        let now = move || moment() + started.elapsed();
        let packages = self.directory.path().join("packages");
        let ehr = Ehr {
            name: "practice",
            base_url: self.ehr.base_url(),
            client: &client,
            store: &store,
            settle: Duration::ZERO,
            pack: self.pack,
            overrides: &Overrides::default(),
            allow: &self.allow,
            hand_off: &packages,
            now: &now,
        };
        let report = if writes {
            apply(&ehr, &[record], progress).await.unwrap()
        } else {
            plan(&ehr, &[record], progress).await
        };
        store.close().await.unwrap();
        report
    }

    /// What the EHR holds of a type.
    pub(crate) fn of_type(&self, resource_type: &str) -> Vec<Resource> {
        let mut all = self.ehr.resources();
        all.retain(|resource| resource.resource_type() == resource_type);
        all
    }

    /// How many of each type the EHR holds beside Patients.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for resource in self.ehr.resources() {
            if resource.resource_type() != "Patient" {
                *counts.entry(resource.resource_type().to_owned()).or_default() += 1;
            }
        }
        counts
    }

    pub(crate) fn writing_requests(&self) -> usize {
        self.ehr.log().iter().filter(|logged| logged.method != "GET").count()
    }

    /// A second run writes nothing.
    pub(crate) async fn assert_quiet(&self) -> Report {
        let before = self.writing_requests();
        let report = self.apply().await;
        assert_eq!(self.writing_requests(), before, "{report:?}");
        report
    }
}

/// The rungs of a report's only record.
pub(crate) fn rungs(report: &Report) -> Vec<Rung> {
    report.records[0].placements.iter().map(|placed| placed.rung).collect()
}
