//! The house's own rules, held against its files: who may import whom, what the core never touches, what no file holds.
//!
//! The rules are plain functions from a text to its faults, so that each is also shown a text that breaks it: a rule
//! that can't fail guards nothing. They read text, not syntax, and so refuse a little more than they must; a comment
//! line is no code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each room and the rooms that it may import. Every room but those with an empty row may import the leaves, too.
const ROOMS: &[(&str, &[&str])] = &[
    ("json", &[]),
    ("date", &[]),
    ("phi", &[]),
    ("issue", &["phi"]),
    ("document", &[]),
    ("fhir", &["phi", "issue"]),
    ("ipt", &["phi", "issue"]),
    ("mapping", &["phi", "issue", "document", "fhir", "ipt"]),
    ("merge", &["phi", "issue", "fhir"]),
    ("validate", &["phi", "issue", "fhir"]),
    ("vendor", &["phi", "issue", "fhir"]),
    ("client", &["phi", "issue", "fhir", "validate"]),
    ("store", &["phi", "issue", "fhir", "ipt", "merge"]),
    ("sync", &["phi", "issue", "fhir", "ipt", "mapping", "merge", "vendor", "client", "store"]),
    ("sandbox", &["phi", "issue", "fhir", "vendor"]),
    ("telemetry", &["phi"]),
    ("config", &["phi", "vendor", "client", "store", "sync", "telemetry"]),
    (
        "cli",
        &[
            "phi",
            "issue",
            "document",
            "fhir",
            "ipt",
            "mapping",
            "merge",
            "validate",
            "vendor",
            "client",
            "store",
            "sync",
            "sandbox",
            "telemetry",
            "config",
        ],
    ),
];

/// What holds no meaning of its own: the JSON tree, its building macro, partial dates.
const LEAVES: &[&str] = &["json", "date", "object"];

/// The rooms without clock, environment, files, sockets or output.
const PURE: &[&str] = &[
    "json", "date", "phi", "issue", "document", "fhir", "ipt", "mapping", "merge", "validate",
    "vendor",
];

/// The files that open a `Phi` or a secret. Who adds one has looked where the value goes.
const EXPOSING: &[&str] = &[
    "src/cli/command/ehr/keys.rs",
    "src/cli/command/ehr/linked.rs",
    "src/cli/command/sync.rs",
    "src/client/authorization.rs",
    "src/client/interaction/search.rs",
    "src/client/smart/assertion.rs",
    "src/client/smart/key/tests.rs",
    "src/client/smart/key.rs",
    "src/client/smart/key_file.rs",
    "src/client/smart/token.rs",
    "src/client/tls.rs",
    "src/config/secret.rs",
    "src/ipt/document.rs",
    "src/store/sqlite.rs",
    "src/validate/report.rs",
];

/// No file is longer.
const MOST_LINES: usize = 800;

// ---- What texts say ----

/// A source without its comment lines.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The first names of all paths under a root: `a` and `b` of `root::a::X`, `root::{a::X, b::{Y, Z}}`.
fn under(root: &str, code: &str) -> BTreeSet<String> {
    let start = format!("{root}::");
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(&start) {
        let (before, rest) = code.split_at(at);
        if before.ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before)) {
            continue;
        }
        let rest = rest.trim_start_matches(&start);
        match rest.strip_prefix('{') {
            Some(group) => names.extend(members(group)),
            None => names.extend(first_name(rest)),
        }
    }
    names
}

/// The first name of each member of a `{…}` group, its opening brace taken off.
fn members(group: &str) -> BTreeSet<String> {
    let mut members = vec![String::new()];
    let mut depth = 0;
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => members.push(String::new()),
            other if depth == 0 => members.last_mut().unwrap().push(other),
            _ => {}
        }
    }
    members.iter().filter_map(|member| first_name(member.trim_start())).collect()
}

/// The name that a text begins with; `*` is one, for it imports whatever there is.
fn first_name(text: &str) -> Option<String> {
    if text.starts_with('*') {
        return Some("*".to_owned());
    }
    let is_name = |character: &char| character.is_alphanumeric() || *character == '_';
    Some(text.chars().take_while(is_name).collect()).filter(|name: &String| !name.is_empty())
}

/// The room that a file under `src/` belongs to.
fn room(path: &str) -> &str {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    path.split('/').next().unwrap_or(path)
}

// ---- The rules: a path and a text, and what is wrong with them ----

/// A room imports only what its row allows.
fn forbidden_imports(path: &str, text: &str) -> Vec<String> {
    let room = room(path);
    if matches!(room, "lib" | "main") {
        return Vec::new();
    }
    let Some((_, row)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}: no room `{room}` in the table")];
    };
    let code = code(text);
    let mut imports = under("crate", &code);
    // From a room's own file `super` is the crate, too.
    if path.matches('/').count() == 1 {
        let rooms = ROOMS.iter().map(|(name, _)| (*name).to_owned()).collect();
        imports.extend(under("super", &code).intersection(&rooms).cloned());
    }
    let leaves = if row.is_empty() { &[] } else { LEAVES };
    // The macro `object!` is at home in `json`.
    let own = |name: &str| name == room || (room == "json" && name == "object");
    let allowed = |name: &str| own(name) || row.contains(&name) || leaves.contains(&name);
    let refused = imports.iter().filter(|name| !allowed(name));
    refused.map(|name| format!("{path}: `{room}` must not import `{name}`")).collect()
}

