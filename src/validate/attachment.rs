//! `Attachment`: that the stated size and hash are those of the data that comes with it (R4 2.24.0.13).
//!
//! A size or hash that does not fit means that the document at hand is not the one that was meant, or that it was cut
//! off on its way. The data are never decoded into memory: the size follows from their length, and the hash is
//! computed piece by piece. What lies behind a URL is not fetched, and so not checked.
//! That data have a content type is an invariant (att-1).

mod sha1;

use super::finding::Findings;
use super::rule::attachment as rule;
use super::tree::{NodeId, Tree};
use crate::fhir::base64::{self, Alphabet, Form};

use sha1::Sha1;

/// Looks at an Attachment (or an element with the same members).
pub fn check(tree: &Tree<'_>, node: NodeId, findings: &mut Findings) {
    let text = |name: &str| tree.child_text(node, name);
    let size = text("size").filter(|size| !size.is_empty());
    let stated = size.and_then(|size| size.parse::<u64>().ok());
    if size.is_some() && stated.is_none() {
        findings.add(&rule::SIZE_FORM, node, rule::SIZE_FORM.title);
    }
    let hash = text("hash").filter(|hash| !hash.is_empty()).map(decode_hash);
    if hash.is_some_and(|hash| hash.is_none()) {
        findings.add(&rule::HASH_FORM, node, rule::HASH_FORM.title);
    }
    let Some(data) = text("data").filter(|data| !data.is_empty()) else {
        let says_something = ["url", "contentType", "language", "data"]
            .iter()
            .any(|name| tree.child(node, name).is_some());
        if !says_something {
            findings.add(&rule::NOTHING, node, rule::NOTHING.title);
        }
        return;
    };
    let length = match base64::form(data) {
        Form::Good { length } => length,
        Form::Spaced { .. } => {
            findings.add(&rule::DATA_SPACE, node, rule::DATA_SPACE.title);
            return;
        }
        // The value itself is told of as a primitive.
        Form::Bad => return,
    };
    if let Some(stated) = stated
        && u64::try_from(length).is_ok_and(|length| length != stated)
    {
        findings
            .add(
                &rule::SIZE,
                node,
                format!("the stated size is not that of the data: {length} bytes"),
            )
            .with_value();
    }
    if let Some(Some(hash)) = hash
        && hash != digest(data)
    {
        findings.add(&rule::HASH, node, rule::HASH.title).with_value();
    }
}

/// The stated hash; nothing if it is no base64. One of another length can't be a SHA-1, and never fits.
fn decode_hash(text: &str) -> Option<[u8; 20]> {
    let mut hash = [0; 20];
    let mut length = 0;
    let is_base64 = base64::pieces(text, Alphabet::Standard, |bytes| {
        for byte in bytes {
            if let Some(place) = hash.get_mut(length) {
                *place = *byte;
            }
            length += 1;
        }
    });
    // A hash that is too long or too short stays one that no data have.
    is_base64.then_some(if length == 20 { hash } else { [0; 20] })
}

fn digest(data: &str) -> [u8; 20] {
    let mut sha1 = Sha1::new();
    base64::pieces(data, Alphabet::Standard, |bytes| sha1.update(bytes));
    sha1.finish()
}
