//! Text broken into lines.

use super::Length;
use super::font::{Faces, Glyph, Style};
use crate::document::{Error, lines};

/// A stretch of text in one weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) text: &'a str,
    pub(super) is_bold: bool,
}

/// Glyphs of one face, one after the other.
pub(super) struct Piece {
    pub(super) style: Style,
    pub(super) text: String,
    pub(super) glyphs: Vec<Glyph>,
    pub(super) width: Length,
}

/// A line: its pieces from left to right.
#[derive(Default)]
pub(super) struct Line {
    pub(super) pieces: Vec<Piece>,
    /// Its width, spaces at its end included.
    pub(super) width: Length,
}

struct Letter {
    character: char,
    glyph: Glyph,
    width: Length,
}

/// Breaks runs into lines no wider than a width, at spaces; a word that is wider than a line is broken where it must.
/// A space at which a line is broken stays at its end: it parts the words for whoever reads the file.
///
/// # Errors
/// [`Error::Character`] for what can't be shown.
pub(super) fn broken(
    faces: &Faces,
    runs: &[Run<'_>],
    size: Length,
    width: Length,
) -> Result<Vec<Line>, Error> {
    let mut paragraphs: Vec<Vec<Letter>> = vec![Vec::new()];
    for run in runs {
        for (index, line) in lines(run.text).iter().enumerate() {
            if index > 0 {
                paragraphs.push(Vec::new());
            }
            for character in line.chars() {
                let glyph = faces.glyph(character, run.is_bold)?;
                let letter = Letter { character, glyph, width: glyph.width(size) };
                if let Some(paragraph) = paragraphs.last_mut() {
                    paragraph.push(letter);
                }
            }
        }
    }
    Ok(paragraphs.iter().flat_map(|letters| wrapped(letters, width)).collect())
}

fn wrapped(letters: &[Letter], most: Length) -> Vec<Line> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut after_space = None;
    let mut width = 0;
    for (index, letter) in letters.iter().enumerate() {
        width += letter.width;
        if width > most && letter.character != ' ' && index > start {
            let end = after_space.filter(|end| *end > start).unwrap_or(index);
            found.push(line(letters.get(start..end).unwrap_or_default()));
            start = end;
            after_space = None;
            let kept = letters.get(start..=index).unwrap_or_default();
            width = kept.iter().map(|letter| letter.width).sum();
        }
        if letter.character == ' ' {
            after_space = Some(index + 1);
        }
    }
    found.push(line(letters.get(start..).unwrap_or_default()));
    found
}

fn line(letters: &[Letter]) -> Line {
    let mut line = Line::default();
    for letter in letters {
        line.width += letter.width;
        match line.pieces.last_mut().filter(|piece| piece.style == letter.glyph.style) {
            Some(piece) => {
                piece.text.push(letter.character);
                piece.glyphs.push(letter.glyph);
                piece.width += letter.width;
            }
            None => line.pieces.push(Piece {
                style: letter.glyph.style,
                text: letter.character.to_string(),
                glyphs: vec![letter.glyph],
                width: letter.width,
            }),
        }
    }
    line
}

/// The widest line of a text, and its widest word.
///
/// # Errors
/// [`Error::Character`] for what can't be shown.
pub(super) fn extent(faces: &Faces, run: Run<'_>, size: Length) -> Result<(Length, Length), Error> {
    let (mut widest_line, mut widest_word) = (0, 0);
    for line in lines(run.text) {
        let (mut whole, mut word) = (0, 0);
        for character in line.chars() {
            let width = faces.glyph(character, run.is_bold)?.width(size);
            whole += width;
            word = if character == ' ' { 0 } else { word + width };
            widest_word = widest_word.max(word);
        }
        widest_line = widest_line.max(whole);
    }
    Ok((widest_line, widest_word))
}
