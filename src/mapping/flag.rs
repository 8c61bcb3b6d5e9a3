//! A therapist's judgement of risk ⇄ Flag. Never computed from a score: a PHQ-9 answer is a line of the report.

use crate::date::Instant;
use crate::ipt::SessionStatus;
use crate::ipt::session::{Risk, RiskLevel, Session};
use crate::mapping::chart::Chart;
use crate::mapping::code::{code_in, coding, concept, hl7, risk, risk_level, system};
use crate::mapping::element::text;
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::session;
use crate::mapping::writer::Writer;
use crate::object;

fn local(session_id: &str) -> String {
    format!("{session_id}/{}", derived::RISK)
}

pub(super) fn write(writer: &mut Writer<'_>, session: &Session) {
    let Some(given) = &session.risk else { return };
    // "No risk" must not carry a code that says "at risk": an EHR shows the code.
    let at_risk = given.level != RiskLevel::None;
    let snomed = at_risk.then(|| coding(system::SNOMED, "225444004", "At risk for suicide"));
    let status = match session.status {
        SessionStatus::EnteredInError => "entered-in-error",
        _ if at_risk => "active",
        _ => "inactive",
    };
    let codes: Vec<_> = snomed.into_iter().chain([risk(given.level).coding()]).collect();
    let start = session.start.as_ref().map(Instant::as_str);
    let elements = object! {
        "status" => status,
        "category" => vec![concept(hl7("flag-category", "safety", "Safety"))],
        "code" => object! { "coding" => codes, "text" => given.text.as_ref() },
        "subject" => writer.client(),
        "period" => start.map(|start| object! { "start" => start }),
        "encounter" => session::encounter(writer, session),
        "author" => writer.therapist(),
    };
    let words = format!("Risk: {}", given.level.display());
    writer.add("Flag", &local(&session.id), Narrative::line(&words), elements);
}

pub(super) fn read(chart: &Chart<'_>, session_id: &str) -> Option<Risk> {
    let concept = chart.find("Flag", &local(session_id))?.get("code")?;
    let level = risk_level(code_in(concept, system::CONCEPT)?)?;
    Some(Risk { level, text: text(concept, "text") })
}
