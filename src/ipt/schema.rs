//! The published schema of the record, and its errors in words that quote no value.
//!
//! `profiles/ipt-plan.schema.json` is what editors use; the same file decides here. Its titles and descriptions
//! are the help texts, so that an editor and the command line say the same.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value as SchemaValue;

use crate::issue::Issue;
use crate::json::Pointer;

/// The text of the schema.
pub const TEXT: &str = include_str!("../../profiles/ipt-plan.schema.json");

static SCHEMA: LazyLock<Option<(SchemaValue, Validator)>> = LazyLock::new(|| {
    let schema: SchemaValue = serde_json::from_str(TEXT).ok()?;
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        // The linear engine: no document can make a pattern run wild.
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .ok()?;
    Some((schema, validator))
});

/// All that the schema finds wrong with a document, without positions.
pub fn check(document: &SchemaValue) -> Vec<Issue> {
    let Some((schema, validator)) = &*SCHEMA else {
        let text = "the built-in schema can't be compiled";
        return vec![Issue::error("ipt-plan-schema", Pointer::root(), text)];
    };
    let mut issues: Vec<Issue> =
        validator.iter_errors(document).flat_map(|error| describe(schema, &error)).collect();
    issues.sort_by(|left, right| left.location.pointer.cmp(&right.location.pointer));
    issues.dedup();
    issues
}

/// One error of the library as issues of ours; several unknown members come as one error.
fn describe(schema: &SchemaValue, error: &ValidationError<'_>) -> Vec<Issue> {
    let pointer = Pointer::from(error.instance_path().as_str());
    let keyword = error.schema_path().as_str();
    let owner = keyword.rsplit_once('/').map_or("", |(owner, _)| owner);
    let about = schema.pointer(owner);
    let description = about
        .and_then(|about| about.get("description"))
        .and_then(SchemaValue::as_str)
        .map(str::to_owned);
    let issue = |code, text: String| {
        let issue = Issue::error(code, pointer.clone(), text);
        match &description {
            Some(help) => issue.with_help(help.clone()),
            None => issue,
        }
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| unknown_member(about, &pointer, name)).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![issue("ipt-plan-missing", format!("the member `{name}` is missing"))]
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => {
                    let names: Vec<String> = kinds.iter().map(|kind| kind.to_string()).collect();
                    names.join(" or ")
                }
            };
            vec![issue("ipt-plan-type", format!("expected a value of type {expected}"))]
        }
        ValidationErrorKind::Enum { options } => {
            let allowed = words(options);
            let text = "not one of the codes that are allowed here".to_owned();
            let near = error.instance().as_str().and_then(|given| nearest(given, &allowed));
            let help = match near {
                Some(near) => format!("did you mean `{near}`? allowed: {}", allowed.join(", ")),
                None => format!("allowed: {}", allowed.join(", ")),
            };
            vec![issue("ipt-plan-code", text).with_help(help)]
        }
        ValidationErrorKind::Constant { expected_value } => {
            vec![issue("ipt-plan-constant", format!("expected {expected_value}"))]
        }
        ValidationErrorKind::Pattern { .. } => {
            vec![issue(
                "ipt-plan-form",
                "the text does not have the form that is needed".to_owned(),
            )]
        }
        ValidationErrorKind::MinItems { .. } => {
            let text = "an empty list; leave the member out if there is nothing to list";
            vec![issue("ipt-plan-empty", text.to_owned())]
        }
        // `anyOf` asks for one of several members: one that is the record's own (`x-*`) tells nothing.
        ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::AnyOf { .. } => {
            let text = "an empty object; leave the member out if there is nothing to say";
            vec![issue("ipt-plan-empty", text.to_owned())]
        }
        ValidationErrorKind::Minimum { limit } => {
            vec![issue("ipt-plan-range", format!("the number must be at least {limit}"))]
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            vec![issue("ipt-plan-range", format!("the number must be greater than {limit}"))]
        }
        ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::OneOfMultipleValid { .. }
        | ValidationErrorKind::Not { .. } => {
            vec![issue("ipt-plan-combination", "these members can't stand like this".to_owned())]
        }
        _ => vec![issue("ipt-plan-schema", format!("the schema's rule `{keyword}` does not hold"))],
    }
}

/// A member that the record does not know. Its name is shown only if it looks like one of a schema's names.
fn unknown_member(object: Option<&SchemaValue>, parent: &Pointer, name: &str) -> Issue {
    let known: Vec<String> = object
        .and_then(|object| object.get("properties"))
        .and_then(SchemaValue::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    let help = match nearest(name, &known) {
        Some(near) => format!("did you mean `{near}`? Members of your own must begin with `x-`"),
        None => "remove it, or let its name begin with `x-` if it is your own".to_owned(),
    };
    let text = "a member that a record does not have";
    Issue::error("ipt-plan-unknown-key", parent.member(name), text).with_help(help)
}

fn words(options: &SchemaValue) -> Vec<String> {
    let items = options.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(SchemaValue::as_str).map(str::to_owned).collect()
}

/// The known word that is nearest to the given one, if it is near enough to be meant.
pub fn nearest<'a>(given: &str, known: &'a [String]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (distance(&given.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance * 3 <= word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word.as_str())
}

/// Edit distance (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        for (place, to) in right.iter().enumerate() {
            let above = row.get(place + 1).copied().unwrap_or(usize::MAX);
            let replaced = diagonal + usize::from(from != *to);
            if let Some(cell) = row.get_mut(place) {
                *cell = before;
            }
            diagonal = above;
            before = replaced.min(before + 1).min(above.saturating_add(1));
        }
        if let Some(cell) = row.last_mut() {
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_if_it_is_near() {
        let known = ["active".to_owned(), "on-hold".to_owned()];
        assert_eq!(nearest("actve", &known), Some("active"));
        assert_eq!(nearest("Active", &known), Some("active"));
        assert_eq!(nearest("whatever", &known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
