//! Reading one input: a file, or stdin as `-`.
//!
//! A directory is no input, and nothing is read beyond what any document may have.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::exit::Exit;
use super::failure::Failure;
use crate::json::Limits;

/// The bytes of a file, or of stdin for `-`; at most one more than a Bundle may have.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let most = u64::try_from(Limits::BUNDLE.bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else if path.is_dir() {
        let text = "a directory can't be read as a document";
        return Err(Failure::new(Exit::Unreadable, "input-directory", text)
            .help("name one file, or - for stdin")
            .in_file(path));
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    match result {
        Ok(_) => Ok(bytes),
        Err(error) => {
            let text = format!("the file can't be read: {}", error.kind());
            Err(Failure::new(Exit::Unreadable, "input-unreadable", text).in_file(path))
        }
    }
}
