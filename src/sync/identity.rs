//! Which resource is which, and whose.
//!
//! Every resource that is sent bears its item's identifier, is about the linked Patient, and refers to nothing but
//! that Patient, the linked Practitioner and other items of the same record (W3). What can't be shown to be so is
//! not sent: nobody repairs a reference here.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::fhir::reference::{for_each_reference, rewrite_references};
use crate::fhir::{Reference, Resource, ResourceId};
use crate::json::{Object, Value};
use crate::mapping::identity::{ITEM_SYSTEM, PLAN_ITEM_SYSTEM};
use crate::store::{Link, digest};

use super::Record;
use super::reference::ReferenceFault;
use super::report::Stop;

/// One item of a record as it is to be sent: references to other items are `urn:uuid:`, all others are final.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) uuid: Uuid,
    pub(super) local: Resource,
}

/// The identifier of an item as a search value: `system|value`.
pub(super) fn token(item: Uuid) -> String {
    format!("{ITEM_SYSTEM}|{item}")
}

/// The item whose identifier a resource bears.
pub(super) fn item_of(resource: &Resource) -> Option<Uuid> {
    resource.identifier(ITEM_SYSTEM)?.parse().ok()
}

/// A digest of who the client of a mapped record is: names, birth date and identifiers, but for those that we give.
///
/// A plan id tells which record it is, not whose: a record that serves as a template keeps it.
pub fn client_digest(resources: &[(Uuid, Resource)]) -> String {
    let mut traits = Vec::new();
    for (_, patient) in resources {
        if patient.resource_type() != "Patient" {
            continue;
        }
        for name in patient.items("name") {
            let part = |part: &str| name.get(part).map(Value::to_text).unwrap_or_default();
            traits.push(["name", &part("text"), &part("family"), &part("given")].join("|"));
        }
        traits.push(format!("birthDate|{}", patient.text("birthDate").unwrap_or_default()));
        let mut identifiers: Vec<String> = patient
            .items("identifier")
            .filter_map(|identifier| Some((identifier.text("system")?, identifier.text("value")?)))
            .filter(|(system, _)| ![ITEM_SYSTEM, PLAN_ITEM_SYSTEM].contains(system))
            .map(|(system, value)| format!("identifier|{system}|{value}"))
            .collect();
        identifiers.sort();
        traits.extend(identifiers);
    }
    digest(&traits.join("\n"))
}

/// What ties the resources of a record to the Patient, the Practitioner and the visits of its links.
///
/// Patient and Practitioner themselves are left out: a person linked them, and we never write to either.
pub(super) struct Ties<'a> {
    link: &'a Link,
    people: People,
    items: BTreeSet<Uuid>,
}

impl<'a> Ties<'a> {
    /// The ties of a record.
    pub(super) fn of(record: &'a Record) -> Result<Self, Stop> {
        let mut people = People::default();
        for (uuid, resource) in &record.resources {
            match resource.resource_type() {
                "Patient" if people.patients.is_empty() => people.patients.push(*uuid),
                "Patient" => return Err(Stop::SecondPatient),
                "Practitioner" => {
                    let first = people.practitioners.is_empty();
                    let linked = record.references.iter().find(|linked| linked.item == *uuid);
                    let id = linked.map(|linked| &linked.target);
                    let id = id.or(record.link.practitioner.as_ref().filter(|_| first)).cloned();
                    // A link that is not to a therapist would put another Patient, or a visit, in the therapist's place.
                    if let Some(id) = id.as_ref().filter(|id| !is_therapist(id)) {
                        return Err(Stop::Reference(id.clone(), ReferenceFault::Misplaced));
                    }
                    people.practitioners.insert(*uuid, (id, display(resource)));
                }
                _ => {}
            }
        }
        let items = sent(&record.resources).map(|(uuid, _)| *uuid).collect();
        Ok(Self { link: &record.link, people, items })
    }

    /// The resources as items.
    pub(super) fn items(&self, resources: &[(Uuid, Resource)]) -> Result<Vec<Item>, Stop> {
        sent(resources)
            .map(|(uuid, resource)| match item_of(resource) {
                Some(item) if item == *uuid => self.tie(*uuid, resource, None),
                _ => {
                    let resource_type = resource.resource_type().to_owned();
                    Err(Stop::NoIdentifier { resource_type })
                }
            })
            .collect()
    }

