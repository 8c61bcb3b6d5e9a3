//! What became of each part of a record: where it went, and what FHIR could not hold plainly.
//!
//! One table says it for the report, for `map --explain` and for the tests that hold it against the output.

use std::borrow::Cow;

use crate::json::{Pointer, Value};
use crate::mapping::policy::Withheld;

/// What became of a part of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stands in an element of FHIR to the letter.
    Plain,
    /// It stands there as a code that leads back to it.
    Coded,
    /// It stands in an extension of ours: an EHR that drops extensions loses it.
    Extension,
    /// It stands in FHIR as less than it was.
    Narrowed,
    /// The policy keeps it here.
    Withheld,
    /// It belongs to the record's owner and never leaves: `x-*`, `passthrough`.
    Local,
    /// Nothing in FHIR holds it.
    Dropped,
}

impl Fate {
    /// The word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Coded => "coded",
            Self::Extension => "extension",
            Self::Narrowed => "narrowed",
            Self::Withheld => "withheld",
            Self::Local => "local",
            Self::Dropped => "dropped",
        }
    }
}

/// One line: a part of the record and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands in the record.
    pub pointer: Pointer,
    /// What became of it.
    pub fate: Fate,
    /// The element of FHIR, as type and path; for something withheld, the section that a grant names.
    pub element: Cow<'static, str>,
}

/// What became of a whole record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One line for each value of the record, in its order; what is withheld has one line for its whole part.
    pub lines: Vec<Line>,
}

impl Report {
    /// The report of a record's value under what its policy withheld.
    pub fn of(source: &Value, withheld: &[Withheld]) -> Self {
        let mut report = Self::default();
        report.walk(source, &Pointer::root(), "", withheld);
        report
    }

    /// The lines that somebody should see: all but what went plainly or as a code.
    pub fn losses(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !matches!(line.fate, Fate::Plain | Fate::Coded))
    }

    fn push(&mut self, pointer: &Pointer, fate: Fate, element: impl Into<Cow<'static, str>>) {
        self.lines.push(Line { pointer: pointer.clone(), fate, element: element.into() });
    }

    fn walk(&mut self, value: &Value, pointer: &Pointer, pattern: &str, withheld: &[Withheld]) {
        if let Some(found) = withheld.iter().find(|part| part.pointer == *pointer) {
            self.push(pointer, Fate::Withheld, found.section.code());
            return;
        }
        match value {
            Value::Object(object) => {
                for (name, member) in object.iter() {
                    let below = pointer.member(name);
                    if name.starts_with("x-") || (pattern.is_empty() && name == "passthrough") {
                        self.push(&below, Fate::Local, "");
                    } else {
                        self.walk(member, &below, &format!("{pattern}/{name}"), withheld);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, &pointer.item(index), &format!("{pattern}/*"), withheld);
                }
            }
            // A date that is told to be unknown is no value.
            Value::Null => {}
            _ => match row(pattern) {
                Some((fate, element)) => self.push(pointer, fate, element),
                None => self.push(pointer, Fate::Dropped, ""),
            },
        }
    }
}

/// Where a kind of value goes: the row of a pattern, in which `*` stands for any place in a list.
pub fn row(pattern: &str) -> Option<(Fate, &'static str)> {
    // An objective is a goal.
    let pattern = pattern.replacen("/goals/*/objectives/*/", "/goals/*/", 1);
    let found = TABLE.iter().find(|(known, _, _)| *known == pattern);
    found.map(|(_, fate, element)| (*fate, *element))
}

use Fate::{Coded as C, Extension as E, Narrowed as N, Plain as P};

