//! `ehr capabilities`: from a server, from a file, and through a pack.

use ipt_fhir::json::Value;

use super::Home;
use super::sandbox::Sandbox;
use crate::client::server::{Server, answer};
use crate::vendor::{CAPTURED, captured};
use ipt_fhir::fhir::Refusal;
use ipt_fhir::store::Store;

const STATEMENT: &str = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","date":"2026-01-01",
    "software":{"name":"Secret Software"},"publisher":"Oracle Health",
    "rest":[{"mode":"server","interaction":[{"code":"batch"}],"resource":[
      {"type":"Condition","interaction":[{"code":"read"},{"code":"create"},{"code":"search-type"}],
       "searchParam":[{"name":"patient"}]},
      {"type":"Encounter","interaction":[{"code":"read"},{"code":"create"}]}]}]}"#;

/// A fact of the envelope's result.
fn fact<'a>(result: &'a Value, resource_type: &str, name: &str) -> &'a Value {
    let types = result.items("kinds").flat_map(|kind| kind.items("types"));
    let mut types = types.filter(|one| one.text("type") == Some(resource_type));
    types.next().unwrap().get(name).unwrap()
}

fn allowed(fact: &Value) -> bool {
    fact.get("allowed").and_then(Value::as_bool).unwrap()
}

#[test]
fn capabilities_of_a_server_are_kept_and_a_change_is_told() {
    let home = Home::new();
    let sandbox = Sandbox::start(&home, "");
    home.run(&format!("ehr add here {} --encounter create", sandbox.url)).ends(0);
    let first = home.run("ehr capabilities here").ends(0).stdout;
    assert!(first.starts_with("here: FHIR R4, statement "), "{first}");
    assert!(first.contains("asked now for the first time"), "{first}");
    assert!(first.contains("pack: none") && first.contains("scopes: not known here"), "{first}");
    assert!(first.contains("transports: transaction, batch, single"), "{first}");
    assert!(!first.contains("otherwise than the statement"), "{first}");
    let again = home.run("ehr capabilities here").ends(0).stdout;
    assert!(again.contains("the same as last time"), "{again}");
    let result = home.run("ehr capabilities here --format json").ends(0).envelope();
    let result = result.get("result").unwrap();
    assert_eq!(result.get("statement").unwrap().text("change"), Some("same"));
    assert_eq!(fact(result, "Goal", "conditional_create").text("source"), Some("statement"));
    assert!(allowed(fact(result, "CarePlan", "identifier_search")));
    let ways: Vec<_> = result.items("ways").map(|way| way.text("possible").unwrap()).collect();
    assert_eq!(ways, ["structure"; 4]);
    // A server that is gone is no statement.
    home.run("ehr add gone http://127.0.0.1:9/fhir").ends(0);
    let gone = home.run("ehr capabilities gone --format json").ends(1);
    assert_eq!(gone.codes(), ["ehr-unreachable"]);
    assert_eq!(home.run("ehr capabilities --format json").ends(2).codes(), ["ehr-unnamed"]);
}

