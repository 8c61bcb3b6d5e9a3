//! One round's judgement: what earlier writes came to, what was found without a ledger, and what is to be done.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::client::{HistoryEntry, Versioned};
use crate::fhir::{Resource, ResourceId};
use crate::json::Value;
use crate::merge::{Change, Known, Step, changes, decide, same_content};
use crate::store::{Hold, Operation, Shadow, State, Verb};
use crate::vendor::Kind;

use super::edition::footer_of;
use super::identity::{Item, resolve, targets};
use super::listing::{Opened, Opening};
use super::offer::Offer;
use super::reading::{or_unavailable, repeated};
use super::report::{Conflict, Done, ItemState, Needed, Stop};
use super::run::{Run, left_to_settle};
use super::settle::{self, Asked, Evidence, Verdict};

/// Where a resource stands in a round.
#[derive(Debug)]
pub(super) enum Position {
    /// It is to be created.
    Create,
    /// It is to be replaced by this body, which changes these places.
    Update(Box<Resource>, Vec<Change>),
    /// Nothing is to be written.
    At(ItemState),
}

impl Position {
    /// Whether nobody can say which resource is ours, or which of its versions.
    pub(super) const fn is_riddle(&self) -> bool {
        matches!(
            self,
            Self::At(ItemState::Conflict(
                Conflict::Duplicates(_) | Conflict::CreatedByUpdate | Conflict::Unexplained
            ))
        )
    }

    pub(super) fn into_state(self) -> ItemState {
        match self {
            Self::Create => ItemState::ToCreate,
            Self::Update(_, changes) => ItemState::ToUpdate(changes),
            Self::At(state) => state,
        }
    }
}

impl Run<'_, '_> {
    /// Judges every operation whose outcome is open.
    pub(super) async fn settle_operations(&mut self) -> Result<(), Stop> {
        let ids = self.ids();
        let mut agreed = Vec::new();
        let open: Vec<Operation> = self.operations.values().cloned().collect();
        for operation in open {
            let current = match self.found.get(&operation.item).map(Vec::as_slice) {
                Some([one]) => one.clone(),
                Some([]) | None => {
                    agreed.extend(self.not_found(operation).await?);
                    continue;
                }
                Some(_) => continue,
            };
            let sent = resolve(&operation.body, &ids);
            let Some(verdict) = self.judge(&operation, &sent, &current).await? else { continue };
            match (verdict, &operation.verb) {
                (Verdict::Agreed { base, is_what_was_sent }, verb) => {
                    let done = match verb {
                        Verb::Create if is_what_was_sent => Done::Created,
                        Verb::Create => Done::Adopted,
                        Verb::Update { .. } => Done::Updated,
                    };
                    self.done.entry(operation.item).or_insert(done);
                    let local = is_what_was_sent.then_some(operation.local);
                    agreed.push(shadow(operation.item, *base, local));
                }
                // Whoever decides at the other end has not yet.
                (Verdict::NotArrived, _) if operation.state == State::Mediated => {}
                (Verdict::Unexplained, Verb::Update { .. }) => {
                    // Where the EHR says by chance what we want, deciding anew would not see the riddle.
                    if let Some(shadow) = self.shadows.get(&operation.item)
                        && same_content(&sent, &current.resource)
                    {
                        agreed.push(Shadow { held: Some(Hold::Unexplained), ..shadow.clone() });
                    }
                    self.withdraw(&[operation.item]).await?;
                }
                (Verdict::Unexplained, Verb::Create) => {
                    self.unexplained.insert(operation.item);
                    self.withdraw(&[operation.item]).await?;
                }
                _ => self.withdraw(&[operation.item]).await?,
            }
        }
        self.keep(agreed).await
    }

