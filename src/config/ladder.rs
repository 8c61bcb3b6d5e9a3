//! `[ehr.NAME] allow`, `opt_in`, `encounter`, `hand_off`: what an EHR may get in the place of structure.
//!
//! Without them it gets structure or nothing. A word that is none is an error and not passed over: an operator who
//! wrote `documents` would believe that notes are sent.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Ehr, Error, Layers, Sourced, file, nearest};
use crate::vendor::{Allow, Encounters, Kind, NotAllowable, Rung};

/// What an EHR may get in the place of structure.
#[derive(Debug, Clone)]
pub struct Ladder {
    /// `allow`: the rungs below structure that may be used.
    pub rungs: Sourced<BTreeSet<Rung>>,
    /// `opt_in`: the kinds that take the rung which the pack gives only to those who ask.
    pub opt_in: Sourced<BTreeSet<Kind>>,
    /// `encounter`: whether Encounters are made or linked; without it the pack decides.
    pub encounters: Option<Sourced<Encounters>>,
    /// `hand_off`: the directory that packages go to, of which each EHR has its own.
    pub hand_off: Sourced<PathBuf>,
}

impl Ehr {
    /// What the operator lets happen below structure.
    pub fn allow(&self) -> Allow {
        Allow {
            rungs: self.ladder.rungs.value.clone(),
            opt_in: self.ladder.opt_in.value.clone(),
            encounters: self.ladder.encounters.as_ref().map(|encounters| encounters.value),
        }
    }
}

impl Layers<'_> {
    /// The ladder of an EHR.
    pub(super) fn ladder(&self, name: &str) -> Result<Ladder, Error> {
        let key = |rest: &str| format!("ehr.{name}.{rest}");
        let rungs = Rung::BELOW_STRUCTURE.map(Rung::code);
        let kinds = Kind::ALL.map(Kind::code);
        let encounters = Encounters::ALL.map(Encounters::code);
        let hand_off = match self.value(&key("hand_off"), directory)? {
            Some(path) => Sourced {
                value: file::resolve(&path.value, &path.origin, self.sources),
                origin: path.origin,
            },
            None => Sourced::default_value(self.store_path()?.value.join("hand-off").join(name)),
        };
        Ok(Ladder {
            rungs: self
                .value(&key("allow"), |text| words(text, Allow::rung, &rungs))?
                .unwrap_or(Sourced::default_value(BTreeSet::new())),
            opt_in: self
                .value(&key("opt_in"), |text| words(text, Allow::kind, &kinds))?
                .unwrap_or(Sourced::default_value(BTreeSet::new())),
            encounters: self
                .value(&key("encounter"), |text| word(text, Encounters::parse, &encounters))?,
            hand_off,
        })
    }
}

/// A path that leads somewhere: an empty one would be the directory of the configuration file.
fn directory(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("the path of a directory is expected".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Words with commas between them, none of them twice. No word at all is what says: nothing.
fn words<T: Ord>(
    text: &str,
    read: impl Fn(&str) -> Result<T, NotAllowable>,
    all: &[&str],
) -> Result<BTreeSet<T>, String> {
    let mut found = BTreeSet::new();
    if text.trim().is_empty() {
        return Ok(found);
    }
    for text in text.split(',').map(str::trim) {
        if !found.insert(word(text, &read, all)?) {
            return Err("the same word twice".to_owned());
        }
    }
    Ok(found)
}

/// A word, or the nearest one there is.
fn word<T>(
    text: &str,
    read: impl Fn(&str) -> Result<T, NotAllowable>,
    all: &[&str],
) -> Result<T, String> {
    read(text).map_err(|error| match nearest(text, all.iter().copied()) {
        Some(near) => format!("{error}; did you mean `{near}`?"),
        None => error.to_string(),
    })
}
