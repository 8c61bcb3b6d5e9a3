//! What each personality declares: that of the design's tables, and the rungs that follow.

use ipt_fhir::fhir::{Capability, Resource};
use ipt_fhir::sandbox::{Behaviour, Config, Personality};
use ipt_fhir::vendor::{Effective, Kind, Overrides, Pack, suggest};

use super::{Ehr, patient};
use crate::vendor::declared::{DECLARED, cell, rows};
use crate::vendor::pack::RUNGS;

/// The personalities in the order of the columns of [`DECLARED`].
const HOSPITALS: [&str; 8] =
    ["epic", "oracle", "athena", "ecw", "nextgen", "nextgen-office", "veradigm", "meditech"];

async fn statement(name: &str) -> (Ehr, Resource, Capability) {
    let ehr = Ehr::playing(Personality::named(name).unwrap()).await;
    let statement = ehr.get("metadata").await.resource();
    let capability = Capability::parse(&statement).unwrap();
    (ehr, statement, capability)
}

#[tokio::test]
async fn hospitals_declare_what_the_design_says_they_do() {
    let mut statements = Vec::new();
    for name in HOSPITALS {
        statements.push(statement(name).await.2);
    }
    for row in rows(DECLARED) {
        let found: Vec<String> =
            statements.iter().map(|capability| cell(capability, row[0])).collect();
        assert_eq!(found, row[1..], "{}", row[0]);
    }
}

