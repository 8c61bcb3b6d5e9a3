//! A sync report for a person and as data.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::super::exit::Exit;
use super::super::super::output::Done;
use crate::json::{Object, Value};
use crate::merge::Change;
use crate::object;
use crate::sync::{
    self, Conflict, ItemReport, ItemState, Needed, Outcome, Package, PatientFault, Placed,
    RecordReport, Report, Stop,
};
use crate::vendor::Rung;

/// Whether applying would write anything, or find out what became of an earlier write.
pub(crate) fn has_writes(report: &Report) -> bool {
    report.items().any(|item| {
        matches!(
            item.state,
            ItemState::ToCreate
                | ItemState::ToUpdate(_)
                | ItemState::Unconfirmed
                | ItemState::Mediated
                | ItemState::BlockedBy(_)
        )
    })
}

/// The report as a command's result.
pub(crate) fn done(report: &Report) -> Done {
    let mut human = String::new();
    for record in &report.records {
        describe(&mut human, record);
    }
    let _ = writeln!(human, "{}: {}", report.ehr, summary(report));
    let records: Vec<Object> = report.records.iter().map(record_object).collect();
    let exit = exit(report.outcome());
    let result =
        object! { "ehr" => &report.ehr, "summary" => counts(report), "records" => records };
    Done::new(human, Value::Object(result)).but(exit, Vec::new())
}

pub(crate) const fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Done => Exit::Done,
        Outcome::Conflicts => Exit::Conflicts,
        Outcome::Partial => Exit::Partial,
        Outcome::Refused => Exit::Refused,
        Outcome::Failed => Exit::Failed,
        Outcome::Unauthorized => Exit::Denied,
    }
}

/// The word for what was done with an item, or else for how it stands.
fn word(item: &ItemReport) -> &'static str {
    match (&item.state, item.done) {
        (ItemState::InSync, Some(sync::Done::Created)) => "created",
        (ItemState::InSync, Some(sync::Done::Updated)) => "updated",
        (ItemState::InSync, Some(sync::Done::Adopted)) => "adopted",
        (ItemState::InSync, None) => "in sync",
        (ItemState::ToCreate, _) => "create",
        (ItemState::ToUpdate(_), _) => "update",
        (ItemState::RemoteChanged(_), _) => "changed in the EHR",
        (ItemState::Conflict(_), _) => "conflict",
        (ItemState::NotInRecord, _) => "not in the record",
        (ItemState::Unconfirmed, _) => "unconfirmed",
        (ItemState::Mediated, _) => "waits in the EHR",
        (ItemState::Failed(_), _) => "failed",
        (ItemState::BlockedBy(_), _) => "waiting",
        (ItemState::Needs(_), _) => "to be linked",
    }
}

/// How many items stand how.
fn counted(report: &Report) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for item in report.items() {
        *counts.entry(word(item)).or_insert(0) += 1;
    }
    counts
}

pub(crate) fn counts(report: &Report) -> Object {
    counted(report).into_iter().fold(Object::new(), |mut object, (word, count)| {
        object.put(word.replace(' ', "-"), count);
        object
    })
}

pub(crate) fn summary(report: &Report) -> String {
    let counts = counted(report);
    if counts.is_empty() {
        return "nothing was done".to_owned();
    }
    let parts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    parts.join(", ")
}

/// A record's Patient, and an item a line; what is in sync and was not touched has none.
fn describe(text: &mut String, record: &RecordReport) {
    let _ = writeln!(text, "{}", record.patient);
    for placed in &record.placements {
        placement(text, placed);
    }
    if let Some(package) = &record.package {
        let _ = writeln!(text, "  {}", package_words(package));
    }
    for item in &record.items {
        if item.state == ItemState::InSync
            && item.done.is_none()
            && item.stored_otherwise.is_empty()
            && item.left_out.is_empty()
        {
            continue;
        }
        let id = item.id.as_ref().map_or_else(|| item.resource_type.clone(), ToString::to_string);
        let _ = writeln!(text, "  {:<19} {id}  {}", word(item), item.item);
        let mut line = |line: String| {
            let _ = writeln!(text, "      {line}");
        };
        match &item.state {
            ItemState::ToUpdate(changes) | ItemState::RemoteChanged(changes) => {
                for change in changes {
                    line(change.to_string());
                }
            }
            ItemState::Conflict(Conflict::BothChanged { ours, theirs }) => {
                for change in ours {
                    line(format!("record: {change}"));
                }
                for change in theirs {
                    line(format!("EHR: {change}"));
                }
            }
            ItemState::Conflict(conflict) => line(conflict_words(conflict)),
            ItemState::Failed(failure) => line(failure.to_string()),
            ItemState::BlockedBy(other) => line(format!("for {other}")),
            ItemState::Needs(needed) => line(needed_words(needed)),
            _ => {}
        }
        for change in &item.stored_otherwise {
            line(format!("stored otherwise: {change}"));
        }
        for other in &item.left_out {
            line(format!("without its reference to {other}, which the EHR does not take"));
        }
    }
    if let Some(stop) = &record.stopped {
        let _ = writeln!(text, "  stopped: {stop}");
        if let Some(help) = what_to_do(stop) {
            let _ = writeln!(text, "  help: {help}");
        }
    }
}