/// The core computes: it asks nobody for anything and prints nothing.
fn impurities(path: &str, text: &str) -> Vec<String> {
    if !PURE.contains(&room(path)) {
        return Vec::new();
    }
    let code = code(text);
    let std = under("std", &code);
    let modules =
        ["fs", "net", "env", "process", "*"].into_iter().filter(|name| std.contains(*name));
    let words = ["SystemTime", "::now(", "print!", "println!", "dbg!"];
    let words = words.into_iter().filter(|word| code.contains(word));
    modules.chain(words).map(|found| format!("{path}: `{found}` in a pure room")).collect()
}

/// A file has a purpose, a size that can be read, and no name that says nothing.
fn shapeless(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if path != "src/lib.rs" && !text.starts_with("//!") {
        faults.push(format!("{path}: does not begin with what it is for (`//!`)"));
    }
    if text.lines().count() > MOST_LINES {
        faults.push(format!("{path}: more than {MOST_LINES} lines"));
    }
    if path.ends_with("/mod.rs") {
        faults.push(format!("{path}: `foo.rs` beside `foo/`, never `mod.rs`"));
    }
    faults
}

/// Ways around the rules, and things half done.
fn shortcuts(path: &str, text: &str) -> Vec<String> {
    let words = [
        concat!("#[", "allow"),
        concat!("#![", "allow"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("Hash", "Map"),
        concat!("Hash", "Set"),
    ];
    let code = code(text);
    let found = words.into_iter().filter(|word| code.contains(word));
    found.map(|word| format!("{path}: `{word}`")).collect()
}

/// Whether a file opens what is wrapped for safety.
fn exposes(text: &str) -> bool {
    let code = code(text);
    code.contains(".expose()") || code.contains(".expose_secret()")
}

/// Places that exist on one machine only, and hosts that builds reach by their clients' settings, not by us.
fn local_words(path: &str, text: &str) -> Vec<String> {
    let hosts = [
        concat!("registry.", "npmjs.org"),
        concat!("static.", "crates.io"),
        concat!("index.", "crates.io"),
        concat!("files.", "pythonhosted.org"),
        concat!("pypi", ".org"),
        concat!("repo.", "maven.apache.org"),
        concat!("repo1.", "maven.org"),
        concat!("proxy.", "golang.org"),
        concat!("deb.", "debian.org"),
    ];
    let folders =
        [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/t", "mp/"), concat!("/ho", "me/")];
    let begins = |at: usize| {
        let before = text.split_at(at).0.chars().next_back();
        before.is_none_or(|before| before.is_whitespace() || "\"'`=(:".contains(before))
    };
    let folder = |word: &&str| text.match_indices(*word).any(|(at, _)| begins(at));
    let found = hosts.into_iter().filter(|host| text.contains(host));
    let found = found.chain(folders.into_iter().filter(folder));
    found.map(|word| format!("{path}: `{word}`")).collect()
}

/// The table as the README shows it.
fn layer_table() -> String {
    let mut table = "| room | may import |\n|---|---|\n".to_owned();
    for (room, row) in ROOMS {
        let others = ROOMS.iter().filter(|(other, _)| other != room && !LEAVES.contains(other));
        let row = match row.len() {
            0 => "–".to_owned(),
            length if length == others.count() => "every other room".to_owned(),
            _ => row.join(", "),
        };
        table.extend(["| `", room, "` | ", &row, " |\n"]);
    }
    table
}

// ---- The files ----

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust sources below a folder of the package: path from the package's root, and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let relative = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (relative(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// Asserts that no file has a fault.
fn assert_faultless(files: &[(String, String)], rule: fn(&str, &str) -> Vec<String>) {
    assert!(!files.is_empty(), "there are files");
    let faults: Vec<String> = files.iter().flat_map(|(path, text)| rule(path, text)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let sources = sources("src");
    assert_faultless(&sources, forbidden_imports);
    let mut there: BTreeSet<&str> = sources.iter().map(|(path, _)| room(path)).collect();
    assert!(there.remove("lib") && there.remove("main"));
    assert_eq!(there, ROOMS.iter().map(|(name, _)| *name).collect(), "rooms, and rows for them");
}

#[test]
fn an_import_against_the_table_is_seen() {
    let fault = |path: &str, text: &str| forbidden_imports(path, text).len();
    assert_eq!(fault("src/fhir/bundle.rs", "use crate::ipt::Plan;"), 1);
    assert_eq!(fault("src/fhir.rs", "use crate::{json, mapping::{self, code}, issue::Issue};"), 1);
    assert_eq!(fault("src/client/http.rs", "    let x = crate::store::open();"), 1);
    assert_eq!(
        fault("src/store.rs", "pub(crate) use crate::{\n    client,\n    sync::{a, b},\n};"),
        2
    );
    assert_eq!(fault("src/client.rs", "use super::mapping::to_fhir;"), 1);
    assert_eq!(fault("src/client/answer.rs", "use crate::vendor::Pack;"), 1);
    assert_eq!(fault("src/sync/push.rs", "use crate::cli::Exit;"), 1);
    assert_eq!(fault("src/sync/push.rs", "use crate::*;"), 1);
    assert_eq!(fault("src/sync/push.rs", "use crate::utils::join;"), 1);
    assert_eq!(fault("src/helpers/join.rs", ""), 1);
    assert_eq!(fault("src/date.rs", "use crate::json::Value;"), 1);
    assert_eq!(fault("src/client/http.rs", "use crate::fhir::Bundle;\nuse super::mapping;"), 0);
    assert_eq!(
        fault("src/client/http.rs", "/// See [`sync`](crate::sync).\nuse other_crate::cli;"),
        0
    );
    assert_eq!(fault("src/fhir.rs", "use crate::json::{self, Value};\ncrate::object! {}"), 0);
}

#[test]
fn the_core_touches_nothing_outside() {
    assert_faultless(&sources("src"), impurities);
}

#[test]
fn an_impurity_is_seen() {
    let fault = |text: &str| impurities("src/mapping/goal.rs", text).len();
    assert_eq!(fault("use std::fs::read;"), 1);
    assert_eq!(fault("use std::{collections::BTreeMap, env, process::{self, Command}};"), 2);
    assert_eq!(fault("let now = jiff::Timestamp::now();"), 1);
    assert_eq!(fault("use std::time::SystemTime;"), 1);
    assert_eq!(fault("println!(\"{plan:?}\");"), 1);
    assert_eq!(fault("// std::fs is not used here\nuse std::fmt;"), 0);
    assert_eq!(impurities("src/cli/input.rs", "use std::fs;").len(), 0);
}

#[test]
fn files_say_what_they_are_for_and_stay_short() {
    for folder in ["src", "tests", "benches"] {
        assert_faultless(&sources(folder), shapeless);
    }
}

#[test]
fn a_shapeless_file_is_seen() {
    assert_eq!(shapeless("src/a.rs", "use std::fmt;").len(), 1);
    assert_eq!(shapeless("src/a/mod.rs", "//! A.").len(), 1);
    assert_eq!(shapeless("src/a.rs", &format!("//! A.{}", "\n//".repeat(MOST_LINES))).len(), 1);
    assert_eq!(shapeless("src/a.rs", &format!("//! A.{}", "\n//".repeat(MOST_LINES - 1))).len(), 0);
}

#[test]
fn nothing_is_half_done_or_waved_through() {
    for folder in ["src", "tests", "benches"] {
        assert_faultless(&sources(folder), shortcuts);
    }
}

#[test]
fn a_shortcut_is_seen() {
    let fault = |text: &str| shortcuts("src/a.rs", text).len();
    assert_eq!(fault(&format!("#[{}(dead_code)]", "allow")), 1);
    assert_eq!(fault(&format!("fn a() {{ {}!() }}", "todo")), 1);
    assert_eq!(fault(&format!("let a = Hash{}::new();", "Map")), 1);
    assert_eq!(fault("#[expect(dead_code, reason = \"\")]"), 0);
}

#[test]
fn only_known_files_open_what_is_wrapped() {
    let sources = sources("src");
    let opening = sources.iter().filter(|(_, text)| exposes(text)).map(|(path, _)| path.as_str());
    assert_eq!(opening.collect::<Vec<_>>(), EXPOSING);
    assert!(exposes("log(name.expose());") && exposes("key.expose_secret()"));
    assert!(!exposes("/// `name.expose()` opens it."));
}

#[test]
fn tracked_files_hold_no_place_of_one_machine() {
    let listing = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listing) = listing.ok().filter(|output| output.status.success()) else {
        println!("left out: the words of tracked files (this is no git work tree)");
        return;
    };
    let listing = String::from_utf8(listing.stdout).unwrap();
    let names = listing.split_terminator('\0').filter(|name| *name != "Cargo.lock");
    // What is not UTF-8 is a fixture of its own, and what is gone from the work tree says nothing.
    let text = |name: &str| std::fs::read_to_string(root().join(name)).ok();
    let files: Vec<_> = names.filter_map(|name| Some((name.to_owned(), text(name)?))).collect();
    assert_faultless(&files, local_words);
}

#[test]
fn a_place_of_one_machine_is_seen() {
    let fault = |text: &str| local_words("a.sh", text).len();
    assert_eq!(fault(&format!("cd /{}/main", "work")), 1);
    assert_eq!(fault(&format!("open(\"/{}/a\")", "tmp")), 1);
    assert_eq!(fault(&format!("https://registry.{}/x", "npmjs.org")), 1);
    assert_eq!(fault("Patient/home/1, a/root/b, ../shared, https://crates.io"), 0);
}

#[test]
fn the_readme_shows_the_table() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let table = layer_table();
    assert!(readme.contains(&table), "README.md must hold this table:\n{table}");
}
