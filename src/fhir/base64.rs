//! Base64 (RFC 4648), as FHIR's base64Binary, Attachments and FHIRPath's `encode` have it: written, read, read piece by piece
//! without room for all of it, and only measured.
//!
//! What is read is strict in its letters and in where padding may stand; white space is the caller's question.

/// Which letters stand for 62 and 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// `+` and `/`, always padded (RFC 4648 section 4).
    Standard,
    /// `-` and `_`, for URLs; padding may be left out (section 5).
    Url,
}

impl Alphabet {
    const fn letters(self) -> &'static [u8; 64] {
        match self {
            Self::Standard => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            Self::Url => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        }
    }

    /// The 6 bits of a letter.
    const fn sextet(self, letter: u8) -> Option<u32> {
        Some(match (letter, self) {
            (b'A'..=b'Z', _) => letter - b'A',
            (b'a'..=b'z', _) => letter - b'a' + 26,
            (b'0'..=b'9', _) => letter - b'0' + 52,
            (b'+', Self::Standard) | (b'-', Self::Url) => 62,
            (b'/', Self::Standard) | (b'_', Self::Url) => 63,
            _ => return None,
        } as u32)
    }
}

/// Bytes as base64, padded.
pub fn encode(bytes: &[u8], alphabet: Alphabet) -> String {
    let letters = alphabet.letters();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (group >> (18 - 6 * place)) & 63;
            let letter = letters.get(index as usize).copied().unwrap_or(b'=');
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

/// The bytes of base64; `None` if it is none. White space is none, too.
pub fn decode(text: &str, alphabet: Alphabet) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    pieces(text, alphabet, |piece| bytes.extend_from_slice(piece)).then_some(bytes)
}

/// Gives the bytes of base64, three at a time at most; `false` if it is none, then perhaps after some pieces.
pub fn pieces(text: &str, alphabet: Alphabet, mut take: impl FnMut(&[u8])) -> bool {
    let letters = text.trim_end_matches('=');
    let padding = text.len() - letters.len();
    let is_padded = padding <= 2 && text.len().is_multiple_of(4);
    let is_bare = alphabet == Alphabet::Url && padding == 0 && letters.len() % 4 != 1;
    if !is_padded && !is_bare {
        return false;
    }
    for group in letters.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            let Some(six) = alphabet.sextet(*letter) else { return false };
            bits = bits << 6 | six;
        }
        bits <<= 6 * (4 - group.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        take(bytes.get(..group.len() - 1).unwrap_or_default());
    }
    true
}

/// What a text is as base64 of the standard alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Base64 of this many bytes.
    Good {
        /// How many bytes it stands for.
        length: usize,
    },
    /// Base64 of this many bytes with white space between its groups of four.
    Spaced {
        /// How many bytes it stands for.
        length: usize,
    },
    /// No base64, or nothing at all.
    Bad,
}

/// Reads base64 of the standard alphabet without keeping what it says.
pub fn form(text: &str) -> Form {
    let mut letters = 0_usize;
    let mut padding = 0_usize;
    let mut spaced = false;
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => letters += 1,
            b'=' if padding < 2 => padding += 1,
            b' ' | b'\t' | b'\n' | b'\r' if (letters + padding).is_multiple_of(4) => spaced = true,
            _ => return Form::Bad,
        }
    }
    if letters == 0 || !(letters + padding).is_multiple_of(4) {
        return Form::Bad;
    }
    let length = letters * 3 / 4;
    if spaced { Form::Spaced { length } } else { Form::Good { length } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            for alphabet in [Alphabet::Standard, Alphabet::Url] {
                assert_eq!(encode(plain.as_bytes(), alphabet), coded);
                assert_eq!(decode(coded, alphabet).as_deref(), Some(plain.as_bytes()));
            }
            let bare = coded.trim_end_matches('=');
            assert_eq!(decode(bare, Alphabet::Url).as_deref(), Some(plain.as_bytes()));
            assert_eq!(decode(bare, Alphabet::Standard).is_some(), bare == coded);
            let length = plain.len();
            let good = if plain.is_empty() { Form::Bad } else { Form::Good { length } };
            assert_eq!(form(coded), good);
        }
        let bytes = [0xfb, 0xef, 0xff];
        assert_eq!(encode(&bytes, Alphabet::Standard), "++//");
        assert_eq!(encode(&bytes, Alphabet::Url), "--__");
        assert_eq!(decode("++//", Alphabet::Url), None);
        assert_eq!(decode("--__", Alphabet::Standard), None);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["Zg=a", "Z", "Z===", "====", "=", "Zg=", "Zm9v=", "Zm 9v", "Zm9ü", "Zg==Zg=="]
        {
            for alphabet in [Alphabet::Standard, Alphabet::Url] {
                assert_eq!(decode(text, alphabet), None, "{text}");
            }
            assert_eq!(form(text), Form::Bad, "{text}");
        }
        assert_eq!(form("Zm9v\n Zg=="), Form::Spaced { length: 4 });
        assert_eq!(decode("Zm9v\n Zg==", Alphabet::Standard), None);
    }
}
