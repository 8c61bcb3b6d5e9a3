//! Profiles that apply by themselves: an Observation that says by its code that it is a vital sign must be one.
//!
//! The specification demands it ("If implementations use this Resource when expressing the profile-specific concepts
//! as structured data, they SHALL conform to the following profile", R4 `observation-vitalsigns`); the table of codes is
//! that of the reference engine, which is wider than the profiles' own. Whatever code of the table is used, the code
//! that the profile fixes must be among the codings too.
//!
//! Slices are not compared here. What needs none is: the fixed ("magic") code, the category, that there is a value or a reason
//! for its absence, that it has a time, that a value is a quantity in UCUM's units.

use super::finding::Findings;
use super::rule::bundle as rule;
use super::rule::invariant::BROKEN;
use super::tree::{NodeId, Tree};

/// A profile that applies by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Automatic {
    /// Its canonical URL without the version.
    pub profile: &'static str,
    /// The LOINC code that it demands among the codings; empty if it demands none.
    pub code: &'static str,
    /// The LOINC codes that make it apply.
    loinc: &'static [&'static str],
    /// The SNOMED CT codes that make it apply.
    snomed: &'static [&'static str],
    /// The units that a value may have, as UCUM writes them; none where there is no value.
    units: &'static [&'static str],
}

const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";

