//! What goes wrong with single requests: called for one by one, or drawn from a seed.
//!
//! Each fault is one that a server or a proxy before it could really produce (reliability-and-security.md 4, F7-F14): an
//! answer is lost after the write was made, a page of HTML comes with 200, the last commits are gone. A draw depends on the
//! seed and the request's number alone, so that a run that failed can be made again. What can't be done to a TCP listener
//! that others share is left out: a connection is never refused, only closed unread.

mod catalogue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use catalogue::{CATALOGUE, Catalogued, Fits};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this status before anything is done; 429 and 503 bear `Retry-After: 1`.
    RefuseBefore(u16),
    /// The same, with another `Retry-After`.
    RefuseUntil(u16, Until),
    /// The connection is closed before anything is done.
    DropBefore,
    /// All is done; then the connection is closed without an answer.
    LoseAnswerAfterApply,
    /// All is done; a proxy answers with this status in the server's place.
    FailAfterApply(u16),
    /// All is done; the connection is closed in the middle of the answer's head.
    CutHead,
    /// All is done; the connection is closed in the middle of the answer's body, whose length was announced.
    TruncateAnswer,
    /// All is done; half of the body comes, and is announced as all of it.
    HalfBody,
    /// All is done; the answer comes later by this time.
    DelayAnswer(Duration),
    /// All is done; the answer comes a few bytes at a time.
    SlowBody,
    /// The request is done twice; the second answer is given.
    DeliverTwice,
    /// The connection is closed, and the request is done after the next one, when the client has long given up.
    DeliverLate,
    /// 200 with a page of HTML, before anything is done: somebody's login.
    HtmlPage,
    /// 200 with an OperationOutcome that tells of an error, before anything is done.
    OutcomeInOk,
    /// All is done; the answer has neither `Location` nor `ETag`.
    TellNoPlace,
    /// All is done; the answer names another resource of the type, in `id` and `Location`.
    OtherId,
    /// All is done; the answer is called another type.
    OtherType,
    /// All is done; `ETag` stands without quotes.
    OddEtag,
    /// All is done; the answer tells of a version that is older than the one that is there.
    OlderVersion,
    /// Before the request is done the server loses its last commits, as many as this: a replica took over.
    LoseCommits(usize),
    /// All is done; the answer is that of another request with this fault, and the other way round. It waits for that one
    /// for a second.
    SwapAnswer,
    /// A read is answered with another resource of the type: a cache that was asked about somebody else.
    OtherBody,
}

/// Until when a client is to wait, as `Retry-After` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// `-5`: nonsense.
    Negative,
    /// An HTTP-date, one second ahead.
    Date,
    /// 315360000 seconds.
    TenYears,
    /// It does not say.
    Unsaid,
}

/// Faults drawn from a seed.
#[derive(Debug, Clone)]
pub struct Seeded {
    seed: u64,
    percent: u64,
    kinds: Vec<&'static Catalogued>,
    left: u64,
}

impl Seeded {
    /// Breaks so many of 100 requests, each by a fault of the catalogue.
    pub fn new(seed: u64, percent: u64) -> Self {
        Self { seed, percent, kinds: CATALOGUE.iter().collect(), left: u64::MAX }
    }

    /// Only faults of these names.
    #[must_use]
    pub fn only(mut self, names: &[&str]) -> Self {
        self.kinds.retain(|kind| names.contains(&kind.name));
        self
    }

    /// No faults of these names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.kinds.retain(|kind| !names.contains(&kind.name));
        self
    }

    /// No faults that take long.
    #[must_use]
    pub fn quick(mut self) -> Self {
        self.kinds.retain(|kind| !kind.is_slow);
        self
    }

    /// No more than so many faults.
    #[must_use]
    pub const fn at_most(mut self, faults: u64) -> Self {
        self.left = faults;
        self
    }

    /// What goes wrong with a request.
    fn draw(&mut self, number: u64, method: &str, path: &str) -> Option<&'static Catalogued> {
        let mut dice = Dice(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if self.left == 0 || dice.below(100) >= self.percent {
            return None;
        }
        let fitting = || self.kinds.iter().filter(|kind| kind.fits.holds(method, path));
        let all: u64 = fitting().map(|kind| kind.share).sum();
        let mut drawn = dice.below(all.max(1));
        let kind = fitting().find(|kind| match drawn.checked_sub(kind.share) {
            Some(rest) => {
                drawn = rest;
                false
            }
            None => true,
        });
        self.left -= u64::from(kind.is_some());
        kind.copied()
    }
}

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// The faults that a test has called for, those drawn from a seed, and the count of requests. A clone is the same handle.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    planned: Arc<Mutex<Planned>>,
}

