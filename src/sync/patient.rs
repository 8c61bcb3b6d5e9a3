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
    /// There is nothing by which another person under the same id would be noticed.
    #[error("the Patient has no identifier, birth date or name")]
    Unmarked,
    /// Something that identified the Patient is different now.
    #[error("the Patient's identifiers, birth date or names are not those of the time of the link")]
    Different,
}

/// Digests of what identifies a Patient: each identifier and the birth date, and the names where there is no identifier.
///
/// More identifiers later are fine; one that is missing or changed is not.
pub fn patient_marks(patient: &Resource) -> Vec<String> {
    let mut marks: Vec<String> = identifiers(patient).collect();
    if marks.is_empty() {
        marks.extend(patient.items("name").map(Value::to_text));
    }
    let birth_date = patient.text("birthDate").map(|date| format!("birthDate|{date}"));
    marks.extend(birth_date);
    marks.iter().map(|mark| digest(mark)).collect()
}

/// The identifiers of a resource that have a value, as `system|value`.
pub(super) fn identifiers(resource: &Resource) -> impl Iterator<Item = String> {
    let with_value = |identifier: &Value| {
        let system = identifier.text("system").unwrap_or_default();
        identifier.text("value").map(|value| format!("{system}|{value}"))
    };
    resource.items("identifier").filter_map(with_value)
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
    if has_died {
        return Err(PatientFault::Deceased);
    }
    if patient_marks(patient).is_empty() { Err(PatientFault::Unmarked) } else { Ok(()) }
}

/// Whether this is still the Patient of the link.
///
/// # Errors
/// The first [`PatientFault`] found.
pub fn check_linked(patient: &Resource, link: &Link) -> Result<(), PatientFault> {
    check_patient(patient)?;
    let marks = patient_marks(patient);
    if !link.patient_marks.is_empty() && link.patient_marks.iter().all(|mark| marks.contains(mark))
    {
        Ok(())
    } else {
        Err(PatientFault::Different)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient(members: &str) -> Resource {
        Resource::parse(format!("{{\"resourceType\":\"Patient\"{members}}}").as_bytes()).unwrap()
    }

    #[test]
    fn a_birth_date_alone_does_not_tell_persons_apart() {
        let ann = patient(r#","birthDate":"1990","name":[{"text":"Ann"}]"#);
        let bea = patient(r#","birthDate":"1990","name":[{"text":"Bea"}]"#);
        assert_eq!(patient_marks(&ann).len(), 2);
        assert_ne!(patient_marks(&ann), patient_marks(&bea));
    }

    #[test]
    fn a_patient_without_any_mark_is_refused() {
        for members in ["", r#","gender":"male""#, r#","identifier":[{"system":"urn:x"}]"#] {
            assert_eq!(check_patient(&patient(members)), Err(PatientFault::Unmarked), "{members}");
        }
    }
}
