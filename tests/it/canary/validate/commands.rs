//! The commands of the validator as a process, with everything logged: their reports and errors, on both streams.

use std::io::Write;

use super::super::{loud_home, quiet};
use super::STEM;
use super::seeds::{JSON, MARKUP, XML};
use crate::canary::token::leak;
use crate::cli::{Home, Run};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A `.tgz` of these files, whatever their names are.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        // Names that the writer itself would refuse.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
    }
    gzip(&archive.into_inner().unwrap())
}

/// A Patient with a canary wherever a value may be, on one line.
fn patient() -> String {
    let markup = MARKUP[3].replace('"', "\\\"").replace("CANARY", STEM);
    format!(
        r##"{{"resourceType":"Patient","id":"{STEM}","{STEM}":"{STEM}","meta":{{"profile":["http://{STEM}.example/p"]}},"text":{{"status":"generated","div":"{markup}"}},"extension":[{{"url":"http://{STEM}.example/e","valueString":"{STEM}"}},{{"url":"{STEM}"}}],"name":[{{"family":"{STEM}","given":["{STEM}"],"use":"{STEM}"}}],"name":"{STEM}","gender":"{STEM}","birthDate":"1990-{STEM}","maritalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"{STEM}"}},{{"system":"http://{STEM}.example/s","code":"{STEM}"}}]}},"photo":[{{"data":"{STEM}","size":1,"hash":"{STEM}"}}],"generalPractitioner":[{{"reference":"{STEM}"}},{{"reference":"Device/{STEM}"}},{{"reference":"#{STEM}"}}]}}"##
    )
}

/// Files that are bad in many ways, with the code that `validate` ends with for each.
fn files(home: &Home) -> Vec<(String, i32)> {
    let one = patient();
    let good = format!("{{\"resourceType\":\"Patient\",\"name\":[{{\"family\":\"{STEM}\"}}]}}");
    let good_xml = format!(
        "<Patient xmlns=\"http://hl7.org/fhir\"><name><family value=\"{STEM}\"/></name></Patient>"
    );
    let mut latin1 = one.clone().into_bytes();
    latin1.insert(40, 0xfc);
    let bundle = format!(
        "{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{{\"fullUrl\":\"http://{STEM}.example/Patient/{STEM}\",\"resource\":{one}}},{{\"fullUrl\":\"{STEM}\",\"resource\":{{\"resourceType\":\"{STEM}\"}}}}]}}"
    );
    let xml = XML[0].replace("value=\"", &format!("value=\"{STEM}"));
    let lines = format!("{one}\n\n{{\"{STEM}\":\n{good}\n{STEM}\n[\"{STEM}\"]\n");
    let wide: Vec<u8> = one.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cut = gzip(lines.as_bytes());
    let list: Vec<(&str, Vec<u8>, i32)> = vec![
        ("good.json", good.clone().into_bytes(), 0),
        ("good.xml", good_xml.into_bytes(), 0),
        ("good.ndjson", format!("{good}\n{good}\n").into_bytes(), 0),
        ("one.json", one.clone().into_bytes(), 3),
        ("pretty.json", one.replace(',', ",\n  ").into_bytes(), 3),
        ("bundle.json", bundle.clone().into_bytes(), 3),
        ("bundle.json.gz", gzip(bundle.as_bytes()), 3),
        ("a.xml", xml.clone().into_bytes(), 3),
        ("b.xml", XML[0].replace("<name ", &format!("<{STEM}/><name ")).into_bytes(), 3),
        ("lines.ndjson", lines.clone().into_bytes(), 4),
        ("lines.jsonl.gz", cut.clone(), 4),
        ("cut.ndjson.gz", cut[..cut.len() / 2].to_vec(), 4),
        ("broken.json", one.as_bytes()[..one.len() / 2].to_vec(), 4),
        ("broken.xml", xml.as_bytes()[..xml.len() / 2].to_vec(), 4),
        ("text.json", STEM.as_bytes().to_vec(), 4),
        ("array.json", format!("[\"{STEM}\"]").into_bytes(), 3),
        (
            "entity.xml",
            format!("<!DOCTYPE {STEM} [<!ENTITY {STEM} \"{STEM}\">]><Patient/>").into_bytes(),
            4,
        ),
        ("other.xml", format!("<{STEM} xmlns=\"http://{STEM}.example\"/>").into_bytes(), 4),
        ("latin1.json", latin1, 4),
        ("wide.json", wide, 4),
        ("deep.json", format!("{{\"{STEM}\":{}", "[".repeat(3_000)).into_bytes(), 4),
    ];
    let list = list.into_iter().map(|(name, bytes, code)| {
        home.write(name, bytes);
        (name.to_owned(), code)
    });
    list.collect()
}

const REPORTS: [&str; 4] = ["text", "json", "ndjson", "operationoutcome"];

#[test]
fn validate_says_nothing_of_a_document_in_any_report() {
    let home = loud_home();
    let files = files(&home);
    let mut shown = 0;
    for (file, code) in &files {
        for report in REPORTS {
            let line = format!("validate {file} --report {report} --level information");
            quiet(&home, &line, *code);
        }
        let run = home.run(&format!("validate {file} --show-values --level information"));
        shown += usize::from(leak(&run.stdout).is_some());
        assert_eq!(leak(&run.stderr), None, "{file}");
    }
    assert!(shown > 6, "{shown}");
    let names: Vec<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
    for report in REPORTS {
        quiet(&home, &format!("validate {} --report {report}", names.join(" ")), 4);
    }
    quiet(&home, "validate . --references check-exists-and-type --release r5", 4);
}

