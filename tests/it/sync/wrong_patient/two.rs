//! W5: two EHRs with the same ids in one store. W6: searches that find what was not asked for.

use ipt_fhir::fhir::Resource;
use ipt_fhir::json;
use ipt_fhir::mapping::identity::ITEM_SYSTEM;
use ipt_fhir::sandbox::{Behaviour, Ids, Quirks};
use ipt_fhir::store::{Link, Store, digest};
use ipt_fhir::sync::{Ehr, Outcome, PatientFault, Record, Report, Stop, apply, patient_marks};

use super::super::clinic::{Clinic, GOAL, patients, quiet, resources, uuid};
use super::super::proxy::{Before, proxy};
use super::{id, ledger, of_second, resources_of_second, stop};
use crate::store::moment;

/// Two EHRs that count their ids; each one's first Patient is another person.
async fn two() -> [Clinic; 2] {
    let counting = Behaviour { ids: Ids::Counting, ..Behaviour::default() };
    let clinics = [Clinic::with(counting.clone()).await, Clinic::with(counting).await];
    clinics[1].ehr.put(stranger()).unwrap();
    clinics
}

/// Somebody else with the id of the first Patient.
fn stranger() -> Resource {
    let [mut patient, _] = patients();
    let number = json::parse(br#"[{"system":"urn:x:mrn","value":"9999"}]"#).unwrap();
    patient.object_mut().insert("identifier", number);
    patient
}

/// The record of the client who is Patient/first in the EHR of this name.
async fn linked(store: &Store, name: &str, clinic: &Clinic, goal: &str) -> Record {
    let (patient, resources, plan) = match name {
        "here" => (patients()[0].clone(), resources(goal), "the plan"),
        _ => (stranger(), resources_of_second(goal), "the second plan"),
    };
    let link = Link {
        ehr: name.into(),
        base_url: clinic.ehr.base_url().into(),
        plan: digest(plan),
        record: ipt_fhir::phi::Phi::new("record.json".into()),
        client: ipt_fhir::sync::client_digest(&resources),
        patient: id("Patient/first"),
        practitioner: None,
        patient_marks: patient_marks(&patient),
        linked_at: moment(),
    };
    store.link(&link).await.unwrap();
    Record::of_resources(link.clone(), link.plan.clone(), resources)
}

async fn run(store: &Store, name: &str, clinic: &Clinic, records: &[Record]) -> Report {
    let client = clinic.client();
    let ehr = Ehr { name, ..clinic.way(store, &client, &moment) };
    apply(&ehr, records, &mut quiet()).await.unwrap()
}

fn words(clinic: &Clinic) -> Vec<String> {
    clinic.ehr.resources().iter().map(Resource::to_text).collect()
}

#[tokio::test]
async fn w5_the_same_ids_at_two_ehrs_are_two_things() {
    let [here, there] = two().await;
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).await.unwrap();
    for (name, clinic) in [("here", &here), ("there", &there)] {
        let record = linked(&store, name, clinic, "Grieve").await;
        let report = run(&store, name, clinic, &[record]).await;
        assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    }
    let ids = |clinic: &Clinic| -> Vec<String> {
        let all = clinic.ehr.resources();
        all.iter().map(|one| super::super::clinic::id_of(one).to_string()).collect()
    };
    assert_eq!(ids(&here), ids(&there), "the same ids");
    // What changes in one stays there.
    let before = words(&here);
    let record = linked(&store, "there", &there, "Mourn").await;
    let report = run(&store, "there", &there, &[record]).await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    assert_eq!(words(&here), before);
    assert!(words(&there).iter().all(|one| !one.contains("-8000-")));
    assert!(before.iter().all(|one| !one.contains("-8001-")));
    for (name, plan, other) in
        [("here", "the plan", "the second plan"), ("there", "the second plan", "the plan")]
    {
        assert_eq!(store.ledger(name, &digest(plan)).await.unwrap().shadows.len(), 10);
        assert_eq!(store.ledger(name, &digest(other)).await.unwrap().shadows.len(), 0, "{name}");
    }
    // One EHR's record in the other's run; one EHR's name with the other's address; the other EHR at the address.
    let count = || here.writing_requests() + there.writing_requests();
    let sent = count();
    let record = linked(&store, "here", &here, "Weep").await;
    let crossed = run(&store, "there", &there, std::slice::from_ref(&record)).await;
    assert_eq!(*stop(&crossed), Stop::OtherServer);
    let moved = run(&store, "here", &there, std::slice::from_ref(&record)).await;
    assert_eq!(*stop(&moved), Stop::OtherServer);
    let client = there.client();
    let ehr = Ehr { name: "here", ..here.way(&store, &client, &moment) };
    let behind = apply(&ehr, &[record], &mut quiet()).await.unwrap();
    assert_eq!(*stop(&behind), Stop::Patient(PatientFault::Different));
    assert_eq!(count(), sent);
}

