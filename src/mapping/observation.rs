//! Problem areas and the interpersonal affective focus ⇄ Observation.
//!
//! An Observation and not a Condition: a problem area is what a therapy works on, and does not belong into a
//! hospital's problem list.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::plan::Coding;
use crate::ipt::{FocusArea, FocusCode, Ipaf, Rank};
use crate::json::{Object, Value};
use crate::mapping::chart::Chart;
use crate::mapping::code::{self, code_in, coding, own, snomed_of_focus, system};
use crate::mapping::element::{read_coding, text};
use crate::mapping::narrative::Narrative;
use crate::mapping::writer::Writer;
use crate::object;

pub(super) fn write_focus_areas(writer: &mut Writer<'_>) {
    for focus in &writer.plan.focus_areas {
        write_focus(writer, focus);
    }
}

fn write_focus(writer: &mut Writer<'_>, focus: &FocusArea) {
    let (snomed, display) = snomed_of_focus(focus.code);
    let mut codings = vec![
        coding(system::FOCUS_AREA, focus.code.code(), focus.code.display()),
        coding(system::SNOMED, snomed, display),
    ];
    // What the therapist chose is marked, so that it is not mistaken for what we add.
    codings.extend(focus.codings.iter().map(|given| {
        let mut chosen =
            coding(&given.system, &given.code, given.display.as_deref().unwrap_or_default());
        chosen.put("userSelected", true);
        chosen
    }));
    let rank = focus.rank.map(|rank| {
        object! {
            "code" => code::FOCUS_RANK.concept(),
            "valueCodeableConcept" => code::concept(own!(rank)),
        }
    });
    let relationships = focus
        .relationship_ids
        .iter()
        .map(|id| Some(object! { "code" => code::RELATIONSHIP.concept(), "valueString" => id }));
    let components: Vec<Option<Object>> = std::iter::once(rank).chain(relationships).collect();
    let description = focus.description.as_ref();
    let elements = object! {
        "status" => writer.status("preliminary", "final"),
        "code" => code::FOCUS_AREA.concept(),
        "subject" => writer.client(),
        "effectiveDateTime" => writer.plan.date.as_ref().map(PartialDate::as_str),
        "performer" => vec![writer.therapist()],
        "valueCodeableConcept" => object! { "coding" => codings, "text" => &focus.label },
        "note" => description.map(|text| vec![object! { "text" => text }]),
        "component" => components,
    };
    let words = format!("Problem area: {} ({})", focus.label, focus.code.display());
    writer.add("Observation", &focus.id, Narrative::line(&words), elements);
}

pub(super) fn write_ipaf(writer: &mut Writer<'_>) {
    let Some(ipaf) = &writer.plan.ipaf else { return };
    let component = |concept: code::Concept, text: &Option<String>| {
        text.as_ref().map(|text| object! { "code" => concept.concept(), "valueString" => text })
    };
    let elements = object! {
        "status" => writer.status("preliminary", "final"),
        "code" => code::IPAF.concept(),
        "subject" => writer.client(),
        "effectiveDateTime" => writer.plan.date.as_ref().map(PartialDate::as_str),
        "performer" => vec![writer.therapist()],
        "valueString" => &ipaf.statement,
        "component" => vec![
            component(code::EXPERIENCE, &ipaf.experience),
            component(code::EXPECTATION, &ipaf.expectation),
            component(code::RESPONSE, &ipaf.response),
        ],
    };
    let words = format!("Interpersonal affective focus: {}", ipaf.statement);
    writer.add("Observation", &ipaf.id, Narrative::line(&words), elements);
}

/// Whether an Observation is of one of our kinds.
pub(super) fn is(observation: &Resource, kind: code::Concept) -> bool {
    let found = observation.get("code").and_then(|code| code_in(code, system::CONCEPT));
    found == Some(kind.code)
}

/// The problem areas in the order of the CarePlan.
pub(super) fn read_focus_areas(chart: &Chart<'_>) -> Vec<FocusArea> {
    chart
        .in_order_of("supportingInfo", "Observation")
        .into_iter()
        .filter(|(_, observation)| is(observation, code::FOCUS_AREA))
        .filter_map(|(local, observation)| read_focus(local, observation))
        .collect()
}

fn read_focus(local: &str, observation: &Resource) -> Option<FocusArea> {
    let value = observation.get("valueCodeableConcept")?;
    let components = |kind: code::Concept| {
        observation.items("component").filter(move |component| {
            component.get("code").and_then(|code| code_in(code, system::CONCEPT)) == Some(kind.code)
        })
    };
    let rank = components(code::FOCUS_RANK).next();
    let chosen =
        |coding: &&Value| coding.get("userSelected").and_then(Value::as_bool) == Some(true);
    let codings: Vec<Coding> =
        value.items("coding").filter(chosen).filter_map(read_coding).collect();
    Some(FocusArea {
        id: local.to_owned(),
        code: FocusCode::from_code(code_in(value, system::FOCUS_AREA)?)?,
        label: text(value, "text")?,
        rank: rank
            .and_then(|rank| code_in(rank.get("valueCodeableConcept")?, system::CONCEPT))
            .and_then(Rank::from_code),
        description: observation.items("note").next().and_then(|note| text(note, "text")),
        relationship_ids: components(code::RELATIONSHIP)
            .filter_map(|component| text(component, "valueString"))
            .collect(),
        codings,
    })
}

pub(super) fn read_ipaf(chart: &Chart<'_>) -> Option<Ipaf> {
    let (local, observation) =
        chart.of_type("Observation").find(|(_, observation)| is(observation, code::IPAF))?;
    let component = |kind: code::Concept| {
        let found = observation.items("component").find(|component| {
            component.get("code").and_then(|code| code_in(code, system::CONCEPT)) == Some(kind.code)
        })?;
        text(found, "valueString")
    };
    Some(Ipaf {
        id: local.to_owned(),
        statement: observation.text("valueString")?.to_owned(),
        experience: component(code::EXPERIENCE),
        expectation: component(code::EXPECTATION),
        response: component(code::RESPONSE),
    })
}
