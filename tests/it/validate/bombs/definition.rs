//! Profiles and terminology made to lead in circles, to multiply or to be endless: each package is loaded, compiled and asked in
//! a second, and what could not be followed is told by name.

use std::fmt::Write;

use ipt_fhir::fhir::Release;
use ipt_fhir::validate::check::{Checked, Checks, View};
use ipt_fhir::validate::definitions::Package;
use ipt_fhir::validate::options::Options;

use super::{alone, bounded};

const URL: &str = "http://a.example/p";

/// A profile on Patient, by its snapshot's further elements.
fn profile(elements: &str) -> String {
    profile_of(URL, "http://hl7.org/fhir/StructureDefinition/Patient", elements)
}

fn profile_of(url: &str, base: &str, elements: &str) -> String {
    let comma = if elements.is_empty() { "" } else { "," };
    format!(
        "{{\"resourceType\":\"StructureDefinition\",\"url\":\"{url}\",\"version\":\"1\",\"name\":\"P\",\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,\"type\":\"Patient\",\"baseDefinition\":\"{base}\",\"derivation\":\"constraint\",\"snapshot\":{{\"element\":[{{\"id\":\"Patient\",\"path\":\"Patient\",\"min\":0,\"max\":\"*\"}}{comma}{elements}]}}}}"
    )
}

fn element(path: &str, more: &str) -> String {
    format!("{{\"id\":\"{path}\",\"path\":\"{path}\",\"min\":0,\"max\":\"*\"{more}}}")
}

/// An invariant on the Patient.
fn invariant(expression: &str) -> String {
    let expression = expression.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "{{\"id\":\"Patient.active\",\"path\":\"Patient.active\",\"min\":0,\"max\":\"1\",\"type\":[{{\"code\":\"boolean\"}}],\"constraint\":[{{\"key\":\"a-1\",\"severity\":\"error\",\"human\":\"a\",\"expression\":\"{expression}\"}}]}}"
    )
}

/// `Patient.gender`, bound to a set.
fn bound(set: &str) -> String {
    profile(&element(
        "Patient.gender",
        &format!(
            ",\"type\":[{{\"code\":\"code\"}}],\"binding\":{{\"strength\":\"required\",\"valueSet\":\"{set}\"}}"
        ),
    ))
}

fn set(name: &str, includes: &str) -> String {
    format!(
        "{{\"resourceType\":\"ValueSet\",\"url\":\"http://a.example/{name}\",\"status\":\"draft\",\"compose\":{{\"include\":[{includes}]}}}}"
    )
}

fn check(files: &[String], document: &str) -> Checked {
    let named = (0..).zip(files);
    let files = named.map(|(number, text): (u32, _)| {
        (format!("package/{number}.json"), text.clone().into_bytes())
    });
    let package = Package::from_files(files);
    let options = Options { profiles: vec![URL.to_owned()], ..Options::default() };
    let view = View { show_values: false, excerpts: true };
    Checks::new(Some(Release::R4), vec![package], options, view).check(document.as_bytes(), 1)
}

const PATIENT: &str = r#"{"resourceType":"Patient","active":true,"gender":"male","name":[{"family":"a"}],"extension":[{"url":"http://a.example/e","valueString":"a"}]}"#;

