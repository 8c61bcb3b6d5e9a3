//! What the operator lets happen below structure: `allow`, `opt_in` and `encounter` of `[ehr.NAME]`.
//!
//! A note or a package is another thing than the resource that was meant, so nothing of it happens unless it is named.

use std::collections::BTreeSet;

use super::{Kind, Rung};
use crate::vendor::Pack;

/// What the operator lets happen below structure; the default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    /// The rungs below structure that may be used.
    pub rungs: BTreeSet<Rung>,
    /// The kinds whose rung the pack gives only to those who ask for it.
    pub opt_in: BTreeSet<Kind>,
    /// Whether Encounters may be made; where the operator does not say, the pack decides.
    pub encounters: Option<Encounters>,
}

/// Where the Encounter of a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encounters {
    /// It is one of the EHR's own, to which the session is linked.
    Link,
    /// We make it. An EHR that has the visit already then has it twice.
    Create,
}

/// A word is none of those that can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowable {
    /// It is none of [`Rung::BELOW_STRUCTURE`].
    #[error("a rung below structure is one of: form, document, hand-off")]
    Rung,
    /// Structure needs no permission, and nothing is what happens without one.
    #[error("only form, document and hand-off need permission")]
    NeedsNone,
    /// It is no kind.
    #[error("a kind is one of: plan, session, diagnosis, scores")]
    Kind,
    /// It is none of `link` and `create`.
    #[error("an Encounter is one to `link`, or one to `create`")]
    Encounters,
}

impl Encounters {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Link, Self::Create];

    /// The word in the configuration.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Create => "create",
        }
    }

    /// The one of a word.
    ///
    /// # Errors
    /// [`NotAllowable::Encounters`].
    pub fn parse(word: &str) -> Result<Self, NotAllowable> {
        let found = Self::ALL.into_iter().find(|known| known.code() == word);
        found.ok_or(NotAllowable::Encounters)
    }
}

impl Allow {
    /// All rungs, and nothing that must be asked for: what a table of what is possible shows.
    pub fn every_rung() -> Self {
        Self { rungs: Rung::BELOW_STRUCTURE.into_iter().collect(), ..Self::default() }
    }

    /// Whether Encounters are made: as the operator says, else where the pack's own rung of a session is structure. A
    /// server of which nothing is known is linked to.
    pub fn encounters(&self, pack: Option<&Pack>) -> Encounters {
        self.encounters.unwrap_or_else(|| {
            let step = pack.and_then(|pack| pack.rung(Kind::Session));
            match step {
                Some(step) if step.rung == Rung::Structure => Encounters::Create,
                _ => Encounters::Link,
            }
        })
    }

    /// A rung that can be allowed.
    ///
    /// # Errors
    /// [`NotAllowable`].
    pub fn rung(word: &str) -> Result<Rung, NotAllowable> {
        match Rung::named(word) {
            Some(Rung::Structure | Rung::Withheld) => Err(NotAllowable::NeedsNone),
            Some(rung) => Ok(rung),
            None => Err(NotAllowable::Rung),
        }
    }

    /// A kind that can be asked for.
    ///
    /// # Errors
    /// [`NotAllowable::Kind`].
    pub fn kind(word: &str) -> Result<Kind, NotAllowable> {
        Kind::named(word).ok_or(NotAllowable::Kind)
    }
}
