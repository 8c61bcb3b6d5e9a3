//! Structure, activities, interventions, monitoring, measures and review ⇄ CarePlan.activity, detail style.
//!
//! One extension says what an entry is (`role`) and keeps what `detail` has no element for. Everything that plain
//! FHIR can carry is written plainly as well: an EHR that drops our extension still has titles, descriptions,
//! goals, the first technique and the sessions in words.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::measure::Measure;
use crate::ipt::phase::{Duration, Frequency, SessionCount, Structure, TimeUnit};
use crate::ipt::plan::{PlanStatus, Review};
use crate::ipt::{
    Activity, Instrument, Intervention, Session, SessionRange, SessionStatus, Technique,
};
use crate::json::{Object, Value};
use crate::mapping::care_plan::{read_weeks, weeks};
use crate::mapping::chart::Chart;
use crate::mapping::code::{code_in, coding, instrument, own, system, therapy};
use crate::mapping::element::{
    extension, extensions, number, own_extension, positive, sub_value, sub_values, text,
};
use crate::mapping::session;
use crate::mapping::writer::Writer;
use crate::object;

const TITLE: &str = "http://hl7.org/fhir/StructureDefinition/careplan-activity-title";
const MONITORING: &str = "Progress monitoring";
const REVIEW: &str = "Review of the plan";

pub(super) fn write(writer: &Writer<'_>) -> Vec<Object> {
    let plan = writer.plan;
    let mut all = vec![course(writer)];
    all.extend(plan.activities.iter().map(|activity| session_activity(writer, activity)));
    all.extend(plan.interventions.iter().map(|given| intervention(writer, given)));
    all.extend(plan.monitoring.iter().map(|text| monitoring(writer, text)));
    all.extend(plan.measures.iter().map(|given| measure(writer, given)));
    all.extend(plan.review.as_ref().map(|given| review(writer, given)));
    all
}

/// The frame that all entries share.
fn entry(
    role: &str,
    title: &str,
    more: Vec<Option<Object>>,
    outcome: Vec<Object>,
    code: Vec<Object>,
    detail: Object,
) -> Object {
    let mut parts = vec![extension("role", "valueCode", role)];
    parts.extend(more);
    let mut all = object! {
        "kind" => "ServiceRequest",
        "code" => object! { "coding" => code, "text" => title },
    };
    for (name, value) in detail.into_members() {
        all.insert(name, value);
    }
    object! {
        "extension" => vec![
            Some(object! { "url" => own_extension("ipt-activity"), "extension" => parts }),
            extension(TITLE, "valueString", title),
        ],
        "outcomeReference" => outcome,
        "detail" => all,
    }
}

