//! Searching: a query is read from its parameters, then asked of a view of the store (R4 3.1.1).
//!
//! What it can't do it says: an unknown parameter is ignored and missing from the self link, or refused under
//! `Prefer: handling=strict`; an unknown modifier and a value that can't be read are always refused. No chains,
//! no `_has`, no composite or quantity parameters.

mod date;
pub(super) mod reference;
mod token;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fhir::{Resource, ResourceId};
use crate::json::Value;

use super::answer::Refusal;
use super::behaviour::Behaviour;
use super::definition::{self, Kind, Parameter};
use super::store::View;
use date::{Prefix, Span};
use reference::Wanted;
use token::{Comparison, Token, split, unescape};

/// What happens to a parameter that the type does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// It is left out of the query and of the self link (R4 3.1.1.3).
    Lenient,
    /// It refuses the search: `Prefer: handling=strict`.
    Strict,
    /// It refuses, and so does anything that is no filter: the criteria of a conditional interaction.
    Criteria,
    /// Nothing is found ([`Unknown::Empty`](super::quirk::Unknown)).
    Empty,
}

/// A search of one type, read and ready.
#[derive(Debug, Clone)]
pub(super) struct Query {
    /// The type that is searched.
    pub(super) resource_type: String,
    base: String,
    criteria: Vec<Criterion>,
    includes: Vec<Include>,
    sort: Vec<(Parameter, bool)>,
    /// How many matches a page has; 0 asks for the total only.
    pub(super) count: usize,
    /// Whether the total is told.
    pub(super) total: bool,
    /// Whether nothing is found, whatever is there.
    finds_nothing: bool,
    /// The parameters that have an effect, for the self link.
    pub(super) used: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
struct Criterion {
    parameter: Parameter,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Missing(bool),
    Token { not: bool, any: Vec<Token> },
    Reference { any: Vec<Wanted>, target: Option<String> },
    Date(Vec<(Prefix, Span)>),
    Text(Comparison, Vec<String>),
    Uri(Vec<String>),
}

#[derive(Debug, Clone)]
struct Include {
    reverse: bool,
    source: String,
    parameters: Vec<Parameter>,
    target: Option<String>,
}

/// A resource that a search found.
pub(super) type Found<'a> = (&'a ResourceId, &'a Arc<Resource>);

impl Query {
    /// Reads the parameters of a search.
    pub(super) fn parse(
        resource_type: &str,
        parameters: &[(String, String)],
        handling: Handling,
        base: &str,
        behaviour: &Behaviour,
    ) -> Result<Self, Refusal> {
        let mut query = Self {
            resource_type: resource_type.to_owned(),
            base: base.to_owned(),
            criteria: Vec::new(),
            includes: Vec::new(),
            sort: Vec::new(),
            count: 100,
            total: true,
            finds_nothing: false,
            used: Vec::new(),
        };
        for (name, value) in parameters {
            if matches!(name.as_str(), "_format" | "_pretty") || value.is_empty() {
                continue;
            }
            let known = query.take_filter(name, value, behaviour)?
                || handling != Handling::Criteria && query.take_result(name, value, behaviour)?;
            if known {
                query.used.push((name.clone(), value.clone()));
            } else if handling == Handling::Empty {
                query.finds_nothing = true;
            } else if handling != Handling::Lenient {
                let text = "a search parameter that this server does not have for the type";
                return Err(Refusal::new(400, "not-supported", text).at_parameter(name));
            }
        }
        if handling == Handling::Criteria && query.criteria.is_empty() {
            return Err(Refusal::invalid("a condition needs at least one search parameter"));
        }
        Ok(query)
    }

    /// Takes a parameter that filters; `false` if the type has none of that name.
    fn take_filter(
        &mut self,
        name: &str,
        value: &str,
        behaviour: &Behaviour,
    ) -> Result<bool, Refusal> {
        let (plain, modifier) = name.split_once(':').unwrap_or((name, ""));
        let found = definition::parameters(&self.resource_type, behaviour)
            .find(|parameter| parameter.name == plain);
        let Some(parameter) = found else { return Ok(false) };
        if behaviour.quirks.ignores_patient && matches!(plain, "patient" | "subject") {
            return Ok(true);
        }
        let test =
            self.test(parameter, modifier, value).map_err(|refusal| refusal.at_parameter(name))?;
        self.criteria.push(Criterion { parameter, test });
        Ok(true)
    }

