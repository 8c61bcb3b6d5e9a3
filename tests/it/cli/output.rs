//! stdout is data, stderr is everything else; three formats; colors; closed pipes.

use std::io::Read;
use std::process::Stdio;

use ipt_fhir::json::{self, Value};

use super::{Home, words};

#[test]
fn results_have_three_formats() {
    let home = Home::new();
    let human = home.run("map @ipt/john-lee.json").ends(0);
    let bundle = json::parse(human.stdout.as_bytes()).unwrap();
    let enveloped = home.run("map @ipt/john-lee.json --format json").ends(0).envelope();
    assert_eq!(enveloped.get("result"), Some(&bundle));
    assert_eq!(enveloped.get("ok"), Some(&Value::Bool(true)));
    let members: Vec<&str> = enveloped.as_object().unwrap().iter().map(|(name, _)| name).collect();
    assert_eq!(members, ["schema", "ok", "result", "errors", "meta"]);
    let lines = home.run("map @ipt/john-lee.json --explain --format ndjson").ends(0);
    for line in lines.stdout.lines() {
        assert!(json::parse(line.as_bytes()).unwrap().text("fate").is_some());
    }
}

#[test]
fn errors_have_the_same_form_in_each_format() {
    let home = Home::new();
    let path = home.write("empty.json", "");
    let line = format!("record check {}", path.display());
    let human = home.run(&line).ends(4);
    assert_eq!(human.stdout, "");
    assert!(human.stderr.contains("error[ipt-plan-empty-file]"), "{}", human.stderr);
    assert!(human.stderr.contains("empty.json:1:1"), "{}", human.stderr);
    let json = home.run(&format!("{line} --format json")).ends(4);
    assert_eq!((json.codes(), json.stderr.as_str()), (vec!["ipt-plan-empty-file".to_owned()], ""));
    let error = json.envelope().items("errors").next().unwrap().clone();
    assert_eq!(error.get("line").and_then(Value::as_u64), Some(1));
    let ndjson = home.run(&format!("{line} --format ndjson")).ends(4);
    let error = json::parse(ndjson.stderr.as_bytes()).unwrap();
    assert_eq!((ndjson.stdout.as_str(), error.text("code")), ("", Some("ipt-plan-empty-file")));
}

#[test]
fn a_wrong_command_line_ends_with_2_in_each_format() {
    let home = Home::new();
    assert!(home.run("map --wrong").ends(2).stderr.contains("--wrong"));
    assert_eq!(home.run("map --wrong --format json").ends(2).codes(), ["usage"]);
    assert_eq!(home.run("").ends(2).stdout, "");
    assert!(home.run("recrod check x").ends(2).stderr.contains("record"));
    assert!(home.run("--help").ends(0).stdout.contains("Exit codes:"));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let home = Home::new();
    for line in ["map @ipt/all-fields.json --policy full", "completions bash", "--help"] {
        let mut command = home.command(words(line));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let home = Home::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = home.command(words("record new --variant ipt"));
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn color_is_written_when_asked_for() {
    let mut home = Home::new();
    let colored = |home: &Home, flags: &str| {
        home.run(&format!("record check nowhere {flags}")).ends(4).stderr.contains('\u{1b}')
    };
    assert!(!colored(&home, ""));
    assert!(colored(&home, "--color always"));
    assert!(!colored(&home, "--color never"));
    home.set("CLICOLOR_FORCE", "1");
    assert!(colored(&home, ""));
    home.set("NO_COLOR", "1");
    assert!(colored(&home, "--color always"));
}

#[test]
fn quiet_leaves_out_notes() {
    let home = Home::new();
    assert!(home.run("record new --variant ipt").ends(0).stderr.contains("fill in"));
    assert_eq!(home.run("record new --variant ipt --quiet").ends(0).stderr, "");
    assert!(home.run("record check nowhere --quiet").ends(4).stderr.contains("error"));
}

#[test]
fn config_names_the_file_that_counts_most() {
    let mut home = Home::new();
    home.write("ipt-fhir.toml", "[ehr.local]\nurl = \"https://local.example/fhir\"\n");
    home.write("other.toml", "[ehr.local]\nurl = \"https://other.example/fhir\"\n");
    assert!(home.run("ehr list").ends(0).stdout.contains("https://local.example/fhir"));
    let list = home.run("ehr list --config other.toml").ends(0).stdout;
    assert!(list.contains("https://other.example/fhir"), "{list}");
    assert!(home.run("ehr list --config nowhere.toml").ends(2).stderr.contains("nowhere.toml"));
    home.set("IPT_FHIR_CONFIG", "other.toml");
    assert!(home.run("ehr list").ends(0).stdout.contains("https://other.example/fhir"));
}

#[test]
fn a_mistake_in_the_configuration_is_shown_with_a_caret() {
    let home = Home::new();
    home.write("ipt-fhir.toml", "[ehr.clinic]\nurll = \"https://secret.example\"\n");
    let run = home.run("ehr list").ends(2);
    let shown = run.stderr.replace(&home.path("").display().to_string(), "");
    insta::assert_snapshot!(shown, @r"
    error[config-unknown-key]: unknown key ehr.clinic.urll
      --> ipt-fhir.toml:2:1
      |
    2 | urll
      | ^^^^
      help: did you mean `url`?
    ");
    assert_eq!(home.run("ehr list --format json").ends(2).codes(), ["config-unknown-key"]);
    home.run("version").ends(0);
}

#[test]
fn verbose_logs_more_and_nothing_of_the_record() {
    let home = Home::new();
    home.write("ipt-fhir.toml", "[ehr.here]\nurl = \"http://127.0.0.1:9/fhir\"\n");
    assert_eq!(home.run("ehr test here").ends(1).stderr, "");
    let server = crate::client::server::Server::start(vec![]);
    let text = format!("[ehr.here]\nurl = \"{}\"\n", server.base());
    home.write("ipt-fhir.toml", text);
    let logged = home.run("ehr test here -vvv").ends(1).stderr;
    assert!(logged.contains("fhir.interaction"), "{logged}");
    assert!(!logged.contains("/metadata"), "{logged}");
    home.write("json.toml", "[log]\nformat = \"json\"\nlevel = \"debug\"\n");
    let logged = home.run("ehr test here --config json.toml").ends(1).stderr;
    for line in logged.lines() {
        assert_eq!(json::parse(line.as_bytes()).unwrap().text("level"), Some("DEBUG"));
    }
    assert!(!logged.is_empty());
}
