//! The report for a person: each finding with its place, its line and a caret, and who demands it.

use std::fmt::Write;

use super::Reported;
use crate::issue::Severity;

/// How parts of the text are set apart: what stands before each and after it. Without color both are empty.
#[derive(Debug, Clone, Default)]
pub struct Paint {
    /// Errors.
    pub error: (String, String),
    /// Warnings.
    pub warning: (String, String),
    /// Notes, and the words before facts.
    pub note: (String, String),
    /// What is wrong.
    pub strong: (String, String),
}

impl Paint {
    const fn of(&self, severity: Severity) -> &(String, String) {
        match severity {
            Severity::Fatal | Severity::Error => &self.error,
            Severity::Warning => &self.warning,
            Severity::Information => &self.note,
        }
    }
}

/// Writes what was found in a file.
pub fn write(out: &mut String, file: &str, reported: &[Reported], paint: &Paint) {
    for item in reported {
        one(out, file, item, paint);
    }
}

fn one(out: &mut String, file: &str, item: &Reported, paint: &Paint) {
    let (on, off) = paint.of(item.severity);
    let (strong, plain) = &paint.strong;
    let word = match item.severity {
        Severity::Fatal => "error",
        Severity::Information => "note",
        other => other.code(),
    };
    let _ = writeln!(out, "{on}{word}[{}]{off}{strong}: {}{plain}", item.rule.code, item.text);
    let number = item.position.line.to_string();
    let margin = " ".repeat(number.len());
    let _ =
        writeln!(out, "{margin}--> {file}:{number}:{} {}", item.position.column, item.expression);
    if let Some(excerpt) = &item.excerpt {
        let (space, caret) = (" ".repeat(excerpt.before), "^".repeat(excerpt.width));
        let _ = writeln!(out, "{margin} |\n{number} | {}", excerpt.line);
        let _ = writeln!(out, "{margin} | {space}{on}{caret}{off}");
    }
    let mut fact = |name: &str, value: &str| {
        let (on, off) = &paint.note;
        let _ = writeln!(out, "{margin} = {on}{name}{off}: {value}");
    };
    if let Some(found) = &item.found {
        fact("found", &found.words());
    }
    if let Some(allowed) = &item.allowed {
        fact("allowed", allowed);
    }
    match (&item.key, &item.profile) {
        (Some(key), Some(profile)) => fact("demanded by", &format!("{key} of {profile}")),
        (Some(one), None) | (None, Some(one)) => fact("demanded by", one),
        (None, None) => {}
    }
    fact("see", item.rule.specification);
    out.push('\n');
}
