//! Bundles: what the entries are called, how they find each other, and what each kind of Bundle must hold (R4 2.35,
//! 3.1 documents, 2.4 messages).
//!
//! References inside a Bundle are resolved by the `fullUrl` of the entry, not by ids: two hospitals may both have a
//! `Patient/1`. Whoever mixes that up files a finding with the wrong person. So there is one [`BundleIndex`], built in
//! one pass and asked by all: the rules here, references, FHIRPath's `resolve()`. A Bundle of 100,000 entries costs one
//! sort and a search for each reference.
//!
//! It refuses nothing but what the specification refuses; a URL that could only be fetched is not looked for.

mod document;
mod index;
mod search;

use super::finding::Findings;
use super::primitive::is_absolute_url;
use super::rule::bundle as rule;
use super::tree::{NodeId, Tree};
use super::types::{TypeKind, Types};
use super::xhtml::Places;
use crate::fhir::Release;

pub use index::{BundleIndex, Found, Target, restful};

/// What a rule of Bundles needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a, 't> {
    /// The document.
    pub tree: &'t Tree<'t>,
    /// The types of the release.
    pub types: &'a Types,
    /// The release.
    pub release: Release,
    /// What a fragment can point to.
    pub places: &'a Places<'t>,
}

impl Scene<'_, '_> {
    /// Whether a name is that of a resource of the release.
    pub fn is_resource(&self, name: &str) -> bool {
        is_resource(self.types, name)
    }
}

/// Whether a name is that of a resource that can stand by itself.
pub(super) fn is_resource(types: &Types, name: &str) -> bool {
    types
        .id(name)
        .is_some_and(|id| types.kind(id) == Some(TypeKind::Resource) && !types.is_abstract(id))
}

/// The types whose instances are known by a canonical URL wherever they are.
pub(super) fn is_canonical(name: &str) -> bool {
    matches!(
        name,
        "ActivityDefinition"
            | "ActorDefinition"
            | "CapabilityStatement"
            | "ChargeItemDefinition"
            | "Citation"
            | "CodeSystem"
            | "CompartmentDefinition"
            | "ConceptMap"
            | "ConditionDefinition"
            | "EventDefinition"
            | "Evidence"
            | "EvidenceReport"
            | "EvidenceVariable"
            | "ExampleScenario"
            | "GraphDefinition"
            | "ImplementationGuide"
            | "Library"
            | "Measure"
            | "MessageDefinition"
            | "NamingSystem"
            | "ObservationDefinition"
            | "OperationDefinition"
            | "PlanDefinition"
            | "Questionnaire"
            | "Requirements"
            | "ResearchDefinition"
            | "ResearchElementDefinition"
            | "SearchParameter"
            | "SpecimenDefinition"
            | "StructureDefinition"
            | "StructureMap"
            | "SubscriptionTopic"
            | "TerminologyCapabilities"
            | "TestPlan"
            | "TestScript"
            | "ValueSet"
    )
}

/// Looks at a Bundle.
pub fn check(
    scene: Scene<'_, '_>,
    bundle: NodeId,
    index: &BundleIndex<'_>,
    findings: &mut Findings,
) {
    let tree = scene.tree;
    let kind = index.kind();
    links(tree, bundle, kind, index, findings);
    let entries = index.entries();
    match entries.first() {
        None if matches!(kind, "document" | "message") => {
            findings.add(&rule::NO_FIRST_ENTRY, bundle, rule::NO_FIRST_ENTRY.title).member("entry");
        }
        None => {}
        Some(first) => match kind {
            "document" => document::check(scene, bundle, *first, index, findings),
            "message" => document::check_message(scene, bundle, *first, index, findings),
            "searchset" => search::check(scene, bundle, entries, findings),
            _ => {}
        },
    }
    let is_exchange =
        matches!(kind, "transaction" | "transaction-response" | "batch" | "batch-response");
    for entry in entries {
        full_url(scene, *entry, is_exchange, findings);
        exchange(tree, *entry, kind, findings);
    }
}

