//! `record render FILE`: the plan or a session as a document, as an EHR would get it in a note.
//!
//! What it says is what the policy lets leave. It is the first edition of the note, dated as the record is, so that the
//! same record gives the same bytes; one that has no date at all, neither of its own nor of a session, is dated now. A PDF never goes to a terminal, and a file that is written can be read by its
//! owner only.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::super::super::args::{Form, Format, Render};
use super::super::super::clock;
use super::super::super::failure::{Failure, cannot_write};
use super::super::super::input;
use super::super::super::output::{Done, Output};
use super::super::super::settings::Settings;
use crate::cli::Exit;
use crate::ipt::Plan;
use crate::json::{Object, Value};
use crate::mapping::identity::Identity;
use crate::mapping::note::{self, Edition, MediaType, Note, Subject};
use crate::mapping::{Options, policy};
use crate::object;

/// Renders; `None` if bytes went to stdout.
pub(crate) fn run(
    args: &Render,
    settings: &Settings,
    output: &Output,
) -> Result<Option<Done>, Failure> {
    let record = input::record(&args.file)?;
    let options = args.policy.options(settings);
    let plan = &record.document.plan;
    let note = note_of(plan, args.session.as_deref(), &options)
        .map_err(|failure| failure.in_file(&args.file))?;
    let media_type = match args.to {
        Form::Text => MediaType::Text,
        Form::Html => MediaType::Html,
        Form::Pdf => MediaType::Pdf,
    };
    let to_stdout = media_type == MediaType::Pdf && args.output.is_none();
    if to_stdout && (!output.is(Format::Human) || io::stdout().is_terminal()) {
        let text = "a PDF is bytes, and they would go to a terminal or into JSON";
        return Err(Failure::new(Exit::Usage, "render-pdf-to-terminal", text)
            .help("give --output FILE, or let a pipe take it"));
    }
    let edition = Edition::first(note.slot, note.date().unwrap_or_else(clock::now));
    let bytes = note.render(&edition, media_type).map_err(|error| {
        Failure::new(Exit::Failed, error.code(), error.to_string())
            .help("--to text and --to html hold every character")
            .in_file(&args.file)
    })?;
    let withheld = policy::filter(plan, &options.policy).1;
    for withheld in &withheld {
        let (section, pointer) = (withheld.section.code(), &withheld.pointer);
        output.note(&format!("withheld: {pointer} (--grant {section} lets it leave)"));
    }
    let withheld: Vec<Object> = withheld
        .iter()
        .map(|one| object! { "section" => one.section.code(), "pointer" => one.pointer.as_str() })
        .collect();
    let name = media_type.name();
    let warnings = record.warnings();
    if let Some(path) = &args.output {
        write(path, &bytes)
            .map_err(|error| cannot_write("render-output", "the document", &error).in_file(path))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let shown = path.display().to_string();
        let result = object! { "mediaType" => name, "bytes" => size, "file" => &shown, "withheld" => withheld };
        let human = format!("{shown}: {name}, {size} bytes\n");
        return Ok(Some(Done::new(human, Value::Object(result)).but(Exit::Done, warnings)));
    }
    if media_type == MediaType::Pdf {
        output.problems(&warnings);
        output.bytes(&bytes);
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let result = object! { "mediaType" => name, "text" => &text, "withheld" => withheld };
    Ok(Some(Done::new(text, Value::Object(result)).but(Exit::Done, warnings)))
}

/// The note of the plan, or of the session of an id.
fn note_of(plan: &Plan, session: Option<&str>, options: &Options) -> Result<Note, Failure> {
    let subject = match session {
        None => Subject::Plan,
        Some(id) if plan.sessions.iter().any(|session| session.id == id) => {
            let identity = Identity::new(&plan.id, options.namespace);
            Subject::Session { encounter: identity.item(id) }
        }
        Some(_) => {
            let text = "the record has no session of this id";
            return Err(Failure::new(Exit::Usage, "render-no-session", text)
                .help("`record show --format json` lists the sessions with their ids"));
        }
    };
    note::notes(plan, options).into_iter().find(|note| note.subject == subject).ok_or_else(|| {
        let text = "there is no note of this session: it was neither held nor missed";
        Failure::new(Exit::Usage, "render-no-note", text).help("the plan tells what is known of it")
    })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
