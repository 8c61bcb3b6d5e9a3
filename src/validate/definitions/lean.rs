//! The lean form of a definition: what a validator reads, in FHIR's own shape, and nothing else.
//!
//! Nine tenths of a definition are words for people: narrative, explanations, examples, mappings to other standards,
//! and the differential, whose content the snapshot has. A validator that holds none of them fits in a binary, starts
//! in milliseconds, and needs no other shape for it: members that stay keep their names and meaning. Two are told by
//! their absence: `isModifier` stands only where it is true, and a concept's property `status` only where it is not
//! `active`. It refuses nothing; what is no definition has no lean form.
//!
//! SNOMED CT, LOINC, RxNorm, CPT and ICD have licences of their own: of them the codes stay that FHIR's value sets list,
//! and no display.

use std::borrow::Cow;

use super::ResourceType;
use crate::json::{Limits, Object, Value};

/// How large a definition may be. The largest that HL7 publishes has a tenth of it.
pub(super) const LIMITS: Limits = Limits { bytes: 64 << 20, depth: 64, nodes: 2_000_000 };

/// What stays beyond what a snapshot's user needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// What is shipped: snapshots only.
    Snapshot,
    /// The differential, too, for profiles whose snapshot is yet to be made or is not trusted.
    Differential,
}

const STRUCTURE: &[&str] = &[
    "resourceType",
    "url",
    "version",
    "name",
    "status",
    "experimental",
    "extension",
    "fhirVersion",
    "kind",
    "abstract",
    "context",
    "contextInvariant",
    "type",
    "baseDefinition",
    "derivation",
    "snapshot",
    "differential",
];
const ELEMENT: &[&str] = &[
    "id",
    "extension",
    "path",
    "representation",
    "sliceName",
    "sliceIsConstraining",
    "slicing",
    "min",
    "max",
    "base",
    "contentReference",
    "type",
    "maxLength",
    "constraint",
    "mustHaveValue",
    "valueAlternatives",
    "isModifier",
    "binding",
];
const CODE_SYSTEM: &[&str] = &[
    "resourceType",
    "url",
    "version",
    "name",
    "status",
    "experimental",
    "extension",
    "language",
    "caseSensitive",
    "valueSet",
    "hierarchyMeaning",
    "compositional",
    "versionNeeded",
    "content",
    "supplements",
    "filter",
    "property",
    "concept",
];
const CONCEPT: &[&str] = &["extension", "code", "display", "designation", "property", "concept"];
const VALUE_SET: &[&str] = &[
    "resourceType",
    "url",
    "version",
    "name",
    "status",
    "experimental",
    "extension",
    "language",
    "compose",
    "expansion",
];
const SEARCH_PARAMETER: &[&str] = &[
    "resourceType",
    "url",
    "version",
    "code",
    "base",
    "type",
    "expression",
    "target",
    "component",
];

/// The properties of concepts that filters and verdicts ask for.
const PROPERTIES: &[&str] = &[
    "status",
    "inactive",
    "notSelectable",
    "abstract",
    "deprecated",
    "retired",
    "parent",
    "child",
    "subsumedBy",
    "partOf",
    "kind",
    "abstract-type",
    "interface",
    "acme-plasma",
];

/// Extensions that no verdict hangs on, by what follows `http://hl7.org/fhir/StructureDefinition/`.
const WORDS_ONLY: &[&str] = &[
    "codesystem-concept-comments",
    "codesystem-history",
    "codesystem-keyWord",
    "codesystem-label",
    "codesystem-replacedby",
    "codesystem-use-markdown",
    "cqf-knowledgeCapability",
    "cqf-knowledgeRepresentationLevel",
    "elementdefinition-bestpractice-explanation",
    "elementdefinition-bindingName",
    "elementdefinition-equivalence",
    "elementdefinition-isCommonBinding",
    "elementdefinition-translatable",
    "structuredefinition-ballot-status",
    "structuredefinition-category",
    "structuredefinition-display-hint",
    "structuredefinition-explicit-type-name",
    "structuredefinition-fmm",
    "structuredefinition-fmm-no-warnings",
    "structuredefinition-hierarchy",
    "structuredefinition-normative-version",
    "structuredefinition-security-category",
    "structuredefinition-summary",
    "structuredefinition-table-name",
    "structuredefinition-template-status",
    "structuredefinition-wg",
    "structuredefinition-xml-no-order",
    "valueset-concept-comments",
    "valueset-concept-definition",
    "valueset-concept-order",
    "valueset-expand-group",
    "valueset-expand-rules",
    "valueset-extensible",
    "valueset-map",
    "valueset-special-status",
    "valueset-steward",
    "valueset-systemName",
    "valueset-warning",
];

