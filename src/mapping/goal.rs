//! Goals and objectives ⇄ Goal. An objective is a Goal of its own that its parent points at as a milestone.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::goal::{Achievement, Comparator, ExpressedBy, Goal, GoalStatus, Priority, Target};
use crate::ipt::{GoalMeasure, Instrument, Session, SessionStatus};
use crate::json::{Object, Value};
use crate::mapping::chart::Chart;
use crate::mapping::code::{
    self, back, code_in, coding, concept, hl7, instrument, instrument_of_total, own, system,
    total_measure,
};
use crate::mapping::element::{extensions, number, sub_value, text};
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::writer::Writer;
use crate::object;

const RELATIONSHIP: &str = "http://hl7.org/fhir/StructureDefinition/goal-relationship";

/// Units that we know to be UCUM's; any other is written as words only.
const UCUM_UNITS: [&str; 10] = ["1", "{score}", "%", "s", "min", "h", "d", "wk", "mo", "a"];

pub(super) fn write(writer: &mut Writer<'_>) {
    for goal in Goal::with_objectives(&writer.plan.goals) {
        write_one(writer, goal);
    }
}

fn write_one(writer: &mut Writer<'_>, goal: &Goal) {
    let milestones: Vec<Object> = goal
        .objectives
        .iter()
        .map(|objective| {
            let kind = concept(hl7("goal-relationship-type", "milestone", "Milestone"));
            let target = writer.reference(&objective.id);
            object! { "url" => RELATIONSHIP, "extension" => vec![
                object! { "url" => "type", "valueCodeableConcept" => kind },
                object! { "url" => "target", "valueReference" => target },
            ] }
        })
        .collect();
    let category = concept(hl7("goal-category", "behavioral", "Behavioral"));
    let priority = goal.priority.map(|priority| {
        concept(hl7("goal-priority", code::priority(priority), priority.display()))
    });
    // The goal's own due date is a target without a measure: Goal has no due date besides (R4 Goal.target.due).
    let due = goal.due.as_ref().map(|due| object! { "dueDate" => due.as_str() });
    let targets: Vec<Object> = due.into_iter().chain(goal.targets.iter().map(target)).collect();
    let progress: Vec<Object> = writer
        .plan
        .sessions
        .iter()
        .filter(|session| session.status != SessionStatus::EnteredInError)
        .filter(|session| session.goal_progress.iter().any(|progress| progress.goal_id == goal.id))
        .map(|session| writer.reference(&progress_local(session, &goal.id)))
        .collect();
    let elements = object! {
        "extension" => milestones,
        "lifecycleStatus" => goal.status.code(),
        "achievementStatus" => goal.achievement.map(code::achievement),
        "category" => vec![category],
        "priority" => priority,
        "description" => object! { "text" => &goal.text },
        "subject" => writer.client(),
        "startDate" => goal.start.as_ref().map(PartialDate::as_str),
        "target" => targets,
        "statusDate" => goal.achievement_date.as_ref().map(PartialDate::as_str),
        "expressedBy" => goal.expressed_by.map(|who| match who {
            ExpressedBy::Client => writer.client(),
            ExpressedBy::Therapist => writer.therapist(),
        }),
        "addresses" => writer.references(&goal.addresses),
        "note" => goal.note.as_ref().map(|note| vec![object! { "text" => note }]),
        "outcomeReference" => progress,
    };
    let words = format!("Goal: {} ({})", goal.text, goal.status.display());
    writer.add("Goal", &goal.id, Narrative::line(&words), elements);
}

/// The local name of the Observation of a goal's progress at a session.
pub(super) fn progress_local(session: &Session, goal_id: &str) -> String {
    format!("{}/{}{goal_id}", session.id, derived::PROGRESS)
}

fn target(target: &Target) -> Object {
    let words = target.text.as_ref();
    let measure = match (&target.measure, words) {
        (Some(measure), Some(words)) if measure == words => chosen_measure(measure),
        (Some(measure), _) => measure_concept(measure),
        // gol-1: a detail needs a measure; a target in words measures just what they say.
        (None, Some(words)) => object! { "text" => words },
        (None, None) => Object::new(),
    };
    let quantity = target.value.as_ref().map(|value| {
        let is_total =
            target.measure.as_deref().is_some_and(|measure| known_total(measure).is_some());
        let derived = if is_total { "{score}" } else { "1" };
        let unit = target.unit.as_deref();
        let code = unit.map_or(Some(derived), |unit| UCUM_UNITS.contains(&unit).then_some(unit));
        object! {
            "value" => value,
            "comparator" => target.comparator.map(Comparator::code),
            // Written only if the record tells it: that is how the way back knows.
            "unit" => unit,
            "system" => code.map(|_| system::UCUM),
            "code" => code,
        }
    });
    object! {
        "measure" => measure,
        "detailQuantity" => quantity,
        "detailString" => words,
        "dueDate" => target.due.as_ref().map(PartialDate::as_str),
    }
}

fn known_total(measure: &str) -> Option<Instrument> {
    Instrument::ALL.iter().copied().find(|of| total_measure(*of).as_deref() == Some(measure))
}

fn measure_concept(measure: &str) -> Object {
    if let Some((loinc, display)) = known_total(measure).and_then(|of| instrument(of).total) {
        return concept(coding(system::LOINC, loinc, display));
    }
    GoalMeasure::from_code(measure)
        .map_or_else(|| object! { "text" => measure }, |known| concept(own!(known)))
}

