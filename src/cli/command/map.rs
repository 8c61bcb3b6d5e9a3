//! `map FILE`: a record as FHIR, and with `--reverse` back. What it prints is the document itself.

use std::fmt::Write;

use super::super::args::{BundleKind, Map};
use super::super::exit::Exit;
use super::super::failure::{Failure, Problem};
use super::super::input::{self, Record};
use super::super::output::{Done, Output};
use super::super::settings::Settings;
use crate::fhir::Bundle;
use crate::ipt::document::plan_value;
use crate::json::{Limits, Value};
use crate::mapping::report::Line;
use crate::mapping::{self, Mapped};
use crate::object;

pub(crate) fn run(args: &Map, settings: &Settings, output: &Output) -> Result<Done, Failure> {
    if args.reverse {
        return reverse(args);
    }
    let record = input::record(&args.file)?;
    let options = args.policy.options(settings);
    let mapped = mapping::to_fhir(&record.document.plan, &options);
    let mut problems = record.warnings();
    problems.extend(mapped.notices.iter().map(|issue| record.problem(issue)));
    if args.explain {
        return Ok(explain(&record, &mapped).but(Exit::Done, problems));
    }
    for withheld in &mapped.withheld {
        let (section, pointer) = (withheld.section.code(), &withheld.pointer);
        output.note(&format!("withheld: {pointer} (--grant {section} lets it leave)"));
    }
    let bundle = match args.to {
        BundleKind::Collection => mapped.into_collection(),
        BundleKind::Transaction => mapped.into_transaction(),
    };
    let bundle = bundle.into_value();
    Ok(Done::new(bundle.to_pretty(), bundle).but(Exit::Done, problems))
}

/// Where each value of the record went, with its line.
fn explain(record: &Record, mapped: &Mapped) -> Done {
    let report = mapped.report(&record.document.source);
    let mut human = String::new();
    let mut items = Vec::new();
    for Line { pointer, fate, element } in &report.lines {
        let line = record.document.places.of(pointer.as_str()).map(|place| place.line);
        let place = line.map_or(String::new(), |line| line.to_string());
        let _ =
            writeln!(human, "{place:>5}  {:<44} {:<9} {element}", pointer.as_str(), fate.code());
        items.push(Value::Object(object! {
            "pointer" => pointer.as_str(),
            "line" => line.and_then(|line| u64::try_from(line).ok()),
            "fate" => fate.code(),
            "element" => element.as_ref(),
        }));
    }
    Done::new(human, Value::Array(items))
}

fn reverse(args: &Map) -> Result<Done, Failure> {
    let bytes = input::read(&args.file, Limits::BUNDLE)?;
    let resource = input::resource(&bytes).map_err(|failure| failure.in_file(&args.file))?;
    let bundle = Bundle::from_resource(resource).map_err(|_| {
        let text = "not a Bundle of resources";
        Failure::new(Exit::Unreadable, "input-not-a-bundle", text)
            .help("--reverse reads what `map` writes, or a Bundle that an EHR answered")
            .in_file(&args.file)
    })?;
    let read = mapping::from_fhir(&bundle, None).map_err(|error| {
        Failure::new(Exit::Invalid, "fhir-no-plan", error.to_string()).in_file(&args.file)
    })?;
    let record = plan_value(&read.plan);
    let problems = read.issues.iter().map(Problem::from).collect();
    Ok(Done::new(record.to_pretty(), record).but(Exit::Done, problems))
}
