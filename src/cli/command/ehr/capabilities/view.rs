//! What an EHR lets be done, for a person and as data.

use std::fmt::Write;

use comfy_table::{Table, presets};

use super::super::placing::{self, told_by};
use super::{Origin, Shown};
use crate::json::Object;
use crate::object;
use crate::store::StatementChange;
use crate::vendor::{Fact, Pack, SYSTEM, Source, Suggestion, Told, Transport, transports};

/// The kinds of content, and the types that hold them.
const KINDS: [(&str, &[&str]); 13] = [
    ("patient", &["Patient"]),
    ("plan", &["CarePlan"]),
    ("goals", &["Goal"]),
    ("session", &["Encounter", "Appointment", "Procedure"]),
    ("assessment", &["ClinicalImpression"]),
    ("diagnosis", &["Condition"]),
    ("scores", &["Observation", "QuestionnaireResponse"]),
    ("documents", &["DocumentReference"]),
    ("homework", &["Task"]),
    ("care team", &["CareTeam", "Practitioner", "RelatedPerson"]),
    ("consents", &["Consent"]),
    ("risk", &["Flag"]),
    ("messages", &["Communication"]),
];

/// What is asked of each type: the column, the word, and the member of the JSON.
const COLUMNS: [(&str, &str, &str); 9] = [
    ("READ", "read", "read"),
    ("SEARCH", "search-type", "search"),
    ("CREATE", "create", "create"),
    ("UPDATE", "update", "update"),
    ("PATCH", "patch", "patch"),
    ("DELETE", "delete", "delete"),
    ("BY IDENTIFIER", "search:identifier", "identifier_search"),
    ("IF NONE EXIST", "conditional-create", "conditional_create"),
    ("HISTORY", "history-instance", "history"),
];

/// What the JSON says of each type besides.
const MORE: [(&str, &str); 5] = [
    ("vread", "vread"),
    ("search:_lastUpdated", "last_updated_search"),
    ("conditional-update", "conditional_update"),
    ("conditional-delete", "conditional_delete"),
    ("update-create", "update_create"),
];

const LEGEND: &str = "yes, or - if not said; * another word than the statement's, told below\n";

// ---- For a person ----

pub(super) fn human(shown: &Shown<'_>) -> String {
    let effective = &shown.effective;
    let mut text = head(shown);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["KIND", "TYPE"].into_iter().chain(COLUMNS.map(|(header, ..)| header)));
    let mut told = String::new();
    for (kind, types) in KINDS {
        for resource_type in types {
            let mut row = vec![kind.to_owned(), (*resource_type).to_owned()];
            for (_, word, name) in COLUMNS {
                let fact = effective.fact(resource_type, word);
                row.push(cell(&fact).to_owned());
                if shown.explain || is_correction(&fact) {
                    let what = format!("{resource_type} {}", name.replace('_', " "));
                    told.push_str(&line(&what, &fact, effective.pack()));
                }
            }
            table.add_row(row);
        }
    }
    let _ = write!(text, "\n{}\n{LEGEND}\n", table.trim_fmt());
    for word in ["transaction", "batch"] {
        let fact = effective.allows_system(word);
        if shown.explain || is_correction(&fact) {
            told.push_str(&line(&format!("system {word}"), &fact, effective.pack()));
        }
    }
    let transports: Vec<&str> = transports(effective).into_iter().map(Transport::code).collect();
    let _ = writeln!(text, "transports: {}", transports.join(", "));
    for placement in &shown.placements {
        text.push_str(&placing::lines(placement, effective.pack()));
    }
    if let Some(pack) = effective.pack() {
        for (what, source) in of_pack(pack) {
            let _ = match source.filter(|_| shown.explain).and_then(|key| pack.source(key)) {
                Some(source) => writeln!(text, "{what} - {}", source.line()),
                None => writeln!(text, "{what}"),
            };
        }
        for note in pack.notes.iter().filter(|_| shown.explain) {
            let _ = writeln!(text, "note: {}", note.text);
        }
    }
    if !told.is_empty() {
        let title = if shown.explain { "facts" } else { "otherwise than the statement" };
        let _ = write!(text, "\n{title}:\n{told}");
    }
    text
}

