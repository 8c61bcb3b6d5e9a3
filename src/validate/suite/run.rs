//! Running what is scored: each document with the definitions and options that its run asks for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::cases::usual;
use super::{Case, Example, Issue, Outcome};
use crate::json::{self, Limits, Value};
use crate::validate::Validator;
use crate::validate::check;
use crate::validate::definitions::Package;
use crate::validate::detect;
use crate::validate::options::ReferencePolicy;
use crate::validate::reference::Outside;
use crate::validate::report::Reporter;
use crate::validate::shared::Shared;
use crate::validate::tree::{self, write};

/// The files of an archive, by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Unpacks a package: its files by their names, or why it can't be read.
pub type Unpack = fn(&[u8]) -> Result<Vec<(String, Vec<u8>)>, String>;

/// What lies beside a case: `Patient/1` is the file `patient-1`, and `Patient/test` a Patient that is always there.
#[derive(Debug, Default)]
struct Beside(BTreeMap<String, String>);

impl Outside for Beside {
    fn resource_type(&self, url: &str) -> Option<Cow<'_, str>> {
        if url == "Patient/test" {
            return Some("Patient".into());
        }
        let after = url.split_once('/').map(|(_, after)| after);
        let mut names = [Some(url), after].into_iter().flatten();
        names
            .find_map(|name| self.0.get(&name.replace('/', "-").to_lowercase()))
            .map(|name| name.as_str().into())
    }
}

/// A suite at hand.
#[derive(Debug)]
pub struct Suite<'f> {
    files: &'f Files,
    /// Unpacks a package: a `.tgz` of the suite into its files.
    unpack: Unpack,
}

impl<'f> Suite<'f> {
    /// A suite whose runs name these files; `unpack` reads an archive, which is not done here.
    pub const fn new(files: &'f Files, unpack: Unpack) -> Self {
        Self { files, unpack }
    }

    fn file(&self, name: &str) -> Result<&'f [u8], String> {
        let bytes = self.files.get(name).ok_or_else(|| format!("{name} is not in the archive"))?;
        Ok(bytes)
    }

    /// Runs a case of HL7's suite.
    pub fn case(&self, case: &Case) -> Outcome {
        case.outcome(self.issues_of(case))
    }

    fn issues_of(&self, case: &Case) -> Result<Vec<Issue>, String> {
        let bytes = self.file(&case.file)?;
        let core = Shared::core(case.release);
        let mut packages = Vec::new();
        // `id#version` names a package of the network, which is not at hand offline, neither for the reference.
        for name in case.options.packages.iter().filter(|name| detect::is_named(name, "tgz")) {
            packages.push(Package::from_files((self.unpack)(self.file(name)?)?));
        }
        let mut options = case.options.options.clone();
        let mut beside = Vec::new();
        for name in case.supporting.iter().chain(&case.options.profiles) {
            // One that can't be read is no definition; what lacks it then shows.
            beside.extend(resource(&core, self.file(name)?));
        }
        match case.profile.as_deref() {
            Some(url) if url.starts_with("http") => options.profiles.push(url.to_owned()),
            Some(name) => {
                let profile = resource(&core, self.file(name)?)?;
                let url = profile.text("url").ok_or_else(|| format!("{name} has no url"))?;
                let version = profile.text("version").map(|version| format!("|{version}"));
                options.profiles.push(format!("{url}{}", version.unwrap_or_default()));
                beside.push(profile);
            }
            None => {}
        }
        if !beside.is_empty() {
            packages.push(Package::from_resources(beside));
        }
        let shared = core.with_packages(packages);
        let follows = options.references > ReferencePolicy::CheckTypeIfExists;
        let outside = if follows { self.beside() } else { Beside::default() };
        let codes = Arc::new(shared.codes(None));
        issues(&shared.with_outside(options, codes, outside), bytes)
    }

    /// The types of all resources of the suite, for runs that follow references.
    fn beside(&self) -> Beside {
        let types = self.files.iter().filter_map(|(name, bytes)| {
            let tree = check::read(bytes).ok()?;
            let name = name.rsplit_once('.')?.0;
            Some((name.to_owned(), tree.resource_type(tree::NodeId::ROOT)?.to_owned()))
        });
        Beside(types.collect())
    }

    /// Runs an example.
    pub fn example(&self, example: &Example) -> Outcome {
        let validator = Shared::core(example.release).validator(usual());
        let ours = self.file(&example.file).and_then(|bytes| issues(&validator, bytes));
        example.outcome(ours)
    }
}

/// The errors of a document. A panic is an outcome, too: the other runs go on.
fn issues(validator: &Validator, bytes: &[u8]) -> Result<Vec<Issue>, String> {
    catch_unwind(AssertUnwindSafe(|| errors(validator, bytes)))
        .map_err(|_| "it panicked".to_owned())
}

/// The errors of a document, as they are compared.
pub fn errors(validator: &Validator, bytes: &[u8]) -> Vec<Issue> {
    let tree = match check::read(bytes) {
        Ok(tree) => tree,
        Err(unread) => {
            return vec![Issue {
                severity: unread.rule.severity.code().to_owned(),
                code: unread.rule.kind.code().to_owned(),
                expression: unread.place.to_owned(),
                text: format!("[{}] {}", unread.rule.code, unread.text),
            }];
        }
    };
    let outcome = validator.validate(tree);
    let reporter = Reporter {
        types: validator.programs().types(),
        is_name: &|_| true,
        show_values: true,
        excerpts: false,
        first_line: 1,
    };
    Issue::errors(&reporter.report(&outcome.tree, &outcome.findings))
}

/// A definition of either format; XML becomes JSON by what the release knows of its elements.
fn resource(shared: &Shared, bytes: &[u8]) -> Result<Value, String> {
    let parse =
        |bytes: &[u8]| json::parse_with(bytes, Limits::BUNDLE).map_err(|error| error.to_string());
    if detect::input(bytes) != detect::Input::Xml {
        return parse(bytes);
    }
    let mut tree = check::read(bytes).map_err(|unread| unread.text)?;
    shared.validator(usual()).annotate(&mut tree);
    let text = write::json(&tree, shared.programs().types(), write::Style::Compact);
    parse(text.map_err(|error| error.to_string())?.as_bytes())
}
