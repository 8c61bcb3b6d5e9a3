//! `definitions build`: the jars that are pinned give the packs that are shipped, and no others are taken.

use std::path::{Path, PathBuf};

use super::Home;

const PACKS: [&str; 5] = ["r4.pack", "r4b.pack", "r5.pack", "tho.pack", "extensions.pack"];

/// Where the jars are, if they are: `IPT_FHIR_DEFINITION_JARS` at build time, else Maven's repository. The latter in an
/// optimized build only: without, it takes minutes.
fn jars() -> Option<PathBuf> {
    if let Some(folder) = option_env!("IPT_FHIR_DEFINITION_JARS") {
        return Some(PathBuf::from(folder));
    }
    let repository = std::env::home_dir()?.join(".m2/repository");
    let folder = repository.join("ca/uhn/hapi/fhir/hapi-fhir-validation-resources-r5/8.8.0");
    (!cfg!(debug_assertions) && folder.is_dir()).then_some(repository)
}

#[test]
fn the_pinned_jars_give_the_bytes_that_are_shipped() {
    let Some(jars) = jars() else { return };
    let home = Home::new();
    std::fs::create_dir(home.path("packs")).unwrap();
    let done = home.run(&format!("definitions build --from {} --to packs", jars.display())).ends(0);
    assert!(done.stdout.contains("r4.pack: "), "{}", done.stdout);
    for name in PACKS {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/core").join(name);
        let (made, shipped) =
            (std::fs::read(home.path("packs").join(name)), std::fs::read(shipped));
        assert!(
            made.unwrap() == shipped.unwrap(),
            "{name} differs: build it anew, see profiles/core/README.md"
        );
    }
}

#[test]
fn other_jars_are_refused_and_missing_ones_are_named() {
    let home = Home::new();
    let missing = home.run("definitions build --from . --to .").ends(4);
    assert!(missing.stderr.contains("mvn dependency:copy"), "{}", missing.stderr);
    home.write("hapi-fhir-validation-resources-r5-8.8.0.jar", "another jar");
    let other = home.run("definitions build --from . --to .").ends(8);
    assert!(other.stderr.contains("SHA-512"), "{}", other.stderr);
    assert!(PACKS.iter().all(|name| !home.path(name).exists()));
}

#[test]
fn users_are_not_told_of_it() {
    let home = Home::new();
    let help = home.run("--help").ends(0).stdout;
    assert!(!help.lines().any(|line| line.trim_start().starts_with("definitions ")));
    home.run("man pages").ends(0);
    assert!(!home.path("pages/ipt-fhir-definitions.1").exists());
}
