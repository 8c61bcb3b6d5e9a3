//! In which order resources are created that refer to each other.
//!
//! A transaction takes them all at once. One that is too long for the server is cut into several, each after those
//! that it refers to, and what refers to each other in a circle stays together if it can. Without transactions, a
//! resource is created after those it refers to; where a circle must be cut, one is created first without the
//! references that would close it, and updated when their targets are there. A plan is cut first (it names sessions
//! that name the plan), then a goal: in both these references are optional.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::fhir::Resource;
use crate::json::{Object, Value};

use super::identity::{Item, targets, urn};

/// The items in groups of at most `limit`, each group after those that it refers to, except in a circle that is
/// longer than a group.
pub(super) fn groups(items: &[&Item], limit: usize) -> Vec<Vec<Uuid>> {
    if items.is_empty() {
        return Vec::new();
    }
    if items.len() <= limit {
        return vec![items.iter().map(|item| item.uuid).collect()];
    }
    let mut groups: Vec<Vec<Uuid>> = Vec::new();
    for circle in circles(&wanted(items)) {
        let items: Vec<&Item> =
            items.iter().copied().filter(|item| circle.contains(&item.uuid)).collect();
        let order = dependencies_first(&items);
        match groups.last_mut() {
            Some(last) if last.len() + order.len() <= limit => last.extend(order),
            _ => groups.extend(order.chunks(limit.max(1)).map(<[Uuid]>::to_vec)),
        }
    }
    groups
}

/// At most so many of the items that refer to no other one of them, as the one group that can go now; in a circle, the
/// one at which it is cut. The others come when these have ids. Of nothing there is no group.
pub(super) fn wave(items: &[&Item], limit: usize) -> Option<Vec<Uuid>> {
    let free = wanted(items).into_iter().filter(|(_, targets)| targets.is_empty());
    let free: Vec<Uuid> = free.map(|(item, _)| item).take(limit).collect();
    let group = if free.is_empty() {
        dependencies_first(items).into_iter().take(1).collect()
    } else {
        free
    };
    (!group.is_empty()).then_some(group)
}

/// To which others of the items each of them refers.
fn wanted(items: &[&Item]) -> Vec<(Uuid, BTreeSet<Uuid>)> {
    let own: BTreeSet<Uuid> = items.iter().map(|item| item.uuid).collect();
    let wanted = items.iter().map(|item| {
        let mut wanted: BTreeSet<Uuid> = targets(&item.local);
        wanted.retain(|target| own.contains(target) && *target != item.uuid);
        (item.uuid, wanted)
    });
    wanted.collect()
}

/// What refers to each other in circles, each circle after those to which it refers; most items are alone. (Two
/// items are in one circle if each is reached from the other. Records are small: all ways are walked.)
fn circles(wanted: &[(Uuid, BTreeSet<Uuid>)]) -> Vec<BTreeSet<Uuid>> {
    let mut reached: BTreeMap<Uuid, BTreeSet<Uuid>> = wanted.iter().cloned().collect();
    loop {
        let before = reached.clone();
        for targets in reached.values_mut() {
            let further: Vec<_> =
                targets.iter().filter_map(|target| before.get(target)).flatten().copied().collect();
            targets.extend(further);
        }
        if reached == before {
            break;
        }
    }
    let mut circles: Vec<BTreeSet<Uuid>> = Vec::new();
    let reaches = |from: Uuid, to: Uuid| reached.get(&from).is_some_and(|all| all.contains(&to));
    for (item, _) in wanted {
        if circles.iter().any(|circle| circle.contains(item)) {
            continue;
        }
        let mates = wanted.iter().map(|(other, _)| *other);
        let mates = mates.filter(|other| reaches(*item, *other) && reaches(*other, *item));
        circles.push(mates.chain([*item]).collect());
    }
    // In the order of the items, but each after all that it reaches.
    let mut order: Vec<BTreeSet<Uuid>> = Vec::new();
    while !circles.is_empty() {
        let is_there = |target: &Uuid| order.iter().any(|circle| circle.contains(target));
        let is_free = |circle: &BTreeSet<Uuid>| {
            let mut targets = circle.iter().filter_map(|item| reached.get(item)).flatten();
            targets.all(|target| circle.contains(target) || is_there(target))
        };
        let next = circles.iter().position(is_free).unwrap_or_default();
        order.push(circles.remove(next));
    }
    order
}

fn dependencies_first(items: &[&Item]) -> Vec<Uuid> {
    let mut missing: BTreeMap<Uuid, BTreeSet<Uuid>> = wanted(items).into_iter().collect();
    let mut order = Vec::with_capacity(items.len());
    while order.len() < items.len() {
        let left = || items.iter().filter(|item| missing.contains_key(&item.uuid));
        let is_free = |item: &&&Item| missing.get(&item.uuid).is_some_and(BTreeSet::is_empty);
        let of_type = |name: &str| left().find(|item| item.local.resource_type() == name);
        let next = left()
            .find(is_free)
            .or_else(|| of_type("CarePlan"))
            .or_else(|| of_type("Goal"))
            .or_else(|| left().next());
        let Some(next) = next.map(|item| item.uuid) else { break };
        missing.remove(&next);
        for wanted in missing.values_mut() {
            wanted.remove(&next);
        }
        order.push(next);
    }
    order
}

