//! Identity: two business identifiers on every resource, and the UUID that names it everywhere else.
//!
//! `sid/item` is a UUIDv5 of the plan item. It says nothing of a person, so it is the only one that may stand in a
//! URL, a log or a footer. `sid/plan-item` is `{plan id}/{local id}`, which may hold a name: it stands in bodies
//! only, and is what the way back is found by.
//!
//! The same record gives the same UUIDs on every machine, so a second run finds what the first one wrote.

use uuid::Uuid;

/// The canonical base of everything that we define. `profiles/README.md` says how to change it.
pub const BASE: &str = "https://ipt-fhir.org/fhir";
/// System of the opaque identifier.
pub const ITEM_SYSTEM: &str = "https://ipt-fhir.org/fhir/sid/item";
/// System of the readable identifier, for bodies only.
pub const PLAN_ITEM_SYSTEM: &str = "https://ipt-fhir.org/fhir/sid/plan-item";
/// System of the plan's revision.
pub const REVISION_SYSTEM: &str = "https://ipt-fhir.org/fhir/sid/plan-revision";

/// The names of resources that no item of the record owns, and of those that belong to an item.
pub mod derived {
    /// The CarePlan.
    pub const CARE_PLAN: &str = "@care-plan";
    /// The CareTeam.
    pub const CARE_TEAM: &str = "@care-team";
    /// The Observation of the client's age.
    pub const AGE: &str = "@age";
    /// The answers of the interpersonal inventory.
    pub const INVENTORY: &str = "@inventory";
    /// The ClinicalImpression.
    pub const FORMULATION: &str = "@formulation";
    /// The answers of the suitability screening.
    pub const SCREENING: &str = "@screening";
    /// The answers of the relapse prevention plan.
    pub const RELAPSE_PREVENTION: &str = "@relapse-prevention";
    /// The readable plan.
    pub const DOCUMENT: &str = "@document";
    /// The note of the plan, and after a session's id that of a session.
    pub const NOTE: &str = "@note";
    /// The Appointment of a session.
    pub const APPOINTMENT: &str = "@appointment";
    /// The Procedure of a session.
    pub const PROCEDURE: &str = "@procedure";
    /// The summary of a session.
    pub const SUMMARY: &str = "@summary";
    /// The judgement of risk in a session.
    pub const RISK: &str = "@risk";
    /// The single answers behind a score.
    pub const ITEMS: &str = "@items";
    /// How a goal stood at a session; the goal's id follows.
    pub const PROGRESS: &str = "@progress-";
}

/// Makes the identifiers of one plan's resources.
#[derive(Debug, Clone)]
pub struct Identity {
    namespace: Uuid,
    plan_id: String,
}

impl Identity {
    /// The identity of a plan's resources. A namespace of one's own keeps two clinics apart that import the same
    /// record.
    pub fn new(plan_id: &str, namespace: Option<Uuid>) -> Self {
        let namespace = namespace.unwrap_or_else(default_namespace);
        Self { namespace, plan_id: plan_id.to_owned() }
    }

    /// The plan item of a local item: `{plan id}/{local}`.
    pub fn plan_item(&self, local: &str) -> String {
        format!("{}/{local}", self.plan_id)
    }

    /// The opaque identifier of a local item.
    pub fn item(&self, local: &str) -> Uuid {
        Uuid::new_v5(&self.namespace, self.plan_item(local).as_bytes())
    }

    /// The opaque identifier of the plan itself: what a log may call it.
    pub fn plan(&self) -> Uuid {
        self.item(derived::CARE_PLAN)
    }
}

/// The namespace unless a clinic sets its own: UUIDv5 of the URL of the `sid/plan-item` system.
pub fn default_namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, PLAN_ITEM_SYSTEM.as_bytes())
}

/// The `urn:uuid:` of an item: its `fullUrl` in a Bundle.
pub fn urn(item: Uuid) -> String {
    format!("urn:uuid:{item}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_never_changes() {
        let identity = Identity::new("john-lee-ipt", None);
        assert_eq!(identity.plan_item("goal-1"), "john-lee-ipt/goal-1");
        assert_eq!(identity.item("goal-1"), Identity::new("john-lee-ipt", None).item("goal-1"));
        assert_ne!(identity.item("goal-1"), identity.item("goal-2"));
        let other = Identity::new("john-lee-ipt", Some(Uuid::NAMESPACE_DNS));
        assert_ne!(identity.item("goal-1"), other.item("goal-1"));
        // Whoever changes this value orphans every resource that was ever written.
        assert_eq!(identity.item("goal-1").to_string(), "c30c06c5-dc9a-5a23-8fa4-b7ab16faa382");
    }
}
