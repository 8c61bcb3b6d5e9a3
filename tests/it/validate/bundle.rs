//! Bundles and references: how entries find each other, and what each kind of Bundle must hold.

use std::fmt::Write as _;

use ipt_fhir::fhir::Release;
use ipt_fhir::issue::Severity;
use ipt_fhir::validate::options::{Options, ReferencePolicy};

use super::content::{errors, found, offline};

fn codes(source: &str) -> Vec<&'static str> {
    errors(source, offline()).into_iter().map(|(code, _)| code).collect()
}

fn bundle(kind: &str, entries: &[&str]) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{}]}}"#, entries.join(","))
}

#[test]
fn full_urls_are_identities() {
    let entry = |url: &str, resource: &str| {
        bundle("collection", &[&format!(r#"{{"fullUrl":"{url}","resource":{resource}}}"#)])
    };
    let patient = r#"{"resourceType":"Patient","id":"1"}"#;
    let anonymous = r#"{"resourceType":"Patient"}"#;
    let none: [&str; 0] = [];
    assert_eq!(codes(&entry("http://a.b/fhir/Patient/1", patient)), none);
    assert_eq!(codes(&entry("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", anonymous)), none);
    assert_eq!(codes(&entry("http://a.b/any/thing", patient)), none);
    assert_eq!(codes(&entry("Patient/1", patient)), ["fhir-bundle-full-url-relative"]);
    assert_eq!(codes(&entry("http://a.b/fhir/Patient/2", patient)), ["fhir-bundle-full-url-other"]);
    assert_eq!(codes(&entry("http://a.b/fhir/Group/1", patient)), ["fhir-bundle-full-url-other"]);
    assert_eq!(
        codes(&entry("http://a.b/fhir/Patient/1/_history/2", patient)),
        ["fhir-bundle-full-url-other"]
    );
    assert_eq!(
        codes(&entry("http://a.b/fhir/Patient/1", anonymous)),
        ["fhir-bundle-full-url-no-id"]
    );
    assert_eq!(
        codes(&entry("urn:uuid:C757873D-ec9a-4326-a141-556f43239520", anonymous)),
        ["fhir-uuid"]
    );
    let without = format!(r#"{{"resource":{patient}}}"#);
    assert_eq!(codes(&bundle("collection", &[&without])), ["fhir-bundle-no-full-url"]);
    assert_eq!(codes(&bundle("transaction", &[&without])), none);
    let library = r#"{"resourceType":"Library","id":"x","url":"http://a.b/y"}"#;
    assert_eq!(codes(&entry("http://a.b/y", library)), ["fhir-bundle-canonical"]);
}

#[test]
fn links_are_there_once_and_where_they_belong() {
    let with = |kind: &str, links: &str| {
        format!(r#"{{"resourceType":"Bundle","type":"{kind}","link":[{links}]}}"#)
    };
    let link =
        |relation: &str| format!(r#"{{"relation":"{relation}","url":"http://a.b/Patient?x=y"}}"#);
    let twice = [link("self"), link("next"), link("self"), link("next")].join(",");
    let found = errors(&with("searchset", &twice), offline());
    assert_eq!(
        found,
        [
            ("fhir-bundle-link-twice", "Bundle.link[2]".to_owned()),
            ("fhir-bundle-link-twice", "Bundle.link[3]".to_owned())
        ]
    );
    assert_eq!(codes(&with("collection", &link("first"))), ["fhir-bundle-link-paging"]);
    assert_eq!(
        codes(&with("transaction", &[link("self"), link("self")].join(","))),
        ["fhir-bundle-link-twice"]
    );
}

const COMPOSITION: &str = r#"{"fullUrl":"http://a.b/Composition/c","resource":{"resourceType":"Composition","id":"c",
    "subject":{"reference":"Patient/p"},"section":[{"entry":[{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}]}]}}"#;
const PATIENT: &str =
    r#"{"fullUrl":"http://a.b/Patient/p","resource":{"resourceType":"Patient","id":"p"}}"#;
const GOAL: &str = r#"{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Goal","subject":{"reference":"http://a.b/Patient/p"}}}"#;

#[test]
fn a_document_is_whole() {
    let none: [&str; 0] = [];
    assert_eq!(codes(&bundle("document", &[COMPOSITION, PATIENT, GOAL])), none);
    assert_eq!(codes(&bundle("document", &[COMPOSITION, PATIENT])), ["fhir-bundle-not-inside"]);
    assert_eq!(codes(r#"{"resourceType":"Bundle","type":"document"}"#), ["fhir-bundle-empty"]);
    assert!(
        codes(&bundle("document", &[PATIENT, COMPOSITION, GOAL]))
            .contains(&"fhir-document-composition")
    );
    let stranger =
        r#"{"fullUrl":"http://a.b/Patient/q","resource":{"resourceType":"Patient","id":"q"}}"#;
    assert_eq!(
        errors(&bundle("document", &[COMPOSITION, PATIENT, GOAL, stranger]), offline()),
        [("fhir-bundle-unreachable", "Bundle.entry[3]".to_owned())]
    );
    // Found by id and not by fullUrl: two hospitals may both have a Patient/p.
    let elsewhere =
        r#"{"fullUrl":"http://other.b/Patient/p","resource":{"resourceType":"Patient","id":"p"}}"#;
    let lookalike = codes(&bundle("document", &[COMPOSITION, elsewhere, GOAL]));
    assert!(lookalike.contains(&"fhir-bundle-lookalike"), "{lookalike:?}");
    let double = codes(&bundle("document", &[COMPOSITION, PATIENT, PATIENT, GOAL]));
    assert!(double.contains(&"fhir-bundle-several-targets"), "{double:?}");
    // What only refers is reached, with a word about it.
    let back = r#"{"fullUrl":"http://a.b/Flag/f","resource":{"resourceType":"Flag","id":"f","subject":{"reference":"Patient/p"}}}"#;
    let all =
        found(&bundle("document", &[COMPOSITION, PATIENT, GOAL, back]), Release::R4, offline());
    assert!(
        all.iter().any(|(code, _, severity)| *code == "fhir-bundle-backwards"
            && *severity == Severity::Warning)
    );
}

#[test]
fn a_message_begins_with_its_header() {
    let header = r#"{"fullUrl":"http://a.b/MessageHeader/h","resource":{"resourceType":"MessageHeader","id":"h","focus":[{"reference":"Patient/p"}]}}"#;
    assert_eq!(codes(&bundle("message", &[header, PATIENT])), Vec::<&str>::new());
    assert_eq!(codes(&bundle("message", &[header])), ["fhir-bundle-not-inside"]);
    assert_eq!(codes(&bundle("message", &[PATIENT])), ["fhir-message-header"]);
}

#[test]
fn search_results_fit_the_search() {
    let search = |entries: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"searchset","link":[{{"relation":"self","url":"http://a.b/Patient?name=x"}}],"entry":[{entries}]}}"#
        )
    };
    let entry = |kind: &str, id: &str, mode: &str| {
        format!(
            r#"{{"fullUrl":"http://a.b/{kind}/1","resource":{{"resourceType":"{kind}"{id}}},"search":{{"mode":"{mode}"}}}}"#
        )
    };
    let id = r#","id":"1""#;
    let none: [&str; 0] = [];
    assert_eq!(codes(&search(&entry("Patient", id, "match"))), none);
    assert_eq!(codes(&search(&entry("Group", id, "include"))), none);
    assert_eq!(codes(&search(&entry("Group", id, "match"))), ["fhir-search-other-type"]);
    assert_eq!(codes(&search(&entry("Group", id, "outcome"))), ["fhir-search-no-outcome"]);
    assert!(codes(&search(&entry("Patient", "", "match"))).contains(&"fhir-search-no-id"));
    assert_eq!(
        codes(&search(r#"{"fullUrl":"http://a.b/Patient/1"}"#)),
        ["fhir-search-no-resource"]
    );
}

fn observation(more: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{more}}}"#)
}

#[test]
fn references_lead_to_what_they_may() {
    let follow = |more: &str, references: ReferencePolicy| -> Vec<&'static str> {
        let options = Options { references, ..Options::default() };
        errors(&observation(more), options).into_iter().map(|(code, _)| code).collect()
    };
    let none: [&str; 0] = [];
    let by_form = |more: &str| follow(more, ReferencePolicy::CheckTypeIfExists);
    assert_eq!(by_form(r#""subject":{"reference":"Patient/1"}"#), none);
    assert_eq!(by_form(r#""subject":{"reference":"http://a.b/Patient/1/_history/2"}"#), none);
    assert_eq!(
        by_form(r#""subject":{"reference":"Practitioner/1"}"#),
        ["fhir-reference-target-url"]
    );
    assert_eq!(
        follow(r#""subject":{"reference":"Practitioner/1"}"#, ReferencePolicy::Ignore),
        none
    );
    assert_eq!(
        follow(r#""subject":{"reference":"Patient/1"}"#, ReferencePolicy::CheckExistsAndType),
        ["fhir-reference-not-found"]
    );
    assert_eq!(by_form(r#""subject":{"reference":"Patient/ 1"}"#), ["fhir-reference-space"]);
    assert_eq!(by_form(r#""subject":{"reference":"Patient?identifier=a|b"}"#), none);
    assert_eq!(by_form(r#""subject":{"reference":"Patient?"}"#), ["fhir-reference-query"]);
    assert_eq!(
        by_form(r#""subject":{"type":"Practitioner","reference":"Patient/1"}"#),
        ["fhir-reference-stated-type", "fhir-reference-stated-other"]
    );
    assert_eq!(by_form(r##""subject":{"reference":"#x"}"##), ["fhir-reference-not-contained"]);
    assert_eq!(
        by_form(
            r##""contained":[{"resourceType":"Practitioner","id":"x"}],"subject":{"reference":"#x"}"##
        ),
        ["fhir-reference-target"]
    );
    assert_eq!(
        by_form(
            r##""contained":[{"resourceType":"Patient","id":"x"}],"subject":{"reference":"#x"}"##
        ),
        none
    );
}

#[test]
fn contained_resources_are_referred_to() {
    let with = |contained: &str, rest: &str| {
        codes(&observation(&format!(r#""contained":[{contained}]{rest}"#)))
    };
    let none: [&str; 0] = [];
    let patient = r#"{"resourceType":"Patient","id":"p"}"#;
    assert_eq!(with(patient, ""), ["fhir-contained-unused"]);
    assert_eq!(with(patient, r##","subject":{"reference":"#p"}"##), none);
    // It refers to what is around it.
    assert_eq!(
        with(r##"{"resourceType":"Provenance","id":"p","target":[{"reference":"#"}]}"##, ""),
        none
    );
    // Referred to by one that is referred to, and by one that is not; and in a circle.
    let organization = r##"{"resourceType":"Organization","id":"o","partOf":{"reference":"#p"}}"##;
    let part = r#"{"resourceType":"Organization","id":"p"}"#;
    let both = format!("{organization},{part}");
    assert_eq!(with(&both, r##","performer":[{"reference":"#o"}]"##), none);
    assert_eq!(with(&both, ""), ["fhir-contained-unused", "fhir-contained-unused"]);
    let circle = format!(
        r##"{organization},{{"resourceType":"Organization","id":"p","partOf":{{"reference":"#o"}}}}"##
    );
    assert_eq!(with(&circle, ""), ["fhir-contained-unused", "fhir-contained-unused"]);
}

#[test]
fn vital_signs_are_told_by_their_codes() {
    let vital = |code: &str, more: &str| {
        codes(&format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{code}]}},
                "category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}}]}}],
                "subject":{{"reference":"Patient/1"}},"effectiveDateTime":"2026-03-02"{more}}}"#
        ))
    };
    let oral = r#"{"system":"http://loinc.org","code":"8331-1"}"#;
    let temperature = r#"{"system":"http://loinc.org","code":"8310-5"}"#;
    let value = r#","valueQuantity":{"value":36.6,"unit":"C","system":"http://unitsofmeasure.org","code":"Cel"}"#;
    let none: [&str; 0] = [];
    assert_eq!(vital(temperature, value), none);
    assert_eq!(vital(&format!("{oral},{temperature}"), value), none);
    assert_eq!(vital(oral, value), ["fhir-vital-sign-code"]);
    assert_eq!(
        vital(r#"{"system":"http://snomed.info/sct","code":"276885007"}"#, value),
        ["fhir-vital-sign-code"]
    );
    assert_eq!(vital(temperature, ""), ["fhir-invariant"]);
    assert_eq!(vital(temperature, &value.replace("Cel", "K")), ["fhir-vital-sign-unit"]);
    assert_eq!(vital(temperature, r#","valueQuantity":{"value":36.6}"#).len(), 3);
    assert_eq!(vital(r#"{"system":"http://loinc.org","code":"1-8"}"#, ""), none);
    let part = |code: &str| {
        format!(
            r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"dataAbsentReason":{{"text":"x"}}}}"#
        )
    };
    let pressure = r#"{"system":"http://loinc.org","code":"85354-9"}"#;
    let both = format!(r#","component":[{},{}]"#, part("8480-6"), part("8462-4"));
    assert_eq!(vital(pressure, &both), none);
    assert_eq!(
        vital(pressure, &format!(r#","component":[{}]"#, part("8462-4"))),
        ["fhir-vital-sign-component", "fhir-vital-sign-component"]
    );
    let other = format!(r#","component":[{}]"#, part("1-8"));
    // Too few, no systolic and no diastolic one.
    assert_eq!(vital(pressure, &other), ["fhir-vital-sign-component"; 3]);
}

/// 20,000 entries that all refer to the first, and a document of them: no step looks at all entries for each.
#[test]
fn large_bundles_take_linear_time() {
    let build = |entries: usize| {
        let mut text = String::from(r#"{"resourceType":"Bundle","type":"document","entry":["#);
        text.push_str(
            r#"{"fullUrl":"http://a.b/Composition/0","resource":{"resourceType":"Composition","id":"0","section":[{"entry":["#,
        );
        for index in 1..entries {
            let comma = if index == 1 { "" } else { "," };
            write!(text, r#"{comma}{{"reference":"Flag/{index}"}}"#).unwrap();
        }
        text.push_str("]}]}}");
        for index in 1..entries {
            write!(
                text,
                r#",{{"fullUrl":"http://a.b/Flag/{index}","resource":{{"resourceType":"Flag","id":"{index}","subject":{{"reference":"Patient/p"}}}}}}"#
            )
            .unwrap();
        }
        text.push_str(r#",{"fullUrl":"http://a.b/Patient/p","resource":{"resourceType":"Patient","id":"p"}}]}"#);
        text
    };
    let time = |entries: usize| {
        let text = build(entries);
        let start = std::time::Instant::now();
        assert_eq!(errors(&text, offline()), []);
        start.elapsed()
    };
    time(100);
    let (small, large) = (time(2_000), time(20_000));
    // Ten times as much takes ten times as long; a hundred times would show a step that looks at all for each.
    assert!(large < small * 50, "{small:?} and {large:?}");
}
