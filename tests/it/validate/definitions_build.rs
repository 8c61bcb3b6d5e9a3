//! How packs are made: XML read as JSON, the same bytes whatever the order, jars that are pinned.

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Value};
use ipt_fhir::validate::definitions::build::source::{self, Contents, R4, R4_FILES};
use ipt_fhir::validate::definitions::build::xml::Elements;
use ipt_fhir::validate::definitions::build::{Sources, packs};
use ipt_fhir::validate::definitions::{Definitions, ResourceType};

/// The elements of R5, from what is shipped: lean definitions tell as much of them as whole ones.
fn elements() -> Elements {
    let source = Definitions::core(Release::R5).sources()[0];
    let types = source.definitions(ResourceType::StructureDefinition);
    let types: Vec<Value> = types.map(|(_, structure)| structure.value().clone()).collect();
    Elements::new(&types)
}

fn bundle(resource: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Bundle xmlns="http://hl7.org/fhir"><entry><resource>{resource}</resource></entry></Bundle>"#
    )
}

#[test]
fn xml_becomes_the_json_that_fhir_has_for_it() {
    let resource = r#"<StructureDefinition xmlns="http://hl7.org/fhir">
        <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>a &#160;<b>b</b></p></div></text>
        <extension url="http://a.example/e"><valueInteger value="7"/></extension>
        <url value="http://a.example/p"/>
        <!-- a comment -->
        <abstract value="false"></abstract>
        <context><type value="element"/><expression value="Patient"/></context>
        <contextInvariant value="a &lt; b &amp; c&#xA;d"><extension url="http://a.example/e"/></contextInvariant>
        <contextInvariant value="x"/>
        <type><extension url="http://a.example/only"/></type>
        <snapshot><element id="Patient.x">
            <path value="Patient.x"/><min value="0"/><max value="*"/>
            <type><code value="CodeableConcept"/><targetProfile value="http://a.example/t"/></type>
            <fixedCodeableConcept><coding><code value="c"/><userSelected value="true"/></coding><text value="T"/></fixedCodeableConcept>
            <maxValueDecimal value="1.50"/>
            <constraint><key value="k-1"/><xpath value="f:x"/></constraint>
        </element></snapshot>
        <differential><element/></differential>
    </StructureDefinition>"#;
    let reading = elements().read(&bundle(resource)).unwrap();
    let expected = json::parse(br#"{"extension":[{"url":"http://a.example/e","valueInteger":7}],"url":"http://a.example/p","abstract":false,
        "context":[{"type":"element","expression":"Patient"}],
        "contextInvariant":["a < b & c\nd","x"],"_contextInvariant":[{"extension":[{"url":"http://a.example/e"}]},null],
        "_type":{"extension":[{"url":"http://a.example/only"}]},
        "snapshot":{"element":[{"id":"Patient.x","path":"Patient.x","min":0,"max":"*",
            "type":[{"code":"CodeableConcept","targetProfile":["http://a.example/t"]}],
            "fixedCodeableConcept":{"coding":[{"code":"c","userSelected":true}],"text":"T"},"maxValueDecimal":1.50,
            "constraint":[{"key":"k-1"}]}]},"resourceType":"StructureDefinition"}"#);
    assert_eq!(reading.resources[0].to_text(), expected.unwrap().to_text());
    assert_eq!(
        reading.unknown.into_iter().collect::<Vec<_>>(),
        ["ElementDefinition.constraint.xpath"]
    );
}

#[test]
fn what_repeats_in_itself_is_a_list_at_every_depth() {
    let resource = r#"<CodeSystem xmlns="http://hl7.org/fhir"><url value="u"/><concept><code value="a"/>
        <concept><code value="b"/><property><code value="p"/><valueDecimal value="0.10"/></property></concept></concept></CodeSystem>"#;
    let reading = elements().read(&bundle(resource)).unwrap();
    let inner = reading.resources[0].pointer("/concept/0/concept/0/property/0/valueDecimal");
    assert_eq!(inner.unwrap().to_text(), "0.10");
}

#[test]
fn xml_that_is_none_is_refused() {
    let elements = elements();
    let nested = format!("<ValueSet>{}", "<compose><include>".repeat(80));
    let deep = "<CodeSystem>".to_owned()
        + &"<concept>".repeat(80)
        + &"</concept>".repeat(80)
        + "</CodeSystem>";
    for text in [
        "<!DOCTYPE a [<!ENTITY x \"y\">]><Bundle/>".to_owned(),
        bundle("<ValueSet><url value=\"&x;\"/></ValueSet>"),
        bundle("<ValueSet><url value=\"a\"></ValueSet>"),
        bundle("<ValueSet><url value=a/></ValueSet>"),
        bundle(&nested),
        bundle(&deep),
        "<Bundle><entry><resource><ValueSet><url".to_owned(),
    ] {
        assert!(elements.read(&text).is_err(), "{text:.80}");
    }
}

/// A few definitions that hang together, as resources.
fn some() -> Vec<Value> {
    let [r4, ..] = Definitions::core(Release::R4).sources();
    let all = ResourceType::ALL.into_iter().flat_map(|of| r4.definitions(of).step_by(23));
    all.map(|(_, definition)| definition.value().clone()).collect()
}

#[test]
fn the_order_of_the_resources_changes_no_byte() {
    let (forward, mut backward) = (some(), some());
    backward.reverse();
    let of = |r4: Vec<Value>| packs(Sources { r4, ..Sources::default() }).unwrap();
    let one = of(forward);
    assert_eq!(one, of(backward));
    assert!(one.r4.len() > 10_000 && one.r5.len() < 200);
    let others = Sources { r4: some(), r5: some(), terminology: some(), ..Sources::default() };
    assert_eq!(packs(others).unwrap().r4, one.r4);
}

#[test]
fn what_is_not_pinned_or_not_whole_is_refused_by_name() {
    let error = R4.check(b"another jar").unwrap_err();
    assert!(error.to_string().contains("hapi-fhir-validation-resources-r4-8.8.0.jar"), "{error}");
    let package = |text: &str| vec![("package/a.json".to_owned(), text.as_bytes().to_vec())];
    let set = r#"{"resourceType":"ValueSet","url":"u"}"#;
    let error = |contents: Contents| source::read(contents).unwrap_err().to_string();
    assert_eq!(error(Contents::default()), "package: no definitions");
    let r5 = [package(set), package("{"), package(set)];
    assert!(error(Contents { r5: r5.clone(), ..Contents::default() }).starts_with(R4_FILES[0]));
    let r4 = vec![(R4_FILES[0].to_owned(), b"<Bundle>\xff".to_vec())];
    assert_eq!(
        error(Contents { r4, r5, ..Contents::default() }),
        format!("{}: not UTF-8", R4_FILES[0])
    );
}
