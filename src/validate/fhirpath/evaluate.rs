//! The evaluation: one walk over the expression, with the collection that the path is at in hand.
//!
//! Elements are handles, so nothing of the document is copied; a loop sets `$this` to one handle. What is the same in
//! every round of a loop (`%resource.descendants().reference`) was marked when the expression was read, and is
//! evaluated once. Every step counts against the limits.

use std::borrow::Cow;

use super::context::Context;
use super::function::{Arguments, Function};
use super::item::{Collection, Item};
use super::limit::{Limit, Mistake, Open, Stop};
use super::pattern::Pattern;
use super::syntax::{Call, Link, Literal, Node, Operator, Step, Variable};
use crate::validate::tree::NodeId;

pub(super) type Outcome<'e> = Result<Collection<'e>, Stop>;

/// What `$this`, `$index` and `$total` are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'f, 'e> {
    pub(super) this: &'f Collection<'e>,
    pub(super) index: usize,
    pub(super) total: &'f Collection<'e>,
}

/// One evaluation under way.
#[derive(Debug)]
pub(super) struct Evaluation<'e> {
    pub(super) context: &'e Context<'e>,
    pub(super) focus: NodeId,
    steps: u64,
    variables: Vec<(Cow<'e, str>, Collection<'e>)>,
    kept: Vec<Option<Collection<'e>>>,
    /// The last pattern that was no literal.
    pattern: Option<(String, Option<Pattern>)>,
}

/// Variables that no expression may define.
const TAKEN: &[&str] = &["context", "resource", "rootResource", "ucum", "sct", "loinc"];

impl<'e> Evaluation<'e> {
    pub(super) fn new(context: &'e Context<'e>, focus: NodeId, kept: usize) -> Self {
        Self {
            context,
            focus,
            steps: 0,
            variables: Vec::new(),
            kept: vec![None; kept],
            pattern: None,
        }
    }

    /// Counts work.
    pub(super) fn step(&mut self, work: usize) -> Result<(), Stop> {
        let before = self.steps;
        self.steps += work as u64;
        if self.steps > self.context.limits.steps {
            return Err(Limit::Steps.into());
        }
        if before >> 10 != self.steps >> 10 && self.context.host.is_over() {
            return Err(Limit::Time.into());
        }
        Ok(())
    }

    pub(super) fn few(&self, items: &Collection<'_>) -> Result<(), Stop> {
        if items.len() > self.context.limits.items { Err(Limit::Items.into()) } else { Ok(()) }
    }

    pub(super) fn short(&self, text: &str) -> Result<(), Stop> {
        if text.len() > self.context.limits.text { Err(Limit::Text.into()) } else { Ok(()) }
    }

