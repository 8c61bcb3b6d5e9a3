//! The run for one record: its rounds, and what it knows between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;

use crate::client::{self, Versioned};
use crate::fhir::reference::for_each_reference;
use crate::fhir::{Resource, ResourceId};
use crate::mapping;
use crate::merge::{Change, changes};
use crate::store::{Link, Operation, Shadow, State, Writer};
use crate::vendor::{Kind, Transport};

use super::arrange::forms;
use super::edition::footer_of;
use super::identity::{Item, Ties, client_digest, resolve, targets};
use super::listing::Opening;
use super::offer::Offer;
use super::patient::{PatientFault, check_linked};
use super::reading::{pause, repeated};
use super::reference::{ReferenceFault, check_reference};
use super::report::{Done, Failure, ItemReport, ItemState, Placed, Progress, RecordReport, Stop};
use super::round::Position;
use super::{Ehr, Record};

/// Rounds in one run that bring nothing new. What needs more than these is finished by the next run.
const ROUNDS: usize = 10;
/// How often one resource is sent in one run.
pub(super) const TRIES: u32 = 4;
/// How often requests may fail to leave, or be turned away as too many, in the run of one record.
const POSTPONEMENTS: u32 = 4;

/// What is known during the run for one record.
pub(super) struct Run<'a, 'p> {
    pub(super) ehr: &'a Ehr<'a>,
    /// Nothing if this run only looks.
    pub(super) writer: Option<&'a Writer<'a>>,
    pub(super) offer: &'p mut Offer<'a>,
    pub(super) link: &'a Link,
    pub(super) record: &'a Record,
    /// What ties resources to the Patient of the link.
    pub(super) ties: Ties<'a>,
    /// Resources of the EHR that a person linked with items of the record: they stand in the place of ours.
    pub(super) linked: BTreeMap<Uuid, ResourceId>,
    /// The items as they are to be written, by what the server takes ([`Self::arrange`]).
    pub(super) items: Vec<Item>,
    /// The items as the record has them.
    pub(super) whole: Vec<Item>,
    /// How each kind goes.
    pub(super) placements: Vec<Placed>,
    /// Items that the server does not take, and has none of.
    pub(super) not_taken: BTreeMap<Uuid, Failure>,
    /// Items that go as a part of a note or a package, or not at all.
    pub(super) told_as_text: BTreeSet<Uuid>,
    /// The elements in which an item says other than the record, because the server takes it only so.
    pub(super) bends: BTreeMap<Uuid, Vec<String>>,
    /// Items that are notes, and their kind.
    pub(super) notes: BTreeMap<Uuid, Kind>,
    /// Editions of notes that others have replaced.
    pub(super) past: BTreeSet<Uuid>,
    /// Notes that were drawn in this run, by place and edition.
    pub(super) drawn: BTreeMap<(Uuid, u32), Resource>,
    /// The ids that the chart has of each type that was listed.
    pub(super) listed: BTreeMap<String, BTreeSet<String>>,
    /// Documents that were opened, by id and version.
    pub(super) opened: BTreeMap<(ResourceId, Option<String>), Opening>,
    /// Notes that may be in a document that could not be read: not found, and not absent.
    pub(super) unproven: BTreeSet<Uuid>,
    /// When the run began, to the second: the date of new editions.
    pub(super) now: jiff::Timestamp,
    pub(super) shadows: BTreeMap<Uuid, Shadow>,
    pub(super) operations: BTreeMap<Uuid, Operation>,
    /// What the last look-up found, for each item that was looked up.
    pub(super) found: BTreeMap<Uuid, Vec<Versioned>>,
    /// Items that must be looked up before anything is said of them.
    pub(super) stale: BTreeSet<Uuid>,
    /// Operations that the server answered, so that they are not executing any more.
    pub(super) answered: BTreeSet<Uuid>,
    /// Among them conditional creates in a transaction that it refused: they may be sent again at once.
    pub(super) refused: BTreeSet<Uuid>,
    /// Ids that answers named as created by us.
    pub(super) made: BTreeSet<ResourceId>,
    /// Versions that answers to our writes named.
    pub(super) acknowledged: BTreeMap<ResourceId, String>,
    /// Where an answer said that a created item is: a hint until it was read.
    pub(super) located: BTreeMap<Uuid, ResourceId>,
    /// Items of which the EHR holds something that can't be traced to us.
    pub(super) unexplained: BTreeSet<Uuid>,
    pub(super) failed: BTreeMap<Uuid, Failure>,
    pub(super) tries: BTreeMap<Uuid, u32>,
    pub(super) done: BTreeMap<Uuid, Done>,
    /// How creates go; one by one where there is nothing better, or it was refused.
    pub(super) transport: Transport,
    postponements: u32,
    pub(super) progress: &'p mut (dyn FnMut(Progress) + Send + Sync),
}

