//! Rules of structure: which elements there may be, how often and of which type, and extensions.

use super::{IssueType, Rule};
use crate::issue::Severity;

/// All of this file.
pub const ALL: &[&Rule] = &[
    &DEPTH,
    &RESOURCE_TYPE_MISSING,
    &RESOURCE_TYPE_UNKNOWN,
    &ELEMENT_UNKNOWN,
    &MINIMUM,
    &MAXIMUM,
    &CHOICE_MULTIPLE,
    &CHOICE_TYPE,
    &ORDER,
    &ARRAY_EXPECTED,
    &ARRAY_UNEXPECTED,
    &ARRAY_EMPTY,
    &ARRAY_NESTED,
    &OBJECT_EMPTY,
    &OBJECT_EXPECTED,
    &VALUE_EXPECTED,
    &FIXED,
    &PATTERN,
    &LENGTH,
    &LEAST,
    &GREATEST,
    &EXTENSION_URL,
    &EXTENSION_UNKNOWN,
    &EXTENSION_PART_UNKNOWN,
    &EXTENSION_MODIFIER,
    &EXTENSION_TYPE,
    &EXTENSION_CONTEXT,
    &CONTAINED_ID,
    &PROFILE_UNKNOWN,
    &PROFILE_TYPE,
    &PROFILE_UNCHECKED,
    &SLICING_UNCHECKED,
];

/// Whether a rule is about what can't be read, which the HL7 engine finds before it looks at any definition's demands.
pub fn is_of_reading(rule: &Rule) -> bool {
    let reading: [&Rule; 3] = [&ELEMENT_UNKNOWN, &OBJECT_EMPTY, &super::form::ATTRIBUTE];
    rule.code.starts_with("fhir-json-") || reading.iter().any(|of| std::ptr::eq(*of, rule))
}

macro_rules! rules {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $severity:ident, $kind:ident, $title:literal, $specification:literal, $explanation:literal;)*) => {
        $($(#[$meta])* pub static $name: Rule = Rule {
            code: $code,
            severity: Severity::$severity,
            kind: IssueType::$kind,
            title: $title,
            explanation: $explanation,
            specification: $specification,
        };)*
    };
}

