//! Documents and messages: the first entry, what it refers to, and that all the rest belongs to it (R4 3.1.4, 2.4.1).

use super::super::finding::Findings;
use super::super::primitive::is_absolute_url;
use super::super::reference::reference_of;
use super::super::rule::bundle as rule;
use super::super::tree::{NodeId, Tree};
use super::super::types::TypeId;
use super::{BundleIndex, Scene, Target};
use crate::fhir::Release;
use crate::issue::Severity;

pub(super) fn check(
    scene: Scene<'_, '_>,
    bundle: NodeId,
    first: NodeId,
    index: &BundleIndex<'_>,
    findings: &mut Findings,
) {
    let tree = scene.tree;
    let Some(composition) = tree.child(first, "resource") else {
        findings
            .add(&rule::NO_FIRST_RESOURCE, first, rule::NO_FIRST_RESOURCE.title)
            .member("resource");
        return interlinked(scene, bundle, index, false, &[], findings);
    };
    let mut told = Vec::new();
    if tree.resource_type(composition) == Some("Composition") {
        let mut inside = Vec::new();
        for name in ["subject", "author", "encounter", "custodian"] {
            inside.extend(tree.children_named(composition, name));
        }
        for (outer, inner) in [("attester", "party"), ("event", "detail")] {
            for part in tree.children_named(composition, outer) {
                inside.extend(tree.children_named(part, inner));
            }
        }
        sections(tree, composition, &mut inside);
        for reference in inside {
            must_be_inside(scene, first, reference, index, &mut told, findings);
        }
    } else {
        findings.add(&rule::NOT_A_COMPOSITION, composition, rule::NOT_A_COMPOSITION.title);
    }
    interlinked(scene, bundle, index, false, &told, findings);
}

/// The references of sections, however deep these are nested.
fn sections(tree: &Tree<'_>, of: NodeId, inside: &mut Vec<NodeId>) {
    let mut open: Vec<NodeId> = tree.children_named(of, "section").collect();
    while let Some(section) = open.pop() {
        for name in ["author", "focus", "entry"] {
            inside.extend(tree.children_named(section, name));
        }
        open.extend(tree.children_named(section, "section"));
    }
}

pub(super) fn check_message(
    scene: Scene<'_, '_>,
    bundle: NodeId,
    first: NodeId,
    index: &BundleIndex<'_>,
    findings: &mut Findings,
) {
    let tree = scene.tree;
    let Some(header) = tree.child(first, "resource") else {
        findings
            .add(&rule::NO_FIRST_RESOURCE, first, rule::NO_FIRST_RESOURCE.title)
            .member("resource");
        return;
    };
    let mut told = Vec::new();
    if tree.resource_type(header) == Some("MessageHeader") {
        for reference in tree.children_named(header, "focus") {
            must_be_inside(scene, first, reference, index, &mut told, findings);
        }
    } else {
        findings.add(&rule::NOT_A_MESSAGE_HEADER, header, rule::NOT_A_MESSAGE_HEADER.title);
    }
    interlinked(scene, bundle, index, true, &told, findings);
}

/// A reference of the first entry whose target must be in the Bundle.
fn must_be_inside(
    scene: Scene<'_, '_>,
    first: NodeId,
    reference: NodeId,
    index: &BundleIndex<'_>,
    told: &mut Vec<NodeId>,
    findings: &mut Findings,
) {
    let tree = scene.tree;
    let Some(text) = tree.child_text(reference, "reference") else { return };
    if text.is_empty() || text.starts_with('#') {
        return;
    }
    let full_url = tree.child_text(first, "fullUrl");
    let target = index.resolve(tree, scene.types, text, full_url);
    if tell(scene, reference, text, full_url, target, Severity::Error, findings) {
        told.push(reference);
    }
}

