//! The code tables: which code of which system stands for what the record says, in both directions.
//!
//! Our own CodeSystems are generated from the record's enumerations, so that a code, its display and its
//! definition have one source. Tables of foreign codes are bijections; a test sees to it.

use crate::ipt::consent::ConsentKind;
use crate::ipt::goal::{Achievement, Priority};
use crate::ipt::plan::PrognosisCode;
use crate::ipt::session::{HomeworkStatus, RiskLevel};
use crate::ipt::{
    Delivery, FocusCode, Format, GoalMeasure, Instrument, PhaseCode, Rank, SessionStatus,
    Technique, Variant,
};
use crate::json::{Object, Value};
use crate::mapping::Psychotherapy;
use crate::object;

/// Code systems by their canonical URLs.
pub mod system {
    /// SNOMED CT.
    pub const SNOMED: &str = "http://snomed.info/sct";
    /// LOINC.
    pub const LOINC: &str = "http://loinc.org";
    /// UCUM.
    pub const UCUM: &str = "http://unitsofmeasure.org";
    /// ICD-10-CM.
    pub const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
    /// HL7 v3 ActCode.
    pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    /// HL7 v3 Confidentiality.
    pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
    /// HL7 v3 RoleCode.
    pub const ROLE_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
    /// The four problem areas.
    pub const FOCUS_AREA: &str = "https://ipt-fhir.org/fhir/CodeSystem/ipt-focus-area";
    /// Phases.
    pub const PHASE: &str = "https://ipt-fhir.org/fhir/CodeSystem/ipt-phase";
    /// Techniques.
    pub const TECHNIQUE: &str = "https://ipt-fhir.org/fhir/CodeSystem/ipt-technique";
    /// Everything else of ours, told apart by a `kind`.
    pub const CONCEPT: &str = "https://ipt-fhir.org/fhir/CodeSystem/ipt-concept";
}

/// A coding; the display where there is one.
pub fn coding(system: &str, code: &str, display: &str) -> Object {
    object! { "system" => system, "code" => code, "display" => display }
}

/// A coding of one of HL7's systems under `http://terminology.hl7.org/CodeSystem/`.
pub fn hl7(system: &str, code: &str, display: &str) -> Object {
    coding(&format!("http://terminology.hl7.org/CodeSystem/{system}"), code, display)
}

/// A concept with one coding.
pub fn concept(coding: Object) -> Object {
    object! { "coding" => vec![coding] }
}

/// The code of the first coding of a system in a concept.
pub fn code_in<'a>(concept: &'a Value, system: &str) -> Option<&'a str> {
    concept.items("coding").find(|coding| coding.text("system") == Some(system))?.text("code")
}

/// One code of our CodeSystem `ipt-concept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concept {
    /// What group it belongs to.
    pub kind: &'static str,
    /// The code.
    pub code: &'static str,
    /// In words.
    pub display: &'static str,
    /// What it means.
    pub definition: &'static str,
}

impl Concept {
    /// The concept as a coding.
    pub fn coding(self) -> Object {
        coding(system::CONCEPT, self.code, self.display)
    }

    /// The concept as a CodeableConcept.
    pub fn concept(self) -> Object {
        concept(self.coding())
    }
}

