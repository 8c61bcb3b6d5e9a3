//! Nothing of a record leaves by the wrong door: not on stderr, not in logs at the highest level, not in URLs and
//! headers, and not on the stdout of the commands that print none of it by purpose.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use ipt_fhir::json::{self, Value};

use super::sandbox::Sandbox;
use super::{Home, Run};
use crate::support::fixture;

const RECORD: &str = "ipt/all-fields.json";

/// The words of a record that may identify a person: names, texts, and the plan's id. Codes, dates and short ids of
/// the record's own are everybody's.
fn canaries() -> BTreeSet<String> {
    let record = json::parse(&fixture(RECORD)).unwrap();
    let mut texts = Vec::new();
    collect(&record, &mut texts);
    texts.push(record.text("id").unwrap().to_owned());
    texts.into_iter().collect()
}

/// Texts of two words or more: in this record every name and every sentence is one.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.trim().contains(' ') => texts.push(text.clone()),
        Value::Object(object) => {
            for (name, value) in object.iter() {
                match value {
                    Value::String(text) if name == "family" => texts.push(text.clone()),
                    // Displays are those of the code system.
                    _ if name == "codings" || name == "coding" => {}
                    other => collect(other, texts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

#[track_caller]
fn clean(canaries: &BTreeSet<String>, text: &str) {
    for canary in canaries {
        assert!(!text.contains(canary.as_str()), "{canary:?} in {text}");
    }
}

/// A relay that keeps the heads of all requests.
///
/// It speaks in the name of the target: the sandbox answers to its own name only.
fn relay(target: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().to_string();
    let target = target.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let (own_name, other_name) = (own.clone(), target.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut from, mut to) = (stream.unwrap(), TcpStream::connect(&target).unwrap());
            let (mut back_from, mut back_to) = (to.try_clone().unwrap(), from.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
            let kept = Arc::clone(&kept);
            let (own_name, other_name) = (own_name.clone(), other_name.clone());
            std::thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    let text = String::from_utf8_lossy(buffer.split_at(count).0);
                    let mut is_head = false;
                    let lines = text.split("\r\n").filter(|line| {
                        is_head = line.contains(" HTTP/1.1") || (is_head && !line.is_empty());
                        is_head
                    });
                    kept.lock().unwrap().extend(lines.map(str::to_owned));
                    // Bodies here are ASCII or whole characters within one read, or the test would fail loudly.
                    let sent = text.replace(&own_name, &other_name);
                    if to.write_all(sent.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (own, heads)
}

#[test]
fn nothing_of_a_record_leaves_by_the_wrong_door() {
    let canaries = canaries();
    assert!(canaries.len() > 50, "{}", canaries.len());
    let home = Home::new();
    home.write("record.json", fixture(RECORD));
    home.write(
        "seed.json",
        r#"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1950"}"#,
    );
    let sandbox = Sandbox::start(&home, "--seed seed.json");
    let (own, heads) = relay(&sandbox.url);
    home.run(&format!("ehr add here http://{own}/fhir --settle 0")).ends(0);
    let both = |run: Run| clean(&canaries, &format!("{}{}", run.stdout, run.stderr));
    both(home.run("ehr test here -vvv").ends(0));
    both(home.run("ehr link here record.json Patient/p --yes -vvv").ends(0));
    both(home.run("sync plan here --policy full -vvv").ends(0));
    both(home.run("sync here --policy full -vvv").ends(0));
    both(home.run("sync here --policy full -vvv --format json").ends(0));
    both(home.run("record check record.json -vvv").ends(0));
    both(home.run("demo -vvv").ends(0));
    for line in
        ["map record.json -vvv", "map record.json --explain -vvv", "record show record.json -vvv"]
    {
        clean(&canaries, &home.run(line).ends(0).stderr);
    }
    let heads = heads.lock().unwrap().join("\n");
    assert!(heads.contains("POST /fhir") && heads.contains("x-request-id"), "{heads}");
    clean(&canaries, &heads);
    // Broken and refused, it says where and what, and not the words.
    let text = String::from_utf8(fixture(RECORD)).unwrap();
    let broken =
        text.replacen("\"status\"", "\"stat us\"", 1).replacen("\"text\": \"", "\"text\": \" ", 3);
    home.write("record.json", broken);
    both(home.run("record check record.json -vvv").ends(3));
    both(home.run("sync here -vvv").ends(3));
    drop(sandbox);
    home.write("record.json", &text);
    both(home.run("sync here -vvv").ends(1));
}
