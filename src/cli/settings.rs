//! What the arguments mean: flags laid over the configuration, and the choices that follow from a terminal.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anstream::ColorChoice;

use super::args::{Color, Global, PolicyFlags, PolicyName, Progress};
use super::clock;
use super::exit::Exit;
use super::failure::Failure;
use crate::client;
use crate::config::{Config, Ehr, Origin, Sourced, Sources};
use crate::date::Clock;
use crate::mapping::{self, Policy, Psychotherapy};
use crate::telemetry::Level;

/// Everything that a command may need to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) directory: PathBuf,
    pub(crate) yes: bool,
    pub(crate) progress: Progress,
    pub(crate) quiet: bool,
    flags: Global,
}

/// A variable of the environment. This is the one place that asks for it.
#[expect(clippy::disallowed_methods, reason = "the program's own environment enters here")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Settings {
    /// Reads the configuration and lays the flags over it.
    pub(crate) fn resolve(flags: Global) -> Result<Self, Failure> {
        let directory = std::env::current_dir().map_err(|error| {
            Failure::new(
                Exit::Failed,
                "directory",
                format!("no working directory: {}", error.kind()),
            )
        })?;
        let mut settings = Self {
            config: Config::load(sources(&flags, &directory))?,
            directory,
            yes: flags.yes,
            progress: flags.progress,
            quiet: flags.quiet,
            flags,
        };
        let level = match (settings.flags.quiet, settings.flags.verbose) {
            (true, _) => Some(("--quiet", Level::Error)),
            (_, 0) => None,
            (_, 1) => Some(("-v", Level::Info)),
            (_, 2) => Some(("-vv", Level::Debug)),
            (..) => Some(("-vvv", Level::Trace)),
        };
        if let Some((flag, value)) = level {
            settings.config.log.level = Sourced { value, origin: Origin::Flag(flag) };
        }
        if let Some(seconds) = settings.flags.timeout {
            for ehr in settings.config.ehrs.values_mut() {
                let value = Duration::from_secs(seconds);
                ehr.limit(Sourced { value, origin: Origin::Flag("--timeout") });
            }
        }
        Ok(settings)
    }

    /// The time limit that was given by `--timeout`.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.flags.timeout.map(Duration::from_secs)
    }

    /// Whether somebody asked for more than the usual.
    pub(crate) const fn is_verbose(&self) -> bool {
        self.flags.verbose > 0
    }

    /// Where an EHR is configured, for whoever is to write a line there: `[ehr.NAME]` and the file.
    pub(crate) fn place_of(&self, name: &str) -> String {
        match self.config.ehrs.get(name).map(|ehr| &ehr.url.origin) {
            Some(Origin::File(place)) => format!("[ehr.{name}] of {}", place.file.display()),
            _ => format!("[ehr.{name}]"),
        }
    }

    /// Where the configuration came from.
    pub(crate) fn sources(&self) -> Sources<'_> {
        sources(&self.flags, &self.directory)
    }

    /// The EHR that is named, by an argument or by `--ehr`; for a command that can do without.
    pub(crate) fn ehr_if_named<'a>(
        &'a self,
        named: Option<&'a str>,
    ) -> Result<Option<(&'a str, &'a Ehr)>, Failure> {
        let named = named.or(self.flags.ehr.as_deref());
        named.map(|name| Ok((name, self.config.ehr(name)?))).transpose()
    }

    /// The EHR that is meant: the one named, else that of `--ehr`, else the only one there is.
    pub(crate) fn ehr<'a>(&'a self, named: Option<&'a str>) -> Result<(&'a str, &'a Ehr), Failure> {
        let mut names = self.config.ehrs.keys().map(String::as_str);
        let only = names.next().filter(|_| self.config.ehrs.len() == 1);
        let name = named.or(self.flags.ehr.as_deref()).or(only).ok_or_else(|| {
            let failure = Failure::new(Exit::Usage, "ehr-unnamed", "which EHR is not said");
            match self.config.ehrs.len() {
                0 => failure.help("`ehr add NAME URL` configures one"),
                _ => failure.help("name it, or give --ehr NAME; `ehr list` shows all"),
            }
        })?;
        Ok((name, self.config.ehr(name)?))
    }
}

/// A client for an EHR: fetches its secret.
pub(crate) fn client(ehr: &Ehr) -> Result<client::Client, Failure> {
    Ok(client::Client::new(&ehr.client(environment, &Clock::new(clock::now))?)?)
}

fn sources<'a>(flags: &'a Global, directory: &'a std::path::Path) -> Sources<'a> {
    Sources {
        file: flags.config.as_deref(),
        ehr: flags.ehr.as_deref(),
        environment: &environment,
        directory,
    }
}

/// Sets when to color, for both streams. `auto` is anstream's: NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM.
pub(crate) fn set_color(color: Color) {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Whether stderr shows colors.
pub(crate) fn stderr_is_colored() -> bool {
    !matches!(anstream::AutoStream::choice(&std::io::stderr()), ColorChoice::Never)
}

/// Whether a person can be asked.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

impl PolicyFlags {
    /// How records are mapped under these flags.
    pub(crate) fn options(&self, settings: &Settings) -> mapping::Options {
        let policy = match self.policy {
            PolicyName::Minimum => Policy::minimum(),
            PolicyName::Full => Policy::full(),
        };
        mapping::Options {
            policy: self.grant.iter().fold(policy, |policy, section| policy.grant(*section)),
            namespace: settings.config.namespace.as_ref().map(|namespace| namespace.value),
            part_2_program: settings.config.part_2_program.value,
            psychotherapy: settings
                .config
                .psychotherapy_code
                .as_ref()
                .map_or_else(Psychotherapy::default, |code| Psychotherapy::of(&code.value)),
        }
    }
}
