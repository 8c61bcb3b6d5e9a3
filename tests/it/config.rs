//! Configuration: precedence, origins, errors with their place, secrets, and edits that keep what a person wrote.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipt_fhir::config::{
    Config, Error, NewAuth, NewEhr, NewNetwork, NewRate, NewSecret, Origin, Sourced, Sources,
    add_ehr, file_to_edit,
};
use ipt_fhir::telemetry::Level;
use secrecy::ExposeSecret;

/// A home, a working directory and an environment of a test's own.
struct Place {
    directory: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home").display().to_string();
        let environment = BTreeMap::from([("HOME".to_owned(), home)]);
        Self { directory, environment }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    fn with<T>(
        &self,
        file: Option<&Path>,
        ehr: Option<&str>,
        run: impl FnOnce(Sources<'_>) -> T,
    ) -> T {
        let environment = |name: &str| self.environment.get(name).cloned();
        run(Sources { file, ehr, environment: &environment, directory: self.directory.path() })
    }

    fn load(&self) -> Result<Config, Error> {
        self.with(None, None, Config::load)
    }

    /// The error of a configuration with this text in the working directory.
    fn refused(&self, text: &str) -> Error {
        self.write("ipt-fhir.toml", text);
        self.load().unwrap_err()
    }
}

const USER_FILE: &str = "home/.config/ipt-fhir/config.toml";

#[test]
fn without_any_source_the_defaults_hold() {
    let place = Place::new();
    let config = place.load().unwrap();
    let data = place.path("home/.local/share/ipt-fhir");
    assert_eq!((config.store_path.value, config.store_path.origin), (data, Origin::Default));
    assert_eq!(config.log.level.value, Level::Warn);
    assert!(config.ehrs.is_empty() && config.files.is_empty());
}

#[test]
fn each_value_comes_from_the_source_that_counts_most() {
    let mut place = Place::new();
    place.write(
        USER_FILE,
        "[store]\npath = \"user-store\"\n[log]\nlevel = \"info\"\nformat = \"json\"\n",
    );
    place.write("ipt-fhir.toml", "[store]\npath = \"local-store\"\n[log]\nlevel = \"debug\"\n");
    let given = place.write("given/c.toml", "[store]\npath = \"given-store\"\n");
    let paths = |config: &Config| {
        let path = config.store_path.value.strip_prefix(place.directory.path()).unwrap();
        (path.display().to_string(), config.log.level.value, config.log.level.origin.to_string())
    };
    let local = place.path("ipt-fhir.toml").display().to_string();
    let config = place.load().unwrap();
    assert_eq!(paths(&config), ("local-store".to_owned(), Level::Debug, format!("{local}:4")));
    assert_eq!(config.files.len(), 2);
    let config = place.with(Some(&given), None, Config::load).unwrap();
    assert_eq!(paths(&config).0, "given/given-store");
    place.set("IPT_FHIR_STORE__PATH", "env-store");
    place.set("IPT_FHIR_LOG", "trace");
    let config = place.with(Some(&given), None, Config::load).unwrap();
    assert_eq!(config.store_path.value, place.path("env-store"));
    assert_eq!(config.log.level.origin, Origin::Environment("IPT_FHIR_LOG".to_owned()));
    assert_eq!(config.log.level.value, Level::Trace);
}

#[test]
fn an_ehr_is_taken_whole_from_one_file() {
    let mut place = Place::new();
    let user = "[ehr.clinic]\nurl = \"https://ehr.example.org/fhir\"\ntimeout_seconds = 5\nauth = { token = { env = \"TOKEN\" } }\n";
    place.write(USER_FILE, user);
    place.write("ipt-fhir.toml", "[ehr.clinic]\nurl = \"https://evil.example/fhir\"\n");
    place.set("TOKEN", "sesame");
    let config = place.load().unwrap();
    let clinic = config.ehr("clinic").unwrap();
    assert_eq!(clinic.url.value.to_string(), "https://evil.example/fhir");
    assert_eq!(clinic.timeout.value, Duration::from_secs(30));
    let error = clinic.client(&|name| place.environment.get(name).cloned()).unwrap_err();
    assert_eq!(error.code, "config-value");
    assert!(!error.to_string().contains("sesame"));
}

#[test]
fn an_ehr_may_live_in_the_environment_alone() {
    let mut place = Place::new();
    place.set("IPT_FHIR_EHR__ST_ANNA__URL", "https://ehr.example.org/fhir");
    place.set("IPT_FHIR_EHR__ST_ANNA__TIMEOUT_SECONDS", "7");
    place.set("IPT_FHIR_EHR__ST_ANNA__AUTH__TOKEN__ENV", "TOKEN");
    assert!(place.load().unwrap().ehrs.is_empty());
    let config = place.with(None, Some("st-anna"), Config::load).unwrap();
    let ehr = config.ehr("st-anna").unwrap();
    assert_eq!(ehr.timeout.value, Duration::from_secs(7));
    assert_eq!(ehr.settle.value, Duration::from_mins(1));
    assert_eq!(ehr.url.origin.to_string(), "IPT_FHIR_EHR__ST_ANNA__URL");
}

#[test]
fn the_settling_time_is_at_least_the_time_limit() {
    let place = Place::new();
    place.write("ipt-fhir.toml", "[ehr.local]\nurl = \"http://127.0.0.1:1/fhir\"\n");
    let config = place.load().unwrap();
    let mut local = config.ehr("local").unwrap().clone();
    assert_eq!(local.settle.value, local.timeout.value);
    local.limit(Sourced::default_value(Duration::from_secs(7)));
    assert_eq!(local.settle.value, Duration::from_secs(7));
    let elsewhere = |more: &str| {
        let text =
            "[ehr.a]\nurl = \"https://a.example/fhir\"\nauth = { token = { env = \"T\" } }\n";
        place.write("ipt-fhir.toml", &format!("{text}{more}"));
        place.load().map(|config| config.ehr("a").unwrap().clone())
    };
    assert_eq!(elsewhere("").unwrap().settle.value, Duration::from_mins(1));
    let slow = "timeout_seconds = 120\n";
    assert_eq!(elsewhere(slow).unwrap().settle.value, Duration::from_mins(2));
    let mut slow = elsewhere("").unwrap();
    slow.limit(Sourced::default_value(Duration::from_mins(2)));
    assert_eq!(slow.settle.value, Duration::from_mins(2));
    let mut set = elsewhere("settle_seconds = 5\n").unwrap();
    set.limit(Sourced::default_value(Duration::from_mins(2)));
    assert_eq!(set.settle.value, Duration::from_secs(5));
    assert_eq!(elsewhere("settle_seconds = 0\n").unwrap_err().code, "config-value");
    assert!(config.ehr("local").unwrap().client(&|_| None).is_ok());
}

#[test]
fn an_unknown_key_is_shown_with_its_place_and_what_was_meant() {
    let place = Place::new();
    let error = place.refused("[ehr.clinic]\nurl = \"https://a.example\"\ntimeout_secnds = 5\n");
    assert_eq!(
        (error.code, error.to_string().as_str()),
        ("config-unknown-key", "unknown key ehr.clinic.timeout_secnds")
    );
    assert_eq!(error.help.as_deref(), Some("did you mean `timeout_seconds`?"));
    let at = error.place.unwrap();
    assert_eq!((at.line, at.column, at.excerpt.as_str(), at.width), (3, 1, "timeout_secnds", 14));
    let error = place.refused("[stroe]\npath = \"x\"\n");
    assert_eq!(error.help.as_deref(), Some("did you mean `store`?"));
    assert_eq!(error.place.unwrap().excerpt, "[stroe");
    let error = place.refused("[store]\nzzz = 1\n");
    assert_eq!(error.help.as_deref(), Some("there are: path"));
}

#[test]
fn other_mistakes_have_a_code_and_a_place() {
    let place = Place::new();
    for (text, code, line, column) in [
        ("[ehr.a]\nurl = 5\n", "config-type", 2, 1),
        ("[ehr.a]\nurl = \"http://ehr.example.org\"\n", "config-value", 2, 1),
        ("[ehr.a]\nurl = \"https://a.example\"\ntimeout_seconds = 0\n", "config-value", 3, 1),
        ("[ehr.a]\nurl = \"https://a.example\"\ntimeout_seconds = -1\n", "config-value", 3, 1),
        ("[ehr.a]\nurl = \"https://a.example\"\ntimeout_seconds = \"5\"\n", "config-type", 3, 1),
        ("[ehr.a]\ntimeout_seconds = 5\n", "config-missing", 2, 1),
        ("[ehr.A]\nurl = \"https://a.example\"\n", "config-value", 2, 1),
        ("[ehr]\nurl = \"https://a.example\"\n", "config-type", 2, 1),
        ("[log]\nlevel = \"loud\"\n", "config-value", 2, 1),
        ("[identity]\nnamespace = \"mine\"\n", "config-value", 2, 1),
        ("[store]\npath = \"a\"\npath = \"b\"\n", "config-syntax", 3, 1),
        (
            "[ehr.a.auth]\nuser = \"u\"\n[ehr.a]\nurl = \"https://a.example\"\n",
            "config-value",
            2,
            1,
        ),
        ("[ehr.a.auth]\ntoken = { fil = \"x\" }\n", "config-type", 2, 1),
    ] {
        let error = place.refused(text);
        let at = error.place.clone().unwrap();
        assert_eq!((error.code, at.line, at.column), (code, line, column), "{text}{error}");
    }
    fs::write(place.path("ipt-fhir.toml"), b"[store]\npath = \"\xff\"\n").unwrap();
    assert_eq!(place.load().unwrap_err().code, "config-unreadable");
    let missing = place.path("nowhere.toml");
    let error = place.with(Some(&missing), None, Config::load).unwrap_err();
    assert_eq!(error.code, "config-unreadable");
}

#[test]
fn nothing_that_may_be_a_secret_is_shown() {
    let place = Place::new();
    for text in [
        "[ehr.a.auth]\ntoken = \"canary\n",
        "[ehr.a.auth]\ntoken = \"canary\" x\n",
        "[ehr.a]\nauth = { user = \"u\", password = \"canary\", usr = \"x\" }\n",
        "[ehr.a.auth]\ntokn = \"canary\"\n",
        "[ehr.a.auth]\npassword = \"\"\"\ncanary \\q\n\"\"\"\n",
        "[ehr.a.auth]\ncanary\n",
        "[ehr.a]\nurl = \"https://u:canary@a.example\"\n",
    ] {
        let error = place.refused(text);
        let shown = format!("{error} {error:?}");
        // A word that stands where a key should is no value; it is not shown all the same.
        assert!(!shown.contains("canary"), "{text}{shown}");
    }
}

#[test]
fn a_name_that_is_not_configured_gets_the_nearest_one() {
    let place = Place::new();
    place.write("ipt-fhir.toml", "[ehr.clinic]\nurl = \"https://a.example\"\n");
    let config = place.load().unwrap();
    let error = config.ehr("clinc").unwrap_err();
    assert_eq!(error.code, "config-unknown-ehr");
    assert!(error.help.unwrap().contains("did you mean `clinic`?"));
}

#[test]
fn secrets_come_from_files_variables_and_commands() {
    let mut place = Place::new();
    place.set("TOKEN", "from-variable");
    let file = place.write("secret", "from-file\n");
    let fetch = |place: &Place, token: &str| {
        let text = format!("[ehr.a]\nurl = \"https://a.example\"\n[ehr.a.auth]\ntoken = {token}\n");
        place.write("ipt-fhir.toml", &text);
        let config = place.load()?;
        let ipt_fhir::config::Auth::Bearer(token) = config.ehr("a")?.auth.clone() else { panic!() };
        let fetched = token.fetch(&|name| place.environment.get(name).cloned())?;
        Ok::<_, Error>((fetched.expose_secret().to_owned(), config.warnings.len()))
    };
    let told = |text: &str, warnings| (text.to_owned(), warnings);
    assert_eq!(fetch(&place, "{ file = \"secret\" }").unwrap(), told("from-file", 0));
    assert_eq!(fetch(&place, "{ env = \"TOKEN\" }").unwrap(), told("from-variable", 0));
    let command = "{ command = \"printf 'from-command\\\\nmore'\" }";
    assert_eq!(fetch(&place, command).unwrap(), told("from-command", 0));
    assert_eq!(fetch(&place, "\"inline\"").unwrap(), told("inline", 1));
    for (token, code) in [
        ("{ env = \"NOT_SET\" }", "config-secret"),
        ("{ command = \"exit 3\" }", "config-secret"),
        ("{ command = \"true\" }", "config-secret"),
        ("{ file = \"nowhere\" }", "config-secret"),
    ] {
        assert_eq!(fetch(&place, token).unwrap_err().code, code, "{token}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(fetch(&place, "{ file = \"secret\" }").unwrap_err().code, "config-permissions");
    fs::set_permissions(place.path("ipt-fhir.toml"), fs::Permissions::from_mode(0o604)).unwrap();
    fs::write(
        place.path("ipt-fhir.toml"),
        "[ehr.a]\nurl=\"https://a.example\"\nauth.token=\"x\"\n",
    )
    .unwrap();
    assert_eq!(place.load().unwrap_err().code, "config-permissions");
}

fn new_ehr(name: &str) -> NewEhr {
    NewEhr {
        name: name.to_owned(),
        url: "https://ehr.example.org/fhir".parse().unwrap(),
        timeout: Some(Duration::from_secs(9)),
        settle: None,
        network: NewNetwork::default(),
        auth: Some(NewAuth::Basic("ipt".to_owned(), NewSecret::Environment("PASSWORD".to_owned()))),
    }
}

#[test]
fn an_edit_keeps_comments_and_makes_private_files() {
    let place = Place::new();
    let path = place.with(None, None, file_to_edit).unwrap();
    assert_eq!(path, place.path(USER_FILE));
    add_ehr(&path, &new_ehr("clinic")).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let directory = path.parent().unwrap();
    assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
    let text = "# mine\n[log]   # quiet\nlevel = \"error\"\n";
    let local = place.write("ipt-fhir.toml", text);
    assert_eq!(place.with(None, None, file_to_edit).unwrap(), local);
    add_ehr(&local, &new_ehr("other")).unwrap();
    let edited = fs::read_to_string(&local).unwrap();
    assert!(edited.starts_with(text), "{edited}");
    insta::assert_snapshot!(edited.split_at(text.len()).1, @r#"

    [ehr.other]
    url = "https://ehr.example.org/fhir"
    timeout_seconds = 9

    [ehr.other.auth]
    user = "ipt"
    password = { env = "PASSWORD" }
    "#);
    let config = place.load().unwrap();
    assert_eq!(config.ehrs.keys().collect::<Vec<_>>(), ["clinic", "other"]);
    assert_eq!(add_ehr(&local, &new_ehr("other")).unwrap_err().code, "config-exists");
    assert_eq!(add_ehr(&local, &new_ehr("Other")).unwrap_err().code, "config-value");
    assert_eq!(fs::read_to_string(&local).unwrap(), edited);
    let broken = place.write("broken.toml", "[ehr\n");
    assert_eq!(add_ehr(&broken, &new_ehr("clinic")).unwrap_err().code, "config-syntax");
    assert_eq!(fs::read_to_string(&broken).unwrap(), "[ehr\n");
}

#[test]
fn the_way_to_an_ehr_is_configured() {
    use crate::support::tls::{Certificate, VALID};
    let place = Place::new();
    let authority = Certificate::authority("clinic");
    let ours = authority.issue(&["ipt"], VALID);
    place.write("ca.pem", &authority.pem());
    place.write("ours.pem", &ours.pem());
    let key = place.write("ours.key", &ours.key_pem());
    let load = |more: &str| {
        let text = format!(
            "[ehr.a]\nurl = \"https://a.example/fhir\"\nauth.token = {{ env = \"T\" }}\n{more}\n"
        );
        place.write("ipt-fhir.toml", &text);
        let ehr = place.load()?.ehr("a")?.clone();
        ehr.client(&|_| Some("token".to_owned()))?;
        Ok::<_, Error>(ehr.network)
    };
    let plain = load("").unwrap();
    assert!(!plain.private_network.value && plain.authorities.is_none() && plain.rate.is_none());
    let all = "private_network = true\nrate.per_minute = 250\nrate.aligned_to_minute = true\ntls.ca = \"ca.pem\"\ntls.certificate = \"ours.pem\"\ntls.key = \"ours.key\"";
    let network = load(all).unwrap();
    assert!(network.private_network.value);
    assert_eq!(network.authorities.unwrap().value, place.path("ca.pem"));
    let rate = network.rate.unwrap();
    assert_eq!(rate.value.to_string(), "250 per minute of the server's clock");
    assert_eq!(
        load("rate.per_second = 4").unwrap().rate.unwrap().value.to_string(),
        "4 per second"
    );
    for (more, code) in [
        ("private_network = 1", "config-type"),
        ("rate.per_minute = 0", "config-value"),
        ("rate.per_minute = -1", "config-value"),
        ("rate.per_minute = 100001", "config-value"),
        ("rate.per_minute = 1\nrate.per_second = 1", "config-value"),
        ("rate.aligned_to_minute = true", "config-value"),
        ("rate.per_second = 1\nrate.aligned_to_minute = true", "config-value"),
        ("rate.burst = 1", "config-unknown-key"),
        ("tls = \"ca.pem\"", "config-type"),
        ("tls.insecure = true", "config-unknown-key"),
        ("tls.ca = \"nowhere.pem\"", "config-unreadable"),
        ("tls.ca = \"ours.key\"", "config-value"),
        ("tls.certificate = \"ours.pem\"", "config-value"),
        ("tls.key = \"ours.key\"", "config-value"),
        ("tls.certificate = \"ours.key\"\ntls.key = \"ours.key\"", "config-value"),
        ("tls.certificate = \"ours.pem\"\ntls.key = \"ours.pem\"", "config-value"),
    ] {
        let error = load(more).unwrap_err();
        assert_eq!(error.code, code, "{more}: {error}");
        assert!(error.place.is_some(), "{more}");
        let key = ours.key_pem();
        let secret = key.lines().nth(1).unwrap();
        assert!(!format!("{error:?}").contains(secret), "{more}");
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(load(all).unwrap_err().code, "config-permissions");
}

#[test]
fn the_way_to_an_ehr_is_written_as_it_is_read() {
    let place = Place::new();
    let file = place.path("ipt-fhir.toml");
    let rates = [
        (NewRate::PerSecond(4), "4 per second"),
        (NewRate::PerMinute(60), "60 per minute"),
        (NewRate::PerClockMinute(250), "250 per minute of the server's clock"),
    ];
    for (number, (rate, shown)) in rates.into_iter().enumerate() {
        let name = format!("a{number}");
        let network = NewNetwork {
            private_network: true,
            authorities: Some("ca.pem".into()),
            identity: Some(("ours.pem".into(), "ours.key".into())),
            rate: Some(rate),
        };
        add_ehr(&file, &NewEhr { network, ..new_ehr(&name) }).unwrap();
        let network = place.load().unwrap().ehr(&name).unwrap().network.clone();
        assert!(network.private_network.value);
        assert_eq!(network.authorities.unwrap().value, place.path("ca.pem"));
        assert_eq!(network.identity.unwrap().key.value, place.path("ours.key"));
        assert_eq!(network.rate.unwrap().value.to_string(), shown);
    }
    let text = fs::read_to_string(&file).unwrap();
    insta::assert_snapshot!(text.split("[ehr.a2]").nth(1).unwrap(), @r#"

    url = "https://ehr.example.org/fhir"
    timeout_seconds = 9
    private_network = true

    [ehr.a2.tls]
    ca = "ca.pem"
    certificate = "ours.pem"
    key = "ours.key"

    [ehr.a2.rate]
    per_minute = 250
    aligned_to_minute = true

    [ehr.a2.auth]
    user = "ipt"
    password = { env = "PASSWORD" }
    "#);
}
