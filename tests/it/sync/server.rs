//! Servers that are wrong, or poor: what they answer is not believed, and what they can't tell is not assumed.

use ipt_fhir::fhir::{Bundle, Resource};
use ipt_fhir::json::Value;
use ipt_fhir::store::Hold;
use ipt_fhir::sync::{Conflict, Done, Failure, ItemState, Outcome, Stop};

use super::clinic::{CARE_PLAN, Clinic, GOAL, TASK, item, parse, resources, uuid};
use super::proxy::{Before, Exchange, proxy};

/// Puts a proxy before the clinic's EHR from now on; the links stay, as if the EHR had always been like this.
async fn before(
    clinic: &mut Clinic,
    there: impl FnMut(&str, &str) -> Before + Send + 'static,
    back: impl FnMut(&mut Exchange<'_>) + Send + 'static,
) {
    clinic.base_url = proxy(clinic.ehr.base_url(), there, back).await;
}

const fn all_pass(_: &str, _: &str) -> Before {
    Before::Pass
}

/// The transaction's answer, changed.
fn answers(exchange: &mut Exchange<'_>, change: impl Fn(&mut Bundle)) {
    if exchange.method == "POST" && exchange.path.is_empty() && exchange.status == 200 {
        let mut bundle = Bundle::from_resource(parse(&exchange.body)).unwrap();
        change(&mut bundle);
        exchange.body = bundle.into_resource().to_text();
    }
}

#[tokio::test]
async fn answers_of_a_transaction_are_never_paired_by_their_place() {
    let changes: [fn(&mut Bundle); 5] = [
        |bundle| bundle.entries.reverse(),
        |bundle| bundle.entries.truncate(3),
        |bundle| bundle.entries.clear(),
        // Goal and objective change places: same count, same types.
        |bundle| bundle.entries.swap(1, 2),
        |bundle| {
            for entry in &mut bundle.entries {
                if let Some(response) = &mut entry.response {
                    response.location = None;
                    response.etag = Some("1".into());
                }
            }
        },
    ];
    for change in changes {
        let mut clinic = Clinic::open().await;
        before(&mut clinic, all_pass, move |exchange| answers(exchange, change)).await;
        let report = clinic.apply("Grieve").await;
        assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
        clinic.assert_complete("Grieve");
        clinic.assert_quiet("Grieve").await;
        assert_eq!(clinic.apply("Mourn").await.outcome(), Outcome::Done);
        clinic.assert_complete("Mourn");
    }
}

#[tokio::test]
async fn a_transaction_that_is_called_refused_and_was_kept_is_not_sent_twice() {
    for (status, kind) in
        [(404, "application/fhir+json"), (400, "application/fhir+json"), (200, "text/html")]
    {
        let mut clinic = Clinic::open().await;
        before(&mut clinic, all_pass, move |exchange| {
            if exchange.method == "POST" && exchange.path.is_empty() {
                exchange.status = status;
                exchange.headers.insert("content-type", kind.parse().unwrap());
                exchange.body = "<html>portal</html>".into();
            }
        })
        .await;
        let report = clinic.apply("Grieve").await;
        assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
        clinic.assert_complete("Grieve");
        clinic.assert_quiet("Grieve").await;
    }
}

#[tokio::test]
async fn an_update_that_made_something_anew_is_a_conflict_that_stays() {
    let mut clinic = Clinic::open().await;
    before(&mut clinic, all_pass, |exchange| {
        if exchange.method == "PUT" && exchange.path.starts_with("Goal/") {
            exchange.status = 201;
        }
    })
    .await;
    clinic.apply("Grieve").await;
    let report = clinic.apply("Mourn").await;
    assert_eq!(item(&report, GOAL).state, ItemState::Conflict(Conflict::CreatedByUpdate));
    assert_eq!(report.outcome(), Outcome::Conflicts);
    let before = clinic.writing_requests();
    let again = clinic.apply("Weep").await;
    assert_eq!(item(&again, GOAL).state, ItemState::Conflict(Conflict::CreatedByUpdate));
    assert_eq!(clinic.writing_requests(), before, "nothing more of the plan is written");
    assert_eq!(clinic.copies(GOAL).len(), 1, "and nothing is undone");
    let ledger = clinic.store().await.ledger("clinic", &ipt_fhir::store::digest("the plan")).await;
    let shadows = ledger.unwrap().shadows;
    let goal = shadows.iter().find(|shadow| shadow.item == uuid(GOAL)).unwrap();
    assert_eq!(goal.held, Some(Hold::CreatedByUpdate));
}

#[tokio::test]
async fn without_history_what_cannot_be_traced_to_us_waits_for_a_person() {
    let mut clinic = Clinic::open().await;
    let no_history = |_: &str, path: &str| {
        if path.contains("_history") {
            Before::Answer(404, r#"{"resourceType":"OperationOutcome"}"#.into())
        } else {
            Before::Pass
        }
    };
    before(&mut clinic, no_history, |_| {}).await;
    clinic.apply("Grieve").await;
    clinic.assert_quiet("Grieve").await;
    // Found as we would write it: ours. Found otherwise, and nothing to trace it by: a riddle.
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    clinic.edit(GOAL, "lifecycleStatus", r#""on-hold""#);
    let before = clinic.writing_requests();
    for _ in 0..2 {
        let report = clinic.apply("Grieve").await;
        assert_eq!(item(&report, GOAL).state, ItemState::Conflict(Conflict::Unexplained));
        assert_eq!(item(&report, TASK).state, ItemState::InSync);
        assert_eq!(report.outcome(), Outcome::Conflicts);
    }
    assert_eq!(clinic.writing_requests(), before);
}

#[tokio::test]
async fn without_versions_nothing_is_updated() {
    fn strip(resource: &mut Value) {
        if let Some(meta) = resource.as_object_mut().and_then(|object| object.get_mut("meta")) {
            meta.as_object_mut().unwrap().remove("versionId");
        }
    }
    let mut clinic = Clinic::open().await;
    before(&mut clinic, all_pass, |exchange| {
        exchange.headers.remove("etag");
        exchange.headers.remove("location");
        if let Ok(resource) = Resource::parse(exchange.body.as_bytes()) {
            let mut tree = resource.into_value();
            strip(&mut tree);
            if let Some(Value::Array(entries)) = tree.as_object_mut().unwrap().get_mut("entry") {
                for entry in entries {
                    let entry = entry.as_object_mut().unwrap();
                    entry.get_mut("resource").map(strip).unwrap_or_default();
                    entry.remove("response");
                }
            }
            exchange.body = tree.to_text();
        }
    })
    .await;
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    let report = clinic.apply("Mourn").await;
    assert_eq!(item(&report, GOAL).state, ItemState::Failed(Failure::NoVersions), "{report:?}");
    assert_eq!(report.outcome(), Outcome::Partial);
    clinic.assert_complete("Grieve");
}

#[tokio::test]
async fn an_update_that_is_answered_and_not_kept_is_shown() {
    let mut clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let held = clinic.one(GOAL).to_text();
    let swallow = move |method: &str, path: &str| match (method, path.starts_with("Goal/")) {
        ("PUT", true) => Before::Answer(200, held.clone()),
        _ => Before::Pass,
    };
    let linked = clinic.base_url.clone();
    before(&mut clinic, swallow, |_| {}).await;
    // The same server at the same address, as far as the link can tell.
    let way_there = std::mem::replace(&mut clinic.base_url, linked);
    let report = clinic.apply_by(&way_there, resources("Mourn")).await;
    let goal = item(&report, GOAL);
    assert_eq!((goal.done, &goal.state), (Some(Done::Updated), &ItemState::InSync));
    assert_eq!(goal.stored_otherwise[0].path, "Goal.description.text");
    assert_eq!(item(&report, CARE_PLAN).stored_otherwise, []);
}

#[tokio::test]
async fn a_search_that_ignores_our_identifiers_is_not_believed() {
    let mut clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let everything = |exchange: &mut Exchange<'_>| {
        if exchange.method == "GET" && exchange.path == "Goal" {
            exchange.body = r#"{"resourceType":"Bundle","type":"searchset","total":1,"entry":[{"resource":
                {"resourceType":"Goal","id":"foreign","identifier":[{"system":"urn:x:other","value":"1"}],
                "subject":{"reference":"Patient/second"}}}]}"#
                .into();
        }
    };
    let linked = clinic.base_url.clone();
    before(&mut clinic, all_pass, everything).await;
    let way_there = std::mem::replace(&mut clinic.base_url, linked);
    // Neither taken for ours, nor for the absence of ours: a server that passes over our identifiers is left alone.
    let before = clinic.writing_requests();
    let report = clinic.apply_by(&way_there, resources("Grieve")).await;
    let foreign = Stop::ForeignMatch("Goal/foreign".parse().unwrap());
    assert_eq!(report.records[0].stopped, Some(foreign));
    assert_eq!(clinic.writing_requests(), before);
}

