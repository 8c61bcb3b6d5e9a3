//! The integration tests: one binary, one module for each room or behaviour.

mod record;
mod support;
