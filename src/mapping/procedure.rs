//! The techniques used in a session ⇄ Procedure.

use crate::ipt::session::Session;
use crate::ipt::{SessionStatus, Technique};
use crate::json::Object;
use crate::mapping::chart::Chart;
use crate::mapping::code::{code_in, coding, concept, system, therapy};
use crate::mapping::element::{extension, extensions};
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::session;
use crate::mapping::writer::Writer;
use crate::object;

const METHOD: &str = "http://hl7.org/fhir/StructureDefinition/procedure-method";

fn local(session_id: &str) -> String {
    format!("{session_id}/{}", derived::PROCEDURE)
}

/// Writes a Procedure for a session that was begun and used techniques; what is only intended is none.
pub(super) fn write(writer: &mut Writer<'_>, session: &Session) {
    let status = match session.status {
        SessionStatus::Completed => "completed",
        SessionStatus::InProgress => "in-progress",
        SessionStatus::EnteredInError => "entered-in-error",
        _ => return,
    };
    if session.techniques.is_empty() {
        return;
    }
    let methods: Vec<Option<Object>> = session
        .techniques
        .iter()
        .map(|technique| {
            let code = coding(system::TECHNIQUE, technique.code(), technique.display());
            extension(METHOD, "valueCodeableConcept", concept(code))
        })
        .collect();
    let names: Vec<&str> = session.techniques.iter().map(|technique| technique.display()).collect();
    let elements = object! {
        "extension" => methods,
        "basedOn" => vec![writer.care_plan()],
        "status" => status,
        "code" => concept(therapy(writer.plan.variant, &writer.options.psychotherapy)),
        "subject" => writer.client(),
        "encounter" => session::encounter(writer, session),
        "performedPeriod" => session::period(session),
        "performer" => vec![object! { "actor" => writer.therapist() }],
    };
    let words = format!("Techniques in session {}: {}", session.number, names.join(", "));
    writer.add("Procedure", &local(&session.id), Narrative::line(&words), elements);
}

pub(super) fn read(chart: &Chart<'_>, session_id: &str) -> Vec<Technique> {
    let Some(procedure) = chart.find("Procedure", &local(session_id)) else { return Vec::new() };
    extensions(&procedure.to_value(), METHOD)
        .filter_map(|method| code_in(method.get("valueCodeableConcept")?, system::TECHNIQUE))
        .filter_map(Technique::from_code)
        .collect()
}
