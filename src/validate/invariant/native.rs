//! The commonest invariants without the engine.
//!
//! An invariant is recognised by its expression, white space aside, never by its key: a profile may use a key for
//! something else. A fast path that can't tell says so, and the engine is asked.

use std::collections::BTreeSet;

use super::entries::Entries;
use crate::validate::fhirpath::{Context, Expression, Presence};
use crate::validate::tree::{NodeId, Tree};

/// A fast path.
#[derive(Debug)]
pub(super) enum Native {
    /// Which children are there: `code.empty() or system.exists()`.
    Presence(Presence),
    /// ele-1: a value, or a child that is not its `id`.
    HasContent,
    /// dom-2: nothing contained in what is contained.
    NoNesting,
    /// dom-3: what is contained is referred to, or refers to its container.
    ContainedIsUsed {
        /// Whether one without `id` passes.
        without_id: bool,
    },
    /// dom-4 and dom-5: what is contained has none of these in its `meta`.
    NoMeta(&'static [&'static str]),
    /// dom-6: a narrative; what is contained needs none.
    HasNarrative,
    /// ref-1: a reference into the resource leads somewhere.
    Reference {
        /// Whether `#` is allowed in the container itself.
        own_container: bool,
    },
    /// per-1: dates of one precision in order; what else there is the engine sees.
    Period,
    /// What every entry of a Bundle has to have.
    Entries(Entries),
}

type Make = fn() -> Native;

/// The expressions as they are published (or corrected), without white space.
const TABLE: &[(&str, Make)] = &[
    ("hasValue()or(children().count()>id.count())", || Native::HasContent),
    ("hasValue()or(children().count()>id.count())or$thisisParameters", || Native::HasContent),
    ("contained.contained.empty()", || Native::NoNesting),
    (
        "contained.where((('#'+idin(%resource.descendants().reference|%resource.descendants().as(canonical)|%resource.descendants().as(uri)|%resource.descendants().as(url)))ordescendants().where(reference='#').exists()ordescendants().where(as(canonical)='#').exists()ordescendants().where(as(canonical)='#').exists()).not()).trace('unmatched',id).empty()",
        || Native::ContainedIsUsed { without_id: true },
    ),
    (
        "contained.where(((id.exists()and('#'+idin(%resource.descendants().reference|%resource.descendants().as(canonical)|%resource.descendants().as(uri)|%resource.descendants().as(url))))ordescendants().where(reference='#').exists()ordescendants().where(as(canonical)='#').exists()ordescendants().where(as(uri)='#').exists()).not()).trace('unmatched',id).empty()",
        || Native::ContainedIsUsed { without_id: false },
    ),
    (
        "contained.where((('#'+idin(%resource.descendants().reference|%resource.descendants().ofType(canonical)|%resource.descendants().ofType(uri)|%resource.descendants().ofType(url)))ordescendants().where(reference='#').exists()ordescendants().where(ofType(canonical)='#').exists()ordescendants().where(ofType(canonical)='#').exists()).not()).trace('unmatched',id).empty()",
        || Native::ContainedIsUsed { without_id: true },
    ),
    ("contained.meta.versionId.empty()andcontained.meta.lastUpdated.empty()", || {
        Native::NoMeta(&["versionId", "lastUpdated"])
    }),
    ("contained.meta.security.empty()", || Native::NoMeta(&["security"])),
    ("text.`div`.exists()", || Native::HasNarrative),
    ("text.div.exists()", || Native::HasNarrative),
    (
        "reference.exists()implies(reference.startsWith('#').not()or(reference.substring(1)in%rootResource.contained.id)orreference='#')",
        || Native::Reference { own_container: true },
    ),
    (
        "reference.exists()implies(reference.startsWith('#').not()or(reference.substring(1).trace('url')in%rootResource.contained.id.trace('ids'))or(reference='#'and%rootResource!=%resource))",
        || Native::Reference { own_container: false },
    ),
    ("start.hasValue().not()orend.hasValue().not()or(start<=end)", || Native::Period),
    (
        "start.hasValue().not()orend.hasValue().not()or(start.lowBoundary()<=end.highBoundary())",
        || Native::Period,
    ),
    ("entry.search.empty()or(type='searchset')", || Native::Entries(Entries::HaveNoSearch)),
    ("(type='searchset')orentry.search.empty()", || Native::Entries(Entries::HaveNoSearch)),
    (
        "entry.all(request.exists()=(%resource.type='batch'or%resource.type='transaction'or%resource.type='history'))",
        || Native::Entries(Entries::HaveJustIn("request", ["batch", "transaction", "history"])),
    ),
    (
        "entry.all(response.exists()=(%resource.type='batch-response'or%resource.type='transaction-response'or%resource.type='history'))",
        || {
            let types = ["batch-response", "transaction-response", "history"];
            Native::Entries(Entries::HaveJustIn("response", types))
        },
    ),
    (
        "(type='history')orentry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()",
        || Native::Entries(Entries::AreDistinct),
    ),
    (
        "(type='history')orentry.where(fullUrl.exists()).select(fullUrl&iif(resource.meta.versionId.exists(),resource.meta.versionId,'')).isDistinct()",
        || Native::Entries(Entries::AreDistinct),
    ),
];

