//! `validate --tx`: a terminology server tells what can't be told here, and nothing of a person reaches it.

use std::fmt::Write;

use ipt_fhir::json::{self, Value};

use super::Home;
use crate::client::server::{Server, answer};
use crate::support::shared;
use crate::support::terminology::{Batches, Habits, TerminologyServer};

/// An Observation whose code is one of LOINC's, as the server knows them, or not; with everything in it that must stay.
fn observation(code: &str, display: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"qzid","status":"final","language":"en",
        "text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">qznarrative</div>"}},
        "identifier":[{{"system":"http://hospital.test/qzsystem","value":"qzmrn"}}],
        "code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"{display}"}}],"text":"qztext"}},
        "subject":{{"reference":"Patient/qzpatient","display":"qzname"}},"effectiveDateTime":"1999-12-31",
        "valueString":"qzvalue","note":[{{"text":"qznote"}}]}}"#
    )
}

fn validate(home: &Home, server: &Server, line: &str) -> super::Run {
    home.run(&format!("validate {line} --tx {}", server.base()))
}

#[test]
fn a_server_tells_what_can_not_be_told_here() {
    let home = Home::new();
    home.write("right.json", observation("1234-5", "name OF 1234-5"));
    home.write("other-name.json", observation("1234-5", "Other name of 1234-5"));
    home.write("wrong-name.json", observation("1234-5", "Qzlove rate"));
    home.write("unknown.json", observation("0-0", "x"));
    home.write("open.json", observation("1", "x").replace("loinc.org", "hospital.test/codes"));
    let offline = home.run("validate right.json unknown.json --level information").ends(0);
    assert_eq!(offline.stdout.matches("note[fhir-not-checked]").count(), 2, "{}", offline.stdout);
    let server = TerminologyServer::start(Habits::GOOD);
    for (file, exit, found) in [
        ("right.json", 0, None),
        ("other-name.json", 0, None),
        ("wrong-name.json", 3, Some("error[fhir-display-wrong]")),
        ("unknown.json", 3, Some("error[fhir-code-unknown]")),
        ("open.json", 0, Some("note[fhir-not-checked]")),
    ] {
        let line = format!("{file} --level information --progress never");
        let run = validate(&home, &server.http, &line).ends(exit);
        assert_eq!(run.stderr, "", "{file}");
        let of_codes = ["fhir-not-checked", "fhir-display", "fhir-code"];
        let told: Vec<_> = run
            .stdout
            .lines()
            .filter(|line| of_codes.iter().any(|code| line.contains(code)))
            .collect();
        assert_eq!(told.len(), found.iter().count(), "{file}: {}", run.stdout);
        assert!(found.is_none_or(|found| told[0].starts_with(found)), "{file}: {told:?}");
    }
    let run = validate(&home, &server.http, "wrong-name.json").ends(3);
    assert!(run.stdout.contains("allowed: Name of 1234-5"), "{}", run.stdout);
    let german = observation("1234-5", "Herzfrequenz").replace("\"en\"", "\"fr\"");
    home.write("french.json", german);
    validate(&home, &server.http, "french.json").ends(0);
    let server = TerminologyServer::start(Habits { lists_names: false, ..Habits::GOOD });
    let line = format!("validate wrong-name.json --tx {}/", server.http.base());
    let run = home.run(&line).ends(0);
    assert!(run.stdout.contains("warning[fhir-display-wrong]"), "{}", run.stdout);
}

