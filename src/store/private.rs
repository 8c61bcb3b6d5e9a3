//! Files that only their owner can open.
//!
//! The modes are given when a file is made, never afterwards, so there is no moment in which others can open it.
//! `SQLite` gives its write-ahead log and shared memory the mode of the database file. Where the operating system
//! has no such modes, the directory must be in a place that it protects, as a user's own data directory is.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::Error;

/// The name of the database file.
const DATABASE: &str = "ipt-fhir.sqlite";

/// Makes the directory and the database file where they are not there, and refuses wider modes.
pub(super) fn prepare(directory: &Path) -> Result<PathBuf, Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| Error::Open(error.kind()))?;
    check(directory)?;
    let path = directory.join(DATABASE);
    file(&path)?;
    Ok(path)
}

/// Opens a file for reading and writing, making it where it is not there.
pub(super) fn file(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Error::Open(error.kind()))
}

/// Refuses a directory or a file in it that others can open.
#[cfg(unix)]
pub(super) fn check(directory: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let open = |error: std::io::Error| Error::Open(error.kind());
    let exposed = |metadata: &std::fs::Metadata| metadata.permissions().mode() & 0o077 != 0;
    if exposed(&directory.metadata().map_err(open)?) {
        return Err(Error::Exposed("directory"));
    }
    for entry in directory.read_dir().map_err(open)? {
        match entry.and_then(|entry| entry.metadata()) {
            Ok(metadata) if metadata.is_file() && exposed(&metadata) => {
                return Err(Error::Exposed("files"));
            }
            // A log that SQLite removed between listing and looking.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(open(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Nothing to look at where there are no modes.
#[cfg(not(unix))]
pub(super) fn check(_: &Path) -> Result<(), Error> {
    Ok(())
}
