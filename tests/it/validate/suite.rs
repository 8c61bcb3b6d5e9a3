//! Scoring: how both sides are compared, and, where the suites are at hand, what is known to differ.
//!
//! The suites are large and not ours, so they lie outside (`IPT_FHIR_TEST_DATA`): HL7's validator suite (`cases.json`,
//! `cases.tgz`), and the specification's examples (`reference.json`, `NAME.tgz`). The lists in `fixtures/suite/` name each run with another verdict, and why. They may only become shorter: `IPT_FHIR_UPDATE=1`
//! takes out what was mended and puts in what is new, whose reason somebody has to write before the test passes.

use std::collections::BTreeMap;
use std::path::Path;

use flate2::read::GzDecoder;
use ipt_fhir::fhir::Release;
use ipt_fhir::validate::suite::known::Known;
use ipt_fhir::validate::suite::{self, Files, Issue, Outcome, Score, Suite, normalised};

use crate::support::shared_folder;

fn issue(severity: &str, code: &str, expression: &str) -> Issue {
    Issue {
        severity: severity.to_owned(),
        code: code.to_owned(),
        expression: normalised(expression),
        text: String::new(),
    }
}

fn outcome(expected: Vec<Issue>, ours: Result<Vec<Issue>, String>) -> Outcome {
    Outcome {
        name: "a|base|R4".to_owned(),
        groups: vec![("module", "general".to_owned())],
        expected,
        ours,
        offline: String::new(),
    }
}

#[test]
fn expressions_are_compared_without_marks() {
    for (expression, plain) in [
        ("Bundle.entry[0].resource/*Patient/p1*/.name", "Bundle.entry[0].resource.name"),
        ("Observation.value.ofType(Quantity).code", "Observation.value.code"),
        ("Patient.extension[0][url='a(b)c'].value", "Patient.extension[0].value"),
        ("a/*x*/b/*y*/c.ofType(A).ofType(B)", "abc"),
        ("a/*never ends", "a"),
        ("Patient", "Patient"),
    ] {
        assert_eq!(normalised(expression), plain);
    }
}

#[test]
fn each_of_ours_stands_for_one_of_theirs() {
    let one = || issue("error", "required", "Patient.a");
    let both = outcome(vec![one(), one()], Ok(vec![one()]));
    assert!(both.verdict_is_equal());
    assert_eq!(both.matched(), 1);
    assert_eq!(both.differences().0.len(), 1);
    let other =
        outcome(vec![one()], Ok(vec![issue("fatal", "required", "Patient.a"), one(), one()]));
    assert_eq!((other.matched(), other.differences().1.len()), (1, 2));
}

#[test]
fn totals_count_verdicts_alarms_and_shares() {
    let one = || issue("error", "value", "Patient.a");
    let mut score = Score::default();
    score.add(outcome(vec![], Ok(vec![])));
    score.add(outcome(vec![], Ok(vec![one()])));
    score.add(outcome(vec![one(), issue("error", "value", "Patient.b")], Ok(vec![one()])));
    score.add(outcome(vec![one()], Ok(vec![])));
    score.add(outcome(vec![], Err("unreadable".to_owned())));
    let all = score.all;
    assert_eq!((all.runs, all.verdicts, all.false_alarms, all.failed), (5, 2, 1, 1));
    assert_eq!((all.with_errors, all.caught), (2, 1));
    assert_eq!(all.verdict_share(), 4000);
    // Half of two, and none of one: the mean over the runs that expect something.
    assert_eq!(all.issue_share(), 2500);
    assert_eq!(score.misses.len(), 3);
    assert_eq!(score.partial.len(), 1);
    assert_eq!(score.group("module", "general"), all);
}

#[test]
fn a_run_without_release_is_of_r5_and_options_are_read() {
    let cases = suite::cases(
        br#"[{"name":"a","run":"base","release":"R4","module":"m","file":"a.xml","supporting":["b.json"],"profile":null,
        "errors":[{"severity":"error","code":"value","expression":"A.ofType(B)","text":"t"}],"offline":"agrees",
        "options":{"validateReference":"CHECK_VALID","examples":false,"packages":["p.tgz"],"security-checks":true,
        "wrong-displays":"warning","best-practice":"Warning","validateContains":"IGNORE"}},
        {"name":"b","release":"?","file":"b.json"}]"#,
    )
    .unwrap();
    let [first, second] = cases.as_slice() else { panic!("two") };
    assert_eq!(
        (first.release, first.format(), first.key().as_str()),
        (Release::R4, "XML", "a|base|R4")
    );
    assert_eq!((second.release, second.run.as_str()), (Release::R5, "base"));
    assert_eq!(first.expected[0].expression, "A");
    let options = &first.options.options;
    assert_eq!(
        Some(options.references),
        ipt_fhir::validate::options::ReferencePolicy::of("CHECK_VALID")
    );
    assert!(options.forbid_examples && options.security_checks && options.best_practice);
    assert!(options.wrong_displays_are_warnings && options.ignore_contained);
    assert!(suite::cases(b"[{}]").is_err() && suite::cases(b"{").is_err());
}

#[test]
fn examples_are_read_by_set() {
    let examples = suite::examples(
        br#"{"r4b":{"a.json":[]},"r5":{"b.json":[{"code":"structure","expression":"A","id":null,"text":"t"}]}}"#,
    )
    .unwrap();
    assert_eq!(examples[0].release, Release::R4B);
    assert_eq!(examples[1].key(), "r5/b.json");
    assert!(examples[1].only_shape && !examples[0].only_shape);
    assert_eq!(examples[1].expected[0].severity, "error");
}

