//! Extensions (R4 2.4): the known by their own definition, the parts of complex ones, the unknown, and where they may stand.

use super::{Visit, Visits, Walk};
use crate::issue::Severity;
use crate::validate::options::UnknownExtensions;
use crate::validate::primitive::scheme;
use crate::validate::program::{ContextKind, Element, Program, Programs};
use crate::validate::rule::structure;
use crate::validate::tree::{NodeId, Tree};
use crate::validate::types::TypeId;

/// HL7's own extensions: which there are is known.
const HL7: &str = "http://hl7.org/fhir/StructureDefinition/";
/// Those of HL7's tools, which change all the time.
const TOOLS: [&str; 2] = ["http://hl7.org/fhir/tools/", "http://hl7.org/fhir/build/"];
/// Domains that are nobody's, and that of DICOM, whose definitions nobody has.
const EXAMPLES: [&str; 3] = ["example.org", "acme.com", "nema.org"];

impl<'p> Walk<'_, 'p, '_> {
    /// An extension: `visit` is what the definition around it says.
    pub(super) fn extension(&mut self, node: NodeId, visit: Visit<'p>) {
        let Some(url) = self.tree.child_text(node, "url") else {
            self.generic(node, visit);
            return;
        };
        // A part of a complex extension, or an extension that a profile names.
        let slice = visit.element.slices.iter().find(|slice| *slice.url == *url);
        let part = slice.map(|slice| visit.program.element(slice.element));
        if let Some(part) = part.filter(|part| !part.children.is_empty()) {
            self.note(node, Visit { element: part, ..visit });
            self.children(node, visit.program, part);
            return;
        }
        if !is_absolute(url) {
            if visit.program.is_partial {
                self.generic(node, visit);
                return;
            }
            if visit.program.is_constraint && visit.program.type_id == self.extension {
                let text = format!("{} has no part of this name", visit.program.url);
                let finding = self.findings.add(&structure::EXTENSION_PART_UNKNOWN, node, text);
                finding.profile(visit.program.url.to_string()).with_value();
            } else if self.profile.is_none() && !self.is_part_of_unknown(node) {
                let text = "the URL of the extension is not absolute";
                self.findings.add(&structure::EXTENSION_URL, node, text).with_value();
            }
            self.generic(node, visit);
            return;
        }
        // Its own definition has been asked in the base's round.
        if self.profile.is_some() {
            return;
        }
        let Some(program) = self.known(url) else {
            self.unknown_extension(node);
            self.generic(node, visit);
            return;
        };
        self.place(node, program);
        if program.is_partial {
            let text =
                "the definition of this extension has no snapshot, so only its place was checked";
            self.findings
                .add(&structure::PROFILE_UNCHECKED, node, text)
                .profile(program.url.to_string());
        }
        self.note(node, Visit { type_program: Some(program), ..visit });
        self.children(node, program, &program.root);
    }

