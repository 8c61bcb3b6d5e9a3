//! The narrative: that its XHTML is well formed, and holds only what FHIR lets in (R4 2.4, R5 2.1.15).
//!
//! A narrative comes from another system and is shown to a clinician as it stands, so it is where script would get
//! in. The lists of elements and attributes are closed: what is not on them is an error, be it `script`, `style`,
//! `iframe`, a form or an event handler. Links must not run code, and a link within the resource must lead somewhere.
//!
//! It refuses what the JSON string or the XML element holds beyond that: a document type, entities of its own (only
//! XML's five are known without one), processing instructions, nesting beyond [`DEEPEST`]. Nothing is expanded, so no
//! bomb can go off.

mod links;
mod names;
mod parse;
mod structure;

use super::finding::Findings;
use super::rule::{Rule, narrative as rule};
use super::tree::{Format, NodeId, Tree};

pub use links::{MOST_LINKS, Places, image_sources, internal_links};
pub use parse::{Attribute, DEEPEST, Fault, FaultKind, Markup, Part, PartKind, parse};

/// XHTML's namespace.
pub const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// FHIRPath's `htmlChecks()` (R4 2.9.1.4), which `txt-1` asks: well formed, and only the elements and attributes that
/// a narrative may have.
///
/// # Errors
/// The first that is wrong: its rule, and where, in bytes from the start of the text.
pub fn html_checks(text: &str) -> Result<(), (&'static Rule, usize)> {
    let markup = parse(text).map_err(|fault| (fault.rule(), fault.offset))?;
    let mut first = None;
    names::check(&markup, &mut |rule, offset, _| {
        if rule.severity >= crate::issue::Severity::Error && first.is_none() {
            first = Some((rule, offset));
        }
    });
    first.map_or(Ok(()), Err)
}

/// FHIRPath's `htmlChecks2()`, which `txt-2` asks: there is text that is not white space, or an image.
pub fn has_content(text: &str) -> bool {
    parse(text).is_ok_and(|markup| markup.has_content())
}

/// Where the bytes of a text stand in the source: in JSON, behind what its escapes take more. Asked in ascending order it goes
/// through the text once; whoever goes back too often is told nothing, so that no text takes time that grows with its square.
#[derive(Debug)]
pub struct Offsets<'t> {
    written: &'t str,
    start: usize,
    form: Form,
    /// How much of the text has been gone through, and how much of what is written that was.
    read: usize,
    at: usize,
    /// How often it may begin anew.
    returns: u32,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    /// As it is written, behind so many bytes.
    Plain(usize),
    /// A JSON string with escapes.
    Escaped,
    Unknown,
}

impl<'t> Offsets<'t> {
    /// Those of an element's value.
    pub fn of(tree: &'t Tree<'_>, node: NodeId) -> Self {
        let (text, start) = (tree.text(node).unwrap_or_default(), tree.start(node));
        let written = tree.source().get(start..).unwrap_or_default();
        let plain = ["", "\""].into_iter().find_map(|quote| {
            written.strip_prefix(quote).filter(|rest| rest.starts_with(text)).map(|_| quote.len())
        });
        let form = match plain {
            Some(shift) => Form::Plain(shift),
            None if tree.format() == Format::Json && written.starts_with('"') => Form::Escaped,
            None => Form::Unknown,
        };
        Self { written, start, form, read: 0, at: 1, returns: 16 }
    }

    /// Where a byte of the text stands, if that can be told.
    pub fn place(&mut self, offset: usize) -> Option<usize> {
        match self.form {
            Form::Plain(shift) => return Some(self.start + shift + offset),
            Form::Unknown => return None,
            Form::Escaped => {}
        }
        if offset < self.read {
            self.returns = self.returns.checked_sub(1)?;
            (self.read, self.at) = (0, 1);
        }
        let mut rest = self.written.get(self.at..)?.chars();
        while self.read < offset {
            self.read += match rest.next()? {
                '"' => return None,
                '\\' if rest.next()? == 'u' => {
                    let unit = u32::from_str_radix(rest.as_str().get(..4)?, 16).ok()?;
                    rest = rest.as_str().get(4..)?.chars();
                    if (0xD800..0xDC00).contains(&unit) {
                        // The second half of the pair, in six characters.
                        rest = rest.as_str().get(6..)?.chars();
                        4
                    } else {
                        char::from_u32(unit)?.len_utf8()
                    }
                }
                '\\' => 1,
                plain => plain.len_utf8(),
            };
            self.at = self.written.len() - rest.as_str().len();
        }
        Some(self.start + self.at)
    }
}

/// Looks at a `div`: all but whether its links lead somewhere, which [`Places`] knows.
///
/// Gives the markup back for that, unless it can't be read.
pub fn element<'t>(
    tree: &'t Tree<'_>,
    node: NodeId,
    findings: &mut Findings,
) -> Option<Markup<'t>> {
    let text = tree.text(node)?;
    let mut offsets = Offsets::of(tree, node);
    let mut add = |rule: &'static Rule, offset: usize, name: Option<&'static str>| {
        let finding = match name {
            Some(name) => findings.add(rule, node, format!("{}: `{name}`", rule.title)),
            None => findings.add(rule, node, rule.title),
        };
        if let Some(offset) = offsets.place(offset) {
            finding.offset(offset);
        }
    };
    let markup = match parse(text) {
        Ok(markup) => markup,
        Err(fault) => {
            add(fault.rule(), fault.offset, None);
            return None;
        }
    };
    for offset in markup.unknown_entities() {
        add(&rule::ENTITY, *offset, None);
    }
    namespaces(&markup, tree.format(), &mut add);
    names::check(&markup, &mut add);
    links::check_urls(&markup, &mut add);
    structure::check(&markup, &mut add);
    Some(markup)
}

/// The root is a `div` of XHTML's namespace, and so is all within it.
///
/// A prefix that XML declares further out is known to the reader of XML, which tells of a wrong one.
fn namespaces(
    markup: &Markup<'_>,
    format: Format,
    add: &mut impl FnMut(&'static Rule, usize, Option<&'static str>),
) {
    for (index, part) in markup.parts().iter().enumerate() {
        if part.kind != PartKind::Element {
            continue;
        }
        if index == 0 && part.local_name() != "div" {
            add(&rule::NAME, part.offset, None);
        }
        let prefix = part.prefix();
        let declared = markup.attributes(part).iter().find(|attribute| match prefix {
            None => attribute.name == "xmlns",
            Some(prefix) => attribute.name.strip_prefix("xmlns:") == Some(prefix),
        });
        let wrong = match declared {
            Some(attribute) => attribute.value != NAMESPACE,
            None => index == 0 && !(format == Format::Xml && prefix.is_some()),
        };
        if wrong {
            add(&rule::NAMESPACE, part.offset, None);
        }
    }
}
