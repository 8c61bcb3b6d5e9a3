//! `hand-offs`: the packages that a person carries into an EHR, and what became of each.
//!
//! Shown are names, numbers, moments, digests, codes, and the Patient's id; what a package holds is read in its files.
//! `done` and `reject` change the list alone: files stay until somebody deletes them.

use std::fmt::Write as _;
use std::path::PathBuf;

use comfy_table::{Table, presets};

use super::super::args::HandOffs;
use super::super::clock;
use super::super::exit::Exit;
use super::super::failure::{Failure, Problem};
use super::super::output::Done;
use super::super::settings::Settings;
use crate::issue::Severity;
use crate::json::{Object, Value};
use crate::object;
use crate::store::{HandOff, HandOffState, Link, RejectReason, Store};
use crate::sync::hand_off::{Listed, files};

pub(crate) async fn run(args: &HandOffs, settings: &Settings) -> Result<Done, Failure> {
    let store = Store::open(&settings.config.store_path.value).await?;
    let done = match args {
        HandOffs::List { name } => {
            let ehr = settings.ehr_if_named(name.as_deref())?.map(|(name, _)| name);
            list(&store.hand_offs(ehr).await?, &store.links(ehr).await?)
        }
        HandOffs::Show { id } => {
            let hand_off = find(&store, id).await?;
            show(&hand_off, &store.links(Some(&hand_off.ehr)).await?, settings)
        }
        HandOffs::Done { id } => decide(&store, id, None).await?,
        HandOffs::Reject { id, reason } => decide(&store, id, Some(*reason)).await?,
    };
    store.close().await?;
    Ok(done)
}

/// Where the packages for an EHR are: as it is configured, and where they would be for one that is not any more.
pub(super) fn directory(settings: &Settings, ehr: &str) -> PathBuf {
    match settings.config.ehrs.get(ehr) {
        Some(configured) => configured.ladder.hand_off.value.clone(),
        None => settings.config.store_path.value.join("hand-off").join(ehr),
    }
}

/// The package of a name.
async fn find(store: &Store, id: &str) -> Result<HandOff, Failure> {
    let mut all = store.hand_offs(None).await?.into_iter();
    all.find(|hand_off| hand_off.name == id).ok_or_else(|| {
        Failure::new(Exit::Usage, "hand-off-unknown", "there is no package of this name")
            .help("`ipt-fhir hand-offs list` shows all")
    })
}

/// The Patient whom a package is for.
fn patient(hand_off: &HandOff, links: &[Link]) -> Option<String> {
    let is_its = |link: &&Link| link.ehr == hand_off.ehr && link.plan == hand_off.plan;
    links.iter().find(is_its).map(|link| link.patient.to_string())
}

fn as_data(hand_off: &HandOff, links: &[Link]) -> Object {
    object! {
        "id" => &hand_off.name,
        "ehr" => &hand_off.ehr,
        "patient" => patient(hand_off, links),
        "edition" => hand_off.number,
        "state" => hand_off.state.code(),
        "made_at" => hand_off.made_at.to_string(),
        "decided_at" => hand_off.decided_at.map(|moment| moment.to_string()),
        "reason" => hand_off.reason.map(RejectReason::code),
    }
}