#[tokio::test]
async fn a_server_restored_to_an_earlier_day_is_seen_by_its_words() {
    let clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    let yesterday = clinic.ehr.resources();
    clinic.apply("Mourn").await;
    clinic.ehr.wipe();
    for mut resource in yesterday {
        // Restored, and edited once: its version is again the one that we know, its words are not.
        clinic.ehr.put(resource.clone()).unwrap();
        if resource.resource_type() == "Goal" {
            resource.object_mut().put("lifecycleStatus", "on-hold");
            clinic.ehr.put(resource).unwrap();
        }
    }
    assert_eq!(clinic.one(GOAL).version_id(), Some("2"));
    let before = clinic.writing_requests();
    let report = clinic.apply("Mourn").await;
    assert!(matches!(item(&report, GOAL).state, ItemState::RemoteChanged(_)), "{report:?}");
    assert_eq!(clinic.writing_requests(), before);
}

#[tokio::test]
async fn a_cut_history_of_versions_without_numbers_proves_no_beginning() {
    let mut clinic = Clinic::open().await;
    clinic.apply("Grieve").await;
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    clinic.edit(GOAL, "lifecycleStatus", r#""on-hold""#);
    clinic.edit(GOAL, "description", r#"{"text":"Mourn"}"#);
    let linked = clinic.base_url.clone();
    before(&mut clinic, all_pass, |exchange| {
        exchange.headers.remove("etag");
        for number in 1..=3 {
            let (counted, opaque) = (format!(r#""versionId":"{number}""#), ["x", "y", "z"]);
            let opaque = format!(r#""versionId":"{}""#, opaque[number - 1]);
            exchange.body = exchange.body.replace(&counted, &opaque);
        }
        if exchange.path.ends_with("_history") {
            // The creation is not given any more.
            let mut bundle = Bundle::from_resource(parse(&exchange.body)).unwrap();
            bundle.entries.truncate(2);
            bundle.total = None;
            exchange.body = bundle.into_resource().to_text();
        }
    })
    .await;
    let way_there = std::mem::replace(&mut clinic.base_url, linked);
    let before = clinic.writing_requests();
    let report = clinic.apply_by(&way_there, resources("Grieve")).await;
    assert_eq!(item(&report, GOAL).state, ItemState::Conflict(Conflict::Unexplained));
    assert_eq!(clinic.writing_requests(), before);
    assert_eq!(clinic.one(GOAL).text("lifecycleStatus"), Some("on-hold"));
}
