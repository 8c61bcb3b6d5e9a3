//! Packages: each content once, whole or not at all, and nothing of a person in what may be listed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ipt_fhir::ipt::Plan;
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::mapping::Options;
use ipt_fhir::mapping::hand_off::{self, Contents, File, Made};
use ipt_fhir::mapping::note::{Edition, MediaType, notes};
use ipt_fhir::phi::Phi;
use ipt_fhir::store::{HandOff, HandOffState, Link, RejectReason, Store, digest};
use ipt_fhir::sync::hand_off::{Delivered, Error, Listed, deliver, files};

use HandOffState::{Done, Rejected, Superseded, Waiting};

use crate::support::record;

const EHR: &str = "clinic";

/// A store with John's record linked, and a directory for packages.
struct Desk {
    _directory: tempfile::TempDir,
    packages: PathBuf,
    store_path: PathBuf,
    store: Store,
    plan: Plan,
    now: jiff::Timestamp,
}

impl Desk {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store_path = directory.path().join("store");
        let store = Store::open(&store_path).await.unwrap();
        let plan = record("john-lee-in-treatment.json").plan;
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        let packages = directory.path().join("hand-off/clinic");
        let desk = Self { packages, store_path, store, plan, now, _directory: directory };
        desk.store.link(&desk.link()).await.unwrap();
        desk
    }

    fn link(&self) -> Link {
        Link {
            ehr: EHR.into(),
            base_url: "http://127.0.0.1/fhir".into(),
            plan: digest(&self.plan.id),
            record: Phi::new("john.json".into()),
            client: digest("John"),
            patient: "Patient/1".parse().unwrap(),
            practitioner: None,
            patient_marks: vec![digest("a")],
            linked_at: self.now,
        }
    }

    fn contents(&self) -> Contents {
        Contents::of(&self.plan, &Options::default(), &["plan", "session"], |_| true)
    }

    async fn deliver(&mut self) -> Result<Delivered, Error> {
        self.now = self.now.checked_add(jiff::Span::new().minutes(1)).unwrap();
        let writer = self.store.writer(EHR).await.unwrap();
        let plan = digest(&self.plan.id);
        let (record, options) = (self.plan.clone(), Options::default());
        let documents =
            &mut |made: &Made| Ok(hand_off::documents(&record, &options, made, |_| true));
        deliver(&writer, &self.packages, &plan, &self.contents(), self.now, documents).await
    }

    fn change(&mut self) {
        self.plan.title.push_str(", revised");
    }

    async fn states(&self) -> Vec<(u32, HandOffState)> {
        let all = self.store.hand_offs(Some(EHR)).await.unwrap();
        all.iter().map(|one| (one.number, one.state)).collect()
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.packages) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn made(delivered: Result<Delivered, Error>) -> HandOff {
    match delivered.unwrap() {
        Delivered::Made(hand_off) | Delivered::Superseding(hand_off) => hand_off,
        Delivered::AlreadyThere(hand_off) => panic!("already there: {hand_off:?}"),
    }
}

#[tokio::test]
async fn a_content_becomes_one_package_however_often_it_is_delivered() {
    let mut desk = Desk::new().await;
    let first = desk.deliver().await.unwrap();
    let Delivered::Made(first) = first else { panic!("{first:?}") };
    for _ in 0..3 {
        assert_eq!(desk.deliver().await.unwrap(), Delivered::AlreadyThere(first.clone()));
    }
    assert_eq!(desk.names(), std::slice::from_ref(&first.name));
    desk.change();
    let second = desk.deliver().await.unwrap();
    let Delivered::Superseding(second) = second else { panic!("{second:?}") };
    assert_eq!(desk.states().await, [(1, HandOffState::Superseded), (2, HandOffState::Waiting)]);
    assert_eq!(desk.names().len(), 2, "what was made stays");
    // Done and rejected contents do not come back by themselves.
    desk.store.decide_hand_off(EHR, &second.name, None, desk.now).await.unwrap();
    assert!(matches!(desk.deliver().await.unwrap(), Delivered::AlreadyThere(_)));
    desk.change();
    let third = made(desk.deliver().await);
    let reason = Some(RejectReason::NotAccepted);
    desk.store.decide_hand_off(EHR, &third.name, reason, desk.now).await.unwrap();
    assert!(matches!(desk.deliver().await.unwrap(), Delivered::AlreadyThere(_)));
    assert_eq!(desk.states().await, [(1, Superseded), (2, Done), (3, Rejected)]);
    desk.change();
    let fourth = made(desk.deliver().await);
    // Taken away is not lost: only a person knows.
    std::fs::remove_dir_all(desk.packages.join(&fourth.name)).unwrap();
    assert!(matches!(desk.deliver().await.unwrap(), Delivered::AlreadyThere(_)));
    assert_eq!(files(&desk.packages, &fourth.name), None);
    let lost = Some(RejectReason::Lost);
    desk.store.decide_hand_off(EHR, &fourth.name, lost, desk.now).await.unwrap();
    assert_eq!(made(desk.deliver().await).number, 5);
}

