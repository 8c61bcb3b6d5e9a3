//! A Bundle as a server answers it: in any order, under ids of its own, with labels sorted its own way.

use std::collections::BTreeMap;

use ipt_fhir::fhir::reference::rewrite_references;
use ipt_fhir::fhir::{Bundle, Entry, Resource};
use ipt_fhir::json::Value;
use ipt_fhir::mapping::Mapped;
use ipt_fhir::mapping::identity::urn;
use ipt_fhir::object;

/// What a server would answer that stores the resources of a mapping, Patient and Practitioner being its own.
pub(crate) fn as_a_server_answers(mapped: Mapped, seed: usize) -> Bundle {
    let ids: BTreeMap<String, String> = mapped
        .resources
        .iter()
        .enumerate()
        .map(|(index, mapped)| {
            (urn(mapped.item), format!("{}/{}", mapped.resource.resource_type(), index + 100))
        })
        .collect();
    let mut entries: Vec<Entry> = mapped
        .resources
        .into_iter()
        .filter(|mapped| !matches!(mapped.resource.resource_type(), "Patient" | "Practitioner"))
        .map(|mapped| {
            let (_, id) = ids[&urn(mapped.item)].split_once('/').unwrap();
            Entry { resource: Some(stored(mapped.resource, id, &ids)), ..Entry::default() }
        })
        .collect();
    // Any order that the seed gives: a rotation, and every second record backwards.
    let turns = seed % entries.len();
    entries.rotate_left(turns);
    if seed.is_multiple_of(2) {
        entries.reverse();
    }
    let step = entries.len() / 3;
    if step > 1 {
        entries.chunks_mut(step).for_each(<[Entry]>::reverse);
    }
    Bundle::new("searchset", entries)
}

fn stored(resource: Resource, id: &str, ids: &BTreeMap<String, String>) -> Resource {
    let mut value = resource.into_value();
    rewrite_references(&mut value, &mut |text| ids.get(text).cloned());
    let object = value.as_object_mut().unwrap();
    object.insert("id", Value::String(id.to_owned()));
    if object.get("meta").is_none() {
        object.put("meta", object! { "source" => "#1" });
    }
    let meta = object.get_mut("meta").and_then(Value::as_object_mut).unwrap();
    meta.put("versionId", "7");
    meta.put("lastUpdated", "2026-03-02T10:00:00.000+00:00");
    for labels in ["security", "tag"] {
        if let Some(Value::Array(items)) = meta.get_mut(labels) {
            items.reverse();
        }
    }
    meta.push("tag", object! { "system" => "urn:example:tags", "code" => "of-the-server" });
    Resource::from_value(value).unwrap()
}
