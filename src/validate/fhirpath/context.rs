//! Where an expression is evaluated: the document, its types, the surroundings, the limits.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use super::Expression;
use super::decimal::Decimal;
use super::evaluate::{Evaluation, Frame};
use super::host::{Alone, Host};
use super::item::{Collection, Item};
use super::limit::{Limits, Stop};
use super::model::{Class, Model};
use super::quantity::{Quantity, Unit};
use super::temporal::Temporal;
use crate::validate::tree::{Kind, NodeId, Tree};
use crate::validate::types::TypeId;

/// The surroundings of evaluations over one document. Made once per document, it serves any number of them.
pub struct Context<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) model: &'a Model,
    pub(super) host: &'a dyn Host,
    pub(super) strict: bool,
    pub(super) choice_names: bool,
    pub(super) limits: Limits,
    pub(super) now: Option<Temporal>,
    pub(super) start: Option<NodeId>,
    pub(super) resource: Option<NodeId>,
    pub(super) root_resource: Option<NodeId>,
    pub(super) variables: Vec<(&'a str, Collection<'a>)>,
    /// The `fullUrl`s of the entries of a Bundle and their resources, in order of the URL.
    pub(super) entries: OnceCell<Vec<(NodeId, NodeId)>>,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "context of {:?}", self.tree)
    }
}

impl<'a> Context<'a> {
    /// A context without surroundings, for invariants: names of choices (`valueQuantity`) are known beside those of
    /// elements, `as` filters collections, text functions of several items yield nothing, as in the reference engine.
    pub fn new(tree: &'a Tree<'a>, model: &'a Model) -> Self {
        Self {
            tree,
            model,
            host: &Alone,
            strict: false,
            choice_names: true,
            limits: Limits::of(tree),
            now: None,
            start: None,
            resource: None,
            root_resource: None,
            variables: Vec::new(),
            entries: OnceCell::new(),
        }
    }

