//! What bringing a plan into an EHR costs us, beside the same requests sent raw.
//!
//! `cargo bench --bench sync` (`-- --quick`: a few seconds). One pass brings new plans, each of a client of its own, into a
//! sandbox that runs as a process of its own: mapping, notes, ledger and requests, as `sync apply` does it. What was sent
//! is recorded once, and then the same bytes are sent by reqwest alone, one after another, to a sandbox as new as the first
//! one was. Passes of both take turns; the table shows medians. CPU is that of this process, user and system, from
//! `/proc/self/stat` (Linux; in ticks of 10 ms, so that a pass has many plans). Wall time holds the server's time as well,
//! the same in both.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a bench prints, stops where its input is not there, and divides"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request};
use axum::response::Response;
use ipt_fhir::client::{Base, Client, Config};
use ipt_fhir::fhir::{Bundle, Entry, Resource};
use ipt_fhir::ipt::{Plan, document};
use ipt_fhir::mapping::identity::Identity;
use ipt_fhir::mapping::{Options, to_fhir};
use ipt_fhir::phi::Phi;
use ipt_fhir::store::{Link, ReferenceLink, Store, digest};
use ipt_fhir::sync::{Ehr, Outcome, Record, apply, client_digest, patient_marks, reference_marks};
use ipt_fhir::vendor::{Allow, Encounters, Overrides, Pack};

/// A way to bring plans somewhere.
struct Way {
    name: &'static str,
    /// Whom the sandbox plays, and by which pack it is known.
    plays: Option<(&'static str, &'static str)>,
}

const WAYS: [Way; 3] = [
    Way { name: "structure, one transaction", plays: None },
    Way { name: "notes as text (epic)", plays: Some(("epic", "epic")) },
    Way { name: "notes as PDF (oracle)", plays: Some(("oracle", "oracle-health")) },
];

/// One client of the practice: the plan, the Patient, and the visits of the sessions.
struct Case {
    plan: Plan,
    patient: Resource,
    visits: Vec<(String, Resource)>,
}

impl Case {
    fn new(number: usize) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ipt/john-lee-in-treatment.json");
        let mut plan = document::parse(&fs::read(path).unwrap()).unwrap().plan;
        plan.id = format!("{}-{number}", plan.id);
        let patient = resource(&format!(
            r#"{{"resourceType":"Patient","id":"p{number}","active":true,"birthDate":"1990-01-01",
            "identifier":[{{"system":"urn:x:mrn","value":"{number}"}}],"name":[{{"family":"Lee"}}]}}"#
        ));
        let started =
            plan.sessions.iter().filter_map(|one| Some((one, one.start.as_ref()?.as_str())));
        let visits = started.map(|(session, start)| {
            let visit = resource(&format!(
                r#"{{"resourceType":"Encounter","id":"p{number}-{}","status":"finished","class":{{"code":"AMB"}},
                "subject":{{"reference":"Patient/p{number}"}},"period":{{"start":"{start}","end":"{start}"}}}}"#,
                session.number
            ));
            (session.id.clone(), visit)
        });
        Self { visits: visits.collect(), plan, patient }
    }

    /// The record as it is linked at a server, with its visits where the pack wants them.
    fn record(&self, base_url: &str, links_visits: bool) -> Record {
        let options = Options::default();
        let mapped = to_fhir(&self.plan, &options).resources;
        let resources: Vec<_> = mapped.into_iter().map(|one| (one.item, one.resource)).collect();
        let link = Link {
            ehr: "bench".into(),
            base_url: base_url.to_owned(),
            plan: digest(&self.plan.id),
            record: Phi::new("record.json".into()),
            client: client_digest(&resources),
            patient: place(&self.patient).parse().unwrap(),
            practitioner: None,
            patient_marks: patient_marks(&self.patient),
            linked_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let identity = Identity::new(&self.plan.id, None);
        let visits = self.visits.iter().filter(|_| links_visits);
        let references = visits.map(|(session, visit)| ReferenceLink {
            ehr: link.ehr.clone(),
            plan: link.plan.clone(),
            item: identity.item(session),
            marks: reference_marks(visit),
            target: place(visit).parse().unwrap(),
            linked_at: link.linked_at,
        });
        let references = references.collect();
        Record::new(link, &self.plan, &options, references)
    }
}

