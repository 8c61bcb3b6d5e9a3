//! W4: answers that are somebody else's. The run ends at that EHR, nothing of them is kept, and the next run over an honest
//! way finds everything once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ipt_fhir::client::{Base, Client, Config, Error, Flaw};
use ipt_fhir::fhir::Bundle;
use ipt_fhir::json::Value;
use ipt_fhir::sandbox::{Behaviour, Fault};
use ipt_fhir::store::Store;
use ipt_fhir::sync::{Outcome, PatientFault, Report, Stop, apply};

use super::super::clinic::{Clinic, parse, patients, quiet};
use super::super::proxy::{Before, Exchange, proxy};
use super::{id, ledger, of_second, second_record};
use crate::store::moment;

/// A server that takes one resource after another.
fn single() -> Behaviour {
    Behaviour { transactions: false, batches: false, ..Behaviour::default() }
}

/// The body with another text at a place.
fn with(body: &str, pointer: &str, text: &str) -> String {
    let mut tree = parse(body).to_value();
    if let Some(value) = tree.pointer_mut(pointer) {
        *value = Value::String(text.to_owned());
    }
    tree.to_text()
}

/// The answer of a create tells of another Patient's goal.
fn theirs(exchange: &mut Exchange<'_>) {
    exchange.body = of_second("Goal", "theirs").to_text();
    let place = exchange.headers["location"].to_str().unwrap().to_owned();
    let (base, _) = place.split_once("/Goal/").unwrap();
    let place = format!("{base}/Goal/theirs/_history/1");
    exchange.headers.insert("location", place.parse().unwrap());
}

/// The answer to a transaction, changed entry by entry.
fn entries(exchange: &mut Exchange<'_>, resource: bool, place: &str) {
    let mut bundle = Bundle::from_resource(parse(&exchange.body)).unwrap();
    for entry in &mut bundle.entries {
        let response = entry.response.as_mut().unwrap();
        let is_goal = response.location.as_ref().is_some_and(|place| place.contains("Goal/"));
        entry.resource = resource.then(|| of_second("Goal", "theirs")).filter(|_| is_goal);
        if is_goal {
            response.location = Some(format!("{place}/_history/1"));
        }
    }
    exchange.body = bundle.into_resource().to_text();
}

