//! A terminology server asked about codes: each thing once, and believed no more than it says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ipt_fhir::client::{Cause, Client, Config, Error, Stopped, Terminology, Unsent};
use ipt_fhir::validate::terminology::{About, Answer, CodeQuestion};

use super::client;
use super::server::{Server, Step, answer};
use crate::support::terminology::{Batches, Habits, TerminologyServer};

const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const YES: &str =
    r#"{"resourceType":"Parameters","parameter":[{"name":"result","valueBoolean":true}]}"#;

fn about(about: About, system: &str, code: &str) -> CodeQuestion {
    CodeQuestion { about, system: Some(system.into()), version: None, code: code.into() }
}

fn of(system: &str, code: &str) -> CodeQuestion {
    about(About::System, system, code)
}

fn asking(server: &Server) -> Terminology {
    Terminology::new(client(server))
}

/// 120 questions about two systems, two of which a right server says "no" to, and three that it can't tell.
fn many() -> Vec<CodeQuestion> {
    let mut questions: Vec<_> = (1..=115).map(|code| of(LOINC, &format!("{code}-1"))).collect();
    questions.extend([of(LOINC, "0-0"), of(SNOMED, "999")]);
    questions.extend(["a", "b", "c"].map(|code| of("http://hospital.test/x", code)));
    questions
}

#[track_caller]
fn assert_right(server: &Terminology) {
    for question in many() {
        let expected = match &*question.code {
            "0-0" | "999" => Answer::Invalid,
            "a" | "b" | "c" => Answer::Open,
            code => Answer::Valid(Some(format!("Name of {code}").into())),
        };
        assert_eq!(server.answers().get(&question), Some(expected), "{}", question.code);
    }
}

