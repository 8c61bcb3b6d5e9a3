//! Value sets and code systems on their own, and the checks of coded elements in whole documents.

use std::fmt;
use std::sync::Arc;

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{self, Limits, Value};
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::definitions::{Definitions, Package};
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::program::{self, Row};
use ipt_fhir::validate::terminology::grammar::{LanguageTag, is_media_type};
use ipt_fhir::validate::terminology::{
    Answer, Answers, CodeRules, CodeSystem, Membership, Reason, Terminology,
};
use ipt_fhir::validate::tree;
use proptest::prelude::*;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// UCUM as far as these tests go; the real one is another module's.
fn is_unit(text: &str) -> Option<bool> {
    Some(["mg", "mm[Hg]", "a", "m", "{score}"].contains(&text))
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
