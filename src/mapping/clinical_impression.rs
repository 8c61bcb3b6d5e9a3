//! Presenting problem, assessment and prognosis ⇄ ClinicalImpression.

use crate::date::PartialDate;
use crate::ipt::plan::{Assessment, PresentingProblem, Prognosis, PrognosisCode};
use crate::json::Object;
use crate::mapping::chart::Chart;
use crate::mapping::code::{code_in, own, system};
use crate::mapping::element::text;
use crate::mapping::identity::derived;
use crate::mapping::narrative::Narrative;
use crate::mapping::writer::Writer;
use crate::object;

/// Whether the record, as the policy left it, has anything for a ClinicalImpression.
pub(super) fn is_told(writer: &Writer<'_>) -> bool {
    let plan = writer.plan;
    plan.presenting_problem.is_some() || plan.assessment.is_some() || plan.prognosis.is_some()
}

pub(super) fn write(writer: &mut Writer<'_>) {
    if !is_told(writer) {
        return;
    }
    let plan = writer.plan;
    let problem = plan.presenting_problem.as_ref();
    let assessment = plan.assessment.as_ref().map(|assessment| &assessment.text);
    let diagnoses = writer.references(writer.diagnoses().map(|diagnosis| &diagnosis.id));
    let focus = plan.focus_areas.iter().map(|focus| &focus.id);
    let focus = focus.chain(plan.ipaf.iter().map(|ipaf| &ipaf.id));
    let mut findings: Vec<Object> = writer
        .references(focus)
        .into_iter()
        .map(|reference| object! { "itemReference" => reference })
        .collect();
    let symptoms = problem.map(|problem| problem.symptoms.as_slice()).unwrap_or_default();
    findings.extend(symptoms.iter().map(|symptom| {
        object! { "itemCodeableConcept" => object! { "text" => symptom } }
    }));
    let prognosis = plan.prognosis.as_ref().map(|prognosis| {
        let code = prognosis.code.map(|code| vec![own!(code)]);
        vec![object! { "coding" => code, "text" => prognosis.text.as_ref() }]
    });
    let elements = object! {
        "status" => writer.status("in-progress", "completed"),
        "description" => problem.map(|problem| &problem.text),
        "subject" => writer.client(),
        "effectiveDateTime" => plan.date.as_ref().map(PartialDate::as_str),
        "assessor" => writer.therapist(),
        "problem" => diagnoses,
        "summary" => assessment,
        "finding" => findings,
        "prognosisCodeableConcept" => prognosis,
    };
    let words = problem.map(|problem| &problem.text).or(assessment);
    let narrative = Narrative::line(words.map_or("Formulation", String::as_str));
    writer.add("ClinicalImpression", derived::FORMULATION, narrative, elements);
}

/// What the ClinicalImpression tells.
pub(super) struct Formulation {
    pub(super) presenting_problem: Option<PresentingProblem>,
    pub(super) assessment: Option<Assessment>,
    pub(super) prognosis: Option<Prognosis>,
}

pub(super) fn read(chart: &Chart<'_>) -> Formulation {
    let Some(impression) = chart.find("ClinicalImpression", derived::FORMULATION) else {
        return Formulation { presenting_problem: None, assessment: None, prognosis: None };
    };
    let symptoms = impression
        .items("finding")
        .filter_map(|finding| text(finding.get("itemCodeableConcept")?, "text"))
        .collect();
    let presenting_problem = impression
        .text("description")
        .map(|text| PresentingProblem { text: text.to_owned(), symptoms });
    let prognosis = impression.items("prognosisCodeableConcept").next().map(|concept| Prognosis {
        code: code_in(concept, system::CONCEPT).and_then(PrognosisCode::from_code),
        text: text(concept, "text"),
    });
    Formulation {
        presenting_problem,
        assessment: impression.text("summary").map(|text| Assessment { text: text.to_owned() }),
        prognosis,
    }
}
