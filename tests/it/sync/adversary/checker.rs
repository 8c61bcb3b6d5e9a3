//! The judge: reads what the server holds, and knows nothing of how a run works.

use std::collections::BTreeSet;

use ipt_fhir::fhir::reference::for_each_reference;
use ipt_fhir::fhir::{Resource, ResourceId};
use ipt_fhir::mapping::note::footer_reference;
use ipt_fhir::sandbox::{Running, Version};
use uuid::Uuid;

use super::super::clinic::id_of;

/// Whose is whose.
pub(super) struct Judge {
    /// The Patient of each record.
    pub(super) patients: [ResourceId; 2],
    /// The places of each record's notes.
    pub(super) slots: [BTreeSet<Uuid>; 2],
}

/// A request that was on its way when something happened: the visit that it names was right when it was read.
pub(super) type Race = Option<u64>;

impl Judge {
    /// Looks at every version that a request wrote; how many there were, and the last request that wrote for each record.
    pub(super) fn judge(&self, ehr: &Running, race: Race) -> (u64, [u64; 2]) {
        let (mut judged, mut last) = (0, [0, 0]);
        for id in ehr.resources().iter().map(id_of) {
            for version in ehr.versions(&id) {
                let (Some(request), Some(resource)) = (version.request, &version.resource) else {
                    continue;
                };
                judged += 1;
                // A note's bytes lie beside it; whose they are the note says.
                if id.resource_type() == "Binary" {
                    continue;
                }
                let owner = self.owner(ehr, resource);
                let patient = &self.patients[owner];
                let told: BTreeSet<ResourceId> = references(ehr, resource, "Patient");
                assert_eq!(
                    told.iter().collect::<Vec<_>>(),
                    [patient],
                    "misfiled: {id} of request {request}, record {owner}"
                );
                for visit in references(ehr, resource, "Encounter") {
                    if race == Some(request) {
                        continue;
                    }
                    let of = subject_then(ehr, &visit, &version);
                    assert_eq!(
                        of.as_ref(),
                        Some(patient),
                        "misfiled: {id} of request {request}, record {owner}, in {visit}"
                    );
                }
                last[owner] = last[owner].max(request);
            }
        }
        (judged, last)
    }

    /// Whose words a resource holds: by the items that it names, or by the footer of what is attached.
    fn owner(&self, ehr: &Running, resource: &Resource) -> usize {
        let text = resource.to_text();
        let named = ["-8000-0000-", "-8001-0000-"].map(|items| text.contains(items));
        let footer = ehr.attachment(resource).and_then(|bytes| footer_reference(&bytes));
        let noted =
            footer.map(|footer| self.slots.each_ref().map(|slots| slots.contains(&footer.slot)));
        match (named, noted.unwrap_or_default()) {
            ([true, false], [_, false]) | ([false, false], [true, false]) => 0,
            ([false, true], [false, _]) | ([false, false], [false, true]) => 1,
            other => panic!("nobody's, or two clients' at once: {other:?} {}", id_of(resource)),
        }
    }
}

/// What of a type a resource refers to.
fn references(ehr: &Running, resource: &Resource, resource_type: &str) -> BTreeSet<ResourceId> {
    let mut found = BTreeSet::new();
    let tree = resource.to_value();
    for_each_reference(&tree, &mut |text| {
        let local = text.strip_prefix(ehr.base_url()).unwrap_or(text).trim_start_matches('/');
        let id = local.parse().ok().filter(|id: &ResourceId| id.resource_type() == resource_type);
        found.extend(id);
    });
    found
}

/// Whose a visit was when a version was written; one that was made with it counts as it was made.
fn subject_then(ehr: &Running, visit: &ResourceId, at: &Version) -> Option<ResourceId> {
    let versions = ehr.versions(visit);
    let then = versions.iter().rfind(|one| one.last_updated <= at.last_updated);
    let then = then.or(versions.first())?.resource.as_ref()?;
    then.get("subject")?.text("reference")?.parse().ok()
}
