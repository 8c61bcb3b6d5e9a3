//! Names that lead into a private network, at once or after a while (U2).

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipt_fhir::client::{Authorization, Client, Config, Error, Tls, Unsent};
use secrecy::SecretString;

use super::CANARY;
use super::server::{Server, answer};
use crate::support::tls::{Certificate, VALID};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1"}"#;
const PRIVATE: Error = Error::NotSent(Unsent::PrivateAddress);

fn config(base: &str) -> Config {
    let authorization = Authorization::Bearer(SecretString::from(CANARY));
    Config::new(base.parse().unwrap(), Duration::from_millis(600), authorization).unwrap()
}

async fn read(client: &Client) -> Result<(), Error> {
    client.read(&"Patient/1".parse().unwrap()).await.map(drop)
}

#[tokio::test]
async fn a_name_that_turns_to_this_machine_is_not_followed() {
    let authority = Certificate::authority("clinic");
    let host = authority.issue(&["ehr.example.org"], VALID);
    let server =
        Server::start_tls(host.serve(None), (0..3).map(|_| answer(200, &[], PATIENT)).collect());
    let asked = Arc::new(AtomicUsize::new(0));
    // A public address first (one of the documentation's, at which nobody is), then this machine.
    let lookup = {
        let asked = Arc::clone(&asked);
        move |_: &str| {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            Ok(vec![if first { "192.0.2.1" } else { "127.0.0.1" }.parse::<IpAddr>().unwrap()])
        }
    };
    let tls = Tls::new().with_authorities(authority.pem().as_bytes()).unwrap();
    let config = config(&server.base_of("ehr.example.org")).with_tls(tls).with_lookup(lookup);
    let client = Client::new(&config).unwrap();
    let error = read(&client).await.unwrap_err();
    // How it fails there is the network's affair.
    assert!(matches!(error, Error::NotSent(_)) && error != PRIVATE, "{error}");
    for _ in 0..3 {
        assert_eq!(read(&client).await, Err(PRIVATE));
    }
    assert_eq!((server.connections(), asked.load(Ordering::SeqCst)), (0, 4));
    assert!(PRIVATE.to_string().contains("private_network = true"));
    // Where the EHR is known to be in a private network, the same name is followed.
    let client = Client::new(&config.with_private_network(true)).unwrap();
    assert_eq!(read(&client).await, Ok(()));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn every_kind_of_private_address_is_refused_for_a_name() {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let lookup = {
        let answers = Arc::clone(&answers);
        move |_: &str| Ok(answers.lock().unwrap().clone())
    };
    let config = config("https://ehr.example.org:1/fhir").with_lookup(lookup);
    let client = Client::new(&config).unwrap();
    for addresses in [
        vec!["127.0.0.1"],
        vec!["10.0.0.8", "192.168.0.1", "172.16.0.1"],
        vec!["169.254.169.254"],
        vec!["0.0.0.0", "::"],
        vec!["::1"],
        vec!["::ffff:127.0.0.1", "::ffff:8.8.8.8"],
        vec!["fe80::1", "fd00:ec2::254", "ff02::1"],
        vec!["224.0.0.1", "255.255.255.255"],
    ] {
        let parsed = addresses.iter().map(|text| text.parse().unwrap()).collect();
        *answers.lock().unwrap() = parsed;
        assert_eq!(read(&client).await, Err(PRIVATE), "{addresses:?}");
    }
    *answers.lock().unwrap() = Vec::new();
    assert_eq!(read(&client).await, Err(Error::NotSent(Unsent::Resolve)));
}

#[tokio::test]
async fn localhost_is_this_machine_and_an_address_in_the_base_is_the_operators_word() {
    let server = Server::start(vec![answer(200, &[], PATIENT), answer(200, &[], PATIENT)]);
    for base in [server.base_of("localhost"), server.base()] {
        let client = Client::new(&config(&base)).unwrap();
        assert_eq!(read(&client).await, Ok(()), "{base}");
    }
    let elsewhere = |_: &str| Ok(vec!["10.0.0.1".parse().unwrap()]);
    let config = config(&server.base_of("localhost")).with_lookup(elsewhere);
    let client = Client::new(&config.with_private_network(true)).unwrap();
    assert_eq!(read(&client).await, Err(PRIVATE));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_name_that_nobody_knows_was_not_sent() {
    let unknown = |_: &str| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let config = config("https://ehr.example.org/fhir").with_lookup(unknown);
    let error = read(&Client::new(&config).unwrap()).await;
    assert_eq!(error, Err(Error::NotSent(Unsent::Resolve)));
}
