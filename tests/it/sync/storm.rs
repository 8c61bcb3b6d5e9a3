//! Storms: requests break by the dozen, drawn from a seed, and runs are killed in the middle; then the weather clears.
//!
//! At three servers that could hardly differ more: Epic (notes known by their footer alone, no versions, no
//! identifiers), Oracle (PDF updated in place, a Condition that keeps no identifier) and HAPI (structure by transaction).
//! In the end each resource and each edition of a note stands there exactly once and says what the record says, and
//! nothing was written that no plan had announced. It is checked in the server's store and in the ledger, against the
//! same course without faults; nothing of `sync` is asked but its reports.
//!
//! What a seed draws depends on the number of each request, and so on how long things take: a replay is near, not exact.
//!
//! `IPT_FHIR_SEEDS=1000` runs all seeds; without it the first 40 of them.
//! `IPT_FHIR_STORM=epic:17` runs one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::json::Value;
use ipt_fhir::mapping::identity::ITEM_SYSTEM;
use ipt_fhir::mapping::note::{Edition, FooterReference, edition_item, footer_reference, notes};
use ipt_fhir::sandbox::{Behaviour, Personality, Seeded};
use ipt_fhir::store::digest;
use ipt_fhir::sync::{ItemState, Outcome, Report};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::personality::with_visits;
use super::practice::Practice;
use crate::crash::{environment, tell};
use crate::store::moment;

const PERSONALITIES: [Personality; 3] = [Personality::Epic, Personality::Oracle, Personality::Hapi];

/// How many seeds run where nothing is said.
const SEEDS: u64 = 40;

/// How many run side by side: most of each is waiting.
const AT_ONCE: usize = 24;

/// What no client can survive without a person, everywhere: it must end in an alarm, not in peace. Why:
const BEYOND_A_CLIENT: &[(&str, &str)] = &[
    ("delivered-twice", "where nothing is conditional, the second copy is made beyond our reach"),
    ("delivered-late", "it comes when nobody can know of it; the settling time of these runs is 0"),
    ("commit-lost", "what was there and is not is not made again without a person"),
    ("commits-lost", "the same"),
    ("gone", "410 is asked about, never repaired"),
    ("other-body", "another resource at our id looks like a server restored from a backup"),
    ("other-type", "an answer of another type is not believed"),
    ("other-id", "an answer of another id is not believed"),
];

/// The record: two sessions of John Lee's course and one goal.
fn shorten(practice: &mut Practice) {
    let plan = &mut practice.plan;
    plan.sessions.truncate(2);
    for session in &mut plan.sessions {
        session.goal_progress.clear();
        session.activity_ids.clear();
        session.homework.clear();
    }
    plan.goals.truncate(1);
    plan.activities.clear();
    plan.interventions.truncate(1);
}

/// What changes in the middle of the storm: a goal's words and a session's summary.
fn change(practice: &mut Practice) {
    practice.plan.goals[0].text =
        String::from("Grieve for what is over, and meet one friend a week");
    practice.plan.sessions[0].summary =
        Some("John told of the breakup, and wept; he wants to call Ben.".to_owned());
}

async fn open(personality: Personality) -> Practice {
    let mut practice = Practice::open(Behaviour::of(personality)).await;
    practice.pack = personality.pack();
    shorten(&mut practice);
    with_visits(&mut practice);
    practice
}

