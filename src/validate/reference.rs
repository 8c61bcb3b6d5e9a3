//! References: their form, what they may lead to, and whether what they lead to is there (R4 2.3).
//!
//! A reference is followed as far as the document goes: to contained resources, to entries of a Bundle, to resources
//! in a Parameters. What lies on a server is not fetched; of it the form of the URL tells the type. A reference to the wrong
//! kind of resource (a Practitioner as the Patient) puts data into the wrong chart, so it is an error by default.
//!
//! It refuses what can't be a reference at all, and contained resources that nobody refers to (dom-3): they would be
//! lost by every receiver that stores references.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{BundleIndex, Target, is_resource, restful};
use super::finding::Findings;
use super::options::ReferencePolicy;
use super::primitive::is_absolute_url;
use super::program::Aggregation;
use super::rule::{Rule, reference as rule};
use super::tree::{NodeId, Tree};
use super::types::{TypeId, TypeKind, Types};
use crate::fhir::Release;

impl ReferencePolicy {
    /// The policy of a name: `CHECK_TYPE_IF_EXISTS`.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "IGNORE" => Self::Ignore,
            "CHECK_TYPE_IF_EXISTS" => Self::CheckTypeIfExists,
            "CHECK_EXISTS" => Self::CheckExists,
            "CHECK_EXISTS_AND_TYPE" => Self::CheckExistsAndType,
            "CHECK_VALID" => Self::CheckValid,
            _ => return None,
        })
    }

    const fn must_exist(self) -> bool {
        matches!(self, Self::CheckExists | Self::CheckExistsAndType | Self::CheckValid)
    }

    const fn checks_type(self) -> bool {
        matches!(self, Self::CheckTypeIfExists | Self::CheckExistsAndType | Self::CheckValid)
    }
}

/// Where a reference may lead by its definition.
#[derive(Debug, Clone, Copy, Default)]
pub struct Targets<'x> {
    /// The types that it may lead to; none means any.
    pub types: &'x [TypeId],
    /// Whether to something contained, in the same Bundle, or elsewhere; none means in any way.
    pub aggregation: &'x [Aggregation],
    /// Whether what must be in the same Bundle must be so outside of Bundles too.
    pub aggregation_outside: bool,
}

/// What is known of resources that are not in the document: for `CHECK_EXISTS` and more.
pub trait Outside {
    /// The type of the resource that a URL leads to; nothing if there is none at hand.
    fn resource_type(&self, url: &str) -> Option<Cow<'_, str>>;
}

/// Nothing is known of what is outside.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Outside for Nowhere {
    fn resource_type(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// Where the text of a reference leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// To this resource of the document.
    Here(NodeId),
    /// To nothing of the document.
    Elsewhere,
    /// To several entries: this many.
    Several(usize),
    /// To nothing by the rules of Bundles, though this many entries have the type and id.
    Lookalikes(usize),
    /// It is relative, and the entry in which it stands has no `fullUrl`.
    NoFullUrl,
    /// It is relative, and the entry's `fullUrl` is no server's.
    NoBase,
}

