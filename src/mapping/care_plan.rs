//! The plan itself ⇄ CarePlan: title, status, categories, phases, and the order of everything it points at.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::phase::{Phase, Weeks};
use crate::ipt::plan::{Outcome, PlanStatus};
use crate::ipt::{Delivery, Format, Goal, PhaseCode, SessionRange, Variant};
use crate::json::{Number, Object, Value};
use crate::mapping::chart::Chart;
use crate::mapping::code::{self, code_in, coding, concept, own, system};
use crate::mapping::element::{
    extension, extensions, notes, number, own_extension, positive, sub_value, text, typed_note,
    ucum,
};
use crate::mapping::identity::{BASE, REVISION_SYSTEM, derived};
use crate::mapping::narrative::Narrative;
use crate::mapping::policy::Section;
use crate::mapping::writer::Writer;
use crate::mapping::{activity, clinical_impression};
use crate::object;

pub(super) fn write(writer: &mut Writer<'_>) {
    let plan = writer.plan;
    let structure = &plan.structure;
    let revision = plan.revision.map(|revision| {
        vec![object! { "system" => REVISION_SYSTEM, "value" => revision.to_string() }]
    });
    let phases: Vec<Object> = plan.phases.iter().map(phase).collect();
    let mut categories = vec![concept(coding(system::SNOMED, "734163000", "Care plan"))];
    categories.extend(structure.format.map(|format| concept(own!(format))));
    categories.extend(structure.delivery.map(|delivery| concept(own!(delivery))));
    let outcome = plan.outcome.as_ref().map(|outcome| {
        let mut note = typed_note(code::OUTCOME, &outcome.text);
        note.put("time", outcome.date.as_ref().map(PartialDate::as_str));
        note
    });
    let note = structure.note.as_ref().map(|note| typed_note(code::STRUCTURE, note));
    let goals = Goal::with_objectives(&plan.goals).map(|goal| &goal.id);
    let elements = object! {
        "extension" => phases,
        "identifier" => revision,
        "instantiatesCanonical" =>
            vec![format!("{BASE}/PlanDefinition/{}|1.0", plan.variant.code())],
        "status" => plan.status.code(),
        "intent" => "plan",
        "category" => categories,
        "title" => &plan.title,
        "subject" => writer.client(),
        "created" => plan.date.as_ref().map(PartialDate::as_str),
        "contributor" => vec![writer.therapist()],
        "careTeam" => vec![writer.reference(derived::CARE_TEAM)],
        "addresses" => writer.references(plan.diagnoses.iter().map(|diagnosis| &diagnosis.id)),
        "supportingInfo" => supporting_info(writer),
        "goal" => writer.references(goals),
        "activity" => activity::write(writer),
        "note" => vec![note, outcome],
    };
    writer.add("CarePlan", derived::CARE_PLAN, Narrative::plan(plan), elements);
}

/// What the plan rests on, in the record's order: problem areas, screening, inventory, formulation, relapse
/// prevention, consents.
fn supporting_info(writer: &Writer<'_>) -> Vec<Object> {
    let plan = writer.plan;
    let policy = &writer.options.policy;
    let mut info = writer.references(plan.focus_areas.iter().map(|focus| &focus.id));
    info.extend(writer.references(plan.ipaf.iter().map(|ipaf| &ipaf.id)));
    let told = [
        (plan.client.age.is_some(), derived::AGE),
        (plan.screening.is_some(), derived::SCREENING),
        (!plan.inventory.is_empty() && policy.allows(Section::Inventory), derived::INVENTORY),
        (clinical_impression::is_told(writer), derived::FORMULATION),
        (plan.relapse_prevention.is_some(), derived::RELAPSE_PREVENTION),
    ];
    info.extend(told.into_iter().filter(|(is, _)| *is).map(|(_, local)| writer.reference(local)));
    info.extend(writer.references(plan.consents.iter().map(|consent| &consent.id)));
    info
}

