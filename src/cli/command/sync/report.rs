//! A sync report for a person and as data.
//!
//! Before anything is written a person sees all of it: how each kind goes and why no better, what is lost, what the EHR
//! keeps otherwise. Afterwards what this run did counts, in as few lines; the data are the same always.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::super::exit::Exit;
use super::super::super::output::Done;
use crate::json::{Object, Value};
use crate::mapping::Section;
use crate::merge::Change;
use crate::object;
use crate::store::{HandOffState, RejectReason};
use crate::sync::{
    self, Conflict, ItemReport, ItemState, Narrowed, Needed, Outcome, Package, PatientFault,
    Placed, RecordReport, Report, Stop,
};
use crate::vendor::{Kind, Rung};

/// How much a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All that is known: before anything is written, or because somebody asks.
    All,
    /// What this run did, and a line for each kind that does not go as itself.
    Written,
    /// The same after all of it was shown: what can't have changed since is not told again.
    WrittenAsShown,
}

/// Whether applying would write anything, to the EHR or as a package, or find out what became of an earlier write.
pub(crate) fn has_writes(report: &Report) -> bool {
    let makes_package = |record: &RecordReport| record.package == Some(Package::ToMake);
    report.records.iter().any(makes_package)
        || report.items().any(|item| {
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

/// The report as a command's result; `place` is where the EHR is configured.
pub(crate) fn done(report: &Report, detail: Detail, place: &str) -> Done {
    let mut human = String::new();
    for record in &report.records {
        describe(&mut human, record, detail, place);
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
    let all = counted(report).into_iter().chain(packages(report));
    all.fold(Object::new(), |mut object, (word, count)| {
        object.put(word.replace(' ', "-"), count);
        object
    })
}

/// How many packages stand how; those that were taken over count no more.
fn packages(report: &Report) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for package in report.records.iter().filter_map(|record| record.package.as_ref()) {
        let word = match package {
            Package::ToMake => "package to make",
            Package::Made(_) => "package made",
            Package::Stands(package) => match package.state {
                HandOffState::Waiting => "package waiting",
                HandOffState::Rejected => "package rejected",
                HandOffState::Done | HandOffState::Superseded => continue,
            },
            Package::Failed(_) => "package failed",
        };
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

pub(crate) fn summary(report: &Report) -> String {
    let items = counted(report).into_iter().map(|(word, count)| format!("{count} {word}"));
    let packages = packages(report).into_iter().map(|(word, count)| match count {
        1 => format!("{count} {word}"),
        _ => format!("{count} {}", word.replacen("package", "packages", 1)),
    });
    let parts: Vec<String> = items.chain(packages).collect();
    if parts.is_empty() { "nothing was done".to_owned() } else { parts.join(", ") }
}

/// A record's Patient, and an item a line; what is in sync and was not touched has none.
fn describe(text: &mut String, record: &RecordReport, detail: Detail, place: &str) {
    let _ = writeln!(text, "{}", record.patient);
    for placed in &record.placements {
        placement(text, placed, detail, place);
    }
    if detail != Detail::WrittenAsShown {
        for (section, places) in &record.withheld {
            let section = section.code();
            let noun = if *places == 1 { "place" } else { "places" };
            let _ = writeln!(
                text,
                "  withheld   {section} ({places} {noun}; --grant {section} lets it leave)"
            );
        }
    }
    if let Some(package) = &record.package {
        let _ = writeln!(text, "  {}", package_words(package));
    }
    for item in &record.items {
        let is_written = matches!(item.done, Some(sync::Done::Created | sync::Done::Updated));
        let tells_forms = detail == Detail::All || is_written;
        let has_forms =
            !(item.stored_otherwise.is_empty() && item.left_out.is_empty() && item.bent.is_empty());
        if item.state == ItemState::InSync && item.done.is_none() && !(tells_forms && has_forms) {
            continue;
        }
        let id = item.id.as_ref().map_or_else(|| item.resource_type.clone(), ToString::to_string);
        let note = match item.note {
            Some(Kind::Plan) => "  note of the plan",
            Some(_) => "  note of a session",
            None => "",
        };
        let _ = writeln!(text, "  {:<19} {id}  {}{note}", word(item), item.item);
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
            ItemState::Needs(needed) => line(needed_words(needed, item, record)),
            _ => {}
        }
        if !tells_forms {
            continue;
        }
        for change in &item.stored_otherwise {
            line(format!("stored otherwise: {change}"));
        }
        for element in &item.bent {
            line(format!("{element} is sent as the EHR takes it, not as the record has it"));
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

/// What a person is to link, so that an item can go.
fn needed_words(needed: &Needed, item: &ItemReport, record: &RecordReport) -> String {
    let element = &needed.element;
    let is_visit = needed.targets.iter().any(|target| target == "Encounter");
    if item.note == Some(Kind::Plan) && is_visit && !has_session(record) {
        return format!(
            "the plan's note needs the visit of a session ({element}), and no session is linked or held; it goes once \
             one is: `ipt-fhir ehr link --session`"
        );
    }
    let targets: Vec<String> = needed.targets.iter().map(|target| with_article(target)).collect();
    let targets = targets.join(" or ");
    format!(
        "the EHR takes it only with {targets} of its own in {element}: `ipt-fhir ehr candidates` shows which there \
         are, `ipt-fhir ehr link` links one"
    )
}

/// Whether something of a record tells of a session that was held or missed.
fn has_session(record: &RecordReport) -> bool {
    record.items.iter().any(|item| {
        item.resource_type == "Encounter" || item.note.is_some_and(|kind| kind != Kind::Plan)
    })
}

fn with_article(name: &str) -> String {
    let article = if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// How a kind goes; and where all is told, why no better, and what that loses.
fn placement(text: &mut String, placed: &Placed, detail: Detail, place: &str) {
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
            possible => {
                format!("not sent: {} would send it so", allowing(possible, place))
            }
        },
    };
    if detail != Detail::All && placed.rung == Rung::Structure {
        return;
    }
    let _ = writeln!(text, "  {:<10} {way}", placed.kind.code());
    if detail != Detail::All {
        return;
    }
    for narrowed in &placed.narrowings {
        let (from, to) = (narrowed.from.code(), narrowed.to.code());
        let _ = writeln!(text, "      {from} → {to}: {}", why(narrowed));
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

/// The line of the configuration that allows a rung, and where it belongs.
pub(crate) fn allowing(rung: Rung, place: &str) -> String {
    format!("allow = [\"{}\"] in {place}", rung.code())
}

fn package_words(package: &Package) -> String {
    match package {
        Package::ToMake => "package    would be made, for a person to carry over".to_owned(),
        Package::Made(package) => {
            format!("package    {} made; `ipt-fhir hand-offs list` shows what waits", package.name)
        }
        Package::Stands(package) if package.state == HandOffState::Rejected => {
            let reason = package.reason.map_or("no reason given", RejectReason::code);
            format!(
                "package    {} was rejected ({reason}) and is not made again: a changed record makes a new one, and \
                 `ipt-fhir hand-offs reject {} --reason lost` has the next sync make it anew",
                package.name, package.name
            )
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

/// Why a kind does not reach a rung.
fn why(narrowed: &Narrowed) -> String {
    match narrowed.lacks {
        Some(lacks) => format!("no {lacks} can be created: {}", narrowed.by),
        None => narrowed.by.to_string(),
    }
}

fn placement_object(placed: &Placed) -> Object {
    let narrowings = placed.narrowings.iter().map(|narrowed| {
        object! {
            "from" => narrowed.from.code(),
            "to" => narrowed.to.code(),
            "why" => why(narrowed),
        }
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
    let items: Vec<Object> = record.items.iter().map(|item| item_object(item, record)).collect();
    object! {
        "patient" => record.patient.to_string(),
        "stopped" => record.stopped.as_ref().map(ToString::to_string),
        "help" => record.stopped.as_ref().and_then(what_to_do),
        "kinds" => record.placements.iter().map(placement_object).collect::<Vec<_>>(),
        "withheld" => withheld_objects(&record.withheld),
        "package" => record.package.as_ref().map(package_object),
        "items" => items,
    }
}

/// What the policy withheld, as data.
fn withheld_objects(withheld: &BTreeMap<Section, usize>) -> Vec<Object> {
    let object = |(section, places): (&Section, &usize)| {
        object! {
            "section" => section.code(),
            "places" => u64::try_from(*places).unwrap_or(u64::MAX),
        }
    };
    withheld.iter().map(object).collect()
}

fn item_object(item: &ItemReport, record: &RecordReport) -> Object {
    let (changes, theirs, why) = match &item.state {
        ItemState::ToUpdate(changes) => (objects(changes), Vec::new(), None),
        ItemState::RemoteChanged(changes) => (Vec::new(), objects(changes), None),
        ItemState::Conflict(Conflict::BothChanged { ours, theirs }) => {
            (objects(ours), objects(theirs), None)
        }
        ItemState::Conflict(conflict) => (Vec::new(), Vec::new(), Some(conflict_words(conflict))),
        ItemState::Failed(failure) => (Vec::new(), Vec::new(), Some(failure.to_string())),
        ItemState::BlockedBy(other) => (Vec::new(), Vec::new(), Some(other.to_string())),
        ItemState::Needs(needed) => {
            (Vec::new(), Vec::new(), Some(needed_words(needed, item, record)))
        }
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
        "bent" => item.bent.clone(),
        "note" => item.note.map(Kind::code),
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