/// The status of what runs as long as the plan does (R4 care-plan-activity-status).
fn running(writer: &Writer<'_>) -> &'static str {
    match writer.plan.status {
        PlanStatus::Draft => "not-started",
        PlanStatus::Active => {
            let begun = writer.plan.sessions.iter().any(|session| {
                matches!(session.status, SessionStatus::Completed | SessionStatus::InProgress)
            });
            if begun { "in-progress" } else { "not-started" }
        }
        PlanStatus::OnHold => "on-hold",
        PlanStatus::Completed => "completed",
        PlanStatus::Revoked => "stopped",
        PlanStatus::EnteredInError => "entered-in-error",
    }
}

/// The status of an activity, computed from the sessions that were held and never stored twice. That its sessions are
/// over does not make it done: then it is not known.
fn activity_status(writer: &Writer<'_>, activity: &Activity) -> &'static str {
    let is_held = |session: &&Session| {
        matches!(session.status, SessionStatus::Completed | SessionStatus::InProgress)
    };
    let held = || writer.plan.sessions.iter().filter(is_held);
    let is_done = held().any(|session| session.activity_ids.contains(&activity.id));
    let last = held().map(|session| session.number).max().unwrap_or_default();
    let is_over = activity.sessions.is_some_and(|range| last > range.last);
    let is_reached = activity.sessions.is_some_and(|range| last >= range.first);
    match (writer.plan.status, is_done) {
        (PlanStatus::EnteredInError, _) => "entered-in-error",
        (PlanStatus::Draft, false) => "not-started",
        (PlanStatus::Draft | PlanStatus::Active, true) if !is_over => "in-progress",
        (_, true) => "completed",
        (PlanStatus::Completed, false) => "unknown",
        (PlanStatus::Active, false) if is_over => "unknown",
        (PlanStatus::Active, false) if is_reached => "in-progress",
        (PlanStatus::OnHold, false) if is_reached => "on-hold",
        (PlanStatus::Revoked, false) if is_reached => "stopped",
        (PlanStatus::Revoked, false) => "cancelled",
        (PlanStatus::Active | PlanStatus::OnHold, false) => "not-started",
    }
}

fn frequency(frequency: &Frequency) -> Object {
    object! {
        "frequency" => frequency.count,
        "period" => &frequency.period,
        "periodUnit" => frequency.unit.code(),
    }
}

/// The course as a whole: how often, how long, how many sessions; what was held; and the order of all sessions.
fn course(writer: &Writer<'_>) -> Object {
    let plan = writer.plan;
    let structure = &plan.structure;
    let mut repeat = object! {
        "boundsRange" => structure.weeks.as_ref().map(weeks),
        "count" => structure.sessions.as_ref().map(|sessions| sessions.min),
        "countMax" => structure.sessions.as_ref().map(|sessions| sessions.max),
        "duration" => structure.session_length.as_ref().map(|length| &length.value),
        "durationUnit" => structure.session_length.as_ref().map(|length| length.unit.code()),
    };
    if let Some(given) = &structure.frequency {
        for (name, value) in frequency(given).into_members() {
            repeat.insert(name, value);
        }
    }
    let order =
        plan.sessions.iter().map(|given| extension("session", "valueId", &given.id)).collect();
    let title = format!("{} course", plan.variant.display());
    let codes = vec![therapy(plan.variant, &writer.options.psychotherapy), own!(plan.variant)];
    let timing = if repeat.is_empty() {
        Object::new()
    } else {
        object! { "repeat" => repeat }
    };
    let detail = object! { "status" => running(writer), "scheduledTiming" => timing };
    entry("course", &title, order, outcome(writer, |_| true), codes, detail)
}

/// The Encounters of sessions that were begun and not noted by mistake.
fn outcome(writer: &Writer<'_>, which: impl Fn(&Session) -> bool) -> Vec<Object> {
    let begun = writer
        .plan
        .sessions
        .iter()
        .filter(|session| session.status != SessionStatus::EnteredInError && which(session));
    begun.filter_map(|session| session::encounter(writer, session)).collect()
}

/// The ids of the sessions in the record's order, as the course's entry keeps them.
pub(super) fn session_order<'a>(chart: &Chart<'a>) -> Vec<&'a str> {
    let url = own_extension("ipt-activity");
    let care_plan: &'a Resource = chart.care_plan();
    let entries = care_plan.items("activity");
    let own = entries.flat_map(|entry| entry.items("extension"));
    own.filter(|extension| extension.text("url") == Some(url.as_str()))
        .flat_map(|extension| extension.items("extension"))
        .filter(|part| part.text("url") == Some("session"))
        .filter_map(|part| part.text("valueId"))
        .collect()
}

fn technique(technique: Technique) -> Object {
    coding(system::TECHNIQUE, technique.code(), technique.display())
}

