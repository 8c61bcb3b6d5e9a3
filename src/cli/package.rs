//! FHIR packages as users name them: an npm-style `.tgz`, a directory, or `id#version` in the package cache.
//!
//! The cache is the one that SUSHI, Firely Terminal and the Java validator fill: `~/.fhir/packages/<id>#<version>`. Nothing
//! is fetched, nothing is unpacked to disk; what a package may be is bounded ([`archive`], and the same for directories).

pub(super) mod archive;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use self::archive::{MOST_BYTES, MOST_FILES};
use super::exit::Exit;
use super::failure::{Failure, cannot_read};
use crate::validate::definitions::Package;
use crate::validate::detect::is_named;

/// No directory of a package is nested deeper.
const DEPTH: usize = 8;

/// Loads the package that a user names.
pub(crate) fn load(source: &str) -> Result<Package, Failure> {
    load_with(source, std::env::home_dir().as_deref())
}

/// The same, with the home directory that holds `.fhir/packages`.
pub(crate) fn load_with(source: &str, home: Option<&Path>) -> Result<Package, Failure> {
    let path = Path::new(source);
    let package = if path.is_dir() {
        directory(path)?
    } else if path.is_file() {
        file(path)?
    } else if let Some(cached) = cached(source, home) {
        directory(&cached)?
    } else if is_name(source) {
        let text = "this package is not in ~/.fhir/packages";
        let help = "fetch it with a tool that fills the FHIR package cache, or name the .tgz or its directory";
        return Err(Failure::new(Exit::Usage, "package-not-found", text).help(help).in_file(path));
    } else {
        let error = io::Error::from(io::ErrorKind::NotFound);
        return Err(cannot_read(&error).in_file(path));
    };
    if package.is_empty() {
        let text = "it holds no StructureDefinition, ValueSet, CodeSystem or SearchParameter";
        let help = "a package is package/*.json in a .tgz, or a directory of JSON files";
        return Err(Failure::new(Exit::Unreadable, "package-empty", text).help(help).in_file(path));
    }
    Ok(package)
}

/// Whether this is a name as the cache has it, and no path.
fn is_name(source: &str) -> bool {
    source.split_once('#').is_some_and(|(id, version)| is_plain(id) && is_plain(version))
}

fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
}

fn cached(source: &str, home: Option<&Path>) -> Option<PathBuf> {
    let path = home.filter(|_| is_name(source))?.join(".fhir").join("packages").join(source);
    path.is_dir().then_some(path)
}

fn file(path: &Path) -> Result<Package, Failure> {
    let file = File::open(path).map_err(|error| cannot_read(&error).in_file(path))?;
    let files = archive::read(file, archive::is_definition).map_err(|refused| {
        let text = refused.to_string();
        let help = "a FHIR package is a gzip-compressed tar archive with its files in package/";
        Failure::new(Exit::Unreadable, "package-unreadable", text).help(help).in_file(path)
    })?;
    Ok(Package::from_files(files))
}

fn directory(path: &Path) -> Result<Package, Failure> {
    let inner = path.join("package");
    let (root, prefix) = if inner.is_dir() { (inner.as_path(), "package/") } else { (path, "") };
    let mut walk = Walk { files: Vec::new(), bytes: 0, seen: 0 };
    walk.directory(root, prefix, 0).map_err(|error| match error {
        WalkError::Io(error) => cannot_read(&error).in_file(path),
        WalkError::TooLarge => {
            let text = "more files, or larger ones, than a package may have";
            Failure::new(Exit::Unreadable, "package-unreadable", text).in_file(path)
        }
    })?;
    Ok(Package::from_files(walk.files))
}

struct Walk {
    files: Vec<(String, Vec<u8>)>,
    bytes: u64,
    seen: usize,
}

enum WalkError {
    Io(io::Error),
    TooLarge,
}

impl From<io::Error> for WalkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Walk {
    fn directory(&mut self, path: &Path, prefix: &str, depth: usize) -> Result<(), WalkError> {
        let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        // So that of two files that define one thing it is not the file system that decides.
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.seen += 1;
            if self.seen > MOST_FILES {
                return Err(WalkError::TooLarge);
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            // A directory that is a link may lead anywhere, and round in circles.
            let is_directory = entry.file_type()?.is_dir();
            let is_npm = prefix == "package/";
            if is_directory && depth < DEPTH && !is_npm && !name.starts_with('.') {
                self.directory(&entry.path(), &[prefix, &name, "/"].concat(), depth + 1)?;
            } else if !is_directory && is_named(&name, "json") && entry.path().is_file() {
                let mut bytes = Vec::new();
                let left = MOST_BYTES.saturating_sub(self.bytes);
                let read = File::open(entry.path())?.take(left + 1).read_to_end(&mut bytes)?;
                self.bytes += u64::try_from(read).unwrap_or(u64::MAX);
                if self.bytes > MOST_BYTES {
                    return Err(WalkError::TooLarge);
                }
                self.files.push(([prefix, &name].concat(), bytes));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