/// The body without the references to items that `is_there` denies, and without what has no sense without them.
pub(super) fn without_missing(resource: &Resource, is_there: &dyn Fn(Uuid) -> bool) -> Resource {
    let mut pruned = Resource::new(resource.resource_type());
    if let Some(object) = prune_object(resource.object(), is_there) {
        pruned = pruned.with(object);
    }
    pruned
}

fn prune_object(object: &Object, is_there: &dyn Fn(Uuid) -> bool) -> Option<Object> {
    let target = object.get("reference").and_then(Value::as_str).and_then(urn);
    if target.is_some_and(|target| !is_there(target)) {
        return None;
    }
    let mut kept = Object::new();
    for (name, value) in object.iter() {
        let pruned = prune(value, is_there);
        // An extension without its value, or without a part of itself, would say something else.
        let is_whole = pruned.as_ref().is_some_and(|pruned| length(pruned) == length(value));
        if !is_whole && object.get("url").is_some() {
            return None;
        }
        if let Some(pruned) = pruned {
            kept.insert(name.to_owned(), pruned);
        }
    }
    (!kept.is_empty()).then_some(kept)
}

fn prune(value: &Value, is_there: &dyn Fn(Uuid) -> bool) -> Option<Value> {
    match value {
        Value::Object(object) => prune_object(object, is_there).map(Value::Object),
        Value::Array(items) => {
            let kept: Vec<Value> = items.iter().filter_map(|item| prune(item, is_there)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        other => Some(other.clone()),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(object) => object.len(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u128, resource_type: &str, refers_to: &[u128]) -> Item {
        let references: Vec<Object> = refers_to
            .iter()
            .map(|target| {
                let reference = format!("urn:uuid:{}", Uuid::from_u128(*target));
                crate::object! { "reference" => reference }
            })
            .collect();
        let local = Resource::new(resource_type).with(crate::object! { "basedOn" => references });
        Item { uuid: Uuid::from_u128(number), local }
    }

    fn order(items: &[Item]) -> Vec<u128> {
        let items: Vec<&Item> = items.iter().collect();
        groups(&items, 1).concat().iter().map(Uuid::as_u128).collect()
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let items =
            [item(1, "Task", &[2, 3]), item(2, "Encounter", &[3]), item(3, "Condition", &[])];
        assert_eq!(order(&items), [3, 2, 1]);
    }

    #[test]
    fn a_circle_is_cut_at_the_plan() {
        let items =
            [item(1, "Encounter", &[2]), item(2, "CarePlan", &[1, 3]), item(3, "Goal", &[])];
        assert_eq!(order(&items), [3, 2, 1]);
        let selves = [item(1, "Encounter", &[1]), item(2, "Task", &[3]), item(3, "Task", &[2])];
        assert_eq!(order(&selves), [1, 2, 3]);
    }

    #[test]
    fn a_wave_refers_to_nothing_that_is_still_to_come() {
        let items = [
            item(1, "Task", &[2, 3]),
            item(2, "Encounter", &[]),
            item(3, "Condition", &[]),
            item(4, "CarePlan", &[5]),
            item(5, "Encounter", &[4]),
        ];
        let all: Vec<&Item> = items.iter().collect();
        let of = |items: &[&Item], limit| -> Vec<u128> {
            wave(items, limit).iter().flatten().map(Uuid::as_u128).collect()
        };
        assert_eq!(of(&all, 9), [2, 3]);
        assert_eq!(of(&all, 1), [2]);
        assert_eq!(of(&all[3..], 9), [4], "the circle is cut at the plan");
        assert_eq!(wave(&[], 9), None, "an empty Bundle is no request to make");
    }

    #[test]
    fn what_refers_to_each_other_stays_together_if_it_can() {
        let items = [
            item(1, "Task", &[2]),
            item(2, "CarePlan", &[3, 5]),
            item(3, "Encounter", &[2, 4]),
            item(4, "Condition", &[]),
            item(5, "Goal", &[]),
            item(6, "Flag", &[]),
        ];
        let items: Vec<&Item> = items.iter().collect();
        let of = |limit| -> Vec<Vec<u128>> {
            let groups = groups(&items, limit).into_iter();
            groups.map(|group| group.iter().map(Uuid::as_u128).collect()).collect()
        };
        assert_eq!(of(3), [vec![4, 5], vec![2, 3, 1], vec![6]]);
        assert_eq!(of(1).concat(), [4, 5, 2, 3, 1, 6]);
        assert_eq!(of(6), [[1, 2, 3, 4, 5, 6]]);
    }

    #[test]
    fn what_is_cut_takes_along_what_has_no_sense_without_it() {
        let target = Uuid::from_u128(1);
        let text = format!(
            r#"{{"resourceType":"CarePlan","goal":[{{"reference":"urn:uuid:{target}"}},{{"reference":"Goal/2"}}],
            "activity":[{{"outcomeReference":[{{"reference":"urn:uuid:{target}"}}]}},{{"detail":{{"status":"x"}}}}],
            "extension":[{{"url":"a","extension":[{{"url":"t","valueCode":"m"}},
              {{"url":"r","valueReference":{{"reference":"urn:uuid:{target}"}}}}]}},{{"url":"b","valueCode":"k"}}]}}"#
        );
        let cut = without_missing(&Resource::parse(text.as_bytes()).unwrap(), &|_| false);
        let expected = r#"{"resourceType":"CarePlan","goal":[{"reference":"Goal/2"}],"activity":[{"detail":{"status":"x"}}],"extension":[{"url":"b","valueCode":"k"}]}"#;
        assert_eq!(cut.to_text(), expected);
    }
}