fn needed_words(needed: &Needed) -> String {
    let targets = needed.targets.join(" or ");
    let element = &needed.element;
    format!(
        "the EHR takes it only with {element}, one of its own {targets}; `ipt-fhir ehr candidates` shows which"
    )
}

/// How a kind goes, why no better, and what that loses.
fn placement(text: &mut String, placed: &Placed) {
    if placed.lost.is_empty() && placed.narrowings.is_empty() {
        return;
    }
    let way = match placed.rung {
        Rung::Structure => "as structure".to_owned(),
        Rung::Form => "as answers to a form".to_owned(),
        Rung::Document => "as a note".to_owned(),
        Rung::HandOff => "as a package for a person to take over".to_owned(),
        Rung::Withheld => match placed.possible {
            Rung::Withheld => "not sent".to_owned(),
            possible => format!("not sent: allow = [\"{}\"] would send it so", possible.code()),
        },
    };
    let _ = writeln!(text, "  {:<10} {way}", placed.kind.code());
    for (from, to, source) in &placed.narrowings {
        let _ = writeln!(text, "      {} → {}: {source}", from.code(), to.code());
    }
    let lost = placed.lost.iter().map(|(name, count)| format!("{count} {name}"));
    let lost: Vec<String> = lost.collect();
    if !lost.is_empty() {
        let what = match placed.rung {
            Rung::Withheld => "not there at all",
            Rung::HandOff => "not before a person has taken it over",
            _ => "there to read only, without links and status of their own",
        };
        let _ = writeln!(text, "      {what}: {}", lost.join(", "));
    }
}

fn package_words(package: &Package) -> String {
    match package {
        Package::ToMake => "package    would be made, for a person to carry over".to_owned(),
        Package::Made(package) => {
            format!("package    {} made; `ipt-fhir hand-offs list` shows what waits", package.name)
        }
        Package::Stands(package) => {
            format!("package    {} holds this already: {}", package.name, package.state.code())
        }
        Package::Failed(error) => format!("package    could not be made: {error}"),
    }
}

fn package_object(package: &Package) -> Object {
    let (state, name) = match package {
        Package::ToMake => ("to-make", None),
        Package::Made(package) => ("made", Some(&package.name)),
        Package::Stands(package) => (package.state.code(), Some(&package.name)),
        Package::Failed(_) => ("failed", None),
    };
    let why = match package {
        Package::Failed(error) => Some(error.to_string()),
        _ => None,
    };
    object! { "state" => state, "name" => name, "why" => why }
}

fn placement_object(placed: &Placed) -> Object {
    let narrowings = placed.narrowings.iter().map(|(from, to, source)| {
        object! { "from" => from.code(), "to" => to.code(), "why" => source.to_string() }
    });
    let lost = placed.lost.iter().fold(Object::new(), |mut object, (name, count)| {
        object.put(name.clone(), u64::try_from(*count).unwrap_or(u64::MAX));
        object
    });
    object! {
        "kind" => placed.kind.code(),
        "rung" => placed.rung.code(),
        "possible" => placed.possible.code(),
        "narrowings" => narrowings.collect::<Vec<_>>(),
        "lost" => lost,
    }
}

