//! Whether two Patient resources tell of the same person, without telling anything about them.
//!
//! A person who links a record to a Patient has to compare the two, and nobody's name may stand in a terminal's log
//! for it: so the comparison says for each trait whether both agree, and never what they say. It decides nothing.

use crate::json::Value;

use super::Resource;

/// How one trait compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Both have it and say the same; a date may be less exact on one side.
    Agrees,
    /// Both have it and say something else.
    Differs,
    /// The first does not have it.
    MissingHere,
    /// The second does not have it.
    MissingThere,
    /// Neither has it.
    MissingInBoth,
}

/// Compares traits of two Patients: family name, given name, birth date, gender, identifiers.
///
/// Names are compared without case, the first given name only; identifiers agree if one of them is in both, and
/// differ if a system that both use has other values.
pub fn compare(here: &Resource, there: &Resource) -> [(&'static str, Agreement); 5] {
    let family = |patient| texts(patient, |name| name.text("family").into_iter().collect());
    let given = |patient| {
        texts(patient, |name| {
            name.items("given").next().and_then(Value::as_str).into_iter().collect()
        })
    };
    let birth_date = |patient: &Resource| patient.text("birthDate").map(str::to_owned);
    let gender = |patient: &Resource| patient.text("gender").map(str::to_owned);
    let one = |value: Option<String>| value.into_iter().collect::<Vec<_>>();
    let same = |left: &String, right: &String| left == right;
    let same_date =
        |left: &String, right: &String| left.starts_with(right) || right.starts_with(left);
    [
        ("family name", agreement(&family(here), &family(there), same)),
        ("given name", agreement(&given(here), &given(there), same)),
        ("birth date", agreement(&one(birth_date(here)), &one(birth_date(there)), same_date)),
        ("gender", agreement(&one(gender(here)), &one(gender(there)), same)),
        ("identifiers", identifiers(here, there)),
    ]
}

fn agreement<T>(here: &[T], there: &[T], same: impl Fn(&T, &T) -> bool) -> Agreement {
    match (here, there) {
        ([], []) => Agreement::MissingInBoth,
        ([], _) => Agreement::MissingHere,
        (_, []) => Agreement::MissingThere,
        _ if here.iter().any(|left| there.iter().any(|right| same(left, right))) => {
            Agreement::Agrees
        }
        _ => Agreement::Differs,
    }
}

/// Identifiers of systems that only one side uses say nothing.
fn identifiers(here: &Resource, there: &Resource) -> Agreement {
    let all = |patient: &Resource| -> Vec<(String, String)> {
        let pair =
            |item: &Value| Some((item.text("system")?.to_owned(), item.text("value")?.to_owned()));
        patient.items("identifier").filter_map(pair).collect()
    };
    let (here, there) = (all(here), all(there));
    let shared = |one: &[(String, String)], other: &[(String, String)]| -> Vec<(String, String)> {
        let known = |system: &String| other.iter().any(|(used, _)| used == system);
        one.iter().filter(|(system, _)| known(system)).cloned().collect()
    };
    match (shared(&here, &there), shared(&there, &here)) {
        (mine, theirs) if mine.is_empty() || theirs.is_empty() => {
            match (here.is_empty(), there.is_empty()) {
                (true, true) => Agreement::MissingInBoth,
                (true, false) => Agreement::MissingHere,
                (false, _) => Agreement::MissingThere,
            }
        }
        (mine, theirs) => agreement(&mine, &theirs, |left, right| left == right),
    }
}

/// A text of each name, without case and outer white space.
fn texts(patient: &Resource, of: impl Fn(&Value) -> Vec<&str>) -> Vec<String> {
    let names = patient.items("name").flat_map(of);
    names.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::Agreement::{Agrees, Differs, MissingHere, MissingInBoth, MissingThere};
    use super::{Resource, compare};

    fn compared(here: &str, there: &str) -> [super::Agreement; 5] {
        let patient = |members: &str| {
            let text = format!("{{\"resourceType\":\"Patient\"{members}}}");
            Resource::parse(text.as_bytes()).unwrap()
        };
        compare(&patient(here), &patient(there)).map(|(_, agreement)| agreement)
    }

    #[test]
    fn traits_are_compared_one_by_one() {
        let full = r#","name":[{"family":"Lee","given":["John","M"]}],"birthDate":"1990-03-02","gender":"male","identifier":[{"system":"urn:a","value":"1"}]"#;
        assert_eq!(compared(full, full), [Agrees; 5]);
        assert_eq!(compared("", ""), [MissingInBoth; 5]);
        assert_eq!(compared("", full), [MissingHere; 5]);
        assert_eq!(compared(full, ""), [MissingThere; 5]);
        let other = r#","name":[{"family":"LEE ","given":["Jon"]}],"birthDate":"1990","gender":"female","identifier":[{"system":"urn:b","value":"1"}]"#;
        assert_eq!(compared(full, other), [Agrees, Differs, Agrees, Differs, MissingThere]);
        let twin = r#","identifier":[{"system":"urn:a","value":"2"}]"#;
        assert_eq!(compared(full, twin)[4], Differs);
        let renamed = r#","name":[{"use":"old","family":"Lee"},{"family":"Kim","given":["John"]}]"#;
        assert_eq!(compared(full, renamed)[..2], [Agrees, Agrees]);
    }
}
