//! The checks of coded elements: is the code one of its system, is it in the bound value set, is it called so.
//!
//! [`Checker::visit`] is asked once for every element of a coded type. It looks at the codes themselves ([`coding`]),
//! whatever the binding, and at the binding ([`binding`]) if there is one. Severities, kinds and places are those of the
//! HL7 engine, offline, with two differences: one coding that is in a required set is enough (R4 4.1.5), and an unknown
//! system is said once per run, as "not checked", instead of at every code.
//!
//! It refuses nothing, and allocates for a finding only.

mod binding;
mod coding;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::{Answer, Answers, CodeQuestion, CodeSystem, Terminology, ValueSet};
use crate::fhir::Release;
use crate::issue::Severity;
use crate::validate::finding::Findings;
use crate::validate::rule::terminology as rule;
use crate::validate::tree::{NodeId, Tree};
use crate::validate::types::{TypeId, Types};

/// How binding a binding is (R4 `binding-strength`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The set only shows what codes look like.
    Example,
    /// A code of the set is recommended.
    Preferred,
    /// A code of the set, unless none of it fits.
    Extensible,
    /// A code of the set.
    Required,
}

impl Strength {
    /// The strength of FHIR's code for it.
    pub fn of(code: &str) -> Option<Self> {
        Some(match code {
            "example" => Self::Example,
            "preferred" => Self::Preferred,
            "extensible" => Self::Extensible,
            "required" => Self::Required,
            _ => return None,
        })
    }
}

/// An element's binding to a value set. The set is looked up once and kept here.
#[derive(Debug, Clone)]
pub struct Binding {
    strength: Strength,
    value_set: Box<str>,
    maximum: Option<Box<str>>,
    found: OnceLock<Option<Arc<ValueSet>>>,
    found_maximum: OnceLock<Option<Arc<ValueSet>>>,
}

impl Binding {
    /// A binding to the value set of a canonical URL, and the set of the extension `elementdefinition-maxValueSet`.
    pub fn new(strength: Strength, value_set: &str, maximum: Option<&str>) -> Self {
        Self {
            strength,
            value_set: value_set.into(),
            maximum: maximum.map(Into::into),
            found: OnceLock::new(),
            found_maximum: OnceLock::new(),
        }
    }

    /// How binding it is.
    pub fn strength(&self) -> Strength {
        self.strength
    }

    /// The canonical URL of the value set.
    pub fn value_set(&self) -> &str {
        &self.value_set
    }

    fn set(&self, terminology: &Terminology) -> Option<&ValueSet> {
        self.found.get_or_init(|| terminology.value_set(&self.value_set)).as_deref()
    }

    fn maximum_set(&self, terminology: &Terminology) -> Option<&ValueSet> {
        let url = self.maximum.as_deref()?;
        self.found_maximum.get_or_init(|| terminology.value_set(url)).as_deref()
    }
}

/// The types whose elements are coded.
#[derive(Debug, Clone, Copy)]
pub struct Kinds {
    concept: TypeId,
    coding: TypeId,
    quantity: TypeId,
    concept_or_reference: TypeId,
    texts: [TypeId; 5],
}

impl Kinds {
    /// The coded types of a release.
    pub fn of(types: &Types) -> Self {
        let id = |name| types.id(name).unwrap_or(TypeId::UNKNOWN);
        Self {
            concept: id("CodeableConcept"),
            coding: id("Coding"),
            quantity: id("Quantity"),
            concept_or_reference: id("CodeableReference"),
            texts: ["code", "string", "uri", "url", "canonical"].map(id),
        }
    }
}

/// What is checked how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How bad a wrong display is.
    pub wrong_display: Severity,
    /// Whether questions are collected for a server: [`Checker::take_questions`].
    pub ask: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { wrong_display: Severity::Error, ask: false }
    }
}

/// Checks the coded elements of the documents of a run, one after another.
#[derive(Debug)]
pub struct Checker<'t> {
    terminology: &'t Terminology,
    kinds: Kinds,
    options: Options,
    answers: Option<&'t Answers>,
    /// The systems that were met, so that most look-ups stay here.
    systems: Vec<(Box<str>, Option<Arc<CodeSystem>>)>,
    /// What was said once and is not said again: systems, value sets.
    said: BTreeSet<(&'static str, Box<str>)>,
    questions: BTreeSet<CodeQuestion>,
}

/// How many systems are found without asking the shared store; Synthea's records use 20.
const NEAR: usize = 32;

