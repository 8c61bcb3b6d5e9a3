//! The way to the server: its name, the connection, TLS.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::IpAddr;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::check::Check;
use crate::client::{Error, TlsFault, Unsent};
use crate::config::Ehr;

/// Whether the name has addresses. Which of them may be asked, the connection tells.
pub(super) async fn name(ehr: &Ehr) -> Check {
    const STEP: &str = "name";
    let (host, port) = ehr.url.value.host_and_port();
    if host.parse::<IpAddr>().is_ok() {
        return Check::passed(STEP, "the URL holds an address, not a name");
    }
    match timeout(ehr.timeout.value, lookup_host((host.as_str(), port))).await {
        Ok(Ok(addresses)) => {
            let addresses: BTreeSet<IpAddr> = addresses.map(|address| address.ip()).collect();
            let found = match addresses.len() {
                1 => "1 address".to_owned(),
                many => format!("{many} addresses"),
            };
            Check::passed(STEP, format!("{host} has {found}"))
        }
        Ok(Err(_)) => Check::failed(
            STEP,
            format!("{host} has no address"),
            "check the name in the URL, and whether this machine needs a VPN to know it",
        ),
        Err(_) => Check::failed(
            STEP,
            "no answer about the name within the time limit",
            "check the name service (DNS) of this machine",
        ),
    }
}

/// Whether somebody listens there.
pub(super) async fn connection(ehr: &Ehr) -> Check {
    const STEP: &str = "connection";
    let (host, port) = ehr.url.value.host_and_port();
    let place = format!("{host}:{port}");
    match timeout(ehr.timeout.value, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => Check::passed(STEP, place),
        Err(_) => Check::failed(
            STEP,
            "no connection within the time limit",
            format!("is {place} behind a firewall or a VPN?"),
        ),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Check::failed(
            STEP,
            "connection refused",
            format!("is the server running, and is {port} its port?"),
        ),
        Ok(Err(_)) => Check::failed(
            STEP,
            "no connection",
            format!("is there a route from this machine to {place}?"),
        ),
    }
}

/// Whether the connection is encrypted, and the server the one that it says; seen from what the first request met.
pub(super) fn tls(ehr: &Ehr, met: Option<&Error>) -> Check {
    const STEP: &str = "tls";
    match met {
        Some(Error::NotSent(Unsent::Tls(fault))) => {
            Check::failed(STEP, fault.to_string(), cure(*fault))
        }
        Some(error @ Error::NotSent(Unsent::PrivateAddress)) => Check::failed(
            STEP,
            error.to_string(),
            "private_network = true under this EHR allows it; if the EHR is a public one, somebody answers in its name",
        ),
        Some(Error::NotSent(unsent)) if !matches!(unsent, Unsent::NoToken(_)) => {
            Check::skipped(STEP, "not seen: the first request did not leave")
        }
        _ if ehr.url.value.is_https() => {
            Check::passed(STEP, "the certificate is valid for this name")
        }
        _ => Check::skipped(STEP, "not encrypted: the server is on this machine"),
    }
}

/// What to do about a certificate that does not hold.
const fn cure(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::Expired => "the EHR's administrator must renew the certificate",
        TlsFault::NotYetValid => {
            "check the clock of this machine, then ask the EHR's administrator"
        }
        TlsFault::UnknownIssuer => {
            "if the hospital has an authority of its own, name its certificate: tls.ca under this EHR, or ehr add --ca-file"
        }
        TlsFault::WrongName => {
            "use the name that the certificate holds: ask the EHR's administrator for the right URL"
        }
        _ => {
            "the server must speak TLS 1.2 or newer at this port, and may want a certificate of ours (tls.certificate)"
        }
    }
}
