//! Updating: one resource at a time, by id, against the version that was just read.
//!
//! A conditional update would do the same with fewer requests, and HAPI overwrites an edit there although If-Match
//! says otherwise; so the target is read first and must be what it was: ours, and at the version on which the
//! decision stood. An answer of 201 means that the server made a resource where ours had been: that is shown and
//! never undone by us.

use uuid::Uuid;

use crate::client::Error;
use crate::fhir::Resource;
use crate::store::{Hold, Operation, Shadow, State, Verb, Writer};

use super::create::check_stray;
use super::identity::targets;
use super::report::{Failure, Progress, Stop};
use super::round::Position;
use super::run::{Run, TRIES};

impl Run<'_, '_> {
    /// Updates what is to be updated and can be by now; false if nothing was.
    pub(super) async fn update(
        &mut self,
        writer: &Writer<'_>,
        positions: &[(Uuid, Position)],
    ) -> Result<bool, Stop> {
        let mut has_updated = false;
        for (uuid, position) in positions {
            let Position::Update(body, _) = position else { continue };
            // What it refers to is on its way: the next round finds it.
            if !targets(body).is_empty() {
                continue;
            }
            if let Err(failure) = self.offer.updates(body.resource_type()) {
                self.failed.insert(*uuid, failure);
                continue;
            }
            match self.tries.get(uuid) {
                Some(tries) if *tries >= TRIES => {
                    self.failed.insert(*uuid, Failure::GaveUp(*tries));
                }
                _ => {
                    *self.tries.entry(*uuid).or_default() += 1;
                    self.stale.insert(*uuid);
                    self.update_one(writer, *uuid, body).await?;
                    has_updated = true;
                }
            }
        }
        Ok(has_updated)
    }

    async fn update_one(
        &mut self,
        writer: &Writer<'_>,
        item: Uuid,
        body: &Resource,
    ) -> Result<(), Stop> {
        let Some(shadow) = self.shadows.get(&item).cloned() else { return Ok(()) };
        let Some(local) = self.item(item).map(|item| item.local.clone()) else { return Ok(()) };
        self.check_again([body]).await?;
        // Gone, or edited since the look-up: the next round decides anew.
        let Some(target) = self.read(&shadow.id).await? else { return Ok(()) };
        if !self.is_item(&target, item) {
            return Err(Stop::Restored(target.id));
        }
        self.check_subject(&target)?;
        let Some([seen]) = self.found.get(&item).map(Vec::as_slice) else { return Ok(()) };
        if seen.version != target.version {
            return Ok(());
        }
        let Some(version) = target.version else {
            self.failed.insert(item, Failure::NoVersions);
            return Ok(());
        };
        let operation = Operation {
            item,
            verb: Verb::Update { id: shadow.id.clone(), base_version: version.clone() },
            body: body.clone(),
            local,
            state: State::InFlight,
            attempt: self.tries.get(&item).copied().unwrap_or(1),
            waited_until: self.end_of_waiting(),
            searched: false,
            seen: None,
        };
        writer.begin(&self.link.plan, std::slice::from_ref(&operation)).await?;
        self.answered.remove(&item);
        self.acknowledged.remove(&shadow.id);
        self.operations.insert(item, operation.clone());
        (self.progress)(Progress::Writing { resources: 1 });
        match self.ehr.client.update(&shadow.id, body, &version).await {
            Ok(answer) if answer.status == 201 => {
                let held = Shadow { held: Some(Hold::CreatedByUpdate), ..shadow };
                self.keep(vec![held]).await
            }
            Ok(answer) if answer.is_mediated() => self.taken_in(item).await,
            Ok(answer) => {
                self.answered.insert(item);
                self.check_answer(Some(&shadow.id), answer.resource.as_ref())?;
                self.acknowledged.extend(answer.version.map(|version| (shadow.id, version)));
                Ok(())
            }
            Err(error @ Error::Ambiguous(_)) => {
                self.gave_up(&[item]).await?;
                check_stray(&error, body.resource_type())
            }
            Err(Error::Conflict { .. } | Error::NotFound { .. }) => {
                self.answered.insert(item);
                Ok(())
            }
            Err(error @ (Error::NotSent(_) | Error::Busy { .. })) => {
                self.not_processed(&[operation], error).await
            }
            Err(error) => {
                self.withdraw(&[item]).await?;
                if error == Error::Unauthorized {
                    return Err(error.into());
                }
                self.offer.learn(Some(body.resource_type()), "update", &error);
                self.failed.insert(item, Failure::Server(error));
                Ok(())
            }
        }
    }
}
