//! Creating: in one transaction where the server has them, in waves of a batch where it has only those, else one after
//! another.
//!
//! Every create bears its condition (`If-None-Exist` by our identifier) where the server knows conditions. What an
//! answer says is kept as a hint; what the next look-up finds counts. A transaction that is lost or refused makes
//! all its entries open, and they are looked up one by one: servers are known that answer 404 to the whole and keep
//! most of it. One that was too long is sent again in shorter ones, each after the look-up of the one before.

use std::collections::BTreeSet;

use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use crate::client::{Cause, Class, Created, EntryAnswer, Error, Flaw};
use crate::fhir::bundle::Request;
use crate::fhir::{Bundle, Entry, Resource, ResourceId};
use crate::store::{Operation, State, Verb, Writer};
use crate::vendor::Transport;

use super::identity::{Item, item_of, names_another, resolve, targets, token};
use super::offer::LookUp;
use super::order::{groups, wave, without_missing};
use super::report::{Failure, Progress, Stop};
use super::round::Position;
use super::run::{Run, TRIES};

impl Run<'_, '_> {
    /// Writes what is to be written; false if nothing was.
    pub(super) async fn write(
        &mut self,
        writer: &Writer<'_>,
        positions: &[(Uuid, Position)],
    ) -> Result<bool, Stop> {
        let wanted: Vec<Uuid> = positions
            .iter()
            .filter(|(_, position)| matches!(position, Position::Create))
            .map(|(uuid, _)| *uuid)
            .collect();
        let has_created = self.create(writer, &wanted).await?;
        let has_updated = self.update(writer, positions).await?;
        Ok(has_created || has_updated)
    }

    async fn create(&mut self, writer: &Writer<'_>, wanted: &[Uuid]) -> Result<bool, Stop> {
        if wanted.is_empty() {
            // Not even a batch of nothing.
            return Ok(false);
        }
        let mut possible = Vec::new();
        for uuid in wanted {
            // Where an earlier try was said to be is no place to refer to.
            self.located.remove(uuid);
            match self.can_create(*uuid) {
                Ok(()) => possible.push(*uuid),
                Err(failure) => {
                    self.failed.insert(*uuid, failure);
                }
            }
        }
        if possible.len() < wanted.len() {
            // Deciding anew blocks what refers to those that can't be created.
            return Ok(true);
        }
        let conditional =
            possible.iter().any(|uuid| self.offer.creates_conditionally(&self.type_of(*uuid)));
        let limit = self.offer.entries(conditional);
        let chosen: Vec<&Item> = possible.iter().filter_map(|uuid| self.item(*uuid)).collect();
        let in_order = match self.transport {
            Transport::Transaction => groups(&chosen, limit),
            Transport::Batch => wave(&chosen, limit).into_iter().collect(),
            Transport::Single => groups(&chosen, 1),
        };
        let mut left_out = BTreeSet::new();
        for group in in_order {
            if self.transport != Transport::Transaction && self.refers_to_failed(&group, &left_out)
            {
                left_out.extend(group);
                continue;
            }
            let operations = self.prepare(&group);
            self.check_again(operations.iter().map(|operation| &operation.body)).await?;
            writer.begin(&self.link.plan, &operations).await?;
            for operation in &operations {
                *self.tries.entry(operation.item).or_default() += 1;
                self.answered.remove(&operation.item);
                self.refused.remove(&operation.item);
                self.stale.insert(operation.item);
                self.operations.insert(operation.item, operation.clone());
            }
            (self.progress)(Progress::Writing { resources: operations.len() });
            let goes_on = match operations.as_slice() {
                [one] if self.transport == Transport::Single => self.create_one(one).await?,
                _ => {
                    self.create_together(&operations).await?;
                    // What comes next refers to ids that were read, not to those that an answer told.
                    false
                }
            };
            if !goes_on {
                break;
            }
        }
        Ok(true)
    }

    /// Whether a resource would have to be cut short because another was refused: then it waits.
    fn refers_to_failed(&self, group: &[Uuid], left_out: &BTreeSet<Uuid>) -> bool {
        let items = group.iter().filter_map(|uuid| self.item(*uuid));
        items
            .flat_map(|item| targets(&item.local))
            .any(|target| self.failed.contains_key(&target) || left_out.contains(&target))
    }

    fn can_create(&self, uuid: Uuid) -> Result<(), Failure> {
        self.offer.takes(&self.type_of(uuid))?;
        match self.tries.get(&uuid) {
            Some(tries) if *tries >= TRIES => Err(Failure::GaveUp(*tries)),
            _ => Ok(()),
        }
    }

