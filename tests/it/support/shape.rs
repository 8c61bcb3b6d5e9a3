//! The shape of what is written, checked by walking it: references, identity, and FHIR's lexical forms.

use std::collections::BTreeSet;

use ipt_fhir::fhir::reference::for_each_reference;
use ipt_fhir::fhir::resource::is_id;
use ipt_fhir::json::{Object, Value};

type Checked = Result<(), String>;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(what()) }
}

/// References resolve, every resource has an item of its own that is its full URL, and there is one patient.
pub(crate) fn check_bundle(bundle: &Value, item_system: &str) -> Checked {
    let entries = || bundle.items("entry");
    let mut urls = BTreeSet::new();
    for entry in entries() {
        let url = entry.text("fullUrl").unwrap_or_default();
        ensure(urls.insert(url), || format!("{url} twice"))?;
        let identifier = entry.pointer("/resource/identifier").ok_or("no identifier")?;
        let one = std::slice::from_ref(identifier);
        let all = identifier.as_array().unwrap_or(one);
        let items: Vec<&str> = all
            .iter()
            .filter(|identifier| identifier.text("system") == Some(item_system))
            .filter_map(|identifier| identifier.text("value"))
            .collect();
        let wanted = url.strip_prefix("urn:uuid:").unwrap_or("no urn");
        ensure(items == [wanted], || format!("{url} has the items {items:?}"))?;
    }
    let patients: Vec<&str> = entries()
        .filter(|entry| resource_type(entry) == "Patient")
        .filter_map(|entry| entry.text("fullUrl"))
        .collect();
    ensure(patients.len() == 1, || format!("{} patients", patients.len()))?;
    for entry in entries() {
        let resource = entry.get("resource").ok_or("no resource")?;
        let contained: BTreeSet<String> = resource
            .items("contained")
            .filter_map(|resource| Some(format!("#{}", resource.text("id")?)))
            .collect();
        let mut dangling = Vec::new();
        for_each_reference(resource, &mut |text| {
            if !urls.contains(text) && !contained.contains(text) {
                dangling.push(text.to_owned());
            }
        });
        let kind = resource_type(entry);
        ensure(dangling.is_empty(), || format!("{kind} points at {dangling:?}"))?;
        check_patient(kind, resource, patients[0])?;
    }
    Ok(())
}

fn resource_type(entry: &Value) -> &str {
    entry.pointer("/resource/resourceType").and_then(Value::as_str).unwrap_or_default()
}

/// The resource is about the patient, in the element that its type has for that.
fn check_patient(kind: &str, resource: &Value, patient: &str) -> Checked {
    let about: Vec<&Value> = match kind {
        "Patient" | "Practitioner" => return Ok(()),
        "Consent" | "RelatedPerson" => resource.get("patient").into_iter().collect(),
        "Task" => resource.get("for").into_iter().collect(),
        "Appointment" => resource
            .items("participant")
            .filter_map(|participant| participant.get("actor"))
            .filter(|actor| actor.text("type") == Some("Patient"))
            .collect(),
        _ => resource.get("subject").into_iter().collect(),
    };
    let about: Vec<_> = about.iter().filter_map(|reference| reference.text("reference")).collect();
    ensure(about == [patient], || format!("{kind} is about {about:?}"))
}

/// Nothing is empty, and what an element's name says of its type is true of its value (R4 2.24.0.1).
pub(crate) fn check_lexical_forms(value: &Value) -> Checked {
    check(value, "", "")
}

