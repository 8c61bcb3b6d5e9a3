//! `sync`, `sync plan` and `sync apply`: linked records into an EHR.
//!
//! Records stay files: each run reads them again. A record that can't be read is told and left out; the others go on.
//! Nothing of a record is printed: types, items, places and lengths, and the Patient's id.

pub(super) mod report;

use std::path::{Path, PathBuf};

use super::super::args::{Sync, SyncTargets, SyncVerb};
use super::super::clock;
use super::super::exit::Exit;
use super::super::failure::{Failure, Problem, cannot_read};
use super::super::input;
use super::super::output::{Done, Output};
use super::super::progress::Progress;
use super::super::settings::{Settings, client};
use crate::json::Value;
use crate::mapping;
use crate::object;
use crate::store::{Link, Store};
use crate::sync::{self, Ehr, Outcome, Record, Report};

use report::Detail;

pub(crate) async fn run(
    args: &Sync,
    settings: &Settings,
    output: &Output,
) -> Result<Done, Failure> {
    let targets = match &args.verb {
        None => &args.targets,
        Some(SyncVerb::Plan(targets) | SyncVerb::Apply(targets)) => targets,
    };
    let (named, paths) = names(targets, settings);
    let (name, ehr) = settings.ehr(named)?;
    let client = client(ehr)?;
    let store = Store::open(&settings.config.store_path.value).await?;
    let links = chosen(store.links(Some(name)).await?, paths)?;
    if links.is_empty() {
        let human = format!("no record is linked to {name}; `ipt-fhir ehr link` links one\n");
        return Ok(Done::new(human, Value::Object(object! { "ehr" => name })));
    }
    let (records, problems) = load(&store, links, &targets.policy.options(settings)).await?;
    let (allow, packages) = (ehr.allow(), ehr.ladder.hand_off.value.clone());
    let ehr = Ehr {
        name,
        base_url: &ehr.url.value.to_string(),
        client: &client,
        store: &store,
        settle: ehr.settle.value,
        pack: ehr.pack(),
        overrides: &ehr.overrides.value,
        allow: &allow,
        hand_off: &packages,
        now: &clock::now,
    };
    let place = settings.place_of(name);
    let done = match &args.verb {
        Some(SyncVerb::Plan(_)) => {
            report::done(&plan(&ehr, &records, settings).await, Detail::All, &place)
        }
        Some(SyncVerb::Apply(_)) => {
            let report = apply(&ehr, &records, settings).await?;
            report::done(&report, detail(settings, Detail::Written), &place)
        }
        None => both(&ehr, &records, settings, output).await?,
    };
    store.close().await?;
    Ok(with_problems(done, problems))
}

/// Shows a person what is going to be written, and writes it. Where the plan can't be made nothing is tried.
async fn both(
    ehr: &Ehr<'_>,
    records: &[Record],
    settings: &Settings,
    output: &Output,
) -> Result<Done, Failure> {
    let place = settings.place_of(ehr.name);
    let mut after = Detail::Written;
    if output.is_human() {
        let planned = plan(ehr, records, settings).await;
        let done = report::done(&planned, Detail::All, &place);
        if matches!(planned.outcome(), Outcome::Failed | Outcome::Unauthorized) {
            return Ok(done);
        }
        if report::has_writes(&planned) {
            output.say(&done.human);
            after = Detail::WrittenAsShown;
        }
    }
    let report = apply(ehr, records, settings).await?;
    Ok(report::done(&report, detail(settings, after), &place))
}

/// How much is told after applying: all of it where somebody asks for more.
const fn detail(settings: &Settings, usual: Detail) -> Detail {
    if settings.is_verbose() { Detail::All } else { usual }
}

/// A result, in which records that were left out count as not done.
fn with_problems(done: Done, problems: Vec<Problem>) -> Done {
    let exit = match done.exit {
        Exit::Done if !problems.is_empty() => Exit::Partial,
        exit => exit,
    };
    done.but(exit, problems)
}

async fn plan(ehr: &Ehr<'_>, records: &[Record], settings: &Settings) -> Report {
    let mut progress = Progress::start(settings, "plan", count(records.len()));
    sync::plan(ehr, records, &mut |step| progress.sync(&step)).await
}

async fn apply(ehr: &Ehr<'_>, records: &[Record], settings: &Settings) -> Result<Report, Failure> {
    let mut progress = Progress::start(settings, "sync", count(records.len()));
    Ok(sync::apply(ehr, records, &mut |step| progress.sync(&step)).await?)
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Which of the names is the EHR's: the first, if an EHR is configured by it, or no such file is there.
fn names<'a>(targets: &'a SyncTargets, settings: &Settings) -> (Option<&'a str>, &'a [String]) {
    match targets.names.split_first() {
        Some((first, rest))
            if settings.config.ehrs.contains_key(first) || !Path::new(first).exists() =>
        {
            (Some(first), rest)
        }
        _ => (None, &targets.names),
    }
}

/// The links of the named records; all if none is named.
fn chosen(links: Vec<Link>, paths: &[String]) -> Result<Vec<Link>, Failure> {
    if paths.is_empty() {
        return Ok(links);
    }
    let mut wanted = Vec::new();
    for path in paths {
        let path = Path::new(path);
        let whole: PathBuf =
            std::fs::canonicalize(path).map_err(|error| cannot_read(&error).in_file(path))?;
        let mut found = links.iter().filter(|link| *link.record.expose() == whole).peekable();
        if found.peek().is_none() {
            let text = "this record is not linked to the EHR";
            return Err(Failure::new(Exit::Usage, "sync-not-linked", text)
                .help("`ipt-fhir ehr link EHR RECORD Patient/ID` links it")
                .in_file(path));
        }
        wanted.extend(found.cloned());
    }
    Ok(wanted)
}

/// Reads and maps the records; tells of those that can't be, by their Patient: a file's name may hold a person's.
async fn load(
    store: &Store,
    links: Vec<Link>,
    options: &mapping::Options,
) -> Result<(Vec<Record>, Vec<Problem>), Failure> {
    let mut records = Vec::new();
    let mut problems = Vec::new();
    let mut last = None;
    for link in links {
        match input::record(link.record.expose()) {
            Ok(read) => {
                let plan = &read.document.plan;
                let references = store.reference_links(&link.ehr, &link.plan).await?;
                records.push(Record::new(link, plan, options, references));
            }
            Err(failure) => {
                let of_record = |problem: Problem| Problem {
                    path: None,
                    message: format!("record of {}: {}", link.patient, problem.message),
                    ..problem
                };
                problems.extend(failure.problems.into_iter().map(of_record));
                last = Some(failure.exit);
            }
        }
    }
    match last {
        Some(exit) if records.is_empty() => Err(Failure { exit, problems }),
        _ => Ok((records, problems)),
    }
}
