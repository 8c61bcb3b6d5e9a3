//! On which rung a kind stands at one server, and who keeps it from standing higher.
//!
//! The ladder is gone down from the top. A rung is passed by when its precondition does not hold (statement, scopes,
//! pack, refusals and the operator, as [`Effective`] lays them over each other), when the pack goes no higher, or when
//! the operator has not allowed it. Each step down names who caused it.
//!
//! A pack's rung only lowers: it never makes a precondition hold, unless it says `beyond_statement`, and then only where
//! the statement is silent. A refusal, a missing scope and the operator's own word stand against it. The other way round
//! the pack's rung gives way where the operator says, by `override`, that all that a higher rung needs works: whoever has
//! a contract knows better.

use super::{Allow, Encounters, Kind, LadderStep, Rung};
use crate::vendor::{Effective, Source};

/// A step down the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowing<'a> {
    /// The rung that is not used.
    pub from: Rung,
    /// The next rung of this kind below it.
    pub to: Rung,
    /// Who says so.
    pub source: Source<'a>,
    /// The type that can't be created, where that is why.
    pub lacks: Option<&'static str>,
}

/// Where a kind stands at one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement<'a> {
    /// The kind.
    pub kind: Kind,
    /// The highest rung whose precondition holds and to which the pack does not object: what there is, were all rungs
    /// allowed.
    pub possible: Rung,
    /// The rung to use: the highest that is possible and either structure or allowed, else [`Rung::Withheld`].
    pub rung: Rung,
    /// Why it is not a higher one, from the top; each begins where the one before ended.
    pub narrowings: Vec<Narrowing<'a>>,
    /// Whether of the kind's types some are taken and others are not, and no pack lowers the kind: those that are taken
    /// go as structure all the same, and the others by [`Self::rung`].
    pub is_partial: bool,
}

/// Places all kinds, in the order of [`Kind::ALL`].
pub fn place<'a>(effective: &Effective<'a>, allow: &Allow) -> [Placement<'a>; 4] {
    Kind::ALL.map(|kind| Ladder { effective, allow, kind }.place())
}

/// The ladder of one kind at one server.
struct Ladder<'l, 'a> {
    effective: &'l Effective<'a>,
    allow: &'l Allow,
    kind: Kind,
}

/// Who stands in the way, and the type that can't be created.
type Obstacle<'a> = (Source<'a>, Option<&'static str>);

impl<'a> Ladder<'_, 'a> {
    fn place(&self) -> Placement<'a> {
        let rungs = self.kind.rungs();
        let mut narrowings = Vec::new();
        let (mut possible, mut used) = (None, None);
        for (at, rung) in rungs.iter().copied().enumerate() {
            let obstacle = self.unmet(rung).or_else(|| self.lowered(rung)).or_else(|| {
                possible.get_or_insert(rung);
                self.forbidden(rung)
            });
            let Some((source, lacks)) = obstacle else {
                used = Some(rung);
                break;
            };
            let to = rungs.get(at + 1).copied().unwrap_or(Rung::Withheld);
            narrowings.push(Narrowing { from: rung, to, source, lacks });
        }
        Placement {
            kind: self.kind,
            possible: possible.unwrap_or(Rung::Withheld),
            rung: used.unwrap_or(Rung::Withheld),
            narrowings,
            is_partial: self.is_partial(),
        }
    }

    /// The precondition of a rung that does not hold. The sources of [`Effective`] answer for what they say; an Encounter
    /// that we may not make is the configuration's.
    fn unmet(&self, rung: Rung) -> Option<Obstacle<'a>> {
        let goes_beyond =
            self.step().is_some_and(|step| step.beyond_statement && step.rung == rung);
        self.kind.needs(rung).iter().find_map(|of| {
            let fact = if goes_beyond {
                self.effective.allows_beyond_statement(of, "create")
            } else {
                self.effective.allows(of, "create")
            };
            (!fact.allowed).then_some((fact.source, Some(*of)))
        })
    }

    /// The pack's objection to a rung whose precondition holds, and the configuration's to what must be asked for.
    fn lowered(&self, rung: Rung) -> Option<Obstacle<'a>> {
        let of_pack = self.step().and_then(|step| {
            if rung > step.rung && !self.is_overridden(rung) {
                return self.told_by(step);
            }
            let is_asked_for = self.allow.opt_in.contains(&self.kind);
            (rung >= step.rung && step.opt_in && !is_asked_for)
                .then_some((Source::Configuration { key: "opt_in" }, None))
        });
        of_pack.or_else(|| {
            let makes_encounters = self.kind == Kind::Session && rung == Rung::Structure;
            let may_not = self.allow.encounters(self.effective.pack()) == Encounters::Link;
            (makes_encounters && may_not)
                .then_some((Source::Configuration { key: "encounter" }, Some("Encounter")))
        })
    }

    /// The operator's silence about a rung.
    fn forbidden(&self, rung: Rung) -> Option<Obstacle<'a>> {
        (rung != Rung::Structure && !self.allow.rungs.contains(&rung))
            .then_some((Source::Configuration { key: "allow" }, None))
    }

    fn is_partial(&self) -> bool {
        let is_taken = |of: &&&str| self.effective.allows(of, "create").allowed;
        let types = self.kind.needs(Rung::Structure);
        let taken = types.iter().filter(is_taken).count();
        let is_half = 0 < taken && taken < types.len();
        is_half && self.unmet(Rung::Structure).is_some() && self.lowered(Rung::Structure).is_none()
    }

    fn step(&self) -> Option<&'a LadderStep> {
        self.effective.pack()?.rung(self.kind)
    }

    fn told_by(&self, step: &'a LadderStep) -> Option<Obstacle<'a>> {
        let pack = &self.effective.pack()?.name;
        let (source, note) = (&step.source, step.note.as_deref());
        Some((Source::Pack { pack, source, note }, None))
    }

    /// Whether the operator says of all that a rung needs that it works.
    fn is_overridden(&self, rung: Rung) -> bool {
        let needs = self.kind.needs(rung);
        let says = |of: &&str| {
            let fact = self.effective.allows(of, "create");
            fact.allowed && fact.source == Source::Override
        };
        !needs.is_empty() && needs.iter().all(says)
    }
}
