//! The steps through the document: children, descendants, references, types, and what the surroundings are asked.

use std::borrow::Cow;

use super::evaluate::{Evaluation, Given, Outcome};
use super::function::Function;
use super::host::Resolved;
use super::item::{Collection, Item};
use super::limit::{Limit, Mistake, Open, Stop};
use super::syntax::TypeName;
use crate::validate::tree::{NodeId, Tree};
use crate::validate::types::{TypeId, TypeKind};

/// Where FHIR's own definitions stand.
const DEFINITION: &str = "http://hl7.org/fhir/StructureDefinition/";

/// The types of FHIRPath itself.
const SYSTEM: &[&str] = &[
    "Boolean", "String", "Integer", "Long", "Decimal", "Date", "DateTime", "Time", "Quantity",
    "Any",
];

impl<'e> Evaluation<'e> {
    pub(super) const fn tree(&self) -> &'e Tree<'e> {
        self.context.tree
    }

    // ---- Children ----

    pub(super) fn member(&mut self, current: &Collection<'e>, name: &'e str) -> Outcome<'e> {
        let mut found = Collection::Empty;
        for item in current.as_slice() {
            self.member_of_item(item, name, &mut found)?;
        }
        if self.context.strict && !self.context.choice_names && found.is_empty() {
            self.name_is_known(current, name)?;
        }
        self.few(&found)?;
        Ok(found)
    }

    /// By the letter, a name that no item's type has is a mistake.
    fn name_is_known(&self, current: &Collection<'e>, name: &str) -> Result<(), Stop> {
        let lacks = |item: &Item<'e>| match item {
            Item::Node(id) => self.context.host.has_member(self.tree(), *id, name) == Some(false),
            _ => false,
        };
        if current.is_empty() || !current.as_slice().iter().all(lacks) {
            return Ok(());
        }
        Err(Mistake::UnknownMember.into())
    }

    fn member_of_item(
        &mut self,
        item: &Item<'e>,
        name: &'e str,
        found: &mut Collection<'e>,
    ) -> Result<(), Stop> {
        match item {
            Item::Node(id) => {
                let tree = self.tree();
                let mut looked_at = 0;
                for child in tree.children(*id) {
                    looked_at += 1;
                    let is_it = tree.element_name(child) == name
                        || (self.context.choice_names
                            && tree.stem(child) > 0
                            && tree.name(child) == name);
                    if is_it {
                        found.push(Item::Node(child));
                    }
                }
                // A hundred children are looked at faster than one operator is applied.
                self.step(looked_at / 32)
            }
            Item::Type(namespace, type_name) => {
                match name {
                    "namespace" => found.push(Item::text(*namespace)),
                    "name" => found.push(Item::Text(type_name.clone())),
                    _ => {}
                }
                Ok(())
            }
            Item::Quantity(quantity) => {
                match name {
                    "value" => found.push(Item::Decimal(quantity.value)),
                    "unit" | "code" => found.push(Item::text(quantity.unit.text().to_owned())),
                    _ => {}
                }
                Ok(())
            }
            // The resource is known to be elsewhere, its content is not at hand.
            Item::Elsewhere(_) => Err(Stop::Open(Open::Reference)),
            _ if self.context.strict => Err(Mistake::UnknownMember.into()),
            _ => Ok(()),
        }
    }

    /// The first name of a path may be the type of what it starts from.
    pub(super) fn first_name(&mut self, current: &Collection<'e>, name: &'e str) -> Outcome<'e> {
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            let mut found = Collection::Empty;
            for item in current.as_slice() {
                if self.is_of_type(item, name) {
                    found.push(item.clone());
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
            let is_type = self.context.model.types().id(name).is_some();
            if self.context.strict && is_type && !current.is_empty() {
                return Err(Mistake::WrongType.into());
            }
        }
        self.member(current, name)
    }

    fn is_of_type(&self, item: &Item<'e>, name: &str) -> bool {
        match item {
            Item::Node(id) => {
                if self.tree().resource_type(*id) == Some(name) {
                    return true;
                }
                let known = self.context.type_of(*id);
                let types = self.context.model.types();
                known != TypeId::UNKNOWN
                    && (types.name(known) == name
                        || types.id(name).is_some_and(|wanted| types.is_a(known, wanted)))
            }
            _ => false,
        }
    }

    pub(super) fn children(&mut self, current: &Collection<'e>) -> Outcome<'e> {
        let mut all = Collection::Empty;
        for item in current.as_slice() {
            match item {
                Item::Node(id) => {
                    for child in self.tree().children(*id) {
                        all.push(Item::Node(child));
                    }
                }
                Item::Elsewhere(_) => return Err(Stop::Open(Open::Reference)),
                _ => {}
            }
            self.few(&all)?;
        }
        self.step(all.len() / 16)?;
        Ok(all)
    }

    pub(super) fn descendants(&mut self, current: &Collection<'e>) -> Outcome<'e> {
        let tree = self.tree();
        let mut all = Vec::new();
        for item in current.as_slice() {
            match item {
                Item::Node(id) => {
                    let mut open = vec![tree.children(*id)];
                    while let Some(children) = open.last_mut() {
                        let Some(child) = children.next() else {
                            open.pop();
                            continue;
                        };
                        all.push(Item::Node(child));
                        open.push(tree.children(child));
                    }
                }
                Item::Elsewhere(_) => return Err(Stop::Open(Open::Reference)),
                _ => {}
            }
            if all.len() > self.context.limits.items {
                return Err(Limit::Items.into());
            }
            self.step(all.len() / 16)?;
        }
        Ok(all.into())
    }

    pub(super) fn extensions(
        &mut self,
        current: &Collection<'e>,
        given: &Given<'e>,
    ) -> Outcome<'e> {
        let Some(url) = self.text(given.first())? else { return Ok(Collection::Empty) };
        let tree = self.tree();
        let mut found = Collection::Empty;
        for item in current.as_slice() {
            let Item::Node(id) = item else { continue };
            for child in tree.children(*id) {
                if tree.name(child) == "extension" && tree.child_text(child, "url") == Some(&*url) {
                    found.push(Item::Node(child));
                }
            }
        }
        Ok(found)
    }

    pub(super) fn has_value(&self, current: &Collection<'e>) -> bool {
        match current {
            Collection::One(Item::Node(id)) => self.tree().has_value(*id),
            Collection::One(Item::Type(..) | Item::Elsewhere(_)) => false,
            Collection::One(_) => true,
            _ => false,
        }
    }

    pub(super) fn truths(&mut self, function: Function, current: &Collection<'e>) -> Outcome<'e> {
        let (wanted, all) = match function {
            Function::AllTrue => (true, true),
            Function::AllFalse => (false, true),
            Function::AnyTrue => (true, false),
            _ => (false, false),
        };
        let mut result = all;
        for item in current.as_slice() {
            let Some(Item::Boolean(value)) = self.context.value(item) else {
                return Err(Mistake::WrongType.into());
            };
            if all {
                result &= value == wanted;
            } else {
                result |= value == wanted;
            }
        }
        self.step(current.len() / 4)?;
        Ok(Collection::boolean(result))
    }

    // ---- Types ----

    pub(super) fn is(&self, current: &Collection<'e>, name: &TypeName) -> Outcome<'e> {
        match current {
            Collection::Empty => Ok(Collection::Empty),
            Collection::One(item) => Ok(Collection::boolean(self.has_type(item, name, false))),
            Collection::Many(_) => Err(Mistake::NotSingle.into()),
        }
    }

    /// The items of a type; `as` takes one item only, if the letter counts.
    pub(super) fn of_type(
        &self,
        current: Collection<'e>,
        name: &TypeName,
        is_as: bool,
    ) -> Outcome<'e> {
        if self.context.strict {
            if is_as && current.len() > 1 {
                return Err(Mistake::NotSingle.into());
            }
            if self.names_nothing(name) {
                return Err(Mistake::UnknownType.into());
            }
        }
        match current {
            Collection::Empty => Ok(Collection::Empty),
            Collection::One(item) => {
                let has_type = self.has_type(&item, name, true);
                Ok(if has_type { Collection::One(item) } else { Collection::Empty })
            }
            Collection::Many(items) => {
                let mut found = Collection::Empty;
                for item in items {
                    if self.has_type(&item, name, true) {
                        found.push(item);
                    }
                }
                Ok(found)
            }
        }
    }

    fn names_nothing(&self, name: &TypeName) -> bool {
        match name.namespace.as_deref() {
            Some("System") => !SYSTEM.contains(&&*name.name),
            Some("FHIR") => self.context.model.types().id(&name.name).is_none(),
            Some(_) => true,
            None => {
                self.context.model.types().id(&name.name).is_none()
                    && !SYSTEM.contains(&&*name.name)
            }
        }
    }

    /// Whether an item is of a type. `is` also takes derived types; `as` and `ofType` of a primitive take the type
    /// itself only, as the official suite has it.
    fn has_type(&self, item: &Item<'e>, name: &TypeName, exactly: bool) -> bool {
        let wanted = &*name.name;
        let may_be_fhir = name.namespace.as_deref().is_none_or(|namespace| namespace == "FHIR");
        let may_be_system = name.namespace.as_deref().is_none_or(|namespace| namespace == "System");
        let known = match item {
            Item::Node(id) => {
                if may_be_fhir && self.tree().resource_type(*id) == Some(wanted) {
                    return true;
                }
                self.context.type_of(*id)
            }
            Item::Elsewhere(id) => *id,
            value => return may_be_system && is_system(value, wanted),
        };
        if !may_be_fhir || known == TypeId::UNKNOWN {
            return false;
        }
        let types = self.context.model.types();
        let Some(wanted) = types.id(wanted) else { return false };
        if exactly && types.kind(known) == Some(TypeKind::Primitive) {
            return known == wanted;
        }
        types.is_a(known, wanted)
    }

    pub(super) fn types_of(&self, current: &Collection<'e>) -> Collection<'e> {
        let types = self.context.model.types();
        let of_item = |item: &Item<'e>| match item {
            Item::Node(id) => {
                let known = types.name(self.context.type_of(*id));
                let name = if known.is_empty() {
                    self.tree().resource_type(*id).unwrap_or("Element")
                } else {
                    known
                };
                Item::Type("FHIR", Cow::Borrowed(name))
            }
            Item::Elsewhere(id) => Item::Type("FHIR", Cow::Borrowed(types.name(*id))),
            value => Item::Type("System", Cow::Borrowed(system_name(value))),
        };
        current.as_slice().iter().map(of_item).collect()
    }

    // ---- References and other questions ----

    pub(super) fn resolve(&mut self, current: &Collection<'e>) -> Outcome<'e> {
        let tree = self.tree();
        let mut found = Collection::Empty;
        for item in current.as_slice() {
            let (at, reference) = match item {
                Item::Node(id) => match tree.text(*id) {
                    Some(text) => (*id, Cow::Borrowed(text)),
                    None => match tree.child_text(*id, "reference") {
                        Some(text) => (*id, Cow::Borrowed(text)),
                        None => continue,
                    },
                },
                Item::Text(text) => (self.focus, text.clone()),
                _ => continue,
            };
            match self.resolve_one(at, &reference)? {
                Resolved::Node(id) => found.push(Item::Node(id)),
                Resolved::Elsewhere(id) => found.push(Item::Elsewhere(id)),
                Resolved::Nothing => {}
                Resolved::Unknown => return Err(Stop::Open(Open::Reference)),
            }
        }
        Ok(found)
    }

    fn resolve_one(&mut self, at: NodeId, reference: &str) -> Result<Resolved, Stop> {
        let tree = self.tree();
        let root = self.context.root_resource_at(at);
        if let Some(id) = reference.strip_prefix('#') {
            if id.is_empty() {
                return Ok(Resolved::Node(root));
            }
            self.step(1)?;
            let inside = tree.children(root).find(|child| {
                tree.name(*child) == "contained" && tree.child_text(*child, "id") == Some(id)
            });
            return Ok(inside.map_or(Resolved::Nothing, Resolved::Node));
        }
        if let Some(found) = self.context.entry(at, reference) {
            return Ok(Resolved::Node(found));
        }
        let asked = self.context.host.resolve(tree, at, reference);
        if asked != Resolved::Unknown {
            return Ok(asked);
        }
        // A relative reference says of what type its target is.
        let before = reference.split("/_history/").next().unwrap_or(reference);
        let kind = before.rsplit('/').nth(1);
        let known = kind.and_then(|kind| self.context.model.types().id(kind));
        let is_resource =
            |id: &TypeId| self.context.model.types().kind(*id) == Some(TypeKind::Resource);
        Ok(known.filter(is_resource).map_or(Resolved::Unknown, Resolved::Elsewhere))
    }

    pub(super) fn ask(&mut self, current: &Collection<'e>, given: &Given<'e>) -> Outcome<'e> {
        let (tree, host) = (self.tree(), self.context.host);
        if matches!(given.call.function, Function::Subsumes | Function::SubsumedBy) {
            let (Some(Item::Node(one)), Some(Item::Node(two))) =
                (current.as_slice().first(), given.first().as_slice().first())
            else {
                return Ok(Collection::Empty);
            };
            let (upper, lower) =
                if given.call.function == Function::Subsumes { (one, two) } else { (two, one) };
            let answer = host.subsumes(tree, *upper, *lower);
            return answer.map(Collection::boolean).ok_or(Stop::Open(Open::Terminology));
        }
        let argument = match given.call.function {
            Function::HtmlChecks | Function::HtmlContent => None,
            _ => match self.text(given.first())? {
                Some(text) => Some(text),
                None => return Ok(Collection::Empty),
            },
        };
        let item = match current {
            Collection::Empty => return Ok(Collection::Empty),
            Collection::One(item) => item,
            Collection::Many(_) => return Err(Mistake::NotSingle.into()),
        };
        let (answer, open) = match (given.call.function, argument) {
            (Function::MemberOf, Some(set)) => {
                let answer = match item {
                    Item::Node(id) => host.member_of(tree, *id, &set),
                    Item::Text(code) => host.code_member_of(code, &set),
                    _ => return Err(Mistake::WrongType.into()),
                };
                (answer, Open::Terminology)
            }
            (Function::ConformsTo, Some(profile)) => {
                let Item::Node(id) = item else { return Err(Mistake::WrongType.into()) };
                let base = profile.strip_prefix(DEFINITION);
                let types = self.context.model.types();
                let answer = match base.and_then(|name| types.id(name)) {
                    Some(wanted) => Some(types.is_a(self.context.type_of(*id), wanted)),
                    None => host.conforms_to(tree, *id, &profile),
                };
                (answer, Open::Profile)
            }
            _ => match self.context.value(item) {
                Some(Item::Text(markup)) if given.call.function == Function::HtmlContent => {
                    (host.html_has_content(&markup), Open::Markup)
                }
                Some(Item::Text(markup)) => (host.html_checks(&markup), Open::Markup),
                _ => return Ok(Collection::Empty),
            },
        };
        answer.map(Collection::boolean).ok_or(Stop::Open(open))
    }
}

impl super::context::Context<'_> {
    /// The resource of the Bundle's entry that a reference leads to.
    fn entry(&self, at: NodeId, reference: &str) -> Option<NodeId> {
        let tree = self.tree;
        if tree.resource_type(NodeId::ROOT) != Some("Bundle") {
            return None;
        }
        let entries = self.entries.get_or_init(|| {
            let mut all = Vec::new();
            for entry in tree.children_named(NodeId::ROOT, "entry") {
                if let (Some(url), Some(resource)) =
                    (tree.child(entry, "fullUrl"), tree.child(entry, "resource"))
                {
                    all.push((url, resource));
                }
            }
            all.sort_by(|(one, _), (two, _)| tree.text(*one).cmp(&tree.text(*two)));
            all
        });
        let find = |url: &str| {
            let at = entries
                .binary_search_by(|(known, _)| tree.text(*known).unwrap_or_default().cmp(url))
                .ok()?;
            entries.get(at).map(|(_, resource)| *resource)
        };
        if let Some(found) = find(reference) {
            return Some(found);
        }
        // A relative reference is relative to the base of the entry that it stands in.
        let mut holder = self.root_resource_at(at);
        while tree.name(holder) != "entry" {
            holder = tree.parent(holder)?;
        }
        let full_url = tree.child_text(holder, "fullUrl")?;
        let (rest, _) = full_url.rsplit_once('/')?;
        let (base, _) = rest.rsplit_once('/')?;
        find(&format!("{base}/{reference}"))
    }
}

fn is_system(value: &Item<'_>, wanted: &str) -> bool {
    wanted == system_name(value)
        || wanted == "Any"
        || (wanted == "Long" && matches!(value, Item::Integer(_)))
}

fn system_name(value: &Item<'_>) -> &'static str {
    use super::temporal::TemporalKind;
    match value {
        Item::Boolean(_) => "Boolean",
        Item::Integer(_) => "Integer",
        Item::Decimal(_) => "Decimal",
        Item::Text(_) => "String",
        Item::Quantity(_) => "Quantity",
        Item::Temporal(value) => match value.kind() {
            TemporalKind::Date => "Date",
            TemporalKind::DateTime => "DateTime",
            TemporalKind::Time => "Time",
        },
        Item::Node(_) | Item::Type(..) | Item::Elsewhere(_) => "Any",
    }
}
