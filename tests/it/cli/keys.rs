//! `ehr keys`, a SMART login from end to end, and the sandbox that demands one.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use ipt_fhir::json::{self, Value};

use super::Home;
use super::sandbox::Sandbox;

/// The key file of an EHR that is not configured yet.
fn key_file(home: &Home, name: &str) -> PathBuf {
    home.path(&format!("home/.config/ipt-fhir/keys/{name}.jwks.json"))
}

fn kids(home: &Home, name: &str) -> Vec<(String, String)> {
    let list = home.run(&format!("ehr keys list {name} --format json")).ends(0).envelope();
    let word = |key: &Value, member: &str| key.text(member).unwrap().to_owned();
    list.items("result").map(|key| (word(key, "kid"), word(key, "state"))).collect()
}

#[test]
fn generate_makes_a_private_file_and_jwks_shows_the_public_part() {
    let home = Home::new();
    assert_eq!(home.run("ehr keys jwks here --format json").ends(2).codes(), ["keys-missing"]);
    for (name, flag, alg) in [("a", "", "RS384"), ("b", "--alg es384", "ES384")] {
        let made = home.run(&format!("ehr keys generate {name} {flag}")).ends(0);
        let path = key_file(&home, name);
        assert!(made.stdout.starts_with(&format!("{}\n", path.display())), "{}", made.stdout);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let shown = home.run(&format!("ehr keys jwks {name}")).ends(0).stdout;
        let jwks = json::parse(shown.as_bytes()).unwrap();
        let key = jwks.items("keys").next().unwrap();
        assert_eq!((key.text("alg"), key.text("use")), (Some(alg), Some("sig")));
        assert!(["d", "p", "q", "ipt_signs_from"].iter().all(|name| key.get(name).is_none()));
        assert_eq!(kids(&home, name), [(key.text("kid").unwrap().to_owned(), "signs".to_owned())]);
        let again = home.run(&format!("ehr keys generate {name} --format json")).ends(8);
        assert_eq!(again.codes(), ["keys-exist"]);
    }
    home.run("ehr keys generate A").ends(2);
    home.run("ehr keys generate c --alg rs256").ends(2);
    let path = key_file(&home, "a");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = home.run("ehr keys list a --format json").ends(2);
    assert_eq!(open.codes(), ["config-permissions"]);
}

