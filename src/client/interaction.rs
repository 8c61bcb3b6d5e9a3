//! FHIR's interactions (R4 3.1), one file for each kind.

pub(super) mod attachment;
mod history;
pub(super) mod operation;
mod pages;
mod read;
mod search;
mod write;
