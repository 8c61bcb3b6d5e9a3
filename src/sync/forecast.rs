//! What the first run for a record will send, and what of the record it will not bring as resources: before anybody is
//! asked anything.
//!
//! It is the run, counted instead of sent: the same [`Offer`] says what is taken and how it is looked up, the same
//! arrangement what goes as what ([`way`], [`drawn`]), the same order what goes together ([`groups`], [`wave`]). It counts
//! requests to the FHIR base: the statement; in each round the Patient (W2), one search per type and [`IDENTIFIERS`]
//! items, or one list of the Patient's, and each linked visit that is referred to (W3); creates; updates with the read
//! before each. It does not count logins and further pages, and knows no retries or waits: a server that behaves. Where
//! a pack demands a visit of the EHR's own, it takes it that a person has linked those of all sessions that have a note.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::fhir::reference::for_each_reference;
use crate::fhir::{Resource, ResourceId};
use crate::mapping::MappedResource;
use crate::mapping::note::{Edition, Note, Subject};
use crate::vendor::{Allow, Effective, Kind, Rung, Transport};

use super::arrange::{Way, at_a_visit, drawn, forms, kind_of_note, way};
use super::identity::{Item, resolve, targets};
use super::kind_of;
use super::look_up::IDENTIFIERS;
use super::offer::{LookUp, Offer};
use super::order::{groups, wave, without_missing};
use super::report::Placed;
use super::round::lacks;

/// The statement that a run reads first.
const STATEMENT: usize = 1;
/// The Patient that is read before each round.
const PATIENT: usize = 1;

/// How many resources there are of each type.
pub type Types = BTreeMap<String, usize>;

/// What the first run for a record sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// How structure travels, and notes and forms where there is none; nothing where nothing is sent.
    pub transport: Option<Transport>,
    /// Requests that only read.
    pub reads: usize,
    /// Requests that write: a transaction is one.
    pub writes: usize,
    /// Notes that are filed: one of the plan, and one of each session, as far as a kind goes into them.
    pub notes: usize,
    /// Forms that are filed.
    pub forms: usize,
    /// What becomes of each kind, in the order of [`Kind::ALL`].
    pub shares: [Share; 4],
}

/// What becomes of the resources of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The kind.
    pub kind: Kind,
    /// The rung of what does not go as structure; [`Rung::Structure`] where the kind stands there, and then of what is
    /// lost nothing is sent.
    pub rung: Rung,
    /// What goes as resources.
    pub kept: Types,
    /// What does not.
    pub lost: Types,
}

impl Forecast {
    /// All requests.
    pub const fn requests(&self) -> usize {
        self.reads + self.writes
    }

    /// How many resources meet this fate: those that are kept for [`Rung::Structure`], else those that are lost to a rung
    /// below. What a server does not take of a kind on structure is withheld.
    pub fn resources(&self, fate: Rung) -> usize {
        let count = |types: &Types| types.values().sum::<usize>();
        let of = |share: &Share| {
            let lost_to = match share.rung {
                Rung::Structure => Rung::Withheld,
                rung => rung,
            };
            match fate {
                Rung::Structure => count(&share.kept),
                rung if rung == lost_to => count(&share.lost),
                _ => 0,
            }
        };
        self.shares.iter().map(of).sum()
    }
}