/// What is looked at, and through what.
fn head(shown: &Shown<'_>) -> String {
    let effective = &shown.effective;
    let release = effective.statement().release_name.unwrap_or("of a release that is not known");
    let name = shown.name.map(|name| format!("{name}: ")).unwrap_or_default();
    let digest: String = shown.digest.chars().take(12).collect();
    let origin = match shown.origin {
        Origin::File => "from a file, no server was asked",
        Origin::Server(StatementChange::First) => "asked now for the first time",
        Origin::Server(StatementChange::Same) => "asked now, the same as last time",
        Origin::Server(StatementChange::Changed) => "asked now, CHANGED since last time",
    };
    let mut text = format!("{name}FHIR {release}, statement {digest} ({origin})\n");
    let _ = match effective.pack() {
        Some(pack) => {
            writeln!(text, "pack: {} {} ({})", pack.name, pack.version, shown.pack_by)
        }
        None => writeln!(text, "pack: none, so the statement counts alone"),
    };
    if let Some(Suggestion { pack, reason }) = other_pack(shown) {
        let _ = writeln!(text, "      {} may fit, by {reason}", pack.name);
    }
    let _ = match (shown.scopes, &shown.origin) {
        (Some(scopes), _) if shown.assumes_scopes => {
            writeln!(text, "scopes: assumed to be granted: {scopes}")
        }
        (Some(scopes), _) => writeln!(text, "scopes: granted to the login: {scopes}"),
        (None, Origin::File) => {
            writeln!(text, "scopes: assumed to be granted as asked for, for all that follows")
        }
        (None, Origin::Server(_)) => {
            writeln!(text, "scopes: not known here; --scopes shows what they would narrow")
        }
    };
    text
}

/// A suggestion that says something else than what was chosen.
fn other_pack<'a>(shown: &'a Shown<'_>) -> Option<&'a Suggestion> {
    let chosen = shown.effective.pack().map(|pack| pack.name.as_str());
    shown.suggestion.as_ref().filter(|suggestion| chosen != Some(suggestion.pack.name.as_str()))
}

