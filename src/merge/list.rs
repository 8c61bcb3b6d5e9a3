//! Lists by what their items are, never by where they stand.
//!
//! An index names another item as soon as somebody adds one before it (that is how a patch by index changes the
//! wrong goal). An item is known by its `id`, identifier, `linkId`, `url`, reference or coding, and else by all it
//! says; of several alike, the first is the first.

use std::collections::BTreeMap;

use crate::json::Value;

use super::change::value_with_change;
use super::normalise::tidy;

/// What an item is known by, and which of several alike it is.
pub(super) type Key = (String, usize);

/// The keys of the items of a list, each once.
pub(super) fn keys(items: &[Value]) -> Vec<Key> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    items
        .iter()
        .map(|item| {
            let name = name(item).unwrap_or_else(|| format!("={}", tidy(item).to_text()));
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            (name, *count)
        })
        .collect()
}

/// The words by which an item is known; nothing if only the whole item can tell.
fn name(item: &Value) -> Option<String> {
    let coding = |value: &Value| {
        let code = value.text("code")?;
        Some(format!("code {}|{code}", value.text("system").unwrap_or_default()))
    };
    let identifier = |value: &Value| {
        Some(format!("identifier {}|{}", value.text("system")?, value.text("value")?))
    };
    let reference = |value: &Value| {
        let text = value.text("reference").or_else(|| value.get("reference")?.text("reference"))?;
        Some(format!("reference {text}"))
    };
    item.text("id")
        .map(|id| format!("id {id}"))
        .or_else(|| item.items("identifier").find_map(identifier))
        .or_else(|| identifier(item))
        .or_else(|| item.text("linkId").map(|id| format!("linkId {id}")))
        .or_else(|| item.text("url").map(|url| format!("url {url}")))
        .or_else(|| reference(item))
        .or_else(|| coding(item))
        .or_else(|| item.items("coding").find_map(coding))
}

/// The keys of the base, in which an item that only its words tell and that the server altered bears the key under
/// which our record knew it. Items are paired in their order, if as many of ours are missing as there are strange ones.
fn paired(base: Vec<Key>, old: &[Key]) -> Vec<Key> {
    let is_strange = |key: &&Key, others: &[Key]| key.0.starts_with('=') && !others.contains(key);
    let missing: Vec<&Key> = old.iter().filter(|key| is_strange(key, &base)).collect();
    if base.iter().filter(|key| is_strange(key, old)).count() != missing.len() {
        return base;
    }
    let mut known = missing.into_iter().cloned().collect::<Vec<_>>().into_iter();
    base.iter()
        .map(|key| {
            let known = if is_strange(&key, old) { known.next() } else { None };
            known.unwrap_or_else(|| key.clone())
        })
        .collect()
}

/// The items of the base with our change made to them: the items of `new` in their order, each as the base has it
/// plus what we changed in it, and between them what only the base has.
pub(super) fn with_change(base: &[Value], old: &[Value], new: &[Value]) -> Vec<Value> {
    let (old_keys, new_keys) = (keys(old), keys(new));
    let base_keys = paired(keys(base), &old_keys);
    let find = |keys: &[Key], items: &[Value], key: &Key| -> Option<Value> {
        keys.iter().position(|one| one == key).and_then(|place| items.get(place)).cloned()
    };
    let mut result: Vec<(Key, Value)> = Vec::new();
    for (key, item) in new_keys.iter().zip(new) {
        let (in_base, in_old) = (find(&base_keys, base, key), find(&old_keys, old, key));
        // An item that the base lost and that we did not touch stays lost.
        let merged = value_with_change(in_base.as_ref(), in_old.as_ref(), Some(item));
        result.extend(merged.map(|item| (key.clone(), item)));
    }
    for (place, (key, item)) in base_keys.iter().zip(base).enumerate() {
        if old_keys.contains(key) || new_keys.contains(key) {
            continue;
        }
        let before = base_keys.iter().take(place).rev();
        let after_which = before.filter_map(|key| result.iter().position(|(one, _)| one == key));
        let at = after_which.take(1).next().map_or(0, |place| place + 1);
        result.insert(at, (key.clone(), item.clone()));
    }
    result.into_iter().map(|(_, item)| item).collect()
}