    /// The definition of an extension by its URL.
    fn known(&self, url: &str) -> Option<&'p Program> {
        let programs = self.programs;
        let program = programs.of_url(url);
        let program =
            program.or_else(|| programs.of_url(url.split('|').next().unwrap_or_default()));
        program.filter(|program| program.type_id == self.extension && program.is_constraint)
    }

    /// An extension of which no more is known than that it is one.
    fn generic(&mut self, node: NodeId, visit: Visit<'p>) {
        self.note(node, visit);
        if self.profile.is_none()
            && let Some(program) =
                self.programs.find_type(self.extension).and_then(|id| self.programs.of(id))
        {
            self.children(node, program, &program.root);
        }
    }

    /// Whether it stands in an extension that nobody knows: its name may be one of that one's parts.
    fn is_part_of_unknown(&self, node: NodeId) -> bool {
        let parent = self.tree.parent(node);
        parent.is_some_and(|parent| {
            matches!(self.tree.name(parent), "extension" | "modifierExtension")
        })
    }

    fn unknown_extension(&mut self, node: NodeId) {
        let url = self.tree.child_text(node, "url").unwrap_or_default();
        let domains = &self.options.allowed_extension_domains;
        let is_allowed = TOOLS.iter().any(|prefix| url.starts_with(prefix))
            || EXAMPLES.iter().any(|domain| url.contains(domain)) && !self.options.forbid_examples
            || domains.iter().any(|domain| url.starts_with(domain.as_str()));
        // Those for elements of other releases stand in no package: they are made up by a rule.
        let is_error = !is_allowed
            && !is_of_other_release(url)
            && (self.options.unknown_extensions == UnknownExtensions::Error
                || url.starts_with(HL7));
        let is_modifier = self.tree.name(node) == "modifierExtension";
        let severity = match (is_error, is_modifier) {
            (true, _) => Severity::Error,
            (false, true) => Severity::Warning,
            (false, false) => Severity::Information,
        };
        let text = "no definition of this extension is at hand, so it was not checked";
        self.findings
            .add(&structure::EXTENSION_UNKNOWN, node, text)
            .severity(severity)
            .with_value();
    }

    /// Whether a known extension stands where it may.
    fn place(&mut self, node: NodeId, program: &'p Program) {
        let is_modifier = self.tree.name(node) == "modifierExtension";
        if is_modifier != program.root.is_modifier {
            let text = if is_modifier {
                "the extension does not modify, so it belongs into extension"
            } else {
                "the extension modifies, so it belongs into modifierExtension"
            };
            self.findings
                .add(&structure::EXTENSION_MODIFIER, node, text)
                .profile(program.url.to_string());
        }
        if fits(self.programs, &self.tree, &self.visits, node, program) == Fit::No {
            let container = self.tree.parent(node).unwrap_or(NodeId::ROOT);
            let places: Vec<&str> =
                program.context.iter().map(|context| &*context.expression).collect();
            self.findings
                .add(
                    &structure::EXTENSION_CONTEXT,
                    container,
                    format!("the extension {} may not stand here", program.url),
                )
                .allowed(places.join(", "))
                .profile(program.url.to_string());
        }
    }

    /// How often each extension is there that a definition names.
    pub(super) fn count_slices(
        &mut self,
        node: NodeId,
        program: &'p Program,
        element: &'p Element,
    ) {
        for slice in &element.slices {
            let definition = program.element(slice.element);
            let named = self.tree.children_named(node, &element.name);
            let count =
                named.filter(|at| self.tree.child_text(*at, "url") == Some(&slice.url)).count();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            if count < definition.min {
                self.too_few(node, program, definition, count);
            }
            if count > definition.max {
                let text = format!(
                    "{} may be there {} times at most, but is there {count} times",
                    definition.id, definition.max
                );
                self.cardinality(&structure::MAXIMUM, node, program, definition, text);
            }
        }
    }
}

/// Whether it names an element of another release: `http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.x` (R5 2.1.2.1.5
/// "Extensions for converting between versions").
fn is_of_other_release(url: &str) -> bool {
    let rest = url.strip_prefix("http://hl7.org/fhir/").and_then(|rest| rest.split_once('/'));
    rest.is_some_and(|(release, rest)| {
        release.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && rest.starts_with("StructureDefinition/extension-")
    })
}

/// Contexts that published definitions lack, as the reference engine puts them right.
const CORRECTED: [(&str, &str); 1] = [
    // The extension stands on the type itself, in every release's own definitions; R4 and R4B say "type.code".
    (
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type",
        "ElementDefinition.type",
    ),
];

/// Whether a URL stands by itself.
fn is_absolute(url: &str) -> bool {
    scheme(url).is_some_and(|(_, rest)| !rest.is_empty())
}

/// Whether an extension may stand where it stands, as far as paths and types tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It may.
    Yes,
    /// It may not.
    No,
    /// One of its contexts is FHIRPath, and none of the others fits.
    AskFhirPath,
}

