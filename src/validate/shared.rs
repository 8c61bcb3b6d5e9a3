//! What all validators of one set of definitions share: the definitions themselves and their programs.
//!
//! A program is compiled once, however many documents, threads and options there are. Here stands, too, which rules
//! the whole validator has: [`Shared::validator`] is the one place that puts them together.

use std::sync::{Arc, OnceLock};

use super::Validator;
use super::definitions::{Definitions, Package};
use super::options::Options;
use super::program::Programs;
use crate::fhir::Release;

/// A set of definitions and their programs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    definitions: Arc<Definitions>,
    programs: Arc<Programs>,
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
        Self { definitions, programs }
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

    /// A validator with all rules.
    pub fn validator(&self, options: Options) -> Validator {
        Validator::of(Arc::clone(&self.programs), options)
    }
}
