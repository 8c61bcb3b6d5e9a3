//! The adversary (reliability-and-security.md 6): schedules drawn from seeds, in each of which two clients' records go to one
//! server while people and proxies there do their worst at some moment. Whatever happened, every version that a request of
//! ours wrote is about the Patient of its own record, in a visit of that Patient: 0 misfiled of at least 10,000 writes.
//!
//! `IPT_FHIR_ADVERSARY=SEED` runs one schedule again.

mod checker;
mod event;
mod ward;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ward::{Server, Ward};

/// Writes that have to be applied.
const WRITES: u64 = 10_000;
/// How often a record changes in a schedule.
const STEPS: usize = 4;

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Runs one schedule; how many writes were applied in it, and what happened.
async fn schedule(seed: u64) -> (u64, &'static str, &'static str) {
    let mut dice = Dice(seed);
    // Hospitals take notes, which are slow to draw: one of ten schedules is at one.
    let server = match seed % 10 {
        9 => dice.one_of(&[Server::Epic, Server::Oracle, Server::Poor]),
        _ => dice.one_of(&[
            Server::Whole,
            Server::Whole,
            Server::Counting,
            Server::Batches,
            Server::Single,
            Server::Listing,
            Server::Careless,
        ]),
    };
    let is_parallel = dice.below(4) == 0;
    let mut ward = Ward::open(server, is_parallel).await;
    let planned = event::draw(&mut dice, server, is_parallel);
    for step in 0..STEPS {
        Box::pin(ward.step(step, &planned)).await;
    }
    if planned.event.passes() {
        Box::pin(ward.calm(&planned)).await;
    }
    ward.check(&planned);
    (ward.writes(), server.name(), planned.event.name())
}

#[test]
fn w4_ten_thousand_writes_to_a_hostile_server_and_none_is_misfiled() {
    if let Some(seed) = one_seed() {
        println!("{:?}", runtime().block_on(schedule(seed)));
        return;
    }
    let (next, writes) = (AtomicU64::new(1), AtomicU64::new(0));
    let has_failed = AtomicBool::new(false);
    let told = Mutex::new(std::collections::BTreeMap::<(&str, &str), (u64, u64)>::new());
    let work = || {
        while writes.load(Ordering::Relaxed) < WRITES && !has_failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let run = std::panic::AssertUnwindSafe(|| runtime().block_on(schedule(seed)));
            let (written, server, event) = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
                has_failed.store(true, Ordering::Relaxed);
                eprintln!("IPT_FHIR_ADVERSARY={seed} shows it again");
                std::panic::resume_unwind(panic)
            });
            writes.fetch_add(written, Ordering::Relaxed);
            let mut told = told.lock().unwrap();
            let (schedules, sum) = told.entry((server, event)).or_default();
            (*schedules, *sum) = (*schedules + 1, *sum + written);
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work();
        other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let told = told.into_inner().unwrap();
    for ((server, event), (schedules, sum)) in &told {
        println!("{server:10} {event:14} {schedules:4} schedules {sum:6} writes");
    }
    println!("{} writes in {} schedules", writes.load(Ordering::Relaxed), next.into_inner() - 1);
    for server in Server::ALL {
        let of = told.iter().filter(|((name, _), _)| *name == server.name());
        assert!(
            of.map(|(_, (_, sum))| sum).sum::<u64>() > 0,
            "{}: nothing was written",
            server.name()
        );
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "which schedule to show again, a person says")]
fn one_seed() -> Option<u64> {
    std::env::var("IPT_FHIR_ADVERSARY").ok()?.parse().ok()
}
