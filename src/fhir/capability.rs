//! What a CapabilityStatement says that a server can do, parsed and asked.
//!
//! A statement is a claim, not a fact (HAPI lists no `batch` and answers batches): it decides what we try first,
//! never what we believe happened.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::Value;

use super::{Release, Resource};

/// The part of a CapabilityStatement that decides how we talk to the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capability {
    /// The release of `fhirVersion`, where we know it.
    pub release: Option<Release>,
    /// System interactions: `transaction`, `batch`, …
    pub interactions: BTreeSet<String>,
    /// What each type allows.
    pub resources: BTreeMap<String, ResourceCapability>,
}

/// What a server says of one resource type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceCapability {
    /// `read`, `create`, `update`, `search-type`, …
    pub interactions: BTreeSet<String>,
    /// Search parameters by name.
    pub search_parameters: BTreeSet<String>,
    /// `conditionalCreate`.
    pub conditional_create: bool,
    /// `updateCreate`.
    pub update_create: bool,
}

impl Capability {
    /// Reads a CapabilityStatement; elements that are absent mean "not said", and so "no".
    pub fn from_statement(statement: &Resource) -> Self {
        let mut capability = Self {
            release: statement.text("fhirVersion").and_then(Release::from_fhir_version),
            ..Self::default()
        };
        for rest in statement.items("rest").filter(|rest| rest.text("mode") != Some("client")) {
            capability.interactions.extend(codes(rest));
            for resource in rest.items("resource") {
                let Some(name) = resource.text("type") else { continue };
                let flag = |name: &str| resource.get(name).and_then(Value::as_bool) == Some(true);
                let known = capability.resources.entry(name.to_owned()).or_default();
                known.interactions.extend(codes(resource));
                known.search_parameters.extend(
                    resource
                        .items("searchParam")
                        .filter_map(|parameter| parameter.text("name").map(str::to_owned)),
                );
                known.conditional_create |= flag("conditionalCreate");
                known.update_create |= flag("updateCreate");
            }
        }
        capability
    }

    /// Whether the server lists a system interaction.
    pub fn allows_system(&self, interaction: &str) -> bool {
        self.interactions.contains(interaction)
    }

    /// Whether the server lists an interaction for a type.
    pub fn allows(&self, resource_type: &str, interaction: &str) -> bool {
        self.resources
            .get(resource_type)
            .is_some_and(|known| known.interactions.contains(interaction))
    }

    /// Whether a type can be searched by a parameter, as far as the server says.
    pub fn searches(&self, resource_type: &str, parameter: &str) -> bool {
        self.resources
            .get(resource_type)
            .is_some_and(|known| known.search_parameters.contains(parameter))
    }
}

fn codes(value: &Value) -> impl Iterator<Item = String> {
    value.items("interaction").filter_map(|item| item.text("code").map(str::to_owned))
}
