//! What a resource says, free of what a server may change without anybody having edited it (ehrs-and-sync.md 3.3).
//!
//! Two strengths: [`canonical`] keeps every word that we write and serves to see whether our own record moved;
//! [`normalise`] also takes the narrative by its words, because servers parse it and render it anew, and serves to
//! compare with what a server holds. The narrative is not dropped: an edit that somebody made only there is an edit.

use std::borrow::Cow;

use crate::fhir::Resource;
use crate::json::{Key, Object, Value};

/// Elements of `meta` that the server owns.
pub(super) const OWNED_BY_SERVER: [&str; 3] = ["versionId", "lastUpdated", "source"];
/// Lists of `meta` in which order and repetition mean nothing.
const SETS: [&str; 3] = ["security", "tag", "profile"];

/// Whether both resources say the same.
pub fn same_content(left: &Resource, right: &Resource) -> bool {
    normalise(left) == normalise(right)
}

/// The resource as one text that all ways of writing it share: members sorted, numbers by value, without the id and
/// what the server owns in `meta`. Hash this to recognise a body.
pub fn canonical(resource: &Resource) -> String {
    Value::Object(without_server_elements(resource)).to_text()
}

/// The resource as [`canonical`] writes it, its narrative reduced to its words.
pub fn normalise(resource: &Resource) -> Value {
    let mut object = without_server_elements(resource);
    if let Some(text) = object.get_mut("text") {
        let words = words(text.text("div").unwrap_or_default());
        *text = Value::String(words);
    }
    Value::Object(object)
}

fn without_server_elements(resource: &Resource) -> Object {
    let mut object = sorted(resource.object());
    object.remove("id");
    let mut meta = object.remove("meta");
    if let Some(meta) = meta.as_mut().and_then(Value::as_object_mut) {
        meta.retain(|name, _| !OWNED_BY_SERVER.contains(&name));
        for name in SETS {
            if let Some(Value::Array(items)) = meta.get_mut(name) {
                items.sort_by_cached_key(Value::to_text);
                items.dedup();
            }
        }
    }
    if let Some(Value::Object(meta)) = meta.filter(|meta| *meta != Value::Object(Object::new())) {
        object.insert("meta", Value::Object(meta));
    }
    sorted_members(object.into_members().collect())
}

fn sorted(object: &Object) -> Object {
    sorted_members(
        object.iter().map(|(name, value)| (Key::from(name.to_owned()), tidy(value))).collect(),
    )
}

fn sorted_members(mut members: Vec<(Key, Value)>) -> Object {
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    object
}

/// A value with its members sorted and its numbers in their one spelling.
pub(super) fn tidy(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(sorted(object)),
        Value::Array(items) => Value::Array(items.iter().map(tidy).collect()),
        Value::Number(number) => Value::Number(number.canonical()),
        other => other.clone(),
    }
}

/// The words of an XHTML narrative, one space between them: tags parted from words, entities resolved.
fn words(div: &str) -> String {
    let mut plain = String::with_capacity(div.len());
    let mut rest = div;
    while let Some(start) = rest.find(['<', '&']) {
        let (before, marked) = rest.split_at(start);
        plain.push_str(before);
        let end = if marked.starts_with('<') { marked.find('>') } else { marked.find(';') };
        let Some((mark, after)) = end.and_then(|end| marked.split_at_checked(end + 1)) else {
            rest = marked;
            break;
        };
        match entity(mark) {
            Some(character) => plain.push_str(&character),
            None if mark.starts_with('<') => plain.push(' '),
            None => plain.push_str(mark),
        }
        rest = after;
    }
    plain.push_str(rest);
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ")
}

/// The character that `&name;` or `&#number;` stands for; nothing for a tag or an unknown name.
fn entity(mark: &str) -> Option<Cow<'static, str>> {
    let name = mark.strip_prefix('&')?.strip_suffix(';')?;
    let known = match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => " ",
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            return char::from_u32(code).map(|character| character.to_string().into());
        }
    };
    Some(known.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(text: &str) -> Resource {
        Resource::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_server_changes_by_itself_does_not_count() {
        let ours = resource(
            r#"{"resourceType":"Goal","meta":{"tag":[{"code":"b"},{"code":"a"}]},"status":"x","score":[11.0],
                "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>A &amp; B</p></div>"}}"#,
        );
        let theirs = resource(
            r##"{"score":[1.10E1],"id":"7","resourceType":"Goal","status":"x","text":{"status":"additional",
                "div":"<div xmlns='http://www.w3.org/1999/xhtml'><p> A &#38;\n B </p></div>"},
                "meta":{"versionId":"3","lastUpdated":"2026-01-01T00:00:00Z","source":"#x","tag":[{"code":"a"},{"code":"b"}]}}"##,
        );
        assert!(same_content(&ours, &theirs));
        assert_ne!(canonical(&ours), canonical(&theirs), "the narrative is not written alike");
    }

    #[test]
    fn what_a_person_changes_counts() {
        let ours = resource(
            r#"{"resourceType":"Goal","status":"x","text":{"div":"<div>two words</div>"},"list":["a","b"]}"#,
        );
        for theirs in [
            r#"{"resourceType":"Goal","status":"y","text":{"div":"<div>two words</div>"},"list":["a","b"]}"#,
            r#"{"resourceType":"Goal","status":"x","text":{"div":"<div>two other words</div>"},"list":["a","b"]}"#,
            r#"{"resourceType":"Goal","status":"x","text":{"div":"<div>two words</div>"},"list":["b","a"]}"#,
            r#"{"resourceType":"Goal","status":"x","list":["a","b"]}"#,
            r#"{"resourceType":"Goal","meta":{"security":[{"code":"R"}]},"status":"x","text":{"div":"<div>two words</div>"},"list":["a","b"]}"#,
        ] {
            assert!(!same_content(&ours, &resource(theirs)), "{theirs}");
        }
    }

    #[test]
    fn half_a_tag_or_entity_stays_text() {
        assert_eq!(words("a < b"), "a < b");
        assert_eq!(words("R&D; &bogus; &#x41;"), "R&D; &bogus; A");
    }
}
