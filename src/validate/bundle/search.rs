//! Search results (R4 3.1.1.1.2): what was searched for, and which entry is there for what reason.

use std::collections::BTreeSet;

use super::super::finding::Findings;
use super::super::rule::bundle as rule;
use super::super::tree::{NodeId, Tree};
use super::Scene;
use crate::issue::Severity;

pub(super) fn check(
    scene: Scene<'_, '_>,
    bundle: NodeId,
    entries: &[NodeId],
    findings: &mut Findings,
) {
    let tree = scene.tree;
    let myself = tree
        .children_named(bundle, "link")
        .find(|link| tree.child_text(*link, "relation") == Some("self"));
    let wanted: BTreeSet<&str> = myself
        .and_then(|link| tree.child_text(link, "url"))
        .map_or_else(BTreeSet::new, |url| types(scene, url));
    if myself.is_none() {
        findings.add(&rule::NO_SELF_LINK, bundle, rule::NO_SELF_LINK.title).member("link");
    } else if wanted.is_empty() {
        findings.add(&rule::SELF_LINK_UNCLEAR, bundle, rule::SELF_LINK_UNCLEAR.title);
    }
    let any = entries.iter().any(|entry| mode(tree, *entry).is_some());
    let mut unclear = false;
    let mut only: Option<&str> = None;
    for entry in entries {
        let mode = mode(tree, *entry);
        if any && mode.is_none() {
            findings
                .add(&rule::NO_SEARCH_MODE, *entry, rule::NO_SEARCH_MODE.title)
                .member("search");
        }
        let Some(resource) = tree.child(*entry, "resource") else {
            findings
                .add(&rule::SEARCH_NO_RESOURCE, *entry, rule::SEARCH_NO_RESOURCE.title)
                .member("resource");
            continue;
        };
        let name = tree.resource_type(resource).unwrap_or_default();
        let has_id = tree.child(resource, "id").is_some();
        let is_wanted = wanted.is_empty() || wanted.contains(name);
        match mode {
            Some("match" | "include") => {
                if !has_id {
                    findings
                        .add(&rule::SEARCH_NO_ID, resource, rule::SEARCH_NO_ID.title)
                        .member("id");
                }
                if mode == Some("match") && !is_wanted {
                    findings.add(&rule::SEARCH_OTHER_TYPE, resource, rule::SEARCH_OTHER_TYPE.title);
                }
            }
            Some(_) => {
                if name != "OperationOutcome" {
                    findings.add(&rule::SEARCH_NO_OUTCOME, resource, rule::SEARCH_NO_OUTCOME.title);
                }
            }
            None if any => {}
            None => {
                if !has_id && name != "OperationOutcome" {
                    findings
                        .add(&rule::SEARCH_NO_ID, resource, rule::SEARCH_NO_ID.title)
                        .severity(Severity::Warning)
                        .member("id");
                }
                if wanted.is_empty() {
                    unclear = true;
                } else if !is_wanted {
                    unclear = true;
                    findings
                        .add(&rule::SEARCH_OTHER_TYPE, resource, rule::SEARCH_OTHER_TYPE.title)
                        .severity(Severity::Warning);
                } else if name != "OperationOutcome" {
                    unclear |= only.is_some_and(|only| only != name);
                    only = only.or(Some(name));
                }
            }
        }
    }
    if !any && !entries.is_empty() {
        let severity = if unclear { Severity::Warning } else { Severity::Information };
        findings.add(&rule::NO_SEARCH_MODE, bundle, rule::NO_SEARCH_MODE.title).severity(severity);
    }
}

fn mode<'t>(tree: &'t Tree<'_>, entry: NodeId) -> Option<&'t str> {
    tree.child_text(tree.child(entry, "search")?, "mode")
}

/// The types that a search asks for: the last part of its path, or its `_type`.
fn types<'t>(scene: Scene<'_, '_>, url: &'t str) -> BTreeSet<&'t str> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    match path.rsplit('/').next() {
        Some(name) if scene.is_resource(name) => BTreeSet::from([name]),
        _ => query
            .split('&')
            .filter_map(|parameter| parameter.strip_prefix("_type="))
            .flat_map(|names| names.split(','))
            .collect(),
    }
}
