//! The validator, part by part.

mod attachment;
mod definitions;
mod fhirpath;
mod primitive;
mod structure;
mod terminology;
mod terminology_examples;
mod terminology_oracle;
mod tree;
mod xhtml;
