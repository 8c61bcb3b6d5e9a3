//! `[statement]` of a pack: what a server of this vendor says of itself, so that it can be looked at before there is one.
//!
//! It is the captured CapabilityStatement of a public server, or what the documentation of a platform promises, and only
//! of the types that this program knows. A real server's own statement always counts before it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::effective::Effective;
use super::fact::Told;
use super::pack::{Pack, Transport};
use super::word;
use crate::fhir::Capability;
use crate::fhir::resource::is_resource_type;

/// What a server of this vendor says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// System interactions.
    pub system: Told<Vec<String>>,
    /// Interactions, flags and search parameters by type, in the words of a rule.
    pub types: Told<BTreeMap<String, Vec<String>>>,
}

impl Statement {
    /// What is wrong with it.
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let unknown = self.system.value.iter().filter(|word| !word::is_known(word::SYSTEM, word));
        faults.extend(unknown.map(|word| format!("statement: unknown word `{word}`")));
        for (resource_type, words) in &self.types.value {
            if !is_resource_type(resource_type) {
                faults.push(format!("statement: `{resource_type}` is no type"));
            }
            let unknown = words.iter().filter(|word| !word::is_known(resource_type, word));
            faults.extend(
                unknown.map(|word| format!("statement {resource_type}: unknown word `{word}`")),
            );
        }
    }
}

impl Pack {
    /// What a server of this vendor says of itself, in the form of a statement that was read; nothing where the pack
    /// does not say.
    pub fn declared(&self) -> Option<Capability> {
        let statement = self.statement.as_ref()?;
        let mut capability = Capability::default();
        capability.interactions.extend(statement.system.value.iter().cloned());
        for (resource_type, words) in &statement.types.value {
            let known = capability.resources.entry(resource_type.clone()).or_default();
            for said in words {
                word::declare(known, said);
            }
        }
        Some(capability)
    }
}

/// How structure can travel, the best way first: as the pack says, or any way, as far as the server knows it.
pub fn transports(effective: &Effective<'_>) -> Vec<Transport> {
    const ALL: [Transport; 3] = [Transport::Transaction, Transport::Batch, Transport::Single];
    let of_pack = effective.pack().and_then(|pack| pack.writes.transports.as_ref());
    let wanted = of_pack.map_or(ALL.as_slice(), |told| told.value.as_slice());
    let works = |transport: &Transport| {
        *transport == Transport::Single || effective.allows_system(transport.code()).allowed
    };
    wanted.iter().copied().filter(works).collect()
}
