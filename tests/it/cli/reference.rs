//! `ehr candidates`, `ehr link --session …` and `ehr unlink`: found, compared, confirmed by a person, and never linked
//! by themselves.

use ipt_fhir::json::Value;

use super::Home;
use super::sandbox::Sandbox;
use crate::client::server::{Server, Step, answer};
use crate::support::fixture;

/// Persons who are easily taken for each other, and visits that are.
fn seed() -> String {
    let person = |id: &str, name: &str, more: &str| {
        format!(
            r#"{{"resourceType":"Patient","id":"{id}","name":[{name}],"gender":"male","birthDate":"1992-04-05"{more}}}"#
        )
    };
    let visit = |id: &str, patient: &str, status: &str, class: &str, period: &str, who: &str| {
        format!(
            r#"{{"resourceType":"Encounter","id":"{id}","status":"{status}","class":{{"code":"{class}"}},
            "subject":{{"reference":"Patient/{patient}","display":"Canaryman"}},"period":{{{period}}},
            "type":[{{"text":"Canaryvisit"}}],"participant":[{{"individual":{{"reference":"Practitioner/{who}"}}}}]}}"#
        )
    };
    let lee = r#"{"family":"Lee","given":["John"]}"#;
    let fourth = r#""start":"2026-02-23T15:00:00Z","end":"2026-02-23T15:50:00Z""#;
    let later = r#""start":"2026-02-23T18:00:00Z","end":"2026-02-23T18:30:00Z""#;
    let fifth = r#""start":"2026-03-02T10:05:00-05:00","end":"2026-03-02T10:45:00-05:00""#;
    let merged = r#","link":[{"type":"replaced-by","other":{"reference":"Patient/john"}}]"#;
    let entries = [
        person("john", lee, r#","identifier":[{"system":"urn:mrn","value":"1"}]"#),
        person("twin", lee, r#","identifier":[{"system":"urn:mrn","value":"2"}]"#),
        person("swapped", r#"{"family":"John","given":["Lee"]}"#, ""),
        person("merged", lee, merged),
        visit("fourth", "john", "finished", "AMB", fourth, "chris"),
        visit("later", "john", "finished", "Canaryclass", later, "other"),
        visit("fifth", "john", "finished", "VR", fifth, "chris"),
        visit("stay", "john", "in-progress", "IMP", r#""start":"2026-02-20""#, "other"),
        visit("off", "john", "cancelled", "AMB", fourth, "chris"),
        visit("of-twin", "twin", "finished", "AMB", fourth, "chris"),
        r#"{"resourceType":"Practitioner","id":"chris","name":[{"family":"Smith","given":["Chris"]}]}"#.to_owned(),
        r#"{"resourceType":"Practitioner","id":"namesake","name":[{"family":"SMITH","given":["Canarychris"]}]}"#.to_owned(),
        r#"{"resourceType":"Practitioner","id":"left","active":false,"name":[{"family":"Smith","given":["Chris"]}]}"#.to_owned(),
        r#"{"resourceType":"Practitioner","id":"other","name":[{"family":"Smithson"}]}"#.to_owned(),
        r#"{"resourceType":"Organization","id":"clinic","name":"Canary clinic"}"#.to_owned(),
        r#"{"resourceType":"Organization","id":"longer","name":"Canary Clinic North"}"#.to_owned(),
        r#"{"resourceType":"Location","id":"room","status":"active","name":"CANARY CLINIC"}"#.to_owned(),
        r#"{"resourceType":"Location","id":"closed","status":"inactive","name":"Canary Clinic"}"#.to_owned(),
    ];
    let entries: Vec<String> =
        entries.iter().map(|entry| format!("{{\"resource\":{entry}}}")).collect();
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","))
}

fn record() -> String {
    let text = String::from_utf8(fixture("ipt/john-lee-in-treatment.json")).unwrap();
    let therapist = "\"therapist\": {";
    assert!(text.contains(therapist));
    text.replacen(therapist, "\"therapist\": { \"organization\": \"Canary Clinic\",", 1)
}

/// A home with a record that is linked to John, and a sandbox that is configured as `here`.
fn clinic() -> (Home, Sandbox) {
    let home = Home::new();
    home.write("seed.json", seed());
    home.write("john.json", record());
    let sandbox = Sandbox::start(&home, "--seed seed.json");
    home.run(&format!("ehr add here {} --settle 0", sandbox.url)).ends(0);
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    (home, sandbox)
}

/// The ids of the candidates of an item, in their order.
fn ids(envelope: &Value, what: &str) -> Vec<String> {
    let items = envelope.get("result").unwrap().items("items");
    let item = items.clone().find(|item| item.text("what") == Some(what)).unwrap();
    item.items("candidates").map(|candidate| candidate.text("id").unwrap().to_owned()).collect()
}

/// What an item is linked to.
fn linked(home: &Home, what: &str) -> Option<String> {
    let envelope = home.run("ehr candidates here john.json --format json").ends(0).envelope();
    let items = envelope.get("result").unwrap().items("items");
    let item = items.clone().find(|item| item.text("what") == Some(what)).unwrap().clone();
    item.text("linked").map(str::to_owned)
}

#[test]
fn candidates_are_told_with_their_reasons_and_nothing_is_linked() {
    let (home, _sandbox) = clinic();
    let run = home.run("ehr candidates here john.json").ends(0);
    insta::assert_snapshot!(run.stdout, @r"
    here Patient/john; nothing is linked by this
    session 4, 2026-02-23T10:00:00-05:00
      --session 4=Encounter/fourth  2026-02-23T15:00:00Z 2026-02-23T15:50:00Z finished AMB
          time agrees, day agrees, status agrees, class agrees, type missing in the EHR, practitioner missing in the record
      --session 4=Encounter/later  2026-02-23T18:00:00Z 2026-02-23T18:30:00Z finished
          time DIFFERS, day agrees, status agrees, class agrees, type missing in the EHR, practitioner missing in the record
      --session 4=Encounter/stay  2026-02-20 in-progress IMP
          time missing in the EHR, day agrees, status DIFFERS, class agrees, type missing in the EHR, practitioner missing in the record
    session 5, 2026-03-02T10:00:00-05:00
      --session 5=Encounter/fifth  2026-03-02T10:05:00-05:00 2026-03-02T10:45:00-05:00 finished VR
          time agrees, day agrees, status agrees, class DIFFERS, type missing in the EHR, practitioner missing in the record
      --session 5=Encounter/stay  2026-02-20 in-progress IMP
          time missing in the EHR, day agrees, status DIFFERS, class agrees, type missing in the EHR, practitioner missing in the record
    therapist
      --practitioner Practitioner/chris
          identifiers missing in both, family name agrees, given name agrees
      --practitioner Practitioner/namesake
          identifiers missing in both, family name agrees, given name DIFFERS
    organization
      --organization Organization/clinic
          name agrees
      --organization Location/room
          name agrees
    next: ipt-fhir ehr link here RECORD with the flags that are right
    ");
    assert_eq!(run.stderr, "");
    assert!(!run.stdout.contains("anary"), "no word of the EHR or the record");
    let envelope = home.run("ehr candidates here john.json --yes --format json").ends(0).envelope();
    assert_eq!(
        ids(&envelope, "session 4"),
        ["Encounter/fourth", "Encounter/later", "Encounter/stay"]
    );
    assert_eq!(ids(&envelope, "session 5"), ["Encounter/fifth", "Encounter/stay"]);
    assert_eq!(ids(&envelope, "therapist"), ["Practitioner/chris", "Practitioner/namesake"]);
    assert_eq!(ids(&envelope, "organization"), ["Organization/clinic", "Location/room"]);
    // Not even the only one, and not by --yes.
    for what in ["session 4", "session 5", "therapist", "organization"] {
        assert_eq!(linked(&home, what), None, "{what}");
    }
    assert!(!envelope.to_text().contains("anary"));
}

#[test]
fn a_person_links_what_was_named_and_ends_it_again() {
    let (home, _sandbox) = clinic();
    let line = "ehr link here john.json --session 4=Encounter/fourth --session 5=Encounter/fifth \
                --practitioner Practitioner/chris --organization Location/room";
    let asked = home.run(&format!("{line} --format json")).ends(2);
    assert_eq!(asked.codes(), ["needs-confirmation"]);
    assert_eq!(linked(&home, "session 4"), None);
    let run = home.run(&format!("{line} --yes")).ends(0);
    insta::assert_snapshot!(run.stdout, @r"
    here Patient/john
    therapist = Practitioner/chris, compared with the record:
      identifiers  missing in both
      family name  agrees
      given name   agrees
    session 4 = Encounter/fourth, compared with the record:
      time         agrees
      day          agrees
      status       agrees
      class        agrees
      type         missing in the EHR
      practitioner agrees
    session 5 = Encounter/fifth, compared with the record:
      time         agrees
      day          agrees
      status       agrees
      class        DIFFERS
      type         missing in the EHR
      practitioner agrees
    organization = Location/room, compared with the record:
      name         agrees
    linked
    ");
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("anary"));
    for (what, target) in [
        ("session 4", "Encounter/fourth"),
        ("session 5", "Encounter/fifth"),
        ("therapist", "Practitioner/chris"),
        ("organization", "Location/room"),
    ] {
        assert_eq!(linked(&home, what).as_deref(), Some(target));
    }
    let ended =
        home.run("ehr unlink here john.json --session 4 --practitioner --format json").ends(0);
    assert_eq!(ended.envelope().get("result").unwrap().items("unlinked").count(), 2);
    assert_eq!(linked(&home, "session 4"), None);
    assert_eq!(linked(&home, "therapist"), None);
    assert_eq!(linked(&home, "session 5").as_deref(), Some("Encounter/fifth"));
    let again = home.run("ehr unlink here john.json --session 4 --session 5 --format json").ends(2);
    assert_eq!(again.codes(), ["unlink-not-linked"]);
    assert_eq!(linked(&home, "session 5").as_deref(), Some("Encounter/fifth"));
    home.run("ehr unlink here john.json").ends(2);
    home.run("ehr link here john.json").ends(2);
}

#[test]
fn an_encounter_of_another_patient_is_never_linked() {
    let (home, _sandbox) = clinic();
    for (flags, exit, code) in [
        ("--session 4=Encounter/of-twin", 8, "link-refused"),
        ("--session 4=Encounter/of-twin --accept-differences", 8, "link-refused"),
        ("--session 4=Encounter/off --accept-differences", 8, "link-refused"),
        ("--session 4=Encounter/nowhere", 8, "link-refused"),
        ("--session 4=Encounter/fifth", 8, "link-differs"),
        ("--session 4=Encounter/fourth --session 5=Encounter/fourth", 8, "link-differs"),
        ("--session 4=Encounter/fourth --session 5=Encounter/of-twin", 8, "link-refused"),
        ("--practitioner Practitioner/other", 8, "link-differs"),
        ("--practitioner Practitioner/left --accept-differences", 8, "link-refused"),
        ("--organization Organization/longer", 8, "link-differs"),
        ("--organization Location/closed --accept-differences", 8, "link-refused"),
        ("--organization Patient/john", 2, "link-id"),
        ("--session 4=Patient/john", 2, "link-id"),
        ("--session 4=Encounter/../Patient/john", 2, "link-id"),
        ("--session Encounter/fourth", 2, "link-session"),
        ("--session 0=Encounter/fourth", 2, "link-session"),
        ("--session 99=Encounter/fourth", 2, "link-session"),
        ("--session 4=Encounter/fourth --session 4=Encounter/later", 2, "link-twice"),
    ] {
        let line = format!("ehr link here john.json {flags} --yes --format json");
        assert_eq!(home.run(&line).ends(exit).codes(), [code], "{flags}");
    }
    for what in ["session 4", "session 5", "therapist", "organization"] {
        assert_eq!(linked(&home, what), None, "{what}: all or nothing");
    }
    let other_day = "ehr link here john.json --session 4=Encounter/fifth --accept-differences";
    home.run(other_day).ends(2);
    let run = home.run(&format!("{other_day} --yes")).ends(0);
    assert!(run.stderr.contains("session 4: the day differs"), "{}", run.stderr);
    assert_eq!(linked(&home, "session 4").as_deref(), Some("Encounter/fifth"));
    // A stay in hospital holds both sessions.
    let stay = "ehr link here john.json --session 4=Encounter/stay --session 5=Encounter/stay \
                --accept-differences --yes";
    home.run(stay).ends(0);
}

#[test]
fn references_need_the_patient_and_end_with_it() {
    let (home, _sandbox) = clinic();
    home.write("other.json", record().replace("\"id\": \"john-lee", "\"id\": \"other-john-lee"));
    for verb in ["candidates here other.json", "unlink here other.json --organization"] {
        let run = home.run(&format!("ehr {verb} --format json")).ends(2);
        assert_eq!(run.codes(), ["link-without-patient"], "{verb}");
    }
    let other = "ehr link here other.json --session 4=Encounter/fourth --yes --format json";
    assert_eq!(home.run(other).ends(2).codes(), ["link-without-patient"]);
    home.run("ehr link here john.json --session 4=Encounter/fourth --yes").ends(0);
    home.run("ehr link here john.json Patient/john --session 4=Encounter/fourth --yes").ends(2);
    // Twins: the same name, birth date and gender. The other one's link carries nothing over.
    home.run("ehr link here john.json Patient/twin --yes").ends(0);
    let envelope = home.run("ehr candidates here john.json --format json").ends(0).envelope();
    assert_eq!(ids(&envelope, "session 4"), ["Encounter/of-twin"]);
    let refused = "ehr link here john.json --session 4=Encounter/fourth --yes --format json";
    assert_eq!(home.run(refused).ends(8).codes(), ["link-refused"]);
    // Family and given name the wrong way round, and a Patient who was merged into another.
    let swapped = home.run("ehr link here john.json Patient/swapped --yes --format json").ends(8);
    assert_eq!(swapped.codes(), ["link-differs"]);
    let merged = home.run("ehr link here john.json Patient/merged --yes --format json").ends(8);
    assert_eq!(merged.codes(), ["link-refused"]);
    // The record became another client's.
    home.write("john.json", record().replace("\"Lee\"", "\"Leigh\""));
    let made_over = home.run("ehr candidates here john.json --format json").ends(8);
    assert_eq!(made_over.codes(), ["link-other-client"]);
}

/// Answers of a server that knows how to look up Encounters.
fn hostile(patient: &str, encounters: &[&str], parameters: &str) -> Vec<Step> {
    let statement = format!(
        r#"{{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{{"mode":"server","resource":[
        {{"type":"Encounter","interaction":[{{"code":"search-type"}}],"searchParam":[{parameters}]}}]}}]}}"#
    );
    let entries: Vec<String> = encounters
        .iter()
        .map(|encounter| format!(r#"{{"resource":{encounter},"search":{{"mode":"match"}}}}"#))
        .collect();
    let found = format!(
        r#"{{"resourceType":"Bundle","type":"searchset","entry":[{}]}}"#,
        entries.join(",")
    );
    [patient, &statement, &found].map(|body| answer(200, &[], body)).into()
}

const JOHN: &str = r#"{"resourceType":"Patient","id":"john","name":[{"family":"Lee","given":["John"]}],"gender":"male","birthDate":"1992-04-05"}"#;

/// A home whose record is linked at a server that then takes these steps.
fn behind(steps: Vec<Step>) -> (Home, Server) {
    let home = Home::new();
    home.write("john.json", record());
    let linking = vec![answer(200, &[], JOHN)];
    let server = Server::start([linking, steps].into_iter().flatten().collect());
    home.run(&format!("ehr add here {} --settle 0", server.base())).ends(0);
    home.run("ehr link here john.json Patient/john --yes").ends(0);
    (home, server)
}

#[test]
fn a_server_that_ignores_the_patient_is_found_out() {
    let visit = |id: &str, subject: &str| {
        format!(
            r#"{{"resourceType":"Encounter","id":"{id}","status":"finished"{subject},
            "period":{{"start":"2026-02-23T15:00:00Z","end":"2026-02-23T15:50:00Z"}}}}"#
        )
    };
    let ours = visit("1", r#","subject":{"reference":"Patient/john"}"#);
    let other = visit("2", r#","subject":{"reference":"Patient/other"}"#);
    let nobodys = visit("3", "");
    let elsewhere = visit("4", r#","subject":{"reference":"https://other.example/Patient/john"}"#);
    let parameters = r#"{"name":"patient","type":"reference"},{"name":"date","type":"date"}"#;
    let steps = hostile(JOHN, &[&other, &ours, &nobodys, &elsewhere], parameters);
    let (home, server) = behind(steps);
    let run = home.run("ehr candidates here john.json --format json").ends(7);
    assert_eq!(run.codes(), ["ehr-other-patient", "ehr-not-searchable", "ehr-not-searchable"]);
    let envelope = run.envelope();
    assert_eq!(ids(&envelope, "session 4"), ["Encounter/1"]);
    assert!(envelope.to_text().contains("gave 3 that are not this Patient's"));
    let asked = server.requests().last().unwrap().target.clone();
    assert!(asked.contains("patient=john&date=ge2026-02-22&date=le2026-03-03"), "{asked}");
}

#[test]
fn what_the_server_does_not_list_is_not_asked() {
    let (home, server) = behind(hostile(JOHN, &[], r#"{"name":"subject","type":"reference"}"#));
    home.run("ehr candidates here john.json").ends(0);
    let asked = server.requests().last().unwrap().target.clone();
    assert!(asked.ends_with("/Encounter?subject=Patient%2Fjohn"), "{asked}");
    let (home, server) = behind(hostile(JOHN, &[], r#"{"name":"date","type":"date"}"#));
    let run = home.run("ehr candidates here john.json --format json").ends(0);
    assert_eq!(run.codes(), ["ehr-not-searchable"; 3]);
    assert!(server.requests().iter().all(|request| !request.target.contains("Encounter")));
}

#[test]
fn a_patient_who_was_merged_since_gets_nothing_more() {
    let merged = JOHN.replace(
        r#""id":"john""#,
        r#""id":"john","link":[{"type":"replaced-by","other":{"reference":"Patient/x"}}]"#,
    );
    let renamed = JOHN.replace("1992-04-05", "1993-04-05");
    for patient in [merged, renamed] {
        let (home, server) = behind(vec![answer(200, &[], &patient), answer(200, &[], &patient)]);
        let run = home.run("ehr candidates here john.json --format json").ends(8);
        assert_eq!(run.codes(), ["link-refused"]);
        let line = "ehr link here john.json --session 4=Encounter/1 --yes --format json";
        assert_eq!(home.run(line).ends(8).codes(), ["link-refused"]);
        assert_eq!(server.requests().len(), 3, "the Patient, and nothing else");
    }
}