/// Runs for one record, to the end or to what stops it.
pub(super) async fn record<'a>(
    ehr: &'a Ehr<'a>,
    writer: Option<&'a Writer<'a>>,
    offer: &mut Offer<'a>,
    record: &'a Record,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> RecordReport {
    let mut run = match prepare(ehr, writer, offer, record, progress).await {
        Ok(run) => run,
        Err(stop) => return super::stopped(record, stop),
    };
    let mut positions = Vec::new();
    let mut stopped = run.rounds(&mut positions).await.err();
    let mut package = None;
    if stopped.is_none() {
        match run.package().await {
            Ok(made) => package = made,
            Err(stop) => stopped = Some(stop),
        }
    }
    let mut report = run.report(&record.link, positions, stopped);
    report.package = package;
    report
}

async fn prepare<'a, 'p>(
    ehr: &'a Ehr<'a>,
    writer: Option<&'a Writer<'a>>,
    offer: &'p mut Offer<'a>,
    record: &'a Record,
    progress: &'p mut (dyn FnMut(Progress) + Send + Sync),
) -> Result<Run<'a, 'p>, Stop> {
    let link = &record.link;
    if link.base_url != ehr.base_url || link.ehr != ehr.name {
        return Err(Stop::OtherServer);
    }
    if link.plan != record.plan {
        return Err(Stop::OtherRecord);
    }
    if link.client != client_digest(&record.resources) {
        return Err(Stop::OtherClient);
    }
    // Read again under the lock: it may have been corrected after the records were loaded.
    if writer.is_some() && ehr.store.link_of(ehr.name, &link.plan).await?.as_ref() != Some(link) {
        return Err(Stop::LinkChanged);
    }
    // A visit or therapist at another EHR, or of another record, has the same form.
    if record.references.iter().any(|one| one.ehr != link.ehr || one.plan != link.plan) {
        return Err(Stop::OtherRecord);
    }
    if writer.is_some() && !record.references.is_empty() {
        let linked = ehr.store.reference_links(ehr.name, &link.plan).await?;
        if !record.references.iter().all(|one| linked.contains(one)) {
            return Err(Stop::LinkChanged);
        }
    }
    let ties = Ties::of(record)?;
    let mut whole = ties.items(&record.resources)?;
    let ledger = ehr.store.ledger(ehr.name, &link.plan).await?;
    let shadows: BTreeMap<_, _> =
        ledger.shadows.into_iter().map(|shadow| (shadow.item, shadow)).collect();
    let operations: BTreeMap<_, _> =
        ledger.operations.into_iter().map(|operation| (operation.item, operation)).collect();
    let scores: Vec<_> = whole.iter().map(|item| (item.uuid, &item.local)).collect();
    let forms: Vec<Uuid> = forms(&scores).into_iter().map(|(form, _)| form).collect();
    let slots = record.notes.iter().map(|note| note.slot);
    let own: BTreeSet<Uuid> =
        whole.iter().map(|item| item.uuid).chain(slots).chain(forms).collect();
    let known: BTreeSet<Uuid> = shadows.keys().chain(operations.keys()).copied().collect();
    if !known.is_empty() && own.is_disjoint(&known) {
        return Err(Stop::IdentityChanged);
    }
    whole.extend(superseded(&whole, &shadows));
    // What else there is to look up tells the arrangement: what goes as text only was never there as itself.
    let stale = shadows.keys().chain(operations.keys()).copied().collect();
    let visits = record.references.iter().filter(|one| one.target.resource_type() == "Encounter");
    let linked = visits.map(|one| (one.item, one.target.clone())).collect();
    let now = (ehr.now)();
    let now = now.round(jiff::Unit::Second).unwrap_or(now);
    offer.begin_record();
    Ok(Run {
        ehr,
        writer,
        transport: offer.transport(),
        offer,
        link,
        record,
        ties,
        linked,
        items: Vec::new(),
        whole,
        placements: Vec::new(),
        not_taken: BTreeMap::new(),
        told_as_text: BTreeSet::new(),
        bends: BTreeMap::new(),
        notes: BTreeMap::new(),
        past: BTreeSet::new(),
        drawn: BTreeMap::new(),
        listed: BTreeMap::new(),
        opened: BTreeMap::new(),
        unproven: BTreeSet::new(),
        now,
        shadows,
        operations,
        found: BTreeMap::new(),
        stale,
        answered: BTreeSet::new(),
        refused: BTreeSet::new(),
        made: BTreeSet::new(),
        acknowledged: BTreeMap::new(),
        located: BTreeMap::new(),
        unexplained: BTreeSet::new(),
        failed: BTreeMap::new(),
        tries: BTreeMap::new(),
        done: BTreeMap::new(),
        postponements: 0,
        progress,
    })
}

