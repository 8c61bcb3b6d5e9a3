//! What a server can be taken to do: statement ∩ scopes, corrected by pack, refusals and the operator.
//!
//! The later word counts: what the statement lists; what the scopes do not grant; what the pack denies or, saying so,
//! adds; what the server refused not long ago; what the operator says. One exception: a pack can't grant a scope, for a
//! server that takes more than it says still asks for the token's permission.

use super::fact::Told;
use super::ladder::{Kind, Rung, declared_rung};
use super::overrides::Overrides;
use super::pack::Pack;
use super::word::{self, SEARCH, SYSTEM};
use crate::fhir::scope::Granted;
use crate::fhir::{Capability, Refusal, Scopes};

/// What a server can be taken to do; it answers what [`Capability`] answers, with the source of each answer.
#[derive(Debug, Clone)]
pub struct Effective<'a> {
    statement: &'a Capability,
    scopes: Option<&'a Scopes>,
    pack: Option<&'a Pack>,
    overrides: &'a Overrides,
    refusals: &'a [Refusal],
}

/// Whether something is allowed, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<'a> {
    /// Whether it is.
    pub allowed: bool,
    /// Who says so.
    pub source: Source<'a>,
    /// The searches to which the scopes narrow it; none if they do not.
    pub narrowed: Vec<String>,
}

/// Who says that something is allowed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<'a> {
    /// The server's CapabilityStatement.
    Statement,
    /// The scopes of the token.
    Scope,
    /// The vendor pack.
    Pack {
        /// Its name.
        pack: &'a str,
        /// The key of the source in it.
        source: &'a str,
        /// Why, or with what limits.
        note: Option<&'a str>,
    },
    /// The operator, by `override` in the configuration.
    Override,
    /// The server's refusal of an earlier request.
    Refusal {
        /// Until when it is believed.
        until: jiff::Timestamp,
    },
    /// The operator, by a key of `[ehr.NAME]` that does not say otherwise: `allow`, `opt_in` or `encounter`. Of rungs
    /// only ([`place()`](super::place())).
    Configuration {
        /// The key.
        key: &'static str,
    },
    /// Nobody: the statement does not list it, and so it is not tried.
    NotSaid,
}

impl Source<'_> {
    /// One word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::Scope => "scope",
            Self::Pack { .. } => "pack",
            Self::Override => "override",
            Self::Configuration { .. } => "configuration",
            Self::Refusal { .. } => "refusal",
            Self::NotSaid => "not-said",
        }
    }
}

impl<'a> Effective<'a> {
    /// Lays them over each other. Without scopes it is not known what the token may do, and the statement counts;
    /// without a pack nothing is widened. Refusals are those that are believed now (`store::Store::refusals`).
    pub const fn new(
        statement: &'a Capability,
        scopes: Option<&'a Scopes>,
        pack: Option<&'a Pack>,
        overrides: &'a Overrides,
        refusals: &'a [Refusal],
    ) -> Self {
        Self { statement, scopes, pack, overrides, refusals }
    }

