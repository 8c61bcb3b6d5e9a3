//! What may stand in what: tables, lists, and text in which no block belongs (HTML 4.0 and the reference engine).

use std::collections::BTreeSet;

use super::super::rule::{Rule, narrative as rule};
use super::names::quotable;
use super::parse::{Markup, Part, PartKind, is_blank};

/// The only children that an element may have.
fn children_of(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "table" => &["tbody", "tr", "caption", "thead", "tfoot", "col", "colgroup"],
        "tr" => &["td", "th"],
        "tbody" | "thead" | "tfoot" => &["tr"],
        "ul" | "ol" => &["li"],
        "dl" => &["dd", "dt"],
        "map" => &["area"],
        _ => return None,
    })
}

/// The only parents that an element may have.
fn parents_of(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "tr" => &["table", "thead", "tfoot", "tbody"],
        "tbody" | "thead" | "tfoot" | "caption" | "colgroup" => &["table"],
        "col" => &["colgroup", "table"],
        "th" | "td" => &["tr", "thead", "tfoot"],
        "li" => &["ul", "ol"],
        "dd" | "dt" => &["dl"],
        _ => return None,
    })
}

const fn holds_text_only(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"p" | b"h1"
            | b"h2"
            | b"h3"
            | b"h4"
            | b"h5"
            | b"h6"
            | b"pre"
            | b"address"
            | b"span"
            | b"caption"
            | b"dd"
            | b"dt"
    ) || in_itself_never(name)
}

const fn in_itself_never(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"a" | b"b"
            | b"em"
            | b"i"
            | b"strong"
            | b"small"
            | b"big"
            | b"sub"
            | b"sup"
            | b"code"
            | b"tt"
            | b"dfn"
            | b"q"
            | b"var"
            | b"abbr"
            | b"acronym"
            | b"cite"
            | b"bdo"
            | b"kbd"
            | b"samp"
    )
}

const fn is_block(name: &str) -> bool {
    matches!(name.as_bytes(), b"div" | b"pre" | b"table" | b"ul" | b"ol")
}

pub(super) fn check(
    markup: &Markup<'_>,
    add: &mut impl FnMut(&'static Rule, usize, Option<&'static str>),
) {
    // The elements around the part at hand, outermost first. The root itself has no rules.
    let mut around: Vec<(usize, &Part<'_>)> = Vec::new();
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for (index, part) in markup.parts().iter().enumerate() {
        while around.last().is_some_and(|(_, outer)| outer.end <= index) {
            around.pop();
        }
        let parent = around.last().copied();
        if let Some((at, outer)) = parent
            && at > 0
        {
            let only = children_of(outer.local_name());
            let wrong = match part.kind {
                PartKind::Element => only.is_some_and(|only| !only.contains(&part.local_name())),
                PartKind::Text | PartKind::CData => only.is_some() && !is_blank(part.text),
                PartKind::Comment => false,
            };
            // Once per element, however much is wrong in it.
            if wrong && told.insert(at) {
                add(&rule::CHILDREN, part.offset, quotable(outer.local_name()));
            }
            let is_empty = matches!(outer.local_name(), "br" | "img" | "hr" | "area");
            if is_empty && told.insert(at) {
                add(&rule::NO_CHILDREN, part.offset, quotable(outer.local_name()));
            }
        }
        if part.kind != PartKind::Element {
            continue;
        }
        let name = part.local_name();
        if index > 0 {
            if let (Some(parents), Some((_, outer))) = (parents_of(name), parent)
                && !parents.contains(&outer.local_name())
            {
                add(&rule::OUT_OF_PLACE, part.offset, quotable(name));
            }
            let inner = around.iter().skip(1);
            if is_block(name) && inner.clone().any(|(_, outer)| holds_text_only(outer.local_name()))
            {
                add(&rule::BLOCK_IN_TEXT, part.offset, quotable(name));
            }
            if in_itself_never(name) && inner.clone().any(|(_, outer)| outer.local_name() == name) {
                add(&rule::IN_ITSELF, part.offset, quotable(name));
            }
        }
        if part.end > index + 1 {
            around.push((index, part));
        }
    }
}
