//! The structure of a course: how often, how long, its phases, and what is planned in them.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use super::session::{Delivery, Format};
use super::technique::Technique;
use crate::json::Number;

opaque!(Structure, Phase, Activity, Intervention);

codes! {
    /// What a phase is for. Three for IPT, four for DIT, one for maintenance.
    pub enum PhaseCode {
        /// Assessment, inventory, formulation and choice of the focus.
        Initial = "initial", "Initial phase";
        /// Work on the focus.
        Middle = "middle", "Middle phase";
        /// Taking stock, saying goodbye, relapse prevention.
        Termination = "termination", "Termination phase";
        /// Sessions further apart that keep what was reached.
        Maintenance = "maintenance", "Maintenance phase";
        /// DIT: engagement, and finding the interpersonal affective focus.
        Engagement = "engagement", "Engagement phase";
        /// DIT: working through the focus.
        WorkingThrough = "working-through", "Working-through phase";
        /// DIT: making change firm.
        Consolidation = "consolidation", "Consolidation phase";
        /// DIT: the ending, and the loss that it is.
        Ending = "ending", "Ending phase";
    }
}

codes! {
    /// A unit of time, in UCUM's spelling.
    pub enum TimeUnit {
        /// Second.
        Second = "s", "second";
        /// Minute.
        Minute = "min", "minute";
        /// Hour.
        Hour = "h", "hour";
        /// Day.
        Day = "d", "day";
        /// Week.
        Week = "wk", "week";
        /// Month.
        Month = "mo", "month";
        /// Year.
        Year = "a", "year";
    }
}

/// How the course is laid out. Everything may be open, so it may be empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Structure {
    /// How often sessions are held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    /// How long a session is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_length: Option<Duration>,
    /// How many sessions there are to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<SessionCount>,
    /// How many weeks the course is to take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weeks: Option<Weeks>,
    /// With whom: alone, in a group, as a couple, as a family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Where: in person, by video, by phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// A remark: "depending on progress".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// So many times in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    /// How many times.
    pub count: u32,
    /// In how many units.
    pub period: Number,
    /// The unit.
    pub unit: TimeUnit,
}

/// A length of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duration {
    /// How many units.
    pub value: Number,
    /// The unit.
    pub unit: TimeUnit,
}

/// From how many to how many sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCount {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

/// From how many to how many weeks; one side may be open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weeks {
    /// At least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// At most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
}

/// From which to which session, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRange {
    /// The first session's number.
    pub first: u32,
    /// The last session's number.
    pub last: u32,
}

impl SessionRange {
    /// Whether a session falls into the range.
    pub const fn contains(self, number: u32) -> bool {
        self.first <= number && number <= self.last
    }

    /// Whether another range lies wholly in this one.
    pub const fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// The range in words: `Session 4`, `Sessions 5–7`.
    pub fn in_words(self) -> String {
        if self.first == self.last {
            format!("Session {}", self.first)
        } else {
            format!("Sessions {}–{}", self.first, self.last)
        }
    }

    /// Reads what [`in_words`](Self::in_words) writes, with an en dash or a hyphen.
    pub fn from_words(text: &str) -> Option<Self> {
        let numbers = text.strip_prefix("Sessions ").or_else(|| text.strip_prefix("Session "))?;
        let (first, last) = numbers.split_once(['–', '-']).unwrap_or((numbers, numbers));
        Some(Self { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? })
    }
}

/// A phase of the course.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Local id.
    pub id: String,
    /// What it is for.
    pub code: PhaseCode,
    /// Its title.
    pub title: String,
    /// Its sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<SessionRange>,
    /// Its length, where it is told in weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weeks: Option<Weeks>,
    /// What is to be reached in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
}

/// Something that is planned for one or several sessions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Local id.
    pub id: String,
    /// The phase it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_id: Option<String>,
    /// The sessions it is planned for. The order of the activities says nothing about time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<SessionRange>,
    /// Its title.
    pub title: String,
    /// What is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The techniques to be used, the main one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub techniques: Vec<Technique>,
    /// The goals that it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goal_ids: Vec<String>,
    /// On what it depends: "If John is ready".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditional: Option<String>,
}

/// A method of the therapy, without a place in the course.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// Local id.
    pub id: String,
    /// The technique, where the table has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Technique>,
    /// The therapist's words for it.
    pub label: String,
    /// What it is used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::SessionRange;

    #[test]
    fn ranges_read_what_they_write() {
        for (first, last, words) in [(4, 4, "Session 4"), (5, 7, "Sessions 5–7")] {
            let range = SessionRange { first, last };
            assert_eq!(range.in_words(), words);
            assert_eq!(SessionRange::from_words(words), Some(range));
        }
        assert_eq!(SessionRange::from_words("Sessions 2-3").map(|range| range.last), Some(3));
        assert_eq!(SessionRange::from_words("weekly"), None);
    }
}
