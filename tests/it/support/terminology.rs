//! A small terminology server, with the habits that such servers have.
//!
//! It knows two systems: LOINC, whose codes are all but `0-0`, and SNOMED CT, whose codes are all but `999`; each code
//! is called `Name of CODE`, `Other name of CODE` and, in German, `Name auf Deutsch: CODE`. Of value sets it holds all
//! codes but `7`. It remembers every question.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use ipt_fhir::json;
use url::form_urlencoded;

use crate::client::server::{Request, Server, Step, answer};

/// How it answers.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "habits have nothing to do with each other")]
pub(crate) struct Habits {
    /// What it does with batches.
    pub(crate) batch: Batches,
    /// Whether it repeats the code in its answer, as newer servers do.
    pub(crate) repeats: bool,
    /// Whether it says why it says "no".
    pub(crate) reasons: bool,
    /// Whether it says that it has all of LOINC.
    pub(crate) whole: bool,
    /// Whether it lists names beside the preferred one.
    pub(crate) lists_names: bool,
}

/// What a server does with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batches {
    /// Answers each entry in its place.
    Answers,
    /// Refuses it with a status.
    Refuses(u16),
    /// Answers in another order.
    Turns,
    /// Leaves entries out.
    Loses,
    /// Answers with a page.
    Page,
    /// Refuses each entry.
    RefusesEntries,
}

impl Habits {
    pub(crate) const GOOD: Self = Self {
        batch: Batches::Answers,
        repeats: true,
        reasons: true,
        whole: false,
        lists_names: true,
    };
    /// As HAPI answers.
    pub(crate) const SILENT: Self = Self { repeats: false, reasons: false, ..Self::GOOD };
}

/// A question as it came in: operation, system or value set, code.
pub(crate) type Asked = (String, String, String);

/// A running server.
pub(crate) struct TerminologyServer {
    pub(crate) http: Server,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl TerminologyServer {
    pub(crate) fn start(habits: Habits) -> Self {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = Arc::clone(&asked);
        let http = Server::start_answering(move |request| reply(habits, request, &seen));
        Self { http, asked }
    }

    /// What it was asked, each time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often each thing was asked at most.
    pub(crate) fn most_often(&self) -> usize {
        let mut counts = BTreeMap::<Asked, usize>::new();
        for asked in self.asked() {
            *counts.entry(asked).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }

    /// How many requests were batches.
    pub(crate) fn batches(&self) -> usize {
        self.http.requests().iter().filter(|request| request.target == "/fhir").count()
    }
}

type Parameters = BTreeMap<String, String>;

fn reply(habits: Habits, request: &Request, seen: &Mutex<Vec<Asked>>) -> Step {
    assert!(!request.target.contains('?'), "a URL holds something");
    let path = request.target.strip_prefix("/fhir").unwrap().trim_start_matches('/');
    match (request.method.as_str(), path) {
        ("POST", "") => batch(habits, &request.body, seen),
        ("POST", "CodeSystem/_search") => {
            let form: Parameters =
                form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
            let content = if habits.whole { "complete" } else { "not-present" };
            let body = format!(
                r#"{{"resourceType":"Bundle","type":"searchset","entry":[{{"resource":
                {{"resourceType":"CodeSystem","id":"1","url":"{}","content":"{content}"}}}}]}}"#,
                form["url"]
            );
            answer(200, &[], &body)
        }
        ("POST", operation) => {
            let body = json::parse(request.body.as_bytes()).unwrap();
            let parameters = body.items("parameter").map(|parameter| {
                let value = parameter
                    .as_object()
                    .unwrap()
                    .iter()
                    .find(|(name, _)| name.starts_with("value"));
                let value = value.unwrap().1;
                let text = value.as_str().map_or_else(|| value.to_text(), str::to_owned);
                (parameter.text("name").unwrap().to_owned(), text)
            });
            let (status, body) = one(habits, operation, &parameters.collect(), seen);
            answer(status, &[], &body)
        }
        other => panic!("nobody asks {other:?}"),
    }
}

