//! The ladder of a record, for a person and as data.

use std::fmt::Write;

use comfy_table::{Table, presets};

use super::super::placing::{has_opt_in, lines, needs_encounter, object};
use super::{Row, Shown};
use crate::json::Object;
use crate::object;
use crate::sync::{Share, Types, kind_of};
use crate::vendor::{Allow, Kind, Placement, Rung, Source, Transport};

const HEADER: [&str; 11] = [
    "AT",
    "PLAN+GOALS",
    "SESSION",
    "DIAGNOSIS",
    "SCORES",
    "TRANSPORT",
    "REQUESTS",
    "RESOURCES",
    "IN NOTE OR FORM",
    "BY HAND",
    "NOT SENT",
];

/// What a rung loses (ehrs-and-sync.md 1.6).
const LOSSES: [(Rung, &str); 4] = [
    (Rung::Form, "links to the rest of the record, and the life cycle of a status"),
    (
        Rung::Document,
        "what a machine can count, search and follow: a person reads it, the structure stays here",
    ),
    (Rung::HandOff, "the same, and that it happens by itself: a person takes a package over"),
    (Rung::Withheld, "all of it: nothing is sent"),
];

// ---- For a person ----

pub(super) fn human(shown: &Shown<'_>) -> String {
    let mut text = head(shown);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(HEADER);
    for row in &shown.rows {
        let mut cells = vec![row.name.to_owned()];
        cells.extend(row.placements.iter().map(|placement| cell(placement, row)));
        cells.push(row.forecast.transport.map_or("-", Transport::code).to_owned());
        cells.push(row.forecast.requests().to_string());
        for fates in FATES {
            let count: usize = fates.iter().map(|fate| row.forecast.resources(*fate)).sum();
            cells.push(if count == 0 { "-".to_owned() } else { count.to_string() });
        }
        table.add_row(cells);
    }
    let _ = write!(text, "\n{}\n\n", table.trim_fmt());
    text.push_str(&legend(shown));
    text.push_str("\nof each kind, below structure these are no resources any more:\n");
    for (kind, types) in kinds(shown) {
        let _ = writeln!(text, "  {:<10} {}", kind.code(), listed(&types));
    }
    text.push_str("\nwhat is lost:\n");
    let used =
        |rung: Rung| shown.rows.iter().flat_map(|row| &row.placements).any(|one| one.rung == rung);
    for (rung, loss) in LOSSES.into_iter().filter(|(rung, _)| used(*rung)) {
        let _ = writeln!(text, "  {:<10} {loss}", rung.code());
    }
    if let [row] = shown.rows.as_slice() {
        text.push('\n');
        for placement in &row.placements {
            text.push_str(&lines(placement, row.pack));
        }
        text.push_str(&untaken(row));
    }
    text
}

/// The fates of the last columns.
const FATES: [&[Rung]; 4] =
    [&[Rung::Structure], &[Rung::Document, Rung::Form], &[Rung::HandOff], &[Rung::Withheld]];

fn head(shown: &Shown<'_>) -> String {
    let record = if shown.is_sample { "the sample record of John Lee" } else { "the record" };
    let all: usize = kinds(shown).iter().map(|(_, types)| types.values().sum::<usize>()).sum();
    let allowed = match rungs(shown.allow).as_slice() {
        [] => "nothing below structure is allowed".to_owned(),
        rungs => format!("allowed below structure: {}", rungs.join(", ")),
    };
    format!("{record}: {all} resources, persons apart; {allowed}\n")
}

fn rungs(allow: &Allow) -> Vec<&'static str> {
    allow.rungs.iter().rev().copied().map(Rung::code).collect()
}

fn cell(placement: &Placement<'_>, row: &Row<'_>) -> String {
    let opt_in = if has_opt_in(placement).is_some() { "?" } else { "" };
    let linked = if needs_encounter(placement, row.pack) { "+" } else { "" };
    let partly = if placement.is_partial { "/" } else { "" };
    format!("{}{opt_in}{linked}{partly}", placement.rung.code())
}

