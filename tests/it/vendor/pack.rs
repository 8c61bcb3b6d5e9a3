//! The packs: strictly read, sourced, and in keeping with the captured statements and the design.

use std::collections::BTreeSet;

use ipt_fhir::vendor::{
    CodeClass, Effective, Evidence, Kind, Overrides, Pack, Rung, Supersede, declared_rung, suggest,
};

use super::{all_captured, listing};

const SMALL: &str = r#"
format = 1
name = "small"
title = "Small"
version = "2026.11"
[sources]
seen = { text = "seen", evidence = "measured" }
[limits]
max_entries = { value = 5, source = "seen" }
"#;

#[track_caller]
fn refused(text: &str, why: &str) {
    let error = Pack::parse(text).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn all_packs_are_read_and_have_names_of_their_own() {
    assert_eq!(Pack::all().len(), Pack::texts().len());
    for text in Pack::texts() {
        let pack = Pack::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Pack::named(&pack.name), Some(&pack));
        assert!(!pack.matches.is_empty() && pack.ladder.len() == Kind::ALL.len(), "{}", pack.name);
    }
    let names: BTreeSet<&str> = Pack::names().collect();
    assert_eq!(names.len(), 13);
    // Each file of the folder is carried, under its name.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/vendors");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let files: BTreeSet<String> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(files.iter().map(String::as_str).collect::<BTreeSet<_>>(), names);
    assert_eq!(Pack::named("cerner"), None);
}

#[test]
fn what_is_wrong_with_a_pack_is_told() {
    Pack::parse(SMALL).unwrap();
    let with = |more: &str| format!("{SMALL}{more}");
    refused(&with("max_entrys = { value = 5, source = \"seen\" }"), "line 10");
    refused(&with("max_entrys = { value = 5, source = \"seen\" }"), "unknown field `max_entrys`");
    refused(&with("page_size = { value = 5, source = \"heard\" }"), "there is no source `heard`");
    refused(&with("page_size = { value = 5 }"), "missing field `source`");
    refused(&with("page_size = 5"), "line 10");
    refused(
        &with("page_size = { value = 5, source = \"seen\", sauce = 1 }"),
        "unknown field `sauce`",
    );
    refused(&SMALL.replace("\"measured\"", "\"guessed\""), "unknown variant `guessed`");
    refused(
        &SMALL.replace("seen = {", "heard = { text = \"x\", evidence = \"memory\" }\nseen = {"),
        "named by no fact",
    );
    refused(&SMALL.replace("format = 1", "format = 2"), "format 2");
    refused(&with("max_entries = { value = 6, source = \"seen\" }"), "duplicate key");
    let resource =
        |rest: &str| with(&format!("[[resource]]\ntype = \"Goal\"\nsource = \"seen\"\n{rest}"));
    Pack::parse(&resource("deny = [\"create\", \"search:identifier\"]")).unwrap();
    refused(&resource("allow = [\"create\"]"), "go together");
    refused(&resource("deny = [\"create\"]\nbeyond_statement = true"), "go together");
    refused(&resource("deny = [\"creat\"]"), "unknown word `creat`");
    refused(&resource("deny = [\"transaction\"]"), "unknown word `transaction`");
    refused(&resource("deny = [\"create\", \"create\"]"), "`create` twice");
    refused(&resource(""), "neither");
    refused(
        &with("[[match]]\nsoftware = \"HAPI FHIR Server\"\nsource = \"seen\""),
        "a match needs",
    );
    refused(&with("[[note]]\ntext = \"x\""), "missing field `source`");
    let code =
        "[[codes.code]]\ncode = \"7\"\nclass = \"permanent\"\nmeaning = \"x\"\nsource = \"seen\"\n";
    refused(&with(code), "`place` does not say");
    let place = "[codes]\nplace = { value = \"coding\", source = \"seen\" }\n";
    Pack::parse(&with(&format!("{place}{code}"))).unwrap();
    refused(&with(&format!("{place}{code}{code}")), "code 7: twice");
    refused(
        &with(&format!("{place}{}", code.replace("permanent", "odd"))),
        "unknown variant `odd`",
    );
    refused(
        &with("[document]\nplan_types = { value = [\"56447-7\"], source = \"seen\" }"),
        "no LOINC code",
    );
    refused(&SMALL.replace("value = 5", "value = 0"), "a Bundle of no entry");
    refused(&SMALL.replace("value = 5", "value = -5"), "line 9");
    let rate = "[[rate]]\nrequests = 5\nseconds = 0\nper = \"app\"\nsource = \"seen\"\n";
    refused(&with(rate), "at least 1 second");
    let step = "[[ladder]]\nkind = \"plan\"\nrung = \"document\"\nsource = \"seen\"\n";
    refused(&with(&format!("{step}{step}")), "ladder plan: twice");
    refused(&with(&step.replace("rung", "rang")), "unknown field `rang`");
}

