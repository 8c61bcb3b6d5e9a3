//! One document from its text to its report: read, validated, put into words.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::Validator;
use super::bulk::{Line, LineError};
use super::definitions::{Definitions, Derivation, Package};
use super::detect;
use super::options::Options;
use super::report::{Reported, Reporter};
use super::rule::{Rule, reading};
use super::shared::Shared;
use super::terminology::{Answers, CodeQuestion};
use super::tree::{self, NodeId, Tree, xml};
use crate::fhir::Release;
use crate::json::{ErrorKind, Limits, Pointer, Position};

/// No element of FHIR has a longer name, in bytes; the longest have fewer than 50.
const LONGEST_NAME: usize = 128;

/// How reports are made.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// Whether they may show values of the document.
    pub show_values: bool,
    /// Whether they show the line of the source.
    pub excerpts: bool,
}

/// What came of a document.
#[derive(Debug)]
pub struct Checked {
    /// The type of the resource, if it is one of the release.
    pub resource_type: Option<String>,
    /// The release by which it was validated; of what can't be read, the one that would have been asked.
    pub release: Release,
    /// Whether it could be read at all.
    pub is_readable: bool,
    /// What was found.
    pub reported: Vec<Reported>,
    /// What a terminology server would have to be asked, each thing once; nothing where nobody answers.
    pub questions: Vec<CodeQuestion>,
}

/// Validators for documents of any release, with the same options and packages; each is made when it is needed.
#[derive(Debug)]
pub struct Checks {
    options: Options,
    /// The packages beside FHIR's own definitions, if there are any.
    packages: Option<Definitions>,
    release: Option<Release>,
    otherwise: Release,
    answers: Option<Arc<Answers>>,
    shared: [OnceLock<Shared>; 3],
    validators: [OnceLock<Arc<Validator>>; 3],
    names: [OnceLock<BTreeSet<String>>; 3],
    view: View,
}

impl Checks {
    /// By one release, or (`None`) by the one that each document names; by that of the packages, else R4, if it names none.
    pub fn new(
        release: Option<Release>,
        packages: Vec<Package>,
        options: Options,
        view: View,
    ) -> Self {
        let otherwise = packages
            .iter()
            .flat_map(Package::fhir_versions)
            .find_map(Release::from_fhir_version)
            .unwrap_or_default();
        let packages =
            (!packages.is_empty()).then(|| Definitions::core(otherwise).with_packages(packages));
        Self {
            options,
            packages,
            release,
            otherwise,
            answers: None,
            shared: [const { OnceLock::new() }; 3],
            validators: [const { OnceLock::new() }; 3],
            names: [const { OnceLock::new() }; 3],
            view,
        }
    }

    /// With what a terminology server has answered. It may be added to at any time; whatever is not in it yet is asked
    /// ([`Checked::questions`]), and the same document, checked again, gets by.
    #[must_use]
    pub fn with_answers(mut self, answers: Arc<Answers>) -> Self {
        self.answers = Some(answers);
        self.validators = [const { OnceLock::new() }; 3];
        self
    }

    /// The release of documents that name none.
    pub fn usual_release(&self) -> Release {
        self.release.unwrap_or(self.otherwise)
    }

    /// The definitions of a release, and the packages beside them.
    pub fn shared(&self, release: Release) -> Shared {
        let new = || match &self.packages {
            Some(packages) => Shared::of(Arc::new(packages.of_release(release))),
            None => Shared::core(release),
        };
        self.shared.get(release as usize).map_or_else(new, |cell| cell.get_or_init(new).clone())
    }

    /// The validator of a release.
    pub fn validator(&self, release: Release) -> Arc<Validator> {
        let new = || {
            let shared = self.shared(release);
            let codes = Arc::new(shared.codes(self.answers.clone()));
            Arc::new(shared.with_codes(self.options.clone(), codes))
        };
        match self.validators.get(release as usize) {
            Some(cell) => Arc::clone(cell.get_or_init(new)),
            None => new(),
        }
    }

    /// Whether an element of some type of a release has this name, `valueQuantity` for `value[x]` included.
    pub fn is_element_name(&self, release: Release, name: &str) -> bool {
        // Whatever is longer is none, and need not be taken apart at each letter.
        let cell = self.names.get(release as usize).filter(|_| name.len() <= LONGEST_NAME);
        let Some(cell) = cell else { return false };
        let shared = self.shared(release);
        let names = cell.get_or_init(|| element_names(shared.definitions()));
        let is_type = |rest: &str| {
            let types = shared.programs().types();
            let mut letters = rest.chars();
            let lower: String = letters
                .next()
                .iter()
                .flat_map(|first| first.to_lowercase())
                .chain(letters)
                .collect();
            types.id(rest).is_some() || types.id(&lower).is_some()
        };
        let is_choice = |(at, _): (usize, char)| {
            let (stem, rest) = name.split_at(at);
            at > 0 && is_type(rest) && names.contains(&format!("{stem}[x]"))
        };
        names.contains(name) || name.char_indices().any(is_choice)
    }

    /// Checks a document that begins on this line of its file: JSON, or XML if it begins with `<`.
    pub fn check(&self, bytes: &[u8], first_line: usize) -> Checked {
        match read(bytes) {
            Ok(tree) => self.check_tree(tree, first_line),
            Err(unread) => {
                let Unread { rule, place, position, text } = unread;
                let line = position.line + first_line - 1;
                self.unreadable(rule, place, Position { line, ..position }, text)
            }
        }
    }

