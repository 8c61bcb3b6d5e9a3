//! The same questions asked of the sandbox and of HAPI: every difference is listed with the sentence that decides.
//!
//! `IPT_FHIR_TEST_HAPI` names the base URL of a HAPI server (R4). Without it the sandbox alone is asked.

use std::collections::BTreeMap;

use ipt_fhir::fhir::Bundle;

use super::Ehr;
use super::ask::{Asked, ask, http};
use super::questions::{QUESTIONS, Question, urn};

/// Where the two answer differently, and why: a list of question, sandbox, hapi, sentence.
const DIFFERENCES: &str = include_str!("../../../fixtures/sandbox/hapi-differences.json");

#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    question: String,
    sandbox: String,
    hapi: String,
    /// The specification's words, or that it leaves the answer to the server.
    sentence: String,
}

#[tokio::test]
async fn the_sandbox_answers_as_written() {
    let ehr = Ehr::start(ipt_fhir::sandbox::Config::default()).await;
    let answers = answers(ehr.running.base_url()).await;
    let wrong: Vec<_> = QUESTIONS
        .iter()
        .filter(|question| answers[question.name] != question.answer)
        .map(|question| (question.name, question.answer, &answers[question.name]))
        .collect();
    assert!(wrong.is_empty(), "question, expected, answer: {wrong:#?}");
}

#[tokio::test]
async fn hapi_differs_only_where_it_is_listed() {
    let differences: Vec<Difference> = serde_json::from_str(DIFFERENCES).unwrap();
    for difference in &differences {
        let question = QUESTIONS.iter().find(|one| one.name == difference.question);
        assert_eq!(question.map(|one| one.answer), Some(difference.sandbox.as_str()));
        assert!(difference.hapi != difference.sandbox && !difference.sentence.is_empty());
    }
    let Some(base) = hapi() else {
        println!("left out: {} questions to HAPI (IPT_FHIR_TEST_HAPI is not set)", QUESTIONS.len());
        return;
    };
    let answers = answers(&base).await;
    let mut unlisted = Vec::new();
    for Question { name, answer, .. } in QUESTIONS {
        let listed = differences.iter().find(|difference| difference.question == *name);
        let expected = listed.map_or(*answer, |difference| difference.hapi.as_str());
        if answers[name] != expected {
            unlisted.push((name, answer, expected, &answers[name]));
        }
    }
    assert!(unlisted.is_empty(), "question, sandbox, HAPI as listed, HAPI now: {unlisted:#?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test that needs a peer finds it by the environment"
)]
fn hapi() -> Option<String> {
    std::env::var("IPT_FHIR_TEST_HAPI").ok().filter(|base| !base.is_empty())
}

/// What a server answers to each question.
async fn answers(base: &str) -> BTreeMap<&'static str, String> {
    let http = http();
    let run = uuid::Uuid::new_v4().simple().to_string();
    let mut answers = BTreeMap::new();
    for (number, question) in QUESTIONS.iter().enumerate() {
        let id = format!("{}-{number}", run.get(..12).unwrap());
        let mut created: Vec<String> = Vec::new();
        let mut last = String::new();
        for request in question.requests {
            let request = fill(request, base, &id, &created);
            let mut lines: Vec<&str> = request.split('\n').collect();
            let first = lines.remove(0);
            let is_header = |line: &&str| line.contains(": ") && !line.starts_with(['{', '@']);
            let headers: Vec<&str> = lines.iter().copied().filter(is_header).collect();
            let body = body(lines.iter().find(|line| !is_header(line)).unwrap_or(&""), &id);
            let answer = ask(&http, base, first, &headers, &body).await.unwrap();
            created.push(created_id(&answer));
            last = describe(&answer);
        }
        answers.insert(question.name, last);
    }
    answers
}

fn fill(request: &str, base: &str, id: &str, created: &[String]) -> String {
    let mut request = request.replace("{base}", base).replace("{id}", id).replace("@urn", urn());
    for (index, one) in created.iter().enumerate() {
        request = request.replace(&format!("{{{}}}", index + 1), one);
    }
    request
}

