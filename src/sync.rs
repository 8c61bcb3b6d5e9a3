//! Bringing the resources of linked records into an EHR, each exactly once, and overwriting nobody.
//!
//! A run goes in rounds. Each looks up what the EHR holds of a record (one search per type, by our identifiers),
//! settles what earlier writes came to (`settle`), decides for each resource ([`crate::merge::decide`]), and
//! writes; the look-up of the next round is the reading back. The run ends with a round that finds nothing to
//! write, so what a report calls in sync was read, not hoped. Requests that were sent stand in the store's outbox
//! before their first byte; a run that is killed anywhere is finished by the next one.
//!
//! What is never done: creating without a condition where the server knows conditions; updating or deleting by a
//! condition (HAPI ignores If-Match there); updating what was not read just before; creating again what is gone;
//! deleting; choosing between an edit in the EHR and one in the record; trusting a position in an answer.
//!
//! What can't be had: a server without conditional create and with a proxy before it that delivers a request twice
//! can get a second copy. It is found by the next look-up, shown with both ids, and the plan stops.

mod create;
mod identity;
mod look_up;
mod offer;
mod order;
mod patient;
mod reading;
mod report;
mod round;
mod run;
mod settle;
mod update;

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::client::Client;
use crate::fhir::{Capability, Resource};
use crate::store::{self, Link, Store, Writer};

use offer::Offer;

pub use identity::client_digest;
pub use patient::{PatientFault, check_patient, patient_marks};
pub use report::{
    Conflict, Done, Failure, ItemReport, ItemState, Outcome, Progress, RecordReport, Refusal,
    Report, Stop,
};

/// One EHR and all that a run needs of the world.
pub struct Ehr<'a> {
    /// Its name in the configuration.
    pub name: &'a str,
    /// Its base URL, as links hold it.
    pub base_url: &'a str,
    /// The way to it.
    pub client: &'a Client,
    /// The ledger.
    pub store: &'a Store,
    /// How long a request may still be executing after we stopped waiting for its answer, whether a time limit or a
    /// broken connection ended that, or the end of the process. 0 only for a server in this process or on this machine.
    pub settle: Duration,
    /// How many entries a transaction may have, where that is known.
    pub max_entries: Option<usize>,
    /// How many it may have if any of them is a conditional create, where that is known: 8 at Medplum.
    pub max_conditional_entries: Option<usize>,
    /// The time.
    pub now: &'a (dyn Fn() -> jiff::Timestamp + Sync),
}

/// A linked record, mapped.
#[derive(Debug, Clone)]
pub struct Record {
    /// The link.
    pub link: Link,
    /// The [`store::digest`] of the plan id that the record bears now.
    pub plan: String,
    /// Its resources by item; references among them are `urn:uuid:` and the item.
    pub resources: Vec<(Uuid, Resource)>,
}

impl fmt::Debug for Ehr<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ehr").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Shows what [`apply`] would do. Nothing is written, neither to the EHR nor to the store.
pub async fn plan(
    ehr: &Ehr<'_>,
    records: &[Record],
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Report {
    run(ehr, None, records, progress).await
}

/// Brings the records into the EHR.
///
/// # Errors
/// [`store::Error::Locked`] if another process is writing to this EHR, and what else the store says to taking its
/// lock. What happens later stands in the report, because by then something may have been sent.
pub async fn apply(
    ehr: &Ehr<'_>,
    records: &[Record],
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Result<Report, store::Error> {
    let writer = ehr.store.writer(ehr.name).await?;
    Ok(run(ehr, Some(&writer), records, progress).await)
}

async fn run(
    ehr: &Ehr<'_>,
    writer: Option<&Writer<'_>>,
    records: &[Record],
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Report {
    let mut report = Report { ehr: ehr.name.to_owned(), ..Report::default() };
    let (mut ended, capability) = match reading::repeated(|| ehr.client.capabilities()).await {
        Ok((capability, _)) => (None, capability),
        Err(error) => (Some(Stop::Server(error)), Capability::default()),
    };
    let mut offer = Offer::new(capability, ehr.max_entries, ehr.max_conditional_entries);
    for (index, record) in records.iter().enumerate() {
        progress(Progress::Record { number: index + 1, of: records.len() });
        let done = match ended.take() {
            Some(stop) => stopped(record, stop),
            None => run::record(ehr, writer, &mut offer, record, progress).await,
        };
        if done.stopped.as_ref().is_some_and(Stop::ends_run) {
            ended = Some(Stop::NotTried);
        }
        report.records.push(done);
    }
    report.refusals = offer.into_refusals();
    report
}

/// The report of a record for which nothing was done.
fn stopped(record: &Record, stop: Stop) -> RecordReport {
    RecordReport {
        plan: record.link.plan.clone(),
        patient: record.link.patient.clone(),
        items: Vec::new(),
        stopped: Some(stop),
    }
}
