//! What a document says, taken out of each of its renderings the same way: letters alone, for the rest is layout.

use std::io::Write;
use std::process::{Command, Stdio};

/// How tables are read out of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// As text has them: each cell that says something behind the name of its column.
    Fields,
    /// As print has them: the names of the columns, then the cells.
    Grid,
}

/// A text without what is layout: spaces and breaks, list marks, underlines.
pub(crate) fn letters(text: &str) -> String {
    let is_layout = |letter: char| letter.is_whitespace() || matches!(letter, '-' | '=' | '•');
    let text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    text.chars().filter(|letter| !is_layout(*letter)).collect()
}

/// What stands in a text above its footer, and the footer.
pub(crate) fn of_text(text: &str) -> (String, String) {
    let (body, footer) = text.rsplit_once("\n--\n").unwrap_or((text, ""));
    (letters(body), footer.trim_end().to_owned())
}

/// What stands in a page above its footer, and the footer. Items of counted lists have their numbers.
pub(crate) fn of_html(html: &str, tables: Tables) -> (String, String) {
    let (_, body) = html.split_once("<body>").unwrap_or(("", html));
    let (body, footer) = body.split_once("<footer>").unwrap_or((body, ""));
    let mut read = String::new();
    let mut counters: Vec<Option<u32>> = Vec::new();
    let (mut names, mut column): (Vec<String>, usize) = (Vec::new(), 0);
    let mut rest = body;
    while let Some((text, tail)) = rest.split_once('<') {
        let (tag, tail) = tail.split_once('>').unwrap();
        let cell_ends = matches!(tag, "/th" | "/td");
        if tag == "/th" && tables == Tables::Fields {
            names.push(unescaped(text));
        } else {
            read.push_str(&unescaped(text));
        }
        match tag {
            "ol" => counters.push(Some(0)),
            "ul" => counters.push(None),
            "/ol" | "/ul" => drop(counters.pop()),
            "li" => {
                if let Some(Some(count)) = counters.last_mut() {
                    *count += 1;
                    read.extend([&count.to_string(), "."]);
                }
            }
            "thead" => names.clear(),
            "tr" => column = 0,
            "td" if tables == Tables::Fields && !tail.starts_with('<') => {
                read.extend([names[column].as_str(), ":"]);
            }
            "br/" => read.push('\n'),
            _ => {}
        }
        column += usize::from(cell_ends);
        rest = tail;
    }
    let footer = footer.split('<').next().unwrap_or_default();
    (letters(&read), unescaped(footer))
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&")
}

/// What stands in a PDF, without what is in its margins, and the footer of each page; none if there is no `pdftotext`.
///
/// In the order in which it was drawn, which is the order of reading; a table's head that is repeated is left out.
pub(crate) fn of_pdf(bytes: &[u8]) -> Option<(String, Vec<String>)> {
    let mut child = Command::new("pdftotext")
        .args(["-raw", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let given = bytes.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&given)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (mut body, mut footers) = (String::new(), Vec::new());
    let head = letters("Session Status Time Scores Homework");
    for page in text.split('\u{c}').filter(|page| !page.is_empty()) {
        let (above, foot) = page.rsplit_once("IPT-REF: ").unwrap_or((page, ""));
        footers.push(format!("IPT-REF: {}", foot.split(" Page").next().unwrap_or_default().trim()));
        let mut above = above.trim_end();
        if !body.is_empty() {
            // The running head is the line before.
            above = above.rsplit_once('\n').map_or("", |(above, _)| above);
        }
        let mut said = letters(above);
        if body.contains(&head)
            && let Some(rest) = said.strip_prefix(&head)
        {
            said = rest.to_owned();
        }
        body.push_str(&said);
    }
    Some((body, footers))
}