    fn test(&self, parameter: Parameter, modifier: &str, value: &str) -> Result<Test, Refusal> {
        let unreadable = || Refusal::invalid("a search value of the wrong form");
        let values = || split(value, ',').into_iter().filter(|one| !one.is_empty());
        let texts = || values().map(|one| unescape(&one)).collect();
        if values().next().is_none() {
            return Err(unreadable());
        }
        Ok(match (parameter.kind, modifier) {
            (_, "missing") => Test::Missing(value.parse().map_err(|_| unreadable())?),
            (Kind::Token, "" | "not") => {
                let any = values().map(|one| Token::parse(&one)).collect::<Option<_>>();
                Test::Token { not: modifier == "not", any: any.ok_or_else(unreadable)? }
            }
            (Kind::Date, "") => {
                let span = |one: String| {
                    let (prefix, text) = Prefix::take(&one);
                    Span::parse(text).map(|span| (prefix, span))
                };
                Test::Date(values().map(span).collect::<Option<_>>().ok_or_else(unreadable)?)
            }
            (Kind::Text, "") => Test::Text(Comparison::Starts, texts()),
            (Kind::Text, "contains") => Test::Text(Comparison::Contains, texts()),
            (Kind::Text, "exact") => Test::Text(Comparison::Exact, texts()),
            (Kind::Uri, "") => Test::Uri(texts()),
            (Kind::Reference, modifier)
                if modifier.is_empty() || definition::is_known(modifier, &Behaviour::default()) =>
            {
                let asked = Some(modifier).filter(|modifier| !modifier.is_empty());
                let target = asked.or(parameter.target);
                let wanted = |one: String| Wanted::parse(&unescape(&one), &self.base, target);
                let any = values().map(wanted).collect::<Option<_>>().ok_or_else(unreadable)?;
                Test::Reference { any, target: target.map(str::to_owned) }
            }
            _ => {
                let text = "a modifier that this server does not have for the search parameter";
                return Err(Refusal::new(400, "not-supported", text));
            }
        })
    }

