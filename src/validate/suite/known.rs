//! What is known of differences: a list of runs by name, each with its reason, that may only become shorter.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::{self, Limits, Object, Value};

/// Known differences: the name of a run, and why it differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    reasons: BTreeMap<String, String>,
}

/// How what differs now compares with what is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Runs that differ and are not in the list.
    pub new: Vec<String>,
    /// Runs of the list that differ no more.
    pub mended: Vec<String>,
}

impl Known {
    /// The reason of a run that nobody has looked at yet.
    pub const UNTOLD: &str = "reason not told yet";

    /// A list as its file has it: an object of reasons by name.
    ///
    /// # Errors
    /// What is not JSON, with its place; not an object of texts; or a reason that is empty.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let value = json::parse_with(bytes, Limits::BUNDLE).map_err(|error| error.to_string())?;
        let object = value.as_object().ok_or("not an object of reasons by name")?;
        let reason = |(name, reason): (&str, &Value)| match reason.as_str() {
            Some(reason) if !reason.trim().is_empty() => Ok((name.to_owned(), reason.to_owned())),
            _ => Err(format!("{name} has no reason")),
        };
        Ok(Self { reasons: object.iter().map(reason).collect::<Result<_, _>>()? })
    }

    /// The list as its file has it, by name.
    pub fn write(&self) -> String {
        let mut object = Object::new();
        for (name, reason) in &self.reasons {
            object.insert(name.clone(), Value::String(reason.clone()));
        }
        Value::Object(object).to_pretty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.reasons.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Why a run differs, if it is known to.
    pub fn reason(&self, name: &str) -> Option<&str> {
        self.reasons.get(name).map(String::as_str)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.reasons.keys().map(String::as_str)
    }

    /// How the runs that differ now compare with the list.
    pub fn compare<'a>(&self, now: impl IntoIterator<Item = &'a str>) -> Change {
        let now: BTreeSet<&str> = now.into_iter().collect();
        let known = |name: &&&str| !self.reasons.contains_key(**name);
        Change {
            new: now.iter().filter(known).map(|name| (*name).to_owned()).collect(),
            mended: self
                .reasons
                .keys()
                .filter(|name| !now.contains(name.as_str()))
                .cloned()
                .collect(),
        }
    }

    /// The list of what differs now: reasons stay, what is new has none yet.
    #[must_use]
    pub fn updated<'a>(&self, now: impl IntoIterator<Item = &'a str>) -> Self {
        let reason = |name: &str| self.reason(name).unwrap_or(Self::UNTOLD).to_owned();
        let reasons = now.into_iter().map(|name| (name.to_owned(), reason(name))).collect();
        Self { reasons }
    }
}
