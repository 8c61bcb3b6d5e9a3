//! How this server behaves: what real servers differ in, and the faults that a test calls for.
//!
//! Every request passes one [`Behaviour`] value; what it allows is what the CapabilityStatement says. Later
//! personalities (a server that searches nothing, one that answers late) are other values of it, not other code.
//! [`Faults`] break single requests on purpose: the answer is lost after the write was made, or cut in the middle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::quirk::Quirks;

/// What real servers differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a server")]
pub struct Behaviour {
    /// Where the ids of created resources come from.
    pub ids: Ids,
    /// Whether a reference to a resource that is not here refuses the write (400), and a resource that others
    /// refer to can't be deleted (409). R4 leaves it to the server; HAPI does the same.
    pub referential_integrity: bool,
    /// Whether a transaction Bundle is taken; without it 501.
    pub transactions: bool,
    /// Whether `If-None-Exist` is taken; without it 400.
    pub conditional_create: bool,
    /// Whether `identifier` is a search parameter.
    pub search_by_identifier: bool,
    /// Types that this server does not take: it does not list them and answers 404.
    pub without: Vec<&'static str>,
    /// Where it leaves the specification.
    pub quirks: Quirks,
}

impl Default for Behaviour {
    /// A server that can all of it and gives random ids.
    fn default() -> Self {
        Self {
            ids: Ids::Random,
            referential_integrity: true,
            transactions: true,
            conditional_create: true,
            search_by_identifier: true,
            without: Vec::new(),
            quirks: Quirks::default(),
        }
    }
}

/// Where the ids of created resources come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ids {
    /// 16 letters and digits with 80 random bits: an id is never given twice, whatever the server forgets.
    #[default]
    Random,
    /// `1`, `2`, `3`, … for all types together. A server restored empty gives the same ids to other resources:
    /// a danger that a client must survive, so tests need a server that does it.
    Counting,
}

impl Ids {
    /// The next id; `counter` is the last number given.
    pub(super) fn next(self, counter: &mut u64) -> String {
        match self {
            Self::Random => random(),
            Self::Counting => {
                *counter += 1;
                counter.to_string()
            }
        }
    }
}

/// 16 letters and digits (base 32) of 80 random bits.
pub(super) fn random() -> String {
    let bits = uuid::Uuid::new_v4().as_u128();
    // Of a UUID's bits those that its version and variant do not fix: the first 48 and the last 32.
    let (high, low) = (bits >> 80, bits & 0xffff_ffff);
    let bits = (high << 32) | low;
    let digit = |place: u32| char::from_digit((bits >> (place * 5) & 31) as u32, 32);
    (0..16).filter_map(digit).collect()
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this status before anything is done; 429 and 503 bear `Retry-After: 1`.
    RefuseBefore(u16),
    /// The connection is closed before anything is done.
    DropBefore,
    /// All is done; then the connection is closed without an answer.
    LoseAnswerAfterApply,
    /// All is done; the connection is closed in the middle of the answer's body.
    TruncateAnswer,
    /// All is done; the answer comes later by this time.
    DelayAnswer(Duration),
}

/// The faults that a test has called for, and the count of requests. A clone is the same handle.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    planned: Arc<Mutex<Planned>>,
}

#[derive(Debug, Default)]
struct Planned {
    seen: u64,
    faults: Vec<(Trigger, Fault)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Number(u64),
    Next(&'static str),
}

impl Faults {
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
        self.planned().faults.clear();
    }

    /// How many requests have come so far.
    pub fn seen(&self) -> u64 {
        self.planned().seen
    }

    /// Counts a request: its number, and what goes wrong with it.
    pub(super) fn count(&self, method: &str) -> (u64, Option<Fault>) {
        let mut planned = self.planned();
        planned.seen += 1;
        let number = planned.seen;
        let due = planned.faults.iter().position(|(trigger, _)| match trigger {
            Trigger::Number(wanted) => *wanted == number,
            Trigger::Next(wanted) => *wanted == method,
        });
        (number, due.map(|index| planned.faults.remove(index).1))
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_ids_and_differ() {
        let ids: std::collections::BTreeSet<String> = (0..1000).map(|_| random()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 16 && crate::fhir::resource::is_id(id)));
    }

    #[test]
    fn a_fault_happens_once() {
        let faults = Faults::default();
        faults.at(2, Fault::DropBefore);
        faults.next("PUT", Fault::TruncateAnswer);
        assert_eq!(faults.count("GET"), (1, None));
        assert_eq!(faults.count("GET"), (2, Some(Fault::DropBefore)));
        assert_eq!(faults.count("PUT"), (3, Some(Fault::TruncateAnswer)));
        assert_eq!(faults.count("PUT"), (4, None));
    }
}
