//! How an input is written, from its first bytes, and its bytes as text.
//!
//! A name of a file may lie; the content decides. It refuses nothing by itself: what looks like no format of FHIR is
//! [`Input::Other`], and only [`text`] has errors.

use std::fmt;

use memchr::memchr;

/// How an input is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// There is nothing in it but white space.
    Empty,
    /// One JSON document.
    Json,
    /// JSON documents line by line.
    Ndjson,
    /// XML.
    Xml,
    /// A gzip stream.
    Gzip,
    /// Something else.
    Other,
}

/// Why bytes are no text that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// It is UTF-16 or UTF-32, by its byte order mark or its zeros.
    Wide,
    /// It is not UTF-8 from this byte on.
    NotUtf8 {
        /// Bytes from the start.
        offset: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wide => formatter.write_str("the document is UTF-16 or UTF-32; FHIR is UTF-8"),
            Self::NotUtf8 { offset } => {
                write!(formatter, "the document is not UTF-8 text at byte {offset}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The bytes as text; a byte order mark stays and is read over by the readers.
///
/// # Errors
/// Another encoding than UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Error> {
    // XML and JSON begin with an ASCII character, so a zero among the first two bytes tells UTF-16 and UTF-32.
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]) {
        return Err(Error::Wide);
    }
    std::str::from_utf8(bytes).map_err(|error| Error::NotUtf8 { offset: error.valid_up_to() })
}

/// How an input is written, going by its beginning; the more of it is given, the surer is NDJSON told from JSON.
///
/// JSON whose first line is a whole object is NDJSON if something but white space follows.
pub fn input(bytes: &[u8]) -> Input {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Input::Gzip;
    }
    let bytes = without_mark(bytes);
    match bytes.first() {
        None => Input::Empty,
        Some(b'<') => Input::Xml,
        Some(b'{') => match memchr(b'\n', bytes) {
            Some(end) if is_object(bytes.get(..end).unwrap_or_default()) => {
                let rest = bytes.get(end..).unwrap_or_default().trim_ascii_start();
                if rest.is_empty() { Input::Json } else { Input::Ndjson }
            }
            _ => Input::Json,
        },
        Some(b'[' | b'"') => Input::Json,
        Some(_) => Input::Other,
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}

/// Whether the name of a file ends in a dot and these letters, whatever their case.
pub fn is_named(name: &str, kind: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, end)| {
        end.eq_ignore_ascii_case(kind) && !stem.is_empty() && !stem.ends_with('/')
    })
}

/// Whether a line is one JSON object from its first brace to its last, by its brackets alone.
pub fn is_object(line: &[u8]) -> bool {
    let line = without_mark(line);
    if !line.starts_with(b"{") {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (place, byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let rest = line.get(place + 1..).unwrap_or_default();
                    return rest.iter().all(u8::is_ascii_whitespace);
                }
            }
            _ => {}
        }
    }
    false
}
