//! The grammars of primitive types: what passes, what does not, and by which rule.

use ipt_fhir::fhir::Release;
use ipt_fhir::fhir::base64::{self, Form};
use ipt_fhir::json::Limits;
use ipt_fhir::validate::finding::Findings;
use ipt_fhir::validate::primitive::{Primitive, check, element};
use ipt_fhir::validate::tree::json;
use proptest::prelude::*;

const ALL: [&str; 21] = [
    "boolean",
    "integer",
    "integer64",
    "unsignedInt",
    "positiveInt",
    "decimal",
    "string",
    "markdown",
    "code",
    "id",
    "oid",
    "uuid",
    "uri",
    "url",
    "canonical",
    "base64Binary",
    "date",
    "dateTime",
    "instant",
    "time",
    "xhtml",
];

fn broken(name: &str, value: &str, release: Release) -> Vec<&'static str> {
    let mut codes = Vec::new();
    check(Primitive::of(name).unwrap(), value, release, |rule| codes.push(rule.code));
    codes
}

fn table(name: &str, good: &[&str], bad: &[(&str, &str)]) {
    for value in good {
        assert_eq!(broken(name, value, Release::R4), Vec::<&str>::new(), "{name} {value:?}");
    }
    for (value, code) in bad {
        assert!(broken(name, value, Release::R4).contains(code), "{name} {value:?} is not {code}");
    }
}

#[test]
fn numbers_have_their_ranges_and_no_odd_signs() {
    table("boolean", &["true", "false"], &[("True", "fhir-boolean"), ("1", "fhir-boolean")]);
    table(
        "integer",
        &["0", "-1", "2147483647", "-2147483648"],
        &[
            ("2147483648", "fhir-integer"),
            ("-2147483649", "fhir-integer"),
            ("01", "fhir-integer"),
            ("-0", "fhir-integer"),
            ("+5", "fhir-integer"),
            ("1.0", "fhir-integer"),
            ("1e3", "fhir-integer"),
            ("-", "fhir-integer"),
            ("٣", "fhir-integer"),
        ],
    );
    table(
        "integer64",
        &["9223372036854775807", "-9223372036854775808"],
        &[("9223372036854775808", "fhir-integer64")],
    );
    table(
        "unsignedInt",
        &["0", "2147483647"],
        &[("-1", "fhir-unsigned-int"), ("2147483648", "fhir-unsigned-int")],
    );
    table("positiveInt", &["1"], &[("0", "fhir-positive-int"), ("-1", "fhir-positive-int")]);
}

#[test]
fn decimals_are_as_json_writes_numbers() {
    table(
        "decimal",
        &["0", "-0", "0.10", "1e5", "1.5E-3", "-12.340", "100000000000000000"],
        &[
            ("1.", "fhir-decimal"),
            (".5", "fhir-decimal"),
            ("01", "fhir-decimal"),
            ("1e", "fhir-decimal"),
            ("+1", "fhir-decimal"),
            ("1,5", "fhir-decimal"),
            ("NaN", "fhir-decimal"),
            ("1.2.3", "fhir-decimal"),
            ("1234567890123456789", "fhir-decimal-range"),
            ("1e12345", "fhir-decimal-range"),
        ],
    );
    assert_eq!(broken("decimal", "1000000000000000000", Release::R5), ["fhir-decimal"]);
    assert_eq!(broken("decimal", "0.123456789012345678", Release::R5), ["fhir-decimal"]);
    assert_eq!(broken("decimal", "123456789012345678", Release::R5), Vec::<&str>::new());
}

