//! The people of the record: client, therapist, care team, and who referred.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};
use super::phase::TimeUnit;
use super::plan::Coding;
use crate::date::PartialDate;
use crate::json::Number;

opaque!(Name, Identifier, Telecom, Client, Age, Therapist, CareTeamMember, Role, Referral);

codes! {
    /// Administrative gender, as FHIR names it.
    pub enum Gender {
        /// Male.
        Male = "male", "Male";
        /// Female.
        Female = "female", "Female";
        /// Another one.
        Other = "other", "Other";
        /// Not known.
        Unknown = "unknown", "Unknown";
    }
}

codes! {
    /// A kind of contact, as FHIR's contact-point-system names it.
    pub enum TelecomSystem {
        /// Telephone.
        Phone = "phone", "Phone";
        /// Fax.
        Fax = "fax", "Fax";
        /// E-mail.
        Email = "email", "Email";
        /// Pager.
        Pager = "pager", "Pager";
        /// Web page.
        Url = "url", "URL";
        /// Text message.
        Sms = "sms", "SMS";
        /// Another kind.
        Other = "other", "Other";
    }
}

codes! {
    /// What a contact is for, as FHIR's contact-point-use names it.
    pub enum TelecomUse {
        /// At home.
        Home = "home", "Home";
        /// At work.
        Work = "work", "Work";
        /// For a while.
        Temporary = "temp", "Temporary";
        /// No longer in use.
        Old = "old", "Old";
        /// Mobile.
        Mobile = "mobile", "Mobile";
    }
}

/// A person's name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The whole name as it is written.
    pub text: String,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Given names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    /// What stands before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix: Vec<String>,
    /// What stands behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suffix: Vec<String>,
}

/// A number that somebody has given to a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Who gave it, as a URI.
    pub system: String,
    /// The number.
    pub value: String,
}

/// A way to reach a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telecom {
    /// What kind.
    pub system: TelecomSystem,
    /// The number or address.
    pub value: String,
    /// What for.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub purpose: Option<TelecomUse>,
}

/// The client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Local id.
    pub id: String,
    /// Name.
    pub name: Name,
    /// Date of birth, as exactly as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// Age, where the date of birth is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Age>,
    /// Administrative gender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// Numbers of the client with payers and hospitals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// How to reach the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub telecom: Vec<Telecom>,
}

/// An age.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Age {
    /// How many.
    pub value: Number,
    /// Of what: years, months, …
    pub unit: TimeUnit,
    /// When the client had that age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<PartialDate>,
}

/// The therapist.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Therapist {
    /// Local id.
    pub id: String,
    /// Name.
    pub name: Name,
    /// Numbers such as the NPI.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Training and licence in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualification: Option<String>,
    /// For whom the therapist works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// Somebody else who cares for the client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareTeamMember {
    /// Local id.
    pub id: String,
    /// What the person or organization does for the client.
    pub role: Role,
    /// The person's name; either this or an organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The organization's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// How to reach them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub telecom: Vec<Telecom>,
}

/// A role in the care team.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// In words.
    pub text: String,
    /// As a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coding: Option<Coding>,
}

/// How the client came to the therapist.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// Who referred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
