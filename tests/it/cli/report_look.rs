//! How reports look, in every form: the snapshots are what a person or a script sees.
//!
//! The documents are few and small, so that a snapshot changes only if the looks do, or a rule of theirs.

use super::Home;

const PATIENT: &str = r#"{
  "resourceType": "Patient",
  "id": "p1",
  "name": [{ "family": "Miller", "given": ["Ann", ""], "nick": "Annie" }],
  "gender": "woman",
  "birthDate": "1990-02-31",
  "link": [{ "type": "seealso" }]
}
"#;

const OBSERVATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Observation xmlns="http://hl7.org/fhir">
  <status value="done"/>
  <code><text value="Blood pressure, Ann Miller"/></code>
  <mood value="low"/>
  <valueQuantity>
    <value value="1,5"/>
  </valueQuantity>
</Observation>
"#;

const EXPORT: &str = r#"{"resourceType":"Patient","id":"p1","gender":"female"}

{"resourceType":"Patient","id":"p2","gender":"woman"}
{"resourceType":"Patient","id":"p3",
{"resourceType":"Encounter","id":"e4","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Organization/o"}}
"#;

/// A local code system, a profile and a server of nobody: what can't be checked here.
const UNCHECKED: &str = r#"{
  "resourceType": "Condition",
  "meta": { "profile": ["http://clinic.example/StructureDefinition/mood"] },
  "code": { "coding": [{ "system": "http://clinic.example/codes", "code": "sad" }, { "system": "http://snomed.info/sct", "code": "35489007" }] },
  "subject": { "reference": "Patient/p1" }
}
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("patient.json", PATIENT);
    home.write("observation.xml", OBSERVATION);
    home.write("export.ndjson", EXPORT);
    home.write("unchecked.json", UNCHECKED);
    home
}

/// The same with the version of the program taken out.
fn without_version(text: &str) -> String {
    text.replace(&format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION")), "\"version\": \"…\"")
}

#[test]
fn text_hides_values_and_shows_the_place() {
    let run = home().run("validate patient.json").ends(3);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn text_shows_values_to_those_who_ask() {
    let run = home().run("validate patient.json --show-values").ends(3);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn text_of_xml_has_its_lines() {
    let home = home();
    let hidden = home.run("validate observation.xml").ends(3);
    insta::assert_snapshot!(hidden.stdout);
    let shown = home.run("validate observation.xml --show-values").ends(3);
    insta::assert_snapshot!(shown.stdout);
}

#[test]
fn text_of_ndjson_has_the_lines_of_the_file() {
    let run = home().run("validate export.ndjson").ends(4);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn what_is_not_checked_is_a_note() {
    let home = home();
    insta::assert_snapshot!(home.run("validate unchecked.json").ends(0).stdout);
    insta::assert_snapshot!(home.run("validate unchecked.json --level information").ends(0).stdout);
}

#[test]
fn json_holds_issues_and_sums() {
    let home = home();
    let run = home.run("validate patient.json export.ndjson --report json").ends(4);
    insta::assert_snapshot!(without_version(&run.stdout));
    let run = home.run("validate patient.json --report json --show-values").ends(3);
    insta::assert_snapshot!(without_version(&run.stdout));
}

#[test]
fn ndjson_has_a_line_for_each_resource() {
    let run = home().run("validate export.ndjson observation.xml --report ndjson").ends(4);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn an_outcome_holds_the_same_for_fhir() {
    let home = home();
    let run = home.run("validate patient.json --report operationoutcome").ends(3);
    insta::assert_snapshot!(run.stdout);
    let run = home.run("validate export.ndjson --report operationoutcome").ends(4);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn what_cant_be_read_is_said_in_each_form() {
    let home = home();
    let cut: String = PATIENT.chars().take(120).collect();
    home.write("cut.json", cut);
    for form in ["text", "json", "operationoutcome"] {
        let run = home.run(&format!("validate cut.json --report {form}")).ends(4);
        insta::assert_snapshot!(format!("unreadable-{form}"), without_version(&run.stdout));
    }
    let missing = home.run("validate missing.json").ends(4);
    insta::assert_snapshot!(missing.stderr);
}

#[test]
fn codes_are_explained_to_persons_and_to_scripts() {
    let home = home();
    for code in ["fhir-json-syntax", "ipt-plan-process-notes", "ehr-no-answer"] {
        insta::assert_snapshot!(
            format!("explain-{code}"),
            home.run(&format!("explain {code}")).ends(0).stdout
        );
        let run = home.run(&format!("explain {code} --format json")).ends(0);
        insta::assert_snapshot!(format!("explain-{code}-json"), without_version(&run.stdout));
    }
}
