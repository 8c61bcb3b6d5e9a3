//! What the captured statements declare, computed anew and held against the design (ehrs-and-sync.md 1.1 and 1.6).

use ipt_fhir::fhir::Capability;
use ipt_fhir::fhir::capability::Versioning;

use super::all_captured;

/// r read, s search, C create, U update, P patch; i identifier search, L `_lastUpdated`, l lower case; - absent.
pub(crate) const DECLARED: &str = "
    | Patient | rsC i | rsCP i | rs iL | rs i | rs iL | rs i | rs i | rs i |
    | CarePlan | rs i | rs | rs L | rs | rs L | rs | rs | rs |
    | Goal | rs i | rs | rs L | rs | rs L | rs | rs | rs |
    | Encounter | rs i | rsCP iL | rs L | rs | rs L | rs | rs i | rs i |
    | Condition | rsC i | rsCU L | rs L | rs | rs L | rs | rsCU | rs |
    | Observation | rsCU i | rsCU L | rs L | rs i | rs L | rs | rsCU | rs |
    | DocumentReference | rsCU il | rsCU L | rs L | rs | rs L | rs | rsCU | rs |
    | QuestionnaireResponse | rsC i | rsU | rsC L | rsC | rs L | - | rsCU | rsCU |
    | Task | rsU i | - | - | - | - | - | - | r |
    | Appointment | rs i | rsCP | rs | - | - | - | - | rs |
    | Procedure | rsCU i | rsC L | rs L | rs | rs L | rs | rs | rs |
    | CareTeam | rs i | rs | rs L | rs | rs L | rs | rs | rs |
    | Communication | rsC i | rsCP | - | - | - | - | - | rsC |";

/// Types, and how many of them can be created, updated or patched, and deleted; system interactions.
const COUNTS: &str = "
    | types | 59/11/7/0 | 44/19/15/1 | 32/1/0/0 | 36/1/0/0 | 28/0/0/0 | 26/0/0/0 | 31/12/12/0 | 33/2/1/0 |
    | _lastUpdated | 2 | 12 | 21 | 0 | 25 | 0 | 0 | 0 |
    | system | - | batch | - | - | - | - | - | - |
    | updateCreate | 0 | 0 | 0 | 0 | 10 | 0 | 0 | 0 |";

pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

pub(crate) fn cell(capability: &Capability, resource_type: &str) -> String {
    let Some(known) = capability.resources.get(resource_type) else { return "-".to_owned() };
    let letters = |pairs: &[(&str, &str)], holds: &dyn Fn(&str) -> bool| -> String {
        pairs.iter().filter(|(_, name)| holds(name)).map(|(letter, _)| *letter).collect()
    };
    let does = letters(
        &[("r", "read"), ("s", "search-type"), ("C", "create"), ("U", "update"), ("P", "patch")],
        &|code| known.interactions.contains(code),
    );
    let finds =
        letters(&[("i", "identifier"), ("L", "_lastUpdated"), ("l", "_lastupdated")], &|name| {
            known.search_parameters.contains(name)
        });
    format!("{does} {finds}").trim().to_owned()
}

#[test]
fn the_table_of_what_statements_declare_is_that_of_the_design() {
    let captured = all_captured();
    for row in rows(DECLARED).iter().filter(|_| !captured.is_empty()) {
        let found: Vec<String> =
            captured.iter().map(|(_, _, capability)| cell(capability, row[0])).collect();
        assert_eq!(found, row[1..], "{}", row[0]);
    }
}

#[test]
fn the_counts_of_what_statements_declare_are_those_of_the_design() {
    let captured = all_captured();
    for row in rows(COUNTS).iter().filter(|_| !captured.is_empty()) {
        let found: Vec<String> = captured
            .iter()
            .map(|(_, _, capability)| {
                let types = || capability.resources.values();
                let lists = |code: &str| types().filter(|t| t.interactions.contains(code)).count();
                let changes = ["update", "patch"];
                match row[0] {
                    "types" => format!(
                        "{}/{}/{}/{}",
                        types().count(),
                        lists("create"),
                        types()
                            .filter(|known| changes.iter().any(|c| known.interactions.contains(*c)))
                            .count(),
                        lists("delete")
                    ),
                    "_lastUpdated" => types()
                        .filter(|known| {
                            let mut names = known.search_parameters.iter();
                            names.any(|name| name.eq_ignore_ascii_case("_lastUpdated"))
                        })
                        .count()
                        .to_string(),
                    "system" if capability.interactions.is_empty() => "-".to_owned(),
                    "system" => capability.interactions.iter().cloned().collect(),
                    _ => types().filter(|known| known.update_create).count().to_string(),
                }
            })
            .collect();
        assert_eq!(found, row[1..], "{}", row[0]);
    }
}

#[test]
fn no_hospital_server_declares_what_makes_writing_safe() {
    for (name, _, capability) in all_captured() {
        assert!(!capability.resources.contains_key("ClinicalImpression"), "{name}");
        for (resource_type, known) in &capability.resources {
            let conditional = known.conditional_create
                || known.conditional_update
                || known.conditional_patch
                || known.conditional_delete
                || known.conditional_read;
            assert!(!conditional && !known.read_history, "{name} {resource_type}");
            assert!(known.versioning <= Versioning::None, "{name} {resource_type}");
            for code in ["vread", "history-instance", "history-type"] {
                assert!(!known.interactions.contains(code), "{name} {resource_type} {code}");
            }
        }
        let creates = |of: &str| capability.allows(of, "create");
        assert_eq!(creates("Provenance"), name == "cerner", "{name}");
        assert_eq!(creates("Encounter"), name == "cerner", "{name}");
        assert!(!creates("CarePlan") && !creates("Goal") && !creates("CareTeam"), "{name}");
    }
}

#[test]
fn oracle_searches_changes_of_some_types_only() {
    for (_, _, capability) in all_captured().iter().filter(|(name, ..)| *name == "cerner") {
        for without in ["CarePlan", "Goal", "CareTeam", "QuestionnaireResponse", "Patient"] {
            assert!(!capability.searches(without, "_lastUpdated"), "{without}");
        }
        assert!(capability.searches("Condition", "_lastUpdated"));
    }
}
