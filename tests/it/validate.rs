//! The validator, part by part.

mod attachment;
mod bundle;
mod content;
mod definitions;
mod primitive;
mod tree;
mod xhtml;
