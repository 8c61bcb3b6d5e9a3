//! The problem areas of IPT, and the interpersonal affective focus of Dynamic Interpersonal Therapy.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use super::plan::Coding;

opaque!(FocusArea, Ipaf);

codes! {
    /// The four problem areas of IPT.
    pub enum FocusCode {
        /// Complicated bereavement after a death, and by extension another painful loss.
        Grief = "grief", "Grief";
        /// A conflict with a significant other whose expectations differ.
        InterpersonalDisputes = "interpersonal-disputes", "Interpersonal disputes";
        /// Difficulty in adapting to a change of life roles.
        RoleTransitions = "role-transitions", "Role transitions";
        /// A lack of relationships, or of the skills to begin and keep them.
        InterpersonalDeficits = "interpersonal-deficits", "Interpersonal deficits";
    }
}

codes! {
    /// How much of the therapy a problem area is to take.
    pub enum Rank {
        /// The main focus.
        Primary = "primary", "Primary focus";
        /// A further focus.
        Secondary = "secondary", "Secondary focus";
    }
}

/// A problem area that client and therapist agreed on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FocusArea {
    /// Local id.
    pub id: String,
    /// Which of the four.
    pub code: FocusCode,
    /// The therapist's own words for it.
    pub label: String,
    /// Main or further focus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The persons of the inventory whom it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relationship_ids: Vec<String>,
    /// Codes of other systems for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codings: Vec<Coding>,
}

/// The interpersonal affective focus of DIT: a repeating pattern, put in one statement.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipaf {
    /// Local id.
    pub id: String,
    /// The pattern in one statement.
    pub statement: String,
    /// What the client experiences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experience: Option<String>,
    /// What the client expects of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expectation: Option<String>,
    /// How the client responds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
}
