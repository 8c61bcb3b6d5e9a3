//! A server that runs: its address, what it holds, what it was asked, and edits behind the clients' backs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fhir::{Resource, ResourceId};

use super::answer::{Answer, Refusal};
use super::behaviour::Behaviour;
use super::fault::{Fault, Faults};
use super::http::Swap;
use super::interaction::{Ehr, Request};
use super::rate::Counts;
use super::rules;
use super::smart::TokenServer;
use super::snapshot::Snapshot;
use super::store::{Version, Written};
use super::{Clock, Error};

/// One request that came, as a test may look at it. It holds no query and no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its number, from 1.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// The path below the base: `CarePlan/1`, empty for the base itself.
    pub path: String,
    /// The resource type in the path, if there is one.
    pub resource_type: Option<String>,
    /// The status that was answered, be the answer lost or not; none if the request was dropped.
    pub status: Option<u16>,
    /// The name of what went wrong with it on purpose.
    pub fault: Option<&'static str>,
}

impl Logged {
    pub(super) fn new(
        number: u64,
        method: &str,
        path: &str,
        status: Option<u16>,
        fault: Option<Fault>,
    ) -> Self {
        let first = path.split('/').next().unwrap_or_default();
        let is_type = crate::fhir::resource::is_resource_type(first);
        Self {
            number,
            method: method.to_owned(),
            path: path.to_owned(),
            resource_type: is_type.then(|| first.to_owned()),
            status,
            fault: fault.map(Fault::name),
        }
    }
}

/// What the connections and the [`Running`] handle have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) base: String,
    pub(super) faults: Faults,
    /// The login, where there is one.
    pub(super) tokens: Option<TokenServer>,
    /// Where an answer waits to be swapped.
    pub(super) swap: Swap,
    address: SocketAddr,
    clock: Clock,
    ehr: Mutex<Ehr>,
    snapshot: Option<Snapshot>,
    log: Mutex<Vec<Logged>>,
    versions_written: Mutex<u64>,
    counts: Mutex<Counts>,
    /// Requests whose client gave up, and that are still to be done.
    late: Mutex<Vec<(Request, u64)>>,
}

impl Shared {
    pub(super) fn new(
        (address, clock): (SocketAddr, Clock),
        faults: Faults,
        ehr: Ehr,
        snapshot: Option<Snapshot>,
        tokens: Option<TokenServer>,
    ) -> Self {
        Self {
            base: ehr.base.clone(),
            faults,
            tokens,
            swap: Swap::default(),
            address,
            clock,
            ehr: Mutex::new(ehr),
            snapshot,
            log: Mutex::default(),
            versions_written: Mutex::default(),
            counts: Mutex::default(),
            late: Mutex::default(),
        }
    }

    /// Does an interaction; an answer is given only when the snapshot holds what was written.
    pub(super) fn perform(&self, request: &Request, number: u64) -> Result<Answer, Refusal> {
        let mut ehr = self.ehr();
        ehr.store.set_request(number);
        let before = ehr.store.revision();
        let quirks = ehr.behaviour.quirks.clone();
        let answer = ehr.perform(request).map_err(|refusal| quirks.bend_refusal(refusal))?;
        let written = ehr.store.revision() - before;
        if written > 0
            && let Some(snapshot) = &self.snapshot
            && snapshot.write(&ehr).is_err()
        {
            ehr.store.roll_back(before);
            return Err(Refusal::new(500, "no-store", "the snapshot file could not be written"));
        }
        *lock(&self.versions_written) += written as u64;
        Ok(quirks.bend(request, answer))
    }

    /// Keeps a request whose client gets no answer, to be done later.
    pub(super) fn keep(&self, request: Request, number: u64) {
        lock(&self.late).push((request, number));
    }

    /// Does the requests that were kept before this one came.
    pub(super) fn deliver(&self, before: u64) {
        let (due, later) = std::mem::take(&mut *lock(&self.late))
            .into_iter()
            .partition(|(_, number)| *number < before);
        *lock(&self.late) = later;
        for (request, number) in Vec::from_iter::<Vec<(Request, u64)>>(due) {
            // Nobody waits for what it comes to.
            self.perform(&request, number).ok();
        }
    }

    /// Loses the last commits.
    pub(super) fn lose(&self, commits: usize) {
        self.ehr().store.lose(commits);
    }

    /// Another resource of a type than the one that a path names.
    pub(super) fn other(&self, path: &str) -> Option<Resource> {
        let id: ResourceId = path.parse().ok()?;
        let ehr = self.ehr();
        let mut all = ehr.store.all_current();
        let other =
            all.find(|(other, _)| other.resource_type() == id.resource_type() && **other != id);
        other.map(|(_, resource)| Resource::clone(resource))
    }

    /// Counts a request against the rates; says whether it is one too many.
    pub(super) fn is_too_many(&self, is_bundle: bool) -> bool {
        let personality = self.behaviour().personality;
        lock(&self.counts).is_too_many(personality, is_bundle, self.now())
    }

    /// The state, with the clock's time for what is written next.
    fn ehr(&self) -> MutexGuard<'_, Ehr> {
        let mut ehr = lock(&self.ehr);
        ehr.store.set_time(self.clock.now());
        ehr
    }

    /// The time by this server's clock.
    pub(super) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// How the server behaves now.
    pub(super) fn behaviour(&self) -> Behaviour {
        lock(&self.ehr).behaviour.clone()
    }

    pub(super) fn log(&self, logged: Logged) {
        lock(&self.log).push(logged);
    }

    /// The path of the base.
    pub(super) fn base_path(&self) -> &str {
        let origin = format!("http://{}", self.address);
        self.base.strip_prefix(&origin).unwrap_or_default()
    }

    /// Whether a `Host` is a loopback name with the port of this server.
    pub(super) fn answers_to(&self, host: &str) -> bool {
        let Some((name, port)) = host.rsplit_once(':') else { return false };
        port == self.address.port().to_string()
            && (name == "localhost" || name == "[::1]" || name == self.address.ip().to_string())
    }
}

