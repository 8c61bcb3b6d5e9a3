//! Reports: places, carets, what is hidden, and the same findings in every form.

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
