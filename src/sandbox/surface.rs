//! What a server takes: which interactions of which types, and by which parameters each is found.
//!
//! A server without a surface takes all that the sandbox can do. One with a surface is a hospital's: what is not listed is
//! refused, and the CapabilityStatement is made from the same list, so that it can't say anything else. It never has
//! vread, history or conditions, for none of the eight servers whose statements were captured has (ehrs-and-sync.md 1.6).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::answer::Refusal;
use super::interaction::{Method, Request};

/// What a server takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Surface(BTreeMap<String, Taken>);

/// What can be done with a type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Taken {
    /// FHIR's codes of the interactions.
    pub(super) interactions: BTreeSet<&'static str>,
    /// The names of the search parameters.
    pub(super) parameters: BTreeSet<String>,
}

/// Letters for interactions, in the order in which statements are written here.
const LETTERS: [(char, &str); 6] = [
    ('r', "read"),
    ('s', "search-type"),
    ('C', "create"),
    ('U', "update"),
    ('P', "patch"),
    ('D', "delete"),
];

impl TryFrom<String> for Taken {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut words = text.split(' ');
        let code =
            |letter| LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, code)| *code);
        let interactions = words.next().unwrap_or_default().chars().map(code).collect();
        Ok(Self {
            interactions: Option::ok_or(interactions, "an interaction is one of r, s, C, U, P, D")?,
            parameters: words.map(str::to_owned).collect(),
        })
    }
}

impl Surface {
    /// Lets the server take something more: `learn("Goal", "rsC patient")` as a personality's file says it. It was
    /// configured, or upgraded. Letters that mean nothing teach nothing.
    pub fn learn(&mut self, resource_type: &str, said: &str) {
        if let Ok(more) = Taken::try_from(said.to_owned()) {
            let taken = self.0.entry(resource_type.to_owned()).or_default();
            taken.interactions.extend(more.interactions);
            taken.parameters.extend(more.parameters);
        }
    }

    /// Lets the server take a type no longer.
    pub fn forget(&mut self, resource_type: &str) {
        self.0.remove(resource_type);
    }

    /// What can be done with a type; nothing if it is unknown.
    pub(super) fn of(&self, resource_type: &str) -> Option<&Taken> {
        self.0.get(resource_type)
    }

    /// Refuses what is not taken: 404 for a type that is unknown, 405 for an interaction.
    pub(super) fn check(&self, request: &Request) -> Result<(), Refusal> {
        let path = request.path.as_str();
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        let Some(resource_type) = steps.first().filter(|first| **first != "metadata") else {
            return Ok(());
        };
        if *resource_type == "_history" {
            return Err(no_such_interaction());
        }
        let unknown = "the resource type is not one that this server knows";
        let taken = self.of(resource_type).ok_or(Refusal::new(404, "not-supported", unknown))?;
        let code = match (request.method, steps.get(1..).unwrap_or_default()) {
            (Method::Get, []) | (Method::Post, ["_search"]) => "search-type",
            (Method::Post, []) => "create",
            (Method::Get, [_]) => "read",
            (Method::Put, [_]) => "update",
            (Method::Patch, [_]) => "patch",
            (Method::Delete, [_]) => "delete",
            _ => return Err(no_such_interaction()),
        };
        if taken.interactions.contains(code) { Ok(()) } else { Err(not_taken(taken)) }
    }
}

const fn no_such_interaction() -> Refusal {
    Refusal::new(404, "not-supported", "there is no such interaction")
}

fn not_taken(taken: &Taken) -> Refusal {
    let writes = taken.interactions.contains("create");
    let allow = if writes { "GET, POST" } else { "GET" };
    let text = "this server does not take the interaction for the type";
    Refusal { allow, ..Refusal::new(405, "not-supported", text) }
}

impl Taken {
    /// Under which name a parameter of the sandbox is listed here: `_lastUpdated` is `_lastupdated` at Epic.
    pub(super) fn listed(&self, name: &'static str) -> Option<&'static str> {
        if self.parameters.contains(name) {
            return Some(name);
        }
        (name == "_lastUpdated" && self.parameters.contains("_lastupdated"))
            .then_some("_lastupdated")
    }

    /// The codes of the interactions, as a statement lists them.
    pub(super) fn codes(&self) -> Vec<&'static str> {
        let codes = LETTERS.iter().map(|(_, code)| *code);
        codes.filter(|code| self.interactions.contains(code)).collect()
    }
}
