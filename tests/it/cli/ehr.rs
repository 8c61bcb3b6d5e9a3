//! `ehr`: adding, listing and testing.

use super::Home;
use super::sandbox::Sandbox;
use crate::client::server::{Server, Step, answer};

#[test]
fn add_writes_an_ehr_that_list_shows() {
    let home = Home::new();
    home.run("ehr add here http://127.0.0.1:9/fhir --settle 5 --timeout 7").ends(0);
    let list = home.run("ehr list --format json").ends(0).envelope();
    let here = list.items("result").next().unwrap();
    assert_eq!(here.text("name"), Some("here"));
    assert_eq!(here.text("url"), Some("http://127.0.0.1:9/fhir"));
    assert_eq!(here.get("settle_seconds").and_then(ipt_fhir::json::Value::as_u64), Some(5));
    assert_eq!(here.get("timeout_seconds").and_then(ipt_fhir::json::Value::as_u64), Some(7));
    assert!(home.run("ehr list").ends(0).stdout.contains("http://127.0.0.1:9/fhir"));
    home.run("ehr add here http://127.0.0.1:9/other").ends(2);
    home.run("ehr add far https://ehr.example.org/fhir --token-file t --settle 0").ends(2);
    home.run("ehr add Here http://127.0.0.1:9/fhir").ends(2);
    for url in ["http://ehr.example.org/fhir", "https://u:p@a.example", "https://a.example/", "x"] {
        let codes = home.run(&format!("ehr add other {url} --format json")).ends(2).codes();
        assert_eq!(codes, ["url"], "{url}");
    }
    assert!(home.run("ehr list").ends(0).stdout.lines().count() == 2);
}

#[test]
fn add_says_what_is_allowed_below_structure() {
    let home = Home::new();
    let url = "http://127.0.0.1:9/fhir";
    let flags = "--allow document,hand-off --opt-in diagnosis --encounter link --hand-off out";
    home.run(&format!("ehr add a {url} --pack epic {flags}")).ends(0);
    home.run(&format!("ehr add b {url} --pack hapi")).ends(0);
    let list = home.run("ehr list --format json").ends(0).envelope();
    let shown: Vec<_> = list.items("result").collect();
    let words = |ehr: &ipt_fhir::json::Value, member: &str| -> Vec<String> {
        ehr.items(member).filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    assert_eq!(words(shown[0], "allow"), ["document", "hand-off"]);
    assert_eq!(words(shown[0], "opt_in"), ["diagnosis"]);
    assert_eq!(shown[0].text("encounter"), Some("link"));
    assert_eq!(shown[0].text("hand_off"), home.path("out").to_str());
    assert!(words(shown[1], "allow").is_empty() && words(shown[1], "opt_in").is_empty());
    assert_eq!(shown[1].text("encounter"), Some("create"), "as the pack has it");
    assert!(shown[1].text("hand_off").unwrap().ends_with("/hand-off/b"));
    let human = home.run("ehr list").ends(0).stdout;
    assert!(human.contains("document, hand-off") && human.contains("structure only"), "{human}");
    for wrong in ["--allow documents", "--allow structure", "--opt-in goals", "--encounter make"] {
        home.run(&format!("ehr add c {url} {wrong}")).ends(2);
    }
}

#[test]
fn add_takes_the_place_of_a_secret() {
    let home = Home::new();
    let url = "https://ehr.example.org/fhir";
    home.run(&format!("ehr add none {url}")).ends(2);
    for (name, flags, auth) in [
        ("a", "--token-file t", "bearer (file)"),
        ("b", "--token-env T", "bearer (env)"),
        ("c", "--token-command cat", "bearer (command)"),
        ("d", "--user u --password-file p", "basic (file)"),
        ("e", "--user u --password-env P", "basic (env)"),
        ("f", "--user u --password-command cat", "basic (command)"),
    ] {
        home.run(&format!("ehr add {name} {url} {flags}")).ends(0);
        let list = home.run("ehr list").ends(0).stdout;
        let line = list.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(line.contains(auth), "{line}");
    }
    for flags in
        ["--token-file t --token-env T", "--user u", "--password-env P", "--user u --token-env T"]
    {
        home.run(&format!("ehr add g {url} {flags}")).ends(2);
    }
}

#[test]
fn add_takes_the_way_to_an_ehr() {
    let home = Home::new();
    let url = "https://ehr.example.org/fhir --token-env T";
    home.run(&format!("ehr add a {url} --private-network --tls-ca ca.pem --tls-certificate c.pem --tls-key k.pem --rate-per-minute 250 --rate-aligned-to-minute")).ends(0);
    home.run(&format!("ehr add b {url} --rate-per-second 5")).ends(0);
    let list = home.run("ehr list --format json").ends(0).envelope();
    let shown: Vec<_> = list.items("result").collect();
    assert_eq!(
        shown[0].get("private_network").and_then(ipt_fhir::json::Value::as_bool),
        Some(true)
    );
    assert_eq!(shown[0].text("rate"), Some("250 per minute of the server's clock"));
    let tls = shown[0].get("tls").unwrap();
    assert!(
        ["ca", "certificate", "key"].iter().all(|name| tls.text(name).unwrap().starts_with('/'))
    );
    assert_eq!(shown[1].text("rate"), Some("5 per second"));
    assert_eq!(
        shown[1].get("private_network").and_then(ipt_fhir::json::Value::as_bool),
        Some(false)
    );
    for flags in [
        "--tls-key k.pem",
        "--tls-certificate c.pem",
        "--rate-per-minute 0",
        "--rate-per-minute 5 --rate-per-second 5",
        "--rate-aligned-to-minute",
    ] {
        home.run(&format!("ehr add c {url} {flags}")).ends(2);
    }
}

#[test]
fn test_passes_against_the_sandbox() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, "");
    home.run(&format!("ehr add here {}", sandbox.url)).ends(0);
    let run = home.run("ehr test here").ends(0);
    assert_eq!(run.stdout.matches(" ok ").count(), 7, "{}", run.stdout);
    assert_eq!(run.stdout.matches(" skipped ").count(), 5, "no TLS, no login: {}", run.stdout);
}

