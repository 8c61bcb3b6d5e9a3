//! What of a record goes into the EHR how: as the resources themselves, as answers to a form, as a note, or not at all.
//!
//! It is asked anew in each round, because a refusal may have taught something, and always before anything is decided:
//! so the ledger holds what was said, a second run says the same, and when a kind is taken one day, the references to it
//! are a change like any other. References follow: to a session's visit in the EHR where a person linked one, and
//! nowhere where the target is told as text. What is in the EHR as structure stays structure, whatever the server says
//! today: a note beside it would double it.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::fhir::Resource;
use crate::json::{Object, Value};
use crate::mapping;
use crate::mapping::hand_off::{Contents, Made};
use crate::mapping::identity::urn;
use crate::mapping::note::{Edition, Note, Subject};
use crate::object;
use crate::vendor::{Allow, Kind, Rung, Supersede};

use super::bend::bent;
use super::edition::{self, Due, Sent, Succession, Terms};
use super::hand_off::{self, Delivered, Last};
use super::identity::{Item, resolve, targets};
use super::offer::Offer;
use super::order::without_missing;
use super::report::{Failure, Package, Placed, Stop};
use super::run::Run;

/// How an item goes.
pub(super) enum Way {
    /// As itself.
    Resource,
    /// As itself, if the server took its type.
    NotTaken(Failure),
    /// As a part of a note or a package, or not at all.
    Text,
}

impl Run<'_, '_> {
    /// Chooses for each kind its way, and what is to stand in the EHR.
    pub(super) fn arrange(&mut self) -> Result<(), Stop> {
        self.placements = self.place();
        self.not_taken.clear();
        self.told_as_text.clear();
        let ids = self.ids();
        let forms = match self.rung(Kind::Scores) {
            Rung::Form => {
                let of_scores = |item: &&Item| self.kind_of(item.uuid) == Kind::Scores;
                let scores = self.whole.iter().filter(of_scores);
                let scores: Vec<_> = scores.map(|item| (item.uuid, &item.local)).collect();
                forms(&scores)
            }
            _ => Vec::new(),
        };
        let mut items = Vec::new();
        for item in &self.whole {
            if forms.iter().any(|(form, _)| *form == item.uuid) {
                continue;
            }
            let is_there = ids.contains_key(&item.uuid) || self.operations.contains_key(&item.uuid);
            if is_there {
                items.push(item.clone());
                continue;
            }
            if self.linked.contains_key(&item.uuid) {
                continue;
            }
            match self.way(item) {
                Way::Resource => items.push(item.clone()),
                Way::NotTaken(failure) => {
                    self.not_taken.insert(item.uuid, failure);
                    items.push(item.clone());
                }
                Way::Text => {
                    self.told_as_text.insert(item.uuid);
                }
            }
        }
        items.extend(forms.into_iter().map(|(uuid, local)| Item { uuid, local }));
        self.notes.clear();
        self.past.clear();
        let notes = self.arrange_notes()?;
        let promoted = self.promoted();
        let is_sent = |item: &Item| !self.not_taken.contains_key(&item.uuid);
        let mut sent: BTreeSet<Uuid> = self.shadows.keys().copied().collect();
        sent.extend(items.iter().chain(&notes).filter(|item| is_sent(item)).map(|item| item.uuid));
        let mut bends = BTreeMap::new();
        let arranged = items.iter().chain(&notes).map(|item| {
            let kind = self.kind_of(item.uuid);
            let mut at_a_visit = at_a_visit(&item.local, kind, &self.record.notes, self.offer);
            // What was filed in a visit stays in it, whichever is the plan's first one by now.
            let filed = self.shadows.get(&item.uuid).and_then(|shadow| shadow.local.as_ref());
            let filed = filed.and_then(|filed| filed.get("encounter"));
            if let Some(filed) = filed.filter(|_| item.local.get("encounter").is_none()) {
                at_a_visit.object_mut().insert("encounter", filed.clone());
            }
            let (local, changed) = bent(&at_a_visit, self.ehr.pack);
            bends.insert(item.uuid, changed);
            let local =
                without_missing(&resolve(&local, &self.linked), &|target| sent.contains(&target));
            match promoted.get(&item.uuid) {
                Some(note) => replacing(local, *note),
                None => local,
            }
        });
        let arranged: Vec<Resource> = arranged.collect();
        let uuids = items.iter().chain(&notes).map(|item| item.uuid);
        self.bends = bends;
        self.items = uuids.zip(arranged).map(|(uuid, local)| Item { uuid, local }).collect();
        Ok(())
    }

