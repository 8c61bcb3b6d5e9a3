//! The walk: a document and its definitions side by side, once, from the root down.
//!
//! It checks what the structure demands (which elements there may be, how often, of which type) and notes for every element
//! what the definitions say about it: in the tree its type, in the list of [`Visit`]s its definition. All other rules look
//! there and never search. A profile is walked the same way in a round of its own, which says only what the base did not.
//!
//! It allocates nothing per element while all is well. It refuses nothing: what no definition knows is told and not gone into.

mod extension;
mod resource;
mod value;

use std::borrow::Cow;
use std::ops::Deref;

use super::document::{Visit, Visits};
use super::finding::Findings;
use super::options::Options;
use super::program::{Child, Element, ElementType, Form, Program, Programs};
use super::rule::{form, structure};
use super::tree::{Kind, NodeId, Tree};
use super::types::{TypeId, TypeKind};

pub use extension::{Fit, fits};

/// How deep elements may lie; readers refuse earlier (reliability-and-security.md C1).
const DEPTH: usize = 256;

/// Walks a document by the base definitions of its resources.
pub(super) fn base<'p>(
    programs: &'p Programs,
    options: &Options,
    tree: &mut Tree<'_>,
    findings: &mut Findings,
) -> Visits<'p> {
    let visits = Visits::below(tree, NodeId::ROOT);
    let mut walk = Walk::new(programs, options, Ground::First(tree), findings, visits);
    walk.resource(NodeId::ROOT, None);
    walk.visits
}

/// Walks one resource of a document by a profile; what is noted is the profile's.
pub(super) fn profile<'p>(
    programs: &'p Programs,
    options: &Options,
    tree: &Tree<'_>,
    findings: &mut Findings,
    (node, program): (NodeId, &'p Program),
) -> Visits<'p> {
    let visits = Visits::below(tree, node);
    let mut walk = Walk::new(programs, options, Ground::Again(tree), findings, visits);
    walk.profile = Some(program);
    walk.note(node, Visit { program, element: &program.root, of_type: None, type_program: None });
    walk.children(node, program, &program.root);
    walk.visits
}

/// The document on a walk: the first one writes down what it learns of the types, later ones read that.
enum Ground<'w, 's> {
    First(&'w mut Tree<'s>),
    Again(&'w Tree<'s>),
}

impl<'s> Deref for Ground<'_, 's> {
    type Target = Tree<'s>;

    fn deref(&self) -> &Tree<'s> {
        match self {
            Self::First(tree) => tree,
            Self::Again(tree) => tree,
        }
    }
}

impl Ground<'_, '_> {
    fn assign(&mut self, node: NodeId, type_id: TypeId, stem: usize, is_list: bool) {
        if let Self::First(tree) = self {
            tree.assign(node, type_id, stem, is_list);
        }
    }
}

struct Walk<'w, 'p, 's> {
    programs: &'p Programs,
    options: &'w Options,
    tree: Ground<'w, 's>,
    findings: &'w mut Findings,
    visits: Visits<'p>,
    /// The profile whose round it is.
    profile: Option<&'p Program>,
    /// The type of extensions.
    extension: TypeId,
    depth: usize,
}

/// Siblings of one name.
#[derive(Clone, Copy)]
struct Run<'p> {
    child: &'p Child,
    element: &'p Element,
    first: NodeId,
    count: u32,
}

impl<'w, 'p, 's> Walk<'w, 'p, 's> {
    fn new(
        programs: &'p Programs,
        options: &'w Options,
        tree: Ground<'w, 's>,
        findings: &'w mut Findings,
        visits: Visits<'p>,
    ) -> Self {
        let extension = programs.types().id("Extension").unwrap_or(TypeId::UNKNOWN);
        Self { programs, options, tree, findings, visits, profile: None, extension, depth: 0 }
    }

    fn note(&mut self, node: NodeId, visit: Visit<'p>) {
        self.visits.put(node, visit);
    }

