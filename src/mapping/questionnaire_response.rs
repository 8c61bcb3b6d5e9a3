//! Screening, interpersonal inventory and relapse prevention ⇄ QuestionnaireResponse.

use crate::ipt::inventory::{RelationStatus, Relationship};
use crate::ipt::plan::{Exclusion, Maintenance, RelapsePrevention, Screening, ScreeningResult};
use crate::json::{Object, Value};
use crate::mapping::care_team::read_role_code;
use crate::mapping::chart::Chart;
use crate::mapping::code::{coding, system};
use crate::mapping::identity::{BASE, derived};
use crate::mapping::narrative::Narrative;
use crate::mapping::policy::Section;
use crate::mapping::writer::Writer;
use crate::object;

/// An item with answers; nothing where there is none.
fn answers(
    link: &str,
    kind: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Option<Object> {
    let answers: Vec<Object> = values
        .into_iter()
        .map(|value| {
            let mut answer = Object::new();
            answer.insert(kind, value);
            answer
        })
        .collect();
    (!answers.is_empty()).then(|| object! { "linkId" => link, "answer" => answers })
}

fn strings<'a>(link: &str, texts: impl IntoIterator<Item = &'a String>) -> Option<Object> {
    answers(link, "valueString", texts.into_iter().map(|text| Value::String(text.clone())))
}

fn word(link: &str, code: Option<&str>) -> Option<Object> {
    answers(link, "valueString", code.map(|code| Value::String(code.to_owned())))
}

fn boolean(link: &str, value: Option<bool>) -> Option<Object> {
    answers(link, "valueBoolean", value.map(Value::Bool))
}

fn group(link: &str, items: Vec<Option<Object>>) -> Object {
    object! { "linkId" => link, "item" => items }
}

fn respond(
    writer: &mut Writer<'_>,
    local: &str,
    questionnaire: &str,
    title: &str,
    items: Vec<Option<Object>>,
) {
    let elements = object! {
        "questionnaire" => format!("{BASE}/Questionnaire/{questionnaire}|1.0"),
        "status" => writer.status("in-progress", "completed"),
        "subject" => writer.client(),
        "author" => writer.therapist(),
        "item" => items,
    };
    writer.add("QuestionnaireResponse", local, Narrative::line(title), elements);
}

/// The value of the first answer of an item.
fn answer<'a>(parent: &'a Value, link: &str, kind: &str) -> Option<&'a Value> {
    item(parent, link)?.items("answer").next()?.get(kind)
}

fn answer_text(parent: &Value, link: &str) -> Option<String> {
    answer(parent, link, "valueString").and_then(Value::as_str).map(str::to_owned)
}

fn answer_texts(parent: &Value, link: &str) -> Vec<String> {
    let answers = item(parent, link).into_iter().flat_map(|item| item.items("answer"));
    answers.filter_map(|answer| answer.text("valueString")).map(str::to_owned).collect()
}

fn item<'a>(parent: &'a Value, link: &str) -> Option<&'a Value> {
    parent.items("item").find(|item| item.text("linkId") == Some(link))
}

fn groups<'a>(parent: &'a Value, link: &'a str) -> impl Iterator<Item = &'a Value> {
    parent.items("item").filter(move |item| item.text("linkId") == Some(link))
}

pub(super) fn write_screening(writer: &mut Writer<'_>) {
    let Some(screening) = &writer.plan.screening else { return };
    let mut items = vec![word("result", screening.result.map(ScreeningResult::code))];
    items.extend(screening.exclusions.iter().map(|exclusion| {
        Some(group(
            "exclusion",
            vec![
                strings("exclusion.code", [&exclusion.code]),
                boolean("exclusion.present", Some(exclusion.present)),
                strings("exclusion.note", &exclusion.note),
            ],
        ))
    }));
    items.push(strings("text", &screening.text));
    respond(writer, derived::SCREENING, "ipt-suitability", "Suitability for the therapy", items);
}

pub(super) fn read_screening(chart: &Chart<'_>) -> Option<Screening> {
    let response = chart.find("QuestionnaireResponse", derived::SCREENING)?.to_value();
    let exclusions = groups(&response, "exclusion").filter_map(|exclusion| {
        Some(Exclusion {
            code: answer_text(exclusion, "exclusion.code")?,
            present: answer(exclusion, "exclusion.present", "valueBoolean")?.as_bool()?,
            note: answer_text(exclusion, "exclusion.note"),
        })
    });
    Some(Screening {
        result: answer_text(&response, "result").and_then(|code| ScreeningResult::from_code(&code)),
        exclusions: exclusions.collect(),
        text: answer_text(&response, "text"),
    })
}

