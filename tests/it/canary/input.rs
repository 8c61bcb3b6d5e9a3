//! Input that is wrong or no input at all: said with code and place, at once, and nothing written anywhere.

use std::io::Read;
use std::process::{Command, Stdio};

use ipt_fhir::json::Value;

use super::token::{STEM, canary, with};
use super::{listing, loud_home};
use crate::cli::{Home, Run};

/// How many seconds of a processor saying no may take, also in a slow build. A clock would measure the other tests, too.
const AT_ONCE: u32 = 2;

/// Runs a command that writes nothing, on disk or as a result for a person, and says no at once.
#[track_caller]
fn refused(home: &Home, line: &str, code: i32) -> Run {
    let before = listing(home.path("").as_path());
    let run = home.run_within(AT_ONCE, line).ends(code);
    assert_eq!(listing(home.path("").as_path()), before, "{line} wrote something");
    run
}

/// What the envelope says of each error: code, pointer, line, column; it also has path and help.
fn told(run: &Run) -> Vec<(String, String, u64, u64)> {
    let envelope = run.envelope();
    assert_eq!(envelope.get("ok"), Some(&Value::Bool(false)));
    assert_eq!(envelope.get("result"), Some(&Value::Null));
    let errors = envelope.items("errors").map(|error| {
        assert!(error.text("help").is_some() && error.text("path").is_some(), "{}", run.stdout);
        let number = |name| error.get(name).and_then(Value::as_u64).unwrap();
        let text = |name| error.text(name).unwrap().to_owned();
        (text("code"), text("pointer"), number("line"), number("column"))
    });
    errors.collect()
}

#[test]
fn wrong_records_are_told_with_code_and_place() {
    let home = loud_home();
    for (file, expected) in [
        ("unknown-key", vec![("ipt-plan-unknown-key", "/client/nickname")]),
        ("bad-date", vec![("ipt-plan-date", "/date")]),
        ("dangling-goal-id", vec![("ipt-plan-dangling-id", "/activities/0/goalIds/0")]),
        (
            "three-faults",
            vec![
                ("ipt-plan-unknown-key", "/client/nickname"),
                ("ipt-plan-code", "/goals/0/status"),
                ("ipt-plan-range", "/sessions/0/number"),
            ],
        ),
    ] {
        for command in ["record check", "map", "record show"] {
            let line = format!("{command} @invalid/ipt/{file}.json");
            let found = told(&refused(&home, &format!("{line} --format json"), 3));
            let short: Vec<(&str, &str)> = found
                .iter()
                .map(|(code, pointer, _, _)| (code.as_str(), pointer.as_str()))
                .collect();
            assert_eq!(short, expected, "{file}");
            let human = refused(&home, &line, 3);
            assert_eq!(human.stdout, "");
            for (code, pointer, number, column) in found {
                let place = format!("{file}.json:{number}:{column} {pointer}");
                assert!(human.stderr.contains(&format!("error[{code}]")), "{}", human.stderr);
                assert!(human.stderr.contains(&place), "{place} in {}", human.stderr);
            }
        }
    }
}

#[test]
fn a_range_outside_its_phase_is_a_warning_that_is_shown() {
    let home = Home::new();
    let run = refused(&home, "record check @invalid/ipt/activity-outside-phase.json", 0);
    assert!(run.stdout.starts_with("valid: "), "{}", run.stdout);
    assert!(run.stderr.contains("warning[ipt-plan-activity-outside-phase]"), "{}", run.stderr);
    assert!(run.stderr.contains(" /activities/0/sessions"), "{}", run.stderr);
    let run = refused(&home, "map @invalid/ipt/activity-outside-phase.json", 0);
    assert!(run.stderr.contains("warning[ipt-plan-activity-outside-phase]"), "{}", run.stderr);
    assert!(run.stdout.contains("\"Bundle\""));
}

