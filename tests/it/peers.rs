//! The main job on servers that nobody here wrote, each held to what was expected of it before it was tried.
//!
//! `fixtures/peers/expected.json` says for each server what is written and how: the answers to transactions, single
//! creates and updates, the number of requests for John Lee's record, the kinds that are not taken, the exit code. A
//! proxy that only counts stands between; what the server holds in the end is read without the library (`eyes`).
//!
//! `IPT_FHIR_TEST_*` name the servers (`tests/peers/README.md`); one that is not named is left out by name.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ipt_fhir::client::{Client, Config, Terminology};
use ipt_fhir::fhir::Resource;
use ipt_fhir::json::{Value, parse};
use ipt_fhir::object;
use ipt_fhir::sync::{Conflict, Denial, Done, Failure, ItemReport, ItemState, Report};
use ipt_fhir::validate::terminology::{About, Answer, CodeQuestion};
use ipt_fhir::vendor::Pack;

use crate::crash::archive::{Archive, records};
use crate::crash::{environment, tell};
use crate::support::fixture;
use crate::sync::proxy::{Before, proxy};

const EXPECTED: &str = include_str!("../../fixtures/peers/expected.json");
const JOHN: &str = "ipt/john-lee-in-treatment.json";

/// What is expected of one server.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    server: String,
    variable: String,
    /// How many generated records are synced beside John Lee's and Sara's.
    records: usize,
    /// The vendor pack.
    pack: Option<String>,
    not_taken: Vec<String>,
    exit: u8,
    /// John Lee's record, synced for the first time.
    first: Sent,
    /// And once more.
    second: Sent,
    because: String,
}

/// What a run sent.
#[derive(Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// The status of the answer to each transaction.
    transactions: Vec<u16>,
    /// Single creates.
    creates: usize,
    updates: usize,
    /// All of these, and all that only reads.
    requests: usize,
}

/// Counts what passes.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Sent>>);

