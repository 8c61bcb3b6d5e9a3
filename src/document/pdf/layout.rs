//! A document as a flow of bands: strips across the page that are never broken, and the tags of what stands in them.

use super::font::Faces;
use super::line::{Line, Run, broken, extent};
use super::{Length, POINT};
use crate::document::{Block, Document, Error, Field, Item, Level};

/// Where the text begins, from the left edge of the page.
pub(super) const LEFT: Length = 60 * POINT;
/// The width of the text. On Letter paper (612 pt) it leaves 60 pt on both sides, on A4 (595 pt) 51 pt.
pub(super) const WIDTH: Length = 492 * POINT;

/// How a text is set.
#[derive(Debug, Clone, Copy)]
struct Setting {
    size: Length,
    leading: Length,
    ink: Ink,
}

const TITLE: Setting = Setting { size: 18_000, leading: 23_000, ink: Ink::Navy };
const SECTION: Setting = Setting { size: 12_500, leading: 16_500, ink: Ink::Navy };
const PART: Setting = Setting { size: 10_500, leading: 14_500, ink: Ink::Black };
const BODY: Setting = Setting { size: 10_000, leading: 14_000, ink: Ink::Black };
const LABEL: Setting = Setting { ink: Ink::Slate, ..BODY };
const CELL: Setting = Setting { size: 9_000, leading: 12_400, ink: Ink::Black };
const COLUMN: Setting = Setting { ink: Ink::Navy, ..CELL };
const MARGINAL: Setting = Setting { size: 8_000, leading: 10_500, ink: Ink::Slate };

/// The narrowest column of labels: short ones stand in line from one group to the next.
const LEAST_LABELS: Length = 80 * POINT;
/// The widest column of labels.
const LABELS: Length = 130 * POINT;
/// How far a list is set in.
const INDENT: Length = 17 * POINT;
/// What stands between a cell's text and its edges.
const PADDING: Length = 5 * POINT;
/// A row or item of at most so many lines stays on one page.
const TOGETHER: usize = 12;

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Text.
    Black,
    /// Headings.
    Navy,
    /// Labels, and what stands in the margins.
    Slate,
}

/// What an element of the structure is (ISO 32000-1, 14.8.4).
pub(super) enum Kind {
    Heading(u16, String),
    Paragraph,
    List { is_numbered: bool },
    Item,
    Mark,
    Body,
    Table,
    TableHead,
    TableBody,
    Row,
    HeadCell,
    Cell,
}

/// An element of the structure, in reading order.
pub(super) struct Element {
    pub(super) kind: Kind,
    pub(super) parent: Option<usize>,
}

/// A line in its band.
pub(super) struct Placed {
    /// From the left edge of the page.
    pub(super) x: Length,
    /// From the upper edge of the band.
    pub(super) baseline: Length,
    pub(super) size: Length,
    pub(super) ink: Ink,
    pub(super) element: usize,
    /// Whether it stands behind all lines of the element that do not: a value beside its label.
    pub(super) is_beside: bool,
    pub(super) line: Line,
}

/// A strip across the page.
#[derive(Default)]
pub(super) struct Band {
    pub(super) height: Length,
    /// The space above, unless it begins a page.
    pub(super) gap: Length,
    /// Whether the next one must stand on the same page.
    pub(super) keeps_next: bool,
    pub(super) is_shaded: bool,
    pub(super) is_ruled: bool,
    /// The table that it belongs to.
    pub(super) table: Option<usize>,
    pub(super) placed: Vec<Placed>,
}

/// The whole document, not yet on pages.
pub(super) struct Flow {
    pub(super) elements: Vec<Element>,
    pub(super) bands: Vec<Band>,
    /// For each table the bands of its head, as a range.
    pub(super) heads: Vec<std::ops::Range<usize>>,
    /// What stands at the head of each page but the first.
    pub(super) running_head: Vec<Placed>,
    /// What stands at the foot of each page.
    pub(super) footer: Vec<Placed>,
}

