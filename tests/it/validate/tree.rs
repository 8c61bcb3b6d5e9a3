//! The document tree: JSON read into FHIR's logical tree.

use ipt_fhir::json::{ErrorKind, Limits};
use ipt_fhir::validate::tree::{FaultKind, Kind, Naming, NodeId, Tree, json};
use ipt_fhir::validate::types::Types;

fn read(source: &str) -> Tree<'_> {
    json::read(source, Limits::RESOURCE).unwrap()
}

/// A tree as text: each element with its value and its children.
pub(super) fn shown(tree: &Tree<'_>, id: NodeId) -> String {
    let children: Vec<String> = tree.children(id).map(|child| shown(tree, child)).collect();
    let resource = tree.resource_type(id).map(|name| format!("<{name}>")).unwrap_or_default();
    let value = tree.text(id).map(|text| format!("={text}")).unwrap_or_default();
    let below =
        if children.is_empty() { String::new() } else { format!("({})", children.join(" ")) };
    format!("{}{resource}{value}{below}", tree.name(id))
}

fn whole(source: &str) -> String {
    shown(&read(source), NodeId::ROOT)
}

#[test]
fn arrays_are_siblings_and_underscores_are_children() {
    assert_eq!(
        whole(
            r#"{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,{"id":"x"}]}],"active":true}"#
        ),
        "<Patient>(name(given=A given=B(id=x)) active=true)"
    );
    assert_eq!(
        whole(r#"{"_birthDate":{"id":"y"},"resourceType":"Patient","birthDate":"1990"}"#),
        "<Patient>(birthDate=1990(id=y))"
    );
    assert_eq!(whole(r#"{"_birthDate":{"id":"y"}}"#), "(birthDate(id=y))");
    assert_eq!(
        whole(r#"{"given":[null,"b"],"_given":[{"id":"x"},null]}"#),
        "(given(id=x) given=b)"
    );
}

#[test]
fn a_resource_type_is_no_element_where_a_resource_stands() {
    assert_eq!(
        whole(
            r#"{"resourceType":"Bundle","entry":[{"resource":{"id":"1","resourceType":"Patient"}}]}"#
        ),
        "<Bundle>(entry(resource<Patient>(id=1)))"
    );
    assert_eq!(
        whole(r#"{"resourceType":"ExampleScenario","instance":[{"resourceType":"Patient"}]}"#),
        "<ExampleScenario>(instance(resourceType=Patient))"
    );
}

#[test]
fn texts_are_unescaped_and_numbers_are_as_written() {
    assert_eq!(
        whole(r#"{"a":"\u00e9\n\ud834\udd1e","b":1.50,"c\u0064":-0e1}"#),
        "(a=é\n𝄞 b=1.50 cd=-0e1)"
    );
}

#[test]
fn what_json_has_and_fhir_has_not_is_told() {
    let kinds =
        |source: &str| read(source).faults().iter().map(|fault| fault.kind).collect::<Vec<_>>();
    assert_eq!(kinds(r#"{"a":1,"b":2,"a":3}"#), [FaultKind::DuplicateMember]);
    assert_eq!(kinds(r#"{"a":["1","2"],"_a":[{}]}"#), [FaultKind::UnequalArrays]);
    assert_eq!(kinds(r#"{"a":"1","_a":[{}]}"#), [FaultKind::UnequalArrays]);
    assert_eq!(kinds(r#"{"a":"1","_a":"2"}"#), [FaultKind::NotAnElement]);
    let tree = read(r#"{"a":[],"b":[[1,[2]],"x"],"c":null}"#);
    let found: Vec<Kind> = tree.children(NodeId::ROOT).map(|child| tree.kind(child)).collect();
    assert_eq!(found, [Kind::EmptyArray, Kind::NestedArray, Kind::String, Kind::Null]);
    assert_eq!(json::read("[1]", Limits::RESOURCE).unwrap().kind(NodeId::ROOT), Kind::NestedArray);
}

#[test]
fn limits_and_syntax_are_named() {
    let kind = |source: &str| json::read(source, Limits::RESOURCE).unwrap_err().kind;
    assert_eq!(kind(""), ErrorKind::Empty);
    assert_eq!(kind(&"[".repeat(100)), ErrorKind::TooDeep);
    assert_eq!(kind(r#"{"a":1} x"#), ErrorKind::TrailingText);
    assert_eq!(kind(r#"{"a":"\x"}"#), ErrorKind::Escape);
    assert_eq!(kind("{\"a\":\"\u{1}\"}"), ErrorKind::ControlCharacter);
}

#[test]
fn an_element_knows_its_place() {
    let tree = read(
        "\u{feff}{\"resourceType\":\"Patient\",\n \"name\":[{\"given\":[\"A\",\"B\"],\"_given\":[null,{\"id\":\"x\"}]}]}",
    );
    let name = tree.child(NodeId::ROOT, "name").unwrap();
    let second = tree.children_named(name, "given").nth(1).unwrap();
    let id = tree.child(second, "id").unwrap();
    assert_eq!(
        tree.expression(second, &Types::default(), Naming::AsWritten),
        "Patient.name[0].given[1]"
    );
    assert_eq!(tree.pointer(second).to_string(), "/name/0/given/1");
    assert_eq!(tree.pointer(id).to_string(), "/name/0/_given/1/id");
    assert_eq!(
        (tree.position(tree.start(name)).line, tree.position(tree.start(name)).column),
        (2, 10)
    );
    assert_eq!(tree.parent(id), Some(second));
}
