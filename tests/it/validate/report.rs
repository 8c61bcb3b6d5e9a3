//! Reports: places, carets, what is hidden, and the same findings in every form.

use std::fmt::Write;

use ipt_fhir::fhir::Release;
use ipt_fhir::json::Value;
use ipt_fhir::validate::check::{Checked, Checks, View};
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::report::text::Paint;
use ipt_fhir::validate::report::{Count, json as as_json, outcome, text};

/// A Patient with a fault of each common kind. Every text that may tell of a person begins with `Zq`.
const PATIENT: &str = r#"{
  "resourceType": "Patient",
  "id": "p1",
  "name": [{ "family": "Zqfamily", "given": ["Zqone", "Zqtwo"], "zqnick": "Zqnickname" }],
  "gender": "Zqgender",
  "birthDate": "Zqbirthday",
  "link": [{ "type": "seealso" }]
}"#;

fn check(source: &str, show_values: bool) -> Checked {
    let view = View { show_values, excerpts: true };
    Checks::new(Some(Release::R4), Vec::new(), Options::default(), view).check(source.as_bytes(), 1)
}

fn rendered(source: &str, show_values: bool) -> String {
    let mut out = String::new();
    text::write(&mut out, "patient.json", &check(source, show_values).reported, &Paint::default());
    out
}

#[test]
fn a_report_shows_the_line_without_its_values() {
    let report = rendered(PATIENT, false);
    assert!(!report.contains("Zq") && !report.contains("zq"), "{report}");
    for part in [
        "patient.json:5:",
        " Patient.gender\n",
        "  \"gender\": \"………………\",".replace("………………", &"…".repeat(8)).as_str(),
        "found: [value hidden: a text of 8 characters]",
    ] {
        assert!(report.contains(part), "{part} in\n{report}");
    }
}

#[test]
fn a_report_shows_values_when_asked() {
    let report = rendered(PATIENT, true);
    for part in ["\"gender\": \"Zqgender\",", "found: Zqgender", "found: Zqbirthday"] {
        assert!(report.contains(part), "{part} in\n{report}");
    }
}

#[test]
fn the_caret_stands_under_what_is_meant() {
    let report = rendered(PATIENT, true);
    let lines: Vec<&str> = report.lines().collect();
    let at =
        lines.iter().position(|line| line.ends_with("\"birthDate\": \"Zqbirthday\",")).unwrap();
    let caret: String = lines[at + 1].chars().collect();
    let from = caret.find('^').unwrap();
    let width = caret.matches('^').count();
    assert_eq!(lines[at].get(from..from + width), Some("\"Zqbirthday\""), "{report}");
}

#[test]
fn a_long_line_is_shown_around_its_place() {
    let many = "\"Zqx\",".repeat(20_000);
    let source = format!(
        r#"{{"resourceType":"Patient","name":[{{"given":[{many}"a"]}}],"gender":"Zqwrong","active":true}}"#
    );
    let checked = check(&source, false);
    let excerpt = checked
        .reported
        .iter()
        .find(|item| item.expression == "Patient.gender" && item.found.is_some())
        .and_then(|item| item.excerpt.clone())
        .unwrap();
    assert!(excerpt.line.chars().count() < 120, "{}", excerpt.line);
    let meant: String = excerpt.line.chars().skip(excerpt.before).take(excerpt.width).collect();
    assert_eq!(meant, format!("\"{}\"", "…".repeat(7)), "{}", excerpt.line);
    assert!(!excerpt.line.contains("Zq"));
}

#[test]
fn xml_is_masked_as_json_is() {
    let source = "<Patient xmlns=\"http://hl7.org/fhir\">\n  <gender value=\"Zqgender\"/>\n  \
                  <birthDate value=\"Zqday\"/>\n  <zqunknown value=\"Zqtext\"/>\n</Patient>";
    let report = rendered(source, false);
    assert!(!report.contains("Zq") && !report.contains("zq"), "{report}");
    let masked = format!("2 |   <gender value=\"{}\"/>", "…".repeat(8));
    assert!(report.contains(&masked), "{report}");
    let shown = rendered(source, true);
    assert!(shown.contains("<gender value=\"Zqgender\"/>"), "{shown}");
}

