//! The fonts of a PDF, and which characters they show.
//!
//! Noto Sans has Latin, Greek and Cyrillic in two weights; a small part of DejaVu Sans adds arrows, signs and
//! symbols. There is no shaping: a character is one glyph.

use krilla::text::Font;
use skrifa::raw::TableProvider;
use skrifa::raw::tables::hmtx::Hmtx;
use skrifa::{FontRef, MetadataProvider};

use super::Length;
use crate::document::Error;

const REGULAR: &[u8] = include_bytes!("../../../profiles/fonts/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../../profiles/fonts/NotoSans-Bold.ttf");
const SYMBOLS: &[u8] = include_bytes!("../../../profiles/fonts/DejaVuSans-Symbols.ttf");

/// A face of the fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Running text.
    Regular,
    /// Headings and labels.
    Bold,
    /// Arrows, signs and symbols.
    Symbols,
}

/// A glyph: where it is found and how wide it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    pub(super) style: Style,
    pub(super) id: u32,
    /// In units of which the em has so many.
    pub(super) advance: u16,
    pub(super) units_per_em: u16,
}

impl Glyph {
    /// Its width at a size.
    pub(super) fn width(self, size: Length) -> Length {
        let width = i64::from(self.advance) * i64::from(size) / i64::from(self.units_per_em.max(1));
        Length::try_from(width).unwrap_or(Length::MAX)
    }
}

struct Face {
    font: Font,
    metrics: FontRef<'static>,
    widths: Hmtx<'static>,
    units_per_em: u16,
}

impl Face {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let metrics = FontRef::new(bytes).ok()?;
        Some(Self {
            font: Font::new(bytes.into(), 0)?,
            widths: metrics.hmtx().ok()?,
            units_per_em: metrics.head().ok()?.units_per_em(),
            metrics,
        })
    }

    fn glyph(&self, style: Style, character: char) -> Option<Glyph> {
        let id = self.metrics.charmap().map(character)?;
        let advance = self.widths.advance(id)?;
        let id = id.to_u32();
        (id != 0).then_some(Glyph { style, id, advance, units_per_em: self.units_per_em })
    }
}

/// All faces.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
    symbols: Face,
}

impl Faces {
    /// Reads the fonts, which are part of the program.
    pub(super) fn new() -> Result<Self, Error> {
        let read = |bytes| Face::read(bytes).ok_or(Error::Pdf("a font can't be read"));
        Ok(Self { regular: read(REGULAR)?, bold: read(BOLD)?, symbols: read(SYMBOLS)? })
    }

    /// The font of a style.
    pub(super) fn font(&self, style: Style) -> &Font {
        match style {
            Style::Regular => &self.regular.font,
            Style::Bold => &self.bold.font,
            Style::Symbols => &self.symbols.font,
        }
    }

    /// The glyph of a character.
    ///
    /// # Errors
    /// [`Error::Character`] with the name of its block, never the character.
    pub(super) fn glyph(&self, character: char, is_bold: bool) -> Result<Glyph, Error> {
        let (style, face) =
            if is_bold { (Style::Bold, &self.bold) } else { (Style::Regular, &self.regular) };
        let glyph = is_simple(character).then(|| {
            face.glyph(style, character).or_else(|| self.symbols.glyph(Style::Symbols, character))
        });
        glyph.flatten().ok_or_else(|| Error::Character(block(character)))
    }
}

/// Whether a character is shown by one glyph of its own, from left to right: neither invisible nor of a script that
/// must be shaped. A font may have a glyph for others all the same.
fn is_simple(character: char) -> bool {
    let code = u32::from(character);
    let is_format =
        matches!(code, 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff);
    let is_script = matches!(code, 0x20..=0x52f | 0x1ab0..=0x1aff | 0x1c80..=0x1c8f | 0x1d00..=0x20ff
        | 0x2100..=0x2bff | 0x2c60..=0x2c7f | 0x2de0..=0x2dff | 0xa640..=0xa69f | 0xa700..=0xa7ff
        | 0xab30..=0xab6f | 0xfb00..=0xfb06 | 0xfffd);
    is_script && !is_format && !character.is_control()
}

