//! The SMART login: our client against the sandbox's token server, against servers that do it wrong, and against real
//! ones.

mod door;
mod hostile;
mod login;
mod peers;
mod refused;
mod rotation;
mod secret;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use ipt_fhir::client::smart::{Algorithm, KeyFile, NoToken, Smart};
use ipt_fhir::client::{Authorization, Client, Config, Error, Source};
use ipt_fhir::date::Clock;
use ipt_fhir::fhir::Resource;
use ipt_fhir::sandbox::{self, Running, Sandbox, SmartClient, TokenServer};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

/// A clock that a test moves.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn at(moment: &str) -> Self {
        Self(Arc::new(AtomicI64::new(moment.parse::<Timestamp>().unwrap().as_second())))
    }

    /// Sets the clock forward.
    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    /// A clock that is ahead of this one by so many seconds.
    fn clock(&self, ahead: i64) -> Clock {
        let hands = self.clone();
        Clock::new(move || hands.now() + jiff::SignedDuration::from_secs(ahead))
    }
}

/// A sandbox that demands a login, a registered client's key file, and a clock for both.
struct Practice {
    directory: tempfile::TempDir,
    hands: Hands,
    running: Running,
    /// How often the key was fetched.
    fetched: Arc<AtomicU64>,
}

impl Practice {
    async fn open(algorithm: Algorithm) -> Self {
        Self::open_with(algorithm, "system/*.cruds", Duration::ZERO).await
    }

    async fn open_with(algorithm: Algorithm, scope: &str, jwks_cache: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let hands = Hands::at("2026-03-02T10:00:00Z");
        let key = KeyFile::generate(algorithm).unwrap();
        std::fs::write(directory.path().join("key"), key.to_text().expose_secret()).unwrap();
        let jwks = directory.path().join("jwks.json");
        std::fs::write(&jwks, key.keys().unwrap().public_jwks().to_text()).unwrap();
        let client = SmartClient { id: "ipt".to_owned(), jwks, scope: scope.to_owned() };
        let smart = sandbox::Smart {
            clients: vec![client],
            token_lifetime: Duration::from_mins(5),
            jwks_cache,
        };
        let config = sandbox::Config {
            smart: Some(smart),
            clock: hands.clock(0),
            ..sandbox::Config::default()
        };
        let running = Sandbox::start(config).await.unwrap();
        Self { directory, hands, running, fetched: Arc::default() }
    }

    fn tokens(&self) -> &TokenServer {
        self.running.token_server().unwrap()
    }

    fn key_path(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    /// The key file, changed, with its public part registered.
    fn change_keys(&self, change: impl FnOnce(&mut KeyFile)) {
        let text = SecretString::from(std::fs::read_to_string(self.key_path()).unwrap());
        let mut file = KeyFile::parse(&text).unwrap();
        change(&mut file);
        std::fs::write(self.key_path(), file.to_text().expose_secret()).unwrap();
        let jwks = self.directory.path().join("jwks.json");
        std::fs::write(jwks, file.keys().unwrap().public_jwks().to_text()).unwrap();
    }

    /// Our login, by a clock that is ahead of the sandbox's.
    fn login(&self, ahead: i64) -> Smart {
        let (path, fetched) = (self.key_path(), Arc::clone(&self.fetched));
        let source = Source::new(move || {
            fetched.fetch_add(1, Ordering::SeqCst);
            Ok(SecretString::from(std::fs::read_to_string(&path).unwrap()))
        });
        Smart::new("ipt", self.tokens().url().parse().unwrap(), source, self.hands.clock(ahead))
    }

    fn client(&self) -> Client {
        self.client_with(self.login(0))
    }

    fn client_with(&self, login: Smart) -> Client {
        client_at(self.running.base_url(), login)
    }
}

fn client_at(base: &str, login: Smart) -> Client {
    let authorization = Authorization::Smart(Box::new(login));
    let base = base.parse().unwrap();
    Client::new(&Config::new(base, Duration::from_secs(10), authorization).unwrap()).unwrap()
}

fn patient() -> Resource {
    Resource::parse(br#"{"resourceType":"Patient","active":true}"#).unwrap()
}

/// Why there was no token.
#[track_caller]
fn why<T: std::fmt::Debug>(result: Result<T, Error>) -> NoToken {
    match result {
        Err(Error::NotSent(ipt_fhir::client::Unsent::NoToken(why))) => why,
        other => panic!("{other:?}"),
    }
}