fn resource(text: &str) -> Resource {
    Resource::parse(text.as_bytes()).unwrap()
}

fn place(resource: &Resource) -> String {
    format!("{}/{}", resource.resource_type(), resource.id().unwrap())
}

/// A sandbox in a process of its own, so that its time is not ours.
struct Server {
    child: Child,
    base_url: String,
}

impl Server {
    fn start(way: &Way, seed: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ipt-fhir"));
        command.args(["sandbox", "--quiet", "--seed"]).arg(seed);
        command.args(way.plays.iter().flat_map(|(plays, _)| ["--as", plays]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, base_url: line.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request as it was sent.
#[derive(Clone)]
struct Sent {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A proxy that keeps what goes through it.
struct Recorder {
    origin: String,
    http: reqwest::Client,
    sent: Mutex<Vec<Sent>>,
}

impl Recorder {
    /// Its base URL before a server's.
    async fn start(base_url: &str) -> (Arc<Self>, String) {
        let (origin, path) = split(base_url);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}{path}", listener.local_addr().unwrap());
        let sent = Mutex::new(Vec::new());
        let recorder = Arc::new(Self { origin: origin.to_owned(), http: raw_client(), sent });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&recorder));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (recorder, own)
    }
}

async fn pass(State(recorder): State<Arc<Recorder>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = parts.headers;
    // What the sender of raw requests says by itself.
    for name in ["host", "accept-encoding", "content-length"] {
        headers.remove(name);
    }
    let sent = Sent { method: parts.method, uri: parts.uri.to_string(), headers, body };
    let answer = send(&recorder.http, &recorder.origin, &sent).await;
    recorder.sent.lock().unwrap().push(sent);
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove("transfer-encoding");
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The origin and the path of a base URL.
fn split(base_url: &str) -> (&str, &str) {
    let host = base_url.find("://").unwrap() + 3;
    let path = base_url
        .get(host..)
        .and_then(|rest| rest.find('/'))
        .map_or(base_url.len(), |place| host + place);
    base_url.split_at(path)
}

fn raw_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn send(http: &reqwest::Client, origin: &str, sent: &Sent) -> reqwest::Response {
    let request = http.request(sent.method.clone(), format!("{origin}{}", sent.uri));
    request.headers(sent.headers.clone()).body(sent.body.clone()).send().await.unwrap()
}

/// What a pass took.
#[derive(Clone, Copy)]
struct Took {
    cpu: Duration,
    wall: Duration,
}

/// The processor time of this process, its ended threads included.
fn cpu() -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // After the name, which may hold anything: fields 14 and 15 of all.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u32 = [11, 12].iter().map(|field| fields[*field].parse::<u32>().unwrap()).sum();
    TICK * ticks
}

struct Stopwatch {
    cpu: Duration,
    started: Instant,
}

impl Stopwatch {
    fn start() -> Self {
        Self { cpu: cpu(), started: Instant::now() }
    }

    fn stop(&self) -> Took {
        Took { cpu: cpu().saturating_sub(self.cpu), wall: self.started.elapsed() }
    }
}

/// Brings all plans in, as one run; `to` is where requests go.
async fn sync(way: &Way, cases: &[Case], base_url: &str, to: &str) -> Took {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    let pack = way.plays.and_then(|(_, pack)| Pack::named(pack));
    for case in cases {
        let record = case.record(base_url, pack.is_some());
        store.link(&record.link).await.unwrap();
        store.link_references(&record.link, &record.references).await.unwrap();
    }
    let client = Client::new(&Config::local(to.parse::<Base>().unwrap()).unwrap()).unwrap();
    let encounters = pack.is_none().then_some(Encounters::Create);
    let ehr = Ehr {
        name: "bench",
        base_url,
        client: &client,
        store: &store,
        settle: Duration::ZERO,
        pack,
        overrides: &Overrides::default(),
        allow: &Allow { encounters, ..Allow::every_rung() },
        hand_off: &directory.path().join("packages"),
        now: &ipt_clock,
    };
    let watch = Stopwatch::start();
    let records: Vec<Record> =
        cases.iter().map(|case| case.record(base_url, pack.is_some())).collect();
    let report = apply(&ehr, &records, &mut |_| ()).await.unwrap();
    let took = watch.stop();
    let stopped = report.records.iter().enumerate().find_map(|(place, record)| {
        record.stopped.as_ref().map(|stop| format!("record {place}: {stop}"))
    });
    assert_eq!(report.outcome(), Outcome::Done, "{} {stopped:?}", way.name);
    store.close().await.unwrap();
    took
}

/// Sends what was recorded.
async fn raw(sent: &[Sent], base_url: &str) -> Took {
    let (origin, _) = split(base_url);
    let watch = Stopwatch::start();
    let http = raw_client();
    for one in sent {
        let answer = send(&http, origin, one).await;
        let is_taken = answer.status().is_success();
        std::hint::black_box(answer.bytes().await.unwrap());
        // What was attached lies under another id here: asking for it costs the same.
        assert!(is_taken || one.method == Method::GET, "{} {}", one.method, one.uri);
    }
    watch.stop()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn measure(way: &Way, cases: &[Case], passes: usize, seed: &Path) {
    let sent = {
        let server = Server::start(way, seed);
        let (recorder, own) = Recorder::start(&server.base_url).await;
        sync(way, cases, &server.base_url, &own).await;
        recorder.sent.lock().unwrap().clone()
    };
    let mut took: [Vec<Took>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..passes {
        let server = Server::start(way, seed);
        took[0].push(sync(way, cases, &server.base_url, &server.base_url).await);
        let server = Server::start(way, seed);
        took[1].push(raw(&sent, &server.base_url).await);
    }
    let plans = cases.len() as f64;
    let of = |times: &[Took], what: fn(&Took) -> Duration| {
        median(times.iter().map(what).collect()).as_secs_f64() * 1000.0 / plans
    };
    let bytes: usize = sent.iter().map(|one| one.body.len()).sum();
    let [ours, theirs] = took.each_ref().map(|times| [of(times, |t| t.cpu), of(times, |t| t.wall)]);
    println!(
        "{:<28}{:>9.1}{:>9.1}{:>9.2}{:>9.2}{:>9.2}{:>9.2}{:>8.2}{:>8.2}",
        way.name,
        sent.len() as f64 / plans,
        bytes as f64 / 1000.0 / plans,
        ours[0],
        theirs[0],
        ours[1],
        theirs[1],
        ours[0] / theirs[0],
        ours[1] / theirs[1],
    );
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (plans, passes) = if is_quick { (20, 3) } else { (100, 7) };
    let cases: Vec<Case> = (0..plans).map(Case::new).collect();
    let directory = tempfile::tempdir().unwrap();
    let seed: PathBuf = directory.path().join("seed.json");
    let seeded = cases.iter().flat_map(|case| {
        std::iter::once(&case.patient).chain(case.visits.iter().map(|(_, visit)| visit))
    });
    let entry = |one: &Resource| Entry { resource: Some(one.clone()), ..Entry::default() };
    let bundle = Bundle::new("collection", seeded.map(entry).collect());
    fs::write(&seed, bundle.into_resource().to_text()).unwrap();
    println!("{plans} new plans in a pass, medians of {passes} passes; milliseconds of a plan");
    let head = ["requests", "kB sent", "CPU", "raw", "wall", "raw"];
    let head = head.iter().fold(String::new(), |head, name| format!("{head}{name:>9}"));
    println!("{:<28}{head}{:>8}{:>8}", "", "CPU x", "wall x");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for way in &WAYS {
        runtime.block_on(measure(way, &cases, passes, &seed));
    }
    println!("CPU: of this process alone; raw: the same requests by reqwest; x: ours in raw ones");
}

#[expect(clippy::disallowed_methods, reason = "a bench is run by a person, now")]
fn ipt_clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
