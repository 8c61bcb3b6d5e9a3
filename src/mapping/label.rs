//! Security labels: every clinical resource says that it is restricted and about mental health.
//!
//! Labels help only where the receiver honours them; the filter before sending is the real control
//! ([`policy`](super::policy)). What a diagnosis demands goes onto every resource of
//! the course, for a session or a goal of a therapy for substance use tells of it too.

use crate::ipt::Plan;
use crate::ipt::plan::{Coding, Diagnosis};
use crate::json::Object;
use crate::mapping::Options;
use crate::mapping::code::{coding, system};
use crate::mapping::identity::derived;
use crate::mapping::policy::Section;

/// The labels of a resource of a record, in a fixed order.
pub(super) fn labels(
    plan: &Plan,
    options: &Options,
    resource_type: &str,
    local: &str,
) -> Vec<Object> {
    if matches!(resource_type, "Patient" | "Practitioner") {
        return Vec::new();
    }
    let mut labels = vec![
        coding(system::CONFIDENTIALITY, "R", "restricted"),
        coding(system::ACT_CODE, "MH", "mental health information sensitivity"),
    ];
    // Whatever belongs to a course tells of its diagnoses by what it refers to; a Condition tells of its own only.
    let told: Vec<&Diagnosis> = plan
        .diagnoses
        .iter()
        .filter(|diagnosis| resource_type != "Condition" || diagnosis.id == local)
        .collect();
    let any = |test: fn(&str) -> bool| {
        told.iter().flat_map(|diagnosis| &diagnosis.codings).any(|given| is_icd_10(given, test))
    };
    if any(is_substance_use) {
        let display = "substance use disorder information sensitivity";
        labels.push(coding(system::ACT_CODE, "SUD", display));
        if options.part_2_program {
            labels.push(coding(system::ACT_CODE, "42CFRPart2", "42 CFR Part2"));
            let display = "no redisclosure without consent directive";
            labels.push(coding(system::ACT_CODE, "NORDSCLCD", display));
        }
    }
    if any(is_violence) {
        let display = "sexual assault, abuse, or domestic violence information sensitivity";
        labels.push(coding(system::ACT_CODE, "SDV", display));
    }
    let holds_record = options.policy.allows(Section::RecordJson) && !plan.inventory.is_empty();
    if (resource_type == "QuestionnaireResponse" && local == derived::INVENTORY)
        || resource_type == "RelatedPerson"
        || (local == derived::DOCUMENT && holds_record)
        || (local == derived::NOTE && !plan.inventory.is_empty())
    {
        let display = "patient default information sensitivity";
        labels.push(coding(system::ACT_CODE, "PDS", display));
    }
    labels
}

fn is_icd_10(given: &Coding, test: fn(&str) -> bool) -> bool {
    given.system.starts_with("http://hl7.org/fhir/sid/icd-10") && test(&given.code)
}

/// F10 to F19: mental and behavioural disorders due to psychoactive substance use.
fn is_substance_use(code: &str) -> bool {
    code.starts_with("F1")
}

/// Maltreatment, and counselling for it.
fn is_violence(code: &str) -> bool {
    ["T74", "T76", "Z69.1", "Y07"].iter().any(|prefix| code.starts_with(prefix))
}
