//! Logs: to stderr, for people or as JSON, and at every level free of what may identify a person.
//!
//! Our own events name interactions, resource types, statuses and durations; that is a rule for whoever writes one.
//! An event of another crate passes only if its target is on a short list (`ALLOWED`): not because they are careless,
//! but because their words are not ours to promise. What the versions in use print, read in their sources:
//!
//! | crate, at trace | prints | so |
//! |---|---|---|
//! | reqwest | scheme and host of a new connection; every byte, if `connection_verbose` is set (it is not) | host, at debug |
//! | hyper, hyper-util | addresses; methods, sizes, states; names of broken headers; a URI in one error path | addresses |
//! | h2 | frames: ids and flags, but also the text of a GOAWAY, which is the server's own | nothing |
//! | rustls | handshakes whole: names, session tickets, certificates | nothing |
//! | sqlx | statements, never bound values; `sqlx::explain` writes plans to disk or log | slow statements, at warn |
//! | axum | at `axum::rejection` the reason of a rejection, with the path or body value that caused it | nothing |
//! | tokio, mio | addresses of tasks and sockets | nothing |
//!
//! A level is therefore a level of ours; there is no directive language with which a support call could open the
//! rest. [`quiet_panics`] holds the same line for panics, whose texts quote values.

use std::fmt;
use std::io;
use std::panic::PanicHookInfo;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// What passes of other crates, and up to which level.
const ALLOWED: [(&str, LevelFilter); 3] = [
    ("hyper_util::client::legacy::connect", LevelFilter::TRACE),
    ("reqwest::connect", LevelFilter::DEBUG),
    ("sqlx::query", LevelFilter::WARN),
];

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// And what may be wrong.
    #[default]
    Warn,
    /// And what was done.
    Info,
    /// And each request.
    Debug,
    /// And everything that is safe.
    Trace,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines for a person.
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
}

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "off" => Self::Off,
            "error" => Self::Error,
            "warn" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => return Err("a level is off, error, warn, info, debug or trace"),
        })
    }
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("a format is text or json"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

/// Starts logging to stderr. The first call in a process counts.
pub fn start(level: Level, format: Format, color: bool) {
    // An error says that a test or a host program logs already: then its choice stands.
    let _ = Registry::default().with(layer(level, format, color, io::stderr)).try_init();
}

/// The layer that [`start`] installs, for any writer.
fn layer<W>(
    level: Level,
    format: Format,
    color: bool,
    writer: W,
) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let level = LevelFilter::from(level);
    let allowed = ALLOWED.map(|(target, most)| (target, most.min(level)));
    let targets = Targets::new().with_target("ipt_fhir", level).with_targets(allowed);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(color);
    match format {
        Format::Text => lines.with_filter(targets).boxed(),
        Format::Json => lines.json().flatten_event(true).with_filter(targets).boxed(),
    }
}

/// Makes panics say where and not what: the text of a panic quotes the values that it fell over.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
    let _ = io::Write::write_all(
        &mut io::stderr(),
        format!("error: internal error{}; please report it\n", place.unwrap_or_default())
            .as_bytes(),
    );
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: Level, format: Format, log: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let subscriber =
            Registry::default().with(layer(level, format, false, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, log);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn of_other_crates_only_the_allowed_targets_pass() {
        let text = logged(Level::Trace, Format::Text, || {
            tracing::trace!(target: "ipt_fhir::client", "ours");
            tracing::error!(target: "hyper::proto::h1", "canary");
            tracing::error!(target: "h2::codec", "canary");
            tracing::error!(target: "axum::rejection", "canary");
            tracing::error!(target: "rustls::client", "canary");
            tracing::debug!(target: "sqlx::query", "canary");
            tracing::trace!(target: "reqwest::connect::verbose", "canary");
            tracing::trace!(target: "hyper_util::client::legacy::connect::http", "connecting");
            tracing::warn!(target: "sqlx::query", "slow");
        });
        assert!(!text.contains("canary"), "{text}");
        for word in ["ours", "connecting", "slow"] {
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn the_level_holds_for_all() {
        let log = || {
            tracing::info!(target: "ipt_fhir::sync", "done");
            tracing::warn!(target: "ipt_fhir::sync", "odd");
            tracing::warn!(target: "sqlx::query", "slow");
        };
        assert!(!logged(Level::Warn, Format::Text, log).contains("done"));
        assert_eq!(logged(Level::Error, Format::Text, log), "");
        assert_eq!(logged(Level::Off, Format::Text, log), "");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged(Level::Info, Format::Json, || {
            tracing::info!(target: "ipt_fhir::client", { http.status = 200 }, "answered");
        });
        let value = crate::json::parse(text.as_bytes()).unwrap();
        assert_eq!(value.text("message"), Some("answered"));
        assert_eq!(value.get("http.status").and_then(crate::json::Value::as_u64), Some(200));
    }
}