/// A restored EHR that counts gives our ids to other Patients' resources, and our Patient's to somebody else.
#[tokio::test]
async fn w5_ids_that_a_restored_ehr_gives_again_are_not_ours() {
    for is_somebody_else in [false, true] {
        let behaviour = Behaviour { ids: Ids::Counting, ..Behaviour::default() };
        let clinic = Clinic::with(behaviour).await;
        assert_eq!(clinic.apply("Grieve").await.outcome(), Outcome::Done);
        let ours = clinic.ehr.resources();
        clinic.ehr.wipe();
        let [first, second] = patients();
        clinic.ehr.put(if is_somebody_else { stranger() } else { first }).unwrap();
        clinic.ehr.put(second).unwrap();
        for one in ours.iter().filter(|one| one.resource_type() != "Patient") {
            clinic.ehr.put(of_second(one.resource_type(), one.id().unwrap())).unwrap();
        }
        let (before, words) = (clinic.writing_requests(), words(&clinic));
        for goal in ["Grieve", "Mourn"] {
            let report = clinic.apply(goal).await;
            match stop(&report) {
                Stop::Patient(PatientFault::Different) if is_somebody_else => {}
                Stop::Restored(_) | Stop::WrongSubject(_) if !is_somebody_else => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(clinic.writing_requests(), before);
        assert_eq!(self::words(&clinic), words);
    }
}

#[tokio::test]
async fn w6_a_server_that_ignores_the_patient_is_stopped_at() {
    for has_been_written in [false, true] {
        let honest = Behaviour { search_by_identifier: false, ..Behaviour::default() };
        let quirks = Quirks { ignores_patient: true, ..Quirks::default() };
        let clinic = Clinic::with(honest.clone()).await;
        if has_been_written {
            let report = clinic.apply("Grieve").await;
            assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
        }
        // The other's goal says the very same, and bears no identifier of ours.
        let mut theirs = of_second("Goal", "theirs");
        let text = json::parse(br#"{"text":"Mourn"}"#).unwrap();
        theirs.object_mut().insert("description", text);
        clinic.ehr.put(theirs).unwrap();
        clinic.ehr.behave(Behaviour { quirks, ..honest });
        let (before, kept) = (clinic.writing_requests(), ledger(&clinic).await);
        let report = clinic.apply("Mourn").await;
        assert_eq!(*stop(&report), Stop::ForeignMatch(id("Goal/theirs")));
        assert_eq!(clinic.writing_requests(), before);
        assert_eq!(ledger(&clinic).await, kept, "nothing is adopted");
    }
}

#[tokio::test]
async fn w6_a_server_that_ignores_the_identifier_is_stopped_at() {
    let nameless = of_second("Goal", "theirs");
    // The other client's record went there, too: its items bear an identifier of ours.
    let mut known = nameless.clone();
    let item = format!(
        r#"[{{"system":"{ITEM_SYSTEM}","value":"{}"}}]"#,
        uuid(GOAL).to_string().replace("-8000-", "-8001-")
    );
    known.object_mut().insert("identifier", json::parse(item.as_bytes()).unwrap());
    // And one bears the very identifier that was asked for.
    let mut same = nameless.clone();
    let item = item.replace("-8001-", "-8000-");
    same.object_mut().insert("identifier", json::parse(item.as_bytes()).unwrap());
    for (found, expected) in [
        (nameless, Stop::ForeignMatch(id("Goal/theirs"))),
        (known, Stop::ForeignMatch(id("Goal/theirs"))),
        (same, Stop::WrongSubject(id("Goal/theirs"))),
    ] {
        for has_been_written in [false, true] {
            let clinic = Clinic::open().await;
            if has_been_written {
                clinic.apply("Grieve").await;
            }
            let answer = format!(
                r#"{{"resourceType":"Bundle","type":"searchset","total":1,"entry":[{{"resource":{}}}]}}"#,
                found.to_text()
            );
            let way = proxy(
                clinic.ehr.base_url(),
                move |method, path| match (method, path) {
                    ("GET", "Goal") => Before::Answer(200, answer.clone()),
                    _ => Before::Pass,
                },
                |_| {},
            )
            .await;
            let (before, kept) = (clinic.writing_requests(), ledger(&clinic).await);
            let report = clinic.apply_by(&way, resources("Mourn")).await;
            assert_eq!(*stop(&report), expected);
            assert_eq!(clinic.writing_requests(), before);
            let ids = |ledger: ipt_fhir::store::Ledger| -> Vec<_> {
                ledger.shadows.into_iter().map(|shadow| (shadow.item, shadow.id)).collect()
            };
            assert_eq!(ids(ledger(&clinic).await), ids(kept), "nothing is adopted");
        }
    }
}
