//! `completions SHELL`: a script that completes commands and flags.

use clap_complete::Shell;

use super::super::command_line;
use super::super::output::Done;
use crate::json::Value;

pub(crate) fn run(shell: Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line(), "ipt-fhir", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Done::new(script.clone(), Value::String(script))
}