    /// The operations that create a group: references to what is there by id, to each other by `urn:uuid:`, and to
    /// what comes later not at all.
    fn prepare(&self, group: &[Uuid]) -> Vec<Operation> {
        let mut ids = self.ids();
        ids.extend(self.located.clone());
        let here: BTreeSet<Uuid> = group.iter().copied().collect();
        let waited_until = self.end_of_waiting();
        let operation = |uuid: &Uuid| {
            let item = self.item(*uuid)?;
            let is_there = |target: Uuid| {
                ids.contains_key(&target)
                    || (here.contains(&target) && self.transport == Transport::Transaction)
            };
            let local = without_missing(&item.local, &is_there);
            let seen = self.listed.get(local.resource_type()).cloned();
            Some(Operation {
                item: *uuid,
                verb: Verb::Create,
                body: resolve(&local, &ids),
                local,
                state: State::InFlight,
                attempt: self.tries.get(uuid).copied().unwrap_or_default() + 1,
                waited_until,
                searched: false,
                seen,
            })
        };
        group.iter().filter_map(operation).collect()
    }

    fn condition(&self, operation: &Operation) -> Option<String> {
        let value: String = byte_serialize(token(operation.item).as_bytes()).collect();
        self.offer
            .creates_conditionally(operation.body.resource_type())
            .then(|| format!("identifier={value}"))
    }

    async fn create_together(&mut self, operations: &[Operation]) -> Result<(), Stop> {
        let entry = |operation: &Operation| Entry {
            full_url: Some(format!("urn:uuid:{}", operation.item)),
            resource: Some(operation.body.clone()),
            request: Some(Request {
                method: "POST".to_owned(),
                url: operation.body.resource_type().to_owned(),
                if_none_exist: self.condition(operation),
                if_match: None,
            }),
            ..Entry::default()
        };
        let bundle = Bundle::new(self.transport.code(), operations.iter().map(entry).collect());
        let items = || operations.iter().map(|operation| operation.item);
        match self.ehr.client.transaction(&bundle).await {
            Ok(answers) => {
                self.answered.extend(items());
                let is_mediated = |answer: &EntryAnswer| answer.class == Some(Class::Mediated);
                // Which of them waits there no place in an answer proves: none is sent again before it was found.
                if answers.iter().any(is_mediated) {
                    for item in items() {
                        self.taken_in(item).await?;
                    }
                }
                let was_sent = |id: &ResourceId| {
                    let mut types = operations.iter().map(|one| one.body.resource_type());
                    types.any(|sent| sent == id.resource_type())
                };
                for answer in &answers {
                    self.check_answer(answer.id.as_ref(), answer.resource.as_ref())?;
                    if answer.status == Some(201)
                        && answer.id.as_ref().is_some_and(|id| !was_sent(id))
                    {
                        return Err(stray("Bundle"));
                    }
                }
                self.take_answers(answers);
            }
            Err(error @ Error::Ambiguous(_)) => {
                self.gave_up(&items().collect::<Vec<_>>()).await?;
                check_stray(&error, "Bundle")?;
            }
            Err(error @ (Error::NotSent(_) | Error::Busy { .. })) => {
                self.not_processed(operations, error).await?;
            }
            Err(error @ Error::Unauthorized) => {
                self.withdraw(&items().collect::<Vec<_>>()).await?;
                return Err(error.into());
            }
            // Its twin may be running still: nothing is sent before that one is done.
            Err(Error::Conflict { status: 409, .. }) => self.transport = Transport::Single,
            Err(error) => {
                // Refused, as it seems; one by one shows which entry it was, and which were kept all the same.
                self.answered.extend(items());
                // What may appear later is sent again at once only with the condition that would find it.
                let is_safe = |operation: &&Operation| self.condition(operation).is_some();
                let safe = operations.iter().filter(is_safe).map(|operation| operation.item);
                let safe: Vec<Uuid> = safe.collect();
                let conditional = !safe.is_empty();
                self.refused.extend(safe);
                self.offer.learn(None, self.transport.code(), &error);
                // Not one of them is to blame that it was too long.
                if self.offer.shortens(&error, operations.len(), conditional) {
                    for item in items() {
                        self.tries.entry(item).and_modify(|tries| *tries = tries.saturating_sub(1));
                    }
                } else {
                    // Also where all of it is forbidden: maybe one type is, and then it can be named.
                    self.transport = Transport::Single;
                }
            }
        }
        Ok(())
    }

