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

mod arrange;
mod bend;
pub mod candidate;
mod create;
mod edition;
mod forecast;
pub mod hand_off;
mod identity;
mod listing;
mod look_up;
mod offer;
mod order;
mod patient;
mod reading;
mod reference;
mod report;
mod round;
mod run;
mod settle;
mod shape;
mod update;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::client::Client;
use crate::fhir::Resource;
use crate::ipt::Plan;
use crate::mapping::note::{self, Note};
use crate::mapping::{self, Options, Part, Section};
use crate::store::{self, Link, ReferenceLink, Store, Writer};
use crate::vendor::{Allow, Kind, Overrides, Pack};

use offer::Offer;

pub use forecast::{Forecast, Share, Types, forecast};
pub use identity::client_digest;
pub use patient::{PatientFault, check_linked, check_patient, patient_marks};
pub use reference::{ReferenceFault, check_reference, check_target, reference_marks};
pub use report::{
    Conflict, Denial, Done, Failure, ItemReport, ItemState, Narrowed, Needed, Outcome, Package,
    Placed, Progress, RecordReport, Report, Stop,
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
    /// What is known of its vendor's servers.
    pub pack: Option<&'a Pack>,
    /// What the operator knows better than statement, scopes and pack.
    pub overrides: &'a Overrides,
    /// What may be sent otherwise than as the resources themselves.
    pub allow: &'a Allow,
    /// Where packages go that a person carries over.
    pub hand_off: &'a Path,
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
    /// Which kind of content a resource is part of; what is not listed is told by its type.
    pub kinds: BTreeMap<Uuid, Kind>,
    /// The plan as it was mapped: notes and packages are made of it where the EHR takes no structure.
    pub source: Option<Source>,
    /// What is told as notes.
    pub notes: Vec<Note>,
    /// What a person linked beside the Patient: visits, Practitioners.
    pub references: Vec<ReferenceLink>,
    /// What the policy withheld: in each section, at how many places.
    pub withheld: BTreeMap<Section, usize>,
}

/// A plan and how it is mapped.
#[derive(Clone)]
pub struct Source {
    /// The plan.
    pub plan: Plan,
    /// How.
    pub options: Options,
}

/// A plan is a person's; its `Debug` says nothing of it.
impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Source [phi]")
    }
}

impl Record {
    /// A record, mapped, with what a person linked.
    pub fn new(link: Link, plan: &Plan, options: &Options, references: Vec<ReferenceLink>) -> Self {
        let source = Some(Source { plan: plan.clone(), options: options.clone() });
        let mapped = mapping::to_fhir(plan, options);
        let mut withheld = BTreeMap::new();
        for found in &mapped.withheld {
            *withheld.entry(found.section).or_default() += 1;
        }
        let mapped = mapped.resources;
        let kinds = mapped.iter().filter_map(|one| Some((one.item, kind_of(one.part)?))).collect();
        Self {
            plan: store::digest(&plan.id),
            resources: mapped.into_iter().map(|one| (one.item, one.resource)).collect(),
            kinds,
            source,
            notes: note::notes(plan, options),
            references,
            withheld,
            link,
        }
    }

    /// Resources that stand for a record, without notes.
    pub fn of_resources(link: Link, plan: String, resources: Vec<(Uuid, Resource)>) -> Self {
        let (kinds, withheld) = (BTreeMap::new(), BTreeMap::new());
        let (notes, references) = (Vec::new(), Vec::new());
        Self { link, plan, resources, kinds, source: None, notes, references, withheld }
    }
}

/// The kind of content that a part of a record is on the ladder; none for persons, who are linked and not sent.
pub const fn kind_of(part: Part) -> Option<Kind> {
    match part {
        Part::Person => None,
        Part::Plan => Some(Kind::Plan),
        Part::Session => Some(Kind::Session),
        Part::Diagnosis => Some(Kind::Diagnosis),
        Part::Score => Some(Kind::Scores),
    }
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
    let (mut ended, mut offer) = match offer(ehr, writer).await {
        Ok(offer) => (None, offer),
        Err(stop) => (Some(stop), Offer::unknown(ehr.overrides)),
    };
    for (index, record) in records.iter().enumerate() {
        progress(Progress::Record { number: index + 1, of: records.len() });
        let done = match ended.take() {
            Some(stop) => stopped(record, stop),
            None => Box::pin(run::record(ehr, writer, &mut offer, record, progress)).await,
        };
        if done.stopped.as_ref().is_some_and(Stop::ends_run) {
            ended = Some(Stop::NotTried);
        }
        report.records.push(done);
    }
    report.refusals = offer.into_refusals((ehr.now)());
    if let Some(writer) = writer {
        for refusal in &report.refusals {
            if let Err(error) = writer.learn_refusal(ehr.base_url, refusal).await {
                // The next run finds out again.
                tracing::warn!("a refusal of the server is not kept: {error}");
            }
        }
    }
    report
}

/// What the EHR offers: its statement, which a run that writes keeps, the scopes of our token, and what else is known.
async fn offer<'a>(ehr: &Ehr<'a>, writer: Option<&Writer<'_>>) -> Result<Offer<'a>, Stop> {
    let (capability, statement) = reading::repeated(|| ehr.client.capabilities()).await?;
    let now = (ehr.now)();
    if writer.is_some() {
        ehr.store.keep_capability(ehr.name, ehr.base_url, &statement, now).await?;
    }
    let believed = ehr.store.refusals(ehr.name, ehr.base_url, now).await?;
    let login = reading::repeated(|| ehr.client.login()).await?;
    let scopes = login.and_then(|login| login.scopes());
    Ok(Offer::new(capability, scopes, ehr.pack, ehr.overrides, believed))
}

/// The report of a record for which nothing was done.
fn stopped(record: &Record, stop: Stop) -> RecordReport {
    RecordReport {
        plan: record.link.plan.clone(),
        patient: record.link.patient.clone(),
        placements: Vec::new(),
        withheld: record.withheld.clone(),
        package: None,
        items: Vec::new(),
        stopped: Some(stop),
    }
}
