//! `validate`, `explain`, `fhirpath`, `convert` and the hidden `suite run`, as a person or a script runs them.

use std::io::Write;

use ipt_fhir::json::{self, Value};

use super::Home;

const GOOD: &str =
    r#"{"resourceType":"Patient","id":"p1","gender":"female","birthDate":"1990-01-02"}"#;
const BAD: &str = r#"{
  "resourceType": "Patient",
  "name": [{ "family": "Qzname" }],
  "gender": "Qzgender"
}"#;

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| json::parse(line.as_bytes()).unwrap()).collect()
}

#[test]
fn files_directories_patterns_and_stdin_are_validated() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("export/deep")).unwrap();
    home.write("good.json", GOOD);
    home.write("export/a.json", GOOD);
    home.write("export/b.ndjson.gz", gzip(&format!("{GOOD}\n\n{GOOD}\n")));
    home.write("export/notes.txt", "no document");
    home.write(
        "export/deep/c.xml",
        "<Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"female\"/></Patient>",
    );
    for (line, sums) in [
        ("validate good.json", "1 file, 1 resource: 0 errors, 0 warnings, 0 not checked\n"),
        ("validate export", "3 files, 4 resources: 0 errors, 0 warnings, 0 not checked\n"),
        ("validate good.json export/a.json", "2 files, 2 resources: 0 errors"),
        ("validate export/**/*.xml", "1 file, 1 resource: 0 errors"),
        ("validate exp*/?.json", "1 file, 1 resource: 0 errors"),
    ] {
        let run = home.run(line).ends(0);
        assert!(run.stdout.starts_with(sums), "{line}: {}{}", run.stdout, run.stderr);
        assert_eq!(run.stderr, "");
    }
    for line in ["validate", "validate -"] {
        let run = home.feed(line, GOOD).ends(0);
        assert!(run.stdout.starts_with("1 file, 1 resource: 0 errors"), "{}", run.stdout);
        let run = home.feed(line, format!("{GOOD}\n{GOOD}\n")).ends(0);
        assert!(run.stdout.starts_with("1 file, 2 resources: 0 errors"), "{}", run.stdout);
    }
}

#[test]
fn the_worst_file_decides_how_it_ends() {
    let home = Home::new();
    home.write("good.json", GOOD);
    home.write("bad.json", BAD);
    home.write("broken.json", "{");
    home.write("broken.ndjson", format!("{GOOD}\n{{\n{GOOD}\n"));
    home.write("cut.json.gz", &gzip(GOOD)[..20]);
    std::fs::create_dir(home.path("empty")).unwrap();
    for (line, code) in [
        ("validate good.json", 0),
        ("validate good.json bad.json", 3),
        ("validate bad.json broken.json", 4),
        ("validate broken.ndjson", 4),
        ("validate cut.json.gz", 4),
        ("validate missing.json", 4),
        ("validate missing/*.json", 4),
        ("validate empty", 4),
        ("validate good.json --release r6", 2),
        ("validate good.json --profile http://example.org/none", 2),
        ("validate good.json --package none", 4),
    ] {
        home.run(line).ends(code);
    }
    let run = home.run("validate broken.ndjson").ends(4);
    assert!(run.stdout.contains("broken.ndjson:2:2"), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("1 file, 3 resources: 1 error, 0 warnings, 0 not checked\n"),
        "{}",
        run.stdout
    );
    let run =
        home.run("validate good.json --profile http://hl7.org/fhir/StructureDefinition/vitalsign");
    assert!(run.stderr.contains("StructureDefinition/vitalsigns`?"), "{}", run.stderr);
}

