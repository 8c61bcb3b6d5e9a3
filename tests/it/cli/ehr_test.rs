//! `ehr test` against ten servers that are each broken in one way: the step that fails is the cause, and its cure is
//! the one that helps.

use std::sync::Arc;
use std::time::Duration;

use ipt_fhir::client::smart::{Algorithm, KeyFile};
use ipt_fhir::date::Clock;
use ipt_fhir::json::Value;
use ipt_fhir::sandbox::{self, Running, SmartClient};
use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use secrecy::ExposeSecret;

use super::Home;
use super::sandbox::Sandbox;
use crate::client::server::{Server, Step, answer};
use crate::support::tls::{Certificate, VALID};

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    state: String,
    found: String,
    cure: String,
}

/// Runs the test of an EHR, and gives what its steps came to.
fn test(home: &Home, name: &str, code: i32) -> impl Fn(&str) -> Told {
    let envelope = home.run(&format!("ehr test {name} --format json")).ends(code).envelope();
    let steps: Vec<Value> = envelope.items("result").cloned().collect();
    assert_eq!(steps.len(), 12, "each step is told");
    let failed = steps.iter().filter(|step| step.text("state") == Some("failed")).count();
    assert!(failed <= 1, "one cause: {envelope:?}");
    move |name| {
        let step = steps.iter().find(|step| step.text("name") == Some(name)).unwrap();
        let text = |member| step.text(member).unwrap_or_default().to_owned();
        Told { state: text("state"), found: text("found"), cure: text("cure") }
    }
}

#[track_caller]
fn assert_told(told: &Told, state: &str, found: &str, cure: &str) {
    let is_so = told.state == state && told.found.contains(found) && told.cure.contains(cure);
    assert!(is_so, "{told:?}");
}

/// A server that is broken before any login: what it answers to the first request.
fn plain(step: Step) -> (Home, Server) {
    let home = Home::new();
    // The first connection is the check's own, which sends nothing.
    let server = Server::start(vec![Step::Close, step]);
    home.run(&format!("ehr add it {}", server.base())).ends(0);
    (home, server)
}

#[test]
fn a_web_page_is_no_fhir_server() {
    let page =
        answer(200, &[("content-type", "text/html")], "<!doctype html><title>Log in</title>");
    let (home, _server) = plain(page);
    let step = test(&home, "it", 1);
    assert_told(&step("metadata"), "failed", "a web page", "a login or a portal");
    assert_eq!(step("writes").state, "skipped");
}

#[test]
fn a_base_without_metadata_is_the_wrong_one() {
    let (home, _server) = plain(answer(404, &[], ""));
    let step = test(&home, "it", 1);
    assert_told(&step("metadata"), "failed", "404", "the one before /metadata");
}

#[test]
fn another_release_is_named() {
    let r5 = r#"{"resourceType":"CapabilityStatement","fhirVersion":"5.0.0"}"#;
    let (home, _server) = plain(answer(200, &[], r5));
    let step = test(&home, "it", 1);
    assert_eq!(step("metadata").state, "ok");
    assert_told(&step("release"), "failed", "R5", "R4 base");
}

/// A server behind TLS, asked with more flags.
fn behind(tls: &Arc<ServerConfig>, home: &Home, flags: &str) -> Server {
    let server = Server::start_tls(Arc::clone(tls), vec![Step::Close, Step::Close]);
    home.run(&format!("ehr add it {} {flags}", server.base())).ends(0);
    server
}

#[test]
fn a_certificate_that_vouches_for_itself_is_told_apart_from_one_of_another_name() {
    let home = Home::new();
    let alone = Certificate::self_signed(&["127.0.0.1"], false).serve(None);
    let _server = behind(&alone, &home, "");
    let step = test(&home, "it", 1);
    assert_eq!(step("connection").state, "ok");
    assert_told(&step("tls"), "failed", "the issuer", "tls.ca");
    assert_eq!(step("metadata").state, "skipped");

    let home = Home::new();
    let authority = Certificate::authority("clinic");
    home.write("ca.pem", authority.pem());
    let other = authority.issue(&["ehr.example.org"], VALID).serve(None);
    let _server = behind(&other, &home, "--tls-ca ca.pem");
    let step = test(&home, "it", 1);
    assert_told(&step("tls"), "failed", "another name", "the right URL");
}

/// A sandbox that demands a login, and an EHR configured for it.
struct Clinic {
    home: Home,
    running: Running,
}

impl Clinic {
    async fn open(ahead: SignedDuration) -> Self {
        let home = Home::new();
        let key = KeyFile::generate(Algorithm::Es384).unwrap();
        home.write("key.json", key.to_text().expose_secret());
        let jwks = home.write("jwks.json", key.keys().unwrap().public_jwks().to_text());
        let clock = Clock::new(move || now() + ahead);
        let client = SmartClient { id: "ipt".to_owned(), jwks, scope: "system/*.cruds".to_owned() };
        let smart = sandbox::Smart {
            clients: vec![client],
            token_lifetime: Duration::from_mins(5),
            jwks_cache: Duration::ZERO,
        };
        let config = sandbox::Config { smart: Some(smart), clock, ..sandbox::Config::default() };
        let running = sandbox::Sandbox::start(config).await.unwrap();
        Self { home, running }
    }