#[derive(Debug, Default)]
struct Planned {
    seen: u64,
    faults: Vec<(Trigger, Fault)>,
    seeded: Option<Seeded>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Number(u64),
    Next(&'static str),
}

impl Faults {
    /// Breaks so many of 100 requests, drawn from a seed.
    pub fn seeded(seed: u64, percent: u64) -> Self {
        let faults = Self::default();
        faults.begin(Seeded::new(seed, percent));
        faults
    }

    /// Breaks requests drawn from a seed from now on, instead of those drawn before.
    pub fn begin(&self, seeded: Seeded) {
        self.planned().seeded = Some(seeded);
    }

    /// Breaks the request of this number, counted from 1 since the start.
    pub fn at(&self, number: u64, fault: Fault) {
        self.planned().faults.push((Trigger::Number(number), fault));
    }

    /// Breaks the next request with this HTTP method (`"POST"`); called twice, the next two.
    pub fn next(&self, method: &'static str, fault: Fault) {
        self.planned().faults.push((Trigger::Next(method), fault));
    }

    /// Takes back all faults that have not happened yet.
    pub fn clear(&self) {
        let mut planned = self.planned();
        planned.faults.clear();
        planned.seeded = None;
    }

    /// How many requests have come so far.
    pub fn seen(&self) -> u64 {
        self.planned().seen
    }

    /// Counts a request: its number, and what goes wrong with it. What was called for goes before what is drawn.
    pub(super) fn count(&self, method: &str, path: &str) -> (u64, Option<Fault>) {
        let mut planned = self.planned();
        planned.seen += 1;
        let number = planned.seen;
        let due = planned.faults.iter().position(|(trigger, _)| match trigger {
            Trigger::Number(wanted) => *wanted == number,
            Trigger::Next(wanted) => *wanted == method,
        });
        let fault = match due {
            Some(index) => Some(planned.faults.remove(index).1),
            None => planned
                .seeded
                .as_mut()
                .and_then(|seeded| seeded.draw(number, method, path))
                .map(|kind| kind.fault),
        };
        (number, fault)
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// Its name in the log: that of the catalogue, where it is listed there.
    pub fn name(self) -> &'static str {
        let listed = CATALOGUE.iter().find(|known| known.fault == self);
        listed.map_or("called-for", |known| known.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_once() {
        let faults = Faults::default();
        faults.at(2, Fault::DropBefore);
        faults.next("PUT", Fault::TruncateAnswer);
        assert_eq!(faults.count("GET", ""), (1, None));
        assert_eq!(faults.count("GET", ""), (2, Some(Fault::DropBefore)));
        assert_eq!(faults.count("PUT", ""), (3, Some(Fault::TruncateAnswer)));
        assert_eq!(faults.count("PUT", ""), (4, None));
    }

    #[test]
    fn a_draw_depends_on_seed_and_number_alone() {
        let draw = |seed: u64, percent: u64| -> Vec<Option<&str>> {
            let mut seeded = Seeded::new(seed, percent);
            (1..=400)
                .map(|number| seeded.draw(number, "POST", "Goal").map(|kind| kind.name))
                .collect()
        };
        assert_eq!(draw(7, 30), draw(7, 30));
        assert_ne!(draw(7, 30), draw(8, 30));
        let broken = draw(7, 30).iter().flatten().count();
        assert!((80..160).contains(&broken), "{broken}");
        assert_eq!(draw(7, 0).iter().flatten().count(), 0);
        assert!(draw(7, 100).iter().all(Option::is_some));
    }

    #[test]
    fn faults_can_be_limited() {
        let mut seeded = Seeded::new(1, 100).only(&["answer-lost"]).at_most(3);
        let drawn: Vec<_> = (1..=9).filter_map(|number| seeded.draw(number, "GET", "")).collect();
        assert_eq!(drawn.iter().map(|kind| kind.name).collect::<Vec<_>>(), ["answer-lost"; 3]);
        let mut seeded = Seeded::new(1, 100).quick().without(&["answer-lost"]);
        for number in 1..=2_000 {
            let kind = seeded.draw(number, "PUT", "Goal/1").unwrap();
            assert!(!kind.is_slow && kind.name != "answer-lost");
        }
    }
}
