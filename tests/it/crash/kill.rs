//! `kill -9` at any moment, and after every request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ipt_fhir::sandbox::{Behaviour, Config, Fault, Running, Sandbox};

use super::chance::Chance;
use super::practice::{Practice, THREE, TWO};
use super::{hapis, side_by_side};

/// What an undisturbed run leaves, of a new record and of a changed one, and how long it takes.
struct Undisturbed {
    created: (Vec<Vec<String>>, Duration),
    updated: (Vec<Vec<String>>, Duration),
}

impl Undisturbed {
    async fn at(base: &str, settle: u64, records: &'static [&'static str]) -> Self {
        let practice = Practice::open(base, settle, records).await;
        let duration = practice.sync();
        let created = (practice.settled().await, duration);
        practice.change_goals();
        let duration = practice.sync();
        let updated = (practice.settled().await, duration);
        assert_ne!(created.0, updated.0);
        Self { created, updated }
    }

    fn of(&self, updates: bool) -> &(Vec<Vec<String>>, Duration) {
        if updates { &self.updated } else { &self.created }
    }
}

async fn sandbox() -> Running {
    Sandbox::start(Config::default()).await.unwrap()
}

/// A run is killed at this part of its length, then run to its end, then once more.
async fn killed_at(
    base: &str,
    settle: u64,
    undisturbed: &Undisturbed,
    per_mille: u32,
    updates: bool,
) {
    let practice = Practice::open(base, settle, THREE).await;
    let (words, duration) = if updates {
        practice.sync();
        practice.change_goals();
        &undisturbed.updated
    } else {
        &undisturbed.created
    };
    let (started, moment) = (Instant::now(), *duration * per_mille / 1000);
    let was_killed = practice.sync_killed(|| started.elapsed() >= moment).await;
    practice.sync();
    let note = format!("updates {updates}, at {per_mille} of {duration:?}, killed {was_killed}");
    assert_eq!(&practice.settled().await, words, "{note}");
    println!("{note}");
}

/// Moments that are spread over a run's length, each by chance within its part.
fn moments(count: u32) -> Vec<u32> {
    let mut chance = Chance::new();
    (0..count).map(|part| (part * 1000 + chance.per_mille()) / count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_any_moment_is_finished_by_the_next() {
    let first = sandbox().await;
    let undisturbed = Arc::new(Undisturbed::at(first.base_url(), 0, THREE).await);
    let case = |(number, per_mille): (usize, u32)| {
        let undisturbed = Arc::clone(&undisturbed);
        async move {
            let ehr = sandbox().await;
            let updates = number % 2 == 1;
            killed_at(ehr.base_url(), 0, &undisturbed, per_mille, updates).await;
        }
    };
    side_by_side(moments(50).into_iter().enumerate().map(case).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_any_moment_is_finished_by_the_next_in_hapi() {
    for (name, base) in hapis() {
        let started = Instant::now();
        let undisturbed = Undisturbed::at(&base, 2, THREE).await;
        for (number, per_mille) in moments(10).into_iter().enumerate() {
            killed_at(&base, 2, &undisturbed, per_mille, number % 2 == 1).await;
        }
        println!("{name}: {:?}", started.elapsed());
    }
}

/// The requests of an undisturbed run, from the first of the run to its last: of creating, and of updating.
async fn requests(behaviour: &Behaviour) -> [Vec<String>; 2] {
    let ehr = Sandbox::start(Config { behaviour: behaviour.clone(), ..Config::default() }).await;
    let ehr = ehr.unwrap();
    let practice = Practice::open(ehr.base_url(), 0, TWO).await;
    let of_run = || {
        let before = ehr.log().len();
        practice.sync();
        let log = ehr.log().split_off(before);
        log.into_iter().map(|logged| format!("{} {}", logged.method, logged.path)).collect()
    };
    let created = of_run();
    practice.change_goals();
    [created, of_run()]
}

/// The EHR has done the run's n-th request; its answer would come when the program is gone.
async fn killed_after(behaviour: Behaviour, number: u64, undisturbed: &Undisturbed, updates: bool) {
    let ehr = Sandbox::start(Config { behaviour, ..Config::default() }).await.unwrap();
    let practice = Practice::open(ehr.base_url(), 0, TWO).await;
    let (words, _) = if updates {
        practice.sync();
        practice.change_goals();
        &undisturbed.updated
    } else {
        &undisturbed.created
    };
    let done = ehr.log().len() as u64 + number;
    ehr.faults().at(done, Fault::DelayAnswer(Duration::from_mins(10)));
    let is_time = || ehr.faults().seen() >= done && ehr.log().len() as u64 >= done;
    assert!(practice.sync_killed(is_time).await, "it waited for an answer");
    assert_eq!(ehr.log().len() as u64, done);
    practice.sync();
    assert_eq!(&practice.settled().await, words, "after {number}, updates {updates}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_after_any_request_is_finished_by_the_next() {
    let first = sandbox().await;
    let undisturbed = Arc::new(Undisturbed::at(first.base_url(), 0, TWO).await);
    let behaviour = Behaviour::default();
    let mut cases = Vec::new();
    for (round, log) in requests(&behaviour).await.into_iter().enumerate() {
        let patients = log.iter().filter(|request| request.starts_with("GET Patient/"));
        assert!(patients.count() >= 4, "before, within and between the records: {log:?}");
        println!("round {round}: {} requests", log.len());
        cases.extend((1..=log.len()).map(|number| {
            let (behaviour, undisturbed) = (behaviour.clone(), Arc::clone(&undisturbed));
            async move {
                killed_after(behaviour, number as u64, &undisturbed, round == 1).await;
            }
        }));
    }
    side_by_side(cases).await;
}
