//! Extensions: known and unknown, simple and complex, modifying or not, and where they may stand. And profiles without slices.

use ipt_fhir::fhir::Release;
use ipt_fhir::json::{Limits, parse};
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::definitions::{Definitions, Package};
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::shared::Shared;
use ipt_fhir::validate::tree::json;

use super::structure::{found, r4, strict, told};

fn patient(extension: &str) -> Vec<String> {
    r4(&format!(r#"{{"resourceType":"Patient","extension":[{extension}]}}"#))
}

#[test]
fn a_known_extension_has_the_value_that_its_definition_allows() {
    let url = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";
    assert_eq!(patient(&format!(r#"{{"url":"{url}","valueString":"x"}}"#)), [""; 0]);
    assert_eq!(
        patient(&format!(r#"{{"url":"{url}","valueCode":"x"}}"#)),
        ["fhir-extension-type Patient.extension[0]"]
    );
    assert_eq!(
        patient(&format!(r#"{{"url":"{url}","valueStrin":"x"}}"#)),
        [
            "fhir-element-unknown Patient.extension[0]",
            "fhir-cardinality-minimum Patient.extension[0] (value[x])"
        ]
    );
    assert_eq!(
        patient(&format!(r#"{{"url":"{url}","valueString":"x","valueCode":"y"}}"#)),
        ["fhir-extension-type Patient.extension[0]"]
    );
}

#[test]
fn a_complex_extension_has_the_parts_that_its_definition_has() {
    let nationality = |parts: &str| {
        patient(&format!(
            r#"{{"url":"http://hl7.org/fhir/StructureDefinition/patient-nationality","extension":[{parts}]}}"#
        ))
    };
    assert_eq!(nationality(r#"{"url":"code","valueCodeableConcept":{"text":"x"}}"#), [""; 0]);
    assert_eq!(
        nationality(r#"{"url":"code","valueString":"x"}"#),
        ["fhir-extension-type Patient.extension[0].extension[0]"]
    );
    assert_eq!(
        nationality(r#"{"url":"cod","valueCodeableConcept":{"text":"x"}}"#),
        ["fhir-extension-part-unknown Patient.extension[0].extension[0]"]
    );
    let twice = r#"{"url":"code","valueCodeableConcept":{"text":"x"}}"#;
    assert_eq!(
        nationality(&format!("{twice},{twice}")),
        ["fhir-cardinality-maximum Patient.extension[0] (extension:code)"]
    );
    let animal = |parts: &str| {
        r4(&format!(
            r#"{{"resourceType":"Patient","extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/patient-animal","extension":[{parts}]}}]}}"#
        ))
    };
    assert_eq!(
        animal(r#"{"url":"breed","valueCodeableConcept":{"text":"x"}}"#),
        ["fhir-cardinality-minimum Patient.extension[0] (extension:species)"]
    );
    assert_eq!(
        patient(
            r#"{"url":"http://hl7.org/fhir/StructureDefinition/patient-animal","valueString":"x","extension":[{"url":"species","valueCodeableConcept":{"text":"x"}}]}"#
        ),
        ["fhir-cardinality-maximum Patient.extension[0] (value[x])"]
    );
}

#[test]
fn an_unknown_extension_is_an_error_or_a_note_as_the_options_say() {
    let unknown = r#"{"resourceType":"Patient","extension":[{"url":"http://meier.de/x","valueString":"x"}],
        "modifierExtension":[{"url":"http://meier.de/y","extension":[{"url":"part","valueInteger":1}]}]}"#;
    assert_eq!(
        r4(unknown),
        [
            "fhir-extension-unknown Patient.extension[0]",
            "fhir-extension-unknown Patient.modifierExtension[0]"
        ]
    );
    let lenient = Validator::new(Definitions::core(Release::R4), Options::default());
    assert_eq!(found(&lenient, unknown), ["fhir-extension-unknown Patient.modifierExtension[0]"]);
    let allowed = Options {
        allowed_extension_domains: vec!["http://meier.de/".to_owned()],
        ..strict(Release::R4).options().clone()
    };
    let outcome = Validator::new(Definitions::core(Release::R4), allowed);
    let outcome = outcome.validate(json::read(unknown, Limits::RESOURCE).unwrap());
    assert!(
        outcome.findings.iter().all(|finding| finding.severity < ipt_fhir::issue::Severity::Error)
    );
    // HL7's own are known.
    let own = r#"{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-mothersMadenName","valueString":"x"}]}"#;
    assert_eq!(found(&lenient, own), ["fhir-extension-unknown Patient.extension[0]"]);
    assert_eq!(patient(r#"{"url":"http://example.org/x","valueString":"x"}"#), [""; 0]);
}

#[test]
fn the_url_is_absolute_and_must_be_there() {
    assert_eq!(
        patient(r#"{"url":"birthPlace","valueString":"x"}"#),
        ["fhir-extension-url Patient.extension[0]"]
    );
    assert_eq!(
        patient(r#"{"valueString":"x"}"#),
        ["fhir-cardinality-minimum Patient.extension[0] (url)"]
    );
}

#[test]
fn an_extension_stands_where_its_definition_allows_it() {
    let maiden = r#"{"url":"http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName","valueString":"x"}"#;
    assert_eq!(
        r4(&format!(r#"{{"resourceType":"Patient","name":[{{"extension":[{maiden}]}}]}}"#)),
        ["fhir-extension-context Patient.name[0]"]
    );
    assert_eq!(
        r4(&format!(r#"{{"resourceType":"Practitioner","extension":[{maiden}]}}"#)),
        ["fhir-extension-context Practitioner"]
    );
    // By the type of the element, wherever it stands; on a primitive too.
    let prefix = r#"{"url":"http://hl7.org/fhir/StructureDefinition/humanname-own-prefix","valueString":"x"}"#;
    assert_eq!(
        r4(&format!(
            r#"{{"resourceType":"Patient","contact":[{{"name":{{"family":"x","_family":{{"extension":[{prefix}]}}}}}}]}}"#
        )),
        [""; 0]
    );
    // In an item within an item, whose definition is the outer one's.
    let hidden = r#"{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-hidden","valueBoolean":true}"#;
    assert_eq!(
        r4(&format!(
            r#"{{"resourceType":"Questionnaire","status":"draft","item":[{{"linkId":"1","type":"group","item":[{{"linkId":"2","type":"string","extension":[{hidden}]}}]}}]}}"#
        )),
        [""; 0]
    );
    // In an extension, as the definition of that says.
    assert_eq!(
        patient(&format!(r#"{{"url":"http://example.org/x","extension":[{maiden}]}}"#)),
        ["fhir-extension-context Patient.extension[0]"]
    );
}

#[test]
fn a_modifier_stands_among_modifiers_only() {
    let ordinary = r#"{"url":"http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName","valueString":"x"}"#;
    assert_eq!(
        r4(&format!(r#"{{"resourceType":"Patient","modifierExtension":[{ordinary}]}}"#)),
        ["fhir-extension-modifier Patient.modifierExtension[0]"]
    );
    let modifier = r#"{"url":"http://hl7.org/fhir/StructureDefinition/request-doNotPerform","valueBoolean":true}"#;
    let order = |member: &str| {
        r4(&format!(
            r#"{{"resourceType":"NutritionOrder","status":"active","intent":"order","patient":{{"display":"x"}},"dateTime":"2020","{member}":[{modifier}]}}"#
        ))
    };
    assert_eq!(order("modifierExtension"), [""; 0]);
    assert_eq!(order("extension"), ["fhir-extension-modifier NutritionOrder.extension[0]"]);
}

/// A profile on Patient with these elements besides the root.
fn profile(url: &str, elements: &str) -> Vec<u8> {
    format!(
        r#"{{"resourceType":"StructureDefinition","url":"{url}","version":"1","name":"P","status":"active","kind":"resource","abstract":false,
        "type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint",
        "snapshot":{{"element":[{{"id":"Patient","path":"Patient","min":0,"max":"*","base":{{"path":"Patient","min":0,"max":"*"}}}},{elements}]}}}}"#
    )
    .into_bytes()
}

/// What a patient breaks of a profile.
fn profiled(elements: &str, members: &str) -> Vec<String> {
    let url = "http://example.org/StructureDefinition/p";
    let files = [("package/StructureDefinition-p.json".to_owned(), profile(url, elements))];
    let package = Package::from_files(files);
    let definitions = Definitions::core(Release::R4).with_packages(vec![package]);
    let validator = Validator::new(std::sync::Arc::new(definitions), Options::default());
    let source =
        format!(r#"{{"resourceType":"Patient","meta":{{"profile":["{url}"]}},{members}}}"#);
    let outcome = validator.validate(json::read(&source, Limits::RESOURCE).unwrap());
    told(&validator, &outcome)
}

const META: &str = r#"{"id":"Patient.meta","path":"Patient.meta","min":0,"max":"1","base":{"path":"Resource.meta","min":0,"max":"1"},"type":[{"code":"Meta"}]}"#;

#[test]
fn a_profile_demands_more_than_its_base() {
    let name = r#"{"id":"Patient.name","path":"Patient.name","min":1,"max":"2","base":{"path":"Patient.name","min":0,"max":"*"},"type":[{"code":"HumanName"}]}"#;
    let photo = r#"{"id":"Patient.photo","path":"Patient.photo","min":0,"max":"0","base":{"path":"Patient.photo","min":0,"max":"*"},"type":[{"code":"Attachment"}]}"#;
    let choice = r#"{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","min":0,"max":"1","base":{"path":"Patient.deceased[x]","min":0,"max":"1"},"type":[{"code":"boolean"}]}"#;
    let elements = [META, name, photo, choice].join(",");
    assert_eq!(profiled(&elements, r#""name":[{"text":"a"}],"deceasedBoolean":false"#), [""; 0]);
    assert_eq!(profiled(&elements, r#""id":"x""#), ["fhir-cardinality-minimum Patient (name)"]);
    assert_eq!(
        profiled(
            &elements,
            r#""name":[{"text":"a"},{"text":"b"},{"text":"c"}],"photo":[{"title":"x"}]"#
        ),
        ["fhir-cardinality-maximum Patient (name)", "fhir-cardinality-maximum Patient (photo)"]
    );
    assert_eq!(
        profiled(&elements, r#""name":[{"text":"a"}],"deceasedDateTime":"2020""#),
        ["fhir-choice-type Patient.deceased.ofType(dateTime)"]
    );
    // A choice that is not allowed at all needs no types.
    let none = r#"{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","min":0,"max":"0","base":{"path":"Patient.deceased[x]","min":0,"max":"1"}}"#;
    assert_eq!(
        profiled(&[META, none].join(","), r#""deceasedBoolean":true"#),
        ["fhir-cardinality-maximum Patient (deceased[x])"]
    );
}

#[test]
fn values_are_compared_with_what_a_profile_fixes() {
    let with = |rule: &str| {
        format!(
            r#"{META},{{"id":"Patient.maritalStatus","path":"Patient.maritalStatus","min":0,"max":"1","base":{{"path":"Patient.maritalStatus","min":0,"max":"1"}},"type":[{{"code":"CodeableConcept"}}],{rule}}}"#
        )
    };
    let pattern = with(r#""patternCodeableConcept":{"coding":[{"system":"http://s","code":"M"}]}"#);
    let status = |value: &str| format!(r#""maritalStatus":{value}"#);
    let rich = status(
        r#"{"text":"x","coding":[{"system":"http://t","code":"N"},{"system":"http://s","code":"M","display":"y"}]}"#,
    );
    assert_eq!(profiled(&pattern, &rich), [""; 0]);
    assert_eq!(
        profiled(&pattern, &status(r#"{"coding":[{"system":"http://s","code":"N"}]}"#)),
        ["fhir-pattern-value Patient.maritalStatus"]
    );
    assert_eq!(
        profiled(&pattern, &status(r#"{"text":"x"}"#)),
        ["fhir-pattern-value Patient.maritalStatus (coding)"]
    );
    let fixed = with(r#""fixedCodeableConcept":{"coding":[{"system":"http://s","code":"M"}]}"#);
    assert_eq!(
        profiled(&fixed, &status(r#"{"coding":[{"system":"http://s","code":"M"}]}"#)),
        [""; 0]
    );
    assert_eq!(
        profiled(&fixed, &rich),
        [
            "fhir-fixed-value Patient.maritalStatus.coding[0].system",
            "fhir-fixed-value Patient.maritalStatus.coding[0].code",
            "fhir-fixed-value Patient.maritalStatus.coding[1]",
            "fhir-fixed-value Patient.maritalStatus.text"
        ]
    );
    let length = format!(
        r#"{META},{{"id":"Patient.language","path":"Patient.language","min":0,"max":"1","base":{{"path":"Resource.language","min":0,"max":"1"}},"type":[{{"code":"code"}}],"maxLength":2}}"#
    );
    assert_eq!(profiled(&length, r#""language":"de""#), [""; 0]);
    assert_eq!(
        profiled(&length, r#""language":"de-CH""#),
        ["fhir-length-maximum Patient.language"]
    );
    let least = format!(
        r#"{META},{{"id":"Patient.birthDate","path":"Patient.birthDate","min":0,"max":"1","base":{{"path":"Patient.birthDate","min":0,"max":"1"}},"type":[{{"code":"date"}}],"minValueDate":"1900-01-01","maxValueDate":"2030-12-31"}}"#
    );
    assert_eq!(profiled(&least, r#""birthDate":"1950""#), [""; 0]);
    assert_eq!(profiled(&least, r#""birthDate":"1900""#), [""; 0]);
    assert_eq!(
        profiled(&least, r#""birthDate":"1899-12-31""#),
        ["fhir-value-minimum Patient.birthDate"]
    );
    assert_eq!(profiled(&least, r#""birthDate":"2031""#), ["fhir-value-maximum Patient.birthDate"]);
}

#[test]
fn a_profile_that_is_not_at_hand_is_told_and_one_for_another_type_is_wrong() {
    let claims =
        |url: &str| r4(&format!(r#"{{"resourceType":"Patient","meta":{{"profile":["{url}"]}}}}"#));
    assert_eq!(claims("http://example.org/none"), ["fhir-profile-unknown Patient.meta.profile[0]"]);
    let fhir = "http://hl7.org/fhir/StructureDefinition";
    assert_eq!(claims(&format!("{fhir}/bmi")), ["fhir-profile-type Patient.meta.profile[0]"]);
    assert_eq!(claims(&format!("{fhir}/Patient")), [""; 0]);
    assert_eq!(
        claims(&format!("{fhir}/Observation")),
        ["fhir-profile-type Patient.meta.profile[0]"]
    );
    let asked =
        Options { profiles: vec!["http://example.org/none".to_owned()], ..Options::default() };
    let validator = Validator::new(Definitions::core(Release::R4), asked);
    let outcome =
        validator.validate(json::read(r#"{"resourceType":"Patient"}"#, Limits::RESOURCE).unwrap());
    assert_eq!(told(&validator, &outcome), ["fhir-profile-unknown Patient"]);
    assert_eq!(outcome.findings[0].severity, ipt_fhir::issue::Severity::Error);
}

#[test]
fn definitions_made_to_break_break_nothing() {
    let broken = [
        r##"{"id":"Patient.name","path":"Patient.name","contentReference":"#Patient.name"}"##,
        r#"{"id":"","path":""}"#,
        r#"{"path":"Patient.x:y","min":4294967296,"max":"-1"}"#,
        r#"{"id":"Patient.name:","path":"Patient.name","type":[{"code":""}]},{"id":"Patient.[x]","path":"Patient.[x]","type":[{"code":"é"}]}"#,
        r#"{"id":"Patient.name","path":"Patient.name","type":[{"code":"Patient","profile":["http://example.org/StructureDefinition/p"]}],"fixedHumanName":[1]}"#,
        "1",
        r#"{"id":"Patient","path":"Patient"},{"id":"Patient","path":"Patient"}"#,
    ];
    for elements in broken {
        assert!(
            parse(&profile("http://example.org/StructureDefinition/p", elements)).is_ok(),
            "{elements}"
        );
        profiled(elements, r#""name":[{"text":"x","é":1}],"x":1"#);
    }
}

#[test]
fn a_context_invariant_names_elements_by_the_letter() {
    // `%extension.valueInteger` is no element of an Extension: its name is `value`. So the HL7 engine finds nothing there, and so do we.
    let question = |repeats: &str| {
        let source = format!(
            r#"{{"resourceType":"Questionnaire","status":"draft","item":[{{"linkId":"1","type":"group","text":"x"{repeats},
            "extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs","valueInteger":1}}]}}]}}"#
        );
        let tree = json::read(&source, Limits::BUNDLE).unwrap();
        let outcome = Shared::core(Release::R5).validator(Options::default()).validate(tree);
        outcome.findings.iter().any(|found| found.rule.code == "fhir-extension-context")
    };
    assert!(question(""));
    assert!(question(r#","repeats":false"#));
    assert!(!question(r#","repeats":true"#));
}
