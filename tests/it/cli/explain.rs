//! `explain`: every code that the program can print is known to it.

use std::collections::BTreeSet;
use std::path::Path;

use ipt_fhir::json::Value;

use super::Home;

/// Texts that look like codes and are none, for each with what it is.
const NO_CODES: &[&str] = &[
    // The program, the format of records, and names of our own code systems and extensions.
    "hand-off",
    "ipt-fhir",
    "ipt-plan",
    "ipt-a",
    "ipt-activity",
    "ipt-brief",
    "ipt-concept",
    "ipt-couples",
    "ipt-fhir-sandbox-1",
    "ipt-focus-area",
    "ipt-group",
    "ipt-interpersonal-inventory",
    "ipt-maintenance",
    "ipt-note-type",
    "ipt-phase",
    "ipt-relapse-prevention-plan",
    "ipt-session",
    "ipt-suitability",
    "ipt-technique",
];

/// The sources that people run, as text.
fn sources() -> Vec<(String, String)> {
    fn below(path: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if path.is_dir() {
                below(&path, found);
            } else if crate::support::is_of_kind(&name, "rs") {
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    // Not where a code is made: the texts that explain them.
    found.retain(|(name, _)| !name.contains("/explain/") && !name.ends_with("tests.rs"));
    found
}

/// Whether a text has the form of a code.
fn is_code(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_letter)
        && !text.ends_with('-')
}

/// The texts between quotes.
fn texts(source: &str) -> impl Iterator<Item = &str> {
    source.split('"').filter(|text| is_code(text))
}

/// The codes that problems, failures, issues and errors of the configuration are made with in a source.
fn made(source: &str) -> Vec<&str> {
    let mut codes = Vec::new();
    for call in
        ["Failure::new(", "Problem::new(", "Issue::new(", "Issue::error(", "Issue::warning("]
    {
        for rest in source.split(call).skip(1) {
            // The first text among the arguments, if it comes before a message, which has spaces.
            let text = rest.split('"').nth(1).unwrap_or_default();
            let before = rest.split('"').next().unwrap_or_default();
            if is_code(text) && !before.contains('(') {
                codes.push(text);
            }
        }
    }
    for call in ["Error::new(\"", "code: \""] {
        let all = source.split(call).skip(1);
        codes.extend(all.filter_map(|rest| rest.split('"').next()).filter(|text| is_code(text)));
    }
    codes
}

/// What `explain` knows.
fn known(home: &Home) -> BTreeSet<String> {
    let list = home.run("explain --list --format json").ends(0).envelope();
    list.items("result").map(|one| one.text("code").unwrap().to_owned()).collect()
}

#[test]
fn every_code_of_the_sources_is_explained() {
    let known = known(&Home::new());
    let families: BTreeSet<&str> =
        known.iter().filter_map(|code| code.split_once('-').map(|(family, _)| family)).collect();
    let mut found = BTreeSet::new();
    let mut faults = BTreeSet::new();
    let sources = sources();
    for (file, source) in &sources {
        let in_cli = file.contains("/src/cli") || file.contains("/src/config");
        for code in made(source) {
            // In other rooms an object may have a member `code`, as FHIR's do.
            if known.contains(code) {
                found.insert(code);
            } else if in_cli || code.split_once('-').is_some_and(|(one, _)| families.contains(one))
            {
                faults.insert((code, file.as_str()));
            }
        }
        // Codes that go through a variable: whatever begins as one of the codes of records, inputs or the store does.
        for text in texts(source) {
            let Some((family, _)) = text.split_once('-') else { continue };
            let is_ours = ["ipt", "input", "store", "keys", "link"].contains(&family)
                || in_cli && ["ehr", "sandbox", "package", "config", "hand"].contains(&family);
            if known.contains(text) {
                found.insert(text);
            } else if is_ours && !NO_CODES.contains(&text) {
                faults.insert((text, file.as_str()));
            }
        }
    }
    assert!(faults.is_empty(), "`explain` does not know: {faults:#?}");
    // And nothing is explained that is never said.
    let all: BTreeSet<&str> = sources.iter().flat_map(|(_, source)| texts(source)).collect();
    let idle: Vec<&String> = known.iter().filter(|code| !all.contains(code.as_str())).collect();
    assert!(idle.is_empty(), "nothing says {idle:#?}");
    assert!(found.len() > 200, "{}", found.len());
}

#[test]
fn a_code_that_nothing_explains_would_be_seen() {
    let source = "Err(Failure::new(\n    Exit::Usage,\n    \"odd-code\",\n    \"it is odd\",\n))";
    assert_eq!(made(source), ["odd-code"]);
    assert_eq!(made("Issue::error(\"ipt-plan-odd\", at, text)"), ["ipt-plan-odd"]);
    assert_eq!(made("Failure::new(exit, code, text(\"usage\"))"), [""; 0]);
    assert_eq!(texts("unreadable(\"input-odd\", \"A text.\")").collect::<Vec<_>>(), ["input-odd"]);
}

#[test]
fn each_code_is_told_in_both_forms() {
    let home = Home::new();
    let list = home.run("explain --list --format json").ends(0).envelope();
    let codes: Vec<&Value> = list.items("result").collect();
    for pair in codes.windows(2) {
        assert!(pair[0].text("code") < pair[1].text("code"), "{:?} is there twice", pair[1]);
    }
    for one in &codes {
        let text = |name: &str| one.text(name).unwrap_or_default();
        let see = [text("specification"), text("see")].concat();
        assert!(is_code(text("code")) && !text("title").ends_with('.'), "{one:?}");
        assert!(text("title").len() > 10 && text("explanation").ends_with('.'), "{one:?}");
        // Where more stands is a page, or is in the package.
        let is_there = match see.split_once(", ") {
            Some(("README.md", section)) => {
                let readme = include_str!("../../../README.md");
                readme.lines().any(|line| line.trim_start_matches('#').trim() == section)
            }
            _ if see.starts_with("http") => true,
            _ => Path::new(env!("CARGO_MANIFEST_DIR")).join(&see).is_file(),
        };
        assert!(is_there, "{}: {see}", text("code"));
    }
    for code in
        ["fhir-json-syntax", "ipt-plan-unknown-key", "ehr-unreachable", "config-value", "usage"]
    {
        let one = codes.iter().find(|one| one.text("code") == Some(code)).unwrap();
        let human = home.run(&format!("explain {code}")).ends(0).stdout;
        assert!(human.starts_with(&format!("{code}: {}\n\n", one.text("title").unwrap())));
        assert!(human.contains(one.text("explanation").unwrap()), "{human}");
        let json = home.run(&format!("explain {code} --format json")).ends(0).envelope();
        assert_eq!(json.get("result"), Some(*one));
    }
    for part in ["error[ipt-plan-unknown-key]:", "warning[ipt-plan-unknown-key]"] {
        home.run(&format!("explain {part}")).ends(0);
    }
    let run = home.run("explain ipt-plan-unknown-kay").ends(2);
    assert!(run.stderr.contains("did you mean `ipt-plan-unknown-key`?"), "{}", run.stderr);
}
