//! Checking a client's assertion, more strictly than most servers do (RFC 7515, 7523; SMART App Launch 2.2).
//!
//! The header is believed in nothing but `alg`, `typ` and `kid`, and of these only the values that SMART names; the key is
//! the one that was registered, never one that the assertion brings or points to (`jwk`, `jku`, `x5c`, `x5u`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

use crate::json::{self, Value};

/// SMART's limit on how far `exp` may be ahead, in seconds.
const FURTHEST: i64 = 300;
/// Epic's limit on the length of a `jti`.
const LONGEST_JTI: usize = 151;
/// How far the client's clock may be ahead for `iat` and `nbf`, in seconds.
const LEEWAY: i64 = 60;

/// What a good assertion says.
#[derive(Debug)]
pub(super) struct Assertion {
    pub(super) client: String,
    pub(super) jti: String,
    pub(super) exp: i64,
}

/// Checks all of it but whether the `jti` is new; the error says what is wrong, in words of ours.
pub(super) fn check(
    jwt: &str,
    token_url: &str,
    now: Timestamp,
    jwks_of: impl FnOnce(&str) -> Option<JwkSet>,
) -> Result<Assertion, &'static str> {
    let parts: Vec<&str> = jwt.split('.').collect();
    let [header_part, claims_part, signature] = parts.as_slice() else {
        return Err("the assertion is not of three parts");
    };
    let (header, claims) = (decoded(header_part)?, decoded(claims_part)?);
    let algorithm = match header.text("alg") {
        Some("RS384") => Algorithm::RS384,
        Some("ES384") => Algorithm::ES384,
        _ => return Err("alg is RS384 or ES384"),
    };
    if header.text("typ") != Some("JWT") {
        return Err("typ is JWT");
    }
    if ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc"]
        .iter()
        .any(|name| header.get(name).is_some())
    {
        return Err(
            "the header brings or points to a key, or asks for what this server does not do",
        );
    }
    let kid = header.text("kid").ok_or("kid is missing")?;
    let client = claims.text("iss").ok_or("iss is missing")?;
    if claims.text("sub") != Some(client) {
        return Err("sub is not iss");
    }
    let jwks = jwks_of(client).ok_or("the client is not registered")?;
    let mut named = jwks.keys.iter().filter(|key| key.common.key_id.as_deref() == Some(kid));
    let key = named.next().ok_or("kid names none of the client's keys")?;
    if named.next().is_some() || !fits(key, algorithm) {
        return Err("the key that kid names is not one for alg");
    }
    let verifying = DecodingKey::from_jwk(key).map_err(|_| "the registered key can't be used")?;
    let message = jwt.rsplit_once('.').map_or("", |(message, _)| message);
    let is_signed = URL_SAFE_NO_PAD.decode(signature).is_ok()
        && crypto::verify(signature, message.as_bytes(), &verifying, algorithm).unwrap_or(false);
    if !is_signed {
        return Err("the signature is not that of the registered key");
    }
    let audience = match claims.get("aud") {
        Some(Value::Array(one)) if one.len() == 1 => one.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    if audience != Some(token_url) {
        return Err("aud is not the token URL");
    }
    let now = now.as_second();
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let seconds = value.as_u64().and_then(|seconds| i64::try_from(seconds).ok());
            seconds.map(Some).ok_or("a time that is no whole number of seconds")
        }
    };
    let exp = seconds("exp")?.ok_or("exp is missing")?;
    if exp <= now {
        return Err("the assertion has expired");
    }
    if exp > now + FURTHEST {
        return Err("exp is more than five minutes ahead");
    }
    for name in ["iat", "nbf"] {
        if seconds(name)?.is_some_and(|begin| begin > now + LEEWAY) {
            return Err("the assertion is not valid yet");
        }
    }
    let jti = claims.text("jti").filter(|jti| (1..=LONGEST_JTI).contains(&jti.len()));
    let jti = jti.ok_or("jti is missing, or longer than 151 characters")?;
    Ok(Assertion { client: client.to_owned(), jti: jti.to_owned(), exp })
}

/// A part of a JWT: an object in strict base64url, with no member twice.
fn decoded(part: &str) -> Result<Value, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| "a part is not base64url")?;
    let value = json::parse(&bytes).map_err(|_| "a part is not JSON")?;
    if value.as_object().is_some() { Ok(value) } else { Err("a part is no JSON object") }
}

/// Whether a registered key is one for an algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS384) => true,
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES384) => {
            ec.curve == EllipticCurve::P384
        }
        _ => false,
    };
    let named = key.common.key_algorithm.is_none_or(|named| {
        named.to_string() == if algorithm == Algorithm::RS384 { "RS384" } else { "ES384" }
    });
    let used =
        key.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    kind && named && used
}
