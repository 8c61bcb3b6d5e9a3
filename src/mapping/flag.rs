//! A therapist's judgement of risk ⇄ Flag. Never computed from a score: a PHQ-9 answer is a line of the report.

use crate::date::Instant;
use crate::ipt::SessionStatus;
use crate::ipt::session::{Risk, RiskLevel, Session};
use crate::mapping::chart::Chart;
use crate::mapping::code::{code_in, coding, concept, hl7, risk, risk_level, system};
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::session;
use crate::mapping::writer::Writer;
use crate::object;

/// What stands between the level and the therapist's words.
const LEVEL_END: &str = ": ";

fn local(session_id: &str) -> String {
    format!("{session_id}/{}", derived::RISK)
}

/// The begin of the first judgement after this one: from then on this one no longer holds.
fn replaced<'a>(writer: &Writer<'a>, session: &Session) -> Option<&'a Session> {
    let order =
        |session: &Session| (session.start.as_ref().and_then(Instant::timestamp), session.number);
    let later = writer.plan.sessions.iter().filter(|other| {
        other.risk.is_some()
            && other.status != SessionStatus::EnteredInError
            && order(other) > order(session)
    });
    later.min_by_key(|other| order(other))
}

pub(super) fn write(writer: &mut Writer<'_>, session: &Session) {
    let Some(given) = &session.risk else { return };
    // "No risk" must not carry a code that says "at risk": an EHR shows the code.
    let at_risk = given.level != RiskLevel::None;
    let snomed = at_risk.then(|| coding(system::SNOMED, "225444004", "At risk for suicide"));
    let later = replaced(writer, session);
    let status = match session.status {
        SessionStatus::EnteredInError => "entered-in-error",
        _ if at_risk && later.is_none() => "active",
        _ => "inactive",
    };
    let codes: Vec<_> = snomed.into_iter().chain([risk(given.level).coding()]).collect();
    let start = session.start.as_ref().map(Instant::as_str);
    let end = later.and_then(|later| later.start.as_ref()).map(Instant::as_str);
    // An EHR shows the text before the codes, so the level stands first.
    let level = given.level.display();
    let words = match &given.text {
        Some(text) => format!("{level}{LEVEL_END}{text}"),
        None => level.to_owned(),
    };
    let elements = object! {
        "status" => status,
        "category" => vec![concept(hl7("flag-category", "safety", "Safety"))],
        "code" => object! { "coding" => codes, "text" => &words },
        "subject" => writer.client(),
        "period" => object! { "start" => start, "end" => end },
        "encounter" => session::encounter(writer, session),
        "author" => writer.therapist(),
    };
    writer.add("Flag", &local(&session.id), Narrative::line(&words), elements);
}

pub(super) fn read(chart: &Chart<'_>, session_id: &str) -> Option<Risk> {
    let concept = chart.find("Flag", &local(session_id))?.get("code")?;
    let level = risk_level(code_in(concept, system::CONCEPT)?)?;
    let words = concept.text("text")?;
    let text = words.strip_prefix(level.display()).and_then(|rest| rest.strip_prefix(LEVEL_END));
    Some(Risk { level, text: text.map(str::to_owned) })
}
