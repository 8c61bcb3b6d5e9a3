//! What was found, in the words of a reader: where it is, what stands there, what would be allowed, who demands it.
//!
//! Findings are bare while a document is walked; here they get expression, pointer, line and column, and the line of
//! the source. That costs something for each finding, and nothing while all is well. The renderers write the same
//! items as text, as JSON and as an OperationOutcome, always in the order of the source.
//!
//! What a document says may identify a person. So values, and names that no definition has, are left out unless the
//! reader asks for them; what remains of a line is its structure.

mod excerpt;
pub mod json;
pub mod outcome;
pub mod text;

use std::borrow::Cow;

use super::finding::Finding;
use super::rule::Rule;
use super::tree::{Kind, NodeId, Tree};
use super::types::{TypeId, Types};
use crate::issue::Severity;
use crate::json::{Pointer, Position};
use crate::phi::Phi;

pub use excerpt::Excerpt;

/// One thing that was found, with all that a report says of it.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// FHIRPath of the element, or of the nearest one above it that a definition knows.
    pub expression: String,
    /// JSON Pointer of the same element.
    pub pointer: Pointer,
    /// Line and column in the file.
    pub position: Position,
    /// What is wrong, in one sentence that quotes nothing of the document.
    pub text: Cow<'static, str>,
    /// What would have been allowed.
    pub allowed: Option<Cow<'static, str>>,
    /// The value that shows what is wrong.
    pub found: Option<Found>,
    /// The profile or definition that demands it, by its canonical URL.
    pub profile: Option<Cow<'static, str>>,
    /// The key of the invariant or the canonical URL of the value set.
    pub key: Option<Cow<'static, str>>,
    /// The line of the source, if excerpts were asked for.
    pub excerpt: Option<Excerpt>,
}

/// A value that shows what is wrong: always its kind and length, itself only if asked for.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is in JSON.
    pub kind: Kind,
    /// How many characters it has.
    pub length: usize,
    /// The value; `None` unless the report may show values.
    pub value: Option<Phi<String>>,
}

impl Found {
    /// The longest value that is shown whole, in characters.
    const MOST: usize = 120;

    fn of(tree: &Tree<'_>, node: NodeId, show: bool) -> Option<Self> {
        let text = tree.text(node)?;
        let length = text.chars().count();
        let value = show.then(|| {
            let mut value: String = text.chars().take(Self::MOST).collect();
            if length > Self::MOST {
                value.push('…');
            }
            Phi::new(value)
        });
        Some(Self { kind: tree.kind(node), length, value })
    }

    /// What a report says of it: the value, or what may be said in its place.
    pub fn words(&self) -> String {
        if let Some(value) = &self.value {
            return value.expose().clone();
        }
        let characters = if self.length == 1 { "character" } else { "characters" };
        match self.kind {
            Kind::Number => format!("[value hidden: a number of {} {characters}]", self.length),
            Kind::Bool => "[value hidden: a boolean]".to_owned(),
            _ => format!("[value hidden: a text of {} {characters}]", self.length),
        }
    }
}

/// Makes [`Reported`] items of findings.
#[derive(Clone, Copy)]
pub struct Reporter<'a> {
    /// The types of the release.
    pub types: &'a Types,
    /// Whether some definition has an element of this name; for names that the element's own definition does not know.
    pub is_name: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether values may be shown.
    pub show_values: bool,
    /// Whether the line of the source is wanted.
    pub excerpts: bool,
    /// The number of the source's first line in its file: 1, but for the resources of NDJSON.
    pub first_line: usize,
}

impl std::fmt::Debug for Reporter<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reporter").field("show_values", &self.show_values).finish()
    }
}