#[test]
fn codes_and_ids_are_letter_by_letter() {
    table(
        "code",
        &["a", "a b", "café", "<="],
        &[
            (" a", "fhir-code-space"),
            ("a ", "fhir-code-space"),
            ("a  b", "fhir-code-space"),
            ("a\tb", "fhir-code-space"),
            ("a\u{a0}b", "fhir-code-space"),
        ],
    );
    let longest = "x".repeat(64);
    let longer = "x".repeat(65);
    table(
        "id",
        &["a", "A-1.b", &longest],
        &[("a_b", "fhir-id"), ("a/b", "fhir-id"), ("é", "fhir-id"), (&longer, "fhir-id")],
    );
    table(
        "oid",
        &["urn:oid:2.16.840.1.113883", "urn:oid:1.3.6"],
        &[
            ("2.16.840", "fhir-oid-prefix"),
            ("urn:oid:3.1.2", "fhir-oid"),
            ("urn:oid:1.02.3", "fhir-oid"),
            ("urn:oid:1..2", "fhir-oid"),
            ("urn:oid:1.2", "fhir-oid"),
        ],
    );
    table(
        "uuid",
        &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        &[
            ("c757873d-ec9a-4326-a141-556f43239520", "fhir-uuid-prefix"),
            ("urn:uuid:C757873D-ec9a-4326-a141-556f43239520", "fhir-uuid"),
            ("urn:uuid:c757873dec9a4326a141556f43239520", "fhir-uuid"),
        ],
    );
}

#[test]
fn uris_have_no_white_space_and_canonicals_are_absolute() {
    table(
        "uri",
        &["http://a.b/c?d#e", "urn:x", "a/b", "", "http://ex.org/é"],
        &[
            ("http://a b", "fhir-uri-space"),
            (" http://a", "fhir-uri-space"),
            ("http://a\n", "fhir-uri-space"),
            ("oid:1.2.3", "fhir-uri-oid"),
            ("uuid:1", "fhir-uri-uuid"),
            ("urn:uuid:1", "fhir-uuid"),
        ],
    );
    table(
        "canonical",
        &["http://a.b/c|1.0", "#x", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520|2"],
        &[("Questionnaire/x", "fhir-canonical-absolute"), ("HTTP://a", "fhir-canonical-absolute")],
    );
}

#[test]
fn strings_are_trimmed_and_not_endless() {
    let most = "é".repeat(1 << 20);
    let more = format!("{most}x");
    table(
        "string",
        &["a", "a\nb", &most],
        &[
            (" ", "fhir-string-blank"),
            (" a", "fhir-string-space"),
            ("a\u{a0}", "fhir-string-space"),
            (&more, "fhir-string-length"),
        ],
    );
}

#[test]
fn dates_are_of_the_calendar() {
    table(
        "date",
        &["2026", "2026-02", "2024-02-29", "2000-02-29", "1800", "9999-12-31"],
        &[
            ("2026-02-29", "fhir-date"),
            ("1900-02-29", "fhir-date"),
            ("2026-04-31", "fhir-date"),
            ("2026-13", "fhir-date"),
            ("2026-00", "fhir-date"),
            ("2026-1-1", "fhir-date"),
            ("0000", "fhir-date"),
            ("0000-01-01", "fhir-date"),
            ("20260101", "fhir-date"),
            ("2026-01-01T", "fhir-date"),
            ("not a date", "fhir-date"),
            ("0026-01-01", "fhir-year"),
        ],
    );
}

#[test]
fn moments_need_seconds_and_a_zone() {
    table(
        "dateTime",
        &[
            "2026",
            "2026-03-02T10:00:00Z",
            "2026-03-02T23:59:60Z",
            "2026-03-02T10:00:00.123456+14:00",
            "2026-03-02T10:00:00-00:00",
        ],
        &[
            ("2026-03-02T10:00:00", "fhir-date-time-zone"),
            ("2026-03-02T10:00", "fhir-date-time"),
            ("2026-03-02T10:00Z", "fhir-date-time"),
            ("2026-03-02T24:00:00Z", "fhir-date-time"),
            ("2026-03-02T10:00:61Z", "fhir-date-time"),
            ("2026-03-02T10:00:00+14:30", "fhir-date-time"),
            ("2026-03-02T10:00:00+1:00", "fhir-date-time"),
            ("2026-03T10:00:00Z", "fhir-date-time"),
            ("2026-02-30T10:00:00Z", "fhir-date-time"),
            ("2026-03-02 10:00:00Z", "fhir-date-time"),
            ("0000-01-01T00:00:00Z", "fhir-date-time"),
            ("2026-03-02T10:00:00.Z", "fhir-date-time"),
        ],
    );
    table(
        "instant",
        &["2026-03-02T10:00:00Z", "2026-03-02T10:00:00.5+01:00"],
        &[
            ("2026-03-02", "fhir-instant"),
            ("2026-03-02T10:00:00", "fhir-instant"),
            ("2026-02-30T10:00:00Z", "fhir-instant"),
        ],
    );
    table(
        "time",
        &["00:00:00", "23:59:60", "10:00:00.5"],
        &[("24:00:00", "fhir-time"), ("10:00", "fhir-time"), ("10:00:00Z", "fhir-time")],
    );
}

#[test]
fn base64_is_in_groups_of_four() {
    assert_eq!(base64::form("QUJD"), Form::Good { length: 3 });
    assert_eq!(base64::form("QUI="), Form::Good { length: 2 });
    assert_eq!(base64::form("QQ=="), Form::Good { length: 1 });
    assert_eq!(base64::form("QUJD\r\nQUI="), Form::Spaced { length: 5 });
    for bad in ["", "QUI", "QUJDQ", "Q===", "QU=D", "QU JD", "QÜJD", "QUJ-", "===="] {
        assert_eq!(base64::form(bad), Form::Bad, "{bad:?}");
    }
    assert_eq!(broken("base64Binary", "QUJD QUJD", Release::R4), ["fhir-base64-space"]);
    assert_eq!(broken("base64Binary", "QUJD QUJD", Release::R5), ["fhir-base64-space-r5"]);
}

fn of_element(source: &str, name: &str, primitive: &str) -> Vec<&'static str> {
    let tree = json::read(source, Limits::RESOURCE).unwrap();
    let node = tree.all().find(|node| tree.name(*node) == name).unwrap();
    let mut findings = Findings::new();
    element(&tree, node, Primitive::of(primitive).unwrap(), Release::R4, &mut findings);
    findings.as_slice().iter().map(|finding| finding.rule.code).collect()
}

