//! The interpersonal inventory: the people in the client's life. It is about others, so it leaves us by grant only.

use serde::{Deserialize, Serialize};

use super::code::{codes, opaque};

opaque!(Relationship);

codes! {
    /// Who a person is to the client: HL7 v3 RoleCode, the part that an inventory needs.
    pub enum RoleCode {
        /// Father.
        Father = "FTH", "father";
        /// Mother.
        Mother = "MTH", "mother";
        /// Natural father.
        NaturalFather = "NFTH", "natural father";
        /// Natural mother.
        NaturalMother = "NMTH", "natural mother";
        /// Stepfather.
        Stepfather = "STPFTH", "stepfather";
        /// Stepmother.
        Stepmother = "STPMTH", "stepmother";
        /// Parent.
        Parent = "PRN", "parent";
        /// Spouse.
        Spouse = "SPS", "spouse";
        /// Husband.
        Husband = "HUSB", "husband";
        /// Wife.
        Wife = "WIFE", "wife";
        /// Domestic partner.
        DomesticPartner = "DOMPART", "domestic partner";
        /// Significant other.
        SignificantOther = "SIGOTHR", "significant other";
        /// Former spouse.
        FormerSpouse = "FMRSPS", "former spouse";
        /// Unrelated friend.
        Friend = "FRND", "unrelated friend";
        /// Sibling.
        Sibling = "SIB", "sibling";
        /// Brother.
        Brother = "BRO", "brother";
        /// Sister.
        Sister = "SIS", "sister";
        /// Child.
        Child = "CHILD", "child";
        /// Natural son.
        Son = "SON", "natural son";
        /// Natural daughter.
        Daughter = "DAU", "natural daughter";
        /// Grandparent.
        Grandparent = "GRPRN", "grandparent";
        /// Aunt.
        Aunt = "AUNT", "aunt";
        /// Uncle.
        Uncle = "UNCLE", "uncle";
        /// Cousin.
        Cousin = "COUSN", "cousin";
        /// In-law.
        InLaw = "INLAW", "inlaw";
        /// Family member.
        FamilyMember = "FAMMEMB", "family member";
        /// Extended family member.
        ExtendedFamily = "EXT", "extended family member";
        /// Neighbor.
        Neighbor = "NBOR", "neighbor";
        /// Roommate.
        Roommate = "ROOM", "Roommate";
    }
}

codes! {
    /// How a relationship stands.
    pub enum RelationStatus {
        /// It is alive.
        Current = "current", "current";
        /// It has ended.
        Ended = "ended", "ended";
        /// There is no contact any more.
        Estranged = "estranged", "estranged";
        /// It is difficult.
        Strained = "strained", "strained";
        /// The person has died.
        Deceased = "deceased", "deceased";
        /// There is nobody in this place.
        Absent = "absent", "absent";
    }
}

/// A person, or a group of persons, in the client's life.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relationship {
    /// Local id.
    pub id: String,
    /// The therapist's word for the person: "father", "friends".
    pub label: String,
    /// Who the person is to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship: Option<RoleCode>,
    /// The same in words, where no code fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship_text: Option<String>,
    /// How the relationship stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<RelationStatus>,
    /// How the two talk with each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub communication_style: Option<String>,
    /// Conflicts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<String>,
    /// Losses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<String>,
    /// Changes of roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_changes: Vec<String>,
    /// The support that the person gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<String>,
    /// What each expects of the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expectations: Option<String>,
    /// What repeats itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patterns: Option<String>,
    /// Closeness, and the capacity for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intimacy: Option<String>,
    /// Whether the person takes part in the therapy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participates: Option<bool>,
    /// Why this entry needs special care.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<String>,
}