fn batch(habits: Habits, body: &str, seen: &Mutex<Vec<Asked>>) -> Step {
    let bundle = json::parse(body.as_bytes()).unwrap();
    match habits.batch {
        Batches::Refuses(status) => {
            return answer(status, &[], r#"{"resourceType":"OperationOutcome","issue":[]}"#);
        }
        Batches::Page => return answer(200, &[], "<html>a portal</html>"),
        _ => {}
    }
    let mut entries: Vec<String> = bundle
        .items("entry")
        .map(|entry| {
            let request = entry.get("request").unwrap();
            // Whatever is posted in a batch HAPI stores, under the name of its type.
            assert_eq!(request.text("method"), Some("GET"));
            let (operation, query) = request.text("url").unwrap().split_once('?').unwrap();
            if habits.batch == Batches::RefusesEntries {
                return r#"{"response":{"status":"405"}}"#.to_owned();
            }
            let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let (status, body) = one(habits, operation, &parameters, seen);
            format!(r#"{{"resource":{body},"response":{{"status":"{status} x"}}}}"#)
        })
        .collect();
    match habits.batch {
        Batches::Turns => entries.reverse(),
        Batches::Loses => drop(entries.pop()),
        _ => {}
    }
    let entries = entries.join(",");
    answer(
        200,
        &[],
        &format!(r#"{{"resourceType":"Bundle","type":"batch-response","entry":[{entries}]}}"#),
    )
}

/// Status and body of the answer to one question.
fn one(
    habits: Habits,
    operation: &str,
    parameters: &Parameters,
    seen: &Mutex<Vec<Asked>>,
) -> (u16, String) {
    let get = |name: &str| parameters.get(name).map_or("", String::as_str);
    let system = if operation == "CodeSystem/$validate-code" { get("url") } else { get("system") };
    let about = if operation.starts_with("ValueSet") { get("url") } else { system };
    let code = get("code");
    seen.lock().unwrap().push((operation.to_owned(), about.to_owned(), code.to_owned()));
    let knows = match system {
        "http://loinc.org" => Some(code != "0-0"),
        "http://snomed.info/sct" => Some(code != "999"),
        "" => Some(true),
        _ => None,
    };
    let mut told = String::new();
    let mut tell = |parameter: String| {
        let comma = if told.is_empty() { "" } else { "," };
        let _ = write!(told, "{comma}{parameter}");
    };
    if habits.repeats {
        tell(format!(r#"{{"name":"code","valueCode":"{code}"}}"#));
    }
    if operation == "CodeSystem/$lookup" {
        if knows != Some(true) {
            return (404, r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found"}]}"#.to_owned());
        }
        tell(format!(r#"{{"name":"display","valueString":"Name of {code}"}}"#));
        if habits.lists_names {
            for (language, name) in [("en", "Other name of"), ("de", "Name auf Deutsch:")] {
                tell(format!(
                    r#"{{"name":"designation","part":[{{"name":"language","valueCode":"{language}"}},
                    {{"name":"value","valueString":"{name} {code}"}}]}}"#
                ));
            }
        }
    } else {
        let is_set = operation == "ValueSet/$validate-code";
        let result = knows == Some(true) && !(is_set && code == "7");
        tell(format!(r#"{{"name":"result","valueBoolean":{result}}}"#));
        if result {
            tell(format!(r#"{{"name":"display","valueString":"Name of {code}"}}"#));
        } else if habits.reasons {
            let reason = match (knows, is_set) {
                (None, _) => "not-found",
                (_, true) => "not-in-vs",
                (_, false) => "invalid-code",
            };
            tell(format!(
                r#"{{"name":"issues","resource":{{"resourceType":"OperationOutcome","issue":[{{"severity":"error",
                "code":"code-invalid","details":{{"coding":[{{"code":"{reason}"}}]}}}}]}}}}"#
            ));
        }
    }
    (200, format!(r#"{{"resourceType":"Parameters","parameter":[{told}]}}"#))
}