#[test]
fn validate_says_nothing_of_what_stdin_or_a_package_holds() {
    let home = loud_home();
    let run = home.feed("validate -vvv", patient()).ends(3);
    assert_eq!((leak(&run.stdout), leak(&run.stderr)), (None, None));
    home.write("one.json", patient());
    let definition = format!(
        r#"{{"resourceType":"StructureDefinition","url":"http://a.example/s","type":"{STEM}","name":"{STEM}""#
    );
    let climbs = format!("package/../{STEM}.json");
    let inner = format!("package/{STEM}.json");
    let set = format!(r#"{{"resourceType":"ValueSet","url":"{STEM}"}}"#);
    for (name, bytes) in [
        ("climbs.tgz", archive(&[(&climbs, "{}")])),
        ("twice.tgz", archive(&[(&inner, "{}"), (&inner, "{}")])),
        ("broken.tgz", archive(&[(&inner, &definition)])),
        ("other.tgz", archive(&[(&inner, STEM)])),
        ("none.tgz", STEM.as_bytes().to_vec()),
        ("cut.tgz", archive(&[(&inner, &definition)])[..60].to_vec()),
    ] {
        home.write(name, bytes);
        quiet(&home, &format!("validate one.json --package {name}"), 4);
    }
    home.write("set.tgz", archive(&[(&inner, &set)]));
    quiet(&home, "validate one.json --package set.tgz", 3);
}

/// Runs a command whose stdout is the document's own content: only its stderr is watched.
#[track_caller]
fn errors_of(home: &Home, line: &str) -> Run {
    let run = home.run(&format!("{line} -vvv"));
    assert_eq!(leak(&run.stderr), None, "stderr of {line}");
    assert!(!run.stderr.contains("internal error"), "{}", run.stderr);
    run
}

#[test]
fn convert_and_fhirpath_say_nothing_when_they_fail() {
    let home = loud_home();
    let mut failed = 0;
    for (file, _) in files(&home) {
        for to in ["json", "xml"] {
            for format in ["human", "json"] {
                let run = errors_of(&home, &format!("convert {file} --to {to} --format {format}"));
                if run.code != Some(0) {
                    failed += 1;
                    assert_eq!(leak(&run.stdout), None, "{file} to {to}");
                }
            }
        }
    }
    for (number, markup) in MARKUP.iter().enumerate() {
        let markup = markup.replace('"', "\\\"").replace("CANARY", STEM);
        let file = format!("{number}.json");
        home.write(&file, format!("{{\"resourceType\":\"Patient\",\"text\":{{\"status\":\"generated\",\"div\":\"{markup}\"}}}}"));
        let run = errors_of(&home, &format!("convert {file} --to xml"));
        failed += usize::from(run.code != Some(0));
    }
    assert!(failed > 20, "{failed}");
    // What the document holds decides how these end.
    home.write("good.json", JSON[0].replace("\"F\"", &format!("\"{STEM}\"")));
    for (expression, code) in [
        ("name.family+1", 1),
        ("name.family.toInteger()+1", 0),
        ("name.family.single().matches('(')", 1),
        ("name.given.single()", 1),
        ("name.family.matches(name.family)", 0),
        ("''.matches(name.family&'(')", 1),
        ("name.family.resolve()", 1),
        ("name.family.memberOf(name.family)", 1),
        ("name.family.select(iif($this,1,2))", 0),
        ("name.family.repeat($this&'a').count()", 1),
        ("name.family.toQuantity(name.family)", 0),
        ("name.where(family)", 0),
    ] {
        for format in ["human", "json"] {
            let run =
                errors_of(&home, &format!("fhirpath {expression} good.json --format {format}"));
            assert_eq!(run.code, Some(code), "{expression}: {}{}", run.stdout, run.stderr);
            if code != 0 {
                assert_eq!(leak(&run.stdout), None, "{expression}");
            }
        }
    }
    for (file, code) in files(&home) {
        let run = errors_of(&home, &format!("fhirpath name.family {file}"));
        if code == 4 {
            assert_eq!(leak(&run.stdout), None, "{file}");
        }
    }
}

#[test]
fn a_suite_that_cannot_be_read_is_not_quoted() {
    let home = loud_home();
    std::fs::create_dir(home.path("suite")).unwrap();
    for (name, text) in [
        ("cases.json", format!("[{{\"name\":\"{STEM}\"")),
        ("cases.json", format!("[{{\"name\":\"{STEM}\",\"release\":\"{STEM}\"}}]")),
        ("cases.json", format!("{{\"{STEM}\":1}}")),
        ("reference.json", format!("{{\"r4\":\"{STEM}\"}}")),
    ] {
        home.write(&format!("suite/{name}"), &text);
        quiet(&home, "suite run suite", 4);
        std::fs::remove_file(home.path("suite").join(name)).unwrap();
    }
    home.write("suite/reviewed.json", format!("[\"{STEM}\"]"));
    home.write("suite/reference.json", "{\"r4\":{}}");
    quiet(&home, "suite run suite --reviewed suite/reviewed.json", 4);
}
