//! `man [DIR]`: manual pages, made from the command line itself.

use std::fs;
use std::io;
use std::path::Path;

use clap_mangen::Man;

use super::super::command_line;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Done;
use crate::json::Value;

pub(crate) fn run(directory: Option<&Path>) -> Result<Done, Failure> {
    let Some(directory) = directory else {
        let page = page(command_line()).map_err(|error| failure(&error))?;
        return Ok(Done::new(page.clone(), Value::String(page)));
    };
    let written = write_all(directory).map_err(|error| failure(&error).in_file(directory))?;
    Ok(Done::new(written.join("\n") + "\n", Value::from_iter(written)))
}

fn page(command: clap::Command) -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Writes a page for the program and for each command below it; returns the files' names.
fn write_all(directory: &Path) -> io::Result<Vec<String>> {
    fs::create_dir_all(directory)?;
    let mut command = command_line();
    command.build();
    let mut written = Vec::new();
    let mut waiting = vec![command.display_name("ipt-fhir")];
    while let Some(command) = waiting.pop() {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let told = |below: &&clap::Command| below.get_name() != "help" && !below.is_hide_set();
        waiting.extend(command.get_subcommands().filter(told).cloned());
        let file = format!("{name}.1");
        fs::write(directory.join(&file), page(command)?)?;
        written.push(file);
    }
    written.sort();
    Ok(written)
}

fn failure(error: &io::Error) -> Failure {
    let text = format!("the pages can't be written: {}", error.kind());
    Failure::new(Exit::Failed, "man", text)
}