    /// The placement of each kind. A plan that is in the EHR as structure stays there; of the other kinds each item does
    /// so for itself.
    fn place(&self) -> Vec<Placed> {
        let mut placements = self.offer.placements(self.ehr.allow);
        let is_there = |item: &Item| {
            item.local.resource_type() == "CarePlan" && self.shadows.contains_key(&item.uuid)
        };
        if self.whole.iter().any(is_there) {
            let of_plan = placements.iter_mut().filter(|placed| placed.kind == Kind::Plan);
            of_plan.for_each(|placed| placed.rung = Rung::Structure);
        }
        placements
    }

    /// The rung of a kind in this round.
    pub(super) fn rung(&self, kind: Kind) -> Rung {
        let placed = self.placements.iter().find(|placement| placement.kind == kind);
        placed.map_or(Rung::Withheld, |placement| placement.rung)
    }

    fn way(&self, item: &Item) -> Way {
        let kind = self.kind_of(item.uuid);
        let placed = self.placements.iter().find(|placed| placed.kind == kind);
        placed.map_or(Way::Text, |placed| way(&item.local, placed, self.offer, self.ehr.allow))
    }

    /// The notes of the kinds that go as documents, tied to the Patient and the visits of the links.
    fn arrange_notes(&mut self) -> Result<Vec<Item>, Stop> {
        let record = self.record;
        let mut items = Vec::new();
        for note in &record.notes {
            let kind = kind_of_note(note);
            let sent = edition::sent(note.slot, &self.shadows, &self.operations);
            let is_structure = self.is_structure(note);
            let goes = self.rung(kind) == Rung::Document && !is_structure;
            let last = sent.iter().rposition(|edition| !edition.is_open);
            let past = if is_structure { sent.len() } else { last.unwrap_or_default() };
            for (index, edition) in sent.iter().enumerate() {
                if edition.is_open {
                    // Whatever is wanted by now: first it must be known what came of it.
                    self.notes.insert(edition.item, kind);
                    items.push(Item { uuid: edition.item, local: edition.local.clone() });
                } else if index < past && self.can_mark(edition) {
                    let mut local = edition.local.clone();
                    local.object_mut().put("status", "superseded");
                    self.notes.insert(edition.item, kind);
                    items.push(Item { uuid: edition.item, local });
                } else if index < past || !goes {
                    self.past.insert(edition.item);
                }
            }
            let is_open = sent.last().is_some_and(|last| last.is_open);
            let is_to_be_taken_back = note.is_in_error && !sent.is_empty() && !is_structure;
            if (goes || is_to_be_taken_back) && !is_open {
                items.extend(self.due(note, &sent)?);
            }
        }
        Ok(items)
    }

    /// Whether what a note tells is in the EHR as structure, its readable document included: nothing of it is on its way.
    fn is_structure(&self, note: &Note) -> bool {
        let is_settled = |item: &Item| {
            self.shadows.contains_key(&item.uuid) && !self.operations.contains_key(&item.uuid)
        };
        let is_backbone = |item: &&Item| match note.subject {
            Subject::Plan => item.local.resource_type() == "CarePlan",
            Subject::Session { encounter } => item.uuid == encounter,
        };
        let backbone = self.whole.iter().find(is_backbone);
        backbone.is_some_and(is_settled) && self.document_of(note).is_none_or(is_settled)
    }

    /// The readable document of the structure that tells what a note does.
    fn document_of(&self, note: &Note) -> Option<&Item> {
        let kind = kind_of_note(note);
        self.whole.iter().find(|item| {
            item.local.resource_type() == "DocumentReference"
                && self.kind_of(item.uuid) == kind
                && match note.subject {
                    Subject::Plan => true,
                    Subject::Session { encounter } => targets(&item.local).contains(&encounter),
                }
        })
    }

    /// Whether the EHR can be told that an edition was replaced, and has not been.
    fn can_mark(&self, edition: &Sent) -> bool {
        edition.has_version
            && edition.local.text("status") == Some("current")
            && self.offer.updates("DocumentReference").is_ok()
    }

