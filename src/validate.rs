//! Validating FHIR: any resource, Bundle or NDJSON export against the definitions of its release and against profiles.
//!
//! Definitions are compiled to flat programs that are walked together with one document tree; every finding has a
//! stable code that `explain` tells about. What can't be decided here (a code system that is not at hand, a reference
//! that leads outside) is said to be "not checked", once, and is never an error.
//!
//! It refuses nothing but what can't be read, and it touches nothing outside: definitions come in as bytes.

mod arrange;
pub mod attachment;
pub mod automatic;
pub mod bulk;
pub mod bundle;
pub mod check;
mod compile;
pub mod content;
pub mod definitions;
pub mod detect;
pub mod document;
pub mod fhirpath;
pub mod finding;
pub mod form;
pub mod invariant;
pub mod options;
pub mod primitive;
mod profile;
pub mod program;
pub mod reference;
pub mod report;
pub mod rule;
pub mod shared;
pub mod suite;
pub mod terminology;
pub mod tree;
pub mod types;
mod walk;
pub mod xhtml;

use std::sync::Arc;

pub use walk::{Fit, fits};

use definitions::Definitions;
use document::{Document, Pass};
use finding::{Finding, Findings};
use options::Options;
use program::Programs;
use reference::References;
use tree::Tree;

/// Validates documents; made once and shared by all threads.
#[derive(Debug)]
pub struct Validator {
    programs: Arc<Programs>,
    options: Options,
    passes: Vec<Box<dyn Pass>>,
}

/// What a validation found.
#[derive(Debug)]
pub struct Outcome<'s> {
    /// The document, its elements with their types.
    pub tree: Tree<'s>,
    /// What was found: the form first, then the structure, then the rules, in the order of the source.
    pub findings: Vec<Finding>,
}

impl Validator {
    /// A validator by these definitions, with the structure's rules only; [`Self::with`] adds others.
    pub fn new(definitions: Arc<Definitions>, options: Options) -> Self {
        Self::of(Arc::new(Programs::new(definitions)), options)
    }

    /// The same by programs that others use too.
    pub fn of(programs: Arc<Programs>, options: Options) -> Self {
        Self { programs, options, passes: Vec::new() }
    }

    /// Adds rules that run after the walk, in the order in which they are added.
    #[must_use]
    pub fn with(mut self, pass: Box<dyn Pass>) -> Self {
        self.passes.push(pass);
        self
    }

    /// The definitions, compiled.
    pub fn programs(&self) -> &Arc<Programs> {
        &self.programs
    }

    /// How it validates.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Gives every element its type, and says nothing of what is wrong.
    pub fn annotate(&self, tree: &mut Tree<'_>) {
        let mut findings = Findings::new();
        let visits = walk::base(&self.programs, &self.options, tree, &mut findings);
        arrange::arrange(tree, &visits);
    }

    /// Validates a document.
    pub fn validate<'s>(&self, mut tree: Tree<'s>) -> Outcome<'s> {
        let mut findings = Findings::new();
        form::check(&tree, &mut findings);
        let programs: &Programs = &self.programs;
        let visits = walk::base(programs, &self.options, &mut tree, &mut findings);
        let references = References::new(&tree, programs.types(), programs.release());
        let first = Document {
            tree: &tree,
            visits: &visits,
            references: &references,
            programs,
            options: &self.options,
            profile: None,
        };
        self.pass(&first, &mut findings);
        for demand in profile::demands(self, &first, &mut findings) {
            let mark = findings.len();
            let what = (demand.resource, demand.program);
            let visits = walk::profile(programs, &self.options, &tree, &mut findings, what);
            let round = Document { visits: &visits, profile: Some(demand.program), ..first };
            self.pass(&round, &mut findings);
            findings.forget_repeated(mark, |rule| rule.kind == rule::IssueType::Structure);
        }
        Outcome { tree, findings: findings.into_vec() }
    }

    /// One round of all passes.
    fn pass(&self, document: &Document<'_, '_>, findings: &mut Findings) {
        for pass in &self.passes {
            pass.round(document, findings);
        }
    }
}