#[test]
fn packs_that_nobody_measured_say_so() {
    for name in ["azure", "google", "healthlake"] {
        let pack = Pack::named(name).unwrap();
        assert!(
            pack.sources.values().all(|source| source.evidence != Evidence::Measured),
            "{name}"
        );
    }
    for (_, name, _) in all_captured() {
        assert_eq!(
            Pack::named(name).unwrap().source("statement").unwrap().evidence,
            Evidence::Measured
        );
    }
}

/// ehrs-and-sync.md 1.6, "Default rungs of the packs"; `?` for by opt-in.
pub(crate) const RUNGS: &str = "
    epic | document | document | structure? | document
    oracle-health | document | document | structure | document
    veradigm | document | document | structure | structure
    athenahealth | hand-off | hand-off | hand-off | form
    meditech | hand-off | hand-off | hand-off | form
    eclinicalworks | hand-off | hand-off | hand-off | hand-off
    nextgen-enterprise | hand-off | hand-off | hand-off | hand-off
    nextgen-office | hand-off | hand-off | hand-off | hand-off
    hapi | structure | structure | structure | structure
    azure | structure | structure | structure | structure
    google | structure | structure | structure | structure
    healthlake | structure | structure | structure | structure
    medplum | structure | structure | structure | structure";

#[test]
fn default_rungs_are_those_of_the_design() {
    let rows: Vec<&str> = RUNGS.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), Pack::all().len());
    for row in rows {
        let mut cells = row.split('|').map(str::trim);
        let pack = Pack::named(cells.next().unwrap()).unwrap();
        let found: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| {
                let step = pack.rung(*kind).unwrap();
                format!("{}{}", step.rung.code(), if step.opt_in { "?" } else { "" })
            })
            .collect();
        assert_eq!(found, cells.collect::<Vec<_>>(), "{}", pack.name);
    }
}

#[test]
fn no_pack_climbs_higher_than_its_statement_without_saying_so() {
    for (_, name, statement) in all_captured() {
        let pack = Pack::named(name).unwrap();
        for kind in Kind::ALL {
            let step = pack.rung(kind).unwrap();
            let declared = declared_rung(kind, |of, code| statement.allows(of, code));
            assert_eq!(step.rung > declared, step.beyond_statement, "{name} {}", kind.code());
            if step.rung < declared {
                assert!(step.note.is_some(), "{name} {}: narrowed without a reason", kind.code());
            }
            // The pack's own rules must leave its own rung standing.
            let none = Overrides::default();
            let effective = Effective::new(&statement, None, Some(pack), &none, &[]);
            assert!(step.rung <= effective.rung(kind), "{name} {}", kind.code());
        }
    }
}

