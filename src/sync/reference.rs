//! The resources that a person linked besides the Patient: what identified each then, and whether it still does.
//!
//! A note that names an Encounter stands in that visit of the chart. So the Encounter is read again before each write,
//! as the Patient is (W2, W3): about another Patient, called off, or at another time than at the link, and nothing is
//! written. A server that was restored hands out old ids for other visits.

use crate::date::Instant;
use crate::fhir::{Resource, ResourceId};
use crate::json::Value;
use crate::store::{Link, ReferenceLink, digest};

use super::identity::is_about;
use super::patient::identifiers;

/// Why a resource can't be referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceFault {
    /// There is no such resource.
    #[error("there is no such resource any more")]
    Gone,
    /// The answer holds another resource than was asked for.
    #[error("the answer holds another resource")]
    Another,
    /// Its type can't stand in the place for which it was linked: a Patient is no therapist.
    #[error("a resource of this type can't stand in its place")]
    Misplaced,
    /// The Encounter is not the linked Patient's.
    #[error("the Encounter is not about the linked Patient")]
    OtherSubject,
    /// The Encounter was called off or entered by mistake.
    #[error("the Encounter was cancelled or entered in error")]
    Void,
    /// The Practitioner or Organization is not active, or the Location not in use.
    #[error("it is not active")]
    Inactive,
    /// There is nothing by which another one under the same id would be noticed.
    #[error("it has no identifier, time or name")]
    Unmarked,
    /// Something that identified it is different now.
    #[error("its identifiers, time or name are not those of the time of the link")]
    Different,
}

/// Digests of what identifies a resource that was linked.
///
/// Of an Encounter its identifiers and when it began, to the second and whatever the time zone it is written in; its end
/// comes later, and whose it is, is asked each time. Of others their identifiers, and their names where there are none.
pub fn reference_marks(resource: &Resource) -> Vec<String> {
    let mut marks: Vec<String> = identifiers(resource).collect();
    if resource.resource_type() == "Encounter" {
        let start = resource.get("period").and_then(|period| period.text("start"));
        marks.extend(start.map(|start| format!("start|{}", moment(start))));
    } else if marks.is_empty() {
        match resource.get("name") {
            Some(Value::Array(names)) => marks.extend(names.iter().map(Value::to_text)),
            name => marks.extend(name.and_then(Value::as_str).map(|name| format!("name|{name}"))),
        }
    }
    marks.iter().map(|mark| digest(mark)).collect()
}

/// A moment in one spelling; a day as it is written.
fn moment(text: &str) -> String {
    let instant = Instant::parse(text).ok().and_then(|instant| instant.timestamp());
    instant.map_or_else(|| text.to_owned(), |instant| instant.as_second().to_string())
}

/// Whether a resource can be referred to at all from what is about this Patient; asked before linking, too.
///
/// # Errors
/// The first [`ReferenceFault`] found.
pub fn check_target(
    resource: &Resource,
    patient: &ResourceId,
    base_url: &str,
) -> Result<(), ReferenceFault> {
    let status = resource.text("status");
    match resource.resource_type() {
        "Encounter" if !is_about(resource, patient, base_url) => {
            return Err(ReferenceFault::OtherSubject);
        }
        "Encounter" if matches!(status, Some("cancelled" | "entered-in-error")) => {
            return Err(ReferenceFault::Void);
        }
        "Location" if matches!(status, Some("suspended" | "inactive")) => {
            return Err(ReferenceFault::Inactive);
        }
        _ => {}
    }
    if resource.get("active").and_then(Value::as_bool) == Some(false) {
        return Err(ReferenceFault::Inactive);
    }
    if reference_marks(resource).is_empty() { Err(ReferenceFault::Unmarked) } else { Ok(()) }
}

