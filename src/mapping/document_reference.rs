//! A session's summary, and the whole plan to read ⇄ DocumentReference.

use crate::date::PartialDate;
use crate::fhir::base64::{self, Alphabet};
use crate::ipt::session::Session;
use crate::ipt::{Format, PlanStatus, SessionStatus};
use crate::json::Object;
use crate::mapping::chart::Chart;
use crate::mapping::code::{coding, concept, session_name, system};
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::policy::Section;
use crate::mapping::readable::{self, Extent};
use crate::mapping::session;
use crate::mapping::writer::Writer;
use crate::object;

fn summary_local(session_id: &str) -> String {
    format!("{session_id}/{}", derived::SUMMARY)
}

fn attachment(writer: &Writer<'_>, content_type: &str, title: &str, bytes: &[u8]) -> Object {
    object! { "attachment" => object! {
        "contentType" => content_type,
        "language" => writer.plan.language.as_ref(),
        "data" => base64::encode(bytes, Alphabet::Standard),
        "title" => title,
    } }
}

pub(super) fn write_summary(writer: &mut Writer<'_>, session: &Session) {
    let Some(summary) = &session.summary else { return };
    let format = session.format.or(writer.plan.structure.format);
    let (code, display) = match format {
        Some(Format::Group) => ("34787-2", "Mental health Group counseling note"),
        _ => ("34904-3", "Mental health Progress note"),
    };
    let in_error = session.status == SessionStatus::EnteredInError;
    let encounter = session::encounter(writer, session);
    let related = encounter.is_none().then(|| vec![session::reference(writer, session)]);
    let title = format!("{}{}", session_name(writer.plan.variant), session.number);
    let elements = object! {
        "status" => if in_error { "entered-in-error" } else { "current" },
        "docStatus" => if in_error { "entered-in-error" } else { "final" },
        "type" => concept(coding(system::LOINC, code, display)),
        "subject" => writer.client(),
        "author" => vec![writer.therapist()],
        "content" => vec![attachment(writer, "text/plain; charset=utf-8", &title, summary.as_bytes())],
        "context" => object! {
            "encounter" => encounter.map(|encounter| vec![encounter]),
            "period" => session::period(session),
            "related" => related,
        },
    };
    let words = format!("Summary of session {}", session.number);
    writer.add("DocumentReference", &summary_local(&session.id), Narrative::line(&words), elements);
}

pub(super) fn read_summary(chart: &Chart<'_>, session_id: &str) -> Option<String> {
    let document = chart.find("DocumentReference", &summary_local(session_id))?;
    let data = document.items("content").next()?.get("attachment")?.text("data")?;
    // R4 allows white space in it, and a server may break the lines.
    let data: String = data.split_ascii_whitespace().collect();
    String::from_utf8(base64::decode(&data, Alphabet::Standard)?).ok()
}

/// The whole plan, as the policy left it, to be read; by grant with the record itself beside it.
pub(super) fn write_plan(writer: &mut Writer<'_>) {
    let plan = writer.plan;
    let html = readable::plan(plan, Extent::Narrative).to_html();
    let mut content =
        vec![attachment(writer, "text/html; charset=utf-8", &plan.title, html.as_bytes())];
    if writer.options.policy.allows(Section::RecordJson) {
        let record = crate::ipt::document::plan_value(plan).to_text();
        content.push(attachment(writer, "application/json", "ipt-plan", record.as_bytes()));
    }
    let elements = object! {
        "status" => if plan.status == PlanStatus::EnteredInError { "entered-in-error" } else { "current" },
        "docStatus" => match plan.status {
            PlanStatus::Draft => "preliminary",
            PlanStatus::EnteredInError => "entered-in-error",
            _ => "final",
        },
        "type" => concept(coding(system::LOINC, "56447-6", "Plan of care note")),
        "subject" => writer.client(),
        "author" => vec![writer.therapist()],
        "content" => content,
        "context" => object! {
            "period" => plan.date.as_ref().map(|date| object! { "start" => PartialDate::as_str(date) }),
            "related" => vec![writer.care_plan()],
        },
    };
    let narrative = Narrative::line("The therapy plan as a readable document");
    writer.add("DocumentReference", derived::DOCUMENT, narrative, elements);
}
