//! FHIR's interactions (R4 3.1), one file for each kind.

mod history;
mod pages;
mod read;
mod search;
mod write;
