//! `[ehr.NAME]` as far as it is about the way there: private networks, TLS, the pace.
//!
//! The files of `tls` are read when a client is made, not before: a list of EHRs needs none of them. The key is a
//! secret like any other, and its file must be its owner's alone.

use std::num::NonZeroU32;
use std::path::PathBuf;

use secrecy::SecretString;

use super::{Error, Layers, NewNetwork, Origin, Sourced, file, secret};
use crate::client::{self, Rate, Tls};

/// More than that is no limit.
const FASTEST: u32 = 100_000;

/// How an EHR is reached.
#[derive(Debug, Clone)]
pub struct Network {
    /// `private_network`: its name may lead to an address of a private network.
    pub private_network: Sourced<bool>,
    /// `tls.ca`: authorities to trust beyond those of this machine.
    pub authorities: Option<Sourced<PathBuf>>,
    /// `tls.certificate` and `tls.key`: as whom we come.
    pub identity: Option<Identity>,
    /// `[ehr.NAME.rate]`: how fast it may be asked.
    pub rate: Option<Sourced<Rate>>,
}

/// `tls.certificate` and `tls.key`.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate, and those between it and its authority.
    pub certificate: Sourced<PathBuf>,
    /// Its private key.
    pub key: Sourced<PathBuf>,
}

impl Network {
    /// A client's configuration with all of this but the pace, which the vendor may name ([`Ehr::rate`](super::Ehr::rate)).
    ///
    /// # Errors
    /// `config-unreadable` for a file, `config-permissions` if others can read the key, `config-value` if a file does
    /// not hold what it should.
    pub(super) fn apply(&self, config: client::Config) -> Result<client::Config, Error> {
        let mut tls = Tls::new();
        if let Some(path) = &self.authorities {
            let text = read(path)?;
            tls =
                tls.with_authorities(text.as_bytes()).map_err(|why| wrong("tls.ca", why, path))?;
        }
        if let Some(Identity { certificate, key }) = &self.identity {
            secret::private(&key.value, &key.origin)?;
            let secret = SecretString::from(read(key)?);
            tls = tls.with_identity(&read(certificate)?, &secret).map_err(|why| match why {
                client::NotPem::Certificate => wrong("tls.certificate", why, certificate),
                client::NotPem::Key => wrong("tls.key", why, key),
            })?;
        }
        Ok(config.with_tls(tls).with_private_network(self.private_network.value))
    }
}

impl NewNetwork {
    /// A client's configuration with all of this but the pace, before it is written.
    ///
    /// # Errors
    /// Those of a configured EHR: what is wrong with the files.
    pub fn apply(&self, config: client::Config) -> Result<client::Config, Error> {
        let sourced = |path: &PathBuf| Sourced::default_value(path.clone());
        let network = Network {
            private_network: Sourced::default_value(self.private_network),
            authorities: self.authorities.as_ref().map(sourced),
            identity: self.identity.as_ref().map(|(certificate, key)| Identity {
                certificate: sourced(certificate),
                key: sourced(key),
            }),
            rate: None,
        };
        network.apply(config)
    }
}

fn read(path: &Sourced<PathBuf>) -> Result<String, Error> {
    file::text(&path.value).map_err(|error| error.at(&path.origin))
}

fn wrong(key: &str, why: client::NotPem, path: &Sourced<PathBuf>) -> Error {
    let text = format!("{key}: {}: {why}", path.value.display());
    Error::new("config-value", text).at(&path.origin)
}

impl Layers<'_> {
    /// How an EHR is reached.
    pub(super) fn network(&self, name: &str) -> Result<Network, Error> {
        let key = |rest: &str| format!("ehr.{name}.{rest}");
        let path = |rest: &str| -> Result<Option<Sourced<PathBuf>>, Error> {
            let text = self.value(&key(rest), |text| Ok(text.to_owned()))?;
            Ok(text.map(|Sourced { value, origin }| Sourced {
                value: file::resolve(&value, &origin, self.sources),
                origin,
            }))
        };
        let identity = match (path("tls.certificate")?, path("tls.key")?) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => {
                let text = format!("{} needs a certificate and its key", key("tls"));
                return Err(Error::new("config-value", text).at(&one.origin));
            }
        };
        Ok(Network {
            private_network: self.flag(&key("private_network"))?,
            authorities: path("tls.ca")?,
            identity,
            rate: self.rate(name)?,
        })
    }

    fn flag(&self, key: &str) -> Result<Sourced<bool>, Error> {
        let flag = self
            .value(key, |text| text.parse().map_err(|_| "true or false is expected".to_owned()))?;
        Ok(flag.unwrap_or(Sourced::default_value(false)))
    }

    fn rate(&self, name: &str) -> Result<Option<Sourced<Rate>>, Error> {
        let key = |rest: &str| format!("ehr.{name}.rate.{rest}");
        let number = |rest: &str| {
            self.value(&key(rest), |text| {
                let number: Option<NonZeroU32> = text.parse().ok();
                let number = number.filter(|number| number.get() <= FASTEST);
                number.ok_or_else(|| format!("a whole number from 1 to {FASTEST} is expected"))
            })
        };
        let refused = |text: String, origin: &Origin| {
            Err(Error::new("config-value", format!("ehr.{name}.rate: {text}")).at(origin))
        };
        let aligned = self.flag(&key("aligned_to_minute"))?;
        let rate = match (number("per_minute")?, number("per_second")?) {
            (None, None) if aligned.value => {
                return refused("aligned_to_minute needs per_minute".to_owned(), &aligned.origin);
            }
            (None, None) => return Ok(None),
            (Some(minute), None) => {
                let rate = Rate::per_minute(minute.value);
                let value = if aligned.value { rate.aligned_to_minute() } else { rate };
                Sourced { value, origin: minute.origin }
            }
            (None, Some(second)) if !aligned.value => {
                Sourced { value: Rate::per_second(second.value), origin: second.origin }
            }
            (None, Some(second)) => {
                return refused("aligned_to_minute needs per_minute".to_owned(), &second.origin);
            }
            (Some(_), Some(second)) => {
                return refused("per_minute or per_second, not both".to_owned(), &second.origin);
            }
        };
        Ok(Some(rate))
    }
}