macro_rules! concepts {
    ($( $kind:literal { $( $(#[doc = $definition:literal])+ $name:ident = $code:literal, $display:literal; )+ } )+) => {
        $( $( $(#[doc = $definition])+ pub const $name: Concept = Concept {
            kind: $kind, code: $code, display: $display, definition: concat!($($definition),+),
        }; )+ )+

        /// The concepts that are no enumeration of the record.
        pub const CONCEPTS: &[Concept] = &[ $( $( $name ),+ ),+ ];
    };
}

concepts! {
    "observation" {
        /// A problem area that client and therapist agreed on.
        FOCUS_AREA = "focus-area", "Problem area";
        /// Whether a problem area is the main or a further focus.
        FOCUS_RANK = "focus-rank", "Rank of the problem area";
        /// A person of the interpersonal inventory whom a problem area concerns.
        RELATIONSHIP = "relationship", "Relationship concerned";
        /// The interpersonal affective focus of dynamic interpersonal therapy.
        IPAF = "ipaf", "Interpersonal affective focus";
        /// What the client experiences.
        EXPERIENCE = "experience", "Experience";
        /// What the client expects of others.
        EXPECTATION = "expectation", "Expectation";
        /// How the client responds.
        RESPONSE = "response", "Response";
        /// How far a goal was reached at a session.
        GOAL_PROGRESS = "goal-progress", "Goal progress";
    }
    "note" {
        /// A diagnosis as its source writes it.
        DIAGNOSIS_AS_WRITTEN = "diagnosis-as-written", "Diagnosis as written";
        /// The diagnosis' place among the diagnoses of the plan.
        DIAGNOSIS_RANK = "diagnosis-rank", "Rank of the diagnosis";
        /// A remark on the structure of the course.
        STRUCTURE = "structure", "Structure of the course";
        /// What came of the therapy.
        OUTCOME = "outcome", "Outcome";
    }
    "role" {
        /// The therapist of the plan.
        THERAPIST = "therapist", "Therapist";
        /// Who referred the client.
        REFERRER = "referrer", "Referrer";
    }
}

/// Every code of `ipt-concept` in the order in which the CodeSystem lists them.
pub fn all_concepts() -> Vec<Concept> {
    macro_rules! of {
        ($kind:literal, $type:ty) => {
            <$type>::ALL
                .iter()
                .map(|code| Concept {
                    kind: $kind,
                    code: code.code(),
                    display: code.display(),
                    definition: code.definition(),
                })
                .collect::<Vec<_>>()
        };
    }
    let mut all = Vec::new();
    all.extend(of!("variant", Variant));
    all.extend(of!("format", Format));
    all.extend(of!("delivery", Delivery));
    all.extend(of!("rank", Rank));
    all.extend(of!("prognosis", PrognosisCode));
    all.extend(of!("goal-measure", GoalMeasure));
    all.extend(of!("instrument", Instrument));
    all.extend(of!("consent", ConsentKind));
    all.extend(RiskLevel::ALL.iter().map(|level| risk(*level)));
    all.extend_from_slice(CONCEPTS);
    all
}

/// The concept of an enumeration's code. The code must be one of those that [`all_concepts`] lists.
macro_rules! own {
    ($code:expr) => {
        $crate::mapping::code::coding(
            $crate::mapping::code::system::CONCEPT,
            $code.code(),
            $code.display(),
        )
    };
}
pub(crate) use own;

/// The concept of a risk level; prefixed, for `low` alone would say nothing.
pub const fn risk(level: RiskLevel) -> Concept {
    let code = match level {
        RiskLevel::None => "risk-none",
        RiskLevel::Low => "risk-low",
        RiskLevel::Moderate => "risk-moderate",
        RiskLevel::High => "risk-high",
    };
    Concept { kind: "risk", code, display: level.display(), definition: level.definition() }
}

/// The level of a risk concept.
pub fn risk_level(code: &str) -> Option<RiskLevel> {
    RiskLevel::ALL.iter().copied().find(|level| risk(*level).code == code)
}

/// The LOINC codes of an instrument's panel and total, where there are any that we could check.
#[derive(Debug, Clone, Copy)]
pub struct InstrumentCodes {
    /// The panel: what is filled in.
    pub panel: Option<(&'static str, &'static str)>,
    /// The total score: what comes of it. The panel's code never stands for a score.
    pub total: Option<(&'static str, &'static str)>,
    /// The items in the instrument's order; only for instruments whose items are free to use.
    pub items: &'static [&'static str],
}

/// The codes of an instrument.
pub const fn instrument(instrument: Instrument) -> InstrumentCodes {
    const PHQ9_ITEMS: &[&str] = &[
        "44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3",
        "44260-8",
    ];
    const GAD7_ITEMS: &[&str] =
        &["69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"];
    match instrument {
        Instrument::Phq9 => InstrumentCodes {
            panel: Some(("44249-1", "PHQ-9 quick depression assessment panel [Reported.PHQ]")),
            total: Some((
                "44261-6",
                "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]",
            )),
            items: PHQ9_ITEMS,
        },
        Instrument::Gad7 => InstrumentCodes {
            panel: Some(("69737-5", "Generalized anxiety disorder 7 item (GAD-7)")),
            total: Some((
                "70274-6",
                "Generalized anxiety disorder 7 item (GAD-7) total score [Reported.PHQ]",
            )),
            items: GAD7_ITEMS,
        },
        Instrument::Phq2 => InstrumentCodes {
            panel: Some(("55757-9", "Patient Health Questionnaire 2 item (PHQ-2) [Reported]")),
            total: Some((
                "55758-7",
                "Patient Health Questionnaire 2 item (PHQ-2) total score [Reported]",
            )),
            items: &["44250-9", "44255-8"],
        },
        Instrument::Bdi2 => {
            InstrumentCodes { panel: None, total: Some(("89209-1", "")), items: &[] }
        }
        Instrument::Phq9m => {
            InstrumentCodes { panel: None, total: Some(("89204-2", "")), items: &[] }
        }
        Instrument::Epds => {
            InstrumentCodes { panel: None, total: Some(("99046-5", "")), items: &[] }
        }
        Instrument::Other => InstrumentCodes { panel: None, total: None, items: &[] },
    }
}

/// The SNOMED CT coding of a plan's therapy. DIT is a psychodynamic therapy and must not pass for IPT; no code of its
/// own was found, so the broader one stands (`ipt-concept` tells the variant beside it).
pub(super) fn therapy(variant: Variant, psychotherapy: &Psychotherapy) -> Object {
    match variant {
        Variant::Dit => coding(system::SNOMED, "314034001", "Psychodynamic psychotherapy"),
        _ => coding(system::SNOMED, &psychotherapy.code, &psychotherapy.display),
    }
}

/// What a session of a variant is called, before its number.
pub(super) const fn session_name(variant: Variant) -> &'static str {
    match variant {
        Variant::Dit => "DIT session ",
        _ => "IPT session ",
    }
}

/// The number in a session's name, of any variant.
pub(super) fn session_number(name: &str) -> Option<u32> {
    let variants = Variant::ALL.iter().map(|variant| session_name(*variant));
    variants.into_iter().find_map(|prefix| name.strip_prefix(prefix))?.parse().ok()
}

/// What the record calls the measure of an instrument's total: `phq9-total`.
pub fn total_measure(of: Instrument) -> Option<String> {
    instrument(of).total.map(|_| format!("{}-total", of.code()))
}

/// The instrument whose total has a LOINC code.
pub fn instrument_of_total(loinc: &str) -> Option<Instrument> {
    let total = |of: &Instrument| instrument(*of).total.is_some_and(|(code, _)| code == loinc);
    Instrument::ALL.iter().copied().find(total)
}

/// A broader SNOMED CT finding for a problem area, from the Global Patient Set (CC BY 4.0).
pub const fn snomed_of_focus(code: FocusCode) -> (&'static str, &'static str) {
    match code {
        FocusCode::Grief => ("224965009", "Grief finding"),
        FocusCode::InterpersonalDisputes => ("160822004", "Relationship problems"),
        FocusCode::RoleTransitions => ("129876005", "Role change"),
        FocusCode::InterpersonalDeficits => ("88598008", "Impaired social interaction"),
    }
}

/// FHIR's goal-achievement code; the same word as the record's.
pub fn achievement(code: Achievement) -> Object {
    concept(hl7("goal-achievement", code.code(), code.display()))
}

/// FHIR's goal-priority code.
pub const fn priority(code: Priority) -> &'static str {
    match code {
        Priority::High => "high-priority",
        Priority::Medium => "medium-priority",
        Priority::Low => "low-priority",
    }
}

/// FHIR's Task.status for homework.
pub const fn task_status(status: HomeworkStatus) -> &'static str {
    match status {
        HomeworkStatus::Assigned => "requested",
        HomeworkStatus::InProgress => "in-progress",
        HomeworkStatus::Completed => "completed",
        HomeworkStatus::NotDone => "failed",
        HomeworkStatus::Cancelled => "cancelled",
    }
}

