//! Diagnosis ⇄ Condition. Codes are those of the record; none is derived from another.

use crate::date::PartialDate;
use crate::fhir::Resource;
use crate::ipt::plan::{ClinicalStatus, Diagnosis, VerificationStatus};
use crate::mapping::chart::Chart;
use crate::mapping::code::{self, concept, hl7};
use crate::mapping::element::{codings, notes, read_coding, text, typed_note};
use crate::mapping::narrative::Narrative;
use crate::mapping::readable::judged;
use crate::mapping::writer::Writer;
use crate::object;

/// Words before a diagnosis' rank in its note.
const RANK: &str = "Rank ";

pub(super) fn write(writer: &mut Writer<'_>) {
    for diagnosis in &writer.plan.diagnoses {
        write_one(writer, diagnosis);
    }
}

fn write_one(writer: &mut Writer<'_>, diagnosis: &Diagnosis) {
    let as_written = diagnosis.as_written.as_ref();
    // R4's Condition has no rank; the order in CarePlan.addresses shows it, the note keeps it.
    let rank = diagnosis.rank.map(|rank| format!("{RANK}{rank}"));
    let clinical = diagnosis.clinical_status;
    let verification = diagnosis.verification_status;
    let elements = object! {
        "clinicalStatus" => clinical.map(|status| {
            concept(hl7("condition-clinical", status.code(), status.display()))
        }),
        "verificationStatus" =>
            concept(hl7("condition-ver-status", verification.code(), verification.display())),
        "category" =>
            vec![concept(hl7("condition-category", "problem-list-item", "Problem List Item"))],
        "code" => object! { "coding" => codings(&diagnosis.codings), "text" => &diagnosis.text },
        "subject" => writer.client(),
        "onsetDateTime" => diagnosis.onset.as_ref().map(PartialDate::as_str),
        "recordedDate" => diagnosis.recorded.as_ref().map(PartialDate::as_str),
        "note" => vec![
            as_written.map(|text| typed_note(code::DIAGNOSIS_AS_WRITTEN, text)),
            rank.map(|text| typed_note(code::DIAGNOSIS_RANK, &text)),
        ],
    };
    let words = format!("Diagnosis: {}", judged(diagnosis));
    writer.add("Condition", &diagnosis.id, Narrative::line(&words), elements);
}

/// The diagnoses in the order of the CarePlan.
pub(super) fn read(chart: &Chart<'_>) -> Vec<Diagnosis> {
    chart
        .in_order_of("addresses", "Condition")
        .into_iter()
        .filter_map(|(local, condition)| read_one(local, condition))
        .collect()
}

fn read_one(local: &str, condition: &Resource) -> Option<Diagnosis> {
    let concept = condition.get("code")?;
    let status = |name| condition.get(name)?.items("coding").next()?.text("code");
    let date = |name| condition.text(name).and_then(|text| PartialDate::parse(text).ok());
    let note =
        |kind| notes(condition.items("note"), Some(kind)).next().and_then(|note| note.text("text"));
    let rank = note(code::DIAGNOSIS_RANK).and_then(|text| text.strip_prefix(RANK));
    Some(Diagnosis {
        id: local.to_owned(),
        text: text(concept, "text")?,
        as_written: note(code::DIAGNOSIS_AS_WRITTEN).map(str::to_owned),
        codings: concept.items("coding").filter_map(read_coding).collect(),
        rank: rank.and_then(|number| number.parse().ok()),
        clinical_status: status("clinicalStatus").and_then(ClinicalStatus::from_code),
        verification_status: VerificationStatus::from_code(status("verificationStatus")?)?,
        onset: date("onsetDateTime"),
        recorded: date("recordedDate"),
    })
}
