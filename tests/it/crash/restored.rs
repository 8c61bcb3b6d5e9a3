//! A server that was restored empty and hands out the same ids again, as the command line tells it.

use ipt_fhir::fhir::Resource;
use ipt_fhir::sandbox::{Behaviour, Config, Ids, Running, Sandbox};
use tokio::task::block_in_place;

use super::practice::{Practice, TWO};

/// A practice whose records are at a server that counts its ids, and the server's Patients.
async fn synced() -> (Running, Practice, Vec<Resource>) {
    let behaviour = Behaviour { ids: Ids::Counting, ..Behaviour::default() };
    let ehr = Sandbox::start(Config { behaviour, ..Config::default() }).await.unwrap();
    let practice = Practice::open(ehr.base_url(), 0, TWO).await;
    practice.sync();
    let mut patients = ehr.resources();
    patients.retain(|resource| resource.resource_type() == "Patient");
    (ehr, practice, patients)
}

/// The next run is refused with these words and advice, and changes nothing.
fn is_refused(ehr: &Running, practice: &Practice, words: &str) {
    let held = |ehr: &Running| ehr.resources().iter().map(Resource::to_text).collect::<String>();
    let before = (ehr.writes(), held(ehr));
    for command in ["sync plan here", "sync apply here --yes", "sync here --yes"] {
        let run = block_in_place(|| practice.home.run(command).ends(8));
        assert!(run.stdout.contains(words), "{command}: {}", run.stdout);
        assert!(
            run.stdout.contains("help: nothing more is written. Ask the EHR"),
            "{}",
            run.stdout
        );
        let run = block_in_place(|| practice.home.run(&format!("{command} --format json")).ends(8));
        let envelope = run.envelope();
        let text = |name: &str| {
            let value = envelope.pointer(&format!("/result/records/0/{name}")).unwrap();
            value.as_str().unwrap().to_owned()
        };
        assert!(text("stopped").contains(words) && text("help").contains("restored"));
    }
    assert_eq!((ehr.writes(), held(ehr)), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_server_is_refused() {
    let (ehr, practice, patients) = synced().await;
    ehr.wipe();
    is_refused(&ehr, &practice, "there is no such Patient any more");
    for patient in patients {
        ehr.put(patient).unwrap();
    }
    is_refused(&ehr, &practice, "everything that was sent is gone from the EHR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_ids_are_other_peoples_now_is_refused() {
    let (ehr, practice, patients) = synced().await;
    let ids = |ehr: &Running| -> Vec<String> {
        let resources = ehr.resources().into_iter();
        resources.map(|one| format!("{} {}", one.resource_type(), one.id().unwrap())).collect()
    };
    let before = ids(&ehr);
    ehr.wipe();
    let other = Practice::open(ehr.base_url(), 0, TWO).await;
    other.sync();
    assert_eq!(ids(&ehr), before, "the same ids, of other resources");
    is_refused(&ehr, &practice, "are not those of the time of the link");
    // Even where the Patients came back from another system.
    for patient in patients {
        ehr.put(patient).unwrap();
    }
    is_refused(&ehr, &practice, "is not the resource that was sent; was the EHR restored");
}
