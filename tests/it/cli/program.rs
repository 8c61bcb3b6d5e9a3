//! `completions`, `man` and `version`: what the program tells of itself.

use super::Home;

#[test]
fn completions_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.run(&format!("completions {shell}")).ends(0).stdout;
        assert!(script.contains("sandbox") && script.contains("record"), "{shell}");
    }
    home.run("completions sh").ends(2);
}

#[test]
fn man_writes_a_page_for_each_command() {
    let home = Home::new();
    let page = home.run("man").ends(0).stdout;
    assert!(page.contains(".TH ipt-fhir 1") && page.contains("Exit codes"), "{page}");
    let written = home.run("man pages").ends(0).stdout;
    for name in written.lines() {
        assert!(home.path("pages").join(name).is_file(), "{name}");
    }
    for name in ["ipt-fhir.1", "ipt-fhir-map.1", "ipt-fhir-ehr-add.1"] {
        assert!(written.lines().any(|line| line == name), "{written}");
    }
    home.write("file", "");
    home.run("man file").ends(1);
}

#[test]
fn version_tells_what_was_built() {
    let home = Home::new();
    let version = home.run("version --format json").ends(0).envelope();
    let result = version.get("result").unwrap();
    assert_eq!(result.text("version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(result.text("fhir"), Some("4.0.1"));
    let line = format!("ipt-fhir {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(home.run("--version").ends(0).stdout, line);
    assert!(home.run("version").ends(0).stdout.starts_with(&line));
}