#[tokio::test]
async fn a_package_is_private_whole_and_says_nothing_outside() {
    let mut desk = Desk::new().await;
    let first = made(desk.deliver().await);
    let package = desk.packages.join(&first.name);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&desk.packages), mode(&package)), (0o700, 0o700));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&package).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    let sessions = names.iter().filter(|name| name.starts_with("session-")).count();
    assert_eq!(sessions, 2, "{names:?}");
    assert_eq!(names[..3], ["bundle.json", "manifest.json", "plan.pdf"]);
    let text = std::fs::read_to_string(package.join("manifest.json")).unwrap();
    let manifest = json::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.text("schema"), Some("ipt-fhir-hand-off/1"));
    assert_eq!(manifest.text("content"), Some(first.digest.as_str()));
    for word in ["John", "Lee", "Smith", "Chris"] {
        assert!(!text.contains(word) && !first.name.contains(word), "{word}");
        let is_told = names
            .iter()
            .filter(|name| *name != "manifest.json")
            .any(|name| std::fs::read_to_string(package.join(name)).unwrap().contains(word));
        assert!(is_told, "{word} is in the documents");
    }
    let listed = files(&desk.packages, &first.name).unwrap();
    assert!(listed.len() == 4 && listed.iter().all(|file| file.is_whole));
    for file in &listed {
        assert_eq!(package.join(&file.name).metadata().unwrap().len(), file.size);
    }
    std::fs::write(package.join("plan.pdf"), "something else").unwrap();
    std::fs::remove_file(package.join("bundle.json")).unwrap();
    let is_untouched = |file: &&Listed| file.name.starts_with("session-");
    let others_are_broken = || {
        let all = files(&desk.packages, &first.name).unwrap();
        all.iter().filter(|file| !is_untouched(file)).all(|file| !file.is_whole)
    };
    assert!(others_are_broken());
    // A manifest that leads elsewhere is not followed.
    let elsewhere = text.replace("plan.pdf", "../../../store/ipt-fhir.sqlite");
    std::fs::write(package.join("manifest.json"), elsewhere).unwrap();
    assert!(others_are_broken());
}

