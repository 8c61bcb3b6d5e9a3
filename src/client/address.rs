//! Where requests may go: the base of one EHR, and the gate that every other URL passes.
//!
//! A server names URLs of its own (`Bundle.link`, `Location`), and a client that follows them blindly carries its
//! credentials to wherever they point (CVE-2026-34359: the check was `starts_with`). So a request can only be made
//! from an [`OutboundUrl`], and one comes only from the configured [`Base`]: from a [`ResourceId`] and checked
//! segments, or from a server's link that has the same scheme, host and port and lies below the base path **on a
//! segment boundary** (`/r4/abcd` is not below `/r4/abc`).
//!
//! It refuses to clean up: a link with user info, a fragment, white space, a backslash, an encoded slash, or a second
//! spelling of the same host (`0x7f.1`, a trailing dot, a padded port) is no link that a FHIR server has to write, and
//! what comes after us may read it otherwise than we do. Of a link every step is checked again: a redirect goes
//! through the same gate as the URL that led to it.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::fhir::ResourceId;

/// The base URL of a FHIR server, checked: `https://ehr.example.org/fhir/r4`.
///
/// `Debug` and `Display` print it: a base holds no query, no user info and nothing of a patient.
#[derive(Clone, PartialEq, Eq)]
pub struct Base(Url);

/// Why a text is not the base of a FHIR server that we would send a record to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotABase {
    /// It is not an absolute URL.
    #[error("not an absolute URL; write it like https://ehr.example.org/fhir")]
    NotAUrl,
    /// The scheme is another than https, or http to a host that is not this machine.
    #[error("only https is allowed; http only to this machine (127.0.0.1, [::1], localhost)")]
    Scheme,
    /// It holds a user name or a password.
    #[error("a URL must hold no user name or password; they belong under auth")]
    UserInfo,
    /// It holds a query or a fragment.
    #[error("a base URL ends before any ? or #")]
    QueryOrFragment,
    /// It ends with a slash.
    #[error("a base URL ends without a slash")]
    TrailingSlash,
}

/// No server needs a longer link.
const LONGEST_LINK: usize = 16 << 10;

/// A URL that a request may go to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OutboundUrl(Url);

impl Base {
    /// The host, a colon and the port: for a person and for a connection test.
    pub fn host_and_port(&self) -> (String, u16) {
        let host = self.0.host().map(|host| match host {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        });
        (host.unwrap_or_default(), self.0.port_or_known_default().unwrap_or(443))
    }

    /// Whether the server runs on this machine, by the name of its host.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether requests are encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The base itself: where transactions go.
    pub(super) fn root(&self) -> OutboundUrl {
        OutboundUrl(self.0.clone())
    }

    /// A path below the base. Segments are ours or checked by [`ResourceId`]; they are encoded all the same.
    pub(super) fn below(&self, segments: &[&str]) -> OutboundUrl {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        OutboundUrl(url)
    }

    /// The URL of a resource, with more segments after it.
    pub(super) fn resource(&self, id: &ResourceId, more: &[&str]) -> OutboundUrl {
        self.below(&[&[id.resource_type(), id.id()], more].concat())
    }

    /// A server's link, if it stays on this server and below this base. A relative one counts from the base.
    pub(super) fn link(&self, text: &str) -> Option<OutboundUrl> {
        self.link_from(&self.below(&[""]), text)
    }

