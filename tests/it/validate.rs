//! The validator, part by part.

mod attachment;
mod definitions;
mod primitive;
mod tree;
mod xhtml;
