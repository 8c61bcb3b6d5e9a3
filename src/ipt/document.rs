//! The record as a document: reading it from JSON or YAML, with everything that is wrong with it at once.
//!
//! A document passes four gates: it is text of its spelling; it says that it is a record of a version that we
//! read; it fits the schema; its fields agree with each other ([`rule`]). No gate repeats a value of
//! the document in what it says.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::plan::Plan;
use super::{rule, schema};
use crate::date::DateTime;
use crate::issue::{Issue, Severity};
use crate::json::{self, Number, Pointer, Position, Value, yaml};
use crate::phi::Phi;

/// How a record is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// JSON, the canonical spelling.
    Json,
    /// YAML 1.2.
    Yaml,
}

/// A record that passed all gates.
#[derive(Debug, Clone)]
pub struct Document {
    /// The record.
    pub plan: Plan,
    /// The document as it was written, with `x-*` members and `passthrough`, which the plan does not hold.
    pub source: Value,
    /// Warnings; none of them is an error.
    pub warnings: Vec<Issue>,
    /// Where each value stands in the text.
    pub places: Places,
}

/// A document is not a record that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It can't be read, or is no record: an unknown document.
    #[error("the record can't be read")]
    Unreadable(Box<Issue>),
    /// It is a record with errors, and maybe warnings.
    #[error("the record has errors")]
    Invalid(Vec<Issue>),
}

impl Error {
    /// The issues, the unreadable document's one included.
    pub fn issues(&self) -> &[Issue] {
        match self {
            Self::Unreadable(issue) => std::slice::from_ref(issue),
            Self::Invalid(issues) => issues,
        }
    }
}

/// As many issues are told at once.
const SHOWN: usize = 200;

/// Parts of member names that smell of process notes (45 CFR 164.501), spelled without case and punctuation.
const PROCESS_NOTES: [&str; 8] = [
    "processnote",
    "psychotherapynote",
    "transcript",
    "countertransference",
    "verbatim",
    "privatenote",
    "sessionnote",
    "therapistnote",
];

/// Members that hold dates: the schema sees to their form, the calendar to the rest.
const DATES: [&str; 10] = [
    "date",
    "birthDate",
    "asOf",
    "onset",
    "recorded",
    "achievementDate",
    "start",
    "end",
    "due",
    "next",
];

/// Members that count something. JSON Schema takes 7.0 for a whole number; a record writes 7.
const COUNTS: [&str; 8] =
    ["revision", "rank", "count", "first", "last", "number", "lengthMinutes", "items"];

/// Reads a record; JSON if it begins like JSON, else YAML.
///
/// # Errors
/// [`Error::Unreadable`] and [`Error::Invalid`], each issue with pointer, line and column.
pub fn parse(bytes: &[u8]) -> Result<Document, Error> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control());
    let bare = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let json = matches!(first, None | Some(b'{' | b'[')) || bare.first() == Some(&b'{');
    parse_as(bytes, if json { Spelling::Json } else { Spelling::Yaml })
}

/// Reads a record in a known spelling.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(bytes: &[u8], spelling: Spelling) -> Result<Document, Error> {
    let unreadable = |issue| Error::Unreadable(Box::new(issue));
    let (value, places) = read(bytes, spelling).map_err(unreadable)?;
    let mut issues = Vec::new();
    recognize(&value).map_err(|issue| unreadable(places.settle(issue)))?;
    find_process_notes(&value, &Pointer::root(), &mut issues);
    let refused: Vec<Pointer> = issues.iter().map(|issue| issue.location.pointer.clone()).collect();
    let canonical = value.to_text();
    match serde_json::from_str(&canonical) {
        Ok(instance) => issues.extend(
            schema::check(&instance)
                .into_iter()
                .filter(|issue| !refused.contains(&issue.location.pointer)),
        ),
        Err(_) => for_each_number(&value, &Pointer::root(), &mut |pointer, number| {
            if !number.as_text().parse::<f64>().is_ok_and(f64::is_finite) {
                let text = "a number that is too large for a record";
                let issue = Issue::error("ipt-plan-number", pointer.clone(), text);
                issues.push(issue.with_help("check its exponent"));
            }
        }),
    }
    if issues.is_empty() {
        check_calendar(&value, &Pointer::root(), &mut issues);
        check_counts(&value, &mut issues);
    }
    let plan = match serde_json::from_str::<Plan>(&canonical) {
        Ok(plan) => Some(plan),
        Err(_) if !issues.is_empty() => None,
        // Not reached while schema and types agree, which a test sees to; its text could quote the document.
        Err(_) => {
            let text = "the record does not fit its own schema";
            issues.push(Issue::error("ipt-plan-schema", Pointer::root(), text));
            None
        }
    };
    if let Some(plan) = plan.as_ref().filter(|_| issues.is_empty()) {
        issues.extend(rule::check(plan));
    }
    let hidden = issues.get(SHOWN..).unwrap_or_default();
    let gravest = hidden.iter().map(|issue| issue.severity).max();
    let more = gravest.map(|gravest| {
        let text = format!("{} more issues, not shown: mend these first", hidden.len());
        Issue::new(gravest, "ipt-plan-more-issues", Pointer::root(), text)
    });
    let shown = issues.into_iter().take(SHOWN).map(|issue| places.settle(issue));
    let issues: Vec<Issue> = shown.chain(more).collect();
    match plan {
        Some(plan) if !issues.iter().any(Issue::is_error) => {
            Ok(Document { plan, source: value, warnings: issues, places })
        }
        _ => Err(Error::Invalid(issues)),
    }
}