/// Numbers from a seed (splitmix64).
fn dice(seed: u64, which: u64) -> u64 {
    let mixed =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ which.wrapping_mul(0xd134_2543_de82_ef95);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Polls so often, and drops what is not done by then.
async fn killed_after<T>(polls: u64, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// What may go wrong.
#[derive(Clone, Copy, Default)]
struct Weather {
    /// Nothing but this fault, and no kills; else all that a client can survive.
    only: Option<&'static str>,
}

impl Weather {
    fn seeded(self, seed: u64) -> Seeded {
        if let Some(name) = self.only {
            return Seeded::new(seed, 50).only(&[name]).at_most(2);
        }
        let beyond: Vec<&str> = BEYOND_A_CLIENT.iter().map(|(name, _)| *name).collect();
        Seeded::new(seed, 20 + seed % 21).quick().without(&beyond).at_most(12)
    }
}

/// One practice in its storm.
struct Storm {
    practice: Practice,
    seed: u64,
    weather: Weather,
    runs: u64,
    kills: u64,
    /// Items that a plan said it would write, or whose outcome it said to be open.
    announced: BTreeSet<Uuid>,
    /// Types of which one was announced.
    types: BTreeSet<String>,
}

/// What stands in a chart: by what it is, what it says.
type Chart = BTreeMap<String, String>;

impl Storm {
    async fn open(personality: Personality, seed: u64, weather: Weather) -> Self {
        let practice = open(personality).await;
        let (announced, types) = (BTreeSet::new(), BTreeSet::new());
        Self { practice, seed, weather, runs: 0, kills: 0, announced, types }
    }

    /// A plan in a lull.
    async fn announce(&mut self) -> Result<(), String> {
        let planned = self.practice.preview().await;
        check_words(&planned)?;
        for item in planned.items() {
            if matches!(
                item.state,
                ItemState::ToCreate | ItemState::ToUpdate(_) | ItemState::Unconfirmed
            ) {
                self.announced.insert(item.item);
                self.types.insert(item.resource_type.clone());
            }
        }
        Ok(())
    }

    /// A plan, and then a run in the storm, or in calm weather; some are killed.
    async fn apply(&mut self, is_stormy: bool) -> Result<Option<Report>, String> {
        // A plan before each run would see no more than these: the outcome of an edition is open, or it is known.
        if self.runs < 2 || !is_stormy {
            self.announce().await?;
        }
        self.runs += 1;
        let before = self.practice.ehr.faults().seen();
        let chance = dice(self.seed, self.runs);
        if is_stormy {
            self.practice.ehr.faults().begin(self.weather.seeded(chance));
        }
        let is_killed = is_stormy && self.weather.only.is_none() && chance.is_multiple_of(4);
        let polls = if is_killed { (chance >> 8) % 150 } else { u64::MAX };
        let report = killed_after(polls, self.practice.apply()).await;
        self.practice.ehr.faults().clear();
        if let Some(report) = &report {
            check_words(report)?;
        } else {
            self.kills += 1;
            self.wait_for_the_server().await;
        }
        self.check_announced(before)?;
        Ok(report)
    }

    /// After a kill: until the server has done what it was asked. Nothing outlives that, as the settling time of 0 says.
    async fn wait_for_the_server(&self) {
        let (mut seen, mut calm) = ((0, 0), 0);
        while calm < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = (self.practice.ehr.faults().seen(), self.practice.ehr.writes());
            calm = if now == seen { calm + 1 } else { 0 };
            seen = now;
        }
    }

    /// Each version that a request since then wrote is of an item that a plan had named.
    fn check_announced(&self, before: u64) -> Result<(), String> {
        for resource in self.practice.ehr.resources() {
            let id = id_of(&resource);
            for version in self.practice.ehr.versions(&id) {
                let is_new = version.request.is_some_and(|number| number > before);
                let Some(resource) = version.resource.filter(|_| is_new) else { continue };
                if !self.is_announced(&resource) {
                    return Err(format!(
                        "{id} was written and not announced: {}",
                        resource.to_text()
                    ));
                }
            }
        }
        Ok(())
    }

    fn is_announced(&self, resource: &Resource) -> bool {
        let resource_type = resource.resource_type();
        if let Some(item) = resource.identifier(ITEM_SYSTEM) {
            return item.parse().is_ok_and(|item: Uuid| self.announced.contains(&item));
        }
        match self.footer(resource) {
            Some(footer) => [edition_item(footer.slot, footer.number), footer.slot]
                .iter()
                .any(|item| self.announced.contains(item)),
            // What is attached to a note; and what keeps no identifier.
            None => resource_type == "Binary" || self.types.contains(resource_type),
        }
    }

    fn footer(&self, resource: &Resource) -> Option<FooterReference> {
        footer_reference(&self.practice.ehr.attachment(resource)?)
    }

    /// What stands in the chart beside notes: by item, or by what it says where it has none.
    fn structure(&self) -> Result<Chart, String> {
        let slots: BTreeSet<Uuid> = notes(&self.practice.plan, &self.practice.options)
            .iter()
            .map(|note| note.slot)
            .collect();
        let ours: Vec<Resource> = self
            .practice
            .ehr
            .resources()
            .into_iter()
            .filter(|one| !["Patient", "Binary"].contains(&one.resource_type()))
            .filter(|one| !one.id().is_some_and(|id| id.starts_with("visit-")))
            .filter(|one| self.footer(one).is_none_or(|footer| !slots.contains(&footer.slot)))
            .collect();
        let names: BTreeMap<String, String> = ours
            .iter()
            .filter_map(|one| {
                Some((id_of(one).to_string(), one.identifier(ITEM_SYSTEM)?.to_owned()))
            })
            .collect();
        let mut chart = Chart::new();
        for resource in ours {
            let mut plain = resource.clone();
            plain.object_mut().remove("meta");
            plain.object_mut().remove("id");
            let says = in_order(&plain.to_value(), &names);
            let name = resource.identifier(ITEM_SYSTEM).map_or_else(|| says.clone(), str::to_owned);
            let name = format!("{} {name}", resource.resource_type());
            if chart.insert(name.clone(), says).is_some() {
                return Err(format!("{name} is there twice"));
            }
        }
        Ok(chart)
    }

    /// Each note stands in the chart once, or once in each edition from 1, and the last one says what the record says.
    fn check_notes(&self, is_expected: bool) -> Result<(), String> {
        let mut editions: BTreeMap<Uuid, BTreeMap<u32, (FooterReference, Resource)>> =
            BTreeMap::new();
        for document in self.practice.of_type("DocumentReference") {
            let Some(footer) = self.footer(&document) else { continue };
            let of_slot = editions.entry(footer.slot).or_default();
            let number = footer.number;
            if of_slot.insert(number, (footer, document)).is_some() {
                return Err(format!("edition {number} of a note is there twice"));
            }
        }
        for note in notes(&self.practice.plan, &self.practice.options) {
            let of_slot = editions.remove(&note.slot).unwrap_or_default();
            let Some((number, (footer, last))) = of_slot.last_key_value() else {
                if is_expected {
                    return Err(format!("note {} is not there", note.slot));
                }
                continue;
            };
            let is_in_place = of_slot.len() == 1;
            let numbers: Vec<u32> = of_slot.keys().copied().collect();
            if !is_in_place && numbers != (1..=*number).collect::<Vec<_>>() {
                return Err(format!("editions {numbers:?} of note {}", note.slot));
            }
            let (item, date) = (edition_item(note.slot, *number), moment());
            let told = Edition { item, number: *number, date, replaces: None };
            if footer.digest != note.digest(&told) {
                return Err(format!("edition {number} of note {} is out of date", note.slot));
            }
            for (document, _) in of_slot.iter().filter(|(number, _)| **number > 1) {
                let bytes = self.practice.ehr.attachment(&of_slot[document].1).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if !text.starts_with("%PDF-") && !text.starts_with("Replaces the note of ") {
                    return Err(format!("edition {document} of {} names none before", note.slot));
                }
            }
            let subject = last.get("subject").and_then(|subject| subject.text("reference"));
            if !subject.is_some_and(|subject| subject.ends_with("Patient/john")) {
                return Err(format!("note {} is about {subject:?}", note.slot));
            }
        }
        if editions.is_empty() { Ok(()) } else { Err(format!("notes of nobody: {editions:?}")) }
    }

    /// The whole course: what is wrong in the end.
    async fn course(&mut self, twin: &Chart) -> Result<(), String> {
        let last = self.run_to_the_end().await?;
        let result = self.check_end(&last, twin).await;
        result.map_err(|wrong| format!("{wrong}\n{}", self.told(&last)))
    }

    /// A course that may end in an alarm: all is well in the end, or the last report says that it is not, and nothing
    /// more was sent.
    async fn alarming_course(&mut self, twin: &Chart) -> Result<(), String> {
        self.run_to_the_end().await?;
        let before = self.practice.writing_requests();
        let last = self.practice.apply().await;
        let is_quiet = self.practice.writing_requests() == before;
        let is_alarm = last.outcome() != Outcome::Done
            || last.items().any(|item| matches!(item.state, ItemState::RemoteChanged(_)));
        match self.check_end(&last, twin).await {
            Ok(()) => Ok(()),
            Err(_) if is_alarm && is_quiet => Ok(()),
            Err(wrong) => Err(format!("{wrong}\n{}", self.told(&last))),
        }
    }

    async fn run_to_the_end(&mut self) -> Result<Report, String> {
        self.apply(true).await?;
        change(&mut self.practice);
        for _ in 0..3 {
            self.apply(true).await?;
        }
        // The weather clears; what was delivered late has come by then.
        self.practice.ehr.deliver_late();
        let mut last = None;
        for _ in 0..3 {
            last = self.apply(false).await?;
            if last.as_ref().is_some_and(|report| report.outcome() == Outcome::Done) {
                break;
            }
        }
        last.ok_or_else(|| "no report".to_owned())
    }

    async fn check_end(&self, last: &Report, twin: &Chart) -> Result<(), String> {
        if last.outcome() != Outcome::Done {
            return Err(format!("ended {:?}", last.outcome()));
        }
        let is_expected = self.practice.pack.is_some_and(|pack| pack.name != "hapi");
        self.check_notes(is_expected)?;
        let chart = self.structure()?;
        if chart != *twin {
            let of = |one: &Chart, other: &Chart| -> Vec<String> {
                let differs = |(name, says): &(&String, &String)| other.get(*name) != Some(says);
                one.iter().filter(differs).map(|(name, says)| format!("{name}: {says}")).collect()
            };
            let (ours, theirs) = (of(&chart, twin), of(twin, &chart));
            return Err(format!("the chart is another: {ours:#?} instead of {theirs:#?}"));
        }
        let before = self.practice.writing_requests();
        let again = self.practice.apply().await;
        if again.outcome() != Outcome::Done || self.practice.writing_requests() > before {
            return Err("a second run has something to do".to_owned());
        }
        let plan = digest(&self.practice.plan.id);
        let ledger = self.practice.store().await.ledger("practice", &plan).await.unwrap();
        if !ledger.operations.is_empty() {
            return Err(format!("left on its way: {:?}", ledger.operations));
        }
        Ok(())
    }

    /// What a person needs to understand what went wrong.
    fn told(&self, last: &Report) -> String {
        let mut told = format!("{:?}\n", last.records[0].stopped);
        for item in last.items().filter(|item| item.state != ItemState::InSync) {
            let _ = writeln!(told, "{} {:?} {:?}", item.resource_type, item.id, item.state);
        }
        for logged in self.practice.ehr.log() {
            let fault = logged.fault.unwrap_or_default();
            let (number, method, path) = (logged.number, &logged.method, &logged.path);
            let _ = writeln!(told, "  {number} {method} {path} {:?} {fault}", logged.status);
        }
        told
    }
}

/// No report says a word of the record.
fn check_words(report: &Report) -> Result<(), String> {
    let mut told = format!("{report:?}");
    for record in &report.records {
        told.extend(record.stopped.iter().map(ToString::to_string));
    }
    for word in ["John", "Lee", "Grieve", "breakup", "Ben", "Ellen", "Frank", "4711"] {
        if told.contains(word) {
            return Err(format!("a report says {word}: {told}"));
        }
    }
    Ok(())
}

fn id_of(resource: &Resource) -> ResourceId {
    ResourceId::new(resource.resource_type(), resource.id().unwrap()).unwrap()
}

/// A value as a text that does not depend on the order of members, with items in the place of ids.
fn in_order(value: &Value, names: &BTreeMap<String, String>) -> String {
    match value {
        Value::Object(object) => {
            let members: BTreeMap<&str, String> =
                object.iter().map(|(name, value)| (name, in_order(value, names))).collect();
            format!("{members:?}")
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| in_order(item, names)).collect();
            format!("{items:?}")
        }
        Value::String(text) => names.get(text).unwrap_or(text).clone(),
        other => other.to_text(),
    }
}

