//! The work: documents are read one after the other, checked on every core, and reported in their order.
//!
//! NDJSON is cut at its lines into pieces, so that an export of any size takes the memory of a few pieces. A reader may
//! be so many pieces ahead of the report and no more: whoever is to print slowly is not run over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};

use super::super::super::exit::Exit;
use super::super::super::failure::{Failure, cannot_read};
use crate::json::Limits;
use crate::validate::bulk::{Bomb, Inflate, Unpacking};
use crate::validate::check::{Checked, Checks};
use crate::validate::detect::is_object;

/// Lines of NDJSON are put together to about so many bytes.
const PIECE: usize = 256 << 10;

/// A piece of a file: a document, or lines of NDJSON.
struct Piece {
    number: usize,
    file: usize,
    first_line: usize,
    bytes: Vec<u8>,
    is_lines: bool,
}

/// What came of a piece.
#[derive(Debug)]
pub(super) struct Done {
    /// The place of its file among all.
    pub(super) file: usize,
    /// Its resources, each with the number of its first line.
    pub(super) checked: Vec<(usize, Checked)>,
    /// Why the file could not be read (on).
    pub(super) failure: Option<Failure>,
}

/// Checks all files, and tells of each piece in order. `tell` may end the work early by `false`.
pub(super) fn run(
    files: &[PathBuf],
    checks: &Checks,
    threads: usize,
    mut tell: impl FnMut(Done) -> bool,
) {
    // Each token lets the reader take one piece; the report gives it back.
    let (give, tokens) = mpsc::channel::<()>();
    for _ in 0..threads * 4 {
        let _ = give.send(());
    }
    let (put, pieces) = mpsc::sync_channel::<Piece>(threads * 2);
    let pieces = Mutex::new(pieces);
    let (answer, answers) = mpsc::channel::<(usize, Done)>();
    std::thread::scope(|scope| {
        let failed = answer.clone();
        scope.spawn(move || Reader { put, tokens, failed, number: 0 }.files(files));
        for _ in 0..threads {
            let answer = answer.clone();
            let pieces = &pieces;
            scope.spawn(move || work(pieces, checks, &answer));
        }
        drop(answer);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        'all: for (number, done) in answers {
            waiting.insert(number, done);
            while let Some(done) = waiting.remove(&next) {
                next += 1;
                let goes_on = tell(done);
                let _ = give.send(());
                if !goes_on {
                    break 'all;
                }
            }
        }
        // The reader waits for a token that nobody gives any more, and ends.
        drop(give);
    });
}

fn work(pieces: &Mutex<Receiver<Piece>>, checks: &Checks, answer: &Sender<(usize, Done)>) {
    loop {
        let piece = pieces.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(piece) = piece else { return };
        let checked = if piece.is_lines {
            lines(&piece.bytes, piece.first_line)
                .map(|(line, bytes)| (line, checks.check(bytes, line)))
                .collect()
        } else {
            vec![(piece.first_line, checks.check(&piece.bytes, piece.first_line))]
        };
        let done = Done { file: piece.file, checked, failure: None };
        if answer.send((piece.number, done)).is_err() {
            // Nobody reports any more; the reader must not wait for room until it has seen that, too.
            while pieces.lock().unwrap_or_else(PoisonError::into_inner).recv().is_ok() {}
            return;
        }
    }
}