fn phase(phase: &Phase) -> Object {
    let range = phase.sessions;
    let parts = vec![
        extension("key", "valueId", &phase.id),
        extension(
            "code",
            "valueCoding",
            coding(system::PHASE, phase.code.code(), phase.code.display()),
        ),
        extension("title", "valueString", &phase.title),
        extension("firstSession", "valuePositiveInt", range.map(|range| range.first)),
        extension("lastSession", "valuePositiveInt", range.map(|range| range.last)),
        extension("weeks", "valueRange", phase.weeks.as_ref().map(weeks)),
        extension("goal", "valueString", phase.goal.as_ref()),
    ];
    object! { "url" => own_extension("ipt-phase"), "extension" => parts }
}

/// Weeks as a Range.
pub(super) fn weeks(weeks: &Weeks) -> Object {
    let side = |value: &Number| ucum(value, "wk", Some("wk"));
    object! { "low" => weeks.min.as_ref().map(side), "high" => weeks.max.as_ref().map(side) }
}

pub(super) fn read_weeks(range: &Value) -> Weeks {
    let side = |name| range.get(name).and_then(|side| number(side, "value"));
    Weeks { min: side("low"), max: side("high") }
}

/// The CarePlan's own part of the record.
pub(super) struct Frame {
    pub(super) revision: Option<u32>,
    pub(super) status: PlanStatus,
    pub(super) variant: Variant,
    pub(super) title: String,
    pub(super) date: Option<PartialDate>,
    pub(super) language: Option<String>,
    pub(super) format: Option<Format>,
    pub(super) delivery: Option<Delivery>,
    pub(super) structure_note: Option<String>,
    pub(super) outcome: Option<Outcome>,
    pub(super) phases: Vec<Phase>,
}

/// Reads the CarePlan; `None` if it lacks what every plan has.
pub(super) fn read(chart: &Chart<'_>) -> Option<Frame> {
    let care_plan = chart.care_plan();
    let canonical = care_plan.items("instantiatesCanonical").find_map(Value::as_str)?;
    let variant = canonical.rsplit('/').next()?.split('|').next()?;
    let categories =
        || care_plan.items("category").filter_map(|category| code_in(category, system::CONCEPT));
    let outcome = notes(care_plan.items("note"), Some(code::OUTCOME)).next();
    let structure_note = notes(care_plan.items("note"), Some(code::STRUCTURE)).next();
    Some(Frame {
        revision: care_plan.identifier(REVISION_SYSTEM).and_then(|text| text.parse().ok()),
        status: PlanStatus::from_code(care_plan.text("status")?)?,
        variant: Variant::from_code(variant)?,
        title: care_plan.text("title")?.to_owned(),
        date: care_plan.text("created").and_then(|text| PartialDate::parse(text).ok()),
        language: care_plan.text("language").map(str::to_owned),
        format: categories().find_map(Format::from_code),
        delivery: categories().find_map(Delivery::from_code),
        structure_note: structure_note.and_then(|note| text(note, "text")),
        outcome: outcome.and_then(|note| {
            let date = note.text("time").and_then(|text| PartialDate::parse(text).ok());
            Some(Outcome { text: text(note, "text")?, date })
        }),
        phases: read_phases(care_plan),
    })
}

fn read_phases(care_plan: &Resource) -> Vec<Phase> {
    let value = care_plan.to_value();
    let url = own_extension("ipt-phase");
    let phases = extensions(&value, &url).filter_map(|phase| {
        let words = |name| sub_value(phase, name, "valueString").and_then(Value::as_str);
        let session = |name| sub_value(phase, name, "valuePositiveInt").and_then(positive);
        let code = sub_value(phase, "code", "valueCoding")?.text("code")?;
        Some(Phase {
            id: sub_value(phase, "key", "valueId")?.as_str()?.to_owned(),
            code: PhaseCode::from_code(code)?,
            title: words("title")?.to_owned(),
            sessions: session("firstSession")
                .zip(session("lastSession"))
                .map(|(first, last)| SessionRange { first, last }),
            weeks: sub_value(phase, "weeks", "valueRange").map(read_weeks),
            goal: words("goal").map(str::to_owned),
        })
    });
    phases.collect()
}
