//! The validator, part by part.

mod attachment;
mod bundle;
mod content;
mod definitions;
mod definitions_build;
mod fhirpath;
mod mutation;
mod primitive;
mod report;
mod structure;
mod suite;
mod terminology;
mod terminology_oracle;
mod tree;
mod xhtml;
