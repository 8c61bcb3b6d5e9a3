//! Nothing that may identify a person leaves by the wrong door: a canary in every text of a record, and all doors
//! watched.
//!
//! The program runs as a process, at the highest log level, against servers that are right, refuse, lie or break; the
//! tests look for the canary in stdout, stderr, URLs, headers, file names and `Debug` texts. Bodies of requests, the
//! store's own file, and the stdout of `map` and `record show` hold it by purpose. Allowed everywhere: opaque UUIDs,
//! types, ids that a server gave, pointers and lengths.

mod document;
mod exchange;
mod front;
mod input;
mod inside;
mod panic;
mod refusal;
mod token;
mod validate;

use std::path::Path;

use crate::cli::{Home, Run};
use token::leak;

/// A home in which everything is logged, whatever the log is asked by.
fn loud_home() -> Home {
    let mut home = Home::new();
    for (name, value) in [
        ("RUST_LOG", "trace"),
        ("IPT_FHIR_LOG", "trace"),
        ("RUST_BACKTRACE", "1"),
        ("IPT_FHIR_STORE__PATH", "store"),
    ] {
        home.set(name, value);
    }
    home
}

/// Runs a command that must say nothing of a person on either stream, and end with this code.
#[track_caller]
fn quiet(home: &Home, line: &str, code: i32) -> Run {
    let run = home.run(&format!("{line} -vvv")).ends(code);
    assert_eq!(leak(&run.stdout), None, "stdout of {line}");
    assert_eq!(leak(&run.stderr), None, "stderr of {line}");
    run
}

/// Runs a command whose result is the record itself: only its stderr is watched.
#[track_caller]
fn telling(home: &Home, line: &str, code: i32) -> Run {
    let run = home.run(&format!("{line} -vvv")).ends(code);
    assert!(leak(&run.stdout).is_some(), "{line} shows the record");
    assert_eq!(leak(&run.stderr), None, "stderr of {line}");
    run
}

/// The names of all that is under a directory, with the permissions of each.
fn listing(directory: &Path) -> Vec<(String, u32)> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(directory) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        found.push((path.display().to_string(), mode));
        if path.is_dir() {
            found.extend(listing(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn a_token_is_seen_at_every_door() {
    let sees = |door: &dyn Fn()| {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(door)).is_err());
    };
    let home = loud_home();
    let record = token::canary("john-lee.json");
    home.write("record.json", record.to_pretty());
    sees(&|| drop(quiet(&home, "record show record.json", 0)));
    // A name that is given on the command line comes back on stderr.
    sees(&|| drop(quiet(&home, &format!("map {}.json", token::STEM), 4)));
    sees(&|| drop(telling(&home, &format!("map record.json {}", token::STEM), 2)));
    let sandbox = exchange::Watched::start(&home, "");
    let front = front::Front::before(&sandbox.url);
    front::ask(&front.url(), "GET", &format!("Patient?name={}", token::STEM), "");
    assert!(leak(&front.heads()).is_some());
    std::fs::create_dir(home.path("store")).unwrap();
    exchange::set_mode(&home.path("store"), 0o700);
    sees(&|| exchange::is_private(&home.path("store")));
    home.write("store/plain", "");
    exchange::is_private(&home.path("store"));
    home.write(&format!("store/{}", token::STEM), "");
    sees(&|| exchange::is_private(&home.path("store")));
}