#[test]
fn one_request_is_made_and_a_changed_statement_forgets_refusals() {
    let home = Home::new();
    let later = STATEMENT.replace(r#"{"code":"batch"}"#, r#"{"code":"transaction"}"#);
    let same = STATEMENT.replace("2026-01-01", "2026-02-02");
    let steps = [STATEMENT, &same, &same, &later].map(|text| answer(200, &[], text));
    let server = Server::start(steps.into());
    home.run(&format!("ehr add it {}", server.base())).ends(0);
    home.run("ehr capabilities it").ends(0);
    let moment = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let refusal = Refusal {
        until: moment("2199-01-01T00:00:00Z"),
        ..Refusal::new("Condition", "create", 403, moment("2026-01-01T00:00:00Z"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let learn = async || {
        let store = Store::open(&home.path("home/.local/share/ipt-fhir")).await.unwrap();
        let writer = store.writer("it").await.unwrap();
        writer.learn_refusal(&server.base(), &refusal).await.unwrap();
    };
    runtime.block_on(learn());
    let refused = home.run("ehr capabilities it").ends(0).stdout;
    assert!(refused.contains("the same as last time"), "{refused}");
    let told = "Condition create: no - the server refused it; tried again after 2199-01-01";
    assert!(refused.contains(told), "{refused}");
    let forgotten = home.run("ehr capabilities it --forget-refusals").ends(0).stdout;
    assert!(!forgotten.contains("refused"), "{forgotten}");
    runtime.block_on(learn());
    let changed = home.run("ehr capabilities it").ends(0).stdout;
    assert!(changed.contains("CHANGED since last time"), "{changed}");
    assert!(!changed.contains("refused") && changed.contains("transports: transaction, single"));
    let asked: Vec<_> = server.requests().into_iter().map(|r| (r.method, r.target)).collect();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|(method, target)| method == "GET" && target == "/fhir/metadata"));
}

#[test]
fn from_reads_a_saved_statement_through_a_pack() {
    let home = Home::new();
    home.write("statement.json", STATEMENT);
    let alone = home.run("ehr capabilities --from statement.json").ends(0).stdout;
    assert!(alone.contains("from a file, no server was asked"), "{alone}");
    assert!(alone.contains("assumed to be granted as asked for"), "{alone}");
    assert!(alone.contains("oracle-health may fit, by the statement's publisher"), "{alone}");
    assert!(alone.contains("transports: batch, single"), "{alone}");
    let line = |text: &str, resource_type: &str| -> Vec<String> {
        let mut lines = text.lines().map(|line| line.split_whitespace().map(str::to_owned));
        lines
            .find_map(|mut words| {
                words.clone().any(|w| w == resource_type).then(|| words.by_ref().collect())
            })
            .unwrap()
    };
    let cells = |text: &str| line(text, "Condition")[2..].to_vec();
    assert_eq!(cells(&alone), ["yes", "yes", "yes", "-", "-", "-", "-", "-", "-"]);
    let packed =
        home.run("ehr capabilities --from statement.json --pack oracle-health").ends(0).stdout;
    assert!(packed.contains("pack: oracle-health"), "{packed}");
    assert!(!packed.contains("may fit"), "{packed}");
    assert!(
        packed.contains("Encounter create: no - pack oracle-health: a second visit"),
        "{packed}"
    );
    assert!(packed.contains("(documented, not measured)"), "{packed}");
    assert!(packed.contains("transports: single\n"), "{packed}");
    assert!(!packed.contains("Condition create:"), "{packed}");
    let explained = home
        .run("ehr capabilities --from statement.json --pack oracle-health --explain")
        .ends(0)
        .stdout;
    assert!(explained.contains("Condition create: yes - the statement lists it"), "{explained}");
    assert!(explained.contains("Goal read: no - the statement does not list it"), "{explained}");
    let fed = home.feed("ehr capabilities --from - --format json", STATEMENT).ends(0).envelope();
    let suggestion = fed.get("result").unwrap().get("suggestion").unwrap();
    assert_eq!(suggestion.text("pack"), Some("oracle-health"));
    for text in [&alone, &packed, &explained] {
        assert!(!text.contains("Secret"), "{text}");
    }
    home.run("ehr capabilities --from statement.json --pack cerner").ends(2);
}

#[test]
fn scopes_narrow_what_a_statement_lists() {
    let home = Home::new();
    home.write("statement.json", STATEMENT);
    let mut command = home.command([
        "ehr",
        "capabilities",
        "--from",
        "statement.json",
        "--format",
        "json",
        "--scopes",
        "system/Condition.r system/Condition.c?category=problem-list-item launch",
    ]);
    let run = super::Run::of(&command.output().unwrap()).ends(0);
    let envelope = run.envelope();
    let result = envelope.get("result").unwrap();
    assert!(allowed(fact(result, "Condition", "read")));
    let create = fact(result, "Condition", "create");
    let only = create.items("only").next().and_then(Value::as_str);
    assert!(allowed(create) && only == Some("category=problem-list-item"));
    let search = fact(result, "Condition", "search");
    assert!(!allowed(search) && search.text("source") == Some("scope"));
    assert_eq!(fact(result, "Encounter", "create").text("source"), Some("scope"));
    assert_eq!(fact(result, "Goal", "create").text("source"), Some("not-said"));
    let human =
        home.run("ehr capabilities --from statement.json --scopes system/Condition.r").ends(0);
    assert!(human.stdout.contains("scopes: assumed to be granted: system/Condition.r"));
    assert!(human.stdout.contains("Condition create: no - no scope grants it"), "{}", human.stdout);
}

#[test]
fn pack_and_override_of_the_configuration_count() {
    let home = Home::new();
    home.write("statement.json", STATEMENT);
    home.write("ipt-fhir.toml", "[log]\nlevel = \"error\"\n");
    home.run("ehr add here http://127.0.0.1:9/fhir --pack oracle-health").ends(0);
    let path = home.path("ipt-fhir.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("pack = \"oracle-health\""), "{text}");
    let list = home.run("ehr list --format json").ends(0).envelope();
    assert_eq!(list.items("result").next().unwrap().text("pack"), Some("oracle-health"));
    let more = "\n[ehr.here.override]\nEncounter = [\"create\"]\nCondition = [\"-create\"]\nsystem = [\"batch\"]\n";
    home.write("ipt-fhir.toml", text + more);
    let run = home.run("ehr capabilities here --from statement.json").ends(0).stdout;
    assert!(run.starts_with("here: ") && run.contains("(configured)"), "{run}");
    assert!(run.contains("Encounter create: yes - the operator says so"), "{run}");
    assert!(run.contains("Condition create: no - the operator says so"), "{run}");
    assert!(run.contains("system batch: yes - the operator says so"), "{run}");
    let by_flag = home.run("ehr capabilities --ehr here --from statement.json").ends(0).stdout;
    assert_eq!(run, by_flag);
    // Without a name the file stands for itself.
    let file = home.run("ehr capabilities --from statement.json").ends(0).stdout;
    assert!(file.contains("pack: none"), "{file}");
    home.run("ehr add other http://127.0.0.1:9/fhir --pack cerner").ends(2);
}

#[test]
fn files_that_are_no_statement_are_refused_by_name() {
    let home = Home::new();
    for (name, text, code) in [
        ("a", "{", "input-not-json"),
        ("b", "[]", "input-not-fhir"),
        ("c", r#"{"resourceType":"Patient","id":"SECRETWORD"}"#, "input-not-a-statement"),
        ("d", r#"{"resourceType":"CapabilityStatement"}"#, "input-not-a-statement"),
        ("e", "<html>SECRETWORD</html>", "input-not-json"),
    ] {
        home.write(name, text);
        let run = home.run(&format!("ehr capabilities --from {name} --format json")).ends(4);
        assert_eq!(run.codes(), [code], "{name}");
        assert!(!run.stdout.contains("SECRETWORD") && !run.stderr.contains("SECRETWORD"));
    }
    let gone = home.run("ehr capabilities --from nowhere --format json").ends(4);
    assert_eq!(gone.codes(), ["input-unreadable"]);
    home.write(
        "large",
        format!("{{\"resourceType\":\"CapabilityStatement\"{}}}", " ".repeat(16 << 20)),
    );
    let large = home.run("ehr capabilities --from large --format json").ends(4);
    assert_eq!(large.codes(), ["input-too-large"]);
    home.write("deep", "[".repeat(1000));
    assert_eq!(
        home.run("ehr capabilities --from deep --format json").ends(4).codes(),
        ["input-not-json"]
    );
}

#[test]
fn captured_statements_are_shown_through_their_packs() {
    let home = Home::new();
    for (name, pack) in CAPTURED {
        let Some(statement) = captured(name) else { return };
        home.write("statement.json", statement.to_text());
        let run = home
            .run(&format!("ehr capabilities --from statement.json --pack {pack} --format json"));
        let envelope = run.ends(0).envelope();
        let result = envelope.get("result").unwrap();
        assert_eq!(result.get("suggestion").unwrap().text("pack"), Some(pack), "{name}");
        for (resource_type, member) in [("CarePlan", "create"), ("Goal", "create")] {
            assert!(!allowed(fact(result, resource_type, member)), "{name}");
        }
        let sources = result.items("ways").filter_map(|way| way.get("pack")?.get("told_by"));
        assert_eq!(sources.count(), 4, "{name}");
        let human = home.run(&format!("ehr capabilities --from statement.json --pack {pack}"));
        assert!(human.ends(0).stdout.contains(&format!("pack: {pack} ")), "{name}");
    }
}