/// Where a session goes: an Encounter once it has begun, an Appointment before and where it never did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionResource {
    /// Encounter with this status.
    Encounter(&'static str),
    /// Appointment with this status.
    Appointment(&'static str),
}

/// The resource and status of a session.
pub const fn session_resource(status: SessionStatus) -> SessionResource {
    match status {
        SessionStatus::Planned => SessionResource::Appointment("proposed"),
        SessionStatus::Booked => SessionResource::Appointment("booked"),
        SessionStatus::InProgress => SessionResource::Encounter("in-progress"),
        SessionStatus::Completed => SessionResource::Encounter("finished"),
        SessionStatus::Cancelled => SessionResource::Appointment("cancelled"),
        SessionStatus::NoShow => SessionResource::Appointment("noshow"),
        SessionStatus::EnteredInError => SessionResource::Encounter("entered-in-error"),
    }
}

/// The variant of an enumeration for which a table gives this code: the way back through any table above.
pub fn back<T: Copy>(all: &[T], table: impl Fn(T) -> &'static str, code: &str) -> Option<T> {
    all.iter().copied().find(|known| table(*known) == code)
}

/// Our CodeSystems as they stand under `profiles/`, without the frame that they share.
pub fn code_systems() -> Vec<(&'static str, &'static str, Vec<Concept>)> {
    macro_rules! of {
        ($type:ty) => {
            <$type>::ALL
                .iter()
                .map(|code| Concept {
                    kind: "",
                    code: code.code(),
                    display: code.display(),
                    definition: code.definition(),
                })
                .collect()
        };
    }
    vec![
        ("ipt-focus-area", "IPT problem areas", of!(FocusCode)),
        ("ipt-phase", "Phases of IPT and DIT", of!(PhaseCode)),
        ("ipt-technique", "Techniques of IPT and DIT", of!(Technique)),
        ("ipt-concept", "Concepts of IPT plans", all_concepts()),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn our_code_systems_have_each_code_once() {
        for (name, _, concepts) in code_systems() {
            let codes: BTreeSet<_> = concepts.iter().map(|concept| concept.code).collect();
            assert_eq!(codes.len(), concepts.len(), "{name}");
            for concept in concepts {
                assert!(!concept.display.is_empty() && !concept.definition.trim().is_empty());
            }
        }
        assert_eq!(Technique::ALL.len(), 30);
    }

    #[test]
    fn tables_lead_back() {
        for of in Instrument::ALL {
            if let Some((total, _)) = instrument(*of).total {
                assert_eq!(instrument_of_total(total), Some(*of));
            }
        }
        for status in HomeworkStatus::ALL {
            assert_eq!(back(HomeworkStatus::ALL, task_status, task_status(*status)), Some(*status));
        }
        for status in SessionStatus::ALL {
            let same =
                |other: &&SessionStatus| session_resource(**other) == session_resource(*status);
            assert_eq!(SessionStatus::ALL.iter().filter(same).count(), 1);
        }
        for level in RiskLevel::ALL {
            assert_eq!(risk_level(risk(*level).code), Some(*level));
        }
        for code in Priority::ALL {
            assert_eq!(back(Priority::ALL, priority, priority(*code)), Some(*code));
        }
    }
}
