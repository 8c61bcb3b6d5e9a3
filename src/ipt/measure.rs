//! Instruments, their scores, and measures of goals.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use super::phase::Frequency;
use crate::date::DateTime;
use crate::json::Number;

opaque!(Measure, Score);

codes! {
    /// Instruments whose totals we know. Items of copyrighted instruments are never shipped, scores are.
    pub enum Instrument {
        /// Patient Health Questionnaire, 9 items.
        Phq9 = "phq9", "PHQ-9";
        /// Generalized Anxiety Disorder scale, 7 items.
        Gad7 = "gad7", "GAD-7";
        /// Patient Health Questionnaire, 2 items.
        Phq2 = "phq2", "PHQ-2";
        /// Beck Depression Inventory II.
        Bdi2 = "bdi2", "BDI-II";
        /// Patient Health Questionnaire modified for adolescents, 9 items.
        Phq9m = "phq9m", "PHQ-9M";
        /// Edinburgh Postnatal Depression Scale.
        Epds = "epds", "EPDS";
        /// An instrument that the table does not hold.
        Other = "other", "Other instrument";
    }
}

codes! {
    /// Measures of goals that are no instrument's total.
    pub enum GoalMeasure {
        /// How many new acquaintances the client has made.
        NewAcquaintances = "new-acquaintances", "New acquaintances";
        /// How many social contacts the client has in a week.
        SocialContactsPerWeek = "social-contacts-per-week", "Social contacts per week";
        /// How many conversations the client has begun.
        ConversationsInitiated = "conversations-initiated", "Conversations initiated";
        /// How many people the client can turn to.
        SupportPeople = "support-people", "Support people";
        /// On how many days the client did something enjoyable.
        DaysWithEnjoyableActivity = "days-with-enjoyable-activity", "Days with an enjoyable activity";
    }
}

/// An instrument that is to be used again and again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Which.
    pub instrument: Instrument,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
}

/// The result of an instrument in a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Local id.
    pub id: String,
    /// Which instrument.
    pub instrument: Instrument,
    /// The total, in the instrument's points.
    pub total: Number,
    /// The items' points in the instrument's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<u32>,
    /// When it was filled in, if not at the session's start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<DateTime>,
}
