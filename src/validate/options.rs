//! How to validate: what the HL7 suite and the reference engine name so, with their defaults for a person at work.

/// How far references are followed (`validateReference` of the suite).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ReferencePolicy {
    /// `IGNORE`: only their form is looked at, and the type of what lies in the same document.
    Ignore,
    /// `CHECK_TYPE_IF_EXISTS`: what is at hand (the same document) must be of a type that the definition allows.
    #[default]
    CheckTypeIfExists,
    /// `CHECK_EXISTS`: it must be at hand.
    CheckExists,
    /// `CHECK_EXISTS_AND_TYPE`: it must be at hand, and of an allowed type.
    CheckExistsAndType,
    /// `CHECK_VALID`: it must be at hand, and meet the profiles that the definition demands.
    CheckValid,
}

/// What an extension is that no definition at hand knows, outside the allowed domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownExtensions {
    /// An error, as in the suite.
    Error,
    /// A note: nobody has to have all definitions at hand. HL7's own are errors all the same, and modifiers always.
    #[default]
    Allow,
}

/// How to validate.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are switches that have nothing to do with each other"
)]
pub struct Options {
    /// Profiles that the document must meet, by canonical URL.
    pub profiles: Vec<String>,
    /// How far references are followed.
    pub references: ReferencePolicy,
    /// What an unknown extension is.
    pub unknown_extensions: UnknownExtensions,
    /// Prefixes of URLs whose extensions may be unknown (`allowed-extension-domains`).
    pub allowed_extension_domains: Vec<String>,
    /// Invariants that tell good practice are evaluated (`best-practice`).
    pub best_practice: bool,
    /// URLs of example.org and such are not allowed (`examples` is false).
    pub forbid_examples: bool,
    /// Wrong displays are warnings (`wrong-displays`).
    pub wrong_displays_are_warnings: bool,
    /// Displays are not looked at.
    pub ignore_displays: bool,
    /// Texts are searched for markup (`security-checks`).
    pub security_checks: bool,
    /// Markdown may hold no HTML (`noHtmlInMarkdown`).
    pub forbid_html_in_markdown: bool,
    /// Contained resources are not looked into (`validateContains` is IGNORE).
    pub ignore_contained: bool,
    /// References that name their aggregation are checked outside of Bundles too (`enforceAggregationOutsideBundles`).
    pub aggregation_outside_bundles: bool,
    /// How relative references are read in R5's Bundles (`r5-bundle-relative-reference-policy`).
    pub relative_references: Option<bool>,
}
