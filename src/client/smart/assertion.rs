//! The assertion: a JWT that proves for a few minutes, to one token URL, that we hold the key (RFC 7523 3; SMART App
//! Launch 2.2, "Authentication: Asymmetric").
//!
//! Header `alg`, `typ`, `kid`; claims `iss` = `sub` = the client id, `aud` = the pinned token URL to the letter, `exp`,
//! `iat`, `jti`. Nothing else: no `jku` (our keys are registered), no `nbf` (clocks differ).

use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Header, encode};
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use super::key::{Key, KeyFault};
use crate::client::pinned::Pinned;

/// How long an assertion is valid. SMART allows five minutes; a minute is left for clocks that differ.
pub(super) const LIFETIME: Duration = Duration::from_mins(4);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: String,
}

/// A new assertion. `now` is the token server's time, as far as it is known.
pub(super) fn assertion(
    key: &Key,
    client_id: &str,
    token_url: &Pinned,
    now: Timestamp,
) -> Result<SecretString, KeyFault> {
    let mut header = Header::new(key.algorithm().jose());
    header.kid = Some(key.kid().to_owned());
    let claims = claims(client_id, token_url, now);
    encode(&header, &claims, key.signing()).map(SecretString::from).map_err(|_| KeyFault::Failed)
}

fn claims<'a>(client_id: &'a str, token_url: &'a Pinned, now: Timestamp) -> Claims<'a> {
    let iat = now.as_second();
    Claims {
        iss: client_id,
        sub: client_id,
        aud: token_url.as_str(),
        exp: iat.saturating_add(LIFETIME.as_secs().cast_signed()),
        iat,
        jti: Uuid::new_v4().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::client::smart::{Algorithm, KeyFile};
    use crate::json::{self, Value};

    fn decoded(part: &str) -> Value {
        json::parse(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_says_what_smart_asks_for_and_no_more() {
        let url: Pinned = "https://ehr.example.org/oauth2/token?tenant=1".parse().unwrap();
        let now: Timestamp = "2026-03-02T10:00:00.9Z".parse().unwrap();
        for algorithm in [Algorithm::Rs384, Algorithm::Es384] {
            let keys = KeyFile::generate(algorithm).unwrap().keys().unwrap();
            let key = keys.signing(now, None).unwrap();
            let jwt = assertion(key, "the-client", &url, now).unwrap();
            let parts: Vec<&str> = jwt.expose_secret().split('.').collect();
            let [header, claims, _] = parts.as_slice() else { panic!() };
            let header = decoded(header);
            assert_eq!(header.text("alg"), Some(algorithm.code()));
            assert_eq!(header.text("typ"), Some("JWT"));
            assert_eq!(header.text("kid"), Some(key.kid()));
            assert_eq!(header.as_object().unwrap().len(), 3);
            let claims = decoded(claims);
            assert_eq!(claims.text("iss"), Some("the-client"));
            assert_eq!(claims.text("sub"), Some("the-client"));
            assert_eq!(claims.text("aud"), Some(url.as_str()));
            let number = |name: &str| claims.get(name).and_then(Value::as_u64).unwrap();
            assert_eq!((number("iat"), number("exp")), (1_772_445_600, 1_772_445_840));
            assert!((1..=151).contains(&claims.text("jti").unwrap().len()));
            assert_eq!(claims.as_object().unwrap().len(), 6);
        }
    }

    #[test]
    fn no_two_assertions_have_one_jti() {
        let url: Pinned = "https://ehr.example.org/token".parse().unwrap();
        let jti = |_| claims("c", &url, Timestamp::UNIX_EPOCH).jti;
        let seen: BTreeSet<String> = (0..10_000).map(jti).collect();
        assert_eq!(seen.len(), 10_000);
    }
}