/// What the first run for a record sends to a server that behaves as this says.
///
/// `resources` and `notes` are those of the record under the policy that the run will have.
pub fn forecast(
    effective: &Effective<'_>,
    allow: &Allow,
    resources: &[MappedResource],
    notes: &[Note],
) -> Forecast {
    let offer = Offer::of(effective);
    let placements = offer.placements(allow);
    let placed = |kind| placements.iter().find(|placed| placed.kind == kind);
    let linked = linked(&offer, &placements, resources, notes);
    let mut shares = Kind::ALL.map(|kind| Share {
        kind,
        rung: placed(kind).map_or(Rung::Withheld, |placed| placed.rung),
        kept: Types::new(),
        lost: Types::new(),
    });
    let mut plan = Plan { offer: &offer, items: Vec::new(), sent: BTreeSet::new() };
    let is_form = placed(Kind::Scores).is_some_and(|placed| placed.rung == Rung::Form);
    let of_scores = resources.iter().filter(|mapped| kind_of(mapped.part) == Some(Kind::Scores));
    let scores: Vec<_> = of_scores.map(|mapped| (mapped.item, &mapped.resource)).collect();
    let forms = if is_form { forms(&scores) } else { Vec::new() };
    for mapped in
        resources.iter().filter(|mapped| forms.iter().all(|(form, _)| *form != mapped.item))
    {
        let Some((kind, placed)) =
            kind_of(mapped.part).and_then(|kind| Some((kind, placed(kind)?)))
        else {
            continue;
        };
        let way = way(&mapped.resource, placed, &offer, allow);
        let is_sent = matches!(way, Way::Resource);
        let of = mapped.resource.resource_type();
        for share in shares.iter_mut().filter(|share| share.kind == kind) {
            let types = if is_sent { &mut share.kept } else { &mut share.lost };
            *types.entry(of.to_owned()).or_default() += 1;
        }
        // The EHR's own visit stands in the place of ours.
        if !linked.contains_key(&mapped.item) && !matches!(way, Way::Text) {
            let resource = at_a_visit(&mapped.resource, kind, notes, &offer);
            plan.add(kind, mapped.item, resolve(&resource, &linked), is_sent);
        }
    }
    for (uuid, form) in &forms {
        plan.add(Kind::Scores, *uuid, resolve(form, &linked), true);
        for share in shares.iter_mut().filter(|share| share.kind == Kind::Scores) {
            *share.kept.entry(form.resource_type().to_owned()).or_default() += 1;
            // A total of which nothing else is known goes in its form.
            if resources.iter().all(|mapped| mapped.item != *uuid)
                && let Some(totals) = share.lost.get_mut("Observation")
            {
                *totals -= 1;
            }
        }
    }
    let mut filed = 0;
    for note in notes.iter().filter(|note| !note.is_in_error) {
        let kind = kind_of_note(note);
        if placed(kind).is_none_or(|placed| placed.rung != Rung::Document) {
            continue;
        }
        let edition = Edition::first(note.slot, Timestamp::UNIX_EPOCH);
        if let Ok(resource) = drawn(note, &edition, &offer) {
            plan.add(kind, note.slot, resolve(&resource, &linked), true);
            filed += 1;
        }
    }
    let course = Course::of(plan, linked.values().cloned().collect()).run();
    Forecast {
        transport: (course.writes > 0).then(|| offer.transport()),
        // Each note is opened once it is there; where what is attached lies apart, that is a request.
        reads: STATEMENT + course.reads + if offer.keeps_attachments_apart() { filed } else { 0 },
        writes: course.writes,
        notes: filed,
        forms: forms.len(),
        shares,
    }
}

/// The visits that a person has linked, where one is demanded: under any id, for nobody reads it.
fn linked(
    offer: &Offer<'_>,
    placements: &[Placed],
    resources: &[MappedResource],
    notes: &[Note],
) -> BTreeMap<Uuid, ResourceId> {
    let is_demanded = |(kind, of): (Kind, &str)| {
        let is_sent = |placed: &Placed| placed.kind == kind && placed.rung >= Rung::Document;
        let is_visit = |target: &String| target == "Encounter";
        placements.iter().any(is_sent)
            && offer.needed(kind, of).iter().any(|needed| needed.targets.iter().any(is_visit))
    };
    let of_notes = notes.iter().map(|note| (kind_of_note(note), "DocumentReference"));
    let of_resource = resources
        .iter()
        .filter_map(|mapped| Some((kind_of(mapped.part)?, mapped.resource.resource_type())));
    if !of_notes.chain(of_resource).any(is_demanded) {
        return BTreeMap::new();
    }
    let visits = notes.iter().filter_map(|note| match note.subject {
        Subject::Session { encounter } => Some(encounter),
        Subject::Plan => None,
    });
    let id = |item: Uuid| Some((item, ResourceId::new("Encounter", &item.to_string()).ok()?));
    visits.filter_map(id).collect()
}

/// What is to be written, and what is looked up besides.
struct Plan<'o> {
    offer: &'o Offer<'o>,
    items: Vec<(Kind, Item)>,
    sent: BTreeSet<Uuid>,
}

impl Plan<'_> {
    fn add(&mut self, kind: Kind, uuid: Uuid, local: Resource, is_sent: bool) {
        if is_sent {
            self.sent.insert(uuid);
        }
        self.items.push((kind, Item { uuid, local }));
    }
}

/// A run that is counted instead of made.
struct Course<'o> {
    offer: &'o Offer<'o>,
    transport: Transport,
    /// All that is looked up.
    items: Vec<Item>,
    /// What can be created, and is not yet.
    pending: BTreeSet<Uuid>,
    created: BTreeSet<Uuid>,
    /// What was created without a reference whose target was not there yet.
    cut: BTreeSet<Uuid>,
    /// The visits that a person linked.
    visits: Vec<ResourceId>,
    reads: usize,
    writes: usize,
}

