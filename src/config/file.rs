//! Configuration files: which ones there are, and their settings with line and column.
//!
//! What is shown of a file is cut before any value and emptied between quotes.

use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, TableLike, Value};

use super::{Error, KEYS, Origin, Sources, nearest, secret};

/// More than any configuration holds.
const LONGEST: u64 = 1 << 20;

/// What kind of value a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    /// `true` or `false`.
    Flag,
    /// A text, or a table that says where the secret is.
    Secret,
    /// A list of texts: `["form", "document"]`, as a text `form,document`.
    List,
    /// A table of lists of texts: `{ Goal = ["create"] }`, as a text `Goal=create`.
    Lists,
}

/// A value as a source gave it. It may be a secret, so it has no `Debug`.
pub(super) struct Setting {
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// The value itself, or where a secret is to be had.
pub(super) enum Given {
    Text(String),
    From {
        /// `file`, `env` or `command`.
        way: &'static str,
        text: String,
        /// For how long what comes from there is good.
        ttl: Option<String>,
    },
}

/// A place in a file, with what may be shown of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted in characters from 1.
    pub column: usize,
    /// The line up to the key, without what stands between quotes.
    pub excerpt: String,
    /// How many characters at the end of the excerpt are meant.
    pub width: usize,
}

/// The files to read, the one that counts most first.
pub(super) fn candidates(sources: Sources<'_>) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    if let Some(path) = sources.file {
        let path = sources.directory.join(path);
        if !path.is_file() {
            let text = format!("{} is no file", path.display());
            return Err(
                Error::new("config-unreadable", text).help("make it first; it may be empty")
            );
        }
        files.push(path);
    }
    let others = [Some(local(sources)), user(sources)];
    files.extend(others.into_iter().flatten().filter(|path| path.is_file()));
    Ok(files)
}

/// The file of the working directory.
pub(super) fn local(sources: Sources<'_>) -> PathBuf {
    sources.directory.join("ipt-fhir.toml")
}

/// The file of the user.
pub(super) fn user(sources: Sources<'_>) -> Option<PathBuf> {
    xdg(sources.environment, "XDG_CONFIG_HOME", ".config")
        .map(|directory| directory.join("ipt-fhir").join("config.toml"))
}

/// A base directory of the XDG specification; a relative one is ignored, as that says.
pub(super) fn xdg(
    environment: &dyn Fn(&str) -> Option<String>,
    variable: &str,
    below_home: &str,
) -> Option<PathBuf> {
    let absolute = |path: String| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    environment(variable)
        .and_then(absolute)
        .or_else(|| environment("HOME").and_then(absolute).map(|home| home.join(below_home)))
}

/// A path as a source means it: `~/` is the home, a relative one starts from the file that holds it.
pub(super) fn resolve(text: &str, origin: &Origin, sources: Sources<'_>) -> PathBuf {
    if let Some(rest) = text.strip_prefix("~/")
        && let Some(home) = (sources.environment)("HOME")
    {
        return Path::new(&home).join(rest);
    }
    match origin {
        Origin::File(place) => place.file.parent().unwrap_or(sources.directory).join(text),
        _ => sources.directory.join(text),
    }
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, Error> {
    let unreadable =
        |why: &str| Error::new("config-unreadable", format!("{}: {why}", path.display()));
    let file = fs::File::open(path).map_err(|error| unreadable(&error.kind().to_string()))?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error.kind().to_string()))?;
    if bytes.len() as u64 > LONGEST {
        return Err(unreadable("larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("not UTF-8 text"))
}

/// The settings of a file.
pub(super) fn read(path: &Path) -> Result<Vec<(String, Setting)>, Error> {
    let text = text(path)?;
    let file = File { path, text: &text };
    let document = file.parse()?;
    let mut settings = Vec::new();
    file.walk(document.as_table(), "", "", &mut settings)?;
    Ok(settings)
}

/// Checks that a text, made by an edit, is a configuration file.
pub(super) fn check(path: &Path, text: &str) -> Result<(), Error> {
    let file = File { path, text };
    file.walk(file.parse()?.as_table(), "", "", &mut Vec::new())
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn parse(&self) -> Result<Document<&str>, Error> {
        Document::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line_start = self.text.get(..at).and_then(|text| text.rfind('\n'));
            let line_start = line_start.map_or(0, |feed| feed + 1);
            let line = self.text.get(line_start..).and_then(|text| text.lines().next());
            // Shown is a table's name or a key; what follows it, or stands alone, may be a secret.
            let shown = match line.unwrap_or_default() {
                line if line.trim_start().starts_with('[') => at,
                line => line.find('=').map_or(line_start, |equals| at.min(line_start + equals)),
            };
            let mut place = self.place(&(shown..shown));
            place.column = self.column(at);
            let why = error.message().lines().next().unwrap_or_default();
            Error::new("config-syntax", format!("not TOML: {why}")).at(&Origin::File(place))
        })
    }

    /// Walks a table; `pattern` is its key as [`KEYS`] writes it.
    fn walk(
        &self,
        table: &dyn TableLike,
        pattern: &str,
        key: &str,
        settings: &mut Vec<(String, Setting)>,
    ) -> Result<(), Error> {
        for (name, item) in table.iter() {
            let span = table.get_key_value(name).and_then(|(key, _)| key.span());
            let origin = Origin::File(self.place(&span.unwrap_or_default()));
            let below = |parent: &str, name: &str| match parent {
                "" => name.to_owned(),
                parent => format!("{parent}.{name}"),
            };
            let key = below(key, name);
            let pattern = below(pattern, if pattern == "ehr" { "*" } else { name });
            let known = KEYS.iter().find(|(known, _)| *known == pattern);
            let inside = KEYS.iter().any(|(known, _)| {
                known.strip_prefix(&pattern).is_some_and(|rest| rest.starts_with('.'))
            });
            match (known, item.as_table_like()) {
                (Some((_, kind)), _) => {
                    let given = given(*kind, item, &key, &origin)?;
                    settings.push((key, Setting { given, origin }));
                }
                (None, Some(table)) if inside => self.walk(table, &pattern, &key, settings)?,
                (None, _) if inside => {
                    let text = format!("{key} is a table: write [{key}]");
                    return Err(Error::new("config-type", text).at(&origin));
                }
                (None, _) => return Err(unknown(&key, &pattern).at(&origin)),
            }
        }
        Ok(())
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let visible = hide_quoted(before.get(line_start..).unwrap_or_default());
        let meant = self.text.get(span.clone()).unwrap_or_default().trim_end();
        Place {
            file: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: self.column(span.start),
            excerpt: format!("{visible}{meant}"),
            width: meant.chars().count().max(1),
        }
    }

    fn column(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().chars().count() + 1
    }
}

