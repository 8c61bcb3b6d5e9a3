//! SMART scopes in both spellings.

use ipt_fhir::fhir::Scopes;
use ipt_fhir::fhir::scope::{Granted, Scope};
use proptest::prelude::*;

use super::scopes;
use crate::support::shared;

const INTERACTIONS: [(&str, char); 9] = [
    ("create", 'c'),
    ("read", 'r'),
    ("vread", 'r'),
    ("history-instance", 'r'),
    ("update", 'u'),
    ("patch", 'u'),
    ("delete", 'd'),
    ("search-type", 's'),
    ("history-type", 's'),
];

fn narrowed(searches: &[&str]) -> Granted {
    Granted::Narrowed(searches.iter().map(|search| (*search).to_owned()).collect())
}

#[test]
fn both_spellings_grant_what_they_say() {
    for (scope, letters) in [
        ("system/CarePlan.read", "rs"),
        ("system/CarePlan.write", "cud"),
        ("system/CarePlan.*", "cruds"),
        ("system/CarePlan.cruds", "cruds"),
        ("system/CarePlan.crus", "crus"),
        ("system/CarePlan.c", "c"),
        ("system/*.rs", "rs"),
        ("user/*.*", "cruds"),
        ("user/CarePlan.u", "u"),
    ] {
        for (interaction, letter) in INTERACTIONS {
            let wanted = if letters.contains(letter) { Granted::Yes } else { Granted::No };
            assert_eq!(
                scopes(scope).allows("CarePlan", interaction),
                wanted,
                "{scope} {interaction}"
            );
        }
        assert_eq!(scopes(scope).allows("CarePlan", "transaction"), Granted::No);
        let of_all = scope.contains("/*");
        assert_eq!(scopes(scope).allows("Goal", "read") == Granted::Yes, of_all, "{scope}");
    }
}

#[test]
fn queries_and_one_patient_narrow() {
    let query = "category=http://hl7.org/fhir/us/core/CodeSystem/careplan-category|assess-plan";
    let one = scopes(&format!("system/CarePlan.rs?{query}"));
    assert_eq!(one.allows("CarePlan", "read"), narrowed(&[query]));
    assert_eq!(one.allows("CarePlan", "create"), Granted::No);
    let two =
        scopes("system/Observation.rs?category=survey system/Observation.rs?category=laboratory");
    assert_eq!(
        two.allows("Observation", "read"),
        narrowed(&["category=laboratory", "category=survey"])
    );
    assert_eq!(scopes("patient/Goal.rs").allows("Goal", "read"), narrowed(&["patient"]));
    assert_eq!(scopes("patient/Goal.rs?a=b").allows("Goal", "read"), narrowed(&["patient&a=b"]));
    // The widest of several counts.
    assert_eq!(scopes("patient/Goal.rs system/Goal.r").allows("Goal", "read"), Granted::Yes);
    assert_eq!(Granted::Yes.to_string(), "yes");
    assert_eq!(narrowed(&["a=b", "c=d"]).to_string(), "only a=b or c=d");
}

#[test]
fn what_is_not_understood_is_kept_and_grants_nothing() {
    for text in [
        "openid",
        "fhirUser",
        "offline_access",
        "system/CarePlan",
        "system/CarePlan.",
        "system/CarePlan.sr",
        "system/CarePlan.rr",
        "system/CarePlan.Read",
        "system/careplan.rs",
        "System/CarePlan.rs",
        "/CarePlan.rs",
        "system/CarePlan.rs?",
        "system/.rs",
        "system/**.rs",
        "system/CarePlan.rs/x",
        "athena/service/Athenanet.MDP.*",
        "launch/",
        "epic.scanning.dmsusername",
    ] {
        let scopes = scopes(text);
        assert_eq!(scopes.iter().collect::<Vec<_>>(), [&Scope::Other(text.to_owned())]);
        assert_eq!(scopes.allows("CarePlan", "read"), Granted::No, "{text}");
        assert_eq!(scopes.to_string(), text);
    }
    assert_eq!(Scope::parse("launch"), Scope::Launch(None));
    assert_eq!(Scope::parse("launch/patient"), Scope::Launch(Some("patient".to_owned())));
    assert!(scopes(" \t ").is_empty());
}

#[test]
fn scopes_that_servers_advertise_are_read_and_written_back() {
    let mut read = 0;
    for name in ["athena", "cerner", "ecw", "epic", "meditech", "nextgen-ent", "veradigm"] {
        let Some(bytes) = shared(&format!("data/ehr-capabilities/{name}-smart.json")) else {
            return;
        };
        let smart = ipt_fhir::json::parse(&bytes).unwrap();
        for scope in smart.items("scopes_supported").filter_map(ipt_fhir::json::Value::as_str) {
            assert_eq!(Scope::parse(scope).to_string(), scope);
            read += usize::from(matches!(Scope::parse(scope), Scope::Resource { .. }));
        }
    }
    assert!(read > 500, "{read}");
}

proptest! {
    #[test]
    fn any_text_is_kept_word_for_word(text in "\\PC{0,80}") {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let scopes = Scopes::parse(&text);
        prop_assert_eq!(scopes.to_string(), words.join(" "));
        prop_assert_eq!(&Scopes::parse(&scopes.to_string()), &scopes);
    }

    #[test]
    fn a_scope_grants_its_letters_for_its_type_and_no_more(
        context in prop::sample::select(vec!["system", "user"]),
        of in prop::sample::select(vec!["CarePlan", "Goal", "*"]),
        mask in 1_u8..32,
        asked in prop::sample::select(vec!["CarePlan", "Goal", "Task"]),
    ) {
        let letters: String =
            "cruds".chars().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, c)| c).collect();
        let scope = format!("{context}/{of}.{letters}");
        let scopes = Scopes::parse(&scope);
        prop_assert_eq!(scopes.to_string(), scope);
        for (interaction, letter) in INTERACTIONS {
            let wanted = (of == "*" || of == asked) && letters.contains(letter);
            prop_assert_eq!(scopes.allows(asked, interaction) == Granted::Yes, wanted);
        }
    }

    #[test]
    fn another_scope_never_takes_away(
        first in scope_text(), second in scope_text(), asked in prop::sample::select(vec!["CarePlan", "Goal"]),
    ) {
        let rank = |granted: Granted| match granted {
            Granted::No => 0,
            Granted::Narrowed(_) => 1,
            Granted::Yes => 2,
        };
        for (interaction, _) in INTERACTIONS {
            let one = rank(Scopes::parse(&first).allows(asked, interaction));
            let other = rank(Scopes::parse(&second).allows(asked, interaction));
            let both = rank(Scopes::parse(&format!("{first} {second}")).allows(asked, interaction));
            prop_assert_eq!(both, one.max(other));
        }
    }
}

fn scope_text() -> impl Strategy<Value = String> {
    "(system|user|patient)/(CarePlan|Goal|\\*)\\.(read|write|\\*|c|rs|cruds|sr)(\\?a=b)?"
}
