//! The seed texts: every line is listed with what became of it, and what is verbatim stands in the full Bundle.

use ipt_fhir::json::{self, Value};
use ipt_fhir::mapping::{self, Policy};

use crate::mapping::options;
use crate::support::tree::strings;
use crate::support::{fixture, record, shared};

/// The list of each seed, the record that tells it, and the text that it was made from.
const SEEDS: [(&str, &str, &str); 2] = [
    ("john-lee.json", "john-lee.json", "john-lee-plan.txt"),
    ("sara.json", "sara-dit.json", "sara-dit-case.txt"),
];

fn lines(list: &str) -> Vec<Value> {
    let list = json::parse(&fixture(&format!("seed-lines/{list}"))).unwrap();
    list.as_array().unwrap().to_vec()
}

/// A seed text: not part of the package, so it may be missing.
fn seed_text(name: &str) -> Option<String> {
    Some(String::from_utf8(shared(&format!("examples/{name}"))?).unwrap())
}

/// Without white space and marks of lists.
fn letters(text: &str) -> String {
    let marks =
        |letter: &char| !letter.is_whitespace() && !"•-–—*.,:;()“”\"0123456789".contains(*letter);
    text.chars().filter(marks).collect()
}

#[test]
fn every_line_of_the_seed_texts_is_listed() {
    let mut compared = 0;
    for (list, _, text) in SEEDS {
        let listed: Vec<(usize, String)> = lines(list)
            .iter()
            .map(|line| {
                let number = line.get("line").and_then(Value::as_u64).unwrap();
                (usize::try_from(number).unwrap(), line.text("text").unwrap().to_owned())
            })
            .collect();
        assert!(listed.len() > 20, "{list}");
        let Some(text) = seed_text(text) else {
            println!("{list}: {} lines were not compared, the seed text is not here", listed.len());
            continue;
        };
        let written: Vec<(usize, String)> = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim().to_owned()))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        compared += written.len();
        assert_eq!(listed, written, "{list}");
    }
    println!("{compared} lines compared");
}

#[test]
fn every_part_of_a_listed_line_is_in_the_record_or_is_a_heading() {
    for (list, name, _) in SEEDS {
        let source = record(name).source;
        for line in lines(list) {
            let text = line.text("text").unwrap();
            let mut parts = String::new();
            assert!(line.items("as").next().is_some(), "{list}: `{text}` became nothing");
            for part in line.items("as") {
                let words = part.text("part").or_else(|| part.text("heading")).unwrap();
                assert!(text.contains(words), "{list}: `{words}` is not of its line");
                parts.push_str(words);
                if let Some(pointer) = part.text("verbatim") {
                    let value = source.pointer(pointer).and_then(Value::as_str);
                    let value = value.unwrap_or_else(|| panic!("{list}: {pointer} is no text"));
                    assert!(value.contains(words), "{list}: `{words}` is not at {pointer}");
                } else if let Some(pointer) = part.text("structured") {
                    let value = source.pointer(pointer);
                    let value = value.unwrap_or_else(|| panic!("{list}: {pointer} is missing"));
                    let wanted = part.get("value").unwrap();
                    assert!(json::equivalent(value, wanted), "{list}: {pointer} of `{text}`");
                } else {
                    assert!(part.text("heading").is_some(), "{list}: a part of no kind");
                }
            }
            // Nothing of a line falls between its parts but marks and numbers of lists.
            let left = letters(text).len() - letters(&parts).len().min(letters(text).len());
            assert_eq!(left, 0, "{list}: `{text}` is told in part only: `{parts}`");
        }
    }
}

#[test]
fn every_verbatim_part_of_the_seed_texts_is_in_the_full_bundle() {
    for (list, name, _) in SEEDS {
        let bundle = mapping::to_fhir(&record(name).plan, &options(Policy::full()));
        let bundle = bundle.into_collection().into_value();
        let told: Vec<&str> = strings(&bundle).into_iter().map(|(_, text)| text).collect();
        let mut found = 0;
        for line in lines(list) {
            for part in line.items("as").filter(|part| part.text("verbatim").is_some()) {
                let words = part.text("part").unwrap();
                assert!(told.iter().any(|text| text.contains(words)), "{list}: `{words}` is lost");
                found += 1;
            }
        }
        assert!(found > 20, "{list}");
    }
}
