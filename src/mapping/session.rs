//! Session ⇄ Encounter (begun or held) or Appointment (planned, booked, cancelled, missed).

use crate::date::Instant;
use crate::fhir::Resource;
use crate::ipt::session::Session;
use crate::ipt::{Delivery, Format, SessionStatus, Technique};
use crate::json::{Number, Object, Value};
use crate::mapping::chart::Chart;
use crate::mapping::code::{
    SessionResource, coding, session_name, session_number, session_resource, system,
};
use crate::mapping::element::{
    extension, extensions, own_extension, positive, sub_value, sub_values, text, ucum,
};
use crate::mapping::identity::{PLAN_ITEM_SYSTEM, derived};
use crate::mapping::narrative::Narrative;
use crate::mapping::policy::Section;
use crate::mapping::writer::Writer;
use crate::mapping::{activity, document_reference, flag, procedure, score, task};
use crate::object;

/// The local name of the session's resource.
pub(super) fn local(session: &Session) -> String {
    match session_resource(session.status) {
        SessionResource::Encounter(_) => session.id.clone(),
        SessionResource::Appointment(_) => format!("{}/{}", session.id, derived::APPOINTMENT),
    }
}

/// A reference to the session's resource.
pub(super) fn reference(writer: &Writer<'_>, session: &Session) -> Object {
    writer.reference(&local(session))
}

/// A reference to the session's Encounter, if it has one: only what was begun is an encounter.
pub(super) fn encounter(writer: &Writer<'_>, session: &Session) -> Option<Object> {
    match session_resource(session.status) {
        SessionResource::Encounter(_) => Some(reference(writer, session)),
        SessionResource::Appointment(_) => None,
    }
}

/// The session's time.
pub(super) fn period(session: &Session) -> Object {
    object! {
        "start" => session.start.as_ref().map(Instant::as_str),
        "end" => session.end.as_ref().map(Instant::as_str),
    }
}

pub(super) fn write(writer: &mut Writer<'_>) {
    for session in &writer.plan.sessions {
        match session_resource(session.status) {
            SessionResource::Encounter(status) => write_encounter(writer, session, status),
            SessionResource::Appointment(status) => write_appointment(writer, session, status),
        }
        procedure::write(writer, session);
        document_reference::write_summary(writer, session);
        score::write(writer, session);
        task::write(writer, session);
        flag::write(writer, session);
    }
}

fn delivery(writer: &Writer<'_>, session: &Session) -> Option<Delivery> {
    session.delivery.or(writer.plan.structure.delivery)
}

/// What the resource has no element for.
fn own(session: &Session, status_reason: bool, techniques: bool) -> Object {
    let ids = |name: &'static str, ids: &[String]| {
        ids.iter().map(|id| extension(name, "valueId", id)).collect::<Vec<_>>()
    };
    let mut parts = vec![
        extension("number", "valuePositiveInt", session.number),
        extension("phase", "valueId", session.phase_id.as_ref()),
        extension("format", "valueCode", session.format.map(Format::code)),
        extension("delivery", "valueCode", session.delivery.map(Delivery::code)),
        extension("lengthMinutes", "valuePositiveInt", session.length_minutes),
    ];
    parts.extend(ids("activity", &session.activity_ids));
    parts.extend(ids("attendee", &session.attendees));
    let items: Vec<String> = session
        .homework
        .iter()
        .map(|homework| &homework.id)
        .chain(session.scores.iter().map(|score| &score.id))
        .chain(session.goal_progress.iter().map(|progress| &progress.goal_id))
        .cloned()
        .collect();
    parts.extend(ids("item", &items));
    if status_reason {
        parts.push(extension("statusReason", "valueString", session.status_reason.as_ref()));
    }
    if techniques {
        parts.extend(session.techniques.iter().map(|technique| {
            let given = coding(system::TECHNIQUE, technique.code(), technique.display());
            extension("technique", "valueCoding", given)
        }));
    }
    object! { "url" => own_extension("ipt-session"), "extension" => parts }
}

/// What kind of therapy; its text tells the session's number to an EHR that drops our extension.
fn kind(writer: &Writer<'_>, session: &Session) -> Object {
    object! {
        "coding" => vec![coding(system::SNOMED, "75516001", "Psychotherapy")],
        "text" => name(writer, session),
    }
}

/// Minutes as told, else from start to end.
fn minutes(session: &Session) -> Option<u32> {
    let computed = || session.start.as_ref()?.minutes_until(session.end.as_ref()?);
    session.length_minutes.or_else(computed).filter(|minutes| *minutes > 0)
}

