//! `hand-offs`: the packages that a person carries into an EHR, and what became of each.
//!
//! Shown are names, numbers, moments, digests and codes; what a package holds is read in its files.

use super::super::args::HandOffs;
use super::super::failure::Failure;
use super::super::output::Done;
use super::super::settings::Settings;

pub(crate) async fn run(_: &HandOffs, _: &Settings) -> Result<Done, Failure> {
    Ok(Done::new("", crate::json::Value::Null))
}
