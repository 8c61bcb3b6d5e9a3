//! The invariants as rules on a document: which hold for an element, and what is said of those that do not.
//!
//! For an element these are the ones that its definition has and those of its type's own definition, each once; for an
//! extension also where its definition allows it in FHIRPath. Those that tell good practice are left out unless asked for.

use std::sync::Arc;

use super::{Verdict, compile, corrected};
use crate::fhir::Release;
use crate::issue::Severity;
use crate::validate::document::{Document, Pass, Visit};
use crate::validate::fhirpath::{Collection, Context, Host, Item, Model, Resolved};
use crate::validate::finding::Findings;
use crate::validate::program::{Constraint, ContextKind, Program};
use crate::validate::reference::{self, References};
use crate::validate::rule::{invariant as rule, structure};
use crate::validate::terminology::{Membership, Terminology};
use crate::validate::tree::{NodeId, Tree};
use crate::validate::types::{TypeId, Types};
use crate::validate::{Fit, fits, xhtml};

/// The invariants of a release's definitions and of profiles.
#[derive(Debug, Clone)]
pub struct InvariantRules {
    model: Model,
    terminology: Arc<Terminology>,
    extension: TypeId,
}

impl InvariantRules {
    /// The rules for the types of a release; `memberOf` asks this terminology.
    pub fn new(types: &Arc<Types>, terminology: Arc<Terminology>) -> Self {
        let extension = types.id("Extension").unwrap_or(TypeId::UNKNOWN);
        Self { model: Model::new(Arc::clone(types)), terminology, extension }
    }
}

impl Pass for InvariantRules {
    fn round(&self, document: &Document<'_, '_>, findings: &mut Findings) {
        let surroundings =
            Surroundings { terminology: &self.terminology, references: document.references };
        let context = Context::new(document.tree, &self.model).with_host(&surroundings);
        let mut round = Round { document, context, findings, release: document.programs.release() };
        for node in document.elements() {
            let Some(visit) = document.visit(node) else { continue };
            round.element(node, visit);
            if document.profile.is_none() && document.tree.type_of(node) == self.extension {
                round.extension(node, &self.model, &surroundings);
            }
        }
    }
}

/// One round over a document.
struct Round<'r, 'd, 'p> {
    document: &'r Document<'d, 'p>,
    context: Context<'r>,
    findings: &'r mut Findings,
    release: Release,
}

impl Round<'_, '_, '_> {
    fn element(&mut self, node: NodeId, visit: &Visit<'_>) {
        let own = &visit.element.constraints;
        for constraint in own {
            self.constraint(node, constraint);
        }
        let of_type = visit.type_program.map(|program| &program.root.constraints);
        for constraint in of_type.into_iter().flatten() {
            let is_own = |one: &&Constraint| {
                one.key == constraint.key && one.expression == constraint.expression
            };
            if !own.iter().any(|one| is_own(&one)) {
                self.constraint(node, constraint);
            }
        }
    }

    fn constraint(&mut self, node: NodeId, constraint: &Constraint) {
        if constraint.expression.is_empty()
            // Whether contained resources are used is told one by one, by `reference`.
            || &*constraint.key == "dom-3"
            || constraint.is_best_practice && !self.document.options.best_practice
        {
            return;
        }
        match self.verdict(node, constraint, None) {
            None | Some(Verdict::Holds) => {}
            Some(Verdict::Fails) => {
                let severity =
                    if constraint.is_error { Severity::Error } else { Severity::Warning };
                let text = format!("{}: {}", constraint.key, constraint.human);
                let finding = self.findings.add(&rule::BROKEN, node, text).severity(severity);
                finding.key(constraint.key.to_string()).allowed(constraint.expression.to_string());
                if !constraint.source.is_empty() {
                    finding.profile(constraint.source.to_string());
                }
            }
            Some(Verdict::NotChecked(stop)) => {
                if self.findings.is_first(&rule::NOT_CHECKED, &constraint.key) {
                    let text =
                        format!("{} can't be evaluated here: it needs {stop}", constraint.key);
                    self.findings
                        .add(&rule::NOT_CHECKED, node, text)
                        .key(constraint.key.to_string());
                }
            }
        }
    }

    /// What becomes of an expression; nothing if it can't be read, which is told once.
    fn verdict(
        &mut self,
        node: NodeId,
        constraint: &Constraint,
        context: Option<&Context<'_>>,
    ) -> Option<Verdict> {
        let compiled = constraint.compiled.get_or_init(|| {
            compile(corrected(self.release, &constraint.key, &constraint.expression)).ok()
        });
        let Some(compiled) = compiled else {
            if self.findings.is_first(&rule::UNREADABLE, &constraint.key) {
                let text = format!("the expression of {} can't be read", constraint.key);
                let finding = self.findings.add(&rule::UNREADABLE, node, text);
                finding.key(constraint.key.to_string()).allowed(constraint.expression.to_string());
            }
            return None;
        };
        Some(compiled.evaluate(context.unwrap_or(&self.context), node))
    }

    /// What an extension's own definition says in FHIRPath about where it stands.
    fn extension(&mut self, node: NodeId, model: &Model, surroundings: &Surroundings<'_>) {
        let tree = self.document.tree;
        let (Some(url), Some(container)) = (tree.child_text(node, "url"), tree.parent(node)) else {
            return;
        };
        if !url.contains(':') {
            return;
        }
        let Some(program) = self.document.programs.of_url(url) else { return };
        if program.context_invariants.is_empty() && !asks_fhirpath(program) {
            return;
        }
        let context = Context::new(tree, model)
            .with_host(surroundings)
            .with_variable("extension", Collection::One(Item::Node(node)));
        for constraint in &program.context_invariants {
            if self.verdict(container, constraint, Some(&context)) == Some(Verdict::Fails) {
                let text = format!(
                    "the extension {} may not stand here: {}",
                    program.url, constraint.expression
                );
                let finding = self.findings.add(&structure::EXTENSION_CONTEXT, container, text);
                finding.profile(program.url.to_string()).key(constraint.expression.to_string());
            }
        }
        let fit = fits(self.document.programs, tree, self.document.visits, node, program);
        if fit == Fit::AskFhirPath && !leads_to(program, &context, tree, container) {
            let text = format!("the extension {} may not stand here", program.url);
            self.findings
                .add(&structure::EXTENSION_CONTEXT, container, text)
                .profile(program.url.to_string());
        }
    }
}

