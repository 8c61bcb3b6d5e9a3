//! `record check FILE`: everything that is wrong with a record at once, with its place and what to do.
//!
//! Nothing of the record's content is printed: only counts, places and our own words.

use std::path::Path;

use super::super::super::failure::{Failure, Problem};
use super::super::super::input;
use super::super::super::output::Done;
use crate::cli::Exit;
use crate::json::Value;
use crate::object;

pub(crate) fn run(path: &Path) -> Result<Done, Failure> {
    let record = input::record(path)?;
    let plan = &record.document.plan;
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let warnings: Vec<Problem> = record.warnings();
    let human = format!(
        "valid: {}, {}, {} goals, {} activities, {} sessions\n",
        plan.variant.display(),
        plan.status.display(),
        plan.goals.len(),
        plan.activities.len(),
        plan.sessions.len(),
    );
    let result = object! {
        "valid" => true,
        "variant" => plan.variant.code(),
        "status" => plan.status.code(),
        "goals" => count(plan.goals.len()),
        "activities" => count(plan.activities.len()),
        "sessions" => count(plan.sessions.len()),
    };
    Ok(Done::new(human, Value::Object(result)).but(Exit::Done, warnings))
}