fn check(value: &Value, name: &str, parent: &str) -> Checked {
    let wrong = |what: &str| Err(format!("{parent}.{name} is {what}"));
    match value {
        Value::Null => wrong("null"),
        Value::Bool(_) => Ok(()),
        Value::Object(object) if object.is_empty() => wrong("an empty object"),
        Value::Array(items) if items.is_empty() => wrong("an empty list"),
        Value::String(text) if text.is_empty() => wrong("an empty string"),
        Value::Object(object) => {
            object.iter().try_for_each(|(member, value)| check(value, member, name))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check(item, name, parent)),
        Value::Number(number) => {
            let text = number.as_text();
            ensure(is_number(name, parent, text), || format!("{parent}.{name} is {text}"))
        }
        Value::String(text) => {
            ensure(is_text(name, parent, text), || format!("{parent}.{name} is `{text}`"))
        }
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(name: &str, parent: &str, text: &str) -> bool {
    let is_integer = digits(text) && (text == "0" || !text.starts_with('0'));
    let positive = is_integer && text != "0" && text.parse::<i32>().is_ok();
    match (name, parent) {
        ("valuePositiveInt" | "count" | "countMax" | "frequency" | "minutesDuration", _) => {
            positive
        }
        ("rank", "diagnosis") => positive,
        ("valueInteger", _) => is_integer && text.parse::<i32>().is_ok(),
        // decimal: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
        ("value" | "period" | "duration", _) => {
            let unsigned = text.strip_prefix('-').unwrap_or(text);
            let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let whole_is_right = digits(whole) && (whole == "0" || !whole.starts_with('0'));
            whole_is_right && digits(fraction) && digits(exponent)
        }
        _ => false,
    }
}

fn is_text(name: &str, parent: &str, text: &str) -> bool {
    // string: [ \r\n\t\S]+
    let is_string = !text.chars().all(char::is_whitespace)
        && text.chars().all(|letter| !letter.is_control() || "\r\n\t".contains(letter));
    let is_form = match (name, parent) {
        ("id" | "valueId", _) => is_id(text),
        (
            "status" | "intent" | "kind" | "comparator" | "periodUnit" | "durationUnit"
            | "docStatus" | "lifecycleStatus" | "gender" | "language" | "valueCode" | "contentType"
            | "use",
            _,
        )
        | ("system", "telecom")
        | (
            "code",
            "coding" | "valueCoding" | "class" | "tag" | "security" | "detailQuantity"
            | "valueQuantity" | "length" | "low" | "high",
        ) => is_code(text),
        (
            "system" | "url" | "fullUrl" | "reference" | "instantiatesCanonical" | "questionnaire",
            _,
        ) => !text.chars().any(char::is_whitespace),
        ("birthDate" | "startDate" | "statusDate" | "dueDate", _) => is_date(text),
        ("created" | "onsetDateTime" | "recordedDate" | "effectiveDateTime" | "authored", _)
        | ("time", "note") => is_date(text) || is_moment(text),
        ("start" | "end", "resource") => is_moment(text),
        ("start" | "end", _) => is_date(text) || is_moment(text),
        ("data", _) => {
            text.len().is_multiple_of(4)
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
        }
        _ => true,
    };
    is_string && is_form
}

/// code: `[^\s]+(\s[^\s]+)*`
fn is_code(text: &str) -> bool {
    !text.split(char::is_whitespace).any(str::is_empty)
}

fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

fn is_date(text: &str) -> bool {
    ["0000", "0000-00", "0000-00-00"].iter().any(|form| has_form(text, form))
}

fn is_moment(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let Some(split) = time.find(['Z', '+', '-']) else { return false };
    let (clock, offset) = time.split_at(split);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    has_form(date, "0000-00-00")
        && has_form(clock, "00:00:00")
        && digits(fraction)
        && (offset == "Z" || ["+00:00", "-00:00"].iter().any(|form| has_form(offset, form)))
}

/// The places of a schema: `goal/text` for a property, `goal/status=active` for a code.
pub(crate) fn reachable(schema: &Value) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap();
    for (name, definition) in definitions.iter() {
        places_of(definition, name, &mut places);
    }
    places_of(schema, "", &mut places);
    places
}

fn places_of(at: &Value, name: &str, places: &mut BTreeSet<String>) {
    for code in at.items("enum").filter_map(Value::as_str) {
        places.insert(format!("{name}={code}"));
    }
    if let Some(items) = at.get("items") {
        places_of(items, name, places);
    }
    for (member, property) in
        at.get("properties").and_then(Value::as_object).into_iter().flat_map(Object::iter)
    {
        let below = format!("{name}/{member}");
        places.insert(below.clone());
        places_of(property, &below, places);
    }
}

/// Notes the places of a schema that a value reaches.
pub(crate) fn reach(schema: &Value, at: &Value, value: &Value, reached: &mut BTreeSet<String>) {
    reach_at(schema, at, "", value, reached);
}

fn reach_at(schema: &Value, at: &Value, name: &str, value: &Value, reached: &mut BTreeSet<String>) {
    if let Some(target) = at.text("$ref") {
        let name = target.rsplit('/').next().unwrap_or_default();
        let definition = schema.pointer(target.trim_start_matches('#')).unwrap();
        return reach_at(schema, definition, name, value, reached);
    }
    match value {
        Value::String(text) if at.get("enum").is_some() => {
            reached.insert(format!("{name}={text}"));
        }
        Value::Array(items) => {
            if let Some(of) = at.get("items") {
                for item in items {
                    reach_at(schema, of, name, item, reached);
                }
            }
        }
        Value::Object(object) => {
            for (member, value) in object.iter() {
                let property = at.get("properties").and_then(|properties| properties.get(member));
                let Some(property) = property else { continue };
                let below = format!("{name}/{member}");
                reached.insert(below.clone());
                reach_at(schema, property, &below, value, reached);
            }
        }
        _ => {}
    }
}
