//! `map`: records become Bundles and come back.

use ipt_fhir::ipt::document::{self, without_local};
use ipt_fhir::json::{self, Value, equivalent};

use super::Home;
use crate::support::{fixture, record_names};

#[test]
fn map_writes_the_same_bytes_each_time() {
    let home = Home::new();
    for name in record_names() {
        let first = home.run(&format!("map @ipt/{name}")).ends(0);
        let second = home.feed("map -", fixture(&format!("ipt/{name}"))).ends(0);
        assert_eq!(first.stdout, second.stdout, "{name}");
    }
}

#[test]
fn reverse_gives_the_record_back() {
    let home = Home::new();
    for name in record_names() {
        let bundle = home.run(&format!("map @ipt/{name} --policy full")).ends(0).stdout;
        let back = home.feed("map --reverse -", bundle).ends(0).stdout;
        let original = document::parse(&fixture(&format!("ipt/{name}"))).unwrap();
        let back = json::parse(back.as_bytes()).unwrap();
        assert!(equivalent(&back, &without_local(&original.source)), "{name}");
    }
}

#[test]
fn explain_tells_where_each_value_goes() {
    let home = Home::new();
    let run = home.run("map @ipt/john-lee.json --explain").ends(0);
    assert!(run.stdout.contains("/title"), "{}", run.stdout);
    let items = home.run("map @ipt/john-lee.json --explain --format json").ends(0).envelope();
    let title = items.items("result").find(|item| item.text("pointer") == Some("/title")).unwrap();
    let text = String::from_utf8(fixture("ipt/john-lee.json")).unwrap();
    let line = text.lines().position(|line| line.contains("\"title\"")).unwrap() + 1;
    assert_eq!(title.get("line").and_then(Value::as_u64), u64::try_from(line).ok());
    assert_eq!(title.text("element"), Some("CarePlan.title"));
    let yaml = home.run("map @ipt/john-lee.yaml --explain --format json").ends(0).envelope();
    assert!(yaml.items("result").all(|item| item.get("line").is_some()));
}

#[test]
fn policy_and_grants_say_what_leaves() {
    let home = Home::new();
    let minimum = home.run("map @ipt/john-lee.json").ends(0);
    assert!(minimum.stderr.contains("withheld: /inventory (--grant inventory"));
    let granted = home.run("map @ipt/john-lee.json --grant inventory").ends(0);
    assert!(!granted.stderr.contains("withheld: /inventory"));
    assert!(granted.stderr.contains("withheld: /presentingProblem"));
    assert!(granted.stdout.len() > minimum.stdout.len());
    let full = home.run("map @ipt/john-lee.json --policy full").ends(0);
    assert!(!full.stderr.contains("withheld"));
    assert!(full.stdout.len() > granted.stdout.len());
    home.run("map @ipt/john-lee.json --grant everything").ends(2);
}

#[test]
fn to_makes_a_transaction() {
    let home = Home::new();
    let kind = |flags: &str| {
        let stdout = home.run(&format!("map @ipt/john-lee.json {flags}")).ends(0).stdout;
        let bundle = json::parse(stdout.as_bytes()).unwrap();
        let requests = bundle.items("entry").filter(|entry| entry.get("request").is_some()).count();
        (bundle.text("type").unwrap().to_owned(), requests, bundle.items("entry").count())
    };
    let (name, requests, entries) = kind("--to transaction");
    assert_eq!((name.as_str(), requests), ("transaction", entries));
    let (name, requests, _) = kind("--to collection");
    assert_eq!((name.as_str(), requests), ("collection", 0));
}

#[test]
fn what_can_not_be_read_back_says_why() {
    let home = Home::new();
    let code = |input: &str, exit| {
        home.feed("map --reverse - --format json", input).ends(exit).codes().remove(0)
    };
    assert_eq!(code("<html>", 4), "input-not-json");
    assert_eq!(code("{}", 4), "input-not-fhir");
    assert_eq!(code(r#"{"resourceType":"Patient","id":"1"}"#, 4), "input-not-a-bundle");
    assert_eq!(code(r#"{"resourceType":"Bundle","type":"collection"}"#, 3), "fhir-no-plan");
    home.run("map @ipt/john-lee.json --reverse --policy full").ends(2);
}

#[test]
fn a_clinic_sets_its_code_and_what_it_is_in_the_configuration() {
    let home = Home::new();
    let text = "[mapping]\npart_2_program = true\npsychotherapy_code = \"75516001\"\n";
    std::fs::write(home.path("ipt-fhir.toml"), text).unwrap();
    let bundle = home.run("map @ipt/john-lee.json").ends(0).stdout;
    assert!(bundle.contains("\"75516001\"") && !bundle.contains("443730003"));
    std::fs::write(home.path("ipt-fhir.toml"), "[mapping]\npart_2_program = \"yes\"\n").unwrap();
    home.run("map @ipt/john-lee.json").ends(2);
    std::fs::write(home.path("ipt-fhir.toml"), "[mapping]\npsychotherapy_code = \"x\"\n").unwrap();
    home.run("map @ipt/john-lee.json").ends(2);
}
