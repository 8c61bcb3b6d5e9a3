//! All rules beyond structure in one place: what the walker, having given every element its type, hands a document to.
//!
//! [`Content::element`] looks at one element (grammar, narrative, attachments, identifiers), [`Content::reference`] at
//! a reference with the types that its definition allows, [`Content::resources`] at each resource as a whole. Each costs
//! time in the size of the document; what needs an index has one, made once.

mod text;

use super::attachment;
use super::automatic;
use super::bundle::{self, Scene};
use super::finding::Findings;
use super::primitive::{self, Primitive, is_absolute_url};
use super::reference::{Outside, Policy, References};
use super::rule::{narrative, primitive as rule};
use super::tree::{NodeId, Tree};
use super::types::{TypeId, TypeKind, Types};
use super::xhtml::{self, Anchor, Places};
use crate::fhir::Release;
use crate::issue::Severity;

pub use text::{html_in_markdown, looks_like_html};

/// What the rules are to do; the defaults are those of `validate`.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How references are followed that lead outside of the document.
    pub references: Policy,
    /// Whether text that looks like HTML is an error; without it, worth knowing.
    pub security_checks: bool,
    /// How bad HTML in markdown is; nothing for: not looked for.
    pub html_in_markdown: Option<Severity>,
    /// Whether URLs of example.org, acme.com and their like may stand in it.
    pub example_urls: bool,
    /// Whether contained resources that nobody refers to are told of.
    pub contained: bool,
    /// Whether profiles that apply by themselves are checked as far as [`automatic`] does it.
    pub automatic: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            references: Policy::default(),
            security_checks: false,
            html_in_markdown: Some(Severity::Warning),
            example_urls: true,
            contained: true,
            automatic: true,
        }
    }
}

/// A document that was walked, and what the rules need to know of it.
#[derive(Debug)]
pub struct Content<'a, 't> {
    tree: &'t Tree<'t>,
    types: &'t Types,
    release: Release,
    options: &'a Options,
    places: Places<'t>,
    references: References<'t>,
    /// What each type is to these rules, by its number.
    kinds: Vec<Class>,
}

/// What a type is to these rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Primitive(Primitive),
    Attachment,
    Identifier,
}

impl<'a, 't> Content<'a, 't> {
    /// Reads a document's entries and contained resources once.
    pub fn new(
        tree: &'t Tree<'t>,
        types: &'t Types,
        release: Release,
        options: &'a Options,
    ) -> Self {
        let references = References::new(tree, types, release);
        let kinds = types
            .all()
            .map(|id| match types.name(id) {
                "Attachment" => Class::Attachment,
                "Identifier" => Class::Identifier,
                name if types.kind(id) == Some(TypeKind::Primitive) => {
                    Primitive::of(name).map_or(Class::Other, Class::Primitive)
                }
                _ => Class::Other,
            })
            .collect();
        Self { tree, types, release, options, places: Places::new(), references, kinds }
    }

