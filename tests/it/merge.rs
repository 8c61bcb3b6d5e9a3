//! The laws of the three-way decision, on made-up bodies.

use ipt_fhir::fhir::Resource;
use ipt_fhir::json::{Number, Object, Value};
use ipt_fhir::merge::{Known, Step, canonical, changes, decide, same_content, with_change};
use ipt_fhir::object;
use proptest::prelude::*;

/// Values as FHIR has them: no null, nothing empty, lists of things with and without a key of their own.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[a-c]{1,3}".prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        (0u64..3).prop_map(|number| Value::Number(Number::from(number))),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array),
            prop::collection::vec(("[u-x]", inner.clone()), 1..4).prop_map(object_of),
            ("[a-c]", inner).prop_map(|(url, value)| {
                Value::Object(object! { "url" => url, "value" => value })
            }),
        ]
    })
}

fn object_of(members: Vec<(String, Value)>) -> Value {
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    Value::Object(object)
}

fn resource() -> impl Strategy<Value = Resource> {
    prop::collection::vec(("[m-r]", value()), 0..5).prop_map(|members| {
        let mut resource = Resource::new("CarePlan");
        for (name, value) in members {
            resource.object_mut().insert(name, value);
        }
        resource
    })
}

fn known<'a>(base: &'a Resource, last: &'a Resource, remote: &'a Resource) -> Known<'a> {
    Known {
        base,
        base_version: Some("1"),
        last_local: Some(last),
        remote: Some(remote),
        remote_version: Some("1"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_changed_means_nothing_to_write(base in resource(), local in resource()) {
        prop_assert_eq!(decide(Some(&local), Some(&known(&base, &local, &base))), Step::Unchanged);
    }

    #[test]
    fn our_change_is_written_once(base in resource(), old in resource(), new in resource()) {
        match decide(Some(&new), Some(&known(&base, &old, &base))) {
            Step::Update(body) => {
                prop_assert_ne!(canonical(&body), canonical(&base));
                let after = known(&body, &new, &body);
                prop_assert_eq!(decide(Some(&new), Some(&after)), Step::Unchanged);
            }
            Step::Unchanged => prop_assert_eq!(canonical(&old), canonical(&new)),
            Step::Agree => prop_assert_eq!(
                canonical(&with_change(&base, Some(&old), &new)), canonical(&base)
            ),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn an_edit_in_the_ehr_is_never_written_over(
        base in resource(), old in resource(), new in resource(), remote in resource(),
    ) {
        prop_assume!(!same_content(&base, &remote));
        let known = Known { remote_version: Some("2"), ..known(&base, &old, &remote) };
        match decide(Some(&new), Some(&known)) {
            Step::RemoteChanged(theirs) => {
                prop_assert_eq!(canonical(&old), canonical(&new));
                prop_assert!(!theirs.is_empty());
            }
            Step::Conflict { theirs, .. } => prop_assert!(!theirs.is_empty()),
            Step::Agree => prop_assert!(
                same_content(&with_change(&base, Some(&old), &new), &remote)
            ),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_change_on_its_own_base_is_the_new_body(old in resource(), new in resource()) {
        prop_assert_eq!(canonical(&with_change(&old, Some(&old), &new)), canonical(&new));
    }

    #[test]
    fn no_change_leaves_the_base(base in resource(), body in resource()) {
        prop_assert_eq!(canonical(&with_change(&base, Some(&body), &body)), canonical(&base));
    }

    #[test]
    fn what_the_server_added_survives(old in resource(), new in resource(), item in value()) {
        let mut base = old.clone();
        base.object_mut().insert("added", item.clone());
        let result = with_change(&base, Some(&old), &new);
        prop_assert_eq!(result.get("added"), Some(&item));
    }

    #[test]
    fn changes_are_empty_exactly_where_bodies_say_the_same(left in resource(), right in resource()) {
        prop_assert_eq!(changes(&left, &right).is_empty(), same_content(&left, &right));
    }
}

fn parse(text: &str) -> Resource {
    Resource::parse(text.as_bytes()).unwrap()
}

#[test]
fn an_item_that_the_server_added_to_a_list_keeps_its_place() {
    let old = parse(
        r#"{"resourceType":"CarePlan","goal":[{"reference":"Goal/1"},{"reference":"Goal/2"}]}"#,
    );
    let base = parse(
        r#"{"resourceType":"CarePlan","id":"7","meta":{"versionId":"3","security":[{"code":"R"}]},
            "goal":[{"reference":"Goal/1"},{"reference":"Goal/9"},{"reference":"Goal/2","display":"added"}]}"#,
    );
    let new = parse(
        r#"{"resourceType":"CarePlan","goal":[{"reference":"Goal/1"},{"reference":"Goal/2"},{"reference":"Goal/3"}]}"#,
    );
    let expected = r#"{"resourceType":"CarePlan","id":"7","meta":{"security":[{"code":"R"}]},"goal":[{"reference":"Goal/1"},{"reference":"Goal/9"},{"reference":"Goal/2","display":"added"},{"reference":"Goal/3"}]}"#;
    assert_eq!(with_change(&base, Some(&old), &new).to_text(), expected);
}

#[test]
fn an_item_that_only_its_words_tell_and_that_the_server_altered_is_replaced_by_its_change() {
    let notes = |notes: &str| parse(&format!(r#"{{"resourceType":"Goal","note":[{notes}]}}"#));
    let old = notes(r#"{"text":"A"},{"text":"C"}"#);
    let base = notes(r#"{"text":"A","time":"2026"},{"text":"C","time":"2026"}"#);
    let changed = with_change(&base, Some(&old), &notes(r#"{"text":"B"},{"text":"C"}"#));
    assert_eq!(changed, notes(r#"{"text":"B"},{"text":"C","time":"2026"}"#));
    let shorter = with_change(&base, Some(&old), &notes(r#"{"text":"C"}"#));
    assert_eq!(shorter, notes(r#"{"text":"C","time":"2026"}"#));
}

#[test]
fn without_a_last_body_ours_stands_with_all_labels() {
    let base = parse(
        r#"{"resourceType":"Goal","id":"7","meta":{"versionId":"3","security":[{"code":"R"}]},"note":[{"text":"x"}]}"#,
    );
    let new = parse(r#"{"resourceType":"Goal","meta":{"tag":[{"code":"t"}]},"status":"active"}"#);
    let expected = r#"{"resourceType":"Goal","meta":{"tag":[{"code":"t"}],"security":[{"code":"R"}]},"status":"active","id":"7"}"#;
    assert_eq!(with_change(&base, None, &new).to_text(), expected);
}

#[test]
fn changes_name_places_and_lengths_and_no_words() {
    let before = parse(
        r#"{"resourceType":"Goal","description":{"text":"Grieve"},"target":[{"id":"a","due":"2026"},{"id":"b","due":"2027"}]}"#,
    );
    let after = parse(
        r#"{"resourceType":"Goal","description":{"text":"Grieve and meet"},"target":[{"id":"b","due":"2027-01"}],"John Lee":1}"#,
    );
    let lines: Vec<String> = changes(&before, &after).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "Goal.description.text changed (6 to 15 characters)",
            "Goal.target[0] removed (23 characters)",
            "Goal.target[0].due changed (4 to 7 characters)",
            "Goal.? added (1 characters)",
        ]
    );
}

#[test]
fn gone_and_left_out_are_told_and_not_acted_on() {
    let body = Resource::new("Goal");
    let gone = Known { remote: None, remote_version: None, ..known(&body, &body, &body) };
    assert_eq!(decide(Some(&body), Some(&gone)), Step::Gone);
    assert_eq!(decide(None, Some(&known(&body, &body, &body))), Step::NotInRecord);
    assert_eq!(decide(Some(&body), None), Step::Create);
}

#[test]
fn a_version_that_moved_without_a_change_is_taken_as_base() {
    let body = Resource::new("Goal");
    let moved = Known { remote_version: Some("2"), ..known(&body, &body, &body) };
    assert_eq!(decide(Some(&body), Some(&moved)), Step::Agree);
}