/// The code systems whose displays are not ours to hand on: the beginnings of their URLs.
const LICENSED: &[&str] = &[
    "http://snomed.info",
    "http://loinc.org",
    "http://www.nlm.nih.gov/research/umls/",
    "http://www.ama-assn.org/",
    "http://hl7.org/fhir/sid/icd",
    "http://hl7.org/fhir/sid/cpt",
    "http://www.icd10data.com",
    "http://id.who.int",
    "http://www.whocc.no/",
    "urn:oid:2.16.840.1.113883.6.96",
    "urn:oid:2.16.840.1.113883.6.1",
];

/// The lean form of a definition; nothing for any other resource.
pub fn lean(mut definition: Value, keep: Keep) -> Option<Value> {
    let of = ResourceType::of(&definition)?;
    let object = definition.as_object_mut()?;
    match of {
        ResourceType::StructureDefinition => {
            object.retain(|name, value| stays(STRUCTURE, name) && worth(name, value));
            for list in ["snapshot", "differential"] {
                let elements = object.get_mut(list).and_then(Value::as_object_mut);
                if let Some(elements) = elements {
                    elements.retain(|name, _| name == "element");
                    each(elements, "element", element);
                }
            }
            if keep == Keep::Snapshot {
                object.remove("differential");
            }
            each(object, "context", |context| retain(context, &["type", "expression"]));
        }
        ResourceType::CodeSystem => {
            object.retain(|name, value| stays(CODE_SYSTEM, name) && worth(name, value));
            each(object, "filter", |filter| retain(filter, &["code", "operator", "value"]));
            each(object, "property", |property| retain(property, &["code", "uri", "type"]));
            let licensed = is_licensed(object.get("url"));
            // What is shipped has the properties that its own value sets ask for; a package's may ask for any.
            let all = keep == Keep::Differential;
            drop_unless(object, "property", |property| all || has_code_of(property, PROPERTIES));
            each(object, "concept", |inner| concept(inner, licensed, all));
        }
        ResourceType::ValueSet => {
            object.retain(|name, value| stays(VALUE_SET, name) && worth(name, value));
            if let Some(compose) = object.get_mut("compose").and_then(Value::as_object_mut) {
                compose.retain(|name, _| {
                    ["lockedDate", "inactive", "include", "exclude"].contains(&name)
                });
                each(compose, "include", include);
                each(compose, "exclude", include);
                // What an expansion holds is what its compose says, at some other time; but where a package's compose
                // can't be worked out, the expansion is all there is.
                if keep == Keep::Snapshot {
                    object.remove("expansion");
                }
            }
            if let Some(expansion) = object.get_mut("expansion").and_then(Value::as_object_mut) {
                expansion.retain(|name, _| {
                    ["extension", "total", "offset", "parameter", "contains"].contains(&name)
                });
            }
        }
        ResourceType::SearchParameter => {
            object.retain(|name, _| stays(SEARCH_PARAMETER, name));
            each(object, "component", |component| retain(component, &["definition", "expression"]));
        }
    }
    Some(definition)
}

/// Whether a member stays: one that is named, or the other half of a primitive that is.
fn stays(names: &[&str], name: &str) -> bool {
    names.contains(&name.strip_prefix('_').unwrap_or(name))
}

fn retain(object: &mut Object, names: &[&str]) {
    object.retain(|name, value| stays(names, name) && worth(name, value));
}

fn each(object: &mut Object, list: &str, mut lean: impl FnMut(&mut Object)) {
    if let Some(Value::Array(items)) = object.get_mut(list) {
        items.iter_mut().filter_map(Value::as_object_mut).for_each(&mut lean);
    }
}

fn drop_unless(object: &mut Object, list: &str, keep: impl Fn(&Value) -> bool) {
    if let Some(Value::Array(items)) = object.get_mut(list) {
        items.retain(keep);
        if items.is_empty() {
            object.remove(list);
        }
    }
}

/// Whether anything is left of a member: of extensions those go that are for people.
fn worth(name: &str, value: &mut Value) -> bool {
    if name == "extension" {
        if let Value::Array(extensions) = value {
            extensions.retain(matters);
            return !extensions.is_empty();
        }
    } else if name.starts_with('_') {
        return half(value);
    }
    true
}

