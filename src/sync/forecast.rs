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
use crate::vendor::{Effective, Kind, Pack, Placement, Rung, Transport, transports};

use super::identity::{Item, targets};
use super::look_up::IDENTIFIERS;
use super::offer::ENTRIES;
use super::order::{groups, without_missing};

/// The statement that a run reads first.
const STATEMENT: usize = 1;
/// The Patient that is read before each round.
const PATIENT: usize = 1;
/// The linked Encounter that is read before a note is written to it, where the pack says that a note needs one.
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

/// The kind of content that a resource of ours holds; none for persons, who are linked and not sent. What names its
/// session is the session's, but for progress of a goal; answers and scores of a session are scores.
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
/// in it); single needs one request for each resource. Before each write the Patient is read again, and the visits that it
/// refers to. There is no batch yet: a server that only knows that gets its
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
    let mut others = Types::new();
    for (of, count) in [("DocumentReference", notes), ("QuestionnaireResponse", forms)] {
        others.extend((count > 0).then(|| (of.to_owned(), count)));
    }
    let mut course = Course {
        effective,
        items: &items,
        transaction,
        others,
        created: BTreeSet::new(),
        cut: BTreeSet::new(),
        reads: STATEMENT,
        writes: 0,
    };
    let with_target = |kind, notes: usize| {
        let needs = |pack: &Pack| pack.references(kind, "DocumentReference").next().is_some();
        if effective.pack().is_some_and(needs) { notes * TARGET_OF_NOTE } else { 0 }
    };
    course.run(with_target(Kind::Plan, of_plan) + with_target(Kind::Session, of_sessions));
    let (reads, writes) = (course.reads, course.writes);
    Forecast { transport, reads, writes, notes, forms, shares }
}

/// A run that is counted instead of made.
struct Course<'c> {
    effective: &'c Effective<'c>,
    items: &'c [Item],
    /// Whether creates go together.
    transaction: bool,
    /// Notes and forms, by the type that they are filed as.
    others: Types,
    created: BTreeSet<Uuid>,
    /// What was created without a reference whose target was not there yet.
    cut: BTreeSet<Uuid>,
    reads: usize,
    writes: usize,
}

impl Course<'_> {
    /// Goes round until nothing is written any more. `for_others` are the reads before notes and forms.
    fn run(&mut self, for_others: usize) {
        let mut touched: BTreeSet<Uuid> = self.items.iter().map(|item| item.uuid).collect();
        let mut others = std::mem::take(&mut self.others);
        let mut filed = Types::new();
        loop {
            self.look_up(&touched, if filed.is_empty() { &others } else { &filed });
            let due = self.due();
            touched = self.create();
            self.update(&due);
            touched.extend(due);
            filed = std::mem::take(&mut others);
            if !filed.is_empty() {
                let writes = filed.values().sum::<usize>();
                self.reads += for_others + writes * PATIENT;
                self.writes += writes;
            }
            if touched.is_empty() && filed.is_empty() {
                return;
            }
        }
    }

    /// The reads that a round begins with.
    fn look_up(&mut self, items: &BTreeSet<Uuid>, others: &Types) {
        let mut types = others.clone();
        for item in self.items.iter().filter(|item| items.contains(&item.uuid)) {
            *types.entry(item.local.resource_type().to_owned()).or_default() += 1;
        }
        // Notes are looked for also where no identifier finds them: among those of the Patient.
        let is_asked = |of: &String| {
            others.contains_key(of) || self.effective.searches(of, "identifier").allowed
        };
        let asked = types.iter().filter(|(of, _)| is_asked(of));
        self.reads += PATIENT + asked.map(|(_, count)| count.div_ceil(IDENTIFIERS)).sum::<usize>();
    }

    /// What lacks a reference whose target has come to be there.
    fn due(&self) -> Vec<Uuid> {
        let is_due = |item: &&Item| {
            self.cut.contains(&item.uuid) && targets(&item.local).is_subset(&self.created)
        };
        self.items.iter().filter(is_due).map(|item| item.uuid).collect()
    }

    /// The creates of a round: one transaction, or all one by one.
    fn create(&mut self) -> BTreeSet<Uuid> {
        let pending: Vec<&Item> =
            self.items.iter().filter(|item| !self.created.contains(&item.uuid)).collect();
        let is_conditional =
            |item: &&Item| self.effective.creates_conditionally(item.local.resource_type()).allowed;
        let limit = if self.transaction {
            entries(self.effective, pending.iter().any(is_conditional))
        } else {
            1
        };
        let mut groups = groups(&pending, limit);
        if self.transaction {
            groups.truncate(1);
        }
        let mut touched = BTreeSet::new();
        for group in groups {
            self.reads += PATIENT + self.visits(&group);
            self.writes += 1;
            let here: BTreeSet<Uuid> = group.iter().copied().filter(|_| self.transaction).collect();
            let lacks = |item: &&&Item| {
                let mut targets = targets(&item.local).into_iter();
                group.contains(&item.uuid)
                    && targets.any(|one| !self.created.contains(&one) && !here.contains(&one))
            };
            let cut: Vec<Uuid> = pending.iter().filter(lacks).map(|item| item.uuid).collect();
            self.cut.extend(cut);
            self.created.extend(&group);
            touched.extend(group);
        }
        touched
    }

    /// How many visits there are that resources refer to: each is read again right before.
    fn visits(&self, group: &[Uuid]) -> usize {
        let is_visit = |target: &Uuid| {
            let mut items = self.items.iter();
            self.created.contains(target)
                && items.any(|one| one.uuid == *target && one.local.resource_type() == "Encounter")
        };
        let referring = self.items.iter().filter(|item| group.contains(&item.uuid));
        let visits = referring.flat_map(|item| targets(&item.local)).filter(is_visit);
        visits.collect::<BTreeSet<Uuid>>().len()
    }

    /// The updates of a round, each with the reads before it: the Patient, the visits, and what is updated.
    fn update(&mut self, due: &[Uuid]) {
        let visits = due.iter().map(|item| self.visits(&[*item])).sum::<usize>();
        self.reads += visits + due.len() * (PATIENT + 1);
        self.writes += due.len();
        self.cut.retain(|item| !due.contains(item));
    }
}

/// How many entries a transaction may have before anything was learned.
fn entries(effective: &Effective<'_>, conditional: bool) -> usize {
    let limits =
        [effective.max_entries(), effective.max_conditional_entries().filter(|_| conditional)];
    limits.into_iter().flatten().fold(ENTRIES, |limit, told| limit.min(told.value)).max(1)
}
