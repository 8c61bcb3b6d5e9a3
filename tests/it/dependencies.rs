//! The tree of packages: from crates.io only, under licences that `deny.toml` allows, without what it bans.
//!
//! `cargo deny` says the same and more, but is on few machines; this runs wherever the tests do. What is really
//! built is told by `cargo tree`: the lock file and `cargo metadata` also list optional packages (`ring`, behind a
//! feature of rustls-webpki) that nothing switches on.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The lists of `deny.toml`.
struct Rules {
    banned: BTreeSet<String>,
    licences: BTreeSet<String>,
}

impl Rules {
    fn read() -> Self {
        let rules: toml::Table = read("deny.toml").parse().unwrap();
        let text = |value: Option<&toml::Value>| value.unwrap().as_str().unwrap().to_owned();
        let list = |table: &str, name: &str| {
            let list = rules.get(table).and_then(|table| table.get(name));
            list.unwrap().as_array().unwrap().clone()
        };
        Self {
            banned: list("bans", "deny").iter().map(|entry| text(entry.get("crate"))).collect(),
            licences: list("licenses", "allow").iter().map(|entry| text(Some(entry))).collect(),
        }
    }

    /// What is wrong with a package: a line `name vVERSION[ (WHERE FROM)]|LICENCE` of `cargo tree`.
    fn faults(&self, line: &str) -> Vec<String> {
        let (package, licence) = line.split_once('|').unwrap();
        let package = package.trim_end_matches(" (proc-macro)");
        let mut faults = Vec::new();
        if self.banned.contains(package.split(' ').next().unwrap()) {
            faults.push(format!("{package} is banned"));
        }
        // cargo names the source of a package only if it is not crates.io.
        if package.contains('(') {
            faults.push(format!("{package} is not from crates.io"));
        }
        if !self.permit(licence) {
            faults.push(format!("{package} has the licence `{licence}`"));
        }
        faults
    }

    /// Whether an SPDX expression can be met with the licences that are allowed.
    fn permit(&self, expression: &str) -> bool {
        // The form before SPDX expressions wrote `/` for OR.
        let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut rest = words.as_slice();
        self.either(&mut rest) && rest.is_empty()
    }

    fn either(&self, rest: &mut &[&str]) -> bool {
        let mut met = self.both(rest);
        while let ["OR", after @ ..] = *rest {
            *rest = after;
            met |= self.both(rest);
        }
        met
    }

    fn both(&self, rest: &mut &[&str]) -> bool {
        let mut met = self.one(rest);
        while let ["AND", after @ ..] = *rest {
            *rest = after;
            met &= self.one(rest);
        }
        met
    }

    fn one(&self, rest: &mut &[&str]) -> bool {
        let (met, after) = match *rest {
            ["(", after @ ..] => {
                *rest = after;
                let met = self.either(rest);
                rest.strip_prefix(&[")"]).map_or((false, *rest), |after| (met, after))
            }
            [licence, "WITH", exception, after @ ..] => {
                (self.licences.contains(&format!("{licence} WITH {exception}")), after)
            }
            [licence, after @ ..] => (self.licences.contains(*licence), after),
            [] => (false, &[] as &[&str]),
        };
        *rest = after;
        met
    }
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// All packages that are built on Linux, for tests and the build, too; ours is not among them.
fn packages() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--target", TARGET, "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let ours = concat!(env!("CARGO_PKG_NAME"), " ");
    tree.lines().filter(|line| !line.starts_with(ours)).map(str::to_owned).collect()
}

#[test]
fn every_package_keeps_the_rules() {
    let (rules, packages) = (Rules::read(), packages());
    assert!(packages.len() > 100, "cargo tree shows {} packages", packages.len());
    let faults: Vec<String> = packages.iter().flat_map(|line| rules.faults(line)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_locked_package_is_from_crates_io() {
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let source = package.get("source").and_then(toml::Value::as_str);
        let name = package["name"].as_str().unwrap();
        assert!(source == Some(CRATES_IO) || name == env!("CARGO_PKG_NAME"), "{name}: {source:?}");
    }
    let sources: toml::Table = read("deny.toml").parse().unwrap();
    let registry = sources["sources"]["allow-registry"][0].as_str().unwrap();
    assert_eq!(CRATES_IO.strip_prefix("registry+"), Some(registry));
}

#[test]
fn a_package_against_the_rules_is_seen() {
    let rules = Rules::read();
    let faults = |line: &str| rules.faults(line).len();
    assert_eq!(faults("ring v0.17.14|Apache-2.0 AND ISC"), 1);
    assert_eq!(faults("openssl-sys v0.9.1|GPL-3.0-only"), 2);
    assert_eq!(faults("a v1.0.0 (https://git.example.org/a#1)|MIT"), 1);
    assert_eq!(faults("a v1.0.0|"), 1);
    assert_eq!(faults("string v0.3.1|MIT/Apache-2.0"), 0);
    assert_eq!(faults("serde_derive v1.0.0 (proc-macro)|MIT OR Apache-2.0"), 0);
    assert!(!rules.permit("MIT AND GPL-3.0-only") && rules.permit("MIT OR LGPL-2.1-or-later"));
    assert!(rules.permit("(MIT OR Apache-2.0) AND Unicode-3.0") && !rules.permit("(MIT"));
    assert!(
        rules.permit("Apache-2.0 WITH LLVM-exception") && !rules.permit("MIT WITH X-exception")
    );
    assert!(!rules.permit("(MIT OR GPL-3.0-only) AND AGPL-3.0-only") && !rules.permit("MIT Zlib"));
}
