//! The plan: one document for one course of therapy.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use super::consent::Consent;
use super::focus::{FocusArea, Ipaf};
use super::goal::Goal;
use super::inventory::Relationship;
use super::measure::Measure;
use super::person::{CareTeamMember, Client, Referral, Therapist};
use super::phase::{Activity, Intervention, Phase, Structure};
use super::session::Session;
use crate::date::PartialDate;

opaque!(
    Plan,
    Coding,
    Diagnosis,
    PresentingProblem,
    Assessment,
    Screening,
    Exclusion,
    RelapsePrevention,
    Maintenance,
    Prognosis,
    Outcome,
    Review
);

codes! {
    /// Where a plan stands, as FHIR's request-status names it.
    pub enum PlanStatus {
        /// Being written.
        Draft = "draft", "Draft";
        /// In force.
        Active = "active", "Active";
        /// Interrupted.
        OnHold = "on-hold", "On hold";
        /// Carried out.
        Completed = "completed", "Completed";
        /// Given up.
        Revoked = "revoked", "Revoked";
        /// Recorded by mistake.
        EnteredInError = "entered-in-error", "Entered in error";
    }
}

codes! {
    /// The form of therapy.
    pub enum Variant {
        /// Interpersonal psychotherapy for an adult.
        Ipt = "ipt", "Interpersonal psychotherapy";
        /// Interpersonal psychotherapy for an adolescent.
        IptA = "ipt-a", "Interpersonal psychotherapy for adolescents";
        /// Interpersonal psychotherapy in a group.
        IptGroup = "ipt-group", "Group interpersonal psychotherapy";
        /// Interpersonal psychotherapy with a couple.
        IptCouples = "ipt-couples", "Couples interpersonal psychotherapy";
        /// Sessions that keep what an earlier course has reached.
        IptMaintenance = "ipt-maintenance", "Maintenance interpersonal psychotherapy";
        /// A course of about eight sessions.
        IptBrief = "ipt-brief", "Brief interpersonal psychotherapy";
        /// Dynamic interpersonal therapy.
        Dit = "dit", "Dynamic interpersonal therapy";
    }
}

codes! {
    /// How a condition stands, as FHIR's condition-clinical names it.
    pub enum ClinicalStatus {
        /// Present.
        Active = "active", "Active";
        /// Back after it was gone.
        Recurrence = "recurrence", "Recurrence";
        /// Back after it was better.
        Relapse = "relapse", "Relapse";
        /// Not present.
        Inactive = "inactive", "Inactive";
        /// Better for now.
        Remission = "remission", "Remission";
        /// Gone.
        Resolved = "resolved", "Resolved";
    }
}

codes! {
    /// How sure a diagnosis is, as FHIR's condition-ver-status names it.
    pub enum VerificationStatus {
        /// Not yet sure.
        Unconfirmed = "unconfirmed", "Unconfirmed";
        /// Likely.
        Provisional = "provisional", "Provisional";
        /// One of several.
        Differential = "differential", "Differential";
        /// Sure.
        Confirmed = "confirmed", "Confirmed";
        /// Ruled out.
        Refuted = "refuted", "Refuted";
        /// Recorded by mistake.
        EnteredInError = "entered-in-error", "Entered in Error";
    }
}

codes! {
    /// Whether IPT suits the client.
    pub enum ScreeningResult {
        /// It does.
        Suitable = "suitable", "Suitable";
        /// It may.
        Caution = "caution", "Suitable with caution";
        /// It does not.
        Unsuitable = "unsuitable", "Unsuitable";
    }
}

codes! {
    /// What is to be expected.
    pub enum PrognosisCode {
        /// Recovery is likely, in the therapist's own favourable words.
        Favorable = "favorable", "Favorable";
        /// Good.
        Good = "good", "Good";
        /// Fair.
        Fair = "fair", "Fair";
        /// Guarded.
        Guarded = "guarded", "Guarded";
        /// Poor.
        Poor = "poor", "Poor";
        /// Not known.
        Unknown = "unknown", "Unknown";
    }
}

/// A record: one course of therapy of one client. `x-*` members and `passthrough` stay in the document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Always `ipt-plan`.
    pub format: String,
    /// Always `1.0`.
    pub format_version: String,
    /// The plan's id, unique among all plans.
    pub id: String,
    /// Counts up with each change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Where it stands.
    pub status: PlanStatus,
    /// The form of therapy.
    pub variant: Variant,
    /// Its title.
    pub title: String,
    /// When it was made; a plan may say that nobody knows.
    pub date: Option<PartialDate>,
    /// The language of its texts, as BCP 47 names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The client.
    pub client: Client,
    /// The therapist.
    pub therapist: Therapist,
    /// Who else cares for the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub care_team: Vec<CareTeamMember>,
    /// How the client came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// Diagnoses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnoses: Vec<Diagnosis>,
    /// Why the client came. Every record tells it; only one that was read back from FHIR under a policy that
    /// withheld it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presenting_problem: Option<PresentingProblem>,
    /// What the therapist found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Assessment>,
    /// Whether IPT suits the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// The problem areas of IPT.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub focus_areas: Vec<FocusArea>,
    /// The focus of DIT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipaf: Option<Ipaf>,
    /// The interpersonal inventory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inventory: Vec<Relationship>,
    /// How the course is laid out.
    pub structure: Structure,
    /// Its phases.
    pub phases: Vec<Phase>,
    /// What is planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
    /// What is to be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    /// The methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<Intervention>,
    /// How progress is followed, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub monitoring: Vec<String>,
    /// The instruments that follow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    /// The plan against relapse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relapse_prevention: Option<RelapsePrevention>,
    /// What is to be expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prognosis: Option<Prognosis>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When the plan is to be looked at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The sessions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    /// The client's consents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

/// A code of another system.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coding {
    /// The code system's URI.
    pub system: String,
    /// The code.
    pub code: String,
    /// The code in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

/// A diagnosis.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// Local id.
    pub id: String,
    /// In words.
    pub text: String,
    /// What the source says beside it, to the letter: "DSM-5: 309.0".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_written: Option<String>,
    /// As codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codings: Vec<Coding>,
    /// 1 for the main diagnosis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// How it stands; absent only for one entered in error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clinical_status: Option<ClinicalStatus>,
    /// How sure it is.
    pub verification_status: VerificationStatus,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onset: Option<PartialDate>,
    /// When it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<PartialDate>,
}

/// Why the client came.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentingProblem {
    /// In words.
    pub text: String,
    /// The symptoms, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symptoms: Vec<String>,
}

/// What the therapist found.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// In words.
    pub text: String,
}

/// Whether IPT suits the client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screening {
    /// The judgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ScreeningResult>,
    /// What would speak against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Something that would speak against IPT.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// What.
    pub code: String,
    /// Whether the client has it.
    pub present: bool,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The plan against relapse.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelapsePrevention {
    /// Early warning signs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warning_signs: Vec<String>,
    /// To whom the client can turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub support_network: Vec<String>,
    /// What has helped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strategies: Vec<String>,
    /// What the client has learned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Sessions after the course.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
}

/// Sessions after the course.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Whether they are offered.
    pub offered: bool,
    /// How often, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is to be expected.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prognosis {
    /// As a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<PrognosisCode>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What came of the therapy.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// In words.
    pub text: String,
    /// When that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
}

/// When the plan is to be looked at again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The date.
    pub next: PartialDate,
}