/// All that references within a document can lead to.
#[derive(Debug)]
pub struct References<'t> {
    tree: &'t Tree<'t>,
    types: &'t Types,
    release: Release,
    /// The Bundles of the document, in order.
    bundles: Vec<(NodeId, BundleIndex<'t>)>,
    /// The contained resources: by what holds them, id, resource; sorted.
    contained: Vec<(NodeId, &'t str, NodeId)>,
    /// The resources in a Parameters: id, type, resource; sorted.
    parameters: Vec<(&'t str, &'t str, NodeId)>,
}

/// The text of a Reference, if an element is one: by its type or, where that is not known, by its member `reference`.
pub fn reference_of<'t>(tree: &'t Tree<'_>, types: &Types, node: NodeId) -> Option<&'t str> {
    let type_id = tree.type_of(node);
    if type_id != TypeId::UNKNOWN && types.id("Reference") != Some(type_id) {
        return None;
    }
    tree.child_text(node, "reference")
}

impl<'t> References<'t> {
    /// Reads what can be led to, once for a document.
    pub fn new(tree: &'t Tree<'t>, types: &'t Types, release: Release) -> Self {
        let bundles = tree
            .resources()
            .filter(|node| tree.resource_type(*node) == Some("Bundle"))
            .map(|node| (node, BundleIndex::new(tree, node)))
            .collect();
        let mut parameters: Vec<_> = tree
            .resources()
            .filter(|node| {
                tree.parent(*node).is_some_and(|of| matches!(tree.name(of), "parameter" | "part"))
            })
            .filter_map(|node| {
                Some((tree.child_text(node, "id")?, tree.resource_type(node)?, node))
            })
            .collect();
        parameters.sort_unstable();
        let mut contained: Vec<_> = tree
            .resources()
            .filter(|node| tree.name(*node) == "contained")
            .filter_map(|node| Some((tree.parent(node)?, tree.child_text(node, "id")?, node)))
            .collect();
        contained.sort_unstable();
        Self { tree, types, release, bundles, contained, parameters }
    }

    /// The index of a Bundle of the document.
    pub fn bundle(&self, node: NodeId) -> Option<&BundleIndex<'t>> {
        let at = self.bundles.binary_search_by_key(&node, |(bundle, _)| *bundle).ok()?;
        self.bundles.get(at).map(|(_, index)| index)
    }

    /// The Bundles of the document, outermost first.
    pub fn bundles(&self) -> impl Iterator<Item = (NodeId, &BundleIndex<'t>)> {
        self.bundles.iter().map(|(node, index)| (*node, index))
    }

    /// Follows a reference that stands at an element.
    pub fn resolve(&self, from: NodeId, reference: &str) -> Resolved {
        match reference.strip_prefix('#') {
            Some(id) => self.contained(from, id).map_or(Resolved::Elsewhere, Resolved::Here),
            None => self.inside(from, reference),
        }
    }

    /// `#id`: a contained resource of the resource around; `#` alone: from a contained one, that around it.
    ///
    /// An entry of a Bundle, and a resource in a Parameters, are worlds of their own.
    fn contained(&self, from: NodeId, id: &str) -> Option<NodeId> {
        let tree = self.tree;
        let mut at = tree.resource_of(from);
        let mut was_contained = false;
        loop {
            let is_contained = tree.name(at) == "contained";
            if id.is_empty() && was_contained && !is_contained {
                return Some(at);
            }
            was_contained |= is_contained;
            let first = self.contained.partition_point(|(of, known, _)| (*of, *known) < (at, id));
            if let Some((of, known, node)) = self.contained.get(first)
                && (*of, *known) == (at, id)
                && !id.is_empty()
            {
                return Some(*node);
            }
            if !is_contained {
                return None;
            }
            at = tree.resource_of(tree.parent(at)?);
        }
    }

    fn inside(&self, from: NodeId, reference: &str) -> Resolved {
        let tree = self.tree;
        let mut full_url = None;
        let mut entry = None;
        let mut in_parameters = false;
        let mut at = from;
        while let Some(parent) = tree.parent(at) {
            let is_resource = tree.resource_type(at).is_some();
            if is_resource && tree.name(parent) == "entry" && full_url.is_none() {
                entry = Some(parent);
                full_url = tree.child_text(parent, "fullUrl");
            }
            in_parameters |= is_resource && matches!(tree.name(parent), "parameter" | "part");
            if tree.resource_type(parent) == Some("Bundle")
                && let Some(index) = self.bundle(parent)
            {
                let kind = index.kind();
                if !is_absolute_url(reference) {
                    let exchange = matches!(kind, "transaction" | "batch");
                    let response = matches!(kind, "batch-response" | "transaction-response");
                    match full_url {
                        None if entry.is_some() && !response => return Resolved::NoFullUrl,
                        None => return Resolved::Elsewhere,
                        Some(url) if restful(url, self.types).is_none() && !exchange => {
                            // From R5 on a relative reference needs a server's URL around it (R5 bundle.html#references).
                            if self.release >= Release::R5 {
                                return Resolved::NoBase;
                            }
                        }
                        Some(_) => {}
                    }
                }
                return match index.resolve(tree, self.types, reference, full_url) {
                    Target::Resource(resource) => Resolved::Here(resource),
                    Target::Several(count) => Resolved::Several(count),
                    Target::Lookalikes(count) => Resolved::Lookalikes(count),
                    Target::Nothing => Resolved::Elsewhere,
                };
            }
            at = parent;
        }
        if in_parameters
            && let Some((name, id)) = reference.split_once('/')
            && let Ok(found) =
                self.parameters.binary_search_by(|(of, kind, _)| (*of, *kind).cmp(&(id, name)))
            && let Some((_, _, node)) = self.parameters.get(found)
        {
            return Resolved::Here(*node);
        }
        Resolved::Elsewhere
    }

    /// Looks at an element of type Reference. `definition` says where it may lead.
    pub fn check(
        &self,
        node: NodeId,
        definition: Targets<'_>,
        policy: ReferencePolicy,
        outside: &dyn Outside,
        findings: &mut Findings,
    ) {
        let tree = self.tree;
        let targets = definition.types;
        let Some(text) = tree.child_text(node, "reference").filter(|text| !text.is_empty()) else {
            let says_whom = tree.child(node, "display").is_some()
                || tree.child(node, "identifier").is_some_and(|identifier| {
                    ["system", "value"].iter().any(|name| tree.child(identifier, name).is_some())
                });
            if !says_whom {
                findings.add(&rule::NOTHING_SAID, node, rule::NOTHING_SAID.title);
            }
            self.stated_type(node, None, targets, findings);
            return;
        };
        if text.bytes().any(|byte| byte.is_ascii_whitespace() || byte == 0x0b) {
            findings.add(&rule::WHITESPACE, node, rule::WHITESPACE.title).with_value();
        }
        let is_inner = text.starts_with('#');
        let resolved = self.resolve(node, text);
        if let Some((name, query)) = text.split_once('?')
            && is_resource(self.types, name)
        {
            if !is_query(query) {
                findings.add(&rule::QUERY, node, rule::QUERY.title).with_value();
            }
            self.stated_type(node, Some(name), targets, findings);
            return;
        }
        let mut found: Option<Cow<'_, str>> = None;
        match resolved {
            Resolved::Here(resource) => {
                found = tree.resource_type(resource).map(Cow::Borrowed);
                let stated = restful(text, self.types).map(|parts| parts.resource_type);
                if let (Some(stated), Some(found)) = (stated, &found)
                    && stated != found
                {
                    findings.add(&rule::OTHER_TYPE, node, rule::OTHER_TYPE.title).with_value();
                }
            }
            Resolved::Several(count) => {
                findings
                    .add(
                        &rule::SEVERAL,
                        node,
                        format!("{count} entries have the URL of this reference"),
                    )
                    .with_value();
            }
            Resolved::NoFullUrl => {
                findings.add(&rule::NO_FULL_URL, node, rule::NO_FULL_URL.title).with_value();
            }
            Resolved::NoBase => {
                findings.add(&rule::NO_BASE, node, rule::NO_BASE.title).with_value();
            }
            Resolved::Lookalikes(_) => {
                findings.add(&rule::LOOKALIKE, node, rule::LOOKALIKE.title).with_value();
            }
            Resolved::Elsewhere if is_inner => {
                findings.add(&rule::NOT_CONTAINED, node, rule::NOT_CONTAINED.title).with_value();
            }
            Resolved::Elsewhere => {
                self.form(node, text, findings);
                found = outside.resource_type(text);
                if found.is_none() && policy.must_exist() && !is_example(text) {
                    findings.add(&rule::NOT_FOUND, node, rule::NOT_FOUND.title).with_value();
                }
            }
        }
        let is_here = matches!(resolved, Resolved::Here(_));
        self.aggregation(node, definition, is_inner, is_here, findings);
        let known = found.is_some();
        let by_form = || restful(text, self.types).map(|parts| Cow::Borrowed(parts.resource_type));
        let found = found.or_else(by_form);
        self.stated_type(node, found.as_deref(), targets, findings);
        if (is_here || policy.checks_type())
            && let Some(name) = &found
            && !self.is_allowed(name, targets)
        {
            let rule = if known { &rule::TARGET_TYPE } else { &rule::TARGET_TYPE_BY_URL };
            findings
                .add(rule, node, format!("{}: {}", rule.title, self.quotable(name)))
                .allowed(self.names(targets))
                .with_value();
        }
    }

    /// Whether a rule is about where a reference may lead by its definition.
    pub(super) fn is_of_target(rule: &'static Rule) -> bool {
        [&rule::TARGET_TYPE, &rule::TARGET_TYPE_BY_URL, &rule::STATED_TYPE, &rule::AGGREGATION]
            .iter()
            .any(|known| known.code == rule.code)
    }

    /// Whether a reference leads where the definition wants its target to be: contained, in the Bundle, elsewhere.
    fn aggregation(
        &self,
        node: NodeId,
        definition: Targets<'_>,
        is_inner: bool,
        is_here: bool,
        findings: &mut Findings,
    ) {
        let in_bundle = || {
            self.bundles
                .iter()
                .any(|(bundle, _)| (bundle.index()..self.tree.end(*bundle)).contains(&node.index()))
        };
        let fits = definition.aggregation.is_empty()
            || definition.aggregation.iter().any(|way| match way {
                Aggregation::Contained => is_inner && is_here,
                Aggregation::Bundled => {
                    (is_here && !is_inner) || !(in_bundle() || definition.aggregation_outside)
                }
                Aggregation::Referenced => !is_inner,
            });
        if !fits {
            findings.add(&rule::AGGREGATION, node, rule::AGGREGATION.title).with_value();
        }
    }

    /// The name of a type that a finding may quote: one of the release's.
    fn quotable(&self, name: &str) -> &str {
        self.types.id(name).map_or("another type", |id| self.types.name(id))
    }

    fn names(&self, targets: &[TypeId]) -> String {
        let names: Vec<&str> = targets.iter().map(|target| self.types.name(*target)).collect();
        names.join(", ")
    }

    fn is_allowed(&self, name: &str, targets: &[TypeId]) -> bool {
        targets.is_empty()
            || self
                .types
                .id(name)
                .is_none_or(|found| targets.iter().any(|target| self.types.is_a(found, *target)))
    }

    /// `Reference.type`: one of the types that are allowed, and that of the target.
    fn stated_type(
        &self,
        node: NodeId,
        found: Option<&str>,
        targets: &[TypeId],
        findings: &mut Findings,
    ) {
        let Some(stated) = self.tree.child_text(node, "type").filter(|text| !text.is_empty())
        else {
            return;
        };
        let name =
            stated.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(stated);
        let is_any = targets.iter().any(|target| self.types.name(*target) == "Resource");
        let fits = targets.is_empty()
            || is_any
            || targets.iter().any(|target| self.types.name(*target) == name)
            || self
                .types
                .id(name)
                .is_some_and(|id| targets.iter().any(|target| self.types.is_a(id, *target)));
        if !fits {
            findings
                .add(&rule::STATED_TYPE, node, rule::STATED_TYPE.title)
                .allowed(self.names(targets))
                .with_value();
        }
        if found.is_some_and(|found| found != stated && found != name) {
            findings
                .add(&rule::STATED_OTHER_TYPE, node, rule::STATED_OTHER_TYPE.title)
                .with_value();
        }
    }

    /// The form of a reference that leads outside: a relative one is `Type/id`, perhaps with a version.
    fn form(&self, node: NodeId, text: &str, findings: &mut Findings) {
        let in_bundle = !self.bundles.is_empty();
        if is_absolute_url(text) {
            if in_bundle && text.starts_with("urn:") {
                findings.add(&rule::URN_OUTSIDE, node, rule::URN_OUTSIDE.title).with_value();
            }
            return;
        }
        let plain = text.split('#').next().unwrap_or_default();
        if restful(plain, self.types).is_some() {
            return;
        }
        let slashes = plain.matches('/').count();
        if in_bundle && slashes != 1 && slashes != 3 {
            findings.add(&rule::RELATIVE_FORM, node, rule::RELATIVE_FORM.title).with_value();
        } else {
            findings.add(&rule::SUSPICIOUS, node, rule::SUSPICIOUS.title).with_value();
        }
    }

    /// Contained resources: each must be referred to from the resource around it, or refer to it (dom-3).
    pub fn contained_are_used(&self, resource: NodeId, findings: &mut Findings) {
        let tree = self.tree;
        let contained: Vec<NodeId> = tree.children_named(resource, "contained").collect();
        if contained.is_empty() {
            return;
        }
        let mut used = Uses::new();
        for child in tree.children(resource).filter(|child| tree.name(*child) != "contained") {
            self.uses(child, &mut used);
        }
        let inner: Vec<Uses<'_>> = contained
            .iter()
            .map(|node| {
                let mut uses = Uses::new();
                self.uses(*node, &mut uses);
                uses
            })
            .collect();
        let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut reached = vec![false; contained.len()];
        let mut open: Vec<usize> = Vec::new();
        for (at, (node, uses)) in contained.iter().zip(&inner).enumerate() {
            let id = tree.child_text(*node, "id");
            if let Some(id) = id {
                by_id.entry(id).or_default().push(at);
            }
            // Found from outside, or looking outside; then all that these refer to.
            if uses.contains("") || id.is_some_and(|id| used.contains(id)) {
                open.push(at);
            }
        }
        while let Some(at) = open.pop() {
            match reached.get_mut(at) {
                Some(reached) if !*reached => *reached = true,
                _ => continue,
            }
            let fragments = inner.get(at).into_iter().flatten();
            open.extend(fragments.filter_map(|fragment| by_id.get(fragment)).flatten());
        }
        for (node, reached) in contained.iter().zip(reached) {
            if !reached {
                findings
                    .add(&rule::CONTAINED_UNUSED, *node, rule::CONTAINED_UNUSED.title)
                    .key("dom-3");
            }
        }
    }

    /// The fragments that an element and all in it refer to.
    fn uses<'r>(&'r self, from: NodeId, uses: &mut Uses<'r>) {
        let tree = self.tree;
        // What no definition knows refers to nothing, once the definitions have been asked.
        let is_walked = tree.type_of(NodeId::ROOT) != TypeId::UNKNOWN;
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if is_walked && tree.type_of(node) == TypeId::UNKNOWN {
                continue;
            }
            let is_plain =
                !is_walked || self.types.kind(tree.type_of(node)) == Some(TypeKind::Primitive);
            if let Some(text) = tree.text(node).filter(|_| is_plain) {
                if let Some(fragment) = text.strip_prefix('#') {
                    uses.insert(fragment);
                } else if tree.name(node) == "div" && text.contains("=\"#") | text.contains("='#") {
                    let mut rest = text;
                    while let Some(at) = rest.find('#') {
                        let (before, after) = rest.split_at(at);
                        let after = after.get(1..).unwrap_or_default();
                        if before.ends_with(['"', '\'']) {
                            let end = after.find(['"', '\'']).unwrap_or(after.len());
                            uses.extend(after.get(..end));
                        }
                        rest = after;
                    }
                }
            }
            open.extend(tree.children(node));
        }
    }
}

/// The fragments that something refers to, without their `#`.
type Uses<'t> = BTreeSet<&'t str>;

/// Whether a text is the query of a search: names and values, `a=b&c:exact=d`.
fn is_query(query: &str) -> bool {
    !query.is_empty()
        && query.split('&').all(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                !name.is_empty()
                    && !name.starts_with(|first: char| first.is_ascii_digit())
                    && name.bytes().all(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.')
                    })
                    && !value.contains('=')
            })
        })
}

/// Whether a URL is an example's, which need not exist.
pub fn is_example(url: &str) -> bool {
    url.contains("example.org") || url.contains("acme.com")
}
