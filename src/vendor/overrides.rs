//! The operator's own word on what a server can do: `override = { Goal = ["create"], CarePlan = ["-update"] }`.
//!
//! It beats statement, scopes, pack and refusals, because whoever runs the interface may know what none of them says.
//! What is written there wrongly would be believed just as firmly, so an unknown word is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::word;
use crate::fhir::resource::is_resource_type;

/// What the operator says, by type (or `system`) and word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides(BTreeMap<String, BTreeMap<String, bool>>);

/// A text is no override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnOverride {
    /// The key is neither a type nor `system`.
    #[error("an override is of a resource type, or of `system`")]
    Type,
    /// The word is none that we know.
    #[error(
        "an override names interactions (create, update, search-type, …), conditional-create, or search:PARAMETER, \
         each with a - before it where it does not work"
    )]
    Word,
    /// The same is said twice.
    #[error("an override says the same thing twice")]
    Twice,
}

impl Overrides {
    /// What the operator says of a word; nothing if they do not say.
    pub fn get(&self, resource_type: &str, word: &str) -> Option<bool> {
        self.0.get(resource_type)?.get(word).copied()
    }

    /// Whether nothing is overridden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a word; `-create` says that it does not work.
    ///
    /// # Errors
    /// [`NotAnOverride`].
    pub fn add(&mut self, resource_type: &str, said: &str) -> Result<(), NotAnOverride> {
        if resource_type != word::SYSTEM && !is_resource_type(resource_type) {
            return Err(NotAnOverride::Type);
        }
        let (word, works) = said.strip_prefix('-').map_or((said, true), |word| (word, false));
        if !word::is_known(resource_type, word) {
            return Err(NotAnOverride::Word);
        }
        let words = self.0.entry(resource_type.to_owned()).or_default();
        match words.insert(word.to_owned(), works) {
            None => Ok(()),
            Some(_) => Err(NotAnOverride::Twice),
        }
    }
}

/// `Goal=create,-update;Task=create`: as a variable of the environment holds it.
impl FromStr for Overrides {
    type Err = NotAnOverride;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut overrides = Self::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (resource_type, words) = part.split_once('=').ok_or(NotAnOverride::Word)?;
            for word in words.split(',') {
                overrides.add(resource_type.trim(), word.trim())?;
            }
        }
        Ok(overrides)
    }
}

impl fmt::Display for Overrides {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (resource_type, words)) in self.0.iter().enumerate() {
            let separator = if index > 0 { ";" } else { "" };
            write!(formatter, "{separator}{resource_type}=")?;
            for (index, (word, works)) in words.iter().enumerate() {
                let separator = if index > 0 { "," } else { "" };
                let minus = if *works { "" } else { "-" };
                write!(formatter, "{separator}{minus}{word}")?;
            }
        }
        Ok(())
    }
}
