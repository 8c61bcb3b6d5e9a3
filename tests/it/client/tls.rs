//! TLS servers, right and wrong ones: each mistake is named (U5).

use std::sync::Arc;
use std::time::Duration;

use ipt_fhir::client::{Authorization, Client, Config, Error, NotPem, Tls, TlsFault, Unsent};
use rustls::ServerConfig;
use secrecy::SecretString;

use super::server::{Server, answer};
use crate::support::tls::{Certificate, EXPIRED, FUTURE, VALID};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1"}"#;
const HERE: &[&str] = &["localhost", "127.0.0.1"];

fn trusting(authority: &Certificate) -> Tls {
    Tls::new().with_authorities(authority.pem().as_bytes()).unwrap()
}

async fn read(base: &str, tls: Tls) -> Result<(), Error> {
    let config = Config::new(base.parse().unwrap(), Duration::from_secs(5), Authorization::None);
    let client = Client::new(&config.unwrap().with_tls(tls))?;
    client.read(&"Patient/1".parse().unwrap()).await.map(drop)
}

fn server(tls: Arc<ServerConfig>) -> Server {
    Server::start_tls(tls, (0..2).map(|_| answer(200, &[], PATIENT)).collect())
}

fn fault(fault: TlsFault) -> Result<(), Error> {
    Err(Error::NotSent(Unsent::Tls(fault)))
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_was_named_is_taken() {
    let authority = Certificate::authority("clinic");
    let server = server(authority.issue(HERE, VALID).serve(None));
    assert_eq!(read(&server.base(), trusting(&authority)).await, Ok(()));
    assert_eq!(read(&server.base_of("localhost"), trusting(&authority)).await, Ok(()));
    // Several in one file.
    let both = format!("{}\n{}", Certificate::authority("other").pem(), authority.pem());
    let server = self::server(authority.issue(HERE, VALID).serve(None));
    let tls = Tls::new().with_authorities(both.as_bytes()).unwrap();
    assert_eq!(read(&server.base(), tls).await, Ok(()));
}

#[tokio::test]
async fn each_wrong_certificate_is_called_by_its_fault() {
    let authority = Certificate::authority("clinic");
    let other = Certificate::authority("clinic");
    for (certificate, expected) in [
        (authority.issue(HERE, EXPIRED), TlsFault::Expired),
        (authority.issue(HERE, FUTURE), TlsFault::NotYetValid),
        (authority.issue(&["ehr.example.org"], VALID), TlsFault::WrongName),
        (other.issue(HERE, VALID), TlsFault::UnknownIssuer),
        (Certificate::self_signed(HERE, false), TlsFault::UnknownIssuer),
        (Certificate::self_signed(HERE, true), TlsFault::UnknownIssuer),
    ] {
        let server = server(certificate.serve(None));
        assert_eq!(read(&server.base(), trusting(&authority)).await, fault(expected));
        assert_eq!(server.requests().len(), 0);
    }
    let unnamed = server(authority.issue(HERE, VALID).serve(None));
    assert_eq!(read(&unnamed.base(), Tls::new()).await, fault(TlsFault::UnknownIssuer));
}

#[tokio::test]
async fn a_server_that_asks_who_we_are_is_told() {
    let authority = Certificate::authority("clinic");
    let host = authority.issue(HERE, VALID).serve(Some(&authority));
    let ours = authority.issue(&["ipt"], VALID);
    let key = |certificate: &Certificate| SecretString::from(certificate.key_pem());
    let with = |identity: &Certificate| {
        trusting(&authority).with_identity(&identity.pem(), &key(identity)).unwrap()
    };
    let server = self::server(Arc::clone(&host));
    assert_eq!(read(&server.base(), with(&ours)).await, Ok(()));
    let debug = format!("{:?}", with(&ours));
    assert!(!debug.contains("PRIVATE"), "{debug}");
    for tls in [
        trusting(&authority),
        with(&Certificate::authority("other").issue(&["ipt"], VALID)),
        with(&authority.issue(&["ipt"], EXPIRED)),
    ] {
        let server = self::server(Arc::clone(&host));
        assert_eq!(read(&server.base(), tls).await, fault(TlsFault::OurCertificate));
        assert_eq!(server.requests().len(), 0);
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_are_refused() {
    let authority = Certificate::authority("clinic");
    let key = SecretString::from(authority.key_pem());
    for text in ["", "no PEM", &authority.key_pem()] {
        assert_eq!(Tls::new().with_authorities(text.as_bytes()).err(), Some(NotPem::Certificate));
        assert_eq!(Tls::new().with_identity(text, &key).err(), Some(NotPem::Certificate), "{text}");
    }
    for text in ["", "no PEM", &authority.pem()] {
        let refused = Tls::new().with_identity(&authority.pem(), &SecretString::from(text)).err();
        assert_eq!(refused, Some(NotPem::Key), "{text}");
    }
    // In form right, in substance not.
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let tls = Tls::new().with_authorities(hollow.as_bytes()).unwrap();
    assert_eq!(read("https://127.0.0.1:9/fhir", tls).await, fault(TlsFault::OurFiles));
    let another = Certificate::authority("other");
    let tls = Tls::new().with_identity(&another.pem(), &key).unwrap();
    assert_eq!(read("https://127.0.0.1:9/fhir", tls).await, fault(TlsFault::OurFiles));
}
