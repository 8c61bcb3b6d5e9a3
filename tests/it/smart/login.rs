//! Logging in, from end to end, and what a token server's answer means.

use ipt_fhir::client::Error;
use ipt_fhir::client::smart::{Algorithm, Granted, NoToken, OAuthCode, Smart};
use ipt_fhir::fhir::Resource;
use jiff::SignedDuration;

use super::{Practice, client_at, patient, why};
use crate::client::server::{Server, Step, answer};

#[tokio::test]
async fn both_algorithms_log_in_write_and_read() {
    for algorithm in [Algorithm::Rs384, Algorithm::Es384] {
        let practice = Practice::open(algorithm).await;
        let client = practice.client_with(practice.login(0).with_scope("system/*.cruds"));
        let created = client.create(&patient(), None).await.unwrap();
        let read = client.read(&created.id.unwrap()).await.unwrap();
        assert_eq!(read.resource.resource_type(), "Patient");
        assert_eq!(client.search("Patient", &[("active", "true")]).await.unwrap().len(), 1);
        let login = client.login().await.unwrap().unwrap();
        assert_eq!(login.granted, Granted::Said(vec!["system/*.cruds".to_owned()]));
        assert_eq!(login.skew, Some(SignedDuration::ZERO));
        assert_eq!(login.lifetime.unwrap().as_secs(), 300);
        assert_eq!(practice.tokens().requests(), 1);
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_but_to_what_all_may_read() {
    let practice = Practice::open(Algorithm::Es384).await;
    let http = crate::smart::refused::http();
    let base = practice.running.base_url();
    for (path, header, status) in [
        ("/metadata", None, 200),
        ("/.well-known/smart-configuration", None, 200),
        ("/Patient", None, 401),
        ("/Patient", Some("Bearer"), 401),
        ("/Patient", Some("Bearer garbage"), 401),
        ("/Patient", Some("Basic Z2FyYmFnZQ=="), 401),
        ("", None, 401),
        ("/_history", None, 401),
        ("/nothing/at/all", None, 401),
    ] {
        let mut request = http.get(format!("{base}{path}"));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let answered = request.send().await.unwrap();
        assert_eq!(answered.status().as_u16(), status, "{path} {header:?}");
        let challenge = answered.headers().contains_key("www-authenticate");
        assert_eq!(challenge, status == 401, "{path} {header:?}");
    }
    let client = practice.client();
    let offered = client.smart_configuration().await.unwrap();
    let url = offered.token_endpoint.unwrap().unwrap();
    assert_eq!(url.as_str(), practice.tokens().url());
    assert_eq!(offered.algorithms, ["RS384", "ES384"]);
    assert!(offered.capabilities.contains(&"client-confidential-asymmetric".to_owned()));
    assert_eq!(practice.tokens().requests(), 0, "what all may read needs no login");
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say() {
    let open = |scope| Practice::open_with(Algorithm::Es384, scope, std::time::Duration::ZERO);
    let read = |practice: &Practice| {
        let put = Resource::parse(br#"{"resourceType":"Patient","id":"p"}"#).unwrap();
        practice.running.put(put).unwrap()
    };
    for (scope, reads, searches, creates) in [
        ("system/Patient.rs", true, true, false),
        ("system/Patient.read", true, true, false),
        ("system/Patient.r", true, false, false),
        ("system/Patient.c", false, false, true),
        ("system/*.write", false, false, true),
        ("system/Goal.cruds", false, false, false),
        ("system/Goal.cruds system/Patient.cs", false, true, true),
    ] {
        let practice = open(scope).await;
        let id = read(&practice);
        let client = practice.client();
        let allowed = |result: Result<(), Error>| match result {
            Ok(()) => true,
            Err(Error::Forbidden) => false,
            Err(other) => panic!("{scope}: {other:?}"),
        };
        assert_eq!(allowed(client.read(&id).await.map(drop)), reads, "{scope}");
        assert_eq!(allowed(client.search("Patient", &[]).await.map(drop)), searches, "{scope}");
        assert_eq!(allowed(client.create(&patient(), None).await.map(drop)), creates, "{scope}");
        let entry = |method: &str, url: &str| {
            let text = format!(
                r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"{method}","url":"{url}"}}}}]}}"#
            );
            ipt_fhir::fhir::Bundle::from_resource(Resource::parse(text.as_bytes()).unwrap())
                .unwrap()
        };
        let bundle = entry("GET", "Patient/p");
        assert_eq!(allowed(client.transaction(&bundle).await.map(drop)), reads, "{scope}");
        let include = entry("GET", "Patient?_revinclude=Goal:subject");
        assert!(!allowed(client.transaction(&include).await.map(drop)), "{scope}");
    }
    // What an include brings along counts, too.
    let practice = open("system/Goal.rs").await;
    read(&practice);
    let goal = br#"{"resourceType":"Goal","id":"g","subject":{"reference":"Patient/p"}}"#;
    practice.running.put(Resource::parse(goal).unwrap()).unwrap();
    let client = practice.client();
    assert_eq!(client.search("Goal", &[]).await.unwrap().len(), 1);
    let include = [("_include", "Goal:subject")];
    assert_eq!(client.search("Goal", &include).await.unwrap_err(), Error::Forbidden);
}

