//! The rung of each kind: what there is, what is used, and who keeps it from being higher.

use std::collections::BTreeSet;

use ipt_fhir::fhir::{Capability, Refusal};
use ipt_fhir::vendor::{
    Allow, Effective, Encounters, Kind, LadderStep, Overrides, Pack, Placement, Rung, Source, place,
};
use proptest::prelude::*;

use super::{all_captured, listing, scopes};

/// The types that decide about rungs.
const TYPES: [&str; 7] = [
    "CarePlan",
    "Goal",
    "Encounter",
    "Condition",
    "Observation",
    "QuestionnaireResponse",
    "DocumentReference",
];

fn creating(types: &[&str]) -> Capability {
    let words: Vec<String> = types.iter().map(|of| format!("{of}=create")).collect();
    listing(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn allow(rungs: &[Rung]) -> Allow {
    Allow { rungs: rungs.iter().copied().collect(), ..Allow::default() }
}

fn refusal(resource_type: &str) -> Refusal {
    Refusal::new(resource_type, "create", 403, "2026-11-26T12:00:00Z".parse().unwrap())
}

/// The placements as words: `plan document/withheld` is a plan that could be a document and is nothing.
fn words(placements: &[Placement<'_>]) -> String {
    let word = |placement: &Placement<'_>| {
        let part = if placement.is_partial { "+" } else { "" };
        let (possible, used) = (placement.possible, placement.rung);
        if possible == used {
            format!("{}{part}", used.code())
        } else {
            format!("{}/{}{part}", possible.code(), used.code())
        }
    };
    placements.iter().map(word).collect::<Vec<_>>().join(" | ")
}

/// The steps down of a kind as words: `structure>document pack`.
fn steps(placement: &Placement<'_>) -> Vec<String> {
    let word = |step: &ipt_fhir::vendor::Narrowing<'_>| {
        let more = match &step.source {
            Source::Configuration { key } => format!(":{key}"),
            Source::Pack { source, .. } => format!(":{source}"),
            _ => String::new(),
        };
        let lacks = step.lacks.map(|of| format!(" {of}")).unwrap_or_default();
        let (from, to, source) = (step.from.code(), step.to.code(), step.source.code());
        format!("{from}>{to} {source}{more}{lacks}")
    };
    placement.narrowings.iter().map(word).collect()
}

#[test]
fn nothing_below_structure_is_used_unless_it_is_allowed() {
    let (statement, none) = (creating(&["Condition", "DocumentReference"]), Overrides::default());
    let effective = Effective::new(&statement, None, None, &none, &[]);
    let with = |rungs: &[Rung]| words(&place(&effective, &allow(rungs)));
    assert_eq!(with(&[]), "document/withheld | document/withheld | structure | document/withheld");
    assert_eq!(with(&[Rung::Document]), "document | document | structure | document");
    assert_eq!(
        with(&[Rung::HandOff]),
        "document/hand-off | document/hand-off | structure | document/hand-off"
    );
    assert_eq!(
        with(&[Rung::Form]),
        "document/withheld | document/withheld | structure | document/withheld"
    );
    let placed = place(&effective, &Allow::default());
    assert_eq!(
        steps(&placed[0]),
        [
            "structure>document not-said CarePlan",
            "document>hand-off configuration:allow",
            "hand-off>withheld configuration:allow"
        ]
    );
    assert!(placed[2].narrowings.is_empty());
}

#[test]
fn a_lower_rung_needs_its_own_type() {
    let none = Overrides::default();
    let with = |types: &[&str], allow: &Allow| {
        let statement = creating(types);
        words(&place(&Effective::new(&statement, None, None, &none, &[]), allow))
    };
    let every = Allow::every_rung();
    assert_eq!(with(&[], &every), "hand-off | hand-off | hand-off | hand-off");
    assert_eq!(with(&["DocumentReference"], &every), "document | document | document | document");
    // Only scores have a Questionnaire.
    assert_eq!(with(&["QuestionnaireResponse"], &every), "hand-off | hand-off | hand-off | form+");
    // A form that is not allowed gives way to a note only where a note can be made.
    let document = allow(&[Rung::Document]);
    assert_eq!(
        with(&["QuestionnaireResponse"], &document),
        "hand-off/withheld | hand-off/withheld | hand-off/withheld | form/withheld+"
    );
    assert_eq!(
        with(&["QuestionnaireResponse", "DocumentReference"], &document),
        "document | document | document | form/document+"
    );
}

#[test]
fn of_a_kind_of_several_types_those_that_are_taken_are_not_held_back() {
    let none = Overrides::default();
    let statement = creating(&["CarePlan", "Observation", "DocumentReference"]);
    let effective = Effective::new(&statement, None, None, &none, &[]);
    let placed = place(&effective, &Allow::every_rung());
    assert_eq!(words(&placed), "document+ | document | document | document+");
    assert_eq!(steps(&placed[0]), ["structure>document not-said Goal"]);
    let nothing = place(&effective, &Allow::default());
    assert_eq!(nothing[0].rung, Rung::Withheld);
    assert!(nothing[0].is_partial);
    // Where the pack has the kind as a note, it is one, and no half of it goes as structure.
    let epic = Pack::named("epic").unwrap();
    let effective = Effective::new(&statement, None, Some(epic), &none, &[]);
    let placed = place(&effective, &Allow::every_rung());
    assert_eq!(words(&placed), "document | document | document | document");
}

#[test]
fn encounters_are_made_only_where_somebody_says_so() {
    let (statement, none) = (creating(&["Encounter", "DocumentReference"]), Overrides::default());
    let session = |pack: Option<&'static Pack>, encounters| {
        let allow = Allow { encounters, ..Allow::every_rung() };
        let placed = place(&Effective::new(&statement, None, pack, &none, &[]), &allow);
        (placed[1].rung, steps(&placed[1]))
    };
    let linked = vec!["structure>document configuration:encounter Encounter".to_owned()];
    assert_eq!(session(None, None), (Rung::Document, linked.clone()));
    assert_eq!(session(None, Some(Encounters::Link)), (Rung::Document, linked.clone()));
    assert_eq!(session(None, Some(Encounters::Create)).0, Rung::Structure);
    let hapi = Pack::named("hapi");
    assert_eq!(session(hapi, None).0, Rung::Structure);
    assert_eq!(session(hapi, Some(Encounters::Link)), (Rung::Document, linked));
    // Oracle's statement lists it, and its pack knows what comes of it.
    let oracle = Pack::named("oracle-health");
    let told = vec!["structure>document pack:documentation Encounter".to_owned()];
    assert_eq!(session(oracle, Some(Encounters::Create)), (Rung::Document, told));
}

