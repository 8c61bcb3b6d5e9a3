//! What Rust's own `{:?}` and `{}` say of values made from a record: who logs one by mistake reveals nothing.

use std::fmt::Debug;

use ipt_fhir::client::{Client, Config};
use ipt_fhir::fhir::{Bundle, Resource};
use ipt_fhir::ipt::document;
use ipt_fhir::json::{self, Value, yaml};
use ipt_fhir::mapping::{self, Options, Policy};
use ipt_fhir::merge;
use ipt_fhir::phi::Phi;
use ipt_fhir::sandbox;
use ipt_fhir::store::{self, Operation, Shadow, State, Store, Verb, digest};
use ipt_fhir::sync::{self, client_digest, patient_marks};

use super::front::{Answer, Front, To};
use super::token::{STEM, canary, leak, with};

#[track_caller]
fn dull(value: &dyn Debug) {
    assert_eq!(leak(&format!("{value:?}")), None);
    assert_eq!(leak(&format!("{value:#?}")), None);
}

/// An error, in both forms and with all that it says to have caused it.
#[track_caller]
fn dull_error(error: &dyn std::error::Error) {
    dull(&error);
    let mut next = Some(error);
    while let Some(error) = next {
        assert_eq!(leak(&error.to_string()), None);
        next = error.source();
    }
}

#[test]
fn a_record_and_what_is_made_of_it_print_no_text() {
    let record = canary("all-fields.json");
    let document = document::parse(record.to_text().as_bytes()).unwrap();
    dull(&record);
    dull(&document);
    dull(&document.plan.client);
    dull(&document.plan.goals);
    dull(&document.plan.sessions);
    for policy in [Policy::minimum(), Policy::full()] {
        let mapped = mapping::to_fhir(&document.plan, &Options { policy, ..Options::default() });
        dull(&mapped);
        dull(&mapped.report(&document.source));
        let resources: Vec<Resource> =
            mapped.resources.iter().map(|mapped| mapped.resource.clone()).collect();
        for resource in &resources {
            dull(&resource.object());
            let edited = resource.clone().with(ipt_fhir::object! { "language" => STEM });
            let changes = merge::changes(resource, &edited);
            assert!(!changes.is_empty());
            dull(&changes);
            assert!(changes.iter().all(|change| leak(&change.to_string()).is_none()));
        }
        let bundle = mapped.into_transaction();
        dull(&bundle);
        let read = mapping::from_fhir(&Bundle::from_resource(bundle).unwrap(), None);
        dull(&read);
    }
}

#[test]
fn errors_print_no_text() {
    let record = canary("all-fields.json");
    let wrong = with(&record, "/goals/0/status", Value::String(STEM.into()));
    for text in [wrong.to_text(), format!("{{\"format\": \"{STEM}"), format!("a: !{STEM} {STEM}")] {
        let error = document::parse(text.as_bytes()).unwrap_err();
        dull_error(&error);
        assert!(error.issues().iter().all(|issue| leak(&issue.to_string()).is_none()));
    }
    dull_error(
        &json::parse(format!("{{\"{STEM} 1\": 1, \"{STEM} 1\": \"").as_bytes()).unwrap_err(),
    );
    dull_error(&yaml::read(&format!("{STEM}: *{STEM}")).unwrap_err());
    let resource = |text: &str| Resource::parse(text.as_bytes());
    dull_error(&resource(&format!("{{\"resourceType\": \"{STEM} 1\"}}")).unwrap_err());
    dull_error(&resource(&format!("{{\"resourceType\": \"{STEM}")).unwrap_err());
    let patient = format!("{{\"resourceType\": \"Patient\", \"id\": \"{STEM}\"}}");
    dull_error(&Bundle::from_resource(resource(&patient).unwrap()).unwrap_err());
    let empty = Bundle::new("collection", Vec::new());
    dull_error(&mapping::from_fhir(&empty, None).unwrap_err());
    dull_error(&STEM.parse::<ipt_fhir::fhir::ResourceId>().unwrap_err());
    dull_error(&format!("{STEM}://x").parse::<ipt_fhir::client::Base>().unwrap_err());
    dull_error(&ipt_fhir::date::PartialDate::parse(STEM).unwrap_err());
    dull_error(&ipt_fhir::date::DateTime::parse(STEM).unwrap_err());
}