/// Tells what is wrong with a reference that should lead to an entry; whether there was something.
fn tell(
    scene: Scene<'_, '_>,
    at: NodeId,
    text: &str,
    full_url: Option<&str>,
    target: Target,
    missing: Severity,
    findings: &mut Findings,
) -> bool {
    let transient = |url: Option<&str>| {
        url.is_some_and(|url| url.starts_with("urn:") || url.starts_with("cid:"))
    };
    match target {
        Target::Resource(_) => return false,
        Target::Several(count) => {
            findings
                .add(&rule::SEVERAL_TARGETS, at, format!("{count} entries have this URL"))
                .with_value();
        }
        Target::Lookalikes(_) if scene.release >= Release::R4 => {
            findings.add(&rule::LOOKALIKE, at, rule::LOOKALIKE.title).with_value();
        }
        Target::Nothing if !is_absolute_url(text) && !is_resource_path(scene, text) => {
            return false;
        }
        Target::Nothing | Target::Lookalikes(_) => {
            // A canonical resource of the specification need not come along.
            let outside = super::restful(text, scene.types).is_some_and(|parts| {
                is_absolute_url(text) && super::is_canonical(parts.resource_type)
            });
            if outside {
                return false;
            }
            let kind = if transient(full_url) && text.starts_with("urn:") {
                &rule::URN_NOT_INSIDE
            } else {
                &rule::NOT_INSIDE
            };
            findings.add(kind, at, kind.title).severity(missing).with_value();
        }
    }
    true
}

fn is_resource_path(scene: Scene<'_, '_>, text: &str) -> bool {
    text.split_once('/').is_some_and(|(name, _)| scene.is_resource(name))
}

/// Looks whether all entries are linked with the first one, in one direction or the other. `told` are the references of
/// which something was told before.
fn interlinked(
    scene: Scene<'_, '_>,
    bundle: NodeId,
    index: &BundleIndex<'_>,
    is_message: bool,
    told: &[NodeId],
    findings: &mut Findings,
) {
    let tree = scene.tree;
    let entries: Vec<NodeId> = index
        .entries()
        .iter()
        .copied()
        .filter(|entry| tree.child(*entry, "resource").is_some())
        .collect();
    // Links as pairs of places in `entries`, there and back.
    let mut forward: Vec<(usize, usize)> = Vec::new();
    for (from, entry) in entries.iter().enumerate() {
        let full_url = tree.child_text(*entry, "fullUrl");
        let mut links = Vec::new();
        links_of(scene, *entry, &mut links);
        links.sort_unstable_by_key(|link| (link.text, link.node));
        links.dedup_by_key(|link| link.text);
        for link in links {
            let target = index.resolve(tree, scene.types, link.text, full_url);
            if let Target::Resource(resource) = target {
                let to = tree.parent(resource).and_then(|to| entries.binary_search(&to).ok());
                forward.extend(to.map(|to| (from, to)));
                place(scene, resource, link, findings);
            } else if !told.contains(&link.node)
                && (target != Target::Nothing || link.kind == LinkKind::Reference)
            {
                tell(
                    scene,
                    link.node,
                    link.text,
                    full_url,
                    target,
                    Severity::Information,
                    findings,
                );
            }
        }
    }
    forward.sort_unstable();
    let mut backward: Vec<(usize, usize)> = forward.iter().map(|(from, to)| (*to, *from)).collect();
    backward.sort_unstable();
    let mut reached = vec![false; entries.len()];
    let mut open: Vec<usize> = Vec::new();
    let first = (!entries.is_empty()).then_some(0);
    let styles = tree.children_named(bundle, "link").filter_map(|link| {
        let is_style = tree.child_text(link, "relation") == Some("stylesheet");
        let (_, entry) = index.of_type_and_id(tree.child_text(link, "url")?).first()?;
        is_style.then(|| entries.binary_search(entry).ok()).flatten()
    });
    open.extend(first.into_iter().chain(styles));
    let mut known: Vec<usize> = Vec::new();
    follow(&forward, &mut reached, &mut open, &mut known);
    // Back along the links: whoever refers to what was reached belongs to it, and so does all that it refers to.
    let mut behind = Vec::new();
    while let Some(at) = known.pop() {
        for (_, from) in neighbours(&backward, at) {
            if reached.get(*from).is_some_and(|reached| !reached) {
                behind.push(*from);
                open.push(*from);
                follow(&forward, &mut reached, &mut open, &mut known);
            }
        }
    }
    for at in behind {
        let Some(entry) = entries.get(at) else { continue };
        let is_provenance = tree
            .child(*entry, "resource")
            .and_then(|resource| tree.resource_type(resource))
            .is_some_and(|name| name == "Provenance");
        if !is_provenance {
            let severity = if is_message || scene.release >= Release::R5 {
                Severity::Information
            } else {
                Severity::Warning
            };
            findings
                .add(&rule::LINKED_BACKWARDS, *entry, rule::LINKED_BACKWARDS.title)
                .severity(severity);
        }
    }
    for (entry, reached) in entries.iter().zip(reached) {
        if !reached {
            let severity = if is_message { Severity::Warning } else { Severity::Error };
            findings.add(&rule::UNREACHABLE, *entry, rule::UNREACHABLE.title).severity(severity);
        }
    }
}

