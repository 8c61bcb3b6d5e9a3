//! What all writers share: identifiers, references, labels and the frame of a resource.

use uuid::Uuid;

use crate::fhir::Resource;
use crate::ipt::plan::{Diagnosis, VerificationStatus};
use crate::ipt::{Plan, PlanStatus};
use crate::json::{Object, Value};
use crate::mapping::identity::{ITEM_SYSTEM, Identity, PLAN_ITEM_SYSTEM, derived, urn};
use crate::mapping::narrative::Narrative;
use crate::mapping::{Options, code, label};
use crate::object;

/// A resource of the mapping with its opaque identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedResource {
    /// The value of `sid/item`, and the UUID of the entry's `fullUrl`.
    pub item: Uuid,
    /// What it tells of, for servers that take one kind and not another.
    pub part: Part,
    /// The resource; its references to other mapped resources are `urn:uuid:`.
    pub resource: Resource,
}

/// What a resource tells of: the kinds that an EHR takes or leaves as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The plan with its goals, and all that is of no other part.
    Plan,
    /// A session: its Encounter or Appointment, Procedures, summary, homework, how goals stood, its judgement of risk.
    Session,
    /// A diagnosis.
    Diagnosis,
    /// A score: its total, and the answers behind it.
    Score,
    /// The client, the therapist: matched in an EHR, never created.
    Person,
}

impl Part {
    /// The part of a resource of a type and local name.
    fn of(plan: &Plan, resource_type: &str, local: &str) -> Self {
        // What belongs to a session is named after it: `session-5/score-1`.
        let of_session = local
            .split_once('/')
            .filter(|(session, _)| plan.sessions.iter().any(|known| known.id == *session));
        match (resource_type, of_session) {
            ("Patient" | "Practitioner", _) => Self::Person,
            ("Condition", _) => Self::Diagnosis,
            ("Encounter" | "Appointment" | "Procedure" | "Task" | "Flag", _) => Self::Session,
            ("DocumentReference", Some(_)) => Self::Session,
            ("Observation", Some((_, name))) if name.starts_with(derived::PROGRESS) => {
                Self::Session
            }
            ("Observation" | "QuestionnaireResponse", Some(_)) => Self::Score,
            _ => Self::Plan,
        }
    }
}

/// Writes the resources of one record, which the policy has already been applied to.
pub(super) struct Writer<'a> {
    pub(super) plan: &'a Plan,
    pub(super) options: &'a Options,
    pub(super) identity: Identity,
    pub(super) resources: Vec<MappedResource>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(plan: &'a Plan, options: &'a Options) -> Self {
        let identity = Identity::new(&plan.id, options.namespace);
        Self { plan, options, identity, resources: Vec::new() }
    }

    /// Adds a resource: type, labels, narrative and identifiers, then its own elements.
    pub(super) fn add(
        &mut self,
        resource_type: &str,
        local: &str,
        narrative: Narrative,
        elements: Object,
    ) {
        let labels = label::labels(self.plan, self.options, resource_type, local);
        let item = self.identity.item(local);
        let plan_item = self.identity.plan_item(local);
        let own = object! { "system" => ITEM_SYSTEM, "value" => item.to_string() };
        // R4's QuestionnaireResponse has one identifier: the plan item goes into a tag.
        let single = resource_type == "QuestionnaireResponse";
        let tag =
            single.then(|| vec![object! { "system" => PLAN_ITEM_SYSTEM, "code" => &plan_item }]);
        let identifier = if single {
            Value::Object(own)
        } else {
            let mut all = vec![own, object! { "system" => PLAN_ITEM_SYSTEM, "value" => plan_item }];
            all.extend(more_identifiers(&elements));
            all.into_iter().collect()
        };
        // A DocumentReference tells its document's labels besides its own (R4 DocumentReference.securityLabel).
        let of_document = (resource_type == "DocumentReference")
            .then(|| labels.iter().cloned().map(code::concept).collect::<Vec<_>>());
        let resource = Resource::new(resource_type)
            .with(object! {
                "meta" => object! { "security" => labels, "tag" => tag },
                "language" => self.plan.language.as_ref(),
                "text" => narrative.into_element(self.plan.language.as_deref()),
            })
            .with(elements)
            .with(object! { "identifier" => identifier, "securityLabel" => of_document });
        let part = Part::of(self.plan, resource_type, local);
        self.resources.push(MappedResource { item, part, resource });
    }

    /// A reference to a resource of this record.
    pub(super) fn reference(&self, local: &str) -> Object {
        object! { "reference" => urn(self.identity.item(local)) }
    }

    /// References to resources of this record, in order.
    pub(super) fn references<'b>(
        &self,
        locals: impl IntoIterator<Item = &'b String>,
    ) -> Vec<Object> {
        locals.into_iter().map(|local| self.reference(local)).collect()
    }

    /// The client.
    pub(super) fn client(&self) -> Object {
        let mut reference = self.reference(&self.plan.client.id);
        reference.put("type", "Patient");
        reference
    }

    /// The therapist; the name makes it readable where the EHR does not know the therapist.
    pub(super) fn therapist(&self) -> Object {
        let mut reference = self.reference(&self.plan.therapist.id);
        reference.put("type", "Practitioner");
        reference.put("display", &self.plan.therapist.name.text);
        reference
    }

    /// The diagnoses that hold: not those that were ruled out or recorded by mistake, which must not be told as a
    /// reason for anything.
    pub(super) fn diagnoses(&self) -> impl Iterator<Item = &'a Diagnosis> {
        self.plan.diagnoses.iter().filter(|diagnosis| {
            use VerificationStatus::{EnteredInError, Refuted};
            !matches!(diagnosis.verification_status, Refuted | EnteredInError)
        })
    }

    /// The status of what stands or falls with the plan: by the words for a draft, for what holds, and for a mistake.
    pub(super) const fn status(&self, draft: &'static str, holds: &'static str) -> &'static str {
        match self.plan.status {
            PlanStatus::Draft => draft,
            PlanStatus::EnteredInError => "entered-in-error",
            _ => holds,
        }
    }

    /// The CarePlan.
    pub(super) fn care_plan(&self) -> Object {
        self.reference(derived::CARE_PLAN)
    }
}

/// Identifiers that a writer gave of its own, to stand behind ours.
fn more_identifiers(elements: &Object) -> Vec<Object> {
    let given = elements.get("identifier").and_then(Value::as_array).unwrap_or_default();
    given.iter().filter_map(|value| value.as_object().cloned()).collect()
}
