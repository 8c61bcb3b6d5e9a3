//! The rules that span fields: what no schema can say.
//!
//! Errors are what would make a wrong or impossible FHIR resource, or point nowhere. Warnings are what therapists
//! do write (phases that overlap, an activity that runs over its phase) and should know of.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::goal::Goal;
use super::person::{CareTeamMember, TelecomUse};
use super::phase::Weeks;
use super::plan::{Plan, PlanStatus, Variant, VerificationStatus};
use super::session::{Session, SessionStatus};
use crate::date::{Instant, PartialDate};
use crate::issue::Issue;
use crate::json::Pointer;

/// All that the rules find, errors and warnings, in the record's order.
pub fn check(plan: &Plan) -> Vec<Issue> {
    let mut checker = Checker { plan, issues: Vec::new() };
    let ids = checker.ids();
    checker.whole(&ids);
    checker.references(&ids);
    checker.goals();
    checker.phases();
    checker.sessions();
    checker.issues
}

/// The systems of the identifiers that the program itself gives to what it writes.
const OWN_IDENTIFIERS: &str = "https://ipt-fhir.org/fhir/sid/";

/// What an id names, to know what may point at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Person,
    CareTeam,
    Diagnosis,
    Focus,
    Ipaf,
    Relationship,
    Phase,
    Activity,
    Goal,
    Other,
}

type Ids<'a> = BTreeMap<&'a str, Kind>;

struct Checker<'a> {
    plan: &'a Plan,
    issues: Vec<Issue>,
}

fn at(path: &str) -> Pointer {
    Pointer::from(path)
}

impl<'a> Checker<'a> {
    fn error(&mut self, code: &'static str, path: &str, text: &'static str, help: &'static str) {
        self.issues.push(Issue::error(code, at(path), text).with_help(help));
    }

    fn warning(&mut self, code: &'static str, path: &str, text: &'static str, help: &'static str) {
        self.issues.push(Issue::warning(code, at(path), text).with_help(help));
    }

