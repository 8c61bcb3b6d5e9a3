//! `demo`: the main job from end to end, on this machine, with nothing to configure.
//!
//! It starts a sandbox EHR that has John Lee and his therapist, and does what a clinic would do: maps a record, shows
//! the plan, applies it, reads it back, runs again, and then changes something on both sides. Everything it says is
//! checked as it goes: a step that does not come out as told ends it with a failure.

use std::collections::BTreeMap;
use std::path::PathBuf;

use uuid::Uuid;

use super::super::clock;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{Done, Output};
use super::sync::report::{self, Detail};
use crate::client::{Client, Config};
use crate::fhir::{Bundle, Entry, Resource};
use crate::ipt::{Plan, document};
use crate::json::Value;
use crate::mapping::{self, policy};
use crate::object;
use crate::phi::Phi;
use crate::sandbox::{self, Running, Sandbox};
use crate::store::{Link, Store, digest};
use crate::sync::{self, Ehr, ItemReport, ItemState, Record, Report, client_digest, patient_marks};
use crate::vendor::{Allow, Encounters, Overrides};

/// A course of therapy under way, as `fixtures/ipt` has it.
pub(super) const RECORD: &str = include_str!("../../../fixtures/ipt/john-lee-in-treatment.json");

/// What the EHR knows before anything is synced.
const PATIENT: &str = r#"{"resourceType":"Patient","id":"john","active":true,"identifier":[{"system":"urn:oid:2.16.840.1.113883.4.3.25","value":"D-0001"}],"name":[{"family":"Lee","given":["John"]}],"gender":"male"}"#;
const PRACTITIONER: &str = r#"{"resourceType":"Practitioner","id":"chris","active":true,"name":[{"family":"Smith","given":["Chris"]}]}"#;

pub(crate) async fn run(output: &Output) -> Result<Done, Failure> {
    let directory = Directory::new();
    let seed = vec![resource(PATIENT)?, resource(PRACTITIONER)?];
    let config = sandbox::Config { seed, ..sandbox::Config::default() };
    let running = Sandbox::start(config).await.map_err(|error| went_wrong(&error))?;
    let base_url = running.base_url().to_owned();
    output
        .say(&format!("1. an EHR is running at {base_url}, with one Patient and one Practitioner"));

    let client = client(&base_url)?;
    let store = Store::open(&directory.0).await?;
    let ehr = Ehr {
        name: "demo",
        base_url: &base_url,
        client: &client,
        store: &store,
        settle: std::time::Duration::ZERO,
        pack: None,
        overrides: &Overrides::default(),
        // The demo's EHR has no visits of its own.
        allow: &Allow { encounters: Some(Encounters::Create), ..Allow::default() },
        hand_off: &directory.0.join("hand-off"),
        now: &clock::now,
    };
    let result = Box::pin(story(&ehr, &running, output)).await;
    store.close().await?;
    running.stop().await.map_err(|error| went_wrong(&error))?;
    result
}

