//! What a value is compared with: fixed values, patterns, lengths and bounds (R4 5.1 "ElementDefinition").
//!
//! A value is compared with a fixed one as the definition writes it, child by child, so that the finding stands where the difference
//! is. Decimals are compared as they are written: 1.0 is not 1.00. It compares no quantities of different units.

use std::cmp::Ordering;

use super::Walk;
use crate::json::{Number, Value};
use crate::validate::program::{Element, Program};
use crate::validate::rule::{Rule, structure};
use crate::validate::tree::{Kind, NodeId, Tree};

impl<'p> Walk<'_, 'p, '_> {
    /// Compares an element with what its definition says of its value.
    pub(super) fn value(&mut self, node: NodeId, element: &'p Element, program: &'p Program) {
        let url = &program.url;
        if let Some(fixed) = &element.fixed {
            self.compare(
                node,
                fixed,
                Comparison { rule: &structure::FIXED, is_pattern: false, url },
            );
        }
        if let Some(pattern) = &element.pattern {
            self.compare(
                node,
                pattern,
                Comparison { rule: &structure::PATTERN, is_pattern: true, url },
            );
        }
        if let (Some(most), Some(text)) = (element.max_length, self.tree.text(node)) {
            let length = text.chars().count();
            if u64::try_from(length).unwrap_or(u64::MAX) > most {
                let text = format!("the text has {length} characters, {most} are allowed");
                self.findings.add(&structure::LENGTH, node, text).with_value();
            }
        }
        if let Some(least) = &element.min_value
            && order(&self.tree, node, least) == Some(Ordering::Less)
        {
            let text = "the value is less than the least that is allowed";
            self.findings.add(&structure::LEAST, node, text).allowed(shown(least)).with_value();
        }
        if let Some(greatest) = &element.max_value
            && order(&self.tree, node, greatest) == Some(Ordering::Greater)
        {
            let text = "the value is greater than the greatest that is allowed";
            self.findings
                .add(&structure::GREATEST, node, text)
                .allowed(shown(greatest))
                .with_value();
        }
    }

    fn compare(&mut self, node: NodeId, wanted: &Value, how: Comparison<'_>) {
        let Value::Object(object) = wanted else {
            if !is_value(&self.tree, node, wanted) {
                let text = "the value is not the one that the definition demands";
                self.told(how.rule, node, text, how).allowed(shown(wanted)).with_value();
            }
            return;
        };
        if self.tree.has_value(node) {
            self.told(how.rule, node, "the definition demands something with children here", how);
            return;
        }
        for (name, wanted) in object.iter().filter(|(name, _)| *name != "id" || !how.is_pattern) {
            match wanted {
                Value::Array(items) => self.items(node, name, items, how),
                wanted => match self.tree.child(node, name) {
                    Some(child) => self.compare(child, wanted, how),
                    None => self.lacks(node, name, how),
                },
            }
        }
        if !how.is_pattern {
            let mut cursor = self.tree.cursor(node);
            while let Some(child) = self.tree.step(&mut cursor) {
                let name = self.tree.name(child);
                if object.get(name).is_none() && !matches!(name, "id" | "extension") {
                    let text = "the element is there, and the fixed value has none";
                    self.told(how.rule, child, text, how);
                }
            }
        }
    }

    /// A list: a pattern's items must each be there somewhere, those of a fixed value one by one.
    fn items(&mut self, node: NodeId, name: &str, wanted: &[Value], how: Comparison<'_>) {
        let children: Vec<NodeId> = self.tree.children_named(node, name).collect();
        if children.is_empty() {
            self.lacks(node, name, how);
        } else if how.is_pattern {
            for item in wanted {
                if !children.iter().any(|child| has(&self.tree, *child, item)) {
                    let text =
                        format!("none of the items of {name} has all that the pattern demands");
                    self.told(how.rule, node, text, how).allowed(shown(item)).with_value();
                }
            }
        } else {
            for (place, child) in children.iter().enumerate() {
                match wanted.get(place) {
                    Some(item) => self.compare(*child, item, how),
                    None => {
                        self.told(how.rule, *child, "the fixed value has fewer items", how);
                    }
                }
            }
            if children.len() < wanted.len() {
                self.lacks(node, name, how);
            }
        }
    }

    fn lacks(&mut self, node: NodeId, name: &str, how: Comparison<'_>) {
        let text = format!("{name} is missing, which the definition demands");
        self.told(how.rule, node, text, how).member(name.to_owned());
    }

    fn told(
        &mut self,
        rule: &'static Rule,
        node: NodeId,
        text: impl Into<std::borrow::Cow<'static, str>>,
        how: Comparison<'_>,
    ) -> &mut crate::validate::finding::Finding {
        self.findings.add(rule, node, text).profile(how.url.to_owned())
    }
}

/// How a value is compared, and by whose demand.
#[derive(Clone, Copy)]
struct Comparison<'c> {
    rule: &'static Rule,
    is_pattern: bool,
    url: &'c str,
}

/// Whether a primitive has exactly this value.
fn is_value(tree: &Tree<'_>, node: NodeId, wanted: &Value) -> bool {
    let Some(text) = tree.text(node) else { return false };
    match wanted {
        Value::Bool(true) => text == "true",
        Value::Bool(false) => text == "false",
        Value::Number(number) => number.as_text() == text,
        Value::String(wanted) => wanted == text,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether an element has all that a pattern has.
fn has(tree: &Tree<'_>, node: NodeId, pattern: &Value) -> bool {
    let Value::Object(object) = pattern else { return is_value(tree, node, pattern) };
    object.iter().all(|(name, wanted)| match wanted {
        Value::Array(items) => items
            .iter()
            .all(|item| tree.children_named(node, name).any(|child| has(tree, child, item))),
        wanted => tree.child(node, name).is_some_and(|child| has(tree, child, wanted)),
    })
}

/// How an element compares with a bound; nothing where that can't be said.
fn order(tree: &Tree<'_>, node: NodeId, bound: &Value) -> Option<Ordering> {
    match bound {
        Value::Number(bound) => Number::from_text(tree.text(node)?)?.compare(bound),
        // Dates and times of one precision are ordered as texts; others can't be told apart for sure.
        Value::String(bound) => {
            let text = tree.text(node)?;
            let length = text.len().min(bound.len());
            match text.get(..length)?.cmp(bound.get(..length)?) {
                Ordering::Equal => None,
                order => Some(order),
            }
        }
        Value::Object(quantity) => {
            let same = |name: &str| {
                quantity.get(name).and_then(Value::as_str) == tree.child_text(node, name)
            };
            let value = tree.child(node, "value")?;
            if tree.kind(node) != Kind::Object || !same("system") || !same("code") {
                return None;
            }
            order(tree, value, quantity.get("value")?)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

/// A value of a definition in short words.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_text().to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(object) => {
            let members: Vec<String> =
                object.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect();
            members.join(", ")
        }
    }
}
