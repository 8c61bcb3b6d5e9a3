//! SMART scopes as this server grants and checks them: `system/Type.cruds` and the older `.read`, `.write`, `.*`
//! (SMART App Launch 2.2, "Scopes and Launch Context").
//!
//! Scopes with a query (`?category=…`) are not granted here: a server that took one and did not check it would teach
//! clients a wrong trust.

use crate::fhir::Bundle;
use crate::fhir::resource::is_resource_type;
use crate::json::Value;
use crate::sandbox::interaction::{Method, Request};

/// A scope: a type, or all, and some of c, r, u, d, s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    text: String,
    /// `None` for all types.
    resource_type: Option<String>,
    letters: String,
}

impl Scope {
    /// Reads a scope of a system; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (resource_type, permissions) = text.strip_prefix("system/")?.split_once('.')?;
        let letters = match permissions {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters => letters,
        };
        // In this order, each once (v2).
        let rest = letters
            .chars()
            .try_fold("cruds", |rest, letter| rest.find(letter).and_then(|at| rest.get(at + 1..)));
        if letters.is_empty() || rest.is_none() {
            return None;
        }
        let resource_type = match resource_type {
            "*" => None,
            name if is_resource_type(name) => Some(name.to_owned()),
            _ => return None,
        };
        Some(Self { text: text.to_owned(), resource_type, letters: letters.to_owned() })
    }

    /// The scope, as it was or is to be written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The scope in the spelling of SMART 1: `.read`, `.write`, `.*`, or two of them. It may say more than is granted.
    pub(super) fn in_v1(&self) -> String {
        let name = self.resource_type.as_deref().unwrap_or("*");
        let has = |letters: &str| self.letters.chars().any(|letter| letters.contains(letter));
        match (has("rs"), has("cud")) {
            (true, true) if self.letters == "cruds" => format!("system/{name}.*"),
            (true, true) => format!("system/{name}.read system/{name}.write"),
            (false, true) => format!("system/{name}.write"),
            _ => format!("system/{name}.read"),
        }
    }

    /// Whether it allows an interaction with a type; without a type, with all of them.
    pub(super) fn covers(&self, resource_type: Option<&str>, letter: char) -> bool {
        let of_type =
            self.resource_type.is_none() || self.resource_type.as_deref() == resource_type;
        of_type && self.letters.contains(letter)
    }

    /// What two scopes both allow; if that is all that the first does, in its own spelling.
    fn both(&self, other: &Self) -> Option<Self> {
        let resource_type = match (&self.resource_type, &other.resource_type) {
            (Some(left), Some(right)) if left != right => return None,
            (left, right) => left.as_ref().or(right.as_ref()),
        };
        let letters: String =
            self.letters.chars().filter(|letter| other.letters.contains(*letter)).collect();
        if letters.is_empty() {
            return None;
        }
        if resource_type == self.resource_type.as_ref() && letters == self.letters {
            return Some(self.clone());
        }
        let name = resource_type.map_or("*", String::as_str);
        Self::parse(&format!("system/{name}.{letters}"))
    }
}

/// What is granted of what was asked for.
pub(super) fn intersection(asked: &[Scope], allowed: &[Scope]) -> Vec<Scope> {
    let mut granted: Vec<Scope> = Vec::new();
    for both in asked.iter().flat_map(|one| allowed.iter().filter_map(|other| one.both(other))) {
        if !granted.contains(&both) {
            granted.push(both);
        }
    }
    granted
}

/// What a request needs: types and letters; a type of `None` is the whole system.
pub(super) fn needs(request: &Request) -> Vec<(Option<String>, char)> {
    if !request.path.is_empty() || request.method != Method::Post {
        return vec![need(request.method, &request.path)];
    }
    let bundle = request.body.clone().and_then(|body| Bundle::from_resource(body).ok());
    let requests = bundle.into_iter().flat_map(|bundle| bundle.entries);
    let requests = requests.filter_map(|entry| entry.request);
    requests
        .map(|request| {
            // What it brings along can't be looked through once the rest of the Bundle is written.
            if request.url.contains("include") && request.method == "GET" {
                return (None, 's');
            }
            let path = request.url.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
            // What is no method of FHIR's will be refused; until then it is a write to everything.
            Method::parse(&request.method).map_or((None, 'u'), |method| need(method, path))
        })
        .collect()
}