#[test]
fn what_must_be_asked_for_is_used_only_if_it_is() {
    let (statement, none) = (creating(&["Condition", "DocumentReference"]), Overrides::default());
    let epic = Pack::named("epic");
    let effective = Effective::new(&statement, None, epic, &none, &[]);
    let asked = |kinds: &[Kind]| {
        let opt_in = kinds.iter().copied().collect();
        let placed = place(&effective, &Allow { opt_in, ..Allow::every_rung() });
        (placed[2].possible, placed[2].rung, steps(&placed[2]))
    };
    let told = vec!["structure>document configuration:opt_in".to_owned()];
    assert_eq!(asked(&[]), (Rung::Document, Rung::Document, told.clone()));
    assert_eq!(asked(&[Kind::Plan]), (Rung::Document, Rung::Document, told));
    assert_eq!(asked(&[Kind::Diagnosis]), (Rung::Structure, Rung::Structure, Vec::new()));
    // To ask is not to make it work.
    let refusals = [refusal("Condition")];
    let effective = Effective::new(&statement, None, epic, &none, &refusals);
    let allow = Allow { opt_in: [Kind::Diagnosis].into(), ..Allow::every_rung() };
    let placed = place(&effective, &allow);
    assert_eq!(steps(&placed[2]), ["structure>document refusal Condition"]);
}

