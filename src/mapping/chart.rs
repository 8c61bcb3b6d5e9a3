//! Resources read back: found by our identifiers, put in order by the CarePlan's references.
//!
//! The same record comes back from a Bundle of ours (references are `urn:uuid:`) and from an EHR (references are
//! `Goal/123`, the order is anybody's).

use std::collections::{BTreeMap, BTreeSet};

use crate::fhir::{Bundle, Resource};
use crate::issue::Issue;
use crate::json::{Pointer, Value};
use crate::mapping::Mapped;
use crate::mapping::element::own_extension;
use crate::mapping::identity::{PLAN_ITEM_SYSTEM, derived};

/// The resources of one plan.
pub(super) struct Chart<'a> {
    entries: Vec<Found<'a>>,
    /// Place in `entries` by full URL and by `Type/id`.
    by_reference: BTreeMap<String, usize>,
    plan_id: &'a str,
    care_plan: usize,
}

struct Found<'a> {
    /// Its place among the Bundle's entries.
    place: usize,
    resource: &'a Resource,
    /// The local part of the plan item; none for a resource that is not of this plan.
    local: Option<&'a str>,
}

/// Why there is no plan to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No CarePlan bears our identifier.
    #[error("no CarePlan that ipt-fhir wrote is among the resources")]
    NoPlan,
    /// There are several.
    #[error("the resources hold {0} plans; give the resources of one")]
    SeveralPlans(usize),
    /// The CarePlan lacks what every plan has, or holds a code that no record knows.
    #[error("the CarePlan lacks title, status or variant, or holds a code that no record knows")]
    Incomplete,
    /// Neither the resources nor the caller tell who the client and the therapist are.
    #[error("neither a Patient and a Practitioner nor a record to take client and therapist from")]
    NoPeople,
}

impl<'a> Chart<'a> {
    pub(super) fn open(bundle: &'a Bundle) -> Result<Self, Error> {
        let mut plans: Vec<(usize, &str)> = Vec::new();
        let mut by_reference = BTreeMap::new();
        let entries = bundle.entries.iter().enumerate().filter_map(|(place, entry)| {
            entry.resource.as_ref().map(|resource| (place, entry.full_url.as_ref(), resource))
        });
        let entries: Vec<_> = entries.collect();
        for (index, (_, full_url, resource)) in entries.iter().enumerate() {
            if let Some(url) = full_url {
                by_reference.insert((*url).clone(), index);
            }
            if let Some(id) = resource.id() {
                by_reference.insert(format!("{}/{id}", resource.resource_type()), index);
            }
            if resource.resource_type() == "CarePlan"
                && let Some((plan, local)) =
                    plan_item(resource).and_then(|item| item.split_once('/'))
                && local == derived::CARE_PLAN
            {
                plans.push((index, plan));
            }
        }
        let (care_plan, plan_id) = match plans.as_slice() {
            [] => return Err(Error::NoPlan),
            [one] => *one,
            several => return Err(Error::SeveralPlans(several.len())),
        };
        let entries = entries
            .into_iter()
            .map(|(place, _, resource)| Found {
                place,
                resource,
                local: local_part(resource, plan_id),
            })
            .collect();
        Ok(Self { entries, by_reference, plan_id, care_plan })
    }

    /// The plan's resources that a mapping does not write again: nothing of them was read.
    pub(super) fn not_among(&self, mapped: &Mapped) -> Vec<Issue> {
        let written: BTreeSet<(&str, &str)> = mapped
            .resources
            .iter()
            .filter_map(|mapped| {
                let resource = &mapped.resource;
                Some((resource.resource_type(), local_part(resource, self.plan_id)?))
            })
            .collect();
        let unread = self.entries.iter().filter(|found| {
            let resource_type = found.resource.resource_type();
            // A RelatedPerson tells nothing that the inventory does not; where that is withheld, nothing is read.
            resource_type != "RelatedPerson"
                && found.local.is_some_and(|local| !written.contains(&(resource_type, local)))
        });
        unread
            .map(|found| {
                let pointer = format!("/entry/{}/resource", found.place);
                let text = format!("a {} of the plan can't be read back", found.resource.resource_type());
                Issue::warning("ipt-map-not-read", Pointer::from(pointer.as_str()), text)
                    .with_help("it lacks something, or holds a code that no record knows; it is not in the record")
            })
            .collect()
    }

