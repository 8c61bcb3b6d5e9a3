//! FHIR XML read into the logical tree.

use ipt_fhir::json::Limits;
use ipt_fhir::validate::detect::{self, Input};
use ipt_fhir::validate::finding::Findings;
use ipt_fhir::validate::form;
use ipt_fhir::validate::tree::{FaultKind, NodeId, Tree, json, xml};

use super::tree::shown;

fn read(source: &str) -> Tree<'_> {
    xml::read(source, Limits::RESOURCE).unwrap()
}

fn patient(content: &str) -> String {
    format!("<Patient xmlns=\"http://hl7.org/fhir\">{content}</Patient>")
}

fn whole(content: &str) -> String {
    shown(&read(&patient(content)), NodeId::ROOT)
}

fn faults(source: &str) -> Vec<(FaultKind, String)> {
    let tree = read(source);
    let mut findings = Findings::new();
    form::check(&tree, &mut findings);
    assert_eq!(findings.as_slice().len(), tree.faults().len());
    tree.faults().iter().map(|fault| (fault.kind, tree.name(fault.node).to_owned())).collect()
}

fn refused(source: &str) -> xml::ErrorKind {
    xml::read(source, Limits::RESOURCE).unwrap_err().kind
}

#[test]
fn xml_and_json_give_one_tree() {
    let of_xml = patient(
        "<id value=\"p\"/><contained><Organization><id value=\"o\"/></Organization></contained>\
         <extension url=\"http://e.org/x\"><valueDecimal value=\"1.50\"/></extension>\
         <name id=\"n\"><given value=\"A\"/><given value=\"B\"><extension url=\"u\"/></given></name>\
         <birthDate><extension id=\"q\" url=\"v\"/></birthDate>",
    );
    let of_json = r#"{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Organization","id":"o"}],
        "extension":[{"url":"http://e.org/x","valueDecimal":1.50}],
        "name":[{"id":"n","given":["A","B"],"_given":[null,{"extension":[{"url":"u"}]}]}],
        "_birthDate":{"extension":[{"id":"q","url":"v"}]}}"#;
    let (of_xml, of_json) = (read(&of_xml), json::read(of_json, Limits::RESOURCE).unwrap());
    assert_eq!(shown(&of_xml, NodeId::ROOT), shown(&of_json, NodeId::ROOT));
    assert!(of_xml.faults().is_empty());
}

#[test]
fn prefixes_comments_and_references_are_read_as_xml_reads_them() {
    let source = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<?xml-stylesheet href=\"x\"?><!-- one -->\
        <f:Patient xmlns:f=\"http://hl7.org/fhir\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
        xsi:schemaLocation=\"a b\"><!-- two --><f:active value='true'/></f:Patient><!-- three -->\n";
    assert_eq!(shown(&read(source), NodeId::ROOT), "<Patient>(active=true)");
    assert!(read(source).faults().is_empty());
    assert_eq!(
        whole("<active value=\"&lt;&#65;&#x42;&amp;\r\n\t&quot;\n&#10;\"/>"),
        "<Patient>(active=<AB&  \" \n)"
    );
}

#[test]
fn a_narrative_is_its_markup_as_written() {
    let div = "<div  xmlns=\"http://www.w3.org/1999/xhtml\"\n><p class='x'>a &lt; b&#160;<br/><!-- c --></p>\r\n</div >";
    let source = patient(&format!("<text><status value=\"generated\"/>{div}</text>"));
    let tree = read(&source);
    let text = tree.child(NodeId::ROOT, "text").unwrap();
    assert_eq!(tree.child_text(text, "div"), Some(div));
    assert_eq!(tree.children(text).count(), 2);
    // Whose namespace is said outside gets it, for in JSON it stands alone.
    let source = "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><text><h:div>a</h:div></text></Patient>";
    let tree = read(source);
    let text = tree.child(NodeId::ROOT, "text").unwrap();
    assert_eq!(
        tree.child_text(text, "div"),
        Some("<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\">a</h:div>")
    );
}