#[test]
fn rotate_adds_a_key_that_waits_and_retire_takes_the_old_one() {
    let home = Home::new();
    home.run("ehr keys generate here --alg es384").ends(0);
    let old = kids(&home, "here").remove(0).0;
    let codes = |line: &str| home.run(&format!("{line} --format json")).ends(8).codes();
    assert_eq!(codes("ehr keys rotate here --retire"), ["keys-nothing-old"]);
    let rotated = home.run("ehr keys rotate here --cache-time 3600 --alg rs384").ends(0);
    assert!(rotated.stdout.contains("signs from"), "{}", rotated.stdout);
    assert_eq!(key_file(&home, "here").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let keys = kids(&home, "here");
    assert_eq!(keys[0], (old.clone(), "signs".to_owned()));
    assert_eq!((keys.len(), keys[1].1.as_str()), (2, "waits"));
    let jwks = home.run("ehr keys jwks here").ends(0).stdout;
    assert!(keys.iter().all(|(kid, _)| jwks.contains(kid)), "{jwks}");
    assert_eq!(codes("ehr keys rotate here"), ["keys-pending"]);
    assert_eq!(codes("ehr keys rotate here --retire"), ["keys-pending"]);
    // As if the time had come, and the last assertions had gone by.
    let text = std::fs::read_to_string(key_file(&home, "here")).unwrap();
    let (start, rest) = text.split_once("\"ipt_signs_from\": \"").unwrap();
    let (_, end) = rest.split_once('"').unwrap();
    let text = format!("{start}\"ipt_signs_from\": \"2026-03-02T10:00:00Z\"{end}");
    std::fs::write(key_file(&home, "here"), text).unwrap();
    assert_eq!(kids(&home, "here")[0].1, "old");
    assert_eq!(codes("ehr keys rotate here"), ["keys-old"]);
    home.run("ehr keys rotate here --retire").ends(0);
    assert_eq!(kids(&home, "here"), [(keys[1].0.clone(), "signs".to_owned())]);
    home.run("ehr keys rotate here --retire --cache-time 5").ends(2);
    // What has no room for two is not rotated.
    home.write("pem", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
    home.run("ehr add pem http://127.0.0.1:9/fhir --client-id c --key-file pem --token-url http://127.0.0.1:9/t").ends(0);
    assert_eq!(home.run("ehr keys rotate pem --format json").ends(2).codes(), ["keys-unfit"]);
    home.run("ehr add env http://127.0.0.1:9/fhir --client-id c --key-env K --token-url http://127.0.0.1:9/t").ends(0);
    assert_eq!(home.run("ehr keys rotate env --format json").ends(2).codes(), ["keys-not-a-file"]);
}

/// A sandbox that demands the login of `ipt`, whose keys are those of `here`.
fn sandbox(home: &Home, flags: &str) -> Sandbox {
    if !key_file(home, "here").exists() {
        home.run("ehr keys generate here --alg es384").ends(0);
    }
    let jwks = home.run("ehr keys jwks here").ends(0).stdout;
    home.write("jwks.json", jwks);
    Sandbox::start(home, &format!("--smart-client ipt=jwks.json {flags}"))
}

#[test]
fn a_login_is_added_tested_and_used() {
    let home = Home::new();
    let sandbox = sandbox(&home, "");
    let add = format!("ehr add here {} --client-id ipt", sandbox.url);
    let asked = home.run(&add).ends(2);
    assert!(asked.stderr.contains("token_endpoint") && asked.stderr.contains("--token-url"));
    let added = home.run(&format!("{add} --yes")).ends(0);
    let token_url = sandbox.url.replace("/fhir", "/token");
    assert!(added.stdout.contains(&format!("pinned: {token_url}\n")), "{}", added.stdout);
    let list = home.run("ehr list").ends(0).stdout;
    assert!(list.contains("smart (file)"), "{list}");
    let test = home.run("ehr test here").ends(0).stdout;
    assert!(test.contains("they suffice: system/*.cruds"), "{test}");
    assert_eq!(test.matches(" ok ").count(), 11, "{test}");
    // Rotation at work: the sandbox reads the file anew, and the configured file is the one that changes.
    home.run("ehr keys rotate here --cache-time 0").ends(0);
    home.write("jwks.json", home.run("ehr keys jwks here").ends(0).stdout);
    home.run("ehr test here").ends(0);
}

#[test]
fn smart_flags_say_what_is_asked_for_and_given() {
    let home = Home::new();
    let sandbox = sandbox(&home, "--smart-scope system/CarePlan.rs --token-lifetime 7");
    let token_url = sandbox.url.replace("/fhir", "/token");
    let key = key_file(&home, "here").display().to_string();
    let mut number = 0;
    let mut test = |flags: &str, code| {
        number += 1;
        let url = &sandbox.url;
        home.run(&format!(
            "ehr add e{number} {url} --client-id ipt --token-url {token_url} {flags}"
        ))
        .ends(0);
        home.run(&format!("ehr test e{number}")).ends(code).stdout
    };
    // Narrower than what was asked for, and told.
    let asked = test(&format!("--key-file {key} --scope system/*.cruds --algorithm es384"), 1);
    assert!(asked.contains("a token for 7 s\n") && asked.contains("read a Patient"), "{asked}");
    let none = test("--key-command false", 2);
    assert!(none.contains("auth.key: the command failed"), "{none}");
    let other = test(&format!("--key-file {key} --scope system/Goal.rs"), 6);
    assert!(
        other.contains("invalid_scope") && other.contains("cure: none of the scopes"),
        "{other}"
    );
    let algorithm = test(&format!("--key-file {key} --algorithm rs384"), 2);
    assert!(algorithm.contains("no key for the configured algorithm"), "{algorithm}");
    for line in [
        "ehr add x http://127.0.0.1:9/fhir --key-file k",
        "ehr add x http://127.0.0.1:9/fhir --client-id c --key-file k --key-env K",
        "ehr add x http://127.0.0.1:9/fhir --client-id c --token-file t",
        "ehr add x http://127.0.0.1:9/fhir --client-id c --key-file k --token-url http://ehr.example.org/t",
        "ehr add x http://127.0.0.1:9/fhir --client-id c --token-url http://127.0.0.1:9/t",
        "sandbox --smart-scope system/*.rs",
        "sandbox --smart-client ipt",
        "sandbox --smart-client ipt=jwks.json --smart-scope openid",
        "sandbox --smart-client ipt=jwks.json --token-lifetime 0",
    ] {
        home.run(line).ends(2);
    }
    let elsewhere = "ehr add x https://ehr.example.org/fhir --client-id c --key-file k --token-url http://127.0.0.1:9/t --format json";
    assert_eq!(home.run(elsewhere).ends(8).codes(), ["token-url"]);
    let missing = home.run("sandbox --smart-client ipt=nowhere --format json").ends(4);
    assert_eq!(missing.codes(), ["sandbox-jwks"]);
    home.write("private", std::fs::read(&key).unwrap());
    let private = home.run("sandbox --smart-client ipt=private --format json").ends(4);
    assert_eq!(private.codes(), ["sandbox-jwks"], "a private key is not what one registers");
}

#[test]
fn the_key_may_come_from_a_variable_or_a_command() {
    let mut home = Home::new();
    let sandbox = sandbox(&home, "");
    let token_url = sandbox.url.replace("/fhir", "/token");
    let text = std::fs::read_to_string(key_file(&home, "here")).unwrap();
    home.set("THE_KEY", &text);
    let command = format!("--key-command cat<{}", key_file(&home, "here").display());
    for (name, flags) in
        [("a", "--key-env THE_KEY"), ("b", command.as_str()), ("c", "--key-command env")]
    {
        let url = &sandbox.url;
        home.run(&format!("ehr add {name} {url} --client-id ipt --token-url {token_url} {flags}"))
            .ends(0);
    }
    home.run("ehr test a").ends(0);
    home.run("ehr test b").ends(0);
    // `env` prints more than a key.
    assert!(home.run("ehr test c").ends(2).stdout.contains("neither an unencrypted private key"));
}