    /// The value of an expression.
    pub(super) fn evaluate(&mut self, node: &'e Node, frame: Frame<'_, 'e>) -> Outcome<'e> {
        self.step(1)?;
        match node {
            Node::Path { start, steps } => self.path(start, steps, frame),
            Node::Row { first, links } => self.row(first, links, frame),
            Node::Literal(literal) => Ok(Collection::One(literal_item(literal))),
            Node::This => Ok(frame.this.clone()),
            Node::Empty => Ok(Collection::Empty),
            Node::Index => {
                Ok(Collection::One(Item::Integer(i64::try_from(frame.index).unwrap_or(0))))
            }
            Node::Total => {
                self.step(frame.total.len() / 16)?;
                Ok(frame.total.clone())
            }
            Node::Variable(variable) => {
                let value = self.variable(variable)?;
                self.step(value.len() / 16)?;
                Ok(value)
            }
            Node::Negative(operand) => {
                let value = self.evaluate(operand, frame)?;
                self.negative(&value)
            }
            Node::Positive(operand) => {
                let value = self.evaluate(operand, frame)?;
                self.positive(value)
            }
            Node::Kept(number, inner) => self.kept(*number, inner, frame),
        }
    }

    fn kept(&mut self, number: usize, inner: &'e Node, frame: Frame<'_, 'e>) -> Outcome<'e> {
        if let Some(Some(kept)) = self.kept.get(number) {
            let kept = kept.clone();
            self.step(kept.len() / 16)?;
            return Ok(kept);
        }
        let value = self.evaluate(inner, frame)?;
        if let Some(place) = self.kept.get_mut(number) {
            *place = Some(value.clone());
        }
        Ok(value)
    }

    fn variable(&self, variable: &'e Variable) -> Outcome<'e> {
        let one = |id| Ok(Collection::One(Item::Node(id)));
        match variable {
            Variable::Context => match &self.context.start {
                Some(id) => one(*id),
                None => one(self.focus),
            },
            Variable::Resource => one(self.context.resource_at(self.focus)),
            Variable::RootResource => one(self.context.root_resource_at(self.focus)),
            Variable::Text(text) => Ok(Collection::One(Item::text(&**text))),
            Variable::Named(name) => {
                let defined = self.variables.iter().rev().find(|(known, _)| **known == **name);
                let given = self.context.variables.iter().find(|(known, _)| **known == **name);
                match (defined, given) {
                    (Some((_, value)), _) => Ok(value.clone()),
                    (None, Some((_, value))) => Ok(value.clone()),
                    (None, None) => Err(Mistake::UnknownVariable.into()),
                }
            }
        }
    }

    // ---- Paths ----

    fn path(&mut self, start: &'e Node, steps: &'e [Step], frame: Frame<'_, 'e>) -> Outcome<'e> {
        let scope = self.variables.len();
        let result = self.walk(start, steps, frame);
        self.variables.truncate(scope);
        result
    }

    fn walk(&mut self, start: &'e Node, steps: &'e [Step], frame: Frame<'_, 'e>) -> Outcome<'e> {
        let mut current = match start {
            Node::This => frame.this.clone(),
            other => self.evaluate(other, frame)?,
        };
        let mut has_order = true;
        for step in steps {
            self.step(1 + current.len() / 4)?;
            if self.context.strict && !has_order && needs_order(step) {
                return Err(Mistake::NoOrder.into());
            }
            has_order = !matches!(
                step,
                Step::Call(Call { function: Function::Children | Function::Descendants, .. })
            );
            current = match step {
                Step::Member(name) => self.member(&current, name)?,
                Step::First(name) => self.first_name(&current, name)?,
                Step::Item(index) => {
                    let index = self.evaluate(index, frame)?;
                    self.item_at(current, &index)?
                }
                Step::Is(name) => self.is(&current, name)?,
                Step::As(name) => self.of_type(current, name, true)?,
                Step::OfType(name) => self.of_type(current, name, false)?,
                Step::Call(call) => self.call(call, current, frame)?,
            };
        }
        self.step(current.len() / 16)?;
        Ok(current)
    }

    fn item_at(&mut self, current: Collection<'e>, index: &Collection<'e>) -> Outcome<'e> {
        let Some(index) = self.integer(index)? else { return Ok(Collection::Empty) };
        let Ok(index) = usize::try_from(index) else { return Ok(Collection::Empty) };
        Ok(match current {
            Collection::One(item) if index == 0 => Collection::One(item),
            Collection::Many(items) => Collection::one(items.into_iter().nth(index)),
            _ => Collection::Empty,
        })
    }

    // ---- Operators ----

