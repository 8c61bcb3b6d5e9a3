//! Validating FHIR: any resource, Bundle or NDJSON export against the definitions of its release and against profiles.
//!
//! Definitions are compiled to flat programs that are walked together with one document tree; every finding has a
//! stable code that `explain` tells about. What can't be decided here (a code system that is not at hand, a reference
//! that leads outside) is said to be "not checked", once, and is never an error.
//!
//! It refuses nothing but what can't be read, and it touches nothing outside: definitions come in as bytes.

pub mod definitions;
pub mod fhirpath;
pub mod finding;
pub mod invariant;
pub mod rule;
pub mod tree;
pub mod types;
