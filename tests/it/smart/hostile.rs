//! Servers that offer somebody else's URLs for logging in (reliability-and-security.md U1): nobody else is asked, and
//! nobody else gets a token.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ipt_fhir::client::smart::{Algorithm, discover};

use super::{Practice, client_at};
use crate::cli::Home;
use crate::client::server::{Server, Step, answer};
use crate::support::hostile::{in_json, urls};

/// A listener that nobody should ever reach, and how often somebody did.
fn second() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let reached = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&reached);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (base, reached)
}

/// A SMART configuration that offers a URL in one place, and a good one in the other.
fn configuration(good: &str, url: &str, member: &str) -> Step {
    let other = if member == "jwks_uri" { "token_endpoint" } else { "jwks_uri" };
    let body = format!(
        r#"{{"{other}":"{good}","{member}":"{}","capabilities":["client-confidential-asymmetric"]}}"#,
        in_json(url)
    );
    answer(200, &[], &body)
}

#[tokio::test]
async fn what_a_server_offers_is_read_and_not_asked() {
    let (second, reached) = second();
    let mut offered = 0;
    for member in ["token_endpoint", "jwks_uri"] {
        let example = urls("http://127.0.0.1:1/fhir", &second);
        for index in 0..example.len() {
            // One answer a server, so that the URLs can name it.
            let server = Server::start_with(|base| {
                let url = urls(base, &second).swap_remove(index);
                vec![configuration(&base.replace("/fhir", "/token"), &url, member)]
            });
            let base: ipt_fhir::client::Base = server.base().parse().unwrap();
            let found = discover(&ipt_fhir::client::Config::anonymous(
                base.clone(),
                std::time::Duration::from_secs(5),
            ))
            .await
            .unwrap();
            let this = if member == "jwks_uri" { found.jwks_uri } else { found.token_endpoint };
            offered += u64::from(this.unwrap().is_ok());
            let requests = server.requests();
            assert_eq!(requests.len(), 1);
            assert_eq!(requests[0].target, "/fhir/.well-known/smart-configuration");
            assert!(requests[0].header("authorization").is_none());
        }
    }
    assert!(offered > 10, "some of them are URLs that a person could pin: {offered}");
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[test]
fn a_script_pins_nothing_that_is_not_of_the_servers_own_origin() {
    let (second, reached) = second();
    let home = Home::new();
    home.write("key", "not looked at yet");
    let example = urls("http://127.0.0.1:1/fhir", &second);
    let mut pinned = 0;
    for index in 0..example.len() {
        let offer = |base: &str| {
            let url = urls(base, &second).swap_remove(index);
            vec![configuration("https://ehr.example.org/keys", &url, "token_endpoint")]
        };
        let server = Server::start_with(offer);
        let add =
            format!("ehr add e{index} {} --client-id ipt --key-file key --yes", server.base());
        let run = home.run(&add);
        assert!(matches!(run.code, Some(0 | 8)), "{}{}", run.stdout, run.stderr);
        if run.code == Some(0) {
            pinned += 1;
            let url =
                run.stdout.lines().find_map(|line| line.strip_prefix("its token URL is pinned: "));
            let origin = server.base().replace("/fhir", "/");
            assert!(url.unwrap().starts_with(&origin), "{}", run.stdout);
        }
        assert_eq!(server.requests().len(), 1);
    }
    assert!(pinned > 0 && pinned < 30, "those with the base's own origin: {pinned}");
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    // Neither yes nor no: a script has to name the URL.
    let server = Server::start_with(|base| {
        vec![configuration(
            "https://ehr.example.org/keys",
            &base.replace("/fhir", "/token"),
            "token_endpoint",
        )]
    });
    let add = format!("ehr add z {} --client-id ipt --key-file key", server.base());
    let run = home.run(&add).ends(2);
    assert!(run.stderr.contains("--token-url") && run.stderr.contains("/token"), "{}", run.stderr);
}

#[tokio::test]
async fn at_run_time_the_pinned_url_alone_is_asked() {
    let practice = Practice::open(Algorithm::Es384).await;
    let (second, reached) = second();
    let empty = r#"{"resourceType":"Bundle","type":"searchset"}"#;
    let example = urls("http://127.0.0.1:1/fhir", &second);
    let steps = example.iter().flat_map(|url| {
        [
            configuration("https://ehr.example.org/keys", url, "token_endpoint"),
            answer(200, &[], empty),
            answer(401, &[], ""),
            answer(200, &[], empty),
        ]
    });
    let server = Server::start(steps.collect());
    let client = client_at(&server.base(), practice.login(0));
    for _ in &example {
        client.smart_configuration().await.unwrap();
        client.search("Patient", &[]).await.unwrap();
        // Refused: the new token, too, comes from where it was pinned.
        client.search("Patient", &[]).await.unwrap();
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    assert_eq!(practice.tokens().requests(), 1 + example.len() as u64);
    for request in server.requests() {
        let open = request.target.ends_with("smart-configuration");
        assert_eq!(request.header("authorization").is_none(), open, "{}", request.target);
    }
}

#[tokio::test]
async fn a_url_of_another_server_that_was_pinned_gets_the_assertion_and_never_the_token() {
    let practice = Practice::open(Algorithm::Es384).await;
    let token = r#"{"access_token":"the-token","token_type":"Bearer","expires_in":300}"#;
    let second = Server::start(vec![answer(200, &[], token), answer(200, &[], token)]);
    let empty = r#"{"resourceType":"Bundle","type":"searchset"}"#;
    let first = Server::start([200, 401, 200].map(|status| answer(status, &[], empty)).into());
    let source = ipt_fhir::client::Source::new({
        let path = practice.key_path();
        move || Ok(secrecy::SecretString::from(std::fs::read_to_string(&path).unwrap()))
    });
    let pinned = second.base().replace("/fhir", "/oauth2/token?tenant=1").parse().unwrap();
    let login = ipt_fhir::client::smart::Smart::new("ipt", pinned, source, practice.hands.clock(0));
    let client = client_at(&first.base(), login);
    client.search("Patient", &[]).await.unwrap();
    // The same token again: the file of a lazy server. It is not sent twice.
    assert!(client.search("Patient", &[]).await.is_err());
    for request in first.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer the-token"));
        assert!(!request.body.contains("client_assertion"));
    }
    let asked = second.requests();
    assert_eq!(asked.len(), 2);
    for request in asked {
        assert_eq!(request.target, "/oauth2/token?tenant=1");
        assert!(request.header("authorization").is_none());
        assert!(!format!("{}{}", request.headers, request.body).contains("the-token"));
        assert!(request.body.starts_with("grant_type=client_credentials&client_assertion_type="));
    }
}
