//! Documents: the model and its renderings, without any record.

#[cfg(feature = "pdf")]
use ipt_fhir::document::Error;
use ipt_fhir::document::{Block, Document, Item};

use crate::support::reading::{Tables, letters, of_html, of_text};

fn item(strong: &str, text: &str, children: Vec<Item>) -> Item {
    Item { strong: strong.to_owned(), text: text.to_owned(), children }
}

/// A document with one of everything.
fn sample() -> Document {
    let mut document = Document {
        title: "A <title> & more".to_owned(),
        running_head: "Somebody, born 1990".to_owned(),
        language: Some("en-US".to_owned()),
        opening: Some("It opens.".to_owned()),
        footer: Some("IPT-REF: x".to_owned()),
        date: Some("2026-04-01T12:00:00Z".parse().unwrap()),
        ..Document::default()
    };
    document.field("Name", "Jo \"Q\" Doe");
    document.field("A longer label", "one\ntwo");
    document.field("Nothing", "");
    document.section("Section");
    document.paragraph("First line\r\nsecond\tline\rthird <b>line</b>");
    document.part("Part");
    document.list(
        true,
        [
            item("Strong", ": text", vec![Item::plain("child one"), Item::plain("child two")]),
            Item::plain("second"),
        ],
    );
    let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    document.blocks.push(Block::Table {
        headings: row(["Left", "Right"]),
        rows: vec![row(["a", "b & c"]), row(["", "only right"])],
    });
    document
}

#[test]
fn text_is_wrapped_and_shows_what_is_what() {
    assert_eq!(
        sample().to_text(),
        "It opens.\n\nA <title> & more\n================\n\n\
         Name:           Jo \"Q\" Doe\nA longer label: one\n                two\n\n\
         Section\n-------\n\nFirst line\nsecond line\nthird <b>line</b>\n\nPart\n\
         1. Strong: text\n   - child one\n   - child two\n2. second\n\n\
         Left:  a\nRight: b & c\n\nRight: only right\n\n--\nIPT-REF: x\n"
    );
}

#[test]
fn text_has_no_long_line_no_tab_and_no_control_character() {
    let mut document = sample();
    let long = "word \u{7} and\u{1b}[31m a\ttab ".repeat(60);
    document.paragraph(&long);
    document.list(false, [item(&long, &long, vec![Item::plain(&long)])]);
    document.field("A label that is far too long to be aligned with others", &long);
    let text = document.to_text();
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!((70..=78).contains(&longest), "{longest}");
    assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'));
    assert!(text.lines().all(|line| !line.ends_with(' ')));
    // A word that fits nowhere stays whole.
    let word = "x".repeat(200);
    document.paragraph(&word);
    assert!(document.to_text().contains(&word));
}

#[test]
fn html_stands_alone_and_holds_no_markup_of_its_texts() {
    let html = sample().to_html();
    assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en-US\">"));
    assert!(html.contains("<title>A &lt;title&gt; &amp; more</title>"));
    for foreign in ["<script", "http:", "https:", "url(", "@import", "<link", "<img", "onclick"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert!(html.contains("@media print"));
    assert!(!html.contains("<b>line"), "a text is no markup");
    let mut document = sample();
    document.language = Some("\"><script>".to_owned());
    assert!(!document.to_html().contains("<script"));
}

#[test]
fn html_and_text_say_the_same() {
    let document = sample();
    let (text, footer) = of_text(&document.to_text());
    assert_eq!((text, footer), of_html(&document.to_html(), Tables::Fields));
    assert!(letters("a - b\n=\tc•") == "abc");
}

#[cfg(feature = "pdf")]
mod pdf {
    use super::*;
    use crate::support::reading::of_pdf;

    /// The `/Type /StructElem` roles of a PDF that is not compressed.
    fn count(bytes: &[u8], word: &str) -> usize {
        bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
    }

    #[test]
    fn a_pdf_is_tagged_archival_and_says_so() {
        let bytes = sample().to_pdf().unwrap();
        assert!(bytes.starts_with(b"%PDF-1.7"));
        for mark in ["<pdfuaid:part>1<", "<pdfaid:part>2<", "<pdfaid:conformance>A<", "en-US"] {
            assert!(count(&bytes, mark) > 0, "{mark}");
        }
        assert_eq!(bytes, sample().to_pdf().unwrap(), "the same bytes each time");
        assert!(count(&bytes, "IPT-REF: x") > 0, "the footer stands uncompressed");
    }

    #[test]
    fn a_pdf_says_what_the_page_says() {
        let bytes =
            Document { footer: Some("IPT-REF: x".to_owned()), ..sample() }.to_pdf().unwrap();
        let Some((read, footers)) = of_pdf(&bytes) else {
            println!("left out: the text of a PDF (there is no pdftotext)");
            return;
        };
        let (page, _) = of_html(&sample().to_html(), Tables::Grid);
        assert_eq!(read, page);
        assert_eq!(footers, ["IPT-REF: x"]);
    }