    /// Takes a parameter that shapes the result; `false` if it is none that this server knows.
    fn take_result(
        &mut self,
        name: &str,
        value: &str,
        behaviour: &Behaviour,
    ) -> Result<bool, Refusal> {
        let unreadable = || Refusal::invalid("a search value of the wrong form").at_parameter(name);
        match name {
            "_count" => self.count = value.parse().map_err(|_| unreadable())?,
            "_total" => match value {
                "none" => self.total = false,
                "estimate" | "accurate" => self.total = true,
                _ => return Err(unreadable()),
            },
            "_sort" => {
                let find = |name: &str| {
                    let (plain, descending) =
                        name.strip_prefix('-').map_or((name, false), |name| (name, true));
                    definition::parameters(&self.resource_type, behaviour)
                        .find(|known| known.name == plain && known.kind != Kind::Reference)
                        .map(|known| (known, descending))
                };
                match value.split(',').map(find).collect() {
                    Some(sort) => self.sort = sort,
                    None => return Ok(false),
                }
            }
            "_include" | "_revinclude" => {
                match Include::parse(value, name == "_revinclude", behaviour) {
                    Some(include) => self.includes.push(include),
                    None => return Ok(false),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Everything that matches, in the order that was asked for.
    pub(super) fn matches<'a>(&self, view: View<'a>) -> Vec<Found<'a>> {
        let mut found = view.of_type(&self.resource_type, |resource| {
            !self.finds_nothing
                && self.criteria.iter().all(|criterion| criterion.holds(resource, &self.base))
        });
        if !self.sort.is_empty() {
            found.sort_by(|(_, left), (_, right)| self.order(left, right));
        }
        found
    }

    fn order(&self, left: &Resource, right: &Resource) -> Ordering {
        let by = |(parameter, descending): &(Parameter, bool)| {
            match (sort_key(parameter, left), sort_key(parameter, right)) {
                (Some(left), Some(right)) if *descending => right.cmp(&left),
                (Some(left), Some(right)) => left.cmp(&right),
                // What lacks the element comes last, whichever way the rest goes.
                (left, right) => right.is_some().cmp(&left.is_some()),
            }
        };
        self.sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// What `_include` and `_revinclude` add to a page of matches, each resource once.
    pub(super) fn included<'a>(&self, view: View<'a>, page: &[Found<'a>]) -> Vec<Found<'a>> {
        let mut seen: BTreeSet<&ResourceId> = page.iter().map(|(id, _)| *id).collect();
        let matched = seen.clone();
        let mut added = Vec::new();
        for include in &self.includes {
            if include.reverse {
                let refers = |resource: &Resource| {
                    let targets = include.references(resource, &self.base);
                    targets.iter().any(|target| matched.contains(target))
                };
                let found = view.of_type(&include.source, refers);
                added.extend(found.into_iter().filter(|(id, _)| seen.insert(id)));
            } else {
                let sources = page.iter().filter(|(id, _)| id.resource_type() == include.source);
                let targets = sources
                    .flat_map(|(_, resource)| include.references(resource, &self.base))
                    .filter_map(|target| view.find(&target));
                added.extend(targets.filter(|(id, _)| seen.insert(id)));
            }
        }
        added
    }
}

impl Criterion {
    fn holds(&self, resource: &Resource, base: &str) -> bool {
        let found = elements(resource, self.parameter.path);
        let any = |test: &dyn Fn(&Value) -> bool| found.iter().any(|element| test(element));
        match &self.test {
            Test::Missing(missing) => found.is_empty() == *missing,
            Test::Token { not, any: wanted } => {
                any(&|element| wanted.iter().any(|token| token.matches(element))) != *not
            }
            Test::Reference { any: wanted, target } => any(&|element| {
                wanted.iter().any(|wanted| wanted.matches(element, base, target.as_deref()))
            }),
            Test::Date(wanted) => any(&|element| {
                Span::of(element).is_some_and(|found| {
                    wanted.iter().any(|(prefix, wanted)| prefix.holds(*wanted, found))
                })
            }),
            Test::Text(comparison, wanted) => {
                any(&|element| wanted.iter().any(|text| comparison.holds(element, text)))
            }
            Test::Uri(wanted) => {
                any(&|element| wanted.iter().any(|uri| element.as_str() == Some(uri.as_str())))
            }
        }
    }
}

impl Include {
    /// Reads `Type:parameter`, `Type:parameter:Target` or `Type:*`.
    fn parse(text: &str, reverse: bool, behaviour: &Behaviour) -> Option<Self> {
        let mut parts = text.split(':');
        let (source, name, target) = (parts.next()?, parts.next()?, parts.next());
        let parameters: Vec<Parameter> = definition::parameters(source, behaviour)
            .filter(|known| known.kind == Kind::Reference && (name == "*" || known.name == name))
            .collect();
        let is_known = !parameters.is_empty() && parts.next().is_none();
        let (source, target) = (source.to_owned(), target.map(str::to_owned));
        is_known.then_some(Self { reverse, source, parameters, target })
    }

    /// The resources of this server that a resource refers to by these parameters.
    fn references(&self, resource: &Resource, base: &str) -> Vec<ResourceId> {
        let of_parameter = |parameter: &Parameter| {
            let target = self.target.as_deref().or(parameter.target);
            elements(resource, parameter.path)
                .into_iter()
                .filter_map(|element| reference::local(reference::text_of(element)?, base))
                .filter(|id| target.is_none_or(|target| id.resource_type() == target))
                .collect::<Vec<_>>()
        };
        self.parameters.iter().flat_map(of_parameter).collect()
    }
}

/// What a resource is sorted by: the start of a date, else a text.
fn sort_key(parameter: &Parameter, resource: &Resource) -> Option<(i64, String)> {
    let found = elements(resource, parameter.path);
    if parameter.kind == Kind::Date {
        let earliest = found.into_iter().filter_map(Span::of).map(Span::start).min()?;
        return Some((earliest, String::new()));
    }
    let code = |element: &Value| {
        let coded = element.items("coding").next().unwrap_or(element).clone();
        let text = coded.as_str().or_else(|| coded.text("code")).or_else(|| coded.text("value"));
        text.map(str::to_lowercase)
    };
    Some((0, found.into_iter().find_map(code)?))
}

/// The elements at a parameter's path; arrays are looked through.
fn elements<'a>(resource: &'a Resource, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for alternative in path.split('|') {
        let (first, rest) = alternative.split_once('.').unwrap_or((alternative, ""));
        if let Some(value) = resource.get(first) {
            collect(value, rest, &mut found);
        }
    }
    found
}

fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    if let Value::Array(items) = value {
        for item in items {
            collect(item, path, found);
        }
    } else if path.is_empty() {
        found.push(value);
    } else {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        if let Some(value) = value.get(first) {
            collect(value, rest, found);
        }
    }
}