    /// One resource as an item: about the Patient, and referring to nothing but the record and what it replaces.
    pub(super) fn tie(
        &self,
        uuid: Uuid,
        resource: &Resource,
        replaced: Option<Uuid>,
    ) -> Result<Item, Stop> {
        let resource_type = || resource.resource_type().to_owned();
        let mut tree = resource.to_value();
        self.people.tie(&mut tree, self.link);
        let local = Resource::from_value(tree)
            .map_err(|_| Stop::NoIdentifier { resource_type: resource_type() })?;
        if !self.refers_only_to_ours(&local, replaced) || !is_about(&local, &self.link.patient, "")
        {
            return Err(Stop::ForeignReference { resource_type: resource_type() });
        }
        Ok(Item { uuid, local })
    }

    fn refers_only_to_ours(&self, resource: &Resource, replaced: Option<Uuid>) -> bool {
        let is_ours = |uuid: Uuid| self.items.contains(&uuid) || replaced == Some(uuid);
        let tree = resource.to_value();
        let mut has_only_ours = resource.items("contained").all(is_helper)
            && every_logical_reference(&tree, &|reference| names_ours(reference, &is_ours));
        for_each_reference(&tree, &mut |text| {
            has_only_ours &= match Reference::parse(text) {
                Some(Reference::Contained(name)) => {
                    resource.items("contained").any(|one| one.text("id") == Some(&name))
                }
                Some(Reference::Relative(id)) => {
                    id == self.link.patient || self.people.has_linked(&id)
                }
                Some(Reference::Urn(text)) => urn(&text).is_some_and(is_ours),
                _ => false,
            };
        });
        has_only_ours
    }
}

/// Whether a resource of the EHR can stand in a therapist's place.
fn is_therapist(id: &ResourceId) -> bool {
    matches!(id.resource_type(), "Practitioner" | "PractitionerRole")
}

/// Whether a contained resource is one who helps in the therapy, by name and telephone: never a Patient.
fn is_helper(contained: &Value) -> bool {
    matches!(contained.text("resourceType"), Some("Organization" | "Practitioner"))
}

/// Whether a reference by identifier names something of this record: those in the chart go by the EHR's own numbers, and
/// whose they are nobody could check.
fn names_ours(reference: &Object, is_ours: &dyn Fn(Uuid) -> bool) -> bool {
    let Some(identifier) = reference.get("identifier") else { return true };
    let value = identifier.text("value").unwrap_or_default();
    let is_person = matches!(reference.get("type").and_then(Value::as_str), Some("Patient"));
    match identifier.text("system") {
        Some(PLAN_ITEM_SYSTEM) => !is_person,
        Some(ITEM_SYSTEM) => value.parse().is_ok_and(is_ours),
        _ => false,
    }
}

/// Whether all references by identifier (`Reference.identifier`, R4 2.3.0.3) pass. Identifiers of a resource itself stand
/// at its root; what has one below is a reference.
fn every_logical_reference(value: &Value, passes: &dyn Fn(&Object) -> bool) -> bool {
    let below = |value: &Value| every_logical_reference(value, passes);
    match value {
        Value::Array(items) => items.iter().all(below),
        Value::Object(object) => {
            let is_reference = object.get("resourceType").is_none()
                && matches!(object.get("identifier"), Some(Value::Object(_)));
            (!is_reference || passes(object)) && object.iter().all(|(_, value)| below(value))
        }
        _ => true,
    }
}

/// What of a record is sent.
fn sent(resources: &[(Uuid, Resource)]) -> impl Iterator<Item = &(Uuid, Resource)> {
    let is_person =
        |resource: &Resource| matches!(resource.resource_type(), "Patient" | "Practitioner");
    resources.iter().filter(move |(_, resource)| !is_person(resource))
}

/// The persons of a record, who are linked and not sent.
#[derive(Default)]
struct People {
    patients: Vec<Uuid>,
    practitioners: BTreeMap<Uuid, (Option<ResourceId>, String)>,
}

