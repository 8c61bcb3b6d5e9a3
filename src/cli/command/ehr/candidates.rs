//! `ehr candidates EHR RECORD`: what sessions, therapist and organization may be in the EHR.
//!
//! It links nothing, not even a single candidate that agrees in all: two visits of one day look alike, and which of them
//! was the session a person knows. Shown are ids, times, FHIR's own codes and which traits agree.

use std::fmt::Write;
use std::path::Path;

use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, Problem};
use super::super::super::output::Done;
use super::super::super::settings::Settings;
use super::link::{as_object, words};
use super::linked::Linked;
use crate::ipt::SessionStatus;
use crate::ipt::session::Session;
use crate::issue::Severity;
use crate::json::{Object, Value};
use crate::object;
use crate::store::ReferenceLink;
use crate::sync::candidate::{
    Candidate, as_others_know, encounters, of_session, places, practitioners,
};

/// One item and what it may be.
struct Item<'a> {
    what: String,
    /// The flag that links it.
    flag: String,
    date: Option<&'a str>,
    linked: Option<&'a ReferenceLink>,
    candidates: Vec<Candidate>,
}

pub(crate) async fn run(name: &str, record: &Path, settings: &Settings) -> Result<Done, Failure> {
    let linked = Linked::open(name, record, settings).await?;
    let client = linked.client(settings).await?;
    let (capability, _) = client.capabilities().await?;
    let plan = linked.plan();
    let mut problems = Vec::new();
    let mut items = Vec::new();
    let sessions: Vec<&Session> =
        plan.sessions.iter().filter(|session| took_place(session)).collect();
    let is_open =
        |session: &&&Session| linked.reference(linked.session_item(&session.id)).is_none();
    let open: Vec<&Session> = sessions.iter().filter(is_open).copied().collect();
    let found = encounters(&client, &capability, &linked.link, &open).await?;
    if found.of_others > 0 {
        let text = format!(
            "the EHR was asked for the Encounters of {} and gave {} that are not this Patient's; they were dropped",
            linked.link.patient, found.of_others
        );
        problems.push(
            Problem::new(Severity::Error, "ehr-other-patient", text)
                .with_help("do not sync with this EHR before its administrator knows why"),
        );
    }
    unsearchable(found.is_searchable, "Encounters by their patient", &mut problems);
    for session in sessions {
        let reference = linked.reference(linked.session_item(&session.id));
        let candidates = match reference {
            Some(_) => Vec::new(),
            None => of_session(plan, session, &found.found, &linked.link),
        };
        items.push(Item {
            what: format!("session {}", session.number),
            flag: format!("--session {}=", session.number),
            date: session.start.as_ref().map(crate::date::Instant::as_str),
            linked: reference,
            candidates,
        });
    }
    let therapist = as_others_know(&linked.resources, "Practitioner");
    let reference = linked.reference(linked.practitioner_item());
    let candidates = if reference.is_some() {
        Vec::new()
    } else {
        let found = practitioners(&client, &capability, &therapist).await?;
        unsearchable(found.is_searchable, "Practitioners", &mut problems);
        found.found
    };
    let flag = "--practitioner ".to_owned();
    items.push(Item {
        what: "therapist".to_owned(),
        flag,
        date: None,
        linked: reference,
        candidates,
    });
    if let Some(organization) = plan.therapist.organization.as_deref() {
        let reference = linked.reference(linked.organization_item());
        let candidates = if reference.is_some() {
            Vec::new()
        } else {
            let found = places(&client, &capability, Some(organization)).await?;
            unsearchable(found.is_searchable, "Organizations and Locations", &mut problems);
            found.found
        };
        items.push(Item {
            what: "organization".to_owned(),
            flag: "--organization ".to_owned(),
            date: None,
            linked: reference,
            candidates,
        });
    }
    let result = object! {
        "ehr" => &linked.link.ehr,
        "patient" => linked.link.patient.to_string(),
        "items" => items.iter().map(as_data).collect::<Vec<_>>(),
    };
    let human = told(&linked, &items);
    let is_alarm = problems.iter().any(|problem| problem.severity == Severity::Error);
    let exit = if is_alarm { Exit::Partial } else { Exit::Done };
    linked.store.close().await?;
    Ok(Done::new(human, Value::Object(result)).but(exit, problems))
}

/// Whether a session was held, or waited for: then the EHR may have an Encounter.
const fn took_place(session: &Session) -> bool {
    use SessionStatus::{Completed, InProgress, NoShow};
    matches!(session.status, Completed | InProgress | NoShow)
}

fn unsearchable(is_searchable: bool, what: &str, problems: &mut Vec<Problem>) {
    if !is_searchable {
        let text =
            format!("{what} can't be searched in this EHR, or the record does not say enough");
        problems.push(
            Problem::new(Severity::Warning, "ehr-not-searchable", text)
                .with_help("look the ids up in the EHR itself"),
        );
    }
}

fn told(linked: &Linked, items: &[Item<'_>]) -> String {
    let mut told =
        format!("{} {}; nothing is linked by this\n", linked.link.ehr, linked.link.patient);
    for item in items {
        let date = item.date.map(|date| format!(", {date}")).unwrap_or_default();
        let _ = writeln!(told, "{}{date}", item.what);
        if let Some(reference) = item.linked {
            let _ = writeln!(told, "  linked to {}", reference.target);
        } else if item.candidates.is_empty() {
            told.push_str("  no candidate\n");
        }
        for candidate in &item.candidates {
            let (start, end) = &candidate.time;
            let shown = [start.as_deref(), end.as_deref(), candidate.status, candidate.class];
            let shown: Vec<&str> = shown.into_iter().flatten().collect();
            let traits: Vec<String> = candidate
                .compared
                .iter()
                .map(|(name, agreement)| format!("{name} {}", words(*agreement)))
                .collect();
            let line = format!("  {}{}  {}", item.flag, candidate.id, shown.join(" "));
            let _ = writeln!(told, "{}\n      {}", line.trim_end(), traits.join(", "));
        }
    }
    let _ = writeln!(
        told,
        "next: ipt-fhir ehr link {} RECORD with the flags that are right",
        linked.link.ehr
    );
    told
}

fn as_data(item: &Item<'_>) -> Object {
    let candidates: Vec<Object> = item
        .candidates
        .iter()
        .map(|candidate| {
            object! {
                "id" => candidate.id.to_string(),
                "start" => candidate.time.0.as_deref(),
                "end" => candidate.time.1.as_deref(),
                "status" => candidate.status,
                "class" => candidate.class,
                "compared" => as_object(&candidate.compared),
            }
        })
        .collect();
    object! {
        "what" => &item.what,
        "date" => item.date,
        "linked" => item.linked.map(|reference| reference.target.to_string()),
        "candidates" => candidates,
    }
}
