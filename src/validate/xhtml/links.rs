//! Links and images of a narrative: what their addresses may be, and whether `#id` leads somewhere.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::super::primitive::is_absolute_url;
use super::super::rule::{Rule, narrative as rule};
use super::super::tree::{NodeId, Tree};
use super::parse::{Markup, PartKind};
use crate::fhir::base64::{self, Form};

/// How many wrong links of a narrative are told: each costs a report time in the length of its line.
pub const MOST_LINKS: usize = 100;

/// The addresses of links (`a href`) that point into the document: `#x` without its `#`, and where they stand.
pub fn internal_links<'m>(markup: &'m Markup<'_>) -> impl Iterator<Item = (&'m str, usize)> + 'm {
    targets(markup, "a", "href").filter(|(target, _)| !target.is_empty())
}

/// The addresses of images (`img src`) that point into the document, without their `#`.
pub fn image_sources<'m>(markup: &'m Markup<'_>) -> impl Iterator<Item = (&'m str, usize)> + 'm {
    targets(markup, "img", "src")
}

fn targets<'m>(
    markup: &'m Markup<'_>,
    element: &'static str,
    attribute: &'static str,
) -> impl Iterator<Item = (&'m str, usize)> + 'm {
    markup.parts().iter().filter_map(move |part| {
        if part.kind != PartKind::Element || part.local_name() != element {
            return None;
        }
        let target = markup.attribute(part, attribute)?.strip_prefix('#')?;
        Some((target, part.offset))
    })
}

/// The places of a document that a fragment can lead to, found in one pass when the first is looked for.
pub struct Places<'t> {
    places: OnceCell<Found<'t>>,
}

/// Names with the element that has them (of a narrative, its `div`); sorted.
#[derive(Default)]
struct Found<'t> {
    /// `id` of elements, of resources, and in narratives.
    ids: Vec<(&'t str, usize)>,
    /// `name` of links in narratives.
    names: Vec<(&'t str, usize)>,
}

impl std::fmt::Debug for Places<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("places")
    }
}

impl<'t> Places<'t> {
    /// Nothing was looked for yet.
    pub const fn new() -> Self {
        Self { places: OnceCell::new() }
    }

    fn read(tree: &'t Tree<'t>) -> Found<'t> {
        let mut found = Found::default();
        for node in tree.all() {
            match tree.name(node) {
                "id" => found.ids.extend(tree.text(node).map(|id| (id, node.index()))),
                "div" => {
                    let Some(Ok(markup)) = tree.text(node).map(super::parse) else { continue };
                    for part in markup.parts().iter().filter(|part| part.kind == PartKind::Element)
                    {
                        let id = markup.attribute(part, "id");
                        found.ids.extend(id.map(|id| (id, node.index())));
                        if part.local_name() == "a" {
                            let name = markup.attribute(part, "name");
                            found.names.extend(name.map(|name| (name, node.index())));
                        }
                    }
                }
                _ => {}
            }
        }
        found.ids.sort_unstable();
        found.names.sort_unstable();
        found
    }

    /// How many places have a name within an element: 0, 1, or 2 for several. Links' names count only if they are asked for.
    pub fn count(&self, tree: &'t Tree<'t>, name: &str, within: NodeId, with_names: bool) -> usize {
        let found = self.places.get_or_init(|| Self::read(tree));
        let count = |places: &[(&str, usize)]| {
            let from = places.partition_point(|place| *place < (name, within.index()));
            places
                .iter()
                .skip(from)
                .take_while(|(place, node)| *place == name && *node < tree.end(within))
                .take(2)
                .count()
        };
        let names = if with_names { count(&found.names) } else { 0 };
        (count(&found.ids) + names).min(2)
    }
}

impl Default for Places<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// The characters of an address (RFC 3986), and letters and digits of any script.
fn is_address_character(character: char) -> bool {
    character.is_alphanumeric() || ";?:@&=+$.,/%-_~#[]!'()*|".contains(character)
}

/// `data:image/png;base64,...`: one comma, a type that is one or none, base64 that is some.
fn data_is_right(data: &str) -> bool {
    let mut pieces = data.trim_end_matches(',').split(',');
    let (Some(head), Some(body), None) = (pieces.next(), pieces.next(), pieces.next()) else {
        return false;
    };
    let head = head.trim_start();
    let mime = match head.strip_suffix(";base64") {
        Some(_) if matches!(base64::form(body), Form::Bad) => return false,
        Some(mime) => mime,
        None => head,
    };
    mime.trim().is_empty() || is_media_type(mime)
}

fn is_media_type(mime: &str) -> bool {
    let (kind, parameter) =
        mime.split_once(';').map_or((mime, None), |(kind, rest)| (kind, Some(rest)));
    let Some((class, sort)) = kind.split_once('/') else { return false };
    let word = |text: &str, more: &str| {
        text == "*"
            || (!text.is_empty()
                && text
                    .chars()
                    .all(|each| each.is_ascii_alphanumeric() || each == '_' || more.contains(each)))
    };
    word(class, "")
        && word(sort, "-+.")
        && parameter.is_none_or(|parameter| parameter.contains('='))
}

/// Addresses of links and images: their form, and that no link runs code.
pub(super) fn check_urls(
    markup: &Markup<'_>,
    add: &mut impl FnMut(&'static Rule, usize, Option<&'static str>),
) {
    let mut told = BTreeSet::new();
    for part in markup.parts().iter().filter(|part| part.kind == PartKind::Element) {
        let attribute = match part.local_name() {
            "a" => "href",
            "img" => "src",
            _ => continue,
        };
        let Some(written) = markup.attribute(part, attribute) else { continue };
        let unescaped = unescape(written);
        let url = unescaped.as_deref().unwrap_or(written);
        if url.is_empty() {
            let rule = if attribute == "href" { &rule::LINK_EMPTY } else { &rule::URL };
            add(rule, part.offset, None);
            continue;
        }
        let right = match url.strip_prefix("data:") {
            Some(data) => data_is_right(data),
            None => url.chars().all(is_address_character),
        };
        if !right {
            add(&rule::URL, part.offset, None);
        }
        if is_active(url) {
            add(&rule::LINK_ACTIVE, part.offset, None);
        } else if attribute == "href" && !url.starts_with('#') && is_absolute_url(url) {
            let scheme = url.split(':').next().unwrap_or_default();
            if matches!(scheme, "urn" | "cid") {
                // Of several links with one address the first is told.
                if told.len() < MOST_LINKS && told.insert(written) {
                    add(&rule::LINK_SCHEME, part.offset, None);
                }
            } else if !matches!(scheme, "http" | "https" | "tel" | "mailto" | "data") {
                add(&rule::LINK_UNUSUAL, part.offset, None);
            }
        }
    }
}

/// Whether a browser would run an address: `javascript:`, however it is disguised by case and white space.
fn is_active(url: &str) -> bool {
    let scheme: String = url
        .chars()
        .take_while(|character| *character != ':')
        .filter(|character| !character.is_whitespace() && !character.is_control())
        .take(16)
        .collect();
    url.contains(':')
        && ["javascript", "vbscript"].iter().any(|active| scheme.eq_ignore_ascii_case(active))
}

/// The text with XML's own references resolved, if it has any.
fn unescape(text: &str) -> Option<String> {
    text.contains('&').then(|| {
        quick_xml::escape::unescape(text)
            .map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
    })
}