#[tokio::test]
async fn a_narrower_grant_is_told_and_a_grant_that_nobody_told_is_unknown() {
    let practice =
        Practice::open_with(Algorithm::Es384, "system/Goal.rs", std::time::Duration::ZERO).await;
    let asked = "system/*.read system/Patient.c";
    let client = practice.client_with(practice.login(0).with_scope(asked));
    let login = client.login().await.unwrap().unwrap();
    assert_eq!(login.granted, Granted::Said(vec!["system/Goal.rs".to_owned()]));
    practice.tokens().set_says_scope(false);
    let client = practice.client_with(practice.login(0).with_scope(asked));
    let login = client.login().await.unwrap().unwrap();
    assert_eq!(login.granted, Granted::Unsaid { asked: Some(asked.to_owned()) });
    let none = practice.client_with(practice.login(0).with_scope("system/Patient.c"));
    assert_eq!(why(none.login().await), NoToken::Refused(OAuthCode::InvalidScope));
    let wrong = Smart::new(
        "another",
        practice.tokens().url().parse().unwrap(),
        ipt_fhir::client::Source::new({
            let path = practice.key_path();
            move || Ok(secrecy::SecretString::from(std::fs::read_to_string(&path).unwrap()))
        }),
        practice.hands.clock(0),
    );
    let wrong = practice.client_with(wrong);
    assert_eq!(why(wrong.login().await), NoToken::Refused(OAuthCode::InvalidClient));
}

#[tokio::test]
async fn a_clock_that_is_off_is_learnt_from_the_server_and_told() {
    for ahead in [-600, -90, 600, 3_000] {
        let practice = Practice::open(Algorithm::Es384).await;
        let client = practice.client_with(practice.login(ahead));
        client.search("Patient", &[]).await.unwrap();
        let login = client.login().await.unwrap().unwrap();
        assert_eq!(login.skew, Some(SignedDuration::from_secs(-ahead)), "{ahead}");
        let first_try = i64::from(!(-240..=60).contains(&ahead));
        assert_eq!(practice.tokens().requests(), 1 + u64::try_from(first_try).unwrap(), "{ahead}");
        // What was learnt stays: the next login is right at once.
        practice.tokens().revoke_all();
        let before = practice.tokens().requests();
        client.search("Patient", &[]).await.unwrap();
        assert_eq!(practice.tokens().requests(), before + 1, "{ahead}");
    }
    for ahead in [-4_000, 4_000, 400_000_000] {
        let practice = Practice::open(Algorithm::Es384).await;
        let client = practice.client_with(practice.login(ahead));
        assert_eq!(why(client.search("Patient", &[]).await), NoToken::Clock, "{ahead}");
        assert_eq!(practice.tokens().requests(), 1, "{ahead}");
        assert_eq!(practice.running.log().len(), 0, "{ahead}");
    }
}

