//! The arguments of what validates, explains, evaluates, converts and scores.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::fhir::Release;
use crate::issue::Severity;
use crate::validate::options::ReferencePolicy;

/// What to do with suites.
#[derive(Debug, Subcommand)]
pub(crate) enum Suite {
    /// Run the validator over a directory of cases or examples, and compare with what was recorded
    Run(SuiteRun),
}

/// A suite to be run.
#[derive(Debug, Args)]
pub(crate) struct SuiteRun {
    /// It holds cases.json and cases.tgz, or NAME.tgz files and reference.json
    pub(crate) directory: PathBuf,
    /// Only those of a release
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<ReleaseName>,
    /// Only those of a module; may be given several times
    #[arg(long, value_name = "MODULE")]
    pub(crate) module: Vec<String>,
    /// Only those whose name has this part
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Show what both sides say wherever they differ
    #[arg(long)]
    pub(crate) misses: bool,
    /// Differences by name with their reasons, which count neither way: JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) reviewed: Option<PathBuf>,
}

/// A release by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReleaseName {
    /// FHIR R4, 4.0.1
    R4,
    /// FHIR R4B, 4.3.0
    #[value(name = "r4b")]
    R4B,
    /// FHIR R5, 5.0.0
    R5,
}

impl From<ReleaseName> for Release {
    fn from(name: ReleaseName) -> Self {
        match name {
            ReleaseName::R4 => Self::R4,
            ReleaseName::R4B => Self::R4B,
            ReleaseName::R5 => Self::R5,
        }
    }
}

/// Documents to be validated.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files (JSON, XML, NDJSON, each also as .gz), directories, patterns like 'export/**/*.json', or - for stdin
    #[arg(value_name = "FILE|DIR|GLOB|-")]
    pub(crate) inputs: Vec<String>,
    /// The release; auto takes the one that a document names, else that of the packages, else R4
    #[arg(long, value_name = "RELEASE", default_value = "auto")]
    pub(crate) release: ReleaseOrAuto,
    /// A profile that every document must meet, by its canonical URL; may be given several times
    #[arg(long, value_name = "URL")]
    pub(crate) profile: Vec<String>,
    /// Definitions to load beside those of FHIR: a .tgz, a directory, or id#version in ~/.fhir/packages
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) package: Vec<String>,
    /// How the findings are written; without it as --format says
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<ReportForm>,
    /// The least bad findings that are shown
    #[arg(long, value_name = "LEVEL", default_value = "warning")]
    pub(crate) level: Level,
    /// How far references are followed
    #[arg(long, value_name = "POLICY", default_value = "check-type-if-exists")]
    pub(crate) references: ReferencesName,
    /// Ask a terminology server about codes that can't be told here: its base URL, or a configured EHR with its login.
    /// Only codes, their systems and versions, and URLs of value sets are sent: no display, no other text
    #[arg(long, value_name = "URL|EHR")]
    pub(crate) tx: Option<String>,
    /// Show values of the documents: they may identify a person
    #[arg(long)]
    pub(crate) show_values: bool,
    /// How many threads work; without it one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

/// A release, or whatever a document names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReleaseOrAuto {
    /// The one that each document names, else R4
    Auto,
    /// FHIR R4, 4.0.1
    R4,
    /// FHIR R4B, 4.3.0
    #[value(name = "r4b")]
    R4B,
    /// FHIR R5, 5.0.0
    R5,
}

impl ReleaseOrAuto {
    /// The release, if it is said.
    pub(crate) const fn said(self) -> Option<Release> {
        match self {
            Self::Auto => None,
            Self::R4 => Some(Release::R4),
            Self::R4B => Some(Release::R4B),
            Self::R5 => Some(Release::R5),
        }
    }
}

/// A form of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// For a person: the line with a caret, what is allowed, who demands it
    Text,
    /// One JSON document: files, issues, sums
    Json,
    /// One JSON object for each resource, as they are read
    Ndjson,
    /// A FHIR OperationOutcome; of several resources one on each line
    Operationoutcome,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Errors only
    Error,
    /// Errors and warnings
    Warning,
    /// Everything, also what was not checked
    Information,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warning => Self::Warning,
            Level::Information => Self::Information,
        }
    }
}

/// How far references are followed, as the reference engine names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferencesName {
    /// Only their form is looked at
    Ignore,
    /// What is at hand in the document must be of an allowed type
    CheckTypeIfExists,
    /// It must be at hand
    CheckExists,
    /// It must be at hand and of an allowed type
    CheckExistsAndType,
    /// It must be at hand, of an allowed type, and valid
    CheckValid,
}

impl From<ReferencesName> for ReferencePolicy {
    fn from(name: ReferencesName) -> Self {
        match name {
            ReferencesName::Ignore => Self::Ignore,
            ReferencesName::CheckTypeIfExists => Self::CheckTypeIfExists,
            ReferencesName::CheckExists => Self::CheckExists,
            ReferencesName::CheckExistsAndType => Self::CheckExistsAndType,
            ReferencesName::CheckValid => Self::CheckValid,
        }
    }
}

/// Rules to be explained.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code that stands in brackets after error or warning
    #[arg(required_unless_present = "list", conflicts_with = "list")]
    pub(crate) code: Option<String>,
    /// List all codes
    #[arg(long)]
    pub(crate) list: bool,
}

/// An expression to be evaluated.
#[derive(Debug, Args)]
pub(crate) struct Fhirpath {
    /// The expression
    pub(crate) expression: String,
    /// The document, JSON or XML; - for stdin
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// The release; auto takes the one that the document names, else R4
    #[arg(long, value_name = "RELEASE", default_value = "auto")]
    pub(crate) release: ReleaseOrAuto,
}

/// A document to be converted.
#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The document, JSON or XML; - for stdin
    pub(crate) file: PathBuf,
    /// The format to write
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: DocumentFormat,
    /// The release; auto takes the one that the document names, else R4
    #[arg(long, value_name = "RELEASE", default_value = "auto")]
    pub(crate) release: ReleaseOrAuto,
}

/// A format of FHIR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentFormat {
    /// FHIR JSON
    Json,
    /// FHIR XML
    Xml,
}