#[tokio::test]
async fn a_run_that_is_killed_leaves_nothing_half_made_and_nothing_twice() {
    let mut desk = Desk::new().await;
    let first = made(desk.deliver().await);
    // Killed while it wrote: a rest under a hidden name, and no package.
    desk.change();
    let next = ipt_fhir::sync::hand_off::name(EHR, desk.contents().slot(), 2);
    let rest = desk.packages.join(format!(".{next}"));
    std::fs::create_dir(&rest).unwrap();
    std::fs::write(rest.join("bundle.json"), "half").unwrap();
    let second = made(desk.deliver().await);
    assert_eq!(second.name, next);
    assert_eq!(desk.names(), {
        let mut names = vec![first.name.clone(), second.name.clone()];
        names.sort();
        names
    });
    // Killed between the directory's name and the store: as if the store had never heard of it.
    let forget = async |store: &PathBuf, number: u32| {
        use sqlx::Connection as _;
        let url = format!("sqlite:{}", store.join("ipt-fhir.sqlite").display());
        let mut behind = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query("DELETE FROM hand_off WHERE number = $1")
            .bind(number)
            .execute(&mut behind)
            .await
            .unwrap();
        behind.close().await.unwrap();
    };
    forget(&desk.store_path, 2).await;
    let before = std::fs::read(desk.packages.join(&next).join("manifest.json")).unwrap();
    assert_eq!(made(desk.deliver().await).name, next);
    assert_eq!(std::fs::read(desk.packages.join(&next).join("manifest.json")).unwrap(), before);
    assert_eq!(desk.names().len(), 2);
    // The same, and the record changed before the next run: the orphan is listed, left, and passed over.
    forget(&desk.store_path, 2).await;
    desk.change();
    assert_eq!(made(desk.deliver().await).number, 3);
    assert_eq!(std::fs::read(desk.packages.join(&next).join("manifest.json")).unwrap(), before);
    let mut states = desk.states().await;
    states.sort_by_key(|(number, _)| *number);
    assert_eq!(states, [(1, Superseded), (2, Superseded), (3, Waiting)]);
    assert!(desk.names().iter().all(|name| !name.starts_with('.')));
}

#[tokio::test]
async fn what_can_not_be_written_is_not_recorded() {
    let mut desk = Desk::new().await;
    std::fs::create_dir_all(desk.packages.parent().unwrap()).unwrap();
    std::fs::write(&desk.packages, "a file stands in the way").unwrap();
    assert!(matches!(desk.deliver().await, Err(Error::Directory(_))));
    assert_eq!(desk.states().await, []);
    std::fs::remove_file(&desk.packages).unwrap();
    let writer = desk.store.writer(EHR).await.unwrap();
    let plan = digest(&desk.plan.id);
    for (name, error) in [
        ("John Lee.html", hand_off::Error::Name),
        ("../plan.pdf", hand_off::Error::Name),
        (".hidden", hand_off::Error::Name),
        ("", hand_off::Error::Name),
        ("bundle.json", hand_off::Error::Twice),
        ("manifest.json", hand_off::Error::Twice),
    ] {
        let file = File { name: name.into(), media_type: "text/html".into(), bytes: Vec::new() };
        let documents = &mut |_: &Made| Ok(vec![file.clone()]);
        let refused =
            deliver(&writer, &desk.packages, &plan, &desk.contents(), desk.now, documents).await;
        assert_eq!(refused, Err(Error::Package(error)), "{name}");
    }
    let documents = &mut |_: &Made| Err(Error::Document);
    let refused =
        deliver(&writer, &desk.packages, &plan, &desk.contents(), desk.now, documents).await;
    assert_eq!(refused, Err(Error::Document));
    drop(writer);
    assert_eq!(desk.states().await, []);
    assert!(desk.names().is_empty());
    desk.deliver().await.unwrap();
}

#[test]
fn the_document_holds_together_and_leads_nowhere_else() {
    let at = "2026-03-02T10:00:00Z".parse().unwrap();
    for name in crate::support::record_names() {
        let plan = record(&name).plan;
        let all = Contents::of(&plan, &Options::default(), &["plan"], |_| true);
        let goals = Contents::of(&plan, &Options::default(), &["plan"], |mapped| {
            mapped.resource.resource_type() == "Goal"
        });
        for contents in [all, goals] {
            for number in [1, 2] {
                let document = contents.document(&Made { number, at });
                holds_together(&name, &document.to_value(), number);
            }
        }
    }
}

