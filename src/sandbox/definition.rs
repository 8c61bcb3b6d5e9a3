//! The resource types that this server knows, and by which search parameters each can be searched.
//!
//! The types are those that IPT plans become and what stands beside them in an EHR; a type that is not here
//! answers 404, and the CapabilityStatement lists exactly these. Names, types and paths are R4's own
//! (hl7.fhir.r4.core 4.0.1, `SearchParameter`), with a choice element (`onset[x]`) written out.

use super::behaviour::Behaviour;
use super::surface::Surface;

/// A search parameter of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    /// Its name in a URL.
    pub(super) name: &'static str,
    /// How its values are compared.
    pub(super) kind: Kind,
    /// The elements that it looks at: dotted paths, `|` between alternatives.
    pub(super) path: &'static str,
    /// The only type of resource that a reference may be to (`patient` is `subject` if that is a Patient).
    pub(super) target: Option<&'static str>,
}

/// The type of a search parameter (R4 3.1.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Token,
    Reference,
    Date,
    Text,
    Uri,
}

impl Kind {
    /// FHIR's code for it (`search-param-type`).
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Date => "date",
            Self::Text => "string",
            Self::Uri => "uri",
        }
    }
}

const fn parameter(name: &'static str, kind: Kind, path: &'static str) -> Parameter {
    Parameter { name, kind, path, target: None }
}

const fn token(name: &'static str, path: &'static str) -> Parameter {
    parameter(name, Kind::Token, path)
}

const fn reference(name: &'static str, path: &'static str) -> Parameter {
    parameter(name, Kind::Reference, path)
}

const fn date(name: &'static str, path: &'static str) -> Parameter {
    parameter(name, Kind::Date, path)
}

const fn text(name: &'static str, path: &'static str) -> Parameter {
    parameter(name, Kind::Text, path)
}

const fn uri(name: &'static str, path: &'static str) -> Parameter {
    parameter(name, Kind::Uri, path)
}

const fn only(name: &'static str, path: &'static str, target: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Reference, path, target: Some(target) }
}

const fn patient(path: &'static str) -> Parameter {
    only("patient", path, "Patient")
}

const IDENTIFIER: Parameter = token("identifier", "identifier");
const STATUS: Parameter = token("status", "status");
const CATEGORY: Parameter = token("category", "category");
const CODE: Parameter = token("code", "code");
const TYPE: Parameter = token("type", "type");
const SUBJECT: Parameter = reference("subject", "subject");
const PATIENT: Parameter = patient("subject");
const ENCOUNTER: Parameter = reference("encounter", "encounter");
const BASED_ON: Parameter = reference("based-on", "basedOn");
const PART_OF: Parameter = reference("part-of", "partOf");

/// What every type can be searched by.
pub(super) const COMMON: &[Parameter] = &[
    token("_id", "id"),
    date("_lastUpdated", "meta.lastUpdated"),
    uri("_profile", "meta.profile"),
    token("_security", "meta.security"),
    token("_tag", "meta.tag"),
];

/// The names of a person, as `HumanName` holds them.
const NAME: Parameter = text("name", "name.text|name.family|name.given|name.prefix|name.suffix");

/// What a canonical resource is found by.
const CANONICAL: &[Parameter] = &[
    IDENTIFIER,
    uri("url", "url"),
    token("version", "version"),
    text("name", "name"),
    text("title", "title"),
    STATUS,
    date("date", "date"),
];