#[test]
fn each_step_down_names_who_caused_it() {
    let types = ["CarePlan", "Goal", "Encounter", "Condition", "Observation", "DocumentReference"];
    let statement = creating(&types);
    let no_goals: Overrides = "Goal=-create".parse().unwrap();
    let granted = scopes("system/CarePlan.c system/Goal.c system/Condition.c system/Encounter.c");
    let refusals = [refusal("Condition")];
    let allow = Allow { encounters: Some(Encounters::Create), ..Allow::every_rung() };
    let effective = Effective::new(&statement, Some(&granted), None, &no_goals, &refusals);
    let placed = place(&effective, &allow);
    assert_eq!(
        steps(&placed[0]),
        ["structure>document override Goal", "document>hand-off scope DocumentReference"]
    );
    assert_eq!(steps(&placed[1]), Vec::<String>::new());
    assert_eq!(
        steps(&placed[2]),
        ["structure>document refusal Condition", "document>hand-off scope DocumentReference"]
    );
    assert_eq!(
        steps(&placed[3]),
        [
            "structure>form scope Observation",
            "form>document not-said QuestionnaireResponse",
            "document>hand-off scope DocumentReference"
        ]
    );
}

#[test]
fn a_pack_lowers_and_the_operators_own_word_counts_more() {
    // athenahealth: notes go through an interface that we do not speak.
    let statement = creating(&["QuestionnaireResponse", "DocumentReference"]);
    let athena = Pack::named("athenahealth");
    let none = Overrides::default();
    let effective = Effective::new(&statement, None, athena, &none, &[]);
    let placed = place(&effective, &Allow::every_rung());
    assert_eq!(words(&placed), "hand-off | hand-off | hand-off | form");
    assert_eq!(
        steps(&placed[0]),
        ["structure>document not-said CarePlan", "document>hand-off pack:design"]
    );
    let contract: Overrides = "DocumentReference=create".parse().unwrap();
    let effective = Effective::new(&statement, None, athena, &contract, &[]);
    let placed = place(&effective, &Allow::every_rung());
    assert_eq!(words(&placed), "document | document | document | form");
    // One word of several that are needed is not enough.
    let half: Overrides = "CarePlan=create".parse().unwrap();
    let both: Overrides = "CarePlan=create;Goal=create".parse().unwrap();
    for (said, rung) in [(half, Rung::HandOff), (both, Rung::Structure)] {
        let effective = Effective::new(&statement, None, athena, &said, &[]);
        assert_eq!(place(&effective, &Allow::every_rung())[0].rung, rung);
    }
}

#[test]
fn a_pack_goes_beyond_a_silent_statement_and_beyond_nothing_else() {
    let mut pack = Pack::named("athenahealth").unwrap().clone();
    pack.ladder.retain(|step| step.kind != Kind::Plan);
    pack.ladder.push(LadderStep {
        kind: Kind::Plan,
        rung: Rung::Document,
        opt_in: false,
        beyond_statement: true,
        source: "documentation".to_owned(),
        note: None,
    });
    let statement = creating(&[]);
    let nothing: Overrides = "DocumentReference=-create".parse().unwrap();
    let (none, every) = (Overrides::default(), Allow::every_rung());
    let placed = |overrides: &Overrides, refusals: &[Refusal], statement: &Capability| {
        let effective = Effective::new(statement, None, Some(&pack), overrides, refusals);
        place(&effective, &every)[0].possible
    };
    assert_eq!(placed(&none, &[], &statement), Rung::Document);
    assert_eq!(placed(&nothing, &[], &statement), Rung::HandOff);
    let lists = creating(&["DocumentReference"]);
    assert_eq!(placed(&none, &[], &lists), Rung::Document);
    assert_eq!(placed(&none, &[refusal("DocumentReference")], &lists), Rung::HandOff);
    // What was refused is refused, also where the statement never said it.
    assert_eq!(placed(&none, &[refusal("DocumentReference")], &statement), Rung::HandOff);
}