    /// The children of an element, by the definition in which they stand.
    fn children(&mut self, node: NodeId, program: &'p Program, element: &'p Element) {
        if self.depth == DEPTH {
            self.findings.add(
                &structure::DEPTH,
                node,
                "what lies below this element was not checked",
            );
            return;
        }
        self.depth += 1;
        let is_xml = !self.tree.is_json();
        let (mut seen, mut furthest) = (0_u128, 0);
        let mut run: Option<Run<'p>> = None;
        let mut cursor = self.tree.cursor(node);
        while let Some(at) = self.tree.step(&mut cursor) {
            let name = self.tree.name(at);
            let mut now = match run {
                Some(run) if *run.child.name == *name => run,
                ended => {
                    let found = element.children.find(name);
                    if let Some(run) = ended {
                        self.end(node, program, run);
                    }
                    let Some(child) = found else {
                        run = None;
                        seen |= self.unknown(node, at, program, element);
                        continue;
                    };
                    let bit = bit(child);
                    let definition = program.element(child.element);
                    if seen & bit != 0 {
                        self.again(node, at, definition);
                    } else if is_xml && child.place < furthest {
                        self.disorder(at);
                    }
                    // Attributes stand before all elements.
                    if !definition.is_attribute {
                        furthest = furthest.max(child.place);
                    }
                    let run = Run { child, element: definition, first: at, count: 0 };
                    self.begin(run);
                    run
                }
            };
            let of_type = now.element.types.get(usize::from(now.child.of_type));
            // What can't be read as what it should be is not there.
            if self.element(at, program, now.element, of_type, usize::from(now.child.stem)) {
                now.count += 1;
                seen |= bit(now.child);
            }
            run = Some(now);
        }
        if let Some(run) = run {
            self.end(node, program, run);
        }
        let missing = element.children.required() & !seen;
        if missing != 0 {
            self.missing(node, program, element, missing);
        }
        for sliced in element.children.sliced() {
            self.count_slices(node, program, program.element(*sliced));
        }
        self.depth -= 1;
    }

    /// The first of siblings: whether they stand in an array as they should.
    fn begin(&mut self, run: Run<'p>) {
        let kind = self.tree.kind(run.first);
        if self.profile.is_some() || !self.tree.is_json() || kind == Kind::EmptyArray {
            return;
        }
        if run.element.is_list && !self.tree.in_array(run.first) {
            self.findings.add(
                &structure::ARRAY_EXPECTED,
                run.first,
                format!("{} may repeat, so JSON has it as an array", run.element.path),
            );
        } else if !run.element.is_list && self.tree.in_array(run.first) {
            self.findings.add(
                &structure::ARRAY_UNEXPECTED,
                run.first,
                format!("{} may not repeat, so JSON has no array there", run.element.path),
            );
        }
    }

    /// The last of siblings: how many they were.
    fn end(&mut self, node: NodeId, program: &'p Program, run: Run<'p>) {
        let Run { element, count, .. } = run;
        // In JSON, an array where none belongs has been told.
        let told = self.tree.is_json() && self.profile.is_none() && !element.is_list;
        if count > element.max && (!told || element.max == 0) {
            let text = format!(
                "{} may be there {} times at most, but is there {count} times",
                element.id, element.max
            );
            self.cardinality(&structure::MAXIMUM, node, program, element, text);
        }
        // If there is none at all, it is missing: that is told of all that are.
        if count > 0 && count < element.min {
            self.too_few(node, program, element, count);
        }
    }

    fn too_few(&mut self, node: NodeId, program: &'p Program, element: &'p Element, count: u32) {
        let text = format!(
            "{} must be there {} times at least, but is there {count} times",
            element.id, element.min
        );
        self.cardinality(&structure::MINIMUM, node, program, element, text);
    }

    fn cardinality(
        &mut self,
        rule: &'static super::rule::Rule,
        node: NodeId,
        program: &'p Program,
        element: &'p Element,
        text: String,
    ) {
        let member = written(element).to_owned();
        let finding = self.findings.add(rule, node, text).member(member);
        if program.is_constraint || self.profile.is_some() {
            finding.profile(program.url.to_string());
        }
    }

    /// Elements that must be there and are not.
    fn missing(&mut self, node: NodeId, program: &'p Program, element: &'p Element, missing: u128) {
        let mut told = 0_u128;
        for child in element.children.all() {
            let bit = bit(child);
            if missing & bit != 0 && told & bit == 0 {
                told |= bit;
                self.too_few(node, program, program.element(child.element), 0);
            }
        }
    }

