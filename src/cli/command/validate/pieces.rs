//! Files as pieces of work: a document as a whole, NDJSON as chunks of its lines, however they are packed.
//!
//! A name tells NDJSON, and so does the content: a first line that is a whole document, and more after it. It refuses
//! nothing but what can't be read or unpacked.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, cannot_read};
use crate::json::Limits;
use crate::validate::bulk::{Bomb, Chunk, Chunks, Inflate, Settings, Unpacking};
use crate::validate::detect;

/// How much is read at once.
const BUFFER: usize = 256 << 10;

/// No document is larger; so much of one is read that it is refused.
const MOST: u64 = Limits::BUNDLE.bytes as u64 + 1;

/// What there is to do for a file at the place `file` among all.
pub(super) struct Piece {
    pub(super) file: usize,
    pub(super) content: Content,
}

/// A piece of a file.
pub(super) enum Content {
    /// All of it.
    Document(Vec<u8>),
    /// Lines of NDJSON.
    Lines(Chunk),
    /// Nothing (more), for it can't be read.
    Unread(Failure),
}

type Source = Box<dyn BufRead + Send>;

/// All pieces of all files, in order.
pub(super) struct Pieces<'f> {
    files: std::iter::Enumerate<std::slice::Iter<'f, PathBuf>>,
    /// The NDJSON that is being read: its place among the files, its name, whether it is packed.
    open: Option<(usize, &'f Path, bool, Chunks<Source>)>,
}

impl<'f> Pieces<'f> {
    pub(super) fn of(files: &'f [PathBuf]) -> Self {
        Self { files: files.iter().enumerate(), open: None }
    }

    /// The next lines of the NDJSON that is being read; at its end nothing, or why that came too early.
    fn next_lines(&mut self) -> Option<Piece> {
        let (file, path, is_packed, chunks) = self.open.as_mut()?;
        let file = *file;
        if let Some(chunk) = chunks.next() {
            return Some(Piece { file, content: Content::Lines(chunk) });
        }
        let failure = chunks.failure().map(|error| unreadable(&error, *is_packed).in_file(path));
        self.open = None;
        failure.map(|failure| Piece { file, content: Content::Unread(failure) })
    }

    /// Opens a file: a document is read, NDJSON is left for [`Self::next_lines`].
    fn begin(&mut self, file: usize, path: &'f Path) -> Result<Option<Vec<u8>>, Failure> {
        let (is_packed, mut source) = open(path).map_err(|error| unreadable(&error, false))?;
        let unreadable = |error: io::Error| unreadable(&error, is_packed);
        let mut first = Vec::new();
        (&mut source).take(MOST).read_until(b'\n', &mut first).map_err(unreadable)?;
        let is_lines = named_ndjson(path)
            || detect::is_object(&first)
                && has_more(&mut source, &mut first).map_err(unreadable)?;
        if is_lines {
            let source: Source = Box::new(Cursor::new(first).chain(source));
            self.open = Some((file, path, is_packed, Chunks::new(source, Settings::local(1))));
            return Ok(None);
        }
        let left = MOST.saturating_sub(u64::try_from(first.len()).unwrap_or(MOST));
        source.take(left).read_to_end(&mut first).map_err(unreadable)?;
        Ok(Some(first))
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.next_lines() {
                return Some(piece);
            }
            let (file, path) = self.files.next()?;
            let content = match self.begin(file, path) {
                Ok(None) => continue,
                Ok(Some(document)) => Content::Document(document),
                Err(failure) => Content::Unread(failure.in_file(path)),
            };
            return Some(Piece { file, content });
        }
    }
}

/// Opens a file, or stdin, and unpacks it: whether it was packed, and what is in it.
fn open(path: &Path) -> io::Result<(bool, Source)> {
    let source: Box<dyn Read + Send> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut source = BufReader::with_capacity(BUFFER, source);
    let is_packed = source.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok((
        is_packed,
        if is_packed {
            Box::new(BufReader::with_capacity(BUFFER, Inflate::new(source, Unpacking::LOCAL)))
        } else {
            Box::new(source)
        },
    ))
}

/// Why a file can't be read (on).
fn unreadable(error: &io::Error, is_packed: bool) -> Failure {
    if let Some(bomb) = error.get_ref().and_then(|inner| inner.downcast_ref::<Bomb>()) {
        return Failure::new(Exit::Unreadable, "input-bomb", bomb.to_string());
    }
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if is_packed => {
            let text = "the file is not whole gzip";
            Failure::new(Exit::Unreadable, "input-not-gzip", text).help("pack it again")
        }
        io::ErrorKind::UnexpectedEof if is_packed => {
            let text = "the file ends within gzip";
            let help = "it was not fetched to its end; fetch it again";
            Failure::new(Exit::Unreadable, "input-not-gzip", text).help(help)
        }
        _ => cannot_read(error),
    }
}

fn named_ndjson(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".ndjson", ".jsonl"].iter().any(|ending| name.ends_with(ending))
}

/// Whether anything but space comes. The space is kept, for lines are counted by it.
fn has_more(source: &mut dyn BufRead, space: &mut Vec<u8>) -> io::Result<bool> {
    while space.len() as u64 <= MOST {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        if !buffer.trim_ascii().is_empty() {
            return Ok(true);
        }
        space.extend_from_slice(buffer);
        let used = buffer.len();
        source.consume(used);
    }
    Ok(false)
}
