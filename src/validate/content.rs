//! All rules beyond structure in one place: what the walker, having given every element its type, hands a document to.
//!
//! The elements one by one (grammar, narrative, attachments, identifiers, references with the types that their definition
//! allows), then each resource as a whole. It costs time in the size of the document; what needs an index has one, made once.

mod text;

use super::attachment;
use super::automatic;
use super::bundle::{self, Scene};
use super::document::{Document, Pass};
use super::finding::Findings;
use super::options::Options;
use super::primitive::{self, Primitive, is_absolute_url};
use super::program::ElementType;
use super::reference::{Nowhere, Outside, References, Targets};
use super::rule::{narrative, primitive as rule, terminology};
use super::tree::{NodeId, Tree};
use super::types::{TypeId, TypeKind, Types};
use super::xhtml::{self, Places};
use crate::fhir::Release;
use crate::issue::Severity;

pub use text::{html_in_markdown, looks_like_html};

/// The rules as a [`Pass`].
#[derive(Debug, Clone)]
pub struct ContentRules<O = Nowhere> {
    /// What is known of resources that are not in the document.
    outside: O,
    /// What each type is to these rules, by its number.
    classes: Box<[Class]>,
    reference: TypeId,
}

impl<O> ContentRules<O> {
    /// The rules for the types of a release.
    pub fn new(types: &Types, outside: O) -> Self {
        let class = |id| match types.name(id) {
            "Attachment" => Class::Attachment,
            "Identifier" => Class::Identifier,
            name if types.kind(id) == Some(TypeKind::Primitive) => {
                Primitive::of(name).map_or(Class::Other, Class::Primitive)
            }
            _ => Class::Other,
        };
        let reference = types.id("Reference").unwrap_or(TypeId::UNKNOWN);
        Self { outside, classes: types.all().map(class).collect(), reference }
    }
}

impl<O: Outside + std::fmt::Debug + Send + Sync> Pass for ContentRules<O> {
    fn round(&self, document: &Document<'_, '_>, findings: &mut Findings) {
        let content = Content {
            document,
            tree: document.tree,
            release: document.programs.release(),
            options: document.options,
            classes: &self.classes,
            outside: &self.outside,
            places: Places::new(),
        };
        let is_reference = |node| {
            self.reference != TypeId::UNKNOWN && document.tree.type_of(node) == self.reference
        };
        if document.profile.is_some() {
            // A profile may narrow what references lead to; all else was looked at in the first round.
            for node in document.elements().filter(|node| is_reference(*node)) {
                content.narrowed(node, findings);
            }
            return;
        }
        // One past the contained resource that is not to be looked into.
        let mut ignored = 0;
        for node in document.elements() {
            if document.options.ignore_contained && document.tree.name(node) == "contained" {
                ignored = ignored.max(document.tree.end(node));
            }
            if node.index() < ignored {
                continue;
            }
            if is_reference(node) {
                content.reference(node, findings);
            } else {
                content.element(node, findings);
            }
        }
        content.resources(findings);
    }
}

/// One round over a document, and what the rules need to know of it.
struct Content<'d, 'p> {
    document: &'d Document<'d, 'p>,
    tree: &'d Tree<'d>,
    release: Release,
    options: &'d Options,
    classes: &'d [Class],
    outside: &'d dyn Outside,
    places: Places<'d>,
}

/// What a type is to these rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Primitive(Primitive),
    Attachment,
    Identifier,
}

impl Content<'_, '_> {
    fn class(&self, type_id: TypeId) -> Class {
        match type_id.index().checked_sub(1) {
            Some(at) => self.classes.get(at).copied().unwrap_or(Class::Other),
            None => Class::Other,
        }
    }

