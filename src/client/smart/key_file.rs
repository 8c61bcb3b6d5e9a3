//! The key file: a JWKS of private keys that is made, given a second key, and relieved of the first.
//!
//! A rotation is: publish both keys, wait as long as token servers keep a JWKS, sign with the new one, take the old one
//! away. The file alone says how far it is, so that no process has to be told: the new key's `ipt_signs_from` lies the
//! cache time ahead, and the old key can only be taken away after that and after the last assertion that it signed has
//! ended. Members that are not ours stay as they are.

use aws_lc_rs::encoding::{AsBigEndian, AsDer};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::assertion::LIFETIME;
use super::der;
use super::key::{Algorithm, KeyFault, Keys, SIGNS_FROM};
use crate::json::{self, Object, Value};
use crate::object;

/// A JWKS of private keys, to be changed. It has no `Debug`.
#[expect(missing_debug_implementations, reason = "it is nothing but private keys")]
pub struct KeyFile(Value);

/// Why a rotation does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rotation {
    /// The file is a PEM or a single JWK, which has no room for a second key.
    #[error("the file is no JWKS, so it has no room for a second key")]
    NotAJwks,
    /// A key in it can't be used.
    #[error("the key file holds {0}")]
    Key(#[from] KeyFault),
    /// The last rotation is not through.
    #[error("the newest key signs from {from} only")]
    Pending {
        /// From when the newest key signs.
        from: Timestamp,
    },
    /// There is an old key, which must be taken away first.
    #[error("the old key is still in the file")]
    OldKeyThere,
    /// There is no old key.
    #[error("the file holds one key only, so there is nothing to retire")]
    NothingOld,
    /// Assertions of the old key may still be under way.
    #[error("assertions that the old key signed are valid until {until}")]
    InUse {
        /// Until when.
        until: Timestamp,
    },
}

impl KeyFile {
    /// A new file with one new key, which signs at once.
    ///
    /// # Errors
    /// [`KeyFault::Failed`] if no key could be made.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyFault> {
        let keys = vec![generate(algorithm, None)?];
        Ok(Self(Value::Object(object! { "keys" => keys })))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Rotation::NotAJwks`] for a PEM or a single JWK, [`Rotation::Key`] for a key that can't be used.
    pub fn parse(text: &SecretString) -> Result<Self, Rotation> {
        Keys::parse(text)?;
        let value = json::parse(text.expose_secret().trim().as_bytes()).ok();
        value.filter(|value| value.get("keys").is_some()).map(Self).ok_or(Rotation::NotAJwks)
    }

    /// The keys in it.
    ///
    /// # Errors
    /// What [`Keys::parse`] says.
    pub fn keys(&self) -> Result<Keys, KeyFault> {
        Keys::parse(&self.to_text())
    }

    /// Adds a new key that signs from a moment on: the cache time of the token server's JWKS from now.
    ///
    /// # Errors
    /// [`Rotation::Pending`] and [`Rotation::OldKeyThere`] while a rotation is under way.
    pub fn rotate(
        &mut self,
        algorithm: Algorithm,
        now: Timestamp,
        signs_from: Timestamp,
    ) -> Result<(), Rotation> {
        if let Some(from) = self.switch()?.filter(|from| *from > now) {
            return Err(Rotation::Pending { from });
        }
        if self.keys()?.iter().len() > 1 {
            return Err(Rotation::OldKeyThere);
        }
        let key = generate(algorithm, Some(signs_from))?;
        if let Some(Value::Array(keys)) = self.0.as_object_mut().and_then(|set| set.get_mut("keys"))
        {
            keys.push(Value::Object(key));
        }
        Ok(())
    }

    /// Takes away all keys but the one that signs now, and says how many; `algorithm` as in [`Keys::signing`].
    ///
    /// # Errors
    /// [`Rotation::NothingOld`], [`Rotation::Pending`], or [`Rotation::InUse`] for some minutes after the switch.
    pub fn retire(
        &mut self,
        now: Timestamp,
        algorithm: Option<Algorithm>,
    ) -> Result<usize, Rotation> {
        let keys = self.keys()?;
        if keys.iter().len() < 2 {
            return Err(Rotation::NothingOld);
        }
        if let Some(from) = self.switch()? {
            let until = from.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
            if from > now {
                return Err(Rotation::Pending { from });
            }
            if until > now {
                return Err(Rotation::InUse { until });
            }
        }
        let stays = keys.signing(now, algorithm)?.kid();
        let position = keys.iter().position(|key| key.kid() == stays);
        let mut index = 0;
        if let Some(Value::Array(all)) = self.0.as_object_mut().and_then(|set| set.get_mut("keys"))
        {
            all.retain(|_| {
                index += 1;
                Some(index - 1) == position
            });
        }
        Ok(keys.iter().len() - 1)
    }

    /// When the newest key begins to sign.
    fn switch(&self) -> Result<Option<Timestamp>, KeyFault> {
        Ok(self.keys()?.iter().filter_map(super::key::Key::signs_from).max())
    }

    /// The file's text.
    pub fn to_text(&self) -> SecretString {
        SecretString::from(self.0.to_pretty())
    }
}

/// A new key as a private JWK.
fn generate(algorithm: Algorithm, signs_from: Option<Timestamp>) -> Result<Object, KeyFault> {
    let failed = |_| KeyFault::Failed;
    let coded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut jwk = match algorithm {
        Algorithm::Rs384 => {
            let key = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
            let pkcs8 = key.as_der().map_err(failed)?;
            let numbers = der::pkcs1(pkcs8.as_ref()).and_then(der::numbers);
            let numbers = numbers.ok_or(KeyFault::Failed)?;
            let mut jwk = object! { "kty" => "RSA" };
            for (name, number) in
                ["n", "e", "d", "p", "q", "dp", "dq", "qi"].into_iter().zip(numbers)
            {
                jwk.put(name, coded(number));
            }
            jwk
        }
        Algorithm::Es384 => {
            let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(failed)?;
            let point = key.public_key().as_ref();
            let (x, y) =
                point.get(1..).unwrap_or_default().split_at_checked(48).unwrap_or_default();
            let d = key.private_key().as_be_bytes().map_err(failed)?;
            object! {
                "kty" => "EC", "crv" => "P-384", "x" => coded(x), "y" => coded(y), "d" => coded(d.as_ref()),
            }
        }
    };
    // Whoever can't be read back is not handed out; its thumbprint becomes its name.
    let text = SecretString::from(Value::Object(jwk.clone()).to_text());
    let kid = Keys::parse(&text)?.iter().next().map(|key| key.kid().to_owned());
    jwk.put("alg", algorithm.code());
    jwk.put("use", "sig");
    jwk.put("kid", kid.unwrap_or_default());
    jwk.put(SIGNS_FROM, signs_from.map(|moment| moment.to_string()));
    Ok(jwk)
}
