//! Walking JSON trees by pointer.

use ipt_fhir::json::{Pointer, Value};

/// Calls a function for each value of a tree with the pointer to it, parents first.
pub(crate) fn for_each<'a>(
    value: &'a Value,
    pointer: &Pointer,
    visit: &mut impl FnMut(&Pointer, &'a Value),
) {
    visit(pointer, value);
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter() {
                for_each(value, &pointer.member(name), visit);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                for_each(value, &pointer.item(index), visit);
            }
        }
        _ => {}
    }
}

/// The pointers to all objects of a tree.
pub(crate) fn object_pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for_each(value, &Pointer::root(), &mut |pointer, value| {
        if value.as_object().is_some() {
            found.push(pointer.as_str().to_owned());
        }
    });
    found
}

/// All strings of a tree with the pointers to them.
pub(crate) fn strings(value: &Value) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    for_each(value, &Pointer::root(), &mut |pointer, value| {
        found.extend(value.as_str().map(|text| (pointer.as_str().to_owned(), text)));
    });
    found
}
