//! Every request broken in every way, one at a time, and the run killed at every request.

use std::time::{Duration, Instant};

use ipt_fhir::client::{Authorization, Client, Config};
use ipt_fhir::sandbox::{Behaviour, Fault};
use ipt_fhir::store::digest;
use ipt_fhir::sync::{Outcome, Progress, apply};

use super::clinic::{Clinic, resources};
use crate::store::moment;

/// The number of requests of a first run, and of one that updates.
async fn requests((behaviour, batches): &(Behaviour, bool)) -> u64 {
    let clinic = Clinic::of(behaviour.clone(), *batches).await;
    clinic.apply("Grieve").await;
    clinic.apply("Mourn").await;
    clinic.ehr.faults().seen()
}

/// Servers, and whether batches are used where there are no transactions.
fn behaviours() -> [(Behaviour, bool); 4] {
    let all = Behaviour::default();
    let singly = Behaviour { transactions: false, ..all.clone() };
    let bare = Behaviour { conditional_create: false, ..singly.clone() };
    [(all, false), (singly, false), (bare.clone(), false), (bare, true)]
}

/// Runs cases side by side: most of each is waiting.
async fn all(cases: Vec<impl Future<Output = ()> + Send + 'static>) {
    let mut left = cases.into_iter();
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < 12
            && let Some(case) = left.next()
        {
            running.spawn(case);
        }
        match running.join_next().await {
            Some(done) => done.unwrap(),
            None => return,
        }
    }
}

async fn with_fault((behaviour, batches): (Behaviour, bool), number: u64, fault: Fault) {
    let note = format!("{fault:?} at {number} {batches} {behaviour:?}");
    let clinic = Clinic::of(behaviour, batches).await;
    clinic.ehr.faults().at(number, fault);
    for goal in ["Grieve", "Mourn"] {
        let report = clinic.apply(goal).await;
        assert_eq!(report.outcome(), Outcome::Done, "{note} {report:?}");
        clinic.assert_complete(goal);
    }
    clinic.assert_quiet("Mourn").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_request_may_break_in_any_way() {
    for behaviour in behaviours() {
        let count = requests(&behaviour).await;
        let mut faults = vec![Fault::LoseAnswerAfterApply];
        if behaviour.0 == Behaviour::default() {
            faults.extend([Fault::TruncateAnswer, Fault::DropBefore, Fault::RefuseBefore(502)]);
        }
        let cases = faults.into_iter().flat_map(|fault| {
            let behaviour = &behaviour;
            (1..=count).map(move |number| with_fault(behaviour.clone(), number, fault))
        });
        all(cases.collect()).await;
    }
}

/// The server has done the request of this number; its answer comes when nobody is there any more.
async fn with_kill((behaviour, batches): (Behaviour, bool), number: u64) {
    let clinic = Clinic::of(behaviour, batches).await;
    clinic.ehr.faults().at(number, Fault::DelayAnswer(Duration::from_mins(1)));
    for goal in ["Grieve", "Mourn"] {
        // It is logged once it is done, however long that takes.
        let until_it_is_done = async {
            while clinic.ehr.log().iter().all(|one| one.number < number) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Dropped where it is, with nothing said or put away.
        let is_killed = tokio::select! {
            _ = clinic.apply(goal) => false,
            () = until_it_is_done => true,
        };
        if is_killed {
            let report = clinic.apply(goal).await;
            assert_eq!(report.outcome(), Outcome::Done, "at {number}: {report:?}");
        }
        clinic.assert_complete(goal);
    }
    clinic.assert_quiet("Mourn").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_may_be_killed_after_any_request_and_the_next_one_finishes_it() {
    for behaviour in behaviours() {
        let count = requests(&behaviour).await;
        all((1..=count).map(|number| with_kill(behaviour.clone(), number)).collect()).await;
    }
}

#[tokio::test]
async fn after_a_lost_answer_nothing_is_sent_before_the_settling_time() {
    let mut clinic = Clinic::open().await;
    clinic.settle = Duration::from_millis(700);
    clinic.ehr.faults().next("POST", Fault::LoseAnswerAfterApply);
    let mut settled = Vec::new();
    let started = std::time::Instant::now();
    let report = clinic
        .apply_watched(resources("Grieve"), &mut |progress| {
            if let ipt_fhir::sync::Progress::Settling(time) = progress {
                settled.push(time);
            }
        })
        .await;
    assert_eq!(report.outcome(), Outcome::Done);
    assert_eq!(settled.len(), 1);
    assert!(started.elapsed() >= Duration::from_millis(690));
    clinic.assert_complete("Grieve");
}

/// A transaction that takes longer than we wait: what settles begins when the waiting ends, or would have ended.
#[tokio::test]
async fn after_a_time_limit_or_a_kill_the_whole_settling_time_is_still_to_come() {
    let (limit, settle) = (Duration::from_secs(1), Duration::from_millis(400));
    for is_killed in [true, false] {
        let mut clinic = Clinic::open().await;
        clinic.settle = settle;
        clinic.ehr.faults().next("POST", Fault::DelayAnswer(Duration::from_mins(1)));
        let base = clinic.base_url.parse().unwrap();
        let config = Config::new(base, limit, Authorization::None).unwrap();
        let client = Client::new(&config).unwrap();
        let started = Instant::now();
        let now = move || moment() + started.elapsed();
        let settled = std::sync::Mutex::new(Vec::new());
        let run = || async {
            let store = clinic.store().await;
            let record = clinic.record(&store, "Grieve").await;
            let progress = &mut |progress| {
                if let Progress::Settling(time) = progress {
                    settled.lock().unwrap().push(time);
                }
            };
            apply(&clinic.way(&store, &client, &now), &[record], progress).await.unwrap()
        };
        // Killed as soon as the EHR has the transaction, however long it took to get there.
        let has_it = async {
            while !is_killed || clinic.ehr.log().iter().all(|one| one.method != "POST") {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let ended = tokio::select! {
            report = run() => Some(report),
            () = has_it => None,
        };
        assert_eq!(ended.is_none(), is_killed);
        let report = match ended {
            Some(report) => report,
            None => run().await,
        };
        assert_eq!(report.outcome(), Outcome::Done);
        let settled = settled.into_inner().unwrap();
        assert_eq!(settled.len(), 1, "{settled:?}");
        // More than the settling time: the time limit of a killed run counts, too, but for what the next one took to start.
        let least = if is_killed { Duration::from_millis(500) } else { Duration::from_millis(300) };
        assert!(settled[0] >= least && settled[0] <= limit + settle, "{settled:?}");
        clinic.assert_complete("Grieve");
    }
}

#[tokio::test]
async fn too_busy_is_waited_for() {
    let clinic = Clinic::open().await;
    clinic.ehr.faults().next("POST", Fault::RefuseBefore(429));
    clinic.ehr.faults().next("GET", Fault::RefuseBefore(503));
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    clinic.assert_complete("Grieve");
}

#[tokio::test]
async fn credentials_that_are_refused_end_the_run_with_nothing_open() {
    let clinic = Clinic::open().await;
    clinic.ehr.faults().next("POST", Fault::RefuseBefore(401));
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome().exit_code(), 6, "{report:?}");
    let ledger = clinic.store().await.ledger("clinic", &digest("the plan")).await.unwrap();
    assert_eq!(ledger.operations, []);
    clinic.apply("Grieve").await;
    clinic.assert_complete("Grieve");
}
