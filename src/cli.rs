//! The command line: arguments become settings, settings become a command, a command's result becomes output.
//!
//! Arguments (`args`) are dumb, settings are resolved, commands (`command`) are thin: they call library rooms and
//! return what came of it as one value, which `output`, the only printer, writes for a person or as JSON. What can
//! go wrong has one form (`failure`) and ends in one of the exit codes of [`Exit`].

mod args;
mod clock;
mod command;
mod exit;
mod failure;
mod input;
mod output;
mod package;
mod progress;
mod prompt;
mod runtime;
mod settings;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Arguments, Command, Format};
use failure::{Failure, Problem};
use output::{Done, Output};
use settings::Settings;

use crate::issue::Severity;
use crate::telemetry;

pub use exit::Exit;

/// Runs the program with its arguments and environment.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error).into(),
    };
    settings::set_color(arguments.global.color);
    let output = Output::new(arguments.global.format, arguments.global.quiet);
    output.finish(execute(arguments, &output)).into()
}

/// The command line as clap knows it: for completions, the manual, and tests that walk it.
pub fn command_line() -> clap::Command {
    Arguments::command()
}

fn execute(arguments: Arguments, output: &Output) -> Result<Option<Done>, Failure> {
    let command = match arguments.command {
        // These work whatever the configuration looks like.
        Command::Completions { shell } => return Ok(Some(command::completions::run(shell))),
        Command::Man { directory } => return command::man::run(directory.as_deref()).map(Some),
        Command::Version => return Ok(Some(command::version::run())),
        other => other,
    };
    let settings = Settings::resolve(arguments.global)?;
    let log = &settings.config.log;
    telemetry::start(log.level.value, log.format.value, settings::stderr_is_colored());
    for warning in &settings.config.warnings {
        let problem = Problem { severity: Severity::Warning, ..warning.clone().into() };
        output.problems(&[problem]);
    }
    command::run(command, &settings, output)
}

/// Prints help, the version, or what is wrong with the command line.
fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Help and version; a closed pipe is no failure.
        let _ = error.print();
        return Exit::Done;
    }
    if asks_for_json(std::env::args_os().skip(1)) {
        let text = error.to_string();
        let text = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        let failure =
            Failure::new(Exit::Usage, "usage", text).help("--help shows what is possible");
        return Output::new(Format::Json, true).finish(Err(failure));
    }
    let _ = error.print();
    Exit::Usage
}

/// Whether a command line that could not be read asks for JSON.
fn asks_for_json(arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let mut before = None;
    for argument in arguments {
        if argument == "--format=json"
            || (before.as_deref() == Some("--format".as_ref()) && argument == "json")
        {
            return true;
        }
        before = Some(argument);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Exit, asks_for_json, command_line};

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }

    #[test]
    fn exit_codes_are_an_interface() {
        insta::assert_snapshot!(Exit::table(), @r"
        Exit codes:
            0  done, nothing wrong
            1  an operation failed: files, network, the server
            2  the command line or the configuration is wrong
            3  the input was read and has errors
            4  the input can't be read: not JSON, not a known document
            5  conflicts, or something that is to be linked, wait for a person
            6  the EHR did not accept who asked
            7  some items failed, or a kind is not allowed to be sent; the rest is done
            8  a safety rule refused
          130  interrupted (Ctrl-C), state saved
          143  terminated (SIGTERM), state saved
        ");
        for (exit, _) in Exit::ALL {
            assert_eq!(
                Exit::ALL.iter().filter(|(other, _)| other.code() == exit.code()).count(),
                1
            );
        }
    }

    #[test]
    fn json_is_asked_for_in_both_spellings() {
        let asks = |line: &str| asks_for_json(line.split(' ').map(Into::into));
        assert!(asks("map --format json --wrong") && asks("--format=json"));
        assert!(!asks("map --format human") && !asks("json") && !asks("--format ndjson"));
    }
}