struct Case {
    /// The request whose answer is changed: method, and the beginning of the path.
    request: (&'static str, &'static str),
    behaviour: fn() -> Behaviour,
    change: fn(&mut Exchange<'_>),
    /// Whether the run ends as it should.
    expected: fn(&Stop) -> bool,
}

fn is_theirs(stop: &Stop) -> bool {
    *stop == Stop::WrongAnswer(id("Goal/theirs"))
}

fn is_stray(stop: &Stop) -> bool {
    matches!(stop, Stop::StrayAnswer { .. })
}

fn is_another(stop: &Stop) -> bool {
    *stop == Stop::Server(Error::Incorrect(Flaw::OtherResource))
}

const CASES: [Case; 15] = [
    // A create answered with another Patient's resource.
    Case { request: ("POST", "Goal"), behaviour: single, change: theirs, expected: is_theirs },
    Case {
        request: ("POST", "Goal"),
        behaviour: single,
        change: |exchange| {
            exchange.body = of_second("Goal", "theirs").to_text();
            exchange.headers.remove("location");
        },
        expected: is_theirs,
    },
    // With another id than its place, or of another type.
    Case {
        request: ("POST", "Goal"),
        behaviour: single,
        change: |exchange| exchange.body = with(&exchange.body, "/id", "another"),
        expected: is_stray,
    },
    Case {
        request: ("POST", "Goal"),
        behaviour: single,
        change: |exchange| exchange.body = of_second("Condition", "theirs").to_text(),
        expected: is_stray,
    },
    Case {
        request: ("POST", "Goal"),
        behaviour: single,
        change: |exchange| exchange.body = patients()[1].to_text(),
        expected: is_stray,
    },
    // A transaction: their resources, their places alone, and a type that nobody sent.
    Case {
        request: ("POST", ""),
        behaviour: Behaviour::default,
        change: |exchange| entries(exchange, true, "Goal/theirs"),
        expected: is_theirs,
    },
    Case {
        request: ("POST", ""),
        behaviour: Behaviour::default,
        change: |exchange| entries(exchange, false, "Goal/theirs"),
        expected: is_theirs,
    },
    Case {
        request: ("POST", ""),
        behaviour: Behaviour::default,
        change: |exchange| entries(exchange, false, "Immunization/1"),
        expected: is_stray,
    },
    // An update answered with another id, or with our id and their words.
    Case {
        request: ("PUT", "Goal/"),
        behaviour: Behaviour::default,
        change: |exchange| exchange.body = with(&exchange.body, "/id", "theirs"),
        expected: is_stray,
    },
    Case {
        request: ("PUT", "Goal/"),
        behaviour: Behaviour::default,
        change: |exchange| {
            exchange.body = with(&exchange.body, "/subject/reference", "Patient/second");
        },
        expected: |stop| matches!(stop, Stop::WrongAnswer(id) if id.resource_type() == "Goal"),
    },
    // A cache with another's body: before an update, for the Patient, for a search.
    Case {
        request: ("GET", "Goal/"),
        behaviour: Behaviour::default,
        change: |exchange| exchange.body = of_second("Goal", "theirs").to_text(),
        expected: is_another,
    },
    Case {
        request: ("GET", "Goal/"),
        behaviour: Behaviour::default,
        change: |exchange| {
            exchange.body = with(&exchange.body, "/subject/reference", "Patient/second");
        },
        expected: |stop| matches!(stop, Stop::WrongSubject(id) if id.resource_type() == "Goal"),
    },
    Case {
        request: ("GET", "Patient/first"),
        behaviour: Behaviour::default,
        change: |exchange| exchange.body = patients()[1].to_text(),
        expected: is_another,
    },
    Case {
        request: ("GET", "Patient/first"),
        behaviour: Behaviour::default,
        change: |exchange| exchange.body = with(&exchange.body, "/identifier/0/value", "4712"),
        expected: |stop| *stop == Stop::Patient(PatientFault::Different),
    },
    Case {
        request: ("GET", "Goal"),
        behaviour: Behaviour::default,
        change: |exchange| {
            let theirs = of_second("Goal", "theirs").to_text();
            exchange.body = format!(
                r#"{{"resourceType":"Bundle","type":"searchset","total":1,"entry":[{{"resource":{theirs}}}]}}"#
            );
        },
        expected: |stop| *stop == Stop::ForeignMatch(id("Goal/theirs")),
    },
];

/// Applies both clients' records by one way.
async fn apply_both(clinic: &Clinic, way: &str, goal: &str) -> Report {
    let store = clinic.store().await;
    let client = client(way);
    let first = clinic.record(&store, goal).await;
    let second = second_record(clinic, &store, goal).await;
    let ehr = clinic.way(&store, &client, &moment);
    let report = apply(&ehr, &[first, second], &mut quiet()).await.unwrap();
    store.close().await.unwrap();
    report
}

fn client(way: &str) -> Client {
    let base: Base = way.parse().unwrap();
    Client::new(&Config::local(base).unwrap()).unwrap()
}

#[tokio::test]
async fn w4_an_answer_that_is_somebody_elses_ends_the_run_and_nothing_of_it_is_kept() {
    for (number, case) in CASES.into_iter().enumerate() {
        let clinic = Clinic::with((case.behaviour)()).await;
        clinic.ehr.put(of_second("Goal", "theirs")).unwrap();
        let (method, path) = case.request;
        if method != "POST" && !path.starts_with("Patient") {
            assert_eq!(clinic.apply("Grieve").await.outcome(), Outcome::Done, "{number}");
        }
        // From the first such answer on: what is sent after it.
        let (changed, later) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (in_changed, in_later) = (Arc::clone(&changed), Arc::clone(&later));
        let way = proxy(
            clinic.ehr.base_url(),
            |_, _| Before::Pass,
            move |exchange| {
                let is_whole = path.is_empty() || path == "Goal" || path.starts_with("Patient");
                let fits = if is_whole {
                    exchange.path == path
                } else {
                    exchange.path.starts_with(path) && !exchange.path.contains('_')
                };
                if exchange.method == method && fits && exchange.status < 300 {
                    if in_changed.fetch_add(1, Ordering::Relaxed) == 0 {
                        (case.change)(exchange);
                    }
                } else if exchange.method != "GET" && in_changed.load(Ordering::Relaxed) > 0 {
                    in_later.fetch_add(1, Ordering::Relaxed);
                }
            },
        )
        .await;
        let report = apply_both(&clinic, &way, "Mourn").await;
        let stop = report.records[0].stopped.as_ref();
        assert!(stop.is_some_and(case.expected), "{number}: {stop:?}");
        assert!(changed.load(Ordering::Relaxed) > 0);
        // Of a Patient who is somebody else now nothing follows for the other one.
        if stop.is_some_and(Stop::ends_run) {
            assert_eq!(later.load(Ordering::Relaxed), 0, "{number}: nothing more is written");
            assert_eq!(report.records[1].stopped, Some(Stop::NotTried), "{number}");
        }
        let kept = ledger(&clinic).await;
        for shadow in kept.shadows {
            assert_ne!(shadow.id.id(), "theirs", "{number}");
            assert!(!shadow.base.to_text().contains("Patient/second"), "{number}");
        }
        // The proxy is gone.
        let report = apply_both(&clinic, clinic.ehr.base_url(), "Mourn").await;
        assert_eq!(report.outcome(), Outcome::Done, "{number}: {report:?}");
        assert_eq!(clinic.ehr.resources().len(), 2 + 1 + 2 * 10, "{number}: each once");
    }
}

/// Two runs at once, each for its own client and from its own machine, get each other's answer.
#[tokio::test]
async fn w4_answers_of_two_runs_that_are_swapped_are_all_noticed() {
    let updates = [("PUT", Behaviour::default as fn() -> Behaviour)];
    let creates = [("POST", Behaviour::default as fn() -> Behaviour), ("POST", single)];
    for (method, behaviour) in creates.into_iter().chain(updates) {
        let clinic = Clinic::with(behaviour()).await;
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = Store::open(&directory.path().join("store")).await.unwrap();
        let store = clinic.store().await;
        let client = client(clinic.ehr.base_url());
        let both = async |goal: &str| {
            let first = [clinic.record(&store, goal).await];
            let second = [second_record(&clinic, &elsewhere, goal).await];
            let (here, there) =
                (clinic.way(&store, &client, &moment), clinic.way(&elsewhere, &client, &moment));
            let (mut quiet_here, mut quiet_there) = (quiet(), quiet());
            let (one, two) = tokio::join!(
                apply(&here, &first, &mut quiet_here),
                apply(&there, &second, &mut quiet_there)
            );
            [one.unwrap(), two.unwrap()]
        };
        if method == "PUT" {
            Box::pin(both("Grieve")).await;
        }
        clinic.ehr.faults().next(method, Fault::SwapAnswer);
        clinic.ehr.faults().next(method, Fault::SwapAnswer);
        for report in Box::pin(both("Mourn")).await {
            let stop = report.records[0].stopped.as_ref();
            let is_noticed = |stop: &Stop| matches!(stop, Stop::WrongAnswer(_)) || is_stray(stop);
            assert!(stop.is_some_and(is_noticed), "{method}: {stop:?}");
        }
        for report in Box::pin(both("Mourn")).await {
            assert_eq!(report.outcome(), Outcome::Done, "{method}: {report:?}");
        }
        assert_eq!(clinic.ehr.resources().len(), 2 + 2 * 10, "{method}: each once");
        for resource in clinic.ehr.resources() {
            let text = resource.to_text();
            let is_seconds = text.contains("-8001-");
            assert!(!text.contains(["Patient/second", "Patient/first"][usize::from(is_seconds)]));
        }
    }
}
