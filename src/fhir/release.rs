//! The FHIR releases that we know, as values.

use std::fmt;

/// A FHIR release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Release {
    /// FHIR R4, 4.0.1.
    #[default]
    R4,
    /// FHIR R4B, 4.3.0.
    R4B,
    /// FHIR R5, 5.0.0.
    R5,
}

impl Release {
    /// The value of `CapabilityStatement.fhirVersion` for it.
    pub const fn fhir_version(self) -> &'static str {
        match self {
            Self::R4 => "4.0.1",
            Self::R4B => "4.3.0",
            Self::R5 => "5.0.0",
        }
    }

    /// The release of a `fhirVersion`, by its first two numbers.
    pub fn from_fhir_version(version: &str) -> Option<Self> {
        let mut parts = version.split('.');
        match (parts.next()?, parts.next()?) {
            ("4", "0") => Some(Self::R4),
            ("4", "3" | "1") => Some(Self::R4B),
            ("5", "0") => Some(Self::R5),
            _ => None,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::R4 => "R4",
            Self::R4B => "R4B",
            Self::R5 => "R5",
        })
    }
}