async fn story(ehr: &Ehr<'_>, running: &Running, output: &Output) -> Result<Done, Failure> {
    let options = mapping::Options::default();
    let mut plan = document::parse(RECORD.as_bytes()).map_err(|error| went_wrong(&error))?.plan;
    let link = Link {
        ehr: ehr.name.to_owned(),
        base_url: ehr.base_url.to_owned(),
        plan: digest(&plan.id),
        record: Phi::new(PathBuf::from("john-lee-in-treatment.json")),
        client: client_digest(&resources(&plan, &options)),
        patient: "Patient/john".parse().map_err(|error| went_wrong(&error))?,
        practitioner: "Practitioner/chris".parse().ok(),
        patient_marks: patient_marks(&resource(PATIENT)?),
        linked_at: clock::now(),
    };
    ehr.store.link(&link).await?;
    let quiet = &mut |_| {};

    let record = map(&plan, &link, &options);
    let (shown, withheld) = policy::filter(&plan, &options.policy);
    output.say(&format!(
        "2. a record of IPT in treatment is linked to the Patient, and maps to {} resources",
        record.resources.len()
    ));
    for part in &withheld {
        output.say(&format!("   withheld: {} (--grant {})", part.pointer, part.section.code()));
    }

    let records = [record];
    let planned = sync::plan(ehr, &records, quiet).await;
    output.say(&format!("3. sync plan: {}", report::summary(&planned)));
    output.say(&format!("   {}", by_type(&planned)));
    check(running.writes() == 0, "the plan wrote something")?;

    let applied = sync::apply(ehr, &records, quiet).await?;
    let writes = running.writes();
    output.say(&format!("4. sync apply: {}", report::summary(&applied)));
    check(report::exit(applied.outcome()) == Exit::Done, "the first sync did not succeed")?;

    let read = read_back(ehr.client, &applied, &plan).await?;
    check(read == shown, "what was read back is not the record")?;
    output.say("5. read back from the EHR: the same record, but for the sections withheld above");

    let again = sync::apply(ehr, &records, quiet).await?;
    check(running.writes() == writes, "the second sync wrote something")?;
    output.say(&format!("6. sync again: {}; 0 writes", report::summary(&again)));

    edit_record(&mut plan)?;
    edit_ehr(running, &again)?;
    output.say("7. the therapist rewords a goal in the record; a nurse adds a note to a diagnosis in the EHR");
    let third = sync::apply(ehr, &[map(&plan, &link, &options)], quiet).await?;
    for line in report::done(&third, Detail::Written, "[ehr.demo]").human.lines() {
        output.say(&format!("   {line}"));
    }
    let updated: Vec<&ItemReport> =
        third.items().filter(|item| item.done == Some(sync::Done::Updated)).collect();
    let is_shown = |item: &ItemReport| matches!(item.state, ItemState::RemoteChanged(_));
    check(third.items().filter(|item| is_shown(item)).count() == 1, "the edit was not seen")?;
    check(updated.iter().any(|item| item.resource_type == "Goal"), "the goal was not updated")?;
    check(!updated.into_iter().any(is_shown), "the edit was overwritten")?;
    output.say(
        "   the goal was updated, and what quotes it; the diagnosis was shown and left as it is",
    );

    let next = [
        "ipt-fhir record new --variant ipt > plan.json",
        "ipt-fhir map plan.json --explain",
        "ipt-fhir sandbox",
    ];
    output.say("\nnext:");
    for command in next {
        output.say(&format!("  {command}"));
    }
    let withheld: Vec<&str> = withheld.iter().map(|part| part.pointer.as_str()).collect();
    let result = object! {
        "first" => report::counts(&applied),
        "second" => report::counts(&again),
        "third" => report::counts(&third),
        "withheld" => withheld,
        "next" => next.to_vec(),
    };
    Ok(Done::new("", Value::Object(result)))
}

/// How many resources of each type there are in a report.
fn by_type(report: &Report) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in report.items() {
        *counts.entry(&item.resource_type).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    parts.join(", ")
}

fn map(plan: &Plan, link: &Link, options: &mapping::Options) -> Record {
    Record::new(link.clone(), plan, options, Vec::new())
}

fn resources(plan: &Plan, options: &mapping::Options) -> Vec<(Uuid, Resource)> {
    let mapped = mapping::to_fhir(plan, options).resources.into_iter();
    mapped.map(|mapped| (mapped.item, mapped.resource)).collect()
}

/// The record as the EHR's resources tell it.
async fn read_back(client: &Client, report: &Report, plan: &Plan) -> Result<Plan, Failure> {
    let mut entries = Vec::new();
    for id in report.items().filter_map(|item| item.id.as_ref()) {
        let resource = Some(client.read(id).await?.resource);
        entries.push(Entry { resource, ..Entry::default() });
    }
    let bundle = Bundle::new("collection", entries);
    let people = Some((&plan.client, &plan.therapist));
    Ok(mapping::from_fhir(&bundle, people).map_err(|error| went_wrong(&error))?.plan)
}

fn edit_record(plan: &mut Plan) -> Result<(), Failure> {
    let goal = plan.goals.first_mut();
    let goal = goal.ok_or_else(|| Failure::new(Exit::Failed, "demo", "the record has no goal"))?;
    goal.text.push_str(", one step at a time");
    Ok(())
}

fn edit_ehr(running: &Running, report: &Report) -> Result<(), Failure> {
    let mut diagnoses = report.items().filter(|item| item.resource_type == "Condition");
    let found = diagnoses.next().and_then(|item| running.get(item.id.as_ref()?));
    let mut diagnosis =
        found.ok_or_else(|| Failure::new(Exit::Failed, "demo", "the EHR has no diagnosis"))?;
    let note = object! { "text" => "Talked about it at the team meeting." };
    diagnosis.object_mut().push("note", note);
    running.put(diagnosis).map_err(|error| went_wrong(&error))?;
    Ok(())
}

fn client(base_url: &str) -> Result<Client, Failure> {
    let base = base_url.parse().map_err(|error| went_wrong(&error))?;
    let config = Config::local(base).map_err(|error| went_wrong(&error))?;
    Ok(Client::new(&config)?)
}

fn resource(text: &str) -> Result<Resource, Failure> {
    Resource::parse(text.as_bytes()).map_err(|error| went_wrong(&error))
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        "demo",
        format!("the demo did not come out as told: {otherwise}"),
    ))
}

fn went_wrong(error: &impl std::error::Error) -> Failure {
    Failure::new(Exit::Failed, "demo", error.to_string())
}

/// A directory of the demo's own, which goes with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("ipt-fhir-demo-{}", Uuid::new_v4())))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left in the directory for temporary files is the operating system's to remove.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