/// Whether the extension at `node` may stand there by its definition's contexts (R4 5.6.0.1 "Context"); FHIRPath contexts
/// are left to whoever can evaluate them.
pub fn fits(
    programs: &Programs,
    tree: &Tree<'_>,
    visits: &Visits<'_>,
    node: NodeId,
    program: &Program,
) -> Fit {
    let Some(container) = tree.parent(node) else { return Fit::Yes };
    let mut fit = if program.context.is_empty() { Fit::Yes } else { Fit::No };
    for context in &program.context {
        let holds = match context.kind {
            ContextKind::Element => {
                let visit = visits.get(container);
                visit.is_some_and(|visit| is_path(visit, &context.expression))
                    || is_at(programs, tree, container, &context.expression)
            }
            ContextKind::Extension => is_extension(tree, container, &context.expression),
            ContextKind::FhirPath => {
                fit = Fit::AskFhirPath;
                false
            }
        };
        if holds {
            return Fit::Yes;
        }
    }
    let corrected = CORRECTED.iter().filter(|(url, _)| *url == &*program.url);
    if corrected.into_iter().any(|(_, path)| is_at(programs, tree, container, path)) {
        return Fit::Yes;
    }
    // In the definition of an element, values stand for those of other elements.
    if fit == Fit::No && is_in_definition(tree, container) { Fit::Yes } else { fit }
}

fn is_extension(tree: &Tree<'_>, container: NodeId, url: &str) -> bool {
    let is_it = |node| tree.child_text(node, "url") == Some(url);
    let parent = tree.parent(container);
    is_it(container)
        || parent.is_some_and(|parent| tree.name(container) == "extension" && is_it(parent))
}

/// Whether it is, or lies in, an example, pattern or fixed value of an ElementDefinition.
fn is_in_definition(tree: &Tree<'_>, container: NodeId) -> bool {
    let mut at = container;
    while let Some(parent) = tree.parent(at) {
        let is_element = matches!(tree.element_name(parent), "element" | "example");
        if is_element && matches!(tree.element_name(at), "value" | "fixed" | "pattern") {
            return true;
        }
        at = parent;
    }
    false
}

/// Whether an element's definition, or the one that it shares (an item in an item), has this path.
fn is_path(visit: &Visit<'_>, path: &str) -> bool {
    let shared = visit.element.content.map(|content| visit.program.element(content));
    *visit.element.path == *path || shared.is_some_and(|element| *element.path == *path)
}

/// Whether an element is where a path of elements leads: `Patient.name` and `HumanName` and `Element` for a patient's name.
fn is_at(programs: &Programs, tree: &Tree<'_>, container: NodeId, expression: &str) -> bool {
    // `url#path`: a place in a profile; the path is what can be looked at here.
    let path = expression.rsplit('#').next().unwrap_or_default();
    let (type_name, rest) = path.split_once('.').map_or((path, ""), |(first, rest)| (first, rest));
    if path == "Element" || path == "Any" {
        return true;
    }
    let mut at = container;
    for step in rest.rsplit('.').filter(|step| !step.is_empty()) {
        let step = step.split(':').next().unwrap_or_default();
        let name = step.strip_suffix("[x]").unwrap_or(step);
        let of_type = name.strip_prefix("ofType(").and_then(|name| name.strip_suffix(')'));
        if let Some(of_type) = of_type {
            if programs.types().name(tree.type_of(at)) != of_type {
                return false;
            }
            continue;
        }
        if tree.element_name(at) != name && tree.name(at) != name
            || tree.resource_type(at).is_some()
        {
            return false;
        }
        let Some(parent) = tree.parent(at) else { return false };
        at = parent;
    }
    is_kind(programs, tree, at, type_name)
}

/// Whether an element is of a type, or of one derived from it.
fn is_kind(programs: &Programs, tree: &Tree<'_>, node: NodeId, type_name: &str) -> bool {
    let types = programs.types();
    let type_id = tree.type_of(node);
    if let Some(wanted) = types.id(type_name)
        && type_id != TypeId::UNKNOWN
        && types.is_a(type_id, wanted)
    {
        return true;
    }
    // R4 has no type for what has a canonical URL.
    let program = || programs.find_type(type_id).and_then(|id| programs.of(id));
    matches!(type_name, "CanonicalResource" | "MetadataResource")
        && tree.resource_type(node).is_some()
        && program().is_some_and(|program| {
            ["url", "status"].iter().all(|name| program.root.children.find(name).is_some())
        })
}
