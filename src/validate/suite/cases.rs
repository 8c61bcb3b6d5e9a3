//! HL7's validator suite as `cases.json` has it: a run each, with its options and what the reference reports.

use super::{Issue, Outcome};
use crate::fhir::Release;
use crate::json::{self, Limits, Value};

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

/// How references are followed, by the names that the reference engine has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum References {
    /// Not at all.
    #[default]
    Ignore,
    /// The type counts if the target is there.
    CheckTypeIfExists,
    /// The target must be there.
    CheckExists,
    /// The target must be there and of the type.
    CheckExistsAndType,
    /// The target must be there and valid.
    CheckValid,
}

impl References {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::Ignore,
        Self::CheckTypeIfExists,
        Self::CheckExists,
        Self::CheckExistsAndType,
        Self::CheckValid,
    ];

    /// The name in the suite.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ignore => "IGNORE",
            Self::CheckTypeIfExists => "CHECK_TYPE_IF_EXISTS",
            Self::CheckExists => "CHECK_EXISTS",
            Self::CheckExistsAndType => "CHECK_EXISTS_AND_TYPE",
            Self::CheckValid => "CHECK_VALID",
        }
    }

    /// By its name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.code() == code)
    }
}

/// What a run asks for beyond the usual. `fetcher`, `crumb-trail` and `no-tx` say nothing to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseOptions {
    /// Further files with profiles and the like.
    pub profiles: Vec<String>,
    /// Packages to load first: `.tgz` files of the suite, or `id#version`, which can't be had offline.
    pub packages: Vec<String>,
    /// How references are followed.
    pub references: References,
    /// Whether contained resources are left alone (`validateContains: IGNORE`).
    pub ignore_contained: bool,
    /// Whether example.org and example content are refused (`examples: false`).
    pub refuse_examples: bool,
    /// Whether texts are searched for what attacks a browser (`security-checks`).
    pub security_checks: bool,
    /// Whether best practice is a warning (`best-practice`).
    pub best_practice: bool,
    /// Whether wrong displays are warnings (`wrong-displays: warning`).
    pub displays_are_warnings: bool,
    /// Whether HTML in markdown is an error (`noHtmlInMarkdown`).
    pub refuse_html_in_markdown: bool,
    /// Whether the document is to be published (`for-publication`).
    pub for_publication: bool,
    /// Whether a version that is not there may be another (`default-version`).
    pub default_version: bool,
    /// Whether aggregation counts outside Bundles, too (`enforceAggregationOutsideBundles`).
    pub aggregation_outside_bundles: bool,
    /// Whether relative references in a Bundle are resolved as R5 says: `always` or `never`.
    pub bundle_relative_references: Option<String>,
    /// The languages of displays.
    pub language: Option<String>,
    /// Domains whose extensions need no definition.
    pub extension_domains: Vec<String>,
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
        let extension_domains = [
            strings(value, "allowed-extension-domain"),
            strings(value, "allowed-extension-domains"),
        ];
        Self {
            profiles: strings(value, "profiles"),
            packages: strings(value, "packages"),
            references: value
                .text("validateReference")
                .and_then(References::from_code)
                .unwrap_or_default(),
            ignore_contained: value.text("validateContains") == Some("IGNORE"),
            refuse_examples: is("examples") == Some(false),
            security_checks: on("security-checks"),
            best_practice: on("best-practice"),
            displays_are_warnings: value.text("wrong-displays") == Some("warning"),
            refuse_html_in_markdown: on("noHtmlInMarkdown"),
            for_publication: on("for-publication"),
            default_version: on("default-version"),
            aggregation_outside_bundles: on("enforceAggregationOutsideBundles"),
            bundle_relative_references: text("r5-bundle-relative-reference-policy"),
            language: text("language"),
            extension_domains: extension_domains.concat(),
        }
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
        let extension = std::path::Path::new(&self.file).extension();
        if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("xml")) {
            "XML"
        } else {
            "JSON"
        }
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