    /// The edition of a note that is to stand in the chart.
    fn due(&mut self, note: &Note, sent: &[Sent]) -> Result<Option<Item>, Stop> {
        let visits: BTreeSet<String> = self.linked.values().map(ToString::to_string).collect();
        let terms = Terms {
            succession: self.succession(),
            updates: self.offer.updates("DocumentReference").is_ok(),
            visits: &visits,
            now: self.now,
        };
        let last = sent.last();
        let (uuid, local) = match edition::due(note, sent, terms) {
            Due::Nothing => return Ok(None),
            Due::Stands(uuid, local) => (uuid, local),
            Due::Write(edition) => match self.drawn(note, &edition) {
                Ok(resource) => {
                    let replaced = last.map(|last| last.item);
                    let tied = self.ties.tie(edition.item, &resource, replaced)?;
                    let mut local = resolve(&tied.local, &self.linked);
                    if let Some(last) = last.filter(|last| last.item == edition.item) {
                        stay_in_visit(&mut local, &last.local);
                    } else if note.is_in_error {
                        // Filed anew, it is what stands: that the one before was a mistake is in its words.
                        local.object_mut().put("status", "current");
                    }
                    (edition.item, local)
                }
                Err(failure) => {
                    self.not_taken.insert(edition.item, failure);
                    (edition.item, Resource::new("DocumentReference"))
                }
            },
        };
        // One that is about to be replaced stands until then.
        self.past.extend(last.map(|last| last.item).filter(|item| *item != uuid));
        self.past.remove(&uuid);
        self.notes.insert(uuid, kind_of_note(note));
        Ok(Some(Item { uuid, local }))
    }

    /// A note as it is to be sent, drawn once in a run: in the first media type that the EHR takes and that can hold it.
    fn drawn(&mut self, note: &Note, edition: &Edition) -> Result<Resource, Failure> {
        let key = (edition.item, edition.number);
        if let Some(resource) = self.drawn.get(&key) {
            return Ok(resource.clone());
        }
        let resource = drawn(note, edition, self.offer)?;
        self.drawn.insert(key, resource.clone());
        Ok(resource)
    }

    /// How the next edition takes the place of the last one.
    pub(super) fn succession(&self) -> Succession {
        match self.offer.supersede() {
            Supersede::Update if self.offer.updates("DocumentReference").is_ok() => {
                Succession::Update
            }
            Supersede::RelatesTo => Succession::Replaces,
            Supersede::Update | Supersede::None => Succession::Announced,
        }
    }

    /// Makes the package of what a person carries over, where a kind goes so and something of it changed.
    pub(super) async fn package(&self) -> Result<Option<Package>, Stop> {
        let goes = |placed: &&Placed| placed.rung == Rung::HandOff;
        let kinds: Vec<Kind> = self.placements.iter().filter(goes).map(|one| one.kind).collect();
        let Some(source) = self.record.source.as_ref().filter(|_| !kinds.is_empty()) else {
            self.call_packages_back().await?;
            return Ok(None);
        };
        let names: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
        let contents = Contents::of(&source.plan, &source.options, &names, |mapped| {
            kinds.contains(&self.kind_of(mapped.item)) && !self.shadows.contains_key(&mapped.item)
        });
        let plan = &self.link.plan;
        let Some(writer) = self.writer else {
            let last = hand_off::last(self.ehr.store, self.ehr.name, plan, &contents).await;
            return Ok(Some(match last {
                Ok(Last::Stands(package)) => Package::Stands(package),
                Ok(Last::Outdated(_)) => Package::ToMake,
                Err(error) => Package::Failed(error),
            }));
        };
        let of_sessions = kinds.contains(&Kind::Session);
        let of_plan = kinds.iter().any(|kind| *kind != Kind::Session);
        let mut documents = |made: &Made| {
            let is_part = |subject: Subject| match subject {
                Subject::Plan => of_plan,
                Subject::Session { .. } => of_sessions,
            };
            Ok(mapping::hand_off::documents(&source.plan, &source.options, made, is_part))
        };
        let directory = self.ehr.hand_off;
        let delivered =
            hand_off::deliver(writer, directory, plan, &contents, self.now, &mut documents).await;
        Ok(Some(match delivered {
            Ok(Delivered::AlreadyThere(package)) => Package::Stands(package),
            Ok(Delivered::Made(package) | Delivered::Superseding(package)) => {
                Package::Made(package)
            }
            Err(hand_off::Error::Store(error)) => return Err(error.into()),
            Err(error) => Package::Failed(error),
        }))
    }

    /// What waits to be carried over goes by itself now: nobody is to file it a second time.
    async fn call_packages_back(&self) -> Result<(), Stop> {
        if let Some(writer) = self.writer {
            writer.call_hand_offs_back(&self.link.plan, self.now).await?;
        }
        Ok(())
    }

