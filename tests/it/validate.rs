//! The validator, part by part.

mod attachment;
mod primitive;
mod tree;
mod xhtml;