    /// The statement.
    pub const fn statement(&self) -> &'a Capability {
        self.statement
    }

    /// The pack.
    pub const fn pack(&self) -> Option<&'a Pack> {
        self.pack
    }

    /// The scopes of the token, where they are known.
    pub const fn scopes(&self) -> Option<&'a Scopes> {
        self.scopes
    }

    /// What the operator says.
    pub const fn overrides(&self) -> &'a Overrides {
        self.overrides
    }

    /// The refusals that are believed.
    pub const fn refusals(&self) -> &'a [Refusal] {
        self.refusals
    }

    /// Whether something can be done with a type (or with the [`SYSTEM`]): an interaction, `conditional-create` and the
    /// like, or `search:PARAMETER`. What needs an interaction is allowed only together with it; the operator's word on it
    /// stands alone.
    pub fn fact(&self, resource_type: &str, word: &str) -> Fact<'a> {
        let fact = self.judge(resource_type, word);
        let Some(needed) = word::needs(word).filter(|_| resource_type != SYSTEM) else {
            return fact;
        };
        if !fact.allowed || fact.source == Source::Override {
            return fact;
        }
        let needed = self.judge(resource_type, needed);
        if needed.allowed { Fact { narrowed: needed.narrowed, ..fact } } else { needed }
    }

    /// Whether an interaction with a type is allowed.
    pub fn allows(&self, resource_type: &str, interaction: &str) -> Fact<'a> {
        self.fact(resource_type, interaction)
    }

    /// Whether a system interaction is allowed: `transaction`, `batch`. Scopes are of types and do not count here.
    pub fn allows_system(&self, interaction: &str) -> Fact<'a> {
        self.fact(SYSTEM, interaction)
    }

    /// Whether a type can be searched by a parameter: it can be searched at all, and the parameter is known.
    pub fn searches(&self, resource_type: &str, parameter: &str) -> Fact<'a> {
        self.fact(resource_type, &format!("{SEARCH}{parameter}"))
    }

    /// Whether a type can be created on the condition that nothing is found (`If-None-Exist`).
    pub fn creates_conditionally(&self, resource_type: &str) -> Fact<'a> {
        self.fact(resource_type, "conditional-create")
    }

    /// How many entries a Bundle with a conditional entry may have, as the pack says.
    pub fn max_conditional_entries(&self) -> Option<&'a Told<usize>> {
        self.pack?.limits.max_conditional_entries.as_ref()
    }

    /// How many entries a Bundle may have, as the pack says.
    pub fn max_entries(&self) -> Option<&'a Told<usize>> {
        self.pack?.limits.max_entries.as_ref()
    }

    /// The highest rung of a kind that all of this allows; a pack's own rung and what the operator allows
    /// are not in it ([`place()`](super::place())).
    pub fn rung(&self, kind: Kind) -> Rung {
        declared_rung(kind, |resource_type, interaction| {
            self.allows(resource_type, interaction).allowed
        })
    }

    /// Whether an interaction with a type would be allowed if the statement listed it: what a pack asks whose rung goes
    /// beyond the statement.
    pub(super) fn allows_beyond_statement(
        &self,
        resource_type: &str,
        interaction: &str,
    ) -> Fact<'a> {
        self.judge_as(resource_type, interaction, true)
    }

    fn judge(&self, resource_type: &str, word: &str) -> Fact<'a> {
        self.judge_as(resource_type, word, word::is_declared(self.statement, resource_type, word))
    }

    fn judge_as(&self, resource_type: &str, word: &str, declared: bool) -> Fact<'a> {
        let fact = |allowed, source| Fact { allowed, source, narrowed: Vec::new() };
        if let Some(works) = self.overrides.get(resource_type, word) {
            return fact(works, Source::Override);
        }
        let rule = self.pack.and_then(|pack| Some((pack, pack.rule(resource_type, word)?)));
        let of_pack = rule.map(|(pack, (allows, rule))| {
            let note = rule.note.as_deref();
            (allows, Source::Pack { pack: &pack.name, source: &rule.source, note })
        });
        let source = match (declared, of_pack) {
            (true, Some((false, source))) => return fact(false, source),
            (false, Some((true, source))) => source,
            // A server that has come to list what the pack adds says it itself.
            (true, _) => Source::Statement,
            (false, _) => return fact(false, Source::NotSaid),
        };
        let refusal = self
            .refusals
            .iter()
            .find(|refusal| refusal.resource_type == resource_type && refusal.interaction == word);
        if let Some(refusal) = refusal {
            return fact(false, Source::Refusal { until: refusal.until });
        }
        // A word that is no interaction has no scope of its own; the interaction that it needs has.
        let granted = match self.scopes {
            Some(scopes) if resource_type != SYSTEM && word::needs(word).is_none() => {
                scopes.allows(resource_type, word)
            }
            _ => Granted::Yes,
        };
        match granted {
            Granted::Yes => fact(true, source),
            Granted::No => fact(false, Source::Scope),
            Granted::Narrowed(narrowed) => Fact { allowed: true, source, narrowed },
        }
    }
}