    /// Looks at an element by its type: what a primitive may be, an Attachment, an Identifier.
    fn element(&self, node: NodeId, findings: &mut Findings) {
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

    /// Looks at a Reference by its own definition.
    fn reference(&self, node: NodeId, findings: &mut Findings) {
        let of_type = self.document.visit(node).and_then(|visit| visit.of_type);
        let aggregation_outside =
            self.options.aggregation_outside_bundles || self.release < Release::R5;
        let targets = Targets {
            types: of_type.map_or(&[], |of_type| targets(self.document, of_type)),
            aggregation: of_type.map_or(&[], |of_type| &*of_type.aggregation),
            aggregation_outside,
        };
        let policy = self.options.references;
        self.document.references.check(node, targets, policy, self.outside, findings);
    }

    /// A Reference of which a profile says more.
    fn narrowed(&self, node: NodeId, findings: &mut Findings) {
        let of_type = self.document.visit(node).and_then(|visit| visit.of_type);
        if of_type.is_none_or(|of_type| of_type.targets.is_empty()) {
            return;
        }
        let mut again = Findings::new();
        self.reference(node, &mut again);
        for finding in again.into_vec() {
            if References::is_of_target(finding.rule) {
                let told = findings.add(finding.rule, node, finding.text);
                told.allowed = finding.allowed;
                told.profile = self.document.profile.map(|profile| profile.url.to_string().into());
            }
        }
    }

    /// Looks at each resource of the document as a whole: Bundles, contained resources, automatic profiles.
    fn resources(&self, findings: &mut Findings) {
        let tree = self.tree;
        for (bundle, index) in self.document.references.bundles() {
            let (types, places) = (self.document.types(), &self.places);
            let scene = Scene { tree, types, release: self.release, places };
            bundle::check(scene, bundle, index, findings);
        }
        for node in tree.resources() {
            if !self.options.ignore_contained && tree.name(node) != "contained" {
                self.document.references.contained_are_used(node, findings);
            }
            automatic::check(tree, node, findings);
        }
    }

    /// The narrative, and whether the links in it lead somewhere.
    fn narrative(&self, node: NodeId, findings: &mut Findings) {
        let tree = self.tree;
        let Some(markup) = xhtml::element(tree, node, findings) else { return };
        let resource = tree.resource_of(node);
        for (target, _) in xhtml::internal_links(&markup) {
            let mut count = self.places.count(tree, target, resource, true);
            let mut at = resource;
            // A narrative of a Bundle may point into another entry, one that is contained to what is around it.
            while count == 0 {
                let Some(parent) = tree.parent(at) else { break };
                at = tree.resource_of(parent);
                count = self.places.count(tree, target, at, true);
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
            let rule = match self.places.count(tree, target, resource, false) {
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
        let is_part = matches!(tree.name(parent), "include" | "exclude");
        if name == "system" && is_part && !is_absolute_url(value) {
            let rule = &terminology::INCLUDE_SYSTEM;
            findings.add(rule, parent, rule.title);
        }
        if let Some(fragment) = value.strip_prefix('#') {
            if self.places.count(tree, fragment, NodeId::ROOT, true) == 0 && !fragment.is_empty() {
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
        } else if self.options.forbid_examples && text::is_example_url(value) {
            findings.add(&rule::EXAMPLE_URL, node, rule::EXAMPLE_URL.title).with_value();
        }
    }
}

/// The types that the targets of a reference may have, which a definition names by the URLs of types and profiles.
///
/// None if one of them is not known: then nothing can be said.
fn targets<'p>(document: &Document<'_, 'p>, of_type: &'p ElementType) -> &'p [TypeId] {
    let types = document.types();
    let of_url = |url: &str| {
        let plain = url.split('|').next().unwrap_or_default();
        plain
            .strip_prefix("http://hl7.org/fhir/StructureDefinition/")
            .and_then(|name| types.id(name))
            .or_else(|| document.programs.of_url(url).map(|program| program.type_id))
    };
    of_type.target_types.get_or_init(|| {
        let all = of_type.targets.iter().map(|url| of_url(url)).collect::<Option<_>>();
        all.unwrap_or_default()
    })
}
