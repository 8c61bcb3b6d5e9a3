//! HL7's validator suite as `cases.json` has it: a run each, with its options and what the reference reports.

use super::{Issue, Outcome};
use crate::fhir::Release;
use crate::json::{self, Limits, Value};
use crate::validate::detect::is_named;
use crate::validate::options::{Options, ReferencePolicy, UnknownExtensions};

/// A run of the suite.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name; some are there for several runs and releases.
    pub name: String,
    /// `base`, or `profile`: against a profile beyond the base.
    pub run: String,
    /// The release.
    pub release: Release,
    /// What part of the validator it is about.
    pub module: String,
    /// The document.
    pub file: String,
    /// Files to load beside, before it.
    pub supporting: Vec<String>,
    /// The profile to validate against: a file, or a canonical URL.
    pub profile: Option<String>,
    /// What differs from the usual.
    pub options: CaseOptions,
    /// The errors that the reference reports when it has a terminology server.
    pub expected: Vec<Issue>,
    /// What the reference does without one.
    pub offline: String,
}

/// What a run asks for beyond the usual. `fetcher`, `crumb-trail` and `no-tx` say nothing to us.
#[derive(Debug, Clone, Default)]
pub struct CaseOptions {
    /// Further files with profiles and the like.
    pub profiles: Vec<String>,
    /// Packages to load first: `.tgz` files of the suite, or `id#version`, which can't be had offline.
    pub packages: Vec<String>,
    /// What the validator itself is told; without profiles.
    pub options: Options,
    /// Whether the document is to be published (`for-publication`).
    pub for_publication: bool,
    /// Whether a version that is not there may be another (`default-version`).
    pub default_version: bool,
    /// The languages of displays.
    pub language: Option<String>,
}

fn strings(value: &Value, name: &str) -> Vec<String> {
    match value.get(name) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

impl CaseOptions {
    fn of_json(value: &Value) -> Self {
        let text = |name: &str| value.text(name).map(str::to_owned);
        let is = |name: &str| match value.get(name) {
            Some(Value::Bool(on)) => Some(*on),
            Some(Value::String(text)) => Some(text != "false"),
            _ => None,
        };
        let on = |name: &str| is(name).unwrap_or(false);
        let domains = ["allowed-extension-domain", "allowed-extension-domains"];
        let options = Options {
            references: value
                .text("validateReference")
                .and_then(ReferencePolicy::of)
                .unwrap_or(ReferencePolicy::Ignore),
            allowed_extension_domains: domains.map(|name| strings(value, name)).concat(),
            best_practice: value
                .text("best-practice")
                .is_some_and(|level| !level.eq_ignore_ascii_case("ignore")),
            forbid_examples: is("examples") == Some(false),
            wrong_displays_are_warnings: value.text("wrong-displays") == Some("warning"),
            security_checks: on("security-checks"),
            forbid_html_in_markdown: on("noHtmlInMarkdown"),
            ignore_contained: value.text("validateContains") == Some("IGNORE"),
            aggregation_outside_bundles: on("enforceAggregationOutsideBundles"),
            relative_references: value
                .text("r5-bundle-relative-reference-policy")
                .map(|policy| policy == "always"),
            ..usual()
        };
        Self {
            profiles: strings(value, "profiles"),
            packages: strings(value, "packages"),
            options,
            for_publication: on("for-publication"),
            default_version: on("default-version"),
            language: text("language"),
        }
    }
}

/// How a document is validated unless a run says otherwise: references are not followed, unknown extensions are errors.
pub fn usual() -> Options {
    Options {
        references: ReferencePolicy::Ignore,
        unknown_extensions: UnknownExtensions::Error,
        ..Options::default()
    }
}

impl Case {
    fn of_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value.text(name).map(str::to_owned);
        let none = Value::Null;
        Some(Self {
            name: text("name")?,
            run: text("run").unwrap_or_else(|| "base".to_owned()),
            release: match value.text("release")? {
                release if release.eq_ignore_ascii_case("R4") => Release::R4,
                release if release.eq_ignore_ascii_case("R4B") => Release::R4B,
                // A version that the manifest lacks means R5.
                _ => Release::R5,
            },
            module: text("module").unwrap_or_default(),
            file: text("file")?,
            supporting: strings(value, "supporting"),
            profile: text("profile"),
            options: CaseOptions::of_json(value.get("options").unwrap_or(&none)),
            expected: value.items("errors").map(Issue::of_json).collect(),
            offline: text("offline").unwrap_or_default(),
        })
    }

    /// The format of its document, by the name of its file.
    pub fn format(&self) -> &'static str {
        if is_named(&self.file, "xml") { "XML" } else { "JSON" }
    }

    /// What makes it one of all: name, run and release.
    pub fn key(&self) -> String {
        format!("{}|{}|{}", self.name, self.run, self.release)
    }

    /// What it came to.
    pub fn outcome(&self, ours: Result<Vec<Issue>, String>) -> Outcome {
        let (release, format) = (self.release.to_string(), self.format());
        Outcome {
            name: self.key(),
            groups: vec![
                ("release", release.clone()),
                ("format", format!("{release} {format}")),
                ("module", self.module.clone()),
                ("release and module", format!("{release} {}", self.module)),
                ("run", self.run.clone()),
                ("offline", self.offline.clone()),
            ],
            expected: self.expected.clone(),
            ours,
            offline: self.offline.clone(),
        }
    }
}

/// The runs of a `cases.json`.
///
/// # Errors
/// What is not JSON, with its place; and a run without name, release or file.
pub fn cases(bytes: &[u8]) -> Result<Vec<Case>, String> {
    let value = json::parse_with(bytes, Limits::BUNDLE).map_err(|error| error.to_string())?;
    let Some(items) = value.as_array() else { return Err("not a list of runs".to_owned()) };
    let read = |(number, item): (usize, &Value)| {
        Case::of_json(item).ok_or_else(|| format!("run {number} lacks its name, release or file"))
    };
    items.iter().enumerate().map(read).collect()
}