fn need(method: Method, path: &str) -> (Option<String>, char) {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let letter = match (method, segments.as_slice()) {
        (Method::Get, [_, id, ..]) if !id.starts_with('_') => 'r',
        (Method::Get, _) | (Method::Post, [.., "_search"]) => 's',
        (Method::Post, _) => 'c',
        (Method::Put | Method::Patch, _) => 'u',
        (Method::Delete, _) => 'd',
    };
    let resource_type = segments.first().filter(|name| is_resource_type(name));
    (resource_type.map(|name| (*name).to_owned()), letter)
}

/// The types of the resources that a Bundle of a search or a history gives to read.
pub(super) fn read_types(entries: Option<&Value>) -> Vec<&str> {
    let entries = entries.and_then(Value::as_array).unwrap_or_default().iter();
    let types = entries.filter_map(|entry| entry.get("resource")?.text("resourceType"));
    types.filter(|name| *name != "OperationOutcome").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Vec<Scope> {
        text.split(' ').map(|one| Scope::parse(one).unwrap()).collect()
    }

    #[test]
    fn scopes_are_read_in_both_spellings_and_nothing_else() {
        for (text, letters) in [
            ("system/*.cruds", "cruds"),
            ("system/Goal.rs", "rs"),
            ("system/Goal.read", "rs"),
            ("system/Goal.write", "cud"),
            ("system/*.*", "cruds"),
        ] {
            assert_eq!(Scope::parse(text).unwrap().letters, letters, "{text}");
        }
        for text in [
            "",
            "openid",
            "user/Goal.rs",
            "patient/*.rs",
            "system/Goal",
            "system/Goal.",
            "system/goal.rs",
            "system/Goal.sr",
            "system/Goal.rr",
            "system/Goal.x",
            "system/Goal.rs?category=a",
            "system/*.read,write",
        ] {
            assert_eq!(Scope::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_granted_is_what_both_sides_name() {
        let granted = |asked: &str, allowed: &str| {
            let both = intersection(&scopes(asked), &scopes(allowed));
            both.iter().map(Scope::text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(granted("system/*.read", "system/*.cruds"), "system/*.read");
        assert_eq!(granted("system/*.cruds", "system/Goal.rs"), "system/Goal.rs");
        assert_eq!(granted("system/Goal.cruds", "system/*.read"), "system/Goal.rs");
        assert_eq!(granted("system/Goal.c", "system/*.read"), "");
        assert_eq!(granted("system/Goal.rs", "system/Task.rs"), "");
        assert_eq!(
            granted("system/Goal.rs system/Task.c", "system/*.rs system/*.c"),
            "system/Goal.rs system/Task.c"
        );
    }

    #[test]
    fn each_interaction_needs_its_letter() {
        for (method, path, name, letter) in [
            (Method::Get, "Goal/1", Some("Goal"), 'r'),
            (Method::Get, "Goal/1/_history", Some("Goal"), 'r'),
            (Method::Get, "Goal/1/_history/2", Some("Goal"), 'r'),
            (Method::Get, "Goal", Some("Goal"), 's'),
            (Method::Get, "Goal/_history", Some("Goal"), 's'),
            (Method::Post, "Goal/_search", Some("Goal"), 's'),
            (Method::Post, "Goal", Some("Goal"), 'c'),
            (Method::Put, "Goal/1", Some("Goal"), 'u'),
            (Method::Put, "Goal", Some("Goal"), 'u'),
            (Method::Patch, "Goal/1", Some("Goal"), 'u'),
            (Method::Delete, "Goal/1", Some("Goal"), 'd'),
            (Method::Get, "_history", None, 's'),
            (Method::Get, "http:/elsewhere", None, 'r'),
        ] {
            assert_eq!(need(method, path), (name.map(str::to_owned), letter), "{path}");
        }
    }
}
