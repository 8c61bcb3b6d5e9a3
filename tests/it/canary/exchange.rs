//! Linking and syncing with a server that is right: people, edits and conflicts full of canaries.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ipt_fhir::json::{self, Value};
use ipt_fhir::store::Store;

use super::front::{Front, ask};
use super::token::{STEM, canary, leak, with};
use super::{listing, loud_home, quiet};
use crate::cli::{Home, words};
use crate::support::tree::strings;

/// The directory is its owner's, so is every file in it, and no name in it tells of a person.
#[track_caller]
pub(super) fn is_private(store: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(store.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let files = listing(store);
    assert!(!files.is_empty());
    for (name, mode) in files {
        assert_eq!(mode, 0o600, "{name}");
        assert_eq!(leak(Path::new(&name).file_name().unwrap().to_str().unwrap()), None);
    }
}

/// The program's own sandbox, whose stdout and stderr are watched until it ends.
pub(super) struct Watched {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    stderr: std::path::PathBuf,
    pub(super) url: String,
}

impl Watched {
    pub(super) fn start(home: &Home, flags: &str) -> Self {
        let stderr = home.path("sandbox-stderr");
        let mut command = home.command(words(&format!("sandbox -vvv {flags}")));
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        stdout.read_line(&mut url).unwrap();
        Self { child, stdout, stderr, url: url.trim().to_owned() }
    }

    /// Ends it, and sees that it has said nothing.
    pub(super) fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        let mut text = self.url.clone();
        self.stdout.read_to_string(&mut text).unwrap();
        assert_eq!(leak(&text), None);
        let stderr = std::fs::read_to_string(&self.stderr).unwrap();
        assert!(stderr.contains("a FHIR R4 server"), "{stderr}");
        assert_eq!(leak(&stderr), None);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Patient who agrees with a record, and one who is somebody else; a therapist.
pub(super) fn people(record: &Value) -> String {
    let name = record.pointer("/client/name").unwrap();
    let (family, given) = (name.text("family").unwrap(), name.pointer("/given/0").unwrap());
    let identifiers = record
        .pointer("/client/identifiers")
        .map_or_else(|| format!(r#"[{{"system":"urn:x","value":"{STEM}8888"}}]"#), Value::to_text);
    format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[
        {{"resource":{{"resourceType":"Patient","id":"same","active":true,"gender":"other",
          "identifier":{identifiers},"name":[{{"family":"{family}","given":[{}],"text":"{STEM}8801"}}],
          "telecom":[{{"system":"phone","value":"{STEM}8802"}}],"address":[{{"text":"{STEM}8803"}}],
          "text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{STEM}8804</div>"}}}}}},
        {{"resource":{{"resourceType":"Patient","id":"other","birthDate":"1970-01-01","gender":"male",
          "identifier":[{{"system":"urn:x","value":"{STEM}8805"}}],"name":[{{"family":"{STEM}8806","given":["{STEM}8807"]}}]}}}},
        {{"resource":{{"resourceType":"Patient","id":"inactive","active":false,"name":[{{"family":"{STEM}8808"}}]}}}},
        {{"resource":{{"resourceType":"Practitioner","id":"therapist","name":[{{"family":"{STEM}8809"}}]}}}}]}}"#,
        given.to_text()
    )
}

/// The first resource of a type that a server has of the Patient who agrees.
fn first(url: &str, resource_type: &str) -> Value {
    let (status, body) =
        ask(url, "GET", &format!("{resource_type}?patient=Patient/same&_count=1"), "");
    assert_eq!(status, 200);
    let bundle = json::parse(body.as_bytes()).unwrap();
    bundle.pointer("/entry/0/resource").unwrap_or_else(|| panic!("{body}")).clone()
}

/// Somebody at the EHR writes a resource.
fn put(url: &str, resource: &Value) {
    let path =
        format!("{}/{}", resource.text("resourceType").unwrap(), resource.text("id").unwrap());
    assert_eq!(ask(url, "PUT", &path, &resource.to_text()).0, 200);
}

