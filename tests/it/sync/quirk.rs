//! Servers that leave the specification, each as a real one was measured: sync comes to the same on all of them.

use ipt_fhir::fhir::Refusal;
use ipt_fhir::sandbox::{Behaviour, Quirks, Transactions};
use ipt_fhir::sync::{Conflict, Denial, Done, Failure, ItemState, Outcome, Progress};

use super::clinic::{
    ANSWERS, CARE_PLAN, Clinic, GOAL, OBJECTIVE, PROCEDURE, PROGRESS, SESSION, TASK, item,
    resources, uuid,
};
use super::proxy::{Before, proxy};
use crate::crash::side_by_side;
use crate::support::pack::limited;

fn quirky(quirks: Quirks) -> Behaviour {
    Behaviour { quirks, ..Behaviour::default() }
}

/// The way of a record from beginning to end on a server of this kind.
async fn comes_to_the_same(behaviour: Behaviour) {
    let clinic = Clinic::with(behaviour.clone()).await;
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome(), Outcome::Done, "{behaviour:?} {report:?}");
    clinic.assert_complete("Grieve");
    clinic.assert_quiet("Grieve").await;
    assert_eq!(clinic.apply("Mourn").await.outcome(), Outcome::Done, "{behaviour:?}");
    clinic.assert_complete("Mourn");
    clinic.assert_quiet("Mourn").await;
    // An edit is shown and stays, whatever else changed.
    clinic.edit(OBJECTIVE, "lifecycleStatus", r#""on-hold""#);
    let report = clinic.apply("Weep").await;
    let state = &item(&report, OBJECTIVE).state;
    assert!(matches!(state, ItemState::RemoteChanged(_)), "{behaviour:?} {state:?}");
    assert_eq!(clinic.one(OBJECTIVE).text("lifecycleStatus"), Some("on-hold"));
    // What is gone is not made again.
    let task = clinic.id(TASK);
    clinic.ehr.delete(&task);
    let report = clinic.apply("Weep").await;
    assert_eq!(item(&report, TASK).state, ItemState::Conflict(Conflict::Gone), "{behaviour:?}");
    assert!(clinic.copies(TASK).is_empty(), "{behaviour:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_quirk_alone_and_all_together() {
    let none = Quirks::default;
    let each = [
        Quirks { ignores_if_match: true, ..none() },
        Quirks { ignores_strict: true, ..none() },
        Quirks { tells_no_place: true, ..none() },
        Quirks { tells_no_total: true, ..none() },
        Quirks { gives_no_links: true, ..none() },
        Quirks { longest_page: Some(1), ..none() },
        Quirks { gives_no_links: true, longest_page: Some(1), ..none() },
        Quirks { forgets_deletions: true, ..none() },
        Quirks { reverses_answers: true, ..none() },
        Quirks { bare_entry_tags: true, ..none() },
        Quirks { media_type: "application/json", ..none() },
        Quirks { media_type: "text/plain;charset=ISO-8859-1", ..none() },
        Quirks { transactions: Transactions::Partial, ..none() },
        Quirks { transactions: Transactions::Batch, ..none() },
        Quirks { max_conditional_entries: Some(8), ..none() },
        Quirks { max_conditional_entries: Some(1), ..none() },
        Quirks {
            ignores_if_match: true,
            ignores_strict: true,
            tells_no_place: true,
            tells_no_total: true,
            gives_no_links: true,
            longest_page: None,
            forgets_deletions: true,
            reverses_answers: true,
            bare_entry_tags: true,
            media_type: "application/json",
            transactions: Transactions::Partial,
            max_conditional_entries: Some(3),
            ..none()
        },
    ];
    let mut cases = Vec::new();
    for quirks in each {
        let is_bundle = quirks.transactions != Transactions::Whole;
        let behaviour = quirky(quirks);
        if is_bundle {
            // Where references are not checked, a batch keeps what a transaction would refuse.
            cases.push(Behaviour { referential_integrity: false, ..behaviour.clone() });
        }
        if behaviour.quirks.tells_no_place || behaviour.quirks.ignores_if_match {
            cases.push(Behaviour { transactions: false, ..behaviour.clone() });
        }
        cases.push(behaviour);
    }
    side_by_side(cases.into_iter().map(comes_to_the_same).collect()).await;
}

#[tokio::test]
async fn a_known_limit_is_kept_and_costs_no_refusal() {
    for (limit, transactions) in [(8, 2), (5, 2), (3, 4)] {
        let quirks = Quirks { max_conditional_entries: Some(limit), ..Quirks::default() };
        let mut clinic = Clinic::with(quirky(quirks)).await;
        clinic.pack = Some(limited(limit));
        let report = clinic.apply("Grieve").await;
        assert_eq!(report.outcome(), Outcome::Done, "{limit} {report:?}");
        clinic.assert_complete("Grieve");
        let log = clinic.ehr.log();
        let posts: Vec<_> = log.iter().filter(|one| one.method == "POST").collect();
        assert!(posts.iter().all(|one| one.status == Some(200)), "{limit} {posts:?}");
        assert!(posts.len() >= transactions, "{limit} {posts:?}");
        clinic.assert_quiet("Grieve").await;
    }
}

#[tokio::test]
async fn what_the_search_does_not_find_yet_is_read_where_it_was_made() {
    // The transaction's answer comes in another order; the search that follows finds no goals yet.
    let quirks = Quirks { reverses_answers: true, ..Quirks::default() };
    let mut clinic = Clinic::with(quirky(quirks)).await;
    let mut searches = 0;
    let lags = move |method: &str, path: &str| {
        searches += u32::from(method == "GET" && path == "Goal");
        if method == "GET" && path == "Goal" && searches == 2 {
            return Before::Answer(
                200,
                r#"{"resourceType":"Bundle","type":"searchset","total":0}"#.into(),
            );
        }
        Before::Pass
    };
    clinic.base_url = proxy(clinic.ehr.base_url(), lags, |_| {}).await;
    let report = clinic.apply("Grieve").await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    assert_eq!(item(&report, GOAL).id, Some(clinic.id(GOAL)), "whose it is, it says itself");
    assert_eq!(item(&report, OBJECTIVE).id, Some(clinic.id(OBJECTIVE)));
    clinic.assert_complete("Grieve");
    clinic.assert_quiet("Grieve").await;
    assert_eq!(clinic.apply("Mourn").await.outcome(), Outcome::Done);
    clinic.assert_complete("Mourn");
}

#[tokio::test]
async fn goals_that_were_removed_before_they_were_read_back_are_gone_and_not_made_again() {
    let clinic = Clinic::with(quirky(Quirks { reverses_answers: true, ..Quirks::default() })).await;
    let mut removed = Vec::new();
    let mut looked = 0;
    let mut watch = |progress: Progress| {
        if matches!(&progress, Progress::LookingUp { resource_type } if resource_type == "Goal") {
            looked += 1;
            if looked == 2 {
                for goal in [GOAL, OBJECTIVE] {
                    let id = clinic.id(goal);
                    assert!(clinic.ehr.delete(&id));
                    removed.push(id);
                }
            }
        }
    };
    let report = clinic.apply_watched(resources("Grieve"), &mut watch).await;
    assert_eq!(removed.len(), 2);
    for _ in 0..2 {
        let report = clinic.apply("Grieve").await;
        for goal in [GOAL, OBJECTIVE] {
            assert_eq!(item(&report, goal).state, ItemState::Conflict(Conflict::Gone));
            assert!(clinic.copies(goal).is_empty());
        }
    }
    assert_eq!(report.outcome(), Outcome::Conflicts, "{report:?}");
}

/// The kinds of which the others of the made-up record know.
const KINDS: [(&str, &[u128]); 3] = [
    ("Goal", &[GOAL, OBJECTIVE]),
    ("Encounter", &[SESSION]),
    ("QuestionnaireResponse", &[ANSWERS]),
];

#[tokio::test]
async fn kinds_that_are_not_taken_are_named_and_left_out_until_they_are_taken() {
    for transactions in [true, false] {
        for (kind, items) in KINDS {
            let poor = Behaviour { transactions, without: vec![kind], ..Behaviour::default() };
            let clinic = Clinic::with(poor).await;
            let planned = clinic.plan("Grieve").await;
            assert_eq!(planned.outcome(), Outcome::Partial);
            let report = clinic.apply("Grieve").await;
            assert_eq!(report.outcome().exit_code(), 7, "{kind} {report:?}");
            assert_eq!(report.refusals, [], "known before anything was sent");
            for one in report.items() {
                if one.resource_type == kind {
                    let why = ItemState::Failed(Failure::Unsupported {
                        what: "create",
                        by: Denial::Statement,
                    });
                    assert_eq!(one.state, why, "{kind}");
                } else {
                    let state = (one.done, &one.state);
                    assert_eq!(state, (Some(Done::Created), &ItemState::InSync), "{kind}");
                }
            }
            let left_out = &item(&report, CARE_PLAN).left_out;
            let expected: Vec<_> = items.iter().map(|number| uuid(*number)).collect();
            if kind == "QuestionnaireResponse" {
                assert!(left_out.is_empty(), "nothing refers to it");
            } else {
                assert_eq!(*left_out, expected, "{kind}");
            }
            let text: String =
                clinic.ehr.resources().iter().map(ipt_fhir::fhir::Resource::to_text).collect();
            assert!(!text.contains("urn:uuid"), "nothing dangles");
            // A second run says the same and writes nothing.
            let before = clinic.writing_requests();
            let again = clinic.apply("Grieve").await;
            assert_eq!(clinic.writing_requests(), before, "{kind}");
            assert_eq!(again.outcome(), Outcome::Partial);
            assert_eq!(again.items().filter(|one| one.done.is_some()).count(), 0);
            // An edit in the meantime is none of ours.
            clinic.edit(PROCEDURE, "status", r#""on-hold""#);
            let edited = clinic.apply("Grieve").await;
            let state = &item(&edited, PROCEDURE).state;
            assert!(matches!(state, ItemState::RemoteChanged(_)), "{kind} {state:?}");
            clinic.edit(PROCEDURE, "status", r#""completed""#);
            // The server learns the kind: it is created, and what should refer to it does.
            clinic.ehr.behave(Behaviour { transactions, ..Behaviour::default() });
            let taken = clinic.apply("Grieve").await;
            assert_eq!(taken.outcome(), Outcome::Done, "{kind} {taken:?}");
            for number in items {
                assert_eq!(item(&taken, *number).done, Some(Done::Created));
            }
            clinic.assert_complete("Grieve");
            clinic.assert_quiet("Grieve").await;
            // It forgets it again: what is there stays, and keeps its references.
            clinic.ehr.behave(Behaviour {
                transactions,
                without: vec![kind],
                ..Behaviour::default()
            });
            let before = clinic.writing_requests();
            clinic.apply("Grieve").await;
            assert_eq!(clinic.writing_requests(), before, "{kind}");
            clinic.assert_complete("Grieve");
        }
    }
}

#[tokio::test]
async fn a_lost_ledger_does_not_make_an_edit_of_what_was_left_out() {
    let poor = Behaviour { without: vec!["Goal", "Encounter"], ..Behaviour::default() };
    let clinic = Clinic::with(poor).await;
    clinic.apply("Grieve").await;
    std::fs::remove_dir_all(clinic.directory.path().join("store")).unwrap();
    let before = clinic.writing_requests();
    let report = clinic.apply("Grieve").await;
    assert_eq!(clinic.writing_requests(), before);
    let taken = report.items().filter(|one| !matches!(one.state, ItemState::Failed(_)));
    for one in taken {
        assert_eq!((one.done, &one.state), (Some(Done::Adopted), &ItemState::InSync), "{one:?}");
    }
}

/// The answer to a create of a kind that is listed and not taken.
async fn refused_as_a_kind(status: u16, body: &'static str, learned: bool) {
    let clinic = Clinic::open().await;
    let refuse = move |method: &str, path: &str| match (method, path) {
        ("POST", "" | "Goal") => Before::Answer(status, body.into()),
        _ => Before::Pass,
    };
    let way = proxy(clinic.ehr.base_url(), refuse, |_| {}).await;
    let report = clinic.apply_by(&way, resources("Grieve")).await;
    assert!(matches!(item(&report, OBJECTIVE).state, ItemState::Failed(Failure::Server(_))));
    let of_goal = |refusal: &&Refusal| refusal.resource_type == "Goal";
    let refusal = report.refusals.iter().find(of_goal);
    let plan = item(&report, CARE_PLAN);
    if learned {
        // What is forbidden for one record may be so for the sake of its patient.
        let told = refusal.map(|refusal| (refusal.interaction.as_str(), refusal.status));
        assert_eq!(told, (status != 403).then_some(("create", status)), "{report:?}");
        assert!(matches!(item(&report, GOAL).state, ItemState::Failed(Failure::Server(_))));
        assert_eq!((plan.done, &plan.state), (Some(Done::Created), &ItemState::InSync));
        assert_eq!(plan.left_out, [uuid(GOAL), uuid(OBJECTIVE)]);
        assert_eq!(item(&report, PROGRESS).left_out, [uuid(GOAL)]);
        let tried = clinic.ehr.log();
        assert_eq!(
            tried.iter().filter(|one| one.path == "Goal" && one.method == "POST").count(),
            0
        );
    } else {
        assert_eq!(refusal, None);
        assert!(matches!(plan.state, ItemState::BlockedBy(_)), "{status} {report:?}");
    }
    if let Some(refusal) = refusal {
        // For a day it is not tried again, and what is there keeps quiet about it.
        let before = clinic.writing_requests();
        let believed = clinic.apply("Grieve").await;
        assert_eq!(clinic.writing_requests(), before, "{status}");
        let by = Denial::Refusal(refusal.until);
        let why = ItemState::Failed(Failure::Unsupported { what: "create", by });
        assert_eq!(item(&believed, GOAL).state, why);
        assert_eq!(believed.refusals, []);
    }
    clinic.store().await.forget_refusals("clinic").await.unwrap();
    // Without the refusal, all comes to what it should be.
    let taken = clinic.apply("Grieve").await;
    assert_eq!(taken.outcome(), Outcome::Done, "{status} {taken:?}");
    assert_eq!(taken.refusals, []);
    clinic.assert_complete("Grieve");
    clinic.assert_quiet("Grieve").await;
}

#[tokio::test]
async fn a_kind_that_is_listed_and_refused_is_learned_and_left_out() {
    let not_supported = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-supported"}]}"#;
    let invariant =
        r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invariant"}]}"#;
    for (status, body, learned) in [
        (403, "{}", true),
        (404, "{}", true),
        (405, "{}", true),
        (501, "{}", true),
        (400, not_supported, true),
        (422, invariant, false),
        (400, "{}", false),
    ] {
        refused_as_a_kind(status, body, learned).await;
    }
}

#[tokio::test]
async fn a_server_that_lists_transactions_and_takes_none_is_asked_once() {
    let clinic = Clinic::open().await;
    let refuse = |method: &str, path: &str| match (method, path) {
        ("POST", "") => Before::Answer(501, "{}".into()),
        _ => Before::Pass,
    };
    let way = proxy(clinic.ehr.base_url(), refuse, |_| {}).await;
    let report = clinic.apply_by(&way, resources("Grieve")).await;
    assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
    let [refusal] = report.refusals.as_slice() else { panic!("{report:?}") };
    let told = (refusal.resource_type.as_str(), refusal.interaction.as_str(), refusal.status);
    assert_eq!(told, (Refusal::SYSTEM, "transaction", 501));
    clinic.assert_complete("Grieve");
}

#[tokio::test]
async fn a_412_inside_of_a_400_is_found_out_by_looking() {
    let mut clinic = Clinic::open().await;
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing",
        "details":{"text":"Transaction failed at entry 4: Entry failed with status 412"}}]}"#;
    let refuse = move |method: &str, path: &str| match (method, path) {
        ("POST", "") => Before::Answer(400, outcome.into()),
        _ => Before::Pass,
    };
    clinic.base_url = proxy(clinic.ehr.base_url(), refuse, |_| {}).await;
    // Two copies appear after the look-up: this is what the 412 is about.
    let (_, mut task) = resources("Grieve").swap_remove(10);
    let patient = ipt_fhir::json::parse(br#"{"reference":"Patient/first"}"#).unwrap();
    task.object_mut().insert("for", patient);
    task.object_mut().remove("basedOn");
    let mut left = 2;
    let mut double = |progress: Progress| {
        if matches!(progress, Progress::Writing { .. }) && left > 0 {
            left -= 1;
            clinic.ehr.put(task.clone()).unwrap();
        }
    };
    let report = clinic.apply_watched(resources("Grieve"), &mut double).await;
    let state = &item(&report, TASK).state;
    assert!(matches!(state, ItemState::Conflict(Conflict::Duplicates(_))), "{report:?}");
    assert_eq!(report.outcome(), Outcome::Conflicts);
    assert_eq!(clinic.copies(TASK).len(), 2, "no third one");
    assert!(clinic.copies(GOAL).len() <= 1);
}