fn session_activity(writer: &Writer<'_>, activity: &Activity) -> Object {
    let range = activity.sessions;
    let mut more = vec![
        extension("key", "valueId", &activity.id),
        extension("phase", "valueId", activity.phase_id.as_ref()),
        extension("firstSession", "valuePositiveInt", range.map(|range| range.first)),
        extension("lastSession", "valuePositiveInt", range.map(|range| range.last)),
        extension("condition", "valueString", activity.conditional.as_ref()),
    ];
    more.extend(
        activity
            .techniques
            .iter()
            .map(|given| extension("technique", "valueCoding", technique(*given))),
    );
    let outcome = outcome(writer, |session| session.activity_ids.contains(&activity.id));
    let codes = activity.techniques.first().map(|first| technique(*first)).into_iter().collect();
    let detail = object! {
        "goal" => writer.references(&activity.goal_ids),
        "status" => activity_status(writer, activity),
        "scheduledString" => range.map(SessionRange::in_words),
        "description" => activity.description.as_ref(),
    };
    entry("session", &activity.title, more, outcome, codes, detail)
}

fn intervention(writer: &Writer<'_>, intervention: &Intervention) -> Object {
    let more = vec![extension("key", "valueId", &intervention.id)];
    let codes = intervention.code.map(technique).into_iter().collect();
    let detail = object! {
        "status" => running(writer),
        "description" => intervention.description.as_ref(),
    };
    entry("intervention", &intervention.label, more, vec![], codes, detail)
}

fn monitoring(writer: &Writer<'_>, text: &str) -> Object {
    let detail = object! { "status" => running(writer), "description" => text };
    entry("monitoring", MONITORING, vec![], vec![], vec![], detail)
}

fn measure(writer: &Writer<'_>, measure: &Measure) -> Object {
    let panel = instrument(measure.instrument).panel;
    let panel = panel.map(|(code, display)| coding(system::LOINC, code, display));
    let codes = panel.into_iter().chain([own!(measure.instrument)]).collect();
    let timing = measure.frequency.as_ref().map(|given| object! { "repeat" => frequency(given) });
    let detail = object! { "status" => running(writer), "scheduledTiming" => timing };
    entry("measure", measure.instrument.display(), vec![], vec![], codes, detail)
}

fn review(writer: &Writer<'_>, review: &Review) -> Object {
    let detail = object! {
        "status" => running(writer),
        "scheduledPeriod" => object! { "start" => review.next.as_str() },
    };
    entry("review", REVIEW, vec![], vec![], vec![], detail)
}

/// What the activities of a CarePlan tell.
#[derive(Default)]
pub(super) struct Activities {
    pub(super) structure: Structure,
    pub(super) planned: Vec<Activity>,
    pub(super) interventions: Vec<Intervention>,
    pub(super) monitoring: Vec<String>,
    pub(super) measures: Vec<Measure>,
    pub(super) review: Option<Review>,
}

pub(super) fn read(chart: &Chart<'_>) -> Activities {
    let mut found = Activities::default();
    let care_plan: &Resource = chart.care_plan();
    let url = own_extension("ipt-activity");
    for (index, activity) in care_plan.items("activity").enumerate() {
        let own = extensions(activity, &url).next();
        let Some(detail) = activity.get("detail") else { continue };
        let role = own.and_then(|own| sub_value(own, "role", "valueCode")).and_then(Value::as_str);
        match role.unwrap_or_else(|| guess_role(index, detail)) {
            "course" => read_course(detail, &mut found.structure),
            "session" => found.planned.extend(read_session_activity(chart, index, own, detail)),
            "intervention" => found.interventions.extend(read_intervention(index, own, detail)),
            "monitoring" => found.monitoring.extend(text(detail, "description")),
            "measure" => found.measures.extend(read_measure(detail)),
            "review" => {
                let start = detail.get("scheduledPeriod").and_then(|period| period.text("start"));
                let next = start.and_then(|text| PartialDate::parse(text).ok());
                found.review = next.map(|next| Review { next });
            }
            _ => {}
        }
    }
    found
}