impl<'o> Course<'o> {
    fn of(plan: Plan<'o>, visits: Vec<ResourceId>) -> Self {
        let Plan { offer, items, mut sent } = plan;
        let whole = sent.clone();
        let items: Vec<(Kind, Item)> = items
            .into_iter()
            .map(|(kind, Item { uuid, local })| {
                let local = without_missing(&local, &|target| whole.contains(&target));
                (kind, Item { uuid, local })
            })
            .collect();
        // What lacks a reference waits for a person, and what refers to it waits too.
        for (kind, item) in &items {
            if lacks(&item.local, *kind, offer).is_some() {
                sent.remove(&item.uuid);
            }
        }
        let items: Vec<Item> = items.into_iter().map(|(_, item)| item).collect();
        loop {
            let waits =
                |item: &&Item| sent.contains(&item.uuid) && !targets(&item.local).is_subset(&sent);
            let Some(waiting) = items.iter().find(waits).map(|item| item.uuid) else { break };
            sent.remove(&waiting);
        }
        Self {
            offer,
            transport: offer.transport(),
            items,
            pending: sent,
            created: BTreeSet::new(),
            cut: BTreeSet::new(),
            visits,
            reads: 0,
            writes: 0,
        }
    }

    /// Goes round until nothing is written any more.
    fn run(mut self) -> Self {
        let mut touched: BTreeSet<Uuid> = self.items.iter().map(|item| item.uuid).collect();
        loop {
            self.look_up(&touched);
            let due = self.due();
            touched = self.create();
            self.update(&due);
            touched.extend(due);
            if touched.is_empty() {
                return self;
            }
        }
    }

    /// The reads that a round begins with.
    fn look_up(&mut self, items: &BTreeSet<Uuid>) {
        let mut types = Types::new();
        for item in self.items.iter().filter(|item| items.contains(&item.uuid)) {
            *types.entry(item.local.resource_type().to_owned()).or_default() += 1;
        }
        let searches = |(of, count): (&String, &usize)| match self.offer.look_up(of) {
            LookUp::ByIdentifier => count.div_ceil(IDENTIFIERS),
            LookUp::ByPatient => 1,
            LookUp::Impossible => 0,
        };
        self.reads += PATIENT + types.iter().map(searches).sum::<usize>();
    }

    /// What lacks a reference whose target has come to be there.
    fn due(&self) -> Vec<Uuid> {
        let is_due = |item: &&Item| {
            self.cut.contains(&item.uuid) && targets(&item.local).is_subset(&self.created)
        };
        self.items.iter().filter(is_due).map(|item| item.uuid).collect()
    }

    /// The creates of a round.
    fn create(&mut self) -> BTreeSet<Uuid> {
        let pending: Vec<&Item> =
            self.items.iter().filter(|item| self.pending.contains(&item.uuid)).collect();
        let is_conditional =
            |item: &&Item| self.offer.creates_conditionally(item.local.resource_type());
        let limit = self.offer.entries(pending.iter().any(is_conditional));
        let mut groups = match self.transport {
            Transport::Transaction => groups(&pending, limit),
            Transport::Batch => wave(&pending, limit).into_iter().collect(),
            Transport::Single => groups(&pending, 1),
        };
        if self.transport == Transport::Transaction {
            groups.truncate(1);
        }
        let mut touched = BTreeSet::new();
        for group in groups {
            self.reads += PATIENT + self.visits(&group);
            self.writes += 1;
            let goes_along =
                |one: &Uuid| self.transport == Transport::Transaction && group.contains(one);
            let is_cut = |item: &&&Item| {
                let mut targets = targets(&item.local).into_iter();
                group.contains(&item.uuid)
                    && targets.any(|one| !self.created.contains(&one) && !goes_along(&one))
            };
            let cut: Vec<Uuid> = pending.iter().filter(is_cut).map(|item| item.uuid).collect();
            self.cut.extend(cut);
            self.created.extend(&group);
            touched.extend(group);
        }
        self.pending.retain(|item| !touched.contains(item));
        touched
    }

    /// How many visits resources refer to, ours and the linked ones: each is read again right before.
    fn visits(&self, group: &[Uuid]) -> usize {
        let is_own = |target: &Uuid| {
            let mut items = self.items.iter();
            self.created.contains(target)
                && items.any(|one| one.uuid == *target && one.local.resource_type() == "Encounter")
        };
        let referring = || self.items.iter().filter(|item| group.contains(&item.uuid));
        let own = referring().flat_map(|item| targets(&item.local)).filter(is_own);
        let mut linked = BTreeSet::new();
        for item in referring() {
            for_each_reference(&item.local.to_value(), &mut |text| {
                linked.extend(self.visits.iter().find(|visit| visit.to_string() == text).cloned());
            });
        }
        own.collect::<BTreeSet<Uuid>>().len() + linked.len()
    }

    /// The updates of a round, each with the reads before it: the Patient, the visits, and what is updated.
    fn update(&mut self, due: &[Uuid]) {
        let visits = due.iter().map(|item| self.visits(&[*item])).sum::<usize>();
        self.reads += visits + due.len() * (PATIENT + 1);
        self.writes += due.len();
        self.cut.retain(|item| !due.contains(item));
    }
}