/// What our client says to an answer of a token server; nothing else was asked for.
async fn answered(step: Step) -> Result<(), Error> {
    let practice = Practice::open(Algorithm::Es384).await;
    let server = Server::start(vec![step]);
    let login = practice.login(0);
    let elsewhere = server.base().replace("/fhir", "/token");
    let source = ipt_fhir::client::Source::new({
        let path = practice.key_path();
        move || Ok(secrecy::SecretString::from(std::fs::read_to_string(&path).unwrap()))
    });
    drop(login);
    let login = Smart::new("ipt", elsewhere.parse().unwrap(), source, practice.hands.clock(0));
    let client = client_at(practice.running.base_url(), login);
    let result = client.login().await.map(drop);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("POST", "/token"));
    assert!(requests[0].header("authorization").is_none());
    result
}

#[tokio::test]
async fn of_a_token_servers_answer_only_what_counts_is_taken() {
    let good = r#"{"access_token":"abc","token_type":"bearer","expires_in":300}"#;
    for body in [
        good.to_owned(),
        good.replace("bearer", "BEARER"),
        good.replace("300", "\"300\""),
        good.replace(",\"expires_in\":300", ""),
        good.replace("300", "0"),
        good.replace("300", "9223372036854775807"),
        good.replace("300", "300,\"scope\":\"a \\u0007 b\",\"more\":{}"),
    ] {
        answered(answer(200, &[], &body)).await.unwrap_or_else(|error| panic!("{body}: {error}"));
    }
    for body in [
        String::new(),
        "<html>portal</html>".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        good.replace("bearer", "mac"),
        good.replace(",\"token_type\":\"bearer\"", ""),
        good.replace("\"abc\"", "\"\""),
        good.replace("\"abc\"", "\"a b\""),
        good.replace("\"abc\"", "\"a\\nb\""),
        good.replace("\"abc\"", "7"),
        good.replace("{\"access", "{\"access_token\":\"x\",\"access"),
        "x".repeat(300 << 10),
    ] {
        let head = body.get(..20.min(body.len())).unwrap().to_owned();
        assert_eq!(why(answered(answer(200, &[], &body)).await), NoToken::NotAToken, "{head}");
    }
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_scope"}"#, NoToken::Refused(OAuthCode::InvalidScope)),
        (401, r#"{"error":"invalid_client"}"#, NoToken::Refused(OAuthCode::InvalidClient)),
        (400, r#"{"error":"words of Ann Lee"}"#, NoToken::Status(400)),
        (403, "", NoToken::Status(403)),
        (404, "<html>", NoToken::Status(404)),
        (500, r#"{"error":"server_error"}"#, NoToken::Refused(OAuthCode::ServerError)),
        (502, "<html>", NoToken::Status(502)),
        (204, "", NoToken::NotAToken),
    ] {
        assert_eq!(why(answered(answer(status, &[], body)).await), expected, "{status} {body}");
    }
    for status in [301, 302, 303, 307, 308] {
        let step = answer(status, &[("Location", "http://127.0.0.1:9/token")], "");
        assert_eq!(why(answered(step).await), NoToken::Status(status), "no redirect is followed");
    }
    let wait = Some(std::time::Duration::from_secs(7));
    for status in [429, 503] {
        let busy = answered(answer(status, &[("Retry-After", "7")], "")).await.unwrap_err();
        assert_eq!(busy, Error::Busy { retry_after: wait });
    }
    assert_eq!(why(answered(Step::Close).await), NoToken::NoAnswer);
}
