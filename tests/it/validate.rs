//! The validator, part by part.

mod attachment;
mod bombs;
mod bulk;
mod definitions;
mod fhirpath;
mod fuzz;
mod primitive;
mod structure;
mod terminology;
mod terminology_oracle;
mod tree;
mod write;
mod xhtml;
mod xml;
