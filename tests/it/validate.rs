//! The validator, part by part.

mod definitions;
mod definitions_build;
mod tree;
