//! Reading a pack, strictly: an unknown key is an error with its line, and so is every fact without a source.

use std::collections::BTreeSet;

use super::fact::SourceEntry;
use super::pack::{Match, Pack};
use super::word;

/// The version of the format that this program reads.
const FORMAT: u32 = 1;

/// Why a text is no pack. Packs are public, so the text may quote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAPack(String);

impl Pack {
    /// Reads a pack.
    ///
    /// # Errors
    /// [`NotAPack`]: what is wrong, with the line where TOML or a key is wrong, else with the fact.
    pub fn parse(text: &str) -> Result<Self, NotAPack> {
        let pack: Self = toml::from_str(text).map_err(|error| NotAPack(error.to_string()))?;
        let tree: toml::Table =
            text.parse().map_err(|error: toml::de::Error| NotAPack(error.to_string()))?;
        let mut faults = Vec::new();
        let mut used = BTreeSet::new();
        for (name, value) in &tree {
            // The pack's own data, and the sources themselves.
            if name != "sources"
                && !matches!(value, toml::Value::String(_) | toml::Value::Integer(_))
            {
                sources(value, name, &pack, &mut used, &mut faults);
            }
        }
        let unused = pack.sources.keys().filter(|key| !used.contains(*key));
        faults.extend(unused.map(|key| format!("the source `{key}` is named by no fact")));
        pack.check(&mut faults);
        if faults.is_empty() { Ok(pack) } else { Err(NotAPack(faults.join("\n"))) }
    }

    fn check(&self, faults: &mut Vec<String>) {
        if self.format != FORMAT {
            faults.push(format!("format {} is not read by this program", self.format));
        }
        for matched in &self.matches {
            if !is_enough(matched) {
                faults.push("a match needs a host or a publisher, or software with a path or an interaction".to_owned());
            }
        }
        if let Some(statement) = &self.statement {
            statement.check(faults);
        }
        let mut words = BTreeSet::new();
        for rule in &self.rules {
            let resource_type = &rule.resource_type;
            if rule.allow.is_empty() == rule.beyond_statement {
                let text = "`allow` and `beyond_statement = true` go together";
                faults.push(format!("resource {resource_type}: {text}"));
            }
            if rule.allow.is_empty() && rule.deny.is_empty() {
                faults.push(format!("resource {resource_type}: neither `allow` nor `deny`"));
            }
            for word in rule.allow.iter().chain(&rule.deny) {
                if !word::is_known(resource_type, word) {
                    faults.push(format!("resource {resource_type}: unknown word `{word}`"));
                }
                if !words.insert((resource_type, word)) {
                    faults.push(format!("resource {resource_type}: `{word}` twice"));
                }
            }
        }
        // Whoever paces requests divides by these.
        if self.rate.iter().any(|rate| rate.requests == 0 || rate.seconds == 0) {
            faults.push("rate: at least 1 request, in at least 1 second".to_owned());
        }
        let limits = &self.limits;
        let entries =
            [&limits.max_entries, &limits.max_conditional_entries, &limits.max_update_entries];
        if entries.into_iter().flatten().any(|limit| limit.value == 0) {
            faults.push("limits: a Bundle of no entry".to_owned());
        }
        let mut kinds = BTreeSet::new();
        for step in &self.ladder {
            if !kinds.insert(step.kind) {
                faults.push(format!("ladder {}: twice", step.kind.code()));
            }
        }
        let mut codes = BTreeSet::new();
        for code in &self.codes.list {
            if !codes.insert((&code.code, &code.at)) {
                faults.push(format!("code {}: twice", code.code));
            }
        }
        if !self.codes.list.is_empty() && self.codes.place.is_none() {
            faults.push("codes: `place` does not say where they stand".to_owned());
        }
        for types in [&self.document.plan_types, &self.document.session_types].into_iter().flatten()
        {
            let wrong = types.value.iter().filter(|code| !is_loinc(code));
            faults.extend(wrong.map(|code| format!("document: `{code}` is no LOINC code")));
        }
    }
}

/// Every table that holds a value of its own is a fact and names a source.
fn sources(
    value: &toml::Value,
    path: &str,
    pack: &Pack,
    used: &mut BTreeSet<String>,
    faults: &mut Vec<String>,
) {
    match value {
        toml::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                sources(item, &format!("{path}[{index}]"), pack, used, faults);
            }
        }
        toml::Value::Table(table) => {
            let is_value = |value: &toml::Value| match value {
                toml::Value::Table(_) => false,
                toml::Value::Array(items) => !items.iter().all(toml::Value::is_table),
                _ => true,
            };
            let is_fact = table.values().any(is_value) || table.contains_key("value");
            match table.get("source").and_then(toml::Value::as_str) {
                Some(key) if pack.sources.contains_key(key) => {
                    used.insert(key.to_owned());
                }
                Some(key) => faults.push(format!("{path}: there is no source `{key}`")),
                None if is_fact => faults.push(format!("{path}: a fact without a source")),
                None => {}
            }
            // What stands under `value` is the value; a list of facts may stand beside one.
            let others = table.iter().filter(|(name, value)| *name != "value" && !is_value(value));
            for (name, value) in others {
                sources(value, &format!("{path}.{name}"), pack, used, faults);
            }
        }
        _ => faults.push(format!("{path}: a value that is no fact")),
    }
}

/// Whether a match names a vendor; `software` alone does not (NextGen Office calls itself HAPI).
fn is_enough(matched: &Match) -> bool {
    matched.host.is_some()
        || matched.publisher.is_some()
        || (matched.software.is_some() && (matched.path.is_some() || matched.declares.is_some()))
}

/// Whether a text is written like a LOINC code and its check digit is right (Luhn, LOINC Users' Guide, appendix).
fn is_loinc(text: &str) -> bool {
    let Some((digits, check)) = text.split_once('-') else { return false };
    if digits.is_empty() || check.len() != 1 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = u32::from(digit - b'0');
            if index % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    check.parse() == Ok((10 - sum % 10) % 10)
}

impl SourceEntry {
    /// The entry in one line, for a person: what it is, and how far it can be relied on.
    pub fn line(&self) -> String {
        format!("{} ({})", self.text, self.evidence.words())
    }
}

#[cfg(test)]
mod tests {
    use super::is_loinc;

    #[test]
    fn loinc_codes_have_a_check_digit() {
        for code in ["34904-3", "34787-2", "11506-3", "56447-6", "34133-9", "44249-1"] {
            assert!(is_loinc(code), "{code}");
        }
        for code in ["34904-4", "34904", "-3", "x-3", "34904-33", ""] {
            assert!(!is_loinc(code), "{code}");
        }
    }
}
