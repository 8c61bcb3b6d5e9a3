//! Configuration: TOML files, environment and defaults become one [`Config`] whose every value knows its origin.
//!
//! Order: flag, environment (`IPT_FHIR_SECTION__KEY`), the file given by `--config`, `./ipt-fhir.toml`,
//! `$XDG_CONFIG_HOME/ipt-fhir/config.toml`, default. Files are laid over each other value by value, but an
//! `[ehr.NAME]` table counts as one value: a file in the working directory must not be able to point an EHR
//! elsewhere and keep its credentials.
//!
//! An unknown key is an error with its place, never passed over: a mistyped `timeout_secnds` would be a time limit
//! that does not hold. No message and no excerpt shows a value of a file, because a value may be a secret.
//!
//! The environment comes in as a function, so that tests never touch the real one.

mod auth;
mod edit;
mod file;
mod ladder;
mod network;
mod pack;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use crate::date::Clock;
use crate::vendor::{Overrides, Pack};
use crate::{client, telemetry};
use file::{Given, Kind, Setting};

pub use auth::{Auth, SmartAuth};
pub use edit::{
    NewAuth, NewEhr, NewNetwork, NewRate, NewSecret, NewSmart, add_ehr, file_to_edit, write_private,
};
pub use file::Place;
pub use ladder::Ladder;
pub use network::{Identity, Network};
pub use secret::Secret;

/// Every key that a file may hold; `*` is the name of an EHR.
const KEYS: [(&str, Kind); 30] = [
    ("ehr.*.allow", Kind::List),
    ("ehr.*.auth.algorithm", Kind::Text),
    ("ehr.*.auth.client_id", Kind::Text),
    ("ehr.*.auth.key", Kind::Secret),
    ("ehr.*.auth.password", Kind::Secret),
    ("ehr.*.auth.scope", Kind::Text),
    ("ehr.*.auth.token", Kind::Secret),
    ("ehr.*.auth.token_url", Kind::Text),
    ("ehr.*.auth.user", Kind::Text),
    ("ehr.*.encounter", Kind::Text),
    ("ehr.*.hand_off", Kind::Text),
    ("ehr.*.opt_in", Kind::List),
    ("ehr.*.override", Kind::Lists),
    ("ehr.*.pack", Kind::Text),
    ("ehr.*.private_network", Kind::Flag),
    ("ehr.*.rate.aligned_to_minute", Kind::Flag),
    ("ehr.*.rate.per_minute", Kind::Whole),
    ("ehr.*.rate.per_second", Kind::Whole),
    ("ehr.*.settle_seconds", Kind::Whole),
    ("ehr.*.timeout_seconds", Kind::Whole),
    ("ehr.*.tls.ca", Kind::Text),
    ("ehr.*.tls.certificate", Kind::Text),
    ("ehr.*.tls.key", Kind::Text),
    ("ehr.*.url", Kind::Text),
    ("identity.namespace", Kind::Text),
    ("log.format", Kind::Text),
    ("log.level", Kind::Text),
    ("mapping.part_2_program", Kind::Flag),
    ("mapping.psychotherapy_code", Kind::Text),
    ("store.path", Kind::Text),
];

/// The environment variable that stands for `--config`.
pub const CONFIG_VARIABLE: &str = "IPT_FHIR_CONFIG";
/// The environment variable that stands for `--ehr`.
pub const EHR_VARIABLE: &str = "IPT_FHIR_EHR";
/// A short name for `IPT_FHIR_LOG__LEVEL`.
pub const LOG_VARIABLE: &str = "IPT_FHIR_LOG";

/// Where settings come from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The file of `--config`; when it is given it must be there.
    pub file: Option<&'a Path>,
    /// The EHR given by `--ehr`: it may be configured by the environment alone.
    pub ehr: Option<&'a str>,
    /// The environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The working directory.
    pub directory: &'a Path,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sources").field("file", &self.file).finish_non_exhaustive()
    }
}

/// All settings, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// `store.path`: the directory of the database, which is its alone.
    pub store_path: Sourced<PathBuf>,
    /// `[log]`.
    pub log: Log,
    /// `identity.namespace`: set where two clinics import the same record.
    pub namespace: Option<Sourced<Uuid>>,
    /// `mapping.part_2_program`: the organization is a 42 CFR Part 2 program, and labels what tells of substance use.
    pub part_2_program: Sourced<bool>,
    /// `mapping.psychotherapy_code`: the SNOMED CT code for interpersonal psychotherapy, for those who may not use the
    /// one that stands by itself.
    pub psychotherapy_code: Option<Sourced<String>>,
    /// `[ehr.NAME]`, by name.
    pub ehrs: BTreeMap<String, Ehr>,
    /// The files that were read, the one that counts most first.
    pub files: Vec<PathBuf>,
    /// What is allowed and unwise.
    pub warnings: Vec<Error>,
}

