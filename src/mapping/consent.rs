//! Consents ⇄ Consent.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::consent::{Consent, ConsentKind, ConsentStatus, Period};
use crate::json::Object;
use crate::mapping::chart::Chart;
use crate::mapping::code::{code_in, coding, concept, hl7, own, system};
use crate::mapping::element::text;
use crate::mapping::narrative::Narrative;
use crate::mapping::writer::Writer;
use crate::object;

pub(super) fn write(writer: &mut Writer<'_>) {
    for consent in &writer.plan.consents {
        write_one(writer, consent);
    }
}

/// The scope, the category and the rule of each kind (consentscope, v3-ActCode, consentpolicycodes).
fn codes(kind: ConsentKind) -> (Object, Object, Object) {
    let privacy = || hl7("consentscope", "patient-privacy", "Privacy Consent");
    let disclosure = || coding(system::ACT_CODE, "IDSCL", "information disclosure");
    let hipaa = || concept(hl7("consentpolicycodes", "hipaa-auth", "HIPAA Authorization"));
    match kind {
        ConsentKind::Treatment => (
            hl7("consentscope", "treatment", "Treatment"),
            coding(system::LOINC, "59284-0", "Patient Consent"),
            object! { "text" => kind.display() },
        ),
        ConsentKind::Disclosure | ConsentKind::PsychotherapyNotes => {
            (privacy(), disclosure(), hipaa())
        }
        ConsentKind::Part2Disclosure => (
            privacy(),
            disclosure(),
            concept(coding(system::ACT_CODE, "42CFRPart2", "42 CFR Part2")),
        ),
    }
}

/// What kind of information a consent is confined to.
fn label(kind: ConsentKind) -> Option<Object> {
    let display = match kind {
        ConsentKind::PsychotherapyNotes => {
            ("PSYTHPN", "psychotherapy note information sensitivity")
        }
        ConsentKind::Part2Disclosure => ("SUD", "substance use disorder information sensitivity"),
        ConsentKind::Treatment | ConsentKind::Disclosure => return None,
    };
    Some(coding(system::ACT_CODE, display.0, display.1))
}

fn write_one(writer: &mut Writer<'_>, consent: &Consent) {
    let (scope, category, rule) = codes(consent.kind);
    let role = hl7("v3-ParticipationType", "IRCP", "information recipient");
    let actor = consent.recipient.as_ref().map(|recipient| {
        vec![object! {
            "role" => concept(role),
            "reference" => object! { "display" => recipient },
        }]
    });
    let period = consent.period.as_ref().map(|period| {
        object! {
            "start" => period.start.as_ref().map(PartialDate::as_str),
            "end" => period.end.as_ref().map(PartialDate::as_str),
        }
    });
    let treatment =
        coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREAT", "treatment");
    let elements = object! {
        "status" => consent.status.code(),
        "scope" => object! { "coding" => vec![scope], "text" => consent.scope.as_ref() },
        "category" => vec![object! { "coding" => vec![category, own!(consent.kind)] }],
        "patient" => writer.client(),
        "policyRule" => rule,
        // The root rule of R4 has no type (Consent.provision.type: "Not permitted in root rule").
        "provision" => object! {
            "period" => period,
            "actor" => actor,
            "securityLabel" => label(consent.kind).map(|label| vec![label]),
            // A purpose is part of what the client signed: none is told but where the kind itself says it.
            "purpose" => (consent.kind == ConsentKind::Treatment).then(|| vec![treatment]),
        },
    };
    let words = format!("{}: {}", consent.kind.display(), consent.status.display());
    writer.add("Consent", &consent.id, Narrative::line(&words), elements);
}

pub(super) fn read(chart: &Chart<'_>) -> Vec<Consent> {
    chart
        .in_order_of("supportingInfo", "Consent")
        .into_iter()
        .filter_map(|(local, consent)| read_one(local, consent))
        .collect()
}

fn read_one(local: &str, consent: &Resource) -> Option<Consent> {
    let kind = consent.items("category").find_map(|category| code_in(category, system::CONCEPT))?;
    let provision = consent.get("provision");
    let actor = provision.and_then(|provision| provision.items("actor").next());
    let period = provision.and_then(|provision| provision.get("period")).map(|period| {
        let side = |name| period.text(name).and_then(|text| PartialDate::parse(text).ok());
        Period { start: side("start"), end: side("end") }
    });
    Some(Consent {
        id: local.to_owned(),
        kind: ConsentKind::from_code(kind)?,
        scope: consent.get("scope").and_then(|scope| text(scope, "text")),
        recipient: actor.and_then(|actor| text(actor.get("reference")?, "display")),
        period,
        status: ConsentStatus::from_code(consent.text("status")?)?,
    })
}
