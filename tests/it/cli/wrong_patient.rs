//! W1: a record is linked with a Patient by a person's word alone, compared by name, birth date and numbers, whatever the
//! EHR offers: twins, names the wrong way round, Patients who were merged. W2 to W6 are in `sync/wrong_patient.rs`.

use super::Home;
use super::sandbox::Sandbox;
use crate::support::fixture;

/// The record of a client whose birth date and number are known.
fn record() -> String {
    let text = String::from_utf8(fixture("ipt/john-lee-in-treatment.json")).unwrap();
    let age = r#""age": { "value": 33, "unit": "a" },"#;
    assert!(text.contains(age));
    text.replacen(
        age,
        r#""birthDate": "1992-04-05", "identifiers": [{ "system": "urn:mrn", "value": "1" }],"#,
        1,
    )
}

const TWINS: [(&str, &str); 8] = [
    ("john", r#""family":"Lee","given":["John"]|1992-04-05|1|"#),
    // The same name and birth date, and another number; or none.
    ("twin", r#""family":"Lee","given":["John"]|1992-04-05|2|"#),
    ("numberless", r#""family":"Lee","given":["John"]|1992-04-05||"#),
    // Family and given name the wrong way round, one letter, another day.
    ("swapped", r#""family":"John","given":["Lee"]|1992-04-05|1|"#),
    ("nearly", r#""family":"Leigh","given":["John"]|1992-04-05|1|"#),
    ("later", r#""family":"Lee","given":["John"]|1992-05-04|1|"#),
    // Merged into another, and not active.
    (
        "merged",
        r#""family":"Lee","given":["John"]|1992-04-05|1|,"link":[{"type":"replaced-by","other":{"reference":"Patient/john"}}]"#,
    ),
    ("inactive", r#""family":"Lee","given":["John"]|1992-04-05|1|,"active":false"#),
];

fn clinic() -> (Home, Sandbox) {
    let entries = TWINS.map(|(id, traits)| {
        let [name, born, number, more] = traits.splitn(4, '|').collect::<Vec<_>>()[..] else {
            panic!("{traits}")
        };
        let number = match number {
            "" => String::new(),
            number => format!(r#","identifier":[{{"system":"urn:mrn","value":"{number}"}}]"#),
        };
        format!(
            r#"{{"resource":{{"resourceType":"Patient","id":"{id}","name":[{{{name}}}],"gender":"male","birthDate":"{born}"{number}{more}}}}}"#
        )
    });
    let seed = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#,
        entries.join(",")
    );
    let home = Home::new();
    home.write("seed.json", seed);
    home.write("john.json", record());
    let sandbox = Sandbox::start(&home, "--seed seed.json");
    home.run(&format!("ehr add here {} --settle 0", sandbox.url)).ends(0);
    (home, sandbox)
}

#[test]
fn w1_nothing_is_linked_that_nobody_named_and_confirmed() {
    let (home, _sandbox) = clinic();
    // No Patient is looked for, be there one that fits to the letter.
    let unlinked = home.run("sync apply here john.json --yes --format json").ends(2);
    assert_eq!(unlinked.codes(), ["sync-not-linked"]);
    let asked = home.run("ehr link here john.json Patient/john --format json").ends(2);
    assert_eq!(asked.codes(), ["needs-confirmation"]);
    for named in
        ["", "Patient", "Patient/", "Patient?name=Lee", "john", "Patient/john,Patient/twin"]
    {
        let line = format!("ehr link here john.json {named} --yes --format json");
        home.run(&line).ends(2);
    }
    let unlinked = home.run("sync plan here john.json --format json").ends(2);
    assert_eq!(unlinked.codes(), ["sync-not-linked"]);
}

#[test]
fn w1_twins_swapped_names_and_merged_patients_are_not_linked_by_yes_alone() {
    let (home, _sandbox) = clinic();
    for (id, code) in [
        ("twin", "link-differs"),
        ("swapped", "link-differs"),
        ("nearly", "link-differs"),
        ("later", "link-differs"),
        ("merged", "link-refused"),
        ("inactive", "link-refused"),
        ("nobody", "link-refused"),
    ] {
        let line = format!("ehr link here john.json Patient/{id} --yes --format json");
        assert_eq!(home.run(&line).ends(8).codes(), [code], "{id}");
        let unlinked = home.run("sync plan here john.json --format json").ends(2);
        assert_eq!(unlinked.codes(), ["sync-not-linked"], "{id}");
    }
    // A person may accept that traits differ, and is told which; a merged Patient nobody can accept.
    for id in ["merged", "inactive"] {
        let line = format!(
            "ehr link here john.json Patient/{id} --yes --accept-differences --format json"
        );
        assert_eq!(home.run(&line).ends(8).codes(), ["link-refused"], "{id}");
    }
    let line = "ehr link here john.json Patient/john --yes --format json";
    assert_eq!(home.run(line).ends(0).codes(), [""; 0]);
    home.run("ehr candidates here john.json").ends(0);
}