/// A measure that says the same as the target's words. A coding shows that the record names it: without one, it
/// stands there for gol-1 only.
fn chosen_measure(measure: &str) -> Object {
    let mut concept = measure_concept(measure);
    if concept.get("coding").is_none() {
        concept.push("coding", object! { "display" => measure, "userSelected" => true });
    }
    concept
}

fn read_measure(measure: &Value) -> Option<String> {
    if let Some(loinc) = code_in(measure, system::LOINC) {
        return instrument_of_total(loinc).and_then(total_measure);
    }
    code_in(measure, system::CONCEPT).map(str::to_owned).or_else(|| text(measure, "text"))
}

/// The goals in the order of the CarePlan, objectives under their parents.
///
/// A parent is known by its milestones; where an EHR has dropped that extension, by the identifier: `goal-2.1` is
/// an objective of `goal-2`.
pub(super) fn read(chart: &Chart<'_>) -> Vec<Goal> {
    let found = chart.in_order_of("goal", "Goal");
    let ids: Vec<&str> = found.iter().map(|(local, _)| *local).collect();
    let mut parents: Vec<(&str, &str)> = Vec::new();
    for (local, goal) in &found {
        for milestone in extensions(&goal.to_value(), RELATIONSHIP) {
            let target = sub_value(milestone, "target", "valueReference");
            if let Some(child) = target.and_then(|target| chart.local(target)) {
                parents.push((child, local));
            }
        }
    }
    for local in &ids {
        let told = parents.iter().any(|(child, _)| child == local);
        let parent = local.rsplit_once('.').map(|(parent, _)| parent).filter(|id| ids.contains(id));
        if let (false, Some(parent)) = (told, parent)
            && !chart.has_extensions()
        {
            parents.push((local, parent));
        }
    }
    let parent_of =
        |local: &str| parents.iter().find(|(child, _)| *child == local).map(|(_, parent)| *parent);
    let mut goals: Vec<Goal> = Vec::new();
    let mut objectives: Vec<(&str, &str, Goal)> = Vec::new();
    for (local, resource) in &found {
        let Some(goal) = read_one(chart, local, resource) else { continue };
        match parent_of(local) {
            Some(parent) => objectives.push((parent, local, goal)),
            None => goals.push(goal),
        }
    }
    for goal in &mut goals {
        let order = |local: &str| parents.iter().position(|(child, _)| *child == local);
        let mut own: Vec<(Option<usize>, Goal)> = Vec::new();
        objectives.retain(|(parent, local, objective)| {
            let mine = *parent == goal.id;
            if mine {
                own.push((order(local), objective.clone()));
            }
            !mine
        });
        own.sort_by_key(|(order, _)| *order);
        goal.objectives = own.into_iter().map(|(_, objective)| objective).collect();
    }
    // An objective whose parent can't be read is still a goal; nothing is lost.
    goals.extend(objectives.into_iter().map(|(_, _, goal)| goal));
    goals
}

fn read_one(chart: &Chart<'_>, local: &str, goal: &Resource) -> Option<Goal> {
    let date = |name| goal.text(name).and_then(|text| PartialDate::parse(text).ok());
    let first_code = |name| goal.get(name)?.items("coding").next()?.text("code");
    let is_due_only = |target: &&Value| {
        ["measure", "detailQuantity", "detailString"].iter().all(|name| target.get(name).is_none())
    };
    let due = goal.items("target").find(is_due_only).and_then(|target| target.text("dueDate"));
    Some(Goal {
        id: local.to_owned(),
        text: text(goal.get("description")?, "text")?,
        status: GoalStatus::from_code(goal.text("lifecycleStatus")?)?,
        achievement: first_code("achievementStatus").and_then(Achievement::from_code),
        achievement_date: date("statusDate"),
        priority: first_code("priority")
            .and_then(|given| back(Priority::ALL, code::priority, given)),
        start: date("startDate"),
        due: due.and_then(|text| PartialDate::parse(text).ok()),
        expressed_by: goal.get("expressedBy").and_then(|who| match chart.type_of(who)? {
            "Patient" => Some(ExpressedBy::Client),
            "Practitioner" => Some(ExpressedBy::Therapist),
            _ => None,
        }),
        addresses: goal
            .items("addresses")
            .filter_map(|reference| chart.local(reference))
            .map(str::to_owned)
            .collect(),
        targets: goal
            .items("target")
            .filter(|target| !is_due_only(target))
            .map(read_target)
            .collect(),
        objectives: Vec::new(),
        note: goal.items("note").next().and_then(|note| text(note, "text")),
    })
}

fn read_target(target: &Value) -> Target {
    let quantity = target.get("detailQuantity");
    let words = text(target, "detailString");
    let measure = target.get("measure");
    let is_coded = measure.is_some_and(|measure| measure.items("coding").next().is_some());
    let measure = measure.and_then(read_measure);
    Target {
        measure: measure.filter(|measure| is_coded || Some(measure) != words.as_ref()),
        value: quantity.and_then(|quantity| number(quantity, "value")),
        text: words,
        comparator: quantity
            .and_then(|quantity| quantity.text("comparator"))
            .and_then(Comparator::from_code),
        unit: quantity.and_then(|quantity| text(quantity, "unit")),
        due: target.text("dueDate").and_then(|text| PartialDate::parse(text).ok()),
    }
}
