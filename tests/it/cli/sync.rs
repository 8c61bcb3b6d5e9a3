//! `ehr link`, `sync` and `demo` against a sandbox in a process of its own.

use std::process::Stdio;

use ipt_fhir::json::Value;

use super::Home;
use super::sandbox::Sandbox;
use crate::support::fixture;

/// Patients and therapists to link to.
const SEED: &str = r#"{"resourceType":"Bundle","type":"collection","entry":[
    {"resource":{"resourceType":"Patient","id":"john","active":true,"birthDate":"1992","name":[{"family":"Lee","given":["John"]}],"gender":"male"}},
    {"resource":{"resourceType":"Patient","id":"other","name":[{"family":"Canaryman","given":["Zed"]}],"gender":"female"}},
    {"resource":{"resourceType":"Patient","id":"inactive","active":false}},
    {"resource":{"resourceType":"Patient","id":"unmarked","active":true}},
    {"resource":{"resourceType":"Patient","id":"merged","link":[{"type":"replaced-by","other":{"reference":"Patient/john"}}]}},
    {"resource":{"resourceType":"Practitioner","id":"chris","name":[{"family":"Smith"}]}},
    {"resource":{"resourceType":"Practitioner","id":"left","active":false}}]}"#;

/// A home with a record, and a sandbox that is configured as `here`.
fn clinic() -> (Home, Sandbox) {
    let home = Home::new();
    home.write("seed.json", SEED);
    home.write("john.json", fixture("ipt/john-lee-in-treatment.json"));
    let sandbox = Sandbox::start(&home, "--seed seed.json");
    home.run(&format!("ehr add here {} --settle 0 --encounter create", sandbox.url)).ends(0);
    (home, sandbox)
}

/// The number of items of a run in a state.
fn count(envelope: &Value, state: &str) -> u64 {
    let pointer = format!("/result/summary/{state}");
    envelope.pointer(&pointer).and_then(Value::as_u64).unwrap_or(0)
}