/// `[log]`.
#[derive(Debug, Clone)]
pub struct Log {
    /// `log.level`.
    pub level: Sourced<telemetry::Level>,
    /// `log.format`.
    pub format: Sourced<telemetry::Format>,
}

/// `[ehr.NAME]`.
#[derive(Debug, Clone)]
pub struct Ehr {
    /// The base URL of its FHIR server.
    pub url: Sourced<client::Base>,
    /// The time limit of one request.
    pub timeout: Sourced<Duration>,
    /// How long a request may still be executing after nobody waits for its answer any more.
    pub settle: Sourced<Duration>,
    /// How it is reached.
    pub network: Network,
    /// How we show who we are.
    pub auth: Auth,
    /// What is known of its vendor's servers.
    pub pack: Option<Sourced<&'static Pack>>,
    /// What the operator knows better than statement, pack and scopes.
    pub overrides: Sourced<Overrides>,
    /// What it may get in the place of structure.
    pub ladder: Ladder,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(String),
    /// A file.
    File(Place),
    /// The program.
    Default,
}

/// What is wrong with the configuration, where, and what to do. It holds no value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// A stable name: `config-unknown-key`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where, if it is in a file.
    pub place: Option<Box<Place>>,
    /// What to do.
    pub help: Option<String>,
}

impl Error {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, help: None }
    }

    fn at(mut self, origin: &Origin) -> Self {
        match origin {
            Origin::File(place) => self.place = Some(Box::new(place.clone())),
            Origin::Environment(name) => self.message = format!("{} (from {name})", self.message),
            Origin::Flag(_) | Origin::Default => {}
        }
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl<T> Sourced<T> {
    /// A value that nobody set.
    pub const fn default_value(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => formatter.write_str(flag),
            Self::Environment(name) => formatter.write_str(name),
            Self::File(place) => write!(formatter, "{}:{}", place.file.display(), place.line),
            Self::Default => formatter.write_str("default"),
        }
    }
}

impl Config {
    /// Reads all sources.
    ///
    /// # Errors
    /// The first thing that is wrong. Files that are not there are passed over, but for the one of `--config`.
    pub fn load(sources: Sources<'_>) -> Result<Self, Error> {
        let mut layers = Layers { sources, settings: BTreeMap::new(), names: BTreeSet::new() };
        let mut files = Vec::new();
        for path in file::candidates(sources)? {
            let read = file::read(&path)?;
            layers.lay(read)?;
            files.push(path);
        }
        layers.names.extend(sources.ehr.map(str::to_owned));
        layers.lay_environment();
        let mut warnings = Vec::new();
        let mut ehrs = BTreeMap::new();
        for name in &layers.names {
            // A name that `--ehr` gave and nothing configures is the command's error: it knows what to suggest.
            if let Some(ehr) = layers.ehr(name, &mut warnings)? {
                ehrs.insert(name.clone(), ehr);
            }
        }
        Ok(Self {
            store_path: layers.store_path()?,
            log: Log {
                level: layers.or_default("log.level")?,
                format: layers.or_default("log.format")?,
            },
            namespace: layers.value("identity.namespace", |text| {
                Uuid::parse_str(text).map_err(|_| "a namespace is a UUID".to_owned())
            })?,
            part_2_program: layers.or_default("mapping.part_2_program")?,
            psychotherapy_code: layers.value("mapping.psychotherapy_code", |text| {
                let is_code = (6..=18).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_digit());
                if is_code {
                    Ok(text.to_owned())
                } else {
                    Err("a SNOMED CT code has 6 to 18 digits".to_owned())
                }
            })?,
            ehrs,
            files,
            warnings,
        })
    }

    /// The settings of an EHR.
    ///
    /// # Errors
    /// `config-unknown-ehr`, with the nearest name there is.
    pub fn ehr(&self, name: &str) -> Result<&Ehr, Error> {
        self.ehrs.get(name).ok_or_else(|| {
            let help = match nearest(name, self.ehrs.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? `ehr list` shows all"),
                None => format!("`ehr add {name} URL` configures it; `ehr list` shows all"),
            };
            Error::new("config-unknown-ehr", format!("no EHR is configured as `{name}`")).help(help)
        })
    }
}

