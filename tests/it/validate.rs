//! The validator, part by part.

mod definitions;
mod terminology;
mod terminology_oracle;
mod tree;