#[test]
fn what_is_no_document_is_unreadable_and_costs_no_time() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let garbage: Vec<u8> =
        (0..20_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    home.write("garbage", &garbage);
    home.write("smaller", &garbage[..16_000_000]);
    home.write("open", "[".repeat(16_000_000));
    home.write("keys", format!("{{{}", "\"a\":{".repeat(3_000_000)));
    home.write("words", "word ".repeat(500_000));
    home.write("empty", "");
    home.write("blank", " \n\t ");
    home.write("latin1", b"{\"format\": \"ipt-plan\", \"title\": \"Trauer \xfcber\"}");
    home.write("closed", canary("john-lee.json").to_text());
    std::fs::create_dir(home.path("folder")).unwrap();
    std::fs::set_permissions(home.path("closed"), std::fs::Permissions::from_mode(0o000)).unwrap();
    let mut files = vec!["garbage", "smaller", "open", "keys", "words", "empty", "blank", "latin1"];
    files.extend(["folder", "missing", "missing/record.json", "empty/record.json"]);
    // Nothing is closed to root.
    if std::fs::File::open(home.path("closed")).is_err() {
        files.push("closed");
    }
    for file in files {
        for command in ["record check", "record show", "map", "map --reverse"] {
            let human = refused(&home, &format!("{command} {file}"), 4);
            assert_eq!(human.stdout, "", "{command} {file}");
            assert_eq!(human.stderr.matches("error[").count(), 1, "{}", human.stderr);
            assert!(human.stderr.contains(&format!("--> {file}")), "{}", human.stderr);
        }
        let json = refused(&home, &format!("record check {file} --format json"), 4);
        assert_eq!(json.codes().len(), 1);
        let envelope = json.envelope();
        assert_eq!(envelope.pointer("/errors/0/path"), Some(&Value::String(file.to_owned())));
    }
}

#[test]
fn nothing_is_written_for_a_record_that_is_wrong() {
    let home = Home::new();
    let record = canary("john-lee.json");
    home.write(
        "record.json",
        with(&record, "/goals/0/status", Value::String(STEM.into())).to_text(),
    );
    home.write("config.toml", "[ehr.here]\nurl = \"http://127.0.0.1:1/fhir\"\n");
    for line in [
        "map record.json",
        "map record.json --explain",
        "map record.json --to transaction --format json",
        "--config config.toml ehr link here record.json Patient/p --yes",
        "--config config.toml ehr link here record.json Patient/p --yes --format json",
    ] {
        let run = refused(&home, line, 3);
        assert!(run.stdout.is_empty() || run.envelope().get("result") == Some(&Value::Null));
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let home = Home::new();
    for line in
        ["map @ipt/all-fields.json --policy full", "record show @ipt/all-fields.json", "--help"]
    {
        let mut command = home.command(crate::cli::words(line));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("error") && !stderr.contains("pipe"), "{stderr}");
    }
    // And through a shell, as people do it.
    let script = "\"$0\" map \"$1\" --policy full | head -1; test ${PIPESTATUS[0]} = 0";
    let record = crate::support::fixtures().join("ipt/all-fields.json");
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_ipt-fhir")])
        .arg(record)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"{\n");
}

#[test]
fn every_command_has_help() {
    let home = Home::new();
    let mut seen = 0;
    let mut waiting = vec![(String::new(), ipt_fhir::cli::command_line())];
    while let Some((line, command)) = waiting.pop() {
        let help = home.run(&format!("{line} --help")).ends(0);
        assert!(help.stdout.contains("Usage: ") && help.stderr.is_empty(), "{line}");
        seen += 1;
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            waiting.push((format!("{line} {}", sub.get_name()), sub.clone()));
        }
    }
    assert!(seen > 15, "{seen}");
    let help = home.run("--help").ends(0).stdout;
    for (exit, meaning) in ipt_fhir::cli::Exit::ALL {
        assert!(help.contains(&format!("{:>3}  {meaning}", exit.code())), "{help}");
    }
}
