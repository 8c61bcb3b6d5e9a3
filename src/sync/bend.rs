//! A resource as a vendor's server takes it, where that is less than the record says: a code that must be another one, a
//! text that is too long.
//!
//! Nothing is shortened: what is too long is left out, and every element that was touched is named in the report. The
//! record itself is never changed, and what is read back is compared with what was sent.

use crate::fhir::Resource;
use crate::json::Value;
use crate::object;
use crate::vendor::Pack;

/// The resource as it is sent, and the elements in which it says other than the record.
pub(super) fn bent(resource: &Resource, pack: Option<&Pack>) -> (Resource, Vec<String>) {
    let (mut bent, mut changed) = (resource.clone(), Vec::new());
    let resource_type = resource.resource_type();
    for fixed in pack.iter().flat_map(|pack| &pack.fixed) {
        let is_meant = fixed.resource_type == resource_type;
        let Some(stated) = bent.get(&fixed.element).filter(|_| is_meant) else { continue };
        let is_so = stated.items("coding").any(|coding| {
            coding.text("system") == Some(&fixed.system) && coding.text("code") == Some(&fixed.code)
        });
        if !is_so {
            let coding = object! { "system" => &fixed.system, "code" => &fixed.code };
            bent.object_mut().put(fixed.element.clone(), object! { "coding" => vec![coding] });
            changed.push(fixed.element.clone());
        }
    }
    for limit in pack.iter().flat_map(|pack| &pack.limits.text) {
        let element =
            limit.element.strip_prefix(resource_type).and_then(|rest| rest.strip_prefix('.'));
        let Some(element) = element else { continue };
        let most = usize::try_from(limit.characters).unwrap_or(usize::MAX);
        let Some(Value::Array(notes)) = bent.object_mut().get_mut(element) else { continue };
        let all = notes.len();
        notes.retain(|note| note.text("text").is_none_or(|text| text.chars().count() <= most));
        let (left, is_empty) = (notes.len(), notes.is_empty());
        if is_empty {
            bent.object_mut().remove(element);
        }
        if left < all {
            changed.push(element.to_owned());
        }
    }
    (bent, changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epic_gets_a_provisional_problem_and_no_note_that_is_too_long() {
        let text = format!(
            r#"{{"resourceType":"Condition","verificationStatus":{{"coding":[{{"code":"confirmed"}}]}},
            "note":[{{"text":"short"}},{{"text":"{}"}}]}}"#,
            "x".repeat(451)
        );
        let condition = Resource::parse(text.as_bytes()).unwrap();
        let (bent, changed) = bent(&condition, Pack::named("epic"));
        assert_eq!(changed, ["verificationStatus", "note"]);
        let status =
            bent.get("verificationStatus").and_then(|status| status.items("coding").next());
        assert_eq!(status.and_then(|coding| coding.text("code")), Some("provisional"));
        assert_eq!(bent.items("note").count(), 1);
        assert_eq!(super::bent(&bent, Pack::named("epic")), (bent.clone(), Vec::new()));
        assert_eq!(super::bent(&condition, None), (condition, Vec::new()));
    }
}