/// What was written for a session that has gone on since: the Appointment of one that was held must not stay booked.
fn superseded(items: &[Item], shadows: &BTreeMap<Uuid, Shadow>) -> Vec<Item> {
    let now: Vec<&Resource> = items.iter().map(|item| &item.local).collect();
    let left_out =
        shadows.values().filter(|shadow| items.iter().all(|item| item.uuid != shadow.item));
    left_out
        .filter_map(|shadow| {
            let local = mapping::superseded(shadow.local.as_ref()?, &now)?;
            Some(Item { uuid: shadow.item, local })
        })
        .collect()
}

impl Run<'_, '_> {
    /// Goes round until there is nothing to write and nothing on its way. What was found last stays in `positions`.
    async fn rounds(&mut self, positions: &mut Vec<(Uuid, Position)>) -> Result<(), Stop> {
        let (mut known, mut rounds_left) = (0, ROUNDS);
        while rounds_left > 0 {
            self.wait_to_settle().await;
            self.check_patient().await?;
            self.survey().await?;
            *positions = self.decide().await?;
            let Some(writer) = self.writer else { return Ok(()) };
            // Within a plan, a duplicate or a riddle stops all writing until a person has looked.
            if positions.iter().any(|(_, position)| position.is_riddle()) {
                return Ok(());
            }
            self.check_references(positions).await?;
            let has_written = self.write(writer, positions).await?;
            let is_open = |operation: &Operation| operation.state != State::Mediated;
            if !has_written && !self.operations.values().any(is_open) {
                return Ok(());
            }
            self.stale.extend(self.operations.keys());
            // A long record in short transactions takes many rounds, and each brings something.
            let taken_in = self.operations.values().filter(|one| !is_open(one)).count();
            let now = self.shadows.len() + self.done.len() + self.failed.len() + taken_in;
            rounds_left = if now > known { ROUNDS } else { rounds_left - 1 };
            known = now;
        }
        Ok(())
    }

    /// Looks up all that may be written, arranged by what the server takes; what that shows may call for another
    /// arrangement, and for the look-up of what is new in it.
    async fn survey(&mut self) -> Result<(), Stop> {
        let mut has_settled = false;
        loop {
            self.arrange()?;
            let unseen = self.items.iter().map(|item| item.uuid);
            self.stale.extend(unseen.filter(|item| !self.found.contains_key(item)));
            self.stale.retain(|item| !self.past.contains(item));
            if self.stale.is_empty() && has_settled {
                return Ok(());
            }
            self.look_up().await?;
            if !has_settled {
                self.settle_operations().await?;
                has_settled = true;
            }
            self.adopt().await?;
        }
    }