    /// Every local id with what it names; a second use of one is an error.
    fn ids(&mut self) -> Ids<'a> {
        let plan = self.plan;
        let mut found: Vec<(&str, Kind, String)> = vec![
            (&plan.client.id, Kind::Person, "/client/id".into()),
            (&plan.therapist.id, Kind::Person, "/therapist/id".into()),
        ];
        let mut list = |ids: Vec<&'a str>, kind: Kind, path: &str| {
            for (index, id) in ids.into_iter().enumerate() {
                found.push((id, kind, format!("{path}/{index}/id")));
            }
        };
        list(
            plan.care_team.iter().map(|item| item.id.as_str()).collect(),
            Kind::CareTeam,
            "/careTeam",
        );
        list(
            plan.diagnoses.iter().map(|item| item.id.as_str()).collect(),
            Kind::Diagnosis,
            "/diagnoses",
        );
        list(
            plan.focus_areas.iter().map(|item| item.id.as_str()).collect(),
            Kind::Focus,
            "/focusAreas",
        );
        let inventory = plan.inventory.iter().map(|item| item.id.as_str()).collect();
        list(inventory, Kind::Relationship, "/inventory");
        list(plan.phases.iter().map(|item| item.id.as_str()).collect(), Kind::Phase, "/phases");
        list(
            plan.activities.iter().map(|item| item.id.as_str()).collect(),
            Kind::Activity,
            "/activities",
        );
        let interventions = plan.interventions.iter().map(|item| item.id.as_str()).collect();
        list(interventions, Kind::Other, "/interventions");
        list(plan.goals.iter().map(|item| item.id.as_str()).collect(), Kind::Goal, "/goals");
        list(plan.sessions.iter().map(|item| item.id.as_str()).collect(), Kind::Other, "/sessions");
        list(plan.consents.iter().map(|item| item.id.as_str()).collect(), Kind::Other, "/consents");
        for (index, goal) in plan.goals.iter().enumerate() {
            let ids = goal.objectives.iter().map(|item| item.id.as_str()).collect();
            list(ids, Kind::Goal, &format!("/goals/{index}/objectives"));
        }
        for (index, session) in plan.sessions.iter().enumerate() {
            let homework = session.homework.iter().map(|item| item.id.as_str()).collect();
            list(homework, Kind::Other, &format!("/sessions/{index}/homework"));
            let scores = session.scores.iter().map(|item| item.id.as_str()).collect();
            list(scores, Kind::Other, &format!("/sessions/{index}/scores"));
        }
        if let Some(ipaf) = &plan.ipaf {
            found.push((&ipaf.id, Kind::Ipaf, "/ipaf/id".into()));
        }
        let mut ids = Ids::new();
        for (id, kind, path) in found {
            if ids.insert(id, kind).is_some() {
                let help = "give each item of the record an id of its own";
                self.error("ipt-plan-duplicate-id", &path, "an id that another item has", help);
            }
        }
        ids
    }

    /// Rules of the record as a whole.
    fn whole(&mut self, ids: &Ids<'_>) {
        let plan = self.plan;
        if plan.status != PlanStatus::Draft {
            match (plan.focus_areas.is_empty(), &plan.ipaf) {
                (true, None) => self.error(
                    "ipt-plan-focus-missing",
                    "",
                    "neither problem areas nor an interpersonal affective focus",
                    "give `focusAreas` (IPT) or `ipaf` (DIT), or let the status be `draft`",
                ),
                (false, Some(_)) => self.error(
                    "ipt-plan-focus-twice",
                    "/ipaf",
                    "problem areas and an interpersonal affective focus exclude each other",
                    "keep `focusAreas` for IPT or `ipaf` for DIT",
                ),
                _ => {}
            }
            if plan.variant == Variant::Dit && plan.ipaf.is_none() {
                self.error(
                    "ipt-plan-dit-without-ipaf",
                    "/variant",
                    "dynamic interpersonal therapy without its focus",
                    "give `ipaf`, or choose another variant",
                );
            }
        }
        if holds_a_name(&plan.id, plan) {
            self.warning(
                "ipt-plan-id-holds-name",
                "/id",
                "the plan's id seems to hold part of a person's name",
                "take an id that says nothing, such as the UUID that `record new` makes",
            );
        }
        if ids.keys().any(|id| holds_a_name(id, plan)) {
            self.warning(
                "ipt-plan-local-id-holds-name",
                "",
                "a local id seems to hold part of a person's name",
                "local ids travel with the resources: take ids that say nothing of a person",
            );
        }
        for (index, diagnosis) in plan.diagnoses.iter().enumerate() {
            let in_error = diagnosis.verification_status == VerificationStatus::EnteredInError;
            let path = format!("/diagnoses/{index}");
            match &diagnosis.clinical_status {
                None if !in_error => self.error(
                    "ipt-plan-clinical-status-missing",
                    &path,
                    "a diagnosis without clinicalStatus",
                    "only a diagnosis entered in error has none (FHIR con-5)",
                ),
                Some(_) if in_error => self.error(
                    "ipt-plan-clinical-status-forbidden",
                    &format!("{path}/clinicalStatus"),
                    "a diagnosis entered in error has no clinicalStatus",
                    "remove it (FHIR con-5)",
                ),
                _ => {}
            }
        }
        for (index, consent) in plan.consents.iter().enumerate() {
            if let Some(period) = &consent.period
                && is_after(period.start.as_ref(), period.end.as_ref())
            {
                self.out_of_order(&format!("/consents/{index}/period/end"));
            }
        }
        let given =
            [("client", &plan.client.identifiers), ("therapist", &plan.therapist.identifiers)];
        for (who, identifiers) in given {
            for (index, identifier) in identifiers.iter().enumerate() {
                if identifier.system.starts_with(OWN_IDENTIFIERS) {
                    self.error(
                        "ipt-plan-own-identifier",
                        &format!("/{who}/identifiers/{index}/system"),
                        "an identifier in a system that ipt-fhir keeps for what it writes",
                        "leave it out: it is made anew from the ids of the record",
                    );
                }
            }
        }
        if let (Some(birth), Some(date)) = (&plan.client.birth_date, &plan.date)
            && is_after(Some(birth), Some(date))
        {
            self.error(
                "ipt-plan-born-later",
                "/client/birthDate",
                "the client was born after the plan was made",
                "check both dates",
            );
        }
        if let Some(sessions) = &plan.structure.sessions
            && sessions.min > sessions.max
        {
            self.more_than_most("/structure/sessions");
        }
        self.weeks(plan.structure.weeks.as_ref(), "/structure/weeks");
        for (index, member) in plan.care_team.iter().enumerate() {
            self.contacts_of(member, &format!("/careTeam/{index}/telecom"));
        }
    }

    /// A length in weeks is no longer at least than at most.
    fn weeks(&mut self, weeks: Option<&Weeks>, path: &str) {
        let Some(Weeks { min: Some(least), max: Some(most) }) = weeks else { return };
        if least.compare(most) == Some(Ordering::Greater) {
            self.more_than_most(path);
        }
    }

    fn more_than_most(&mut self, path: &str) {
        let help = "let `min` not exceed `max` (FHIR rng-2)";
        self.error("ipt-plan-range-reversed", path, "at least more than at most", help);
    }

    /// An organization is reached at work: FHIR knows no home of one.
    fn contacts_of(&mut self, member: &CareTeamMember, path: &str) {
        if member.organization.is_none() {
            return;
        }
        for (index, telecom) in member.telecom.iter().enumerate() {
            if telecom.purpose == Some(TelecomUse::Home) {
                self.error(
                    "ipt-plan-organization-at-home",
                    &format!("{path}/{index}/use"),
                    "a way to reach an organization at home",
                    "let `use` be `work`, or leave it out (FHIR org-3)",
                );
            }
        }
    }

    fn out_of_order(&mut self, path: &str) {
        self.error("ipt-plan-ends-before-start", path, "an end before its start", "check both");
    }

    /// Every id that points at another item does point at one, and at the right kind.
    fn references(&mut self, ids: &Ids<'_>) {
        let plan = self.plan;
        for (index, focus) in plan.focus_areas.iter().enumerate() {
            let path = format!("/focusAreas/{index}/relationshipIds");
            self.all(&focus.relationship_ids, &path, ids, &[Kind::Relationship]);
        }
        for (index, activity) in plan.activities.iter().enumerate() {
            let path = format!("/activities/{index}");
            self.one(activity.phase_id.as_ref(), &format!("{path}/phaseId"), ids, &[Kind::Phase]);
            self.all(&activity.goal_ids, &format!("{path}/goalIds"), ids, &[Kind::Goal]);
        }
        for (path, goal) in goals_with_paths(&plan.goals) {
            let kinds = [Kind::Diagnosis, Kind::Focus, Kind::Ipaf];
            self.all(&goal.addresses, &format!("{path}/addresses"), ids, &kinds);
        }
        for (index, session) in plan.sessions.iter().enumerate() {
            let path = format!("/sessions/{index}");
            self.one(session.phase_id.as_ref(), &format!("{path}/phaseId"), ids, &[Kind::Phase]);
            let people = [Kind::Person, Kind::CareTeam, Kind::Relationship];
            self.all(&session.attendees, &format!("{path}/attendees"), ids, &people);
            self.all(&session.activity_ids, &format!("{path}/activityIds"), ids, &[Kind::Activity]);
            let focus = [Kind::Focus, Kind::Ipaf];
            self.all(&session.focus_area_ids, &format!("{path}/focusAreaIds"), ids, &focus);
            let mut seen = BTreeSet::new();
            for (place, progress) in session.goal_progress.iter().enumerate() {
                let path = format!("{path}/goalProgress/{place}/goalId");
                self.one(Some(&progress.goal_id), &path, ids, &[Kind::Goal]);
                if !seen.insert(&progress.goal_id) {
                    self.error(
                        "ipt-plan-goal-twice",
                        &path,
                        "the same goal's progress twice in one session",
                        "keep one entry for each goal",
                    );
                }
            }
        }
    }

    fn all(&mut self, given: &[String], path: &str, ids: &Ids<'_>, kinds: &[Kind]) {
        let mut seen = BTreeSet::new();
        for (index, id) in given.iter().enumerate() {
            let path = format!("{path}/{index}");
            self.one(Some(id), &path, ids, kinds);
            if !seen.insert(id) {
                let help = "name each item once";
                self.error("ipt-plan-id-twice", &path, "the same id twice in one list", help);
            }
        }
    }

    fn one(&mut self, id: Option<&String>, path: &str, ids: &Ids<'_>, kinds: &[Kind]) {
        let Some(id) = id else { return };
        match ids.get(id.as_str()) {
            Some(kind) if kinds.contains(kind) => {}
            Some(_) => self.error(
                "ipt-plan-wrong-target",
                path,
                "an id that names another kind of item than is meant here",
                "see the schema's description of this member",
            ),
            None => self.error(
                "ipt-plan-dangling-id",
                path,
                "an id that no item of the record has",
                "add the item, or correct the id",
            ),
        }
    }

    fn goals(&mut self) {
        for (path, goal) in goals_with_paths(&self.plan.goals) {
            if is_after(goal.start.as_ref(), goal.due.as_ref()) {
                self.out_of_order(&format!("{path}/due"));
            }
            if goal.achievement_date.is_some() && goal.achievement.is_none() {
                self.error(
                    "ipt-plan-achievement-missing",
                    &format!("{path}/achievementDate"),
                    "a date of achievement without an achievement",
                    "give `achievement`, or remove the date",
                );
            }
        }
    }

    fn phases(&mut self) {
        let plan = self.plan;
        let mut last: Option<u32> = None;
        for (index, phase) in plan.phases.iter().enumerate() {
            let path = format!("/phases/{index}");
            self.weeks(phase.weeks.as_ref(), &format!("{path}/weeks"));
            let Some(range) = phase.sessions else { continue };
            if range.first > range.last {
                self.reversed(&format!("{path}/sessions"));
            }
            if last.is_some_and(|last| range.first != last + 1) {
                self.warning(
                    "ipt-plan-phases-not-contiguous",
                    &format!("{path}/sessions"),
                    "the phase does not begin right after the one before",
                    "check the ranges; overlaps and gaps are allowed",
                );
            }
            last = Some(range.last);
            if plan.structure.sessions.as_ref().is_some_and(|sessions| range.last > sessions.max) {
                self.warning(
                    "ipt-plan-phase-beyond-course",
                    &format!("{path}/sessions"),
                    "the phase ends after the last session of the course",
                    "check `structure.sessions.max`",
                );
            }
        }
        for (index, activity) in plan.activities.iter().enumerate() {
            let Some(range) = activity.sessions else { continue };
            let path = format!("/activities/{index}/sessions");
            if range.first > range.last {
                self.reversed(&path);
            }
            let phase =
                plan.phases.iter().find(|phase| Some(&phase.id) == activity.phase_id.as_ref());
            if phase.and_then(|phase| phase.sessions).is_some_and(|phase| !phase.covers(range)) {
                self.warning(
                    "ipt-plan-activity-outside-phase",
                    &path,
                    "the activity is planned for sessions outside its phase",
                    "check the ranges of both",
                );
            }
        }
    }

    fn reversed(&mut self, path: &str) {
        let help = "let `first` not exceed `last`";
        self.error("ipt-plan-range-reversed", path, "a range that ends before it begins", help);
    }

    fn sessions(&mut self) {
        let plan = self.plan;
        let mut numbers = BTreeSet::new();
        for (index, session) in plan.sessions.iter().enumerate() {
            let path = format!("/sessions/{index}");
            let counts =
                !matches!(session.status, SessionStatus::Cancelled | SessionStatus::EnteredInError);
            if counts && !numbers.insert(session.number) {
                self.error(
                    "ipt-plan-session-number-twice",
                    &format!("{path}/number"),
                    "a session number that another session has",
                    "only a session that was cancelled or entered in error may share its number",
                );
            }
            self.session_times(session, &path);
            if plan.status == PlanStatus::Completed
                && matches!(session.status, SessionStatus::Planned | SessionStatus::Booked)
            {
                self.warning(
                    "ipt-plan-completed-with-future-session",
                    &format!("{path}/status"),
                    "the plan is completed, but this session is still to come",
                    "cancel the session, or let the plan be active",
                );
            }
        }
    }

    fn session_times(&mut self, session: &Session, path: &str) {
        let both = session.start.is_some() && session.end.is_some();
        let neither = session.start.is_none() && session.end.is_none();
        match session.status {
            SessionStatus::Booked | SessionStatus::NoShow if !both => self.error(
                "ipt-plan-session-times-missing",
                path,
                "a booked or missed session needs `start` and `end`",
                "give both (FHIR app-3)",
            ),
            SessionStatus::Planned | SessionStatus::Cancelled if !both && !neither => self.error(
                "ipt-plan-session-times-missing",
                path,
                "`start` without `end`, or the other way round",
                "give both or neither (FHIR app-2)",
            ),
            _ => {}
        }
        let (Some(start), Some(end)) = (&session.start, &session.end) else { return };
        if start.timestamp() >= end.timestamp() {
            self.out_of_order(&format!("{path}/end"));
        } else if let Some(told) = session.length_minutes
            && Instant::minutes_until(start, end).is_some_and(|minutes| minutes != told)
        {
            self.warning(
                "ipt-plan-session-length",
                &format!("{path}/lengthMinutes"),
                "the session's length is not the time from its start to its end",
                "check all three",
            );
        }
    }
}

/// Goals and objectives with the pointers to them.
fn goals_with_paths(goals: &[Goal]) -> Vec<(String, &Goal)> {
    let mut all = Vec::new();
    for (index, goal) in goals.iter().enumerate() {
        let path = format!("/goals/{index}");
        for (place, objective) in goal.objectives.iter().enumerate() {
            all.push((format!("{path}/objectives/{place}"), objective));
        }
        all.push((path, goal));
    }
    all
}

/// Whether the first date lies wholly after the second.
fn is_after(first: Option<&PartialDate>, second: Option<&PartialDate>) -> bool {
    let first = first.and_then(PartialDate::first_day);
    let second = second.and_then(PartialDate::last_day);
    matches!((first, second), (Some(first), Some(second)) if first > second)
}

/// Whether an id holds a word of the client's name of three letters or more.
fn holds_a_name(id: &str, plan: &Plan) -> bool {
    let id = id.to_lowercase();
    let name = &plan.client.name;
    let parts = std::iter::once(&name.text).chain(&name.family).chain(&name.given);
    parts
        .flat_map(|part| part.split(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| word.chars().count() >= 3)
        .any(|word| {
            let word = word.to_lowercase();
            id.split(['-', '.']).any(|step| step == word)
        })
}