/// In the order in which they are tried: the first that fits applies.
const TABLE: &[Automatic] = &[
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/vitalspanel",
        code: "",
        loinc: &["85353-1"],
        snomed: &["46680005"],
        units: &[],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/resprate",
        code: "9279-1",
        loinc: &[
            "9279-1", "76170-0", "76172-6", "76171-8", "19840-8", "33438-3", "76270-8", "11291-2",
        ],
        snomed: &["86290005", "271625008", "271306003"],
        units: &["/min"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/heartrate",
        code: "8867-4",
        loinc: &[
            "60978-4", "73795-7", "73799-9", "76476-1", "76477-9", "8867-4", "8889-8", "8890-6",
            "8891-4", "8892-2", "8893-0", "40443-4", "55425-3", "68999-2", "11328-2", "69000-8",
            "8886-4",
        ],
        snomed: &[
            "271306003",
            "249043002",
            "444981005",
            "399017001",
            "251670001",
            "429525003",
            "429614003",
        ],
        units: &["/min"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/oxygensat",
        code: "2708-6",
        loinc: &[
            "2708-6", "19224-5", "20564-1", "2709-4", "2710-2", "2713-6", "51733-4", "59408-5",
            "59417-6", "89276-0", "97549-0",
        ],
        snomed: &["442476006", "431314004"],
        units: &["%"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/bodytemp",
        code: "8310-5",
        loinc: &[
            "8310-5", "60834-9", "60835-6", "60836-4", "60838-0", "60955-2", "61009-7", "75539-7",
            "75987-8", "76010-8", "76011-6", "76278-1", "8309-7", "8328-7", "8329-5", "8330-3",
            "8331-1", "8332-9", "8333-7", "8334-5", "91371-5", "98657-0", "98663-8",
        ],
        snomed: &[
            "386725007",
            "276885007",
            "300076005",
            "1222808002",
            "364246006",
            "307047009",
            "708499008",
            "431598003",
            "698831002",
            "698832009",
            "415882003",
            "415974002",
            "415929009",
            "415945006",
        ],
        units: &["Cel", "[degF]"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/bodyheight",
        code: "8302-2",
        loinc: &["8302-2", "3137-7", "3138-5", "8306-3", "8308-9"],
        snomed: &[
            "1153637007",
            "1162419008",
            "50373000",
            "1162418000",
            "1230278008",
            "1162392001",
            "1162417005",
        ],
        units: &["cm", "[in_i]"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/headcircum",
        code: "9843-4",
        loinc: &["9843-4", "8287-5"],
        snomed: &["363812007", "169876006", "1269262007", "363811000"],
        units: &["cm", "[in_i]"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/bodyweight",
        code: "29463-7",
        loinc: &["29463-7", "3141-9", "3142-7", "75292-3", "79348-9", "8350-1", "8351-9"],
        snomed: &["735395000", "425024002", "424927000", "784399000", "1162416001", "1162415002"],
        units: &["g", "kg", "[lb_av]"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/bmi",
        code: "39156-5",
        loinc: &["39156-5", "89270-3"],
        snomed: &["60621009"],
        units: &["kg/m2"],
    },
    Automatic {
        profile: "http://hl7.org/fhir/StructureDefinition/bp",
        code: "85354-9",
        loinc: &["85354-9", "35094-2", "8459-0", "76534-7", "55284-4", "8480-6"],
        snomed: &[
            "251076008",
            "163033001",
            "163035008",
            "386534000",
            "386536003",
            "271649006",
            "271650006",
            "407556006",
            "407554009",
            "716579001",
            "399304008",
        ],
        units: &[],
    },
];

/// The profile that applies to a resource by itself, if one does.
pub fn profile(tree: &Tree<'_>, resource: NodeId) -> Option<&'static Automatic> {
    if tree.resource_type(resource) != Some("Observation") {
        return None;
    }
    let code = tree.child(resource, "code")?;
    let with = |system: &str, choose: fn(&Automatic) -> &'static [&'static str]| {
        TABLE.iter().find(|row| {
            codings(tree, code)
                .any(|(of, code)| of == Some(system) && choose(row).contains(&code.unwrap_or("")))
        })
    };
    with(LOINC, |row| row.loinc).or_else(|| with(SNOMED, |row| row.snomed))
}

/// The codings of a CodeableConcept: system and code.
fn codings<'t>(
    tree: &'t Tree<'_>,
    concept: NodeId,
) -> impl Iterator<Item = (Option<&'t str>, Option<&'t str>)> {
    tree.children_named(concept, "coding")
        .map(|coding| (tree.child_text(coding, "system"), tree.child_text(coding, "code")))
}

fn has_code(tree: &Tree<'_>, concept: NodeId, code: &str) -> bool {
    codings(tree, concept).any(|coding| coding == (Some(LOINC), Some(code)))
}

/// Whether there is an element of one of these names, whichever type a choice has.
fn has(tree: &Tree<'_>, of: NodeId, names: &[&str]) -> bool {
    tree.children(of).any(|child| {
        let name = tree.name(child);
        names.iter().any(|wanted| match wanted.strip_suffix("[x]") {
            Some(stem) => name
                .strip_prefix(stem)
                .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase())),
            None => name == *wanted,
        })
    })
}

/// Checks of an automatic profile what needs no slices.
pub fn check(tree: &Tree<'_>, resource: NodeId, findings: &mut Findings) {
    let Some(automatic) = profile(tree, resource) else { return };
    let code = tree.child(resource, "code").unwrap_or(resource);
    if !automatic.code.is_empty() && !has_code(tree, code, automatic.code) {
        findings
            .add(&rule::VITAL_SIGN_CODE, code, rule::VITAL_SIGN_CODE.title)
            .allowed(automatic.code)
            .profile(automatic.profile);
    }
    let is_vital_sign = tree.children_named(resource, "category").any(|category| {
        codings(tree, category).any(|coding| {
            coding
                == (
                    Some("http://terminology.hl7.org/CodeSystem/observation-category"),
                    Some("vital-signs"),
                )
        })
    });
    if !is_vital_sign {
        findings
            .add(&rule::VITAL_SIGN_CATEGORY, resource, rule::VITAL_SIGN_CATEGORY.title)
            .member("category")
            .allowed("vital-signs")
            .profile(automatic.profile);
    }
    let is_panel = automatic.profile.ends_with("vitalspanel");
    let is_pressure = automatic.profile.ends_with("/bp");
    let mut missing = |at: NodeId, names: &[&str], member: &'static str| {
        if !has(tree, at, names) {
            findings
                .add(&rule::VITAL_SIGN_MEMBER, at, rule::VITAL_SIGN_MEMBER.title)
                .member(member)
                .profile(automatic.profile);
        }
    };
    missing(resource, &["subject"], "subject");
    missing(resource, &["effectiveDateTime", "effectivePeriod"], "effective[x]");
    if is_panel {
        missing(resource, &["hasMember"], "hasMember");
    }
    if !has(tree, resource, &["component", "hasMember", "dataAbsentReason", "value[x]"]) {
        invariant(resource, "vs-2", automatic, findings);
    }
    for component in tree.children_named(resource, "component") {
        if !has(tree, component, &["value[x]", "dataAbsentReason"]) {
            invariant(component, "vs-3", automatic, findings);
        }
    }
    if let Some(time) = tree.child(resource, "effectiveDateTime")
        && tree.text(time).is_some_and(|time| time.len() < 8)
    {
        invariant(time, "vs-1", automatic, findings);
    }
    if is_pressure {
        pressure(tree, resource, automatic, findings);
    }
    quantity(tree, resource, automatic, findings);
}

/// Tells it in the words of the invariant's own round: a document that claims the profile, too, is told once.
fn invariant(node: NodeId, key: &'static str, automatic: &Automatic, findings: &mut Findings) {
    let text = match key {
        "vs-1" => {
            "vs-1: if Observation.effective[x] is dateTime and has a value then that value shall be precise to the day"
        }
        "vs-2" => {
            "vs-2: If there is no component or hasMember element then either a value[x] or a data absent reason must be \
             present."
        }
        _ => "vs-3: If there is no a value a data absent reason must be present",
    };
    findings.add(&BROKEN, node, text).key(key).profile(automatic.profile);
}

/// A blood pressure has a systolic and a diastolic component, and no value of its own.
fn pressure(tree: &Tree<'_>, resource: NodeId, automatic: &Automatic, findings: &mut Findings) {
    if tree.children_named(resource, "component").count() < 2 {
        findings
            .add(&rule::VITAL_SIGN_COMPONENT, resource, rule::VITAL_SIGN_COMPONENT.title)
            .member("component")
            .profile(automatic.profile);
    }
    let parts = [
        ("8480-6", "a blood pressure does not have one systolic component"),
        ("8462-4", "a blood pressure does not have one diastolic component"),
    ];
    for (code, text) in parts {
        let parts = tree
            .children_named(resource, "component")
            .filter_map(|component| tree.child(component, "code"))
            .filter(|concept| has_code(tree, *concept, code))
            .count();
        if parts != 1 {
            findings
                .add(&rule::VITAL_SIGN_COMPONENT, resource, text)
                .member("component")
                .allowed(code)
                .profile(automatic.profile);
        }
    }
    if let Some(value) = tree.child(resource, "valueQuantity") {
        findings
            .add(&rule::VITAL_SIGN_VALUE, value, rule::VITAL_SIGN_VALUE.title)
            .profile(automatic.profile);
    }
}

/// A value has a number and a unit, of the units that the profile has.
fn quantity(tree: &Tree<'_>, resource: NodeId, automatic: &Automatic, findings: &mut Findings) {
    if automatic.units.is_empty() {
        return;
    }
    let Some(value) = tree.child(resource, "valueQuantity") else { return };
    for name in ["value", "unit", "system", "code"] {
        if tree.child(value, name).is_none() {
            findings
                .add(&rule::VITAL_SIGN_MEMBER, value, rule::VITAL_SIGN_MEMBER.title)
                .member(name)
                .profile(automatic.profile);
        }
    }
    if let Some(system) = tree.child(value, "system")
        && tree.text(system).is_some_and(|system| system != "http://unitsofmeasure.org")
    {
        findings
            .add(&rule::VITAL_SIGN_UNIT, system, rule::VITAL_SIGN_UNIT.title)
            .allowed("http://unitsofmeasure.org")
            .with_value()
            .profile(automatic.profile);
    }
    if let Some(unit) = tree.child(value, "code")
        && tree.text(unit).is_some_and(|unit| !automatic.units.contains(&unit))
    {
        findings
            .add(&rule::VITAL_SIGN_UNIT, unit, rule::VITAL_SIGN_UNIT.title)
            .allowed(automatic.units.join(", "))
            .with_value()
            .profile(automatic.profile);
    }
}
