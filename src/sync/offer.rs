//! What the server offers, as far as a run asks: every such question of `sync` is here and nowhere else.
//!
//! It stands on what is known of the server before ([`Effective`]: statement, scopes, vendor pack, earlier refusals, the
//! operator's word) and on what this run learned from refusals. A statement is a claim: what it does not list is not
//! tried, what it lists is, and a refusal of the whole kind corrects it for the rest of the run, and by the store for a
//! day.
//!
//! A kind that is not taken is known before anything is sent. Its items are reported, and references to them are
//! left out of what refers to them: a plan without its goals helps, and a plan that waits for ever does not. A
//! single item that is refused is another matter; what refers to that one waits.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{Class, Error};
use crate::fhir::{Capability, Refusal, Scopes};
use crate::mapping::note::Shape;
use crate::vendor::{
    Allow, Effective, Encounters, Kind, Overrides, Pack, Placement, RequiredReference, Rung,
    Supersede, Told, Transport, place,
};

use super::report::{Denial, Failure, Needed, Placed};
use super::shape::shapes;

/// Resources in one transaction where nothing is known. The servers that say so take 160 to 500; a course of 16
/// sessions has about 120.
pub(super) const ENTRIES: usize = 150;

/// The status of a refusal that may be about the patient as well as about the kind.
const FORBIDDEN: u16 = 403;

/// How the resources of a type can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookUp {
    /// By our identifiers, many at once.
    ByIdentifier,
    /// All of the Patient's; which of them are ours they say themselves.
    ByPatient,
    /// Not at all: an empty answer would prove nothing.
    Impossible,
}

/// What a server offers.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    capability: Capability,
    /// The scopes of the token, where there is one and its server names them.
    scopes: Option<Scopes>,
    pack: Option<&'a Pack>,
    overrides: &'a Overrides,
    /// What was refused in earlier runs.
    believed: Vec<Refusal>,
    /// The limits that this run found, beyond those of the pack.
    max_entries: Option<usize>,
    max_conditional_entries: Option<usize>,
    /// What may be the limit, tried out with the record at hand.
    guessed: Option<usize>,
    /// What was refused as a whole in this run, by type (none for the system) and interaction.
    refused: BTreeMap<(Option<String>, &'static str), (Error, u16)>,
    /// Types whose creation was forbidden for one record: maybe its patient is protected, maybe the type is.
    suspected: BTreeSet<String>,
}

impl<'a> Offer<'a> {
    /// What is known before a run. Refusals are those that are believed now.
    pub(super) const fn new(
        capability: Capability,
        scopes: Option<Scopes>,
        pack: Option<&'a Pack>,
        overrides: &'a Overrides,
        believed: Vec<Refusal>,
    ) -> Self {
        Self {
            capability,
            scopes,
            pack,
            overrides,
            believed,
            max_entries: None,
            max_conditional_entries: None,
            guessed: None,
            refused: BTreeMap::new(),
            suspected: BTreeSet::new(),
        }
    }

    /// Nothing is known of a server that did not answer.
    pub(super) fn unknown(overrides: &'a Overrides) -> Self {
        Self::new(Capability::default(), None, None, overrides, Vec::new())
    }