    /// The same by the letter of the specification: what is not allowed is a mistake.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self.choice_names = false;
        self
    }

    /// The same with or without names such as `valueQuantity` for the element `value`.
    #[must_use]
    pub fn with_choice_names(mut self, known: bool) -> Self {
        self.choice_names = known;
        self
    }

    /// The same with surroundings that are asked.
    #[must_use]
    pub fn with_host(mut self, host: &'a dyn Host) -> Self {
        self.host = host;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same at a time: FHIR's `dateTime` with an offset. Without it `now()` and `today()` can't be told.
    #[must_use]
    pub fn at_time(mut self, now: &str) -> Self {
        self.now = Temporal::date_time(now);
        self
    }

    /// The same with `%context` set; without it it is what the expression starts from.
    #[must_use]
    pub fn with_context(mut self, node: NodeId) -> Self {
        self.start = Some(node);
        self
    }

    /// The same with `%resource` and `%rootResource` set; without it they follow from where the expression starts.
    #[must_use]
    pub fn with_resources(mut self, resource: NodeId, root_resource: NodeId) -> Self {
        self.resource = Some(resource);
        self.root_resource = Some(root_resource);
        self
    }

    /// The same with a variable, such as `extension`.
    #[must_use]
    pub fn with_variable(mut self, name: &'a str, value: Collection<'a>) -> Self {
        self.variables.push((name, value));
        self
    }

    /// The document.
    pub const fn tree(&self) -> &'a Tree<'a> {
        self.tree
    }

    /// Evaluates an expression at an element.
    ///
    /// # Errors
    /// [`Stop`], if it is wrong for what is there, takes more than it may, or asks what can't be told.
    pub fn evaluate<'e>(
        &'e self,
        expression: &'e Expression,
        focus: NodeId,
    ) -> Result<Collection<'e>, Stop> {
        let syntax = expression.syntax();
        let this = Collection::One(Item::Node(focus));
        let frame = Frame { this: &this, index: 0, total: &Collection::Empty };
        Evaluation::new(self, focus, syntax.kept).evaluate(&syntax.root, frame)
    }

    /// The resource that an element is in, or is: `%resource`.
    pub fn resource_at(&self, id: NodeId) -> NodeId {
        self.resource.unwrap_or_else(|| self.tree.resource_of(id))
    }

    /// The resource that contains that one, if it is contained: `%rootResource`.
    pub fn root_resource_at(&self, id: NodeId) -> NodeId {
        if let Some(root) = self.root_resource {
            return root;
        }
        let mut at = self.resource_at(id);
        while self.tree.name(at) == "contained" {
            match self.tree.parent(at) {
                Some(parent) => at = self.tree.resource_of(parent),
                None => break,
            }
        }
        at
    }

    /// The type of an element, by the definitions or, of a resource, by what it says.
    pub(super) fn type_of(&self, id: NodeId) -> TypeId {
        let known = self.tree.type_of(id);
        if known != TypeId::UNKNOWN {
            return known;
        }
        let resource = self.tree.resource_type(id);
        resource.and_then(|name| self.model.types().id(name)).unwrap_or(TypeId::UNKNOWN)
    }

    /// The name of an element's type; empty if that is not known.
    pub fn type_name(&self, id: NodeId) -> &str {
        self.model.types().name(self.type_of(id))
    }

    /// The value of an item: of an element of a primitive type its value, of a Quantity the quantity, else nothing.
    pub(super) fn value<'e>(&'e self, item: &Item<'e>) -> Option<Item<'e>> {
        match item {
            Item::Node(id) => self.node_value(*id),
            Item::Elsewhere(_) | Item::Type(..) => None,
            other => Some(other.clone()),
        }
    }

    fn node_value(&self, id: NodeId) -> Option<Item<'_>> {
        let class = self.model.class(self.tree.type_of(id));
        if class == Class::Quantity {
            return self.quantity(id).map(|quantity| Item::Quantity(Box::new(quantity)));
        }
        let text = self.tree.text(id)?;
        let read = match class {
            Class::Boolean => boolean(text),
            Class::Integer => text.parse().ok().map(Item::Integer),
            Class::Decimal => Decimal::parse(text).map(Item::Decimal),
            Class::Date => Temporal::date(text).map(Item::Temporal),
            Class::DateTime => Temporal::date_time(text).map(Item::Temporal),
            Class::Time => Temporal::time(text).map(Item::Temporal),
            Class::Unknown => match self.tree.kind(id) {
                Kind::Bool => boolean(text),
                Kind::Number => match text.parse() {
                    Ok(integer) => Some(Item::Integer(integer)),
                    Err(_) => Decimal::parse(text).map(Item::Decimal),
                },
                _ => None,
            },
            _ => None,
        };
        // What does not have the form of its type is a text; that it is wrong is for others to say.
        Some(read.unwrap_or(Item::Text(Cow::Borrowed(text))))
    }

    /// The quantity of an element of that type.
    pub(super) fn quantity(&self, id: NodeId) -> Option<Quantity<'_>> {
        let (mut value, mut unit, mut code, mut system) = (None, None, None, None);
        for child in self.tree.children(id) {
            let text = self.tree.text(child);
            match self.tree.name(child) {
                "value" => value = text,
                "unit" => unit = text,
                "code" => code = text,
                "system" => system = text,
                _ => {}
            }
        }
        let value = Decimal::parse(value?)?;
        let unit = match (code, unit) {
            (Some(code), _) if system == Some("http://unitsofmeasure.org") => {
                Unit::Ucum(Cow::Borrowed(code))
            }
            (Some(code), _) => Unit::Other(Cow::Borrowed(code)),
            (None, Some(unit)) => Unit::Other(Cow::Borrowed(unit)),
            (None, None) => Unit::Ucum(Cow::Borrowed("1")),
        };
        Some(Quantity { value, unit })
    }
}

fn boolean(text: &str) -> Option<Item<'static>> {
    match text {
        "true" => Some(Item::Boolean(true)),
        "false" => Some(Item::Boolean(false)),
        _ => None,
    }
}
