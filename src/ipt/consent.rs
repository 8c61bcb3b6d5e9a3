//! Consents of the client that the record names.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use crate::date::PartialDate;

opaque!(Consent, Period);

codes! {
    /// What a consent is about.
    pub enum ConsentKind {
        /// Consent to the treatment itself.
        Treatment = "treatment", "Consent to treatment";
        /// Consent to disclose information of the record to a recipient.
        Disclosure = "disclosure", "Consent to disclosure";
        /// Consent under 42 CFR Part 2 to disclose substance use disorder records.
        Part2Disclosure = "part2-disclosure", "Consent to disclosure under 42 CFR Part 2";
        /// Authorization under 45 CFR 164.508(a)(2) for psychotherapy notes.
        PsychotherapyNotes = "psychotherapy-notes-authorization", "Authorization for psychotherapy notes";
    }
}

codes! {
    /// The state of a consent, as FHIR's consent-state-codes name it.
    pub enum ConsentStatus {
        /// Not yet given.
        Draft = "draft", "Draft";
        /// Offered to the client.
        Proposed = "proposed", "Proposed";
        /// In force.
        Active = "active", "Active";
        /// Refused by the client.
        Rejected = "rejected", "Rejected";
        /// No longer in force.
        Inactive = "inactive", "Inactive";
        /// Recorded by mistake.
        EnteredInError = "entered-in-error", "Entered in error";
    }
}

/// A consent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// Local id.
    pub id: String,
    /// What it is about.
    pub kind: ConsentKind,
    /// What it covers, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// To whom information may go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// When it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// Its state.
    pub status: ConsentStatus,
}

/// A span of days; an absent end is open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<PartialDate>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<PartialDate>,
}
