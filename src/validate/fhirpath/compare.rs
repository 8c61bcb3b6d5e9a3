//! Equality, equivalence and order (FHIRPath 6.1, 6.2), and the sets that rest on them.
//!
//! Items of plain values (texts, whole numbers, truth values) are compared by keys, so a set of many costs
//! n log n; only what has no such key is compared with every other one, and counted.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::Decimal;
use super::evaluate::{Evaluation, Given, Outcome};
use super::function::Function;
use super::item::{Collection, Item};
use super::limit::{Mistake, Stop};
use super::quantity::Quantity;
use super::syntax::Operator;
use super::temporal::{Temporal, TemporalKind};
use crate::validate::tree::NodeId;

/// A plain value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'e> {
    Boolean(bool),
    Integer(i64),
    Text(Cow<'e, str>),
}

/// Below this it is not worth to make keys.
const FEW: usize = 8;

fn decimal(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Decimal(value) => Some(*value),
        _ => None,
    }
}

fn quantity<'q>(item: &'q Item<'_>) -> Option<Cow<'q, Quantity<'q>>> {
    match item {
        Item::Quantity(quantity) => Some(Cow::Borrowed(quantity)),
        other => decimal(other).map(|value| Cow::Owned(Quantity::number(value))),
    }
}

/// A text as a date, beside one.
fn temporal_like(text: &str, other: Temporal) -> Option<Temporal> {
    match other.kind() {
        TemporalKind::Time => Temporal::time(text),
        _ => Temporal::date_time(text),
    }
}

