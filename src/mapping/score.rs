//! Scores and goal progress ⇄ Observation; the single answers behind a score ⇄ QuestionnaireResponse.

use crate::date::{DateTime, Instant};
use crate::fhir::Resource;
use crate::ipt::goal::Achievement;
use crate::ipt::session::{GoalProgress, Session};
use crate::ipt::{Instrument, Score, SessionStatus};
use crate::json::{Object, Value};
use crate::mapping::chart::Chart;
use crate::mapping::code::{
    self, code_in, coding, concept, hl7, instrument, instrument_of_total, own, system,
};
use crate::mapping::element::{number, positive, text, ucum};
use crate::mapping::goal::progress_local;
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::session;
use crate::mapping::writer::Writer;
use crate::object;

const GOAL_ACHIEVEMENT: &str = "http://terminology.hl7.org/CodeSystem/goal-achievement";

pub(super) fn write(writer: &mut Writer<'_>, session: &Session) {
    for score in &session.scores {
        write_score(writer, session, score);
    }
    for progress in &session.goal_progress {
        write_progress(writer, session, progress);
    }
}

fn status(session: &Session) -> &'static str {
    if session.status == SessionStatus::EnteredInError { "entered-in-error" } else { "final" }
}

fn write_score(writer: &mut Writer<'_>, session: &Session, score: &Score) {
    let codes = instrument(score.instrument);
    let local = format!("{}/{}", session.id, score.id);
    let items = format!("{local}/{}", derived::ITEMS);
    let total = codes.total.map(|(code, display)| coding(system::LOINC, code, display));
    let coding = total.into_iter().chain([own!(score.instrument)]).collect::<Vec<_>>();
    let start = session.start.as_ref().map(Instant::as_str);
    let told = score.date.as_ref().map(DateTime::as_str);
    // A date that the record tells beside an equal start of the session is a period, so that the way back knows.
    let same = told.is_some() && told == start;
    let survey = concept(hl7("observation-category", "survey", "Survey"));
    let has_items = !score.items.is_empty();
    let elements = object! {
        "status" => status(session),
        "category" => vec![survey],
        "code" => object! {
            "coding" => coding,
            "text" => format!("{} total score", score.instrument.display()),
        },
        "subject" => writer.client(),
        "encounter" => session::encounter(writer, session),
        "effectiveDateTime" => if same { None } else { told.or(start) },
        "effectivePeriod" => same.then(|| object! { "start" => told }),
        "performer" => vec![writer.therapist()],
        "valueQuantity" => ucum(&score.total, "{score}", Some("{score}")),
        "derivedFrom" => has_items.then(|| vec![writer.reference(&items)]),
    };
    let total = score.total.as_text();
    let words = format!("{} total score: {total}", score.instrument.display());
    writer.add("Observation", &local, Narrative::line(&words), elements);
    if has_items {
        write_items(writer, session, score, &items);
    }
}

fn write_items(writer: &mut Writer<'_>, session: &Session, score: &Score, local: &str) {
    let codes = instrument(score.instrument).items;
    let items: Vec<Object> = score
        .items
        .iter()
        .enumerate()
        .map(|(index, points)| {
            let link = match codes.get(index) {
                Some(loinc) if codes.len() == score.items.len() => format!("/{loinc}"),
                _ => format!("item-{}", index + 1),
            };
            let mut answer = Object::new();
            answer.put("valueInteger", *points);
            object! { "linkId" => link, "answer" => vec![answer] }
        })
        .collect();
    let when = score.date.as_ref().map(DateTime::as_str);
    let in_error = session.status == SessionStatus::EnteredInError;
    let elements = object! {
        "status" => if in_error { "entered-in-error" } else { "completed" },
        "subject" => writer.client(),
        "encounter" => session::encounter(writer, session),
        "authored" => when.or(session.start.as_ref().map(Instant::as_str)),
        "source" => writer.client(),
        "item" => items,
    };
    let words = format!("Answers to {}", score.instrument.display());
    writer.add("QuestionnaireResponse", local, Narrative::line(&words), elements);
}

fn write_progress(writer: &mut Writer<'_>, session: &Session, progress: &GoalProgress) {
    let elements = object! {
        "status" => status(session),
        "code" => code::GOAL_PROGRESS.concept(),
        "subject" => writer.client(),
        "focus" => vec![writer.reference(&progress.goal_id)],
        "encounter" => session::encounter(writer, session),
        "effectiveDateTime" => session.start.as_ref().map(Instant::as_str),
        "performer" => vec![writer.therapist()],
        "valueCodeableConcept" => code::achievement(progress.achievement),
        "note" => progress.note.as_ref().map(|note| vec![object! { "text" => note }]),
    };
    let words = format!("Progress of a goal: {}", progress.achievement.display());
    let local = progress_local(session, &progress.goal_id);
    writer.add("Observation", &local, Narrative::line(&words), elements);
}

/// Sorts what was found by its place among the session's items; what has none stays behind, in order.
pub(super) fn in_item_order<T>(found: &mut [T], items: &[String], id: impl Fn(&T) -> &str) {
    found
        .sort_by_key(|entry| items.iter().position(|item| item == id(entry)).unwrap_or(usize::MAX));
}

pub(super) fn read(
    chart: &Chart<'_>,
    session_id: &str,
    start: Option<&Instant>,
    items: &[String],
) -> Vec<Score> {
    let mut scores: Vec<Score> = chart
        .children("Observation", session_id)
        .filter(|(child, _)| !child.starts_with('@'))
        .filter_map(|(child, observation)| read_score(chart, session_id, child, observation, start))
        .collect();
    in_item_order(&mut scores, items, |score| &score.id);
    scores
}

fn read_score(
    chart: &Chart<'_>,
    session_id: &str,
    id: &str,
    observation: &Resource,
    start: Option<&Instant>,
) -> Option<Score> {
    let concept = observation.get("code")?;
    let named = code_in(concept, system::CONCEPT).and_then(Instrument::from_code);
    let by_total = || code_in(concept, system::LOINC).and_then(instrument_of_total);
    let period = observation.get("effectivePeriod").and_then(|period| period.text("start"));
    let told = observation
        .text("effectiveDateTime")
        .filter(|text| Some(*text) != start.map(Instant::as_str))
        .or(period);
    let answers =
        chart.find("QuestionnaireResponse", &format!("{session_id}/{id}/{}", derived::ITEMS));
    let points = answers.into_iter().flat_map(|answers| answers.items("item"));
    Some(Score {
        id: id.to_owned(),
        instrument: named.or_else(by_total)?,
        total: number(observation.get("valueQuantity")?, "value")?,
        items: points.filter_map(read_points).collect(),
        date: told.and_then(|text| DateTime::parse(text).ok()),
    })
}

fn read_points(item: &Value) -> Option<u32> {
    item.items("answer").next()?.get("valueInteger").and_then(positive)
}

pub(super) fn read_progress(
    chart: &Chart<'_>,
    session_id: &str,
    items: &[String],
) -> Vec<GoalProgress> {
    let mut all: Vec<GoalProgress> = chart
        .children("Observation", session_id)
        .filter_map(|(child, observation)| {
            let value = observation.get("valueCodeableConcept")?;
            Some(GoalProgress {
                goal_id: child.strip_prefix(derived::PROGRESS)?.to_owned(),
                achievement: Achievement::from_code(code_in(value, GOAL_ACHIEVEMENT)?)?,
                note: observation.items("note").next().and_then(|note| text(note, "text")),
            })
        })
        .collect();
    in_item_order(&mut all, items, |progress| &progress.goal_id);
    all
}
