//! NDJSON exports line by line on all cores, in the order of the input and with bounded memory.
//!
//! The calling thread reads chunks of whole lines and hands them out; one worker per core works on a chunk at a time;
//! results come back in order. There are never more chunks in flight than twice the workers, so memory does not grow with
//! the input. What is done with a line is the caller's: the line comes with its number, and a line that is too long or
//! no UTF-8 comes as an error with its number, and reading goes on behind it.
//!
//! It opens no files: it reads from any [`Read`]. [`Inflate`] unpacks `.gz` and refuses bombs.

mod inflate;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError, mpsc};

use memchr::{memchr, memchr_iter, memrchr};

pub use inflate::{Bomb, Inflate, Unpacking};

/// How much is read and held.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bytes of one line at most; a longer one is refused and read over.
    pub line: usize,
    /// Bytes of a chunk that one worker gets; longer lines make longer chunks.
    pub chunk: usize,
    /// How many threads work; at least one.
    pub workers: usize,
}

impl Settings {
    /// From the network: lines of 4 MiB (reliability-and-security.md C1).
    pub const fn network(workers: usize) -> Self {
        Self { line: 4 << 20, chunk: 256 << 10, workers }
    }

    /// Of local files: lines of 64 MiB, for a Bundle may be a line.
    pub const fn local(workers: usize) -> Self {
        Self { line: 64 << 20, chunk: 256 << 10, workers }
    }
}

/// Why a line is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineError {
    /// It is longer than the limit.
    TooLong,
    /// It is not UTF-8.
    NotUtf8 {
        /// Bytes from the start of the line.
        offset: usize,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => formatter.write_str("the line is too long"),
            Self::NotUtf8 { offset } => {
                write!(formatter, "the line is not UTF-8 text at byte {offset}")
            }
        }
    }
}

impl std::error::Error for LineError {}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of the input.
    pub bytes: u64,
    /// Lines, blank ones too.
    pub lines: u64,
}

/// One of the pieces that are handed out: whole lines, the first of which has this number.
struct Chunk {
    sequence: u64,
    line: u64,
    /// Where its first line begins in the input.
    offset: u64,
    bytes: Vec<u8>,
    /// Bytes of the input that it stands for.
    size: u64,
    /// Instead of its bytes, that they were too many.
    too_long: bool,
    /// Bytes of one line at most.
    limit: usize,
}

/// A line: its number from 1, where it begins in the input in bytes, and its text.
#[derive(Debug, Clone, Copy)]
pub struct Line<'l> {
    /// The number of the line in the input, from 1.
    pub number: u64,
    /// Bytes from the start of the input.
    pub offset: u64,
    /// The text without the end of the line, or why there is none.
    pub text: Result<&'l str, LineError>,
}

type Done<T> = (u64, u64, Vec<T>);

