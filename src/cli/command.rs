//! The commands, one file each.

pub(super) mod completions;
mod demo;
mod ehr;
pub(super) mod man;
mod map;
mod record;
mod sandbox;
mod sync;
pub(super) mod version;

use super::args::{Command, Ehr, Record};
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
        Command::Map(map) => map::run(&map, settings, output),
        Command::Record(Record::Check { file }) => record::check::run(&file),
        Command::Record(Record::Show { file }) => record::show::run(&file),
        Command::Record(Record::New { variant }) => Ok(record::new::run(variant, output)),
        Command::Ehr(Ehr::Add(ehr)) => ehr::add::run(&ehr, settings),
        Command::Ehr(Ehr::List) => Ok(ehr::list::run(settings)),
        Command::Ehr(Ehr::Test { name }) => ehr::test::run(name.as_deref(), settings).await,
        Command::Sandbox(sandbox) => return sandbox::run(&sandbox, output).await.map(|()| None),
        Command::Ehr(Ehr::Link(link)) => ehr::link::run(&link, settings).await,
        Command::Sync(sync) => sync::run(&sync, settings, output).await,
        Command::Demo => demo::run(output).await,
        Command::Completions { shell } => Ok(completions::run(shell)),
        Command::Man { directory } => man::run(directory.as_deref()),
        Command::Version => Ok(version::run()),
    }
    .map(Some)
}