pub(super) fn write_inventory(writer: &mut Writer<'_>) {
    // The filter leaves those who take part in the record where only related persons are granted.
    if writer.plan.inventory.is_empty() || !writer.options.policy.allows(Section::Inventory) {
        return;
    }
    let items =
        writer.plan.inventory.iter().map(|person| Some(group("person", person_items(person))));
    let items = items.collect();
    let title = "Interpersonal inventory";
    respond(writer, derived::INVENTORY, "ipt-interpersonal-inventory", title, items);
}

fn person_items(person: &Relationship) -> Vec<Option<Object>> {
    let role = person
        .relationship
        .map(|role| Value::Object(coding(system::ROLE_CODE, role.code(), role.display())));
    vec![
        strings("person.key", [&person.id]),
        strings("person.label", [&person.label]),
        answers("person.relationship", "valueCoding", role),
        strings("person.relationship-text", &person.relationship_text),
        word("person.status", person.status.map(RelationStatus::code)),
        strings("person.communication-style", &person.communication_style),
        strings("person.disputes", &person.disputes),
        strings("person.losses", &person.losses),
        strings("person.role-changes", &person.role_changes),
        strings("person.support", &person.support),
        strings("person.expectations", &person.expectations),
        strings("person.patterns", &person.patterns),
        strings("person.intimacy", &person.intimacy),
        boolean("person.participates", person.participates),
        strings("person.sensitivity", &person.sensitivity),
    ]
}

pub(super) fn read_inventory(chart: &Chart<'_>) -> Vec<Relationship> {
    let Some(response) = chart.find("QuestionnaireResponse", derived::INVENTORY) else {
        return Vec::new();
    };
    groups(&response.to_value(), "person").filter_map(read_person).collect()
}

fn read_person(person: &Value) -> Option<Relationship> {
    Some(Relationship {
        id: answer_text(person, "person.key")?,
        label: answer_text(person, "person.label")?,
        relationship: answer(person, "person.relationship", "valueCoding").and_then(read_role_code),
        relationship_text: answer_text(person, "person.relationship-text"),
        status: answer_text(person, "person.status")
            .and_then(|code| RelationStatus::from_code(&code)),
        communication_style: answer_text(person, "person.communication-style"),
        disputes: answer_texts(person, "person.disputes"),
        losses: answer_texts(person, "person.losses"),
        role_changes: answer_texts(person, "person.role-changes"),
        support: answer_text(person, "person.support"),
        expectations: answer_text(person, "person.expectations"),
        patterns: answer_text(person, "person.patterns"),
        intimacy: answer_text(person, "person.intimacy"),
        participates: answer(person, "person.participates", "valueBoolean")
            .and_then(Value::as_bool),
        sensitivity: answer_text(person, "person.sensitivity"),
    })
}

pub(super) fn write_relapse_prevention(writer: &mut Writer<'_>) {
    let Some(plan) = &writer.plan.relapse_prevention else { return };
    let maintenance = plan.maintenance.as_ref().map(|maintenance| {
        group(
            "maintenance",
            vec![
                boolean("maintenance.offered", Some(maintenance.offered)),
                strings("maintenance.frequency", &maintenance.frequency),
                strings("maintenance.text", &maintenance.text),
            ],
        )
    });
    let items = vec![
        strings("warning-signs", &plan.warning_signs),
        strings("support-network", &plan.support_network),
        strings("strategies", &plan.strategies),
        strings("skills", &plan.skills),
        strings("text", &plan.text),
        maintenance,
    ];
    let (local, title) = (derived::RELAPSE_PREVENTION, "Relapse prevention plan");
    respond(writer, local, "ipt-relapse-prevention-plan", title, items);
}

pub(super) fn read_relapse_prevention(chart: &Chart<'_>) -> Option<RelapsePrevention> {
    let response = chart.find("QuestionnaireResponse", derived::RELAPSE_PREVENTION)?.to_value();
    let maintenance = item(&response, "maintenance").and_then(|group| {
        Some(Maintenance {
            offered: answer(group, "maintenance.offered", "valueBoolean")?.as_bool()?,
            frequency: answer_text(group, "maintenance.frequency"),
            text: answer_text(group, "maintenance.text"),
        })
    });
    Some(RelapsePrevention {
        warning_signs: answer_texts(&response, "warning-signs"),
        support_network: answer_texts(&response, "support-network"),
        strategies: answer_texts(&response, "strategies"),
        skills: answer_texts(&response, "skills"),
        text: answer_text(&response, "text"),
        maintenance,
    })
}
