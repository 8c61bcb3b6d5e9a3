//! Base64 read again, for attachments hide what they hold from a search for words; and written, for PEM.

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64 text.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|place| u32::from(*group.get(place).unwrap_or(&0)));
        let bits = a << 16 | b << 8 | c;
        for place in 0..4 {
            let letter = ALPHABET.as_bytes()[(bits >> (18 - 6 * place) & 0x3f) as usize];
            text.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// The bytes of a base64 text (RFC 4648 section 4).
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in text.chars().filter(|letter| *letter != '=') {
        let value = ALPHABET.find(letter).unwrap_or_else(|| panic!("not base64"));
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
        bits &= 0xffff;
    }
    bytes
}

#[test]
fn what_is_written_is_read_again() {
    for text in ["", "a", "ab", "abc", "abcd", "\u{0}\u{7f}?>"] {
        assert_eq!(decoded(&encode(text.as_bytes())), text.as_bytes());
    }
    assert_eq!(encode(b"ab?"), "YWI/");
    assert_eq!(encode(b"a"), "YQ==");
}
