//! NDJSON exports line by line on all cores, in the order of the input and with bounded memory.
//!
//! One thread reads chunks of whole lines ([`Chunks`]) and hands them out; one worker per core works on a chunk at a
//! time; results come back in order on the calling thread ([`in_order`]). There are never more chunks in flight than four
//! for each worker, so memory does not grow with the input, and whoever is to print slowly is not run over. What is done
//! with a line is the caller's: the line comes with its number, and a line that is too long or no UTF-8 comes as an error
//! with its number, and reading goes on behind it.
//!
//! It opens no files: it reads from any [`Read`]. [`Inflate`] unpacks `.gz` and refuses bombs.

mod inflate;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
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
pub struct Chunk {
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
    /// The line without its end; nothing of one that is too long to be held.
    pub bytes: &'l [u8],
    /// The same as text, or why there is none.
    pub text: Result<&'l str, LineError>,
}

/// How many jobs may be under way for each worker.
const IN_FLIGHT: usize = 4;

/// Works on jobs on many threads, and delivers what comes of them in the order of the jobs.
///
/// One thread takes the jobs, one after the other and not far ahead of what is delivered; `work` runs on `workers`
/// threads, `deliver` on the calling one. When `deliver` returns `false`, no more is taken.
pub fn in_order<J: Send, T: Send>(
    workers: usize,
    jobs: &mut (impl Iterator<Item = J> + Send),
    work: impl Fn(J) -> T + Sync,
    mut deliver: impl FnMut(T) -> bool,
) {
    let workers = workers.max(1);
    // Each token lets one job be taken; what was delivered gives it back.
    let (give, tokens) = mpsc::channel::<()>();
    for _ in 0..workers * IN_FLIGHT {
        let _ = give.send(());
    }
    let (put, taken) = mpsc::channel::<(u64, J)>();
    let (answer, answers) = mpsc::channel::<(u64, T)>();
    let taken = Mutex::new(taken);
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let is_enough = || enough.load(Ordering::Relaxed);
        scope.spawn(move || {
            let mut number = 0;
            while tokens.recv().is_ok() && !is_enough() {
                let Some(job) = jobs.next() else { return };
                if put.send((number, job)).is_err() {
                    return;
                }
                number += 1;
            }
        });
        for _ in 0..workers {
            let (answer, taken, work) = (answer.clone(), &taken, &work);
            scope.spawn(move || {
                loop {
                    // A worker that waits holds the lock; the others wait for it, and each takes one job.
                    let next = taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((number, job)) = next else { return };
                    if answer.send((number, work(job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(answer);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        'all: for (number, done) in answers {
            waiting.insert(number, done);
            while let Some(done) = waiting.remove(&next) {
                next += 1;
                let goes_on = deliver(done);
                let _ = give.send(());
                if !goes_on {
                    enough.store(true, Ordering::Relaxed);
                    break 'all;
                }
            }
        }
        drop(give);
    });
}

/// Reads all lines, works on them on all cores, and delivers the results in the order of the input.
///
/// `work` runs on many threads; `deliver` runs on the calling one, as does `progress`, which is told the bytes whose
/// results are delivered. Blank lines are counted and not worked on. When `deliver` returns `false`, reading ends early.
///
/// # Errors
/// What the input says when it can't be read; results of what came before are delivered.
pub fn lines<T: Send>(
    input: impl Read + Send,
    settings: Settings,
    work: impl Fn(Line<'_>) -> T + Sync,
    mut deliver: impl FnMut(T) -> bool,
    mut progress: impl FnMut(u64),
) -> io::Result<Totals> {
    let mut chunks = Chunks::new(input, settings);
    let mut bytes = 0;
    let of_chunk = |chunk: Chunk| (chunk.size, chunk.lines().map(&work).collect::<Vec<_>>());
    let told = |(size, found): (u64, Vec<T>)| {
        for one in found {
            if !deliver(one) {
                return false;
            }
        }
        bytes += size;
        progress(bytes);
        true
    };
    in_order(settings.workers, &mut chunks, of_chunk, told);
    chunks.failure().map_or(Ok(chunks.totals), Err)
}

impl fmt::Debug for Chunk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes from line {}", self.size, self.line)
    }
}

impl Chunk {
    /// Its lines that are not blank.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        // All at once is much quicker than line by line; lines are looked at one by one only if that fails.
        let whole = std::str::from_utf8(&self.bytes).ok();
        let mut start = 0;
        let mut number = self.line;
        let mut left = self.too_long;
        let too_long = std::iter::from_fn(move || {
            let text = Err(LineError::TooLong);
            let line = Line { number: self.line, offset: self.offset, bytes: &[], text };
            std::mem::take(&mut left).then_some(line)
        });
        let lines = std::iter::from_fn(move || {
            while start < self.bytes.len() {
                let (line, length) = self.line_at(start, number, whole);
                start += length + 1;
                number += 1;
                if line.is_some() {
                    return line;
                }
            }
            None
        });
        too_long.chain(lines)
    }

    /// The line that begins here, unless it is blank, and its length without its end.
    fn line_at<'c>(
        &'c self,
        start: usize,
        number: u64,
        whole: Option<&'c str>,
    ) -> (Option<Line<'c>>, usize) {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        let raw = rest.get(..length).unwrap_or_default();
        let mut bytes = raw.strip_suffix(b"\r").unwrap_or(raw);
        let mut from = start;
        if self.offset == 0 && start == 0 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes = bytes.get(3..).unwrap_or_default();
            from = 3;
        }
        let too_long = bytes.len() > self.limit;
        if !too_long && bytes.trim_ascii().is_empty() {
            return (None, length);
        }
        let text = match whole.and_then(|whole| whole.get(from..from + bytes.len())) {
            _ if too_long => Err(LineError::TooLong),
            Some(text) => Ok(text),
            None => std::str::from_utf8(bytes)
                .map_err(|error| LineError::NotUtf8 { offset: error.valid_up_to() }),
        };
        (Some(Line { number, offset: self.offset + from as u64, bytes, text }), length)
    }
}

/// Cuts an input into chunks of whole lines.
pub struct Chunks<R> {
    input: R,
    settings: Settings,
    /// What was read and not handed out: the beginning of a line.
    rest: Vec<u8>,
    /// How much of it is known to have no end of a line.
    scanned: usize,
    line: u64,
    offset: u64,
    totals: Totals,
    at_end: bool,
    /// What the input said when it could not be read on.
    failure: Option<io::Error>,
}

impl<R> fmt::Debug for Chunks<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "chunks of lines, {} bytes so far", self.totals.bytes)
    }
}

impl<R: Read> Chunks<R> {
    /// Cuts this input; `workers` of the settings does not matter here.
    pub const fn new(input: R, settings: Settings) -> Self {
        Self {
            input,
            settings,
            rest: Vec::new(),
            scanned: 0,
            line: 1,
            offset: 0,
            totals: Totals { bytes: 0, lines: 0 },
            at_end: false,
            failure: None,
        }
    }

    /// What was read so far.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Why there are no more chunks, if that is not the end of the input: what the input said. Taken out.
    pub const fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
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
            line: self.line,
            offset: self.offset,
            bytes,
            size,
            too_long,
            limit: self.settings.line,
        };
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

impl<R: Read> Iterator for Chunks<R> {
    type Item = Chunk;

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
}
