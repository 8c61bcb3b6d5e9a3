//! The validator, part by part.

mod definitions;
mod terminology_oracle;
mod tree;
