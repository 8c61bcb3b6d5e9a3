//! The Patient of a link: what identified them when a person confirmed the link, and whether it still does.
//!
//! Before anything is written the Patient is read again (W2): merged, inactive, deceased, or with another
//! identifier or birth date than at the time of the link, and nothing is written. A server that was restored empty
//! and hands out the same ids again has somebody else under the same one.

use crate::fhir::Resource;
use crate::json::Value;
use crate::store::{Link, digest};

/// Why a Patient can't be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatientFault {
    /// There is no such Patient.
    #[error("there is no such Patient any more")]
    Gone,
    /// `active` is false.
    #[error("the Patient is not active")]
    Inactive,
    /// The Patient was merged into another.
    #[error("the Patient was merged into another one")]
    Replaced,
    /// The Patient died.
    #[error("the Patient has died")]
    Deceased,
    /// Something that identified the Patient is different now.
    #[error("the Patient's identifiers or birth date are not those of the time of the link")]
    Different,
}

/// Digests of what identifies a Patient: each identifier and the birth date, or the names where there is neither.
///
/// More identifiers later are fine; one that is missing or changed is not.
pub fn patient_marks(patient: &Resource) -> Vec<String> {
    let text = |value: &Value, name: &str| value.text(name).unwrap_or_default().to_owned();
    let identifiers = patient
        .items("identifier")
        .map(|identifier| format!("{}|{}", text(identifier, "system"), text(identifier, "value")));
    let birth_date = patient.text("birthDate").map(|date| format!("birthDate|{date}"));
    let mut marks: Vec<String> = identifiers.chain(birth_date).collect();
    if marks.is_empty() {
        marks.extend(patient.items("name").map(Value::to_text));
    }
    marks.iter().map(|mark| digest(mark)).collect()
}

/// Whether a Patient can take records at all; asked before linking, too.
///
/// # Errors
/// The first [`PatientFault`] found.
pub fn check_patient(patient: &Resource) -> Result<(), PatientFault> {
    if patient.get("active").and_then(Value::as_bool) == Some(false) {
        return Err(PatientFault::Inactive);
    }
    if patient.items("link").any(|link| link.text("type") == Some("replaced-by")) {
        return Err(PatientFault::Replaced);
    }
    let has_died = patient.get("deceasedBoolean").and_then(Value::as_bool) == Some(true)
        || patient.get("deceasedDateTime").is_some();
    if has_died { Err(PatientFault::Deceased) } else { Ok(()) }
}

/// Whether this is still the Patient of the link.
pub(super) fn check_linked(patient: &Resource, link: &Link) -> Result<(), PatientFault> {
    check_patient(patient)?;
    let marks = patient_marks(patient);
    if link.patient_marks.iter().all(|mark| marks.contains(mark)) {
        Ok(())
    } else {
        Err(PatientFault::Different)
    }
}
