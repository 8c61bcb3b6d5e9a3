//! What the first run for a record will send, and what of the record it will not bring as resources: before anybody is
//! asked anything.
//!
//! It is arithmetic over the mapped record and the placements of [`crate::vendor::place()`]: the same groups as the run
//! makes ([`super::order`]), round after round, counted instead of sent. It counts requests to the FHIR base: the
//! statement, the Patient before each round (W2), one search per type and [`IDENTIFIERS`] items, creates, updates with
//! the read before each. It does not count logins, and knows no refusals, retries or waits: a server that behaves.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::fhir::Resource;
use crate::vendor::{Effective, Kind, Placement, Rung, Transport, transports};

use super::identity::{Item, targets};
use super::look_up::IDENTIFIERS;
use super::offer::ENTRIES;
use super::order::{groups, without_missing};

/// The statement that a run reads first.
const STATEMENT: usize = 1;
/// The Patient that is read before each round.
const PATIENT: usize = 1;
/// The linked Encounter that is read before a note is written to it.
const TARGET_OF_NOTE: usize = 1;

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

/// The kind of content that a resource of ours holds; none for persons, who are linked and not sent.
pub fn kind_of(resource: &Resource) -> Option<Kind> {
    let is_of_session = resource.get("encounter").is_some()
        || resource.get("context").is_some_and(|context| context.get("encounter").is_some());
    let is_measured = || {
        let codings = resource.items("category").flat_map(|category| category.items("coding"));
        codings.into_iter().any(|coding| coding.text("code") == Some("survey"))
    };
    match resource.resource_type() {
        "Patient" | "Practitioner" => None,
        "Condition" => Some(Kind::Diagnosis),
        "Encounter" | "Appointment" | "Procedure" => Some(Kind::Session),
        "Task" | "Flag" | "DocumentReference" if is_of_session => Some(Kind::Session),
        "QuestionnaireResponse" if is_of_session => Some(Kind::Scores),
        "Observation" if is_of_session && is_measured() => Some(Kind::Scores),
        _ => Some(Kind::Plan),
    }
}

