//! Which elements and attributes a narrative may have: HTML 4.0 chapters 7 to 11 (without 9.4) and 15, `a`, images,
//! `style` attributes (R4 2.4.2).

use super::super::rule::{Rule, narrative as rule};
use super::parse::{Markup, PartKind};

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "axis",
    "char",
    "charoff",
    "class",
    "colspan",
    "dir",
    "headers",
    "id",
    "lang",
    "rowspan",
    "scope",
    "span",
    "style",
    "tabindex",
    "title",
    "valign",
    "width",
    "xml:lang",
];

/// Attributes of one element only.
const OF_ELEMENTS: &[(&str, &[&str])] = &[
    ("a", &["charset", "coords", "href", "hreflang", "name", "rel", "rev", "shape", "type"]),
    ("area", &["alt", "coords", "href", "nohref", "shape"]),
    ("blockquote", &["cite"]),
    ("img", &["alt", "border", "height", "ismap", "longdesc", "src", "usemap", "width"]),
    ("map", &["name"]),
    ("pre", &["space"]),
    ("q", &["cite"]),
    ("table", &["border", "cellpadding", "cellspacing", "frame", "rules", "summary", "width"]),
    ("td", &["nowrap"]),
];

/// Names that a narrative has no use for and that somebody may have put there with intent.
const KNOWN_BAD: &[&str] = &[
    "applet",
    "base",
    "body",
    "button",
    "center",
    "del",
    "embed",
    "font",
    "form",
    "frame",
    "frameset",
    "head",
    "html",
    "iframe",
    "input",
    "ins",
    "label",
    "link",
    "meta",
    "nav",
    "noscript",
    "object",
    "onabort",
    "onblur",
    "onchange",
    "onclick",
    "ondblclick",
    "onerror",
    "onfocus",
    "onkeydown",
    "onload",
    "onmouseover",
    "onsubmit",
    "script",
    "section",
    "select",
    "strike",
    "style",
    "svg",
    "textarea",
    "title",
    "u",
    "video",
    "audio",
    "math",
    "template",
];

/// A name that a finding may quote: one of the tables, never the document's own words.
pub(super) fn quotable(name: &str) -> Option<&'static str> {
    [ELEMENTS, ATTRIBUTES, KNOWN_BAD].into_iter().flatten().copied().find(|known| *known == name)
}

fn is_attribute(element: &str, name: &str) -> bool {
    name == "xmlns"
        || name.starts_with("xmlns:")
        || ATTRIBUTES.contains(&name)
        || OF_ELEMENTS.iter().any(|(of, names)| *of == element && names.contains(&name))
}

/// Elements, attributes, and that a paragraph holds no block.
pub(super) fn check(
    markup: &Markup<'_>,
    add: &mut impl FnMut(&'static Rule, usize, Option<&'static str>),
) {
    // One past the last part of the paragraph that is open.
    let mut paragraph = 0;
    for (index, part) in markup.parts().iter().enumerate() {
        if part.kind != PartKind::Element {
            continue;
        }
        let name = part.local_name();
        if ELEMENTS.binary_search(&name).is_err() {
            add(&rule::ELEMENT, part.offset, quotable(name));
        }
        for attribute in markup.attributes(part) {
            if attribute.name == "xml:space" {
                add(&rule::XML_SPACE, attribute.offset, None);
            } else if !is_attribute(name, attribute.name) {
                add(&rule::ATTRIBUTE, attribute.offset, quotable(attribute.name));
            }
            if !attribute.well_formed {
                add(&rule::ATTRIBUTE_FORM, attribute.offset, None);
            }
        }
        if index < paragraph {
            if matches!(name, "div" | "blockquote" | "table" | "ol" | "ul" | "p") {
                add(&rule::BLOCK_IN_PARAGRAPH, part.offset, quotable(name));
            }
        } else if name == "p" {
            paragraph = part.end;
        }
    }
}
