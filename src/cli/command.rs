//! The commands, one file each.

pub(super) mod completions;
mod convert;
mod definitions;
mod demo;
mod ehr;
mod explain;
mod fhirpath;
mod hand_offs;
pub(super) mod man;
mod map;
mod record;
mod sandbox;
mod suite;
mod sync;
mod validate;
pub(super) mod version;

use super::args::{Command, Definitions, Ehr, Record, Suite};
use super::failure::Failure;
use super::output::{Done, Output};
use super::runtime;
use super::settings::Settings;

/// Runs a command; `None` if it has shown its result itself.
pub(super) fn run(
    command: Command,
    settings: &Settings,
    output: &Output,
) -> Result<Option<Done>, Failure> {
    match command {
        Command::Map(map) => map::run(&map, settings, output),
        Command::Record(Record::Check { file }) => record::check::run(&file),
        Command::Record(Record::Show { file }) => record::show::run(&file),
        Command::Record(Record::Render(render)) => {
            return record::render::run(&render, settings, output);
        }
        Command::Record(Record::New { variant }) => Ok(record::new::run(variant, output)),
        Command::Sync(sync) => runtime::run(sync::run(&sync, settings, output)),
        Command::Demo => runtime::run(demo::run(output)),
        Command::Ehr(Ehr::Add(ehr)) => runtime::run(ehr::add::run(&ehr, settings)),
        Command::Ehr(Ehr::Capabilities(args)) => {
            runtime::run(ehr::capabilities::run(&args, settings))
        }
        Command::Ehr(Ehr::Ladder(args)) => runtime::run(ehr::ladder::run(&args, settings)),
        Command::Ehr(Ehr::Keys(keys)) => ehr::keys::run(&keys, settings),
        Command::Ehr(Ehr::List) => Ok(ehr::list::run(settings)),
        Command::Ehr(Ehr::Test { name }) => runtime::run(ehr::test::run(name.as_deref(), settings)),
        Command::Ehr(Ehr::Link(link)) => runtime::run(ehr::link::run(&link, settings)),
        Command::Ehr(Ehr::Candidates { name, record }) => {
            runtime::run(ehr::candidates::run(&name, &record, settings))
        }
        Command::Ehr(Ehr::Unlink(unlink)) => {
            runtime::run(ehr::reference::unlink(&unlink, settings))
        }
        Command::HandOffs(hand_offs) => runtime::run(hand_offs::run(&hand_offs, settings)),
        Command::Sandbox(sandbox) => {
            return runtime::block_on(sandbox::run(&sandbox, output)).map(|()| None);
        }
        Command::Validate(args) => return validate::run(&args, settings, output).map(|()| None),
        Command::Explain(args) => explain::run(&args),
        Command::Fhirpath(args) => fhirpath::run(&args),
        Command::Convert(args) => return convert::run(&args, output).map(|()| None),
        Command::Suite(Suite::Run(args)) => suite::run(&args, settings),
        Command::Definitions(Definitions::Build { from, to }) => definitions::build(&from, &to),
        Command::Completions { shell } => Ok(completions::run(shell)),
        Command::Man { directory } => man::run(directory.as_deref()),
        Command::Version => Ok(version::run()),
    }
    .map(Some)
}
