//! The validator, part by part.

mod definitions;
mod tree;
