//! What the server offers, as far as a run asks: every such question of `sync` is here and nowhere else.
//!
//! It stands on the server's statement and on what this run learned from refusals. A statement is a claim: what it
//! does not list is not tried, what it lists is, and a refusal of the whole kind corrects it for the rest of the run
//! ([`Refusal`] tells the caller, who may remember it for longer).
//!
//! A kind that is not taken is known before anything is sent. Its items are reported, and references to them are
//! left out of what refers to them: a plan without its goals helps, and a plan that waits for ever does not. A
//! single item that is refused is another matter; what refers to that one waits.

use std::collections::BTreeMap;

use crate::client::{Class, Error};
use crate::fhir::Capability;

use super::report::{Failure, Refusal};

/// Resources in one transaction where nothing is known. The servers that say so take 160 to 500; a course of 16
/// sessions has about 120.
const ENTRIES: usize = 150;

/// What a server offers.
#[derive(Debug)]
pub(super) struct Offer {
    capability: Capability,
    max_entries: Option<usize>,
    max_conditional_entries: Option<usize>,
    /// What may be the limit, tried out with the record at hand.
    guessed: Option<usize>,
    /// What was refused as a whole, by type (none for the system) and interaction.
    refused: BTreeMap<(Option<String>, &'static str), Error>,
    refusals: Vec<Refusal>,
}

impl Offer {
    pub(super) const fn new(
        capability: Capability,
        max_entries: Option<usize>,
        max_conditional_entries: Option<usize>,
    ) -> Self {
        Self {
            capability,
            max_entries,
            max_conditional_entries,
            guessed: None,
            refused: BTreeMap::new(),
            refusals: Vec::new(),
        }
    }

    /// Forgets what was only guessed, because an entry of the record before may have been the cause.
    pub(super) const fn begin_record(&mut self) {
        self.guessed = None;
    }

    /// Whether several creates can be sent as one.
    pub(super) fn transactions(&self) -> bool {
        self.capability.allows_system("transaction") && !self.is_refused(None, "transaction")
    }

    /// Whether a type can be searched by our identifiers, so that an empty answer means absence.
    pub(super) fn finds(&self, resource_type: &str) -> bool {
        self.capability.searches(resource_type, "identifier")
    }

    /// Whether a create of the type can bear its condition.
    pub(super) fn creates_conditionally(&self, resource_type: &str) -> bool {
        self.capability.resources.get(resource_type).is_some_and(|known| known.conditional_create)
    }

    /// Why no resource of a type can be created here.
    pub(super) fn takes(&self, resource_type: &str) -> Result<(), Failure> {
        if let Some(error) = self.refused.get(&(Some(resource_type.to_owned()), "create")) {
            return Err(Failure::Server(error.clone()));
        }
        if !self.capability.allows(resource_type, "create") {
            return Err(Failure::Unsupported("create"));
        }
        if !self.finds(resource_type) {
            return Err(Failure::Unsupported("search by identifier"));
        }
        Ok(())
    }

    /// Why no resource of a type can be updated here.
    pub(super) fn updates(&self, resource_type: &str) -> Result<(), Failure> {
        if let Some(error) = self.refused.get(&(Some(resource_type.to_owned()), "update")) {
            return Err(Failure::Server(error.clone()));
        }
        if self.capability.allows(resource_type, "update") {
            Ok(())
        } else {
            Err(Failure::Unsupported("update"))
        }
    }

    /// How many entries a transaction may have, if some are conditional or none is.
    pub(super) fn entries(&self, conditional: bool) -> usize {
        let for_conditional = self.max_conditional_entries.filter(|_| conditional);
        let limits = [self.max_entries, for_conditional, self.guessed];
        limits.into_iter().flatten().fold(ENTRIES, usize::min).max(1)
    }

    /// Whether a refused transaction of so many entries may have been refused for its length; then the next ones are
    /// half as long. Where a limit is known, it was not that unless the server says so.
    pub(super) fn shortens(&mut self, error: &Error, entries: usize, conditional: bool) -> bool {
        let is_known = self.max_entries.is_some() || self.max_conditional_entries.is_some();
        let half = Some(entries / 2);
        match () {
            () if entries < 2 => return false,
            () if error.class() == Class::TooBig && conditional => {
                self.max_conditional_entries = half
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
            (Some(_), Error::Forbidden) => 403,
            // Of an update it is the resource that is not there; of a create nothing else can be meant than the type.
            (Some(_), Error::NotFound { gone: false }) if interaction == "create" => 404,
            (_, Error::Refused { status: status @ (405 | 501), .. }) => *status,
            // `not-supported` that points into the body is about an element (Oracle).
            (Some(_), Error::Refused { status, class: Class::Capability, .. }) => *status,
            _ => return false,
        };
        let resource_type = resource_type.map(str::to_owned);
        let key = (resource_type.clone(), interaction);
        if self.refused.insert(key, error.clone()).is_none() {
            self.refusals.push(Refusal { resource_type, interaction, status });
        }
        true
    }

    /// What was learned.
    pub(super) fn into_refusals(self) -> Vec<Refusal> {
        self.refusals
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

    fn offer(max_conditional_entries: Option<usize>) -> Offer {
        Offer::new(Capability::default(), None, max_conditional_entries)
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
        let mut known = offer(Some(8));
        assert_eq!(known.entries(true), 8);
        assert!(!known.shortens(&refused(400, Class::Permanent), 8, true));
        assert!(known.shortens(&refused(413, Class::TooBig), 8, true), "it said so itself");
        known.begin_record();
        assert_eq!((known.entries(true), known.entries(false)), (4, ENTRIES));
        assert!(!known.shortens(&refused(413, Class::TooBig), 1, true), "one can't be halved");
        assert_eq!(offer(Some(0)).entries(true), 1);
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
        assert!(offer.learn(Some("Goal"), "create", &Error::Forbidden));
        assert_eq!(offer.takes("Goal"), Err(Failure::Server(Error::Forbidden)));
        let told: Vec<u16> = offer.into_refusals().iter().map(|refusal| refusal.status).collect();
        assert_eq!(told, [404, 501, 400], "each once");
    }
}
