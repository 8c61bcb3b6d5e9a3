//! The private keys that prove who we are: read from PEM or JWK, and the choice of the one that signs.
//!
//! A key file in JWKS form may hold several keys, because a new key must be public for a while before it signs: token
//! servers keep a JWKS for up to a day. Each key may say from when it signs (`ipt_signs_from`, a member of ours); which
//! one does is then decided by file and time alone ([`Keys::signing`]), and every process that reads the file decides
//! the same.
//!
//! It refuses what SMART Backend Services does not take (SMART App Launch 2.2, "Authentication: Asymmetric"): RSA below
//! 2048 bits, other curves than P-384, keys that do not fit together, and keys that are public only. No error and no
//! `Debug` holds any part of a key.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse, ThumbprintHash};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};

use super::der;
use crate::json::{self, Object, Value};
use crate::object;

/// The member of a private JWK that says from when it signs: an RFC 3339 moment. Without it a key signs from ever.
pub(super) const SIGNS_FROM: &str = "ipt_signs_from";

/// Longer than any `kid` that we would put into a header.
const LONGEST_KID: usize = 256;

/// The two algorithms of SMART Backend Services (RFC 7518 3.3 and 3.4 with SHA-384).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5: what every token server takes.
    Rs384,
    /// ECDSA on P-384.
    Es384,
}

/// A private key.
#[derive(Clone)]
pub struct Key {
    kid: String,
    algorithm: Algorithm,
    signs_from: Option<Timestamp>,
    signing: EncodingKey,
    public: Jwk,
}

/// The keys of one client, at least one.
#[derive(Debug, Clone)]
pub struct Keys(Vec<Key>);

/// Why a text holds no key that signs. It tells nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Neither a private key in PEM nor a JWK or JWKS.
    #[error("neither an unencrypted private key in PEM nor a JWK or JWKS")]
    NotAKey,
    /// A JWKS without keys.
    #[error("a JWKS without keys")]
    Empty,
    /// A key without its private part.
    #[error("a key without its private part")]
    Public,
    /// Another kind of key, or another curve, than SMART takes.
    #[error("another kind of key than RSA and EC P-384")]
    Unsupported,
    /// An RSA key of fewer than 2048 bits.
    #[error("an RSA key of fewer than 2048 bits")]
    Weak,
    /// A JWK that lacks a number (for RSA all of n, e, d, p, q, dp, dq, qi), or one that is not base64url.
    #[error("a JWK that lacks a number of its key, or spells one wrongly")]
    Incomplete,
    /// The numbers of a key do not fit together.
    #[error("a key whose parts do not fit together")]
    Inconsistent,
    /// `alg`, `use` or `kid` of a JWK is not what we can use, or two keys have one `kid`.
    #[error("a JWK whose alg, use or kid does not fit it, or a kid that two keys have")]
    Facts,
    /// `ipt_signs_from` is no moment.
    #[error("ipt_signs_from is not a moment such as 2026-03-02T10:00:00Z")]
    SignsFrom,
    /// No key for the algorithm that is configured.
    #[error("no key for the configured algorithm")]
    OtherAlgorithm,
    /// The cryptography of this machine failed.
    #[error("the key could not be used")]
    Failed,
}

impl Algorithm {
    /// The `alg` of JOSE.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rs384 => "RS384",
            Self::Es384 => "ES384",
        }
    }

    pub(super) const fn jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs384 => jsonwebtoken::Algorithm::RS384,
            Self::Es384 => jsonwebtoken::Algorithm::ES384,
        }
    }
}

impl FromStr for Algorithm {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Rs384, Self::Es384]
            .into_iter()
            .find(|algorithm| algorithm.code().eq_ignore_ascii_case(text))
            .ok_or("an algorithm is RS384 or ES384")
    }
}

impl Key {
    /// Its id: the `kid` of the JWK, or else its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// From when it signs; `None` from ever.
    pub const fn signs_from(&self) -> Option<Timestamp> {
        self.signs_from
    }