impl Counter {
    /// The way to a server that is counted.
    async fn before(&self, base_url: &str) -> String {
        let sent = Arc::clone(&self.0);
        let count = move |exchange: &mut crate::sync::proxy::Exchange<'_>| {
            let mut sent = sent.lock().unwrap();
            sent.requests += 1;
            match (exchange.method, exchange.path) {
                ("GET", _) => {}
                ("POST", "") => sent.transactions.push(exchange.status),
                ("POST", _) => sent.creates += 1,
                ("PUT", _) => sent.updates += 1,
                other => panic!("nobody asked for {other:?}"),
            }
        };
        proxy(base_url, |_, _| Before::Pass, count).await
    }

    /// What passed since it was asked last.
    fn take(&self) -> Sent {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Expected {
    fn pack(&self) -> Option<&'static Pack> {
        self.pack.as_deref().map(|name| Pack::named(name).unwrap())
    }

    /// Whether an item of a report is of a kind that the server takes.
    fn takes(&self, item: &ItemReport) -> bool {
        !self.not_taken.contains(&item.resource_type)
    }

    /// Holds a report to it: what is taken was done like this and is in sync, what is not taken is named.
    fn assert_report(&self, report: &Report, done: Option<Done>) {
        for item in report.items() {
            if self.takes(item) {
                assert_eq!((item.done, &item.state), (done, &ItemState::InSync), "{item:?}");
            } else {
                let why = Failure::Unsupported { what: "create", by: Denial::Statement };
                assert_eq!(item.state, ItemState::Failed(why), "{item:?}");
            }
        }
        assert_eq!(report.outcome().exit_code(), self.exit);
        assert_eq!(report.refusals, [], "nothing was tried in vain");
        // What would refer to something that is not there says so.
        let missing: BTreeSet<_> =
            report.items().filter(|item| !self.takes(item)).map(|item| item.item).collect();
        let named: BTreeSet<_> =
            report.items().flat_map(|item| item.left_out.iter().copied()).collect();
        assert!(named.is_subset(&missing));
        assert_eq!(named.is_empty(), self.not_taken.is_empty(), "{report:?}");
    }

    /// John Lee alone, to the last request; then edits in the EHR.
    async fn holds_for_one_record(&self, base_url: &str) {
        let counter = Counter::default();
        let mut john = [parse(&fixture(JOHN)).unwrap()];
        let archive = Archive::open(base_url, Duration::from_millis(200), &john).await;
        let archive = archive.without(&self.not_taken);
        let archive = archive.by(&counter.before(base_url).await, self.pack());
        let first = archive.apply(&john).await;
        let sent = counter.take();
        self.assert_report(&first, Some(Done::Created));
        assert_eq!(sent, self.first, "{}: {}", self.server, self.because);
        archive.seen().await;
        let second = archive.apply(&john).await;
        self.assert_report(&second, None);
        assert_eq!(counter.take(), self.second, "{}: {}", self.server, self.because);

        let of_type = |name: &str| {
            let item = first.items().find(|item| item.resource_type == name);
            item.and_then(|item| item.id.clone()).unwrap()
        };
        let (condition, task) = (of_type("Condition"), of_type("Task"));
        archive.edit(&condition, "note", r#"[{"text":"seen by the ward"}]"#).await;
        archive.eyes.delete(&task.to_string()).await;
        let (title, reworded) = ("/title", Value::String("Another title".to_owned()));
        *john[0].pointer_mut(title).unwrap() = reworded;
        let third = archive.apply(&john).await;
        let at = |id| third.items().find(|item| item.id.as_ref() == Some(id)).unwrap();
        let ItemState::RemoteChanged(changes) = &at(&condition).state else { panic!("{third:?}") };
        assert!(changes[0].path.starts_with("Condition.note"), "{changes:?}");
        assert_eq!(at(&task).state, ItemState::Conflict(Conflict::Gone));
        let plan = at(&of_type("CarePlan"));
        assert_eq!((plan.done, &plan.state), (Some(Done::Updated), &ItemState::InSync));
        let sent = counter.take();
        let updated = third.items().filter(|item| item.done.is_some()).count();
        assert_eq!((sent.transactions, sent.creates, sent.updates), (vec![], 0, updated));
        let after = archive.eyes.get(&format!("{base_url}/{condition}")).await;
        assert_eq!(after["note"][0]["text"], "seen by the ward", "not overwritten");
    }

    /// John Lee, Sara and others, in one run.
    async fn holds_for_many_records(&self, base_url: &str) {
        let counter = Counter::default();
        let mut many = records(self.records);
        for name in [JOHN, "ipt/sara-dit.json"] {
            many.push(parse(&fixture(name)).unwrap());
        }
        let archive = Archive::open(base_url, Duration::from_millis(200), &many).await;
        let archive = archive.without(&self.not_taken);
        let archive = archive.by(&counter.before(base_url).await, self.pack());
        let first = archive.apply(&many).await;
        self.assert_report(&first, Some(Done::Created));
        let created = archive.seen().await;
        counter.take();
        let second = archive.apply(&many).await;
        self.assert_report(&second, None);
        let Sent { transactions, creates, updates, .. } = counter.take();
        assert_eq!((transactions, creates, updates), (vec![], 0, 0), "a second run writes nothing");
        assert_eq!(archive.seen().await, created);
    }
}

/// Runs for each entry of the list that is about this server.
async fn for_each_server(variable: &str) {
    let expected: Vec<Expected> = serde_json::from_str(EXPECTED).unwrap();
    let mut of_server = Vec::new();
    for expected in expected.iter().filter(|expected| expected.variable == variable) {
        let Some(base_url) = environment(variable) else {
            tell(&format!("left out: sync with {} ({variable} is not set)", expected.server));
            continue;
        };
        // While it holds little: in the end some of them are slow.
        expected.holds_for_one_record(&base_url).await;
        of_server.push((expected, base_url));
    }
    // Where two things are expected of one server, they differ in how, not in what comes of it.
    if let Some((expected, base_url)) = of_server.first() {
        let started = Instant::now();
        expected.holds_for_many_records(base_url).await;
        tell(&format!("{}: {:?}", expected.server, started.elapsed()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hapi_is_as_expected() {
    for_each_server("IPT_FHIR_TEST_HAPI").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn validating_hapi_is_as_expected() {
    for_each_server("IPT_FHIR_TEST_HAPI_VALIDATING").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sekmet_is_as_expected() {
    for_each_server("IPT_FHIR_TEST_SEKMET").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn medplum_is_as_expected() {
    for_each_server("IPT_FHIR_TEST_MEDPLUM").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn medplum_in_batch_mode_is_as_expected() {
    for_each_server("IPT_FHIR_TEST_MEDPLUM_BATCH").await;
}

#[test]
fn each_server_of_the_list_has_a_test() {
    let expected: Vec<Expected> = serde_json::from_str(EXPECTED).unwrap();
    let source = include_str!("peers.rs");
    for Expected { variable, .. } in expected {
        assert!(source.contains(&format!("for_each_server(\"{variable}\")")), "{variable}");
    }
}

/// HAPI as a terminology server: it says what it knows, with a "no" of few words, and keeps nothing of what it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn hapi_answers_questions_about_codes() {
    const SYSTEM: &str = "http://ipt-fhir.test/codes";
    let Some(base_url) = environment("IPT_FHIR_TEST_HAPI") else {
        tell("left out: questions about codes to HAPI (IPT_FHIR_TEST_HAPI is not set)");
        return;
    };
    let client = Client::new(&Config::local(base_url.parse().unwrap()).unwrap()).unwrap();
    let concept = |code: &str, display: &str| object! { "code" => code, "display" => display };
    let concepts = vec![concept("a", "Alpha"), concept("b", "Beta")];
    let system = Resource::new("CodeSystem").with(object! {
        "url" => SYSTEM, "status" => "active", "content" => "complete", "concept" => concepts,
    });
    let id = client.create(&system, None).await.unwrap().id.unwrap();
    let server = Terminology::new(client.clone());
    let question = |about: About, system: &str, code: &str| CodeQuestion {
        about,
        system: Some(system.into()),
        version: None,
        code: code.into(),
    };
    let of = |code: &str| question(About::System, SYSTEM, code);
    let named = question(About::Names, SYSTEM, "b");
    let foreign = question(About::System, "http://ipt-fhir.test/none", "a");
    assert!(server.ask(&[of("a"), of("b"), of("nope"), named.clone(), foreign.clone()]).await);
    let answer = |question: &CodeQuestion| server.answers().get(question).unwrap();
    assert_eq!(answer(&of("a")), Answer::Valid(Some("Alpha".into())));
    assert_eq!(answer(&of("b")), Answer::Valid(Some("Beta".into())));
    assert_eq!(answer(&of("nope")), Answer::Invalid, "it has the whole system");
    assert_eq!(answer(&foreign), Answer::Open);
    let Answer::Called(names) = answer(&named) else { panic!("it has names") };
    assert_eq!(*names.names[0].1, *"Beta");
    assert_eq!(server.tally().stopped, None);
    assert_eq!(client.search("Parameters", &[]).await.unwrap(), [], "nothing was stored");
    client.delete(&id, None).await.unwrap();
}