#[test]
fn bombs_end_at_the_door() {
    let home = Home::new();
    let spaces = " ".repeat(16 << 20);
    let long = format!(
        "{{\"resourceType\":\"Patient\",\"name\":[{{\"text\":\"{}\"}}]}}",
        "a".repeat(200_000)
    );
    home.write("good.json", GOOD);
    home.write("bomb.json.gz", gzip(&format!("{GOOD}{spaces}")));
    home.write("bomb.ndjson.gz", gzip(&format!("{long}\n").repeat(80)));
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(spaces.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "package/a.json", spaces.as_bytes()).unwrap();
    let text = String::from_utf8(archive.into_inner().unwrap()).unwrap();
    home.write("bomb.tgz", gzip(&text));
    home.write("nested.json.gz", {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&gzip(GOOD)).unwrap();
        packed.finish().unwrap()
    });
    for (line, code) in [
        ("validate bomb.json.gz", "input-bomb"),
        ("validate bomb.ndjson.gz", "input-bomb"),
        ("validate good.json --package bomb.tgz", "package-unreadable"),
        // What is packed twice is not unpacked twice, so it is no text.
        ("validate nested.json.gz", "fhir-not-utf8"),
    ] {
        let run = home.run_within(10, line).ends(4);
        let said = [run.stdout, run.stderr].concat();
        assert!(said.contains(&format!("error[{code}]")), "{line}: {said:.600}");
    }
}

#[test]
fn reports_have_four_forms() {
    let home = Home::new();
    home.write("good.json", GOOD);
    home.write("bad.json", BAD);
    let text = home.run("validate bad.json --report text").ends(3);
    assert!(text.stdout.contains("--> bad.json:4:13 Patient.gender"), "{}", text.stdout);
    let json = home.run("validate bad.json good.json --report json").ends(3);
    let envelope = json.envelope();
    assert_eq!(envelope.get("ok"), Some(&Value::Bool(false)));
    let resources = envelope.pointer("/result/resources").unwrap().as_array().unwrap();
    assert_eq!(resources.len(), 2);
    assert_eq!(resources[0].pointer("/issues/0/pointer").and_then(Value::as_str), Some("/gender"));
    assert_eq!(envelope.pointer("/result/count/files").and_then(Value::as_u64), Some(2));
    let same = home.run("validate bad.json good.json --format json").ends(3);
    assert_eq!(same.stdout, json.stdout);
    let ndjson = home.run("validate bad.json good.json --report ndjson").ends(3);
    let valid: Vec<_> =
        lines(&ndjson.stdout).iter().map(|line| line.get("valid").cloned()).collect();
    assert_eq!(valid, [Some(Value::Bool(false)), Some(Value::Bool(true))]);
    let one = home.run("validate bad.json --report operationoutcome").ends(3);
    let outcome = json::parse(one.stdout.as_bytes()).unwrap();
    assert_eq!(outcome.text("resourceType"), Some("OperationOutcome"));
    home.write("outcome.json", &one.stdout);
    home.run("validate outcome.json").ends(0);
    let both = home.run("validate bad.json good.json --report operationoutcome").ends(3);
    assert_eq!(lines(&both.stdout).len(), 2);
}

#[test]
fn values_are_shown_only_when_asked_for() {
    let home = Home::new();
    home.write("bad.json", BAD);
    home.write("bad.ndjson", BAD.replace('\n', ""));
    for file in ["bad.json", "bad.ndjson"] {
        for report in ["text", "json", "ndjson", "operationoutcome"] {
            let line = format!("validate {file} --report {report} --level information -vvv");
            let run = home.run(&line).ends(3);
            assert!(!run.stdout.contains("Qz") && !run.stderr.contains("Qz"), "{}", run.stdout);
            let run = home.run(&format!("{line} --show-values")).ends(3);
            assert!(run.stdout.contains("Qzgender"), "{}", run.stdout);
        }
    }
}

#[test]
fn level_and_references_say_what_is_shown_and_followed() {
    let home = Home::new();
    home.write("bad.json", BAD);
    home.write(
        "bundle.json",
        r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"fullUrl":"http://a.org/Organization/o","resource":{"resourceType":"Organization","id":"o","name":"O"}},
        {"fullUrl":"http://a.org/Encounter/e","resource":{"resourceType":"Encounter","id":"e","status":"planned",
        "class":{"code":"AMB"},"subject":{"reference":"Organization/o"}}}]}"#,
    );
    let count = |level: &str| {
        let run = home.run(&format!("validate bad.json --report json --level {level}")).ends(3);
        run.envelope().pointer("/result/resources/0/issues").unwrap().as_array().unwrap().len()
    };
    assert!(count("error") > 0 && count("error") <= count("warning"));
    assert!(count("warning") <= count("information"));
    let run = home.run("validate bundle.json").ends(3);
    assert!(run.stdout.contains("/*Encounter/…*/.subject"), "{}", run.stdout);
    let run = home.run("validate bundle.json --show-values").ends(3);
    assert!(run.stdout.contains("/*Encounter/e*/.subject"), "{}", run.stdout);
    // What lies in the same document is looked at whatever is followed; what is only named is not.
    home.run("validate bundle.json --references ignore").ends(3);
    home.write(
        "visit.json",
        r#"{"resourceType":"Encounter","id":"e","status":"planned","class":{"code":"AMB"},"subject":{"reference":"Organization/o"}}"#,
    );
    home.run("validate visit.json").ends(3);
    let run = home.run("validate visit.json --references ignore").ends(0);
    assert!(run.stdout.contains(": 0 errors"), "{}", run.stdout);
}

