//! Documents to be read: a small model, and its renderings as text, HTML and PDF.
//!
//! A [`Document`] is what a page says, in order: a title, fields, headings, paragraphs, lists, tables. It is written
//! once and rendered three times, so the three can't say different things. The renderings are pure: no clock, no
//! random number, no map; the same document gives the same bytes on every machine.
//!
//! It knows neither FHIR nor IPT, and decides nothing about what may be told: whoever writes a document has
//! filtered it before. It refuses to lose a character: what a font can't show ends the PDF with an error, never with
//! a gap.

mod html;
#[cfg(feature = "pdf")]
mod pdf;
mod text;

use jiff::Timestamp;

pub use html::escape;

/// A document.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its title, on one line.
    pub title: String,
    /// Whom it is about, for the head of every page but the first. It is wrapped, never cut.
    pub running_head: String,
    /// The language of its texts, as BCP 47 names it.
    pub language: Option<String>,
    /// A sentence before the title.
    pub opening: Option<String>,
    /// What it says.
    pub blocks: Vec<Block>,
    /// A line at the end, and at the foot of every page: where it comes from.
    pub footer: Option<String>,
    /// When it was made, for the PDF's own description; nothing that is printed. A PDF without it is no PDF/A.
    pub date: Option<Timestamp>,
}

/// A part of a document.
#[derive(Clone, PartialEq, Eq)]
pub enum Block {
    /// The heading of a part.
    Heading(Level, String),
    /// Names with values.
    Fields(Vec<Field>),
    /// A paragraph; a line feed in it is a break.
    Paragraph(String),
    /// A list.
    List {
        /// Whether its items are counted, from 1.
        is_numbered: bool,
        /// Its items.
        items: Vec<Item>,
    },
    /// A table; every row has as many cells as there are headings.
    Table {
        /// What its columns hold.
        headings: Vec<String>,
        /// Its rows.
        rows: Vec<Vec<String>>,
    },
}

/// How deep a heading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Directly under the title.
    Section,
    /// In a section.
    Part,
}

/// A name with a value.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// What the value is; a colon is set behind it.
    pub label: String,
    /// The value.
    pub text: String,
}

/// An item of a list.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What stands out at its begin.
    pub strong: String,
    /// The rest; it follows at once, so it begins with what is to stand between.
    pub text: String,
    /// Items in it.
    pub children: Vec<Self>,
}

/// Why a document can't be a PDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A character that no font of ours has, or that would need to be shaped or set from right to left.
    #[error("the PDF can't show a character of {0}")]
    Character(String),
    /// The PDF does not hold to PDF/UA-1 and PDF/A-2a, or can't be written.
    #[error("the PDF can't be made: {0}")]
    Pdf(&'static str),
    /// The program was built without PDF.
    #[error("this build makes no PDF (feature `pdf`)")]
    NoPdf,
}

impl Document {
    /// As plain text: lines of at most 78 characters where words allow it, no tabs, a line feed at the end.
    pub fn to_text(&self) -> String {
        text::render(self)
    }

    /// As an HTML page that stands alone: no script, nothing from elsewhere, made to be printed, too.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// As XHTML for a `div`: title, headings and all blocks, without opening and footer.
    pub fn to_xhtml(&self) -> String {
        html::fragment(self)
    }

    /// As a tagged PDF (PDF/UA-1, and PDF/A-2a if it has a date), for Letter paper with margins that A4 has room for, too.
    ///
    /// # Errors
    /// [`Error::Character`] if it says something that our fonts can't show, [`Error::NoPdf`] in a build without PDF.
    pub fn to_pdf(&self) -> Result<Vec<u8>, Error> {
        #[cfg(feature = "pdf")]
        return pdf::render(self);
        #[cfg(not(feature = "pdf"))]
        return Err(Error::NoPdf);
    }

    /// Adds a section's heading.
    pub fn section(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(Level::Section, text.into()));
    }

    /// Adds the heading of a part of a section.
    pub fn part(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(Level::Part, text.into()));
    }

    /// Adds a field, to those just before it if there are any; nothing where there is no value.
    pub fn field(&mut self, label: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let field = Field { label: label.to_owned(), text: text.to_owned() };
        if let Some(Block::Fields(fields)) = self.blocks.last_mut() {
            fields.push(field);
        } else {
            self.blocks.push(Block::Fields(vec![field]));
        }
    }

    /// Adds a paragraph; nothing where there is no text.
    pub fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.blocks.push(Block::Paragraph(text.to_owned()));
        }
    }

    /// Adds a list; nothing where there are no items.
    pub fn list(&mut self, is_numbered: bool, items: impl IntoIterator<Item = Item>) {
        let items: Vec<Item> = items.into_iter().collect();
        if !items.is_empty() {
            self.blocks.push(Block::List { is_numbered, items });
        }
    }
}

impl Item {
    /// An item of a text alone.
    pub fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
}

/// What a document says is a person's; its `Debug` says nothing.
impl std::fmt::Debug for Document {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Document [phi] of {} blocks", self.blocks.len())
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Block [phi]")
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Field [phi]")
    }
}

impl std::fmt::Debug for Item {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Item [phi]")
    }
}

/// The lines of a text: CR LF, CR and LF each end one, and what no rendering can hold is a replacement character.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    text.split(['\n', '\r'])
        .map(|line| line.chars().map(|character| shown(character, ' ')).collect())
        .collect()
}

/// A character as it is shown: a replacement character where XML, print and terminals have none.
fn shown(character: char, tab: char) -> char {
    match character {
        '\t' => tab,
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}
