//! Base64, read again: attachments hide what they hold from a search for words.

/// The bytes of a base64 text (RFC 4648 section 4).
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
