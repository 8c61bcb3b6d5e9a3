//! The validator, part by part.

mod attachment;
mod bombs;
mod bulk;
mod bundle;
mod content;
mod data;
mod definitions;
mod definitions_build;
mod extension;
mod fhirpath;
mod fuzz;
mod mutation;
mod own;
mod primitive;
mod report;
mod structure;
mod suite;
mod terminology;
mod terminology_examples;
mod terminology_oracle;
mod tree;
mod write;
mod xhtml;
mod xml;