    /// The same for a link that counts from the URL of the request (RFC 9110, 10.2.2): the `Location` of a redirect.
    pub(super) fn link_from(&self, from: &OutboundUrl, text: &str) -> Option<OutboundUrl> {
        let before_query = text.split('?').next().unwrap_or_default();
        let is_plain_text = text.len() <= LONGEST_LINK
            && before_query.is_ascii()
            && !text.chars().any(|character| {
                character == '\\' || character.is_whitespace() || character.is_control()
            });
        if !is_plain_text || !self.is_authority_of(text) {
            return None;
        }
        let url = from.0.join(text).ok()?;
        let same_origin = url.scheme() == self.0.scheme()
            && url.host() == self.0.host()
            && url.port_or_known_default() == self.0.port_or_known_default();
        let bare =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let base_path = self.0.path().trim_end_matches('/');
        let below = url
            .path()
            .strip_prefix(base_path)
            .is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && is_plain_path(rest)));
        (same_origin && bare && below).then_some(OutboundUrl(url))
    }

    /// Whether the authority in a link, if it has one, is spelled as ours: parsers of URLs differ most about it.
    fn is_authority_of(&self, link: &str) -> bool {
        let reference = link.split(['/', '?', '#']).next().unwrap_or_default();
        let after_scheme = match reference.strip_suffix(':') {
            Some(scheme) => link.get(scheme.len() + 1..),
            // `http:x` and the like: a scheme without its slashes.
            None if reference.contains(':') => return false,
            None => Some(link),
        };
        let Some(rest) = after_scheme.and_then(|rest| rest.strip_prefix("//")) else {
            return !reference.ends_with(':');
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = self.0.host_str().unwrap_or_default();
        let port = self.0.port_or_known_default().unwrap_or_default().to_string();
        let with_port = authority.rsplit_once(':').filter(|_| !authority.ends_with(']'));
        match with_port {
            Some((name, number)) => name.eq_ignore_ascii_case(host) && number == port,
            None => authority.eq_ignore_ascii_case(host) && self.0.port().is_none(),
        }
    }
}

/// Whether a path holds nothing that somebody else might read as a step up, a slash or an end.
fn is_plain_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let hidden = ["%2e", "%2f", "%5c", "%25", "%7f", "%0", "%1"];
    let is_step = |segment: &str| {
        // Some servers take off `;…` before they resolve dots.
        matches!(segment.split(';').next(), Some("." | ".."))
    };
    !hidden.into_iter().any(|code| lower.contains(code)) && !path.split('/').any(is_step)
}

impl OutboundUrl {
    /// The same URL with a query.
    pub(super) fn with_query(mut self, parameters: &[(&str, &str)]) -> Self {
        if !parameters.is_empty() {
            self.0.query_pairs_mut().extend_pairs(parameters);
        }
        self
    }