/// What an entry must be whose extension an EHR has dropped.
fn guess_role(index: usize, detail: &Value) -> &'static str {
    let title = detail.get("code").and_then(|code| code.text("text"));
    let codes = detail.get("code");
    let is_measure =
        codes.and_then(|code| code_in(code, system::CONCEPT)).and_then(Instrument::from_code);
    if detail.get("scheduledPeriod").is_some() {
        "review"
    } else if detail.text("scheduledString").and_then(SessionRange::from_words).is_some() {
        "session"
    } else if is_measure.is_some() {
        "measure"
    } else if index == 0 {
        "course"
    } else if title == Some(MONITORING) {
        "monitoring"
    } else {
        "intervention"
    }
}

fn read_unit(repeat: &Value, name: &str) -> Option<TimeUnit> {
    repeat.text(name).and_then(TimeUnit::from_code)
}

fn read_frequency(repeat: &Value) -> Option<Frequency> {
    Some(Frequency {
        count: repeat.get("frequency").and_then(positive)?,
        period: number(repeat, "period")?,
        unit: read_unit(repeat, "periodUnit")?,
    })
}

fn read_course(detail: &Value, structure: &mut Structure) {
    let Some(repeat) = detail.get("scheduledTiming").and_then(|timing| timing.get("repeat")) else {
        return;
    };
    structure.frequency = read_frequency(repeat);
    structure.session_length = number(repeat, "duration")
        .zip(read_unit(repeat, "durationUnit"))
        .map(|(value, unit)| Duration { value, unit });
    let count = |name| repeat.get(name).and_then(positive);
    structure.sessions =
        count("count").zip(count("countMax")).map(|(min, max)| SessionCount { min, max });
    structure.weeks = repeat.get("boundsRange").map(read_weeks);
}

/// The key of an entry; where it was dropped, one that its place gives.
fn key(index: usize, own: Option<&Value>) -> String {
    let key = own.and_then(|own| sub_value(own, "key", "valueId")).and_then(Value::as_str);
    key.map_or_else(|| format!("activity-{index}"), str::to_owned)
}

fn read_session_activity(
    chart: &Chart<'_>,
    index: usize,
    own: Option<&Value>,
    detail: &Value,
) -> Option<Activity> {
    let code = detail.get("code")?;
    let session = |name| sub_value(own?, name, "valuePositiveInt").and_then(positive);
    let range = session("firstSession")
        .zip(session("lastSession"))
        .map(|(first, last)| SessionRange { first, last });
    let words = || detail.text("scheduledString").and_then(SessionRange::from_words);
    let mut techniques: Vec<Technique> = own
        .into_iter()
        .flat_map(|own| sub_values(own, "technique", "valueCoding"))
        .filter_map(|coding| Technique::from_code(coding.text("code")?))
        .collect();
    if own.is_none() {
        techniques.extend(code_in(code, system::TECHNIQUE).and_then(Technique::from_code));
    }
    let value = |name, kind| sub_value(own?, name, kind).and_then(Value::as_str).map(str::to_owned);
    Some(Activity {
        id: key(index, own),
        phase_id: value("phase", "valueId"),
        sessions: range.or_else(words),
        title: text(code, "text")?,
        description: text(detail, "description"),
        techniques,
        goal_ids: detail
            .items("goal")
            .filter_map(|goal| chart.local(goal))
            .map(str::to_owned)
            .collect(),
        conditional: value("condition", "valueString"),
    })
}

fn read_intervention(index: usize, own: Option<&Value>, detail: &Value) -> Option<Intervention> {
    let code = detail.get("code")?;
    Some(Intervention {
        id: key(index, own),
        code: code_in(code, system::TECHNIQUE).and_then(Technique::from_code),
        label: text(code, "text")?,
        description: text(detail, "description"),
    })
}

fn read_measure(detail: &Value) -> Option<Measure> {
    let code = code_in(detail.get("code")?, system::CONCEPT)?;
    let repeat = detail.get("scheduledTiming").and_then(|timing| timing.get("repeat"));
    Some(Measure {
        instrument: Instrument::from_code(code)?,
        frequency: repeat.and_then(read_frequency),
    })
}
