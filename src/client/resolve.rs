//! From the name of a host to its addresses, and only to those that may be asked (reliability-and-security.md, U2).
//!
//! Whoever holds a name can let it point anywhere, and anew for each connection: to a service of this machine, to a
//! cloud's metadata, to a printer (DNS rebinding). So names are resolved here, each address is looked at, and the
//! connection goes to the addresses that were looked at and to no other. An address of a private network is taken
//! only where the configuration says that the EHR is in one.
//!
//! An address that stands in the base URL itself is the operator's own word and is not judged. `localhost` must lead
//! to this machine.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Who is asked for the addresses of a name.
#[derive(Clone, Default)]
pub(super) enum Lookup {
    /// The system.
    #[default]
    System,
    /// A function.
    Function(Arc<Function>),
}

/// The addresses of a name.
type Function = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// A name leads to no address that may be asked. It names neither: an error is shown and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address of a private network")]
pub(super) struct PrivateAddress;

/// The resolver of one client.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) lookup: Lookup,
    /// Whether the EHR may be in a private network.
    pub(super) private_network: bool,
}

impl Lookup {
    async fn ask(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::Function(function) => function(name),
            Self::System => {
                Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
            }
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, private_network) = (self.lookup.clone(), self.private_network);
        Box::pin(async move {
            let found = lookup.ask(name.as_str()).await?;
            let is_local = name.as_str().eq_ignore_ascii_case("localhost");
            let may_be_asked = |address: &IpAddr| {
                if is_local {
                    address.is_loopback()
                } else {
                    private_network || is_public(*address)
                }
            };
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(may_be_asked)
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public network, as far as its form tells (RFC 6890 and IANA's registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = match first {
        // This network; private; loopback; multicast, reserved and broadcast.
        0 | 10 | 127 | 224..=255 => true,
        // Shared by providers (RFC 6598).
        100 => (64..=127).contains(&second),
        169 => second == 254,
        172 => (16..=31).contains(&second),
        192 => second == 168 || (second == 0 && third == 0),
        // Measurements between networks (RFC 2544).
        198 => matches!(second, 18 | 19),
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    let [.., a, b, c, d] = address.octets();
    match first {
        // NAT64 leads to the IPv4 address at its end (RFC 6052).
        0x64 if second == 0xff9b && third == 0 => is_public_v4(Ipv4Addr::new(a, b, c, d)),
        // Teredo, and 6to4 with the IPv4 address after its prefix.
        0x2001 if second == 0 => false,
        0x2002 => {
            let ([a, b], [c, d]) = (second.to_be_bytes(), third.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Global unicast is 2000::/3; loopback, mapped and unique local addresses, links, groups are outside.
        0x2000..=0x3fff => true,
        _ => false,
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::System => "System",
            Self::Function(_) => "Function",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_public_or_is_not() {
        for text in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.2.1",
            "2606:4700::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "127.0.0.1",
            "127.255.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.170",
            "198.18.0.1",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2001:0:1::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    async fn resolved(
        name: &str,
        private_network: bool,
        found: &[&str],
    ) -> Result<Vec<IpAddr>, bool> {
        let found: Vec<IpAddr> = found.iter().map(|text| text.parse().unwrap()).collect();
        let lookup = Lookup::Function(Arc::new(move |_| Ok(found.clone())));
        let resolver = Resolver { lookup, private_network };
        match resolver.resolve(name.parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            Err(error) => Err(error.is::<PrivateAddress>()),
        }
    }

    #[tokio::test]
    async fn only_addresses_that_were_looked_at_are_given_out() {
        let public: IpAddr = "8.8.8.8".parse().unwrap();
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let mixed = ["127.0.0.1", "8.8.8.8", "::ffff:8.8.8.8"];
        assert_eq!(resolved("ehr.example.org", false, &mixed).await, Ok(vec![public]));
        assert_eq!(resolved("ehr.example.org", false, &["10.0.0.1"]).await, Err(true));
        assert_eq!(resolved("ehr.example.org", true, &["127.0.0.1"]).await, Ok(vec![local]));
        assert_eq!(resolved("ehr.example.org", false, &[]).await, Err(false));
        assert_eq!(resolved("localhost", false, &["127.0.0.1"]).await, Ok(vec![local]));
        assert_eq!(resolved("localhost", true, &["10.0.0.1", "8.8.8.8"]).await, Err(true));
        assert_eq!(resolved("localhost.evil.example", false, &["127.0.0.1"]).await, Err(true));
    }
}
