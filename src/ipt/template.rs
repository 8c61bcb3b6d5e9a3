//! A new record: what a variant of the therapy prescribes, and blanks for what only the therapist can tell.
//!
//! Sessions and phases of `ipt` and `dit` are those of their manuals; those of the other variants are common
//! practice and there to be changed. The blanks are empty texts, which a record may not have: so
//! [`document`](super::document) lists exactly what is still to be filled in. Nothing about the client is made up.

use super::person::{Client, Name, Therapist};
use super::phase::{
    Duration, Frequency, Phase, PhaseCode, SessionCount, SessionRange, Structure, TimeUnit,
};
use super::plan::{Plan, PlanStatus, PresentingProblem, Variant};
use super::{Delivery, Format, Ipaf};
use crate::json::Number;

/// A draft of a plan.
pub fn draft(variant: Variant, id: &str) -> Plan {
    let (sessions, frequency, minutes, format, phases) = course(variant);
    Plan {
        format: "ipt-plan".to_owned(),
        format_version: "1.0".to_owned(),
        id: id.to_owned(),
        revision: Some(1),
        status: PlanStatus::Draft,
        variant,
        title: variant.display().to_owned(),
        date: None,
        language: None,
        client: Client {
            id: "client".to_owned(),
            name: blank_name(),
            birth_date: None,
            age: None,
            gender: None,
            identifiers: Vec::new(),
            telecom: Vec::new(),
        },
        therapist: Therapist {
            id: "therapist".to_owned(),
            name: blank_name(),
            identifiers: Vec::new(),
            qualification: None,
            organization: None,
        },
        care_team: Vec::new(),
        referral: None,
        diagnoses: Vec::new(),
        presenting_problem: Some(PresentingProblem { text: String::new(), symptoms: Vec::new() }),
        assessment: None,
        screening: None,
        focus_areas: Vec::new(),
        ipaf: (variant == Variant::Dit).then(|| Ipaf {
            id: "ipaf".to_owned(),
            statement: String::new(),
            experience: None,
            expectation: None,
            response: None,
        }),
        inventory: Vec::new(),
        structure: Structure {
            frequency: Some(Frequency { count: 1, period: Number::from(1), unit: frequency }),
            session_length: Some(Duration { value: Number::from(minutes), unit: TimeUnit::Minute }),
            sessions: sessions.map(|(min, max)| SessionCount { min, max }),
            weeks: None,
            format: Some(format),
            delivery: Some(Delivery::InPerson),
            note: None,
        },
        phases: phases.iter().zip(1..).map(|(phase, number)| self::phase(phase, number)).collect(),
        activities: Vec::new(),
        goals: Vec::new(),
        interventions: Vec::new(),
        monitoring: Vec::new(),
        measures: Vec::new(),
        relapse_prevention: None,
        prognosis: None,
        outcome: None,
        review: None,
        sessions: Vec::new(),
        consents: Vec::new(),
    }
}

/// A phase and its first and last session, where there is a common number.
type PhaseDefault = (PhaseCode, Option<(u32, u32)>);

/// Sessions at least and at most, once in which unit, minutes of a session, with whom, phases (mapping.md 5.3).
#[expect(clippy::type_complexity, reason = "a table of constants with one reader")]
fn course(
    variant: Variant,
) -> (Option<(u32, u32)>, TimeUnit, u64, Format, &'static [PhaseDefault]) {
    use PhaseCode::{
        Consolidation, Ending, Engagement, Initial, Maintenance, Middle, Termination,
        WorkingThrough,
    };
    use TimeUnit::{Month, Week};
    const OPEN: &[PhaseDefault] = &[(Initial, None), (Middle, None), (Termination, None)];
    match variant {
        Variant::Ipt => {
            const PHASES: &[PhaseDefault] =
                &[(Initial, Some((1, 3))), (Middle, Some((4, 14))), (Termination, Some((15, 16)))];
            (Some((16, 16)), Week, 50, Format::Individual, PHASES)
        }
        Variant::IptA => {
            const PHASES: &[PhaseDefault] =
                &[(Initial, Some((1, 4))), (Middle, Some((5, 8))), (Termination, Some((9, 12)))];
            (Some((12, 12)), Week, 50, Format::Individual, PHASES)
        }
        Variant::IptBrief => (Some((8, 8)), Week, 50, Format::Individual, OPEN),
        Variant::IptGroup => (Some((12, 16)), Week, 90, Format::Group, OPEN),
        Variant::IptCouples => (Some((12, 16)), Week, 50, Format::Couple, OPEN),
        Variant::IptMaintenance => (None, Month, 50, Format::Individual, &[(Maintenance, None)]),
        Variant::Dit => {
            const PHASES: &[PhaseDefault] = &[
                (Engagement, Some((1, 4))),
                (WorkingThrough, Some((5, 10))),
                (Consolidation, Some((11, 15))),
                (Ending, Some((16, 16))),
            ];
            (Some((16, 16)), Week, 50, Format::Individual, PHASES)
        }
    }
}

fn phase((code, sessions): &PhaseDefault, number: u32) -> Phase {
    Phase {
        id: format!("phase-{number}"),
        code: *code,
        title: code.display().to_owned(),
        sessions: sessions.map(|(first, last)| SessionRange { first, last }),
        weeks: None,
        goal: None,
    }
}

const fn blank_name() -> Name {
    Name {
        text: String::new(),
        family: None,
        given: Vec::new(),
        prefix: Vec::new(),
        suffix: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Variant, document};
    use super::draft;

    #[test]
    fn a_draft_lacks_only_what_the_therapist_must_tell() {
        for variant in Variant::ALL {
            let mut plan = draft(*variant, "7d9f0c7e-0000-4000-8000-000000000001");
            let text = document::plan_value(&plan).to_pretty();
            let error = document::parse(text.as_bytes()).unwrap_err();
            let mut blanks: Vec<&str> =
                error.issues().iter().map(|issue| issue.location.pointer.as_str()).collect();
            blanks.sort_unstable();
            let mut expected =
                vec!["/client/name/text", "/presentingProblem/text", "/therapist/name/text"];
            if *variant == Variant::Dit {
                expected.insert(1, "/ipaf/statement");
            }
            assert_eq!(blanks, expected, "{variant}");
            plan.client.name.text = "A".to_owned();
            plan.therapist.name.text = "B".to_owned();
            plan.presenting_problem.iter_mut().for_each(|problem| problem.text = "C".to_owned());
            plan.ipaf.iter_mut().for_each(|focus| focus.statement = "D".to_owned());
            let filled = document::plan_value(&plan).to_pretty();
            let document = document::parse(filled.as_bytes()).unwrap();
            assert_eq!(document.plan, plan);
        }
    }
}
