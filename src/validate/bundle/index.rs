//! The index of a Bundle's entries by `fullUrl`, and by type and id.

use super::super::primitive::{is_absolute_url, is_id};
use super::super::tree::{NodeId, Tree};
use super::super::types::Types;
use super::is_resource;

/// The parts of a URL that a FHIR server would have for a resource: `https://x/fhir/Patient/1/_history/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restful<'t> {
    /// What stands before the type, with its slash; empty for a relative one.
    pub base: &'t str,
    /// `Patient`
    pub resource_type: &'t str,
    /// `1`
    pub id: &'t str,
    /// `2`
    pub version: Option<&'t str>,
}

/// Reads a URL as that of a resource on a server, or a relative one: a type of the release, an id, perhaps a version.
pub fn restful<'t>(url: &'t str, types: &Types) -> Option<Restful<'t>> {
    let (url, version) = match url.split_once("/_history/") {
        Some((url, version)) if is_id(version) => (url, Some(version)),
        Some(_) => return None,
        None => (url, None),
    };
    let (head, id) = url.rsplit_once('/')?;
    let (base, resource_type) = match head.rfind('/') {
        Some(at) => head.split_at_checked(at + 1)?,
        None => ("", head),
    };
    let base_is_right = base.is_empty()
        || ["http://", "https://"].iter().any(|scheme| {
            base.strip_prefix(scheme).is_some_and(|rest| {
                rest.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric()
                        || matches!(byte, b'\\' | b'.' | b':' | b'%' | b'$' | b'-' | b'_' | b'/')
                })
            })
        });
    (base_is_right && is_id(id) && is_resource(types, resource_type)).then_some(Restful {
        base,
        resource_type,
        id,
        version,
    })
}

/// What a reference leads to inside of a Bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// This resource.
    Resource(NodeId),
    /// Several entries have the URL: this many.
    Several(usize),
    /// None.
    Nothing,
    /// None by the rules, though this many entries have a resource of the type and id.
    Lookalikes(usize),
}

/// Entries found by a key.
pub type Found<'i, 't> = &'i [(&'t str, NodeId)];

/// The entries of a Bundle by their keys.
#[derive(Debug)]
pub struct BundleIndex<'t> {
    /// `Bundle.type`
    kind: &'t str,
    entries: Vec<NodeId>,
    /// `fullUrl` and entry, sorted.
    by_url: Vec<(&'t str, NodeId)>,
    /// `fullUrl` and version id, and entry, sorted; only where there is a version.
    by_version: Vec<((&'t str, &'t str), NodeId)>,
    /// Id, type and entry, sorted.
    by_id: Vec<((&'t str, &'t str), NodeId)>,
}

impl<'t> BundleIndex<'t> {
    /// Reads a Bundle's entries once.
    pub fn new(tree: &'t Tree<'_>, bundle: NodeId) -> Self {
        let entries: Vec<NodeId> = tree.children_named(bundle, "entry").collect();
        let mut index = Self {
            kind: tree.child_text(bundle, "type").unwrap_or_default(),
            by_url: Vec::with_capacity(entries.len()),
            by_version: Vec::new(),
            by_id: Vec::with_capacity(entries.len()),
            entries: Vec::new(),
        };
        for entry in &entries {
            let url = tree.child_text(*entry, "fullUrl");
            index.by_url.extend(url.map(|url| (url, *entry)));
            let Some(resource) = tree.child(*entry, "resource") else { continue };
            let Some(resource_type) = tree.resource_type(resource) else { continue };
            let id = tree.child_text(resource, "id");
            index.by_id.extend(id.map(|id| ((id, resource_type), *entry)));
            let version =
                tree.child(resource, "meta").and_then(|meta| tree.child_text(meta, "versionId"));
            if let (Some(url), Some(version)) = (url, version) {
                index.by_version.push(((url, version), *entry));
            }
        }
        index.entries = entries;
        index.by_url.sort_unstable();
        index.by_version.sort_unstable();
        index.by_id.sort_unstable();
        index
    }

    /// `Bundle.type`; empty if it has none.
    pub const fn kind(&self) -> &'t str {
        self.kind
    }

    /// The entries in their order.
    pub fn entries(&self) -> &[NodeId] {
        &self.entries
    }

    /// The entries of a `fullUrl`.
    pub fn of_url(&self, url: &str) -> Found<'_, 't> {
        range(&self.by_url, |(key, _)| (*key).cmp(url))
    }

    /// The entries of a `fullUrl` whose resource has a version.
    fn of_version(&self, url: &str, version: &str) -> &[((&'t str, &'t str), NodeId)] {
        range(&self.by_version, |(key, _)| (*key).cmp(&(url, version)))
    }

    /// The entries of a type and id, written as a relative reference: `Patient/1`.
    pub fn of_type_and_id(&self, reference: &str) -> &[((&'t str, &'t str), NodeId)] {
        let Some((resource_type, id)) = reference.split_once('/') else { return &[] };
        range(&self.by_id, |(key, _)| (*key).cmp(&(id, resource_type)))
    }

    /// Follows a reference, which stands in an entry of this `fullUrl`, by the rules of R4 2.35.4.1: an absolute one by
    /// `fullUrl`; a relative one by the base of the entry's own URL, if that is a server's.
    ///
    /// A fragment is left out. A version is compared with `meta.versionId`.
    pub fn resolve(
        &self,
        tree: &Tree<'_>,
        types: &Types,
        reference: &str,
        full_url: Option<&str>,
    ) -> Target {
        let reference = reference.split('#').next().unwrap_or_default();
        let (plain, version) = match reference.split_once("/_history/") {
            Some((plain, version)) => (plain, Some(version)),
            None => (reference, None),
        };
        let joined;
        let url = if is_absolute_url(plain) {
            plain
        } else {
            match full_url.and_then(|full_url| restful(full_url, types)) {
                Some(parts) => {
                    joined = format!("{}{plain}", parts.base);
                    &joined
                }
                None => "",
            }
        };
        let found = self.of_url(url);
        let entry = match (found, version) {
            ([], _) => None,
            ([(_, entry)], None) => Some(*entry),
            (several, None) => return Target::Several(several.len()),
            (_, Some(version)) => match self.of_version(url, version) {
                [] => None,
                [(_, entry)] => Some(*entry),
                several => return Target::Several(several.len()),
            },
        };
        if let Some(resource) = entry.and_then(|entry| tree.child(entry, "resource")) {
            return Target::Resource(resource);
        }
        if is_absolute_url(plain) {
            return Target::Nothing;
        }
        match self.of_type_and_id(plain).len() {
            0 => Target::Nothing,
            some => Target::Lookalikes(some),
        }
    }
}

fn range<T>(sorted: &[T], compare: impl Fn(&T) -> std::cmp::Ordering) -> &[T] {
    let from = sorted.partition_point(|item| compare(item).is_lt());
    let to = sorted.partition_point(|item| compare(item).is_le());
    sorted.get(from..to).unwrap_or_default()
}