/// What a pack holds of a statement is what was captured, for the types that it names and the words that it knows.
#[test]
fn the_statement_of_a_pack_is_the_one_that_was_captured() {
    for (_, name, captured) in all_captured() {
        let declared = Pack::named(name).unwrap().declared().unwrap();
        assert_eq!(declared.interactions, captured.interactions, "{name}");
        let types: BTreeSet<&str> = Pack::all()
            .iter()
            .flat_map(|pack| pack.statement.iter().flat_map(|one| one.types.value.keys()))
            .map(String::as_str)
            .collect();
        assert_eq!(types.len(), 19);
        for of in types {
            let (Some(ours), Some(theirs)) =
                (declared.resources.get(of), captured.resources.get(of))
            else {
                let in_both = (declared.resources.get(of), captured.resources.get(of));
                assert_eq!(in_both, (None, None), "{name} {of}");
                continue;
            };
            assert_eq!(ours.interactions, theirs.interactions, "{name} {of}");
            assert_eq!(ours.update_create, theirs.update_create, "{name} {of}");
            assert!(!ours.conditional_create && !theirs.conditional_create, "{name} {of}");
            for parameter in ["identifier", "patient", "_lastUpdated", "_lastupdated"] {
                let says = |known: &BTreeSet<String>| known.contains(parameter);
                assert_eq!(
                    says(&ours.search_parameters),
                    says(&theirs.search_parameters),
                    "{name} {of} {parameter}"
                );
            }
        }
    }
    let wrong = |types: &str| {
        format!(
            "{SMALL}[statement]\nsystem = {{ value = [], source = \"seen\" }}\n[statement.types]\nsource = \"seen\"\n[statement.types.value]\n{types}"
        )
    };
    Pack::parse(&wrong("Goal = [\"create\", \"search:identifier\"]")).unwrap();
    refused(&wrong("Goal = [\"creat\"]"), "unknown word `creat`");
    refused(&wrong("Gaol = \"create\""), "expected a sequence");
    refused(&wrong("goal = [\"create\"]"), "is no type");
}

#[test]
fn what_a_pack_changes_is_otherwise_in_the_statement() {
    for (_, name, statement) in all_captured() {
        let none = Overrides::default();
        let alone = Effective::new(&statement, None, None, &none, &[]);
        for rule in &Pack::named(name).unwrap().rules {
            for word in &rule.deny {
                // `update-create` of a type without update is worth nothing and denied all the same.
                let is_flag = word == "update-create"
                    && statement.resources[&rule.resource_type].update_create;
                let said = alone.fact(&rule.resource_type, word).allowed || is_flag;
                assert!(said, "{name}: {} {word} is denied and was never said", rule.resource_type);
            }
            for word in &rule.allow {
                let said = alone.fact(&rule.resource_type, word).allowed;
                assert!(!said, "{name}: {} {word} is no widening", rule.resource_type);
            }
        }
        // How changes are asked for is as the statement lists it.
        let pack = Pack::named(name).unwrap();
        let last_updated = pack.search.last_updated.as_ref().unwrap();
        let lists =
            statement.resources.values().any(|t| t.search_parameters.contains("_lastUpdated"));
        assert_eq!(last_updated.value.parameter.is_some(), lists, "{name}");
        // A note is superseded by an update only where one can be made.
        let updates = alone.allows("DocumentReference", "update").allowed;
        if let Some(supersede) = &pack.document.supersede {
            assert!(supersede.value != Supersede::Update || updates, "{name}");
        }
    }
}

#[test]
fn each_captured_statement_suggests_its_own_pack() {
    for (_, name, statement) in all_captured() {
        let suggestion = suggest(&statement, "fhir.hospital.example").unwrap();
        assert_eq!(suggestion.pack.name, name);
        // Without implementation.url the publisher says it, where there is a telling one.
        let mut nameless = statement.clone();
        nameless.implementation_url = None;
        let found = suggest(&nameless, "").map(|suggestion| suggestion.pack.name.as_str());
        let silent = ["epic", "nextgen-office"].contains(&name);
        assert_eq!(found, (!silent).then_some(name), "{name}");
    }
}

