//! Servers that refuse, lie or break off, and quote what they were sent: nothing of it is repeated, on the screen, in
//! the log or in the next request.

use super::exchange::{Watched, is_private, people};
use super::front::{Answer, Front, To};
use super::loud_home;
use super::token::{STEM, canary, leak};
use crate::cli::Home;

/// Runs a command that may end in any way but a crash, and must say nothing.
#[track_caller]
fn silent(home: &Home, line: &str, what: &str) -> Option<i32> {
    let run = home.run(&format!("{line} -vvv"));
    assert_eq!(leak(&run.stdout), None, "{what}: stdout of {line}");
    assert_eq!(leak(&run.stderr), None, "{what}: stderr of {line}");
    assert!(!run.stderr.contains("internal error"), "{what}: {}", run.stderr);
    run.code
}

#[test]
fn a_server_that_quotes_what_it_was_sent_is_not_repeated() {
    let home = loud_home();
    let record = canary("john-lee.json");
    home.write("record.json", record.to_pretty());
    home.write("people.json", people(&record));
    home.write("token", format!("{STEM}secret"));
    let sandbox = Watched::start(&home, "--seed people.json");
    let front = Front::before(&sandbox.url);
    let add = format!(
        "ehr add here {} --settle 0 --timeout 5 --token-file token --encounter create",
        front.url()
    );
    assert_eq!(silent(&home, &add, "a secret"), Some(0));
    let link = "ehr link here record.json Patient/same --yes";
    assert_eq!(silent(&home, link, "a right server"), Some(0));

    let mut answers = Vec::new();
    for status in [400, 401, 403, 404, 409, 412, 422, 500] {
        answers.push((To::All, Answer::Outcome(status)));
        answers.push((To::Writes, Answer::Page(status)));
    }
    for status in [301, 302, 307, 308] {
        answers.push((To::Writes, Answer::Outcome(status)));
    }
    answers.extend([200, 201].map(|status| (To::All, Answer::Page(status))));
    answers.extend([200, 201].map(|status| (To::Writes, Answer::Outcome(status))));
    for answer in [Answer::Truncate, Answer::Reset, Answer::Garbage] {
        answers.extend([(To::All, answer), (To::Writes, answer)]);
    }
    for (to, answer) in answers {
        let what = format!("{to:?} {answer:?}");
        front.answers(to, answer);
        let synced = silent(&home, "sync apply here --policy full --format json", &what);
        assert_ne!(synced, Some(0), "{what}");
        if to == To::All {
            assert_ne!(silent(&home, "ehr test here", &what), Some(0), "{what}");
            assert_ne!(silent(&home, link, &what), Some(0), "{what}");
        }
    }
    let heads = front.heads();
    assert!(heads.contains("POST /fhir"), "{heads}");
    assert_eq!(leak(&heads), None);
    is_private(&home.path("store"));

    // Once it is a right server again, nothing of all that is left.
    front.answers(To::All, Answer::Pass);
    // But that it refused whole kinds, which is believed for a day.
    assert_eq!(silent(&home, "sync here --policy full", "for a day"), Some(7));
    let forget = "ehr capabilities here --forget-refusals";
    assert_eq!(silent(&home, forget, "a right server"), Some(0));
    assert_eq!(silent(&home, "sync here --policy full", "at last"), Some(0));
    assert_eq!(leak(&front.heads()), None);
    sandbox.end();
}

#[test]
fn bytes_that_are_no_tls_are_not_repeated() {
    let home = loud_home();
    let front = Front::before("http://127.0.0.1:1/fhir");
    front.answers(To::All, Answer::Garbage);
    home.write("record.json", canary("john-lee.json").to_pretty());
    let url = front.url().replace("http:", "https:");
    assert_eq!(silent(&home, &format!("ehr add here {url}"), "add"), Some(0));
    for line in ["ehr test here", "ehr link here record.json Patient/p --yes"] {
        assert_eq!(silent(&home, line, "no TLS"), Some(1));
    }
}

#[test]
fn secrets_are_in_no_output_wherever_they_come_from() {
    let mut home = loud_home();
    home.set("CLINIC_TOKEN", &format!("{STEM}secret"));
    home.write("token", format!("{STEM}secret\n"));
    home.write("script", format!("echo {STEM}secret"));
    let sandbox = Watched::start(&home, "");
    let script = home.path("script").display().to_string();
    for (name, flags) in [
        ("file", "--token-file token".to_owned()),
        ("variable", "--token-env CLINIC_TOKEN".to_owned()),
        ("user", "--user clinic --password-file token".to_owned()),
    ] {
        let front = Front::before(&sandbox.url);
        let add = format!("ehr add {name} {} {flags}", front.url());
        assert_eq!(silent(&home, &add, name), Some(0));
        assert_eq!(silent(&home, &format!("ehr test {name}"), name), Some(0));
        for answer in [Answer::Outcome(401), Answer::Page(403)] {
            front.answers(To::All, answer);
            assert_eq!(silent(&home, &format!("ehr test {name}"), name), Some(6));
        }
        assert_eq!(leak(&front.heads()), None, "but where it belongs");
    }
    // By a command: its words hold a space, so the configuration is written by hand.
    let url = &sandbox.url;
    let command =
        format!("[ehr.command]\nurl = \"{url}\"\nauth.token = {{ command = \"sh {script}\" }}\n");
    home.write("command.toml", &command);
    assert_eq!(silent(&home, "--config command.toml ehr test command", "command"), Some(0));
    // In the file itself, right and wrong.
    let inline = format!("[ehr.inline]\nurl = \"{url}\"\nauth.token = \"{STEM}secret\"\n");
    for (text, code) in [
        (inline.clone(), 0),
        (inline.replace("auth.token", "auth.tokn"), 2),
        (inline.replace("secret\"", "secret"), 2),
        (inline.replace("= \"qz", "= qz"), 2),
        (format!("{inline}timeout_seconds = \"{STEM}secret\"\n"), 2),
        (inline.replace("http://", &format!("http://clinic:{STEM}secret@")), 2),
    ] {
        home.write("inline.toml", &text);
        for line in ["ehr list", "ehr list --format json", "ehr test inline"] {
            let line = format!("--config inline.toml {line}");
            assert_eq!(silent(&home, &line, &text), Some(code), "{text}");
        }
    }
    for line in ["ehr list", "ehr list --format json"] {
        assert_eq!(silent(&home, line, "all of them"), Some(0));
    }
    sandbox.end();
}
