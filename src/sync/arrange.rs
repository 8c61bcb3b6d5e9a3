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
use crate::fhir::reference::rewrite_references;
use crate::mapping;
use crate::mapping::hand_off::{Contents, Made};
use crate::mapping::identity::urn;
use crate::mapping::note::{Edition, Note, Subject};
use crate::object;
use crate::vendor::{Kind, Rung, Supersede};

use super::edition::{self, Due, Sent, Succession};
use super::hand_off::{self, Delivered, Last};
use super::identity::{self, Item, targets};
use super::order::without_missing;
use super::report::{Failure, Package, Placed, Stop};
use super::run::Run;

/// How an item goes.
enum Way {
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
        let mut items = Vec::new();
        for item in &self.whole {
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
        self.notes.clear();
        self.past.clear();
        let notes = self.arrange_notes()?;
        let promoted = self.promoted();
        let is_sent = |item: &Item| !self.not_taken.contains_key(&item.uuid);
        let mut sent: BTreeSet<Uuid> = self.shadows.keys().copied().collect();
        sent.extend(items.iter().chain(&notes).filter(|item| is_sent(item)).map(|item| item.uuid));
        let arranged = items.iter().chain(&notes).map(|item| {
            let local =
                without_missing(&self.repointed(&item.local), &|target| sent.contains(&target));
            match promoted.get(&item.uuid) {
                Some(note) => replacing(local, *note),
                None => local,
            }
        });
        let arranged: Vec<Resource> = arranged.collect();
        let uuids = items.iter().chain(&notes).map(|item| item.uuid);
        self.items = uuids.zip(arranged).map(|(uuid, local)| Item { uuid, local }).collect();
        Ok(())
    }

    /// The placement of each kind; one that is in the EHR as structure stays there.
    fn place(&self) -> Vec<Placed> {
        let mut placements = self.offer.placements(self.ehr.allow);
        for placed in &mut placements {
            if self.is_there(placed.kind) {
                placed.rung = Rung::Structure;
            }
        }
        placements
    }

    /// The rung of a kind in this round.
    pub(super) fn rung(&self, kind: Kind) -> Rung {
        let placed = self.placements.iter().find(|placement| placement.kind == kind);
        placed.map_or(Rung::Withheld, |placement| placement.rung)
    }

    fn way(&self, item: &Item) -> Way {
        let resource_type = item.local.resource_type();
        let kind = self.kind_of(item.uuid);
        let Some(placement) = self.placements.iter().find(|placement| placement.kind == kind)
        else {
            return Way::Text;
        };
        let is_answer = kind == Kind::Scores && resource_type == "QuestionnaireResponse";
        let goes = match placement.rung {
            Rung::Structure => true,
            Rung::Form => is_answer || placement.is_partial,
            // The note stands for the readable plan and for the summary.
            Rung::Document => placement.is_partial && resource_type != "DocumentReference",
            Rung::HandOff | Rung::Withheld => placement.is_partial,
        };
        let is_visit = resource_type == "Encounter";
        if !goes || (is_visit && !self.offer.makes_encounters(self.ehr.allow)) {
            return Way::Text;
        }
        match self.offer.takes(resource_type) {
            Ok(()) => Way::Resource,
            Err(_) if matches!(placement.rung, Rung::Document | Rung::HandOff) => Way::Text,
            Err(failure) => Way::NotTaken(failure),
        }
    }

    /// The notes of the kinds that go as documents, tied to the Patient and the visits of the links.
    fn arrange_notes(&mut self) -> Result<Vec<Item>, Stop> {
        let record = self.record;
        let mut items = Vec::new();
        for (place, note) in record.notes.iter().enumerate() {
            let kind = kind_of_note(note);
            let sent = edition::sent(note.slot, &self.shadows, &self.operations);
            let rung = self.rung(kind);
            let last = sent.iter().rposition(|edition| !edition.is_open);
            let past = match rung {
                Rung::Structure if self.is_there(kind) => sent.len(),
                _ => last.unwrap_or_default(),
            };
            for (index, edition) in sent.iter().enumerate() {
                if index < past && self.can_mark(edition) {
                    let mut local = edition.local.clone();
                    local.object_mut().put("status", "superseded");
                    self.notes.insert(edition.item, kind);
                    items.push(Item { uuid: edition.item, local });
                } else if index < past || rung != Rung::Document {
                    self.past.insert(edition.item);
                }
            }
            if rung == Rung::Document {
                items.extend(self.due(place, note, &sent)?);
            }
        }
        Ok(items)
    }

