//! IPT records, as a therapist names them: plan, goals, sessions, inventory, formulation. It knows nothing of FHIR.
//!
//! A record is one `ipt-plan` document for one course of therapy ([`document`]). [`document::parse`] is the only
//! way from text to a [`Plan`]: it checks the document against the published schema ([`schema`]), reads it into
//! types, and then applies the rules that span fields ([`rule`]). Process notes have no place in a record, and a
//! document that holds any is refused by name without a word of them being repeated.

mod code;
pub mod consent;
pub mod document;
pub mod focus;
pub mod goal;
pub mod inventory;
pub mod measure;
pub mod person;
pub mod phase;
pub mod plan;
pub mod rule;
pub mod schema;
pub mod session;
pub mod technique;
pub mod template;

pub use consent::{Consent, ConsentKind, ConsentStatus};
pub use document::Document;
pub use focus::{FocusArea, FocusCode, Ipaf, Rank};
pub use goal::{Achievement, Comparator, Goal, GoalStatus, Priority, Target};
pub use inventory::{RelationStatus, Relationship, RoleCode};
pub use measure::{GoalMeasure, Instrument, Score};
pub use person::{Age, CareTeamMember, Client, Gender, Identifier, Name, Telecom, Therapist};
pub use phase::{Activity, Intervention, Phase, PhaseCode, SessionRange, Structure, Weeks};
pub use plan::{Diagnosis, Plan, PlanStatus, Variant};
pub use session::{Delivery, Format, Homework, HomeworkStatus, Session, SessionStatus};
pub use technique::Technique;