/// Reads all lines, works on them on all cores, and delivers the results in the order of the input.
///
/// `work` runs on many threads; `deliver` runs on the calling one, as does `progress`, which is told the bytes whose
/// results are delivered. Blank lines are counted and not worked on. When `deliver` returns `false`, reading ends early.
///
/// # Errors
/// What the input says when it can't be read; results of what came before are delivered.
pub fn lines<T: Send>(
    input: impl Read,
    settings: Settings,
    work: impl Fn(Line<'_>) -> T + Sync,
    mut deliver: impl FnMut(T) -> bool,
    mut progress: impl FnMut(u64),
) -> io::Result<Totals> {
    let workers = settings.workers.max(1);
    let (to_workers, chunks) = mpsc::sync_channel::<Chunk>(workers);
    let (to_caller, results) = mpsc::channel::<Done<T>>();
    let chunks = Mutex::new(chunks);
    let mut chunker = Chunker::new(input, settings);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (chunks, to_caller, work) = (&chunks, to_caller.clone(), &work);
            scope.spawn(move || {
                loop {
                    // A worker that waits holds the lock; the others wait for it, and each takes one chunk.
                    let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(chunk) = next else { break };
                    let found = chunk.work(work);
                    if to_caller.send((chunk.sequence, chunk.size, found)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(to_caller);
        let mut waiting: BTreeMap<u64, (u64, Vec<T>)> = BTreeMap::new();
        let (mut sent, mut delivered, mut bytes) = (0_u64, 0_u64, 0_u64);
        let mut reading = true;
        let in_flight = 2 * workers as u64;
        while reading || delivered < sent {
            while reading && sent - delivered < in_flight {
                reading = chunker.next().is_some_and(|chunk| {
                    sent += 1;
                    to_workers.send(chunk).is_ok()
                });
            }
            if delivered == sent {
                continue;
            }
            let Ok((sequence, size, found)) = results.recv() else { break };
            waiting.insert(sequence, (size, found));
            while let Some((size, found)) = waiting.remove(&delivered) {
                delivered += 1;
                bytes += size;
                for one in found {
                    if !deliver(one) {
                        drop(to_workers);
                        return Ok(chunker.totals);
                    }
                }
                progress(bytes);
            }
        }
        drop(to_workers);
        chunker.failure.take().map_or(Ok(chunker.totals), Err)
    })
}

impl Chunk {
    fn work<T>(&self, work: &(impl Fn(Line<'_>) -> T + Sync)) -> Vec<T> {
        if self.too_long {
            let text = Err(LineError::TooLong);
            return vec![work(Line { number: self.line, offset: self.offset, text })];
        }
        let mut found = Vec::new();
        // All at once is much quicker than line by line; lines are looked at one by one only if that fails.
        let whole = std::str::from_utf8(&self.bytes).ok();
        let mut start = 0;
        let mut number = self.line;
        while start < self.bytes.len() {
            let rest = self.bytes.get(start..).unwrap_or_default();
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let raw = rest.get(..length).unwrap_or_default();
            let mut line = raw.strip_suffix(b"\r").unwrap_or(raw);
            let mut from = start;
            if self.offset == 0 && start == 0 && line.starts_with(b"\xef\xbb\xbf") {
                line = line.get(3..).unwrap_or_default();
                from = 3;
            }
            let too_long = line.len() > self.limit;
            if too_long || !line.trim_ascii().is_empty() {
                let text = match whole.and_then(|whole| whole.get(from..from + line.len())) {
                    _ if too_long => Err(LineError::TooLong),
                    Some(text) => Ok(text),
                    None => std::str::from_utf8(line)
                        .map_err(|error| LineError::NotUtf8 { offset: error.valid_up_to() }),
                };
                found.push(work(Line { number, offset: self.offset + from as u64, text }));
            }
            start += length + 1;
            number += 1;
        }
        found
    }
}

/// Cuts an input into chunks of whole lines.
struct Chunker<R> {
    input: R,
    settings: Settings,
    /// What was read and not handed out: the beginning of a line.
    rest: Vec<u8>,
    /// How much of it is known to have no end of a line.
    scanned: usize,
    sequence: u64,
    line: u64,
    offset: u64,
    totals: Totals,
    at_end: bool,
    /// What the input said when it could not be read on.
    failure: Option<io::Error>,
}

impl<R: Read> Chunker<R> {
    const fn new(input: R, settings: Settings) -> Self {
        Self {
            input,
            settings,
            rest: Vec::new(),
            scanned: 0,
            sequence: 0,
            line: 1,
            offset: 0,
            totals: Totals { bytes: 0, lines: 0 },
            at_end: false,
            failure: None,
        }
    }

    /// Reads more behind what is there; nothing at the end. What came before a failure is kept.
    fn fill(&mut self, wanted: usize) -> usize {
        if self.at_end {
            return 0;
        }
        let before = self.rest.len();
        let missing = wanted.saturating_sub(before).max(1) as u64;
        let outcome = (&mut self.input).take(missing).read_to_end(&mut self.rest);
        let read = self.rest.len() - before;
        self.failure = outcome.err();
        self.at_end = read == 0 || self.failure.is_some();
        self.totals.bytes += read as u64;
        read
    }

    fn next(&mut self) -> Option<Chunk> {
        // An end of the line of two bytes and a byte order mark are no part of the line.
        let longest = self.settings.line.saturating_add(4);
        loop {
            let before = self.rest.len();
            let chunk = self.settings.chunk.max(1);
            // A line that goes beyond the chunk is read on in steps that grow, so that it is not copied over and over.
            let wanted = if before < chunk { chunk } else { before + before / 2 };
            self.fill(wanted.min(longest.max(chunk).max(before + 1)));
            let fresh = self.rest.get(self.scanned..).unwrap_or_default();
            if let Some(end) = memrchr(b'\n', fresh) {
                return Some(self.take(self.scanned + end + 1));
            }
            self.scanned = self.rest.len();
            if self.at_end {
                // Half a line before a failure is none.
                let length = self.rest.len();
                return (length > 0 && self.failure.is_none()).then(|| self.take(length));
            }
            if self.rest.len() > longest {
                return Some(self.skip());
            }
        }
    }

    fn take(&mut self, length: usize) -> Chunk {
        let rest = self.rest.split_off(length);
        let bytes = std::mem::replace(&mut self.rest, rest);
        self.scanned = self.rest.len();
        let mut lines = memchr_iter(b'\n', &bytes).count() as u64;
        if bytes.last() != Some(&b'\n') {
            lines += 1;
        }
        let size = bytes.len() as u64;
        self.chunk(bytes, size, lines, false)
    }

    fn chunk(&mut self, bytes: Vec<u8>, size: u64, lines: u64, too_long: bool) -> Chunk {
        let chunk = Chunk {
            sequence: self.sequence,
            line: self.line,
            offset: self.offset,
            bytes,
            size,
            too_long,
            limit: self.settings.line,
        };
        self.sequence += 1;
        self.line += lines;
        self.offset += size;
        self.totals.lines += lines;
        chunk
    }

    /// Goes to the end of a line that is too long.
    fn skip(&mut self) -> Chunk {
        let mut size = self.rest.len() as u64;
        self.rest = Vec::new();
        self.scanned = 0;
        while self.fill(self.settings.chunk) > 0 {
            if let Some(end) = memchr(b'\n', &self.rest) {
                size += end as u64 + 1;
                self.rest.drain(..=end);
                break;
            }
            size += self.rest.len() as u64;
            self.rest.clear();
        }
        self.chunk(Vec::new(), size, 1, true)
    }
}