#[test]
fn all_forms_say_the_same() {
    let checked = check(PATIENT, false);
    let object = as_json::resource("patient.json", 1, Some("Patient"), true, &checked.reported);
    let object = Value::Object(object);
    let outcome = outcome::of("patient.json", &checked.reported).into_value();
    let issues: Vec<&Value> = object.items("issues").collect();
    assert_eq!(issues.len(), checked.reported.len());
    assert_eq!(outcome.items("issue").count(), issues.len());
    for (issue, of_outcome) in issues.iter().zip(outcome.items("issue")) {
        assert_eq!(issue.text("severity"), of_outcome.text("severity"));
        assert_eq!(issue.text("type"), of_outcome.text("code"));
        assert_eq!(
            issue.text("expression"),
            of_outcome.pointer("/expression/0").and_then(Value::as_str)
        );
        assert_eq!(
            issue.text("code"),
            of_outcome.pointer("/details/coding/0/code").and_then(Value::as_str)
        );
        assert_eq!(
            issue.get("line").and_then(Value::as_u64).map(|line| line.to_string()).as_deref(),
            of_outcome.pointer("/extension/0/valueString").and_then(Value::as_str)
        );
        assert!(issue.text("specification").is_some_and(|place| place.starts_with("http")));
    }
    for form in [object.to_text(), outcome.to_text()] {
        assert!(!form.contains("Zq") && !form.contains("zq"), "{form}");
    }
    let mut count = Count::default();
    count.add(&checked.reported);
    let errors = issues.iter().filter(|issue| issue.text("severity") == Some("error")).count();
    assert_eq!(count.errors, errors as u64);
    assert!(errors >= 4 && count.invalid == 1);
}

#[test]
fn our_outcomes_are_valid_themselves() {
    for source in [PATIENT, r#"{"resourceType":"Patient"}"#, "{", "<a>"] {
        let outcome =
            outcome::of("a.json", &check(source, false).reported).into_value().to_pretty();
        let checked = check(&outcome, true);
        let errors: Vec<String> = checked
            .reported
            .iter()
            .filter(|item| item.severity >= ipt_fhir::issue::Severity::Error)
            .map(|item| format!("{} {}: {}", item.rule.code, item.expression, item.text))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{outcome}");
    }
}

#[test]
fn what_cant_be_read_is_told_with_its_place() {
    for (source, code, line, column) in [
        ("{\n  \"a\": }", "fhir-json-syntax", 2, 8),
        ("", "fhir-json-syntax", 1, 1),
        ("<a>", "fhir-xml-root", 1, 1),
    ] {
        let checked = check(source, false);
        assert!(!checked.is_readable);
        let item = &checked.reported[0];
        assert_eq!(
            (item.rule.code, item.position.line, item.position.column),
            (code, line, column),
            "{source}"
        );
    }
    let view = View::default();
    let checks = Checks::new(None, Vec::new(), Options::default(), view);
    let checked = checks.check(b"{\"resourceType\": \"\xff\"}", 7);
    assert_eq!(checked.reported[0].rule.code, "fhir-not-utf8");
    assert_eq!(checked.reported[0].position.line, 7);
}