/// What the marks mean, of those that are there.
fn legend(shown: &Shown<'_>) -> String {
    let mut text = String::new();
    let placed = || shown.rows.iter().flat_map(|row| row.placements.iter().map(move |p| (p, row)));
    if let Some((rung, kind)) = placed().find_map(|(p, _)| Some((has_opt_in(p)?, p.kind))) {
        let (rung, kind) = (rung.code(), kind.code());
        let _ = writeln!(text, "? {rung} if it is asked for: opt_in = [\"{kind}\"]");
    }
    if placed().any(|(p, row)| needs_encounter(p, row.pack)) {
        text.push_str("+ only with an Encounter of the EHR's own, linked by a person\n");
    }
    if placed().any(|(p, _)| p.is_partial) {
        text.push_str("/ of several types some are taken, and go as resources\n");
    }
    text.push_str(
        "REQUESTS: of the first run, without logins and retries; RESOURCES to NOT SENT: how many go which way\n",
    );
    text
}

/// The resources of the record by kind.
fn kinds(shown: &Shown<'_>) -> [(Kind, Types); 4] {
    Kind::ALL.map(|kind| {
        let mut types = Types::new();
        for mapped in shown.resources.iter().filter(|one| kind_of(one.part) == Some(kind)) {
            *types.entry(mapped.resource.resource_type().to_owned()).or_default() += 1;
        }
        (kind, types)
    })
}

fn listed(types: &Types) -> String {
    let list: Vec<String> = types.iter().map(|(of, count)| format!("{count} {of}")).collect();
    if list.is_empty() { "none in this record".to_owned() } else { list.join(", ") }
}

/// What a server does not take of the kinds that stand on structure.
fn untaken(row: &Row<'_>) -> String {
    let on_structure = |share: &&Share| share.rung == Rung::Structure && !share.lost.is_empty();
    let mut text = String::new();
    for share in row.forecast.shares.iter().filter(on_structure) {
        let (kind, lost) = (share.kind.code(), listed(&share.lost));
        let _ = writeln!(text, "of {kind} the server does not take: {lost}");
    }
    text
}

// ---- As data ----

pub(super) fn json(shown: &Shown<'_>) -> Object {
    let kinds = kinds(shown).map(|(kind, types)| {
        object! { "kind" => kind.code(), "types" => types_object(&types) }
    });
    object! {
        "sample" => shown.is_sample,
        "allow" => rungs(shown.allow),
        "opt_in" => shown.allow.opt_in.iter().copied().map(Kind::code).collect::<Vec<_>>(),
        "kinds" => kinds.into_iter().collect::<Vec<_>>(),
        "rows" => shown.rows.iter().map(row_object).collect::<Vec<_>>(),
    }
}

fn row_object(row: &Row<'_>) -> Object {
    let forecast = &row.forecast;
    let kinds = row.placements.iter().zip(&forecast.shares).map(|(placement, share)| {
        let mut object = object(placement, row.pack);
        object.put("opt_in", has_opt_in(placement).map(Rung::code));
        object.put("kept", types_object(&share.kept));
        object.put("lost", types_object(&share.lost));
        object
    });
    let asks_encounter = |placement: &Placement<'_>| {
        placement
            .narrowings
            .iter()
            .any(|step| step.source == Source::Configuration { key: "encounter" })
    };
    object! {
        "name" => row.name,
        "pack" => row.pack.map(|pack| object! { "name" => &pack.name, "version" => &pack.version }),
        "kinds" => kinds.collect::<Vec<_>>(),
        "links_encounters" => row.placements.iter().any(asks_encounter),
        "transport" => forecast.transport.map(Transport::code),
        "requests" => object! {
            "all" => number(forecast.requests()),
            "reads" => number(forecast.reads),
            "writes" => number(forecast.writes),
        },
        "notes" => number(forecast.notes),
        "forms" => number(forecast.forms),
    }
}

fn types_object(types: &Types) -> Vec<Object> {
    let count =
        |(of, count): (&String, &usize)| object! { "type" => of, "count" => number(*count) };
    types.iter().map(count).collect()
}

fn number(number: usize) -> Option<u64> {
    u64::try_from(number).ok()
}
