//! Statement, scopes, pack, refusals and overrides, laid over each other.

use ipt_fhir::fhir::{Capability, Refusal};
use ipt_fhir::vendor::{Effective, Kind, Overrides, Pack, Rung, Source};
use proptest::prelude::*;

use super::{all_captured, listing, scopes};

const PACK: &str = r#"
format = 1
name = "small"
title = "Small"
version = "2026.11"
[sources]
seen = { text = "seen", evidence = "measured" }
[[resource]]
type = "Goal"
deny = ["update", "search:identifier"]
source = "seen"
note = "read only"
[[resource]]
type = "Task"
allow = ["create", "conditional-create"]
beyond_statement = true
source = "seen"
[[resource]]
type = "system"
allow = ["batch"]
beyond_statement = true
source = "seen"
[limits]
max_conditional_entries = { value = 8, source = "seen" }
"#;

fn statement() -> Capability {
    listing(&[
        "Goal=read,create,update,search-type,search:identifier,conditional-create",
        "Task=read,search:identifier",
        "system=transaction",
    ])
}

fn refusal(resource_type: &str, interaction: &str) -> Refusal {
    Refusal::new(resource_type, interaction, 403, "2026-11-26T12:00:00Z".parse().unwrap())
}

#[test]
fn without_anything_else_the_statement_counts() {
    let (statement, none) = (statement(), Overrides::default());
    let effective = Effective::new(&statement, None, None, &none, &[]);
    let goal = effective.allows("Goal", "create");
    assert!(goal.allowed && goal.source == Source::Statement && goal.narrowed.is_empty());
    let task = effective.allows("Task", "create");
    assert!(!task.allowed && task.source == Source::NotSaid);
    assert!(effective.searches("Goal", "identifier").allowed);
    assert!(effective.creates_conditionally("Goal").allowed);
    assert!(effective.allows_system("transaction").allowed);
    assert!(!effective.allows_system("batch").allowed);
    assert!(!effective.allows("CarePlan", "read").allowed);
    assert_eq!(effective.max_conditional_entries(), None);
    // A parameter of a type that can't be searched is worth nothing.
    let search = effective.searches("Task", "identifier");
    assert!(!search.allowed && search.source == Source::NotSaid);
}

#[test]
fn a_pack_narrows_and_widens_and_names_its_source() {
    let (statement, none, pack) = (statement(), Overrides::default(), Pack::parse(PACK).unwrap());
    let effective = Effective::new(&statement, None, Some(&pack), &none, &[]);
    let told = |note| Source::Pack { pack: "small", source: "seen", note };
    let update = effective.allows("Goal", "update");
    assert!(!update.allowed);
    assert_eq!(update.source, told(Some("read only")));
    let create = effective.allows("Task", "create");
    assert!(create.allowed);
    assert_eq!(create.source, told(None));
    assert!(effective.creates_conditionally("Task").allowed);
    assert!(effective.allows_system("batch").allowed);
    assert!(!effective.searches("Goal", "identifier").allowed);
    assert_eq!(effective.max_conditional_entries().map(|told| told.value), Some(8));
    assert_eq!(effective.max_entries(), None);
    // What the statement itself has come to say needs no pack, and what nobody says needs no denial.
    let more = listing(&["Task=create", "system=batch"]);
    let effective = Effective::new(&more, None, Some(&pack), &none, &[]);
    assert_eq!(effective.allows("Task", "create").source, Source::Statement);
    assert_eq!(effective.allows("Goal", "update").source, Source::NotSaid);
}

#[test]
fn scopes_narrow_and_no_pack_grants_one() {
    let (statement, none, pack) = (statement(), Overrides::default(), Pack::parse(PACK).unwrap());
    let granted = scopes("system/Goal.r system/Goal.c?category=a system/Task.rs");
    let effective = Effective::new(&statement, Some(&granted), Some(&pack), &none, &[]);
    assert!(effective.allows("Goal", "read").allowed);
    let create = effective.allows("Goal", "create");
    assert!(create.allowed && create.narrowed == ["category=a"]);
    assert_eq!(effective.creates_conditionally("Goal").narrowed, ["category=a"]);
    let search = effective.allows("Goal", "search-type");
    assert!(!search.allowed && search.source == Source::Scope);
    let task = effective.allows("Task", "create");
    assert!(!task.allowed && task.source == Source::Scope);
    assert!(effective.allows_system("transaction").allowed);
    // An empty grant is no unknown one.
    let nothing = scopes("");
    let effective = Effective::new(&statement, Some(&nothing), None, &none, &[]);
    assert!(!effective.allows("Goal", "read").allowed);
}

