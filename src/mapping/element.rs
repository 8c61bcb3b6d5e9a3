//! FHIR datatypes as the mapping writes and reads them.

use crate::ipt::person::{Name, Telecom};
use crate::ipt::plan::Coding;
use crate::ipt::{Identifier, person};
use crate::json::{IntoMember, Number, Object, Value};
use crate::mapping::code::{self, system};
use crate::mapping::identity::{ITEM_SYSTEM, PLAN_ITEM_SYSTEM, REVISION_SYSTEM};
use crate::object;

/// Where our extensions live.
const OWN_EXTENSIONS: &str = "https://ipt-fhir.org/fhir/StructureDefinition/";

/// The URL of an extension of ours.
pub(super) fn own_extension(name: &str) -> String {
    format!("{OWN_EXTENSIONS}{name}")
}

/// An extension with a value; nothing where there is no value.
pub(super) fn extension(url: &str, kind: &'static str, value: impl IntoMember) -> Option<Object> {
    let value = value.into_member()?;
    let mut object = object! { "url" => url };
    object.insert(kind, value);
    Some(object)
}

/// The extensions of a URL.
pub(super) fn extensions<'a>(element: &'a Value, url: &'a str) -> impl Iterator<Item = &'a Value> {
    element.items("extension").filter(move |extension| extension.text("url") == Some(url))
}

/// The value of a sub-extension: `valueId` of the one whose url is `key`.
pub(super) fn sub_values<'a>(
    extension: &'a Value,
    url: &'a str,
    kind: &'a str,
) -> impl Iterator<Item = &'a Value> {
    extensions(extension, url).filter_map(move |sub| sub.get(kind))
}

/// The first value of a sub-extension.
pub(super) fn sub_value<'a>(
    extension: &'a Value,
    url: &'a str,
    kind: &'a str,
) -> Option<&'a Value> {
    sub_values(extension, url, kind).next()
}

/// An annotation with our note type.
pub(super) fn typed_note(kind: code::Concept, text: &str) -> Object {
    let note_type =
        extension(&own_extension("ipt-note-type"), "valueCodeableConcept", kind.concept());
    object! { "extension" => vec![note_type], "text" => text }
}

/// The annotations of a note type, or those without any.
pub(super) fn notes<'a>(
    notes: impl Iterator<Item = &'a Value>,
    kind: Option<code::Concept>,
) -> impl Iterator<Item = &'a Value> {
    let url = own_extension("ipt-note-type");
    notes.filter(move |note| {
        let found = sub_value(note, &url, "valueCodeableConcept")
            .and_then(|concept| code::code_in(concept, system::CONCEPT));
        found == kind.map(|kind| kind.code)
    })
}

/// A quantity in UCUM.
pub(super) fn ucum(value: &Number, code: &str, unit: Option<&str>) -> Object {
    object! {
        "value" => value,
        "unit" => unit,
        "system" => system::UCUM,
        "code" => code,
    }
}

/// A HumanName.
pub(super) fn human_name(name: &Name) -> Object {
    object! {
        "text" => &name.text,
        "family" => name.family.as_ref(),
        "given" => name.given.clone(),
        "prefix" => name.prefix.clone(),
        "suffix" => name.suffix.clone(),
    }
}

/// The way back from a HumanName.
pub(super) fn read_name(name: &Value) -> Option<Name> {
    Some(Name {
        text: name.text("text")?.to_owned(),
        family: text(name, "family"),
        given: texts(name, "given"),
        prefix: texts(name, "prefix"),
        suffix: texts(name, "suffix"),
    })
}

/// ContactPoints.
pub(super) fn contact_points(telecom: &[Telecom]) -> Vec<Object> {
    telecom
        .iter()
        .map(|contact| {
            object! {
                "system" => contact.system.code(),
                "value" => &contact.value,
                "use" => contact.purpose.map(person::TelecomUse::code),
            }
        })
        .collect()
}

/// The way back from ContactPoints; what has no system or value of ours is left.
pub(super) fn read_contact_points(element: &Value) -> Vec<Telecom> {
    element
        .items("telecom")
        .filter_map(|contact| {
            Some(Telecom {
                system: person::TelecomSystem::from_code(contact.text("system")?)?,
                value: text(contact, "value")?,
                purpose: contact.text("use").and_then(person::TelecomUse::from_code),
            })
        })
        .collect()
}

/// Codings of the record.
pub(super) fn codings(codings: &[Coding]) -> Vec<Object> {
    codings
        .iter()
        .map(|given| {
            code::coding(&given.system, &given.code, given.display.as_deref().unwrap_or_default())
        })
        .collect()
}

/// The way back from a coding.
pub(super) fn read_coding(coding: &Value) -> Option<Coding> {
    Some(Coding {
        system: text(coding, "system")?,
        code: text(coding, "code")?,
        display: text(coding, "display"),
    })
}

/// Identifiers of the record, without those that we add.
pub(super) fn read_identifiers(element: &Value) -> Vec<Identifier> {
    element
        .items("identifier")
        .filter_map(|identifier| {
            let system = text(identifier, "system")?;
            let own = [ITEM_SYSTEM, PLAN_ITEM_SYSTEM, REVISION_SYSTEM];
            if own.contains(&system.as_str()) {
                return None;
            }
            Some(Identifier { system, value: text(identifier, "value")? })
        })
        .collect()
}

/// A string member, owned.
pub(super) fn text(value: &Value, name: &str) -> Option<String> {
    value.text(name).map(str::to_owned)
}

/// The strings of an array member, owned.
pub(super) fn texts(value: &Value, name: &str) -> Vec<String> {
    value.items(name).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A number member, owned.
pub(super) fn number(value: &Value, name: &str) -> Option<Number> {
    value.get(name).and_then(Value::as_number).cloned()
}

/// A positive integer.
pub(super) fn positive(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}