/// A mutex whose holder panicked still holds a whole state: every refused write was taken back before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    stopping: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Running {
    pub(super) const fn new(
        shared: Arc<Shared>,
        stopping: oneshot::Sender<()>,
        serving: JoinHandle<()>,
    ) -> Self {
        Self { shared, stopping, serving }
    }

    /// The base URL, without a slash at its end: `http://127.0.0.1:4711/fhir`.
    pub fn base_url(&self) -> &str {
        &self.shared.base
    }

    /// Ends the server: it takes no new connection, answers what it was asked, and is gone.
    ///
    /// # Errors
    /// [`Error::Snapshot`] if the last snapshot could not be written.
    pub async fn stop(self) -> Result<(), Error> {
        self.stopping.send(()).ok();
        let mut serving = self.serving;
        if tokio::time::timeout(Duration::from_secs(5), &mut serving).await.is_err() {
            serving.abort();
        }
        match &self.shared.snapshot {
            Some(snapshot) => snapshot.write(&self.shared.ehr()).map_err(Error::Snapshot),
            None => Ok(()),
        }
    }

    /// The faults that tests call for.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The token server, where there is a login.
    pub fn token_server(&self) -> Option<&TokenServer> {
        self.shared.tokens.as_ref()
    }

    /// All resources that have content now, by type and id.
    pub fn resources(&self) -> Vec<Resource> {
        let ehr = self.shared.ehr();
        ehr.store.all_current().map(|(_, resource)| Resource::clone(resource)).collect()
    }

    /// The resources of a type that have content now.
    pub fn of_type(&self, resource_type: &str) -> Vec<Resource> {
        let mut resources = self.resources();
        resources.retain(|resource| resource.resource_type() == resource_type);
        resources
    }

    /// What is in the first attachment of a document, be it there or in a Binary; nothing if there is none.
    pub fn attachment(&self, document: &Resource) -> Option<Vec<u8>> {
        let attachment = document.items("content").next()?.get("attachment")?;
        match attachment.text("url") {
            Some(url) => rules::decoded(&self.get(&url.parse().ok()?)?.to_value()),
            None => rules::decoded(attachment),
        }
    }

    /// The current content of a resource.
    pub fn get(&self, id: &ResourceId) -> Option<Resource> {
        self.shared.ehr().store.current(id)?.resource.as_deref().cloned()
    }

    /// All versions of a resource, oldest first.
    pub fn versions(&self, id: &ResourceId) -> Vec<Version> {
        self.shared.ehr().store.chain(id).to_vec()
    }

    /// All requests that came, in the order in which they were answered.
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.shared.log).clone()
    }

    /// How many versions requests have written. An update that changed nothing wrote none.
    pub fn writes(&self) -> u64 {
        *lock(&self.shared.versions_written)
    }

    /// Writes a version behind the clients' backs, as a person at the EHR would; without an `id` a new resource.
    ///
    /// The snapshot file follows with the next write by a request, and when the server stops.
    pub fn put(&self, resource: Resource) -> Result<ResourceId, Error> {
        let mut ehr = self.shared.ehr();
        ehr.put(resource)
    }

    /// Deletes a resource behind the clients' backs; says whether there was one.
    pub fn delete(&self, id: &ResourceId) -> bool {
        let mut ehr = self.shared.ehr();
        let exists = ehr.store.current(id).is_some();
        if exists {
            ehr.store.write(id, Written::Delete, None);
        }
        exists
    }

    /// What was written and waits, at Epic, where no search finds it.
    pub fn held(&self) -> Vec<ResourceId> {
        self.shared.ehr().charts.held.iter().cloned().collect()
    }

    /// Approves what waits, as a clinician would; says whether it waited.
    pub fn approve(&self, id: &ResourceId) -> bool {
        self.shared.ehr().charts.held.remove(id)
    }

    /// Protects a patient's chart from now on (403; at Epic 4130, break-the-glass), or no longer.
    pub fn set_protected(&self, patient: &ResourceId, is_protected: bool) {
        let mut ehr = self.shared.ehr();
        if is_protected {
            ehr.charts.protected.insert(patient.clone());
        } else {
            ehr.charts.protected.remove(patient);
        }
    }

    /// Merges a patient into another, as the EHR's staff would: both say so by `link`, the first is inactive, and what was
    /// the first's is the second's. At Epic the first is from then on 4107. Says whether both are here.
    pub fn merge(&self, from: &ResourceId, into: &ResourceId) -> bool {
        self.shared.ehr().merge(from, into)
    }

    /// Makes a resource another patient's; says whether it was somebody's.
    pub fn reassign(&self, id: &ResourceId, patient: &ResourceId) -> bool {
        self.shared.ehr().reassign(id, patient)
    }

    /// How it behaves now, to go on from.
    pub fn behaviour(&self) -> Behaviour {
        self.shared.behaviour()
    }

    /// Does what was delivered late and still waits for a next request.
    pub fn deliver_late(&self) {
        self.shared.deliver(u64::MAX);
    }

    /// The server behaves otherwise from now on: somebody configured it, or it was upgraded. Its base stays what it is.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.ehr().behaviour = behaviour;
    }

    /// Forgets everything, history too: the server was restored empty and keeps its address.
    pub fn wipe(&self) {
        self.shared.ehr().wipe();
    }
}