fn holds_together(name: &str, document: &Value, number: u32) {
    assert_eq!(document.text("type"), Some("document"), "{name}");
    assert_eq!(document.text("timestamp"), Some("2026-03-02T10:00:00Z"));
    let entries: Vec<&Value> = document.items("entry").collect();
    let urls: Vec<&str> = entries.iter().map(|entry| entry.text("fullUrl").unwrap()).collect();
    let distinct: std::collections::BTreeSet<&str> = urls.iter().copied().collect();
    assert_eq!(distinct.len(), urls.len(), "{name}");
    let composition = entries[0].get("resource").unwrap();
    assert_eq!(composition.text("resourceType"), Some("Composition"));
    assert_eq!(composition.items("relatesTo").count(), usize::from(number > 1));
    let identifier =
        |value: &Value| value.get("identifier").unwrap().text("value").unwrap().to_owned();
    assert_eq!(identifier(document), identifier(composition));
    let mut named = 0;
    for section in composition.items("section") {
        let told = section.pointer("/text/div").unwrap().as_str().unwrap();
        for entry in section.items("entry") {
            let url = entry.text("reference").unwrap();
            let at = urls.iter().position(|one| *one == url).unwrap();
            let div = entries[at].pointer("/resource/text/div").unwrap().as_str().unwrap();
            let body = div.split_once('>').unwrap().1.strip_suffix("</div>").unwrap();
            assert!(told.contains(body), "{name}: the section tells what its entries tell");
            named += 1;
        }
    }
    let is_person = |entry: &&&Value| {
        let kind = entry.pointer("/resource/resourceType").and_then(Value::as_str).unwrap();
        ["Composition", "Patient", "Practitioner"].contains(&kind)
    };
    assert_eq!(named + entries.iter().filter(is_person).count(), entries.len(), "{name}");
    ipt_fhir::fhir::reference::for_each_reference(document, &mut |text| {
        assert!(urls.contains(&text) || text.starts_with('#'), "{name}: {text} leads nowhere");
    });
}

/// The plan's note as a page: what a PDF holds is not to be searched.
fn page(plan: &Plan, options: &Options, at: jiff::Timestamp) -> File {
    let note = notes(plan, options).remove(0);
    let bytes = note.render(&Edition::first(note.slot, at), MediaType::Html).unwrap();
    File { name: "plan.html".into(), media_type: "text/html".into(), bytes }
}

#[test]
fn what_is_withheld_is_in_no_file() {
    let at = "2026-03-02T10:00:00Z".parse().unwrap();
    let options = Options::default();
    let mut looked_for = 0;
    for name in crate::support::record_names() {
        let plan = record(&name).plan;
        let source = ipt_fhir::ipt::document::plan_value(&plan);
        let (left, withheld) = ipt_fhir::mapping::policy::filter(&plan, &options.policy);
        let left = ipt_fhir::ipt::document::plan_value(&left).to_text();
        let mut sentences = Vec::new();
        for part in &withheld {
            texts(source.pointer(part.pointer.as_str()).unwrap(), &mut sentences);
        }
        // What stands elsewhere in the record as well may leave from there.
        sentences.retain(|text| text.len() > 25 && !left.contains(text.as_str()));
        looked_for += sentences.len();
        let contents = Contents::of(&plan, &options, &["plan"], |_| true);
        let page = page(&plan, &options, at);
        let made = Made { number: 1, at };
        let files = contents.package(&made, vec![page], |bytes| bytes.len().to_string()).unwrap();
        for file in files {
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            for sentence in &sentences {
                assert!(!text.contains(sentence.as_str()), "{name} {}: {sentence}", file.name);
            }
            if file.name == "manifest.json" {
                let manifest = json::parse_with(text.as_bytes(), Limits::BUNDLE).unwrap();
                assert_eq!(manifest.items("withheld").count() > 0, !withheld.is_empty(), "{name}");
            }
        }
    }
    assert!(looked_for > 10, "{looked_for} sentences");
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(object) => object.iter().for_each(|(_, value)| texts(value, found)),
        _ => {}
    }
}

#[test]
fn a_digest_of_contents_knows_neither_edition_nor_moment() {
    let mut plan = record("john-lee-in-treatment.json").plan;
    let text = |plan: &Plan, kinds: &[&'static str]| {
        Contents::of(plan, &Options::default(), kinds, |_| true).canonical_text()
    };
    let before = text(&plan, &["plan"]);
    assert_eq!(before, text(&plan, &["plan"]));
    assert_ne!(before, text(&plan, &["plan", "session"]));
    plan.sessions[0].summary = Some("another".into());
    assert_ne!(before, text(&plan, &["plan"]));
    let slot = Contents::of(&plan, &Options::default(), &[], |_| true).slot();
    assert_eq!(slot, Contents::of(&plan, &Options::default(), &["plan"], |_| false).slot());
}
