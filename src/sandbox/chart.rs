//! What people at the EHR do to charts, behind the clients' backs: merge patients, move a resource to another patient,
//! protect a patient, approve what waits.
//!
//! Who may see a chart is decided before a request is done ([`check`]); the interactions know nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::fhir::reference::rewrite_references;
use crate::fhir::{Resource, ResourceId};
use crate::json::Value;
use crate::object;

use super::answer::Refusal;
use super::interaction::{Ehr, Method, Request};
use super::personality::Personality;
use super::rules::epic;
use super::search::reference::{local, text_of};
use super::store::Written;

/// What people did.
#[derive(Debug, Default)]
pub(super) struct Charts {
    /// What was written and waits where no search finds it.
    pub(super) held: BTreeSet<ResourceId>,
    /// Patients whom only a person may look at who says why.
    pub(super) protected: BTreeSet<ResourceId>,
    /// Patients that were merged into another.
    pub(super) merged: BTreeMap<ResourceId, ResourceId>,
}

/// The patient of a resource: `subject`, `patient` or `for`, or it is one itself.
pub(super) fn patient_of(resource: &Resource, base: &str) -> Option<ResourceId> {
    if resource.resource_type() == "Patient" {
        return ResourceId::new("Patient", resource.id()?).ok();
    }
    let element = ["subject", "patient", "for"].iter().find_map(|name| resource.get(name))?;
    local(text_of(element)?, base).filter(|id| id.resource_type() == "Patient")
}

/// The patients whom a request is about, as far as it says so or what it names is here.
fn patients(ehr: &Ehr, request: &Request) -> BTreeSet<ResourceId> {
    let mut found: BTreeSet<ResourceId> = BTreeSet::new();
    found.extend(request.body.as_ref().and_then(|body| patient_of(body, &ehr.base)));
    let named: Option<ResourceId> = request.path.parse().ok();
    if let Some(id) = named {
        let current = ehr.store.current(&id).and_then(|version| version.resource.as_deref());
        found.extend(current.and_then(|resource| patient_of(resource, &ehr.base)));
    }
    for (name, value) in &request.query {
        let plain = name.split(':').next().unwrap_or_default();
        let is_patient = matches!(plain, "patient" | "subject")
            || plain == "_id" && request.path.starts_with("Patient");
        for one in value.split(',').filter(|_| is_patient) {
            let id = local(one, &ehr.base).or_else(|| ResourceId::new("Patient", one).ok());
            found.extend(id);
        }
    }
    found
}

/// Refuses what concerns a patient who is protected, or, at Epic, was merged into another.
pub(super) fn check(ehr: &Ehr, request: &Request) -> Result<(), Refusal> {
    let charts = &ehr.charts;
    if charts.protected.is_empty() && charts.merged.is_empty() {
        return Ok(());
    }
    let is_epic = ehr.behaviour.personality == Some(Personality::Epic);
    for patient in patients(ehr, request) {
        if charts.protected.contains(&patient) {
            let text = "the patient is protected: break the glass in the EHR";
            let refusal = Refusal::new(403, "suppressed", text);
            return Err(if is_epic { epic::coded(refusal, "4130") } else { refusal });
        }
        let Some(into) = charts.merged.get(&patient).filter(|_| is_epic) else { continue };
        let text = "the patient was merged into another";
        let is_read = request.method == Method::Get && request.path == patient.to_string();
        let status = if is_read { 301 } else { 422 };
        let moved = is_read.then(|| Box::new(into.clone()));
        let refusal = Refusal { moved, ..Refusal::new(status, "processing", text) };
        return Err(epic::coded(refusal, "4107"));
    }
    Ok(())
}

impl Ehr {
    /// Merges a patient into another: both say so by `link`, the first is no longer active, and all that was the first's
    /// is the second's. Says whether both are here.
    pub(super) fn merge(&mut self, from: &ResourceId, into: &ResourceId) -> bool {
        let (Some(mut old), Some(mut kept)) = (self.content(from), self.content(into)) else {
            return false;
        };
        let link = |other: &ResourceId, kind: &str| {
            object! { "other" => object! { "reference" => other.to_string() }, "type" => kind }
        };
        let charts: Vec<ResourceId> = self.store.all_current().map(|(id, _)| id.clone()).collect();
        for id in charts.iter().filter(|id| *id != from && *id != into) {
            self.rewrite(id, from, into);
        }
        old.object_mut().put("active", false);
        old.object_mut().push("link", link(into, "replaced-by"));
        kept.object_mut().push("link", link(from, "replaces"));
        self.store.write(from, Written::Put, Some(old));
        self.store.write(into, Written::Put, Some(kept));
        self.charts.merged.insert(from.clone(), into.clone());
        true
    }

    /// Makes a resource another patient's; says whether it is here and somebody's.
    pub(super) fn reassign(&mut self, id: &ResourceId, patient: &ResourceId) -> bool {
        let of = self.content(id).and_then(|resource| patient_of(&resource, &self.base));
        of.is_some_and(|of| self.rewrite(id, &of, patient))
    }

    /// The current content of a resource.
    pub(super) fn content(&self, id: &ResourceId) -> Option<Resource> {
        self.store.current(id)?.resource.as_deref().cloned()
    }

    /// Points the references of a resource from one patient to another; says whether there was one.
    fn rewrite(&mut self, id: &ResourceId, from: &ResourceId, into: &ResourceId) -> bool {
        let Some(resource) = self.content(id) else { return false };
        let base = self.base.clone();
        let mut value: Value = resource.into_value();
        let mut is_changed = false;
        rewrite_references(&mut value, &mut |text| {
            let hit = local(text, &base).as_ref() == Some(from);
            is_changed |= hit;
            hit.then(|| into.to_string())
        });
        if is_changed && let Ok(resource) = Resource::from_value(value) {
            self.store.write(id, Written::Put, Some(resource));
        }
        is_changed
    }
}