    /// An operation whose resource was not found: gone, lost on the way, or not there yet.
    async fn not_found(&mut self, mut operation: Operation) -> Result<Option<Shadow>, Stop> {
        let item = operation.item;
        if operation.state == State::Mediated {
            return Ok(None);
        }
        if matches!(operation.verb, Verb::Update { .. }) {
            // Deciding anew finds it gone.
            self.withdraw(&[item]).await?;
            return Ok(None);
        }
        if let Some(id) = self.located.get(&item).filter(|id| self.made.contains(id)) {
            // The server said that it made it there, and there it is not: somebody removed it.
            let mut base = resolve(&operation.body, &self.ids());
            base.object_mut().put("id", id.id());
            let versioned = Versioned {
                id: id.clone(),
                version: self.acknowledged.get(id).cloned(),
                last_updated: None,
                resource: base,
            };
            return Ok(Some(shadow(item, versioned, Some(operation.local))));
        }
        // Where nothing can be looked for any more, or what was taken may wait in a queue, nothing was found to be absent.
        if !self.offer.proves_absence(&self.type_of(item)) || self.unproven.contains(&item) {
            return Ok(None);
        }
        let Some(writer) = self.writer else { return Ok(None) };
        let now = (self.ehr.now)();
        let is_settled = left_to_settle(&operation, now, self.ehr).is_zero();
        // The same conditional create sent again is itself the second look; without it, a second search is.
        let is_certain =
            operation.searched || self.offer.creates_conditionally(&self.type_of(item));
        if self.refused.contains(&item) || (is_settled && is_certain) {
            self.withdraw(&[item]).await?;
            return Ok(None);
        }
        if is_settled {
            operation.searched = true;
            operation.waited_until = now;
            writer.begin(&self.link.plan, std::slice::from_ref(&operation)).await?;
            self.operations.insert(item, operation);
        }
        self.answered.remove(&item);
        Ok(None)
    }

    /// Whether a resource is certainly what an operation wrote, though its server keeps no versions to show it: an
    /// answer said that it made it there, or the footer of what is attached is that of what was sent. Nothing if what is
    /// attached can't be read now. A note is opened in any case: its content was read, then, and not only sent.
    async fn is_ours(
        &mut self,
        operation: &Operation,
        current: &Versioned,
    ) -> Result<Option<bool>, Stop> {
        let is_located = operation.verb == Verb::Create
            && self.located.get(&operation.item) == Some(&current.id);
        let Some(sent) = footer_of(&operation.body) else { return Ok(Some(is_located)) };
        Ok(match self.opened(current).await? {
            Opening::Ours(Opened { footer, .. }) => Some(footer == sent || is_located),
            Opening::Foreign => Some(is_located),
            Opening::Closed => is_located.then_some(true),
        })
    }

    /// Asks for evidence until it tells what became of an operation; nothing if that is for another time to tell.
    async fn judge(
        &mut self,
        operation: &Operation,
        sent: &Resource,
        current: &Versioned,
    ) -> Result<Option<Verdict>, Stop> {
        let acknowledged = self.acknowledged.get(&current.id).cloned();
        let told = self.is_ours(operation, current).await?;
        let is_ours = told == Some(true);
        let mut evidence = Evidence { acknowledged, is_ours, ..Evidence::default() };
        loop {
            let verdict = match (&operation.verb, self.shadows.get(&operation.item)) {
                (Verb::Create, _) => settle::created(sent, current, &evidence),
                (Verb::Update { base_version, .. }, Some(shadow)) => {
                    settle::updated(sent, &shadow.base, base_version, current, &evidence)
                }
                (Verb::Update { .. }, None) => Verdict::Unexplained,
            };
            if !self.gather(&verdict, &current.id, &mut evidence).await? {
                let is_open = told.is_none() && verdict == Verdict::Unexplained;
                return Ok(Some(verdict).filter(|_| !is_open));
            }
        }
    }

