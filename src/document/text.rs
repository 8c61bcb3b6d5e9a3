//! A document as plain text, for a chart that shows text in any font: nothing depends on columns but the fields,
//! which read as well without them. A row of a table is a group of fields, for a table of wrapped columns can't be
//! read aloud or in a proportional font.

use super::{Block, Document, Field, Item, Level, lines};

/// The width of a line, in characters.
const WIDTH: usize = 78;
/// The widest column of labels.
const LABELS: usize = 24;

pub(super) fn render(document: &Document) -> String {
    let mut page = Page { text: String::with_capacity(4 << 10) };
    if let Some(opening) = &document.opening {
        page.wrapped("", "", opening);
        page.gap();
    }
    page.underlined(&document.title, '=');
    for block in &document.blocks {
        page.block(block);
    }
    if let Some(footer) = &document.footer {
        page.gap();
        page.text.push_str("--\n");
        // Whole on one line, so that it can be found.
        page.text.push_str(footer);
        page.text.push('\n');
    }
    page.text
}

struct Page {
    text: String,
}

impl Page {
    /// An empty line, unless there is one or nothing stands above.
    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(Level::Section, text) => {
                self.gap();
                self.underlined(text, '-');
            }
            Block::Heading(Level::Part, text) => {
                self.gap();
                self.wrapped("", "", text);
            }
            Block::Fields(fields) => self.fields(fields),
            Block::Paragraph(text) => {
                self.wrapped("", "", text);
                self.gap();
            }
            Block::List { is_numbered, items } => {
                self.list("", *is_numbered, items);
                self.gap();
            }
            Block::Table { headings, rows } => {
                for row in rows {
                    let pairs = headings.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
                    let fields: Vec<Field> = pairs
                        .map(|(label, text)| Field { label: label.clone(), text: text.clone() })
                        .collect();
                    self.fields(&fields);
                }
            }
        }
    }

    /// Labels in a column, as far as they are short enough for one.
    fn fields(&mut self, fields: &[Field]) {
        let widths = fields.iter().map(|field| field.label.chars().count());
        let column = widths.filter(|width| *width <= LABELS).max().unwrap_or_default() + 2;
        for field in fields {
            let label = format!("{}:", lines(&field.label).join(" "));
            self.wrapped(&format!("{label:<column$}"), &" ".repeat(column), &field.text);
        }
        self.gap();
    }

    fn list(&mut self, indent: &str, is_numbered: bool, items: &[Item]) {
        for (index, item) in items.iter().enumerate() {
            let mark = if is_numbered { format!("{}. ", index + 1) } else { "- ".to_owned() };
            let inner = " ".repeat(indent.len() + mark.len());
            let text = format!("{}{}", item.strong, item.text);
            self.wrapped(&format!("{indent}{mark}"), &inner, &text);
            self.list(&inner, false, &item.children);
        }
    }

    fn underlined(&mut self, text: &str, mark: char) {
        let begin = self.text.len();
        self.wrapped("", "", text);
        let written = self.text.get(begin..).unwrap_or_default();
        let width = written.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        self.text.extend(std::iter::repeat_n(mark, width.min(WIDTH)));
        self.text.push_str("\n\n");
    }

    /// A text whose first line stands behind something and whose others are indented.
    fn wrapped(&mut self, first: &str, other: &str, text: &str) {
        let mut before = first;
        for line in lines(text) {
            let mut width = before.chars().count();
            self.text.push_str(before);
            let mut begins = true;
            for word in line.split(' ').filter(|word| !word.is_empty()) {
                let length = word.chars().count();
                if !begins && width + 1 + length > WIDTH {
                    self.end_line();
                    self.text.push_str(other);
                    width = other.len();
                    begins = true;
                }
                if !begins {
                    self.text.push(' ');
                    width += 1;
                }
                self.text.push_str(word);
                width += length;
                begins = false;
            }
            self.end_line();
            before = other;
        }
    }

    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }
}