#[test]
fn software_alone_suggests_nothing() {
    let mut statement = listing(&["Patient=read"]);
    for software in ["HAPI FHIR Server", "Epic"] {
        statement.software = Some(software.to_owned());
        assert_eq!(suggest(&statement, "ehr.example.org"), None);
    }
    statement.implementation_url = Some("https://ehr.example.org/x/api/fhir/R4".to_owned());
    assert_eq!(suggest(&statement, "").unwrap().pack.name, "epic");
    let mut hapi = listing(&["system=transaction"]);
    hapi.software = Some("HAPI FHIR Server".to_owned());
    assert_eq!(suggest(&hapi, "").unwrap().pack.name, "hapi");
    for (host, name) in [
        ("ws-fhir.fhir.azurehealthcareapis.com", Some("azure")),
        ("healthcare.googleapis.com", Some("google")),
        ("healthlake.us-east-1.amazonaws.com", Some("healthlake")),
        ("api.medplum.com", Some("medplum")),
        ("medplum.com.evil.example", None),
    ] {
        let found = suggest(&listing(&[]), host).map(|suggestion| suggestion.pack.name.as_str());
        assert_eq!(found, name, "{host}");
    }
    // What a server says of itself counts for a suggestion only, and is no URL that anything breaks at.
    for url in ["", "epic.com", "javascript:epic.com", "https://", "https://[::1", "urn:uuid:1"] {
        statement.software = None;
        statement.implementation_url = Some(url.to_owned());
        assert_eq!(suggest(&statement, ""), None, "{url}");
    }
}

#[test]
fn codes_mean_what_the_vendors_say() {
    use CodeClass::{
        AlreadyThere, Incomplete, Merged, NextDay, Permanent, Policy, RestartSearch, RetryOnce,
        Success,
    };
    let epic = Pack::named("epic").unwrap();
    for (code, class) in [
        ("4130", Policy),
        ("4131", Policy),
        ("4134", Policy),
        ("4107", Merged),
        ("4113", RestartSearch),
        ("4119", Incomplete),
        ("4127", Incomplete),
        ("4135", NextDay),
        ("59012", Permanent),
        ("59108", Permanent),
        ("59133", Incomplete),
        ("59141", AlreadyThere),
        ("59189", Permanent),
    ] {
        assert_eq!(epic.code_class(code, None), Some(class), "{code}");
    }
    assert_eq!(epic.code_class("59189", Some("code/instant")), Some(AlreadyThere));
    assert_eq!(epic.code_class("59189", Some("value")), Some(Permanent));
    assert_eq!(epic.code_class("1", None), None);
    let ecw = Pack::named("eclinicalworks").unwrap();
    for (code, class) in [
        ("1", Success),
        ("103", RetryOnce),
        ("104", RetryOnce),
        ("136", RetryOnce),
        ("202", Permanent),
        ("999", Permanent),
    ] {
        assert_eq!(ecw.code_class(code, None), Some(class), "{code}");
    }
}

#[test]
fn what_must_not_be_forgotten_is_in_the_packs() {
    let pack = |name: &str| Pack::named(name).unwrap();
    assert_eq!(pack("medplum").limits.max_conditional_entries.as_ref().unwrap().value, 8);
    assert_eq!(pack("azure").limits.max_entries.as_ref().unwrap().value, 500);
    assert_eq!(pack("healthlake").limits.max_entries.as_ref().unwrap().value, 160);
    let limit = |name: &str| pack(name).limits.text[0].clone();
    assert_eq!(limit("healthlake").characters, 10_000);
    assert_eq!((limit("epic").element.as_str(), limit("epic").characters), ("Condition.note", 450));
    let rate = &pack("eclinicalworks").rate[0];
    assert_eq!((rate.requests, rate.seconds, rate.aligned), (250, 60, true));
    assert_eq!(pack("epic").queries("CarePlan").next().unwrap().values.len(), 3);
    assert!(pack("oracle-health").ignores("Condition", "_count").is_some());
    assert!(pack("oracle-health").ignores("Condition", "patient").is_none());
    assert_eq!(pack("epic").references(Kind::Session, "DocumentReference").count(), 1);
    assert!(!pack("epic").login.send_scope.as_ref().unwrap().value);
    assert_eq!(pack("oracle-health").login.token_seconds.as_ref().unwrap().value, 570);
    assert_eq!(pack("epic").document.supersede.as_ref().unwrap().value, Supersede::None);
    assert_eq!(pack("hapi").rung(Kind::Plan).unwrap().rung, Rung::Structure);
}
