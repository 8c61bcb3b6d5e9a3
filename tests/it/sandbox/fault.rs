//! Faults: each of the catalogue as a client meets it, and draws that can be made again.

use ipt_fhir::sandbox::{CATALOGUE, Config, Fault, Faults, Ids, Seeded, Until};

use super::{Ehr, patient};

/// What came of a POST with a fault: the status, or none if no whole answer came; and how many Patients there are.
async fn posted(fault: Fault) -> (Ehr, Option<super::ask::Asked>, usize) {
    let ehr = Ehr::counting().await;
    ehr.running.faults().next("POST", fault);
    let answer = ehr.try_ask("POST Patient", &[], &patient("a")).await.ok();
    let there = ehr.running.resources().len();
    (ehr, answer, there)
}

#[tokio::test]
async fn an_answer_may_not_come_although_all_is_done() {
    for fault in [Fault::LoseAnswerAfterApply, Fault::CutHead, Fault::TruncateAnswer] {
        let (_, answer, there) = posted(fault).await;
        assert!(answer.is_none() && there == 1, "{fault:?}");
    }
    for status in [502, 504] {
        let (_, answer, there) = posted(Fault::FailAfterApply(status)).await;
        assert_eq!((answer.unwrap().status, there), (status, 1));
    }
    let (_, answer, there) = posted(Fault::HalfBody).await;
    let answer = answer.unwrap();
    assert!(answer.status == 201 && there == 1);
    assert_eq!(answer.header("content-length"), answer.text.len().to_string());
    assert!(ipt_fhir::json::parse(answer.text.as_bytes()).is_err());
    let (_, answer, there) = posted(Fault::SlowBody).await;
    assert_eq!((answer.unwrap().text_at("/id").as_str(), there), ("1", 1));
}

#[tokio::test]
async fn a_request_may_come_twice_or_late() {
    let (_, answer, there) = posted(Fault::DeliverTwice).await;
    assert_eq!((answer.unwrap().text_at("/id").as_str(), there), ("2", 2));
    let (ehr, answer, there) = posted(Fault::DeliverLate).await;
    assert!(answer.is_none() && there == 0);
    assert!(ehr.found("Patient").await.is_empty(), "it comes after the next request");
    assert_eq!(ehr.found("Patient").await, ["Patient/1"]);
    let (ehr, ..) = posted(Fault::DeliverLate).await;
    ehr.running.deliver_late();
    assert_eq!(ehr.running.resources().len(), 1);
}

#[tokio::test]
async fn what_comes_before_anything_is_done() {
    for status in [401, 404, 409, 410, 412, 429, 503] {
        let (_, answer, there) = posted(Fault::RefuseBefore(status)).await;
        assert_eq!((answer.unwrap().status, there), (status, 0));
    }
    for (until, expected) in
        [(Until::Negative, "-5"), (Until::TenYears, "315360000"), (Until::Unsaid, "")]
    {
        let (_, answer, there) = posted(Fault::RefuseUntil(503, until)).await;
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.header("retry-after"), there), (503, expected, 0));
    }
    let (_, answer, _) = posted(Fault::RefuseUntil(429, Until::Date)).await;
    assert!(answer.unwrap().header("retry-after").ends_with(" GMT"));
    let (_, answer, there) = posted(Fault::HtmlPage).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, there), (200, 0));
    assert!(answer.header("content-type").starts_with("text/html") && answer.text.starts_with('<'));
    let (_, answer, there) = posted(Fault::OutcomeInOk).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.issue().as_str(), there), (200, "exception", 0));
}

#[tokio::test]
async fn answers_may_be_wrong_although_all_is_done() {
    let (_, answer, _) = posted(Fault::TellNoPlace).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("location"), answer.header("etag")), (201, "", ""));
    let (_, answer, _) = posted(Fault::OtherId).await;
    let answer = answer.unwrap();
    assert_eq!(answer.text_at("/id"), "another");
    assert!(
        answer.header("location").ends_with("/Patient/10/_history/1"),
        "{}",
        answer.header("location")
    );
    let (_, answer, _) = posted(Fault::OtherType).await;
    assert_eq!(answer.unwrap().resource().resource_type(), "Basic");
    let (_, answer, _) = posted(Fault::OddEtag).await;
    assert_eq!(answer.unwrap().header("etag"), "1");
    let (_, answer, _) = posted(Fault::OlderVersion).await;
    let answer = answer.unwrap();
    assert_eq!(
        (answer.header("etag"), answer.text_at("/meta/versionId").as_str()),
        ("W/\"0\"", "0")
    );
}

#[tokio::test]
async fn commits_may_be_lost_and_what_people_did_is_not() {
    let ehr = Ehr::counting().await;
    let seed = ipt_fhir::fhir::Resource::parse(patient("seed").as_bytes()).unwrap();
    ehr.running.put(seed).unwrap();
    for value in ["a", "b"] {
        ehr.post("Patient", &patient(value)).await;
    }
    ehr.running.faults().next("GET", Fault::LoseCommits(1));
    assert_eq!(ehr.found("Patient").await, ["Patient/1", "Patient/2"]);
    ehr.running.faults().next("GET", Fault::LoseCommits(9));
    assert_eq!(ehr.found("Patient").await, ["Patient/1"]);
}

/// The log of a run of 120 requests under faults of a seed: fault and status.
async fn run(faults: Faults) -> Vec<(Option<&'static str>, Option<u16>)> {
    let mut config = Config { faults, ..Config::default() };
    config.behaviour.ids = Ids::Counting;
    let ehr = Ehr::start(config).await;
    for number in 0..40 {
        let body = patient(&number.to_string());
        let own = body.replacen('{', r#"{"id":"x","#, 1);
        ehr.try_ask("POST Patient", &[], &body).await.ok();
        ehr.try_ask("PUT Patient/x", &[], &own).await.ok();
        ehr.try_ask("GET Patient/x", &[], "").await.ok();
    }
    ehr.running.log().into_iter().map(|one| (one.fault, one.status)).collect()
}

#[tokio::test]
async fn a_seed_gives_the_same_run_again() {
    let faults = |seed| {
        let faults = Faults::default();
        faults.begin(Seeded::new(seed, 40).quick());
        faults
    };
    let first = run(faults(7)).await;
    assert_eq!(first, run(faults(7)).await);
    assert_ne!(first, run(faults(8)).await);
    let broken = first.iter().filter(|(fault, _)| fault.is_some()).count();
    assert!((25..75).contains(&broken), "{broken} of {}", first.len());
    let kinds: std::collections::BTreeSet<_> =
        first.iter().filter_map(|(fault, _)| *fault).collect();
    assert!(
        kinds.len() > 8
            && kinds.iter().all(|kind| CATALOGUE.iter().any(|known| known.name == *kind))
    );
}

#[tokio::test]
async fn faults_end_when_they_are_used_up_or_cleared() {
    let faults = Faults::default();
    faults.begin(Seeded::new(3, 100).only(&["unavailable-unsaid"]).at_most(2));
    let ehr = Ehr::start(Config { faults, ..Config::default() }).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ehr.get("Patient").await.status);
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
    ehr.running.faults().begin(Seeded::new(3, 100).only(&["html-page"]));
    assert!(ehr.get("Patient").await.text.starts_with('<'));
    ehr.running.faults().clear();
    assert_eq!(ehr.get("Patient").await.status, 200);
}