    /// Waits until no operation of unknown outcome can be executing any more.
    async fn wait_to_settle(&mut self) {
        if self.writer.is_none() {
            return;
        }
        let now = (self.ehr.now)();
        let left = self
            .operations
            .values()
            .filter(|operation| !self.answered.contains(&operation.item))
            .filter(|operation| operation.state != State::Mediated)
            .map(|operation| left_to_settle(operation, now, self.ehr))
            .max()
            .unwrap_or_default();
        if left > Duration::ZERO {
            (self.progress)(Progress::Settling(left));
            tokio::time::sleep(left).await;
        }
    }

    /// When a request that is sent now has its time limit behind it.
    pub(super) fn end_of_waiting(&self) -> jiff::Timestamp {
        let now = (self.ehr.now)();
        now.checked_add(self.ehr.client.timeout()).unwrap_or(now)
    }

    /// Notes that nobody waits any more for the answers to these operations: from now on they settle.
    pub(super) async fn gave_up(&mut self, items: &[Uuid]) -> Result<(), Stop> {
        self.become_of(items, State::Ambiguous).await
    }

    /// Notes that the server took an operation in, to be decided on there.
    pub(super) async fn taken_in(&mut self, item: Uuid) -> Result<(), Stop> {
        self.answered.insert(item);
        self.become_of(&[item], State::Mediated).await
    }

    async fn become_of(&mut self, items: &[Uuid], state: State) -> Result<(), Stop> {
        let waited_until = (self.ehr.now)();
        let mut operations = Vec::new();
        for operation in items.iter().filter_map(|item| self.operations.get(item)) {
            operations.push(Operation { state, waited_until, ..operation.clone() });
        }
        if let Some(writer) = self.writer {
            writer.begin(&self.link.plan, &operations).await?;
        }
        self.operations.extend(operations.into_iter().map(|operation| (operation.item, operation)));
        Ok(())
    }

