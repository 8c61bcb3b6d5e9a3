//! Questions as FHIR operations, alone or as a batch, and answers out of what a server sends back.
//!
//! **A batch is made of GETs.** They stand in the body of one POST, so no code gets into the URL of a request; and they
//! ask, whatever the server makes of them: of a batch of POSTs HAPI 8.8 stores each Parameters resource as one of its
//! own, and answers "created".
//!
//! **A "no" counts only if the server says why**, for a document must not be refused because a server lacks content: one
//! that does not know the code system, or does not say, leaves the question open (tx-issue-type of the FHIR tooling code
//! systems). [`Told::is_bare`] tells of a "no" without any reason; who can find out whether the server has the whole
//! system may take it as one.
//!
//! **Which entry is answered** its place tells, as FHIR wants it; a server that mixes them up is found out where it
//! repeats the code ([`Told::is_of`]).
//!
//! It refuses nothing: what is no answer is an open question.

use std::sync::Arc;

use url::form_urlencoded::Serializer;

use super::question::{About, Answer, CodeQuestion, Names};
use crate::fhir::bundle::Request;
use crate::fhir::{Bundle, Entry, Resource};
use crate::json::{Object, Value};
use crate::object;

/// How many questions go into one batch.
pub const LENGTH: usize = 100;

/// No more names of a code are kept.
const MOST_NAMES: usize = 200;
/// Nobody calls a code so.
const LONGEST_NAME: usize = 512;

/// A batch Bundle that asks these questions, in their order.
pub fn request(questions: &[CodeQuestion]) -> Bundle {
    let entry = |question: &CodeQuestion| {
        let (of, name) = operation(question);
        let mut query = Serializer::new(String::new());
        each_parameter(question, |name, _, value| {
            query.append_pair(name, value);
        });
        let url = format!("{of}/${name}?{}", query.finish());
        let request =
            Request { method: "GET".to_owned(), url, if_none_exist: None, if_match: None };
        Entry { request: Some(request), ..Entry::default() }
    };
    Bundle::new("batch", questions.iter().map(entry).collect())
}

/// The operation that answers a question: the resource type that has it, and its name without `$`.
pub const fn operation(question: &CodeQuestion) -> (&'static str, &'static str) {
    match question.about {
        About::System => ("CodeSystem", "validate-code"),
        About::ValueSet(_) => ("ValueSet", "validate-code"),
        About::Names => ("CodeSystem", "lookup"),
    }
}

/// What the operation is told, for a POST of its own.
pub fn parameters(question: &CodeQuestion) -> Resource {
    let mut all = Vec::new();
    each_parameter(question, |name, kind, value| {
        let mut parameter = Object::new();
        parameter.insert("name", Value::String(name.to_owned()));
        let value = match kind {
            "valueBoolean" => Value::Bool(value == "true"),
            _ => Value::String(value.to_owned()),
        };
        parameter.insert(kind, value);
        all.push(Value::Object(parameter));
    });
    Resource::new("Parameters").with(object! { "parameter" => Value::Array(all) })
}

/// Name, type and value of each parameter of a question's operation.
fn each_parameter(question: &CodeQuestion, mut add: impl FnMut(&str, &'static str, &str)) {
    let system = question.system.as_deref();
    let version = question.version.as_deref();
    let mut add_if = |name: &str, kind: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            add(name, kind, value);
        }
    };
    match &question.about {
        // A CodeSystem is asked by its `url`; a ValueSet by its own, and the system stands beside it.
        About::System => {
            add_if("url", "valueUri", system);
            add_if("version", "valueString", version);
        }
        About::ValueSet(url) => {
            add_if("url", "valueUri", Some(url));
            add_if("system", "valueUri", system);
            add_if("systemVersion", "valueString", version);
            add_if("inferSystem", "valueBoolean", system.is_none().then_some("true"));
        }
        About::Names => {
            add_if("system", "valueUri", system);
            add_if("version", "valueString", version);
            // Some servers list other names only if they are asked for.
            add_if("property", "valueCode", Some("designation"));
        }
    }
    add_if("code", "valueCode", Some(&question.code));
}

