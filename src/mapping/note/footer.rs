//! The line at the end of every note, by which it is known again where no identifier is kept or searched:
//! `IPT-REF: <slot> v<number> sha256:<12 digits>` (ehrs-and-sync 3.2). Nothing in it says anything of
//! a person.

use std::fmt;

use uuid::Uuid;

const MARK: &str = "IPT-REF: ";

/// What a footer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FooterReference {
    /// The slot of the note, the same for all of its editions.
    pub slot: Uuid,
    /// Its number.
    pub number: u32,
    /// What it says: 12 hexadecimal digits.
    pub digest: String,
}

impl fmt::Display for FooterReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{MARK}{} v{} sha256:{}", self.slot, self.number, self.digest)
    }
}

/// The item of an edition: the slot itself for the first, and one that follows from it for each further one
/// (mapping.md 5.2). A number 0 is taken for 1.
pub fn edition_item(slot: Uuid, number: u32) -> Uuid {
    if number <= 1 { slot } else { Uuid::new_v5(&slot, format!("#{number}").as_bytes()) }
}

/// The footer in the bytes of a text, a page or a PDF of ours.
///
/// The last one counts: a record's text may hold a line that looks like one, and ours stands at the end.
pub fn footer_reference(bytes: &[u8]) -> Option<FooterReference> {
    let mark = MARK.as_bytes();
    let places = bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark);
    let mut found = None;
    for (place, _) in places {
        let rest = bytes.get(place + mark.len()..).unwrap_or_default();
        found = read(rest).or(found);
    }
    found
}

/// What follows the mark.
fn read(bytes: &[u8]) -> Option<FooterReference> {
    // The longest that it may be.
    let bytes = bytes.get(..bytes.len().min(80))?;
    let end = bytes.iter().position(|byte| !byte.is_ascii_graphic() && *byte != b' ');
    let text = std::str::from_utf8(bytes.get(..end.unwrap_or(bytes.len()))?).ok()?;
    let (slot, rest) = text.split_once(" v")?;
    let (number, rest) = rest.split_once(" sha256:")?;
    let digest = rest.get(..12)?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if slot.len() != 36 || !is_number || !digest.bytes().all(is_hex) {
        return None;
    }
    Some(FooterReference {
        slot: Uuid::try_parse(slot).ok()?,
        number: number.parse().ok()?,
        digest: digest.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "IPT-REF: c30c06c5-dc9a-5a23-8fa4-b7ab16faa382 v3 sha256:0123456789ab";

    #[test]
    fn a_footer_is_found_in_what_stands_around_it() {
        let found = footer_reference(format!("text\n{LINE}\n").as_bytes()).unwrap();
        assert_eq!((found.number, found.digest.as_str()), (3, "0123456789ab"));
        assert_eq!(found.to_string(), LINE);
        for around in
            [format!("<footer>{LINE}</footer>"), format!("/Keywords ({LINE})"), LINE.to_owned()]
        {
            assert_eq!(footer_reference(around.as_bytes()), Some(found.clone()), "{around}");
        }
        let mut bytes = vec![0xff, 0xfe, 0];
        bytes.extend(LINE.as_bytes());
        bytes.push(0xff);
        assert_eq!(footer_reference(&bytes), Some(found));
    }

    #[test]
    fn the_last_footer_counts_and_what_is_none_is_none() {
        let other = LINE.replace("v3", "v4");
        let text = format!("{LINE}\n{other}\nIPT-REF: \nIPT-REF: x v1 sha256:1");
        assert_eq!(footer_reference(text.as_bytes()).unwrap().number, 4);
        for text in [
            "",
            "IPT-REF: ",
            "IPT-REF: c30c06c5-dc9a-5a23-8fa4-b7ab16faa382 v3 sha256:0123456789a",
            "IPT-REF: c30c06c5-dc9a-5a23-8fa4-b7ab16faa382 v3 sha256:0123456789aG",
            "IPT-REF: c30c06c5-dc9a-5a23-8fa4-b7ab16faa382 v+3 sha256:0123456789ab",
            "IPT-REF: c30c06c5-dc9a-5a23-8fa4-b7ab16faa382 v99999999999 sha256:0123456789ab",
            "IPT-REF: c30c06c5dc9a5a238fa4b7ab16faa382 v3 sha256:0123456789ab",
        ] {
            assert_eq!(footer_reference(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn editions_have_items_of_their_own_that_never_change() {
        let slot = Uuid::NAMESPACE_URL;
        assert_eq!(edition_item(slot, 1), slot);
        // Whoever changes this value orphans every note that was ever written.
        assert_eq!(edition_item(slot, 2), Uuid::new_v5(&slot, b"#2"));
        assert_ne!(edition_item(slot, 2), edition_item(slot, 3));
    }
}
