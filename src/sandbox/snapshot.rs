//! The snapshot file: what the server holds, kept over a restart.
//!
//! One line of JSON for each version, in the order in which they were written, after a first line that names the
//! format. It may hold patients, so it is readable by its owner only. It is written beside its place, synced and
//! renamed: whoever reads it finds the old state or the new one. Every write writes all of it, which is right for
//! the few thousand versions of a try-out, and wrong for more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::fhir::{Resource, ResourceId};
use crate::json::{self, Limits, Value};
use crate::object;

use super::Error;
use super::interaction::Ehr;
use super::store::{Store, Written, instant};

const FORMAT: &str = "ipt-fhir-sandbox-1";

/// A line holds a resource one level deeper than a request did.
const LINE: Limits =
    Limits { bytes: usize::MAX, depth: Limits::BUNDLE.depth + 2, nodes: usize::MAX };

/// Where the snapshot is.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    path: PathBuf,
}

impl Snapshot {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Writes the whole state.
    pub(super) fn write(&self, ehr: &Ehr) -> io::Result<()> {
        let name = self.path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let beside = self.path.with_file_name(format!(
            ".{}.{}.tmp",
            name.to_string_lossy(),
            std::process::id()
        ));
        let written = write_file(&beside, ehr).and_then(|()| fs::rename(&beside, &self.path));
        if written.is_err() {
            fs::remove_file(&beside).ok();
        }
        written
    }

    /// Reads the state back into an empty server; nothing if there is no file yet.
    pub(super) fn read(&self, ehr: &mut Ehr) -> Result<(), Error> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::Snapshot(error)),
        };
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let first = lines.next().and_then(|line| json::parse_with(line, LINE).ok());
        let first = first.filter(|first| first.text("format") == Some(FORMAT));
        let first = first.ok_or(Error::NotASnapshot { line: 1 })?;
        ehr.counter = first.get("counter").and_then(Value::as_u64).unwrap_or_default();
        for (index, line) in lines.enumerate() {
            read_version(line, &mut ehr.store).ok_or(Error::NotASnapshot { line: index + 2 })?;
        }
        Ok(())
    }
}

fn write_file(path: &Path, ehr: &Ehr) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(path)?);
    let first = object! { "format" => FORMAT, "counter" => ehr.counter };
    writeln!(file, "{}", Value::Object(first).to_text())?;
    for (id, version) in ehr.store.since(0) {
        let line = object! {
            "id" => id.to_string(),
            "written" => version.written.verb(),
            "lastUpdated" => instant(version.last_updated),
            "resource" => version.resource.as_ref().map(|resource| resource.to_value()),
        };
        writeln!(file, "{}", Value::Object(line).to_text())?;
    }
    let file: File = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

fn read_version(line: &[u8], store: &mut Store) -> Option<()> {
    let Value::Object(mut version) = json::parse_with(line, LINE).ok()? else { return None };
    let id: ResourceId = version.get("id")?.as_str()?.parse().ok()?;
    let written = match version.get("written")?.as_str()? {
        "POST" => Written::Post,
        "PUT" => Written::Put,
        "DELETE" => Written::Delete,
        _ => return None,
    };
    let last_updated = version.get("lastUpdated")?.as_str()?.parse().ok()?;
    let resource = match version.remove("resource") {
        Some(value) => Some(Resource::from_value(value).ok()?),
        None => None,
    };
    store.restore(&id, written, last_updated, resource);
    Some(())
}