/// The same course without faults.
async fn twin(personality: Personality) -> (Chart, u64) {
    let mut storm = Storm::open(personality, 0, Weather::default()).await;
    storm.apply(false).await.unwrap();
    change(&mut storm.practice);
    let report = storm.apply(false).await.unwrap().unwrap();
    assert_eq!(report.outcome(), Outcome::Done, "{report:#?}");
    storm.check_notes(personality != Personality::Hapi).unwrap();
    (storm.structure().unwrap(), storm.practice.ehr.faults().seen())
}

/// Which courses run.
fn cases() -> Vec<(Personality, u64)> {
    if let Some(one) = environment("IPT_FHIR_STORM") {
        let Some((name, seed)) = one.split_once(':') else {
            panic!("IPT_FHIR_STORM is NAME:SEED, as epic:17");
        };
        return vec![(Personality::named(name).unwrap(), seed.parse().unwrap())];
    }
    let wanted = environment("IPT_FHIR_SEEDS").map(|seeds| seeds.parse().unwrap());
    let seeds = 0..wanted.unwrap_or(SEEDS);
    seeds.flat_map(|seed| PERSONALITIES.map(|personality| (personality, seed))).collect()
}

/// Runs the courses side by side, and shows every one that fails with the command that runs it again.
async fn all(courses: Vec<(Personality, u64)>, name: &str) {
    let mut twins = BTreeMap::new();
    for personality in PERSONALITIES {
        twins.insert(personality, Arc::new(twin(personality).await));
    }
    let mut left = courses.into_iter();
    let mut running = JoinSet::new();
    let (mut failed, mut requests, mut kills, mut count) = (Vec::new(), 0, 0, 0);
    loop {
        while running.len() < AT_ONCE
            && let Some((personality, seed)) = left.next()
        {
            let twin = Arc::clone(&twins[&personality]);
            running.spawn(async move {
                let course = tokio::spawn(async move {
                    let mut storm = Storm::open(personality, seed, Weather::default()).await;
                    let mut result = storm.course(&twin.0).await;
                    let seen = storm.practice.ehr.faults().seen();
                    // The plain course and so many runs more; a storm is no reason to storm the server.
                    if seen > 10 * twin.1 {
                        result = result.and(Err(format!("{seen} requests instead of {}", twin.1)));
                    }
                    (result, seen, storm.kills)
                });
                (personality, seed, course.await)
            });
        }
        let Some(done) = running.join_next().await else { break };
        let (personality, seed, done) = done.unwrap();
        let wrong = match done {
            Ok((result, seen, killed)) => {
                (requests, kills, count) = (requests + seen, kills + killed, count + 1);
                result.err()
            }
            Err(panicked) => Some(panicked.to_string()),
        };
        if let Some(wrong) = wrong {
            let again = format!("IPT_FHIR_STORM={}:{seed}", personality.name());
            tell(&format!("{again} cargo test --test it {name}\n{wrong}"));
            failed.push(again);
        }
    }
    tell(&format!("{count} courses, {requests} requests, {kills} kills"));
    assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_storm_each_thing_is_there_once() {
    all(cases(), "storm::after_any_storm").await;
}

/// Each of them alone, often: nothing is silently wrong.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_beyond_a_client_ends_in_an_alarm() {
    let mut running = JoinSet::new();
    for personality in PERSONALITIES {
        let twin = Arc::new(twin(personality).await);
        for (name, _) in BEYOND_A_CLIENT {
            for seed in 0..2 {
                let twin = Arc::clone(&twin);
                running.spawn(async move {
                    let weather = Weather { only: Some(*name) };
                    let mut storm = Storm::open(personality, seed, weather).await;
                    let result = storm.alarming_course(&twin.0).await;
                    result.err().map(|wrong| format!("{personality:?} {name} {seed}: {wrong}"))
                });
            }
        }
    }
    let wrong: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
