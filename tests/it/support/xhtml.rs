//! A strict reader of narrative: well-formed XML of the elements and attributes that FHIR allows (R4 2.4.0, txt-1),
//! nested as XHTML nests them.

/// What stands in a paragraph.
const INLINE: [&str; 20] = [
    "a", "abbr", "acronym", "b", "big", "br", "cite", "code", "dfn", "em", "i", "img", "q", "samp",
    "small", "span", "strong", "sub", "sup", "tt",
];
const BLOCK: [&str; 22] = [
    "blockquote",
    "caption",
    "col",
    "colgroup",
    "dd",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "ul",
    "var",
];
const TABLE: [&str; 6] = ["tbody", "td", "tfoot", "th", "thead", "tr"];
const ATTRIBUTES: [&str; 10] =
    ["abbr", "alt", "class", "dir", "href", "id", "lang", "style", "title", "xml:lang"];
const ENTITIES: [(&str, char); 5] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&apos;", '\'')];

/// The text of a narrative's `div`, with a line feed for each break, or what is wrong with it.
pub(crate) fn read(div: &str) -> Result<String, String> {
    let mut reader = Reader { rest: div, open: Vec::new(), text: String::new(), at: 0 };
    reader.tag()?;
    if reader.open != ["div"] {
        return Err("the root is no div".to_owned());
    }
    while !reader.rest.is_empty() {
        if reader.open.is_empty() {
            return Err("something follows the root".to_owned());
        }
        if reader.rest.starts_with('<') { reader.tag()? } else { reader.character()? }
    }
    if reader.open.is_empty() { Ok(reader.text) } else { Err(format!("{:?} open", reader.open)) }
}

struct Reader<'a> {
    rest: &'a str,
    open: Vec<&'a str>,
    text: String,
    /// Where the text of the innermost paragraph begins.
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn name(&mut self) -> &'a str {
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        name
    }

    fn tag(&mut self) -> Result<(), String> {
        if self.take("</") {
            let name = self.name();
            let opened = self.open.pop();
            if name == "p" && self.text.len() == self.at {
                return Err("an empty paragraph".to_owned());
            }
            let ends = self.take(">");
            return if ends && opened == Some(name) {
                Ok(())
            } else {
                Err(format!("</{name}> closes {opened:?}"))
            };
        }
        if !self.take("<") {
            return Err("no tag".to_owned());
        }
        let name = self.name();
        self.may_stand_here(name)?;
        let mut given = Vec::new();
        while self.take(" ") {
            let attribute = self.name();
            let is_root = self.open.is_empty() && attribute == "xmlns";
            if given.contains(&attribute) || !(is_root || ATTRIBUTES.contains(&attribute)) {
                return Err(format!("attribute {attribute} of {name}"));
            }
            given.push(attribute);
            if !self.take("=\"") {
                return Err(format!("attribute {attribute} has no value"));
            }
            let (value, rest) = self.rest.split_once('"').ok_or("an open attribute")?;
            if value.contains('<') || value.contains('&') {
                return Err(format!("markup in attribute {attribute}"));
            }
            if attribute == "xmlns" && value != "http://www.w3.org/1999/xhtml" {
                return Err("another namespace".to_owned());
            }
            self.rest = rest;
        }
        if self.open.is_empty() && !given.contains(&"xmlns") {
            return Err("no namespace".to_owned());
        }
        if self.take("/>") {
            if name == "br" {
                self.text.push('\n');
            }
            return Ok(());
        }
        self.open.push(name);
        if name == "p" {
            self.at = self.text.len();
        }
        if self.take(">") { Ok(()) } else { Err(format!("the tag {name} is not closed")) }
    }

    fn may_stand_here(&self, name: &str) -> Result<(), String> {
        let parent = self.open.last().copied().unwrap_or_default();
        let is_inline = INLINE.contains(&name);
        let holds = match parent {
            "" => name == "div",
            "ul" | "ol" => name == "li",
            "table" => matches!(name, "thead" | "tbody" | "tfoot" | "tr" | "caption"),
            "thead" | "tbody" | "tfoot" => name == "tr",
            "tr" => matches!(name, "td" | "th"),
            "div" | "li" | "td" | "th" | "blockquote" => {
                (is_inline || BLOCK.contains(&name)) && name != "li" && !TABLE.contains(&name)
            }
            _ => is_inline,
        };
        if holds { Ok(()) } else { Err(format!("<{name}> in <{parent}>")) }
    }

    fn character(&mut self) -> Result<(), String> {
        let parent = self.open.last().copied().unwrap_or_default();
        if matches!(parent, "ul" | "ol" | "table" | "thead" | "tbody" | "tr") {
            return Err(format!("text in <{parent}>"));
        }
        if self.rest.starts_with('&') {
            let entity = ENTITIES.iter().find(|(entity, _)| self.rest.starts_with(entity));
            let (entity, letter) = entity.ok_or("an ampersand that is no entity")?;
            self.text.push(*letter);
            self.take(entity);
            return Ok(());
        }
        let mut letters = self.rest.chars();
        let letter = letters.next().unwrap_or_default();
        // XML 1.0 2.2, Char; and `>` only as an entity, so that `]]>` can't be.
        let is_char = matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
        if !is_char || letter == '>' {
            return Err(format!("U+{:04X} in <{parent}>", u32::from(letter)));
        }
        self.text.push(letter);
        self.rest = letters.as_str();
        Ok(())
    }
}

#[test]
fn the_reader_of_narratives_refuses_what_is_no_narrative() {
    const ROOT: &str = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";
    assert_eq!(read(&format!("{ROOT}<p>a&lt;b<br/>c</p></div>")), Ok("a<b\nc".to_owned()));
    for inside in [
        "<script>x</script>",
        "<p>a & b</p>",
        "<p>a",
        "<p onclick=\"x\">a</p>",
        "</p>",
        "a > b",
        "<p>&nope;</p>",
        "<ul>a</ul>",
        "<p><ul><li>a</li></ul></p>",
        "<p>\u{1}</p>",
        "<p a>b</p>",
        "<li>a</li>",
        "<p></p>",
        "<p>\u{ffff}</p>",
        "<b><i>a</b></i>",
        "<p class=\"a\" class=\"a\">b</p>",
    ] {
        assert!(read(&format!("{ROOT}{inside}</div>")).is_err(), "{inside}");
    }
    assert!(read("<div>a</div>").is_err() && read(&format!("{ROOT}</div><p>a</p>")).is_err());
}