#[test]
fn a_refusal_is_believed_and_the_operator_more_so() {
    let (statement, none) = (statement(), Overrides::default());
    let refusals = [refusal("Goal", "create"), refusal("system", "transaction")];
    let effective = Effective::new(&statement, None, None, &none, &refusals);
    let until = "2026-11-27T12:00:00Z".parse().unwrap();
    let create = effective.allows("Goal", "create");
    assert!(!create.allowed);
    assert_eq!(create.source, Source::Refusal { until });
    assert_eq!(effective.creates_conditionally("Goal").source, Source::Refusal { until });
    assert!(!effective.allows_system("transaction").allowed);
    assert!(effective.allows("Goal", "read").allowed);
    let operator: Overrides =
        "Goal=create,-read;Flag=search:identifier;system=transaction".parse().unwrap();
    let nothing = scopes("");
    let effective = Effective::new(&statement, Some(&nothing), None, &operator, &refusals);
    for (of, word, allowed) in [
        ("Goal", "create", true),
        ("Goal", "read", false),
        ("Flag", "search:identifier", true),
        ("system", "transaction", true),
    ] {
        let fact = effective.fact(of, word);
        assert_eq!((fact.allowed, fact.source), (allowed, Source::Override), "{of} {word}");
    }
    assert!(!effective.allows("Flag", "search-type").allowed);
}

#[test]
fn overrides_are_read_and_written_back() {
    let text = "CarePlan=-update,create;Goal=search:identifier;system=batch";
    let overrides: Overrides = text.parse().unwrap();
    assert_eq!(
        overrides.to_string(),
        "CarePlan=create,-update;Goal=search:identifier;system=batch"
    );
    assert_eq!(overrides.get("CarePlan", "update"), Some(false));
    assert_eq!(overrides.get("Goal", "create"), None);
    assert!(" ".parse::<Overrides>().unwrap().is_empty());
    for wrong in [
        "Goal",
        "Goal=",
        "Goal=creat",
        "Goal=create,",
        "goal=create",
        "Goal=transaction",
        "system=create",
        "Goal=create,-create",
        "Goal=create;Goal=create",
        "Goal=--create",
        "Goal=search:",
        "Goal=search:a b",
        "=create",
    ] {
        assert!(wrong.parse::<Overrides>().is_err(), "{wrong}");
    }
}

#[test]
fn rungs_follow_what_is_allowed() {
    let none = Overrides::default();
    let rung = |words: &[&str], kind| {
        let statement = listing(words);
        Effective::new(&statement, None, None, &none, &[]).rung(kind)
    };
    assert_eq!(rung(&["CarePlan=create", "Goal=create"], Kind::Plan), Rung::Structure);
    assert_eq!(rung(&["CarePlan=create", "DocumentReference=create"], Kind::Plan), Rung::Document);
    assert_eq!(rung(&["QuestionnaireResponse=create"], Kind::Scores), Rung::Form);
    // No Questionnaire is published for a plan.
    assert_eq!(rung(&["QuestionnaireResponse=create"], Kind::Plan), Rung::HandOff);
    assert_eq!(rung(&["QuestionnaireResponse=create"], Kind::Session), Rung::HandOff);
    assert_eq!(rung(&["Condition=create"], Kind::Diagnosis), Rung::Structure);
    assert_eq!(rung(&["Observation=create"], Kind::Scores), Rung::HandOff);
    assert_eq!(rung(&[], Kind::Plan), Rung::HandOff);
    assert!(Rung::Structure > Rung::Form && Rung::Form > Rung::Document);
    assert!(Rung::Document > Rung::HandOff && Rung::HandOff > Rung::Withheld);
}

#[test]
fn it_answers_as_the_statement_does_where_nothing_else_is_known() {
    for (name, _, statement) in all_captured() {
        let none = Overrides::default();
        let effective = Effective::new(&statement, None, None, &none, &[]);
        for (of, known) in &statement.resources {
            for code in ["read", "search-type", "create", "update", "patch", "delete", "vread"] {
                assert_eq!(
                    effective.allows(of, code).allowed,
                    statement.allows(of, code),
                    "{name} {of}"
                );
            }
            let searched = known.interactions.contains("search-type");
            for parameter in &known.search_parameters {
                assert_eq!(
                    effective.searches(of, parameter).allowed,
                    searched,
                    "{name} {of} {parameter}"
                );
            }
        }
        for code in ["transaction", "batch", "history-system"] {
            assert_eq!(
                effective.allows_system(code).allowed,
                statement.allows_system(code),
                "{name}"
            );
        }
    }
}

proptest! {
    /// Refusals and scopes only ever take away, and only what they name.
    #[test]
    fn refusals_and_scopes_only_take_away(
        refused in prop::sample::subsequence(vec!["read", "create", "update", "search-type"], 0..4),
        granted in "system/(Goal|Task|\\*)\\.(read|write|\\*|c|rs|u)",
        with_pack in any::<bool>(),
    ) {
        let (statement, none, pack) = (statement(), Overrides::default(), Pack::parse(PACK).unwrap());
        let pack = with_pack.then_some(&pack);
        let refusals: Vec<Refusal> = refused.iter().map(|code| refusal("Goal", code)).collect();
        let granted = scopes(&granted);
        let free = Effective::new(&statement, None, pack, &none, &[]);
        let bound = Effective::new(&statement, Some(&granted), pack, &none, &refusals);
        for of in ["Goal", "Task", "CarePlan"] {
            for word in ["read", "create", "update", "search-type", "conditional-create", "search:identifier"] {
                let (free, bound) = (free.fact(of, word), bound.fact(of, word));
                prop_assert!(free.allowed || !bound.allowed, "{of} {word}");
                if free.allowed && !bound.allowed {
                    let taken = matches!(bound.source, Source::Refusal { .. } | Source::Scope);
                    prop_assert!(taken, "{:?}", bound.source);
                }
            }
        }
    }
}