/// The invariant of ehrs-and-sync.md 1.6, over the captured statements.
#[test]
fn with_a_pack_no_kind_stands_higher_than_by_its_statement() {
    let none = Overrides::default();
    let allow = Allow {
        opt_in: Kind::ALL.into(),
        encounters: Some(Encounters::Create),
        ..Allow::every_rung()
    };
    for (name, pack, statement) in all_captured() {
        let pack = Pack::named(pack).unwrap();
        let alone = Effective::new(&statement, None, None, &none, &[]);
        let with_pack = Effective::new(&statement, None, Some(pack), &none, &[]);
        for (by_statement, by_pack) in
            place(&alone, &allow).into_iter().zip(place(&with_pack, &allow))
        {
            let kind = by_pack.kind.code();
            let goes_beyond = pack.rung(by_pack.kind).is_some_and(|step| step.beyond_statement);
            assert!(by_pack.possible <= by_statement.possible || goes_beyond, "{name} {kind}");
            // Whatever the pack takes away it takes away by its own word, and the word has a source.
            let lowered = by_pack.narrowings.iter().filter(|step| step.to < by_statement.possible);
            for step in lowered {
                let Source::Pack { pack: told_by, source, .. } = &step.source else {
                    assert_eq!(step.source, Source::NotSaid, "{name} {kind}");
                    continue;
                };
                assert_eq!(*told_by, pack.name);
                assert!(pack.source(source).is_some(), "{name} {kind}");
            }
            let is_lower = by_pack.possible < by_statement.possible;
            let says_so = by_pack.narrowings.iter().any(|step| step.source.code() == "pack");
            assert!(!is_lower || says_so, "{name} {kind}");
            assert!(
                by_statement.narrowings.iter().all(|step| step.source == Source::NotSaid),
                "{name} {kind}: a statement alone is silent and nothing else"
            );
        }
    }
}

// ---- Whatever there is ----

/// A server and an operator, made up.
#[derive(Debug, Clone)]
struct Made {
    taken: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
    overridden: Vec<(&'static str, bool)>,
    pack: Option<Pack>,
    allow: Allow,
}

impl Made {
    fn place(&self) -> Vec<(Kind, Rung, Rung, bool)> {
        self.with(|placed| {
            let facts = |p: &Placement<'_>| (p.kind, p.possible, p.rung, p.is_partial);
            placed.iter().map(facts).collect()
        })
    }

