//! `suite run DIR`, for whoever works on the validator: its verdicts against those that were recorded.
//!
//! The folder holds `cases.json` and `cases.tgz` (HL7's validator suite), or archives of examples and `reference.json`
//! with the reference engine's errors for each; or both.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::args::SuiteRun;
use super::super::exit::Exit;
use super::super::failure::{Failure, cannot_read};
use super::super::output::Done;
use super::super::package::archive;
use super::super::progress::Progress;
use super::super::settings::Settings;
use crate::fhir::Release;
use crate::json::{Object, Value};
use crate::object;
use crate::validate::suite::known::Known;
use crate::validate::suite::{self, Case, Example, Files, Issue, Outcome, Score, Suite, Total};

/// One thing to run.
enum Run {
    Case(Box<Case>),
    Example(Example),
}

/// Runs that share an archive.
struct Set {
    name: &'static str,
    archive: String,
    runs: Vec<Run>,
}

pub(crate) fn run(args: &SuiteRun, settings: &Settings) -> Result<Done, Failure> {
    let sets = sets(args)?;
    let reviewed = args.reviewed.as_deref().map(known).transpose()?.unwrap_or_default();
    let total: usize = sets.iter().map(|set| set.runs.len()).sum();
    let mut progress =
        Progress::start(settings, "scoring", u64::try_from(total).unwrap_or(u64::MAX));
    let mut scores: BTreeMap<&'static str, (Score, usize)> = BTreeMap::new();
    let mut done = 0;
    for set in sets {
        let path = args.directory.join(&set.archive);
        let files = File::open(&path).map_err(|error| cannot_read(&error).in_file(&path))?;
        let files = unpack(files).map_err(|text| unreadable(&path, text))?;
        let outcomes = outcomes(&set.runs, &files, |count| {
            progress.set(u64::try_from(done + count).unwrap_or(u64::MAX));
        });
        done += set.runs.len();
        let (score, left_out) = scores.entry(set.name).or_default();
        for outcome in outcomes {
            if reviewed.reason(&outcome.name).is_some() && !outcome.verdict_is_equal() {
                *left_out += 1;
            } else {
                score.add(outcome);
            }
        }
    }
    let mut human = String::new();
    let mut result = Object::new();
    for (name, (score, left_out)) in &scores {
        write_score(&mut human, name, score, *left_out, args.misses);
        result.insert(*name, Value::Object(score_object(score, *left_out)));
    }
    Ok(Done::new(human, Value::Object(result)))
}

fn unreadable(path: &Path, text: impl Into<String>) -> Failure {
    Failure::new(Exit::Unreadable, "suite-unreadable", text).in_file(path)
}

fn known(path: &Path) -> Result<Known, Failure> {
    let bytes = fs::read(path).map_err(|error| cannot_read(&error).in_file(path))?;
    Known::read(&bytes).map_err(|text| unreadable(path, text))
}

/// What the folder has, as far as it is asked for.
fn sets(args: &SuiteRun) -> Result<Vec<Set>, Failure> {
    let wanted = |release: Release, module: &str, name: &str| {
        args.release.is_none_or(|only| Release::from(only) == release)
            && (args.module.is_empty() || args.module.iter().any(|only| only == module))
            && args.only.as_deref().is_none_or(|part| name.contains(part))
    };
    let read = |name: &str| {
        let path = args.directory.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some((bytes, path))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(cannot_read(&error).in_file(&path)),
        }
    };
    let mut sets = Vec::new();
    if let Some((bytes, path)) = read("cases.json")? {
        let cases = suite::cases(&bytes).map_err(|text| unreadable(&path, text))?;
        let wanted = |case: &Case| wanted(case.release, &case.module, &case.key());
        let runs = cases.into_iter().filter(wanted).map(|case| Run::Case(Box::new(case))).collect();
        sets.push(Set { name: "cases", archive: "cases.tgz".to_owned(), runs });
    }
    if let Some((bytes, path)) = read("reference.json")? {
        let mut by_set: BTreeMap<String, Vec<Run>> = BTreeMap::new();
        for example in suite::examples(&bytes).map_err(|text| unreadable(&path, text))? {
            if wanted(example.release, "examples", &example.key()) {
                by_set.entry(example.set.clone()).or_default().push(Run::Example(example));
            }
        }
        for (set, runs) in by_set {
            sets.push(Set { name: "examples", archive: format!("{set}.tgz"), runs });
        }
    }
    if sets.is_empty() {
        let text = "neither cases.json nor reference.json is there";
        return Err(unreadable(&args.directory, text)
            .help("a suite is cases.json with cases.tgz, or NAME.tgz files with reference.json"));
    }
    Ok(sets)
}

fn unpack(source: impl std::io::Read) -> Result<Files, String> {
    let files = archive::read(source, |_| true).map_err(|refused| refused.to_string())?;
    // An archive of one folder names its files without it, as the list does.
    Ok(files.into_iter().collect())
}

fn unpack_package(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    archive::read(bytes, archive::is_definition).map_err(|refused| refused.to_string())
}

