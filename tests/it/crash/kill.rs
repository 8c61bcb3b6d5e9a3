//! `kill -9` at any moment, and after every request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ipt_fhir::sandbox::{Behaviour, Config, Fault, Running, Sandbox};

use super::chance::Chance;
use super::practice::{Practice, SARA, THREE, TWO};
use super::{hapis, side_by_side, tell};

/// The run that is killed: the one that writes new records, or one that writes what changed in them.
#[derive(Debug, Clone, Copy)]
struct Round {
    records: &'static [&'static str],
    updates: bool,
}

/// What a round comes to that nobody disturbs.
struct Undisturbed {
    words: Vec<Vec<String>>,
    duration: Duration,
}

impl Round {
    /// A practice that is about to start this round.
    async fn open(self, base: &str, settle: u64) -> Practice {
        let practice = Practice::open(base, settle, self.records).await;
        if self.updates {
            practice.sync();
            practice.change_goals();
        }
        practice
    }

    async fn undisturbed(self, base: &str, settle: u64) -> Undisturbed {
        let practice = self.open(base, settle).await;
        let duration = practice.sync();
        Undisturbed { words: practice.settled().await, duration }
    }

    /// Kills the round at a moment, lets another run finish it, and looks. A round that had ended by then is tried
    /// again with half of the time.
    async fn kill_at(self, base: &str, settle: u64, undisturbed: &Undisturbed, per_mille: u32) {
        let mut moment = undisturbed.duration * per_mille / 1000;
        loop {
            let practice = self.open(base, settle).await;
            let started = Instant::now();
            let was_killed = practice.sync_killed(|| started.elapsed() >= moment).await;
            practice.sync();
            let note = format!("{self:?} at {moment:?} of {:?}", undisturbed.duration);
            assert!(practice.settled().await == undisturbed.words, "{note}");
            if was_killed {
                tell(&format!("killed: {note}"));
                return;
            }
            moment /= 2;
        }
    }

    /// Kills the round when the EHR has done its n-th request, whose answer would come much later.
    async fn kill_after(self, behaviour: Behaviour, number: u64, undisturbed: &Undisturbed) {
        let ehr = sandbox(behaviour.clone()).await;
        let practice = self.open(ehr.base_url(), 0).await;
        let done = ehr.faults().seen() + number;
        ehr.faults().at(done, Fault::DelayAnswer(Duration::from_mins(10)));
        let is_time = || ehr.faults().seen() >= done && ehr.log().len() as u64 >= done;
        let note = format!("{self:?} after {number}, {behaviour:?}");
        assert!(practice.sync_killed(is_time).await, "{note}: it waited for an answer");
        assert_eq!(ehr.faults().seen(), done, "{note}");
        practice.sync();
        assert!(practice.settled().await == undisturbed.words, "{note}");
    }
}

async fn sandbox(behaviour: Behaviour) -> Running {
    Sandbox::start(Config { behaviour, ..Config::default() }).await.unwrap()
}

/// Moments that are spread over a run's length, each by chance within its part, in thousandths.
fn moments(count: u32) -> Vec<u32> {
    let mut chance = Chance::new();
    (0..count).map(|part| (part * 1000 + chance.per_mille()) / count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_any_moment_is_finished_by_the_next() {
    let mut rounds = Vec::new();
    for (records, updates) in [(THREE, false), (TWO, true), (TWO, false), (SARA, true)] {
        let (round, ehr) = (Round { records, updates }, sandbox(Behaviour::default()).await);
        rounds.push((round, Arc::new(round.undisturbed(ehr.base_url(), 0).await)));
    }
    let case = |(number, per_mille): (usize, u32)| {
        let (round, undisturbed) = rounds[number % rounds.len()].clone();
        async move {
            let ehr = sandbox(Behaviour::default()).await;
            round.kill_at(ehr.base_url(), 0, &undisturbed, per_mille).await;
        }
    };
    side_by_side(moments(50).into_iter().enumerate().map(case).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_any_moment_is_finished_by_the_next_in_hapi() {
    for (name, base) in hapis() {
        let started = Instant::now();
        for updates in [false, true] {
            let round = Round { records: THREE, updates };
            // The first run warms the server up; the length of the second one counts.
            round.undisturbed(&base, 2).await;
            let undisturbed = round.undisturbed(&base, 2).await;
            for per_mille in moments(5) {
                round.kill_at(&base, 2, &undisturbed, per_mille).await;
            }
        }
        tell(&format!("{name}: {:?}", started.elapsed()));
    }
}

/// How many requests a round makes. It takes one record after another, so there are moments between two.
async fn requests(round: Round, behaviour: Behaviour) -> u64 {
    let ehr = sandbox(behaviour).await;
    let practice = round.open(ehr.base_url(), 0).await;
    let before = ehr.log().len();
    practice.sync();
    let log = ehr.log().split_off(before);
    let mut patients: Vec<_> = log.iter().filter(|one| one.path.starts_with("Patient/")).collect();
    patients.dedup_by_key(|one| one.path.clone());
    assert_eq!(patients.len(), round.records.len(), "one record after another");
    log.len() as u64
}

/// All requests of a round, and the moments between its records with them.
async fn kill_after_any_request(round: Round, behaviour: Behaviour) {
    let ehr = sandbox(behaviour.clone()).await;
    let undisturbed = Arc::new(round.undisturbed(ehr.base_url(), 0).await);
    let count = requests(round, behaviour.clone()).await;
    tell(&format!("{count} requests: {round:?} {behaviour:?}"));
    let case = |number| {
        let (behaviour, undisturbed) = (behaviour.clone(), Arc::clone(&undisturbed));
        async move { round.kill_after(behaviour, number, &undisturbed).await }
    };
    side_by_side((1..=count).map(case).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_after_any_request_is_finished_by_the_next() {
    let all = Behaviour::default();
    kill_after_any_request(Round { records: TWO, updates: false }, all.clone()).await;
    kill_after_any_request(Round { records: SARA, updates: true }, all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_creates_singly_is_finished_after_any_request_too() {
    let singly = Behaviour { transactions: false, ..Behaviour::default() };
    let round = Round { records: SARA, updates: false };
    kill_after_any_request(round, singly.clone()).await;
    kill_after_any_request(round, Behaviour { conditional_create: false, ..singly }).await;
}
