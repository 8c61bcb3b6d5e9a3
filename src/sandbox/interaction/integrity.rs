//! Referential integrity: after a write no reference on this server leads nowhere.
//!
//! R4 leaves it to the server whether references are checked. The CapabilityStatement says that they are
//! (`referencePolicy` is `enforced`), so a write that breaks it is 400: "if an instance fails the constraints
//! documented in the CapabilityStatement then the response should be a 400" (3.1.0.4.2, 3.1.0.8). A delete that
//! must not happen is 409: "because of reasons specific to that resource, such as referential integrity" (3.1.0.7).

use crate::fhir::reference::for_each_reference;
use crate::fhir::{Reference, ResourceId};
use crate::json::Value;
use crate::sandbox::answer::Refusal;
use crate::sandbox::search::reference::local;

use super::Ehr;

/// Refuses what was written since a revision if it left a reference without its target.
pub(super) fn check(ehr: &Ehr, before: usize) -> Result<(), Refusal> {
    if !ehr.behaviour.referential_integrity || ehr.store.revision() == before {
        return Ok(());
    }
    let mut deleted = Vec::new();
    for (id, version) in ehr.store.since(before) {
        match &version.resource {
            Some(resource) => {
                for value in resource.object().iter().map(|(_, value)| value) {
                    check_targets(ehr, value)?;
                }
            }
            None => deleted.push(id),
        }
    }
    deleted.retain(|id| ehr.store.current(id).is_none());
    let still_used = !deleted.is_empty()
        && ehr.store.all_current().any(|(_, resource)| {
            resource.object().iter().any(|(_, value)| refers_to(ehr, value, &deleted))
        });
    if still_used {
        return Err(Refusal::new(409, "conflict", "another resource refers to the one to delete"));
    }
    Ok(())
}

fn check_targets(ehr: &Ehr, value: &Value) -> Result<(), Refusal> {
    let mut dangling = false;
    for_each_reference(value, &mut |text| {
        dangling |= match local(text, &ehr.base) {
            Some(target) => ehr.store.current(&target).is_none(),
            None => !matches!(
                Reference::parse(text),
                Some(Reference::Absolute(_) | Reference::Contained(_))
            ),
        };
    });
    if dangling {
        Err(Refusal::new(400, "not-found", "a reference leads to a resource that is not here"))
    } else {
        Ok(())
    }
}

fn refers_to(ehr: &Ehr, value: &Value, deleted: &[&ResourceId]) -> bool {
    let mut found = false;
    for_each_reference(value, &mut |text| {
        found |= local(text, &ehr.base).is_some_and(|target| deleted.contains(&&target));
    });
    found
}
