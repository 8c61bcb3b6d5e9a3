//! Therapist, care team, referral and people who take part ⇄ CareTeam and RelatedPerson.

use crate::date::PartialDate;
use crate::ipt::PlanStatus;
use crate::ipt::inventory::{Relationship, RoleCode};
use crate::ipt::person::{CareTeamMember, Referral, Role};
use crate::json::{Object, Value};
use crate::mapping::chart::Chart;
use crate::mapping::code::{self, code_in, coding, system};
use crate::mapping::element::{codings, contact_points, read_coding, read_contact_points, text};
use crate::mapping::identity::{PLAN_ITEM_SYSTEM, derived};
use crate::mapping::narrative::Narrative;
use crate::mapping::policy::Section;
use crate::mapping::writer::Writer;
use crate::object;

pub(super) fn write(writer: &mut Writer<'_>) {
    let plan = writer.plan;
    let related: Vec<&Relationship> = if writer.options.policy.allows(Section::RelatedPersons) {
        plan.inventory.iter().filter(|person| person.participates == Some(true)).collect()
    } else {
        Vec::new()
    };
    for person in &related {
        write_related_person(writer, person);
    }
    let mut participants = vec![object! {
        "role" => vec![code::THERAPIST.concept()],
        "member" => writer.therapist(),
    }];
    let mut contained = Vec::new();
    for member in &plan.care_team {
        participants.push(participant(writer, member, &mut contained));
    }
    if let Some(referral) = &plan.referral {
        let date = referral.date.as_ref().map(PartialDate::as_str);
        participants.push(object! {
            "role" => vec![code::REFERRER.concept()],
            "member" => referral.by.as_ref().map(|by| object! { "display" => by }),
            "period" => date.map(|start| object! { "start" => start }),
        });
    }
    for person in &related {
        participants.push(object! {
            "role" => vec![relationship(person)],
            "member" => writer.reference(&person.id),
        });
    }
    let reason = plan.referral.as_ref().and_then(|referral| referral.reason.as_ref());
    let organization = plan.therapist.organization.as_ref();
    let names: Vec<&str> = std::iter::once(plan.therapist.name.text.as_str())
        .chain(plan.care_team.iter().filter_map(|member| member_name(member)))
        .collect();
    let elements = object! {
        "contained" => contained,
        "status" => status(plan.status),
        "subject" => writer.client(),
        "participant" => participants,
        "reasonCode" => reason.map(|reason| vec![object! { "text" => reason }]),
        "managingOrganization" => organization.map(|name| vec![object! { "display" => name }]),
    };
    let words = format!("Care team: {}", names.join("; "));
    writer.add("CareTeam", derived::CARE_TEAM, Narrative::line(&words), elements);
}

/// R4 care-team-status: the team works as long as the plan runs.
const fn status(plan: PlanStatus) -> &'static str {
    match plan {
        PlanStatus::Draft => "proposed",
        PlanStatus::Active => "active",
        PlanStatus::OnHold => "suspended",
        PlanStatus::Completed | PlanStatus::Revoked => "inactive",
        PlanStatus::EnteredInError => "entered-in-error",
    }
}

fn member_name(member: &CareTeamMember) -> Option<&str> {
    member.name.as_deref().or(member.organization.as_deref())
}

/// A member by name only, or contained where there is a way to reach it.
fn participant(
    writer: &Writer<'_>,
    member: &CareTeamMember,
    contained: &mut Vec<Object>,
) -> Object {
    let resource_type = if member.organization.is_some() { "Organization" } else { "Practitioner" };
    let name = member_name(member);
    if !member.telecom.is_empty() {
        let name = match &member.organization {
            Some(name) => Value::String(name.clone()),
            None => [object! { "text" => name }].into_iter().collect(),
        };
        contained.push(object! {
            "resourceType" => resource_type,
            "id" => &member.id,
            "name" => name,
            "telecom" => contact_points(&member.telecom),
        });
    }
    let mut role = object! { "text" => &member.role.text };
    if let Some(given) = &member.role.coding {
        role.put("coding", codings(std::slice::from_ref(given)));
    }
    object! {
        "role" => vec![role],
        "member" => object! {
            "reference" => (!member.telecom.is_empty()).then(|| format!("#{}", member.id)),
            "type" => resource_type,
            "identifier" => object! {
                "system" => PLAN_ITEM_SYSTEM,
                "value" => writer.identity.plan_item(&member.id),
            },
            "display" => name,
        },
    }
}

/// Who a person is to the client, as a concept.
pub(super) fn relationship(person: &Relationship) -> Object {
    let code = person
        .relationship
        .map(|role| vec![coding(system::ROLE_CODE, role.code(), role.display())]);
    let words = person.relationship_text.as_ref().unwrap_or(&person.label);
    object! { "coding" => code, "text" => words }
}

/// A person who takes part: who it is to the client, and nothing else of the inventory.
fn write_related_person(writer: &mut Writer<'_>, person: &Relationship) {
    let elements = object! {
        "active" => true,
        "patient" => writer.client(),
        "relationship" => vec![relationship(person)],
    };
    let words = format!("Takes part in the therapy: {}", person.label);
    writer.add("RelatedPerson", &person.id, Narrative::line(&words), elements);
}

pub(super) fn read(chart: &Chart<'_>) -> (Vec<CareTeamMember>, Option<Referral>) {
    let Some(team) = chart.find("CareTeam", derived::CARE_TEAM) else { return (Vec::new(), None) };
    let mut members = Vec::new();
    let mut referral = None;
    for participant in team.items("participant") {
        let role = participant.items("role").next();
        // A member of the team bears our identifier, whatever its role; who referred has none.
        if let Some(member) = role.and_then(|role| read_member(chart, team, participant, role)) {
            members.push(member);
        } else if role.and_then(|role| code_in(role, system::CONCEPT)) == Some(code::REFERRER.code)
        {
            let date = participant.get("period").and_then(|period| period.text("start"));
            referral = Some(Referral {
                by: participant.get("member").and_then(|member| text(member, "display")),
                date: date.and_then(|text| PartialDate::parse(text).ok()),
                reason: team.items("reasonCode").next().and_then(|reason| text(reason, "text")),
            });
        }
    }
    (members, referral)
}

fn read_member(
    chart: &Chart<'_>,
    team: &crate::fhir::Resource,
    participant: &Value,
    role: &Value,
) -> Option<CareTeamMember> {
    let member = participant.get("member")?;
    let identifier = member.get("identifier")?;
    let id = chart.local_of(identifier.text("value")?)?.to_owned();
    let contained = member.text("reference").and_then(|reference| reference.strip_prefix('#'));
    let contained = contained
        .and_then(|id| team.items("contained").find(|resource| resource.text("id") == Some(id)));
    let name = text(member, "display");
    let is_organization = member.text("type") == Some("Organization");
    Some(CareTeamMember {
        id,
        role: Role {
            text: text(role, "text")?,
            coding: role.items("coding").next().and_then(read_coding),
        },
        name: name.clone().filter(|_| !is_organization),
        organization: name.filter(|_| is_organization),
        telecom: contained.map(read_contact_points).unwrap_or_default(),
    })
}

/// The role code of a coding.
pub(super) fn read_role_code(coding: &Value) -> Option<RoleCode> {
    RoleCode::from_code(coding.text("code")?)
}