fn list(hand_offs: &[HandOff], links: &[Link]) -> Done {
    let is_waiting = |hand_off: &HandOff| hand_off.state == HandOffState::Waiting;
    let mut sorted: Vec<&HandOff> = hand_offs.iter().collect();
    sorted.sort_by_key(|hand_off| !is_waiting(hand_off));
    let items: Vec<Value> =
        sorted.iter().map(|hand_off| Value::Object(as_data(hand_off, links))).collect();
    if items.is_empty() {
        return Done::new("no package was made\n", Value::Array(items));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ID", "EHR", "PATIENT", "EDITION", "STATE", "MADE"]);
    for hand_off in sorted {
        let state = match hand_off.reason {
            Some(reason) => format!("{} ({})", hand_off.state.code(), reason.code()),
            None => hand_off.state.code().to_owned(),
        };
        let patient = patient(hand_off, links).unwrap_or_default();
        let edition = hand_off.number.to_string();
        let made = hand_off.made_at.to_string();
        table.add_row([&hand_off.name, &hand_off.ehr, &patient, &edition, &state, &made]);
    }
    Done::new(table.trim_fmt() + "\n", Value::Array(items))
}

fn show(hand_off: &HandOff, links: &[Link], settings: &Settings) -> Done {
    let mut result = as_data(hand_off, links);
    let directory = directory(settings, &hand_off.ehr);
    let package = directory.join(&hand_off.name).display().to_string();
    let mut human = String::new();
    for (name, value) in result.iter() {
        let text = value.as_str().map_or_else(|| value.to_text(), str::to_owned);
        let _ = writeln!(human, "{:<11} {text}", name.replace('_', " "));
    }
    let _ = writeln!(human, "{:<11} {package}", "directory");
    result.put("directory", package);
    let found = files(&directory, &hand_off.name);
    let is_whole = found.as_ref().is_some_and(|files| files.iter().all(|file| file.is_whole));
    for file in found.iter().flatten() {
        let word = if file.is_whole { "whole" } else { "MISSING OR CHANGED" };
        let Listed { name, size, sha256, .. } = file;
        let _ = writeln!(human, "  {name}  {size} bytes  sha256:{sha256}  {word}");
    }
    let listed: Vec<Object> = found
        .iter()
        .flatten()
        .map(|file| {
            object! {
                "name" => &file.name,
                "media_type" => &file.media_type,
                "size" => file.size,
                "sha256" => &file.sha256,
                "whole" => file.is_whole,
            }
        })
        .collect();
    result.put("files", listed);
    let done = Done::new(human, Value::Object(result));
    if is_whole {
        return done;
    }
    let text = "the package is not there, or not as it was made";
    let problem = Problem::new(Severity::Error, "hand-off-damaged", text)
        .with_help("if it was taken over: `hand-offs done`; else `hand-offs reject --reason lost`, and sync makes another");
    done.but(Exit::Failed, vec![problem])
}

async fn decide(store: &Store, id: &str, rejected: Option<RejectReason>) -> Result<Done, Failure> {
    let hand_off = find(store, id).await?;
    if !store.decide_hand_off(&hand_off.ehr, id, rejected, clock::now()).await? {
        let text = format!("the package does not wait any more: it is {}", hand_off.state.code());
        let help = match hand_off.state {
            HandOffState::Rejected if rejected == Some(RejectReason::Lost) => {
                "the next sync makes it anew, or a newer one has its place: `hand-offs list` shows it"
            }
            HandOffState::Rejected => {
                "`hand-offs reject --reason lost` has the next sync make it anew; a changed record makes a new one"
            }
            HandOffState::Superseded => "a newer package took its place: `hand-offs list` shows it",
            _ => "it was decided on before; a changed record makes a new package",
        };
        return Err(Failure::new(Exit::Refused, "hand-off-not-waiting", text).help(help));
    }
    let hand_off = find(store, id).await?;
    let links = store.links(Some(&hand_off.ehr)).await?;
    let next = rejected.map(after_rejection);
    let mut human = format!("{id}: {}\n", hand_off.state.code());
    if let Some(next) = next {
        let _ = writeln!(human, "next: {next}");
    }
    let mut result = as_data(&hand_off, &links);
    result.put("next", next);
    Ok(Done::new(human, Value::Object(result)))
}

/// What happens to a package that was rejected.
pub(super) const fn after_rejection(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::Lost => "the next sync makes it anew",
        _ => {
            "the same content is not made again, and sync ends with code 5 for it; a changed record makes a new \
             package, and `hand-offs reject --reason lost` has the next sync make this one anew"
        }
    }
}
