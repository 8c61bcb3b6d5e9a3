//! Whole documents that validating would take long for, if any rule looked at each part again for each part.

use std::fmt::Write;

use ipt_fhir::fhir::Release;
use ipt_fhir::validate::check::{Checked, Checks, View};
use ipt_fhir::validate::options::Options;

use super::{alone, bounded};

/// Validates as the command does, with the lines of the source.
fn check(checks: &Checks, source: &str) -> Checked {
    checks.check(source.as_bytes(), 1)
}

fn has(checked: &Checked, code: &str) -> bool {
    checked.reported.iter().any(|item| item.rule.code == code)
}

fn patient(members: &str) -> String {
    format!("{{\"resourceType\":\"Patient\",{members}}}")
}

/// As many items as there are numbers.
fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    let mut all = String::new();
    for number in 0..count {
        let _ = write!(all, "{}{}", if number > 0 { "," } else { "" }, item(number));
    }
    all
}

#[test]
fn documents_are_validated_in_time_that_grows_with_their_size() {
    if !alone("bombs::document::documents_are_validated_in_time_that_grows_with_their_size") {
        return;
    }
    let view = View { show_values: false, excerpts: true };
    let checks = Checks::new(Some(Release::R4), Vec::new(), Options::default(), view);
    // What is worked out once for all documents is no document's fault.
    check(&checks, &patient("\"active\":true,\"name\":[{\"family\":\"a\"}]"));
    let div = |inside: &str| {
        patient(&format!(
            "\"text\":{{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">{inside}</div>\"}}"
        ))
    };
    let mut answers = String::new();
    for _ in 0..14 {
        answers.push_str("{\"linkId\":\"a\",\"answer\":[{\"valueBoolean\":true,\"item\":[");
    }
    answers.push_str("{\"linkId\":\"a\"}");
    answers.push_str(&"]}]}".repeat(14));
    let cases: Vec<(&str, String, &str)> = vec![
        (
            "an attachment of 15 MiB",
            patient(&format!("\"photo\":[{{\"contentType\":\"image/png\",\"size\":1,\"hash\":\"qvTGHdzF6KLavt4PO0gs2a6pQ00=\",\"data\":\"{}\"}}]", "AAAA".repeat(15 << 18))),
            "fhir-attachment-size",
        ),
        (
            "a string of 15 MiB",
            patient(&format!("\"name\":[{{\"family\":\"{}\"}}]", "é".repeat(15 << 19))),
            "fhir-string-length",
        ),
        ("a date of 8 MiB", patient(&format!("\"birthDate\":\"{}\"", "1990-".repeat(8 << 18))), "fhir-date"),
        ("a number of 8 MiB", patient(&format!("\"multipleBirthInteger\":{}", "9".repeat(8 << 20))), "fhir-integer"),
        ("an id of 8 MiB", patient(&format!("\"id\":\"{}\"", "a".repeat(8 << 20))), "fhir-resource-id-length"),
        ("a URL of 8 MiB", patient(&format!("\"implicitRules\":\"http://{}\"", "a/".repeat(4 << 20))), ""),
        (
            "a language of 8 MiB",
            patient(&format!("\"language\":\"{}\"", "a-".repeat(4 << 20))),
            "",
        ),
        ("narrative that nests", div(&"<b>".repeat(200_000)), "fhir-xhtml-depth"),
        ("narrative of many pieces", div(&"<b>a</b>".repeat(200_000)), ""),
        ("narrative of many faults", div(&"<x y='z'/>".repeat(20_000)), ""),
        ("narrative of many links", div(&"<a href='#b'>a</a>".repeat(20_000)), ""),
        ("narrative of many ids", div(&many(20_000, |number| format!("<p id='{number}'/>")).replace(',', "")), ""),
        ("narrative of many entities", div(&"&eacute;&x;".repeat(50_000)), ""),
        (
            "contained resources that name each other",
            patient(&format!(
                "\"contained\":[{}]",
                many(3_000, |number| format!("{{\"resourceType\":\"Organization\",\"id\":\"o{number}\",\"partOf\":{{\"reference\":\"#o{}\"}}}}", (number + 1) % 3_000))
            )),
            "",
        ),
        (
            "contained resources that name themselves",
            patient(&format!(
                "\"contained\":[{}]",
                many(3_000, |number| format!("{{\"resourceType\":\"Organization\",\"id\":\"o{number}\",\"partOf\":{{\"reference\":\"#o{number}\"}}}}"))
            )),
            "",
        ),
        (
            "unknown elements",
            patient(&many(20_000, |number| format!("\"unknown{number}\":{{\"a\":[1]}}"))),
            "fhir-element-unknown",
        ),
        (
            "extensions that nobody knows",
            patient(&format!(
                "\"extension\":[{}]",
                many(15_000, |number| format!("{{\"url\":\"http://a.example/{number}\",\"valueString\":\"a\"}}"))
            )),
            "fhir-extension-unknown",
        ),
        (
            "extensions in extensions",
            patient(&format!("\"extension\":[{}{{\"url\":\"a\"}}{}]", "{\"url\":\"http://a.example/a\",\"extension\":[".repeat(28), "]}".repeat(28))),
            "",
        ),
        (
            "systems that are not at hand",
            patient(&format!(
                "\"maritalStatus\":{{\"coding\":[{}]}}",
                many(15_000, |number| format!("{{\"system\":\"http://a.example/{number}\",\"code\":\"a\"}}"))
            )),
            "",
        ),
        (
            "profiles that are not at hand",
            patient(&format!("\"meta\":{{\"profile\":[{}]}}", many(30_000, |number| format!("\"http://a.example/{number}\"")))),
            "fhir-profile-unknown",
        ),
        (
            "questions in answers",
            format!("{{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"item\":[{answers}]}}"),
            "",
        ),
        (
            "entries that all have one URL",
            format!(
                "{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{}]}}",
                many(8_000, |_| "{\"fullUrl\":\"http://a.example/Patient/p\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}}".to_owned())
            ),
            "",
        ),
        (
            "entries that all name one",
            format!(
                "{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{}]}}",
                many(5_000, |number| format!("{{\"fullUrl\":\"http://a.example/Patient/{number}\",\"resource\":{{\"resourceType\":\"Patient\",\"id\":\"{number}\",\"link\":[{{\"other\":{{\"reference\":\"Patient/0\"}},\"type\":\"seealso\"}}]}}}}"))
            ),
            "",
        ),
        (
            "bundles in bundles",
            format!(
                "{}{{\"resourceType\":\"Bundle\",\"type\":\"collection\"}}{}",
                "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":\"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0\",\"resource\":".repeat(20),
                "}]}".repeat(20)
            ),
            "",
        ),
        ("a name of 8 MiB", patient(&format!("\"{}\":1", "a".repeat(8 << 20))), "fhir-element-unknown"),
        (
            "names of a kilobyte",
            patient(&many(10_000, |number| format!("\"{}{number}\":1", "valueA".repeat(170)))),
            "fhir-element-unknown",
        ),
        (
            "faults in the rounds of a profile",
            format!(
                "{{\"resourceType\":\"Observation\",\"status\":\"x\",\"code\":{{\"coding\":[{{\"system\":\"http://loinc.org\",\"code\":\"85354-9\"}}]}},\"component\":[{}]}}",
                many(6_000, |_| "{\"valueQuantity\":{\"value\":\"1\",\"comparator\":\"x\"}}".to_owned())
            ),
            "",
        ),
        (
            "one line of XML with a fault at each place",
            format!("<Patient xmlns=\"http://hl7.org/fhir\">{}</Patient>", "<name><use value=\"x\"/></name>".repeat(15_000)),
            "fhir-binding-code",
        ),
        (
            "one line with a fault at each place",
            format!("{{\"resourceType\":\"Patient\",\"name\":[{}]}}", many(15_000, |_| "{\"use\":\"x\"}".to_owned())),
            "fhir-binding-code",
        ),
    ];
    for (name, source, code) in cases {
        let checked = bounded(name, || check(&checks, &source));
        assert!(
            code.is_empty() || has(&checked, code),
            "{name}: {:?}",
            checked
                .reported
                .iter()
                .map(|item| item.rule.code)
                .collect::<std::collections::BTreeSet<_>>()
        );
    }
}
