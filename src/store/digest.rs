//! SHA-256, written as hexadecimal digits.

use std::fmt::Write as _;

/// The SHA-256 digest of a text.
///
/// It recognises a text without keeping it. A digest of something short, such as a birth date, can be found by
/// trying: it is no anonymisation.
pub fn digest(text: &str) -> String {
    digest_of_bytes(text.as_bytes())
}

/// The SHA-256 digest of bytes.
pub fn digest_of_bytes(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
