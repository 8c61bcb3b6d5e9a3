//! JSON to XML and back, and the other way: nothing is lost.

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self as values, Limits};
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::tree::write::{self, ErrorKind, Style};
use ipt_fhir::validate::tree::{Tree, json, xml};

use super::suite::archive;
use crate::support::shared_folder;

fn validator(release: Release) -> Validator {
    Validator::new(Definitions::core(release), Options::default())
}

fn to_xml(validator: &Validator, source: &str, style: Style) -> Result<String, write::Error> {
    let mut tree = json::read(source, Limits::BUNDLE).unwrap();
    validator.annotate(&mut tree);
    write::xml(&tree, validator.programs().types(), style)
}

fn to_json(
    validator: &Validator,
    mut tree: Tree<'_>,
    style: Style,
) -> Result<String, write::Error> {
    validator.annotate(&mut tree);
    write::json(&tree, validator.programs().types(), style)
}

fn there_and_back(
    validator: &Validator,
    source: &str,
    style: Style,
) -> Result<String, write::Error> {
    let of_xml = to_xml(validator, source, style)?;
    let tree = xml::read(&of_xml, Limits::BUNDLE).unwrap();
    assert!(tree.faults().is_empty(), "{of_xml}");
    to_json(validator, tree, style)
}

const PATIENT: &str = r#"{"birthDate":"1990","_birthDate":{"extension":[{"url":"http://e.org","valueDecimal":1.50}]},
  "resourceType":"Patient","id":"p","name":[{"given":["A & <B>",null,"\"\t\n"],"_given":[null,{"id":"x"},null],"family":"F"}],
  "active":true,"contained":[{"resourceType":"Observation","status":"final","code":{"text":"c"},"valueInteger":-1}],
  "multipleBirthInteger":2,"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a\r\n&lt;</p></div>"}}"#;

#[test]
fn a_resource_comes_back_from_xml_as_it_was() {
    let validator = validator(Release::R4);
    for style in [Style::Compact, Style::Pretty] {
        let back = there_and_back(&validator, PATIENT, style).unwrap();
        let (before, after) =
            (values::parse(PATIENT.as_bytes()).unwrap(), values::parse(back.as_bytes()).unwrap());
        assert!(values::equivalent(&before, &after), "{back}");
        assert!(back.contains("1.50"));
    }
}

#[test]
fn xml_has_the_elements_in_the_order_of_the_definition() {
    let text = to_xml(&validator(Release::R4), PATIENT, Style::Compact).unwrap();
    let places: Vec<usize> = [
        "<id ",
        "<text>",
        "<contained>",
        "<active ",
        "<name>",
        "<family ",
        "<given ",
        "<birthDate ",
        "<multiple",
    ]
    .map(|tag| text.find(tag).unwrap())
    .to_vec();
    assert!(places.is_sorted(), "{text}");
    assert!(text.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Patient xmlns=\"http://hl7.org/fhir\">"
    ));
}

#[test]
fn what_can_not_be_carried_is_refused_at_its_place() {
    let validator = validator(Release::R4);
    for (source, kind) in [
        (r#"{"resourceType":"Patient","nonsense":1}"#, ErrorKind::Unknown),
        (r#"{"resourceType":"Nonsense","id":"1"}"#, ErrorKind::Unknown),
        (r#"{"id":"1"}"#, ErrorKind::Unknown),
        (r#"{"resourceType":"Patient","active":true,"active":false}"#, ErrorKind::Form),
        (r#"{"resourceType":"Patient","name":[]}"#, ErrorKind::Array),
        (r#"{"resourceType":"Patient","name":[[1]]}"#, ErrorKind::Array),
        (r#"{"resourceType":"Patient","name":{"family":"x"}}"#, ErrorKind::Array),
        (r#"{"resourceType":"Patient","active":[true]}"#, ErrorKind::Array),
        (r#"{"resourceType":"Patient","active":"true"}"#, ErrorKind::Value),
        (r#"{"resourceType":"Patient","birthDate":1990}"#, ErrorKind::Value),
        (r#"{"resourceType":"Patient","name":[{"family":"\u0001"}]}"#, ErrorKind::Character),
        (
            r#"{"resourceType":"Patient","name":[{"id":"a","_id":{"id":"b"}}]}"#,
            ErrorKind::Attribute,
        ),
        (r#"{"resourceType":"Patient","text":{"div":"<div>&nbsp;</div>"}}"#, ErrorKind::Narrative),
        (r#"{"resourceType":"Patient","text":{"div":"<div/></text><x/>"}}"#, ErrorKind::Narrative),
        (r#"{"resourceType":"Patient","text":{"div":"<div></div><div/>"}}"#, ErrorKind::Narrative),
    ] {
        let error = to_xml(&validator, source, Style::Compact).unwrap_err();
        assert_eq!(error.kind, kind, "{source}");
    }
}

#[test]
fn the_examples_of_the_specification_come_back_from_xml() {
    let Some(folder) = shared_folder("fhir/examples") else { return };
    for (release, name) in [(Release::R4, "r4"), (Release::R4B, "r4b"), (Release::R5, "r5")] {
        let validator = validator(release);
        let (mut same, mut refused, mut different) = (0, Vec::new(), Vec::new());
        for (shown, bytes) in archive(&folder.join(format!("{name}.tgz"))) {
            let source = String::from_utf8(bytes).unwrap();
            match there_and_back(&validator, &source, Style::Pretty) {
                Err(error) => refused.push(format!("{shown}: {error} at {}", error.offset)),
                Ok(back) => {
                    let before = values::parse_with(source.as_bytes(), Limits::BUNDLE).unwrap();
                    let after = values::parse_with(back.as_bytes(), Limits::BUNDLE).unwrap();
                    if values::equivalent(&before, &after) {
                        same += 1;
                    } else {
                        different.push(shown);
                    }
                }
            }
        }
        println!("{name}: {same} same, refused {refused:#?}, different {different:#?}");
        assert!(different.is_empty());
        assert!(same > 300);
    }
}