/// The value of a known key.
fn given(kind: Kind, item: &Item, key: &str, origin: &Origin) -> Result<Given, Error> {
    let expected = match (kind, item.as_value()) {
        (Kind::Text | Kind::Secret, Some(Value::String(text))) => {
            return Ok(Given::Text(text.value().clone()));
        }
        (Kind::Whole, Some(Value::Integer(number))) => {
            return Ok(Given::Text(number.value().to_string()));
        }
        (Kind::Flag, Some(Value::Boolean(flag))) => {
            return Ok(Given::Text(flag.value().to_string()));
        }
        (Kind::Secret, _) => {
            let table = item.as_table_like();
            let text = |name: &str| Some(table?.get(name)?.as_str()?.to_owned());
            let ttl = text("ttl");
            let one = table.filter(|table| table.len() == 1 + usize::from(ttl.is_some()));
            let found = secret::SOURCES.into_iter().find_map(|way| {
                one?;
                Some(Given::From { way, text: text(way)?, ttl: ttl.clone() })
            });
            match found {
                Some(given) => return Ok(given),
                None => "{ file = \"…\" }, { env = \"…\" } or { command = \"…\" }",
            }
        }
        (Kind::List, _) => match list(item) {
            Some(text) => return Ok(Given::Text(text)),
            None => "a list of words: [\"…\", \"…\"]",
        },
        (Kind::Lists, _) => match lists(item) {
            Some(text) => return Ok(Given::Text(text)),
            None => "a table of lists of words: { Goal = [\"create\"] }",
        },
        (Kind::Text, _) => "a text in quotes",
        (Kind::Whole, _) => "a whole number",
        (Kind::Flag, _) => "true or false",
    };
    Err(Error::new("config-type", format!("{key} is {expected}")).at(origin))
}

/// A list as a text: `form,document`.
fn list(item: &Item) -> Option<String> {
    let words = item.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
    let plain = |word: &&str| !word.trim().is_empty() && !word.contains(',');
    words.iter().all(plain).then(|| words.join(","))
}

/// A table of lists as a text: `Goal=create,-update;Task=create`.
fn lists(item: &Item) -> Option<String> {
    let plain = |word: &str| !word.contains([';', '=', ',']);
    let mut parts = Vec::new();
    for (name, list) in item.as_table_like().filter(|table| !table.is_empty())?.iter() {
        let words = list.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
        if !plain(name) || words.is_empty() || !words.iter().all(|word| plain(word)) {
            return None;
        }
        parts.push(format!("{name}={}", words.join(",")));
    }
    Some(parts.join(";"))
}

fn unknown(key: &str, pattern: &str) -> Error {
    let (parent, name) = pattern.rsplit_once('.').unwrap_or(("", pattern));
    let mut siblings: Vec<&str> = KEYS
        .iter()
        .filter_map(|(known, _)| match parent {
            "" => known.split('.').next(),
            parent => known.strip_prefix(parent)?.strip_prefix('.')?.split('.').next(),
        })
        .collect();
    siblings.dedup();
    let help = match (nearest(name, siblings.iter().copied()), siblings.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("nothing goes below {}", parent.replace('*', "NAME")),
        (None, names) => format!("there are: {}", names.join(", ")),
    };
    Error::new("config-unknown-key", format!("unknown key {key}")).help(help)
}

/// A part of a line without what stands between quotes.
fn hide_quoted(text: &str) -> String {
    let mut shown = String::new();
    let mut quote = None;
    for letter in text.chars() {
        match quote {
            None => {
                shown.push(letter);
                if matches!(letter, '"' | '\'') {
                    quote = Some(letter);
                }
            }
            Some(open) if open == letter => {
                shown.push('…');
                shown.push(letter);
                quote = None;
            }
            Some(_) => {}
        }
    }
    shown
}
