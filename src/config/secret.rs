//! Secrets: not in the configuration, but where it says: a file, a variable, or the output of a command.
//!
//! A secret in a file that others can read is an error; one that stands in the configuration itself is a warning,
//! and an error if others can read that. It is fetched when it is needed, held in a
//! [`SecretString`], and printed by nothing.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::file::{self, Given, Setting};
use super::{Error, Origin, Sources};
use crate::client::{Source, Unavailable};

/// Where a secret may be, as the configuration names it.
pub(super) const SOURCES: [&str; 3] = ["file", "env", "command"];

/// More than any token is long.
const LONGEST: u64 = 64 << 10;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST_TTL: Duration = Duration::from_hours(7 * 24);

/// Where a secret is to be had.
#[derive(Clone)]
pub struct Secret {
    key: String,
    origin: Origin,
    way: Way,
    ttl: Option<Duration>,
}

#[derive(Clone)]
enum Way {
    Inline(SecretString),
    File(PathBuf),
    Environment(String),
    Command(String),
}

/// Reads a setting as a secret.
pub(super) fn read(
    key: &str,
    setting: &Setting,
    sources: Sources<'_>,
    warnings: &mut Vec<Error>,
) -> Result<Secret, Error> {
    let origin = &setting.origin;
    let way = match &setting.given {
        Given::Text(text) => {
            if let Origin::File(place) = origin {
                private(&place.file, origin)?;
                let text = format!("{key} stands in the configuration itself");
                let help = "write { file = \"…\" }, { env = \"…\" } or { command = \"…\" }";
                warnings.push(Error::new("config-inline-secret", text).at(origin).help(help));
            }
            Way::Inline(SecretString::from(text.clone()))
        }
        Given::From { way: "file", text: path, .. } => {
            Way::File(file::resolve(path, origin, sources))
        }
        Given::From { way: "env", text: name, .. } => Way::Environment(name.clone()),
        Given::From { text: command, .. } => Way::Command(command.clone()),
    };
    let mut secret = Secret { key: key.to_owned(), origin: origin.clone(), way, ttl: None };
    if let Given::From { ttl: Some(ttl), .. } = &setting.given {
        if !matches!(secret.way, Way::Command(_)) {
            return Err(secret.fault("ttl goes with the command of a token"));
        }
        let good = ttl.parse::<SignedDuration>().ok().and_then(|ttl| Duration::try_from(ttl).ok());
        let good = good.filter(|ttl| (SHORTEST..=LONGEST_TTL).contains(ttl));
        secret.ttl = Some(good.ok_or_else(|| {
            secret.fault("ttl is a time such as \"50m\" or \"1h\", from a second to a week")
        })?);
    }
    Ok(secret)
}

impl Secret {
    /// Where it is, for a list: `file`, `env`, `command` or `inline`.
    pub const fn source(&self) -> &'static str {
        match self.way {
            Way::Inline(_) => "inline",
            Way::File(_) => "file",
            Way::Environment(_) => "env",
            Way::Command(_) => "command",
        }
    }

    /// A secret in a file that the configuration does not name.
    pub const fn in_file(path: PathBuf) -> Self {
        Self { key: String::new(), origin: Origin::Default, way: Way::File(path), ttl: None }
    }

    /// How long it is good for from when it was fetched, if the configuration says.
    pub const fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// The file that it is in, if it is in one.
    pub fn file(&self) -> Option<&Path> {
        match &self.way {
            Way::File(path) => Some(path),
            _ => None,
        }
    }

    /// Whether fetching it again may give another one.
    pub(super) const fn can_change(&self) -> bool {
        matches!(self.way, Way::File(_) | Way::Command(_))
    }

    /// What is wrong with it, at its place.
    pub(super) fn fault(&self, why: &str) -> Error {
        let text =
            if self.key.is_empty() { why.to_owned() } else { format!("{}: {why}", self.key) };
        Error::new("config-secret", text).at(&self.origin)
    }

    /// It as a client fetches it again and again; the first time what was fetched already.
    pub(super) fn source_beginning_with(
        &self,
        first: SecretString,
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Source {
        let (secret, first) = (self.clone(), Mutex::new(Some(first)));
        Source::new(move || {
            let known = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            known.map_or_else(|| secret.fetch(&environment).map_err(|error| told(&error)), Ok)
        })
    }

    /// All of it, all lines, as a client fetches it for each login.
    pub(super) fn whole_source(
        &self,
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Source {
        let secret = self.clone();
        Source::new(move || secret.fetch_whole(&environment).map_err(|error| told(&error)))
    }

    /// Fetches it: the first line, without white space at its end.
    ///
    /// # Errors
    /// `config-secret` if it can't be had or is empty, `config-permissions` if others can read its file.
    pub fn fetch(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretString, Error> {
        let whole = self.fetch_whole(environment)?;
        match whole.expose_secret().lines().next().map(str::trim_end) {
            Some(line) if !line.is_empty() => Ok(SecretString::from(line)),
            _ => Err(self.fault("it is empty")),
        }
    }

    /// Fetches all of it: a key has many lines.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub fn fetch_whole(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretString, Error> {
        let fail = |why: &str| self.fault(why);
        let text = match &self.way {
            Way::Inline(secret) => return Ok(secret.clone()),
            Way::File(path) => {
                private(path, &self.origin)?;
                let mut text = String::new();
                fs::File::open(path)
                    .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
                    .map_err(|error| fail(&format!("{}: {}", path.display(), error.kind())))?;
                text
            }
            Way::Environment(name) => {
                environment(name).ok_or_else(|| fail(&format!("the variable {name} is not set")))?
            }
            Way::Command(command) => {
                // Its stderr stays ours: that is where a password store asks for its PIN.
                let output = Command::new("sh")
                    .arg("-c")
                    .arg(command)
                    .stderr(Stdio::inherit())
                    .output()
                    .map_err(|error| fail(&format!("the command did not run: {}", error.kind())))?;
                if !output.status.success() {
                    return Err(fail("the command failed"));
                }
                String::from_utf8(output.stdout)
                    .map_err(|_| fail("the command's output is no text"))?
            }
        };
        if text.trim().is_empty() {
            return Err(fail("it is empty"));
        }
        Ok(SecretString::from(text))
    }
}

/// Tells why a secret can't be had while the program runs; who asked for it gets to know only that.
fn told(error: &Error) -> Unavailable {
    tracing::warn!("{error}");
    Unavailable
}

/// Refuses a file that others than its owner can read or write.
pub(super) fn private(path: &Path, origin: &Origin) -> Result<(), Error> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if is_private(&metadata) {
        return Ok(());
    }
    let text = format!("{} holds a secret and is open to others", path.display());
    let help = format!("chmod 600 {}", path.display());
    Err(Error::new("config-permissions", text).at(origin).help(help))
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode().trailing_zeros() >= 6
}

#[cfg(not(unix))]
const fn is_private(_: &fs::Metadata) -> bool {
    true
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({})", self.source())
    }
}
