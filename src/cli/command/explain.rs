//! `explain CODE`: what a code means, why it matters, what to do, and where more of it stands.
//!
//! Two kinds of codes are printed. The validator's rules have their table in [`rule`]; all others (records, EHRs,
//! configuration) have theirs here, one file for each theme. A test goes through the sources and finds every code in one
//! of them.

mod document;
mod ehr;
mod program;
mod record;

use std::fmt::Write;

use super::super::args::Explain;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Done;
use crate::config::nearest;
use crate::json::{Object, Value};
use crate::object;
use crate::validate::rule::{self, Rule};

/// What is told of a code that is no rule's: the code, what it means in one line, why and what to do, where more stands.
struct Told(&'static str, &'static str, &'static str, &'static str);

/// A code with what is told of it.
#[derive(Clone, Copy)]
enum Known {
    Rule(&'static Rule),
    Other(&'static Told),
}

impl Known {
    fn code(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.code,
            Self::Other(told) => told.0,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.title,
            Self::Other(told) => told.1,
        }
    }

    fn human(self) -> String {
        match self {
            Self::Rule(rule) => format!(
                "{}: {}\n\n{}\n\nSeverity: {}, unless a report says otherwise. Type of issue: {}.\nSpecification: {}\n",
                rule.code,
                rule.title,
                rule.explanation,
                rule.severity.code(),
                rule.kind.code(),
                rule.specification,
            ),
            Self::Other(Told(code, title, explanation, see)) => {
                format!("{code}: {title}\n\n{explanation}\n\nSee: {see}\n")
            }
        }
    }

    fn data(self) -> Object {
        match self {
            Self::Rule(rule) => object! {
                "code" => rule.code,
                "title" => rule.title,
                "severity" => rule.severity.code(),
                "type" => rule.kind.code(),
                "explanation" => rule.explanation,
                "specification" => rule.specification,
            },
            Self::Other(Told(code, title, explanation, see)) => object! {
                "code" => *code,
                "title" => *title,
                "explanation" => *explanation,
                "see" => *see,
            },
        }
    }
}

/// All codes, sorted.
fn all() -> Vec<Known> {
    let others = [document::ALL, ehr::ALL, program::ALL, record::ALL];
    let mut known: Vec<Known> = rule::all().into_iter().map(Known::Rule).collect();
    known.extend(others.into_iter().flatten().map(Known::Other));
    known.sort_by_key(|known| known.code());
    known
}

pub(crate) fn run(args: &Explain) -> Result<Done, Failure> {
    let all = all();
    let Some(code) = args.code.as_deref() else { return Ok(list(&all)) };
    // As it stands in a report: `error[fhir-...]`.
    let code = code.rsplit('[').next().unwrap_or(code).trim_end_matches([']', ':']);
    let known = all.iter().find(|known| known.code() == code).ok_or_else(|| unknown(code, &all))?;
    Ok(Done::new(known.human(), Value::Object(known.data())))
}

fn list(all: &[Known]) -> Done {
    let width = all.iter().map(|known| known.code().len()).max().unwrap_or_default();
    let mut human = String::new();
    for known in all {
        let severity = match known {
            Known::Rule(rule) => rule.severity.code(),
            Known::Other(_) => "",
        };
        let _ = writeln!(human, "{:<width$}  {severity:<11}  {}", known.code(), known.title());
    }
    Done::new(human, Value::Array(all.iter().map(|known| Value::Object(known.data())).collect()))
}

fn unknown(code: &str, all: &[Known]) -> Failure {
    let codes = || all.iter().map(|known| known.code());
    // Whoever types a part of a code means one that has it.
    let with_part = codes().find(|known| !code.is_empty() && known.contains(code));
    let help = match nearest(code, codes()).or(with_part) {
        Some(near) => format!("did you mean `{near}`? --list shows all"),
        None => "--list shows all".to_owned(),
    };
    Failure::new(Exit::Usage, "explain-unknown", "there is no such code").help(help)
}