    /// Reads the Patient again (W2): at the beginning of each round, and before each request that writes.
    async fn check_patient(&self) -> Result<(), Stop> {
        let (client, id) = (self.ehr.client, &self.link.patient);
        match repeated(|| client.read(id)).await {
            Ok(patient) => check_linked(&patient.resource, self.link).map_err(Stop::Patient),
            Err(client::Error::NotFound { .. }) => Err(Stop::Patient(PatientFault::Gone)),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads again what a person linked and what is to be written refers to: before each round that writes (W2, W3). The
    /// visits among it are read before each request ([`Self::check_again`]).
    async fn check_references(&self, positions: &[(Uuid, Position)]) -> Result<(), Stop> {
        let bodies = positions.iter().filter_map(|(item, position)| match position {
            Position::Create => self.item(*item).map(|item| &item.local),
            Position::Update(body, _) => Some(&**body),
            Position::At(_) => None,
        });
        let used = references(bodies);
        let is_visit = |id: &ResourceId| id.resource_type() == "Encounter";
        self.check_linked_references(&used, |target| !is_visit(target)).await
    }

    /// Reads the Patient again, and each visit that the bodies of the next request refer to: right before it goes (W2, W3).
    pub(super) async fn check_again<'r>(
        &self,
        bodies: impl IntoIterator<Item = &'r Resource>,
    ) -> Result<(), Stop> {
        self.check_patient().await?;
        let used = references(bodies);
        let is_visit = |id: &ResourceId| id.resource_type() == "Encounter";
        self.check_linked_references(&used, is_visit).await?;
        let is_linked = |id: &ResourceId| self.linked.values().any(|linked| linked == id);
        let own = used.iter().filter_map(|text| text.parse().ok());
        for id in own.filter(|id| is_visit(id) && !is_linked(id)) {
            if let Some(visit) = self.read(&id).await? {
                self.check_subject(&visit)?;
            }
        }
        Ok(())
    }

    /// Checks those of the links that are used and wanted.
    async fn check_linked_references(
        &self,
        used: &BTreeSet<String>,
        is_wanted: impl Fn(&ResourceId) -> bool,
    ) -> Result<(), Stop> {
        for reference in &self.record.references {
            let target = &reference.target;
            if !used.contains(&target.to_string()) || !is_wanted(target) {
                continue;
            }
            let fault = match self.read(target).await? {
                Some(found) => check_reference(&found.resource, reference, self.link).err(),
                None => Some(ReferenceFault::Gone),
            };
            if let Some(fault) = fault {
                return Err(Stop::Reference(target.clone(), fault));
            }
        }
        Ok(())
    }

    /// Waits after a request that did not leave or was turned away; stops if that happens too often.
    pub(super) async fn postpone(&mut self, error: client::Error) -> Result<(), Stop> {
        self.postponements += 1;
        match pause(&error, self.postponements) {
            Some(pause) if self.postponements <= POSTPONEMENTS => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            _ => Err(error.into()),
        }
    }

    /// The items with an id in the EHR, by what ledger and look-up say.
    pub(super) fn ids(&self) -> BTreeMap<Uuid, ResourceId> {
        let found = self.found.iter().filter_map(|(item, found)| match found.as_slice() {
            [one] => Some((*item, one.id.clone())),
            _ => None,
        });
        let known = self.shadows.iter().map(|(item, shadow)| (*item, shadow.id.clone()));
        found.chain(known).collect()
    }

    /// The kind of content of which an item is a part.
    pub(super) fn kind_of(&self, uuid: Uuid) -> Kind {
        let told = self.record.kinds.get(&uuid).or_else(|| self.notes.get(&uuid)).copied();
        told.unwrap_or_else(|| match self.type_of(uuid).as_str() {
            "Condition" => Kind::Diagnosis,
            "Encounter" | "Appointment" | "Procedure" | "Task" | "Flag" => Kind::Session,
            "QuestionnaireResponse" => Kind::Scores,
            _ => Kind::Plan,
        })
    }

    pub(super) fn item(&self, uuid: Uuid) -> Option<&Item> {
        self.items.iter().find(|item| item.uuid == uuid)
    }

    pub(super) fn is_in_record(&self, uuid: Uuid) -> bool {
        self.item(uuid).is_some()
    }

    pub(super) fn type_of(&self, uuid: Uuid) -> String {
        let of = |items: &'_ [Item]| {
            let found = items.iter().find(|item| item.uuid == uuid);
            found.map(|item| item.local.resource_type().to_owned())
        };
        let item = of(&self.items).or_else(|| of(&self.whole));
        item.or_else(|| Some(self.shadows.get(&uuid)?.id.resource_type().to_owned()))
            .or_else(|| Some(self.operations.get(&uuid)?.body.resource_type().to_owned()))
            .unwrap_or_default()
    }

    /// Keeps what was agreed: in the ledger if this run writes, and for the rest of the run.
    pub(super) async fn keep(&mut self, agreed: Vec<Shadow>) -> Result<(), Stop> {
        if agreed.is_empty() {
            return Ok(());
        }
        if let Some(writer) = self.writer {
            writer.acknowledge(&self.link.plan, &agreed).await?;
        }
        for shadow in agreed {
            self.operations.remove(&shadow.item);
            self.shadows.insert(shadow.item, shadow);
        }
        Ok(())
    }

    /// Forgets operations that had no effect and will have none.
    pub(super) async fn withdraw(&mut self, items: &[Uuid]) -> Result<(), Stop> {
        if items.is_empty() {
            return Ok(());
        }
        if let Some(writer) = self.writer {
            writer.withdraw(items).await?;
        }
        for item in items {
            self.operations.remove(item);
        }
        Ok(())
    }

    /// How an item stands of which an operation is open.
    pub(super) fn state_of_operation(&self, item: Uuid) -> ItemState {
        match self.operations.get(&item).map(|operation| operation.state) {
            Some(State::Mediated) => ItemState::Mediated,
            _ => ItemState::Unconfirmed,
        }
    }