impl Native {
    /// The fast path of an expression, if it has one.
    pub(super) fn of(expression: &Expression) -> Option<Self> {
        let text: String = expression.text().split_whitespace().collect();
        let row = TABLE.iter().find(|(known, _)| *known == text);
        row.map(|(_, native)| native()).or_else(|| Presence::of(expression).map(Self::Presence))
    }

    /// Whether it holds; `None` if the engine must be asked.
    pub(super) fn holds(&self, context: &Context<'_>, node: NodeId) -> Option<bool> {
        let tree = context.tree();
        match self {
            Self::Presence(presence) => presence.holds(tree, node),
            Self::HasContent => {
                let content = tree.has_value(node)
                    || tree.children(node).any(|child| tree.name(child) != "id");
                // R4B lets an empty Parameters pass; the engine sees that.
                content.then_some(true)
            }
            Self::NoNesting => {
                let mut inner = contained(tree, node);
                Some(!inner.any(|inner| contained(tree, inner).next().is_some()))
            }
            Self::NoMeta(names) => {
                let has = |meta| tree.children(meta).any(|child| names.contains(&tree.name(child)));
                let metas = |inner| tree.children_named(inner, "meta").any(has);
                Some(!contained(tree, node).any(metas))
            }
            Self::HasNarrative => {
                if tree.name(node) == "contained" {
                    return Some(true);
                }
                let mut texts = tree.children_named(node, "text");
                Some(texts.any(|text| tree.child(text, "div").is_some()))
            }
            Self::ContainedIsUsed { without_id } => contained_is_used(context, node, *without_id),
            Self::Reference { own_container } => reference(context, node, *own_container),
            Self::Period => period(tree, node),
            Self::Entries(entries) => entries.hold(tree, node),
        }
    }
}

fn contained<'t>(tree: &'t Tree<'_>, node: NodeId) -> impl Iterator<Item = NodeId> + 't {
    tree.children_named(node, "contained")
}

/// Calls `each` for all that lies below an element.
fn each_below(tree: &Tree<'_>, node: NodeId, each: &mut impl FnMut(NodeId)) {
    let mut open = vec![tree.children(node)];
    while let Some(children) = open.last_mut() {
        match children.next() {
            Some(child) => {
                each(child);
                open.push(tree.children(child));
            }
            None => {
                open.pop();
            }
        }
    }
}

fn contained_is_used(context: &Context<'_>, node: NodeId, without_id: bool) -> Option<bool> {
    let tree = context.tree();
    if contained(tree, node).next().is_none() {
        return Some(true);
    }
    let is_link = |id| {
        tree.element_name(id) == "reference"
            || matches!(context.type_name(id), "canonical" | "uri" | "url")
    };
    let mut targets = BTreeSet::new();
    each_below(tree, context.resource_at(node), &mut |id| {
        if let Some(text) = tree.text(id).filter(|text| text.starts_with('#'))
            && is_link(id)
        {
            targets.insert(text);
        }
    });
    let mut all_used = true;
    for inner in contained(tree, node) {
        let used = match tree.child_text(inner, "id") {
            Some(id) => targets.contains(format!("#{id}").as_str()),
            // An id that has only extensions is for the engine.
            None if tree.child(inner, "id").is_some() => return None,
            None => without_id,
        };
        if used {
            continue;
        }
        let mut refers_out = false;
        each_below(tree, inner, &mut |id| {
            refers_out |= tree.text(id) == Some("#") && is_link(id);
        });
        all_used &= refers_out;
    }
    // What looks unused is rare: the engine has the last word.
    all_used.then_some(true)
}

fn reference(context: &Context<'_>, node: NodeId, own_container: bool) -> Option<bool> {
    let tree = context.tree();
    let Some(reference) = tree.child(node, "reference") else { return Some(true) };
    let Some(id) = tree.text(reference)?.strip_prefix('#') else { return Some(true) };
    let root = context.root_resource_at(node);
    if id.is_empty() {
        return Some(own_container || root != context.resource_at(node));
    }
    Some(contained(tree, root).any(|inner| tree.child_text(inner, "id") == Some(id)))
}

fn period(tree: &Tree<'_>, node: NodeId) -> Option<bool> {
    let (start, end) = (tree.child_text(node, "start"), tree.child_text(node, "end"));
    let (Some(start), Some(end)) = (start, end) else { return Some(true) };
    // Moments of one form and one time zone are in order by their digits; all else is for the engine.
    let are_alike = match start.len() {
        10 => true,
        19.. => start.get(19..) == end.get(19..),
        _ => false,
    };
    let is_plain = |text: &str| {
        text.bytes().take(19).enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        })
    };
    let is_in_order =
        are_alike && start.len() == end.len() && is_plain(start) && is_plain(end) && start <= end;
    is_in_order.then_some(true)
}