    /// A second run of one element: another type of a choice, or siblings that do not stand together.
    fn again(&mut self, node: NodeId, at: NodeId, definition: &'p Element) {
        if self.profile.is_some() {
            return;
        }
        if definition.is_choice {
            let text = format!("{} is there with two types", definition.path);
            let member = written(definition).to_owned();
            self.findings
                .add(&structure::CHOICE_MULTIPLE, node, text)
                .offset(self.tree.name_start(at))
                .member(member);
        } else if !self.tree.is_json() {
            self.disorder(at);
        }
    }

    fn disorder(&mut self, at: NodeId) {
        if self.profile.is_none() {
            self.findings.add(
                &structure::ORDER,
                at,
                "the element is out of order: it belongs further up",
            );
        }
    }

    /// A name that the definition does not have; tells which element it stands for nevertheless, as a bit.
    fn unknown(
        &mut self,
        node: NodeId,
        at: NodeId,
        program: &'p Program,
        element: &'p Element,
    ) -> u128 {
        let offset = self.tree.name_start(at);
        let choice = stem_of(self.tree.name(at), element).filter(|_| program.is_constraint);
        let typed = |child: &'p Child| Some((child, self.named_type(at, usize::from(child.stem))?));
        if let Some((child, type_id)) = choice.and_then(typed) {
            let definition = program.element(child.element);
            if definition.max == 0 {
                let text = format!("{} is not allowed here", definition.id);
                self.cardinality(&structure::MAXIMUM, node, program, definition, text);
                self.stray(at, usize::from(child.stem), type_id);
                return bit(child);
            }
            let names: Vec<&str> = definition
                .types
                .iter()
                .map(|row| self.programs.types().name(row.type_id))
                .collect();
            let allowed = names.join(", ");
            let is_extension = program.type_id == self.extension;
            let rule =
                if is_extension { &structure::EXTENSION_TYPE } else { &structure::CHOICE_TYPE };
            let place = if is_extension { node } else { at };
            let text = format!("{} has a type that is not allowed here", definition.id);
            self.findings
                .add(rule, place, text)
                .offset(offset)
                .allowed(allowed)
                .profile(program.url.to_string());
            self.stray(at, usize::from(child.stem), type_id);
            return bit(child);
        }
        if self.profile.is_none() {
            let text = match &*element.path {
                "" => Cow::Borrowed("an element here is not known"),
                path => Cow::Owned(format!("{path} has no element of this name")),
            };
            self.findings.add(&structure::ELEMENT_UNKNOWN, node, text).offset(offset);
        }
        0
    }

    /// The type that the rest of a choice's name names.
    fn named_type(&self, at: NodeId, stem: usize) -> Option<TypeId> {
        let types = self.programs.types();
        let suffix = self.tree.name(at).get(stem..)?;
        types.id(suffix).or_else(|| {
            let mut name = suffix.to_owned();
            name.get_mut(..1)?.make_ascii_lowercase();
            types.id(&name)
        })
    }

    /// What has a type that is not allowed has it nevertheless.
    fn stray(&mut self, at: NodeId, stem: usize, type_id: TypeId) {
        if self.profile.is_some() {
            return;
        }
        self.tree.assign(at, type_id, stem, false);
        if let Some(program) = self.programs.find_type(type_id).and_then(|id| self.programs.of(id))
        {
            self.children(at, program, &program.root);
        }
    }

    /// One element with all below it; says whether it could be read as what its definition has.
    fn element(
        &mut self,
        node: NodeId,
        program: &'p Program,
        element: &'p Element,
        of_type: Option<&'p ElementType>,
        stem: usize,
    ) -> bool {
        let form = of_type.map_or(Form::Complex, |row| row.form);
        if self.profile.is_none() {
            let type_id = of_type.map_or_else(|| content_type(program, element), |row| row.type_id);
            self.tree.assign(node, type_id, stem, element.is_list);
            if self.tree.kind(node) != Kind::Object || form == Form::Unknown {
                if !self.plain(node, form) {
                    return false;
                }
            } else if !self.object(node, form) {
                return false;
            }
        }
        if form == Form::Resource {
            match self.profile {
                None => self.resource(node, of_type),
                Some(_) => self.profiled(node, of_type),
            }
            return true;
        }
        let type_program = of_type.and_then(|row| self.type_program(row));
        let visit = Visit { program, element, of_type, type_program };
        if element.checks_value {
            self.value(node, element, program);
        }
        if of_type.is_some_and(|row| row.type_id == self.extension) {
            self.extension(node, visit);
            return true;
        }
        // Of what is empty, no other rule has anything to add.
        if form != Form::Complex || self.tree.has_children(node) {
            self.note(node, visit);
        }
        if !element.children.is_empty() {
            self.children(node, program, element);
        } else if let Some(content) = element.content {
            self.children(node, program, program.element(content));
        } else if let Some(type_program) = type_program {
            // In a profile's round, a type's own definition has nothing new to say.
            if self.profile.is_none() || type_program.is_constraint {
                self.inner(node, form, type_program);
            }
        }
        true
    }

