//! The export policy: what may leave, decided before a single resource is written.
//!
//! The policy is applied to the *record*: what is withheld is taken out of it, references to it included, and only
//! the rest is mapped. So nothing that is withheld can slip into a narrative, a document or a reference, whatever a
//! writer does (mapping.md 4, rule 2). Each withheld part is named in the report; never is anything left out
//! silently.

use std::collections::BTreeSet;

use crate::ipt::{Plan, Relationship};
use crate::json::Pointer;

/// A part of a record that leaves by grant only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// The interpersonal inventory: it is about other people.
    Inventory,
    /// The interpersonal affective focus of DIT.
    Ipaf,
    /// Presenting problem, assessment and prognosis.
    Formulation,
    /// The suitability screening.
    Screening,
    /// The plan against relapse.
    RelapsePrevention,
    /// Judgements of risk.
    Risk,
    /// Consents.
    Consents,
    /// People of the inventory who take part, as resources of their own.
    RelatedPersons,
    /// The record itself as an attachment of the readable plan.
    RecordJson,
}

impl Section {
    /// All sections, in the order in which they are told.
    pub const ALL: [Self; 9] = [
        Self::Inventory,
        Self::Ipaf,
        Self::Formulation,
        Self::Screening,
        Self::RelapsePrevention,
        Self::Risk,
        Self::Consents,
        Self::RelatedPersons,
        Self::RecordJson,
    ];

    /// The section's name on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Ipaf => "ipaf",
            Self::Formulation => "formulation",
            Self::Screening => "screening",
            Self::RelapsePrevention => "relapse-prevention",
            Self::Risk => "risk",
            Self::Consents => "consents",
            Self::RelatedPersons => "related-persons",
            Self::RecordJson => "record-json",
        }
    }

    /// The section of a name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.code() == code)
    }
}

/// What may leave. The default is `minimum`: nothing that needs a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    granted: BTreeSet<Section>,
}

impl Policy {
    /// Nothing that needs a grant.
    pub const fn minimum() -> Self {
        Self { granted: BTreeSet::new() }
    }

    /// Everything.
    pub fn full() -> Self {
        Self { granted: Section::ALL.into_iter().collect() }
    }

    /// The same policy with one more section granted.
    #[must_use]
    pub fn grant(mut self, section: Section) -> Self {
        self.granted.insert(section);
        self
    }

    /// Whether a section may leave.
    pub fn allows(&self, section: Section) -> bool {
        self.granted.contains(&section)
    }
}

/// A part of the record that the policy withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The section for want of whose grant it stays here.
    pub section: Section,
    /// Where it stands in the record.
    pub pointer: Pointer,
}

/// The record without what the policy withholds, and what that is.
pub fn filter(plan: &Plan, policy: &Policy) -> (Plan, Vec<Withheld>) {
    let mut filter = Filter { plan: plan.clone(), withheld: Vec::new() };
    if !policy.allows(Section::RelatedPersons) {
        filter.related_persons();
    }
    if !policy.allows(Section::Inventory) {
        filter.inventory(policy.allows(Section::RelatedPersons));
    }
    if !policy.allows(Section::Ipaf) {
        filter.ipaf();
    }
    if !policy.allows(Section::Formulation) {
        let plan = &mut filter.plan;
        let found = [
            (plan.presenting_problem.take().is_some(), "/presentingProblem"),
            (plan.assessment.take().is_some(), "/assessment"),
            (plan.prognosis.take().is_some(), "/prognosis"),
        ];
        for (_, path) in found.into_iter().filter(|(was_there, _)| *was_there) {
            filter.note(Section::Formulation, path);
        }
    }
    if !policy.allows(Section::Screening) && filter.plan.screening.take().is_some() {
        filter.note(Section::Screening, "/screening");
    }
    if !policy.allows(Section::RelapsePrevention) && filter.plan.relapse_prevention.take().is_some()
    {
        filter.note(Section::RelapsePrevention, "/relapsePrevention");
    }
    if !policy.allows(Section::Risk) {
        for index in 0..filter.plan.sessions.len() {
            let session = filter.plan.sessions.get_mut(index);
            if session.is_some_and(|session| session.risk.take().is_some()) {
                filter.note(Section::Risk, &format!("/sessions/{index}/risk"));
            }
        }
    }
    if !policy.allows(Section::Consents) && !std::mem::take(&mut filter.plan.consents).is_empty() {
        filter.note(Section::Consents, "/consents");
    }
    (filter.plan, filter.withheld)
}

