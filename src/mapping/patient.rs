//! Client ⇄ Patient, and the client's age ⇄ Observation: a Patient has no age, and no birth date is invented.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::person::{Age, Client, Gender};
use crate::ipt::phase::TimeUnit;
use crate::json::Object;
use crate::mapping::chart::Chart;
use crate::mapping::code::{coding, concept, system};
use crate::mapping::element::{
    contact_points, human_name, number, read_contact_points, read_identifiers, read_name, ucum,
};
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::readable::amount;
use crate::mapping::writer::Writer;
use crate::object;

pub(super) fn write(writer: &mut Writer<'_>) {
    let client = &writer.plan.client;
    let identifiers: Vec<Object> = client
        .identifiers
        .iter()
        .map(|given| object! { "system" => &given.system, "value" => &given.value })
        .collect();
    let elements = object! {
        "identifier" => identifiers,
        "name" => vec![human_name(&client.name)],
        "telecom" => contact_points(&client.telecom),
        "gender" => client.gender.map(Gender::code),
        "birthDate" => client.birth_date.as_ref().map(PartialDate::as_str),
    };
    writer.add("Patient", &client.id, Narrative::line(&client.name.text), elements);
}

pub(super) fn write_age(writer: &mut Writer<'_>) {
    let Some(age) = &writer.plan.client.age else { return };
    let (told, planned) = (age.as_of.as_ref(), writer.plan.date.as_ref());
    // A date that the record tells beside an equal date of the plan is a period, so that the way back knows.
    let same = told.is_some() && told == planned;
    let date = told.or(planned).map(PartialDate::as_str);
    let words = format!("Age: {}", amount(&age.value, age.unit));
    let elements = object! {
        "status" => writer.status("preliminary", "final"),
        "code" => concept(coding(system::LOINC, "30525-0", "Age")),
        "subject" => writer.client(),
        "effectiveDateTime" => if same { None } else { date },
        "effectivePeriod" => same.then(|| object! { "start" => date }),
        "performer" => vec![writer.therapist()],
        "valueQuantity" => ucum(&age.value, age.unit.code(), Some(age.unit.code())),
    };
    writer.add("Observation", derived::AGE, Narrative::line(&words), elements);
}

pub(super) fn read(chart: &Chart<'_>) -> Option<Client> {
    let (local, patient) = chart.of_type("Patient").next()?;
    let value = patient.to_value();
    Some(Client {
        id: local.to_owned(),
        name: read_name(patient.items("name").next()?)?,
        birth_date: patient.text("birthDate").and_then(|text| PartialDate::parse(text).ok()),
        age: chart
            .find("Observation", derived::AGE)
            .and_then(|age| read_age(age, chart.care_plan().text("created"))),
        gender: patient.text("gender").and_then(Gender::from_code),
        identifiers: read_identifiers(&value),
        telecom: read_contact_points(&value),
    })
}

fn read_age(observation: &Resource, planned: Option<&str>) -> Option<Age> {
    let quantity = observation.get("valueQuantity")?;
    let period = observation.get("effectivePeriod").and_then(|period| period.text("start"));
    let date =
        observation.text("effectiveDateTime").filter(|text| Some(*text) != planned).or(period);
    Some(Age {
        value: number(quantity, "value")?,
        unit: TimeUnit::from_code(quantity.text("code")?)?,
        as_of: date.and_then(|text| PartialDate::parse(text).ok()),
    })
}