    /// Gets the evidence that a verdict asks for; false if it asks for none. A server that does not say it has versions is
    /// not asked for them: seven of eight hospital EHRs.
    async fn gather(
        &self,
        verdict: &Verdict,
        id: &ResourceId,
        evidence: &mut Evidence,
    ) -> Result<bool, Stop> {
        match verdict {
            Verdict::NeedVersion(version) => {
                evidence.version = if self.offer.tells(id.resource_type(), "vread") {
                    self.version(id, version).await?.into()
                } else {
                    Asked::Unavailable
                };
            }
            Verdict::NeedHistory => {
                evidence.history = if self.offer.tells(id.resource_type(), "history-instance") {
                    self.history(id).await?.into()
                } else {
                    Asked::Unavailable
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn version(&self, id: &ResourceId, version: &str) -> Result<Option<Versioned>, Stop> {
        let client = self.ehr.client;
        let versioned = or_unavailable(repeated(|| client.vread(id, version)).await)?;
        if let Some(versioned) = &versioned {
            self.check_subject(versioned)?;
        }
        Ok(versioned)
    }

    async fn history(&self, id: &ResourceId) -> Result<Option<Vec<HistoryEntry>>, Stop> {
        let client = self.ehr.client;
        or_unavailable(repeated(|| client.history(id)).await)
    }

    /// Takes into the ledger what the EHR has and the ledger does not know: it was lost, or another machine wrote it.
    pub(super) async fn adopt(&mut self) -> Result<(), Stop> {
        let ids = self.ids();
        let mut agreed = Vec::new();
        for item in self.items.clone() {
            let is_known = self.shadows.contains_key(&item.uuid)
                || self.operations.contains_key(&item.uuid)
                || self.unexplained.contains(&item.uuid);
            let found = self.found.get(&item.uuid).cloned().unwrap_or_default();
            let [current] = found.as_slice() else { continue };
            if is_known {
                continue;
            }
            // What a note says is known by its footer, and which edition of ours it is; its words may be older ones.
            if let Some(told) = self.told_by_note(&item, current).await? {
                self.done.insert(item.uuid, Done::Adopted);
                agreed.push(shadow(item.uuid, current.clone(), Some(told)));
                continue;
            }
            let sent = resolve(&item.local, &ids);
            let mut evidence = Evidence::default();
            let verdict = loop {
                let verdict = settle::created(&sent, current, &evidence);
                if !self.gather(&verdict, &current.id, &mut evidence).await? {
                    break verdict;
                }
            };
            if let Verdict::Agreed { base, is_what_was_sent } = verdict {
                let local = is_what_was_sent.then(|| item.local.clone());
                self.done.insert(item.uuid, Done::Adopted);
                agreed.push(shadow(item.uuid, *base, local));
            } else {
                self.unexplained.insert(item.uuid);
            }
        }
        self.keep(agreed).await
    }

    /// Decides for each resource, and keeps what both sides came to agree on by themselves.
    pub(super) async fn decide(&mut self) -> Result<Vec<(Uuid, Position)>, Stop> {
        let ids = self.ids();
        let mut positions = BTreeMap::new();
        let mut agreed = Vec::new();
        let is_left_out = |item: &Uuid| !self.is_in_record(*item) && !self.past.contains(item);
        let left_out: Vec<Uuid> = self.shadows.keys().copied().filter(is_left_out).collect();
        let order: Vec<Uuid> = self.items.iter().map(|item| item.uuid).chain(left_out).collect();
        for uuid in &order {
            let position = self.position(*uuid, &ids, &mut agreed)?;
            positions.insert(*uuid, position);
        }
        self.keep(agreed).await?;
        let mut positions: Vec<(Uuid, Position)> =
            order.into_iter().filter_map(|uuid| Some((uuid, positions.remove(&uuid)?))).collect();
        self.block(&mut positions, &ids);
        let is_gone = |(_, position): &(Uuid, Position)| {
            matches!(position, Position::At(ItemState::Conflict(Conflict::Gone)))
        };
        let was_known = |(uuid, _): &&(Uuid, Position)| {
            self.is_in_record(*uuid) && self.shadows.contains_key(uuid)
        };
        let mut known = positions.iter().filter(was_known).peekable();
        if known.peek().is_some() && known.all(is_gone) {
            return Err(Stop::AllGone);
        }
        Ok(positions)
    }

    fn position(
        &self,
        uuid: Uuid,
        ids: &BTreeMap<Uuid, ResourceId>,
        agreed: &mut Vec<Shadow>,
    ) -> Result<Position, Stop> {
        let conflict = |conflict| Ok(Position::At(ItemState::Conflict(conflict)));
        let found = self.found.get(&uuid).map_or(&[][..], Vec::as_slice);
        let shadow = self.shadows.get(&uuid);
        if found.len() > 1 {
            return conflict(Conflict::Duplicates(
                found.iter().map(|one| one.id.clone()).collect(),
            ));
        }
        if let Some(failure) = self.failed.get(&uuid).or_else(|| self.not_taken.get(&uuid)) {
            return Ok(Position::At(ItemState::Failed(failure.clone())));
        }
        if self.operations.contains_key(&uuid) {
            return Ok(Position::At(self.state_of_operation(uuid)));
        }
        if self.unexplained.contains(&uuid) {
            return conflict(Conflict::Unexplained);
        }
        match shadow.and_then(|shadow| shadow.held) {
            Some(Hold::CreatedByUpdate) => return conflict(Conflict::CreatedByUpdate),
            Some(Hold::Unexplained) => return conflict(Conflict::Unexplained),
            None => {}
        }
        let remote = found.first();
        if let (Some(shadow), Some(remote)) = (shadow, remote)
            && shadow.id != remote.id
        {
            return Err(Stop::Restored(remote.id.clone()));
        }
        let item = self.item(uuid);
        let local = item.map(|item| resolve(&item.local, ids));
        let last_local = shadow.and_then(|shadow| {
            // What the EHR kept as `urn:uuid:` was said so and not by id: else it would never be repaired.
            let unresolved = targets(&shadow.base);
            let mut ids = ids.clone();
            ids.retain(|target, _| !unresolved.contains(target));
            Some(resolve(shadow.local.as_ref()?, &ids))
        });
        let known = shadow.map(|shadow| Known {
            base: &shadow.base,
            base_version: shadow.base_version.as_deref(),
            last_local: last_local.as_ref(),
            remote: remote.map(|remote| &remote.resource),
            remote_version: remote.and_then(|remote| remote.version.as_deref()),
        });
        let base = known.map(|known| known.base);
        Ok(match (decide(local.as_ref(), known.as_ref()), remote, item) {
            (Step::Create, _, Some(item)) => match self.lacks(item) {
                Some(needed) => Position::At(ItemState::Needs(needed)),
                None => Position::Create,
            },
            (Step::Create, _, None) => Position::Create,
            // A reference that the EHR kept as `urn:uuid:` waits for its target's id.
            (Step::Unchanged | Step::Agree, Some(remote), Some(_))
                if !targets(&remote.resource).is_empty() =>
            {
                Position::Update(Box::new(remote.resource.clone()), Vec::new())
            }
            (Step::Unchanged, _, _) => Position::At(ItemState::InSync),
            (Step::Agree, Some(remote), Some(item)) => {
                agreed.push(self::shadow(uuid, remote.clone(), Some(item.local.clone())));
                Position::At(ItemState::InSync)
            }
            (Step::Agree, _, _) => Position::At(ItemState::InSync),
            (Step::Update(body), _, _) => {
                let body = self.with_whole_content(uuid, body, local.as_ref());
                let changed = base.map(|base| changes(base, &body)).unwrap_or_default();
                Position::Update(Box::new(body), changed)
            }
            (Step::RemoteChanged(theirs), _, _) => Position::At(ItemState::RemoteChanged(theirs)),
            (Step::Conflict { ours, theirs }, _, _) => {
                return conflict(Conflict::BothChanged { ours, theirs });
            }
            (Step::Gone, _, _) => return conflict(Conflict::Gone),
            (Step::NotInRecord, _, _) => Position::At(ItemState::NotInRecord),
        })
    }

    /// What the EHR demands that an item refers to, and nobody has linked.
    fn lacks(&self, item: &Item) -> Option<Needed> {
        lacks(&item.local, self.kind_of(item.uuid), self.offer)
    }

    /// The body of an update; a note's content is replaced as a whole: what the EHR made of the old one (an address for
    /// its bytes, a size, a hash) is not true of the new one.
    fn with_whole_content(
        &self,
        uuid: Uuid,
        mut body: Resource,
        local: Option<&Resource>,
    ) -> Resource {
        let content = local.and_then(|local| local.get("content"));
        if let Some(content) = content.filter(|_| self.notes.contains_key(&uuid)) {
            body.object_mut().insert("content", content.clone());
        }
        body
    }

    /// Marks what refers to an item that has no id and will get none.
    fn block(&self, positions: &mut [(Uuid, Position)], ids: &BTreeMap<Uuid, ResourceId>) {
        loop {
            let coming: BTreeSet<Uuid> = positions
                .iter()
                .filter(|(_, position)| matches!(position, Position::Create))
                .map(|(uuid, _)| *uuid)
                .collect();
            let mut has_blocked = false;
            for (uuid, position) in positions.iter_mut() {
                let Some(item) = self.item(*uuid) else { continue };
                if matches!(position, Position::At(_)) {
                    continue;
                }
                let targets = targets(&item.local);
                let missing = targets
                    .into_iter()
                    .find(|target| !ids.contains_key(target) && !coming.contains(target));
                if let Some(missing) = missing {
                    *position = Position::At(ItemState::BlockedBy(missing));
                    has_blocked = true;
                }
            }
            if !has_blocked {
                return;
            }
        }
    }
}

fn shadow(item: Uuid, base: Versioned, local: Option<Resource>) -> Shadow {
    Shadow { item, id: base.id, base_version: base.version, base: base.resource, local, held: None }
}

/// What the EHR demands that a body of a kind of content refers to, and it does not.
pub(super) fn lacks(body: &Resource, kind: Kind, offer: &Offer<'_>) -> Option<Needed> {
    let tree = body.to_value();
    let needed = offer.needed(kind, body.resource_type());
    needed.into_iter().find(|needed| !has_reference(&tree, needed))
}

/// Whether an element holds the reference that is needed; a list does if one of its items is one.
fn has_reference(tree: &Value, needed: &Needed) -> bool {
    let mut found = vec![tree];
    for name in needed.element.split('.') {
        let below = found.iter().flat_map(|value| match value.get(name) {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        });
        found = below.collect();
    }
    found.iter().filter_map(|value| value.text("reference")).any(|reference| {
        needed.targets.iter().any(|target| reference.starts_with(&format!("{target}/")))
    })
}