/// What a server sent to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The answer.
    pub answer: Answer,
    /// Whether it repeats the question's code, or another one; nothing if it repeats none.
    pub is_of: Option<bool>,
    /// Whether it is a "no" without a reason, which counts as no answer.
    pub is_bare: bool,
}

/// Reads the Parameters that a server sent to one question.
pub fn read(question: &CodeQuestion, resource: &Resource) -> Told {
    let code = parameter(resource, "code").and_then(value);
    // Systems without regard to case repeat a code as they have it.
    let is_of = code.map(|code| code.eq_ignore_ascii_case(&question.code));
    let told = |answer| Told { answer, is_of, is_bare: false };
    if resource.resource_type() != "Parameters" {
        return told(Answer::Open);
    }
    if question.about == About::Names {
        return told(names(resource));
    }
    let result = parameter(resource, "result");
    match result.and_then(|result| result.get("valueBoolean")).and_then(Value::as_bool) {
        Some(true) => told(Answer::Valid(parameter(resource, "display").and_then(name))),
        Some(false) => match reasons(resource) {
            Reason::None => Told { answer: Answer::Open, is_of, is_bare: true },
            Reason::Other => told(Answer::Open),
            Reason::Code => told(Answer::Invalid),
        },
        None => told(Answer::Open),
    }
}

fn parameter<'r>(resource: &'r Resource, name: &str) -> Option<&'r Value> {
    resource.items("parameter").find(|parameter| parameter.text("name") == Some(name))
}

/// The text of a parameter, whatever its type.
fn value(parameter: &Value) -> Option<&str> {
    ["valueCode", "valueString", "valueUri"].into_iter().find_map(|kind| parameter.text(kind))
}

/// The name in a parameter. One that could do something to a terminal, or is no name by its length, is none.
fn name<T: for<'t> From<&'t str>>(parameter: &Value) -> Option<T> {
    let name = value(parameter)?;
    let is_plain = |character: char| {
        !character.is_control()
            && !matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    (!name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_plain))
        .then(|| name.into())
}

/// Why a server says "no".
enum Reason {
    /// It does not say.
    None,
    /// The code.
    Code,
    /// Something that the document can do nothing about.
    Other,
}

fn reasons(resource: &Resource) -> Reason {
    let has = |name| parameter(resource, name).is_some();
    if has("x-unknown-system") || has("x-caused-by-unknown-system") {
        return Reason::Other;
    }
    let issues = parameter(resource, "issues").and_then(|issues| issues.get("resource"));
    let codes = issues
        .into_iter()
        .flat_map(|outcome| outcome.items("issue"))
        .filter_map(|issue| issue.get("details"))
        .flat_map(|details| details.items("coding"))
        .filter_map(|coding| coding.text("code"));
    let mut reason = Reason::None;
    for code in codes {
        match code {
            "not-found" | "vs-invalid" | "cannot-infer" => return Reason::Other,
            "invalid-code" | "not-in-vs" => reason = Reason::Code,
            _ if matches!(reason, Reason::None) => reason = Reason::Other,
            _ => {}
        }
    }
    reason
}

/// The names in the answer to a `$lookup`.
fn names(resource: &Resource) -> Answer {
    let mut names = Names::default();
    if let Some(display) = parameter(resource, "display").and_then(name) {
        let language = parameter(resource, "language").and_then(name);
        names.names.push((language, display));
    }
    for parameter in resource.items("parameter") {
        if parameter.text("name") != Some("designation") {
            continue;
        }
        if names.names.len() >= MOST_NAMES {
            // There are others, and one of them may be right.
            names.is_list = false;
            break;
        }
        let part =
            |name: &str| parameter.items("part").find(|part| part.text("name") == Some(name));
        if let Some(text) = part("value").and_then(name) {
            names.is_list = true;
            names.names.push((part("language").and_then(name), text));
        }
    }
    if names.names.is_empty() { Answer::Open } else { Answer::Called(Arc::new(names)) }
}
