//! The login at real servers: oidc-provider gives the tokens, Medplum's router checks them.
//!
//! `IPT_FHIR_TEST_OIDC` is the issuer's URL, `IPT_FHIR_TEST_OIDC_KEYS` the folder with the keys of its clients `rs384`
//! and `es384` (`NAME.pem`, `NAME.jwk.json`), `IPT_FHIR_TEST_MEDPLUM_SMART` the base of the router that takes its tokens.

use std::path::PathBuf;
use std::time::Duration;

use ipt_fhir::client::smart::{Granted, NoToken, OAuthCode, Smart, discover};
use ipt_fhir::client::{Base, Client, Pinned, Source};
use ipt_fhir::date::Clock;
use secrecy::SecretString;

use super::{client_at, patient, why};

/// What `keygen.mjs` registers for both clients.
const SCOPE: &str = "system/*.cruds system/Patient.rs";

struct Peers {
    issuer: String,
    keys: PathBuf,
    base: String,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test that needs a peer finds it by the environment"
)]
fn peers() -> Option<Peers> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Peers {
        issuer: variable("IPT_FHIR_TEST_OIDC")?,
        keys: variable("IPT_FHIR_TEST_OIDC_KEYS")?.into(),
        base: variable("IPT_FHIR_TEST_MEDPLUM_SMART")?,
    })
}

#[expect(clippy::disallowed_methods, reason = "the peers go by the clock of this machine")]
fn clock(ahead: i64) -> Clock {
    Clock::new(move || jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead))
}

impl Peers {
    fn login(&self, client_id: &str, key: &str, token_url: Pinned, ahead: i64) -> Smart {
        let path = self.keys.join(key);
        let source = Source::new(move || {
            let text = std::fs::read_to_string(&path);
            Ok(SecretString::from(
                text.unwrap_or_else(|error| panic!("{key}: {error}", key = path.display())),
            ))
        });
        Smart::new(client_id, token_url, source, clock(ahead))
    }

    async fn token_url(&self) -> Pinned {
        let base: Base = self.base.parse().unwrap();
        let offered =
            discover(&ipt_fhir::client::Config::anonymous(base.clone(), Duration::from_secs(10)))
                .await
                .unwrap();
        let token_url = offered.token_endpoint.unwrap().unwrap();
        assert_eq!(token_url.as_str(), format!("{}/token", self.issuer));
        token_url
    }

    fn client(&self, login: Smart) -> Client {
        client_at(&self.base, login)
    }
}

#[tokio::test]
async fn real_servers_take_our_login() {
    let Some(peers) = peers() else {
        println!(
            "left out: the login at oidc-provider and Medplum (IPT_FHIR_TEST_OIDC, …_OIDC_KEYS or IPT_FHIR_TEST_MEDPLUM_SMART is not set)"
        );
        return;
    };
    let token_url = peers.token_url().await;
    for client_id in ["rs384", "es384"] {
        for key in [format!("{client_id}.pem"), format!("{client_id}.jwk.json")] {
            let login = peers.login(client_id, &key, token_url.clone(), 0).with_scope(SCOPE);
            let client = peers.client(login);
            let login = client.login().await.unwrap_or_else(|error| panic!("{key}: {error}"));
            let login = login.unwrap();
            let Granted::Said(scopes) = login.granted else { panic!("{key}: no scope told") };
            assert_eq!(scopes, ["system/*.cruds", "system/Patient.rs"], "{key}");
            assert!(login.skew.unwrap().as_secs().abs() < 5, "{key}");
            let created = client.create(&patient(), None).await.unwrap();
            let read = client.read(&created.id.unwrap()).await.unwrap();
            assert_eq!(read.resource.resource_type(), "Patient", "{key}");
        }
    }
}

#[tokio::test]
async fn real_servers_refuse_what_is_wrong() {
    let Some(peers) = peers() else {
        println!(
            "left out: refusals of oidc-provider and Medplum (IPT_FHIR_TEST_OIDC, …_OIDC_KEYS or IPT_FHIR_TEST_MEDPLUM_SMART is not set)"
        );
        return;
    };
    let token_url = peers.token_url().await;
    let refused = NoToken::Refused(OAuthCode::InvalidClient);
    // Another client's key, a client that nobody knows.
    for client_id in ["es384", "nobody"] {
        let client = peers.client(peers.login(client_id, "rs384.pem", token_url.clone(), 0));
        assert_eq!(why(client.login().await), refused, "{client_id}");
    }
    // A clock that is off is found out and corrected.
    for ahead in [-600, 600] {
        let login = peers.login("rs384", "rs384.pem", token_url.clone(), ahead).with_scope(SCOPE);
        let client = peers.client(login);
        client.search("Patient", &[]).await.unwrap_or_else(|error| panic!("{ahead}: {error}"));
        let skew = client.login().await.unwrap().unwrap().skew;
        // A server that takes an assertion from a clock ahead leaves nothing to be corrected, but tells its time.
        assert!((skew.unwrap().as_secs() + ahead).abs() < 5, "{ahead}: {skew:?}");
    }
    // Scopes that are not granted: this server gives a token for nothing, and says so by saying nothing.
    let login = peers.login("rs384", "rs384.pem", token_url, 0).with_scope("system/Nothing.rs");
    let client = peers.client(login);
    let granted = client.login().await.unwrap().unwrap().granted;
    assert_eq!(granted, Granted::Unsaid { asked: Some("system/Nothing.rs".to_owned()) });
    let read = client.search("Patient", &[]).await.unwrap_err();
    assert_eq!(read, ipt_fhir::client::Error::Forbidden);
}
