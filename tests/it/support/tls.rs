//! Certificates made for one test: an authority, servers and clients that it vouches for, and the mistakes that
//! certificates are refused for.
//!
//! Written by hand because the crates that make certificates bring a clock library that `deny.toml` bans; a certificate
//! is a few nested lengths (RFC 5280, 4.1).

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::base64;

/// When a certificate is valid, as `YYMMDD`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validity(pub(crate) &'static str, pub(crate) &'static str);

/// Now, and for a long time.
pub(crate) const VALID: Validity = Validity("200101", "491231");
/// No more.
pub(crate) const EXPIRED: Validity = Validity("200101", "210101");
/// Not yet.
pub(crate) const FUTURE: Validity = Validity("480101", "491231");

/// A certificate with its key.
pub(crate) struct Certificate {
    name: String,
    der: Vec<u8>,
    key: EcdsaKeyPair,
}

const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const ECDSA_WITH_SHA256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];
const ALTERNATIVE_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
const TRUE: &[u8] = &[0x01, 0x01, 0xff];

impl Certificate {
    /// An authority of its own.
    pub(crate) fn authority(name: &str) -> Self {
        Self::make(name, &[], VALID, true, None)
    }

    /// A certificate of this authority for hosts: names, or IPv4 addresses.
    pub(crate) fn issue(&self, hosts: &[&str], validity: Validity) -> Self {
        Self::make("server", hosts, validity, false, Some(self))
    }

    /// One that vouches for itself; `as_authority` as `openssl req -x509` makes them.
    pub(crate) fn self_signed(hosts: &[&str], as_authority: bool) -> Self {
        Self::make("alone", hosts, VALID, as_authority, None)
    }

    /// The certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// The key as PEM.
    pub(crate) fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key_der())
    }

    fn key_der(&self) -> Vec<u8> {
        self.key.to_pkcs8v1().unwrap().as_ref().to_vec()
    }

    /// A TLS server with this certificate, which wants one of an authority from whoever comes if one is named.
    pub(crate) fn serve(&self, clients_of: Option<&Self>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients_of {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from(authority.der.clone())).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(self.key_der()).unwrap();
        let chain = vec![CertificateDer::from(self.der.clone())];
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }

    fn make(
        name: &str,
        hosts: &[&str],
        validity: Validity,
        is_authority: bool,
        issuer: Option<&Self>,
    ) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let (issuer_name, signer) =
            issuer.map_or((name, &key), |issuer| (&issuer.name, &issuer.key));
        let algorithm = sequence(&[ECDSA_WITH_SHA256]);
        let time = |day: &str| der(0x17, format!("{day}000000Z").as_bytes());
        let public = [&[0], key.public_key().as_ref()].concat();
        let mut extensions = Vec::new();
        if is_authority {
            let constraints = der(0x04, &sequence(&[TRUE]));
            extensions.push(sequence(&[BASIC_CONSTRAINTS, TRUE, &constraints]));
        }
        if !hosts.is_empty() {
            let names: Vec<Vec<u8>> = hosts.iter().map(|host| general_name(host)).collect();
            let names = der(0x04, &der(0x30, &names.concat()));
            extensions.push(sequence(&[ALTERNATIVE_NAME, &names]));
        }
        let body = sequence(&[
            &der(0xa0, &der(0x02, &[2])),
            &der(0x02, &[1]),
            &algorithm,
            &distinguished(issuer_name),
            &sequence(&[&time(validity.0), &time(validity.1)]),
            &distinguished(name),
            &sequence(&[&sequence(&[EC_PUBLIC_KEY, P256]), &der(0x03, &public)]),
            &der(0xa3, &der(0x30, &extensions.concat())),
        ]);
        let signature = signer.sign(&SystemRandom::new(), &body).unwrap();
        let signature = der(0x03, &[&[0], signature.as_ref()].concat());
        let whole = sequence(&[&body, &algorithm, &signature]);
        Self { name: name.to_owned(), der: whole, key }
    }
}

fn distinguished(name: &str) -> Vec<u8> {
    let attribute = sequence(&[COMMON_NAME, &der(0x0c, name.as_bytes())]);
    der(0x30, &der(0x31, &attribute))
}

fn general_name(host: &str) -> Vec<u8> {
    match host.parse::<std::net::Ipv4Addr>() {
        Ok(address) => der(0x87, &address.octets()),
        Err(_) => der(0x82, host.as_bytes()),
    }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

/// A tag, a length in its shortest form, and what it holds.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        Ok(byte) => bytes.extend([0x81, byte]),
        Err(_) => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = base64::encode(bytes);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
