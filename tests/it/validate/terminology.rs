//! Value sets and code systems on their own, and the checks of coded elements in whole documents.

mod server;

use std::sync::Arc;

use ipt_fhir::fhir::{Release, Resource};
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::definitions::{Definitions, Package};
use ipt_fhir::validate::fhirpath::ucum;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::rule;
use ipt_fhir::validate::shared::Shared;
use ipt_fhir::validate::terminology::grammar::{LanguageTag, is_media_type};
use ipt_fhir::validate::terminology::{
    About, Answer, Answers, CodeQuestion, CodeRules, CodeSystem, Membership, Names, Reason,
    Terminology, batch,
};
use ipt_fhir::validate::tree::{self, Naming};
use proptest::prelude::*;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// UCUM as far as these tests go; the real one is another module's.
fn is_unit(text: &str) -> Option<bool> {
    ["mg", "mm[Hg]", "a", "m", "{score}"].contains(&text).then_some(true)
}

fn terminology_of(resources: &[&str]) -> Terminology {
    let package = Package::from_resources(resources.iter().map(|text| value(text)));
    let definitions = Definitions::core(Release::R4).with_packages(vec![package]);
    Terminology::new(Release::R4, Arc::new(definitions), is_unit)
}

const TREE: &str = r#"{"resourceType":"CodeSystem","url":"http://x.test/tree","version":"2","content":"complete",
    "caseSensitive":true,"property":[{"code":"kind","type":"code"},
    {"code":"over","uri":"http://hl7.org/fhir/concept-properties#parent","type":"code"}],
    "concept":[
      {"code":"a","display":"Letter A","concept":[
        {"code":"aa","display":"Double A","property":[{"code":"kind","valueCode":"x"}]},
        {"code":"ab","display":"A and B","concept":[{"code":"aba","display":"Three"}]}]},
      {"code":"b","display":"Letter B","designation":[{"language":"de","value":"Buchstabe B"}],
        "property":[{"code":"kind","valueCode":"y"},{"code":"inactive","valueBoolean":true}]},
      {"code":"ba","display":"Below B","property":[{"code":"over","valueCode":"b"},{"code":"over","valueCode":"ab"}]},
      {"code":"g","display":"Group","property":[{"code":"notSelectable","valueBoolean":true}]},
      {"code":"a","display":"A again","concept":[{"code":"ac","display":"Found twice"}]}]}"#;

/// Which codes of the tree are in a set with this `compose`.
fn chosen(compose: &str) -> String {
    let set = format!(
        r#"{{"resourceType":"ValueSet","url":"http://x.test/set","status":"active","compose":{compose}}}"#
    );
    let terminology = terminology_of(&[TREE, &set]);
    let set = terminology.value_set("http://x.test/set").unwrap();
    let codes = ["a", "aa", "ab", "aba", "ac", "b", "ba", "g", "zz"];
    let mark = |code: &&str| match set.holds("http://x.test/tree", code) {
        Membership::In => Some((*code).to_owned()),
        Membership::Out => None,
        Membership::Unknown(_) => Some(format!("{code}?")),
    };
    codes.iter().filter_map(mark).collect::<Vec<_>>().join(" ")
}

fn by_filter(property: &str, operator: &str, wanted: &str) -> String {
    chosen(&format!(
        r#"{{"include":[{{"system":"http://x.test/tree",
            "filter":[{{"property":"{property}","op":"{operator}","value":"{wanted}"}}]}}]}}"#
    ))
}

#[test]
fn each_filter_chooses_what_it_says() {
    assert_eq!(by_filter("concept", "is-a", "a"), "a aa ab aba ac ba");
    assert_eq!(by_filter("concept", "descendent-of", "a"), "aa ab aba ac ba");
    assert_eq!(by_filter("concept", "is-not-a", "a"), "b g");
    assert_eq!(by_filter("concept", "generalizes", "ba"), "a ab b ba");
    assert_eq!(by_filter("concept", "child-of", "ab"), "aba ba");
    assert_eq!(by_filter("concept", "descendent-leaf", "a"), "aa aba ac ba");
    assert_eq!(by_filter("concept", "in", "aa, b"), "aa b");
    assert_eq!(by_filter("concept", "not-in", "aa,b"), "a ab aba ac ba g");
    assert_eq!(by_filter("code", "regex", "a."), "aa ab ac", "a pattern is of the whole code");
    assert_eq!(by_filter("parent", "=", "b"), "ba");
    assert_eq!(by_filter("child", "=", "ba"), "ab b");
    assert_eq!(by_filter("kind", "=", "x"), "aa");
    assert_eq!(by_filter("kind", "exists", "true"), "aa b");
    assert_eq!(by_filter("kind", "exists", "false"), "a ab aba ac ba g");
    assert_eq!(by_filter("notSelectable", "=", "false"), "a aa ab aba ac b ba");
    assert_eq!(by_filter("display", "=", "Three"), "aba");
    assert_eq!(by_filter("concept", "is-a", "nowhere"), "");
}

