//! What is left of a record when an EHR drops our extensions, or all of them (mapping.md 5.5).

use ipt_fhir::fhir::{Bundle, Resource};
use ipt_fhir::ipt::{Goal, Plan};
use ipt_fhir::json::Value;
use ipt_fhir::mapping::identity::BASE;
use ipt_fhir::mapping::{self, Policy};

use crate::mapping::options;
use crate::support::record;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dropped {
    Ours,
    All,
}

fn strip(value: &mut Value, dropped: Dropped) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(extensions)) = object.get_mut("extension") {
                let is_ours = |extension: &Value| {
                    extension.text("url").is_some_and(|url| url.starts_with(BASE))
                };
                extensions.retain(|extension| dropped == Dropped::Ours && !is_ours(extension));
                if extensions.is_empty() {
                    object.remove("extension");
                }
            }
            object.iter_mut().for_each(|(_, value)| strip(value, dropped));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, dropped)),
        _ => {}
    }
}

/// The plan, and what is read of its full Bundle after extensions were dropped.
fn stripped(name: &str, dropped: Dropped) -> (Plan, Plan) {
    let plan = record(name).plan;
    let mut bundle =
        mapping::to_fhir(&plan, &options(Policy::full())).into_collection().into_value();
    strip(&mut bundle, dropped);
    let ours = bundle.to_text().contains("StructureDefinition/ipt-");
    assert!(!ours, "our extensions are gone");
    let bundle = Bundle::from_resource(Resource::from_value(bundle).unwrap()).unwrap();
    let read = mapping::from_fhir(&bundle, None).unwrap().plan;
    (plan, read)
}

/// How many of the left the right has as well, in order; and how many there are.
fn same<T: PartialEq>(left: &[T], right: &[T]) -> (usize, usize) {
    (left.iter().zip(right).filter(|(left, right)| left == right).count(), left.len())
}

fn texts(plan: &Plan) -> Vec<String> {
    Goal::with_objectives(&plan.goals).map(|goal| goal.text.clone()).collect()
}

/// Each objective with its parent.
fn parents(plan: &Plan) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for goal in &plan.goals {
        all.extend(goal.objectives.iter().map(|part| (part.id.clone(), goal.id.clone())));
    }
    all
}

/// What activities and interventions say in words.
fn descriptions(plan: &Plan) -> Vec<String> {
    let activities = plan.activities.iter().filter_map(|activity| activity.description.clone());
    let interventions = plan.interventions.iter().filter_map(|given| given.description.clone());
    activities.chain(interventions).chain(plan.monitoring.iter().cloned()).collect()
}

fn titles(plan: &Plan) -> Vec<String> {
    let activities = plan.activities.iter().map(|activity| activity.title.clone());
    activities.chain(plan.interventions.iter().map(|given| given.label.clone())).collect()
}

/// The first technique of each activity, and that of each intervention.
fn first_techniques(plan: &Plan) -> Vec<Option<&'static str>> {
    let activities = plan.activities.iter().map(|activity| activity.techniques.first().copied());
    let all = activities.chain(plan.interventions.iter().map(|given| given.code));
    all.map(|technique| technique.map(ipt_fhir::ipt::Technique::code)).collect()
}

#[test]
fn without_our_extensions_the_plan_of_john_lee_is_still_there() {
    for dropped in [Dropped::Ours, Dropped::All] {
        for name in ["john-lee.json", "john-lee-in-treatment.json"] {
            let (plan, read) = stripped(name, dropped);
            let what = format!("{name}, {dropped:?}");
            assert_eq!(same(&texts(&plan), &texts(&read)), (11, 11), "goals: {what}");
            assert_eq!(same(&parents(&plan), &parents(&read)), (7, 7), "objectives: {what}");
            assert_eq!(
                same(&descriptions(&plan), &descriptions(&read)),
                (21, 21),
                "descriptions: {what}"
            );
            assert_eq!(same(&titles(&plan), &titles(&read)), (18, 18), "titles: {what}");
            assert_eq!(
                same(&first_techniques(&plan), &first_techniques(&read)),
                (18, 18),
                "techniques: {what}"
            );
            let ranges = |plan: &Plan| -> Vec<_> {
                plan.activities.iter().map(|activity| activity.sessions).collect()
            };
            assert_eq!(same(&ranges(&plan), &ranges(&read)), (12, 12), "ranges: {what}");
            let served = |plan: &Plan| -> Vec<Vec<String>> {
                let all = plan.activities.iter().map(|activity| activity.goal_ids.clone());
                all.filter(|goals| !goals.is_empty()).collect()
            };
            assert_eq!(same(&served(&plan), &served(&read)), (6, 6), "goals served: {what}");
            assert_eq!(plan.structure.frequency, read.structure.frequency, "{what}");
            assert_eq!(plan.structure.session_length, read.structure.session_length, "{what}");
            assert_eq!(plan.structure.sessions, read.structure.sessions, "{what}");
            assert_eq!(plan.structure.weeks, read.structure.weeks, "{what}");
            assert!(plan.structure.frequency.is_some() && plan.structure.sessions.is_some());
        }
    }
}

#[test]
fn without_our_extensions_sessions_keep_their_numbers() {
    for name in ["john-lee-in-treatment.json", "course-16-sessions.json"] {
        for dropped in [Dropped::Ours, Dropped::All] {
            let (plan, read) = stripped(name, dropped);
            let told = |plan: &Plan| -> Vec<_> {
                let all = plan.sessions.iter().map(|session| {
                    (session.id.clone(), session.number, session.status, session.start.clone())
                });
                all.collect()
            };
            assert!(!plan.sessions.is_empty(), "{name}");
            assert_eq!(told(&plan), told(&read), "{name}, {dropped:?}");
        }
    }
}

#[test]
fn with_our_extensions_gone_what_is_lost_is_what_only_they_held() {
    let (plan, read) = stripped("john-lee.json", Dropped::All);
    assert_eq!(plan.phases.len(), 3);
    assert!(read.phases.is_empty(), "phases stand in an extension only");
    let second =
        |plan: &Plan| plan.activities.iter().filter(|one| one.techniques.len() > 1).count();
    assert!(second(&plan) > 0);
    assert_eq!(second(&read), 0, "of several techniques the first is left");
}
