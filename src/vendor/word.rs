//! The words by which packs, overrides and refusals name what a server can do.
//!
//! FHIR's codes for interactions, and words of our own for the flags of a CapabilityStatement that are no interactions:
//! `conditional-create` for `conditionalCreate`, `search:identifier` for a search parameter.

use crate::fhir::capability::ResourceCapability;
use crate::fhir::{Capability, Refusal};

/// Stands in the place of a type for what concerns the whole system: `transaction`, `batch`.
pub const SYSTEM: &str = Refusal::SYSTEM;

/// The prefix of a search parameter.
pub(super) const SEARCH: &str = "search:";

/// What can be said of a type: a flag of the statement, and the interaction without which it is worth nothing. FHIR's own
/// codes have neither.
type Flag = (fn(&ResourceCapability) -> bool, &'static str);

const INTERACTIONS: [&str; 9] = [
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
];

const OF_THE_SYSTEM: [&str; 4] = ["transaction", "batch", "search-system", "history-system"];

fn flag(word: &str) -> Option<Flag> {
    Some(match word {
        "conditional-create" => (|known| known.conditional_create, "create"),
        "conditional-update" => (|known| known.conditional_update, "update"),
        "conditional-patch" => (|known| known.conditional_patch, "patch"),
        "conditional-delete" => (|known| known.conditional_delete, "delete"),
        "update-create" => (|known| known.update_create, "update"),
        _ => return None,
    })
}

/// Whether a word can be said of a type, or of the [`SYSTEM`].
pub(super) fn is_known(resource_type: &str, word: &str) -> bool {
    if resource_type == SYSTEM {
        return OF_THE_SYSTEM.contains(&word);
    }
    INTERACTIONS.contains(&word)
        || flag(word).is_some()
        || word.strip_prefix(SEARCH).is_some_and(|name| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
}

/// Whether a statement says it.
pub(super) fn is_declared(statement: &Capability, resource_type: &str, word: &str) -> bool {
    if resource_type == SYSTEM {
        return statement.allows_system(word);
    }
    if let Some(parameter) = word.strip_prefix(SEARCH) {
        return statement.searches(resource_type, parameter);
    }
    match flag(word) {
        Some((is_set, _)) => statement.resources.get(resource_type).is_some_and(is_set),
        None => statement.allows(resource_type, word),
    }
}

/// Notes that a statement says it of a type.
pub(super) fn declare(known: &mut ResourceCapability, word: &str) {
    let flag = match word {
        "conditional-create" => &mut known.conditional_create,
        "conditional-update" => &mut known.conditional_update,
        "conditional-patch" => &mut known.conditional_patch,
        "conditional-delete" => &mut known.conditional_delete,
        "update-create" => &mut known.update_create,
        _ => {
            match word.strip_prefix(SEARCH) {
                Some(parameter) => known.search_parameters.insert(parameter.to_owned()),
                None => known.interactions.insert(word.to_owned()),
            };
            return;
        }
    };
    *flag = true;
}

/// The interaction without which a word is worth nothing.
pub(super) fn needs(word: &str) -> Option<&'static str> {
    if word.starts_with(SEARCH) {
        return Some("search-type");
    }
    flag(word).map(|(_, interaction)| interaction)
}