impl Document {
    /// The record as a value: without `x-*` members and `passthrough`.
    pub fn value(&self) -> Value {
        plan_value(&self.plan)
    }
}

/// A plan as a value, in the schema's order of members.
pub fn plan_value(plan: &Plan) -> Value {
    // Serializing our own types to JSON can't fail; an empty object would be seen by every check that follows.
    let text = serde_json::to_string(plan).unwrap_or_default();
    json::parse_with(text.as_bytes(), json::Limits::BUNDLE).unwrap_or(Value::Null)
}

/// Takes out what stays in the record and is compared without: `x-*` members everywhere, and `passthrough`.
pub fn without_local(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("passthrough");
    }
    drop_own_members(&mut value);
    value
}

fn drop_own_members(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| !name.starts_with("x-"));
            object.iter_mut().for_each(|(_, value)| drop_own_members(value));
        }
        Value::Array(items) => items.iter_mut().for_each(drop_own_members),
        _ => {}
    }
}

/// Where the values of a document stand in its text.
#[derive(Debug, Clone)]
pub struct Places {
    written: Phi<String>,
    /// Known from reading YAML; JSON is read again when somebody asks.
    positions: OnceLock<BTreeMap<String, Position>>,
}

impl Places {
    /// Line and column of the value at a pointer, or of the nearest value above it that is there.
    pub fn of(&self, pointer: &str) -> Option<Position> {
        let positions = self.positions.get_or_init(|| json::positions(self.written.expose()));
        let mut at = pointer;
        loop {
            if let Some(position) = positions.get(at) {
                return Some(*position);
            }
            at = at.rsplit_once('/')?.0;
        }
    }

    /// The issue with line and column; and with its pointer cut where a name in it is not fit to be shown.
    fn settle(&self, mut issue: Issue) -> Issue {
        let pointer = issue.location.pointer.as_str().to_owned();
        issue.location.position = issue.location.position.or_else(|| self.of(&pointer));
        issue.location.pointer = showable(&pointer);
        issue
    }
}

/// Reads a document's text in its spelling.
fn read(bytes: &[u8], spelling: Spelling) -> Result<(Value, Places), Issue> {
    let unreadable = |code, text: String, position| {
        let mut issue = Issue::new(Severity::Fatal, code, Pointer::root(), text)
            .with_help("a record is one JSON or YAML document in UTF-8; `record new` writes one");
        issue.location.position = position;
        issue
    };
    let json_error = |error: json::Error| {
        let code = match error.kind {
            json::ErrorKind::Empty => "ipt-plan-empty-file",
            json::ErrorKind::NotUtf8 => "ipt-plan-not-utf8",
            json::ErrorKind::DuplicateMember => "ipt-plan-duplicate-key",
            json::ErrorKind::TooLarge | json::ErrorKind::TooDeep => "ipt-plan-too-large",
            _ => "ipt-plan-not-json",
        };
        unreadable(code, error.to_string(), Some(error.position))
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        // The JSON reader finds the first byte that is not UTF-8, in either spelling.
        let error = json::parse(bytes).err().map(json_error);
        return Err(
            error.unwrap_or_else(|| unreadable("ipt-plan-not-utf8", "not UTF-8".into(), None))
        );
    };
    let (value, yaml) = match spelling {
        Spelling::Json => (json::parse(bytes).map_err(json_error)?, None),
        Spelling::Yaml => {
            let yaml = yaml::read(text).map_err(|error| {
                unreadable("ipt-plan-not-yaml", error.to_string(), error.position)
            })?;
            (yaml.value, Some(yaml.positions))
        }
    };
    let positions = yaml.map_or_else(OnceLock::new, OnceLock::from);
    Ok((value, Places { written: Phi::new(text.to_owned()), positions }))
}