    fn effective(&self) -> Effective<'_> {
        let scopes = self.scopes.as_ref();
        Effective::new(&self.capability, scopes, self.pack, self.overrides, &self.believed)
    }

    /// Forgets what was only guessed, because an entry of the record before may have been the cause. So may its patient,
    /// where something was forbidden: only a second record that meets the same shows that the kind is meant.
    pub(super) fn begin_record(&mut self) {
        self.guessed = None;
        let suspected = &mut self.suspected;
        self.refused.retain(|(resource_type, _), (_, status)| match resource_type {
            Some(resource_type) if *status == FORBIDDEN => !suspected.insert(resource_type.clone()),
            _ => true,
        });
    }

    /// How several creates are best sent.
    pub(super) fn transport(&self) -> Transport {
        let takes = |transport: &Transport| {
            let what = transport.code();
            *transport == Transport::Single
                || (self.effective().allows_system(what).allowed && !self.is_refused(None, what))
        };
        let [best, next, last] = [Transport::Transaction, Transport::Batch, Transport::Single];
        [best, next].into_iter().find(takes).unwrap_or(last)
    }

    /// How the resources of a type can be looked up, so that an empty answer means absence. Scopes that let only a part
    /// of a type be seen prove nothing.
    pub(super) fn look_up(&self, resource_type: &str) -> LookUp {
        let finds = |parameter: &str| {
            let fact = self.effective().searches(resource_type, parameter);
            fact.allowed && fact.narrowed.is_empty()
        };
        match () {
            () if finds("identifier") => LookUp::ByIdentifier,
            () if finds("patient") => LookUp::ByPatient,
            () => LookUp::Impossible,
        }
    }

    /// Whether nobody looks for a type in vain: what is not found is not there, and not in a queue either.
    pub(super) fn proves_absence(&self, resource_type: &str) -> bool {
        self.look_up(resource_type) != LookUp::Impossible && !self.holds_back(resource_type)
    }

    /// Whether what was written of a type may wait where no search finds it.
    pub(super) fn holds_back(&self, resource_type: &str) -> bool {
        let tank = self.pack.and_then(|pack| pack.writes.holding_tank.as_ref());
        tank.is_some_and(|tank| tank.value.iter().any(|held| held == resource_type || held == "*"))
    }

    /// Whether a create of the type can bear its condition, which is a search by our identifier.
    pub(super) fn creates_conditionally(&self, resource_type: &str) -> bool {
        self.look_up(resource_type) == LookUp::ByIdentifier
            && self.effective().creates_conditionally(resource_type).allowed
    }

    /// Why no resource of a type can be created here.
    pub(super) fn takes(&self, resource_type: &str) -> Result<(), Failure> {
        self.allows(resource_type, "create")?;
        if self.look_up(resource_type) != LookUp::Impossible {
            return Ok(());
        }
        let fact = self.effective().searches(resource_type, "identifier");
        let by = if fact.allowed { Denial::Scope } else { Denial::of(&fact.source) };
        Err(Failure::Unsupported { what: "search by identifier or patient", by })
    }

    /// Why no resource of a type can be updated here.
    pub(super) fn updates(&self, resource_type: &str) -> Result<(), Failure> {
        self.allows(resource_type, "update")
    }

    /// How each kind of content goes.
    pub(super) fn placements(&self, allow: &Allow) -> Vec<Placed> {
        let effective = self.effective();
        let placed = |placement: &Placement<'_>| Placed {
            kind: placement.kind,
            possible: placement.possible,
            rung: placement.rung,
            is_partial: placement.rung != Rung::Structure && !self.is_lowered(placement.kind),
            narrowings: placement
                .narrowings
                .iter()
                .map(|narrowing| (narrowing.from, narrowing.to, Denial::of(&narrowing.source)))
                .collect(),
            lost: BTreeMap::new(),
        };
        place(&effective, allow).iter().map(placed).collect()
    }

    /// Whether the pack keeps a kind below structure. Where it is only the server that lacks a type, what it takes of the
    /// kind goes as structure all the same.
    fn is_lowered(&self, kind: Kind) -> bool {
        let step = self.pack.and_then(|pack| pack.rung(kind));
        step.is_some_and(|step| step.rung != Rung::Structure || step.opt_in)
    }

    /// Whether the Encounters of sessions are ours to make.
    pub(super) fn makes_encounters(&self, allow: &Allow) -> bool {
        allow.encounters(self.pack) == Encounters::Create
    }

    /// The shapes in which a note is taken, the one to use first.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        shapes(self.pack)
    }

    /// How a newer note takes the place of an older one; as US Core 9 has it where nobody says otherwise.
    pub(super) fn supersede(&self) -> Supersede {
        let told = self.pack.and_then(|pack| pack.document.supersede.as_ref());
        told.map_or(Supersede::RelatesTo, |told| told.value)
    }

    /// Whether a document may refer to the one that it replaces.
    pub(super) fn relates_documents(&self) -> bool {
        let told = self.pack.and_then(|pack| pack.document.relates_to.as_ref());
        told.is_none_or(|told| told.value)
    }

    /// The references that a write of a type needs for a kind of content.
    pub(super) fn needed(&self, kind: Kind, resource_type: &str) -> Vec<Needed> {
        let needed = |one: &RequiredReference| Needed {
            element: one.element.clone(),
            targets: one.targets.clone(),
        };
        let pack = self.pack.iter();
        pack.flat_map(|pack| pack.references(kind, resource_type)).map(needed).collect()
    }

    fn allows(&self, resource_type: &str, interaction: &'static str) -> Result<(), Failure> {
        if let Some((error, _)) = self.refused.get(&(Some(resource_type.to_owned()), interaction)) {
            return Err(Failure::Server(error.clone()));
        }
        let fact = self.effective().allows(resource_type, interaction);
        if fact.allowed {
            Ok(())
        } else {
            Err(Failure::Unsupported { what: interaction, by: Denial::of(&fact.source) })
        }
    }

    /// How many entries a transaction may have, if some are conditional or none is.
    pub(super) fn entries(&self, conditional: bool) -> usize {
        let if_conditional = |limit: Option<usize>| limit.filter(|_| conditional);
        let (told, told_conditional) = self.told();
        let limits = [
            told,
            if_conditional(told_conditional),
            self.max_entries,
            if_conditional(self.max_conditional_entries),
            self.guessed,
        ];
        limits.into_iter().flatten().fold(ENTRIES, usize::min).max(1)
    }

    /// The limits of the pack: of all entries, and of those of a Bundle with a conditional one.
    fn told(&self) -> (Option<usize>, Option<usize>) {
        let effective = self.effective();
        let value = |told: Option<&Told<usize>>| told.map(|told| told.value);
        (value(effective.max_entries()), value(effective.max_conditional_entries()))
    }

    /// Whether a refused transaction of so many entries may have been refused for its length; then the next ones are
    /// half as long. Where a limit is known, it was not that unless the server says so.
    pub(super) fn shortens(&mut self, error: &Error, entries: usize, conditional: bool) -> bool {
        let known = [self.told().0, self.told().1, self.max_entries, self.max_conditional_entries];
        let is_known = known.iter().any(Option::is_some);
        let half = Some(entries / 2);
        match () {
            () if entries < 2 => return false,
            () if error.class() == Class::TooBig && conditional => {
                self.max_conditional_entries = half;
            }
            () if error.class() == Class::TooBig => self.max_entries = half,
            () if !is_known && may_be_too_big(error) => self.guessed = half,
            () => return false,
        }
        true
    }

    /// Notes a refusal that is about a type as a whole, or about all transactions; says whether it is one.
    pub(super) fn learn(
        &mut self,
        resource_type: Option<&str>,
        interaction: &'static str,
        error: &Error,
    ) -> bool {
        let status = match (resource_type, error) {
            // An update that is forbidden is about the resource: signed, locked, another's.
            (Some(_), Error::Forbidden) if interaction == "create" => FORBIDDEN,
            // Of an update it is the resource that is not there; of a create nothing else can be meant than the type.
            (Some(_), Error::NotFound { gone: false }) if interaction == "create" => 404,
            (_, Error::Refused { status: status @ (405 | 501), .. }) => *status,
            // `not-supported` that points into the body is about an element (Oracle).
            (Some(_), Error::Refused { status, class: Class::Capability, .. }) => *status,
            _ => return false,
        };
        let key = (resource_type.map(str::to_owned), interaction);
        self.refused.insert(key, (error.clone(), status));
        true
    }

    /// What was learned.
    pub(super) fn into_refusals(self, now: jiff::Timestamp) -> Vec<Refusal> {
        let (refused, suspected) = (self.refused.into_iter(), self.suspected);
        let is_of_the_kind = |resource_type: Option<&str>, status: u16| {
            status != FORBIDDEN || resource_type.is_some_and(|name| suspected.contains(name))
        };
        refused
            .filter(|((resource_type, _), (_, status))| {
                is_of_the_kind(resource_type.as_deref(), *status)
            })
            .map(|((resource_type, interaction), (_, status))| {
                let resource_type = resource_type.as_deref().unwrap_or(Refusal::SYSTEM);
                Refusal::new(resource_type, interaction, status, now)
            })
            .collect()
    }

    fn is_refused(&self, resource_type: Option<&str>, interaction: &'static str) -> bool {
        self.refused.contains_key(&(resource_type.map(str::to_owned), interaction))
    }
}