/// Lays a document out.
///
/// # Errors
/// [`Error::Character`] for what can't be shown.
pub(super) fn flow(document: &Document, faces: &Faces) -> Result<Flow, Error> {
    let mut layout = Layout { faces, flow: empty() };
    if let Some(opening) = &document.opening {
        layout.paragraph(opening, LABEL, 0)?;
    }
    layout.heading(
        1,
        &document.title,
        TITLE,
        if document.opening.is_some() { 6_000 } else { 0 },
    )?;
    for block in &document.blocks {
        layout.block(block)?;
    }
    let running_head = layout.marginal(&document.running_head, WIDTH)?;
    let footer = layout.marginal(document.footer.as_deref().unwrap_or_default(), WIDTH * 3 / 4)?;
    // Nothing follows the last band, so it must not ask for it.
    if let Some(last) = layout.flow.bands.last_mut() {
        last.keeps_next = false;
    }
    Ok(Flow { running_head, footer, ..layout.flow })
}

/// A line that is set for the margins, such as the number of a page.
///
/// # Errors
/// [`Error::Character`] for what can't be shown.
pub(super) fn marginal(faces: &Faces, text: &str) -> Result<Vec<Placed>, Error> {
    Layout { faces, flow: empty() }.marginal(text, WIDTH)
}

const fn empty() -> Flow {
    Flow {
        elements: Vec::new(),
        bands: Vec::new(),
        heads: Vec::new(),
        running_head: Vec::new(),
        footer: Vec::new(),
    }
}

struct Layout<'a> {
    faces: &'a Faces,
    flow: Flow,
}