/// The `fullUrl` of an entry: absolute, and where it is a server's URL, that of the resource.
fn full_url(scene: Scene<'_, '_>, entry: NodeId, is_exchange: bool, findings: &mut Findings) {
    let tree = scene.tree;
    let resource = tree.child(entry, "resource");
    let Some(full_url) = tree.child_text(entry, "fullUrl") else {
        if !is_exchange {
            findings.add(&rule::NO_FULL_URL, entry, rule::NO_FULL_URL.title).member("fullUrl");
        }
        return;
    };
    if full_url.is_empty() {
        return;
    }
    let restful = restful(full_url, scene.types);
    if !is_absolute_url(full_url) {
        findings.add(&rule::FULL_URL_RELATIVE, entry, rule::FULL_URL_RELATIVE.title).with_value();
    } else if let (Some(parts), Some(resource)) = (restful, resource) {
        let id = tree.child_text(resource, "id");
        match id {
            None => {
                findings.add(&rule::FULL_URL_NO_ID, entry, rule::FULL_URL_NO_ID.title);
            }
            Some(id)
                if parts.version.is_none()
                    && parts.id == id
                    && tree.resource_type(resource) == Some(parts.resource_type) => {}
            Some(_) => {
                findings.add(&rule::FULL_URL_OTHER, entry, rule::FULL_URL_OTHER.title).with_value();
            }
        }
    }
    // A canonical URL that is the fullUrl too: then the resource must be at home there.
    if let Some(resource) = resource
        && let Some(url) = tree.child_text(resource, "url")
        && url == full_url
        && !url.starts_with("http://hl7.org/fhir/v3/")
        && !url.starts_with("http://hl7.org/fhir/v2/")
    {
        let id = tree.child_text(resource, "id");
        if restful.is_none() || restful.map(|parts| parts.id) != id {
            findings.add(&rule::CANONICAL_AS_FULL_URL, entry, rule::CANONICAL_AS_FULL_URL.title);
        }
    }
}

/// What is asked of an entry of a transaction or batch, and what is answered.
///
/// That there must be a request (bdl-3), and a response (bdl-4), are invariants; here it is whether method, URL and
/// resource fit each other.
fn exchange(tree: &Tree<'_>, entry: NodeId, kind: &str, findings: &mut Findings) {
    if !matches!(kind, "transaction" | "batch") {
        return;
    }
    let Some(request) = tree.child(entry, "request") else { return };
    let method = tree.child_text(request, "method").unwrap_or_default();
    let has_resource = tree.child(entry, "resource").is_some();
    if matches!(method, "POST" | "PUT") && !has_resource {
        let posts_nothing = tree
            .child_text(request, "url")
            .is_some_and(|url| url.contains('$') || url.ends_with("/_search"));
        if !posts_nothing {
            findings
                .add(&rule::REQUEST_WITHOUT_RESOURCE, entry, rule::REQUEST_WITHOUT_RESOURCE.title)
                .member("resource");
        }
    }
    if matches!(method, "GET" | "HEAD" | "DELETE") && has_resource {
        findings.add(&rule::REQUEST_WITH_RESOURCE, entry, rule::REQUEST_WITH_RESOURCE.title);
    }
}

/// The links of a Bundle: which may be there, and that each of them is there once.
fn links(
    tree: &Tree<'_>,
    bundle: NodeId,
    kind: &str,
    index: &BundleIndex<'_>,
    findings: &mut Findings,
) {
    let mut seen: Vec<&str> = Vec::new();
    for link in tree.children_named(bundle, "link") {
        let Some(relation) = tree.child(link, "relation") else { continue };
        let name = tree.text(relation).unwrap_or_default();
        let is_paging = matches!(name, "first" | "previous" | "next" | "last");
        let is_repeated = seen.contains(&name);
        match kind {
            "searchset" | "history" if is_repeated && (is_paging || name == "self") => {
                findings.add(&rule::LINK_TWICE, link, rule::LINK_TWICE.title);
            }
            "searchset" | "history" | "" => {}
            _ => {
                if is_paging {
                    findings.add(&rule::LINK_PAGING, relation, rule::LINK_PAGING.title);
                }
                if name == "self" && is_repeated {
                    findings.add(&rule::LINK_TWICE, relation, rule::LINK_TWICE.title);
                }
            }
        }
        if kind == "document" && name == "stylesheet" {
            stylesheet(tree, link, index, findings);
        }
        if is_paging || name == "self" {
            seen.push(name);
        }
    }
}

fn stylesheet(tree: &Tree<'_>, link: NodeId, index: &BundleIndex<'_>, findings: &mut Findings) {
    let Some(node) = tree.child(link, "url") else { return };
    let url = tree.text(node).unwrap_or_default();
    if is_absolute_url(url) {
        if url != "https://hl7.org/fhir/fhir.css" {
            findings.add(&rule::STYLESHEET_OUTSIDE, node, rule::STYLESHEET_OUTSIDE.title);
        }
    } else if index.of_type_and_id(url).is_empty() {
        findings.add(&rule::STYLESHEET_MISSING, node, rule::STYLESHEET_MISSING.title);
    }
}