    #[test]
    fn a_character_that_cannot_be_shown_is_an_error_that_does_not_quote_it() {
        for (text, block) in [
            ("a \u{1f642}", "the block Emoticons"),
            ("שלום", "the block Hebrew"),
            ("मन", "the block Devanagari"),
            ("a\u{202e}b", "the block General Punctuation"),
        ] {
            for place in 0..5 {
                let mut document = sample();
                match place {
                    0 => document.title = text.to_owned(),
                    1 => document.running_head = text.to_owned(),
                    2 => document.field(text, "x"),
                    3 => document.list(false, [item("", "", vec![Item::plain(text)])]),
                    _ => document.blocks.push(Block::Table {
                        headings: vec![text.to_owned()],
                        rows: vec![vec![text.to_owned()]],
                    }),
                }
                let error = document.to_pdf().unwrap_err();
                assert_eq!(error, Error::Character(block.to_owned()), "{place}");
                assert!(!error.to_string().contains(text));
            }
        }
        let mut document = sample();
        document.paragraph("PHQ-9 ≤ 4 → better ✓ ☐ ½ “quoted” … Łódź, Ωμέγα, Жизнь, 5 €");
        assert!(document.to_pdf().is_ok());
    }

    #[test]
    fn odd_documents_are_laid_out_all_the_same() {
        let long = "words and more words ".repeat(400);
        let word = "x".repeat(3_000);
        let mut document = Document {
            title: long.clone(),
            running_head: "A very long name of a person ".repeat(60),
            footer: Some(format!("IPT-REF: {}", "y".repeat(300))),
            ..Document::default()
        };
        document.field(&long, &word);
        document.list(true, (0..120).map(|_| item(&word, &long, Vec::new())).take(3));
        let deep = (0..40).fold(Item::plain("deep"), |inner, _| item("in", " it", vec![inner]));
        document.list(false, [deep]);
        let rows = (0..90).map(|row| vec![row.to_string(), long.clone(), word.clone()]).take(4);
        document.blocks.push(Block::Table {
            headings: vec!["A".to_owned(), long.clone(), word.clone()],
            rows: rows.collect(),
        });
        for _ in 0..70 {
            document.section("A heading");
        }
        assert!(document.to_pdf().unwrap().len() > 10_000);
        // Nothing but a title; not even one.
        assert_eq!(
            Document::default().to_pdf(),
            Err(Error::Pdf("it does not hold to PDF/UA-1 and PDF/A-2a")),
            "a document without a title is none"
        );
        let bare = Document { title: "T".to_owned(), ..Document::default() };
        assert!(bare.to_pdf().is_ok());
    }

    #[test]
    fn a_table_over_pages_shows_its_head_again_and_a_heading_is_never_last() {
        let mut document = Document {
            title: "T".to_owned(),
            running_head: "Somebody".to_owned(),
            footer: Some("IPT-REF: x".to_owned()),
            ..Document::default()
        };
        let rows = (1..=90).map(|row| vec![format!("row{row}"), "said".to_owned()]);
        document.blocks.push(Block::Table {
            headings: vec!["Alpha".to_owned(), "Beta".to_owned()],
            rows: rows.collect(),
        });
        for number in 1..=30 {
            document.section(format!("Heading{number}"));
            document.paragraph(&format!("content{number} ").repeat(40));
        }
        let bytes = document.to_pdf().unwrap();
        let mut path = std::env::temp_dir();
        path.push(format!("ipt-fhir-table-{}.pdf", std::process::id()));
        std::fs::write(&path, &bytes).unwrap();
        let run = std::process::Command::new("pdftotext").arg("-raw").arg(&path).arg("-").output();
        std::fs::remove_file(&path).unwrap();
        let Ok(run) = run else {
            println!("left out: the pages of a PDF (there is no pdftotext)");
            return;
        };
        let text = String::from_utf8(run.stdout).unwrap();
        let pages: Vec<&str> = text.split('\u{c}').filter(|page| !page.is_empty()).collect();
        assert!(pages.len() > 4);
        for (index, page) in pages.iter().enumerate() {
            assert!(page.contains(&format!("Page {} of {}", index + 1, pages.len())), "{page}");
            assert_eq!(page.contains("Somebody"), index > 0);
            if page.contains("row") {
                assert_eq!(page.matches("Alpha").count(), 1, "{page}");
            }
            let lines: Vec<&str> = page.lines().collect();
            let end =
                lines.iter().rposition(|line| line.contains("content") || line.contains("row"));
            let heading = lines.iter().rposition(|line| line.starts_with("Heading"));
            assert!(heading.is_none_or(|heading| end.is_some_and(|end| heading < end)), "{page}");
        }
    }
}
