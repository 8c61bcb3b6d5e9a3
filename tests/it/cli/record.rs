//! `record`: what is wrong with one, what is in one, how one begins; and input that is none.

use ipt_fhir::ipt::Variant;
use ipt_fhir::json;

use super::Home;
use crate::support::{fixture, record_names};

#[test]
fn check_lists_every_fault_with_its_place() {
    let home = Home::new();
    for name in record_names() {
        let run = home.run(&format!("record check @ipt/{name}")).ends(0);
        assert!(run.stdout.starts_with("valid: "), "{name}");
    }
    let text = String::from_utf8(fixture("ipt/john-lee.json")).unwrap();
    let broken = text
        .replacen("\"status\": \"active\"", "\"status\": \"activ\"", 1)
        .replacen("\"title\"", "\"titel\"", 1)
        .replacen("\"verificationStatus\": \"confirmed\"", "\"verificationStatus\": 1", 1);
    let path = home.write("broken.json", broken);
    let run = home.run(&format!("record check {}", path.display())).ends(3);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.matches("error[").count() >= 3, "{}", run.stderr);
    assert!(run.stderr.contains("broken.json:"), "{}", run.stderr);
}

#[test]
fn show_prints_a_view_and_the_record() {
    let home = Home::new();
    let view = home.run("record show @ipt/john-lee-in-treatment.json").ends(0).stdout;
    for words in ["John Lee", "phases", "goals", "sessions"] {
        assert!(view.contains(words), "{view}");
    }
    let record = home.run("record show @ipt/john-lee.yaml --format json").ends(0).envelope();
    assert_eq!(record.pointer("/result/client/name/text").unwrap().as_str(), Some("John Lee"));
}

#[test]
fn new_lacks_only_what_the_therapist_must_tell() {
    let home = Home::new();
    let mut ids = std::collections::BTreeSet::new();
    for variant in Variant::ALL {
        let new = home.run(&format!("record new --variant {variant}")).ends(0).stdout;
        let record = json::parse(new.as_bytes()).unwrap();
        assert!(ids.insert(record.text("id").unwrap().to_owned()));
        let check = home.feed("record check - --format json", &new).ends(3).envelope();
        for error in check.items("errors") {
            assert_eq!(error.text("code"), Some("ipt-plan-form"));
        }
        assert!(check.items("errors").count() <= 4);
    }
    home.run("record new --variant cbt").ends(2);
    home.run("record new").ends(2);
}

#[test]
fn what_is_no_document_ends_with_4_and_a_place() {
    let home = Home::new();
    home.write("empty", "");
    home.write("latin1", b"{\"format\": \"ipt-plan\", \"title\": \"Trauer \xfcber\"}");
    home.write("unknown", "{\"hello\": 1}");
    let mut garbage = b"\x80\x81garbage {]".repeat(2 << 20);
    garbage.truncate(20_000_000);
    home.write("garbage", &garbage);
    let mut garbage: Vec<u8> = b"{ \"a\": [".repeat(2 << 20);
    garbage.truncate(10_000_000);
    home.write("deep", &garbage);
    home.write("words", "word: - [ & * ".repeat(500_000));
    for (file, code) in [
        ("empty", "ipt-plan-empty-file"),
        ("latin1", "ipt-plan-not-utf8"),
        ("unknown", "ipt-plan-unknown-document"),
        ("garbage", "input-too-large"),
        ("deep", "ipt-plan-too-large"),
        ("words", "ipt-plan-not-yaml"),
        (".", "input-directory"),
        ("nowhere", "input-unreadable"),
    ] {
        for command in ["record check", "record show", "map"] {
            let run = home.run(&format!("{command} {file} --format json")).ends(4);
            assert_eq!(run.codes(), [code], "{command} {file}");
            let human = home.run(&format!("{command} {file}")).ends(4);
            assert_eq!(human.stdout, "");
            assert!(human.stderr.contains(&format!("--> {file}")), "{}", human.stderr);
        }
    }
    assert_eq!(
        home.feed("record check - --format json", "").ends(4).codes(),
        ["ipt-plan-empty-file"]
    );
    let left: Vec<_> = std::fs::read_dir(home.path("")).unwrap().collect();
    assert_eq!(left.len(), 6, "nothing was written");
}