#[test]
fn nothing_of_a_person_reaches_the_server() {
    let home = Home::new();
    home.write("a.json", observation("1234-5", "qzdisplay said qzname"));
    home.write("b.json", observation("qzname Lee", "x"));
    home.write("c.json", observation("1-1", "x").replace("http://loinc.org", "qzname"));
    home.write("d.json", observation("1-1", "x").replace("loinc.org", "loinc.org?for=qzname"));
    for habits in [Habits::GOOD, Habits { batch: Batches::Refuses(404), ..Habits::SILENT }] {
        let server = TerminologyServer::start(habits);
        let run = validate(&home, &server.http, "a.json b.json c.json d.json -vvv");
        assert!(
            !run.stderr.contains("qz") && !run.stdout.contains("qz"),
            "{}{}",
            run.stdout,
            run.stderr
        );
        let sent = server.http.requests();
        assert!(!sent.is_empty());
        for request in sent {
            let all = format!(
                "{} {} {} {}",
                request.method, request.target, request.headers, request.body
            );
            for word in ["qz", "1999-12", "Observation"] {
                assert!(!all.contains(word), "{word} in {all}");
            }
            assert_eq!((request.method.as_str(), request.header("authorization")), ("POST", None));
        }
    }
}

#[test]
fn a_server_that_fails_makes_no_errors_and_is_told() {
    let home = Home::new();
    home.write("good.json", observation("1234-5", "x"));
    home.write("bad.json", observation("1234-5", "x").replace("final", "qzfinal"));
    let offline = home.run("validate good.json --report ndjson --level information").ends(0);
    let html = Server::start_answering(|_| answer(200, &[], "<html>qz</html>"));
    let missing = Server::start_answering(|_| answer(404, &[], "qz"));
    let denied = Server::start_answering(|_| answer(401, &[], "qz"));
    let busy = Server::start_answering(|_| answer(503, &[("Retry-After", "4000")], "qz"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (base, code) in [
        (html.base(), "tx-incorrect"),
        (missing.base(), "tx-refused"),
        (denied.base(), "tx-denied"),
        (busy.base(), "tx-busy"),
        (format!("http://127.0.0.1:{port}/fhir"), "tx-unreachable"),
    ] {
        let run = home
            .run(&format!("validate good.json --tx {base} --report ndjson --level information"))
            .ends(1);
        assert_eq!(run.stdout, offline.stdout, "{code}");
        assert!(run.stderr.contains(&format!("error[{code}]")), "{}", run.stderr);
        assert_eq!(run.stderr.matches('[').count(), 1, "one, and clear: {}", run.stderr);
        assert!(
            run.stderr.contains("help") && run.stderr.contains(&base) && !run.stderr.contains("qz")
        );
        home.run(&format!("validate bad.json --tx {base}")).ends(3);
        let json = home.run(&format!("validate good.json --tx {base} --format json")).ends(1);
        assert_eq!(json.codes(), [code]);
    }
    for wrong in [
        "hospital",
        "http://example.org/fhir",
        "https://a:b@example.org",
        "https://example.org?x=1",
    ] {
        let run = home.run(&format!("validate good.json --tx {wrong}")).ends(2);
        assert!(run.stderr.contains("error[tx-url]"), "{}", run.stderr);
    }
}

#[test]
fn a_configured_server_is_asked_with_its_login() {
    let mut home = Home::new();
    home.set("TX_TOKEN", "sesame-sesame");
    home.write("a.json", observation("1234-5", "Name of 1234-5"));
    let server = TerminologyServer::start(Habits::GOOD);
    home.run(&format!("ehr add terms {} --token-env TX_TOKEN", server.http.base())).ends(0);
    let run = home.run("validate a.json --tx terms --format json").ends(0);
    let told = |name: &str| run.envelope().pointer(&format!("/result/terminology/{name}")).cloned();
    assert_eq!(told("asked").and_then(|asked| asked.as_u64()), Some(1));
    assert_eq!(told("answered").and_then(|asked| asked.as_u64()), Some(1));
    assert_eq!(told("server"), Some(Value::String(server.http.base())));
    let sent = server.http.requests();
    assert_eq!(sent[0].header("authorization"), Some("Bearer sesame-sesame"));
    assert!(!run.stdout.contains("sesame") && !run.stderr.contains("sesame"));
    // Without a login nobody asks for one, and the configuration is left alone.
    assert!(
        home.run("validate a.json --format json")
            .ends(0)
            .envelope()
            .pointer("/result/terminology")
            .is_none()
    );
}

#[test]
fn an_export_asks_each_thing_once_and_keeps_its_order() {
    let home = Home::new();
    let mut export = String::new();
    for number in 0..3_000 {
        let code =
            if number % 10 == 0 { "0-0".to_owned() } else { format!("{}-1", number % 250 + 1) };
        let line = observation(&code, &format!("Name of {code}")).replace('\n', "");
        let _ = writeln!(export, "{line}");
    }
    home.write("export.ndjson", &export);
    let mut first = None;
    for (threads, habits) in [
        (1, Habits::GOOD),
        (4, Habits::GOOD),
        (4, Habits { batch: Batches::Refuses(501), ..Habits::GOOD }),
    ] {
        let server = TerminologyServer::start(habits);
        let line = format!("export.ndjson --threads {threads} --report ndjson --progress json");
        let run = validate(&home, &server.http, &line).ends(3);
        let lines: Vec<Value> =
            run.stdout.lines().map(|line| json::parse(line.as_bytes()).unwrap()).collect();
        assert_eq!(lines.len(), 3_000);
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(line.get("line").and_then(Value::as_u64), Some(number as u64 + 1));
            assert_eq!(line.get("valid"), Some(&Value::Bool(number % 10 != 0)), "{number}");
        }
        assert_eq!(server.most_often(), 1);
        let codes = server.asked().iter().filter(|(.., code)| code != "0-0").count();
        assert_eq!(codes, 225, "only that which is not a multiple of ten");
        assert!(
            run.stderr.contains("\"progress\":\"asking the terminology server\""),
            "{}",
            run.stderr
        );
        assert!(first.get_or_insert(run.stdout.clone()) == &run.stdout, "another order");
    }
}

#[test]
fn a_thousand_resources_of_synthea_ask_each_thing_once() {
    let Some(packed) = shared("data/synthea-1000.ndjson.gz") else {
        println!("left out: synthea-1000.ndjson.gz is not at hand");
        return;
    };
    let home = Home::new();
    home.write("synthea.ndjson.gz", packed);
    let offline = home.run("validate synthea.ndjson.gz --report ndjson --level information");
    let mut first = None;
    for habits in [Habits::GOOD, Habits::SILENT] {
        let server = TerminologyServer::start(habits);
        let line = "synthea.ndjson.gz --report ndjson --level information --threads 3";
        let run = validate(&home, &server.http, line);
        let key = |line: &str| {
            let line = json::parse(line.as_bytes()).unwrap();
            (line.text("resourceType").map(str::to_owned), line.get("line").and_then(Value::as_u64))
        };
        assert!(run.stdout.lines().map(key).eq(offline.stdout.lines().map(key)), "another order");
        if habits.repeats {
            assert_eq!(server.most_often(), 1);
        }
        let asked = server.asked().len();
        let requests = server.http.requests().len();
        assert!(asked > 200, "{asked}");
        println!("{asked} questions in {requests} requests");
        let is_open = |key: &str| {
            let told = format!("\"key\":\"{key}\"");
            let all = run.stdout.split("{\"severity\"");
            all.filter(|issue| issue.contains("fhir-not-checked"))
                .any(|issue| issue.contains(&told))
        };
        for known in [
            "http://loinc.org",
            "http://snomed.info/sct",
            "http://hl7.org/fhir/ValueSet/currencies",
        ] {
            assert!(offline.stdout.contains(known) && !is_open(known), "{known}");
        }
        assert!(is_open("http://hl7.org/fhir/sid/cvx"), "that system it does not know");
        let errors = run.stdout.matches("fhir-display-wrong").count();
        assert!(errors > 0, "names of this server are its own");
        assert!(first.get_or_insert(run.stdout.clone()) == &run.stdout, "another verdict");
    }
}