#[tokio::test]
async fn questions_go_together_and_each_once() {
    let server = TerminologyServer::start(Habits::GOOD);
    let asking = asking(&server.http);
    assert!(asking.ask(&many()).await);
    assert_right(&asking);
    assert_eq!((server.http.requests().len(), server.batches()), (2, 2));
    assert!(asking.ask(&many()).await);
    assert!(asking.ask(&many()[..7]).await);
    assert!(!asking.ask(&[]).await);
    assert_eq!(server.http.requests().len(), 2, "all is known");
    assert_eq!(server.most_often(), 1);
    let tally = asking.tally();
    assert_eq!((tally.asked, tally.answered, tally.stopped), (120, 117, None));
    assert_eq!((tally.refused, tally.failed), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_at_the_same_time_asks_together() {
    let server = TerminologyServer::start(Habits::GOOD);
    let asking = Arc::new(asking(&server.http));
    let tasks: Vec<_> = (0..16)
        .map(|from| {
            let asking = Arc::clone(&asking);
            tokio::spawn(async move { asking.ask(&many()[from * 5..from * 5 + 40]).await })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap(), "each finds its answers there");
    }
    assert_eq!(server.most_often(), 1);
    assert!(server.http.requests().len() < 16, "{}", server.http.requests().len());
}

#[tokio::test]
async fn whoever_is_dropped_at_the_door_takes_no_question_away() {
    let is_first = AtomicBool::new(true);
    let server = Server::start_answering(move |request| match request.target.as_str() {
        _ if is_first.swap(false, Ordering::SeqCst) => Step::Hang,
        "/fhir" => answer(404, &[], ""),
        _ => answer(200, &[], YES),
    });
    let asking = asking(&server);
    let questions = many();
    let first = asking.ask(&questions[..3]);
    let second = async {
        // The first is under way by now, and gives up.
        tokio::time::sleep(Duration::from_millis(20)).await;
        asking.ask(&questions[..5]).await
    };
    let first = tokio::time::timeout(Duration::from_millis(60), first);
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert!(second);
    let tally = asking.tally();
    assert_eq!((tally.asked, tally.answered), (5, 5), "what was taken along is asked all the same");
}

#[tokio::test]
async fn a_server_without_batches_is_asked_one_by_one() {
    for batch in [400, 404, 405, 413, 415, 422, 501, 500]
        .map(Batches::Refuses)
        .into_iter()
        .chain([Batches::Page, Batches::RefusesEntries])
    {
        for repeats in [true, false] {
            let server = TerminologyServer::start(Habits { batch, repeats, ..Habits::GOOD });
            let asking = asking(&server.http);
            assert!(asking.ask(&many()).await);
            assert_right(&asking);
            assert!(asking.tally().stopped.is_none(), "{batch:?}");
            assert_eq!(server.most_often(), 1, "{batch:?}");
            let batches = server.batches();
            assert!(batches <= 3, "{batch:?}: {batches}");
            asking.ask(&[of(LOINC, "900-1"), of(LOINC, "901-1")]).await;
            assert_eq!(server.batches(), batches, "{batch:?}: it has shown what it does");
        }
    }
}

#[tokio::test]
async fn answers_that_are_mixed_up_or_lost_are_not_believed() {
    for batch in [Batches::Turns, Batches::Loses] {
        for repeats in [true, false] {
            let server = TerminologyServer::start(Habits { batch, repeats, ..Habits::GOOD });
            let asking = asking(&server.http);
            assert!(asking.ask(&many()).await);
            for question in many() {
                let answer = asking.answers().get(&question);
                let is_no = matches!(&*question.code, "0-0" | "999");
                // A "yes" in another place is one all the same; what it is called is another's name.
                assert_eq!(
                    answer == Some(Answer::Invalid),
                    is_no,
                    "{batch:?} {repeats} {}",
                    question.code
                );
                assert_eq!(matches!(answer, Some(Answer::Open)), question.code.len() == 1);
            }
        }
    }
}

#[tokio::test]
async fn names_of_another_code_are_not_taken() {
    for batch in [Batches::Answers, Batches::Turns] {
        let server = TerminologyServer::start(Habits { batch, ..Habits::SILENT });
        let asking = asking(&server.http);
        let questions: Vec<_> = (1..=9).map(|code| format!("{code}-1")).collect();
        let of = |kind: &About| -> Vec<_> {
            questions.iter().map(|code| about(kind.clone(), LOINC, code)).collect()
        };
        asking.ask(&of(&About::System)).await;
        asking.ask(&of(&About::Names)).await;
        for (question, code) in of(&About::Names).iter().zip(&questions) {
            let Some(Answer::Called(names)) = asking.answers().get(question) else {
                panic!("{code}")
            };
            assert_eq!(*names.names[0].1, *format!("Name of {code}"));
            assert!(names.is_list && names.has_language("de-CH") && !names.has_language("fr"));
        }
    }
}

#[tokio::test]
async fn a_no_without_reason_counts_if_the_server_has_the_whole_system() {
    for (whole, expected) in [(true, Answer::Invalid), (false, Answer::Open)] {
        for batch in [Batches::Answers, Batches::Refuses(404)] {
            let server = TerminologyServer::start(Habits { batch, whole, ..Habits::SILENT });
            let asking = asking(&server.http);
            let set = about(About::ValueSet("http://hospital.test/set".into()), LOINC, "7");
            asking.ask(&[of(LOINC, "0-0"), of(LOINC, "1-1"), set.clone()]).await;
            assert_eq!(asking.answers().get(&of(LOINC, "0-0")), Some(expected.clone()));
            assert!(matches!(asking.answers().get(&of(LOINC, "1-1")), Some(Answer::Valid(_))));
            assert_eq!(asking.answers().get(&set), Some(Answer::Open));
            asking.ask(&[of(LOINC, "0-0"), of(LOINC, "1-1")]).await;
            let searches = server
                .http
                .requests()
                .iter()
                .filter(|sent| sent.target.ends_with("_search"))
                .count();
            assert_eq!(searches, 1, "once for each system");
        }
    }
}

#[tokio::test]
async fn only_what_has_the_form_of_a_code_is_asked() {
    let server = TerminologyServer::start(Habits::GOOD);
    let asking = asking(&server.http);
    let long = "1".repeat(65);
    let mut questions = vec![
        of(LOINC, "Ann Lee"),
        of(LOINC, "Müller"),
        of(LOINC, "ann@lee.test"),
        of(LOINC, ""),
        of(LOINC, "1\n"),
        of(LOINC, &long),
        of("Ann Lee", "1"),
        of("Ann", "1"),
        of("http://hospital.test/p?name=Ann", "1"),
        of("http://ann:lee@hospital.test/", "1"),
        of("http://hospital.test/Ann Lee", "1"),
        about(About::ValueSet("Ann Lee".into()), LOINC, "1"),
        CodeQuestion { version: Some("by Ann Lee".into()), ..of(LOINC, "1") },
        CodeQuestion { system: None, ..of(LOINC, "1") },
    ];
    assert!(questions.iter().all(|question| !question.may_leave()));
    assert!(!asking.ask(&questions).await);
    assert_eq!(server.http.connections(), 0);
    questions.push(CodeQuestion { version: Some("2.77".into()), ..of(LOINC, "1-1") });
    assert!(asking.ask(&questions).await);
    assert_eq!(server.asked().len(), 1);
}

/// Asks a server that is of no use: nothing is called wrong, and it is left alone soon.
async fn useless(server: &Server) -> (Terminology, Option<Stopped>) {
    let asking = asking(server);
    asking.ask(&many()).await;
    let sent = server.connections();
    asking.ask(&[of(LOINC, "900-1"), of(LOINC, "901-1")]).await;
    let tally = asking.tally();
    assert_eq!(tally.answered, 0);
    for question in many() {
        assert!(matches!(asking.answers().get(&question), None | Some(Answer::Open)));
    }
    if tally.stopped.is_some() {
        assert_eq!(server.connections(), sent, "it is left alone");
    }
    (asking, tally.stopped)
}

#[tokio::test]
async fn junk_is_no_answer_and_soon_enough() {
    let bodies = ["", "{", "<html>a portal</html>", "[]", "\u{0}\u{1}\u{2}"];
    for body in bodies {
        let server = Server::start_answering(move |_| answer(200, &[], body));
        let (_, stopped) = useless(&server).await;
        assert!(matches!(stopped, Some(Stopped::Failed(_))), "{body}: {stopped:?}");
        assert!(server.connections() <= 10, "{body}: {}", server.connections());
    }
    // Parameters that say nothing are answers, and nothing is learned.
    for body in [
        r#"{"resourceType":"Parameters"}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"result","valueBoolean":"true"},7,null]}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"result","valueString":"false"}]}"#,
        r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}"#,
        r#"{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Bundle","type":"searchset","entry":7}"#,
    ] {
        let server = Server::start_answering(move |_| answer(200, &[], body));
        assert_eq!(useless(&server).await.1, None, "{body}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_or_silent_is_left_alone() {
    let base = Server::start(vec![]).base();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = base.replace(base.rsplit(':').next().unwrap(), &format!("{port}/fhir"));
    let config = Config::anonymous(nobody.parse().unwrap(), Duration::from_millis(400));
    let asking = Terminology::new(Client::new(&config).unwrap());
    assert!(!asking.ask(&many()).await);
    let refused = Error::NotSent(Unsent::ConnectionRefused);
    assert_eq!(asking.tally().stopped, Some(Stopped::Failed(refused)));
    assert!(asking.answers().is_empty());

    let server = Server::start((0..20).map(|_| Step::Hang).collect());
    let began = Instant::now();
    let stopped = useless(&server).await.1;
    assert_eq!(stopped, Some(Stopped::Failed(Error::Ambiguous(Cause::Timeout))));
    assert!(began.elapsed() < Duration::from_secs(10));

    let fails = async |step: fn() -> Step| {
        let server = Server::start((0..60).map(|_| step()).collect());
        let stopped = useless(&server).await.1;
        assert!(matches!(stopped, Some(Stopped::Failed(_))), "{stopped:?}");
    };
    tokio::join!(
        fails(|| Step::Close),
        fails(|| Step::Reset),
        fails(|| Step::Drip),
        fails(|| answer(500, &[], "")),
        fails(|| answer(502, &[], "<html>")),
    );
}

#[tokio::test]
async fn an_answer_beyond_all_measure_is_not_read() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 99999999999\r\n\r\n{";
    let server = Server::start_answering(|_| Step::Send(head.to_vec()));
    let stopped = useless(&server).await.1;
    assert_eq!(stopped, Some(Stopped::Failed(Error::Ambiguous(Cause::TooLarge))));
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is_and_asked_again_then() {
    let is_first = AtomicBool::new(true);
    let server = Server::start_answering(move |_| {
        if is_first.swap(false, Ordering::SeqCst) {
            answer(503, &[("Retry-After", "1")], "")
        } else {
            answer(200, &[], YES)
        }
    });
    let asking = asking(&server);
    let began = Instant::now();
    assert!(asking.ask(&[of(LOINC, "1-1")]).await);
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    assert_eq!((asking.tally().answered, server.connections()), (1, 2));

    for status in [429, 503] {
        let server =
            Server::start_answering(move |_| answer(status, &[("Retry-After", "3600")], ""));
        let stopped = useless(&server).await.1;
        assert!(matches!(stopped, Some(Stopped::Failed(Error::Busy { .. }))), "{stopped:?}");
        assert_eq!(server.connections(), 1, "nothing in the time that it names");
    }
}

#[tokio::test]
async fn a_login_that_is_wanted_ends_it_at_once() {
    for (status, error) in [(401, Error::Unauthorized), (403, Error::Forbidden)] {
        let server = Server::start_answering(move |_| answer(status, &[], ""));
        assert_eq!(useless(&server).await.1, Some(Stopped::Failed(error)));
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn no_redirect_takes_a_question_elsewhere() {
    for status in [301, 302, 303, 307, 308] {
        let other = TerminologyServer::start(Habits::GOOD);
        let location = format!("{}/CodeSystem/$validate-code", other.http.base());
        let server =
            Server::start_answering(move |_| answer(status, &[("Location", &location)], ""));
        let stopped = useless(&server).await.1;
        assert!(matches!(stopped, Some(Stopped::Failed(_))), "{status}: {stopped:?}");
        assert_eq!(other.http.connections(), 0, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_is_none_for_terminology_is_told_from_one_that_lacks_a_system() {
    let server = Server::start_answering(|_| answer(404, &[], "no such page"));
    let (asking, stopped) = useless(&server).await;
    assert_eq!(stopped, None);
    assert_eq!((asking.tally().heard(), asking.tally().asked), (0, 122));
    let server = TerminologyServer::start(Habits::GOOD);
    let asking = self::asking(&server.http);
    asking.ask(&[of("http://hospital.test/x", "a"), of("http://hospital.test/x", "b")]).await;
    assert_eq!((asking.tally().answered, asking.tally().heard()), (0, 2));
}

#[tokio::test]
async fn a_request_says_what_it_asks_and_no_more() {
    let server = TerminologyServer::start(Habits { batch: Batches::Refuses(404), ..Habits::GOOD });
    let asking = asking(&server.http);
    let set = About::ValueSet("http://hospital.test/set".into());
    let versioned = CodeQuestion { version: Some("2.77".into()), ..about(set, LOINC, "1-1") };
    let bare = CodeQuestion { system: None, version: None, ..versioned.clone() };
    asking.ask(&[versioned, bare, about(About::Names, LOINC, "1-1")]).await;
    let sent = server.http.requests();
    let words: BTreeSet<&str> = sent
        .iter()
        .flat_map(|request| {
            request.body.split(['"', ':', ',', '{', '}', '[', ']', '?', '&', '=', '/'])
        })
        .filter(|word| word.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .collect();
    let expected = [
        "1-1",
        "2.77",
        "Bundle",
        "CodeSystem",
        "GET",
        "Parameters",
        "ValueSet",
        "batch",
        "code",
        "designation",
        "entry",
        "hospital.test",
        "http",
        "inferSystem",
        "loinc.org",
        "method",
        "name",
        "parameter",
        "property",
        "request",
        "resourceType",
        "set",
        "system",
        "systemVersion",
        "true",
        "type",
        "url",
        "value",
    ];
    for word in &words {
        let is_known =
            expected.contains(word) || word.starts_with("value") || word.starts_with("http%3A");
        assert!(is_known, "{word}");
    }
    assert!(sent.iter().all(|request| request.method == "POST" && !request.target.contains("1-1")));
}
