//! FHIR as data: resources as lossless trees, references, Bundles and OperationOutcomes. No IPT and no IO.
//!
//! The FHIR release is a value ([`Release`]), never a type parameter: a server tells its release at run time.

pub mod base64;
pub mod bundle;
pub mod capability;
pub mod outcome;
pub mod patient;
pub mod reference;
pub mod release;
pub mod resource;
pub mod scope;

pub use bundle::{Bundle, Entry};
pub use capability::{Capability, Refusal};
pub use reference::{Reference, ResourceId};
pub use release::Release;
pub use resource::Resource;
pub use scope::Scopes;
