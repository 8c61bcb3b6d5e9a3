//! A document as XHTML: a fragment for a `div`, and a page that stands alone.
//!
//! Everything is escaped: a text is never markup. The fragment keeps to the elements and attributes that FHIR allows
//! in narrative (R4 2.4.0, txt-1), and to well-formed XML, which is HTML as well.

use super::{Block, Document, Item, Level, shown};

/// How the page looks on a screen and on paper. Without it the page is still in order.
const STYLE: &str = "\
@page{margin:18mm 16mm}\
body{font:11pt/1.45 \"Noto Sans\",\"Segoe UI\",Helvetica,Arial,sans-serif;color:#1c1c1c;background:#fff;\
max-width:46em;margin:2em auto;padding:0 1.2em}\
h1{font-size:1.6em;line-height:1.2;margin:.2em 0 .7em;color:#17365d}\
h2{font-size:1.15em;line-height:1.3;margin:1.7em 0 .5em;padding-bottom:.15em;border-bottom:1px solid #b8c4d3;\
color:#17365d}\
h3{font-size:1em;margin:1.1em 0 .3em}\
p{margin:.35em 0}\
p.field{padding-left:11em;text-indent:-11em;margin:.2em 0}\
p.field b{display:inline-block;min-width:10.7em;text-indent:0;color:#44546a}\
ul,ol{margin:.4em 0;padding-left:1.8em}\
li{margin:.25em 0}\
table{border-collapse:collapse;width:100%;margin:.6em 0;font-size:.95em}\
th,td{border-bottom:1px solid #b8c4d3;padding:.35em .6em;text-align:left;vertical-align:top}\
th{background:#eef2f7;color:#17365d}\
p.opening{border-left:3px solid #17365d;padding-left:.7em}\
footer{margin-top:2.5em;padding-top:.4em;border-top:1px solid #b8c4d3;font-size:.8em;color:#555;\
overflow-wrap:anywhere}\
@media(max-width:34em){p.field{padding-left:0;text-indent:0}p.field b{display:inline;min-width:0}}\
@media print{body{max-width:none;margin:0;padding:0;font-size:10pt}h1,h2,h3{break-after:avoid}\
tr,p.field{break-inside:avoid}thead{display:table-header-group}p,li{orphans:2;widows:2}}";

/// Text as XHTML: markup escaped, line feeds as breaks, characters that XML can't hold replaced.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // CR LF is one break, CR alone is one as well.
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => escaped.push_str("<br/>"),
            other => escaped.push(shown(other, '\t')),
        }
    }
    escaped
}

/// An element with nothing but text in it.
pub(super) fn element(body: &mut String, name: &str, text: &str) {
    for part in ["<", name, ">", &escape(text), "</", name, ">"] {
        body.push_str(part);
    }
}

/// The document for a `div`: its title is an `h2`, for what stands around it has a title of its own.
pub(super) fn fragment(document: &Document) -> String {
    body(document, ["h2", "h3", "h4"])
}

/// The document as a page.
pub(super) fn page(document: &Document) -> String {
    let language = escape(document.language.as_deref().unwrap_or("en"));
    let title = escape(&document.title.replace(['\n', '\r'], " "));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width\"/><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body>"
    );
    if let Some(opening) = &document.opening {
        page.extend(["<p class=\"opening\">", &escape(opening), "</p>\n"]);
    }
    page.push_str(&body(document, ["h1", "h2", "h3"]));
    if let Some(footer) = &document.footer {
        page.push('\n');
        element(&mut page, "footer", footer);
    }
    page.push_str("</body></html>\n");
    page
}

fn body(document: &Document, [title, section, part]: [&str; 3]) -> String {
    let mut body = String::with_capacity(8 << 10);
    element(&mut body, title, &document.title);
    for block in &document.blocks {
        match block {
            Block::Heading(Level::Section, text) => element(&mut body, section, text),
            Block::Heading(Level::Part, text) => element(&mut body, part, text),
            Block::Fields(fields) => {
                for field in fields {
                    let (label, text) = (escape(&field.label), escape(&field.text));
                    body.extend(["<p class=\"field\"><b>", &label, ":</b> ", &text, "</p>"]);
                }
            }
            Block::Paragraph(text) => element(&mut body, "p", text),
            Block::List { is_numbered, items } => list(&mut body, *is_numbered, items),
            Block::Table { headings, rows } => table(&mut body, headings, rows),
        }
    }
    body
}

fn list(body: &mut String, is_numbered: bool, items: &[Item]) {
    let name = if is_numbered { "ol" } else { "ul" };
    body.extend(["<", name, ">"]);
    for item in items {
        body.push_str("<li>");
        if !item.strong.is_empty() {
            element(body, "b", &item.strong);
        }
        body.push_str(&escape(&item.text));
        if !item.children.is_empty() {
            list(body, false, &item.children);
        }
        body.push_str("</li>");
    }
    body.extend(["</", name, ">"]);
}

fn table(body: &mut String, headings: &[String], rows: &[Vec<String>]) {
    body.push_str("<table><thead><tr>");
    for heading in headings {
        element(body, "th", heading);
    }
    body.push_str("</tr></thead><tbody>");
    for row in rows {
        body.push_str("<tr>");
        for cell in row {
            element(body, "td", cell);
        }
        body.push_str("</tr>");
    }
    body.push_str("</tbody></table>");
}