fn conflict_words(conflict: &Conflict) -> String {
    match conflict {
        Conflict::BothChanged { .. } => "record and EHR both changed it".to_owned(),
        Conflict::Gone => "it is gone from the EHR".to_owned(),
        Conflict::Duplicates(ids) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            format!("the EHR has it more than once: {}", ids.join(", "))
        }
        Conflict::CreatedByUpdate => "an update made it anew where it had been".to_owned(),
        Conflict::Unexplained => {
            "the EHR's version can't be traced back to a write of ours".to_owned()
        }
    }
}

/// What a person does about a record that was stopped.
const fn what_to_do(stop: &Stop) -> Option<&'static str> {
    Some(match stop {
        Stop::OtherServer => "link the record at this address, or set the EHR's url back",
        Stop::OtherRecord => "put the linked record back, or link this one: `ipt-fhir ehr link`",
        Stop::OtherClient => {
            "restore the record, or give another client's record a plan id of its own; if the client's data were \
             corrected, link the record again: `ipt-fhir ehr link`"
        }
        Stop::LinkChanged => "run sync again",
        Stop::IdentityChanged => "set identity.namespace back to what it was",
        Stop::Patient(PatientFault::Gone | PatientFault::Different)
        | Stop::AllGone
        | Stop::Restored(_) => {
            "nothing more is written. Ask the EHR's administrator whether it was restored or replaced. If it was, \
             configure it under a new name (`ipt-fhir ehr add`) and link its Patients there (`ipt-fhir ehr link`)"
        }
        Stop::Patient(_) => {
            "nothing more is written. Look the Patient up in the EHR; link another only if a person is sure"
        }
        Stop::WrongSubject(_) => {
            "nothing more is written. Look the resource up in the EHR: it stands in another Patient's chart"
        }
        Stop::ForeignMatch(_) | Stop::WrongAnswer(_) | Stop::StrayAnswer { .. } => {
            "nothing more is written. The EHR, or what stands before it, mixes up Patients: ask its administrator"
        }
        Stop::Reference(..) => {
            "nothing more is written. Look it up in the EHR; `ipt-fhir ehr candidates` shows what else there is"
        }
        Stop::SecondPatient | Stop::NoIdentifier { .. } | Stop::ForeignReference { .. } => {
            return None;
        }
        Stop::Server(_) | Stop::Store(_) | Stop::NotTried => return None,
    })
}

fn record_object(record: &RecordReport) -> Object {
    let items: Vec<Object> = record.items.iter().map(item_object).collect();
    object! {
        "patient" => record.patient.to_string(),
        "stopped" => record.stopped.as_ref().map(ToString::to_string),
        "help" => record.stopped.as_ref().and_then(what_to_do),
        "kinds" => record.placements.iter().map(placement_object).collect::<Vec<_>>(),
        "package" => record.package.as_ref().map(package_object),
        "items" => items,
    }
}

fn item_object(item: &ItemReport) -> Object {
    let (changes, theirs, why) = match &item.state {
        ItemState::ToUpdate(changes) => (objects(changes), Vec::new(), None),
        ItemState::RemoteChanged(changes) => (Vec::new(), objects(changes), None),
        ItemState::Conflict(Conflict::BothChanged { ours, theirs }) => {
            (objects(ours), objects(theirs), None)
        }
        ItemState::Conflict(conflict) => (Vec::new(), Vec::new(), Some(conflict_words(conflict))),
        ItemState::Failed(failure) => (Vec::new(), Vec::new(), Some(failure.to_string())),
        ItemState::BlockedBy(other) => (Vec::new(), Vec::new(), Some(other.to_string())),
        ItemState::Needs(needed) => (Vec::new(), Vec::new(), Some(needed_words(needed))),
        _ => (Vec::new(), Vec::new(), None),
    };
    object! {
        "item" => item.item.to_string(),
        "type" => &item.resource_type,
        "id" => item.id.as_ref().map(ToString::to_string),
        "state" => word(item).replace(' ', "-"),
        "changes" => changes,
        "changes_in_ehr" => theirs,
        "stored_otherwise" => objects(&item.stored_otherwise),
        "left_out" => item.left_out.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "why" => why,
    }
}

fn objects(changes: &[Change]) -> Vec<Object> {
    let length = |length: Option<usize>| length.and_then(|length| u64::try_from(length).ok());
    let object = |change: &Change| {
        object! {
            "path" => &change.path,
            "before" => length(change.before),
            "after" => length(change.after),
        }
    };
    changes.iter().map(object).collect()
}
