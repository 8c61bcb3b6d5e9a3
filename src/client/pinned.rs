//! A URL that a person has confirmed, and that nothing a server says can change.
//!
//! A login proves who we are to whoever answers at the token URL. So that URL is part of the configuration, exact to
//! the last letter, like the base itself; what a server's `.well-known/smart-configuration` offers is shown to a person
//! and pinned or not, and never read again when it counts (reliability-and-security.md U1).
//!
//! It refuses whatever needs reading twice: another scheme than https (http only to this machine), user info, a
//! fragment, and every text that a URL parser would tidy up – backslashes, tabs, dot segments, odd numbers for a host.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::address::Base;

/// A token or key URL, pinned. `Debug` and `Display` print it: it holds nothing secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Pinned(Url);

/// Why a text can't be pinned. The text itself, a server's own, is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPinned {
    /// It is not an absolute URL.
    #[error("not an absolute URL; write it like https://ehr.example.org/oauth2/token")]
    NotAUrl,
    /// The scheme is another than https, or http to a host that is not this machine.
    #[error("only https is allowed; http only to this machine (127.0.0.1, [::1], localhost)")]
    Scheme,
    /// It holds a user name or a password.
    #[error("a URL must hold no user name or password")]
    UserInfo,
    /// It holds a fragment.
    #[error("a token URL ends before any #")]
    Fragment,
    /// It is another text than the URL that it stands for.
    #[error(
        "a pinned URL is written in its normal form: lower case host, no port that the scheme implies, a path that \
         begins with / and holds no . or .. step"
    )]
    NotNormal,
}

impl Pinned {
    /// Whether the host is this machine, by its name.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Whether it has scheme, host and port of a base.
    pub fn has_origin_of(&self, base: &Base) -> bool {
        let other = base.root();
        self.0.origin() == other.url().origin()
    }

    /// The URL as text, exactly as it was pinned: the `aud` of an assertion.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl FromStr for Pinned {
    type Err = NotPinned;

    fn from_str(text: &str) -> Result<Self, NotPinned> {
        let url = Url::parse(text).map_err(|_| NotPinned::NotAUrl)?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(NotPinned::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotPinned::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(NotPinned::Fragment);
        }
        if url.host().is_none() || url.as_str() != text {
            return Err(NotPinned::NotNormal);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_url_is_exact() {
        for text in [
            "https://ehr.example.org/oauth2/token",
            "https://ehr.example.org:8443/token?tenant=1",
            "http://127.0.0.1:8080/token",
            "http://[::1]:8080/token",
            "http://localhost/token",
            "https://ehr.example.org/",
        ] {
            let pinned: Pinned = text.parse().unwrap();
            assert_eq!((pinned.as_str(), pinned.to_string().as_str()), (text, text));
        }
        for (text, why) in [
            ("", NotPinned::NotAUrl),
            ("/token", NotPinned::NotAUrl),
            ("//ehr.example.org/token", NotPinned::NotAUrl),
            ("http://ehr.example.org/token", NotPinned::Scheme),
            ("http://localhost.example.org/token", NotPinned::Scheme),
            ("file:///token", NotPinned::Scheme),
            ("https://ann@ehr.example.org/token", NotPinned::UserInfo),
            ("https://ann:secret@ehr.example.org/token", NotPinned::UserInfo),
            ("https://ehr.example.org/token#x", NotPinned::Fragment),
            ("https://ehr.example.org", NotPinned::NotNormal),
            ("https://EHR.example.org/token", NotPinned::NotNormal),
            ("https://ehr.example.org:443/token", NotPinned::NotNormal),
            ("https://ehr.example.org/a/../token", NotPinned::NotNormal),
            ("https://ehr.example.org/%2e%2e/token", NotPinned::NotNormal),
            ("https:\\\\ehr.example.org\\token", NotPinned::NotNormal),
            ("https://ehr.example.org/to\tken", NotPinned::NotNormal),
            (" https://ehr.example.org/token", NotPinned::NotNormal),
            ("https://2130706433/token", NotPinned::NotNormal),
            ("http://0x7f.1/token", NotPinned::NotNormal),
            ("https://bücher.example/token", NotPinned::NotNormal),
        ] {
            assert_eq!(text.parse::<Pinned>().unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn the_origin_is_scheme_host_and_port() {
        let base: Base = "https://ehr.example.org/fhir".parse().unwrap();
        let same = |text: &str| text.parse::<Pinned>().unwrap().has_origin_of(&base);
        assert!(same("https://ehr.example.org/token"));
        assert!(!same("https://ehr.example.org:8443/token"));
        assert!(!same("https://ehr.example.org.evil.example/token"));
        assert!(!same("http://localhost/token"));
    }
}
