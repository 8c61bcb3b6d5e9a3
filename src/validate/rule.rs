//! The rules by their stable codes: what each looks for, how bad it is, and where FHIR says so.
//!
//! A code is part of the interface: scripts filter by it and `explain` tells about it, so it is never given to
//! another rule. The rules stand in one table per theme, one row each; [`all`] has them sorted.

pub mod attachment;
pub mod bundle;
pub mod form;
pub mod invariant;
pub mod narrative;
pub mod primitive;
pub mod reading;
pub mod reference;
pub mod structure;
pub mod terminology;

use crate::issue::Severity;

/// FHIR's `issue-type`, as far as rules use it (R4 3.1 `IssueType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IssueType {
    /// The content can't be read, or a value has no valid form.
    Invalid,
    /// The structure is not the definition's.
    Structure,
    /// Something that must be there is missing.
    Required,
    /// A value is not what it must be.
    Value,
    /// An invariant does not hold.
    Invariant,
    /// A code is unknown, or not of the value set.
    CodeInvalid,
    /// An extension is not known, or not allowed here.
    Extension,
    /// A rule of the content that is no single element's.
    BusinessRule,
    /// What a reference names is not there.
    NotFound,
    /// Something can't be done here: not checked.
    NotSupported,
    /// There is more of it than is taken.
    TooCostly,
    /// Two of what may be there once.
    Duplicate,
    /// Worth knowing.
    Informational,
    /// It can't be done for a reason within.
    Processing,
    /// Something has had its time.
    Expired,
}

impl IssueType {
    /// FHIR's code for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::CodeInvalid => "code-invalid",
            Self::Extension => "extension",
            Self::BusinessRule => "business-rule",
            Self::NotFound => "not-found",
            Self::NotSupported => "not-supported",
            Self::TooCostly => "too-costly",
            Self::Duplicate => "duplicate",
            Self::Informational => "informational",
            Self::Processing => "processing",
            Self::Expired => "expired",
        }
    }
}

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its stable code: `fhir-cardinality-minimum`.
    pub code: &'static str,
    /// How bad it is unless a finding says otherwise.
    pub severity: Severity,
    /// FHIR's code for what kind of issue it is.
    pub kind: IssueType,
    /// The rule in one line.
    pub title: &'static str,
    /// What it means, why it matters, and how to mend the document; for `explain`.
    pub explanation: &'static str,
    /// Where FHIR says so: a URL of the specification.
    pub specification: &'static str,
}

impl Rule {
    const fn new(
        severity: Severity,
        [code, title, explanation, specification]: [&'static str; 4],
        kind: IssueType,
    ) -> Self {
        Self { code, severity, kind, title, explanation, specification }
    }

    /// A row whose findings are errors.
    pub(in crate::validate) const fn error(kind: IssueType, texts: [&'static str; 4]) -> Self {
        Self::new(Severity::Error, texts, kind)
    }

    /// A row whose findings are warnings.
    pub(in crate::validate) const fn warning(kind: IssueType, texts: [&'static str; 4]) -> Self {
        Self::new(Severity::Warning, texts, kind)
    }

    /// A row whose findings are worth knowing.
    pub(in crate::validate) const fn information(
        kind: IssueType,
        texts: [&'static str; 4],
    ) -> Self {
        Self::new(Severity::Information, texts, kind)
    }
}

/// All rules, by code.
pub fn all() -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = [
        attachment::ALL,
        bundle::ALL,
        form::ALL,
        invariant::ALL,
        narrative::ALL,
        primitive::ALL,
        reading::ALL,
        reference::ALL,
        structure::ALL,
        terminology::ALL,
    ]
    .concat();
    rules.sort_unstable_by_key(|rule| rule.code);
    rules
}

/// The rule of a code.
pub fn of(code: &str) -> Option<&'static Rule> {
    all().into_iter().find(|rule| rule.code == code)
}