impl Reporter<'_> {
    /// The findings of a document, in the order of its source; what two profiles demand in the same words, once.
    pub fn report(&self, tree: &Tree<'_>, findings: &[Finding]) -> Vec<Reported> {
        let mut placed: Vec<(usize, &Finding)> =
            findings.iter().map(|finding| (place(tree, finding), finding)).collect();
        placed.sort_by(|(at, one), (other_at, other)| {
            (at, other.severity, one.rule.code).cmp(&(other_at, one.severity, other.rule.code))
        });
        let mut lines = Lines { tree, at: 0, line: self.first_line, start: 0 };
        let mut reported: Vec<Reported> = Vec::with_capacity(placed.len());
        let mut first_of_place = 0;
        let mut last_at = None;
        for (at, finding) in placed {
            if last_at != Some(at) {
                (last_at, first_of_place) = (Some(at), reported.len());
            }
            let item = self.item(tree, at, finding, &mut lines);
            let same = |other: &Reported| {
                (other.rule.code, &other.text, &other.key)
                    == (item.rule.code, &item.text, &item.key)
                    && other.pointer == item.pointer
            };
            if !reported.iter().skip(first_of_place).any(same) {
                reported.push(item);
            }
        }
        reported
    }

    fn item(
        &self,
        tree: &Tree<'_>,
        at: usize,
        finding: &Finding,
        lines: &mut Lines<'_, '_>,
    ) -> Reported {
        let shown = self.nearest_known(tree, finding.node);
        let (position, line) = lines.to(at);
        Reported {
            rule: finding.rule,
            severity: finding.severity,
            expression: self.expression(tree, shown),
            pointer: tree.pointer(shown),
            position,
            text: finding.text.clone(),
            allowed: finding.allowed.clone(),
            found: if finding.has_value {
                Found::of(tree, finding.node, self.show_values)
            } else {
                None
            },
            profile: finding.profile.clone(),
            key: finding.key.clone(),
            excerpt: self.excerpts.then(|| Excerpt::of(self, tree, line, at)),
        }
    }

    /// The element itself, or the nearest one above it whose way down has only names of definitions.
    fn nearest_known(&self, tree: &Tree<'_>, node: NodeId) -> NodeId {
        let mut shown = node;
        if self.show_values {
            return shown;
        }
        let mut at = node;
        while let Some(parent) = tree.parent(at) {
            if tree.type_of(at) == TypeId::UNKNOWN && !(self.is_name)(tree.name(at)) {
                shown = parent;
            }
            at = parent;
        }
        shown
    }

    fn expression(&self, tree: &Tree<'_>, node: NodeId) -> String {
        if self.show_values {
            tree.expression(node, self.types)
        } else {
            tree.expression_without_values(node, self.types)
        }
    }
}

/// Where the caret stands: at the value if that is wrong, else at the element's name.
fn place(tree: &Tree<'_>, finding: &Finding) -> usize {
    let node = finding.node;
    finding.offset.unwrap_or_else(|| {
        if finding.has_value && tree.has_value(node) || tree.in_array(node) {
            tree.start(node)
        } else {
            tree.name_start(node)
        }
    })
}

/// Lines and columns of ascending offsets: the source is gone through once, however many there are.
struct Lines<'t, 's> {
    tree: &'t Tree<'s>,
    /// How far it was counted.
    at: usize,
    line: usize,
    /// Where that line begins.
    start: usize,
}

impl<'s> Lines<'_, 's> {
    /// The place of an offset, and its line in the source: where that begins, and its text.
    fn to(&mut self, offset: usize) -> (Position, (usize, &'s str)) {
        let source = self.tree.source();
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let passed = source.as_bytes().get(self.at..offset).unwrap_or_default();
        for newline in memchr::memchr_iter(b'\n', passed) {
            self.line += 1;
            self.start = self.at + newline + 1;
        }
        self.at = self.at.max(offset);
        let rest = source.get(self.start..).unwrap_or_default();
        let before = source.get(self.start..offset).unwrap_or_default();
        let text = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        (Position { line: self.line, column }, (self.start, text))
    }
}

/// How many there are of each severity, and what was not checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Files.
    pub files: u64,
    /// Resources: each document, and each line of NDJSON.
    pub resources: u64,
    /// Resources with an error.
    pub invalid: u64,
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
    /// Notes, without what was not checked.
    pub information: u64,
    /// Things that could not be checked here.
    pub not_checked: u64,
}

impl Count {
    /// Counts the report of one resource.
    pub fn add(&mut self, reported: &[Reported]) {
        self.resources += 1;
        let errors = self.errors;
        for item in reported {
            let count = match item.severity {
                Severity::Fatal | Severity::Error => &mut self.errors,
                _ if item.is_not_checked() => &mut self.not_checked,
                Severity::Warning => &mut self.warnings,
                Severity::Information => &mut self.information,
            };
            *count += 1;
        }
        self.invalid += u64::from(self.errors > errors);
    }

    /// Whether there is no error.
    pub const fn is_valid(&self) -> bool {
        self.errors == 0
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let many =
            |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        write!(
            formatter,
            "{}, {}: {}, {}, {} not checked",
            many(self.files, "file"),
            many(self.resources, "resource"),
            many(self.errors, "error"),
            many(self.warnings, "warning"),
            self.not_checked
        )
    }
}

impl Reported {
    /// Whether it says that something could not be checked here.
    pub fn is_not_checked(&self) -> bool {
        self.severity < Severity::Error && self.rule.kind == super::rule::IssueType::NotSupported
    }
}