    /// Checks a line of NDJSON, which is a document.
    pub fn check_line(&self, line: &Line<'_>) -> Checked {
        let number = usize::try_from(line.number).unwrap_or(usize::MAX);
        match line.text {
            Ok(text) => self.check(text.as_bytes(), number),
            // It says more of where, and of other encodings.
            Err(LineError::NotUtf8 { .. }) => self.check(line.bytes, number),
            Err(error @ LineError::TooLong) => {
                let position = Position { line: number, column: 1 };
                self.unreadable(&reading::TOO_LARGE, "(document)", position, error.to_string())
            }
        }
    }

    fn unreadable(
        &self,
        rule: &'static Rule,
        expression: &str,
        position: Position,
        text: String,
    ) -> Checked {
        let reported = Reported {
            rule,
            severity: rule.severity,
            expression: expression.to_owned(),
            pointer: Pointer::root(),
            position,
            text: text.into(),
            allowed: None,
            found: None,
            profile: None,
            key: None,
            excerpt: None,
        };
        Checked {
            resource_type: None,
            release: self.usual_release(),
            is_readable: false,
            reported: vec![reported],
            questions: Vec::new(),
        }
    }

    fn check_tree(&self, tree: Tree<'_>, first_line: usize) -> Checked {
        let release = self.release.or_else(|| named_release(&tree)).unwrap_or(self.otherwise);
        let validator = self.validator(release);
        let types = validator.programs().types();
        let resource_type = tree
            .resource_type(NodeId::ROOT)
            .filter(|name| types.id(name).is_some())
            .map(str::to_owned);
        let outcome = validator.validate(tree);
        let reporter = Reporter {
            types,
            is_name: &|name| self.is_element_name(release, name),
            show_values: self.view.show_values,
            excerpts: self.view.excerpts,
            first_line,
        };
        let reported = reporter.report(&outcome.tree, &outcome.findings);
        let questions = outcome.questions;
        Checked { resource_type, release, is_readable: true, reported, questions }
    }
}

/// Why a document could not be read.
#[derive(Debug)]
pub struct Unread {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// What stands for an expression: `(json)`, `(xml)` or `(document)`.
    pub place: &'static str,
    /// Where.
    pub position: Position,
    /// What is wrong, in words that quote nothing of it.
    pub text: String,
}

/// Reads a document: JSON, or XML if it begins with `<`.
///
/// # Errors
/// Why it is neither.
pub fn read(bytes: &[u8]) -> Result<Tree<'_>, Unread> {
    let source = detect::text(bytes).map_err(|error| {
        let offset = match error {
            detect::Error::NotUtf8 { offset } => offset,
            detect::Error::Wide => 0,
        };
        let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or_default());
        let last = before.rsplit('\n').next().unwrap_or_default();
        let position =
            Position { line: before.matches('\n').count() + 1, column: last.chars().count() + 1 };
        let text = "the document is not UTF-8 text".to_owned();
        Unread { rule: &reading::NOT_UTF8, place: "(document)", position, text }
    })?;
    if detect::input(bytes) == detect::Input::Xml {
        tree::xml::read(source, Limits::BUNDLE).map_err(|error| {
            let rule = match error.kind {
                xml::ErrorKind::TooDeep | xml::ErrorKind::TooLarge => &reading::TOO_LARGE,
                xml::ErrorKind::Root => &reading::XML_ROOT,
                _ => &reading::XML_SYNTAX,
            };
            let text = error.to_string();
            Unread { rule, place: "(xml)", position: error.position, text }
        })
    } else {
        tree::json::read(source, Limits::BUNDLE).map_err(|error| {
            let rule = match error.kind {
                ErrorKind::TooLarge | ErrorKind::TooDeep => &reading::TOO_LARGE,
                _ => &reading::JSON_SYNTAX,
            };
            let text = error.to_string();
            Unread { rule, place: "(json)", position: error.position, text }
        })
    }
}

/// The names of all elements of all types, as paths have them: `value[x]`.
fn element_names(definitions: &Definitions) -> BTreeSet<String> {
    let of_types =
        definitions.structures().filter(|row| row.derivation != Some(Derivation::Constraint));
    of_types
        .filter_map(|row| definitions.structure(row.url))
        .flat_map(|structure| {
            let paths = structure.snapshot().iter().filter_map(|element| element.text("path"));
            let name = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
            paths.map(name).collect::<Vec<_>>()
        })
        .collect()
}

/// The release that a document names: in its `fhirVersion`, or in the version of a profile of FHIR itself.
pub fn named_release(tree: &Tree<'_>) -> Option<Release> {
    let declared = tree.child_text(NodeId::ROOT, "fhirVersion");
    if let Some(release) = declared.and_then(Release::from_fhir_version) {
        return Some(release);
    }
    let meta = tree.child(NodeId::ROOT, "meta")?;
    tree.children_named(meta, "profile").find_map(|profile| {
        let (url, version) = tree.text(profile)?.split_once('|')?;
        url.starts_with("http://hl7.org/fhir/StructureDefinition/")
            .then(|| Release::from_fhir_version(version))?
    })
}