    /// The URL, to send a request to.
    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for Base {
    type Err = NotABase;

    fn from_str(text: &str) -> Result<Self, NotABase> {
        let url = Url::parse(text).map_err(|_| NotABase::NotAUrl)?;
        if url.host().is_none() {
            return Err(NotABase::NotAUrl);
        }
        let base = Self(url);
        let url = &base.0;
        if !(base.is_https() || (url.scheme() == "http" && base.is_loopback())) {
            return Err(NotABase::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotABase::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(NotABase::QueryOrFragment);
        }
        if text.ends_with('/') {
            return Err(NotABase::TrailingSlash);
        }
        Ok(base)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_https_or_this_machine_and_nothing_else() {
        for text in [
            "https://ehr.example.org/fhir/r4",
            "https://ehr.example.org",
            "https://ehr.example.org:8443/fhir",
            "http://127.0.0.1:8080/fhir",
            "http://[::1]:8080/fhir",
            "http://localhost:8080",
        ] {
            assert_eq!(text.parse::<Base>().unwrap().to_string(), text);
        }
        for (text, why) in [
            ("fhir", NotABase::NotAUrl),
            ("", NotABase::NotAUrl),
            ("data:text/plain,x", NotABase::NotAUrl),
            ("http://ehr.example.org/fhir", NotABase::Scheme),
            ("http://localhost.example.org/fhir", NotABase::Scheme),
            ("ftp://127.0.0.1/fhir", NotABase::Scheme),
            ("https://ann:secret@ehr.example.org/fhir", NotABase::UserInfo),
            ("https://ehr.example.org/fhir?tenant=1", NotABase::QueryOrFragment),
            ("https://ehr.example.org/fhir#top", NotABase::QueryOrFragment),
            ("https://ehr.example.org/fhir/", NotABase::TrailingSlash),
        ] {
            assert_eq!(text.parse::<Base>().unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn a_link_stays_on_the_server_and_below_the_base() {
        let base: Base = "https://ehr.example.org/r4/abc".parse().unwrap();
        for link in [
            "https://ehr.example.org/r4/abc?_getpages=1",
            "https://ehr.example.org:443/r4/abc/Patient?page=2",
            "https://EHR.example.org/r4/abc/Patient",
            "Patient?page=2",
            "?page=2",
            "/r4/abc/Patient?page=2",
            "//ehr.example.org/r4/abc/Patient?page=2",
            "HTTPS://ehr.example.org/r4/abc/Patient/$everything?page=%2E%2E%2F&ct=a%00b",
            "Patient?_lastUpdated=ge2026-01-01T00:00:00Z&a=b://c",
        ] {
            assert!(base.link(link).is_some(), "{link}");
        }
        for link in [
            "https://ehr.example.org/r4/abcd?page=2",
            "https://ehr.example.org/r4",
            "https://ehr.example.org/r4/abc/../other",
            "https://ehr.example.org/r4/abc/%2e%2e/other",
            "https://ehr.example.org/r4/abc/..%2fother",
            "https://ehr.example.org/r4/abc/..%5Cother",
            "https://ehr.example.org/r4/abc\\..\\other",
            "../other",
            "//evil.example.org/r4/abc",
            "http://ehr.example.org/r4/abc",
            "https://ehr.example.org:8443/r4/abc",
            "https://ehr.example.org.evil.example/r4/abc",
            "https://ehr.example.org@evil.example/r4/abc",
            "https://user@ehr.example.org/r4/abc",
            "https://ehr.example.org/r4/abc#@evil.example",
            "https://ehr.example.org./r4/abc",
            "https://169.254.169.254/r4/abc",
            "https://[::ffff:127.0.0.1]/r4/abc",
            "https://2130706433/r4/abc",
            "file:///r4/abc",
            "gopher://ehr.example.org/r4/abc",
            "https://ehr.example.org/r4/abc\t?page=2",
            "\nhttps://ehr.example.org/r4/abc",
            "https://",
            "https:Patient",
            "https:/r4/abc/Patient",
            "https:///ehr.example.org/r4/abc",
            "https://ehr.example.org:0443/r4/abc",
            "https://ehr.example.org:/r4/abc",
            "https://ehr%2eexample.org/r4/abc",
            "https://ehr\u{3002}example.org/r4/abc",
            "https://ehr.example.org/r4/abc/..;/admin",
            "https://ehr.example.org/r4/abc/%252e%252e/admin",
            "https://ehr.example.org/r4/abc/Patient%00",
        ] {
            assert!(base.link(link).is_none(), "{link}");
        }
        let long = format!("https://ehr.example.org/r4/abc?page={}", "a".repeat(LONGEST_LINK));
        assert!(base.link(&long).is_none());
    }

    #[test]
    fn an_address_in_numbers_has_one_spelling() {
        let base: Base = "http://[::1]:8080/fhir".parse().unwrap();
        assert!(base.link("http://[::1]:8080/fhir/Patient").is_some());
        let others = ["http://[0::1]:8080/fhir", "http://[::1]/fhir", "http://[::1]:80/fhir"];
        assert!(others.into_iter().all(|link| base.link(link).is_none()));
        let base: Base = "http://127.0.0.1:8080/fhir".parse().unwrap();
        assert!(base.link("http://127.0.0.1:8080/fhir/Patient").is_some());
        let others = ["2130706433", "0x7f.1", "127.1", "127.0.0.1.", "0177.0.0.1"];
        assert!(others.iter().all(|host| base.link(&format!("http://{host}:8080/fhir")).is_none()));
    }

    #[test]
    fn segments_are_encoded_and_a_base_without_path_works() {
        let base: Base = "https://ehr.example.org".parse().unwrap();
        assert_eq!(base.below(&["a/b?c"]).url().as_str(), "https://ehr.example.org/a%2Fb%3Fc");
        let id = ResourceId::new("Patient", "1").unwrap();
        let url = base.resource(&id, &["_history", "2"]);
        assert_eq!(url.url().as_str(), "https://ehr.example.org/Patient/1/_history/2");
        assert!(base.link("https://ehr.example.org?page=2").is_some());
    }
}