    /// Notes what the server says that it made. Which of it is whose is for the look-up to find: servers leave
    /// answers out and put them in another order, and two goals can't be told apart by what an answer says.
    fn take_answers(&mut self, answers: Vec<EntryAnswer>) {
        for EntryAnswer { status, id, version, .. } in answers {
            // No transaction then, whatever it is called: alone, an entry is refused for its own reason.
            if status.is_some_and(|status| status >= 400) {
                self.transport = Transport::Single;
            }
            if let (Some(201), Some(id)) = (status, id) {
                self.made.insert(id.clone());
                self.acknowledged.extend(version.map(|version| (id, version)));
            }
        }
    }

    async fn create_one(&mut self, operation: &Operation) -> Result<bool, Stop> {
        let condition = self.condition(operation);
        let item = operation.item;
        match self.ehr.client.create(&operation.body, condition.as_deref()).await {
            Ok(created) if created.is_mediated() => {
                self.taken_in(item).await?;
                Ok(false)
            }
            Ok(Created { status, id, version, resource }) => {
                self.answered.insert(item);
                self.check_answer(id.as_ref(), resource.as_ref())?;
                let stored = resource.as_ref().map(item_of);
                let is_sought = self.offer.look_up(operation.body.resource_type())
                    == LookUp::ByIdentifier
                    && !self.notes.contains_key(&item);
                if status == 201 && stored == Some(None) && is_sought {
                    // Made, and our identifier dropped: no search will ever find it, and sending it again makes another.
                    self.taken_in(item).await?;
                    return Ok(false);
                }
                let is_another = stored.flatten().is_some_and(|stored| stored != item);
                // It was there, or the answer is another's: the look-up tells before anything refers to it.
                let Some(id) = id.filter(|_| status == 201 && !is_another) else {
                    return Ok(false);
                };
                self.located.insert(item, id.clone());
                self.made.insert(id.clone());
                self.acknowledged.extend(version.map(|version| (id, version)));
                Ok(true)
            }
            Err(error @ (Error::Ambiguous(_) | Error::Conflict { status: 409, .. })) => {
                self.gave_up(&[item]).await?;
                check_stray(&error, operation.body.resource_type())?;
                Ok(false)
            }
            Err(Error::Conflict { .. }) => {
                self.answered.insert(item);
                Ok(false)
            }
            Err(error @ (Error::NotSent(_) | Error::Busy { .. })) => {
                self.not_processed(std::slice::from_ref(operation), error).await?;
                Ok(false)
            }
            Err(error) => {
                self.withdraw(&[item]).await?;
                if error == Error::Unauthorized {
                    return Err(error.into());
                }
                // If all of its kind are refused, the next round leaves it out of what refers to it.
                let is_kind =
                    self.offer.learn(Some(operation.body.resource_type()), "create", &error);
                self.failed.insert(item, Failure::Server(error));
                Ok(!is_kind)
            }
        }
    }

    /// Stops at an answer that tells of another Patient's resource (W4): what was written, and where, nobody knows then.
    pub(super) fn check_answer(
        &self,
        id: Option<&ResourceId>,
        stored: Option<&Resource>,
    ) -> Result<(), Stop> {
        let Some(stored) = stored else { return Ok(()) };
        if !names_another(stored, &self.link.patient, self.ehr.base_url) {
            return Ok(());
        }
        let told = stored.id().and_then(|id| ResourceId::new(stored.resource_type(), id).ok());
        match id.cloned().or(told) {
            Some(id) => Err(Stop::WrongAnswer(id)),
            None => Ok(()),
        }
    }

    /// Takes back operations of which nothing reached the server, and waits.
    pub(super) async fn not_processed(
        &mut self,
        operations: &[Operation],
        error: Error,
    ) -> Result<(), Stop> {
        let items: Vec<Uuid> = operations.iter().map(|operation| operation.item).collect();
        self.withdraw(&items).await?;
        for item in &items {
            self.tries.entry(*item).and_modify(|tries| *tries = tries.saturating_sub(1));
        }
        self.postpone(error).await
    }
}

/// Stops where the answer to a write names another resource than it made, or one of another type (W4): whose answer it
/// was nobody knows, and the next run looks before it sends anything.
pub(super) fn check_stray(error: &Error, resource_type: &str) -> Result<(), Stop> {
    match error {
        Error::Ambiguous(Cause::Flaw(Flaw::OtherResource | Flaw::OtherType)) => {
            Err(stray(resource_type))
        }
        _ => Ok(()),
    }
}

fn stray(resource_type: &str) -> Stop {
    Stop::StrayAnswer { resource_type: resource_type.to_owned() }
}
