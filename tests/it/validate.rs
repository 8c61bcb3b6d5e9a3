//! The validator, part by part.

mod tree;
