//! A document as a tagged PDF: PDF/UA-1 and PDF/A-2a, checked while it is written.
//!
//! [`font`] knows which characters can be shown and how wide they are, [`layout`] breaks the document into lines and
//! the lines into pages, [`draw`] puts them into the file with their tags. Lengths are whole thousandths of a point,
//! so that a layout is the same on every machine.
//!
//! It refuses what it can't show well: a character without a glyph, and scripts that must be shaped or run from right
//! to left.

mod draw;
mod font;
mod layout;
mod line;
mod page;

use super::{Document, Error};

/// A length: thousandths of a point.
type Length = i32;

/// One point.
const POINT: Length = 1000;

pub(super) fn render(document: &Document) -> Result<Vec<u8>, Error> {
    let faces = font::Faces::new()?;
    let flow = layout::flow(document, &faces)?;
    let pages = page::paginate(&flow);
    draw::write(document, &faces, &flow, &pages)
}
