//! What all validators of one set of definitions share: the definitions themselves and their programs.
//!
//! A program is compiled once, however many documents, threads and options there are. Here stands, too, which rules
//! the whole validator has: [`Shared::validator`] is the one place that puts them together.

use std::sync::{Arc, OnceLock};

use super::Validator;
use super::content::ContentRules;
use super::definitions::{Definitions, Package};
use super::fhirpath::ucum;
use super::invariant::InvariantRules;
use super::options::Options;
use super::program::Programs;
use super::reference::{Nowhere, Outside};
use super::terminology::{Answers, CodeRules, Library, Terminology};
use crate::fhir::Release;

/// A set of definitions and their programs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    definitions: Arc<Definitions>,
    programs: Arc<Programs>,
    terminology: Arc<Terminology>,
    invariants: InvariantRules,
}

impl Shared {
    /// What FHIR itself defines in a release; made once.
    pub fn core(release: Release) -> Self {
        static CORE: [OnceLock<Shared>; 3] = [const { OnceLock::new() }; 3];
        let new = || Self::of(Definitions::core(release));
        CORE.get(release as usize).map_or_else(new, |cell| cell.get_or_init(new).clone())
    }

    /// These definitions.
    pub fn of(definitions: Arc<Definitions>) -> Self {
        let programs = Arc::new(Programs::new(Arc::clone(&definitions)));
        let library = Arc::clone(&definitions) as Arc<dyn Library>;
        // What this does not know may be a unit all the same.
        let is_unit = |code: &str| ucum::is_valid(code).then_some(true);
        let terminology = Arc::new(Terminology::new(definitions.release(), library, is_unit));
        let invariants = InvariantRules::new(programs.types(), Arc::clone(&terminology));
        Self { definitions, programs, terminology, invariants }
    }

    /// The same, and these packages beside it.
    #[must_use]
    pub fn with_packages(&self, packages: Vec<Package>) -> Self {
        if packages.is_empty() {
            return self.clone();
        }
        Self::of(Arc::new(self.definitions.with_packages(packages)))
    }

    /// The definitions.
    pub const fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }

    /// Their programs.
    pub const fn programs(&self) -> &Arc<Programs> {
        &self.programs
    }

    /// The code systems and value sets.
    pub const fn terminology(&self) -> &Arc<Terminology> {
        &self.terminology
    }

    /// A validator with all rules.
    pub fn validator(&self, options: Options) -> Validator {
        self.with_codes(options, Arc::new(self.codes(None)))
    }

    /// The rules about codes, with what a terminology server has answered.
    pub fn codes(&self, answers: Option<Arc<Answers>>) -> CodeRules {
        CodeRules::new(Arc::clone(&self.terminology), self.programs.types(), answers)
    }

    /// A validator with all rules, those about codes being these.
    pub fn with_codes(&self, options: Options, codes: Arc<CodeRules>) -> Validator {
        self.with_outside(options, codes, Nowhere)
    }

    /// The same, knowing something of resources that are not in the document.
    pub fn with_outside<O>(&self, options: Options, codes: Arc<CodeRules>, outside: O) -> Validator
    where
        O: Outside + std::fmt::Debug + Send + Sync + 'static,
    {
        Validator::of(Arc::clone(&self.programs), options)
            .with(Box::new(ContentRules::new(self.programs.types(), outside)))
            .with(Box::new(codes))
            .with(Box::new(self.invariants.clone()))
    }
}
