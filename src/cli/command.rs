//! The commands, one file each.

pub(super) mod completions;
mod ehr;
pub(super) mod man;
pub(super) mod version;

use super::args::{Command, Ehr};
use super::failure::Failure;
use super::output::{Done, Output};
use super::settings::Settings;

/// Runs a command; `None` if it has shown its result itself.
pub(super) async fn run(
    command: Command,
    settings: &Settings,
    output: &Output,
) -> Result<Option<Done>, Failure> {
    match command {
        Command::Ehr(Ehr::Add(ehr)) => ehr::add::run(&ehr, settings).map(Some),
        Command::Ehr(Ehr::List) => Ok(Some(ehr::list::run(settings))),
        Command::Ehr(Ehr::Test { name }) => {
            ehr::test::run(name.as_deref(), settings).await.map(Some)
        }
        Command::Completions { shell } => completions::run(shell).map(Some),
        Command::Man { directory } => man::run(directory.as_deref()).map(Some),
        Command::Version => Ok(Some(version::run())),
    }
}
