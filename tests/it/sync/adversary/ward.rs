//! A server with two Patients, and the two records that go there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ipt_fhir::client::{Base, Client, Config as ClientConfig};
use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::ipt::document;
use ipt_fhir::json::{self, Value};
use ipt_fhir::mapping::identity::{ITEM_SYSTEM, Identity};
use ipt_fhir::mapping::{Options, note, to_fhir};
use ipt_fhir::phi::Phi;
use ipt_fhir::sandbox::{Behaviour, Config, Ids, Personality, Quirks, Running, Sandbox};
use ipt_fhir::store::{Link, ReferenceLink, Store, digest};
use ipt_fhir::sync::{
    Ehr, Outcome, Progress, Record, Report, Stop, apply, client_digest, patient_marks,
    reference_marks,
};
use ipt_fhir::vendor::{Allow, Encounters, Overrides, Pack, Rung};
use tempfile::TempDir;
use uuid::Uuid;

use super::super::clinic::{SESSION, encounters, id_of, parse, patients, quiet, resources, uuid};
use super::super::practice::RECORD;
use super::super::wrong_patient::{of_second, resources_of_second};
use super::checker::Judge;
use super::event::{Event, Moment, Planned};
use crate::store::moment;

/// What a server is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// All of FHIR.
    Whole,
    /// The same, and its ids are numbers.
    Counting,
    /// Batches and no transactions.
    Batches,
    /// One resource after another.
    Single,
    /// No search by identifier.
    Listing,
    /// `If-Match` is not looked at.
    Careless,
    /// Epic.
    Epic,
    /// Oracle Health.
    Oracle,
    /// Documents and nothing else.
    Poor,
}

impl Server {
    pub(super) const ALL: [Self; 9] = [
        Self::Whole,
        Self::Counting,
        Self::Batches,
        Self::Single,
        Self::Listing,
        Self::Careless,
        Self::Epic,
        Self::Oracle,
        Self::Poor,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Counting => "counting",
            Self::Batches => "batches",
            Self::Single => "single",
            Self::Listing => "listing",
            Self::Careless => "careless",
            Self::Epic => "epic",
            Self::Oracle => "oracle",
            Self::Poor => "poor",
        }
    }

    /// Whether our resources are found among all of the Patient's.
    pub(super) const fn lists(self) -> bool {
        matches!(self, Self::Listing | Self::Epic | Self::Oracle | Self::Poor)
    }

    const fn personality(self) -> Option<Personality> {
        match self {
            Self::Epic => Some(Personality::Epic),
            Self::Oracle => Some(Personality::Oracle),
            Self::Poor => Some(Personality::Poor),
            _ => None,
        }
    }

    fn behaviour(self) -> Behaviour {
        let all = Behaviour::default();
        match self {
            Self::Whole => all,
            Self::Counting => Behaviour { ids: Ids::Counting, ..all },
            Self::Batches => Behaviour { transactions: false, ..all },
            Self::Single => Behaviour { transactions: false, batches: false, ..all },
            Self::Listing => Behaviour { search_by_identifier: false, ..all },
            Self::Careless => {
                Behaviour { quirks: Quirks { ignores_if_match: true, ..Quirks::default() }, ..all }
            }
            Self::Epic | Self::Oracle | Self::Poor => self.personality().map_or(all, Behaviour::of),
        }
    }
}

/// How many resources a made-up record has beside its ten.
const MORE: usize = 24;

pub(super) struct Ward {
    server: Server,
    ehr: Running,
    client: Client,
    /// One that both records share, or one for each.
    stores: Vec<Store>,
    _directories: Vec<TempDir>,
    pack: Option<&'static Pack>,
    allow: Allow,
    judge: Judge,
    /// What was judged before the server forgot it.
    judged: u64,
    /// How many requests had come when the event happened.
    happened: Mutex<Option<u64>>,
}

/// The Patient of a record.
fn patient(which: usize) -> ResourceId {
    ["Patient/first", "Patient/second"][which].parse().unwrap()
}

/// A Patient as a server has them that wants an active one.
fn seeded(which: usize) -> Resource {
    let mut patient = patients()[which].clone();
    patient.object_mut().put("active", true);
    patient
}

/// The visits of a record's sessions.
fn visits(which: usize) -> [(&'static str, Resource); 2] {
    let visit = |name: &str, start: &str| {
        let patient = patient(which);
        parse(&format!(
            r#"{{"resourceType":"Encounter","id":"{name}-{which}","status":"finished","class":{{"code":"AMB"}},
            "subject":{{"reference":"{patient}"}},"period":{{"start":"{start}"}}}}"#
        ))
    };
    [
        ("session-4", visit("four", "2026-02-23T15:00:00Z")),
        ("session-5", visit("five", "2026-03-02T15:00:00Z")),
    ]
}