    /// What references within the document lead to.
    pub const fn references(&self) -> &References<'t> {
        &self.references
    }

    fn class(&self, type_id: TypeId) -> Class {
        match type_id.index().checked_sub(1) {
            Some(at) => self.kinds.get(at).copied().unwrap_or(Class::Other),
            None => Class::Other,
        }
    }

    /// Looks at an element by its type: what a primitive may be, an Attachment, an Identifier.
    pub fn element(&self, node: NodeId, findings: &mut Findings) {
        let tree = self.tree;
        match self.class(tree.type_of(node)) {
            Class::Other => {}
            Class::Attachment => attachment::check(tree, node, findings),
            Class::Identifier => text::identifier(tree, node, findings),
            Class::Primitive(primitive) => {
                primitive::element(tree, node, primitive, self.release, findings);
                let Some(value) = tree.text(node).filter(|value| !value.is_empty()) else { return };
                if primitive == Primitive::Xhtml {
                    self.narrative(node, findings);
                } else {
                    text::check(node, primitive, value, self.options, findings);
                }
                if primitive.is_uri() {
                    self.address(node, primitive, value, findings);
                }
            }
        }
    }

    /// Looks at an element of type Reference; `targets` are the types that it may lead to, none means any.
    pub fn reference(
        &self,
        node: NodeId,
        targets: &[TypeId],
        outside: &dyn Outside,
        findings: &mut Findings,
    ) {
        self.references.check(node, targets, self.options.references, outside, findings);
    }

    /// Looks at each resource of the document as a whole: Bundles, contained resources, automatic profiles.
    pub fn resources(&self, findings: &mut Findings) {
        let tree = self.tree;
        for (bundle, index) in self.references.bundles() {
            let scene =
                Scene { tree, types: self.types, release: self.release, places: &self.places };
            bundle::check(scene, bundle, index, findings);
        }
        for node in tree.resources() {
            if self.options.contained && tree.name(node) != "contained" {
                self.references.contained_are_used(node, findings);
            }
            if self.options.automatic {
                automatic::check(tree, node, findings);
            }
        }
    }

    /// The narrative, and whether the links in it lead somewhere.
    fn narrative(&self, node: NodeId, findings: &mut Findings) {
        let tree = self.tree;
        let Some(markup) = xhtml::element(tree, node, findings) else { return };
        let resource = tree.resource_of(node);
        let everything = [Anchor::Element, Anchor::Id, Anchor::Name];
        for (target, _) in xhtml::internal_links(&markup) {
            let mut count = self.places.count(tree, target, resource, &everything);
            let mut at = resource;
            // A narrative of a Bundle may point into another entry, one that is contained to what is around it.
            while count == 0 {
                let Some(parent) = tree.parent(at) else { break };
                at = tree.resource_of(parent);
                count = self.places.count(tree, target, at, &everything);
            }
            if count == 0 {
                let rule = &narrative::LINK_UNRESOLVED;
                findings.add(rule, node, rule.title);
            } else if count > 1 {
                let rule = &narrative::LINK_AMBIGUOUS;
                findings.add(rule, node, rule.title);
            }
        }
        for (target, _) in xhtml::image_sources(&markup) {
            let rule =
                match self.places.count(tree, target, resource, &[Anchor::Element, Anchor::Id]) {
                    0 => &narrative::IMAGE_UNRESOLVED,
                    1 => continue,
                    _ => &narrative::IMAGE_AMBIGUOUS,
                };
            findings.add(rule, node, rule.title);
        }
    }

    /// A URI: of a canonical resource absolute, within the document leading somewhere, and not an example's.
    fn address(&self, node: NodeId, primitive: Primitive, value: &str, findings: &mut Findings) {
        let tree = self.tree;
        let name = tree.name(node);
        let parent = tree.parent(node).unwrap_or(NodeId::ROOT);
        if name == "url" && tree.resource_type(parent).is_some_and(bundle::is_canonical) {
            if !is_absolute_url(value) && primitive != Primitive::Canonical {
                findings.add(&rule::URL_ABSOLUTE, node, rule::URL_ABSOLUTE.title).with_value();
            }
            return;
        }
        if name == "fullUrl" {
            return;
        }
        if let Some(fragment) = value.strip_prefix('#') {
            let kinds = [Anchor::Element, Anchor::Id, Anchor::Name];
            if self.places.count(tree, fragment, NodeId::ROOT, &kinds) == 0 && !fragment.is_empty()
            {
                let is_code_system =
                    name == "system" && matches!(tree.name(parent), "include" | "exclude");
                let severity = if primitive == Primitive::Canonical || is_code_system {
                    Severity::Error
                } else if name == "source" {
                    Severity::Information
                } else {
                    Severity::Warning
                };
                findings
                    .add(&rule::FRAGMENT, node, rule::FRAGMENT.title)
                    .severity(severity)
                    .with_value();
            }
        } else if !self.options.example_urls && text::is_example_url(value) {
            findings.add(&rule::EXAMPLE_URL, node, rule::EXAMPLE_URL.title).with_value();
        }
    }
}