/// The lines of NDJSON with their numbers, empty ones left out.
fn lines(bytes: &[u8], first: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines
        .map(move |(number, line)| (first + number, line))
        .filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// Reads files and cuts them into pieces.
struct Reader {
    put: SyncSender<Piece>,
    tokens: Receiver<()>,
    failed: Sender<(usize, Done)>,
    number: usize,
}

/// Nobody wants more.
struct Enough;

impl Reader {
    fn files(&mut self, files: &[PathBuf]) {
        for (number, path) in files.iter().enumerate() {
            match self.file(number, path) {
                Ok(()) => {}
                Err(None) => return,
                Err(Some(failure)) => {
                    let failure = Some(failure.in_file(path));
                    let done = Done { file: number, checked: Vec::new(), failure };
                    if self.tokens.recv().is_err() || self.failed.send((self.number, done)).is_err()
                    {
                        return;
                    }
                    self.number += 1;
                }
            }
        }
    }

    fn file(&mut self, number: usize, path: &Path) -> Result<(), Option<Failure>> {
        let unreadable = |error: io::Error| Some(cannot_read(&error));
        let source: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(unreadable)?)
        };
        let mut source = BufReader::with_capacity(PIECE, source);
        let is_packed = source.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        let mut source: Box<dyn BufRead> = if is_packed {
            Box::new(BufReader::with_capacity(PIECE, Inflate::new(source, Unpacking::LOCAL)))
        } else {
            Box::new(source)
        };
        let unreadable = |error: io::Error| match error.kind() {
            _ if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Bomb>) => {
                let text = error.get_ref().map(ToString::to_string).unwrap_or_default();
                Some(Failure::new(Exit::Unreadable, "input-bomb", text))
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if is_packed => {
                let text = "the file is not whole gzip";
                Some(Failure::new(Exit::Unreadable, "input-not-gzip", text).help("pack it again"))
            }
            io::ErrorKind::UnexpectedEof if is_packed => {
                let text = "the file ends within gzip";
                let help = "it was not fetched to its end; fetch it again";
                Some(Failure::new(Exit::Unreadable, "input-not-gzip", text).help(help))
            }
            _ => Some(cannot_read(&error)),
        };
        // The first line tells: one that is a whole document, and more after it, is NDJSON.
        let mut line = 1;
        let mut bytes = Vec::new();
        take_line(&mut source, &mut bytes).map_err(unreadable)?;
        if named_ndjson(path) || is_object(&bytes) && has_more(&mut source).map_err(unreadable)? {
            loop {
                let ended = bytes.is_empty();
                while !bytes.is_empty() && bytes.len() < PIECE {
                    let before = bytes.len();
                    take_line(&mut source, &mut bytes).map_err(unreadable)?;
                    if bytes.len() == before {
                        break;
                    }
                }
                if ended {
                    return Ok(());
                }
                let count = memchr::memchr_iter(b'\n', &bytes).count();
                let piece = std::mem::take(&mut bytes);
                self.send(number, line, piece, true).map_err(|Enough| None)?;
                line += count;
                take_line(&mut source, &mut bytes).map_err(unreadable)?;
            }
        }
        let most = u64::try_from(Limits::BUNDLE.bytes + 1).unwrap_or(u64::MAX);
        let left = most.saturating_sub(u64::try_from(bytes.len()).unwrap_or(most));
        source.take(left).read_to_end(&mut bytes).map_err(unreadable)?;
        self.send(number, line, bytes, false).map_err(|Enough| None)
    }

    fn send(
        &mut self,
        file: usize,
        first_line: usize,
        bytes: Vec<u8>,
        is_lines: bool,
    ) -> Result<(), Enough> {
        self.tokens.recv().map_err(|_| Enough)?;
        let piece = Piece { number: self.number, file, first_line, bytes, is_lines };
        self.number += 1;
        self.put.send(piece).map_err(|_| Enough)
    }
}

/// Appends a line with its end; of one that is longer than any document may be, so much that it is refused.
fn take_line(source: &mut dyn BufRead, bytes: &mut Vec<u8>) -> io::Result<()> {
    let most = u64::try_from(Limits::BUNDLE.bytes + 1).unwrap_or(u64::MAX);
    let before = bytes.len();
    source.take(most).read_until(b'\n', bytes)?;
    if bytes.len() - before > Limits::BUNDLE.bytes && bytes.last() != Some(&b'\n') {
        // The rest of the line is passed over, so that the next one begins where it begins.
        loop {
            let buffer = source.fill_buf()?;
            let end = memchr::memchr(b'\n', buffer);
            let used = end.map_or(buffer.len(), |end| end + 1);
            if used == 0 {
                break;
            }
            source.consume(used);
            if end.is_some() {
                bytes.push(b'\n');
                break;
            }
        }
    }
    Ok(())
}

fn named_ndjson(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".ndjson", ".jsonl"].iter().any(|ending| name.ends_with(ending))
}

/// Whether anything but space comes.
fn has_more(source: &mut dyn BufRead) -> io::Result<bool> {
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        if !buffer.trim_ascii().is_empty() {
            return Ok(true);
        }
        let used = buffer.len();
        source.consume(used);
    }
}
