//! Which files are meant: those named, those of a directory, those that fit a pattern, stdin.
//!
//! Directories are gone through in the order of names, and links to directories in them are not followed, so that the
//! same command gives the same report. A pattern is read here, too, for shells that leave it as it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, cannot_read};
use crate::validate::detect::is_named;

/// What a directory's files must end with to be documents.
const ENDINGS: [&str; 4] = ["json", "xml", "ndjson", "jsonl"];

/// No tree of directories is deeper.
const DEPTH: usize = 64;

/// The files that are meant, in order; `-` is stdin.
///
/// # Errors
/// Nothing was named; a name leads to nothing; a directory can't be read.
pub(super) fn files(inputs: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for input in inputs {
        let path = Path::new(input);
        if input == "-" || path.is_file() {
            files.push(path.to_owned());
        } else if path.is_dir() {
            let before = files.len();
            directory(path, 0, &mut files)?;
            if files.len() == before {
                let text = "no .json, .xml or .ndjson file is in this directory";
                return Err(nothing(path, text));
            }
        } else if is_pattern(input) {
            let before = files.len();
            matching(path, &mut files)?;
            if files.len() == before {
                return Err(nothing(path, "no file fits this pattern"));
            }
        } else {
            let error = path.metadata().err();
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(cannot_read(&error.unwrap_or(missing)).in_file(path));
        }
    }
    Ok(files)
}

fn nothing(path: &Path, text: &str) -> Failure {
    Failure::new(Exit::Unreadable, "input-nothing", text)
        .help("name files, directories or patterns, or - for stdin")
        .in_file(path)
}

/// Whether a name of a file is one of a document.
fn is_document(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bare = if is_named(&name, "gz") { name.rsplit_once('.') } else { None };
    let bare = bare.map_or(&*name, |(bare, _)| bare);
    ENDINGS.iter().any(|ending| is_named(bare, ending))
}

/// The entries of a directory by name: paths, and whether each is a directory itself (not by a link).
fn entries(path: &Path) -> Result<Vec<(PathBuf, bool)>, Failure> {
    let unreadable = |error: std::io::Error| cannot_read(&error).in_file(path);
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_directory = entry.file_type().map_err(unreadable)?.is_dir();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden {
            // Read from `.`, names stand without it.
            let child = if path == Path::new("") || path == Path::new(".") {
                PathBuf::from(entry.file_name())
            } else {
                entry.path()
            };
            entries.push((child, is_directory));
        }
    }
    entries.sort();
    Ok(entries)
}

fn directory(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > DEPTH {
        return Err(nothing(path, "the directories are nested too deep"));
    }
    for (child, is_directory) in entries(path)? {
        if is_directory {
            directory(&child, depth + 1, files)?;
        } else if is_document(&child) && child.is_file() {
            files.push(child);
        }
    }
    Ok(())
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The files that fit a pattern of `*`, `?` and, for any directories, `**`.
fn matching(pattern: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let parts: Vec<&str> = pattern.iter().map(|part| part.to_str().unwrap_or_default()).collect();
    let plain = parts.iter().take_while(|part| !is_pattern(part)).count();
    let root: PathBuf = parts.iter().take(plain).collect();
    let rest = parts.get(plain..).unwrap_or_default();
    if !root.as_os_str().is_empty() && !root.is_dir() {
        return Ok(());
    }
    below(&root, rest, 0, files)
}

fn below(
    path: &Path,
    parts: &[&str],
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    if depth > DEPTH {
        return Err(nothing(path, "the directories are nested too deep"));
    }
    let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if *part == "**" {
        below(path, rest, depth, files)?;
        for (child, is_directory) in entries(here)? {
            if is_directory {
                below(&child, parts, depth + 1, files)?;
            }
        }
        return Ok(());
    }
    for (child, is_directory) in entries(here)? {
        let name = child.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !fits(part, name) {
            continue;
        }
        if rest.is_empty() && !is_directory && child.is_file() {
            files.push(child);
        } else if !rest.is_empty() && is_directory {
            below(&child, rest, depth + 1, files)?;
        }
    }
    Ok(())
}

/// Whether a name fits a pattern of `*` and `?`.
fn fits(pattern: &str, name: &str) -> bool {
    // Which prefixes of the name fit what was read of the pattern so far.
    let name: Vec<char> = name.chars().collect();
    let mut fitting = vec![false; name.len() + 1];
    if let Some(first) = fitting.first_mut() {
        *first = true;
    }
    for letter in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        let mut any = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let before = at.checked_sub(1);
            let was = |at: usize| fitting.get(at).copied().unwrap_or(false);
            *slot = match letter {
                '*' => {
                    any |= was(at);
                    any
                }
                '?' => before.is_some_and(was),
                letter => {
                    before.is_some_and(|before| was(before) && name.get(before) == Some(&letter))
                }
            };
        }
        fitting = next;
    }
    fitting.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::{fits, is_document};
    use std::path::Path;

    #[test]
    fn names_fit_patterns() {
        for (pattern, name, fit) in [
            ("*.json", "a.json", true),
            ("*.json", ".json", true),
            ("*.json", "a.jsonl", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("**", "anything", true),
            ("ü?", "üß", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn documents_are_known_by_their_endings() {
        for name in ["a.json", "a.XML", "a.ndjson", "a.ndjson.gz", "a.json.gz", "x/a.jsonl"] {
            assert!(is_document(Path::new(name)), "{name}");
        }
        for name in ["a.txt", "a.gz", "json", "a.tar.gz", "a.json.bak"] {
            assert!(!is_document(Path::new(name)), "{name}");
        }
    }
}
