//! Questions as a FHIR batch of `$validate-code` requests, and answers out of what a server sends back.
//!
//! Whoever may reach a server posts what [`request`] makes and gives the response to [`read`]. A "no" counts only if
//! the server says why: a server that does not know the code system, or does not say, leaves the question open, for a
//! document must not be refused because a server lacks content (tx-issue-type of the FHIR tooling code systems; before
//! that, a returned display shows that the code is known).
//!
//! It refuses nothing: what is no answer is an open question.

use super::{Answer, Answers, CodeQuestion};
use crate::json::{Object, Value};
use crate::object;

/// How many questions go into one batch.
pub const LENGTH: usize = 100;

/// A batch Bundle that asks these questions, in their order.
pub fn request(questions: &[CodeQuestion]) -> Value {
    let entries = questions.iter().map(|question| {
        let of = if question.value_set.is_some() { "ValueSet" } else { "CodeSystem" };
        let request = object! { "method" => "POST", "url" => [of, "/$validate-code"].concat() };
        Value::Object(object! { "resource" => parameters(question), "request" => request })
    });
    let entries = Value::Array(entries.collect());
    Value::Object(object! { "resourceType" => "Bundle", "type" => "batch", "entry" => entries })
}

fn parameters(question: &CodeQuestion) -> Object {
    let mut all = Vec::new();
    let mut add = |name: &str, kind: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            let mut parameter = Object::new();
            parameter.insert("name", Value::String(name.to_owned()));
            parameter.insert(kind, Value::String(value.to_owned()));
            all.push(Value::Object(parameter));
        }
    };
    let is_about_set = question.value_set.is_some();
    // A CodeSystem is asked by its `url`; a ValueSet by its own, and the system stands beside it.
    add("url", "valueUri", question.value_set.as_deref().or(question.system.as_deref()));
    if is_about_set {
        add("system", "valueUri", question.system.as_deref());
    }
    let version = if is_about_set { "systemVersion" } else { "version" };
    add(version, "valueString", question.version.as_deref());
    add("code", "valueCode", Some(&question.code));
    add("display", "valueString", question.display.as_deref());
    if is_about_set && question.system.is_none() {
        all.push(Value::Object(object! { "name" => "inferSystem", "valueBoolean" => true }));
    }
    object! { "resourceType" => "Parameters", "parameter" => Value::Array(all) }
}

/// The answers in a server's response to [`request`], in the order of its questions.
pub fn read(questions: &[CodeQuestion], response: &Value, into: &mut Answers) {
    let mut entries = response.items("entry");
    for question in questions {
        let resource = entries.next().and_then(|entry| entry.get("resource"));
        let answer = resource.map_or(Answer::Open, |resource| one(question, resource));
        into.insert(question.clone(), answer);
    }
}

/// The answer in the Parameters that a server sent to one question.
pub fn one(question: &CodeQuestion, resource: &Value) -> Answer {
    let parameter = |name: &str| {
        resource.items("parameter").find(|parameter| parameter.text("name") == Some(name))
    };
    let result =
        parameter("result").and_then(|result| result.get("valueBoolean")).and_then(Value::as_bool);
    match result {
        Some(true) => return Answer::Valid,
        None => return Answer::Open,
        Some(false) => {}
    }
    if parameter("x-unknown-system").is_some() || parameter("x-caused-by-unknown-system").is_some()
    {
        return Answer::Open;
    }
    let issues = parameter("issues").and_then(|issues| issues.get("resource"));
    let mut reasons = issues
        .map(|outcome| outcome.items("issue"))
        .into_iter()
        .flatten()
        .filter_map(|issue| issue.get("details"))
        .flat_map(|details| details.items("coding"))
        .filter_map(|coding| coding.text("code"))
        .peekable();
    if reasons.peek().is_none() {
        // Without reasons: a code that the server can name is known, so it is the display that is wrong.
        let is_known = parameter("display").is_some()
            && question.display.is_some()
            && question.value_set.is_none();
        return if is_known { Answer::WrongDisplay } else { Answer::Open };
    }
    let mut answer = Answer::Open;
    for reason in reasons {
        match reason {
            "not-found" | "vs-invalid" | "cannot-infer" => return Answer::Open,
            "invalid-code" | "not-in-vs" => answer = Answer::Invalid,
            "invalid-display" if answer == Answer::Open => answer = Answer::WrongDisplay,
            _ => {}
        }
    }
    answer
}