#[test]
fn ehr_names_the_ehr_for_a_command_without_a_name() {
    let mut home = Home::new();
    assert_eq!(home.run("ehr test --format json").ends(2).codes(), ["ehr-unnamed"]);
    home.run("ehr add first http://127.0.0.1:9/fhir").ends(0);
    assert!(home.run("ehr test").ends(1).stdout.starts_with("first:"));
    home.run("ehr add second http://127.0.0.1:9/fhir").ends(0);
    assert_eq!(home.run("ehr test --format json").ends(2).codes(), ["ehr-unnamed"]);
    assert!(home.run("ehr test --ehr second").ends(1).stdout.starts_with("second:"));
    let wrong = home.run("ehr test --ehr secnd").ends(2);
    assert!(wrong.stderr.contains("did you mean `second`?"), "{}", wrong.stderr);
    home.set("IPT_FHIR_EHR", "first");
    assert!(home.run("ehr test").ends(1).stdout.starts_with("first:"));
}

#[test]
fn timeout_limits_a_request() {
    let home = Home::new();
    let server = Server::start(vec![Step::Close, Step::Drip]);
    home.run(&format!("ehr add slow {}", server.base())).ends(0);
    let started = std::time::Instant::now();
    let run = home.run("ehr test slow --timeout 1").ends(1);
    assert!(run.stdout.contains("no complete answer within the time limit"), "{}", run.stdout);
    assert!(started.elapsed().as_secs() < 10);
    home.run("ehr test slow --timeout 0").ends(2);
}

#[test]
fn test_names_the_cure_of_each_failure() {
    // The first connection is the check's own, which sends nothing.
    let run = |steps: Vec<Step>, exit| {
        let home = Home::new();
        let server = Server::start([vec![Step::Close], steps].into_iter().flatten().collect());
        home.run(&format!("ehr add it {}", server.base())).ends(0);
        home.run("ehr test it").ends(exit).stdout
    };
    let portal = run(vec![answer(200, &[], "{}")], 1);
    assert!(portal.contains("cure: the URL must be the base of a FHIR server"), "{portal}");
    assert_eq!(portal.matches(" skipped ").count(), 8, "{portal}");
    // Shown to nobody, then not to us.
    let denied = run(vec![answer(401, &[], ""), answer(401, &[], "")], 6);
    assert!(denied.contains("cure: the token or password is wrong"), "{denied}");
    let stu3 = r#"{"resourceType":"CapabilityStatement","fhirVersion":"3.0.2"}"#;
    let old = run(vec![answer(200, &[], stu3)], 1);
    assert!(old.contains("STU3") && old.contains("cure: this program writes R4"), "{old}");
    let little = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1"}"#;
    let found = r#"{"resourceType":"Bundle","type":"searchset","entry":[]}"#;
    let little = run(vec![answer(200, &[], little), answer(200, &[], found)], 1);
    assert!(little.contains("plan: withheld, session: withheld"), "{little}");
    assert!(little.contains("cure: allow = [\"hand-off\"] in [ehr.it] of "), "{little}");
    let home = Home::new();
    home.run("ehr add gone http://127.0.0.1:9/fhir").ends(0);
    let gone = home.run("ehr test gone").ends(1).stdout;
    assert!(gone.contains("connection refused"), "{gone}");
}