/// Runs all on every core, and gives what came of each in their order.
fn outcomes(runs: &[Run], files: &Files, tell: impl FnMut(usize) + Send) -> Vec<Outcome> {
    let suite = Suite::new(files, unpack_package);
    let next = AtomicUsize::new(0);
    let tell = Mutex::new(tell);
    let found: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::with_capacity(runs.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(run) = runs.get(number)
                {
                    let outcome = match run {
                        Run::Case(case) => suite.case(case),
                        Run::Example(example) => suite.example(example),
                    };
                    if let Ok(mut found) = found.lock() {
                        found.push((number, outcome));
                        if let Ok(mut tell) = tell.lock() {
                            tell(found.len());
                        }
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, outcome)| outcome).collect()
}

// ---- What is shown ----

fn percent(share: usize) -> String {
    format!("{}.{:01}", share / 100, share % 100 / 10)
}

fn write_score(human: &mut String, name: &str, score: &Score, left_out: usize, misses: bool) {
    let _ = writeln!(
        human,
        "{name:<34}{:>6} {:>8} {:>7} {:>13} {:>7} {:>6} {:>8} {:>6}",
        "runs", "verdict", "%", "errors caught", "alarms", "failed", "issues %", "extra"
    );
    row(human, "all", &score.all);
    for ((kind, of), total) in &score.groups {
        row(human, &format!("{kind}: {of}"), total);
    }
    if left_out > 0 {
        let _ = writeln!(human, "reviewed, counted neither way: {left_out}");
    }
    let _ = writeln!(human, "\nother verdict: {}", score.misses.len());
    for outcome in &score.misses {
        let what = match &outcome.ours {
            Err(why) => format!("not run: {why}"),
            Ok(ours) if ours.is_empty() => "missed".to_owned(),
            Ok(_) => "false alarm".to_owned(),
        };
        let _ = writeln!(human, "  {}: {what}", outcome.name);
        if misses {
            sides(human, outcome);
        }
    }
    if misses {
        let _ = writeln!(human, "\nsame verdict, other issues: {}", score.partial.len());
        for outcome in &score.partial {
            let _ = writeln!(human, "  {}", outcome.name);
            sides(human, outcome);
        }
    }
    human.push('\n');
}

fn row(human: &mut String, name: &str, total: &Total) {
    let _ = writeln!(
        human,
        "{name:<34}{:>6} {:>8} {:>7} {:>13} {:>7} {:>6} {:>8} {:>6}",
        total.runs,
        total.verdicts,
        percent(total.verdict_share()),
        format!("{}/{}", total.caught, total.with_errors),
        total.false_alarms,
        total.failed,
        percent(total.issue_share()),
        total.ours - total.matched,
    );
}

fn sides(human: &mut String, outcome: &Outcome) {
    let (missing, extra) = outcome.differences();
    for (mark, issues) in [('-', missing), ('+', extra)] {
        for issue in issues {
            let _ = writeln!(human, "      {mark} {issue}");
        }
    }
}

fn count(number: usize) -> Value {
    Value::Number(u64::try_from(number).unwrap_or(u64::MAX).into())
}

fn total_object(total: &Total) -> Object {
    let mut object = Object::new();
    for (name, number) in [
        ("runs", total.runs),
        ("verdictsEqual", total.verdicts),
        ("withErrors", total.with_errors),
        ("caught", total.caught),
        ("falseAlarms", total.false_alarms),
        ("notRun", total.failed),
        ("issuesExpected", total.expected),
        ("issuesOurs", total.ours),
        ("issuesMatched", total.matched),
    ] {
        object.insert(name, count(number));
    }
    for (name, share) in
        [("verdictPercent", total.verdict_share()), ("issuePercent", total.issue_share())]
    {
        object.insert(name, Value::String(percent(share)));
    }
    object
}

fn outcome_object(outcome: &Outcome) -> Object {
    let list = |issues: &[Issue]| {
        let one = |issue: &Issue| {
            Value::Object(object! {
                "severity" => &issue.severity,
                "code" => &issue.code,
                "expression" => &issue.expression,
                "text" => &issue.text,
            })
        };
        Value::Array(issues.iter().map(one).collect())
    };
    let mut object = object! { "name" => &outcome.name, "offline" => &outcome.offline };
    object.insert("expected", list(&outcome.expected));
    match &outcome.ours {
        Ok(ours) => object.insert("ours", list(ours)),
        Err(why) => object.insert("notRun", Value::String(why.clone())),
    }
    object
}

fn score_object(score: &Score, left_out: usize) -> Object {
    let mut groups = Object::new();
    for ((kind, of), total) in &score.groups {
        if groups.get(kind).is_none() {
            groups.insert(*kind, Value::Object(Object::new()));
        }
        if let Some(group) = groups.get_mut(kind).and_then(Value::as_object_mut) {
            group.insert(of.clone(), Value::Object(total_object(total)));
        }
    }
    let outcomes = |outcomes: &[Outcome]| {
        Value::Array(outcomes.iter().map(outcome_object).map(Value::Object).collect())
    };
    let mut object = Object::new();
    object.insert("all", Value::Object(total_object(&score.all)));
    object.insert("groups", Value::Object(groups));
    object.insert("reviewed", count(left_out));
    object.insert("misses", outcomes(&score.misses));
    object.insert("partial", outcomes(&score.partial));
    object
}