/// A pointer up to the first step that does not look like a name of a schema: it could be anything, a person's
/// name included. Line and column still tell the place.
fn showable(pointer: &str) -> Pointer {
    let mut shown = String::new();
    for step in pointer.split('/').skip(1) {
        let plain = step.len() <= 40
            && !step.is_empty()
            && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !plain {
            break;
        }
        shown.push('/');
        shown.push_str(step);
    }
    Pointer::from(shown.as_str())
}

/// Whether the document says that it is a record of a version that we read.
fn recognize(value: &Value) -> Result<(), Issue> {
    let fatal = |code, pointer, text: &'static str, help: &'static str| {
        Issue::new(Severity::Fatal, code, pointer, text).with_help(help)
    };
    if value.text("format") != Some("ipt-plan") {
        let help = "a record begins with \"format\": \"ipt-plan\"; `record new` writes one";
        let text = "the document does not say that it is an ipt-plan";
        return Err(fatal("ipt-plan-unknown-document", Pointer::root(), text, help));
    }
    match value.text("formatVersion") {
        Some("1.0") | None => Ok(()),
        Some(_) => {
            let pointer = Pointer::root().member("formatVersion");
            let text = "a version of ipt-plan that this program does not read";
            Err(fatal("ipt-plan-version", pointer, text, "this program reads version 1.0"))
        }
    }
}

fn find_process_notes(value: &Value, pointer: &Pointer, issues: &mut Vec<Issue>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter() {
                let plain: String = name
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .map(|letter| letter.to_ascii_lowercase())
                    .collect();
                let below = pointer.member(name);
                if PROCESS_NOTES.iter().any(|smell| plain.contains(smell)) {
                    let text = "process notes do not belong into a record, under any name";
                    let help = "keep them apart from the chart (45 CFR 164.501) and remove the member; \
                                what may be charted goes into a session's `summary`";
                    issues
                        .push(Issue::error("ipt-plan-process-notes", below, text).with_help(help));
                } else {
                    find_process_notes(member, &below, issues);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_process_notes(item, &pointer.item(index), issues);
            }
        }
        _ => {}
    }
}

/// Dates whose form the schema took, but which no calendar has: 2026-02-30.
fn check_calendar(value: &Value, pointer: &Pointer, issues: &mut Vec<Issue>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter() {
                if name.starts_with("x-") || (name == "passthrough" && pointer.as_str().is_empty())
                {
                    continue;
                }
                let below = pointer.member(name);
                match member {
                    Value::String(text) if DATES.contains(&name) => {
                        if DateTime::parse(text).is_err() {
                            let text = "a day or time that does not exist";
                            let help = "check it against a calendar: the form is right";
                            let issue = Issue::error("ipt-plan-date", below, text);
                            issues.push(issue.with_help(help));
                        }
                    }
                    other => check_calendar(other, &below, issues),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_calendar(item, &pointer.item(index), issues);
            }
        }
        _ => {}
    }
}

/// Counts that are written with a fraction or an exponent.
fn check_counts(value: &Value, issues: &mut Vec<Issue>) {
    for_each_number(value, &Pointer::root(), &mut |pointer, number| {
        let path = pointer.as_str();
        let mut names = path.rsplit('/').filter(|step| step.parse::<usize>().is_err());
        let is_count = match (names.next(), names.next()) {
            (Some("min" | "max"), Some("sessions")) => true,
            (name, _) => name.is_some_and(|name| COUNTS.contains(&name)),
        };
        let is_local = path.contains("/x-") || path.starts_with("/passthrough/");
        if is_count && !is_local && number.as_u64().is_none() {
            let text = "a count that is written with a fraction or an exponent";
            let help = "write it with digits only, such as 7";
            issues.push(Issue::error("ipt-plan-count", pointer.clone(), text).with_help(help));
        }
    });
}

fn for_each_number(value: &Value, pointer: &Pointer, visit: &mut impl FnMut(&Pointer, &Number)) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter() {
                for_each_number(member, &pointer.member(name), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for_each_number(item, &pointer.item(index), visit);
            }
        }
        Value::Number(number) => visit(pointer, number),
        _ => {}
    }
}
