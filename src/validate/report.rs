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
use std::collections::BTreeSet;

use super::finding::Finding;
use super::rule::Rule;
use super::tree::{Kind, Naming, NodeId, Tree};
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
        let mut lines = Lines::new(tree, self.first_line);
        let mut scan = excerpt::Scan::default();
        let mut reported: Vec<Reported> = Vec::with_capacity(placed.len());
        // What was said at this place, by what makes it the same to a reader.
        let mut said = BTreeSet::new();
        let mut last_at = None;
        for (at, finding) in placed {
            if last_at != Some(at) {
                last_at = Some(at);
                said.clear();
            }
            let shown = self.nearest_known(tree, finding.node);
            if said.insert((finding.rule.code, &finding.text, &finding.key, shown)) {
                reported.push(self.item(tree, (at, shown), finding, &mut lines, &mut scan));
            }
        }
        reported
    }

    fn item(
        &self,
        tree: &Tree<'_>,
        (at, shown): (usize, NodeId),
        finding: &Finding,
        lines: &mut Lines<'_, '_>,
        scan: &mut excerpt::Scan,
    ) -> Reported {
        let (position, line) = lines.to(at);
        Reported {
            rule: finding.rule,
            severity: finding.severity,
            expression: self.expression(tree, finding, shown),
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
            excerpt: self.excerpts.then(|| Excerpt::of(self, tree, line, at, scan)),
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

    fn expression(&self, tree: &Tree<'_>, finding: &Finding, shown: NodeId) -> String {
        let naming = if self.show_values { Naming::AsWritten } else { Naming::Masked };
        finding.expression_of(shown, tree, self.types, naming)
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

/// Lines and columns of ascending offsets: the source is gone through once, however many there are, and however long its
/// lines are.
struct Lines<'t, 's> {
    tree: &'t Tree<'s>,
    /// How far it was counted.
    at: usize,
    line: usize,
    /// Where that line begins, and where it ends.
    start: usize,
    end: usize,
    /// How many characters of it stand before `at`.
    column: usize,
}

impl<'t, 's> Lines<'t, 's> {
    fn new(tree: &'t Tree<'s>, first_line: usize) -> Self {
        let mut lines = Self { tree, at: 0, line: first_line, start: 0, end: 0, column: 0 };
        lines.begin(0);
        if tree.source().starts_with('\u{feff}') {
            // It is no character of the line, and nothing stands before it.
            lines.at = '\u{feff}'.len_utf8();
        }
        lines
    }

    fn begin(&mut self, start: usize) {
        let rest = self.tree.source().as_bytes().get(start..).unwrap_or_default();
        (self.start, self.at, self.column) = (start, start, 0);
        self.end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// The place of an offset, and its line in the source: where that begins, and its text.
    fn to(&mut self, offset: usize) -> (Position, (usize, &'s str)) {
        let source = self.tree.source();
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        while offset > self.end {
            self.line += 1;
            self.begin(self.end + 1);
        }
        self.column += source.get(self.at..offset).unwrap_or_default().chars().count();
        self.at = self.at.max(offset);
        let text = source.get(self.start..self.end).unwrap_or_default().trim_end_matches('\r');
        (Position { line: self.line, column: self.column + 1 }, (self.start, text))
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