#[test]
fn the_release_is_the_one_that_a_document_names() {
    let checks = Checks::new(None, Vec::new(), Options::default(), View::default());
    for (source, release) in [
        (r#"{"resourceType":"CapabilityStatement","fhirVersion":"5.0.0"}"#, Release::R5),
        (r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.3.0"}"#, Release::R4B),
        (r#"{"resourceType":"Patient"}"#, Release::R4),
        (
            r#"{"resourceType":"Patient","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/Patient|5.0.0"]}}"#,
            Release::R5,
        ),
    ] {
        assert_eq!(checks.check(source.as_bytes(), 1).release, release, "{source}");
    }
}

#[test]
fn every_rule_can_be_explained() {
    use ipt_fhir::validate::rule;
    let rules = rule::all();
    assert!(rules.len() > 20);
    for pair in rules.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} is there twice", pair[1].code);
    }
    for rule in rules {
        let is_code = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(rule.code.starts_with("fhir-") && rule.code.bytes().all(is_code), "{}", rule.code);
        assert!(
            rule.specification.starts_with("https://hl7.org/fhir/")
                || rule.specification.starts_with("http"),
            "{}",
            rule.code
        );
        assert!(rule.title.len() > 10 && rule.explanation.len() > 20, "{}", rule.code);
        assert!(!rule.title.ends_with('.') && rule.explanation.ends_with('.'), "{}", rule.code);
        assert_eq!(rule::of(rule.code), Some(rule));
    }
}

/// What is wrong where, as `code expression`.
fn places(source: &str) -> Vec<String> {
    let reported = check(source, true).reported;
    reported.iter().map(|item| format!("{} {}", item.rule.code, item.expression)).collect()
}

#[test]
fn what_cant_be_read_is_placed_as_the_hl7_engine_places_it() {
    // An index only where there is an array.
    let json = places(
        r#"{"resourceType":"Patient","name":{"family":"x","zq":1},"telecom":[],"contact":[{"zq":1,"name":{"text":"y"}}]}"#,
    );
    for place in [
        "fhir-json-array-expected Patient.name",
        "fhir-element-unknown Patient.name",
        "fhir-json-array-empty Patient.telecom",
        "fhir-element-unknown Patient.contact[0]",
    ] {
        assert!(json.contains(&place.to_owned()), "{place} in {json:#?}");
    }
    // Of XML, the path of the elements. That is no FHIRPath, so an OperationOutcome has it in `location`.
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><name><zq value="1"/></name><gender value="zq"/></Patient>"#;
    let found = places(xml);
    assert!(found.contains(&"fhir-element-unknown /f:Patient/f:name".to_owned()), "{found:#?}");
    let outcome = outcome::of("patient.xml", &check(xml, true).reported).to_value();
    let has = |name: &str, place: &str| {
        outcome
            .items("issue")
            .any(|issue| issue.items(name).any(|item| item.as_str() == Some(place)))
    };
    assert!(has("location", "/f:Patient/f:name") && has("expression", "Patient.gender"));
    assert!(!has("expression", "/f:Patient/f:name"));
}

#[test]
fn an_unknown_type_can_t_be_read() {
    let reported = check(r#"{"resourceType":"Patiente"}"#, true).reported;
    let kinds: Vec<&str> = reported.iter().map(|item| item.rule.kind.code()).collect();
    assert_eq!(kinds, ["structure"]);
}

#[test]
fn each_link_of_a_narrative_that_leads_nowhere_is_told_at_its_place() {
    // The escapes of JSON make what is written longer than the text.
    let div = r##"<div xmlns=\"http://www.w3.org/1999/xhtml\">\u00e4\ud83d\ude00 <a href=\"#zq1\">x</a> <a href=\"#zq2\">y</a> <a href=\"#zq1\">z</a></div>"##;
    let source =
        format!(r#"{{"resourceType":"Patient","text":{{"status":"generated","div":"{div}"}}}}"#);
    let reported = check(&source, true).reported;
    let columns: Vec<usize> = reported
        .iter()
        .filter(|item| item.rule.code == "fhir-xhtml-link-unresolved")
        .map(|item| item.position.column)
        .collect();
    let links: Vec<usize> = source.match_indices("<a ").map(|(at, _)| at + 1).take(2).collect();
    assert_eq!(columns, links);
}

#[test]
fn a_narrative_of_bad_links_takes_linear_time() {
    let build = |links: usize| {
        let mut div = String::new();
        for link in 0..links {
            write!(div, r##"<a href=\"#{link}\" title=\"\u00e4\">x</a>"##).unwrap();
        }
        format!(
            r#"{{"resourceType":"Patient","text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{div}</div>"}}}}"#
        )
    };
    let time = |links: usize| {
        let source = build(links);
        let start = std::time::Instant::now();
        let reported = check(&source, false).reported;
        let told = reported.iter().filter(|item| item.rule.code == "fhir-xhtml-link-unresolved");
        assert_eq!(told.count(), links.min(100));
        start.elapsed()
    };
    time(10);
    let (small, large) = (time(500), time(5_000));
    assert!(large < small * 60, "{small:?} and {large:?}");
}
