//! Changing a configuration file as a person would: everything else in it stays as it was written.
//!
//! The new text is checked like any other before it replaces the old one, and it does so by a rename: whoever reads
//! meanwhile sees the old file or the new one. A new file is open to its owner only.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{Error, Sources, file, is_ehr_name};
use crate::client::smart::Algorithm;
use crate::client::{Base, Pinned};
use crate::vendor::{Allow, Encounters, Kind, Rung};

/// An EHR to be configured.
#[derive(Debug, Clone)]
pub struct NewEhr {
    /// Its name.
    pub name: String,
    /// The base URL of its FHIR server.
    pub url: Base,
    /// The time limit of one request, unless the default holds.
    pub timeout: Option<Duration>,
    /// The settle time, unless the default holds.
    pub settle: Option<Duration>,
    /// How it is reached.
    pub network: NewNetwork,
    /// How we show who we are.
    pub auth: Option<NewAuth>,
    /// The name of a vendor pack.
    pub pack: Option<String>,
    /// What it may get in the place of structure.
    pub allow: Allow,
    /// Where packages for it go, unless the default holds.
    pub hand_off: Option<PathBuf>,
}

/// How an EHR to be configured is reached; what is not said is not written.
#[derive(Debug, Clone, Default)]
pub struct NewNetwork {
    /// It may be in a private network.
    pub private_network: bool,
    /// Its authorities.
    pub authorities: Option<PathBuf>,
    /// Our certificate, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// How fast it may be asked.
    pub rate: Option<NewRate>,
}

/// How fast an EHR to be configured may be asked.
#[derive(Debug, Clone, Copy)]
pub enum NewRate {
    /// Requests per second.
    PerSecond(u32),
    /// Requests per minute, evenly spread.
    PerMinute(u32),
    /// Requests in each minute of the server's clock.
    PerClockMinute(u32),
}

/// Credentials to be configured: where they are, never they themselves.
#[derive(Debug, Clone)]
pub enum NewAuth {
    /// A bearer token.
    Bearer(NewSecret),
    /// User name and password.
    Basic(String, NewSecret),
    /// A login by SMART Backend Services.
    Smart(NewSmart),
}

/// A SMART login to be configured.
#[derive(Debug, Clone)]
pub struct NewSmart {
    /// The client id.
    pub client_id: String,
    /// Where the key is.
    pub key: NewSecret,
    /// The token URL, pinned by this.
    pub token_url: Pinned,
    /// What to ask for, if anything is to be named.
    pub scope: Option<String>,
    /// The algorithm, for a key file with keys of both kinds.
    pub algorithm: Option<Algorithm>,
}

/// Where a secret is.
#[derive(Debug, Clone)]
pub enum NewSecret {
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
    /// In the output of a command.
    Command(String),
}

/// The file that an edit changes: the one of `--config`, else the one of the working directory if it is there, else
/// the user's.
///
/// # Errors
/// `config-missing` if none of them has a place.
pub fn file_to_edit(sources: Sources<'_>) -> Result<PathBuf, Error> {
    let given = sources.file.map(|path| sources.directory.join(path));
    let local = Some(file::local(sources)).filter(|path| path.is_file());
    given.or(local).or_else(|| file::user(sources)).ok_or_else(|| {
        Error::new("config-missing", "no place for a configuration file: HOME is not set")
            .help("set HOME, or give --config FILE")
    })
}

/// Adds an EHR to a file, which is made if it is not there.
///
/// # Errors
/// `config-exists` if the file has one of that name; `config-value` for a name that can't be one;
/// `config-unreadable` and `config-syntax` for the file.
pub fn add_ehr(path: &Path, ehr: &NewEhr) -> Result<(), Error> {
    if !is_ehr_name(&ehr.name) {
        let text = "the name of an EHR is made of a-z, 0-9 and -, at most 32";
        return Err(Error::new("config-value", text));
    }
    // A link stays a link: what it leads to is what is written.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = if path.exists() { file::text(path)? } else { String::new() };
    file::check(path, &old)?;
    let mut document: DocumentMut =
        old.parse().map_err(|_| Error::new("config-syntax", "not TOML"))?;
    let all = document.entry("ehr").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let all = all
        .as_table_like_mut()
        .ok_or_else(|| Error::new("config-type", "ehr is a table: write [ehr.NAME]"))?;
    if all.contains_key(&ehr.name) {
        let text = format!("{} has an EHR `{}` already", path.display(), ehr.name);
        let help = "edit the file, or choose another name";
        return Err(Error::new("config-exists", text).help(help));
    }
    all.insert(&ehr.name, Item::Table(table(ehr)));
    let new = document.to_string();
    file::check(path, &new)?;
    write_private(path, &new)
}