    pub(super) const fn plan_id(&self) -> &'a str {
        self.plan_id
    }

    pub(super) fn care_plan(&self) -> &'a Resource {
        // `open` found it there.
        self.entries.get(self.care_plan).map_or(self.first(), |found| found.resource)
    }

    fn first(&self) -> &'a Resource {
        static NONE: std::sync::OnceLock<Resource> = std::sync::OnceLock::new();
        self.entries
            .first()
            .map_or_else(|| NONE.get_or_init(|| Resource::new("CarePlan")), |found| found.resource)
    }

    /// Whether our extensions are still there: an EHR may drop what it does not know.
    pub(super) fn has_extensions(&self) -> bool {
        let (phase, activity) = (own_extension("ipt-phase"), own_extension("ipt-activity"));
        let is = |value: &Value, url: &str| value.text("url") == Some(url);
        let care_plan = self.care_plan();
        care_plan.items("extension").any(|extension| is(extension, &phase))
            || care_plan
                .items("activity")
                .any(|entry| entry.items("extension").any(|extension| is(extension, &activity)))
    }

    /// The plan's resources of a type with their local names, in the order in which they came.
    pub(super) fn of_type(
        &self,
        resource_type: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        self.entries.iter().filter_map(move |found| {
            let local = found.local?;
            (found.resource.resource_type() == resource_type).then_some((local, found.resource))
        })
    }

    /// The plan's resource of a type and local name.
    pub(super) fn find(&self, resource_type: &str, local: &str) -> Option<&'a Resource> {
        self.of_type(resource_type).find(|(name, _)| *name == local).map(|(_, resource)| resource)
    }

    /// The resources of a type that belong to an item: `session-5/score-1`, named by what follows the slash.
    pub(super) fn children(
        &self,
        resource_type: &str,
        parent: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        self.of_type(resource_type).filter_map(move |(local, resource)| {
            Some((local.strip_prefix(parent)?.strip_prefix('/')?, resource))
        })
    }

    /// The resources of a type in the order in which an element of the CarePlan refers to them, then the others.
    pub(super) fn in_order_of(
        &self,
        element: &str,
        resource_type: &str,
    ) -> Vec<(&'a str, &'a Resource)> {
        let order: Vec<&str> =
            self.care_plan().items(element).filter_map(|reference| self.local(reference)).collect();
        let mut found: Vec<_> = self.of_type(resource_type).collect();
        found.sort_by_key(|(local, _)| {
            order.iter().position(|name| name == local).unwrap_or(usize::MAX)
        });
        found
    }

    /// The resource that a Reference refers to.
    pub(super) fn target(&self, reference: &Value) -> Option<&'a Resource> {
        Some(self.found(reference)?.resource)
    }

    /// The local name of what a Reference refers to, if it is of this plan.
    pub(super) fn local(&self, reference: &Value) -> Option<&'a str> {
        self.found(reference)?.local
    }

    /// The type of what a Reference refers to, whether it is here or not.
    pub(super) fn type_of(&self, reference: &'a Value) -> Option<&'a str> {
        if let Some(target) = self.target(reference) {
            return Some(target.resource_type());
        }
        let text = || reference.text("reference")?.rsplit('/').nth(1);
        reference.text("type").or_else(text)
    }

    /// The local part of a plan item of this plan.
    pub(super) fn local_of(&self, plan_item: &'a str) -> Option<&'a str> {
        plan_item.strip_prefix(self.plan_id)?.strip_prefix('/')
    }

    fn found(&self, reference: &Value) -> Option<&Found<'a>> {
        let text = reference.text("reference")?;
        let index = self.by_reference.get(text).or_else(|| {
            // An absolute reference of the server that we read from: its last two steps name the resource.
            let mut steps = text.rsplit('/');
            let id = steps.next()?;
            self.by_reference.get(&format!("{}/{id}", steps.next()?))
        });
        self.entries.get(*index?)
    }
}

/// The plan item that a resource bears: as an identifier, or (QuestionnaireResponse) as a tag.
fn plan_item(resource: &Resource) -> Option<&str> {
    resource.identifier(PLAN_ITEM_SYSTEM).or_else(|| {
        let tags = resource.get("meta")?.items("tag");
        let mut tags = tags.filter(|tag| tag.text("system") == Some(PLAN_ITEM_SYSTEM));
        tags.next()?.text("code")
    })
}

/// The local part of the plan item that a resource bears.
pub(super) fn local_part<'a>(resource: &'a Resource, plan_id: &str) -> Option<&'a str> {
    plan_item(resource)?.strip_prefix(plan_id)?.strip_prefix('/')
}
