//! The checks of coded elements: is the code one of its system, is it in the bound value set, is it called so.
//!
//! [`CodeRules`] looks at the codes themselves ([`coding`]), whatever the binding, and at the binding ([`binding`]) if
//! there is one. Severities, kinds and places are those of the HL7 engine, offline, with two differences: one coding
//! that is in a required set is enough (R4 4.1.5), and an unknown system is said once per document, as "not checked",
//! instead of at every code.
//!
//! It refuses nothing, and allocates for a finding only.

mod binding;
mod coding;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Answers, CodeQuestion, CodeSystem, Terminology, ValueSet};
use crate::fhir::Release;
use crate::validate::document::{Document, Pass, Visit};
use crate::validate::finding::Findings;
use crate::validate::options::Options;
use crate::validate::program::Binding;
use crate::validate::rule::terminology as rule;
use crate::validate::tree::{NodeId, Tree};
use crate::validate::types::{TypeId, Types};

/// The types whose elements are coded.
#[derive(Debug, Clone, Copy)]
struct Kinds {
    concept: TypeId,
    coding: TypeId,
    quantities: [TypeId; 8],
    concept_or_reference: TypeId,
    texts: [TypeId; 5],
}

impl Kinds {
    /// The coded types of a release.
    fn of(types: &Types) -> Self {
        let id = |name| types.id(name).unwrap_or(TypeId::UNKNOWN);
        Self {
            concept: id("CodeableConcept"),
            coding: id("Coding"),
            quantities: [
                "Quantity",
                "SimpleQuantity",
                "Age",
                "Count",
                "Distance",
                "Duration",
                "MoneyQuantity",
                "Money",
            ]
            .map(id),
            concept_or_reference: id("CodeableReference"),
            texts: ["code", "string", "uri", "url", "canonical"].map(id),
        }
    }
}

/// The rules of coded elements, as a pass over walked documents.
pub struct CodeRules {
    terminology: Arc<Terminology>,
    kinds: Kinds,
    answers: Option<Arc<Answers>>,
    /// What somebody will be asked; nothing is collected if nobody will.
    questions: Option<Mutex<BTreeSet<CodeQuestion>>>,
}

impl fmt::Debug for CodeRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("rules of coded elements")
    }
}

/// What a check needs beside the element.
#[derive(Clone, Copy)]
struct Look<'l> {
    tree: &'l Tree<'l>,
    options: &'l Options,
}

impl Pass for CodeRules {
    fn round(&self, document: &Document<'_, '_>, findings: &mut Findings) {
        for node in document.elements() {
            if let Some(visit) = document.visit(node) {
                self.element(document, node, visit, findings);
            }
        }
    }
}

impl CodeRules {
    fn element(
        &self,
        document: &Document<'_, '_>,
        node: NodeId,
        visit: &Visit<'_>,
        findings: &mut Findings,
    ) {
        let look = Look { tree: document.tree, options: document.options };
        let binding = visit.element.binding.as_ref();
        let type_id = document.tree.type_of(node);
        if type_id == TypeId::UNKNOWN {
            return;
        }
        // A further profile only binds further: the codes themselves have been looked at.
        let is_first = document.profile.is_none();
        if type_id == self.kinds.concept {
            if is_first {
                self.concept(look, node, binding, findings);
            } else if let Some(binding) = binding {
                self.bound_concept(look, node, binding, findings);
            }
        } else if type_id == self.kinds.coding {
            let parent = document.tree.parent(node);
            if parent.is_some_and(|parent| document.tree.type_of(parent) == self.kinds.concept) {
                return;
            }
            if is_first {
                self.coding(look, node, binding, findings);
            } else if let Some(binding) = binding {
                self.bound_coding(look, node, binding, findings);
            }
        } else if self.kinds.texts.contains(&type_id) {
            if let Some(binding) = binding {
                self.text(look, node, binding, findings);
            }
        } else if type_id == self.kinds.concept_or_reference {
            if let (Some(binding), Some(concept)) = (binding, document.tree.child(node, "concept"))
            {
                self.bound_concept(look, concept, binding, findings);
            }
        } else if self.kinds.quantities.contains(&type_id) {
            if is_first {
                self.quantity(look, node, binding, findings);
            } else if let Some(binding) = binding {
                self.bound_quantity(look, node, binding, findings);
            }
        }
    }
}

impl CodeRules {
    /// The rules by a terminology, for the types of its release; with answers of a server, if there are.
    pub fn new(
        terminology: Arc<Terminology>,
        types: &Types,
        answers: Option<Arc<Answers>>,
    ) -> Self {
        Self { terminology, kinds: Kinds::of(types), answers, questions: None }
    }

    /// The same, collecting what a server would have to be asked: [`Self::take_questions`].
    #[must_use]
    pub fn asking(mut self) -> Self {
        self.questions = Some(Mutex::default());
        self
    }

    /// What would have to be asked: taken out, in order, each once.
    pub fn take_questions(&self) -> Vec<CodeQuestion> {
        let Some(questions) = &self.questions else { return Vec::new() };
        let mut questions = questions.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *questions).into_iter().collect()
    }

    fn is_before_r5(&self) -> bool {
        self.terminology.release() < Release::R5
    }

    fn set(&self, binding: &Binding) -> Option<Arc<ValueSet>> {
        self.terminology.bound(&binding.value_set, &binding.handle)
    }

    fn maximum_set(&self, binding: &Binding) -> Option<Arc<ValueSet>> {
        self.terminology.bound(binding.maximum.as_deref()?, &binding.maximum_handle)
    }

    /// What a server has said; else the question is kept, if somebody will ask.
    fn ask(&self, make: impl FnOnce() -> CodeQuestion) -> Answer {
        if self.questions.is_none() && self.answers.is_none() {
            return Answer::Open;
        }
        let question = make();
        if let Some(answer) = self.answers.as_ref().and_then(|answers| answers.get(&question)) {
            return answer;
        }
        if let Some(questions) = &self.questions {
            questions.lock().unwrap_or_else(PoisonError::into_inner).insert(question);
        }
        Answer::Open
    }
}

/// Says once in a document that codes of a system are not checked.
fn system_not_checked(
    known: Option<&CodeSystem>,
    system: &str,
    node: NodeId,
    findings: &mut Findings,
) {
    if findings.is_first(&rule::NOT_CHECKED, system) {
        let text = "the code system is not at hand, so its codes are not checked";
        let finding = findings.add(&rule::NOT_CHECKED, node, text).with_value();
        // A URL that only the document has is not shown without leave.
        if let Some(known) = known {
            finding.key(known.url().to_owned());
        }
    }
}

/// Says once in a document that a value set can't be decided.
fn set_not_checked(set: &str, node: NodeId, findings: &mut Findings) {
    if findings.is_first(&rule::NOT_CHECKED, set) {
        let text = "the value set can't be decided without a terminology server, so its codes are not checked";
        findings.add(&rule::NOT_CHECKED, node, text).key(set.to_owned());
    }
}

impl Pass for Arc<CodeRules> {
    fn round(&self, document: &Document<'_, '_>, findings: &mut Findings) {
        CodeRules::round(self, document, findings);
    }
}
