//! `explain CODE`: what a rule looks for, why it matters, how to mend a document, and where FHIR says so.

use std::fmt::Write;

use super::super::args::Explain;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Done;
use crate::config::nearest;
use crate::json::{Object, Value};
use crate::object;
use crate::validate::rule::{self, Rule};

pub(crate) fn run(args: &Explain) -> Result<Done, Failure> {
    let Some(code) = args.code.as_deref() else { return Ok(list()) };
    // As it stands in a report: `error[fhir-...]`.
    let code = code.rsplit('[').next().unwrap_or(code).trim_end_matches([']', ':']);
    let Some(rule) = rule::of(code) else { return Err(unknown(code)) };
    let human = format!(
        "{}: {}\n\n{}\n\nSeverity: {}, unless a report says otherwise. Type of issue: {}.\nSpecification: {}\n",
        rule.code,
        rule.title,
        rule.explanation,
        rule.severity.code(),
        rule.kind.code(),
        rule.specification,
    );
    Ok(Done::new(human, Value::Object(data(rule))))
}

fn data(rule: &Rule) -> Object {
    object! {
        "code" => rule.code,
        "title" => rule.title,
        "severity" => rule.severity.code(),
        "type" => rule.kind.code(),
        "explanation" => rule.explanation,
        "specification" => rule.specification,
    }
}

fn list() -> Done {
    let rules = rule::all();
    let width = rules.iter().map(|rule| rule.code.len()).max().unwrap_or_default();
    let mut human = String::new();
    for rule in &rules {
        let _ =
            writeln!(human, "{:<width$}  {:<11}  {}", rule.code, rule.severity.code(), rule.title);
    }
    Done::new(
        human,
        Value::Array(rules.into_iter().map(|rule| Value::Object(data(rule))).collect()),
    )
}

fn unknown(code: &str) -> Failure {
    let codes: Vec<&str> = rule::all().into_iter().map(|rule| rule.code).collect();
    // Whoever types a part of a code means one that has it.
    let with_part = codes.iter().copied().find(|known| !code.is_empty() && known.contains(code));
    let help = match nearest(code, codes.iter().copied()).or(with_part) {
        Some(near) => format!("did you mean `{near}`? --list shows all"),
        None => "--list shows all".to_owned(),
    };
    Failure::new(Exit::Usage, "explain-unknown", "no rule has this code").help(help)
}
