//! Sessions: planned, booked, held, missed; with what was done, found and given as homework.
//!
//! A session's `summary` is the part that belongs into the chart. What was said in the session, word by word, and
//! what the therapist thought of it are process notes: a record has no field for them.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use super::goal::Achievement;
use super::measure::Score;
use super::technique::Technique;
use crate::date::{Instant, PartialDate};

opaque!(Session, GoalProgress, Homework, Risk);

codes! {
    /// Where a session stands.
    pub enum SessionStatus {
        /// Intended, without a fixed date.
        Planned = "planned", "Planned";
        /// Agreed with a date.
        Booked = "booked", "Booked";
        /// Under way.
        InProgress = "in-progress", "In progress";
        /// Held.
        Completed = "completed", "Completed";
        /// Called off.
        Cancelled = "cancelled", "Cancelled";
        /// The client did not come.
        NoShow = "no-show", "No-show";
        /// Recorded by mistake.
        EnteredInError = "entered-in-error", "Entered in error";
    }
}

codes! {
    /// With whom a session is held.
    pub enum Format {
        /// With the client alone.
        Individual = "individual", "Individual";
        /// In a group of clients.
        Group = "group", "Group";
        /// With the client and the partner.
        Couple = "couple", "Couple";
        /// With the client and the family.
        Family = "family", "Family";
    }
}

codes! {
    /// How client and therapist meet.
    pub enum Delivery {
        /// In one room.
        InPerson = "in-person", "In person";
        /// By video.
        Video = "video", "Video";
        /// By telephone.
        Phone = "phone", "Telephone";
    }
}

codes! {
    /// Where homework stands.
    pub enum HomeworkStatus {
        /// Given.
        Assigned = "assigned", "Assigned";
        /// Begun.
        InProgress = "in-progress", "In progress";
        /// Done.
        Completed = "completed", "Completed";
        /// Not done.
        NotDone = "not-done", "Not done";
        /// Taken back.
        Cancelled = "cancelled", "Cancelled";
    }
}

codes! {
    /// How high the therapist judges the risk.
    pub enum RiskLevel {
        /// No risk found.
        None = "none", "No risk identified";
        /// Low.
        Low = "low", "Low risk";
        /// Moderate.
        Moderate = "moderate", "Moderate risk";
        /// High.
        High = "high", "High risk";
    }
}

/// A session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Local id.
    pub id: String,
    /// Its number in the course, from 1.
    pub number: u32,
    /// Where it stands.
    pub status: SessionStatus,
    /// Why it was called off or missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// When it begins or began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Instant>,
    /// When it ends or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Instant>,
    /// Its length in minutes, where it is told and not only computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_minutes: Option<u32>,
    /// The phase it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_id: Option<String>,
    /// With whom, if not as the structure says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// How they met, if not as the structure says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Who was there: ids of client, therapist, care team and inventory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<String>,
    /// The planned activities that were done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activity_ids: Vec<String>,
    /// The techniques that were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub techniques: Vec<Technique>,
    /// The problem areas that were worked on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub focus_area_ids: Vec<String>,
    /// How the goals stood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goal_progress: Vec<GoalProgress>,
    /// What belongs into the chart, written for the client's eyes too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What the client is to do until next time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub homework: Vec<Homework>,
    /// Results of instruments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// The therapist's judgement of risk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
}

/// How a goal stood at a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoalProgress {
    /// Which goal or objective.
    pub goal_id: String,
    /// How far.
    pub achievement: Achievement,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something to do between sessions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Homework {
    /// Local id.
    pub id: String,
    /// What to do.
    pub text: String,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<PartialDate>,
    /// Where it stands.
    pub status: HomeworkStatus,
    /// How it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
}

/// A judgement of risk, made by the therapist and never computed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// How high.
    pub level: RiskLevel,
    /// Why, and what was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