    /// The children of an element by the definition of its type; most primitives have none.
    fn inner(&mut self, node: NodeId, form: Form, type_program: &'p Program) {
        if matches!(form, Form::Complex | Form::Unknown) || self.tree.has_children(node) {
            self.children(node, type_program, &type_program.root);
        }
    }

    /// The definition of an element's type: a profile on it, if there is one to choose from only, else the type's own.
    fn type_program(&self, row: &'p ElementType) -> Option<&'p Program> {
        if let [profile] = &*row.profiles
            && let Some(program) = self.programs.of_url(profile)
            && program.type_id == row.type_id
        {
            return Some(program);
        }
        self.programs.of(row.program?)
    }

    /// Anything but an object: whether it is what the type wants; whether there is more to look at.
    fn plain(&mut self, node: NodeId, form: Form) -> bool {
        let kind = self.tree.kind(node);
        match kind {
            Kind::EmptyArray => {
                self.findings.add(&structure::ARRAY_EMPTY, node, "the array is empty");
                return false;
            }
            Kind::NestedArray => {
                self.findings.add(&structure::ARRAY_NESTED, node, "an array stands in the array");
                return false;
            }
            _ => {}
        }
        // How primitives write their values is their grammar's to say; `null` beside extensions is one of its ways.
        if matches!(form, Form::Complex | Form::Resource) {
            // In XML that is an element with nothing in it, or an attribute `value` where there is none.
            if !self.tree.is_json() && kind == Kind::Null {
                return self.object(node, form);
            }
            if !self.tree.is_json() && kind == Kind::String {
                let text = "an element with children has no value";
                self.findings.add(&form::ATTRIBUTE, node, text);
                return true;
            }
            let text = "something else stands where an object belongs";
            self.findings.add(&structure::OBJECT_EXPECTED, node, text);
            return false;
        }
        true
    }

    /// An object: whether the type has any; whether there is more to look at.
    fn object(&mut self, node: NodeId, form: Form) -> bool {
        let has_children = self.tree.has_children(node);
        match form {
            Form::Complex | Form::Unknown => {
                // It is there all the same, and lacks what it must have.
                if !has_children {
                    self.findings.add(&structure::OBJECT_EMPTY, node, "the element has no content");
                }
                true
            }
            Form::Resource => true,
            Form::Boolean | Form::Number | Form::Text | Form::Xhtml => {
                if self.tree.is_json() && !self.tree.is_underscore(node) {
                    self.findings.add(
                        &structure::VALUE_EXPECTED,
                        node,
                        "an object stands where a plain value belongs",
                    );
                    return false;
                }
                true
            }
        }
    }
}

/// A child among the first 128 as a bit.
fn bit(child: &Child) -> u128 {
    if child.place < 128 { 1 << child.place } else { 0 }
}

/// The name of an element as a definition writes it: `value[x]`, `extension:race`.
fn written(element: &Element) -> &str {
    element.id.rsplit('.').next().unwrap_or_default()
}

/// The type of an element whose children stand in the definition itself.
fn content_type(program: &Program, element: &Element) -> TypeId {
    let target = element.content.map(|content| program.element(content));
    target.and_then(|target| target.types.first()).map_or(TypeId::UNKNOWN, |row| row.type_id)
}

/// The choice of which a name could be one, if its type were allowed.
fn stem_of<'e>(name: &str, element: &'e Element) -> Option<&'e Child> {
    element.children.all().iter().find(|child| {
        let stem = usize::from(child.stem);
        stem > 0
            && name.get(..stem) == child.name.get(..stem)
            && name
                .get(stem..)
                .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    })
}

/// Whether a definition is of a resource that can be: not abstract, and no other kind.
fn is_concrete(programs: &Programs, program: &Program) -> bool {
    program.kind == TypeKind::Resource && !programs.types().is_abstract(program.type_id)
}
