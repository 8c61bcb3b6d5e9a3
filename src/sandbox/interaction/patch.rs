//! patch by JSON Patch (RFC 6902; R4 3.1.0.6): `test`, `replace`, `add` and `remove`, all of them or none.
//!
//! Only servers with a surface that lists it take it: it is there for a hospital's server that changes by patch what it
//! does not let be updated.

use crate::fhir::{Resource, ResourceId};
use crate::json::Value;
use crate::sandbox::answer::{Answer, Refusal};

use super::{Ehr, Request, update};

/// Changes a resource by the operations that were sent.
pub(super) fn patch(ehr: &mut Ehr, request: &Request, id: &ResourceId) -> Result<Answer, Refusal> {
    let operations = request.patch.as_ref().and_then(Value::as_array);
    let operations = operations.ok_or(Refusal::invalid("a JSON Patch is needed as the body"))?;
    let mut tree = ehr.content(id).ok_or(Refusal::not_found())?.into_value();
    for (index, operation) in operations.iter().enumerate() {
        let text = "the operation can't be done, or its test does not hold";
        let refusal = || Refusal::new(422, "processing", text).at(format!("patch[{index}]"));
        apply(&mut tree, operation).ok_or_else(refusal)?;
    }
    match Resource::from_value(tree) {
        Ok(resource) if resource.resource_type() == id.resource_type() => {
            update::store(ehr, request, id, resource)
        }
        _ => Err(Refusal::invalid("a patch can't change what a resource is")),
    }
}

/// Does one operation; nothing if it can't be done.
fn apply(tree: &mut Value, operation: &Value) -> Option<()> {
    let (path, value) = (operation.text("path")?, operation.get("value"));
    match operation.text("op")? {
        "test" => (tree.pointer(path)? == value?).then_some(()),
        "replace" => {
            *tree.pointer_mut(path)? = value?.clone();
            Some(())
        }
        kind @ ("add" | "remove") => {
            let added = if kind == "add" { Some(value?.clone()) } else { None };
            let (parent, name) = path.rsplit_once('/')?;
            change(tree.pointer_mut(parent)?, name, added)
        }
        _ => None,
    }
}

/// Adds a member or an item, or takes it out.
fn change(parent: &mut Value, name: &str, added: Option<Value>) -> Option<()> {
    match (parent, added) {
        (Value::Object(object), Some(value)) => object.insert(name.to_owned(), value),
        (Value::Object(object), None) => {
            object.remove(name)?;
        }
        (Value::Array(items), Some(value)) => {
            let index = if name == "-" { items.len() } else { name.parse().ok()? };
            if index > items.len() {
                return None;
            }
            items.insert(index, value);
        }
        (Value::Array(items), None) => {
            let index = name.parse().ok().filter(|index| *index < items.len())?;
            items.remove(index);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn operations_change_what_they_name_and_nothing_else() {
        for (operation, expected) in [
            (r#"{"op":"test","path":"/a/0","value":1}"#, Some(r#"{"a":[1,2],"b":{}}"#)),
            (r#"{"op":"test","path":"/a/0","value":2}"#, None),
            (r#"{"op":"replace","path":"/a/1","value":7}"#, Some(r#"{"a":[1,7],"b":{}}"#)),
            (r#"{"op":"replace","path":"/c","value":7}"#, None),
            (r#"{"op":"add","path":"/a/-","value":3}"#, Some(r#"{"a":[1,2,3],"b":{}}"#)),
            (r#"{"op":"add","path":"/a/9","value":3}"#, None),
            (r#"{"op":"add","path":"/b/c","value":3}"#, Some(r#"{"a":[1,2],"b":{"c":3}}"#)),
            (r#"{"op":"remove","path":"/a/0"}"#, Some(r#"{"a":[2],"b":{}}"#)),
            (r#"{"op":"remove","path":"/a/2"}"#, None),
            (r#"{"op":"remove","path":""}"#, None),
            (r#"{"op":"add","path":"/b/c"}"#, None),
            (r#"{"op":"copy","path":"/b/c"}"#, None),
        ] {
            let mut tree = parse(br#"{"a":[1,2],"b":{}}"#).unwrap();
            let done = apply(&mut tree, &parse(operation.as_bytes()).unwrap());
            assert_eq!(done.map(|()| tree.to_text()).as_deref(), expected, "{operation}");
        }
    }
}
