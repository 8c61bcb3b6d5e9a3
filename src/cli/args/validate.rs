//! The arguments of what validates, explains, evaluates, converts and scores.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::fhir::Release;

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