/// What the first run for a record sends to a server that behaves as this says.
///
/// `placements` come from [`crate::vendor::place()`]. The numbers per transport: a transaction is one request for as many
/// resources as pack and program allow, and each needs a round of its own (the Patient, and one search for each type
/// in it); single needs one request for each resource. There is no batch yet: a server that only knows that gets its
/// resources singly.
pub fn forecast(
    effective: &Effective<'_>,
    placements: &[Placement<'_>; 4],
    resources: &[(Uuid, Resource)],
) -> Forecast {
    let is_taken = |resource: &Resource| {
        let kind = kind_of(resource)?;
        let placement = placements.iter().find(|placement| placement.kind == kind)?;
        let goes = placement.rung == Rung::Structure || placement.is_partial;
        let of = resource.resource_type();
        let is_form = placement.rung == Rung::Form && of == "QuestionnaireResponse";
        Some((kind, goes && effective.allows(of, "create").allowed, is_form))
    };
    let mut shares = placements.each_ref().map(|placement| Share {
        kind: placement.kind,
        rung: placement.rung,
        kept: Types::new(),
        lost: Types::new(),
    });
    let (mut taken, mut forms) = (BTreeSet::new(), 0);
    for (uuid, resource) in resources {
        let Some((kind, goes, is_form)) = is_taken(resource) else { continue };
        if goes {
            taken.insert(*uuid);
        }
        forms += usize::from(is_form && !goes);
        for share in shares.iter_mut().filter(|share| share.kind == kind) {
            let types = if goes || is_form { &mut share.kept } else { &mut share.lost };
            *types.entry(resource.resource_type().to_owned()).or_default() += 1;
        }
    }
    let items: Vec<Item> = resources
        .iter()
        .filter(|(uuid, _)| taken.contains(uuid))
        .map(|(uuid, resource)| Item {
            uuid: *uuid,
            local: without_missing(resource, &|target| taken.contains(&target)),
        })
        .collect();
    let goes_by = |rung, kinds: [Kind; 2]| {
        shares.iter().any(|share| share.rung == rung && kinds.contains(&share.kind))
    };
    let sessions = resources.iter().filter(|(_, one)| one.resource_type() == "Encounter").count();
    let of_plan = usize::from(goes_by(Rung::Document, [Kind::Plan, Kind::Diagnosis]));
    let of_sessions =
        if goes_by(Rung::Document, [Kind::Session, Kind::Scores]) { sessions } else { 0 };
    let transaction = transports(effective).contains(&Transport::Transaction);
    let notes = of_plan + of_sessions;
    let transport = match items.is_empty() {
        false if transaction => Some(Transport::Transaction),
        true if notes + forms == 0 => None,
        _ => Some(Transport::Single),
    };
    let mut forecast = Forecast { transport, reads: STATEMENT, writes: 0, notes, forms, shares };
    forecast.run(effective, items, transaction);
    forecast
}

impl Forecast {
    /// Counts the rounds of a run.
    fn run(&mut self, effective: &Effective<'_>, items: Vec<Item>, transaction: bool) {
        let finds = |of: &str| effective.searches(of, "identifier").allowed;
        let looked_up = |items: &mut dyn Iterator<Item = &str>| {
            let mut types = Types::new();
            for of in items {
                *types.entry(of.to_owned()).or_default() += 1;
            }
            types
        };
        let mut others = Types::new();
        for (of, count) in
            [("DocumentReference", self.notes), ("QuestionnaireResponse", self.forms)]
        {
            if count > 0 {
                *others.entry(of.to_owned()).or_default() += count;
            }
        }
        let type_of: BTreeMap<Uuid, &str> =
            items.iter().map(|item| (item.uuid, item.local.resource_type())).collect();
        let mut stale: BTreeSet<Uuid> = type_of.keys().copied().collect();
        let mut others_are_stale = true;
        let mut others_are_to_write = !others.is_empty();
        let (mut created, mut cut) = (BTreeSet::new(), BTreeSet::new());
        loop {
            self.reads += PATIENT;
            let mut types =
                looked_up(&mut stale.iter().filter_map(|item| type_of.get(item).copied()));
            if std::mem::take(&mut others_are_stale) {
                for (of, count) in &others {
                    *types.entry(of.clone()).or_default() += count;
                }
            }
            self.reads += types
                .iter()
                .filter(|(of, _)| finds(of) || others.contains_key(*of))
                .map(|(_, count)| count.div_ceil(IDENTIFIERS))
                .sum::<usize>();
            stale.clear();
            // What was created before this round and lacked a target then.
            let due: Vec<Uuid> = cut
                .iter()
                .copied()
                .filter(|item: &Uuid| {
                    let item = items.iter().find(|one| one.uuid == *item);
                    item.is_some_and(|item| targets(&item.local).is_subset(&created))
                })
                .collect();
            let pending: Vec<&Item> =
                items.iter().filter(|item| !created.contains(&item.uuid)).collect();
            let conditional = pending
                .iter()
                .any(|item| effective.creates_conditionally(item.local.resource_type()).allowed);
            let limit = if transaction { entries(effective, conditional) } else { 1 };
            let mut groups = groups(&pending, limit);
            if transaction {
                groups.truncate(1);
            }
            for group in groups {
                self.writes += 1;
                for uuid in &group {
                    let item = pending.iter().find(|item| item.uuid == *uuid);
                    let is_there =
                        |target: &Uuid| created.contains(target) || group.contains(target);
                    let is_self = |target: &Uuid| !transaction && target == uuid;
                    let lacks = item.is_some_and(|item| {
                        targets(&item.local)
                            .iter()
                            .any(|target| !is_there(target) || is_self(target))
                    });
                    if lacks {
                        cut.insert(*uuid);
                    }
                }
                stale.extend(&group);
                created.extend(group);
            }
            for item in due {
                // Read again, then replaced.
                self.reads += 1;
                self.writes += 1;
                cut.remove(&item);
                stale.insert(item);
            }
            if std::mem::take(&mut others_are_to_write) {
                self.reads += self.notes * TARGET_OF_NOTE;
                self.writes += self.notes + self.forms;
                others_are_stale = true;
            }
            if stale.is_empty() && !others_are_stale {
                return;
            }
        }
    }
}

/// How many entries a transaction may have before anything was learned.
fn entries(effective: &Effective<'_>, conditional: bool) -> usize {
    let limits =
        [effective.max_entries(), effective.max_conditional_entries().filter(|_| conditional)];
    limits.into_iter().flatten().fold(ENTRIES, |limit, told| limit.min(told.value)).max(1)
}