fn table(ehr: &NewEhr) -> Table {
    let mut table = Table::new();
    table.insert("url", value(ehr.url.to_string()));
    if let Some(pack) = &ehr.pack {
        table.insert("pack", value(pack));
    }
    let allow = &ehr.allow;
    let rungs: Vec<&str> = allow.rungs.iter().rev().copied().map(Rung::code).collect();
    let kinds: Vec<&str> = allow.opt_in.iter().copied().map(Kind::code).collect();
    for (name, words) in [("allow", rungs), ("opt_in", kinds)] {
        if !words.is_empty() {
            table.insert(name, value(words.into_iter().collect::<Array>()));
        }
    }
    if let Some(encounters) = allow.encounters.map(Encounters::code) {
        table.insert("encounter", value(encounters));
    }
    if let Some(directory) = &ehr.hand_off {
        table.insert("hand_off", value(directory.display().to_string()));
    }
    let mut seconds = |name: &str, duration: Option<Duration>| {
        if let Some(seconds) = duration.and_then(|duration| i64::try_from(duration.as_secs()).ok())
        {
            table.insert(name, value(seconds));
        }
    };
    seconds("timeout_seconds", ehr.timeout);
    seconds("settle_seconds", ehr.settle);
    if ehr.network.private_network {
        table.insert("private_network", value(true));
    }
    for (name, keys) in [("tls", tls(&ehr.network)), ("rate", rate(ehr.network.rate))] {
        if !keys.is_empty() {
            table.insert(name, Item::Table(keys));
        }
    }
    if let Some(auth) = &ehr.auth {
        let mut keys = Table::new();
        match auth {
            NewAuth::Bearer(token) => {
                keys.insert("token", secret(token));
            }
            NewAuth::Basic(user, password) => {
                keys.insert("user", value(user));
                keys.insert("password", secret(password));
            }
            NewAuth::Smart(smart) => {
                keys.insert("client_id", value(&smart.client_id));
                keys.insert("key", secret(&smart.key));
                keys.insert("token_url", value(smart.token_url.as_str()));
                if let Some(scope) = &smart.scope {
                    keys.insert("scope", value(scope));
                }
                if let Some(algorithm) = smart.algorithm {
                    keys.insert("algorithm", value(algorithm.code()));
                }
            }
        }
        table.insert("auth", Item::Table(keys));
    }
    table
}

fn tls(network: &NewNetwork) -> Table {
    let mut keys = Table::new();
    let (certificate, key) = network.identity.as_ref().map(|(one, other)| (one, other)).unzip();
    let files = [("ca", network.authorities.as_ref()), ("certificate", certificate), ("key", key)];
    for (name, path) in files {
        if let Some(path) = path {
            keys.insert(name, value(path.display().to_string()));
        }
    }
    keys
}

fn rate(rate: Option<NewRate>) -> Table {
    let mut keys = Table::new();
    let mut number = |name: &str, requests: u32| keys.insert(name, value(i64::from(requests)));
    match rate {
        None => {}
        Some(NewRate::PerSecond(requests)) => {
            number("per_second", requests);
        }
        Some(NewRate::PerMinute(requests)) => {
            number("per_minute", requests);
        }
        Some(NewRate::PerClockMinute(requests)) => {
            number("per_minute", requests);
            keys.insert("aligned_to_minute", value(true));
        }
    }
    keys
}

fn secret(secret: &NewSecret) -> Item {
    let (way, text) = match secret {
        NewSecret::File(path) => ("file", path.display().to_string()),
        NewSecret::Environment(name) => ("env", name.clone()),
        NewSecret::Command(command) => ("command", command.clone()),
    };
    let mut table = InlineTable::new();
    table.insert(way, Value::from(text));
    value(table)
}

/// Writes a file that only its owner can open, whole: who reads meanwhile sees the old one or the new one.
///
/// # Errors
/// `config-unwritable`.
pub fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    replace(path, text).map_err(|error| {
        Error::new("config-unwritable", format!("{}: {}", path.display(), error.kind()))
    })
}

/// Replaces a file whole.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    private_directories(directory)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = directory.join(name);
    let _ = fs::remove_file(&new);
    let mut file = private_file().open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(unix)]
fn private_file() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_file() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    options
}

fn private_directories(directory: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}