#[test]
fn definitions_that_never_end_are_not_followed() {
    if !alone("bombs::definition::definitions_that_never_end_are_not_followed") {
        return;
    }
    // FHIR's own definitions are read once, whatever the package.
    check(&[profile("")], PATIENT);
    let deep = |name: &str| {
        let (mut path, mut elements) = ("Patient".to_owned(), Vec::new());
        for _ in 0..5_000 {
            let _ = write!(path, ".{name}");
            if path.len() > 4_000 {
                break;
            }
            elements.push(element(&path, ",\"type\":[{\"code\":\"BackboneElement\"}]"));
        }
        elements.join(",")
    };
    let many = |count: usize| {
        let rows: Vec<String> = (0..count)
            .map(|number| {
                element(&format!("Patient.a{number}"), ",\"type\":[{\"code\":\"string\"}]")
            })
            .collect();
        rows.join(",")
    };
    let tree = |width: usize, depth: usize| -> Vec<String> {
        let mut sets: Vec<String> = (0..depth)
            .map(|at| {
                let name = if at == 0 { "set".to_owned() } else { format!("set{at}") };
                let next = format!("{{\"valueSet\":[\"http://a.example/set{}\"]}}", at + 1);
                set(&name, &vec![next; width].join(","))
            })
            .collect();
        sets.push(set(
            &format!("set{depth}"),
            "{\"system\":\"http://a.example/s\",\"concept\":[{\"code\":\"b\"}]}",
        ));
        sets.push(bound("http://a.example/set"));
        sets
    };
    let circle: Vec<String> = (0..20_000)
        .map(|number| {
            let base = format!("http://a.example/b{}", (number + 1) % 20_000);
            let url =
                if number == 0 { URL.to_owned() } else { format!("http://a.example/b{number}") };
            profile_of(&url, &base, "")
        })
        .collect();
    let concepts = |count: usize, more: &dyn Fn(usize) -> String| {
        let rows: Vec<String> = (0..count)
            .map(|number| format!("{{\"code\":\"c{number}\"{}}}", more(number)))
            .collect();
        format!(
            "{{\"resourceType\":\"CodeSystem\",\"url\":\"http://a.example/s\",\"status\":\"draft\",\"content\":\"complete\",\"concept\":[{}]}}",
            rows.join(",")
        )
    };
    let filtered = |operator: &str, value: &str| {
        set(
            "set",
            &format!(
                "{{\"system\":\"http://a.example/s\",\"filter\":[{{\"property\":\"concept\",\"op\":\"{operator}\",\"value\":\"{value}\"}}]}}"
            ),
        )
    };
    let circle_of_concepts = concepts(5_000, &|number| {
        format!(
            ",\"property\":[{{\"code\":\"parent\",\"valueCode\":\"c{}\"}}]",
            (number + 1) % 5_000
        )
    });
    let cases: Vec<(&str, Vec<String>, &str)> = vec![
        ("a base that is itself", vec![profile_of(URL, URL, "")], ""),
        ("bases in a circle", circle, ""),
        (
            "a type that is this profile",
            vec![profile(&element(
                "Patient.contact",
                &format!(",\"type\":[{{\"code\":\"BackboneElement\",\"profile\":[\"{URL}\"]}}]"),
            ))],
            "",
        ),
        (
            "a content reference to itself",
            vec![profile(&element(
                "Patient.contact",
                ",\"contentReference\":\"#Patient.contact\"",
            ))],
            "",
        ),
        (
            "content references in a circle",
            vec![profile(
                &[
                    element("Patient.contact", ",\"contentReference\":\"#Patient.link\""),
                    element("Patient.link", ",\"contentReference\":\"#Patient.contact\""),
                ]
                .join(","),
            )],
            "",
        ),
        ("a deep snapshot", vec![profile(&deep("a"))], ""),
        ("a snapshot of 10,000 elements", vec![profile(&many(10_000))], ""),
        (
            "an element without a path",
            vec![profile(
                "{\"path\":\"\"},{\"id\":\"x\"},{\"path\":\"Patient..a\"},{\"path\":\"Other.a\"}",
            )],
            "",
        ),
        (
            "an extension of itself",
            vec![
                profile(&element(
                    "Patient.extension",
                    ",\"type\":[{\"code\":\"Extension\",\"profile\":[\"http://a.example/e\"]}]",
                )),
                profile_of("http://a.example/e", "http://a.example/e", "")
                    .replace("\"type\":\"Patient\"", "\"type\":\"Extension\""),
            ],
            "",
        ),
        (
            "an invariant that asks for this profile",
            vec![profile(&invariant(&format!("%resource.conformsTo('{URL}')")))],
            "fhir-invariant-not-checked",
        ),
        (
            "an invariant without end",
            vec![profile(&invariant("1.repeat($this + 1).exists()"))],
            "fhir-invariant-not-checked",
        ),
        (
            "an invariant of all with all",
            vec![profile(&invariant(&format!(
                "{0}.select({0}.select({0}.select({0}.select({0}.select({0}.select({0})))))).exists()",
                "(1|2|3|4|5|6|7|8|9|10)"
            )))],
            "fhir-invariant-not-checked",
        ),
        (
            "an invariant that nests",
            vec![profile(&invariant(&"(".repeat(50_000)))],
            "fhir-invariant-unreadable",
        ),
        (
            "an invariant of 4 MiB",
            vec![profile(&invariant(&"true and ".repeat(500_000)))],
            "fhir-invariant-unreadable",
        ),
        (
            "an invariant with a large pattern",
            vec![profile(&invariant("'a'.matches('(a{1000}){1000}{1000}')"))],
            "",
        ),
        (
            "sets in a circle",
            vec![
                bound("http://a.example/set"),
                set("set", "{\"valueSet\":[\"http://a.example/other\"]}"),
                set("other", "{\"valueSet\":[\"http://a.example/set\"]}"),
            ],
            "fhir-not-checked",
        ),
        (
            "a set that imports itself a thousand times",
            vec![
                bound("http://a.example/set"),
                set("set", &vec!["{\"valueSet\":[\"http://a.example/set\"]}"; 1_000].join(",")),
            ],
            "fhir-not-checked",
        ),
        ("sets that multiply", tree(10, 15), "fhir-not-checked"),
        ("sets that multiply a thousandfold", tree(1_000, 3), "fhir-not-checked"),
        (
            "concepts in a circle",
            vec![bound("http://a.example/set"), circle_of_concepts.clone(), filtered("is-a", "c0")],
            "fhir-binding-code",
        ),
        (
            "concepts in a circle, upwards",
            vec![bound("http://a.example/set"), circle_of_concepts, filtered("generalizes", "c0")],
            "fhir-binding-code",
        ),
        (
            "a filter that backtracks elsewhere",
            vec![
                bound("http://a.example/set"),
                concepts(5_000, &|number| format!(",\"display\":\"{}\"", "a".repeat(number % 50))),
                filtered("regex", "(a+)+$|(c+)+x"),
            ],
            "fhir-binding-code",
        ),
        (
            "a filter that is too large",
            vec![
                bound("http://a.example/set"),
                concepts(10, &|_| String::new()),
                filtered("regex", "((a{1000}){1000}){1000}"),
            ],
            "fhir-not-checked",
        ),
        (
            "a hundred thousand concepts",
            vec![
                bound("http://a.example/set"),
                concepts(100_000, &|_| String::new()),
                filtered("is-a", "c0"),
            ],
            "fhir-binding-code",
        ),
        (
            "a supplement of itself",
            vec![
                bound("http://a.example/set"),
                concepts(3, &|_| String::new())
                    .replace("\"status\"", "\"supplements\":\"http://a.example/s\",\"status\""),
                filtered("is-a", "c0"),
            ],
            "",
        ),
        (
            "files that are no definitions",
            vec![
                "[".repeat(1_000_000),
                "{\"a\":".repeat(500_000),
                "\u{0}".repeat(1 << 20),
                profile(""),
            ],
            "",
        ),
        (
            "20,000 files",
            (0..20_000)
                .map(|number| set(&format!("n{number}"), "{\"system\":\"s\"}"))
                .chain([profile("")])
                .collect(),
            "",
        ),
    ];
    for (name, files, code) in cases {
        let checked = bounded(name, || check(&files, PATIENT));
        assert!(checked.is_readable, "{name}");
        let codes: Vec<&str> = checked.reported.iter().map(|item| item.rule.code).collect();
        assert!(code.is_empty() || codes.contains(&code), "{name}: {codes:?}");
    }
}
