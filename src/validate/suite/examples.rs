//! Examples with the errors that the reference engine reports for each, as `reference.json` has them.

use super::{Issue, Outcome};
use crate::fhir::Release;
use crate::json::{self, Limits, Value};

/// An example.
#[derive(Debug, Clone)]
pub struct Example {
    /// The set that it is of: the name of its archive.
    pub set: String,
    /// The release, if the set is named for one; else R4.
    pub release: Release,
    /// Its file.
    pub file: String,
    /// The errors that the reference engine reports.
    pub expected: Vec<Issue>,
    /// Whether all of them are for the shape alone: elements of another edition of the release.
    pub only_shape: bool,
}

impl Example {
    fn of_json(set: &str, file: &str, issues: &Value) -> Self {
        let issues = issues.as_array().unwrap_or_default();
        let of_shape = |issue: &Value| {
            issue.text("code") == Some("structure") && issue.text("id").is_none_or(str::is_empty)
        };
        Self {
            set: set.to_owned(),
            release: match set.to_ascii_lowercase().as_str() {
                "r5" => Release::R5,
                "r4b" => Release::R4B,
                _ => Release::R4,
            },
            file: file.to_owned(),
            expected: issues.iter().map(Issue::of_json).collect(),
            only_shape: !issues.is_empty() && issues.iter().all(of_shape),
        }
    }

    /// What makes it one of all: its set and file.
    pub fn key(&self) -> String {
        format!("{}/{}", self.set, self.file)
    }

    /// What it came to.
    pub fn outcome(&self, ours: Result<Vec<Issue>, String>) -> Outcome {
        let mut groups = vec![("set", self.set.clone())];
        if !self.only_shape {
            groups.push(("set without shape", self.set.clone()));
        }
        Outcome {
            name: self.key(),
            groups,
            expected: self.expected.clone(),
            ours,
            offline: String::new(),
        }
    }
}

/// The examples of a `reference.json`: by the name of each archive and file, its errors.
///
/// # Errors
/// What is not JSON, with its place, or not of this form.
pub fn examples(bytes: &[u8]) -> Result<Vec<Example>, String> {
    let value = json::parse_with(bytes, Limits::BUNDLE).map_err(|error| error.to_string())?;
    let Some(sets) = value.as_object() else { return Err("no sets by their names".to_owned()) };
    let mut examples = Vec::new();
    for (set, files) in sets.iter() {
        let files =
            files.as_object().ok_or_else(|| format!("{set} has no files by their names"))?;
        examples.extend(files.iter().map(|(file, issues)| Example::of_json(set, file, issues)));
    }
    Ok(examples)
}