    pub(super) const fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    fn new(algorithm: Algorithm, signing: EncodingKey) -> Result<Self, KeyFault> {
        let mut public = Jwk::from_encoding_key(&signing, algorithm.jose())
            .map_err(|_| KeyFault::Inconsistent)?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyFault::Failed)?;
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_id = Some(kid.clone());
        Ok(Self { kid, algorithm, signs_from: None, signing, public })
    }

    fn rsa(key: &RsaKeyPair) -> Result<Self, KeyFault> {
        let pkcs8 = key.as_der().map_err(|_| KeyFault::Failed)?;
        let pkcs1 = der::pkcs1(pkcs8.as_ref()).ok_or(KeyFault::Failed)?;
        Self::new(Algorithm::Rs384, EncodingKey::from_rsa_der(pkcs1))
    }

    fn ec(key: &EcdsaKeyPair) -> Result<Self, KeyFault> {
        let pkcs8 = key.to_pkcs8v1().map_err(|_| KeyFault::Failed)?;
        Self::new(Algorithm::Es384, EncodingKey::from_ec_der(pkcs8.as_ref()))
    }

    fn from_pem(text: &str) -> Result<Self, KeyFault> {
        let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| KeyFault::NotAKey)?;
        let bytes = der.secret_der();
        match &der {
            PrivateKeyDer::Pkcs1(_) => Self::rsa(&RsaKeyPair::from_der(bytes).map_err(rejected)?),
            PrivateKeyDer::Sec1(_) => {
                let key =
                    EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, bytes);
                Self::ec(&key.map_err(|_| KeyFault::Unsupported)?)
            }
            _ => match EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, bytes) {
                Ok(key) => Self::ec(&key),
                Err(_) => Self::rsa(&RsaKeyPair::from_pkcs8(bytes).map_err(rejected)?),
            },
        }
    }

    /// A private JWK (RFC 7517 4, RFC 7518 6.2.2 and 6.3.2).
    fn from_jwk(jwk: &Value) -> Result<Self, KeyFault> {
        if jwk.get("d").is_none() {
            return Err(KeyFault::Public);
        }
        let number = |name: &str| -> Result<Vec<u8>, KeyFault> {
            let text = jwk.text(name).ok_or(KeyFault::Incomplete)?;
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyFault::Incomplete)?;
            if bytes.is_empty() { Err(KeyFault::Incomplete) } else { Ok(bytes) }
        };
        let mut key = match (jwk.text("kty"), jwk.text("crv")) {
            (Some("RSA"), _) if jwk.get("oth").is_none() => {
                let (n, e) = (number("n")?, number("e")?);
                if n.len() < 256 {
                    return Err(KeyFault::Weak);
                }
                let components = KeyPairComponents {
                    public_key: PublicKeyComponents { n, e },
                    d: number("d")?,
                    p: number("p")?,
                    q: number("q")?,
                    dP: number("dp")?,
                    dQ: number("dq")?,
                    qInv: number("qi")?,
                };
                Self::rsa(&RsaKeyPair::from_components(&components).map_err(rejected)?)?
            }
            (Some("EC"), Some("P-384")) => {
                let (x, y, d) = (number("x")?, number("y")?, number("d")?);
                if [&x, &y, &d].into_iter().any(|number| number.len() != 48) {
                    return Err(KeyFault::Incomplete);
                }
                let point = [&[4][..], &x, &y].concat();
                let key = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P384_SHA384_FIXED_SIGNING,
                    &d,
                    &point,
                );
                Self::ec(&key.map_err(|_| KeyFault::Inconsistent)?)?
            }
            _ => return Err(KeyFault::Unsupported),
        };
        let fits = |name: &str, wanted: &str| match jwk.get(name) {
            None => true,
            Some(value) => value.as_str() == Some(wanted),
        };
        if !fits("alg", key.algorithm.code()) || !fits("use", "sig") {
            return Err(KeyFault::Facts);
        }
        if let Some(kid) = jwk.get("kid") {
            let kid = kid.as_str().filter(|kid| is_kid(kid)).ok_or(KeyFault::Facts)?;
            kid.clone_into(&mut key.kid);
            key.public.common.key_id = Some(kid.to_owned());
        }
        key.signs_from = match jwk.get(SIGNS_FROM) {
            None => None,
            Some(moment) => {
                let moment = moment.as_str().and_then(|text| text.parse().ok());
                Some(moment.ok_or(KeyFault::SignsFrom)?)
            }
        };
        Ok(key)
    }

    /// The public part, with `alg`, `use` and `kid`.
    fn to_public(&self) -> Object {
        let facts = object! { "alg" => self.algorithm.code(), "use" => "sig", "kid" => &self.kid };
        let mut jwk = match &self.public.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                object! { "kty" => "RSA", "n" => &rsa.n, "e" => &rsa.e }
            }
            AlgorithmParameters::EllipticCurve(ec) => {
                object! { "kty" => "EC", "crv" => "P-384", "x" => &ec.x, "y" => &ec.y }
            }
            _ => Object::new(),
        };
        for (name, value) in facts.iter() {
            jwk.insert(name.to_owned(), value.clone());
        }
        jwk
    }
}