#[test]
fn json_writes_each_type_its_own_way() {
    let none: [&str; 0] = [];
    assert_eq!(of_element(r#"{"a":"true"}"#, "a", "boolean"), ["fhir-json-boolean"]);
    assert_eq!(of_element(r#"{"a":"5"}"#, "a", "integer"), ["fhir-json-number"]);
    assert_eq!(of_element(r#"{"a":5}"#, "a", "string"), ["fhir-json-string"]);
    assert_eq!(of_element(r#"{"a":"5"}"#, "a", "integer64"), none);
    assert_eq!(of_element(r#"{"a":5}"#, "a", "integer64"), ["fhir-json-string"]);
    assert_eq!(of_element(r#"{"a":""}"#, "a", "string"), ["fhir-primitive-empty"]);
    assert_eq!(of_element(r#"{"a":null}"#, "a", "string"), ["fhir-primitive-no-value"]);
    assert_eq!(of_element(r#"{"_a":{"id":"x"}}"#, "a", "string"), none);
    assert_eq!(of_element(r#"{"a":"\u0001b"}"#, "a", "string"), ["fhir-control-character"]);
    assert_eq!(of_element(r#"{"a":"b\u202ec"}"#, "a", "string"), ["fhir-writing-direction"]);
    assert_eq!(of_element(r#"{"a":"b\u202ec\u202c"}"#, "a", "string"), none);
}

#[test]
fn ids_of_resources_have_rules_of_their_own() {
    let id = |id: &str| {
        of_element(&format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#), "id", "string")
    };
    assert_eq!(id("a-1.B"), Vec::<&str>::new());
    assert_eq!(id("/foobar=="), ["fhir-resource-id"]);
    assert_eq!(id("org_1"), ["fhir-resource-id"]);
    assert_eq!(id(&"x".repeat(65)), ["fhir-resource-id-length"]);
}

proptest! {
    #[test]
    fn no_text_breaks_a_grammar(value in any::<String>(), at in 0..ALL.len(), r5 in any::<bool>()) {
        let release = if r5 { Release::R5 } else { Release::R4 };
        let first = broken(ALL[at], &value, release);
        prop_assert_eq!(first, broken(ALL[at], &value, release));
    }

    #[test]
    fn what_looks_like_a_moment_is_read_or_refused(
        value in "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?)?"
    ) {
        let right = broken("dateTime", &value, Release::R4).iter().all(|code| *code == "fhir-year");
        let ours = ipt_fhir::date::DateTime::parse(&value).is_ok();
        // Both read the same calendar; FHIR's zones end at 14 hours and its years begin with 1.
        if right {
            prop_assert!(ours || value.contains(":60"), "{}", value);
        }
    }
}
