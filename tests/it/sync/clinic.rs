//! A clinic for tests: a sandbox EHR with two Patients, a store in a temporary directory, and made-up records.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipt_fhir::client::{Base, Client, Config as ClientConfig};
use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::json::Value;
use ipt_fhir::mapping::identity::ITEM_SYSTEM;
use ipt_fhir::phi::Phi;
use ipt_fhir::sandbox::{Behaviour, Config, Running, Sandbox};
use ipt_fhir::store::{Link, Store, digest};
use ipt_fhir::sync::{
    Ehr, ItemReport, ItemState, Outcome, Progress, Record, Report, apply, client_digest,
    patient_marks, plan,
};
use ipt_fhir::vendor::{Allow, Encounters, Overrides, Pack};
use tempfile::TempDir;
use uuid::Uuid;

use crate::store::moment;

pub(crate) struct Clinic {
    pub(crate) ehr: Running,
    pub(crate) base_url: String,
    pub(crate) directory: TempDir,
    pub(crate) settle: Duration,
    pub(crate) pack: Option<&'static Pack>,
    pub(crate) overrides: Overrides,
    pub(crate) allow: Allow,
}

pub(crate) fn parse(text: &str) -> Resource {
    Resource::parse(text.as_bytes()).unwrap()
}

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x8000 << 64 | number)
}

pub(crate) const CARE_PLAN: u128 = 1;
pub(crate) const GOAL: u128 = 2;
pub(crate) const OBJECTIVE: u128 = 3;
pub(crate) const CONDITION: u128 = 4;
pub(crate) const SESSION: u128 = 5;
pub(crate) const PROCEDURE: u128 = 6;
pub(crate) const PROGRESS: u128 = 7;
pub(crate) const APPOINTMENT: u128 = 8;
pub(crate) const TASK: u128 = 9;
pub(crate) const ANSWERS: u128 = 10;

/// The Patients of the clinic; the record is about the first.
pub(crate) fn patients() -> [Resource; 2] {
    let patient = |id: &str, number: &str| {
        parse(&format!(
            r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"urn:x:mrn","value":"{number}"}}],"birthDate":"1990-01-01"}}"#
        ))
    };
    [patient("first", "4711"), patient("second", "4712")]
}

