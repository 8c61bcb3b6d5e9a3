//! `convert FILE --to json|xml`: a document in the other format, nothing lost. What it prints is the document itself.

use std::path::Path;

use super::super::args::{Convert, DocumentFormat};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::input;
use super::super::output::Output;
use crate::fhir::Release;
use crate::json::Limits;
use crate::validate::check::{Unread, named_release, read};
use crate::validate::options::Options;
use crate::validate::shared::Shared;
use crate::validate::tree::Tree;
use crate::validate::tree::write::{self, Style};

pub(crate) fn run(args: &Convert, output: &Output) -> Result<(), Failure> {
    let bytes = input::read(&args.file, Limits::BUNDLE)?;
    let (tree, shared) = annotated(&bytes, args.release.said(), &args.file)?;
    let types = shared.programs().types();
    let text = match args.to {
        DocumentFormat::Json => write::json(&tree, types, Style::Pretty),
        DocumentFormat::Xml => write::xml(&tree, types, Style::Pretty),
    };
    let text = text.map_err(|error| {
        let position = tree.position(error.offset);
        let mut failure = Failure::new(Exit::Invalid, "convert-impossible", error.to_string())
            .help("nothing is written, because something would be lost; `validate` tells more")
            .in_file(&args.file);
        place(&mut failure, position);
        failure
    })?;
    output.part(&text);
    Ok(())
}

/// Reads a document and gives every element its type.
pub(super) fn annotated<'s>(
    bytes: &'s [u8],
    release: Option<Release>,
    path: &Path,
) -> Result<(Tree<'s>, Shared), Failure> {
    let mut tree = read(bytes).map_err(|unread| unreadable(&unread).in_file(path))?;
    let release = release.or_else(|| named_release(&tree)).unwrap_or_default();
    let shared = Shared::core(release);
    shared.validator(Options::default()).annotate(&mut tree);
    Ok((tree, shared))
}

fn unreadable(unread: &Unread) -> Failure {
    let mut failure = Failure::new(Exit::Unreadable, unread.rule.code, unread.text.as_str())
        .help("`validate` shows the place");
    place(&mut failure, unread.position);
    failure
}

fn place(failure: &mut Failure, position: crate::json::Position) {
    for problem in &mut failure.problems {
        problem.line = Some(position.line);
        problem.column = Some(position.column);
    }
}
