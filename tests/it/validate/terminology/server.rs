//! What a terminology server is asked, what its answers are taken for, and what of them reaches a report.

use super::*;

/// What would be asked about an R4 document, with these answers.
fn asked(document: &str, answers: &Arc<Answers>) -> Vec<CodeQuestion> {
    let shared = Shared::core(Release::R4);
    let codes = Arc::new(shared.codes(Some(Arc::clone(answers))));
    let validator = shared.with_codes(Options::default(), codes);
    validator.validate(tree::json::read(document, Limits::RESOURCE).unwrap()).questions
}

#[test]
fn a_server_answers_what_is_open() {
    let document = condition(r#"{"system":"http://snomed.info/sct","code":"1","display":"One"}"#);
    let questions = asked(&document, &Arc::default());
    assert_eq!(
        questions,
        [question(About::System)],
        "the set has no SNOMED codes, so only the code itself is asked about"
    );
    let plain = Shared::core(Release::R4).validator(Options::default());
    let outcome = plain.validate(tree::json::read(&document, Limits::RESOURCE).unwrap());
    assert!(outcome.questions.is_empty(), "nobody answers");
    let with = |answer: Answer| {
        let answers = Arc::<Answers>::default();
        answers.insert(questions[0].clone(), answer);
        answers
    };
    let answered = |answer: Answer| {
        let found = found_with(&document, Some(with(answer)));
        found.into_iter().filter(|found| !found.contains("extensible")).collect::<Vec<_>>()
    };
    assert_eq!(answered(Answer::Valid(Some("one".into()))), [""; 0]);
    assert_eq!(answered(Answer::Valid(None)), [""; 0]);
    assert_eq!(
        answered(Answer::Invalid),
        ["error fhir-code-unknown Condition.category[0].coding[0].code"]
    );
    assert_eq!(
        answered(Answer::Open),
        ["information fhir-not-checked Condition.category[0].coding[0].system"]
    );
    let again = asked(&document, &with(Answer::Valid(Some("one".into()))));
    assert_eq!(again, []);
    for name in [None, Some("Uno".into())] {
        let again = asked(&document, &with(Answer::Valid(name)));
        assert_eq!(again, [question(About::Names)], "another name may be right");
    }
}

#[test]
fn a_server_tells_of_a_value_set_as_it_would_be_told_here() {
    const SET: &str = "http://hl7.org/fhir/ValueSet/currencies";
    let invoice =
        r#"{"resourceType":"Invoice","status":"draft","totalNet":{"value":1,"currency":"EUR"}}"#;
    let about = About::ValueSet(SET.into());
    let currency = CodeQuestion { about, system: None, version: None, code: "EUR".into() };
    assert_eq!(asked(invoice, &Arc::default()), std::slice::from_ref(&currency));
    let answered = |answer: Answer| {
        let answers = Arc::<Answers>::default();
        answers.insert(currency.clone(), answer);
        assert_eq!(asked(invoice, &answers), []);
        found_with(invoice, Some(answers))
    };
    let at = "Invoice.totalNet.currency";
    assert_eq!(answered(Answer::Valid(None)), [""; 0]);
    assert_eq!(answered(Answer::Open), [format!("information fhir-not-checked {at}")]);
    assert_eq!(
        answered(Answer::Invalid),
        [format!("error fhir-binding-code {at}"), format!("error fhir-binding-code-system {at}")]
    );
}

#[test]
fn a_display_is_judged_by_all_names_that_a_server_has() {
    let found = |language: &str, display: &str, is_list: bool| {
        let coding =
            format!(r#"{{"system":"http://snomed.info/sct","code":"1","display":"{display}"}}"#);
        let document =
            condition(&coding).replacen('{', &format!(r#"{{"language":"{language}","#), 1);
        let names = [("en", "One"), ("en", "A single one"), ("de", "Eins")];
        let names = names.map(|(language, name)| (Some(language.into()), name.into())).into();
        let answers = Arc::<Answers>::default();
        answers.insert(question(About::System), Answer::Valid(Some("One".into())));
        answers.insert(question(About::Names), Answer::Called(Arc::new(Names { names, is_list })));
        let found = found_with(&document, Some(answers));
        found
            .iter()
            .filter(|found| found.contains("display"))
            .cloned()
            .collect::<Vec<_>>()
            .join("; ")
    };
    let at = "Condition.category[0].coding[0].display";
    let wrong = format!("error fhir-display-wrong {at}");
    assert_eq!(found("en", "a SINGLE one", true), "");
    assert_eq!(found("en", "eins", true), "");
    assert_eq!(found("en", "Two", true), wrong);
    assert_eq!(found("de-CH", "Zwei", true), wrong);
    assert_eq!(found("fr", "Un", true), "", "it has no French names");
    assert_eq!(found("en", "A  single one", true), format!("error fhir-display-white-space {at}"));
    assert_eq!(found("en", "Two", false), format!("warning fhir-display-wrong {at}"));
}

#[test]
fn what_has_not_the_form_of_a_code_is_not_asked_about() {
    let about = |coding: &str| asked(&condition(coding), &Arc::default()).len();
    assert_eq!(about(r#"{"system":"http://snomed.info/sct","code":"1"}"#), 1);
    for coding in [
        r#"{"system":"http://snomed.info/sct","code":"Ann Lee"}"#,
        r#"{"system":"http://snomed.info/sct","code":"Zoë"}"#,
        r#"{"system":"http://snomed.info/sct?name=Ann","code":"1"}"#,
        r#"{"system":"http://snomed.info/sct","version":"of Ann Lee","code":"1"}"#,
    ] {
        assert_eq!(about(coding), 0, "{coding}");
    }
}

fn question(about: About) -> CodeQuestion {
    let system = Some("http://snomed.info/sct".into());
    CodeQuestion { about, system, version: None, code: "1".into() }
}

fn set() -> About {
    About::ValueSet("http://x.test/set?of=a|b".into())
}

#[test]
fn questions_become_a_batch_of_gets_in_their_order() {
    let bare = CodeQuestion { system: None, ..question(set()) };
    let versioned = CodeQuestion { version: Some("2".into()), ..question(About::System) };
    let batch = batch::request(&[versioned, question(set()), bare.clone(), question(About::Names)]);
    let told: Vec<String> = batch
        .entries
        .iter()
        .map(|entry| {
            let request = entry.request.as_ref().unwrap();
            assert!(entry.resource.is_none() && request.method == "GET");
            request.url.clone()
        })
        .collect();
    let (sct, of_set) =
        ("http%3A%2F%2Fsnomed.info%2Fsct", "http%3A%2F%2Fx.test%2Fset%3Fof%3Da%7Cb");
    assert_eq!(
        told,
        [
            format!("CodeSystem/$validate-code?url={sct}&version=2&code=1"),
            format!("ValueSet/$validate-code?url={of_set}&system={sct}&code=1"),
            format!("ValueSet/$validate-code?url={of_set}&inferSystem=true&code=1"),
            format!("CodeSystem/$lookup?system={sct}&property=designation&code=1"),
        ]
    );
    assert_eq!(batch::operation(&bare), ("ValueSet", "validate-code"));
    let alone = batch::parameters(&bare).to_text();
    assert_eq!(
        alone,
        r#"{"resourceType":"Parameters","parameter":[{"name":"url","valueUri":"http://x.test/set?of=a|b"},{"name":"inferSystem","valueBoolean":true},{"name":"code","valueCode":"1"}]}"#
    );
}

#[test]
fn a_no_counts_only_with_its_reason() {
    let read = |about: About, more: &str| {
        let parameters = format!(
            r#"{{"resourceType":"Parameters","parameter":[{{"name":"result","valueBoolean":false}}{more}]}}"#
        );
        batch::read(&question(about), &Resource::from_value(value(&parameters)).unwrap())
    };
    let because = |reason: &str| {
        format!(
            r#",{{"name":"issues","resource":{{"resourceType":"OperationOutcome","issue":[{{"details":{{"coding":[{{"code":"{reason}"}}]}}}}]}}}}"#
        )
    };
    let bare = read(About::System, "");
    assert_eq!((bare.answer, bare.is_bare, bare.is_of), (Answer::Open, true, None));
    for (reason, expected) in [
        ("invalid-code", Answer::Invalid),
        ("not-in-vs", Answer::Invalid),
        ("not-found", Answer::Open),
        ("vs-invalid", Answer::Open),
        ("something-else", Answer::Open),
    ] {
        let told = read(set(), &because(reason));
        assert_eq!((told.answer, told.is_bare), (expected, false), "{reason}");
    }
    let unknown =
        r#",{"name":"x-caused-by-unknown-system","valueCanonical":"http://snomed.info/sct"}"#;
    assert_eq!(read(set(), &format!("{unknown}{}", because("not-in-vs"))).answer, Answer::Open);
    for (code, is_of) in [("1", true), ("2", false)] {
        let echo = format!(r#",{{"name":"code","valueCode":"{code}"}}"#);
        assert_eq!(read(About::System, &echo).is_of, Some(is_of));
    }
    let outcome = Resource::new("OperationOutcome");
    assert_eq!(batch::read(&question(About::System), &outcome).answer, Answer::Open);
}

#[test]
fn names_are_read_and_what_is_no_name_is_not() {
    let read = |parameters: &str| {
        let all = format!(r#"{{"resourceType":"Parameters","parameter":[{parameters}]}}"#);
        batch::read(&question(About::Names), &Resource::from_value(value(&all)).unwrap()).answer
    };
    let called = read(
        r#"{"name":"name","valueString":"SNOMED"},{"name":"display","valueString":"One"},
        {"name":"designation","part":[{"name":"language","valueCode":"de"},{"name":"value","valueString":"Eins"}]},
        {"name":"designation","part":[{"name":"value","valueString":"\u001b[31mred"}]},
        {"name":"designation","part":[{"name":"value","valueString":"a\u202eb"}]},
        {"name":"designation","part":[{"name":"value","valueInteger":7}]},{"name":"designation"}"#,
    );
    let Answer::Called(names) = called else { panic!("{called:?}") };
    let expected = [(None, "One".into()), (Some("de".into()), "Eins".into())];
    assert_eq!((names.names.as_slice(), names.is_list), (&expected[..], true));
    assert_eq!(read(""), Answer::Open);
    let many = |count: usize| {
        let name = |number| {
            format!(
                r#"{{"name":"designation","part":[{{"name":"value","valueString":"{number}"}}]}}"#
            )
        };
        let Answer::Called(names) = read(&(0..count).map(name).collect::<Vec<_>>().join(","))
        else {
            panic!("there are names")
        };
        (names.names.len(), names.is_list)
    };
    assert_eq!(
        (many(200), many(201)),
        ((200, true), (200, false)),
        "one that is not kept may be right"
    );
    assert_eq!(
        read(&format!(r#"{{"name":"display","valueString":"{}"}}"#, "x".repeat(3000))),
        Answer::Open
    );
}