#[test]
fn a_document_is_run_with_what_lies_beside_it() {
    let files: Files = [
        ("a.json", &br#"{"resourceType":"Patient","gender":"male"}"#[..]),
        ("bad.json", &br#"{"resourceType":"Patient","gender":5}"#[..]),
        ("none.json", &b"{"[..]),
    ]
    .into_iter()
    .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
    .collect();
    let cases = suite::cases(
        br#"[{"name":"a","release":"R4","file":"a.json"},{"name":"bad","release":"R4","file":"bad.json"},
        {"name":"none","release":"R4","file":"none.json"},{"name":"gone","release":"R4","file":"gone.json"}]"#,
    )
    .unwrap();
    let suite = Suite::new(&files, unpack);
    let ours: Vec<_> = cases.iter().map(|case| suite.case(case).ours).collect();
    assert_eq!(ours[0].as_deref(), Ok(&[][..]), "{ours:#?}");
    assert!(
        ours[1].as_ref().is_ok_and(|issues| issues[0].expression == "Patient.gender"),
        "{ours:#?}"
    );
    assert!(ours[2].as_ref().is_ok_and(|issues| issues[0].severity == "fatal"));
    assert!(ours[3].is_err());
}

#[test]
fn a_list_of_what_is_known_only_gets_shorter() {
    let known = Known::read(br#"{"a":"needs a server","b":"slicing"}"#).unwrap();
    let change = known.compare(["b", "c"]);
    assert_eq!((change.new, change.mended), (vec!["c".to_owned()], vec!["a".to_owned()]));
    let updated = known.updated(["b", "c"]);
    assert_eq!(updated.reason("b"), Some("slicing"));
    assert_eq!(updated.reason("c"), Some(Known::UNTOLD));
    assert_eq!(Known::read(updated.write().as_bytes()), Ok(updated));
    assert!(Known::read(br#"{"a":" "}"#).is_err() && Known::read(b"[]").is_err());
}

// ---- What is at hand ----

pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    use std::io::Read;
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let mut files = Vec::new();
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        files.push((path.trim_start_matches("./").to_owned(), bytes));
    }
    Ok(files)
}

pub(super) fn archive(path: &Path) -> Files {
    unpack(&std::fs::read(path).unwrap()).unwrap().into_iter().collect()
}

/// The cases where we are right and the reference is not.
fn reviewed() -> Known {
    Known::read(&crate::support::fixture("suite/reviewed.json")).unwrap()
}

/// The runs with another verdict that count.
fn without_reviewed(score: &Score) -> Vec<&str> {
    let reviewed = reviewed();
    score.missed().into_iter().filter(|name| reviewed.reason(name).is_none()).collect()
}

#[test]
fn what_was_reviewed_has_the_sentence_of_the_specification_and_its_place() {
    let reviewed = reviewed();
    assert!(!reviewed.is_empty());
    for name in reviewed.names() {
        let reason = reviewed.reason(name).unwrap();
        let place = reason.rsplit_once(" https://hl7.org/fhir/R");
        let quotes = reason.matches('"').count();
        assert!(place.is_some() && quotes >= 2 && quotes.is_multiple_of(2), "{name}: {reason}");
    }
}

/// What was reviewed of a suite still differs; else it must be taken out.
#[track_caller]
fn reviewed_still_differ(score: &Score, is_of_it: impl Fn(&str) -> bool) {
    let missed = score.missed();
    let reviewed = reviewed();
    for name in reviewed.names().filter(|name| is_of_it(name)) {
        assert!(missed.contains(&name), "reviewed, and differs no more: {name}");
    }
}

/// Whether what is known is to be written anew.
pub(super) fn updates() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the switch by which lists are written")]
    std::env::var("IPT_FHIR_UPDATE").is_ok()
}

/// Holds what differs now against its list.
#[track_caller]
pub(super) fn hold(list: &str, now: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/suite").join(list);
    let known = std::fs::read(&path)
        .map_or_else(|_| Known::default(), |bytes| Known::read(&bytes).unwrap());
    if updates() {
        std::fs::write(&path, known.updated(now.iter().copied()).write()).unwrap();
        return;
    }
    let change = known.compare(now.iter().copied());
    let is_untold = |name: &&str| known.reason(name) == Some(Known::UNTOLD);
    let untold: Vec<&str> = now.iter().copied().filter(is_untold).collect();
    assert!(
        change.new.is_empty() && change.mended.is_empty() && untold.is_empty(),
        "{list}: new {:#?}, mended (take them out) {:#?}, without reason {untold:#?}",
        change.new,
        change.mended
    );
}

#[test]
fn verdicts_on_the_hl7_suite_are_those_that_are_known() {
    let Some(folder) = shared_folder("fhir/test-cases") else { return };
    let files = archive(&folder.join("cases.tgz"));
    let suite = Suite::new(&files, unpack);
    let mut score = Score::default();
    for case in suite::cases(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap() {
        score.add(suite.case(&case));
    }
    reviewed_still_differ(&score, |name| name.contains('|'));
    hold("cases.json", &without_reviewed(&score));
}

#[test]
fn verdicts_on_the_examples_are_those_that_are_known() {
    let Some(folder) = shared_folder("fhir/examples") else { return };
    let mut archives: BTreeMap<String, Files> = BTreeMap::new();
    let mut score = Score::default();
    for example in suite::examples(&std::fs::read(folder.join("reference.json")).unwrap()).unwrap()
    {
        let files = archives
            .entry(example.set.clone())
            .or_insert_with(|| archive(&folder.join(format!("{}.tgz", example.set))));
        score.add(Suite::new(files, unpack).example(&example));
    }
    reviewed_still_differ(&score, |name| !name.contains('|'));
    hold("examples.json", &without_reviewed(&score));
}
