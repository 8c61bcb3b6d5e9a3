//! Unpacking gzip with limits: a bomb is a named error long before it fills the memory or the disk.

use std::fmt;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// How much may come out of a packed input.
#[derive(Debug, Clone, Copy)]
pub struct Unpacking {
    /// Bytes in all.
    pub total: u64,
    /// Bytes for each packed byte; FHIR text comes to 10 to 40.
    pub ratio: u64,
    /// From how many bytes on the ratio counts.
    pub grace: u64,
}

impl Unpacking {
    /// From the network: 256 MiB, a ratio of 100 (reliability-and-security.md C1).
    pub const NETWORK: Self = Self { total: 256 << 20, ratio: 100, grace: 4 << 20 };
    /// Of local files: 1 TiB, the same ratio.
    pub const LOCAL: Self = Self { total: 1 << 40, ..Self::NETWORK };
}

/// Which limit a packed input breaks; it is the inner error of the [`io::Error`] that reading gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bomb {
    /// More bytes in all than are taken.
    Total,
    /// Too many bytes for so few packed ones.
    Ratio,
}

impl fmt::Display for Bomb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Total => "the packed input is larger than the limit once unpacked",
            Self::Ratio => "the packed input grows more than a hundredfold: not FHIR, but a bomb",
        })
    }
}

impl std::error::Error for Bomb {}

/// Counts what goes through.
struct Counted<R> {
    input: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// A gzip stream (of one or more members) as it was before it was packed.
pub struct Inflate<R> {
    decoder: MultiGzDecoder<Counted<R>>,
    limits: Unpacking,
    bytes: u64,
}

impl<R> fmt::Debug for Inflate<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "inflate({} bytes so far)", self.bytes)
    }
}

impl<R: Read> Inflate<R> {
    /// Unpacks an input within limits.
    pub fn new(input: R, limits: Unpacking) -> Self {
        Self { decoder: MultiGzDecoder::new(Counted { input, bytes: 0 }), limits, bytes: 0 }
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.bytes += read as u64;
        let packed = self.decoder.get_ref().bytes;
        let bomb = if self.bytes > self.limits.total {
            Some(Bomb::Total)
        } else if self.bytes > self.limits.grace && self.bytes / self.limits.ratio.max(1) > packed {
            Some(Bomb::Ratio)
        } else {
            None
        };
        // The kind stays if a reader in between wraps the error.
        bomb.map_or(Ok(read), |bomb| Err(io::Error::new(io::ErrorKind::FileTooLarge, bomb)))
    }
}