impl People {
    /// Whether a Practitioner of the EHR is one of the record's.
    fn has_linked(&self, id: &ResourceId) -> bool {
        self.practitioners.values().any(|(linked, _)| linked.as_ref() == Some(id))
    }

    /// Points references to the persons to those of the link; a Practitioner without one is only named.
    fn tie(&self, value: &mut Value, link: &Link) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.tie(item, link)),
            Value::Object(object) => {
                let target = object.get("reference").and_then(Value::as_str).and_then(urn);
                if let Some(target) = target {
                    if self.patients.contains(&target) {
                        object.insert("reference", Value::String(link.patient.to_string()));
                    }
                    match self.practitioners.get(&target) {
                        Some((Some(id), _)) => {
                            object.insert("reference", Value::String(id.to_string()));
                        }
                        Some((None, name)) => {
                            object.remove("reference");
                            if object.get("display").is_none() {
                                object.insert("display", Value::String(name.clone()));
                            }
                        }
                        None => {}
                    }
                }
                object.iter_mut().for_each(|(_, value)| self.tie(value, link));
            }
            _ => {}
        }
    }
}

/// A name to show for a Practitioner who is not linked.
fn display(practitioner: &Resource) -> String {
    let name = practitioner.items("name").next();
    let parts = || {
        let given = name.into_iter().flat_map(|name| name.items("given")).filter_map(Value::as_str);
        given.chain(name.and_then(|name| name.text("family"))).collect::<Vec<_>>().join(" ")
    };
    let text = name.and_then(|name| name.text("text")).map_or_else(parts, str::to_owned);
    if text.is_empty() { "Therapist".to_owned() } else { text }
}

/// The UUID of a `urn:uuid:` reference.
pub(super) fn urn(reference: &str) -> Option<Uuid> {
    reference.strip_prefix("urn:uuid:")?.parse().ok()
}

/// The items to which a body refers by `urn:uuid:`.
pub(super) fn targets(resource: &Resource) -> BTreeSet<Uuid> {
    let mut found = BTreeSet::new();
    let tree = resource.to_value();
    for_each_reference(&tree, &mut |text| found.extend(urn(text)));
    found
}

/// The body with references to items written as the EHR names them, as far as it has them.
pub(super) fn resolve(resource: &Resource, ids: &BTreeMap<Uuid, ResourceId>) -> Resource {
    let mut tree = resource.to_value();
    rewrite_references(&mut tree, &mut |text| Some(ids.get(&urn(text)?)?.to_string()));
    // A resource stays one when its references change.
    Resource::from_value(tree).unwrap_or_else(|_| resource.clone())
}

/// Whether a resource says that it is about another Patient of this server.
pub(super) fn names_another(resource: &Resource, patient: &ResourceId, base_url: &str) -> bool {
    subjects(resource).any(|text| match Reference::parse(local(text, base_url)) {
        Some(Reference::Relative(id)) => id.resource_type() == "Patient" && id != *patient,
        _ => false,
    })
}

/// References to whom a resource is about.
fn subjects(resource: &Resource) -> impl Iterator<Item = &str> {
    let named = ["subject", "patient", "for"].into_iter().filter_map(|name| resource.get(name));
    let actors = resource.items("participant").filter_map(|participant| participant.get("actor"));
    named.chain(actors).filter_map(|value| value.text("reference"))
}

/// A reference without the server's own base, which a server may write before it.
fn local<'a>(text: &'a str, base_url: &str) -> &'a str {
    let rest = text.strip_prefix(base_url.trim_end_matches('/'));
    rest.map_or(text, |rest| rest.trim_start_matches('/'))
}

/// Whether a resource is about this Patient and about no other.
pub(super) fn is_about(resource: &Resource, patient: &ResourceId, base_url: &str) -> bool {
    let mut is_about = false;
    for text in subjects(resource) {
        match Reference::parse(local(text, base_url)) {
            Some(Reference::Relative(id)) if id == *patient => is_about = true,
            Some(Reference::Relative(id)) if id.resource_type() != "Patient" => {}
            Some(Reference::Urn(_)) => {}
            _ => return false,
        }
    }
    is_about
}