rules! {
    /// Elements that lie deeper than is looked at.
    DEPTH = "fhir-depth", Error, TooCostly,
        "elements lie too deep to be checked",
        "https://hl7.org/fhir/R4/json.html",
        "Nothing below this element was checked. No document of practice nests its elements so deep.";
    /// An object that should be a resource has no `resourceType`.
    RESOURCE_TYPE_MISSING = "fhir-resource-type-missing", Error, Invalid,
        "a resource does not say of which type it is",
        "https://hl7.org/fhir/R4/json.html#resources",
        "In JSON, every resource has a property resourceType; in XML, its element's name is the type. Without it nothing \
         can be read. Add it.";
    /// A `resourceType` that the release does not have.
    RESOURCE_TYPE_UNKNOWN = "fhir-resource-type-unknown", Error, Structure,
        "the release has no resource of this type",
        "https://hl7.org/fhir/R4/resourcelist.html",
        "The name is misspelt (types are written as in Patient, upper and lower case count), is that of a datatype or of an \
         abstract type, or belongs to another release of FHIR: choose the release with --release.";
    /// An element that the definition does not have.
    ELEMENT_UNKNOWN = "fhir-element-unknown", Error, Structure,
        "an element here is not known to its definition",
        "https://hl7.org/fhir/R4/validation.html",
        "The name is misspelt, belongs to another place or to another release, or is a choice with a type that is not allowed \
         (valueInteger where value[x] allows no integer). Content of one's own belongs into extensions.";
    /// Less than must be.
    MINIMUM = "fhir-cardinality-minimum", Error, Structure,
        "an element that must be there is missing",
        "https://hl7.org/fhir/R4/conformance-rules.html#cardinality",
        "The definition says how often an element has to be there at least. Where the value is not known, FHIR has the \
         extension data-absent-reason for it, or a code that says so.";
    /// More than may be.
    MAXIMUM = "fhir-cardinality-maximum", Error, Structure,
        "an element is there more often than it may be",
        "https://hl7.org/fhir/R4/conformance-rules.html#cardinality",
        "The definition (or the profile) says how often an element may be there at most; 0 means that it is not allowed.";
    /// Two types of one choice.
    CHOICE_MULTIPLE = "fhir-choice-multiple", Error, Structure,
        "a choice of types is made twice",
        "https://hl7.org/fhir/R4/formats.html#choice",
        "Of value[x] there may be one: valueString or valueQuantity, not both. Keep the one that is meant.";
    /// A choice with a type that the profile or extension does not allow.
    CHOICE_TYPE = "fhir-choice-type", Error, Structure,
        "a choice has a type that the profile does not allow",
        "https://hl7.org/fhir/R4/profiling.html",
        "The profile leaves fewer types to choose from than the base definition. Use one of those that it names.";
    /// XML elements in another order than the definition's.
    ORDER = "fhir-xml-order", Error, Invalid,
        "elements are not in the order of their definition",
        "https://hl7.org/fhir/R4/xml.html",
        "In XML, elements must stand in the order in which the definition has them, those of the base type first. JSON has no order.";
    /// A single value where JSON wants an array.
    ARRAY_EXPECTED = "fhir-json-array-expected", Error, Invalid,
        "an element that may repeat is written as an array",
        "https://hl7.org/fhir/R4/json.html",
        "Whether JSON has an array depends on the definition alone, not on how many there are. Write [ ... ] around the value.";
    /// An array where the definition has one value.
    ARRAY_UNEXPECTED = "fhir-json-array-unexpected", Error, Invalid,
        "an element that may not repeat is written as an array",
        "https://hl7.org/fhir/R4/json.html",
        "Whether JSON has an array depends on the definition alone. Write the value without [ ].";
    /// `[]`
    ARRAY_EMPTY = "fhir-json-array-empty", Error, Invalid,
        "an array can't be empty",
        "https://hl7.org/fhir/R4/json.html",
        "What is not there is left out: FHIR knows no empty arrays.";
    /// An array in an array.
    ARRAY_NESTED = "fhir-json-array-nested", Error, Invalid,
        "an array can't stand in an array",
        "https://hl7.org/fhir/R4/json.html",
        "Elements repeat in one array, there is no other level.";
    /// `{}`
    OBJECT_EMPTY = "fhir-element-empty", Error, Invalid,
        "an element must have some content",
        "https://hl7.org/fhir/R4/json.html",
        "What is not there is left out: FHIR knows no empty objects and elements.";
    /// A value where an object is expected.
    OBJECT_EXPECTED = "fhir-json-object-expected", Error, Invalid,
        "an element with children is written as an object",
        "https://hl7.org/fhir/R4/json.html",
        "The type of this element has children, so its value can't stand here itself: { ... } is needed.";
    /// An object where a value is expected.
    VALUE_EXPECTED = "fhir-json-value-expected", Error, Invalid,
        "a primitive element is a plain value",
        "https://hl7.org/fhir/R4/json.html#primitive",
        "The type of this element is primitive: a string, number or boolean. Its id and extensions stand in a second member, \
         whose name begins with an underscore.";
    /// Not the fixed value.
    FIXED = "fhir-fixed-value", Error, Value,
        "a value is not the one that the definition fixes",
        "https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_",
        "The profile allows exactly one value here, nothing more and nothing less.";
    /// Not what the pattern demands.
    PATTERN = "fhir-pattern-value", Error, Value,
        "a value lacks something that the definition's pattern has",
        "https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_",
        "Everything that the pattern has must be in the value too; more may be there.";
    /// Longer than allowed.
    LENGTH = "fhir-length-maximum", Error, Invalid,
        "a text is longer than it may be",
        "https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.maxLength",
        "The definition gives the greatest length, in characters.";
    /// Less than the least value.
    LEAST = "fhir-value-minimum", Error, Invalid,
        "a value is less than it may be",
        "https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_",
        "The definition gives the least value that is allowed.";
    /// More than the greatest value.
    GREATEST = "fhir-value-maximum", Error, Invalid,
        "a value is greater than it may be",
        "https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.maxValue_x_",
        "The definition gives the greatest value that is allowed.";
    /// An extension whose URL is not absolute, or is missing.
    EXTENSION_URL = "fhir-extension-url", Error, Invalid,
        "an extension is named by an absolute URL",
        "https://hl7.org/fhir/R4/extensibility.html#Extension",
        "The URL is the canonical of the extension's definition. Only the parts of a complex extension have short names, within it.";
    /// An extension that no definition at hand has.
    EXTENSION_UNKNOWN = "fhir-extension-unknown", Error, Structure,
        "no definition of this extension is at hand",
        "https://hl7.org/fhir/R4/extensibility.html",
        "Without its definition nobody can check it. Load the package that has it with --package, or allow its domain. URLs \
         under http://hl7.org/fhir/StructureDefinition/ are HL7's: an unknown one is misspelt, or of another release.";
    /// A part that a complex extension does not define.
    EXTENSION_PART_UNKNOWN = "fhir-extension-part-unknown", Error, Invalid,
        "a complex extension has no such part",
        "https://hl7.org/fhir/R4/extensibility.html",
        "Within a complex extension, url is the name of one of the parts that its definition has.";
    /// `extension` instead of `modifierExtension`, or the other way round.
    EXTENSION_MODIFIER = "fhir-extension-modifier", Error, Structure,
        "an extension that modifies stands in modifierExtension, and no other",
        "https://hl7.org/fhir/R4/extensibility.html#modifierExtension",
        "Whoever does not know a modifier extension must not use the data. So its definition says whether it is one, and it stands in \
         modifierExtension exactly then.";
    /// An extension's value of a type that it does not allow.
    EXTENSION_TYPE = "fhir-extension-type", Error, Structure,
        "an extension's value has a type that its definition does not allow",
        "https://hl7.org/fhir/R4/extensibility.html",
        "The definition of the extension names the types that its value may have.";
    /// An extension where it may not stand.
    EXTENSION_CONTEXT = "fhir-extension-context", Error, Structure,
        "an extension stands where its definition does not allow it",
        "https://hl7.org/fhir/R4/defining-extensions.html#context",
        "The definition of the extension says in which elements, types or extensions it may stand.";
    /// A contained resource without id.
    CONTAINED_ID = "fhir-contained-id", Error, Invalid,
        "a contained resource has an id",
        "https://hl7.org/fhir/R4/references.html#contained",
        "It exists only by the reference to it, and that is '#' and its id.";
    /// A profile that is not at hand.
    PROFILE_UNKNOWN = "fhir-profile-unknown", Warning, Structure,
        "a profile that the document claims, or that was asked for, is not at hand",
        "https://hl7.org/fhir/R4/resource.html#Meta",
        "Nothing of it was checked. Load the package that has it with --package.";
    /// A profile of another type.
    PROFILE_TYPE = "fhir-profile-type", Error, Invalid,
        "a profile is for another type of resource",
        "https://hl7.org/fhir/R4/profiling.html",
        "A profile constrains one type (StructureDefinition.type); no other resource can meet it.";
    /// A profile without snapshot.
    PROFILE_UNCHECKED = "fhir-profile-not-checked", Information, NotSupported,
        "a profile has no snapshot, so it was not checked",
        "https://hl7.org/fhir/R4/profiling.html#snapshot",
        "Only what the profile changes (its differential) is in its definition. A package that was published with snapshots helps.";
    /// Slices that were not checked.
    SLICING_UNCHECKED = "fhir-slicing-not-checked", Information, NotSupported,
        "the slices of a profile were not checked",
        "https://hl7.org/fhir/R4/profiling.html#slicing",
        "All else that the profile demands was checked. Slices of extensions by their URL, and of choices by their type, are checked too.";
}