fn asks_fhirpath(program: &Program) -> bool {
    program.context.iter().any(|context| context.kind == ContextKind::FhirPath)
}

/// Whether a FHIRPath context, evaluated on the resource, leads to the element; also if that can't be told.
fn leads_to(program: &Program, context: &Context<'_>, tree: &Tree<'_>, container: NodeId) -> bool {
    let resource = tree.resource_of(container);
    program.context.iter().filter(|one| one.kind == ContextKind::FhirPath).any(|one| {
        let compiled = one.compiled.get_or_init(|| compile(&one.expression).ok());
        let Some(compiled) = compiled else { return true };
        match context.evaluate(&compiled.expression, resource) {
            Ok(found) => found
                .as_slice()
                .iter()
                .any(|item| matches!(item, Item::Node(node) if *node == container)),
            Err(_) => true,
        }
    })
}

/// What invariants ask.
struct Surroundings<'d> {
    terminology: &'d Terminology,
    references: &'d References<'d>,
}

impl Host for Surroundings<'_> {
    fn resolve(&self, _: &Tree<'_>, at: NodeId, reference: &str) -> Resolved {
        match self.references.resolve(at, reference) {
            reference::Resolved::Here(node) => Resolved::Node(node),
            _ => Resolved::Unknown,
        }
    }

    fn member_of(&self, tree: &Tree<'_>, at: NodeId, value_set: &str) -> Option<bool> {
        let set = self.terminology.value_set(value_set)?;
        let told = |membership| match membership {
            Membership::In => Some(true),
            Membership::Out => Some(false),
            Membership::Unknown(_) => None,
        };
        if let Some(code) = tree.text(at) {
            return told(set.holds_code(code));
        }
        let of_coding = |coding: NodeId| {
            let system = tree.child_text(coding, "system").unwrap_or_default();
            told(set.holds(system, tree.child_text(coding, "code")?))
        };
        if tree.child(at, "coding").is_none() {
            return of_coding(at);
        }
        let mut answer = Some(false);
        for coding in tree.children_named(at, "coding") {
            match of_coding(coding) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    }

    fn code_member_of(&self, code: &str, value_set: &str) -> Option<bool> {
        match self.terminology.value_set(value_set)?.holds_code(code) {
            Membership::In => Some(true),
            Membership::Out => Some(false),
            Membership::Unknown(_) => None,
        }
    }

    fn html_checks(&self, markup: &str) -> Option<bool> {
        Some(xhtml::html_checks(markup).is_ok())
    }

    fn html_has_content(&self, markup: &str) -> Option<bool> {
        Some(xhtml::has_content(markup))
    }
}