/// A server that does not say so may mean it all the same.
const fn may_be_too_big(error: &Error) -> bool {
    matches!(error, Error::Refused { status: 400, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, class: Class) -> Error {
        Error::Refused { status, codes: Vec::new(), class }
    }

    fn offer(pack: Option<&'static Pack>) -> Offer<'static> {
        static NOTHING: std::sync::LazyLock<Overrides> =
            std::sync::LazyLock::new(Overrides::default);
        Offer::new(Capability::default(), None, pack, &NOTHING, Vec::new())
    }

    #[test]
    fn an_unknown_limit_is_found_by_halves_and_a_known_one_is_believed() {
        let mut unknown = offer(None);
        assert_eq!(unknown.entries(true), ENTRIES);
        for (entries, half) in [(27, 13), (13, 6), (3, 1)] {
            assert!(unknown.shortens(&refused(400, Class::Permanent), entries, true));
            assert_eq!(unknown.entries(true), half);
        }
        unknown.begin_record();
        assert_eq!(unknown.entries(true), ENTRIES);
        let mut known = offer(Pack::named("medplum"));
        assert_eq!(known.entries(true), 8);
        assert!(!known.shortens(&refused(400, Class::Permanent), 8, true));
        assert!(known.shortens(&refused(413, Class::TooBig), 8, true), "it said so itself");
        known.begin_record();
        assert_eq!((known.entries(true), known.entries(false)), (4, ENTRIES));
        assert!(!known.shortens(&refused(413, Class::TooBig), 1, true), "one can't be halved");
    }

    #[test]
    fn only_what_is_said_of_the_kind_is_learned() {
        let mut offer = offer(None);
        let gone = Error::NotFound { gone: false };
        assert!(offer.learn(Some("Goal"), "create", &gone));
        assert!(!offer.learn(Some("Goal"), "update", &gone), "the resource, not the type");
        assert!(!offer.learn(None, "transaction", &gone), "Medplum answers an entry's 404 so");
        assert!(!offer.learn(None, "transaction", &Error::Forbidden), "maybe one type");
        assert!(offer.learn(None, "transaction", &refused(501, Class::Capability)));
        assert!(offer.learn(Some("Task"), "create", &refused(400, Class::Capability)));
        assert!(!offer.learn(Some("Flag"), "create", &refused(400, Class::Permanent)));
        assert!(!offer.learn(Some("Flag"), "create", &refused(422, Class::Permanent)));
        assert!(!offer.learn(Some("Goal"), "update", &Error::Forbidden), "maybe it is signed");
        assert!(offer.learn(Some("Flag"), "create", &Error::Forbidden));
        assert_eq!(offer.takes("Flag"), Err(Failure::Server(Error::Forbidden)));
        offer.begin_record();
        assert_ne!(offer.takes("Flag"), Err(Failure::Server(Error::Forbidden)), "another patient");
        assert!(offer.learn(Some("Flag"), "create", &Error::Forbidden));
        offer.begin_record();
        assert_eq!(offer.takes("Flag"), Err(Failure::Server(Error::Forbidden)), "not the patient");
        assert!(offer.learn(Some("Task"), "create", &Error::Forbidden), "of one record so far");
        let learned = offer.into_refusals(jiff::Timestamp::UNIX_EPOCH);
        let told: Vec<(&str, u16)> =
            learned.iter().map(|one| (one.resource_type.as_str(), one.status)).collect();
        assert_eq!(told, [("system", 501), ("Flag", 403), ("Goal", 404)], "each once");
    }
}