/// A record with every kind of knot: a plan and a session, a goal and its progress, that refer to each other.
pub(crate) fn resources(goal: &str) -> Vec<(Uuid, Resource)> {
    let mut texts: BTreeMap<u128, String> = BTreeMap::new();
    let mut add = |number: u128, resource_type: &str, rest: &str| {
        let identifier = format!(r#"{{"system":"{ITEM_SYSTEM}","value":"{}"}}"#, uuid(number));
        let identifier = match resource_type {
            "QuestionnaireResponse" => identifier,
            _ => format!("[{identifier}]"),
        };
        let text =
            format!(r#"{{"resourceType":"{resource_type}","identifier":{identifier},{rest}}}"#);
        texts.insert(number, text);
    };
    let subject = r#""subject":{"reference":"urn:uuid:PATIENT"}"#;
    add(
        CARE_PLAN,
        "CarePlan",
        &format!(
            r#"{subject},"status":"active","intent":"plan","title":"IPT","author":{{"reference":"urn:uuid:THERAPIST"}},
            "addresses":[{{"reference":"urn:uuid:4"}}],"goal":[{{"reference":"urn:uuid:2"}},{{"reference":"urn:uuid:3"}}],
            "activity":[{{"outcomeReference":[{{"reference":"urn:uuid:5"}}],"progress":[{{"text":"one"}}]}}],
            "text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{goal} &amp; &quot;more&quot;</div>"}}"#
        ),
    );
    add(
        GOAL,
        "Goal",
        &format!(
            r#"{subject},"lifecycleStatus":"active","description":{{"text":"{goal}"}},"outcomeReference":[{{"reference":"urn:uuid:7"}}],
            "extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/goal-relationship","extension":[
              {{"url":"type","valueCodeableConcept":{{"text":"milestone"}}}},{{"url":"target","valueReference":{{"reference":"urn:uuid:3"}}}}]}}]"#
        ),
    );
    add(
        OBJECTIVE,
        "Goal",
        &format!(
            r#"{subject},"lifecycleStatus":"proposed","description":{{"text":"Call a friend"}}"#
        ),
    );
    add(CONDITION, "Condition", &format!(r#"{subject},"code":{{"text":"Depression"}}"#));
    add(
        SESSION,
        "Encounter",
        &format!(
            r#"{subject},"status":"finished","class":{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}},
            "reasonReference":[{{"reference":"urn:uuid:4"}}]"#
        ),
    );
    add(
        PROCEDURE,
        "Procedure",
        &format!(
            r#"{subject},"status":"completed","encounter":{{"reference":"urn:uuid:5"}},"basedOn":[{{"reference":"urn:uuid:1"}}],
            "performer":[{{"actor":{{"reference":"urn:uuid:THERAPIST"}}}}]"#
        ),
    );
    add(
        PROGRESS,
        "Observation",
        &format!(
            r#"{subject},"status":"final","code":{{"text":"progress"}},"focus":[{{"reference":"urn:uuid:2"}}],
            "valueQuantity":{{"value":11.0}}"#
        ),
    );
    add(
        APPOINTMENT,
        "Appointment",
        r#""status":"booked","start":"2026-04-01T10:00:00Z","end":"2026-04-01T11:00:00Z",
        "participant":[{"actor":{"reference":"urn:uuid:PATIENT"},"status":"accepted"}],"supportingInformation":[{"reference":"urn:uuid:1"}]"#,
    );
    add(
        TASK,
        "Task",
        r#""status":"requested","intent":"plan","for":{"reference":"urn:uuid:PATIENT"},"basedOn":[{"reference":"urn:uuid:1"}]"#,
    );
    add(
        ANSWERS,
        "QuestionnaireResponse",
        &format!(
            r#"{subject},"status":"completed","questionnaire":"https://ipt-fhir.org/fhir/Questionnaire/x|1.0""#
        ),
    );
    let mut resources = vec![
        (uuid(100), parse(r#"{"resourceType":"Patient","active":true}"#)),
        (
            uuid(101),
            parse(
                r#"{"resourceType":"Practitioner","name":[{"family":"Frank","given":["Ellen"]}]}"#,
            ),
        ),
    ];
    for (number, text) in texts {
        let mut text = text
            .replace("urn:uuid:PATIENT", &format!("urn:uuid:{}", uuid(100)))
            .replace("urn:uuid:THERAPIST", &format!("urn:uuid:{}", uuid(101)));
        for target in 1..=10 {
            text = text.replace(
                &format!("\"urn:uuid:{target}\""),
                &format!("\"urn:uuid:{}\"", uuid(target)),
            );
        }
        resources.push((uuid(number), parse(&text)));
    }
    resources
}

/// What the sandbox needs, which has no visits of its own.
pub(crate) fn encounters() -> Allow {
    Allow { encounters: Some(Encounters::Create), ..Allow::default() }
}

pub(crate) fn quiet() -> impl FnMut(Progress) + Send + Sync {
    |_| {}
}

impl Clinic {
    pub(crate) async fn open() -> Self {
        Self::with(Behaviour::default()).await
    }

    /// What has no transactions takes resources one by one.
    pub(crate) async fn with(behaviour: Behaviour) -> Self {
        Self::of(behaviour, false).await
    }

    /// A server that may be sent batches where it has no transactions.
    pub(crate) async fn of(behaviour: Behaviour, batches: bool) -> Self {
        let seed = patients().to_vec();
        let mut overrides = Overrides::default();
        if !behaviour.transactions && !batches {
            overrides.add("system", "-batch").unwrap();
        }
        let ehr = Sandbox::start(Config { seed, behaviour, ..Config::default() }).await.unwrap();
        let base_url = ehr.base_url().to_owned();
        let directory = tempfile::tempdir().unwrap();
        let settle = Duration::ZERO;
        Self { ehr, base_url, directory, settle, pack: None, overrides, allow: encounters() }
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.directory.path().join("store")).await.unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        let base: Base = self.base_url.parse().unwrap();
        Client::new(&ClientConfig::local(base).unwrap()).unwrap()
    }

    /// The made-up record, its goal worded like this, linked to the first Patient.
    pub(crate) async fn record(&self, store: &Store, goal: &str) -> Record {
        self.record_of(store, resources(goal)).await
    }

    pub(crate) async fn record_of(
        &self,
        store: &Store,
        resources: Vec<(Uuid, Resource)>,
    ) -> Record {
        let link = Link {
            ehr: "clinic".into(),
            base_url: self.base_url.clone(),
            plan: digest("the plan"),
            record: Phi::new("record.json".into()),
            client: client_digest(&resources),
            patient: "Patient/first".parse().unwrap(),
            practitioner: None,
            patient_marks: patient_marks(&patients()[0]),
            linked_at: moment(),
        };
        store.link(&link).await.unwrap();
        Record::of_resources(link.clone(), link.plan.clone(), resources)
    }

    /// Applies the record, worded like this, with a store that is opened for it.
    pub(crate) async fn apply(&self, goal: &str) -> Report {
        self.apply_watched(resources(goal), &mut quiet()).await
    }

    pub(crate) async fn apply_watched(
        &self,
        resources: Vec<(Uuid, Resource)>,
        progress: &mut (dyn FnMut(Progress) + Send + Sync),
    ) -> Report {
        let (store, client) = (self.store().await, self.client());
        let record = self.record_of(&store, resources).await;
        let started = Instant::now();
        let now = move || moment() + started.elapsed();
        apply(&self.way(&store, &client, &now), &[record], progress).await.unwrap()
    }

    /// Applies the record by another way to the same EHR.
    pub(crate) async fn apply_by(&self, way: &str, resources: Vec<(Uuid, Resource)>) -> Report {
        let base: Base = way.parse().unwrap();
        let client = Client::new(&ClientConfig::local(base).unwrap()).unwrap();
        let store = self.store().await;
        let record = self.record_of(&store, resources).await;
        let ehr = self.way(&store, &client, &moment);
        apply(&ehr, &[record], &mut quiet()).await.unwrap()
    }

    pub(crate) async fn plan(&self, goal: &str) -> Report {
        let (store, client) = (self.store().await, self.client());
        let record = self.record(&store, goal).await;
        plan(&self.way(&store, &client, &moment), &[record], &mut quiet()).await
    }

    pub(crate) fn way<'a>(
        &'a self,
        store: &'a Store,
        client: &'a Client,
        now: &'a (dyn Fn() -> jiff::Timestamp + Sync),
    ) -> Ehr<'a> {
        Ehr {
            name: "clinic",
            base_url: &self.base_url,
            client,
            store,
            settle: self.settle,
            pack: self.pack,
            overrides: &self.overrides,
            allow: &self.allow,
            hand_off: std::path::Path::new("/nonexistent"),
            now,
        }
    }

    /// The resources with the identifier of an item.
    pub(crate) fn copies(&self, item: u128) -> Vec<Resource> {
        let is_it = |resource: &Resource| {
            resource.identifier(ITEM_SYSTEM) == Some(uuid(item).to_string().as_str())
        };
        self.ehr.resources().into_iter().filter(is_it).collect()
    }

    pub(crate) fn one(&self, item: u128) -> Resource {
        let mut copies = self.copies(item);
        assert_eq!(copies.len(), 1, "item {item}");
        copies.remove(0)
    }

    pub(crate) fn id(&self, item: u128) -> ResourceId {
        id_of(&self.one(item))
    }

    /// Somebody at the EHR sets an element of a resource.
    pub(crate) fn edit(&self, item: u128, name: &'static str, value: &str) {
        let mut resource = self.one(item);
        resource.object_mut().insert(name, ipt_fhir::json::parse(value.as_bytes()).unwrap());
        self.ehr.put(resource).unwrap();
    }

    /// How many of the requests so far could have written.
    pub(crate) fn writing_requests(&self) -> usize {
        self.ehr.log().iter().filter(|logged| logged.method != "GET").count()
    }

    /// The state that every faultless run ends in, seen from the server: each item once, complete and resolved.
    pub(crate) fn assert_complete(&self, goal: &str) {
        let ids: BTreeMap<Uuid, ResourceId> =
            (1..=10).map(|item| (uuid(item), self.id(item))).collect();
        let ours = self.ehr.resources().len();
        assert_eq!(ours, 12, "two Patients and ten items");
        let care_plan = self.one(CARE_PLAN).to_value();
        let at =
            |pointer: &str| care_plan.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let id = |item: u128| Some(ids[&uuid(item)].to_string());
        assert_eq!(at("/subject/reference").as_deref(), Some("Patient/first"));
        assert_eq!(at("/activity/0/outcomeReference/0/reference"), id(SESSION));
        assert_eq!(at("/activity/0/progress/0/text").as_deref(), Some("one"));
        assert_eq!(at("/goal/0/reference"), id(GOAL));
        assert_eq!(at("/author/display").as_deref(), Some("Ellen Frank"));
        let resource = self.one(GOAL).to_value();
        let at =
            |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        assert_eq!(at("/description/text").as_deref(), Some(goal));
        assert_eq!(at("/outcomeReference/0/reference"), id(PROGRESS));
        assert_eq!(at("/extension/0/extension/1/valueReference/reference"), id(OBJECTIVE));
        let text = self.ehr.resources().iter().map(Resource::to_text).collect::<String>();
        assert!(!text.contains("urn:uuid"), "everything is resolved");
    }

    /// A second run sends no write and has nothing to say.
    pub(crate) async fn assert_quiet(&self, goal: &str) {
        let before = self.writing_requests();
        let report = self.apply(goal).await;
        assert_eq!(self.writing_requests(), before, "a second run writes nothing");
        assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
        assert_eq!(report.items().count(), 10);
        assert!(report.items().all(|item| item.state == ItemState::InSync), "{report:?}");
        let ledger = self.store().await.ledger("clinic", &digest("the plan")).await.unwrap();
        assert_eq!(ledger.operations, []);
        assert_eq!(ledger.shadows.len(), 10);
    }
}

pub(crate) fn id_of(resource: &Resource) -> ResourceId {
    ResourceId::new(resource.resource_type(), resource.id().unwrap()).unwrap()
}

/// What a report says of an item.
pub(crate) fn item(report: &Report, number: u128) -> &ItemReport {
    report.items().find(|item| item.item == uuid(number)).unwrap()
}