impl Layout<'_> {
    fn element(&mut self, kind: Kind, parent: Option<usize>) -> usize {
        self.flow.elements.push(Element { kind, parent });
        self.flow.elements.len() - 1
    }

    fn lines(
        &self,
        text: &str,
        is_bold: bool,
        set: Setting,
        width: Length,
    ) -> Result<Vec<Line>, Error> {
        broken(self.faces, &[Run { text, is_bold }], set.size, width)
    }

    fn marginal(&self, text: &str, width: Length) -> Result<Vec<Placed>, Error> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let lines = self.lines(text, false, MARGINAL, width)?;
        Ok(lines.into_iter().map(|line| placed(line, LEFT, MARGINAL, 0)).collect())
    }

    /// Adds lines one below the other, with a gap above the first: the first two and the last two stay together, or
    /// all of them.
    fn stack(&mut self, columns: Vec<Vec<Placed>>, leading: Length, gap: Length, is_whole: bool) {
        let height = columns.iter().map(Vec::len).max().unwrap_or_default();
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for index in 0..height {
            let is_last = index + 1 == height;
            let keeps_next = !is_last && (is_whole || index == 0 || index + 2 == height);
            self.flow.bands.push(Band {
                height: leading,
                gap: if index == 0 { gap } else { 0 },
                keeps_next,
                placed: columns.iter_mut().filter_map(Iterator::next).collect(),
                ..Band::default()
            });
        }
    }

    fn block(&mut self, block: &Block) -> Result<(), Error> {
        match block {
            Block::Heading(Level::Section, text) => {
                self.heading(2, text, SECTION, 15_000)?;
                if let Some(band) = self.flow.bands.last_mut() {
                    band.height += 3_000;
                    band.is_ruled = true;
                }
            }
            Block::Heading(Level::Part, text) => self.heading(3, text, PART, 8_000)?,
            Block::Fields(fields) => self.fields(fields)?,
            Block::Paragraph(text) => self.paragraph(text, BODY, 5_000)?,
            Block::List { is_numbered, items } => self.list(*is_numbered, items, None, 0)?,
            Block::Table { headings, rows } => self.table(headings, rows)?,
        }
        Ok(())
    }

    fn heading(&mut self, level: u16, text: &str, set: Setting, gap: Length) -> Result<(), Error> {
        let element = self.element(Kind::Heading(level, text.to_owned()), None);
        let lines = self.lines(text, true, set, WIDTH)?;
        let lines = lines.into_iter().map(|line| placed(line, LEFT, set, element)).collect();
        self.stack(vec![lines], set.leading, gap, true);
        if let Some(band) = self.flow.bands.last_mut() {
            band.keeps_next = true;
        }
        Ok(())
    }

    fn paragraph(&mut self, text: &str, set: Setting, gap: Length) -> Result<(), Error> {
        let element = self.element(Kind::Paragraph, None);
        let lines = self.lines(text, false, set, WIDTH)?;
        let lines = lines.into_iter().map(|line| placed(line, LEFT, set, element)).collect();
        self.stack(vec![lines], set.leading, gap, false);
        Ok(())
    }

    fn fields(&mut self, fields: &[Field]) -> Result<(), Error> {
        let mut column = LEAST_LABELS;
        let labels: Vec<String> = fields.iter().map(|field| format!("{}: ", field.label)).collect();
        for label in &labels {
            let run = Run { text: label, is_bold: true };
            let (width, _) = extent(self.faces, run, LABEL.size)?;
            column = width.max(column);
        }
        let column = column.min(LABELS) + 6_000;
        for (index, (field, label)) in fields.iter().zip(&labels).enumerate() {
            let element = self.element(Kind::Paragraph, None);
            let label = self.lines(label, true, LABEL, column)?;
            let text = self.lines(&field.text, false, BODY, WIDTH - column)?;
            let label = label.into_iter().map(|line| placed(line, LEFT, LABEL, element)).collect();
            let text = text.into_iter().map(|line| Placed {
                is_beside: true,
                ..placed(line, LEFT + column, BODY, element)
            });
            let text = text.collect();
            let gap = if index == 0 { 5_000 } else { 1_500 };
            self.stack(vec![label, text], BODY.leading, gap, false);
        }
        Ok(())
    }

    fn list(
        &mut self,
        is_numbered: bool,
        items: &[Item],
        parent: Option<usize>,
        depth: Length,
    ) -> Result<(), Error> {
        let list = self.element(Kind::List { is_numbered }, parent);
        let x = LEFT + depth * INDENT;
        for (index, item) in items.iter().enumerate() {
            let entry = self.element(Kind::Item, Some(list));
            let mark_element = self.element(Kind::Mark, Some(entry));
            let body = self.element(Kind::Body, Some(entry));
            let mark = if is_numbered { format!("{}. ", index + 1) } else { "• ".to_owned() };
            let mark = self.lines(&mark, false, BODY, INDENT * 2)?;
            let runs = [
                Run { text: &item.strong, is_bold: true },
                Run { text: &item.text, is_bold: false },
            ];
            let room = (WIDTH - (depth + 1) * INDENT).max(WIDTH / 4);
            let text = broken(self.faces, &runs, BODY.size, room)?;
            // A small list mark stands a little in from its edge, a number at it.
            let mark_x = if is_numbered { x } else { x + 5_000 };
            let mark =
                mark.into_iter().map(|line| placed(line, mark_x, BODY, mark_element)).collect();
            let text: Vec<Placed> =
                text.into_iter().map(|line| placed(line, x + INDENT, BODY, body)).collect();
            let gap = if index == 0 { 4_000 } else { 2_500 };
            let is_whole = text.len() <= 3;
            self.stack(vec![mark, text], BODY.leading, gap, is_whole);
            if !item.children.is_empty() {
                self.list(false, &item.children, Some(body), depth + 1)?;
            }
        }
        Ok(())
    }

    fn table(&mut self, headings: &[String], rows: &[Vec<String>]) -> Result<(), Error> {
        let widths = self.columns(headings, rows)?;
        let table = self.element(Kind::Table, None);
        let number = self.flow.heads.len();
        let head = self.element(Kind::TableHead, Some(table));
        let start = self.flow.bands.len();
        self.row(headings, &widths, head, number, true)?;
        self.flow.heads.push(start..self.flow.bands.len());
        let body = self.element(Kind::TableBody, Some(table));
        for row in rows {
            self.row(row, &widths, body, number, false)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        cells: &[String],
        widths: &[Length],
        parent: usize,
        table: usize,
        is_head: bool,
    ) -> Result<(), Error> {
        let set = if is_head { COLUMN } else { CELL };
        let row = self.element(Kind::Row, Some(parent));
        let mut x = LEFT;
        let mut columns: Vec<Vec<Placed>> = Vec::new();
        for (cell, width) in cells.iter().zip(widths) {
            let kind = if is_head { Kind::HeadCell } else { Kind::Cell };
            let element = self.element(kind, Some(row));
            // A cell without content would fall out of the structure, and its row would lack a column.
            let text = if cell.is_empty() { " " } else { cell };
            let lines = self.lines(text, is_head, set, *width)?;
            let lines = lines.into_iter().map(|line| placed(line, x + PADDING, set, element));
            columns.push(lines.collect());
            x += width + 2 * PADDING;
        }
        let start = self.flow.bands.len();
        let height = columns.iter().map(Vec::len).max().unwrap_or_default();
        self.stack(columns, set.leading, 0, height <= TOGETHER);
        let bands = self.flow.bands.get_mut(start..).unwrap_or_default();
        for band in bands.iter_mut() {
            band.table = Some(table);
            band.is_shaded = is_head;
        }
        if let Some(first) = bands.first_mut() {
            first.height += 3_500;
            for placed in &mut first.placed {
                placed.baseline += 3_500;
            }
            first.gap = if is_head { 6_000 } else { 0 };
        }
        if let Some(last) = bands.last_mut() {
            last.height += 3_500;
            last.is_ruled = true;
            last.keeps_next = is_head;
        }
        Ok(())
    }

    /// The widths of a table's columns: each has room for its longest word, and the rest goes to those that have the
    /// most to say.
    fn columns(&self, headings: &[String], rows: &[Vec<String>]) -> Result<Vec<Length>, Error> {
        let mut wants: Vec<(Length, Length)> = Vec::new();
        for (index, heading) in headings.iter().enumerate() {
            let run = Run { text: heading, is_bold: true };
            let (mut line, mut word) = extent(self.faces, run, CELL.size)?;
            for cell in rows.iter().filter_map(|row| row.get(index)) {
                let run = Run { text: cell, is_bold: false };
                let (line_of_cell, word_of_cell) = extent(self.faces, run, CELL.size)?;
                (line, word) = (line.max(line_of_cell), word.max(word_of_cell));
            }
            wants.push((line, word));
        }
        let count = Length::try_from(wants.len().max(1)).unwrap_or(1);
        let room = WIDTH - count * 2 * PADDING;
        let share = room / count;
        // A word that is wider than half the table is broken.
        let least: Vec<Length> = wants.iter().map(|(_, word)| (*word).min(room / 2)).collect();
        let least =
            if least.iter().sum::<Length>() > room { vec![share; wants.len()] } else { least };
        let spare = i64::from(room - least.iter().sum::<Length>());
        let wish: Vec<i64> = wants
            .iter()
            .zip(&least)
            .map(|((line, _), least)| i64::from((*line).min(room).max(*least) - least))
            .collect();
        let wished = wish.iter().sum::<i64>();
        let mut widths: Vec<Length> = least
            .iter()
            .zip(&wish)
            .map(|(least, wish)| {
                let more = if wished <= spare { *wish } else { spare * wish / wished.max(1) };
                least + Length::try_from(more).unwrap_or_default()
            })
            .collect();
        // What is left over widens the last column: the table is as wide as the text.
        let left = room - widths.iter().sum::<Length>();
        if let Some(last) = widths.last_mut() {
            *last += left.max(0);
        }
        Ok(widths)
    }
}

fn placed(line: Line, x: Length, set: Setting, element: usize) -> Placed {
    let baseline = set.leading * 3 / 4;
    Placed { x, baseline, size: set.size, ink: set.ink, element, is_beside: false, line }
}