    fn with<T>(&self, look: impl FnOnce(&[Placement<'_>; 4]) -> T) -> T {
        let statement = creating(&self.taken.iter().copied().collect::<Vec<_>>());
        let refusals: Vec<Refusal> = self.refused.iter().map(|of| refusal(of)).collect();
        let mut overrides = Overrides::default();
        for (of, works) in &self.overridden {
            let _ = overrides.add(of, if *works { "create" } else { "-create" });
        }
        let effective = Effective::new(&statement, None, self.pack.as_ref(), &overrides, &refusals);
        look(&place(&effective, &self.allow))
    }
}

fn types() -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop::sample::subsequence(TYPES.to_vec(), 0..=TYPES.len())
        .prop_map(|types| types.into_iter().collect())
}

fn any_allow() -> impl Strategy<Value = Allow> {
    (
        prop::sample::subsequence(Rung::BELOW_STRUCTURE.to_vec(), 0..=3),
        prop::sample::subsequence(Kind::ALL.to_vec(), 0..=4),
        prop::option::of(prop::sample::select(Encounters::ALL.to_vec())),
    )
        .prop_map(|(rungs, opt_in, encounters)| Allow {
            rungs: rungs.into_iter().collect(),
            opt_in: opt_in.into_iter().collect(),
            encounters,
        })
}

/// A pack of the house, its rungs thrown anew.
fn any_pack() -> impl Strategy<Value = Pack> {
    let step = (0_usize..Rung::ALL.len(), any::<bool>(), prop::bool::weighted(0.2), any::<bool>());
    (prop::sample::select(Pack::all().to_vec()), prop::collection::vec(step, 4), any::<bool>())
        .prop_map(|(mut pack, steps, as_it_is)| {
            if !as_it_is {
                pack.ladder.clear();
                for (kind, (rung, opt_in, beyond_statement, is_there)) in
                    Kind::ALL.into_iter().zip(steps)
                {
                    let source = pack.sources.keys().next().unwrap().clone();
                    let rung = Rung::ALL[rung];
                    let step =
                        LadderStep { kind, rung, opt_in, beyond_statement, source, note: None };
                    pack.ladder.extend(is_there.then_some(step));
                }
            }
            pack
        })
}

fn made() -> impl Strategy<Value = Made> {
    let overridden =
        prop::collection::vec((prop::sample::select(TYPES.to_vec()), any::<bool>()), 0..3);
    let pack = prop::option::weighted(0.8, any_pack());
    (types(), types(), any::<bool>(), overridden, pack, any_allow()).prop_map(
        |(taken, refused, refuses, overridden, pack, allow)| Made {
            taken,
            refused: if refuses { refused } else { BTreeSet::new() },
            overridden,
            pack,
            allow,
        },
    )
}

/// Not lower, neither what there is nor what is used.
fn at_least(more: &Made, less: &Made) -> Result<(), TestCaseError> {
    for (more, less) in more.place().into_iter().zip(less.place()) {
        prop_assert!(more.1 >= less.1 && more.2 >= less.2, "{more:?} below {less:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_used_is_possible_and_allowed_and_every_step_down_is_told(made in made()) {
        made.with(|placed| {
            for placement in placed {
                let rungs = placement.kind.rungs();
                prop_assert!(placement.rung <= placement.possible);
                let is_allowed = placement.rung == Rung::Structure
                    || placement.rung == Rung::Withheld
                    || made.allow.rungs.contains(&placement.rung);
                prop_assert!(is_allowed);
                prop_assert!(placement.rung == Rung::Withheld || rungs.contains(&placement.rung));
                let mut at = Rung::Structure;
                for step in &placement.narrowings {
                    prop_assert!(step.from == at && step.to < at);
                    at = step.to;
                    let told = (step.source.code(), step.lacks);
                    prop_assert!(step.source != Source::Statement, "{told:?}");
                }
                prop_assert_eq!(at, placement.rung);
                // Where half a kind goes as structure, the whole kind does not.
                prop_assert!(!placement.is_partial || placement.possible < Rung::Structure);
            }
            Ok(())
        })?;
    }

    #[test]
    fn to_allow_more_lowers_nothing(made in made(), other in any_allow()) {
        let mut more = made.clone();
        more.allow.rungs.extend(other.rungs);
        more.allow.opt_in.extend(other.opt_in);
        more.allow.encounters = Some(Encounters::Create);
        at_least(&more, &made)?;
    }

    #[test]
    fn a_server_that_takes_more_lowers_nothing(made in made(), other in types()) {
        let mut more = made.clone();
        more.taken.extend(other);
        at_least(&more, &made)?;
    }

    #[test]
    fn a_refusal_raises_nothing(made in made(), other in types()) {
        let mut less = made.clone();
        less.refused.extend(other);
        at_least(&made, &less)?;
    }

    #[test]
    fn a_pack_that_goes_less_high_raises_nothing(
        made in made(), kind in prop::sample::select(Kind::ALL.to_vec()), rung in 0_usize..5,
    ) {
        let mut less = made.clone();
        let Some(pack) = &mut less.pack else { return Ok(()) };
        let Some(step) = pack.ladder.iter_mut().find(|step| step.kind == kind) else { return Ok(()) };
        step.rung = step.rung.min(Rung::ALL[rung]);
        step.beyond_statement = false;
        at_least(&made, &less)?;
    }

    #[test]
    fn without_a_pack_that_says_so_nothing_is_higher_than_the_statement(mut made in made()) {
        made.allow.encounters = Some(Encounters::Create);
        let goes_beyond: BTreeSet<Kind> = made.pack.iter().flat_map(|pack| &pack.ladder)
            .filter(|step| step.beyond_statement).map(|step| step.kind).collect();
        let widens = made.pack.as_ref().is_some_and(|pack| pack.rules.iter().any(|rule| rule.beyond_statement));
        let mut alone = made.clone();
        alone.pack = None;
        for (with_pack, alone) in made.place().into_iter().zip(alone.place()) {
            let may = widens || goes_beyond.contains(&with_pack.0);
            prop_assert!(may || with_pack.1 <= alone.1, "{with_pack:?} above {alone:?}");
        }
    }
}
