//! The invariants of Bundles that look at every entry: a Bundle has a hundred thousand, and the engine takes its time for each.
//!
//! It says only that they hold. Whatever else it sees is rare, and for the engine, which has the last word.

use std::borrow::Cow;

use crate::validate::tree::{NodeId, Tree};

/// What every entry has to have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entries {
    /// bdl-2: a `search` there is only in a searchset.
    HaveNoSearch,
    /// bdl-3, bdl-4: they have this member just if the Bundle is of one of these types.
    HaveJustIn(&'static str, [&'static str; 3]),
    /// bdl-7: no two have one `fullUrl` and one version, but in a history.
    AreDistinct,
}

impl Entries {
    /// Whether it holds; `None` if the engine must be asked.
    pub(super) fn hold(self, tree: &Tree<'_>, bundle: NodeId) -> Option<bool> {
        let kind = tree.child_text(bundle, "type")?;
        let mut entries = tree.children_named(bundle, "entry");
        let holds = match self {
            Self::HaveNoSearch => {
                kind == "searchset" || entries.all(|entry| tree.child(entry, "search").is_none())
            }
            Self::HaveJustIn(member, types) => {
                let wanted = types.contains(&kind);
                entries.all(|entry| tree.child(entry, member).is_some() == wanted)
            }
            Self::AreDistinct => kind == "history" || are_distinct(tree, entries),
        };
        holds.then_some(true)
    }
}

/// Whether no two entries have one `fullUrl` and version, which bdl-7 joins to one text.
fn are_distinct<'t>(tree: &'t Tree<'_>, entries: impl Iterator<Item = NodeId>) -> bool {
    let version = |entry| {
        let meta = tree.child(tree.child(entry, "resource")?, "meta")?;
        tree.child_text(meta, "versionId")
    };
    // Of a URL that has extensions and no value the engine knows what to think.
    let joined = |(entry, url)| -> Option<Cow<'t, str>> {
        let url = tree.text(url)?;
        let with = |version| Cow::Owned([url, version].concat());
        Some(version(entry).map_or(Cow::Borrowed(url), with))
    };
    let urls = entries.filter_map(|entry| Some((entry, tree.child(entry, "fullUrl")?)));
    let Some(mut all) = urls.map(joined).collect::<Option<Vec<_>>>() else { return false };
    all.sort_unstable();
    all.is_sorted_by(|one, two| one != two)
}