impl<'t> Checker<'t> {
    /// A checker for a run.
    pub fn new(
        terminology: &'t Terminology,
        types: &Types,
        options: Options,
        answers: Option<&'t Answers>,
    ) -> Self {
        Self {
            terminology,
            kinds: Kinds::of(types),
            options,
            answers,
            systems: Vec::new(),
            said: BTreeSet::new(),
            questions: BTreeSet::new(),
        }
    }

    /// What would have to be asked, if [`Options::ask`] says that somebody will: taken out, in order, each once.
    pub fn take_questions(&mut self) -> Vec<CodeQuestion> {
        std::mem::take(&mut self.questions).into_iter().collect()
    }

    /// Checks an element: its codes, and its binding if it has one. To be asked once per element, for all elements.
    pub fn visit(
        &mut self,
        tree: &Tree<'_>,
        types: &Types,
        node: NodeId,
        binding: Option<&Binding>,
        findings: &mut Findings,
    ) {
        let type_id = tree.type_of(node);
        if type_id == TypeId::UNKNOWN {
            return;
        }
        if type_id == self.kinds.concept {
            self.concept(tree, node, binding, findings);
        } else if type_id == self.kinds.coding {
            let is_of_concept =
                tree.parent(node).is_some_and(|parent| tree.type_of(parent) == self.kinds.concept);
            if !is_of_concept {
                self.coding(tree, node, binding, findings);
            }
        } else if let Some(binding) = binding {
            if self.kinds.texts.contains(&type_id) {
                self.text(tree, node, binding, findings);
            } else if type_id == self.kinds.concept_or_reference {
                if let Some(concept) = tree.child(node, "concept") {
                    self.bound_concept(tree, concept, binding, findings);
                }
            } else if types.is_a(type_id, self.kinds.quantity) {
                self.quantity(tree, node, Some(binding), findings);
            }
        } else if types.is_a(type_id, self.kinds.quantity) {
            self.quantity(tree, node, None, findings);
        }
    }

    /// Checks an element against one more binding, a profile's, once [`Checker::visit`] has seen it.
    pub fn bound(
        &mut self,
        tree: &Tree<'_>,
        types: &Types,
        node: NodeId,
        binding: &Binding,
        findings: &mut Findings,
    ) {
        let type_id = tree.type_of(node);
        if type_id == self.kinds.concept {
            self.bound_concept(tree, node, binding, findings);
        } else if type_id == self.kinds.coding {
            self.bound_coding(tree, node, binding, findings);
        } else if self.kinds.texts.contains(&type_id) {
            self.text(tree, node, binding, findings);
        } else if type_id == self.kinds.concept_or_reference {
            if let Some(concept) = tree.child(node, "concept") {
                self.bound_concept(tree, concept, binding, findings);
            }
        } else if types.is_a(type_id, self.kinds.quantity) {
            self.bound_quantity(tree, node, binding, findings);
        }
    }

    fn is_before_r5(&self) -> bool {
        self.terminology.release() < Release::R5
    }

    fn system(&mut self, url: &str) -> Option<Arc<CodeSystem>> {
        if let Some((_, system)) = self.systems.iter().find(|(known, _)| **known == *url) {
            return system.clone();
        }
        let system = self.terminology.code_system(url);
        if self.systems.len() < NEAR {
            self.systems.push((url.into(), system.clone()));
        }
        system
    }

    /// Whether this is said for the first time in the run.
    fn is_new(&mut self, about: &'static str, what: &str) -> bool {
        self.said.insert((about, what.into()))
    }

    /// Says once that codes of a system are not checked.
    fn system_not_checked(&mut self, system: &str, node: NodeId, findings: &mut Findings) {
        if self.is_new("system", system) {
            findings
                .add(
                    &rule::NOT_CHECKED,
                    node,
                    "the code system is not at hand, so its codes are not checked",
                )
                .with_value();
        }
    }

    /// Says once that a value set can't be decided.
    fn set_not_checked(&mut self, set: &str, node: NodeId, findings: &mut Findings) {
        if self.is_new("set", set) {
            findings
                .add(
                    &rule::NOT_CHECKED,
                    node,
                    "the value set can't be decided without a terminology server, so its codes are not checked",
                )
                .key(set.to_owned());
        }
    }

    /// What a server has said; else the question is kept, if somebody will ask.
    fn ask(&mut self, make: impl FnOnce() -> CodeQuestion) -> Answer {
        if !self.options.ask && self.answers.is_none() {
            return Answer::Open;
        }
        let question = make();
        if let Some(answer) = self.answers.and_then(|answers| answers.get(&question)) {
            return answer;
        }
        if self.options.ask {
            self.questions.insert(question);
        }
        Answer::Open
    }
}