/// What a RelatedPerson tells of somebody in the inventory: who it is to the client.
fn who_takes_part(person: &Relationship) -> Relationship {
    Relationship {
        id: person.id.clone(),
        label: person.label.clone(),
        relationship: person.relationship,
        relationship_text: person.relationship_text.clone(),
        participates: person.participates,
        ..Relationship::default()
    }
}

struct Filter {
    plan: Plan,
    withheld: Vec<Withheld>,
}

impl Filter {
    fn note(&mut self, section: Section, path: &str) {
        self.withheld.push(Withheld { section, pointer: Pointer::from(path) });
    }

    /// People of the inventory as attendees of sessions.
    fn related_persons(&mut self) {
        let inventory: BTreeSet<String> =
            self.plan.inventory.iter().map(|person| person.id.clone()).collect();
        let mut sessions = std::mem::take(&mut self.plan.sessions);
        for (index, session) in sessions.iter_mut().enumerate() {
            let path = format!("/sessions/{index}/attendees");
            self.drop_ids(Section::RelatedPersons, &mut session.attendees, &path, |id| {
                inventory.contains(id)
            });
        }
        self.plan.sessions = sessions;
    }

    /// The inventory, and the ids by which problem areas point at it. Those who take part stay, as the little that
    /// a RelatedPerson needs, where related persons are granted.
    fn inventory(&mut self, related_persons: bool) {
        if self.plan.inventory.is_empty() {
            return;
        }
        let all: BTreeSet<String> =
            self.plan.inventory.iter().map(|person| person.id.clone()).collect();
        self.plan.inventory.retain(|person| related_persons && person.participates == Some(true));
        for person in &mut self.plan.inventory {
            *person = who_takes_part(person);
        }
        self.note(Section::Inventory, "/inventory");
        // Who does not take part is nobody's business as an attendee either.
        let kept: BTreeSet<String> =
            self.plan.inventory.iter().map(|person| person.id.clone()).collect();
        let mut sessions = std::mem::take(&mut self.plan.sessions);
        for (index, session) in sessions.iter_mut().enumerate() {
            let path = format!("/sessions/{index}/attendees");
            let is_withheld = |id: &String| all.contains(id) && !kept.contains(id);
            self.drop_ids(Section::Inventory, &mut session.attendees, &path, is_withheld);
        }
        self.plan.sessions = sessions;
        for index in 0..self.plan.focus_areas.len() {
            let focus = self.plan.focus_areas.get_mut(index);
            let ids = focus.map(|focus| std::mem::take(&mut focus.relationship_ids));
            if ids.is_some_and(|ids| !ids.is_empty()) {
                self.note(Section::Inventory, &format!("/focusAreas/{index}/relationshipIds"));
            }
        }
    }

    /// The focus of DIT, and the ids by which goals and sessions point at it.
    fn ipaf(&mut self) {
        let Some(ipaf) = self.plan.ipaf.take() else { return };
        self.note(Section::Ipaf, "/ipaf");
        let is_ipaf = |id: &String| *id == ipaf.id;
        let mut goals = std::mem::take(&mut self.plan.goals);
        for (index, goal) in goals.iter_mut().enumerate() {
            let path = format!("/goals/{index}");
            for (place, objective) in goal.objectives.iter_mut().enumerate() {
                let path = format!("{path}/objectives/{place}/addresses");
                self.drop_ids(Section::Ipaf, &mut objective.addresses, &path, is_ipaf);
            }
            self.drop_ids(
                Section::Ipaf,
                &mut goal.addresses,
                &format!("{path}/addresses"),
                is_ipaf,
            );
        }
        self.plan.goals = goals;
        let mut sessions = std::mem::take(&mut self.plan.sessions);
        for (index, session) in sessions.iter_mut().enumerate() {
            let path = format!("/sessions/{index}/focusAreaIds");
            self.drop_ids(Section::Ipaf, &mut session.focus_area_ids, &path, is_ipaf);
        }
        self.plan.sessions = sessions;
    }

    /// Takes ids out of a list and notes each, or the list where nothing of it is left.
    fn drop_ids(
        &mut self,
        section: Section,
        ids: &mut Vec<String>,
        path: &str,
        drop: impl Fn(&String) -> bool,
    ) {
        let gone: Vec<usize> =
            ids.iter().enumerate().filter(|(_, id)| drop(id)).map(|(index, _)| index).collect();
        if gone.is_empty() {
            return;
        }
        if gone.len() == ids.len() {
            self.note(section, path);
        } else {
            for index in gone {
                self.note(section, &format!("{path}/{index}"));
            }
        }
        ids.retain(|id| !drop(id));
    }
}