    /// Configures the EHR, with its own token URL or another.
    fn add(&self, token_url: Option<&str>) -> &Self {
        let (base, own) = (self.running.base_url(), self.running.token_server().unwrap().url());
        let token_url = token_url.unwrap_or(own);
        let line = format!(
            "ehr add it {base} --client-id ipt --key-file key.json --token-url {token_url}"
        );
        self.home.run(&line).ends(0);
        self
    }

    fn test(&self, code: i32) -> impl Fn(&str) -> Told {
        test(&self.home, "it", code)
    }
}

#[expect(clippy::disallowed_methods, reason = "the program under test has the system's clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_works_passes_each_step() {
    let clinic = Clinic::open(SignedDuration::ZERO).await;
    let step = clinic.add(None).test(0);
    for name in ["smart", "token", "clock", "scopes", "search", "writes"] {
        assert_eq!(step(name).state, "ok", "{name}: {:?}", step(name));
    }
    assert_eq!(step("tls").state, "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_audience_is_seen_in_the_token_url() {
    let clinic = Clinic::open(SignedDuration::ZERO).await;
    let other = clinic.running.token_server().unwrap().url().replace("127.0.0.1", "localhost");
    let step = clinic.add(Some(&other)).test(6);
    assert_told(&step("smart"), "warning", "another token URL", "pin it with token_url");
    assert_told(&step("token"), "failed", "invalid_client", "made out to the pinned token URL");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_registered_is_told_apart_from_a_wrong_audience() {
    let clinic = Clinic::open(SignedDuration::ZERO).await;
    let other = KeyFile::generate(Algorithm::Es384).unwrap();
    clinic.home.write("key.json", other.to_text().expose_secret());
    let step = clinic.add(None).test(6);
    assert_eq!(step("smart").state, "ok");
    assert_told(&step("token"), "failed", "invalid_client", "`ehr keys jwks`");
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_scopes_name_what_they_leave_out() {
    let clinic = Clinic::open(SignedDuration::ZERO).await;
    let tokens = clinic.running.token_server().unwrap();
    tokens.narrow("system/Patient.rs system/Goal.cruds system/CarePlan.rs");
    let step = clinic.add(None).test(1);
    assert_eq!(step("token").state, "ok");
    assert_told(&step("scopes"), "failed", "CarePlan", "system/TYPE.crus");
    tokens.narrow("system/Goal.cruds");
    let step = clinic.test(1);
    assert_told(&step("scopes"), "failed", "Patient", "system/Patient.r");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_is_told_and_borne() {
    let clinic = Clinic::open(SignedDuration::from_mins(10)).await;
    let step = clinic.add(None).test(0);
    let clock = step("clock");
    assert_told(&clock, "warning", "ahead of ours", "by NTP");
    let seconds: i64 = clock.found.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!((590..=610).contains(&seconds), "{clock:?}");
    assert_eq!(step("token").state, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_server_that_is_down_is_told_apart_from_the_fhir_server() {
    let clinic = Clinic::open(SignedDuration::ZERO).await;
    clinic.running.token_server().unwrap().set_down(true);
    let step = clinic.add(None).test(1);
    assert_eq!(step("metadata").state, "ok");
    assert_told(&step("token"), "failed", "the token server", "");
    assert_ne!(step("token").cure, "");
    // Nobody listens at the port at all.
    let clinic = Clinic::open(SignedDuration::ZERO).await;
    let step = clinic.add(Some("http://127.0.0.1:9/token")).test(1);
    assert_told(
        &step("token"),
        "failed",
        "no connection to the token server",
        "can this machine reach it",
    );
}

#[test]
fn an_ehr_that_takes_notes_only_passes_where_notes_are_allowed() {
    let home = Home::new();
    for (personality, pack) in [("epic", "epic"), ("oracle", "oracle-health")] {
        let sandbox = Sandbox::start(&home, &format!("--as {personality}"));
        let add = |name: &str, flags: &str| {
            home.run(&format!("ehr add {name} {} --pack {pack} {flags}", sandbox.url)).ends(0);
        };
        add(personality, "--allow document");
        let step = test(&home, personality, 0);
        assert!(step("writes").found.contains("plan: document"), "{:?}", step("writes"));
        assert!(!step("writes").found.contains("not written"), "{:?}", step("writes"));
        assert_ne!(step("search").state, "failed", "{:?}", step("search"));
        // Without a word for notes the plan would stay here: the line to write is told, and where.
        let name = format!("{personality}-bare");
        add(&name, "");
        let step = test(&home, &name, 1);
        assert_told(&step("writes"), "failed", "plan: withheld", "allow = [\"document\"]");
        assert_told(&step("writes"), "failed", "", &format!("[ehr.{name}] of "));
    }
}

#[test]
fn sessions_at_linked_visits_are_told_and_do_not_fail() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, "");
    home.run(&format!("ehr add it {}", sandbox.url)).ends(0);
    let step = test(&home, "it", 0);
    assert_told(&step("search"), "ok", "a CarePlan can be looked up", "");
    assert_told(
        &step("writes"),
        "ok",
        "session: structure, at the EHR's own visits that `ehr link --session` links",
        "",
    );
}