#[test]
fn what_a_filter_cannot_tell_stays_open() {
    let all_open = "a? aa? ab? aba? ac? b? ba? g? zz?";
    assert_eq!(by_filter("colour", "=", "red"), all_open, "a property that nobody has");
    assert_eq!(by_filter("concept", "sounds-like", "a"), all_open, "no operator of FHIR");
    assert_eq!(
        by_filter("code", "regex", "(a{1000}){1000}"),
        all_open,
        "a pattern that is too large"
    );
    assert_eq!(by_filter("code", "regex", "("), all_open, "no pattern");
}

#[test]
fn includes_add_up_and_excludes_take_away() {
    let whole = r#"{"system":"http://x.test/tree"}"#;
    assert_eq!(chosen(&format!(r#"{{"include":[{whole}]}}"#)), "a aa ab aba ac b ba g");
    assert_eq!(
        chosen(&format!(r#"{{"inactive":false,"include":[{whole}]}}"#)),
        "a aa ab aba ac ba g"
    );
    assert_eq!(
        chosen(&format!(
            r#"{{"include":[{whole}],"exclude":[{{"system":"http://x.test/tree","concept":[{{"code":"aa"}}]}}]}}"#
        )),
        "a ab aba ac b ba g"
    );
    // An include of another system has nothing to say, though that system is unknown.
    assert_eq!(
        chosen(
            r#"{"include":[{"system":"http://x.test/tree","concept":[{"code":"b"}]},{"system":"http://y.test"}]}"#
        ),
        "b"
    );
    // An imported set that is missing leaves all open but what another include has.
    assert_eq!(
        chosen(
            r#"{"include":[{"system":"http://x.test/tree","concept":[{"code":"b"}]},{"valueSet":["http://x.test/gone"]}]}"#
        ),
        "a? aa? ab? aba? ac? b ba? g? zz?"
    );
    // Within one include, the system and the sets must all have the code.
    assert_eq!(
        chosen(
            r#"{"include":[{"system":"http://x.test/tree","concept":[{"code":"b"}],"valueSet":["http://x.test/gone"]}]}"#
        ),
        "b?"
    );
    assert_eq!(chosen("{}"), "a? aa? ab? aba? ac? b? ba? g? zz?", "a set that says nothing");
}

#[test]
fn sets_that_import_each_other_end_open() {
    let set = |url: &str, other: &str| {
        format!(
            r#"{{"resourceType":"ValueSet","url":"{url}","compose":{{"include":[{{"valueSet":["{other}"]}},
               {{"system":"http://x.test/tree","concept":[{{"code":"{}"}}]}}]}}}}"#,
            url.rsplit('/').next().unwrap()
        )
    };
    let terminology = terminology_of(&[
        TREE,
        &set("http://x.test/a", "http://x.test/b"),
        &set("http://x.test/b", "http://x.test/a|1"),
    ]);
    let a = terminology.value_set("http://x.test/a").unwrap();
    assert_eq!(a.holds("http://x.test/tree", "a"), Membership::In);
    assert_eq!(a.holds("http://x.test/tree", "b"), Membership::In);
    assert_eq!(a.holds("http://x.test/tree", "g"), Membership::Unknown(Reason::Cycle));
    let chain: Vec<String> = (0..40)
        .map(|at| {
            format!(
                r#"{{"resourceType":"ValueSet","url":"http://x.test/{at}","compose":{{"include":[{{"valueSet":["http://x.test/{}"]}}]}}}}"#,
                at + 1
            )
        })
        .collect();
    let terminology = terminology_of(&chain.iter().map(String::as_str).collect::<Vec<_>>());
    let deep = terminology.value_set("http://x.test/0").unwrap();
    assert_eq!(deep.holds("http://x.test/tree", "a"), Membership::Unknown(Reason::Cycle));
}

