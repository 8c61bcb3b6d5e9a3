//! Goals, their objectives, and targets that can be measured.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use crate::date::PartialDate;
use crate::json::Number;

opaque!(Goal, Target);

codes! {
    /// Where a goal stands, as FHIR's goal-status names it.
    pub enum GoalStatus {
        /// Suggested and not yet agreed.
        Proposed = "proposed", "Proposed";
        /// Agreed and not yet begun.
        Planned = "planned", "Planned";
        /// Agreed by the client.
        Accepted = "accepted", "Accepted";
        /// Being worked on.
        Active = "active", "Active";
        /// Set aside for now.
        OnHold = "on-hold", "On hold";
        /// No longer pursued, reached or not.
        Completed = "completed", "Completed";
        /// Given up.
        Cancelled = "cancelled", "Cancelled";
        /// Recorded by mistake.
        EnteredInError = "entered-in-error", "Entered in error";
        /// Proposed and refused.
        Rejected = "rejected", "Rejected";
    }
}

codes! {
    /// How far a goal is reached, as FHIR's goal-achievement names it.
    pub enum Achievement {
        /// Being worked on.
        InProgress = "in-progress", "In progress";
        /// Coming closer.
        Improving = "improving", "Improving";
        /// Moving away.
        Worsening = "worsening", "Worsening";
        /// Neither closer nor further.
        NoChange = "no-change", "No change";
        /// Reached.
        Achieved = "achieved", "Achieved";
        /// Reached and kept.
        Sustaining = "sustaining", "Sustaining";
        /// Not reached.
        NotAchieved = "not-achieved", "Not achieved";
        /// Not reached, without any progress.
        NoProgress = "no-progress", "No progress";
        /// Can't be reached.
        NotAttainable = "not-attainable", "Not attainable";
    }
}

codes! {
    /// How urgent a goal is, as FHIR's goal-priority names it.
    pub enum Priority {
        /// Before others.
        High = "high", "High priority";
        /// Neither first nor last.
        Medium = "medium", "Medium priority";
        /// After others.
        Low = "low", "Low priority";
    }
}

codes! {
    /// Who put a goal into words.
    pub enum ExpressedBy {
        /// The client.
        Client = "client", "Client";
        /// The therapist.
        Therapist = "therapist", "Therapist";
    }
}

codes! {
    /// How a measured value is to compare with a target.
    pub enum Comparator {
        /// Below it.
        Less = "<", "less than";
        /// At or below it.
        LessOrEqual = "<=", "at most";
        /// At or above it.
        GreaterOrEqual = ">=", "at least";
        /// Above it.
        Greater = ">", "more than";
    }
}

/// A goal, or an objective of one (which has no objectives itself).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// Local id.
    pub id: String,
    /// The goal in words.
    pub text: String,
    /// Where it stands.
    pub status: GoalStatus,
    /// How far it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achievement: Option<Achievement>,
    /// When that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achievement_date: Option<PartialDate>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// When work on it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<PartialDate>,
    /// By when it is to be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<PartialDate>,
    /// Who put it into words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expressed_by: Option<ExpressedBy>,
    /// The diagnoses and focus areas that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// How it will be seen that it is reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Its parts; one level only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<Self>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is to be reached: a measure with a value, or a text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// What is measured: `phq9-total`, a goal measure of our list, or words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// The number to reach, in the measure's unit; either this or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Number>,
    /// What is to be reached in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How the measured value is to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparator: Option<Comparator>,
    /// The value's unit, if it is not the measure's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<PartialDate>,
}

impl Goal {
    /// The goals in order, each followed by its objectives: every goal of the list, parents first in their group.
    pub fn with_objectives(goals: &[Self]) -> impl Iterator<Item = &Self> {
        goals.iter().flat_map(|goal| std::iter::once(goal).chain(&goal.objectives))
    }
}