#[test]
fn linking_and_syncing_tell_of_places_and_not_of_people() {
    let home = loud_home();
    let record = canary("all-fields.json");
    let other = canary("john-lee-in-treatment.json");
    home.write("record.json", record.to_pretty());
    home.write("other.yaml", super::token::yaml(&other));
    home.write("people.json", people(&record));
    let sandbox = Watched::start(&home, "--seed people.json --snapshot kept");
    let front = Front::before(&sandbox.url);
    quiet(&home, &format!("ehr add here {} --settle 0 --encounter create", front.url()), 0);
    for format in ["human", "json", "ndjson"] {
        quiet(&home, &format!("ehr list --format {format}"), 0);
        quiet(&home, &format!("ehr test here --format {format}"), 0);
        quiet(&home, &format!("ehr link here record.json Patient/same --format {format}"), 2);
    }
    quiet(&home, "ehr link here record.json Patient/inactive --yes", 8);
    quiet(&home, "ehr link here record.json Patient/none --yes", 8);
    let same = "ehr link here record.json Patient/same --practitioner Practitioner/therapist --yes";
    let run = quiet(&home, same, 0);
    assert!(run.stdout.contains("agrees"), "{}", run.stdout);
    let differing = "ehr link here other.yaml Patient/other --yes --format json";
    assert_eq!(quiet(&home, differing, 8).codes(), ["link-differs"]);
    let run = quiet(&home, &format!("{differing} --accept-differences"), 0);
    assert_eq!(run.codes()[..1], ["link-differs"]);

    for flags in ["--progress json", "--format json --progress always", "--format ndjson"] {
        quiet(&home, &format!("sync plan here --policy full {flags}"), 0);
    }
    let run = quiet(&home, "sync apply here --policy full --progress json", 0);
    assert!(run.stderr.contains("\"progress\""), "{}", run.stderr);
    assert!(run.stderr.contains("interaction"), "the requests are logged: {}", run.stderr);
    is_private(&home.path("store"));
    for flags in ["--progress always", "--format json", "--format ndjson --progress json"] {
        quiet(&home, &format!("sync here --policy full {flags}"), 0);
    }

    // Edits in the EHR, on places that both have and on places that nobody has.
    let words = Value::String(format!("{STEM}7000"));
    let note = json::parse(format!(r#"[{{"text":"{STEM}7001"}}]"#).as_bytes()).unwrap();
    let extension = format!(r#"[{{"url":"http://x/{STEM}7002","valueString":"{STEM}7003"}}]"#);
    let goal = first(&sandbox.url, "Goal");
    let goal = with(&goal, "/description", with(goal.get("description").unwrap(), "/text", words));
    let goal =
        with(&with(&goal, "/note", note), "/extension", json::parse(extension.as_bytes()).unwrap());
    put(&sandbox.url, &goal);
    let team =
        with(&first(&sandbox.url, "CareTeam"), "/name", Value::String(format!("{STEM}7004")));
    put(&sandbox.url, &team);
    for format in ["human", "json", "ndjson"] {
        quiet(&home, &format!("sync plan here --policy full --format {format}"), 0);
    }
    let goals = record.pointer("/goals").unwrap().as_array().unwrap();
    let reworded = (0..goals.len()).fold(record.clone(), |record, index| {
        with(&record, &format!("/goals/{index}/text"), Value::String(format!("{STEM}71{index:02}")))
    });
    home.write("record.json", reworded.to_pretty());
    for format in ["human", "json", "ndjson"] {
        let run = quiet(&home, &format!("sync here --policy full --format {format}"), 5);
        assert!(run.stdout.contains("conflict"), "{}", run.stdout);
    }

    // A record that broke after it was linked, and one that is another one now.
    home.write(
        "record.json",
        with(&record, "/goals/0/status", Value::String(STEM.into())).to_pretty(),
    );
    quiet(&home, "sync here record.json", 3);
    home.write("record.json", &record.to_pretty().as_bytes()[..3000]);
    quiet(&home, "sync here record.json --format json", 4);
    quiet(&home, "sync here", 7);
    home.write(
        "record.json",
        with(&record, "/id", Value::String(format!("{STEM}7200"))).to_pretty(),
    );
    quiet(&home, "sync here record.json", 8);
    home.write("record.json", record.to_pretty());

    // Somebody else under the same id.
    let identifier = Value::String(format!("{STEM}7300"));
    let (_, patient) = ask(&sandbox.url, "GET", "Patient/same", "");
    let patient = json::parse(patient.as_bytes()).unwrap();
    put(&sandbox.url, &with(&patient, "/identifier/0/value", identifier));
    quiet(&home, "sync here record.json --policy full", 8);
    quiet(&home, "sync here record.json --policy full --format json", 8);

    let heads = front.heads();
    assert!(heads.contains("POST /fhir") && heads.contains("GET /fhir/Goal?"), "{heads}");
    assert!(heads.contains("if-match"), "{heads}");
    assert_eq!(leak(&heads), None);
    is_private(&home.path("store"));
    sandbox.end();
    quiet(&home, "sync here", 1);
}

#[test]
fn a_store_that_is_locked_closed_or_damaged_is_told_without_its_content() {
    let home = loud_home();
    let record = canary("john-lee-in-treatment.json");
    home.write("record.json", record.to_pretty());
    home.write("people.json", people(&record));
    let sandbox = Watched::start(&home, "--seed people.json");
    quiet(&home, &format!("ehr add here {} --settle 0 --encounter create", sandbox.url), 0);
    quiet(&home, "ehr link here record.json Patient/same --yes", 0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&home.path("store")).await.unwrap();
        let _writer = store.writer("here").await.unwrap();
        let run = quiet(&home, "sync here --format json", 1);
        assert_eq!(run.codes(), ["store-locked"]);
        is_private(&home.path("store"));
    });
    // Something that can't hold a directory.
    home.write("file", STEM);
    let closed = format!("[store]\npath = \"{}\"\n", home.path("file").join("store").display());
    home.write("closed.toml", closed);
    let mut other = loud_home();
    other.set("IPT_FHIR_STORE__PATH", home.path("file/store").to_str().unwrap());
    quiet(&other, &format!("ehr add here {} --settle 0 --encounter create", sandbox.url), 0);
    other.write("record.json", record.to_pretty());
    quiet(&other, "ehr link here record.json Patient/same --yes", 1);
    quiet(&other, "sync here --format json", 1);
    // A file that others can read, then one that is no database.
    set_mode(&home.path("store"), 0o755);
    assert_eq!(quiet(&home, "sync here --format json", 8).codes(), ["store-exposed"]);
    set_mode(&home.path("store"), 0o700);
    for (name, _) in listing(&home.path("store")) {
        if name.contains("sqlite") || name.contains(".db") {
            std::fs::write(&name, format!("{STEM}0000 ").repeat(4096)).unwrap();
        }
    }
    quiet(&home, "sync here --format json", 1);
    quiet(&home, "sync here", 1);
    sandbox.end();
}

pub(super) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_sandbox_says_nothing_of_what_it_is_told() {
    let home = loud_home();
    home.write("people.json", people(&canary("all-fields.json")));
    let sandbox = Watched::start(&home, "--seed people.json --snapshot kept");
    let url = &sandbox.url;
    let patient = format!(r#"{{"resourceType":"Patient","name":[{{"family":"{STEM}0001"}}]}}"#);
    for (method, path, body, status) in [
        ("GET", format!("Patient?name={STEM}0001"), String::new(), 200),
        ("GET", format!("Patient?identifier=urn:x%7C{STEM}0001"), String::new(), 200),
        ("GET", format!("{STEM}0001/{STEM}0002"), String::new(), 404),
        ("POST", "Patient".to_owned(), patient.clone(), 201),
        ("POST", "Goal".to_owned(), patient.clone(), 400),
        ("POST", "Patient".to_owned(), patient.split_at(50).0.to_owned(), 400),
        ("PUT", format!("Patient/{STEM}-1"), patient, 400),
        ("POST", String::new(), format!("{{\"{STEM}0001\":"), 400),
    ] {
        let found = ask(url, method, &path, &body).0;
        assert_eq!(found, status, "{method} {path}");
    }
    sandbox.end();
    // What it can't start with.
    let text = std::fs::read_to_string(home.path("kept")).unwrap();
    home.write("kept", text.replace("\"resourceType\"", &format!("\"{STEM}0000\"")));
    quiet(&home, "sandbox --snapshot kept", 4);
    home.write("kept", format!("{STEM}0000"));
    quiet(&home, "sandbox --snapshot kept --format json", 4);
    for (seed, code) in [
        (format!("{{\"resourceType\":\"Patient\",\"id\":\"{STEM}"), 4),
        (format!("{{\"resourceType\":\"Patient\",\"id\":\"{STEM} 1\"}}"), 3),
        (format!("{{\"resourceType\":\"{STEM} 1\"}}"), 4),
        (format!("{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":\"{STEM}\"}}]}}"), 4),
    ] {
        home.write("seed.json", seed);
        quiet(&home, "sandbox --seed seed.json", code);
    }
}

#[test]
fn the_demo_tells_its_story_without_the_words_of_its_record() {
    let home = loud_home();
    let bytes = crate::support::fixture("ipt/john-lee-in-treatment.json");
    let record = json::parse(&bytes).unwrap();
    let run = home.run("demo -vvv").ends(0);
    let said = format!("{}{}", run.stdout, run.stderr);
    let mut looked_for = 0;
    for (pointer, text) in strings(&record) {
        let is_told = text.contains(' ') || pointer == "/id" || pointer.contains("/name/");
        // Displays and titles of phases are words of IPT.
        if is_told && !pointer.contains("/phases/") {
            looked_for += 1;
            assert!(!said.contains(text), "{pointer}: {text}");
        }
    }
    assert!(looked_for > 30, "{looked_for}");
    assert!(run.stderr.contains("transaction"), "the requests are logged: {}", run.stderr);
    assert!(!said.contains("one step at a time"), "nor those of its edit");
}