    /// Whether the EHR can be told that an edition was replaced, and has not been.
    fn can_mark(&self, edition: &Sent) -> bool {
        edition.is_open
            || (edition.has_version
                && edition.local.text("status") == Some("current")
                && self.offer.updates("DocumentReference").is_ok())
    }

    /// The edition of a note that is to stand in the chart.
    fn due(&mut self, place: usize, note: &Note, sent: &[Sent]) -> Result<Option<Item>, Stop> {
        let (uuid, local) = match edition::due(note, sent, self.succession(), self.now) {
            Due::Nothing => return Ok(None),
            Due::Stands(uuid, local) => (uuid, local),
            Due::Write(edition) => match self.drawn(place, note, &edition) {
                Ok(resource) => {
                    let replaced = sent.last().map(|last| last.item);
                    let tied = self.ties.tie(edition.item, &resource, replaced)?;
                    (edition.item, self.repointed(&tied.local))
                }
                Err(failure) => {
                    self.not_taken.insert(edition.item, failure);
                    (edition.item, Resource::new("DocumentReference"))
                }
            },
        };
        self.past.remove(&uuid);
        self.notes.insert(uuid, kind_of_note(note));
        Ok(Some(Item { uuid, local }))
    }

    /// A note as it is to be sent, drawn once in a run: in the first media type that the EHR takes and that can hold it.
    fn drawn(&mut self, place: usize, note: &Note, edition: &Edition) -> Result<Resource, Failure> {
        let key = (place, edition.number);
        if let Some(resource) = self.drawn.get(&key) {
            return Ok(resource.clone());
        }
        let mut refusal = None;
        for shape in self.offer.shapes() {
            match note.resource(edition, &shape) {
                Ok(resource) => {
                    self.drawn.insert(key, resource.clone());
                    return Ok(resource);
                }
                Err(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        Err(refusal.map_or(Failure::NotTried, Failure::Note))
    }

    /// How the next edition takes the place of the last one.
    fn succession(&self) -> Succession {
        match self.offer.supersede() {
            Supersede::Update if self.offer.updates("DocumentReference").is_ok() => {
                Succession::Update
            }
            Supersede::RelatesTo => Succession::Replaces,
            Supersede::Update | Supersede::None => Succession::Announced,
        }
    }

    /// Whether the backbone of a kind is in the EHR as structure.
    fn is_there(&self, kind: Kind) -> bool {
        self.whole.iter().any(|item| {
            self.kind_of(item.uuid) == kind
                && backbone(kind) == item.local.resource_type()
                && self.shadows.contains_key(&item.uuid)
        })
    }

    /// Makes the package of what a person carries over, where a kind goes so and something of it changed.
    pub(super) async fn package(&self) -> Result<Option<Package>, Stop> {
        let goes = |placed: &&Placed| placed.rung == Rung::HandOff;
        let kinds: Vec<Kind> = self.placements.iter().filter(goes).map(|one| one.kind).collect();
        let Some(source) = self.record.source.as_ref().filter(|_| !kinds.is_empty()) else {
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
        let mut documents =
            |made: &Made| Ok(mapping::hand_off::documents(&source.plan, &source.options, made));
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

    /// For each readable document of the structure, the note whose place it takes.
    fn promoted(&self) -> BTreeMap<Uuid, Uuid> {
        let mut promoted = BTreeMap::new();
        if !self.offer.relates_documents() {
            return promoted;
        }
        for note in &self.record.notes {
            let kind = kind_of_note(note);
            let sent = edition::sent(note.slot, &self.shadows, &self.operations);
            let Some(last) = sent.last().filter(|_| self.rung(kind) == Rung::Structure) else {
                continue;
            };
            let document = self.whole.iter().find(|item| {
                item.local.resource_type() == "DocumentReference"
                    && self.kind_of(item.uuid) == kind
                    && match note.subject {
                        Subject::Plan => true,
                        Subject::Session { encounter } => targets(&item.local).contains(&encounter),
                    }
            });
            promoted.extend(document.map(|document| (document.uuid, last.item)));
        }
        promoted
    }

    /// The body with references to what a person linked written as the EHR names it.
    fn repointed(&self, resource: &Resource) -> Resource {
        let mut tree = resource.to_value();
        rewrite_references(&mut tree, &mut |text| {
            Some(self.linked.get(&identity::urn(text)?)?.to_string())
        });
        Resource::from_value(tree).unwrap_or_else(|_| resource.clone())
    }
}

/// The type without which a kind is not there as structure.
const fn backbone(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "CarePlan",
        Kind::Session => "Encounter",
        Kind::Diagnosis => "Condition",
        Kind::Scores => "Observation",
    }
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
