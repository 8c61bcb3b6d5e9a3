//! `[ehr.NAME.auth]`: how we show who we are, from what is written there to what a client is given.
//!
//! There are four ways, and one EHR has one of them: what is written for two is refused, and so is half of one. Secrets
//! are fetched when a client is made, not before: a list of EHRs needs none of them.

use super::secret::{self, Secret};
use super::{Error, Layers, Origin};
use crate::client;
use crate::client::smart::{Algorithm, Smart};
use crate::date::Clock;

/// `[ehr.NAME.auth]`. Secrets are fetched when they are needed, not before.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Not at all.
    None,
    /// `token`.
    Bearer(Secret),
    /// `client_id`, `key` and `token_url`: SMART Backend Services.
    Smart(Box<SmartAuth>),
    /// `user` and `password`.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// A login by SMART Backend Services.
#[derive(Debug, Clone)]
pub struct SmartAuth {
    /// `client_id`: what the EHR has registered us as.
    pub client_id: String,
    /// `key`: the private key or keys, as PEM, JWK or JWKS.
    pub key: Secret,
    /// `token_url`, pinned.
    pub token_url: client::Pinned,
    /// `scope`: what to ask for; without it nothing is named.
    pub scope: Option<String>,
    /// `algorithm`: for a key file that holds keys of both kinds.
    pub algorithm: Option<Algorithm>,
}

impl Auth {
    /// What a client shows: fetches the secret, by running its command if there is one. A token that a file or a command
    /// gives is fetched again when it ends, and so is the key for each login.
    ///
    /// # Errors
    /// `config-secret` if it can't be had or is no key.
    pub(super) fn authorization(
        &self,
        environment: impl Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
        clock: &Clock,
    ) -> Result<client::Authorization, Error> {
        Ok(match self {
            Self::None => client::Authorization::None,
            Self::Bearer(token) => {
                let first = token.fetch(&environment)?;
                if token.can_change() {
                    client::Authorization::Renewable(client::Renewable {
                        source: token.source_beginning_with(first, environment),
                        ttl: token.ttl(),
                        clock: clock.clone(),
                    })
                } else {
                    client::Authorization::Bearer(first)
                }
            }
            Self::Basic { user, password } => client::Authorization::Basic {
                user: user.clone(),
                password: password.fetch(&environment)?,
            },
            Self::Smart(smart) => {
                let login = smart.login(environment, clock)?;
                client::Authorization::Smart(Box::new(login))
            }
        })
    }
}

impl SmartAuth {
    /// The login; the key is read once, to see that it signs.
    fn login(
        &self,
        environment: impl Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
        clock: &Clock,
    ) -> Result<Smart, Error> {
        let text = self.key.fetch_whole(&environment)?;
        let unfit = |fault: client::smart::KeyFault| self.key.fault(&fault.to_string());
        let keys = client::smart::Keys::parse(&text).map_err(unfit)?;
        keys.signing(clock.now(), self.algorithm).map_err(unfit)?;
        let source = self.key.whole_source(environment);
        let mut login = Smart::new(&self.client_id, self.token_url.clone(), source, clock.clone());
        if let Some(scope) = &self.scope {
            login = login.with_scope(scope);
        }
        if let Some(algorithm) = self.algorithm {
            login = login.with_algorithm(algorithm);
        }
        Ok(login)
    }
}

impl Layers<'_> {
    /// How we show who we are to an EHR.
    pub(super) fn auth(
        &self,
        name: &str,
        url: &client::Base,
        warnings: &mut Vec<Error>,
    ) -> Result<Auth, Error> {
        let key = |rest: &str| format!("ehr.{name}.auth.{rest}");
        let mut secret = |rest: &str| {
            let setting = self.settings.get(&key(rest));
            setting.map(|setting| secret::read(&key(rest), setting, self.sources, warnings))
        };
        let (token, password) = (secret("token").transpose()?, secret("password").transpose()?);
        let private_key = secret("key").transpose()?;
        let user = self.value(&key("user"), |text| Ok(text.to_owned()))?;
        for other in [&password, &private_key].into_iter().flatten() {
            if other.ttl().is_some() {
                return Err(other.fault("ttl goes with the command of a token"));
            }
        }
        let smart = self.smart(&key, private_key, url)?;
        match (token, user, password, smart) {
            (None, None, None, None) => Ok(Auth::None),
            (Some(token), None, None, None) => Ok(Auth::Bearer(token)),
            (None, Some(user), Some(password), None) => {
                Ok(Auth::Basic { user: user.value, password })
            }
            (None, None, None, Some(smart)) => Ok(Auth::Smart(Box::new(smart))),
            (_, user, ..) => {
                let text = format!(
                    "ehr.{name}.auth holds a token, or a user and a password, or a client_id, a key and a token_url"
                );
                let origin = user.map_or(Origin::Default, |user| user.origin);
                Err(Error::new("config-value", text).at(&origin))
            }
        }
    }

    /// The keys of a SMART login, if one of them is there: then those that it needs must be.
    fn smart(
        &self,
        key: &dyn Fn(&str) -> String,
        private_key: Option<Secret>,
        url: &client::Base,
    ) -> Result<Option<SmartAuth>, Error> {
        let client_id = self.value(&key("client_id"), |text| {
            let is_id = (1..=256).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
            if is_id {
                Ok(text.to_owned())
            } else {
                Err("a client id is printable ASCII".to_owned())
            }
        })?;
        let token_url = self.value(&key("token_url"), |text| {
            let pinned: client::Pinned =
                text.parse().map_err(|error: client::NotPinned| error.to_string())?;
            if pinned.is_loopback() && !url.is_loopback() {
                return Err("a server elsewhere does not give out its tokens here".to_owned());
            }
            Ok(pinned)
        })?;
        let scope = self.value(&key("scope"), |text| {
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            let is_word = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            if words.is_empty() || !words.iter().all(|word| word.bytes().all(is_word)) {
                return Err("scopes are words with spaces between them; leave it out to send none"
                    .to_owned());
            }
            Ok(words.join(" "))
        })?;
        let algorithm =
            self.value(&key("algorithm"), |text| text.parse().map_err(str::to_owned))?;
        match (client_id, private_key, token_url) {
            (None, None, None) if scope.is_none() && algorithm.is_none() => Ok(None),
            (Some(client_id), Some(private_key), Some(token_url)) => Ok(Some(SmartAuth {
                client_id: client_id.value,
                key: private_key,
                token_url: token_url.value,
                scope: scope.map(|scope| scope.value),
                algorithm: algorithm.map(|algorithm| algorithm.value),
            })),
            (client_id, private_key, token_url) => {
                let missing = [
                    ("client_id", client_id.is_none()),
                    ("key", private_key.is_none()),
                    ("token_url", token_url.is_none()),
                ];
                let missing = missing.into_iter().filter(|(_, missing)| *missing);
                let names: Vec<String> = missing.map(|(name, _)| key(name)).collect();
                let text = format!("a SMART login also needs {}", names.join(", "));
                let origin = client_id
                    .map(|client_id| client_id.origin)
                    .or(token_url.map(|token_url| token_url.origin))
                    .or(scope.map(|scope| scope.origin))
                    .unwrap_or(Origin::Default);
                Err(Error::new("config-missing", text)
                    .at(&origin)
                    .help("`ehr add NAME URL --client-id ID --key-file FILE` writes them all"))
            }
        }
    }
}
