//! `hand-offs`: the work queue of packages, for a person and a script.

use ipt_fhir::json::Value;
use ipt_fhir::mapping::Options;
use ipt_fhir::mapping::hand_off::{Contents, Made, documents};
use ipt_fhir::phi::Phi;
use ipt_fhir::store::{Link, Store, digest};
use ipt_fhir::sync::hand_off::{Delivered, deliver};

use super::Home;
use crate::support::record;

/// Makes a package of John's record under a title, as a sync does; its name.
fn package(home: &Home, title: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&home.path("store")).await.unwrap();
        let mut plan = record("john-lee-in-treatment.json").plan;
        plan.title = title.to_owned();
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        let link = Link {
            ehr: "here".into(),
            base_url: "http://127.0.0.1:9/fhir".into(),
            plan: digest(&plan.id),
            record: Phi::new(home.path("john.json")),
            client: digest("John"),
            patient: "Patient/1".parse().unwrap(),
            practitioner: None,
            patient_marks: vec![digest("a")],
            linked_at: now,
        };
        store.link(&link).await.unwrap();
        let writer = store.writer("here").await.unwrap();
        let contents = Contents::of(&plan, &Options::default(), &["plan"], |_| true);
        let documents =
            &mut |made: &Made| Ok(documents(&plan, &Options::default(), made, |_| true));
        let directory = home.path("store/hand-off/here");
        match deliver(&writer, &directory, &link.plan, &contents, now, documents).await.unwrap() {
            Delivered::Made(made) | Delivered::Superseding(made) => made.name,
            Delivered::AlreadyThere(known) => panic!("{known:?}"),
        }
    })
}

fn home() -> Home {
    let mut home = Home::new();
    home.set("IPT_FHIR_STORE__PATH", "store");
    home.run("ehr add here http://127.0.0.1:9/fhir").ends(0);
    home.run("ehr add there http://127.0.0.1:8/fhir").ends(0);
    home
}

#[test]
fn packages_are_listed_shown_and_decided_on() {
    let home = home();
    assert_eq!(home.run("hand-offs list").ends(0).stdout, "no package was made\n");
    let first = package(&home, "Canaryplan");
    let list = home.run("hand-offs list here --format json").ends(0).envelope();
    let one = list.items("result").next().unwrap();
    assert_eq!(one.text("id"), Some(first.as_str()));
    assert_eq!((one.text("state"), one.text("patient")), (Some("waiting"), Some("Patient/1")));
    assert_eq!(home.run("hand-offs list there").ends(0).stdout, "no package was made\n");
    home.run("hand-offs list nowhere").ends(2);
    let shown = home.run(&format!("hand-offs show {first} --format json")).ends(0).envelope();
    let files: Vec<&Value> = shown.get("result").unwrap().items("files").collect();
    assert!(files.iter().all(|file| file.get("whole").and_then(Value::as_bool) == Some(true)));
    assert_eq!(files.len(), 4, "the FHIR document, the plan and two sessions");
    let person = home.run(&format!("hand-offs show {first}")).ends(0).stdout;
    for word in ["waiting", "bundle.json", "plan.pdf", "whole", "Patient/1"] {
        assert!(person.contains(word), "{person}");
    }
    assert!(!format!("{person}{}", list.to_text()).contains("Canary"));
    let done = home.run(&format!("hand-offs done {first} --format json")).ends(0).envelope();
    assert_eq!(done.pointer("/result/state").and_then(Value::as_str), Some("done"));
    let again = home.run(&format!("hand-offs done {first} --format json")).ends(8);
    assert_eq!(again.codes(), ["hand-off-not-waiting"]);
    let second = package(&home, "Canaryplan 2");
    home.run(&format!("hand-offs reject {second} --reason because-of-Ann")).ends(2);
    let rejected = format!("hand-offs reject {second} --reason incorrect --format json");
    let rejected = home.run(&rejected).ends(0).envelope();
    assert_eq!(rejected.pointer("/result/reason").and_then(Value::as_str), Some("incorrect"));
    let third = package(&home, "Canaryplan 3");
    let list = home.run("hand-offs list --format json").ends(0).envelope();
    let ids: Vec<&str> = list.items("result").map(|one| one.text("id").unwrap()).collect();
    assert_eq!(ids, [third.as_str(), &first, &second], "what waits stands first");
    for verb in ["show", "done", "reject"] {
        let run = home.run(&format!("hand-offs {verb} nothing --format json")).ends(2);
        assert_eq!(run.codes(), ["hand-off-unknown"]);
    }
}

#[test]
fn a_package_that_was_changed_is_told() {
    let home = home();
    let name = package(&home, "Canaryplan");
    let page = home.path(&format!("store/hand-off/here/{name}/plan.pdf"));
    std::fs::write(&page, "Canary").unwrap();
    let run = home.run(&format!("hand-offs show {name} --format json")).ends(1);
    assert_eq!(run.codes(), ["hand-off-damaged"]);
    let person = home.run(&format!("hand-offs show {name}")).ends(1);
    assert!(person.stdout.contains("MISSING OR CHANGED") && !person.stdout.contains("Canary"));
    std::fs::remove_dir_all(page.parent().unwrap()).unwrap();
    home.run(&format!("hand-offs show {name}")).ends(1);
}