fn neighbours(links: &[(usize, usize)], of: usize) -> &[(usize, usize)] {
    let from = links.partition_point(|(at, _)| *at < of);
    let to = links.partition_point(|(at, _)| *at <= of);
    links.get(from..to).unwrap_or_default()
}

/// Goes on from what is open, and notes what is reached for the first time.
fn follow(
    links: &[(usize, usize)],
    reached: &mut [bool],
    open: &mut Vec<usize>,
    known: &mut Vec<usize>,
) {
    while let Some(at) = open.pop() {
        match reached.get_mut(at) {
            Some(reached) if !*reached => *reached = true,
            _ => continue,
        }
        known.push(at);
        open.extend(neighbours(links, at).iter().map(|(_, to)| *to));
    }
}

#[derive(Clone, Copy)]
struct Link<'t> {
    node: NodeId,
    text: &'t str,
    kind: LinkKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LinkKind {
    Reference,
    /// A `uri` or `url` that may name an entry.
    Address,
    /// It ties a place of the narrative to data (extension `narrativeLink`).
    Narrative,
}

/// What an entry links to: its references, and the addresses in it, but not those of Bundles in it.
fn links_of<'t>(scene: Scene<'_, 't>, entry: NodeId, links: &mut Vec<Link<'t>>) {
    let tree = scene.tree;
    let known = |name: &str| scene.types.id(name).unwrap_or(TypeId::UNKNOWN);
    let addresses = [known("uri"), known("url")];
    let mut open: Vec<NodeId> = tree.children(entry).collect();
    while let Some(node) = open.pop() {
        if let Some(text) = reference_of(tree, scene.types, node) {
            if !text.starts_with('#') {
                links.push(Link { node, text, kind: LinkKind::Reference });
            }
        } else if tree.type_of(node) != TypeId::UNKNOWN && addresses.contains(&tree.type_of(node)) {
            let name = tree.name(node);
            let parent = tree.parent(node).unwrap_or(node);
            let names_no_entry =
                matches!(name, "system" | "fullUrl" | "endpoint" | "endpointUrl" | "address")
                    || (name == "url" && tree.name(parent).ends_with("xtension"));
            if let Some(text) = tree.text(node).filter(|text| !text.starts_with('#'))
                && !names_no_entry
            {
                let is_narrative = tree.child_text(parent, "url")
                    == Some("http://hl7.org/fhir/StructureDefinition/narrativeLink");
                let kind = if is_narrative { LinkKind::Narrative } else { LinkKind::Address };
                links.push(Link { node, text, kind });
            }
        }
        if tree.resource_type(node) != Some("Bundle") {
            open.extend(tree.children(node));
        }
    }
}

/// A link that goes on into the resource: `urn:uuid:...#place`.
fn place(scene: Scene<'_, '_>, resource: NodeId, link: Link<'_>, findings: &mut Findings) {
    let Some((_, fragment)) = link.text.split_once('#') else { return };
    match scene.places.count(scene.tree, fragment, resource, false) {
        1 => {}
        0 => {
            let severity = if link.kind == LinkKind::Narrative {
                Severity::Error
            } else {
                Severity::Information
            };
            findings
                .add(&rule::NO_SUCH_PLACE, link.node, rule::NO_SUCH_PLACE.title)
                .severity(severity);
        }
        _ => {
            findings.add(&rule::SEVERAL_PLACES, link.node, rule::SEVERAL_PLACES.title);
        }
    }
}