impl Ward {
    pub(super) async fn open(server: Server, is_parallel: bool) -> Self {
        let mut seed = vec![seeded(0), seeded(1)];
        seed.extend((0..2).flat_map(visits).map(|(_, visit)| visit));
        let behaviour = server.behaviour();
        let ehr = Sandbox::start(Config { seed, behaviour, ..Config::default() }).await.unwrap();
        let base: Base = ehr.base_url().parse().unwrap();
        let client = Client::new(&ClientConfig::local(base).unwrap()).unwrap();
        let (mut stores, mut directories) = (Vec::new(), Vec::new());
        for _ in 0..=usize::from(is_parallel) {
            let directory = tempfile::tempdir().unwrap();
            stores.push(Store::open(&directory.path().join("store")).await.unwrap());
            directories.push(directory);
        }
        let notes = Allow {
            rungs: [Rung::Document].into(),
            encounters: Some(Encounters::Link),
            ..Allow::default()
        };
        let slots = |which| {
            let (plan, options) = (plan(which, 0), Options::default());
            note::notes(&plan, &options).iter().map(|note| note.slot).collect::<BTreeSet<Uuid>>()
        };
        Self {
            server,
            client,
            stores,
            _directories: directories,
            pack: server.personality().and_then(Personality::pack),
            allow: if server.personality().is_some() { notes } else { encounters() },
            judge: Judge { patients: [patient(0), patient(1)], slots: [slots(0), slots(1)] },
            judged: 0,
            happened: Mutex::default(),
            ehr,
        }
    }

    fn store(&self, which: usize) -> &Store {
        self.stores.get(which).unwrap_or(&self.stores[0])
    }

    /// A record as it is at a step, linked.
    async fn record(&self, which: usize, step: usize) -> Record {
        let store = self.store(which);
        let link = |plan: &str, resources: &[(Uuid, Resource)]| Link {
            ehr: "ward".into(),
            base_url: self.ehr.base_url().into(),
            plan: digest(plan),
            record: Phi::new("record.json".into()),
            client: client_digest(resources),
            patient: patient(which),
            practitioner: None,
            patient_marks: patient_marks(&seeded(which)),
            linked_at: moment(),
        };
        if self.server.personality().is_none() {
            let resources = made_up(which, step);
            let link = link(["one", "two"][which], &resources);
            store.link(&link).await.unwrap();
            return Record::of_resources(link.clone(), link.plan.clone(), resources);
        }
        let (plan, options) = (plan(which, step), Options::default());
        let mapped = to_fhir(&plan, &options).resources;
        let resources: Vec<_> = mapped.into_iter().map(|one| (one.item, one.resource)).collect();
        let link = link(&plan.id, &resources);
        store.link(&link).await.unwrap();
        let references: Vec<ReferenceLink> = visits(which)
            .into_iter()
            .map(|(local, visit)| ReferenceLink {
                ehr: link.ehr.clone(),
                plan: link.plan.clone(),
                item: Identity::new(&plan.id, None).item(local),
                target: id_of(&visit),
                marks: reference_marks(&visit),
                linked_at: moment(),
            })
            .collect();
        store.link_references(&link, &references).await.unwrap();
        Record::new(link, &plan, &options, references)
    }

    /// One change of both records, and their runs.
    pub(super) async fn step(&mut self, step: usize, planned: &Planned) {
        let records = [self.record(0, step).await, self.record(1, step).await];
        let is_now = planned.step == step;
        if is_now && planned.moment == Moment::Before {
            if matches!(planned.event, Event::Restored | Event::RestoredPatients) {
                self.judged += self.judge.judge(&self.ehr, None).0;
            }
            if planned.event == Event::LinkChanged {
                let link = &records[planned.victim].link;
                let other = Link { patient: patient(1 - planned.victim), ..link.clone() };
                // Where something was written, only the same Patient can be confirmed anew.
                let later = link.linked_at + Duration::from_mins(1);
                let again = Link { linked_at: later, ..link.clone() };
                let store = self.store(planned.victim);
                if store.link(&other).await.is_err() {
                    store.link(&again).await.unwrap();
                }
            }
            self.happen(planned);
        }
        let reports = if self.stores.len() == 1 {
            self.in_turn(&records, planned, is_now).await.records
        } else {
            self.at_once(&records).await
        };
        let stopped = &reports[planned.victim].stopped;
        let was_before = planned.step < step || (is_now && planned.moment == Moment::Before);
        // A short run has no 25th look.
        let has_happened = self.happened.lock().unwrap().is_some();
        if was_before && has_happened && planned.event.ends_the_record() {
            assert!(stopped.is_some(), "{planned:?} {stopped:?}");
        }
        if was_before && is_now && planned.event == Event::LinkChanged {
            assert_eq!(*stopped, Some(Stop::LinkChanged));
        }
    }

