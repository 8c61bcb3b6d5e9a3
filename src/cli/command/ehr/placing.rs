//! Rungs in words and as data: where a kind stands, why it stands no higher, and what would raise it.

use std::fmt::Write;

use crate::json::Object;
use crate::object;
use crate::vendor::{Encounters, Kind, Narrowing, Pack, Placement, Rung, Source};

/// Who says so, for a person.
pub(super) fn told(source: &Source<'_>, pack: Option<&Pack>) -> String {
    match source {
        Source::Statement => "the statement lists it".to_owned(),
        Source::NotSaid => "the statement does not list it".to_owned(),
        Source::Scope => "no scope grants it".to_owned(),
        Source::Override => "the operator says so (override)".to_owned(),
        Source::Configuration { key } => format!("the configuration does not say so ({key})"),
        Source::Refusal { until } => format!("the server refused it; tried again after {until}"),
        Source::Pack { pack: name, source, note } => {
            let source = pack.and_then(|pack| pack.source(source));
            let note = note.map(|note| format!(": {note}")).unwrap_or_default();
            let source = source.map(|source| format!(" - {}", source.line())).unwrap_or_default();
            format!("pack {name}{note}{source}")
        }
    }
}

/// A source of the pack, as data.
pub(super) fn told_by(pack: Option<&Pack>, key: &str) -> Option<Object> {
    let source = pack?.source(key)?;
    Some(object! {
        "key" => key,
        "text" => &source.text,
        "url" => source.url.as_deref(),
        "evidence" => source.evidence.code(),
    })
}

/// The rung of a kind in one line, and below it each step down.
pub(super) fn lines(placement: &Placement<'_>, pack: Option<&Pack>) -> String {
    let (kind, rung) = (placement.kind.code(), placement.rung.code());
    let partly = if placement.is_partial { ", what is taken of it as structure" } else { "" };
    let mut text = format!("way of {kind}: {rung}{partly}\n");
    for step in &placement.narrowings {
        let _ = writeln!(text, "  not {}: {}", step.from.code(), why(step, pack));
    }
    text
}

/// Why a rung is not used.
fn why(step: &Narrowing<'_>, pack: Option<&Pack>) -> String {
    let rung = step.from.code();
    match (&step.source, step.lacks) {
        (Source::Configuration { key: "allow" }, _) => {
            format!("it is not allowed (allow = [\"{rung}\"])")
        }
        (Source::Configuration { key: "opt_in" }, _) => {
            "it must be asked for, and is not (opt_in)".to_owned()
        }
        (Source::Configuration { key: "encounter" }, _) => {
            format!("Encounters are linked, not made (encounter = \"{}\")", Encounters::Link.code())
        }
        (source, Some(of)) => format!("{of} can't be created: {}", told(source, pack)),
        (source, None) => told(source, pack),
    }
}

/// A placement as data.
pub(super) fn object(placement: &Placement<'_>, pack: Option<&Pack>) -> Object {
    let step = pack.and_then(|pack| pack.rung(placement.kind));
    let narrowings = placement.narrowings.iter().map(|narrowing| {
        let mut object = object! {
            "from" => narrowing.from.code(),
            "to" => narrowing.to.code(),
            "source" => narrowing.source.code(),
            "lacks" => narrowing.lacks,
        };
        match &narrowing.source {
            Source::Pack { source, note, .. } => {
                object.put("note", *note);
                object.put("told_by", told_by(pack, source));
            }
            Source::Configuration { key } => object.put("key", *key),
            Source::Refusal { until } => object.put("until", until.to_string()),
            _ => {}
        }
        object
    });
    object! {
        "kind" => placement.kind.code(),
        "possible" => placement.possible.code(),
        "rung" => placement.rung.code(),
        "partial" => placement.is_partial,
        "narrowings" => narrowings.collect::<Vec<_>>(),
        "needs_linked_encounter" => needs_encounter(placement, pack),
        "pack" => step.map(|step| object! {
            "rung" => step.rung.code(),
            "opt_in" => step.opt_in,
            "note" => step.note.as_deref(),
            "told_by" => told_by(pack, &step.source),
        }),
    }
}

/// Whether what is written of a kind must refer to an Encounter of the EHR's own.
pub(super) fn needs_encounter(placement: &Placement<'_>, pack: Option<&Pack>) -> bool {
    let Placement { kind, rung, .. } = placement;
    // Scores that go into a note go into that of their session.
    let kind = if (*kind, *rung) == (Kind::Scores, Rung::Document) { Kind::Session } else { *kind };
    let types = kind.needs(*rung);
    pack.is_some_and(|pack| {
        types.iter().any(|of| {
            pack.references(kind, of)
                .any(|reference| reference.targets.iter().any(|target| target == "Encounter"))
        })
    })
}

/// Whether asking for it would raise a kind.
pub(super) fn has_opt_in(placement: &Placement<'_>) -> Option<Rung> {
    let asks = |step: &&Narrowing<'_>| step.source == Source::Configuration { key: "opt_in" };
    placement.narrowings.iter().find(asks).map(|step| step.from)
}
