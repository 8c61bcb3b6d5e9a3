//! Attachments: size and hash against the data that come along.

use ipt_fhir::json::Limits;
use ipt_fhir::validate::attachment::check;
use ipt_fhir::validate::finding::Findings;
use ipt_fhir::validate::tree::{NodeId, json};

fn codes(attachment: &str) -> Vec<&'static str> {
    let tree = json::read(attachment, Limits::RESOURCE).unwrap();
    let mut findings = Findings::new();
    check(&tree, NodeId::ROOT, &mut findings);
    findings.as_slice().iter().map(|finding| finding.rule.code).collect()
}

#[test]
fn size_and_hash_are_those_of_the_data() {
    let none: [&str; 0] = [];
    assert_eq!(
        codes(
            r#"{"contentType":"text/plain","data":"YWJj","size":3,"hash":"qZk+NkcGgWq6PiVxeFDCbJzQ2J0="}"#
        ),
        none
    );
    assert_eq!(codes(r#"{"contentType":"a/b","data":"YWJj","size":4}"#), ["fhir-attachment-size"]);
    assert_eq!(
        codes(r#"{"contentType":"a/b","data":"YWJk","hash":"qZk+NkcGgWq6PiVxeFDCbJzQ2J0="}"#),
        ["fhir-attachment-hash"]
    );
    // The hash in hexadecimal digits, which is a common slip, is base64 of something else.
    assert_eq!(
        codes(
            r#"{"contentType":"a/b","data":"YWJj","hash":"a9993e364706816aba3e25717850c26c9cd0d89d"}"#
        ),
        ["fhir-attachment-hash"]
    );
    assert_eq!(
        codes(r#"{"contentType":"a/b","data":"YWJj","hash":"-"}"#),
        ["fhir-attachment-hash-form"]
    );
    assert_eq!(
        codes(r#"{"contentType":"a/b","data":"YWJj YWJj","size":6}"#),
        ["fhir-attachment-data-space"]
    );
    assert_eq!(codes(r#"{"title":"x"}"#), ["fhir-attachment-nothing"]);
    assert_eq!(codes(r#"{"url":"http://x","size":100}"#), none);
    assert_eq!(codes(r#"{"url":"http://x","size":-1}"#), ["fhir-attachment-size-form"]);
}

/// FIPS 180-4's own examples, around the length at which a block is full.
#[test]
fn hashes_are_sha_1() {
    for (data, hash) in [
        (
            "YWJjZGJjZGVjZGVmZGVmZ2VmZ2hmZ2hpZ2hpamhpamtpamtsamtsbWtsbW5sbW5vbW5vcG5vcHE=",
            "hJg+RBw70m66rkqh+VEp5eVGcPE=",
        ),
        ("", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
    ] {
        let source = format!(r#"{{"contentType":"a/b","data":"{data}","hash":"{hash}"}}"#);
        assert_eq!(codes(&source), Vec::<&str>::new());
    }
}

#[test]
fn long_data_are_not_decoded_into_memory() {
    let source =
        format!(r#"{{"contentType":"a/b","data":"{}","size":3000000}}"#, "YWJj".repeat(1_000_000));
    let tree = json::read(&source, Limits { bytes: 8 << 20, ..Limits::RESOURCE }).unwrap();
    let mut findings = Findings::new();
    check(&tree, NodeId::ROOT, &mut findings);
    assert!(findings.as_slice().is_empty());
}