    fn row(&mut self, first: &'e Node, links: &'e [Link], frame: Frame<'_, 'e>) -> Outcome<'e> {
        let mut left = self.evaluate(first, frame);
        for link in links {
            self.step(1)?;
            left = match link {
                Link::Operator(operator, right) => self.binary(*operator, left, right, frame),
                Link::Is(name) => self.is(&left?, name),
                Link::As(name) => self.of_type(left?, name, true),
            };
        }
        left
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: Outcome<'e>,
        right: &'e Node,
        frame: Frame<'_, 'e>,
    ) -> Outcome<'e> {
        match operator {
            Operator::And | Operator::Or | Operator::Implies => {
                return self.logic(operator, left, right, frame).map(Collection::maybe);
            }
            _ => {}
        }
        let one = left?;
        let two = self.evaluate(right, frame)?;
        match operator {
            Operator::Xor => {
                let truths = (self.truth(&one)?, self.truth(&two)?);
                let (Some(one), Some(two)) = truths else { return Ok(Collection::Empty) };
                Ok(Collection::boolean(one != two))
            }
            Operator::Equal => self.equal_collections(&one, &two).map(Collection::maybe),
            Operator::NotEqual => {
                let equal = self.equal_collections(&one, &two)?;
                Ok(Collection::maybe(equal.map(|equal| !equal)))
            }
            Operator::Equivalent => {
                self.equivalent_collections(&one, &two).map(Collection::boolean)
            }
            Operator::NotEquivalent => {
                Ok(Collection::boolean(!self.equivalent_collections(&one, &two)?))
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => self.ordered(operator, &one, &two),
            Operator::In => self.is_member(&one, &two),
            Operator::Contains => self.is_member(&two, &one),
            Operator::Union => {
                let mut all = one;
                all.append(two);
                self.distinct(all)
            }
            Operator::Concatenate => self.concatenate(&one, &two),
            _ => self.calculate(operator, &one, &two),
        }
    }

    /// Three-valued logic that asks the right side only if the left leaves it open, and that is decided also if the
    /// other side can't be told.
    fn logic(
        &mut self,
        operator: Operator,
        left: Outcome<'e>,
        right: &'e Node,
        frame: Frame<'_, 'e>,
    ) -> Result<Option<bool>, Stop> {
        // The value that decides: of the left side, and of the whole.
        let (deciding_left, deciding_right, decided) = match operator {
            Operator::And => (false, false, false),
            Operator::Or => (true, true, true),
            _ => (false, true, true),
        };
        let one = left.and_then(|value| self.truth(&value));
        let one = match one {
            Ok(Some(value)) if value == deciding_left => return Ok(Some(decided)),
            Err(Stop::Open(open)) => Err(open),
            other => Ok(other?),
        };
        let two = self.evaluate(right, frame).and_then(|value| self.truth(&value));
        match (one, two) {
            (_, Ok(Some(value))) if value == deciding_right => Ok(Some(decided)),
            (Err(open), Ok(_)) => Err(Stop::Open(open)),
            (_, Err(stop)) => Err(stop),
            (Ok(Some(_)), Ok(Some(_))) => Ok(Some(!decided)),
            _ => Ok(None),
        }
    }

    /// The truth of a collection: a single item that is no truth value is true.
    pub(super) fn truth(&self, value: &Collection<'e>) -> Result<Option<bool>, Stop> {
        match value {
            Collection::Empty => Ok(None),
            Collection::One(Item::Boolean(value)) => Ok(Some(*value)),
            Collection::One(item) => match self.context.value(item) {
                Some(Item::Boolean(value)) => Ok(Some(value)),
                _ => Ok(Some(true)),
            },
            Collection::Many(_) => Err(Mistake::NotSingle.into()),
        }
    }

    // ---- Functions ----

    fn call(
        &mut self,
        call: &'e Call,
        current: Collection<'e>,
        frame: Frame<'_, 'e>,
    ) -> Outcome<'e> {
        if call.function.arguments() == Arguments::Inner {
            return self.looping(call, current, frame);
        }
        let mut arguments = call.arguments.iter();
        let first = match arguments.next() {
            Some(argument) => Some(self.evaluate(argument, frame)?),
            None => None,
        };
        let second = match arguments.next() {
            Some(argument) => Some(self.evaluate(argument, frame)?),
            None => None,
        };
        let given = Given { call, first, second };
        match call.function {
            Function::Empty => Ok(Collection::boolean(current.is_empty())),
            Function::Count => {
                Ok(Collection::One(Item::Integer(i64::try_from(current.len()).unwrap_or(i64::MAX))))
            }
            Function::Not => Ok(Collection::maybe(self.truth(&current)?.map(|value| !value))),
            Function::HasValue => Ok(Collection::boolean(self.has_value(&current))),
            Function::AllTrue | Function::AllFalse | Function::AnyTrue | Function::AnyFalse => {
                self.truths(call.function, &current)
            }
            Function::Children => self.children(&current),
            Function::Descendants => self.descendants(&current),
            Function::Extension => self.extensions(&current, &given),
            Function::Resolve => self.resolve(&current),
            Function::MemberOf
            | Function::Subsumes
            | Function::SubsumedBy
            | Function::ConformsTo
            | Function::HtmlChecks
            | Function::HtmlContent => self.ask(&current, &given),
            Function::Type => Ok(self.types_of(&current)),
            Function::GetValue => {
                Ok(current.as_slice().iter().filter_map(|item| self.context.value(item)).collect())
            }
            Function::Now | Function::Today | Function::TimeOfDay => self.clock(call.function),
            Function::Single
            | Function::First
            | Function::Last
            | Function::Tail
            | Function::Skip
            | Function::Take
            | Function::Distinct
            | Function::IsDistinct
            | Function::SubsetOf
            | Function::SupersetOf
            | Function::Intersect
            | Function::Exclude
            | Function::Union
            | Function::Combine => self.set(current, &given),
            Function::Abs
            | Function::Ceiling
            | Function::Exp
            | Function::Floor
            | Function::Ln
            | Function::Log
            | Function::Power
            | Function::Round
            | Function::Sqrt
            | Function::Truncate
            | Function::LowBoundary
            | Function::HighBoundary
            | Function::Precision
            | Function::Comparable => self.number(&current, &given),
            Function::ToBoolean
            | Function::ToInteger
            | Function::ToLong
            | Function::ToDecimal
            | Function::ToText
            | Function::ToDate
            | Function::ToDateTime
            | Function::ToTime
            | Function::ToQuantity
            | Function::ConvertsToBoolean
            | Function::ConvertsToInteger
            | Function::ConvertsToLong
            | Function::ConvertsToDecimal
            | Function::ConvertsToText
            | Function::ConvertsToDate
            | Function::ConvertsToDateTime
            | Function::ConvertsToTime
            | Function::ConvertsToQuantity => self.convert(&current, &given),
            _ => self.text_function(&current, &given),
        }
    }

    /// The functions whose arguments are evaluated for each item.
    fn looping(
        &mut self,
        call: &'e Call,
        current: Collection<'e>,
        frame: Frame<'_, 'e>,
    ) -> Outcome<'e> {
        let first = call.arguments.first();
        match (call.function, first) {
            (Function::Exists, None) => Ok(Collection::boolean(!current.is_empty())),
            (Function::Exists, Some(test)) => {
                let mut open = None;
                for (index, item) in current.as_slice().iter().enumerate() {
                    match self.test(test, item, index, frame) {
                        Ok(true) => return Ok(Collection::boolean(true)),
                        Ok(false) => {}
                        Err(Stop::Open(reason)) => open = Some(reason),
                        Err(stop) => return Err(stop),
                    }
                }
                open.map_or(Ok(Collection::boolean(false)), |open| Err(Stop::Open(open)))
            }
            (Function::All, Some(test)) => {
                let mut open = None;
                for (index, item) in current.as_slice().iter().enumerate() {
                    match self.test(test, item, index, frame) {
                        Ok(true) => {}
                        Ok(false) => return Ok(Collection::boolean(false)),
                        Err(Stop::Open(reason)) => open = Some(reason),
                        Err(stop) => return Err(stop),
                    }
                }
                open.map_or(Ok(Collection::boolean(true)), |open| Err(Stop::Open(open)))
            }
            (Function::Where, Some(test)) => {
                let mut kept = Collection::Empty;
                for (index, item) in current.as_slice().iter().enumerate() {
                    if self.test(test, item, index, frame)? {
                        kept.push(item.clone());
                    }
                }
                Ok(kept)
            }
            (Function::Select, Some(projection)) => {
                let mut all = Collection::Empty;
                for (index, item) in current.as_slice().iter().enumerate() {
                    let this = Collection::One(item.clone());
                    let inner = Frame { this: &this, index, total: frame.total };
                    all.append(self.evaluate(projection, inner)?);
                    self.few(&all)?;
                }
                Ok(all)
            }
            (Function::Repeat, Some(projection)) => self.repeat(&current, projection, frame),
            (Function::Aggregate, Some(step)) => {
                let mut total = match call.arguments.get(1) {
                    Some(start) => self.evaluate(start, frame)?,
                    None => Collection::Empty,
                };
                for (index, item) in current.as_slice().iter().enumerate() {
                    let this = Collection::One(item.clone());
                    let inner = Frame { this: &this, index, total: &total };
                    let next = self.evaluate(step, inner)?;
                    self.few(&next)?;
                    total = next;
                }
                Ok(total)
            }
            (Function::Sort, _) => self.sort(current, &call.arguments, frame),
            (Function::Iif, Some(test)) => {
                if current.len() > 1 {
                    return Err(Mistake::NotSingle.into());
                }
                let outer =
                    Frame { this: if current.is_empty() { frame.this } else { &current }, ..frame };
                let value = self.evaluate(test, outer)?;
                let is_boolean = |item| matches!(self.context.value(item), Some(Item::Boolean(_)));
                if self.context.strict && !value.as_slice().iter().all(is_boolean) {
                    return Err(Mistake::WrongType.into());
                }
                let branch = if self.truth(&value)? == Some(true) { 1 } else { 2 };
                match call.arguments.get(branch) {
                    Some(branch) => self.evaluate(branch, outer),
                    None => Ok(Collection::Empty),
                }
            }
            (Function::DefineVariable, Some(name)) => {
                let inner = Frame { this: &current, ..frame };
                let name = self.evaluate(name, inner)?;
                let Some(name) = self.text(&name)? else { return Err(Mistake::WrongType.into()) };
                let is_taken = TAKEN.contains(&&*name)
                    || self.variables.iter().any(|(known, _)| *known == name)
                    || self.context.variables.iter().any(|(known, _)| **known == *name);
                if is_taken {
                    return Err(Mistake::VariableTaken.into());
                }
                let value = match call.arguments.get(1) {
                    Some(value) => self.evaluate(value, inner)?,
                    None => current.clone(),
                };
                self.variables.push((name, value));
                Ok(current)
            }
            // `trace` says nothing: what it would say is in the document.
            _ => Ok(current),
        }
    }

    fn test(
        &mut self,
        test: &'e Node,
        item: &Item<'e>,
        index: usize,
        frame: Frame<'_, 'e>,
    ) -> Result<bool, Stop> {
        let this = Collection::One(item.clone());
        let value = self.evaluate(test, Frame { this: &this, index, total: frame.total })?;
        Ok(self.truth(&value)? == Some(true))
    }

    fn repeat(
        &mut self,
        current: &Collection<'e>,
        projection: &'e Node,
        frame: Frame<'_, 'e>,
    ) -> Outcome<'e> {
        let mut found: Vec<Item<'e>> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut waiting: std::collections::VecDeque<Item<'e>> =
            current.as_slice().iter().cloned().collect();
        while let Some(item) = waiting.pop_front() {
            let this = Collection::One(item);
            let inner = Frame { this: &this, index: found.len(), total: frame.total };
            let yielded = self.evaluate(projection, inner)?.into_vec();
            self.step(yielded.len())?;
            for next in yielded {
                let is_new = match &next {
                    Item::Node(id) => seen.insert(*id),
                    other => !self.has_equal(&found, other)?,
                };
                if is_new {
                    found.push(next.clone());
                    waiting.push_back(next);
                }
            }
            if found.len() > self.context.limits.items {
                return Err(Limit::Items.into());
            }
        }
        Ok(found.into())
    }

    fn sort(
        &mut self,
        current: Collection<'e>,
        keys: &'e [Node],
        frame: Frame<'_, 'e>,
    ) -> Outcome<'e> {
        let mut rows = Vec::with_capacity(current.len());
        for (index, item) in current.into_vec().into_iter().enumerate() {
            let this = Collection::One(item.clone());
            let inner = Frame { this: &this, index, total: frame.total };
            let mut values = Vec::new();
            for key in keys {
                let (key, descending) = match key {
                    Node::Negative(key) => (&**key, true),
                    key => (key, false),
                };
                values.push((self.evaluate(key, inner)?, descending));
            }
            if keys.is_empty() {
                values.push((this, false));
            }
            rows.push((values, item));
        }
        let rounds = usize::BITS - rows.len().leading_zeros();
        self.step(rows.len().saturating_mul(rounds as usize))?;
        rows.sort_by(|(one, _), (two, _)| {
            for ((one, descending), (two, _)) in one.iter().zip(two) {
                // What has no key comes first, also where the order is turned round.
                let order = self.sort_order(one, two);
                let turns = *descending && !one.is_empty() && !two.is_empty();
                if order.is_ne() {
                    return if turns { order.reverse() } else { order };
                }
            }
            std::cmp::Ordering::Equal
        });
        Ok(rows.into_iter().map(|(_, item)| item).collect())
    }

    /// The pattern of an argument: a literal's is compiled once for all evaluations.
    pub(super) fn pattern(
        &mut self,
        call: &'e Call,
        text: &str,
        whole: bool,
    ) -> Result<Pattern, Stop> {
        let compile = |text: &str| if whole { Pattern::whole(text) } else { Pattern::new(text) };
        let is_literal = matches!(call.arguments.first(), Some(Node::Literal(Literal::Text(_))));
        let found = if is_literal {
            call.pattern.get_or_init(|| compile(text)).clone()
        } else {
            match &self.pattern {
                Some((known, pattern)) if known == text => pattern.clone(),
                _ => {
                    let pattern = compile(text);
                    self.pattern = Some((text.to_owned(), pattern.clone()));
                    pattern
                }
            }
        };
        found.ok_or(Stop::Mistake(Mistake::BadPattern))
    }

    fn clock(&self, function: Function) -> Outcome<'e> {
        let Some(now) = self.context.now else { return Err(Stop::Open(Open::Clock)) };
        Ok(match function {
            Function::Now => Collection::One(Item::Temporal(now)),
            Function::Today => {
                Collection::One(Item::Temporal(now.into_kind(super::temporal::TemporalKind::Date)))
            }
            _ => Collection::one(now.time_of_day().map(Item::Temporal)),
        })
    }
}

