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
use ipt_fhir::date::Clock;
use ipt_fhir::telemetry::Level;
use ipt_fhir::vendor::{Allow, Encounters, Kind, Rung};
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

/// A clock that stands.
fn clock() -> Clock {
    Clock::new(|| "2026-03-02T10:00:00Z".parse().unwrap())
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
    let variables = place.environment.clone();
    let error = clinic.client(move |name| variables.get(name).cloned(), &clock()).unwrap_err();
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
    assert!(config.ehr("local").unwrap().client(|_| None, &clock()).is_ok());
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
        pack: None,
        allow: Allow::default(),
        hand_off: None,
    }
}

#[test]
fn what_is_allowed_below_structure_is_read_and_wrong_words_refused() {
    let mut place = Place::new();
    let ehr = "[ehr.a]\nurl = \"https://a.example\"\nauth.token.env = \"T\"\n";
    place.write("ipt-fhir.toml", ehr);
    let a = place.load().unwrap().ehrs["a"].clone();
    assert_eq!(a.allow(), Allow::default());
    assert_eq!(a.ladder.hand_off.value, place.path("home/.local/share/ipt-fhir/hand-off/a"));
    let more = "allow = [\"document\", \"form\"]\nopt_in = [\"diagnosis\"]\nencounter = \"create\"\nhand_off = \"out\"\n";
    let file = place.write("conf/ipt.toml", &format!("{ehr}{more}"));
    let read =
        |place: &Place| place.with(Some(&file), None, Config::load).unwrap().ehrs["a"].clone();
    let a = read(&place);
    let allow = Allow {
        rungs: [Rung::Form, Rung::Document].into(),
        opt_in: [Kind::Diagnosis].into(),
        encounters: Some(Encounters::Create),
    };
    assert_eq!(a.allow(), allow);
    assert_eq!(a.ladder.hand_off.value, place.path("conf/out"), "as the file means it");
    assert!(matches!(&a.ladder.rungs.origin, Origin::File(at) if at.line == 4));
    for (variable, value) in
        [("ALLOW", "hand-off"), ("OPT_IN", ""), ("ENCOUNTER", "link"), ("HAND_OFF", "~/there")]
    {
        place.set(&format!("IPT_FHIR_EHR__A__{variable}"), value);
    }
    let a = read(&place);
    let allow = Allow {
        rungs: [Rung::HandOff].into(),
        opt_in: [].into(),
        encounters: Some(Encounters::Link),
    };
    assert_eq!(a.allow(), allow);
    assert_eq!(a.ladder.hand_off.value, place.path("home/there"));
    assert_eq!(a.ladder.rungs.origin, Origin::Environment("IPT_FHIR_EHR__A__ALLOW".to_owned()));
    place.environment.retain(|name, _| name == "HOME");
    for (wrong, code, told) in [
        ("allow = [\"documents\"]", "config-value", "did you mean `document`?"),
        ("allow = [\"SECRETWORD\"]", "config-value", "form, document, hand-off"),
        ("allow = [\"structure\"]", "config-value", "need permission"),
        ("allow = [\"withheld\"]", "config-value", "need permission"),
        ("allow = [\"form\", \"form\"]", "config-value", "twice"),
        ("allow = [\"form,document\"]", "config-type", "a list of words"),
        ("allow = [\"\"]", "config-type", "a list of words"),
        ("allow = [1]", "config-type", "a list of words"),
        ("allow = \"form\"", "config-type", "a list of words"),
        ("opt_in = [\"diagnoses\"]", "config-value", "did you mean `diagnosis`?"),
        ("encounter = \"lnk\"", "config-value", "did you mean `link`?"),
        ("encounter = true", "config-type", "a text in quotes"),
        ("hand_off = \" \"", "config-value", "the path of a directory"),
    ] {
        let error = place.refused(&format!("{ehr}{wrong}\n"));
        assert_eq!((error.code, error.place.as_ref().unwrap().line), (code, 4), "{wrong}: {error}");
        assert!(error.message.contains(told), "{wrong}: {error}");
        assert!(!error.message.contains("SECRETWORD"));
    }
    let error = place.refused(&format!("{ehr}alow = []\n"));
    assert_eq!(error.help.as_deref(), Some("did you mean `allow`?"));
}

