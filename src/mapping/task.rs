//! Homework ⇄ Task.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::session::{Homework, HomeworkStatus, Session};
use crate::ipt::{SessionStatus, Technique};
use crate::mapping::chart::Chart;
use crate::mapping::code::{back, coding, system, task_status};
use crate::mapping::element::text;
use crate::mapping::narrative::Narrative;
use crate::mapping::score::in_item_order;
use crate::mapping::session;
use crate::mapping::writer::Writer;
use crate::object;

pub(super) fn write(writer: &mut Writer<'_>, session: &Session) {
    for homework in &session.homework {
        write_one(writer, session, homework);
    }
}

fn write_one(writer: &mut Writer<'_>, session: &Session, homework: &Homework) {
    let in_error = session.status == SessionStatus::EnteredInError;
    let encounter = session::encounter(writer, session);
    let focus = encounter.is_none().then(|| session::reference(writer, session));
    let technique = Technique::Homework;
    let restriction = homework
        .due
        .as_ref()
        .map(|due| object! { "period" => object! { "end" => PartialDate::as_str(due) } });
    let review = homework.review.as_ref().map(|review| vec![object! { "text" => review }]);
    let elements = object! {
        "basedOn" => vec![writer.care_plan()],
        // Homework of a session that never was is a mistake too; its own status stays beside it for the way back.
        "status" => if in_error { "entered-in-error" } else { task_status(homework.status) },
        "businessStatus" => in_error.then(|| object! { "text" => task_status(homework.status) }),
        "intent" => "plan",
        "code" => object! {
            "coding" => vec![coding(system::TECHNIQUE, technique.code(), technique.display())],
            "text" => "Homework",
        },
        "description" => &homework.text,
        "focus" => focus,
        "for" => writer.client(),
        "encounter" => encounter,
        "requester" => writer.therapist(),
        "owner" => writer.client(),
        "note" => review,
        "restriction" => restriction,
    };
    let local = format!("{}/{}", session.id, homework.id);
    let words = format!("Homework: {}", homework.text);
    writer.add("Task", &local, Narrative::line(&words), elements);
}

pub(super) fn read(chart: &Chart<'_>, session_id: &str, items: &[String]) -> Vec<Homework> {
    let mut all: Vec<Homework> = chart
        .children("Task", session_id)
        .filter_map(|(child, task)| read_one(child, task))
        .collect();
    in_item_order(&mut all, items, |homework| &homework.id);
    all
}

fn read_one(id: &str, task: &Resource) -> Option<Homework> {
    let due = task.get("restriction").and_then(|restriction| restriction.get("period"));
    let due = due.and_then(|period| period.text("end"));
    let told = task.get("businessStatus").and_then(|status| status.text("text"));
    let status = told.or_else(|| task.text("status"))?;
    Some(Homework {
        id: id.to_owned(),
        text: task.text("description")?.to_owned(),
        due: due.and_then(|text| PartialDate::parse(text).ok()),
        status: back(HomeworkStatus::ALL, task_status, status)?,
        review: task.items("note").next().and_then(|note| text(note, "text")),
    })
}