/// What stands in a function's parentheses, evaluated.
#[derive(Debug)]
pub(super) struct Given<'e> {
    pub(super) call: &'e Call,
    pub(super) first: Option<Collection<'e>>,
    pub(super) second: Option<Collection<'e>>,
}

impl<'e> Given<'e> {
    pub(super) fn first(&self) -> &Collection<'e> {
        self.first.as_ref().unwrap_or(&Collection::Empty)
    }

    pub(super) fn second(&self) -> &Collection<'e> {
        self.second.as_ref().unwrap_or(&Collection::Empty)
    }
}

fn literal_item(literal: &Literal) -> Item<'_> {
    match literal {
        Literal::Boolean(value) => Item::Boolean(*value),
        Literal::Integer(value) => Item::Integer(*value),
        Literal::Decimal(value) => Item::Decimal(*value),
        Literal::Text(text) => Item::text(&**text),
        Literal::Temporal(value) => Item::Temporal(*value),
        Literal::Quantity(quantity) => Item::Quantity(Box::new(quantity.clone())),
    }
}

const fn needs_order(step: &Step) -> bool {
    match step {
        Step::Item(_) => true,
        Step::Call(call) => matches!(
            call.function,
            Function::Skip | Function::Take | Function::First | Function::Last | Function::Tail
        ),
        _ => false,
    }
}