    /// Where the base says something else than the record said when it was written.
    fn stored_otherwise(&self, item: Uuid, ids: &BTreeMap<Uuid, ResourceId>) -> Vec<Change> {
        let Some(shadow) = self.shadows.get(&item) else { return Vec::new() };
        let sent = shadow.local.as_ref().map(|local| resolve(local, ids));
        let mut changes = sent.map(|sent| changes(&sent, &shadow.base)).unwrap_or_default();
        // A note's content was opened when it was new: that it lies elsewhere now is no change of it.
        let key = (shadow.id.clone(), shadow.base_version.clone());
        let own = shadow.local.as_ref().and_then(footer_of);
        let is_so = |stored: &Opening| match (stored, &own) {
            (Opening::Ours(opened), Some(own)) => opened.footer == *own,
            _ => false,
        };
        if own.is_some() && self.opened.get(&key).is_none_or(is_so) {
            changes.retain(|change| !change.path.starts_with("DocumentReference.content"));
        }
        changes
    }

    /// To which items a resource would refer if the server took their kind.
    fn left_out(&self, item: Uuid) -> Vec<Uuid> {
        if self.not_taken.contains_key(&item) {
            return Vec::new();
        }
        let whole = self.whole.iter().find(|whole| whole.uuid == item);
        let targets = whole.map(|whole| targets(&whole.local)).unwrap_or_default();
        targets.into_iter().filter(|target| self.not_taken.contains_key(target)).collect()
    }

    fn report(
        mut self,
        link: &Link,
        positions: Vec<(Uuid, Position)>,
        stopped: Option<Stop>,
    ) -> RecordReport {
        let ids = self.ids();
        let riddle = positions.iter().find(|(_, position)| position.is_riddle());
        let riddle = riddle.map(|(item, _)| *item);
        let writes = self.writer.is_some();
        let items = positions
            .into_iter()
            .map(|(item, position)| ItemReport {
                item,
                resource_type: self.type_of(item),
                id: ids.get(&item).cloned(),
                done: self.done.get(&item).copied(),
                state: match position.into_state() {
                    conflict @ ItemState::Conflict(_) => conflict,
                    _ if self.failed.contains_key(&item) => {
                        self.failed.remove(&item).map_or(ItemState::Unconfirmed, ItemState::Failed)
                    }
                    _ if self.operations.contains_key(&item) => self.state_of_operation(item),
                    // A run that writes has nothing left that it would do.
                    ItemState::ToCreate | ItemState::ToUpdate(_) if writes => {
                        riddle.map_or(ItemState::Failed(Failure::NotTried), ItemState::BlockedBy)
                    }
                    state => state,
                },
                stored_otherwise: self.stored_otherwise(item, &ids),
                left_out: self.left_out(item),
                bent: self.bends.get(&item).cloned().unwrap_or_default(),
                note: self.notes.get(&item).copied(),
            })
            .collect();
        RecordReport {
            plan: link.plan.clone(),
            patient: link.patient.clone(),
            placements: self.placements_with_losses(),
            withheld: self.record.withheld.clone(),
            package: None,
            items,
            stopped,
        }
    }

    /// How each kind goes, and how many of its resources do not go as themselves.
    fn placements_with_losses(&self) -> Vec<Placed> {
        let mut placements = self.placements.clone();
        for placed in &mut placements {
            for item in &self.told_as_text {
                if self.kind_of(*item) == placed.kind {
                    *placed.lost.entry(self.type_of(*item)).or_default() += 1;
                }
            }
        }
        placements
    }
}

/// All that resources refer to, as they write it.
fn references<'r>(bodies: impl IntoIterator<Item = &'r Resource>) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for tree in bodies.into_iter().map(Resource::to_value) {
        for_each_reference(&tree, &mut |text| {
            used.insert(text.to_owned());
        });
    }
    used
}

/// How long an operation may still be executing: the settling time, from when its sender stopped waiting. A clock that
/// went back makes it no longer than the whole time. Without a settling time nothing outlives its sender.
pub(super) fn left_to_settle(
    operation: &Operation,
    now: jiff::Timestamp,
    ehr: &Ehr<'_>,
) -> Duration {
    if ehr.settle.is_zero() {
        return Duration::ZERO;
    }
    let since = now.duration_since(operation.waited_until);
    match Duration::try_from(since) {
        Ok(passed) => ehr.settle.saturating_sub(passed),
        Err(_) => ehr.settle.saturating_add(since.unsigned_abs().min(ehr.client.timeout())),
    }
}