#[test]
fn release_profile_and_package_say_what_counts() {
    let home = Home::new();
    // `Encounter.class` is a Coding in R4 and a list of concepts in R5.
    home.write(
        "encounter.json",
        r#"{"resourceType":"Encounter","status":"planned","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}}"#,
    );
    home.run("validate encounter.json --release r4").ends(0);
    home.run("validate encounter.json --release auto").ends(0);
    home.run("validate encounter.json --release r4b").ends(0);
    home.run("validate encounter.json --release r5").ends(3);
    home.write(
        "observation.json",
        r#"{"resourceType":"Observation","status":"final","code":{"text":"a"}}"#,
    );
    home.run("validate observation.json").ends(0);
    home.run(
        "validate observation.json --profile http://hl7.org/fhir/StructureDefinition/vitalsigns",
    )
    .ends(3);
    std::fs::create_dir(home.path("guide")).unwrap();
    home.write(
        "guide/sets.json",
        r#"{"resourceType":"StructureDefinition","url":"http://a.org/plain","version":"1","name":"Plain","status":"draft",
        "kind":"resource","abstract":false,"type":"Observation","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation","snapshot":{"element":[
        {"id":"Observation","path":"Observation","min":0,"max":"*"},
        {"id":"Observation.subject","path":"Observation.subject","min":1,"max":"1","type":[{"code":"Reference"}]}]}}"#,
    );
    home.run("validate observation.json --profile http://a.org/plain").ends(2);
    let run =
        home.run("validate observation.json --package guide --profile http://a.org/plain").ends(3);
    assert!(run.stdout.contains("http://a.org/plain"), "{}", run.stdout);
}

#[test]
fn an_export_gives_the_same_report_with_any_number_of_threads() {
    let home = Home::new();
    let mut export = String::new();
    for number in 0..4_000 {
        let gender = if number % 7 == 0 { "none" } else { "male" };
        let line = format!(
            "{{\"resourceType\":\"Patient\",\"id\":\"p{number}\",\"gender\":\"{gender}\",\"active\":true,\"birthDate\":\"1990-01-02\"}}\n"
        );
        export.push_str(&line);
    }
    home.write("export.ndjson", &export);
    let one = home.run("validate export.ndjson --threads 1 --report ndjson").ends(3);
    let four = home.run("validate export.ndjson --threads 4 --report ndjson").ends(3);
    assert!(one.stdout == four.stdout, "the order of lines differs");
    let found = lines(&one.stdout);
    assert_eq!(found.len(), 4_000);
    for (number, line) in found.iter().enumerate() {
        assert_eq!(line.get("line").and_then(Value::as_u64), Some(number as u64 + 1));
        assert_eq!(line.get("valid"), Some(&Value::Bool(number % 7 != 0)));
    }
}

#[test]
fn explain_tells_of_a_rule_and_of_near_misses() {
    let home = Home::new();
    for rule in ipt_fhir::validate::rule::all().into_iter().step_by(12) {
        let run = home.run(&format!("explain {}", rule.code)).ends(0);
        assert!(run.stdout.starts_with(&format!("{}: ", rule.code)), "{}", run.stdout);
        assert!(run.stdout.contains(rule.specification));
    }
    let run = home.run("explain fhir-json-syntx").ends(2);
    assert!(run.stderr.contains("did you mean `fhir-json-syntax`?"), "{}", run.stderr);
    home.run("explain error[fhir-json-syntax]:").ends(0);
    home.run("explain").ends(2);
}

