//! `.well-known/smart-configuration`: what a server says of its login (SMART App Launch 2.2, "Conformance").
//!
//! It is read to be shown. Nothing that it says is followed: the token URL is part of our configuration ([`Pinned`]), and
//! neither it nor the `jwks_uri` is asked for because a server offers it. Of what it says only words of the registered
//! forms are kept, so that no text of the server's reaches a terminal.

use reqwest::header::{ACCEPT, HeaderValue};

use super::super::address::Base;
use super::super::error::{Error, Flaw};
use super::super::http::{Http, Interaction, Request};
use super::super::pinned::{NotPinned, Pinned};
use super::super::{Client, Config};
use crate::json::{self, Limits, Value};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Large enough for every scope of every resource type, several times over.
const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 16, nodes: 20_000 };

/// What a server says of its login. All of it is an offer, and some servers offer things that they do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmartConfiguration {
    /// `token_endpoint`, if it is there, as a URL to be pinned or the reason why it can't be.
    pub token_endpoint: Option<Result<Pinned, NotPinned>>,
    /// `jwks_uri`, if it is there, likewise.
    pub jwks_uri: Option<Result<Pinned, NotPinned>>,
    /// `capabilities`: `client-confidential-asymmetric` is the one that Backend Services needs.
    pub capabilities: Vec<String>,
    /// `token_endpoint_auth_signing_alg_values_supported`; most servers say nothing.
    pub algorithms: Vec<String>,
    /// `scopes_supported`; often far from complete (ehrs-and-sync.md 1.4).
    pub scopes: Vec<String>,
}

/// Asks a server for its SMART configuration, without telling who asks.
///
/// # Errors
/// [`Error::NotFound`] if it has none; [`Error::Incorrect`] if the answer is no JSON object; as a read otherwise.
pub async fn discover(config: &Config) -> Result<SmartConfiguration, Error> {
    ask(&Http::new(config)?, config.base()).await
}

impl Client {
    /// Asks this server for its SMART configuration, without telling who asks.
    ///
    /// # Errors
    /// As [`discover`].
    pub async fn smart_configuration(&self) -> Result<SmartConfiguration, Error> {
        ask(&self.http, &self.base).await
    }
}

async fn ask(http: &Http, base: &Base) -> Result<SmartConfiguration, Error> {
    let url = base.below(&[".well-known", "smart-configuration"]);
    let request = Request::get(Interaction::Capabilities, "smart-configuration", url);
    let answer = http.send(request.header(ACCEPT, JSON).openly()).await?;
    SmartConfiguration::parse(&answer.body).ok_or(Error::Incorrect(Flaw::NotFhir))
}

impl SmartConfiguration {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let value = json::parse_with(bytes, LIMITS).ok()?;
        value.as_object()?;
        let url = |name: &str| value.get(name).map(|url| url.as_str().unwrap_or_default().parse());
        let words = |name: &str| -> Vec<String> {
            let texts = value.items(name).filter_map(Value::as_str);
            texts.filter(|text| is_word(text)).map(str::to_owned).collect()
        };
        Some(Self {
            token_endpoint: url("token_endpoint"),
            jwks_uri: url("jwks_uri"),
            capabilities: words("capabilities"),
            algorithms: words("token_endpoint_auth_signing_alg_values_supported"),
            scopes: words("scopes_supported"),
        })
    }
}

/// Whether a text is a scope-token of OAuth (RFC 6749 3.3), and no longer than one can be.
pub(super) fn is_word(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_as_far_as_it_is_one() {
        let read = |text: &str| SmartConfiguration::parse(text.as_bytes());
        let full = read(
            r#"{"token_endpoint":"https://a.example/token","jwks_uri":"https://a.example/keys","capabilities":
            ["client-confidential-asymmetric",7,"words of a server"],"scopes_supported":["system/Patient.rs"],
            "token_endpoint_auth_signing_alg_values_supported":["RS384","ES384"]}"#,
        )
        .unwrap();
        let url = |text: &str| Some(Ok(text.parse().unwrap()));
        assert_eq!(full.token_endpoint, url("https://a.example/token"));
        assert_eq!(full.jwks_uri, url("https://a.example/keys"));
        assert_eq!(full.capabilities, ["client-confidential-asymmetric"]);
        assert_eq!(full.algorithms, ["RS384", "ES384"]);
        assert_eq!(full.scopes, ["system/Patient.rs"]);
        let empty = read("{}").unwrap();
        assert_eq!((empty.token_endpoint, empty.scopes), (None, vec![]));
        let odd =
            read(r#"{"token_endpoint":["https://a.example/token"],"capabilities":"x"}"#).unwrap();
        assert_eq!(odd.token_endpoint, Some(Err(NotPinned::NotAUrl)));
        for text in ["", "[]", "<html>", "{\"a\":1,\"a\":2}"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
