//! Reading one input: a file, or stdin as `-`.
//!
//! A directory is no input, and nothing is read beyond what its kind of document may have.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::failure::{Failure, Problem, cannot_read};
use crate::fhir::Resource;
use crate::ipt::{Document, document};
use crate::issue::Issue;
use crate::json::{self, Limits};

/// A record that was read.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) document: Document,
    path: PathBuf,
}

/// The bytes of a file, or of stdin for `-`.
pub(crate) fn read(path: &Path, limits: Limits) -> Result<Vec<u8>, Failure> {
    let most = u64::try_from(limits.bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes)
    } else if path.is_dir() {
        let text = "a directory can't be read as a document";
        return Err(Failure::new(Exit::Unreadable, "input-directory", text)
            .help("name one file, or - for stdin")
            .in_file(path));
    } else {
        File::open(path).and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
    };
    let unreadable =
        |code, text: String| Err(Failure::new(Exit::Unreadable, code, text).in_file(path));
    match result {
        Ok(_) if bytes.len() > limits.bytes => {
            let text = format!("larger than any document of its kind ({} MiB)", limits.bytes >> 20);
            unreadable("input-too-large", text)
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(cannot_read(&error).in_file(path)),
    }
}

/// Reads a record and checks it.
pub(crate) fn record(path: &Path) -> Result<Record, Failure> {
    let bytes = read(path, Limits::RESOURCE)?;
    let document = document::parse(&bytes).map_err(|error| {
        let exit = match error {
            document::Error::Unreadable(_) => Exit::Unreadable,
            document::Error::Invalid(_) => Exit::Invalid,
        };
        let problems = error.issues().iter().map(Problem::from).collect();
        Failure { exit, problems }.in_file(path)
    })?;
    Ok(Record { document, path: path.to_owned() })
}

/// Reads a resource.
pub(crate) fn resource(bytes: &[u8]) -> Result<Resource, Failure> {
    let value = json::parse_with(bytes, Limits::BUNDLE).map_err(|error| {
        let mut failure = Failure::new(Exit::Unreadable, "input-not-json", error.to_string());
        for problem in &mut failure.problems {
            problem.line = Some(error.position.line);
            problem.column = Some(error.position.column);
        }
        failure
    })?;
    Resource::from_value(value).map_err(|_| {
        let text = "not a FHIR resource: no object with a resourceType";
        Failure::new(Exit::Unreadable, "input-not-fhir", text)
    })
}

impl Record {
    /// An issue of the record as a problem of its file.
    pub(crate) fn problem(&self, issue: &Issue) -> Problem {
        Problem { path: Some(self.path.display().to_string()), ..Problem::from(issue) }
    }

    /// Its warnings.
    pub(crate) fn warnings(&self) -> Vec<Problem> {
        self.document.warnings.iter().map(|issue| self.problem(issue)).collect()
    }
}
