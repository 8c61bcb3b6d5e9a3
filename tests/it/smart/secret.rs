//! No token, key or assertion in logs, errors, `Debug` or results, whatever the servers answer.

use std::collections::BTreeSet;

use ipt_fhir::client::smart::{Algorithm, KeyFile};
use ipt_fhir::json;
use secrecy::ExposeSecret;

use super::{Practice, client_at};
use crate::cli::Home;
use crate::client::server::{Server, Step, answer};

const TOKEN: &str = "qzsecrettoken";

/// The private parts of a key file, each cut to what can't be there by chance.
fn private_parts(file: &KeyFile) -> BTreeSet<String> {
    let value = json::parse(file.to_text().expose_secret().as_bytes()).unwrap();
    let mut parts = BTreeSet::new();
    for key in value.items("keys") {
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            parts.extend(key.text(member).map(|part| part.get(..24).unwrap().to_owned()));
        }
    }
    assert!(!parts.is_empty());
    parts
}

#[track_caller]
fn is_silent(text: &str, parts: &BTreeSet<String>, what: &str) {
    assert!(!text.contains("qzsecret"), "{what}: {text}");
    // An assertion is three parts of base64url, the first of which begins like every JOSE header.
    assert!(!text.contains("eyJ"), "{what}: {text}");
    assert!(!text.contains("client_assertion"), "{what}: {text}");
    for part in parts {
        assert!(!text.contains(part.as_str()), "{what} tells a key");
    }
}

/// What a token server may answer; each quotes what it should not.
fn answers() -> Vec<(&'static str, Step)> {
    let token = format!(r#"{{"access_token":"{TOKEN}","token_type":"bearer","expires_in":300}}"#);
    let failed = |status| {
        let body =
            r#"{"error":"invalid_client","error_description":"qzsecret eyJhbGciOiJSUzM4NCJ9"}"#;
        (format!("refused with {status}"), answer(status, &[], body))
    };
    let mut all: Vec<(&'static str, Step)> = vec![
        ("a token", answer(200, &[], &token)),
        ("a token of another type", answer(200, &[], &token.replace("bearer", "qzsecret"))),
        (
            "a scope of words",
            answer(200, &[], &token.replace("300", "300,\"scope\":\"\\u001bqzsecretx\"")),
        ),
        ("a page", answer(200, &[], "<html>qzsecret eyJ</html>")),
        ("another code", answer(400, &[], r#"{"error":"qzsecret"}"#)),
        ("a redirect", answer(302, &[("Location", "http://127.0.0.1:9/qzsecret")], "qzsecret")),
        (
            "half an answer",
            Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nqzsecret".to_vec()),
        ),
        ("nothing", Step::Close),
    ];
    for status in [400, 401, 403, 429, 500, 503] {
        all.push(("a refusal", failed(status).1));
    }
    all
}

#[test]
fn the_program_tells_nothing_at_the_highest_log_level() {
    for algorithm in ["rs384", "es384"] {
        let mut home = Home::new();
        home.set("IPT_FHIR_LOG", "trace");
        home.set("RUST_LOG", "trace");
        home.set("RUST_BACKTRACE", "1");
        let generated = home.run(&format!("ehr keys generate here --alg {algorithm} -vvv")).ends(0);
        let path = generated.stdout.lines().next().unwrap().to_owned();
        let text = secrecy::SecretString::from(std::fs::read_to_string(&path).unwrap());
        let parts = private_parts(&KeyFile::parse(&text).unwrap());
        let all = |run: &crate::cli::Run| format!("{}{}", run.stdout, run.stderr);
        is_silent(&all(&generated), &parts, "generate");
        for line in
            ["ehr keys list here -vvv", "ehr keys jwks here -vvv", "ehr keys rotate here -vvv"]
        {
            is_silent(&all(&home.run(line).ends(0)), &parts, line);
        }
        is_silent(&all(&home.run("ehr keys rotate here --retire -vvv").ends(8)), &parts, "retire");
        for (index, (what, step)) in answers().into_iter().enumerate() {
            let tokens = Server::start(vec![step]);
            let page = answer(401, &[], "qzsecret <html>");
            let fhir = Server::start(vec![Step::Close, page]);
            let name = format!("e{index}");
            let url = tokens.base().replace("/fhir", "/token");
            let add = format!(
                "ehr add {name} {} --client-id ipt --key-file {path} --token-url {url} -vvv",
                fhir.base()
            );
            is_silent(&all(&home.run(&add).ends(0)), &parts, what);
            let test = home.run(&format!("ehr test {name} -vvv --timeout 5"));
            assert!(matches!(test.code, Some(1 | 6)), "{what}: {}", all(&test));
            is_silent(&all(&test), &parts, what);
            let asked = tokens.requests();
            assert!(!asked.is_empty(), "{what}: the token server was asked");
            assert!(asked[0].body.contains("eyJ"), "and would have been heard");
        }
    }
}

#[tokio::test]
async fn no_debug_and_no_error_tells() {
    let practice = Practice::open(Algorithm::Rs384).await;
    let text = secrecy::SecretString::from(std::fs::read_to_string(practice.key_path()).unwrap());
    let parts = private_parts(&KeyFile::parse(&text).unwrap());
    for (what, step) in answers() {
        let tokens = Server::start(vec![step]);
        let source = ipt_fhir::client::Source::new({
            let path = practice.key_path();
            move || Ok(secrecy::SecretString::from(std::fs::read_to_string(&path).unwrap()))
        });
        let pinned = tokens.base().replace("/fhir", "/token").parse().unwrap();
        let login =
            ipt_fhir::client::smart::Smart::new("ipt", pinned, source, practice.hands.clock(0));
        let before = format!("{login:?}");
        let client = client_at(practice.running.base_url(), login);
        let result = client.login().await;
        let shown = match &result {
            Ok(login) => format!("{login:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        // A scope is told: it is the server's word for what we may do. This one holds what no scope can.
        is_silent(&format!("{before}{client:?}{shown}"), &parts, what);
    }
    let shown = format!("{:?} {:?}", practice.running, practice.tokens());
    for part in &parts {
        assert!(!shown.contains(part.as_str()));
    }
}
