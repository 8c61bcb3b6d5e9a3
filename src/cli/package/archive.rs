//! Reading a `.tgz` that comes from somewhere: in memory, never to disk, and within bounds.
//!
//! An archive is refused whole as soon as one entry is anything but a plain file or directory in its place: links,
//! devices, absolute paths, `..`, two files of one name, a path or size that an extended header changes behind the back
//! of the first. So is one with more than 20,000 entries, more than 512 MiB when inflated, a definition above 32 MiB, or one
//! that grows more than a hundredfold (reliability-and-security.md C8).

use std::collections::BTreeSet;
use std::io::{self, Read};

use tar::{Archive, EntryType, PaxExtensions};

use crate::validate::bulk::{Inflate, Unpacking};
use crate::validate::detect::is_named;

/// Entries, or files of a directory.
pub(crate) const MOST_FILES: usize = 20_000;
/// Bytes of all entries together.
pub(crate) const MOST_BYTES: u64 = 512 << 20;
/// Bytes of one file that is kept. The largest definition that HL7 has is a fifth of it.
const MOST_OF_ONE: u64 = 32 << 20;
/// Bytes of an extended header: paths and dates.
const MOST_OF_A_HEADER: u64 = 64 << 10;

/// Why an archive was refused. The texts name no path: an archive's paths are anybody's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It can't be read to its end.
    #[error("it is no whole gzip-compressed tar archive")]
    NotAnArchive,
    /// A link, a device, or something else that is neither file nor directory.
    #[error("it holds a link or a special file")]
    NotAFile,
    /// A path that leads out of the archive, or none.
    #[error("it holds a path that leads outside of it")]
    Path,
    /// Two files have one path.
    #[error("it holds two files of one name")]
    Duplicate,
    /// An extended header contradicts what it stands before.
    #[error("it holds an extended header that changes a size or is too long")]
    Header,
    /// It has too many entries, is too large when inflated, or is small for how large it is then.
    #[error(
        "it holds more than a package may: 20,000 files, 512 MiB, 32 MiB in one of them, a hundredfold of its own size"
    )]
    TooLarge,
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Self::NotAnArchive
    }
}

/// Whether a file of a package can be a definition: JSON right in `package/`, or anywhere else where there is none.
pub(crate) fn is_definition(path: &str) -> bool {
    let inner = path.strip_prefix("package/");
    is_named(path, "json") && inner.is_none_or(|inner| !inner.contains('/'))
}

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Entries.
    pub(super) files: usize,
    /// Bytes of all, inflated, with their headers.
    pub(super) bytes: u64,
    /// Bytes of one file that is kept.
    pub(super) one: u64,
}

/// The files of a gzip-compressed tar archive that are wanted, with their paths.
pub(crate) fn read(
    source: impl Read,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, Refused> {
    let bounds = Bounds { files: MOST_FILES, bytes: MOST_BYTES, one: MOST_OF_ONE };
    read_within(source, wanted, bounds)
}

/// The same, within bounds of the caller's.
pub(super) fn read_within(
    source: impl Read,
    wanted: impl Fn(&str) -> bool,
    bounds: Bounds,
) -> Result<Vec<(String, Vec<u8>)>, Refused> {
    let limits = Unpacking { total: bounds.bytes, ..Unpacking::NETWORK };
    let mut archive = Archive::new(Inflate::new(source, limits));
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    let mut path_of_next = None;
    // Raw: extended headers come as entries of their own, so that none is taken into memory before its size is known.
    for (count, entry) in archive.entries()?.raw(true).enumerate() {
        let mut entry = entry.map_err(|error| fault(&error))?;
        if count >= bounds.files {
            return Err(Refused::TooLarge);
        }
        let size = entry.size();
        let kind = entry.header().entry_type();
        match kind {
            EntryType::XHeader | EntryType::GNULongName => {
                if size > MOST_OF_A_HEADER {
                    return Err(Refused::Header);
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(|error| fault(&error))?;
                path_of_next =
                    if kind == EntryType::XHeader { pax_path(&bytes)? } else { long_name(&bytes) };
                continue;
            }
            // Comments and dates of the whole archive.
            EntryType::XGlobalHeader if size <= MOST_OF_A_HEADER => continue,
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            _ => return Err(Refused::NotAFile),
        }
        let path = match path_of_next.take() {
            Some(path) => path,
            None => {
                String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| Refused::Path)?
            }
        };
        let path = plain(&path).ok_or(Refused::Path)?;
        if kind == EntryType::Directory {
            continue;
        }
        if !seen.insert(path.clone()) {
            return Err(Refused::Duplicate);
        }
        if wanted(&path) {
            if size > bounds.one {
                return Err(Refused::TooLarge);
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(|error| fault(&error))?;
            files.push((path, bytes));
        }
    }
    Ok(files)
}

/// The path with `/` between plain names; nothing for one that is absolute or climbs.
fn plain(path: &str) -> Option<String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_plain =
        |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']);
    (path.is_empty() || path == "." || path.split('/').all(is_plain)).then(|| path.to_owned())
}

/// The path that an extended header (POSIX pax) gives to the next entry.
fn pax_path(bytes: &[u8]) -> Result<Option<String>, Refused> {
    let mut path = None;
    for record in PaxExtensions::new(bytes) {
        let record = record.map_err(|_| Refused::Header)?;
        match record.key_bytes() {
            b"path" => path = Some(record.value().map_err(|_| Refused::Path)?.to_owned()),
            key if key == b"size" || key == b"linkpath" || key.starts_with(b"GNU.sparse") => {
                return Err(Refused::Header);
            }
            _ => {}
        }
    }
    Ok(path)
}

/// The path that a long name of GNU tar gives to the next entry.
fn long_name(bytes: &[u8]) -> Option<String> {
    let name = bytes.split(|byte| *byte == 0).next()?;
    String::from_utf8(name.to_vec()).ok()
}

fn fault(error: &io::Error) -> Refused {
    // The tar reader wraps the error of a bomb into its own, of the same kind.
    match error.kind() {
        io::ErrorKind::FileTooLarge => Refused::TooLarge,
        _ => Refused::NotAnArchive,
    }
}