/// What takes longer than we wait may take as long again. A server on another machine may have a proxy before it that
/// still holds a request (ehrs-and-sync.md 3.2).
fn default_settle(url: &client::Base, timeout: Duration) -> Duration {
    let proxy = if url.is_loopback() { Duration::ZERO } else { Duration::from_mins(1) };
    timeout.max(proxy)
}

impl Ehr {
    /// Gives a request another time limit than the configuration does. A settling time that nobody set follows it.
    pub fn limit(&mut self, timeout: Sourced<Duration>) {
        if self.settle.origin == Origin::Default {
            self.settle.value = default_settle(&self.url.value, timeout.value);
        }
        self.timeout = timeout;
    }

    /// What the client needs: fetches the secret, by running its command if there is one. A token that a file or a
    /// command gives is fetched again when it ends, and so is the key for each login.
    ///
    /// # Errors
    /// `config-secret` if it can't be had or is no key, `config-value` if a server elsewhere would be asked without
    /// credentials; and what is wrong with the files of `tls`.
    pub fn client(
        &self,
        environment: impl Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
        clock: &Clock,
    ) -> Result<client::Config, Error> {
        let authorization = self.auth.authorization(environment, clock)?;
        let config = client::Config::new(self.url.value.clone(), self.timeout.value, authorization)
            .map_err(|error| {
                Error::new("config-value", error.to_string())
                    .at(&self.url.origin)
                    .help("write token = { file = \"…\" }, or user and password, under auth")
            })?;
        let config = self.network.apply(config)?.with_codes(self.codes());
        Ok(match self.rate() {
            Some(rate) => config.with_rate(rate),
            None => config,
        })
    }
}

/// All settings of all sources, by key; the one that counts most.
struct Layers<'a> {
    sources: Sources<'a>,
    settings: BTreeMap<String, Setting>,
    names: BTreeSet<String>,
}

