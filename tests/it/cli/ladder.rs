//! `ehr ladder`: the table of a record and the packs, and what one server makes of it.

use ipt_fhir::json::Value;
use ipt_fhir::vendor::Pack;

use super::Home;
use super::sandbox::Sandbox;
use crate::vendor::{CAPTURED, captured};

/// The words of one member of each kind, in a row.
fn kinds<'a>(row: &'a Value, member: &str) -> Vec<&'a str> {
    row.items("kinds").map(|kind| kind.text(member).unwrap()).collect()
}

fn rows(run: &Value) -> Vec<&Value> {
    run.get("result").unwrap().items("rows").collect()
}

/// ehrs-and-sync.md 1.6, "Default rungs of the packs", where all is allowed and nothing asked for.
const RUNGS: &str = "
    athenahealth | hand-off hand-off hand-off form
    azure | structure structure structure structure
    eclinicalworks | hand-off hand-off hand-off hand-off
    epic | document document document document
    google | structure structure structure structure
    hapi | structure structure structure structure
    healthlake | structure structure structure structure
    medplum | structure structure structure structure
    meditech | hand-off hand-off hand-off form
    nextgen-enterprise | hand-off hand-off hand-off hand-off
    nextgen-office | hand-off hand-off hand-off hand-off
    oracle-health | document document structure document
    veradigm | document document structure structure";

#[test]
fn the_table_of_the_sample_and_all_packs() {
    let home = Home::new();
    let human = home.run("ehr ladder").ends(0).stdout;
    insta::assert_snapshot!(human);
    let envelope = home.run("ehr ladder --format json").ends(0).envelope();
    let found: Vec<String> = rows(&envelope)
        .into_iter()
        .map(|row| format!("{} | {}", row.text("name").unwrap(), kinds(row, "rung").join(" ")))
        .collect();
    let design: Vec<&str> = RUNGS.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, design);
    assert_eq!(found.len(), Pack::all().len());
    // Epic's diagnosis, if it is asked for.
    let asked = home.run("ehr ladder --pack epic --opt-in diagnosis --format json").ends(0);
    let asked = asked.envelope();
    assert_eq!(kinds(rows(&asked)[0], "rung"), ["document", "document", "structure", "document"]);
}

#[test]
fn one_pack_tells_why_each_kind_stands_no_higher() {
    let home = Home::new();
    let human = home.run("ehr ladder --pack epic --allow document").ends(0).stdout;
    insta::assert_snapshot!(human);
    let envelope = home.run("ehr ladder --pack epic --allow --format json").ends(0).envelope();
    let row = rows(&envelope)[0];
    assert_eq!(kinds(row, "rung"), ["withheld"; 4]);
    assert_eq!(kinds(row, "possible"), ["document"; 4]);
    for kind in row.items("kinds") {
        let steps: Vec<_> = kind.items("narrowings").collect();
        assert_eq!(steps[0].text("from"), Some("structure"));
        assert_eq!(steps.last().unwrap().text("to"), Some("withheld"));
        for step in steps {
            let source = step.text("source").unwrap();
            assert_ne!(source, "statement");
            let told = step.get("told_by").is_some() || step.text("key").is_some();
            assert!(told || source == "not-said", "{source}");
        }
    }
}

#[test]
fn a_configured_ehr_is_asked_once_and_its_own_words_count() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, "");
    home.run(&format!("ehr add here {} --allow document,hand-off", sandbox.url)).ends(0);
    let envelope = home.run("ehr ladder here --format json").ends(0).envelope();
    let row = rows(&envelope)[0];
    assert_eq!(row.text("name"), Some("here"));
    // Without a pack Encounters are linked.
    assert_eq!(kinds(row, "rung"), ["structure", "document", "structure", "structure"]);
    assert_eq!(row.get("links_encounters").and_then(Value::as_bool), Some(true));
    let create = home.run("ehr ladder here --encounter create --format json").ends(0).envelope();
    assert_eq!(kinds(rows(&create)[0], "rung"), ["structure"; 4]);
    assert_eq!(rows(&create)[0].text("transport"), Some("transaction"));
    let pack = home.run("ehr ladder here --pack epic --format json").ends(0).envelope();
    assert_eq!(kinds(rows(&pack)[0], "rung"), ["document"; 4]);
    let all = home.run("ehr ladder here --pack all --format json").ends(0).envelope();
    assert_eq!(rows(&all).len(), 13);
    // A record of one's own, with an EHR and without one.
    for line in ["ehr ladder here @ipt/john-lee.json", "ehr ladder @ipt/john-lee.json"] {
        let human = home.run(line).ends(0).stdout;
        assert!(human.starts_with("the record: "), "{human}");
        for name in ["John", "Lee", "Smith"] {
            assert!(!human.contains(name), "{human}");
        }
    }
    home.run("ehr ladder there").ends(2);
    home.run("ehr ladder here missing.json").ends(4);
    home.run("ehr ladder --pack cerner").ends(2);
    home.run("ehr ladder --allow structure").ends(2);
}

#[test]
fn what_a_policy_withholds_is_not_counted() {
    let home = Home::new();
    let count = |flags: &str| -> u64 {
        let line = format!("ehr ladder --pack hapi @ipt/all-fields.json {flags} --format json");
        let envelope = home.run(&line).ends(0).envelope();
        let kinds = envelope.get("result").unwrap().items("kinds");
        let types = kinds.flat_map(|kind| kind.items("types"));
        types.map(|one| one.get("count").and_then(Value::as_u64).unwrap()).sum()
    };
    let (minimum, granted, full) = (count(""), count("--grant risk"), count("--policy full"));
    assert!(minimum < granted && granted <= full, "{minimum} {granted} {full}");
}

#[test]
fn captured_statements_stand_where_their_packs_say() {
    let home = Home::new();
    for (name, pack) in CAPTURED {
        let Some(statement) = captured(name) else { return };
        home.write("statement.json", statement.to_text());
        let line = format!("ehr ladder --pack {pack} --format json");
        let own = home.run(&line).ends(0).envelope();
        let from = home.run(&format!("{line} --from statement.json")).ends(0).envelope();
        assert_eq!(rows(&own)[0].to_text(), rows(&from)[0].to_text(), "{name}");
    }
}