/// Unicode's blocks that a record may hold and our fonts do not, or not all of.
const BLOCKS: &[(u32, &str)] = &[
    (0x0000, "Basic Latin"),
    (0x0080, "Latin-1 Supplement"),
    (0x0100, "Latin Extended-A"),
    (0x0180, "Latin Extended-B"),
    (0x0250, "IPA Extensions"),
    (0x02b0, "Spacing Modifier Letters"),
    (0x0300, "Combining Diacritical Marks"),
    (0x0370, "Greek and Coptic"),
    (0x0400, "Cyrillic"),
    (0x0500, "Cyrillic Supplement"),
    (0x0530, "Armenian"),
    (0x0590, "Hebrew"),
    (0x0600, "Arabic"),
    (0x0700, "Syriac"),
    (0x0750, "Arabic Supplement"),
    (0x0780, "Thaana"),
    (0x07c0, "NKo"),
    (0x0800, ""),
    (0x08a0, "Arabic Extended-A"),
    (0x0900, "Devanagari"),
    (0x0980, "Bengali"),
    (0x0a00, "Gurmukhi"),
    (0x0a80, "Gujarati"),
    (0x0b00, "Oriya"),
    (0x0b80, "Tamil"),
    (0x0c00, "Telugu"),
    (0x0c80, "Kannada"),
    (0x0d00, "Malayalam"),
    (0x0d80, "Sinhala"),
    (0x0e00, "Thai"),
    (0x0e80, "Lao"),
    (0x0f00, "Tibetan"),
    (0x1000, "Myanmar"),
    (0x10a0, "Georgian"),
    (0x1100, "Hangul Jamo"),
    (0x1200, "Ethiopic"),
    (0x1380, ""),
    (0x13a0, "Cherokee"),
    (0x1400, ""),
    (0x1780, "Khmer"),
    (0x1800, "Mongolian"),
    (0x18b0, ""),
    (0x1e00, "Latin Extended Additional"),
    (0x1f00, "Greek Extended"),
    (0x2000, "General Punctuation"),
    (0x2070, "Superscripts and Subscripts"),
    (0x20a0, "Currency Symbols"),
    (0x20d0, "Combining Diacritical Marks for Symbols"),
    (0x2100, "Letterlike Symbols"),
    (0x2150, "Number Forms"),
    (0x2190, "Arrows"),
    (0x2200, "Mathematical Operators"),
    (0x2300, "Miscellaneous Technical"),
    (0x2400, ""),
    (0x2500, "Box Drawing"),
    (0x2580, "Block Elements"),
    (0x25a0, "Geometric Shapes"),
    (0x2600, "Miscellaneous Symbols"),
    (0x2700, "Dingbats"),
    (0x27c0, ""),
    (0x2800, "Braille Patterns"),
    (0x2900, ""),
    (0x2b00, "Miscellaneous Symbols and Arrows"),
    (0x2c00, ""),
    (0x2e80, "CJK Radicals Supplement"),
    (0x2f00, ""),
    (0x3000, "CJK Symbols and Punctuation"),
    (0x3040, "Hiragana"),
    (0x30a0, "Katakana"),
    (0x3100, ""),
    (0x3400, "CJK Unified Ideographs Extension A"),
    (0x4dc0, ""),
    (0x4e00, "CJK Unified Ideographs"),
    (0xa000, ""),
    (0xac00, "Hangul Syllables"),
    (0xd7b0, ""),
    (0xe000, "Private Use Area"),
    (0xf900, "CJK Compatibility Ideographs"),
    (0xfb00, "Alphabetic Presentation Forms"),
    (0xfb50, "Arabic Presentation Forms-A"),
    (0xfe00, "Variation Selectors"),
    (0xfe10, ""),
    (0xfe70, "Arabic Presentation Forms-B"),
    (0xff00, "Halfwidth and Fullwidth Forms"),
    (0xfff0, "Specials"),
    (0x10000, ""),
    (0x1f300, "Miscellaneous Symbols and Pictographs"),
    (0x1f600, "Emoticons"),
    (0x1f650, ""),
    (0x1f680, "Transport and Map Symbols"),
    (0x1f700, ""),
    (0x1f900, "Supplemental Symbols and Pictographs"),
    (0x1fa00, ""),
    (0x20000, "CJK Unified Ideographs Extension B"),
    (0x2a6e0, ""),
];

/// The Unicode block of a character, or the row of 256 that it is in.
fn block(character: char) -> String {
    let code = u32::from(character);
    let known = BLOCKS.iter().rev().find(|(start, _)| *start <= code).map(|(_, name)| *name);
    match known {
        Some(name) if !name.is_empty() => format!("the block {name}"),
        _ => format!("the row U+{:02X}00", code >> 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_a_glyph_and_the_rest_names_its_block() {
        let faces = Faces::new().unwrap();
        for character in "Aé–“”…ßŁőğΩЖ≤≥→✓☐½°€\u{a0}\u{fffd}".chars() {
            for bold in [false, true] {
                let glyph = faces.glyph(character, bold).unwrap();
                assert!(glyph.id != 0 && glyph.width(1000) > 0, "{character}");
            }
        }
        for (character, name) in [
            ('\u{1f642}', "the block Emoticons"),
            ('\u{5d0}', "the block Hebrew"),
            ('\u{627}', "the block Arabic"),
            ('\u{905}', "the block Devanagari"),
            ('\u{4e00}', "the block CJK Unified Ideographs"),
            ('\u{202e}', "the block General Punctuation"),
            ('\u{200b}', "the block General Punctuation"),
            ('\u{ad}', "the block Latin-1 Supplement"),
            ('\u{e000}', "the block Private Use Area"),
            ('\u{10ffff}', "the row U+10FF00"),
        ] {
            let error = faces.glyph(character, false).unwrap_err();
            assert_eq!(error, Error::Character(name.to_owned()));
        }
    }
}