#[test]
fn what_fhir_does_not_have_is_a_fault_at_its_place() {
    let one = |content: &str| faults(&patient(content));
    assert_eq!(one("<active value=\"true\">x</active>"), [(FaultKind::Text, "active".into())]);
    assert_eq!(one("<name>a<!-- -->b<![CDATA[c]]></name>"), [(FaultKind::Text, "name".into())]);
    assert_eq!(one("<name family=\"x\"/>"), [(FaultKind::Attribute, "name".into())]);
    assert_eq!(one("<name url=\"x\"/>"), [(FaultKind::Attribute, "name".into())]);
    assert_eq!(one("<name xmlns=\"urn:x\"/>"), [(FaultKind::Namespace, "name".into())]);
    assert_eq!(one("<name><?a b?></name>"), [(FaultKind::Instruction, "name".into())]);
    assert_eq!(
        one("<contained><Goal/><Goal/></contained>"),
        [(FaultKind::Resource, "Goal".into())]
    );
    assert_eq!(one("<text><div>x</div></text>"), [(FaultKind::Namespace, "div".into())]);
    assert_eq!(
        faults("<Patient xmlns=\"http://hl7.org/fhir\" id=\"x\"/>"),
        [(FaultKind::Attribute, String::new())]
    );
}

#[test]
fn what_is_no_xml_of_fhir_is_refused_by_name() {
    use xml::ErrorKind as Kind;
    let cases = [
        ("", Kind::Empty),
        ("<!-- x -->", Kind::Empty),
        ("<Patient xmlns=\"http://hl7.org/fhir\">", Kind::Truncated),
        ("<Patient xmlns=\"http://hl7.org/fhir\"><a></b></Patient>", Kind::NotWellFormed),
        ("<Patient xmlns=\"http://hl7.org/fhir\"/><Patient/>", Kind::TrailingText),
        ("<Patient xmlns=\"http://hl7.org/fhir\"/>x", Kind::TrailingText),
        ("<Patient xmlns=\"http://hl7.org/fhir1\"/>", Kind::Root),
        ("<Patient/>", Kind::Root),
        ("x<Patient xmlns=\"http://hl7.org/fhir\"/>", Kind::NotWellFormed),
        ("<!DOCTYPE x><Patient xmlns=\"http://hl7.org/fhir\"/>", Kind::DocumentType),
        ("<?xml version=\"1.0\" encoding=\"UTF-16\"?><Patient/>", Kind::Encoding),
        ("<?xml version=\"1.1\"?><Patient/>", Kind::Version),
        ("<Patient xmlns=\"http://hl7.org/fhir\" a=\"1\" a=\"2\"/>", Kind::NotWellFormed),
        ("<Patient xmlns=\"http://hl7.org/fhir\"><!-- x", Kind::Truncated),
    ];
    for (source, kind) in cases {
        assert_eq!(refused(source), kind, "{source}");
    }
    for (content, kind) in [
        ("<active value=\"&nbsp;\"/>", Kind::Entity),
        ("<text>&reg;</text>", Kind::Entity),
        ("<text><div xmlns=\"http://www.w3.org/1999/xhtml\">&nbsp;</div></text>", Kind::Entity),
        ("<active value=\"&#x1D;\"/>", Kind::Character),
        ("<active value=\"\u{1}\"/>", Kind::Character),
        ("<active value=\"&#xFFFE;\"/>", Kind::Character),
        ("<active value=\"a<b\"/>", Kind::NotWellFormed),
        ("<active value=\"&amp\"/>", Kind::NotWellFormed),
    ] {
        assert_eq!(refused(&patient(content)), kind, "{content}");
    }
    let error =
        xml::read("<Patient\n xmlns=\"http://hl7.org/fhir\">\n<a>&x;</a>", Limits::RESOURCE);
    let error = error.unwrap_err();
    assert_eq!((error.position.line, error.position.column), (3, 4));
}

#[test]
fn the_form_of_an_input_is_told_by_its_content() {
    assert_eq!(detect::input(b" \n"), Input::Empty);
    assert_eq!(detect::input(b"\xef\xbb\xbf <Patient"), Input::Xml);
    assert_eq!(detect::input(b"{\"a\":\"}\"}\n"), Input::Json);
    assert_eq!(detect::input(b"{\n\"a\":1}\n{}"), Input::Json);
    assert_eq!(detect::input(b"{\"a\":[{}]}\r\n{\"b\":1}"), Input::Ndjson);
    assert_eq!(detect::input(&[0x1f, 0x8b, 8]), Input::Gzip);
    assert_eq!(detect::input(b"hello"), Input::Other);
    assert_eq!(detect::text(b"\xff\xfe<\0"), Err(detect::Error::Wide));
    assert_eq!(detect::text(b"<\0P\0"), Err(detect::Error::Wide));
    assert_eq!(detect::text(b"ab\xff"), Err(detect::Error::NotUtf8 { offset: 2 }));
}