#[tokio::test]
async fn the_store_prints_no_text_and_its_files_are_their_owners() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).await.unwrap();
    let patient = format!(
        r#"{{"resourceType":"Patient","id":"p","name":[{{"family":"{STEM}0001"}}],
            "identifier":[{{"system":"urn:x","value":"{STEM}0002"}}]}}"#
    );
    let patient = Resource::parse(patient.as_bytes()).unwrap();
    let link = store::Link {
        ehr: "here".to_owned(),
        base_url: "http://127.0.0.1:1/fhir".to_owned(),
        plan: digest(&format!("{STEM}0003")),
        record: Phi::new(format!("/{STEM}0004.json").into()),
        client: digest(STEM),
        patient: "Patient/p".parse().unwrap(),
        practitioner: None,
        patient_marks: patient_marks(&patient),
        linked_at: jiff::Timestamp::UNIX_EPOCH,
    };
    dull(&link);
    store.link(&link).await.unwrap();
    dull(&store);
    let operation = Operation {
        item: uuid::Uuid::nil(),
        verb: Verb::Create,
        body: patient.clone(),
        local: patient.clone(),
        state: State::InFlight,
        attempt: 1,
        waited_until: jiff::Timestamp::UNIX_EPOCH,
        seen: None,
        searched: false,
    };
    dull(&operation);
    let writer = store.writer("here").await.unwrap();
    dull(&writer);
    writer.begin(&link.plan, &[operation]).await.unwrap();
    let shadow = Shadow {
        item: uuid::Uuid::max(),
        id: link.patient.clone(),
        base_version: Some("1".to_owned()),
        base: patient.clone(),
        local: Some(patient),
        held: None,
    };
    dull(&shadow);
    writer.acknowledge(&link.plan, &[shadow]).await.unwrap();
    dull(&store.ledger("here", &link.plan).await.unwrap());
    // With the log of what is being written beside it.
    super::exchange::is_private(&path);
    assert!(path.join("ipt-fhir.sqlite-wal").exists());
    let other = store::Link { patient: "Patient/q".parse().unwrap(), ..link };
    dull_error(&store.link(&other).await.unwrap_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_and_a_run_came_to_prints_no_text() {
    let patient = format!(
        r#"{{"resourceType":"Patient","id":"p","name":[{{"family":"{STEM}0001"}}],"birthDate":"1990-01-01"}}"#
    );
    let patient = Resource::parse(patient.as_bytes()).unwrap();
    let seed = vec![patient.clone()];
    let config = sandbox::Config { seed, ..sandbox::Config::default() };
    let running = sandbox::Sandbox::start(config).await.unwrap();
    let front = Front::before(running.base_url());
    let client = Client::new(&Config::local(front.url().parse().unwrap()).unwrap()).unwrap();
    let id = "Patient/p".parse().unwrap();
    dull(&client.read(&id).await.unwrap());
    dull(&client.capabilities().await.unwrap());
    dull(&client.history(&id).await.unwrap());

    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    let record = canary("all-fields.json");
    let now = || jiff::Timestamp::UNIX_EPOCH;
    let ehr = sync::Ehr {
        name: "here",
        base_url: &front.url(),
        client: &client,
        store: &store,
        settle: std::time::Duration::ZERO,
        pack: None,
        overrides: &ipt_fhir::vendor::Overrides::default(),
        allow: &crate::sync::clinic::encounters(),
        hand_off: std::path::Path::new("/nonexistent"),
        now: &now,
    };
    let records = |record: &Value| {
        let plan = document::parse(record.to_text().as_bytes()).unwrap().plan;
        let mapped = mapping::to_fhir(&plan, &Options::default()).resources.into_iter();
        let resources: Vec<_> = mapped.map(|mapped| (mapped.item, mapped.resource)).collect();
        let link = store::Link {
            ehr: "here".to_owned(),
            base_url: front.url(),
            plan: digest(&plan.id),
            record: Phi::new("record.json".into()),
            client: client_digest(&resources),
            patient: "Patient/p".parse().unwrap(),
            practitioner: None,
            patient_marks: patient_marks(&patient),
            linked_at: jiff::Timestamp::UNIX_EPOCH,
        };
        [sync::Record::of_resources(link, digest(&plan.id), resources)]
    };
    let mut steps = Vec::new();
    let first = records(&record);
    dull(&first);
    dull(&ehr);
    store.link(&first[0].link).await.unwrap();
    dull(&sync::plan(&ehr, &first, &mut |step| steps.push(step)).await);
    let report = sync::apply(&ehr, &first, &mut |step| steps.push(step)).await.unwrap();
    dull(&report);
    assert_eq!(report.outcome(), sync::Outcome::Done);
    dull(&steps);
    assert!(steps.len() > 10);

    // Goals edited on both sides, and everything else in the EHR.
    for item in report.items() {
        let edited = running.get(item.id.as_ref().unwrap()).unwrap();
        let words = ipt_fhir::object! { "language" => STEM, "implicitRules" => STEM };
        running.put(edited.with(words)).unwrap();
    }
    let reworded = with(&record, "/goals/0/text", Value::String(format!("{STEM}0002")));
    let report = sync::apply(&ehr, &records(&reworded), &mut |_| {}).await.unwrap();
    assert_eq!(report.outcome(), sync::Outcome::Conflicts);
    dull(&report);

    let goal = || Resource::new("Goal").with(ipt_fhir::object! { "language" => STEM });
    for status in [200, 201, 302, 400, 401, 403, 404, 409, 412, 422, 500, 503] {
        for answer in [Answer::Outcome(status), Answer::Page(status), Answer::Truncate] {
            front.answers(To::All, answer);
            dull_error(&client.read(&id).await.unwrap_err());
            dull_error(&client.search("Goal", &[("status", "active")]).await.unwrap_err());
            dull_error(&client.update(&id, &patient, "1").await.unwrap_err());
            match client.create(&goal(), None).await {
                Ok(created) => dull(&created),
                Err(error) => dull_error(&error),
            }
        }
        if status < 500 {
            front.answers(To::All, Answer::Outcome(status));
            dull(&sync::apply(&ehr, &records(&reworded), &mut |_| {}).await.unwrap());
        }
    }
    running.stop().await.unwrap();
}
