//! The validator, part by part.

mod definitions;
mod structure;
mod tree;