/// Whether this is still what a person linked, and can be referred to from what is about the Patient of `link`.
///
/// # Errors
/// The first [`ReferenceFault`] found.
pub fn check_reference(
    resource: &Resource,
    reference: &ReferenceLink,
    link: &Link,
) -> Result<(), ReferenceFault> {
    let target = &reference.target;
    if resource.resource_type() != target.resource_type()
        || resource.id().is_some_and(|id| id != target.id())
    {
        return Err(ReferenceFault::Another);
    }
    check_target(resource, &link.patient, &link.base_url)?;
    let marks = reference_marks(resource);
    if !reference.marks.is_empty() && reference.marks.iter().all(|mark| marks.contains(mark)) {
        Ok(())
    } else {
        Err(ReferenceFault::Different)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(text: &str) -> Resource {
        Resource::parse(text.as_bytes()).unwrap()
    }

    fn encounter(subject: &str, status: &str, start: &str, more: &str) -> Resource {
        resource(&format!(
            r#"{{"resourceType":"Encounter","id":"7","status":"{status}","subject":{{"reference":"{subject}"}},
                "period":{{"start":"{start}"{more}}}}}"#
        ))
    }

    fn link() -> Link {
        Link {
            ehr: "clinic".into(),
            base_url: "https://ehr.example.org/fhir".into(),
            plan: digest("plan"),
            record: crate::phi::Phi::new("ann.json".into()),
            client: digest("Ann"),
            patient: "Patient/1".parse().unwrap(),
            practitioner: None,
            patient_marks: vec![digest("a")],
            linked_at: "2026-03-02T10:00:00Z".parse().unwrap(),
        }
    }

    fn reference(target: &str, to: &Resource) -> ReferenceLink {
        ReferenceLink {
            ehr: "clinic".into(),
            plan: digest("plan"),
            item: uuid::Uuid::from_u128(1),
            target: target.parse().unwrap(),
            marks: reference_marks(to),
            linked_at: link().linked_at,
        }
    }

    #[test]
    fn an_encounter_is_the_same_visit_of_the_same_patient_or_none() {
        let then = encounter("Patient/1", "in-progress", "2026-03-02T23:30:00-05:00", "");
        let reference = reference("Encounter/7", &then);
        let check = |resource: &Resource| check_reference(resource, &reference, &link());
        assert_eq!(check(&then), Ok(()));
        // Ended since, written in another zone, referred to as a whole.
        let end = r#","end":"2026-03-03T05:20:00Z""#;
        let whole = "https://ehr.example.org/fhir/Patient/1";
        assert_eq!(check(&encounter(whole, "finished", "2026-03-03T04:30:00Z", end)), Ok(()));
        let start = "2026-03-02T23:30:00-05:00";
        for (now, fault) in [
            (encounter("Patient/2", "finished", start, ""), ReferenceFault::OtherSubject),
            (
                encounter("https://other.example/fhir/Patient/1", "finished", start, ""),
                ReferenceFault::OtherSubject,
            ),
            (encounter("Group/1", "finished", start, ""), ReferenceFault::OtherSubject),
            (encounter("Patient/1", "cancelled", start, ""), ReferenceFault::Void),
            (encounter("Patient/1", "entered-in-error", start, ""), ReferenceFault::Void),
            (
                encounter("Patient/1", "finished", "2026-03-02T23:30:00Z", ""),
                ReferenceFault::Different,
            ),
            (
                resource(r#"{"resourceType":"Encounter","id":"8","status":"finished"}"#),
                ReferenceFault::Another,
            ),
            (resource(r#"{"resourceType":"Appointment","id":"7"}"#), ReferenceFault::Another),
            (
                resource(
                    r#"{"resourceType":"Encounter","id":"7","subject":{"reference":"Patient/1"}}"#,
                ),
                ReferenceFault::Unmarked,
            ),
            (
                resource(r#"{"resourceType":"Encounter","id":"7","period":{"start":"2026"}}"#),
                ReferenceFault::OtherSubject,
            ),
        ] {
            assert_eq!(check(&now), Err(fault), "{}", now.to_text());
        }
        let unmarked = ReferenceLink { marks: Vec::new(), ..reference.clone() };
        assert_eq!(check_reference(&then, &unmarked, &link()), Err(ReferenceFault::Different));
    }

    #[test]
    fn a_reused_id_of_a_person_or_place_is_noticed() {
        let npi = r#""identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"1"}]"#;
        for (then, married, other) in [
            (
                format!(
                    r#"{{"resourceType":"Practitioner","id":"2",{npi},"name":[{{"family":"A"}}]}}"#
                ),
                Some(format!(
                    r#"{{"resourceType":"Practitioner","id":"2",{npi},"name":[{{"family":"B"}}]}}"#
                )),
                r#"{"resourceType":"Practitioner","id":"2","name":[{"family":"A"}]}"#,
            ),
            (
                r#"{"resourceType":"Practitioner","id":"2","name":[{"family":"A"}]}"#.to_owned(),
                None,
                r#"{"resourceType":"Practitioner","id":"2","name":[{"family":"B"}]}"#,
            ),
            (
                r#"{"resourceType":"Organization","id":"2","name":"A"}"#.to_owned(),
                None,
                r#"{"resourceType":"Organization","id":"2","name":"B"}"#,
            ),
        ] {
            let then = resource(&then);
            let target = format!("{}/2", then.resource_type());
            let reference = reference(&target, &then);
            assert_eq!(check_reference(&then, &reference, &link()), Ok(()));
            if let Some(married) = married {
                assert_eq!(check_reference(&resource(&married), &reference, &link()), Ok(()));
            }
            let other = check_reference(&resource(other), &reference, &link());
            assert_eq!(other, Err(ReferenceFault::Different));
        }
        let patient = link().patient;
        for (text, fault) in [
            (
                r#"{"resourceType":"Practitioner","active":false,"name":[{"family":"A"}]}"#,
                ReferenceFault::Inactive,
            ),
            (
                r#"{"resourceType":"Location","status":"inactive","name":"A"}"#,
                ReferenceFault::Inactive,
            ),
            (r#"{"resourceType":"Organization"}"#, ReferenceFault::Unmarked),
        ] {
            assert_eq!(check_target(&resource(text), &patient, ""), Err(fault), "{text}");
        }
    }
}
