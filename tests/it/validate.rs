//! The validator, part by part.

mod definitions;
mod fhirpath;
mod tree;