impl Keys {
    /// Reads a private key in PEM (PKCS#8, PKCS#1, SEC1), a JWK, or a JWKS.
    ///
    /// # Errors
    /// The first thing that is wrong with any of them: a file with one bad key is not used in part.
    pub fn parse(text: &SecretString) -> Result<Self, KeyFault> {
        let text = text.expose_secret().trim();
        if !text.starts_with('{') {
            return Key::from_pem(text).map(|key| Self(vec![key]));
        }
        let value = json::parse(text.as_bytes()).map_err(|_| KeyFault::NotAKey)?;
        let keys = match value.get("keys") {
            None => vec![Key::from_jwk(&value)?],
            Some(Value::Array(keys)) => keys.iter().map(Key::from_jwk).collect::<Result<_, _>>()?,
            Some(_) => return Err(KeyFault::NotAKey),
        };
        if keys.is_empty() {
            return Err(KeyFault::Empty);
        }
        let mut kids: Vec<&str> = keys.iter().map(Key::kid).collect();
        kids.sort_unstable();
        if kids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(KeyFault::Facts);
        }
        Ok(Self(keys))
    }

    /// The key that signs at a time: of those whose time has come the newest, and of several from the same time the
    /// last in the file. If no time has come, the one whose time comes first: nothing older is there to sign with.
    ///
    /// # Errors
    /// [`KeyFault::OtherAlgorithm`] if an algorithm is wanted that no key has.
    pub fn signing(&self, now: Timestamp, algorithm: Option<Algorithm>) -> Result<&Key, KeyFault> {
        let fits = |key: &&Key| algorithm.is_none_or(|wanted| wanted == key.algorithm);
        let due = |key: &&Key| key.signs_from.is_none_or(|from| from <= now);
        let candidates = || self.0.iter().filter(fits);
        let newest = candidates().filter(due).max_by_key(|key| key.signs_from);
        newest
            .or_else(|| candidates().min_by_key(|key| key.signs_from))
            .ok_or(KeyFault::OtherAlgorithm)
    }

    /// All of them, as the file has them.
    pub fn iter(&self) -> std::slice::Iter<'_, Key> {
        self.0.iter()
    }

    /// The public JWKS, to be registered or published: all keys, also those that do not sign yet.
    pub fn public_jwks(&self) -> Value {
        let keys: Vec<Object> = self.0.iter().map(Key::to_public).collect();
        Value::Object(object! { "keys" => keys })
    }
}

impl<'a> IntoIterator for &'a Keys {
    type Item = &'a Key;
    type IntoIter = std::slice::Iter<'a, Key>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Whether a `kid` can be told to anybody: printable ASCII, not too long.
fn is_kid(text: &str) -> bool {
    (1..=LONGEST_KID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn rejected(error: aws_lc_rs::error::KeyRejected) -> KeyFault {
    match error.to_string().as_str() {
        "TooSmall" => KeyFault::Weak,
        "InconsistentComponents" => KeyFault::Inconsistent,
        _ => KeyFault::Unsupported,
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