#[tokio::test]
async fn hospitals_declare_nothing_that_makes_writing_safe() {
    for name in HOSPITALS.into_iter().chain(["poor"]) {
        let (ehr, statement, capability) = statement(name).await;
        let text = statement.to_text();
        for never in
            ["versioning", "conditional", "vread", "history", "transaction", "updateCreate"]
        {
            assert!(!text.contains(never), "{name}: {never}");
        }
        let system: Vec<_> = capability.interactions.iter().map(String::as_str).collect();
        assert_eq!(system, if name == "oracle" { vec!["batch"] } else { vec![] }, "{name}");
        // What is not declared is not done either.
        for (request, statuses) in [
            ("GET Patient/lee/_history", [404, 404]),
            ("GET Patient/lee/_history/1", [404, 404]),
            ("GET _history", [404, 404]),
            ("DELETE Patient/lee", [405, 405]),
            ("POST CarePlan", [404, 405]),
            ("PUT Goal/1", [404, 405]),
            ("POST ClinicalImpression", [404, 404]),
        ] {
            let body =
                if request.starts_with('P') { r#"{"resourceType":"Goal","id":"1"}"# } else { "" };
            let answer = ehr.ask(request, &[], body).await;
            assert!(statuses.contains(&answer.status), "{name} {request}: {}", answer.status);
            assert_eq!(answer.issue(), "not-supported", "{name} {request}");
        }
        let bundle = r#"{"resourceType":"Bundle","type":"transaction"}"#;
        assert_eq!(ehr.post("", bundle).await.status, 501, "{name}");
        assert_eq!(ehr.running.writes(), 0, "{name}");
    }
}

#[tokio::test]
async fn what_is_declared_as_a_search_works() {
    for name in HOSPITALS.into_iter().chain(["poor"]) {
        let (ehr, _, capability) = statement(name).await;
        for (resource_type, listed) in &capability.resources {
            for parameter in &listed.search_parameters {
                let needed = if name == "epic" { "&patient=lee&category=x" } else { "" };
                let ask = format!("GET {resource_type}?{parameter}:missing=true{needed}");
                let asked = ehr.ask(&ask, &[], "").await;
                assert_eq!(asked.status, 200, "{name} {ask}");
            }
        }
    }
}

#[tokio::test]
async fn rungs_are_the_default_ones() {
    for row in rows(RUNGS) {
        let mut personalities = Personality::ALL.into_iter();
        let played = personalities.find(|one| one.pack().is_some_and(|pack| pack.name == row[0]));
        let (_, _, capability) = statement(played.unwrap().name()).await;
        let pack = Pack::named(row[0]).unwrap();
        let overrides = Overrides::default();
        let effective = Effective::new(&capability, None, Some(pack), &overrides, &[]);
        let found: Vec<String> = Kind::ALL
            .into_iter()
            .map(|kind| {
                let (step, allowed) = (pack.rung(kind).unwrap(), effective.rung(kind));
                assert!(step.rung <= allowed, "{} {kind:?}: {allowed:?}", row[0]);
                let opt_in = if step.opt_in { "?" } else { "" };
                format!("{}{opt_in}", step.rung.min(allowed).code())
            })
            .collect();
        assert_eq!(found, row[1..], "{}", row[0]);
    }
}

#[tokio::test]
async fn each_announces_itself_as_far_as_a_loopback_address_can() {
    for personality in Personality::ALL {
        let (_, _, capability) = statement(personality.name()).await;
        let suggested = suggest(&capability, "127.0.0.1").map(|found| found.pack.name.as_str());
        // These are known by their hosts alone.
        let by_host = ["nextgen-office", "azure", "google", "healthlake", "medplum", "poor"];
        let expected = personality.pack().map(|pack| pack.name.as_str());
        let expected = expected.filter(|_| !by_host.contains(&personality.name()));
        assert_eq!(suggested, expected, "{}", personality.name());
    }
}

#[tokio::test]
async fn a_server_can_learn_a_type() {
    let (ehr, ..) = statement("epic").await;
    let mut behaviour = ehr.running.behaviour();
    let surface = behaviour.surface.as_mut().unwrap();
    surface.learn("CarePlan", "rsCU patient");
    surface.learn("Goal", "rsC patient");
    surface.forget("Task");
    ehr.running.behave(behaviour);
    let capability = Capability::parse(&ehr.get("metadata").await.resource()).unwrap();
    assert!(capability.allows("CarePlan", "create") && capability.allows("Goal", "create"));
    assert!(capability.searches("CarePlan", "category") && !capability.allows("Task", "read"));
}

#[tokio::test]
async fn the_poor_server_takes_documents_and_finds_them_by_patient() {
    let (ehr, _, capability) = statement("poor").await;
    for (resource_type, listed) in &capability.resources {
        assert_eq!(listed.interactions.contains("create"), resource_type == "DocumentReference");
    }
    let document = r#"{"resourceType":"DocumentReference","status":"current","subject":{"reference":"Patient/lee"},
        "identifier":[{"system":"urn:test","value":"a"}],
        "content":[{"attachment":{"contentType":"text/plain","data":"bm90ZQ=="}}]}"#;
    let made = ehr.post("DocumentReference", document).await;
    assert_eq!((made.status, made.header("etag")), (201, ""));
    assert!(
        made.text_at("/meta/versionId").is_empty() && !made.header("location").contains("_history")
    );
    assert_eq!(ehr.found("DocumentReference?patient=lee").await.len(), 1);
    assert_eq!(ehr.found("DocumentReference?patient=other").await.len(), 0);
    // Not a parameter there: passed over, and everything is found.
    assert_eq!(ehr.found("DocumentReference?identifier=urn:test|b").await.len(), 1);
    let binary = ehr.get(&made.text_at("/content/0/attachment/url")).await;
    assert_eq!(binary.text_at("/data"), "bm90ZQ==");
}

#[tokio::test]
async fn a_plain_sandbox_is_not_changed_by_any_of_it() {
    let ehr = Ehr::start(Config { behaviour: Behaviour::default(), ..Config::default() }).await;
    let made = ehr.post("Patient", &patient("a")).await;
    assert_eq!((made.status, made.header("etag")), (201, "W/\"1\""));
    assert!(made.header("location").starts_with("http://") && ehr.running.held().is_empty());
    let id = format!("Patient/{}", made.text_at("/id")).parse().unwrap();
    assert_eq!(ehr.running.versions(&id)[0].request, Some(1));
}