#[test]
fn what_is_allowed_is_written_and_read_back() {
    let place = Place::new();
    let file = place.path("ipt-fhir.toml");
    let allow = Allow {
        rungs: Rung::BELOW_STRUCTURE.into(),
        opt_in: [Kind::Diagnosis, Kind::Plan].into(),
        encounters: Some(Encounters::Link),
    };
    let new = NewEhr { allow: allow.clone(), hand_off: Some("out".into()), ..new_ehr("a") };
    add_ehr(&file, &new).unwrap();
    let a = place.load().unwrap().ehr("a").unwrap().clone();
    assert_eq!((a.allow(), a.ladder.hand_off.value), (allow, place.path("out")));
    let text = fs::read_to_string(&file).unwrap();
    let keys = text.split("[ehr.a.auth]").next().unwrap();
    insta::assert_snapshot!(keys, @r#"
    [ehr.a]
    url = "https://ehr.example.org/fhir"
    allow = ["form", "document", "hand-off"]
    opt_in = ["plan", "diagnosis"]
    encounter = "link"
    hand_off = "out"
    timeout_seconds = 9
    "#);
    add_ehr(&file, &new_ehr("b")).unwrap();
    let b = fs::read_to_string(&file).unwrap().split("[ehr.b]").nth(1).unwrap().to_owned();
    assert!(!b.contains("allow") && !b.contains("opt_in") && !b.contains("hand_off"), "{b}");
}

#[test]
fn a_pack_and_overrides_are_read_and_wrong_ones_refused() {
    let mut place = Place::new();
    let ehr = "[ehr.a]\nurl = \"https://a.example\"\nauth.token.env = \"T\"\n";
    place.write(
        "ipt-fhir.toml",
        &format!("{ehr}pack = \"epic\"\noverride = {{ Goal = [\"create\", \"-update\"] }}\n"),
    );
    let a = place.load().unwrap().ehrs["a"].clone();
    assert_eq!(a.pack.unwrap().value.name, "epic");
    assert_eq!(a.overrides.value.to_string(), "Goal=create,-update");
    place.set("IPT_FHIR_EHR__A__OVERRIDE", "Task=create");
    place.set("IPT_FHIR_EHR__A__PACK", "hapi");
    let a = place.load().unwrap().ehrs["a"].clone();
    assert_eq!(a.overrides.value.to_string(), "Task=create");
    assert_eq!(a.pack.unwrap().value.name, "hapi");
    place.set("IPT_FHIR_EHR__A__OVERRIDE", "");
    place.set("IPT_FHIR_EHR__A__PACK", "hapy");
    let error = place.load().unwrap_err();
    assert!(error.message.contains("did you mean `hapi`?"), "{error}");
    place.set("IPT_FHIR_EHR__A__PACK", "SECRETWORD");
    assert!(!place.load().unwrap_err().message.contains("SECRETWORD"));
    place.environment.retain(|name, _| name == "HOME");
    assert!(place.load().unwrap().ehrs["a"].overrides.value.get("Goal", "create").unwrap());
    for (wrong, code) in [
        ("override = { Goal = [\"creat\"] }", "config-value"),
        ("override = { goal = [\"create\"] }", "config-value"),
        ("override = { Goal = [\"create\", \"-create\"] }", "config-value"),
        ("override = { Goal = [] }", "config-type"),
        ("override = { Goal = \"create\" }", "config-type"),
        ("override = { Goal = [1] }", "config-type"),
        ("override = { \"Goal=create;Task\" = [\"create\"] }", "config-type"),
        ("override = {}", "config-type"),
        ("override = \"Goal=create\"", "config-type"),
        ("pack = 1", "config-type"),
        ("pack = \"\"", "config-value"),
    ] {
        let error = place.refused(&format!("{ehr}{wrong}\n"));
        assert_eq!((error.code, error.place.unwrap().line), (code, 4), "{wrong}");
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
        ehr.client(|_| Some("token".to_owned()), &clock())?;
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

const SMART: &str = "[ehr.a]\nurl = \"https://a.example/fhir\"\n[ehr.a.auth]\nclient_id = \"ipt\"\nkey = { file = \"key.json\" }\ntoken_url = \"https://a.example/token\"\n";

#[test]
fn a_smart_login_is_configured_whole_or_not_at_all() {
    let place = Place::new();
    place.write(
        "ipt-fhir.toml",
        &format!("{SMART}scope = \"system/Goal.rs  system/Task.c\"\nalgorithm = \"ES384\"\n"),
    );
    let config = place.load().unwrap();
    let ipt_fhir::config::Auth::Smart(smart) = config.ehr("a").unwrap().auth.clone() else {
        panic!()
    };
    assert_eq!((smart.client_id.as_str(), smart.key.source()), ("ipt", "file"));
    assert_eq!(smart.token_url.as_str(), "https://a.example/token");
    assert_eq!(smart.scope.as_deref(), Some("system/Goal.rs system/Task.c"));
    assert_eq!(smart.algorithm, Some(ipt_fhir::client::smart::Algorithm::Es384));
    for (name, code) in [
        ("client_id", "config-missing"),
        ("key", "config-missing"),
        ("token_url", "config-missing"),
    ] {
        let start = format!("{name} = ");
        let lines: Vec<&str> = SMART.lines().filter(|line| !line.starts_with(&start)).collect();
        let error = place.refused(&lines.join("\n"));
        assert_eq!(error.code, code, "{name}");
        assert!(error.to_string().contains(&format!("ehr.a.auth.{name}")), "{error}");
    }
    for more in [
        "token = { env = \"T\" }\n",
        "user = \"u\"\npassword = { env = \"T\" }\n",
        "scope = \" \"\n",
        "algorithm = \"RS256\"\n",
    ] {
        assert_eq!(place.refused(&format!("{SMART}{more}")).code, "config-value", "{more}");
    }
    for url in [
        "http://a.example/token",
        "https://A.example/token",
        "https://u@a.example/token",
        "http://127.0.0.1/token",
        "token",
    ] {
        let text = SMART.replace("https://a.example/token", url);
        assert_eq!(place.refused(&text).code, "config-value", "{url}");
    }
}

#[test]
fn a_key_is_read_whole_when_it_is_needed_and_must_sign() {
    let place = Place::new();
    place.write("ipt-fhir.toml", SMART);
    let client = || place.load().unwrap().ehr("a").unwrap().client(|_| None, &clock());
    assert_eq!(client().unwrap_err().code, "config-secret");
    place.write("key.json", "no key");
    assert_eq!(client().unwrap_err().code, "config-secret");
    let key = ipt_fhir::client::smart::KeyFile::generate(ipt_fhir::client::smart::Algorithm::Es384);
    let text = key.unwrap().to_text();
    let path = place.write("key.json", text.expose_secret());
    assert!(client().is_ok());
    place.write("ipt-fhir.toml", &format!("{SMART}algorithm = \"RS384\"\n"));
    assert_eq!(client().unwrap_err().code, "config-secret", "no key for the algorithm");
    place.write("ipt-fhir.toml", SMART);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(client().unwrap_err().code, "config-permissions");
    let inline = SMART.replace("{ file = \"key.json\" }", "\"inline\"");
    place.write("ipt-fhir.toml", &inline);
    assert_eq!(place.load().unwrap().warnings.len(), 1);
}

#[test]
fn a_command_may_say_how_long_its_token_is_good() {
    let mut place = Place::new();
    let token = |place: &Place, text: &str| {
        let text = format!("[ehr.a]\nurl = \"https://a.example\"\n[ehr.a.auth]\n{text}\n");
        place.write("ipt-fhir.toml", &text);
        match place.load()?.ehr("a")?.auth.clone() {
            ipt_fhir::config::Auth::Bearer(token) => Ok::<_, Error>(token.ttl()),
            other => panic!("{other:?}"),
        }
    };
    let minutes = |text: &str| format!("token = {{ command = \"x\", ttl = \"{text}\" }}");
    for (text, seconds) in [("50m", 3000), ("1h", 3600), ("90s", 90), ("1h 30m", 5400)] {
        assert_eq!(token(&place, &minutes(text)).unwrap(), Some(Duration::from_secs(seconds)));
    }
    assert_eq!(token(&place, "token = { command = \"x\" }").unwrap(), None);
    for text in ["", "50", "0s", "-1h", "8d", "soon"] {
        assert_eq!(token(&place, &minutes(text)).unwrap_err().code, "config-secret", "{text}");
    }
    for text in [
        "token = { file = \"x\", ttl = \"1h\" }",
        "user = \"u\"\npassword = { command = \"x\", ttl = \"1h\" }",
    ] {
        assert_eq!(token(&place, text).unwrap_err().code, "config-secret", "{text}");
    }
    for text in ["token = { ttl = \"1h\" }", "token = { command = \"x\", ttl = 5 }"] {
        assert_eq!(token(&place, text).unwrap_err().code, "config-type", "{text}");
    }
    place.set("IPT_FHIR_EHR__A__AUTH__TOKEN__COMMAND", "y");
    place.set("IPT_FHIR_EHR__A__AUTH__TOKEN__TTL", "5m");
    let found = token(&place, "token = { command = \"x\" }").unwrap();
    assert_eq!(found, Some(Duration::from_mins(5)));
}