impl<'e> Evaluation<'e> {
    fn key(&self, item: &Item<'e>) -> Option<Key<'e>> {
        match self.context.value(item)? {
            Item::Boolean(value) => Some(Key::Boolean(value)),
            Item::Integer(value) => Some(Key::Integer(value)),
            Item::Text(text) => Some(Key::Text(text)),
            _ => None,
        }
    }

    /// The keys of all items, if all are plain values of one kind.
    fn keys(&self, items: &[Item<'e>]) -> Option<Vec<Key<'e>>> {
        let keys: Option<Vec<_>> = items.iter().map(|item| self.key(item)).collect();
        keys.filter(|keys| {
            keys.windows(2).all(|pair| match pair {
                [one, two] => std::mem::discriminant(one) == std::mem::discriminant(two),
                _ => true,
            })
        })
    }

    // ---- Equality ----

    pub(super) fn equal_collections(
        &mut self,
        one: &Collection<'e>,
        two: &Collection<'e>,
    ) -> Result<Option<bool>, Stop> {
        if one.is_empty() || two.is_empty() {
            return Ok(None);
        }
        if one.len() != two.len() {
            return Ok(Some(false));
        }
        let mut result = Some(true);
        for (one, two) in one.as_slice().iter().zip(two.as_slice()) {
            match self.equal(one, two)? {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => result = None,
            }
        }
        Ok(result)
    }

    /// Whether two items are equal; `None` if the precision of dates, or units, leave it open.
    pub(super) fn equal(&mut self, one: &Item<'e>, two: &Item<'e>) -> Result<Option<bool>, Stop> {
        self.step(1)?;
        if let (Item::Node(one), Item::Node(two)) = (one, two)
            && one == two
        {
            return Ok(Some(true));
        }
        match (self.context.value(one), self.context.value(two)) {
            (Some(one), Some(two)) => Ok(self.equal_values(&one, &two)),
            (None, None) => match (one, two) {
                (Item::Node(one), Item::Node(two)) => self.equal_nodes(*one, *two),
                (Item::Type(_, one), Item::Type(_, two)) => Ok(Some(one == two)),
                (Item::Elsewhere(_), _) | (_, Item::Elsewhere(_)) => {
                    Err(Stop::Open(super::Open::Reference))
                }
                _ => Ok(Some(false)),
            },
            _ => Ok(Some(false)),
        }
    }

    fn equal_values(&self, one: &Item<'e>, two: &Item<'e>) -> Option<bool> {
        match (one, two) {
            (Item::Text(one), Item::Text(two)) => Some(one == two),
            (Item::Boolean(one), Item::Boolean(two)) => Some(one == two),
            (Item::Integer(one), Item::Integer(two)) => Some(one == two),
            (Item::Temporal(one), Item::Temporal(two)) => {
                let times = (one.kind() == TemporalKind::Time, two.kind() == TemporalKind::Time);
                if times.0 != times.1 {
                    return Some(false);
                }
                one.order(*two).map(Ordering::is_eq)
            }
            (Item::Temporal(date), Item::Text(text)) | (Item::Text(text), Item::Temporal(date)) => {
                match temporal_like(text, *date) {
                    Some(other) => date.order(other).map(Ordering::is_eq),
                    None => Some(false),
                }
            }
            // The reference engine compares a truth value or a number with a text by what is written.
            (Item::Text(text), other) | (other, Item::Text(text)) if !self.context.strict => {
                Some(super::convert::to_text(other).is_some_and(|other| other == *text))
            }
            _ => {
                if let (Some(one), Some(two)) = (decimal(one), decimal(two)) {
                    return Some(one == two);
                }
                let (Some(one), Some(two)) = (quantity(one), quantity(two)) else {
                    return Some(false);
                };
                one.order(&two).map(Ordering::is_eq)
            }
        }
    }

    fn equal_nodes(&mut self, one: NodeId, two: NodeId) -> Result<Option<bool>, Stop> {
        self.step(1)?;
        let tree = self.tree();
        if tree.text(one) != tree.text(two) || tree.resource_type(one) != tree.resource_type(two) {
            return Ok(Some(false));
        }
        let (mut left, mut right) = (tree.children(one), tree.children(two));
        let mut result = Some(true);
        loop {
            match (left.next(), right.next()) {
                (None, None) => return Ok(result),
                (Some(one), Some(two)) if tree.name(one) == tree.name(two) => {
                    match self.equal(&Item::Node(one), &Item::Node(two))? {
                        Some(true) => {}
                        Some(false) => return Ok(Some(false)),
                        None => result = None,
                    }
                }
                _ => return Ok(Some(false)),
            }
        }
    }

    // ---- Equivalence ----

    pub(super) fn equivalent_collections(
        &mut self,
        one: &Collection<'e>,
        two: &Collection<'e>,
    ) -> Result<bool, Stop> {
        if one.len() != two.len() {
            return Ok(false);
        }
        let mut left: Vec<Option<&Item<'e>>> = two.as_slice().iter().map(Some).collect();
        for one in one.as_slice() {
            let mut found = false;
            for place in &mut left {
                if let Some(two) = place
                    && self.equivalent(one, two)?
                {
                    *place = None;
                    found = true;
                    break;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equivalent(&mut self, one: &Item<'e>, two: &Item<'e>) -> Result<bool, Stop> {
        self.step(1)?;
        match (self.context.value(one), self.context.value(two)) {
            (Some(one), Some(two)) => Ok(equivalent_values(&one, &two)),
            (None, None) => match (one, two) {
                (Item::Node(one), Item::Node(two)) => {
                    let tree = self.tree();
                    let all = |id| tree.children(id).map(Item::Node).collect::<Collection<'e>>();
                    if one == two {
                        return Ok(true);
                    }
                    if tree.name(*one) != tree.name(*two) {
                        return Ok(false);
                    }
                    self.equivalent_collections(&all(*one), &all(*two))
                }
                (Item::Type(_, one), Item::Type(_, two)) => Ok(one == two),
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }

    // ---- Order ----

    pub(super) fn ordered(
        &mut self,
        operator: Operator,
        one: &Collection<'e>,
        two: &Collection<'e>,
    ) -> Outcome<'e> {
        let (one, two) = match (one, two) {
            (Collection::Empty, _) | (_, Collection::Empty) => return Ok(Collection::Empty),
            (Collection::One(one), Collection::One(two)) => (one, two),
            _ => return Err(Mistake::NotSingle.into()),
        };
        let order = match (self.context.value(one), self.context.value(two)) {
            (Some(one), Some(two)) => order(&one, &two)?,
            (None, _) if self.lacks_value(one) => None,
            (_, None) if self.lacks_value(two) => None,
            _ => return Err(Mistake::WrongType.into()),
        };
        Ok(Collection::maybe(order.map(|order| match operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            _ => order.is_ge(),
        })))
    }

    /// Whether it is an element of a type that has values, without one: it has only extensions.
    fn lacks_value(&self, item: &Item<'e>) -> bool {
        use super::model::Class;
        let Item::Node(id) = item else { return false };
        let class = self.context.model.class(self.tree().type_of(*id));
        !matches!(class, Class::Other | Class::Unknown)
    }

    pub(super) fn sort_order(&self, one: &Collection<'e>, two: &Collection<'e>) -> Ordering {
        let first = |items: &Collection<'e>| {
            items.as_slice().first().and_then(|item| self.context.value(item))
        };
        match (first(one), first(two)) {
            (Some(one), Some(two)) => order(&one, &two).ok().flatten().unwrap_or(Ordering::Equal),
            (one, two) => one.is_some().cmp(&two.is_some()),
        }
    }

    // ---- Sets ----

    pub(super) fn has_equal(&mut self, items: &[Item<'e>], item: &Item<'e>) -> Result<bool, Stop> {
        for other in items {
            if self.equal(other, item)? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the one item of the first is in the second (`in`).
    pub(super) fn is_member(&mut self, one: &Collection<'e>, all: &Collection<'e>) -> Outcome<'e> {
        match one {
            Collection::Empty => Ok(Collection::Empty),
            Collection::One(item) => self.has_equal(all.as_slice(), item).map(Collection::boolean),
            Collection::Many(_) => Err(Mistake::NotSingle.into()),
        }
    }

    /// Each item once, in order.
    pub(super) fn distinct(&mut self, items: Collection<'e>) -> Outcome<'e> {
        self.few(&items)?;
        let Collection::Many(items) = items else { return Ok(items) };
        self.step(items.len())?;
        if items.len() > FEW
            && let Some(keys) = self.keys(&items)
        {
            let mut seen = BTreeSet::new();
            let new = items.into_iter().zip(keys).filter(|(_, key)| seen.insert(key.clone()));
            return Ok(new.map(|(item, _)| item).collect::<Vec<_>>().into());
        }
        let mut kept: Vec<Item<'e>> = Vec::new();
        for item in items {
            if !self.has_equal(&kept, &item)? {
                kept.push(item);
            }
        }
        Ok(kept.into())
    }

    fn is_distinct(&mut self, items: &Collection<'e>) -> Result<bool, Stop> {
        let items = items.as_slice();
        self.step(items.len())?;
        if items.len() > FEW
            && let Some(keys) = self.keys(items)
        {
            let mut seen = BTreeSet::new();
            return Ok(keys.into_iter().all(|key| seen.insert(key)));
        }
        for (at, item) in items.iter().enumerate() {
            if self.has_equal(items.get(at + 1..).unwrap_or_default(), item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The items of one that are (or are not) in the other.
    fn filtered(
        &mut self,
        items: Vec<Item<'e>>,
        other: &Collection<'e>,
        wanted: bool,
    ) -> Outcome<'e> {
        let other = other.as_slice();
        if items.len().min(other.len()) > FEW
            && let (Some(mine), Some(theirs)) = (self.keys(&items), self.keys(other))
        {
            self.step(items.len() + other.len())?;
            let theirs: BTreeSet<_> = theirs.into_iter().collect();
            let kept =
                items.into_iter().zip(mine).filter(|(_, key)| theirs.contains(key) == wanted);
            return Ok(kept.map(|(item, _)| item).collect::<Vec<_>>().into());
        }
        let mut kept = Vec::new();
        for item in items {
            if self.has_equal(other, &item)? == wanted {
                kept.push(item);
            }
        }
        Ok(kept.into())
    }

    pub(super) fn set(&mut self, current: Collection<'e>, given: &Given<'e>) -> Outcome<'e> {
        let all_in = |evaluation: &mut Self, one: Collection<'e>, two: &Collection<'e>| {
            let count = one.len();
            let inside = evaluation.filtered(one.into_vec(), two, true)?;
            Ok(Collection::boolean(inside.len() == count))
        };
        match given.call.function {
            Function::Single => match current {
                Collection::Many(_) => Err(Mistake::NotSingle.into()),
                other => Ok(other),
            },
            Function::First => Ok(Collection::one(current.as_slice().first().cloned())),
            Function::Last => Ok(Collection::one(current.as_slice().last().cloned())),
            Function::Tail => Ok(part(current, 1, usize::MAX)),
            Function::Skip | Function::Take => {
                let Some(count) = self.integer(given.first())? else {
                    return Ok(Collection::Empty);
                };
                let count = usize::try_from(count).unwrap_or(0);
                Ok(match given.call.function {
                    Function::Skip => part(current, count, usize::MAX),
                    _ => part(current, 0, count),
                })
            }
            Function::Distinct => self.distinct(current),
            Function::IsDistinct => self.is_distinct(&current).map(Collection::boolean),
            Function::SubsetOf => all_in(self, current, given.first()),
            Function::SupersetOf => all_in(self, given.first().clone(), &current),
            Function::Intersect => {
                let both = self.filtered(current.into_vec(), given.first(), true)?;
                self.distinct(both)
            }
            Function::Exclude => self.filtered(current.into_vec(), given.first(), false),
            function => {
                let mut all = current;
                all.append(given.first().clone());
                self.few(&all)?;
                if function == Function::Union { self.distinct(all) } else { Ok(all) }
            }
        }
    }
}

fn part(items: Collection<'_>, skipped: usize, taken: usize) -> Collection<'_> {
    match items {
        Collection::Many(items) => {
            items.into_iter().skip(skipped).take(taken).collect::<Vec<_>>().into()
        }
        other if skipped == 0 && taken > 0 => other,
        _ => Collection::Empty,
    }
}

/// Which of two values is larger; `None` if that is open.
fn order(one: &Item<'_>, two: &Item<'_>) -> Result<Option<Ordering>, Stop> {
    match (one, two) {
        (Item::Integer(one), Item::Integer(two)) => Ok(Some(one.cmp(two))),
        (Item::Text(one), Item::Text(two)) => Ok(Some(one.cmp(two))),
        (Item::Temporal(one), Item::Temporal(two)) => {
            let times = (one.kind() == TemporalKind::Time, two.kind() == TemporalKind::Time);
            if times.0 == times.1 { Ok(one.order(*two)) } else { Err(Mistake::WrongType.into()) }
        }
        (Item::Temporal(date), Item::Text(text)) => {
            temporal_like(text, *date).map(|text| date.order(text)).ok_or(Mistake::WrongType.into())
        }
        (Item::Text(text), Item::Temporal(date)) => temporal_like(text, *date)
            .map(|text| text.order(*date))
            .ok_or(Mistake::WrongType.into()),
        _ => match (decimal(one), decimal(two)) {
            (Some(one), Some(two)) => Ok(Some(one.order(two))),
            _ => match (quantity(one), quantity(two)) {
                (Some(one), Some(two)) => Ok(one.order(&two)),
                _ => Err(Mistake::WrongType.into()),
            },
        },
    }
}

fn equivalent_values(one: &Item<'_>, two: &Item<'_>) -> bool {
    match (one, two) {
        (Item::Text(one), Item::Text(two)) => {
            let words =
                |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
            one == two || words(one) == words(two)
        }
        (Item::Boolean(one), Item::Boolean(two)) => one == two,
        (Item::Temporal(one), Item::Temporal(two)) => one.is_equivalent(*two),
        _ => match (decimal(one), decimal(two)) {
            (Some(one), Some(two)) => {
                let digits = one.stripped().scale().min(two.stripped().scale());
                match (one.rounded(digits), two.rounded(digits)) {
                    (Some(one), Some(two)) => one == two,
                    _ => false,
                }
            }
            _ => match (quantity(one), quantity(two)) {
                (Some(one), Some(two)) => one.is_equivalent(&two),
                _ => false,
            },
        },
    }
}