#[test]
fn yes_confirms_a_link_that_a_script_makes() {
    let (home, _sandbox) = clinic();
    let line = "ehr link here john.json Patient/john --practitioner Practitioner/chris";
    let asked = home.run(&format!("{line} --format json")).ends(2);
    assert_eq!(asked.codes(), ["needs-confirmation"]);
    assert!(home.run("sync plan here").ends(0).stdout.contains("no record is linked"));
    let linked = home.run(&format!("{line} --yes")).ends(0);
    insta::assert_snapshot!(linked.stdout, @r"
    here Patient/john, compared with the record:
      family name  agrees
      given name   agrees
      birth date   missing in the record
      gender       agrees
      identifiers  missing in both
    linked
    next: ipt-fhir sync plan here
    ");
    let refused = home.run("ehr link here john.json Patient/other --yes --format json").ends(8);
    assert_eq!(refused.codes(), ["link-differs"]);
    let line = "ehr link here john.json Patient/other --accept-differences";
    home.run(line).ends(2);
    let other = home.run(&format!("{line} --yes")).ends(0);
    assert!(other.stderr.contains("the family name of record and Patient differ"));
    assert!(!format!("{}{}", other.stdout, other.stderr).contains("Canaryman"));
}

#[test]
fn practitioner_and_patient_must_be_fit_to_be_linked() {
    let (home, _sandbox) = clinic();
    for (target, exit, code) in [
        ("Patient/nobody", 8, "link-refused"),
        ("Patient/inactive", 8, "link-refused"),
        ("Patient/unmarked", 8, "link-refused"),
        ("Patient/merged", 8, "link-refused"),
        ("Patient/john --practitioner Practitioner/nobody", 8, "link-refused"),
        ("Patient/john --practitioner Practitioner/left", 8, "link-refused"),
        ("Patient/john --practitioner Patient/john", 2, "link-id"),
        ("Practitioner/chris", 2, "link-id"),
        ("john", 2, "link-id"),
        ("Patient/../Practitioner", 2, "link-id"),
    ] {
        let line = format!("ehr link here john.json {target} --yes --format json");
        assert_eq!(home.run(&line).ends(exit).codes(), [code], "{target}");
    }
    let record = fixture("ipt/john-lee.json");
    let piped = home.feed("ehr link here - Patient/john --yes --format json", record).ends(2);
    assert_eq!(piped.codes(), ["link-not-a-file"]);
    home.run("ehr link here nowhere.json Patient/john --yes").ends(4);
    home.run("ehr link hree john.json Patient/john --yes").ends(2);
    assert!(home.run("sync plan here").ends(0).stdout.contains("no record is linked"));
}

#[test]
fn sync_writes_each_resource_once() {
    let (home, _sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    let planned = home.run("sync plan here --format json").ends(0).envelope();
    let creates = count(&planned, "create");
    assert!(creates > 20, "{creates}");
    let applied = home.run("sync here --format json").ends(0).envelope();
    assert_eq!(count(&applied, "created"), creates);
    let again = home.run("sync apply --format json").ends(0).envelope();
    assert_eq!((count(&again, "in-sync"), count(&again, "created")), (creates, 0));
    let named = home.run("sync plan here john.json --format json").ends(0).envelope();
    assert_eq!(count(&named, "in-sync"), creates);
    let alone = home.run("sync plan john.json --format json").ends(0).envelope();
    assert_eq!(count(&alone, "in-sync"), creates);
}

#[test]
fn policy_and_grants_hold_for_sync_too() {
    let (home, _sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    let creates = |flags: &str| {
        count(
            &home.run(&format!("sync plan here {flags} --format json")).ends(0).envelope(),
            "create",
        )
    };
    let minimum = creates("");
    let granted = creates("--grant inventory");
    let full = creates("--policy full");
    assert!(minimum < granted && granted < full, "{minimum} {granted} {full}");
    let applied = |flags: &str| home.run(&format!("sync apply here {flags} --format json")).ends(0);
    assert_eq!(count(&applied("--grant inventory").envelope(), "created"), granted);
    assert_eq!(count(&applied("--policy full").envelope(), "created"), full - granted);
}

#[test]
fn a_changed_record_updates_what_it_changes() {
    let (home, _sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    home.run("sync here").ends(0);
    let text = String::from_utf8(fixture("ipt/john-lee-in-treatment.json")).unwrap();
    let goal = "Address Grief from Recent Breakup";
    assert!(text.contains(goal));
    home.write("john.json", text.replacen(goal, "Address the grief", 1));
    let run = home.run("sync here").ends(0);
    assert!(run.stdout.contains("Goal.description.text changed"), "{}", run.stdout);
    assert!(run.stdout.contains("updated"), "{}", run.stdout);
    assert!(!run.stdout.contains("grief"), "{}", run.stdout);
    home.write("john.json", text.replacen("8f0c1a52", "00000000", 1));
    let other = home.run("sync here").ends(8);
    assert!(other.stdout.contains("stopped: the file holds another plan"), "{}", other.stdout);
}

#[test]
fn a_record_used_as_a_template_does_not_reach_the_first_clients_chart() {
    let (home, _sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    home.run("sync here").ends(0);
    let john = String::from_utf8(fixture("ipt/john-lee-in-treatment.json")).unwrap();
    let sara = john.replace("John", "Sara").replace("\"male\"", "\"female\"");
    home.write("john.json", &sara);
    for line in ["sync plan here", "sync here", "sync apply here"] {
        let run = home.run(line).ends(8);
        assert!(run.stdout.contains("stopped: the record's client is not"), "{}", run.stdout);
        assert!(!run.stdout.contains("Sara"), "{}", run.stdout);
    }
    // Restored, all is as it was.
    home.write("john.json", &john);
    home.run("sync here").ends(0);
    // Corrected, it takes a person's word.
    home.write("john.json", john.replacen("\"John Lee\"", "\"John A. Lee\"", 1));
    home.run("sync here").ends(8);
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    home.run("sync here").ends(0);
    // The copy in a file of its own still has the first one's plan id.
    home.write("sara.json", &sara);
    let copy = home.run("ehr link here sara.json Patient/john --yes --format json").ends(8);
    assert_eq!(copy.codes(), ["store-plan-of-another"]);
}

#[test]
fn a_record_that_can_not_be_read_is_left_out() {
    let (home, _sandbox) = clinic();
    home.write("sara.json", fixture("ipt/sara-dit.json"));
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    home.run("ehr link here sara.json Patient/other --yes --accept-differences").ends(0);
    home.write("sara.json", "{");
    let run = home.run("sync here --format json").ends(7);
    assert_eq!(run.codes(), ["ipt-plan-not-json"]);
    assert!(!run.stdout.contains("sara.json"));
    assert!(count(&run.envelope(), "created") > 20);
    std::fs::remove_file(home.path("john.json")).unwrap();
    home.run("sync here").ends(4);
    home.write("new.json", fixture("ipt/ipt-a.json"));
    assert_eq!(home.run("sync here new.json --format json").ends(2).codes(), ["sync-not-linked"]);
    assert_eq!(home.run("sync hree --format json").ends(2).codes(), ["config-unknown-ehr"]);
}

#[test]
fn progress_is_shown_when_asked_for() {
    let (home, sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    let progress =
        |mode: &str| home.run(&format!("sync plan here --progress {mode}")).ends(0).stderr;
    assert_eq!((progress("auto").as_str(), progress("never").as_str()), ("", ""));
    assert!(progress("always").contains("plan: 1/1"));
    let json = progress("json");
    let last = json.lines().last().unwrap();
    assert_eq!(last, r#"{"progress":"plan","done":1,"total":1}"#);
    drop(sandbox);
    assert_eq!(
        home.run("sync plan here --format json").ends(1).envelope().items("errors").count(),
        0
    );
}

#[test]
fn the_store_is_private_and_a_wider_one_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (home, _sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    let store = home.path("home/.local/share/ipt-fhir");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store), 0o700);
    for file in std::fs::read_dir(&store).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(home.run("sync here --format json").ends(8).codes(), ["store-exposed"]);
}

#[test]
fn a_signal_ends_what_waits_and_what_reads() {
    use std::os::unix::process::ExitStatusExt;
    let home = Home::new();
    let send = |signal: &str, id: u32| {
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args([signal, &id.to_string()]).status().unwrap().success());
    };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    home.run(&format!("ehr add silent http://{}/fhir", silent.local_addr().unwrap())).ends(0);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut command = home.command(["ehr", "test", "silent"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let _connections = (silent.accept().unwrap(), silent.accept().unwrap());
        send(signal, child.id());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(String::from_utf8(output.stderr).unwrap().contains("interrupted"));
    }
    let mut command = home.command(["map", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Not INT: whoever starts the tests in the background of a shell has us inherit that it is ignored.
    send("-TERM", child.id());
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}

#[test]
fn demo_comes_out_as_told_and_leaves_nothing() {
    let mut home = Home::new();
    // A folder of its own: other programs' demos come and go in the common one.
    let temporary = tempfile::tempdir().unwrap();
    home.set("TMPDIR", temporary.path().to_str().unwrap());
    let is_empty = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().next().is_none();
    let run = home.run("demo").ends(0);
    for words in ["sync plan", "read back", "0 writes", "changed in the EHR", "ipt-fhir record new"]
    {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert_eq!(run.stderr, "");
    assert!(is_empty(&home.path("")), "no file was written");
    let json = home.run("demo --format json").ends(0).envelope();
    let second = json.pointer("/result/second").unwrap().as_object().unwrap().clone();
    let states: Vec<&str> = second.iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["in-sync"]);
    assert!(is_empty(temporary.path()), "nothing is left of it");
}

#[test]
fn what_the_policy_withholds_is_listed_at_each_run() {
    let (home, _sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    let line = |stdout: &str| stdout.matches("--grant inventory lets it leave").count();
    assert_eq!(line(&home.run("sync plan here").ends(0).stdout), 1);
    assert_eq!(line(&home.run("sync here").ends(0).stdout), 1, "once, with the preview");
    assert_eq!(line(&home.run("sync here").ends(0).stdout), 1, "also where nothing is to be done");
    assert_eq!(line(&home.run("sync apply here --grant inventory").ends(0).stdout), 0);
    let envelope = home.run("sync plan here --format json").ends(0).envelope();
    let withheld = envelope.pointer("/result/records/0/withheld").unwrap().as_array().unwrap();
    let inventory = withheld.iter().find(|one| one.text("section") == Some("inventory")).unwrap();
    assert!(inventory.get("places").and_then(Value::as_u64) > Some(0));
    let rendered = home.run("record render john.json --format json").ends(0).envelope();
    assert!(rendered.get("result").unwrap().items("withheld").count() > 0);
}

/// A home with a record, linked at a sandbox that plays a vendor's server.
fn hospital(personality: &str, record: &str, flags: &str) -> (Home, Sandbox) {
    let home = Home::new();
    home.write("seed.json", SEED.replace(r#""birthDate":"1992","#, ""));
    home.write("john.json", fixture(&format!("ipt/{record}")));
    let sandbox = Sandbox::start(&home, &format!("--as {personality} --seed seed.json"));
    home.run(&format!("ehr add here {} --settle 0 {flags}", sandbox.url)).ends(0);
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    (home, sandbox)
}

#[test]
fn packages_count_and_a_rejected_one_waits_for_a_person() {
    let (home, _sandbox) = hospital("poor", "john-lee-in-treatment.json", "--allow hand-off");
    assert!(home.run("sync plan here").ends(0).stdout.ends_with("1 package to make\n"));
    let run = home.run("sync here").ends(0);
    assert!(run.stdout.contains("would be made"), "the preview is shown: {}", run.stdout);
    assert!(run.stdout.ends_with("1 package made\n"), "{}", run.stdout);
    let again = home.run("sync apply here --format json").ends(0).envelope();
    assert_eq!(count(&again, "package-waiting"), 1);
    let list = home.run("hand-offs list --format json").ends(0).envelope();
    let name = list.items("result").next().unwrap().text("id").unwrap().to_owned();
    let rejected = home.run(&format!("hand-offs reject {name} --reason incorrect")).ends(0);
    assert!(rejected.stdout.contains("next: the same content is not made again"));
    for verb in ["sync plan here", "sync here", "sync apply here"] {
        let run = home.run(verb).ends(5);
        let words = format!("{name} was rejected (incorrect) and is not made again");
        assert!(run.stdout.contains(&words), "{}", run.stdout);
        assert!(run.stdout.ends_with("1 package rejected\n"), "{}", run.stdout);
    }
    let twice = home.run(&format!("hand-offs reject {name} --format json")).ends(8);
    assert_eq!(twice.codes(), ["hand-off-not-waiting"]);
    assert!(twice.stdout.contains("--reason lost"), "{}", twice.stdout);
    let lost = format!("hand-offs reject {name} --reason lost");
    assert!(home.run(&lost).ends(0).stdout.contains("next: the next sync makes it anew"));
    home.run(&lost).ends(8);
    let anew = home.run("sync apply here --format json").ends(0).envelope();
    assert_eq!(count(&anew, "package-made"), 1);
    // It has a newer one after it, so it can't be lost again.
    home.run(&lost).ends(8);
    let help = home.run("hand-offs reject --help").ends(0).stdout;
    assert!(help.contains("ends with code 5"), "{help}");
}

#[test]
fn after_applying_only_what_was_done_is_told() {
    let (home, _sandbox) = hospital("poor", "john-lee-in-treatment.json", "--allow document");
    let plan = home.run("sync plan here").ends(0).stdout;
    assert!(plan.contains("structure → document") && plan.contains("there to read only"), "{plan}");
    let applied = home.run("sync apply here").ends(0).stdout;
    assert!(applied.contains("  plan       as a note\n"), "{applied}");
    assert!(!applied.contains('→') && !applied.contains("there to read only"), "{applied}");
    assert!(applied.contains("created"), "{applied}");
    let again = home.run("sync here").ends(0).stdout;
    assert!(!again.contains("stored otherwise") && !again.contains('→'), "{again}");
    let all = home.run("-v sync here").ends(0).stdout;
    assert!(all.contains("structure → document"), "{all}");
}

#[test]
fn what_is_needed_and_what_would_allow_it_is_told_as_a_person_can_do_it() {
    let (home, sandbox) = hospital("epic", "john-lee.json", "--pack epic --allow document");
    let told = home.run("sync plan here").ends(5).stdout;
    assert!(told.contains("needs the visit of a session (context.encounter)"), "{told}");
    assert!(told.contains("no session is linked or held"), "{told}");
    home.write("john.json", fixture("ipt/john-lee-in-treatment.json"));
    home.run(&format!("ehr add bare {} --settle 0 --pack epic", sandbox.url)).ends(0);
    home.run("ehr link bare john.json Patient/john --yes").ends(0);
    let told = home.run("sync plan bare").ends(7).stdout;
    assert!(told.contains("not sent: allow = [\"document\"] in [ehr.bare] of "), "{told}");
    assert!(told.contains("config.toml would send it so"), "{told}");
    let (home, _sandbox) =
        hospital("epic", "john-lee-in-treatment.json", "--pack epic --allow document");
    let told = home.run("sync plan here").ends(5).stdout;
    assert!(told.contains("only with an Encounter of its own in context.encounter"), "{told}");
    assert!(!told.contains("no session is linked or held"), "{told}");
}

#[test]
fn a_link_that_takes_the_place_of_another_files_says_so() {
    let (home, _sandbox) = clinic();
    let first = home.run("ehr link here john.json Patient/john --yes").ends(0);
    assert!(!first.stdout.contains("instead of"), "{}", first.stdout);
    home.write("moved.json", fixture("ipt/john-lee-in-treatment.json"));
    let line = "ehr link here moved.json Patient/john";
    assert_eq!(home.run(&format!("{line} --format json")).ends(2).codes(), ["needs-confirmation"]);
    let moved = home.run(&format!("{line} --yes")).ends(0);
    assert!(moved.stdout.contains("instead of another file"), "{}", moved.stdout);
    assert!(!moved.stdout.contains("john.json"), "{}", moved.stdout);
    let again = home.run(&format!("{line} --yes")).ends(0);
    assert!(!again.stdout.contains("instead of"), "{}", again.stdout);
}

#[test]
fn errors_of_files_and_ids_say_what_helps() {
    let (home, _sandbox) = clinic();
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    for (line, exit) in [
        ("record render nowhere.json", 4),
        ("sandbox --seed nowhere.json", 4),
        ("sync here nowhere.json", 4),
        ("map nowhere.json", 4),
    ] {
        let run = home.run(line).ends(exit);
        assert!(run.stderr.contains("there is no such file"), "{line}: {}", run.stderr);
        assert!(run.stderr.contains("help"), "{line}: {}", run.stderr);
    }
    let run = home.run("record render john.json --output no/where.txt").ends(1);
    assert!(run.stderr.contains("there is no such directory"), "{}", run.stderr);
    for (flags, words) in [
        ("--session 4=Patient/1", "--session"),
        ("--session x", "--session"),
        ("--practitioner Patient/1", "--practitioner"),
        ("--organization Patient/1", "--organization"),
        ("Encounter/1", "the third argument must be Patient/ID"),
        ("--session 99=Encounter/1", "record show"),
    ] {
        let run = home.run(&format!("ehr link here john.json {flags} --yes")).ends(2);
        assert!(run.stderr.contains(words) && run.stderr.contains("help"), "{}", run.stderr);
    }
}