    /// For each readable document of the structure, the note whose place it takes.
    fn promoted(&self) -> BTreeMap<Uuid, Uuid> {
        let mut promoted = BTreeMap::new();
        if !self.offer.relates_documents() {
            return promoted;
        }
        for note in &self.record.notes {
            if self.rung(kind_of_note(note)) != Rung::Structure {
                continue;
            }
            let sent = edition::sent(note.slot, &self.shadows, &self.operations);
            let document = self.document_of(note);
            promoted.extend(document.zip(sent.last()).map(|(one, last)| (one.uuid, last.item)));
        }
        promoted
    }
}

/// The scores as answers to forms; one whose instrument has none stays text.
pub(super) fn forms(scores: &[(Uuid, &Resource)]) -> Vec<(Uuid, Resource)> {
    let of_type = |resource_type: &'static str| {
        scores.iter().copied().filter(move |(_, one)| one.resource_type() == resource_type)
    };
    let answers_to = |total: &Resource| {
        let targets = targets(total);
        of_type("QuestionnaireResponse").find(|(item, _)| targets.contains(item))
    };
    of_type("Observation")
        .filter_map(|(item, total)| mapping::form::of_score(item, total, answers_to(total)))
        .collect()
}

/// How a resource of a kind goes that the EHR does not have yet.
pub(super) fn way(resource: &Resource, placed: &Placed, offer: &Offer<'_>, allow: &Allow) -> Way {
    let resource_type = resource.resource_type();
    let goes = match placed.rung {
        Rung::Structure => true,
        // The answers go as a part of their form.
        Rung::Form => placed.is_partial && resource_type != "QuestionnaireResponse",
        // The note stands for the readable plan and for the summary.
        Rung::Document => placed.is_partial && resource_type != "DocumentReference",
        Rung::HandOff | Rung::Withheld => placed.is_partial,
    };
    let is_visit = resource_type == "Encounter";
    if !goes || (is_visit && !offer.makes_encounters(allow)) {
        return Way::Text;
    }
    match offer.takes(resource_type) {
        Ok(()) => Way::Resource,
        Err(_) if matches!(placed.rung, Rung::Form | Rung::Document | Rung::HandOff) => Way::Text,
        Err(failure) => Way::NotTaken(failure),
    }
}

/// An edition of a note in the first media type that the EHR takes and that can hold it.
pub(super) fn drawn(
    note: &Note,
    edition: &Edition,
    offer: &Offer<'_>,
) -> Result<Resource, Failure> {
    let mut refusal = None;
    for shape in offer.shapes() {
        match note.resource(edition, &shape) {
            Ok(resource) => return Ok(resource),
            Err(error) => {
                refusal.get_or_insert(error);
            }
        }
    }
    Err(refusal.map_or(Failure::NotTried, Failure::Note))
}

/// A resource in the visit of the plan, where the EHR takes such a thing only in one.
pub(super) fn at_a_visit(
    resource: &Resource,
    kind: Kind,
    notes: &[Note],
    offer: &Offer<'_>,
) -> Resource {
    let needed = offer.needed(kind, resource.resource_type());
    let needs_visit = needed.iter().any(|needed| needed.element == "encounter");
    let of_plan = notes.first().and_then(Note::encounter);
    match of_plan.filter(|_| needs_visit && resource.get("encounter").is_none()) {
        Some(visit) => {
            let reference = object! { "reference" => urn(visit) };
            resource.clone().with(object! { "encounter" => reference })
        }
        None => resource.clone(),
    }
}

/// Leaves a note that is written over in the visit in which it stands: no EHR moves one.
fn stay_in_visit(local: &mut Resource, last: &Resource) {
    let encounter = last.get("context").and_then(|context| context.get("encounter")).cloned();
    let mut context = match local.get("context") {
        Some(Value::Object(context)) => context.clone(),
        _ => Object::new(),
    };
    match encounter {
        Some(encounter) => context.insert("encounter", encounter),
        None => drop(context.remove("encounter")),
    }
    local.object_mut().insert("context", Value::Object(context));
}

/// The kind of content that a note tells of.
pub(super) const fn kind_of_note(note: &Note) -> Kind {
    match note.subject {
        Subject::Plan => Kind::Plan,
        Subject::Session { .. } => Kind::Session,
    }
}

/// The readable document of the structure, in the place of a note.
fn replacing(document: Resource, note: Uuid) -> Resource {
    let target = object! { "reference" => urn(note) };
    let relation = object! { "code" => "replaces", "target" => target };
    document.with(object! { "relatesTo" => vec![relation] })
}