/// The types, in the order of the alphabet, each with its own parameters.
const TYPES: &[(&str, &[Parameter])] = &[
    (
        "Appointment",
        &[
            IDENTIFIER,
            STATUS,
            date("date", "start"),
            patient("participant.actor"),
            reference("actor", "participant.actor"),
            only("practitioner", "participant.actor", "Practitioner"),
            BASED_ON,
            reference("supporting-info", "supportingInformation"),
            reference("reason-reference", "reasonReference"),
            token("appointment-type", "appointmentType"),
            token("service-type", "serviceType"),
            token("service-category", "serviceCategory"),
        ],
    ),
    ("Binary", &[]),
    (
        "CarePlan",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            date("date", "period"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            token("intent", "intent"),
            reference("care-team", "careTeam"),
            reference("condition", "addresses"),
            reference("goal", "goal"),
            BASED_ON,
            PART_OF,
            reference("replaces", "replaces"),
            reference("activity-reference", "activity.reference"),
            token("activity-code", "activity.detail.code"),
            reference("performer", "activity.detail.performer"),
            reference("instantiates-canonical", "instantiatesCanonical"),
        ],
    ),
    (
        "CareTeam",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            date("date", "period"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            reference("participant", "participant.member"),
        ],
    ),
    (
        "ClinicalImpression",
        &[
            IDENTIFIER,
            STATUS,
            date("date", "date"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            reference("assessor", "assessor"),
            token("finding-code", "finding.itemCodeableConcept"),
            reference("finding-ref", "finding.itemReference"),
            reference("investigation", "investigation.item"),
            reference("previous", "previous"),
            reference("problem", "problem"),
            reference("supporting-info", "supportingInfo"),
        ],
    ),
    ("CodeSystem", CANONICAL),
    (
        "Communication",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            BASED_ON,
            PART_OF,
            date("sent", "sent"),
            date("received", "received"),
            reference("recipient", "recipient"),
            reference("sender", "sender"),
        ],
    ),
    (
        "Composition",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            TYPE,
            date("date", "date"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            reference("author", "author"),
            reference("entry", "section.entry"),
        ],
    ),
    (
        "Condition",
        &[
            IDENTIFIER,
            CATEGORY,
            CODE,
            token("clinical-status", "clinicalStatus"),
            token("verification-status", "verificationStatus"),
            date("onset-date", "onsetDateTime|onsetPeriod"),
            date("recorded-date", "recordedDate"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            reference("asserter", "asserter"),
        ],
    ),
    (
        "Consent",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            token("scope", "scope"),
            date("date", "dateTime"),
            date("period", "provision.period"),
            patient("patient"),
            reference("actor", "provision.actor.reference"),
            reference("organization", "organization"),
        ],
    ),
    (
        "DocumentReference",
        &[
            token("identifier", "masterIdentifier|identifier"),
            STATUS,
            CATEGORY,
            TYPE,
            date("date", "date"),
            date("period", "context.period"),
            SUBJECT,
            PATIENT,
            reference("encounter", "context.encounter"),
            reference("author", "author"),
            reference("related", "context.related"),
            reference("relatesto", "relatesTo.target"),
            token("security-label", "securityLabel"),
        ],
    ),
    (
        "Encounter",
        &[
            IDENTIFIER,
            STATUS,
            TYPE,
            token("class", "class"),
            date("date", "period"),
            SUBJECT,
            PATIENT,
            BASED_ON,
            PART_OF,
            reference("appointment", "appointment"),
            reference("diagnosis", "diagnosis.condition"),
            reference("episode-of-care", "episodeOfCare"),
            reference("participant", "participant.individual"),
            only("practitioner", "participant.individual", "Practitioner"),
            reference("reason-reference", "reasonReference"),
            reference("service-provider", "serviceProvider"),
        ],
    ),
    (
        "EpisodeOfCare",
        &[
            IDENTIFIER,
            STATUS,
            TYPE,
            date("date", "period"),
            patient("patient"),
            only("care-manager", "careManager", "Practitioner"),
            reference("condition", "diagnosis.condition"),
            reference("organization", "managingOrganization"),
        ],
    ),
    (
        "Flag",
        &[
            IDENTIFIER,
            date("date", "period"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            reference("author", "author"),
        ],
    ),
    (
        "Goal",
        &[
            IDENTIFIER,
            CATEGORY,
            token("lifecycle-status", "lifecycleStatus"),
            token("achievement-status", "achievementStatus"),
            date("start-date", "startDate"),
            date("target-date", "target.dueDate"),
            SUBJECT,
            PATIENT,
        ],
    ),
    ("Group", &[IDENTIFIER, TYPE, CODE, reference("member", "member.entity")]),
    ("Location", &[IDENTIFIER, STATUS, TYPE, text("name", "name|alias")]),
    (
        "Observation",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            CODE,
            date("date", "effectiveDateTime|effectivePeriod|effectiveInstant"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            BASED_ON,
            PART_OF,
            reference("derived-from", "derivedFrom"),
            reference("focus", "focus"),
            reference("has-member", "hasMember"),
            reference("performer", "performer"),
            token("value-concept", "valueCodeableConcept"),
        ],
    ),
    ("Organization", &[IDENTIFIER, TYPE, token("active", "active"), text("name", "name|alias")]),
    (
        "Patient",
        &[
            IDENTIFIER,
            NAME,
            text("family", "name.family"),
            text("given", "name.given"),
            date("birthdate", "birthDate"),
            token("gender", "gender"),
            token("active", "active"),
            reference("general-practitioner", "generalPractitioner"),
            reference("organization", "managingOrganization"),
        ],
    ),
    ("PlanDefinition", CANONICAL),
    (
        "Practitioner",
        &[
            IDENTIFIER,
            NAME,
            text("family", "name.family"),
            text("given", "name.given"),
            token("active", "active"),
        ],
    ),
    (
        "PractitionerRole",
        &[
            IDENTIFIER,
            token("role", "code"),
            token("active", "active"),
            reference("practitioner", "practitioner"),
            reference("organization", "organization"),
        ],
    ),
    (
        "Procedure",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            CODE,
            date("date", "performedDateTime|performedPeriod"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            BASED_ON,
            PART_OF,
            reference("performer", "performer.actor"),
            reference("reason-reference", "reasonReference"),
        ],
    ),
    (
        "Provenance",
        &[
            date("recorded", "recorded"),
            reference("target", "target"),
            patient("target"),
            reference("agent", "agent.who"),
            reference("entity", "entity.what"),
        ],
    ),
    ("Questionnaire", CANONICAL),
    (
        "QuestionnaireResponse",
        &[
            IDENTIFIER,
            STATUS,
            date("authored", "authored"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            BASED_ON,
            PART_OF,
            reference("author", "author"),
            reference("source", "source"),
            reference("questionnaire", "questionnaire"),
        ],
    ),
    (
        "RelatedPerson",
        &[IDENTIFIER, patient("patient"), NAME, token("relationship", "relationship")],
    ),
    (
        "ServiceRequest",
        &[
            IDENTIFIER,
            STATUS,
            CATEGORY,
            CODE,
            token("intent", "intent"),
            date("authored", "authoredOn"),
            date("occurrence", "occurrenceDateTime|occurrencePeriod"),
            SUBJECT,
            PATIENT,
            ENCOUNTER,
            BASED_ON,
            reference("requester", "requester"),
            reference("performer", "performer"),
        ],
    ),
    ("StructureDefinition", CANONICAL),
    (
        "Task",
        &[
            IDENTIFIER,
            STATUS,
            CODE,
            token("intent", "intent"),
            date("authored-on", "authoredOn"),
            date("modified", "lastModified"),
            date("period", "executionPeriod"),
            reference("subject", "for"),
            patient("for"),
            ENCOUNTER,
            BASED_ON,
            PART_OF,
            reference("focus", "focus"),
            reference("owner", "owner"),
            reference("requester", "requester"),
        ],
    ),
    ("ValueSet", CANONICAL),
];

/// The names of the types that this server knows.
pub(super) fn types(behaviour: &Behaviour) -> impl Iterator<Item = &'static str> {
    let names = TYPES.iter().map(|(name, _)| *name);
    names.filter(|name| {
        let is_taken = |surface: &Surface| surface.of(name).is_some();
        !behaviour.without.contains(name) && behaviour.surface.as_ref().is_none_or(is_taken)
    })
}

/// Whether this server knows a type.
pub(super) fn is_known(resource_type: &str, behaviour: &Behaviour) -> bool {
    types(behaviour).any(|name| name == resource_type)
}

/// The search parameters of a type, those that every type has first.
pub(super) fn parameters(
    resource_type: &str,
    behaviour: &Behaviour,
) -> impl Iterator<Item = Parameter> {
    let own = TYPES.iter().find(|(name, _)| *name == resource_type).map(|(_, own)| *own);
    let without_identifier = !behaviour.search_by_identifier;
    let listed = behaviour.surface.as_ref().map(|surface| surface.of(resource_type));
    COMMON
        .iter()
        .chain(own.unwrap_or_default())
        .filter(move |parameter| !(without_identifier && parameter.name == "identifier"))
        .filter_map(move |parameter| match listed {
            None => Some(*parameter),
            Some(taken) => Some(Parameter { name: taken?.listed(parameter.name)?, ..*parameter }),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_and_parameters_have_one_meaning() {
        let names: Vec<&str> = types(&Behaviour::default()).collect();
        assert!(names.is_sorted() && !names.is_empty());
        for name in names {
            let mut seen = std::collections::BTreeSet::new();
            for parameter in parameters(name, &Behaviour::default()) {
                assert!(seen.insert(parameter.name), "{name}: {}", parameter.name);
            }
        }
    }
}
