//! Therapist ⇄ Practitioner. The organization stands in the CareTeam.

use crate::ipt::person::Therapist;
use crate::json::Object;
use crate::mapping::chart::Chart;
use crate::mapping::element::{human_name, read_identifiers, read_name, text};
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::writer::Writer;
use crate::object;

pub(super) fn write(writer: &mut Writer<'_>) {
    let therapist = &writer.plan.therapist;
    let identifiers: Vec<Object> = therapist
        .identifiers
        .iter()
        .map(|given| object! { "system" => &given.system, "value" => &given.value })
        .collect();
    let qualification = therapist
        .qualification
        .as_ref()
        .map(|words| vec![object! { "code" => object! { "text" => words } }]);
    let elements = object! {
        "identifier" => identifiers,
        "name" => vec![human_name(&therapist.name)],
        "qualification" => qualification,
    };
    writer.add("Practitioner", &therapist.id, Narrative::line(&therapist.name.text), elements);
}

pub(super) fn read(chart: &Chart<'_>) -> Option<Therapist> {
    let (local, practitioner) = chart.of_type("Practitioner").next()?;
    let organization = chart
        .find("CareTeam", derived::CARE_TEAM)
        .and_then(|team| team.items("managingOrganization").next())
        .and_then(|organization| text(organization, "display"));
    let qualification = practitioner.items("qualification").next();
    Some(Therapist {
        id: local.to_owned(),
        name: read_name(practitioner.items("name").next()?)?,
        identifiers: read_identifiers(&practitioner.to_value()),
        qualification: qualification.and_then(|given| text(given.get("code")?, "text")),
        organization,
    })
}