fn reasons(writer: &Writer<'_>, session: &Session) -> Vec<Object> {
    let mut reasons = writer.references(&session.focus_area_ids);
    reasons.extend(writer.references(writer.diagnoses().map(|diagnosis| &diagnosis.id)));
    reasons
}

/// The people of the inventory who were there, as participants; only where related persons are granted.
fn related_attendees(writer: &Writer<'_>, session: &Session) -> Vec<Object> {
    if !writer.options.policy.allows(Section::RelatedPersons) {
        return Vec::new();
    }
    let present = writer.plan.inventory.iter().filter(|person| {
        person.participates == Some(true) && session.attendees.contains(&person.id)
    });
    present.map(|person| writer.reference(&person.id)).collect()
}

/// `IPT session 5`.
fn name(writer: &Writer<'_>, session: &Session) -> String {
    format!("{}{}", session_name(writer.plan.variant), session.number)
}

fn narrative(writer: &Writer<'_>, session: &Session) -> Narrative {
    let when = session.start.as_ref().map_or("", Instant::as_str);
    let words = format!("{} ({}) {when}", name(writer, session), session.status.display());
    Narrative::line(words.trim_end())
}

fn write_encounter(writer: &mut Writer<'_>, session: &Session, status: &'static str) {
    let (class, display) = match delivery(writer, session) {
        Some(Delivery::Video | Delivery::Phone) => ("VR", "virtual"),
        Some(Delivery::InPerson) | None => ("AMB", "ambulatory"),
    };
    let mut participants = vec![object! { "individual" => writer.therapist() }];
    participants.extend(
        related_attendees(writer, session)
            .into_iter()
            .map(|person| object! { "individual" => person }),
    );
    let diagnoses = writer.diagnoses().map(|diagnosis| {
        object! {
            "condition" => writer.reference(&diagnosis.id),
            "rank" => diagnosis.rank,
        }
    });
    let diagnoses: Vec<Object> = diagnoses.collect();
    let organization = writer.plan.therapist.organization.as_ref();
    let elements = object! {
        "extension" => vec![own(session, true, false)],
        "status" => status,
        "class" => coding(system::ACT_CODE, class, display),
        "type" => vec![kind(writer, session)],
        "subject" => writer.client(),
        "participant" => participants,
        "period" => period(session),
        "length" => minutes(session).map(|minutes| {
            ucum(&Number::from(u64::from(minutes)), "min", Some("min"))
        }),
        "reasonReference" => reasons(writer, session),
        "diagnosis" => diagnoses,
        "serviceProvider" => organization.map(|name| object! { "display" => name }),
    };
    let narrative = narrative(writer, session);
    writer.add("Encounter", &session.id, narrative, elements);
}

fn write_appointment(writer: &mut Writer<'_>, session: &Session, status: &'static str) {
    let accepted = match session.status {
        SessionStatus::Booked | SessionStatus::NoShow => "accepted",
        _ => "needs-action",
    };
    let mut people = vec![writer.client(), writer.therapist()];
    people.extend(related_attendees(writer, session));
    let participants: Vec<Object> = people
        .into_iter()
        .map(|actor| object! { "actor" => actor, "status" => accepted })
        .collect();
    // app-4 allows a reason for what was missed too, but R4's expression of it asks for a status `no-show` that
    // does not exist (the code is `noshow`), so every validator refuses one there.
    let tells_reason = session.status == SessionStatus::Cancelled;
    let reason = session.status_reason.as_ref().filter(|_| tells_reason);
    let timed = session.start.is_some() && session.end.is_some();
    let elements = object! {
        "extension" => vec![own(session, !tells_reason, true)],
        "status" => status,
        "cancelationReason" => reason.map(|reason| object! { "text" => reason }),
        "serviceType" => vec![kind(writer, session)],
        "reasonReference" => reasons(writer, session),
        "start" => session.start.as_ref().map(Instant::as_str),
        "end" => session.end.as_ref().map(Instant::as_str),
        "minutesDuration" => if timed { minutes(session) } else { session.length_minutes },
        "supportingInformation" => vec![writer.care_plan()],
        "participant" => participants,
    };
    let narrative = narrative(writer, session);
    writer.add("Appointment", &local(session), narrative, elements);
}

