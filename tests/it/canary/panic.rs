//! A panic says where, and not what: its text quotes the value that it fell over.

use std::process::Command;

use super::token::{STEM, leak};

/// Set for the process that is to panic.
const VARIABLE: &str = "IPT_FHIR_TEST_PANIC";

/// Panics, where it was asked to, as `main` would: with the text of a value in its message.
#[test]
fn panics_if_asked_to() {
    let Some(kind) = std::env::var_os(VARIABLE) else { return };
    if kind == "quiet" {
        ipt_fhir::telemetry::quiet_panics();
    }
    let failed = format!("{STEM}0000").parse::<u8>().map_err(|_| format!("{STEM}0000"));
    // On a thread of its own, as a task's panic would be.
    assert!(std::thread::spawn(move || failed.unwrap()).join().is_err());
    panic!("{STEM}0001");
}

/// What a process says that panics.
fn stderr_of(kind: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "canary::panic::panics_if_asked_to", "--nocapture"]);
    let output = command.env(VARIABLE, kind).env("RUST_BACKTRACE", "full").output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_panic_says_where_and_not_what() {
    let stderr = stderr_of("quiet");
    assert_eq!(leak(&stderr), None);
    let here = file!();
    assert_eq!(stderr.matches(here).count(), 2, "{stderr}");
    // Without it the text is there: the test would see it.
    assert!(leak(&stderr_of("loud")).is_some());
}