    fn way<'a>(
        &'a self,
        which: usize,
        overrides: &'a Overrides,
        now: &'a (dyn Fn() -> jiff::Timestamp + Sync),
    ) -> Ehr<'a> {
        Ehr {
            name: "ward",
            base_url: self.ehr.base_url(),
            client: &self.client,
            store: self.store(which),
            settle: Duration::ZERO,
            pack: self.pack,
            overrides,
            allow: &self.allow,
            hand_off: Path::new("/nonexistent"),
            now,
        }
    }

    /// Both records in one run, while somebody watches for the moment.
    async fn in_turn(&self, records: &[Record; 2], planned: &Planned, is_now: bool) -> Report {
        let (overrides, started) = (Overrides::default(), Instant::now());
        let now = move || moment() + started.elapsed();
        let (mut looked, mut written) = (0, 0);
        let mut watch = |progress: Progress| {
            let is_it = match progress {
                Progress::LookingUp { .. } => {
                    looked += 1;
                    planned.moment == Moment::Looking(looked)
                }
                Progress::Writing { .. } => {
                    written += 1;
                    planned.moment == Moment::Writing(written)
                }
                _ => false,
            };
            if is_now && is_it {
                self.happen(planned);
            }
        };
        apply(&self.way(0, &overrides, &now), records, &mut watch).await.unwrap()
    }

    /// Each record from its own machine, at the same time.
    async fn at_once(&self, records: &[Record; 2]) -> Vec<ipt_fhir::sync::RecordReport> {
        let (overrides, started) = (Overrides::default(), Instant::now());
        let now = move || moment() + started.elapsed();
        let (here, there) = (self.way(0, &overrides, &now), self.way(1, &overrides, &now));
        let (mut quiet_here, mut quiet_there) = (quiet(), quiet());
        let (one, two) = tokio::join!(
            apply(&here, &records[..1], &mut quiet_here),
            apply(&there, &records[1..], &mut quiet_there)
        );
        one.unwrap().records.into_iter().chain(two.unwrap().records).collect()
    }

    /// It happens.
    fn happen(&self, planned: &Planned) {
        *self.happened.lock().unwrap() = Some(self.ehr.faults().seen());
        let (victim, other) = (patient(planned.victim), patient(1 - planned.victim));
        let set = |name: &'static str, value: &str| {
            let mut patient = seeded(planned.victim);
            patient.object_mut().insert(name, json::parse(value.as_bytes()).unwrap());
            self.ehr.put(patient).unwrap();
        };
        let theirs = || {
            let mut all = self.ehr.resources();
            let of = |one: &Resource| one.get("subject")?.text("reference").map(str::to_owned);
            all.retain(|one| of(one).as_deref() == Some(&victim.to_string()));
            all.iter().map(id_of).collect::<Vec<_>>()
        };
        match planned.event {
            Event::Nothing | Event::LinkChanged => {}
            Event::Merge => assert!(self.ehr.merge(&victim, &other)),
            Event::Inactive => set("active", "false"),
            Event::Deceased => set("deceasedDateTime", r#""2026-01-01""#),
            Event::Renumbered => {
                let numbers = seeded(1 - planned.victim).get("identifier").map(Value::to_text);
                set("identifier", &numbers.unwrap());
            }
            Event::Reassigned => {
                let all = theirs();
                self.ehr.reassign(&all[planned.choice % all.len()], &other);
            }
            Event::VisitsReassigned => {
                for id in theirs().iter().filter(|id| id.resource_type() == "Encounter") {
                    self.ehr.reassign(id, &other);
                }
            }
            Event::Restored | Event::RestoredPatients => self.restore(planned),
            Event::IgnoredPatient => {
                let behaviour = self.ehr.behaviour();
                let quirks = Quirks { ignores_patient: true, ..behaviour.quirks.clone() };
                self.ehr.behave(Behaviour { quirks, ..behaviour });
            }
            Event::Broken(method, fault) => {
                for _ in 0..2 + planned.choice % 3 * 2 {
                    self.ehr.faults().next(method, fault);
                }
            }
        }
    }

    /// The server is empty but for Patients, and under the ids of the victim's resources are the other's.
    fn restore(&self, planned: &Planned) {
        let old = self.ehr.resources();
        self.ehr.wipe();
        for which in 0..2 {
            let mut patient = seeded(which);
            if planned.event == Event::RestoredPatients && which == planned.victim {
                let number = json::parse(br#"[{"system":"urn:x:mrn","value":"9999"}]"#).unwrap();
                patient.object_mut().insert("identifier", number);
            }
            self.ehr.put(patient).unwrap();
        }
        for one in old.iter().filter(|one| one.resource_type() != "Patient") {
            let mut again = of_second(one.resource_type(), one.id().unwrap());
            let subject = format!(r#"{{"reference":"{}"}}"#, patient(1 - planned.victim));
            again.object_mut().insert("subject", json::parse(subject.as_bytes()).unwrap());
            self.ehr.put(again).unwrap();
        }
    }

    /// What went wrong is over: the next runs bring everything, once.
    pub(super) async fn calm(&mut self, planned: &Planned) {
        self.ehr.faults().clear();
        self.ehr.behave(self.server.behaviour());
        let records = [self.record(0, super::STEPS).await, self.record(1, super::STEPS).await];
        let mut reports = Vec::new();
        for _ in 0..3 {
            reports = match self.stores.len() {
                1 => self.in_turn(&records, planned, false).await.records,
                _ => self.at_once(&records).await,
            };
        }
        assert!(reports.iter().all(|report| report.stopped.is_none()), "{planned:?} {reports:?}");
        if self.server.personality().is_none() && self.server != Server::Careless {
            let report = Report { records: reports, ..Report::default() };
            assert_eq!(report.outcome(), Outcome::Done, "{planned:?} {report:?}");
            assert_eq!(
                self.ehr.resources().len(),
                2 + 4 + 2 * (10 + MORE),
                "each once: {planned:?}"
            );
        }
    }

    /// Nothing is misfiled, and nothing was sent for a record after its Patient was not theirs any more.
    pub(super) fn check(&mut self, planned: &Planned) {
        let happened = *self.happened.lock().unwrap();
        let is_writing = matches!(planned.moment, Moment::Writing(_));
        let race = happened.filter(|_| is_writing).map(|seen| seen + 1);
        let (judged, last) = self.judge.judge(&self.ehr, race);
        self.judged += judged;
        if let Some(seen) = happened.filter(|_| planned.event.ends_the_record()) {
            let most = seen + u64::from(is_writing);
            let last = last[planned.victim];
            assert!(last <= most, "written after {planned:?}: request {last} of {most}");
        }
    }

    pub(super) fn writes(&self) -> u64 {
        assert!(self.judged >= self.ehr.writes(), "{} {}", self.judged, self.ehr.writes());
        self.ehr.writes()
    }
}

/// The made-up record of one client or the other, every resource of it changed at each step.
fn made_up(which: usize, step: usize) -> Vec<(Uuid, Resource)> {
    let goal = format!("Goal {step}");
    let mut resources = match which {
        0 => resources(&goal),
        _ => resources_of_second(&goal),
    };
    let named = |number: u128| {
        let item = uuid(number).to_string();
        if which == 0 { item } else { item.replace("-8000-", "-8001-") }
    };
    // Many more of one kind, each in the session; they stay as they are.
    for number in (200..).take(MORE) {
        let (item, patient, session) = (named(number), named(100), named(SESSION));
        let text = format!(
            r#"{{"resourceType":"Observation","identifier":[{{"system":"{ITEM_SYSTEM}","value":"{item}"}}],
            "status":"final","code":{{"text":"mood {number}"}},"subject":{{"reference":"urn:uuid:{patient}"}},
            "encounter":{{"reference":"urn:uuid:{session}"}}}}"#
        );
        resources.push((item.parse().unwrap(), parse(&text)));
    }
    for (_, resource) in resources.iter_mut().take(2 + 10) {
        resource.object_mut().put("language", format!("en-x-step{step}"));
    }
    resources
}

/// John Lee's record, or that of his twin, whose words are the same.
fn plan(which: usize, step: usize) -> ipt_fhir::ipt::Plan {
    let mut plan = document::parse(RECORD.as_bytes()).unwrap().plan;
    plan.id.push_str(["", "-twin"][which]);
    plan.title = format!("{} ({step})", plan.title);
    // Where a server keeps no identifier of a diagnosis, its words tell the checker whose it is.
    plan.diagnoses[0].text.push_str([" -8000-0000-", " -8001-0000-"][which]);
    plan
}