/// The sessions in the record's order, which the course's entry keeps; else by number.
pub(super) fn read(chart: &Chart<'_>) -> Vec<Session> {
    let order = activity::session_order(chart);
    let found = chart.of_type("Encounter").chain(chart.of_type("Appointment"));
    let mut sessions: Vec<Session> = Vec::new();
    for (local, resource) in found {
        let id = local.split('/').next().unwrap_or(local);
        // A session that was booked and then held may have both in an EHR: the Encounter tells what happened.
        if !sessions.iter().any(|known| known.id == id) {
            sessions.extend(read_one(chart, id, resource));
        }
    }
    sessions.sort_by_key(|session| {
        let place = order.iter().position(|id| *id == session.id);
        let start = session.start.as_ref().and_then(Instant::timestamp);
        (place.is_none(), place, session.number, start)
    });
    sessions
}

fn read_one(chart: &Chart<'_>, id: &str, resource: &Resource) -> Option<Session> {
    let value = resource.to_value();
    let url = own_extension("ipt-session");
    let empty = Value::Null;
    let own = extensions(&value, &url).next().unwrap_or(&empty);
    let is_encounter = resource.resource_type() == "Encounter";
    let told = session_status(resource)?;
    let kind = resource.items(if is_encounter { "type" } else { "serviceType" }).next();
    let number = sub_value(own, "number", "valuePositiveInt")
        .and_then(positive)
        .or_else(|| session_number(kind?.text("text")?))?;
    let code = |name| sub_value(own, name, "valueCode").and_then(Value::as_str);
    let ids = |name| -> Vec<String> {
        sub_values(own, name, "valueId").filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let time = if is_encounter { resource.get("period").cloned() } else { Some(value.clone()) };
    let moment = |name: &str| time.as_ref()?.text(name).and_then(|text| Instant::parse(text).ok());
    let items = ids("item");
    let techniques = if is_encounter {
        procedure::read(chart, id)
    } else {
        sub_values(own, "technique", "valueCoding")
            .filter_map(|coding| Technique::from_code(coding.text("code")?))
            .collect()
    };
    let reason = resource.get("cancelationReason").and_then(|reason| text(reason, "text"));
    let own_reason =
        sub_value(own, "statusReason", "valueString").and_then(Value::as_str).map(str::to_owned);
    let phase = sub_value(own, "phase", "valueId").and_then(Value::as_str);
    let focus = resource.items("reasonReference").filter(|reference| {
        chart.target(reference).is_some_and(|target| target.resource_type() == "Observation")
    });
    Some(Session {
        id: id.to_owned(),
        number,
        status: told,
        status_reason: reason.or(own_reason),
        start: moment("start"),
        end: moment("end"),
        length_minutes: sub_value(own, "lengthMinutes", "valuePositiveInt").and_then(positive),
        phase_id: phase.map(str::to_owned),
        format: code("format").and_then(Format::from_code),
        delivery: code("delivery").and_then(Delivery::from_code),
        attendees: ids("attendee"),
        activity_ids: ids("activity"),
        techniques,
        focus_area_ids: focus
            .filter_map(|reference| chart.local(reference))
            .map(str::to_owned)
            .collect(),
        goal_progress: score::read_progress(chart, id, &items),
        summary: document_reference::read_summary(chart, id),
        homework: task::read(chart, id, &items),
        scores: score::read(chart, id, moment("start").as_ref(), &items),
        risk: flag::read(chart, id),
    })
}

fn session_status(resource: &Resource) -> Option<SessionStatus> {
    let given = resource.text("status")?;
    let is_encounter = resource.resource_type() == "Encounter";
    let known = |status: &SessionStatus| match session_resource(*status) {
        SessionResource::Encounter(code) => is_encounter && code == given,
        SessionResource::Appointment(code) => !is_encounter && code == given,
    };
    SessionStatus::ALL.iter().copied().find(known)
}

/// What becomes of the resource of a session that was written, when the session has gone on to be another: the
/// Appointment of one that was begun is `fulfilled`, the Encounter of one that was called off `cancelled`.
///
/// Nothing for a resource that is no session's, or whose session the mapping still writes as it was.
pub(super) fn superseded(written: &Resource, now: &[&Resource]) -> Option<Resource> {
    let item = written.identifier(PLAN_ITEM_SYSTEM)?;
    let (other, type_of_other, status) = match written.resource_type() {
        "Appointment" => {
            let session = item.strip_suffix(derived::APPOINTMENT)?.strip_suffix('/')?;
            (session.to_owned(), "Encounter", "fulfilled")
        }
        "Encounter" => (format!("{item}/{}", derived::APPOINTMENT), "Appointment", "cancelled"),
        _ => return None,
    };
    let is_other = |resource: &&&Resource| {
        resource.resource_type() == type_of_other
            && resource.identifier(PLAN_ITEM_SYSTEM) == Some(other.as_str())
    };
    now.iter().find(is_other)?;
    Some(written.clone().with(object! { "status" => status }))
}
