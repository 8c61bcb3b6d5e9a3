//! The tour of README.md, word by word: what a reader types first must do what the text says.

use super::Home;
use super::sandbox::Sandbox;
use crate::support::fixture;

/// The file.
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
/// Where the tour's sandbox listens; here it listens at a free port.
const SANDBOX: &str = "http://127.0.0.1:8090/interconnect-fhir-oauth/api/FHIR/R4";

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_tour_can_be_followed_word_by_word() {
    let readme = std::fs::read_to_string(README).unwrap();
    let (_, tour) = readme.split_once("## A tour\n").unwrap();
    let (tour, _) = tour.split_once("### A hospital's EHR\n").unwrap();
    let home = Home::new();
    home.write("john.json", fixture("ipt/john-lee-in-treatment.json"));
    let [people] = blocks(tour, "json").try_into().unwrap();
    home.write("people.json", people);
    let mut sandbox = None;
    let mut syncs = Vec::new();
    let lines = blocks(tour, "console").join("");
    for line in lines.lines().map(|line| line.strip_prefix("$ ").unwrap()) {
        if let Some(edit) = line.strip_prefix("sed -i 's/") {
            let (from, rest) = edit.split_once('/').unwrap();
            let (to, file) = rest.split_once("/' ").unwrap();
            let text = std::fs::read_to_string(home.path(file)).unwrap();
            assert!(text.contains(from), "{from}");
            home.write(file, text.replace(from, to));
            continue;
        }
        let Some(line) = line.strip_prefix("ipt-fhir ") else { continue };
        if let Some(flags) = line.strip_prefix("sandbox ") {
            sandbox = Some(Sandbox::start(&home, &flags.replace("127.0.0.1:8090", "127.0.0.1:0")));
            continue;
        }
        let (line, output) = line.split_once(" > ").unwrap_or((line, ""));
        let url = sandbox.as_ref().map_or(SANDBOX, |sandbox| sandbox.url.as_str());
        let confirmed = if line.starts_with("ehr link") { " --yes" } else { "" };
        let run = home.run(&format!("{}{confirmed}", line.replace(SANDBOX, url)));
        // A new record has gaps, and the tour says so.
        let expected = if line == "record check plan.json" { 3 } else { 0 };
        let run = run.ends(expected);
        if !output.is_empty() {
            home.write(output, &run.stdout);
        }
        if line == "sync clinic" {
            syncs.push(run.stdout.lines().last().unwrap().to_owned());
        }
    }
    assert_eq!(syncs, ["clinic: 3 created", "clinic: 1 created, 2 in sync", "clinic: 3 in sync"]);
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let readme = std::fs::read_to_string(README).unwrap();
    for (exit, _) in ipt_fhir::cli::Exit::ALL {
        let (code, at) = (exit.code(), if exit.code() > 100 { "130, 143" } else { "" });
        let row = if at.is_empty() { format!("\n| {code} |") } else { format!("\n| {at} |") };
        assert!(readme.contains(&row), "{code}");
    }
}
