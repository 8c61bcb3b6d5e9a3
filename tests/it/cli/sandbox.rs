//! `sandbox`: a server that is found by its first line and ends with a signal.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::{Home, words};

/// A sandbox that ends with the test.
pub(super) struct Sandbox {
    child: Child,
    pub(super) url: String,
}

impl Sandbox {
    pub(super) fn start(home: &Home, flags: &str) -> Self {
        let mut command = home.command(words(&format!("sandbox {flags}")));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().to_owned() }
    }

    /// Sends a signal and tells the exit code.
    pub(super) fn end(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn sandbox_listens_where_it_is_told() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, "--listen 127.0.0.1:0");
    assert!(sandbox.url.starts_with("http://127.0.0.1:"), "{}", sandbox.url);
    let port = sandbox.url.split([':', '/']).nth(4).unwrap().to_owned();
    let taken = home.run(&format!("sandbox --listen 127.0.0.1:{port} --format json")).ends(1);
    assert_eq!(taken.codes(), ["sandbox-listen"]);
    assert_eq!(sandbox.end("-INT"), Some(0));
    let open = home.run("sandbox --listen 0.0.0.0:0 --format json").ends(8);
    assert_eq!(open.codes(), ["sandbox-not-loopback"]);
}

#[test]
fn snapshot_and_seed_fill_the_sandbox() {
    let home = Home::new();
    let seed = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Lee"}]}"#;
    home.write("seed.json", seed);
    let has_patient = |sandbox: &Sandbox| {
        let url = format!("{}/Patient/p1", sandbox.url);
        let output = Command::new("curl").args(["-sf", &url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains("\"Lee\"")
    };
    let sandbox = Sandbox::start(&home, "--seed seed.json --snapshot kept");
    assert!(has_patient(&sandbox));
    assert_eq!(sandbox.end("-TERM"), Some(0));
    let again = Sandbox::start(&home, "--snapshot kept");
    assert!(has_patient(&again));
    drop(again);
    home.write("other", "something else");
    let other = home.run("sandbox --snapshot other --format json").ends(4);
    assert_eq!(other.codes(), ["sandbox-snapshot"]);
    home.write("wrong.json", r#"{"resourceType":"Patient","id":"a b"}"#);
    assert_eq!(
        home.run("sandbox --seed wrong.json --format json").ends(3).codes(),
        ["sandbox-seed"]
    );
    assert_eq!(home.run("sandbox --seed other --format json").ends(4).codes(), ["input-not-json"]);
}

#[test]
fn sandbox_plays_another_server() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, "--as epic");
    assert!(sandbox.url.ends_with("/api/FHIR/R4"), "{}", sandbox.url);
    let url = format!("{}/metadata", sandbox.url);
    let output = Command::new("curl").args(["-sf", &url]).output().unwrap();
    let statement = String::from_utf8(output.stdout).unwrap();
    assert!(statement.contains(r#""name":"Epic""#) && !statement.contains("versioning"));
    assert_eq!(sandbox.end("-INT"), Some(0));
    home.run("sandbox --as nobody").ends(2);
    home.run("sandbox --fault-share 5").ends(2);
    home.run("sandbox --faults 7 --fault-kind nothing").ends(2);
}

#[test]
fn sandbox_names_its_seed_and_its_faults() {
    let home = Home::new();
    let flags = "-v sandbox --faults 7 --fault-share 100 --fault-kind html-page";
    let mut command = home.command(words(flags));
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = format!("{}/metadata", line.trim());
    let output = Command::new("curl").args(["-s", &url]).output().unwrap();
    assert!(output.stdout.starts_with(b"<!DOCTYPE html>"));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(said.contains("drawn from seed 7"), "{said}");
    assert!(said.contains("html-page"), "{said}");
}

#[test]
fn sandbox_says_how_to_add_the_vendor_that_it_plays() {
    let home = Home::new();
    let mut command = home.command(words("sandbox --as oracle"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap());
    let (mut first, mut next) = (String::new(), String::new());
    notes.read_line(&mut first).unwrap();
    notes.read_line(&mut next).unwrap();
    assert!(next.ends_with("--pack oracle-health --allow document,hand-off\n"), "{next}");
    child.kill().unwrap();
    child.wait().unwrap();
}