impl Layers<'_> {
    /// Lays the settings of a file under those that are there.
    fn lay(&mut self, read: Vec<(String, Setting)>) -> Result<(), Error> {
        let mut own = BTreeSet::new();
        for (key, setting) in read {
            if let Some(name) = ehr_name(&key) {
                if !is_ehr_name(name) {
                    let text = "the name of an EHR is made of a-z, 0-9 and -, at most 32";
                    return Err(Error::new("config-value", text).at(&setting.origin));
                }
                if self.names.contains(name) {
                    continue;
                }
                own.insert(name.to_owned());
            }
            self.settings.entry(key).or_insert(setting);
        }
        self.names.extend(own);
        Ok(())
    }

    /// Lays the environment over all.
    fn lay_environment(&mut self) {
        for (pattern, kind) in KEYS {
            let names: Vec<Option<&String>> = match pattern.strip_prefix("ehr.*.") {
                Some(_) => self.names.iter().map(Some).collect(),
                None => vec![None],
            };
            let mut found = Vec::new();
            for name in names {
                let key = name.map_or(pattern.to_owned(), |name| pattern.replace('*', name));
                let plain = variable(&key);
                let mut variables = vec![(plain.clone(), None)];
                if pattern == "log.level" {
                    variables.push((LOG_VARIABLE.to_owned(), None));
                }
                if kind == Kind::Secret {
                    variables.extend(
                        secret::SOURCES.map(|way| {
                            (format!("{plain}__{}", way.to_ascii_uppercase()), Some(way))
                        }),
                    );
                }
                found.extend(variables.into_iter().find_map(|(variable, way)| {
                    let text = (self.sources.environment)(&variable)?;
                    let ttl = (self.sources.environment)(&format!("{plain}__TTL"));
                    let given = match way {
                        None => Given::Text(text),
                        Some(way) => Given::From { way, text, ttl },
                    };
                    Some((key.clone(), Setting { given, origin: Origin::Environment(variable) }))
                }));
            }
            self.settings.extend(found);
        }
    }

    /// A value of a key, read by a function whose error says what is expected.
    fn value<T>(
        &self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<Sourced<T>>, Error> {
        let Some(Setting { given, origin }) = self.settings.get(key) else { return Ok(None) };
        let value = match given {
            Given::Text(text) => read(text),
            Given::From { .. } => Err("a text is expected".to_owned()),
        };
        let value =
            value.map_err(|why| Error::new("config-value", format!("{key}: {why}")).at(origin))?;
        Ok(Some(Sourced { value, origin: origin.clone() }))
    }

    fn or_default<T: Default + FromStr<Err: fmt::Display>>(
        &self,
        key: &str,
    ) -> Result<Sourced<T>, Error> {
        let value =
            self.value(key, |text| text.parse().map_err(|error: T::Err| error.to_string()))?;
        Ok(value.unwrap_or_else(|| Sourced::default_value(T::default())))
    }

    fn seconds(&self, key: &str) -> Result<Option<Sourced<Duration>>, Error> {
        self.value(key, |text| {
            let seconds = text.parse().ok().filter(|seconds| *seconds <= 86_400);
            let why = || "seconds are a whole number up to 86400".to_owned();
            seconds.map(Duration::from_secs).ok_or_else(why)
        })
    }

    fn store_path(&self) -> Result<Sourced<PathBuf>, Error> {
        let environment = self.sources.environment;
        if let Some(path) = self.value("store.path", |text| Ok(text.to_owned()))? {
            let value = file::resolve(&path.value, &path.origin, self.sources);
            return Ok(Sourced { value, origin: path.origin });
        }
        let data = file::xdg(environment, "XDG_DATA_HOME", ".local/share").ok_or_else(|| {
            Error::new("config-missing", "no place for the database: HOME is not set")
                .help("set HOME, or store.path in a configuration file")
        })?;
        Ok(Sourced::default_value(data.join("ipt-fhir")))
    }

    fn ehr(&self, name: &str, warnings: &mut Vec<Error>) -> Result<Option<Ehr>, Error> {
        let key = |rest: &str| format!("ehr.{name}.{rest}");
        let url = self.value(&key("url"), |text| {
            text.parse::<client::Base>().map_err(|error| error.to_string())
        })?;
        let Some(url) = url else {
            let prefix = key("");
            let Some((_, other)) = self.settings.iter().find(|(key, _)| key.starts_with(&prefix))
            else {
                return Ok(None);
            };
            let missing = Error::new("config-missing", format!("{} is not set", key("url")));
            return Err(missing.at(&other.origin));
        };
        let timeout = self
            .seconds(&key("timeout_seconds"))?
            .unwrap_or(Sourced::default_value(client::Config::TIMEOUT));
        if timeout.value.is_zero() {
            let text = format!("{}: at least one second", key("timeout_seconds"));
            return Err(Error::new("config-value", text).at(&timeout.origin));
        }
        let settle = self
            .seconds(&key("settle_seconds"))?
            .unwrap_or(Sourced::default_value(default_settle(&url.value, timeout.value)));
        if settle.value.is_zero() && !url.value.is_loopback() {
            let text = format!("{}: 0 is for a server on this machine only", key("settle_seconds"));
            return Err(Error::new("config-value", text).at(&settle.origin));
        }
        let auth = self.auth(name, &url.value, warnings)?;
        Ok(Some(Ehr {
            url,
            timeout,
            settle,
            network: self.network(name)?,
            auth,
            pack: self.value(&key("pack"), pack::named)?,
            overrides: self.or_default(&key("override"))?,
            ladder: self.ladder(name)?,
        }))
    }
}

/// The variable of a key: `IPT_FHIR_EHR__CLINIC__URL`.
fn variable(key: &str) -> String {
    format!("IPT_FHIR_{}", key.replace('.', "__").replace('-', "_").to_ascii_uppercase())
}

/// The name in a key below `ehr`.
fn ehr_name(key: &str) -> Option<&str> {
    key.strip_prefix("ehr.")?.split('.').next()
}

/// Whether a text can be the name of an EHR: it must make a key and a variable, and no two names the same one.
pub fn is_ehr_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The nearest of some words, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= candidate.chars().count().div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out or changed to make one word of another (Levenshtein).
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (other, above) in right.chars().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(letter != other);
            diagonal = *above;
            before = changed.min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{edits, nearest, variable};

    #[test]
    fn words_are_near_by_edits() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("url", "url"), 0);
        let words = ["url", "auth", "timeout_seconds"];
        assert_eq!(nearest("timeout_secnds", words.into_iter()), Some("timeout_seconds"));
        assert_eq!(nearest("ulr", words.into_iter()), None);
        assert_eq!(nearest("uri", words.into_iter()), Some("url"));
        assert_eq!(nearest("password", words.into_iter()), None);
    }

    #[test]
    fn variables_are_spelled_from_keys() {
        assert_eq!(variable("ehr.st-anna.auth.token"), "IPT_FHIR_EHR__ST_ANNA__AUTH__TOKEN");
        assert_eq!(variable("store.path"), "IPT_FHIR_STORE__PATH");
    }
}