/// Pattern of the record, fate, element.
const TABLE: &[(&str, Fate, &str)] = &[
    ("/format", N, "CarePlan.identifier.system"),
    ("/formatVersion", N, "CarePlan.identifier.system"),
    ("/id", C, "CarePlan.identifier.value"),
    ("/revision", C, "CarePlan.identifier.value"),
    ("/status", P, "CarePlan.status"),
    ("/variant", C, "CarePlan.instantiatesCanonical"),
    ("/title", P, "CarePlan.title"),
    ("/date", P, "CarePlan.created"),
    ("/language", P, "CarePlan.language"),
    ("/client/id", C, "Patient.identifier.value"),
    ("/client/name/text", P, "Patient.name.text"),
    ("/client/name/family", P, "Patient.name.family"),
    ("/client/name/given/*", P, "Patient.name.given"),
    ("/client/name/prefix/*", P, "Patient.name.prefix"),
    ("/client/name/suffix/*", P, "Patient.name.suffix"),
    ("/client/birthDate", P, "Patient.birthDate"),
    ("/client/age/value", P, "Observation.valueQuantity.value"),
    ("/client/age/unit", P, "Observation.valueQuantity.code"),
    ("/client/age/asOf", P, "Observation.effectiveDateTime"),
    ("/client/gender", P, "Patient.gender"),
    ("/client/identifiers/*/system", P, "Patient.identifier.system"),
    ("/client/identifiers/*/value", P, "Patient.identifier.value"),
    ("/client/telecom/*/system", P, "Patient.telecom.system"),
    ("/client/telecom/*/value", P, "Patient.telecom.value"),
    ("/client/telecom/*/use", P, "Patient.telecom.use"),
    ("/therapist/id", C, "Practitioner.identifier.value"),
    ("/therapist/name/text", P, "Practitioner.name.text"),
    ("/therapist/name/family", P, "Practitioner.name.family"),
    ("/therapist/name/given/*", P, "Practitioner.name.given"),
    ("/therapist/name/prefix/*", P, "Practitioner.name.prefix"),
    ("/therapist/name/suffix/*", P, "Practitioner.name.suffix"),
    ("/therapist/identifiers/*/system", P, "Practitioner.identifier.system"),
    ("/therapist/identifiers/*/value", P, "Practitioner.identifier.value"),
    ("/therapist/qualification", P, "Practitioner.qualification.code.text"),
    ("/therapist/organization", P, "CareTeam.managingOrganization.display"),
    ("/careTeam/*/id", C, "CareTeam.participant.member.identifier.value"),
    ("/careTeam/*/role/text", P, "CareTeam.participant.role.text"),
    ("/careTeam/*/role/coding/system", P, "CareTeam.participant.role.coding.system"),
    ("/careTeam/*/role/coding/code", P, "CareTeam.participant.role.coding.code"),
    ("/careTeam/*/role/coding/display", P, "CareTeam.participant.role.coding.display"),
    ("/careTeam/*/name", P, "CareTeam.participant.member.display"),
    ("/careTeam/*/organization", P, "CareTeam.participant.member.display"),
    ("/careTeam/*/telecom/*/system", P, "CareTeam.contained.telecom.system"),
    ("/careTeam/*/telecom/*/value", P, "CareTeam.contained.telecom.value"),
    ("/careTeam/*/telecom/*/use", P, "CareTeam.contained.telecom.use"),
    ("/referral/by", P, "CareTeam.participant.member.display"),
    ("/referral/date", P, "CareTeam.participant.period.start"),
    ("/referral/reason", P, "CareTeam.reasonCode.text"),
    ("/diagnoses/*/id", C, "Condition.identifier.value"),
    ("/diagnoses/*/text", P, "Condition.code.text"),
    ("/diagnoses/*/asWritten", P, "Condition.note.text"),
    ("/diagnoses/*/codings/*/system", P, "Condition.code.coding.system"),
    ("/diagnoses/*/codings/*/code", P, "Condition.code.coding.code"),
    ("/diagnoses/*/codings/*/display", P, "Condition.code.coding.display"),
    ("/diagnoses/*/rank", C, "Condition.note.text"),
    ("/diagnoses/*/clinicalStatus", P, "Condition.clinicalStatus.coding.code"),
    ("/diagnoses/*/verificationStatus", P, "Condition.verificationStatus.coding.code"),
    ("/diagnoses/*/onset", P, "Condition.onsetDateTime"),
    ("/diagnoses/*/recorded", P, "Condition.recordedDate"),
    ("/presentingProblem/text", P, "ClinicalImpression.description"),
    ("/presentingProblem/symptoms/*", P, "ClinicalImpression.finding.itemCodeableConcept.text"),
    ("/assessment/text", P, "ClinicalImpression.summary"),
    ("/prognosis/code", P, "ClinicalImpression.prognosisCodeableConcept.coding.code"),
    ("/prognosis/text", P, "ClinicalImpression.prognosisCodeableConcept.text"),
    ("/screening/result", P, "QuestionnaireResponse.item.answer.valueString"),
    ("/screening/exclusions/*/code", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/screening/exclusions/*/present", P, "QuestionnaireResponse.item.item.answer.valueBoolean"),
    ("/screening/exclusions/*/note", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/screening/text", P, "QuestionnaireResponse.item.answer.valueString"),
    ("/focusAreas/*/id", C, "Observation.identifier.value"),
    ("/focusAreas/*/code", P, "Observation.valueCodeableConcept.coding.code"),
    ("/focusAreas/*/label", P, "Observation.valueCodeableConcept.text"),
    ("/focusAreas/*/rank", P, "Observation.component.valueCodeableConcept.coding.code"),
    ("/focusAreas/*/description", P, "Observation.note.text"),
    ("/focusAreas/*/relationshipIds/*", P, "Observation.component.valueString"),
    ("/focusAreas/*/codings/*/system", P, "Observation.valueCodeableConcept.coding.system"),
    ("/focusAreas/*/codings/*/code", P, "Observation.valueCodeableConcept.coding.code"),
    ("/focusAreas/*/codings/*/display", P, "Observation.valueCodeableConcept.coding.display"),
    ("/ipaf/id", C, "Observation.identifier.value"),
    ("/ipaf/statement", P, "Observation.valueString"),
    ("/ipaf/experience", P, "Observation.component.valueString"),
    ("/ipaf/expectation", P, "Observation.component.valueString"),
    ("/ipaf/response", P, "Observation.component.valueString"),
    ("/inventory/*/id", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/label", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/relationship", P, "QuestionnaireResponse.item.item.answer.valueCoding.code"),
    ("/inventory/*/relationshipText", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/status", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/communicationStyle", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/disputes/*", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/losses/*", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/roleChanges/*", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/support", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/expectations", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/patterns", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/intimacy", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/inventory/*/participates", P, "QuestionnaireResponse.item.item.answer.valueBoolean"),
    ("/inventory/*/sensitivity", P, "QuestionnaireResponse.item.item.answer.valueString"),
    ("/structure/frequency/count", P, "CarePlan.activity.detail.scheduledTiming.repeat.frequency"),
    ("/structure/frequency/period", P, "CarePlan.activity.detail.scheduledTiming.repeat.period"),
    ("/structure/frequency/unit", P, "CarePlan.activity.detail.scheduledTiming.repeat.periodUnit"),
    (
        "/structure/sessionLength/value",
        P,
        "CarePlan.activity.detail.scheduledTiming.repeat.duration",
    ),
    (
        "/structure/sessionLength/unit",
        P,
        "CarePlan.activity.detail.scheduledTiming.repeat.durationUnit",
    ),
    ("/structure/sessions/min", P, "CarePlan.activity.detail.scheduledTiming.repeat.count"),
    ("/structure/sessions/max", P, "CarePlan.activity.detail.scheduledTiming.repeat.countMax"),
    (
        "/structure/weeks/min",
        P,
        "CarePlan.activity.detail.scheduledTiming.repeat.boundsRange.low.value",
    ),
    (
        "/structure/weeks/max",
        P,
        "CarePlan.activity.detail.scheduledTiming.repeat.boundsRange.high.value",
    ),
    ("/structure/format", P, "CarePlan.category.coding.code"),
    ("/structure/delivery", P, "CarePlan.category.coding.code"),
    ("/structure/note", P, "CarePlan.note.text"),
    ("/phases/*/id", E, "CarePlan.extension.extension.valueId"),
    ("/phases/*/code", E, "CarePlan.extension.extension.valueCoding.code"),
    ("/phases/*/title", E, "CarePlan.extension.extension.valueString"),
    ("/phases/*/sessions/first", E, "CarePlan.extension.extension.valuePositiveInt"),
    ("/phases/*/sessions/last", E, "CarePlan.extension.extension.valuePositiveInt"),
    ("/phases/*/weeks/min", E, "CarePlan.extension.extension.valueRange.low.value"),
    ("/phases/*/weeks/max", E, "CarePlan.extension.extension.valueRange.high.value"),
    ("/phases/*/goal", E, "CarePlan.extension.extension.valueString"),
    ("/activities/*/id", E, "CarePlan.activity.extension.extension.valueId"),
    ("/activities/*/phaseId", E, "CarePlan.activity.extension.extension.valueId"),
    ("/activities/*/sessions/first", E, "CarePlan.activity.extension.extension.valuePositiveInt"),
    ("/activities/*/sessions/last", E, "CarePlan.activity.extension.extension.valuePositiveInt"),
    ("/activities/*/title", P, "CarePlan.activity.detail.code.text"),
    ("/activities/*/description", P, "CarePlan.activity.detail.description"),
    ("/activities/*/techniques/*", E, "CarePlan.activity.extension.extension.valueCoding.code"),
    ("/activities/*/goalIds/*", C, "CarePlan.activity.detail.goal.reference"),
    ("/activities/*/conditional", E, "CarePlan.activity.extension.extension.valueString"),
    ("/goals/*/id", C, "Goal.identifier.value"),
    ("/goals/*/text", P, "Goal.description.text"),
    ("/goals/*/status", P, "Goal.lifecycleStatus"),
    ("/goals/*/achievement", P, "Goal.achievementStatus.coding.code"),
    ("/goals/*/achievementDate", P, "Goal.statusDate"),
    ("/goals/*/priority", C, "Goal.priority.coding.code"),
    ("/goals/*/start", P, "Goal.startDate"),
    ("/goals/*/due", P, "Goal.target.dueDate"),
    ("/goals/*/expressedBy", C, "Goal.expressedBy.type"),
    ("/goals/*/addresses/*", C, "Goal.addresses.reference"),
    ("/goals/*/targets/*/measure", C, "Goal.target.measure"),
    ("/goals/*/targets/*/value", P, "Goal.target.detailQuantity.value"),
    ("/goals/*/targets/*/text", P, "Goal.target.detailString"),
    ("/goals/*/targets/*/comparator", P, "Goal.target.detailQuantity.comparator"),
    ("/goals/*/targets/*/unit", P, "Goal.target.detailQuantity.unit"),
    ("/goals/*/targets/*/due", P, "Goal.target.dueDate"),
    ("/goals/*/note", P, "Goal.note.text"),
    ("/interventions/*/id", E, "CarePlan.activity.extension.extension.valueId"),
    ("/interventions/*/code", P, "CarePlan.activity.detail.code.coding.code"),
    ("/interventions/*/label", P, "CarePlan.activity.detail.code.text"),
    ("/interventions/*/description", P, "CarePlan.activity.detail.description"),
    ("/monitoring/*", P, "CarePlan.activity.detail.description"),
    ("/measures/*/instrument", P, "CarePlan.activity.detail.code.coding.code"),
    ("/measures/*/frequency/count", P, "CarePlan.activity.detail.scheduledTiming.repeat.frequency"),
    ("/measures/*/frequency/period", P, "CarePlan.activity.detail.scheduledTiming.repeat.period"),
    ("/measures/*/frequency/unit", P, "CarePlan.activity.detail.scheduledTiming.repeat.periodUnit"),
    ("/relapsePrevention/warningSigns/*", P, "QuestionnaireResponse.item.answer.valueString"),
    ("/relapsePrevention/supportNetwork/*", P, "QuestionnaireResponse.item.answer.valueString"),
    ("/relapsePrevention/strategies/*", P, "QuestionnaireResponse.item.answer.valueString"),
    ("/relapsePrevention/skills/*", P, "QuestionnaireResponse.item.answer.valueString"),
    ("/relapsePrevention/text", P, "QuestionnaireResponse.item.answer.valueString"),
    (
        "/relapsePrevention/maintenance/offered",
        P,
        "QuestionnaireResponse.item.item.answer.valueBoolean",
    ),
    (
        "/relapsePrevention/maintenance/frequency",
        P,
        "QuestionnaireResponse.item.item.answer.valueString",
    ),
    (
        "/relapsePrevention/maintenance/text",
        P,
        "QuestionnaireResponse.item.item.answer.valueString",
    ),
    ("/outcome/text", P, "CarePlan.note.text"),
    ("/outcome/date", P, "CarePlan.note.time"),
    ("/review/next", P, "CarePlan.activity.detail.scheduledPeriod.start"),
    ("/sessions/*/id", C, "Encounter|Appointment.identifier.value"),
    ("/sessions/*/number", E, "Encounter|Appointment.extension.extension.valuePositiveInt"),
    ("/sessions/*/status", C, "Encounter|Appointment.status"),
    (
        "/sessions/*/statusReason",
        N,
        "Appointment.cancelationReason.text|Encounter.extension.extension.valueString",
    ),
    ("/sessions/*/start", P, "Encounter.period.start|Appointment.start"),
    ("/sessions/*/end", P, "Encounter.period.end|Appointment.end"),
    ("/sessions/*/lengthMinutes", E, "Encounter|Appointment.extension.extension.valuePositiveInt"),
    ("/sessions/*/phaseId", E, "Encounter|Appointment.extension.extension.valueId"),
    ("/sessions/*/format", E, "Encounter|Appointment.extension.extension.valueCode"),
    ("/sessions/*/delivery", E, "Encounter|Appointment.extension.extension.valueCode"),
    ("/sessions/*/attendees/*", E, "Encounter|Appointment.extension.extension.valueId"),
    ("/sessions/*/activityIds/*", E, "Encounter|Appointment.extension.extension.valueId"),
    ("/sessions/*/techniques/*", C, "Procedure|Appointment.extension"),
    ("/sessions/*/focusAreaIds/*", C, "Encounter|Appointment.reasonReference.reference"),
    ("/sessions/*/goalProgress/*/goalId", C, "Observation.focus.reference"),
    ("/sessions/*/goalProgress/*/achievement", P, "Observation.valueCodeableConcept.coding.code"),
    ("/sessions/*/goalProgress/*/note", P, "Observation.note.text"),
    ("/sessions/*/summary", C, "DocumentReference.content.attachment.data"),
    ("/sessions/*/homework/*/id", C, "Task.identifier.value"),
    ("/sessions/*/homework/*/text", P, "Task.description"),
    ("/sessions/*/homework/*/due", P, "Task.restriction.period.end"),
    ("/sessions/*/homework/*/status", C, "Task.status"),
    ("/sessions/*/homework/*/review", P, "Task.note.text"),
    ("/sessions/*/scores/*/id", C, "Observation.identifier.value"),
    ("/sessions/*/scores/*/instrument", P, "Observation.code.coding.code"),
    ("/sessions/*/scores/*/total", P, "Observation.valueQuantity.value"),
    ("/sessions/*/scores/*/items/*", P, "QuestionnaireResponse.item.answer.valueInteger"),
    (
        "/sessions/*/scores/*/date",
        P,
        "Observation.effectiveDateTime|Observation.effectivePeriod.start",
    ),
    ("/sessions/*/risk/level", C, "Flag.code.coding.code"),
    ("/sessions/*/risk/text", C, "Flag.code.text"),
    ("/consents/*/id", C, "Consent.identifier.value"),
    ("/consents/*/kind", P, "Consent.category.coding.code"),
    ("/consents/*/scope", P, "Consent.scope.text"),
    ("/consents/*/recipient", P, "Consent.provision.actor.reference.display"),
    ("/consents/*/period/start", P, "Consent.provision.period.start"),
    ("/consents/*/period/end", P, "Consent.provision.period.end"),
    ("/consents/*/status", P, "Consent.status"),
];