fn cell(fact: &Fact<'_>) -> &'static str {
    match (fact.allowed, is_correction(fact)) {
        (true, false) => "yes",
        (true, true) if !fact.narrowed.is_empty() => "part*",
        (true, true) => "yes*",
        (false, false) => "-",
        (false, true) => "-*",
    }
}

/// Whether somebody else than the statement has the word.
fn is_correction(fact: &Fact<'_>) -> bool {
    !matches!(fact.source, Source::Statement | Source::NotSaid) || !fact.narrowed.is_empty()
}

fn line(what: &str, fact: &Fact<'_>, pack: Option<&Pack>) -> String {
    let answer = match (fact.allowed, fact.narrowed.as_slice()) {
        (false, _) => "no".to_owned(),
        (true, []) => "yes".to_owned(),
        (true, narrowed) => format!("only {}", narrowed.join(" or ")),
    };
    let why = placing::told(&fact.source, pack);
    format!("  {what}: {answer} - {why}\n")
}

/// What a pack says besides: limits and rates, each with the key of its source.
fn of_pack(pack: &Pack) -> Vec<(String, Option<&str>)> {
    let limits = &pack.limits;
    let mut lines = Vec::new();
    for (what, limit) in [
        ("entries of a Bundle", &limits.max_entries),
        ("entries of a Bundle with a conditional one", &limits.max_conditional_entries),
        ("updates in a Bundle", &limits.max_update_entries),
    ] {
        let line = |told: &Told<usize>| limit_line(what, &told.value);
        lines.extend(limit.as_ref().map(|told| (line(told), Some(told.source.as_str()))));
    }
    for limit in &limits.text {
        let what = format!("characters of {}", limit.element);
        lines.push((limit_line(&what, &limit.characters), Some(&limit.source)));
    }
    for rate in &pack.rate {
        let aligned = if rate.aligned { ", by the clock's minute" } else { "" };
        let text = format!(
            "rate: {} requests in {} s for each {}{aligned}",
            rate.requests, rate.seconds, rate.per
        );
        lines.push((text, Some(rate.source.as_str())));
    }
    lines
}

fn limit_line(what: &str, limit: &impl std::fmt::Display) -> String {
    format!("limit: {limit} {what}")
}

// ---- As data ----

pub(super) fn json(shown: &Shown<'_>) -> Object {
    let effective = &shown.effective;
    let pack = effective.pack();
    let fact =
        |resource_type: &str, word: &str| fact_object(&effective.fact(resource_type, word), pack);
    let type_object = |resource_type: &str| {
        let mut object = object! { "type" => resource_type };
        for (word, name) in COLUMNS.map(|(_, word, name)| (word, name)).into_iter().chain(MORE) {
            object.put(name, fact(resource_type, word));
        }
        let known = effective.statement().resources.get(resource_type);
        object.put("versioning", known.and_then(|known| known.versioning.code()));
        object
    };
    let kinds = KINDS.iter().map(|(kind, types)| {
        let types = types.iter().map(|resource_type| type_object(resource_type));
        object! { "kind" => *kind, "types" => types.collect::<Vec<_>>() }
    });
    let (from, change) = match shown.origin {
        Origin::File => ("file", None),
        Origin::Server(StatementChange::First) => ("server", Some("first")),
        Origin::Server(StatementChange::Same) => ("server", Some("same")),
        Origin::Server(StatementChange::Changed) => ("server", Some("changed")),
    };
    let rungs = shown.placements.iter().map(|placement| placing::object(placement, pack));
    let ways = transports(effective).into_iter().map(Transport::code);
    object! {
        "ehr" => shown.name,
        "release" => effective.statement().release_name,
        "statement" => object! { "from" => from, "digest" => &shown.digest, "change" => change },
        "pack" => pack.map(|pack| object! {
            "name" => &pack.name,
            "version" => &pack.version,
            "chosen_by" => shown.pack_by,
        }),
        "suggestion" => shown.suggestion.as_ref().map(|suggestion| object! {
            "pack" => &suggestion.pack.name,
            "reason" => suggestion.reason,
        }),
        "scopes" => object! {
            "assumed" => shown.assumes_scopes || matches!(shown.origin, Origin::File),
            "text" => shown.scopes.map(ToString::to_string),
        },
        "kinds" => kinds.collect::<Vec<_>>(),
        "system" => object! {
            "transaction" => fact(SYSTEM, "transaction"),
            "batch" => fact(SYSTEM, "batch"),
        },
        "transports" => ways.collect::<Vec<_>>(),
        "limits" => pack.map(limits).unwrap_or_default(),
        "rates" => pack.map(rates).unwrap_or_default(),
        "ways" => rungs.collect::<Vec<_>>(),
        "notes" => pack.map(notes).unwrap_or_default(),
    }
}

fn notes(pack: &Pack) -> Vec<Object> {
    let notes = pack.notes.iter().map(|note| {
        object! { "text" => &note.text, "told_by" => told_by(Some(pack), &note.source) }
    });
    notes.collect()
}

fn fact_object(fact: &Fact<'_>, pack: Option<&Pack>) -> Object {
    let mut object = object! { "allowed" => fact.allowed, "source" => fact.source.code() };
    object.put("only", fact.narrowed.iter().map(String::as_str).collect::<Vec<_>>());
    match &fact.source {
        Source::Pack { source, note, .. } => {
            object.put("note", *note);
            object.put("told_by", told_by(pack, source));
        }
        Source::Refusal { until } => object.put("until", until.to_string()),
        _ => {}
    }
    object
}

fn limits(pack: &Pack) -> Vec<Object> {
    let limits = &pack.limits;
    let number = |number: usize| u64::try_from(number).ok();
    let mut list = Vec::new();
    for (name, told) in [
        ("max_entries", &limits.max_entries),
        ("max_conditional_entries", &limits.max_conditional_entries),
        ("max_update_entries", &limits.max_update_entries),
    ] {
        list.extend(told.as_ref().map(|told| {
            object! {
                "limit" => name,
                "value" => number(told.value),
                "note" => told.note.as_deref(),
                "told_by" => told_by(Some(pack), &told.source),
            }
        }));
    }
    list.extend(limits.text.iter().map(|limit| {
        object! {
            "limit" => "characters",
            "element" => &limit.element,
            "value" => limit.characters,
            "note" => limit.note.as_deref(),
            "told_by" => told_by(Some(pack), &limit.source),
        }
    }));
    list
}

fn rates(pack: &Pack) -> Vec<Object> {
    let rates = pack.rate.iter().map(|rate| {
        object! {
            "requests" => rate.requests,
            "seconds" => rate.seconds,
            "aligned" => rate.aligned,
            "per" => &rate.per,
            "note" => rate.note.as_deref(),
            "told_by" => told_by(Some(pack), &rate.source),
        }
    });
    rates.collect()
}
