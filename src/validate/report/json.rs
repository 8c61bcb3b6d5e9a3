//! The report as data: one object for each finding, one for each resource.

use super::{Count, Reported};
use crate::json::{Object, Value};
use crate::object;

fn number(number: usize) -> Option<u64> {
    u64::try_from(number).ok()
}

/// A finding: severity, code, type, message, expression, pointer, line, column, and what there is of found (kind,
/// length and, if asked for, value), allowed, profile, key; and the specification's place.
pub fn finding(item: &Reported) -> Object {
    let mut object = object! {
        "severity" => item.severity.code(),
        "code" => item.rule.code,
        "type" => item.rule.kind.code(),
        "message" => item.text.as_ref(),
        "expression" => &item.expression,
    };
    // The pointer to the whole document is the empty text, and it is there.
    object.insert("pointer", Value::String(item.pointer.as_str().to_owned()));
    let more = object! {
        "line" => number(item.position.line),
        "column" => number(item.position.column),
        "found" => item.found.as_ref().map(super::Found::words),
        "allowed" => item.allowed.as_deref(),
        "profile" => item.profile.as_deref(),
        "key" => item.key.as_deref(),
        "specification" => item.rule.specification,
    };
    for (name, value) in more.into_members() {
        object.insert(name, value);
    }
    object
}

/// A resource and what was found in it.
pub fn resource(
    file: &str,
    line: usize,
    resource_type: Option<&str>,
    is_readable: bool,
    reported: &[Reported],
) -> Object {
    let mut count = Count::default();
    count.add(reported);
    let mut object = object! {
        "file" => file,
        "line" => number(line),
        "resourceType" => resource_type,
        "readable" => is_readable,
        "valid" => count.is_valid(),
    };
    let issues = reported.iter().map(|item| Value::Object(finding(item))).collect();
    object.insert("issues", Value::Array(issues));
    object
}

/// The sums.
pub fn count(count: &Count) -> Object {
    object! {
        "files" => count.files,
        "resources" => count.resources,
        "invalid" => count.invalid,
        "errors" => count.errors,
        "warnings" => count.warnings,
        "information" => count.information,
        "notChecked" => count.not_checked,
    }
}