#[test]
fn imports_that_multiply_are_not_all_followed() {
    // Ten imports of ten imports, fifteen times over.
    let mut sets: Vec<String> = (0..15)
        .map(|at| {
            let one = format!(r#"{{"valueSet":["http://x.test/{}"]}}"#, at + 1);
            let all = vec![one; 10].join(",");
            format!(r#"{{"resourceType":"ValueSet","url":"http://x.test/{at}","compose":{{"include":[{all}]}}}}"#)
        })
        .collect();
    sets.push(r#"{"resourceType":"ValueSet","url":"http://x.test/15","compose":{"include":[{"system":"http://x.test/tree","concept":[{"code":"a"}]}]}}"#.to_owned());
    let terminology = terminology_of(&sets.iter().map(String::as_str).collect::<Vec<_>>());
    let holds = |at: usize, code: &str| {
        let set = terminology.value_set(&format!("http://x.test/{at}")).unwrap();
        set.holds("http://x.test/tree", code)
    };
    assert_eq!(holds(13, "a"), Membership::In);
    assert_eq!(holds(13, "b"), Membership::Out);
    assert_eq!(holds(0, "b"), Membership::Unknown(Reason::Cycle));
}

#[test]
fn an_expansion_decides_where_compose_cannot() {
    let set = |more: &str| {
        format!(
            r#"{{"resourceType":"ValueSet","url":"http://x.test/set",
               "compose":{{"include":[{{"system":"http://y.test","filter":[{{"property":"concept","op":"is-a","value":"1"}}]}}]}},
               "expansion":{{{more}"contains":[{{"system":"http://y.test","code":"1","contains":[{{"system":"http://y.test","code":"2"}}]}},
               {{"system":"http://y.test","code":"3","abstract":true}}]}}}}"#
        )
    };
    let holds = |more: &str, code: &str| {
        terminology_of(&[&set(more)])
            .value_set("http://x.test/set")
            .unwrap()
            .holds("http://y.test", code)
    };
    assert_eq!(holds("", "2"), Membership::In);
    assert_eq!(holds("", "3"), Membership::Out);
    assert_eq!(holds("", "4"), Membership::Out);
    assert_eq!(holds(r#""total":900,"#, "2"), Membership::In);
    assert!(matches!(holds(r#""total":900,"#, "4"), Membership::Unknown(_)));
    let costly = r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/valueset-toocostly","valueBoolean":true}],"#;
    assert!(matches!(holds(costly, "4"), Membership::Unknown(_)));
}

#[test]
fn a_code_system_knows_its_concepts_whatever_their_order() {
    let system = CodeSystem::compile(&value(TREE), &[]);
    let b = system.find("b").unwrap();
    assert_eq!(system.display(b), Some("Letter B"));
    assert_eq!(system.designations(b).collect::<Vec<_>>(), ["Buchstabe B"]);
    assert!(system.is_inactive(b) && !system.is_abstract(b));
    assert!(system.is_abstract(system.find("g").unwrap()));
    assert_eq!(
        system.display(system.find("a").unwrap()),
        Some("Letter A"),
        "the first of two counts"
    );
    assert!(system.find("B").is_none());
    let loose = CodeSystem::compile(&value(&TREE.replace(r#""caseSensitive":true,"#, "")), &[]);
    assert_eq!(loose.code(loose.find("ABA").unwrap()), "aba");
    assert!(CodeSystem::compile(&Value::Null, &[]).is_empty());
}

#[test]
fn the_core_sets_that_need_a_grammar_are_told_by_it() {
    let terminology = terminology_of(&[]);
    let holds = |set: &str, code: &str| {
        terminology
            .value_set(&format!("http://hl7.org/fhir/ValueSet/{set}"))
            .unwrap()
            .holds_code(code)
    };
    assert_eq!(holds("all-languages", "de-CH"), Membership::In);
    assert_eq!(holds("all-languages", "not a language"), Membership::Out);
    assert!(matches!(holds("all-languages|4.0.1", "gsw"), Membership::Unknown(_)));
    assert!(matches!(holds("mimetypes", "text/plain"), Membership::Unknown(_)));
    assert_eq!(holds("ucum-units", "mg"), Membership::In);
    assert!(matches!(holds("ucum-units", "furlong"), Membership::Unknown(_)));
    assert!(matches!(holds("currencies", "EUR"), Membership::Unknown(Reason::System)));
    assert_eq!(holds("administrative-gender|4.0.1", "male"), Membership::In);
    assert_eq!(holds("administrative-gender", "MALE"), Membership::Out);
    assert_eq!(holds("iso3166-1-3", "AUSTRIA"), Membership::Out, "the pattern rules it out");
    assert!(matches!(holds("iso3166-1-3", "AUT"), Membership::Unknown(_)));
    let r5 = Terminology::new(Release::R5, Definitions::core(Release::R5), is_unit);
    let colours = r5.value_set("http://hl7.org/fhir/ValueSet/color-codes").unwrap();
    assert_eq!(colours.holds_code("#a0B1c2"), Membership::In);
    assert_eq!(colours.holds_code("#a0B1c"), Membership::Out);
}

#[test]
fn language_tags_are_well_formed_or_not() {
    let good = [
        "en",
        "de-CH",
        "sr-Latn-RS",
        "zh-cmn-Hans-CN",
        "sl-rozaj-biske",
        "de-1996",
        "en-a-bbb-x-a-ccc",
        "x-whatever",
        "i-klingon",
        "EN-gb-OED",
        "es-419",
        "de-u-co-phonebk",
        "abcdefgh",
        "abcd",
    ];
    for tag in good {
        assert!(LanguageTag::parse(tag).is_some(), "{tag}");
    }
    let bad = [
        "",
        "e",
        "en_US",
        "en-",
        "-en",
        "en--US",
        "not a language",
        "abcdefghi",
        "en-x",
        "en-a",
        "de-419-DE",
        "a-DE",
        "12",
        "é",
        "en-US-US",
    ];
    for tag in bad {
        assert!(LanguageTag::parse(tag).is_none(), "{tag}");
    }
    assert!(
        is_media_type("text/plain; charset=UTF-8")
            && is_media_type("application/fhir+json;fhirVersion=4.0")
    );
    assert!(
        !is_media_type("foo")
            && !is_media_type("image/")
            && !is_media_type("a b/c")
            && !is_media_type("/")
    );
}

proptest! {
    #[test]
    fn no_text_is_too_odd_for_a_look_up(code in "\\PC{0,12}", system in "\\PC{0,24}") {
        let _ = LanguageTag::parse(&code);
        let _ = is_media_type(&code);
        let found = CodeSystem::compile(&value(TREE), &[]);
        prop_assert_eq!(found.find(&code).is_some(), ["a", "aa", "ab", "aba", "ac", "b", "ba", "g"].contains(&code.as_str()));
        let _ = system;
    }
}

// ---- In documents ----

/// What is found in an R4 document: severity, code of the rule, expression.
fn found_with(document: &str, answers: Option<Arc<Answers>>) -> Vec<String> {
    found_in(Release::R4, document, &Options::default(), answers)
}

fn found_in(
    release: Release,
    document: &str,
    options: &Options,
    answers: Option<Arc<Answers>>,
) -> Vec<String> {
    let definitions = Definitions::core(release);
    let terminology =
        Arc::new(Terminology::new(release, definitions.clone(), |text| Some(ucum::is_valid(text))));
    let plain = Validator::new(definitions, options.clone());
    let types = plain.programs().types();
    let rules = CodeRules::new(terminology, types, answers);
    let validator =
        Validator::of(Arc::clone(plain.programs()), options.clone()).with(Box::new(rules));
    let tree =
        tree::json::read(document, Limits::RESOURCE).unwrap_or_else(|error| panic!("{error:?}"));
    let outcome = validator.validate(tree);
    let of_terms: Vec<&str> = rule::terminology::ALL.iter().map(|rule| rule.code).collect();
    let of_terms = outcome.findings.iter().filter(|finding| of_terms.contains(&finding.rule.code));
    of_terms
        .map(|finding| {
            let place = outcome.tree.expression(
                finding.node,
                validator.programs().types(),
                Naming::AsWritten,
            );
            format!("{} {} {place}", finding.severity.code(), finding.rule.code)
        })
        .collect()
}

fn found(document: &str) -> Vec<String> {
    found_with(document, None)
}

const THO: &str = "http://terminology.hl7.org/CodeSystem";

fn condition(category: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","clinicalStatus":{{"coding":[{{"system":"{THO}/condition-clinical","code":"active"}}]}},
            "category":[{{"coding":[{category}]}}],"subject":{{"display":"x"}}}}"#
    )
}

#[test]
fn a_code_element_takes_the_codes_of_its_set_only() {
    assert_eq!(found(r#"{"resourceType":"Patient","gender":"male"}"#), [""; 0]);
    assert_eq!(
        found(r#"{"resourceType":"Patient","gender":"Male"}"#),
        ["error fhir-binding-code Patient.gender", "error fhir-binding-code-system Patient.gender"]
    );
}

/// What is found about the category of a Condition (bound, extensible).
fn about(category: &str) -> Vec<String> {
    let found = found(&condition(category));
    found.iter().map(|found| found.replace("Condition.category[0]", "^")).collect()
}

fn coding(system: &str, rest: &str) -> String {
    format!(r#"{{"system":"{system}",{rest}}}"#)
}

#[test]
fn a_coding_of_a_known_system_has_one_of_its_codes_and_names() {
    let category = format!("{THO}/condition-category");
    let right = |rest: &str| about(&coding(&category, rest));
    assert_eq!(right(r#""code":"problem-list-item","display":"problem LIST item""#), [""; 0]);
    assert_eq!(
        right(r#""code":"nope""#),
        ["error fhir-code-unknown ^.coding[0].code", "warning fhir-binding-extensible ^"]
    );
    assert_eq!(
        right(r#""code":"Problem-List-Item""#),
        ["error fhir-code-unknown ^.coding[0].code", "warning fhir-binding-extensible ^"]
    );
    assert_eq!(
        right(r#""code":"problem-list-item","display":"Something else""#),
        ["error fhir-display-wrong ^.coding[0].display"]
    );
    assert_eq!(
        right(r#""code":"problem-list-item","display":"Problem  List Item""#),
        ["error fhir-display-white-space ^.coding[0].display"]
    );
    assert_eq!(
        right(r#""code":"problem-list-item","version":"9.9""#),
        ["warning fhir-system-version ^.coding[0].system"]
    );
    assert_eq!(
        right(r#""display":"x""#),
        ["warning fhir-coding-no-code ^.coding[0]", "warning fhir-binding-extensible ^"]
    );
}

#[test]
fn a_system_is_an_absolute_uri_of_a_code_system() {
    let extensible = "warning fhir-binding-extensible ^";
    assert_eq!(
        about(&coding("ResourceType", r#""code":"x""#)),
        ["error fhir-system-relative ^.coding[0].system", extensible]
    );
    assert_eq!(
        about(&coding("http://hl7.org/fhir/ValueSet/condition-category", r#""code":"x""#)),
        ["error fhir-system-value-set ^.coding[0].system", extensible]
    );
    assert_eq!(
        about(&coding("http://hl7.org/fhir/nowhere", r#""code":"x""#)),
        ["warning fhir-system-doubtful ^.coding[0].system", extensible]
    );
    assert_eq!(
        about(r#"{"code":"problem-list-item"}"#),
        ["warning fhir-concept-coding-no-system ^.coding[0]", extensible]
    );
    let tag = |system: &str| {
        found(&format!(
            r#"{{"resourceType":"Basic","meta":{{"tag":[{{"system":"{system}","code":"x"}}]}},"code":{{"text":"x"}}}}"#
        ))
    };
    assert_eq!(tag("rel"), ["error fhir-coding-system-relative Basic.meta.tag[0]"]);
    assert_eq!(tag("http://hl7.org/fhir/nowhere"), ["error fhir-system-unknown Basic.meta.tag[0]"]);
    assert_eq!(
        tag("http://hl7.org/fhir/ValueSet/condition-category"),
        ["error fhir-coding-system-value-set Basic.meta.tag[0]"]
    );
    assert_eq!(
        tag("https://terminology.hl7.org/CodeSystem/v3-NullFlavor"),
        ["error fhir-system-misspelt Basic.meta.tag[0]"]
    );
    assert_eq!(
        tag("http://hospital.test/x"),
        ["information fhir-not-checked Basic.meta.tag[0].system"]
    );
    assert_eq!(
        tag("http://hl7.org/fhir/sid/nope"),
        ["information fhir-not-checked Basic.meta.tag[0].system"]
    );
}

#[test]
fn an_unknown_system_is_no_error_and_said_once() {
    let three = r#"{"resourceType":"Observation","status":"final","code":{"coding":[
        {"system":"http://loinc.org","code":"1-1"},{"system":"http://loinc.org","code":"2-2"},
        {"system":"http://snomed.info/sct","code":"3"}]},"subject":{"display":"x"}}"#;
    assert_eq!(
        found(three),
        [
            "information fhir-not-checked Observation.code.coding[0].system",
            "information fhir-not-checked Observation.code.coding[2].system"
        ]
    );
}

#[test]
fn one_coding_of_a_required_set_is_enough() {
    let status = |codings: &str| {
        found(&format!(
            r#"{{"resourceType":"Condition","clinicalStatus":{codings},"subject":{{"display":"x"}}}}"#
        ))
    };
    let active = format!(r#"{{"system":"{THO}/condition-clinical","code":"active"}}"#);
    assert_eq!(
        status(&format!(
            r#"{{"coding":[{{"system":"http://hospital.test/x","code":"a"}},{active}]}}"#
        )),
        ["information fhir-not-checked Condition.clinicalStatus.coding[0].system"]
    );
    assert_eq!(
        status(r#"{"coding":[{"system":"http://hospital.test/x","code":"a"}]}"#),
        [
            "information fhir-not-checked Condition.clinicalStatus.coding[0].system",
            "error fhir-binding-required Condition.clinicalStatus"
        ]
    );
    assert_eq!(
        status(r#"{"text":"active"}"#),
        ["error fhir-binding-no-code Condition.clinicalStatus"]
    );
    assert_eq!(
        status(
            &active
                .replace(r#""code""#, r#""version":"9.9","code""#)
                .replace('{', r#"{"coding":[{"#)
                .replace('}', "}]}")
        ),
        ["error fhir-system-version Condition.clinicalStatus.coding[0].system"]
    );
}

#[test]
fn units_languages_and_uris_are_told_by_their_form() {
    let value = |quantity: &str| {
        found(&format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"valueQuantity":{quantity}}}"#
        ))
    };
    let place = "Observation.value.ofType(Quantity)";
    assert_eq!(
        value(r#"{"value":1,"system":"http://unitsofmeasure.org","code":"mg/dL"}"#),
        [""; 0]
    );
    assert_eq!(
        value(r#"{"value":1,"system":"http://unitsofmeasure.org","code":"mmHg"}"#),
        [format!("warning fhir-unit-unknown {place}.code")]
    );
    assert_eq!(
        value(&format!(r#"{{"value":1,"system":"{THO}/v3-orderableDrugForm","code":"patch"}}"#)),
        [format!("error fhir-code-unknown {place}.code")]
    );
    assert_eq!(
        value(r#"{"value":1,"system":"mg","code":"mg"}"#),
        [format!("error fhir-coding-system-relative {place}")]
    );
    assert_eq!(
        about(r#"{"system":"urn:ietf:rfc:3986","code":"RicardianContract"}"#),
        ["error fhir-code-unknown ^.coding[0].code", "warning fhir-binding-extensible ^"]
    );
    // The HL7 engine looks at a Coding of its own only where its value set is at hand: of an OID that Synthea writes so it says nothing.
    let study = found(
        r#"{"resourceType":"ImagingStudy","status":"available","subject":{"display":"x"},"series":[{"uid":"1.2",
        "modality":{"system":"urn:ietf:rfc:3986","code":"1.2.840.10008"}}]}"#,
    );
    let warning = "warning fhir-code-unknown ImagingStudy.series[0].modality.code";
    assert!(study.contains(&warning.to_owned()), "{study:#?}");
    let language =
        |code: &str| found(&format!(r#"{{"resourceType":"Patient","language":"{code}"}}"#));
    assert_eq!(language("de-CH"), [""; 0]);
    assert_eq!(language("sr-Latn-RS"), ["information fhir-binding-preferred Patient.language"]);
    assert_eq!(
        language("german, mostly"),
        [
            "information fhir-binding-preferred Patient.language",
            "error fhir-binding-maximum Patient.language"
        ]
    );
}

#[test]
fn a_required_code_can_t_be_left_open() {
    let gender = |gender: &str| {
        let mut found = found(&format!(r#"{{"resourceType":"Patient","_gender":{gender}}}"#));
        found.retain(|line| line.contains("binding"));
        found
    };
    let missing = ["error fhir-binding-no-code Patient.gender"];
    let absent = r#"{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}"#;
    assert_eq!(gender(&format!(r#"{{"extension":[{absent}]}}"#)), missing);
    assert_eq!(gender(r#"{"id":"x"}"#), missing);
    // What stands in for it is the code of another release.
    let later = r#"{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.gender","valueCode":"x"}"#;
    assert_eq!(gender(&format!(r#"{{"extension":[{later}]}}"#)), [""; 0]);
}