/// Whether anything is left of the other half of a primitive, or of a list of such.
fn half(value: &mut Value) -> bool {
    match value {
        Value::Object(object) => {
            object.retain(|name, value| name == "extension" && worth(name, value));
            !object.is_empty()
        }
        Value::Array(items) => {
            let mut any = false;
            for item in items {
                if half(item) {
                    any = true;
                } else {
                    *item = Value::Null;
                }
            }
            any
        }
        _ => false,
    }
}

fn matters(extension: &Value) -> bool {
    let url = extension.text("url").unwrap_or_default();
    if url.starts_with("http://hl7.org/fhir/build/")
        || url.ends_with("/tools/StructureDefinition/binding-definition")
        || url.ends_with("/tools/StructureDefinition/no-binding")
        || url.ends_with("/tools/StructureDefinition/profile-summary")
        || url.ends_with("/tools/StructureDefinition/summary")
        || url.ends_with("/StructureDefinition/ext-mif-assocConceptProp")
    {
        return false;
    }
    let Some(name) = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/") else {
        return true;
    };
    if name == "structuredefinition-standards-status" {
        return !matches!(extension.text("valueCode"), Some("trial-use" | "normative"));
    }
    !WORDS_ONLY.contains(&name)
}

fn element(element: &mut Object) {
    element.retain(|name, value| match name {
        "isModifier" => value.as_bool() == Some(true),
        _ => (stays(ELEMENT, name) || is_value(name)) && worth(name, value),
    });
    if let Some(slicing) = element.get_mut("slicing").and_then(Value::as_object_mut) {
        retain(slicing, &["discriminator", "ordered", "rules"]);
    }
    each(element, "type", |of| {
        retain(of, &["extension", "code", "profile", "targetProfile", "aggregation", "versioning"]);
    });
    each(element, "type", |of| each(of, "extension", fhir_type));
    each(element, "constraint", |constraint| {
        retain(
            constraint,
            &["extension", "key", "severity", "suppress", "human", "expression", "source"],
        );
    });
    if let Some(binding) = element.get_mut("binding").and_then(Value::as_object_mut) {
        retain(binding, &["extension", "strength", "valueSet", "additional"]);
        each(binding, "additional", |additional| {
            retain(additional, &["extension", "purpose", "valueSet", "usage", "any"]);
        });
    }
}

/// What `id` and other values of a primitive really are. Files of one release have it as a uri and as a url; it is a url.
fn fhir_type(extension: &mut Object) {
    let is_fhir_type = extension.get("url").and_then(Value::as_str).is_some_and(|url| {
        url == "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
    });
    if is_fhir_type && let Some(value) = extension.remove("valueUri") {
        extension.insert("valueUrl", value);
    }
}

/// `fixed[x]`, `pattern[x]`, `minValue[x]`, `maxValue[x]`, and their other halves.
fn is_value(name: &str) -> bool {
    let name = name.strip_prefix('_').unwrap_or(name);
    ["fixed", "pattern", "minValue", "maxValue"].iter().any(|stem| name.starts_with(stem))
}

fn concept(inner: &mut Object, licensed: bool, all: bool) {
    inner.retain(|name, value| stays(CONCEPT, name) && worth(name, value));
    drop_displays(inner, licensed);
    drop_unless(inner, "property", |property| {
        let is_active = property.text("code") == Some("status")
            && matches!(
                property.text("valueCode").or_else(|| property.text("valueString")),
                Some("active" | "Active" | "A")
            );
        (all || has_code_of(property, PROPERTIES)) && !is_active
    });
    each(inner, "property", |property| {
        property.retain(|name, _| name != "extension" && name != "id");
    });
    each(inner, "concept", |inner| concept(inner, licensed, all));
}

fn has_code_of(property: &Value, codes: &[&str]) -> bool {
    property.text("code").is_some_and(|code| codes.contains(&code))
}

fn is_licensed(url: Option<&Value>) -> bool {
    let url = url.and_then(Value::as_str).map_or(Cow::Borrowed(""), Cow::Borrowed);
    LICENSED.iter().any(|start| url.starts_with(start))
}

fn drop_displays(concept: &mut Object, licensed: bool) {
    if licensed {
        concept.retain(|name, _| !["display", "_display", "designation"].contains(&name));
    }
    each(concept, "designation", |designation| {
        retain(designation, &["language", "use", "value"]);
    });
}

fn include(include: &mut Object) {
    retain(include, &["extension", "system", "version", "concept", "filter", "valueSet"]);
    let licensed = is_licensed(include.get("system"));
    each(include, "concept", |listed| {
        retain(listed, &["extension", "code", "display", "designation"]);
        drop_displays(listed, licensed);
    });
    each(include, "filter", |filter| retain(filter, &["property", "op", "value"]));
}