/// The body that a word stands for.
fn body(text: &str, id: &str) -> String {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let patient = |active| {
        let own = if rest.is_empty() { String::new() } else { format!(r#""id":"{rest}","#) };
        format!(
            r#"{{"resourceType":"Patient",{own}"identifier":[{{"system":"urn:test","value":"{id}"}}],"active":{active}}}"#
        )
    };
    match word {
        "@patient" => patient(true),
        "@changed" => patient(false),
        "@flag" => format!(
            r#"{{"resourceType":"Flag","status":"active","code":{{"text":"{id}"}},"subject":{{"reference":"{rest}"}},"period":{{"start":"2026-03-02","end":"2026-06"}}}}"#
        ),
        "@transaction" | "@batch" => {
            let entries: Vec<String> = rest.split(" ; ").map(|one| entry(one, id)).collect();
            let kind = word.trim_start_matches('@');
            format!(
                r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{}]}}"#,
                entries.join(",")
            )
        }
        _ => text.to_owned(),
    }
}

/// `@entry [fullUrl] METHOD url [condition] | body`.
fn entry(text: &str, id: &str) -> String {
    let (request, resource) = text.split_once(" | ").unwrap_or((text, ""));
    let mut words = request.split(' ').skip(1).peekable();
    let full_url = words.next_if(|word| word.starts_with("urn:"));
    let full_url = full_url.map(|url| format!(r#""fullUrl":"{url}","#)).unwrap_or_default();
    let (method, url) = (words.next().unwrap(), words.next().unwrap());
    let condition = words.next().map(|one| format!(r#","ifNoneExist":"{one}""#));
    let condition = condition.unwrap_or_default();
    let resource = match body(resource, id) {
        body if body.is_empty() => body,
        body => format!(r#""resource":{body},"#),
    };
    format!(r#"{{{full_url}{resource}"request":{{"method":"{method}","url":"{url}"{condition}}}}}"#)
}

fn created_id(answer: &Asked) -> String {
    let mut steps = answer.header("location").split('/').rev();
    match (steps.next(), steps.next(), steps.next()) {
        (Some(_), Some("_history"), Some(id)) => id.to_owned(),
        _ => String::new(),
    }
}

/// What is compared of an answer: status, ETag, the form of Location, the type of the body, and a Bundle's shape.
fn describe(answer: &Asked) -> String {
    let mut parts = vec![answer.status.to_string()];
    match answer.header("etag") {
        "" => {}
        etag => parts.push(format!("ETag {etag}")),
    }
    match (answer.header("location"), answer.header("location").rsplit_once("/_history/")) {
        ("", _) => {}
        (_, Some((_, version))) => parts.push(format!("Location version {version}")),
        (_, None) => parts.push("Location".to_owned()),
    }
    if !answer.text.is_empty() {
        let resource = answer.resource();
        parts.push(resource.resource_type().to_owned());
        if resource.resource_type() == "Bundle" {
            parts.push(describe_bundle(&answer.bundle()));
        }
    }
    parts.join(" ")
}

fn describe_bundle(bundle: &Bundle) -> String {
    let entry = |entry: &ipt_fhir::fhir::Entry| {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(entry.request.as_ref().map(|request| request.method.clone()));
        if let Some(response) = &entry.response {
            parts.push(response.code().map(|code| code.to_string()).unwrap_or_default());
            parts.extend(response.etag.as_ref().map(|etag| format!("ETag {etag}")));
        }
        parts.extend(entry.search_mode.clone());
        parts.extend(entry.resource.as_ref().map(|resource| resource.resource_type().to_owned()));
        parts.join(" ")
    };
    let entries: Vec<String> = bundle.entries.iter().map(entry).collect();
    let total = bundle.total.map(|total| format!(" total {total}")).unwrap_or_default();
    let next = if bundle.link("next").is_some() { " next" } else { "" };
    format!("{}{total}{next} [{}]", bundle.kind, entries.join(", "))
}