#[test]
fn fhirpath_yields_items_with_type_and_place() {
    let home = Home::new();
    home.write("bad.json", BAD);
    let run = home.run("fhirpath Patient.name.family bad.json").ends(0);
    assert_eq!(run.stdout, "string\tPatient.name[0].family\tQzname\n");
    let run = home.run("fhirpath Patient.name bad.json --release r5 --format ndjson").ends(0);
    let item = json::parse(run.stdout.trim().as_bytes()).unwrap();
    assert_eq!(item.text("type"), Some("HumanName"));
    assert_eq!(item.pointer("/value/family").and_then(Value::as_str), Some("Qzname"));
    let run = home.feed("fhirpath name.count()+1", BAD).ends(0);
    assert_eq!(run.stdout, "System.Integer\t\t2\n");
    home.run("fhirpath name.( bad.json").ends(2);
    home.run("fhirpath name missing.json").ends(4);
}

#[test]
fn convert_goes_to_xml_and_back() {
    let home = Home::new();
    home.write("bad.json", BAD);
    let xml = home.run("convert bad.json --to xml --release r4").ends(0);
    assert!(xml.stdout.contains("<family value=\"Qzname\"/>"), "{}", xml.stdout);
    home.write("bad.xml", &xml.stdout);
    let back = home.run("convert bad.xml --to json").ends(0);
    assert_eq!(json::parse(back.stdout.as_bytes()).unwrap(), json::parse(BAD.as_bytes()).unwrap());
    home.write("unknown.json", r#"{"resourceType":"Patient","qzmember":"Qzvalue"}"#);
    let run = home.run("convert unknown.json --to xml").ends(3);
    assert!(run.stdout.is_empty() && !run.stderr.contains("Qz") && !run.stderr.contains("qz"));
    assert!(run.stderr.contains("unknown.json:1:"), "{}", run.stderr);
}

#[test]
fn a_suite_is_scored() {
    let home = Home::new();
    std::fs::create_dir(home.path("suite")).unwrap();
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, text) in [("good.json", GOOD), ("bad.json", BAD)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let packed = archive.into_inner().unwrap().finish().unwrap();
    home.write("suite/cases.tgz", &packed);
    home.write("suite/r4.tgz", &packed);
    home.write(
        "suite/cases.json",
        r#"[{"name":"good","release":"R4","module":"general","file":"good.json","errors":[]},
        {"name":"bad","release":"R4","module":"tx","file":"bad.json","errors":[]}]"#,
    );
    home.write("suite/reference.json", r#"{"r4":{"good.json":[]}}"#);
    let run = home.run("suite run suite --misses --format json -q").ends(0);
    let envelope = run.envelope();
    let number = |pointer: &str| envelope.pointer(pointer).and_then(Value::as_u64);
    assert_eq!(number("/result/cases/all/runs"), Some(2));
    assert_eq!(number("/result/cases/all/falseAlarms"), Some(1));
    assert_eq!(number("/result/examples/all/verdictsEqual"), Some(1));
    assert_eq!(
        envelope.pointer("/result/cases/misses/0/name").and_then(Value::as_str),
        Some("bad|base|R4")
    );
    let text = home.run("suite run suite --misses -q").ends(0);
    assert!(
        text.stdout.contains("bad|base|R4: false alarm") && text.stdout.contains("      + error ")
    );
    for (narrower, runs) in
        [("--module tx", 1), ("--release r5", 0), ("--only bad", 1), ("--module none", 0)]
    {
        let run = home.run(&format!("suite run suite {narrower} --format json -q")).ends(0);
        let envelope = run.envelope();
        let found = envelope.pointer("/result/cases/all/runs").and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(found, runs, "{narrower}");
    }
    home.write("reviewed.json", r#"{"bad|base|R4":"the specification says so"}"#);
    let run = home.run("suite run suite --reviewed reviewed.json --format json -q").ends(0);
    let envelope = run.envelope();
    assert_eq!(envelope.pointer("/result/cases/reviewed").and_then(Value::as_u64), Some(1));
    assert_eq!(envelope.pointer("/result/cases/all/runs").and_then(Value::as_u64), Some(1));
    home.run("suite run none").ends(4);
}
