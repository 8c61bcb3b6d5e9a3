//! The only printer: results to stdout, everything else to stderr.
//!
//! stdout holds data and nothing but data, in one of three formats; notes, problems, questions and progress go to
//! stderr. A reader that closes the pipe (`| head`) has what it wanted: that is a success.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};

use anstyle::{AnsiColor, Style};

use super::args::Format;
use super::exit::Exit;
use super::failure::{Failure, Problem};
use crate::issue::Severity;
use crate::json::{Object, Value};
use crate::object;

/// The version of the envelope.
const SCHEMA: &str = "ipt-fhir/1";

const BOLD: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default();

/// What a command came to: the same thing for a person and as data.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) exit: Exit,
    /// For a person, as it is to stand on stdout.
    pub(crate) human: String,
    /// As data; a list has a line for each item in NDJSON.
    pub(crate) result: Value,
    /// What is wrong all the same.
    pub(crate) problems: Vec<Problem>,
}

impl Done {
    /// A result without problems.
    pub(crate) fn new(human: impl Into<String>, result: impl Into<Value>) -> Self {
        let (human, result) = (human.into(), result.into());
        Self { exit: Exit::Done, human, result, problems: Vec::new() }
    }

    /// The same result with an exit code and problems.
    pub(crate) fn but(mut self, exit: Exit, problems: Vec<Problem>) -> Self {
        self.exit = exit;
        self.problems = problems;
        self
    }
}

/// Where a command writes to.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    /// How writing to stdout failed, if it did.
    failed: Cell<Option<ErrorKind>>,
    /// How a command ended that has shown its result itself.
    ended: Cell<Exit>,
}

impl Output {
    /// A printer.
    pub(crate) const fn new(format: Format, quiet: bool) -> Self {
        Self { format, quiet, failed: Cell::new(None), ended: Cell::new(Exit::Done) }
    }

    /// Whether results are for a person.
    pub(crate) fn is_human(&self) -> bool {
        self.is(Format::Human)
    }

    /// Whether results are written in a format.
    pub(crate) fn is(&self, format: Format) -> bool {
        self.format == format
    }

    /// Prints what a command came to, and says how the process is to end.
    pub(crate) fn finish(&self, result: Result<Option<Done>, Failure>) -> Exit {
        let exit = match result {
            Ok(Some(done)) => self.show(&done),
            Ok(None) => self.ended.get(),
            Err(failure) => {
                if self.format == Format::Json {
                    self.data(&envelope(failure.exit, Value::Null, &failure.problems));
                } else {
                    self.problems(&failure.problems);
                }
                failure.exit
            }
        };
        match self.failed.get() {
            None => exit,
            // Whoever read has read enough.
            Some(ErrorKind::BrokenPipe) => Exit::Done,
            Some(kind) => {
                let message = format!("the result can't be written: {kind}");
                self.problems(&[Problem::new(Severity::Error, "output", message)]);
                Exit::Failed
            }
        }
    }

    /// Prints a result now; for a command that goes on after it.
    pub(crate) fn show(&self, done: &Done) -> Exit {
        match self.format {
            Format::Human => {
                self.data(&done.human);
                self.problems(&done.problems);
            }
            Format::Json => {
                self.data(&envelope(done.exit, done.result.clone(), &done.problems));
            }
            Format::Ndjson => {
                let one = std::slice::from_ref(&done.result);
                for item in done.result.as_array().unwrap_or(one) {
                    self.data(&format!("{}\n", item.to_text()));
                }
                self.problems(&done.problems);
            }
        }
        done.exit
    }

    /// Prints a line of a longer story, for a person only.
    pub(crate) fn say(&self, line: &str) {
        if self.is_human() {
            self.data(&format!("{line}\n"));
        }
    }

    /// Prints a part of a result, as it stands; `false` once nobody reads any more.
    pub(crate) fn part(&self, text: &str) -> bool {
        self.data(text);
        self.failed.get().is_none()
    }

    /// Says how a command ends that has shown its result itself.
    pub(crate) fn ends(&self, exit: Exit) {
        self.ended.set(exit);
    }

    /// Writes bytes to stdout as they are: a document that is no text, for a pipe or a file behind it.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            self.failed.set(Some(error.kind()));
        }
    }

    /// Prints a note to stderr, unless nobody wants any.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            stderr(&format!("{text}\n"));
        }
    }

    /// Prints problems to stderr: for a person, or as one JSON object a line.
    pub(crate) fn problems(&self, problems: &[Problem]) {
        for problem in problems {
            match self.format {
                Format::Human => stderr(&describe(problem)),
                Format::Json | Format::Ndjson => {
                    stderr(&format!("{}\n", Value::Object(problem.to_object()).to_text()));
                }
            }
        }
    }

    /// Writes to stdout; after a failure no more.
    fn data(&self, text: &str) {
        if self.failed.get().is_some() {
            return;
        }
        let mut stdout = anstream::stdout().lock();
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            self.failed.set(Some(error.kind()));
        }
    }
}

/// Writes to stderr. If that fails there is nobody left to tell.
pub(super) fn stderr(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Reads the answer to a question from stdin.
pub(super) fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// The envelope of `--format json`: every member is always there.
pub(super) fn envelope(exit: Exit, result: Value, problems: &[Problem]) -> String {
    let errors = problems.iter().map(|problem| Value::Object(problem.to_object())).collect();
    let mut envelope = Object::new();
    envelope.insert("schema", Value::String(SCHEMA.to_owned()));
    envelope.insert("ok", Value::Bool(exit == Exit::Done));
    envelope.insert("result", result);
    envelope.insert("errors", Value::Array(errors));
    let meta = object! { "version" => env!("CARGO_PKG_VERSION"), "exit" => u32::from(exit.code()) };
    envelope.insert("meta", Value::Object(meta));
    Value::Object(envelope).to_pretty()
}

/// A problem for a person: what and which code, where, the line with a caret, and what to do.
fn describe(problem: &Problem) -> String {
    let style = match problem.severity {
        Severity::Error | Severity::Fatal => ERROR,
        Severity::Warning => WARNING,
        Severity::Information => HELP,
    };
    let word = match problem.severity {
        Severity::Fatal => "error",
        other => other.code(),
    };
    let mut text =
        format!("{style}{word}[{}]{style:#}{BOLD}: {}{BOLD:#}\n", problem.code, problem.message);
    let mut place = problem.path.clone().unwrap_or_default();
    if let Some(line) = problem.line {
        let _ = write!(place, ":{line}:{}", problem.column.unwrap_or(1));
    }
    if let Some(pointer) = problem.pointer.as_deref().filter(|pointer| !pointer.is_empty()) {
        let _ = write!(place, " {pointer}");
    }
    if !place.is_empty() {
        let _ = writeln!(text, "  --> {}", place.trim_start());
    }
    if let (Some(line), Some((excerpt, width))) = (problem.line, &problem.excerpt) {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let before = excerpt.chars().count().saturating_sub(*width);
        let (space, caret) = (" ".repeat(before), "^".repeat(*width));
        let _ = writeln!(text, "{margin} |\n{number} | {excerpt}");
        let _ = writeln!(text, "{margin} | {space}{style}{caret}{style:#}");
    }
    if let Some(help) = &problem.help {
        let _ = writeln!(text, "  {HELP}help{HELP:#}: {help}");
    }
    text
}
